/*
 * ordered_leaf.c - a leaf of the ordered index; see ordered_leaf.h for the rules
 *
 * Sorting the tail in is ordered_leaf_tail.c's, parting without sorting ordered_leaf_part.c's.
 */
#include "index/ordered_leaf_parts.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

void tn_leaf_init(struct tn_leaf *leaf)
{
    leaf->count = leaf->sorted_count = leaf->hole_count = leaf->prefix_bytes = 0;
    leaf->last_slot = leaf->ascending_count = 0;
    leaf->previous = leaf->next = NULL;
    tn_heads_clear(leaf->heads, 0, TN_HEADS_COUNT);
}

/* A key that is there, whichever: it has the prefix (L2). The leaf is not empty. */
static struct tn_key leaf_owner(const struct tn_leaf *leaf, uint8_t *heap_base)
{
    unsigned slot = 0;

    while (tn_leaf_handle(leaf, slot) == TN_HANDLE_NONE)
        slot++;
    tn_assert(slot < leaf->count);
    return tn_key_of(heap_base, tn_leaf_handle(leaf, slot));
}

/* ---- searching ------------------------------------------------------------------------------- */

/* Among slots first..end-1, whose heads equal the key's: as tn_leaf_search. */
static unsigned leaf_search_records(const struct tn_leaf *leaf, uint8_t *heap_base,
                                    struct tn_key key, unsigned first, unsigned end, bool after)
{
    while (first < end) {
        unsigned middle = (first + end) / 2;
        int order = tn_key_order(tn_key_of(heap_base, tn_leaf_handle(leaf, middle)), key);

        if (order < (after ? 1 : 0))
            first = middle + 1;
        else
            end = middle;
    }
    return first;
}

unsigned tn_leaf_search(const struct tn_leaf *leaf, uint8_t *heap_base, struct tn_key key,
                        size_t known_bytes, bool after)
{
    unsigned first;
    uint64_t head;

    if (leaf->prefix_bytes > known_bytes) {
        struct tn_key owner = tn_key_of(heap_base, tn_leaf_handle(leaf, 0)); /* L2 */
        int order = tn_key_order_prefix(key, owner, leaf->prefix_bytes);

        if (order != 0)
            return order < 0 ? 0 : leaf->count;
    }
    head = tn_key_head_after(key, leaf->prefix_bytes);
    first = tn_heads_search(leaf->heads, head);
    if (first == leaf->count || leaf->heads[first] != head)
        return first;
    return leaf_search_records(leaf, heap_base, key, first,
                               tn_heads_run_end(leaf->heads, leaf->count, first), after);
}

#define HIGHS_COUNT 16u

/* Which of the sixteen high bytes from `slot` on equal `high`: a bit each. */
static uint64_t leaf_match_highs(const struct tn_leaf *leaf, unsigned slot, uint8_t high)
{
#if defined(__SSE2__)
    __m128i highs = _mm_loadu_si128((const __m128i *)(const void *)(leaf->handle_highs + slot));

    return (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(highs, _mm_set1_epi8((char)high)));
#else
    uint64_t matches = 0;
    unsigned i;

    for (i = 0; i < HIGHS_COUNT; i++)
        matches |= (uint64_t)(leaf->handle_highs[slot + i] == high) << i;
    return matches;
#endif
}

/* The same of sixty-four. All are looked at: how far to go would be a branch that nobody foretells. */
static uint64_t leaf_match_highs_64(const struct tn_leaf *leaf, unsigned slot, uint8_t high)
{
    return leaf_match_highs(leaf, slot, high) |
           leaf_match_highs(leaf, slot + HIGHS_COUNT, high) << HIGHS_COUNT |
           leaf_match_highs(leaf, slot + 2 * HIGHS_COUNT, high) << (2 * HIGHS_COUNT) |
           leaf_match_highs(leaf, slot + 3 * HIGHS_COUNT, high) << (3 * HIGHS_COUNT);
}

unsigned tn_leaf_find(const struct tn_leaf *leaf, tn_handle handle)
{
    uint64_t stored = handle * TN_HANDLE_SCRAMBLE;
    unsigned first, slot;
    uint64_t matches;

    for (first = 0; first < TN_HEADS_COUNT; first += 64) {
        matches = leaf_match_highs_64(leaf, first, (uint8_t)(stored >> 32));
        for (; matches != 0; matches &= matches - 1) {
            slot = first + (unsigned)__builtin_ctzll(matches);
            if (slot < leaf->count && leaf->handle_lows[slot] == (uint32_t)stored)
                return slot;
        }
    }
    tn_unreachable();
}

/* ---- prefixes -------------------------------------------------------------------------------- */

/* Shorten the prefix to its first `prefix_bytes`; `owner` is a key that has all of it. L4 */
static void leaf_shorten_prefix(struct tn_leaf *leaf, struct tn_key owner, size_t prefix_bytes)
{
    size_t dropped_bytes = leaf->prefix_bytes - prefix_bytes;
    uint64_t dropped = tn_key_head(owner.at + prefix_bytes, tn_min(dropped_bytes, TN_HEAD_BYTES));
    unsigned i;

    if (dropped_bytes == 0)
        return;
    for (i = 0; i < leaf->count; i++) {
        uint64_t kept = dropped_bytes < TN_HEAD_BYTES ? leaf->heads[i] >> (8 * dropped_bytes) : 0;

        leaf->heads[i] = dropped | kept;
    }
    leaf->prefix_bytes = (uint16_t)prefix_bytes;
}

