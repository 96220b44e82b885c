/*
 * test_watermark.c - event time goes on, never back, and never past the ends of 64 bits
 */
#include "stream/watermark.h"

#include "test.h"

static struct tn_watermark watermark_after(int64_t bound_ms, int64_t time_ms)
{
    struct tn_watermark watermark;
    bool moved;

    tn_watermark_init(&watermark, bound_ms);
    moved = tn_watermark_advance(&watermark, time_ms);
    check_eq(moved, watermark.time_ms != INT64_MIN);
    return watermark;
}

static void before_the_first_row_it_is_at_the_beginning_of_time(void)
{
    struct tn_watermark watermark;

    tn_watermark_init(&watermark, 5);
    check_eq(watermark.time_ms, INT64_MIN);
}

static void case_13_it_is_the_greatest_time_less_the_bound_less_one(void)
{
    check_eq(watermark_after(0, 1000).time_ms, 999);
    check_eq(watermark_after(250, 1000).time_ms, 749);
    check_eq(watermark_after(1, 0).time_ms, -2);
}

static void case_14_with_bound_0_an_equal_time_is_ahead_of_it(void)
{
    check(watermark_after(0, 1000).time_ms < 1000);
    check(watermark_after(0, INT64_MAX).time_ms < INT64_MAX);
}

static void case_15_it_never_goes_back(void)
{
    struct tn_watermark watermark = watermark_after(10, 1000);

    check(!tn_watermark_advance(&watermark, 999));
    check(!tn_watermark_advance(&watermark, 1000));
    check(!tn_watermark_advance(&watermark, INT64_MIN + 1));
    check_eq(watermark.time_ms, 989);
    check(tn_watermark_advance(&watermark, 1001));
    check_eq(watermark.time_ms, 990);
}

static void case_07_it_saturates_at_the_ends_of_time(void)
{
    check_eq(watermark_after(0, INT64_MIN + 1).time_ms, INT64_MIN);
    check_eq(watermark_after(0, INT64_MIN + 2).time_ms, INT64_MIN + 1);
    check_eq(watermark_after(1, INT64_MIN + 2).time_ms, INT64_MIN);
    check_eq(watermark_after(INT64_MAX, INT64_MIN + 1).time_ms, INT64_MIN);
    check_eq(watermark_after(INT64_MAX, -1).time_ms, INT64_MIN);
    check_eq(watermark_after(INT64_MAX, 0).time_ms, INT64_MIN);
    check_eq(watermark_after(INT64_MAX, 1).time_ms, INT64_MIN + 1);
    check_eq(watermark_after(INT64_MAX, INT64_MAX).time_ms, -1);
    check_eq(watermark_after(0, INT64_MAX).time_ms, INT64_MAX - 1);
}

static void case_18_the_end_of_input_is_the_end_of_time(void)
{
    struct tn_watermark watermark = watermark_after(10, 1000);

    tn_watermark_finish(&watermark);
    check_eq(watermark.time_ms, INT64_MAX);
    check(!tn_watermark_advance(&watermark, INT64_MAX));
    tn_watermark_finish(&watermark);
    check_eq(watermark.time_ms, INT64_MAX);
}

static const struct test tests[] = {
    T(before_the_first_row_it_is_at_the_beginning_of_time),
    T(case_13_it_is_the_greatest_time_less_the_bound_less_one),
    T(case_14_with_bound_0_an_equal_time_is_ahead_of_it),
    T(case_15_it_never_goes_back),
    T(case_07_it_saturates_at_the_ends_of_time),
    T(case_18_the_end_of_input_is_the_end_of_time),
};
TEST_MAIN(tests)
