/*
 * test_timestamp.c - event times: iso, numbers, patterns; read and printed
 *
 * Run as `test_timestamp --read` it is the C half of tests/test_timestamp.sh: lines
 * 'FORMAT<tab>TEXT' in, milliseconds or 'bad' out; `--print` turns milliseconds into text.
 */
#include "io/timestamp.h"
#include "test.h"

#define BAD INT64_MIN

static int64_t read_as(const char *format_text, const char *text)
{
    struct tn_timestamp_format format;
    struct tn_reason reason = { 0 };
    int64_t ms = 42;

    if (!tn_timestamp_format_read(&format, format_text, &reason)) {
        test_fail(__FILE__, __LINE__, "format '%s': %s", format_text, reason.text);
        return BAD;
    }
    if (tn_timestamp_read(&format, (tarn_bytes){ text, strlen(text) }, &ms, &reason))
        return ms;
    check(strncmp(reason.text, "not a time: \"", 13) == 0);
    check_eq(ms, 42);
    return BAD;
}

#define check_read(format, text, ms) check_eq(read_as(format, text), ms)

static void iso_times_are_read_in_all_their_forms(void)
{
    check_read("iso", "1970-01-01", 0);
    check_read("iso", "2015-09-12T00:46:58.771Z", INT64_C(1442018818771));
    check_read("iso", "2015-09-12t00:46:58.771z", INT64_C(1442018818771));
    check_read("iso", "2015-09-12 00:46:58,771", INT64_C(1442018818771));
    check_read("iso", "2015-09-12T00:46", INT64_C(1442018760000));
    check_read("iso", "2015-09-12T00:46Z", INT64_C(1442018760000));
    check_read("iso", "2015-09-12T02:46:58+02:00", INT64_C(1442018818000));
    check_read("iso", "2015-09-12T02:46:58+0200", INT64_C(1442018818000));
    check_read("iso", "2015-09-12T02:46:58+02", INT64_C(1442018818000));
    check_read("iso", "2015-09-11T19:16:58-05:30", INT64_C(1442018818000));
    check_read("iso", "0001-01-01T00:00:00Z", INT64_C(-62135596800000));
    check_read("iso", "9999-12-31T23:59:59.999Z", INT64_C(253402300799999));
    check_read("iso", "2000-02-29", INT64_C(951782400000));
    check_read("iso", "2400-02-29", INT64_C(13574563200000));
    check_read("iso", "0001-01-01T00:00:00+23:59", INT64_C(-62135596800000) - 1439 * 60000);
}

static void finer_than_milliseconds_floors(void)
{
    check_read("iso", "1970-01-01T00:00:00.0009999999999999999999Z", 0);
    check_read("iso", "1970-01-01T00:00:00.1", 100);
    check_read("iso", "1970-01-01T00:00:00.12", 120);
    check_read("iso", "1969-12-31T23:59:59.9999", -1);
    check_read("iso", "1969-12-31T23:59:59.9990", -1);
    check_read("s", "0.0019", 1);
    check_read("s", "-0.0011", -2);
    check_read("s", "-0.001", -1);
    check_read("s", "-0.0010000", -1);
    check_read("s", "-0.00000000000000001", -1);
    check_read("ms", "1.9", 1);
    check_read("ms", "-1.0", -1);
    check_read("ms", "-1.1", -2);
    check_read("us", "1999", 1);
    check_read("us", "-1", -1);
    check_read("us", "-1000", -1);
    check_read("us", "-1000.5", -2);
    check_read("us", "-1001", -2);
    check_read("ns", "1999999", 1);
    check_read("ns", "-999999", -1);
    check_read("ns", "-1000001", -2);
}

