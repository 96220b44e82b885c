/*
 * state_command.c - see state_command.h for the rules
 */
#include "state_command.h"
#include "message.h"

#include "base/bytes.h"
#include "io/duration.h"

#include <stdio.h>
#include <string.h>

#define VERB "window"
#define STATE_VERSION 1u

/* ---- encoding -------------------------------------------------------------------------------- */

static void pair_add(FILE *to, const char *name, const char *value)
{
    fputs(name, to);
    fputc('\0', to);
    fputs(value != NULL ? value : "", to);
    fputc('\0', to);
}

static void duration_add(FILE *to, const char *name, int64_t ms)
{
    char text[TN_DURATION_BYTES_MAX];

    tn_duration_print(ms, text);
    pair_add(to, name, text);
}

static void flag_add(FILE *to, const char *name, bool on)
{
    pair_add(to, name, on ? "on" : "off");
}

/* All that decides what comes out, in an order of its own, durations in one spelling (D3). */
static void command_add(FILE *to, const struct tn_window_command *command)
{
    static const char *const inputs[] = { "by name", "csv", "tsv", "ndjson" };
    static const char *const outputs[] = { "csv", "tsv", "ndjson", "pretty" };
    static const char *const modes[] = { "final", "changes", "every" };
    size_t i;

    pair_add(to, "-i", inputs[command->input_format]);
    pair_add(to, "--time", command->fields[0]);
    pair_add(to, "--time-format", tn_timestamp_format_text(&command->time_format));
    duration_add(to, "--every", command->every_ms);
    duration_add(to, "--slide", command->slide_ms);
    duration_add(to, "--offset", command->offset_ms);
    duration_add(to, "--session", command->gap_ms);
    duration_add(to, "--late", command->late_ms);
    duration_add(to, "--grace", command->grace_ms);
    duration_add(to, "--max-ahead", command->max_ahead_ms);
    pair_add(to, "--emit", modes[command->mode]);
    duration_add(to, "--emit every", command->print_ms);
    pair_add(to, "--agg", command->aggregate_text);
    flag_add(to, "--strict", command->strict);
    flag_add(to, "--merge", command->merge);
    flag_add(to, "--follow", command->follow);
    duration_add(to, "--idle", command->idle_ms);
    pair_add(to, "-o", outputs[command->output_format]);
    pair_add(to, "--times", command->times_as_ms ? "ms" : "iso");
    pair_add(to, "--out", command->output_path);
    pair_add(to, "--late-to", command->late_path);
    for (i = 0; i < command->key_count; i++)
        pair_add(to, "--by", command->fields[1 + i]);
    for (i = 0; i < command->file_count; i++)
        pair_add(to, "FILE", command->files[i]);
}

bool tn_state_command_encode(const struct tn_window_command *command, char **out, size_t *out_bytes)
{
    uint8_t version[TN_STATE_COMMAND_HEAD_BYTES];
    FILE *to = open_memstream(out, out_bytes);

    if (to == NULL)
        return false;
    tn_store_le64(version, STATE_VERSION);
    fwrite(version, 1, sizeof version, to);
    command_add(to, command);
    return fclose(to) == 0;
}

bool tn_state_command_is_known(tarn_bytes encoded)
{
    return encoded.bytes >= TN_STATE_COMMAND_HEAD_BYTES &&
           tn_load_le64(encoded.data) <= STATE_VERSION;
}

/* ---- comparing ------------------------------------------------------------------------------- */

/* The text at `at`, and where the next one begins. "": there is none. */
static const char *text_next(const char *bytes, size_t byte_count, size_t *at)
{
    const char *text = bytes + *at;

    if (*at >= byte_count || memchr(text, '\0', byte_count - *at) == NULL)
        return "";
    *at += strlen(text) + 1;
    return text;
}

void tn_state_command_differ(const char *path, tarn_bytes was, tarn_bytes is)
{
    size_t was_at = TN_STATE_COMMAND_HEAD_BYTES, is_at = TN_STATE_COMMAND_HEAD_BYTES;
    const char *was_name, *was_value, *is_name, *is_value;

    do {
        was_name = text_next(was.data, was.bytes, &was_at);
        was_value = text_next(was.data, was.bytes, &was_at);
        is_name = text_next(is.data, is.bytes, &is_at);
        is_value = text_next(is.data, is.bytes, &is_at);
    } while (*was_name != '\0' && strcmp(was_name, is_name) == 0 &&
             strcmp(was_value, is_value) == 0);
    tn_message(VERB,
               "state %s is of another command line: there %s '%s', here %s '%s'; give the same "
               "one, or name another directory",
               path, *was_name != '\0' ? was_name : "nothing more", was_value,
               *is_name != '\0' ? is_name : "nothing more", is_value);
}
