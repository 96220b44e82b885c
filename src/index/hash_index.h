/*
 * hash_index.h - from a key's hash to its record's handle
 *
 * Range addressing: the home bucket of an entry is (top 31 bits of the hash) x (bucket count) /
 * 2^31, so entries lie in the order of their hashes, whatever the count. A bucket is one cache
 * line; one that is full overflows into those behind it.
 *
 *     bucket     | f0 f1 f2 f3 f4 f5 f6 | over | e0 | e1 | e2 | e3 | e4 | e5 | e6 |     64 bytes
 *     f          1 bit: taken; 7 bits of fingerprint: the low ones of the 31 hash bits
 *     e          40 bits of handle, then the high 24 of the 31 hash bits
 *     over       entries whose probe passes beyond this bucket; a miss stops where it is 0
 *
 *     moving     |   counts[0] buckets' worth   : boundary :   counts[1] buckets' worth    |  slack |
 *                   growing: old mapping       <--         new mapping
 *                   shrinking: new mapping     -->         old mapping
 *
 * Both mappings share one array; the one below the boundary has fewer buckets. Growing by a third
 * moves home buckets from the last to the first, each to a place at or behind its own; shrinking by
 * a half moves them from the first to the last. Either is done a few buckets per write, and
 * needs no second array and no look at a record: an entry and its fingerprint hold all 31 bits.
 *
 * Rules
 *   I1  An entry lies in its home bucket or at most INDEX_SLACK_BUCKETS behind it, and every bucket
 *       from home up to the one before it counts it in `over`. (255 stays 255.)
 *   I2  hash < boundary: home by counts[0]; else by counts[1]. At rest both are equal.
 *   I3  After tn_index_reserve, one tn_index_insert of that hash cannot fail.
 *   I4  The place found by tn_index_find or _reserve holds until the next insert, remove or upkeep.
 *   I5  version changes with everything that may move or end an entry's place.
 *   I6  Entries may be dense in one part and few in the rest: a scan that deletes as it goes
 *       empties the array from one end. Where moving finds no place for what is dense, it stalls,
 *       with both mappings valid as at any time, until entries have left; an index that must grow
 *       then is built anew.
 *   I7  An index grows by a third. One that takes the place of another, whose table was cleared,
 *       grows by doubling to as many buckets as that had: so it moves each entry once, not three
 *       times. While it is small it has at once what it will have by that; until it shrinks.
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
    uint64_t boundary;  /* of the top 31 bits of a hash; 0 .. 2^31 */
    uint32_t counts[2]; /* buckets of the mapping below the boundary, and of the one above (I2) */
    uint64_t entry_count;
    uint64_t grow_at;   /* entries at which to start growing */
    uint64_t shrink_at; /* entries at which to start shrinking */
    uint64_t version;   /* I5 */
    uint64_t cursor; /* while moving: the home bucket, of the old mapping, that moves next is this
                           one (shrinking) or the one before it (growing) */
    size_t slack;    /* buckets behind the last home */
    size_t bytes;    /* allocated, or committed when reserved_bytes > 0 */
    size_t reserved_bytes; /* > 0: the array is mapped pages */
    const struct tn_os *os;
    struct tn_memory *memory;
    bool growing;          /* which way the boundary moves: down, or up */
    bool stalled;          /* while moving: not to go on before there are fewer entries (I6) */
    uint32_t count_before; /* buckets that an index had in whose place this one is (I7) */
    uint64_t resume_at;
    /*
     * So many entries may come in the order of their hashes, which fills one end first: the array
     * may be as large as those will need, though few of them are there yet. 0: entries come in any
     * order.
     */
    uint64_t sorted_max;
};

/* Where in the index an entry is, or can go. */
struct tn_index_place {
    uint64_t *bucket;
    uint32_t slot;
};

#define TN_HASH31_END ((uint64_t)1 << 31)

/* The bits of a hash that the index keeps. */
static inline uint32_t tn_hash31(uint64_t hash)
{
    return (uint32_t)(hash >> 33);
}

