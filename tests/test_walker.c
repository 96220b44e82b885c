/*
 * test_walker.c - the walker, evacuation, and what they promise: ages stay comparable (W1 to W3),
 * memory comes back after deletes (P7), and no call does much of either
 */
#include "allocator.h"
#include "entries.h"
#include "heap/chunk.h"
#include "os/simulated.h"
#include "store/relocate.h"
#include "test.h"

static tarn_statistics stat_of(const tarn_store *store)
{
    tarn_statistics statistics = { 0 };

    check_ok(tarn_stat(store, &statistics));
    return statistics;
}

static void work_to_the_end(tarn_store *store)
{
    while (tarn_work(store, TN_MIB) == TARN_OK) {
    }
}

static bool table_is_sound(const tarn_table *table)
{
    return tn_index_check(&table->index) &&
           tn_heap_check(&table->store->heap, &table->body->owner) &&
           (table->ordered == NULL || tn_ordered_check(table->ordered));
}

/* ---- ticks ----------------------------------------------------------------------------------- */

static tarn_store *store_from_tick(uint64_t tick)
{
    tarn_store *store;

    check_ok(tn_store_open_from(&store, NULL, NULL, &tn_os_posix, tick));
    return store;
}

static uint32_t record_age(const tarn_table *table, uint64_t key)
{
    struct tn_lookup lookup;
    tn_handle handle = tn_table_find_any(table, &key, sizeof key, &lookup);

    return handle == TN_HANDLE_NONE
               ? 0
               : (uint32_t)table->store->tick - tn_record_at(table->base, handle)->tick;
}

static uint32_t oldest_age(const tarn_table *table, uint64_t keys)
{
    uint32_t oldest = 0;
    uint64_t key;

    for (key = 0; key < keys; key++) {
        uint32_t age = record_age(table, key);

        oldest = age > oldest ? age : oldest;
    }
    return oldest;
}

/* As many commits, all but the last one of them in no time. */
static void commits_pass(tarn_table *table, uint64_t ticks)
{
    tarn_store *store = table->store;
    void *value;

    store->tick += ticks - 1;
    check_ok(tarn_modify(table, "now", 3, 4, &value));
    check_ok(tarn_commit(store, NULL, 0, 0));
}

static void no_record_is_ever_too_old_to_be_compared(void)
{
    static const uint64_t starts[] = { 1, UINT32_MAX - 3, ((uint64_t)1 << 31) - 7,
                                       ((uint64_t)7 << 32) - ((uint64_t)1 << 28) };
    enum { KEYS = 5000 };
    size_t s, round;
    uint64_t key;

    for (s = 0; s < TN_ARRAY_COUNT(starts); s++) {
        tarn_store *store = store_from_tick(starts[s]);
        uint64_t random = test_seed();
        tarn_table *table;

        check_eq(store->tick, starts[s]);
        check_ok(tarn_table_open(&table, store, "t", NULL));
        for (key = 0; key < KEYS; key++)
            check_ok(tarn_put(table, &key, sizeof key, "value", 5));
        for (round = 0; round < 40; round++) { /* 2^33 ticks: the 32 bits wrap twice */
            commits_pass(table, (uint64_t)1 << 28);
            for (key = 0; key < 600; key++)
                commits_pass(table, test_random(&random) % 1000 + 1);
            check(oldest_age(table, KEYS) <= TN_STAMP_AGE + 2 * TN_REVOLUTION_TICKS);
        }
        check(stat_of(store).revolution_count >= 30);
        check(oldest_age(table, KEYS) >= TN_STAMP_AGE); /* and none is made younger than it must */
        check_ok(tarn_put(table, "x", 1, "", 0));
        check_ok(tarn_close(store));
    }
}

