/*
 * test_window_modes.c - when windows speak: grace, changes, prints; rows too far ahead; going on
 */
#include "window_fixture.h"

/* Rows counted in windows of 10 ms, by one key. */
static struct fixture *tumbling(enum tn_window_mode mode, int64_t grace_ms, int64_t print_ms)
{
    struct fixture *f = fixture_new(&(struct tn_window_options){
        .every_ms = 10,
        .grace_ms = grace_ms,
        .mode = mode,
        .print_ms = print_ms,
        .key_count = 1,
        .aggregates = count_rows,
        .aggregate_count = 1,
    });

    check_ok(fixture_open(f, 0));
    return f;
}

/* ---- grace ----------------------------------------------------------------------------------- */

static void case_21_grace_keeps_a_window_open_to_the_millisecond(void)
{
    struct fixture *f = tumbling(TN_WINDOW_FINAL, 5, 0);

    check_eq(push(f, 9, "a"), TN_WINDOW_TAKEN);
    check_eq(push(f, 14, "b"), TN_WINDOW_TAKEN); /* watermark 13 = 10 - 1 + 5 - 1 */
    check_eq(push(f, 0, "a"), TN_WINDOW_TAKEN);
    check_out(f, "");
    check_eq(push(f, 15, "b"), TN_WINDOW_TAKEN); /* watermark 14 = 10 - 1 + 5 */
    check_out(f, "0..10 a: 2\n");
    check_eq(push(f, 9, "a"), TN_WINDOW_LATE);
    check_finish(f, "10..20 b: 2\n");
    fixture_close(f);
}

static void case_23_with_changes_each_row_in_grace_says_the_whole_window_anew(void)
{
    struct fixture *f = tumbling(TN_WINDOW_CHANGES, 100, 0);

    check_eq(push(f, 1, "a"), TN_WINDOW_TAKEN);
    check_eq(push(f, 2, "b"), TN_WINDOW_TAKEN);
    check_eq(push(f, 10, "a"), TN_WINDOW_TAKEN);
    check_out(f, "+0..10 a: 1\n+0..10 b: 1\n");
    check_eq(push(f, 3, "b"), TN_WINDOW_TAKEN);
    check_out(f, "+0..10 b: 2\n");
    check_eq(push(f, 4, "b"), TN_WINDOW_TAKEN);
    check_out(f, "+0..10 b: 3\n");
    check_eq(push(f, 11, "a"), TN_WINDOW_TAKEN); /* not over: says nothing */
    check_out(f, "");
    check_finish(f, "+10..20 a: 2\n");
    fixture_close(f);
}

static void case_23_with_changes_a_row_says_anew_each_window_that_it_is_in(void)
{
    struct fixture *f = fixture_new(&(struct tn_window_options){
        .every_ms = 10,
        .slide_ms = 4,
        .grace_ms = 4,
        .mode = TN_WINDOW_CHANGES,
        .key_count = 1,
        .aggregates = all_kinds,
        .aggregate_count = KIND_COUNT,
    });

    check_ok(fixture_open(f, 0));
    check_eq(push_values(f, 1, "a", "1", "p"), TN_WINDOW_TAKEN);
    check_eq(push_values(f, 11, "a", "2", "q"), TN_WINDOW_TAKEN);
    check_out(f, "+-8..2 a: 1,1,1,1,1,1,p,p,1\n"
                 "+-4..6 a: 1,1,1,1,1,1,p,p,1\n"
                 "+0..10 a: 1,1,1,1,1,1,p,p,1\n");
    /* -4..6 closed at watermark 9; 0..10 has spoken, 4..14 and 8..18 have not */
    check_eq(push_values(f, 5, "a", "3", "r"), TN_WINDOW_TAKEN);
    check_out(f, "+0..10 a: 2,2,4,1,3,2,p,r,2\n");
    check_eq(push_values(f, 5, "b", "3", "r"), TN_WINDOW_TAKEN);
    check_out(f, "+0..10 b: 1,1,3,3,3,3,r,r,1\n");
    check_finish(f, "+4..14 a: 2,2,5,2,3,2.5,r,q,2\n"
                    "+4..14 b: 1,1,3,3,3,3,r,r,1\n"
                    "+8..18 a: 1,1,2,2,2,2,q,q,1\n");
    fixture_close(f);
}

