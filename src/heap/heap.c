/*
 * heap.c - slots: taking and giving back room for records; see heap.h for the picture and the rules
 *
 * A class takes slots from the first of its open chunks until that is full, in address order, so that
 * what is put together lies together; a chunk that gets a free slot back joins at the end. New chunks
 * are an eighth to a quarter of what the class already has, from 4 KiB to 2 MiB: a small table stays small.
 */
#include "heap/chunk.h"
#include "heap/size_class.h"

#include <errno.h>
#include <string.h>

#define SLOTS_PER_CHUNK_MIN ((size_t)16)
#define CLASS_ROOM_FIRST 2

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

/* ---- lists of chunks ----------------------------------------------------------------------------- */

/* Open chunks form a ring, so that its end is at hand; `class->open` is the one to take from. */
static void class_open_append(struct heap_class *class, struct heap_chunk *chunk)
{
    if (class->open == NULL) {
        chunk->next = chunk->previous = chunk;
        class->open = chunk;
        return;
    }
    chunk->next = class->open;
    chunk->previous = class->open->previous;
    chunk->previous->next = chunk;
    chunk->next->previous = chunk;
}

static void class_open_remove(struct heap_class *class, struct heap_chunk *chunk)
{
    if (class->open == chunk)
        class->open = chunk->next == chunk ? NULL : chunk->next;
    chunk->previous->next = chunk->next;
    chunk->next->previous = chunk->previous;
    chunk->next = chunk->previous = NULL;
}

static void all_push(struct heap_chunk **list, struct heap_chunk *chunk)
{
    chunk->previous_all = NULL;
    chunk->next_all = *list;
    if (*list != NULL)
        (*list)->previous_all = chunk;
    *list = chunk;
}

static void all_remove(struct heap_chunk **list, struct heap_chunk *chunk)
{
    if (chunk->previous_all != NULL)
        chunk->previous_all->next_all = chunk->next_all;
    else
        *list = chunk->next_all;
    if (chunk->next_all != NULL)
        chunk->next_all->previous_all = chunk->previous_all;
}

/* ---- classes of an owner -------------------------------------------------------------------------- */

static struct heap_class *owner_class_add(struct tn_heap *heap, struct tn_heap_owner *owner,
                                          unsigned size_class)
{
    size_t old_bytes = owner->class_room * sizeof *owner->classes;
    uint16_t room = owner->class_room == 0 ? CLASS_ROOM_FIRST : (uint16_t)(2 * owner->class_room);
    struct heap_class *classes = owner->classes;

    if (owner->class_count == owner->class_room) {
        classes = tn_memory_resize(heap->memory, classes, old_bytes, room * sizeof *classes);
        if (classes == NULL)
            return NULL;
        owner->classes = classes;
        owner->class_room = room;
    }
    classes[owner->class_count] = (struct heap_class){
        .slot_granules = (uint32_t)size_class_granules(size_class),
    };
    owner->class_index[size_class] = ++owner->class_count;
    return &classes[owner->class_count - 1];
}

/* Binary logarithm of the smallest chunk with so many bytes. */
static unsigned chunk_shift_for(size_t bytes)
{
    unsigned shift = tn_log2(bytes - 1) + 1;

    shift = shift < TN_CHUNK_SHIFT_MIN ? TN_CHUNK_SHIFT_MIN : shift;
    return shift > TN_REGION_SHIFT ? TN_REGION_SHIFT : shift;
}

static unsigned class_first_chunk_shift(const struct heap_class *class)
{
    return chunk_shift_for(SLOTS_PER_CHUNK_MIN * class->slot_granules * TN_GRANULE_BYTES);
}

static struct heap_chunk *class_chunk_add(struct tn_heap *heap, struct tn_heap_owner *owner,
                                          struct heap_class *class)
{
    unsigned least = class_first_chunk_shift(class);
    unsigned shift = class->chunk_bytes < 4 * TN_OS_PAGE_BYTES
                         ? least
                         : (unsigned)tn_max(chunk_shift_for(class->chunk_bytes / 8), least);
    struct heap_chunk *chunk = tn_chunk_new(heap, shift, class->slot_granules);

    while (chunk == NULL && shift > least) /* near a limit: what is left comes in small pieces */
        chunk = tn_chunk_new(heap, --shift, class->slot_granules);
    if (chunk == NULL)
        return NULL;
    chunk->owner = owner;
    chunk->class_place = (uint32_t)(class - owner->classes);
    class->chunk_bytes += chunk->committed_bytes;
    owner->chunk_bytes += chunk->committed_bytes;
    all_push(&class->all, chunk);
    class_open_append(class, chunk);
    return chunk;
}

static void class_chunk_remove(struct tn_heap *heap, struct tn_heap_owner *owner,
                               struct heap_class *class, struct heap_chunk *chunk)
{
    if (chunk->next != NULL)
        class_open_remove(class, chunk);
    all_remove(&class->all, chunk);
    class->chunk_bytes -= chunk->committed_bytes;
    owner->chunk_bytes -= chunk->committed_bytes;
    tn_chunk_free(heap, chunk);
}

/* ---- slots ---------------------------------------------------------------------------------------- */

static uint32_t chunk_take_slot(struct heap_chunk *chunk)
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

static uint32_t chunk_slot_of(const struct heap_chunk *chunk, tn_handle handle)
{
    uint64_t offset = handle - chunk->first;

    return (uint32_t)(offset * chunk->reciprocal >> 32);
}

