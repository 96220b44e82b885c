/*
 * test_place.c - a reader opened at a place behind a row goes on as if it had read all before it
 */
#include "base/checksum.h"
#include "rows.h"

#include <zlib.h>

static const char *const names[] = { "a", "b" };

/* Each answer's line, and the place behind it. */
struct track {
    size_t count;
    size_t text_at[400]; /* in rows.text, of what comes behind the place */
    struct tn_place places[400];
};

static void read_tracked(struct rows *rows, struct track *track, const char *path)
{
    struct tn_reader *reader;
    struct tn_row row;
    int answer = 0;

    rows_reset(rows);
    track->count = 0;
    check_eq(tn_reader_open(&reader, path, &rows->options, rows->reason, sizeof rows->reason),
             TN_READER_ROW);
    do {
        tn_reader_place(reader, &track->places[track->count]);
        track->text_at[track->count++] = rows->bytes;
        answer = tn_reader_next(reader, &row);
        if (answer == TN_READER_ROW || answer == TN_READER_BAD)
            rows_add_row(rows, &row, answer == TN_READER_BAD);
    } while (answer == TN_READER_ROW || answer == TN_READER_BAD);
    check_eq(answer, TN_READER_END);
    rows_add_text(rows, "end\n");
    tn_reader_close(reader);
}

/* From every place behind a row the same rows follow, plain and packed, whatever the block. */
static void check_places(enum tn_format format, size_t row_bytes_max, const char *path)
{
    static const size_t blocks[] = { 0, 1, 3, 64 };
    struct rows whole = {
        .options = { .format = format, .fields = names, .field_count = 2, .checksum = true }
    };
    struct rows rest;
    struct track track;
    size_t i, block;

    whole.options.row_bytes_max = row_bytes_max;
    rest = whole;
    for (block = 0; block < sizeof blocks / sizeof blocks[0]; block++) {
        whole.options.block_bytes = blocks[block];
        read_tracked(&whole, &track, path);
        check(track.count > 5);
        for (i = 0; i < track.count; i++) {
            rest.options.place = &track.places[i];
            rest.options.block_bytes = blocks[(block + i) % 4];
            check_eq(rows_of_path(&rest, path), TN_READER_END);
            check_text(rest.text, whole.text + track.text_at[i]);
        }
    }
    free(whole.text);
    free(rest.text);
}

static const char *gzip_file(const char *text)
{
    static char path[80];
    gzFile file;

    snprintf(path, sizeof path, "%s.gz", rows_file("", 0));
    file = gzopen(path, "wb");
    check(file != NULL && gzwrite(file, text, (unsigned)strlen(text)) == (int)strlen(text));
    gzclose(file);
    return path;
}

static void check_text_places_with(enum tn_format format, size_t row_bytes_max, const char *text)
{
    const char *path = rows_file(text, strlen(text));

    check_places(format, row_bytes_max, path);
    unlink(path);
    path = gzip_file(text);
    check_places(format, row_bytes_max, path);
    unlink(path);
}

static void check_text_places(enum tn_format format, const char *text)
{
    check_text_places_with(format, 0, text);
}

static void from_every_row_the_same_rows_follow(void)
{
    check_text_places(TN_FORMAT_CSV, "\xEF\xBB\xBF"
                                     "a,b\r\n1,2\n\n\"3\n\n\",4\nx\"y,\n5,6\n7\n8,9");
    check_text_places(TN_FORMAT_TSV, "\n\na\tb\n1\t2\n\n3\n4\t5\t6\n\"7\n8\t9\n");
    check_text_places(TN_FORMAT_NDJSON,
                      "{\"a\":1}\n \n{\"b\":2\n{\"a\":3,\"a\":4}\n{\"b\":5}\n{}\n{\"a\":6}");
}

/* A quote that never closes costs one row; up to where it was noticed quotes close on their line. */
static void also_inside_what_a_stray_quote_had_run_over(void)
{
    check_text_places(TN_FORMAT_CSV,
                      "a,b\n1,\"2\n3,4\n\"5\n6\",7\n8,9\n\"10\" x,11\n12,13\n\"14\n15\",16\n");
}

/* The place behind such a row may be in the middle of its line. */
static void also_behind_a_row_that_is_too_long(void)
{
    check_text_places_with(TN_FORMAT_CSV, 8,
                           "a,b\n1,2\n123456789,123456789\n3,4\n\"12345\n6789\n1\"\n5,6\n7,8\n");
    check_text_places_with(TN_FORMAT_TSV, 8, "a\tb\n1\t2\n123456789\t123456789\n3\t4\n5\n6\n7\n");
    check_text_places_with(TN_FORMAT_NDJSON, 8,
                           "{\"a\":1}\n{\"a\":123456789}\n{\"a\":2}\n{}\n{}\n{\"b\":3}\n");
}

static void random_tables_too(void)
{
    static const char alphabet[] = "aa,,\"\"\n\n\r{}:1 ";
    uint64_t state = test_seed();
    char text[200] = "a,b\n";
    int round;
    size_t i;

    for (round = 0; round < 60; round++) {
        for (i = 4; i < sizeof text - 1; i++)
            text[i] = alphabet[test_random(&state) % (sizeof alphabet - 1)];
        memcpy(text + i - 12, "\n1\n2\n3\n4\n5\n", 11);
        text[i - 1] = '\0';
        check_text_places(TN_FORMAT_CSV, text);
    }
}

