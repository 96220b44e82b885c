/*
 * test_reader.c - what holds for every format: names of files, tables written and read back, limits
 */
#include "rows.h"

static const char *const names[] = { "n0", "n1", "n2", "n3", "n4" };

#define COLUMNS 5
#define ROWS 40

struct table {
    char cells[ROWS][COLUMNS][24];
    size_t bytes[ROWS][COLUMNS];
};

/* Cells out of what the format can hold; rows that would be blank lines are avoided. */
static void table_fill(struct table *table, const char *alphabet, uint64_t *state)
{
    size_t letters = strlen(alphabet), row, column, i;

    for (row = 0; row < ROWS; row++)
        for (column = 0; column < COLUMNS; column++) {
            size_t bytes = test_random(state) % 4 == 0 ? 0 : test_random(state) % 24;

            table->bytes[row][column] = bytes;
            for (i = 0; i < bytes; i++)
                table->cells[row][column][i] = alphabet[test_random(state) % letters];
        }
}

static size_t put_csv(char *to, const char *cell, size_t bytes, uint64_t *state)
{
    bool quoted = test_random(state) % 3 == 0;
    size_t used = 0, i;

    for (i = 0; i < bytes; i++)
        quoted |= strchr(",\"\r\n", cell[i]) != NULL;
    if (quoted)
        to[used++] = '"';
    for (i = 0; i < bytes; i++) {
        if (cell[i] == '"')
            to[used++] = '"';
        to[used++] = cell[i];
    }
    if (quoted)
        to[used++] = '"';
    return used;
}

static size_t put_tsv(char *to, const char *cell, size_t bytes, uint64_t *state)
{
    (void)state;
    memcpy(to, cell, bytes);
    return bytes;
}

static size_t put_json(char *to, const char *cell, size_t bytes, uint64_t *state)
{
    size_t used = 0, i;

    to[used++] = '"';
    for (i = 0; i < bytes; i++)
        if ((unsigned char)cell[i] < 0x20 || cell[i] == '"' || cell[i] == '\\' ||
            test_random(state) % 8 == 0)
            used += (size_t)sprintf(to + used, "\\u%04x", cell[i]);
        else
            to[used++] = cell[i];
    to[used++] = '"';
    return used;
}

typedef size_t put_fn(char *to, const char *cell, size_t bytes, uint64_t *state);

static size_t table_write(char *to, const struct table *table, char between, put_fn *put,
                          uint64_t *state)
{
    bool json = put == put_json;
    size_t used = 0, row, column;

    for (row = json ? 1 : 0; row <= ROWS; row++) {
        if (json)
            to[used++] = '{';
        for (column = 0; column < COLUMNS; column++) {
            if (column > 0)
                to[used++] = between;
            if (json)
                used += (size_t)sprintf(to + used, "\"%s\":", names[column]);
            if (row == 0)
                used += (size_t)sprintf(to + used, "%s", names[column]);
            else
                used += put(to + used, table->cells[row - 1][column], table->bytes[row - 1][column],
                            state);
        }
        if (json)
            to[used++] = '}';
        if (test_random(state) % 2)
            to[used++] = '\r';
        to[used++] = '\n';
    }
    return used;
}

static void check_table(const struct table *table, struct tn_reader_options options,
                        const size_t *columns, const char *path)
{
    struct tn_reader *reader;
    struct tn_row row;
    char reason[200];
    size_t number = 0, i;

    check_eq(tn_reader_open(&reader, path, &options, reason, sizeof reason), TN_READER_ROW);
    while (tn_reader_next(reader, &row) == TN_READER_ROW && number < ROWS) {
        for (i = 0; i < options.field_count; i++)
            check_bytes(row.fields[i].data, row.fields[i].bytes, table->cells[number][columns[i]],
                        table->bytes[number][columns[i]]);
        number++;
    }
    check_eq(number, ROWS);
    check_eq(tn_reader_next(reader, &row), TN_READER_END);
    tn_reader_close(reader);
}

