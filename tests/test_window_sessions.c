/*
 * test_window_sessions.c - windows that rows make: growing, touching, bridged, late
 */
#include "window_fixture.h"

static struct fixture *sessions_with(int64_t gap_ms, int64_t late_ms, int64_t grace_ms,
                                     enum tn_window_mode mode)
{
    struct fixture *f = fixture_new(&(struct tn_window_options){
        .gap_ms = gap_ms,
        .late_ms = late_ms,
        .grace_ms = grace_ms,
        .mode = mode,
        .print_ms = mode == TN_WINDOW_EVERY ? 10 : 0,
        .key_count = 1,
        .aggregates = count_rows,
        .aggregate_count = 1,
    });

    check_ok(fixture_open(f, 0));
    return f;
}

static struct fixture *sessions(int64_t gap_ms, int64_t late_ms)
{
    return sessions_with(gap_ms, late_ms, 0, TN_WINDOW_FINAL);
}

/* ---- bounds ---------------------------------------------------------------------------------- */

static void case_09_rows_exactly_a_gap_apart_are_one_session(void)
{
    struct fixture *f = sessions(10, 100);

    check_eq(push(f, 0, "a"), TN_WINDOW_TAKEN);
    check_eq(push(f, 10, "a"), TN_WINDOW_TAKEN);
    check_eq(push(f, 21, "a"), TN_WINDOW_TAKEN); /* a millisecond more */
    check_eq(push(f, -10, "a"), TN_WINDOW_TAKEN);
    check_eq(push(f, -21, "a"), TN_WINDOW_TAKEN);
    check_finish(f, "-21..-11 a: 1\n-10..20 a: 3\n21..31 a: 1\n");
    fixture_close(f);
}

static void case_10_a_row_bridges_two_sessions_into_one(void)
{
    struct fixture *f = fixture_new(&(struct tn_window_options){
        .gap_ms = 10,
        .late_ms = 100,
        .key_count = 1,
        .aggregates = all_kinds,
        .aggregate_count = KIND_COUNT,
    });

    check_ok(fixture_open(f, 0));
    check_eq(push_values(f, 0, "a", "1", "first"), TN_WINDOW_TAKEN);
    check_eq(push_values(f, 1, "a", "", "both"), TN_WINDOW_TAKEN);
    check_eq(push_values(f, 20, "a", "-3", "both"), TN_WINDOW_TAKEN);
    check_eq(push_values(f, 21, "a", "4", "last"), TN_WINDOW_TAKEN);
    check_eq(counts_of(f).open_count, 2);
    check_eq(push_values(f, 10, "a", "2.5", "bridge"), TN_WINDOW_TAKEN);
    check_eq(counts_of(f).open_count, 1);
    check_finish(f, "0..31 a: 5,4,4.5,-3,4,1.125,first,last,4\n");
    fixture_close(f);
}

static void case_10_a_row_bridges_many_sessions_into_one(void)
{
    struct fixture *f = sessions(10, 1000);

    for (int64_t i = 0; i < 20; i++)
        check_eq(push(f, i * 11, "a"), TN_WINDOW_TAKEN);
    check_eq(counts_of(f).open_count, 20);
    for (int64_t i = 0; i < 19; i++)
        check_eq(push(f, i * 11 + 5, "a"), TN_WINDOW_TAKEN);
    check_eq(counts_of(f).open_count, 1);
    check_finish(f, "0..219 a: 39\n");
    fixture_close(f);
}

static void case_11_a_session_ends_a_gap_after_its_last_row(void)
{
    struct fixture *f = sessions(10, 0);

    check_eq(push(f, 3, "a"), TN_WINDOW_TAKEN);
    check_eq(push(f, 7, "a"), TN_WINDOW_TAKEN);
    check_eq(push(f, 16, "b"), TN_WINDOW_TAKEN);
    check_out(f, ""); /* the watermark is 15, its end 17 */
    check_eq(push(f, 17, "b"), TN_WINDOW_TAKEN);
    check_out(f, "3..17 a: 2\n");
    check_finish(f, "16..27 b: 2\n");
    fixture_close(f);
}

static void groups_have_sessions_of_their_own(void)
{
    struct fixture *f = sessions(10, 0);

    check_eq(push(f, 0, "a"), TN_WINDOW_TAKEN);
    check_eq(push(f, 5, "b"), TN_WINDOW_TAKEN);
    check_eq(push(f, 9, "a"), TN_WINDOW_TAKEN);
    check_finish(f, "5..15 b: 1\n0..19 a: 2\n");
    fixture_close(f);
}

static void sessions_come_by_end_and_then_by_key(void)
{
    struct fixture *f = sessions(10, 100);

    check_eq(push(f, 7, "b"), TN_WINDOW_TAKEN);
    check_eq(push(f, 1, "c"), TN_WINDOW_TAKEN);
    check_eq(push(f, 7, "a"), TN_WINDOW_TAKEN);
    check_eq(push(f, 0, "a\xFF"), TN_WINDOW_TAKEN);
    check_eq(push(f, 7, "a\xFF"), TN_WINDOW_TAKEN);
    check_finish(f, "1..11 c: 1\n7..17 a: 1\n0..17 a\\xff: 2\n7..17 b: 1\n");
    fixture_close(f);
}

