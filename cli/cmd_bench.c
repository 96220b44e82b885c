/*
 * cmd_bench.c - tarn bench: measurements, with rivals in the same run
 */
#include "arguments.h"
#include "bench_durable.h"
#include "bench_exit.h"
#include "bench_stream.h"
#include "command.h"
#include "message.h"
#include "signals.h"

#include "bench/bench.h"
#include "bench/measure.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SIZES_MAX 16u

enum bench_option {
    BENCH_KEYS,
    BENCH_KEY_KIND,
    BENCH_VALUE_BYTES,
    BENCH_REPEATS,
    BENCH_REPLACEMENTS,
    BENCH_OPS,
    BENCH_STORES,
    BENCH_LATENCY,
    BENCH_JSON,
    BENCH_REPORT,
    BENCH_LIST
};

static const struct tn_option bench_options[] = {
    [BENCH_KEYS] = { "keys", 0, "N[,N...]",
                     "entries; 10K is 10000, 10M a thousand times that;\n"
                     "default 1K,100K" },
    [BENCH_KEY_KIND] = { "key-kind", 0, "counter|url",
                         "counters of 8 bytes, or URLs of 60; default counter" },
    [BENCH_VALUE_BYTES] = { "value-bytes", 0, "32|128|256", "default 128" },
    [BENCH_REPEATS] = { "repeats", 0, "N",
                        "of each operation; the median, the least and the\n"
                        "most are printed; default 5" },
    [BENCH_REPLACEMENTS] = { "replacements", 0, "N",
                             "at least so many keys are replaced by others before\n"
                             "memory_after_churn; twice the entries when that is more;\n"
                             "default 1M" },
    [BENCH_OPS] = { "ops", 0, "OP[,OP...]", "only these operations" },
    [BENCH_STORES] = { "stores", 0, "NAME[,NAME...]", "only these stores" },
    [BENCH_LATENCY] = { "latency", 0, NULL, "a second pass, timed one by one: percentiles" },
    [BENCH_JSON] = { "json", 0, NULL, "one JSON object a line" },
    [BENCH_REPORT] = { "report", 0, "FILE.html", "also a page with tables and bars" },
    [BENCH_LIST] = { "list", 0, NULL, "print which operations and stores there are" },
};

static const struct tn_usage bench_verb_usage = {
    .verb = "bench",
    .synopsis = "tarn bench store [OPTION...]\n       tarn bench durable --help\n       tarn bench "
                "stream --help",
    .summary = "Time the store in memory beside its rivals: in one process, with the same keys,\n"
               "taking turns. 'x tarn' is a store's median as a multiple of tarn's.",
    .options = bench_options,
    .option_count = TN_ARRAY_COUNT(bench_options),
};

static void bench_warn(const char *text)
{
    tn_message("bench", "%s", text);
}

/* A whole number 1 to `max`, with K, M or G behind it; 0: it is not. *end is left behind it. */
static uint64_t number_read(const char *text, const char **end, uint64_t max)
{
    static const char suffixes[] = "KMG";
    const char *suffix;
    char *behind;
    uint64_t number, factor = 1;

    *end = text;
    if (*text < '0' || *text > '9')
        return 0;
    errno = 0;
    number = strtoull(text, &behind, 10);
    suffix = *behind != '\0' ? strchr(suffixes, *behind & ~0x20) : NULL;
    if (suffix != NULL) {
        for (; suffix >= suffixes; suffix--)
            factor *= 1000;
        behind++;
    }
    *end = behind;
    return errno == 0 && number <= max / factor ? number * factor : 0;
}

/* Up to SIZES_MAX of them; 0: one of them cannot be read, and that was said. */
static size_t sizes_read(uint64_t *sizes, const char *text)
{
    const char *at = text;
    size_t count = 0;

    for (;;) {
        sizes[count] = number_read(at, &at, TN_BENCH_ENTRIES_MAX);
        if (sizes[count] == 0 || (*at != ',' && *at != '\0') ||
            (*at == ',' && count + 1 == SIZES_MAX)) {
            tn_message("bench", "--keys: '%s' is not up to %u numbers from 1 to 1G", text,
                       SIZES_MAX);
            return 0;
        }
        count++;
        if (*at++ == '\0')
            return count;
    }
}

/* 0: it cannot be read, and that was said. */
static uint64_t count_read(const char *option, const char *text, uint64_t max)
{
    const char *end;
    uint64_t count = number_read(text, &end, max);

    if (count != 0 && *end == '\0')
        return count;
    tn_message("bench", "--%s: '%s' is not a number from 1 to %llu", option, text,
               (unsigned long long)max);
    return 0;
}

