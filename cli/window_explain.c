/*
 * window_explain.c - see window_explain.h
 *
 *     input     a.csv: csv
 *     time      field 'time'; auto: iso, as the first row of a.csv says
 *     windows   of 1h, ...                                  a paragraph for each of the lines
 *     ...                                                   below; a word, then what holds
 */
#include "window_explain.h"
#include "command.h"
#include "escape.h"
#include "message.h"
#include "signals.h"

#include "io/duration.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define VERB "window"
#define EXPLAIN_ROWS_MAX 1000 /* looked at for a time that can be read */
#define EXPLAIN_COLUMN 10

/* One line: a word that says what it is about (NULL: as the line above), then the sentence. */
__attribute__((format(printf, 3, 4))) static void explain(struct tn_output *output,
                                                          const char *word, const char *format, ...)
{
    char text[1024];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    tn_output_format(output, "%-*s", EXPLAIN_COLUMN, word != NULL ? word : "");
    tn_escape_pretty(output, tn_bytes_of_text(text)); /* a file's name must not steer a terminal */
    tn_output_byte(output, '\n');
    tn_output_end_line(output);
}

static const char *duration_text(int64_t ms)
{
    static char texts[4][TN_DURATION_BYTES_MAX]; /* as many as one sentence needs */
    static unsigned next;
    char *text = texts[next++ % TN_ARRAY_COUNT(texts)];

    tn_duration_print(ms, text);
    return text;
}

/* ---- input ----------------------------------------------------------------------------------- */

/* What a look at the files found. */
struct sight {
    struct tn_timestamp_format time_format; /* changed by the first time that could be read */
    const char *seen_in;                    /* where that was; NULL: nowhere */
    uint64_t seen_line;
};

static void sight_row(struct sight *sight, const char *path, const struct tn_row *row)
{
    struct tn_reason reason;
    int64_t time_ms;

    if (sight->seen_in != NULL ||
        !tn_timestamp_read(&sight->time_format, row->fields[0], &time_ms, &reason))
        return;
    sight->seen_in = path;
    sight->seen_line = row->line;
}

/* Check the header of a file and look at its first rows. An exit code, 0 when all is well. */
static int sight_file(struct sight *sight, const struct tn_window_command *command,
                      const char *path)
{
    struct tn_reader_options options = {
        .format = command->input_format,
        .fields = command->fields,
        .field_count = command->field_count,
        .stop = tn_signals_flag(),
    };
    struct tn_reader *reader;
    struct tn_row row;
    char reason[1024];
    int answer = tn_reader_open(&reader, path, &options, reason, sizeof reason), i;

    if (answer == TN_READER_STOPPED)
        return TN_EXIT_SIGNAL + *tn_signals_flag();
    if (answer != TN_READER_ROW) {
        tn_message(VERB, "%s", reason);
        return answer == TN_READER_REFUSED ? TN_EXIT_REFUSED : TN_EXIT_FAILED;
    }
    for (i = 0; i < EXPLAIN_ROWS_MAX && sight->seen_in == NULL && answer < TN_READER_REFUSED; i++) {
        answer = tn_reader_next(reader, &row);
        if (answer == TN_READER_ROW)
            sight_row(sight, path, &row);
        else if (answer == TN_READER_END)
            break;
    }
    tn_reader_close(reader);
    return TN_EXIT_DONE;
}

static bool is_a_file(const char *path)
{
    struct stat status;

    return strcmp(path, "-") != 0 && (stat(path, &status) != 0 || S_ISREG(status.st_mode) ||
                                      S_ISDIR(status.st_mode)); /* what is missing is told */
}

static int sight_all(struct sight *sight, const struct tn_window_command *command)
{
    int exit_code = TN_EXIT_DONE;
    size_t i;

    for (i = 0; i < command->file_count && exit_code == TN_EXIT_DONE; i++)
        if (is_a_file(command->files[i]))
            exit_code = sight_file(sight, command, command->files[i]);
    return exit_code;
}

