/*
 * store_bench.c - `tarn bench store`: which operations, in which order, over which stores
 *
 *     for each size
 *         open all stores
 *         fill in random order    memory, put_new_random, scans
 *         open them anew
 *         fill in key order       memory, put_new_sequential, reads, scans, writes, deletes
 *         check every byte of every value
 *         snapshots, of tarn alone: snapshot_bench.c
 *
 * An operation is repeated, and within each repeat the stores take turns, so that whatever else the
 * machine does hits all of them. Where all stores at once would not fit in memory, each goes
 * through the whole alone, in the same order of keys.
 *
 * Rules
 *   S1  What is timed was done before by the same store on the same memory: a fill follows a fill
 *       and a clear, a pass of reads follows a short one that is not timed.
 *   S2  A repeat has at least OPERATIONS_MIN operations, so that the clock does not matter; loads
 *       and deletes of less than 200 entries have fewer.
 *   S3  A fill that has taken FILL_NS_MAX in three repeats is not repeated further; the row says how
 *       often it was. All else always gets its repeats.
 */
#include "snapshot_bench.h"

#include <limits.h>
#include <malloc.h>
#include <stdlib.h>

#define OPERATIONS_MIN 200000u
#define OPERATIONS_MAX 1000000u
#define SCANNED_ENTRIES 500000u /* by one repeat of a scan */
#define SCANS_MAX 50000u
#define ROUNDS_MAX 1000u /* of loads and deletes within a repeat */
#define FILL_REPEATS_MIN 3u
#define FILL_NS_MAX UINT64_C(15000000000)
#define ENTRY_BYTES (TN_BENCH_KEY_BYTES + TN_BENCH_VALUE_BYTES)
#define STORE_BYTES_PER_ENTRY 220u /* a guess that is high for all of them */
#define OWN_BYTES_PER_ENTRY 32u

enum op_kind { OP_GET, OP_GET_MANY, OP_CONTAINS, OP_MODIFY, OP_PUT, OP_SCAN, OP_FULL_SCAN };

struct op {
    const char *name;
    enum op_kind kind;
    enum tn_bench_order order;
    size_t length; /* of a scan */
};

static const struct op ops_shuffled[] = {
    { "scan_1000_shuffled", OP_SCAN, TN_BENCH_STARTS, 1000 },
    { "scan_10_shuffled", OP_SCAN, TN_BENCH_STARTS, 10 },
    { "full_scan_shuffled", OP_FULL_SCAN, TN_BENCH_STARTS, 1 },
};

static const struct op ops_in_order[] = {
    { "get_random", OP_GET, TN_BENCH_RANDOM, 0 },
    { "get_sequential", OP_GET, TN_BENCH_SEQUENTIAL, 0 },
    { "get_zipf", OP_GET, TN_BENCH_ZIPF, 0 },
    { "get_many_32", OP_GET_MANY, TN_BENCH_RANDOM, 0 },
    { "contains_hit", OP_CONTAINS, TN_BENCH_RANDOM, 0 },
    { "contains_miss", OP_CONTAINS, TN_BENCH_MISSING, 0 },
    { "scan_1000", OP_SCAN, TN_BENCH_STARTS, 1000 },
    { "scan_10", OP_SCAN, TN_BENCH_STARTS, 10 },
    { "full_scan", OP_FULL_SCAN, TN_BENCH_STARTS, 1 },
    { "modify", OP_MODIFY, TN_BENCH_RANDOM, 0 },
    { "put_overwrite", OP_PUT, TN_BENCH_RANDOM, 0 },
};

/* Those that are not a row above. */
static const char *const ops_other[] = {
    "memory_shuffled", "put_new_random", "memory", "put_new_sequential", "delete", "reinsert",
};

static bool op_wanted(const struct tn_bench_run *run, const char *name)
{
    return tn_bench_name_in(run->request->only, name);
}

