/*
 * test_budget.c - memory limits: what counts, against what, and that nothing is lost at them
 */
#include "allocator.h"
#include "entries.h"
#include "os/simulated.h"
#include "store/store.h"
#include "test.h"

#include <pthread.h>
#if defined(__GLIBC__)
#include <malloc.h>
#endif

#define ADDRESS_BYTES ((uint64_t)1 << 30)

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||                         \
    __has_feature(memory_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

static tarn_statistics stat_of(const tarn_store *store)
{
    tarn_statistics statistics = { 0 };

    check_ok(tarn_stat(store, &statistics));
    return statistics;
}

static void work_to_the_end(tarn_store *store)
{
    while (tarn_work(store, 64 * TN_KIB) == TARN_OK) {
    }
}

/* Sizes as programs have them: mostly one, some others, seldom large. */
static size_t some_value_bytes(uint64_t *random)
{
    uint64_t draw = test_random(random);

    if (draw % 4 != 0)
        return 100;
    return draw % 64 == 0 ? draw / 64 % ENTRY_VALUE_BYTES_MAX : draw / 64 % 600;
}

/* ---- the budget ------------------------------------------------------------------------------ */

static void a_budget_counts_what_its_stores_have_committed(void)
{
    uint64_t random = test_seed();
    tarn_budget *budget;
    tarn_options options = { .address_bytes = ADDRESS_BYTES };
    struct entries e[2];
    tarn_store *stores[2];
    size_t i;

    check_ok(tarn_budget_open(&budget, 0, NULL, NULL));
    check_eq(tarn_budget_used(budget), 0);
    options.budget = budget;
    for (i = 0; i < 2; i++) {
        check_ok(tarn_open(&stores[i], NULL, &options));
        entries_open(&e[i], stores[i], "t", (int)i, 4000);
    }
    for (i = 0; i < 20000; i++) {
        size_t s = test_random(&random) % 2, number = test_random(&random) % 4000;

        if (test_random(&random) % 3 == 0)
            (void)entries_delete(&e[s], number);
        else
            check_ok(entries_put(&e[s], number, some_value_bytes(&random)));
        if (i == 15000)
            check_ok(entries_clear(&e[0]));
        if (i % 64 == 0)
            check_eq(tarn_budget_used(budget),
                     stat_of(stores[0]).memory_bytes + stat_of(stores[1]).memory_bytes);
    }
    check_eq(stat_of(stores[1]).budget_bytes, tarn_budget_used(budget));
    check_eq(stat_of(stores[1]).budget_bytes_max, 0);
    for (i = 0; i < 2; i++) {
        entries_check(&e[i]);
        entries_free(&e[i]);
        check_eq(tarn_budget_close(budget), TARN_E_MISUSE);
        check_ok(tarn_close(stores[i]));
    }
    check_eq(tarn_budget_used(budget), 0);
    check_ok(tarn_budget_close(budget));
}

static void a_budget_refuses_one_store_what_another_has(void)
{
    const uint64_t bytes_max = 8 * TN_MIB;
    tarn_options options = { .address_bytes = ADDRESS_BYTES };
    tarn_store *greedy, *modest;
    struct entries g, m;
    size_t i = 0;

    check_ok(tarn_budget_open(&options.budget, bytes_max, NULL, NULL));
    check_ok(tarn_open(&greedy, NULL, &options));
    check_ok(tarn_open(&modest, NULL, &options));
    entries_open(&g, greedy, "t", TARN_ORDERED, 100000);
    entries_open(&m, modest, "t", TARN_ORDERED, 1000);
    for (i = 0; i < 20; i++)
        check_ok(entries_put(&m, i, 100));
    for (i = 0; entries_put(&g, i, 300) == TARN_OK; i++)
        check(tarn_budget_used(options.budget) <= bytes_max);
    check(strstr(tarn_error_text(greedy), "shared budget") != NULL);
    check(tarn_budget_used(options.budget) > bytes_max - bytes_max / 8);
    check_eq(stat_of(modest).budget_bytes_max, bytes_max);
    for (i = 20; i < 1000 && entries_put(&m, i, 3000) == TARN_OK; i++) {
    }
    check(i < 1000);
    entries_check(&g);
    entries_check(&m);

    check_ok(entries_clear(&g)); /* O(1) */
    for (; i < 1000; i++) {
        if (entries_put(&m, i, 3000) != TARN_OK) {
            work_to_the_end(greedy);
            check_ok(entries_put(&m, i, 3000));
        }
    }
    entries_check(&m);
    entries_free(&g);
    entries_free(&m);
    check_ok(tarn_close(greedy));
    check_ok(tarn_close(modest));
    check_ok(tarn_budget_close(options.budget));
}

static void stores_keep_no_spare_pages_while_their_budget_is_tight(void)
{
    tarn_options options = { .address_bytes = ADDRESS_BYTES };
    tarn_store *store, *other;
    struct entries e;
    tarn_table *hog;
    size_t i;
    void *value;

    check_ok(tarn_budget_open(&options.budget, 16 * TN_MIB, NULL, NULL));
    check_ok(tarn_open(&store, NULL, &options));
    check_ok(tarn_open(&other, NULL, &options));
    entries_open(&e, store, "t", TARN_UNORDERED, 10000);
    check_ok(tarn_table_open(&hog, other, "hog", NULL));
    for (i = 0; i < 10000; i++)
        check_ok(entries_put(&e, i, 400));
    for (i = 0; i < 10000; i++)
        (void)entries_delete(&e, i);
    check(stat_of(store).kept_bytes > 2 * TN_MIB);
    for (i = 0; i < 10000; i++)
        check_ok(entries_put(&e, i, 400));
    check_ok(entries_clear(&e));
    check_eq(store->heap.warm_bytes, 0); /* others may want it */
    for (i = 0; i < 10000; i++)
        check_ok(entries_put(&e, i, 400));
    for (i = 0; tarn_modify(hog, &i, sizeof i, 60000, &value) == TARN_OK; i++) {
    }
    for (i = 0; i < 5000; i++)
        (void)entries_delete(&e, i);
    check_ok(tarn_modify(hog, "one more", 8, 60000, &value));
    for (; i < 10000; i++)
        (void)entries_delete(&e, i);
    work_to_the_end(store);
    check(stat_of(store).kept_bytes < TN_MIB);
    entries_free(&e);
    check_ok(tarn_close(store));
    check_ok(tarn_close(other));
    check_ok(tarn_budget_close(options.budget));
}

static void misuse_of_budgets_is_answered(void)
{
    struct allocator a = { .refuse_at = 1 };
    tarn_budget *budget = (tarn_budget *)&a;
    tarn_store *store;
    tarn_options options = { .memory_bytes_max = 1 };

    check_eq(tarn_budget_open(NULL, 1, NULL, NULL), TARN_E_MISUSE);
    check_eq(tarn_budget_open(&budget, 1, allocator_call, &a), TARN_E_MEMORY);
    check(budget == NULL);
    check_eq(tarn_budget_used(NULL), 0);
    check_ok(tarn_budget_close(NULL));
    check_ok(tarn_budget_open(&budget, 1000, allocator_call, &a));
    options.budget = budget; /* a store that cannot be opened does not hold it */
    check_eq(tarn_open(&store, NULL, &options), TARN_E_FULL);
    options.memory_bytes_max = 0;
    check_eq(tarn_open(&store, NULL, &options), TARN_E_FULL);
    check(store == NULL);
    check_eq(tarn_budget_used(budget), 0);
    check_ok(tarn_budget_close(budget));
    check(!a.size_was_wrong);
    check_eq(a.live_blocks, 0);
}

/* ---- threads --------------------------------------------------------------------------------- */

#define THREADS 4
#define THREAD_STEPS (SANITIZED ? 20000 : 100000)
#define THREAD_BUDGET_BYTES (3 * TN_MIB) /* less than four stores need, also one after the other */

struct thread_run {
    pthread_t thread;
    tarn_budget *budget;
    tarn_store *store; /* opened before, since the others may leave nothing to open it with */
    tarn_table *table;
    uint64_t seed;
    uint64_t beyond_count; /* times the budget was seen beyond its limit */
    uint64_t wrong_count;
    uint64_t full_count;
};

/* A store of its own, in a budget that is too small for all. Checks are not for threads: it counts. */
static void *thread_main(void *argument)
{
    struct thread_run *run = argument;
    enum { KEYS = 20000 };
    uint8_t *present = calloc(KEYS, 1);
    uint8_t value[300] = { 0 };
    uint64_t i;

    for (i = 0; i < THREAD_STEPS; i++) {
        uint64_t key = test_random(&run->seed) % KEYS;
        bool deletes = i / 10000 % 2 == 1 && test_random(&run->seed) % 4 != 0;
        int result = deletes ? tarn_delete(run->table, &key, 8)
                             : tarn_put(run->table, &key, 8, value, key % sizeof value);

        run->beyond_count += tarn_budget_used(run->budget) > THREAD_BUDGET_BYTES;
        run->full_count += result == TARN_E_FULL;
        run->wrong_count += deletes ? result != (present[key] ? TARN_OK : TARN_ABSENT)
                                    : result != TARN_OK && result != TARN_E_FULL;
        if (result == TARN_OK)
            present[key] = !deletes;
    }
    for (i = 0; i < KEYS; i++)
        run->wrong_count +=
            tarn_contains(run->table, &i, 8) != (present[i] ? TARN_OK : TARN_ABSENT);
    free(present);
    return NULL;
}

static void threads_with_a_store_each_share_a_budget(void)
{
    struct thread_run runs[THREADS];
    tarn_options options = { .address_bytes = ADDRESS_BYTES };
    tarn_budget *budget;
    uint64_t full_count = 0;
    size_t i;

    if (getenv("TARN_VALGRIND") != NULL)
        return; /* memcheck runs one at a time, and takes an hour over pages that come and go */
    check_ok(tarn_budget_open(&budget, THREAD_BUDGET_BYTES, NULL, NULL));
    options.budget = budget;
    for (i = 0; i < THREADS; i++) {
        runs[i] = (struct thread_run){ .budget = budget, .seed = test_seed() * THREADS + i };
        check_ok(tarn_open(&runs[i].store, NULL, &options));
        check_ok(tarn_table_open(&runs[i].table, runs[i].store, "t", NULL));
    }
    for (i = 0; i < THREADS; i++) {
        check_ok(pthread_create(&runs[i].thread, NULL, thread_main, &runs[i]));
    }
    for (i = 0; i < THREADS; i++) {
        check_ok(pthread_join(runs[i].thread, NULL));
        check_eq(runs[i].beyond_count, 0);
        check_eq(runs[i].wrong_count, 0);
        full_count += runs[i].full_count;
    }
    check(full_count > 0);
    for (i = 0; i < THREADS; i++)
        check_ok(tarn_close(runs[i].store));
    check_eq(tarn_budget_used(budget), 0);
    check_ok(tarn_budget_close(budget));
}

/* ---- what counts ----------------------------------------------------------------------------- */

struct simulation {
    struct tn_simulated *system;
    struct tn_os os;
    struct allocator allocator;
    tarn_options options;
    tarn_store *store;
};

static void simulation_open(struct simulation *s, uint64_t memory_bytes_max)
{
    *s = (struct simulation){ .system = tn_simulated_new(NULL) };
    s->os = tn_simulated_os(s->system);
    s->options = (tarn_options){ .address_bytes = 256 * TN_MIB,
                                 .memory_bytes_max = memory_bytes_max,
                                 .allocate = allocator_call,
                                 .allocate_context = &s->allocator };
    check_ok(tn_store_open(&s->store, NULL, &s->options, &s->os));
}

static void simulation_check(struct simulation *s)
{
    check_eq(stat_of(s->store).memory_bytes,
             tn_simulated_committed_bytes(s->system) + s->allocator.live_bytes);
}

static void simulation_close(struct simulation *s)
{
    check_ok(tarn_close(s->store));
    check_eq(s->allocator.live_blocks, 0);
    check_eq(tn_simulated_committed_bytes(s->system), 0);
    check(!s->allocator.size_was_wrong);
    tn_simulated_free(s->system);
}

/* Fill, churn, delete, clear, drop: the phases of a program of `steps` steps over two tables. */
static void program_step(tarn_store *store, struct entries e[2], uint64_t *random, size_t step,
                         size_t steps, int *result)
{
    size_t t = test_random(random) % 2, number = test_random(random) % e[t].count;
    bool deletes = test_random(random) % 8 < step * 8 / steps;

    *result = TARN_OK;
    if (deletes)
        (void)entries_delete(&e[t], number);
    else
        *result = entries_put(&e[t], number, some_value_bytes(random));
    if (test_random(random) % 500 == 0)
        (void)tarn_work(store, test_random(random) % (64 * TN_KIB));
    if (test_random(random) % 700 == 0)
        (void)tarn_commit(store, "note", test_random(random) % 5, 0);
    if (test_random(random) % 4000 == 0)
        *result = entries_clear(&e[t]);
}

static void memory_bytes_is_to_the_byte_what_was_committed_and_allocated(void)
{
    uint64_t random = test_seed();
    const size_t steps = 30000;
    struct simulation s;
    struct entries e[2];
    size_t i;
    int result;

    simulation_open(&s, 0);
    simulation_check(&s);
    entries_open(&e[0], s.store, "ordered", TARN_ORDERED, 3000);
    entries_open(&e[1], s.store, "unordered", TARN_UNORDERED, 9000);
    for (i = 0; i < steps && test_failures == 0; i++) {
        program_step(s.store, e, &random, i, steps, &result);
        check_ok(result);
        simulation_check(&s);
    }
    entries_check(&e[0]);
    entries_check(&e[1]);
    check_ok(tarn_table_drop(e[1].table));
    simulation_check(&s);
    while (tarn_work(s.store, 4096) == TARN_OK)
        simulation_check(&s);
    simulation_check(&s);
    entries_free(&e[0]);
    entries_free(&e[1]);
    simulation_close(&s);
}

static uint64_t resident_bytes(void)
{
    unsigned long size, resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");

    if (file == NULL)
        return 0;
    if (fscanf(file, "%lu %lu", &size, &resident) != 2)
        resident = 0;
    (void)fclose(file);
    return resident * TN_OS_PAGE_BYTES;
}

/* The C library's own share of small blocks, and what the test itself touches. */
#define RESIDENT_SLACK_BYTES (3 * TN_MIB / 2)

static uint64_t resident_excess(uint64_t before, uint64_t counted)
{
#if defined(__GLIBC__)
    (void)malloc_trim(0);
#endif
    uint64_t now = resident_bytes(), allowed = before + counted + counted / 32;

    return now > allowed ? now - allowed : 0;
}

static void the_process_grows_by_no_more_than_memory_bytes(void)
{
    const size_t count = 200000;
    uint64_t before, random = test_seed(), filled;
    tarn_store *store;
    struct entries e;
    size_t round, i;

    if (SANITIZED || getenv("TARN_VALGRIND") != NULL || resident_bytes() == 0)
        return; /* no such file, or shadow memory in it */
    e.model = NULL;
    for (round = 0; round < 2; round++) { /* the second time on what the first gave back */
        check_ok(tarn_open(&store, NULL, NULL));
        entries_open(&e, store, "t", TARN_ORDERED, count);
        memset(e.model, 0xFF, count * sizeof *e.model); /* resident before, not later */
        memset(e.model, 0, count * sizeof *e.model);
        before = resident_bytes();
        for (i = 0; i < count; i++) {
            check_ok(entries_put(&e, i, 100));
            if (i % 10000 == 0)
                check(resident_excess(before, stat_of(store).memory_bytes) < RESIDENT_SLACK_BYTES);
        }
        filled = resident_bytes() - before;
        check(filled > stat_of(store).memory_bytes * 3 / 4); /* nor is much of it not touched */
        for (i = 0; i < count; i++) {
            if (test_random(&random) % 10 != 0)
                (void)entries_delete(&e, i);
        }
        check(resident_excess(before, stat_of(store).memory_bytes) < RESIDENT_SLACK_BYTES);
        work_to_the_end(store);
        check(resident_excess(before, stat_of(store).memory_bytes) < RESIDENT_SLACK_BYTES);
        check(resident_bytes() - before < filled / 5);
        entries_check(&e);
        check_ok(round == 0 ? entries_clear(&e) : tarn_table_drop(e.table));
        work_to_the_end(store);
        check(resident_excess(before, stat_of(store).memory_bytes) < RESIDENT_SLACK_BYTES);
        check(stat_of(store).memory_bytes < TN_MIB);
        check_ok(tarn_close(store));
        check(resident_excess(before, 0) < RESIDENT_SLACK_BYTES);
        entries_free(&e);
    }
}

/* ---- at the limit ---------------------------------------------------------------------------- */

static void at_any_limit_nothing_is_lost_and_deletes_make_room(void)
{
    static const uint64_t limits[] = { 60000, 100000, 200000, 500000, 1000000, 3000000 };
    /* memcheck takes minutes over the pages that come and go at the larger ones */
    const size_t limit_count = test_stride() == 1 ? TN_ARRAY_COUNT(limits) : 2;
    uint64_t random = test_seed();
    size_t l, i;

    for (l = 0; l < limit_count; l++) {
        const size_t steps = 8000;
        uint64_t full_count = 0;
        struct simulation s;
        struct entries e[2];
        int result;

        simulation_open(&s, limits[l]);
        entries_open(&e[0], s.store, "ordered", TARN_ORDERED, 3000);
        entries_open(&e[1], s.store, "unordered", TARN_UNORDERED, 3000);
        for (i = 0; i < steps && test_failures == 0; i++) {
            program_step(s.store, e, &random, i, steps, &result);
            if (result != TARN_OK && result != TARN_E_FULL)
                printf("# %d %s limit %lu counted %lu\n", result, tarn_error_text(s.store),
                       limits[l], stat_of(s.store).memory_bytes);
            check(result == TARN_OK || result == TARN_E_FULL);
            check(stat_of(s.store).memory_bytes <= limits[l]);
            simulation_check(&s);
            full_count += result == TARN_E_FULL;
            if (result == TARN_E_FULL && full_count % (50 * test_stride()) == 0) {
                entries_check(&e[0]);
                entries_check(&e[1]);
            }
        }
        check(full_count > 0);
        entries_check(&e[0]);
        entries_check(&e[1]);
        for (i = 0; i < e[0].count; i++) /* half of it goes: others must find room */
            if (i % 2 == 0) {
                (void)entries_delete(&e[0], i);
                (void)entries_delete(&e[1], i);
            }
        work_to_the_end(s.store);
        for (i = 0; i < 100 && limits[l] >= 500000; i++) {
            check_ok(entries_put(&e[0], i, 100));
            check_ok(entries_put(&e[1], i, 100));
        }
        check_ok(entries_clear(&e[0])); /* and clearing always works here */
        check_ok(entries_clear(&e[1]));
        for (i = 0; i < limits[l] / 1000; i++)
            check_ok(entries_put(&e[i % 2], i, 100));
        entries_check(&e[0]);
        entries_check(&e[1]);
        entries_free(&e[0]);
        entries_free(&e[1]);
        simulation_close(&s);
    }
}

static void what_clear_needs_fits_the_reserve(void)
{
    struct simulation s;
    struct entries e;
    uint64_t before;

    simulation_open(&s, 0);
    entries_open(&e, s.store, "t", TARN_ORDERED, 1);
    before = stat_of(s.store).memory_bytes;
    check_ok(entries_clear(&e));
    check(stat_of(s.store).memory_bytes > before);
    check(stat_of(s.store).memory_bytes - before <= TN_RESERVE_BYTES);
    entries_free(&e);
    simulation_close(&s);
}

/* A fixed program that reaches what allocates; `refuse_at` of the allocator is refused, or all after. */
static uint64_t program_with_refusals(uint64_t refuse_at, bool all, bool of_pages)
{
    uint64_t random = 7, asked, wrong = 0;
    struct simulation s;
    struct entries e[2];
    size_t i;

    simulation_open(&s, 0);
    entries_open(&e[0], s.store, "ordered", TARN_ORDERED, 300);
    entries_open(&e[1], s.store, "unordered", TARN_UNORDERED, 300);
    s.allocator.asked = 0;
    s.allocator.refuse_all = all;
    asked = tn_simulated_call_count(s.system, TN_CALL_PAGES_COMMIT);
    if (of_pages && refuse_at != 0)
        (void)tn_simulated_fail(s.system, TN_CALL_PAGES_COMMIT, refuse_at, 12, all);
    else
        s.allocator.refuse_at = refuse_at;
    for (i = 0; i < 1500; i++) {
        struct entries *table = &e[test_random(&random) % 2];
        size_t number = test_random(&random) % table->count;
        bool deletes = test_random(&random) % 1500 < i;
        int result = TARN_OK;

        if (deletes)
            (void)entries_delete(table, number);
        else
            result = entries_put(table, number, test_random(&random) % 40 * 50);
        if (i % 300 == 299)
            result = entries_clear(table);
        if (i % 100 == 99)
            (void)tarn_work(s.store, 3000);
        wrong += result != TARN_OK && result != TARN_E_MEMORY;
        wrong += !entries_holds(table, number);
    }
    check_eq(wrong, 0);
    simulation_check(&s);
    asked = of_pages ? tn_simulated_call_count(s.system, TN_CALL_PAGES_COMMIT) - asked
                     : s.allocator.asked;
    s.allocator.refuse_at = 0;
    s.allocator.refuse_all = false;
    tn_simulated_fail_none(s.system);
    entries_check(&e[0]);
    entries_check(&e[1]);
    check_ok(entries_put(&e[0], 1, 100));
    work_to_the_end(s.store);
    entries_check(&e[0]);
    entries_free(&e[0]);
    entries_free(&e[1]);
    simulation_close(&s);
    return asked;
}

static void each_refusal_of_memory_changes_nothing(void)
{
    int of_pages, all;

    for (of_pages = 0; of_pages < 2; of_pages++) {
        uint64_t count = program_with_refusals(0, false, of_pages), i;

        check(count > 10);
        for (all = 0; all < 2; all++)
            for (i = 1; i <= count && test_failures == 0; i += (1 + count / 150) * test_stride())
                (void)program_with_refusals(i, all, of_pages);
    }
}

/* What one store takes of its reserve must not be that of another. */
static void clearing_works_at_a_limit_whatever_others_have_cleared(void)
{
    tarn_table *tables[4], *other;
    tarn_options options = { .address_bytes = 1 << 26 };
    tarn_store *a, *b;
    char name[2] = "a";
    uint64_t key;
    size_t i;
    int result = TARN_OK;

    check_ok(tarn_budget_open(&options.budget, 1 << 20, NULL, NULL));
    check_ok(tarn_open(&a, NULL, &options));
    check_ok(tarn_open(&b, NULL, &options));
    check_ok(tarn_table_open(&other, b, "other", NULL));
    check_ok(tarn_put(other, "key", 3, "value", 5));
    for (i = 0; i < 4; i++, name[0]++)
        check_ok(tarn_table_open(&tables[i], a, name, NULL));
    for (key = 0; result == TARN_OK; key++)
        result = tarn_put(tables[0], &key, sizeof key, "value", 5);
    check_eq(result, TARN_E_FULL);
    for (i = 1; i < 4; i++)
        check_ok(tarn_table_clear(tables[i])); /* each takes some, and gives it back later */
    check_ok(tarn_table_clear(other));
    check_ok(tarn_table_clear(tables[0]));
    check_ok(tarn_close(a));
    check_eq(tarn_budget_used(options.budget) > 0, 1);
    check_ok(tarn_close(b));
    check_eq(tarn_budget_used(options.budget), 0);
    check_ok(tarn_budget_close(options.budget));
}

/* A chunk has 16 slots, which may be more than there is; then large values do without. */
static void large_values_fill_a_limit_however_small_it_is(void)
{
    static const size_t sizes[] = { 17000, 40000, 70000, 130000 };
    static uint8_t value[130000];
    uint64_t limit, i, count;
    size_t s;

    for (s = 0; s < TN_ARRAY_COUNT(sizes); s++)
        for (limit = 400000; limit < 6000000; limit += 350000) {
            const tarn_options options = { .memory_bytes_max = limit };
            tarn_statistics statistics;
            tarn_store *store;
            tarn_table *table;
            const void *got;
            size_t got_bytes;

            check_ok(tarn_open(&store, NULL, &options));
            check_ok(tarn_table_open(&table, store, "t", NULL));
            for (count = 0;; count++) {
                memset(value, (int)count, sizes[s]);
                if (tarn_put(table, &count, sizeof count, value, sizes[s]) != TARN_OK)
                    break;
            }
            check_ok(tarn_stat(store, &statistics));
            check(statistics.memory_bytes <= limit);
            check(count * sizes[s] >= (limit - 60000) * 3 / 4 - sizes[s]);
            for (i = 0; i < count; i++) {
                check_ok(tarn_get(table, &i, sizeof i, &got, &got_bytes));
                memset(value, (int)i, sizes[s]);
                check_bytes(got, got_bytes, value, sizes[s]);
            }
            check(tn_heap_check(&store->heap, &table->body->owner));
            for (i = 0; i < count; i++)
                check_ok(tarn_delete(table, &i, sizeof i));
            for (i = 0; i < count; i++)
                check_ok(tarn_put(table, &i, sizeof i, value, sizes[s]));
            check(tn_heap_check(&store->heap, &table->body->owner));
            check_ok(tarn_close(store));
        }
}

static const struct test tests[] = {
    T(a_budget_counts_what_its_stores_have_committed),
    T(a_budget_refuses_one_store_what_another_has),
    T(stores_keep_no_spare_pages_while_their_budget_is_tight),
    T(misuse_of_budgets_is_answered),
    T(threads_with_a_store_each_share_a_budget),
    T(memory_bytes_is_to_the_byte_what_was_committed_and_allocated),
    T(the_process_grows_by_no_more_than_memory_bytes),
    T(large_values_fill_a_limit_however_small_it_is),
    T(at_any_limit_nothing_is_lost_and_deletes_make_room),
    T(what_clear_needs_fits_the_reserve),
    T(each_refusal_of_memory_changes_nothing),
    T(clearing_works_at_a_limit_whatever_others_have_cleared),
};

TEST_MAIN(tests)
