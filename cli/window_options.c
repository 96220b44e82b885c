/*
 * window_options.c - the command line of `tarn window`, understood
 */
#include "window_options.h"
#include "command.h"
#include "message.h"
#include "window_lists.h"
#include "window_usage.h"

#include "io/duration.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VERB "window"
#define STATE_COMMIT_MS 1000

/* ---- single values --------------------------------------------------------------------------- */

/* The place of `text` among `names`; false, and said, when it is none of them. */
static bool choice_parse(const char *option, const char *text, const char *const *names,
                         size_t count, int *out)
{
    char all[64] = "";
    size_t i;

    for (i = 0; i < count; i++) {
        *out = (int)i;
        if (strcmp(names[i], text) == 0)
            return true;
        strncat(all, i == 0 ? "" : i + 1 < count ? ", " : " or ", sizeof all - strlen(all) - 1);
        strncat(all, names[i], sizeof all - strlen(all) - 1);
    }
    tn_message(VERB, "option %s: '%s' is none of its values; write %s", option, text, all);
    return false;
}

static bool duration_parse(const char *option, const char *text, int64_t *out)
{
    struct tn_reason reason;

    if (tn_duration_read(text, out, &reason))
        return true;
    tn_message(VERB, "option %s: %s", option, reason.text);
    return false;
}

/* The one duration that may have a sign. */
static bool offset_parse(struct tn_window_command *out, const char *text,
                         const struct tn_arguments *arguments)
{
    const char *slide = arguments->values[WINDOW_SLIDE];
    int64_t slide_ms = slide != NULL ? out->slide_ms : out->every_ms;
    bool negative = *text == '-';

    if (!duration_parse("--offset", text + negative, &out->offset_ms))
        return false;
    if (out->offset_ms >= slide_ms) {
        tn_message(VERB, "option --offset: '%s' is not less than %s '%s'; write the remainder",
                   text, slide != NULL ? "--slide" : "--every",
                   slide != NULL ? slide : arguments->values[WINDOW_EVERY]);
        return false;
    }
    if (negative)
        out->offset_ms = -out->offset_ms;
    return true;
}

/* A duration that must be longer than 0; NULL: not given, and nothing is set. */
static bool length_parse(const char *option, const char *text, const char *what, int64_t *out)
{
    if (text == NULL)
        return true;
    if (!duration_parse(option, text, out))
        return false;
    if (*out > 0)
        return true;
    tn_message(VERB, "option %s: %s must be longer than 0; write a duration like 1h", option, what);
    return false;
}

/* How windows are cut. */
static bool windows_parse(struct tn_window_command *out, const struct tn_arguments *arguments)
{
    const char *const *values = arguments->values;

    return length_parse("--every", values[WINDOW_EVERY], "a window", &out->every_ms) &&
           length_parse("--slide", values[WINDOW_SLIDE], "a slide", &out->slide_ms) &&
           length_parse("--session", values[WINDOW_SESSION], "a gap", &out->gap_ms) &&
           (values[WINDOW_OFFSET] == NULL || offset_parse(out, values[WINDOW_OFFSET], arguments));
}

/* How long windows wait, and for what. */
static bool lateness_parse(struct tn_window_command *out, const struct tn_arguments *arguments)
{
    const char *late = arguments->values[WINDOW_LATE];
    const char *grace = arguments->values[WINDOW_GRACE];
    const char *ahead = arguments->values[WINDOW_MAX_AHEAD];

    if (late != NULL && !duration_parse("--late", late, &out->late_ms))
        return false;
    if (grace != NULL && !duration_parse("--grace", grace, &out->grace_ms))
        return false;
    if (ahead == NULL)
        return true;
    if (!duration_parse("--max-ahead", ahead, &out->max_ahead_ms))
        return false;
    if (out->max_ahead_ms > out->late_ms)
        return true;
    tn_message(VERB,
               "option --max-ahead: '%s' is not more than --late '%s': every row in order would be "
               "bad; write a longer one",
               ahead, late != NULL ? late : "0");
    return false;
}

static bool emit_parse(struct tn_window_command *out, const struct tn_arguments *arguments)
{
    static const char every[] = "every=";
    const char *text = arguments->values[WINDOW_EMIT];

    out->mode = TN_WINDOW_FINAL;
    if (text == NULL || strcmp(text, "final") == 0)
        return true;
    if (strcmp(text, "changes") == 0) {
        out->mode = TN_WINDOW_CHANGES;
        return true;
    }
    if (strncmp(text, every, sizeof every - 1) == 0) {
        out->mode = TN_WINDOW_EVERY;
        return length_parse("--emit", text + sizeof every - 1, "the time between prints",
                            &out->print_ms);
    }
    tn_message(VERB, "option --emit: '%s' is none of its values; write final, changes or every=DUR",
               text);
    return false;
}