static void explain_input(struct tn_output *output, const struct tn_window_command *command)
{
    static const char *const formats[] = { "as its name says", "csv", "tsv", "ndjson" };
    size_t i;

    for (i = 0; i < command->file_count; i++) {
        const char *path = command->files[i];

        explain(output, i == 0 ? "input" : NULL, "%s: %s%s",
                strcmp(path, "-") == 0 ? "standard input" : path, formats[command->input_format],
                is_a_file(path) ? "" : "; not looked at");
    }
    if (command->merge)
        explain(output, NULL,
                "merged: each is a source with its own watermark, the least of them "
                "counts; the source furthest behind gives the next row");
    else if (command->file_count > 1)
        explain(output, NULL, "one after another, as one stream");
    if (command->follow)
        explain(output, NULL, "%s followed as it grows, until SIGINT or SIGTERM",
                command->merge && command->file_count > 1 ? "each is" : "the last is");
    if (command->idle_ms != 0)
        explain(output, NULL, "one that gives nothing for more than %s holds the others no more",
                duration_text(command->idle_ms));
}

static void explain_time(struct tn_output *output, const struct tn_window_command *command,
                         const struct sight *sight)
{
    const char *field = command->fields[0];
    const char *format = tn_timestamp_format_text(&sight->time_format);

    if (command->time_format.kind != TN_TIMESTAMP_AUTO)
        explain(output, "time", "field '%s', read as %s", field, format);
    else if (sight->seen_in != NULL)
        explain(output, "time", "field '%s'; auto: %s, as %s:%" PRIu64 " says", field, format,
                sight->seen_in, sight->seen_line);
    else
        explain(output, "time",
                "field '%s'; auto: the first that can be read decides between iso, "
                "s, ms, us and ns",
                field);
}

/* ---- what is computed ------------------------------------------------------------------------ */

static void explain_windows(struct tn_output *output, const struct tn_window_command *command)
{
    int64_t slide_ms = command->slide_ms != 0 ? command->slide_ms : command->every_ms;
    const char *relation = slide_ms < command->every_ms   ? "overlapping"
                           : slide_ms > command->every_ms ? "with gaps between them"
                                                          : "one behind the other";
    char offset[TN_DURATION_BYTES_MAX + 16] = "";

    if (command->gap_ms != 0) {
        explain(output, "windows",
                "sessions: a group's rows that follow each other within %s; the end is that much "
                "behind the last",
                duration_text(command->gap_ms));
        return;
    }
    if (command->offset_ms != 0)
        snprintf(offset, sizeof offset, " plus %s", duration_text(command->offset_ms));
    explain(output, "windows",
            "of %s, %s: [start, end), starting at multiples of %s%s since 1970 in UTC",
            duration_text(command->every_ms), relation, duration_text(slide_ms), offset);
}

static void explain_groups(struct tn_output *output, const struct tn_window_command *command)
{
    size_t i;

    if (command->key_count == 0)
        explain(output, "group by", "nothing: one row of output for each window");
    for (i = 0; i < command->key_count; i++)
        explain(output, i == 0 ? "group by" : NULL, "field '%s'", command->fields[1 + i]);
}

static void explain_aggregates(struct tn_output *output, const struct tn_window_command *command)
{
    static const char *const sentences[] = {
        [TN_COUNT_ROWS] = "rows",
        [TN_COUNT] = "rows where '%s' is not empty",
        [TN_SUM] = "exact sum of '%s'",
        [TN_MIN] = "least number in '%s'",
        [TN_MAX] = "greatest number in '%s'",
        [TN_AVG] = "exact mean of '%s', rounded half to even at 6 decimals",
        [TN_FIRST] = "text of '%s' at the least event time",
        [TN_LAST] = "text of '%s' at the greatest event time",
        [TN_DISTINCT] = "different texts in '%s', counted exactly",
    };
    const struct tn_aggregate_list *list = &command->aggregates;
    char sentence[512];
    size_t i;

    for (i = 0; i < list->count; i++) {
        const char *form = sentences[list->items[i].kind], *hole = strstr(form, "%s");

        if (hole == NULL)
            snprintf(sentence, sizeof sentence, "%s", form);
        else
            snprintf(sentence, sizeof sentence, "%.*s%s%s", (int)(hole - form), form,
                     list->fields[i], hole + 2);
        explain(output, i == 0 ? "compute" : NULL, "%s: %s", list->names[i], sentence);
    }
}

