/*
 * test_merge.c - add, min, max, append and take: every sentence of tarn.h about them
 */
#include "store_fixture.h"

#include <math.h>

static uint64_t bits_of(double value)
{
    uint64_t bits;

    memcpy(&bits, &value, sizeof bits);
    return bits;
}

#define check_f64(table, key, number)                                                              \
    test_number(__FILE__, __LINE__, (table), (key), bits_of(number))

static int put_f64(tarn_table *table, const char *key, double value)
{
    return put_i64(table, key, (int64_t)bits_of(value));
}

/* ---- integers -------------------------------------------------------------------------------- */

static void run_add_i64(struct fixture *f)
{
    int64_t sum = 77;

    check_ok(tarn_add_i64(f->table, "a", 1, 5, &sum));
    check_eq(sum, 5);
    check_ok(tarn_add_i64(f->table, "a", 1, -7, &sum));
    check_eq(sum, -2);
    check_ok(tarn_add_i64(f->table, "a", 1, 3, NULL));
    check_i64(f->table, "a", 1);
    check_ok(tarn_add_i64(f->table, "", 0, INT64_MIN, &sum));
    check_eq(sum, INT64_MIN);
    check_ok(tarn_add_i64(f->table, NULL, 0, INT64_MAX, &sum));
    check_eq(sum, -1);
    check_eq(tarn_table_count(f->table), 2);
    check_eq(tarn_table_bytes(f->table), 17);
}

static void add_i64_starts_at_0_and_adds(void)
{
    each_kind(run_add_i64);
}

static void run_overflow(struct fixture *f)
{
    int64_t sum = 77;

    check_ok(put_i64(f->table, "most", INT64_MAX));
    check_ok(put_i64(f->table, "least", INT64_MIN));
    check_eq(tarn_add_i64(f->table, "most", 4, 1, &sum), TARN_E_TYPE);
    check(strstr(tarn_error_text(f->store), "9223372036854775807 + 1") != NULL);
    check_eq(tarn_add_i64(f->table, "least", 5, -1, &sum), TARN_E_TYPE);
    check_eq(tarn_add_i64(f->table, "least", 5, INT64_MIN, &sum), TARN_E_TYPE);
    check_eq(sum, 77);
    check_i64(f->table, "most", INT64_MAX);
    check_i64(f->table, "least", INT64_MIN);
    check_ok(tarn_add_i64(f->table, "most", 4, INT64_MIN, &sum));
    check_eq(sum, -1);
    check_ok(tarn_add_i64(f->table, "least", 5, INT64_MAX, &sum));
    check_eq(sum, -1);
}

static void an_integer_sum_that_does_not_fit_is_a_type_error_and_changes_nothing(void)
{
    each_kind(run_overflow);
}

static void run_extremes_i64(struct fixture *f)
{
    static const int64_t edges[] = { 0, -1, 1, INT64_MIN, INT64_MAX };
    size_t i, j;

    for (i = 0; i < TN_ARRAY_COUNT(edges); i++)
        for (j = 0; j < TN_ARRAY_COUNT(edges); j++) {
            int64_t a = edges[i], b = edges[j], result = 77;

            check_eq(tarn_delete(f->table, "min", 3), i + j == 0 ? TARN_ABSENT : TARN_OK);
            check_eq(tarn_delete(f->table, "max", 3), i + j == 0 ? TARN_ABSENT : TARN_OK);
            check_ok(tarn_min_i64(f->table, "min", 3, a, &result));
            check_eq(result, a);
            check_ok(tarn_min_i64(f->table, "min", 3, b, &result));
            check_eq(result, a < b ? a : b);
            check_i64(f->table, "min", result);
            check_ok(tarn_max_i64(f->table, "max", 3, a, NULL));
            check_ok(tarn_max_i64(f->table, "max", 3, b, &result));
            check_eq(result, a > b ? a : b);
            check_i64(f->table, "max", result);
        }
}

static void min_and_max_of_integers_start_from_the_operand(void)
{
    each_kind(run_extremes_i64);
}

