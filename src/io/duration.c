/*
 * duration.c - see duration.h for the rules
 */
#include "io/duration.h"

#include <stdio.h>
#include <string.h>

#define NS_PER_MS 1000000
#define DURATION_DECIMALS_MAX 18

__extension__ typedef unsigned __int128 duration_wide;

/* Largest first (U1). */
static const struct {
    const char *name;
    int64_t ns;
} duration_units[] = {
    { "w", INT64_C(604800000000000) },
    { "d", INT64_C(86400000000000) },
    { "h", INT64_C(3600000000000) },
    { "m", INT64_C(60000000000) },
    { "s", INT64_C(1000000000) },
    { "ms", NS_PER_MS },
    { "us", 1000 },
    { "ns", 1 },
};

/* How else people write them. */
static const struct {
    const char *word;
    const char *name;
} duration_words[] = {
    { "week", "w" },    { "weeks", "w" },   { "day", "d" },   { "days", "d" },   { "hr", "h" },
    { "hour", "h" },    { "hours", "h" },   { "min", "m" },   { "mins", "m" },   { "minute", "m" },
    { "minutes", "m" }, { "sec", "s" },     { "secs", "s" },  { "second", "s" }, { "seconds", "s" },
    { "msec", "ms" },   { "millis", "ms" }, { "usec", "us" }, { "W", "w" },      { "D", "d" },
    { "H", "h" },       { "M", "m" },       { "S", "s" },     { "MS", "ms" },
};

#define DURATION_UNIT_COUNT TN_ARRAY_COUNT(duration_units)

/* A number as it is written: digits, without the point, and how many stand behind it. */
struct duration_number {
    int64_t digits;
    unsigned decimals;
};

static bool duration_refuse(struct tn_reason *reason, const char *text, const char *at,
                            const char *why)
{
    tn_reason_set(reason, "not a duration: ");
    tn_reason_add_quoted(reason, text, strlen(text), 40);
    tn_reason_add(reason, ": ");
    if (at > text) { /* U5 */
        tn_reason_add(reason, "at ");
        tn_reason_add_quoted(reason, at, strlen(at), 20);
        tn_reason_add(reason, ", ");
    }
    tn_reason_add(
        reason, "%s; write numbers with the units w d h m s ms, like 10s, 250ms, 1h30m or 7d", why);
    return false;
}

static bool duration_refuse_bare(struct tn_reason *reason, const char *number)
{
    tn_reason_set(reason, "%.20s of what? say %.20ss or %.20sms", number, number, number);
    return false;
}

/* No unit is called what is at `at`: perhaps a word for one is. */
static bool duration_refuse_unit(struct tn_reason *reason, const char *text, const char *at)
{
    size_t bytes = strspn(at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"), i;
    char why[64];

    for (i = 0; i < TN_ARRAY_COUNT(duration_words); i++)
        if (strlen(duration_words[i].word) == bytes &&
            memcmp(duration_words[i].word, at, bytes) == 0) {
            snprintf(why, sizeof why, "'%s' is written %s", duration_words[i].word,
                     duration_words[i].name);
            return duration_refuse(reason, text, at, why);
        }
    if (*at == ' ' || *at == '\t')
        return duration_refuse(reason, text, at, "a blank is not part of a duration");
    return duration_refuse(reason, text, at,
                           bytes > 0 ? "no unit is called that" : "a unit is missing");
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

/* The number at *at; *at moves behind it, if there is one. false: more than 64 bits (U3). */
static bool duration_number(const char **at, struct duration_number *out)
{
    const char *begin = *at;
    bool fraction = false;

    *out = (struct duration_number){ 0 };
    for (;; ++*at) {
        if (**at == '.' && *at > begin && !fraction && (*at)[1] >= '0' && (*at)[1] <= '9') {
            fraction = true;
            continue;
        }
        if (**at < '0' || **at > '9')
            return true;
        if (__builtin_mul_overflow(out->digits, 10, &out->digits) ||
            __builtin_add_overflow(out->digits, **at - '0', &out->digits))
            return false;
        out->decimals += fraction;
    }
}

/* The part in ms, which must be whole (U3). NULL: it is; else why not. */
static const char *duration_part(const struct duration_number *number, size_t unit, int64_t *out_ms)
{
    duration_wide ns = (duration_wide)number->digits * (uint64_t)duration_units[unit].ns;
    duration_wide ms = NS_PER_MS;
    unsigned i;

    for (i = 0; i < number->decimals; i++)
        ms *= 10;
    if (ns % ms != 0)
        return "times are kept in whole milliseconds";
    if (ns / ms > INT64_MAX)
        return "that is too long";
    *out_ms = (int64_t)(ns / ms);
    return NULL;
}

bool tn_duration_read(const char *text, int64_t *out_ms, struct tn_reason *reason)
{
    const char *at = text, *why;
    struct duration_number number = { 0 };
    int64_t total = 0, part;
    size_t allowed = 0; /* units from this one on are still possible */
    size_t unit, bytes;

    if (*text == '\0')
        return duration_refuse(reason, text, at, "it is empty");
    if (strcmp(text, "0") == 0) { /* U2 */
        *out_ms = 0;
        return true;
    }
    while (*at != '\0') {
        const char *begin = at;

        if (number.decimals > 0)
            return duration_refuse(reason, text, at, "only the last number may have a fraction");
        if (!duration_number(&at, &number))
            return duration_refuse(reason, text, begin, "that is too long");
        if (at == begin)
            return duration_refuse(reason, text, at, "a number is missing");
        if (*at == '\0' && begin == text)
            return duration_refuse_bare(reason, text);
        unit = duration_unit(at, &bytes);
        if (unit == DURATION_UNIT_COUNT)
            return duration_refuse_unit(reason, text, at);
        if (unit < allowed)
            return duration_refuse(reason, text, begin, "units go from large to small, each once");
        why = number.decimals <= DURATION_DECIMALS_MAX ? duration_part(&number, unit, &part)
                                                       : "that has too many decimals";
        if (why == NULL && __builtin_add_overflow(total, part, &total))
            why = "that is too long";
        if (why != NULL)
            return duration_refuse(reason, text, begin, why);
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
    for (i = 0; i < DURATION_UNIT_COUNT && duration_units[i].ns >= NS_PER_MS; i++) {
        uint64_t unit_ms = (uint64_t)duration_units[i].ns / NS_PER_MS;
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
