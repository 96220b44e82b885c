/*
 * test_misuse.c - every call, with no handle, with the handle of a parent, and with arguments it
 * cannot take
 *
 * A fork is the simulated system's: the marks of all stores read 0 from then on, as they do in a
 * child.
 */
#include "store/store.h"

#include "os/simulated.h"
#include "test.h"

struct world {
    struct tn_simulated *system;
    tarn_store *store;
    tarn_table *table, *unordered, *view, *unordered_view;
    tarn_dict *dict;
    tarn_snapshot *snapshot;
    tarn_iterator *it, *view_it;
};

static void world_open(struct world *w)
{
    struct tn_os os;

    *w = (struct world){ .system = tn_simulated_new(NULL) };
    os = tn_simulated_os(w->system);
    check_ok(tn_store_open(&w->store, NULL, &(tarn_options){ .address_bytes = TN_GIB }, &os));
    check_ok(tarn_table_open(&w->table, w->store, "t", NULL));
    check_ok(tarn_table_open(&w->unordered, w->store, "u",
                             &(tarn_table_options){ .kind = TARN_UNORDERED }));
    check_ok(tarn_dict_open(&w->dict, w->store, "d", NULL));
    check_ok(tarn_put(w->table, "k", 1, "v", 1));
    check_ok(tarn_put(w->unordered, "eightkey", 8, "v", 1));
    check_ok(tarn_snapshot_take(&w->snapshot, w->store));
    check_ok(tarn_snapshot_table(&w->view, w->snapshot, "t"));
    check_ok(tarn_snapshot_table(&w->unordered_view, w->snapshot, "u"));
    check_ok(tarn_scan(&w->it, w->table, NULL));
    check_ok(tarn_scan(&w->view_it, w->view, NULL));
}

static void world_close(struct world *w)
{
    check_ok(tarn_iterator_close(w->it));
    check_ok(tarn_iterator_close(w->view_it));
    check_ok(tarn_snapshot_release(w->snapshot));
    check_ok(tarn_close(w->store));
    tn_simulated_free(w->system);
}

/* Every call that takes a table, with arguments that are right. */
static void table_refuses_everything(tarn_table *t)
{
    const tarn_bytes key = { "k", 1 };
    tarn_table_options options;
    tarn_bytes value;
    tarn_iterator *it;
    const void *data;
    size_t bytes;
    void *place;

    check_eq(tarn_get(t, "k", 1, &data, &bytes), TARN_E_MISUSE);
    check_eq(tarn_get(t, "eightkey", 8, &data, &bytes), TARN_E_MISUSE);
    check_eq(tarn_get_many(t, &key, 1, &value), TARN_E_MISUSE);
    check_eq(tarn_contains(t, "k", 1), TARN_E_MISUSE);
    check_eq(tarn_contains(t, "eightkey", 8), TARN_E_MISUSE);
    check_eq(tarn_get_as(t, TARN_U64, "k", 1, &data, 8), TARN_E_MISUSE);
    check_eq(tarn_scan(&it, t, NULL), TARN_E_MISUSE);
    check(it == NULL);
    check_eq(tarn_put(t, "k", 1, "v", 1), TARN_E_MISUSE);
    check_eq(tarn_put_if_absent(t, "k", 1, "v", 1, NULL, NULL), TARN_E_MISUSE);
    check_eq(tarn_put_as(t, TARN_U64, "k", 1, "12345678", 8), TARN_E_MISUSE);
    check_eq(tarn_modify(t, "k", 1, 1, &place), TARN_E_MISUSE);
    check_eq(tarn_modify_as(t, TARN_U64, "k", 1, 8, &place), TARN_E_MISUSE);
    check_eq(tarn_modify_many(t, &key, 1, 1, &place), TARN_E_MISUSE);
    check_eq(tarn_delete(t, "k", 1), TARN_E_MISUSE);
    check_eq(tarn_take(t, "k", 1, &data, &bytes), TARN_E_MISUSE);
    check_eq(tarn_add_i64(t, "k", 1, 1, NULL), TARN_E_MISUSE);
    check_eq(tarn_min_i64(t, "k", 1, 1, NULL), TARN_E_MISUSE);
    check_eq(tarn_max_i64(t, "k", 1, 1, NULL), TARN_E_MISUSE);
    check_eq(tarn_add_f64(t, "k", 1, 1, NULL), TARN_E_MISUSE);
    check_eq(tarn_min_f64(t, "k", 1, 1, NULL), TARN_E_MISUSE);
    check_eq(tarn_max_f64(t, "k", 1, 1, NULL), TARN_E_MISUSE);
    check_eq(tarn_append(t, "k", 1, "v", 1), TARN_E_MISUSE);
    check_eq(tarn_table_clear(t), TARN_E_MISUSE);
    check_eq(tarn_table_drop(t), TARN_E_MISUSE);
    check_eq(tarn_table_describe(t, &options), TARN_E_MISUSE);
    check_eq(tarn_table_count(t), 0);
    check_eq(tarn_table_bytes(t), 0);
}

