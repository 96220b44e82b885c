/*
 * clocked.c - see clocked.h for the rules
 */
#include "stream/clocked.h"

#include "base/bytes.h"

#include <string.h>

#define LIST_KEY_BYTES 9u
#define SIGN_BIT ((uint64_t)1 << 63)

/* ---- spans: slices and nodes ----------------------------------------------------------------- */

static void list_key(uint8_t *key, size_t level, int64_t ordinal)
{
    key[0] = (uint8_t)level;
    tn_store_be64(key + 1, (uint64_t)ordinal ^ SIGN_BIT);
}

/* How many slices a node of this level has below it. */
static tn_wide level_width(size_t level)
{
    return (tn_wide)1 << (3 * level);
}

/* The last slice of a span, as far as there are slices in time. */
static int64_t span_last_ordinal(size_t level, int64_t ordinal)
{
    return tn_wide_saturate(((tn_wide)ordinal + 1) * level_width(level) - 1);
}

struct span_name {
    char text[64];
};

static struct span_name span_name_of(size_t level, int64_t ordinal)
{
    struct span_name name;
    struct tn_text text = tn_text_in(name.text, sizeof name.text);

    tn_text_add(&text, "window slice ");
    tn_text_add_number(&text, (int64_t)level);
    tn_text_add(&text, " ");
    tn_text_add_number(&text, ordinal);
    return name;
}

/* Open a span, new or from its tables. *out is NULL on failure. */
static int span_open(struct tn_clocked *clocked, size_t level, int64_t ordinal, bool is_new,
                     struct tn_span **out)
{
    struct span_name name = span_name_of(level, ordinal);
    const struct tn_edges *edges = &clocked->edges;
    int64_t last = span_last_ordinal(level, ordinal);
    struct tn_memory *memory = clocked->parts->memory;
    struct tn_span *span;
    int result;

    *out = NULL;
    if (!tn_timeline_reserve(&clocked->levels[level]))
        return TARN_E_MEMORY;
    span = tn_memory_new(memory, sizeof *span, true);
    if (span == NULL)
        return TARN_E_MEMORY;
    span->ordinal = ordinal;
    span->start_ms = tn_edges_slice_start(edges, ordinal);
    span->last_ms = tn_edges_slice_last(edges, ordinal);
    span->first_due_ms = tn_edges_window_last_ms(edges, tn_edges_first_window(edges, ordinal));
    span->last_due_ms = tn_edges_window_last_ms(edges, tn_edges_last_window(edges, last));
    span->mark = clocked->parts->mark;
    result = tn_slice_open(&span->slice, &clocked->slices, name.text, is_new);
    if (result != TARN_OK) {
        tn_memory_free(memory, span, sizeof *span);
        return result;
    }
    tn_timeline_insert(&clocked->levels[level], span);
    *out = span;
    return TARN_OK;
}

/* A new span, on the list. */
static int span_new(struct tn_clocked *clocked, size_t level, int64_t ordinal, struct tn_span **out)
{
    uint8_t key[LIST_KEY_BYTES];
    int result = span_open(clocked, level, ordinal, true, out);

    if (result != TARN_OK)
        return result;
    list_key(key, level, ordinal);
    return tarn_put(clocked->list, key, sizeof key, "", 0);
}

/* Take the first span of a level off its timeline. */
static struct tn_span *span_take_first(struct tn_clocked *clocked, size_t level)
{
    struct tn_span *span = tn_timeline_first(&clocked->levels[level]);

    tn_timeline_remove_first(&clocked->levels[level]);
    if (clocked->recent == span)
        clocked->recent = NULL;
    return span;
}

/* Drop the first span of a level, and its tables out of the store. */
static int span_drop_first(struct tn_clocked *clocked, size_t level)
{
    struct tn_span *span = span_take_first(clocked, level);
    uint8_t key[LIST_KEY_BYTES];
    int result, listed;

    list_key(key, level, span->ordinal);
    listed = tarn_delete(clocked->list, key, sizeof key);
    result = tn_slice_drop(&span->slice);
    tn_memory_free(clocked->parts->memory, span, sizeof *span);
    return result != TARN_OK ? result : listed < 0 ? listed : TARN_OK;
}

/* Drop what lies in no window that is still open, or has not fired (K1). */
static int spans_drop(struct tn_clocked *clocked)
{
    int64_t closed_ms = tn_parts_closed_ms(clocked->parts);
    int result = TARN_OK;

    clocked->next_drop_ms = INT64_MAX;
    for (size_t level = 0; level < clocked->level_count; level++) {
        const struct tn_span *span;

        while (result == TARN_OK && (span = tn_timeline_first(&clocked->levels[level])) != NULL &&
               span->last_due_ms <= closed_ms &&
               tn_edges_last_window(&clocked->edges, span_last_ordinal(level, span->ordinal)) <
                   clocked->next_window)
            result = span_drop_first(clocked, level);
        span = tn_timeline_first(&clocked->levels[level]);
        if (span != NULL && span->last_due_ms < clocked->next_drop_ms)
            clocked->next_drop_ms = span->last_due_ms;
    }
    return result;
}

