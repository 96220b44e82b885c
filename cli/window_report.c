/*
 * window_report.c - what `tarn window` says on standard error; see window_report.h
 */
#include "window_report.h"
#include "message.h"
#include "terminal.h"

#include "io/duration.h"
#include "io/timestamp.h"
#include "io/wait.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define VERB "window"
#define REPORT_BAD_ROWS_MAX 10
#define REPORT_BAR_CELLS_MAX 30
#define REPORT_PROGRESS_NS UINT64_C(500000000)

void tn_window_report_begin(struct tn_window_report *report, bool verbose, bool live)
{
    *report = (struct tn_window_report){
        .verbose = verbose,
        .progress = tn_terminal_can_redraw(STDERR_FILENO) && !isatty(STDOUT_FILENO),
        .start_ns = tn_now_ns(),
    };
    report->progress_next_ns = report->start_ns + REPORT_PROGRESS_NS;
    tn_live_begin(&report->live, live);
}

void tn_window_report_clear(struct tn_window_report *report)
{
    if (report->progress_shown)
        tn_terminal_write(STDERR_FILENO, TN_TERMINAL_CLEAR_LINE, strlen(TN_TERMINAL_CLEAR_LINE));
    report->progress_shown = false;
    tn_live_clear(&report->live);
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

/* ---- progress -------------------------------------------------------------------------------- */

bool tn_window_report_is_due(const struct tn_window_report *report)
{
    return report->progress && tn_now_ns() >= report->progress_next_ns;
}

/* "[=====>    ]  35 %", `cells` wide inside. */
static int bar_print(char *to, size_t room, unsigned cells, double share)
{
    char bar[REPORT_BAR_CELLS_MAX + 1];
    unsigned filled = (unsigned)(share * cells), i;

    for (i = 0; i < cells; i++)
        bar[i] = i < filled ? '=' : i == filled ? '>' : ' ';
    bar[cells] = '\0';
    return snprintf(to, room, "[%s] %3.0f %%", bar, share * 100);
}

static void progress_print(const struct tn_window_report *report,
                           const struct tn_window_progress *progress, double seconds, char *line,
                           size_t room)
{
    double megabytes = (double)progress->input_bytes / 1e6,
           rows = (double)(report->row_count - report->resumed_row_count);
    double share =
        progress->file_bytes == 0 ? 0 : (double)progress->read_bytes / (double)progress->file_bytes;
    char left[TN_DURATION_BYTES_MAX];
    int used;

    if (progress->file_bytes == 0 || share <= 0) {
        snprintf(line, room, "tarn window: %" PRIu64 " rows, %.1f MB, %.1f MB/s", report->row_count,
                 megabytes, megabytes / seconds);
        return;
    }
    share = share < 1 ? share : 1;
    tn_duration_print((int64_t)(seconds * (1 / share - 1)) * 1000, left);
    used = bar_print(line, room, REPORT_BAR_CELLS_MAX, share);
    snprintf(line + used, room - (size_t)used, "  %.0f MB/s  %.1f M rows/s  %s left",
             megabytes / seconds, rows / seconds / 1e6, left);
}

void tn_window_report_progress(struct tn_window_report *report,
                               const struct tn_window_progress *progress)
{
    char line[160] = TN_TERMINAL_CLEAR_LINE;
    size_t codes = strlen(line);
    uint64_t now_ns = tn_now_ns();

    progress_print(report, progress, (double)tn_max(now_ns - report->start_ns, 1) / 1e9,
                   line + codes, sizeof line - codes);
    tn_terminal_write(STDERR_FILENO, line,
                      tn_min(strlen(line), codes + tn_terminal_columns(STDERR_FILENO) - 1));
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
    uint64_t taken_ns = tn_max(tn_now_ns() - report->start_ns, 1);
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
               (double)summary->input_bytes / 1e6, seconds,
               (double)(report->row_count - report->resumed_row_count) / seconds,
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
