/*
 * ndjson.h - one JSON object a line
 *
 * Rules
 *   A1  A row ends at the line feed, whatever is open: a broken row costs one line.
 *   A2  Lines of blanks are skipped.
 *   A3  Objects are read where they lie in the text, by json.h.
 */
#ifndef TN_NDJSON_H
#define TN_NDJSON_H

#include "io/reader.h"
#include "io/row_buffer.h"

struct tn_json;

struct tn_ndjson {
    struct tn_row_buffer *buffer;
    struct tn_reason *reason;
    struct tn_json *json;
    tarn_bytes *fields;
    size_t field_count;
};

/* Answers as tn_reader_open; on any answer release gives everything back. */
int tn_ndjson_init(struct tn_ndjson *lines, struct tn_row_buffer *buffer, const char *const *fields,
                   size_t field_count, struct tn_reason *reason);

/* As tn_reader_next. */
int tn_ndjson_next(struct tn_ndjson *lines, struct tn_row *row);

void tn_ndjson_release(struct tn_ndjson *lines);

#endif
