/*
 * delimited.c - see delimited.h for the rules
 */
#include "io/delimited.h"

#include <string.h>
#include <strings.h>

/* ---- places ---------------------------------------------------------------------------------- */

static void places_drop(struct tn_delimited *table)
{
    table->place_count = 0;
    table->place_next = 0;
    table->base = table->scanned;
}

/* Make the first unused place the first one at or behind the row; look again only where needed. */
static void places_seek(struct tn_delimited *table)
{
    size_t row = table->buffer->row;

    if (row < table->base || row >= table->scanned) {
        table->scanned = row;
        places_drop(table);
        return;
    }
    while (table->place_next > 0 && table->places[table->place_next - 1] + table->base >= row)
        table->place_next--;
    while (table->place_next < table->place_count &&
           table->places[table->place_next] + table->base < row)
        table->place_next++;
}

/* All places are used up: find those of the next stretch. false: there is no text left. */
static bool places_next_stretch(struct tn_delimited *table)
{
    size_t bytes = tn_min(table->buffer->end - table->scanned, TN_STRETCH_BYTES);

    places_drop(table);
    if (bytes == 0)
        return false;
    table->place_count = table->find(table->buffer->data + table->scanned, bytes,
                                     table->format->specials, table->places);
    table->scanned += bytes;
    return true;
}

/* Read more text: positions move with it. */
static int places_more_text(struct tn_delimited *table)
{
    size_t shift = table->buffer->row;
    int answer = tn_row_buffer_more(table->buffer, table->reason);

    table->scanned -= shift;
    places_drop(table);
    return answer;
}

/* ---- rows ------------------------------------------------------------------------------------ */

enum row_end { ROW_COMPLETE, ROW_BROKEN, ROW_TOO_LONG, ROW_NONE };

/*
 * Walk to the end of the row at buffer->row; walk.end says where. ROW_NONE: *out_answer says why
 * there is no row: the input ended or failed.
 */
static enum row_end row_walk(struct tn_delimited *table, int *out_answer)
{
    struct tn_row_buffer *buffer = table->buffer;
    enum tn_walk_end end;

    if (!table->walk_waits)
        table->walk = (struct tn_walk){ 0 };
    table->walk_waits = false;
    while ((end = table->format->walk(table)) == TN_WALK_MORE) {
        if (places_next_stretch(table))
            continue;
        if (buffer->end - buffer->row > buffer->row_bytes_max)
            return ROW_TOO_LONG;
        *out_answer = places_more_text(table);
        if (*out_answer == TN_READER_ROW)
            continue;
        table->walk_waits = *out_answer == TN_READER_WAITS; /* D5 */
        if (*out_answer != TN_READER_END || buffer->end == buffer->row)
            return ROW_NONE;
        end = table->format->finish(table, buffer->end - buffer->row); /* D4 */
        break;
    }
    if (table->walk.end > buffer->row_bytes_max)
        return ROW_TOO_LONG;
    return end == TN_WALK_ROW ? ROW_COMPLETE : ROW_BROKEN;
}

/* The row's bytes without its line end. */
static tarn_bytes row_raw(const struct tn_delimited *table)
{
    const char *row = table->buffer->data + table->buffer->row;

    return (tarn_bytes){ row, tn_walk_line_end(row, 0, table->walk.end) };
}

/* Go on behind a complete row. */
static void row_leave(struct tn_delimited *table)
{
    struct tn_row_buffer *buffer = table->buffer;

    buffer->row = tn_min(buffer->row + table->walk.end + 1, buffer->end);
    buffer->line += 1 + table->walk.line_feeds;
}

/*
 * Have all of the line at the row, or more than a row may have of it: what is said about a bad row
 * must not depend on where a block ended. A failure meanwhile will be answered by the next call.
 */
static void row_need_line(struct tn_delimited *table)
{
    struct tn_row_buffer *buffer = table->buffer;
    struct tn_reason said = *table->reason;
    size_t seen = 0, held;

    for (;;) {
        held = buffer->end - buffer->row;
        if (held > buffer->row_bytes_max ||
            memchr(buffer->data + buffer->row + seen, '\n', held - seen) != NULL)
            break;
        seen = held;
        if (places_more_text(table) != TN_READER_ROW)
            break;
    }
    *table->reason = said;
}

/*
 * Go on behind the first line of a bad row (D6). Answers that line, or as much of it as a row may
 * have: how much more of it is there depends on the blocks.
 */