static void dict_refuses_everything(tarn_dict *d)
{
    const tarn_bytes key = { "k", 1 };
    tarn_bytes word;
    uint32_t code;

    check_eq(tarn_dict_encode(d, "k", 1, &code), TARN_E_MISUSE);
    check_eq(tarn_dict_encode_many(d, &key, 1, &code), TARN_E_MISUSE);
    check_eq(tarn_dict_find(d, "k", 1, &code), TARN_E_MISUSE);
    check_eq(tarn_dict_decode(d, 0, &word), TARN_E_MISUSE);
    check_eq(tarn_dict_clear(d), TARN_E_MISUSE);
    check_eq(tarn_dict_drop(d), TARN_E_MISUSE);
    check_eq(tarn_dict_count(d), 0);
}

static void store_refuses_everything(tarn_store *s)
{
    tarn_statistics stat;
    tarn_snapshot *snapshot;
    tarn_table_info info;
    tarn_table *table;
    tarn_dict *dict;

    check_eq(tarn_table_open(&table, s, "t", NULL), TARN_E_MISUSE);
    check(table == NULL);
    check_eq(tarn_dict_open(&dict, s, "d", NULL), TARN_E_MISUSE);
    check(dict == NULL);
    check_eq(tarn_snapshot_take(&snapshot, s), TARN_E_MISUSE);
    check(snapshot == NULL);
    check_eq(tarn_commit(s, "", 0, 0), TARN_E_MISUSE);
    check_eq(tarn_last_commit(s, NULL, NULL), TARN_E_MISUSE);
    check_eq(tarn_work(s, 1), TARN_E_MISUSE);
    check_eq(tarn_stat(s, &stat), TARN_E_MISUSE);
    check_eq(tarn_table_at(s, 0, &info), TARN_E_MISUSE);
    check_eq(tarn_import(s, 0), TARN_E_MISUSE);
}

static void no_handle_is_misuse(void)
{
    tarn_table *table;
    tarn_bytes key;

    table_refuses_everything(NULL);
    dict_refuses_everything(NULL);
    store_refuses_everything(NULL);
    check_eq(tarn_next(NULL, &key, NULL), TARN_E_MISUSE);
    check_eq(tarn_seek(NULL, "k", 1), TARN_E_MISUSE);
    check_eq(tarn_snapshot_table(&table, NULL, "t"), TARN_E_MISUSE);
    check_eq(tarn_snapshot_restore(NULL), TARN_E_MISUSE);
    check(tarn_table_name(NULL) == NULL);
    check(tarn_error_text(NULL)[0] != 0);
    check_ok(tarn_close(NULL));
    check_ok(tarn_table_close(NULL));
    check_ok(tarn_dict_close(NULL));
    check_ok(tarn_iterator_close(NULL));
    check_ok(tarn_snapshot_release(NULL));
    check_ok(tarn_budget_close(NULL));
}

