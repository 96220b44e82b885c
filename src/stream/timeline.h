/*
 * timeline.h - the open slices of an operator, in the order of time
 *
 *     spans:   . . . | 10 | 11 | 13 | . . .           by ordinal (edges.h)
 *                      first ------> first + count
 *
 * Slices leave at the front and are born mostly at the back; both are O(1). One born in between
 * moves the shorter side by a place. Finding is a binary search.
 *
 * Rules
 *   T1  Spans are sorted by ordinal, no two have the same.
 *   T2  The timeline keeps pointers; spans lie where they lie until they are freed.
 */
#ifndef TN_TIMELINE_H
#define TN_TIMELINE_H

#include "stream/slice.h"

struct tn_span {
    int64_t ordinal;
    int64_t start_ms; /* of a slice of level 0: the times it takes */
    int64_t last_ms;
    int64_t first_due_ms; /* the last millisecond of the first window it lies in, */
    int64_t last_due_ms;  /* ... and of the last one */
    uint64_t mark;        /* the greatest that a row has left in it */
    struct tn_slice slice;
};

struct tn_timeline {
    struct tn_memory *memory;
    struct tn_span **spans;
    size_t first;
    size_t count;
    size_t capacity;
};

void tn_timeline_init(struct tn_timeline *timeline, struct tn_memory *memory);

/* The spans are the caller's. */
void tn_timeline_finish(struct tn_timeline *timeline);

/* The span of this ordinal, or NULL. */
struct tn_span *tn_timeline_find(const struct tn_timeline *timeline, int64_t ordinal);

/* How many spans have a lower ordinal: the place of the first that has not. */
size_t tn_timeline_place(const struct tn_timeline *timeline, int64_t ordinal);

/* The span at a place in order; NULL behind the last. */
struct tn_span *tn_timeline_at(const struct tn_timeline *timeline, size_t place);

/* The first span, or NULL. */
struct tn_span *tn_timeline_first(const struct tn_timeline *timeline);

/* Make sure that one insert cannot fail. false: no memory. */
bool tn_timeline_reserve(struct tn_timeline *timeline);
void tn_timeline_insert(struct tn_timeline *timeline, struct tn_span *span);
void tn_timeline_remove_first(struct tn_timeline *timeline);

#endif
