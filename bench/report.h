/*
 * report.h - results as lines: a table for people, JSON for programs
 *
 *     op          store     median     min     max  unit  x tarn  faults  allocs
 *     get_random  tarn        18.1    17.9    19.0  ns                 0       0
 *                 arena       12.0    11.8    13.1  ns      0.66       0       0
 *
 * 'x tarn' is the store's median as a multiple of tarn's: above 1, tarn is faster (or smaller). Of
 * a rate it is the other way round, so that this holds.
 * Faults and allocs are per operation in the timed part.
 */
#ifndef TN_BENCH_REPORT_H
#define TN_BENCH_REPORT_H

#include "page.h"

#define TN_BENCH_REPORT_OPS_MAX 64u

struct tn_bench_report {
    FILE *out;
    const char *suite;
    bool json;
    uint64_t entries;
    size_t key_bytes;
    size_t value_bytes;
    struct tn_bench_page *page; /* gets the rows, too; NULL: there is none */
    bool in_turn;               /* all stores open at once, a repeat of each in turn */
    const char *op_last;        /* printed last; the table names an operation once */
    struct {
        const char *op;
        double median;
    } reference[TN_BENCH_REPORT_OPS_MAX]; /* of tarn, by operation */
    size_t reference_count;
};

/* False: could not be written. */
bool tn_bench_report_begin(struct tn_bench_report *report, uint64_t entries, const char *about);
bool tn_bench_report_row(struct tn_bench_report *report, const struct tn_bench_row *row);

#endif
