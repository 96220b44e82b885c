/*
 * decimal.c - parse, add, compare and format exact decimals; see decimal.h for the rules
 *
 * Every operation has a short path for numbers that fit 64 bits, where products with a power of ten
 * fit 128 bits and nothing can overflow, and a long path on 256-bit magnitudes, where nothing can
 * either: 128 bits times 10^18 are 188 bits.
 */
#include "stream/decimal.h"

#include "base/digits.h"

__extension__ typedef __int128 int128;
__extension__ typedef unsigned __int128 uint128;

_Static_assert(sizeof(struct tn_decimal) == 24, "D4: no padding");

#define FRACTION_DIGITS_OF_AVERAGE 6u
#define TEN_18 UINT64_C(1000000000000000000)
#define EXPONENT_LIMIT ((int64_t)1 << 60) /* beyond it all exponents are the same: out of range */

static const uint64_t power_of_ten[TN_DECIMAL_SCALE_MAX + 1] = {
    UINT64_C(1),
    UINT64_C(10),
    UINT64_C(100),
    UINT64_C(1000),
    UINT64_C(10000),
    UINT64_C(100000),
    UINT64_C(1000000),
    UINT64_C(10000000),
    UINT64_C(100000000),
    UINT64_C(1000000000),
    UINT64_C(10000000000),
    UINT64_C(100000000000),
    UINT64_C(1000000000000),
    UINT64_C(10000000000000),
    UINT64_C(100000000000000),
    UINT64_C(1000000000000000),
    UINT64_C(10000000000000000),
    UINT64_C(100000000000000000),
    TEN_18,
};

static int128 unscaled_of(const struct tn_decimal *number)
{
    return (int128)(((uint128)(uint64_t)number->high << 64) | number->low);
}

static struct tn_decimal decimal_of(int128 unscaled, uint64_t scale)
{
    return (struct tn_decimal){
        .low = (uint64_t)unscaled,
        .high = (int64_t)(unscaled >> 64),
        .scale = scale,
    };
}

static uint128 magnitude_of(int128 value)
{
    return value < 0 ? -(uint128)value : (uint128)value;
}

/* The greatest magnitude that a number of this sign can have. */
static uint128 magnitude_max(bool negative)
{
    return ((uint128)1 << 127) - !negative;
}

static int128 signed_of(uint128 magnitude, bool negative)
{
    return (int128)(negative ? -magnitude : magnitude);
}

static bool fits_64_bits(const struct tn_decimal *number)
{
    return number->high == -(int64_t)(number->low >> 63); /* all sign bits alike */
}

/* ---- magnitudes of 256 bits ------------------------------------------------------------------ */

#define LIMB_COUNT 4

struct wide {
    uint64_t limbs[LIMB_COUNT]; /* the lowest first */
};

static struct wide wide_of(uint128 value)
{
    return (struct wide){ .limbs = { (uint64_t)value, (uint64_t)(value >> 64) } };
}

static bool wide_fits_64_bits(const struct wide *wide)
{
    return (wide->limbs[1] | wide->limbs[2] | wide->limbs[3]) == 0;
}

/* The value, when it is <= limit (which fits 128 bits); false when not. */
static bool wide_get(const struct wide *wide, uint128 limit, uint128 *out)
{
    uint128 value = ((uint128)wide->limbs[1] << 64) | wide->limbs[0];

    if ((wide->limbs[2] | wide->limbs[3]) != 0 || value > limit)
        return false;
    *out = value;
    return true;
}

static void wide_multiply(struct wide *wide, uint64_t factor)
{
    uint64_t carry = 0;

    for (size_t i = 0; i < LIMB_COUNT; i++) {
        uint128 product = (uint128)wide->limbs[i] * factor + carry;

        wide->limbs[i] = (uint64_t)product;
        carry = (uint64_t)(product >> 64);
    }
    tn_assert(carry == 0);
}

/* Answers the remainder. */
static uint64_t wide_divide(struct wide *wide, uint64_t divisor)
{
    uint64_t remainder = 0;

    for (size_t i = LIMB_COUNT; i-- > 0;) {
        uint128 dividend = ((uint128)remainder << 64) | wide->limbs[i];

        wide->limbs[i] = (uint64_t)(dividend / divisor);
        remainder = (uint64_t)(dividend % divisor);
    }
    return remainder;
}

static int wide_compare(const struct wide *a, const struct wide *b)
{
    for (size_t i = LIMB_COUNT; i-- > 0;) {
        if (a->limbs[i] != b->limbs[i])
            return a->limbs[i] < b->limbs[i] ? -1 : 1;
    }
    return 0;
}

