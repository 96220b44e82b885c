/*
 * simulated.c - an operating system for tests; see simulated.h for the rules
 */
#define _DEFAULT_SOURCE 1

#include "os/simulated.h"
#include "os/simulated_pages.h"
#include "os/simulated_streams.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define FAULT_COUNT_MAX 16
#define NEVER UINT64_MAX
#define FILE_BYTES_MAX ((uint64_t)1 << 32) /* no holes here: every byte of a file is in memory */

struct simulated_fault {
    enum tn_simulated_call kind;
    uint64_t at; /* of the kind's own count */
    int error;
    bool for_ever;
};

/* A directory or a file that the code under test has open. */
struct simulated_open {
    int id;
    int target; /* the disk's number */
    unsigned flags;
    bool is_file;
    bool is_locked;
};

struct tn_simulated {
    struct tn_simulated_options options;
    struct tn_disk *disk;
    uint64_t random_state;
    uint64_t now_ns;
    uint64_t counts[TN_CALL_KIND_COUNT];
    struct simulated_fault faults[FAULT_COUNT_MAX];
    size_t fault_count;
    uint64_t crash_at;
    bool is_crashed;
    tn_simulated_watch_fn *watch;
    void *watch_argument;
    struct simulated_open *opens;
    size_t open_count, open_capacity;
    int next_id;
    struct tn_streams streams;
    struct tn_pages pages;
    uint32_t **marks;
    size_t mark_count, mark_capacity;
};

static void *list_grow(void *items, size_t count, size_t *capacity, size_t item_bytes)
{
    if (count < *capacity)
        return items;
    *capacity = *capacity != 0 ? 2 * *capacity : 8;
    items = realloc(items, *capacity * item_bytes);
    tn_assert(items != NULL);
    return items;
}

/* ---- counting, faults, crash, trace --------------------------------------------------------- */

static const char *const call_names[TN_CALL_KIND_COUNT] = {
    [TN_CALL_ANY] = "any",
    [TN_CALL_PAGES_RESERVE] = "pages_reserve",
    [TN_CALL_PAGES_COMMIT] = "pages_commit",
    [TN_CALL_PAGES_DECOMMIT] = "pages_decommit",
    [TN_CALL_FORK_MARK] = "fork_mark",
    [TN_CALL_RANDOM] = "random",
    [TN_CALL_DIRECTORY_OPEN] = "directory_open",
    [TN_CALL_DIRECTORY_LOCK] = "directory_lock",
    [TN_CALL_DIRECTORY_LIST] = "directory_list",
    [TN_CALL_DIRECTORY_SYNC] = "directory_sync",
    [TN_CALL_DIRECTORY_RENAME] = "directory_rename",
    [TN_CALL_DIRECTORY_UNLINK] = "directory_unlink",
    [TN_CALL_FILE_OPEN] = "file_open",
    [TN_CALL_FILE_SIZE] = "file_size",
    [TN_CALL_FILE_READ] = "file_read",
    [TN_CALL_FILE_WRITE] = "file_write",
    [TN_CALL_FILE_TRUNCATE] = "file_truncate",
    [TN_CALL_FILE_SYNC] = "file_sync",
    [TN_CALL_FILE_MAP] = "file_map",
    [TN_CALL_STREAM_READ] = "stream_read",
    [TN_CALL_STREAM_WRITE] = "stream_write",
};

static bool fault_hits(const struct simulated_fault *fault, const struct tn_simulated *simulated)
{
    uint64_t count = simulated->counts[fault->kind];

    return count == fault->at || (fault->for_ever && count > fault->at);
}

