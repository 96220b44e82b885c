/*
 * window_files.c - see window_files.h for the rules
 */
#include "window_files.h"
#include "message.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define VERB "window"

static bool same_file(const struct stat *a, const struct stat *b)
{
    return S_ISREG(a->st_mode) && a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

static int stat_input(const char *path, struct stat *status)
{
    return strcmp(path, "-") == 0 ? fstat(STDIN_FILENO, status) : stat(path, status);
}

/* X1 */
bool tn_inputs_exist(const struct tn_window_command *command)
{
    struct stat status;
    size_t i;

    for (i = 0; i < command->file_count; i++)
        if (stat_input(command->files[i], &status) != 0 && (errno == ENOENT || errno == ENOTDIR)) {
            tn_message(VERB, "%s: %s; check the name", command->files[i], strerror(errno));
            return false;
        }
    return true;
}

/* X2 */
static bool output_is_input(const struct tn_window_command *command, const struct stat *output)
{
    struct stat input;
    size_t i;

    for (i = 0; i < command->file_count; i++)
        if (stat_input(command->files[i], &input) == 0 && same_file(&input, output)) {
            tn_message(VERB, "%s is both input and output; write to another file",
                       command->files[i]);
            return true;
        }
    return false;
}

static void say_outputs_are_one(const struct tn_window_command *command)
{
    tn_message(VERB, "%s is both the output and for late rows; write them to another file",
               command->late_path);
}

bool tn_outputs_are_two_files(const struct tn_window_command *command, int output, int late)
{
    struct stat output_status, late_status;

    if (fstat(output, &output_status) != 0 || fstat(late, &late_status) != 0 ||
        !same_file(&output_status, &late_status))
        return true;
    say_outputs_are_one(command);
    return false;
}

bool tn_outputs_are_files_of_their_own(const struct tn_window_command *command)
{
    const char *late_path = command->late_path;
    struct stat output, late;
    bool has_output = command->output_path != NULL ? stat(command->output_path, &output) == 0
                                                   : fstat(STDOUT_FILENO, &output) == 0;
    bool has_late = late_path != NULL && stat(late_path, &late) == 0;

    if ((has_output && output_is_input(command, &output)) ||
        (has_late && output_is_input(command, &late)))
        return false;
    if ((has_output && has_late && same_file(&output, &late)) ||
        (late_path != NULL && command->output_path != NULL &&
         strcmp(late_path, command->output_path) == 0)) {
        say_outputs_are_one(command);
        return false;
    }
    return true;
}

bool tn_inputs_can_wait(const struct tn_window_command *command)
{
    struct stat status;
    size_t i;

    for (i = 0; i < command->file_count; i++)
        if (stat_input(command->files[i], &status) == 0 && !S_ISREG(status.st_mode))
            return true;
    return false;
}
