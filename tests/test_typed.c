/*
 * test_typed.c - tables with a type, and tarn_typed.h
 */
#include "store_fixture.h"

#include <math.h>
#include <tarn_typed.h>

struct visit {
    int64_t when;
    uint32_t pages;
    char first[12];
};

TARN_STRUCT_TABLE(visits, struct visit)

struct other {
    int64_t when;
};

TARN_STRUCT_TABLE(others, struct other)

static size_t bytes_of(int type)
{
    static const size_t bytes[] = { 0, 4, 4, 4, 8, 8, 8, 24 };

    return bytes[type];
}

static tarn_table_options options_of(int type)
{
    return (tarn_table_options){ TARN_ORDERED, type, type == TARN_STRUCT ? 24 : 0 };
}

static void open_again(struct fixture *f, const tarn_table_options *options, int wanted)
{
    tarn_table *again = NULL;

    check_eq(tarn_table_open(&again, f->store, "table", options), wanted);
    check((again != NULL) == (wanted == TARN_OK));
    if (again != NULL) {
        check(again == f->table);
        check_ok(tarn_table_close(again));
    }
}

/* ---- the property ---------------------------------------------------------------------------- */

static void an_existing_table_opens_as_its_own_type_or_as_any(void)
{
    int type, wanted;

    for (type = TARN_ANY; type <= TARN_STRUCT; type++) {
        const tarn_table_options options = options_of(type);
        tarn_table_options described = { 77, 77, 77 };
        struct fixture f;

        fixture_open(&f, &options, 0);
        check_ok(tarn_table_describe(f.table, &described));
        check_eq(described.kind, TARN_ORDERED);
        check_eq(described.type, type);
        check_eq(described.value_bytes, bytes_of(type));
        open_again(&f, &described, TARN_OK);
        open_again(&f, NULL, TARN_OK);
        for (wanted = TARN_ANY; wanted <= TARN_STRUCT; wanted++) {
            const tarn_table_options other = options_of(wanted);

            open_again(&f, &other, wanted == TARN_ANY || wanted == type ? TARN_OK : TARN_E_TYPE);
        }
        described.kind = TARN_UNORDERED;
        open_again(&f, &described, TARN_E_TYPE);
        fixture_close(&f);
    }
}

static void structs_of_two_sizes_are_two_types(void)
{
    const tarn_table_options options = options_of(TARN_STRUCT);
    tarn_table_options other = options;
    struct fixture f;

    fixture_open(&f, &options, 0);
    other.value_bytes = 25;
    open_again(&f, &other, TARN_E_TYPE);
    check(strstr(tarn_error_text(f.store), "struct") != NULL);
    fixture_close(&f);
}

static void options_that_are_no_type_are_misuse(void)
{
    static const tarn_table_options wrong[] = {
        { TARN_ORDERED, -1, 0 },
        { TARN_ORDERED, TARN_STRUCT + 1, 0 },
        { TARN_ORDERED, TARN_STRUCT, 0 },
        { TARN_ORDERED, TARN_STRUCT, (size_t)TARN_VALUE_BYTES_MAX + 1 },
        { TARN_ORDERED, TARN_I64, 4 },
        { TARN_ORDERED, TARN_I32, 8 },
        { TARN_ORDERED, TARN_ANY, 8 },
        { 7, TARN_ANY, 0 },
    };
    struct fixture f;
    size_t i;

    fixture_open(&f, NULL, 0);
    for (i = 0; i < TN_ARRAY_COUNT(wrong); i++) {
        tarn_table *table = f.table;

        check_eq(tarn_table_open(&table, f.store, "new", &wrong[i]), TARN_E_MISUSE);
        check(table == NULL && f.store->table_count == 1);
    }
    check_eq(tarn_table_describe(f.table, NULL), TARN_E_MISUSE);
    check_eq(tarn_table_describe(NULL, &(tarn_table_options){ 0 }), TARN_E_MISUSE);
    fixture_close(&f);
}

