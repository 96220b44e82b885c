/*
 * test_window_failures.c - the window operator where memory is refused, at every point, and where
 * its tables hold what it never wrote
 *
 * Allocations and pages of the store and of the operator are counted together; the n-th is refused,
 * once or with all behind it, for every n there is (some hundred, where there are more), in each
 * kind of windows and each mode. What was emitted until then is right, the operator has stopped
 * (W6), and everything is given back.
 */
#include "window_fixture.h"

#include "store/store.h"

#include <errno.h>

/* ---- a system that refuses pages, counted as allocations ------------------------------------- */

static struct allocator *pages_of;

static int commit_or_refuse(void *context, void *at, size_t bytes, unsigned flags)
{
    struct allocator *a = pages_of;

    a->call_count++;
    if (a->call_count >= a->fail_first && a->call_count <= a->fail_last) {
        a->failed_count++;
        return -ENOMEM;
    }
    return tn_os_posix.ops->pages_commit(context, at, bytes, flags);
}

static int open_refusing(struct fixture *f)
{
    const tarn_options options = {
        .address_bytes = (uint64_t)1 << 30,
        .allocate = allocate,
        .allocate_context = &f->allocator,
    };
    static struct tn_os_ops ops;
    struct tn_os os = { &ops, tn_os_posix.context };
    int result;

    ops = *tn_os_posix.ops;
    ops.pages_commit = commit_or_refuse;
    pages_of = &f->allocator;
    result = tn_store_open(&f->store, NULL, &options, &os);
    tn_memory_init(&f->memory, allocate, &f->allocator, 0);
    return result != TARN_OK
               ? result
               : tn_window_open(&f->window, f->store, &f->memory, &f->options, write_down, f);
}

/* ---- what is run ----------------------------------------------------------------------------- */

#define ROWS 60
#define REFUSALS_MAX 300              /* of a program, of each kind */
#define NUMBERS_COUNT FIRST_TEXT_KIND /* of all_kinds: those without texts */

static const struct tn_window_options programs[] = {
    { .every_ms = 20, .aggregate_count = KIND_COUNT },
    { .every_ms = 136, .slide_ms = 8, .aggregate_count = NUMBERS_COUNT },
    { .every_ms = 136, .slide_ms = 8, .aggregate_count = KIND_COUNT },
    { .every_ms = 68, .slide_ms = 4, .grace_ms = 30, .mode = TN_WINDOW_CHANGES },
    { .every_ms = 68, .slide_ms = 4, .grace_ms = 30, .mode = TN_WINDOW_EVERY, .print_ms = 15 },
    { .gap_ms = 10, .grace_ms = 20, .aggregate_count = KIND_COUNT },
    { .gap_ms = 10, .grace_ms = 20, .mode = TN_WINDOW_CHANGES },
    { .gap_ms = 10, .grace_ms = 20, .mode = TN_WINDOW_EVERY, .print_ms = 15 },
};

static struct fixture *program_new(size_t p)
{
    struct tn_window_options options = programs[p];

    options.late_ms = 20;
    options.key_count = 1;
    options.aggregates = all_kinds;
    if (options.aggregate_count == 0)
        options.aggregate_count = KIND_COUNT;
    return fixture_new(&options);
}

/*
 * Rows out of order, of a few groups, with texts of several sizes; half way it is saved and opened
 * again.
 */
static int program_run(struct fixture *f)
{
    uint64_t random = 7;
    int result = open_refusing(f);

    for (int64_t i = 0; i < ROWS && result >= 0; i++) {
        int64_t back = (int64_t)(test_random(&random) % 25);
        char key[32], text[400];

        snprintf(key, sizeof key, "key %d", (int)(test_random(&random) % 9));
        snprintf(text, sizeof text, "%0*d", 1 + (int)(i * 7 % 300), (int)i);
        result = push_values(f, 2 * i - back, key, "12.5", text);
        check(result == TARN_E_MEMORY || result == TN_WINDOW_TAKEN || result == TN_WINDOW_LATE);
        if (result < 0)
            check_eq(push(f, 3 * i, "k"), result); /* W6 */
        if (i == ROWS / 2 && result >= 0) {
            result = tn_window_save(f->window);
            if (result == TARN_OK) {
                tn_window_close(f->window);
                check_eq(f->memory.counted_bytes, 0);
                result =
                    tn_window_open(&f->window, f->store, &f->memory, &f->options, write_down, f);
            }
        }
    }
    if (result >= 0)
        result = tn_window_finish(f->window);
    if (result != TARN_OK && f->window != NULL && f->allocator.fail_last == UINT64_MAX)
        check(tn_window_finish(f->window) < 0);
    return result;
}

