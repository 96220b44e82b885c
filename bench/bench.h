/*
 * bench.h - what `tarn bench` asks of a suite
 */
#ifndef TN_BENCH_H
#define TN_BENCH_H

#include "store.h"

#include <signal.h>
#include <stdio.h>

#define TN_BENCH_ENTRIES_MAX UINT64_C(1000000000)
#define TN_BENCH_REPLACEMENTS_MAX UINT64_C(1000000000)

struct tn_bench_request {
    const uint64_t *sizes; /* entries, one run each; 1 to TN_BENCH_ENTRIES_MAX */
    size_t size_count;
    struct tn_bench_shape shape;
    size_t repeats;        /* 1 to TN_BENCH_REPEATS_MAX */
    uint64_t replacements; /* at least; twice the entries when that is more */
    const char *ops;       /* names of operations, comma-separated; NULL: all */
    const char *stores;    /* names of stores, comma-separated; NULL: all */
    bool json;
    bool latency; /* a second pass, operation by operation */
    FILE *out;
    FILE *page; /* the report as a page, written at the end; NULL: none */

    const volatile sig_atomic_t *stop; /* not 0: end soon, whole lines only */
    void (*warn)(const char *text);    /* one line, for people */
};

enum tn_bench_answer {
    TN_BENCH_DONE,
    TN_BENCH_STOPPED,        /* stop said so */
    TN_BENCH_UNWRITTEN,      /* `out` took no more; errno says why */
    TN_BENCH_PAGE_UNWRITTEN, /* likewise `page` */
    TN_BENCH_UNKNOWN,        /* `ops` or `stores` has a name that does not exist; warned */
    TN_BENCH_FAILED          /* a store failed or answered wrongly, or memory; warned */
};

/* The store in memory: targets and method in docs/BENCHMARKS.md. */
enum tn_bench_answer tn_bench_store_run(const struct tn_bench_request *request);

/* What --ops and --stores can name, for people. */
void tn_bench_store_list(const struct tn_bench_request *request);

/* Is `name` one of the comma-separated `names`? NULL names: everything is. */
bool tn_bench_name_in(const char *names, const char *name);

#endif
