/*
 * snapshot_bench.c - taking, restoring, exporting and importing snapshots
 *
 *     a store with all keys
 *         snapshot_take       of TAKE_COUNT, one after the other
 *         snapshot_restore    after 1 % of the entries were overwritten
 *         snapshot_export     into memory that was touched before
 *         snapshot_import     from that memory, into a store that had all of it and dropped it
 *
 * The time is for the whole: 10 MB are 73,529 entries. A first repeat is not counted. After each
 * restore and each import every entry is compared.
 */
#include "snapshot_bench.h"

#include <tarn.h>

#include <stdlib.h>

#define TAKE_COUNT 1000u
#define KEY_BYTES 8u
#define TABLE "bench"

#define NEEDED_BYTES_PER_ENTRY 600u /* two stores, and an export, with room to grow */
#define KINDS 2u

enum snapshot_op { SNAPSHOT_TAKE, SNAPSHOT_RESTORE, SNAPSHOT_EXPORT, SNAPSHOT_IMPORT, OP_COUNT };

const char *const tn_bench_snapshot_ops[] = {
    [SNAPSHOT_TAKE] = "snapshot_take",
    [SNAPSHOT_RESTORE] = "snapshot_restore",
    [SNAPSHOT_EXPORT] = "snapshot_export",
    [SNAPSHOT_IMPORT] = "snapshot_import",
    [OP_COUNT] = NULL,
};

/* What came out for one kind of table. */
struct measured {
    const struct tn_bench_store *store;
    struct tn_bench_sample samples[OP_COUNT];
    struct tn_bench_watch totals[OP_COUNT];
};

/* What it is measured with. */
struct subject {
    const struct tn_bench_workload *workload;
    int kind;
    tarn_store *store;
    tarn_table *table;
    tarn_store *other; /* imported into */
    uint8_t *bytes;    /* an export */
    size_t bytes_count, bytes_room, bytes_read;
    tarn_snapshot *snapshots[TAKE_COUNT];
    struct measured *measured;
};

static const uint8_t *value_of(const struct subject *subject, uint64_t number)
{
    return subject->workload->values +
           number % TN_BENCH_VALUE_COUNT * subject->workload->shape.value_bytes;
}

static int entry_put(const struct subject *subject, uint64_t number, uint64_t value)
{
    uint8_t key[KEY_BYTES];

    tn_store_be64(key, number);
    return tarn_put(subject->table, key, sizeof key, value_of(subject, value),
                    subject->workload->shape.value_bytes);
}

static int subject_fill(struct subject *subject)
{
    const tarn_table_options options = { .kind = subject->kind };
    int result = tarn_open(&subject->store, NULL, NULL);
    uint64_t i;

    if (result == TARN_OK)
        result = tarn_open(&subject->other, NULL, NULL);
    if (result == TARN_OK)
        result = tarn_table_open(&subject->table, subject->store, TABLE, &options);
    for (i = 0; result == TARN_OK && i < subject->workload->entries; i++)
        result = entry_put(subject, i, i);
    return result;
}

static void subject_free(struct subject *subject)
{
    tarn_close(subject->store);
    tarn_close(subject->other);
    free(subject->bytes);
    free(subject);
}

/* Every entry as it was put at first. */
static int table_check(const struct subject *subject, tarn_table *table)
{
    uint8_t key[KEY_BYTES];
    const void *value;
    size_t bytes;
    uint64_t i;

    if (tarn_table_count(table) != subject->workload->entries)
        return TN_BENCH_WRONG;
    for (i = 0; i < subject->workload->entries; i++) {
        tn_store_be64(key, i);
        if (tarn_get(table, key, sizeof key, &value, &bytes) != TARN_OK ||
            bytes != subject->workload->shape.value_bytes ||
            memcmp(value, value_of(subject, i), bytes) != 0)
            return TN_BENCH_WRONG;
    }
    return TARN_OK;
}

static int work_off(tarn_store *store)
{
    int result = TARN_OK;

    while (result == TARN_OK)
        result = tarn_work(store, UINT64_MAX);
    return result < 0 ? result : TARN_OK;
}

/* ---- one repeat of each ---------------------------------------------------------------------- */

/* What went by since start, per operation, is a value of the sample. */
static void lap_note(struct subject *subject, enum snapshot_op op,
                     const struct tn_bench_watch *started, size_t operations)
{
    struct tn_bench_watch lap = { 0 };

    tn_bench_watch_stop(started, &lap);
    tn_bench_sample_add(&subject->measured->samples[op], (double)lap.ns / (double)operations);
    subject->measured->totals[op].ns += lap.ns;
    subject->measured->totals[op].page_faults += lap.page_faults;
}

