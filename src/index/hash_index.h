/*
 * hash_index.h - from a key's hash to its record's handle
 *
 * Range addressing: the home bucket of an entry is (top 32 bits of the hash) x (bucket count) / 2^32,
 * so entries lie in the order of their hashes, whatever the count. A bucket is one cache line; one
 * that is full overflows into those behind it.
 *
 *     bucket     | f0 f1 f2 f3 f4 f5 f6 | over | e0 | e1 | e2 | e3 | e4 | e5 | e6 |     64 bytes
 *     f          fingerprint: the low 8 of the 32 hash bits
 *     e          40 bits of handle, then the high 24 of the 32 hash bits; 0: free
 *     over       entries whose probe passes beyond this bucket; a miss stops where it is 0
 *
 *     growing    |  count_below buckets' worth  : boundary :  count_above buckets' worth   |  slack |
 *                 hashes < boundary: old mapping            hashes >= boundary: new mapping
 *
 * Both mappings share one array. Growing by a quarter moves home buckets from the last to the first,
 * each to a place at or behind its own; shrinking moves them from the first to the last. Either is done
 * a few buckets per write, and needs no second array and no look at a record: an entry and its
 * fingerprint hold all 32 bits.
 *
 * Rules
 *   I1  An entry lies in its home bucket or at most INDEX_SLACK_BUCKETS behind it, and every bucket
 *       from home up to the one before it counts it in `over`. (255 stays 255.)
 *   I2  hash < boundary: home by count_below; else by count_above. At rest both are equal.
 *   I3  After tn_index_reserve, one tn_index_insert of that hash cannot fail.
 *   I4  The place found by tn_index_find or _reserve holds until the next insert, remove or upkeep.
 *   I5  version changes with everything that may move or end an entry's place.
 */
#ifndef TN_HASH_INDEX_H
#define TN_HASH_INDEX_H

#include "base/memory.h"
#include "heap/record.h"
#include "os/os.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#define TN_BUCKET_SLOTS 7u
#define TN_BUCKET_WORDS 8u
#define INDEX_SLACK_BUCKETS 63u
/* Entries that one home bucket can have, by I1. */
#define TN_HOME_ENTRIES_MAX ((INDEX_SLACK_BUCKETS + 1) * TN_BUCKET_SLOTS)

struct tn_index {
    uint64_t *buckets;
    uint64_t boundary; /* of the top 32 bits of a hash; 0 .. 2^32 */
    uint32_t count_below;
    uint32_t count_above;
    uint64_t entry_count;
    uint64_t grow_at;   /* entries at which to start growing */
    uint64_t shrink_at; /* entries at which to start shrinking */
    uint64_t version;   /* I5 */
    uint64_t cursor;    /* while moving: home buckets of the old mapping before this are (shrinking)
                           or are not yet (growing) moved */
    size_t slack;       /* buckets behind the last home */
    size_t bytes;       /* allocated, or committed when reserved_bytes > 0 */
    size_t reserved_bytes; /* > 0: the array is mapped pages */
    const struct tn_os *os;
    struct tn_memory *memory;
};

/* Where in the index an entry is, or can go. */
struct tn_index_place {
    uint64_t *bucket;
    uint32_t slot;
};

/* An entry as an iterator sees it. */
struct tn_index_entry {
    tn_handle handle;
    uint32_t hash32;
};

static inline uint32_t tn_hash32(uint64_t hash)
{
    return (uint32_t)(hash >> 32);
}

/* ---- look-up: inline, since each instruction counts here ------------------------------------------ */

static inline uint64_t *tn_index_home(const struct tn_index *index, uint32_t hash32)
{
    uint64_t count = hash32 < index->boundary ? index->count_below : index->count_above; /* I2 */

    return index->buckets + (hash32 * count >> 32) * TN_BUCKET_WORDS;
}

static inline void tn_index_prefetch(const struct tn_index *index, uint64_t hash)
{
    __builtin_prefetch(tn_index_home(index, tn_hash32(hash)));
}

/* A bit for each slot whose fingerprint is `print`; the portable form may set a few too many. */
static inline uint32_t index_match(uint64_t meta, uint8_t print)
{
#if defined(__SSE2__)
    __m128i prints = _mm_cvtsi64_si128((long long)meta);
    __m128i wanted = _mm_set1_epi8((char)print);

    return (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(prints, wanted)) & 0x7Fu;
#else
    uint64_t difference = meta ^ print * UINT64_C(0x0101010101010101);
    uint64_t zeros =
        (difference - UINT64_C(0x0101010101010101)) & ~difference & UINT64_C(0x0080808080808080);

    /* Gather the top bits of the 7 low bytes. */
    return (uint32_t)((zeros >> 7) * UINT64_C(0x0001020408102040) >> 48 & 0x7Fu);
#endif
}