/* What was emitted is what an undisturbed run emits, as far as it goes. */
static void program_refused(size_t p, const struct fixture *whole, uint64_t n, bool rest,
                            uint64_t *refused_count)
{
    struct fixture *f = program_new(p);
    int result;

    f->allocator.fail_first = n;
    f->allocator.fail_last = rest ? UINT64_MAX : n;
    result = program_run(f);
    check(result == TARN_OK || result == TARN_E_MEMORY);
    check(f->allocator.failed_count > 0);
    check(strncmp(f->out.text, whole->out.text, f->out.bytes) == 0);
    check(result != TARN_OK || f->out.bytes == whole->out.bytes);
    *refused_count += result != TARN_OK;
    if (test_failures != 0)
        printf("# program %zu, refused %" PRIu64 "%s\n", p, n, rest ? " and all behind it" : "");
    fixture_close(f);
}

static void memory_refused_at_any_point_stops_any_operator_cleanly(void)
{
    for (size_t p = 0; p < TN_ARRAY_COUNT(programs) && test_failures == 0; p++) {
        struct fixture *whole = program_new(p);
        uint64_t refused_count = 0, stride;

        check_ok(program_run(whole));
        check(whole->out.count > 20);
        if (getenv("VERBOSE") != NULL)
            printf("# program %zu: %" PRIu64 " requests, %zu rows\n", p,
                   whole->allocator.call_count, whole->out.count);
        stride = 1 + 2 * whole->allocator.call_count / REFUSALS_MAX;
        for (int rest = 0; rest < 2; rest++)
            for (uint64_t n = 1; n <= whole->allocator.call_count && test_failures == 0;
                 n += n < REFUSALS_MAX / 2 ? 1 : stride)
                program_refused(p, whole, n, rest, &refused_count);
        check(refused_count > REFUSALS_MAX / 2);
        fixture_close(whole);
    }
}

/* ---- tables that are damaged ----------------------------------------------------------------- */

enum damage { VALUE_IS_SHORTER, VALUE_IS_EMPTY, VALUE_IS_LONGER, ENTRY_IS_GONE, KEY_IS_SHORTER };
#define DAMAGE_COUNT (KEY_IS_SHORTER + 1)

/* Changes the `place`-th entry of a table; false: there is none. */
static bool table_damage(tarn_table *table, size_t place, enum damage damage)
{
    static uint8_t key[TARN_KEY_BYTES_MAX], value[1000];
    size_t key_bytes, value_bytes;
    tarn_bytes k = { "", 0 }, v = { "", 0 };
    tarn_iterator *it;
    bool found = false;

    check_ok(tarn_scan(&it, table, NULL));
    for (size_t i = 0; i <= place; i++)
        found = tarn_next(it, &k, &v) == TARN_OK;
    key_bytes = k.bytes;
    value_bytes = tn_min(v.bytes, sizeof value - 1);
    memcpy(key, k.data, key_bytes);
    memcpy(value, v.data, value_bytes);
    check_ok(tarn_iterator_close(it));
    if (!found)
        return false;
    if (damage == ENTRY_IS_GONE || damage == KEY_IS_SHORTER)
        check_ok(tarn_delete(table, key, key_bytes));
    if (damage == ENTRY_IS_GONE)
        return true;
    if (damage == KEY_IS_SHORTER)
        key_bytes -= key_bytes > 0;
    else if (damage == VALUE_IS_LONGER)
        value[value_bytes++] = 0;
    else
        value_bytes = damage == VALUE_IS_EMPTY || value_bytes == 0 ? 0 : value_bytes - 1;
    check_ok(tarn_put(table, key, key_bytes, value, value_bytes));
    return true;
}

