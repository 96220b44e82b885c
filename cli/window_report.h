/*
 * window_report.h - what `tarn window` says on standard error
 *
 *     tarn window: a.csv:17: time cannot be read: ...; ...    each bad row, the first 10
 *     tarn window: 3 of 96125 rows were bad and left out; ... at the end, when there were any
 *     tarn window: rows 96125, taken 96122, ...               at the end, with -v
 *
 * With -v, and standard error (but not standard output) a terminal, a line of progress is rewritten
 * about twice a second while rows come.
 */
#ifndef TN_WINDOW_REPORT_H
#define TN_WINDOW_REPORT_H

#include "stream/window.h"

struct tn_window_report {
    bool verbose;
    bool progress;       /* a line of progress may be shown */
    bool progress_shown; /* it stands on the terminal */
    uint64_t row_count;  /* rows read, bad ones included */
    uint64_t bad_count;
    uint64_t start_ns;
    uint64_t progress_next_ns;
};

struct tn_window_summary {
    struct tn_window_counts counts; /* as the input ended, before the last windows were completed */
    uint64_t written_count;         /* rows of output */
    uint64_t input_bytes;
    const char *late_path; /* where late rows are; NULL: nowhere */
    const char *time_format;
    bool time_format_was_chosen; /* by auto */
};

void tn_window_report_begin(struct tn_window_report *report, bool verbose);

/* A row of `file` was bad. The first few are told, the others counted. */
void tn_window_report_bad(struct tn_window_report *report, const char *file, uint64_t line,
                          const char *reason);

/* Called now and then, every few thousand rows. */
void tn_window_report_progress(struct tn_window_report *report, uint64_t input_bytes);

/* Takes the line of progress off the terminal; call before any other message. */
void tn_window_report_clear(struct tn_window_report *report);

void tn_window_report_end(struct tn_window_report *report, const struct tn_window_summary *summary);

#endif
