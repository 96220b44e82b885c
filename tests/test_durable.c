/*
 * test_durable.c - stores with a directory: what comes back, what a commit writes, what is refused
 *
 * On a simulated system, where a power loss is a call; tests/test_crash.c tries every moment of it.
 */
#include "allocator.h"
#include "test.h"

#include "os/simulated.h"
#include "store/durable.h"

#include <errno.h>

#include <tarn_typed.h>

struct world {
    struct tn_simulated *system;
    struct tn_os os;
    tarn_store *store;
    tarn_options options;
    tarn_report report;
};

static int world_open(struct world *w)
{
    w->options.report = &w->report;
    return tn_store_open(&w->store, "d", &w->options, &w->os);
}

static void world_begin(struct world *w)
{
    memset(w, 0, sizeof *w);
    w->system = tn_simulated_new(NULL);
    w->os = tn_simulated_os(w->system);
    w->options.address_bytes = 64 << 20;
    check_ok(world_open(w));
}

static void world_end(struct world *w)
{
    check_ok(tarn_close(w->store));
    tn_simulated_free(w->system);
}

/* The process ends without a word; everything written is there. */
static void world_kill(struct world *w)
{
    tn_simulated_restart_process(w->system);
    (void)tarn_close(w->store);
    check_ok(world_open(w));
}

static void world_lose_power(struct world *w)
{
    tn_simulated_restart_with(w->system, tn_disk_fate_lost, NULL);
    (void)tarn_close(w->store);
    check_ok(world_open(w));
}

static void world_reopen(struct world *w)
{
    check_ok(tarn_close(w->store));
    check_ok(world_open(w));
}

static tarn_table *table_of(struct world *w, const char *name)
{
    tarn_table *table = NULL;

    check_ok(tarn_table_open(&table, w->store, name, NULL));
    return table;
}

static void put(tarn_table *table, const char *key, const char *value)
{
    check_ok(tarn_put(table, key, strlen(key), value, strlen(value)));
}

#define check_value(table, key, text)                                                              \
    do {                                                                                           \
        const void *got_;                                                                          \
        size_t got_bytes_;                                                                         \
        check_ok(tarn_get((table), (key), strlen(key), &got_, &got_bytes_));                       \
        check_bytes(got_, got_bytes_, (text), strlen(text));                                       \
    } while (0)

#define check_gone(table, key) check_eq(tarn_contains((table), (key), strlen(key)), TARN_ABSENT)

static uint64_t commit_number(struct world *w)
{
    uint64_t number = 0;

    check_ok(tarn_last_commit(w->store, &number, NULL));
    return number;
}

static uint64_t written_bytes(struct world *w)
{
    struct tn_log_statistics statistics;

    tn_log_stat(w->store->durable->log, &statistics);
    return statistics.written_bytes;
}

/* ---- what comes back ------------------------------------------------------------------------- */

static void a_committed_entry_is_there_after_a_clean_close(void)
{
    struct world w;
    tarn_bytes note;

    world_begin(&w);
    put(table_of(&w, "t"), "key", "value");
    put(table_of(&w, "t"), "key2", "other");
    check_ok(tarn_commit(w.store, "note", 4, 0));
    world_reopen(&w);
    check_eq(tarn_table_count(table_of(&w, "t")), 2);
    check_eq(tarn_table_bytes(table_of(&w, "t")), 17);
    check_value(table_of(&w, "t"), "key", "value");
    check_value(table_of(&w, "t"), "key2", "other");
    check_eq(commit_number(&w), 1);
    check_ok(tarn_last_commit(w.store, NULL, &note));
    check_bytes(note.data, note.bytes, "note", 4);
    world_end(&w);
}

static void what_was_not_committed_is_discarded_by_a_close(void)
{
    struct world w;

    world_begin(&w);
    put(table_of(&w, "t"), "a", "1");
    check_ok(tarn_commit(w.store, NULL, 0, 0));
    put(table_of(&w, "t"), "a", "2");
    put(table_of(&w, "t"), "b", "2");
    put(table_of(&w, "u"), "c", "2");
    world_reopen(&w);
    check_value(table_of(&w, "t"), "a", "1");
    check_gone(table_of(&w, "t"), "b");
    check_gone(table_of(&w, "u"), "c");
    world_end(&w);
}

static void a_commit_survives_the_process_and_a_synced_one_the_power(void)
{
    struct world w;

    world_begin(&w);
    put(table_of(&w, "t"), "a", "1");
    check_ok(tarn_commit(w.store, NULL, 0, TARN_SYNC));
    put(table_of(&w, "t"), "a", "2");
    check_ok(tarn_commit(w.store, NULL, 0, 0));
    world_kill(&w);
    check_value(table_of(&w, "t"), "a", "2");
    put(table_of(&w, "t"), "a", "3");
    check_ok(tarn_commit(w.store, NULL, 0, 0));
    world_lose_power(&w);
    check(commit_number(&w) >= 2); /* the opening had synced it */
    check_value(table_of(&w, "t"), "a", commit_number(&w) == 2 ? "2" : "3");
    world_end(&w);
}

static void deletes_clears_and_drops_come_back_as_such(void)
{
    struct world w;
    tarn_statistics statistics;

    world_begin(&w);
    put(table_of(&w, "t"), "a", "1");
    put(table_of(&w, "t"), "b", "1");
    put(table_of(&w, "cleared"), "a", "1");
    put(table_of(&w, "dropped"), "a", "1");
    put(table_of(&w, "again"), "a", "1");
    check_ok(tarn_commit(w.store, NULL, 0, 0));
    check_ok(tarn_delete(table_of(&w, "t"), "a", 1));
    check_ok(tarn_table_clear(table_of(&w, "cleared")));
    check_ok(tarn_table_drop(table_of(&w, "dropped")));
    check_ok(tarn_table_drop(table_of(&w, "again")));
    put(table_of(&w, "again"), "b", "2");
    check_ok(tarn_commit(w.store, NULL, 0, 0));
    world_reopen(&w);
    check_ok(tarn_stat(w.store, &statistics));
    check_eq(statistics.table_count, 3);
    check_eq(tarn_table_count(table_of(&w, "t")), 1);
    check_value(table_of(&w, "t"), "b", "1");
    check_eq(tarn_table_count(table_of(&w, "cleared")), 0);
    check_gone(table_of(&w, "again"), "a");
    check_value(table_of(&w, "again"), "b", "2");
    world_end(&w);
}

