/*
 * writer.c - rows of text to an output; see writer.h for the rules
 *
 * A line of csv, tsv or ndjson is made in the output's buffer at once. A pretty row is kept, length
 * by length, in `held` until its batch is complete; then the batch is measured and written.
 *
 *     held   | bytes  data | bytes  data | bytes  data | ...      column_count of them per row
 */
#include "writer.h"
#include "escape.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PRETTY_ROWS_MAX 1000
#define PRETTY_BYTES_MAX (256 * TN_KIB)

struct tn_writer {
    struct tn_output *output;
    enum tn_writer_format format;
    const struct tn_column *columns;
    size_t column_count;
    bool header_written;

    size_t *widths; /* pretty only, from here on: by column, in cells */
    char *held;
    size_t held_bytes;
    size_t held_size_bytes;
    size_t held_row_count;
};

struct tn_writer *tn_writer_new(struct tn_output *output, enum tn_writer_format format,
                                const struct tn_column *columns, size_t column_count)
{
    struct tn_writer *writer = calloc(1, sizeof *writer);
    size_t i;

    if (writer == NULL)
        return NULL;
    writer->output = output;
    writer->format = format;
    writer->columns = columns;
    writer->column_count = column_count;
    writer->header_written = format == TN_WRITER_NDJSON; /* it has none */
    writer->widths = calloc(column_count, sizeof *writer->widths);
    if (writer->widths == NULL) {
        free(writer);
        return NULL;
    }
    for (i = 0; i < column_count; i++)
        writer->widths[i] = tn_pretty_cells(tn_bytes_of_text(columns[i].name));
    return writer;
}

void tn_writer_free(struct tn_writer *writer)
{
    if (writer == NULL)
        return;
    free(writer->widths);
    free(writer->held);
    free(writer);
}

/* ---- csv, tsv -------------------------------------------------------------------------------- */

static void separated_add(struct tn_writer *writer, size_t column, tarn_bytes text, bool number)
{
    bool csv = writer->format == TN_WRITER_CSV;

    if (column > 0)
        tn_output_byte(writer->output, csv ? ',' : '\t');
    if (number) /* nothing in it needs an escape */
        tn_output_add(writer->output, text.data, text.bytes);
    else if (csv)
        tn_escape_csv(writer->output, text);
    else
        tn_escape_tsv(writer->output, text);
}

static bool separated_header(struct tn_writer *writer)
{
    size_t i;

    for (i = 0; i < writer->column_count; i++)
        separated_add(writer, i, tn_bytes_of_text(writer->columns[i].name), false);
    tn_output_byte(writer->output, '\n');
    return tn_output_end_line(writer->output);
}

static bool separated_row(struct tn_writer *writer, const tarn_bytes *values)
{
    size_t i;

    for (i = 0; i < writer->column_count; i++)
        separated_add(writer, i, values[i], writer->columns[i].number);
    tn_output_byte(writer->output, '\n');
    return tn_output_end_line(writer->output);
}

/* ---- ndjson ---------------------------------------------------------------------------------- */

static bool ndjson_row(struct tn_writer *writer, const tarn_bytes *values)
{
    struct tn_output *output = writer->output;
    size_t i;

    for (i = 0; i < writer->column_count; i++) {
        tn_output_byte(output, i == 0 ? '{' : ',');
        tn_escape_ndjson(output, tn_bytes_of_text(writer->columns[i].name));
        tn_output_byte(output, ':');
        if (values[i].data == NULL)
            tn_output_add(output, "null", 4);
        else if (writer->columns[i].number)
            tn_output_add(output, values[i].data, values[i].bytes);
        else
            tn_escape_ndjson(output, values[i]);
    }
    tn_output_add(output, "}\n", 2);
    return tn_output_end_line(output);
}

/* ---- pretty ---------------------------------------------------------------------------------- */

static void pretty_blanks(struct tn_output *output, size_t count)
{
    for (; count > 0; count--)
        tn_output_byte(output, ' ');
}

static void pretty_add(struct tn_writer *writer, size_t column, tarn_bytes text)
{
    size_t blanks = writer->widths[column] - tn_pretty_cells(text);
    bool number = writer->columns[column].number;

    if (column > 0)
        pretty_blanks(writer->output, 2);
    if (number)
        pretty_blanks(writer->output, blanks);
    tn_escape_pretty(writer->output, text);
    if (!number)
        pretty_blanks(writer->output, blanks);
}

