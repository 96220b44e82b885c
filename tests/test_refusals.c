/*
 * test_refusals.c - every allocation and every call to the system fails once in turn, and then for
 * ever
 *
 * One program of steps reaches every function of tarn.h (calls.h counts them, and is made from the
 * header). It runs again and again, each time with another fault:
 *
 *     once       the step that meets it answers a failure and has changed nothing; the same step again succeeds;
 *                at the end everything is as without the fault
 *     for ever   from then on each step succeeds, or fails and has changed nothing; what is there can be read
 *
 * At the end of either all is closed, and all memory is back.
 */
#include "store/snapshot.h"

#include "allocator.h"
#include "calls.h"
#include "os/simulated.h"
#include "test.h"

#include <errno.h>

#if defined(__OPTIMIZE__)
#define FAULT_STEP 1u
#else
#define FAULT_STEP 5u /* builds that count lines are slow, and every fifth fault reaches them all */
#endif

static uint64_t call_counts[CALL_COUNT];

/* ---- the world that the program changes ------------------------------------------------------ */

enum { ORDERED, UNORDERED, NUMBERS, TABLE_COUNT };

#define KEY_COUNT 1800u /* more than the small form of a hash index has */
#define DICT_KEYS 40u

struct world {
    struct allocator allocator;
    struct tn_simulated *system;
    struct tn_os os;
    tarn_budget *budget;
    tarn_store *store;
    tarn_table *tables[TABLE_COUNT];
    tarn_table *view;
    uint64_t view_count; /* that it has as long as its snapshot has not failed */
    tarn_dict *dict;
    tarn_snapshot *snapshot;
    tarn_snapshot *older;
    tarn_iterator *iterator;
    tarn_iterator *view_iterator;
    bool looked_inside;
};

/* What is in the store, as one number; asks nothing that allocates. */
static uint64_t digest_table(tarn_table *table)
{
    uint64_t digest = tarn_table_count(table) * 31 + tarn_table_bytes(table), key;

    for (key = 0; key < KEY_COUNT; key += key < 200 ? 1 : 7) { /* a sample of what comes in bulk */
        const void *value = NULL;
        size_t bytes = 0, i;

        if (tarn_get(table, &key, sizeof key, &value, &bytes) != TARN_OK)
            continue;
        digest = (digest ^ key ^ bytes) * UINT64_C(0x9E3779B97F4A7C15);
        for (i = 0; i < bytes; i += 97)
            digest = digest * 33 + ((const uint8_t *)value)[i];
    }
    return digest;
}

static uint64_t digest(const struct world *w)
{
    uint64_t sum = 0, number = 0;
    size_t i;

    if (w->store == NULL)
        return 0;
    for (i = 0; i < TABLE_COUNT; i++)
        if (w->tables[i] != NULL)
            sum = sum * 31 + digest_table(w->tables[i]);
    if (w->dict != NULL)
        sum = sum * 31 + tarn_dict_count(w->dict);
    check_ok(tarn_last_commit(w->store, &number, NULL));
    return sum * 31 + number;
}

/* ---- steps: each can be repeated after a failure --------------------------------------------- */

static int open_budget(struct world *w)
{
    return tarn_budget_open(&w->budget, 0, allocator_call, &w->allocator);
}

/* The door that users have, too; then the same with a system that fails. */
static int open_and_close_plainly(struct world *w)
{
    tarn_options options = { .allocate = allocator_call, .allocate_context = &w->allocator };
    tarn_store *store;
    int result = tarn_open(&store, NULL, &options);

    check((result == TARN_OK) == (store != NULL));
    return result == TARN_OK ? tarn_close(store) : result;
}

/*
 * Where there is no store, which is the answer unless memory is refused. tests/test_check.c has
 * every fault of these two where there is one.
 */
#define NOWHERE "/nonexistent/tarn"

static int nothing_there(int result, const tarn_report *report)
{
    return result == TARN_E_IO && report->is_missing ? TARN_OK : result;
}

static int check_nothing(struct world *w)
{
    tarn_options options = { .allocate = allocator_call, .allocate_context = &w->allocator };
    tarn_check_result out;
    int result = tarn_check(NOWHERE, &options, NULL, NULL, &out);

    return nothing_there(result, &out.report);
}