static void the_walker_rests_until_it_is_time(void)
{
    tarn_store *store = store_from_tick(77);
    uint64_t key;
    tarn_table *table;

    check_ok(tarn_table_open(&table, store, "t", NULL));
    for (key = 0; key < 3000; key++) {
        check_ok(tarn_put(table, &key, sizeof key, "value", 5));
        check_ok(tarn_commit(store, NULL, 0, 0));
    }
    check_eq(tarn_work(store, UINT64_MAX), TARN_END);
    check_eq(stat_of(store).revolution_count, 0);
    check(!store->walker.walking);
    commits_pass(table, TN_REVOLUTION_TICKS - 3001);
    check(!store->walker.walking);
    commits_pass(table, 1);
    check(store->walker.walking);
    check_eq(tarn_work(store, 100), TARN_OK);
    while (tarn_work(store, 1000) == TARN_OK) { /* drives it, too */
    }
    check_eq(stat_of(store).revolution_count, 1);
    check_ok(tarn_close(store));
}

/* W3: what one step visits, for a share of one tick, in any table. */
static void a_step_of_the_walker_is_bounded(void)
{
    tarn_store *store = store_from_tick(1);
    uint64_t key, budget_bytes, position;
    size_t steps = 0;
    tarn_table *table;

    check_ok(tarn_table_open(&table, store, "t", NULL));
    for (key = 0; key < 100000; key++)
        check_ok(tarn_put(table, &key, sizeof key, "", 0));
    commits_pass(table, TN_REVOLUTION_TICKS);
    for (; store->walker.walking; steps++) {
        position = store->walker.position;
        budget_bytes = 1;
        (void)tn_walker_step(store, &budget_bytes);
        if (store->walker.position > position) /* at most 64 of 20,000 home buckets */
            check((store->walker.position - position) * table->index.counts[0] >> 31 <= 65);
    }
    check(steps > 100000 / 64);
    check_ok(tarn_close(store));
}

/* W1: tables come, go, and are emptied; indexes grow and shrink, while a revolution is under way. */
static void a_revolution_visits_all_that_stays_whatever_else_happens(void)
{
    enum { TABLES = 6, KEYS = 700 };
    uint64_t random = test_seed(), key, round, visited = 0;
    tarn_store *store = store_from_tick(5);
    tarn_table *tables[TABLES];
    char name[8];
    size_t t;

    for (t = 0; t < TABLES; t++) {
        (void)snprintf(name, sizeof name, "t%zu", 2 * t);
        check_ok(tarn_table_open(&tables[t], store, name, NULL));
        for (key = 0; key < KEYS; key++)
            check_ok(tarn_put(tables[t], &key, sizeof key, "value", 5));
    }
    for (round = 0; round < 12; round++) {
        uint64_t revolutions = stat_of(store).revolution_count;

        commits_pass(tables[0], TN_REVOLUTION_TICKS);
        while (stat_of(store).revolution_count == revolutions) {
            uint64_t budget_bytes = test_random(&random) % 2000, other = test_random(&random);
            tarn_table *guest;

            (void)tn_walker_step(store, &budget_bytes);
            (void)snprintf(name, sizeof name, "t%d", (int)(other % 7 * 2) - 1);
            check_ok(tarn_table_open(&guest, store, name, NULL));
            for (key = 0; key < other % 50; key++)
                check_ok(tarn_put(guest, &key, sizeof key, "young", 5));
            if (other / 64 % 3 == 0)
                check_ok(tarn_table_clear(guest));
            if (other / 256 % 2 == 0)
                check_ok(tarn_table_drop(guest));
            check_ok(tarn_table_close(guest));
            for (key = 1000000; key < 1000000 + other / 512 % 400; key++) /* grow, shrink */
                check_ok(tarn_put(tables[other % TABLES], &key, sizeof key, "", 0));
            for (key = 1000000; key < 1000400; key++)
                (void)tarn_delete(tables[other % TABLES], &key, sizeof key);
        }
        for (t = 0; t < TABLES; t++) {
            check(table_is_sound(tables[t]));
            /* Nothing that was there when the revolution began was left out. */
            check(oldest_age(tables[t], KEYS) <= TN_STAMP_AGE + 1000000);
            visited += oldest_age(tables[t], KEYS) >= TN_STAMP_AGE;
        }
    }
    check(visited > 0);
    check_ok(tarn_close(store));
}

/* ---- memory comes back ----------------------------------------------------------------------- */

#define BIG_COUNT ((uint64_t)1000000)
#define VALUE_BYTES 128u /* and a key and a header of 8: 144 */