static void case_24_the_state_of_a_window_goes_when_grace_ends(void)
{
    struct fixture *f = tumbling(TN_WINDOW_CHANGES, 5, 0);

    check_eq(push(f, 9, "a"), TN_WINDOW_TAKEN);
    check_eq(push(f, 10, "b"), TN_WINDOW_TAKEN);
    check_out(f, "+0..10 a: 1\n");
    check_eq(push(f, 14, "b"), TN_WINDOW_TAKEN); /* watermark 13: one to go */
    check_eq(counts_of(f).open_count, 2);
    check_eq(push(f, 15, "b"), TN_WINDOW_TAKEN);
    check_eq(counts_of(f).open_count, 1);
    check_eq(table_count(f), TABLES_AT_FIRST + 1);
    check_eq(push(f, 9, "a"), TN_WINDOW_LATE);
    check_finish(f, "+10..20 b: 3\n");
    fixture_close(f);
}

static void case_28_a_window_born_behind_the_watermark_speaks_at_once(void)
{
    struct fixture *f = tumbling(TN_WINDOW_CHANGES, 100, 0);

    check_eq(push(f, 50, "a"), TN_WINDOW_TAKEN);
    check_eq(push(f, 5, "a"), TN_WINDOW_TAKEN);
    check_out(f, "+0..10 a: 1\n");
    check_finish(f, "+50..60 a: 1\n");
    fixture_close(f);

    f = tumbling(TN_WINDOW_FINAL, 100, 0); /* it will speak when it closes, not never */
    check_eq(push(f, 50, "a"), TN_WINDOW_TAKEN);
    check_eq(push(f, 5, "a"), TN_WINDOW_TAKEN);
    check_out(f, "");
    check_eq(push(f, 110, "a"), TN_WINDOW_TAKEN);
    check_out(f, "0..10 a: 1\n");
    check_finish(f, "50..60 a: 1\n110..120 a: 1\n");
    fixture_close(f);
}

static void case_26_with_changes_and_prints_windows_without_rows_say_nothing(void)
{
    struct fixture *f = tumbling(TN_WINDOW_EVERY, 0, 10);

    check_eq(push(f, 5, "a"), TN_WINDOW_TAKEN);
    check_eq(push(f, 1000005, "a"), TN_WINDOW_TAKEN);
    check_out(f, "+0..10 a: 1\n+1000000..1000010 a: 1\n");
    check_finish(f, "");
    fixture_close(f);
}

/* ---- prints ---------------------------------------------------------------------------------- */

static void with_every_what_has_changed_comes_at_multiples_of_the_time(void)
{
    struct fixture *f = tumbling(TN_WINDOW_EVERY, 0, 4);

    check_eq(push(f, 1, "b"), TN_WINDOW_TAKEN);
    check_eq(push(f, 3, "a"), TN_WINDOW_TAKEN);
    check_out(f, "");
    check_eq(push(f, 4, "a"), TN_WINDOW_TAKEN); /* all before 4 is there */
    check_out(f, "+0..10 a: 2\n+0..10 b: 1\n");
    check_eq(push(f, 5, "a"), TN_WINDOW_TAKEN);
    check_eq(push(f, 8, "a"), TN_WINDOW_TAKEN);
    check_out(f, "+0..10 a: 4\n");
    check_eq(push(f, 9, "b"), TN_WINDOW_TAKEN);
    check_eq(push(f, 11, "b"), TN_WINDOW_TAKEN); /* 0..10 has closed, its change waits for 12 */
    check_out(f, "");
    check_eq(push(f, 5, "b"), TN_WINDOW_LATE);
    check_eq(push(f, 12, "c"), TN_WINDOW_TAKEN);
    check_out(f, "+0..10 b: 2\n+10..20 b: 1\n+10..20 c: 1\n");
    check_eq(push(f, 17, "c"), TN_WINDOW_TAKEN);
    check_out(f, "+10..20 c: 2\n");
    check_finish(f, "");
    fixture_close(f);
}