static int salvage_nothing(struct world *w)
{
    tarn_options options = { .allocate = allocator_call, .allocate_context = &w->allocator };
    tarn_salvage_result out;
    int result = tarn_salvage(NOWHERE, NOWHERE "-new", &options, NULL, NULL, &out);

    return nothing_there(result, &out.report);
}

static int open_store(struct world *w)
{
    tarn_options options = { .address_bytes = TN_GIB,
                             .allocate = allocator_call,
                             .allocate_context = &w->allocator,
                             .budget = w->budget };

    return tn_store_open(&w->store, NULL, &options, &w->os);
}

static int open_table(struct world *w, size_t which, const char *name, int kind, int type)
{
    const tarn_table_options options = { .kind = kind, .type = type };

    return tarn_table_open(&w->tables[which], w->store, name, &options);
}

static int open_ordered(struct world *w)
{
    return open_table(w, ORDERED, "ordered", TARN_ORDERED, TARN_ANY);
}

static int open_unordered(struct world *w)
{
    return open_table(w, UNORDERED, "unordered", TARN_UNORDERED, TARN_ANY);
}

static int open_numbers(struct world *w)
{
    return open_table(w, NUMBERS, "numbers", TARN_ORDERED, TARN_I64);
}

/* Every key from `from` on, in both tables, until one is refused. What was put before stays. */
static int put_many(struct world *w, uint64_t from, uint64_t to, size_t value_bytes)
{
    static uint8_t value[70000];
    uint64_t key;
    int result = TARN_OK;
    size_t t;

    memset(value, (int)value_bytes, sizeof value);
    for (key = from; key < to; key++)
        for (t = ORDERED; t <= UNORDERED; t++) {
            uint64_t before = tarn_table_bytes(w->tables[t]);

            result = tarn_put(w->tables[t], &key, sizeof key, value, value_bytes);
            if (result < 0)
                check_eq(tarn_table_bytes(w->tables[t]), before);
            if (result < 0)
                return result;
        }
    return result;
}

static int put_some(struct world *w)
{
    return put_many(w, 0, 300, 40);
}

static int put_most(struct world *w)
{
    return put_many(w, 300, KEY_COUNT - 10, 24);
}

static int put_longer(struct world *w)
{
    return put_many(w, 10, 40, 900);
}

static int put_large(struct world *w)
{
    return put_many(w, 40, 42, 70000);
}

static int put_long_key(struct world *w)
{
    static uint8_t key[TARN_KEY_BYTES_MAX];

    return tarn_put(w->tables[ORDERED], key, sizeof key, "v", 1);
}

static int put_absent(struct world *w)
{
    uint64_t key = KEY_COUNT - 1;
    const void *old;
    size_t old_bytes;
    int result =
        tarn_put_if_absent(w->tables[UNORDERED], &key, sizeof key, "new", 3, &old, &old_bytes);

    return result == TARN_PRESENT ? TARN_OK : result;
}

static int modify(struct world *w)
{
    uint64_t key = KEY_COUNT - 2;
    void *value;
    int result = tarn_modify(w->tables[ORDERED], &key, sizeof key, 64, &value);

    if (result == TARN_OK)
        memset(value, 7, 64);
    return result;
}

static int modify_many(struct world *w)
{
    uint64_t numbers[64];
    tarn_bytes keys[64];
    void *values[64];
    size_t i;
    int result;

    for (i = 0; i < 64; i++) {
        numbers[i] = i < 32 ? 100 + i : KEY_COUNT - 9 + i % 6;
        keys[i] = (tarn_bytes){ &numbers[i], sizeof numbers[i] };
    }
    result = tarn_modify_many(w->tables[ORDERED], keys, 64, 40, values);
    for (i = 0; result == TARN_OK && i < 64; i++)
        memset(values[i], (int)i, 40);
    return result;
}