/* ---- look-up: inline, since each instruction counts here ------------------------------------- */

static inline bool tn_index_is_moving(const struct tn_index *index)
{
    return index->counts[0] != index->counts[1];
}

TN_ALWAYS_INLINE uint64_t *index_bucket(const struct tn_index *index, uint32_t hash31,
                                        uint64_t count)
{
    /* hash31 x count / 2^31, and x 64 bytes */
    return (uint64_t *)(void *)((uint8_t *)index->buckets + (hash31 * count >> 25 & ~UINT64_C(63)));
}

/* I2; a load and no branch, since while moving it could not be predicted. */
TN_ALWAYS_INLINE uint64_t *tn_index_home(const struct tn_index *index, uint32_t hash31)
{
    return index_bucket(index, hash31, index->counts[hash31 >= index->boundary]);
}

/* Answers the home bucket, on its way into the cache: for tn_index_guess_at. */
TN_ALWAYS_INLINE const uint64_t *tn_index_prefetch(const struct tn_index *index, uint64_t hash)
{
    const uint64_t *bucket = tn_index_home(index, tn_hash31(hash));

    __builtin_prefetch(bucket);
    return bucket;
}

#define INDEX_TAKEN 0x80u

TN_ALWAYS_INLINE uint8_t index_print(uint32_t hash31)
{
    return (uint8_t)(hash31 | INDEX_TAKEN);
}

/* The top bits of the 7 low bytes of a word, as 7 bits. */
TN_ALWAYS_INLINE uint32_t index_top_bits(uint64_t word)
{
    return (uint32_t)((word >> 7 & UINT64_C(0x0001010101010101)) * UINT64_C(0x0001020408102040) >>
                          48 &
                      0x7Fu);
}

/* The portable form of index_match; it may set a few bits too many, which the entry then refutes. */
static inline uint32_t index_match_portable(uint64_t meta, uint8_t print)
{
    uint64_t difference = meta ^ print * UINT64_C(0x0101010101010101);

    return index_top_bits((difference - UINT64_C(0x0101010101010101)) & ~difference);
}

/* A bit for each slot whose fingerprint is `print`. */
TN_ALWAYS_INLINE uint32_t index_match(uint64_t meta, uint8_t print)
{
#if defined(__SSE2__)
    __m128i prints = _mm_cvtsi64_si128((long long)meta);
    /* A multiplication spreads a byte over the word in fewer instructions than SSE2 shuffles do. */
    uint64_t spread = print * UINT64_C(0x0101010101010101);
    __m128i wanted = _mm_cvtsi64_si128((long long)spread);

    return (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(prints, wanted)) & 0x7Fu;
#else
    return index_match_portable(meta, print);
#endif
}

/* A bit for each slot that is taken. */
TN_ALWAYS_INLINE uint32_t index_taken(uint64_t meta)
{
#if defined(__SSE2__)
    return (uint32_t)_mm_movemask_epi8(_mm_cvtsi64_si128((long long)meta)) & 0x7Fu;
#else
    return index_top_bits(meta);
#endif
}

static inline tn_handle index_entry_handle(uint64_t entry)
{
    return entry >> 24;
}

static inline uint64_t index_entry(uint32_t hash31, tn_handle handle)
{
    return handle << 24 | hash31 >> 7;
}

TN_ALWAYS_INLINE bool index_entry_has_hash(uint64_t entry, uint32_t hash31)
{
    return ((entry ^ hash31 >> 7) & 0xFFFFFFu) == 0;
}

/*
 * A bit for each slot of a bucket and of the one behind it whose fingerprint is that of the hash.
 * Bit i stands for word i + 1 from the bucket's start: 0..6 are the bucket's entries, 8..14 the
 * next one's.
 */
