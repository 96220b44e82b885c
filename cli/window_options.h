/*
 * window_options.h - the command line of `tarn window`, understood
 *
 * What the run needs to know, checked as far as it can be without looking at any input. Fields and
 * columns (window_lists.h) are laid out as reader, operator and writer want them: a row is handed
 * on without copying.
 *
 *     window_usage     the options there are          --every 1h
 *     arguments        split: values by option        "1h"
 *     window_options   understood                     3600000
 *     window_lists     --by, --agg: fields, columns
 */
#ifndef TN_WINDOW_OPTIONS_H
#define TN_WINDOW_OPTIONS_H

#include "aggregates.h"
#include "writer.h"

#include "io/reader.h"
#include "io/timestamp.h"
#include "stream/window.h"

#define TN_WINDOW_GOES_ON (-1) /* where exit codes are answered: there is none yet */

struct tn_window_command {
    const char *const *files; /* "-": standard input */
    size_t file_count;        /* >= 1 */
    bool merge;               /* each FILE is a source with its own watermark */
    bool follow;              /* the last FILE grows; all of them when merged */
    int64_t idle_ms;    /* a source that waits for longer holds the others no more; 0: never */
    size_t block_bytes; /* how much is read at a time; 0: the usual. For tests */
    enum tn_format input_format;
    struct tn_timestamp_format time_format;

    int64_t every_ms; /* 0: sessions */
    int64_t slide_ms; /* 0: every_ms */
    int64_t offset_ms;
    int64_t gap_ms; /* of sessions; else 0 */
    int64_t late_ms;
    int64_t grace_ms;
    int64_t max_ahead_ms; /* 0: none is too far ahead */
    enum tn_window_mode mode;
    int64_t print_ms; /* of --emit every=DUR */
    struct tn_aggregate_list aggregates;
    size_t key_count;

    const char **fields;
    size_t field_count; /* 1 + key_count + aggregates.count */
    struct tn_column *columns;
    size_t column_count; /* 2 + key_count + aggregates.count, and 1 for op but with final */

    enum tn_writer_format output_format;
    const char *output_path; /* NULL: standard output */
    const char *late_path;   /* NULL: late rows are counted and left out */
    const char *state_path;  /* NULL: nothing is kept */
    uint64_t commit_rows;    /* so many rows from one commit to the next; 0: by time */
    int64_t commit_ms;       /* so much time of the clock */
    bool times_as_ms;
    bool strict;
    bool verbose;
    bool explain; /* say what would be done, do nothing */

    const char *aggregate_text; /* of --agg */
    char *key_storage;          /* where fields and columns find the key names */
};

/*
 * False: *exit_code is what to leave with, all is said, and nothing is held. On true, release when
 * done; argv must outlive *out.
 */
bool tn_window_command_parse(struct tn_window_command *out, int argc, char **argv, int *exit_code);

void tn_window_command_release(struct tn_window_command *command);

#endif
