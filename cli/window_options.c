/*
 * window_options.c - the command line of `tarn window`, understood
 */
#include "window_options.h"
#include "arguments.h"
#include "command.h"
#include "message.h"

#include "io/duration.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VERB "window"
#define STATE_COMMIT_MS 1000

/* ---- the table ------------------------------------------------------------------------------- */

enum window_option {
    WINDOW_INPUT,
    WINDOW_TIME,
    WINDOW_TIME_FORMAT,
    WINDOW_BY,
    WINDOW_EVERY,
    WINDOW_SLIDE,
    WINDOW_SESSION,
    WINDOW_OFFSET,
    WINDOW_AGG,
    WINDOW_LATE,
    WINDOW_GRACE,
    WINDOW_LATE_TO,
    WINDOW_MAX_AHEAD,
    WINDOW_EMIT,
    WINDOW_STRICT,
    WINDOW_OUTPUT,
    WINDOW_TIMES,
    WINDOW_OUT,
    WINDOW_VERBOSE,
    WINDOW_MERGE,
    WINDOW_STATE,
    WINDOW_COMMIT_EVERY,
    WINDOW_FOLLOW,
    WINDOW_IDLE,
    WINDOW_EXPLAIN,
    WINDOW_OPTION_COUNT
};

static const struct tn_option window_options[WINDOW_OPTION_COUNT] = {
    [WINDOW_INPUT] = { NULL, 'i', "csv|tsv|ndjson",
                       "format of the input; default: from the file's name\n"
                       "(x.csv, x.tsv, x.ndjson, x.jsonl, each also with .gz)" },
    [WINDOW_TIME] = { "time", 0, "FIELD", "field that holds the event time; required" },
    [WINDOW_TIME_FORMAT] = { "time-format", 0, "FORMAT",
                             "auto (default: decided by the first time that can be\n"
                             "read), s, ms, us, ns (numbers since 1970), iso, or a\n"
                             "strptime format that holds a '%'" },
    [WINDOW_BY] = { "by", 0, "FIELD[,FIELD...]", "group rows by these fields; default: one group" },
    [WINDOW_EVERY] = { "every", 0, "DUR", "length of a window: 500ms, 10s, 5m, 1h, 1d, 1w" },
    [WINDOW_SLIDE] = { "slide", 0, "DUR",
                       "from one window's start to the next; default: --every.\n"
                       "Less: windows overlap; more: rows between them are left out" },
    [WINDOW_SESSION] = { "session", 0, "GAP",
                         "sessions instead of --every: a group's rows that follow\n"
                         "each other within GAP are one window" },
    [WINDOW_OFFSET] = { "offset", 0, "DUR",
                        "shift window starts by this; less than --slide (or\n"
                        "--every), may be negative: -2h" },
    [WINDOW_AGG] = { "agg", 0, "LIST",
                     "what to compute, separated by commas; default: count.\n"
                     "count, count(x), sum(x), min(x), max(x), avg(x),\n"
                     "first(x), last(x), distinct(x); name=count names it" },
    [WINDOW_LATE] = { "late", 0, "DUR", "how far rows may come out of order; default 0" },
    [WINDOW_GRACE] = { "grace", 0, "DUR",
                       "keep windows open for late rows so much longer;\ndefault 0" },
    [WINDOW_LATE_TO] = { "late-to", 0, "FILE",
                         "write late rows to FILE, as they came, header first" },
    [WINDOW_MAX_AHEAD] = { "max-ahead", 0, "DUR",
                           "a row further ahead of the watermark is bad, and does\n"
                           "not move it; more than --late" },
    [WINDOW_EMIT] = { "emit", 0, "final|changes|every=DUR",
                      "final (default): a window once, when nothing can change\n"
                      "it; changes: when it ends, and again for each row that\n"
                      "comes in --grace; every=DUR: what has changed, each DUR\n"
                      "of event time. The last two add a column op, + or -" },
    [WINDOW_STRICT] = { "strict", 0, NULL, "stop at the first bad row, with exit code 3" },
    [WINDOW_OUTPUT] = { NULL, 'o', "csv|tsv|ndjson|pretty", "format of the output; default csv" },
    [WINDOW_TIMES] = { "times", 0, "iso|ms",
                       "window times as ISO 8601 in UTC (default) or as\nmilliseconds since 1970" },
    [WINDOW_OUT] = { "out", 0, "FILE", "write to FILE, not to standard output" },
    [WINDOW_VERBOSE] = { NULL, 'v', NULL,
                         "say on standard error what was read, dropped and\n"
                         "written, how fast, and the time format chosen" },
    [WINDOW_MERGE] = { "merge", 0, NULL,
                       "each FILE is a source with its own watermark; rows are\n"
                       "taken from the one furthest behind. Default: one after\n"
                       "another, as one stream" },
    [WINDOW_STATE] = { "state", 0, "DIR",
                       "keep the run in DIR: after a crash or a signal the same\n"
                       "command line goes on, and --out is as if nothing had been" },
    [WINDOW_COMMIT_EVERY] = { "commit-every", 0, "N|DUR",
                              "with --state: commit every N rows, or every DUR of the\n"
                              "clock; default 1s. It changes no result" },
    [WINDOW_FOLLOW] = { "follow", 0, NULL,
                        "go on with what is added to the last FILE (with --merge,\n"
                        "to each) until SIGINT or SIGTERM; not for .gz and pipes" },
    [WINDOW_IDLE] = { "idle", 0, "DUR",
                      "with --merge --follow: a FILE that gives nothing for so\n"
                      "long holds back the others no more; default: it does" },
    [WINDOW_EXPLAIN] = { "explain", 0, NULL,
                         "say in words what would be computed, and end: headers\n"
                         "are checked, 'auto' is tried on the first rows" },
};

