/*
 * window_state.c - see window_state.h for the rules
 */
#include "window_state.h"
#include "command.h"
#include "message.h"

#include "base/bytes.h"
#include "io/duration.h"
#include "io/wait.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VERB "window"
#define STATE_VERSION 1u
#define STATE_LOOK_ROWS 1024 /* how often the clock is looked at */
#define KEY_COMMAND "run command"
#define KEY_PROGRESS "run progress"
#define KEY_LATE_HEADER "run late header"
#define KEY_SOURCE_BYTES 32
#define WORD_COUNT_MAX 16u
#define WORD_BYTES sizeof(uint64_t)

/* ---- failures -------------------------------------------------------------------------------- */

static int state_exit_code(int result)
{
    switch (result) {
    case TARN_E_BUSY:
    case TARN_E_CORRUPT:
    case TARN_E_VERSION:
    case TARN_E_TYPE:
    case TARN_E_MISUSE:
        return TN_EXIT_REFUSED;
    default:
        return TN_EXIT_FAILED;
    }
}

static const char *state_advice(int result)
{
    switch (result) {
    case TARN_E_BUSY:
        return "wait for the other tarn to end, or name another directory";
    case TARN_E_CORRUPT:
        return "begin anew in another directory, or put back a copy of this one";
    case TARN_E_VERSION:
        return "use the release that wrote it";
    case TARN_E_TYPE:
    case TARN_E_MISUSE:
        return "it is no state of tarn window; name another directory";
    case TARN_E_FULL:
        return "make room, then the same command goes on from the last commit";
    case TARN_E_MEMORY:
        return "free some memory, then the same command goes on from the last commit";
    default:
        return "when the cause is gone the same command goes on from the last commit";
    }
}

static int state_failed(const struct tn_window_state *state, int result, const char *text)
{
    tn_message(VERB, "state %s: %s%s%s; %s", state->command->state_path, tarn_result_text(result),
               *text != '\0' ? ": " : "", text, state_advice(result));
    return state_exit_code(result);
}

static int state_store_failed(const struct tn_window_state *state, int result)
{
    return state_failed(state, result, tarn_error_text(state->store));
}

static int state_memory_failed(void)
{
    tn_message(VERB, "out of memory");
    return TN_EXIT_FAILED;
}

/* ---- words ----------------------------------------------------------------------------------- */

static size_t progress_fields(struct tn_state_progress *progress, void *fields[WORD_COUNT_MAX])
{
    size_t count = 0;

    fields[count++] = &progress->finished;
    fields[count++] = &progress->has_header;
    fields[count++] = &progress->row_count;
    fields[count++] = &progress->bad_count;
    fields[count++] = &progress->written_count;
    fields[count++] = &progress->output_bytes;
    fields[count++] = &progress->late_bytes;
    fields[count++] = &progress->time_kind;
    fields[count++] = &progress->watermark_ms;
    return count;
}

/* The fields of a place that are words as they are; two flags and a state come in front. */
static size_t place_fields(struct tn_source_place *place, void *fields[WORD_COUNT_MAX])
{
    size_t count = 0;

    fields[count++] = &place->place.device;
    fields[count++] = &place->place.inode;
    fields[count++] = &place->place.bytes;
    fields[count++] = &place->place.checksum;
    fields[count++] = &place->place.line;
    fields[count++] = &place->place.replay_end;
    fields[count++] = &place->watermark.own.time_ms;
    return count;
}

static uint8_t *words_store(uint8_t *to, void *const *fields, size_t count)
{
    uint64_t word;

    for (size_t i = 0; i < count; i++, to += WORD_BYTES) {
        memcpy(&word, fields[i], sizeof word);
        tn_store_le64(to, word);
    }
    return to;
}

static void words_load(const uint8_t *from, void *const *fields, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t word = tn_load_le64(from + i * WORD_BYTES);

        memcpy(fields[i], &word, sizeof word);
    }
}

