/*
 * snapshot_bench.h - the rows of tn_bench_store_run that are about snapshots, of tarn alone
 */
#ifndef TN_BENCH_SNAPSHOT_BENCH_H
#define TN_BENCH_SNAPSHOT_BENCH_H

#include "store_run.h"

/* Names of the operations, NULL at the end. */
extern const char *const tn_bench_snapshot_ops[];

bool tn_bench_snapshots_wanted(const struct tn_bench_run *run);

/* Over the stores of `run` that are tarn, none of which needs to be open. */
bool tn_bench_snapshots(struct tn_bench_run *run);

#endif