/* ---- floating point -------------------------------------------------------------------------- */

static void run_add_f64(struct fixture *f)
{
    double sum = 77;

    check_ok(tarn_add_f64(f->table, "a", 1, 0.1, &sum));
    check(sum == 0.1);
    check_ok(tarn_add_f64(f->table, "a", 1, 0.2, &sum));
    check(sum == 0.1 + 0.2);
    check_f64(f->table, "a", 0.1 + 0.2);
    check_ok(tarn_add_f64(f->table, "zero", 4, -0.0, &sum));
    check_f64(f->table, "zero", 0.0); /* 0 and -0.0 */
    check_ok(tarn_add_f64(f->table, "big", 3, 1e308, NULL));
    check_ok(tarn_add_f64(f->table, "big", 3, 1e308, &sum));
    check_f64(f->table, "big", INFINITY);
    check_ok(tarn_add_f64(f->table, "big", 3, -1e308, &sum));
    check_f64(f->table, "big", INFINITY);
}

static void add_f64_adds_as_ieee_754_says(void)
{
    each_kind(run_add_f64);
}

typedef int merge_f64(tarn_table *, const void *, size_t, double, double *);

static void run_nan(struct fixture *f)
{
    merge_f64 *const merges[] = { tarn_add_f64, tarn_min_f64, tarn_max_f64 };
    double result = 77;
    size_t i;

    check_ok(put_f64(f->table, "nan", (double)NAN));
    check_ok(put_f64(f->table, "one", 1));
    check_ok(put_f64(f->table, "infinite", (double)INFINITY));
    for (i = 0; i < TN_ARRAY_COUNT(merges); i++) {
        check_eq(merges[i](f->table, "one", 3, (double)NAN, &result), TARN_E_TYPE);
        check_eq(merges[i](f->table, "absent", 6, (double)NAN, &result), TARN_E_TYPE);
        check_eq(merges[i](f->table, "nan", 3, 1, &result), TARN_E_TYPE);
    }
    check_eq(tarn_add_f64(f->table, "infinite", 8, -(double)INFINITY, &result), TARN_E_TYPE);
    check(result == 77);
    check_f64(f->table, "one", 1);
    check_f64(f->table, "nan", (double)NAN);
    check_f64(f->table, "infinite", (double)INFINITY);
    check_absent(f->table, "absent");
}

static void no_merge_takes_reads_or_makes_a_nan(void)
{
    each_kind(run_nan);
}

static void run_extremes_f64(struct fixture *f)
{
    static const double ascending[] = { -INFINITY, -1e300, -1,    -5e-324, -0.0,
                                        0.0,       5e-324, 1e300, INFINITY };
    size_t i, j;

    for (i = 0; i < TN_ARRAY_COUNT(ascending); i++)
        for (j = 0; j < TN_ARRAY_COUNT(ascending); j++) {
            double result = 77;

            (void)tarn_delete(f->table, "min", 3);
            (void)tarn_delete(f->table, "max", 3);
            check_ok(tarn_min_f64(f->table, "min", 3, ascending[i], NULL));
            check_ok(tarn_min_f64(f->table, "min", 3, ascending[j], &result));
            check_eq(bits_of(result), bits_of(ascending[tn_min(i, j)]));
            check_f64(f->table, "min", ascending[tn_min(i, j)]);
            check_ok(tarn_max_f64(f->table, "max", 3, ascending[i], NULL));
            check_ok(tarn_max_f64(f->table, "max", 3, ascending[j], &result));
            check_eq(bits_of(result), bits_of(ascending[tn_max(i, j)]));
            check_f64(f->table, "max", ascending[tn_max(i, j)]);
        }
}

static void minus_zero_is_less_than_zero_whichever_came_first(void)
{
    each_kind(run_extremes_f64);
}

/* ---- all numbers ----------------------------------------------------------------------------- */

