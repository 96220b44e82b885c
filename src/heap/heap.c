/*
 * heap.c - slots: taking and giving back room for records; see heap.h for the picture and the rules
 */
#include "heap/class.h"
#include "heap/size_class.h"

#include <errno.h>
#include <string.h>

/* Records that have pages of their own when there is no memory for 16 slots of their size. */
#define ALONE_BYTES_MIN (4 * TN_OS_PAGE_BYTES)

int tn_heap_open(struct tn_heap *heap, const struct tn_os *os, struct tn_memory *memory,
                 uint64_t address_bytes, uint64_t least_bytes)
{
    size_t bytes = (size_t)tn_align_up(address_bytes, TN_REGION_BYTES);
    size_t table_regions;
    void *base;
    int result;

    memset(heap, 0, sizeof *heap);
    result = os->ops->pages_reserve(os->context, bytes, &base);
    while (result < 0 && bytes / 2 >= tn_max(least_bytes, 4 * TN_REGION_BYTES)) {
        bytes = bytes / 2 & ~(TN_REGION_BYTES - 1);
        result = os->ops->pages_reserve(os->context, bytes, &base);
    }
    if (result < 0)
        return result;
    heap->os = os;
    heap->memory = memory;
    heap->base = base;
    heap->address_bytes = bytes;
    heap->regions = base;
    heap->region_count = bytes >> TN_REGION_SHIFT;
    table_regions =
        tn_align_up(heap->region_count * sizeof *heap->regions, TN_REGION_BYTES) >> TN_REGION_SHIFT;
    heap->region_next = heap->region_hint = table_regions;
    return 0;
}

void tn_heap_close(struct tn_heap *heap)
{
    if (heap->base == NULL)
        return;
    tn_heap_trim(heap, 0);
    tn_assert(heap->used_bytes == 0 && heap->kept_bytes == 0);
    tn_memory_discharge(heap->memory, heap->regions_committed_bytes);
    heap->os->ops->pages_release(heap->os->context, heap->base, heap->address_bytes);
    heap->base = NULL;
}

/* ---- slots ----------------------------------------------------------------------------------- */

static tn_handle heap_allocate_large(struct tn_heap *heap, struct tn_heap_owner *owner,
                                     size_t bytes)
{
    struct heap_chunk *chunk = tn_chunk_new_large(heap, bytes);

    if (chunk == NULL)
        return TN_HANDLE_NONE;
    chunk->owner = owner;
    owner->chunk_bytes += chunk->committed_bytes;
    tn_chunk_list_push(&owner->large, chunk);
    return chunk->first;
}

/*
 * Memory was refused: a slot of another class that is free anyway, at most twice too large. So what
 * deletes leave at a limit is of use to entries of other sizes, too.
 */
static tn_handle heap_allocate_spare(const struct tn_heap *heap, struct tn_heap_owner *owner,
                                     size_t granules)
{
    unsigned size_class = size_class_of(granules);
    unsigned last = size_class_of(tn_min(2 * granules, SIZE_CLASS_GRANULES_MAX));

    for (; size_class <= last; size_class++) {
        uint16_t place = owner->class_index[size_class];

        if (place != 0 && owner->classes[place - 1].current != NULL)
            return class_take_slot(heap, &owner->classes[place - 1]);
    }
    return TN_HANDLE_NONE;
}

/* No memory for a chunk of that size: what there is, or pages for the record alone if it fills them. */
static tn_handle heap_allocate_last(struct tn_heap *heap, struct tn_heap_owner *owner, size_t bytes,
                                    size_t granules)
{
    tn_handle handle = heap_allocate_spare(heap, owner, granules);

    if (handle != TN_HANDLE_NONE || bytes < ALONE_BYTES_MIN)
        return handle;
    return heap_allocate_large(heap, owner, bytes);
}

/* A large record, or a size whose class has no free slot or is new. Apart, so that the rest is quick. */
static __attribute__((noinline)) tn_handle heap_allocate_anew(struct tn_heap *heap,
                                                              struct tn_heap_owner *owner,
                                                              size_t bytes)
{
    size_t granules = (bytes + TN_GRANULE_BYTES - 1) / TN_GRANULE_BYTES;
    struct heap_class *class;
    unsigned size_class;

    tn_assert(granules > 0);
    if (granules > SIZE_CLASS_GRANULES_MAX)
        return heap_allocate_large(heap, owner, bytes);
    size_class = size_class_of(granules);
    if (owner->class_index[size_class] != 0)
        class = &owner->classes[owner->class_index[size_class] - 1];
    else if ((class = tn_class_add(heap, owner, size_class)) == NULL)
        return heap_allocate_last(heap, owner, bytes, granules);
    if (class->current == NULL && tn_class_chunk_add(heap, owner, class) == NULL)
        return heap_allocate_last(heap, owner, bytes, granules);
    return class_take_slot(heap, class);
}

