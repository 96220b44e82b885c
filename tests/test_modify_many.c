/*
 * test_modify_many.c - tarn_modify_many and tarn_get_many: every sentence of tarn.h about them
 */
#include "store_fixture.h"

#define KEYS 300

struct batch {
    uint8_t bytes[KEYS][16];
    tarn_bytes keys[KEYS];
    void *values[KEYS];
    tarn_bytes found[KEYS];
};

static struct batch batch;

/* `count` keys of key_bytes bytes: the numbers first, first + step, ... */
static void batch_fill(size_t count, size_t key_bytes, uint64_t first, uint64_t step)
{
    size_t i;

    memset(&batch, 0, sizeof batch);
    for (i = 0; i < count; i++) {
        tn_store_be64(batch.bytes[i] + key_bytes - 8, first + i * step);
        batch.keys[i] = (tarn_bytes){ batch.bytes[i], key_bytes };
    }
}

static uint64_t number_at(const void *at)
{
    return tn_load_le64(at);
}

/* ---- modify_many ----------------------------------------------------------------------------- */

static void run_modify(struct fixture *f)
{
    static const size_t counts[] = { 0, 1, 2, 31, 32, 33, 64, 65, 299, 300 };
    static const size_t lengths[] = { 8, 9, 16 };
    size_t c, l, i;

    for (l = 0; l < TN_ARRAY_COUNT(lengths); l++)
        for (c = 0; c < TN_ARRAY_COUNT(counts); c++) {
            batch_fill(counts[c], lengths[l], 1000, 1);
            check_ok(tarn_table_clear(f->table));
            check_ok(tarn_modify_many(f->table, batch.keys, counts[c], 8, batch.values));
            check_eq(tarn_table_count(f->table), counts[c]);
            for (i = 0; i < counts[c]; i++) {
                check_eq((uintptr_t)batch.values[i] % 8, 0);
                check_eq(number_at(batch.values[i]), 0);
                tn_store_le64(batch.values[i], i + 1);
            }
            check_ok(tarn_modify_many(f->table, batch.keys, counts[c], 8, batch.values));
            check_eq(tarn_table_count(f->table), counts[c]);
            for (i = 0; i < counts[c]; i++) {
                const void *value = NULL;
                size_t bytes;

                check_eq(number_at(batch.values[i]), i + 1);
                check_ok(tarn_get(f->table, batch.keys[i].data, lengths[l], &value, &bytes));
                check(value == batch.values[i]);
            }
        }
}

static void modify_many_gives_a_writable_value_for_each_key_zero_when_new(void)
{
    each_kind(run_modify);
}

/* Thousands of keys come while earlier pointers are held, so the index grows under them. */
static void run_pointers(struct fixture *f)
{
    enum { MANY = 20000 };
    tarn_bytes *keys = calloc(MANY, sizeof *keys);
    void **values = calloc(MANY, sizeof *values);
    uint64_t *numbers = calloc(MANY, sizeof *numbers), i;

    for (i = 0; i < MANY; i++) {
        numbers[i] = i * 7919 % MANY; /* a permutation */
        keys[i] = (tarn_bytes){ &numbers[i], sizeof numbers[i] };
    }
    check_ok(tarn_modify_many(f->table, keys, MANY, 24, values));
    for (i = 0; i < MANY; i++)
        memset(values[i], (int)(i % 251), 24);
    for (i = 0; i < MANY; i++) {
        const uint8_t *at = NULL;
        const void *value = NULL;
        size_t bytes = 0;

        check_ok(tarn_get(f->table, keys[i].data, 8, &value, &bytes));
        at = value;
        check(value == values[i] && bytes == 24 && at[0] == i % 251 && at[23] == i % 251);
    }
    free(keys);
    free(values);
    free(numbers);
}

static void all_pointers_are_good_together(void)
{
    each_kind(run_pointers);
}

