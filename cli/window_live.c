/*
 * window_live.c - see window_live.h for the rules
 */
#include "window_live.h"
#include "escape.h"
#include "terminal.h"

#include "io/duration.h"
#include "io/timestamp.h"
#include "io/wait.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LIVE_REDRAW_NS UINT64_C(250000000)
#define LIVE_LINE_BYTES_MAX 512
#define LIVE_LINES_MAX 4
#define LIVE_NUMBER_BYTES_MAX 32

void tn_live_begin(struct tn_live *live, bool wanted)
{
    *live = (struct tn_live){
        .on = wanted && tn_terminal_can_redraw(STDOUT_FILENO),
        .drawn_ns = tn_now_ns(),
        .end_ms = INT64_MIN,
    };
}

void tn_live_clear(struct tn_live *live)
{
    char codes[32];
    int bytes;

    if (live->line_count == 0)
        return;
    bytes = snprintf(codes, sizeof codes, "\r\033[%uA\033[J", live->line_count);
    tn_terminal_write(STDOUT_FILENO, codes, (size_t)bytes);
    live->line_count = 0;
}

bool tn_live_is_due(const struct tn_live *live)
{
    return live->on && tn_now_ns() - live->drawn_ns >= LIVE_REDRAW_NS;
}

/* ---- lines ----------------------------------------------------------------------------------- */

struct live_page {
    char text[LIVE_LINES_MAX * (LIVE_LINE_BYTES_MAX + 16)];
    size_t bytes;
    unsigned line_count;
    size_t columns;
    bool colour;
};

/* Add a line, cut to the terminal's width (Y2): in bytes, which cuts more than enough. */
static void page_line(struct live_page *page, const char *line)
{
    size_t bytes = strlen(line);

    if (page->colour)
        page->bytes += (size_t)sprintf(page->text + page->bytes, "\033[2m");
    bytes = tn_min(bytes, tn_min(page->columns - 1, LIVE_LINE_BYTES_MAX));
    while (bytes > 0 && ((unsigned char)line[bytes] & 0xC0) == 0x80)
        bytes--; /* not inside a character */
    memcpy(page->text + page->bytes, line, bytes);
    page->bytes += bytes;
    page->bytes +=
        (size_t)sprintf(page->text + page->bytes, "%s\r\n", page->colour ? "\033[0m" : "");
    page->line_count++;
}

__attribute__((format(printf, 2, 3))) static void page_format(struct live_page *page,
                                                              const char *format, ...)
{
    char line[LIVE_LINE_BYTES_MAX];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    page_line(page, line);
}

/* 1234567 as "1,234,567". */
static const char *number_text(uint64_t number, char to[LIVE_NUMBER_BYTES_MAX])
{
    char *at = to + (LIVE_NUMBER_BYTES_MAX - 1);
    unsigned digits = 0;

    *at = '\0';
    do {
        if (digits > 0 && digits % 3 == 0)
            *--at = ',';
        *--at = (char)('0' + number % 10);
        digits++;
    } while ((number /= 10) > 0);
    return at;
}

static void page_rule(struct live_page *page)
{
    char line[LIVE_LINE_BYTES_MAX];
    size_t bytes = tn_min(page->columns - 1, 72);

    memset(line, '-', bytes);
    line[bytes] = '\0';
    page_line(page, line);
}

static void page_counts(struct live_page *page, const struct tn_live *live,
                        const struct tn_live_facts *facts)
{
    char rows[LIVE_NUMBER_BYTES_MAX], rate[LIVE_NUMBER_BYTES_MAX];

    page_format(page, "%s rows, %s/s   %" PRIu64 " late   %" PRIu64 " bad   %" PRIu64 " open",
                number_text(facts->row_count, rows),
                number_text((uint64_t)(live->rows_per_s + 0.5), rate), facts->late_count,
                facts->bad_count, facts->open_count);
}

