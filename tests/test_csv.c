/*
 * test_csv.c - rows out of csv: RFC 4180, and what is done with files that break it
 */
#include "rows.h"

static const char *const abc[] = { "a", "b", "c" };
static const char *const ca[] = { "c", "a" };

static const struct tn_reader_options all = { .format = TN_FORMAT_CSV,
                                              .fields = abc,
                                              .field_count = 3 };
static const struct tn_reader_options two = { .format = TN_FORMAT_CSV,
                                              .fields = ca,
                                              .field_count = 2 };

static void plain_rows_are_split(void)
{
    check_rows(all, "a,b,c\n1,2,3\n4,5,6\n", "2: 1|2|3\n3: 4|5|6\nend\n");
    check_rows(all, "a,b,c\n1,2,3\n4,5,6", "2: 1|2|3\n3: 4|5|6\nend\n");
    check_rows(all, "c,x,b,a\n1,2,3,4\n", "2: 4|3|1\nend\n");
    check_rows(two, "a,b,c\n1,2,3\n", "2: 3|1\nend\n");
}

static void quotes_commas_and_newlines_inside_quotes_are_data(void)
{
    check_rows(all, "a,b,c\n\"1,\"\"x\"\"\",\"2\n2\",\"\"\n7,8,9\n",
               "2: 1,\"x\"|2\n2|\n4: 7|8|9\nend\n");
    check_rows(all, "a,b,c\n\"\"\"\",\"\"\"\"\"\",\"a\"\"\"\n", "2: \"|\"\"|a\"\nend\n");
    check_rows(all, "a,b,c\n1,\"2\r\n2\",\"3\"\r\n", "2: 1|2\r\n2|3\nend\n");
}

static void lf_and_crlf_end_rows_and_cr_alone_does_not(void)
{
    check_rows(all, "a,b,c\r\n1,2,3\r\n4,5,\"6\"\r\n", "2: 1|2|3\n3: 4|5|6\nend\n");
    check_rows(all, "a,b,c\r\n1,2\r,3\n4,\r,6\r\n", "2: 1|2\r|3\n3: 4|\r|6\nend\n");
    check_rows(all, "a,b,c\n1,2,\"3\"\r", "2: 1|2|3\nend\n");
}

static void a_byte_order_mark_is_not_part_of_the_first_name(void)
{
    struct rows rows = { .options = all };

    check_rows(all,
               "\xEF\xBB\xBF"
               "a,b,c\n1,2,3\n",
               "2: 1|2|3\nend\n");
    check_rows(all, "\xEF\xBB\xBF\"a\",b,c\n1,2,3\n", "2: 1|2|3\nend\n");
    rows_of_bytes(&rows,
                  "\xEF\xBB\xBF"
                  "a,b,c\r\n",
                  10);
    check_text(rows.header, "a,b,c");
    free(rows.text);
}

static void missing_trailing_fields_are_empty_and_extra_ones_are_ignored(void)
{
    check_rows(all, "a,b,c\n1\n1,2\n1,2,3,4,5\n,,\n", "2: 1||\n3: 1|2|\n4: 1|2|3\n5: ||\nend\n");
}

static void lines_without_bytes_are_skipped(void)
{
    check_rows(all, "\n\r\na,b,c\n\n1,2,3\n\r\n\n4,5,6\n\n", "5: 1|2|3\n8: 4|5|6\nend\n");
    check_rows(all, "a,b,c\n\"\"\n \n", "2: ||\n3:  ||\nend\n");
}

static void an_empty_file_has_no_rows(void)
{
    check_rows(all, "", "end\n");
    check_rows(all, "\n\n\r\n", "end\n");
    check_rows(all, "\xEF\xBB\xBF", "end\n");
    check_rows(all, "a,b,c", "end\n");
}

static void the_header_may_be_quoted_and_span_lines(void)
{
    static const char *const odd[] = { "x,\"y\"", "two\nlines", "" };
    struct tn_reader_options options = { .format = TN_FORMAT_CSV, .fields = odd, .field_count = 3 };

    check_rows(options, "\"x,\"\"y\"\"\",\"two\nlines\",\n1,2,3\n", "3: 1|2|3\nend\n");
}

static void the_same_column_can_be_wanted_twice(void)
{
    static const char *const names[] = { "b", "a", "b", "b" };
    struct tn_reader_options options = { .format = TN_FORMAT_CSV,
                                         .fields = names,
                                         .field_count = 4 };

    check_rows(options, "a,b,c\n1,\"x\"\"y\",3\n\"\"\"\",2,3\n",
               "2: x\"y|1|x\"y|x\"y\n3: 2|\"|2|2\nend\n");
}

static void no_columns_wanted_still_gives_rows(void)
{
    struct tn_reader_options options = { .format = TN_FORMAT_CSV };

    check_rows(options, "a,b\n1,2\n3,4\n", "2: \n3: \nend\n");
}