static void a_key_deleted_and_put_again_in_one_interval_is_the_new_one(void)
{
    struct world w;
    int i;

    world_begin(&w);
    put(table_of(&w, "t"), "a", "old");
    check_ok(tarn_commit(w.store, NULL, 0, 0));
    for (i = 0; i < 3; i++) {
        check_ok(tarn_delete(table_of(&w, "t"), "a", 1));
        put(table_of(&w, "t"), "a", "new");
    }
    check_ok(tarn_commit(w.store, NULL, 0, 0));
    world_reopen(&w);
    check_value(table_of(&w, "t"), "a", "new");
    check_ok(tarn_delete(table_of(&w, "t"), "a", 1));
    put(table_of(&w, "t"), "a", "newer");
    check_ok(tarn_delete(table_of(&w, "t"), "a", 1));
    check_ok(tarn_commit(w.store, NULL, 0, 0));
    world_reopen(&w);
    check_gone(table_of(&w, "t"), "a");
    world_end(&w);
}

static void kinds_types_and_dictionaries_come_back(void)
{
    const tarn_table_options numbers = { TARN_UNORDERED, TARN_I64, 0 };
    const tarn_table_options structs = { TARN_ORDERED, TARN_STRUCT, 24 };
    tarn_table_options described;
    struct world w;
    tarn_table *table;
    tarn_dict *dict;
    tarn_bytes word = { "word", 4 }, found;
    uint32_t code, again;

    world_begin(&w);
    check_ok(tarn_table_open(&table, w.store, "numbers", &numbers));
    check_ok(tarn_add_i64(table, "n", 1, 42, NULL));
    check_ok(tarn_table_open(&table, w.store, "structs", &structs));
    check_ok(tarn_dict_open(&dict, w.store, "words", NULL));
    check_ok(tarn_dict_encode(dict, word.data, word.bytes, &code));
    check_ok(tarn_commit(w.store, NULL, 0, 0));
    world_reopen(&w);
    check_ok(tarn_table_open(&table, w.store, "numbers", NULL));
    check_ok(tarn_table_describe(table, &described));
    check_eq(described.kind, TARN_UNORDERED);
    check_eq(described.type, TARN_I64);
    check_eq(tarn_table_open(&table, w.store, "numbers", &structs), TARN_E_TYPE);
    check_ok(tarn_table_open(&table, w.store, "structs", &structs));
    check_ok(tarn_dict_open(&dict, w.store, "words", NULL));
    check_ok(tarn_dict_decode(dict, code, &found));
    check_bytes(found.data, found.bytes, "word", 4);
    check_ok(tarn_dict_encode(dict, word.data, word.bytes, &again));
    check_eq(again, code);
    world_end(&w);
}

static void structs_of_the_other_byte_order_are_refused(void)
{
    const tarn_table_options structs = { TARN_ORDERED, TARN_STRUCT, 8 };
    struct world w;
    tarn_table *table;
    const void *value;
    size_t bytes;
    uint8_t entry[32];

    world_begin(&w);
    check_ok(tarn_table_open(&table, w.store, "s", &structs));
    check_ok(tarn_get(w.store->durable->catalog, "s", 1, &value, &bytes));
    check_eq(bytes, sizeof entry);
    memcpy(entry, value, sizeof entry);
    entry[11] ^= 3;
    check_ok(tarn_put(w.store->durable->catalog, "s", 1, entry, sizeof entry));
    check_ok(tarn_commit(w.store, NULL, 0, 0));
    world_reopen(&w);
    check_eq(tarn_table_open(&table, w.store, "s", &structs), TARN_E_TYPE);
    check(strstr(tarn_error_text(w.store), "byte order") != NULL);
    world_end(&w);
}

static void values_of_every_size_come_back(void)
{
    static const size_t sizes[] = { 0, 1, 7, 8, 9, 255, 4096, 65534, 65535, 300000, 3000000 };
    static uint8_t value[3000000];
    struct world w;
    tarn_table *table;
    uint64_t state = 7;
    size_t i;

    for (i = 0; i < sizeof value; i++)
        value[i] = (uint8_t)test_random(&state);
    world_begin(&w);
    table = table_of(&w, "t");
    for (i = 0; i < sizeof sizes / sizeof *sizes; i++)
        check_ok(tarn_put(table, &sizes[i], sizeof sizes[i], value, sizes[i]));
    check_ok(tarn_put(table, value, 65535, "long key", 8));
    check_ok(tarn_commit(w.store, NULL, 0, 0));
    world_reopen(&w);
    table = table_of(&w, "t");
    for (i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        const void *got = NULL;
        size_t bytes = 0;

        check_ok(tarn_get(table, &sizes[i], sizeof sizes[i], &got, &bytes));
        check_bytes(got, bytes, value, sizes[i]);
    }
    check_ok(tarn_contains(table, value, 65535));
    world_end(&w);
}

/* The sweep writes entries in the order of their hashes, which is how they come back. */
static void a_large_table_comes_back_from_its_sweep(void)
{
    enum { COUNT = 300000, STEP = 1000 };
    struct world w;
    tarn_table *table;
    uint64_t i, kind;

    for (kind = TARN_ORDERED; kind <= TARN_UNORDERED; kind++) {
        const tarn_table_options options = { .kind = (int)kind };

        world_begin(&w);
        check_ok(tarn_close(w.store));
        w.options.address_bytes = 1 << 30;
        check_ok(world_open(&w));
        check_ok(tarn_table_open(&table, w.store, "t", &options));
        for (i = 0; i < COUNT; i++) {
            check_ok(tarn_put(table, &i, sizeof i, &i, sizeof i));
            if (i % STEP == 0)
                check_ok(tarn_commit(w.store, NULL, 0, 0));
        }
        check_ok(tarn_commit(w.store, NULL, 0, 0));
        world_reopen(&w);
        check_ok(tarn_table_open(&table, w.store, "t", &options));
        check_eq(tarn_table_count(table), COUNT);
        check(tn_index_check(&table->index));
        check(table->index.bytes < COUNT * 24);
        printf("# the index has %.1f bytes for an entry\n", (double)table->index.bytes / COUNT);
        for (i = 0; i < COUNT; i++)
            check_ok(tarn_contains(table, &i, sizeof i));
        world_end(&w);
    }
}

static void a_table_is_on_disk_however_many_commits_ago_it_was_made(void)
{
    const uint64_t commits =
        ((uint64_t)1 << 31) + ((uint64_t)1 << 29); /* most of them in no time */
    struct world w;
    uint64_t begin, i;

    world_begin(&w);
    put(table_of(&w, "t"), "key", "value");
    check_ok(tarn_commit(w.store, NULL, 0, 0));
    begin = w.store->tick;
    while (w.store->tick - begin < commits) {
        w.store->tick += TN_REVOLUTION_TICKS - 1;
        put(table_of(&w, "u"), "now", "and then");
        check_ok(tarn_commit(w.store, NULL, 0, 0));
        while (tarn_work(w.store, TN_MIB) == TARN_OK) {
        }
    }
    for (i = 0; i < 20000; i++) { /* what was written before is no longer there */
        put(table_of(&w, "u"), "now", i % 2 == 0 ? "even" : "odd");
        check_ok(tarn_commit(w.store, NULL, 0, 0));
    }
    world_reopen(&w);
    check_eq(w.store->table_count, 2);
    check_value(table_of(&w, "t"), "key", "value");
    check_value(table_of(&w, "u"), "now", "odd");
    world_end(&w);
}