static tn_bench_pass_fn *op_pass(const struct tn_bench_store *store, enum op_kind kind)
{
    switch (kind) {
    case OP_GET:
        return store->get;
    case OP_GET_MANY:
        return store->get_many;
    case OP_CONTAINS:
        return store->contains;
    case OP_MODIFY:
        return store->modify;
    case OP_PUT:
        return store->put;
    case OP_SCAN:
        return store->scan;
    case OP_FULL_SCAN:
        return store->full_scan;
    }
    tn_unreachable();
}

static size_t operation_count(uint64_t entries)
{
    uint64_t rounds = (OPERATIONS_MIN + entries - 1) / entries; /* S2 */

    return tn_min((size_t)(rounds * entries), OPERATIONS_MAX);
}

static size_t op_count(const struct op *op, uint64_t entries)
{
    if (op->kind == OP_SCAN)
        return SCANNED_ENTRIES / op->length;
    if (op->kind == OP_FULL_SCAN)
        return tn_max(1, tn_min(SCANNED_ENTRIES / (size_t)entries, SCANS_MAX));
    return operation_count(entries);
}

static uint64_t op_expected(const struct op *op, const struct tn_bench_workload *workload,
                            size_t length)
{
    switch (op->kind) {
    case OP_GET:
    case OP_GET_MANY:
        return tn_bench_workload_sum_gets(workload);
    case OP_CONTAINS:
        return op->order == TN_BENCH_MISSING ? 0 : workload->key_count;
    case OP_SCAN:
        return tn_bench_workload_sum_scans(workload, length);
    case OP_FULL_SCAN:
        return workload->key_count * tn_bench_workload_sum_all(workload);
    case OP_MODIFY:
    case OP_PUT:
        return 0;
    }
    tn_unreachable();
}

/* ---- meters and rows ------------------------------------------------------------------------- */

static void meters_reset(struct tn_bench_run *run)
{
    size_t i;

    for (i = 0; i < run->slot_count; i++) {
        run->slots[i].meter = (struct tn_bench_meter){ .operations = 0 };
        run->slots[i].meter_again = (struct tn_bench_meter){ .operations = 0 };
    }
}

/* A repeat is over: a result is ns by operation and by `parts` (entries of a scan, ns of a us). */
static void meter_lap(struct tn_bench_meter *meter, uint64_t operations, double parts)
{
    tn_bench_sample_add(&meter->sample, (double)meter->lap.ns / (double)operations / parts);
    meter->operations = operations;
    meter->total.ns += meter->lap.ns;
    meter->total.page_faults += meter->lap.page_faults;
    meter->lap = (struct tn_bench_watch){ .ns = 0 };
}

static bool meter_row(struct tn_bench_run *run, const struct tn_bench_slot *slot,
                      const struct tn_bench_meter *meter, const char *op, const char *unit)
{
    double operations = (double)meter->operations * (double)meter->sample.count;
    struct tn_bench_row row = { .op = op,
                                .store = slot->store->name,
                                .notes = slot->store->notes,
                                .unit = unit,
                                .repeats = meter->sample.count,
                                .operations = meter->operations,
                                .allocations = -1 };

    if (meter->sample.count == 0)
        return true; /* this store has no such operation */
    row.median = tn_bench_sample_median(&meter->sample);
    row.min = tn_bench_sample_min(&meter->sample);
    row.max = tn_bench_sample_max(&meter->sample);
    row.page_faults = (double)meter->total.page_faults / operations;
    if (slot->store->allocations != NULL)
        row.allocations = (double)meter->allocations / operations;
    return tn_bench_row(run, &row);
}

static bool meter_rows(struct tn_bench_run *run, const char *op, const char *unit)
{
    size_t i;

    for (i = 0; i < run->slot_count; i++)
        if (!meter_row(run, &run->slots[i], &run->slots[i].meter, op, unit))
            return false;
    return true;
}

/* ---- reads and writes in place --------------------------------------------------------------- */

