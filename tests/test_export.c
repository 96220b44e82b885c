/*
 * test_export.c - exports of snapshots: round trips of everything, what stays as it was, what fails
 */
#include "child.h"
#include "export_fixture.h"

#include "os/simulated.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- stores --------------------------------------------------------------------------------- */

static tarn_store *store_new(void)
{
    tarn_store *store = NULL;

    check_ok(tarn_open(&store, NULL, NULL));
    return store;
}

static tarn_table *table_of(tarn_store *store, const char *name, int kind, int type,
                            size_t value_bytes)
{
    const tarn_table_options options = { kind, type, value_bytes };
    tarn_table *table = NULL;

    check_ok(tarn_table_open(&table, store, name, &options));
    return table;
}

static tarn_table *plain(tarn_store *store, const char *name, int kind)
{
    return table_of(store, name, kind, TARN_ANY, 0);
}

static void put(tarn_table *table, const char *key, const char *value)
{
    check_ok(tarn_put(table, key, strlen(key), value, strlen(value)));
}

static uint8_t *noise(size_t bytes, uint64_t seed)
{
    uint8_t *data = malloc(bytes + 1);
    size_t i;

    if (data == NULL)
        abort();
    for (i = 0; i < bytes; i++)
        data[i] = (uint8_t)(test_random(&seed) >> 40);
    return data;
}

/* Keys and values of every length that some limit is near. */
static void fill_sizes(tarn_table *table)
{
    static const size_t keys[] = { 0,   1,   2,    7,    8,    9,     16,    17,    254,
                                   255, 256, 4095, 4096, 4097, 32768, 65533, 65534, 65535 };
    static const size_t values[] = { 0,     1,     7,      8,       9,       65533,   65534,
                                     65535, 65536, 200000, 1048575, 1048576, 1048577, 3145733 };
    uint8_t *key = noise(65535, 1), *value = noise(3145733, 2);
    size_t i;

    for (i = 0; i < TN_ARRAY_COUNT(keys); i++)
        check_ok(tarn_put(table, key, keys[i], value, values[i % TN_ARRAY_COUNT(values)]));
    for (i = 0; i < TN_ARRAY_COUNT(values); i++) {
        key[0] = (uint8_t)~i;
        check_ok(tarn_put(table, key, 1, value, values[i]));
    }
    free(key);
    free(value);
}

static void fill_numbers(tarn_table *table, size_t count, size_t value_bytes)
{
    uint8_t value[64] = { 0 };
    uint64_t i;

    for (i = 0; i < count; i++) {
        value[0] = (uint8_t)i;
        check_ok(tarn_put(table, &i, sizeof i, value, value_bytes));
    }
}

static void fill_dict(tarn_store *store, const char *name, size_t count)
{
    tarn_dict *dict;
    char key[40];
    uint32_t code;
    size_t i;

    check_ok(tarn_dict_open(&dict, store, name, NULL));
    for (i = 0; i < count; i++) {
        int bytes = snprintf(key, sizeof key, "https://example.org/%zu", i * 7);

        check_ok(tarn_dict_encode(dict, i == 3 ? "" : key, i == 3 ? 0 : (size_t)bytes, &code));
    }
    check_ok(tarn_dict_close(dict));
}

static void fill_types(tarn_store *store)
{
    static const struct {
        const char *name;
        int type;
        size_t value_bytes;
    } types[] = {
        { "type.i32", TARN_I32, 4 },  { "type.u32", TARN_U32, 4 },    { "type.f32", TARN_F32, 4 },
        { "type.i64", TARN_I64, 8 },  { "type.u64", TARN_U64, 8 },    { "type.f64", TARN_F64, 8 },
        { "type.1", TARN_STRUCT, 1 }, { "type.24", TARN_STRUCT, 24 },
    };
    size_t i;

    for (i = 0; i < TN_ARRAY_COUNT(types); i++)
        fill_numbers(
            table_of(store, types[i].name, (int)i % 2, types[i].type, types[i].value_bytes), 10 + i,
            types[i].value_bytes);
}