/* Which of --merge, --follow, --idle make sense together, and with these files. */
static bool sources_parse(struct tn_window_command *out, const struct tn_arguments *arguments)
{
    const char *idle = arguments->values[WINDOW_IDLE];
    size_t inputs = 0, i;

    out->merge = arguments->values[WINDOW_MERGE] != NULL;
    out->follow = arguments->values[WINDOW_FOLLOW] != NULL;
    if (idle != NULL && !duration_parse("--idle", idle, &out->idle_ms))
        return false;
    if (idle != NULL && (!out->merge || !out->follow || out->idle_ms == 0)) {
        tn_message(VERB, "option --idle: %s",
                   out->idle_ms == 0 ? "it must be longer than 0; write a duration like 10s"
                                     : "it says when a source that is followed beside others holds "
                                       "them no more; add --merge --follow, or leave it out");
        return false;
    }
    for (i = 0; i < out->file_count; i++)
        inputs += strcmp(out->files[i], "-") == 0;
    if (inputs > 1) {
        tn_message(VERB, "standard input is named %zu times; it can be read once", inputs);
        return false;
    }
    if (inputs > 0 && out->follow) {
        tn_message(VERB,
                   "standard input cannot be followed: it is read until its writer closes it; "
                   "leave out --follow");
        return false;
    }
    return true;
}

/* "1000" is rows, "10s" is time. */
static bool commit_parse(struct tn_window_command *out, const char *text)
{
    static const char option[] = "--commit-every";
    size_t digits = strspn(text, "0123456789");

    if (*text == '\0' || text[digits] != '\0')
        return length_parse(option, text, "the time between commits", &out->commit_ms);
    errno = 0;
    out->commit_rows = strtoull(text, NULL, 10);
    if (out->commit_rows > 0 && errno == 0)
        return true;
    tn_message(VERB,
               "option %s: '%s' is no number of rows; write one like 100000, or a time like 1s",
               option, text);
    return false;
}

/* What --state goes with. A pipe among the files is found when they are looked at. */
static bool state_parse(struct tn_window_command *out, const struct tn_arguments *arguments)
{
    const char *commit = arguments->values[WINDOW_COMMIT_EVERY];
    size_t i;

    out->state_path = arguments->values[WINDOW_STATE];
    out->commit_ms = STATE_COMMIT_MS;
    if (out->state_path == NULL) {
        if (commit != NULL)
            tn_message(VERB, "option --commit-every: there is nothing to commit; add --state DIR");
        return commit == NULL;
    }
    if (*out->state_path == '\0') {
        tn_message(VERB, "option --state: the name is empty; write that of a directory");
        return false;
    }
    for (i = 0; i < out->file_count; i++)
        if (strcmp(out->files[i], "-") == 0) {
            tn_message(VERB, "option --state: standard input cannot be read again after a crash; "
                             "write it to a file first, or leave out --state");
            return false;
        }
    if (out->output_format == TN_WRITER_PRETTY) {
        tn_message(VERB, "option --state: -o pretty lays out rows by those around them, which a "
                         "crash would change; write -o csv, -o tsv or -o ndjson");
        return false;
    }
    return commit == NULL || commit_parse(out, commit);
}

static bool formats_parse(struct tn_window_command *out, const struct tn_arguments *arguments)
{
    static const char *const inputs[] = { "csv", "tsv", "ndjson" };
    static const char *const outputs[] = { "csv", "tsv", "ndjson", "pretty" };
    static const char *const times[] = { "iso", "ms" };
    const char *const *values = arguments->values;
    int choice;

    if (values[WINDOW_INPUT] != NULL) {
        if (!choice_parse("-i", values[WINDOW_INPUT], inputs, TN_ARRAY_COUNT(inputs), &choice))
            return false;
        out->input_format = (enum tn_format)((int)TN_FORMAT_CSV + choice);
    }
    if (values[WINDOW_OUTPUT] != NULL) {
        if (!choice_parse("-o", values[WINDOW_OUTPUT], outputs, TN_ARRAY_COUNT(outputs), &choice))
            return false;
        out->output_format = (enum tn_writer_format)choice;
    }
    if (values[WINDOW_TIMES] != NULL) {
        if (!choice_parse("--times", values[WINDOW_TIMES], times, TN_ARRAY_COUNT(times), &choice))
            return false;
        out->times_as_ms = choice == 1;
    }
    return true;
}

