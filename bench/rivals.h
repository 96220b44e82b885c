/*
 * rivals.h - the adapters by library; rivals.c knows which of them are built in
 *
 * A library gives a list that NULL ends: several stores, or one store for several shapes.
 */
#ifndef TN_BENCH_RIVALS_H
#define TN_BENCH_RIVALS_H

#include "store.h"

#ifdef __cplusplus
extern "C" {
#endif

extern const struct tn_bench_store *const tn_bench_tarn_stores[];
extern const struct tn_bench_store *const tn_bench_absl_stores[];
extern const struct tn_bench_store *const tn_bench_lmdb_stores[];
extern const struct tn_bench_store *const tn_bench_rocksdb_stores[];

#ifdef __cplusplus
}
#endif

#endif
