/*
 * test_poison.c - what a debug build does so that stale pointers and closed handles show: rules Z1
 * to Z3 of src/base/poison.h
 *
 * Release builds leave stale memory as it is, so there is nothing to see there.
 */
#include "base/poison.h"
#include "test.h"

#if defined(TARN_DEBUG)

#include "child.h"
#include "os/simulated.h"
#include "store/store.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

/* ---- values that were lent ------------------------------------------------------------------- */

#define SECRET "the value that was lent"

struct lender {
    tarn_store *store;
    tarn_table *table;
    const void *value; /* of the key "lent" */
    size_t value_bytes;
};

/* A table with an entry whose value was got, and another that keeps its chunk from going. */
static void lender_open(struct lender *l, int kind)
{
    const tarn_table_options options = { .kind = kind };

    check_ok(tarn_open(&l->store, NULL, NULL));
    check_ok(tarn_table_open(&l->table, l->store, "t", &options));
    check_ok(tarn_put(l->table, "stay", 4, SECRET, sizeof SECRET));
    check_ok(tarn_put(l->table, "lent", 4, SECRET, sizeof SECRET));
    check_ok(tarn_get(l->table, "lent", 4, &l->value, &l->value_bytes));
    check_bytes(l->value, l->value_bytes, SECRET, sizeof SECRET);
}

static void each_lender(void (*run)(struct lender *l))
{
    int kind;

    for (kind = TARN_ORDERED; kind <= TARN_UNORDERED; kind++) {
        struct lender l;

        lender_open(&l, kind);
        run(&l);
        check_ok(tarn_close(l.store));
    }
}

static void deleted(struct lender *l)
{
    check_ok(tarn_delete(l->table, "lent", 4));
    check(tn_is_poison(l->value, l->value_bytes));
    check_ok(tarn_put(l->table, "something", 9, "else", 4));
    check(tn_is_poison(l->value, l->value_bytes));
}

static void a_value_read_after_its_delete_is_poison(void)
{
    each_lender(deleted);
}

static void deleted_by_a_quick_key(struct lender *l)
{
    check_ok(tarn_put(l->table, "8 bytes.", 8, SECRET, sizeof SECRET));
    check_ok(tarn_get(l->table, "8 bytes.", 8, &l->value, &l->value_bytes));
    check_ok(tarn_delete(l->table, "8 bytes.", 8));
    check_ok(tarn_put(l->table, "something", 9, "else", 4));
    check(tn_is_poison(l->value, l->value_bytes));
}

static void a_value_of_a_key_of_8_bytes_is_poisoned_too(void)
{
    each_lender(deleted_by_a_quick_key);
}

static void outgrown(struct lender *l)
{
    char longer[200] = "longer";

    check_ok(tarn_put(l->table, "lent", 4, longer, sizeof longer));
    check(tn_is_poison(l->value, l->value_bytes));
}

static void a_value_that_moved_to_grow_leaves_poison(void)
{
    each_lender(outgrown);
}

static void appended(struct lender *l)
{
    char more[200] = "more";

    check_ok(tarn_append(l->table, "lent", 4, more, sizeof more));
    check(tn_is_poison(l->value, l->value_bytes));
    check_ok(tarn_get(l->table, "lent", 4, &l->value, &l->value_bytes));
    check_bytes(l->value, sizeof SECRET, SECRET, sizeof SECRET);
}

static void a_value_that_moved_to_be_appended_to_leaves_poison(void)
{
    each_lender(appended);
}

static void taken(struct lender *l)
{
    check_ok(tarn_take(l->table, "lent", 4, &l->value, &l->value_bytes));
    check_bytes(l->value, l->value_bytes, SECRET, sizeof SECRET); /* it is lent */
    check_ok(tarn_put(l->table, "something", 9, "else", 4));
    check(tn_is_poison(l->value, l->value_bytes));
}

static void a_value_that_was_taken_is_poison_after_the_next_write(void)
{
    each_lender(taken);
}

static void cleared(struct lender *l)
{
    uint64_t budget_bytes = UINT64_MAX;

    check_ok(tarn_table_clear(l->table));
    check(tn_store_reclaim(l->store, &budget_bytes));
    check(l->store->heap.kept_bytes > 0); /* its chunk is there, for the next taker */
    check(tn_is_poison(l->value, l->value_bytes));
}

static void what_a_cleared_table_held_is_poison_once_reclaimed(void)
{
    each_lender(cleared);
}

#define CROWD 4000u