static void with_every_a_closed_window_says_what_it_was_and_not_what_came_later(void)
{
    struct fixture *f = fixture_new(&(struct tn_window_options){
        .every_ms = 10,
        .slide_ms = 5,
        .mode = TN_WINDOW_EVERY,
        .print_ms = 100,
        .key_count = 1,
        .aggregates = count_rows,
        .aggregate_count = 1,
    });

    check_ok(fixture_open(f, 0));
    check_eq(push(f, 1, "a"), TN_WINDOW_TAKEN);
    check_eq(push(f, 6, "a"), TN_WINDOW_TAKEN); /* closes -5..5 */
    check_eq(push(f, 2, "a"), TN_WINDOW_TAKEN); /* for 0..10 only */
    check_out(f, "");
    check_finish(f, "+-5..5 a: 1\n+0..10 a: 3\n+5..15 a: 1\n");
    fixture_close(f);
}

static void with_every_before_1970_prints_come_at_multiples_too(void)
{
    struct fixture *f = tumbling(TN_WINDOW_EVERY, 0, 10);

    check_eq(push(f, -25, "a"), TN_WINDOW_TAKEN);
    check_eq(push(f, -21, "a"), TN_WINDOW_TAKEN);
    check_out(f, "");
    check_eq(push(f, -20, "a"), TN_WINDOW_TAKEN);
    check_out(f, "+-30..-20 a: 2\n+-20..-10 a: 1\n");
    check_eq(push(f, -11, "a"), TN_WINDOW_TAKEN);
    check_out(f, "");
    check_eq(push(f, 0, "a"), TN_WINDOW_TAKEN);
    check_out(f, "+-20..-10 a: 2\n+0..10 a: 1\n");
    check_finish(f, "");
    fixture_close(f);
}

/* ---- too far ahead --------------------------------------------------------------------------- */

static void case_20_a_row_too_far_ahead_is_bad_and_moves_no_watermark(void)
{
    struct fixture *f = fixture_new(&(struct tn_window_options){
        .every_ms = 10,
        .late_ms = 5,
        .max_ahead_ms = 100,
        .key_count = 1,
        .aggregates = count_rows,
        .aggregate_count = 1,
    });

    check_ok(fixture_open(f, 0));
    check_eq(push(f, 1000, "a"), TN_WINDOW_TAKEN); /* the first: there is nothing to be ahead of */
    check_eq(counts_of(f).watermark_ms, 994);
    check_eq(push(f, 1095, "b"), TN_WINDOW_BAD);
    check_text(tn_window_reason(f->window), "time: too far ahead of the rows before it: 1095 ms");
    check_eq(push(f, INT64_MAX, "b"), TN_WINDOW_BAD);
    check_eq(counts_of(f).watermark_ms, 994);
    check_eq(push(f, 1094, "c"), TN_WINDOW_TAKEN);
    check_eq(counts_of(f).watermark_ms, 1088);
    check_eq(counts_of(f).bad_count, 2);
    check_finish(f, "1000..1010 a: 1\n1090..1100 c: 1\n");
    fixture_close(f);
}

static void case_20_without_a_limit_a_row_far_ahead_makes_the_others_late(void)
{
    struct fixture *f = tumbling(TN_WINDOW_FINAL, 0, 0);

    check_eq(push(f, 5, "a"), TN_WINDOW_TAKEN);
    check_eq(push(f, INT64_C(4070908800000), "b"), TN_WINDOW_TAKEN); /* 2099 */
    check_out(f, "0..10 a: 1\n");
    check_eq(push(f, 15, "a"), TN_WINDOW_LATE);
    check_eq(counts_of(f).late_count, 1);
    check_finish(f, "4070908800000..4070908800010 b: 1\n");
    fixture_close(f);
}