/* The calls of tarn.h that write, with that many bytes. */
static int write_by_number(tarn_table *table, size_t number, const void *value, size_t bytes)
{
    void *at;

    if (number == 0)
        return tarn_put(table, "key", 3, value, bytes);
    if (number == 1)
        return tarn_put_if_absent(table, "key", 3, value, bytes, NULL, NULL);
    return tarn_modify(table, "key", 3, bytes, &at);
}

static void every_write_of_another_size_is_a_type_error_and_changes_nothing(void)
{
    static const uint8_t value[40] = { 1, 2, 3 };
    int type;

    for (type = TARN_I32; type <= TARN_STRUCT; type++) {
        const tarn_table_options options = options_of(type);
        size_t number, bytes;
        struct fixture f;

        fixture_open(&f, &options, 0);
        for (number = 0; number < 3; number++)
            for (bytes = 0; bytes <= sizeof value; bytes++) {
                bool fits = bytes == bytes_of(type);

                check_eq(write_by_number(f.table, number, value, bytes),
                         fits ? TARN_OK : TARN_E_TYPE);
                check_eq(tarn_delete(f.table, "key", 3), fits ? TARN_OK : TARN_ABSENT);
            }
        check_ok(tarn_put(f.table, "key", 3, value, bytes_of(type)));
        for (bytes = 0; bytes <= sizeof value; bytes++)
            check_eq(tarn_put(f.table, "key", 3, value, bytes),
                     bytes == bytes_of(type) ? TARN_OK : TARN_E_TYPE);
        test_entry(__FILE__, __LINE__, f.table, "key", value, bytes_of(type));
        check_ok(tarn_table_clear(f.table));
        check_eq(tarn_put(f.table, "key", 3, value, 1), TARN_E_TYPE);
        fixture_close(&f);
    }
}

/* ---- typed calls ----------------------------------------------------------------------------- */

static void typed_calls_on_a_table_of_another_type_are_type_errors(void)
{
    static const uint8_t bytes[24] = { 1 };
    int type, wanted;

    for (type = TARN_ANY; type <= TARN_STRUCT; type++) {
        const tarn_table_options options = options_of(type);
        struct fixture f;

        fixture_open(&f, &options, 0);
        for (wanted = TARN_I32; wanted <= TARN_STRUCT; wanted++) {
            int result = type == TARN_ANY || type == wanted ? TARN_OK : TARN_E_TYPE;
            const void *value = NULL;
            void *cell = NULL;
            size_t size = bytes_of(wanted);

            if (type != TARN_ANY)
                check_ok(tarn_put(f.table, "key", 3, bytes, bytes_of(type)));
            check_eq(tarn_put_as(f.table, wanted, "key", 3, bytes, size), result);
            check_eq(tarn_get_as(f.table, wanted, "key", 3, &value, size), result);
            check((value != NULL) == (result == TARN_OK));
            check_eq(tarn_modify_as(f.table, wanted, "key", 3, size, &cell), result);
            check((cell != NULL) == (result == TARN_OK));
            if (result != TARN_OK)
                check(strstr(tarn_error_text(f.store), "values of type") != NULL);
        }
        fixture_close(&f);
    }
}

static void on_an_untyped_table_typed_calls_go_by_size(void)
{
    struct fixture f;
    void *cell = NULL;
    int32_t small = 77;
    double number;

    fixture_open(&f, NULL, 0);
    check_ok(tarn_put_i64(f.table, "a", 1, 5));
    check_eq(tarn_get_i32(f.table, "a", 1, &small), TARN_E_TYPE);
    check(strstr(tarn_error_text(f.store), "8 bytes, not 4") != NULL);
    check_eq(small, 77);
    check_eq(tarn_modify_u32(f.table, "a", 1, &cell), TARN_E_TYPE);
    check_ok(tarn_get_f64(f.table, "a", 1, &number));
    check_ok(tarn_put_i32(f.table, "a", 1, 6)); /* a put replaces */
    check_ok(tarn_get_i32(f.table, "a", 1, &small));
    check_eq(small, 6);
    fixture_close(&f);
}