static void a_restored_snapshot_is_what_the_next_commit_has(void)
{
    struct world w;
    tarn_snapshot *snapshot;

    world_begin(&w);
    put(table_of(&w, "kept"), "a", "1");
    put(table_of(&w, "dropped"), "a", "1");
    put(table_of(&w, "cleared"), "a", "1");
    check_ok(tarn_commit(w.store, NULL, 0, 0));
    put(table_of(&w, "kept"), "b", "uncommitted, but seen by the snapshot");
    check_ok(tarn_snapshot_take(&snapshot, w.store));
    put(table_of(&w, "kept"), "a", "2");
    check_ok(tarn_table_drop(table_of(&w, "dropped")));
    check_ok(tarn_table_clear(table_of(&w, "cleared")));
    put(table_of(&w, "new"), "a", "2");
    check_ok(tarn_commit(w.store, NULL, 0, 0));
    check_ok(tarn_snapshot_restore(snapshot));
    check_ok(tarn_snapshot_release(snapshot));
    check_ok(tarn_commit(w.store, NULL, 0, 0));
    world_reopen(&w);
    check_value(table_of(&w, "kept"), "a", "1");
    check_value(table_of(&w, "kept"), "b", "uncommitted, but seen by the snapshot");
    check_value(table_of(&w, "dropped"), "a", "1");
    check_value(table_of(&w, "cleared"), "a", "1");
    check_eq(tarn_table_count(table_of(&w, "new")), 0);
    world_end(&w);
}

/* ---- what a commit writes -------------------------------------------------------------------- */

static void a_million_updates_of_a_key_cost_one_record(void)
{
    struct world w;
    tarn_table *table;
    uint64_t before, i;
    void *value;

    world_begin(&w);
    table = table_of(&w, "t");
    put(table, "k", "12345678");
    check_ok(tarn_commit(w.store, NULL, 0, 0));
    before = written_bytes(&w);
    for (i = 0; i < 1000000; i++) {
        check_ok(tarn_modify(table, "k", 1, 8, &value));
        memcpy(value, &i, 8);
    }
    check_ok(tarn_commit(w.store, NULL, 0, 0));
    check(written_bytes(&w) - before < 2000);
    world_end(&w);
}

static void an_entry_born_and_deleted_between_commits_leaves_nothing(void)
{
    struct world w;
    tarn_table *table;
    uint64_t before, i;

    world_begin(&w);
    table = table_of(&w, "t");
    put(table, "stays", "1");
    check_ok(tarn_commit(w.store, NULL, 0, 0));
    before = written_bytes(&w);
    for (i = 0; i < 20000; i++) {
        check_ok(tarn_put(table, &i, sizeof i, "value", 5));
        if (i % 3 == 0)
            check_ok(tarn_put(table, &i, sizeof i, "seven b", 7)); /* in its slot */
        if (i % 3 == 1)
            check_ok(tarn_put(table, &i, sizeof i, "so long that it must move", 25));
        check_ok(tarn_delete(table, &i, sizeof i));
    }
    check_eq(table->body->dead_count, 0);
    check_ok(tarn_commit(w.store, NULL, 0, 0));
    check(written_bytes(&w) - before < 2000);
    world_end(&w);
}

static void a_commit_with_nothing_changed_writes_nothing(void)
{
    struct world w;
    uint64_t before;

    world_begin(&w);
    put(table_of(&w, "t"), "k", "v");
    check_ok(tarn_commit(w.store, "n", 1, 0));
    before = written_bytes(&w);
    check_ok(tarn_commit(w.store, "n", 1, 0));
    check_eq(written_bytes(&w), before);
    check_eq(commit_number(&w), 1);
    check_ok(tarn_commit(w.store, "n", 1, TARN_SYNC));
    check_eq(commit_number(&w), 1);
    world_lose_power(&w);
    check_eq(commit_number(&w), 1);
    check_ok(tarn_commit(w.store, "m", 1, 0));
    check_eq(commit_number(&w), 2);
    world_end(&w);
}

/* tests/checkpoint_model.py --churn does the same; test_checkpoint_model.sh compares the figures. */
static void in_steady_churn_the_disk_holds_a_bounded_multiple_of_the_live_bytes(void)
{
    enum { KEYS = 5000, ENTRY_BYTES = 16 + 8 + 200 };
    static uint64_t changed_at[KEYS];
    struct world w;
    struct tn_log_statistics statistics;
    uint64_t random = test_seed(), i, j, worst = 0, written = 0, changed = 0;
    uint8_t value[200] = { 0 };
    tarn_table *table;

    world_begin(&w);
    check_ok(tarn_close(w.store));
    w.options.file_bytes_min = 32 << 10;
    check_ok(world_open(&w));
    table = table_of(&w, "t");
    for (i = 0; i < KEYS; i++)
        check_ok(tarn_put(table, &i, sizeof i, value, sizeof value));
    check_ok(tarn_commit(w.store, NULL, 0, 0));
    for (i = 1; i <= 600; i++) {
        for (j = 0; j < 50; j++) {
            uint64_t key = test_random(&random) % KEYS;

            value[0]++;
            check_ok(tarn_put(table, &key, sizeof key, value, sizeof value));
            changed += i > 200 && changed_at[key] != i;
            changed_at[key] = i;
        }
        check_ok(tarn_commit(w.store, NULL, 0, i % 7 == 0 ? TARN_SYNC : 0));
        tn_log_stat(w.store->durable->log, &statistics);
        if (i == 200)
            written = statistics.written_bytes;
        if (i > 200)
            worst = statistics.file_bytes > worst ? statistics.file_bytes : worst;
    }
    written = statistics.written_bytes - written;
    check(worst < (uint64_t)KEYS * ENTRY_BYTES * 23 / 10);
    printf("# at worst %.2f bytes of disk for a live one, %.2f written for a changed one\n",
           (double)worst / KEYS / ENTRY_BYTES, (double)written / (double)changed / ENTRY_BYTES);
    world_reopen(&w);
    check_eq(tarn_table_count(table_of(&w, "t")), KEYS);
    world_end(&w);
}

/* B6: so many entries of each size, of which small ones change, one a commit. */
struct sizes {
    size_t small_count, small_bytes, large_count, large_bytes;
    unsigned commits;
};