/* ---- going on -------------------------------------------------------------------------------- */

static void case_31_what_has_been_said_is_not_said_again_and_the_rest_is(void)
{
    struct fixture *f = tumbling(TN_WINDOW_FINAL, 0, 0);

    check_eq(push(f, 5, "a"), TN_WINDOW_TAKEN);
    check_eq(push(f, 15, "a"), TN_WINDOW_TAKEN);
    check_out(f, "0..10 a: 1\n");
    fixture_reopen(f);
    check_out(f, "");
    check_eq(push(f, 16, "b"), TN_WINDOW_TAKEN);
    fixture_reopen(f);
    check_finish(f, "10..20 a: 1\n10..20 b: 1\n");
    fixture_reopen(f);
    check_finish(f, "");
    fixture_close(f);
}

static void case_32_the_watermark_is_where_it_was_so_that_late_stays_late(void)
{
    struct fixture *f = tumbling(TN_WINDOW_FINAL, 0, 0);
    struct tn_window_counts before, after;

    check_eq(push(f, 25, "a"), TN_WINDOW_TAKEN);
    check_eq(push(f, 5, "a"), TN_WINDOW_LATE);
    before = counts_of(f);
    fixture_reopen(f);
    after = counts_of(f);
    check(memcmp(&before, &after, sizeof before) == 0);
    check_eq(push(f, 5, "a"), TN_WINDOW_LATE);
    check_eq(push(f, 24, "a"), TN_WINDOW_TAKEN);
    check_finish(f, "20..30 a: 2\n");
    fixture_close(f);
}

static void case_33_time_that_passes_outside_makes_nothing_due(void)
{
    struct fixture *f = tumbling(TN_WINDOW_EVERY, 0, 10);

    check_eq(push(f, 5, "a"), TN_WINDOW_TAKEN);
    fixture_reopen(f); /* whenever that is: there are no timers but those of event time */
    check_out(f, "");
    check_ok(tn_window_advance(f->window, 8));
    check_out(f, "");
    check_ok(tn_window_advance(f->window, 9)); /* overdue or not, now it goes off */
    check_out(f, "+0..10 a: 1\n");
    fixture_close(f);
}

static void state_that_is_not_ours_is_refused(void)
{
    struct fixture *f = tumbling(TN_WINDOW_FINAL, 0, 0);
    tarn_table *state;
    struct tn_window *window;

    check_ok(tn_window_save(f->window));
    check_ok(tarn_table_open(&state, f->store, "window state", NULL));
    check_ok(tarn_put(state, "operator", 8, "short", 5));
    check_eq(tn_window_open(&window, f->store, &f->memory, &f->options, write_down, f),
             TARN_E_CORRUPT);
    check(window == NULL);
    check_ok(tarn_table_close(state));
    fixture_close(f);
}

static const struct test tests[] = {
    T(case_21_grace_keeps_a_window_open_to_the_millisecond),
    T(case_23_with_changes_each_row_in_grace_says_the_whole_window_anew),
    T(case_23_with_changes_a_row_says_anew_each_window_that_it_is_in),
    T(case_24_the_state_of_a_window_goes_when_grace_ends),
    T(case_28_a_window_born_behind_the_watermark_speaks_at_once),
    T(case_26_with_changes_and_prints_windows_without_rows_say_nothing),
    T(with_every_what_has_changed_comes_at_multiples_of_the_time),
    T(with_every_a_closed_window_says_what_it_was_and_not_what_came_later),
    T(with_every_before_1970_prints_come_at_multiples_too),
    T(case_20_a_row_too_far_ahead_is_bad_and_moves_no_watermark),
    T(case_20_without_a_limit_a_row_far_ahead_makes_the_others_late),
    T(case_31_what_has_been_said_is_not_said_again_and_the_rest_is),
    T(case_32_the_watermark_is_where_it_was_so_that_late_stays_late),
    T(case_33_time_that_passes_outside_makes_nothing_due),
    T(state_that_is_not_ours_is_refused),
};
TEST_MAIN(tests)
