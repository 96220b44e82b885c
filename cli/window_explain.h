/*
 * window_explain.h - tarn window --explain: in words, what the command would compute
 *
 * For whoever wants to be sure before a long run. Files that can be are opened: their headers are
 * checked, and of the first rows as many are read as it takes to say what 'auto' will find.
 * Standard input and pipes are left alone: what is read from them would be gone.
 */
#ifndef TN_WINDOW_EXPLAIN_H
#define TN_WINDOW_EXPLAIN_H

#include "window_options.h"

/* Answers the exit code; what went wrong has been said. */
int tn_window_explain(const struct tn_window_command *command);

#endif