static void wide_add(struct wide *a, const struct wide *b)
{
    uint64_t carry = 0;

    for (size_t i = 0; i < LIMB_COUNT; i++) {
        uint128 sum = (uint128)a->limbs[i] + b->limbs[i] + carry;

        a->limbs[i] = (uint64_t)sum;
        carry = (uint64_t)(sum >> 64);
    }
}

/* a -= b; b is not greater than a. */
static void wide_subtract(struct wide *a, const struct wide *b)
{
    uint64_t borrow = 0;

    for (size_t i = 0; i < LIMB_COUNT; i++) {
        uint128 difference = (uint128)a->limbs[i] - b->limbs[i] - borrow;

        a->limbs[i] = (uint64_t)difference;
        borrow = (uint64_t)(difference >> 64) & 1;
    }
}

/* The magnitude of a number, brought to a scale that is not below its own. */
static struct wide wide_at_scale(const struct tn_decimal *number, uint64_t scale)
{
    struct wide wide = wide_of(magnitude_of(unscaled_of(number)));

    wide_multiply(&wide, power_of_ten[scale - number->scale]);
    return wide;
}

/* ---- parse ----------------------------------------------------------------------------------- */

/*
 * Take digits into *value, at most 19 in all, so that it cannot overflow. Answers where they end.
 */
static const char *digits_take(const char *at, const char *end, uint64_t *value)
{
    while (end - at >= 8) {
        uint64_t eight = tn_load_le64(at);

        if (!tn_digits_are(eight))
            break;
        *value = *value * 100000000 + tn_digits_value(eight);
        at += 8;
    }
    while (at < end && (unsigned char)(*at - '0') <= 9)
        *value = *value * 10 + (unsigned char)(*at++ - '0');
    return at;
}

/* A number of any length under way: its digits so far without the zeros at their end. */
struct digits {
    uint128 value;
    uint128 limit;
    uint64_t zero_count; /* zeros seen behind value's last digit */
    bool overflow; /* value without trailing zeros is above limit: no exponent can mend that */
};

/* value = value * 10 + digit, unless that is above the limit. */
static bool digits_push(struct digits *digits, unsigned digit)
{
    if (digits->value > (digits->limit - digit) / 10)
        return false;
    digits->value = digits->value * 10 + digit;
    return true;
}

static void digits_add(struct digits *digits, unsigned digit)
{
    if (digit == 0) {
        digits->zero_count++;
        return;
    }
    if (digits->value == 0)
        digits->zero_count = 0; /* leading zeros */
    for (; digits->zero_count > 0 && !digits->overflow; digits->zero_count--)
        digits->overflow = !digits_push(digits, 0);
    if (!digits->overflow)
        digits->overflow = !digits_push(digits, digit);
    digits->zero_count = 0;
}

static const char *digits_take_long(const char *at, const char *end, struct digits *digits)
{
    for (; at < end && (unsigned char)(*at - '0') <= 9; at++)
        digits_add(digits, (unsigned char)(*at - '0'));
    return at;
}

/* Read "[+-]digits" at the end of a text, saturating. false: something else is there. */
static bool exponent_read(const char *at, const char *end, int64_t *exponent)
{
    bool negative = at < end && *at == '-';
    int64_t value = 0;

    if (at < end && (*at == '-' || *at == '+'))
        at++;
    if (at == end)
        return false;
    for (; at < end; at++) {
        if ((unsigned char)(*at - '0') > 9)
            return false;
        if (value < EXPONENT_LIMIT / 16)
            value = value * 10 + (*at - '0');
    }
    *exponent = negative ? -value : value;
    return true;
}

/* value * 10^exponent, value without trailing zeros, as a decimal. */
static enum tn_decimal_answer digits_finish(struct digits *digits, int64_t exponent, bool negative,
                                            struct tn_decimal *out)
{
    if (digits->overflow)
        return TN_DECIMAL_RANGE;
    if (digits->value == 0) {
        *out = (struct tn_decimal){ .scale = 0 };
        return TN_DECIMAL_OK;
    }
    if (exponent < -(int64_t)TN_DECIMAL_SCALE_MAX)
        return TN_DECIMAL_RANGE;
    for (; exponent > 0; exponent--) {
        if (!digits_push(digits, 0))
            return TN_DECIMAL_RANGE;
    }
    *out = decimal_of(signed_of(digits->value, negative), (uint64_t)-exponent);
    return TN_DECIMAL_OK;
}

