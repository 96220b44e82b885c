/*
 * fuzz_arguments.c - lines as the command line of tarn window, understood but not run
 */
#include "cli/window_options.h"
#include "fuzz.h"

#include <fcntl.h>
#include <getopt.h>
#include <unistd.h>

#define WORDS_MAX 64

/* What is said is not for us: into nothing, and back where it was. */
static void output_hide(int saved[2])
{
    int nothing = open("/dev/null", O_WRONLY | O_CLOEXEC), i;

    fflush(stdout);
    fuzz_expect(nothing >= 0);
    for (i = 0; i < 2; i++) {
        saved[i] = dup(1 + i);
        fuzz_expect(saved[i] >= 0 && dup2(nothing, 1 + i) == 1 + i);
    }
    close(nothing);
}

static void output_show(const int saved[2])
{
    int i;

    for (i = 0; i < 2; i++) {
        fuzz_expect(dup2(saved[i], 1 + i) == 1 + i);
        close(saved[i]);
    }
}

/* getopt_long keeps its place within '-abc' from one command line to the next: end it. */
static void getopt_forget(void)
{
    char name[] = "x", *none[] = { name, NULL };
    const struct option end = { 0 };

    optind = 0;
    fuzz_expect(getopt_long(1, none, "", &end, NULL) == -1);
}

static bool words_parse(struct tn_window_command *command, int argc, char **argv)
{
    int saved[2], exit_code = 77;
    bool runs;

    getopt_forget();
    output_hide(saved);
    runs = tn_window_command_parse(command, argc, argv, &exit_code);
    output_show(saved);
    if (!runs)
        fuzz_expect(exit_code == 0 || exit_code == 2); /* --help; usage */
    return runs;
}

/* What tn_window_open would call misuse has been refused before. */
static void windows_are_checked(const struct tn_window_command *command)
{
    int64_t slide_ms = command->slide_ms > 0 ? command->slide_ms : command->every_ms;

    if (command->gap_ms > 0)
        fuzz_expect(slide_ms == 0 && command->offset_ms == 0);
    else
        fuzz_expect(slide_ms > 0 && command->every_ms > 0 && command->gap_ms == 0 &&
                    command->offset_ms < slide_ms && -command->offset_ms < slide_ms);
    fuzz_expect(command->late_ms >= 0 && command->grace_ms >= 0);
    fuzz_expect(command->max_ahead_ms == 0 || command->max_ahead_ms > command->late_ms);
    fuzz_expect((command->mode == TN_WINDOW_EVERY) == (command->print_ms > 0));
}

static void command_is_checked(const struct tn_window_command *command)
{
    size_t i, j;

    windows_are_checked(command);
    fuzz_expect(command->file_count > 0 && command->aggregates.count > 0);
    fuzz_expect(command->field_count == 1 + command->key_count + command->aggregates.count);
    fuzz_expect(command->column_count ==
                1 + command->field_count + (command->mode != TN_WINDOW_FINAL));
    for (i = 0; i < command->field_count; i++)
        fuzz_expect(command->fields[i] != NULL);
    for (i = 0; i < command->column_count; i++)
        for (j = 0; j < i; j++)
            fuzz_expect(strcmp(command->columns[i].name, command->columns[j].name) != 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    char *text = fuzz_text(data, bytes), *next = text, name[] = "window";
    char *argv[WORDS_MAX + 2] = { name };
    struct tn_window_command command, again;
    int argc = 1;

    for (; argc <= WORDS_MAX && *next != '\0'; argc++) {
        argv[argc] = next;
        next += strcspn(next, "\n");
        if (*next != '\0')
            *next++ = '\0';
    }
    argv[argc] = NULL;
    if (words_parse(&command, argc, argv)) {
        command_is_checked(&command);
        /* Now operands stand behind the options (A1): that says the same. */
        fuzz_expect(words_parse(&again, argc, argv));
        fuzz_expect(again.every_ms == command.every_ms && again.late_ms == command.late_ms);
        fuzz_expect(again.slide_ms == command.slide_ms && again.gap_ms == command.gap_ms);
        fuzz_expect(again.mode == command.mode && again.print_ms == command.print_ms);
        fuzz_expect(again.field_count == command.field_count);
        fuzz_expect(again.file_count == command.file_count);
        tn_window_command_release(&again);
        tn_window_command_release(&command);
    }
    free(text);
    return 0;
}