/* The call with operand 1 on a key. */
static int merge_by_number(tarn_table *table, const void *key, size_t key_bytes, size_t number)
{
    switch (number) {
    case 0:
        return tarn_add_i64(table, key, key_bytes, 1, NULL);
    case 1:
        return tarn_min_i64(table, key, key_bytes, 1, NULL);
    case 2:
        return tarn_max_i64(table, key, key_bytes, 1, NULL);
    case 3:
        return tarn_add_f64(table, key, key_bytes, 1, NULL);
    case 4:
        return tarn_min_f64(table, key, key_bytes, 1, NULL);
    default:
        return tarn_max_f64(table, key, key_bytes, 1, NULL);
    }
}

#define MERGES 6

static void run_sizes(struct fixture *f)
{
    char value[9] = "12345678";
    size_t number, bytes;

    for (number = 0; number < MERGES; number++)
        for (bytes = 0; bytes <= 9; bytes++) {
            check_ok(tarn_put(f->table, "a", 1, value, bytes));
            check_eq(merge_by_number(f->table, "a", 1, number), bytes == 8 ? TARN_OK : TARN_E_TYPE);
            if (bytes != 8)
                test_entry(__FILE__, __LINE__, f->table, "a", value, bytes);
        }
}

static void an_entry_of_another_size_is_a_type_error_and_stays(void)
{
    each_kind(run_sizes);
}

static void a_merge_of_another_type_than_the_tables_is_a_type_error(void)
{
    int type;

    for (type = TARN_ANY; type <= TARN_STRUCT; type++) {
        const tarn_table_options options = { .type = type,
                                             .value_bytes = type == TARN_STRUCT ? 8 : 0 };
        struct fixture f;
        size_t number;

        fixture_open(&f, &options, 0);
        for (number = 0; number < MERGES; number++) {
            bool fits = type == TARN_ANY || type == (number < 3 ? TARN_I64 : TARN_F64);

            check_eq(merge_by_number(f.table, "a", 1, number), fits ? TARN_OK : TARN_E_TYPE);
            check_eq(tarn_table_count(f.table), fits ? 1 : 0);
            check_eq(tarn_delete(f.table, "a", 1), fits ? TARN_OK : TARN_ABSENT);
        }
        fixture_close(&f);
    }
}

static void run_misuse(struct fixture *f)
{
    static const uint8_t key[TARN_KEY_BYTES_MAX + 1];
    const void *value = f;
    size_t number, bytes = 77;

    for (number = 0; number < MERGES; number++) {
        check_eq(merge_by_number(NULL, "a", 1, number), TARN_E_MISUSE);
        check_eq(merge_by_number(f->table, NULL, 1, number), TARN_E_MISUSE);
        check_eq(merge_by_number(f->table, key, sizeof key, number), TARN_E_MISUSE);
        check(strstr(tarn_error_text(f->store), "65,535") != NULL);
    }
    check_eq(tarn_append(NULL, "a", 1, "b", 1), TARN_E_MISUSE);
    check_eq(tarn_append(f->table, NULL, 1, "b", 1), TARN_E_MISUSE);
    check_eq(tarn_append(f->table, "a", 1, NULL, 1), TARN_E_MISUSE);
    check_eq(tarn_append(f->table, key, sizeof key, "b", 1), TARN_E_MISUSE);
    check_eq(tarn_append(f->table, "a", 1, "b", (size_t)TARN_VALUE_BYTES_MAX + 1), TARN_E_MISUSE);
    check_eq(tarn_take(NULL, "a", 1, &value, &bytes), TARN_E_MISUSE);
    check_eq(tarn_take(f->table, NULL, 1, &value, &bytes), TARN_E_MISUSE);
    check_eq(tarn_take(f->table, "a", 1, NULL, &bytes), TARN_E_MISUSE);
    check_eq(tarn_take(f->table, "a", 1, &value, NULL), TARN_E_MISUSE);
    check_eq(tarn_take(f->table, key, sizeof key, &value, &bytes), TARN_E_MISUSE);
    check(value == f && bytes == 77);
    check_eq(tarn_table_count(f->table), 0);
}

static void misuse_is_answered_and_changes_nothing(void)
{
    each_kind(run_misuse);
}

