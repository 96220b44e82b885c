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
        S_ISREG(status.st_mode)) {
        source->file_bytes = (uint64_t)status.st_size;
        source->place.device = (uint64_t)status.st_dev;
        source->place.inode = (uint64_t)status.st_ino;
    }
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
    size_t each = SOURCES_MERGED_BYTES / tn_max(command->file_count, (size_t)1);

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
        .place = &sources->sources[index].place,
        .checksum = command->state_path != NULL,
    };

    sources->current = index;
    return tn_reader_open(&sources->sources[index].reader, sources->sources[index].path, &options,
                          sources->reason, sizeof sources->reason);
}

static void sources_close(struct tn_sources *sources, size_t index)
{
    struct tn_source *source = &sources->sources[index];

    tn_reader_place(source->reader, &source->place);
    sources->closed_bytes += source->place.bytes;
    tn_reader_close(source->reader);
    source->reader = NULL;
    source->ended = true;
}

/* In sequence: the first that has not ended, or the last. */
static size_t sources_first(const struct tn_sources *sources)
{
    size_t i = 0;

    while (i + 1 < sources->command->file_count && sources->sources[i].ended)
        i++;
    return i;
}

int tn_sources_begin(struct tn_sources *sources)
{
    size_t first = sources->command->merge ? 0 : sources_first(sources);
    size_t last = sources->command->merge ? sources->command->file_count - 1 : first, i;
    int answer = TN_READER_ROW;

    for (i = 0; i <= last && answer == TN_READER_ROW; i++) {
        struct tn_place place = sources->sources[i].place;

        answer = sources_open(sources, i);
        if (answer != TN_READER_ROW || !sources->sources[i].ended)
            continue;
        sources_close(sources, i); /* it holds what it held: F5 */
        sources->sources[i].place = place;
    }
    if (answer == TN_READER_ROW)
        sources->current = first;
    return answer;
}

/* ---- places ---------------------------------------------------------------------------------- */

void tn_sources_place(struct tn_sources *sources, size_t index, struct tn_source_place *out)
{
    struct tn_source *source = &sources->sources[index];

    *out = (struct tn_source_place){ .phase = source->ended            ? TN_SOURCE_READ
                                              : source->reader != NULL ? TN_SOURCE_READING
                                                                       : TN_SOURCE_UNREAD,
                                     .place = source->place };
    if (source->reader != NULL)
        tn_reader_place(source->reader, &out->place);
    if (sources->command->merge)
        out->watermark = sources->watermarks.sources[index];
}

void tn_sources_resume(struct tn_sources *sources, const struct tn_source_place *places,
                       int64_t watermark_ms)
{
    struct tn_watermarks *all = &sources->watermarks;
    size_t i;

    for (i = 0; i < sources->command->file_count; i++) {
        sources->sources[i].ended = places[i].phase == TN_SOURCE_READ;
        sources->sources[i].place = places[i].place;
        if (!sources->command->merge)
            continue;
        all->sources[i].own.time_ms = places[i].watermark.own.time_ms;
        all->sources[i].state = places[i].watermark.state;
    }
    if (sources->command->merge)
        tn_watermarks_resume(all, watermark_ms);
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

    if (TN_UNLIKELY(sources->sources[sources->current].reader == NULL))
        return TN_READER_END; /* the last had been read (F5) */
    while ((answer = source_next(sources, sources->current, row)) == TN_READER_END) {
        sources_close(sources, sources->current);
        if (sources->current + 1 == sources->command->file_count)
            return answer;
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

        read = source->ended ? source->file_bytes : 0;
        if (source->reader != NULL)
            tn_reader_progress(source->reader, &read, &size);
        *read_bytes += read;
        *file_bytes += source->file_bytes;
        if (source->file_bytes == 0) /* a pipe; or an empty file, which says as little */
            return false;
    }
    return !sources->command->follow;
}
