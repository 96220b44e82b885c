/*
 * budget.c - a limit that several stores share; see budget.h
 */
#include "base/budget.h"

bool tn_budget_charge(struct tn_budget *budget, uint64_t bytes)
{
    uint64_t counted = atomic_load_explicit(&budget->counted_bytes, memory_order_relaxed);

    do {
        if (bytes > budget->limit_bytes - counted) /* G1 */
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

void tn_budget_spend(struct tn_budget *budget, uint64_t bytes)
{
    uint64_t before =
        atomic_fetch_sub_explicit(&budget->reserved_bytes, bytes, memory_order_relaxed);

    tn_assert(bytes <= before);
}

void tn_budget_unspend(struct tn_budget *budget, uint64_t bytes)
{
    atomic_fetch_add_explicit(&budget->reserved_bytes, bytes, memory_order_relaxed);
}

bool tn_budget_join(struct tn_budget *budget, uint64_t reserve_bytes)
{
    if (!tn_budget_charge(budget, reserve_bytes))
        return false;
    tn_budget_unspend(budget, reserve_bytes);
    atomic_fetch_add_explicit(&budget->user_count, 1, memory_order_relaxed);
    return true;
}

void tn_budget_leave(struct tn_budget *budget, uint64_t reserve_bytes)
{
    uint64_t before;

    tn_budget_spend(budget, reserve_bytes);
    tn_budget_discharge(budget, reserve_bytes);
    before = atomic_fetch_sub_explicit(&budget->user_count, 1, memory_order_release);
    tn_assert(before > 0);
}

/* Two numbers that others may change meanwhile: at some moment it was about so much. */
uint64_t tn_budget_used(const struct tn_budget *budget)
{
    uint64_t reserved = atomic_load_explicit(&budget->reserved_bytes, memory_order_relaxed);
    uint64_t counted = atomic_load_explicit(&budget->counted_bytes, memory_order_relaxed);

    return counted - tn_min(counted, reserved);
}

bool tn_budget_is_tight(const struct tn_budget *budget)
{
    uint64_t used = tn_budget_used(budget);

    return budget->limit_bytes - tn_min(used, budget->limit_bytes) < budget->limit_bytes / 8;
}
