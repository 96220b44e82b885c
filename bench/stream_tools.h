/*
 * stream_tools.h - the tools that tarn bench stream runs on files, and what each is told to do
 *
 *     kind        windows                                     who can do the same
 *     window      an hour, by user                            sqlite3, miller, datamash
 *     hop         an hour every 20 minutes                    sqlite3, miller
 *     session     a gap of 10 s, by user                      sqlite3, miller
 *     grace       as window, and an hour of grace             nobody
 *     changes     the same with --emit changes                nobody
 *     state       as window, with --state and --out           nobody
 *
 * In a command %t is tarn, %f the file, %d a directory of our own, %m the tool's word for the
 * format.
 */
#ifndef TN_STREAM_TOOLS_H
#define TN_STREAM_TOOLS_H

#include "base/base.h"

#define TN_STREAM_KIND_COUNT 6u
#define TN_STREAM_FORMAT_COUNT 3u
#define TN_STREAM_TOOL_COUNT 4u

struct tn_stream_tool {
    const char *name;
    const char *formats[TN_STREAM_FORMAT_COUNT]; /* %m; NULL: it cannot read that */
    const char *commands[TN_STREAM_KIND_COUNT];  /* NULL: it cannot do that */
};

extern const char *const tn_stream_kinds[TN_STREAM_KIND_COUNT];
extern const char *const tn_stream_formats[TN_STREAM_FORMAT_COUNT];
extern const struct tn_stream_tool tn_stream_tools[TN_STREAM_TOOL_COUNT]; /* the first is tarn */

#endif