/* Blanks at the end of a line help nobody; a line begins with a column that is never empty. */
static void pretty_end_line(struct tn_output *output)
{
    while (output->used_bytes > 0 && output->bytes[output->used_bytes - 1] == ' ')
        output->used_bytes--;
    tn_output_byte(output, '\n');
}

static void pretty_header(struct tn_writer *writer)
{
    size_t i;

    for (i = 0; i < writer->column_count; i++)
        pretty_add(writer, i, tn_bytes_of_text(writer->columns[i].name));
    pretty_end_line(writer->output);
}

static bool pretty_write_held(struct tn_writer *writer)
{
    const char *at = writer->held;
    size_t row, column;
    tarn_bytes text;

    if (!writer->header_written)
        pretty_header(writer);
    writer->header_written = true;
    for (row = 0; row < writer->held_row_count; row++) {
        for (column = 0; column < writer->column_count; column++) {
            memcpy(&text.bytes, at, sizeof text.bytes);
            text.data = at + sizeof text.bytes;
            at += sizeof text.bytes + text.bytes;
            pretty_add(writer, column, text);
        }
        pretty_end_line(writer->output);
    }
    writer->held_row_count = 0;
    writer->held_bytes = 0;
    return tn_output_end_line(writer->output);
}

static bool held_reserve(struct tn_writer *writer, size_t more_bytes)
{
    size_t size = tn_max(writer->held_size_bytes, 4 * TN_KIB);
    char *held;

    if (writer->held_size_bytes - writer->held_bytes >= more_bytes)
        return true;
    while (size - writer->held_bytes < more_bytes)
        size *= 2;
    held = realloc(writer->held, size);
    if (held == NULL) {
        writer->output->error = ENOMEM;
        return false;
    }
    writer->held = held;
    writer->held_size_bytes = size;
    return true;
}

static bool pretty_row(struct tn_writer *writer, const tarn_bytes *values)
{
    size_t row_bytes = writer->column_count * sizeof values->bytes;
    char *at;
    size_t i;

    for (i = 0; i < writer->column_count; i++)
        row_bytes += values[i].bytes;
    if (!held_reserve(writer, row_bytes))
        return false;
    at = writer->held + writer->held_bytes;
    for (i = 0; i < writer->column_count; i++) {
        memcpy(at, &values[i].bytes, sizeof values[i].bytes);
        at += sizeof values[i].bytes;
        if (values[i].bytes > 0)
            memcpy(at, values[i].data, values[i].bytes);
        at += values[i].bytes;
        writer->widths[i] = tn_max(writer->widths[i], tn_pretty_cells(values[i]));
    }
    writer->held_bytes += row_bytes;
    writer->held_row_count++;
    if (writer->held_row_count < PRETTY_ROWS_MAX && writer->held_bytes < PRETTY_BYTES_MAX)
        return true;
    return pretty_write_held(writer);
}

/* ---- all formats ----------------------------------------------------------------------------- */

static bool writer_header(struct tn_writer *writer)
{
    if (writer->header_written)
        return true;
    if (writer->format == TN_WRITER_PRETTY)
        return pretty_write_held(writer);
    writer->header_written = true;
    return separated_header(writer);
}

void tn_writer_resume(struct tn_writer *writer, bool has_header)
{
    writer->header_written = has_header;
}

bool tn_writer_has_header(const struct tn_writer *writer)
{
    return writer->header_written;
}

bool tn_writer_row(struct tn_writer *writer, const tarn_bytes *values)
{
    if (writer->format == TN_WRITER_PRETTY)
        return pretty_row(writer, values);
    if (writer->format == TN_WRITER_NDJSON)
        return ndjson_row(writer, values);
    return writer_header(writer) && separated_row(writer, values);
}

bool tn_writer_flush(struct tn_writer *writer)
{
    if (writer->held_row_count > 0 && !pretty_write_held(writer))
        return false;
    return tn_output_flush(writer->output);
}

bool tn_writer_finish(struct tn_writer *writer)
{
    return writer_header(writer) && tn_writer_flush(writer);
}
