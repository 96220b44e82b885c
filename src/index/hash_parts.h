/*
 * hash_parts.h - what the files of the hash index share; hash_index.h has the picture and the rules
 *
 *     hash_index.c  inserting's slow ways, growing, shrinking    hash_walk.c   walks
 *     hash_move.c   a few buckets a write, in place               hash_check.c  the rules, slowly
 *     hash_array.c  the memory below
 *
 * Only they include this.
 */
#ifndef TN_HASH_PARTS_H
#define TN_HASH_PARTS_H

#include "index/hash_index.h"

/* An index of up to so many homes is one allocated block, and is built anew to grow or shrink. */
#define TN_SMALL_BUCKETS_MAX 256u
#define TN_BUCKET_COUNT_MAX ((uint64_t)1 << 29)
/* An insert may go no further than this behind its home, so that moving always finds room. */
#define TN_INSERT_SLACK(slack) ((slack) - (slack) / 8)

/* ---- buckets --------------------------------------------------------------------------------- */

TN_ALWAYS_INLINE uint64_t index_home_of(uint32_t hash31, uint64_t count)
{
    return hash31 * count >> 31;
}

/* The smallest 31 hash bits whose home is `bucket`: ceil(bucket * 2^31 / count). */
static inline uint64_t index_first_hash(uint64_t bucket, uint64_t count)
{
    return ((bucket << 31) + count - 1) / count;
}

TN_ALWAYS_INLINE uint32_t bucket_print(const uint64_t *bucket, size_t slot)
{
    return ((const uint8_t *)bucket)[TN_BIG_ENDIAN ? 7 - slot : slot];
}

TN_ALWAYS_INLINE uint32_t index_entry_hash31(const uint64_t *bucket, size_t slot)
{
    uint32_t high = (uint32_t)(bucket + slot)[1] << 7;

    return (high + bucket_print(bucket, slot) - INDEX_TAKEN) & UINT32_C(0x7FFFFFFF);
}

static inline unsigned bucket_over(const uint64_t *bucket)
{
    return (unsigned)(bucket[0] >> 56);
}

static inline bool bucket_has(const uint64_t *bucket, uint32_t slot)
{
    return (bucket[0] >> (8 * slot) & INDEX_TAKEN) != 0;
}

/* The first free place at or behind home, `reach` buckets at most. */
TN_ALWAYS_INLINE bool index_free_place(uint64_t *home, size_t reach, struct tn_index_place *place)
{
    uint64_t *bucket = home;

    for (; bucket <= home + reach * TN_BUCKET_WORDS; bucket += TN_BUCKET_WORDS) {
        uint32_t taken = index_taken(bucket[0]);

        if (TN_LIKELY(taken != 0x7F)) {
            *place = (struct tn_index_place){ bucket, (uint32_t)__builtin_ctz(~taken) };
            return true;
        }
    }
    return false;
}

/* Into the first free slot from home on. false: it would be further than `reach` buckets behind. */
TN_ALWAYS_INLINE bool index_entry_place(uint64_t *home, uint32_t hash31, uint64_t entry,
                                        size_t reach)
{
    uint32_t taken = index_taken(home[0]);
    struct tn_index_place place = { home, (uint32_t)__builtin_ctz(~taken) };

    if (TN_UNLIKELY(taken == 0x7F)) {
        if (!index_free_place(home, reach, &place))
            return false;
        tn_index_over_add(home, place.bucket);
    }
    place.bucket[0] |= (uint64_t)index_print(hash31) << (8 * place.slot);
    place.bucket[1 + place.slot] = entry;
    return true;
}

/* ---- the array: hash_array.c ----------------------------------------------------------------- */

/* Of so many homes, and the slack behind them. */
size_t tn_index_array_bytes(uint64_t count);

/*
 * An empty index of `count` homes in a new array; the old array, if any, is forgotten. false: no
 * memory.
 */
bool tn_index_array_new(struct tn_index *index, uint64_t count);

/* Have at least so many bytes of a mapped array committed. false: refused. */
bool tn_index_array_commit(struct tn_index *index, size_t bytes);

/* Give back what is mapped beyond so many bytes. */
void tn_index_array_decommit(struct tn_index *index, size_t keep_bytes);

void tn_index_array_release(struct tn_index *index);

/* When to grow and when to shrink, by the number of buckets. */
void tn_index_set_limits(struct tn_index *index);

/* ---- growing and shrinking: hash_index.c ----------------------------------------------------- */

/* Start shrinking by a half. Shrinking is a courtesy: what is refused is tried again later. */
void tn_index_shrink(struct tn_index *index);

#endif
