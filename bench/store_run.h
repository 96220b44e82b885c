/*
 * store_run.h - the stores of one run, and how a pass over one of them is timed
 *
 * Shared by the two ways to measure: whole passes (store_bench.c) and single operations
 * (store_latency.c).
 */
#ifndef TN_BENCH_STORE_RUN_H
#define TN_BENCH_STORE_RUN_H

#include "bench.h"
#include "measure.h"
#include "report.h"
#include "workload.h"

#define TN_BENCH_STORES_MAX 16u

/* What one operation of one store took, lap by lap. */
struct tn_bench_meter {
    struct tn_bench_sample sample; /* one value per repeat */
    struct tn_bench_watch lap;     /* since the last sample */
    struct tn_bench_watch total;
    uint64_t operations; /* in one repeat */
    uint64_t allocations;
};

/* One store under measurement. */
struct tn_bench_slot {
    const struct tn_bench_store *store;
    void *handle;
    struct tn_bench_meter meter;
    struct tn_bench_meter meter_again; /* where two operations take turns: of the second */
};

struct tn_bench_run {
    const struct tn_bench_request *request;
    struct tn_bench_report *report;
    struct tn_bench_workload workload;
    struct tn_bench_slot slots[TN_BENCH_STORES_MAX];
    size_t slot_count;
    enum tn_bench_answer answer; /* why false was returned */
};

/* All below answer false when the run is over; run->answer then says why, and a warning is out. */

/*
 * One pass over one store, added to the lap of `meter` when that is not NULL. `what` is for
 * messages. The pass goes in slices so that a signal is heard.
 */
bool tn_bench_pass_run(struct tn_bench_run *run, struct tn_bench_slot *slot, const char *what,
                       tn_bench_pass_fn *pass_fn, struct tn_bench_pass pass, bool write,
                       uint64_t expected_sum, struct tn_bench_meter *meter);

bool tn_bench_clear(struct tn_bench_run *run, struct tn_bench_slot *slot, const char *what);

bool tn_bench_fail(struct tn_bench_run *run, const struct tn_bench_slot *slot, const char *what,
                   int result);

bool tn_bench_row(struct tn_bench_run *run, const struct tn_bench_row *row);

/* The second way to measure, over stores that hold all keys; leaves them with all keys. */
bool tn_bench_latency(struct tn_bench_run *run);

#endif