static void run_repeated(struct fixture *f)
{
    size_t i;

    batch_fill(KEYS, 8, 5, 0); /* one key, again and again */
    check_ok(tarn_modify_many(f->table, batch.keys, KEYS, 8, batch.values));
    check_eq(tarn_table_count(f->table), 1);
    for (i = 0; i < KEYS; i++) {
        check(batch.values[i] == batch.values[0]);
        tn_store_le64(batch.values[i], number_at(batch.values[i]) + 1);
    }
    check_ok(tarn_modify_many(f->table, batch.keys, 1, 8, batch.values));
    check_eq(number_at(batch.values[0]), KEYS);
}

static void repeated_keys_give_the_same_pointer(void)
{
    each_kind(run_repeated);
}

static void run_empty_values(struct fixture *f)
{
    size_t i;

    batch_fill(KEYS, 8, 0, 1);
    check_ok(tarn_modify_many(f->table, batch.keys, KEYS, 0, batch.values));
    for (i = 0; i < KEYS; i++)
        check(batch.values[i] != NULL && (uintptr_t)batch.values[i] % 8 == 0);
    check_eq(tarn_table_bytes(f->table), KEYS * 8);
}

static void values_may_be_empty(void)
{
    each_kind(run_empty_values);
}

/* 100 entries of 8 bytes, keys 0, 3, 6, ...; key 150 has another size. */
static void fill_thirds(struct fixture *f)
{
    uint8_t key[8];
    uint64_t i;

    for (i = 0; i < 300; i += 3) {
        tn_store_be64(key, i);
        check_ok(tarn_put(f->table, key, sizeof key, &i, i == 150 ? 7 : 8));
    }
    check_ok(tarn_commit(f->store, NULL, 0, 0));
}

static void thirds_are_as_before(struct fixture *f)
{
    uint8_t key[8];
    uint64_t i, before, after;

    check_eq(tarn_table_count(f->table), 100);
    for (i = 0; i < 300; i += 3) {
        const void *value = NULL;
        size_t bytes;

        tn_store_be64(key, i);
        check_ok(tarn_get(f->table, key, sizeof key, &value, &bytes));
        check_bytes(value, bytes, &i, i == 150 ? 7 : 8);
    }
    check_ok(tarn_last_commit(f->store, &before, NULL));
    check_ok(tarn_commit(f->store, NULL, 0, 0));
    check_ok(tarn_last_commit(f->store, &after, NULL));
    check_eq(after, before);
    fixture_check(f);
}

static void run_type_error(struct fixture *f)
{
    fill_thirds(f);
    batch_fill(KEYS, 8, 0, 1);
    check_eq(tarn_modify_many(f->table, batch.keys, KEYS, 8, batch.values), TARN_E_TYPE);
    check(strstr(tarn_error_text(f->store), "key 150 of the array has 7 bytes, not 8") != NULL);
    thirds_are_as_before(f);
    /* The failing key alone, last, and behind a repeated new one. */
    batch_fill(1, 8, 150, 0);
    check_eq(tarn_modify_many(f->table, batch.keys, 1, 8, batch.values), TARN_E_TYPE);
    batch_fill(151, 8, 0, 1);
    check_eq(tarn_modify_many(f->table, batch.keys, 151, 8, batch.values), TARN_E_TYPE);
    batch_fill(3, 8, 1, 0);
    tn_store_be64(batch.bytes[2], 150);
    check_eq(tarn_modify_many(f->table, batch.keys, 3, 8, batch.values), TARN_E_TYPE);
    thirds_are_as_before(f);
}

static void a_value_of_another_size_fails_all_and_nothing_changes(void)
{
    each_kind(run_type_error);
}

