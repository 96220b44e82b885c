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
 *
 * Rules
 *   W1  A window is [start, end): start = floor((time - offset) / every) * every + offset, rounding
 *       down before 1970 too. Starts and ends saturate at the ends of time; INT64_MIN is no time.
 *   W2  A row is late for a window iff end - 1 <= watermark, as the watermark stood before the row.
 *   W3  The watermark advances after each row; then every window with end - 1 <= watermark fires,
 *       in the order of (end, key fields one by one, bytewise). So the result depends on the rows
 *       alone, not on how they come in batches.
 *   W4  A window without rows does not exist. A window fires once.
 *   W5  A BAD row changes nothing at all. It is BAD whether it would be late or not.
 *   W6  After a failure, an overflow or a stop by emit the operator has stopped: push and finish
 *       answer the same again, and what was not emitted will not be.
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
    bool watermark_is_given; /* it comes by tn_window_advance alone; late_ms is not used */
    size_t key_count;        /* fields that make a group; 0: one group */
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

/*
 * Answers 0, or a number < 0 to stop the operator: the push or finish under way answers that
 * number. Must not write to the store, nor call the operator.
 */
typedef int tn_window_emit_fn(void *context, const struct tn_window_row *row);

/* What push answers besides failures (< 0: a tarn_result, or what emit answered). */
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

/*
 * `store` and `memory` outlive the operator. State lies in tables of the store whose names begin
 * with "window "; `memory` is for the rest: buffers, the list of open windows, and a copy of the
 * window that fires. TARN_E_MISUSE: options out of their ranges. On failure *out is NULL.
 */
int tn_window_open(struct tn_window **out, tarn_store *store, struct tn_memory *memory,
                   const struct tn_window_options *options, tn_window_emit_fn *emit, void *context);

/* Take a row; emits what is due then. Answers enum tn_window_answer, or < 0. */
int tn_window_push(struct tn_window *window, const struct tn_window_event *event);

/*
 * The watermark is at least `watermark_ms`, as the caller knows from several sources
 * (watermark.h); emits what is due then. A lower one than before is ignored. 0, or as finish.
 */
int tn_window_advance(struct tn_window *window, int64_t watermark_ms);

/*
 * End of input: the watermark goes to the end of time, every open window fires. 0, or what a push
 * under way would answer. Without it, nothing more is emitted. Rows pushed later are late.
 */
int tn_window_finish(struct tn_window *window);

/*
 * Why a push was BAD or OVERFLOW, the last that was: "sum(x): not a number: \"abc\"". Printable
 * ASCII whatever the field held. Borrowed until the next push.
 */
const char *tn_window_reason(const struct tn_window *window);

void tn_window_count(const struct tn_window *window, struct tn_window_counts *out);

/* Drops the operator's tables too. NULL is allowed. */
void tn_window_close(struct tn_window *window);

#endif
