/*
 * clocked.c - see clocked.h for the rules
 */
#include "stream/clocked.h"

#include "stream/clocked_cover.h"
#include "stream/clocked_spans.h"

#include <string.h>

/* ---- emitting -------------------------------------------------------------------------------- */

/* How a window's rows leave. */
enum outlet { OUTLET_ALL, OUTLET_MARKED, OUTLET_WAIT };

static int group_leave(struct tn_clocked *clocked, const struct tn_slice *slice,
                       const struct tn_emission_head *head, size_t index, enum outlet outlet)
{
    struct tn_parts *parts = clocked->parts;
    const void *block = tn_sorted_block(&clocked->sorted, index);
    size_t key_bytes;
    uint8_t *key;
    int result;

    if (outlet != OUTLET_ALL && tn_layout_mark(parts->layout, block) != parts->mark)
        return 0;
    result = tn_emission_fill(&parts->emission, slice->texts, block);
    if (result != TARN_OK)
        return result;
    key = tn_sorted_key(&clocked->sorted, index, &key_bytes);
    if (outlet == OUTLET_WAIT)
        return tn_pending_put(&parts->pending, head,
                              (tarn_bytes){ .data = key, .bytes = key_bytes });
    return tn_emission_send(&parts->emission, head, key, key_bytes);
}

/* The groups of a window, in the order of their keys. */
static int window_leave(struct tn_clocked *clocked, tn_wide window, enum outlet outlet)
{
    const struct tn_emission_head head = {
        .start_ms = tn_edges_window_start_ms(&clocked->edges, window),
        .end_ms = tn_edges_window_end_ms(&clocked->edges, window),
        .tie_ms = tn_edges_window_start_ms(&clocked->edges, window),
        .op = '+',
    };
    struct tn_cover cover = { .clocked = clocked };
    int result = tn_cover_window(&cover, window);

    if (result != TARN_OK || cover.found == NULL)
        return result;
    if (cover.in_sorted)
        tn_sorted_order(&clocked->sorted);
    else
        result = tn_sorted_fill(&clocked->sorted, cover.found->blocks);
    for (size_t i = 0; result == 0 && i < clocked->sorted.entry_count; i++)
        result = group_leave(clocked, cover.found, &head, i, outlet);
    if (result == 0 && cover.found == &clocked->merged && !cover.in_sorted)
        result = tn_slice_clear(&clocked->merged);
    return result;
}

/* One group of a window, which has fired. */
static int window_leave_group(struct tn_clocked *clocked, tn_wide window, tarn_bytes key)
{
    struct tn_parts *parts = clocked->parts;
    const struct tn_emission_head head = {
        .start_ms = tn_edges_window_start_ms(&clocked->edges, window),
        .end_ms = tn_edges_window_end_ms(&clocked->edges, window),
        .tie_ms = tn_edges_window_start_ms(&clocked->edges, window),
        .op = '+',
    };
    struct tn_cover cover = { .clocked = clocked, .key = &key };
    const void *block;
    size_t block_bytes;
    int result = tn_cover_window(&cover, window);

    if (result != TARN_OK || cover.found == NULL)
        return result;
    result = tarn_get(cover.found->blocks, key.data, key.bytes, &block, &block_bytes);
    if (result == TARN_OK)
        result = tn_emission_fill(&parts->emission, cover.found->texts, block);
    if (result != TARN_OK)
        return result == TARN_ABSENT ? TARN_E_CORRUPT : result; /* the row went in just now */
    memcpy(clocked->slices.key, key.data, key.bytes);
    result = tn_emission_send(&parts->emission, &head, clocked->slices.key, key.bytes);
    if (result == 0 && cover.found == &clocked->merged)
        result = tn_slice_clear(&clocked->merged);
    return result;
}

/* ---- firing ---------------------------------------------------------------------------------- */

/* The first window that may have something to fire with. false: there is none (K2). */
static bool window_next(struct tn_clocked *clocked, tn_wide *window)
{
    const struct tn_edges *edges = &clocked->edges;
    const struct tn_span *slice =
        tn_clocked_slice_from(clocked, tn_edges_window_begin(edges, clocked->next_window));

    if (slice == NULL)
        return false;
    *window = tn_edges_first_window(edges, slice->ordinal);
    if (*window < clocked->next_window)
        *window = clocked->next_window;
    return true;
}

/* Has a row since the last print come into this window? */
static bool window_has_changed(const struct tn_clocked *clocked, tn_wide window)
{
    tn_wide end = tn_edges_window_end(&clocked->edges, window);
    const struct tn_timeline *slices = &clocked->levels[0];
    size_t place =
        tn_timeline_place(slices, tn_wide_saturate(tn_edges_window_begin(&clocked->edges, window)));
    const struct tn_span *slice;

    for (; (slice = tn_timeline_at(slices, place)) != NULL && slice->ordinal < end; place++)
        if (slice->mark == clocked->parts->mark)
            return true;
    return false;
}

