/*
 * durable_ops.c - see durable_ops.h
 *
 * Rules
 *   O1  A repeat that would take long ends after OP_NS_MAX, between two commits; what it did is
 *       counted.
 *   O2  Bytes written are those that the process gave to the system, whether or not they came to
 *       the device (wchar of /proc/self/io); bytes on disk are blocks that the files take.
 *   O3  After each opening that is timed every byte of every value is compared, untimed.
 *   O4  A row that took longer than is allowed begins no other repeat, nor the churn another
 *       sample.
 */
#include "durable_ops.h"
#include "scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define LOAD_COMMIT_COUNT 10000u
#define COMMIT_COUNT 1000u
#define SYNCED_COMMITS 200u /* in a repeat */
#define SYNCED_1000_COMMITS 20u
#define CHANGED_COUNT 100000u
#define CHURN_SAMPLES 20u
#define CHURN_ROUNDS 2u /* times all entries */
#define OP_NS_MAX UINT64_C(5000000000)
#define RAW_BYTES 4096u
#define RAW_COUNT 200u
#define ENTRY_BYTES (TN_DURABLE_KEY_BYTES + TN_DURABLE_VALUE_BYTES)

static bool fail(struct tn_durable_subject *subject, const char *what, int result)
{
    snprintf(subject->result->reason, sizeof subject->result->reason, "%s: %.300s", what,
             result == TN_BENCH_WRONG ? "the contents are not what was committed"
                                      : subject->store->error_text(subject->handle, result));
    return false;
}

static bool fail_system(struct tn_durable_subject *subject, const char *what)
{
    snprintf(subject->result->reason, sizeof subject->result->reason, "%s: %s", what,
             strerror(errno));
    return false;
}

static void sample_add(struct tn_durable_subject *subject, enum tn_durable_op op, double value,
                       uint64_t operations)
{
    tn_bench_sample_add(&subject->result->samples[op], value);
    subject->result->operations[op] = operations;
}

static uint64_t elapsed_ns(uint64_t since_ns)
{
    uint64_t ns = tn_bench_clock_ns() - since_ns;

    return ns > 0 ? ns : 1;
}

/* ---- opening and checking -------------------------------------------------------------------- */

static bool subject_open(struct tn_durable_subject *subject)
{
    char reason[TN_DURABLE_REASON_BYTES] = "";

    subject->handle =
        subject->store->open(subject->path, subject->workload->entries, reason, sizeof reason);
    if (subject->handle != NULL)
        return true;
    snprintf(subject->result->reason, sizeof subject->result->reason, "open: %s", reason);
    return false;
}

static bool subject_close(struct tn_durable_subject *subject)
{
    int result = subject->store->close(subject->handle);

    subject->handle = NULL;
    return result == 0 || fail(subject, "close", result);
}

static const uint8_t *value_of(const struct tn_durable_subject *subject, uint64_t number)
{
    return subject->workload->values +
           (number + subject->shift[number]) % TN_BENCH_VALUE_COUNT * TN_DURABLE_VALUE_BYTES;
}

static bool entry_check(struct tn_durable_subject *subject, uint64_t number)
{
    uint8_t key[TN_DURABLE_KEY_BYTES];
    const void *value = NULL;
    size_t value_bytes = 0;
    int result;

    tn_store_be64(key, number);
    result = subject->store->get(subject->handle, key, &value, &value_bytes);
    if (result == 0 && (value_bytes != TN_DURABLE_VALUE_BYTES ||
                        memcmp(value, value_of(subject, number), value_bytes) != 0))
        result = TN_BENCH_WRONG;
    return result == 0 || fail(subject, "get", result);
}

/* All there as committed, and none beyond. */
static bool contents_check(struct tn_durable_subject *subject)
{
    uint8_t key[TN_DURABLE_KEY_BYTES];
    uint64_t entries = subject->workload->entries, i;
    const void *value;
    size_t value_bytes;

    for (i = 0; i < entries; i++)
        if (!entry_check(subject, i))
            return false;
    tn_store_be64(key, entries);
    if (subject->store->get(subject->handle, key, &value, &value_bytes) == 0)
        return fail(subject, "get of a key never put", TN_BENCH_WRONG);
    return true;
}

/* ---- loading --------------------------------------------------------------------------------- */

static bool commit(struct tn_durable_subject *subject)
{
    int result = subject->store->commit(subject->handle);

    return result == 0 || fail(subject, "commit", result);
}

static bool load(struct tn_durable_subject *subject)
{
    const struct tn_durable_store *store = subject->store;
    uint64_t entries = subject->workload->entries, i;
    uint8_t key[TN_DURABLE_KEY_BYTES];
    int result = store->set_synced(subject->handle, false);

    for (i = 0; result == 0 && i < entries; i++) {
        tn_store_be64(key, i);
        result = store->put(subject->handle, key, value_of(subject, i));
        if (result == 0 && ((i + 1) % LOAD_COMMIT_COUNT == 0 || i + 1 == entries))
            result = store->commit(subject->handle);
    }
    return result == 0 || fail(subject, "load", result);
}