static const struct tn_usage window_usage = {
    .verb = VERB,
    .synopsis = "tarn window --time FIELD --every DUR [--slide DUR] [OPTION...] [FILE...]\n"
                "       tarn window --time FIELD --session GAP [OPTION...] [FILE...]",
    .summary =
        "Read rows, put each into the window its event time belongs to, and print one row per\n"
        "window and group as soon as the window is complete. Several FILEs are read one after\n"
        "another as one stream, or merged by time with --merge; '-' or no FILE is standard\n"
        "input (say its format with -i); gzip is recognised.",
    .options = window_options,
    .option_count = WINDOW_OPTION_COUNT,
    .details =
        "A window [start, end) is over when the watermark, the greatest time seen so far minus\n"
        "--late minus 1 ms, has reached end - 1 ms, and closed --grace later. A row is late when\n"
        "all windows it belongs to are closed: counted, and left out. The end of the input closes\n"
        "every window. A session [first, last + GAP) goes on while rows of its group touch it.\n"
        "\n"
        "A row that cannot be read (broken quoting, a time or number that is none) is bad:\n"
        "reported with file and line (the first 10), counted and skipped.\n"
        "\n"
        "Field names in --by hold anything but a comma; in --agg, parentheses must match as well.\n"
        "\n"
        "Exit codes: 0 done (bad and late rows included); 2 usage; 3 input refused (no such file,\n"
        "a directory, no permission, no such field, a bad row with --strict, a sum beyond 128\n"
        "bits); 4 the system failed (reading, writing, memory, a truncated .gz); 128+N ended by\n"
        "signal N, with complete lines written and open windows not printed; 141 the reader of\n"
        "the output left.\n"
        "\n"
        "With --state the same command line goes on where it was, whatever ended it, also a power\n"
        "loss; with another one, or files that are not those that were read, it is refused. "
        "Output\n"
        "is written exactly once with --out; on standard output rows since the last commit come\n"
        "again. Files are read again up to where they were, to see that they are the same; pipes\n"
        "are refused. A finished state says so, and nothing is done.\n"
        "\n"
        "Example: edits of a day by hour and channel, as a table\n"
        "  tarn window --time time --every 1h --by channel --agg 'n=count,sum(added)' \\\n"
        "      -o pretty edits.ndjson.gz",
};

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

/* ---- lists ----------------------------------------------------------------------------------- */

static bool memory_report(void)
{
    tn_message(VERB, "out of memory");
    return false;
}

static bool lists_allocate(struct tn_window_command *out, const char *by)
{
    size_t i;

    out->key_count = by != NULL;
    for (i = 0; by != NULL && by[i] != '\0'; i++)
        out->key_count += by[i] == ',';
    out->field_count = 1 + out->key_count + out->aggregates.count;
    out->column_count = 2 + out->key_count + out->aggregates.count + (out->mode != TN_WINDOW_FINAL);
    out->fields = calloc(out->field_count, sizeof *out->fields);
    out->columns = calloc(out->column_count, sizeof *out->columns);
    out->key_storage = strdup(by != NULL ? by : "");
    return out->fields != NULL && out->columns != NULL && out->key_storage != NULL;
}