/* S1: a fifth of the pass, by the same way to the same entries, changing nothing. */
static bool slot_warm(struct tn_bench_run *run, struct tn_bench_slot *slot, const struct op *op,
                      const struct tn_bench_pass *pass)
{
    bool changes = op->kind == OP_MODIFY || op->kind == OP_PUT;
    struct tn_bench_pass warm = *pass;
    struct tn_bench_workload part = run->workload;
    uint64_t expected;

    warm.count = tn_max(1, pass->count / 5);
    part.key_count = warm.count;
    if (changes)
        return tn_bench_pass_run(run, slot, "warm-up", slot->store->get, warm, false,
                                 tn_bench_workload_sum_gets(&part), NULL);
    expected = op_expected(op, &part, warm.length);
    return tn_bench_pass_run(run, slot, op->name, op_pass(slot->store, op->kind), warm, false,
                             expected, NULL);
}

static bool op_repeat(struct tn_bench_run *run, const struct op *op, size_t length, unsigned shift)
{
    struct tn_bench_pass pass = tn_bench_workload_pass(&run->workload);
    uint64_t expected = op_expected(op, &run->workload, length);
    bool write = op->kind == OP_MODIFY || op->kind == OP_PUT;
    double parts = 1;
    size_t i;

    pass.length = length;
    pass.shift = shift;
    if (op->kind == OP_FULL_SCAN)
        parts = (double)run->workload.entries; /* ns an entry */
    else if (op->length == 1000)
        parts = 1000; /* us */
    for (i = 0; i < run->slot_count; i++) {
        struct tn_bench_slot *slot = &run->slots[i];
        tn_bench_pass_fn *pass_fn = op_pass(slot->store, op->kind);

        if (pass_fn == NULL)
            continue;
        if (!slot_warm(run, slot, op, &pass) ||
            !tn_bench_pass_run(run, slot, op->name, pass_fn, pass, write, expected, &slot->meter))
            return false;
        meter_lap(&slot->meter, pass.count, parts);
    }
    if (op->kind == OP_MODIFY)
        tn_bench_workload_did_modify(&run->workload);
    if (op->kind == OP_PUT)
        tn_bench_workload_did_put(&run->workload, shift);
    return true;
}

static bool op_measure(struct tn_bench_run *run, const struct op *op)
{
    uint64_t entries = run->workload.entries;
    size_t length = tn_min(op->length, (size_t)entries), repeat;

    if (!op_wanted(run, op->name))
        return true;
    meters_reset(run);
    for (repeat = 0; repeat < run->request->repeats; repeat++) {
        tn_bench_workload_order(&run->workload, op->order, op_count(op, entries), length);
        if (!op_repeat(run, op, length, (unsigned)repeat + 1))
            return false;
    }
    return meter_rows(run, op->name, op->length == 1000 ? "us" : "ns");
}

/* ---- fills ----------------------------------------------------------------------------------- */

static bool stores_fill(struct tn_bench_run *run, bool shuffled)
{
    struct tn_bench_pass pass;
    size_t i;

    tn_bench_workload_all(&run->workload, 1, shuffled);
    pass = tn_bench_workload_pass(&run->workload);
    for (i = 0; i < run->slot_count; i++)
        if (!tn_bench_pass_run(run, &run->slots[i], "fill", run->slots[i].store->put, pass, true, 0,
                               NULL))
            return false;
    return true;
}

static bool fill_repeat(struct tn_bench_run *run, struct tn_bench_slot *slot, const char *op)
{
    struct tn_bench_pass pass = tn_bench_workload_pass(&run->workload);
    size_t entries = (size_t)run->workload.entries, left = pass.count;

    for (pass.count = entries; left > 0; left -= entries) {
        if (!tn_bench_clear(run, slot, op) ||
            !tn_bench_pass_run(run, slot, op, slot->store->put, pass, true, 0, &slot->meter))
            return false;
        pass.keys += entries;
    }
    meter_lap(&slot->meter, run->workload.key_count, 1);
    return true;
}

