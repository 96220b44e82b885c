/*
 * test_borrowed.c - keys that lie in the store whose call they are given to (Lifetimes of tarn.h)
 *
 *     tarn_next(it, &key, NULL);    key.data -> | head | key | value |  a record of this store
 *     tarn_put(table, key.data, ...)            which is moved, made longer or freed by that call
 *
 * Whatever a call does to the record, it must have read the key before. Keys and values have the
 * lengths at which a record's head changes its form, and a value grows and shrinks within its slot
 * and beyond it.
 */
#include "store_fixture.h"

static const size_t key_lengths[] = { 0, 1, 7, 8, 9, 100, 253, 254, 255, 256, 300, 65535 };
static const size_t value_lengths[] = { 0, 1, 8, 100, 4000, 65400, 65534, 65535, 65536, 70000 };

#define KEYS TN_ARRAY_COUNT(key_lengths)
#define VALUES TN_ARRAY_COUNT(value_lengths)
#define KEY_BYTES_MAX 65535
#define VALUE_BYTES_MAX 70000

static uint8_t key_bytes_of[KEYS][KEY_BYTES_MAX];
static uint8_t value_bytes_of[VALUE_BYTES_MAX];

static void bytes_make(void)
{
    size_t k, i;

    for (k = 0; k < KEYS; k++)
        for (i = 0; i < key_lengths[k]; i++)
            key_bytes_of[k][i] = (uint8_t)(k * 17 + i * 7 + i / 256);
    for (i = 0; i < sizeof value_bytes_of; i++)
        value_bytes_of[i] = (uint8_t)(i * 11 + i / 256 + 3);
}

static void put(struct fixture *f, size_t k, size_t value_bytes)
{
    check_ok(tarn_put(f->table, key_bytes_of[k], key_lengths[k], value_bytes_of, value_bytes));
}

/* The key of entry k as the store has it. */
static tarn_bytes key_in_store(struct fixture *f, size_t k)
{
    tarn_bytes key = { 0 };
    tarn_iterator *it;

    check_ok(tarn_scan(&it, f->table, NULL));
    while (tarn_next(it, &key, NULL) == TARN_OK)
        if (key.bytes == key_lengths[k])
            break;
    check_ok(tarn_iterator_close(it));
    check_eq(key.bytes, key_lengths[k]);
    check(key.data != key_bytes_of[k]);
    return key;
}

static void entry_is(tarn_table *table, size_t k, size_t value_bytes)
{
    const void *value;
    size_t bytes;

    check_ok(tarn_get(table, key_bytes_of[k], key_lengths[k], &value, &bytes));
    check_bytes(value, bytes, value_bytes_of, value_bytes);
}

static void all_kinds(void (*run)(struct fixture *f))
{
    bytes_make();
    each_kind(run);
}

/* ---- values that grow and shrink ------------------------------------------------------------- */

static void run_put(struct fixture *f)
{
    size_t k, from, to;

    for (from = 0; from < VALUES && test_failures == 0; from++)
        for (to = 0; to < VALUES && test_failures == 0; to++)
            for (k = 0; k < KEYS; k++) {
                tarn_bytes key;

                put(f, k, value_lengths[from]);
                key = key_in_store(f, k);
                check_ok(
                    tarn_put(f->table, key.data, key.bytes, value_bytes_of, value_lengths[to]));
                entry_is(f->table, k, value_lengths[to]);
                check_eq(tarn_table_count(f->table), from + to == 0 ? k + 1 : KEYS);
            }
}

static void a_key_that_lies_in_the_store_can_be_put(void)
{
    all_kinds(run_put);
}

static void run_put_under_snapshots(struct fixture *f)
{
    tarn_snapshot *snapshots[2];
    tarn_table *view;
    size_t k, s;

    for (k = 0; k < KEYS; k++)
        put(f, k, value_lengths[k % VALUES]);
    for (s = 0; s < 2; s++) {
        check_ok(tarn_snapshot_take(&snapshots[s], f->store));
        for (k = 0; k < KEYS; k++) {
            tarn_bytes key = key_in_store(f, k);

            check_ok(tarn_put(f->table, key.data, key.bytes, value_bytes_of,
                              value_lengths[(k + s + 1) % VALUES]));
        }
    }
    for (k = 0; k < KEYS; k++)
        entry_is(f->table, k, value_lengths[(k + 2) % VALUES]);
    for (s = 0; s < 2; s++) {
        check_ok(tarn_snapshot_table(&view, snapshots[s], "table"));
        for (k = 0; k < KEYS; k++)
            entry_is(view, k, value_lengths[(k + s) % VALUES]);
        check_ok(tarn_snapshot_release(snapshots[s]));
    }
}

