/*
 * clocked_cover.c - see clocked_cover.h for the rules
 */
#include "stream/clocked_cover.h"

#include "stream/clocked_spans.h"

/* ---- merging --------------------------------------------------------------------------------- */

/* Where several are merged: without texts in memory (G5), else in a slice of its own. */
static int cover_begin_merge(struct tn_cover *cover)
{
    struct tn_clocked *clocked = cover->clocked;

    cover->in_sorted = cover->key == NULL && !clocked->parts->layout->has_texts &&
                       tn_sorted_begin(&clocked->sorted);
    if (cover->in_sorted || clocked->merged.blocks != NULL)
        return TARN_OK;
    return tn_slice_open(&clocked->merged, &clocked->slices, "window merged", true);
}

static int cover_merge(struct tn_cover *cover, const struct tn_slice *from)
{
    struct tn_clocked *clocked = cover->clocked;
    struct tn_parts *parts = clocked->parts;

    clocked->merge_count++;
    if (cover->in_sorted)
        return tn_sorted_merge(&clocked->sorted, from->blocks, parts->layout, parts->texts.errands,
                               &parts->reason);
    if (cover->key != NULL)
        return tn_slice_merge_group(&clocked->merged, from, &clocked->slices, *cover->key,
                                    &parts->reason);
    return tn_slice_merge(&clocked->merged, from, &clocked->slices, &parts->reason);
}

/* One more slice or node of the window. A window that has only one needs no merging. */
static int cover_add(struct tn_cover *cover, const struct tn_slice *slice)
{
    const struct tn_slice *merged = &cover->clocked->merged;
    int result = TARN_OK;

    if (cover->found == NULL) {
        cover->found = slice;
        return TARN_OK;
    }
    if (cover->found != merged) {
        result = cover_begin_merge(cover);
        if (result == TARN_OK)
            result = cover_merge(cover, cover->found);
        cover->found = merged;
    }
    return result == TARN_OK ? cover_merge(cover, slice) : result;
}

/* ---- slices and nodes ------------------------------------------------------------------------ */

struct tn_span *tn_clocked_slice_from(const struct tn_clocked *clocked, tn_wide ordinal)
{
    const struct tn_timeline *timeline = &clocked->levels[0];

    if (ordinal > INT64_MAX)
        return NULL;
    return tn_timeline_at(timeline, tn_timeline_place(timeline, tn_wide_saturate(ordinal)));
}

static int node_get(struct tn_clocked *clocked, size_t level, int64_t ordinal,
                    struct tn_span **out);

/* Take into a node what lies below it: slices, or nodes made for it. */
static int node_fill(struct tn_clocked *clocked, size_t level, const struct tn_span *node)
{
    tn_wide first = (tn_wide)node->ordinal * TN_NODE_CHILDREN;
    int result = TARN_OK;

    for (int i = 0; i < TN_NODE_CHILDREN && result == TARN_OK; i++) {
        struct tn_span *child = NULL;

        if (first + i != tn_wide_saturate(first + i))
            continue; /* outside of time */
        result = node_get(clocked, level - 1, (int64_t)(first + i), &child);
        if (result != TARN_OK || child == NULL)
            continue;
        clocked->merge_count++;
        result =
            tn_slice_merge(&node->slice, &child->slice, &clocked->slices, &clocked->parts->reason);
    }
    return result;
}

/* The slice or node of this ordinal. A node is made when there are slices below it (K3), else NULL. */
static int node_get(struct tn_clocked *clocked, size_t level, int64_t ordinal, struct tn_span **out)
{
    const struct tn_span *slice;
    int result;

    *out = tn_timeline_find(&clocked->levels[level], ordinal);
    if (*out != NULL || level == 0)
        return TARN_OK;
    slice = tn_clocked_slice_from(clocked, (tn_wide)ordinal * tn_level_width(level));
    if (slice == NULL || slice->ordinal > tn_span_last_ordinal(level, ordinal))
        return TARN_OK;
    result = tn_span_new(clocked, level, ordinal, out);
    if (result != TARN_OK)
        return result;
    if ((*out)->last_due_ms < clocked->next_drop_ms)
        clocked->next_drop_ms = (*out)->last_due_ms;
    return node_fill(clocked, level, *out);
}

/* The highest level that has a node which begins here and ends by then. */
static size_t level_of(const struct tn_clocked *clocked, tn_wide from, tn_wide end)
{
    size_t level = 0;

    while (level + 1 < clocked->level_count && from % tn_level_width(level + 1) == 0 &&
           from + tn_level_width(level + 1) <= end)
        level++;
    return level;
}

int tn_cover_window(struct tn_cover *cover, tn_wide window)
{
    struct tn_clocked *clocked = cover->clocked;
    tn_wide at = tn_edges_window_begin(&clocked->edges, window);
    tn_wide end = tn_edges_window_end(&clocked->edges, window);
    int result = TARN_OK;

    if (at < INT64_MIN)
        at = INT64_MIN; /* before time there is nothing, and it is where nodes of any level begin */
    while (result == TARN_OK && at < end) {
        const struct tn_span *slice = tn_clocked_slice_from(clocked, at);
        struct tn_span *span;
        size_t level;

        if (slice == NULL || slice->ordinal >= end)
            break;
        if (clocked->level_count == 1)
            at = slice->ordinal;
        level = level_of(clocked, at, end);
        result = node_get(clocked, level, (int64_t)(at >> (3 * level)), &span);
        if (result == TARN_OK && span != NULL)
            result = cover_add(cover, &span->slice);
        at += tn_level_width(level);
    }
    return result;
}
