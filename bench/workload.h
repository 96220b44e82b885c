/*
 * workload.h - keys, values, orders, and what a store must answer
 *
 * There are n entries at a time, in *places* 0..n-1; in place i lies the key of number i, or, once
 * it was replaced g times, of number i + g * n. Numbers become keys of one of two forms, whose
 * order is that of the numbers:
 *
 *     8 bytes    the number, big-endian
 *     60 bytes   https://site-0000012.example.com/topics/2026/page-0000012345     1,000 pages a site
 *
 * Number i is given value i % 256; byte j of value i is (i * 7 + j * 13) % 256. Everything a timed
 * loop needs lies ready in memory before it starts.
 *
 *     keys[]     the order of the pass that comes next, as the stores will read it
 *     which[]    beside each key its value
 *     model      which value each key has, what was added to it: says what a pass must have read
 *
 * Rules
 *   W1  The same seed gives the same keys, so all stores do the same work in the same order.
 *   W2  Every repeat has its own order. In a random one no key comes twice before all had their
 *       turn.
 *   W3  The model changes only after all stores made the change; replacements apart, which are in
 *       the model as soon as they are made up.
 */
#ifndef TN_BENCH_WORKLOAD_H
#define TN_BENCH_WORKLOAD_H

#include "store.h"

enum tn_bench_order {
    TN_BENCH_SEQUENTIAL, /* neighbours, from a random start, around */
    TN_BENCH_RANDOM,     /* W2 */
    TN_BENCH_ZIPF,       /* theta 0.99, the popular ones spread over all keys */
    TN_BENCH_MISSING,    /* numbers n..2n-1 */
    TN_BENCH_STARTS      /* random, `length` entries from the last at the latest */
};

struct tn_bench_workload {
    uint64_t entries;
    struct tn_bench_shape shape;
    uint64_t random; /* state of the generator */

    uint8_t *keys;
    uint8_t *which;
    size_t key_count;
    size_t key_count_max;

    uint32_t *permutation;    /* of all places */
    uint8_t *model_shift;     /* value of number i is (i + shift) % TN_BENCH_VALUE_COUNT */
    uint32_t *model_added;    /* and its first u64 is this much larger */
    uint32_t *model_replaced; /* times */
    uint8_t *values;
};

/* Bytes that a workload takes for each entry. */
size_t tn_bench_workload_room(const struct tn_bench_shape *shape);

/* False: no memory. `operations_max`: the longest order that will be asked for. */
bool tn_bench_workload_init(struct tn_bench_workload *workload, uint64_t entries,
                            const struct tn_bench_shape *shape, size_t operations_max);
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

/* The keys of keys[at] to keys[at + count - 1] into another order. */
void tn_bench_workload_shuffle(struct tn_bench_workload *workload, size_t at, size_t count);

/*
 * `count` replacements: pairs of a key and of another that takes its place. No key is replaced
 * twice before all were.
 */
void tn_bench_workload_replacements(struct tn_bench_workload *workload, size_t count);

/* What a get of every key in keys[], a scan of `length` from each, or one full scan sums up to. */
uint64_t tn_bench_workload_sum_gets(const struct tn_bench_workload *workload);
uint64_t tn_bench_workload_sum_scans(const struct tn_bench_workload *workload, size_t length);
uint64_t tn_bench_workload_sum_all(const struct tn_bench_workload *workload);

/* The keys in keys[] were put with this shift; were modified. */
void tn_bench_workload_did_put(struct tn_bench_workload *workload, unsigned shift);
void tn_bench_workload_did_modify(struct tn_bench_workload *workload);

/* A tn_bench_check_fn: is this, to the byte, the value that key must have? */
bool tn_bench_workload_check(const void *workload, const void *key, const void *value,
                             size_t value_bytes);

/* A pass over keys[]. */
struct tn_bench_pass tn_bench_workload_pass(const struct tn_bench_workload *workload);

#endif
