/*
 * test_aggregate.c - blocks of accumulators: what is read, what is computed, what is empty
 *
 * Where texts go (first, last, distinct) is the business of a slice: test_window.c.
 */
#include "stream/aggregate.h"

#include "test.h"

#define KIND_COUNT 9

static const struct tn_aggregate all_kinds[KIND_COUNT] = {
    { TN_COUNT_ROWS, "count" }, { TN_COUNT, "count(x)" }, { TN_SUM, "sum(x)" },
    { TN_MIN, "min(x)" },       { TN_MAX, "max(x)" },     { TN_AVG, "avg(x)" },
    { TN_FIRST, "first(x)" },   { TN_LAST, "last(x)" },   { TN_DISTINCT, "distinct(x)" },
};

/* One block, and what a row needs. */
struct fixture {
    struct tn_memory memory;
    struct tn_layout *layout;
    uint64_t block[64];
    struct tn_argument arguments[KIND_COUNT];
    tarn_bytes texts[KIND_COUNT];
    char reason_text[200];
    struct tn_text reason;
    char number[TN_DECIMAL_TEXT_BYTES_MAX + 1];
};

static struct fixture fixture_open(const struct tn_aggregate *aggregates, size_t count)
{
    struct fixture f = { .layout = NULL };

    tn_memory_init(&f.memory, NULL, NULL, 0);
    f.layout = tn_layout_new(&f.memory, aggregates, count, false);
    check(f.layout->block_bytes <= sizeof f.block);
    return f;
}

static void fixture_close(struct fixture *f)
{
    tn_layout_free(&f->memory, f->layout);
    check_eq(f->memory.counted_bytes, 0);
}

/* Read a row in which every aggregate has this argument. */
static bool row_read(struct fixture *f, const char *text, size_t bytes)
{
    for (size_t i = 0; i < f->layout->count; i++)
        f->texts[i] = (tarn_bytes){ .data = text, .bytes = bytes };
    f->reason = tn_text_in(f->reason_text, sizeof f->reason_text);
    return tn_layout_read(f->layout, f->texts, f->arguments, &f->reason);
}

static bool row_take(struct fixture *f, const char *text, int64_t time_ms)
{
    check(row_read(f, text, strlen(text)));
    return tn_layout_update(f->layout, f->block, f->arguments, time_ms, &f->reason);
}

/* "(empty)" where the result has no data. */
static const char *result_of(struct fixture *f, size_t index)
{
    tarn_bytes result = tn_layout_result(f->layout, f->block, index, f->number);

    if (result.data == NULL)
        return "(empty)";
    check(result.data == f->number);
    f->number[result.bytes] = '\0';
    return f->number;
}

static void accumulators_lie_side_by_side_on_multiples_of_8(void)
{
    struct fixture f = fixture_open(all_kinds, KIND_COUNT);
    size_t end = sizeof(uint64_t); /* the group's number */

    check(f.layout->has_texts);
    check(f.layout->has_text_sets);
    for (size_t i = 0; i < KIND_COUNT; i++) {
        check_eq(f.layout->parts[i].offset % 8, 0);
        check(f.layout->parts[i].offset >= end);
        end = f.layout->parts[i].offset + 8;
    }
    check(f.layout->block_bytes >= end);
    fixture_close(&f);
}

static void a_count_alone_takes_8_bytes(void)
{
    struct fixture f = fixture_open(all_kinds, 1);

    check_eq(f.layout->block_bytes, 8);
    check(!f.layout->has_texts);
    fixture_close(&f);
}

static void no_aggregates_take_no_bytes(void)
{
    struct fixture f = fixture_open(all_kinds, 0);

    check_eq(f.layout->block_bytes, 0);
    check(row_take(&f, "", 0));
    fixture_close(&f);
}

