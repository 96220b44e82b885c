/*
 * window_run.h - the run of `tarn window`: rows in, windows out
 *
 *     reader --> time --> operator --> writer --> output
 *     (io)       (io)     (stream)
 *
 * Rules
 *   W1  Nothing is written before the first input could be opened; a file of --out is cut then.
 *   W2  Input that can make us wait (not a regular file) is read with everything written that can
 *       be written: a row of output never waits for the next row of input.
 *   W3  Windows that are still open are printed at the end of the input only; never after a
 *       failure, a refusal or a signal.
 */
#ifndef TN_WINDOW_RUN_H
#define TN_WINDOW_RUN_H

#include "window_options.h"

/* All of it; what went wrong has been said. Answers the exit code. */
int tn_window_run(const struct tn_window_command *command);

#endif
