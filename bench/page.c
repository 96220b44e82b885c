/*
 * page.c - results as one HTML file; see page.h
 *
 *     1,000,000 entries ...
 *     operation     tarn           best rival        ratio     one table for each size
 *
 *     get_random    tarn   ######      18.1
 *       ns          arena  ####        12.0                    bars: the longest is the largest median
 */
#include "page.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>

static const char page_head[] =
    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
    "<title>tarn bench store</title>\n<style>\n"
    ":root { color-scheme: light dark; --tarn: #0b7285; --rival: #adb5bd; --line: #8886; }\n"
    "body { font: 15px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto;"
    " padding: 0 1rem; }\n"
    "h2 { margin-top: 3rem; }\n"
    "table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }\n"
    "th, td { text-align: left; padding: .15rem .6rem; border-bottom: 1px solid var(--line); }\n"
    "td.n, th.n { text-align: right; }\n"
    "td.bar { width: 45%; }\n"
    "td.bar span { display: block; height: .8rem; background: var(--rival); }\n"
    "tr.tarn td.bar span { background: var(--tarn); }\n"
    "tr.tarn td.s { font-weight: 600; }\n"
    "tr.first > * { border-top: 2px solid var(--line); }\n"
    "small, .about { opacity: .75; }\n"
    "</style>\n</head>\n<body>\n<h1>tarn bench store</h1>\n";

void tn_bench_page_begin(struct tn_bench_page *page, uint64_t entries, size_t key_bytes,
                         size_t value_bytes, const char *about)
{
    struct tn_bench_page_size *size;

    if (page->size_count == TN_BENCH_PAGE_SIZES_MAX) {
        page->is_incomplete = true;
        return;
    }
    size = &page->sizes[page->size_count++];
    *size = (struct tn_bench_page_size){ .entries = entries,
                                         .key_bytes = key_bytes,
                                         .value_bytes = value_bytes,
                                         .row_first = page->row_count };
    snprintf(size->about, sizeof size->about, "%s", about);
}

void tn_bench_page_add(struct tn_bench_page *page, const struct tn_bench_row *row)
{
    size_t max = tn_max(256, 2 * page->row_count_max);
    struct tn_bench_row *rows;

    if (page->row_count == page->row_count_max) {
        rows = realloc(page->rows, max * sizeof *rows);
        if (rows == NULL) {
            page->is_incomplete = true;
            return;
        }
        page->rows = rows;
        page->row_count_max = max;
    }
    page->rows[page->row_count++] = *row;
}

void tn_bench_page_release(struct tn_bench_page *page)
{
    free(page->rows);
    *page = (struct tn_bench_page){ .row_count = 0 };
}

/* ---- the rows of one size -------------------------------------------------------------------- */

struct span {
    const struct tn_bench_row *begin, *end;
};

static struct span size_rows(const struct tn_bench_page *page, size_t i)
{
    size_t end = i + 1 < page->size_count ? page->sizes[i + 1].row_first : page->row_count;

    if (page->row_count == 0) /* and no array */
        return (struct span){ .begin = NULL };
    return (struct span){ page->rows + page->sizes[i].row_first, page->rows + end };
}

/* Is this the first row of its operation? Stores that went alone leave those of one op apart. */
static bool row_is_first(struct span rows, const struct tn_bench_row *row)
{
    const struct tn_bench_row *at;

    for (at = rows.begin; at < row; at++)
        if (strcmp(at->op, row->op) == 0)
            return false;
    return true;
}

bool tn_bench_store_is_tarn(const char *store)
{
    return strncmp(store, "tarn", 4) == 0;
}

static const struct tn_bench_row *row_best_rival(struct span rows, const char *op)
{
    const struct tn_bench_row *at, *best = NULL;

    for (at = rows.begin; at < rows.end; at++)
        if (strcmp(at->op, op) == 0 && !tn_bench_store_is_tarn(at->store) &&
            (best == NULL || at->median < best->median))
            best = at;
    return best;
}

static double op_longest(struct span rows, const char *op)
{
    const struct tn_bench_row *at;
    double longest = 0;

    for (at = rows.begin; at < rows.end; at++)
        if (strcmp(at->op, op) == 0 && at->median > longest)
            longest = at->median;
    return longest;
}

/* ---- writing --------------------------------------------------------------------------------- */

static void text_write(FILE *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '<')
            fputs("&lt;", out);
        else if (*text == '>')
            fputs("&gt;", out);
        else if (*text == '&')
            fputs("&amp;", out);
        else
            fputc(*text, out);
    }
}

static void number_write(FILE *out, double value)
{
    fprintf(out, value < 10 && value > -10 ? "%.2f" : "%.1f", value);
}

static void ratio_write(FILE *out, struct span rows, const struct tn_bench_row *tarn)
{
    const struct tn_bench_row *best = row_best_rival(rows, tarn->op);

    fputs("<tr><td>", out);
    text_write(out, tarn->op);
    fputs("</td><td class=\"n\">", out);
    number_write(out, tarn->median);
    fprintf(out, " <small>%s</small></td>", tarn->unit);
    if (best == NULL) {
        fputs("<td></td><td class=\"n\"></td><td class=\"n\"></td></tr>\n", out);
        return;
    }
    fputs("<td>", out);
    text_write(out, best->store);
    fputs("</td><td class=\"n\">", out);
    number_write(out, best->median);
    fputs("</td><td class=\"n\">", out);
    if (tarn->median > 0)
        number_write(out, best->median / tarn->median);
    fputs("</td></tr>\n", out);
}