/* After a fork all handles are a parent's, and each call says so and leaves them alone. */
static void every_handle_of_a_parent_is_misuse(void)
{
    struct world w;
    tarn_table *table;
    tarn_bytes key;

    world_open(&w);
    *w.store->fork_mark = 0;
    table_refuses_everything(w.table);
    table_refuses_everything(w.unordered);
    table_refuses_everything(w.view);
    dict_refuses_everything(w.dict);
    store_refuses_everything(w.store);
    check_eq(tarn_next(w.it, &key, NULL), TARN_E_MISUSE);
    check_eq(tarn_next(w.view_it, &key, NULL), TARN_E_MISUSE);
    check_eq(tarn_seek(w.it, "k", 1), TARN_E_MISUSE);
    check_eq(tarn_seek(w.view_it, "k", 1), TARN_E_MISUSE);
    check_eq(tarn_iterator_close(w.it), TARN_E_MISUSE);
    check_eq(tarn_iterator_close(w.view_it), TARN_E_MISUSE);
    check_eq(tarn_table_close(w.table), TARN_E_MISUSE);
    check_eq(tarn_table_close(w.view), TARN_E_MISUSE);
    check_eq(tarn_dict_close(w.dict), TARN_E_MISUSE);
    check_eq(tarn_snapshot_table(&table, w.snapshot, "t"), TARN_E_MISUSE);
    check_eq(tarn_snapshot_restore(w.snapshot), TARN_E_MISUSE);
    check_eq(tarn_snapshot_release(w.snapshot), TARN_E_MISUSE);
    check_eq(tarn_close(w.store), TARN_E_MISUSE);
    *w.store->fork_mark = 1; /* back in the parent */
    check_eq(tarn_table_count(w.table), 1);
    world_close(&w);
}

/* A table of a snapshot that was released told its kind and type still. */
static void a_table_of_a_released_snapshot_is_not_described(void)
{
    struct world w;
    tarn_table_options options = { .kind = 77 };

    world_open(&w);
    check_ok(tarn_table_describe(w.view, &options));
    check_eq(options.kind, TARN_ORDERED);
    check_ok(tarn_iterator_close(w.view_it));
    check_ok(tarn_snapshot_release(w.snapshot));
    options.kind = 77;
    check_eq(tarn_table_describe(w.view, &options), TARN_E_MISUSE);
    check_eq(options.kind, 77);
    w.snapshot = NULL;
    w.view_it = NULL;
    world_close(&w);
}

static void reading_calls_refuse_what_they_cannot_take(tarn_table *t)
{
    static uint8_t long_key[TARN_KEY_BYTES_MAX + 1];
    const tarn_bytes keys[] = { { "k", 1 }, { NULL, 1 } }, too_long = { long_key, sizeof long_key };
    const tarn_range range = { .lower = { NULL, 3 } };
    tarn_bytes values[2];
    const void *data;
    tarn_iterator *it;
    size_t bytes;

    check_eq(tarn_get(t, NULL, 1, &data, &bytes), TARN_E_MISUSE);
    check_eq(tarn_get(t, long_key, sizeof long_key, &data, &bytes), TARN_E_MISUSE);
    check_eq(tarn_get(t, "k", 1, NULL, &bytes), TARN_E_MISUSE);
    check_eq(tarn_get(t, "k", 1, &data, NULL), TARN_E_MISUSE);
    check_eq(tarn_get(t, NULL, 8, &data, &bytes), TARN_E_MISUSE);
    check_eq(tarn_get(t, "eightkey", 8, NULL, &bytes), TARN_E_MISUSE);
    check_eq(tarn_get(t, "eightkey", 8, &data, NULL), TARN_E_MISUSE);
    check_eq(tarn_contains(t, NULL, 1), TARN_E_MISUSE);
    check_eq(tarn_contains(t, NULL, 8), TARN_E_MISUSE);
    check_eq(tarn_contains(t, long_key, sizeof long_key), TARN_E_MISUSE);
    check_eq(tarn_get_many(t, NULL, 1, values), TARN_E_MISUSE);
    check_eq(tarn_get_many(t, keys, 1, NULL), TARN_E_MISUSE);
    check_eq(tarn_get_many(t, keys, 2, values), TARN_E_MISUSE);
    check_eq(tarn_get_many(t, &too_long, 1, values), TARN_E_MISUSE);
    check_ok(tarn_get_many(t, NULL, 0, NULL));
    check_eq(tarn_scan(NULL, t, NULL), TARN_E_MISUSE);
    check_eq(tarn_scan(&it, t, &range), TARN_E_MISUSE);
    check(tarn_get(t, NULL, 0, &data, &bytes) == TARN_ABSENT); /* the empty key is one */
    check(tarn_contains(t, NULL, 0) == TARN_ABSENT);
}