bool tn_durable_load_and_close(struct tn_durable_subject *subject)
{
    uint64_t entries = subject->workload->entries, started;

    if (!subject_open(subject))
        return false;
    started = tn_bench_clock_ns();
    if (!load(subject))
        return false;
    sample_add(subject, TN_DURABLE_BULK_LOAD, (double)elapsed_ns(started) / (double)entries,
               entries);
    started = tn_bench_clock_ns();
    if (!subject_close(subject))
        return false;
    sample_add(subject, TN_DURABLE_BULK_LOAD_CLOSE, (double)elapsed_ns(started) / 1e6, 1);
    return true;
}

bool tn_durable_load_and_die(struct tn_durable_subject *subject)
{
    return subject_open(subject) && load(subject);
}

bool tn_durable_reopen(struct tn_durable_subject *subject, enum tn_durable_op op)
{
    uint64_t started = tn_bench_clock_ns();

    if (!subject_open(subject) || !entry_check(subject, subject->workload->entries / 2))
        return false;
    sample_add(subject, op, (double)elapsed_ns(started) / 1e6, 1);
    return contents_check(subject) && subject_close(subject);
}

bool tn_durable_check(struct tn_durable_subject *subject)
{
    return subject_open(subject) && contents_check(subject) && subject_close(subject);
}

/* ---- changing -------------------------------------------------------------------------------- */

/* Keys `at` to `at + count - 1` of the order get new values; not committed. */
static bool change(struct tn_durable_subject *subject, size_t at, size_t count)
{
    const uint8_t *key = subject->workload->keys + at * TN_DURABLE_KEY_BYTES;
    uint64_t number;
    int result;

    for (; count > 0; count--, key += TN_DURABLE_KEY_BYTES) {
        number = tn_load_be64(key);
        subject->shift[number]++;
        result = subject->store->put(subject->handle, key, value_of(subject, number));
        if (result != 0)
            return fail(subject, "put", result);
    }
    return true;
}

static void order_make(struct tn_durable_subject *subject, size_t count)
{
    tn_bench_workload_order(subject->workload, TN_BENCH_RANDOM, count, 0);
}

/*
 * `commits` commits of `count` changes each, over random keys, none twice before all had their
 * turn. Answers how many were made (O1), 0: failed; *ns is what they took.
 */
static uint64_t commits_make(struct tn_durable_subject *subject, size_t commits, size_t count,
                             uint64_t *ns)
{
    size_t order_count = subject->workload->key_count_max / count * count, at = 0, i;
    uint64_t started;

    order_count = tn_min(order_count, commits * count);
    order_make(subject, order_count);
    started = tn_bench_clock_ns();
    for (i = 0; i < commits && elapsed_ns(started) < OP_NS_MAX; i++, at += count)
        if (!change(subject, at % order_count, count) || !commit(subject))
            return 0;
    *ns = elapsed_ns(started);
    return i;
}

static bool synced_set(struct tn_durable_subject *subject, bool synced)
{
    int result = subject->store->set_synced(subject->handle, synced);

    return result == 0 || fail(subject, "setting up", result);
}

/* One repeat: puts a second where commits are synced, else nanoseconds a put. */
static bool commits_measure(struct tn_durable_subject *subject, enum tn_durable_op op,
                            size_t commits, size_t count)
{
    bool is_rate = op != TN_DURABLE_PUT_COMMIT_1000;
    uint64_t ns = 1, made = commits_make(subject, commits, count, &ns) * count;

    if (made == 0)
        return false;
    sample_add(subject, op, is_rate ? (double)made * 1e9 / (double)ns : (double)ns / (double)made,
               made);
    return true;
}

static bool commit_100k(struct tn_durable_subject *subject)
{
    size_t count = tn_min((size_t)subject->workload->entries, (size_t)CHANGED_COUNT), repeat;
    uint64_t began = tn_bench_clock_ns(), started;

    for (repeat = 0; tn_durable_goes_on(subject, began, repeat); repeat++) {
        order_make(subject, count);
        if (!change(subject, 0, count))
            return false;
        started = tn_bench_clock_ns();
        if (!commit(subject))
            return false;
        sample_add(subject, TN_DURABLE_COMMIT_100K, (double)elapsed_ns(started) / 1e6, count);
    }
    return true;
}

/* O2. 0: the system does not tell. */
static uint64_t bytes_written(void)
{
    unsigned long long bytes = 0;
    char line[64];
    FILE *file = fopen("/proc/self/io", "r");

    if (file == NULL)
        return 0;
    while (bytes == 0 && fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, "wchar: ", 7) == 0)
            bytes = strtoull(line + 7, NULL, 10);
    fclose(file);
    return bytes;
}

