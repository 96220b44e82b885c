/*
 * chunk.c - regions and the chunks they are divided into; see chunk.h for the picture
 *
 * Life of a chunk's pages:
 *
 *     reserved --commit--> used --free--> kept --take--> used
 *         ^                                 |
 *         +-------------- trim -------------+        (P4; large records skip 'kept')
 *
 * A division whose chunks are all free and not kept goes back to being a free region.
 */
#include "base/poison.h"
#include "heap/chunk.h"

#include <string.h>

/* Pointers to chunks that a division has at first: 512 of them would be more than a small table. */
#define CHUNK_ROOM_FIRST 16u

static uint8_t *region_address(const struct tn_heap *heap, size_t region)
{
    return heap->base + (region << TN_REGION_SHIFT);
}

static uint8_t *chunk_address(const struct tn_heap *heap, const struct heap_division *division,
                              uint32_t number)
{
    return region_address(heap, division->region) + ((size_t)number << division->chunk_shift);
}

static uint64_t kept_bytes_max(const struct tn_heap *heap)
{
    const struct tn_budget *budget = heap->memory->budget;

    if (budget != NULL && tn_budget_is_tight(budget))
        return 0; /* other stores need it more */
    return heap->used_bytes / 8 + 4 * TN_MIB + heap->warm_bytes;
}

/* ---- committing ------------------------------------------------------------------------------ */

static bool pages_commit(struct tn_heap *heap, void *at, size_t bytes)
{
    unsigned flags = bytes >= TN_REGION_BYTES ? TN_OS_HUGE : 0;

    if (!tn_memory_charge(heap->memory, bytes)) {
        tn_heap_trim(heap, 0);
        if (!tn_memory_charge(heap->memory, bytes))
            return false;
    }
    if (heap->os->ops->pages_commit(heap->os->context, at, bytes, flags) < 0) {
        tn_memory_discharge(heap->memory, bytes);
        return false;
    }
    return true;
}

/*
 * Should the system refuse to take pages back (it has no reason to), they stay ours: they are
 * counted no more, which is the lesser evil next to a free that fails.
 */
static void pages_decommit(struct tn_heap *heap, void *at, size_t bytes)
{
    (void)heap->os->ops->pages_decommit(heap->os->context, at, bytes);
    tn_memory_discharge(heap->memory, bytes);
}

/* The first `count` bits of words that are 0. */
static void bits_set_first(uint64_t *bits, uint32_t count)
{
    for (; count >= 64; count -= 64)
        *bits++ = UINT64_MAX;
    if (count > 0)
        *bits = ((uint64_t)1 << count) - 1;
}

/* ---- regions --------------------------------------------------------------------------------- */

/* The region table grows a page at a time with the regions in use. */
static bool region_table_reach(struct tn_heap *heap, size_t regions)
{
    size_t need = tn_align_up(regions * sizeof *heap->regions, TN_OS_PAGE_BYTES);
    size_t have = heap->regions_committed_bytes;

    if (need <= have)
        return true;
    if (!pages_commit(heap, heap->base + have, need - have))
        return false;
    heap->regions_committed_bytes = need;
    return true;
}

/* The first of `count` free regions in a row; region_count when there is no such run. */
static size_t region_find(struct tn_heap *heap, size_t count)
{
    size_t run = 0, region = heap->region_hint;

    for (; region < heap->region_next; region++) {
        run = heap->regions[region] == NULL ? run + 1 : 0;
        if (run == count)
            return region + 1 - count;
    }
    region -= run; /* free ones at the end count toward the run */
    return region + count <= heap->region_count ? region : heap->region_count;
}

static size_t division_bytes(uint32_t chunk_room)
{
    return sizeof(struct heap_division) + chunk_room * sizeof(struct heap_chunk *);
}

static struct heap_division *division_new(struct tn_heap *heap, unsigned shift, size_t region_count)
{
    uint32_t chunk_count = region_count > 1 ? 1 : (uint32_t)(TN_REGION_BYTES >> shift);
    uint32_t chunk_room = (uint32_t)tn_min(chunk_count, CHUNK_ROOM_FIRST);
    size_t region = region_find(heap, region_count), i;
    struct heap_division *division;

