/*
 * test_decimal.c - numbers are exact, or refused
 *
 * `test_decimal --driver` answers questions on stdin instead, one a line, fields split by tabs; see
 * decimal_oracle.py, which asks them and knows the answers.
 */
#include "stream/decimal.h"

#include "test.h"

#define MAX_TEXT "170141183460469231731687303715884105727"  /* 2^127 - 1 */
#define MIN_TEXT "-170141183460469231731687303715884105728" /* -2^127 */

static struct tn_decimal number(const char *text)
{
    struct tn_decimal decimal = { 0 };

    if (tn_decimal_parse(&decimal, text, strlen(text)) != TN_DECIMAL_OK)
        test_fail(__FILE__, __LINE__, "not parsed: %s", text);
    return decimal;
}

static int parse(const char *text)
{
    struct tn_decimal before = { .low = 1, .high = 2, .scale = 3 };
    struct tn_decimal decimal = before;
    int answer = tn_decimal_parse(&decimal, text, strlen(text));

    if (answer != TN_DECIMAL_OK)
        check_bytes(&decimal, sizeof decimal, &before, sizeof before);
    return answer;
}

/* The canonical text, in one of a few buffers that take turns. */
static const char *text_of(const struct tn_decimal *decimal)
{
    static char buffers[4][TN_DECIMAL_TEXT_BYTES_MAX + 1];
    static unsigned turn;
    char *buffer = buffers[turn++ % 4];

    buffer[tn_decimal_format(buffer, decimal)] = '\0';
    return buffer;
}

static const char *canonical(const char *text)
{
    struct tn_decimal decimal = number(text);

    return text_of(&decimal);
}

/* "overflow" when the sum is out of range, and then the first term has not changed. */
static const char *sum_of(const char *a, const char *b)
{
    struct tn_decimal sum = number(a);
    struct tn_decimal before = sum;
    struct tn_decimal term = number(b);

    if (tn_decimal_add(&sum, &term))
        return text_of(&sum);
    check_bytes(&sum, sizeof sum, &before, sizeof before);
    return "overflow";
}

static const char *average_of(const char *sum, uint64_t count)
{
    static char buffer[TN_DECIMAL_TEXT_BYTES_MAX + 1];
    struct tn_decimal decimal = number(sum);

    buffer[tn_decimal_format_average(buffer, &decimal, count)] = '\0';
    return buffer;
}

static int order_of(const char *a, const char *b)
{
    struct tn_decimal left = number(a);
    struct tn_decimal right = number(b);
    int order = tn_decimal_compare(&left, &right);

    check_eq(tn_decimal_compare(&right, &left), -order);
    return order;
}

/* ---- parse and format ------------------------------------------------------------------------ */

static void numbers_print_canonically(void)
{
    check_text(canonical("0"), "0");
    check_text(canonical("-0"), "0");
    check_text(canonical("+0.000"), "0");
    check_text(canonical("-0e99999999999999999999"), "0");
    check_text(canonical("007"), "7");
    check_text(canonical("+12.50"), "12.5");
    check_text(canonical("-12.50"), "-12.5");
    check_text(canonical("100"), "100");
    check_text(canonical("0.05"), "0.05");
    check_text(canonical("-0.05"), "-0.05");
    check_text(canonical("1e3"), "1000");
    check_text(canonical("1E+3"), "1000");
    check_text(canonical("1.25e1"), "12.5");
    check_text(canonical("25e-4"), "0.0025");
    check_text(canonical("1234567812345678"), "1234567812345678");
    check_text(canonical("12345678.12345678"), "12345678.12345678");
    check_text(canonical("9999999999999999999"), "9999999999999999999");
    check_text(canonical("-9223372036854775808"), "-9223372036854775808");
    check_text(canonical("18446744073709551616"), "18446744073709551616");
}

