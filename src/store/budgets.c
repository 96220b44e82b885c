/*
 * budgets.c - opening and closing budgets; the counting is in base/budget.h
 */
#include "store/budgets.h"

int tarn_budget_open(tarn_budget **out, uint64_t bytes_max, tarn_allocate_fn *allocate,
                     void *allocate_context)
{
    struct tn_memory memory;
    tarn_budget *budget;

    if (out == NULL)
        return TARN_E_MISUSE;
    *out = NULL;
    tn_memory_init(&memory, allocate, allocate_context, 0);
    budget = tn_memory_new(&memory, sizeof *budget, true);
    if (budget == NULL)
        return TARN_E_MEMORY;
    budget->memory = memory;
    budget->shared.limit_bytes = bytes_max != 0 ? bytes_max : UINT64_MAX;
    *out = budget;
    return TARN_OK;
}

int tarn_budget_close(tarn_budget *budget)
{
    struct tn_memory memory;

    if (budget == NULL)
        return TARN_OK;
    if (atomic_load_explicit(&budget->shared.user_count, memory_order_acquire) > 0)
        return TARN_E_MISUSE;
    memory = budget->memory;
    tn_memory_free(&memory, budget, sizeof *budget);
    return TARN_OK;
}

uint64_t tarn_budget_used(const tarn_budget *budget)
{
    if (budget == NULL)
        return 0;
    return tn_budget_used(&budget->shared);
}
