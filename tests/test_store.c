/*
 * test_store.c - the store as a whole: opening, closing, limits, upkeep, fork, and everything
 * refused once
 */
#include "child.h"
#include "os/simulated.h"
#include "store/store.h"

#include "allocator.h"
#include "test.h"

#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>

static struct allocator allocator;

static tarn_store *store_new(uint64_t memory_bytes_max, uint64_t address_bytes)
{
    tarn_options options = { .memory_bytes_max = memory_bytes_max,
                             .address_bytes = address_bytes,
                             .allocate = allocator_call,
                             .allocate_context = &allocator };
    tarn_store *store = NULL;

    allocator = (struct allocator){ .refuse_at = UINT64_MAX };
    check_ok(tarn_open(&store, NULL, &options));
    return store;
}

static void store_end(tarn_store *store)
{
    check_ok(tarn_close(store));
    check_eq(allocator.live_blocks, 0);
    check(!allocator.size_was_wrong);
}

static tarn_table *table_of(tarn_store *store, const char *name, int kind)
{
    tarn_table *table = NULL;

    check_ok(tarn_table_open(&table, store, name, &(tarn_table_options){ .kind = kind }));
    return table;
}

static void work_all(tarn_store *store)
{
    while (tarn_work(store, UINT64_MAX) == TARN_OK) {
    }
}

static uint64_t memory_of(const tarn_store *store)
{
    tarn_statistics stat;

    check_ok(tarn_stat(store, &stat));
    return stat.memory_bytes;
}

/* ---- opening and closing --------------------------------------------------------------------- */

static void versions_and_results_have_a_text(void)
{
    int result;

    check_text(tarn_version(), TARN_VERSION_TEXT);
    for (result = TARN_E_TYPE; result <= TARN_PRESENT; result++) {
        check(strlen(tarn_result_text(result)) > 2);
        check(strcmp(tarn_result_text(result), "unknown result") != 0);
    }
    check_text(tarn_result_text(99), "unknown result");
    check_text(tarn_result_text(-99), "unknown result");
    check_text(tarn_result_text(TARN_ABSENT), "absent");
    check_text(tarn_result_text(TARN_E_MEMORY), "out of memory");
}

static void opening_out_of_contract_is_refused(void)
{
    tarn_options options = { .address_bytes = ((uint64_t)8 << 40) + 1 };
    tarn_store *store = (void *)&options;

    check_eq(tarn_open(&store, "", NULL), TARN_E_IO);
    check(store == NULL);
    options = (tarn_options){ .flags = TARN_READ_ONLY };
    check_eq(tarn_open(&store, NULL, &options), TARN_E_MISUSE); /* only with a path */
    options = (tarn_options){ .flags = 1u << 20 };
    check_eq(tarn_open(&store, "there is no such flag", &options), TARN_E_MISUSE);
    options = (tarn_options){ .address_bytes = ((uint64_t)8 << 40) + 1 };
    check_eq(tarn_open(NULL, NULL, NULL), TARN_E_MISUSE);
    check_eq(tarn_open(&store, NULL, &options), TARN_E_MISUSE);
    options.address_bytes = UINT64_MAX;
    check_eq(tarn_open(&store, NULL, &options), TARN_E_MISUSE);
    check_ok(tarn_close(NULL));
    check_eq(tarn_stat(NULL, NULL), TARN_E_MISUSE);
    check_eq(tarn_work(NULL, 1), TARN_E_MISUSE);
    check(tarn_error_text(NULL)[0] != 0);
    check_ok(tarn_open(&store, NULL, NULL)); /* no options, the C library's memory */
    check_text(tarn_error_text(store), "");
    check_eq(tarn_stat(store, NULL), TARN_E_MISUSE);
    check_ok(tarn_close(store));
}

static void close_with_open_iterators_changes_nothing(void)
{
    tarn_store *store = store_new(0, 0);
    tarn_table *table = table_of(store, "t", TARN_ORDERED);
    tarn_iterator *its[2];
    tarn_bytes key;

    check_ok(tarn_put(table, "k", 1, "v", 1));
    check_ok(tarn_scan(&its[0], table, NULL));
    check_ok(tarn_scan(&its[1], table, NULL));
    check_eq(tarn_close(store), TARN_E_MISUSE);
    check(strstr(tarn_error_text(store), "2 iterators") != NULL);
    check_ok(tarn_next(its[0], &key, NULL));
    check_ok(tarn_iterator_close(its[0]));
    check_eq(tarn_close(store), TARN_E_MISUSE);
    check_ok(tarn_iterator_close(its[1]));
    store_end(store);
}