static void wrong_iso_times_are_bad(void)
{
    static const char *const wrong[] = {
        "",
        "2015",
        "2015-09",
        "2015-9-12",
        "15-09-12",
        "2015-00-01",
        "2015-13-01",
        "2015-09-00",
        "2015-09-31",
        "2015-02-29",
        "1900-02-29",
        "2200-02-29",
        "0000-01-01",
        "10000-01-01",
        "+2015-01-01",
        "-001-01-01",
        "2015-09-12T",
        "2015-09-12T00",
        "2015-09-12T0:46",
        "2015-09-12T24:00:00Z",
        "2015-09-12T23:60:00Z",
        "2015-09-12T23:59:60Z",
        "2016-12-31T23:59:60Z",
        "2015-09-12T00:46:58.",
        "2015-09-12T00:46:58.Z",
        "2015-09-12T00:46:58.7a",
        "2015-09-12T00:46:58.771Zx",
        "2015-09-12T00:46:58.771Z ",
        " 2015-09-12T00:46:58.771Z",
        "2015-09-12T00:46:58 Z",
        "2015-09-12Z",
        "2015-09-12+01:00",
        "2015-09-12T00:46:58+1",
        "2015-09-12T00:46:58+24:00",
        "2015-09-12T00:46:58+01:60",
        "2015-09-12T00:46:58+01:",
        "2015-09-12T00:46:58+010",
        "2015-09-12T00:46:58+01:0",
        "2015/09/12",
        "2015-09-12_00:46",
        "20150912T004658Z",
        "hello",
        "2015-09-12T00:46:58.77:Z",
        "2015-09-12T00:46:5:.771Z",
        "2\xC3\xB1-09-12T00:46:58.771Z",
    };
    size_t i;

    for (i = 0; i < TN_ARRAY_COUNT(wrong); i++)
        if (read_as("iso", wrong[i]) != BAD)
            test_fail(__FILE__, __LINE__, "'%s' is read", wrong[i]);
}

/* The first text of an auto format takes the long way, a text of an iso format the short one. */
static void every_byte_in_every_place_is_judged_alike_by_both_ways(void)
{
    char text[] = "2015-09-12T10:46:58.771Z";
    size_t place, good = 0;
    int byte;

    for (place = 0; place < sizeof text - 1; place++) {
        char kept = text[place];

        for (byte = 1; byte < 256; byte++) {
            text[place] = (char)byte;
            check_eq(read_as("iso", text), read_as("auto", text));
            good += read_as("iso", text) != BAD;
        }
        text[place] = kept;
    }
    check_eq(good, 159);
}

static void numbers_are_read_in_their_unit(void)
{
    check_read("s", "1442018818", INT64_C(1442018818000));
    check_read("s", "+1442018818.7719", INT64_C(1442018818771));
    check_read("ms", "1442018818771", INT64_C(1442018818771));
    check_read("us", "1442018818771999", INT64_C(1442018818771));
    check_read("ns", "1442018818771999999", INT64_C(1442018818771));
    check_read("s", "-1", -1000);
    check_read("s", "-0", 0);
    check_read("ns", "0", 0);
    check_read("ns", "-0.0", 0);
    check_read("s", "00000000000000000000000000001", 1000);
    check_read("ns", "-000000000000000000000000000000001", -1);
}

static void wrong_numbers_are_bad(void)
{
    static const char *const wrong[] = { "",     "+",   "-",    ".",         ".5",
                                         "5.",   "1e3", "--1",  "+-1",       "1 ",
                                         " 1",   "1,5", "0x10", "1_000",     "1.2.3",
                                         "1.5s", "inf", "nan",  "2015-09-12" };
    size_t i;

    for (i = 0; i < TN_ARRAY_COUNT(wrong); i++)
        if (read_as("s", wrong[i]) != BAD)
            test_fail(__FILE__, __LINE__, "'%s' is read", wrong[i]);
}

static void what_leaves_64_bits_is_bad_and_so_is_the_lowest_number(void)
{
    check_read("ms", "9223372036854775807", INT64_MAX);
    check_read("ms", "9223372036854775807.9", INT64_MAX);
    check_read("ms", "9223372036854775808", BAD);
    check_read("ms", "-9223372036854775807", -INT64_MAX);
    check_read("ms", "-9223372036854775807.5", BAD);
    check_read("ms", "-9223372036854775808", BAD);
    check_read("s", "9223372036854775.807", INT64_MAX);
    check_read("s", "9223372036854775.808", BAD);
    check_read("s", "9223372036854776", BAD);
    check_read("us", "9223372036854775807999", INT64_MAX);
    check_read("us", "9223372036854775808000", BAD);
    check_read("ns", "9223372036854775807999999", INT64_MAX);
    check_read("ms", "18446744073709551616", BAD);
    check_read("ms", "18446744073709551615.5", BAD);
    check_read("ms", "-18446744073709551615.5", BAD);
    check_read("ms", "99999999999999999999999999999999999999999", BAD);
}

