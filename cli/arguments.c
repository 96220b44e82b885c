/*
 * arguments.c - a verb's command line; see arguments.h for the rules
 *
 * getopt_long does the cutting. What it returns for a long option is its place in the table plus
 * OPTION_CODE_FIRST; the messages are ours.
 */
#include "arguments.h"
#include "command.h"
#include "message.h"
#include "output.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OPTION_CODE_FIRST 256 /* behind every letter */
#define OPTION_CODE_HELP 'h'
#define HELP_COLUMN 26

/* ---- what getopt_long needs ------------------------------------------------------------------ */

struct getopt_tables {
    struct option longs[TN_OPTION_COUNT_MAX + 2]; /* 2: help, and the end */
    char letters[2 * TN_OPTION_COUNT_MAX + 3];    /* 3: ':' first, 'h', NUL */
};

static void getopt_tables_fill(struct getopt_tables *tables, const struct tn_usage *usage)
{
    struct option *next = tables->longs;
    char *letter = tables->letters;
    size_t i;

    *letter++ = ':'; /* a missing value answers ':' and prints nothing */
    *letter++ = OPTION_CODE_HELP;
    for (i = 0; i < usage->option_count; i++) {
        const struct tn_option *option = &usage->options[i];
        int has_argument = option->argument != NULL ? required_argument : no_argument;

        if (option->name != NULL)
            *next++ =
                (struct option){ option->name, has_argument, NULL, OPTION_CODE_FIRST + (int)i };
        if (option->letter != 0)
            *letter++ = option->letter;
        if (option->letter != 0 && option->argument != NULL)
            *letter++ = ':';
    }
    *next++ = (struct option){ "help", no_argument, NULL, OPTION_CODE_HELP };
    *next = (struct option){ 0 };
    *letter = '\0';
}

/* The place in the table of what getopt_long answered; option_count when it is none of ours. */
static size_t option_index(const struct tn_usage *usage, int code)
{
    size_t i;

    if (code >= OPTION_CODE_FIRST)
        return (size_t)(code - OPTION_CODE_FIRST);
    for (i = 0; i < usage->option_count; i++)
        if (usage->options[i].letter != 0 && usage->options[i].letter == code)
            break;
    return i;
}

/* ---- messages -------------------------------------------------------------------------------- */

struct option_text {
    char bytes[64];
};

static struct option_text option_display(const struct tn_option *option)
{
    struct option_text text;

    if (option->name != NULL)
        snprintf(text.bytes, sizeof text.bytes, "--%s", option->name);
    else
        snprintf(text.bytes, sizeof text.bytes, "-%c", option->letter);
    return text;
}

static void option_report_unknown(const struct tn_usage *usage, const char *word)
{
    char name[64];
    const char *nearest = NULL;
    size_t bytes = strcspn(word, "=");

    snprintf(name, sizeof name, "%.*s", (int)tn_min(bytes, sizeof name), word);
    if (usage->option_count > 0)
        nearest = tn_nearest_name(name, &usage->options[0].name, sizeof usage->options[0],
                                  usage->option_count);
    if (nearest != NULL)
        tn_message(usage->verb, "unknown option --%s; did you mean --%s?", name, nearest);
    else
        tn_message(usage->verb,
                   "unknown option --%s; tarn %s --help lists them all, and behind '--' it is none",
                   name, usage->verb);
}

/* More than one option begins with `word`, which is why getopt_long did not decide. */
static bool option_is_ambiguous(const struct tn_usage *usage, const char *word)
{
    size_t bytes = strcspn(word, "=");
    size_t found = 0;
    size_t i;

    for (i = 0; i < usage->option_count; i++) {
        const char *name = usage->options[i].name;

        found += name != NULL && strncmp(name, word, bytes) == 0;
    }
    return found > 1;
}

/* getopt_long answered '?': an option that is unknown, ambiguous, or takes no value but got one. */
static void option_report_mistake(const struct tn_usage *usage, const char *word)
{
    if (optopt >= OPTION_CODE_FIRST || (optopt == OPTION_CODE_HELP && strchr(word, '=') != NULL))
        tn_message(usage->verb, "option %.*s takes no value; leave out '%s'",
                   (int)strcspn(word, "="), word, word + strcspn(word, "="));
    else if (optopt != 0)
        tn_message(usage->verb,
                   "unknown option -%c; tarn %s --help lists them all, and behind '--' it is none",
                   optopt, usage->verb);
    else if (option_is_ambiguous(usage, word + 2))
        tn_message(usage->verb, "option %s could be several; write it out", word);
    else
        option_report_unknown(usage, word + 2);
}

/* ---- help ------------------------------------------------------------------------------------ */

