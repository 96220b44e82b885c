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

/* ---- keys ------------------------------------------------------------------------------------ */

#define URL_SITE_AT 13u /* digits of the site and of the page, in the pattern */
#define URL_SITE_DIGITS 7u
#define URL_PAGE_AT 50u
#define URL_PAGE_DIGITS 10u
#define URL_PAGES_PER_SITE 1000u

static const char url_pattern[] = "https://site-0000000.example.com/topics/2026/page-0000000000";

static void digits_write(uint8_t *at, size_t count, uint64_t number)
{
    for (; count > 0; number /= 10)
        at[--count] = (uint8_t)('0' + number % 10);
}

static void key_write(const struct tn_bench_workload *workload, uint8_t *at, uint64_t number)
{
    if (workload->shape.key_bytes == sizeof number) {
        tn_store_be64(at, number);
        return;
    }
    _Static_assert(sizeof url_pattern - 1 == TN_BENCH_KEY_BYTES_MAX, "a URL has 60 bytes");
    memcpy(at, url_pattern, TN_BENCH_KEY_BYTES_MAX);
    digits_write(at + URL_SITE_AT, URL_SITE_DIGITS, number / URL_PAGES_PER_SITE);
    digits_write(at + URL_PAGE_AT, URL_PAGE_DIGITS, number);
}

static uint64_t key_number(const struct tn_bench_workload *workload, const void *key)
{
    const uint8_t *at = key;
    uint64_t number = 0;
    size_t i;

    if (workload->shape.key_bytes == sizeof number)
        return tn_load_be64(at);
    for (i = 0; i < URL_PAGE_DIGITS; i++)
        number = number * 10 + at[URL_PAGE_AT + i] - '0';
    return number;
}

/* What a scan reads of a key. */
static uint64_t key_read(const struct tn_bench_workload *workload, uint64_t number)
{
    uint8_t key[TN_BENCH_KEY_BYTES_MAX];

    key_write(workload, key, number);
    return tn_bench_read_key(key, workload->shape.key_bytes);
}

static uint8_t *key_at(const struct tn_bench_workload *workload, size_t at)
{
    return workload->keys + at * workload->shape.key_bytes;
}

static void key_set(struct tn_bench_workload *workload, size_t at, uint64_t number)
{
    key_write(workload, key_at(workload, at), number);
    workload->which[at] = (uint8_t)(number % TN_BENCH_VALUE_COUNT);
}

/* The number of the key that lies in a place now. */
static uint64_t place_number(const struct tn_bench_workload *workload, uint64_t place)
{
    return place + workload->model_replaced[place] * workload->entries;
}

/* The place of keys[at]. */
static uint64_t place_at(const struct tn_bench_workload *workload, size_t at)
{
    return key_number(workload, key_at(workload, at)) % workload->entries;
}

/* ---- the model ------------------------------------------------------------------------------- */

static const uint8_t *model_value(const struct tn_bench_workload *workload, uint64_t place)
{
    uint64_t which = place_number(workload, place) + workload->model_shift[place];

    return workload->values + which % TN_BENCH_VALUE_COUNT * workload->shape.value_bytes;
}

static uint64_t model_read(const struct tn_bench_workload *workload, uint64_t place)
{
    const uint8_t *value = model_value(workload, place);

    return tn_bench_read(value, workload->shape.value_bytes) + workload->model_added[place];
}

static void values_fill(uint8_t *values, size_t value_bytes)
{
    size_t i, j;

    for (i = 0; i < TN_BENCH_VALUE_COUNT; i++)
        for (j = 0; j < value_bytes; j++)
            values[i * value_bytes + j] = (uint8_t)(i * 7 + j * 13);
}

size_t tn_bench_workload_room(const struct tn_bench_shape *shape)
{
    return shape->key_bytes + 2 * sizeof(uint8_t) + 3 * sizeof(uint32_t);
}

bool tn_bench_workload_init(struct tn_bench_workload *workload, uint64_t entries,
                            const struct tn_bench_shape *shape, size_t operations_max)
{
    size_t count = (size_t)entries;

    *workload = (struct tn_bench_workload){ .entries = entries, .shape = *shape };
    workload->key_count_max = tn_max(count, operations_max);
    workload->keys = malloc(workload->key_count_max * shape->key_bytes);
    workload->which = malloc(workload->key_count_max);
    workload->permutation = malloc(count * sizeof *workload->permutation);
    workload->model_shift = malloc(count * sizeof *workload->model_shift);
    workload->model_added = malloc(count * sizeof *workload->model_added);
    workload->model_replaced = malloc(count * sizeof *workload->model_replaced);
    workload->values = aligned_alloc(64, TN_BENCH_VALUE_COUNT * shape->value_bytes);
    if (workload->keys == NULL || workload->which == NULL || workload->permutation == NULL ||
        workload->values == NULL || workload->model_shift == NULL ||
        workload->model_added == NULL || workload->model_replaced == NULL) {
        tn_bench_workload_release(workload);
        return false;
    }
    values_fill(workload->values, shape->value_bytes);
    tn_bench_workload_reset(workload);
    return true;
}

