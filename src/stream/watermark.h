/*
 * watermark.h - how far event time is believed complete, in one source and over several
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
 *
 * Several sources, each in its own order, have one watermark each; what is complete in all of them
 * is their minimum:
 *
 *     a   ....... x      own 10:20     active
 *     b   ... x          own 10:05     active      <- holds the others back, and is read next
 *     c   x              own 09:40     idle, or ended: does not count
 *     together           10:05
 *
 *   M1  The watermark of all is the least of those that are active, and never goes back.
 *   M2  A source that has not given a row holds it at INT64_MIN, until it is idle or has ended.
 *   M3  A row wakes an idle source. One that wakes behind the watermark of all does not hold it: it
 *       counts again when it has caught up.
 *   M4  When none is active, the watermark of all is the greatest they have reached: they agree
 *       that nothing more is known. That no rows can come at all is not for them to say.
 *   M5  Who is read next follows from the rows alone: the active source with the least watermark,
 *       of equal ones the first. So the order of rows does not depend on blocks or time.
 */
#ifndef TN_WATERMARK_H
#define TN_WATERMARK_H

#include "base/memory.h"

struct tn_watermark {
    int64_t bound_ms; /* >= 0 */
    int64_t time_ms;  /* the watermark; read it, change it through the functions */
};

void tn_watermark_init(struct tn_watermark *watermark, int64_t bound_ms);

/* A row with this time was taken. true: the watermark has moved. */
bool tn_watermark_advance(struct tn_watermark *watermark, int64_t time_ms);

/* It is at least this: INT64_MAX when no more rows come at all. true: as above (W2). */
bool tn_watermark_raise(struct tn_watermark *watermark, int64_t watermark_ms);

/* ---- several sources ------------------------------------------------------------------------- */

enum tn_source_state { TN_SOURCE_ACTIVE, TN_SOURCE_IDLE, TN_SOURCE_ENDED };

struct tn_watermark_source {
    struct tn_watermark own;
    enum tn_source_state state;
};

struct tn_watermarks {
    struct tn_memory *memory;
    struct tn_watermark_source *sources;
    size_t count;
    size_t next;     /* M5; SIZE_MAX: none is active */
    int64_t time_ms; /* the watermark of all; read it */
};

/* `count` > 0 sources, all active. false: no memory. */
bool tn_watermarks_init(struct tn_watermarks *all, struct tn_memory *memory, size_t count,
                        int64_t bound_ms);
void tn_watermarks_release(struct tn_watermarks *all);

/* A row of `source` with this time was read, late or not. true: the watermark of all has moved. */
bool tn_watermarks_advance(struct tn_watermarks *all, size_t source, int64_t time_ms);

/*
 * Go on where others stood: each source's own watermark and state have been set to what they were,
 * and that of all was `time_ms`.
 */
void tn_watermarks_resume(struct tn_watermarks *all, int64_t time_ms);

/* The source has become idle, or ended, or active again without a row. true: as above. */
bool tn_watermarks_set_state(struct tn_watermarks *all, size_t source, enum tn_source_state state);

#endif
