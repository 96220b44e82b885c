/*
 * sorted.h - the groups of a slice, copied out and put in key order
 *
 * A slice has no order; its results have one. When its time has come, all keys and blocks are
 * copied into one arena (what an iterator gives ends with its next step) and sorted once.
 *
 *     arena     | block | key bytes | key | pad | block | key bytes | key | pad | ...
 *                 ^                               ^
 *     entries   (head, --+)                     (head, --+)
 *
 * Several slices are merged on the way: a group that is there already takes the other block in.
 * What finds it is a plain table of places by hash, as large as it ever had to be; the store's own
 * would have to grow anew for every window.
 *
 * An entry is the first 8 bytes of the key behind what all keys of the slice begin with, and the
 * place in the arena: most comparisons end at the head.
 *
 * Rules
 *   G1  Entries are in bytewise order of their keys, no key twice.
 *   G2  Memory is kept from one slice to the next: sizes settle.
 *   G3  Sorting is a merge sort: n log n whatever the keys, log n deep.
 *   G4  Until the entries are ordered an entry's head is the hash of its key. The hash has a secret
 *       of its own, so that nobody can choose keys that collide.
 *   G5  Only blocks without texts are merged here: texts lie in tables (slice.h).
 */
#ifndef TN_SORTED_H
#define TN_SORTED_H

#include "base/hash.h"
#include "stream/slice.h"

struct tn_sorted_entry {
    uint64_t head;
    uint8_t *block; /* in the arena; the key's length and the key stand behind it */
};

struct tn_sorted {
    struct tn_memory *memory;
    struct tn_sorted_entry *entries;
    size_t entry_count;
    size_t entry_capacity; /* merging takes half as many more: see scratch */
    struct tn_sorted_entry *scratch;
    uint8_t *arena;
    size_t arena_bytes; /* capacity */
    size_t arena_used;
    size_t block_bytes;
    struct tn_hash_secret secret;
    uint32_t *slots;   /* the place of an entry plus 1, or 0; linear probing */
    size_t slot_count; /* a power of two, at least twice the entries; or 0 */
};

void tn_sorted_init(struct tn_sorted *sorted, struct tn_memory *memory, size_t block_bytes);
void tn_sorted_finish(struct tn_sorted *sorted);

/* Copy and sort the blocks of a slice. TARN_OK, TARN_E_MEMORY, or what the store answered. */
int tn_sorted_fill(struct tn_sorted *sorted, tarn_table *blocks);

/* Begin to merge: no entries. false: there is no randomness for a secret; merge otherwise. */
bool tn_sorted_begin(struct tn_sorted *sorted);

/*
 * Take the groups of one more slice in (A7). TARN_OK, TN_SLICE_OVERFLOW, TARN_E_MEMORY, or what the
 * store answered. `errands` is room for one for each aggregate.
 */
int tn_sorted_merge(struct tn_sorted *sorted, tarn_table *blocks, const struct tn_layout *layout,
                    enum tn_errand *errands, struct tn_text *reason);

/* Put what has been merged in order. */
void tn_sorted_order(struct tn_sorted *sorted);

/* The block of an entry. Its key is handed out to be split in place: once. */
const void *tn_sorted_block(const struct tn_sorted *sorted, size_t index);
uint8_t *tn_sorted_key(const struct tn_sorted *sorted, size_t index, size_t *key_bytes);

#endif