/* Fire every window that is over (W3, W4). */
static int windows_fire(struct tn_clocked *clocked)
{
    struct tn_parts *parts = clocked->parts;
    int64_t fired_ms = tn_parts_fired_ms(parts);
    tn_wide window;
    int result = 0;

    while (result == 0 && window_next(clocked, &window)) {
        clocked->next_fire_ms = tn_edges_window_last_ms(&clocked->edges, window);
        if (clocked->next_fire_ms > fired_ms)
            return 0;
        if (parts->mode != TN_WINDOW_EVERY)
            result = window_leave(clocked, window, OUTLET_ALL);
        else if (window_has_changed(clocked, window))
            result = window_leave(clocked, window, OUTLET_WAIT);
        if (result == 0) {
            clocked->next_window = window + 1;
            result = tn_spans_drop(clocked);
        }
    }
    if (result == 0)
        clocked->next_fire_ms = INT64_MAX;
    return result;
}

static int answer_of(int result)
{
    return result == TN_SLICE_OVERFLOW ? TN_WINDOW_OVERFLOW : result;
}

int tn_clocked_advance(struct tn_clocked *clocked)
{
    int result = 0;

    if (clocked->next_fire_ms <= tn_parts_fired_ms(clocked->parts))
        result = windows_fire(clocked);
    if (result == 0 && clocked->next_drop_ms <= tn_parts_closed_ms(clocked->parts))
        result = tn_spans_drop(clocked);
    return answer_of(result);
}

int tn_clocked_print(struct tn_clocked *clocked)
{
    const struct tn_edges *edges = &clocked->edges;
    const struct tn_timeline *slices = &clocked->levels[0];
    tn_wide window = clocked->next_window;
    int result = 0;

    for (size_t place = 0; result == 0 && place < slices->count; place++) {
        const struct tn_span *slice = tn_timeline_at(slices, place);

        if (slice->mark != clocked->parts->mark)
            continue;
        if (window < tn_edges_first_window(edges, slice->ordinal))
            window = tn_edges_first_window(edges, slice->ordinal);
        for (; result == 0 && window <= tn_edges_last_window(edges, slice->ordinal); window++)
            result = window_leave(clocked, window, OUTLET_MARKED);
    }
    return answer_of(result);
}

/* ---- rows ------------------------------------------------------------------------------------ */

/* A new slice: windows it lies in have something to fire with now. */
static int slice_new(struct tn_clocked *clocked, int64_t ordinal, struct tn_span **out)
{
    const struct tn_edges *edges = &clocked->edges;
    int64_t fired_ms = tn_parts_fired_ms(clocked->parts);
    tn_wide open = fired_ms < INT64_MAX ? tn_edges_window_after(edges, fired_ms) : 0;
    tn_wide window;
    int result = tn_span_new(clocked, 0, ordinal, out);

    if (result != TARN_OK)
        return result;
    if (clocked->next_window < open) /* K2: what ended before was empty */
        clocked->next_window = open;
    if (window_next(clocked, &window))
        clocked->next_fire_ms = tn_edges_window_last_ms(edges, window);
    if ((*out)->last_due_ms < clocked->next_drop_ms)
        clocked->next_drop_ms = (*out)->last_due_ms;
    return TARN_OK;
}

/* The slice that takes this time. Answers enum tn_window_answer, or a failure. */
static int slice_get(struct tn_clocked *clocked, int64_t time_ms, struct tn_span **out)
{
    struct tn_span *recent = clocked->recent;
    const struct tn_edges *edges = &clocked->edges;
    int64_t ordinal, due_ms;
    int result = TARN_OK;

    *out = recent;
    if (TN_LIKELY(recent != NULL && recent->start_ms <= time_ms && time_ms <= recent->last_ms))
        return TN_WINDOW_TAKEN;
    if (!tn_edges_slice(edges, time_ms, &ordinal))
        return TN_WINDOW_OUTSIDE;
    *out = tn_timeline_find(&clocked->levels[0], ordinal);
    if (*out == NULL) {
        due_ms = tn_edges_window_last_ms(edges, tn_edges_last_window(edges, ordinal));
        if (due_ms <= tn_parts_closed_ms(clocked->parts))
            return TN_WINDOW_LATE; /* K1 */
        result = slice_new(clocked, ordinal, out);
    }
    if (result == TARN_OK)
        clocked->recent = *out;
    return result;
}