static void check_round_trip(enum tn_format format, const char *alphabet, char between, put_fn *put)
{
    static const size_t blocks[] = { 0, 1, 2, 3, 7, 61, 64, 1000 };
    static struct table table;
    static char text[ROWS * COLUMNS * 200];
    uint64_t state = test_seed() + format;
    size_t round, i;

    for (round = 0; round < 60; round++) {
        const char *wanted[COLUMNS], *path;
        size_t columns[COLUMNS];
        struct tn_reader_options options = {
            .format = format,
            .fields = wanted,
            .field_count = test_random(&state) % (COLUMNS + 1),
            .block_bytes = blocks[round % 8],
        };

        for (i = 0; i < COLUMNS; i++) {
            columns[i] = test_random(&state) % COLUMNS;
            wanted[i] = names[columns[i]];
        }
        table_fill(&table, alphabet, &state);
        path = rows_file(text, table_write(text, &table, between, put, &state));
        check_table(&table, options, columns, path);
        unlink(path);
    }
}

static void random_tables_written_as_csv_are_read_back(void)
{
    check_round_trip(TN_FORMAT_CSV, "ab,,\"\"\r\n\t \xC3\xA9{}", ',', put_csv);
}

static void random_tables_written_as_tsv_are_read_back(void)
{
    check_round_trip(TN_FORMAT_TSV, "ab,\"\\ \xC3\xA9{}", '\t', put_tsv);
}

static void random_tables_written_as_ndjson_are_read_back(void)
{
    check_round_trip(TN_FORMAT_NDJSON, "ab,\"\\\r\n\t {}[]:/", ',', put_json);
}

static void check_named(const char *file, int line, const char *suffix, const char *data,
                        const char *expected)
{
    static const char *const a[] = { "a" };
    struct rows rows = { .options = { .fields = a, .field_count = 1 } };
    const char *path = rows_file(data, strlen(data));
    char named[100];

    snprintf(named, sizeof named, "%s%s", path, suffix);
    if (rename(path, named) != 0)
        abort();
    rows_of_path(&rows, named);
    test_text(file, line, suffix, rows.text, expected);
    unlink(named);
    free(rows.text);
}

static void the_format_follows_from_the_name(void)
{
    check_named(__FILE__, __LINE__, ".csv", "a,b\n1,2\n", "2: 1\nend\n");
    check_named(__FILE__, __LINE__, ".CSV.GZ", "a,b\n1,2\n", "2: 1\nend\n"); /* not packed: as is */
    check_named(__FILE__, __LINE__, ".tsv", "a\tb\n1\t2\n", "2: 1\nend\n");
    check_named(__FILE__, __LINE__, ".tab.gz", "a\tb\n1\t2\n", "2: 1\nend\n");
    check_named(__FILE__, __LINE__, ".ndjson", "{\"a\":1}\n", "1: 1\nend\n");
    check_named(__FILE__, __LINE__, ".jsonl", "{\"a\":1}\n", "1: 1\nend\n");
    check_named(__FILE__, __LINE__, ".json", "{\"a\":1}\n", "1: 1\nend\n");
    check_named(__FILE__, __LINE__, ".txt", "a\n1\n", "refused\n");
    check_named(__FILE__, __LINE__, ".gz", "a\n1\n", "refused\n");
    check_named(__FILE__, __LINE__, "csv", "a\n1\n", "refused\n");
}

static void standard_input_needs_a_format(void)
{
    struct rows rows = { 0 };

    check_eq(rows_of_path(&rows, "-"), TN_READER_REFUSED);
    check(strstr(rows.reason, "standard input: ") != NULL);
    check(strstr(rows.reason, "csv, tsv or ndjson") != NULL);
    free(rows.text);
}

static void missing_files_are_refused_by_name(void)
{
    struct rows rows = { 0 };

    check_eq(rows_of_path(&rows, "/nowhere/x.csv"), TN_READER_REFUSED);
    check_text(rows.reason, "/nowhere/x.csv: No such file or directory; check the name");
    check_eq(rows_of_path(&rows, "/nowhere"), TN_READER_REFUSED);
    check(strstr(rows.reason, "/nowhere: the name does not tell") != NULL);
    free(rows.text);
}

static void a_reason_is_cut_to_the_room_there_is(void)
{
    struct tn_reader *reader;
    struct tn_reader_options options = { 0 };
    char reason[10];

    check_eq(tn_reader_open(&reader, "/nowhere/x.csv", &options, reason, sizeof reason),
             TN_READER_REFUSED);
    check_text(reason, "/nowhere/");
}

