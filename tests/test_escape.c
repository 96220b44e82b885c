/* test_escape.c - writing one text into a line, and measuring it */
#include "cli/escape.h"

#include "test.h"

typedef void escape_fn(struct tn_output *output, tarn_bytes text);

static void escapes(escape_fn *escape, const char *text, size_t bytes, const char *wanted)
{
    struct tn_output output;

    tn_output_init(&output);
    escape(&output, (tarn_bytes){ text, bytes });
    check_bytes(output.bytes, output.used_bytes, wanted, strlen(wanted));
    free(output.bytes);
}

static size_t character(const char *text)
{
    return tn_utf8_character_bytes(tn_bytes_of_text(text));
}

static size_t cells(const char *text)
{
    return tn_pretty_cells(tn_bytes_of_text(text));
}

static void csv_quotes_only_what_needs_it(void)
{
    escapes(tn_escape_csv, "plain text", 10, "plain text");
    escapes(tn_escape_csv, "a,b", 3, "\"a,b\"");
    escapes(tn_escape_csv, "a\nb", 3, "\"a\nb\"");
    escapes(tn_escape_csv, "a\rb", 3, "\"a\rb\"");
    escapes(tn_escape_csv, "\"", 1, "\"\"\"\"");
    escapes(tn_escape_csv, "say \"hi\"", 8, "\"say \"\"hi\"\"\"");
    escapes(tn_escape_csv, NULL, 0, "");
}

static void tsv_escapes_what_would_end_a_field(void)
{
    escapes(tn_escape_tsv, "\ta\nb\r\\", 6, "\\ta\\nb\\r\\\\");
    escapes(tn_escape_tsv, "plain \"text\",", 13, "plain \"text\",");
    escapes(tn_escape_tsv, NULL, 0, "");
}

static void ndjson_escapes_quotes_and_controls_and_keeps_the_rest(void)
{
    escapes(tn_escape_ndjson, "a\"\\\b\f\n\r\t", 8, "\"a\\\"\\\\\\b\\f\\n\\r\\t\"");
    escapes(tn_escape_ndjson, "\0\x01\x1f ", 4, "\"\\u0000\\u0001\\u001f \"");
    escapes(tn_escape_ndjson, "caf\xc3\xa9 \xf0\x9f\x98\x80", 10,
            "\"caf\xc3\xa9 \xf0\x9f\x98\x80\"");
    escapes(tn_escape_ndjson, NULL, 0, "\"\"");
}

static void ndjson_writes_a_byte_that_is_no_utf8_as_the_character_of_its_number(void)
{
    escapes(tn_escape_ndjson, "caf\xe9", 4, "\"caf\\u00e9\"");
    escapes(tn_escape_ndjson, "\xed\xa0\x80", 3, "\"\\u00ed\\u00a0\\u0080\"");
    escapes(tn_escape_ndjson, "a\xe2\x82", 3, "\"a\\u00e2\\u0082\"");
}

static void a_character_is_recognised_at_every_boundary_of_utf8(void)
{
    check_eq(character("a"), 1);
    check_eq(character("\x7f"), 1);
    check_eq(character("\xc2\x80"), 2);
    check_eq(character("\xdf\xbf"), 2);
    check_eq(character("\xe0\xa0\x80"), 3);
    check_eq(character("\xed\x9f\xbf"), 3);
    check_eq(character("\xee\x80\x80"), 3);
    check_eq(character("\xf0\x90\x80\x80"), 4);
    check_eq(character("\xf4\x8f\xbf\xbf"), 4);
}

static void what_is_overlong_cut_a_surrogate_or_beyond_unicode_is_no_character(void)
{
    static const char *const broken[] = {
        "\x80",         "\xbf",         "\xc0\xaf",         "\xc1\xbf",         "\xc2",
        "\xc2\x41",     "\xe0\x9f\xbf", "\xe2\x82",         "\xe2\x82\x41",     "\xed\xa0\x80",
        "\xed\xbf\xbf", "\xf0\x8f\xbf", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80",
        "\xff",         "\xf0\x9f\x98",
    };
    size_t i;

    for (i = 0; i < sizeof broken / sizeof broken[0]; i++)
        check_eq(character(broken[i]), 0);
}

static void pretty_measures_what_it_writes(void)
{
    check_eq(cells(""), 0);
    check_eq(cells("abc"), 3);
    check_eq(cells("caf\xc3\xa9"), 4);
    check_eq(cells("\x1b[31m"), 4 + 4);
    check_eq(cells("\xff"), 4);
    check_eq(cells("\xc2\x9b"), 8);
    check_eq(cells("\xc2\xa0"), 1);
    escapes(tn_escape_pretty, "\x1b[31m", 5, "\\x1b[31m");
    escapes(tn_escape_pretty, "\xc2\x9b\x7f\xff", 4, "\\xc2\\x9b\\x7f\\xff");
    escapes(tn_escape_pretty, "caf\xc3\xa9", 5, "caf\xc3\xa9");
}

static const struct test tests[] = {
    T(csv_quotes_only_what_needs_it),
    T(tsv_escapes_what_would_end_a_field),
    T(ndjson_escapes_quotes_and_controls_and_keeps_the_rest),
    T(ndjson_writes_a_byte_that_is_no_utf8_as_the_character_of_its_number),
    T(a_character_is_recognised_at_every_boundary_of_utf8),
    T(what_is_overlong_cut_a_surrogate_or_beyond_unicode_is_no_character),
    T(pretty_measures_what_it_writes),
};
TEST_MAIN(tests)