TN_ALWAYS_INLINE uint32_t index_match_two(const uint64_t *bucket, uint32_t hash31)
{
#if defined(__SSE2__)
    __m128i wanted = _mm_cvtsi32_si128((int)(hash31 | INDEX_TAKEN));
    __m128i low = _mm_loadl_epi64((const __m128i *)(const void *)bucket);
    __m128i prints = _mm_castps_si128(_mm_loadh_pi(
        _mm_castsi128_ps(low), (const __m64 *)(const void *)(bucket + TN_BUCKET_WORDS)));

    wanted = _mm_unpacklo_epi8(wanted, wanted);
    wanted = _mm_shufflelo_epi16(wanted, 0);
    wanted = _mm_unpacklo_epi64(wanted, wanted);
    return (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(prints, wanted)) & 0x7F7Fu;
#else
    return index_match(bucket[0], index_print(hash31)) |
           index_match(bucket[TN_BUCKET_WORDS], index_print(hash31)) << 8;
#endif
}

/* Whether nothing passed beyond both this bucket and the next; one branch, or it were two. */
TN_ALWAYS_INLINE bool index_ends_here(const uint64_t *bucket)
{
    return (bucket[0] >> 56) * (bucket[TN_BUCKET_WORDS] >> 56) == 0;
}

/* The place of the entry at this address in the array. */
TN_ALWAYS_INLINE struct tn_index_place tn_index_place_at(const struct tn_index *index,
                                                         const uint64_t *word_at)
{
    size_t word = (size_t)(word_at - index->buckets);

    return (struct tn_index_place){ index->buckets + word / TN_BUCKET_WORDS * TN_BUCKET_WORDS,
                                    (uint32_t)(word % TN_BUCKET_WORDS) - 1 };
}

enum tn_probe { TN_PROBE_FOUND, TN_PROBE_ABSENT, TN_PROBE_UNSURE };

/*
 * The common case of tn_index_find for a key of 8 bytes, `word`: the first candidate in its home
 * bucket or the next is it, or there is none with its 31 bits and nothing passed beyond (one miss
 * in eleven meets a fingerprint that is right by chance). No loop, so that it needs few registers
 * and its caller saves none. UNSURE: ask tn_index_find. `base` is read where it is needed; *word_at
 * is where the entry found stands. `misses`, for the compiler to know: they are common, and worth
 * three instructions of a hit. `last_byte`: about where the value ends that the caller is to read.
 * Its line comes beside the record's first then, and not after it, for only there stands where it
 * truly ends. TN_FETCH_NONE: no value will be read.
 */
#define TN_FETCH_NONE ((size_t)0)

TN_ALWAYS_INLINE enum tn_probe tn_index_probe(const uint64_t *bucket, uint8_t *const *base,
                                              uint32_t hash31, uint64_t word, bool misses,
                                              size_t last_byte, const uint64_t **word_at,
                                              struct tn_record **record)
{
    uint32_t match = index_match_two(bucket, hash31);
    uint64_t entry, key;

    if (match == 0)
        return TN_LIKELY(index_ends_here(bucket)) ? TN_PROBE_ABSENT : TN_PROBE_UNSURE;
    *word_at = bucket + __builtin_ctz(match) + 1;
    entry = **word_at;
    if (TN_UNLIKELY(!index_entry_has_hash(entry, hash31)))
        return misses && (match & (match - 1)) == 0 && index_ends_here(bucket) ? TN_PROBE_ABSENT
                                                                               : TN_PROBE_UNSURE;
    *record = tn_record_at(*base, index_entry_handle(entry));
    if (last_byte != TN_FETCH_NONE)
        __builtin_prefetch((const uint8_t *)*record + last_byte);
    memcpy(&key, *record + 1, sizeof key);
    if (TN_UNLIKELY(key != word || (*record)->key_bytes != sizeof key))
        return TN_PROBE_UNSURE;
    return TN_PROBE_FOUND;
}

/* The handle of the key, and its place; TN_HANDLE_NONE: absent, and the place is not set. */
TN_ALWAYS_INLINE tn_handle tn_index_find(const struct tn_index *index, uint8_t *base, uint64_t hash,
                                         const void *key, size_t key_bytes,
                                         struct tn_index_place *place)
{
    uint32_t hash31 = tn_hash31(hash);
    uint64_t *bucket = tn_index_home(index, hash31);

