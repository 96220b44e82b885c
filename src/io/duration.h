/*
 * duration.h - lengths of time as people write them: 10s, 1h30m, 250ms, 1.5h, 1d12h
 *
 * Rules
 *   U1  A number and its unit, once or more, from the largest unit to the smallest, each at most
 *       once, nothing between: w (7 days), d (24 hours), h, m, s, ms, us, ns. No sign. The last
 *       number may have a fraction: 1.5h.
 *   U2  A number without a unit is refused (10 what?), except 0.
 *   U3  What leaves 64 bits of milliseconds is refused; so is a part that is not whole
 *       milliseconds: nothing is rounded.
 *   U4  Printing a length and reading it gives the same length.
 *   U5  A refusal says where: the text from there on is quoted.
 */
#ifndef TN_DURATION_H
#define TN_DURATION_H

#include "io/reason.h"

#define TN_DURATION_BYTES_MAX 64

/* false: *reason says what is wrong and what would be right. */
bool tn_duration_read(const char *text, int64_t *out_ms, struct tn_reason *reason);

/* Into `to`, NUL-terminated; answers the bytes before that. A negative one prints with a '-'. */
size_t tn_duration_print(int64_t ms, char to[TN_DURATION_BYTES_MAX]);

#endif