/* For what a smaller table tells as well. */
#define SMALLER_COUNT ((uint64_t)200000)

static void big_fill(tarn_table *table, uint64_t count)
{
    uint8_t value[VALUE_BYTES] = { 0 };
    uint64_t key, failed = 0;

    for (key = 0; key < count; key++) {
        memcpy(value, &key, sizeof key);
        failed += tarn_put(table, &key, sizeof key, value, sizeof value) != TARN_OK;
    }
    check_eq(failed, 0);
}

static uint64_t fresh_bytes(int kind, uint64_t count)
{
    const tarn_table_options options = { .kind = kind };
    uint64_t bytes;
    tarn_store *store;
    tarn_table *table;

    check_ok(tarn_open(&store, NULL, NULL));
    check_ok(tarn_table_open(&table, store, "t", &options));
    big_fill(table, count);
    work_to_the_end(store);
    bytes = stat_of(store).memory_bytes;
    check_ok(tarn_close(store));
    return bytes;
}

/* Delete all but one of `part`, at random; what is left is what it was. Answers entries left. */
static uint64_t big_thin_out(tarn_table *table, uint64_t part, uint64_t *random,
                             uint64_t *moved_max)
{
    const uint64_t count = tarn_table_count(table);
    uint64_t key, wrong = 0, seed = *random, moved, before = stat_of(table->store).moved_count;

    *moved_max = 0;
    for (key = 0; key < count; key++) {
        if (test_random(random) % part == 0)
            continue;
        wrong += tarn_delete(table, &key, sizeof key) != TARN_OK;
        moved = table->store->walker.moved_count - before;
        before += moved;
        *moved_max = moved > *moved_max ? moved : *moved_max;
    }
    for (key = 0; key < count; key++) {
        bool stays = test_random(&seed) % part == 0;
        const void *value;
        size_t bytes;
        int result = tarn_get(table, &key, sizeof key, &value, &bytes);

        wrong += result != (stays ? TARN_OK : TARN_ABSENT) ||
                 (stays && memcmp(value, &key, sizeof key) != 0);
    }
    check_eq(wrong, 0);
    return tarn_table_count(table);
}

static void memory_comes_back_after_deleting_most_of_a_table(void)
{
    static const uint64_t parts[] = { 10, 10, 2, 40 };
    uint64_t random = test_seed(), moved_max, left;
    size_t i;

    for (i = 0; i < TN_ARRAY_COUNT(parts); i++) {
        const tarn_table_options options = { .kind = i == 0 ? TARN_ORDERED : TARN_UNORDERED };
        tarn_statistics s, full;
        tarn_store *store;
        tarn_table *table;
        uint64_t fresh, count = i == 0 ? BIG_COUNT : SMALLER_COUNT;

        check_ok(tarn_open(&store, NULL, NULL));
        check_ok(tarn_table_open(&table, store, "t", &options));
        big_fill(table, count);
        full = stat_of(store);
        left = big_thin_out(table, parts[i], &random, &moved_max);
        check(moved_max <= TN_DELETE_SHARE_RECORDS); /* a bounded share of each call */
        s = stat_of(store);
        /* Writes alone keep the records' pages within twice what is needed, and a chunk. */
        check(s.record_bytes <= 2 * 144 * left * 17 / 16 + 4 * TN_MIB);
        check(s.moved_count <= count); /* less than one move for a delete */
        work_to_the_end(store);
        s = stat_of(store);
        fresh = fresh_bytes(options.kind, left);
        if (getenv("VERBOSE") != NULL)
            printf(
                "# 1 of %d left: %.1f MB full, %.1f now, %.1f fresh: %.2fx; %.2f moves a delete\n",
                (int)parts[i], (double)full.memory_bytes / 1e6, (double)s.memory_bytes / 1e6,
                (double)fresh / 1e6, (double)s.memory_bytes / (double)fresh,
                (double)s.moved_count / (double)(count - left));
        check(s.memory_bytes <= fresh + fresh * 3 / 10 + (i == 0 ? 0 : TN_MIB));
        check(table_is_sound(table));
        check_ok(tarn_close(store));
    }
}

