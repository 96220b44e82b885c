/*
 * heap.h - where records live
 *
 * One address range per store, reserved once, so that a 40-bit handle and a base make a pointer.
 * Regions of 2 MiB are divided into chunks of one size; a chunk belongs to one table (an *owner*)
 * and holds slots of one size class; larger records have chunks of their own.
 *
 *     range    | region table | region | region | region ...                    reserved, 1 TiB
 *     region   2 MiB: one chunk, or equal chunks of 4 KiB .. 1 MiB, or part of a large record
 *     chunk    | slot | slot | slot | ...            one owner, one class; free slots in a bitmap aside
 *     slot     a record and at most 5 % slack; when memory is refused, up to as much again
 *
 * Rules
 *   P1  A handle is stable until it is freed; 0 is never handed out.
 *   P2  Chunks of different owners never mix, so dropping an owner frees chunks, not records.
 *   P3  Freeing never fails and needs no memory.
 *   P4  Memory comes back: an empty chunk is given up as soon as its class has room elsewhere, or
 *       nothing left but this one, and it is larger than a first chunk; given up chunks are kept,
 *       committed, for the next taker, up to 1/8 of what is in use plus 4 MiB; none while a shared
 *       budget is nearly used up. A table that is cleared may be filled again: what it gives up
 *       stays *warm*, which is allowed on top of that, until it is taken, trimmed or has cooled, a
 *       region a tick.
 *   P5  Committed bytes, descriptors included, are counted in the store's tn_memory, kept ones too.
 *   P6  Free slots are recorded aside, never in the slots: a stale pointer cannot damage the heap.
 *   P7  What deletes leave behind comes back: the records of a sparse chunk are moved to free slots
 *       of other chunks of their class, one by one, until it is empty (evacuate.c). At most one
 *       chunk of an owner at a time is being emptied, and no record is put there meanwhile.
 *   P8  A slot in use can be marked: its record is one of those that the next commit writes.
 *       Marking needs no memory and cannot fail; freeing a slot ends its mark (marks.c).
 */
#ifndef TN_HEAP_H
#define TN_HEAP_H

#include "base/memory.h"
#include "heap/record.h"
#include "os/os.h"

#define TN_REGION_SHIFT 21
#define TN_REGION_BYTES ((size_t)1 << TN_REGION_SHIFT)
#define TN_CHUNK_SHIFT_MIN 12
#define TN_CHUNK_SHIFTS (TN_REGION_SHIFT - TN_CHUNK_SHIFT_MIN + 1)

/* Slots to 256 bytes in steps of 8, then 32 steps a doubling to 128 KiB; beyond: chunks of their own. */
#define TN_CLASS_COUNT 320

struct heap_division;
struct heap_class;
struct heap_chunk;

struct tn_heap {
    uint8_t *base; /* handle 0 */
    const struct tn_os *os;
    struct tn_memory *memory;
    size_t address_bytes;
    struct heap_division **regions; /* by region number, at the start of the range */
    size_t regions_committed_bytes;
    size_t region_count; /* in the range */
    size_t region_next;  /* regions from here on have never been used */
    size_t region_hint;  /* no free region below this */
    struct heap_division
        *open[TN_CHUNK_SHIFTS]; /* divisions that have free chunks, by chunk size */
    uint64_t used_bytes;        /* committed and handed out */
    uint64_t kept_bytes;        /* committed and free (P4) */
    uint64_t warm_bytes;        /* so much more may be kept (P4) */
    bool has_idle;              /* some class may have an empty chunk that it was left (P4) */
};

/* What one table holds of the heap. Zero-filled is empty. */
struct tn_heap_owner {
    struct heap_class *classes; /* of the sizes in use */
    uint16_t class_count;
    uint16_t class_room;
    bool sparse;                          /* some class may be less than half full */
    bool loose;                           /* some class may be less than 4/5 full */
    uint16_t class_index[TN_CLASS_COUNT]; /* 1 + place in classes; 0: none yet */
    struct heap_chunk *large;             /* chunks of one record each */
    struct heap_chunk *victim;            /* P7: being emptied; NULL: none */
    uint32_t victim_slot;                 /* no used slot of it below this one */
    struct heap_chunk *marked;            /* P8: chunks with marked slots */
    uint64_t chunk_bytes;
};

