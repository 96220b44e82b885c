/*
 * decimal.h - exact decimal numbers: a 128-bit integer and the place of the point
 *
 * The value is unscaled / 10^scale, with scale 0 to 18. Nothing here rounds, except an average when
 * it is written, once.
 *
 *     "-12.50"   ->  unscaled -125, scale 1
 *     "25e-4"    ->  unscaled 25, scale 4
 *
 * What is a number: an optional sign (+ or -), digits, optionally a point with digits behind it,
 * optionally an exponent (e or E, optional sign, digits); that is JSON's, with a leading '+' and
 * leading zeros ("007") allowed besides. Not numbers: the empty text, spaces around it, "1.", ".5",
 * "1e", inf, nan, 0x1F, 1_000, 1,5.
 *
 * Rules
 *   D1  A parsed number has the smallest scale that is exact. A sum may have a greater one: compare
 *       and format do not mind.
 *   D2  A number is out of range only when its smallest exact scale is above 18 or its unscaled
 *       value at that scale leaves 128 bits; that holds for texts and for sums alike.
 *   D3  All zero bytes are the number 0.
 *   D4  It is plain bytes in native order, a multiple of 8 long, so it can lie in a store's value.
 */
#ifndef TN_DECIMAL_H
#define TN_DECIMAL_H

#include "base/base.h"

#define TN_DECIMAL_SCALE_MAX 18u

/* A sign, 39 digits before the point, the point, 6 digits of an average; and one to spare. */
#define TN_DECIMAL_TEXT_BYTES_MAX 48u

struct tn_decimal {
    uint64_t low; /* the unscaled value, two's complement */
    int64_t high;
    uint64_t scale;
};

enum tn_decimal_answer {
    TN_DECIMAL_OK = 0,
    TN_DECIMAL_SYNTAX = 1, /* not a number */
    TN_DECIMAL_RANGE = 2,  /* a number, but D2 */
};

/* *out is untouched unless the answer is TN_DECIMAL_OK. */
enum tn_decimal_answer tn_decimal_parse(struct tn_decimal *out, const void *text, size_t bytes);

/* *sum += *term, exactly. false: out of range (D2), and *sum is unchanged. */
bool tn_decimal_add(struct tn_decimal *sum, const struct tn_decimal *term);

/* < 0, 0, > 0 as a is less than, equal to, greater than b, whatever their scales. */
int tn_decimal_compare(const struct tn_decimal *a, const struct tn_decimal *b);

/*
 * Write the canonical text: no exponent, no trailing zeros, no "-0". `out` has room for
 * TN_DECIMAL_TEXT_BYTES_MAX bytes; answers how many were written. Not NUL-terminated.
 */
size_t tn_decimal_format(char *out, const struct tn_decimal *number);

/*
 * As tn_decimal_format, of sum / count (> 0): the exact quotient, rounded half-even to 6 decimals.
 */
size_t tn_decimal_format_average(char *out, const struct tn_decimal *sum, uint64_t count);

#endif