static size_t place_store(struct tn_source_place *place, uint8_t *to)
{
    void *fields[WORD_COUNT_MAX];
    size_t count = place_fields(place, fields);

    tn_store_le64(to, (uint64_t)place->phase);
    tn_store_le64(to + WORD_BYTES, place->place.skipping);
    tn_store_le64(to + 2 * WORD_BYTES, (uint64_t)place->watermark.state);
    return (size_t)(words_store(to + 3 * WORD_BYTES, fields, count) - to);
}

static bool place_load(struct tn_source_place *place, const uint8_t *from, size_t bytes)
{
    void *fields[WORD_COUNT_MAX];
    size_t count = place_fields(place, fields);

    if (bytes != (3 + count) * WORD_BYTES)
        return false;
    place->phase = (enum tn_source_phase)tn_load_le64(from);
    place->place.skipping = tn_load_le64(from + WORD_BYTES) != 0;
    place->watermark.state = (enum tn_source_state)tn_load_le64(from + 2 * WORD_BYTES);
    words_load(from + 3 * WORD_BYTES, fields, count);
    return place->phase <= TN_SOURCE_READ && place->watermark.state <= TN_SOURCE_ENDED;
}

static size_t source_key(size_t index, char key[KEY_SOURCE_BYTES])
{
    return (size_t)snprintf(key, KEY_SOURCE_BYTES, "run source %010zu", index);
}

/* ---- the command line ------------------------------------------------------------------------ */

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

/* Free *out. False: no memory. */
static bool command_encode(const struct tn_window_command *command, char **out, size_t *out_bytes)
{
    uint8_t version[WORD_BYTES];
    FILE *to = open_memstream(out, out_bytes);

    if (to == NULL)
        return false;
    tn_store_le64(version, STATE_VERSION);
    fwrite(version, 1, sizeof version, to);
    command_add(to, command);
    return fclose(to) == 0;
}

/* The text at `at`, and where the next one begins. "": there is none. */
static const char *text_next(const char *bytes, size_t byte_count, size_t *at)
{
    const char *text = bytes + *at;

    if (*at >= byte_count || memchr(text, '\0', byte_count - *at) == NULL)
        return "";
    *at += strlen(text) + 1;
    return text;
}

/* Two encoded command lines that are not the same: say where they first differ. */
static int command_refuse(const struct tn_window_state *state, tarn_bytes was, tarn_bytes is)
{
    size_t was_at = WORD_BYTES, is_at = WORD_BYTES;
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
               state->command->state_path, *was_name != '\0' ? was_name : "nothing more", was_value,
               *is_name != '\0' ? is_name : "nothing more", is_value);
    return TN_EXIT_REFUSED;
}

/* Is it the command line that the state was begun with? In a new one, it is now. */
static int state_check_command(struct tn_window_state *state)
{
    tarn_bytes was, is = { .data = NULL };
    char *encoded = NULL;
    int result, exit_code = TN_STATE_GOES_ON;

    if (!command_encode(state->command, &encoded, &is.bytes)) {
        free(encoded);
        return state_memory_failed();
    }
    is.data = encoded;
    result = tarn_get(state->table, KEY_COMMAND, sizeof KEY_COMMAND - 1, &was.data, &was.bytes);
    if (result == TARN_ABSENT)
        result = state->resumed ? TARN_E_TYPE
                                : tarn_put(state->table, KEY_COMMAND, sizeof KEY_COMMAND - 1,
                                           is.data, is.bytes);
    else if (result == TARN_OK &&
             (was.bytes < WORD_BYTES || tn_load_le64(was.data) > STATE_VERSION))
        result = TARN_E_VERSION;
    else if (result == TARN_OK &&
             (was.bytes != is.bytes || memcmp(was.data, is.data, is.bytes) != 0))
        exit_code = command_refuse(state, was, is);
    if (result != TARN_OK)
        exit_code = state_failed(state, result, "");
    free(encoded);
    return exit_code;
}

/* ---- open ------------------------------------------------------------------------------------ */