/* Random keys of a range twice as large, half of them there: each step deletes one or puts one. */
static void steady_churn_keeps_memory_within_a_bound(void)
{
    enum { COUNT = 100000 };
    uint64_t random = test_seed(), key, step, most = 0, moved, before = 0, moved_max = 0;
    uint8_t value[VALUE_BYTES] = { 0 };
    uint64_t fresh = fresh_bytes(TARN_ORDERED, COUNT);
    tarn_store *store;
    tarn_table *table;

    check_ok(tarn_open(&store, NULL, NULL));
    check_ok(tarn_table_open(&table, store, "t", NULL));
    big_fill(table, COUNT);
    for (step = 0; step < 20 * COUNT; step++) {
        bool puts = tarn_table_count(table) < COUNT;
        /* every eighth value is of another size */
        size_t bytes = step % 8 == 0 ? VALUE_BYTES - step / 8 % 100 : VALUE_BYTES;

        key = test_random(&random) % ((uint64_t)2 * COUNT);
        if (puts)
            check_ok(tarn_put(table, &key, sizeof key, value, bytes));
        else
            (void)tarn_delete(table, &key, sizeof key);
        moved = store->walker.moved_count - before;
        before += moved;
        moved_max = moved > moved_max ? moved : moved_max;
        if (step % 1024 == 0)
            most = tn_max(most, stat_of(store).memory_bytes);
    }
    if (getenv("VERBOSE") != NULL)
        printf("# churn: %.1f MB at most, %.1f fresh, %.3f moves a step\n", (double)most / 1e6,
               (double)fresh / 1e6, (double)before / (20.0 * COUNT));
    check(moved_max <= TN_DELETE_SHARE_RECORDS);
    check(most <= fresh * 3 / 2 + 4 * TN_MIB); /* kept pages are within 4 MiB here */
    check(table_is_sound(table));
    check_ok(tarn_close(store));
}

static void a_table_of_one_great_chunk_ends_in_a_small_one(void)
{
    uint8_t value[VALUE_BYTES] = { 0 };
    tarn_store *store;
    tarn_table *table;
    uint64_t key;

    check_ok(tarn_open(&store, NULL, NULL));
    check_ok(tarn_table_open(&table, store, "t", NULL));
    for (key = 0; key < 200000; key++)
        check_ok(tarn_put(table, &key, sizeof key, value, sizeof value));
    for (key = 0; key < 200000 - 10; key++)
        check_ok(tarn_delete(table, &key, sizeof key));
    work_to_the_end(store);
    check(stat_of(store).record_bytes <= 16 * TN_KIB);
    for (; key < 200000; key++)
        check_ok(tarn_contains(table, &key, sizeof key));
    check_ok(tarn_close(store));
}

static void a_step_of_tarn_work_moves_no_more_than_its_budget(void)
{
    uint64_t random = test_seed(), moved_max, before, steps = 0, most = 0;
    tarn_store *store;
    tarn_table *table;

    check_ok(tarn_open(&store, NULL, NULL));
    check_ok(tarn_table_open(&table, store, "t", NULL));
    big_fill(table, SMALLER_COUNT);
    (void)big_thin_out(table, 2, &random, &moved_max);
    before = store->walker.moved_count;
    while (tarn_work(store, 8192) == TARN_OK) {
        most = tn_max(most, store->walker.moved_count - before);
        before = store->walker.moved_count;
        steps++;
    }
    check(most > 0 && most <= 8192 / (144 + 256) + 1);
    check(steps > 500);
    check_eq(tarn_work(store, 8192), TARN_END); /* and it stays at the end */
    check_ok(tarn_close(store));
}

/* ---- whoever stands on a record that moves --------------------------------------------------- */

/* The key of the record that is to move next, if one is. */
static bool next_to_move(const tarn_table *table, uint64_t *key)
{
    const struct tn_heap_owner *owner = &table->body->owner;
    uint32_t slot = owner->victim_slot;

    if (owner->victim == NULL)
        return false;
    for (; slot < owner->victim->slot_count; slot++) {
        tn_handle handle = owner->victim->first + (tn_handle)slot * owner->victim->slot_granules;

        if ((owner->victim->free_bits[slot / 64] >> (slot % 64) & 1) == 0) {
            memcpy(key, tn_record_key(tn_record_at(table->base, handle)), sizeof *key);
            return true;
        }
    }
    return false;
}