static void sizes_load(struct world *w, const struct sizes *sizes)
{
    tarn_table *table = table_of(w, "t");
    uint8_t *value = calloc(1, sizes->large_bytes);
    uint64_t i;

    for (i = 0; i < sizes->small_count + sizes->large_count; i++)
        check_ok(tarn_put(table, &i, sizeof i, value,
                          i < sizes->small_count ? sizes->small_bytes : sizes->large_bytes));
    free(value);
    check_ok(tarn_commit(w->store, NULL, 0, 0));
}

/* Small changes: what is written for all of them, and the most that the files ever take. */
static void sizes_change(struct world *w, const struct sizes *sizes, uint64_t *written_bytes_all,
                         uint64_t *file_bytes_worst)
{
    tarn_table *table = table_of(w, "t");
    struct tn_log_statistics statistics;
    uint64_t before = written_bytes(w), i;
    uint8_t value[256] = { 0 };

    *file_bytes_worst = 0;
    for (i = 0; i < sizes->commits; i++) {
        uint64_t key = i % sizes->small_count;

        memcpy(value, &i, sizeof i);
        check_ok(tarn_put(table, &key, sizeof key, value, sizes->small_bytes));
        check_ok(tarn_commit(w->store, NULL, 0, 0));
        tn_log_stat(w->store->durable->log, &statistics);
        if (i > sizes->commits / 3)
            *file_bytes_worst = tn_max(*file_bytes_worst, statistics.file_bytes);
    }
    *written_bytes_all = written_bytes(w) - before;
}

static void a_large_entry_is_not_written_again_by_each_small_commit(void)
{
    static const struct sizes all[] = {
        { 3, 10, 1, TN_MIB, 300 },      { 20, 10, 1, TN_MIB, 300 },    { 20, 200, 5, 100000, 2000 },
        { 2000, 100, 20, 20000, 4000 }, { 4000, 10, 3, 300000, 3000 },
    };
    size_t i;

    for (i = 0; i < TN_ARRAY_COUNT(all); i++) {
        const struct sizes *sizes = &all[i];
        uint64_t live = sizes->small_count * (24 + sizes->small_bytes) +
                        sizes->large_count * (24 + sizes->large_bytes);
        uint64_t section = tn_align_up(24 + sizes->small_bytes + 8 + 8, 64) + 256;
        uint64_t written, worst;
        struct world w;

        world_begin(&w);
        check_ok(tarn_close(w.store));
        w.options.file_bytes_min = 32 << 10;
        check_ok(world_open(&w));
        sizes_load(&w, sizes);
        sizes_change(&w, sizes, &written, &worst);
        printf("# %zu of %zu bytes, %zu of %zu: %.2f written, %.2f on disk\n", sizes->small_count,
               sizes->small_bytes, sizes->large_count, sizes->large_bytes,
               (double)written / (double)sizes->commits / (double)section,
               (double)worst / (double)live);
        check(written < sizes->commits * section * 3 + 2 * sizes->large_bytes);
        check(worst < live * 23 / 10 + 2 * sizes->large_bytes + (64 << 10));
        world_reopen(&w);
        check_eq(tarn_table_count(table_of(&w, "t")), sizes->small_count + sizes->large_count);
        world_end(&w);
    }
}

/* ---- buried records -------------------------------------------------------------------------- */

static void a_delete_needs_no_memory_and_its_slot_comes_back_with_the_commit(void)
{
    struct world w;
    tarn_table *table;
    uint64_t i;

    world_begin(&w);
    table = table_of(&w, "t");
    for (i = 0; i < 2000; i++)
        check_ok(tarn_put(table, &i, sizeof i, "some value of some length", 25));
    check_ok(tarn_commit(w.store, NULL, 0, 0));
    tn_simulated_fail(w.system, TN_CALL_PAGES_COMMIT, 1, ENOMEM, true);
    for (i = 0; i < 2000; i++)
        check_ok(tarn_delete(table, &i, sizeof i));
    tn_simulated_fail_none(w.system);
    check_eq(table->body->dead_count, 2000);
    check(tn_heap_check(&w.store->heap, &table->body->owner));
    check_ok(tarn_commit(w.store, NULL, 0, 0));
    check_eq(table->body->dead_count, 0);
    check(tn_heap_check(&w.store->heap, &table->body->owner));
    check(table->body->owner.chunk_bytes <= 64 << 10);
    world_reopen(&w);
    check_eq(tarn_table_count(table_of(&w, "t")), 0);
    world_end(&w);
}

static void buried_records_move_when_their_chunks_are_emptied(void)
{
    struct world w;
    tarn_table *table;
    uint64_t i;

    world_begin(&w);
    table = table_of(&w, "t");
    for (i = 0; i < 20000; i++)
        check_ok(tarn_put(table, &i, sizeof i, "some value of some length", 25));
    check_ok(tarn_commit(w.store, NULL, 0, 0));
    for (i = 0; i < 20000; i++) {
        if (i % 4 != 0)
            check_ok(tarn_delete(table, &i, sizeof i));
    }
    check_ok(tarn_commit(w.store, NULL, 0, 0));
    for (i = 0; i < 15000; i++) { /* into the slots between the others */
        uint64_t key = 1000000 + i;

        check_ok(tarn_put(table, &key, sizeof key, "some value of some length", 25));
    }
    for (i = 0; i < 20000; i++) { /* those go at once, some of the others stay buried */
        uint64_t key = 1000000 + i;

        if (i % 8 == 0)
            check_ok(tarn_delete(table, &i, sizeof i));
        check_eq(tarn_delete(table, &key, sizeof key), i < 15000 ? TARN_OK : TARN_ABSENT);
    }
    check_eq(table->body->dead_count, 2500);
    while (tarn_work(w.store, 1 << 20) == TARN_OK)
        ;
    check(w.store->walker.moved_count > 0);
    check(tn_heap_check(&w.store->heap, &table->body->owner));
    check_ok(tarn_commit(w.store, NULL, 0, 0));
    world_reopen(&w);
    for (i = 0; i < 20000; i++)
        check_eq(tarn_contains(table_of(&w, "t"), &i, sizeof i),
                 i % 8 == 4 ? TARN_OK : TARN_ABSENT);
    world_end(&w);
}

static void a_value_taken_can_be_read_until_the_next_call(void)
{
    struct world w;
    tarn_table *table;
    const void *value;
    size_t bytes;

    world_begin(&w);
    table = table_of(&w, "t");
    put(table, "a", "value");
    check_ok(tarn_commit(w.store, NULL, 0, 0));
    check_ok(tarn_take(table, "a", 1, &value, &bytes));
    check_bytes(value, bytes, "value", 5);
    put(table, "b", "other");
    check_ok(tarn_take(table, "b", 1, &value, &bytes));
    check_bytes(value, bytes, "other", 5);
    check_ok(tarn_commit(w.store, NULL, 0, 0));
    world_reopen(&w);
    check_eq(tarn_table_count(table_of(&w, "t")), 0);
    world_end(&w);
}

