/*
 * clocked_cover.h - a window out of the slices and nodes that it is made of
 *
 *     window       [. . . . . . . . . . . . . . . . . )
 *     covered by   | |   1   |   1   |   1   | |           slices at its ends, the highest nodes between
 *
 * Rules
 *   V1  Each slice of the window that there is is in exactly one of the spans that cover it.
 *   V2  A window that one span covers is not merged: what is found is that span's own slice.
 *   V3  Several are merged into clocked->sorted when all groups are wanted and there are no texts
 *       (G5), else into the slice clocked->merged, which whoever called clears.
 *   V4  A node is made when a window needs it first (K3), and serves those after it.
 */
#ifndef TN_CLOCKED_COVER_H
#define TN_CLOCKED_COVER_H

#include "stream/clocked.h"

/* What is found on the way through a window; set clocked and key. */
struct tn_cover {
    struct tn_clocked *clocked;
    const tarn_bytes *key;        /* NULL: all groups */
    bool in_sorted;               /* what is merged is in clocked->sorted, and in no slice */
    const struct tn_slice *found; /* the only one so far, or the merged one; NULL: none */
};

/* Go through what a window is made of. TARN_OK, TN_SLICE_OVERFLOW, or a failure. */
int tn_cover_window(struct tn_cover *cover, tn_wide window);

/* The first slice that is not before this place; NULL: none. */
struct tn_span *tn_clocked_slice_from(const struct tn_clocked *clocked, tn_wide ordinal);

#endif