static void arguments_that_reading_calls_cannot_take_are_misuse(void)
{
    struct world w;

    world_open(&w);
    reading_calls_refuse_what_they_cannot_take(w.table);
    reading_calls_refuse_what_they_cannot_take(w.unordered);
    reading_calls_refuse_what_they_cannot_take(w.view);
    reading_calls_refuse_what_they_cannot_take(w.unordered_view);
    check_eq(tarn_seek(w.view_it, NULL, 1), TARN_E_MISUSE);
    check_eq(tarn_seek(w.it, NULL, 1), TARN_E_MISUSE);
    world_close(&w);
}

/* Keys of every length that is read in its own way, there and not there, by each call that looks up. */
static void keys_of_every_length_are_found_by_every_call(void)
{
    static const size_t lengths[] = { 0, 1, 7, 8, 9, 15, 16, 17, 31, 254, 255, 256, 4000 };
    uint8_t key[4001];
    struct world w;
    size_t i, bytes;

    world_open(&w);
    memset(key, 'q', sizeof key);
    for (i = 0; i < TN_ARRAY_COUNT(lengths); i++) {
        const tarn_bytes wanted = { key, lengths[i] };
        tarn_bytes value;
        const void *data;
        uint32_t code, again;
        void *place;

        check_eq(tarn_get(w.table, key, lengths[i], &data, &bytes), TARN_ABSENT);
        check_eq(tarn_delete(w.table, key, lengths[i]), TARN_ABSENT);
        check_ok(tarn_modify(w.table, key, lengths[i], 8, &place));
        check_ok(tarn_modify(w.table, key, lengths[i], 8, &place));
        check_ok(tarn_modify_many(w.table, &wanted, 1, 8, &place));
        check_ok(tarn_add_i64(w.table, key, lengths[i], 5, NULL));
        check_ok(tarn_put(w.table, key, lengths[i], "12345678", 8));
        check_eq(tarn_put_if_absent(w.table, key, lengths[i], "", 0, NULL, NULL), TARN_PRESENT);
        check_ok(tarn_append(w.table, key, lengths[i], "9", 1));
        check_ok(tarn_contains(w.table, key, lengths[i]));
        check_ok(tarn_get_many(w.table, &wanted, 1, &value));
        check_eq(value.bytes, 9);
        check_eq(tarn_get(w.view, key, lengths[i], &data, &bytes), TARN_ABSENT);
        check_ok(tarn_take(w.table, key, lengths[i], &data, &bytes));
        check_ok(tarn_dict_encode(w.dict, key, lengths[i], &code));
        check_ok(tarn_dict_encode_many(w.dict, &wanted, 1, &again));
        check_eq(code, again);
        check_ok(tarn_dict_find(w.dict, key, lengths[i], &again));
        check_eq(code, again);
    }
    world_close(&w);
}

static const struct test tests[] = {
    T(no_handle_is_misuse),
    T(every_handle_of_a_parent_is_misuse),
    T(a_table_of_a_released_snapshot_is_not_described),
    T(arguments_that_reading_calls_cannot_take_are_misuse),
    T(keys_of_every_length_are_found_by_every_call),
};

TEST_MAIN(tests)