static void a_key_that_lies_in_the_store_can_be_put_under_snapshots(void)
{
    all_kinds(run_put_under_snapshots);
}

static void run_append(struct fixture *f)
{
    size_t k, step;

    for (k = 0; k < KEYS; k++) {
        size_t bytes = 0;

        put(f, k, 0);
        for (step = 1; bytes + step <= VALUE_BYTES_MAX; step *= 2) {
            tarn_bytes key = key_in_store(f, k);

            check_ok(tarn_append(f->table, key.data, key.bytes, value_bytes_of + bytes, step));
            bytes += step;
            entry_is(f->table, k, bytes);
        }
    }
}

static void a_key_that_lies_in_the_store_can_be_appended_to(void)
{
    all_kinds(run_append);
}

/* ---- entries that go ------------------------------------------------------------------------- */

/* So many small entries that deletes leave chunks sparse, and records are moved. */
#define CROWD 5000u

static void run_delete_as_it_goes(struct fixture *f)
{
    uint64_t i, seen = 0, taken = 0;
    tarn_bytes key, value;
    tarn_iterator *it;
    const void *lent;
    size_t lent_bytes;

    for (i = 0; i < CROWD; i++)
        check_ok(tarn_put(f->table, &i, sizeof i, value_bytes_of + i % 50, 100));
    check_ok(tarn_scan(&it, f->table, NULL));
    while (tarn_next(it, &key, &value) == TARN_OK && test_failures == 0) {
        memcpy(&i, key.data, sizeof i);
        check_bytes(value.data, value.bytes, value_bytes_of + i % 50, 100);
        seen++;
        if (seen % 8 == 0)
            continue;
        if (seen % 2 == 0) {
            check_ok(tarn_delete(f->table, key.data, key.bytes));
        } else {
            check_ok(tarn_take(f->table, key.data, key.bytes, &lent, &lent_bytes));
            check_bytes(lent, lent_bytes, value_bytes_of + i % 50, 100);
            taken++;
        }
        check_eq(tarn_contains(f->table, &i, sizeof i), TARN_ABSENT);
    }
    check_ok(tarn_iterator_close(it));
    check_eq(seen, CROWD);
    check_eq(taken, CROWD / 2);
    check_eq(tarn_table_count(f->table), CROWD / 8);
}

static void a_key_that_lies_in_the_store_can_be_deleted_and_taken(void)
{
    all_kinds(run_delete_as_it_goes);
}

static void run_delete_lengths(struct fixture *f)
{
    tarn_snapshot *snapshot;
    tarn_table *view;
    tarn_bytes key;
    size_t k;

    for (k = 0; k < KEYS; k++)
        put(f, k, value_lengths[k % VALUES]);
    check_ok(tarn_snapshot_take(&snapshot, f->store));
    for (k = 0; k < KEYS; k++) {
        key = key_in_store(f, k);
        check_ok(tarn_delete(f->table, key.data, key.bytes));
        check_eq(tarn_contains(f->table, key_bytes_of[k], key_lengths[k]), TARN_ABSENT);
    }
    check_eq(tarn_table_count(f->table), 0);
    check_ok(tarn_snapshot_table(&view, snapshot, "table"));
    for (k = 0; k < KEYS; k++)
        entry_is(view, k, value_lengths[k % VALUES]);
    check_ok(tarn_snapshot_release(snapshot));
}

static void a_key_of_any_length_that_lies_in_the_store_can_be_deleted(void)
{
    all_kinds(run_delete_lengths);
}

/* ---- other calls ----------------------------------------------------------------------------- */