static void stores_are_independent(void)
{
    tarn_store *a = NULL, *b = NULL;
    tarn_table *x, *y;

    check_ok(tarn_open(&a, NULL, NULL));
    check_ok(tarn_open(&b, NULL, NULL));
    x = table_of(a, "t", TARN_ORDERED);
    y = table_of(b, "t", TARN_UNORDERED);
    check_ok(tarn_put(x, "k", 1, "v", 1));
    check_eq(tarn_contains(y, "k", 1), TARN_ABSENT);
    check(memcmp(&a->secret, &b->secret, sizeof a->secret) != 0);
    check_ok(tarn_close(a));
    check_ok(tarn_put(y, "k", 1, "v", 1));
    check_ok(tarn_close(b));
}

/* ---- statistics and upkeep ------------------------------------------------------------------- */

static void statistics_add_up_and_garbage_comes_back(void)
{
    tarn_store *store = store_new(0, 0);
    uint64_t empty_bytes = memory_of(store), entry_bytes = 0, i;
    tarn_statistics stat;
    tarn_table *tables[3];
    size_t t, steps = 0;

    for (t = 0; t < 3; t++)
        tables[t] = table_of(store, t == 0 ? "a" : t == 1 ? "b" : "c", (int)(t % 2));
    for (i = 0; i < 60000; i++)
        check_ok(tarn_put(tables[i % 3], &i, 8, &i, i % 9));
    for (t = 0; t < 3; t++)
        entry_bytes += tarn_table_bytes(tables[t]);
    check_ok(tarn_stat(store, &stat));
    check_eq(stat.table_count, 3);
    check_eq(stat.entry_count, 60000);
    check_eq(stat.entry_bytes, entry_bytes);
    check_eq(stat.garbage_bytes, 0);
    check(stat.record_bytes > entry_bytes && stat.index_bytes > 60000 * 8);
    check(stat.record_bytes + stat.index_bytes <= stat.memory_bytes);
    check(stat.memory_bytes <= stat.memory_bytes_peak);
    if (getenv("TARN_VALGRIND") == NULL) /* which has less room, and the store makes do */
        check_eq(stat.address_bytes, (uint64_t)1 << 40);

    check_ok(tarn_table_drop(tables[0]));
    check_ok(tarn_table_clear(tables[1]));
    check_ok(tarn_table_drop(tables[2]));
    check_ok(tarn_stat(store, &stat));
    check_eq(stat.entry_count, 0);
    check(stat.garbage_bytes > 60000 * 8 + stat.record_bytes);
    while (tarn_work(store, 10000) == TARN_OK) { /* small steps get there too */
        uint64_t before = stat.garbage_bytes;

        check_ok(tarn_stat(store, &stat));
        check(stat.garbage_bytes <= before);
        check(before - stat.garbage_bytes < 3 * TN_MIB);
        check(++steps < 10000);
    }
    check_ok(tarn_stat(store, &stat));
    check_eq(stat.garbage_bytes, 0);
    check_eq(stat.record_bytes, 0);
    check(stat.memory_bytes < empty_bytes + 5 * TN_MIB); /* P4: kept pages */
    check_eq(tarn_work(store, 0), TARN_END);
    store_end(store);
}

/* Writes alone give back what a dropped table held; nobody has to call tarn_work. */
static void writes_pay_for_garbage(void)
{
    tarn_store *store = store_new(0, 0);
    tarn_table *big = table_of(store, "big", TARN_ORDERED), *small;
    tarn_statistics stat;
    uint64_t i;

    small = table_of(store, "small", TARN_UNORDERED);
    for (i = 0; i < 100000; i++)
        check_ok(tarn_put(big, &i, 8, &i, 8));
    check_ok(tarn_table_drop(big));
    for (i = 0; i < 500; i++)
        check_ok(tarn_put(small, "k", 1, &i, 8));
    check_ok(tarn_stat(store, &stat));
    check_eq(stat.garbage_bytes, 0);
    store_end(store);
}

static tarn_statistics stat_of(const tarn_store *store)
{
    tarn_statistics stat;

    check_ok(tarn_stat(store, &stat));
    return stat;
}