static int state_load(struct tn_window_state *state)
{
    void *fields[WORD_COUNT_MAX];
    size_t count = progress_fields(&state->progress, fields), bytes, i;
    char key[KEY_SOURCE_BYTES];
    const void *value;
    int result = tarn_get(state->table, KEY_PROGRESS, sizeof KEY_PROGRESS - 1, &value, &bytes);

    if (result == TARN_OK && bytes == count * WORD_BYTES)
        words_load(value, fields, count);
    else
        result = result < 0 ? result : TARN_E_CORRUPT;
    for (i = 0; result == TARN_OK && i < state->command->file_count; i++) {
        result = tarn_get(state->table, key, source_key(i, key), &value, &bytes);
        if (result == TARN_ABSENT ||
            (result == TARN_OK && !place_load(&state->places[i], value, bytes)))
            result = TARN_E_CORRUPT;
    }
    if (result == TARN_OK && state->progress.time_kind > TN_TIMESTAMP_PATTERN)
        result = TARN_E_CORRUPT;
    return result == TARN_OK ? TN_STATE_GOES_ON : state_failed(state, result, "");
}

static int state_open_store(struct tn_window_state *state)
{
    tarn_report report = { .text = "" };
    tarn_options options = { .report = &report };
    uint64_t number = 0;
    int result = tarn_open(&state->store, state->command->state_path, &options);

    if (result != TARN_OK)
        return state_failed(state, result, report.text);
    if (state->command->verbose && *report.text != '\0')
        tn_message(VERB, "state %s: %s", state->command->state_path, report.text);
    result = tarn_last_commit(state->store, &number, NULL);
    if (result == TARN_OK)
        result = tarn_table_open(&state->table, state->store, "window state", NULL);
    state->resumed = number > 0;
    state->committed = state->resumed;
    return result == TARN_OK ? TN_STATE_GOES_ON : state_store_failed(state, result);
}

static int state_is_finished(const struct tn_window_state *state)
{
    tn_message(VERB,
               "state %s is finished: all of its input was read, %" PRIu64
               " rows, and all output written; nothing is done. Files that grow need --follow",
               state->command->state_path, state->progress.row_count);
    return TN_EXIT_DONE;
}

int tn_window_state_open(struct tn_window_state *state, const struct tn_window_command *command)
{
    int exit_code;

    *state = (struct tn_window_state){ .command = command, .commit_ns = tn_now_ns() };
    state->places = calloc(command->file_count, sizeof *state->places);
    if (state->places == NULL)
        return state_memory_failed();
    exit_code = state_open_store(state);
    if (exit_code == TN_STATE_GOES_ON)
        exit_code = state_check_command(state);
    if (exit_code == TN_STATE_GOES_ON && state->resumed)
        exit_code = state_load(state);
    if (exit_code == TN_STATE_GOES_ON && state->progress.finished)
        return state_is_finished(state);
    if (exit_code == TN_STATE_GOES_ON && state->resumed && command->verbose)
        tn_message(VERB, "state %s: going on behind row %" PRIu64, command->state_path,
                   state->progress.row_count);
    state->look_row_count = state->progress.row_count;
    return exit_code;
}

tarn_bytes tn_window_state_late_header(struct tn_window_state *state)
{
    tarn_bytes header = { .bytes = 0 };

    (void)tarn_get(state->table, KEY_LATE_HEADER, sizeof KEY_LATE_HEADER - 1, &header.data,
                   &header.bytes);
    return header;
}

int tn_window_state_place(struct tn_window_state *state, struct tn_sources *sources)
{
    const struct tn_window_command *command = state->command;
    struct tn_source_place now;
    size_t i;

    for (i = 0; i < command->file_count; i++) {
        const struct tn_place *was = &state->places[i].place;

        tn_sources_place(sources, i, &now);
        if (now.place.inode == 0) {
            tn_message(
                VERB,
                "%s: is no regular file, and cannot be read again after a crash; write it to "
                "one first, or leave out --state",
                command->files[i]);
            return TN_EXIT_REFUSED;
        }
        if (state->resumed && (now.place.device != was->device || now.place.inode != was->inode)) {
            tn_message(VERB,
                       "%s: is another file than state %s was begun with (device and inode %" PRIu64
                       ":%" PRIu64 ", not %" PRIu64 ":%" PRIu64
                       "); put that one back, or name another directory",
                       command->files[i], command->state_path, now.place.device, now.place.inode,
                       was->device, was->inode);
            return TN_EXIT_REFUSED;
        }
    }
    if (state->resumed)
        tn_sources_resume(sources, state->places, state->progress.watermark_ms);
    return TN_STATE_GOES_ON;
}