static void an_absent_column_is_refused_with_the_columns_there_are(void)
{
    struct rows rows = { .options = all };

    check_eq(rows_of_bytes(&rows, "A,b,cc\n1,2,3\n", 13), TN_READER_REFUSED);
    check(strstr(rows.reason, "no column \"a\"") != NULL);
    check(strstr(rows.reason, "\"A\", \"b\", \"cc\"") != NULL);
    check(strstr(rows.reason, "did you mean \"A\"?") != NULL);
    check(strstr(rows.reason, "/tmp/") != NULL);
    free(rows.text);
}

static void a_wanted_column_that_is_there_twice_is_refused(void)
{
    struct rows rows = { .options = all };

    check_eq(rows_of_bytes(&rows, "a,b,a,c\n", 8), TN_READER_REFUSED);
    check(strstr(rows.reason, "2 columns \"a\"") != NULL);
    check_rows(two, "a,b,b,c\n1,2,3,4\n", "2: 4|1\nend\n"); /* not wanted: no matter */
    free(rows.text);
}

static void a_wide_header_is_listed_in_part(void)
{
    struct rows rows = { .options = all };
    char header[20000] = "";
    size_t bytes = 0, i;

    for (i = 0; i < 2000; i++)
        bytes += (size_t)snprintf(header + bytes, sizeof header - bytes, "\x1b[%zu,", i);
    check_eq(rows_of_bytes(&rows, header, bytes), TN_READER_REFUSED);
    check(strstr(rows.reason, "and more") != NULL);
    check(strchr(rows.reason, '\x1b') == NULL);
    free(rows.text);
}

static void a_broken_header_is_refused(void)
{
    check_rows(all, "a,\"b\"x,c\n1,2,3\n", "refused\n");
    check_rows(all, "a,\"b,c\n1,2,3\n", "refused\n");
}

static void text_behind_a_closing_quote_costs_its_row(void)
{
    check_rows(all, "a,b,c\n1,\"2\"x,3\n4,5,6\n", "2! 1,\"2\"x,3\n3: 4|5|6\nend\n");
    check_rows(all, "a,b,c\n1,\"2\" ,3\n4,5,6\n", "2! 1,\"2\" ,3\n3: 4|5|6\nend\n");
    check_rows(all, "a,b,c\n1,2,\"3\"\r\r\n4,5,6\n", "2! 1,2,\"3\"\r\n3: 4|5|6\nend\n");
    check_rows(all, "a,b,c\n1,2,\"3\"x\n4,5,6\n", "2! 1,2,\"3\"x\n3: 4|5|6\nend\n");
    check_rows(all, "a,b,c\n1,2,\"3\"x", "2! 1,2,\"3\"x\nend\n");
}

static void a_stray_opening_quote_costs_one_row(void)
{
    check_rows(all, "a,b,c\n1,\"2,3\n4,5,6\n7,\"8\",9\n", "2! 1,\"2,3\n3: 4|5|6\n4: 7|8|9\nend\n");
    check_rows(all, "a,b,c\n1,\"2,3\n4,5,6\n", "2! 1,\"2,3\n3: 4|5|6\nend\n");
    check_rows(all, "a,b,c\n1,2,\"", "2! 1,2,\"\nend\n");
    check_rows(all, "a,b,c\n\"", "2! \"\nend\n");
}

static void a_whole_row_behind_a_stray_quote_may_span_lines(void)
{
    check_rows(all, "a,b,c\n1,\"2,3\n4,5,6\n7,\"8\n8\",9\n1,2,3\n",
               "2! 1,\"2,3\n3: 4|5|6\n4: 7|8\n8|9\n6: 1|2|3\nend\n");
}

static void a_quote_inside_a_field_matters_only_where_wanted(void)
{
    check_rows(all, "a,b,c\n1,5\" pipe,3\n4,5,6\n", "2! 1,5\" pipe,3\n3: 4|5|6\nend\n");
    check_rows(two, "a,b,c\n1,5\" pipe,3\n4,x\"y\"\"z\",6\n", "2: 3|1\n3: 6|4\nend\n");
}

static void rows_longer_than_the_limit_are_bad_once(void)
{
    struct tn_reader_options options = all;

    options.row_bytes_max = 10;
    check_rows(options, "a,b,c\n1,2,345678\n1,2,3456789\n4,5,6\n",
               "2: 1|2|345678\n3! 1,2,345678\n4: 4|5|6\nend\n");
    check_rows(options, "a,b,c\n1,2,3456789", "2! 1,2,345678\nend\n");
    check_rows(options, "a,b,c\n1,2,34567890123456789012345678901234567890\n4,5,6",
               "2! 1,2,345678\n3: 4|5|6\nend\n");
    /* open quotes: the lines that were run over are read again, one by one */
    check_rows(options, "a,b,c\n1,\"2\n7,8,9\nx\n\",3\n4,5,6\n",
               "2! 1,\"2\n3: 7|8|9\n4: x||\n5! \",3\n6: 4|5|6\nend\n");
}