/* Take the longest prefix when that is worth its reads. L4 */
static void leaf_lengthen_prefix(struct tn_leaf *leaf, uint8_t *heap_base)
{
    struct tn_key first, last;
    size_t prefix_bytes;
    unsigned i;

    if (!tn_heads_tie_often(leaf->heads, leaf->count))
        return;
    first = tn_key_of(heap_base, tn_leaf_handle(leaf, 0));
    last = tn_key_of(heap_base, tn_leaf_handle(leaf, leaf->count - 1u));
    prefix_bytes = tn_key_shared(first, last);
    if (prefix_bytes <= leaf->prefix_bytes)
        return;
    for (i = 0; i < leaf->count; i++)
        __builtin_prefetch(tn_record_at(heap_base, tn_leaf_handle(leaf, i)));
    for (i = 0; i < leaf->count; i++) {
        struct tn_key key = tn_key_of(heap_base, tn_leaf_handle(leaf, i));

        leaf->heads[i] = tn_key_head_after(key, prefix_bytes);
    }
    leaf->prefix_bytes = (uint16_t)prefix_bytes;
}

/* ---- changing -------------------------------------------------------------------------------- */

void tn_leaf_insert(struct tn_leaf *leaf, uint8_t *heap_base, struct tn_key key, size_t known_bytes,
                    tn_handle handle)
{
    unsigned slot;
    uint64_t head;

    tn_assert(leaf->count <= TN_ORDERED_LEAF_SLOTS);
    if (leaf->prefix_bytes > known_bytes) {
        struct tn_key owner = leaf_owner(leaf, heap_base);
        size_t shared_bytes = tn_key_shared(key, owner);

        leaf_shorten_prefix(leaf, owner, tn_min(shared_bytes, leaf->prefix_bytes));
    }
    slot = leaf->count;
    head = tn_key_head_after(key, leaf->prefix_bytes);
    if (slot == leaf->sorted_count && (slot == 0 || head > leaf->heads[slot - 1])) {
        tn_leaf_append(leaf, head, handle); /* it came in order: no tail */
        return;
    }
    tn_leaf_put(leaf, slot, head, handle);
    leaf->count++;
}

void tn_leaf_remove(struct tn_leaf *leaf, unsigned slot)
{
    tn_leaf_set_handle(leaf, slot, TN_HANDLE_NONE);
    leaf->hole_count++;
    if (leaf->hole_count < leaf->count)
        return;
    tn_heads_clear(leaf->heads, 0, leaf->count);
    leaf->count = leaf->sorted_count = leaf->hole_count = 0;
    leaf->prefix_bytes = 0; /* L2: no record is left to tell it */
}

/* ---- splitting and merging, tidy ------------------------------------------------------------- */

void tn_leaf_split(struct tn_leaf *left, struct tn_leaf *right, unsigned cut, uint8_t *heap_base)
{
    tn_assert(left->sorted_count == left->count && left->hole_count == 0);
    right->count = (uint16_t)(left->count - cut);
    right->hole_count = 0;
    right->sorted_count = right->count;
    right->prefix_bytes = left->prefix_bytes;
    right->last_slot = left->last_slot >= cut ? (uint16_t)(left->last_slot - cut) : 0;
    right->ascending_count = left->ascending_count;
    tn_leaf_copy(right, 0, left, cut, right->count);
    tn_heads_clear(right->heads, right->count, TN_HEADS_COUNT);
    tn_heads_clear(left->heads, cut, left->count);
    left->count = left->sorted_count = (uint16_t)cut;
    tn_leaf_chain(left, right);
    leaf_lengthen_prefix(left, heap_base);
    leaf_lengthen_prefix(right, heap_base);
}

void tn_leaf_merge(struct tn_leaf *left, struct tn_leaf *right, uint8_t *heap_base)
{
    tn_leaf_close_holes(left);
    tn_leaf_close_holes(right);
    tn_assert(left->count + right->count <= TN_ORDERED_LEAF_SLOTS);
    if (left->count == 0) {
        left->prefix_bytes = right->prefix_bytes;
    } else if (right->count != 0) {
        struct tn_key a = tn_key_of(heap_base, tn_leaf_handle(left, 0));
        struct tn_key b = tn_key_of(heap_base, tn_leaf_handle(right, 0));
        size_t prefix_bytes = tn_min(left->prefix_bytes, right->prefix_bytes);

        if (prefix_bytes > 0)
            prefix_bytes = tn_min(prefix_bytes, tn_key_shared(a, b));
        leaf_shorten_prefix(left, a, prefix_bytes);
        leaf_shorten_prefix(right, b, prefix_bytes);
    }
    tn_leaf_copy(left, left->count, right, 0, right->count);
    if (left->sorted_count == left->count)
        left->sorted_count = (uint16_t)(left->count + right->sorted_count);
    left->count = (uint16_t)(left->count + right->count);
    left->ascending_count = 0;
    left->next = right->next;
    if (left->next != NULL)
        left->next->previous = left;
    if (left->sorted_count == left->count)
        leaf_lengthen_prefix(left, heap_base);
}
