/*
 * edges.h - windows that the clock cuts: where they begin and end, and what slices they share
 *
 * Windows of `size` begin every `slide`. Time is cut at their starts and ends and nowhere else, so
 * a slice lies in the same windows from its first millisecond to its last, and there are at most
 * two slices to a slide. Windows and slices are counted from 1970, by ordinals.
 *
 *     size 10, slide 4      window 0   [0 ........ 10)
 *                           window 1       [4 ........ 14)
 *                           window 2           [8 ........ 18)
 *     slices                    | 0  |1| 2  |3| 4  |5| 6  |7|       2k: [4k, 4k + 2), 2k + 1: the rest
 *
 *     size 3, slide 5       window 0   [0 . 3)     window 1 [5 . 8)      3 and 4 are in no window
 *
 * Rules
 *   E1  Window k is [k * slide + offset, k * slide + offset + size). Divisions round down.
 *   E2  What is told in milliseconds saturates at the ends of time; ordinals never do (windows may
 *       begin before time does: their ordinals have more than 64 bits).
 *   E3  Where the slide divides the size, a slide is one slice; else two.
 */
#ifndef TN_EDGES_H
#define TN_EDGES_H

#include "base/base.h"

__extension__ typedef __int128 tn_wide;

struct tn_edges {
    int64_t size_ms;
    int64_t slide_ms;
    int64_t offset_ms; /* 0 <= offset < slide */
    int64_t whole;     /* slides in a window, and what remains */
    int64_t rest_ms;
    int per_slide; /* slices: 1 or 2 */
};

/* size > 0, slide > 0, |offset| < slide. */
void tn_edges_init(struct tn_edges *edges, int64_t size_ms, int64_t slide_ms, int64_t offset_ms);

/* The slice of a time other than INT64_MIN. false: it is in no window. */
bool tn_edges_slice(const struct tn_edges *edges, int64_t time_ms, int64_t *ordinal);

/* The first and last millisecond of a slice. */
int64_t tn_edges_slice_start(const struct tn_edges *edges, int64_t ordinal);
int64_t tn_edges_slice_last(const struct tn_edges *edges, int64_t ordinal);

/* The first and the last window that a slice lies in. */
tn_wide tn_edges_first_window(const struct tn_edges *edges, int64_t ordinal);
tn_wide tn_edges_last_window(const struct tn_edges *edges, int64_t ordinal);

/* The slices of a window: [begin, end). Some may lie before time or behind it. */
tn_wide tn_edges_window_begin(const struct tn_edges *edges, tn_wide window);
tn_wide tn_edges_window_end(const struct tn_edges *edges, tn_wide window);

int64_t tn_edges_window_start_ms(const struct tn_edges *edges, tn_wide window);
int64_t tn_edges_window_end_ms(const struct tn_edges *edges, tn_wide window);
int64_t tn_edges_window_last_ms(const struct tn_edges *edges, tn_wide window);

/* The first window whose last millisecond is behind this time, which is not the end of time. */
tn_wide tn_edges_window_after(const struct tn_edges *edges, int64_t time_ms);

static inline int64_t tn_wide_saturate(tn_wide number)
{
    return number < INT64_MIN ? INT64_MIN : number > INT64_MAX ? INT64_MAX : (int64_t)number;
}

#endif
