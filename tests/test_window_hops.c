/*
 * test_window_hops.c - windows that overlap, and windows with gaps between them
 */
#include "window_fixture.h"

#include "stream/clocked.h"

/* Rows counted in windows of `every` that begin each `slide`, by one key. */
static struct fixture *hops(int64_t every_ms, int64_t slide_ms, int64_t late_ms)
{
    struct fixture *f = fixture_new(&(struct tn_window_options){
        .every_ms = every_ms,
        .slide_ms = slide_ms,
        .late_ms = late_ms,
        .key_count = 1,
        .aggregates = count_rows,
        .aggregate_count = 1,
    });

    check_ok(fixture_open(f, 0));
    return f;
}

/* ---- which windows --------------------------------------------------------------------------- */

static void case_04_a_row_is_in_3_or_4_windows_of_10_that_slide_by_3(void)
{
    struct fixture *f = hops(10, 3, 0);

    check_eq(push(f, 9, "a"), TN_WINDOW_TAKEN);
    check_finish(f, "0..10 a: 1\n3..13 a: 1\n6..16 a: 1\n9..19 a: 1\n");
    fixture_close(f);

    f = hops(10, 3, 0);
    check_eq(push(f, 10, "a"), TN_WINDOW_TAKEN);
    check_finish(f, "3..13 a: 1\n6..16 a: 1\n9..19 a: 1\n");
    fixture_close(f);
}

static void case_04_a_row_between_windows_with_gaps_is_in_none_and_not_late(void)
{
    struct fixture *f = hops(3, 5, 0);

    check_eq(push(f, 2, "a"), TN_WINDOW_TAKEN);
    check_eq(push(f, 3, "a"), TN_WINDOW_OUTSIDE);
    check_out(f, "0..3 a: 1\n"); /* it moves the watermark */
    check_eq(push(f, 3, "a"), TN_WINDOW_OUTSIDE);
    check_eq(push(f, 2, "a"), TN_WINDOW_LATE);
    check_eq(push(f, 5, "a"), TN_WINDOW_TAKEN);
    check_eq(counts_of(f).outside_count, 2);
    check_eq(counts_of(f).late_count, 1);
    check_finish(f, "5..8 a: 1\n");
    fixture_close(f);
}

static void case_04_an_offset_counts_from_the_slide(void)
{
    struct fixture *f = fixture_new(&(struct tn_window_options){
        .every_ms = 10,
        .slide_ms = 5,
        .offset_ms = -2,
        .key_count = 1,
        .aggregates = count_rows,
        .aggregate_count = 1,
    });

    check_ok(fixture_open(f, 0));
    check_eq(push(f, 3, "a"), TN_WINDOW_TAKEN);
    check_finish(f, "-2..8 a: 1\n3..13 a: 1\n");
    fixture_close(f);
}

static void case_03_an_offset_of_a_slide_or_more_is_misuse(void)
{
    static const struct tn_window_options bad[] = {
        { .every_ms = 10, .slide_ms = 5, .offset_ms = 5 },
        { .every_ms = 10, .slide_ms = 5, .offset_ms = -5 },
        { .every_ms = 10, .slide_ms = -1 },
        { .gap_ms = 10, .every_ms = 5 },
        { .gap_ms = 10, .slide_ms = 5 },
        { .gap_ms = 10, .offset_ms = 5 },
        { .gap_ms = -1 },
        { .every_ms = 10, .grace_ms = -1 },
        { .every_ms = 10, .print_ms = 5 },
        { .every_ms = 10, .mode = TN_WINDOW_EVERY },
        { .every_ms = 10, .late_ms = 5, .max_ahead_ms = 5 },
    };

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct fixture *f = fixture_new(&bad[i]);

        check_eq(fixture_open(f, 0), TARN_E_MISUSE);
        fixture_close(f);
    }
}

static void case_05_a_slide_need_not_divide_the_length(void)
{
    struct fixture *f = hops(5, 3, 100);

    for (int64_t i = 0; i < 9; i++)
        check_eq(push(f, i, "a"), TN_WINDOW_TAKEN);
    check_finish(f, "-3..2 a: 2\n0..5 a: 5\n3..8 a: 5\n6..11 a: 3\n");
    fixture_close(f);
}

static void case_06_windows_may_begin_before_1970(void)
{
    struct fixture *f = hops(10, 5, 0);

    check_eq(push(f, 1, "a"), TN_WINDOW_TAKEN);
    check_eq(push(f, -1, "b"), TN_WINDOW_TAKEN); /* -5..5 is still open */
    check_finish(f, "-5..5 a: 1\n-5..5 b: 1\n0..10 a: 1\n");
    fixture_close(f);
}