    tn_memory_refuse(heap->memory, region == heap->region_count);
    if (region == heap->region_count || !region_table_reach(heap, region + region_count))
        return NULL;
    division = tn_memory_new(heap->memory, division_bytes(chunk_room), true);
    if (division == NULL)
        return NULL;
    division->chunk_room = chunk_room;
    division->region = (uint32_t)region;
    division->region_count = (uint32_t)region_count;
    division->chunk_shift = region_count > 1 ? 63 : shift;
    division->chunk_count = division->free_count = chunk_count;
    bits_set_first(division->free_bits, chunk_count);
    for (i = 0; i < region_count; i++)
        heap->regions[region + i] = division;
    heap->region_next = tn_max(heap->region_next, region + region_count);
    if (region == heap->region_hint)
        heap->region_hint = region + region_count;
    return division;
}

static void division_free(struct tn_heap *heap, struct heap_division *division)
{
    size_t i;

    for (i = 0; i < division->region_count; i++)
        heap->regions[division->region + i] = NULL;
    heap->region_hint = tn_min(heap->region_hint, division->region);
    tn_memory_free(heap->memory, division, division_bytes(division->chunk_room));
}

static struct heap_division **division_list(struct tn_heap *heap,
                                            const struct heap_division *division)
{
    return &heap->open[division->chunk_shift - TN_CHUNK_SHIFT_MIN];
}

static void division_link(struct tn_heap *heap, struct heap_division *division)
{
    struct heap_division **list = division_list(heap, division);

    division->previous = NULL;
    division->next = *list;
    if (*list != NULL)
        (*list)->previous = division;
    *list = division;
}

static void division_unlink(struct tn_heap *heap, struct heap_division *division)
{
    if (division->previous != NULL)
        division->previous->next = division->next;
    else
        *division_list(heap, division) = division->next;
    if (division->next != NULL)
        division->next->previous = division->previous;
}

/* With so many pointers to chunks: the division may move. NULL: refused, nothing changed. */
static struct heap_division *division_resize(struct tn_heap *heap, struct heap_division *division,
                                             uint32_t room)
{
    uint32_t old_room = division->chunk_room;

    division =
        tn_memory_resize(heap->memory, division, division_bytes(old_room), division_bytes(room));
    if (division == NULL)
        return NULL;
    if (room > old_room)
        memset(division->chunks + old_room, 0, (room - old_room) * sizeof *division->chunks);
    division->chunk_room = room;
    heap->regions[division->region] = division;
    if (division->previous != NULL)
        division->previous->next = division;
    else
        *division_list(heap, division) = division;
    if (division->next != NULL)
        division->next->previous = division;
    return division;
}

/* Half the pointers, as long as none of the others is used. Nothing is kept here. */
static void division_narrow(struct tn_heap *heap, struct heap_division *division)
{
    uint32_t room = division->chunk_room, used = room;

    while (used > 0 && division->chunks[used - 1] == NULL)
        used--;
    while (room > CHUNK_ROOM_FIRST && used <= room / 2)
        room /= 2;
    if (room < division->chunk_room)
        (void)division_resize(heap, division, room);
}

static bool bits_any(const uint64_t *bits)
{
    size_t i;

    for (i = 0; i < DIVISION_WORDS; i++) {
        if (bits[i] != 0)
            return true;
    }
    return false;
}

static uint32_t bits_first(const uint64_t *bits)
{
    uint32_t i;

    for (i = 0; bits[i] == 0; i++)
        tn_assert(i + 1 < DIVISION_WORDS);
    return i * 64 + (uint32_t)__builtin_ctzll(bits[i]);
}

/* ---- taking and giving the pages of a chunk -------------------------------------------------- */

/*
 * The first free chunk, kept ones first, and room to point to it; then the division, *at, may have
 * moved.
 */
static bool division_reach(struct tn_heap *heap, struct heap_division **at, uint32_t *number)
{
    struct heap_division *division = *at;

    *number = bits_first(bits_any(division->kept_bits) ? division->kept_bits : division->free_bits);
    if (*number < division->chunk_room)
        return true;
    /* By one at most: it is the first that is free. */
    division = division_resize(heap, division, 2 * division->chunk_room);
    if (division != NULL)
        *at = division;
    return division != NULL;
}

static void kept_take(struct tn_heap *heap, uint64_t bytes)
{
    heap->kept_bytes -= bytes;
    heap->warm_bytes -= tn_min(heap->warm_bytes, bytes); /* P4 */
}