static void auto_decides_once_by_the_first_text_that_can_be_read(void)
{
    static const struct {
        const char *text;
        const char *format;
        int64_t ms;
    } cases[] = {
        { "1", "s", 1000 },
        { "-99999999999", "s", INT64_C(-99999999999000) },
        { "99999999999.123", "s", INT64_C(99999999999123) },
        { "100000000000", "ms", INT64_C(100000000000) },
        { "99999999999999", "ms", INT64_C(99999999999999) },
        { "100000000000000", "us", INT64_C(100000000000) },
        { "99999999999999999", "us", INT64_C(99999999999999) },
        { "100000000000000000", "ns", INT64_C(100000000000) },
        { "1970-01-02", "iso", 86400000 },
        { "1970-01-01T00:00:00.001Z", "iso", 1 },
    };
    struct tn_timestamp_format format;
    struct tn_reason reason;
    int64_t ms;
    size_t i;

    for (i = 0; i < TN_ARRAY_COUNT(cases); i++) {
        tarn_bytes text = { cases[i].text, strlen(cases[i].text) };

        check(tn_timestamp_format_read(&format, "auto", &reason));
        check(!tn_timestamp_read(&format, (tarn_bytes){ "what", 4 }, &ms, &reason));
        check(!tn_timestamp_read(&format, (tarn_bytes){ "", 0 }, &ms, &reason));
        check_text(tn_timestamp_format_text(&format), "auto");
        check(tn_timestamp_read(&format, text, &ms, &reason));
        check_eq(ms, cases[i].ms);
        check_text(tn_timestamp_format_text(&format), cases[i].format);
    }
    check(!tn_timestamp_read(&format, (tarn_bytes){ "1442018818", 10 }, &ms, &reason)); /* fixed */
}

static void patterns_are_read_like_strptime(void)
{
    check_read("%d/%b/%Y:%H:%M:%S %z", "01/Aug/1995:02:00:04 -0400", INT64_C(807256804000));
    check_read("%Y-%m-%d %H:%M:%S", "2015-09-12 00:46:58", INT64_C(1442018818000));
    check_read("%F %T.%f", "2015-09-12 00:46:58.7719", INT64_C(1442018818771));
    check_read("%FT%T%z", "2015-09-12T00:46:58+02:00", INT64_C(1442011618000));
    check_read("%FT%T%z", "2015-09-12T00:46:58Z", INT64_C(1442018818000));
    check_read("%m/%d/%y %I:%M %p", "9/12/15 12:46 am", INT64_C(1442018760000));
    check_read("%m/%d/%y %I:%M %p", "09/12/15 12:46 PM", INT64_C(1442018760000) + 12 * 3600000);
    check_read("%D %R", "09/12/15 00:46", INT64_C(1442018760000));
    check_read("%d%m%Y", "12092015", INT64_C(1442016000000));
    check_read("%Y %j", "2016 366", INT64_C(1483142400000));
    check_read("%Y %j", "2015 366", BAD);
    check_read("%s", "-1", -1000);
    check_read("%s.%f", "1442018818.771", INT64_C(1442018818771));
    check_read("%s", "9223372036854775807", BAD);
    check_read("%a %b %e %H:%M:%S %Y", "Sat Sep  2 00:46:58 2015", INT64_C(1441154818000));
    check_read("%A, %d %B %Y %Z", "saturday, 12 SEPTEMBER 2015 utc", INT64_C(1442016000000));
    check_read("%d %h %Y%%", "12 sep 2015%", INT64_C(1442016000000));
    check_read("%Y-%m-%d%n%H", "2015-09-12 \t 00", INT64_C(1442016000000));
    check_read("%y%m%d", "690101", INT64_C(-31536000000));
    check_read("%y%m%d", "680101", INT64_C(3092601600000));
}