/* ---- refusals -------------------------------------------------------------------------------- */

/* What one writes is nothing to the other, also where names differ behind the last dot only. */
static void stores_in_directories_of_nearly_one_name_are_apart(void)
{
    static const char *const names[] = { "ops", "ops.db", "ops.log", "ops.db.tarn" };
    tarn_store *stores[TN_ARRAY_COUNT(names)];
    tarn_table *table;
    struct world w;
    size_t i, round;

    world_begin(&w);
    for (round = 0; round < 3; round++) {
        for (i = 0; i < TN_ARRAY_COUNT(names); i++) {
            check_ok(tn_store_open(&stores[i], names[i], &w.options, &w.os));
            check_ok(tarn_table_open(&table, stores[i], "t", NULL));
            check_eq(tarn_table_count(table), round > 0 ? round + 1 : 0);
            if (round > 0)
                check_value(table, "whose", names[i]);
            put(table, "whose", names[i]);
            check_ok(tarn_put(table, &round, sizeof round, names[i], strlen(names[i])));
            check_ok(tarn_commit(stores[i], NULL, 0, 0));
        }
        for (i = 0; i < TN_ARRAY_COUNT(names); i++)
            check_ok(tarn_close(stores[i]));
    }
    world_end(&w);
}

static void a_second_opening_is_told_that_the_store_is_busy(void)
{
    struct world w;
    tarn_store *other;

    world_begin(&w);
    check_eq(tn_store_open(&other, "d", &w.options, &w.os), TARN_E_BUSY);
    check(other == NULL);
    check(w.report.text[0] != '\0');
    world_end(&w);
}

static void existing_makes_nothing_and_read_only_writes_nothing(void)
{
    struct world w;
    tarn_store *other;
    tarn_report report = { 0 };
    tarn_options options = { .address_bytes = 64 << 20, .flags = TARN_EXISTING, .report = &report };
    uint64_t writes;

    world_begin(&w);
    check_eq(tn_store_open(&other, "nowhere", &options, &w.os), TARN_E_IO);
    check_eq(report.is_missing, 1);
    options.flags = TARN_READ_ONLY;
    check_eq(tn_store_open(&other, "nowhere", &options, &w.os), TARN_E_IO);
    check_eq(report.is_missing, 1);
    put(table_of(&w, "t"), "a", "1");
    check_ok(tarn_commit(w.store, NULL, 0, 0));
    put(table_of(&w, "t"), "a", "2");
    writes = tn_simulated_call_count(w.system, TN_CALL_FILE_WRITE);
    check_ok(tn_store_open(&other, "d", &options, &w.os)); /* beside the writer */
    if (other != NULL) {
        tarn_table *table;

        check_ok(tarn_table_open(&table, other, "t", NULL));
        check_value(table, "a", "1");
        put(table, "a", "3");
        check_eq(tarn_commit(other, NULL, 0, 0), TARN_E_MISUSE);
        check_ok(tarn_close(other));
    }
    check_eq(tn_simulated_call_count(w.system, TN_CALL_FILE_WRITE), writes);
    check_ok(tarn_commit(w.store, NULL, 0, 0));
    world_reopen(&w);
    check_value(table_of(&w, "t"), "a", "2");
    world_end(&w);
}

/* Only that there is none: what cannot be read may be there. */
static void a_store_that_is_not_there_is_told_from_one_that_cannot_be_read(void)
{
    struct world w;

    world_begin(&w);
    check_ok(tarn_close(w.store));
    w.store = NULL;
    w.options.flags = TARN_EXISTING;
    tn_simulated_fail(w.system, TN_CALL_DIRECTORY_OPEN, 1, EACCES, false);
    check_eq(world_open(&w), TARN_E_IO);
    check_eq(w.report.is_missing, 0);
    w.options.flags = 0;
    check_ok(world_open(&w));
    put(table_of(&w, "t"), "a", "1");
    check_ok(tarn_commit(w.store, NULL, 0, 0));
    check_ok(tarn_close(w.store));
    tn_simulated_fail(w.system, TN_CALL_FILE_READ, 1, EIO, false);
    check_eq(world_open(&w), TARN_E_IO);
    check_eq(w.report.is_missing, 0);
    check_ok(world_open(&w));
    world_end(&w);
}

static void statistics_tell_files_sections_and_syncs(void)
{
    struct world w;
    tarn_statistics statistics;

    world_begin(&w);
    put(table_of(&w, "t"), "a", "1");
    check_ok(tarn_commit(w.store, NULL, 0, TARN_SYNC));
    put(table_of(&w, "t"), "a", "2");
    check_ok(tarn_commit(w.store, NULL, 0, 0));
    check_ok(tarn_stat(w.store, &statistics));
    check_eq(statistics.file_count, 1);
    check(statistics.file_bytes > 4096 && statistics.written_bytes > 0);
    check_eq(statistics.section_count, 2);
    check_eq(statistics.synced_number, 1);
    check(statistics.sync_count >= 1);
    check_eq(statistics.other_name_count, 0);
    world_end(&w);
}

struct heard {
    uint64_t calls, done_bytes, all_bytes;
};

static void hear(void *context, uint64_t done_bytes, uint64_t all_bytes)
{
    struct heard *heard = context;

    check(done_bytes >= heard->done_bytes && done_bytes <= all_bytes);
    check(heard->calls == 0 || all_bytes == heard->all_bytes);
    *heard = (struct heard){ heard->calls + 1, done_bytes, all_bytes };
}

static void progress_is_heard_for_each_commit_and_ends_with_all(void)
{
    struct heard heard = { 0 };
    tarn_statistics statistics;
    struct world w;
    char key[8];
    int i;

    world_begin(&w);
    for (i = 0; i < 9; i++) {
        put(table_of(&w, "t"), (snprintf(key, sizeof key, "%d", i), key), "value");
        check_ok(tarn_commit(w.store, NULL, 0, 0));
    }
    check_ok(tarn_close(w.store));
    w.options.progress = hear;
    w.options.progress_context = &heard;
    check_ok(world_open(&w));
    check_ok(tarn_stat(w.store, &statistics));
    check(heard.calls >= statistics.section_count);
    check(heard.all_bytes > 0 && heard.all_bytes <= statistics.file_bytes);
    check_eq(heard.done_bytes, heard.all_bytes);
    world_end(&w);
}

