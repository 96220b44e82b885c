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

    check(tn_watermark_raise(&watermark, INT64_MAX));
    check_eq(watermark.time_ms, INT64_MAX);
    check(!tn_watermark_advance(&watermark, INT64_MAX));
    check(!tn_watermark_raise(&watermark, INT64_MAX));
    check_eq(watermark.time_ms, INT64_MAX);
}

/* ---- several sources ------------------------------------------------------------------------- */

static struct tn_memory memory;

static struct tn_watermarks sources_of(size_t count, int64_t bound_ms)
{
    struct tn_watermarks all;

    tn_memory_init(&memory, NULL, NULL, 0);
    check(tn_watermarks_init(&all, &memory, count, bound_ms));
    check_eq(all.time_ms, INT64_MIN);
    check_eq(all.next, 0);
    return all;
}

static void sources_close(struct tn_watermarks *all)
{
    tn_watermarks_release(all);
    check_eq(memory.counted_bytes, 0);
}

static void case_16_all_is_the_least_of_the_active_and_waits_for_each(void)
{
    struct tn_watermarks all = sources_of(3, 10);

    check(!tn_watermarks_advance(&all, 0, 1000));
    check(!tn_watermarks_advance(&all, 1, 2000));
    check_eq(all.time_ms, INT64_MIN); /* M2: the third has not spoken */
    check(tn_watermarks_advance(&all, 2, 3000));
    check_eq(all.time_ms, 989); /* M1 */
    check(!tn_watermarks_advance(&all, 1, 4000));
    check_eq(all.time_ms, 989);
    check(tn_watermarks_advance(&all, 0, 2500));
    check_eq(all.time_ms, 2489);
    sources_close(&all);
}

static void who_is_read_next_is_the_furthest_behind_and_of_equals_the_first(void)
{
    struct tn_watermarks all = sources_of(3, 0);

    tn_watermarks_advance(&all, 0, 50);
    check_eq(all.next, 1); /* M5: 1 and 2 have not spoken */
    tn_watermarks_advance(&all, 1, 60);
    check_eq(all.next, 2);
    tn_watermarks_advance(&all, 2, 50);
    check_eq(all.next, 0);
    tn_watermarks_advance(&all, 0, 49); /* out of order: nothing changes */
    check_eq(all.next, 0);
    tn_watermarks_advance(&all, 0, 51);
    check_eq(all.next, 2);
    tn_watermarks_set_state(&all, 2, TN_SOURCE_ENDED);
    check_eq(all.next, 0);
    tn_watermarks_set_state(&all, 0, TN_SOURCE_ENDED);
    tn_watermarks_set_state(&all, 1, TN_SOURCE_ENDED);
    check_eq(all.next, SIZE_MAX);
    sources_close(&all);
}

static void case_17_an_ended_or_idle_source_does_not_hold_the_others(void)
{
    struct tn_watermarks all = sources_of(2, 0);

    tn_watermarks_advance(&all, 0, 100);
    check(tn_watermarks_set_state(&all, 1, TN_SOURCE_IDLE)); /* it never spoke */
    check_eq(all.time_ms, 99);
    check(tn_watermarks_advance(&all, 0, 200));
    check_eq(all.time_ms, 199);
    check(!tn_watermarks_set_state(&all, 1, TN_SOURCE_ENDED));
    check(tn_watermarks_advance(&all, 0, 300));
    check_eq(all.time_ms, 299);
    sources_close(&all);
}

static void case_17_a_source_that_wakes_behind_counts_when_it_has_caught_up(void)
{
    struct tn_watermarks all = sources_of(2, 0);

    tn_watermarks_advance(&all, 0, 100);
    tn_watermarks_advance(&all, 1, 50);
    tn_watermarks_set_state(&all, 1, TN_SOURCE_IDLE);
    check_eq(all.time_ms, 99);
    check(!tn_watermarks_advance(&all, 1, 60)); /* M3: awake, behind */
    check_eq(all.sources[1].state, TN_SOURCE_ACTIVE);
    check_eq(all.next, 1); /* and is read until it has caught up */
    check(tn_watermarks_advance(&all, 0, 200));
    check_eq(all.time_ms, 199);
    check(!tn_watermarks_advance(&all, 1, 210)); /* caught up: counts from here on */
    check(!tn_watermarks_advance(&all, 1, 220));
    check(tn_watermarks_advance(&all, 0, 300));
    check_eq(all.time_ms, 219);
    sources_close(&all);
}

