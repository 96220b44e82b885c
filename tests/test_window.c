/*
 * test_window.c - the window operator: edge cases by their numbers (docs/WINDOWS.md), state, no
 * memory
 */
#include "window_fixture.h"

#define DAY_MS INT64_C(86400000)

/* ---- windows --------------------------------------------------------------------------------- */

static void case_01_an_event_at_the_end_belongs_to_the_next_window(void)
{
    struct fixture *f = counts(10, 0, 100);

    check_eq(push(f, 0, "a"), TN_WINDOW_TAKEN);
    check_eq(push(f, 9, "a"), TN_WINDOW_TAKEN);
    check_eq(push(f, 10, "a"), TN_WINDOW_TAKEN);
    check_finish(f, "0..10 a: 2\n10..20 a: 1\n");
    fixture_close(f);
}

static void case_02_negative_times_floor(void)
{
    struct fixture *f = counts(10, 0, 100);

    check_eq(push(f, -1, "minus 1"), TN_WINDOW_TAKEN);
    check_eq(push(f, -10, "minus size"), TN_WINDOW_TAKEN);
    check_eq(push(f, -11, "minus size minus 1"), TN_WINDOW_TAKEN);
    check_eq(push(f, -21, "minus 2 sizes minus 1"), TN_WINDOW_TAKEN);
    check_finish(f, "-30..-20 minus\\x202\\x20sizes\\x20minus\\x201: 1\n"
                    "-20..-10 minus\\x20size\\x20minus\\x201: 1\n"
                    "-10..0 minus\\x201: 1\n"
                    "-10..0 minus\\x20size: 1\n");
    fixture_close(f);
}

static void case_03_offsets_shift_windows_both_ways(void)
{
    struct fixture *f = counts(DAY_MS, -8 * 3600000, 2 * DAY_MS); /* days of UTC+8 */

    check_eq(push(f, 0, "a"), TN_WINDOW_TAKEN);
    check_eq(push(f, 16 * 3600000 - 1, "a"), TN_WINDOW_TAKEN);
    check_eq(push(f, 16 * 3600000, "b"), TN_WINDOW_TAKEN);
    check_eq(push(f, -8 * 3600000 - 1, "c"), TN_WINDOW_TAKEN);
    check_finish(f, "-115200000..-28800000 c: 1\n"
                    "-28800000..57600000 a: 2\n"
                    "57600000..144000000 b: 1\n");
    fixture_close(f);

    f = counts(10, 3, 100);
    check_eq(push(f, 2, "a"), TN_WINDOW_TAKEN);
    check_eq(push(f, 3, "a"), TN_WINDOW_TAKEN);
    check_eq(push(f, -8, "a"), TN_WINDOW_TAKEN);
    check_finish(f, "-17..-7 a: 1\n-7..3 a: 1\n3..13 a: 1\n");
    fixture_close(f);
}

static void case_03_an_offset_of_a_window_or_more_is_misuse(void)
{
    static const int64_t bad[][3] = { { 10, 10, 0 }, { 10, -10, 0 },      { 10, 11, 0 },
                                      { 0, 0, 0 },   { -1, 0, 0 },        { 10, INT64_MIN, 0 },
                                      { 10, 0, -1 }, { 1, INT64_MAX, 0 }, { INT64_MIN, 0, 0 } };

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct fixture *f = fixture_new(&(struct tn_window_options){
            .every_ms = bad[i][0], .offset_ms = bad[i][1], .late_ms = bad[i][2] });

        check_eq(fixture_open(f, 0), TARN_E_MISUSE);
        fixture_close(f);
    }
}

static void case_07_no_time_is_refused_and_the_ends_of_time_saturate(void)
{
    struct fixture *f = counts(1000, 0, 0);

    check_eq(push(f, INT64_MIN, "a"), TN_WINDOW_BAD);
    check_text(tn_window_reason(f->window), "time: out of range: -9223372036854775808 ms");
    check_eq(counts_of(f).watermark_ms, INT64_MIN);
    check_eq(push(f, INT64_MIN + 1, "a"), TN_WINDOW_TAKEN);
    check_eq(push(f, INT64_MIN + 2, "a"), TN_WINDOW_TAKEN);
    check_eq(push(f, INT64_MAX, "b"), TN_WINDOW_TAKEN);
    check_out(f, "-9223372036854775808..-9223372036854775000 a: 2\n");
    check_eq(push(f, INT64_MAX, "b"), TN_WINDOW_TAKEN); /* case 14 holds here too */
    check_eq(push(f, INT64_MAX - 807, "b"), TN_WINDOW_TAKEN);
    check_eq(push(f, INT64_MAX - 808, "b"), TN_WINDOW_LATE);
    check_finish(f, "9223372036854775000..9223372036854775807 b: 3\n");
    fixture_close(f);
}