static void what_was_dropped_is_said_in_a_sentence(void)
{
    struct world w;
    struct tn_disk *disk;
    int file;

    world_begin(&w);
    put(table_of(&w, "t"), "a", "1");
    check_ok(tarn_commit(w.store, NULL, 0, TARN_SYNC));
    check_eq(strlen(w.report.text), 0);
    tn_simulated_restart_process(w.system);
    (void)tarn_close(w.store);
    disk = tn_simulated_disk(w.system);
    file = tn_disk_file_find(disk, tn_disk_directory_find(disk, "d"), "0000000000000001.tarn");
    check_ok(tn_disk_file_write(disk, file, "rest", 4, 8192));
    check_ok(world_open(&w));
    check(w.report.dropped_bytes > 0);
    check(strstr(w.report.text, "behind commit 1") != NULL);
    check(strstr(w.report.text, "0000000000000001.tarn, offset") != NULL);
    world_end(&w);
}

static void a_full_disk_refuses_commits_until_there_is_room(void)
{
    struct world w;
    int i;

    world_begin(&w);
    put(table_of(&w, "t"), "a", "1");
    check_ok(tarn_commit(w.store, NULL, 0, 0));
    put(table_of(&w, "t"), "a", "2");
    tn_simulated_fail(w.system, TN_CALL_FILE_WRITE, 1, ENOSPC, true);
    for (i = 0; i < 3; i++)
        check_eq(tarn_commit(w.store, NULL, 0, 0), TARN_E_FULL);
    check_eq(commit_number(&w), 1);
    check_value(table_of(&w, "t"), "a", "2");
    tn_simulated_fail_none(w.system);
    put(table_of(&w, "t"), "b", "2");
    check_ok(tarn_commit(w.store, NULL, 0, 0));
    world_kill(&w);
    check_eq(commit_number(&w), 2);
    check_value(table_of(&w, "t"), "a", "2");
    check_value(table_of(&w, "t"), "b", "2");
    world_end(&w);
}

/* What a refused commit swept is not on the disk: it must be swept again before old files go. */
static void refused_commits_do_not_move_the_sweep_on(void)
{
    struct world w;
    uint64_t random = test_seed(), i, j;
    uint8_t value[200] = { 0 };
    tarn_table *table;

    world_begin(&w);
    check_ok(tarn_close(w.store));
    w.options.file_bytes_min = 32 << 10;
    check_ok(world_open(&w));
    table = table_of(&w, "t");
    for (i = 0; i < 2000; i++)
        check_ok(tarn_put(table, &i, sizeof i, value, sizeof value));
    check_ok(tarn_commit(w.store, NULL, 0, 0));
    for (i = 0; i < 300; i++) {
        for (j = 0; j < 20; j++) {
            uint64_t key = test_random(&random) % 2000;

            value[0]++;
            check_ok(tarn_put(table, &key, sizeof key, value, sizeof value));
        }
        if (i % 3 != 0) { /* at a new file's header, or behind the sweep */
            tn_simulated_fail(w.system, TN_CALL_FILE_WRITE, 1, ENOSPC, true);
            check_eq(tarn_commit(w.store, NULL, 0, 0), TARN_E_FULL);
            tn_simulated_fail_none(w.system);
        }
        check_ok(tarn_commit(w.store, NULL, 0, 0));
    }
    world_reopen(&w);
    check_eq(tarn_table_count(table_of(&w, "t")), 2000);
    world_end(&w);
}

static void a_failed_sync_ends_commits_for_good_and_opening_anew_recovers(void)
{
    struct world w;

    world_begin(&w);
    put(table_of(&w, "t"), "a", "1");
    check_ok(tarn_commit(w.store, NULL, 0, TARN_SYNC));
    put(table_of(&w, "t"), "a", "2");
    tn_simulated_fail(w.system, TN_CALL_FILE_SYNC, 1, EIO, false);
    check_eq(tarn_commit(w.store, NULL, 0, TARN_SYNC), TARN_E_FAILED);
    put(table_of(&w, "t"), "a", "3");
    check_eq(tarn_commit(w.store, NULL, 0, 0), TARN_E_FAILED);
    check_eq(tarn_commit(w.store, NULL, 0, TARN_SYNC), TARN_E_FAILED);
    check_value(table_of(&w, "t"), "a", "3");
    check(tarn_close(w.store) < 0);
    tn_simulated_restart_with(w.system, tn_disk_fate_lost, NULL);
    check_ok(world_open(&w));
    check_value(table_of(&w, "t"), "a", "1");
    world_end(&w);
}

static void a_commit_refused_for_memory_changes_nothing(void)
{
    struct world w;
    struct allocator allocator = { .refuse_at = UINT64_MAX };
    uint64_t n, before;
    int result;

    world_begin(&w);
    check_ok(tarn_close(w.store));
    w.options.allocate = allocator_call;
    w.options.allocate_context = &allocator;
    check_ok(world_open(&w));
    put(table_of(&w, "t"), "a", "1");
    check_ok(tarn_commit(w.store, "one", 3, 0));
    put(table_of(&w, "t"), "a", "2");
    check_ok(tarn_delete(table_of(&w, "t"), "a", 1));
    put(table_of(&w, "t"), "b", "2");
    for (n = 1; n < 50; n++) {
        before = commit_number(&w);
        allocator.refuse_at = allocator.asked + n;
        result = tarn_commit(w.store, "two", 3, 0);
        allocator.refuse_at = UINT64_MAX;
        if (result == TARN_OK)
            break;
        check_eq(result, TARN_E_MEMORY);
        check_eq(commit_number(&w), before);
    }
    check(n < 50);
    world_kill(&w);
    check_gone(table_of(&w, "t"), "a");
    check_value(table_of(&w, "t"), "b", "2");
    check_ok(tarn_close(w.store));
    check_eq(allocator.live_blocks, 0);
    tn_simulated_free(w.system);
}

/*
 * What a commit needs of its own is found in what waits to be reclaimed; where nothing does,
 * nothing is lost.
 */
static void a_commit_at_the_limit_reclaims_first(void)
{
    uint64_t no_limit = UINT64_MAX, i;
    struct world w;
    tarn_table *gone, *table;

    world_begin(&w);
    gone = table_of(&w, "gone");
    for (i = 0; i < 100000; i++)
        check_ok(tarn_put(gone, &i, sizeof i, "some value of some length", 25));
    check_ok(tarn_table_clear(gone));
    check(tn_store_reclaim(w.store, &no_limit));
    table = table_of(&w, "t");
    for (i = 0; i < 20000; i++)
        check_ok(tarn_put(table, &i, sizeof i, "some value of some length", 25));
    check(w.store->heap.kept_bytes > 0);
    w.store->memory.limit_bytes = w.store->memory.counted_bytes;
    check_ok(tarn_commit(w.store, NULL, 0, 0));
    check_eq(w.store->heap.kept_bytes, 0);

    w.store->memory.limit_bytes = UINT64_MAX;
    for (i = 0; i < 100000; i++)
        check_ok(tarn_put(table, &i, sizeof i, "another value of that length", 25));
    (void)tn_store_reclaim_all(w.store);
    w.store->memory.limit_bytes = w.store->memory.counted_bytes;
    check_eq(tarn_commit(w.store, NULL, 0, 0), TARN_E_FULL);
    check(strstr(tarn_error_text(w.store), "raise memory_bytes_max") != NULL);
    w.store->memory.limit_bytes = UINT64_MAX;
    check_ok(tarn_commit(w.store, NULL, 0, 0));
    world_kill(&w);
    check_eq(tarn_table_count(table_of(&w, "t")), 100000);
    check_eq(tarn_table_count(table_of(&w, "gone")), 0);
    world_end(&w);
}

