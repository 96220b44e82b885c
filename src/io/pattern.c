/*
 * pattern.c - see pattern.h for the rules
 */
#include "io/pattern.h"

#include "io/calendar.h"

#include <string.h>
#include <strings.h>

/* ---- compiling ------------------------------------------------------------------------------- */

static const char *pattern_long_form(char conversion)
{
    switch (conversion) {
    case 'F':
        return "%Y-%m-%d";
    case 'T':
        return "%H:%M:%S";
    case 'R':
        return "%H:%M";
    case 'D':
        return "%m/%d/%y";
    default:
        return NULL;
    }
}

/* V1. `has` tells of each conversion whether it is there. */
static bool pattern_is_complete(const bool has[128])
{
    bool year = has['Y'] || has['y'];
    bool month = has['m'] || has['b'] || has['B'] || has['h'];
    bool day = has['d'] || has['e'];

    return has['s'] || (year && (has['j'] || (month && day)));
}

static bool pattern_put(char *to, size_t to_bytes, size_t *used, const char *from, size_t bytes)
{
    if (bytes >= to_bytes - *used)
        return false;
    memcpy(to + *used, from, bytes);
    *used += bytes;
    to[*used] = '\0';
    return true;
}

bool tn_pattern_compile(const char *pattern, char *to, size_t to_bytes, struct tn_reason *reason)
{
    bool has[128] = { false }, fits = true;
    size_t used = 0;
    const char *at, *known;

    for (at = pattern; *at != '\0' && fits; at++) {
        const char *long_form = *at == '%' ? pattern_long_form(at[1]) : NULL;
        size_t bytes = *at == '%' ? 2 : 1;

        known = *at == '%' && at[1] != '\0' ? strchr("YymbBhdejHIpMSfzZsaAFTRDnt%", at[1]) : at;
        if (known == NULL || (*at == '%' && at[1] == '\0')) {
            tn_reason_set(reason, "a time pattern cannot hold ");
            tn_reason_add_quoted(reason, at, strnlen(at, 2), 2);
            tn_reason_add(reason, "; known are %%Y %%m %%d %%H %%M %%S %%f %%z %%b %%s and others");
            return false;
        }
        if (long_form != NULL) {
            for (known = long_form; *known != '\0'; known++)
                has[(unsigned char)*known & 127] |= known > long_form && known[-1] == '%';
            fits = pattern_put(to, to_bytes, &used, long_form, strlen(long_form));
        } else {
            if (bytes == 2)
                has[(unsigned char)at[1] & 127] = true;
            fits = pattern_put(to, to_bytes, &used, at, bytes);
        }
        at += bytes - 1;
    }
    if (!fits)
        tn_reason_set(reason, "the time pattern is longer than %zu bytes", to_bytes - 1);
    else if (!pattern_is_complete(has))
        tn_reason_set(reason,
                      "the time pattern gives no full date; it needs %%Y %%m %%d, %%Y %%j or "
                      "%%s");
    return fits && pattern_is_complete(has);
}

/* ---- reading --------------------------------------------------------------------------------- */

struct pattern_parts {
    struct tn_moment moment;
    int day_of_year; /* 0: not given */
    int half;        /* 0: not given, 1: AM, 2: PM */
    int hour_of_half;
    bool is_epoch;
    int64_t epoch_s;
};

static const char *const month_names[] = { "January",   "February", "March",    "April",
                                           "May",       "June",     "July",     "August",
                                           "September", "October",  "November", "December" };
static const char *const day_names[] = { "Sunday",   "Monday", "Tuesday", "Wednesday",
                                         "Thursday", "Friday", "Saturday" };
static const char *const half_names[] = { "AM", "PM" };
static const char *const zone_names[] = { "UTC", "GMT", "Z" };

static bool cursor_word(struct tn_cursor *cursor, const char *word, size_t bytes)
{
    if ((size_t)(cursor->end - cursor->at) < bytes || strncasecmp(cursor->at, word, bytes) != 0)
        return false;
    cursor->at += bytes;
    return true;
}

/* The index + 1 of the name that comes next, in full or as its first three letters; 0: none. */
static int cursor_name(struct tn_cursor *cursor, const char *const *names, size_t count)
{
    size_t i;

    for (i = 0; i < count; i++)
        if (cursor_word(cursor, names[i], strlen(names[i])) ||
            (strlen(names[i]) > 3 && cursor_word(cursor, names[i], 3)))
            return (int)i + 1;
    return 0;
}

static void cursor_blanks(struct tn_cursor *cursor)
{
    while (cursor->at < cursor->end && strchr(" \t\n\v\f\r", *cursor->at) != NULL &&
           *cursor->at != '\0')
        cursor->at++;
}