static void case_07_windows_of_a_millisecond_and_of_all_time_work_at_the_ends(void)
{
    struct fixture *f = counts(1, 0, 0);

    check_eq(push(f, INT64_MAX - 1, "a"), TN_WINDOW_TAKEN);
    check_eq(push(f, INT64_MAX, "a"), TN_WINDOW_TAKEN);
    check_out(f, "9223372036854775806..9223372036854775807 a: 1\n");
    check_finish(f, "9223372036854775807..9223372036854775807 a: 1\n");
    fixture_close(f);

    f = counts(INT64_MAX, INT64_MAX - 1, INT64_MAX);
    check_eq(push(f, INT64_MIN + 1, "a"), TN_WINDOW_TAKEN);
    check_eq(push(f, -2, "a"), TN_WINDOW_TAKEN);
    check_eq(push(f, -1, "b"), TN_WINDOW_TAKEN);
    check_eq(push(f, INT64_MAX - 2, "b"), TN_WINDOW_TAKEN);
    check_eq(push(f, INT64_MAX - 1, "c"), TN_WINDOW_TAKEN);
    check_eq(push(f, INT64_MAX, "c"), TN_WINDOW_TAKEN);
    check_finish(f, "-9223372036854775808..-1 a: 2\n"
                    "-1..9223372036854775806 b: 2\n"
                    "9223372036854775806..9223372036854775807 c: 2\n");
    fixture_close(f);
}

static void case_08_times_are_milliseconds_and_a_day_begins_at_midnight_utc(void)
{
    struct fixture *f = counts(DAY_MS, 0, 0);

    check_eq(push(f, INT64_C(1442015999999), "a"), TN_WINDOW_TAKEN); /* 2015-09-11T23:59:59.999 */
    check_eq(push(f, INT64_C(1442016000000), "a"), TN_WINDOW_TAKEN);
    check_finish(f, "1441929600000..1442016000000 a: 1\n1442016000000..1442102400000 a: 1\n");
    fixture_close(f);
}

/* ---- watermark, late, firing ----------------------------------------------------------------- */

static void case_13_a_window_fires_when_the_greatest_time_is_end_plus_bound(void)
{
    struct fixture *f = counts(10, 0, 5);

    check_eq(push(f, 3, "a"), TN_WINDOW_TAKEN);
    check_eq(push(f, 14, "a"), TN_WINDOW_TAKEN);
    check_eq(counts_of(f).watermark_ms, 8);
    check_out(f, "");
    check_eq(push(f, 15, "a"), TN_WINDOW_TAKEN);
    check_eq(counts_of(f).watermark_ms, 9);
    check_out(f, "0..10 a: 1\n");
    fixture_close(f);
}

static void case_14_with_bound_0_a_time_equal_to_the_greatest_is_never_late(void)
{
    struct fixture *f = counts(1, 0, 0);

    for (int i = 0; i < 3; i++)
        check_eq(push(f, 41, "a"), TN_WINDOW_TAKEN);
    check_eq(push(f, 40, "a"), TN_WINDOW_LATE);
    check_finish(f, "41..42 a: 3\n");
    fixture_close(f);
}

static void case_15_an_older_row_moves_no_watermark_and_nothing_fires_twice(void)
{
    struct fixture *f = counts(10, 0, 5);

    check_eq(push(f, 100, "a"), TN_WINDOW_TAKEN);
    check_eq(push(f, 96, "a"), TN_WINDOW_TAKEN);
    check_eq(counts_of(f).watermark_ms, 94);
    check_out(f, "");
    check_eq(push(f, 105, "a"), TN_WINDOW_TAKEN);
    check_out(f, "90..100 a: 1\n");
    check_eq(push(f, 99, "a"), TN_WINDOW_LATE);
    check_eq(push(f, 106, "a"), TN_WINDOW_TAKEN);
    check_finish(f, "100..110 a: 3\n");
    fixture_close(f);
}

