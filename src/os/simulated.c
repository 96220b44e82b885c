/*
 * simulated.c - an operating system for tests: the table; see simulated.h for the rules, and
 * simulated_state.h for the files that it is made of
 */
#include "os/simulated_state.h"
#include "os/simulated_growth.h"

#include <errno.h>
#include <stdlib.h>

/* ---- pages ---------------------------------------------------------------------------------- */

static int simulated_pages_reserve(void *context, size_t bytes, void **out)
{
    struct tn_simulated *simulated = context;
    int result = tn_simulated_call_begin(simulated, TN_CALL_PAGES_RESERVE);

    if (result == 0)
        result = tn_pages_reserve(&simulated->pages, bytes, out);
    return tn_simulated_call_end(simulated, TN_CALL_PAGES_RESERVE, result, -1, bytes, 0, NULL);
}

static int simulated_pages_commit(void *context, void *at, size_t bytes, unsigned flags)
{
    struct tn_simulated *simulated = context;
    uint64_t offset = tn_pages_offset(&simulated->pages, at, bytes);
    int result = tn_simulated_call_begin(simulated, TN_CALL_PAGES_COMMIT);

    if (result == 0)
        result = tn_pages_commit(&simulated->pages, at, bytes, flags);
    return tn_simulated_call_end(simulated, TN_CALL_PAGES_COMMIT, result, -1, bytes, offset, NULL);
}

static int simulated_pages_decommit(void *context, void *at, size_t bytes)
{
    struct tn_simulated *simulated = context;
    uint64_t offset = tn_pages_offset(&simulated->pages, at, bytes);
    int result = tn_simulated_call_begin(simulated, TN_CALL_PAGES_DECOMMIT);

    if (result == 0)
        result = tn_pages_decommit(&simulated->pages, at, bytes);
    return tn_simulated_call_end(simulated, TN_CALL_PAGES_DECOMMIT, result, -1, bytes, offset,
                                 NULL);
}

static void simulated_pages_release(void *context, void *at, size_t bytes)
{
    struct tn_simulated *simulated = context;

    tn_pages_release(&simulated->pages, at, bytes);
}

/* ---- fork, randomness, clock ---------------------------------------------------------------- */

static int simulated_fork_mark(void *context, uint32_t **out)
{
    struct tn_simulated *simulated = context;
    int result = tn_simulated_call_begin(simulated, TN_CALL_FORK_MARK);

    if (result == 0) {
        simulated->marks = tn_array_grow(simulated->marks, simulated->mark_count,
                                         &simulated->mark_capacity, sizeof *simulated->marks);
        *out = malloc(sizeof **out);
        tn_assert(*out != NULL);
        **out = 1;
        simulated->marks[simulated->mark_count++] = *out;
    }
    return tn_simulated_call_end(simulated, TN_CALL_FORK_MARK, result, -1, 0, 0, NULL);
}

static void simulated_fork_mark_release(void *context, uint32_t *mark)
{
    struct tn_simulated *simulated = context;
    size_t i = 0;

    while (i < simulated->mark_count && simulated->marks[i] != mark)
        i++;
    tn_assert(i < simulated->mark_count);
    simulated->marks[i] = simulated->marks[--simulated->mark_count];
    free(mark);
}

uint64_t tn_simulated_committed_bytes(const struct tn_simulated *simulated)
{
    return simulated->pages.committed_bytes + simulated->mark_count * TN_OS_PAGE_BYTES;
}

void tn_simulated_fork(struct tn_simulated *simulated)
{
    size_t i;

    for (i = 0; i < simulated->mark_count; i++)
        *simulated->marks[i] = 0;
}

static int simulated_random(void *context, void *out, size_t bytes)
{
    struct tn_simulated *simulated = context;
    int result = tn_simulated_call_begin(simulated, TN_CALL_RANDOM);
    uint8_t *at = out;
    size_t i;

    for (i = 0; result == 0 && i < bytes; i++)
        at[i] = (uint8_t)(tn_splitmix(&simulated->random_state) >> 56);
    return tn_simulated_call_end(simulated, TN_CALL_RANDOM, result, -1, bytes, 0, NULL);
}

static uint64_t simulated_clock_ns(void *context)
{
    struct tn_simulated *simulated = context;

    return simulated->now_ns += simulated->options.clock_step_ns;
}

void tn_simulated_clock_set(struct tn_simulated *simulated, uint64_t now_ns)
{
    simulated->now_ns = now_ns;
}

/* ---- streams -------------------------------------------------------------------------------- */

int tn_simulated_stream_new(struct tn_simulated *simulated)
{
    tn_streams_add(&simulated->streams, simulated->next_id);
    return simulated->next_id++;
}

const uint8_t *tn_simulated_stream_data(const struct tn_simulated *simulated, int stream,
                                        size_t *out_bytes)
{
    const struct tn_stream *found = tn_streams_find(&simulated->streams, stream);

    tn_assert(found != NULL);
    *out_bytes = found->bytes;
    return found->data;
}

