/*
 * watermark.c - see watermark.h for the rules
 */
#include "stream/watermark.h"

void tn_watermark_init(struct tn_watermark *watermark, int64_t bound_ms)
{
    tn_assert(bound_ms >= 0);
    *watermark = (struct tn_watermark){ .bound_ms = bound_ms, .time_ms = INT64_MIN };
}

bool tn_watermark_advance(struct tn_watermark *watermark, int64_t time_ms)
{
    int64_t candidate;

    if (__builtin_sub_overflow(time_ms, watermark->bound_ms, &candidate) || candidate == INT64_MIN)
        return false; /* W1: saturated, and no watermark is below that */
    return tn_watermark_raise(watermark, candidate - 1);
}

bool tn_watermark_raise(struct tn_watermark *watermark, int64_t watermark_ms)
{
    if (watermark_ms <= watermark->time_ms)
        return false; /* W2 */
    watermark->time_ms = watermark_ms;
    return true;
}

/* ---- several sources ------------------------------------------------------------------------- */

/* Look at all: who is next, and how far they are together. true: the watermark of all has moved. */
static bool watermarks_settle(struct tn_watermarks *all)
{
    int64_t least = INT64_MAX, greatest = INT64_MIN;
    bool holds = false;
    size_t i;

    all->next = SIZE_MAX;
    for (i = 0; i < all->count; i++) {
        const struct tn_watermark_source *source = &all->sources[i];
        int64_t own = source->own.time_ms;

        if (own > greatest)
            greatest = own;
        if (source->state != TN_SOURCE_ACTIVE)
            continue;
        if (all->next == SIZE_MAX || own < all->sources[all->next].own.time_ms)
            all->next = i;
        if (own < all->time_ms)
            continue; /* M3 */
        holds = true;
        if (own < least)
            least = own;
    }
    if (all->next == SIZE_MAX)
        least = greatest; /* M4 */
    else if (!holds)
        return false;
    if (least <= all->time_ms)
        return false;
    all->time_ms = least;
    return true;
}

bool tn_watermarks_init(struct tn_watermarks *all, struct tn_memory *memory, size_t count,
                        int64_t bound_ms)
{
    size_t i;

    tn_assert(count > 0);
    *all = (struct tn_watermarks){ .memory = memory, .count = count, .time_ms = INT64_MIN };
    all->sources = tn_memory_new(memory, count * sizeof *all->sources, true);
    if (all->sources == NULL)
        return false;
    for (i = 0; i < count; i++)
        tn_watermark_init(&all->sources[i].own, bound_ms);
    return true;
}

void tn_watermarks_release(struct tn_watermarks *all)
{
    if (all->sources != NULL)
        tn_memory_free(all->memory, all->sources, all->count * sizeof *all->sources);
    *all = (struct tn_watermarks){ 0 };
}

bool tn_watermarks_advance(struct tn_watermarks *all, size_t source, int64_t time_ms)
{
    bool moved = tn_watermark_advance(&all->sources[source].own, time_ms);

    if (TN_UNLIKELY(all->sources[source].state != TN_SOURCE_ACTIVE)) { /* M3 */
        all->sources[source].state = TN_SOURCE_ACTIVE;
        moved = true;
    }
    return moved && watermarks_settle(all);
}

bool tn_watermarks_set_state(struct tn_watermarks *all, size_t source, enum tn_source_state state)
{
    all->sources[source].state = state;
    return watermarks_settle(all);
}

void tn_watermarks_resume(struct tn_watermarks *all, int64_t time_ms)
{
    all->time_ms = time_ms;
    (void)watermarks_settle(all); /* it was settled: only who is next is found */
}