/* The stores are full, and are so again afterwards, with the same. */
static bool fill_measure(struct tn_bench_run *run, const char *op, bool shuffled)
{
    uint64_t entries = run->workload.entries;
    size_t rounds = operation_count(entries) / (size_t)entries, repeat, i;

    if (!op_wanted(run, op))
        return true;
    rounds = tn_min(tn_max(1, rounds), ROUNDS_MAX);
    meters_reset(run);
    for (repeat = 0; repeat < run->request->repeats; repeat++) {
        tn_bench_workload_all(&run->workload, rounds, shuffled);
        for (i = 0; i < run->slot_count; i++) {
            struct tn_bench_slot *slot = &run->slots[i];

            if (repeat >= FILL_REPEATS_MIN && slot->meter.total.ns > FILL_NS_MAX) /* S3 */
                continue;
            if (!fill_repeat(run, slot, op))
                return false;
        }
    }
    return meter_rows(run, op, "ns");
}

/* After the first fill of a store just opened: nothing is kept from before. */
static bool memory_measure(struct tn_bench_run *run, const char *op)
{
    size_t i;

    if (!op_wanted(run, op))
        return true;
    for (i = 0; i < run->slot_count; i++) {
        struct tn_bench_slot *slot = &run->slots[i];
        double entries = (double)run->workload.entries;
        double bytes = (double)slot->store->memory_bytes(slot->handle) / entries;
        struct tn_bench_row row = { .op = op,
                                    .store = slot->store->name,
                                    .notes = slot->store->notes,
                                    .unit = "B/entry",
                                    .repeats = 1,
                                    .operations = 1,
                                    .allocations = -1 };

        row.median = row.min = row.max = bytes - (double)ENTRY_BYTES;
        if (!tn_bench_row(run, &row))
            return false;
    }
    return true;
}

/* ---- deletes and re-insertions --------------------------------------------------------------- */

/* `again` has the keys of each round of keys[] in another order. */
static bool churn_slot(struct tn_bench_run *run, struct tn_bench_slot *slot, const uint64_t *again,
                       size_t round_count, unsigned shift)
{
    struct tn_bench_pass pass = tn_bench_workload_pass(&run->workload), back = pass;
    size_t at;

    back.shift = shift;
    back.count = pass.count = round_count;
    for (at = 0; at < run->workload.key_count; at += round_count) {
        pass.keys = run->workload.keys + at;
        back.keys = again + at;
        if (!tn_bench_pass_run(run, slot, "delete", slot->store->remove, pass, true, 0,
                               &slot->meter) ||
            !tn_bench_pass_run(run, slot, "reinsert", slot->store->put, back, true, 0,
                               &slot->meter_again))
            return false;
    }
    meter_lap(&slot->meter, run->workload.key_count, 1);
    meter_lap(&slot->meter_again, run->workload.key_count, 1);
    return true;
}

static bool churn_repeat(struct tn_bench_run *run, uint64_t *again, size_t rounds,
                         size_t round_count, unsigned shift)
{
    struct tn_bench_workload *workload = &run->workload;
    size_t i;

    tn_bench_workload_rounds(workload, rounds, round_count);
    memcpy(again, workload->keys, rounds * round_count * sizeof *again);
    for (i = 0; i < rounds; i++)
        tn_bench_workload_shuffle(workload, again + i * round_count, round_count);
    for (i = 0; i < run->slot_count; i++)
        if (!churn_slot(run, &run->slots[i], again, round_count, shift))
            return false;
    tn_bench_workload_did_put(workload, shift);
    return true;
}