/* Half of a program, its tables damaged in one place, and the rest: an answer, whatever it is. */
static bool program_damaged(size_t p, uint64_t which, size_t place, enum damage damage,
                            uint64_t *refused_count)
{
    struct fixture *f = program_new(p);
    uint64_t random = 3;
    tarn_table_info info;
    tarn_table *table;
    char name[100];
    bool damaged;
    int result;

    check_ok(open_refusing(f));
    for (int64_t i = 0; i < ROWS; i++)
        (void)push_values(f, i - (int64_t)(test_random(&random) % 9), i % 2 ? "a" : "b", "1", "t");
    check_ok(tn_window_save(f->window));
    tn_window_close(f->window);
    f->window = NULL;
    if (tarn_table_at(f->store, which, &info) != TARN_OK) {
        fixture_close(f);
        return false;
    }
    snprintf(name, sizeof name, "%.*s", (int)info.name.bytes, (const char *)info.name.data);
    check_ok(tarn_table_open(&table, f->store, name, NULL));
    damaged = table_damage(table, place, damage);
    check_ok(tarn_table_close(table));
    result = tn_window_open(&f->window, f->store, &f->memory, &f->options, write_down, f);
    for (int64_t i = ROWS; i < 2 * ROWS && result >= 0; i++)
        result = push_values(f, i - 15, i % 2 ? "a" : "b", "1", "u");
    if (result >= 0)
        result = tn_window_finish(f->window);
    check(result == TARN_OK || result == TARN_E_CORRUPT || result == TARN_E_TYPE);
    *refused_count += damaged && result != TARN_OK;
    if (test_failures != 0)
        printf("# program %zu, table %s, entry %zu, damage %d: %d\n", p, name, place, (int)damage,
               result);
    tn_window_close(f->window);
    f->window = NULL;
    fixture_close(f);
    return true;
}

static void tables_it_did_not_write_are_answered_and_never_read_beyond(void)
{
    uint64_t refused_count = 0;

    for (size_t p = 0; p < TN_ARRAY_COUNT(programs); p++)
        for (int damage = 0; damage < DAMAGE_COUNT; damage++)
            for (size_t place = 0; place < 2; place++)
                for (uint64_t which = 0; test_failures == 0; which += 1 + which / 8)
                    if (!program_damaged(p, which, place, (enum damage)damage, &refused_count))
                        break;
    check(refused_count > 200);
    if (getenv("VERBOSE") != NULL)
        printf("# %" PRIu64 " refused\n", refused_count);
}

/* ---- sums that leave 128 bits ---------------------------------------------------------------- */

#define LARGEST "170141183460469231731687303715884105727"

/*
 * Rows of one group at these times; the second is as large as the first. What came of it, and stays
 * (W6).
 */
static void check_overflow(size_t p, const int64_t times[3])
{
    static const char *const values[] = { LARGEST, LARGEST, "0" };
    struct fixture *f = program_new(p);
    int result;

    check_ok(fixture_open(f, 0));
    result = push_values(f, times[0], "k", values[0], "t");
    check_eq(result, TN_WINDOW_TAKEN);
    for (size_t i = 1; i < 3 && result == TN_WINDOW_TAKEN; i++)
        result = push_values(f, times[i], "k", values[i], "t");
    if (result == TN_WINDOW_TAKEN)
        result = tn_window_finish(f->window);
    check_eq(result, TN_WINDOW_OVERFLOW);
    check(strstr(tn_window_reason(f->window), "sum(x)") != NULL);
    check_eq(push_values(f, 1000, "other", "1", ""), TN_WINDOW_OVERFLOW);
    check_eq(tn_window_finish(f->window), TN_WINDOW_OVERFLOW);
    fixture_close(f);
}

/* In one slice or session; in several that are merged, by a window or by a row that bridges them. */
static void a_sum_that_overflows_stops_any_operator(void)
{
    static const int64_t together[] = { 0, 0, 0 }, apart[] = { 0, 18, 9 };

    for (size_t p = 0; p < TN_ARRAY_COUNT(programs); p++) {
        check_overflow(p, together);
        check_overflow(p, apart);
    }
}

static const struct test tests[] = {
    T(memory_refused_at_any_point_stops_any_operator_cleanly),
    T(tables_it_did_not_write_are_answered_and_never_read_beyond),
    T(a_sum_that_overflows_stops_any_operator),
};

TEST_MAIN(tests)
