/*
 * command.h - what the verbs of `tarn` have in common
 *
 * A verb is a row in main.c's table and one file cmd_<verb>.c. It gets the command line from its
 * own name on (argv[0] is the verb) and answers the exit code.
 */
#ifndef TN_COMMAND_H
#define TN_COMMAND_H

enum tn_exit {
    TN_EXIT_DONE = 0,
    TN_EXIT_NEGATIVE = 1, /* the answer is no: absent, damage found */
    TN_EXIT_USAGE = 2,    /* the command line cannot be understood */
    TN_EXIT_REFUSED = 3,  /* input or state is not what it must be */
    TN_EXIT_FAILED = 4,   /* the system failed: reading, writing, space, memory */
    TN_EXIT_SIGNAL = 128, /* plus the signal's number */
    TN_EXIT_PIPE = 141,   /* whoever read the output has left: 128 + SIGPIPE */
};

typedef int tn_verb_fn(int argc, char **argv);

tn_verb_fn tn_cmd_bench;
tn_verb_fn tn_cmd_check;
tn_verb_fn tn_cmd_del;
tn_verb_fn tn_cmd_dump;
tn_verb_fn tn_cmd_get;
tn_verb_fn tn_cmd_load;
tn_verb_fn tn_cmd_put;
tn_verb_fn tn_cmd_salvage;
tn_verb_fn tn_cmd_scan;
tn_verb_fn tn_cmd_stat;
tn_verb_fn tn_cmd_version;
tn_verb_fn tn_cmd_window;

#endif
