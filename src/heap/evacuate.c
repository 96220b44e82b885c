/*
 * evacuate.c - emptying sparse chunks, so that their memory comes back (P7 of heap.h)
 *
 *     owner.sparse, .loose --choose--> victim, off the rings --record by record--> empty: given up
 *                 ^                        |
 *                 +-- nothing to gain -----+---- no room elsewhere any more: back on the rings
 *
 * The price is bounded by the effort. In a class less than half full the sparsest chunk is, too:
 * each record moved frees more than one slot; a delete that pays with a move or two keeps up.
 * Less than 4/5 full is worth it only in idle moments: up to four moves for a slot.
 */
#include "heap/class.h"

/* Chunks looked at in one level, which is a bound on the work and not on the result: most will do. */
#define CANDIDATES_MAX 8

/* Whether emptying the chunk gains something: with *shift 0 as things are, else by a new chunk. */
typedef bool class_gain_fn(const struct heap_class *class, const struct heap_chunk *chunk,
                           unsigned *shift);

/* All its records have room elsewhere in the class. */
static bool gain_as_things_are(const struct heap_class *class, const struct heap_chunk *chunk,
                               unsigned *shift)
{
    *shift = 0;
    return chunk != class->current && chunk->slot_count <= class->free_count;
}

/*
 * A class that consists of one chunk, or of few of very different sizes, has no room elsewhere; it
 * can have some in a chunk of at most half the size.
 */
static bool gain_by_smaller_chunk(const struct heap_class *class, const struct heap_chunk *chunk,
                                  unsigned *shift)
{
    size_t need = chunk->slot_count - chunk->free_count;

    need = (need + need / 8) * class->slot_granules * TN_GRANULE_BYTES;
    *shift = tn_class_chunk_shift(class, need);
    return (uint64_t)2 << *shift <= chunk->committed_bytes;
}

/* The sparsest chunk that it gains something to empty. NULL: there is none. */
static struct heap_chunk *class_victim(const struct heap_class *class, class_gain_fn *gain,
                                       unsigned *shift)
{
    unsigned level = HEAP_LEVEL_COUNT;

    while (level-- > 0) {
        struct heap_chunk *chunk = class->levels[level];
        unsigned i;

        for (i = 0; chunk != NULL && i < CANDIDATES_MAX; i++, chunk = chunk->next) {
            if (gain(class, chunk, shift))
                return chunk;
        }
    }
    return NULL;
}

/* *refused: there would be one if there were memory. */
static struct heap_chunk *class_victim_with_room(struct tn_heap *heap, struct tn_heap_owner *owner,
                                                 struct heap_class *class, bool *refused)
{
    unsigned shift;
    struct heap_chunk *victim = class_victim(class, gain_as_things_are, &shift);

    if (victim != NULL)
        return victim;
    victim = class_victim(class, gain_by_smaller_chunk, &shift);
    if (victim == NULL || tn_class_chunk_add_sized(heap, owner, class, shift) != NULL)
        return victim;
    *refused = true;
    return NULL;
}

static bool victim_choose_in(struct tn_heap *heap, struct tn_heap_owner *owner,
                             struct heap_class *class, enum tn_heap_effort effort, bool *refused)
{
    struct heap_chunk *victim = NULL;

    while (class_is_uneven(class, effort)) {
        victim = class_victim_with_room(heap, owner, class, refused);
        if (victim == NULL || victim->free_count < victim->slot_count)
            break;
        tn_class_chunk_remove(heap, owner, class, victim); /* empty, and there is room elsewhere */
    }
    if (victim == NULL || !class_is_uneven(class, effort))
        return false;
    tn_class_chunk_unlist(class, victim, HEAP_LEVEL_VICTIM);
    owner->victim = victim;
    owner->victim_slot = 0;
    return true;
}

static bool victim_choose(struct tn_heap *heap, struct tn_heap_owner *owner,
                          enum tn_heap_effort effort)
{
    bool refused = false;
    uint16_t i;

    if (!tn_heap_is_uneven(owner, effort))
        return false;
    for (i = 0; i < owner->class_count; i++) {
        if (victim_choose_in(heap, owner, &owner->classes[i], effort, &refused))
            return true;
    }
    owner->sparse = false;
    if (effort == TN_EFFORT_LOOSE)
        owner->loose = refused; /* then the next idle moment tries again */
    for (i = 0; i < owner->class_count; i++)
        tn_class_set_alarm(&owner->classes[i]);
    return false;
}

/* The first used slot at or behind victim_slot; the victim is not empty. */
static tn_handle victim_record(struct tn_heap_owner *owner)
{
    const struct heap_chunk *victim = owner->victim;
    uint32_t word = owner->victim_slot / 64;
    uint64_t used = ~victim->free_bits[word] & ~(uint64_t)0 << (owner->victim_slot % 64);

    while (used == 0)
        used = ~victim->free_bits[++word];
    owner->victim_slot = word * 64 + (uint32_t)__builtin_ctzll(used);
    tn_assert(owner->victim_slot < victim->slot_count);
    return victim->first + (tn_handle)owner->victim_slot * victim->slot_granules;
}

bool tn_heap_evacuate(struct tn_heap *heap, struct tn_heap_owner *owner, enum tn_heap_effort effort,
                      tn_handle pinned, tn_handle *from, tn_handle *to)
{
    struct heap_class *class;

    if (owner->victim == NULL && !victim_choose(heap, owner, effort))
        return false;
    *from = victim_record(owner);
    if (*from == pinned)
        return false;
    class = &owner->classes[owner->victim->class_place];
    if (class->current == NULL) { /* what room there was has been taken meanwhile */
        tn_class_chunk_list(class, owner->victim);
        owner->victim = NULL;
        return false;
    }
    *to = class_take_slot(heap, class);
    return true;
}
