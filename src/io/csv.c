/*
 * csv.c - comma-separated values, as in RFC 4180
 *
 *                    , LF: field ends
 *          +-----------------------------+
 *          v                             |
 *       PLAIN --- " as first byte ---> QUOTED <--- " right behind ---+
 *          ^                             |                           |
 *          |                             +------------ " ----> AFTER_QUOTE
 *          +----- , LF CRLF right behind ----------------------------+
 *
 * Rules
 *   C1  A field whose first byte is a quote ends at the next quote that is not doubled; separators
 *       and line ends in between are data.
 *   C2  Anything but a separator or line end behind the closing quote, or no closing quote at all,
 *       leaves it open where the row ends: the row is broken, whatever is wanted of it.
 *   C3  A quote inside a field that does not begin with one leaves the shape of the row alone: it
 *       makes the row bad only if the field is wanted.
 */
#include "io/delimited.h"

#include <string.h>

static void csv_next_field(struct tn_walk *walk, size_t at)
{
    walk->state = TN_WALK_PLAIN;
    walk->field = at;
    walk->column++;
    walk->bare = false;
    walk->doubled = false;
}

/* A quote at `at` while not inside quotes. */
static void csv_open_quote(struct tn_walk *walk, size_t at)
{
    if (at == walk->field)
        walk->state = TN_WALK_QUOTED;
    else
        walk->bare = true;
}

/* Is `at` right behind the closing quote, for a line end perhaps with a CR between? */
static bool csv_is_behind_quote(const struct tn_walk *walk, const char *row, size_t at, bool line)
{
    if (at == walk->quote + 1)
        return true;
    return line && at == walk->quote + 2 && row[at - 1] == '\r';
}

static enum tn_walk_end csv_end_row(const struct tn_delimited *table, struct tn_walk *walk,
                                    const char *row, size_t at)
{
    walk->end = at;
    if (walk->state == TN_WALK_QUOTED)
        return TN_WALK_BROKEN; /* C2 */
    if (walk->state == TN_WALK_PLAIN) {
        tn_walk_keep(table, walk, walk->field, tn_walk_line_end(row, walk->field, at));
        return TN_WALK_ROW;
    }
    if (!csv_is_behind_quote(walk, row, at, true))
        return TN_WALK_BROKEN; /* C2 */
    tn_walk_keep(table, walk, walk->field + 1, walk->quote);
    return TN_WALK_ROW;
}

/* One special byte behind what may be a closing quote. MORE: the row goes on. */
static enum tn_walk_end csv_after_quote(const struct tn_delimited *table, struct tn_walk *walk,
                                        const char *row, size_t at)
{
    if (row[at] == '\n')
        return csv_end_row(table, walk, row, at);
    walk->end = at;
    if (!csv_is_behind_quote(walk, row, at, false))
        return TN_WALK_BROKEN; /* C2 */
    if (row[at] == '"') {
        walk->doubled = true;
        walk->state = TN_WALK_QUOTED;
        return TN_WALK_MORE;
    }
    tn_walk_keep(table, walk, walk->field + 1, walk->quote);
    csv_next_field(walk, at + 1);
    return TN_WALK_MORE;
}

/* One special byte inside quotes. */
static enum tn_walk_end csv_in_quotes(const struct tn_delimited *table, struct tn_walk *walk,
                                      const char *row, size_t at)
{
    if (row[at] == '"') {
        walk->state = TN_WALK_AFTER_QUOTE;
        walk->quote = at;
    } else if (row[at] == '\n') {
        walk->end = at;
        if (table->buffer->origin + table->buffer->row + at < table->replay_end)
            return TN_WALK_BROKEN; /* D6 */
        walk->line_feeds++;
    }
    return TN_WALK_MORE;
}

static enum tn_walk_end csv_walk(struct tn_delimited *table)
{
    const char *row = table->buffer->data + table->buffer->row;
    size_t shift = table->base - table->buffer->row; /* from places to positions in the row */
    struct tn_walk *walk = &table->walk;
    enum tn_walk_end end = TN_WALK_MORE;
    size_t i = table->place_next, count = table->place_count;

    while (end == TN_WALK_MORE) {
        size_t at;

        if (walk->state == TN_WALK_PLAIN && !walk->bare)
            i = tn_walk_fields(table, walk, row, shift, i, ',');
        if (i == count)
            break;
        at = table->places[i++] + shift;
        if (walk->state == TN_WALK_PLAIN) {
            if (row[at] == ',') {
                tn_walk_keep(table, walk, walk->field, at);
                csv_next_field(walk, at + 1);
            } else if (row[at] == '"') {
                csv_open_quote(walk, at);
            } else {
                end = csv_end_row(table, walk, row, at);
            }
        } else if (walk->state == TN_WALK_QUOTED) {
            end = csv_in_quotes(table, walk, row, at);
        } else {
            end = csv_after_quote(table, walk, row, at);
        }
    }
    table->place_next = i;
    return end;
}

static enum tn_walk_end csv_finish(struct tn_delimited *table, size_t end)
{
    return csv_end_row(table, &table->walk, table->buffer->data + table->buffer->row, end);
}

static size_t csv_unquote(const char *from, size_t bytes, char *to)
{
    const char *end = from + bytes, *quote;
    char *next = to;

    while ((quote = memchr(from, '"', (size_t)(end - from))) != NULL) {
        size_t run = (size_t)(quote - from) + 1;

        memcpy(next, from, run);
        next += run;
        from = quote + 2 <= end ? quote + 2 : end;
    }
    memcpy(next, from, (size_t)(end - from));
    return (size_t)(next - to) + (size_t)(end - from);
}

/* Where the quoted field at `at` ends: its closing quote. The walk has proven that there is one. */
static size_t csv_closing_quote(const char *header, size_t bytes, size_t at)
{
    for (at++; at < bytes; at++) {
        if (header[at] != '"')
            continue;
        if (at + 1 == bytes || header[at + 1] != '"')
            return at;
        at++;
    }
    return bytes;
}

static bool csv_name(const char *header, size_t bytes, size_t *at, char *to, size_t *out_bytes)
{
    size_t begin = *at, end;

    if (begin > bytes)
        return false;
    if (begin < bytes && header[begin] == '"') {
        end = csv_closing_quote(header, bytes, begin);
        *out_bytes = csv_unquote(header + begin + 1, end - begin - 1, to);
        *at = end + 2;
        return true;
    }
    for (end = begin; end < bytes && header[end] != ','; end++)
        to[end - begin] = header[end];
    *out_bytes = end - begin;
    *at = end + 1;
    return true;
}

const struct tn_delimited_format tn_csv = {
    .specials = { ',', '"', '\n' },
    .walk = csv_walk,
    .finish = csv_finish,
    .name = csv_name,
    .unquote = csv_unquote,
};
