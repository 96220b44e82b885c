/*
 * store_latency.c - the time of every single operation, for percentiles
 *
 * The same loops with passes of one operation, between two readings of the processor's clock; what
 * two readings take with nothing between them is subtracted. One transaction goes around all of
 * them, where a store has such. The stores go one after the other, and each has done the same work
 * before.
 *
 *     ..._latency     the operations of all repeats together: percentiles
 *     ..._longest     of each load the longest put: median, min and max over the repeats, so that one
 *                     interruption of the machine's does not stand for the store
 *
 * Rules
 *   L1  Every BUSY_NS the loop sleeps, between two operations, and longer before it begins when it
 *       was busy before: a process that never does is stopped for a while, by Linux for 50 ms in
 *       each second when it has real-time priority. 40 of 48 ms, after a rest of 100 ms, stay below
 *       the limit of 950 ms a second whatever was before.
 */
#define _GNU_SOURCE /* nanosleep */

#include "store_run.h"

#include <stdlib.h>
#include <time.h>

#define BUSY_NS 40000000.0
#define PAUSE_NS 8000000
#define REST_NS 100000000
#define SAMPLES_MAX ((size_t)1000000)

struct latency {
    struct tn_bench_run *run;
    struct tn_bench_slot *slot;
    struct tn_bench_histogram histogram;
    struct tn_bench_histogram histogram_again; /* of the second, where two take turns */
    struct tn_bench_sample longest;            /* us */
    double ticks_per_ns;
    uint64_t overhead;   /* ticks */
    uint64_t busy_since; /* ticks */
};

static void latency_calibrate(struct latency *latency)
{
    uint64_t start, taken;
    int i;

    latency->ticks_per_ns = tn_bench_ticks_per_ns();
    latency->overhead = UINT64_MAX;
    for (i = 0; i < 10000; i++) {
        start = tn_bench_ticks();
        taken = tn_bench_ticks() - start;
        latency->overhead = taken < latency->overhead ? taken : latency->overhead;
    }
}

static double latency_ns(const struct latency *latency, uint64_t ticks)
{
    return (double)ticks / latency->ticks_per_ns;
}

static bool latency_row(struct latency *latency, const struct tn_bench_histogram *histogram,
                        const char *op, size_t repeats)
{
    struct tn_bench_row row = tn_bench_slot_row(latency->slot, op, "ns");

    row.median = latency_ns(latency, tn_bench_histogram_quantile(histogram, 0.5));
    row.min = latency_ns(latency, histogram->min);
    row.max = latency_ns(latency, histogram->max);
    row.p99 = latency_ns(latency, tn_bench_histogram_quantile(histogram, 0.99));
    row.p99_9 = latency_ns(latency, tn_bench_histogram_quantile(histogram, 0.999));
    row.p99_99 = latency_ns(latency, tn_bench_histogram_quantile(histogram, 0.9999));
    row.repeats = repeats;
    row.operations = histogram->count / repeats;
    row.page_faults = -1;
    return tn_bench_row(latency->run, &row);
}

/* L1 */
static void latency_breathe(struct latency *latency, uint64_t now, long pause_ns)
{
    const struct timespec pause = { .tv_nsec = pause_ns };

    if (latency_ns(latency, now - latency->busy_since) < BUSY_NS)
        return;
    (void)nanosleep(&pause, NULL);
    latency->busy_since = tn_bench_ticks();
}

/* The operations of `pass`, one by one, added to the histogram; *longest is raised, in ticks. */
static bool latency_pass(struct latency *latency, const char *what, enum tn_bench_pass_kind kind,
                         struct tn_bench_pass pass, struct tn_bench_histogram *histogram,
                         uint64_t *longest)
{
    struct tn_bench_slot *slot = latency->slot;
    const struct tn_bench_store *store = slot->store;
    tn_bench_pass_fn *pass_fn = tn_bench_pass_of(store, kind);
    uint64_t start, taken;
    size_t left = pass.count;
    int result = TN_BENCH_OK, end = TN_BENCH_OK;

    latency_breathe(latency, tn_bench_ticks(), REST_NS);
    pass.count = 1;
    if (store->begin != NULL)
        result = store->begin(slot->handle, tn_bench_pass_writes(kind));
    for (; left > 0 && result == TN_BENCH_OK && *latency->run->request->stop == 0; left--) {
        start = tn_bench_ticks();
        result = pass_fn(slot->handle, &pass);
        taken = tn_bench_ticks() - start;
        taken -= taken < latency->overhead ? taken : latency->overhead;
        tn_bench_histogram_add(histogram, taken);
        *longest = taken > *longest ? taken : *longest;
        pass.keys += pass.shape.key_bytes;
        pass.which++;
        latency_breathe(latency, start, PAUSE_NS);
    }
    if (store->end != NULL)
        end = store->end(slot->handle);
    if (result != TN_BENCH_OK || end != TN_BENCH_OK)
        return tn_bench_fail(latency->run, slot, what, result != TN_BENCH_OK ? result : end);
    if (left > 0)
        latency->run->answer = TN_BENCH_STOPPED;
    return left == 0;
}

/* ---- points ---------------------------------------------------------------------------------- */

static bool latency_point(struct latency *latency, const char *op, const char *row_op,
                          enum tn_bench_pass_kind kind)
{
    struct tn_bench_workload *workload = &latency->run->workload;
    uint64_t longest = 0;