/* A random half of the entries (a million at most) is deleted and put again, in another order. */
static bool churn_measure(struct tn_bench_run *run)
{
    size_t entries = (size_t)run->workload.entries, repeat, i;
    size_t round_count = tn_min(tn_max(1, entries / 2), OPERATIONS_MAX);
    size_t rounds = tn_min(tn_max(1, OPERATIONS_MIN / round_count), ROUNDS_MAX);
    uint64_t *again;
    bool done = true;

    if (!op_wanted(run, "delete") && !op_wanted(run, "reinsert"))
        return true;
    again = malloc(rounds * round_count * sizeof *again);
    if (again == NULL) {
        run->request->warn("out of memory");
        run->answer = TN_BENCH_FAILED;
        return false;
    }
    meters_reset(run);
    for (repeat = 0; done && repeat < run->request->repeats; repeat++)
        done = churn_repeat(run, again, rounds, round_count, (unsigned)repeat + 100);
    free(again);
    if (done && op_wanted(run, "delete"))
        done = meter_rows(run, "delete", "ns");
    for (i = 0; done && op_wanted(run, "reinsert") && i < run->slot_count; i++)
        done = meter_row(run, &run->slots[i], &run->slots[i].meter_again, "reinsert", "ns");
    return done;
}

/* ---- one size -------------------------------------------------------------------------------- */

static void stores_close(struct tn_bench_run *run)
{
    size_t i;

    for (i = 0; i < run->slot_count; i++) {
        if (run->slots[i].handle != NULL)
            run->slots[i].store->close(run->slots[i].handle);
        run->slots[i].handle = NULL;
    }
}

/* A store that cannot be opened is left out, and that is said; with none left it is a failure. */
static bool stores_open(struct tn_bench_run *run)
{
    char reason[512], text[600];
    size_t i, kept = 0;

    for (i = 0; i < run->slot_count; i++) {
        struct tn_bench_slot slot = run->slots[i];

        slot.handle = slot.store->open(run->workload.entries, reason, sizeof reason);
        if (slot.handle != NULL) {
            run->slots[kept++] = slot;
            continue;
        }
        snprintf(text, sizeof text, "%s: left out: %s", slot.store->name, reason);
        run->request->warn(text);
    }
    run->slot_count = kept;
    if (kept == 0)
        run->answer = TN_BENCH_FAILED;
    return kept > 0;
}

static bool stores_check(struct tn_bench_run *run)
{
    struct tn_bench_pass pass;
    size_t i;

    tn_bench_workload_all(&run->workload, 1, false);
    pass = tn_bench_workload_pass(&run->workload);
    for (i = 0; i < run->slot_count; i++)
        if (!tn_bench_pass_run(run, &run->slots[i], "check of all values",
                               run->slots[i].store->check, pass, false, 0, NULL))
            return false;
    return true;
}

static bool part_shuffled(struct tn_bench_run *run)
{
    size_t i;

    if (!stores_open(run) || !stores_fill(run, true) || !memory_measure(run, "memory_shuffled") ||
        !fill_measure(run, "put_new_random", true))
        return false;
    for (i = 0; i < TN_ARRAY_COUNT(ops_shuffled); i++)
        if (!op_measure(run, &ops_shuffled[i]))
            return false;
    return stores_check(run);
}

static bool part_in_order(struct tn_bench_run *run)
{
    size_t i;

    if (!stores_open(run) || !stores_fill(run, false) || !memory_measure(run, "memory") ||
        !fill_measure(run, "put_new_sequential", false))
        return false;
    for (i = 0; i < TN_ARRAY_COUNT(ops_in_order); i++)
        if (!op_measure(run, &ops_in_order[i]))
            return false;
    if (!churn_measure(run) || !stores_check(run))
        return false;
    return !run->request->latency || tn_bench_latency(run);
}

/* --only may make the first part unnecessary; the second checks every byte in any case. */
static bool part_shuffled_wanted(const struct tn_bench_run *run)
{
    size_t i;

    for (i = 0; i < TN_ARRAY_COUNT(ops_shuffled); i++)
        if (op_wanted(run, ops_shuffled[i].name))
            return true;
    return op_wanted(run, "memory_shuffled") || op_wanted(run, "put_new_random");
}