static bool keys_fill(struct tn_window_command *out)
{
    char *next = out->key_storage;
    size_t i;

    for (i = 0; i < out->key_count; i++) {
        char *name = next;

        next += strcspn(next, ",");
        *next++ = '\0'; /* behind the last one this is the NUL that was there */
        if (*name == '\0') {
            tn_message(VERB, "option --by: an empty field name; write --by FIELD,FIELD");
            return false;
        }
        out->fields[1 + i] = name;
        out->columns[2 + i].name = name;
    }
    return true;
}

/* What to do about two columns of one name, of which `first` comes first. */
static const char *column_advice(const struct tn_window_command *command, size_t second,
                                 size_t first)
{
    size_t changed = second == command->column_count - 1 && command->mode != TN_WINDOW_FINAL
                         ? first /* op cannot be called otherwise */
                         : second;

    return changed < 2 + command->key_count ? "leave it out of --by"
                                            : "name one in --agg: other=kind(field)";
}

/* A reader of the output must be able to tell columns apart. */
static bool columns_check(const struct tn_window_command *command)
{
    size_t i, j;

    for (i = 0; i < command->column_count; i++)
        for (j = 0; j < i; j++)
            if (strcmp(command->columns[i].name, command->columns[j].name) == 0) {
                tn_message(VERB, "two output columns would be called '%s'; %s",
                           command->columns[i].name, column_advice(command, i, j));
                return false;
            }
    return true;
}

static bool lists_fill(struct tn_window_command *out, const struct tn_arguments *arguments)
{
    const char *time_field = arguments->values[WINDOW_TIME];
    const char *list = arguments->values[WINDOW_AGG];
    struct tn_aggregate_list *aggregates = &out->aggregates;
    char reason[512];
    size_t i;

    out->aggregate_text = list != NULL ? list : "count";
    if (!tn_aggregate_list_parse(aggregates, out->aggregate_text, reason, sizeof reason)) {
        tn_message(VERB, "option --agg: %s", reason);
        return false;
    }
    if (!lists_allocate(out, arguments->values[WINDOW_BY]))
        return memory_report();
    out->fields[0] = time_field;
    out->columns[0] = (struct tn_column){ "window_start", out->times_as_ms };
    out->columns[1] = (struct tn_column){ "window_end", out->times_as_ms };
    if (!keys_fill(out))
        return false;
    for (i = 0; i < aggregates->count; i++) {
        const char *field = aggregates->fields[i];
        struct tn_column *column = &out->columns[2 + out->key_count + i];

        /* count reads no field, but has a place: any field fills it */
        out->fields[1 + out->key_count + i] = field != NULL ? field : time_field;
        column->name = aggregates->names[i];
        column->number = tn_aggregate_is_number(aggregates->items[i].kind);
    }
    if (out->mode != TN_WINDOW_FINAL)
        out->columns[out->column_count - 1] = (struct tn_column){ "op", false };
    return columns_check(out);
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
                       window_options[clocked[i]].name);
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
    if (!tn_arguments_parse(&arguments, &window_usage, argc, argv, exit_code))
        return false;
    out->strict = arguments.values[WINDOW_STRICT] != NULL;
    out->explain = arguments.values[WINDOW_EXPLAIN] != NULL;
    out->verbose = arguments.values[WINDOW_VERBOSE] != NULL;
    out->output_path = arguments.values[WINDOW_OUT];
    out->late_path = arguments.values[WINDOW_LATE_TO];
    if (required_check(&arguments) && windows_parse(out, &arguments) &&
        lateness_parse(out, &arguments) && emit_parse(out, &arguments) &&
        formats_parse(out, &arguments) && time_format_parse(out, &arguments) &&
        files_fill(out, &arguments) && sources_parse(out, &arguments) &&
        state_parse(out, &arguments) && lists_fill(out, &arguments))
        return true;
    tn_window_command_release(out);
    *exit_code = TN_EXIT_USAGE;
    return false;
}

void tn_window_command_release(struct tn_window_command *command)
{
    tn_aggregate_list_release(&command->aggregates);
    free(command->fields);
    free(command->columns);
    free(command->key_storage);
    *command = (struct tn_window_command){ 0 };
}