    for (;;) {
        uint64_t meta = bucket[0];
        uint32_t match = index_match(meta, index_print(hash31));

        for (; match != 0; match &= match - 1) {
            uint32_t slot = (uint32_t)__builtin_ctz(match);
            uint64_t entry = bucket[1 + slot];

            if (TN_LIKELY(index_entry_has_hash(entry, hash31)) &&
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

/*
 * The first handle whose 31 hash bits agree, without reading records: a guess worth prefetching.
 * Where there is none the key is absent. `bucket` is the hash's home.
 */
TN_ALWAYS_INLINE tn_handle tn_index_guess_at(const uint64_t *bucket, uint64_t hash)
{
    uint32_t hash31 = tn_hash31(hash);

    for (;;) {
        uint32_t match = index_match(bucket[0], index_print(hash31));

        for (; match != 0; match &= match - 1) {
            uint64_t entry = bucket[1 + (uint32_t)__builtin_ctz(match)];

            if (index_entry_has_hash(entry, hash31))
                return index_entry_handle(entry);
        }
        if (bucket[0] >> 56 == 0)
            return TN_HANDLE_NONE;
        bucket += TN_BUCKET_WORDS;
    }
}

static inline tn_handle tn_index_guess(const struct tn_index *index, uint64_t hash)
{
    return tn_index_guess_at(tn_index_home(index, tn_hash31(hash)), hash);
}

/* ---- changes --------------------------------------------------------------------------------- */

/* An empty index. false: no memory. */
bool tn_index_open(struct tn_index *index, const struct tn_os *os, struct tn_memory *memory);

/* Free about *budget_bytes of an index no longer used, less what was spent. true: all is freed. */
bool tn_index_free_step(struct tn_index *index, uint64_t *budget_bytes);

/* Into a slot that is free: its fingerprint is 0. */
TN_ALWAYS_INLINE void bucket_set(uint64_t *bucket, uint32_t slot, uint32_t hash31, tn_handle handle)
{
    bucket[0] |= (uint64_t)index_print(hash31) << (8 * slot);
    bucket[1 + slot] = index_entry(hash31, handle);
}

TN_ALWAYS_INLINE void bucket_unset(uint64_t *bucket, uint32_t slot)
{
    bucket[0] &= ~((uint64_t)0xFF << (8 * slot));
}

/* I1: the probes from home to this bucket pass one entry more, or some less. */
void tn_index_over_add(uint64_t *home, uint64_t *bucket);
void tn_index_over_subtract(uint64_t *home, uint64_t *bucket, uint64_t entries);

/* tn_index_reserve where the home bucket is full, or it is time to grow. */
bool tn_index_reserve_further(struct tn_index *index, uint64_t hash, struct tn_index_place *place);

/* Where an entry of this hash can go (I3). false: refused, nothing changed. */
TN_ALWAYS_INLINE bool tn_index_reserve(struct tn_index *index, uint64_t hash,
                                       struct tn_index_place *place)
{
    uint64_t *home = tn_index_home(index, tn_hash31(hash));
    uint32_t taken = index_taken(home[0]);

    if (TN_UNLIKELY(taken == 0x7F || index->entry_count >= index->grow_at))
        return tn_index_reserve_further(index, hash, place);
    *place = (struct tn_index_place){ home, (uint32_t)__builtin_ctz(~taken) };
    return true;
}

/*
 * That many entries are to come, all told: grow for them at once, as inserting would in many steps.
 * Takes time as the entries there are. Refused, it does nothing.
 */
void tn_index_expect(struct tn_index *index, uint64_t entry_count);

TN_ALWAYS_INLINE void tn_index_insert(struct tn_index *index, struct tn_index_place place,
                                      uint64_t hash, tn_handle handle)
{
    uint32_t hash31 = tn_hash31(hash);
    uint64_t *home = tn_index_home(index, hash31);

    if (TN_UNLIKELY(home != place.bucket))
        tn_index_over_add(home, place.bucket);
    bucket_set(place.bucket, place.slot, hash31, handle);
    index->entry_count++;
    index->version++;
}

/* There are few entries for the buckets: time to shrink. */
void tn_index_thinned(struct tn_index *index);

TN_ALWAYS_INLINE void tn_index_remove(struct tn_index *index, struct tn_index_place place,
                                      uint64_t hash)
{
    uint64_t *home = tn_index_home(index, tn_hash31(hash));

    if (TN_UNLIKELY(home != place.bucket))
        tn_index_over_subtract(home, place.bucket, 1);
    bucket_unset(place.bucket, place.slot);
    index->version++;
    if (TN_UNLIKELY(--index->entry_count < index->shrink_at))
        tn_index_thinned(index);
}

/* The record at this place has moved. */
void tn_index_set_handle(struct tn_index *index, struct tn_index_place place, tn_handle handle);

/* Pay a share of growing or shrinking: move up to `buckets` home buckets. true: there is more. */
bool tn_index_upkeep(struct tn_index *index, unsigned buckets);

/* Whether upkeep would move anything now (I6). */
static inline bool tn_index_has_upkeep(const struct tn_index *index)
{
    return tn_index_is_moving(index) && (!index->stalled || index->entry_count < index->resume_at);
}

/* ---- walking --------------------------------------------------------------------------------- */

/*
 * A walk visits all entries in an order of its own: the space of hashes is cut into 2^block_bits
 * equal blocks, which come in the order of their numbers read backwards, and within a block hashes
 * ascend. The order depends on the hash alone, so entries keep their places in it while the index
 * grows and shrinks. And whoever deletes what a walk gives thins the index out everywhere alike; in
 * ascending order it would empty one side and leave the other dense, which shrinking would make
 * denser. Whoever inserts what a walk gives, into another index of the same hash, fills that
 * evenly: as long as a block's entries find room in one home bucket and the slack behind it
 * (TN_HOME_ENTRIES_MAX), however small the other is yet.
 *
 *     block_bits = 2:  blocks  0 2 1 3     a walk's place 0 .. 2^31 stands for a hash
 */
static inline uint32_t tn_walk_turn(uint32_t hash31, unsigned block_bits)
{
    uint32_t block = hash31 >> (31 - block_bits), turned = 0;
    unsigned bit;

    for (bit = 0; bit < block_bits; bit++)
        turned |= (block >> bit & 1) << (block_bits - 1 - bit);
    return turned << (31 - block_bits) | (hash31 & (UINT32_C(0x7FFFFFFF) >> block_bits));
}

/* Blocks of 16 to 31 home buckets: what a walk over this index should have. */
unsigned tn_walk_block_bits(const struct tn_index *index);

/* An entry met on a walk. tn_walk_turn leads from hash to place, and back. */
struct tn_walk_entry {
    tn_handle handle;
    uint32_t place;
};

#define TN_GATHER_ENTRIES 16u
#define TN_GATHER_ROOM (TN_HOME_ENTRIES_MAX + TN_GATHER_ENTRIES)

/*
 * Collect the entries at places >= *position, in the order of the walk, all of one home bucket and
 * block at a time, until there are `wanted` (at most TN_GATHER_ENTRIES). *position moves behind
 * them; TN_HASH31_END is the end. `out` has TN_GATHER_ROOM places. Entries of equal hashes come in
 * no order. Answers how many.
 */
size_t tn_index_gather(const struct tn_index *index, unsigned block_bits, uint64_t *position,
                       size_t wanted, struct tn_walk_entry *out);

/*
 * The same, but look at no more than `home_max` home buckets, in which there may be none; `out` has
 * TN_HOME_ENTRIES_MAX places more than are wanted, however many these are.
 */
size_t tn_index_gather_some(const struct tn_index *index, unsigned block_bits, uint64_t *position,
                            size_t wanted, uint64_t home_max, struct tn_walk_entry *out);

/* I1, I2 and the counts, slowly; for tests. */
bool tn_index_check(const struct tn_index *index);

#endif