static void run_in_place(struct fixture *f)
{
    uint8_t number[8] = { 0 };
    tarn_bytes key;
    int64_t sum;
    void *place;
    size_t k;

    for (k = 0; k < KEYS; k++) {
        check_ok(tarn_put(f->table, key_bytes_of[k], key_lengths[k], number, sizeof number));
        key = key_in_store(f, k);
        check_ok(tarn_add_i64(f->table, key.data, key.bytes, 40, NULL));
        check_ok(tarn_modify(f->table, key.data, key.bytes, sizeof number, &place));
        ((uint8_t *)place)[0] += 1;
        key = key_in_store(f, k);
        check_ok(tarn_max_i64(f->table, key.data, key.bytes, 41, &sum));
        check_eq(sum, 41);
        check_eq(tarn_put_if_absent(f->table, key.data, key.bytes, "", 0, NULL, NULL),
                 TARN_PRESENT);
    }
}

static void a_key_that_lies_in_the_store_can_be_changed_in_place(void)
{
    all_kinds(run_in_place);
}

/* A value that one table lends is a key that another one adds. */
static void run_value_as_key(struct fixture *f)
{
    tarn_table *other;
    tarn_dict *words;
    const void *value, *again;
    size_t bytes, k;
    uint32_t code;
    int64_t sum;
    void *place;

    check_ok(tarn_table_open(&other, f->store, "other", NULL));
    check_ok(tarn_dict_open(&words, f->store, "words", NULL));
    for (k = 0; k < KEYS; k++)
        check_ok(tarn_put(f->table, &k, sizeof k, key_bytes_of[k], key_lengths[k]));
    for (k = 0; k < KEYS; k++) {
        check_ok(tarn_get(f->table, &k, sizeof k, &value, &bytes));
        check_ok(tarn_dict_encode(words, value, bytes, &code));
        check_eq(code, k);
        check_ok(tarn_get(f->table, &k, sizeof k, &value, &bytes));
        switch (k % 4) {
        case 0:
            check_ok(tarn_put(other, value, bytes, "1234567", 8));
            break;
        case 1:
            check_ok(tarn_put_if_absent(other, value, bytes, "1234567", 8, NULL, NULL));
            break;
        case 2:
            check_ok(tarn_modify(other, value, bytes, 8, &place));
            memcpy(place, "1234567", 8);
            break;
        default:
            check_ok(tarn_add_i64(other, value, bytes, 0x0037363534333231, &sum));
            break;
        }
        check_ok(tarn_get(other, key_bytes_of[k], key_lengths[k], &again, &bytes));
        check_bytes(again, bytes, "1234567", 8);
    }
    check_eq(tarn_table_count(other), KEYS);
}

static void a_value_of_one_table_can_be_a_key_of_another(void)
{
    all_kinds(run_value_as_key);
}

static void a_dictionary_finds_the_keys_that_it_lends(void)
{
    struct fixture f;
    tarn_dict *words;
    tarn_bytes key;
    uint32_t code;
    size_t k;

    bytes_make();
    fixture_open(&f, NULL, 0);
    check_ok(tarn_dict_open(&words, f.store, "words", NULL));
    for (k = 0; k < KEYS; k++)
        check_ok(tarn_dict_encode(words, key_bytes_of[k], key_lengths[k], &code));
    for (k = 0; k < KEYS; k++) {
        check_ok(tarn_dict_decode(words, (uint32_t)k, &key));
        check_ok(tarn_dict_find(words, key.data, key.bytes, &code));
        check_eq(code, k);
        check_ok(tarn_dict_encode(words, key.data, key.bytes, &code));
        check_eq(code, k);
    }
    check_eq(tarn_dict_count(words), KEYS);
    fixture_close(&f);
}

static const struct test tests[] = {
    T(a_key_that_lies_in_the_store_can_be_put),
    T(a_key_that_lies_in_the_store_can_be_put_under_snapshots),
    T(a_key_that_lies_in_the_store_can_be_appended_to),
    T(a_key_that_lies_in_the_store_can_be_deleted_and_taken),
    T(a_key_of_any_length_that_lies_in_the_store_can_be_deleted),
    T(a_key_that_lies_in_the_store_can_be_changed_in_place),
    T(a_value_of_one_table_can_be_a_key_of_another),
    T(a_dictionary_finds_the_keys_that_it_lends),
};

TEST_MAIN(tests)
