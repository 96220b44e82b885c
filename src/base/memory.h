/*
 * memory.h - the only place that allocates
 *
 * One function allocates, grows, shrinks and frees, and is told the old size, so that accounting is
 * exact and needs no headers of its own (the shape is Lua's lua_Alloc). A store owns one tn_memory;
 * every structure of that store allocates through it.
 *
 * Rules
 *   M1  counted_bytes is the sum of the sizes of all live blocks, plus what was charged.
 *   M2  Nothing is counted beyond limit_bytes, nor beyond the shared budget, if there is one: the
 *       call fails and nothing has changed. What is counted here is counted there, too.
 *   M3  Freeing and shrinking to zero never fail.
 *   M4  The last reserve_bytes below a limit are for what has to take some memory to give back
 *       more.
 */
#ifndef TN_MEMORY_H
#define TN_MEMORY_H

#include "base/base.h"
#include "base/budget.h"

/*
 * The allocator behind a store: new_bytes 0 frees, old NULL allocates, otherwise resizes. NULL is
 * 'no memory' (for new_bytes > 0), and then `old` is untouched.
 */
typedef void *tn_allocate_fn(void *context, void *old, size_t old_bytes, size_t new_bytes);

struct tn_memory {
    tn_allocate_fn *allocate;
    void *context;
    uint64_t limit_bytes;       /* UINT64_MAX: none */
    uint64_t counted_bytes;     /* M1 */
    uint64_t counted_bytes_max; /* high-water mark */
    uint64_t reserve_bytes;     /* M4 */
    bool reserve_is_open;       /* what is being done may use it */
    struct tn_budget *budget;   /* shared with others; NULL: none */
    uint64_t reserve_left;      /* of what is reserved for this one in the budget */
    bool limit_refused;         /* the last failure was M2 (a limit), not the system's */
    bool budget_refused;        /* ... and it was the budget's limit */
};

/* allocate NULL: the C library's. limit_bytes 0: none. No budget and no reserve: set them before
 * the first charge. */
void tn_memory_init(struct tn_memory *memory, tn_allocate_fn *allocate, void *context,
                    uint64_t limit_bytes);

/* Zero-filled when `zero`; aligned to 16. NULL when refused. */
void *tn_memory_new(struct tn_memory *memory, size_t bytes, bool zero);

/* As realloc, sizes told. NULL when refused, and `old` is still there. */
void *tn_memory_resize(struct tn_memory *memory, void *old, size_t old_bytes, size_t new_bytes);

/* NULL is allowed. */
void tn_memory_free(struct tn_memory *memory, void *block, size_t bytes);

/* Count bytes that came from somewhere else (mapped memory); false: over the limit, not counted. */
bool tn_memory_charge(struct tn_memory *memory, uint64_t bytes);
void tn_memory_discharge(struct tn_memory *memory, uint64_t bytes);

/* Memory is refused for another reason than bytes: by a limit of some kind, or by the system. */
static inline void tn_memory_refuse(struct tn_memory *memory, bool by_limit)
{
    memory->limit_refused = by_limit;
    memory->budget_refused = false;
}

#endif