static void what_does_not_match_the_pattern_is_bad(void)
{
    check_read("%Y-%m-%d", "2015-09-12 ", BAD);
    check_read("%Y-%m-%d", " 2015-09-12", BAD);
    check_read("%Y-%m-%d", "2015-02-30", BAD);
    check_read("%Y-%m-%d", "2015-13-01", BAD);
    check_read("%Y-%m-%d", "0-01-01", BAD);
    check_read("%Y-%m-%d", "20155-01-01", BAD);
    check_read("%F %T", "2015-09-12 23:59:60", BAD);
    check_read("%F %T", "2015-09-12 24:00:00", BAD);
    check_read("%F %I", "2015-09-12 13", BAD);
    check_read("%F %I", "2015-09-12 0", BAD);
    check_read("%d %b %Y", "12 Foo 2015", BAD);
    check_read("%F %Z", "2015-09-12 CET", BAD);
    check_read("%F", "", BAD);
}

static void wrong_formats_are_refused_with_what_to_write(void)
{
    static const char *const wrong[] = {
        "",      "seconds", "S",          "%",  "%Q",    "%Y-%m",
        "%H:%M", "%d %b",   "%Y-%m-%d %", "%c", "%\xff", "%Y%m%d"
    };
    char longest[300];
    struct tn_timestamp_format format;
    struct tn_reason reason;
    size_t i;

    for (i = 0; i < TN_ARRAY_COUNT(wrong); i++)
        check_eq(tn_timestamp_format_read(&format, wrong[i], &reason),
                 strcmp(wrong[i], "%Y%m%d") == 0);
    memset(longest, 'x', sizeof longest);
    memcpy(longest, "%F", 2);
    longest[sizeof longest - 1] = '\0';
    check(!tn_timestamp_format_read(&format, longest, &reason));
    check(strstr(reason.text, "longer than 127 bytes") != NULL);
    check(!tn_timestamp_format_read(&format, "minutes", &reason));
    check(strstr(reason.text, "auto, s, ms, us, ns, iso") != NULL);
}

static void a_format_tells_what_it_was_read_from(void)
{
    static const char *const texts[] = { "auto", "s", "ms", "us", "ns", "iso", "%d/%b/%Y" };
    struct tn_timestamp_format format;
    struct tn_reason reason;
    size_t i;

    for (i = 0; i < TN_ARRAY_COUNT(texts); i++) {
        check(tn_timestamp_format_read(&format, texts[i], &reason));
        check_text(tn_timestamp_format_text(&format), texts[i]);
    }
    check(tn_timestamp_format_read(&format, "%F %T", &reason)); /* written out, means the same */
    check_text(tn_timestamp_format_text(&format), "%Y-%m-%d %H:%M:%S");
}

static void check_print(int64_t ms, const char *expected)
{
    char text[TN_TIMESTAMP_BYTES_MAX];

    check_eq(tn_timestamp_print(ms, text), strlen(expected));
    check_text(text, expected);
}

static void times_are_printed_in_utc_with_milliseconds(void)
{
    check_print(0, "1970-01-01T00:00:00.000Z");
    check_print(-1, "1969-12-31T23:59:59.999Z");
    check_print(INT64_C(1442018818771), "2015-09-12T00:46:58.771Z");
    check_print(INT64_C(-62135596800000), "0001-01-01T00:00:00.000Z");
    check_print(INT64_C(-62167219200000), "0000-01-01T00:00:00.000Z");
    check_print(INT64_C(253402300799999), "9999-12-31T23:59:59.999Z");
    check_print(INT64_C(951782400000), "2000-02-29T00:00:00.000Z");
}

static void years_of_more_than_four_digits_have_a_sign(void)
{
    check_print(INT64_C(253402300800000), "+010000-01-01T00:00:00.000Z");
    check_print(INT64_C(-62167219200001), "-000001-12-31T23:59:59.999Z");
    check_print(INT64_MAX, "+292278994-08-17T07:12:55.807Z");
    check_print(INT64_MIN, "-292275055-05-16T16:47:04.192Z");
}

