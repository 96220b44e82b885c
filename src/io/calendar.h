/*
 * calendar.h - dates and times of day as numbers (proleptic Gregorian calendar, UTC)
 *
 * Shared by timestamp.c (iso, printing) and pattern.c (strptime patterns). A date counts as days
 * since 1970-01-01; the year is taken to begin in March, so that the leap day is its last.
 */
#ifndef TN_CALENDAR_H
#define TN_CALENDAR_H

#include "base/base.h"

#define TN_DAY_MS INT64_C(86400000)

struct tn_moment {
    int64_t year;
    int month, day; /* from 1 */
    int hour, minute, second, millisecond;
    int zone_minutes; /* east of UTC */
};

static inline bool tn_year_is_leap(int64_t year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static inline int tn_month_days(int64_t year, int month)
{
    static const signed char days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

    return month == 2 && tn_year_is_leap(year) ? 29 : days[month - 1];
}

/* Days since 1970-01-01. */
static inline int64_t tn_days_of_date(int64_t year, int month, int day)
{
    int64_t march_year = year - (month <= 2);
    int64_t era = (march_year >= 0 ? march_year : march_year - 399) / 400;
    int64_t year_of_era = march_year - era * 400;
    int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year -
           719468;
}

/* The inverse: fills year, month and day. */
static inline void tn_date_of_days(int64_t days, struct tn_moment *out)
{
    int64_t shifted = days + 719468;
    int64_t era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
    int64_t day_of_era = shifted - era * 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t march_month = (5 * day_of_year + 2) / 153;

    out->day = (int)(day_of_year - (153 * march_month + 2) / 5) + 1;
    out->month = (int)(march_month < 10 ? march_month + 3 : march_month - 9);
    out->year = year_of_era + era * 400 + (out->month <= 2);
}

static inline bool tn_moment_is_valid(const struct tn_moment *at)
{
    return at->year >= 1 && at->year <= 9999 && at->month >= 1 && at->month <= 12 && at->day >= 1 &&
           at->day <= tn_month_days(at->year, at->month) && at->hour >= 0 && at->hour <= 23 &&
           at->minute >= 0 && at->minute <= 59 && at->second >= 0 && at->second <= 59;
}

/* Of a valid moment; cannot overflow. */
static inline int64_t tn_moment_ms(const struct tn_moment *at)
{
    int64_t minutes = at->hour * 60 + at->minute - at->zone_minutes;

    return tn_days_of_date(at->year, at->month, at->day) * TN_DAY_MS + minutes * 60000 +
           at->second * 1000 + at->millisecond;
}

/* ---- pieces of text, for both readers of times ----------------------------------------------- */

/* What is left to read: [at, end). */
struct tn_cursor {
    const char *at;
    const char *end;
};

static inline bool tn_is_digit(char c)
{
    return (unsigned char)(c - '0') <= 9;
}

/* `least` to `most` digits (as many as there are) as a number. false: too few. */
static inline bool tn_cursor_digits(struct tn_cursor *cursor, int least, int most, int *out)
{
    int count = 0, number = 0;

    for (; count < most && cursor->at < cursor->end && tn_is_digit(*cursor->at); count++)
        number = number * 10 + (*cursor->at++ - '0');
    *out = number;
    return count >= least;
}

static inline bool tn_cursor_take(struct tn_cursor *cursor, char c)
{
    if (cursor->at == cursor->end || *cursor->at != c)
        return false;
    cursor->at++;
    return true;
}

/* One or more digits behind a decimal point, floored to milliseconds. */
static inline bool tn_cursor_fraction(struct tn_cursor *cursor, int *out_ms)
{
    const char *begin = cursor->at;
    int unit = 100;

    *out_ms = 0;
    for (; cursor->at < cursor->end && tn_is_digit(*cursor->at); cursor->at++) {
        *out_ms += unit * (*cursor->at - '0');
        unit /= 10;
    }
    return cursor->at > begin;
}

/* Z, z, or a sign with hh, hhmm or hh:mm. */
static inline bool tn_cursor_zone(struct tn_cursor *cursor, int *out_minutes)
{
    int sign, hours, minutes = 0;

    *out_minutes = 0;
    if (tn_cursor_take(cursor, 'Z') || tn_cursor_take(cursor, 'z'))
        return true;
    sign = tn_cursor_take(cursor, '+') ? 1 : tn_cursor_take(cursor, '-') ? -1 : 0;
    if (sign == 0 || !tn_cursor_digits(cursor, 2, 2, &hours))
        return false;
    if (tn_cursor_take(cursor, ':') || (cursor->at < cursor->end && tn_is_digit(*cursor->at))) {
        if (!tn_cursor_digits(cursor, 2, 2, &minutes))
            return false;
    }
    *out_minutes = sign * (hours * 60 + minutes);
    return hours <= 23 && minutes <= 59;
}

#endif
