/*
 * marks.c - which records changed since the last commit (P8 of heap.h)
 *
 *     owner.marked --> chunk <-> chunk <-> ...        chunks with marked slots, the latest first
 *                        |
 *                        marked_bits, one a slot
 *
 * A bit beside the slot, and not a list of handles, because marking must not need memory, a slot
 * that is freed and taken again must not be there twice, and a commit reads the records in the
 * order of addresses.
 *
 * A walk may free a slot once it has been given the next one: then their chunk, or the next chunk,
 * is still there.
 */
#include "heap/class.h"

#include <string.h>

static void marked_link(struct tn_heap_owner *owner, struct heap_chunk *chunk)
{
    chunk->previous_marked = NULL;
    chunk->next_marked = owner->marked;
    if (owner->marked != NULL)
        owner->marked->previous_marked = chunk;
    owner->marked = chunk;
}

static void marked_unlink(struct tn_heap_owner *owner, struct heap_chunk *chunk)
{
    if (chunk->previous_marked != NULL)
        chunk->previous_marked->next_marked = chunk->next_marked;
    else
        owner->marked = chunk->next_marked;
    if (chunk->next_marked != NULL)
        chunk->next_marked->previous_marked = chunk->previous_marked;
}

/* A large chunk has one slot, and no size to divide by. */
static uint32_t mark_slot(const struct heap_chunk *chunk, tn_handle handle)
{
    return chunk->slot_granules == 0 ? 0 : heap_chunk_slot(chunk, handle);
}

void tn_heap_mark(struct tn_heap *heap, struct tn_heap_owner *owner, tn_handle handle)
{
    struct heap_chunk *chunk = heap_chunk_at(heap, handle);
    uint32_t slot = mark_slot(chunk, handle);
    uint64_t *word = heap_chunk_marked_bits(chunk) + slot / 64;
    uint64_t bit = (uint64_t)1 << (slot % 64);

    tn_assert(chunk->owner == owner);
    if ((*word & bit) != 0)
        return;
    *word |= bit;
    if (chunk->marked_count++ == 0)
        marked_link(owner, chunk);
}

bool tn_heap_is_marked(const struct tn_heap *heap, tn_handle handle)
{
    struct heap_chunk *chunk = heap_chunk_at(heap, handle);
    uint32_t slot = mark_slot(chunk, handle);

    return (heap_chunk_marked_bits(chunk)[slot / 64] >> (slot % 64) & 1) != 0;
}

void tn_heap_unmark(struct tn_heap *heap, tn_handle handle)
{
    struct heap_chunk *chunk = heap_chunk_at(heap, handle);

    tn_chunk_unmark(chunk, mark_slot(chunk, handle));
}

void tn_chunk_unmark(struct heap_chunk *chunk, uint32_t slot)
{
    uint64_t *word = heap_chunk_marked_bits(chunk) + slot / 64;
    uint64_t bit = (uint64_t)1 << (slot % 64);

    if ((*word & bit) == 0)
        return;
    *word &= ~bit;
    if (--chunk->marked_count == 0)
        marked_unlink(chunk->owner, chunk);
}

/* ---- all of an owner's ----------------------------------------------------------------------- */

static void chunk_mark_all(struct heap_chunk *chunk)
{
    uint64_t *marked = heap_chunk_marked_bits(chunk);
    size_t i, words = heap_chunk_words(chunk);

    if (chunk->free_count == chunk->slot_count)
        return;
    if (chunk->marked_count == 0)
        marked_link(chunk->owner, chunk);
    for (i = 0; i < words; i++)
        marked[i] = ~chunk->free_bits[i];
    if (chunk->slot_count % 64 != 0)
        marked[words - 1] &= ((uint64_t)1 << (chunk->slot_count % 64)) - 1;
    chunk->marked_count = chunk->slot_count - chunk->free_count;
}

void tn_heap_mark_all(struct tn_heap_owner *owner)
{
    struct heap_chunk *chunk;
    uint16_t i;

    for (i = 0; i < owner->class_count; i++) {
        for (chunk = owner->classes[i].all; chunk != NULL; chunk = chunk->next_all)
            chunk_mark_all(chunk);
    }
    for (chunk = owner->large; chunk != NULL; chunk = chunk->next_all)
        chunk_mark_all(chunk);
}

void tn_heap_unmark_all(struct tn_heap_owner *owner)
{
    struct heap_chunk *chunk;

    while ((chunk = owner->marked) != NULL) {
        memset(heap_chunk_marked_bits(chunk), 0, heap_chunk_words(chunk) * sizeof(uint64_t));
        chunk->marked_count = 0;
        owner->marked = chunk->next_marked;
        if (owner->marked != NULL)
            owner->marked->previous_marked = NULL;
    }
}

uint64_t tn_heap_marked_bytes(const struct tn_heap_owner *owner)
{
    const struct heap_chunk *chunk;
    uint64_t bytes = 0;

    for (chunk = owner->marked; chunk != NULL; chunk = chunk->next_marked)
        bytes += chunk->slot_granules == 0
                     ? chunk->committed_bytes
                     : (uint64_t)chunk->marked_count * chunk->slot_granules * TN_GRANULE_BYTES;
    return bytes;
}

/* ---- walking --------------------------------------------------------------------------------- */

static bool marks_next_chunk(const struct tn_heap_owner *owner, struct tn_heap_marks *marks)
{
    marks->chunk = marks->started ? marks->next : owner->marked;
    marks->started = true;
    if (marks->chunk == NULL)
        return false;
    marks->next = marks->chunk->next_marked;
    marks->word = 0;
    marks->bits = heap_chunk_marked_bits(marks->chunk)[0];
    return true;
}

tn_handle tn_heap_marks_next(const struct tn_heap_owner *owner, struct tn_heap_marks *marks)
{
    uint32_t slot;

    if (marks->chunk == NULL && !marks_next_chunk(owner, marks))
        return TN_HANDLE_NONE;
    while (marks->bits == 0) {
        if (marks->word + 1 < heap_chunk_words(marks->chunk))
            marks->bits = heap_chunk_marked_bits(marks->chunk)[++marks->word];
        else if (!marks_next_chunk(owner, marks))
            return TN_HANDLE_NONE;
    }
    slot = marks->word * 64 + (uint32_t)__builtin_ctzll(marks->bits);
    marks->bits &= marks->bits - 1;
    return marks->chunk->first + (tn_handle)slot * marks->chunk->slot_granules;
}
