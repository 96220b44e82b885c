/*
 * window_state.c - see window_state.h for the rules
 */
#include "window_state.h"
#include "command.h"
#include "message.h"
#include "open_store.h"
#include "signals.h"
#include "state_command.h"

#include "io/wait.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VERB "window"
#define STATE_LOOK_ROWS 1024 /* how often the clock is looked at */
#define KEY_COMMAND "run command"
#define KEY_PROGRESS "run progress"
#define KEY_LATE_HEADER "run late header"
#define KEY_SOURCE_BYTES 32

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

/* ---- open ------------------------------------------------------------------------------------ */

static size_t source_key(size_t index, char key[KEY_SOURCE_BYTES])
{
    return (size_t)snprintf(key, KEY_SOURCE_BYTES, "run source %010zu", index);
}

/* Is it the command line that the state was begun with? In a new one, it is now. */
static int state_check_command(struct tn_window_state *state)
{
    tarn_bytes was, is = { .data = NULL };
    char *encoded = NULL;
    int result, exit_code = TN_WINDOW_GOES_ON;

    if (!tn_state_command_encode(state->command, &encoded, &is.bytes)) {
        free(encoded);
        return state_memory_failed();
    }
    is.data = encoded;
    result = tarn_get(state->table, KEY_COMMAND, sizeof KEY_COMMAND - 1, &was.data, &was.bytes);
    if (result == TARN_ABSENT)
        result = state->resumed ? TARN_E_TYPE
                                : tarn_put(state->table, KEY_COMMAND, sizeof KEY_COMMAND - 1,
                                           is.data, is.bytes);
    else if (result == TARN_OK && !tn_state_command_is_known(was))
        result = TARN_E_VERSION;
    else if (result == TARN_OK &&
             (was.bytes != is.bytes || memcmp(was.data, is.data, is.bytes) != 0)) {
        tn_state_command_differ(state->command->state_path, was, is);
        exit_code = TN_EXIT_REFUSED;
    }
    if (result != TARN_OK)
        exit_code = state_failed(state, result, "");
    free(encoded);
    return exit_code;
}

static int state_load(struct tn_window_state *state)
{
    char key[KEY_SOURCE_BYTES];
    const void *value;
    size_t bytes, i;
    int result = tarn_get(state->table, KEY_PROGRESS, sizeof KEY_PROGRESS - 1, &value, &bytes);

    if (result == TARN_ABSENT ||
        (result == TARN_OK && !tn_state_progress_load(&state->progress, value, bytes)))
        result = TARN_E_CORRUPT;
    for (i = 0; result == TARN_OK && i < state->command->file_count; i++) {
        result = tarn_get(state->table, key, source_key(i, key), &value, &bytes);
        if (result == TARN_ABSENT ||
            (result == TARN_OK && !tn_state_place_load(&state->places[i], value, bytes)))
            result = TARN_E_CORRUPT;
    }
    return result == TARN_OK ? TN_WINDOW_GOES_ON : state_failed(state, result, "");
}

static int state_open_store(struct tn_window_state *state)
{
    tarn_report report = { .text = "" };
    tarn_options options = { .report = &report };
    uint64_t number = 0;
    int result;

    if (tn_open_store_path_is_refused(VERB, state->command->state_path, TN_OPEN_CREATE))
        return TN_EXIT_REFUSED;
    tn_signals_let_kill_begin();
    result = tarn_open(&state->store, state->command->state_path, &options);
    tn_signals_let_kill_end();
    if (result != TARN_OK)
        return state_failed(state, result, report.text);
    if (state->command->verbose && *report.text != '\0')
        tn_message(VERB, "state %s: %s", state->command->state_path, report.text);
    result = tarn_last_commit(state->store, &number, NULL);
    if (result == TARN_OK)
        result = tarn_table_open(&state->table, state->store, "window state", NULL);
    state->resumed = number > 0;
    state->committed = state->resumed;
    return result == TARN_OK ? TN_WINDOW_GOES_ON : state_store_failed(state, result);
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
    if (exit_code == TN_WINDOW_GOES_ON)
        exit_code = state_check_command(state);
    if (exit_code == TN_WINDOW_GOES_ON && state->resumed)
        exit_code = state_load(state);
    if (exit_code == TN_WINDOW_GOES_ON && state->progress.finished)
        return state_is_finished(state);
    if (exit_code == TN_WINDOW_GOES_ON && state->resumed && command->verbose)
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
    return TN_WINDOW_GOES_ON;
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
    uint8_t was[TN_STATE_BYTES_MAX], is[TN_STATE_BYTES_MAX];
    char key[KEY_SOURCE_BYTES];
    struct tn_source_place now;
    int result = TARN_OK;
    size_t bytes, i;

    for (i = 0; result == TARN_OK && i < state->command->file_count; i++) {
        tn_sources_place(sources, i, &now);
        (void)tn_state_place_store(&state->places[i], was);
        bytes = tn_state_place_store(&now, is);
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
    uint8_t words[TN_STATE_BYTES_MAX];
    size_t bytes = tn_state_progress_store(progress, words);

    state->progress = *progress;
    return tarn_put(state->table, KEY_PROGRESS, sizeof KEY_PROGRESS - 1, words, bytes);
}

int tn_window_state_commit(struct tn_window_state *state, struct tn_window *window,
                           struct tn_sources *sources, struct tn_window_outputs *outputs,
                           struct tn_state_progress *progress)
{
    int result;

    progress->output_bytes = 0;
    progress->late_bytes = 0;
    outputs->unwritten = false;
    if (state->command->output_path != NULL
            ? !tn_output_sync(&outputs->output, &progress->output_bytes)
            : !tn_output_flush(&outputs->output))
        return TN_EXIT_FAILED;
    if (outputs->late.is_open && !tn_output_sync(&outputs->late.output, &progress->late_bytes))
        return TN_EXIT_FAILED;
    progress->watermark_ms = state->command->merge ? sources->watermarks.time_ms : INT64_MIN;
    result = places_put(state, sources);
    if (result == TARN_OK)
        result = late_header_put(state, &outputs->late);
    if (result == TARN_OK)
        result = progress_put(state, progress);
    if (result == TARN_OK)
        result = tn_window_save(window);
    if (result == TARN_OK)
        result = tarn_commit(state->store, NULL, 0, TARN_SYNC);
    state->commit_ns = tn_now_ns();
    state->committed = true;
    return result == TARN_OK ? TN_WINDOW_GOES_ON : state_store_failed(state, result);
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