static void case_07_a_session_at_the_end_of_time_saturates(void)
{
    struct fixture *f = sessions(10, 0);

    check_eq(push(f, INT64_MIN, "a"), TN_WINDOW_BAD);
    check_eq(push(f, INT64_MIN + 1, "a"), TN_WINDOW_TAKEN);
    check_eq(push(f, INT64_MAX - 3, "a"), TN_WINDOW_TAKEN);
    check_out(f, "-9223372036854775807..-9223372036854775797 a: 1\n");
    check_eq(push(f, INT64_MAX, "a"), TN_WINDOW_TAKEN);
    check_finish(f, "9223372036854775804..9223372036854775807 a: 2\n");
    fixture_close(f);
}

/* ---- late ------------------------------------------------------------------------------------ */

static void case_12_an_old_row_that_touches_an_open_session_is_not_late(void)
{
    struct fixture *f = sessions(10, 0);

    check_eq(push(f, 100, "a"), TN_WINDOW_TAKEN);
    check_eq(push(f, 89, "a"), TN_WINDOW_LATE);  /* 89..99 would touch nothing, and has ended */
    check_eq(push(f, 90, "a"), TN_WINDOW_TAKEN); /* 90..100 has ended as well, but touches */
    check_eq(push(f, 80, "a"), TN_WINDOW_TAKEN);
    check_eq(push(f, 80, "b"), TN_WINDOW_LATE);
    check_finish(f, "80..110 a: 3\n");
    check_eq(counts_of(f).late_count, 2);
    fixture_close(f);
}

static void case_12_a_late_row_of_a_new_group_leaves_nothing_behind(void)
{
    struct fixture *f = sessions(10, 0);

    check_eq(push(f, 100, "a"), TN_WINDOW_TAKEN);
    check_eq(push(f, 5, "b"), TN_WINDOW_LATE);
    check_eq(counts_of(f).open_count, 1);
    check_finish(f, "100..110 a: 1\n");
    fixture_close(f);
}

static void case_21_a_session_takes_rows_until_its_last_millisecond_plus_grace_has_passed(void)
{
    struct fixture *f = sessions_with(10, 0, 5, TN_WINDOW_FINAL);

    check_eq(push(f, 0, "a"), TN_WINDOW_TAKEN);  /* its last millisecond is 9 */
    check_eq(push(f, 14, "b"), TN_WINDOW_TAKEN); /* watermark 13 = 9 + 5 - 1 */
    check_eq(push(f, 1, "a"), TN_WINDOW_TAKEN);
    check_eq(push(f, 16, "b"), TN_WINDOW_TAKEN); /* 15 = 10 + 5: over, since it ended at 11 */
    check_out(f, "0..11 a: 2\n");
    check_eq(push(f, 1, "a"), TN_WINDOW_LATE);
    check_finish(f, "14..26 b: 2\n");
    fixture_close(f);
}

/* ---- what was said is taken back ------------------------------------------------------------- */

static void case_10_with_changes_a_merge_takes_back_both_rows_and_says_the_new_one(void)
{
    struct fixture *f = sessions_with(10, 0, 1000, TN_WINDOW_CHANGES);

    check_eq(push(f, 0, "a"), TN_WINDOW_TAKEN);
    check_eq(push(f, 15, "a"), TN_WINDOW_TAKEN);
    check_out(f, "+0..10 a: 1\n");
    check_eq(push(f, 50, "b"), TN_WINDOW_TAKEN);
    check_out(f, "+15..25 a: 1\n");
    check_eq(push(f, 7, "a"), TN_WINDOW_TAKEN);
    check_out(f, "-0..10 a: 1\n-15..25 a: 1\n+0..25 a: 3\n");
    check_finish(f, "+50..60 b: 1\n");
    fixture_close(f);
}

static void with_changes_a_session_that_goes_on_takes_its_row_back_and_fires_again(void)
{
    struct fixture *f = sessions_with(10, 0, 1000, TN_WINDOW_CHANGES);

    check_eq(push(f, 0, "a"), TN_WINDOW_TAKEN);
    check_eq(push(f, 12, "b"), TN_WINDOW_TAKEN);
    check_out(f, "+0..10 a: 1\n");
    check_eq(push(f, 9, "a"), TN_WINDOW_TAKEN); /* 0..19 has not ended */
    check_out(f, "-0..10 a: 1\n");
    check_eq(push(f, 5, "a"), TN_WINDOW_TAKEN);
    check_out(f, "");
    check_eq(push(f, 19, "b"), TN_WINDOW_TAKEN);
    check_out(f, "+0..19 a: 3\n");
    check_eq(push(f, 4, "a"), TN_WINDOW_TAKEN); /* within its bounds: only the count is new */
    check_out(f, "+0..19 a: 4\n");
    check_finish(f, "+12..29 b: 2\n");
    fixture_close(f);
}

