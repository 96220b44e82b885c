/*
 * arguments.h - a verb's command line, driven by a table
 *
 * One table per verb describes its options; parsing, --help and the refusal of what this release
 * does not have yet all read the same rows.
 *
 *     static const struct tn_option table[] = {
 *         [WINDOW_EVERY] = {"every", 0, "DUR", "length of a window: 10s, 5m, 1h, 1d"},
 *         [WINDOW_SLIDE] = {"slide", 0, "DUR", NULL},           <- known, not in this release
 *     };
 *
 * Rules
 *   A1  Options and operands may come in any order; "--" ends the options; "-" is an operand. A
 *       long option may be shortened while it stays unambiguous.
 *   A2  An option that takes a value is given once: a second one would silently undo the first.
 *   A3  --help and -h belong to every verb and win over any mistake to their right.
 */
#ifndef TN_ARGUMENTS_H
#define TN_ARGUMENTS_H

#include "base/base.h"

#define TN_OPTION_COUNT_MAX 48

struct tn_option {
    const char *name;     /* without "--"; NULL: it has only a letter */
    char letter;          /* 0: it has only a name */
    const char *argument; /* what it takes, as --help prints it; NULL: nothing */
    const char *help;     /* one or more lines; NULL: refused, this release does not have it */
};

struct tn_usage {
    const char *verb;
    const char *synopsis; /* lines behind "Usage: " */
    const char *summary;  /* paragraph above the options */
    const char *details;  /* paragraphs below them; NULL: none */
    const struct tn_option *options;
    size_t option_count; /* <= TN_OPTION_COUNT_MAX */
};

struct tn_arguments {
    const char *values
        [TN_OPTION_COUNT_MAX]; /* by place in the table; NULL: not given; else its value, or "" */
    char **operands;
    size_t operand_count;
};

/* Says whether the verb shall run; otherwise *exit_code is what to leave with, and all is said. */
bool tn_arguments_parse(struct tn_arguments *out, const struct tn_usage *usage, int argc,
                        char **argv, int *exit_code);

/* Whether there are as many operands as the verb takes (SIZE_MAX: any number); else it is said. */
bool tn_arguments_count_operands(const struct tn_arguments *arguments, const struct tn_usage *usage,
                                 size_t least, size_t most);

#endif