static int merge(struct world *w)
{
    tarn_table *t = w->tables[NUMBERS], *any = w->tables[UNORDERED];
    int results[6], i;

    /* Repeated after a refusal, each comes to the same: absent keys, or a sum of nothing. */
    results[0] = tarn_min_i64(t, "a", 1, 5, NULL);
    results[1] = tarn_max_i64(t, "b", 1, 6, NULL);
    results[2] = tarn_add_i64(t, "c", 1, 0, NULL);
    results[3] = tarn_min_f64(any, "a", 1, 1.5, NULL);
    results[4] = tarn_max_f64(any, "b", 1, 2.5, NULL);
    results[5] = tarn_add_f64(any, "c", 1, 0.0, NULL);
    for (i = 0; i < 6; i++)
        if (results[i] < 0)
            return results[i];
    return TARN_OK;
}

static int append(struct world *w)
{
    static const uint8_t bytes[3000];

    /* From the same value each time, so that a repetition ends alike. */
    int result = tarn_put(w->tables[ORDERED], "log", 3, "start", 5);

    return result < 0 ? result : tarn_append(w->tables[ORDERED], "log", 3, bytes, sizeof bytes);
}

static int append_twice(struct world *w)
{
    int result = tarn_delete(w->tables[ORDERED], "line", 4);

    if (result >= 0)
        result = tarn_append(w->tables[ORDERED], "line", 4, "a", 1);
    return result < 0 ? result : tarn_append(w->tables[ORDERED], "line", 4, "b", 1);
}

static int typed(struct world *w)
{
    uint8_t number[8] = { 1 };
    const void *read;
    void *value;
    int result = tarn_put_as(w->tables[NUMBERS], TARN_I64, "n", 1, number, 8);

    if (result == TARN_OK)
        result = tarn_modify_as(w->tables[NUMBERS], TARN_I64, "m", 1, 8, &value);
    if (result == TARN_OK)
        check_ok(tarn_get_as(w->tables[NUMBERS], TARN_I64, "n", 1, &read, 8));
    return result;
}

static int open_dict(struct world *w)
{
    return tarn_dict_open(&w->dict, w->store, "words", NULL);
}

static int encode(struct world *w)
{
    uint32_t code = 77;
    int result = tarn_dict_encode(w->dict, "one word", 8, &code);

    check_eq(code, result == TARN_OK ? 0 : 77);
    return result;
}

static int encode_many(struct world *w)
{
    char texts[DICT_KEYS][24];
    tarn_bytes keys[DICT_KEYS];
    uint32_t codes[DICT_KEYS];
    size_t i;
    int result;

    for (i = 0; i < DICT_KEYS; i++)
        keys[i] =
            (tarn_bytes){ texts[i], (size_t)snprintf(texts[i], sizeof texts[i], "word %zu", i) };
    result = tarn_dict_encode_many(w->dict, keys, DICT_KEYS, codes);
    for (i = 0; i < DICT_KEYS; i++) {
        uint32_t known = TARN_DICT_NONE;

        (void)tarn_dict_find(w->dict, keys[i].data, keys[i].bytes, &known);
        check_eq(codes[i], known);
    }
    return result;
}

static int read_everything(struct world *w)
{
    uint64_t number = 5;
    tarn_bytes key = { &number, sizeof number }, value, note;
    const void *data;
    tarn_table_options options;
    tarn_statistics stat;
    uint8_t packed[64];
    uint32_t code;
    size_t bytes;

    check_ok(tarn_get(w->tables[ORDERED], key.data, key.bytes, &data, &bytes));
    check_ok(tarn_get_many(w->tables[UNORDERED], &key, 1, &value));
    check(value.data != NULL);
    check_ok(tarn_contains(w->tables[ORDERED], key.data, key.bytes));
    check_ok(tarn_table_describe(w->tables[NUMBERS], &options));
    check_text(tarn_table_name(w->tables[NUMBERS]), "numbers");
    check_ok(tarn_stat(w->store, &stat));
    check_ok(tarn_last_commit(w->store, NULL, &note));
    check(tarn_budget_used(w->budget) == stat.memory_bytes);
    check_ok(tarn_dict_decode(w->dict, 0, &key));
    check_eq(tarn_dict_coded_key(3, packed), 5);
    check_eq(tarn_dict_read_key(packed, 5, &code, &value), TARN_OK);
    check_eq(tarn_dict_raw_key("k", 1, packed), 2);
    check(tarn_version()[0] != 0 && tarn_result_text(TARN_OK)[0] != 0);
    check(tarn_error_text(w->store) != NULL);
    return TARN_OK;
}

