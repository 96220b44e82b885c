/*
 * test_ndjson.c - the wanted values of JSON objects, one a line
 */
#include "rows.h"

static const char *const abc[] = { "a", "b", "c" };
static const struct tn_reader_options all = { .format = TN_FORMAT_NDJSON,
                                              .fields = abc,
                                              .field_count = 3 };

/* One line is bad, says `why`, and costs nothing but itself. */
static void check_bad(const char *file, int line, const char *text, const char *why)
{
    struct rows rows = { .options = all };
    char data[600];

    snprintf(data, sizeof data, "{\"a\":1}\n%s\n{\"a\":3}\n", text);
    rows_of_bytes(&rows, data, strlen(data));
    if (rows.row_count != 2 || rows.bad_count != 1 || strstr(rows.bad_reason, why) == NULL)
        test_fail(file, line, "%s: %zu rows, %zu bad: %s", text, rows.row_count, rows.bad_count,
                  rows.bad_reason);
    free(rows.text);
}

#define check_bad(text, why) check_bad(__FILE__, __LINE__, text, why)

static void strings_numbers_and_literals_are_given(void)
{
    check_rows(all, "{\"a\":\"x\",\"b\":-1.5e+3,\"c\":true}\n{\"c\":false,\"b\":0}\n",
               "1: x|-1.5e+3|true\n2: |0|false\nend\n");
    check_rows(all, " { \"a\" : \"x y\" , \"b\" : 1 , \"c\" :  [ 1 , 2 ]  } \t\r\n",
               "1: x y|1|[ 1 , 2 ]\nend\n");
}

static void null_absent_and_empty_have_no_bytes(void)
{
    check_rows(all, "{\"a\":null,\"b\":\"\"}\n{}\n{\"a\":\"null\"}",
               "1: ||\n2: ||\n3: null||\nend\n");
}

static void nested_values_are_their_source_text(void)
{
    check_rows(all, "{\"a\":{\"b\":[1, {}],\"x\":\"}\"},\"b\":[],\"c\":{ }}\n",
               "1: {\"b\":[1, {}],\"x\":\"}\"}|[]|{ }\nend\n");
    check_rows(all, "{\"x\":{\"a\":1,\"b\":[{\"c\":2}]},\"c\":3}\n", "1: ||3\nend\n");
    check_rows(all, "{\"a\":[1,2]}\n{\"a\":{\"x\":1}   }\n", "1: [1,2]||\n2: {\"x\":1}||\nend\n");
}

static void escapes_are_undone(void)
{
    check_rows(all,
               "{\"a\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\",\"b\":\"\\u00e9\\u20AC\\ud83d\\uDE00x\"}\n",
               "1: \"\\/\b\f\n\r\t|\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80x|\nend\n");
    check_rows(all, "{\"a\":\"x\\ty\",\"b\":\"\\\\\",\"c\":\"z\\n\"}\n", "1: x\ty|\\|z\n\nend\n");
}

static void keys_are_compared_with_their_escapes_undone(void)
{
    check_rows(all, "{\"\\u0061\":1,\"\\u0062\":2}\n{\"a\\\\\":1,\"\\\"a\":2,\"aa\":3,\"\":4}\n",
               "1: 1|2|\n2: ||\nend\n");
    check_bad("{\"\\x\":1}", "wrong escape");
}

static void nul_in_a_string_is_data(void)
{
    struct rows rows = { .options = all };

    rows_of_bytes(&rows, "{\"a\":\"x\\u0000y\"}\n", 17);
    check_bytes(rows.text, rows.bytes, "1: x\0y||\nend\n", 13);
    free(rows.text);
}

static void keys_in_another_order_are_found(void)
{
    check_rows(all,
               "{\"a\":1,\"b\":2,\"c\":3}\n{\"c\":3,\"a\":1,\"b\":2}\n{\"b\":2}\n{\"a\":1,\"b\":2,"
               "\"c\":3}\n",
               "1: 1|2|3\n2: 1|2|3\n3: |2|\n4: 1|2|3\nend\n");
}