/* 0 when the call may go on. */
static int call_begin(struct tn_simulated *simulated, enum tn_simulated_call kind)
{
    size_t i;

    if (simulated->watch != NULL && !simulated->is_crashed)
        simulated->watch(simulated->watch_argument, kind);
    simulated->counts[TN_CALL_ANY]++;
    simulated->counts[kind]++;
    if (simulated->counts[TN_CALL_ANY] >= simulated->crash_at)
        simulated->is_crashed = true;
    if (simulated->is_crashed)
        return -EIO; /* S4 */
    for (i = 0; i < simulated->fault_count; i++)
        if ((simulated->faults[i].kind == kind || simulated->faults[i].kind == TN_CALL_ANY) &&
            fault_hits(&simulated->faults[i], simulated))
            return -simulated->faults[i].error;
    return 0;
}

/* number  call  id  bytes  offset  result  name. Answers the result. */
static int call_end(struct tn_simulated *simulated, enum tn_simulated_call kind, int result, int id,
                    uint64_t bytes, uint64_t offset, const char *name)
{
    if (simulated->options.trace != NULL)
        fprintf(simulated->options.trace,
                "%8" PRIu64 "  %-16s %4d %10" PRIu64 " %12" PRIu64 " %5d  %s\n",
                simulated->counts[TN_CALL_ANY], call_names[kind], id, bytes, offset, result,
                name != NULL ? name : "-");
    return result;
}

void tn_simulated_watch(struct tn_simulated *simulated, tn_simulated_watch_fn *watch,
                        void *argument)
{
    simulated->watch = watch;
    simulated->watch_argument = argument;
}

uint64_t tn_simulated_call_count(const struct tn_simulated *simulated, enum tn_simulated_call kind)
{
    return simulated->counts[kind];
}

bool tn_simulated_fail(struct tn_simulated *simulated, enum tn_simulated_call kind, uint64_t number,
                       int error, bool for_ever)
{
    size_t i, kept_count = 0;

    /* Those that are over make room. */
    for (i = 0; i < simulated->fault_count; i++)
        if (simulated->faults[i].for_ever ||
            simulated->faults[i].at > simulated->counts[simulated->faults[i].kind])
            simulated->faults[kept_count++] = simulated->faults[i];
    simulated->fault_count = kept_count;
    if (kept_count == FAULT_COUNT_MAX)
        return false;
    simulated->faults[simulated->fault_count++] = (struct simulated_fault){
        .kind = kind,
        .at = simulated->counts[kind] + number,
        .error = error,
        .for_ever = for_ever,
    };
    return true;
}

void tn_simulated_fail_none(struct tn_simulated *simulated)
{
    simulated->fault_count = 0;
}

/* ---- pages ---------------------------------------------------------------------------------- */

static int simulated_pages_reserve(void *context, size_t bytes, void **out)
{
    struct tn_simulated *simulated = context;
    int result = call_begin(simulated, TN_CALL_PAGES_RESERVE);

    if (result == 0)
        result = tn_pages_reserve(&simulated->pages, bytes, out);
    return call_end(simulated, TN_CALL_PAGES_RESERVE, result, -1, bytes, 0, NULL);
}

static int simulated_pages_commit(void *context, void *at, size_t bytes, unsigned flags)
{
    struct tn_simulated *simulated = context;
    uint64_t offset = tn_pages_offset(&simulated->pages, at, bytes);
    int result = call_begin(simulated, TN_CALL_PAGES_COMMIT);

    if (result == 0)
        result = tn_pages_commit(&simulated->pages, at, bytes, flags);
    return call_end(simulated, TN_CALL_PAGES_COMMIT, result, -1, bytes, offset, NULL);
}

