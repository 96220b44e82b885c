/*
 * timestamp.h - event times: text to milliseconds since 1970-01-01T00:00:00Z, and back
 *
 * Rules
 *   T1  iso: YYYY-MM-DD, alone or with 'T' or a space and hh:mm[:ss[.fraction]] and a zone: Z,
 *       +hh:mm, +hhmm, +hh (or '-'); without one it is UTC, never the machine's zone. Years 0001 to
 *       9999; every part in its range, days by the calendar; there is no second 60 and no hour 24.
 *   T2  Numbers (s, ms, us, ns): an optional sign, digits, an optional fraction. No exponent.
 *   T3  What is finer than a millisecond is floored, also before 1970. What does not fit 64 bits is
 *       bad, and so is the lowest 64-bit number.
 *   T4  auto: the first text that can be read decides, and the format is changed to what it was: a
 *       number by its integer digits as written (up to 11 s, up to 14 ms, up to 17 us, else ns), or
 *       iso.
 *   T5  Nothing around a time is skipped: blanks make it bad.
 *   T6  Printing: ISO 8601, UTC, milliseconds. A year outside 0000 to 9999 has a sign and at least
 *       six digits (+292278994-08-17T07:12:55.807Z), the expanded form of ISO 8601.
 *   T7  A pattern ('%d/%b/%Y:%H:%M:%S %z') means what strptime(3) makes of it in the C locale, and
 *       UTC without %z. Known: %Y %y %m %b %B %h %d %e %j %H %I %p %M %S %f (fraction, any digits)
 *       %z %Z (UTC, GMT or Z) %s %a %A (not checked against the date) %F %T %R %D %n %t %%.
 */
#ifndef TN_TIMESTAMP_H
#define TN_TIMESTAMP_H

#include "io/reason.h"

#include <tarn.h>

#define TN_TIMESTAMP_PATTERN_BYTES 128 /* with its end, after %F and the like are written out */
#define TN_TIMESTAMP_BYTES_MAX 40

enum tn_timestamp_kind {
    TN_TIMESTAMP_AUTO,
    TN_TIMESTAMP_S,
    TN_TIMESTAMP_MS,
    TN_TIMESTAMP_US,
    TN_TIMESTAMP_NS,
    TN_TIMESTAMP_ISO,
    TN_TIMESTAMP_PATTERN,
};

/* Zero-filled: auto. */
struct tn_timestamp_format {
    enum tn_timestamp_kind kind;
    char pattern[TN_TIMESTAMP_PATTERN_BYTES];
};

/*
 * "auto", "s", "ms", "us", "ns", "iso" or a pattern with a '%'. false: *reason says what to write.
 */
bool tn_timestamp_format_read(struct tn_timestamp_format *out, const char *text,
                              struct tn_reason *reason);

/* What tn_timestamp_format_read would read as this format. Borrowed from it. */
const char *tn_timestamp_format_text(const struct tn_timestamp_format *format);

/* false: *reason says why; nothing else changed. `auto` is changed by the first success (T4). */
bool tn_timestamp_read(struct tn_timestamp_format *format, tarn_bytes text, int64_t *out_ms,
                       struct tn_reason *reason);

/* Into `to`, NUL-terminated; answers the bytes before that (T6). */
size_t tn_timestamp_print(int64_t ms, char to[TN_TIMESTAMP_BYTES_MAX]);

#endif