static tarn_bytes row_abandon(struct tn_delimited *table, size_t seen_bytes)
{
    struct tn_row_buffer *buffer = table->buffer;
    uint64_t seen_end = buffer->origin + buffer->row + seen_bytes;
    tarn_bytes line;

    row_need_line(table);
    line = tn_row_buffer_skip_line(buffer);

    if (seen_end > table->replay_end)
        table->replay_end = seen_end;
    places_seek(table);
    line.bytes = tn_min(line.bytes, buffer->row_bytes_max);
    return line;
}

static int row_broken(struct tn_delimited *table, struct tn_row *row)
{
    size_t column = table->walk.column + 1;

    if (table->walk.state == TN_WALK_QUOTED)
        tn_reason_set(table->reason, "broken quoting: the quote that opens field %zu is not closed",
                      column);
    else
        tn_reason_set(table->reason,
                      "broken quoting: text behind the closing quote of field %zu; a quote inside "
                      "quotes is written twice",
                      column);
    row->raw = row_abandon(table, table->walk.end);
    return TN_READER_BAD;
}

static int row_too_long(struct tn_delimited *table, struct tn_row *row)
{
    size_t most = table->buffer->row_bytes_max;

    tn_reason_set(table->reason, "row is longer than %zu bytes", most);
    if (table->walk.state == TN_WALK_QUOTED)
        tn_reason_add(table->reason, "; is the quote that opens field %zu closed?",
                      table->walk.column + 1);
    row->raw = row_abandon(table, most);
    return TN_READER_BAD;
}

/* ---- fields ---------------------------------------------------------------------------------- */

/* Unquoted fields of one row need at most the row's bytes. */
static int scratch_reserve(struct tn_delimited *table, size_t bytes)
{
    size_t wanted = tn_max(bytes, 2 * table->scratch_bytes);
    char *scratch;

    if (bytes <= table->scratch_bytes)
        return TN_READER_ROW;
    scratch = tn_memory_resize(table->memory, table->scratch, table->scratch_bytes, wanted);
    if (scratch == NULL) {
        tn_reason_set(table->reason, "no memory to unquote a row of %zu bytes", bytes);
        return TN_READER_FAILED;
    }
    table->scratch = scratch;
    table->scratch_bytes = wanted;
    return TN_READER_ROW;
}

/* The final form of the slices of a row; those that are missing stay empty (D3). */
static int row_values(struct tn_delimited *table, const char *row, size_t row_bytes)
{
    size_t used = 0, i;

    for (i = 0; i < table->slice_count; i++) {
        const struct tn_slice *slice = &table->slices[i];
        tarn_bytes *value = &table->values[i];

        if (i >= table->walk.slice) {
            *value = (tarn_bytes){ "", 0 };
        } else if (TN_LIKELY(!slice->doubled)) {
            *value = (tarn_bytes){ row + slice->at, slice->bytes };
        } else {
            if (scratch_reserve(table, row_bytes) != TN_READER_ROW) /* grows for the first only */
                return TN_READER_FAILED;
            value->data = table->scratch + used;
            value->bytes =
                table->format->unquote(row + slice->at, slice->bytes, table->scratch + used);
            used += value->bytes;
        }
    }
    return TN_READER_ROW;
}

/* The fields of a row that has them all, as they lie in the text. */
static void row_fields_in_place(struct tn_delimited *table, const char *row)
{
    tarn_bytes *fields = table->fields;
    size_t count = table->field_count, i;

    for (i = 0; i < count; i++) {
        const struct tn_slice *slice = &table->slices[table->slice_of_field[i]];

        fields[i] = (tarn_bytes){ row + slice->at, slice->bytes };
    }
}

/* ... of any row: what is missing is empty, what is doubled in quotes is written once. */
static int row_fields(struct tn_delimited *table, const struct tn_row *row)
{
    int answer = row_values(table, row->raw.data, row->raw.bytes);
    size_t i;

    if (answer != TN_READER_ROW)
        return answer;
    for (i = 0; i < table->field_count; i++)
        table->fields[i] = table->values[table->slice_of_field[i]];
    return TN_READER_ROW;
}

static int row_complete(struct tn_delimited *table, struct tn_row *row)
{
    row->fields = table->fields;
    if (TN_LIKELY(table->walk.slice == table->slice_count && !table->walk.unquotes))
        row_fields_in_place(table, row->raw.data);
    else if (row_fields(table, row) != TN_READER_ROW)
        return TN_READER_FAILED;
    if (TN_LIKELY(table->walk.bare_column == 0))
        return TN_READER_ROW;
    tn_reason_set(table->reason,
                  "broken quoting: a quote inside field %zu, which does not begin with one",
                  table->walk.bare_column);
    return TN_READER_BAD;
}