static int simulated_stream_read(void *context, int id, void *to, size_t bytes, size_t *out_bytes)
{
    struct tn_simulated *simulated = context;
    struct tn_stream *stream = tn_streams_find(&simulated->streams, id);
    int result = tn_simulated_call_begin(simulated, TN_CALL_STREAM_READ);

    if (result == 0 && stream == NULL)
        result = -EBADF;
    *out_bytes = result == 0 ? tn_stream_read(stream, to, bytes) : 0;
    return tn_simulated_call_end(simulated, TN_CALL_STREAM_READ, result, id, bytes, 0, NULL);
}

static int simulated_stream_write(void *context, int id, const void *from, size_t bytes)
{
    struct tn_simulated *simulated = context;
    struct tn_stream *stream = tn_streams_find(&simulated->streams, id);
    int result = tn_simulated_call_begin(simulated, TN_CALL_STREAM_WRITE);

    if (result == 0 && stream == NULL)
        result = -EBADF;
    if (result == 0)
        result = tn_stream_write(stream, from, bytes, simulated->options.disk_bytes_max);
    return tn_simulated_call_end(simulated, TN_CALL_STREAM_WRITE, result, id, bytes, 0, NULL);
}

/* ---- restart -------------------------------------------------------------------------------- */

struct tn_disk *tn_simulated_disk(struct tn_simulated *simulated)
{
    return simulated->disk;
}

void tn_simulated_restart_process(struct tn_simulated *simulated)
{
    tn_simulated_files_close(simulated);
    tn_streams_free(&simulated->streams);
    simulated->crash_at = TN_SIMULATED_NEVER;
    simulated->is_crashed = false;
}

void tn_simulated_restart_with(struct tn_simulated *simulated, tn_disk_fate_fn *fate,
                               void *argument)
{
    simulated->open_count = 0; /* an image holds no files */
    tn_simulated_restart_process(simulated);
    tn_disk_image(simulated->disk, simulated->disk, fate, argument);
}

void tn_simulated_restart(struct tn_simulated *simulated, const struct tn_disk *image)
{
    simulated->open_count = 0;
    tn_simulated_restart_process(simulated);
    tn_disk_image(simulated->disk, image, tn_disk_fate_kept, NULL);
}

/* ---- the table ------------------------------------------------------------------------------ */

static const struct tn_os_ops simulated_ops = {
    .pages_reserve = simulated_pages_reserve,
    .pages_commit = simulated_pages_commit,
    .pages_decommit = simulated_pages_decommit,
    .pages_release = simulated_pages_release,
    .fork_mark = simulated_fork_mark,
    .fork_mark_release = simulated_fork_mark_release,
    .random = simulated_random,
    .clock_ns = simulated_clock_ns,
    .directory_open = tn_simulated_directory_open,
    .directory_lock = tn_simulated_directory_lock,
    .directory_list = tn_simulated_directory_list,
    .directory_sync = tn_simulated_directory_sync,
    .directory_rename = tn_simulated_directory_rename,
    .directory_unlink = tn_simulated_directory_unlink,
    .directory_close = tn_simulated_directory_close,
    .file_open = tn_simulated_file_open,
    .file_size = tn_simulated_file_size,
    .file_read = tn_simulated_file_read,
    .file_write = tn_simulated_file_write,
    .file_truncate = tn_simulated_file_truncate,
    .file_sync = tn_simulated_file_sync,
    .file_map = tn_simulated_file_map,
    .file_unmap = tn_simulated_file_unmap,
    .file_close = tn_simulated_file_close,
    .stream_read = simulated_stream_read,
    .stream_write = simulated_stream_write,
};

struct tn_os tn_simulated_os(struct tn_simulated *simulated)
{
    return (struct tn_os){ .ops = &simulated_ops, .context = simulated };
}

struct tn_simulated *tn_simulated_new(const struct tn_simulated_options *options)
{
    struct tn_simulated *simulated = calloc(1, sizeof *simulated);

    tn_assert(simulated != NULL);
    if (options != NULL)
        simulated->options = *options;
    simulated->disk = tn_disk_new(simulated->options.disk_bytes_max);
    simulated->pages.reserved_bytes_max = simulated->options.reserved_bytes_max;
    simulated->pages.keep = simulated->options.keep_pages;
    simulated->pages.committed_bytes_max = simulated->options.committed_bytes_max;
    simulated->random_state = simulated->options.seed;
    simulated->crash_at = TN_SIMULATED_NEVER;
    return simulated;
}

void tn_simulated_free(struct tn_simulated *simulated)
{
    if (simulated == NULL)
        return;
    while (simulated->mark_count != 0)
        simulated_fork_mark_release(simulated, simulated->marks[simulated->mark_count - 1]);
    tn_disk_free(simulated->disk);
    tn_pages_free(&simulated->pages);
    tn_streams_free(&simulated->streams);
    free(simulated->marks);
    free(simulated->opens);
    free(simulated);
}