static void case_07_windows_that_begin_before_time_or_end_behind_it_saturate(void)
{
    struct fixture *f = hops(10, 5, 0);

    check_eq(push(f, INT64_MIN + 1, "a"), TN_WINDOW_TAKEN);
    check_eq(push(f, INT64_MAX, "z"), TN_WINDOW_TAKEN);
    check_out(f, "-9223372036854775808..-9223372036854775805 a: 1\n"
                 "-9223372036854775808..-9223372036854775800 a: 1\n");
    check_finish(f, "9223372036854775800..9223372036854775807 z: 1\n"
                    "9223372036854775805..9223372036854775807 z: 1\n");
    fixture_close(f);
}

static void case_14_to_slide_by_the_length_is_to_tumble(void)
{
    struct fixture *f = hops(10, 10, 0);

    check_eq(push(f, 9, "a"), TN_WINDOW_TAKEN);
    check_eq(push(f, 10, "a"), TN_WINDOW_TAKEN);
    check_out(f, "0..10 a: 1\n");
    check_finish(f, "10..20 a: 1\n");
    fixture_close(f);
}

/* ---- late ------------------------------------------------------------------------------------ */

static void case_22_a_row_too_late_for_one_window_counts_in_those_still_open(void)
{
    struct fixture *f = hops(10, 5, 0);

    check_eq(push(f, 3, "a"), TN_WINDOW_TAKEN);
    check_eq(push(f, 6, "a"), TN_WINDOW_TAKEN);
    check_out(f, "-5..5 a: 1\n");
    check_eq(push(f, 4, "a"), TN_WINDOW_TAKEN); /* -5..5 has fired, 0..10 is open */
    check_eq(push(f, 11, "b"), TN_WINDOW_TAKEN);
    check_out(f, "0..10 a: 3\n");
    check_eq(push(f, 4, "a"), TN_WINDOW_LATE); /* for both */
    check_eq(push(f, 9, "a"), TN_WINDOW_TAKEN);
    check_finish(f, "5..15 a: 2\n5..15 b: 1\n10..20 b: 1\n");
    check_eq(counts_of(f).late_count, 1);
    fixture_close(f);
}

/* ---- values ---------------------------------------------------------------------------------- */

static void case_30_least_and_greatest_leave_with_their_slices(void)
{
    struct fixture *f = fixture_new(&(struct tn_window_options){
        .every_ms = 20,
        .slide_ms = 10,
        .key_count = 1,
        .aggregates = all_kinds,
        .aggregate_count = KIND_COUNT,
    });

    check_ok(fixture_open(f, 0));
    check_eq(push_values(f, 1, "a", "9", "p"), TN_WINDOW_TAKEN);
    check_eq(push_values(f, 2, "a", "-9.5", "q"), TN_WINDOW_TAKEN);
    check_eq(push_values(f, 11, "a", "1", "p"), TN_WINDOW_TAKEN);
    check_eq(push_values(f, 21, "a", "2", ""), TN_WINDOW_TAKEN);
    check_finish(f, "-10..10 a: 2,2,-0.5,-9.5,9,-0.25,p,q,2\n"
                    "0..20 a: 3,3,0.5,-9.5,9,0.166667,p,p,2\n"
                    "10..30 a: 2,2,3,1,2,1.5,p,p,1\n"
                    "20..40 a: 1,1,2,2,2,2,-,-,-\n");
    fixture_close(f);
}

static void case_29_a_sum_of_slices_out_of_range_ends_the_run(void)
{
    struct fixture *f = fixture_new(&(struct tn_window_options){
        .every_ms = 20,
        .slide_ms = 10,
        .key_count = 1,
        .aggregates = all_kinds,
        .aggregate_count = KIND_COUNT,
    });

    check_ok(fixture_open(f, 0));
    check_eq(push_values(f, 1, "a", "17e37", "p"), TN_WINDOW_TAKEN);
    check_eq(push_values(f, 11, "a", "1e37", "p"), TN_WINDOW_TAKEN);
    check_out(f, "-10..10 a: 1,1,170000000000000000000000000000000000000,"
                 "170000000000000000000000000000000000000,"
                 "170000000000000000000000000000000000000,"
                 "170000000000000000000000000000000000000,p,p,1\n");
    check_eq(tn_window_finish(f->window), TN_WINDOW_OVERFLOW);
    check_text(tn_window_reason(f->window), "sum(x): the sum of a window leaves 128 bits");
    check_eq(push_values(f, 30, "a", "1", "p"), TN_WINDOW_OVERFLOW);
    fixture_close(f);
}

/* ---- many slices ----------------------------------------------------------------------------- */