static int take_repeat(struct subject *subject)
{
    struct tn_bench_watch started;
    size_t taken = 0;
    int result = TARN_OK;

    tn_bench_watch_start(&started);
    while (taken < TAKE_COUNT && result == TARN_OK)
        result = tarn_snapshot_take(&subject->snapshots[taken++], subject->store);
    lap_note(subject, SNAPSHOT_TAKE, &started, TAKE_COUNT);
    while (taken > 0)
        tarn_snapshot_release(subject->snapshots[--taken]);
    return result < 0 ? result : work_off(subject->store);
}

static int restore_repeat(struct subject *subject)
{
    uint64_t entries = subject->workload->entries, i;
    struct tn_bench_watch started;
    tarn_snapshot *snapshot = NULL;
    int result = tarn_snapshot_take(&snapshot, subject->store);

    for (i = 0; i < entries && result == TARN_OK; i += 100)
        result = entry_put(subject, i, i + 1);
    tn_bench_watch_start(&started);
    if (result == TARN_OK)
        result = tarn_snapshot_restore(snapshot);
    lap_note(subject, SNAPSHOT_RESTORE, &started, 1);
    tarn_snapshot_release(snapshot);
    if (result == TARN_OK)
        result = work_off(subject->store);
    return result < 0 ? result : table_check(subject, subject->table);
}

/* Grows in the repeat that is not counted only. */
static int bytes_write(void *context, const void *bytes, size_t count)
{
    struct subject *subject = context;

    if (count > subject->bytes_room - subject->bytes_count) {
        size_t room = 2 * subject->bytes_room + count;
        uint8_t *grown = realloc(subject->bytes, room);

        if (grown == NULL)
            return -1;
        subject->bytes = grown;
        subject->bytes_room = room;
    }
    memcpy(subject->bytes + subject->bytes_count, bytes, count);
    subject->bytes_count += count;
    return 0;
}

static int bytes_read(void *context, void *to, size_t room, size_t *count)
{
    struct subject *subject = context;

    *count = tn_min(room, subject->bytes_count - subject->bytes_read);
    memcpy(to, subject->bytes + subject->bytes_read, *count);
    subject->bytes_read += *count;
    return 0;
}

static int export_repeat(struct subject *subject)
{
    struct tn_bench_watch started;
    tarn_snapshot *snapshot = NULL;
    int result = tarn_snapshot_take(&snapshot, subject->store);

    if (result < 0)
        return result;
    subject->bytes_count = 0;
    tn_bench_watch_start(&started);
    result = tarn_snapshot_export_with(snapshot, bytes_write, subject);
    lap_note(subject, SNAPSHOT_EXPORT, &started, 1);
    tarn_snapshot_release(snapshot);
    return result;
}

static int import_repeat(struct subject *subject)
{
    struct tn_bench_watch started;
    tarn_table *table = NULL;
    int result;

    subject->bytes_read = 0;
    tn_bench_watch_start(&started);
    result = tarn_import_with(subject->other, bytes_read, subject);
    lap_note(subject, SNAPSHOT_IMPORT, &started, 1);
    if (result == TARN_OK)
        result = tarn_table_open(&table, subject->other, TABLE, NULL);
    if (result < 0)
        return result;
    result = table_check(subject, table);
    tarn_table_drop(table);
    tarn_table_close(table);
    return result < 0 ? result : work_off(subject->other);
}

/* ---- rows ------------------------------------------------------------------------------------ */

static bool wanted(const struct tn_bench_run *run, enum snapshot_op op)
{
    return tn_bench_wanted(run, tn_bench_snapshot_ops[op]);
}

bool tn_bench_snapshots_wanted(const struct tn_bench_run *run)
{
    int op;

    for (op = 0; run->request->shape.key_bytes == KEY_BYTES && op < OP_COUNT; op++)
        if (wanted(run, (enum snapshot_op)op))
            return true;
    return false;
}

static int subject_repeat(struct tn_bench_run *run, struct subject *subject)
{
    int result = TARN_OK;

    if (wanted(run, SNAPSHOT_TAKE))
        result = take_repeat(subject);
    if (result == TARN_OK && wanted(run, SNAPSHOT_RESTORE))
        result = restore_repeat(subject);
    if (result == TARN_OK && (wanted(run, SNAPSHOT_EXPORT) || wanted(run, SNAPSHOT_IMPORT)))
        result = export_repeat(subject);
    if (result == TARN_OK && wanted(run, SNAPSHOT_IMPORT))
        result = import_repeat(subject);
    return result;
}