static void a_place_names_the_file_and_counts_its_bytes(void)
{
    struct tn_reader_options options = { .format = TN_FORMAT_CSV,
                                         .fields = names,
                                         .field_count = 2 };
    const char *path = rows_file("a,b\n1,2\n3,4\n", 12);
    struct tn_reader *reader;
    struct tn_place place;
    struct tn_row row;
    struct stat status;
    char reason[200];

    check_eq(stat(path, &status), 0);
    check_eq(tn_reader_open(&reader, path, &options, reason, sizeof reason), TN_READER_ROW);
    check_eq(tn_reader_next(reader, &row), TN_READER_ROW);
    tn_reader_place(reader, &place);
    check_eq(place.bytes, 8);
    check_eq(place.line, 3);
    check(place.device == (uint64_t)status.st_dev && place.inode == (uint64_t)status.st_ino);
    tn_reader_close(reader);
    unlink(path);
}

static void a_file_that_ends_before_the_place_is_refused(void)
{
    struct tn_place place = { .bytes = 13, .line = 4 };
    struct rows rows = {
        .options = { .format = TN_FORMAT_CSV, .fields = names, .field_count = 2, .place = &place }
    };

    check_eq(rows_of_bytes(&rows, "a,b\n1,2\n3,4\n", 12), TN_READER_REFUSED);
    check(strstr(rows.reason, "ends before byte 13") != NULL);
    place.bytes = 12;
    check_eq(rows_of_bytes(&rows, "a,b\n1,2\n3,4\n", 12), TN_READER_END);
    place.bytes = 2; /* inside the header */
    check_eq(rows_of_bytes(&rows, "a,b\n1,2\n3,4\n", 12), TN_READER_REFUSED);
    rows.options.follow = true;
    place.bytes = 13;
    check_eq(rows_of_bytes(&rows, "a,b\n1,2\n3,4\n", 12), TN_READER_REFUSED);
    check_eq(rows_of_bytes(&rows, "", 0), TN_READER_REFUSED);
    free(rows.text);
}

static void other_bytes_before_the_place_are_refused(void)
{
    static const char before[] = "a,b\n1,2\n3,4\n";
    struct tn_place place;
    struct rows rows = {
        .options = { .format = TN_FORMAT_CSV, .fields = names, .field_count = 2, .checksum = true }
    };
    const char *path = rows_file(before, 12);
    char after[] = "a,b\n1,2\n3,5\n";
    struct tn_reader *reader;
    struct tn_row row;
    size_t i;

    check_eq(tn_reader_open(&reader, path, &rows.options, rows.reason, sizeof rows.reason),
             TN_READER_ROW);
    check_eq(tn_reader_next(reader, &row), TN_READER_ROW);
    tn_reader_place(reader, &place);
    check_eq(place.checksum, tn_checksum(before, 8, 0));
    tn_reader_close(reader);
    unlink(path);
    rows.options.place = &place;
    check_eq(rows_of_bytes(&rows, after, 12), TN_READER_END); /* behind the place: another row */
    check_text(rows.text, "3: 3|5\nend\n");
    for (i = 4; i < 7; i++) {
        after[i] ^= 1;
        check_eq(rows_of_bytes(&rows, after, 12), TN_READER_REFUSED);
        check(strstr(rows.reason, "its first 8 bytes are not those that were read before") != NULL);
        after[i] ^= 1;
    }
    rows.options.checksum = false; /* who keeps none is not told */
    after[4] = '7';
    check_eq(rows_of_bytes(&rows, after, 12), TN_READER_END);
    free(rows.text);
}

static void a_place_before_the_header_is_the_beginning(void)
{
    struct tn_place place;
    struct rows rows = {
        .options = { .format = TN_FORMAT_CSV, .fields = names, .field_count = 2, .follow = true }
    };
    const char *path = rows_file("\n\na,", 4);
    struct tn_reader *reader;
    struct tn_row row;

    check_eq(tn_reader_open(&reader, path, &rows.options, rows.reason, sizeof rows.reason),
             TN_READER_ROW);
    check_eq(tn_reader_next(reader, &row), TN_READER_WAITS);
    tn_reader_place(reader, &place);
    check_eq(place.bytes, 0);
    tn_reader_close(reader);
    unlink(path);
    rows.options.place = &place;
    rows.options.follow = false;
    check_eq(rows_of_bytes(&rows, "\n\na,b\n1,2\n", 10), TN_READER_END);
    check_text(rows.text, "4: 1|2\nend\n");
    free(rows.text);
}

static const struct test tests[] = {
    T(from_every_row_the_same_rows_follow),         T(also_inside_what_a_stray_quote_had_run_over),
    T(also_behind_a_row_that_is_too_long),          T(random_tables_too),
    T(a_place_names_the_file_and_counts_its_bytes), T(a_file_that_ends_before_the_place_is_refused),
    T(other_bytes_before_the_place_are_refused),    T(a_place_before_the_header_is_the_beginning),
};
TEST_MAIN(tests)