static void case_18_the_end_of_input_flushes_all_windows_once(void)
{
    struct fixture *f = counts(10, 0, 1000);

    check_eq(push(f, 25, "a"), TN_WINDOW_TAKEN);
    check_eq(push(f, 5, "a"), TN_WINDOW_TAKEN);
    check_finish(f, "0..10 a: 1\n20..30 a: 1\n");
    check_eq(counts_of(f).watermark_ms, INT64_MAX);
    check_eq(counts_of(f).open_count, 0);
    check_finish(f, "");
    check_eq(push(f, INT64_MAX, "a"), TN_WINDOW_LATE);
    check_finish(f, "");
    fixture_close(f);
}

static void case_18_the_end_of_an_empty_input_emits_nothing(void)
{
    struct fixture *f = counts(10, 0, 0);

    check_finish(f, "");
    fixture_close(f);
}

static void case_19_the_watermark_advances_after_each_row(void)
{
    struct fixture *f = counts(10, 0, 0);

    check_eq(push(f, 5, "a"), TN_WINDOW_TAKEN);
    check_eq(push(f, 10, "a"), TN_WINDOW_TAKEN); /* the row that moves it is not judged by it */
    check_out(f, "0..10 a: 1\n");
    check_eq(push(f, 9, "a"), TN_WINDOW_LATE); /* the very next one is */
    check_eq(push(f, 1000, "a"), TN_WINDOW_TAKEN);
    check_out(f, "10..20 a: 1\n");
    check_eq(counts_of(f).taken_count, 3);
    check_eq(counts_of(f).late_count, 1);
    check_eq(counts_of(f).emitted_count, 2);
    fixture_close(f);
}

static void case_21_a_row_is_late_when_the_last_millisecond_of_its_window_is_passed(void)
{
    struct fixture *f = counts(10, 0, 0);

    check_eq(push(f, 9, "a"), TN_WINDOW_TAKEN);
    check_eq(counts_of(f).watermark_ms, 8); /* end - 2 */
    check_eq(push(f, 0, "a"), TN_WINDOW_TAKEN);
    check_eq(push(f, 10, "b"), TN_WINDOW_TAKEN);
    check_eq(counts_of(f).watermark_ms, 9); /* end - 1 */
    check_eq(push(f, 9, "a"), TN_WINDOW_LATE);
    check_finish(f, "0..10 a: 2\n10..20 b: 1\n");
    fixture_close(f);
}

static void a_late_row_changes_nothing_and_opens_no_window(void)
{
    struct fixture *f = counts(10, 0, 0);

    check_eq(push(f, 100, "a"), TN_WINDOW_TAKEN);
    check_eq(push(f, 5, "a"), TN_WINDOW_LATE);
    check_eq(counts_of(f).open_count, 1);
    check_eq(table_count(f), TABLES_AT_FIRST + 1);
    check_eq(counts_of(f).watermark_ms, 99);
    check_finish(f, "100..110 a: 1\n");
    fixture_close(f);
}

static void case_25_a_result_at_its_last_millisecond_falls_into_the_same_window_again(void)
{
    struct fixture *first = counts(10, 3, 0);
    struct fixture *second = counts(10, 3, 0);

    check_eq(push(first, 7, "a"), TN_WINDOW_TAKEN);
    check_finish(first, "3..13 a: 1\n");
    check_eq(push(second, 13 - 1, "a"), TN_WINDOW_TAKEN);
    check_finish(second, "3..13 a: 1\n");
    fixture_close(first);
    fixture_close(second);
}

static void case_26_windows_without_rows_emit_nothing(void)
{
    struct fixture *f = counts(10, 0, 0);

    check_eq(push(f, 0, "a"), TN_WINDOW_TAKEN);
    check_eq(push(f, INT64_C(1000000000000), "b"), TN_WINDOW_TAKEN);
    check_eq(counts_of(f).open_count, 1);
    check_finish(f, "0..10 a: 1\n1000000000000..1000000000010 b: 1\n");
    fixture_close(f);
}