/* Taking in nanoseconds, all else in microseconds. */
static bool row_write(struct tn_bench_run *run, const struct measured *measured,
                      enum snapshot_op op)
{
    const struct tn_bench_sample *sample = &measured->samples[op];
    uint64_t operations = op == SNAPSHOT_TAKE ? TAKE_COUNT : 1;
    double unit_ns = op == SNAPSHOT_TAKE ? 1 : 1000;
    struct tn_bench_row row = {
        .op = tn_bench_snapshot_ops[op],
        .store = measured->store->name,
        .notes = measured->store->notes,
        .unit = op == SNAPSHOT_TAKE ? "ns" : "us",
        .repeats = sample->count,
        .operations = operations,
        .allocations = -1,
    };

    row.median = tn_bench_sample_median(sample) / unit_ns;
    row.min = tn_bench_sample_min(sample) / unit_ns;
    row.max = tn_bench_sample_max(sample) / unit_ns;
    row.page_faults =
        (double)measured->totals[op].page_faults / (double)(sample->count * operations);
    return tn_bench_row(run, &row);
}

static bool subject_fail(struct tn_bench_run *run, const struct subject *subject, int result)
{
    const char *text = tarn_error_text(subject->store), *other = tarn_error_text(subject->other);
    char line[600];

    snprintf(line, sizeof line, "tarn: snapshots: %s",
             result == TN_BENCH_WRONG ? "answered wrongly: the contents are not what was put"
             : *text != '\0'          ? text
             : *other != '\0'         ? other
                                      : tarn_result_text(result));
    run->request->warn(line);
    run->answer = TN_BENCH_FAILED;
    return false;
}

static bool subject_measure(struct tn_bench_run *run, struct subject *subject)
{
    int result = subject_fill(subject);
    size_t repeat;

    for (repeat = 0; repeat <= run->request->repeats && result == TARN_OK; repeat++) {
        if (repeat == 1) {
            memset(subject->measured->samples, 0, sizeof subject->measured->samples);
            memset(subject->measured->totals, 0, sizeof subject->measured->totals);
        }
        result = subject_repeat(run, subject);
        if (*run->request->stop != 0) {
            run->answer = TN_BENCH_STOPPED;
            return false;
        }
    }
    return result == TARN_OK || subject_fail(run, subject, result);
}

static bool kind_measure(struct tn_bench_run *run, struct measured *measured, int kind)
{
    struct subject *subject = calloc(1, sizeof *subject);
    bool done;

    if (subject == NULL) {
        run->request->warn("out of memory");
        run->answer = TN_BENCH_FAILED;
        return false;
    }
    subject->workload = &run->workload;
    subject->kind = kind;
    subject->measured = measured;
    done = subject_measure(run, subject);
    subject_free(subject);
    return done;
}

/* Whether there is memory; else that is said. */
static bool entries_fit(const struct tn_bench_run *run)
{
    uint64_t available = tn_bench_memory_available();
    uint64_t needed = run->workload.entries * NEEDED_BYTES_PER_ENTRY;
    char text[160];

    if (available == 0 || needed <= available - available / 5)
        return true;
    snprintf(text, sizeof text, "snapshots left out: %llu entries need about %llu MiB",
             (unsigned long long)run->workload.entries, (unsigned long long)(needed >> 20));
    run->request->warn(text);
    return false;
}

bool tn_bench_snapshots(struct tn_bench_run *run)
{
    static const char *const names[KINDS] = {
        [TARN_ORDERED] = "tarn", [TARN_UNORDERED] = "tarn_unordered"
    };
    struct measured measured[KINDS] = { { 0 } };
    size_t i, count = 0, kind;
    int op;

    if (!entries_fit(run))
        return true;
    for (i = 0; i < run->slot_count; i++)
        for (kind = 0; kind < KINDS && count < KINDS; kind++) {
            if (strcmp(run->slots[i].store->name, names[kind]) != 0)
                continue;
            measured[count].store = run->slots[i].store;
            if (!kind_measure(run, &measured[count++], (int)kind))
                return false;
        }
    for (op = 0; op < OP_COUNT; op++)
        for (i = 0; i < count && wanted(run, (enum snapshot_op)op); i++)
            if (!row_write(run, &measured[i], (enum snapshot_op)op))
                return false;
    return true;
}