static void load(tarn_table *table, uint64_t count)
{
    uint64_t i;

    for (i = 0; i < count; i++)
        check_ok(tarn_put(table, &i, 8, &i, 8));
}

/* A table that is cleared is likely to be filled again: P4 of heap.h, I7 of hash_index.h. */
static void a_cleared_table_finds_its_memory_when_it_is_filled_again(void)
{
    tarn_store *store = store_new(0, 0);
    tarn_table *table = table_of(store, "t", TARN_UNORDERED);
    uint64_t held_bytes, no_budget = UINT64_MAX, ticks = 0;
    uint32_t home_count;

    load(table, 600000);
    work_all(store);
    held_bytes = stat_of(store).record_bytes;
    home_count = table->index.counts[1];
    check(held_bytes > 12 * TN_MIB);
    check_ok(tarn_table_clear(table));
    check(tn_store_reclaim(store, &no_budget));
    check_eq(stat_of(store).kept_bytes, held_bytes);
    load(table, 600000);
    work_all(store);
    check_eq(table->index.counts[1], home_count);
    check(stat_of(store).record_bytes <= held_bytes);

    check_ok(tarn_table_clear(table));
    check(tn_store_reclaim(store, &no_budget));
    for (; stat_of(store).kept_bytes > 4 * TN_MIB; ticks++) { /* commits alone give it back */
        check(ticks < 100);
        check_ok(tarn_put(table, "k", 1, &ticks, 8));
        check_ok(tarn_commit(store, NULL, 0, 0));
    }
    check(ticks > 2);

    load(table, 600000);
    work_all(store);
    check_ok(tarn_table_clear(table));
    work_all(store); /* and so does work */
    check(stat_of(store).kept_bytes < TN_MIB);

    load(table, 600000);
    check_ok(tarn_table_drop(table)); /* what is dropped does not stay */
    check(tn_store_reclaim(store, &no_budget));
    check(stat_of(store).kept_bytes <= 4 * TN_MIB);
    store_end(store);
}

/* As long as a snapshot shows them, the entries are not given up; nor is there anything warm. */
static void a_table_cleared_under_a_snapshot_leaves_nothing_warm(void)
{
    tarn_store *store = store_new(0, 0);
    tarn_table *table = table_of(store, "t", TARN_UNORDERED);
    uint64_t no_budget = UINT64_MAX;
    tarn_snapshot *snapshot;

    load(table, 600000);
    check_ok(tarn_snapshot_take(&snapshot, store));
    check_ok(tarn_table_clear(table));
    check_eq(store->heap.warm_bytes, 0);
    check_ok(tarn_snapshot_release(snapshot));
    check(tn_store_reclaim(store, &no_budget));
    check(stat_of(store).kept_bytes <= 4 * TN_MIB);
    store_end(store);
}

/* Large records' chunks are never kept (P4 of heap.h), so that nothing else is kept in their place. */
static void what_is_never_kept_leaves_nothing_warm(void)
{
    tarn_store *store = store_new(0, 0);
    tarn_table *table = table_of(store, "t", TARN_UNORDERED);
    uint8_t *value = calloc(1, TN_MIB);
    uint64_t i;

    for (i = 0; i < 20; i++)
        check_ok(tarn_put(table, &i, 8, value, TN_MIB));
    check_ok(tarn_table_clear(table));
    check(store->heap.warm_bytes <= TN_REGION_BYTES);
    work_all(store);
    check(store->heap.warm_bytes <= store->heap.kept_bytes);
    free(value);
    store_end(store);
}

static void work_on_any_budget_gets_somewhere(void)
{
    tarn_store *store = store_new(0, 0);
    tarn_table *table = table_of(store, "t", TARN_UNORDERED);
    uint64_t i, steps = 0;

    for (i = 0; i < 100000 && !tn_index_is_moving(&table->index); i++)
        check_ok(tarn_put(table, &i, 8, &i, 8));
    check(tn_index_is_moving(&table->index));
    while (tarn_work(store, 1) == TARN_OK && steps < 100000)
        steps++;
    check(!tn_index_is_moving(&table->index));
    check(steps > 100 && steps < 100000);
    store_end(store);
}

/* ---- limits ---------------------------------------------------------------------------------- */

