/*
 * rows.h - for tests of readers: bytes in, one line of text for each answer out
 *
 *     "2: a|b\n"   a row: its line in the file, its fields
 *     "3! x,y\n"   a bad row: its line, and what is given as raw
 *     "end\n" "refused\n" "failed\n" "stopped\n"   the last answer; `reason` has the sentence
 */
#ifndef TEST_ROWS_H
#define TEST_ROWS_H

#include "io/reader.h"
#include "test.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

struct rows {
    struct tn_reader_options options; /* set by the test; fields by rows_of */
    char *text;
    size_t bytes, capacity;
    size_t row_count, bad_count;
    uint64_t input_bytes;
    char header[256];
    char reason[600];     /* of the last answer */
    char bad_reason[600]; /* of the last bad row */
};

static inline void rows_add(struct rows *rows, const void *data, size_t bytes)
{
    if (rows->bytes + bytes + 1 > rows->capacity) {
        rows->capacity = 2 * (rows->bytes + bytes + 64);
        rows->text = realloc(rows->text, rows->capacity);
        if (rows->text == NULL)
            abort();
    }
    if (bytes > 0)
        memcpy(rows->text + rows->bytes, data, bytes);
    rows->bytes += bytes;
    rows->text[rows->bytes] = '\0';
}

static inline void rows_add_text(struct rows *rows, const char *text)
{
    rows_add(rows, text, strlen(text));
}

/* A file with these bytes; its name is kept until the next call. */
static inline const char *rows_file(const void *data, size_t bytes)
{
    static char path[64];
    static unsigned number;
    const char *at = data;
    int file;

    snprintf(path, sizeof path, "/tmp/tarn-test-%ld-%u", (long)getpid(), number++);
    file = open(path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
    if (file < 0)
        abort();
    while (bytes > 0) {
        ssize_t written = write(file, at, bytes);

        if (written <= 0)
            abort();
        at += written;
        bytes -= (size_t)written;
    }
    close(file);
    return path;
}

static inline void rows_reset(struct rows *rows)
{
    free(rows->text);
    *rows = (struct rows){ .options = rows->options };
    rows_add(rows, "", 0);
}

static inline void rows_add_row(struct rows *rows, const struct tn_row *row, bool bad)
{
    char line[32];
    size_t i;

    snprintf(line, sizeof line, "%llu%s", (unsigned long long)row->line, bad ? "! " : ": ");
    rows_add_text(rows, line);
    if (bad)
        rows_add(rows, row->raw.data, row->raw.bytes < 40 ? row->raw.bytes : 40);
    for (i = 0; i < rows->options.field_count && !bad; i++) {
        if (i > 0)
            rows_add_text(rows, "|");
        rows_add(rows, row->fields[i].data, row->fields[i].bytes);
    }
    rows_add_text(rows, "\n");
}

/* Read all of `path`; answers the last answer. */
static inline int rows_of_path(struct rows *rows, const char *path)
{
    static const char *const ends[] = {
        "row", "end", "bad", "refused", "failed", "stopped", "waits"
    };
    struct tn_reader *reader;
    struct tn_row row;
    tarn_bytes header;
    int answer;

    rows_reset(rows);
    answer = tn_reader_open(&reader, path, &rows->options, rows->reason, sizeof rows->reason);
    if (answer == TN_READER_ROW) {
        header = tn_reader_header(reader);
        snprintf(rows->header, sizeof rows->header, "%.*s", (int)header.bytes,
                 (const char *)header.data);
        while ((answer = tn_reader_next(reader, &row)) == TN_READER_ROW ||
               answer == TN_READER_BAD) {
            rows_add_row(rows, &row, answer == TN_READER_BAD);
            rows->row_count += answer == TN_READER_ROW;
            rows->bad_count += answer == TN_READER_BAD;
            if (answer == TN_READER_BAD)
                snprintf(rows->bad_reason, sizeof rows->bad_reason, "%s", tn_reader_reason(reader));
        }
        if (answer != TN_READER_END)
            snprintf(rows->reason, sizeof rows->reason, "%s", tn_reader_reason(reader));
        check_eq(tn_reader_next(reader, &row), answer); /* the end stays the end */
        rows->input_bytes = tn_reader_bytes(reader);
        tn_reader_close(reader);
    } else {
        check(reader == NULL);
    }
    rows_add_text(rows, ends[answer]);
    rows_add_text(rows, "\n");
    return answer;
}

static inline int rows_of_bytes(struct rows *rows, const void *data, size_t bytes)
{
    const char *path = rows_file(data, bytes);
    int answer = rows_of_path(rows, path);

    unlink(path);
    return answer;
}

/* The answers are the same whatever the size of a block: every boundary falls everywhere. */
static inline void check_rows_bytes(const char *file, int line, struct tn_reader_options options,
                                    const void *data, size_t bytes, const char *expected)
{
    static const size_t blocks[] = { 0, 1, 2, 3, 7, 16, 63, 64, 65, 4096 };
    struct rows rows = { .options = options };
    size_t i;

    for (i = 0; i < sizeof blocks / sizeof blocks[0]; i++) {
        rows.options.block_bytes = blocks[i];
        rows_of_bytes(&rows, data, bytes);
        if (strcmp(rows.text, expected) != 0) {
            test_fail(file, line, "with blocks of %zu bytes:\n#   %s\n# not\n#   %s\n# (%s; %s)",
                      blocks[i], rows.text, expected, rows.reason, rows.bad_reason);
            break;
        }
    }
    free(rows.text);
}

#define check_rows(options, data, expected)                                                        \
    check_rows_bytes(__FILE__, __LINE__, options, data, strlen(data), expected)

/* `count` > 0 allocations succeed, then none does. */
static inline void *rows_allocate_count(void *context, void *old, size_t old_bytes,
                                        size_t new_bytes)
{
    int *left = context;

    (void)old_bytes;
    if (new_bytes == 0) {
        free(old);
        return NULL;
    }
    if (*left <= 0)
        return NULL;
    --*left;
    return realloc(old, new_bytes);
}

/* With the n-th allocation refused, for each n: FAILED, said as lack of memory, nothing leaked. */
static inline void check_out_of_memory(const char *file, int line, struct tn_reader_options options,
                                       const void *data, size_t bytes)
{
    const char *path = rows_file(data, bytes);
    struct rows rows = { .options = options };
    struct tn_memory memory;
    int n, left, answer = TN_READER_FAILED;

    for (n = 0; n < 200 && answer != TN_READER_END; n++) {
        left = n;
        tn_memory_init(&memory, rows_allocate_count, &left, 0);
        rows.options.memory = &memory;
        answer = rows_of_path(&rows, path);
        if (answer != TN_READER_END &&
            (answer != TN_READER_FAILED || strstr(rows.reason, "memory") == NULL))
            test_fail(file, line, "allocation %d refused: answer %d, '%s'", n, answer, rows.reason);
        if (memory.counted_bytes != 0)
            test_fail(file, line, "allocation %d refused: bytes leaked", n);
    }
    if (n < 4 || answer != TN_READER_END)
        test_fail(file, line, "never got through");
    free(rows.text);
    unlink(path);
}

#endif
