/*
 * parts.h - what windows by the clock and sessions have in common
 *
 *                     window.c     rows read, watermark, answers
 *                     /      \
 *            clocked.c        sessions.c      which window, late or not, when it fires
 *                     \      /
 *                     parts.h      layout, texts, emission, rows that wait, and how far time is
 */
#ifndef TN_PARTS_H
#define TN_PARTS_H

#include "stream/pending.h"
#include "stream/slice.h"

struct tn_parts {
    tarn_store *store;
    struct tn_memory *memory;
    struct tn_layout *layout;
    struct tn_texts texts;
    struct tn_emission emission;
    struct tn_pending pending; /* with EVERY */
    struct tn_text reason;     /* why a row was refused, or the run ended */

    enum tn_window_mode mode;
    int64_t grace_ms;
    int64_t watermark_ms;
    uint64_t mark; /* of what changes now; EVERY prints what has it, then takes the next. > 0 */
};

/* What is closed: all that ends by this millisecond (W2). */
static inline int64_t tn_parts_closed_ms(const struct tn_parts *parts)
{
    int64_t closed_ms;

    if (parts->watermark_ms == INT64_MAX)
        return INT64_MAX; /* the end of input closes all */
    if (__builtin_sub_overflow(parts->watermark_ms, parts->grace_ms, &closed_ms))
        return INT64_MIN;
    return closed_ms;
}

/* What has fired: all that ends by this millisecond (W4). */
static inline int64_t tn_parts_fired_ms(const struct tn_parts *parts)
{
    return parts->mode == TN_WINDOW_CHANGES ? parts->watermark_ms : tn_parts_closed_ms(parts);
}

static inline int64_t tn_time_add(int64_t time_ms, int64_t more_ms)
{
    int64_t sum;

    return __builtin_add_overflow(time_ms, more_ms, &sum) ? INT64_MAX : sum;
}

#endif
