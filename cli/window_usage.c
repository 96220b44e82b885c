/*
 * window_usage.c - see window_usage.h
 */
#include "window_usage.h"

const struct tn_option tn_window_options_known[WINDOW_OPTION_COUNT] = {
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

const struct tn_usage tn_window_usage = {
    .verb = "window",
    .synopsis = "tarn window --time FIELD --every DUR [--slide DUR] [OPTION...] [FILE...]\n"
                "       tarn window --time FIELD --session GAP [OPTION...] [FILE...]",
    .summary =
        "Read rows, put each into the window its event time belongs to, and print one row per\n"
        "window and group as soon as the window is complete. Several FILEs are read one after\n"
        "another as one stream, or merged by time with --merge; '-' or no FILE is standard\n"
        "input (say its format with -i); gzip is recognised.",
    .options = tn_window_options_known,
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