/* The division, *at, may move, refused or not. */
static bool division_take(struct tn_heap *heap, struct heap_division **at, uint32_t *number)
{
    bool kept = bits_any((*at)->kept_bits);
    struct heap_division *division;
    size_t bytes;

    if (!division_reach(heap, at, number))
        return false;
    division = *at;
    bytes = (size_t)1 << division->chunk_shift;
    if (kept)
        kept_take(heap, bytes);
    else if (!pages_commit(heap, chunk_address(heap, division, *number), bytes))
        return false;
    heap->used_bytes += bytes;
    division->kept_bits[*number / 64] &= ~((uint64_t)1 << (*number % 64));
    division->free_bits[*number / 64] &= ~((uint64_t)1 << (*number % 64));
    if (--division->free_count == 0)
        division_unlink(heap, division);
    return true;
}

static void division_give_back(struct tn_heap *heap, struct heap_division *division,
                               uint32_t number, bool committed)
{
    if (division->free_count++ == 0)
        division_link(heap, division);
    division->chunks[number] = NULL;
    division->free_bits[number / 64] |= (uint64_t)1 << (number % 64);
    if (committed)
        division->kept_bits[number / 64] |= (uint64_t)1 << (number % 64);
    if (division->free_count == division->chunk_count && !bits_any(division->kept_bits)) {
        division_unlink(heap, division);
        division_free(heap, division);
    }
}

/* A division with a free chunk of that size: one with kept pages first, so that they are used up. */
static struct heap_division *division_with_free(struct tn_heap *heap, unsigned shift)
{
    struct heap_division *division = heap->open[shift - TN_CHUNK_SHIFT_MIN];

    for (; division != NULL && heap->kept_bytes > 0; division = division->next) {
        if (bits_any(division->kept_bits))
            return division;
    }
    division = heap->open[shift - TN_CHUNK_SHIFT_MIN];
    if (division != NULL)
        return division;
    division = division_new(heap, shift, 1);
    if (division != NULL)
        division_link(heap, division);
    return division;
}

static void division_drop_if_unused(struct tn_heap *heap, struct heap_division *division)
{
    if (division->free_count == division->chunk_count && !bits_any(division->kept_bits)) {
        division_unlink(heap, division);
        division_free(heap, division);
    }
}

/* ---- chunks ---------------------------------------------------------------------------------- */

static size_t chunk_struct_bytes(uint32_t slot_count)
{
    return sizeof(struct heap_chunk) + 2 * ((slot_count + 63) / 64 * sizeof(uint64_t));
}

static void chunk_free_all_slots(struct heap_chunk *chunk)
{
    bits_set_first(chunk->free_bits, chunk->slot_count);
    chunk->free_count = chunk->slot_count;
}

struct heap_chunk *tn_chunk_new(struct tn_heap *heap, unsigned shift, uint32_t slot_granules)
{
    uint32_t slot_count = (uint32_t)(((size_t)1 << shift) / TN_GRANULE_BYTES / slot_granules);
    struct heap_division *division;
    struct heap_chunk *chunk;
    uint32_t number;

    chunk = tn_memory_new(heap->memory, chunk_struct_bytes(slot_count), true);
    if (chunk == NULL)
        return NULL;
    division = division_with_free(heap, shift);
    if (division == NULL || !division_take(heap, &division, &number)) {
        if (division != NULL)
            division_drop_if_unused(heap, division);
        tn_memory_free(heap->memory, chunk, chunk_struct_bytes(slot_count));
        return NULL;
    }
    division->chunks[number] = chunk;
    chunk->first =
        ((tn_handle)division->region << REGION_GRANULE_SHIFT) + ((tn_handle)number << (shift - 3));
    chunk->committed_bytes = (uint64_t)1 << shift;
    chunk->slot_granules = slot_granules;
    chunk->slot_count = slot_count;
    chunk->reciprocal = (((uint64_t)1 << 32) + slot_granules - 1) / slot_granules;
    chunk_free_all_slots(chunk);
    tn_poison(tn_record_at(heap->base, chunk->first), chunk->committed_bytes); /* Z3 */
    return chunk;
}

static struct heap_division *division_for_large(struct tn_heap *heap, size_t bytes)
{
    unsigned shift = tn_log2(bytes - 1) + 1;
    struct heap_division *division;

    if (bytes > TN_REGION_BYTES)
        return division_new(heap, 0, (bytes + TN_REGION_BYTES - 1) >> TN_REGION_SHIFT);
    division = heap->open[shift - TN_CHUNK_SHIFT_MIN];
    if (division != NULL && division->free_count > 0 && !bits_any(division->kept_bits))
        return division;
    division = division_new(heap, shift, 1);
    if (division != NULL)
        division_link(heap, division);
    return division;
}

