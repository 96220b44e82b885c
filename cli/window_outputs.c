/*
 * window_outputs.c - see window_outputs.h for the rules
 */
#include "window_outputs.h"
#include "command.h"
#include "message.h"
#include "window_files.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define VERB "window"

/* ---- open ------------------------------------------------------------------------------------ */

bool tn_window_outputs_init(struct tn_window_outputs *outputs,
                            const struct tn_window_command *command)
{
    *outputs = (struct tn_window_outputs){ .command = command };
    outputs->values = calloc(command->column_count, sizeof *outputs->values);
    return outputs->values != NULL;
}

/* What a crash leaves in it must be possible to cut off. */
static int output_can_be_cut(const struct tn_output *output)
{
    struct stat status;

    if (fstat(output->file, &status) == 0 && S_ISREG(status.st_mode))
        return TN_WINDOW_GOES_ON;
    tn_message(VERB,
               "%s is no regular file, and cannot be gone on with after a crash; write to one, "
               "or leave out --state",
               output->name);
    return TN_EXIT_REFUSED;
}

static int writer_open(struct tn_window_outputs *outputs)
{
    const struct tn_window_command *command = outputs->command;

    outputs->writer = tn_writer_new(&outputs->output, command->output_format, command->columns,
                                    command->column_count);
    if (outputs->writer != NULL)
        return TN_WINDOW_GOES_ON;
    tn_message(VERB, "out of memory");
    return TN_EXIT_FAILED;
}

int tn_window_outputs_open(struct tn_window_outputs *outputs, tarn_bytes header)
{
    const struct tn_window_command *command = outputs->command;
    int exit_code = TN_WINDOW_GOES_ON;

    if (command->output_path == NULL)
        tn_output_init(&outputs->output);
    else if (!tn_output_open(&outputs->output, command->output_path))
        return tn_output_open_refuse(VERB, command->output_path, "write to another file");
    outputs->is_open = true;
    if (command->late_path != NULL && !tn_late_open(&outputs->late, command->late_path))
        return tn_output_open_refuse(VERB, command->late_path, "write late rows to another file");
    if (command->late_path != NULL &&
        !tn_outputs_are_two_files(command, outputs->output.file, outputs->late.output.file))
        return TN_EXIT_USAGE;
    if (command->late_path != NULL && !tn_late_header(&outputs->late, header))
        return TN_EXIT_FAILED;
    if (command->state_path != NULL && command->output_path != NULL)
        exit_code = output_can_be_cut(&outputs->output);
    if (exit_code == TN_WINDOW_GOES_ON && command->state_path != NULL && command->late_path != NULL)
        exit_code = output_can_be_cut(&outputs->late.output);
    return exit_code == TN_WINDOW_GOES_ON ? writer_open(outputs) : exit_code;
}

int tn_window_outputs_resume(struct tn_window_outputs *outputs,
                             const struct tn_window_outputs_place *place)
{
    const struct tn_window_command *command = outputs->command;
    int exit_code;

    if (command->output_path == NULL)
        tn_output_init(&outputs->output);
    else if (!tn_output_resume(&outputs->output, command->output_path, place->output_bytes))
        return tn_output_refuse(VERB, command->output_path, place->output_bytes);
    outputs->is_open = true;
    if (command->late_path != NULL &&
        !tn_late_resume(&outputs->late, command->late_path, place->late_bytes, place->late_header,
                        &exit_code))
        return exit_code;
    exit_code = writer_open(outputs);
    if (exit_code == TN_WINDOW_GOES_ON)
        tn_writer_resume(outputs->writer, place->has_header);
    return exit_code;
}

/* ---- rows ------------------------------------------------------------------------------------ */

static void time_print(const struct tn_window_outputs *outputs, int64_t time_ms,
                       struct tn_window_time *out)
{
    if (outputs->command->times_as_ms)
        out->bytes = (size_t)snprintf(out->text, sizeof out->text, "%" PRId64, time_ms);
    else
        out->bytes = tn_timestamp_print(time_ms, out->text);
}

/* All rows of a window have the same two times, and come one after another: print them once. */
static void window_print(struct tn_window_outputs *outputs, const struct tn_window_row *row)
{
    if (outputs->start.bytes > 0 && outputs->start_ms == row->start_ms &&
        outputs->end_ms == row->end_ms)
        return;
    outputs->start_ms = row->start_ms;
    outputs->end_ms = row->end_ms;
    time_print(outputs, row->start_ms, &outputs->start);
    time_print(outputs, row->end_ms, &outputs->end);
}

bool tn_window_outputs_row(struct tn_window_outputs *outputs, const struct tn_window_row *row)
{
    const struct tn_window_command *command = outputs->command;
    size_t key_count = command->key_count, i;
    tarn_bytes *values = outputs->values;

    window_print(outputs, row);
    values[0] = (tarn_bytes){ outputs->start.text, outputs->start.bytes };
    values[1] = (tarn_bytes){ outputs->end.text, outputs->end.bytes };
    for (i = 0; i < key_count; i++) /* an empty key and null are one group, printed as null */
        values[2 + i] = row->keys[i].bytes > 0 ? row->keys[i] : (tarn_bytes){ NULL, 0 };
    for (i = 0; i < command->aggregates.count; i++)
        values[2 + key_count + i] = row->values[i];
    if (command->mode != TN_WINDOW_FINAL)
        values[2 + key_count + i] = (tarn_bytes){ &row->op, 1 };
    outputs->written_count++;
    outputs->unwritten = true;
    return tn_writer_row(outputs->writer, values);
}

bool tn_window_outputs_late(struct tn_window_outputs *outputs, tarn_bytes raw, tarn_bytes header)
{
    if (!outputs->late.is_open)
        return true;
    outputs->unwritten = true;
    return tn_late_header(&outputs->late, header) && tn_late_row(&outputs->late, raw);
}

bool tn_window_outputs_flush(struct tn_window_outputs *outputs)
{
    if (!outputs->unwritten)
        return true;
    outputs->unwritten = false;
    return tn_writer_flush(outputs->writer) && tn_late_flush(&outputs->late);
}

int tn_window_outputs_close(struct tn_window_outputs *outputs)
{
    int output_code = TN_EXIT_DONE, late_code;

    if (outputs->writer != NULL && outputs->written_count > 0)
        (void)tn_writer_flush(outputs->writer); /* closing the output tells */
    tn_writer_free(outputs->writer);
    if (outputs->is_open)
        output_code = tn_output_close(&outputs->output, VERB);
    late_code = tn_late_close(&outputs->late, VERB);
    free(outputs->values);
    *outputs = (struct tn_window_outputs){ 0 };
    return output_code == TN_EXIT_DONE ? late_code : output_code;
}