/* Any number, sign taken off already. */
static enum tn_decimal_answer parse_long(struct tn_decimal *out, const char *at, const char *end,
                                         bool negative)
{
    struct digits digits = { .limit = magnitude_max(negative) };
    const char *start = at;
    int64_t exponent = 0;
    int64_t fraction_digits = 0;

    at = digits_take_long(at, end, &digits);
    if (at == start)
        return TN_DECIMAL_SYNTAX;
    if (at < end && *at == '.') {
        start = ++at;
        at = digits_take_long(at, end, &digits);
        fraction_digits = at - start;
        if (fraction_digits == 0)
            return TN_DECIMAL_SYNTAX;
    }
    if (at < end && (*at == 'e' || *at == 'E')) {
        if (!exponent_read(at + 1, end, &exponent))
            return TN_DECIMAL_SYNTAX;
        at = end;
    }
    if (at < end)
        return TN_DECIMAL_SYNTAX;
    exponent += (int64_t)digits.zero_count - fraction_digits;
    return digits_finish(&digits, exponent, negative, out);
}

/*
 * A number of 1 to 8 bytes, sign taken off already, at once. false: it is not digits with perhaps a
 * point between; nothing has changed.
 */
static inline bool parse_short(struct tn_decimal *out, const char *at, size_t bytes, bool negative)
{
    uint64_t word = tn_digits_load(at, bytes), value;
    unsigned count = (unsigned)bytes, point = tn_digits_find(word, '.'), scale = 0;

    if (point < count) {
        if (point == 0 || point + 1 == count)
            return false;
        scale = count - point - 1;
        word = (word & ((UINT64_C(1) << 8 * point) - 1)) | word >> 8 * (point + 1) << 8 * point;
        count--;
    }
    word = tn_digits_align(word, count);
    if (!tn_digits_are(word))
        return false;
    for (value = tn_digits_value(word); scale > 0 && value % 10 == 0; scale--)
        value /= 10;
    *out = decimal_of(signed_of(value, negative), scale);
    return true;
}

enum tn_decimal_answer tn_decimal_parse(struct tn_decimal *out, const void *text, size_t bytes)
{
    const char *at = text;
    const char *end = at + bytes;
    const char *start;
    bool negative = false;
    uint64_t value = 0;
    uint64_t scale = 0;

    if (bytes == 0)
        return TN_DECIMAL_SYNTAX;
    if (*at == '-' || *at == '+')
        negative = *at++ == '-';
    start = at;
    if (at < end && end - at <= 8 && TN_LIKELY(parse_short(out, at, (size_t)(end - at), negative)))
        return TN_DECIMAL_OK;
    if (end - at > 19)
        return parse_long(out, start, end, negative);
    at = digits_take(at, end, &value);
    if (at > start && end - at > 1 && *at == '.') {
        const char *fraction = ++at;

        at = digits_take(at, end, &value);
        for (scale = (uint64_t)(at - fraction); scale > 0 && value % 10 == 0; scale--)
            value /= 10;
    }
    if (at == start || at < end)
        return parse_long(out, start, end, negative); /* an exponent, or not a number */
    *out = decimal_of(signed_of(value, negative), scale);
    return TN_DECIMAL_OK;
}

/* ---- add, compare ---------------------------------------------------------------------------- */

/* The sum at the greater scale, then as many zeros off its end as it takes to fit (D2). */
static bool add_long(struct tn_decimal *sum, const struct tn_decimal *term)
{
    uint64_t scale = sum->scale > term->scale ? sum->scale : term->scale;
    struct wide total = wide_at_scale(sum, scale);
    struct wide other = wide_at_scale(term, scale);
    bool negative = sum->high < 0;
    uint128 magnitude;

    if (negative == (term->high < 0)) {
        wide_add(&total, &other);
    } else if (wide_compare(&total, &other) >= 0) {
        wide_subtract(&total, &other);
    } else {
        wide_subtract(&other, &total);
        total = other;
        negative = !negative;
    }
    while (!wide_get(&total, magnitude_max(negative), &magnitude)) {
        if (scale-- == 0 || wide_divide(&total, 10) != 0)
            return false;
    }
    *sum = decimal_of(signed_of(magnitude, negative), scale);
    return true;
}

bool tn_decimal_add(struct tn_decimal *sum, const struct tn_decimal *term)
{
    int128 total;

    if (TN_LIKELY(sum->scale == term->scale)) {
        if (TN_LIKELY(!__builtin_add_overflow(unscaled_of(sum), unscaled_of(term), &total))) {
            *sum = decimal_of(total, sum->scale);
            return true;
        }
    } else if (fits_64_bits(sum) && fits_64_bits(term)) {
        uint64_t scale = sum->scale > term->scale ? sum->scale : term->scale;

        total = (int128)(int64_t)sum->low * (int64_t)power_of_ten[scale - sum->scale] +
                (int128)(int64_t)term->low * (int64_t)power_of_ten[scale - term->scale];
        *sum = decimal_of(total, scale);
        return true;
    }
    return add_long(sum, term);
}

