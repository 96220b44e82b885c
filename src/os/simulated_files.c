/*
 * simulated_files.c - directories and files, as the code under test opens them
 *
 *     id --> what is open: the disk's number, flags, lock --> simulated_disk.h
 *
 * Rules: S3 to S5 of simulated.h, D1 to D5 of simulated_disk.h, and
 *   F1  An id that is not open, or of the other kind, is -EBADF.
 *   F2  A name is one component (O5): not empty, not '.' or '..', without '/', at most 255 bytes.
 *   F3  A lock is refused while any other opening of the directory has it, and ends with its own.
 *   F4  A file ends at 4 GiB (-EFBIG): there are no holes, every byte of it is in memory.
 *   F5  A map is a copy: what is mapped is a finished file, which nobody writes any more.
 */
#define _DEFAULT_SOURCE 1

#include "os/simulated_state.h"
#include "os/simulated_growth.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#define FILE_BYTES_MAX ((uint64_t)1 << 32) /* F4 */

/* ---- what is open --------------------------------------------------------------------------- */

static int open_new(struct tn_simulated *simulated, int target, unsigned flags, bool is_file)
{
    struct tn_simulated_open *open;

    simulated->opens = tn_array_grow(simulated->opens, simulated->open_count,
                                     &simulated->open_capacity, sizeof *simulated->opens);
    open = &simulated->opens[simulated->open_count++];
    *open = (struct tn_simulated_open){ simulated->next_id++, target, flags, is_file, false };
    if (is_file)
        tn_disk_file_hold(simulated->disk, target);
    return open->id;
}

static struct tn_simulated_open *open_find(struct tn_simulated *simulated, int id, bool is_file)
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
    const struct tn_simulated_open *open = open_find(simulated, id, is_file);

    return open != NULL ? open->target : -EBADF;
}

/* An id from before a restart is no longer there, and that is fine (S5). */
static void open_end(struct tn_simulated *simulated, int id, bool is_file)
{
    struct tn_simulated_open *open = open_find(simulated, id, is_file);

    if (open == NULL)
        return;
    if (is_file)
        tn_disk_file_drop(simulated->disk, open->target);
    *open = simulated->opens[--simulated->open_count];
}

void tn_simulated_files_close(struct tn_simulated *simulated)
{
    while (simulated->open_count != 0)
        open_end(simulated, simulated->opens[0].id, simulated->opens[0].is_file);
}

/* ---- directories ---------------------------------------------------------------------------- */

/* F2 */
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

int tn_simulated_directory_open(void *context, const char *path, unsigned flags)
{
    int result = tn_simulated_call_begin(context, TN_CALL_DIRECTORY_OPEN);

    if (result == 0)
        result = directory_open(context, path, flags);
    return tn_simulated_call_end(context, TN_CALL_DIRECTORY_OPEN, result, -1, 0, 0, path);
}