int tn_delimited_next(struct tn_delimited *table, struct tn_row *row)
{
    int answer = TN_READER_ROW;

    if (TN_UNLIKELY(table->buffer->skipping)) {
        answer = tn_row_buffer_finish_skip(table->buffer, table->reason);
        tn_delimited_moved(table);
        if (answer != TN_READER_ROW)
            return answer;
    }
    for (;;) {
        enum row_end end = row_walk(table, &answer);

        if (end == ROW_NONE)
            return answer;
        row->line = table->buffer->line;
        if (TN_UNLIKELY(end == ROW_BROKEN))
            return row_broken(table, row);
        if (TN_UNLIKELY(end == ROW_TOO_LONG))
            return row_too_long(table, row);
        row->raw = row_raw(table);
        row_leave(table);
        if (row->raw.bytes > 0) /* D3 */
            return row_complete(table, row);
    }
}

/* ---- header ---------------------------------------------------------------------------------- */

/* Tell what there is instead of `missing`: the columns, and one that is spelt alike. */
static void header_list(const struct tn_delimited *table, char *name, const char *missing)
{
    struct tn_reason *reason = table->reason;
    size_t at = 0, bytes, missing_bytes = strlen(missing), alike_bytes = 0, alike_at = 0, before;
    const char *lead = "; its columns are ";

    for (before = 0; table->format->name(table->header, table->header_bytes, &at, name, &bytes);
         before = at) {
        if (alike_bytes == 0 && bytes == missing_bytes && strncasecmp(name, missing, bytes) == 0) {
            alike_bytes = bytes;
            alike_at = before;
        }
        if (reason->bytes > TN_REASON_BYTES - 180)
            lead = NULL;
        if (lead == NULL)
            continue;
        tn_reason_add(reason, "%s", lead);
        tn_reason_add_quoted(reason, name, bytes, 20);
        lead = ", ";
    }
    if (lead == NULL)
        tn_reason_add(reason, " and more");
    if (alike_bytes == 0)
        return;
    table->format->name(table->header, table->header_bytes, &alike_at, name, &bytes);
    tn_reason_add(reason, "; did you mean ");
    tn_reason_add_quoted(reason, name, bytes, 20);
    tn_reason_add(reason, "?");
}

/* The number of the one column called `field` (D2). */
static int header_find(const struct tn_delimited *table, char *name, const char *field,
                       size_t *out_column)
{
    size_t at = 0, column = 0, found = 0, bytes, field_bytes = strlen(field);

    for (; table->format->name(table->header, table->header_bytes, &at, name, &bytes); column++) {
        if (bytes != field_bytes || memcmp(name, field, bytes) != 0)
            continue;
        *out_column = column;
        found++;
    }
    if (found == 1)
        return TN_READER_ROW;
    tn_reason_set(table->reason, found == 0 ? "there is no column " : "there are %zu columns ",
                  found);
    tn_reason_add_quoted(table->reason, field, field_bytes, 60);
    if (found == 0)
        header_list(table, name, field);
    else
        tn_reason_add(table->reason, " in the header; rename all but one");
    return TN_READER_REFUSED;
}

static void columns_sort(size_t *columns, size_t count)
{
    size_t i, j;

    for (i = 1; i < count; i++) {
        size_t column = columns[i];

        for (j = i; j > 0 && columns[j - 1] > column; j--)
            columns[j] = columns[j - 1];
        columns[j] = column;
    }
}

/*
 * columns[field] are known, one for each field: make them ascending, each once (walks need that).
 */
static void columns_settle(struct tn_delimited *table)
{
    size_t field, slice, kept = 0;

    memcpy(table->slice_of_field, table->columns, table->field_count * sizeof *table->columns);
    columns_sort(table->columns, table->field_count);
    for (slice = 0; slice < table->field_count; slice++)
        if (kept == 0 || table->columns[kept - 1] != table->columns[slice])
            table->columns[kept++] = table->columns[slice];
    table->columns[kept] = SIZE_MAX;
    table->slice_count = kept;
    for (field = 0; field < table->field_count; field++)
        for (slice = 0; slice < kept; slice++)
            if (table->columns[slice] == table->slice_of_field[field]) {
                table->slice_of_field[field] = slice;
                break;
            }
}