static void case_27_rows_come_by_end_and_then_by_key_bytes(void)
{
    static const char *const keys[] = { "b", "a\xFF", "a", "B", "\xC3\xA4", "ab", "", "aa" };
    struct fixture *f = counts(10, 0, 100);

    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        check_eq(push(f, 15, keys[i]), TN_WINDOW_TAKEN);
        if (i < 2)
            check_eq(push(f, 5, keys[i]), TN_WINDOW_TAKEN);
    }
    check_finish(f, "0..10 a\\xff: 1\n0..10 b: 1\n"
                    "10..20 : 1\n10..20 B: 1\n10..20 a: 1\n10..20 aa: 1\n10..20 ab: 1\n"
                    "10..20 a\\xff: 1\n10..20 b: 1\n10..20 \\xc3\\xa4: 1\n");
    fixture_close(f);
}

static void case_27_several_fields_sort_one_by_one(void)
{
    static const char *const keys[][2] = { { "a", "z" }, { "a!", "a" }, { "a", "" }, { "", "a" } };
    static const tarn_bytes with_zero[2] = { { .data = "a\0", .bytes = 2 },
                                             { .data = "", .bytes = 0 } };
    struct fixture *f = everything(2);

    f->options.aggregate_count = 1; /* write down the count only */
    check_eq(push_fields(f, 1, with_zero, bytes_of(""), bytes_of("")), TN_WINDOW_TAKEN);
    for (size_t i = 0; i < 4; i++) {
        tarn_bytes fields[2] = { bytes_of(keys[i][0]), bytes_of(keys[i][1]) };

        check_eq(push_fields(f, 1, fields, bytes_of(""), bytes_of("")), TN_WINDOW_TAKEN);
    }
    check_finish(f, "0..10 ,a: 1\n0..10 a,: 1\n0..10 a,z: 1\n0..10 a\\x00,: 1\n0..10 a!,a: 1\n");
    fixture_close(f);
}

/* ---- values ---------------------------------------------------------------------------------- */

static void case_29_empty_arguments_are_counted_as_rows_and_skipped_otherwise(void)
{
    struct fixture *f = everything(1);

    check_eq(push_values(f, 1, "none", "", ""), TN_WINDOW_TAKEN);
    check_eq(push_values(f, 2, "some", "", ""), TN_WINDOW_TAKEN);
    check_eq(push_values(f, 3, "some", "1.50", "p"), TN_WINDOW_TAKEN);
    check_eq(push_values(f, 3, "some", "-0", "q"), TN_WINDOW_TAKEN);
    check_finish(f, "0..10 none: 1,0,-,-,-,-,-,-,-\n"
                    "0..10 some: 3,2,1.5,0,1.5,0.75,p,q,2\n");
    fixture_close(f);
}

static void case_29_a_sum_out_of_range_ends_the_run(void)
{
    struct fixture *f = everything(1);

    check_eq(push_values(f, 1, "a", "17e37", "p"), TN_WINDOW_TAKEN);
    check_eq(push_values(f, 2, "a", "1e37", "p"), TN_WINDOW_OVERFLOW);
    check_text(tn_window_reason(f->window),
               "sum(x): the sum leaves 128 bits when it takes: \"1e37\"");
    check_eq(push_values(f, 2, "a", "1", "p"), TN_WINDOW_OVERFLOW);
    check_eq(tn_window_finish(f->window), TN_WINDOW_OVERFLOW);
    check(strstr(tn_window_reason(f->window), "sum(x)") != NULL);
    check_out(f, "");
    fixture_close(f);
}

static void first_and_last_go_by_event_time_and_ties_by_arrival(void)
{
    struct fixture *f = everything(1);

    check_eq(push_values(f, 5, "a", "", "middle, first to come"), TN_WINDOW_TAKEN);
    check_eq(push_values(f, 3, "a", "", "E1"), TN_WINDOW_TAKEN);
    check_eq(push_values(f, 3, "a", "", "E2"), TN_WINDOW_TAKEN);
    check_eq(push_values(f, 7, "a", "", "L1, and longer than the one that follows"),
             TN_WINDOW_TAKEN);
    check_eq(push_values(f, 7, "a", "", "L2"), TN_WINDOW_TAKEN);
    check_eq(push_values(f, 4, "a", "", "middle"), TN_WINDOW_TAKEN);
    check_finish(f, "0..10 a: 6,0,-,-,-,-,E1,L2,6\n");
    fixture_close(f);
}