static void what_json_does_not_call_a_number_is_refused(void)
{
    static const char *const texts[] = {
        "",
        "+",
        "-",
        ".",
        "e",
        "1.",
        ".5",
        "1e",
        "1e+",
        "e5",
        "+-1",
        "--1",
        "1..2",
        "1.2.",
        "1.2.3",
        " 1",
        "1 ",
        "1,5",
        "1_000",
        "0x1F",
        "inf",
        "nan",
        "-inf",
        "NaN",
        "abc",
        "1e5.0",
        "1e 5",
        "1.e5",
        "1-",
        "12345678a",
        "1e5e",
        "1a.5",
        "1.5a",
        "\xD9\xA1",
        "/",
        ":",
        "1/2",
        "1:2",
        "-.5",
        "1234567/",
        "1234567:",
        "123456\2607",
        "00000000000000000000.",
        "1e+-5",
    };

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (parse(texts[i]) != TN_DECIMAL_SYNTAX)
            test_fail(__FILE__, __LINE__, "not refused: %s", texts[i]);
    }
}

static void a_nul_byte_is_not_part_of_a_number(void)
{
    struct tn_decimal decimal;

    check_eq(tn_decimal_parse(&decimal, "1\0", 2), TN_DECIMAL_SYNTAX);
    check_eq(tn_decimal_parse(&decimal, "\0", 1), TN_DECIMAL_SYNTAX);
    check_eq(tn_decimal_parse(&decimal, "1.5\0", 4), TN_DECIMAL_SYNTAX);
}

static void eighteen_decimals_fit_and_nineteen_do_not(void)
{
    check_text(canonical("0.000000000000000001"), "0.000000000000000001");
    check_text(canonical("1e-18"), "0.000000000000000001");
    check_eq(parse("0.0000000000000000001"), TN_DECIMAL_RANGE);
    check_eq(parse("1e-19"), TN_DECIMAL_RANGE);
    check_eq(parse("15e-19"), TN_DECIMAL_RANGE);
    check_eq(parse("1e-99999999999999999999999"), TN_DECIMAL_RANGE);
}

static void decimals_are_counted_without_the_zeros_at_their_end(void)
{
    check_text(canonical("10e-19"), "0.000000000000000001");
    check_text(canonical("0.50000000000000000000000000000000000000000000000000"), "0.5");
    check_text(canonical("1000000000000000000000000000000000000000000000e-45"), "1");
    check_text(canonical("0.000000000000000000000000000000000000000000025e43"), "0.25");
}

static void the_edges_of_128_bits_fit_and_one_more_does_not(void)
{
    check_text(canonical(MAX_TEXT), MAX_TEXT);
    check_text(canonical(MIN_TEXT), MIN_TEXT);
    check_eq(parse("170141183460469231731687303715884105728"), TN_DECIMAL_RANGE);
    check_eq(parse("-170141183460469231731687303715884105729"), TN_DECIMAL_RANGE);
    check_text(canonical("1e38"), "100000000000000000000000000000000000000");
    check_eq(parse("2e38"), TN_DECIMAL_RANGE);
    check_eq(parse("1e39"), TN_DECIMAL_RANGE);
    check_eq(parse("1e9223372036854775807"), TN_DECIMAL_RANGE);
    check_text(canonical("-170141183460469231731.687303715884105728"),
               "-170141183460469231731.687303715884105728");
    check_eq(parse("170141183460469231731.687303715884105728"), TN_DECIMAL_RANGE);
}

static void a_text_of_a_million_digits_is_read(void)
{
    size_t bytes = 1000000;
    char *text = malloc(bytes);
    struct tn_decimal decimal;

    memset(text, '0', bytes);
    check_eq(tn_decimal_parse(&decimal, text, bytes), TN_DECIMAL_OK);
    check_text(text_of(&decimal), "0");
    text[0] = '3';
    text[1] = '.';
    check_eq(tn_decimal_parse(&decimal, text, bytes), TN_DECIMAL_OK);
    check_text(text_of(&decimal), "3");
    text[bytes - 1] = '1';
    check_eq(tn_decimal_parse(&decimal, text, bytes), TN_DECIMAL_RANGE);
    text[bytes - 1] = '.';
    check_eq(tn_decimal_parse(&decimal, text, bytes), TN_DECIMAL_SYNTAX);
    free(text);
}

