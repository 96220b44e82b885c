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
 * An entry is the first 8 bytes of the key behind what all keys of the slice begin with, and the
 * place in the arena: most comparisons end at the head.
 *
 * Rules
 *   G1  Entries are in bytewise order of their keys, no key twice.
 *   G2  Memory is kept from one slice to the next: sizes settle.
 *   G3  Sorting is a merge sort: n log n whatever the keys, log n deep.
 */
#ifndef TN_SORTED_H
#define TN_SORTED_H

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
    size_t block_bytes;
};

void tn_sorted_init(struct tn_sorted *sorted, struct tn_memory *memory, size_t block_bytes);
void tn_sorted_finish(struct tn_sorted *sorted);

/* Copy and sort the blocks of a slice. TARN_OK, TARN_E_MEMORY, or what the store answered. */
int tn_sorted_fill(struct tn_sorted *sorted, tarn_table *blocks);

/* The block of an entry. Its key is handed out to be split in place: once. */
const void *tn_sorted_block(const struct tn_sorted *sorted, size_t index);
uint8_t *tn_sorted_key(const struct tn_sorted *sorted, size_t index, size_t *key_bytes);

#endif