static void printing_and_reading_gives_the_same(void)
{
    uint64_t state = test_seed(), span = UINT64_C(253402300799999) + UINT64_C(62135596800000) + 1;
    char text[TN_TIMESTAMP_BYTES_MAX];
    int i;

    for (i = 0; i < 50000; i++) {
        int64_t ms = (int64_t)(test_random(&state) % span) - INT64_C(62135596800000);

        tn_timestamp_print(ms, text);
        check_read("iso", text, ms);
    }
}

/* However many digits are read at once, their number is that of their text. */
static void numbers_of_every_length_are_read_whole(void)
{
    static const struct {
        const char *name;
        int64_t factor, divisor;
    } units[] = { { "s", 1000, 1 }, { "ms", 1, 1 }, { "us", 1, 1000 }, { "ns", 1, 1000000 } };
    uint64_t state = test_seed();
    char text[24];
    size_t unit, digits, i, round;

    for (unit = 0; unit < TN_ARRAY_COUNT(units); unit++)
        for (digits = 1; digits <= 18; digits++)
            for (round = 0; round < 50; round++) {
                struct tn_timestamp_format format = { .kind = TN_TIMESTAMP_AUTO };
                struct tn_reason reason;
                int64_t number = 0, wanted, got = -1;
                bool fits;

                for (i = 0; i < digits; i++) {
                    text[i] = (char)('0' + (round == 0 ? 9 : test_random(&state) % 10));
                    number = number * 10 + (text[i] - '0');
                }
                text[digits] = '\0';
                fits = !__builtin_mul_overflow(number, units[unit].factor, &wanted);
                check(tn_timestamp_format_read(&format, units[unit].name, &reason));
                check_eq(tn_timestamp_read(&format, (tarn_bytes){ text, digits }, &got, &reason),
                         fits);
                if (fits)
                    check_eq(got, wanted / units[unit].divisor);
                text[test_random(&state) % digits] = (char)('9' + 1 + round % 3);
                check(!tn_timestamp_read(&format, (tarn_bytes){ text, digits }, &got, &reason));
            }
}

static const struct test tests[] = {
    T(iso_times_are_read_in_all_their_forms),
    T(finer_than_milliseconds_floors),
    T(wrong_iso_times_are_bad),
    T(every_byte_in_every_place_is_judged_alike_by_both_ways),
    T(numbers_are_read_in_their_unit),
    T(wrong_numbers_are_bad),
    T(what_leaves_64_bits_is_bad_and_so_is_the_lowest_number),
    T(auto_decides_once_by_the_first_text_that_can_be_read),
    T(patterns_are_read_like_strptime),
    T(what_does_not_match_the_pattern_is_bad),
    T(wrong_formats_are_refused_with_what_to_write),
    T(a_format_tells_what_it_was_read_from),
    T(times_are_printed_in_utc_with_milliseconds),
    T(years_of_more_than_four_digits_have_a_sign),
    T(printing_and_reading_gives_the_same),
    T(numbers_of_every_length_are_read_whole),
};

/* Lines in, lines out, for tests/test_timestamp.sh. */
static int answer_lines(bool print)
{
    struct tn_timestamp_format format;
    struct tn_reason reason;
    char line[4096], text[TN_TIMESTAMP_BYTES_MAX];
    int64_t ms;

    while (fgets(line, sizeof line, stdin) != NULL) {
        char *tab = strchr(line, '\t');

        line[strcspn(line, "\n")] = '\0';
        if (print) {
            tn_timestamp_print(strtoll(line, NULL, 10), text);
            puts(text);
            continue;
        }
        if (tab == NULL)
            return 1;
        *tab = '\0';
        if (!tn_timestamp_format_read(&format, line, &reason))
            return 1;
        if (tn_timestamp_read(&format, (tarn_bytes){ tab + 1, strlen(tab + 1) }, &ms, &reason))
            printf("%" PRId64 "\n", ms);
        else
            puts("bad");
    }
    return 0;
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "--read") == 0)
        return answer_lines(false);
    if (argc > 1 && strcmp(argv[1], "--print") == 0)
        return answer_lines(true);
    return test_main(tests, sizeof tests / sizeof tests[0], argc, argv);
}