/* ---- commit ---------------------------------------------------------------------------------- */

bool tn_window_state_is_due(struct tn_window_state *state, uint64_t row_count, bool waits)
{
    uint64_t rows;

    if (state->store == NULL || (row_count < state->look_row_count && !waits))
        return false;
    rows = state->command->commit_rows;
    if (rows > 0) {
        if (row_count - state->progress.row_count < rows)
            return false;
        state->look_row_count = row_count + rows;
        return true;
    }
    state->look_row_count = row_count + STATE_LOOK_ROWS;
    return row_count != state->progress.row_count &&
           (tn_now_ns() - state->commit_ns) / 1000000 >= (uint64_t)state->command->commit_ms;
}

/* What has changed of the places since the last commit. */
static int places_put(struct tn_window_state *state, struct tn_sources *sources)
{
    uint8_t was[WORD_COUNT_MAX * WORD_BYTES], is[WORD_COUNT_MAX * WORD_BYTES];
    char key[KEY_SOURCE_BYTES];
    struct tn_source_place now;
    int result = TARN_OK;
    size_t bytes, i;

    for (i = 0; result == TARN_OK && i < state->command->file_count; i++) {
        tn_sources_place(sources, i, &now);
        (void)place_store(&state->places[i], was);
        bytes = place_store(&now, is);
        if (state->committed && memcmp(was, is, bytes) == 0)
            continue;
        result = tarn_put(state->table, key, source_key(i, key), is, bytes);
        state->places[i] = now;
    }
    return result;
}

static int late_header_put(struct tn_window_state *state, const struct tn_late *late)
{
    if (late->header == NULL || tn_window_state_late_header(state).bytes != 0)
        return TARN_OK;
    return tarn_put(state->table, KEY_LATE_HEADER, sizeof KEY_LATE_HEADER - 1, late->header,
                    late->header_bytes);
}

static int progress_put(struct tn_window_state *state, struct tn_state_progress *progress)
{
    uint8_t words[WORD_COUNT_MAX * WORD_BYTES];
    void *fields[WORD_COUNT_MAX];
    size_t count = progress_fields(progress, fields);

    (void)words_store(words, fields, count);
    state->progress = *progress;
    return tarn_put(state->table, KEY_PROGRESS, sizeof KEY_PROGRESS - 1, words, count * WORD_BYTES);
}

int tn_window_state_commit(struct tn_window_state *state, struct tn_window *window,
                           struct tn_sources *sources, struct tn_output *output,
                           struct tn_late *late, struct tn_state_progress *progress)
{
    int result;

    progress->output_bytes = 0;
    progress->late_bytes = 0;
    if (state->command->output_path != NULL ? !tn_output_sync(output, &progress->output_bytes)
                                            : !tn_output_flush(output))
        return TN_EXIT_FAILED;
    if (late->is_open && !tn_output_sync(&late->output, &progress->late_bytes))
        return TN_EXIT_FAILED;
    progress->watermark_ms = state->command->merge ? sources->watermarks.time_ms : INT64_MIN;
    result = places_put(state, sources);
    if (result == TARN_OK)
        result = late_header_put(state, late);
    if (result == TARN_OK)
        result = progress_put(state, progress);
    if (result == TARN_OK)
        result = tn_window_save(window);
    if (result == TARN_OK)
        result = tarn_commit(state->store, NULL, 0, TARN_SYNC);
    state->commit_ns = tn_now_ns();
    state->committed = true;
    return result == TARN_OK ? TN_STATE_GOES_ON : state_store_failed(state, result);
}

int tn_window_state_close(struct tn_window_state *state)
{
    int result = TARN_OK;

    if (state->table != NULL)
        (void)tarn_table_close(state->table);
    if (state->store != NULL)
        result = tarn_close(state->store);
    if (result != TARN_OK)
        (void)state_failed(state, result, "when it was closed");
    free(state->places);
    *state = (struct tn_window_state){ 0 };
    return result == TARN_OK ? TN_EXIT_DONE : TN_EXIT_FAILED;
}