static void run_dropped(struct fixture *f)
{
    tarn_table *dropped;
    const void *value;
    size_t number, bytes;

    check_ok(tarn_table_open(&dropped, f->store, "other", NULL));
    check_ok(tarn_table_drop(dropped));
    for (number = 0; number < MERGES; number++)
        check_eq(merge_by_number(dropped, "a", 1, number), TARN_E_MISUSE);
    check_eq(tarn_append(dropped, "a", 1, "b", 1), TARN_E_MISUSE);
    check_eq(tarn_take(dropped, "a", 1, &value, &bytes), TARN_E_MISUSE);
    check_ok(tarn_table_close(dropped));
}

static void a_dropped_table_is_misuse(void)
{
    each_kind(run_dropped);
}

static void run_no_change(struct fixture *f)
{
    uint64_t before, after;

    check_ok(put_i64(f->table, "a", 5));
    check_ok(tarn_commit(f->store, NULL, 0, 0));
    check_ok(tarn_last_commit(f->store, &before, NULL));
    check_ok(tarn_add_i64(f->table, "a", 1, 0, NULL));
    check_ok(tarn_min_i64(f->table, "a", 1, 5, NULL));
    check_ok(tarn_min_i64(f->table, "a", 1, 6, NULL));
    check_ok(tarn_max_i64(f->table, "a", 1, 4, NULL));
    check_ok(tarn_append(f->table, "a", 1, NULL, 0));
    check_eq(tarn_add_i64(f->table, "a", 1, INT64_MAX, NULL), TARN_E_TYPE);
    check_ok(tarn_commit(f->store, NULL, 0, 0));
    check_ok(tarn_last_commit(f->store, &after, NULL));
    check_eq(after, before);
    check_ok(tarn_max_i64(f->table, "a", 1, 6, NULL));
    check_ok(tarn_commit(f->store, NULL, 0, 0));
    check_ok(tarn_last_commit(f->store, &after, NULL));
    check_eq(after, before + 1);
}

static void a_merge_that_leaves_the_number_is_no_change_for_a_commit(void)
{
    each_kind(run_no_change);
}

/* ---- appending ------------------------------------------------------------------------------- */

static void run_append(struct fixture *f)
{
    check_ok(tarn_append(f->table, "a", 1, "one", 3));
    check_ok(tarn_append(f->table, "a", 1, " two", 4));
    check_entry(f->table, "a", "one two");
    check_ok(tarn_append(f->table, "a", 1, NULL, 0));
    check_entry(f->table, "a", "one two");
    check_ok(tarn_append(f->table, "empty", 5, NULL, 0));
    check_entry(f->table, "empty", "");
    check_ok(tarn_append(f->table, "empty", 5, "x", 1));
    check_entry(f->table, "empty", "x");
    check_ok(tarn_append(f->table, NULL, 0, "y", 1));
    check_entry(f->table, "", "y");
    check_eq(tarn_table_bytes(f->table), 1 + 7 + 5 + 1 + 1);
}

static void append_puts_bytes_behind_the_value(void)
{
    each_kind(run_append);
}

/* Every length up to some hundred thousand is passed by steps of all sizes, with keys of all sorts. */
static void run_append_growth(struct fixture *f)
{
    static const size_t key_lengths[] = { 0, 5, 8, 254, 255, 65535 };
    static uint8_t key[TARN_KEY_BYTES_MAX], wanted[400000], other[8] = "12345678";
    uint64_t state = test_seed();
    size_t k, length, i;

    memset(key, 'k', sizeof key);
    for (i = 0; i < sizeof wanted; i++)
        wanted[i] = (uint8_t)test_random(&state);
    for (k = 0; k < TN_ARRAY_COUNT(key_lengths); k++) {
        const void *value = NULL;
        size_t value_bytes = 0, step = 1;

        for (length = 0; length + step <= sizeof wanted; length += step) {
            step = 1 + (size_t)(test_random(&state) % (1 + length / 8));
            step = tn_min(step, sizeof wanted - length);
            if (step == 0)
                break;
            check_ok(tarn_append(f->table, key, key_lengths[k], wanted + length, step));
            check_ok(tarn_put(f->table, other, sizeof other, other, sizeof other));
        }
        check_ok(tarn_get(f->table, key, key_lengths[k], &value, &value_bytes));
        check_bytes(value, value_bytes, wanted, length);
        check_eq((uintptr_t)value % 8, 0);
    }
}