/* Tables of every kind, type, role and size. */
static void fill_everything(tarn_store *store)
{
    char longest[TARN_TABLE_NAME_BYTES_MAX + 1];

    memset(longest, 0xFF, sizeof longest);
    longest[TARN_TABLE_NAME_BYTES_MAX] = '\0';
    put(plain(store, longest, TARN_ORDERED), "k", "v");
    memset(longest, 'd', sizeof longest);
    longest[TARN_TABLE_NAME_BYTES_MAX - 1] = '\0';
    fill_dict(store, longest, 20);
    (void)plain(store, "\x01\n \xC3\xA9", TARN_ORDERED);
    (void)plain(store, "empty", TARN_UNORDERED);
    fill_sizes(plain(store, "sizes", TARN_ORDERED));
    fill_sizes(plain(store, "sizes, unordered", TARN_UNORDERED));
    fill_numbers(plain(store, "numbers", TARN_ORDERED), 20000, 64);
    fill_numbers(plain(store, "numbers, unordered", TARN_UNORDERED), 20000, 13);
    fill_types(store);
    fill_dict(store, "dict", 3000);
    fill_dict(store, "dict, empty", 0);
}

/* An export goes into a new store, and is closed with it. */
static bool imports_as(struct bytes *b, tarn_store *wanted)
{
    tarn_store *store = store_new();
    bool same;

    check_ok(import_bytes(store, b));
    same = stores_are_same(wanted, store);
    check_ok(tarn_close(store));
    return same;
}

/* ---- round trips ----------------------------------------------------------------------------- */

static void everything_comes_back(void)
{
    tarn_store *store = store_new();
    struct bytes b;

    fill_everything(store);
    b = export_store(store);
    check(imports_as(&b, store));
    bytes_free(&b);
    check_ok(tarn_close(store));
}

static void an_empty_store_is_an_export_too(void)
{
    tarn_store *store = store_new(), *other = store_new();
    struct bytes b = export_store(store);
    uint64_t number;

    check_eq(b.count, TN_EXPORT_HEAD_BYTES + TN_BLOCK_HEAD_BYTES);
    check_ok(import_bytes(other, &b));
    check_eq(other->table_count, 0);
    check_ok(tarn_commit(other, NULL, 0, 0)); /* nothing changed */
    check_ok(tarn_last_commit(other, &number, NULL));
    check_eq(number, 0);
    bytes_free(&b);
    check_ok(tarn_close(other));
    check_ok(tarn_close(store));
}

/* What the imported tables are is not only the same bytes: they can be used. */
static void imported_tables_and_dictionaries_go_on(void)
{
    tarn_store *store = store_new(), *other = store_new();
    const void *value;
    tarn_dict *dict;
    tarn_bytes key;
    tarn_table *table;
    struct bytes b;
    uint64_t number;
    uint32_t code;
    size_t bytes;
    int64_t sum;

    check_ok(tarn_add_i64(table_of(store, "sums", TARN_ORDERED, TARN_I64, 0), "a", 1, 41, NULL));
    fill_dict(store, "dict", 100);
    b = export_store(store);
    check_ok(import_bytes(other, &b));
    check_eq(
        tarn_table_open(&table, other, "sums", &(tarn_table_options){ TARN_ORDERED, TARN_F64, 0 }),
        TARN_E_TYPE);
    table = table_of(other, "sums", TARN_ORDERED, TARN_I64, 8);
    check_ok(tarn_add_i64(table, "a", 1, 1, &sum));
    check_eq(sum, 42);
    put(plain(other, "new", TARN_UNORDERED), "k", "v");
    check_eq(tarn_table_open(&table, other, "dict", NULL), TARN_E_TYPE);
    check_ok(tarn_dict_open(&dict, other, "dict", NULL));
    check_eq(tarn_dict_count(dict), 100);
    check_ok(tarn_dict_encode(dict, "https://example.org/7", 21, &code));
    check_eq(code, 1);
    check_ok(tarn_dict_encode(dict, "new", 3, &code));
    check_eq(code, 100);
    check_ok(tarn_dict_decode(dict, 3, &key));
    check_eq(key.bytes, 0);
    check_ok(tarn_commit(other, NULL, 0, 0)); /* an import is a change */
    check_ok(tarn_last_commit(other, &number, NULL));
    check_eq(number, 1);
    check_eq(tarn_get(table_of(other, "sums", TARN_ORDERED, TARN_ANY, 0), "a", 1, &value, &bytes),
             TARN_OK);
    bytes_free(&b);
    check_ok(tarn_close(other));
    check_ok(tarn_close(store));
}