static inline tn_handle index_entry_handle(uint64_t entry)
{
    return entry >> 24;
}

static inline uint64_t index_entry(uint32_t hash32, tn_handle handle)
{
    return handle << 24 | hash32 >> 8;
}

static inline bool index_entry_has_hash(uint64_t entry, uint32_t hash32)
{
    return ((entry ^ hash32 >> 8) & 0xFFFFFFu) == 0 && entry >> 24 != 0;
}

/* The handle of the key, and its place; TN_HANDLE_NONE: absent, and the place is not set. */
static inline tn_handle tn_index_find(const struct tn_index *index, uint8_t *base, uint64_t hash,
                                      const void *key, size_t key_bytes,
                                      struct tn_index_place *place)
{
    uint32_t hash32 = tn_hash32(hash);
    uint64_t *bucket = tn_index_home(index, hash32);

    for (;;) {
        uint64_t meta = bucket[0];
        uint32_t match = index_match(meta, (uint8_t)hash32);

        for (; match != 0; match &= match - 1) {
            uint32_t slot = (uint32_t)__builtin_ctz(match);
            uint64_t entry = bucket[1 + slot];

            if (TN_LIKELY(index_entry_has_hash(entry, hash32)) &&
                TN_LIKELY(tn_record_has_key(tn_record_at(base, index_entry_handle(entry)), key,
                                            key_bytes))) {
                *place = (struct tn_index_place){ bucket, slot };
                return index_entry_handle(entry);
            }
        }
        if (TN_LIKELY(meta >> 56 == 0))
            return TN_HANDLE_NONE;
        bucket += TN_BUCKET_WORDS;
    }
}

/* The first handle whose 32 hash bits agree, without reading records; a guess worth prefetching. */
static inline tn_handle tn_index_guess(const struct tn_index *index, uint64_t hash)
{
    uint32_t hash32 = tn_hash32(hash);
    const uint64_t *bucket = tn_index_home(index, hash32);

    for (;;) {
        uint32_t match = index_match(bucket[0], (uint8_t)hash32);

        for (; match != 0; match &= match - 1) {
            uint64_t entry = bucket[1 + (uint32_t)__builtin_ctz(match)];

            if (index_entry_has_hash(entry, hash32))
                return index_entry_handle(entry);
        }
        if (bucket[0] >> 56 == 0)
            return TN_HANDLE_NONE;
        bucket += TN_BUCKET_WORDS;
    }
}

/* ---- changes ---------------------------------------------------------------------------------------- */

/* An empty index. false: no memory. */
bool tn_index_open(struct tn_index *index, const struct tn_os *os, struct tn_memory *memory);

/* Free about *budget_bytes of an index no longer used, less what was spent. true: all is freed. */
bool tn_index_free_step(struct tn_index *index, uint64_t *budget_bytes);

/* Where an entry of this hash can go (I3). false: refused, nothing changed. */
bool tn_index_reserve(struct tn_index *index, uint64_t hash, struct tn_index_place *place);

void tn_index_insert(struct tn_index *index, struct tn_index_place place, uint64_t hash,
                     tn_handle handle);

void tn_index_remove(struct tn_index *index, struct tn_index_place place, uint64_t hash);

/* The record at this place has moved. */
void tn_index_set_handle(struct tn_index *index, struct tn_index_place place, tn_handle handle);

/* Pay a share of growing or shrinking: move up to `buckets` home buckets. true: there is more. */
bool tn_index_upkeep(struct tn_index *index, unsigned buckets);

static inline bool tn_index_is_moving(const struct tn_index *index)
{
    return index->count_below != index->count_above;
}

/* ---- walking ----------------------------------------------------------------------------------------- */

#define TN_GATHER_ENTRIES 16u
#define TN_GATHER_ROOM (TN_HOME_ENTRIES_MAX + TN_GATHER_ENTRIES)

/*
 * Collect entries with 32 hash bits >= *position, ascending by home bucket, whole home buckets at a
 * time, until there are TN_GATHER_ENTRIES. *position moves behind them; 2^32 is the end. `out` has
 * TN_GATHER_ROOM places; within a home bucket the order is by hash. Answers how many.
 */
size_t tn_index_gather(const struct tn_index *index, uint64_t *position,
                       struct tn_index_entry *out);

/* I1, I2 and the counts, slowly; for tests. */
bool tn_index_check(const struct tn_index *index);

#endif