static void run_misuse(struct fixture *f)
{
    static uint8_t long_key[TARN_KEY_BYTES_MAX + 1];

    batch_fill(KEYS, 8, 0, 1);
    check_eq(tarn_modify_many(NULL, batch.keys, 1, 8, batch.values), TARN_E_MISUSE);
    check_eq(tarn_modify_many(f->table, NULL, 1, 8, batch.values), TARN_E_MISUSE);
    check_eq(tarn_modify_many(f->table, batch.keys, 1, 8, NULL), TARN_E_MISUSE);
    check_eq(
        tarn_modify_many(f->table, batch.keys, 1, (size_t)TARN_VALUE_BYTES_MAX + 1, batch.values),
        TARN_E_MISUSE);
    check_ok(tarn_modify_many(f->table, NULL, 0, 8, NULL));
    batch.keys[77].bytes = sizeof long_key;
    batch.keys[77].data = long_key;
    check_eq(tarn_modify_many(f->table, batch.keys, KEYS, 8, batch.values), TARN_E_MISUSE);
    check(strstr(tarn_error_text(f->store), "key 77 ") != NULL);
    batch.keys[77] = (tarn_bytes){ NULL, 1 };
    check_eq(tarn_modify_many(f->table, batch.keys, KEYS, 8, batch.values), TARN_E_MISUSE);
    check_eq(tarn_table_count(f->table), 0);
    batch.keys[77] = (tarn_bytes){ NULL, 0 }; /* the empty key is a key */
    check_ok(tarn_modify_many(f->table, batch.keys, KEYS, 8, batch.values));
    check_ok(tarn_contains(f->table, "", 0));
}

static void misuse_is_answered_names_the_key_and_changes_nothing(void)
{
    each_kind(run_misuse);
}

static int call_modify_many(struct fixture *f)
{
    int result;

    batch_fill(KEYS, 8, 0, 1);
    batch.keys[150] = batch.keys[149]; /* not the one of another size */
    result = tarn_modify_many(f->table, batch.keys, KEYS, 8, batch.values);
    if (result < 0)
        check(strstr(tarn_error_text(f->store), "(at key ") != NULL);
    return result;
}

static void a_refused_allocation_changes_nothing_at_any_key(void)
{
    const tarn_table_options kinds[] = { { .kind = TARN_ORDERED }, { .kind = TARN_UNORDERED } };
    size_t k;

    for (k = 0; k < TN_ARRAY_COUNT(kinds); k++)
        check(refusals(&kinds[k], fill_thirds, call_modify_many, thirds_are_as_before) > 1);
}

static void a_full_store_changes_nothing(void)
{
    struct fixture f;

    fixture_open(&f, NULL, TN_MIB);
    fill_thirds(&f);
    batch_fill(KEYS, 8, 1000, 1);
    check_eq(tarn_modify_many(f.table, batch.keys, KEYS, 10000, batch.values), TARN_E_FULL);
    check(strstr(tarn_error_text(f.store), "nothing was changed") != NULL);
    thirds_are_as_before(&f);
    fixture_close(&f);
}

static void run_iterators(struct fixture *f)
{
    tarn_iterator *it;
    tarn_bytes key;
    uint8_t seen[300] = { 0 };
    size_t i;

    fill_thirds(f);
    check_ok(tarn_scan(&it, f->table, NULL));
    for (i = 0; i < 50; i++) {
        check_ok(tarn_next(it, &key, NULL));
        check_eq(seen[tn_load_be64(key.data)]++, 0);
    }
    batch_fill(149, 8, 0, 1);
    check_ok(tarn_modify_many(f->table, batch.keys, 149, 8, batch.values));
    batch_fill(KEYS, 8, 0, 1);
    check_eq(tarn_modify_many(f->table, batch.keys, KEYS, 8, batch.values), TARN_E_TYPE);
    while (tarn_next(it, &key, NULL) == TARN_OK)
        check_eq(seen[tn_load_be64(key.data)]++, 0);
    for (i = 0; i < 300; i += 3)
        check_eq(seen[i], 1);
    check_ok(tarn_iterator_close(it));
}

static void iterators_open_meanwhile_give_what_was_there_once(void)
{
    each_kind(run_iterators);
}

static void a_typed_table_takes_its_size_only(void)
{
    const tarn_table_options options = { .type = TARN_U32 };
    struct fixture f;

    fixture_open(&f, &options, 0);
    batch_fill(KEYS, 8, 0, 1);
    check_eq(tarn_modify_many(f.table, batch.keys, KEYS, 8, batch.values), TARN_E_TYPE);
    check_eq(tarn_table_count(f.table), 0);
    check_ok(tarn_modify_many(f.table, batch.keys, KEYS, 4, batch.values));
    check_eq(tarn_table_count(f.table), KEYS);
    fixture_close(&f);
}