static void long_keys_and_many_keys_are_found(void)
{
    char name[100], data[20000];
    const char *names[] = { name, "k90" };
    struct tn_reader_options options = { .format = TN_FORMAT_NDJSON,
                                         .fields = names,
                                         .field_count = 2 };
    size_t bytes = 0, i, row;

    memset(name, 'n', sizeof name);
    name[sizeof name - 1] = '\0';
    for (row = 0; row < 2; row++) {
        bytes += (size_t)sprintf(data + bytes, "{");
        for (i = 0; i < 100; i++)
            bytes += (size_t)sprintf(data + bytes, "\"k%zu\":%zu,", i, i);
        bytes += (size_t)sprintf(data + bytes, "\"%s\":\"x\",\"%sn\":1}\n", name, name);
    }
    check_rows(options, data, "1: x|90\n2: x|90\nend\n");
}

static void the_same_key_can_be_wanted_twice(void)
{
    static const char *const names[] = { "b", "a", "b" };
    struct tn_reader_options options = { .format = TN_FORMAT_NDJSON,
                                         .fields = names,
                                         .field_count = 3 };

    check_rows(options, "{\"a\":1,\"b\":\"\\n2\"}\n{\"b\":null}\n", "1: \n2|1|\n2\n2: ||\nend\n");
}

static void a_wanted_key_that_appears_twice_is_bad(void)
{
    check_bad("{\"a\":1,\"a\":1}", "\"a\" appears twice");
    check_bad("{\"a\":null,\"x\":2,\"\\u0061\":null}", "\"a\" appears twice");
    check_rows(all, "{\"x\":1,\"x\":2,\"a\":1}\n", "1: 1||\nend\n");
}

static void blank_lines_are_skipped(void)
{
    check_rows(all, "\n \t\r\n{\"a\":1}\n\n  ", "3: 1||\nend\n");
    check_rows(all, "", "end\n");
    check_rows(all, "\xEF\xBB\xBF{\"a\":1}\n", "1: 1||\nend\n");
}

static void a_row_ends_at_the_line_feed(void)
{
    check_rows(all, "{\"a\":\n1}\n{\"a\":2}\n{\"a\":\"\n\"}\n{\"a\":3}",
               "1! {\"a\":\n2! 1}\n3: 2||\n4! {\"a\":\"\n5! \"}\n6: 3||\nend\n");
}

static void what_is_not_an_object_is_bad(void)
{
    check_bad("1", "not a JSON object");
    check_bad("null", "not a JSON object");
    check_bad("\"a\"", "not a JSON object");
    check_bad("[{\"a\":1}]", "not a JSON object");
    check_bad("hello, world", "JSON");
    check_bad("a,b,c", "JSON");
}

static void a_key_without_a_value_is_bad_also_where_it_is_not_wanted(void)
{
    check_rows(all, "{\"x\":]}\n{\"a\":1}\n", "1! {\"x\":]}\n2: 1||\nend\n");
    check_rows(all, "{\"x\":}\n{\"x\":,\"a\":1}\n{\"x\"::1}\n",
               "1! {\"x\":}\n2! {\"x\":,\"a\":1}\n3! {\"x\"::1}\nend\n");
    check_rows(all, "{\"x\":", "1! {\"x\":\nend\n");
    check_rows(all, "\n{\"x\":]}", "2! {\"x\":]}\nend\n");
}

static void broken_objects_are_bad(void)
{
    check_bad("{", "");
    check_bad("}", "");
    check_bad("{\"a\":1", "");
    check_bad("{\"a\":1,", "");
    check_bad("{\"a\":1,}", "");
    check_bad("{\"a\"}", "");
    check_bad("{\"a\":}", "");
    check_bad("{\"a\":,\"b\":1}", "");
    check_bad("{\"x\":,\"b\":1}", "");
    check_bad("{,}", "");
    check_bad("{a:1}", "");
    check_bad("{'a':1}", "");
    check_bad("{\"a\" 1}", "");
    check_bad("{\"x\":1 \"a\":1}", "");
    check_bad("{\"a\":\"x}", "not closed");
    check_bad("{\"x\":[1,2}", "");
    check_bad("{\"x\":{\"a\":1}", "");
    check_bad("{\"a\":[1,2}", "");
}

