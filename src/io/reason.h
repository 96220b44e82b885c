/*
 * reason.h - why something was refused, as a sentence for people
 *
 * Rules
 *   N1  A reason always fits and always ends: what is too long is cut, with '...' at the cut.
 *   N2  Bytes from outside are shown in double quotes, with what is not printable ASCII or UTF-8
 *       escaped, so that hostile input cannot drive a terminal.
 */
#ifndef TN_REASON_H
#define TN_REASON_H

#include "base/base.h"

#include <tarn.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TN_REASON_BYTES ((size_t)512)

struct tn_reason {
    size_t bytes; /* of text, without its end */
    char text[TN_REASON_BYTES];
};

__attribute__((format(printf, 2, 3))) void tn_reason_set(struct tn_reason *reason,
                                                         const char *format, ...);
__attribute__((format(printf, 2, 3))) void tn_reason_add(struct tn_reason *reason,
                                                         const char *format, ...);

/* Add at most about `bytes_max` bytes of `data` in quotes (N2). */
void tn_reason_add_quoted(struct tn_reason *reason, const void *data, size_t bytes,
                          size_t bytes_max);

#ifdef __cplusplus
}
#endif

#endif
