/*
 * workload.h - keys, values, orders, and what a store must answer
 *
 * Keys are the counters 0..n-1 as 8 big-endian bytes; value i is 128 bytes, byte j of it
 * (i * 7 + j * 13) % 256, so there are 256 different values. Everything a timed loop needs lies
 * ready in memory before it starts.
 *
 *     keys[]     the order of the pass that comes next, as the stores will read it
 *     model      which value each key has, what was added to it: says what a pass must have read
 *
 * Rules
 *   W1  The same seed gives the same keys, so all stores do the same work in the same order.
 *   W2  Every repeat has its own order. In a random one no key comes twice before all had their
 *       turn.
 *   W3  The model changes only after all stores made the change.
 */
#ifndef TN_BENCH_WORKLOAD_H
#define TN_BENCH_WORKLOAD_H

#include "store.h"

enum tn_bench_order {
    TN_BENCH_SEQUENTIAL, /* neighbours, from a random start, around */
    TN_BENCH_RANDOM,     /* W2 */
    TN_BENCH_ZIPF,       /* theta 0.99, the popular ones spread over all keys */
    TN_BENCH_MISSING,    /* keys n..2n-1 */
    TN_BENCH_STARTS      /* random, `length` entries from the last at the latest */
};

struct tn_bench_workload {
    uint64_t entries;
    uint64_t random; /* state of the generator */

    uint64_t *keys;
    size_t key_count;
    size_t key_count_max;

    uint32_t *permutation; /* of all keys */
    uint8_t *model_shift;  /* value of key i is (i + shift) % TN_BENCH_VALUE_COUNT */
    uint32_t *model_added; /* and its first u64 is this much larger */
    uint8_t *values;
};

/* False: no memory. `operations_max`: the longest order that will be asked for. */
bool tn_bench_workload_init(struct tn_bench_workload *workload, uint64_t entries,
                            size_t operations_max);
void tn_bench_workload_release(struct tn_bench_workload *workload);

/* As after init: the same orders again, and the model of keys with their own values. */
void tn_bench_workload_reset(struct tn_bench_workload *workload);

/* Fill keys[]. `length` matters to STARTS only. */
void tn_bench_workload_order(struct tn_bench_workload *workload, enum tn_bench_order order,
                             size_t count, size_t length);

/* `rounds` times all keys; in order, or each time in another. */
void tn_bench_workload_all(struct tn_bench_workload *workload, size_t rounds, bool shuffled);

/* `rounds` times `count` keys, no key twice within a round. */
void tn_bench_workload_rounds(struct tn_bench_workload *workload, size_t rounds, size_t count);

/* Any keys into another order. */
void tn_bench_workload_shuffle(struct tn_bench_workload *workload, uint64_t *keys, size_t count);

/* What a get of every key in keys[], a scan of `length` from each, or one full scan sums up to. */
uint64_t tn_bench_workload_sum_gets(const struct tn_bench_workload *workload);
uint64_t tn_bench_workload_sum_scans(const struct tn_bench_workload *workload, size_t length);
uint64_t tn_bench_workload_sum_all(const struct tn_bench_workload *workload);

/* The keys in keys[] were put with this shift; were modified. */
void tn_bench_workload_did_put(struct tn_bench_workload *workload, unsigned shift);
void tn_bench_workload_did_modify(struct tn_bench_workload *workload);

/* A tn_bench_check_fn: is this, to the byte, the value that key must have? */
bool tn_bench_workload_check(const void *workload, uint64_t key, const void *value,
                             size_t value_bytes);

/* A pass over keys[]. */
struct tn_bench_pass tn_bench_workload_pass(const struct tn_bench_workload *workload);

#endif