/* How far the watermark is behind the clock, in its two largest units: "3m20s". */
static void lag_print(int64_t watermark_ms, char to[TN_DURATION_BYTES_MAX])
{
    struct timespec now;
    int64_t lag_ms;
    char *at;
    int units = 0;

    clock_gettime(CLOCK_REALTIME, &now);
    lag_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
    if (__builtin_sub_overflow(lag_ms, watermark_ms, &lag_ms))
        lag_ms = INT64_MAX;
    tn_duration_print(lag_ms >= 1000 ? lag_ms - lag_ms % 1000 : lag_ms, to);
    for (at = to; *at != '\0' && units < 2; units++) {
        at += strspn(at, "-0123456789");
        at += strspn(at, "wdhms");
    }
    *at = '\0';
}

static void page_watermark(struct live_page *page, const struct tn_live_facts *facts)
{
    char watermark[TN_TIMESTAMP_BYTES_MAX], lag[TN_DURATION_BYTES_MAX];

    if (facts->watermark_ms == INT64_MIN) {
        page_line(page, "watermark: none yet");
        return;
    }
    tn_timestamp_print(facts->watermark_ms, watermark);
    lag_print(facts->watermark_ms, lag);
    page_format(page, "watermark %s, %s behind the clock", watermark, lag);
}

static void page_groups(struct live_page *page, const struct tn_live *live)
{
    char line[LIVE_LINE_BYTES_MAX];
    int bytes = 0;
    size_t i;

    if (live->group_count == 0)
        return;
    for (i = 0; i < live->group_count; i++)
        bytes += snprintf(line + bytes, sizeof line - (size_t)bytes, "%s%s",
                          i > 0 ? ", " : "most in the last window: ", live->groups[i].text);
    page_line(page, line);
}

_Static_assert(TN_LIVE_GROUPS_MAX *(TN_LIVE_GROUP_BYTES_MAX + 2) + 32 < LIVE_LINE_BYTES_MAX,
               "all groups fit a line");

void tn_live_draw(struct tn_live *live, const struct tn_live_facts *facts)
{
    struct live_page page = { .columns = tn_terminal_columns(STDOUT_FILENO),
                              .colour = tn_terminal_has_colour() };
    uint64_t now_ns = tn_now_ns();

    if (!live->on)
        return;
    live->rows_per_s = (double)(facts->row_count - live->drawn_rows) * 1e9 /
                       (double)tn_max(now_ns - live->drawn_ns, 1);
    live->drawn_rows = facts->row_count;
    live->drawn_ns = now_ns;
    tn_live_clear(live);
    page_rule(&page);
    page_counts(&page, live, facts);
    page_watermark(&page, facts);
    page_groups(&page, live);
    tn_terminal_write(STDOUT_FILENO, page.text, page.bytes);
    live->line_count = page.line_count;
}

/* ---- groups ---------------------------------------------------------------------------------- */

/* Printable ASCII as it is, the rest as '?', cut; answers the bytes. */
static size_t group_text(char *to, size_t room, tarn_bytes text)
{
    size_t bytes = tn_min(text.bytes, room), i;

    for (i = 0; i < bytes; i++) {
        char byte = ((const char *)text.data)[i];

        to[i] = byte >= ' ' && byte < 0x7F ? byte : '?';
    }
    return bytes;
}

void tn_live_group(struct tn_live *live, int64_t end_ms, tarn_bytes key, tarn_bytes value)
{
    struct tn_live_group group = { .value = 0 };
    char number[24] = "";
    size_t bytes, i;

    if (!live->on)
        return;
    if (end_ms != live->end_ms)
        live->group_count = 0;
    live->end_ms = end_ms;
    if (value.data != NULL)
        memcpy(number, value.data, tn_min(value.bytes, sizeof number - 1));
    group.value = strtod(number, NULL);
    i = live->group_count;
    while (i > 0 && live->groups[i - 1].value < group.value)
        i--;
    if (i == TN_LIVE_GROUPS_MAX)
        return;
    bytes = group_text(group.text, TN_LIVE_GROUP_BYTES_MAX - sizeof number - 2, key);
    if (bytes > 0)
        group.text[bytes++] = ' ';
    memcpy(group.text + bytes, number, sizeof number);
    live->group_count = tn_min(live->group_count + 1, TN_LIVE_GROUPS_MAX);
    memmove(&live->groups[i + 1], &live->groups[i],
            (live->group_count - 1 - i) * sizeof live->groups[0]);
    live->groups[i] = group;
}
