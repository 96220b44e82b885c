/*
 * window_lists.h - the fields that `tarn window` reads, and the columns that it writes
 *
 *     fields    time | keys ...              | field of each aggregate ...   (count: a place)
 *     columns   window_start window_end      | keys ...  | aggregates ... [op]
 *
 * A reader of the output must be able to tell columns apart: two of one name are refused.
 */
#ifndef TN_WINDOW_LISTS_H
#define TN_WINDOW_LISTS_H

#include "arguments.h"
#include "window_options.h"

/* From --time, --by and --agg; mode and times are known. False: refused, and said; release it. */
bool tn_window_lists_fill(struct tn_window_command *out, const struct tn_arguments *arguments);

void tn_window_lists_release(struct tn_window_command *command);

#endif