tn_handle tn_heap_allocate(struct tn_heap *heap, struct tn_heap_owner *owner, size_t bytes)
{
    size_t granules = (bytes + TN_GRANULE_BYTES - 1) / TN_GRANULE_BYTES;
    struct heap_class *class;
    unsigned place;

    if (TN_UNLIKELY(granules - 1 >= SIZE_CLASS_GRANULES_MAX))
        return heap_allocate_anew(heap, owner, bytes);
    place = owner->class_index[size_class_of(granules)];
    if (TN_UNLIKELY(place == 0))
        return heap_allocate_anew(heap, owner, bytes);
    class = &owner->classes[place - 1];
    if (TN_UNLIKELY(class->current == NULL))
        return heap_allocate_anew(heap, owner, bytes);
    return class_take_slot(heap, class);
}

static __attribute__((noinline)) void heap_free_large(struct tn_heap *heap,
                                                      struct tn_heap_owner *owner,
                                                      struct heap_chunk *chunk)
{
    tn_chunk_unmark(chunk, 0);
    tn_chunk_list_remove(&owner->large, chunk);
    owner->chunk_bytes -= chunk->committed_bytes;
    tn_chunk_free(heap, chunk);
}

/* A slot of this chunk was freed, and its level or its class may have to know. */
static __attribute__((noinline)) void heap_slot_freed(struct tn_heap *heap,
                                                      struct tn_heap_owner *owner,
                                                      struct heap_class *class,
                                                      struct heap_chunk *chunk)
{
    if (chunk->free_count > chunk->level_last)
        tn_class_chunk_loosened(heap, owner, class, chunk);
    if (class->free_count >= class->alarm_count)
        tn_class_alarm(owner, class);
}

void tn_heap_free(struct tn_heap *heap, struct tn_heap_owner *owner, tn_handle handle)
{
    struct heap_chunk *chunk = heap_chunk_at(heap, handle);
    struct heap_class *class;
    uint64_t *word, bit;
    uint32_t slot;

    tn_assert(chunk->owner == owner);
    if (TN_UNLIKELY(chunk->slot_granules == 0)) {
        heap_free_large(heap, owner, chunk);
        return;
    }
    class = &owner->classes[chunk->class_place];
    slot = heap_chunk_slot(chunk, handle);
    word = &chunk->free_bits[slot / 64];
    bit = (uint64_t)1 << (slot % 64);
    tn_assert((*word & bit) == 0);
    *word |= bit;
    tn_poison(tn_record_at(heap->base, handle), chunk->slot_granules * TN_GRANULE_BYTES);
    if (TN_UNLIKELY(chunk->marked_count > 0))
        tn_chunk_unmark(chunk, slot);
    if (slot / 64 < chunk->hint_word)
        chunk->hint_word = slot / 64;
    class->free_count++;
    chunk->free_count++;
    if (TN_UNLIKELY(chunk->free_count > chunk->level_last ||
                    class->free_count >= class->alarm_count))
        heap_slot_freed(heap, owner, class, chunk);
}

uint64_t tn_heap_slot_chunk_bytes(const struct tn_heap_owner *owner)
{
    uint64_t bytes = 0;
    unsigned i;

    for (i = 0; i < owner->class_count; i++)
        bytes += owner->classes[i].chunk_bytes;
    return bytes;
}

size_t tn_heap_slot_bytes(const struct tn_heap *heap, tn_handle handle)
{
    const struct heap_chunk *chunk = heap_chunk_at(heap, handle);

    if (chunk->slot_granules == 0)
        return chunk->committed_bytes;
    return chunk->slot_granules * TN_GRANULE_BYTES;
}

/* ---- empty chunks ---------------------------------------------------------------------------- */

static void class_trim(struct tn_heap *heap, struct tn_heap_owner *owner, struct heap_class *class)
{
    struct heap_chunk *chunk, *next;

    for (chunk = class->all; chunk != NULL; chunk = next) {
        next = chunk->next_all;
        if (chunk->free_count == chunk->slot_count)
            tn_class_chunk_remove(heap, owner, class, chunk);
    }
}

void tn_heap_owner_trim(struct tn_heap *heap, struct tn_heap_owner *owner)
{
    uint16_t i;

    for (i = 0; i < owner->class_count; i++)
        class_trim(heap, owner, &owner->classes[i]);
}

