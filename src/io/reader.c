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
    struct tn_row_buffer buffer;
    struct tn_checksum_stream checksum; /* of the input, when it is wanted */
    struct tn_delimited table;          /* csv, tsv */
    struct tn_ndjson lines;             /* ndjson */
    const char *const *fields;
    size_t field_count;
    bool buffer_begun; /* the input's first bytes are looked at, table or lines are there */
    bool begun;        /* the header is read, too */
    int last;          /* the answer that ended it; 0: none yet */
    char *name;        /* of the input, for messages */
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

static int reader_begin_text(struct tn_reader *reader)
{
    int answer = tn_row_buffer_begin(&reader->buffer, &reader->reason);

    if (answer != TN_READER_ROW)
        return answer;
    reader->buffer_begun = true;
    if (reader->format == TN_FORMAT_NDJSON)
        return tn_ndjson_init(&reader->lines, &reader->buffer, reader->fields, reader->field_count,
                              &reader->reason);
    return tn_delimited_init(&reader->table, reader->format == TN_FORMAT_CSV ? &tn_csv : &tn_tsv,
                             &reader->buffer, reader->fields, reader->field_count, &reader->reason);
}

/* Read what comes before the first row; after WAITS, go on with it. */
static int reader_begin(struct tn_reader *reader)
{
    int answer = reader->buffer_begun ? TN_READER_ROW : reader_begin_text(reader);

    if (answer == TN_READER_ROW && reader->format != TN_FORMAT_NDJSON)
        answer = tn_delimited_begin(&reader->table);
    reader->begun = answer == TN_READER_ROW;
    return answer;
}

/* Go to a place behind the header (R7). */
static int reader_seek(struct tn_reader *reader, const struct tn_place *place)
{
    struct tn_row_buffer *buffer = &reader->buffer;
    int answer = TN_READER_END;

    if (reader->begun && place->bytes >= buffer->origin + buffer->row)
        answer = tn_row_buffer_seek(buffer, place->bytes, &reader->reason);
    if (answer == TN_READER_END || answer == TN_READER_WAITS) {
        tn_reason_set(&reader->reason,
                      "ends before byte %llu, up to which it was read before; it is another file, "
                      "or was cut",
                      (unsigned long long)place->bytes);
        return TN_READER_REFUSED;
    }
    if (answer == TN_READER_ROW && tn_row_buffer_checksum(buffer) != place->checksum &&
        buffer->checksum != NULL) {
        tn_reason_set(&reader->reason,
                      "its first %llu bytes are not those that were read before; it is another "
                      "file, or was written over",
                      (unsigned long long)place->bytes);
        return TN_READER_REFUSED;
    }
    buffer->line = place->line;
    buffer->skipping = place->skipping;
    if (reader->format == TN_FORMAT_NDJSON)
        return answer;
    reader->table.replay_end = place->replay_end;
    tn_delimited_moved(&reader->table);
    return answer;
}

static int reader_start(struct tn_reader *reader, const char *path,
                        const struct tn_reader_options *options)
{
    struct tn_input_options input_options = {
        .memory = reader->memory,
        .stop = options->stop,
        .follow = options->follow,
        .no_wait = options->no_wait,
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
    answer = tn_row_buffer_init(&reader->buffer, input, reader->memory, input_options.block_bytes,
                                row_bytes_max, &reader->reason);
    if (options->checksum) {
        reader->buffer.checksum = &reader->checksum;
        tn_checksum_begin(reader->buffer.checksum, 0);
    }
    if (answer == TN_READER_ROW)
        answer = reader_begin(reader);
    if (options->place != NULL && options->place->bytes > 0 &&
        (answer == TN_READER_ROW || answer == TN_READER_WAITS))
        return reader_seek(reader, options->place);
    return answer == TN_READER_WAITS ? TN_READER_ROW : answer;
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
    reader->fields = options->fields;
    reader->field_count = options->field_count;
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
        answer = reader_start(reader, strcmp(path, "-") == 0 ? path : reader->name, options);
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
    tn_row_buffer_release(&reader->buffer);
    tn_memory_free(reader->memory, reader->name, reader->name_bytes);
    if (reader->memory != &reader->own_memory) {
        tn_memory_free(reader->memory, reader, sizeof *reader);
        return;
    }
    memory = reader->own_memory;
    tn_memory_free(&memory, reader, sizeof *reader);
}

/* ---- rows ------------------------------------------------------------------------------------ */

static int reader_row(struct tn_reader *reader, struct tn_row *row)
{
    if (reader->format == TN_FORMAT_NDJSON)
        return tn_ndjson_next(&reader->lines, row);
    return tn_delimited_next(&reader->table, row);
}

int tn_reader_next(struct tn_reader *reader, struct tn_row *row)
{
    int answer = TN_READER_ROW;

    if (reader->last != 0)
        return reader->last;
    if (TN_UNLIKELY(!reader->begun))
        answer = reader_begin(reader);
    if (TN_LIKELY(answer == TN_READER_ROW))
        answer = reader_row(reader, row);
    if (TN_LIKELY(answer == TN_READER_ROW || answer == TN_READER_BAD) || answer == TN_READER_WAITS)
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
    return reader->buffer.origin + reader->buffer.row;
}

void tn_reader_wait(const struct tn_reader *reader, int most_ms)
{
    tn_input_wait(reader->buffer.input, most_ms);
}

void tn_reader_progress(const struct tn_reader *reader, uint64_t *read_bytes, uint64_t *file_bytes)
{
    tn_input_progress(reader->buffer.input, read_bytes, file_bytes);
}

void tn_reader_place(struct tn_reader *reader, struct tn_place *out)
{
    *out = (struct tn_place){
        .bytes = reader->begun ? tn_reader_bytes(reader) : 0, /* a header is read as a whole */
        .checksum = reader->begun ? tn_row_buffer_checksum(&reader->buffer) : 0,
        .line = reader->buffer.line,
        .replay_end = reader->table.replay_end,
        .skipping = reader->buffer.skipping,
    };
    tn_input_identity(reader->buffer.input, &out->device, &out->inode);
}
