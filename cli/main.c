/*
 * main.c - tarn VERB ...
 *
 * The table below is the command: one row per verb, each in its own file.
 */
#include "command.h"
#include "message.h"
#include "output.h"
#include "signals.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

struct verb {
    const char *name;
    const char *help;
    tn_verb_fn *run;
};

static const struct verb verbs[] = {
    { "window", "windows over events: count, sum, ... per time span and group", tn_cmd_window },
    { "get", "print the value of a key of a store", tn_cmd_get },
    { "put", "set the value of a key", tn_cmd_put },
    { "del", "delete keys", tn_cmd_del },
    { "scan", "print entries in the order of their keys", tn_cmd_scan },
    { "dump", "print all entries of a table", tn_cmd_dump },
    { "load", "put entries from lines, as dump prints them", tn_cmd_load },
    { "stat", "print what a store consists of", tn_cmd_stat },
    { "check", "read all of a store, and tell what is damaged", tn_cmd_check },
    { "salvage", "make a new store of what can be read of a damaged one", tn_cmd_salvage },
    { "bench", "measure the store beside its rivals", tn_cmd_bench },
    { "version", "print the version", tn_cmd_version },
};

static int print_help(void)
{
    struct tn_output output;
    size_t i;

    tn_output_init(&output);
    tn_output_format(
        &output, "Usage: tarn VERB [OPTION...] [ARGUMENT...]\n\n"
                 "Event-time windows over streams of rows, and the state stores behind them.\n\n"
                 "Verbs:\n");
    for (i = 0; i < TN_ARRAY_COUNT(verbs); i++)
        tn_output_format(&output, "  %-10s %s\n", verbs[i].name, verbs[i].help);
    tn_output_format(&output,
                     "\ntarn VERB --help says more about a verb; man tarn says all.\n"
                     "Exit codes: 0 done, 1 a negative answer, 2 usage, 3 input or state refused,\n"
                     "4 the system failed (I/O, space, memory), 128+N ended by signal N.\n");
    return tn_output_close(&output, NULL);
}

/*
 * A descriptor 0, 1 or 2 that is closed would be given to the next file opened, and data would go
 * where it must not. Fill the holes with /dev/null, opened the wrong way round: reading or writing
 * then fails as it would have.
 */
static void fill_closed_descriptors(void)
{
    static const int flags[] = { O_WRONLY, O_RDONLY, O_RDONLY };
    int file;

    for (file = STDIN_FILENO; file <= STDERR_FILENO; file++)
        if (fcntl(file, F_GETFD) < 0 && open("/dev/null", flags[file]) != file)
            _exit(TN_EXIT_FAILED);
}

static int report_unknown_verb(const char *word)
{
    const char *nearest =
        tn_nearest_name(word, &verbs[0].name, sizeof verbs[0], TN_ARRAY_COUNT(verbs));

    if (nearest != NULL)
        tn_message(NULL, "unknown verb '%s'; did you mean '%s'?", word, nearest);
    else
        tn_message(NULL, "unknown verb '%s'; tarn --help lists them all", word);
    return TN_EXIT_USAGE;
}

int main(int argc, char **argv)
{
    const char *word = argc > 1 ? argv[1] : NULL;
    size_t i;

    fill_closed_descriptors();
    tn_signals_begin();
    if (word == NULL) {
        tn_message(NULL, "a verb is missing; tarn --help lists them all");
        return TN_EXIT_USAGE;
    }
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
        return print_help();
    if (strcmp(word, "--version") == 0)
        word = "version";
    for (i = 0; i < TN_ARRAY_COUNT(verbs); i++)
        if (strcmp(verbs[i].name, word) == 0)
            return verbs[i].run(argc - 1, argv + 1);
    return report_unknown_verb(word);
}