    if (!tn_bench_wanted(latency->run, op))
        return true;
    tn_bench_histogram_init(&latency->histogram);
    tn_bench_workload_order(workload, TN_BENCH_RANDOM, tn_bench_operation_count(workload->entries),
                            0);
    return latency_pass(latency, op, kind, tn_bench_workload_pass(workload), &latency->histogram,
                        &longest) &&
           latency_row(latency, &latency->histogram, row_op, 1);
}

/* Different random keys are deleted and put again; round after round when there are few. */
static bool latency_deletes(struct latency *latency)
{
    struct tn_bench_workload *workload = &latency->run->workload;
    size_t count = tn_min((size_t)workload->entries, SAMPLES_MAX);
    size_t rounds = tn_min(tn_max(1, TN_BENCH_OPERATIONS_MIN / count), TN_BENCH_ROUNDS_MAX), round;
    uint64_t longest = 0;

    if (!tn_bench_wanted(latency->run, "delete") && !tn_bench_wanted(latency->run, "reinsert"))
        return true;
    tn_bench_histogram_init(&latency->histogram);
    tn_bench_histogram_init(&latency->histogram_again);
    for (round = 0; round < rounds; round++) {
        tn_bench_workload_rounds(workload, 1, count);
        if (!latency_pass(latency, "delete", TN_BENCH_REMOVE, tn_bench_workload_pass(workload),
                          &latency->histogram, &longest) ||
            !latency_pass(latency, "reinsert", TN_BENCH_PUT, tn_bench_workload_pass(workload),
                          &latency->histogram_again, &longest))
            return false;
    }
    return latency_row(latency, &latency->histogram, "delete_latency", 1) &&
           latency_row(latency, &latency->histogram_again, "reinsert_latency", 1);
}

/* ---- loads ----------------------------------------------------------------------------------- */

/* A whole load on memory touched before, several when entries are few: where growth shows. */
static bool latency_load(struct latency *latency, const char *op, bool shuffled)
{
    struct tn_bench_workload *workload = &latency->run->workload;
    size_t rounds = tn_bench_operation_count(workload->entries) / (size_t)workload->entries, round;
    uint64_t longest = 0, began = tn_bench_clock_ns();

    rounds = tn_min(tn_max(1, rounds), TN_BENCH_ROUNDS_MAX);
    for (round = 0; round < rounds; round++) {
        if (round > 0 && tn_bench_clock_ns() - began > TN_BENCH_ROUNDS_NS)
            break;
        if (!tn_bench_clear(latency->run, latency->slot, op))
            return false;
        tn_bench_workload_all(workload, 1, shuffled);
        if (!latency_pass(latency, op, TN_BENCH_PUT, tn_bench_workload_pass(workload),
                          &latency->histogram, &longest))
            return false;
    }
    tn_bench_sample_add(&latency->longest, latency_ns(latency, longest) / 1000);
    return true;
}

static bool latency_check(struct latency *latency)
{
    struct tn_bench_workload *workload = &latency->run->workload;

    tn_bench_workload_all(workload, 1, false);
    tn_bench_workload_did_put(workload, 0);
    return tn_bench_pass_run(latency->run, latency->slot, "check of all values", TN_BENCH_CHECK,
                             tn_bench_workload_pass(workload), 0, NULL);
}

static bool latency_loads(struct latency *latency, const char *op, const char *row_op,
                          const char *longest_op, bool shuffled)
{
    struct tn_bench_watch started, total = { .ns = 0 };
    struct tn_bench_row row;
    size_t repeat;

    if (!tn_bench_wanted(latency->run, op))
        return true;
    tn_bench_histogram_init(&latency->histogram);
    latency->longest.count = 0;
    for (repeat = 0; repeat < latency->run->request->repeats; repeat++) {
        if (tn_bench_slot_is_spent(latency->slot, total.ns)) /* S3 */
            break;
        tn_bench_watch_start(&started);
        if (!latency_load(latency, op, shuffled))
            return false;
        tn_bench_watch_stop(&started, &total);
    }
    if (repeat == 0)
        return true; /* none was asked for */
    row = tn_bench_slot_row(latency->slot, longest_op, "us");
    tn_bench_row_sample(&row, &latency->longest);
    row.operations = latency->histogram.count / repeat;
    row.page_faults = -1;
    return latency_row(latency, &latency->histogram, row_op, repeat) &&
           tn_bench_row(latency->run, &row) && latency_check(latency);
}

static bool latency_slot(struct latency *latency)
{
    return latency_point(latency, "get_random", "get_random_latency", TN_BENCH_GET) &&
           latency_point(latency, "modify", "modify_latency", TN_BENCH_MODIFY) &&
           latency_point(latency, "put_overwrite", "put_overwrite_latency", TN_BENCH_PUT) &&
           latency_deletes(latency) &&
           latency_loads(latency, "put_new_random", "put_new_random_latency",
                         "put_new_random_longest", true) &&
           latency_loads(latency, "put_new_sequential", "put_new_sequential_latency",
                         "put_new_sequential_longest", false);
}

bool tn_bench_latency(struct tn_bench_run *run)
{
    struct latency *latency = malloc(sizeof *latency);
    bool done = true;
    size_t i;

    if (latency == NULL)
        return tn_bench_out_of_memory(run);
    latency->run = run;
    latency_calibrate(latency);
    latency->busy_since = 0; /* long ago */
    for (i = 0; done && i < run->slot_count; i++) {
        latency->slot = &run->slots[i];
        done = latency_slot(latency);
    }
    free(latency);
    return done;
}