static void ordered_tables_give_the_same_bytes_each_time(void)
{
    tarn_store *store = store_new(), *other = store_new();
    struct bytes a, b, c;

    fill_sizes(plain(store, "sizes", TARN_ORDERED));
    fill_numbers(table_of(store, "numbers", TARN_ORDERED, TARN_STRUCT, 24), 5000, 24);
    a = export_store(store);
    b = export_store(store);
    check_bytes(a.data, a.count, b.data, b.count);
    check_ok(import_bytes(other, &a));
    c = export_store(other);
    check_bytes(a.data, a.count, c.data, c.count);
    bytes_free(&a);
    bytes_free(&b);
    bytes_free(&c);
    check_ok(tarn_close(other));
    check_ok(tarn_close(store));
}

/* K4: blocks that are exactly full, and one byte on either side. */
static void content_that_ends_at_the_end_of_a_block_comes_back(void)
{
    size_t overhead = TN_EXPORT_TABLE_BYTES + 1 + TN_EXPORT_ENTRY_BYTES, bytes;
    uint8_t *value = noise(3 * TN_BLOCK_PAYLOAD_BYTES, 3);
    int blocks;

    for (blocks = 1; blocks <= 2; blocks++)
        for (bytes = blocks * TN_BLOCK_PAYLOAD_BYTES - overhead - 1;
             bytes <= blocks * TN_BLOCK_PAYLOAD_BYTES - overhead + 1; bytes++) {
            tarn_store *store = store_new();
            struct bytes b;
            size_t count;

            check_ok(tarn_put(plain(store, "t", TARN_ORDERED), "", 0, value, bytes));
            b = export_store(store);
            count = (overhead + bytes + TN_BLOCK_PAYLOAD_BYTES - 1) / TN_BLOCK_PAYLOAD_BYTES;
            check_eq(b.count,
                     TN_EXPORT_HEAD_BYTES + count * TN_BLOCK_HEAD_BYTES + overhead + bytes);
            check(imports_as(&b, store));
            bytes_free(&b);
            check_ok(tarn_close(store));
        }
    free(value);
}

/* From its own descriptor to that of an import, with neither in memory at once. */
static void a_large_value_goes_through_a_file(void)
{
    size_t bytes = 150 * TN_MIB + 3;
    uint8_t *value = noise(bytes, 4);
    tarn_store *store = store_new(), *other = store_new();
    tarn_snapshot *snapshot;
    FILE *file = tmpfile();

    check(file != NULL);
    check_ok(tarn_put(plain(store, "t", TARN_UNORDERED), "k", 1, value, bytes));
    free(value);
    check_ok(tarn_snapshot_take(&snapshot, store));
    check_ok(tarn_snapshot_export(snapshot, fileno(file)));
    check_ok(tarn_snapshot_release(snapshot));
    check_eq(lseek(fileno(file), 0, SEEK_SET), 0);
    check_ok(tarn_import(other, fileno(file)));
    check(stores_are_same(store, other));
    fclose(file);
    check_ok(tarn_close(other));
    check_ok(tarn_close(store));
}

static void an_export_goes_through_a_pipe(void)
{
    int ends[2] = { -1, -1 }, status = 1;
    tarn_snapshot *snapshot;
    tarn_store *store;
    pid_t child;

    check_ok(pipe(ends));
    fflush(NULL);
    child = fork();
    if (child == 0) { /* before there is a store, which a child may not use */
        struct bytes b = { 0 };
        uint8_t part[1000];
        ssize_t got;

        close(ends[1]);
        while ((got = read(ends[0], part, sizeof part)) > 0)
            bytes_put(&b, part, (size_t)got);
        store = store_new();
        status = import_bytes(store, &b) == TARN_OK && tarn_close(store) == TARN_OK ? 0 : 1;
        free(b.data);
        child_exit(status);
    }
    close(ends[0]);
    store = store_new();
    fill_everything(store);
    check_ok(tarn_snapshot_take(&snapshot, store));
    check_ok(tarn_snapshot_export(snapshot, ends[1]));
    check_ok(tarn_snapshot_release(snapshot));
    close(ends[1]);
    check_eq(waitpid(child, &status, 0), child);
    check_eq(status, 0);
    check_ok(tarn_close(store));
}