/* Nine entries of ten go; those left are moved together (P7 of heap.h). */
static void evacuated(struct lender *l)
{
    const void *before[CROWD], *now;
    unsigned moved = 0, stale = 0;
    uint32_t i;
    size_t bytes;

    for (i = 0; i < CROWD; i++)
        check_ok(tarn_put(l->table, &i, sizeof i, SECRET, sizeof SECRET));
    for (i = 0; i < CROWD; i += 10)
        check_ok(tarn_get(l->table, &i, sizeof i, &before[i], &bytes));
    for (i = 0; i < CROWD; i++)
        if (i % 10 != 0)
            check_ok(tarn_delete(l->table, &i, sizeof i));
    for (i = 0; i < CROWD; i += 10) {
        check_ok(tarn_get(l->table, &i, sizeof i, &now, &bytes));
        check_bytes(now, bytes, SECRET, sizeof SECRET);
        moved += now != before[i];
        stale += now != before[i] && tn_is_poison(before[i], bytes);
    }
    check(moved > CROWD / 100);
    check(stale > moved / 2); /* into the other slots somebody else has moved meanwhile */
}

static void a_record_moved_out_of_a_sparse_chunk_leaves_poison(void)
{
    each_lender(evacuated);
}

/* B2 of durable.h: its key is written by the next commit, its value never again. */
static void a_committed_value_is_poison_as_soon_as_it_is_deleted(void)
{
    struct tn_simulated *system = tn_simulated_new(NULL);
    struct tn_os os = tn_simulated_os(system);
    tarn_options options = { .address_bytes = 64 << 20 };
    tarn_store *store;
    tarn_table *table;
    const void *value;
    size_t bytes;

    check_ok(tn_store_open(&store, "d", &options, &os));
    check_ok(tarn_table_open(&table, store, "t", NULL));
    check_ok(tarn_put(table, "lent", 4, SECRET, sizeof SECRET));
    check_ok(tarn_commit(store, NULL, 0, 0));
    check_ok(tarn_get(table, "lent", 4, &value, &bytes));
    check_ok(tarn_delete(table, "lent", 4));
    check(tn_is_poison(value, bytes));
    check_ok(tarn_commit(store, NULL, 0, 0)); /* the key could still be read */
    check_ok(tarn_close(store));
    check_ok(tn_store_open(&store, "d", &options, &os));
    check_ok(tarn_table_open(&table, store, "t", NULL));
    check_eq(tarn_get(table, "lent", 4, &value, &bytes), TARN_ABSENT);
    check_ok(tarn_close(store));
    tn_simulated_free(system);
}

/* ---- blocks ---------------------------------------------------------------------------------- */

/* An allocator that looks at what comes back, and refuses when told to. */
struct watcher {
    unsigned calls_until_refusal; /* of those that want memory; 0: none is refused */
    unsigned back_count;
    unsigned clean_count; /* of those that came back: poisoned, all of them */
};

static void *watcher_call(void *context, void *old, size_t old_bytes, size_t new_bytes)
{
    struct watcher *w = context;

    if (new_bytes == 0) {
        w->back_count++;
        w->clean_count += !tn_is_poison(old, old_bytes);
        free(old);
        return NULL;
    }
    if (w->calls_until_refusal > 0 && --w->calls_until_refusal == 0)
        return NULL;
    return realloc(old, new_bytes);
}

static void a_block_is_poison_when_it_goes_back(void)
{
    static const char text[] = "0123456789012345678901234567890123456789";
    struct watcher w = { 0 };
    struct tn_memory memory;
    char *block;

    tn_memory_init(&memory, watcher_call, &w, 0);
    block = tn_memory_new(&memory, sizeof text, false);
    memcpy(block, text, sizeof text);
    block = tn_memory_resize(&memory, block, sizeof text, 1000);
    check_eq(w.back_count, 1); /* the smaller one */
    check_bytes(block, sizeof text, text, sizeof text);
    block = tn_memory_resize(&memory, block, 1000, 20);
    check_eq(w.back_count, 2);
    check_bytes(block, 20, text, 20);
    tn_memory_free(&memory, block, 20);
    check_eq(w.back_count, 3);
    check_eq(w.clean_count, 0);
    check_eq(memory.counted_bytes, 0);
}

