/*
 * class.h - the chunks of one size class of one owner, by how full they are; for the heap only
 *
 *     class --> levels[NEARLY_FULL] --> chunk <-> chunk <-> ...   rings, of chunks with free slots
 *               levels[...]
 *               levels[SPARSE]      --> chunk <-> ...
 *           --> current: the listed chunk that slots are taken from until it is full
 *           --> all: full ones and the one being emptied, too
 *
 * Slots are taken in address order, so that what is put together lies together. The next current
 * chunk is one of the fullest level: the sparse ones are left to become empty. New chunks are a
 * sixteenth to an eighth of what the class already has, from 4 KiB to 2 MiB: a small table stays
 * small.
 */
#ifndef TN_CLASS_H
#define TN_CLASS_H

#include "base/poison.h"
#include "heap/chunk.h"

enum heap_level {
    HEAP_LEVEL_NEARLY_FULL, /* less than 1/4 of the slots free */
    HEAP_LEVEL_ROOMY,
    HEAP_LEVEL_LOOSE,
    HEAP_LEVEL_SPARSE, /* 3/4 and more */
    HEAP_LEVEL_COUNT,
    HEAP_LEVEL_FULL = HEAP_LEVEL_COUNT,
    HEAP_LEVEL_VICTIM, /* P7: being emptied */
};

struct heap_class {
    struct heap_chunk *current; /* NULL: no chunk is listed */
    struct heap_chunk *levels[HEAP_LEVEL_COUNT];
    struct heap_chunk *all;
    uint64_t chunk_bytes;
    uint64_t slot_count;
    uint64_t free_count;
    uint64_t alarm_count; /* so many free slots: time to look whether P7 has work */
    uint32_t slot_granules;
};

/* Full ones have no free slot to list; the victim must get no records. */
static inline bool heap_chunk_is_listed(const struct heap_chunk *chunk)
{
    return chunk->level < HEAP_LEVEL_COUNT;
}

void tn_chunk_list_push(struct heap_chunk **list, struct heap_chunk *chunk);
void tn_chunk_list_remove(struct heap_chunk **list, struct heap_chunk *chunk);

/* A class the owner does not have yet. NULL: refused. */
struct heap_class *tn_class_add(struct tn_heap *heap, struct tn_heap_owner *owner,
                                unsigned size_class);

/* Another chunk, of the usual size or less, and it is the current one. NULL: refused. */
struct heap_chunk *tn_class_chunk_add(struct tn_heap *heap, struct tn_heap_owner *owner,
                                      struct heap_class *class);

/* The same of 1 << shift bytes. */
struct heap_chunk *tn_class_chunk_add_sized(struct tn_heap *heap, struct tn_heap_owner *owner,
                                            struct heap_class *class, unsigned shift);

/* Binary logarithm of the smallest chunk for `bytes` of slots of this class. */
unsigned tn_class_chunk_shift(const struct heap_class *class, size_t bytes);

void tn_class_chunk_remove(struct tn_heap *heap, struct tn_heap_owner *owner,
                           struct heap_class *class, struct heap_chunk *chunk);

/* Put the chunk where it belongs after free_count has left its level, or off the rings (VICTIM). */
void tn_class_chunk_list(struct heap_class *class, struct heap_chunk *chunk);
void tn_class_chunk_unlist(struct heap_class *class, struct heap_chunk *chunk,
                           enum heap_level level);

/* The chunk has more free slots than its level allows: another level, or P4. */
void tn_class_chunk_loosened(struct tn_heap *heap, struct tn_heap_owner *owner,
                             struct heap_class *class, struct heap_chunk *chunk);

/* alarm_count was reached: note it with the owner, and set the next one. */
void tn_class_alarm(struct tn_heap_owner *owner, struct heap_class *class);
void tn_class_set_alarm(struct heap_class *class);

static inline bool class_is_uneven(const struct heap_class *class, enum tn_heap_effort effort)
{
    return class->free_count * (effort == TN_EFFORT_SPARSE ? 2 : 5) > class->slot_count;
}

static inline uint32_t chunk_take_slot(struct heap_chunk *chunk)
{
    uint32_t word = chunk->hint_word, bit;

    while (chunk->free_bits[word] == 0)
        word++;
    bit = (uint32_t)__builtin_ctzll(chunk->free_bits[word]);
    chunk->free_bits[word] &= chunk->free_bits[word] - 1;
    chunk->hint_word = word;
    chunk->free_count--;
    return word * 64 + bit;
}

/* Z3 of poison.h: nobody has written into it since it was freed. */
static inline void chunk_check_slot(const struct tn_heap *heap, const struct heap_chunk *chunk,
                                    uint32_t slot)
{
    (void)heap, (void)chunk, (void)slot;
    tn_debug_assert(
        tn_is_poison(tn_record_at(heap->base, chunk->first + slot * chunk->slot_granules),
                     chunk->slot_granules * TN_GRANULE_BYTES));
}

/* From the current chunk, which there must be. */
static inline tn_handle class_take_slot(const struct tn_heap *heap, struct heap_class *class)
{
    struct heap_chunk *chunk = class->current;
    uint32_t slot = chunk_take_slot(chunk);

    chunk_check_slot(heap, chunk, slot);
    class->free_count--;
    if (TN_UNLIKELY(chunk->free_count < chunk->level_first))
        tn_class_chunk_list(class, chunk);
    return chunk->first + (tn_handle)slot * chunk->slot_granules;
}

#endif
