/*
 * timeline.c - see timeline.h for the rules
 */
#include "stream/timeline.h"

#include <string.h>

#define CAPACITY_MIN 16u

void tn_timeline_init(struct tn_timeline *timeline, struct tn_memory *memory)
{
    *timeline = (struct tn_timeline){ .memory = memory };
}

void tn_timeline_finish(struct tn_timeline *timeline)
{
    tn_memory_free(timeline->memory, timeline->spans,
                   timeline->capacity * sizeof(struct tn_span *));
    tn_timeline_init(timeline, timeline->memory);
}

size_t tn_timeline_place(const struct tn_timeline *timeline, int64_t ordinal)
{
    size_t low = timeline->first;
    size_t high = timeline->first + timeline->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (timeline->spans[middle]->ordinal < ordinal)
            low = middle + 1;
        else
            high = middle;
    }
    return low - timeline->first;
}

struct tn_span *tn_timeline_at(const struct tn_timeline *timeline, size_t place)
{
    return place < timeline->count ? timeline->spans[timeline->first + place] : NULL;
}

struct tn_span *tn_timeline_find(const struct tn_timeline *timeline, int64_t ordinal)
{
    struct tn_span *span = tn_timeline_at(timeline, tn_timeline_place(timeline, ordinal));

    return span != NULL && span->ordinal == ordinal ? span : NULL;
}

struct tn_span *tn_timeline_first(const struct tn_timeline *timeline)
{
    return timeline->count > 0 ? timeline->spans[timeline->first] : NULL;
}

bool tn_timeline_reserve(struct tn_timeline *timeline)
{
    size_t pointer_bytes = sizeof(struct tn_span *);
    size_t capacity;
    struct tn_span **spans;

    if (timeline->first + timeline->count < timeline->capacity)
        return true;
    if (timeline->first > timeline->capacity / 2) {
        memmove(timeline->spans, timeline->spans + timeline->first,
                timeline->count * pointer_bytes);
        timeline->first = 0;
        return true;
    }
    capacity = tn_max(2 * timeline->capacity, CAPACITY_MIN);
    spans = tn_memory_resize(timeline->memory, timeline->spans, timeline->capacity * pointer_bytes,
                             capacity * pointer_bytes);
    if (spans == NULL)
        return false;
    timeline->spans = spans;
    timeline->capacity = capacity;
    return true;
}

void tn_timeline_insert(struct tn_timeline *timeline, struct tn_span *span)
{
    size_t before = tn_timeline_place(timeline, span->ordinal);
    size_t after = timeline->count - before;
    struct tn_span **place;

    tn_assert(timeline->first + timeline->count < timeline->capacity);
    if (timeline->first > 0 && before < after) {
        timeline->first--;
        place = timeline->spans + timeline->first;
        memmove(place, place + 1, before * sizeof *place);
        place += before;
    } else {
        place = timeline->spans + timeline->first + before;
        memmove(place + 1, place, after * sizeof *place);
    }
    *place = span;
    timeline->count++;
}

void tn_timeline_remove_first(struct tn_timeline *timeline)
{
    tn_assert(timeline->count > 0);
    timeline->first++;
    timeline->count--;
    if (timeline->count == 0)
        timeline->first = 0;
}
