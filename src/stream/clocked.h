/*
 * clocked.h - windows that the clock cuts: tumbling, hopping, sampling
 *
 * A row goes into one slice (edges.h), whatever the overlap of windows. A window that fires merges
 * its slices: those of a day that slides by a second would be 86,400. Where a window has more than
 * 16 slices, eight slices that are there to stay are merged once into a node of level 1, eight of
 * those into one of level 2, ... A window is then covered by a few nodes of each level:
 *
 *     level 2                 |               |
 *     level 1         |   |   |   |   |   |   |   |   |
 *     slices      ||||||||||||||||||||||||||||||||||||||||||
 *     window        [. . . . . . . . . . . . . . . . . )       2 slices, 1 + 2 nodes, 1 slice
 *
 * A row for a slice below nodes goes into each of them as well: one to a level.
 *
 * clocked_spans.h has slices and nodes, clocked_cover.h how a window is made of them.
 *
 *     "window slices"           (level, ordinal) -> nothing, of each slice and node there is
 *     "window slice 0 416"      its blocks, and " texts"
 *     "window merged"           of the window that fires; empty between two calls
 *
 * Rules
 *   K1  A slice lives from its first row to the close of the last window it lies in. A row whose
 *       slice lives, or may, is taken; no other is (W2).
 *   K2  Windows before next_window have fired, or have nothing to fire with.
 *   K3  A node holds what its slices hold, from the moment it is made to the end of the last.
 *   K4  next_fire_ms and next_drop_ms: before the watermark gets there, there is nothing to do.
 */
#ifndef TN_CLOCKED_H
#define TN_CLOCKED_H

#include "stream/edges.h"
#include "stream/parts.h"
#include "stream/sorted.h"
#include "stream/timeline.h"

#define TN_LEVEL_COUNT_MAX 22u  /* eight to the power of 21 is more than there are slices */
#define TN_NODE_CHILDREN 8      /* docs/decisions/0015 */
#define TN_SLICES_DIRECT_MAX 16 /* a window of no more slices merges them as they are */

struct tn_clocked {
    struct tn_parts *parts;
    struct tn_edges edges;
    struct tn_slices slices;
    struct tn_sorted sorted;
    struct tn_timeline levels[TN_LEVEL_COUNT_MAX]; /* 0: slices; above: nodes */
    size_t level_count;
    struct tn_span *recent; /* took the last row, and is open; or NULL */
    struct tn_slice merged; /* opened when it is needed first */
    tarn_table *list;
    tn_wide next_window;  /* K2 */
    int64_t next_fire_ms; /* K4 */
    int64_t next_drop_ms;
    uint64_t merge_count; /* slices and nodes merged into windows and nodes, ever */
};

/* TARN_OK or a failure; close it all the same. Goes on with the slices that the store has. */
int tn_clocked_open(struct tn_clocked *clocked, struct tn_parts *parts,
                    const struct tn_window_options *options);

/* Answers enum tn_window_answer, or a failure. */
int tn_clocked_push(struct tn_clocked *clocked, const struct tn_slice_row *row);

/* The watermark has moved: fire, drop. 0, TN_WINDOW_OVERFLOW, what emit answered, or a failure. */
int tn_clocked_advance(struct tn_clocked *clocked);

/* EVERY: emit the windows that are open and have changed. Answers likewise. */
int tn_clocked_print(struct tn_clocked *clocked);

/* The tables stay, unless they are to be dropped. */
void tn_clocked_close(struct tn_clocked *clocked, bool drop);

#endif
