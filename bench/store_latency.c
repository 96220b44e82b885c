/*
 * store_latency.c - the time of every single operation, for percentiles
 *
 * The same loops with passes of one operation, between two readings of the processor's clock; what
 * two readings take with nothing between them is subtracted. One transaction goes around all of
 * them, where a store has such. The stores go one after the other, and each has done the same work
 * before.
 */
#include "store_run.h"

#include <stdlib.h>

#define SAMPLES_MAX 1000000u

struct latency {
    struct tn_bench_run *run;
    struct tn_bench_slot *slot;
    struct tn_bench_histogram histogram;
    double ticks_per_ns;
    uint64_t overhead; /* ticks */
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

static bool latency_row(struct latency *latency, const char *op)
{
    const struct tn_bench_histogram *histogram = &latency->histogram;
    struct tn_bench_row row = {
        .op = op,
        .store = latency->slot->store->name,
        .notes = latency->slot->store->notes,
        .unit = "ns",
        .median = latency_ns(latency, tn_bench_histogram_quantile(histogram, 0.5)),
        .min = latency_ns(latency, histogram->min),
        .max = latency_ns(latency, histogram->max),
        .repeats = 1,
        .operations = histogram->count,
        .allocations = -1,
        .p99 = latency_ns(latency, tn_bench_histogram_quantile(histogram, 0.99)),
        .p99_9 = latency_ns(latency, tn_bench_histogram_quantile(histogram, 0.999)),
        .p99_99 = latency_ns(latency, tn_bench_histogram_quantile(histogram, 0.9999)),
    };

    return tn_bench_row(latency->run, &row);
}

/* The operations of `pass`, one by one; a row when `op` is not NULL. */
static bool latency_pass(struct latency *latency, const char *op, tn_bench_pass_fn *pass_fn,
                         struct tn_bench_pass pass, bool write)
{
    struct tn_bench_slot *slot = latency->slot;
    const struct tn_bench_store *store = slot->store;
    size_t left = pass.count;
    uint64_t start, taken;
    int result = TN_BENCH_OK, end = TN_BENCH_OK;

    tn_bench_histogram_init(&latency->histogram);
    pass.count = 1;
    if (store->begin != NULL)
        result = store->begin(slot->handle, write);
    for (; left > 0 && result == TN_BENCH_OK && *latency->run->request->stop == 0; left--) {
        start = tn_bench_ticks();
        result = pass_fn(slot->handle, &pass);
        taken = tn_bench_ticks() - start;
        taken -= taken < latency->overhead ? taken : latency->overhead;
        tn_bench_histogram_add(&latency->histogram, taken);
        pass.keys++;
    }
    if (store->end != NULL)
        end = store->end(slot->handle);
    if (result != TN_BENCH_OK || end != TN_BENCH_OK)
        return tn_bench_fail(latency->run, slot, op, result != TN_BENCH_OK ? result : end);
    if (left > 0) {
        latency->run->answer = TN_BENCH_STOPPED;
        return false;
    }
    return latency_row(latency, op);
}

static bool latency_wanted(const struct latency *latency, const char *op)
{
    return tn_bench_name_in(latency->run->request->only, op);
}

/* Reads, changes and deletes of different random keys; what was deleted is put again. */
static bool latency_points(struct latency *latency, size_t count)
{
    struct tn_bench_workload *workload = &latency->run->workload;
    const struct tn_bench_store *store = latency->slot->store;
    struct tn_bench_pass pass;

    tn_bench_workload_rounds(workload, 1, count);
    pass = tn_bench_workload_pass(workload);
    if (latency_wanted(latency, "get_random") &&
        !latency_pass(latency, "get_random_latency", store->get, pass, false))
        return false;
    if (latency_wanted(latency, "modify") &&
        !latency_pass(latency, "modify_latency", store->modify, pass, true))
        return false;
    if (latency_wanted(latency, "put_overwrite") &&
        !latency_pass(latency, "put_overwrite_latency", store->put, pass, true))
        return false;
    if (!latency_wanted(latency, "delete") && !latency_wanted(latency, "reinsert"))
        return true;
    return latency_pass(latency, "delete_latency", store->remove, pass, true) &&
           latency_pass(latency, "reinsert_latency", store->put, pass, true);
}

/* A whole load, in random order, on memory touched before: where a store's growth shows. */
static bool latency_load(struct latency *latency)
{
    struct tn_bench_workload *workload = &latency->run->workload;

    if (!latency_wanted(latency, "put_new_random"))
        return true;
    if (!tn_bench_clear(latency->run, latency->slot, "put_new_random_latency"))
        return false;
    tn_bench_workload_all(workload, 1, true);
    return latency_pass(latency, "put_new_random_latency", latency->slot->store->put,
                        tn_bench_workload_pass(workload), true);
}

bool tn_bench_latency(struct tn_bench_run *run)
{
    struct latency *latency = malloc(sizeof *latency);
    size_t count = tn_min((size_t)run->workload.entries, SAMPLES_MAX), i;
    bool done = true;

    if (latency == NULL) {
        run->request->warn("out of memory");
        run->answer = TN_BENCH_FAILED;
        return false;
    }
    latency->run = run;
    latency_calibrate(latency);
    for (i = 0; done && i < run->slot_count; i++) {
        latency->slot = &run->slots[i];
        done = latency_points(latency, count) && latency_load(latency);
    }
    free(latency);
    return done;
}