static void help_print_option(struct tn_output *output, const struct tn_option *option)
{
    const char *line = option->help;
    char head[64] = "";
    int used = 0;
    size_t bytes;

    if (option->letter != 0)
        used += snprintf(head, sizeof head, "-%c", option->letter);
    if (option->name != NULL)
        used += snprintf(head + used, sizeof head - (size_t)used, "%s--%s",
                         option->letter != 0 ? ", " : "", option->name);
    if (option->argument != NULL)
        snprintf(head + used, sizeof head - (size_t)used, " %s", option->argument);
    tn_output_format(output, "  %-*s", HELP_COLUMN - 3, head);
    if (strlen(head) > HELP_COLUMN - 4)
        tn_output_format(output, "\n%*s", HELP_COLUMN - 1, "");
    for (;;) {
        bytes = strcspn(line, "\n");
        tn_output_format(output, " %.*s\n", (int)bytes, line);
        if (line[bytes] == '\0')
            break;
        line += bytes + 1;
        tn_output_format(output, "%*s", HELP_COLUMN - 1, "");
    }
}

static int help_print(const struct tn_usage *usage)
{
    static const struct tn_option help = { "help", 'h', NULL, "print this" };
    struct tn_output output;
    size_t i;

    tn_output_init(&output);
    tn_output_format(&output, "Usage: %s\n\n%s\n", usage->synopsis, usage->summary);
    tn_output_format(&output, "\nOptions:\n");
    for (i = 0; i < usage->option_count; i++)
        if (usage->options[i].help != NULL)
            help_print_option(&output, &usage->options[i]);
    help_print_option(&output, &help);
    if (usage->details != NULL) {
        tn_output_byte(&output, '\n');
        tn_output_add(&output, usage->details, strlen(usage->details));
        tn_output_byte(&output, '\n');
    }
    return tn_output_close(&output, usage->verb);
}

/* ---- parsing --------------------------------------------------------------------------------- */

static bool option_take(struct tn_arguments *out, const struct tn_usage *usage, size_t index)
{
    const struct tn_option *option = &usage->options[index];
    struct option_text text = option_display(option);

    if (option->help == NULL) {
        tn_message(usage->verb,
                   "this release does not have %s yet; tarn %s --help lists what it has",
                   text.bytes, usage->verb);
        return false;
    }
    if (option->argument == NULL) {
        out->values[index] = "";
        return true;
    }
    if (out->values[index] != NULL) { /* A2 */
        tn_message(usage->verb, "option %s was given twice, '%s' and '%s'; keep one", text.bytes,
                   out->values[index], optarg);
        return false;
    }
    out->values[index] = optarg;
    return true;
}

static bool option_report_missing(const struct tn_usage *usage, int code, const char *word)
{
    size_t index = option_index(usage, code);

    if (index < usage->option_count) {
        struct option_text text = option_display(&usage->options[index]);

        if (usage->options[index].help == NULL)
            return option_take(&(struct tn_arguments){ 0 }, usage, index);
        tn_message(usage->verb, "option %s needs a value; write %s %s", text.bytes, text.bytes,
                   usage->options[index].argument);
        return false;
    }
    tn_message(usage->verb, "option %s needs a value", word);
    return false;
}

bool tn_arguments_parse(struct tn_arguments *out, const struct tn_usage *usage, int argc,
                        char **argv, int *exit_code)
{
    struct getopt_tables tables;
    size_t index;
    int code;

    memset(out, 0, sizeof *out);
    *exit_code = TN_EXIT_USAGE;
    getopt_tables_fill(&tables, usage);
    (void)unsetenv("POSIXLY_CORRECT"); /* A1: else options behind operands would be operands */
    opterr = 0;
    optind = 1;
    while ((code = getopt_long(argc, argv, tables.letters, tables.longs, NULL)) != -1) {
        if (code == OPTION_CODE_HELP) { /* A3 */
            *exit_code = help_print(usage);
            return false;
        }
        if (code == '?') {
            option_report_mistake(usage, argv[optind - 1]);
            return false;
        }
        if (code == ':')
            return option_report_missing(usage, optopt, argv[optind - 1]);
        index = option_index(usage, code);
        tn_assert(index < usage->option_count);
        if (!option_take(out, usage, index))
            return false;
    }
    out->operands = argv + optind;
    out->operand_count = (size_t)(argc - optind);
    return true;
}

bool tn_arguments_count_operands(const struct tn_arguments *arguments, const struct tn_usage *usage,
                                 size_t least, size_t most)
{
    if (arguments->operand_count < least)
        tn_message(usage->verb, "an argument is missing; write %s", usage->synopsis);
    else if (arguments->operand_count > most)
        tn_message(usage->verb, "'%s' is too much; write %s", arguments->operands[most],
                   usage->synopsis);
    return arguments->operand_count >= least && arguments->operand_count <= most;
}