/* There was no limit and no back-pressure once: the process died instead. */
static void a_full_store_refuses_loses_nothing_and_recovers(void)
{
    uint64_t limit = 6 * TN_MIB, i, count;
    int kind, way;

    for (kind = 0; kind < 2; kind++)
        for (way = 0; way < 3; way++) {
            tarn_store *store = store_new(limit, 0);
            tarn_table *table = table_of(store, "t", kind), *other = table_of(store, "o", kind);
            tarn_iterator *it = NULL;
            const void *value;
            size_t bytes;

            for (i = 0; tarn_put(other, &i, 8, &i, 8) == TARN_OK && i < 10000; i++) {
            }
            for (count = 0; tarn_put(table, &count, 8, &count, 8) == TARN_OK; count++) {
            }
            check(count > 50000);
            check(memory_of(store) <= limit && memory_of(store) > limit * 3 / 4);
            check_eq(tarn_put(table, &count, 8, &count, 8), TARN_E_FULL);
            check(strstr(tarn_error_text(store), "tarn_put: no room") != NULL);
            check_eq(tarn_table_count(other), 10001);
            for (i = 0; i < count; i++) {
                check_ok(tarn_get(table, &i, 8, &value, &bytes));
                check(bytes == 8 && memcmp(value, &i, 8) == 0);
            }
            if (way == 0) {
                for (i = 0; i < count; i += 2)
                    check_ok(tarn_delete(table, &i, 8));
            } else if (way == 1) {
                check_ok(tarn_table_drop(table));
                table = table_of(store, "t", kind);
            } else {
                check_ok(tarn_table_drop(other));
                work_all(store);
                check_ok(tarn_table_clear(table));
            }
            for (i = 0; i < count / 3; i++)
                check_ok(tarn_put(table, &i, 8, "new", 3));
            check_ok(tarn_scan(&it, table, NULL));
            check_ok(tarn_iterator_close(it));
            check(memory_of(store) <= limit);
            store_end(store);
        }
}

static void a_limit_too_small_for_anything_is_full_from_the_start(void)
{
    tarn_options options = { .memory_bytes_max = 100 };
    tarn_store *store = (void *)&options;

    check_eq(tarn_open(&store, NULL, &options), TARN_E_FULL);
    check(store == NULL);
}

/* Dropped tables are garbage, and garbage goes first, whoever asks. */
static void at_the_limit_garbage_makes_room_for_every_call(void)
{
    static uint8_t long_key[60000], note[400000];
    tarn_store *store;
    tarn_iterator *it = NULL;
    tarn_table *table, *other;
    uint64_t i;

    for (i = 0; i < 5; i++) {
        uint64_t n;

        store = store_new(0, 0);
        table = table_of(store, "t", TARN_ORDERED);
        other = table_of(store, "o", TARN_ORDERED);
        check_ok(tarn_put(table, "k", 1, "v", 1));
        check_ok(tarn_scan(&it, table, NULL));
        for (n = 0; n < 40000; n++)
            check_ok(tarn_put(other, &n, 8, &n, 8));
        check_ok(tarn_table_drop(other));
        store->memory.limit_bytes = store->memory.counted_bytes;
        if (i == 0)
            check_ok(tarn_table_open(&other, store, "another", NULL));
        else if (i == 1)
            check_ok(tarn_table_clear(table));
        else if (i == 2)
            check_ok(tarn_seek(it, long_key, sizeof long_key));
        else if (i == 3)
            check_ok(tarn_commit(store, note, sizeof note, 0));
        else
            check_ok(tarn_put(table, long_key, sizeof long_key, "v", 1));
        check_ok(tarn_iterator_close(it));
        store_end(store);
    }
}

static void a_short_address_range_is_full_and_recovers(void)
{
    tarn_store *store = store_new(0, 16 * TN_MIB);
    tarn_table *table = table_of(store, "t", TARN_UNORDERED);
    static uint8_t value[1000];
    uint64_t i, count = 0;

    while (tarn_put(table, &count, 8, value, sizeof value) == TARN_OK)
        count++;
    check_eq(tarn_put(table, &count, 8, value, sizeof value), TARN_E_FULL);
    check(strstr(tarn_error_text(store), "address") != NULL);
    check(count > 8000);
    for (i = 0; i < count; i++)
        check_ok(tarn_delete(table, &i, 8));
    for (i = 0; i < count; i++)
        check_ok(tarn_put(table, &i, 8, value, sizeof value));
    store_end(store);
}

/* ---- fork ------------------------------------------------------------------------------------ */

