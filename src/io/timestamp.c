/*
 * timestamp.c - see timestamp.h for the rules
 */
#include "io/timestamp.h"

#include "base/digits.h"
#include "io/calendar.h"
#include "io/pattern.h"

#include <stdio.h>
#include <string.h>

/* ---- formats --------------------------------------------------------------------------------- */

static const char *const kind_names[] = { "auto", "s", "ms", "us", "ns", "iso" };

bool tn_timestamp_format_read(struct tn_timestamp_format *out, const char *text,
                              struct tn_reason *reason)
{
    size_t i;

    *out = (struct tn_timestamp_format){ 0 };
    for (i = 0; i < TN_ARRAY_COUNT(kind_names); i++)
        if (strcmp(text, kind_names[i]) == 0) {
            out->kind = (enum tn_timestamp_kind)i;
            return true;
        }
    out->kind = TN_TIMESTAMP_PATTERN;
    if (strchr(text, '%') != NULL)
        return tn_pattern_compile(text, out->pattern, sizeof out->pattern, reason);
    tn_reason_set(reason, "not a time format: ");
    tn_reason_add_quoted(reason, text, strlen(text), 40);
    tn_reason_add(reason,
                  "; write auto, s, ms, us, ns, iso or a pattern like '%%d/%%m/%%Y %%H:%%M'");
    return false;
}

const char *tn_timestamp_format_text(const struct tn_timestamp_format *format)
{
    return format->kind == TN_TIMESTAMP_PATTERN ? format->pattern : kind_names[format->kind];
}

/* ---- numbers --------------------------------------------------------------------------------- */

/* A number as it is written: [+-]digits[.digits] (T2). */
struct number {
    bool negative;
    const char *digits;
    size_t digit_count;
    const char *fraction;
    size_t fraction_count;
};

static size_t count_digits(const char *at, const char *end)
{
    const char *begin = at;

    while (at < end && tn_is_digit(*at))
        at++;
    return (size_t)(at - begin);
}

static bool number_split(tarn_bytes text, struct number *out)
{
    const char *at = text.data, *end = at + text.bytes;

    *out = (struct number){ .negative = at < end && *at == '-' };
    if (at < end && (*at == '-' || *at == '+'))
        at++;
    out->digits = at;
    out->digit_count = count_digits(at, end);
    at += out->digit_count;
    if (out->digit_count > 0 && at < end && *at == '.') {
        out->fraction = ++at;
        out->fraction_count = count_digits(at, end);
        at += out->fraction_count;
        if (out->fraction_count == 0)
            return false;
    }
    return out->digit_count > 0 && at == end;
}

static enum tn_timestamp_kind number_kind(const struct number *number) /* T4 */
{
    return number->digit_count <= 11   ? TN_TIMESTAMP_S
           : number->digit_count <= 14 ? TN_TIMESTAMP_MS
           : number->digit_count <= 17 ? TN_TIMESTAMP_US
                                       : TN_TIMESTAMP_NS;
}

static bool digits_are_zero(const char *at, size_t count)
{
    while (count > 0 && at[count - 1] == '0')
        count--;
    return count == 0;
}

/*
 * The number in milliseconds, floored (T3). A number of seconds takes its first three fraction
 * digits along; of one finer than milliseconds, the last integer digits go.
 */
static bool number_ms(const struct number *number, enum tn_timestamp_kind kind, int64_t *out_ms)
{
    size_t dropped = kind == TN_TIMESTAMP_US ? 3 : kind == TN_TIMESTAMP_NS ? 6 : 0;
    size_t kept = number->digit_count > dropped ? number->digit_count - dropped : 0;
    size_t taken = kind == TN_TIMESTAMP_S ? 3 : 0, i;
    uint64_t ms = 0;
    bool rest;

    for (i = 0; i < kept + taken; i++) {
        char digit = i < kept                            ? number->digits[i]
                     : i - kept < number->fraction_count ? number->fraction[i - kept]
                                                         : '0';

        if (__builtin_mul_overflow(ms, (uint64_t)10, &ms) ||
            __builtin_add_overflow(ms, (uint64_t)(digit - '0'), &ms))
            return false;
    }
    rest = !digits_are_zero(number->digits + kept, number->digit_count - kept);
    if (number->fraction_count > taken)
        rest |= !digits_are_zero(number->fraction + taken, number->fraction_count - taken);
    if (number->negative &&
        __builtin_add_overflow(ms, (uint64_t)rest, &ms)) /* down is away from 0 */
        return false;
    if (ms > INT64_MAX)
        return false;
    *out_ms = number->negative ? -(int64_t)ms : (int64_t)ms;
    return true;
}

