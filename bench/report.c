/*
 * report.c - results as lines; see report.h
 */
#include "report.h"

#include <inttypes.h>
#include <string.h>

static bool report_written(const struct tn_bench_report *report)
{
    return fflush(report->out) == 0 && !ferror(report->out);
}

bool tn_bench_report_begin(struct tn_bench_report *report, uint64_t entries, const char *about)
{
    report->entries = entries;
    report->reference_count = 0;
    report->op_last = "";
    if (report->page != NULL)
        tn_bench_page_begin(report->page, entries, report->key_bytes, report->value_bytes, about);
    if (report->json)
        return true;
    fprintf(report->out, "\n%s: %" PRIu64 " entries, %zu-byte keys, %zu-byte values; %s\n\n",
            report->suite, entries, report->key_bytes, report->value_bytes, about);
    fprintf(report->out, "%-22s %-15s %10s %10s %10s  %-8s %7s %8s %8s\n", "op", "store", "median",
            "min", "max", "unit", "x tarn", "faults", "allocs");
    return report_written(report);
}

/* What tarn needed for the same, 0: it did not. The row of tarn itself is remembered. */
static double report_reference(struct tn_bench_report *report, const struct tn_bench_row *row)
{
    size_t i;

    if (strcmp(row->store, "tarn") == 0) {
        if (report->reference_count < TN_BENCH_REPORT_OPS_MAX) {
            report->reference[report->reference_count].op = row->op;
            report->reference[report->reference_count++].median = row->median;
        }
        return 0;
    }
    for (i = 0; i < report->reference_count; i++)
        if (strcmp(report->reference[i].op, row->op) == 0)
            return report->reference[i].median;
    return 0;
}

/* Three or four digits that matter, and no more. */
static void report_number(char *text, size_t text_bytes, double value)
{
    if (value < 0)
        snprintf(text, text_bytes, "-");
    else if (value == 0)
        snprintf(text, text_bytes, "0");
    else
        snprintf(text, text_bytes, value < 0.01 ? "%.0e" : value < 10 ? "%.2f" : "%.1f", value);
}

/* The store's figure as a multiple of tarn's, of a rate the other way round. 0: there is none. */
static double report_times(const struct tn_bench_row *row, double reference)
{
    if (reference <= 0 || row->median <= 0)
        return 0;
    return row->is_rate ? reference / row->median : row->median / reference;
}

static bool report_table_row(struct tn_bench_report *report, const struct tn_bench_row *row,
                             double times)
{
    char ratio[32] = "", faults[32], allocations[32];
    bool is_new = strcmp(report->op_last, row->op) != 0;

    if (times > 0)
        snprintf(ratio, sizeof ratio, "%.2f", times);
    report_number(faults, sizeof faults, row->page_faults);
    report_number(allocations, sizeof allocations, row->allocations);
    fprintf(report->out, "%-22s %-15s %10.1f %10.1f %10.1f  %-8s %7s %8s %8s",
            is_new ? row->op : "", row->store, row->median, row->min, row->max, row->unit, ratio,
            faults, allocations);
    if (row->p99 > 0)
        fprintf(report->out, "  p99 %.0f, p99.9 %.0f, p99.99 %.0f", row->p99, row->p99_9,
                row->p99_99);
    fputc('\n', report->out);
    report->op_last = row->op;
    return report_written(report);
}

/* Names and units are ours: nothing in them needs escaping. */
static bool report_json_row(const struct tn_bench_report *report, const struct tn_bench_row *row,
                            double times)
{
    fprintf(report->out,
            "{\"suite\":\"%s\",\"op\":\"%s\",\"store\":\"%s\",\"entries\":%" PRIu64
            ",\"key_bytes\":%zu,\"value_bytes\":%zu,\"median\":%.3f,\"min\":%.3f,\"max\":%.3f,"
            "\"unit\":\"%s\",\"repeats\":%zu,\"operations\":%" PRIu64,
            report->suite, row->op, row->store, report->entries, report->key_bytes,
            report->value_bytes, row->median, row->min, row->max, row->unit, row->repeats,
            row->operations);
    if (row->page_faults >= 0)
        fprintf(report->out, ",\"page_faults\":%.6g", row->page_faults);
    if (row->allocations >= 0)
        fprintf(report->out, ",\"allocations\":%.6g", row->allocations);
    if (times > 0)
        fprintf(report->out, ",\"times_tarn\":%.3f", times);
    if (row->p99 > 0)
        fprintf(report->out, ",\"p99\":%.3f,\"p99_9\":%.3f,\"p99_99\":%.3f", row->p99, row->p99_9,
                row->p99_99);
    fprintf(report->out, ",\"in_turn\":%s,\"notes\":\"%s\"}\n", report->in_turn ? "true" : "false",
            row->notes);
    return report_written(report);
}

bool tn_bench_report_row(struct tn_bench_report *report, const struct tn_bench_row *row)
{
    double times = report_times(row, report_reference(report, row));

    if (report->page != NULL)
        tn_bench_page_add(report->page, row);
    if (report->json)
        return report_json_row(report, row, times);
    return report_table_row(report, row, times);
}