/*
 * Of a section that memory was refused for half-way nothing stays in the file: neither space nor a
 * word of it.
 */
static void a_refused_commit_leaves_nothing_behind(void)
{
    tarn_statistics before, after;
    struct world w;
    tarn_table *table;
    uint64_t i;

    world_begin(&w);
    table = table_of(&w, "t");
    for (i = 0; i < 10000; i++)
        check_ok(tarn_put(table, &i, sizeof i, "some value of some length", 25));
    check_ok(tarn_commit(w.store, NULL, 0, 0));
    for (i = 0; i < 100000; i++)
        check_ok(tarn_put(table, &i, sizeof i, "another value of that length", 25));
    check_ok(tarn_stat(w.store, &before));
    (void)tn_store_reclaim_all(w.store);
    w.store->memory.limit_bytes = w.store->memory.counted_bytes;
    check_eq(tarn_commit(w.store, NULL, 0, 0), TARN_E_FULL);
    check_ok(tarn_stat(w.store, &after));
    check(after.file_bytes <= before.file_bytes + 4096); /* the header of a file, at most */
    w.store->memory.limit_bytes = UINT64_MAX;
    world_kill(&w);
    check_eq(w.report.dropped_bytes, 0);
    check_eq(tarn_table_count(table_of(&w, "t")), 10000);
    world_end(&w);
}

static void opening_a_store_larger_than_the_limit_is_refused(void)
{
    struct world w;
    tarn_table *table;
    uint64_t i, writes;

    world_begin(&w);
    table = table_of(&w, "t");
    for (i = 0; i < 20000; i++)
        check_ok(tarn_put(table, &i, sizeof i, "some value of some length", 25));
    check_ok(tarn_commit(w.store, NULL, 0, 0));
    check_ok(tarn_close(w.store));
    w.options.memory_bytes_max = 1 << 20;
    writes = tn_simulated_call_count(w.system, TN_CALL_FILE_WRITE);
    check_eq(world_open(&w), TARN_E_FULL);
    check(strstr(w.report.text, "no room") != NULL);
    check_eq(tn_simulated_call_count(w.system, TN_CALL_FILE_WRITE), writes);
    w.options.memory_bytes_max = 0;
    check_ok(world_open(&w));
    check_eq(tarn_table_count(table_of(&w, "t")), 20000);
    world_end(&w);
}

/* Each call of the system, and each allocation, fails once, in opening and in committing: the store
 * is what it was, or is refused with a text. */
static void an_opening_that_fails_anywhere_leaves_the_store_as_it_was(void)
{
    struct world w;
    uint64_t n, ok_at = 0;
    int result;

    world_begin(&w);
    put(table_of(&w, "t"), "a", "1");
    check_ok(tarn_commit(w.store, "note", 4, TARN_SYNC));
    put(table_of(&w, "t"), "a", "2");
    check_ok(tarn_commit(w.store, "note", 4, 0));
    tn_simulated_restart_process(w.system);
    (void)tarn_close(w.store);
    for (n = 1; n < 400 && ok_at == 0; n++) {
        tn_simulated_fail(w.system, TN_CALL_ANY, n, EIO, false);
        result = world_open(&w);
        tn_simulated_fail_none(w.system);
        if (result == TARN_OK) {
            check_value(table_of(&w, "t"), "a", "2");
            check_eq(commit_number(&w), 2);
            tn_simulated_restart_process(w.system);
            (void)tarn_close(w.store);
            ok_at = n > 100 ? n : 0;
        } else {
            check(w.report.text[0] != '\0' || result == TARN_E_MEMORY);
            check(w.store == NULL);
        }
    }
    check_ok(world_open(&w));
    check_value(table_of(&w, "t"), "a", "2");
    world_end(&w);
}

/* ---- a catalog that lies --------------------------------------------------------------------- */

/* As entries of the catalog are; see roster.c. */
struct catalog_entry {
    tarn_bytes name;
    size_t bytes;
    uint64_t number;
    uint8_t kind, type, role, order;
    uint64_t value_bytes;
};

/* A store of one commit, whose catalog has just these. */
static void catalog_write(struct world *w, const struct catalog_entry *entries, size_t count)
{
    const struct tn_log_options options = { .create = true, .hash_version = TN_HASH_VERSION };
    const struct tn_log_commit commit = { .number = 1, .tick = 5, .next_table_id = 9 };
    struct tn_log_report report;
    struct tn_memory memory;
    struct tn_log *log;
    uint8_t secret[TN_LOG_SECRET_BYTES] = { 1 };
    size_t i;

    tn_memory_init(&memory, NULL, NULL, 0);
    check_ok(tn_log_open(&log, &w->os, &memory, "forged", &options, secret, &report));
    check_ok(tn_log_start(log, &report));
    check_ok(tn_log_begin(log, 1000, 0));
    for (i = 0; i < count; i++) {
        const struct catalog_entry *e = &entries[i];
        uint8_t entry[40] = { 0 };

        tn_store_le64(entry, e->number);
        entry[8] = e->kind;
        entry[9] = e->type;
        entry[10] = e->role;
        entry[11] = e->order;
        tn_store_le64(entry + 16, e->value_bytes);
        check_ok(tn_log_add(log, TN_LOG_DELTA, TN_LOG_CATALOG_ID, e->name,
                            (tarn_bytes){ entry, e->bytes }));
    }
    check_ok(tn_log_end(log, &commit));
    check_ok(tn_log_close(log, true));
}

/* Of a store that holds these and nothing else. */
static int catalog_open(const struct catalog_entry *entries, size_t count, char *text, size_t room)
{
    tarn_store *store;
    struct world w;
    int result;

    world_begin(&w);
    catalog_write(&w, entries, count);
    result = tn_store_open(&store, "forged", &w.options, &w.os);
    (void)snprintf(text, room, "%s", w.report.text);
    check((store != NULL) == (result == TARN_OK));
    check_ok(tarn_close(store));
    world_end(&w);
    return result;
}

/* 256 bytes. */
#define SIXTEEN "abcdefghijklmnop"
#define LONG_64 SIXTEEN SIXTEEN SIXTEEN SIXTEEN
#define LONG LONG_64 LONG_64 LONG_64 LONG_64

#define NAME(text)                                                                                 \
    {                                                                                              \
        text, sizeof(text) - 1                                                                     \
    }