static void an_empty_input_opens_and_has_no_header_and_no_rows(void)
{
    static const enum tn_format formats[] = { TN_FORMAT_CSV, TN_FORMAT_TSV, TN_FORMAT_NDJSON };
    static const char *const a[] = { "a" };
    struct tn_reader_options options = { .fields = a, .field_count = 1 };
    struct tn_reader *reader;
    struct tn_row row;
    char reason[100];
    size_t i;

    for (i = 0; i < 3; i++) {
        options.format = formats[i];
        check_eq(tn_reader_open(&reader, "/dev/null", &options, reason, sizeof reason),
                 TN_READER_ROW);
        check_eq(tn_reader_header(reader).bytes, 0);
        check_eq(tn_reader_next(reader, &row), TN_READER_END);
        tn_reader_close(reader);
    }
}

static void utf16_is_refused(void)
{
    struct rows rows = { .options = { .format = TN_FORMAT_CSV } };

    check_eq(rows_of_bytes(&rows,
                           "\xFF\xFE"
                           "a\0,\0",
                           6),
             TN_READER_REFUSED);
    check(strstr(rows.reason, "iconv") != NULL);
    check_eq(rows_of_bytes(&rows, "\xFE\xFF\0a", 4), TN_READER_REFUSED);
    free(rows.text);
}

/* A row of 100 MB without an end: seen once, never held. */
static void a_row_of_100_mb_takes_bounded_memory(void)
{
    static const enum tn_format formats[] = { TN_FORMAT_CSV, TN_FORMAT_TSV };
    static const char *const a[] = { "a" };
    struct rows rows = { .options = { .fields = a, .field_count = 1 } };
    struct tn_memory memory;
    size_t bytes = 100 * 1000 * 1000, i;
    char *data = malloc(bytes + 10);
    const char *path;

    memset(data, 'x', bytes);
    memcpy(data, "a\n", 2);
    memcpy(data + bytes, "\n1\n", 3);
    path = rows_file(data, bytes + 3);
    free(data);
    for (i = 0; i < 2; i++) {
        tn_memory_init(&memory, NULL, NULL, 0);
        rows.options.memory = &memory;
        rows.options.format = formats[i];
        check_eq(rows_of_path(&rows, path), TN_READER_END);
        check_eq(rows.bad_count, 1);
        check(strstr(rows.bad_reason, "longer than 16777216 bytes") != NULL);
        check_eq(rows.row_count, 1);
        check(memory.counted_bytes_max < 40 * TN_MIB);
    }
    rows.options.format = TN_FORMAT_NDJSON;
    check_eq(rows_of_path(&rows, path), TN_READER_END);
    check_eq(rows.bad_count, 3);
    unlink(path);
    free(rows.text);
}

static void no_rows_cost_no_more_memory_than_many(void)
{
    static const char *const a[] = { "a" };
    struct rows rows = { .options = { .format = TN_FORMAT_CSV, .fields = a, .field_count = 1 } };
    struct tn_memory memory;
    size_t bytes = 4000000, i;
    uint64_t small;
    char *data = malloc(bytes);

    for (i = 0; i < bytes; i += 4)
        memcpy(data + i, "a,b\n", 4);
    tn_memory_init(&memory, NULL, NULL, 0);
    rows.options.memory = &memory;
    rows_of_bytes(&rows, data, 8);
    small = memory.counted_bytes_max;
    rows_of_bytes(&rows, data, bytes);
    check_eq(rows.row_count, bytes / 4 - 1);
    check_eq(memory.counted_bytes_max, small);
    free(rows.text);
    free(data);
}

static const struct test tests[] = {
    T(random_tables_written_as_csv_are_read_back),
    T(random_tables_written_as_tsv_are_read_back),
    T(random_tables_written_as_ndjson_are_read_back),
    T(the_format_follows_from_the_name),
    T(standard_input_needs_a_format),
    T(missing_files_are_refused_by_name),
    T(a_reason_is_cut_to_the_room_there_is),
    T(an_empty_input_opens_and_has_no_header_and_no_rows),
    T(utf16_is_refused),
    T(a_row_of_100_mb_takes_bounded_memory),
    T(no_rows_cost_no_more_memory_than_many),
};

TEST_MAIN(tests)