static int child_calls(tarn_store *store, tarn_table *table, tarn_iterator *it)
{
    tarn_statistics stat;
    tarn_table *other = NULL;
    tarn_iterator *another = NULL;
    tarn_bytes key = { "k", 1 }, value;
    const void *got;
    void *modified;
    size_t bytes;
    int answered = 0;

    answered += tarn_get(table, "k", 1, &got, &bytes) == TARN_E_MISUSE;
    answered += tarn_get(table, "12345678", 8, &got, &bytes) == TARN_E_MISUSE;
    answered += tarn_get_many(table, &key, 1, &value) == TARN_E_MISUSE;
    answered += tarn_contains(table, "k", 1) == TARN_E_MISUSE;
    answered += tarn_put(table, "k", 1, "v", 1) == TARN_E_MISUSE;
    answered += tarn_put_if_absent(table, "k", 1, "v", 1, NULL, NULL) == TARN_E_MISUSE;
    answered += tarn_modify(table, "k", 1, 1, &modified) == TARN_E_MISUSE;
    answered += tarn_delete(table, "k", 1) == TARN_E_MISUSE;
    answered += tarn_scan(&another, table, NULL) == TARN_E_MISUSE;
    answered += tarn_next(it, NULL, NULL) == TARN_E_MISUSE;
    answered += tarn_seek(it, "k", 1) == TARN_E_MISUSE;
    answered += tarn_iterator_close(it) == TARN_E_MISUSE;
    answered += tarn_table_open(&other, store, "t", NULL) == TARN_E_MISUSE;
    answered += tarn_table_open(&other, store, "new", NULL) == TARN_E_MISUSE;
    answered += tarn_table_clear(table) == TARN_E_MISUSE;
    answered += tarn_table_drop(table) == TARN_E_MISUSE;
    answered += tarn_table_close(table) == TARN_E_MISUSE;
    answered += tarn_commit(store, NULL, 0, 0) == TARN_E_MISUSE;
    answered += tarn_last_commit(store, NULL, NULL) == TARN_E_MISUSE;
    answered += tarn_work(store, 1) == TARN_E_MISUSE;
    answered += tarn_stat(store, &stat) == TARN_E_MISUSE;
    answered += tarn_close(store) == TARN_E_MISUSE;
    answered += tarn_table_count(table) == 0 && tarn_table_bytes(table) == 0;
    return answered;
}

static void a_forked_child_is_refused_and_its_parent_unharmed(void)
{
    tarn_store *store = store_new(0, 0);
    tarn_table *table = table_of(store, "t", TARN_ORDERED);
    tarn_iterator *it = NULL;
    const void *value;
    size_t bytes;
    int status = 0;
    pid_t child;

    check_ok(tarn_put(table, "k", 1, "v", 1));
    check_ok(tarn_scan(&it, table, NULL));
    fflush(stdout);
    child = fork();
    if (child == 0)
        child_exit(child_calls(store, table, it));
    check(child > 0 && waitpid(child, &status, 0) == child);
    check(WIFEXITED(status));
    check_eq(WEXITSTATUS(status), 23);
    check_ok(tarn_get(table, "k", 1, &value, &bytes));
    check_ok(tarn_next(it, NULL, NULL));
    check_ok(tarn_put(table, "l", 1, "w", 1));
    check_ok(tarn_iterator_close(it));
    store_end(store);
}

/* The second step of a scan takes the shortest way there is. */
static void a_scan_under_way_is_refused_in_a_forked_child(void)
{
    static const char *const keys[] = { "a", "b", "c", "d" };
    tarn_store *store = store_new(0, 0);
    tarn_table *table = table_of(store, "t", TARN_ORDERED);
    tarn_iterator *it = NULL;
    tarn_bytes key, value;
    int status = 0;
    pid_t child;
    size_t i;

    for (i = 0; i < TN_ARRAY_COUNT(keys); i++)
        check_ok(tarn_put(table, keys[i], 1, "v", 1));
    check_ok(tarn_scan(&it, table, NULL));
    check_ok(tarn_next(it, &key, &value));
    fflush(stdout);
    child = fork();
    if (child == 0)
        child_exit(tarn_next(it, &key, &value) == TARN_E_MISUSE ? 23 : 0);
    check(child > 0 && waitpid(child, &status, 0) == child);
    check(WIFEXITED(status));
    check_eq(WEXITSTATUS(status), 23);
    check_ok(tarn_next(it, &key, &value));
    check_ok(tarn_iterator_close(it));
    store_end(store);
}