static int commit(struct world *w)
{
    return tarn_commit(w->store, "note", 4, TARN_SYNC);
}

static int take_snapshot(struct world *w)
{
    return tarn_snapshot_take(&w->snapshot, w->store);
}

static int take_older(struct world *w)
{
    return tarn_snapshot_take(&w->older, w->store);
}

static int open_view(struct world *w)
{
    w->view_count = tarn_table_count(w->tables[ORDERED]);
    return tarn_snapshot_table(&w->view, w->older, "ordered");
}

static int scan(struct world *w)
{
    const uint64_t low = 20, high = 1500;
    const tarn_range range = { .lower = { &low, 8 }, .upper = { &high, 8 }, .reverse = 1 };

    return tarn_scan(&w->iterator, w->tables[ORDERED], &range);
}

static int scan_view(struct world *w)
{
    return tarn_scan(&w->view_iterator, w->view, NULL);
}

static int seek(struct world *w)
{
    static const uint8_t long_key[5000] = { 30 };

    return tarn_seek(w->iterator, long_key, sizeof long_key);
}

/* Steps never need memory. */
static int step(struct world *w)
{
    tarn_bytes key, value;
    int i;

    for (i = 0; i < 100; i++) {
        check(tarn_next(w->iterator, &key, &value) >= 0);
        check(w->older->failure != NULL || tarn_next(w->view_iterator, &key, &value) >= 0);
    }
    return TARN_OK;
}

/* Nor do deletes; memory that comes back is moved and given up meanwhile. */
static int delete_many(struct world *w)
{
    const void *value;
    uint64_t key;
    size_t bytes;

    for (key = 400; key < 1600; key++) {
        check(tarn_delete(w->tables[ORDERED], &key, sizeof key) >= 0);
        check(tarn_take(w->tables[UNORDERED], &key, sizeof key, &value, &bytes) >= 0);
    }
    return TARN_OK;
}

static int work(struct world *w)
{
    while (tarn_work(w->store, UINT64_MAX) == TARN_OK) {
    }
    return TARN_OK;
}

static int clear_unordered(struct world *w)
{
    return tarn_table_clear(w->tables[UNORDERED]);
}

static int clear_dict(struct world *w)
{
    return tarn_dict_clear(w->dict);
}

/* An export, in memory. */
static struct {
    uint8_t bytes[4 << 20];
    size_t used, read;
} stream;

static int stream_write(void *context, const void *bytes, size_t count)
{
    (void)context;
    check(count <= sizeof stream.bytes - stream.used);
    memcpy(stream.bytes + stream.used, bytes, count);
    stream.used += count;
    return 0;
}

static int stream_read(void *context, void *to, size_t room, size_t *count)
{
    (void)context;
    *count = stream.used - stream.read < room ? stream.used - stream.read : room;
    memcpy(to, stream.bytes + stream.read, *count);
    stream.read += *count;
    return 0;
}

static int export_snapshot(struct world *w)
{
    int result;

    stream.used = 0;
    check(tarn_snapshot_export(w->snapshot, -1) < 0); /* there is no such descriptor */
    result = tarn_snapshot_export_with(w->snapshot, stream_write, NULL);
    if (result < 0)
        stream.used = 0;
    return result;
}

/* Into a store of its own, which meets the same faults. */
static int import_export(struct world *w)
{
    const tarn_options options = {
        .address_bytes = 1 << 26,
        .allocate = allocator_call,
        .allocate_context = &w->allocator,
    };
    tarn_table_info info = { 0 };
    tarn_store *store;
    int result;

    if (stream.used == 0)
        return TARN_OK; /* the step before was refused */
    result = tn_store_open(&store, NULL, &options, &w->os);
    if (result < 0)
        return tn_store_fail(w->store, result, "of the other store");
    stream.read = 0;
    check(tarn_import(store, -1) < 0);
    result = tarn_import_with(store, stream_read, NULL);
    check_eq(tarn_table_at(store, 0, &info), result == TARN_OK ? TARN_OK : TARN_END);
    check(result != TARN_OK || info.name.bytes > 0);
    check_ok(tarn_close(store));
    return result < 0 ? tn_store_fail(w->store, result, "of the other store") : TARN_OK;
}