static void texts_of_groups_and_windows_do_not_mix(void)
{
    struct fixture *f = everything(1);

    check_eq(push_values(f, 1, "a", "", "p"), TN_WINDOW_TAKEN);
    check_eq(push_values(f, 1, "b", "", "q"), TN_WINDOW_TAKEN);
    check_eq(push_values(f, 2, "a", "", "p"), TN_WINDOW_TAKEN);
    check_eq(push_values(f, 2, "b", "", "p"), TN_WINDOW_TAKEN);
    check_eq(push_values(f, 11, "a", "", "r"), TN_WINDOW_TAKEN);
    check_finish(f, "0..10 a: 2,0,-,-,-,-,p,p,1\n"
                    "0..10 b: 2,0,-,-,-,-,q,p,2\n"
                    "10..20 a: 1,0,-,-,-,-,r,r,1\n");
    fixture_close(f);
}

static void a_bad_row_changes_nothing_at_all(void)
{
    struct fixture *f = everything(1);

    check_eq(push_values(f, 5, "a", "abc", "p"), TN_WINDOW_BAD);
    check_text(tn_window_reason(f->window), "sum(x): not a number: \"abc\"");
    check_eq(counts_of(f).watermark_ms, INT64_MIN);
    check_eq(counts_of(f).open_count, 0);
    check_eq(table_count(f), TABLES_AT_FIRST);
    check_eq(push_values(f, 5, "a", "1", "p"), TN_WINDOW_TAKEN);
    check_eq(push_values(f, 9, "a", "1e99", "q"), TN_WINDOW_BAD);
    check_eq(push_values(f, 1000, "a", "1..2", "q"), TN_WINDOW_BAD);
    check_eq(push_values(f, -1000, "b", "x", "q"), TN_WINDOW_BAD); /* bad before late (W5) */
    check_eq(counts_of(f).watermark_ms, 4);
    check_eq(counts_of(f).bad_count, 4);
    check_finish(f, "0..10 a: 1,1,1,1,1,1,p,p,1\n");
    fixture_close(f);
}

static void numbers_are_read_only_where_an_aggregate_needs_them(void)
{
    struct fixture *f = counts(10, 0, 0);

    check_eq(push_values(f, 5, "a", "abc", "p"), TN_WINDOW_TAKEN);
    check_finish(f, "0..10 a: 1\n");
    fixture_close(f);
}

static void a_key_too_long_is_bad_and_the_longest_is_not(void)
{
    struct fixture *f = counts(10, 0, 0);
    tarn_bytes key = { .bytes = TARN_KEY_BYTES_MAX };
    char *bytes = malloc(TARN_KEY_BYTES_MAX + 1);

    memset(bytes, 'k', TARN_KEY_BYTES_MAX + 1);
    key.data = bytes;
    check_eq(push_fields(f, 5, &key, bytes_of(""), bytes_of("")), TN_WINDOW_TAKEN);
    key.bytes++;
    check_eq(push_fields(f, 5, &key, bytes_of(""), bytes_of("")), TN_WINDOW_BAD);
    check(strstr(tn_window_reason(f->window), "group key: too long: at most 65535 bytes") != NULL);
    check_ok(tn_window_finish(f->window));
    check(strstr(f->out.text, "kkk: 1\n") != NULL);
    check_eq(f->out.count, 1);
    fixture_close(f);

    f = everything(2);
    {
        tarn_bytes fields[2] = { { .data = bytes, .bytes = TARN_KEY_BYTES_MAX - 3 },
                                 bytes_of("x") };

        check_eq(push_fields(f, 5, fields, bytes_of(""), bytes_of("")), TN_WINDOW_TAKEN);
        fields[1] = bytes_of("xy");
        check_eq(push_fields(f, 5, fields, bytes_of(""), bytes_of("")), TN_WINDOW_BAD);
    }
    fixture_close(f);
    free(bytes);
}

static void no_key_is_one_group(void)
{
    struct fixture *f = everything(0);

    check_eq(push_fields(f, 5, NULL, bytes_of("1"), bytes_of("p")), TN_WINDOW_TAKEN);
    check_eq(push_fields(f, 6, NULL, bytes_of("2"), bytes_of("q")), TN_WINDOW_TAKEN);
    check_finish(f, "0..10: 2,2,3,1,2,1.5,p,q,2\n");
    fixture_close(f);
}

