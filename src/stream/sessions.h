/*
 * sessions.h - windows that the rows of a group make: each goes on while rows keep coming
 *
 *     rows of "ann"    x  x   x           x            gap: ----
 *                      [----------)       [---)        sessions, [first time, last time + gap)
 *                                   x                  comes late, touches both: one session
 *                      [----------------------)
 *
 * A record holds a session: a head (below) and a block of accumulators. Nearly always a group has
 * one session, and a row finds it with one look-up by the group's key, and grows it in place. The
 * others that are open, older ones that wait for rows out of order, hang behind it as a chain:
 *
 *     "window sessions"   "ann" -> [ 7 | 11:20 .. 11:40 | older: 3 | block ]
 *     "window older"       3    -> [ 3 | 10:05 .. 10:35 | older: 0 | block ]
 *     "window texts"      (7, 2) -> "text of last(y)"                      by session number
 *     "window close"      (10:34:59.999, "ann") ...                        timers.h
 *     "window fire"       the same, with CHANGES: of those that have not fired
 *     "window changed"    "ann" -> nothing, with EVERY: keys that the next print looks at
 *     "window printed"     7    -> the row printed last                    pending.h
 *
 * Rules
 *   N1  A chain goes from the latest start to the earliest, and no two sessions in it touch. All
 *       are open: none ends by what is closed.
 *   N2  Each session has a close timer at close_ms <= last_ms; one that goes off too early is set
 *       anew at last_ms. With CHANGES, likewise fire_ms while it has not fired.
 *   N3  A timer whose time no session of its key has is left over, and does nothing.
 *   N4  Numbers are given once.
 */
#ifndef TN_SESSIONS_H
#define TN_SESSIONS_H

#include "stream/parts.h"
#include "stream/timers.h"

/* Timers and rows that wait have more in their keys than the group's. */
#define TN_SESSION_KEY_BYTES_MAX (TARN_KEY_BYTES_MAX - TN_PENDING_HEAD_BYTES)

enum tn_session_flag {
    TN_SESSION_FIRED = 1,   /* CHANGES: a row with these bounds, and what the block says, is out */
    TN_SESSION_PRINTED = 2, /* EVERY: a row with these bounds is out, and in "window printed" */
};

struct tn_session {
    uint64_t number; /* > 0 */
    uint64_t older;  /* the next in the chain; 0: none */
    int64_t start_ms;
    int64_t last_ms;  /* the last millisecond: last time + gap - 1 */
    int64_t close_ms; /* N2 */
    int64_t fire_ms;  /* N2; INT64_MIN: no timer */
    uint64_t flags;
    uint64_t mark; /* when it last changed */
};

/* A session of a chain, copied. */
struct tn_session_link {
    struct tn_session head;
    bool is_first; /* in "window sessions", under the key; else in "window older" */
};

struct tn_sessions {
    struct tn_parts *parts;
    int64_t gap_ms;
    uint64_t next_number;
    size_t record_bytes;
    tarn_table *first;
    tarn_table *older;
    tarn_table *texts;   /* NULL without texts */
    tarn_table *changed; /* NULL but with EVERY, as printed */
    tarn_table *printed;
    struct tn_timers close;
    struct tn_timers fire; /* CHANGES */

    struct tn_session_link *chain; /* of the key at hand */
    size_t chain_count;
    size_t chain_capacity;
    uint8_t *record; /* a copy of a record */
    uint8_t *key;    /* a copy of a key, to be split */
};

/*
 * TARN_OK or a failure; close it all the same. Goes on with the sessions that the store has, and
 * with sessions->next_number (> 0).
 */
int tn_sessions_open(struct tn_sessions *sessions, struct tn_parts *parts,
                     const struct tn_window_options *options);

/* Answers enum tn_window_answer, or what emit answered, or a failure. */
int tn_sessions_push(struct tn_sessions *sessions, const struct tn_slice_row *row);

/* The watermark has moved: fire, close. 0, TN_WINDOW_OVERFLOW, what emit answered, or a failure. */
int tn_sessions_advance(struct tn_sessions *sessions);

/* EVERY: have what has changed wait for the print. TARN_OK or a failure. */
int tn_sessions_print(struct tn_sessions *sessions);

uint64_t tn_sessions_count(const struct tn_sessions *sessions);

/* The tables stay, unless they are to be dropped. */
void tn_sessions_close(struct tn_sessions *sessions, bool drop);

#endif