static int restore(struct world *w)
{
    return tarn_snapshot_restore(w->snapshot);
}

static int close_scans(struct world *w)
{
    check_ok(tarn_iterator_close(w->iterator));
    check_ok(tarn_iterator_close(w->view_iterator));
    w->iterator = w->view_iterator = NULL;
    return TARN_OK;
}

static int release(struct world *w)
{
    check_ok(tarn_table_close(w->view));
    check_ok(tarn_snapshot_release(w->older));
    check_ok(tarn_snapshot_release(w->snapshot));
    w->view = NULL;
    w->older = w->snapshot = NULL;
    return TARN_OK;
}

static int drop_table(struct world *w)
{
    int result = tarn_table_drop(w->tables[NUMBERS]);

    check_ok(tarn_table_close(w->tables[NUMBERS]));
    w->tables[NUMBERS] = NULL;
    return result;
}

static int drop_dict(struct world *w)
{
    int result = tarn_dict_drop(w->dict);

    check_ok(tarn_dict_close(w->dict));
    w->dict = NULL;
    return result;
}

/* ---- the program ----------------------------------------------------------------------------- */

/* What a step needs to be there. */
enum need {
    NOTHING = 0,
    BUDGET = 1,
    STORE = 2,
    TABLES = 4,
    DICT = 8,
    SNAPSHOT = 16,
    OLDER = 32,
    VIEW = 64,
    SCANS = 128,
    WORDS = 256, /* in the dictionary */
};

struct step {
    int (*run)(struct world *w);
    unsigned needs;
    bool
        in_part; /* a failure may have done a part of it: so it is documented, or it is many calls */
    bool never_fails;
    const char *name;
};

#define S(function, needs, in_part, never_fails)                                                   \
    {                                                                                              \
        function, needs, in_part, never_fails, #function                                           \
    }

static const struct step program[] = {
    S(open_budget, NOTHING, false, false),
    S(open_and_close_plainly, NOTHING, false, false),
    S(check_nothing, NOTHING, false, false),
    S(salvage_nothing, NOTHING, false, false),
    S(open_store, BUDGET, false, false),
    S(open_ordered, STORE, false, false),
    S(open_unordered, STORE, false, false),
    S(open_numbers, STORE, false, false),
    S(put_some, TABLES, true, false),
    S(open_dict, STORE, false, false),
    S(encode, DICT, false, false),
    S(commit, STORE, false, false),
    S(take_older, STORE, false, false),
    S(open_view, OLDER, false, false),
    S(put_most, TABLES, true, false),
    S(scan, TABLES, false, false),
    S(scan_view, VIEW, false, false),
    S(put_long_key, TABLES, false, false),
    S(seek, SCANS, false, false),
    S(step, SCANS, false, true),
    S(take_snapshot, STORE, false, false),
    S(put_longer, TABLES, true, false),
    S(put_large, TABLES, true, false),
    S(put_absent, TABLES, false, false),
    S(modify, TABLES, false, false),
    S(modify_many, TABLES, false, false),
    S(merge, TABLES, true, false),
    S(append, TABLES, true, false),
    S(append_twice, TABLES, true, false),
    S(typed, TABLES, true, false),
    S(encode_many, DICT, true, false),
    S(read_everything, TABLES | DICT | WORDS | BUDGET, false, true),
    S(delete_many, TABLES, true, true),
    S(work, STORE, false, true),
    S(step, SCANS, false, true),
    S(clear_unordered, TABLES, false, false),
    S(clear_dict, DICT, false, false),
    S(export_snapshot, SNAPSHOT, false, false),
    S(import_export, STORE, false, false),
    S(restore, SNAPSHOT, true, false),
    S(step, SCANS, false, true),
    S(close_scans, SCANS, false, true),
    S(release, VIEW | OLDER | SNAPSHOT, false, true),
    S(drop_table, TABLES, true, true),
    S(drop_dict, DICT, true, true),
    S(work, STORE, false, true),
};

