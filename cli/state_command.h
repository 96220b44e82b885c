/*
 * state_command.h - a command line as a state keeps it, to know it again
 *
 *     version | -i NUL csv NUL | --time NUL time NUL | --every NUL 1h NUL | ... | FILE NUL a.csv NUL
 *
 * All that decides what comes out, in an order of its own, durations in one spelling
 * (window_state.h, D3): two command lines with the same bytes give the same output. The version is
 * that of the whole state.
 */
#ifndef TN_STATE_COMMAND_H
#define TN_STATE_COMMAND_H

#include "window_options.h"

#include <tarn.h>

#define TN_STATE_COMMAND_HEAD_BYTES sizeof(uint64_t) /* the version */

/* Free *out, also on failure. False: no memory. */
bool tn_state_command_encode(const struct tn_window_command *command, char **out,
                             size_t *out_bytes);

/* Is it of a version that this release reads? */
bool tn_state_command_is_known(tarn_bytes encoded);

/* Say where two that are not the same differ first; `path` is the state's. */
void tn_state_command_differ(const char *path, tarn_bytes was, tarn_bytes is);

#endif
