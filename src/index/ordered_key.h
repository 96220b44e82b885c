/*
 * ordered_key.h - keys as the ordered index meets them: a place, a length, a head
 *
 * The *head* of a key after a prefix of p bytes is its bytes p..p+7 as a big-endian number, padded
 * with zeros. Different heads order their keys; equal heads say nothing ("a" and "a\0" have the
 * same one), and then the whole keys are compared.
 */
#ifndef TN_ORDERED_KEY_H
#define TN_ORDERED_KEY_H

#include "heap/record.h"

#define TN_HEAD_BYTES ((size_t)8)

struct tn_key {
    const uint8_t *at;
    size_t bytes;
};

static inline struct tn_key tn_key_of(uint8_t *heap_base, tn_handle handle)
{
    struct tn_record *record = tn_record_at(heap_base, handle);

    return (struct tn_key){ tn_record_key(record), tn_record_key_bytes(record) };
}

/* The head after `prefix_bytes`, which the key has. */
static inline uint64_t tn_key_head_after(struct tn_key key, size_t prefix_bytes)
{
    return tn_key_head(key.at + prefix_bytes, key.bytes - prefix_bytes);
}

static inline int tn_key_order(struct tn_key a, struct tn_key b)
{
    return tn_key_compare(a.at, a.bytes, b.at, b.bytes);
}

/* 0 when the key starts with the first `prefix_bytes` of `other`, else how it sorts beside them. */
static inline int tn_key_order_prefix(struct tn_key key, struct tn_key other, size_t prefix_bytes)
{
    size_t bytes = tn_min(key.bytes, prefix_bytes);
    int order = bytes == 0 ? 0 : memcmp(key.at, other.at, bytes); /* no bytes may have no place */

    return order != 0 ? order : -(key.bytes < prefix_bytes);
}

/* How many bytes both start with. */
static inline size_t tn_key_shared(struct tn_key a, struct tn_key b)
{
    size_t end = tn_min(a.bytes, b.bytes);
    size_t shared = 0;

    while (end - shared >= 8) {
        uint64_t differing = tn_load_be64(a.at + shared) ^ tn_load_be64(b.at + shared);

        if (differing != 0)
            return shared + (unsigned)__builtin_clzll(differing) / 8;
        shared += 8;
    }
    while (shared < end && a.at[shared] == b.at[shared])
        shared++;
    return shared;
}

/*
 * A node keeps its heads in an array of 128, sorted, and filled up with TN_HEAD_NONE, at least one:
 * so a search takes the same steps whatever the number of heads, and no branch depends on a
 * comparison.
 */
#define TN_HEAD_NONE UINT64_MAX
#define TN_HEADS_COUNT 128u

/*
 * The heads at the ends of the first seven sixteens. The eighth ends with TN_HEAD_NONE or does not
 * matter.
 */
#define TN_HEAD_ENDS_COUNT 7u

/* How many of three heads, `step` apart, are below `head`. */
static inline unsigned tn_heads_below_of_3(const uint64_t *heads, size_t step, uint64_t head)
{
    return (unsigned)(heads[0] < head) + (heads[step] < head) + (heads[2 * step] < head);
}

/* How many of the seven ends, `step` apart, are below `head`. */
static inline unsigned tn_heads_below_of_7(const uint64_t *ends, size_t step, uint64_t head)
{
    return tn_heads_below_of_3(ends, step, head) +
           tn_heads_below_of_3(ends + 3 * step, step, head) + (ends[6 * step] < head);
}

/* Among the sixteen from `first` on, the last of which is not below `head`, the first that is not. */
static inline unsigned tn_heads_search_16(const uint64_t *heads, unsigned first, uint64_t head)
{
    first += 4 * tn_heads_below_of_3(heads + first + 3, 4, head);
    return first + tn_heads_below_of_3(heads + first, 1, head);
}

/*
 * The first head that is >= head: count the sixteens that end below it, then the fours, then the
 * heads. Loads of one count do not wait for each other, as those of a binary search do.
 */
static inline unsigned tn_heads_search(const uint64_t *heads, uint64_t head)
{
    return tn_heads_search_16(heads, 16 * tn_heads_below_of_7(heads + 15, 16, head), head);
}

static inline void tn_heads_clear(uint64_t *heads, unsigned first, unsigned end)
{
    for (; first < end; first++)
        heads[first] = TN_HEAD_NONE;
}

/* Have the heads fetched, all at once. */
static inline void tn_heads_prefetch(const uint64_t *heads)
{
    unsigned i;

    for (i = 0; i < TN_HEADS_COUNT; i += 8)
        __builtin_prefetch(heads + i);
}

/* The end of the run of heads equal to heads[first]. */
static inline unsigned tn_heads_run_end(const uint64_t *heads, unsigned count, unsigned first)
{
    unsigned end = first + 1;

    while (end < count && heads[end] == heads[first])
        end++;
    return end;
}

/* How many heads equal the one before. */
static inline unsigned tn_heads_ties(const uint64_t *heads, unsigned count)
{
    unsigned ties = 0, i;

    for (i = 1; i < count; i++)
        ties += heads[i - 1] == heads[i];
    return ties;
}

/* Enough ties that a longer prefix is worth reading keys for. */
static inline bool tn_heads_tie_often(const uint64_t *heads, unsigned count)
{
    return tn_heads_ties(heads, count) > count / 8;
}

#endif
