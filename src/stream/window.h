/*
 * window.h - event-time windows over a stream, one row at a time
 *
 * The caller pushes rows in arrival order; the operator keeps one accumulator per open window and
 * group, advances the watermark after each row, and emits the rows of a window once, when the
 * watermark passes its end. All state is in a tarn store, through tarn.h.
 *
 *     time -->      [ 10:00 )[ 11:00 )[ 12:00 )          windows, [start, end)
 *     rows           x  x x    x   x    x
 *     watermark                     ^ max time - late - 1 ms: all windows with end - 1 <= it fire
 *
 * Semantics: docs/WINDOWS.md. Values are exact decimals: stream/decimal.h.
 */
#ifndef TN_WINDOW_H
#define TN_WINDOW_H

#include "stream/aggregate.h"

#include <tarn.h>

struct tn_window;

struct tn_window_options {
    int64_t every_ms;  /* length of a tumbling window; > 0 */
    int64_t offset_ms; /* windows start at multiples of every_ms plus this; |offset| < every */
    int64_t late_ms;   /* bound of the watermark behind the greatest time; >= 0 */
    size_t key_count;  /* fields that make a group; 0: one group */
    const struct tn_aggregate *aggregates; /* copied */
    size_t aggregate_count;
};

/* One input row. A field that is null, absent or empty has 0 bytes. All borrowed for the call. */
struct tn_window_event {
    int64_t time_ms;
    const tarn_bytes *keys;      /* key_count of them */
    const tarn_bytes *arguments; /* aggregate_count of them; of count(*) not read */
};

/* One output row; all borrowed for the call. values[i].data NULL: empty (null). */
struct tn_window_row {
    int64_t start_ms;
    int64_t end_ms;
    const tarn_bytes *keys;
    const tarn_bytes *values;
};

/* Non-zero stops the operator: the push or finish under way answers that value. */
typedef int tn_window_emit_fn(void *context, const struct tn_window_row *row);

/* What push answers besides failures (a tarn_result < 0, or what emit answered). */
enum tn_window_answer {
    TN_WINDOW_TAKEN = 0,
    TN_WINDOW_LATE = 1, /* late for every window it belongs to; dropped, nothing else changed */
    TN_WINDOW_BAD = 2,  /* a field cannot be read; tn_window_reason says which and why; no change */
    TN_WINDOW_OVERFLOW =
        3, /* a sum left 128 bits: the run cannot go on; tn_window_reason says more */
};

struct tn_window_counts {
    uint64_t taken_count;
    uint64_t late_count;
    uint64_t bad_count;
    uint64_t emitted_count;
    uint64_t open_count;  /* windows open now */
    int64_t watermark_ms; /* INT64_MIN before the first row */
};

/* `store` outlives the operator. The operator allocates through `memory`-less tables only. */
int tn_window_open(struct tn_window **out, tarn_store *store,
                   const struct tn_window_options *options, tn_window_emit_fn *emit, void *context);

int tn_window_push(struct tn_window *window, const struct tn_window_event *event);

/* End of input: the watermark goes to the end of time, every open window fires. */
int tn_window_finish(struct tn_window *window);

/* Why the last push was BAD or OVERFLOW: "sum(x): not a number: \"abc\"". Borrowed until the next push. */
const char *tn_window_reason(const struct tn_window *window);

void tn_window_count(const struct tn_window *window, struct tn_window_counts *out);

/* Drops the operator's tables too. NULL is allowed. */
void tn_window_close(struct tn_window *window);

#endif
