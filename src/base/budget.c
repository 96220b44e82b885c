/*
 * budget.c - a limit that several stores share; see budget.h
 */
#include "base/budget.h"

bool tn_budget_charge(struct tn_budget *budget, uint64_t bytes, uint64_t reserve_bytes)
{
    uint64_t counted = atomic_load_explicit(&budget->counted_bytes, memory_order_relaxed);
    uint64_t users = atomic_load_explicit(&budget->user_count, memory_order_relaxed);
    uint64_t need = bytes + users * reserve_bytes;

    do {
        if (need > budget->limit_bytes - counted) /* G1 */
            return false;
    } while (!atomic_compare_exchange_weak_explicit(&budget->counted_bytes, &counted,
                                                    counted + bytes, memory_order_relaxed,
                                                    memory_order_relaxed));
    return true;
}

void tn_budget_discharge(struct tn_budget *budget, uint64_t bytes)
{
    uint64_t before =
        atomic_fetch_sub_explicit(&budget->counted_bytes, bytes, memory_order_relaxed);

    tn_assert(bytes <= before);
}

void tn_budget_join(struct tn_budget *budget)
{
    atomic_fetch_add_explicit(&budget->user_count, 1, memory_order_relaxed);
}

void tn_budget_leave(struct tn_budget *budget)
{
    uint64_t before = atomic_fetch_sub_explicit(&budget->user_count, 1, memory_order_release);

    tn_assert(before > 0);
}

bool tn_budget_is_tight(const struct tn_budget *budget)
{
    uint64_t counted = atomic_load_explicit(&budget->counted_bytes, memory_order_relaxed);

    return budget->limit_bytes - counted < budget->limit_bytes / 8;
}
