/*
 * memory.c - the only place that allocates; see memory.h for the rules
 */
#include "base/memory.h"
#include "base/poison.h"

#include <stdlib.h>
#include <string.h>

static void *memory_from_libc(void *context, void *old, size_t old_bytes, size_t new_bytes)
{
    (void)context;
    (void)old_bytes;
    if (new_bytes == 0) {
        free(old);
        return NULL;
    }
    return realloc(old, new_bytes);
}

void tn_memory_init(struct tn_memory *memory, tn_allocate_fn *allocate, void *context,
                    uint64_t limit_bytes)
{
    *memory = (struct tn_memory){
        .allocate = allocate != NULL ? allocate : memory_from_libc,
        .context = context,
        .limit_bytes = limit_bytes != 0 ? limit_bytes : UINT64_MAX,
    };
}

/* The budget has no more, but what is reserved there for this one may do. */
static bool reserve_spend(struct tn_memory *memory, uint64_t bytes)
{
    if (!memory->reserve_is_open || bytes > memory->reserve_left)
        return false;
    memory->reserve_left -= bytes;
    tn_budget_spend(memory->budget, bytes);
    return true;
}

/* What comes back fills the reserve first. Answers how much of it is left for the budget. */
static uint64_t reserve_refill(struct tn_memory *memory, uint64_t bytes)
{
    uint64_t missing = tn_min(bytes, memory->reserve_bytes - memory->reserve_left);

    memory->reserve_left += missing;
    tn_budget_unspend(memory->budget, missing);
    return bytes - missing;
}

bool tn_memory_charge(struct tn_memory *memory, uint64_t bytes)
{
    uint64_t reserve = memory->reserve_is_open ? 0 : memory->reserve_bytes; /* M4 */

    memory->limit_refused = bytes + reserve > memory->limit_bytes - memory->counted_bytes; /* M2 */
    memory->budget_refused = !memory->limit_refused && memory->budget != NULL &&
                             !tn_budget_charge(memory->budget, bytes) &&
                             !reserve_spend(memory, bytes);
    memory->limit_refused |= memory->budget_refused;
    if (memory->limit_refused)
        return false;
    memory->counted_bytes += bytes;
    if (memory->counted_bytes > memory->counted_bytes_max)
        memory->counted_bytes_max = memory->counted_bytes;
    return true;
}

void tn_memory_discharge(struct tn_memory *memory, uint64_t bytes)
{
    tn_assert(bytes <= memory->counted_bytes);
    memory->counted_bytes -= bytes;
    if (memory->budget != NULL)
        tn_budget_discharge(memory->budget, reserve_refill(memory, bytes));
}

void *tn_memory_new(struct tn_memory *memory, size_t bytes, bool zero)
{
    void *block = tn_memory_resize(memory, NULL, 0, bytes);

    if (block != NULL && zero)
        memset(block, 0, bytes);
    return block;
}

#if defined(TARN_DEBUG)
/*
 * Always to another place, so that the old one can be poisoned (Z1). Where a block cannot shrink
 * for lack of memory, it may still where it is.
 */
static void *block_resize(struct tn_memory *memory, void *old, size_t old_bytes, size_t new_bytes)
{
    void *block = memory->allocate(memory->context, NULL, 0, new_bytes);

    if (old == NULL || (block == NULL && new_bytes > old_bytes))
        return block;
    if (block == NULL)
        return memory->allocate(memory->context, old, old_bytes, new_bytes);
    memcpy(block, old, tn_min(old_bytes, new_bytes));
    tn_poison(old, old_bytes);
    memory->allocate(memory->context, old, old_bytes, 0);
    return block;
}
#else
static void *block_resize(struct tn_memory *memory, void *old, size_t old_bytes, size_t new_bytes)
{
    return memory->allocate(memory->context, old, old_bytes, new_bytes);
}
#endif

void *tn_memory_resize(struct tn_memory *memory, void *old, size_t old_bytes, size_t new_bytes)
{
    void *block;

    tn_assert(new_bytes > 0);
    tn_assert((old == NULL) == (old_bytes == 0));
    if (new_bytes > old_bytes && !tn_memory_charge(memory, new_bytes - old_bytes))
        return NULL;
    block = block_resize(memory, old, old_bytes, new_bytes);
    if (block == NULL) {
        tn_memory_refuse(memory, false);
        if (new_bytes > old_bytes)
            tn_memory_discharge(memory, new_bytes - old_bytes);
        return NULL;
    }
    if (new_bytes < old_bytes)
        tn_memory_discharge(memory, old_bytes - new_bytes);
    return block;
}

void tn_memory_free(struct tn_memory *memory, void *block, size_t bytes)
{
    if (block == NULL)
        return;
    tn_memory_discharge(memory, bytes);
    tn_poison(block, bytes);
    memory->allocate(memory->context, block, bytes, 0);
}