/* X5: the order of one table's walk, into a store whose tables hash alike. */
static void a_large_unordered_table_comes_back_into_its_own_store(void)
{
    tarn_store *store = store_new(), *other = store_new();
    tarn_table *table = plain(store, "t", TARN_UNORDERED);
    struct bytes b;

    fill_numbers(table, 600000, 0);
    b = export_store(store);
    check_ok(import_bytes(other, &b));
    check_ok(tarn_table_drop(table));
    check_ok(tarn_table_close(table));
    check_ok(import_bytes(store, &b));
    check(stores_are_same(other, store));
    bytes_free(&b);
    check_ok(tarn_close(other));
    check_ok(tarn_close(store));
}

/* ---- what the snapshot saw ------------------------------------------------------------------- */

/* Change, delete, insert, clear, drop and make anew. */
static void change_everything(tarn_store *store)
{
    tarn_table *table = plain(store, "numbers", TARN_ORDERED);
    tarn_dict *dict;
    uint64_t i;
    uint32_t code;

    for (i = 0; i < 20000; i += 3)
        check_ok(tarn_delete(table, &i, 8));
    for (i = 1; i < 20000; i += 3)
        check_ok(tarn_put(table, &i, 8, "other", 5));
    for (i = 30000; i < 31000; i++)
        check_ok(tarn_put(table, &i, 8, "new", 3));
    table = plain(store, "numbers, unordered", TARN_UNORDERED);
    for (i = 0; i < 20000; i += 5)
        check_ok(tarn_delete(table, &i, 8));
    for (i = 30000; i < 50000; i++)
        check_ok(tarn_put(table, &i, 8, "new", 3));
    check_ok(tarn_table_clear(plain(store, "sizes", TARN_ORDERED)));
    put(plain(store, "sizes", TARN_ORDERED), "k", "after");
    check_ok(tarn_table_drop(plain(store, "sizes, unordered", TARN_UNORDERED)));
    put(plain(store, "sizes, unordered", TARN_ORDERED), "k", "anew, of another kind");
    check_ok(tarn_table_drop(plain(store, "empty", TARN_UNORDERED)));
    put(plain(store, "a later one", TARN_ORDERED), "k", "v");
    check_ok(tarn_dict_open(&dict, store, "dict", NULL));
    check_ok(tarn_dict_encode(dict, "later", 5, &code));
    check_ok(tarn_dict_close(dict));
    check_ok(tarn_dict_open(&dict, store, "dict, empty", NULL));
    check_ok(tarn_dict_drop(dict));
    check_ok(tarn_dict_close(dict));
}

/* Two snapshots with the changes between them; each export is what the store was then. */
static void an_export_is_what_the_snapshot_saw_whatever_was_changed(void)
{
    tarn_store *store = store_new(), *first = store_new(), *second = store_new();
    tarn_snapshot *snapshots[2];
    struct bytes before, after, b;

    fill_everything(store);
    check_ok(tarn_snapshot_take(&snapshots[0], store));
    before = export_bytes(snapshots[0]);
    check_ok(import_bytes(first, &before));
    change_everything(store);
    check_ok(tarn_snapshot_take(&snapshots[1], store));
    after = export_bytes(snapshots[1]);
    check_ok(import_bytes(second, &after));
    check_ok(tarn_table_clear(plain(store, "numbers", TARN_ORDERED)));
    check_ok(tarn_table_drop(plain(store, "a later one", TARN_ORDERED)));
    b = export_bytes(snapshots[0]);
    check(imports_as(&b, first));
    bytes_free(&b);
    b = export_bytes(snapshots[1]);
    check(imports_as(&b, second));
    bytes_free(&b);
    check_ok(tarn_snapshot_release(snapshots[1])); /* its ghosts go to the other, or leave */
    b = export_bytes(snapshots[0]);
    check(imports_as(&b, first));
    bytes_free(&b);
    check(tn_snapshots_check(store));
    check_ok(tarn_snapshot_restore(snapshots[0])); /* it still does all a snapshot does */
    check(stores_are_same(first, store));
    check_ok(tarn_snapshot_release(snapshots[0]));
    bytes_free(&before);
    bytes_free(&after);
    check_ok(tarn_close(second));
    check_ok(tarn_close(first));
    check_ok(tarn_close(store));
}