static void appending_passes_every_length_and_loses_nothing(void)
{
    each_kind(run_append_growth);
}

static void run_append_long_header(struct fixture *f)
{
    static uint8_t wanted[65600];
    size_t start, i;

    for (i = 0; i < sizeof wanted; i++)
        wanted[i] = (uint8_t)(i * 7);
    for (start = 65520; start < 65545; start++) { /* short lengths end at 65,534 */
        for (i = 1; i < 20; i++) {
            check_ok(tarn_put(f->table, "a", 1, wanted, start));
            check_ok(tarn_append(f->table, "a", 1, wanted + start, i));
            test_entry(__FILE__, __LINE__, f->table, "a", wanted, start + i);
        }
    }
}

static void appending_crosses_from_short_to_long_records(void)
{
    each_kind(run_append_long_header);
}

static void small_appends_move_a_value_a_logarithm_of_its_size(void)
{
    const tarn_table_options options = { .kind = TARN_UNORDERED };
    struct fixture f;
    const void *value, *before = NULL;
    size_t bytes, moved_bytes = 0;
    uint32_t i, moves = 0;

    fixture_open(&f, &options, 0);
    for (i = 0; i < 200000; i++) {
        check_ok(tarn_append(f.table, "a", 1, "12345678", 8));
        check_ok(tarn_get(f.table, "a", 1, &value, &bytes));
        if (value != before) {
            moves++;
            moved_bytes += bytes;
        }
        before = value;
    }
    check(moves <= 45);
    check(moved_bytes < 3 * 8 * (size_t)200000);
    fixture_close(&f);
}

static void run_append_too_long(struct fixture *f)
{
    char bytes[8] = "";

    check_ok(tarn_put(f->table, "a", 1, "12345678", 8));
    /* The lengths are refused before a byte is read. */
    check_eq(tarn_append(f->table, "a", 1, bytes, TARN_VALUE_BYTES_MAX - 7), TARN_E_FULL);
    check_eq(tarn_append(f->table, "a", 1, bytes, TARN_VALUE_BYTES_MAX), TARN_E_FULL);
    check(strstr(tarn_error_text(f->store), "4294967295") != NULL);
    check_entry(f->table, "a", "12345678");
}

static void a_value_longer_than_values_may_be_is_full_and_nothing_changes(void)
{
    each_kind(run_append_too_long);
}

static void append_to_a_full_store_is_full_and_nothing_changes(void)
{
    static uint8_t bytes[100000];
    struct fixture f;
    const void *value;
    size_t value_bytes = 0, length = 0;
    int result;

    fixture_open(&f, NULL, 4 * TN_MIB);
    while ((result = tarn_append(f.table, "a", 1, bytes, sizeof bytes)) == TARN_OK)
        length += sizeof bytes;
    check_eq(result, TARN_E_FULL);
    check(length > 500000);
    check_ok(tarn_get(f.table, "a", 1, &value, &value_bytes));
    check_eq(value_bytes, length);
    check_ok(tarn_delete(f.table, "a", 1));
    check_ok(tarn_append(f.table, "a", 1, bytes, sizeof bytes));
    fixture_check(&f);
    fixture_close(&f);
}

static void append_to_a_typed_table_is_a_type_error(void)
{
    const tarn_table_options options = { .type = TARN_I64 };
    struct fixture f;

    fixture_open(&f, &options, 0);
    check_eq(tarn_append(f.table, "a", 1, "12345678", 8), TARN_E_TYPE);
    check_eq(tarn_table_count(f.table), 0);
    fixture_close(&f);
}

