/*
 * class.c - the chunks of one size class of one owner, by how full they are; see class.h
 */
#include "heap/class.h"
#include "heap/size_class.h"

#define SLOTS_PER_CHUNK_MIN ((size_t)16)
#define CLASS_ROOM_FIRST 2
/* A new chunk is a sixteenth of what the class has, rounded up to a power of two. */
#define CHUNK_SHARE 16

/* ---- lists of chunks ------------------------------------------------------------------------- */

void tn_chunk_list_push(struct heap_chunk **list, struct heap_chunk *chunk)
{
    chunk->previous_all = NULL;
    chunk->next_all = *list;
    if (*list != NULL)
        (*list)->previous_all = chunk;
    *list = chunk;
}

void tn_chunk_list_remove(struct heap_chunk **list, struct heap_chunk *chunk)
{
    if (chunk->previous_all != NULL)
        chunk->previous_all->next_all = chunk->next_all;
    else
        *list = chunk->next_all;
    if (chunk->next_all != NULL)
        chunk->next_all->previous_all = chunk->previous_all;
}

/* A level is a ring, so that its end is at hand. */
static void ring_append(struct heap_chunk **ring, struct heap_chunk *chunk)
{
    if (*ring == NULL) {
        chunk->next = chunk->previous = chunk;
        *ring = chunk;
        return;
    }
    chunk->next = *ring;
    chunk->previous = (*ring)->previous;
    chunk->previous->next = chunk;
    chunk->next->previous = chunk;
}

static void ring_remove(struct heap_chunk **ring, struct heap_chunk *chunk)
{
    if (*ring == chunk)
        *ring = chunk->next == chunk ? NULL : chunk->next;
    chunk->previous->next = chunk->next;
    chunk->next->previous = chunk->previous;
    chunk->next = chunk->previous = NULL;
}

/* ---- levels ---------------------------------------------------------------------------------- */

static struct heap_chunk *class_fullest_listed(const struct heap_class *class)
{
    unsigned level = 0;

    while (level < HEAP_LEVEL_COUNT && class->levels[level] == NULL)
        level++;
    return level < HEAP_LEVEL_COUNT ? class->levels[level] : NULL;
}

/* What free_count asks for. A quarter is at least 4 slots, since a chunk has 16 or more. */
static void chunk_set_level(struct heap_chunk *chunk)
{
    uint32_t quarter = chunk->slot_count / 4, level = chunk->free_count / quarter;

    level = level < HEAP_LEVEL_SPARSE ? level : HEAP_LEVEL_SPARSE;
    chunk->level = chunk->free_count == 0 ? HEAP_LEVEL_FULL : level;
    chunk->level_first = level == 0 ? 1 : level * quarter;
    chunk->level_last =
        (level == HEAP_LEVEL_SPARSE ? chunk->slot_count : (level + 1) * quarter) - 1;
    if (chunk->free_count == 0)
        chunk->level_first = chunk->level_last = 0;
}

void tn_class_chunk_unlist(struct heap_class *class, struct heap_chunk *chunk,
                           enum heap_level level)
{
    if (heap_chunk_is_listed(chunk))
        ring_remove(&class->levels[chunk->level], chunk);
    chunk->level = level;
    chunk->level_first = 0;
    chunk->level_last = chunk->slot_count - 1;
    if (class->current == chunk)
        class->current = class_fullest_listed(class);
}

void tn_class_chunk_list(struct heap_class *class, struct heap_chunk *chunk)
{
    if (heap_chunk_is_listed(chunk))
        ring_remove(&class->levels[chunk->level], chunk);
    chunk_set_level(chunk);
    if (chunk->level == HEAP_LEVEL_FULL) {
        if (class->current == chunk)
            class->current = class_fullest_listed(class);
        return;
    }
    ring_append(&class->levels[chunk->level], chunk);
    if (class->current == NULL)
        class->current = chunk;
}

/* ---- alarms ---------------------------------------------------------------------------------- */

/* In steps of an eighth of what is used, so that emptying a class raises few. */
void tn_class_set_alarm(struct heap_class *class)
{
    uint64_t used_count = class->slot_count - class->free_count;
    uint64_t next_count = class->free_count + used_count / 8 + 1;

    class->alarm_count = tn_max(class->slot_count / 5 + 1, next_count);
}

