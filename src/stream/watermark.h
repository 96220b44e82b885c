/*
 * watermark.h - how far event time is believed complete
 *
 * Bounded out-of-orderness: rows come at most `bound` behind the greatest time seen. A watermark w
 * says: no more rows with time <= w.
 *
 *     time     ... 98  99 100 | 101 102 103 ...     greatest time 103, bound 2
 *                          ^ watermark 100 = 103 - 2 - 1
 *
 * With bound 0 a row that equals the greatest time is not behind. (Systems without the '- 1' fire
 * when w >= end; here a window fires when w >= end - 1: the same rows.)
 *
 * Rules
 *   W1  watermark = greatest time - bound - 1 ms, and never below INT64_MIN.
 *   W2  It never goes back.
 *   W3  INT64_MIN until the first row: nothing is late before it.
 */
#ifndef TN_WATERMARK_H
#define TN_WATERMARK_H

#include "base/base.h"

struct tn_watermark {
    int64_t bound_ms; /* >= 0 */
    int64_t time_ms;  /* the watermark; read it, change it through the functions */
};

void tn_watermark_init(struct tn_watermark *watermark, int64_t bound_ms);

/* A row with this time was taken. true: the watermark has moved. */
bool tn_watermark_advance(struct tn_watermark *watermark, int64_t time_ms);

/* No more rows at all: the watermark is at the end of time, INT64_MAX. */
void tn_watermark_finish(struct tn_watermark *watermark);

#endif
