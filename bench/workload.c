/*
 * workload.c - keys, values, orders, and what a store must answer; see workload.h for the rules
 */
#include "workload.h"

#include <math.h>
#include <stdlib.h>

#define WORKLOAD_SEED UINT64_C(0x7461726E)
#define ZIPF_THETA 0.99

/* splitmix64: a small generator whose whole state is one number. */
static uint64_t workload_random(struct tn_bench_workload *workload)
{
    uint64_t z = workload->random += UINT64_C(0x9E3779B97F4A7C15);

    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

/* Below `bound`; the bias of 2^-64 * bound is of no account here. */
static uint64_t workload_below(struct tn_bench_workload *workload, uint64_t bound)
{
    return (uint64_t)(((unsigned __int128)workload_random(workload) * bound) >> 64);
}

static uint64_t key_bytes_of(uint64_t number)
{
    uint64_t key;

    tn_store_be64(&key, number);
    return key;
}

static const uint8_t *model_value(const struct tn_bench_workload *workload, uint64_t number)
{
    size_t which = (size_t)((number + workload->model_shift[number]) % TN_BENCH_VALUE_COUNT);

    return workload->values + which * TN_BENCH_VALUE_BYTES;
}

static uint64_t model_read(const struct tn_bench_workload *workload, uint64_t number)
{
    const uint8_t *value = model_value(workload, number);

    return tn_bench_read(value, TN_BENCH_VALUE_BYTES) + workload->model_added[number];
}

static void values_fill(uint8_t *values)
{
    size_t i, j;

    for (i = 0; i < TN_BENCH_VALUE_COUNT; i++)
        for (j = 0; j < TN_BENCH_VALUE_BYTES; j++)
            values[i * TN_BENCH_VALUE_BYTES + j] = (uint8_t)(i * 7 + j * 13);
}

bool tn_bench_workload_init(struct tn_bench_workload *workload, uint64_t entries,
                            size_t operations_max)
{
    size_t count = (size_t)entries;

    *workload = (struct tn_bench_workload){ .entries = entries };
    workload->key_count_max = tn_max(count, operations_max);
    workload->keys = malloc(workload->key_count_max * sizeof *workload->keys);
    workload->permutation = malloc(count * sizeof *workload->permutation);
    workload->model_shift = malloc(count * sizeof *workload->model_shift);
    workload->model_added = malloc(count * sizeof *workload->model_added);
    workload->values = aligned_alloc(64, TN_BENCH_VALUE_COUNT * TN_BENCH_VALUE_BYTES);
    if (workload->keys == NULL || workload->permutation == NULL || workload->values == NULL ||
        workload->model_shift == NULL || workload->model_added == NULL) {
        tn_bench_workload_release(workload);
        return false;
    }
    values_fill(workload->values);
    tn_bench_workload_reset(workload);
    return true;
}

void tn_bench_workload_release(struct tn_bench_workload *workload)
{
    free(workload->keys);
    free(workload->permutation);
    free(workload->model_shift);
    free(workload->model_added);
    free(workload->values);
    *workload = (struct tn_bench_workload){ .entries = 0 };
}

void tn_bench_workload_reset(struct tn_bench_workload *workload)
{
    size_t i, count = (size_t)workload->entries;

    workload->random = WORKLOAD_SEED;
    workload->key_count = 0;
    memset(workload->model_shift, 0, count * sizeof *workload->model_shift);
    memset(workload->model_added, 0, count * sizeof *workload->model_added);
    for (i = 0; i < count; i++)
        workload->permutation[i] = (uint32_t)i;
}

/* The first `count` of the permutation, drawn anew (Fisher and Yates, as far as needed). */
static void permutation_draw(struct tn_bench_workload *workload, size_t count)
{
    uint32_t *permutation = workload->permutation;
    size_t i;

    for (i = 0; i < count; i++) {
        size_t other = i + (size_t)workload_below(workload, workload->entries - i);
        uint32_t drawn = permutation[other];

        permutation[other] = permutation[i];
        permutation[i] = drawn;
    }
}

static void order_random(struct tn_bench_workload *workload, size_t count)
{
    size_t at, i, round;

    for (at = 0; at < count; at += round) {
        round = tn_min(count - at, (size_t)workload->entries);
        permutation_draw(workload, round);
        for (i = 0; i < round; i++)
            workload->keys[at + i] = key_bytes_of(workload->permutation[i]);
    }
}

/*
 * Zipf by rejection from the integral of the density (Hoermann and Derflinger, 1996): exact, and
 * needs neither a table nor the sum over all ranks. h is the density x^-theta, H its integral.
 */
static double zipf_integral(double x)
{
    return (pow(x, 1 - ZIPF_THETA) - 1) / (1 - ZIPF_THETA);
}

static double zipf_integral_inverse(double y)
{
    return pow(1 + y * (1 - ZIPF_THETA), 1 / (1 - ZIPF_THETA));
}

/* A rank 1..n. */
static uint64_t zipf_draw(struct tn_bench_workload *workload, double low, double high)
{
    double unit, y, x, rank;

    for (;;) {
        unit = (double)(workload_random(workload) >> 11) * 0x1p-53;
        y = low + unit * (high - low);
        x = zipf_integral_inverse(y);
        rank = floor(x + 0.5);
        if (rank < 1)
            rank = 1;
        if (rank > (double)workload->entries)
            rank = (double)workload->entries;
        if (y >= zipf_integral(rank + 0.5) - pow(rank, -ZIPF_THETA))
            return (uint64_t)rank;
    }
}

static void order_zipf(struct tn_bench_workload *workload, size_t count)
{
    double low = zipf_integral(1.5) - 1, high = zipf_integral((double)workload->entries + 0.5);
    size_t i;

    permutation_draw(workload, (size_t)workload->entries);
    for (i = 0; i < count; i++) {
        uint64_t rank = zipf_draw(workload, low, high);

        workload->keys[i] = key_bytes_of(workload->permutation[rank - 1]);
    }
}

void tn_bench_workload_order(struct tn_bench_workload *workload, enum tn_bench_order order,
                             size_t count, size_t length)
{
    uint64_t entries = workload->entries, start = workload_below(workload, entries);
    size_t i;

    workload->key_count = count;
    switch (order) {
    case TN_BENCH_RANDOM:
        order_random(workload, count);
        break;
    case TN_BENCH_ZIPF:
        order_zipf(workload, count);
        break;
    case TN_BENCH_SEQUENTIAL:
        for (i = 0; i < count; i++)
            workload->keys[i] = key_bytes_of((start + i) % entries);
        break;
    case TN_BENCH_MISSING:
        for (i = 0; i < count; i++)
            workload->keys[i] = key_bytes_of(entries + workload_below(workload, entries));
        break;
    case TN_BENCH_STARTS:
        for (i = 0; i < count; i++)
            workload->keys[i] = key_bytes_of(workload_below(workload, entries - length + 1));
        break;
    }
}

void tn_bench_workload_all(struct tn_bench_workload *workload, size_t rounds, bool shuffled)
{
    size_t i, entries = (size_t)workload->entries, count = rounds * entries;

    workload->key_count = count;
    if (shuffled) {
        order_random(workload, count);
        return;
    }
    for (i = 0; i < count; i++)
        workload->keys[i] = key_bytes_of(i % entries);
}

void tn_bench_workload_rounds(struct tn_bench_workload *workload, size_t rounds, size_t count)
{
    size_t round, i;

    workload->key_count = rounds * count;
    for (round = 0; round < rounds; round++) {
        permutation_draw(workload, count);
        for (i = 0; i < count; i++)
            workload->keys[round * count + i] = key_bytes_of(workload->permutation[i]);
    }
}

void tn_bench_workload_shuffle(struct tn_bench_workload *workload, uint64_t *keys, size_t count)
{
    size_t i;

    for (i = count; i > 1; i--) {
        size_t other = (size_t)workload_below(workload, i);
        uint64_t key = keys[other];

        keys[other] = keys[i - 1];
        keys[i - 1] = key;
    }
}

uint64_t tn_bench_workload_sum_gets(const struct tn_bench_workload *workload)
{
    uint64_t sum = 0;
    size_t i;

    for (i = 0; i < workload->key_count; i++)
        sum += model_read(workload, tn_load_be64(&workload->keys[i]));
    return sum;
}

static uint64_t sum_range(const struct tn_bench_workload *workload, uint64_t from, uint64_t to)
{
    uint64_t sum = 0;

    for (; from < to; from++)
        sum += from + model_read(workload, from);
    return sum;
}

uint64_t tn_bench_workload_sum_scans(const struct tn_bench_workload *workload, size_t length)
{
    uint64_t sum = 0, from;
    size_t i;

    for (i = 0; i < workload->key_count; i++) {
        from = tn_load_be64(&workload->keys[i]);
        sum += sum_range(workload, from, from + length);
    }
    return sum;
}

uint64_t tn_bench_workload_sum_all(const struct tn_bench_workload *workload)
{
    return sum_range(workload, 0, workload->entries);
}

void tn_bench_workload_did_put(struct tn_bench_workload *workload, unsigned shift)
{
    size_t i;

    for (i = 0; i < workload->key_count; i++) {
        uint64_t number = tn_load_be64(&workload->keys[i]);

        workload->model_shift[number] = (uint8_t)shift;
        workload->model_added[number] = 0;
    }
}

void tn_bench_workload_did_modify(struct tn_bench_workload *workload)
{
    size_t i;

    for (i = 0; i < workload->key_count; i++)
        workload->model_added[tn_load_be64(&workload->keys[i])]++;
}

bool tn_bench_workload_check(const void *context, uint64_t key, const void *value,
                             size_t value_bytes)
{
    const struct tn_bench_workload *workload = context;
    uint8_t expected[TN_BENCH_VALUE_BYTES];

    if (key >= workload->entries || value_bytes != sizeof expected)
        return false;
    memcpy(expected, model_value(workload, key), sizeof expected);
    tn_store_le64(expected, tn_load_le64(expected) + workload->model_added[key]);
    return memcmp(expected, value, sizeof expected) == 0;
}

struct tn_bench_pass tn_bench_workload_pass(const struct tn_bench_workload *workload)
{
    return (struct tn_bench_pass){
        .keys = workload->keys,
        .count = workload->key_count,
        .values = workload->values,
        .check = tn_bench_workload_check,
        .check_context = workload,
    };
}