static int simulated_pages_decommit(void *context, void *at, size_t bytes)
{
    struct tn_simulated *simulated = context;
    uint64_t offset = tn_pages_offset(&simulated->pages, at, bytes);
    int result = call_begin(simulated, TN_CALL_PAGES_DECOMMIT);

    if (result == 0)
        result = tn_pages_decommit(&simulated->pages, at, bytes);
    return call_end(simulated, TN_CALL_PAGES_DECOMMIT, result, -1, bytes, offset, NULL);
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
    int result = call_begin(simulated, TN_CALL_FORK_MARK);

    if (result == 0) {
        simulated->marks = list_grow(simulated->marks, simulated->mark_count,
                                     &simulated->mark_capacity, sizeof *simulated->marks);
        *out = malloc(sizeof **out);
        tn_assert(*out != NULL);
        **out = 1;
        simulated->marks[simulated->mark_count++] = *out;
    }
    return call_end(simulated, TN_CALL_FORK_MARK, result, -1, 0, 0, NULL);
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
    int result = call_begin(simulated, TN_CALL_RANDOM);
    uint8_t *at = out;
    size_t i;

    for (i = 0; result == 0 && i < bytes; i++)
        at[i] = (uint8_t)(tn_splitmix(&simulated->random_state) >> 56);
    return call_end(simulated, TN_CALL_RANDOM, result, -1, bytes, 0, NULL);
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

/* ---- what is open --------------------------------------------------------------------------- */

static int open_new(struct tn_simulated *simulated, int target, unsigned flags, bool is_file)
{
    struct simulated_open *open;

    simulated->opens = list_grow(simulated->opens, simulated->open_count, &simulated->open_capacity,
                                 sizeof *simulated->opens);
    open = &simulated->opens[simulated->open_count++];
    *open = (struct simulated_open){ simulated->next_id++, target, flags, is_file, false };
    if (is_file)
        tn_disk_file_hold(simulated->disk, target);
    return open->id;
}

static struct simulated_open *open_find(struct tn_simulated *simulated, int id, bool is_file)
{
    size_t i;

    for (i = 0; i < simulated->open_count; i++)
        if (simulated->opens[i].id == id && simulated->opens[i].is_file == is_file)
            return &simulated->opens[i];
    return NULL;
}

/* The disk's number of what is open, or -EBADF. */
static int open_target(struct tn_simulated *simulated, int id, bool is_file)
{
    const struct simulated_open *open = open_find(simulated, id, is_file);

    return open != NULL ? open->target : -EBADF;
}

/* An id from before a restart is no longer there, and that is fine (S5). */
static void open_end(struct tn_simulated *simulated, int id, bool is_file)
{
    struct simulated_open *open = open_find(simulated, id, is_file);

    if (open == NULL)
        return;
    if (is_file)
        tn_disk_file_drop(simulated->disk, open->target);
    *open = simulated->opens[--simulated->open_count];
}

/* ---- directories ---------------------------------------------------------------------------- */

/* O5, and what a name may be on most systems. */
static int name_check(const char *name)
{
    if (name[0] == '\0' || strchr(name, '/') != NULL || strcmp(name, ".") == 0 ||
        strcmp(name, "..") == 0)
        return -EINVAL;
    return strlen(name) >= TN_DISK_NAME_BYTES ? -ENAMETOOLONG : 0;
}

static int directory_open(struct tn_simulated *simulated, const char *path, unsigned flags)
{
    int target = tn_disk_directory_find(simulated->disk, path);

    if (target >= 0 && (flags & TN_OS_CREATE) != 0 && (flags & TN_OS_EXCLUSIVE) != 0)
        return -EEXIST;
    if (target < 0 && (flags & TN_OS_CREATE) != 0)
        target = tn_disk_directory_make(simulated->disk, path);
    return target < 0 ? target : open_new(simulated, target, flags, false);
}

static int simulated_directory_open(void *context, const char *path, unsigned flags)
{
    int result = call_begin(context, TN_CALL_DIRECTORY_OPEN);

    if (result == 0)
        result = directory_open(context, path, flags);
    return call_end(context, TN_CALL_DIRECTORY_OPEN, result, -1, 0, 0, path);
}

static int directory_lock(struct tn_simulated *simulated, int directory)
{
    struct simulated_open *open = open_find(simulated, directory, false);
    size_t i;

    if (open == NULL)
        return -EBADF;
    for (i = 0; i < simulated->open_count; i++)
        if (&simulated->opens[i] != open && simulated->opens[i].is_locked &&
            simulated->opens[i].target == open->target)
            return -EBUSY;
    open->is_locked = true;
    return 0;
}

static int simulated_directory_lock(void *context, int directory)
{
    int result = call_begin(context, TN_CALL_DIRECTORY_LOCK);

    if (result == 0)
        result = directory_lock(context, directory);
    return call_end(context, TN_CALL_DIRECTORY_LOCK, result, directory, 0, 0, NULL);
}

static int directory_list(struct tn_simulated *simulated, int directory, tn_os_name_fn *each,
                          void *argument)
{
    int target = open_target(simulated, directory, false);
    const char *name;
    size_t i;
    int result = 0;

    if (target < 0)
        return target;
    for (i = 0; result == 0 && (name = tn_disk_name(simulated->disk, target, i)) != NULL; i++)
        result = each(argument, name);
    return result;
}

static int simulated_directory_list(void *context, int directory, tn_os_name_fn *each,
                                    void *argument)
{
    int result = call_begin(context, TN_CALL_DIRECTORY_LIST);

    if (result == 0)
        result = directory_list(context, directory, each, argument);
    return call_end(context, TN_CALL_DIRECTORY_LIST, result, directory, 0, 0, NULL);
}

static int simulated_directory_sync(void *context, int directory)
{
    struct tn_simulated *simulated = context;
    int target = open_target(simulated, directory, false);
    int result = call_begin(simulated, TN_CALL_DIRECTORY_SYNC);

    if (result == 0 && target < 0)
        result = target;
    if (result == 0)
        tn_disk_directory_sync(simulated->disk, target);
    else if (target >= 0 && !simulated->is_crashed)
        tn_disk_directory_sync_failed(simulated->disk, target);
    return call_end(simulated, TN_CALL_DIRECTORY_SYNC, result, directory, 0, 0, NULL);
}

static int directory_rename(struct tn_simulated *simulated, int directory, const char *from,
                            const char *to)
{
    int target = open_target(simulated, directory, false);
    int result = name_check(from);

    if (result == 0)
        result = name_check(to);
    if (result != 0 || target < 0)
        return result != 0 ? result : target;
    return tn_disk_rename(simulated->disk, target, from, to);
}

static int simulated_directory_rename(void *context, int directory, const char *from,
                                      const char *to)
{
    int result = call_begin(context, TN_CALL_DIRECTORY_RENAME);

    if (result == 0)
        result = directory_rename(context, directory, from, to);
    return call_end(context, TN_CALL_DIRECTORY_RENAME, result, directory, 0, 0, to);
}

static int simulated_directory_unlink(void *context, int directory, const char *name)
{
    struct tn_simulated *simulated = context;
    int target = open_target(simulated, directory, false);
    int result = call_begin(simulated, TN_CALL_DIRECTORY_UNLINK);

    if (result == 0)
        result = name_check(name);
    if (result == 0)
        result = target < 0 ? target : tn_disk_unlink(simulated->disk, target, name);
    return call_end(simulated, TN_CALL_DIRECTORY_UNLINK, result, directory, 0, 0, name);
}

static void simulated_directory_close(void *context, int directory)
{
    open_end(context, directory, false);
}

/* ---- files ---------------------------------------------------------------------------------- */

static int file_open(struct tn_simulated *simulated, int directory, const char *name,
                     unsigned flags)
{
    int target = open_target(simulated, directory, false);
    int result = name_check(name);
    int file;

    if (result != 0 || target < 0)
        return result != 0 ? result : target;
    file = tn_disk_file_find(simulated->disk, target, name);
    if (file >= 0 && (flags & TN_OS_CREATE) != 0 && (flags & TN_OS_EXCLUSIVE) != 0)
        return -EEXIST;
    if (file < 0 && (flags & TN_OS_CREATE) != 0)
        file = tn_disk_file_make(simulated->disk, target, name);
    return file < 0 ? file : open_new(simulated, file, flags, true);
}

static int simulated_file_open(void *context, int directory, const char *name, unsigned flags)
{
    int result = call_begin(context, TN_CALL_FILE_OPEN);

    if (result == 0)
        result = file_open(context, directory, name, flags);
    return call_end(context, TN_CALL_FILE_OPEN, result, directory, 0, 0, name);
}

static int simulated_file_size(void *context, int file, uint64_t *out_bytes)
{
    struct tn_simulated *simulated = context;
    int target = open_target(simulated, file, true);
    int result = call_begin(simulated, TN_CALL_FILE_SIZE);

    if (result == 0 && target < 0)
        result = target;
    if (result == 0)
        (void)tn_disk_file_data(simulated->disk, target, out_bytes);
    return call_end(simulated, TN_CALL_FILE_SIZE, result, file, 0, 0, NULL);
}

static int simulated_file_read(void *context, int file, void *to, size_t bytes, uint64_t offset,
                               size_t *out_bytes)
{
    struct tn_simulated *simulated = context;
    int target = open_target(simulated, file, true);
    int result = call_begin(simulated, TN_CALL_FILE_READ);
    const uint8_t *data;
    uint64_t file_bytes;

    *out_bytes = 0;
    if (result == 0 && target < 0)
        result = target;
    if (result == 0) {
        data = tn_disk_file_data(simulated->disk, target, &file_bytes);
        if (offset < file_bytes)
            *out_bytes = tn_min(bytes, file_bytes - offset);
        if (*out_bytes != 0)
            memcpy(to, data + offset, *out_bytes);
    }
    return call_end(simulated, TN_CALL_FILE_READ, result, file, bytes, offset, NULL);
}

/* The disk's number of a file that may be written, and grow to `offset` + `bytes`. */
static int file_writable(struct tn_simulated *simulated, int file, uint64_t offset, uint64_t bytes,
                         int not_writable)
{
    const struct simulated_open *open = open_find(simulated, file, true);

    if (open == NULL)
        return -EBADF;
    if ((open->flags & TN_OS_WRITE) == 0)
        return not_writable;
    if (offset > FILE_BYTES_MAX || bytes > FILE_BYTES_MAX - offset)
        return -EFBIG;
    return open->target;
}

static int simulated_file_write(void *context, int file, const void *from, size_t bytes,
                                uint64_t offset)
{
    struct tn_simulated *simulated = context;
    int target = file_writable(simulated, file, offset, bytes, -EBADF);
    int result = call_begin(simulated, TN_CALL_FILE_WRITE);

    if (result == 0)
        result =
            target < 0 ? target : tn_disk_file_write(simulated->disk, target, from, bytes, offset);
    return call_end(simulated, TN_CALL_FILE_WRITE, result, file, bytes, offset, NULL);
}

static int simulated_file_truncate(void *context, int file, uint64_t bytes)
{
    struct tn_simulated *simulated = context;
    int target = file_writable(simulated, file, 0, bytes, -EINVAL);
    int result = call_begin(simulated, TN_CALL_FILE_TRUNCATE);

    if (result == 0)
        result = target < 0 ? target : tn_disk_file_truncate(simulated->disk, target, bytes);
    return call_end(simulated, TN_CALL_FILE_TRUNCATE, result, file, bytes, 0, NULL);
}

static int simulated_file_sync(void *context, int file)
{
    struct tn_simulated *simulated = context;
    int target = open_target(simulated, file, true);
    int result = call_begin(simulated, TN_CALL_FILE_SYNC);

    if (result == 0 && target < 0)
        result = target;
    if (result == 0)
        tn_disk_file_sync(simulated->disk, target);
    else if (target >= 0 && !simulated->is_crashed)
        tn_disk_file_sync_failed(simulated->disk, target); /* S3 */
    return call_end(simulated, TN_CALL_FILE_SYNC, result, file, 0, 0, NULL);
}

/* A copy: what is mapped is a finished file, which nobody writes any more. */
static int file_map(struct tn_simulated *simulated, int file, size_t bytes, void **out)
{
    int target = open_target(simulated, file, true);
    const uint8_t *data;
    uint64_t file_bytes;
    void *at;

    if (target < 0)
        return target;
    data = tn_disk_file_data(simulated->disk, target, &file_bytes);
    if (bytes == 0 || bytes > file_bytes)
        return -EINVAL;
    at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED)
        return -errno;
    memcpy(at, data, bytes);
    (void)mprotect(at, bytes, PROT_READ);
    *out = at;
    return 0;
}