static void what_follows_the_object_is_bad(void)
{
    check_bad("{\"a\":1}{\"a\":2}", "");
    check_bad("{\"a\":1} x", "");
    check_bad("{\"a\":1}}", "");
    check_bad("{\"a\":1},", "");
    check_bad("{},{}", "");
}

static void wanted_values_are_checked_to_the_last_byte(void)
{
    static const char *const values[] = {
        "nul",  "nullx", "truefalse", "True",  "01",         "+1",       "1.",
        ".5",   "-",     "1e",        "1e+",   "0x10",       "1 2",      "NaN",
        "[1,]", "[1 2]", "{\"a\"}",   "[nul]", "{\"x\":1,}", "[\"\\x\"]"
    };
    char text[100];
    size_t i;

    for (i = 0; i < sizeof values / sizeof values[0]; i++) {
        snprintf(text, sizeof text, "{\"a\":%s}", values[i]);
        check_bad(text, "");
    }
}

static void wrong_escapes_and_lone_surrogates_are_bad(void)
{
    check_bad("{\"a\":\"\\x\"}", "wrong escape");
    check_bad("{\"a\":\"\\u12g4\"}", "wrong escape");
    check_bad("{\"a\":\"\\u12\"}", "wrong escape");
    check_bad("{\"a\":\"\\ud800\"}", "wrong escape");
    check_bad("{\"a\":\"\\udc00\"}", "wrong escape");
    check_bad("{\"a\":\"\\ud800\\ud800\"}", "wrong escape");
    check_bad("{\"a\":\"\\ud800x\"}", "wrong escape");
    check_bad("{\"a\":\"\\ud800\\udbff\"}", "wrong escape");
    check_bad("{\"a\":\"\\udc00\\udc00\"}", "wrong escape");
    check_bad("{\"a\":\"\\ud800\\u0041\"}", "wrong escape");
}

static void invalid_utf8_and_control_characters_are_bad(void)
{
    check_bad("{\"a\":\"\xFF\"}", "invalid UTF-8");
    check_bad("{\"x\":\"\xC0\xAF\"}", "invalid UTF-8");
    check_bad("{\"a\":\"\xED\xA0\x80\"}", "invalid UTF-8");
    check_bad("{\"a\":\"\xE2\x82\"}", "invalid UTF-8");
    check_bad("{\"a\":\"\t\"}", "control character");
    check_bad("\x01", "");
}

static void only_wanted_fields_can_make_a_row_bad(void)
{
    check_rows(all, "{\"x\":nul,\"y\":01,\"z\":\"\\x\",\"a\":1}\n", "1: 1||\nend\n");
}

static void deep_nesting_is_a_bad_row(void)
{
    size_t depth = 300000, bytes = 0, kind;
    static const char *const openings[] = { "", "{\"x\":", "{\"a\":" };
    struct rows rows = { .options = all };
    char *data = malloc(2 * depth + 100);

    for (kind = 0; kind < 3; kind++) {
        bytes = (size_t)sprintf(data, "%s", openings[kind]);
        memset(data + bytes, '[', depth);
        bytes += depth;
        bytes += (size_t)sprintf(data + bytes, "\n{\"a\":1}\n");
        check_eq(rows_of_bytes(&rows, data, bytes), TN_READER_END);
        check_eq(rows.bad_count, 1);
        check_eq(rows.row_count, 1);
    }
    /* closed again: deeper than is looked at when wanted, of no interest when not */
    for (kind = 1; kind < 3; kind++) {
        bytes = (size_t)sprintf(data, "%s", openings[kind]);
        memset(data + bytes, '[', depth);
        memset(data + bytes + depth, ']', depth);
        bytes += 2 * depth;
        bytes += (size_t)sprintf(data + bytes, "}\n");
        check_eq(rows_of_bytes(&rows, data, bytes), TN_READER_END);
        check_eq(rows.bad_count, kind == 2);
    }
    check(strstr(rows.bad_reason, "nested too deeply") != NULL);
    free(rows.text);
    free(data);
}