/* The stores of `run`, all of them in turn. */
static bool stores_measure(struct tn_bench_run *run)
{
    bool done = true;

    tn_bench_workload_reset(&run->workload);
    if (part_shuffled_wanted(run))
        done = part_shuffled(run);
    stores_close(run);
    if (!done)
        return false;
    tn_bench_workload_reset(&run->workload);
    done = part_in_order(run);
    stores_close(run);
    return done && (!tn_bench_snapshots_wanted(run) || tn_bench_snapshots(run));
}

static bool stores_measure_alone(struct tn_bench_run *run)
{
    struct tn_bench_slot slots[TN_BENCH_STORES_MAX];
    size_t count = run->slot_count, measured = 0, i;

    memcpy(slots, run->slots, sizeof slots);
    for (i = 0; i < count; i++) {
        run->slots[0] = slots[i];
        run->slot_count = 1;
        if (!stores_measure(run) && run->slot_count != 0)
            return false;
        measured += run->slot_count; /* 0: it could not be opened */
    }
    return measured > 0;
}

static void slots_choose(struct tn_bench_run *run)
{
    const struct tn_bench_store *const *stores;
    size_t count, i;

    stores = tn_bench_stores(&count);
    run->slot_count = 0;
    for (i = 0; i < count && i < TN_BENCH_STORES_MAX; i++)
        if (tn_bench_name_in(run->request->stores, stores[i]->name))
            run->slots[run->slot_count++] = (struct tn_bench_slot){ .store = stores[i] };
}

/* False: not even one store at a time would fit. */
static bool size_fits(struct tn_bench_run *run, uint64_t entries, bool *in_turn)
{
    uint64_t available = tn_bench_memory_available(), own = entries * OWN_BYTES_PER_ENTRY;
    uint64_t one = entries * STORE_BYTES_PER_ENTRY;
    char text[160];

    *in_turn = true;
    if (available == 0)
        return true; /* not known: try */
    available -= available / 5;
    *in_turn = own + one * run->slot_count <= available;
    if (own + one <= available)
        return true;
    snprintf(text, sizeof text, "%llu entries need about %llu MiB, and %llu are free",
             (unsigned long long)entries, (unsigned long long)((own + one) >> 20),
             (unsigned long long)(available >> 20));
    run->request->warn(text);
    run->answer = TN_BENCH_FAILED;
    return false;
}

static bool size_run(struct tn_bench_run *run, uint64_t entries, int processor)
{
    size_t longest = tn_max(operation_count(entries), SCANS_MAX);
    char about[160];
    double load = 0;
    bool done;

    slots_choose(run);
    if (!size_fits(run, entries, &run->report->in_turn))
        return false;
    if (!tn_bench_workload_init(&run->workload, entries, longest)) {
        run->request->warn("out of memory");
        run->answer = TN_BENCH_FAILED;
        return false;
    }
    if (getloadavg(&load, 1) != 1)
        load = 0;
    snprintf(about, sizeof about, "%zu repeats, stores %s, processor %d, load %.2f",
             run->request->repeats, run->report->in_turn ? "in turn" : "one after the other",
             processor, load);
    done = tn_bench_report_begin(run->report, entries, about);
    if (!done)
        run->answer = TN_BENCH_UNWRITTEN;
    else
        done = run->report->in_turn ? stores_measure(run) : stores_measure_alone(run);
    tn_bench_workload_release(&run->workload);
    return done;
}

/* ---- the suite ------------------------------------------------------------------------------- */

static bool op_known(const char *name, size_t bytes)
{
    size_t i;

    for (i = 0; i < TN_ARRAY_COUNT(ops_shuffled); i++)
        if (strlen(ops_shuffled[i].name) == bytes && memcmp(ops_shuffled[i].name, name, bytes) == 0)
            return true;
    for (i = 0; i < TN_ARRAY_COUNT(ops_in_order); i++)
        if (strlen(ops_in_order[i].name) == bytes && memcmp(ops_in_order[i].name, name, bytes) == 0)
            return true;
    for (i = 0; i < TN_ARRAY_COUNT(ops_other); i++)
        if (strlen(ops_other[i]) == bytes && memcmp(ops_other[i], name, bytes) == 0)
            return true;
    for (i = 0; tn_bench_snapshot_ops[i] != NULL; i++)
        if (strlen(tn_bench_snapshot_ops[i]) == bytes &&
            memcmp(tn_bench_snapshot_ops[i], name, bytes) == 0)
            return true;
    return false;
}