static void misuse_of_typed_calls_is_answered(void)
{
    struct fixture f;
    const void *value = NULL;
    void *cell = NULL;

    fixture_open(&f, NULL, 0);
    check_eq(tarn_get_as(NULL, TARN_I64, "a", 1, &value, 8), TARN_E_MISUSE);
    check_eq(tarn_put_as(NULL, TARN_I64, "a", 1, "12345678", 8), TARN_E_MISUSE);
    check_eq(tarn_modify_as(NULL, TARN_I64, "a", 1, 8, &cell), TARN_E_MISUSE);
    check_eq(tarn_get_as(f.table, TARN_ANY, "a", 1, &value, 8), TARN_E_MISUSE);
    check_eq(tarn_get_as(f.table, TARN_I64, "a", 1, &value, 4), TARN_E_MISUSE);
    check_eq(tarn_get_as(f.table, TARN_I64, "a", 1, &value, 0), TARN_E_MISUSE);
    check_eq(tarn_get_as(f.table, TARN_I64, "a", 1, NULL, 8), TARN_E_MISUSE);
    check_eq(tarn_get_as(f.table, TARN_I64, NULL, 1, &value, 8), TARN_E_MISUSE);
    check_eq(tarn_put_as(f.table, 99, "a", 1, "12345678", 8), TARN_E_MISUSE);
    check_eq(tarn_put_as(f.table, TARN_I64, "a", 1, NULL, 8), TARN_E_MISUSE);
    check_eq(tarn_modify_as(f.table, TARN_STRUCT, "a", 1, 0, &cell), TARN_E_MISUSE);
    check_eq(tarn_modify_as(f.table, TARN_I64, "a", 1, 8, NULL), TARN_E_MISUSE);
    check_eq(tarn_table_count(f.table), 0);
    check_ok(tarn_table_drop(f.table));
    check_eq(tarn_get_as(f.table, TARN_I64, "a", 1, &value, 8), TARN_E_MISUSE);
    check(value == NULL && cell == NULL);
    fixture_close(&f);
}

/* ---- numbers --------------------------------------------------------------------------------- */