/* ---- iso ------------------------------------------------------------------------------------- */

static bool iso_date(struct tn_cursor *cursor, struct tn_moment *out)
{
    int year;

    if (!tn_cursor_digits(cursor, 4, 4, &year) || !tn_cursor_take(cursor, '-') ||
        !tn_cursor_digits(cursor, 2, 2, &out->month) || !tn_cursor_take(cursor, '-'))
        return false;
    out->year = year;
    return tn_cursor_digits(cursor, 2, 2, &out->day);
}

static bool iso_time(struct tn_cursor *cursor, struct tn_moment *out)
{
    if (!tn_cursor_take(cursor, 'T') && !tn_cursor_take(cursor, ' ') &&
        !tn_cursor_take(cursor, 't'))
        return false;
    if (!tn_cursor_digits(cursor, 2, 2, &out->hour) || !tn_cursor_take(cursor, ':') ||
        !tn_cursor_digits(cursor, 2, 2, &out->minute))
        return false;
    if (!tn_cursor_take(cursor, ':'))
        return true;
    if (!tn_cursor_digits(cursor, 2, 2, &out->second))
        return false;
    if (!tn_cursor_take(cursor, '.') && !tn_cursor_take(cursor, ','))
        return true;
    return tn_cursor_fraction(cursor, &out->millisecond);
}

static bool iso_read(tarn_bytes text, int64_t *out_ms)
{
    const char *begin = text.data;
    struct tn_cursor cursor = { begin, begin + text.bytes };
    struct tn_moment moment = { 0 };

    if (!iso_date(&cursor, &moment))
        return false;
    if (cursor.at < cursor.end && !iso_time(&cursor, &moment))
        return false;
    if (cursor.at < cursor.end && !tn_cursor_zone(&cursor, &moment.zone_minutes))
        return false;
    if (cursor.at != cursor.end || !tn_moment_is_valid(&moment))
        return false;
    *out_ms = tn_moment_ms(&moment);
    return true;
}

/*
 * Eight bytes at once, compared with a shape in which '0' stands for any digit. The answer's bytes
 * are the digits' values, first one lowest; *wrong becomes not 0 when the bytes have another shape.
 */
static inline uint64_t shape_digits(const char *at, const char *shape, uint64_t *wrong)
{
    uint64_t ones = UINT64_C(0x0101010101010101), wanted = tn_load_le64(shape);
    uint64_t fixed =
        ((wanted ^ ones * '0') + ones * 0x7F) & ones * 0x80; /* where shape is not '0' */
    uint64_t values = tn_load_le64(at) ^ wanted;
    uint64_t allowed = ones * 0x76 + (fixed >> 7) * 9; /* 0x80 less one more than is allowed */

    *wrong |= ((values + allowed) | values) & ones * 0x80;
    return values;
}

/* The number that `count` digits from byte `from` of shape_digits on make. */
static inline int shape_number(uint64_t values, int from, int count)
{
    int number = 0, i;

    for (i = from; i < from + count; i++)
        number = number * 10 + (int)(values >> (8 * i) & 0x0F);
    return number;
}

/*
 * The one form that most streams have, by position. false: some other form, or not a time.
 */
static bool iso_read_fast(tarn_bytes text, int64_t *out_ms)
{
    static const char shape[] = "0000-00-00T00:00:00.000Z";
    const char *at = text.data;
    uint64_t wrong = 0, first, second, third;
    struct tn_moment moment;

    if (text.bytes != sizeof shape - 1)
        return false;
    first = shape_digits(at, shape, &wrong);
    second = shape_digits(at + 8, shape + 8, &wrong);
    third = shape_digits(at + 16, shape + 16, &wrong);
    if (wrong != 0)
        return false;
    moment = (struct tn_moment){
        .year = shape_number(first, 0, 4),
        .month = shape_number(first, 5, 2),
        .day = shape_number(second, 0, 2),
        .hour = shape_number(second, 3, 2),
        .minute = shape_number(second, 6, 2),
        .second = shape_number(third, 1, 2),
        .millisecond = shape_number(third, 4, 3),
    };
    if (!tn_moment_is_valid(&moment))
        return false;
    *out_ms = tn_moment_ms(&moment);
    return true;
}

/*
 * Digits alone, 9 to 16 of them, as most streams have in the formats that most have. false:
 * something else.
 */