/* A row of one group, at this slide. The watermark follows only when told to. */
static void slide_push(struct tn_clocked *clocked, int64_t time_ms, bool advance)
{
    struct tn_argument argument = { .errand = TN_ERRAND_NONE };
    const struct tn_slice_row row = {
        .key = { .data = "", .bytes = 0 },
        .arguments = &argument,
        .time_ms = time_ms,
    };

    check_eq(tn_clocked_push(clocked, &row), TN_WINDOW_TAKEN);
    if (!advance)
        return;
    clocked->parts->watermark_ms = time_ms - 1;
    check_ok(tn_clocked_advance(clocked));
}

/*
 * Slices for a whole window are filled at once; from then on each row makes a window fire. Answers
 * the merges that one takes, on the average, when nodes of all levels have been made.
 */
static uint64_t merges_per_window(int64_t every_ms, int64_t slide_ms)
{
    enum { SETTLE_COUNT = 600, WINDOW_COUNT = 600 };
    const struct tn_window_options options = { .every_ms = every_ms, .slide_ms = slide_ms };
    struct tn_parts parts = { .mode = TN_WINDOW_FINAL, .mark = 1, .watermark_ms = INT64_MIN };
    struct tn_memory memory;
    struct tn_clocked clocked;
    struct fixture f = { .store = NULL };
    char buffer[200];
    uint64_t before = 0;
    int64_t time_ms = 0;

    check_ok(tarn_open(&parts.store, NULL, NULL));
    tn_memory_init(&memory, NULL, NULL, 0);
    parts.memory = &memory;
    parts.reason = tn_text_in(buffer, sizeof buffer);
    parts.layout = tn_layout_new(&memory, count_rows, 1, false);
    check(tn_texts_init(&parts.texts, &memory, parts.layout));
    check(tn_emission_init(&parts.emission, &memory, &parts.texts, 0));
    parts.emission.emit = write_down;
    parts.emission.context = &f;
    check_ok(tn_clocked_open(&clocked, &parts, &options));
    for (; time_ms < every_ms; time_ms += slide_ms)
        slide_push(&clocked, time_ms, false);
    tn_clocked_close(&clocked, false);
    parts.watermark_ms = time_ms - 1; /* a whole window is there, and none has to be made up for */
    check_ok(tn_clocked_open(&clocked, &parts, &options));
    for (int i = 0; i < SETTLE_COUNT + WINDOW_COUNT; i++, time_ms += slide_ms) {
        if (i == SETTLE_COUNT)
            before = clocked.merge_count;
        slide_push(&clocked, time_ms, true);
        f.out.bytes = 0;
    }
    before = clocked.merge_count - before;
    tn_clocked_close(&clocked, true);
    tn_emission_finish(&parts.emission);
    tn_texts_finish(&parts.texts);
    tn_layout_free(&memory, parts.layout);
    check_eq(memory.counted_bytes, 0);
    check_ok(tarn_close(parts.store));
    free(f.out.text);
    return before / WINDOW_COUNT;
}

static void windows_of_16_slices_merge_them_as_they_are(void)
{
    check_eq(merges_per_window(16, 1), 16);
}

static void a_minute_by_a_second_merges_tens_of_slices_and_not_60(void)
{
    uint64_t merges = merges_per_window(60000, 1000);

    printf("# %d merges\n", (int)merges);
    check(merges > 10);
    check(merges < 25);
}

static void a_day_by_a_second_merges_tens_of_slices_and_not_86400(void)
{
    uint64_t merges = merges_per_window(86400000, 1000);

    printf("# %d merges\n", (int)merges);
    check(merges > 20);
    check(merges < 75);
}

static const struct test tests[] = {
    T(case_04_a_row_is_in_3_or_4_windows_of_10_that_slide_by_3),
    T(case_04_a_row_between_windows_with_gaps_is_in_none_and_not_late),
    T(case_04_an_offset_counts_from_the_slide),
    T(case_03_an_offset_of_a_slide_or_more_is_misuse),
    T(case_05_a_slide_need_not_divide_the_length),
    T(case_06_windows_may_begin_before_1970),
    T(case_07_windows_that_begin_before_time_or_end_behind_it_saturate),
    T(case_14_to_slide_by_the_length_is_to_tumble),
    T(case_22_a_row_too_late_for_one_window_counts_in_those_still_open),
    T(case_30_least_and_greatest_leave_with_their_slices),
    T(case_29_a_sum_of_slices_out_of_range_ends_the_run),
    T(windows_of_16_slices_merge_them_as_they_are),
    T(a_minute_by_a_second_merges_tens_of_slices_and_not_60),
    T(a_day_by_a_second_merges_tens_of_slices_and_not_86400),
};
TEST_MAIN(tests)