/* ---- a window out of its slices -------------------------------------------------------------- */

/* What is found on the way through a window. */
struct cover {
    struct tn_clocked *clocked;
    const tarn_bytes *key;        /* NULL: all groups */
    bool in_sorted;               /* what is merged is in clocked->sorted, and in no slice */
    const struct tn_slice *found; /* the only one so far, or the merged one; NULL: none */
};

/* Where several are merged: without texts in memory (G5), else in a slice of its own. */
static int cover_begin_merge(struct cover *cover)
{
    struct tn_clocked *clocked = cover->clocked;

    cover->in_sorted = cover->key == NULL && !clocked->parts->layout->has_texts &&
                       tn_sorted_begin(&clocked->sorted);
    if (cover->in_sorted || clocked->merged.blocks != NULL)
        return TARN_OK;
    return tn_slice_open(&clocked->merged, &clocked->slices, "window merged", true);
}

static int cover_merge(struct cover *cover, const struct tn_slice *from)
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
static int cover_add(struct cover *cover, const struct tn_slice *slice)
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

/* The first slice that is not before this place; NULL: none. */
static struct tn_span *slice_from(const struct tn_clocked *clocked, tn_wide ordinal)
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
    slice = slice_from(clocked, (tn_wide)ordinal * level_width(level));
    if (slice == NULL || slice->ordinal > span_last_ordinal(level, ordinal))
        return TARN_OK;
    result = span_new(clocked, level, ordinal, out);
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

    while (level + 1 < clocked->level_count && from % level_width(level + 1) == 0 &&
           from + level_width(level + 1) <= end)
        level++;
    return level;
}

/* Go through what a window is made of. */
static int window_cover(struct cover *cover, tn_wide window)
{
    struct tn_clocked *clocked = cover->clocked;
    tn_wide at = tn_edges_window_begin(&clocked->edges, window);
    tn_wide end = tn_edges_window_end(&clocked->edges, window);
    int result = TARN_OK;

    if (at < INT64_MIN)
        at = INT64_MIN; /* before time there is nothing, and it is where nodes of any level begin */
    while (result == TARN_OK && at < end) {
        const struct tn_span *slice = slice_from(clocked, at);
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
        at += level_width(level);
    }
    return result;
}

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
    struct cover cover = { .clocked = clocked };
    int result = window_cover(&cover, window);

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
    struct cover cover = { .clocked = clocked, .key = &key };
    const void *block;
    size_t block_bytes;
    int result = window_cover(&cover, window);

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
        slice_from(clocked, tn_edges_window_begin(edges, clocked->next_window));

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
            result = spans_drop(clocked);
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
        result = spans_drop(clocked);
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
    int result = span_new(clocked, 0, ordinal, out);

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

/* Slices that the store has from before. */
static int spans_restore(struct tn_clocked *clocked)
{
    tarn_iterator *entries;
    tarn_bytes key, none;
    uint8_t copy[LIST_KEY_BYTES];
    struct tn_span *span;
    int result = tarn_scan(&entries, clocked->list, NULL);

    if (result != TARN_OK)
        return result;
    while (result == TARN_OK && (result = tarn_next(entries, &key, &none)) == TARN_OK) {
        if (key.bytes != sizeof copy) {
            result = TARN_E_CORRUPT;
            break;
        }
        memcpy(copy, key.data, sizeof copy);
        result = copy[0] < clocked->level_count
                     ? span_open(clocked, copy[0], (int64_t)(tn_load_be64(copy + 1) ^ SIGN_BIT),
                                 false, &span)
                     : TARN_E_CORRUPT;
    }
    (void)tarn_iterator_close(entries); /* it was open: this cannot fail */
    return result == TARN_END ? TARN_OK : result;
}

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
    while (count < TN_LEVEL_COUNT_MAX && level_width(count) <= slice_count)
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
        result = spans_restore(clocked);
    firing_restore(clocked);
    return result;
}

static void spans_close(struct tn_clocked *clocked, size_t level)
{
    while (tn_timeline_first(&clocked->levels[level]) != NULL) {
        struct tn_span *span = span_take_first(clocked, level);

        tn_slice_close(&span->slice);
        tn_memory_free(clocked->parts->memory, span, sizeof *span);
    }
}

void tn_clocked_close(struct tn_clocked *clocked, bool drop)
{
    if (clocked->parts == NULL)
        return;
    for (size_t level = 0; level < clocked->level_count; level++) {
        while (drop && tn_timeline_first(&clocked->levels[level]) != NULL)
            (void)span_drop_first(clocked, level); /* nobody is left to tell */
        spans_close(clocked, level);
        tn_timeline_finish(&clocked->levels[level]);
    }
    (void)tn_slice_drop(&clocked->merged); /* empty between two calls */
    if (drop && clocked->list != NULL)
        (void)tarn_table_drop(clocked->list);
    (void)tarn_table_close(clocked->list);
    tn_sorted_finish(&clocked->sorted);
    tn_slices_finish(&clocked->slices);
    *clocked = (struct tn_clocked){ 0 };
}