static bool cursor_epoch(struct tn_cursor *cursor, struct pattern_parts *parts)
{
    bool negative = tn_cursor_take(cursor, '-');
    const char *begin = cursor->at;
    int64_t number = 0;

    for (; cursor->at < cursor->end && tn_is_digit(*cursor->at); cursor->at++) {
        number = number * 10 + (*cursor->at - '0');
        if (number > INT64_MAX / 1000 / 10 - 1) /* room for one more digit, and for milliseconds */
            return false;
    }
    parts->is_epoch = true;
    parts->epoch_s = negative ? -number : number;
    return cursor->at > begin;
}

static bool cursor_short_year(struct tn_cursor *cursor, struct tn_moment *moment)
{
    int year;

    if (!tn_cursor_digits(cursor, 2, 2, &year))
        return false;
    moment->year = year + (year >= 69 ? 1900 : 2000); /* as POSIX has it */
    return true;
}

static bool read_date_part(char conversion, struct tn_cursor *cursor, struct pattern_parts *parts)
{
    struct tn_moment *moment = &parts->moment;
    int number;

    switch (conversion) {
    case 'Y':
        if (!tn_cursor_digits(cursor, 1, 4, &number))
            return false;
        moment->year = number;
        return true;
    case 'y':
        return cursor_short_year(cursor, moment);
    case 'm':
        return tn_cursor_digits(cursor, 1, 2, &moment->month);
    case 'b':
    case 'B':
    case 'h':
        moment->month = cursor_name(cursor, month_names, TN_ARRAY_COUNT(month_names));
        return moment->month != 0;
    case 'e':
        cursor_blanks(cursor);
        return tn_cursor_digits(cursor, 1, 2, &moment->day);
    case 'd':
        return tn_cursor_digits(cursor, 1, 2, &moment->day);
    case 'j':
        return tn_cursor_digits(cursor, 1, 3, &parts->day_of_year) && parts->day_of_year > 0;
    default: /* a, A */
        return cursor_name(cursor, day_names, TN_ARRAY_COUNT(day_names)) != 0;
    }
}

static bool read_part(char conversion, struct tn_cursor *cursor, struct pattern_parts *parts)
{
    struct tn_moment *moment = &parts->moment;

    switch (conversion) {
    case 'H':
        return tn_cursor_digits(cursor, 1, 2, &moment->hour);
    case 'I':
        return tn_cursor_digits(cursor, 1, 2, &parts->hour_of_half) && parts->hour_of_half >= 1 &&
               parts->hour_of_half <= 12;
    case 'p':
        parts->half = cursor_name(cursor, half_names, TN_ARRAY_COUNT(half_names));
        return parts->half != 0;
    case 'M':
        return tn_cursor_digits(cursor, 1, 2, &moment->minute);
    case 'S':
        return tn_cursor_digits(cursor, 1, 2, &moment->second);
    case 'f':
        return tn_cursor_fraction(cursor, &moment->millisecond);
    case 'z':
        return tn_cursor_zone(cursor, &moment->zone_minutes);
    case 'Z':
        return cursor_name(cursor, zone_names, TN_ARRAY_COUNT(zone_names)) != 0;
    case 's':
        return cursor_epoch(cursor, parts);
    case 'n':
    case 't':
        cursor_blanks(cursor);
        return true;
    case '%':
        return tn_cursor_take(cursor, '%');
    default:
        return read_date_part(conversion, cursor, parts);
    }
}

/* The parts together. false: no such time. */
static bool parts_ms(struct pattern_parts *parts, int64_t *out_ms)
{
    struct tn_moment *moment = &parts->moment;
    int64_t day_shift = 0;

    if (parts->is_epoch) {
        *out_ms = parts->epoch_s * 1000 + moment->millisecond;
        return true;
    }
    if (parts->hour_of_half != 0)
        moment->hour = parts->hour_of_half % 12 + (parts->half == 2 ? 12 : 0);
    if (parts->day_of_year != 0) {
        if (parts->day_of_year > 365 + tn_year_is_leap(moment->year))
            return false;
        moment->month = 1;
        moment->day = 1;
        day_shift = parts->day_of_year - 1;
    }
    if (!tn_moment_is_valid(moment))
        return false;
    *out_ms = tn_moment_ms(moment) + day_shift * TN_DAY_MS;
    return true;
}

bool tn_pattern_read(const char *pattern, const char *text, size_t bytes, int64_t *out_ms)
{
    struct tn_cursor cursor = { text, text + bytes };
    struct pattern_parts parts = { .moment = { .month = 1, .day = 1 } };

    for (; *pattern != '\0'; pattern++) {
        if (*pattern == '%') {
            pattern++;
            if (!read_part(*pattern, &cursor, &parts))
                return false;
        } else if (strchr(" \t\n\v\f\r", *pattern) != NULL) {
            cursor_blanks(&cursor); /* V2 */
        } else if (!tn_cursor_take(&cursor, *pattern)) {
            return false;
        }
    }
    return cursor.at == cursor.end && parts_ms(&parts, out_ms);
}
