/*
 * window_files.h - the files that a command line of `tarn window` names, looked at before any is
 * touched
 *
 *     FILE...      each must be there          --out, --late-to     none of those, nor each other
 *
 * Rules
 *   X1  A mistyped name shall not show up an hour into the files before it.
 *   X2  Writing into what is being read would destroy it, or never end: by device and inode,
 *       whatever the names. Each file of a command line has one use.
 */
#ifndef TN_WINDOW_FILES_H
#define TN_WINDOW_FILES_H

#include "window_options.h"

/* X1. False: one is not there, and that has been said. */
bool tn_inputs_exist(const struct tn_window_command *command);

/* X2. False: one is used twice, and that has been said. */
bool tn_outputs_are_files_of_their_own(const struct tn_window_command *command);

/*
 * X2 again, of two files just opened: names that no file had may still be two names of one. False:
 * they are one, and that has been said.
 */
bool tn_outputs_are_two_files(const struct tn_window_command *command, int output, int late);

/* Is one of the inputs a pipe, a terminal, a device: something whose rows may be long in coming? */
bool tn_inputs_can_wait(const struct tn_window_command *command);

#endif
