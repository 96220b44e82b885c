/*
 * tsv.c - tab-separated values: the raw bytes between tabs
 *
 * No quotes, no escapes: a field can hold anything but tab and LF, and a CR only before its line's
 * last byte.
 */
#include "io/delimited.h"

#include <string.h>

static enum tn_walk_end tsv_end_row(const struct tn_delimited *table, struct tn_walk *walk,
                                    const char *row, size_t at)
{
    tn_walk_keep(table, walk, walk->field, tn_walk_line_end(row, walk->field, at));
    walk->end = at;
    return TN_WALK_ROW;
}

static enum tn_walk_end tsv_walk(struct tn_delimited *table)
{
    const char *row = table->buffer->data + table->buffer->row;
    size_t shift = table->base - table->buffer->row; /* from places to positions in the row */
    struct tn_walk *walk = &table->walk;
    enum tn_walk_end end = TN_WALK_MORE;
    size_t i = tn_walk_fields(table, walk, row, shift, table->place_next, '\t');

    if (i < table->place_count)
        end = tsv_end_row(table, walk, row, table->places[i++] + shift);
    table->place_next = i;
    return end;
}

static enum tn_walk_end tsv_finish(struct tn_delimited *table, size_t end)
{
    return tsv_end_row(table, &table->walk, table->buffer->data + table->buffer->row, end);
}

static size_t tsv_unquote(const char *from, size_t bytes, char *to)
{
    memcpy(to, from, bytes);
    return bytes;
}

static bool tsv_name(const char *header, size_t bytes, size_t *at, char *to, size_t *out_bytes)
{
    size_t begin = *at, end;

    if (begin > bytes)
        return false;
    for (end = begin; end < bytes && header[end] != '\t'; end++)
        to[end - begin] = header[end];
    *out_bytes = end - begin;
    *at = end + 1;
    return true;
}

const struct tn_delimited_format tn_tsv = {
    .specials = { '\t', '\n', '\n' },
    .walk = tsv_walk,
    .finish = tsv_finish,
    .name = tsv_name,
    .unquote = tsv_unquote,
};
