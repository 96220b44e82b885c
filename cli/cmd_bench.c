/*
 * cmd_bench.c - tarn bench: measurements, with rivals in the same run
 */
#include "command.h"
#include "message.h"
#include "signals.h"

#include "bench/bench.h"
#include "bench/measure.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SIZES_MAX 16u

struct bench_arguments {
    struct tn_bench_request request;
    uint64_t sizes[SIZES_MAX];
    const char *suite;
    bool help;
};

static const char bench_usage[] =
    "usage: tarn bench store [--keys N[,N...]] [--repeats N] [--only OP[,OP...]]\n"
    "                        [--store NAME[,NAME...]] [--latency] [--json]\n"
    "\n"
    "Times the store in memory and its rivals, in the same process, taking turns.\n"
    "\n"
    "  --keys N      entries; K, M and G are 1000, 1000000 and so on; default 1K,100K\n"
    "  --repeats N   of each operation, default 5; the median, least and most are reported\n"
    "  --only OP     only these operations\n"
    "  --store NAME  only these stores\n"
    "  --latency     a second pass, timed operation by operation: percentiles\n"
    "  --json        one JSON object a line\n"
    "\n";

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

static bool sizes_read(struct bench_arguments *arguments, const char *text)
{
    const char *at = text;
    size_t count = 0;
    uint64_t size;

    for (;;) {
        size = number_read(at, &at, TN_BENCH_ENTRIES_MAX);
        if (size == 0 || count == SIZES_MAX || (*at != ',' && *at != '\0')) {
            tn_message("bench", "--keys: '%s' is not up to %u numbers from 1 to 1G", text,
                       SIZES_MAX);
            return false;
        }
        arguments->sizes[count++] = size;
        if (*at++ == '\0')
            break;
    }
    arguments->request.size_count = count;
    return true;
}

static bool repeats_read(struct bench_arguments *arguments, const char *text)
{
    const char *end;
    uint64_t repeats = number_read(text, &end, TN_BENCH_REPEATS_MAX);

    if (repeats == 0 || *end != '\0') {
        tn_message("bench", "--repeats: '%s' is not a number from 1 to %u", text,
                   TN_BENCH_REPEATS_MAX);
        return false;
    }
    arguments->request.repeats = (size_t)repeats;
    return true;
}

/* False: said what is wrong. */
static bool arguments_read(struct bench_arguments *arguments, int argc, char **argv)
{
    static const struct option options[] = {
        { "keys", required_argument, NULL, 'k' }, { "repeats", required_argument, NULL, 'r' },
        { "only", required_argument, NULL, 'o' }, { "store", required_argument, NULL, 's' },
        { "latency", no_argument, NULL, 'l' },    { "json", no_argument, NULL, 'j' },
        { "help", no_argument, NULL, 'h' },       { NULL, 0, NULL, 0 },
    };
    int option;

    optind = 0; /* a new command line; GNU's and musl's way to say so */
    opterr = 0;
    while ((option = getopt_long(argc, argv, ":h", options, NULL)) != -1) {
        switch (option) {
        case 'k':
            if (!sizes_read(arguments, optarg))
                return false;
            break;
        case 'r':
            if (!repeats_read(arguments, optarg))
                return false;
            break;
        case 'o':
            arguments->request.only = optarg;
            break;
        case 's':
            arguments->request.stores = optarg;
            break;
        case 'l':
            arguments->request.latency = true;
            break;
        case 'j':
            arguments->request.json = true;
            break;
        case 'h':
            arguments->help = true;
            return true;
        default:
            tn_message("bench", "%s %s; see tarn bench --help", argv[optind - 1],
                       option == ':' ? "needs a value" : "is not an option here");
            return false;
        }
    }
    if (optind + 1 != argc) {
        tn_message("bench", "one suite is needed; there is: store");
        return false;
    }
    arguments->suite = argv[optind];
    return true;
}

static int bench_exit(enum tn_bench_answer answer)
{
    switch (answer) {
    case TN_BENCH_DONE:
        return TN_EXIT_DONE;
    case TN_BENCH_STOPPED:
        return TN_EXIT_SIGNAL + (int)*tn_signals_flag();
    case TN_BENCH_UNKNOWN:
        return TN_EXIT_USAGE;
    case TN_BENCH_FAILED:
        return TN_EXIT_FAILED;
    case TN_BENCH_UNWRITTEN:
        if (errno == EPIPE)
            return TN_EXIT_PIPE;
        tn_message("bench", "standard output: %s", strerror(errno));
        return TN_EXIT_FAILED;
    }
    tn_unreachable();
}

int tn_cmd_bench(int argc, char **argv)
{
    struct bench_arguments arguments = {
        .request = { .size_count = 2,
                     .repeats = 5,
                     .out = stdout,
                     .stop = tn_signals_flag(),
                     .warn = bench_warn },
        .sizes = { 1000, 100000 },
    };

    arguments.request.sizes = arguments.sizes;
    if (!arguments_read(&arguments, argc, argv))
        return TN_EXIT_USAGE;
    if (arguments.help) {
        fputs(bench_usage, stdout);
        tn_bench_store_list(stdout);
        return bench_exit(fflush(stdout) == 0 ? TN_BENCH_DONE : TN_BENCH_UNWRITTEN);
    }
    if (strcmp(arguments.suite, "store") != 0) {
        tn_message("bench", "no suite '%s'; there is: store", arguments.suite);
        return TN_EXIT_USAGE;
    }
    return bench_exit(tn_bench_store_run(&arguments.request));
}