static bool time_format_parse(struct tn_window_command *out, const struct tn_arguments *arguments)
{
    const char *text = arguments->values[WINDOW_TIME_FORMAT];
    struct tn_reason reason;

    if (tn_timestamp_format_read(&out->time_format, text != NULL ? text : "auto", &reason))
        return true;
    tn_message(VERB, "option --time-format: %s", reason.text);
    return false;
}

/* An empty name is most likely a variable of a script that is not set. */
static bool outputs_parse(struct tn_window_command *out, const struct tn_arguments *arguments)
{
    static const enum window_option outputs[] = { WINDOW_OUT, WINDOW_LATE_TO };
    size_t i;

    for (i = 0; i < TN_ARRAY_COUNT(outputs); i++) {
        const char *path = arguments->values[outputs[i]];

        if (path == NULL || *path != '\0')
            continue;
        tn_message(VERB, "option --%s: the name is empty; write that of a file",
                   tn_window_options_known[outputs[i]].name);
        return false;
    }
    out->output_path = arguments->values[WINDOW_OUT];
    out->late_path = arguments->values[WINDOW_LATE_TO];
    return true;
}

/* ---- the whole ------------------------------------------------------------------------------- */

static bool files_fill(struct tn_window_command *out, const struct tn_arguments *arguments)
{
    static const char *const standard_input[] = { "-" };
    size_t i;

    out->files = (const char *const *)arguments->operands;
    out->file_count = arguments->operand_count;
    if (out->file_count == 0) {
        out->files = standard_input;
        out->file_count = 1;
    }
    for (i = 0; i < out->file_count; i++)
        if (strcmp(out->files[i], "-") == 0 && out->input_format == TN_FORMAT_AUTO) {
            tn_message(VERB, "standard input has no name to tell its format; "
                             "write -i csv, -i tsv or -i ndjson");
            return false;
        }
    return true;
}

/* Sessions are cut by rows, all else by the clock. */
static bool kind_check(const struct tn_arguments *arguments)
{
    static const enum window_option clocked[] = { WINDOW_EVERY, WINDOW_SLIDE, WINDOW_OFFSET };
    const char *const *values = arguments->values;
    size_t i;

    if (values[WINDOW_SESSION] == NULL) {
        if (values[WINDOW_EVERY] == NULL)
            tn_message(VERB,
                       "option --every is missing; write --every DUR, the length of a window, "
                       "or --session GAP");
        return values[WINDOW_EVERY] != NULL;
    }
    for (i = 0; i < TN_ARRAY_COUNT(clocked); i++)
        if (values[clocked[i]] != NULL) {
            tn_message(VERB, "option --session and option --%s exclude each other; keep one",
                       tn_window_options_known[clocked[i]].name);
            return false;
        }
    return true;
}

static bool required_check(const struct tn_arguments *arguments)
{
    if (arguments->values[WINDOW_TIME] == NULL || *arguments->values[WINDOW_TIME] == '\0') {
        tn_message(VERB,
                   "option --time is missing; write --time FIELD, the field with the event time");
        return false;
    }
    return kind_check(arguments);
}

bool tn_window_command_parse(struct tn_window_command *out, int argc, char **argv, int *exit_code)
{
    struct tn_arguments arguments;

    *out = (struct tn_window_command){ .input_format = TN_FORMAT_AUTO,
                                       .output_format = TN_WRITER_CSV };
    if (!tn_arguments_parse(&arguments, &tn_window_usage, argc, argv, exit_code))
        return false;
    out->strict = arguments.values[WINDOW_STRICT] != NULL;
    out->explain = arguments.values[WINDOW_EXPLAIN] != NULL;
    out->verbose = arguments.values[WINDOW_VERBOSE] != NULL;
    if (required_check(&arguments) && outputs_parse(out, &arguments) &&
        windows_parse(out, &arguments) && lateness_parse(out, &arguments) &&
        emit_parse(out, &arguments) && formats_parse(out, &arguments) &&
        time_format_parse(out, &arguments) && files_fill(out, &arguments) &&
        sources_parse(out, &arguments) && state_parse(out, &arguments) &&
        tn_window_lists_fill(out, &arguments))
        return true;
    tn_window_command_release(out);
    *exit_code = TN_EXIT_USAGE;
    return false;
}

void tn_window_command_release(struct tn_window_command *command)
{
    tn_window_lists_release(command);
    *command = (struct tn_window_command){ 0 };
}