/* ---- iterators meanwhile --------------------------------------------------------------------- */

static size_t number_of(const tarn_bytes *key)
{
    const uint8_t *digits = key->data;

    return (size_t)(digits[0] - '0') * 100 + (size_t)(digits[1] - '0') * 10 + (digits[2] - '0');
}

/* What becomes of the n-th entry given: it is added to, appended to, or taken. */
static void change_entry(struct fixture *f, const char *key, size_t n)
{
    const void *taken;
    size_t taken_bytes;

    if (n % 3 == 0)
        check_ok(tarn_add_i64(f->table, key, 3, 1, NULL));
    else if (n % 3 == 1)
        check_ok(tarn_append(f->table, key, 3, "a long end that moves it", 24));
    else
        check_ok(tarn_take(f->table, key, 3, &taken, &taken_bytes));
}

/* One iterator leads; another goes along, in an order of its own; a third begins when all is done. */
static void run_iterators(struct fixture *f)
{
    uint8_t seen[100] = { 0 }, is_taken[100] = { 0 };
    tarn_iterator *its[3];
    size_t given = 0, left = 0, i;
    char key[8];
    tarn_bytes at, along;

    for (i = 0; i < 100; i++) {
        snprintf(key, sizeof key, "%03zu", i);
        check_ok(put_i64(f->table, key, 1));
    }
    for (i = 0; i < TN_ARRAY_COUNT(its); i++)
        check_ok(tarn_scan(&its[i], f->table, NULL));
    for (; tarn_next(its[0], &at, NULL) == TARN_OK; given++) {
        snprintf(key, sizeof key, "%.3s", (const char *)at.data);
        if (tarn_next(its[1], &along, NULL) == TARN_OK)
            seen[number_of(&along)]++;
        is_taken[number_of(&at)] = given % 3 == 2;
        change_entry(f, key, given);
    }
    check_eq(given, 100);
    while (tarn_next(its[1], &along, NULL) == TARN_OK)
        seen[number_of(&along)]++;
    for (i = 0; i < 100; i++)
        check(is_taken[i] ? seen[i] <= 1 : seen[i] == 1);
    while (tarn_next(its[2], NULL, NULL) == TARN_OK)
        left++;
    check_eq(left, 67);
    for (i = 0; i < TN_ARRAY_COUNT(its); i++)
        check_ok(tarn_iterator_close(its[i]));
}

static void iterators_open_meanwhile_give_each_entry_once(void)
{
    each_kind(run_iterators);
}

/* ---- taking ---------------------------------------------------------------------------------- */

static void run_take(struct fixture *f)
{
    const void *value = NULL, *other = NULL;
    size_t bytes = 0, other_bytes = 77;

    check_ok(put_text(f->table, "a", "the value of a"));
    check_ok(put_text(f->table, "b", "the value of b"));
    check_ok(tarn_take(f->table, "a", 1, &value, &bytes));
    check_bytes(value, bytes, "the value of a", 14);
    check_eq((uintptr_t)value % 8, 0);
    check_absent(f->table, "a");
    check_eq(tarn_table_count(f->table), 1);
    check_eq(tarn_table_bytes(f->table), 15);
    /* Reading calls leave it as it is. */
    check_entry(f->table, "b", "the value of b");
    check_eq(tarn_get(f->table, "a", 1, &other, &other_bytes), TARN_ABSENT);
    check_bytes(value, bytes, "the value of a", 14);
    check_eq(tarn_take(f->table, "a", 1, &other, &other_bytes), TARN_ABSENT);
    check(other == NULL && other_bytes == 77);
    check_ok(tarn_take(f->table, "b", 1, &value, &bytes));
    check_bytes(value, bytes, "the value of b", 14);
    check_ok(put_text(f->table, "empty", ""));
    check_ok(tarn_take(f->table, "empty", 5, &value, &bytes));
    check(value != NULL && bytes == 0);
}

static void take_removes_an_entry_and_lends_its_value(void)
{
    each_kind(run_take);
}