/* ---- add, compare, average ------------------------------------------------------------------- */

static void sums_are_exact_at_any_scales(void)
{
    check_text(sum_of("0.1", "0.2"), "0.3");
    check_text(sum_of("0.5", "0.5"), "1");
    check_text(sum_of("1", "-1.000000000000000001"), "-0.000000000000000001");
    check_text(sum_of("-0.3", "0.3"), "0");
    check_text(sum_of("9223372036854775807", "1"), "9223372036854775808");
    check_text(sum_of("9223372036854775807", "0.000000000000000001"),
               "9223372036854775807.000000000000000001");
    check_text(sum_of(MAX_TEXT, MIN_TEXT), "-1");
}

static void a_sum_beyond_128_bits_is_refused_and_changes_nothing(void)
{
    check_text(sum_of(MAX_TEXT, "1"), "overflow");
    check_text(sum_of(MIN_TEXT, "-1"), "overflow");
    check_text(sum_of(MAX_TEXT, "0.1"), "overflow");
    check_text(sum_of(MAX_TEXT, MAX_TEXT), "overflow");
    check_text(sum_of(MIN_TEXT, MIN_TEXT), "overflow");
    check_text(sum_of("1e38", "1e-18"), "overflow");
}

static void a_sum_gives_up_zeros_before_it_gives_up(void)
{
    /* At scale 1 the exact sum needs 129 bits; it ends in zero, and without it fits. */
    check_text(sum_of("17014118346046923173168730371588410572.5",
                      "17014118346046923173168730371588410572.5"),
               "34028236692093846346337460743176821145");
    /* The first term does not fit 128 bits at the scale of the sum, but the sum does. */
    check_text(sum_of("17014118346046923173168730371588410573", "-0.5"),
               "17014118346046923173168730371588410572.5");
    check_text(sum_of("-17014118346046923173168730371588410573", "0.2"),
               "-17014118346046923173168730371588410572.8");
}

static void a_sum_that_once_had_many_decimals_still_takes_great_numbers(void)
{
    struct tn_decimal sum = number("0.000000000000000001");
    struct tn_decimal minus = number("-0.000000000000000001");
    struct tn_decimal great = number(MAX_TEXT);

    check(tn_decimal_add(&sum, &minus));
    check(tn_decimal_add(&sum, &great));
    check_text(text_of(&sum), MAX_TEXT);
}

static void numbers_compare_across_scales_without_overflow(void)
{
    check_eq(order_of("1", "1.000"), 0);
    check_eq(order_of("1", "1.000000000000000001"), -1);
    check_eq(order_of("-1", "-1.000000000000000001"), 1);
    check_eq(order_of(MAX_TEXT, "0.000000000000000001"), 1);
    check_eq(order_of(MIN_TEXT, "-0.000000000000000001"), -1);
    check_eq(order_of(MIN_TEXT, MAX_TEXT), -1);
    check_eq(order_of("0.1", MAX_TEXT), -1);
    check_eq(order_of("-0.1", MIN_TEXT), 1);
    check_eq(order_of("0", "-0.1"), 1);
    check_eq(order_of("0", MIN_TEXT), 1);
    check_eq(order_of("99999999999999999999", "99999999999999999999.1"), -1);
}