static tn_handle heap_allocate_large(struct tn_heap *heap, struct tn_heap_owner *owner,
                                     size_t bytes)
{
    struct heap_chunk *chunk = tn_chunk_new_large(heap, bytes);

    if (chunk == NULL)
        return TN_HANDLE_NONE;
    chunk->owner = owner;
    owner->chunk_bytes += chunk->committed_bytes;
    all_push(&owner->large, chunk);
    return chunk->first;
}

tn_handle tn_heap_allocate(struct tn_heap *heap, struct tn_heap_owner *owner, size_t bytes)
{
    size_t granules = (bytes + TN_GRANULE_BYTES - 1) / TN_GRANULE_BYTES;
    struct heap_class *class;
    struct heap_chunk *chunk;
    unsigned size_class;
    uint32_t slot;

    tn_assert(granules > 0);
    if (TN_UNLIKELY(granules > SIZE_CLASS_GRANULES_MAX))
        return heap_allocate_large(heap, owner, bytes);
    size_class = size_class_of(granules);
    if (TN_LIKELY(owner->class_index[size_class] != 0))
        class = &owner->classes[owner->class_index[size_class] - 1];
    else if ((class = owner_class_add(heap, owner, size_class)) == NULL)
        return TN_HANDLE_NONE;
    chunk = class->open;
    if (TN_UNLIKELY(chunk == NULL) && (chunk = class_chunk_add(heap, owner, class)) == NULL)
        return TN_HANDLE_NONE;
    slot = chunk_take_slot(chunk);
    if (chunk->free_count == 0)
        class_open_remove(class, chunk);
    return chunk->first + (tn_handle)slot * chunk->slot_granules;
}

/*
 * P4, for a chunk that has become empty. The last one of a class stays while it is small, so that one
 * record coming and going costs nothing.
 */
static void class_give_up_empty(struct tn_heap *heap, struct tn_heap_owner *owner,
                                struct heap_class *class, struct heap_chunk *chunk)
{
    if (chunk->next != chunk) {
        class_chunk_remove(heap, owner, class, chunk);
        chunk = class->open;
    }
    if (chunk->free_count == chunk->slot_count && class->chunk_bytes == chunk->committed_bytes &&
        chunk->committed_bytes > (uint64_t)1 << class_first_chunk_shift(class))
        class_chunk_remove(heap, owner, class, chunk);
}

void tn_heap_free(struct tn_heap *heap, struct tn_heap_owner *owner, tn_handle handle)
{
    struct heap_chunk *chunk = heap_chunk_at(heap, handle);
    struct heap_class *class;
    uint32_t slot;

    tn_assert(chunk->owner == owner);
    if (chunk->slot_granules == 0) {
        all_remove(&owner->large, chunk);
        owner->chunk_bytes -= chunk->committed_bytes;
        tn_chunk_free(heap, chunk);
        return;
    }
    class = &owner->classes[chunk->class_place];
    slot = chunk_slot_of(chunk, handle);
    tn_assert((chunk->free_bits[slot / 64] >> (slot % 64) & 1) == 0);
    chunk->free_bits[slot / 64] |= (uint64_t)1 << (slot % 64);
    if (slot / 64 < chunk->hint_word)
        chunk->hint_word = slot / 64;
    if (chunk->free_count++ == 0)
        class_open_append(class, chunk);
    if (chunk->free_count == chunk->slot_count)
        class_give_up_empty(heap, owner, class, chunk);
}

size_t tn_heap_slot_bytes(const struct tn_heap *heap, tn_handle handle)
{
    const struct heap_chunk *chunk = heap_chunk_at(heap, handle);

    if (chunk->slot_granules == 0)
        return chunk->committed_bytes;
    return chunk->slot_granules * TN_GRANULE_BYTES;
}

/* ---- dropping an owner ------------------------------------------------------------------------------ */

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
            class_chunk_remove(heap, owner, class, chunk);
            continue;
        }
        all_remove(&owner->large, chunk);
        owner->chunk_bytes -= bytes;
        tn_chunk_free(heap, chunk);
    }
    tn_memory_free(heap->memory, owner->classes, owner->class_room * sizeof *owner->classes);
    memset(owner, 0, sizeof *owner);
    return true;
}

/* ---- checking ---------------------------------------------------------------------------------------- */

static bool chunk_check(const struct tn_heap *heap, const struct tn_heap_owner *owner,
                        const struct heap_chunk *chunk, const struct heap_class *class)
{
    uint32_t free_count = 0, i;

    for (i = 0; i < (chunk->slot_count + 63) / 64; i++) {
        free_count += (uint32_t)__builtin_popcountll(chunk->free_bits[i]);
        if (i < chunk->hint_word && chunk->free_bits[i] != 0)
            return false;
    }
    return chunk->owner == owner && heap_chunk_at(heap, chunk->first) == chunk &&
           chunk->slot_granules == class->slot_granules && free_count == chunk->free_count &&
           (free_count != 0) == (chunk->next != NULL);
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
        uint64_t class_bytes = 0;

        for (chunk = owner->classes[i].all; chunk != NULL; chunk = chunk->next_all) {
            class_bytes += chunk->committed_bytes;
            if (!chunk_check(heap, owner, chunk, &owner->classes[i]))
                return false;
        }
        if (class_bytes != owner->classes[i].chunk_bytes)
            return false;
        owner_bytes += class_bytes;
    }
    return owner_bytes == owner->chunk_bytes && owner_bytes <= heap->used_bytes;
}