/* Deletes, takes and puts of another size move records; what take and modify lend stays readable. */
static void what_is_lent_is_not_moved(void)
{
    enum { KEYS = 4000 };
    uint64_t random = test_seed(), key, wrong = 0, takes = 0, before;
    tarn_store *store;
    tarn_table *table;
    size_t i, bytes;
    const void *value;
    void *mine;

    check_ok(tarn_open(&store, NULL, NULL));
    check_ok(tarn_table_open(&table, store, "t", NULL));
    big_fill(table, KEYS);
    for (i = 0; i < 200000; i++) {
        key = test_random(&random) % KEYS;
        before = store->walker.moved_count;
        if (test_random(&random) % 4 != 0 && tarn_table_count(table) > 200) {
            if (i % 3 == 0)
                (void)next_to_move(table, &key);
            if (tarn_take(table, &key, sizeof key, &value, &bytes) == TARN_OK) {
                wrong += bytes != VALUE_BYTES || memcmp(value, &key, sizeof key) != 0;
                takes += store->walker.moved_count > before;
            }
            continue;
        }
        check_ok(tarn_modify(table, &key, sizeof key, VALUE_BYTES, &mine));
        memcpy(mine, &key, sizeof key);
        check_ok(tarn_get(table, &key, sizeof key, &value, &bytes));
        wrong += value != mine || memcmp(value, &key, sizeof key) != 0;
        if (tarn_table_count(table) < 300)
            big_fill(table, KEYS);
    }
    check_eq(wrong, 0);
    check(takes > 100); /* it was put to the test */
    check(table_is_sound(table));
    check_ok(tarn_close(store));
}

/* Whether the iterator's record, if it stands on one, is the one that the table has for its key. */
static bool stands_on_a_record(const tarn_iterator *it)
{
    struct tn_record *record = tn_record_at(it->table->base, it->current);
    struct tn_lookup lookup;

    return it->current == TN_HANDLE_NONE ||
           tn_table_find_any(it->table, tn_record_key(record), tn_record_key_bytes(record),
                             &lookup) == it->current;
}

/* Iterators of both directions and kinds, while deletes and tarn_work move records around them. */
static void iterators_survive_evacuation(void)
{
    enum { KEYS = 6000 };
    static const uint8_t bytes_of_others[VALUE_BYTES] = { 0 };
    int kind, reverse;

    for (kind = 0; kind < 2; kind++)
        for (reverse = 0; reverse < 2 - kind; reverse++) {
            const tarn_table_options options = { .kind = kind };
            const tarn_range range = { .reverse = reverse };
            uint8_t *seen = calloc(2 * KEYS, 1), *kept = calloc(KEYS, 1);
            uint64_t random = test_seed(), key, wrong = 0;
            tarn_iterator *it;
            tarn_store *store;
            tarn_table *table;
            tarn_bytes got;

            check_ok(tarn_open(&store, NULL, NULL));
            check_ok(tarn_table_open(&table, store, "t", &options));
            big_fill(table, KEYS);
            check_ok(tarn_scan(&it, table, &range));
            for (key = 0; key < KEYS; key++)
                kept[key] = test_random(&random) % 8 == 0;
            while (tarn_next(it, &got, NULL) == TARN_OK) {
                size_t i;

                memcpy(&key, got.data, sizeof key);
                wrong += key >= 2 * KEYS || seen[key]++ != 0;
                if (key < KEYS) { /* slots that were left are used again */
                    key += KEYS;
                    check_ok(tarn_put(table, &key, sizeof key, &bytes_of_others, VALUE_BYTES));
                }
                for (i = 0; i < 6; i++) {
                    key = test_random(&random) % (2 * KEYS);
                    if (key >= KEYS || !kept[key])
                        (void)tarn_delete(table, &key, sizeof key);
                }
                if (test_random(&random) % 50 == 0)
                    (void)tarn_work(store, 20000);
                wrong += !stands_on_a_record(it); /* T3 */
            }
            for (key = 0; key < KEYS; key++)
                wrong += kept[key] && seen[key] != 1;
            check_eq(wrong, 0);
            check(store->walker.moved_count > 100);
            check(table_is_sound(table));
            check_ok(tarn_iterator_close(it));
            check_ok(tarn_close(store));
            free(seen);
            free(kept);
        }
}