static void explain_lateness(struct tn_output *output, const struct tn_window_command *command)
{
    const char *where = command->merge ? " in each source" : "";

    if (command->late_ms == 0)
        explain(output, "late",
                "rows are expected in order%s: the watermark is the greatest time minus 1 ms",
                where);
    else
        explain(
            output, "late",
            "rows may come up to %s out of order%s: the watermark is the greatest time minus %s "
            "minus 1 ms",
            duration_text(command->late_ms), where, duration_text(command->late_ms));
    if (command->grace_ms != 0)
        explain(output, NULL, "windows take late rows until the watermark is %s behind their end",
                duration_text(command->grace_ms));
    if (command->late_path != NULL)
        explain(output, NULL,
                "a row that no window takes any more is late: counted, and written to %s",
                command->late_path);
    else
        explain(output, NULL, "a row that no window takes any more is late: counted and dropped");
}

static void explain_bad_rows(struct tn_output *output, const struct tn_window_command *command)
{
    explain(output, "bad rows", "%s",
            command->strict ? "the first ends the run with exit code 3"
                            : "are told (the first 10), counted and skipped");
    if (command->max_ahead_ms != 0)
        explain(output, NULL, "a row more than %s ahead of the watermark is one",
                duration_text(command->max_ahead_ms));
}

static void explain_emit(struct tn_output *output, const struct tn_window_command *command)
{
    const char *end = command->follow ? "a signal prints none that are open"
                                      : "the end of the input completes all";

    if (command->mode == TN_WINDOW_CHANGES)
        explain(
            output, "emit",
            "each window when the watermark reaches its end minus 1 ms, and again for each late "
            "row it takes; %s",
            end);
    else if (command->mode == TN_WINDOW_EVERY)
        explain(output, "emit", "what has changed, each %s of event time; %s",
                duration_text(command->print_ms), end);
    else if (command->grace_ms != 0)
        explain(output, "emit",
                "each window once, when the watermark has reached its end minus 1 ms plus %s; %s",
                duration_text(command->grace_ms), end);
    else
        explain(output, "emit",
                "each window once, when the watermark has reached its end minus 1 ms; %s", end);
    if (command->mode != TN_WINDOW_FINAL)
        explain(output, NULL,
                "column op: + replaces what was printed for that window and group, - "
                "takes it back");
}

static void explain_output(struct tn_output *output, const struct tn_window_command *command)
{
    static const char *const formats[] = { "csv", "tsv", "ndjson", "a table" };

    explain(output, "output", "%s to %s; window times as %s", formats[command->output_format],
            command->output_path != NULL ? command->output_path : "standard output",
            command->times_as_ms ? "milliseconds since 1970" : "ISO 8601 in UTC");
    if (command->state_path == NULL)
        return;
    if (command->commit_rows > 0)
        explain(output, "state", "in %s, committed every %" PRIu64 " rows", command->state_path,
                command->commit_rows);
    else
        explain(output, "state", "in %s, committed every %s", command->state_path,
                duration_text(command->commit_ms));
    explain(output, NULL, "%s",
            command->output_path != NULL
                ? "after a crash or a signal the same command line goes on to the same output"
                : "after a crash or a signal the same command line goes on; rows since the last "
                  "commit come again, which --out would prevent");
}

int tn_window_explain(const struct tn_window_command *command)
{
    struct sight sight = { .time_format = command->time_format };
    struct tn_output output;
    int exit_code = sight_all(&sight, command);

    if (exit_code != TN_EXIT_DONE)
        return exit_code;
    tn_output_init(&output);
    explain_input(&output, command);
    explain_time(&output, command, &sight);
    explain_windows(&output, command);
    explain_groups(&output, command);
    explain_aggregates(&output, command);
    explain_lateness(&output, command);
    explain_bad_rows(&output, command);
    explain_emit(&output, command);
    explain_output(&output, command);
    return tn_output_close(&output, VERB);
}
