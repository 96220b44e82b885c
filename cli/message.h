/*
 * message.h - one line to stderr
 *
 *     tarn window: edits.csv:17: time: cannot be read: "yesterday"; see --time-format
 *
 * Data has stdout for itself. A message is one line, whatever the file name or the field in it
 * contains: control characters are shown as '?', so input cannot steer the terminal.
 */
#ifndef TN_MESSAGE_H
#define TN_MESSAGE_H

#include "base/base.h"

/* `verb` NULL: the command as a whole. A message too long for a line of 4 KiB is cut. */
void tn_message(const char *verb, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * The one of `names` that `word` is most likely a slip of; NULL when none is near. `stride` is the
 * distance in bytes from one name to the next, so that a table of structs serves as it is; a NULL
 * name is passed over.
 */
const char *tn_nearest_name(const char *word, const char *const *names, size_t stride,
                            size_t count);

#endif
