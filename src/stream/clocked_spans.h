/*
 * clocked_spans.h - the slices and nodes of windows by the clock: how they are born, listed, and
 * die
 *
 *     "window slices"          (level, ordinal) ...       the list: what there is, in the store
 *     clocked->levels[level]    tn_span | tn_span ...      the same in memory, by time
 *     "window slice 0 416"      blocks, " texts"           the tables of one
 *
 * A span is a slice (level 0) or a node of eight spans of the level below. What clocked.c and
 * clocked_cover.c know of them.
 *
 * Rules
 *   P1  A span is on its timeline, on the list, and has its tables, or none of the three, between
 *       two calls, as long as none has failed.
 *   P2  It goes when the last window that it lies in has closed, and has fired (K1).
 */
#ifndef TN_CLOCKED_SPANS_H
#define TN_CLOCKED_SPANS_H

#include "stream/clocked.h"

/* How many slices a node of this level has below it. */
static inline tn_wide tn_level_width(size_t level)
{
    return (tn_wide)1 << (3 * level);
}

/* The last slice of a span, as far as there are slices in time. */
static inline int64_t tn_span_last_ordinal(size_t level, int64_t ordinal)
{
    return tn_wide_saturate(((tn_wide)ordinal + 1) * tn_level_width(level) - 1);
}

/* A new span, on the list. *out is NULL when it could not be opened. */
int tn_span_new(struct tn_clocked *clocked, size_t level, int64_t ordinal, struct tn_span **out);

/* Drop what lies in no window that is still open, or has not fired (P2); sets next_drop_ms. */
int tn_spans_drop(struct tn_clocked *clocked);

/* Open the spans that the store has from before. */
int tn_spans_restore(struct tn_clocked *clocked);

/* Close all, and their timelines. The tables stay, unless they are to be dropped. */
void tn_spans_close(struct tn_clocked *clocked, bool drop);

#endif