static inline bool number_read_fast(tarn_bytes text, enum tn_timestamp_kind kind, int64_t *out_ms)
{
    unsigned head_count = (unsigned)(text.bytes - 8);
    uint64_t head, tail, number;

    if (text.bytes < 9 || text.bytes > 16)
        return false;
    head = tn_digits_align(tn_load_le64(text.data), head_count);
    tail = tn_load_le64((const char *)text.data + head_count);
    if (!tn_digits_are(head) || !tn_digits_are(tail))
        return false;
    number = tn_digits_value(head) * 100000000 + tn_digits_value(tail);
    if (kind == TN_TIMESTAMP_MS)
        *out_ms = (int64_t)number;
    else if (kind == TN_TIMESTAMP_S && number <= INT64_MAX / 1000)
        *out_ms = (int64_t)number * 1000;
    else if (kind == TN_TIMESTAMP_US)
        *out_ms = (int64_t)(number / 1000);
    else
        return false;
    return true;
}

/* ---- read ------------------------------------------------------------------------------------ */

static bool timestamp_refuse(const struct tn_timestamp_format *format, tarn_bytes text,
                             struct tn_reason *reason)
{
    static const char *const expected[] = {
        "a time in ISO 8601 or a number", "a number of seconds",     "a number of milliseconds",
        "a number of microseconds",       "a number of nanoseconds", "a time in ISO 8601",
    };

    tn_reason_set(reason, "not a time: ");
    tn_reason_add_quoted(reason, text.data, text.bytes, 60);
    if (format->kind == TN_TIMESTAMP_PATTERN)
        tn_reason_add(reason, " (expected by the pattern '%s')", format->pattern);
    else
        tn_reason_add(reason, " (expected %s)", expected[format->kind]);
    return false;
}

bool tn_timestamp_read(struct tn_timestamp_format *format, tarn_bytes text, int64_t *out_ms,
                       struct tn_reason *reason)
{
    enum tn_timestamp_kind kind = format->kind;
    struct number number;
    bool done;

    if (kind == TN_TIMESTAMP_ISO && TN_LIKELY(iso_read_fast(text, out_ms)))
        return true;
    if (kind <= TN_TIMESTAMP_US && number_read_fast(text, kind, out_ms))
        return true;
    if (kind == TN_TIMESTAMP_AUTO && number_split(text, &number))
        kind = number_kind(&number);
    if (kind == TN_TIMESTAMP_AUTO)
        kind = TN_TIMESTAMP_ISO;
    if (kind == TN_TIMESTAMP_ISO)
        done = iso_read(text, out_ms);
    else if (kind == TN_TIMESTAMP_PATTERN)
        done = tn_pattern_read(format->pattern, text.data, text.bytes, out_ms);
    else
        done = number_split(text, &number) && number_ms(&number, kind, out_ms);
    if (!done)
        return timestamp_refuse(format, text, reason);
    format->kind = kind; /* T4 */
    return true;
}

/* ---- print ----------------------------------------------------------------------------------- */

static size_t print_digits(char *to, uint64_t number, size_t count)
{
    size_t i;

    for (i = count; i > 0; i--) {
        to[i - 1] = (char)('0' + number % 10);
        number /= 10;
    }
    return count;
}

static size_t print_year(char *to, int64_t year)
{
    if (year >= 0 && year <= 9999)
        return print_digits(to, (uint64_t)year, 4);
    return (size_t)snprintf(to, 16, "%c%06lld", year < 0 ? '-' : '+',
                            (long long)(year < 0 ? -year : year));
}

size_t tn_timestamp_print(int64_t ms, char to[TN_TIMESTAMP_BYTES_MAX])
{
    bool before = ms % TN_DAY_MS < 0; /* 1970, and not at midnight: the day began earlier */
    int64_t days = ms / TN_DAY_MS - before;
    uint64_t left = (uint64_t)(ms % TN_DAY_MS + (before ? TN_DAY_MS : 0));
    struct tn_moment moment;
    size_t bytes;

    tn_date_of_days(days, &moment);
    bytes = print_year(to, moment.year);
    to[bytes++] = '-';
    bytes += print_digits(to + bytes, (uint64_t)moment.month, 2);
    to[bytes++] = '-';
    bytes += print_digits(to + bytes, (uint64_t)moment.day, 2);
    to[bytes++] = 'T';
    bytes += print_digits(to + bytes, left / 3600000, 2);
    to[bytes++] = ':';
    bytes += print_digits(to + bytes, left / 60000 % 60, 2);
    to[bytes++] = ':';
    bytes += print_digits(to + bytes, left / 1000 % 60, 2);
    to[bytes++] = '.';
    bytes += print_digits(to + bytes, left % 1000, 3);
    to[bytes++] = 'Z';
    to[bytes] = '\0';
    return bytes;
}