static void entries_of_the_catalog_that_lie_are_refused(void)
{
    static const struct catalog_entry good[] = {
        { NAME("t"), 32, 1, TARN_ORDERED, TARN_ANY, TN_ROLE_PLAIN, 0, 0 },
        { NAME("u"), 32, 2, TARN_UNORDERED, TARN_U64, TN_ROLE_PLAIN, 0, 8 },
        { NAME("v"), 32, 6, TARN_ORDERED, TARN_STRUCT, TN_ROLE_PLAIN, 1, 24 },
        { { LONG, 255 }, 32, 3, TARN_ORDERED, TARN_ANY, TN_ROLE_PLAIN, 0, 0 },
        { { LONG, 254 }, 32, 4, TARN_UNORDERED, TARN_U32, TN_ROLE_DICT_CODES, 0, 4 },
        { NAME("d\0"), 32, 5, TARN_UNORDERED, TARN_ANY, TN_ROLE_DICT_KEYS, 0, 0 },
    };
    static const struct {
        struct catalog_entry entry;
        const char *what;
    } lies[] = {
        { { NAME("x"), 31, 8, 0, TARN_ANY, 0, 0, 0 }, "its size" },
        { { NAME("x"), 40, 8, 0, TARN_ANY, 0, 0, 0 }, "its size" },
        { { NAME(""), 32, 8, 0, TARN_ANY, 0, 0, 0 }, "its name" },
        { { { LONG, 256 }, 32, 8, 0, TARN_ANY, 0, 0, 0 }, "its name" },
        { { NAME("x\0y"), 32, 8, 0, TARN_ANY, 0, 0, 0 }, "its name" },
        { { NAME("x\0"), 32, 8, 0, TARN_ANY, 0, 0, 0 }, "its name" }, /* as if it were keys */
        { { { LONG, 255 }, 32, 8, 1, TARN_U32, 1, 0, 4 }, "its name" },
        { { NAME("x\0"), 32, 8, 1, TARN_U32, 1, 0, 4 }, "its name" },
        { { NAME("x"), 32, 8, 1, TARN_ANY, 2, 0, 0 }, "its name" },
        { { NAME("x\0\0"), 32, 8, 1, TARN_ANY, 2, 0, 0 }, "its name" },
        { { NAME("\0"), 32, 8, 1, TARN_ANY, 2, 0, 0 }, "its name" },
        { { NAME("x"), 32, 0, 0, TARN_ANY, 0, 0, 0 }, "its number" },
        { { NAME("x"), 32, 9, 0, TARN_ANY, 0, 0, 0 }, "its number" }, /* not given yet */
        { { NAME("x"), 32, 2, 0, TARN_ANY, 0, 0, 0 }, "its number" }, /* another's */
        { { NAME("x"), 32, 8, 2, TARN_ANY, 0, 0, 0 }, "its kind" },
        { { NAME("x"), 32, 8, 0, TARN_ANY, 3, 0, 0 }, "its kind" },
        { { NAME("x"), 32, 8, 0, TARN_STRUCT, 0, 3, 24 }, "its kind" },
        { { NAME("x"), 32, 8, 0, 99, 0, 0, 0 }, "its type" },
        { { NAME("x"), 32, 8, 0, TARN_U64, 0, 0, 4 }, "its type" },
        { { NAME("x"), 32, 8, 0, TARN_U64, 0, 0, 0 }, "its type" },
        { { NAME("x"), 32, 8, 0, TARN_STRUCT, 0, 0, 24 }, "its type" },
        { { NAME("x"), 32, 8, 0, TARN_U64, 0, 1, 8 }, "its type" },
    };
    struct catalog_entry entries[TN_ARRAY_COUNT(good) + 1];
    char text[600];
    size_t i;

    memcpy(entries, good, sizeof good);
    check_ok(catalog_open(entries, TN_ARRAY_COUNT(good), text, sizeof text));
    for (i = 0; i < TN_ARRAY_COUNT(lies); i++) {
        entries[TN_ARRAY_COUNT(good)] = lies[i].entry;
        check_eq(catalog_open(entries, TN_ARRAY_COUNT(entries), text, sizeof text), TARN_E_CORRUPT);
        if (strstr(text, "catalog") == NULL || strstr(text, lies[i].what) == NULL)
            test_fail(__FILE__, __LINE__, "lie %zu: %s", i, text);
    }
}

static const struct test tests[] = {
    T(a_committed_entry_is_there_after_a_clean_close),
    T(what_was_not_committed_is_discarded_by_a_close),
    T(a_commit_survives_the_process_and_a_synced_one_the_power),
    T(deletes_clears_and_drops_come_back_as_such),
    T(a_key_deleted_and_put_again_in_one_interval_is_the_new_one),
    T(kinds_types_and_dictionaries_come_back),
    T(structs_of_the_other_byte_order_are_refused),
    T(values_of_every_size_come_back),
    T(a_large_table_comes_back_from_its_sweep),
    T(a_table_is_on_disk_however_many_commits_ago_it_was_made),
    T(a_restored_snapshot_is_what_the_next_commit_has),
    T(a_million_updates_of_a_key_cost_one_record),
    T(an_entry_born_and_deleted_between_commits_leaves_nothing),
    T(a_commit_with_nothing_changed_writes_nothing),
    T(in_steady_churn_the_disk_holds_a_bounded_multiple_of_the_live_bytes),
    T(a_large_entry_is_not_written_again_by_each_small_commit),
    T(a_delete_needs_no_memory_and_its_slot_comes_back_with_the_commit),
    T(buried_records_move_when_their_chunks_are_emptied),
    T(a_value_taken_can_be_read_until_the_next_call),
    T(stores_in_directories_of_nearly_one_name_are_apart),
    T(a_second_opening_is_told_that_the_store_is_busy),
    T(existing_makes_nothing_and_read_only_writes_nothing),
    T(a_store_that_is_not_there_is_told_from_one_that_cannot_be_read),
    T(statistics_tell_files_sections_and_syncs),
    T(progress_is_heard_for_each_commit_and_ends_with_all),
    T(what_was_dropped_is_said_in_a_sentence),
    T(a_full_disk_refuses_commits_until_there_is_room),
    T(refused_commits_do_not_move_the_sweep_on),
    T(a_failed_sync_ends_commits_for_good_and_opening_anew_recovers),
    T(a_commit_refused_for_memory_changes_nothing),
    T(a_commit_at_the_limit_reclaims_first),
    T(a_refused_commit_leaves_nothing_behind),
    T(opening_a_store_larger_than_the_limit_is_refused),
    T(an_opening_that_fails_anywhere_leaves_the_store_as_it_was),
    T(entries_of_the_catalog_that_lie_are_refused),
};

TEST_MAIN(tests)