#define STEP_COUNT TN_ARRAY_COUNT(program)

static bool has_needed(const struct world *w, unsigned needs)
{
    return (!(needs & BUDGET) || w->budget != NULL) && (!(needs & STORE) || w->store != NULL) &&
           (!(needs & TABLES) || (w->tables[ORDERED] != NULL && w->tables[UNORDERED] != NULL &&
                                  w->tables[NUMBERS] != NULL)) &&
           (!(needs & DICT) || w->dict != NULL) &&
           (!(needs & WORDS) || tarn_dict_count(w->dict) > 0) &&
           (!(needs & SNAPSHOT) || w->snapshot != NULL) && (!(needs & OLDER) || w->older != NULL) &&
           (!(needs & VIEW) || w->view != NULL) &&
           (!(needs & SCANS) || (w->iterator != NULL && w->view_iterator != NULL));
}

/* A failed snapshot answers TARN_E_FULL whatever memory there is: then it is no refusal of this step. */
static bool is_failed_snapshot(const struct world *w, const struct step *s)
{
    return ((s->needs & SNAPSHOT) && w->snapshot->failure != NULL) ||
           ((s->needs & (OLDER | VIEW)) && w->older != NULL && w->older->failure != NULL);
}

static void check_sound(const struct world *w)
{
    size_t t;

    for (t = 0; w->store != NULL && t < w->store->table_count; t++) {
        const tarn_table *table = w->store->tables[t];

        check(tn_index_check(&table->index));
        check(tn_heap_check(&w->store->heap, &table->body->owner));
        check(table->ordered == NULL || tn_ordered_check(table->ordered));
    }
    check(w->store == NULL || tn_snapshots_check(w->store));
}

/* One step, once. `watched`: it may meet the fault, so what was there before is noted. */
static int step_run(struct world *w, const struct step *s, bool watched)
{
    uint64_t before = watched ? digest(w) : 0;
    int result = s->run(w);

    if (w->view != NULL && w->older->failure == NULL)
        check_eq(tarn_table_count(w->view), w->view_count);
    if (result < 0) {
        check(watched && !s->never_fails);
        check(result == TARN_E_MEMORY || result == TARN_E_FULL);
        check(s->in_part || digest(w) == before);
        check(w->store == NULL || tarn_error_text(w->store)[0] != 0);
        if (!w->looked_inside) /* it is slow: after the first failure, and at the end */
            check_sound(w);
        w->looked_inside = true;
    }
    return result;
}

static void world_close(struct world *w)
{
    if (w->iterator != NULL)
        check_ok(tarn_iterator_close(w->iterator));
    if (w->view_iterator != NULL)
        check_ok(tarn_iterator_close(w->view_iterator));
    if (w->older != NULL)
        check_ok(tarn_snapshot_release(w->older));
    if (w->snapshot != NULL)
        check_ok(tarn_snapshot_release(w->snapshot));
    check_ok(tarn_close(w->store));
    check_ok(tarn_budget_close(w->budget));
    check_eq(w->allocator.live_blocks, 0);
    check(!w->allocator.size_was_wrong);
    check_eq(tn_simulated_committed_bytes(w->system), 0);
    tn_simulated_free(w->system);
}

/* Which calls fail: an allocation, or any call to the system. */
enum fault { NO_FAULT, ALLOCATION, SYSTEM };

struct outcome {
    uint64_t asked;  /* allocations, or calls to the system */
    uint64_t digest; /* at the end; only when nothing failed in part */
    bool snapshot_failed;
    uint64_t refused; /* steps that failed */
};

static void fault_plan(struct world *w, enum fault fault, uint64_t number, bool for_ever)
{
    w->allocator.refuse_at = fault == ALLOCATION ? number : UINT64_MAX;
    w->allocator.refuse_all = for_ever;
    if (fault == SYSTEM)
        check(tn_simulated_fail(w->system, TN_CALL_ANY, number, ENOMEM, for_ever));
}