static bool store_known(const char *name, size_t bytes)
{
    const struct tn_bench_store *const *stores;
    size_t count, i;

    stores = tn_bench_stores(&count);
    for (i = 0; i < count; i++)
        if (strlen(stores[i]->name) == bytes && memcmp(stores[i]->name, name, bytes) == 0)
            return true;
    return false;
}

/* Are all of the comma-separated names known? A warning names the first that is not. */
static bool names_known(const struct tn_bench_request *request, const char *names, const char *what,
                        bool (*known)(const char *name, size_t bytes))
{
    char text[160];
    size_t bytes;

    if (names == NULL)
        return true;
    for (;;) {
        bytes = strcspn(names, ",");
        if (!known(names, bytes)) {
            snprintf(text, sizeof text, "no %s '%.*s'; tarn bench store --list names them all",
                     what, (int)tn_min(bytes, 64), names);
            request->warn(text);
            return false;
        }
        if (names[bytes] == '\0')
            return true;
        names += bytes + 1;
    }
}

void tn_bench_store_list(FILE *out)
{
    const struct tn_bench_store *const *stores;
    const char *const *missing;
    size_t count, i;

    fputs("Operations:", out);
    for (i = 0; i < TN_ARRAY_COUNT(ops_in_order); i++)
        fprintf(out, " %s", ops_in_order[i].name);
    for (i = 0; i < TN_ARRAY_COUNT(ops_other); i++)
        fprintf(out, " %s", ops_other[i]);
    for (i = 0; i < TN_ARRAY_COUNT(ops_shuffled); i++)
        fprintf(out, " %s", ops_shuffled[i].name);
    for (i = 0; tn_bench_snapshot_ops[i] != NULL; i++)
        fprintf(out, " %s", tn_bench_snapshot_ops[i]);
    fputs("\n\nStores:\n", out);
    stores = tn_bench_stores(&count);
    for (i = 0; i < count; i++)
        fprintf(out, "  %-15s %s\n", stores[i]->name, stores[i]->notes);
    for (missing = tn_bench_stores_missing(); *missing != NULL; missing++)
        fprintf(out, "  %s\n", *missing);
}

/* S1: memory that malloc was given back stays with the process, whoever gave it back. */
static void malloc_keep(void)
{
#if defined(__GLIBC__)
    mallopt(M_MMAP_MAX, 0);
    mallopt(M_TRIM_THRESHOLD, INT_MAX);
#endif
}

enum tn_bench_answer tn_bench_store_run(const struct tn_bench_request *request)
{
    struct tn_bench_report report = { .out = request->out,
                                      .suite = "store",
                                      .json = request->json,
                                      .key_bytes = TN_BENCH_KEY_BYTES,
                                      .value_bytes = TN_BENCH_VALUE_BYTES };
    struct tn_bench_run *run;
    enum tn_bench_answer answer = TN_BENCH_DONE;
    const char *const *missing;
    int processor;
    size_t i;

    if (!names_known(request, request->only, "operation", op_known) ||
        !names_known(request, request->stores, "store", store_known))
        return TN_BENCH_UNKNOWN;
    run = calloc(1, sizeof *run);
    if (run == NULL) {
        request->warn("out of memory");
        return TN_BENCH_FAILED;
    }
    run->request = request;
    run->report = &report;
    for (missing = tn_bench_stores_missing(); *missing != NULL; missing++)
        request->warn(*missing);
    malloc_keep();
    processor = tn_bench_pin();
    for (i = 0; i < request->size_count && answer == TN_BENCH_DONE; i++)
        if (!size_run(run, request->sizes[i], processor))
            answer = run->answer;
    free(run);
    return answer;
}
