/*
 * duration.c - see duration.h for the rules
 */
#include "io/duration.h"

#include <stdio.h>
#include <string.h>

/* Largest first (U1). */
static const struct {
    const char *name;
    int64_t ms;
} duration_units[] = {
    { "w", INT64_C(604800000) },
    { "d", 86400000 },
    { "h", 3600000 },
    { "m", 60000 },
    { "s", 1000 },
    { "ms", 1 },
};

#define DURATION_UNIT_COUNT TN_ARRAY_COUNT(duration_units)

static bool duration_refuse(struct tn_reason *reason, const char *text, const char *why)
{
    tn_reason_set(reason, "not a duration: ");
    tn_reason_add_quoted(reason, text, strlen(text), 40);
    tn_reason_add(reason,
                  " (%s); write whole numbers with the units w d h m s ms, like 10s, 250ms, "
                  "1h30m or 7d",
                  why);
    return false;
}

static bool duration_refuse_bare(struct tn_reason *reason, const char *number)
{
    tn_reason_set(reason, "%.20s of what? say %.20ss or %.20sms", number, number, number);
    return false;
}

/* The unit whose name is the letters at `at`; DURATION_UNIT_COUNT: none. */
static size_t duration_unit(const char *at, size_t *out_bytes)
{
    size_t bytes = strspn(at, "abcdefghijklmnopqrstuvwxyz"), i;

    *out_bytes = bytes;
    for (i = 0; i < DURATION_UNIT_COUNT; i++)
        if (strlen(duration_units[i].name) == bytes &&
            memcmp(duration_units[i].name, at, bytes) == 0)
            return i;
    return DURATION_UNIT_COUNT;
}

/* Digits at *at as a number; *at moves behind them. false: more than 64 bits (U3). */
static bool duration_number(const char **at, int64_t *out)
{
    int64_t number = 0;

    for (; **at >= '0' && **at <= '9'; ++*at)
        if (__builtin_mul_overflow(number, 10, &number) ||
            __builtin_add_overflow(number, **at - '0', &number))
            return false;
    *out = number;
    return true;
}

bool tn_duration_read(const char *text, int64_t *out_ms, struct tn_reason *reason)
{
    const char *at = text;
    int64_t total = 0, number, part;
    size_t allowed = 0; /* units from this one on are still possible */
    size_t unit, bytes;

    if (*text == '\0')
        return duration_refuse(reason, text, "empty");
    if (strcmp(text, "0") == 0) { /* U2 */
        *out_ms = 0;
        return true;
    }
    while (*at != '\0') {
        const char *begin = at;

        if (!duration_number(&at, &number))
            return duration_refuse(reason, text, "too long");
        if (at == begin)
            return duration_refuse(reason, text, "no number where one is expected");
        if (*at == '\0' && begin == text)
            return duration_refuse_bare(reason, text);
        unit = duration_unit(at, &bytes);
        if (unit == DURATION_UNIT_COUNT)
            return duration_refuse(reason, text, "no unit behind a number");
        if (unit < allowed)
            return duration_refuse(reason, text, "units go from large to small, each once");
        if (__builtin_mul_overflow(number, duration_units[unit].ms, &part) ||
            __builtin_add_overflow(total, part, &total))
            return duration_refuse(reason, text, "too long");
        allowed = unit + 1;
        at += bytes;
    }
    *out_ms = total;
    return true;
}

size_t tn_duration_print(int64_t ms, char to[TN_DURATION_BYTES_MAX])
{
    uint64_t left = ms < 0 ? -(uint64_t)ms : (uint64_t)ms;
    size_t bytes = 0, i;

    if (ms < 0)
        to[bytes++] = '-';
    for (i = 0; i < DURATION_UNIT_COUNT; i++) {
        uint64_t unit_ms = (uint64_t)duration_units[i].ms;
        uint64_t count = left / unit_ms;

        left %= unit_ms;
        if (count > 0)
            bytes += (size_t)snprintf(to + bytes, TN_DURATION_BYTES_MAX - bytes, "%llu%s",
                                      (unsigned long long)count, duration_units[i].name);
    }
    if (ms == 0)
        bytes += (size_t)snprintf(to, TN_DURATION_BYTES_MAX, "0s");
    return bytes;
}