static void no_aggregates_list_the_groups(void)
{
    struct fixture *f = fixture_new(&(struct tn_window_options){ .every_ms = 10, .key_count = 1 });

    check_ok(fixture_open(f, 0));
    check_eq(push(f, 5, "b"), TN_WINDOW_TAKEN);
    check_eq(push(f, 5, "a"), TN_WINDOW_TAKEN);
    check_eq(push(f, 6, "b"), TN_WINDOW_TAKEN);
    check_finish(f, "0..10 a\n0..10 b\n");
    fixture_close(f);
}

/* ---- state ----------------------------------------------------------------------------------- */

static void the_tables_of_a_window_go_when_it_fires(void)
{
    struct fixture *f = everything(1);

    check_eq(push_values(f, 5, "a", "1", "p"), TN_WINDOW_TAKEN);
    check_eq(table_count(f), TABLES_AT_FIRST + 2);
    check_eq(push_values(f, 10, "a", "1", "p"), TN_WINDOW_TAKEN);
    check_eq(table_count(f), TABLES_AT_FIRST + 2);
    check_eq(counts_of(f).open_count, 1);
    check_ok(tn_window_finish(f->window));
    check_eq(table_count(f), TABLES_AT_FIRST);
    fixture_close(f);
}

static void closing_without_finish_drops_open_windows_unseen(void)
{
    struct fixture *f = everything(1);

    check_eq(push_values(f, 5, "a", "1", "p"), TN_WINDOW_TAKEN);
    check_out(f, "");
    fixture_close(f); /* checks that no table is left */
}

static void an_error_of_the_store_passes_through_and_stops_the_run(void)
{
    const tarn_table_options unordered = { .kind = TARN_UNORDERED };
    struct fixture *f = counts(10, 0, 0);
    tarn_table *table;

    check_ok(tarn_table_open(&table, f->store, "window slice 0 0", &unordered));
    check_ok(tarn_put(table, "a", 1, "xyz", 3));
    check_eq(push(f, 5, "a"), TARN_E_TYPE);
    check_eq(push(f, 5, "b"), TARN_E_TYPE); /* W6 */
    check_eq(tn_window_finish(f->window), TARN_E_TYPE);
    check_out(f, "");
    check_ok(tarn_table_close(table));
    fixture_close(f);
}

static void emit_can_stop_the_run(void)
{
    struct fixture *f = counts(10, 0, 0);

    f->stop_after = 1;
    check_eq(push(f, 5, "a"), TN_WINDOW_TAKEN);
    check_eq(push(f, 5, "b"), TN_WINDOW_TAKEN);
    check_eq(push(f, 10, "c"), STOPPED);
    check_eq(push(f, 11, "c"), STOPPED);
    check_eq(tn_window_finish(f->window), STOPPED);
    check_out(f, "0..10 a: 1\n");
    fixture_close(f);
}

/* Keys that begin alike, so that only their ends tell them apart; some end where others go on. */
static void many_groups_come_in_order(void)
{
    enum { GROUP_COUNT = 100000 };
    struct fixture *f = counts(10, 0, 0);
    uint64_t random = test_seed();
    uint64_t rows_seen = 0;
    const char *before = "";
    size_t seen = 0;

    for (int i = 0; i < 2 * GROUP_COUNT; i++) {
        char key[64];

        snprintf(key, sizeof key, "a-long-common-beginning-%" PRIx64,
                 test_random(&random) % GROUP_COUNT);
        if (push(f, 5, key) != TN_WINDOW_TAKEN)
            check(false);
    }
    check_ok(tn_window_finish(f->window));
    for (char *line = strtok(f->out.text, "\n"); line != NULL; line = strtok(NULL, "\n"), seen++) {
        char *key = line + strlen("0..10 ");
        char *end = strchr(key, ':');

        *end = '\0';
        rows_seen += strtoull(end + 1, NULL, 10);
        if (strcmp(before, key) >= 0)
            test_fail(__FILE__, __LINE__, "%s is followed by %s", before, key);
        before = key;
    }
    check_eq(seen, f->out.count);
    check_eq(rows_seen, 2 * GROUP_COUNT);
    check(seen > GROUP_COUNT / 2);
    fixture_close(f);
}