static void case_29_all_but_count_are_empty_over_nothing(void)
{
    struct fixture f = fixture_open(all_kinds, KIND_COUNT);

    check_text(result_of(&f, TN_COUNT_ROWS), "0");
    check(row_take(&f, "", 5));
    check(row_take(&f, "", 6));
    check_text(result_of(&f, TN_COUNT_ROWS), "2");
    check_text(result_of(&f, TN_COUNT), "0");
    for (size_t i = TN_SUM; i <= TN_AVG; i++)
        check_text(result_of(&f, i), "(empty)");
    check_text(result_of(&f, TN_DISTINCT), "(empty)");
    check_eq(f.arguments[TN_FIRST].errand, TN_ERRAND_NONE);
    check_eq(f.arguments[TN_LAST].errand, TN_ERRAND_NONE);
    check_eq(f.arguments[TN_DISTINCT].errand, TN_ERRAND_NONE);
    fixture_close(&f);
}

static void numbers_are_exact_and_canonical(void)
{
    struct fixture f = fixture_open(all_kinds, 6);

    check(row_take(&f, "0.10", 1));
    check(row_take(&f, "", 2));
    check(row_take(&f, "2e-1", 3));
    check(row_take(&f, "+007.000", 4));
    check(row_take(&f, "-0.0", 5));
    check_text(result_of(&f, TN_COUNT_ROWS), "5");
    check_text(result_of(&f, TN_COUNT), "4");
    check_text(result_of(&f, TN_SUM), "7.3");
    check_text(result_of(&f, TN_MIN), "0");
    check_text(result_of(&f, TN_MAX), "7");
    check_text(result_of(&f, TN_AVG), "1.825");
    fixture_close(&f);
}

static void case_29_min_and_max_of_one_sign_do_not_see_a_zero(void)
{
    struct fixture f = fixture_open(all_kinds, 6);

    check(row_take(&f, "-3", 1));
    check(row_take(&f, "-2.5", 1));
    check_text(result_of(&f, TN_MIN), "-3");
    check_text(result_of(&f, TN_MAX), "-2.5");
    fixture_close(&f);
}

static void case_29_what_is_no_number_is_bad_and_says_so(void)
{
    struct fixture f = fixture_open(all_kinds + TN_SUM, 1);

    check(!row_read(&f, "nan", 3));
    check_text(f.reason_text, "sum(x): not a number: \"nan\"");
    check(!row_read(&f, "1e40", 4));
    check_text(f.reason_text, "sum(x): needs more than 18 decimals or 128 bits: \"1e40\"");
    check(!row_read(&f, "\x1B[2J\"\\\0\xFF", 8));
    check_text(f.reason_text, "sum(x): not a number: \"\\x1b[2J\\\"\\\\\\x00\\xff\"");
    fixture_close(&f);
}

static void texts_that_only_counts_use_may_be_anything(void)
{
    struct fixture f = fixture_open(all_kinds, 2);

    check(row_take(&f, "not a number", 1));
    check_text(result_of(&f, TN_COUNT), "1");
    fixture_close(&f);
}

static void fields_of_the_same_length_are_not_taken_for_one(void)
{
    struct fixture f = fixture_open(all_kinds + TN_SUM, 3);

    for (size_t i = 0; i < 3; i++)
        f.texts[i] = (tarn_bytes){ .data = &"123"[i], .bytes = 1 };
    check(tn_layout_read(f.layout, f.texts, f.arguments, &f.reason));
    check(tn_layout_update(f.layout, f.block, f.arguments, 1, &f.reason));
    check_text(result_of(&f, 0), "1");
    check_text(result_of(&f, 1), "2");
    check_text(result_of(&f, 2), "3");
    fixture_close(&f);
}

static void a_long_reason_is_cut_not_overrun(void)
{
    struct fixture f = fixture_open(all_kinds + TN_SUM, 1);
    static char junk[1000];

    memset(junk, 1, sizeof junk);
    check(!row_read(&f, junk, sizeof junk));
    check(strlen(f.reason_text) < sizeof f.reason_text);
    check(strstr(f.reason_text, "\\x01...\"") != NULL);
    f.reason = tn_text_in(f.reason_text, 8);
    check(!tn_layout_read(f.layout, f.texts, f.arguments, &f.reason));
    check_text(f.reason_text, "sum(x):");
    fixture_close(&f);
}

static void reasons_spell_any_number(void)
{
    char buffer[64];
    struct tn_text text = tn_text_in(buffer, sizeof buffer);

    tn_text_add_number(&text, INT64_MIN);
    tn_text_add(&text, " ");
    tn_text_add_number(&text, 0);
    tn_text_add(&text, " ");
    tn_text_add_number(&text, INT64_MAX);
    check_text(buffer, "-9223372036854775808 0 9223372036854775807");
}