static void run_take_slots(struct fixture *f)
{
    static uint8_t big[300000];
    const void *value;
    size_t bytes, i, round;
    uint64_t memory_bytes = 0;
    tarn_statistics statistics;

    for (round = 0; round < 3; round++) {
        for (i = 0; i < 200; i++) {
            big[0] = (uint8_t)i;
            check_ok(tarn_put(f->table, &i, sizeof i, big, i % 20 == 0 ? sizeof big : i));
        }
        for (i = 0; i < 200; i++) {
            check_ok(tarn_take(f->table, &i, sizeof i, &value, &bytes));
            check_eq(bytes, i % 20 == 0 ? sizeof big : i);
            check(bytes == 0 || *(const uint8_t *)value == i);
            check(tn_heap_check(&f->store->heap, &f->table->body->owner));
        }
        check_eq(tarn_table_count(f->table), 0);
        check_ok(tarn_stat(f->store, &statistics));
        if (round == 0)
            memory_bytes = statistics.memory_bytes;
        check_eq(statistics.memory_bytes, memory_bytes);
    }
}

static void what_was_taken_is_freed_by_the_next_write(void)
{
    each_kind(run_take_slots);
}

static void take_needs_no_memory(void)
{
    const tarn_table_options kinds[] = { { .kind = TARN_ORDERED }, { .kind = TARN_UNORDERED } };
    size_t k;
    uint64_t i;

    for (k = 0; k < TN_ARRAY_COUNT(kinds); k++) {
        struct fixture f;
        tarn_iterator *it;
        const void *value;
        size_t bytes;

        fixture_open(&f, &kinds[k], 0);
        for (i = 0; i < 3000; i++)
            check_ok(tarn_put(f.table, &i, sizeof i, &i, sizeof i));
        check_ok(tarn_scan(&it, f.table, NULL));
        check_ok(tarn_next(it, NULL, NULL));
        fixture_refuse(&f, 1, true);
        for (i = 0; i < 3000; i++) {
            check_ok(tarn_take(f.table, &i, sizeof i, &value, &bytes));
            check_eq(*(const uint64_t *)value, i);
        }
        fixture_refuse(&f, 0, false);
        check_ok(tarn_iterator_close(it));
        fixture_check(&f);
        fixture_close(&f);
    }
}

/* What may come after a take: each must free the slot, or take it along, once. */
static void close_drop_clear_work_and_commit_cope_with_what_was_taken(void)
{
    int after;

    for (after = 0; after < 7; after++) {
        struct fixture f;
        tarn_table *other;
        const void *value;
        size_t bytes;

        fixture_open(&f, NULL, 0);
        check_ok(tarn_table_open(&other, f.store, "other", NULL));
        check_ok(put_text(f.table, "a", "the value of a"));
        check_ok(put_text(f.table, "b", "the value of b"));
        check_ok(tarn_take(f.table, "a", 1, &value, &bytes));
        if (after == 1)
            check_ok(tarn_table_clear(f.table));
        if (after == 2)
            check_ok(tarn_table_drop(f.table));
        if (after == 3)
            check_eq(tarn_work(f.store, UINT64_MAX), TARN_END);
        if (after == 4)
            check_ok(tarn_commit(f.store, NULL, 0, 0));
        if (after == 5) {
            check_ok(tarn_table_drop(f.table));
            check_ok(tarn_table_close(f.table));
        }
        if (after == 6)
            check_ok(tarn_table_drop(other));
        if (after != 0) { /* 0: close follows */
            check_ok(tarn_table_open(&other, f.store, "third", NULL));
            check_ok(put_text(other, "c", "the value of c"));
            check_ok(tarn_take(other, "c", 1, &value, &bytes));
            check_bytes(value, bytes, "the value of c", 14);
        }
        fixture_close(&f);
    }
}

/*
 * Records with chunks of their own, and many to a chunk: there the store's memory stays as it is.
 * The same keys come again, since another hash can need another place in the index.
 */