void tn_class_alarm(struct tn_heap_owner *owner, struct heap_class *class)
{
    owner->loose |= class_is_uneven(class, TN_EFFORT_LOOSE);
    owner->sparse |= class_is_uneven(class, TN_EFFORT_SPARSE);
    tn_class_set_alarm(class);
}

/* ---- adding and removing --------------------------------------------------------------------- */

struct heap_class *tn_class_add(struct tn_heap *heap, struct tn_heap_owner *owner,
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

unsigned tn_class_chunk_shift(const struct heap_class *class, size_t bytes)
{
    size_t least_bytes = SLOTS_PER_CHUNK_MIN * class->slot_granules * TN_GRANULE_BYTES;
    unsigned shift = tn_log2(tn_max(bytes, least_bytes) - 1) + 1;

    shift = shift < TN_CHUNK_SHIFT_MIN ? TN_CHUNK_SHIFT_MIN : shift;
    return shift > TN_REGION_SHIFT ? TN_REGION_SHIFT : shift;
}

struct heap_chunk *tn_class_chunk_add_sized(struct tn_heap *heap, struct tn_heap_owner *owner,
                                            struct heap_class *class, unsigned shift)
{
    struct heap_chunk *chunk = tn_chunk_new(heap, shift, class->slot_granules);

    if (chunk == NULL)
        return NULL;
    chunk->owner = owner;
    chunk->class_place = (uint32_t)(class - owner->classes);
    class->chunk_bytes += chunk->committed_bytes;
    owner->chunk_bytes += chunk->committed_bytes;
    class->slot_count += chunk->slot_count;
    class->free_count += chunk->free_count;
    tn_chunk_list_push(&class->all, chunk);
    chunk->level = HEAP_LEVEL_FULL; /* not listed yet */
    tn_class_chunk_list(class, chunk);
    class->current = chunk;
    tn_class_set_alarm(class);
    return chunk;
}

struct heap_chunk *tn_class_chunk_add(struct tn_heap *heap, struct tn_heap_owner *owner,
                                      struct heap_class *class)
{
    unsigned least = tn_class_chunk_shift(class, 0);
    unsigned shift = tn_class_chunk_shift(class, class->chunk_bytes / CHUNK_SHARE);
    struct heap_chunk *chunk = tn_class_chunk_add_sized(heap, owner, class, shift);

    while (chunk == NULL && shift > least) /* near a limit: what is left comes in small pieces */
        chunk = tn_class_chunk_add_sized(heap, owner, class, --shift);
    return chunk;
}

void tn_class_chunk_remove(struct tn_heap *heap, struct tn_heap_owner *owner,
                           struct heap_class *class, struct heap_chunk *chunk)
{
    tn_class_chunk_unlist(class, chunk, HEAP_LEVEL_FULL);
    tn_chunk_list_remove(&class->all, chunk);
    class->chunk_bytes -= chunk->committed_bytes;
    owner->chunk_bytes -= chunk->committed_bytes;
    class->slot_count -= chunk->slot_count;
    class->free_count -= chunk->free_count;
    if (owner->victim == chunk)
        owner->victim = NULL;
    tn_class_set_alarm(class);
    tn_chunk_free(heap, chunk);
}

/* P4, for an only chunk: it stays while it is small, so that one record coming and going is cheap. */
static bool class_only_chunk_is_surplus(const struct heap_class *class)
{
    const struct heap_chunk *chunk = class->all;

    return chunk->next_all == NULL && chunk->free_count == chunk->slot_count &&
           chunk->committed_bytes > (uint64_t)1 << tn_class_chunk_shift(class, 0);
}

void tn_class_chunk_loosened(struct tn_heap *heap, struct tn_heap_owner *owner,
                             struct heap_class *class, struct heap_chunk *chunk)
{
    bool is_empty = chunk->free_count == chunk->slot_count;

    if (chunk->level != HEAP_LEVEL_VICTIM)
        tn_class_chunk_list(class, chunk);
    if (!is_empty)
        return;
    if (chunk == owner->victim || chunk->next != chunk || class_fullest_listed(class) != chunk)
        tn_class_chunk_remove(heap, owner, class, chunk);
    else
        heap->has_idle = true;
    if (class->all != NULL && class_only_chunk_is_surplus(class))
        tn_class_chunk_remove(heap, owner, class, class->all);
}
