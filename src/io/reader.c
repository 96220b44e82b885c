/*
 * reader.c - the format's name, the life of a reader; rows come from csv.c, tsv.c, ndjson.c
 */
#include "io/reader.h"

#include "io/delimited.h"
#include "io/ndjson.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define READER_ROW_BYTES_MAX (16 * TN_MIB)
#define READER_ROW_BYTES_LIMIT TN_GIB
#define READER_BLOCK_BYTES_LIMIT (64 * TN_MIB)

struct tn_reader {
    struct tn_memory own_memory;
    struct tn_memory *memory;
    enum tn_format format;
    struct tn_text text;
    struct tn_delimited table; /* csv, tsv */
    struct tn_ndjson lines;    /* ndjson */
    int last;                  /* the answer that ended it; 0: none yet */
    char *name;                /* of the input, for messages */
    size_t name_bytes;
    struct tn_reason reason;
};

/* ---- formats --------------------------------------------------------------------------------- */

static const struct {
    const char *suffix;
    enum tn_format format;
} reader_suffixes[] = {
    { ".csv", TN_FORMAT_CSV },       { ".tsv", TN_FORMAT_TSV },      { ".tab", TN_FORMAT_TSV },
    { ".ndjson", TN_FORMAT_NDJSON }, { ".jsonl", TN_FORMAT_NDJSON }, { ".json", TN_FORMAT_NDJSON },
};

static bool name_ends(const char *path, size_t bytes, const char *suffix)
{
    size_t suffix_bytes = strlen(suffix);

    return bytes > suffix_bytes &&
           strncasecmp(path + bytes - suffix_bytes, suffix, suffix_bytes) == 0;
}

static enum tn_format format_of_name(const char *path)
{
    size_t bytes = strlen(path), i;

    if (name_ends(path, bytes, ".gz"))
        bytes -= 3;
    for (i = 0; i < TN_ARRAY_COUNT(reader_suffixes); i++)
        if (name_ends(path, bytes, reader_suffixes[i].suffix))
            return reader_suffixes[i].format;
    return TN_FORMAT_AUTO;
}

static int format_choose(struct tn_reader *reader, const char *path, enum tn_format wanted,
                         struct tn_reason *reason)
{
    reader->format = wanted != TN_FORMAT_AUTO ? wanted : format_of_name(path);
    if (reader->format != TN_FORMAT_AUTO)
        return TN_READER_ROW;
    tn_reason_set(reason, "the name does not tell the format; say csv, tsv or ndjson");
    return TN_READER_REFUSED;
}

/* ---- open and close -------------------------------------------------------------------------- */

/* Put the input's name in front of what the reason says. */
static void reason_name(struct tn_reason *reason, const char *name)
{
    struct tn_reason said = *reason;

    tn_reason_set(reason, "%s: %s", name, said.text);
}

static int reader_begin(struct tn_reader *reader, const struct tn_reader_options *options)
{
    int answer = tn_text_begin(&reader->text, &reader->reason);

    if (answer != TN_READER_ROW)
        return answer;
    if (reader->format == TN_FORMAT_NDJSON)
        return tn_ndjson_init(&reader->lines, &reader->text, options->fields, options->field_count,
                              &reader->reason);
    return tn_delimited_init(&reader->table, reader->format == TN_FORMAT_CSV ? &tn_csv : &tn_tsv,
                             &reader->text, options->fields, options->field_count, &reader->reason);
}

static int reader_start(struct tn_reader *reader, const char *path,
                        const struct tn_reader_options *options)
{
    struct tn_input_options input_options = {
        .memory = reader->memory,
        .stop = options->stop,
        .block_bytes = tn_min(options->block_bytes, READER_BLOCK_BYTES_LIMIT),
    };
    size_t row_bytes_max = options->row_bytes_max != 0
                               ? tn_min(options->row_bytes_max, READER_ROW_BYTES_LIMIT)
                               : READER_ROW_BYTES_MAX;
    struct tn_input *input;
    int answer = tn_input_open(&input, path, &input_options, &reader->reason);

    if (answer != TN_READER_ROW)
        return answer;
    if (input_options.block_bytes == 0)
        input_options.block_bytes = TN_INPUT_BLOCK_BYTES;
    answer = tn_text_init(&reader->text, input, reader->memory, input_options.block_bytes,
                          row_bytes_max, &reader->reason);
    if (answer == TN_READER_ROW)
        answer = reader_begin(reader, options);
    return answer;
}

int tn_reader_open(struct tn_reader **out, const char *path,
                   const struct tn_reader_options *options, char *reason, size_t reason_bytes)
{
    struct tn_memory own_memory;
    struct tn_memory *memory = options->memory;
    struct tn_reader *reader;
    const char *name = strcmp(path, "-") == 0 ? "standard input" : path;
    struct tn_reason why;
    int answer = TN_READER_FAILED;

    *out = NULL;
    tn_memory_init(&own_memory, NULL, NULL, 0);
    reader = tn_memory_new(memory != NULL ? memory : &own_memory, sizeof *reader, true);
    if (reader == NULL) {
        snprintf(reason, reason_bytes, "%s: no memory to open it; free some", name);
        return TN_READER_FAILED;
    }
    reader->own_memory = own_memory;
    reader->memory = memory != NULL ? memory : &reader->own_memory;
    reader->name_bytes = strlen(name) + 1;
    reader->name = tn_memory_new(reader->memory, reader->name_bytes, false);
    if (reader->name != NULL) {
        memcpy(reader->name, name, reader->name_bytes);
        answer = format_choose(reader, path, options->format, &reader->reason);
    } else {
        tn_reason_set(&reader->reason, "no memory to open it; free some");
    }
    if (answer == TN_READER_ROW)
        answer = reader_start(reader, path, options);
    if (answer == TN_READER_ROW) {
        *out = reader;
        return answer;
    }
    why = reader->reason;
    reason_name(&why, name);
    tn_reader_close(reader);
    snprintf(reason, reason_bytes, "%s", why.text);
    return answer;
}

void tn_reader_close(struct tn_reader *reader)
{
    struct tn_memory memory;

    if (reader == NULL)
        return;
    tn_delimited_release(&reader->table);
    tn_ndjson_release(&reader->lines);
    tn_text_release(&reader->text);
    tn_memory_free(reader->memory, reader->name, reader->name_bytes);
    if (reader->memory != &reader->own_memory) {
        tn_memory_free(reader->memory, reader, sizeof *reader);
        return;
    }
    memory = reader->own_memory;
    tn_memory_free(&memory, reader, sizeof *reader);
}

/* ---- rows ------------------------------------------------------------------------------------ */

int tn_reader_next(struct tn_reader *reader, struct tn_row *row)
{
    int answer = reader->last;

    if (answer != 0)
        return answer;
    if (reader->format == TN_FORMAT_NDJSON)
        answer = tn_ndjson_next(&reader->lines, row);
    else
        answer = tn_delimited_next(&reader->table, row);
    if (TN_LIKELY(answer == TN_READER_ROW || answer == TN_READER_BAD))
        return answer;
    reader->last = answer;
    if (answer != TN_READER_END)
        reason_name(&reader->reason, reader->name);
    return answer;
}

const char *tn_reader_reason(const struct tn_reader *reader)
{
    return reader->reason.text;
}

tarn_bytes tn_reader_header(const struct tn_reader *reader)
{
    return (tarn_bytes){ reader->table.header != NULL ? reader->table.header : "",
                         reader->table.header_bytes };
}

uint64_t tn_reader_bytes(const struct tn_reader *reader)
{
    return reader->text.origin + reader->text.row;
}
