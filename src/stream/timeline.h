/*
 * timeline.h - the open windows of an operator, in the order of their ends
 *
 *     spans:   . . . | 10:00 | 11:00 | 13:00 | . . .
 *                      first ------------> first + count
 *
 * Windows fire at the front and are born mostly at the back; both are O(1). One born in between
 * moves the shorter side by a place. Finding is a binary search.
 *
 * Rules
 *   T1  Spans are sorted by last_ms, and no two overlap.
 *   T2  last_ms, the greatest time a span takes, says when it is over. end_ms is last_ms + 1 except
 *       at the end of time, where it saturates; start_ms saturates at the beginning of time.
 *   T3  The timeline keeps pointers; spans lie where they lie until they are freed.
 */
#ifndef TN_TIMELINE_H
#define TN_TIMELINE_H

#include "stream/slice.h"

struct tn_span {
    int64_t start_ms;
    int64_t end_ms;
    int64_t last_ms;
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

/* The span that takes this time, or NULL. */
struct tn_span *tn_timeline_find(const struct tn_timeline *timeline, int64_t time_ms);

/* The span that ends first, or NULL. */
struct tn_span *tn_timeline_first(const struct tn_timeline *timeline);

/* Make sure that one insert cannot fail. false: no memory. */
bool tn_timeline_reserve(struct tn_timeline *timeline);
void tn_timeline_insert(struct tn_timeline *timeline, struct tn_span *span);
void tn_timeline_remove_first(struct tn_timeline *timeline);

#endif