void tn_bench_workload_release(struct tn_bench_workload *workload)
{
    free(workload->keys);
    free(workload->which);
    free(workload->permutation);
    free(workload->model_shift);
    free(workload->model_added);
    free(workload->model_replaced);
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
    memset(workload->model_replaced, 0, count * sizeof *workload->model_replaced);
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
            key_set(workload, at + i, place_number(workload, workload->permutation[i]));
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

        key_set(workload, i, place_number(workload, workload->permutation[rank - 1]));
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
            key_set(workload, i, place_number(workload, (start + i) % entries));
        break;
    case TN_BENCH_MISSING:
        for (i = 0; i < count; i++)
            key_set(workload, i, entries + workload_below(workload, entries));
        break;
    case TN_BENCH_STARTS:
        for (i = 0; i < count; i++)
            key_set(workload, i, workload_below(workload, entries - length + 1));
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
        key_set(workload, i, place_number(workload, i % entries));
}

void tn_bench_workload_rounds(struct tn_bench_workload *workload, size_t rounds, size_t count)
{
    size_t round, i;

    workload->key_count = rounds * count;
    for (round = 0; round < rounds; round++) {
        permutation_draw(workload, count);
        for (i = 0; i < count; i++)
            key_set(workload, round * count + i, place_number(workload, workload->permutation[i]));
    }
}

/* Fisher and Yates, over numbers. */
void tn_bench_workload_shuffle(struct tn_bench_workload *workload, size_t at, size_t count)
{
    size_t i, other;
    uint64_t number;

    for (i = count; i > 1; i--) {
        other = at + (size_t)workload_below(workload, i);
        number = key_number(workload, key_at(workload, other));
        key_set(workload, other, key_number(workload, key_at(workload, at + i - 1)));
        key_set(workload, at + i - 1, number);
    }
}

void tn_bench_workload_replacements(struct tn_bench_workload *workload, size_t count)
{
    size_t at, i, round;

    workload->key_count = count;
    for (at = 0; at < count; at += round) {
        round = tn_min(count - at, (size_t)workload->entries);
        permutation_draw(workload, round);
        for (i = 0; i < round; i++) {
            uint32_t place = workload->permutation[i];

            key_set(workload, 2 * (at + i), place_number(workload, place));
            workload->model_replaced[place]++;
            workload->model_shift[place] = 0;
            workload->model_added[place] = 0;
            key_set(workload, 2 * (at + i) + 1, place_number(workload, place));
        }
    }
}

uint64_t tn_bench_workload_sum_gets(const struct tn_bench_workload *workload)
{
    uint64_t sum = 0;
    size_t i;

    for (i = 0; i < workload->key_count; i++)
        sum += model_read(workload, place_at(workload, i));
    return sum;
}

/* Of places that nothing was replaced in. */
static uint64_t sum_range(const struct tn_bench_workload *workload, uint64_t from, uint64_t to)
{
    uint64_t sum = 0;

    for (; from < to; from++)
        sum += key_read(workload, from) + model_read(workload, from);
    return sum;
}

uint64_t tn_bench_workload_sum_scans(const struct tn_bench_workload *workload, size_t length)
{
    uint64_t sum = 0, from;
    size_t i;

    for (i = 0; i < workload->key_count; i++) {
        from = place_at(workload, i);
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
        uint64_t place = place_at(workload, i);

        workload->model_shift[place] = (uint8_t)shift;
        workload->model_added[place] = 0;
    }
}

void tn_bench_workload_did_modify(struct tn_bench_workload *workload)
{
    size_t i;

    for (i = 0; i < workload->key_count; i++)
        workload->model_added[place_at(workload, i)]++;
}

bool tn_bench_workload_check(const void *context, const void *key, const void *value,
                             size_t value_bytes)
{
    const struct tn_bench_workload *workload = context;
    uint64_t number = key_number(workload, key), place = number % workload->entries;
    uint8_t expected[TN_BENCH_VALUE_BYTES_MAX];

    if (number != place_number(workload, place) || value_bytes != workload->shape.value_bytes)
        return false;
    memcpy(expected, model_value(workload, place), value_bytes);
    tn_store_le64(expected, tn_load_le64(expected) + workload->model_added[place]);
    return memcmp(expected, value, value_bytes) == 0;
}

struct tn_bench_pass tn_bench_workload_pass(const struct tn_bench_workload *workload)
{
    return (struct tn_bench_pass){
        .keys = workload->keys,
        .which = workload->which,
        .shape = workload->shape,
        .count = workload->key_count,
        .width = 1,
        .values = workload->values,
        .check = tn_bench_workload_check,
        .check_context = workload,
    };
}
