/*
 * ordered_leaf_parts.h - what the files of a leaf share: entries moved, leaves chained, buckets of
 * heads
 *
 *     ordered_leaf.c        searching, prefixes, inserting, removing; splitting and merging
 *     ordered_leaf_tail.c   holes closed, the tail sorted in
 *     ordered_leaf_part.c   parting a leaf that is not sorted, and its edge
 *
 * Buckets tell where heads lie without comparing them with each other:
 *
 *     least                                       greatest
 *     |  bucket 0  |  bucket 1  |  bucket 2  | ... |       each 1 << shift wide
 *
 * Of no use outside of these files; the rules are those of ordered_leaf.h.
 */
#ifndef TN_ORDERED_LEAF_PARTS_H
#define TN_ORDERED_LEAF_PARTS_H

#include "index/ordered_leaf.h"

/* ---- entries --------------------------------------------------------------------------------- */

/* Copy `count` entries between leaves, or within one. */
static inline void tn_leaf_copy(struct tn_leaf *to, unsigned to_slot, const struct tn_leaf *from,
                                unsigned from_slot, size_t count)
{
    memmove(to->heads + to_slot, from->heads + from_slot, count * sizeof *to->heads);
    memmove(to->handle_lows + to_slot, from->handle_lows + from_slot,
            count * sizeof *to->handle_lows);
    memmove(to->handle_highs + to_slot, from->handle_highs + from_slot,
            count * sizeof *to->handle_highs);
}

/* Write an entry to a slot. */
static inline void tn_leaf_put(struct tn_leaf *leaf, unsigned slot, uint64_t head, tn_handle handle)
{
    leaf->heads[slot] = head;
    tn_leaf_set_handle(leaf, slot, handle);
}

/* `right`, uninitialised but for its entries, comes behind `left` in the chain. */
static inline void tn_leaf_chain(struct tn_leaf *left, struct tn_leaf *right)
{
    right->previous = left;
    right->next = left->next;
    if (right->next != NULL)
        right->next->previous = right;
    left->next = right;
}

/* ---- buckets --------------------------------------------------------------------------------- */

/* Buckets between the least head and the greatest, so that heads ascend with their buckets. */
#define TN_BUCKET_COUNT 128u
#define TN_BUCKET_BITS 7u

struct tn_buckets {
    uint64_t least;
    unsigned shift;
};

static inline struct tn_buckets tn_buckets_between(uint64_t least, uint64_t greatest)
{
    unsigned bits = least == greatest ? 0 : tn_log2(greatest - least) + 1;

    return (struct tn_buckets){ least, bits > TN_BUCKET_BITS ? bits - TN_BUCKET_BITS : 0 };
}

static inline unsigned tn_bucket_of(struct tn_buckets buckets, uint64_t head)
{
    return (unsigned)((head - buckets.least) >> buckets.shift);
}

#endif