static int compare_long(const struct tn_decimal *a, const struct tn_decimal *b)
{
    uint64_t scale = a->scale > b->scale ? a->scale : b->scale;
    bool negative = a->high < 0;
    struct wide wide_a;
    struct wide wide_b;

    if (negative != (b->high < 0))
        return negative ? -1 : 1;
    wide_a = wide_at_scale(a, scale);
    wide_b = wide_at_scale(b, scale);
    return negative ? wide_compare(&wide_b, &wide_a) : wide_compare(&wide_a, &wide_b);
}

int tn_decimal_compare(const struct tn_decimal *a, const struct tn_decimal *b)
{
    int128 left = unscaled_of(a);
    int128 right = unscaled_of(b);

    if (a->scale != b->scale) {
        uint64_t scale = a->scale > b->scale ? a->scale : b->scale;

        if (!fits_64_bits(a) || !fits_64_bits(b))
            return compare_long(a, b);
        left *= (int64_t)power_of_ten[scale - a->scale];
        right *= (int64_t)power_of_ten[scale - b->scale];
    }
    return (left > right) - (left < right);
}

/* ---- format ---------------------------------------------------------------------------------- */

/*
 * Write digits of `value` so that they end at `end`, at least `least` of them. Answers their start.
 */
static char *digits_put(char *end, uint64_t value, unsigned least)
{
    char *at = end;

    while (value != 0 || end - at < (ptrdiff_t)least) {
        *--at = (char)('0' + value % 10);
        value /= 10;
    }
    return at;
}

/* value / 10^scale in canonical form. */
static size_t format_wide(char *out, struct wide value, unsigned scale, bool negative)
{
    char digits[80]; /* 256 bits are 78 digits */
    char *end = digits + sizeof digits;
    char *at = end;
    size_t whole_bytes;
    size_t fraction_bytes;
    size_t bytes = 0;

    while (!wide_fits_64_bits(&value))
        at = digits_put(at, wide_divide(&value, TEN_18), 18);
    at = digits_put(at, value.limbs[0], 0);
    if (end - at <= (ptrdiff_t)scale)
        at = digits_put(at, 0, scale + 1 - (unsigned)(end - at)); /* "5" at scale 2: "005" */
    whole_bytes = (size_t)(end - at) - scale;
    for (fraction_bytes = scale; fraction_bytes > 0 && end[-1] == '0'; fraction_bytes--)
        end--;

    if (negative && (fraction_bytes > 0 || whole_bytes > 1 || *at != '0'))
        out[bytes++] = '-';
    memcpy(out + bytes, at, whole_bytes);
    bytes += whole_bytes;
    if (fraction_bytes > 0) {
        out[bytes++] = '.';
        memcpy(out + bytes, at + whole_bytes, fraction_bytes);
        bytes += fraction_bytes;
    }
    tn_assert(bytes <= TN_DECIMAL_TEXT_BYTES_MAX);
    return bytes;
}

size_t tn_decimal_format(char *out, const struct tn_decimal *number)
{
    struct wide value = wide_of(magnitude_of(unscaled_of(number)));

    return format_wide(out, value, (unsigned)number->scale, number->high < 0);
}

/*
 * sum / count at 6 decimals is magnitude / (10^cut * count), or a product when the scale is below
 * 6. Dividing by 10^cut and then by count leaves the remainder  second * 10^cut + first  of the
 * divisor count * 10^cut, both below 2^104.
 */
size_t tn_decimal_format_average(char *out, const struct tn_decimal *sum, uint64_t count)
{
    struct wide quotient = wide_of(magnitude_of(unscaled_of(sum)));
    uint64_t unit = 1; /* 10^cut */
    uint64_t first = 0;
    uint128 divisor;
    uint128 twice;

    tn_assert(count > 0);
    if (sum->scale <= FRACTION_DIGITS_OF_AVERAGE) {
        wide_multiply(&quotient, power_of_ten[FRACTION_DIGITS_OF_AVERAGE - sum->scale]);
    } else {
        unit = power_of_ten[sum->scale - FRACTION_DIGITS_OF_AVERAGE];
        first = wide_divide(&quotient, unit);
    }
    twice = 2 * ((uint128)wide_divide(&quotient, count) * unit + first);
    divisor = (uint128)count * unit;
    if (twice > divisor || (twice == divisor && (quotient.limbs[0] & 1) != 0)) {
        struct wide one = wide_of(1);

        wide_add(&quotient, &one);
    }
    return format_wide(out, quotient, FRACTION_DIGITS_OF_AVERAGE, sum->high < 0);
}
