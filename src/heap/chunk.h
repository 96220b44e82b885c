/*
 * chunk.h - regions and the chunks they are divided into; for the heap only
 *
 * A *division* describes one region (or, for records beyond 1 MiB, a run of regions): equal chunks,
 * which of them are free, and which of the free ones are still committed. A *chunk* describes
 * slots.
 *
 *     heap.regions[r] --> division --> chunks[0..n) --> free_bits[], owner
 *
 * From a handle to its chunk: region = handle >> 18, chunk = offset in the region >> chunk size.
 */
#ifndef TN_CHUNK_H
#define TN_CHUNK_H

#include "heap/heap.h"

#define REGION_GRANULE_SHIFT (TN_REGION_SHIFT - 3)
#define DIVISION_WORDS (TN_REGION_BYTES / TN_OS_PAGE_BYTES / 64)

struct heap_chunk {
    struct tn_heap_owner *owner;
    struct heap_chunk *next, *previous; /* ring of the class's chunks of this level */
    struct heap_chunk *next_all,
        *previous_all; /* chunks of the class; of large ones: of the owner */
    struct heap_chunk *next_marked,
        *previous_marked; /* owner->marked, while marked_count > 0: marks.c */
    tn_handle first;      /* of slot 0 */
    uint64_t committed_bytes;
    uint32_t slot_granules; /* 0: one large record */
    uint32_t slot_count;
    uint32_t free_count;
    uint32_t marked_count;
    uint32_t hint_word;   /* no free bit below this word */
    uint32_t level;       /* enum heap_level */
    uint32_t level_first; /* fewer free slots than this, or more than level_last: another level */
    uint32_t level_last;
    uint32_t class_place;
    uint64_t reciprocal;  /* ceil(2^32 / slot_granules): a multiplication finds the slot */
    uint64_t free_bits[]; /* 1: free; behind them as many words of marked_bits */
};

struct heap_division {
    struct heap_division *next, *previous; /* heap->open[shift], while free_count > 0 */
    uint32_t region;
    uint32_t region_count; /* > 1: a large record over several regions */
    uint32_t chunk_shift;
    uint32_t chunk_count;
    uint32_t chunk_room; /* pointers there are, so far; chunks are taken from the first on */
    uint32_t free_count;
    uint64_t free_bits[DIVISION_WORDS];
    uint64_t kept_bits[DIVISION_WORDS]; /* free and still committed */
    struct heap_chunk *chunks[];
};

static inline struct heap_division *heap_division_at(const struct tn_heap *heap, tn_handle handle)
{
    return heap->regions[handle >> REGION_GRANULE_SHIFT];
}

static inline uint32_t heap_chunk_number(const struct heap_division *division, tn_handle handle)
{
    uint64_t offset = handle - ((tn_handle)division->region << REGION_GRANULE_SHIFT);

    return (uint32_t)(offset >> (division->chunk_shift - 3));
}

static inline struct heap_chunk *heap_chunk_at(const struct tn_heap *heap, tn_handle handle)
{
    const struct heap_division *division = heap_division_at(heap, handle);

    return division->chunks[heap_chunk_number(division, handle)];
}

static inline size_t heap_chunk_words(const struct heap_chunk *chunk)
{
    return (chunk->slot_count + 63) / 64;
}

/* 1: marked (P8) */
static inline uint64_t *heap_chunk_marked_bits(struct heap_chunk *chunk)
{
    return chunk->free_bits + heap_chunk_words(chunk);
}

static inline uint32_t heap_chunk_slot(const struct heap_chunk *chunk, tn_handle handle)
{
    return (uint32_t)((handle - chunk->first) * chunk->reciprocal >> 32);
}

/* The slot is freed: its mark goes, if it has one. */
void tn_chunk_unmark(struct heap_chunk *chunk, uint32_t slot);

/* A chunk of 1 << shift bytes, committed whole, for slots of slot_granules. NULL: refused. */
struct heap_chunk *tn_chunk_new(struct tn_heap *heap, unsigned shift, uint32_t slot_granules);

/* A chunk for one record of `bytes`, only so much of it committed. NULL: refused. */
struct heap_chunk *tn_chunk_new_large(struct tn_heap *heap, size_t bytes);

/* Never fails. */
void tn_chunk_free(struct tn_heap *heap, struct heap_chunk *chunk);

#endif
