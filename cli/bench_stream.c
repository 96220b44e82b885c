/*
 * bench_stream.c - see bench_stream.h
 */
#include "bench_stream.h"
#include "arguments.h"
#include "bench_exit.h"
#include "bench_number.h"
#include "command.h"
#include "message.h"
#include "signals.h"

#include "bench/stream_bench.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define VERB "bench stream"
#define STREAM_ROWS_MAX 1000000000
#define STREAM_REPEATS_MAX 100
#define PROGRAM_BYTES_MAX 256

enum stream_option {
    STREAM_ROWS,
    STREAM_REPEATS,
    STREAM_OPS,
    STREAM_STORES,
    STREAM_JSON,
    STREAM_LIST
};

static const struct tn_option stream_options[] = {
    [STREAM_ROWS] = { "rows", 0, "N", "rows in each file, up to 1G; 10K is 10000;\ndefault 1M" },
    [STREAM_REPEATS] = { "repeats", 0, "N",
                         "of each run; the median, the least and the most\n"
                         "are printed; default 5" },
    [STREAM_OPS] = { "ops", 0, "OP[,OP...]", "only these operations" },
    [STREAM_STORES] = { "stores", 0, "NAME[,NAME...]", "only these tools" },
    [STREAM_JSON] = { "json", 0, NULL, "one JSON object a line" },
    [STREAM_LIST] = { "list", 0, NULL, "print which operations and tools there are" },
};

static const struct tn_usage stream_usage = {
    .verb = VERB,
    .synopsis = "tarn bench stream [OPTION...]",
    .summary = "Time tarn window on files of events beside other tools that can do the job, where\n"
               "they are installed: windows by user, count and sum, in the same run, taking\n"
               "turns. 'x tarn' is how many times as long a tool takes, 'of cpu' MB in a second\n"
               "that the processor had for it. Then the operator alone, on events made here.",
    .options = stream_options,
    .option_count = TN_ARRAY_COUNT(stream_options),
};

static void stream_warn(const char *text)
{
    tn_message(VERB, "%s", text);
}

/* Where this program lies, for a shell to run it again. */
static bool program_find(char path[PROGRAM_BYTES_MAX])
{
    ssize_t bytes = readlink("/proc/self/exe", path, PROGRAM_BYTES_MAX);

    if (bytes > 0 && bytes < PROGRAM_BYTES_MAX) {
        path[bytes] = '\0';
        return true;
    }
    tn_message(VERB, "cannot find the program itself in /proc/self/exe");
    return false;
}

int tn_bench_stream(int argc, char **argv)
{
    struct tn_arguments arguments;
    const char *const *values = arguments.values;
    struct tn_stream_request request;
    char program[PROGRAM_BYTES_MAX];
    int exit_code;

    if (!tn_arguments_parse(&arguments, &stream_usage, argc, argv, &exit_code))
        return exit_code;
    if (arguments.operand_count > 0) {
        tn_message(VERB, "'%s' is one word too many", arguments.operands[0]);
        return TN_EXIT_USAGE;
    }
    request = (struct tn_stream_request){
        .program = program,
        .rows =
            tn_bench_number(VERB, "rows", values[STREAM_ROWS] != NULL ? values[STREAM_ROWS] : "1M",
                            STREAM_ROWS_MAX),
        .repeats = (size_t)tn_bench_number(
            VERB, "repeats", values[STREAM_REPEATS] != NULL ? values[STREAM_REPEATS] : "5",
            STREAM_REPEATS_MAX),
        .ops = values[STREAM_OPS],
        .tools = values[STREAM_STORES],
        .json = values[STREAM_JSON] != NULL,
        .out = stdout,
        .stop = tn_signals_flag(),
        .warn = stream_warn,
    };
    if (request.rows == 0 || request.repeats == 0)
        return TN_EXIT_USAGE;
    if (!program_find(program))
        return TN_EXIT_FAILED;
    if (values[STREAM_LIST] != NULL) {
        tn_stream_bench_list(stdout);
        return tn_bench_exit(VERB, fflush(stdout) == 0 ? TN_BENCH_DONE : TN_BENCH_UNWRITTEN);
    }
    return tn_bench_exit(VERB, tn_stream_bench_run(&request));
}
