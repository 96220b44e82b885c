/*
 * measure.h - clocks, counters, and what is left of them
 *
 * Two ways to measure: a *sample* is one number per repeat (median, min, max); a *histogram* takes
 * the time of every single operation, for percentiles. They are never mixed: a median of passes
 * says nothing about the slowest operation, and timing single operations slows them down.
 */
#ifndef TN_BENCH_MEASURE_H
#define TN_BENCH_MEASURE_H

#include "base/base.h"

#define TN_BENCH_REPEATS_MAX 100u

struct tn_bench_sample {
    double values[TN_BENCH_REPEATS_MAX];
    size_t count;
};

void tn_bench_sample_add(struct tn_bench_sample *sample, double value);

/* Of at least one value. */
double tn_bench_sample_median(const struct tn_bench_sample *sample);
double tn_bench_sample_min(const struct tn_bench_sample *sample);
double tn_bench_sample_max(const struct tn_bench_sample *sample);

uint64_t tn_bench_clock_ns(void);

/* A running stopwatch, with what the system counted meanwhile. */
struct tn_bench_watch {
    uint64_t ns;
    uint64_t page_faults;
};

void tn_bench_watch_start(struct tn_bench_watch *watch);

/* What went by since start, added to *total. */
void tn_bench_watch_stop(const struct tn_bench_watch *watch, struct tn_bench_watch *total);

/*
 * Ticks of the processor's clock, for single operations: all that was asked for before is done when
 * it is read, and nothing after has begun. Elsewhere than on x86-64: nanoseconds of the system.
 */
uint64_t tn_bench_ticks(void);
double tn_bench_ticks_per_ns(void); /* measures for 20 ms */

/* Counts by size: 64 steps per power of two, so a percentile is within 1.6 %; the max is exact. */
#define TN_BENCH_HISTOGRAM_STEPS 64u
struct tn_bench_histogram {
    uint64_t counts[64 * TN_BENCH_HISTOGRAM_STEPS];
    uint64_t count;
    uint64_t min;
    uint64_t max;
};

void tn_bench_histogram_init(struct tn_bench_histogram *histogram);
void tn_bench_histogram_add(struct tn_bench_histogram *histogram, uint64_t value);

/* The value that `share` (0 to 1) of all values do not exceed. 0 when there are none. */
uint64_t tn_bench_histogram_quantile(const struct tn_bench_histogram *histogram, double share);

/* Stay on one processor: the last one this process may use. Its number, or -1: not possible. */
int tn_bench_pin(void);

/* Memory that could be had without swapping, in bytes; 0: not known. */
uint64_t tn_bench_memory_available(void);

#endif