static void with_every_a_row_taken_back_comes_before_what_replaces_it(void)
{
    struct fixture *f = sessions_with(20, 0, 1000, TN_WINDOW_EVERY);

    check_eq(push(f, 5, "a"), TN_WINDOW_TAKEN);
    check_eq(push(f, 11, "b"), TN_WINDOW_TAKEN);
    check_out(f, "+5..25 a: 1\n+11..31 b: 1\n");
    check_eq(push(f, 3, "a"), TN_WINDOW_TAKEN); /* the same end */
    check_eq(push(f, 19, "b"), TN_WINDOW_TAKEN);
    check_out(f, "");
    check_eq(push(f, 21, "c"), TN_WINDOW_TAKEN);
    check_out(f, "-5..25 a: 1\n+3..25 a: 2\n-11..31 b: 1\n+11..39 b: 2\n+21..41 c: 1\n");
    check_finish(f, "");
    fixture_close(f);
}

/* ---- state ----------------------------------------------------------------------------------- */

static void sessions_leave_no_entries_behind(void)
{
    struct fixture *f = fixture_new(&(struct tn_window_options){
        .gap_ms = 10,
        .mode = TN_WINDOW_EVERY,
        .print_ms = 7,
        .key_count = 1,
        .aggregates = all_kinds,
        .aggregate_count = KIND_COUNT,
    });
    tarn_statistics statistics;
    uint64_t random = test_seed();

    check_ok(fixture_open(f, 0));
    for (int64_t i = 0; i < 5000; i++) {
        char key[8];

        snprintf(key, sizeof key, "%d", (int)(test_random(&random) % 40));
        push_values(f, i - (int64_t)(test_random(&random) % 9), key, "1", key);
    }
    check_ok(tn_window_finish(f->window));
    check_eq(counts_of(f).open_count, 0);
    check_ok(tarn_stat(f->store, &statistics));
    check_eq(statistics.entry_count, 0);
    fixture_close(f);
}

static void no_memory_at_any_point_of_sessions_is_answered_and_leaks_nothing(void)
{
    uint64_t answered_count = 0;

    for (uint64_t n = 1; n < 4000; n++) {
        struct fixture *f = fixture_new(&(struct tn_window_options){
            .gap_ms = 10,
            .late_ms = 20,
            .grace_ms = 20,
            .mode = (enum tn_window_mode)(n % 3),
            .print_ms = n % 3 == TN_WINDOW_EVERY ? 15 : 0,
            .key_count = 1,
            .aggregates = all_kinds,
            .aggregate_count = KIND_COUNT,
        });
        uint64_t random = 7;
        int result;

        f->allocator.fail_first = n;
        f->allocator.fail_last = UINT64_MAX;
        result = fixture_open(f, 0);
        for (int64_t i = 0; i < 120 && result >= 0; i++) {
            int64_t back = (int64_t)(test_random(&random) % 30);
            char key[8];

            snprintf(key, sizeof key, "%d", (int)(i % 7));
            result = push_values(f, 2 * i - back, key, "12.5", key);
            check(result == TARN_E_MEMORY || result == TN_WINDOW_TAKEN || result == TN_WINDOW_LATE);
        }
        if (result >= 0)
            result = tn_window_finish(f->window);
        check(result == TARN_OK || result == TARN_E_MEMORY);
        answered_count += result == TARN_E_MEMORY;
        fixture_close(f);
        if (result == TARN_OK)
            break;
    }
    check(answered_count > 20);
}

static const struct test tests[] = {
    T(case_09_rows_exactly_a_gap_apart_are_one_session),
    T(case_10_a_row_bridges_two_sessions_into_one),
    T(case_10_a_row_bridges_many_sessions_into_one),
    T(case_11_a_session_ends_a_gap_after_its_last_row),
    T(groups_have_sessions_of_their_own),
    T(sessions_come_by_end_and_then_by_key),
    T(case_07_a_session_at_the_end_of_time_saturates),
    T(case_12_an_old_row_that_touches_an_open_session_is_not_late),
    T(case_12_a_late_row_of_a_new_group_leaves_nothing_behind),
    T(case_21_a_session_takes_rows_until_its_last_millisecond_plus_grace_has_passed),
    T(case_10_with_changes_a_merge_takes_back_both_rows_and_says_the_new_one),
    T(with_changes_a_session_that_goes_on_takes_its_row_back_and_fires_again),
    T(with_every_a_row_taken_back_comes_before_what_replaces_it),
    T(sessions_leave_no_entries_behind),
    T(no_memory_at_any_point_of_sessions_is_answered_and_leaks_nothing),
};
TEST_MAIN(tests)
