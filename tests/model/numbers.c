/*
 * numbers.c - operations that merge numbers into values; see run.h
 */
#include "model/run.h"

/* ---- what a merge answers -------------------------------------------------------------------- */

/* Whether a merge of that type must be refused for the sizes and types alone. */
static bool merge_is_misfit(size_t t, size_t rank, int type)
{
    int table_type = run.program->setting.types[t];

    return (table_type != TARN_ANY && table_type != type) ||
           (has(t, rank) && value_of(t, rank)->bytes != 8);
}

/* What a merge answered, and what it must have: `fits`, the new number as bits. */
static void merged(size_t t, size_t rank, int result, bool fits, uint64_t wanted, uint64_t answer)
{
    bool present = has(t, rank);

    loans_end();
    if (!fits) {
        expect(result == TARN_E_TYPE && answer == 77);
        return;
    }
    expect(result == TARN_OK || (!present && is_refusal(result)));
    if (result != TARN_OK)
        return;
    expect(answer == wanted);
    if (!present || value_of(t, rank)->seed != wanted)
        model_set(t, rank, 8, wanted);
}

/* Mostly to a number chosen beforehand, which needs a delta that may not fit. */
void do_add(size_t t, size_t rank, uint32_t word)
{
    const tarn_bytes *key = key_of(rank);
    bool misfit = merge_is_misfit(t, rank, TARN_I64), fits;
    int64_t old = has(t, rank) && !misfit ? (int64_t)value_of(t, rank)->seed : 0;
    int64_t wanted = (int64_t)seed_of(word), delta, answer = 77;
    int result;

    fits = !__builtin_sub_overflow(wanted, old, &delta);
    if (!fits)
        delta = old < 0 ? INT64_MIN : INT64_MAX; /* overflows, too */
    result = tarn_add_i64(run.tables[t], key->data, key->bytes, delta, &answer);
    merged(t, rank, result, fits && !misfit, (uint64_t)wanted, (uint64_t)answer);
}

static double f64_of(uint64_t bits)
{
    double number;

    memcpy(&number, &bits, sizeof number);
    return number;
}

static uint64_t bits_of(double number)
{
    uint64_t bits;

    memcpy(&bits, &number, sizeof bits);
    return bits;
}

/* In the order of the numbers, -0.0 before 0.0. */
static bool f64_before(uint64_t a, uint64_t b)
{
    return f64_of(a) < f64_of(b) || (f64_of(a) == f64_of(b) && a >> 63 > b >> 63);
}

static void do_extreme_i64(size_t t, size_t rank, uint64_t bits, bool greatest)
{
    const tarn_bytes *key = key_of(rank);
    bool misfit = merge_is_misfit(t, rank, TARN_I64);
    int64_t operand = (int64_t)bits, answer = 77, wanted = operand;
    int result = (greatest ? tarn_max_i64(run.tables[t], key->data, key->bytes, operand, &answer)
                           : tarn_min_i64(run.tables[t], key->data, key->bytes, operand, &answer));

    if (has(t, rank) && !misfit) {
        int64_t old = (int64_t)value_of(t, rank)->seed;

        wanted = (greatest ? old > operand : old < operand) ? old : operand;
    }
    merged(t, rank, result, !misfit, (uint64_t)wanted, (uint64_t)answer);
}

/* kind 0: add, 1: min, 2: max. */
static void do_merge_f64(size_t t, size_t rank, uint64_t bits, unsigned kind)
{
    const tarn_bytes *key = key_of(rank);
    bool misfit = merge_is_misfit(t, rank, TARN_F64), known = has(t, rank) && !misfit;
    uint64_t old = known ? value_of(t, rank)->seed : 0, wanted = bits;
    double answer = f64_of(77), sum = f64_of(old) + f64_of(bits);
    bool fits = f64_of(bits) == f64_of(bits) && f64_of(old) == f64_of(old);
    int result;

    if (kind == 0) {
        result = tarn_add_f64(run.tables[t], key->data, key->bytes, f64_of(bits), &answer);
        fits = sum == sum;
        wanted = bits_of(sum);
    } else if (kind == 1) {
        result = tarn_min_f64(run.tables[t], key->data, key->bytes, f64_of(bits), &answer);
        wanted = known && f64_before(old, bits) ? old : bits;
    } else {
        result = tarn_max_f64(run.tables[t], key->data, key->bytes, f64_of(bits), &answer);
        wanted = known && f64_before(bits, old) ? old : bits;
    }
    merged(t, rank, result, fits && !misfit, wanted, bits_of(answer));
}

/* Any bits, or one of the numbers at which comparisons and sums go wrong. */
static uint64_t operand_of(uint32_t word)
{
    static const uint64_t edges[] = {
        0,
        1,
        UINT64_C(1) << 63,            /* -0.0, and the least integer */
        UINT64_C(0x7FF0000000000000), /* infinite */
        UINT64_C(0xFFF0000000000000),
        UINT64_C(0x7FF8000000000000), /* not a number */
        UINT64_C(0x7FFFFFFFFFFFFFFF), /* the greatest integer */
        UINT64_C(0x3FF0000000000000),
    };

    return word % 4 == 0 ? edges[word / 4 % TN_ARRAY_COUNT(edges)] : seed_of(word);
}

void do_merge(size_t t, size_t rank, uint32_t word)
{
    uint64_t operand = operand_of(word >> 4);

    switch (word % 5) {
    case 0:
        do_extreme_i64(t, rank, operand, false);
        break;
    case 1:
        do_extreme_i64(t, rank, operand, true);
        break;
    default:
        do_merge_f64(t, rank, operand, word % 5 - 2);
    }
}