static void a_full_store_uses_the_room_of_what_was_taken(void)
{
    static const size_t sizes[] = { 200000, 100 };
    static uint8_t bytes[200000];
    size_t s;

    for (s = 0; s < TN_ARRAY_COUNT(sizes); s++) {
        struct fixture f;
        const void *value;
        size_t value_bytes;
        uint64_t i, count = 0;

        fixture_open(&f, NULL, 4 * TN_MIB);
        for (i = 0; tarn_put(f.table, &i, sizeof i, bytes, sizes[s]) == TARN_OK; i++)
            count++;
        check(count > 5);
        for (i = 0; i < count; i++) {
            check_ok(tarn_take(f.table, &i, sizeof i, &value, &value_bytes));
            check_ok(tarn_put(f.table, &i, sizeof i, bytes, sizes[s]));
        }
        fixture_close(&f);
    }
}

/* ---- no memory ------------------------------------------------------------------------------- */

static void prepare_nothing(struct fixture *f)
{
    (void)f;
}

static void still_empty(struct fixture *f)
{
    check_eq(tarn_table_count(f->table), 0);
}

static int call_add(struct fixture *f)
{
    return tarn_add_i64(f->table, "a", 1, 1, NULL);
}

static int call_max(struct fixture *f)
{
    return tarn_max_f64(f->table, "a", 1, 1, NULL);
}

static int call_append(struct fixture *f)
{
    return tarn_append(f->table, "a", 1, "b", 1);
}

static void prepare_short(struct fixture *f)
{
    check_ok(put_text(f->table, "a", "short"));
}

static void still_short(struct fixture *f)
{
    check_entry(f->table, "a", "short");
}

static int call_append_much(struct fixture *f)
{
    static const char much[5000];

    return tarn_append(f->table, "a", 1, much, sizeof much);
}

static void a_refused_allocation_changes_nothing(void)
{
    const tarn_table_options kinds[] = { { .kind = TARN_ORDERED }, { .kind = TARN_UNORDERED } };
    size_t k;

    for (k = 0; k < TN_ARRAY_COUNT(kinds); k++) {
        check(refusals(&kinds[k], prepare_nothing, call_add, still_empty) > 1);
        check(refusals(&kinds[k], prepare_nothing, call_max, still_empty) > 1);
        check(refusals(&kinds[k], prepare_nothing, call_append, still_empty) > 1);
        check(refusals(&kinds[k], prepare_short, call_append_much, still_short) > 0);
    }
}

static const struct test tests[] = {
    T(add_i64_starts_at_0_and_adds),
    T(an_integer_sum_that_does_not_fit_is_a_type_error_and_changes_nothing),
    T(min_and_max_of_integers_start_from_the_operand),
    T(add_f64_adds_as_ieee_754_says),
    T(no_merge_takes_reads_or_makes_a_nan),
    T(minus_zero_is_less_than_zero_whichever_came_first),
    T(an_entry_of_another_size_is_a_type_error_and_stays),
    T(a_merge_of_another_type_than_the_tables_is_a_type_error),
    T(misuse_is_answered_and_changes_nothing),
    T(a_dropped_table_is_misuse),
    T(a_merge_that_leaves_the_number_is_no_change_for_a_commit),
    T(append_puts_bytes_behind_the_value),
    T(appending_passes_every_length_and_loses_nothing),
    T(appending_crosses_from_short_to_long_records),
    T(small_appends_move_a_value_a_logarithm_of_its_size),
    T(a_value_longer_than_values_may_be_is_full_and_nothing_changes),
    T(append_to_a_full_store_is_full_and_nothing_changes),
    T(append_to_a_typed_table_is_a_type_error),
    T(iterators_open_meanwhile_give_each_entry_once),
    T(take_removes_an_entry_and_lends_its_value),
    T(what_was_taken_is_freed_by_the_next_write),
    T(take_needs_no_memory),
    T(close_drop_clear_work_and_commit_cope_with_what_was_taken),
    T(a_full_store_uses_the_room_of_what_was_taken),
    T(a_refused_allocation_changes_nothing),
};

TEST_MAIN(tests)
