/*
 * ordered_pool.h - nodes and separators of one ordered index: taken, kept for later, given back
 *
 * What can fail (tn_pool_fill) comes before what must not (taking).
 *
 * Rules
 *   P1  bytes is the sum of all that came from memory and has not gone back: nodes in the tree,
 *       spare nodes, blocks of long separators, the spare block.
 *   P2  Taking never fails: what is taken was filled in before.
 *   P3  A failed fill leaves bytes as it was.
 *   P4  Spare blocks have room for the longest separator asked for so far, all of them.
 */
#ifndef TN_ORDERED_POOL_H
#define TN_ORDERED_POOL_H

#include "base/memory.h"
#include "index/ordered_inner.h"
#include "index/ordered_leaf.h"

struct tn_pool {
    struct tn_memory *memory;
    uint64_t bytes; /* P1 */
    unsigned leaf_count;
    unsigned inner_count;
    unsigned block_count;
    size_t text_bytes_max;             /* P4 */
    struct tn_leaf *leaves;            /* chained by next */
    struct tn_inner *inners;           /* chained by children[0] */
    struct tn_separator_block *blocks; /* chained by their first bytes */
};

/*
 * Have at least these spares, and for each spare leaf asked for a block for a separator of
 * text_bytes. False: no memory.
 */
bool tn_pool_fill(struct tn_pool *pool, unsigned leaf_count, unsigned inner_count,
                  size_t text_bytes);

/* Whether a fill would have nothing to do. */
static inline bool tn_pool_is_filled(const struct tn_pool *pool, unsigned leaf_count,
                                     unsigned inner_count, size_t text_bytes)
{
    return pool->leaf_count >= leaf_count && pool->inner_count >= inner_count &&
           (text_bytes <= TN_SEPARATOR_HERE_BYTES ||
            (pool->block_count >= leaf_count && pool->text_bytes_max >= text_bytes));
}

/* Free spare nodes beyond these numbers, and blocks beyond the number of leaves, but one. */
void tn_pool_trim(struct tn_pool *pool, unsigned leaf_count, unsigned inner_count);

/* Free all spares. */
void tn_pool_empty(struct tn_pool *pool);

/* The spare block behind this one. */
struct tn_separator_block *tn_pool_next_block(const struct tn_separator_block *block);

/* Nodes are not initialised. */
struct tn_leaf *tn_pool_take_leaf(struct tn_pool *pool);
struct tn_inner *tn_pool_take_inner(struct tn_pool *pool);
void tn_pool_give_leaf(struct tn_pool *pool, struct tn_leaf *leaf);
void tn_pool_give_inner(struct tn_pool *pool, struct tn_inner *inner);

/* The shortest bytes that are > left and <= right: right's, up to the first that differs. */
struct tn_separator tn_pool_make_separator(struct tn_pool *pool, struct tn_key left,
                                           struct tn_key right);
void tn_pool_free_separator(struct tn_pool *pool, struct tn_separator separator);

#endif
