/*
 * durable.h - what a store must offer for its commits to be measured
 *
 *     durable_bench.c      which store does what when, in processes of their own, and the rows
 *     durable_ops.c        what is timed within one process
 *          |
 *     tn_durable_store     durable_tarn.c and one per rival: rivals/durable_*.c
 *
 * One function call per put: some 2 ns that every store pays, where the rows have hundreds.
 *
 * Rules
 *   U1  After put, and before commit, nothing needs to be there for good; after an unsynced commit
 *       it must survive the end of the process, after a synced one a power loss.
 *   U2  close makes good what was committed, as tarn_close does: it syncs.
 *   U3  A get borrows: the value is good until the next call.
 *   U4  Keys have 8 bytes, values TN_DURABLE_VALUE_BYTES, always.
 */
#ifndef TN_BENCH_DURABLE_H
#define TN_BENCH_DURABLE_H

#include "base/base.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TN_DURABLE_KEY_BYTES ((size_t)8)
#define TN_DURABLE_VALUE_BYTES ((size_t)128)
#define TN_DURABLE_STORES_MAX 8u
#define TN_DURABLE_REASON_BYTES ((size_t)300)

struct tn_durable_store {
    const char *name;
    const char *notes; /* settings, for the reader of a result */

    /* In a directory that exists; what is there is opened. NULL: failed, `reason` says why. */
    void *(*open)(const char *path, uint64_t entries_max, char *reason, size_t reason_bytes);

    /* All of these: 0 done; else the store's own number, which error_text explains. */
    int (*set_synced)(void *store,
                      bool synced); /* of commits from now on; nothing is uncommitted */
    int (*put)(void *store, const void *key, const void *value);
    int (*commit)(void *store);
    int (*get)(void *store, const void *key, const void **value, size_t *value_bytes);
    int (*close)(void *store); /* also frees it, whatever the answer */

    const char *(*error_text)(void *store, int result);
};

extern const struct tn_durable_store tn_durable_tarn;
extern const struct tn_durable_store tn_durable_lmdb;
extern const struct tn_durable_store tn_durable_rocksdb;
extern const struct tn_durable_store tn_durable_leveldb;
extern const struct tn_durable_store tn_durable_sqlite;

/* Those built in, tarn first, and NULL. */
extern const struct tn_durable_store *const tn_durable_stores[];

/* Those that could be here and are not, a line each with what to install; NULL ends. */
extern const char *const tn_durable_stores_missing[];

#ifdef __cplusplus
}
#endif

#endif