static void an_export_leaves_no_trace_in_snapshot_and_store(void)
{
    tarn_store *store = store_new();
    tarn_snapshot *snapshot;
    struct bytes b;
    uint64_t memory_bytes, undo_bytes, tick;

    fill_everything(store);
    check_ok(tarn_snapshot_take(&snapshot, store));
    memory_bytes = store->memory.counted_bytes;
    b = export_bytes(snapshot);
    check_eq(store->memory.counted_bytes, memory_bytes);
    check_eq(snapshot->undo_bytes, 0); /* not even an undo of a table that did not change */
    bytes_free(&b);
    change_everything(store);
    (void)tn_store_reclaim_all(store);
    memory_bytes = store->memory.counted_bytes;
    undo_bytes = snapshot->undo_bytes;
    tick = store->tick;
    b = export_bytes(snapshot);
    check_eq(store->memory.counted_bytes, memory_bytes);
    check_eq(snapshot->undo_bytes, undo_bytes);
    check_eq(store->tick, tick);
    check_eq(store->iterator_count, 0);
    check(snapshot->views == NULL);
    bytes_free(&b);
    check_ok(tarn_snapshot_release(snapshot));
    check_ok(tarn_close(store));
}

/* Many tables came and went, before and after, some of them twice under one name. */
static void tables_come_in_the_order_of_their_names_wherever_they_are(void)
{
    tarn_store *store = store_new(), *then = store_new();
    tarn_snapshot *snapshots[3];
    struct bytes b;
    char name[16];
    int i, round;

    for (i = 0; i < 60; i += 2) {
        snprintf(name, sizeof name, "%02d", i);
        put(plain(store, name, i % 4 / 2), name, "0");
        put(plain(then, name, i % 4 / 2), name, "0");
    }
    for (round = 0; round < 3; round++) {
        check_ok(tarn_snapshot_take(&snapshots[round], store));
        for (i = round; i < 60; i += 3) {
            snprintf(name, sizeof name, "%02d", i);
            if (i % 2 == 0)
                check_ok(tarn_table_drop(plain(store, name, i % 4 / 2)));
            put(plain(store, name, i % 4 / 2), name, "later");
        }
    }
    b = export_bytes(snapshots[0]);
    check(imports_as(&b, then));
    bytes_free(&b);
    check_ok(tarn_snapshot_release(snapshots[1]));
    b = export_bytes(snapshots[0]);
    check(imports_as(&b, then));
    bytes_free(&b);
    check_ok(tarn_snapshot_release(snapshots[0]));
    check_ok(tarn_snapshot_release(snapshots[2]));
    check_ok(tarn_close(then));
    check_ok(tarn_close(store));
}

/* X1: measured where it is most, whenever something is written. */
struct meter {
    const tarn_store *store;
    uint64_t bytes_max;
    uint64_t written_bytes;
};

static int meter_write(void *context, const void *data, size_t count)
{
    struct meter *meter = context;

    (void)data;
    meter->written_bytes += count;
    if (meter->store->memory.counted_bytes > meter->bytes_max)
        meter->bytes_max = meter->store->memory.counted_bytes;
    return 0;
}

static uint64_t memory_of_export(size_t count, bool changed)
{
    tarn_store *store = store_new();
    tarn_table *table = plain(store, "t", TARN_ORDERED);
    struct meter meter = { .store = store };
    tarn_snapshot *snapshot;
    uint64_t before, i;

    fill_numbers(table, count, 64);
    check_ok(tarn_snapshot_take(&snapshot, store));
    for (i = 0; changed && i < 100; i++)
        check_ok(tarn_put(table, &i, 8, "x", 1));
    before = store->memory.counted_bytes;
    check_ok(tarn_snapshot_export_with(snapshot, meter_write, &meter));
    check(meter.written_bytes > count * 72);
    check_ok(tarn_snapshot_release(snapshot));
    check_ok(tarn_close(store));
    return meter.bytes_max - before;
}

