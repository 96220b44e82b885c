/*
 * cmd_window.c - tarn window
 *
 *     window_usage     the options there are
 *     window_options   the command line, understood; window_lists: its fields and columns
 *     window_files     what it names is there, and used once
 *     window_explain   what it would compute, in words
 *     window_run       rows in, windows out
 *     window_sources   where rows come from: files in sequence, merged, followed
 *     window_outputs   where rows go: --out, --late-to
 *     window_state     what it must know to go on after a crash
 *     window_report    what is said on standard error
 */
#include "command.h"
#include "window_explain.h"
#include "window_options.h"
#include "window_run.h"

int tn_cmd_window(int argc, char **argv)
{
    struct tn_window_command command;
    int exit_code;

    if (!tn_window_command_parse(&command, argc, argv, &exit_code))
        return exit_code;
    exit_code = command.explain ? tn_window_explain(&command) : tn_window_run(&command);
    tn_window_command_release(&command);
    return exit_code;
}