/* 0, -ENOMEM (no address space, no memory). address_bytes is tried, then halved, down to least_bytes. */
int tn_heap_open(struct tn_heap *heap, const struct tn_os *os, struct tn_memory *memory,
                 uint64_t address_bytes, uint64_t least_bytes);

/* Gives everything back; owners must have been freed. */
void tn_heap_close(struct tn_heap *heap);

/* Room for a record of `bytes`; TN_HANDLE_NONE when refused: memory->limit_refused tells by what. */
tn_handle tn_heap_allocate(struct tn_heap *heap, struct tn_heap_owner *owner, size_t bytes);

void tn_heap_free(struct tn_heap *heap, struct tn_heap_owner *owner, tn_handle handle);

/* Bytes from the record's start to the end of its slot. */
size_t tn_heap_slot_bytes(const struct tn_heap *heap, tn_handle handle);

/* Free about *budget_bytes of an owner's chunks, less what was spent. true: it holds nothing now. */
bool tn_heap_owner_free_step(struct tn_heap *heap, struct tn_heap_owner *owner,
                             uint64_t *budget_bytes);

/* Give up empty chunks that P4 leaves to classes: before memory is refused. */
void tn_heap_owner_trim(struct tn_heap *heap, struct tn_heap_owner *owner);

/* When P7 is worth its price: a class less than half full, or, with time to spare, less than 4/5. */
enum tn_heap_effort { TN_EFFORT_SPARSE, TN_EFFORT_LOOSE };

static inline bool tn_heap_is_uneven(const struct tn_heap_owner *owner, enum tn_heap_effort effort)
{
    return effort == TN_EFFORT_SPARSE ? owner->sparse : owner->loose;
}

/*
 * P7: the next record to move, `*from`, and a slot of the same size taken for it, `*to`: the caller
 * copies the record, makes it known there, and frees `*from`. A slot `pinned` holds no record
 * any more, but is lent. false: nothing to move, or not now.
 */
bool tn_heap_evacuate(struct tn_heap *heap, struct tn_heap_owner *owner, enum tn_heap_effort effort,
                      tn_handle pinned, tn_handle *from, tn_handle *to);

/* ---- marks (P8) ------------------------------------------------------------------------------ */

void tn_heap_mark(struct tn_heap *heap, struct tn_heap_owner *owner, tn_handle handle);
void tn_heap_unmark(struct tn_heap *heap, tn_handle handle);
bool tn_heap_is_marked(const struct tn_heap *heap, tn_handle handle);

/* All slots in use. */
void tn_heap_mark_all(struct tn_heap_owner *owner);
void tn_heap_unmark_all(struct tn_heap_owner *owner);

/* Bytes of slots that are marked. */
uint64_t tn_heap_marked_bytes(const struct tn_heap_owner *owner);

/*
 * Where a walk over marked slots is; zero-filled is the beginning. A slot may be freed once the
 * next is known.
 */
struct tn_heap_marks {
    struct heap_chunk *chunk;
    struct heap_chunk *next;
    uint32_t word;
    uint64_t bits; /* of this word, not yet given */
    bool started;
};

/* The next marked slot, in the order of addresses within a chunk; TN_HANDLE_NONE after the last. */
tn_handle tn_heap_marks_next(const struct tn_heap_owner *owner, struct tn_heap_marks *marks);

/* Give kept chunks back to the system until at most keep_bytes are kept. */
void tn_heap_trim(struct tn_heap *heap, uint64_t keep_bytes);

/* Of an owner's chunks, those of slots: large records' own are never kept. */
uint64_t tn_heap_slot_chunk_bytes(const struct tn_heap_owner *owner);

/*
 * P4: so many bytes that are about to be freed will be wanted again. Not where others share the
 * budget.
 */
void tn_heap_warm(struct tn_heap *heap, uint64_t bytes);

/* P4: another tick has passed. */
void tn_heap_cool_step(struct tn_heap *heap);

static inline void tn_heap_cool(struct tn_heap *heap)
{
    if (TN_UNLIKELY(heap->warm_bytes > 0))
        tn_heap_cool_step(heap);
}

/* Every rule that can be checked from here, slowly; for tests. */
bool tn_heap_check(const struct tn_heap *heap, const struct tn_heap_owner *owner);

static inline struct tn_record *tn_heap_record(const struct tn_heap *heap, tn_handle handle)
{
    return tn_record_at(heap->base, handle);
}

#endif