static int directory_lock(struct tn_simulated *simulated, int directory)
{
    struct tn_simulated_open *open = open_find(simulated, directory, false);
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

int tn_simulated_directory_lock(void *context, int directory)
{
    int result = tn_simulated_call_begin(context, TN_CALL_DIRECTORY_LOCK);

    if (result == 0)
        result = directory_lock(context, directory);
    return tn_simulated_call_end(context, TN_CALL_DIRECTORY_LOCK, result, directory, 0, 0, NULL);
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

int tn_simulated_directory_list(void *context, int directory, tn_os_name_fn *each, void *argument)
{
    int result = tn_simulated_call_begin(context, TN_CALL_DIRECTORY_LIST);

    if (result == 0)
        result = directory_list(context, directory, each, argument);
    return tn_simulated_call_end(context, TN_CALL_DIRECTORY_LIST, result, directory, 0, 0, NULL);
}

int tn_simulated_directory_sync(void *context, int directory)
{
    struct tn_simulated *simulated = context;
    int target = open_target(simulated, directory, false);
    int result = tn_simulated_call_begin(simulated, TN_CALL_DIRECTORY_SYNC);

    if (result == 0 && target < 0)
        result = target;
    if (result == 0)
        tn_disk_directory_sync(simulated->disk, target);
    else if (target >= 0 && !simulated->is_crashed)
        tn_disk_directory_sync_failed(simulated->disk, target);
    return tn_simulated_call_end(simulated, TN_CALL_DIRECTORY_SYNC, result, directory, 0, 0, NULL);
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

int tn_simulated_directory_rename(void *context, int directory, const char *from, const char *to)
{
    int result = tn_simulated_call_begin(context, TN_CALL_DIRECTORY_RENAME);

    if (result == 0)
        result = directory_rename(context, directory, from, to);
    return tn_simulated_call_end(context, TN_CALL_DIRECTORY_RENAME, result, directory, 0, 0, to);
}

int tn_simulated_directory_unlink(void *context, int directory, const char *name)
{
    struct tn_simulated *simulated = context;
    int target = open_target(simulated, directory, false);
    int result = tn_simulated_call_begin(simulated, TN_CALL_DIRECTORY_UNLINK);

    if (result == 0)
        result = name_check(name);
    if (result == 0)
        result = target < 0 ? target : tn_disk_unlink(simulated->disk, target, name);
    return tn_simulated_call_end(simulated, TN_CALL_DIRECTORY_UNLINK, result, directory, 0, 0,
                                 name);
}

void tn_simulated_directory_close(void *context, int directory)
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

int tn_simulated_file_open(void *context, int directory, const char *name, unsigned flags)
{
    int result = tn_simulated_call_begin(context, TN_CALL_FILE_OPEN);

    if (result == 0)
        result = file_open(context, directory, name, flags);
    return tn_simulated_call_end(context, TN_CALL_FILE_OPEN, result, directory, 0, 0, name);
}

int tn_simulated_file_size(void *context, int file, uint64_t *out_bytes)
{
    struct tn_simulated *simulated = context;
    int target = open_target(simulated, file, true);
    int result = tn_simulated_call_begin(simulated, TN_CALL_FILE_SIZE);

    if (result == 0 && target < 0)
        result = target;
    if (result == 0)
        (void)tn_disk_file_data(simulated->disk, target, out_bytes);
    return tn_simulated_call_end(simulated, TN_CALL_FILE_SIZE, result, file, 0, 0, NULL);
}

int tn_simulated_file_read(void *context, int file, void *to, size_t bytes, uint64_t offset,
                           size_t *out_bytes)
{
    struct tn_simulated *simulated = context;
    int target = open_target(simulated, file, true);
    int result = tn_simulated_call_begin(simulated, TN_CALL_FILE_READ);
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
    return tn_simulated_call_end(simulated, TN_CALL_FILE_READ, result, file, bytes, offset, NULL);
}

/* The disk's number of a file that may be written, and grow to `offset` + `bytes`. */
static int file_writable(struct tn_simulated *simulated, int file, uint64_t offset, uint64_t bytes,
                         int not_writable)
{
    const struct tn_simulated_open *open = open_find(simulated, file, true);

    if (open == NULL)
        return -EBADF;
    if ((open->flags & TN_OS_WRITE) == 0)
        return not_writable;
    if (offset > FILE_BYTES_MAX || bytes > FILE_BYTES_MAX - offset)
        return -EFBIG;
    return open->target;
}

int tn_simulated_file_write(void *context, int file, const void *from, size_t bytes,
                            uint64_t offset)
{
    struct tn_simulated *simulated = context;
    int target = file_writable(simulated, file, offset, bytes, -EBADF);
    int result = tn_simulated_call_begin(simulated, TN_CALL_FILE_WRITE);

    if (result == 0)
        result =
            target < 0 ? target : tn_disk_file_write(simulated->disk, target, from, bytes, offset);
    else if (target >= 0 && !simulated->is_crashed) /* S3 */
        (void)tn_disk_file_write(simulated->disk, target, from,
                                 bytes * simulated->failed_quarters / 4, offset);
    return tn_simulated_call_end(simulated, TN_CALL_FILE_WRITE, result, file, bytes, offset, NULL);
}

int tn_simulated_file_truncate(void *context, int file, uint64_t bytes)
{
    struct tn_simulated *simulated = context;
    int target = file_writable(simulated, file, 0, bytes, -EINVAL);
    int result = tn_simulated_call_begin(simulated, TN_CALL_FILE_TRUNCATE);

    if (result == 0)
        result = target < 0 ? target : tn_disk_file_truncate(simulated->disk, target, bytes);
    return tn_simulated_call_end(simulated, TN_CALL_FILE_TRUNCATE, result, file, bytes, 0, NULL);
}

int tn_simulated_file_sync(void *context, int file)
{
    struct tn_simulated *simulated = context;
    int target = open_target(simulated, file, true);
    int result = tn_simulated_call_begin(simulated, TN_CALL_FILE_SYNC);

    if (result == 0 && target < 0)
        result = target;
    if (result == 0)
        tn_disk_file_sync(simulated->disk, target);
    else if (target >= 0 && !simulated->is_crashed)
        tn_disk_file_sync_failed(simulated->disk, target); /* S3 */
    return tn_simulated_call_end(simulated, TN_CALL_FILE_SYNC, result, file, 0, 0, NULL);
}

/* F5 */
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

int tn_simulated_file_map(void *context, int file, size_t bytes, void **out)
{
    int result = tn_simulated_call_begin(context, TN_CALL_FILE_MAP);

    if (result == 0)
        result = file_map(context, file, bytes, out);
    return tn_simulated_call_end(context, TN_CALL_FILE_MAP, result, file, bytes, 0, NULL);
}

void tn_simulated_file_unmap(void *context, void *at, size_t bytes)
{
    (void)context;
    (void)munmap(at, bytes);
}

void tn_simulated_file_close(void *context, int file)
{
    open_end(context, file, true);
}