/* For one type: put, get and modify each of `values` in a table of that type; `wanted` is how 1 lies. */
#define number_test(name, TYPE, ctype, values, wanted)                                             \
    static void name##_round_trip(void)                                                            \
    {                                                                                              \
        static const ctype edges[] = values;                                                       \
        tarn_store *store = NULL;                                                                  \
        tarn_table *table = NULL;                                                                  \
        const void *bytes = NULL;                                                                  \
        size_t count = 0, i;                                                                       \
        ctype value = (ctype)77;                                                                   \
        void *cell = NULL;                                                                         \
                                                                                                   \
        check_ok(tarn_open(&store, NULL, NULL));                                                   \
        check_ok(tarn_typed_open(&table, store, "numbers", TARN_UNORDERED, TYPE));                 \
        check_eq(tarn_get_##name(table, "a", 1, &value), TARN_ABSENT);                             \
        check(memcmp(&value, &(ctype){ (ctype)77 }, sizeof value) == 0);                           \
        check_ok(tarn_modify_##name(table, "a", 1, &cell));                                        \
        check(memcmp(cell, "\0\0\0\0\0\0\0\0", sizeof value) == 0);                                \
        for (i = 0; i < TN_ARRAY_COUNT(edges); i++) {                                              \
            check_ok(tarn_put_##name(table, "a", 1, edges[i]));                                    \
            check_ok(tarn_get_##name(table, "a", 1, &value));                                      \
            check(memcmp(&value, &edges[i], sizeof value) == 0);                                   \
            check_ok(tarn_modify_##name(table, "b", 1, &cell));                                    \
            tarn_store_##name(cell, edges[i]);                                                     \
            value = tarn_load_##name(cell);                                                        \
            check(memcmp(&value, &edges[i], sizeof value) == 0);                                   \
        }                                                                                          \
        check_ok(tarn_put_##name(table, "one", 3, (ctype)1));                                      \
        check_ok(tarn_get(table, "one", 3, &bytes, &count));                                       \
        check_bytes(bytes, count, wanted, sizeof value);                                           \
        check_ok(tarn_close(store));                                                               \
    }

/* clang-format off */
#define LIST(...) { __VA_ARGS__ }
/* clang-format on */

number_test(i32, TARN_I32, int32_t, LIST(0, 1, -1, INT32_MIN, INT32_MAX), "\1\0\0\0")
    number_test(u32, TARN_U32, uint32_t, LIST(0, 1, 0x80000000, UINT32_MAX), "\1\0\0\0")
        number_test(f32, TARN_F32, float, LIST(0.0F, -0.0F, 1.5F, -INFINITY, NAN), "\0\0\x80\x3F")
            number_test(i64, TARN_I64, int64_t, LIST(0, 1, -1, INT64_MIN, INT64_MAX),
                        "\1\0\0\0\0\0\0\0") number_test(u64, TARN_U64, uint64_t,
                                                        LIST(0, 1, UINT64_C(1) << 63, UINT64_MAX),
                                                        "\1\0\0\0\0\0\0\0")
                number_test(f64, TARN_F64, double, LIST(0.0, -0.0, 1.5, 5e-324, -(double)INFINITY),
                            "\0\0\0\0\0\0\xF0\x3F")

                    static void merges_and_typed_calls_see_the_same_numbers(void)
{
    struct fixture f;
    int64_t number = 0;
    double real = 0;

    fixture_open(&f, NULL, 0);
    check_ok(tarn_add_i64(f.table, "a", 1, -5, NULL));
    check_ok(tarn_get_i64(f.table, "a", 1, &number));
    check_eq(number, -5);
    check_ok(tarn_put_f64(f.table, "b", 1, 1.5));
    check_ok(tarn_max_f64(f.table, "b", 1, 1.25, &real));
    check(real == 1.5);
    fixture_close(&f);
}

/* ---- structs --------------------------------------------------------------------------------- */

static void a_struct_goes_in_and_comes_back_in_place(void)
{
    const struct visit visit = { 123456789, 7, "/home" };
    const struct visit *read = NULL;
    struct visit *written = NULL;
    const struct other *wrong = NULL;
    tarn_table *table = NULL, *same = NULL;
    struct fixture f;

    fixture_open(&f, NULL, 0);
    check_ok(visits_open(&table, f.store, "visits", TARN_ORDERED));
    check_eq(visits_get(table, "a", 1, &read), TARN_ABSENT);
    check(read == NULL);
    check_ok(visits_put(table, "a", 1, &visit));
    check_ok(visits_modify(table, "a", 1, &written));
    written->pages++;
    check_ok(visits_get(table, "a", 1, &read));
    check(read == written && read->pages == 8 && read->when == 123456789);
    check_text(read->first, "/home");
    check_ok(visits_modify(table, "new", 3, &written));
    check(written->when == 0 && written->pages == 0 && written->first[0] == 0);
    check_eq(others_get(table, "a", 1, &wrong), TARN_E_TYPE);
    check_eq(others_open(&same, f.store, "visits", TARN_ORDERED), TARN_E_TYPE);
    check(wrong == NULL && same == NULL);
    check_ok(visits_open(&same, f.store, "visits", TARN_ORDERED));
    check(same == table);
    fixture_close(&f);
}

/* ---- keys ------------------------------------------------------------------------------------ */

static void number_keys_come_back_and_sort_as_numbers(void)
{
    static const int64_t numbers[] = { INT64_MIN, INT64_MIN + 1, -65536, -256,  -255,     -1, 0,
                                       1,         255,           256,    65536, INT64_MAX };
    uint8_t a[8], b[8];
    size_t i, j;

    for (i = 0; i < TN_ARRAY_COUNT(numbers); i++) {
        uint64_t x = (uint64_t)numbers[i];

        tarn_key_from_i64(a, numbers[i]);
        check_eq(tarn_key_to_i64(a), numbers[i]);
        tarn_key_from_u64(a, x);
        check_eq(tarn_key_to_u64(a), x);
        tarn_key_from_u32(a, (uint32_t)x);
        check_eq(tarn_key_to_u32(a), (uint32_t)x);
        for (j = 0; j < TN_ARRAY_COUNT(numbers); j++) {
            uint64_t y = (uint64_t)numbers[j];

            tarn_key_from_i64(a, numbers[i]);
            tarn_key_from_i64(b, numbers[j]);
            check_eq(memcmp(a, b, 8) < 0, numbers[i] < numbers[j]);
            tarn_key_from_u64(a, x);
            tarn_key_from_u64(b, y);
            check_eq(memcmp(a, b, 8) < 0, x < y);
            tarn_key_from_u32(a, (uint32_t)x);
            tarn_key_from_u32(b, (uint32_t)y);
            check_eq(memcmp(a, b, 4) < 0, (uint32_t)x < (uint32_t)y);
        }
    }
}

static void a_scan_of_number_keys_is_in_numeric_order(void)
{
    struct fixture f;
    tarn_iterator *it;
    tarn_bytes key;
    uint8_t bytes[8];
    int64_t i, before = INT64_MIN;

    fixture_open(&f, NULL, 0);
    for (i = 0; i < 1000; i++) {
        tarn_key_from_i64(bytes, (i * 7919 % 1000 - 500) * 1000003);
        check_ok(tarn_put_i64(f.table, bytes, sizeof bytes, i));
    }
    check_ok(tarn_scan(&it, f.table, NULL));
    for (i = 0; tarn_next(it, &key, NULL) == TARN_OK; i++) {
        check(tarn_key_to_i64(key.data) > before);
        before = tarn_key_to_i64(key.data);
    }
    check_eq(i, 1000);
    check_ok(tarn_iterator_close(it));
    fixture_close(&f);
}

/* ---- no memory ------------------------------------------------------------------------------- */

static void prepare_nothing(struct fixture *f)
{
    (void)f;
}

static int call_put(struct fixture *f)
{
    return tarn_put_u64(f->table, "a", 1, 1);
}

static int call_modify(struct fixture *f)
{
    void *cell;

    return tarn_modify_u64(f->table, "a", 1, &cell);
}

static void still_empty(struct fixture *f)
{
    check_eq(tarn_table_count(f->table), 0);
}

static void a_refused_allocation_changes_nothing(void)
{
    const tarn_table_options options = { .type = TARN_U64 };

    check(refusals(&options, prepare_nothing, call_put, still_empty) > 1);
    check(refusals(&options, prepare_nothing, call_modify, still_empty) > 1);
}

static const struct test tests[] = {
    T(an_existing_table_opens_as_its_own_type_or_as_any),
    T(structs_of_two_sizes_are_two_types),
    T(options_that_are_no_type_are_misuse),
    T(every_write_of_another_size_is_a_type_error_and_changes_nothing),
    T(typed_calls_on_a_table_of_another_type_are_type_errors),
    T(on_an_untyped_table_typed_calls_go_by_size),
    T(misuse_of_typed_calls_is_answered),
    T(i32_round_trip),
    T(u32_round_trip),
    T(f32_round_trip),
    T(i64_round_trip),
    T(u64_round_trip),
    T(f64_round_trip),
    T(merges_and_typed_calls_see_the_same_numbers),
    T(a_struct_goes_in_and_comes_back_in_place),
    T(number_keys_come_back_and_sort_as_numbers),
    T(a_scan_of_number_keys_is_in_numeric_order),
    T(a_refused_allocation_changes_nothing),
};

TEST_MAIN(tests)
