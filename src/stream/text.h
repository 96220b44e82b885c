/*
 * text.h - short texts for people, put together in a fixed buffer
 *
 * Never allocates, never writes past the buffer, always ends in NUL; what does not fit is cut.
 * Bytes that came from outside are quoted, so that they cannot steer a terminal.
 */
#ifndef TN_TEXT_H
#define TN_TEXT_H

#include "base/base.h"

struct tn_text {
    char *start;
    size_t bytes;    /* without the NUL */
    size_t capacity; /* of the buffer, > 0 */
};

/* The empty text in `buffer`. */
struct tn_text tn_text_in(char *buffer, size_t capacity);

void tn_text_clear(struct tn_text *text);

void tn_text_add(struct tn_text *text, const char *string);
void tn_text_add_number(struct tn_text *text, int64_t number);

/* In double quotes; all but printable ASCII as \xNN; at most the first 40 bytes, then "...". */
void tn_text_add_quoted(struct tn_text *text, const void *data, size_t bytes);

#endif