/* ---- everything refused once ----------------------------------------------------------------- */

#define FAULT_TABLES 2
#define FAULT_KEYS 1700

/* A fixed program that reaches every call; whatever is refused is checked and asked for again. */
struct faults {
    struct tn_simulated *simulated;
    tarn_store *store;
    tarn_table *tables[FAULT_TABLES];
    uint32_t sizes[FAULT_TABLES][FAULT_KEYS]; /* 1 + bytes of the value; 0: absent */
    size_t refused;
};

static struct faults faults;

static void faults_unchanged(void)
{
    size_t t, k, bytes = 0;
    const void *value;
    uint64_t key;

    for (t = 0; t < FAULT_TABLES; t++) {
        uint64_t count = 0;

        if (faults.tables[t] == NULL)
            continue;
        for (k = 0; k < FAULT_KEYS; k++) {
            key = k;
            count += faults.sizes[t][k] != 0;
            if (tarn_get(faults.tables[t], &key, 8, &value, &bytes) == TARN_OK)
                check(bytes + 1 == faults.sizes[t][k] &&
                      (bytes == 0 || *(const uint8_t *)value == (uint8_t)k));
            else
                check(faults.sizes[t][k] == 0);
        }
        check_eq(tarn_table_count(faults.tables[t]), count);
        check(tn_index_check(&faults.tables[t]->index));
        check(tn_heap_check(&faults.store->heap, &faults.tables[t]->body->owner));
        check(faults.tables[t]->ordered == NULL || tn_ordered_check(faults.tables[t]->ordered));
    }
}

/* Whether to ask again. */
static bool faults_refused(int result)
{
    if (result >= 0)
        return false;
    check(result == TARN_E_MEMORY);
    check(tarn_error_text(faults.store)[0] != 0);
    faults.refused++;
    check(faults.refused < 3);
    if (faults.refused < 3)
        faults_unchanged();
    return faults.refused < 3;
}

static void faults_put(size_t t, uint64_t key, size_t bytes)
{
    static uint8_t value[300000];

    memset(value, (int)key, bytes);
    while (faults_refused(tarn_put(faults.tables[t], &key, 8, value, bytes))) {
    }
    faults.sizes[t][key] = (uint32_t)bytes + 1;
}

static void faults_scan(size_t t)
{
    static uint8_t long_key[3000];
    tarn_range range = { .prefix = { "", 0 } };
    tarn_iterator *it = NULL;
    size_t i;

    while (faults_refused(tarn_scan(&it, faults.tables[t], &range))) {
        check(it == NULL);
    }
    for (i = 0; i < 50; i++)
        check_ok(tarn_next(it, NULL, NULL));
    if (t == 0)
        while (faults_refused(tarn_seek(it, long_key, sizeof long_key))) {
        }
    faults_put(t, 1, 2000);
    check_ok(tarn_next(it, NULL, NULL));
    check_ok(tarn_iterator_close(it));
}

static void faults_tables(void)
{
    const tarn_table_options kinds[] = { { .kind = TARN_ORDERED }, { .kind = TARN_UNORDERED } };
    size_t t;

    for (t = 0; t < FAULT_TABLES; t++)
        while (faults_refused(
            tarn_table_open(&faults.tables[t], faults.store, t ? "second" : "first", &kinds[t]))) {
            check(faults.tables[t] == NULL);
        }
}

static void faults_program(void)
{
    static uint8_t note[5000];
    size_t t, i;
    void *value;
    uint64_t key;

    faults_tables();
    for (t = 0; t < FAULT_TABLES; t++) {
        for (i = 0; i < FAULT_KEYS - 2; i++)
            faults_put(t, i, i % 40);
        for (i = 0; i < 6; i++)
            faults_put(t, i, 100 + i * 50000); /* moves, large ones too */
        key = FAULT_KEYS - 2;
        while (faults_refused(tarn_modify(faults.tables[t], &key, 8, 600, &value))) {
        }
        memset(value, (int)key, 600);
        faults.sizes[t][key++] = 601;
        while (faults_refused(tarn_put_if_absent(faults.tables[t], &key, 8, "\0", 0, NULL, NULL))) {
        }
        faults.sizes[t][key] = 1;
        faults_scan(t);
        for (key = 0; key < FAULT_KEYS; key += key % 3 + 1) {
            int wanted = faults.sizes[t][key] != 0 ? TARN_OK : TARN_ABSENT;

            check_eq(tarn_delete(faults.tables[t], &key, 8), wanted); /* never refused */
            faults.sizes[t][key] = 0;
        }
    }
    while (faults_refused(tarn_commit(faults.store, note, sizeof note, TARN_SYNC))) {
    }
    faults_unchanged();
    while (faults_refused(tarn_table_clear(faults.tables[0]))) {
    }
    memset(faults.sizes[0], 0, sizeof faults.sizes[0]);
    check_ok(tarn_table_drop(faults.tables[1]));
    check_ok(tarn_table_close(faults.tables[1]));
    faults.tables[1] = NULL;
    memset(faults.sizes[1], 0, sizeof faults.sizes[1]);
    check(tarn_work(faults.store, 1000) >= 0);
    faults_tables();
    faults_put(1, 5, 5);
    work_all(faults.store);
    faults_unchanged();
}

