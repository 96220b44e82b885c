/*
 * entry_line.h - one entry of a table as a line of text, and back
 *
 *     key 'a<TAB>b', value 'x\'      tsv      a\tb<TAB>x\\
 *                                    ndjson   {"key":"a\tb","value":"x\\"}
 *
 * Rules
 *   E1  tsv is key TAB value. TAB, LF, CR, backslash are \t \n \r \\; other controls, DEL and bytes
 *       that are no UTF-8 are \xNN. What is written reads back as the same bytes, whatever they
 *       are.
 *   E2  Reading, a byte that is not escaped stands for itself; an escape that is none of these, no
 *       TAB, or a second one is refused with a reason.
 *   E3  In hex every byte is two digits, nothing else is escaped. ndjson has only characters
 *       (writer.h, R3), so for bytes of any kind it needs hex.
 */
#ifndef TN_ENTRY_LINE_H
#define TN_ENTRY_LINE_H

#include "output.h"

#include <tarn.h>

enum tn_entry_format { TN_ENTRY_TSV, TN_ENTRY_NDJSON };

/* One line, its end included. Answers as tn_output_end_line does. */
bool tn_entry_write(struct tn_output *output, enum tn_entry_format format, bool hex, tarn_bytes key,
                    tarn_bytes value);

/* Text as it stands in a tsv line (E1). */
void tn_entry_write_text(struct tn_output *output, tarn_bytes text);

/* Two digits a byte. */
void tn_entry_write_hex(struct tn_output *output, tarn_bytes bytes);

/*
 * A tsv line without its end, decoded in place: key and value lie in it. False: *reason (static)
 * says what is wrong with it, and its bytes are undefined.
 */
bool tn_entry_parse(char *line, size_t line_bytes, bool hex, tarn_bytes *key, tarn_bytes *value,
                    const char **reason);

/* Digits as bytes, in place; *bytes becomes half of what it was. False as above. */
bool tn_entry_decode_hex(char *text, size_t *bytes, const char **reason);

#endif