struct heap_chunk *tn_chunk_new_large(struct tn_heap *heap, size_t bytes)
{
    size_t committed_bytes = tn_align_up(bytes, TN_OS_PAGE_BYTES);
    struct heap_chunk *chunk = tn_memory_new(heap->memory, chunk_struct_bytes(1), true);
    struct heap_division *division = NULL;
    uint32_t number;

    if (chunk == NULL)
        return NULL;
    division = division_for_large(heap, committed_bytes);
    if (division == NULL || !division_reach(heap, &division, &number))
        goto refused;
    if (!pages_commit(heap, chunk_address(heap, division, number), committed_bytes))
        goto refused;
    division->free_bits[number / 64] &= ~((uint64_t)1 << (number % 64));
    if (--division->free_count == 0 && division->region_count == 1)
        division_unlink(heap, division);
    division->chunks[number] = chunk;
    chunk->first =
        (tn_handle)(chunk_address(heap, division, number) - heap->base) / TN_GRANULE_BYTES;
    chunk->committed_bytes = committed_bytes;
    chunk->slot_count = 1;
    heap->used_bytes += committed_bytes;
    return chunk;
refused:
    if (division != NULL && division->region_count > 1)
        division_free(heap, division);
    else if (division != NULL)
        division_drop_if_unused(heap, division);
    tn_memory_free(heap->memory, chunk, chunk_struct_bytes(1));
    return NULL;
}

void tn_chunk_free(struct tn_heap *heap, struct heap_chunk *chunk)
{
    struct heap_division *division = heap_division_at(heap, chunk->first);
    uint32_t number = heap_chunk_number(division, chunk->first);
    uint64_t bytes = chunk->committed_bytes;
    bool large = chunk->slot_granules == 0, keep;

    heap->used_bytes -= bytes;
    keep = !large && heap->kept_bytes + bytes <= kept_bytes_max(heap); /* P4 */
    if (keep) {
        heap->kept_bytes += bytes;
        tn_poison(chunk_address(heap, division, number), bytes); /* Z1 */
    } else {
        pages_decommit(heap, chunk_address(heap, division, number), bytes);
    }
    tn_memory_free(heap->memory, chunk, chunk_struct_bytes(chunk->slot_count));
    if (division->region_count > 1)
        division_free(heap, division);
    else
        division_give_back(heap, division, number, keep);
    if (heap->kept_bytes > kept_bytes_max(heap))
        tn_heap_trim(heap, kept_bytes_max(heap));
}

static void division_trim(struct tn_heap *heap, struct heap_division *division, uint64_t keep_bytes)
{
    size_t bytes = (size_t)1 << division->chunk_shift;

    if (!bits_any(division->kept_bits))
        return; /* perhaps fresh, with somebody about to take from it */
    while (heap->kept_bytes > keep_bytes && bits_any(division->kept_bits)) {
        uint32_t number = bits_first(division->kept_bits);

        division->kept_bits[number / 64] &= ~((uint64_t)1 << (number % 64));
        heap->kept_bytes -= bytes;
        pages_decommit(heap, chunk_address(heap, division, number), bytes);
    }
    if (division->free_count < division->chunk_count && !bits_any(division->kept_bits))
        division_narrow(heap, division);
    else
        division_drop_if_unused(heap, division);
}

void tn_heap_trim(struct tn_heap *heap, uint64_t keep_bytes)
{
    size_t list;

    for (list = 0; list < TN_CHUNK_SHIFTS; list++) {
        struct heap_division *division = heap->open[list], *next;

        for (; division != NULL && heap->kept_bytes > keep_bytes; division = next) {
            next = division->next;
            division_trim(heap, division, keep_bytes);
        }
    }
    heap->warm_bytes = tn_min(heap->warm_bytes, heap->kept_bytes);
}

/* ---- warm pages (P4) ------------------------------------------------------------------------- */

void tn_heap_warm(struct tn_heap *heap, uint64_t bytes)
{
    if (heap->memory->budget == NULL)
        heap->warm_bytes += bytes;
}

void tn_heap_cool_step(struct tn_heap *heap)
{
    heap->warm_bytes -= tn_min(heap->warm_bytes, TN_REGION_BYTES);
    if (heap->kept_bytes > kept_bytes_max(heap))
        tn_heap_trim(heap, kept_bytes_max(heap));
}