/* Answers how many calls of the kind there were; kind 0: allocations. */
static uint64_t faults_run(enum tn_simulated_call kind, uint64_t number)
{
    const struct tn_simulated_options machine = { .reserved_bytes_max = TN_GIB };
    tarn_options options = { .address_bytes = 256 * TN_MIB,
                             .allocate = allocator_call,
                             .allocate_context = &allocator };
    struct tn_os os;
    uint64_t calls;
    int result;

    memset(&faults, 0, sizeof faults);
    allocator = (struct allocator){ .refuse_at = UINT64_MAX };
    faults.simulated = tn_simulated_new(&machine);
    os = tn_simulated_os(faults.simulated);
    if (kind == TN_CALL_ANY)
        allocator.refuse_at = number;
    else if (number > 0)
        check(tn_simulated_fail(faults.simulated, kind, number, ENOMEM, false));
    result = tn_store_open(&faults.store, NULL, &options, &os);
    if (result < 0) {
        check(result == TARN_E_MEMORY && faults.store == NULL);
        check_eq(allocator.live_blocks, 0);
        faults.refused++;
        check_ok(tn_store_open(&faults.store, NULL, &options, &os));
    }
    faults_program();
    check_ok(tarn_close(faults.store));
    check_eq(allocator.live_blocks, 0);
    check(!allocator.size_was_wrong);
    calls = kind == TN_CALL_ANY ? allocator.asked : tn_simulated_call_count(faults.simulated, kind);
    tn_simulated_free(faults.simulated);
    return calls;
}

static void each_refused_allocation_loses_nothing(void)
{
    uint64_t all = faults_run(TN_CALL_ANY, UINT64_MAX), number, refused = 0;

    check(all > 60);
    for (number = 1; number <= all; number++) {
        (void)faults_run(TN_CALL_ANY, number);
        refused += faults.refused;
    }
    check(refused > 10);
}

static void each_refused_system_call_loses_nothing(void)
{
    const enum tn_simulated_call kinds[] = { TN_CALL_PAGES_RESERVE, TN_CALL_PAGES_COMMIT,
                                             TN_CALL_FORK_MARK, TN_CALL_RANDOM };
    size_t k;

    for (k = 0; k < TN_ARRAY_COUNT(kinds); k++) {
        uint64_t all = faults_run(kinds[k], 0), number;

        check(all > 0);
        for (number = 1; number <= all; number++)
            (void)faults_run(kinds[k], number);
    }
}

static const struct test tests[] = {
    T(versions_and_results_have_a_text),
    T(opening_out_of_contract_is_refused),
    T(close_with_open_iterators_changes_nothing),
    T(stores_are_independent),
    T(statistics_add_up_and_garbage_comes_back),
    T(writes_pay_for_garbage),
    T(a_cleared_table_finds_its_memory_when_it_is_filled_again),
    T(a_table_cleared_under_a_snapshot_leaves_nothing_warm),
    T(what_is_never_kept_leaves_nothing_warm),
    T(work_on_any_budget_gets_somewhere),
    T(a_full_store_refuses_loses_nothing_and_recovers),
    T(a_limit_too_small_for_anything_is_full_from_the_start),
    T(at_the_limit_garbage_makes_room_for_every_call),
    T(a_short_address_range_is_full_and_recovers),
    T(a_forked_child_is_refused_and_its_parent_unharmed),
    T(a_scan_under_way_is_refused_in_a_forked_child),
    T(each_refused_allocation_loses_nothing),
    T(each_refused_system_call_loses_nothing),
};

TEST_MAIN(tests)
