/*
 * window.h - event-time windows over a stream, one row at a time
 *
 * The caller pushes rows in arrival order; the operator keeps one accumulator per open window and
 * group, advances the watermark after each row, and emits the rows of a window when the watermark
 * passes its end. All state is in a tarn store, through tarn.h.
 *
 *     time -->      [ 10:00 )[ 11:00 )[ 12:00 )          windows, [start, end)
 *     rows           x  x x    x   x    x
 *     watermark                     ^ max time - late - 1 ms: all windows with end - 1 <= it fire
 *
 *     tumbling     [....)[....)[....)       every
 *     hopping      [....)                   every, slide < every: a row is in several windows
 *                    [....)
 *     sampling     [..)  [..)  [..)         every, slide > every: or in none
 *     sessions     [.....)      [..)        gap: a group's rows that follow each other within it
 *
 * Semantics: docs/WINDOWS.md. Values are exact decimals: stream/decimal.h.
 *
 * Rules
 *   W1  A window is [start, end): start = floor((time - offset) / slide) * slide + offset, rounding
 *       down before 1970 too, and every slide before that while it still holds the time. Starts and
 *       ends saturate at the ends of time; INT64_MIN is no time. A session is [first time, last
 *       time + gap); rows of a group whose [time, time + gap) touch are in one session.
 *   W2  A window is closed once end - 1 + grace <= watermark. A row is late for a window that was
 *       closed before it; LATE is a row that lies in windows and is late for all. (For a session:
 *       the one that the row would make, merged with those it touches.)
 *   W3  The watermark advances after each row, as far as options say, or by tn_window_advance; what
 *       is then due is emitted in the order of (end, key fields one by one, bytewise). So the
 *       result depends on the rows alone, not on how they come in batches.
 *   W4  A window without rows does not exist. FINAL emits a window once, when it closes. CHANGES
 *       emits it when end - 1 <= watermark, and then each group again that a row changes, at once.
 *       EVERY emits, when the watermark passes multiples of a time, what has changed since it did
 *       so last; at the end of input too.
 *   W5  A BAD row changes nothing at all. It is BAD whether it would be late or not.
 *   W6  After a failure, an overflow or a stop by emit the operator has stopped: push and finish
 *       answer the same again, and what was not emitted will not be.
 *   W7  The tables of the store say all: an operator that is saved, closed and opened again goes on
 *       as if nothing had happened.
 */
#ifndef TN_WINDOW_H
#define TN_WINDOW_H

#include "stream/aggregate.h"

#include <tarn.h>

struct tn_window;

enum tn_window_mode { TN_WINDOW_FINAL, TN_WINDOW_CHANGES, TN_WINDOW_EVERY };

struct tn_window_options {
    int64_t every_ms;  /* length of a window; > 0, or 0: sessions */
    int64_t slide_ms;  /* from one window's start to the next one's; 0: every_ms */
    int64_t offset_ms; /* windows start at multiples of the slide plus this; |offset| < slide */
    int64_t gap_ms;    /* of sessions: > 0; else 0 */
    int64_t late_ms;   /* bound of the watermark behind the greatest time; >= 0 */
    bool watermark_is_given; /* it comes by tn_window_advance alone; late_ms is not used */
    int64_t max_ahead_ms; /* > late_ms: a row further ahead of the watermark is BAD; 0: none is */
    int64_t grace_ms;     /* how long windows stay open behind their end; >= 0 */
    enum tn_window_mode mode;
    int64_t print_ms;                      /* of EVERY: > 0 */
    size_t key_count;                      /* fields that make a group; 0: one group */
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
    char op; /* '+': replaces what came before with this window and key; '-': takes that back */
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
    TN_WINDOW_LATE = 1, /* late for every window it belongs to; nothing changed but the watermark */
    TN_WINDOW_BAD = 2,  /* a field cannot be read; tn_window_reason says which and why; no change */
    TN_WINDOW_OVERFLOW =
        3, /* a sum left 128 bits: the run cannot go on; tn_window_reason says more */
    TN_WINDOW_OUTSIDE = 4, /* in no window: windows that slide on by more than their length */
};

struct tn_window_counts {
    uint64_t taken_count;
    uint64_t late_count;
    uint64_t outside_count;
    uint64_t bad_count;
    uint64_t emitted_count;
    uint64_t open_count;  /* slices of windows, or sessions, open now */
    int64_t watermark_ms; /* INT64_MIN before the first row */
};

/*
 * `store` and `memory` outlive the operator. State lies in tables of the store whose names begin
 * with "window "; `memory` is for the rest: buffers, the list of open slices, and a copy of the
 * window that fires. Where the store holds the state of an operator with these options, saved and
 * closed, this one goes on from there. TARN_E_MISUSE: options out of their ranges. On failure *out
 * is NULL, and tables without entries may be there.
 */
int tn_window_open(struct tn_window **out, tarn_store *store, struct tn_memory *memory,
                   const struct tn_window_options *options, tn_window_emit_fn *emit, void *context);

/*
 * Take a row; emits what is due then. Answers enum tn_window_answer, or < 0. An OVERFLOW may come
 * from a window that closes by this row, too.
 */
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
 * Put what is not in tables yet (the watermark, counts) into the table "window state", to be
 * committed with the rest. TARN_OK or a failure. Its keys that begin with "run " are the caller's.
 */
int tn_window_save(struct tn_window *window);

/*
 * Why a push was BAD or OVERFLOW, the last that was: "sum(x): not a number: \"abc\"". Printable
 * ASCII whatever the field held. Borrowed until the next push.
 */
const char *tn_window_reason(const struct tn_window *window);

void tn_window_count(const struct tn_window *window, struct tn_window_counts *out);

/* The tables stay. NULL is allowed. */
void tn_window_close(struct tn_window *window);

/* Close and drop the tables. NULL is allowed. */
void tn_window_drop(struct tn_window *window);

#endif
