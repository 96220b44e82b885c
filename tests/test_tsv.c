/*
 * test_tsv.c - rows out of tsv: the raw bytes between tabs
 */
#include "rows.h"

static const char *const abc[] = { "a", "b", "c" };
static const struct tn_reader_options all = { .format = TN_FORMAT_TSV,
                                              .fields = abc,
                                              .field_count = 3 };

static void rows_are_split_at_tabs(void)
{
    check_rows(all, "a\tb\tc\n1\t2\t3\n4\t5\t6\n", "2: 1|2|3\n3: 4|5|6\nend\n");
    check_rows(all, "c\tx\tb\ta\n1\t2\t3\t4", "2: 4|3|1\nend\n");
}

static void quotes_backslashes_and_commas_are_data(void)
{
    check_rows(all, "a\tb\tc\n\"1\t2,\"\"\t\\t\n\"\t\"\"\t\\\n",
               "2: \"1|2,\"\"|\\t\n3: \"|\"\"|\\\nend\n");
}

static void lf_and_crlf_end_rows_and_cr_alone_does_not(void)
{
    check_rows(all, "a\tb\tc\r\n1\t2\t3\r\n4\r\t5\t\r\n\r6\t\t\r",
               "2: 1|2|3\n3: 4\r|5|\n4: \r6||\nend\n");
}

static void missing_trailing_fields_are_empty_and_extra_ones_are_ignored(void)
{
    check_rows(all, "a\tb\tc\n1\n1\t2\r\n1\t2\t3\t4\n\t\t\n",
               "2: 1||\n3: 1|2|\n4: 1|2|3\n5: ||\nend\n");
}

static void lines_without_bytes_are_skipped(void)
{
    check_rows(all, "\n\na\tb\tc\n\r\n1\t2\t3\n\n", "5: 1|2|3\nend\n");
    check_rows(all, "", "end\n");
}

static void a_byte_order_mark_is_not_part_of_the_first_name(void)
{
    check_rows(all,
               "\xEF\xBB\xBF"
               "a\tb\tc\n1\t2\t3\n",
               "2: 1|2|3\nend\n");
}

static void an_absent_column_is_refused(void)
{
    check_rows(all, "a,b,c\n1,2,3\n", "refused\n");
}

static void rows_longer_than_the_limit_are_bad_once(void)
{
    struct tn_reader_options options = all;

    options.row_bytes_max = 8;
    check_rows(options, "a\tb\tc\n1\t2\t3456\n1\t2\t34567\n4\t5\t6\n",
               "2: 1|2|3456\n3! 1\t2\t3456\n4: 4|5|6\nend\n");
    check_rows(options, "a\tb\tc\n1\t2\t34567890123456789012345678901234567890",
               "2! 1\t2\t3456\nend\n");
}

static void lack_of_memory_is_answered(void)
{
    static const char data[] = "a\tb\tc\n1\t2\tlong field that needs more than one block\n";
    struct tn_reader_options options = all;

    options.block_bytes = 4;
    check_out_of_memory(__FILE__, __LINE__, options, data, sizeof data - 1);
}

static const struct test tests[] = {
    T(rows_are_split_at_tabs),
    T(quotes_backslashes_and_commas_are_data),
    T(lf_and_crlf_end_rows_and_cr_alone_does_not),
    T(missing_trailing_fields_are_empty_and_extra_ones_are_ignored),
    T(lines_without_bytes_are_skipped),
    T(a_byte_order_mark_is_not_part_of_the_first_name),
    T(an_absent_column_is_refused),
    T(rows_longer_than_the_limit_are_bad_once),
    T(lack_of_memory_is_answered),
};

TEST_MAIN(tests)
