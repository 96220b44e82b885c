/*
 * window_sources.c - see window_sources.h for the rules
 */
#include "window_sources.h"
#include "signals.h"

#include "io/wait.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SOURCES_NAP_MS_MIN 5 /* the first sleep, doubled while nothing comes */
#define SOURCES_NAP_MS_MAX 100
#define SOURCES_ASK_NS UINT64_C(50000000)  /* how often those that are idle are asked */
#define SOURCES_MERGED_BYTES (16 * TN_MIB) /* for the blocks of all that are merged, about */
#define SOURCES_BLOCK_BYTES_MIN (8 * TN_KIB)

static void source_init(struct tn_source *source, const char *path)
{
    bool standard_input = strcmp(path, "-") == 0;
    struct stat status;

    source->path = path;
    source->name = standard_input ? "standard input" : path;
    if ((standard_input ? fstat(STDIN_FILENO, &status) : stat(path, &status)) == 0 &&
        S_ISREG(status.st_mode))
        source->file_bytes = (uint64_t)status.st_size;
}

void tn_sources_release(struct tn_sources *sources)
{
    size_t i;

    for (i = 0; sources->sources != NULL && i < sources->command->file_count; i++)
        tn_reader_close(sources->sources[i].reader);
    free(sources->sources);
    tn_watermarks_release(&sources->watermarks);
    *sources = (struct tn_sources){ 0 };
}

bool tn_sources_init(struct tn_sources *out, const struct tn_window_command *command,
                     struct tn_memory *memory)
{
    size_t i;

    *out =
        (struct tn_sources){ .command = command, .asked = SIZE_MAX, .nap_ms = SOURCES_NAP_MS_MIN };
    out->sources = calloc(command->file_count, sizeof *out->sources);
    if (out->sources == NULL)
        return false;
    for (i = 0; i < command->file_count; i++)
        source_init(&out->sources[i], command->files[i]);
    if (!command->merge ||
        tn_watermarks_init(&out->watermarks, memory, command->file_count, command->late_ms))
        return true;
    tn_sources_release(out);
    return false;
}

/* Many that are open at once take smaller blocks: memory stays bounded. 0: the usual. */
static size_t sources_block_bytes(const struct tn_window_command *command)
{
    size_t each = SOURCES_MERGED_BYTES / command->file_count;

    if (command->block_bytes != 0)
        return command->block_bytes;
    return !command->merge || command->file_count <= 16 ? 0 : tn_max(each, SOURCES_BLOCK_BYTES_MIN);
}

static int sources_open(struct tn_sources *sources, size_t index)
{
    const struct tn_window_command *command = sources->command;
    struct tn_reader_options options = {
        .format = command->input_format,
        .fields = command->fields,
        .field_count = command->field_count,
        .stop = tn_signals_flag(),
        .block_bytes = sources_block_bytes(command),
        .follow = command->follow && (command->merge || index + 1 == command->file_count), /* F2 */
        .no_wait = sources->no_wait,
    };

    sources->current = index;
    return tn_reader_open(&sources->sources[index].reader, sources->sources[index].path, &options,
                          sources->reason, sizeof sources->reason);
}

int tn_sources_begin(struct tn_sources *sources)
{
    size_t last = sources->command->merge ? sources->command->file_count - 1 : 0, i;
    int answer = TN_READER_ROW;

    for (i = 0; i <= last && answer == TN_READER_ROW; i++)
        answer = sources_open(sources, i);
    if (answer == TN_READER_ROW)
        sources->current = 0;
    return answer;
}

static void sources_close(struct tn_sources *sources, size_t index)
{
    struct tn_source *source = &sources->sources[index];

    sources->closed_bytes += tn_reader_bytes(source->reader);
    tn_reader_close(source->reader);
    source->reader = NULL;
}

/* What the reader answered is no row: keep what is to be said of it. */
static int source_without_row(struct tn_sources *sources, struct tn_source *source, int answer)
{
    if (answer == TN_READER_BAD)
        source->waits_since_ns = 0;
    if (answer != TN_READER_WAITS && answer != TN_READER_END)
        snprintf(sources->reason, sizeof sources->reason, "%s", tn_reader_reason(source->reader));
    return answer;
}

/* Ask a source for its next row. */
TN_ALWAYS_INLINE int source_next(struct tn_sources *sources, size_t index, struct tn_row *row)
{
    struct tn_source *source = &sources->sources[index];
    int answer = tn_reader_next(source->reader, row);

    sources->current = index;
    if (TN_LIKELY(answer == TN_READER_ROW)) {
        source->waits_since_ns = 0;
        sources->nap_ms = SOURCES_NAP_MS_MIN;
        return answer;
    }
    return source_without_row(sources, source, answer);
}

/* ---- in sequence ----------------------------------------------------------------------------- */

static int sources_next_in_sequence(struct tn_sources *sources, struct tn_row *row)
{
    int answer;

    while ((answer = source_next(sources, sources->current, row)) == TN_READER_END) {
        if (sources->current + 1 == sources->command->file_count)
            return answer;
        sources_close(sources, sources->current);
        answer = sources_open(sources, sources->current + 1);
        if (answer != TN_READER_ROW)
            return answer;
    }
    return answer;
}