static void averages_round_half_to_even_at_six_decimals(void)
{
    check_text(average_of("10", 4), "2.5");
    check_text(average_of("1", 3), "0.333333");
    check_text(average_of("2", 3), "0.666667");
    check_text(average_of("-2", 3), "-0.666667");
    check_text(average_of("0.000001", 2), "0");
    check_text(average_of("0.000003", 2), "0.000002");
    check_text(average_of("0.000005", 2), "0.000002");
    check_text(average_of("-0.000001", 2), "0");
    check_text(average_of("-0.000003", 2), "-0.000002");
    check_text(average_of("0", 7), "0");
    check_text(average_of("0.0000005", 1), "0");
    check_text(average_of("0.0000015", 1), "0.000002");
    check_text(average_of("0.000000500000000001", 1), "0.000001");
    check_text(average_of("999999.9999995", 1), "1000000");
}

static void averages_hold_at_the_edges(void)
{
    check_text(average_of(MAX_TEXT, 1), MAX_TEXT);
    check_text(average_of(MIN_TEXT, 1), MIN_TEXT);
    check_text(average_of(MAX_TEXT, 3), "56713727820156410577229101238628035242.333333");
    check_text(average_of(MIN_TEXT, 3), "-56713727820156410577229101238628035242.666667");
    check_text(average_of("-170141183460469231731.687303715884105728", 1),
               "-170141183460469231731.687304");
    check_text(average_of(MAX_TEXT, UINT64_MAX), "9223372036854775808.5");
    check_text(average_of("0.000000000000000001", UINT64_MAX), "0");
}

/* ---- the driver of the differential test ----------------------------------------------------- */

/* "parse X", "add X Y", "compare X Y", "average X N": answers a text, "syntax" or "range". */
static const char *answer_of(const char *verb, const char *x, const char *y)
{
    static const char *const orders[] = { "-1", "0", "1" };
    static const char *const refusals[] = { "ok", "syntax", "range" };
    struct tn_decimal a;
    struct tn_decimal b;
    enum tn_decimal_answer answer = tn_decimal_parse(&a, x, strlen(x));

    if (answer != TN_DECIMAL_OK)
        return refusals[answer];
    if (strcmp(verb, "parse") == 0)
        return text_of(&a);
    if (strcmp(verb, "average") == 0)
        return average_of(x, strtoull(y, NULL, 10));
    answer = tn_decimal_parse(&b, y, strlen(y));
    if (answer != TN_DECIMAL_OK)
        return refusals[answer];
    if (strcmp(verb, "compare") == 0)
        return orders[tn_decimal_compare(&a, &b) + 1];
    return tn_decimal_add(&a, &b) ? text_of(&a) : "range";
}

static int driver(void)
{
    static char line[4096];

    while (fgets(line, sizeof line, stdin) != NULL) {
        char *x = strchr(line, '\t');
        char *y = x != NULL ? strchr(x + 1, '\t') : NULL;

        if (y == NULL)
            return 2;
        line[strcspn(line, "\n")] = '\0';
        *x++ = '\0';
        *y++ = '\0';
        puts(answer_of(line, x, y));
    }
    return 0;
}

static const struct test tests[] = {
    T(numbers_print_canonically),
    T(what_json_does_not_call_a_number_is_refused),
    T(a_nul_byte_is_not_part_of_a_number),
    T(eighteen_decimals_fit_and_nineteen_do_not),
    T(decimals_are_counted_without_the_zeros_at_their_end),
    T(the_edges_of_128_bits_fit_and_one_more_does_not),
    T(a_text_of_a_million_digits_is_read),
    T(sums_are_exact_at_any_scales),
    T(a_sum_beyond_128_bits_is_refused_and_changes_nothing),
    T(a_sum_gives_up_zeros_before_it_gives_up),
    T(a_sum_that_once_had_many_decimals_still_takes_great_numbers),
    T(numbers_compare_across_scales_without_overflow),
    T(averages_round_half_to_even_at_six_decimals),
    T(averages_hold_at_the_edges),
};

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "--driver") == 0)
        return driver();
    return test_main(tests, sizeof tests / sizeof tests[0], argc, argv);
}
