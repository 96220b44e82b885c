/*
 * pattern.h - times by a pattern like that of strptime(3), without locale and time zone
 *
 * Our own, because the C library's reads by the machine's locale and zone, knows no fractions, and
 * takes 31 February and second 61. Rule T7 of timestamp.h says what is known.
 *
 * Rules
 *   V1  A pattern must give a full date: a year with month and day or with the day of the year, or
 *       %s.
 *   V2  A blank in the pattern takes any number of blanks, also none; other text stands for itself.
 *   V3  Numbers may have fewer digits than usual, never more. Names may have any case.
 */
#ifndef TN_PATTERN_H
#define TN_PATTERN_H

#include "io/reason.h"

/* Check `pattern` and write it to `to` with %F, %T, %R, %D written out. false: *reason says why. */
bool tn_pattern_compile(const char *pattern, char *to, size_t to_bytes, struct tn_reason *reason);

/* Read a time by a compiled pattern. */
bool tn_pattern_read(const char *pattern, const char *text, size_t bytes, int64_t *out_ms);

#endif
