/*
 * window_live.h - what stands below the table while `tarn window -o pretty` writes to a terminal
 *
 *     window_start              window_end                channel        n
 *     2015-09-12T00:00:00.000Z  2015-09-12T01:00:00.000Z  #en.wikipedia  420     table: stays
 *     ...
 *     ------------------------------------------------------------------------
 *     39,244 rows, 12,300/s   3 late   0 bad   2 open                            view: redrawn
 *     watermark 2015-09-12T01:10:04.999Z, 4s behind the clock
 *     most in the last window: #en.wikipedia 420, #fr.wikipedia 71
 *
 * Rules
 *   Y1  The view is taken off before anything else is written, and at the end: what is left on the
 *       terminal is what a pipe would have got.
 *   Y2  It is redrawn at most four times a second, and never wider than the terminal.
 *   Y3  Nowhere but on a terminal; there, a table without a view is had by TERM=dumb or a pipe.
 */
#ifndef TN_WINDOW_LIVE_H
#define TN_WINDOW_LIVE_H

#include "base/base.h"

#include <tarn.h>

#define TN_LIVE_GROUPS_MAX 5
#define TN_LIVE_GROUP_BYTES_MAX 64

struct tn_live_group {
    char text[TN_LIVE_GROUP_BYTES_MAX]; /* "key value", cut; nothing in it steers a terminal */
    double value;
};

struct tn_live {
    bool on;
    unsigned line_count; /* drawn, and on the terminal */
    uint64_t drawn_ns;
    uint64_t drawn_rows; /* then */
    double rows_per_s;

    int64_t end_ms;                                  /* of the window the groups are of */
    struct tn_live_group groups[TN_LIVE_GROUPS_MAX]; /* descending by value */
    size_t group_count;
};

struct tn_live_facts {
    uint64_t row_count;
    uint64_t late_count;
    uint64_t bad_count;
    uint64_t open_count;
    int64_t watermark_ms; /* INT64_MIN: none yet */
};

void tn_live_begin(struct tn_live *live, bool wanted);

/* Is it time to draw (Y2)? */
bool tn_live_is_due(const struct tn_live *live);
void tn_live_draw(struct tn_live *live, const struct tn_live_facts *facts);

/* Y1. Nothing happens when nothing is drawn. */
void tn_live_clear(struct tn_live *live);

/* A row was emitted: its window, its first key (or no bytes) and its first value. */
void tn_live_group(struct tn_live *live, int64_t end_ms, tarn_bytes key, tarn_bytes value);

#endif