/* False: said what is wrong. */
static bool shape_read(struct tn_bench_shape *shape, const char *key_kind, const char *value_bytes)
{
    if (strcmp(key_kind, "counter") != 0 && strcmp(key_kind, "url") != 0) {
        tn_message("bench", "--key-kind: '%s' is neither counter nor url", key_kind);
        return false;
    }
    if (strcmp(value_bytes, "32") != 0 && strcmp(value_bytes, "128") != 0 &&
        strcmp(value_bytes, "256") != 0) {
        tn_message("bench", "--value-bytes: '%s' is not 32, 128 or 256", value_bytes);
        return false;
    }
    shape->key_bytes = strcmp(key_kind, "url") == 0 ? TN_BENCH_KEY_BYTES_MAX : sizeof(uint64_t);
    shape->value_bytes = (size_t)strtoul(value_bytes, NULL, 10);
    return true;
}

static const char *value_or(const char *value, const char *otherwise)
{
    return value != NULL ? value : otherwise;
}

/* False: said what is wrong. `sizes` has room for SIZES_MAX. */
static bool request_read(struct tn_bench_request *request, uint64_t *sizes,
                         const struct tn_arguments *arguments)
{
    const char *const *values = arguments->values;

    if (arguments->operand_count != 1) {
        tn_message("bench", "one suite is needed; there are: store, durable, stream");
        return false;
    }
    if (strcmp(arguments->operands[0], "store") != 0) {
        tn_message("bench", "no suite '%s'; there are: store, durable, stream",
                   arguments->operands[0]);
        return false;
    }
    *request = (struct tn_bench_request){
        .sizes = sizes,
        .size_count = sizes_read(sizes, value_or(values[BENCH_KEYS], "1K,100K")),
        .repeats = (size_t)count_read("repeats", value_or(values[BENCH_REPEATS], "5"),
                                      TN_BENCH_REPEATS_MAX),
        .replacements = count_read("replacements", value_or(values[BENCH_REPLACEMENTS], "1M"),
                                   TN_BENCH_REPLACEMENTS_MAX),
        .ops = values[BENCH_OPS],
        .stores = values[BENCH_STORES],
        .json = values[BENCH_JSON] != NULL,
        .latency = values[BENCH_LATENCY] != NULL,
        .out = stdout,
        .stop = tn_signals_flag(),
        .warn = bench_warn,
    };
    return request->size_count != 0 && request->repeats != 0 && request->replacements != 0 &&
           shape_read(&request->shape, value_or(values[BENCH_KEY_KIND], "counter"),
                      value_or(values[BENCH_VALUE_BYTES], "128"));
}

/* `page`: the name of the report. */
static int bench_exit(enum tn_bench_answer answer, const char *page)
{
    if (answer != TN_BENCH_PAGE_UNWRITTEN)
        return tn_bench_exit("bench", answer);
    tn_message("bench", "%s: %s", page, strerror(errno));
    return TN_EXIT_FAILED;
}

/* The page is opened first: a run of minutes whose report has no place would be for nothing. */
static int bench_run(struct tn_bench_request *request, const char *page)
{
    enum tn_bench_answer answer;

    if (page != NULL) {
        request->page = fopen(page, "w");
        if (request->page == NULL) {
            tn_message("bench", "%s: %s", page, strerror(errno));
            return TN_EXIT_FAILED;
        }
    }
    answer = tn_bench_store_run(request);
    if (request->page != NULL && fclose(request->page) != 0 && answer == TN_BENCH_DONE)
        answer = TN_BENCH_PAGE_UNWRITTEN;
    return bench_exit(answer, page);
}

int tn_cmd_bench(int argc, char **argv)
{
    struct tn_bench_request request;
    struct tn_arguments arguments;
    uint64_t sizes[SIZES_MAX];
    int exit_code;

    if (argc > 1 && strcmp(argv[1], "stream") == 0) /* its options are its own */
        return tn_bench_stream(argc - 1, argv + 1);
    if (argc > 1 && strcmp(argv[1], "durable") == 0)
        return tn_bench_durable(argc - 1, argv + 1);
    if (!tn_arguments_parse(&arguments, &bench_verb_usage, argc, argv, &exit_code))
        return exit_code;
    if (!request_read(&request, sizes, &arguments))
        return TN_EXIT_USAGE;
    if (arguments.values[BENCH_LIST] != NULL) {
        tn_bench_store_list(&request);
        return bench_exit(fflush(stdout) == 0 ? TN_BENCH_DONE : TN_BENCH_UNWRITTEN, NULL);
    }
    return bench_run(&request, arguments.values[BENCH_REPORT]);
}