static void an_export_needs_the_same_memory_at_any_size(void)
{
    check_eq(memory_of_export(1000, false), memory_of_export(100000, false));
    check_eq(memory_of_export(1000, true), memory_of_export(100000, true));
    check(memory_of_export(100000, true) < 80 * TN_KIB);
}

/* ---- stores on disk -------------------------------------------------------------------------- */

static tarn_store *store_on_disk(const struct tn_os *os)
{
    const tarn_options options = { .address_bytes = TN_GIB };
    tarn_store *store = NULL;

    check_ok(tn_store_open(&store, "d", &options, os));
    return store;
}

/* A commit writes what was imported; what was not committed is not there. */
static void an_import_is_committed_like_other_changes(void)
{
    struct tn_simulated *simulated = tn_simulated_new(NULL);
    const struct tn_os os = tn_simulated_os(simulated);
    tarn_store *from = store_new(), *store = store_on_disk(&os);
    struct bytes b;

    fill_everything(from);
    b = export_store(from);
    check_ok(import_bytes(store, &b));
    check_ok(tarn_close(store));
    store = store_on_disk(&os);
    check_eq(store->table_count, 0);
    check_ok(import_bytes(store, &b));
    check_ok(tarn_commit(store, NULL, 0, TARN_SYNC));
    check_ok(tarn_table_drop(plain(store, "numbers", TARN_ORDERED)));
    tn_simulated_restart_with(simulated, tn_disk_fate_lost, NULL);
    (void)tarn_close(store);
    store = store_on_disk(&os);
    check(stores_are_same(from, store));
    bytes_free(&b);
    b = export_store(store); /* and it can be exported from there */
    check(imports_as(&b, from));
    bytes_free(&b);
    check_ok(tarn_close(store));
    check_ok(tarn_close(from));
    tn_simulated_free(simulated);
}

/* Structs that came with a directory from a machine of the other byte order stay what they are. */
static void structs_of_another_machine_are_exported_as_such(void)
{
    tarn_store *store = store_new(), *other = store_new();
    tarn_table *table = table_of(store, "t", TARN_ORDERED, TARN_STRUCT, 8);
    const size_t order_at = TN_EXPORT_HEAD_BYTES + TN_BLOCK_HEAD_BYTES + 3;
    tarn_snapshot *snapshot;
    struct bytes b;
    int way;

    check_ok(tarn_put(table, "k", 1, "12345678", 8));
    table->is_foreign = true;
    check_ok(tarn_snapshot_take(&snapshot, store));
    for (way = 0; way < 3; way++) { /* as it is, changed, and dropped since */
        if (way == 1)
            check_ok(tarn_put(table, "k", 1, "abcdefgh", 8));
        if (way == 2)
            check_ok(tarn_table_drop(table));
        b = export_bytes(snapshot);
        check_eq(b.data[order_at], TN_BIG_ENDIAN ? TN_ORDER_LITTLE : TN_ORDER_BIG);
        check_eq(import_bytes(other, &b), TARN_E_TYPE);
        bytes_free(&b);
    }
    (void)table_of(store, "t", TARN_ORDERED, TARN_STRUCT, 8); /* of this machine */
    check_ok(tarn_snapshot_restore(snapshot));
    check_eq(store->table_count, 1);
    check(store->tables[0]->is_foreign);
    check_ok(tarn_snapshot_release(snapshot));
    check_ok(tarn_close(other));
    check_ok(tarn_close(store));
}

/* ---- failures -------------------------------------------------------------------------------- */

static void misuse_of_exports_is_answered(void)
{
    tarn_store *store = store_new();
    tarn_snapshot *snapshot;
    struct bytes b = { 0 };

    check_eq(tarn_snapshot_export(NULL, 1), TARN_E_MISUSE);
    check_eq(tarn_snapshot_export_with(NULL, bytes_write, &b), TARN_E_MISUSE);
    check_ok(tarn_snapshot_take(&snapshot, store));
    check_eq(tarn_snapshot_export_with(snapshot, NULL, &b), TARN_E_MISUSE);
    check(strstr(tarn_error_text(store), "write must not be NULL") != NULL);
    check_eq(tarn_snapshot_export(snapshot, -1), TARN_E_IO);
    check(strstr(tarn_error_text(store), "byte 0") != NULL);
    check_ok(tarn_snapshot_release(snapshot));
    check_ok(tarn_close(store));
}