static int simulated_file_map(void *context, int file, size_t bytes, void **out)
{
    int result = call_begin(context, TN_CALL_FILE_MAP);

    if (result == 0)
        result = file_map(context, file, bytes, out);
    return call_end(context, TN_CALL_FILE_MAP, result, file, bytes, 0, NULL);
}

static void simulated_file_unmap(void *context, void *at, size_t bytes)
{
    (void)context;
    (void)munmap(at, bytes);
}

static void simulated_file_close(void *context, int file)
{
    open_end(context, file, true);
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
    int result = call_begin(simulated, TN_CALL_STREAM_READ);

    if (result == 0 && stream == NULL)
        result = -EBADF;
    *out_bytes = result == 0 ? tn_stream_read(stream, to, bytes) : 0;
    return call_end(simulated, TN_CALL_STREAM_READ, result, id, bytes, 0, NULL);
}

static int simulated_stream_write(void *context, int id, const void *from, size_t bytes)
{
    struct tn_simulated *simulated = context;
    struct tn_stream *stream = tn_streams_find(&simulated->streams, id);
    int result = call_begin(simulated, TN_CALL_STREAM_WRITE);

    if (result == 0 && stream == NULL)
        result = -EBADF;
    if (result == 0)
        result = tn_stream_write(stream, from, bytes, simulated->options.disk_bytes_max);
    return call_end(simulated, TN_CALL_STREAM_WRITE, result, id, bytes, 0, NULL);
}