static void a_broken_row_on_a_line_longer_than_the_limit_is_cut_the_same(void)
{
    struct tn_reader_options options = all;

    options.row_bytes_max = 10;
    check_rows(options, "a,b,c\n\"1\"x,\"2\"\"3,45678901234567890\n4,5,6\n",
               "2! \"1\"x,\"2\"\"3\n3: 4|5|6\nend\n");
    check_rows(options, "a,b,c\n\"1\"x,\"2\"\"3,45678901234567890", "2! \"1\"x,\"2\"\"3\nend\n");
}

static void nul_bytes_are_data(void)
{
    struct rows rows = { .options = all };

    rows_of_bytes(&rows, "a,b,c\n\0,x\0y,\"\0\"\n", 16);
    check_bytes(rows.text, rows.bytes, "2: \0|x\0y|\0\nend\n", 15);
    free(rows.text);
}

static void binary_junk_ends_in_answers(void)
{
    uint64_t state = test_seed();
    static const size_t blocks[] = { 1, 64, 0 };
    struct rows rows = { .options = all };
    char junk[5000];
    uint64_t expected = 0;
    size_t round, block, i;

    for (round = 0; round < 200; round++) {
        memcpy(junk, "a,b,c\n", 6);
        for (i = 6; i < sizeof junk; i++)
            junk[i] =
                round % 2 ? (char)test_random(&state) : "\"\"\",,\n\r\nx"[test_random(&state) % 10];
        for (block = 0; block < 3; block++) {
            rows.options.block_bytes = blocks[block];
            rows.options.row_bytes_max = round % 4 < 2 ? 100 : 0;
            check_eq(rows_of_bytes(&rows, junk, sizeof junk), TN_READER_END);
            check_eq(rows.input_bytes, sizeof junk);
            if (block == 0)
                expected = rows.bytes;
            check_eq(rows.bytes, expected);
        }
    }
    free(rows.text);
}

/* Lines that leave a quote open whether they are met inside quotes or not. */
static void hostile_quoting_takes_linear_time(void)
{
    static const char line[] = "\",a\",\"\n";
    size_t count = 100000, bytes = 6 + count * (sizeof line - 1), i;
    char *data = malloc(bytes);
    struct rows rows = { .options = all };

    memcpy(data, "a,b,c\n", 6);
    for (i = 0; i < count; i++)
        memcpy(data + 6 + i * (sizeof line - 1), line, sizeof line - 1);
    check_eq(rows_of_bytes(&rows, data, bytes), TN_READER_END); /* hangs if it is quadratic */
    check_eq(rows.input_bytes, bytes);
    check(rows.bad_count > count / 2);
    free(rows.text);
    free(data);
}

static void long_fields_cross_blocks(void)
{
    size_t length = 700000, bytes = 0;
    char *data = malloc(2 * length + 100);
    struct rows rows = { .options = all };

    bytes += (size_t)sprintf(data, "a,b,c\nx,\"");
    memset(data + bytes, 'q', length);
    bytes += length;
    bytes += (size_t)sprintf(data + bytes, "\"\"");
    memset(data + bytes, '\n', length);
    bytes += length;
    bytes += (size_t)sprintf(data + bytes, "\",z\n1,2,3\n");
    check_eq(rows_of_bytes(&rows, data, bytes), TN_READER_END);
    check_eq(rows.row_count, 2);
    check_eq(rows.bytes, strlen("2: x|") + 2 * length + 1 + strlen("|z\n700003: 1|2|3\nend\n"));
    free(rows.text);
    free(data);
}

static void lack_of_memory_is_answered(void)
{
    static const char data[] = "a,b,c\n1,2,\"long \"\" field that needs more than one block\"\n";
    struct tn_reader_options options = all;

    options.block_bytes = 4;
    check_out_of_memory(__FILE__, __LINE__, options, data, sizeof data - 1);
}

static const struct test tests[] = {
    T(plain_rows_are_split),
    T(quotes_commas_and_newlines_inside_quotes_are_data),
    T(lf_and_crlf_end_rows_and_cr_alone_does_not),
    T(a_byte_order_mark_is_not_part_of_the_first_name),
    T(missing_trailing_fields_are_empty_and_extra_ones_are_ignored),
    T(lines_without_bytes_are_skipped),
    T(an_empty_file_has_no_rows),
    T(the_header_may_be_quoted_and_span_lines),
    T(the_same_column_can_be_wanted_twice),
    T(no_columns_wanted_still_gives_rows),
    T(an_absent_column_is_refused_with_the_columns_there_are),
    T(a_wanted_column_that_is_there_twice_is_refused),
    T(a_wide_header_is_listed_in_part),
    T(a_broken_header_is_refused),
    T(text_behind_a_closing_quote_costs_its_row),
    T(a_stray_opening_quote_costs_one_row),
    T(a_whole_row_behind_a_stray_quote_may_span_lines),
    T(a_quote_inside_a_field_matters_only_where_wanted),
    T(rows_longer_than_the_limit_are_bad_once),
    T(a_broken_row_on_a_line_longer_than_the_limit_is_cut_the_same),
    T(nul_bytes_are_data),
    T(binary_junk_ends_in_answers),
    T(hostile_quoting_takes_linear_time),
    T(long_fields_cross_blocks),
    T(lack_of_memory_is_answered),
};

TEST_MAIN(tests)
