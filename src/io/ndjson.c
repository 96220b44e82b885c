/*
 * ndjson.c - see ndjson.h for the rules
 */
#include "io/ndjson.h"

#include "io/json.h"

#include <string.h>

int tn_ndjson_init(struct tn_ndjson *lines, struct tn_row_buffer *buffer, const char *const *fields,
                   size_t field_count, struct tn_reason *reason)
{
    *lines = (struct tn_ndjson){ .buffer = buffer, .reason = reason, .field_count = field_count };
    lines->json = tn_json_open(fields, field_count);
    lines->fields = tn_memory_new(buffer->memory, (field_count + 1) * sizeof *lines->fields, true);
    if (lines->json == NULL || lines->fields == NULL) {
        tn_reason_set(reason, "no memory to read JSON");
        return TN_READER_FAILED;
    }
    return TN_READER_ROW;
}

void tn_ndjson_release(struct tn_ndjson *lines)
{
    if (lines->buffer == NULL)
        return;
    tn_json_close(lines->json);
    tn_memory_free(lines->buffer->memory, lines->fields,
                   (lines->field_count + 1) * sizeof *lines->fields);
}

/* Find where the line at buffer->row ends: *out_bytes from there. END only when nothing is left. */
static int line_find(struct tn_ndjson *lines, size_t *out_bytes)
{
    struct tn_row_buffer *buffer = lines->buffer;
    size_t seen = 0;

    for (;;) {
        size_t held = buffer->end - buffer->row;
        const char *row = buffer->data + buffer->row;
        const char *end = held > seen ? memchr(row + seen, '\n', held - seen) : NULL;
        int answer;

        *out_bytes = end != NULL ? (size_t)(end - row) : held;
        if (end != NULL || held > buffer->row_bytes_max)
            return TN_READER_ROW;
        seen = held;
        answer = tn_row_buffer_more(buffer, lines->reason);
        if (answer == TN_READER_END && held > 0)
            return TN_READER_ROW;
        if (answer != TN_READER_ROW)
            return answer;
    }
}

static bool line_is_blank(const char *at, size_t bytes)
{
    while (bytes > 0 && (at[bytes - 1] == ' ' || at[bytes - 1] == '\t' || at[bytes - 1] == '\r'))
        bytes--;
    return bytes == 0;
}

static int line_read(struct tn_ndjson *lines, struct tn_row *row)
{
    int answer =
        tn_json_read(lines->json, row->raw.data, row->raw.bytes, lines->fields, lines->reason);

    row->fields = lines->fields;
    if (TN_LIKELY(answer == TN_JSON_OBJECT))
        return TN_READER_ROW;
    if (answer == TN_JSON_BAD)
        return TN_READER_BAD;
    tn_reason_set(lines->reason, "no memory for a row of %zu bytes at line %llu", row->raw.bytes,
                  (unsigned long long)row->line);
    return TN_READER_FAILED;
}

int tn_ndjson_next(struct tn_ndjson *lines, struct tn_row *row)
{
    struct tn_row_buffer *buffer = lines->buffer;
    int answer =
        buffer->skipping ? tn_row_buffer_finish_skip(buffer, lines->reason) : TN_READER_ROW;
    size_t bytes = 0;

    while (answer == TN_READER_ROW) {
        answer = line_find(lines, &bytes);
        if (answer != TN_READER_ROW)
            break;
        row->line = buffer->line;
        if (bytes > buffer->row_bytes_max) {
            tn_reason_set(lines->reason, "row is longer than %zu bytes", buffer->row_bytes_max);
            row->raw = tn_row_buffer_skip_line(buffer);
            row->raw.bytes = tn_min(row->raw.bytes, buffer->row_bytes_max);
            return TN_READER_BAD;
        }
        row->raw = (tarn_bytes){ buffer->data + buffer->row, bytes };
        buffer->row = tn_min(buffer->row + bytes + 1, buffer->end);
        buffer->line++;
        if (bytes > 0 && ((const char *)row->raw.data)[bytes - 1] == '\r')
            row->raw.bytes--;
        if (!line_is_blank(row->raw.data, row->raw.bytes)) /* A2 */
            return line_read(lines, row);
    }
    return answer;
}