/* M2 and M3 of memory.h hold in debug builds, too. */
static void a_block_that_cannot_go_elsewhere_is_untouched(void)
{
    static const char text[] = "0123456789";
    struct watcher w = { 0 };
    struct tn_memory memory;
    char *block;

    tn_memory_init(&memory, watcher_call, &w, 0);
    block = tn_memory_new(&memory, sizeof text, false);
    memcpy(block, text, sizeof text);
    w.calls_until_refusal = 1;
    check(tn_memory_resize(&memory, block, sizeof text, 1000) == NULL);
    check_bytes(block, sizeof text, text, sizeof text);
    check_eq(memory.counted_bytes, sizeof text);
    w.calls_until_refusal = 1;
    block = tn_memory_resize(&memory, block, sizeof text, 5); /* shrinks where it is */
    check(block != NULL);
    check_bytes(block, 5, text, 5);
    check_eq(w.back_count, 0);
    tn_memory_free(&memory, block, 5);
    check_eq(w.clean_count, 0);
    check_eq(memory.counted_bytes, 0);
}

static void all_that_a_store_gives_back_is_poison(void)
{
    struct watcher w = { 0 };
    tarn_options options = { .allocate = watcher_call, .allocate_context = &w };
    tarn_snapshot *snapshot;
    tarn_iterator *it;
    tarn_store *store;
    tarn_table *table;
    tarn_dict *dict;
    uint32_t i, code;

    check_ok(tarn_open(&store, NULL, &options));
    check_ok(tarn_table_open(&table, store, "t", NULL));
    check_ok(tarn_dict_open(&dict, store, "d", NULL));
    for (i = 0; i < 5000; i++) {
        check_ok(tarn_put(table, &i, sizeof i, SECRET, sizeof SECRET));
        check_ok(tarn_dict_encode(dict, &i, sizeof i, &code));
    }
    check_ok(tarn_snapshot_take(&snapshot, store));
    check_ok(tarn_scan(&it, table, NULL));
    for (i = 0; i < 5000; i += 2)
        check_ok(tarn_delete(table, &i, sizeof i));
    check_ok(tarn_iterator_close(it));
    check_ok(tarn_snapshot_release(snapshot));
    check_ok(tarn_table_clear(table));
    while (tarn_work(store, UINT64_MAX) == TARN_OK)
        continue;
    check_ok(tarn_close(store));
    check(w.back_count > 50);
    check_eq(w.clean_count, 0);
}

/* ---- children that must not get on ----------------------------------------------------------- */

typedef int child_fn(void *context);