static void an_endless_row_is_bad_once_in_bounded_memory(void)
{
    struct tn_memory memory;
    struct rows rows = { .options = all };
    size_t bytes = 3000000;
    char *data = malloc(bytes + 20);

    memset(data, '[', bytes);
    memcpy(data + bytes, "\n{\"a\":1}\n", 10);
    tn_memory_init(&memory, NULL, NULL, 0);
    rows.options.memory = &memory;
    rows.options.block_bytes = 4096;
    rows.options.row_bytes_max = 10000;
    check_eq(rows_of_bytes(&rows, data, bytes + 9), TN_READER_END);
    check_eq(rows.bad_count, 1);
    check(strstr(rows.bad_reason, "longer than 10000 bytes") != NULL);
    check_eq(rows.row_count, 1);
    check(memory.counted_bytes_max < 64 * 1024);
    check_eq(memory.counted_bytes, 0);
    free(rows.text);
    free(data);
}

static void binary_junk_ends_in_answers(void)
{
    uint64_t state = test_seed();
    struct rows rows = { .options = all };
    char junk[3000];
    size_t round, i, bytes;

    for (round = 0; round < 300; round++) {
        for (i = 0; i < sizeof junk; i++)
            junk[i] = round % 2 ? (char)test_random(&state)
                                : "{}[]:,\"\"\"\\abcnu01 \n"[test_random(&state) % 19];
        rows.options.block_bytes = 0;
        check_eq(rows_of_bytes(&rows, junk, sizeof junk), TN_READER_END);
        bytes = rows.bytes;
        rows.options.block_bytes = 3;
        check_eq(rows_of_bytes(&rows, junk, sizeof junk), TN_READER_END);
        check_eq(rows.bytes, bytes);
    }
    free(rows.text);
}

static void lack_of_memory_is_answered(void)
{
    static const char data[] = "{\"a\":\"long \\n string that needs more than one block\"}\n";
    struct tn_reader_options options = all;

    options.block_bytes = 4;
    check_out_of_memory(__FILE__, __LINE__, options, data, sizeof data - 1);
}

static const struct test tests[] = {
    T(strings_numbers_and_literals_are_given),
    T(null_absent_and_empty_have_no_bytes),
    T(nested_values_are_their_source_text),
    T(escapes_are_undone),
    T(keys_are_compared_with_their_escapes_undone),
    T(nul_in_a_string_is_data),
    T(keys_in_another_order_are_found),
    T(long_keys_and_many_keys_are_found),
    T(the_same_key_can_be_wanted_twice),
    T(a_wanted_key_that_appears_twice_is_bad),
    T(blank_lines_are_skipped),
    T(a_row_ends_at_the_line_feed),
    T(what_is_not_an_object_is_bad),
    T(a_key_without_a_value_is_bad_also_where_it_is_not_wanted),
    T(broken_objects_are_bad),
    T(what_follows_the_object_is_bad),
    T(wanted_values_are_checked_to_the_last_byte),
    T(wrong_escapes_and_lone_surrogates_are_bad),
    T(invalid_utf8_and_control_characters_are_bad),
    T(only_wanted_fields_can_make_a_row_bad),
    T(deep_nesting_is_a_bad_row),
    T(an_endless_row_is_bad_once_in_bounded_memory),
    T(binary_junk_ends_in_answers),
    T(lack_of_memory_is_answered),
};

TEST_MAIN(tests)