static void random_programs_stay_sound_while_records_move(void)
{
    uint64_t random = test_seed();
    size_t round, step;

    for (round = 0; round < 4; round++) {
        tarn_store *store;
        struct entries e;

        check_ok(tarn_open(&store, NULL, NULL));
        entries_open(&e, store, "t", (int)round % 2, 1500);
        for (step = 0; step < 15000; step++) {
            size_t number = test_random(&random) % e.count;
            bool deletes = test_random(&random) % 4 < 1 + step / 1500 % 3;

            if (deletes)
                (void)entries_delete(&e, number);
            else
                check_ok(entries_put(&e, number, test_random(&random) % (round < 2 ? 300 : 3000)));
            if (step % 97 == 0)
                (void)tarn_work(store, test_random(&random) % 20000);
            if (step % 500 == 0) {
                check(table_is_sound(e.table));
                entries_check(&e);
            }
        }
        check(store->walker.moved_count > 0);
        entries_free(&e);
        check_ok(tarn_close(store));
    }
}

/*
 * Evacuation stops for want of memory and goes on later; a limit does not keep memory from coming
 * back.
 */
static void evacuation_needs_no_memory_it_cannot_get(void)
{
    struct tn_simulated *system = tn_simulated_new(NULL);
    struct tn_os os = tn_simulated_os(system);
    struct allocator allocator = { 0 };
    const tarn_options options = { .address_bytes = 256 * TN_MIB,
                                   .allocate = allocator_call,
                                   .allocate_context = &allocator };
    uint64_t key, left = 0, before;
    tarn_store *store;
    tarn_table *table;

    check_ok(tn_store_open(&store, NULL, &options, &os));
    check_ok(tarn_table_open(&table, store, "t", NULL));
    big_fill(table, 20000);
    allocator.refuse_all = true; /* from here on nothing is to be had */
    allocator.refuse_at = allocator.asked + 1;
    (void)tn_simulated_fail(system, TN_CALL_PAGES_COMMIT, 1, 12, true);
    before = stat_of(store).record_bytes;
    for (key = 0; key < 20000; key++) {
        if (key % 16 != 0)
            check_ok(tarn_delete(table, &key, sizeof key));
        left += key % 16 == 0;
    }
    work_to_the_end(store);
    check(stat_of(store).record_bytes < before / 2);
    check_eq(tarn_table_count(table), left);
    allocator.refuse_all = false;
    allocator.refuse_at = 0;
    tn_simulated_fail_none(system);
    work_to_the_end(store);
    check(stat_of(store).record_bytes < before / 8);
    for (key = 0; key < 20000; key += 16)
        check_ok(tarn_contains(table, &key, sizeof key));
    check(table_is_sound(table));
    check_ok(tarn_close(store));
    check_eq(allocator.live_blocks, 0);
    tn_simulated_free(system);
}

static const struct test tests[] = {
    T(no_record_is_ever_too_old_to_be_compared),
    T(the_walker_rests_until_it_is_time),
    T(a_step_of_the_walker_is_bounded),
    T(a_revolution_visits_all_that_stays_whatever_else_happens),
    T(memory_comes_back_after_deleting_most_of_a_table),
    T(steady_churn_keeps_memory_within_a_bound),
    T(a_table_of_one_great_chunk_ends_in_a_small_one),
    T(a_step_of_tarn_work_moves_no_more_than_its_budget),
    T(what_is_lent_is_not_moved),
    T(iterators_survive_evacuation),
    T(random_programs_stay_sound_while_records_move),
    T(evacuation_needs_no_memory_it_cannot_get),
};

TEST_MAIN(tests)
