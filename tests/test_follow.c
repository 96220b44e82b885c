/*
 * test_follow.c - files that grow are read row by row, never half a row
 *
 * A file is written piece by piece; after each piece the reader is asked until it waits. Whatever
 * the pieces are, the rows are those of the whole file, and each is there as soon as its line is
 * complete.
 */
#include "rows.h"

#include <errno.h>

static const char *const names[] = { "a", "b" };

struct follower {
    struct rows rows; /* what was read: as rows_of_path writes it */
    struct tn_reader *reader;
    struct tn_memory memory;
    char path[64];
    int file;
    char reason[600];
};

static void follower_open(struct follower *f, enum tn_format format, size_t block_bytes)
{
    struct tn_reader_options options = { .format = format,
                                         .fields = names,
                                         .field_count = 2,
                                         .block_bytes = block_bytes,
                                         .follow = true };

    *f = (struct follower){ .rows.options = options };
    rows_reset(&f->rows);
    snprintf(f->path, sizeof f->path, "%s", rows_file("", 0));
    f->file = open(f->path, O_WRONLY | O_APPEND | O_CLOEXEC);
    tn_memory_init(&f->memory, NULL, NULL, 0);
    options.memory = &f->memory;
    check_eq(tn_reader_open(&f->reader, f->path, &options, f->reason, sizeof f->reason),
             TN_READER_ROW);
}

static void follower_close(struct follower *f)
{
    tn_reader_close(f->reader);
    check_eq(f->memory.counted_bytes, 0);
    close(f->file);
    unlink(f->path);
    free(f->rows.text);
}

/* Read what is there; answers why it stopped. */
static int follower_read(struct follower *f)
{
    struct tn_row row;
    int answer;

    while ((answer = tn_reader_next(f->reader, &row)) == TN_READER_ROW || answer == TN_READER_BAD)
        rows_add_row(&f->rows, &row, answer == TN_READER_BAD);
    snprintf(f->reason, sizeof f->reason, "%s", tn_reader_reason(f->reader));
    return answer;
}

static void follower_write(struct follower *f, const char *data, size_t bytes)
{
    if (write(f->file, data, bytes) != (ssize_t)bytes)
        abort();
}

/* Write a text and read it, up to `step_max` bytes at a time; the rows are `expected`. */
static void check_follow(enum tn_format format, const char *text, size_t step_max,
                         const char *expected)
{
    static const size_t blocks[] = { 0, 1, 2, 7, 64 };
    uint64_t state = test_seed();
    size_t i, at, step, bytes = strlen(text);

    for (i = 0; i < sizeof blocks / sizeof blocks[0]; i++) {
        struct follower f;

        follower_open(&f, format, blocks[i]);
        for (at = 0; at < bytes; at += step) {
            check_eq(follower_read(&f), TN_READER_WAITS);
            step = 1 + test_random(&state) % step_max;
            step = step < bytes - at ? step : bytes - at;
            follower_write(&f, text + at, step);
        }
        check_eq(follower_read(&f), TN_READER_WAITS);
        check_text(f.rows.text, expected);
        follower_close(&f);
    }
}

static void rows_come_as_if_the_file_had_been_whole(void)
{
    static const char csv[] = "\xEF\xBB\xBF"
                              "a,c,b\r\n1,x,2\n\n\"3,\"\"\n\",y,4\n5\nx\"y,,6\n7,8,9\n";
    static const char tsv[] = "\na\tb\n1\t2\n\n3\r\n\"4\t5\n";
    static const char ndjson[] = "{\"a\":1,\"b\":\"\\u0041\"}\n \n{\"a\":}\n{\"b\":[1, 2]}\n";
    size_t step;

    for (step = 1; step < 60; step += step < 8 ? 1 : 17) {
        check_follow(TN_FORMAT_CSV, csv, step, "2: 1|2\n4: 3,\"\n|4\n6: 5|\n7! x\"y,,6\n8: 7|9\n");
        check_follow(TN_FORMAT_TSV, tsv, step, "3: 1|2\n5: 3|\n6: \"4|5\n");
        check_follow(TN_FORMAT_NDJSON, ndjson, step, "1: 1|A\n3! {\"a\":}\n4: |[1, 2]\n");
    }
}

static void a_line_without_its_end_is_not_yet_a_row(void)
{
    struct follower f;

    follower_open(&f, TN_FORMAT_CSV, 0);
    follower_write(&f, "a,b\n1,2", 7);
    check_eq(follower_read(&f), TN_READER_WAITS);
    check_text(f.rows.text, "");
    follower_write(&f, "3", 1);
    check_eq(follower_read(&f), TN_READER_WAITS);
    check_text(f.rows.text, "");
    follower_write(&f, "\n", 1);
    check_eq(follower_read(&f), TN_READER_WAITS);
    check_text(f.rows.text, "2: 1|23\n");
    follower_close(&f);
}

static void half_a_bad_row_is_told_once(void)
{
    struct follower f;

    follower_open(&f, TN_FORMAT_CSV, 0);
    follower_write(&f, "a,b\n\"1\"x,", 9);
    check_eq(follower_read(&f), TN_READER_WAITS);
    check_text(f.rows.text, "2! \"1\"x,\n");
    follower_write(&f, "2\n3,4\n", 6);
    check_eq(follower_read(&f), TN_READER_WAITS);
    check_text(f.rows.text, "2! \"1\"x,\n3: 3|4\n");
    follower_close(&f);
}