static void a_snapshot_that_failed_is_not_exported(void)
{
    const tarn_options options = { .snapshot_bytes_max = 1 };
    tarn_snapshot *snapshot;
    struct bytes b = { 0 };
    tarn_store *store;

    check_ok(tarn_open(&store, NULL, &options));
    put(plain(store, "t", TARN_ORDERED), "k", "v");
    check_ok(tarn_snapshot_take(&snapshot, store));
    put(plain(store, "t", TARN_ORDERED), "k", "w");
    check_eq(tarn_snapshot_export_with(snapshot, bytes_write, &b), TARN_E_FULL);
    check_eq(b.count, 0);
    check_ok(tarn_snapshot_release(snapshot));
    check_ok(tarn_close(store));
}

static const struct {
    int error;
    int result;
    const char *text;
} failures[] = {
    { ENOSPC, TARN_E_FULL, "make room" }, { EDQUOT, TARN_E_FULL, "quota" },
    { EFBIG, TARN_E_FULL, "limit" },      { EIO, TARN_E_IO, "device" },
    { EPIPE, TARN_E_IO, "other end" },    { ENOMEM, TARN_E_MEMORY, "memory" },
    { EBADF, TARN_E_IO, "descriptor" },   { ENXIO, TARN_E_IO, "errno" },
};

/* A store of the simulation, with blocks enough for several calls of each kind, some of it changed. */
static tarn_store *simulated_store(struct tn_simulated *simulated, tarn_snapshot **snapshot)
{
    const struct tn_os os = tn_simulated_os(simulated);
    tarn_store *store = NULL;
    uint64_t i = 5;

    check_ok(tn_store_open(&store, NULL, &(tarn_options){ .address_bytes = TN_GIB }, &os));
    fill_numbers(plain(store, "a", TARN_ORDERED), 3000, 40);
    fill_numbers(plain(store, "b", TARN_UNORDERED), 3000, 40);
    check_ok(tarn_snapshot_take(snapshot, store));
    check_ok(tarn_delete(plain(store, "a", TARN_ORDERED), &i, 8));
    return store;
}

/* Every write in turn, with every error, once and for good: the next export is as good as the first. */
static void any_write_can_fail(void)
{
    struct tn_simulated *simulated = tn_simulated_new(NULL);
    tarn_snapshot *snapshot = NULL;
    tarn_store *store = simulated_store(simulated, &snapshot);
    struct bytes wanted = export_bytes(snapshot);
    uint64_t memory_bytes = store->memory.counted_bytes, number, writes, before;
    char offset_text[80];
    size_t i;
    int for_ever;

    before = tn_simulated_call_count(simulated, TN_CALL_STREAM_WRITE);
    check_ok(tarn_snapshot_export(snapshot, tn_simulated_stream_new(simulated)));
    writes = tn_simulated_call_count(simulated, TN_CALL_STREAM_WRITE) - before;
    check(writes > 4);
    for (number = 1; number <= writes; number++)
        for (i = 0; i < TN_ARRAY_COUNT(failures); i++)
            for (for_ever = 0; for_ever <= 1; for_ever++) {
                int stream = tn_simulated_stream_new(simulated);
                size_t written;

                tn_simulated_fail(simulated, TN_CALL_STREAM_WRITE, number, failures[i].error,
                                  for_ever != 0);
                check_eq(tarn_snapshot_export(snapshot, stream), failures[i].result);
                check(strstr(tarn_error_text(store), failures[i].text) != NULL);
                (void)tn_simulated_stream_data(simulated, stream, &written);
                snprintf(offset_text, sizeof offset_text, "byte %zu failed with errno %d", written,
                         failures[i].error);
                check(strstr(tarn_error_text(store), offset_text) != NULL);
                tn_simulated_fail_none(simulated);
                check_eq(store->memory.counted_bytes, memory_bytes);
            }
    bytes_free(&wanted);
    wanted = export_bytes(snapshot);
    check(wanted.count > 0);
    bytes_free(&wanted);
    check(tn_snapshots_check(store));
    check_ok(tarn_snapshot_release(snapshot));
    check_ok(tarn_close(store));
    tn_simulated_free(simulated);
}