/* Whether it dies or is refused: a child must not get an answer. */
static void child_fails(child_fn *run, void *context, const char *name)
{
    int status = 0;
    pid_t child;

    fflush(NULL);
    child = fork();
    if (child == 0) {
        const struct rlimit no_core = { 0, 0 };
        int nowhere = open("/dev/null", O_WRONLY);

        (void)setrlimit(RLIMIT_CORE, &no_core);
        (void)dup2(nowhere, STDERR_FILENO); /* a sanitizer says more than anybody wants to read */
        (void)alarm(60);
        child_exit(run(context) < 0 ? 3 : 0);
    }
    check_eq(waitpid(child, &status, 0), child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        test_fail(__FILE__, __LINE__, "%s: the child got an answer", name);
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
        test_fail(__FILE__, __LINE__, "%s: the child hangs", name);
}

/* Z3: with `late`, a write through a pointer of tarn_modify whose entry is gone. */
static int write_after_delete(void *context)
{
    const bool *late = context;
    struct lender l;
    void *value;

    lender_open(&l, TARN_ORDERED);
    check_ok(tarn_modify(l.table, "lent", 4, sizeof SECRET, &value));
    check_ok(tarn_delete(l.table, "lent", 4));
    if (*late)
        memset(value, 0, 1);
    check_ok(tarn_put(l.table, "next", 4, SECRET, sizeof SECRET));
    check_ok(tarn_get(l.table, "next", 4, &l.value, &l.value_bytes));
    check(l.value == value); /* it got that slot */
    check_ok(tarn_close(l.store));
    return TARN_OK;
}

static void a_late_write_into_a_freed_slot_traps_at_its_next_taker(void)
{
    bool late = false;

    check_ok(write_after_delete(&late));
    late = true;
    child_fails(write_after_delete, &late, "a late write");
}

/* ---- handles after a close ------------------------------------------------------------------- */

struct closed {
    tarn_store *store;
    tarn_table *table, *unordered;
    tarn_dict *dict;
};

typedef int use_fn(const struct closed *c);

static void closed_make(struct closed *c)
{
    const tarn_table_options unordered = { .kind = TARN_UNORDERED };
    uint32_t code;

    check_ok(tarn_open(&c->store, NULL, NULL));
    check_ok(tarn_table_open(&c->table, c->store, "t", NULL));
    check_ok(tarn_table_open(&c->unordered, c->store, "u", &unordered));
    check_ok(tarn_dict_open(&c->dict, c->store, "d", NULL));
    check_ok(tarn_put(c->table, "k", 1, "v", 1));
    check_ok(tarn_put(c->table, "eightkey", 8, "v", 1));
    check_ok(tarn_put(c->unordered, "eightkey", 8, "v", 1));
    check_ok(tarn_dict_encode(c->dict, "k", 1, &code));
    check_ok(tarn_close(c->store));
}

struct closed_use {
    use_fn *use;
};

/* A child closes a store of its own and goes on. */
static int closed_run(void *context)
{
    const struct closed_use *u = context;
    struct closed c;

    closed_make(&c);
    return u->use(&c);
}

static void closed_use(use_fn *use, const char *name)
{
    struct closed_use u = { use };

    child_fails(closed_run, &u, name);
}

static int use_get(const struct closed *c)
{
    const void *value;
    size_t bytes;

    return tarn_get(c->table, "k", 1, &value, &bytes);
}

static int use_get_8(const struct closed *c)
{
    const void *value;
    size_t bytes;

    return tarn_get(c->table, "eightkey", 8, &value, &bytes);
}

static int use_get_unordered(const struct closed *c)
{
    const void *value;
    size_t bytes;

    return tarn_get(c->unordered, "eightkey", 8, &value, &bytes);
}

static int use_put(const struct closed *c)
{
    return tarn_put(c->table, "k", 1, "w", 1);
}

static int use_put_8(const struct closed *c)
{
    return tarn_put(c->table, "eightkey", 8, "w", 1);
}

static int use_modify(const struct closed *c)
{
    void *value;

    return tarn_modify(c->table, "k", 1, 1, &value);
}

static int use_delete(const struct closed *c)
{
    return tarn_delete(c->table, "k", 1);
}

static int use_scan(const struct closed *c)
{
    tarn_iterator *it;

    return tarn_scan(&it, c->table, NULL);
}

static int use_drop(const struct closed *c)
{
    return tarn_table_drop(c->table);
}

static int use_dict(const struct closed *c)
{
    uint32_t code;

    return tarn_dict_encode(c->dict, "k", 1, &code);
}

static int use_commit(const struct closed *c)
{
    return tarn_commit(c->store, "note", 4, 0);
}

static int use_work(const struct closed *c)
{
    return tarn_work(c->store, 1000);
}

static int use_open_table(const struct closed *c)
{
    tarn_table *table;

    return tarn_table_open(&table, c->store, "t", NULL);
}

static int use_snapshot(const struct closed *c)
{
    tarn_snapshot *snapshot;

    return tarn_snapshot_take(&snapshot, c->store);
}

static int use_close(const struct closed *c)
{
    return tarn_close(c->store);
}

#define USE(function) closed_use(function, #function)

static void a_table_of_a_closed_store_gets_no_answer(void)
{
    USE(use_get);
    USE(use_get_8);
    USE(use_get_unordered);
    USE(use_put);
    USE(use_put_8);
    USE(use_modify);
    USE(use_delete);
    USE(use_scan);
    USE(use_drop);
    USE(use_dict);
}

static void a_closed_store_gets_no_answer(void)
{
    USE(use_commit);
    USE(use_work);
    USE(use_open_table);
    USE(use_snapshot);
    USE(use_close);
}

static const struct test tests[] = {
    T(a_value_read_after_its_delete_is_poison),
    T(a_value_of_a_key_of_8_bytes_is_poisoned_too),
    T(a_value_that_moved_to_grow_leaves_poison),
    T(a_value_that_moved_to_be_appended_to_leaves_poison),
    T(a_value_that_was_taken_is_poison_after_the_next_write),
    T(what_a_cleared_table_held_is_poison_once_reclaimed),
    T(a_record_moved_out_of_a_sparse_chunk_leaves_poison),
    T(a_committed_value_is_poison_as_soon_as_it_is_deleted),
    T(a_block_is_poison_when_it_goes_back),
    T(a_block_that_cannot_go_elsewhere_is_untouched),
    T(all_that_a_store_gives_back_is_poison),
    T(a_late_write_into_a_freed_slot_traps_at_its_next_taker),
    T(a_table_of_a_closed_store_gets_no_answer),
    T(a_closed_store_gets_no_answer),
};

TEST_MAIN(tests)

#else

int main(void)
{
    printf("1..0 # SKIP only debug builds poison what they give back\n");
    return 0;
}

#endif
