/*
 * window_report.c - what `tarn window` says on standard error; see window_report.h
 */
#include "window_report.h"
#include "message.h"

#include "io/timestamp.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define VERB "window"
#define REPORT_BAD_ROWS_MAX 10
#define REPORT_PROGRESS_NS UINT64_C(500000000)

static uint64_t clock_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

void tn_window_report_begin(struct tn_window_report *report, bool verbose)
{
    *report = (struct tn_window_report){
        .verbose = verbose,
        .progress = verbose && isatty(STDERR_FILENO) && !isatty(STDOUT_FILENO),
        .start_ns = clock_ns(),
    };
    report->progress_next_ns = report->start_ns + REPORT_PROGRESS_NS;
}

static void terminal_write(const char *text)
{
    if (write(STDERR_FILENO, text, strlen(text)) < 0)
        return; /* there is nowhere left to say so */
}

void tn_window_report_clear(struct tn_window_report *report)
{
    if (report->progress_shown)
        terminal_write("\r\033[K");
    report->progress_shown = false;
}

void tn_window_report_bad(struct tn_window_report *report, const char *file, uint64_t line,
                          const char *reason)
{
    tn_window_report_clear(report);
    report->bad_count++;
    if (report->bad_count <= REPORT_BAD_ROWS_MAX)
        tn_message(VERB, "%s:%" PRIu64 ": bad row: %s", file, line, reason);
    else if (report->bad_count == REPORT_BAD_ROWS_MAX + 1)
        tn_message(VERB, "%s:%" PRIu64 ": another bad row; from here on they are only counted",
                   file, line);
}

void tn_window_report_progress(struct tn_window_report *report, uint64_t input_bytes)
{
    char line[128];
    uint64_t now_ns, taken_ns;

    if (!report->progress)
        return;
    now_ns = clock_ns();
    if (now_ns < report->progress_next_ns)
        return;
    taken_ns = now_ns - report->start_ns;
    snprintf(line, sizeof line, "\r\033[Ktarn window: %" PRIu64 " rows, %.1f MB, %.1f MB/s",
             report->row_count, (double)input_bytes / 1e6,
             (double)input_bytes * 1e3 / (double)taken_ns);
    terminal_write(line);
    report->progress_shown = true;
    report->progress_next_ns = now_ns + REPORT_PROGRESS_NS;
}

/* ---- the end --------------------------------------------------------------------------------- */

static void report_losses(const struct tn_window_report *report,
                          const struct tn_window_summary *summary)
{
    uint64_t late_count = summary->counts.late_count;

    if (report->bad_count > 0)
        tn_message(VERB,
                   "%" PRIu64 " of %" PRIu64 " rows were bad and left out; "
                   "--strict stops at the first",
                   report->bad_count, report->row_count);
    if (late_count > 0 && summary->late_path != NULL)
        tn_message(VERB, "%" PRIu64 " of %" PRIu64 " rows were late and are in %s", late_count,
                   report->row_count, summary->late_path);
    else if (late_count > 0)
        tn_message(VERB,
                   "%" PRIu64 " of %" PRIu64 " rows were late and left out; "
                   "a greater --late waits for them",
                   late_count, report->row_count);
}

static void report_details(const struct tn_window_report *report,
                           const struct tn_window_summary *summary)
{
    const struct tn_window_counts *counts = &summary->counts;
    uint64_t taken_ns = tn_max(clock_ns() - report->start_ns, 1);
    double seconds = (double)taken_ns / 1e9;
    char watermark[TN_TIMESTAMP_BYTES_MAX] = "none";

    if (counts->watermark_ms != INT64_MIN)
        tn_timestamp_print(counts->watermark_ms, watermark);
    tn_message(VERB,
               "rows %" PRIu64 ", taken %" PRIu64 ", late %" PRIu64 " (%s), bad %" PRIu64
               " (skipped), written %" PRIu64,
               report->row_count, counts->taken_count, counts->late_count,
               summary->late_path != NULL ? "written aside" : "dropped", report->bad_count,
               summary->written_count);
    if (counts->outside_count > 0)
        tn_message(VERB, "%" PRIu64 " rows lay between windows, in none", counts->outside_count);
    tn_message(VERB, "%.1f MB in %.3f s: %.0f rows/s, %.1f MB/s",
               (double)summary->input_bytes / 1e6, seconds, (double)report->row_count / seconds,
               (double)summary->input_bytes / 1e6 / seconds);
    tn_message(VERB, "watermark %s, time format %s%s", watermark, summary->time_format,
               summary->time_format_was_chosen ? " (chosen by auto)" : "");
}

void tn_window_report_end(struct tn_window_report *report, const struct tn_window_summary *summary)
{
    tn_window_report_clear(report);
    report_losses(report, summary);
    if (report->verbose)
        report_details(report, summary);
}
