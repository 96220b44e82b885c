/*
 * bench_durable.c - see bench_durable.h
 */
#include "bench_durable.h"
#include "arguments.h"
#include "bench_exit.h"
#include "bench_number.h"
#include "command.h"
#include "message.h"
#include "signals.h"

#include "bench/durable_bench.h"
#include "bench/measure.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VERB "bench durable"
#define DURABLE_KEYS_MAX 100000000
#define DURABLE_SECONDS_MAX 100000

enum durable_option {
    DURABLE_KEYS,
    DURABLE_REPEATS,
    DURABLE_STORES,
    DURABLE_OPS,
    DURABLE_SECONDS,
    DURABLE_DIR,
    DURABLE_JSON,
    DURABLE_LIST
};

static const struct tn_option durable_options[] = {
    [DURABLE_KEYS] = { "keys", 0, "N", "entries, up to 100M; 10K is 10000; default 100K" },
    [DURABLE_REPEATS] = { "repeats", 0, "N",
                          "of each operation; the median, the least and the\n"
                          "most are printed; default 5" },
    [DURABLE_STORES] = { "stores", 0, "NAME[,NAME...]", "only these stores" },
    [DURABLE_OPS] = { "ops", 0, "NAME[,NAME...]",
                      "only these operations, and no steps that only others\n"
                      "need" },
    [DURABLE_SECONDS] = { "seconds", 0, "N",
                          "begin no repeat of a row of a store after so many,\n"
                          "apart from the first" },
    [DURABLE_DIR] = { "dir", 0, "DIR",
                      "where all stores have their files, which are removed;\n"
                      "default TMPDIR, else /tmp" },
    [DURABLE_JSON] = { "json", 0, NULL, "one JSON object a line" },
    [DURABLE_LIST] = { "list", 0, NULL, "print which operations and stores there are" },
};

static const struct tn_usage durable_usage = {
    .verb = VERB,
    .synopsis = "tarn bench durable [OPTION...]",
    .summary = "Time commits, opening and recovery of a store on disk beside LMDB, RocksDB,\n"
               "LevelDB and SQLite, those that were there at build time, on the same file\n"
               "system. Above 1, 'x tarn' says how many times better tarn is.",
    .options = durable_options,
    .option_count = TN_ARRAY_COUNT(durable_options),
};

static void durable_warn(const char *text)
{
    tn_message(VERB, "%s", text);
}

static const char *value_or(const char *value, const char *otherwise)
{
    return value != NULL && *value != '\0' ? value : otherwise;
}

int tn_bench_durable(int argc, char **argv)
{
    struct tn_arguments arguments;
    const char *const *values = arguments.values;
    struct tn_durable_request request;
    int exit_code;

    if (!tn_arguments_parse(&arguments, &durable_usage, argc, argv, &exit_code))
        return exit_code;
    if (arguments.operand_count > 0) {
        tn_message(VERB, "'%s' is one word too many", arguments.operands[0]);
        return TN_EXIT_USAGE;
    }
    request = (struct tn_durable_request){
        .entries = tn_bench_number(VERB, "keys",
                                   values[DURABLE_KEYS] != NULL ? values[DURABLE_KEYS] : "100K",
                                   DURABLE_KEYS_MAX),
        .repeats = (size_t)tn_bench_number(
            VERB, "repeats", values[DURABLE_REPEATS] != NULL ? values[DURABLE_REPEATS] : "5",
            TN_BENCH_REPEATS_MAX),
        .stores = values[DURABLE_STORES],
        .ops = values[DURABLE_OPS],
        .parent = value_or(values[DURABLE_DIR], value_or(getenv("TMPDIR"), "/tmp")),
        .json = values[DURABLE_JSON] != NULL,
        .out = stdout,
        .stop = tn_signals_flag(),
        .warn = durable_warn,
    };
    if (values[DURABLE_SECONDS] != NULL)
        request.row_seconds_max =
            tn_bench_number(VERB, "seconds", values[DURABLE_SECONDS], DURABLE_SECONDS_MAX);
    if (request.entries == 0 || request.repeats == 0 ||
        (values[DURABLE_SECONDS] != NULL && request.row_seconds_max == 0))
        return TN_EXIT_USAGE;
    if (values[DURABLE_LIST] != NULL) {
        tn_durable_bench_list(stdout);
        return tn_bench_exit(VERB, fflush(stdout) == 0 ? TN_BENCH_DONE : TN_BENCH_UNWRITTEN);
    }
    return tn_bench_exit(VERB, tn_durable_bench_run(&request));
}
