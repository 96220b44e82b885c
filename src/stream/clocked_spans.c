/*
 * clocked_spans.c - see clocked_spans.h for the rules
 */
#include "stream/clocked_spans.h"

#include "base/bytes.h"

#include <string.h>

#define LIST_KEY_BYTES 9u
#define SIGN_BIT ((uint64_t)1 << 63)

/* ---- names and places ------------------------------------------------------------------------ */

static void list_key(uint8_t *key, size_t level, int64_t ordinal)
{
    key[0] = (uint8_t)level;
    tn_store_be64(key + 1, (uint64_t)ordinal ^ SIGN_BIT);
}

struct span_name {
    char text[64];
};

static struct span_name span_name_of(size_t level, int64_t ordinal)
{
    struct span_name name = { .text = "" };
    struct tn_text text = tn_text_in(name.text, sizeof name.text);

    tn_text_add(&text, "window slice ");
    tn_text_add_number(&text, (int64_t)level);
    tn_text_add(&text, " ");
    tn_text_add_number(&text, ordinal);
    return name;
}

/* ---- birth and death ------------------------------------------------------------------------- */

/* Open a span, new or from its tables. *out is NULL on failure. */
static int span_open(struct tn_clocked *clocked, size_t level, int64_t ordinal, bool is_new,
                     struct tn_span **out)
{
    struct span_name name = span_name_of(level, ordinal);
    const struct tn_edges *edges = &clocked->edges;
    int64_t last = tn_span_last_ordinal(level, ordinal);
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

int tn_span_new(struct tn_clocked *clocked, size_t level, int64_t ordinal, struct tn_span **out)
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

int tn_spans_drop(struct tn_clocked *clocked)
{
    int64_t closed_ms = tn_parts_closed_ms(clocked->parts);
    int result = TARN_OK;

    clocked->next_drop_ms = INT64_MAX;
    for (size_t level = 0; level < clocked->level_count; level++) {
        const struct tn_span *span;

        while (result == TARN_OK && (span = tn_timeline_first(&clocked->levels[level])) != NULL &&
               span->last_due_ms <= closed_ms &&
               tn_edges_last_window(&clocked->edges, tn_span_last_ordinal(level, span->ordinal)) <
                   clocked->next_window)
            result = span_drop_first(clocked, level);
        span = tn_timeline_first(&clocked->levels[level]);
        if (span != NULL && span->last_due_ms < clocked->next_drop_ms)
            clocked->next_drop_ms = span->last_due_ms;
    }
    return result;
}

/* ---- what the store has from before, and what it keeps --------------------------------------- */

int tn_spans_restore(struct tn_clocked *clocked)
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

/* Those of one level. */
static void level_close(struct tn_clocked *clocked, size_t level)
{
    while (tn_timeline_first(&clocked->levels[level]) != NULL) {
        struct tn_span *span = span_take_first(clocked, level);

        tn_slice_close(&span->slice);
        tn_memory_free(clocked->parts->memory, span, sizeof *span);
    }
}

void tn_spans_close(struct tn_clocked *clocked, bool drop)
{
    for (size_t level = 0; level < clocked->level_count; level++) {
        while (drop && tn_timeline_first(&clocked->levels[level]) != NULL)
            (void)span_drop_first(clocked, level); /* nobody is left to tell */
        level_close(clocked, level);
        tn_timeline_finish(&clocked->levels[level]);
    }
}