/* Every allocation in turn, once and for good. */
static void any_allocation_of_an_export_can_be_refused(void)
{
    struct allocator allocator = { .refuse_at = UINT64_MAX };
    const tarn_options options = { .allocate = allocator_call, .allocate_context = &allocator };
    tarn_snapshot *snapshot;
    tarn_store *store;
    uint64_t i = 5, n, memory_bytes, asked;
    int all;

    check_ok(tarn_open(&store, NULL, &options));
    fill_numbers(plain(store, "a", TARN_ORDERED), 300, 40);
    fill_numbers(plain(store, "b", TARN_UNORDERED), 300, 40);
    fill_numbers(plain(store, "c", TARN_UNORDERED), 300, 40);
    check_ok(tarn_snapshot_take(&snapshot, store));
    check_ok(tarn_delete(plain(store, "a", TARN_ORDERED), &i, 8));
    check_ok(tarn_delete(plain(store, "b", TARN_UNORDERED), &i, 8));
    check_ok(tarn_table_drop(plain(store, "c", TARN_UNORDERED)));
    memory_bytes = store->memory.counted_bytes;
    for (all = 0; all <= 1; all++) {
        int result = TARN_E_MEMORY;

        for (n = 1; result < 0 && n < 100; n++) {
            struct bytes b = { 0 };

            allocator.refuse_at = allocator.asked + n;
            allocator.refuse_all = all != 0;
            asked = allocator.asked;
            result = tarn_snapshot_export_with(snapshot, bytes_write, &b);
            if (allocator.asked - asked < n)
                check_ok(result);
            else if (all)
                check_eq(result, TARN_E_MEMORY);
            allocator.refuse_at = UINT64_MAX;
            check_eq(store->memory.counted_bytes, memory_bytes);
            check_eq(store->iterator_count, 0);
            if (result == TARN_OK && allocator.asked - asked >= n)
                result = TARN_E_MEMORY; /* refused, and done without */
            bytes_free(&b);
        }
        check(n > 10 && n < 100);
    }
    check_ok(tarn_snapshot_release(snapshot));
    check_ok(tarn_close(store));
    check_eq(allocator.live_blocks, 0);
}

static void a_full_device_and_a_pipe_without_reader_are_answers(void)
{
    int full = open("/dev/full", O_WRONLY), ends[2] = { -1, -1 };
    void (*old)(int) = signal(SIGPIPE, SIG_IGN);
    tarn_store *store = store_new();
    tarn_snapshot *snapshot;

    put(plain(store, "t", TARN_ORDERED), "k", "v");
    check_ok(tarn_snapshot_take(&snapshot, store));
    if (full >= 0) {
        check_eq(tarn_snapshot_export(snapshot, full), TARN_E_FULL);
        close(full);
    }
    check_ok(pipe(ends));
    close(ends[0]);
    check_eq(tarn_snapshot_export(snapshot, ends[1]), TARN_E_IO);
    close(ends[1]);
    check_ok(tarn_snapshot_release(snapshot));
    check_ok(tarn_close(store));
    signal(SIGPIPE, old);
}

static const struct test tests[] = {
    T(everything_comes_back),
    T(an_empty_store_is_an_export_too),
    T(imported_tables_and_dictionaries_go_on),
    T(ordered_tables_give_the_same_bytes_each_time),
    T(content_that_ends_at_the_end_of_a_block_comes_back),
    T(a_large_value_goes_through_a_file),
    T(an_export_goes_through_a_pipe),
    T(a_large_unordered_table_comes_back_into_its_own_store),
    T(an_export_is_what_the_snapshot_saw_whatever_was_changed),
    T(an_export_leaves_no_trace_in_snapshot_and_store),
    T(tables_come_in_the_order_of_their_names_wherever_they_are),
    T(an_export_needs_the_same_memory_at_any_size),
    T(an_import_is_committed_like_other_changes),
    T(structs_of_another_machine_are_exported_as_such),
    T(misuse_of_exports_is_answered),
    T(a_snapshot_that_failed_is_not_exported),
    T(any_write_can_fail),
    T(any_allocation_of_an_export_can_be_refused),
    T(a_full_device_and_a_pipe_without_reader_are_answers),
};

TEST_MAIN(tests)
