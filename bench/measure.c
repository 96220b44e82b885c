/*
 * measure.c - clocks, counters, and what is left of them; see measure.h
 */
#define _GNU_SOURCE /* sched_setaffinity */

#include "measure.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

void tn_bench_sample_add(struct tn_bench_sample *sample, double value)
{
    if (sample->count < TN_BENCH_REPEATS_MAX)
        sample->values[sample->count++] = value;
}

static int sample_compare(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;

    return (left > right) - (left < right);
}

double tn_bench_sample_median(const struct tn_bench_sample *sample)
{
    struct tn_bench_sample sorted = *sample;
    size_t middle = sorted.count / 2;

    qsort(sorted.values, sorted.count, sizeof sorted.values[0], sample_compare);
    if (sorted.count % 2 == 1)
        return sorted.values[middle];
    return (sorted.values[middle - 1] + sorted.values[middle]) / 2;
}

double tn_bench_sample_min(const struct tn_bench_sample *sample)
{
    double least = sample->values[0];
    size_t i;

    for (i = 1; i < sample->count; i++)
        least = sample->values[i] < least ? sample->values[i] : least;
    return least;
}

double tn_bench_sample_max(const struct tn_bench_sample *sample)
{
    double most = sample->values[0];
    size_t i;

    for (i = 1; i < sample->count; i++)
        most = sample->values[i] > most ? sample->values[i] : most;
    return most;
}

uint64_t tn_bench_clock_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static uint64_t page_faults(void)
{
    struct rusage usage;

    if (getrusage(RUSAGE_SELF, &usage) != 0)
        return 0;
    return (uint64_t)usage.ru_minflt + (uint64_t)usage.ru_majflt;
}

void tn_bench_watch_start(struct tn_bench_watch *watch)
{
    watch->page_faults = page_faults();
    watch->ns = tn_bench_clock_ns(); /* last: the count above is not timed */
}

void tn_bench_watch_stop(const struct tn_bench_watch *watch, struct tn_bench_watch *total)
{
    total->ns += tn_bench_clock_ns() - watch->ns;
    total->page_faults += page_faults() - watch->page_faults;
}

uint64_t tn_bench_ticks(void)
{
#if defined(__x86_64__)
    uint64_t ticks;

    _mm_mfence();
    _mm_lfence();
    ticks = __rdtsc();
    _mm_lfence();
    return ticks;
#else
    return tn_bench_clock_ns();
#endif
}

double tn_bench_ticks_per_ns(void)
{
    uint64_t ns = tn_bench_clock_ns(), ticks = tn_bench_ticks(), now;

    do
        now = tn_bench_clock_ns();
    while (now - ns < 20000000);
    return (double)(tn_bench_ticks() - ticks) / (double)(now - ns);
}

void tn_bench_histogram_init(struct tn_bench_histogram *histogram)
{
    memset(histogram, 0, sizeof *histogram);
    histogram->min = UINT64_MAX;
}

/*
 * Values below 64 have a step each; above, the six bits behind the leading one choose the step:
 *     value   1xxxxxx....     power p = its leading bit     step (p - 5) * 64 + xxxxxx
 */
static size_t histogram_step(uint64_t value)
{
    unsigned power;

    if (value < TN_BENCH_HISTOGRAM_STEPS)
        return (size_t)value;
    power = tn_log2(value);
    return (size_t)(power - 5) * TN_BENCH_HISTOGRAM_STEPS +
           (size_t)((value >> (power - 6)) & (TN_BENCH_HISTOGRAM_STEPS - 1));
}

/* The largest value in a step. */
static uint64_t histogram_top(size_t step)
{
    unsigned power = (unsigned)(step / TN_BENCH_HISTOGRAM_STEPS) + 5;
    uint64_t low = step % TN_BENCH_HISTOGRAM_STEPS;

    if (step < TN_BENCH_HISTOGRAM_STEPS)
        return step;
    return ((TN_BENCH_HISTOGRAM_STEPS + low + 1) << (power - 6)) - 1;
}

void tn_bench_histogram_add(struct tn_bench_histogram *histogram, uint64_t value)
{
    histogram->counts[histogram_step(value)]++;
    histogram->count++;
    histogram->min = value < histogram->min ? value : histogram->min;
    histogram->max = value > histogram->max ? value : histogram->max;
}

uint64_t tn_bench_histogram_quantile(const struct tn_bench_histogram *histogram, double share)
{
    uint64_t wanted = (uint64_t)(share * (double)histogram->count + 0.5), seen = 0, top;
    size_t step;

    for (step = 0; step < TN_ARRAY_COUNT(histogram->counts); step++) {
        seen += histogram->counts[step];
        if (seen >= wanted && seen > 0) {
            top = histogram_top(step);
            return top < histogram->max ? top : histogram->max;
        }
    }
    return 0;
}

int tn_bench_pin(void)
{
    cpu_set_t allowed, one;
    int processor;

    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0)
        return -1;
    for (processor = CPU_SETSIZE - 1; processor >= 0; processor--) {
        if (!CPU_ISSET(processor, &allowed))
            continue;
        CPU_ZERO(&one);
        CPU_SET(processor, &one);
        return sched_setaffinity(0, sizeof one, &one) == 0 ? processor : -1;
    }
    return -1;
}

uint64_t tn_bench_memory_available(void)
{
    static const char key[] = "MemAvailable:";
    FILE *file = fopen("/proc/meminfo", "r");
    uint64_t kib = 0;
    char line[128];

    if (file == NULL)
        return 0;
    while (kib == 0 && fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, key, sizeof key - 1) == 0)
            kib = strtoull(line + sizeof key - 1, NULL, 10);
    fclose(file);
    return kib * 1024;
}
