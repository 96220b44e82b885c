/*
 * window_usage.h - the options of `tarn window`: their names, and what --help says of them
 *
 * The enum is a place in tn_arguments.values. To add an option: here, in window_usage.c, where it
 * is understood (window_options.c), in the manual page, and, when it decides what comes out, in
 * state_command.c.
 */
#ifndef TN_WINDOW_USAGE_H
#define TN_WINDOW_USAGE_H

#include "arguments.h"

enum window_option {
    WINDOW_INPUT,
    WINDOW_TIME,
    WINDOW_TIME_FORMAT,
    WINDOW_BY,
    WINDOW_EVERY,
    WINDOW_SLIDE,
    WINDOW_SESSION,
    WINDOW_OFFSET,
    WINDOW_AGG,
    WINDOW_LATE,
    WINDOW_GRACE,
    WINDOW_LATE_TO,
    WINDOW_MAX_AHEAD,
    WINDOW_EMIT,
    WINDOW_STRICT,
    WINDOW_OUTPUT,
    WINDOW_TIMES,
    WINDOW_OUT,
    WINDOW_VERBOSE,
    WINDOW_MERGE,
    WINDOW_STATE,
    WINDOW_COMMIT_EVERY,
    WINDOW_FOLLOW,
    WINDOW_IDLE,
    WINDOW_EXPLAIN,
    WINDOW_OPTION_COUNT
};

extern const struct tn_option tn_window_options_known[WINDOW_OPTION_COUNT];
extern const struct tn_usage tn_window_usage;

#endif