/* ---- get_many -------------------------------------------------------------------------------- */

/* Every second key is there; batches are all of 8 bytes, none of them, or mixed. */
static void run_get(struct fixture *f)
{
    size_t mix, i;

    for (mix = 0; mix < 4; mix++) {
        batch_fill(KEYS, 16, 0, 1);
        for (i = 0; i < KEYS; i++) {
            size_t bytes = mix == 0 ? 8 : mix == 1 ? 16 : mix == 2 ? 8 + i % 9 : i % 16;

            batch.keys[i] = (tarn_bytes){ batch.bytes[i] + 16 - bytes, bytes };
            if (i % 2 == 0)
                check_ok(tarn_put(f->table, batch.keys[i].data, bytes, batch.bytes[i], 16));
            else
                check(tarn_delete(f->table, batch.keys[i].data, bytes) >= 0);
        }
        check_ok(tarn_get_many(f->table, batch.keys, KEYS, batch.found));
        for (i = 0; i < KEYS; i++) {
            const void *value = NULL;
            size_t bytes = 0;
            int one = tarn_get(f->table, batch.keys[i].data, batch.keys[i].bytes, &value, &bytes);

            check_eq(one == TARN_OK, batch.found[i].data != NULL);
            check(batch.found[i].data == value && batch.found[i].bytes == bytes);
        }
    }
}

static void get_many_answers_what_get_answers(void)
{
    each_kind(run_get);
}

/* Keys whose 31 hash bits agree: the first guess is the wrong entry for one of them. */
static void keys_that_share_their_hash_bits_are_told_apart(void)
{
    enum { NUMBERS = 1 << 18 };
    const tarn_table_options options = { .kind = TARN_UNORDERED };
    uint64_t *by_hash = calloc(NUMBERS, sizeof *by_hash), pairs = 0, i;
    struct fixture f;

    fixture_open(&f, &options, 0);
    for (i = 0; i < NUMBERS && pairs < 5; i++) {
        uint32_t hash31 = tn_hash31(tn_hash(&f.table->secret, &i, sizeof i));
        uint64_t *slot = &by_hash[hash31 % NUMBERS];
        const uint64_t other = *slot - 1;

        if (*slot != 0 && tn_hash31(tn_hash(&f.table->secret, &other, 8)) == hash31) {
            tarn_bytes keys[3] = { { &i, 8 }, { &other, 8 }, { &i, 8 } }, values[3];

            check_ok(tarn_put(f.table, &i, 8, &i, 8));
            check_ok(tarn_get_many(f.table, keys, 3, values));
            check(values[0].data != NULL && values[1].data == NULL && values[2].data != NULL);
            check_ok(tarn_put(f.table, &other, 8, &other, 8));
            check_ok(tarn_get_many(f.table, keys, 3, values));
            check_bytes(values[0].data, values[0].bytes, &i, 8);
            check_bytes(values[1].data, values[1].bytes, &other, 8);
            check_bytes(values[2].data, values[2].bytes, &i, 8);
            pairs++;
        }
        *slot = i + 1;
    }
    check(pairs > 0);
    free(by_hash);
    fixture_close(&f);
}

static const struct test tests[] = {
    T(modify_many_gives_a_writable_value_for_each_key_zero_when_new),
    T(all_pointers_are_good_together),
    T(repeated_keys_give_the_same_pointer),
    T(values_may_be_empty),
    T(a_value_of_another_size_fails_all_and_nothing_changes),
    T(misuse_is_answered_names_the_key_and_changes_nothing),
    T(a_refused_allocation_changes_nothing_at_any_key),
    T(a_full_store_changes_nothing),
    T(iterators_open_meanwhile_give_what_was_there_once),
    T(a_typed_table_takes_its_size_only),
    T(get_many_answers_what_get_answers),
    T(keys_that_share_their_hash_bits_are_told_apart),
};

TEST_MAIN(tests)