static void case_17_when_all_are_idle_it_is_the_greatest_whoever_went_last(void)
{
    struct tn_watermarks all;
    size_t first;

    for (first = 0; first < 2; first++) {
        all = sources_of(2, 0);
        tn_watermarks_advance(&all, 0, 100);
        tn_watermarks_advance(&all, 1, 200);
        tn_watermarks_set_state(&all, first, TN_SOURCE_IDLE);
        tn_watermarks_set_state(&all, 1 - first, TN_SOURCE_IDLE);
        check_eq(all.time_ms, 199); /* M4 */
        check_eq(all.next, SIZE_MAX);
        tn_watermarks_set_state(&all, 0, TN_SOURCE_ENDED);
        tn_watermarks_set_state(&all, 1, TN_SOURCE_ENDED);
        check_eq(all.time_ms, 199); /* the end of time is for the caller to say */
        sources_close(&all);
    }
}

static void one_source_of_several_is_as_one_alone(void)
{
    struct tn_watermarks all = sources_of(1, 7);
    struct tn_watermark alone;
    uint64_t state = test_seed();
    int i;

    tn_watermark_init(&alone, 7);
    for (i = 0; i < 1000; i++) {
        int64_t time_ms = (int64_t)(test_random(&state) % 5000) + i;

        check_eq(tn_watermarks_advance(&all, 0, time_ms), tn_watermark_advance(&alone, time_ms));
        check_eq(all.time_ms, alone.time_ms);
        check_eq(all.next, 0);
    }
    sources_close(&all);
}

/* Random sources against the sentences M1 to M5, computed from scratch. */
static void case_15_all_never_goes_back_and_is_the_least_of_those_that_count(void)
{
    struct tn_watermarks all = sources_of(5, 20);
    uint64_t state = test_seed();
    int64_t before, wanted;
    bool moved;
    int i;

    for (i = 0; i < 20000; i++) {
        size_t source = test_random(&state) % 5, k, active = 0, next = SIZE_MAX;
        int64_t least = INT64_MAX, greatest = INT64_MIN;

        before = all.time_ms;
        if (test_random(&state) % 10 == 0)
            moved = tn_watermarks_set_state(&all, source,
                                            (enum tn_source_state)(test_random(&state) % 3));
        else
            moved = tn_watermarks_advance(&all, source, (int64_t)(test_random(&state) % 100) + i);
        for (k = 0; k < 5; k++) {
            int64_t own = all.sources[k].own.time_ms;

            greatest = own > greatest ? own : greatest;
            if (all.sources[k].state != TN_SOURCE_ACTIVE)
                continue;
            active++;
            if (next == SIZE_MAX || own < all.sources[next].own.time_ms)
                next = k;
            if (own >= before && own < least)
                least = own;
        }
        wanted = active == 0 ? greatest : least == INT64_MAX ? before : least;
        wanted = wanted < before ? before : wanted;
        check_eq(all.time_ms, wanted);
        check_eq(moved, wanted != before);
        check(all.next == next);
    }
    sources_close(&all);
}

static void lack_of_memory_is_answered(void)
{
    struct tn_watermarks all;

    tn_memory_init(&memory, NULL, NULL, 100);
    check(!tn_watermarks_init(&all, &memory, 1000, 0));
    tn_watermarks_release(&all);
}

static const struct test tests[] = {
    T(before_the_first_row_it_is_at_the_beginning_of_time),
    T(case_13_it_is_the_greatest_time_less_the_bound_less_one),
    T(case_14_with_bound_0_an_equal_time_is_ahead_of_it),
    T(case_15_it_never_goes_back),
    T(case_07_it_saturates_at_the_ends_of_time),
    T(case_18_the_end_of_input_is_the_end_of_time),
    T(case_16_all_is_the_least_of_the_active_and_waits_for_each),
    T(who_is_read_next_is_the_furthest_behind_and_of_equals_the_first),
    T(case_17_an_ended_or_idle_source_does_not_hold_the_others),
    T(case_17_a_source_that_wakes_behind_counts_when_it_has_caught_up),
    T(case_17_when_all_are_idle_it_is_the_greatest_whoever_went_last),
    T(one_source_of_several_is_as_one_alone),
    T(case_15_all_never_goes_back_and_is_the_least_of_those_that_count),
    T(lack_of_memory_is_answered),
};
TEST_MAIN(tests)