static bool churn(struct tn_durable_subject *subject)
{
    uint64_t entries = subject->workload->entries, before, after, made, ns;
    size_t count = tn_min((size_t)entries, (size_t)COMMIT_COUNT), sample;
    size_t commits = (size_t)(CHURN_ROUNDS * entries / count / CHURN_SAMPLES) + 1;
    uint64_t began = tn_bench_clock_ns();

    for (sample = 0; sample < CHURN_SAMPLES; sample++) {
        if (sample > 0 && subject->row_ns_max != 0 && elapsed_ns(began) >= subject->row_ns_max)
            break;
        before = bytes_written();
        made = commits_make(subject, commits, count, &ns);
        after = bytes_written();
        if (made == 0)
            return false;
        made *= count;
        sample_add(subject, TN_DURABLE_DISK,
                   (double)tn_bench_scratch_bytes(subject->path) / (double)(entries * ENTRY_BYTES),
                   made);
        if (after > before)
            sample_add(subject, TN_DURABLE_WRITTEN,
                       (double)(after - before) / (double)(made * ENTRY_BYTES), made);
    }
    return true;
}

static bool put_commit_1000(struct tn_durable_subject *subject)
{
    uint64_t entries = subject->workload->entries, began = tn_bench_clock_ns();
    size_t count = tn_min((size_t)entries, (size_t)COMMIT_COUNT);
    size_t commits = tn_min((size_t)(entries / count), (size_t)CHANGED_COUNT / COMMIT_COUNT);
    size_t repeat;

    for (repeat = 0; tn_durable_goes_on(subject, began, repeat); repeat++)
        if (!commits_measure(subject, TN_DURABLE_PUT_COMMIT_1000, commits, count))
            return false;
    return true;
}

bool tn_durable_change(struct tn_durable_subject *subject)
{
    const uint32_t churned = TN_DURABLE_BIT(TN_DURABLE_DISK) | TN_DURABLE_BIT(TN_DURABLE_WRITTEN);

    if (!subject_open(subject) || !synced_set(subject, false))
        return false;
    if (tn_durable_wants(subject, TN_DURABLE_BIT(TN_DURABLE_PUT_COMMIT_1000)) &&
        !put_commit_1000(subject))
        return false;
    if (tn_durable_wants(subject, TN_DURABLE_BIT(TN_DURABLE_COMMIT_100K)) && !commit_100k(subject))
        return false;
    if (tn_durable_wants(subject, churned) && !churn(subject))
        return false;
    return contents_check(subject) && subject_close(subject);
}

/* What was there before is synced first, untimed. */
bool tn_durable_sync(struct tn_durable_subject *subject)
{
    size_t count = tn_min((size_t)subject->workload->entries, (size_t)COMMIT_COUNT);

    order_make(subject, 1);
    return subject_open(subject) && synced_set(subject, true) && change(subject, 0, 1) &&
           commit(subject) &&
           (!tn_durable_wants(subject, TN_DURABLE_BIT(TN_DURABLE_PUT_1000_SYNCED)) ||
            commits_measure(subject, TN_DURABLE_PUT_1000_SYNCED, SYNCED_1000_COMMITS, count)) &&
           (!tn_durable_wants(subject, TN_DURABLE_BIT(TN_DURABLE_PUT_SYNCED)) ||
            commits_measure(subject, TN_DURABLE_PUT_SYNCED, SYNCED_COMMITS, 1)) &&
           contents_check(subject) && subject_close(subject);
}

/* ---- the device ------------------------------------------------------------------------------ */

/* RAW_COUNT blocks, each synced. */
static bool raw_blocks(int file, uint64_t *ns)
{
    static const uint8_t block[RAW_BYTES] = { 1 };
    uint64_t started = tn_bench_clock_ns();
    size_t i;

    for (i = 0; i < RAW_COUNT; i++)
        if (pwrite(file, block, sizeof block, (off_t)(i * sizeof block)) != (ssize_t)sizeof block ||
            fdatasync(file) != 0)
            return false;
    *ns = elapsed_ns(started);
    return true;
}

/* A new file grows by a block at a time; then the same blocks are written again. */
static bool raw_repeat(struct tn_durable_subject *subject, const char *name)
{
    int file = open(name, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
    uint64_t append_ns = 1, overwrite_ns = 1;
    bool done;

    if (file < 0)
        return fail_system(subject, name);
    done = raw_blocks(file, &append_ns) && raw_blocks(file, &overwrite_ns);
    if (!done)
        fail_system(subject, name);
    close(file);
    sample_add(subject, TN_DURABLE_RAW_APPEND, RAW_COUNT * 1e9 / (double)append_ns, RAW_COUNT);
    sample_add(subject, TN_DURABLE_RAW_OVERWRITE, RAW_COUNT * 1e9 / (double)overwrite_ns,
               RAW_COUNT);
    return done;
}

bool tn_durable_raw(struct tn_durable_subject *subject)
{
    char name[TN_BENCH_SCRATCH_PATH_BYTES + 8];

    snprintf(name, sizeof name, "%s/raw", subject->path);
    return raw_repeat(subject, name);
}
