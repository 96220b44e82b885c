/*
 * ordered_leaf_part.c - a leaf is parted, or its edge found, without sorting; see ordered_leaf.h
 * (L1)
 *
 *                     sorted      | tail              pivot = g
 *     left            b   f   k   | m   c   x   e
 *
 *     left            b   f       | c   e             what is below the pivot
 *     right           k           | m   x             what is not
 *
 * A full leaf whose keys came in no order makes room this way: sorting its tail first would cost
 * more, and the next keys would only make another. Counting heads in buckets finds a pivot near the
 * middle. Entries of equal heads stay together, so parting reads no record; an edge reads those
 * whose heads tie for it.
 */
#include "index/ordered_leaf_parts.h"

static struct tn_buckets leaf_buckets(const struct tn_leaf *leaf)
{
    uint64_t least = leaf->heads[0], greatest = least;
    unsigned i;

    for (i = 1; i < leaf->count; i++) {
        least = leaf->heads[i] < least ? leaf->heads[i] : least;
        greatest = leaf->heads[i] > greatest ? leaf->heads[i] : greatest;
    }
    return tn_buckets_between(least, greatest);
}

/* A head with a third of the entries, at least, below it and not below it. 0: not found. */
static uint64_t leaf_pivot(const struct tn_leaf *leaf)
{
    struct tn_buckets buckets = leaf_buckets(leaf);
    uint8_t counts[TN_BUCKET_COUNT] = { 0 };
    unsigned below = 0, i;

    for (i = 0; i < leaf->count; i++)
        counts[tn_bucket_of(buckets, leaf->heads[i])]++;
    for (i = 0; i < TN_BUCKET_COUNT && below + counts[i] / 2u < leaf->count / 2u; i++)
        below += counts[i];
    if (below < leaf->count / 3u || below > leaf->count - leaf->count / 3u || i == TN_BUCKET_COUNT)
        return 0;
    return buckets.least + ((uint64_t)i << buckets.shift);
}

/* Whether the tail came in order, one way or the other: then it tells where the next keys go. */
static bool leaf_tail_is_a_row(const struct tn_leaf *leaf)
{
    unsigned first = leaf->sorted_count, i;
    bool ascend;

    if (leaf->count - first < 2)
        return true;
    ascend = leaf->heads[first] < leaf->heads[first + 1];
    for (i = first + 1; i < leaf->count; i++) {
        if ((leaf->heads[i - 1] < leaf->heads[i]) != ascend)
            return false;
    }
    return true;
}

/*
 * Move the entries from `first` on whose heads are not below `pivot`; the others close up, from
 * `to` on.
 */
static void leaf_part_tail(struct tn_leaf *left, struct tn_leaf *right, unsigned first, unsigned to,
                           uint64_t pivot)
{
    unsigned right_to = right->count, i;

    for (i = first; i < left->count; i++) {
        uint64_t head = left->heads[i];
        uint32_t low = left->handle_lows[i];
        uint8_t high = left->handle_highs[i];

        right->heads[right_to] = left->heads[to] = head;
        right->handle_lows[right_to] = left->handle_lows[to] = low;
        right->handle_highs[right_to] = left->handle_highs[to] = high;
        right_to += head >= pivot;
        to += head < pivot;
    }
    tn_heads_clear(left->heads, to, left->count);
    tn_heads_clear(right->heads, right_to, TN_HEADS_COUNT);
    left->count = (uint16_t)to;
    right->count = (uint16_t)right_to;
}

bool tn_leaf_part(struct tn_leaf *left, struct tn_leaf *right)
{
    unsigned sorted_count = left->sorted_count, cut;
    uint64_t pivot;

    tn_assert(left->hole_count == 0);
    if (leaf_tail_is_a_row(left))
        return false;
    pivot = leaf_pivot(left);
    if (pivot == 0)
        return false;
    for (cut = 0; cut < sorted_count && left->heads[cut] < pivot; cut++)
        continue;
    tn_leaf_copy(right, 0, left, cut, sorted_count - cut);
    right->count = right->sorted_count = (uint16_t)(sorted_count - cut);
    left->sorted_count = (uint16_t)cut;
    leaf_part_tail(left, right, sorted_count, cut, pivot);
    right->hole_count = 0;
    right->prefix_bytes = left->prefix_bytes;
    left->last_slot = left->ascending_count = 0;
    right->last_slot = right->ascending_count = 0;
    tn_leaf_chain(left, right);
    return true;
}

unsigned tn_leaf_edge(const struct tn_leaf *leaf, uint8_t *heap_base, bool greatest)
{
    unsigned edge = 0, i;

    tn_assert(leaf->hole_count == 0);
    if (leaf->sorted_count == leaf->count)
        return greatest ? leaf->count - 1u : 0;
    for (i = 1; i < leaf->count; i++) {
        uint64_t head = leaf->heads[i], edge_head = leaf->heads[edge];
        bool further = greatest ? head > edge_head : head < edge_head;

        if (TN_UNLIKELY(head == edge_head))
            further =
                (tn_key_order(tn_key_of(heap_base, tn_leaf_handle(leaf, i)),
                              tn_key_of(heap_base, tn_leaf_handle(leaf, edge))) > 0) == greatest;
        edge = further ? i : edge;
    }
    return edge;
}