static void a_header_that_lacks_a_column_is_refused_when_it_comes(void)
{
    struct follower f;
    struct tn_row row;

    follower_open(&f, TN_FORMAT_CSV, 0);
    follower_write(&f, "a,bb", 4);
    check_eq(follower_read(&f), TN_READER_WAITS);
    follower_write(&f, "\n", 1);
    check_eq(follower_read(&f), TN_READER_REFUSED);
    check(strstr(f.reason, "there is no column \"b\"") != NULL);
    check(strstr(f.reason, f.path) != NULL);
    check_eq(tn_reader_next(f.reader, &row), TN_READER_REFUSED);
    follower_close(&f);
}

static void a_file_that_became_shorter_is_refused(void)
{
    struct follower f;

    follower_open(&f, TN_FORMAT_CSV, 0);
    follower_write(&f, "a,b\n1,2\n3,4\n", 12);
    check_eq(follower_read(&f), TN_READER_WAITS);
    check_eq(ftruncate(f.file, 8), 0);
    check_eq(follower_read(&f), TN_READER_REFUSED);
    check(strstr(f.reason, "is 8 bytes long now, and 12 were read") != NULL);
    check_text(f.rows.text, "2: 1|2\n3: 3|4\n");
    follower_close(&f);
}

static void a_file_that_was_renamed_is_read_to_its_end_and_then_refused(void)
{
    char other[80];
    struct follower f;
    int file;

    follower_open(&f, TN_FORMAT_CSV, 0);
    follower_write(&f, "a,b\n1,2\n", 8);
    check_eq(follower_read(&f), TN_READER_WAITS);
    snprintf(other, sizeof other, "%s.1", f.path);
    check_eq(rename(f.path, other), 0);
    check_eq(follower_read(&f), TN_READER_WAITS); /* gone for a moment: perhaps it comes back */
    follower_write(&f, "3,4\n", 4);
    file = open(f.path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    check(file >= 0);
    close(file);
    check_eq(follower_read(&f), TN_READER_REFUSED);
    check_text(f.rows.text, "2: 1|2\n3: 3|4\n");
    check(strstr(f.reason, "renamed, removed or replaced") != NULL);
    unlink(other);
    follower_close(&f);
}

static void gzip_and_what_is_no_file_cannot_be_followed(void)
{
    static const char *const fields[] = { "a" };
    struct rows rows = {
        .options = { .format = TN_FORMAT_CSV, .fields = fields, .field_count = 1, .follow = true }
    };

    check_eq(rows_of_bytes(&rows, "\x1f\x8b\x08", 3), TN_READER_REFUSED);
    check(strstr(rows.reason, "is gzip") != NULL);
    check_eq(rows_of_path(&rows, "/dev/null"), TN_READER_REFUSED);
    check(strstr(rows.reason, "is not a regular file") != NULL);
    free(rows.text);
}

/* The first byte of gzip alone says nothing yet. */
static void gzip_is_recognised_when_its_second_byte_comes(void)
{
    struct follower f;

    follower_open(&f, TN_FORMAT_CSV, 0);
    follower_write(&f, "\x1f", 1);
    check_eq(follower_read(&f), TN_READER_WAITS);
    follower_write(&f, "\x8b", 1);
    check_eq(follower_read(&f), TN_READER_REFUSED);
    follower_close(&f);
}

/* ---- pipes ----------------------------------------------------------------------------------- */

static void a_pipe_need_not_be_waited_for(void)
{
    struct tn_reader_options options = {
        .format = TN_FORMAT_CSV, .fields = names, .field_count = 2, .no_wait = true
    };
    struct rows rows = { .options = options };
    struct tn_reader *reader;
    struct tn_row row;
    int ends[2];
    char reason[200];

    check_eq(pipe(ends), 0);
    dup2(ends[0], STDIN_FILENO);
    close(ends[0]);
    rows_reset(&rows);
    check_eq(tn_reader_open(&reader, "-", &options, reason, sizeof reason), TN_READER_ROW);
    check_eq(tn_reader_next(reader, &row), TN_READER_WAITS);
    check_eq(write(ends[1], "a,b\n1,2\n3", 9), 9);
    tn_reader_wait(reader, -1); /* hangs if it does not see what is there */
    check_eq(tn_reader_next(reader, &row), TN_READER_ROW);
    rows_add_row(&rows, &row, false);
    check_eq(tn_reader_next(reader, &row), TN_READER_WAITS);
    tn_reader_wait(reader, 1);
    check_eq(tn_reader_next(reader, &row), TN_READER_WAITS);
    close(ends[1]);
    check_eq(tn_reader_next(reader, &row), TN_READER_ROW); /* a pipe does end */
    rows_add_row(&rows, &row, false);
    check_text(rows.text, "2: 1|2\n3: 3|\n");
    check_eq(tn_reader_next(reader, &row), TN_READER_END);
    tn_reader_close(reader);
    free(rows.text);
}

static const struct test tests[] = {
    T(rows_come_as_if_the_file_had_been_whole),
    T(a_line_without_its_end_is_not_yet_a_row),
    T(half_a_bad_row_is_told_once),
    T(a_header_that_lacks_a_column_is_refused_when_it_comes),
    T(a_file_that_became_shorter_is_refused),
    T(a_file_that_was_renamed_is_read_to_its_end_and_then_refused),
    T(gzip_and_what_is_no_file_cannot_be_followed),
    T(gzip_is_recognised_when_its_second_byte_comes),
    T(a_pipe_need_not_be_waited_for),
};
TEST_MAIN(tests)
