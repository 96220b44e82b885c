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
    candidate--;
    if (candidate <= watermark->time_ms)
        return false; /* W2 */
    watermark->time_ms = candidate;
    return true;
}

void tn_watermark_finish(struct tn_watermark *watermark)
{
    watermark->time_ms = INT64_MAX;
}