static void thousands_of_windows_may_be_open(void)
{
    enum { WINDOW_COUNT = 4096 };
    struct fixture *f = counts(10, 0, INT64_C(1) << 40);
    int64_t before = -1;
    const char *at;
    size_t seen = 0;

    for (int64_t i = 0; i < 2 * WINDOW_COUNT; i++) /* an odd factor: each number twice, far apart */
        check_eq(push(f, i * 1597 % WINDOW_COUNT * 10 + 3, "a"), TN_WINDOW_TAKEN);
    check_eq(counts_of(f).open_count, WINDOW_COUNT);
    check_ok(tn_window_finish(f->window));
    for (at = f->out.text; *at != '\0'; at = strchr(at, '\n') + 1, seen++) {
        int64_t start = strtoll(at, NULL, 10);

        check(start > before);
        check(strncmp(strchr(at, ' '), " a: 2\n", 6) == 0);
        before = start;
    }
    check_eq(seen, WINDOW_COUNT);
    fixture_close(f);
}

/* ---- no memory ------------------------------------------------------------------------------- */

/* A run that needs memory in all the ways there are. The first answer that is a failure, or 0. */
static int run_through_memory(struct fixture *f)
{
    int result = fixture_open(f, 0);

    for (int64_t i = 0; i < 300 && result == TARN_OK; i++) {
        char key[32];
        char text[128];

        snprintf(key, sizeof key, "key %d", (int)(i % 37));
        snprintf(text, sizeof text, "%0*d", 1 + (int)(i % 100), (int)i);
        result = push_values(f, i / 4, key, "12.5", text);
        check(result == TN_WINDOW_TAKEN || result == TARN_E_MEMORY);
    }
    if (result == TARN_OK)
        result = tn_window_finish(f->window);
    if (result != TARN_OK && f->window != NULL)
        check_eq(tn_window_finish(f->window), result); /* W6 */
    return result;
}

static struct fixture *fixture_for_memory(void)
{
    return fixture_new(&(struct tn_window_options){
        .every_ms = 20,
        .key_count = 1,
        .aggregates = all_kinds,
        .aggregate_count = KIND_COUNT,
    });
}

/*
 * Fail the n-th allocation, for every n there is; then that one and all behind it. The store may
 * get by without some of them: then the run must say what it says with all of them.
 */
static void no_memory_at_any_point_is_answered_and_leaks_nothing(void)
{
    struct fixture *whole = fixture_for_memory();
    uint64_t answered_count = 0;

    check_ok(run_through_memory(whole));
    for (int rest = 0; rest < 2; rest++) {
        for (uint64_t n = 1; n <= whole->allocator.call_count; n++) {
            struct fixture *f = fixture_for_memory();
            int result;

            f->allocator.fail_first = n;
            f->allocator.fail_last = rest ? UINT64_MAX : n;
            result = run_through_memory(f);
            check(result == TARN_OK || result == TARN_E_MEMORY);
            check(f->allocator.failed_count > 0);
            if (result == TARN_OK)
                check(strcmp(f->out.text, whole->out.text) == 0);
            else
                check(strncmp(f->out.text, whole->out.text, f->out.bytes) == 0);
            answered_count += result == TARN_E_MEMORY;
            fixture_close(f);
        }
    }
    check(answered_count > 20);
    fixture_close(whole);
}

static void a_full_store_is_answered_and_stops_the_run(void)
{
    struct fixture *f = fixture_new(&(struct tn_window_options){
        .every_ms = 1000,
        .key_count = 1,
        .aggregates = all_kinds,
        .aggregate_count = KIND_COUNT,
    });
    int result = TN_WINDOW_TAKEN;

    check_ok(fixture_open(f, 8 << 20));
    for (int i = 0; i < 1000000 && result == TN_WINDOW_TAKEN; i++) {
        char key[32];

        snprintf(key, sizeof key, "key %d", i);
        result = push_values(f, 5, key, "12.5", key);
    }
    check_eq(result, TARN_E_FULL);
    check_eq(push(f, 5, "another"), TARN_E_FULL);
    check_eq(tn_window_finish(f->window), TARN_E_FULL);
    check_eq(f->out.count, 0);
    fixture_close(f);
}

/* ---- a watermark from outside ---------------------------------------------------------------- */