static int header_match(struct tn_delimited *table)
{
    char *name = tn_memory_new(table->memory, table->header_bytes + 1, false);
    int answer = TN_READER_ROW;
    size_t field;

    if (name == NULL) {
        tn_reason_set(table->reason, "no memory for a header of %zu bytes", table->header_bytes);
        return TN_READER_FAILED;
    }
    for (field = 0; field < table->field_count && answer == TN_READER_ROW; field++)
        answer = header_find(table, name, table->names[field], &table->columns[field]);
    tn_memory_free(table->memory, name, table->header_bytes + 1);
    if (answer == TN_READER_ROW)
        columns_settle(table);
    return answer;
}

static int header_keep(struct tn_delimited *table, tarn_bytes raw)
{
    table->header = tn_memory_new(table->memory, raw.bytes, false);
    if (table->header == NULL) {
        tn_reason_set(table->reason, "no memory for a header of %zu bytes", raw.bytes);
        return TN_READER_FAILED;
    }
    memcpy(table->header, raw.data, raw.bytes);
    table->header_bytes = raw.bytes;
    return TN_READER_ROW;
}

int tn_delimited_begin(struct tn_delimited *table)
{
    tarn_bytes raw;
    int answer;

    do {
        enum row_end end = row_walk(table, &answer);

        if (end == ROW_NONE)
            return answer == TN_READER_END ? TN_READER_ROW : answer; /* D1 */
        if (end != ROW_COMPLETE) {
            tn_reason_set(table->reason, "its header, at line %llu, %s",
                          (unsigned long long)table->buffer->line,
                          end == ROW_BROKEN ? "has broken quoting" : "is too long");
            return TN_READER_REFUSED;
        }
        raw = row_raw(table);
        row_leave(table);
    } while (raw.bytes == 0);
    answer = header_keep(table, raw);
    return answer == TN_READER_ROW ? header_match(table) : answer;
}

/* ---- life cycle ------------------------------------------------------------------------------ */

static bool table_allocate(struct tn_delimited *table)
{
    struct tn_memory *memory = table->memory;
    size_t count = table->field_count + 1;

    table->places = tn_memory_new(memory, TN_SPECIALS_COUNT_MAX * sizeof *table->places, false);
    table->columns = tn_memory_new(memory, count * sizeof *table->columns, false);
    table->slices = tn_memory_new(memory, count * sizeof *table->slices, true);
    table->slice_of_field = tn_memory_new(memory, count * sizeof *table->slice_of_field, true);
    table->values = tn_memory_new(memory, count * sizeof *table->values, true);
    table->fields = tn_memory_new(memory, count * sizeof *table->fields, true);
    return table->places != NULL && table->columns != NULL && table->slices != NULL &&
           table->slice_of_field != NULL && table->values != NULL && table->fields != NULL;
}

int tn_delimited_init(struct tn_delimited *table, const struct tn_delimited_format *format,
                      struct tn_row_buffer *buffer, const char *const *fields, size_t field_count,
                      struct tn_reason *reason)
{
    *table = (struct tn_delimited){
        .format = format,
        .buffer = buffer,
        .reason = reason,
        .memory = buffer->memory,
        .find = tn_specials_choose(),
        .base = buffer->row,
        .scanned = buffer->row,
        .names = fields,
        .field_count = field_count,
    };
    if (!table_allocate(table)) {
        tn_reason_set(reason, "no memory to split rows");
        return TN_READER_FAILED;
    }
    table->columns[0] = SIZE_MAX; /* of the header nothing is wanted yet */
    return TN_READER_ROW;
}

void tn_delimited_moved(struct tn_delimited *table)
{
    table->scanned = table->buffer->row;
    places_drop(table);
}

void tn_delimited_release(struct tn_delimited *table)
{
    struct tn_memory *memory = table->memory;
    size_t count = table->field_count + 1;

    if (memory == NULL)
        return;
    tn_memory_free(memory, table->places, TN_SPECIALS_COUNT_MAX * sizeof *table->places);
    tn_memory_free(memory, table->columns, count * sizeof *table->columns);
    tn_memory_free(memory, table->slices, count * sizeof *table->slices);
    tn_memory_free(memory, table->slice_of_field, count * sizeof *table->slice_of_field);
    tn_memory_free(memory, table->values, count * sizeof *table->values);
    tn_memory_free(memory, table->fields, count * sizeof *table->fields);
    tn_memory_free(memory, table->scratch, table->scratch_bytes);
    tn_memory_free(memory, table->header, table->header_bytes);
}