/* The row goes into the nodes above its slice, too (K3). */
static int nodes_update(struct tn_clocked *clocked, int64_t ordinal, const struct tn_slice_row *row)
{
    int result = TARN_OK;

    for (size_t level = 1; level < clocked->level_count && result == TARN_OK; level++) {
        const struct tn_span *node =
            tn_timeline_find(&clocked->levels[level], ordinal >> (3 * level));

        if (node != NULL)
            result = tn_slice_update(&node->slice, &clocked->slices, row, &clocked->parts->reason);
    }
    return result;
}

/* CHANGES: the windows that have fired and are open say anew what they have of the row's group. */
static int windows_refire(struct tn_clocked *clocked, const struct tn_span *slice, tarn_bytes key)
{
    const struct tn_edges *edges = &clocked->edges;
    int64_t closed_ms = tn_parts_closed_ms(clocked->parts);
    tn_wide last = tn_edges_last_window(edges, slice->ordinal);
    tn_wide window = tn_edges_first_window(edges, slice->ordinal);
    int result = 0;

    for (; result == 0 && window <= last; window++) {
        int64_t due_ms = tn_edges_window_last_ms(edges, window);

        if (due_ms <= closed_ms)
            continue;
        if (due_ms > clocked->parts->watermark_ms)
            break;
        result = window_leave_group(clocked, window, key);
    }
    return result;
}

int tn_clocked_push(struct tn_clocked *clocked, const struct tn_slice_row *row)
{
    struct tn_parts *parts = clocked->parts;
    struct tn_span *span;
    int result = slice_get(clocked, row->time_ms, &span);

    if (result != TN_WINDOW_TAKEN)
        return result;
    clocked->slices.mark = parts->mark;
    span->mark = parts->mark;
    result = tn_slice_update(&span->slice, &clocked->slices, row, &parts->reason);
    if (result == TARN_OK && clocked->level_count > 1)
        result = nodes_update(clocked, span->ordinal, row);
    if (result == TARN_OK && parts->mode == TN_WINDOW_CHANGES &&
        span->first_due_ms <= parts->watermark_ms)
        result = windows_refire(clocked, span, row->key);
    return answer_of(result);
}

/* ---- open and close -------------------------------------------------------------------------- */

/* Where the watermark says that firing goes on (K2, K4). */
static void firing_restore(struct tn_clocked *clocked)
{
    int64_t fired_ms = tn_parts_fired_ms(clocked->parts);

    clocked->next_window = fired_ms < INT64_MAX
                               ? tn_edges_window_after(&clocked->edges, fired_ms)
                               : tn_edges_window_after(&clocked->edges, INT64_MAX - 1);
    clocked->next_fire_ms = INT64_MIN; /* look */
    clocked->next_drop_ms = INT64_MIN;
}

/* Levels of nodes that fit into a window. */
static size_t levels_for(const struct tn_edges *edges)
{
    tn_wide slice_count = tn_edges_window_end(edges, 0);
    size_t count = 1;

    if (slice_count <= TN_SLICES_DIRECT_MAX)
        return 1;
    while (count < TN_LEVEL_COUNT_MAX && tn_level_width(count) <= slice_count)
        count++;
    return count;
}

int tn_clocked_open(struct tn_clocked *clocked, struct tn_parts *parts,
                    const struct tn_window_options *options)
{
    int64_t slide_ms = options->slide_ms > 0 ? options->slide_ms : options->every_ms;
    int result;

    *clocked = (struct tn_clocked){ .parts = parts };
    tn_edges_init(&clocked->edges, options->every_ms, slide_ms, options->offset_ms);
    clocked->level_count = levels_for(&clocked->edges);
    for (size_t level = 0; level < clocked->level_count; level++)
        tn_timeline_init(&clocked->levels[level], parts->memory);
    tn_sorted_init(&clocked->sorted, parts->memory, parts->layout->block_bytes);
    result = tn_slices_init(&clocked->slices, parts->store, parts->memory, &parts->texts);
    clocked->slices.texts_are_ordered =
        parts->layout->has_text_sets && tn_edges_window_end(&clocked->edges, 0) > 1;
    if (result == TARN_OK)
        result = tarn_table_open(&clocked->list, parts->store, "window slices", NULL);
    if (result == TARN_OK)
        result = tn_spans_restore(clocked);
    firing_restore(clocked);
    return result;
}

void tn_clocked_close(struct tn_clocked *clocked, bool drop)
{
    if (clocked->parts == NULL)
        return;
    tn_spans_close(clocked, drop);
    (void)tn_slice_drop(&clocked->merged); /* empty between two calls */
    if (drop && clocked->list != NULL)
        (void)tarn_table_drop(clocked->list);
    (void)tarn_table_close(clocked->list);
    tn_sorted_finish(&clocked->sorted);
    tn_slices_finish(&clocked->slices);
    *clocked = (struct tn_clocked){ 0 };
}