static bool fault_can_come(const struct world *w, enum fault fault, uint64_t number)
{
    if (fault == ALLOCATION)
        return w->allocator.asked < number;
    return fault == SYSTEM && tn_simulated_call_count(w->system, TN_CALL_ANY) < number;
}

static struct outcome program_run(enum fault fault, uint64_t number, bool for_ever)
{
    struct world w = { 0 };
    struct outcome outcome = { 0 };
    size_t i;

    calls_made = call_counts;
    stream.used = 0;
    w.system = tn_simulated_new(NULL);
    w.os = tn_simulated_os(w.system);
    fault_plan(&w, fault, number, for_ever);
    for (i = 0; i < STEP_COUNT && test_failures == 0; i++) {
        const struct step *s = &program[i];
        int result;

        if (!has_needed(&w, s->needs) || is_failed_snapshot(&w, s)) {
            check(for_ever || w.older == NULL || w.older->failure != NULL ||
                  w.snapshot->failure != NULL);
            continue;
        }
        result = step_run(&w, s, fault_can_come(&w, fault, number) || for_ever);
        outcome.refused += result < 0;
        if (result < 0 && !for_ever)
            check_ok(step_run(&w, s, false)); /* once only */
        if (test_failures != 0)
            printf("# in step '%s', fault %d number %" PRIu64 "%s\n", s->name, fault, number,
                   for_ever ? " and all later ones" : "");
        outcome.snapshot_failed |= (w.snapshot != NULL && w.snapshot->failure != NULL) ||
                                   (w.older != NULL && w.older->failure != NULL);
    }
    fault_plan(&w, NO_FAULT, 0, false);
    tn_simulated_fail_none(w.system);
    if (number % 8 == 0)
        check_sound(&w);
    outcome.digest = digest(&w);
    outcome.asked =
        fault == SYSTEM ? tn_simulated_call_count(w.system, TN_CALL_ANY) : w.allocator.asked;
    world_close(&w);
    return outcome;
}

/* ---- tests ----------------------------------------------------------------------------------- */

static void the_program_calls_every_function_of_the_header(void)
{
    size_t i;

    check_eq(program_run(NO_FAULT, 0, false).refused, 0);
    for (i = 0; i < CALL_COUNT; i++)
        if (call_counts[i] == 0)
            test_fail(__FILE__, __LINE__, "no step calls %s: add one", call_names[i]);
    check(CALL_COUNT > 50);
}

/* Answers how many faults were met by a step that then failed. */
static uint64_t every_fault(enum fault fault, bool for_ever)
{
    struct outcome whole = program_run(NO_FAULT, 0, false), faulty;
    uint64_t number, refused = 0;

    for (number = 1; test_failures == 0; number += FAULT_STEP) {
        faulty = program_run(fault, number, for_ever);
        refused += faulty.refused > 0;
        /* A snapshot that failed cannot be restored, so what is there at the end differs. */
        if (!for_ever && !faulty.snapshot_failed)
            check_eq(faulty.digest, whole.digest);
        if (faulty.asked < number)
            break;
    }
    printf("# %" PRIu64 " faults, %" PRIu64 " of them refused a call\n", number - 1, refused);
    return refused;
}

static void each_allocation_that_fails_once_changes_nothing(void)
{
    check(every_fault(ALLOCATION, false) > 20 / FAULT_STEP);
}

static void each_allocation_that_fails_for_ever_changes_nothing(void)
{
    check(every_fault(ALLOCATION, true) > 100 / FAULT_STEP);
}

static void each_call_to_the_system_that_fails_once_changes_nothing(void)
{
    check(every_fault(SYSTEM, false) > 4 / FAULT_STEP);
}

static void each_call_to_the_system_that_fails_for_ever_changes_nothing(void)
{
    check(every_fault(SYSTEM, true) > 10 / FAULT_STEP);
}

static const struct test tests[] = {
    T(the_program_calls_every_function_of_the_header),
    T(each_allocation_that_fails_once_changes_nothing),
    T(each_allocation_that_fails_for_ever_changes_nothing),
    T(each_call_to_the_system_that_fails_once_changes_nothing),
    T(each_call_to_the_system_that_fails_for_ever_changes_nothing),
};

TEST_MAIN(tests)