/* ---- crash and restart ---------------------------------------------------------------------- */

void tn_simulated_crash_at(struct tn_simulated *simulated, uint64_t number)
{
    simulated->crash_at = simulated->counts[TN_CALL_ANY] + number;
    simulated->is_crashed = number == 0;
}

bool tn_simulated_crashed(const struct tn_simulated *simulated)
{
    return simulated->is_crashed;
}

struct tn_disk *tn_simulated_disk(struct tn_simulated *simulated)
{
    return simulated->disk;
}

void tn_simulated_restart_process(struct tn_simulated *simulated)
{
    while (simulated->open_count != 0)
        open_end(simulated, simulated->opens[0].id, simulated->opens[0].is_file);
    tn_streams_free(&simulated->streams);
    simulated->crash_at = NEVER;
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
    .directory_open = simulated_directory_open,
    .directory_lock = simulated_directory_lock,
    .directory_list = simulated_directory_list,
    .directory_sync = simulated_directory_sync,
    .directory_rename = simulated_directory_rename,
    .directory_unlink = simulated_directory_unlink,
    .directory_close = simulated_directory_close,
    .file_open = simulated_file_open,
    .file_size = simulated_file_size,
    .file_read = simulated_file_read,
    .file_write = simulated_file_write,
    .file_truncate = simulated_file_truncate,
    .file_sync = simulated_file_sync,
    .file_map = simulated_file_map,
    .file_unmap = simulated_file_unmap,
    .file_close = simulated_file_close,
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
    simulated->pages.committed_bytes_max = simulated->options.committed_bytes_max;
    simulated->random_state = simulated->options.seed;
    simulated->crash_at = NEVER;
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
