/*
 * escape.h - writing one text into a line, escaped as its format wants
 */
#ifndef TN_ESCAPE_H
#define TN_ESCAPE_H

#include "output.h"

#include <tarn.h>

void tn_escape_csv(struct tn_output *output, tarn_bytes text);
void tn_escape_tsv(struct tn_output *output, tarn_bytes text);
void tn_escape_ndjson(struct tn_output *output, tarn_bytes text); /* with its quotes */
void tn_escape_pretty(struct tn_output *output, tarn_bytes text);

/* Cells that tn_escape_pretty takes. */
size_t tn_pretty_cells(tarn_bytes text);

/*
 * The length of the UTF-8 character that `text` (not empty) begins with; 0 when it begins with
 * none: cut off, overlong, a surrogate, beyond U+10FFFF.
 */
size_t tn_utf8_character_bytes(tarn_bytes text);

static inline tarn_bytes tn_bytes_of_text(const char *text)
{
    return (tarn_bytes){ text, __builtin_strlen(text) };
}

#endif
