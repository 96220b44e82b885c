/*
 * test_duration.c - lengths of time, read and printed
 */
#include "io/duration.h"
#include "test.h"

static int64_t read_ms(const char *text)
{
    struct tn_reason reason = { 0 };
    int64_t ms = -1;

    if (!tn_duration_read(text, &ms, &reason)) {
        check(reason.bytes > 0);
        return -1;
    }
    return ms;
}

static void numbers_with_units_are_read(void)
{
    check_eq(read_ms("250ms"), 250);
    check_eq(read_ms("10s"), 10000);
    check_eq(read_ms("5m"), 300000);
    check_eq(read_ms("1h30m"), 5400000);
    check_eq(read_ms("1d12h"), 129600000);
    check_eq(read_ms("7d"), INT64_C(604800000));
    check_eq(read_ms("1w"), INT64_C(604800000));
    check_eq(read_ms("1w2d3h4m5s6ms"),
             INT64_C(604800000) + 2 * 86400000 + 3 * 3600000 + 4 * 60000 + 5006);
    check_eq(read_ms("0s"), 0);
    check_eq(read_ms("0"), 0);
    check_eq(read_ms("0010s"), 10000);
    check_eq(read_ms("90m"), 5400000);
    check_eq(read_ms("1h500ms"), 3600500);
}

static void the_last_number_may_have_a_fraction_of_whole_milliseconds(void)
{
    check_eq(read_ms("1.5h"), 5400000);
    check_eq(read_ms("0.25s"), 250);
    check_eq(read_ms("1m0.001s"), 60001);
    check_eq(read_ms("1.50000000000000000h"), 5400000);
    check_eq(read_ms("2000us"), 2);
    check_eq(read_ms("3000000ns"), 3);
    check_eq(read_ms("0.5w"), 302400000);
    check_eq(read_ms("0.0005s"), -1);
    check_eq(read_ms("1500us"), -1);
    check_eq(read_ms("1ns"), -1);
    check_eq(read_ms("1.0000000000000000000h"), -1); /* 19 decimals */
    check_eq(read_ms("922337203685477.5807s"), -1);
    check_eq(read_ms("9223372036854775.807s"), INT64_MAX);
    check_eq(read_ms("9223372036854775.808s"), -1);
}

static void everything_else_is_refused(void)
{
    static const char *const wrong[] = { "",     " ",     "10",     "s",    "10 s",    " 10s",
                                         "10s ", "-10s",  "+10s",   "1.5",  "10x",     "10S",
                                         "1m1h", "1m1m",  "1ms1s",  "1e3s", "10s5",    "ten",
                                         "10ss", "00",    "1h,30m", "\xff", "1.5h30m", ".5h",
                                         "1.h",  "1..5h", "1.5.5h", "1.5" };
    size_t i;

    for (i = 0; i < TN_ARRAY_COUNT(wrong); i++)
        if (read_ms(wrong[i]) != -1)
            test_fail(__FILE__, __LINE__, "'%s' is read", wrong[i]);
}

static void too_long_ones_are_refused(void)
{
    check_eq(read_ms("9223372036854775807ms"), INT64_MAX);
    check_eq(read_ms("9223372036854775808ms"), -1);
    check_eq(read_ms("9223372036854775807s"), -1);
    check_eq(read_ms("99999999999999999999999999ms"), -1);
    check_eq(read_ms("9223372036854775s807ms"), INT64_MAX);
    check_eq(read_ms("9223372036854775s808ms"), -1);
}

static void the_reason_says_what_to_write(void)
{
    struct tn_reason reason;
    int64_t ms;

    check(!tn_duration_read("10", &ms, &reason));
    check_text(reason.text, "10 of what? say 10s or 10ms");
    check(!tn_duration_read("1h3x", &ms, &reason));
    check_text(reason.text,
               "not a duration: \"1h3x\": at \"x\", no unit is called that; write numbers "
               "with the units w d h m s ms, like 10s, 250ms, 1h30m or 7d");
    check(!tn_duration_read("5min", &ms, &reason));
    check(strstr(reason.text, "at \"min\", 'min' is written m;") != NULL);
    check(!tn_duration_read("10S", &ms, &reason));
    check(strstr(reason.text, "'S' is written s;") != NULL);
    check(!tn_duration_read("1 h", &ms, &reason));
    check(strstr(reason.text, "a blank is not part") != NULL);
    check(!tn_duration_read("1h30", &ms, &reason));
    check(strstr(reason.text, "at \"\", a unit is missing") != NULL);
    check(!tn_duration_read("1m1h", &ms, &reason));
    check(strstr(reason.text, "at \"1h\", units go from large to small") != NULL);
    check(!tn_duration_read("1500us", &ms, &reason));
    check(strstr(reason.text, "whole milliseconds") != NULL);
    check(!tn_duration_read("1.5h30m", &ms, &reason));
    check(strstr(reason.text, "at \"30m\", only the last") != NULL);
}

static void printing_and_reading_gives_the_same(void)
{
    uint64_t state = test_seed();
    char text[TN_DURATION_BYTES_MAX];
    int i;

    for (i = 0; i < 20000; i++) {
        int64_t ms = (int64_t)(test_random(&state) >> 1 >> test_random(&state) % 63);

        size_t bytes = tn_duration_print(ms, text);

        check_eq(bytes, strlen(text));
        check_eq(read_ms(text), ms);
    }
    tn_duration_print(INT64_MAX, text);
    check_eq(read_ms(text), INT64_MAX);
}

static void printed_forms_are_short(void)
{
    char text[TN_DURATION_BYTES_MAX];

    tn_duration_print(0, text);
    check_text(text, "0s");
    tn_duration_print(90000, text);
    check_text(text, "1m30s");
    tn_duration_print(INT64_C(604800000), text);
    check_text(text, "1w");
    tn_duration_print(-1500, text);
    check_text(text, "-1s500ms");
    tn_duration_print(INT64_MIN, text);
    check_text(text, "-15250284452w3d7h12m55s808ms");
}

static const struct test tests[] = {
    T(numbers_with_units_are_read),   T(the_last_number_may_have_a_fraction_of_whole_milliseconds),
    T(everything_else_is_refused),    T(too_long_ones_are_refused),
    T(the_reason_says_what_to_write), T(printing_and_reading_gives_the_same),
    T(printed_forms_are_short),
};

TEST_MAIN(tests)