/* ---- merged ---------------------------------------------------------------------------------- */

/* A source waits: is it idle by now (F3)? */
static bool source_falls_idle(struct tn_sources *sources, size_t index, uint64_t now_ns)
{
    struct tn_source *source = &sources->sources[index];

    if (source->waits_since_ns == 0)
        source->waits_since_ns = now_ns;
    if (sources->command->idle_ms == 0 ||
        (now_ns - source->waits_since_ns) / 1000000 <= (uint64_t)sources->command->idle_ms)
        return false;
    return true;
}

/* Ask those that are idle, one after another, from time to time. WAITS: none has anything. */
static int sources_ask_idle(struct tn_sources *sources, struct tn_row *row, uint64_t now_ns)
{
    struct tn_watermarks *all = &sources->watermarks;
    int answer = TN_READER_WAITS;

    if (sources->asked == SIZE_MAX && now_ns - sources->asked_ns < SOURCES_ASK_NS)
        return answer;
    if (sources->asked == SIZE_MAX) {
        sources->asked = 0;
        sources->asked_ns = now_ns;
    }
    while (answer == TN_READER_WAITS && sources->asked < all->count) {
        size_t index = sources->asked++;

        if (all->sources[index].state == TN_SOURCE_IDLE)
            answer = source_next(sources, index, row);
    }
    if (sources->asked == all->count)
        sources->asked = SIZE_MAX;
    if (answer == TN_READER_ROW || answer == TN_READER_BAD)
        tn_watermarks_set_state(all, sources->current, TN_SOURCE_ACTIVE);
    return answer;
}

static bool sources_have_ended(const struct tn_watermarks *all)
{
    size_t i = 0;

    while (i < all->count && all->sources[i].state == TN_SOURCE_ENDED)
        i++;
    return i == all->count;
}

static int sources_next_merged(struct tn_sources *sources, struct tn_row *row)
{
    struct tn_watermarks *all = &sources->watermarks;
    bool moved;
    int answer;

    if (sources->command->idle_ms != 0) {
        answer = sources_ask_idle(sources, row, tn_now_ns());
        if (answer != TN_READER_WAITS)
            return answer;
    }
    while (all->next != SIZE_MAX) {
        size_t index = all->next;

        answer = source_next(sources, index, row);
        if (TN_LIKELY(answer == TN_READER_ROW))
            return answer;
        if (answer == TN_READER_END) {
            sources_close(sources, index);
            moved = tn_watermarks_set_state(all, index, TN_SOURCE_ENDED);
        } else if (answer == TN_READER_WAITS && source_falls_idle(sources, index, tn_now_ns())) {
            moved = tn_watermarks_set_state(all, index, TN_SOURCE_IDLE);
        } else {
            return answer;
        }
        if (moved)
            return TN_SOURCES_MOVED;
    }
    return sources_have_ended(all) ? TN_READER_END : TN_READER_WAITS;
}

int tn_sources_next(struct tn_sources *sources, struct tn_row *row)
{
    if (sources->command->merge)
        return sources_next_merged(sources, row);
    return sources_next_in_sequence(sources, row);
}

void tn_sources_advance(struct tn_sources *sources, int64_t time_ms)
{
    tn_watermarks_advance(&sources->watermarks, sources->current, time_ms);
}

/* ---- the rest -------------------------------------------------------------------------------- */

void tn_sources_wait(struct tn_sources *sources)
{
    tn_reader_wait(sources->sources[sources->current].reader, sources->nap_ms);
    sources->nap_ms =
        sources->nap_ms < SOURCES_NAP_MS_MAX / 2 ? 2 * sources->nap_ms : SOURCES_NAP_MS_MAX;
}

const char *tn_sources_name(const struct tn_sources *sources)
{
    return sources->sources[sources->current].name;
}

tarn_bytes tn_sources_header(const struct tn_sources *sources)
{
    const struct tn_reader *reader = sources->sources[sources->current].reader;

    return reader != NULL ? tn_reader_header(reader) : (tarn_bytes){ .bytes = 0 };
}

const char *tn_sources_reason(const struct tn_sources *sources)
{
    return sources->reason;
}

uint64_t tn_sources_bytes(const struct tn_sources *sources)
{
    uint64_t bytes = sources->closed_bytes;
    size_t i;

    for (i = 0; i < sources->command->file_count; i++)
        if (sources->sources[i].reader != NULL)
            bytes += tn_reader_bytes(sources->sources[i].reader);
    return bytes;
}

bool tn_sources_progress(const struct tn_sources *sources, uint64_t *read_bytes,
                         uint64_t *file_bytes)
{
    size_t count = sources->command->file_count, i;
    uint64_t read, size;

    *read_bytes = 0;
    *file_bytes = 0;
    for (i = 0; i < count; i++) {
        const struct tn_source *source = &sources->sources[i];
        bool ended = source->reader == NULL && (sources->command->merge || i < sources->current);

        read = ended ? source->file_bytes : 0;
        if (source->reader != NULL)
            tn_reader_progress(source->reader, &read, &size);
        *read_bytes += read;
        *file_bytes += source->file_bytes;
        if (source->file_bytes == 0) /* a pipe; or an empty file, which says as little */
            return false;
    }
    return !sources->command->follow;
}