static void ratios_write(FILE *out, struct span rows)
{
    const struct tn_bench_row *row;

    fputs("<table>\n<tr><th>operation</th><th class=\"n\">tarn</th><th>best rival</th>"
          "<th class=\"n\"></th><th class=\"n\">rival / tarn</th></tr>\n",
          out);
    for (row = rows.begin; row < rows.end; row++)
        if (strcmp(row->store, "tarn") == 0)
            ratio_write(out, rows, row);
    fputs("</table>\n", out);
}

static void bar_write(FILE *out, const struct tn_bench_row *row, double longest, bool is_first)
{
    double share = longest > 0 && row->median > 0 ? row->median / longest * 100 : 0;

    fprintf(out, "<tr class=\"%s%s\"><td>", tn_bench_store_is_tarn(row->store) ? "tarn" : "",
            is_first ? " first" : "");
    if (is_first) {
        text_write(out, row->op);
        fprintf(out, " <small>%s</small>", row->unit);
    }
    fputs("</td><td class=\"s\">", out);
    text_write(out, row->store);
    fprintf(out, "</td><td class=\"bar\"><span style=\"width:%.1f%%\"></span></td><td class=\"n\">",
            share);
    number_write(out, row->median);
    fputs("</td><td class=\"n\"><small>", out);
    if (row->p99 > 0) {
        fprintf(out, "p99 %.0f, p99.9 %.0f, p99.99 %.0f, max %.0f", row->p99, row->p99_9,
                row->p99_99, row->max);
    } else {
        number_write(out, row->min);
        fputs(" &ndash; ", out);
        number_write(out, row->max);
    }
    fputs("</small></td></tr>\n", out);
}

static void bars_write(FILE *out, struct span rows)
{
    const struct tn_bench_row *row, *other;

    fputs("<table>\n<tr><th>operation</th><th>store</th><th></th><th class=\"n\">median</th>"
          "<th class=\"n\">min &ndash; max</th></tr>\n",
          out);
    for (row = rows.begin; row < rows.end; row++) {
        if (!row_is_first(rows, row))
            continue;
        for (other = row; other < rows.end; other++)
            if (strcmp(other->op, row->op) == 0)
                bar_write(out, other, op_longest(rows, row->op), other == row);
    }
    fputs("</table>\n", out);
}

static void size_write(FILE *out, const struct tn_bench_page *page, size_t i)
{
    const struct tn_bench_page_size *size = &page->sizes[i];
    struct span rows = size_rows(page, i);

    fprintf(out,
            "<h2>%" PRIu64 " entries, %zu-byte keys, %zu-byte values</h2>\n<p class=\"about\">",
            size->entries, size->key_bytes, size->value_bytes);
    text_write(out, size->about);
    fputs("</p>\n", out);
    ratios_write(out, rows);
    fputs("<h3>All stores</h3>\n", out);
    bars_write(out, rows);
}

/* Each store once, with its settings. */
static void notes_write(FILE *out, const struct tn_bench_page *page)
{
    size_t i, j;

    fputs("<h2>Stores</h2>\n<table>\n", out);
    for (i = 0; i < page->row_count; i++) {
        for (j = 0; j < i && strcmp(page->rows[j].store, page->rows[i].store) != 0;)
            j++;
        if (j < i)
            continue;
        fputs("<tr><td>", out);
        text_write(out, page->rows[i].store);
        fputs("</td><td>", out);
        text_write(out, page->rows[i].notes);
        fputs("</td></tr>\n", out);
    }
    fputs("</table>\n", out);
}

static void about_write(FILE *out)
{
    time_t now = time(NULL);
    struct utsname system;
    struct tm parts;
    char date[32] = "";

    if (gmtime_r(&now, &parts) != NULL)
        strftime(date, sizeof date, "%Y-%m-%d %H:%M UTC", &parts);
    fprintf(out, "<p class=\"about\">%s", date);
    if (uname(&system) == 0) {
        fputs(", ", out);
        text_write(out, system.sysname);
        fputc(' ', out);
        text_write(out, system.release);
        fputc(' ', out);
        text_write(out, system.machine);
    }
    fputs(
        ". Medians; the shorter the bar the better. In the first table of each size above 1 means "
        "that tarn is faster, or smaller, than the best rival.</p>\n",
        out);
}

bool tn_bench_page_write(const struct tn_bench_page *page, FILE *out)
{
    size_t i;

    fputs(page_head, out);
    about_write(out);
    for (i = 0; i < page->size_count; i++)
        size_write(out, page, i);
    notes_write(out, page);
    fputs("</body>\n</html>\n", out);
    if (page->is_incomplete) {
        errno = ENOMEM;
        return false;
    }
    return fflush(out) == 0 && !ferror(out);
}
