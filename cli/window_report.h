/*
 * window_report.h - what `tarn window` says on standard error
 *
 *     tarn window: a.csv:17: time cannot be read: ...; ...    each bad row, the first 10
 *     tarn window: 3 of 96125 rows were bad and left out; ... at the end, when there were any
 *     tarn window: rows 96125, taken 96122, ...               at the end, with -v
 *
 *     [==========>                   ]  35 %  812 MB/s  3.1 M rows/s  12s left
 *
 * The last line is progress: rewritten twice a second, where standard error (but not standard
 * output) is a terminal. Of files whose end is known it is a bar, else rows and bytes so far. The
 * view of -o pretty stands on standard output: window_live.h.
 */
#ifndef TN_WINDOW_REPORT_H
#define TN_WINDOW_REPORT_H

#include "window_live.h"

#include "stream/window.h"

struct tn_window_report {
    bool verbose;
    bool progress;       /* a line of progress may be shown */
    bool progress_shown; /* it stands on the terminal */
    uint64_t row_count;  /* rows read, bad ones included */
    uint64_t bad_count;
    uint64_t resumed_row_count; /* of them, those of the runs before this one */
    uint64_t start_ns;
    uint64_t progress_next_ns;
    struct tn_live live;
};

/* How far the input is read. */
struct tn_window_progress {
    uint64_t input_bytes; /* uncompressed */
    uint64_t read_bytes;  /* as they lie in the files, of file_bytes */
    uint64_t file_bytes;  /* 0: nobody knows */
};

struct tn_window_summary {
    struct tn_window_counts counts; /* as the input ended, before the last windows were completed */
    uint64_t written_count;         /* rows of output */
    uint64_t input_bytes;
    const char *late_path; /* where late rows are; NULL: nowhere */
    const char *time_format;
    bool time_format_was_chosen; /* by auto */
};

/* `live`: a view shall stand below the output, if that is a terminal. */
void tn_window_report_begin(struct tn_window_report *report, bool verbose, bool live);

/* A row of `file` was bad. The first few are told, the others counted. */
void tn_window_report_bad(struct tn_window_report *report, const char *file, uint64_t line,
                          const char *reason);

/* Is it time to show progress again? */
bool tn_window_report_is_due(const struct tn_window_report *report);
void tn_window_report_progress(struct tn_window_report *report,
                               const struct tn_window_progress *progress);

/* Takes progress and view off the terminal; call before any other message or output. */
void tn_window_report_clear(struct tn_window_report *report);

void tn_window_report_end(struct tn_window_report *report, const struct tn_window_summary *summary);

#endif