static void a_given_watermark_alone_completes_windows(void)
{
    struct fixture *f = fixture_new(&(struct tn_window_options){
        .every_ms = 10,
        .key_count = 1,
        .aggregates = count_rows,
        .aggregate_count = 1,
        .watermark_is_given = true,
    });

    check_ok(fixture_open(f, 0));
    check_eq(push(f, 5, "a"), TN_WINDOW_TAKEN);
    check_eq(push(f, 1000, "a"), TN_WINDOW_TAKEN); /* another source's; moves nothing */
    check_eq(push(f, 6, "b"), TN_WINDOW_TAKEN);
    check_eq(counts_of(f).watermark_ms, INT64_MIN);
    check_out(f, "");
    check_ok(tn_window_advance(f->window, 8));
    check_out(f, "");
    check_ok(tn_window_advance(f->window, 9));
    check_out(f, "0..10 a: 1\n0..10 b: 1\n");
    check_eq(push(f, 9, "a"), TN_WINDOW_LATE);
    check_ok(tn_window_advance(f->window, 3)); /* never back */
    check_eq(counts_of(f).watermark_ms, 9);
    check_eq(push(f, 9, "a"), TN_WINDOW_LATE);
    check_finish(f, "1000..1010 a: 1\n");
    fixture_close(f);
}

static void an_operator_that_has_stopped_does_not_advance(void)
{
    struct fixture *f = counts(10, 0, 0);

    f->stop_after = 1;
    push(f, 5, "a");
    push(f, 5, "b");
    check_eq(tn_window_advance(f->window, 100), STOPPED);
    check_eq(tn_window_advance(f->window, 200), STOPPED);
    check_out(f, "0..10 a: 1\n");
    fixture_close(f);
}

static const struct test tests[] = {
    T(case_01_an_event_at_the_end_belongs_to_the_next_window),
    T(case_02_negative_times_floor),
    T(case_03_offsets_shift_windows_both_ways),
    T(case_03_an_offset_of_a_window_or_more_is_misuse),
    T(case_07_no_time_is_refused_and_the_ends_of_time_saturate),
    T(case_07_windows_of_a_millisecond_and_of_all_time_work_at_the_ends),
    T(case_08_times_are_milliseconds_and_a_day_begins_at_midnight_utc),
    T(case_13_a_window_fires_when_the_greatest_time_is_end_plus_bound),
    T(case_14_with_bound_0_a_time_equal_to_the_greatest_is_never_late),
    T(case_15_an_older_row_moves_no_watermark_and_nothing_fires_twice),
    T(case_18_the_end_of_input_flushes_all_windows_once),
    T(case_18_the_end_of_an_empty_input_emits_nothing),
    T(case_19_the_watermark_advances_after_each_row),
    T(case_21_a_row_is_late_when_the_last_millisecond_of_its_window_is_passed),
    T(a_late_row_changes_nothing_and_opens_no_window),
    T(case_25_a_result_at_its_last_millisecond_falls_into_the_same_window_again),
    T(case_26_windows_without_rows_emit_nothing),
    T(case_27_rows_come_by_end_and_then_by_key_bytes),
    T(case_27_several_fields_sort_one_by_one),
    T(case_29_empty_arguments_are_counted_as_rows_and_skipped_otherwise),
    T(case_29_a_sum_out_of_range_ends_the_run),
    T(first_and_last_go_by_event_time_and_ties_by_arrival),
    T(texts_of_groups_and_windows_do_not_mix),
    T(a_bad_row_changes_nothing_at_all),
    T(numbers_are_read_only_where_an_aggregate_needs_them),
    T(a_key_too_long_is_bad_and_the_longest_is_not),
    T(no_key_is_one_group),
    T(no_aggregates_list_the_groups),
    T(the_tables_of_a_window_go_when_it_fires),
    T(closing_without_finish_drops_open_windows_unseen),
    T(an_error_of_the_store_passes_through_and_stops_the_run),
    T(emit_can_stop_the_run),
    T(many_groups_come_in_order),
    T(thousands_of_windows_may_be_open),
    T(no_memory_at_any_point_is_answered_and_leaks_nothing),
    T(a_full_store_is_answered_and_stops_the_run),
    T(a_given_watermark_alone_completes_windows),
    T(an_operator_that_has_stopped_does_not_advance),
};
TEST_MAIN(tests)
