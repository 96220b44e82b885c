/*
 * durable_bench.h - tarn bench durable: commits, opening and disk, beside durable rivals
 */
#ifndef TN_BENCH_DURABLE_BENCH_H
#define TN_BENCH_DURABLE_BENCH_H

#include "bench.h"

struct tn_durable_request {
    uint64_t entries;
    size_t repeats;
    const char *stores; /* names, comma-separated; NULL: all */
    const char *ops;    /* the same for operations; what only others need is left out */
    uint64_t
        row_seconds_max; /* of one store: no repeat begins later, apart from the first; 0: no matter */
    const char *parent; /* a directory below it is made, used and removed */
    bool json;
    FILE *out;
    const volatile sig_atomic_t *stop;
    void (*warn)(const char *text);
};

enum tn_bench_answer tn_durable_bench_run(const struct tn_durable_request *request);

/* What there is to measure, for people. */
void tn_durable_bench_list(FILE *out);

#endif
