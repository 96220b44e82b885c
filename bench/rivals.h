/*
 * rivals.h - the adapters by name; rivals.c knows which of them are built in
 */
#ifndef TN_BENCH_RIVALS_H
#define TN_BENCH_RIVALS_H

#include "store.h"

#ifdef __cplusplus
extern "C" {
#endif

extern const struct tn_bench_store tn_bench_tarn;
extern const struct tn_bench_store tn_bench_tarn_unordered;
extern const struct tn_bench_store tn_bench_arena;
extern const struct tn_bench_store tn_bench_absl_btree;
extern const struct tn_bench_store tn_bench_lmdb;

#ifdef __cplusplus
}
#endif

#endif