/* ---- dropping an owner ----------------------------------------------------------------------- */

static struct heap_chunk *owner_any_chunk(struct tn_heap_owner *owner, struct heap_class **class)
{
    size_t i;

    *class = NULL;
    if (owner->large != NULL)
        return owner->large;
    for (i = 0; i < owner->class_count; i++) {
        *class = &owner->classes[i];
        if ((*class)->all != NULL)
            return (*class)->all;
    }
    return NULL;
}

bool tn_heap_owner_free_step(struct tn_heap *heap, struct tn_heap_owner *owner,
                             uint64_t *budget_bytes)
{
    struct heap_class *class;
    struct heap_chunk *chunk;

    while ((chunk = owner_any_chunk(owner, &class)) != NULL) {
        uint64_t bytes = chunk->committed_bytes;

        if (*budget_bytes == 0)
            return false;
        *budget_bytes -= bytes < *budget_bytes ? bytes : *budget_bytes;
        if (chunk->slot_granules != 0) {
            tn_assert(class != NULL);
            tn_class_chunk_remove(heap, owner, class, chunk);
            continue;
        }
        tn_chunk_list_remove(&owner->large, chunk);
        owner->chunk_bytes -= bytes;
        tn_chunk_free(heap, chunk);
    }
    tn_memory_free(heap->memory, owner->classes, owner->class_room * sizeof *owner->classes);
    memset(owner, 0, sizeof *owner);
    return true;
}

/* ---- checking -------------------------------------------------------------------------------- */

static bool marks_check(const struct heap_chunk *chunk)
{
    const uint64_t *marked = chunk->free_bits + heap_chunk_words(chunk);
    uint32_t marked_count = 0, i;

    for (i = 0; i < heap_chunk_words(chunk); i++) {
        marked_count += (uint32_t)__builtin_popcountll(marked[i]);
        if ((marked[i] & chunk->free_bits[i]) != 0)
            return false;
    }
    return marked_count == chunk->marked_count;
}

static bool chunk_check(const struct tn_heap *heap, const struct tn_heap_owner *owner,
                        const struct heap_chunk *chunk, const struct heap_class *class)
{
    bool listed = chunk->free_count != 0 && chunk != owner->victim;
    uint32_t free_count = 0, i;

    for (i = 0; i < (chunk->slot_count + 63) / 64; i++) {
        free_count += (uint32_t)__builtin_popcountll(chunk->free_bits[i]);
        if (i < chunk->hint_word && chunk->free_bits[i] != 0)
            return false;
    }
    return chunk->owner == owner && heap_chunk_at(heap, chunk->first) == chunk &&
           chunk->slot_granules == class->slot_granules && free_count == chunk->free_count &&
           marks_check(chunk) && free_count >= chunk->level_first &&
           free_count <= chunk->slot_count && listed == (chunk->next != NULL) &&
           (!listed || class->levels[chunk->level] != NULL);
}

/* The sums of a class, and that it takes from a chunk with room whenever there is one (P7). */
static bool class_check(const struct tn_heap *heap, const struct tn_heap_owner *owner,
                        const struct heap_class *class)
{
    uint64_t bytes = 0, slots = 0, free_slots = 0;
    const struct heap_chunk *chunk;
    bool room = false;

    for (chunk = class->all; chunk != NULL; chunk = chunk->next_all) {
        bytes += chunk->committed_bytes;
        slots += chunk->slot_count;
        free_slots += chunk->free_count;
        room |= chunk->next != NULL;
        if (!chunk_check(heap, owner, chunk, class))
            return false;
    }
    return bytes == class->chunk_bytes && slots == class->slot_count &&
           free_slots == class->free_count && room == (class->current != NULL) &&
           (class->current == NULL || class->current->next != NULL);
}

bool tn_heap_check(const struct tn_heap *heap, const struct tn_heap_owner *owner)
{
    uint64_t owner_bytes = 0;
    const struct heap_chunk *chunk;
    size_t i;

    for (chunk = owner->large; chunk != NULL; chunk = chunk->next_all) {
        owner_bytes += chunk->committed_bytes;
        if (chunk->owner != owner || heap_chunk_at(heap, chunk->first) != chunk)
            return false;
    }
    for (i = 0; i < owner->class_count; i++) {
        if (!class_check(heap, owner, &owner->classes[i]))
            return false;
        owner_bytes += owner->classes[i].chunk_bytes;
    }
    return owner_bytes == owner->chunk_bytes && owner_bytes <= heap->used_bytes;
}