static void a_sum_out_of_range_names_the_aggregate_and_the_value(void)
{
    struct fixture f = fixture_open(all_kinds + TN_AVG, 1);

    check(row_take(&f, "17e37", 1));
    check(!row_take(&f, "1e37", 1));
    check_text(f.reason_text, "avg(x): the sum leaves 128 bits when it takes: \"1e37\"");
    fixture_close(&f);
}

static void first_keeps_the_earliest_arrival_and_last_takes_the_latest(void)
{
    struct fixture f = fixture_open(all_kinds + TN_FIRST, 2);

    check(row_take(&f, "a", INT64_MIN + 1));
    check_eq(f.arguments[0].errand, TN_ERRAND_REPLACE);
    check_eq(f.arguments[1].errand, TN_ERRAND_REPLACE);
    check(row_take(&f, "b", INT64_MIN + 1));
    check_eq(f.arguments[0].errand, TN_ERRAND_NONE);
    check_eq(f.arguments[1].errand, TN_ERRAND_REPLACE);
    check(row_take(&f, "c", 7));
    check_eq(f.arguments[0].errand, TN_ERRAND_NONE);
    check_eq(f.arguments[1].errand, TN_ERRAND_REPLACE);
    check(row_take(&f, "d", 6));
    check_eq(f.arguments[0].errand, TN_ERRAND_NONE);
    check_eq(f.arguments[1].errand, TN_ERRAND_NONE);
    fixture_close(&f);
}

static void distinct_counts_texts_only_when_told_they_are_new(void)
{
    struct fixture f = fixture_open(all_kinds + TN_DISTINCT, 1);

    check(row_take(&f, "a", 1));
    check_eq(f.arguments[0].errand, TN_ERRAND_JOIN);
    check_text(result_of(&f, 0), "(empty)");
    tn_layout_count_texts(f.layout, f.block, 0, 1);
    tn_layout_count_texts(f.layout, f.block, 0, 1);
    check_text(result_of(&f, 0), "2");
    fixture_close(&f);
}

static void a_text_too_long_for_a_set_is_bad(void)
{
    struct fixture f = fixture_open(all_kinds + TN_DISTINCT, 1);
    char *text = calloc(1, TN_TEXT_IN_SET_BYTES_MAX + 1);

    check(row_read(&f, text, TN_TEXT_IN_SET_BYTES_MAX));
    check(!row_read(&f, text, TN_TEXT_IN_SET_BYTES_MAX + 1));
    check_text(f.reason_text, "distinct(x): text too long: 65524 bytes where 65523 can be kept");
    free(text);
    fixture_close(&f);
}

static void no_memory_for_a_layout_is_answered(void)
{
    struct tn_memory memory;

    tn_memory_init(&memory, NULL, NULL, 8);
    check(tn_layout_new(&memory, all_kinds, KIND_COUNT, false) == NULL);
    check_eq(memory.counted_bytes, 0);
    tn_layout_free(&memory, NULL);
}

static const struct test tests[] = {
    T(accumulators_lie_side_by_side_on_multiples_of_8),
    T(a_count_alone_takes_8_bytes),
    T(no_aggregates_take_no_bytes),
    T(case_29_all_but_count_are_empty_over_nothing),
    T(numbers_are_exact_and_canonical),
    T(case_29_min_and_max_of_one_sign_do_not_see_a_zero),
    T(case_29_what_is_no_number_is_bad_and_says_so),
    T(texts_that_only_counts_use_may_be_anything),
    T(fields_of_the_same_length_are_not_taken_for_one),
    T(a_long_reason_is_cut_not_overrun),
    T(reasons_spell_any_number),
    T(a_sum_out_of_range_names_the_aggregate_and_the_value),
    T(first_keeps_the_earliest_arrival_and_last_takes_the_latest),
    T(distinct_counts_texts_only_when_told_they_are_new),
    T(a_text_too_long_for_a_set_is_bad),
    T(no_memory_for_a_layout_is_answered),
};
TEST_MAIN(tests)
