/*
 * page.h - results as one HTML file: a table and bars by operation and store
 *
 * Rows are collected while they come, and written at the end, since the best rival of an operation
 * is known only then. The file needs nothing from elsewhere: no scripts, fonts or images.
 */
#ifndef TN_BENCH_PAGE_H
#define TN_BENCH_PAGE_H

#include "base/base.h"

#include <stdio.h>

/* One result: of an operation by a store. Texts are static. */
struct tn_bench_row {
    const char *op;
    const char *store;
    const char *notes; /* of the store; no quotes, no backslashes */
    const char *unit;
    double median, min, max;
    size_t repeats;
    bool is_rate;        /* more is better: `x tarn` is tarn's figure by the store's */
    uint64_t operations; /* in one repeat */
    double page_faults;  /* per operation; negative: not counted */
    double allocations;  /* per operation; negative: not known */
    /* Of single operations; 0 when not taken. */
    double p99, p99_9, p99_99;
};

#define TN_BENCH_PAGE_SIZES_MAX 16u

/* One size and shape, and where its rows begin. */
struct tn_bench_page_size {
    uint64_t entries;
    size_t key_bytes;
    size_t value_bytes;
    size_t row_first;
    char about[160];
};

struct tn_bench_page {
    struct tn_bench_page_size sizes[TN_BENCH_PAGE_SIZES_MAX];
    size_t size_count;
    struct tn_bench_row *rows;
    size_t row_count;
    size_t row_count_max;
    bool is_incomplete; /* there was no memory for a row */
};

/* Rows of tarn itself, in whatever form, and not of a rival. */
bool tn_bench_store_is_tarn(const char *store);

void tn_bench_page_begin(struct tn_bench_page *page, uint64_t entries, size_t key_bytes,
                         size_t value_bytes, const char *about);
void tn_bench_page_add(struct tn_bench_page *page, const struct tn_bench_row *row);

/* False: not all of it could be written; errno says why. */
bool tn_bench_page_write(const struct tn_bench_page *page, FILE *out);
void tn_bench_page_release(struct tn_bench_page *page);

#endif
