/*
 * posix_files.c - directories and files; see posix.h for the rules
 */
#define _DEFAULT_SOURCE 1
#define _FILE_OFFSET_BITS 64

#include "os/posix.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h> /* renameat */
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define TRANSFER_BYTES_MAX TN_GIB /* in one call; some kernels refuse more than INT_MAX */

/* ---- descriptors ---------------------------------------------------------------------------- */

/* P2. Takes the descriptor over; -errno goes through. */
static int descriptor_above_standard(int descriptor)
{
    int moved;

    if (descriptor < 0)
        return -errno;
    if (descriptor > 2)
        return descriptor;
    moved = fcntl(descriptor, F_DUPFD_CLOEXEC, 3);
    if (moved < 0)
        moved = -errno;
    (void)close(descriptor);
    return moved;
}

int tn_descriptor_open(int directory, const char *path, int flags, mode_t mode)
{
    int descriptor;

    do
        descriptor = openat(directory, path, flags | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY, mode);
    while (descriptor < 0 && errno == EINTR);
    return descriptor_above_standard(descriptor);
}

/* ---- directories ---------------------------------------------------------------------------- */

/* O5 */
static bool name_is_component(const char *name)
{
    return name[0] != '\0' && strchr(name, '/') == NULL && strcmp(name, ".") != 0 &&
           strcmp(name, "..") != 0;
}

/* Makes the name of a directory durable; `path` is changed: its last component goes. */
static int path_sync_parent(char *path)
{
    char *slash = strrchr(path, '/');
    int parent, result;

    if (slash != NULL)
        slash[slash == path] = '\0';
    parent = open(slash != NULL ? path : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (parent < 0)
        return -errno;
    result = fsync(parent) == 0 ? 0 : -errno;
    (void)close(parent);
    return result;
}

/*
 * With CREATE the directory's own name is durable when this returns: nobody else could see to it.
 * The parent of one that was there already is synced too, in case its maker died before he did,
 * but need not allow it.
 */
int tn_posix_directory_open(void *context, const char *path, unsigned flags)
{
    char plain[PATH_MAX];
    size_t bytes = strlen(path);
    int directory, result;
    bool made = false;

    (void)context;
    while (bytes > 1 && path[bytes - 1] == '/') /* "link/" would follow the link */
        bytes--;
    if (bytes == 0)
        return -ENOENT;
    if (bytes >= sizeof plain)
        return -ENAMETOOLONG;
    memcpy(plain, path, bytes);
    plain[bytes] = '\0';

    if ((flags & TN_OS_CREATE) != 0) {
        made = mkdir(plain, 0700) == 0;
        if (!made && (errno != EEXIST || (flags & TN_OS_EXCLUSIVE) != 0))
            return -errno;
    }
    directory = tn_descriptor_open(AT_FDCWD, plain, O_RDONLY | O_DIRECTORY, 0);
    if (directory < 0 || (flags & TN_OS_CREATE) == 0)
        return directory;
    result = path_sync_parent(plain);
    if (result != 0 && made) {
        (void)close(directory);
        return result;
    }
    return directory;
}

int tn_posix_directory_lock(void *context, int directory)
{
    int result;

    (void)context;
    do
        result = flock(directory, LOCK_EX | LOCK_NB); /* P3 */
    while (result != 0 && errno == EINTR);
    if (result == 0)
        return 0;
    return errno == EWOULDBLOCK ? -EBUSY : -errno;
}

/* The C library allocates its buffer here, and frees it before the call returns. */
int tn_posix_directory_list(void *context, int directory, tn_os_name_fn *each, void *argument)
{
    /* Through '.', so that the position in the listing is ours alone. */
    int descriptor = tn_descriptor_open(directory, ".", O_RDONLY | O_DIRECTORY, 0);
    struct dirent *entry;
    DIR *listing;
    int result = 0;

    (void)context;
    if (descriptor < 0)
        return descriptor;
    listing = fdopendir(descriptor);
    if (listing == NULL) {
        result = -errno;
        (void)close(descriptor);
        return result;
    }
    while (result == 0) {
        errno = 0;
        entry = readdir(listing);
        if (entry == NULL) {
            result = -errno;
            break;
        }
        if (name_is_component(entry->d_name))
            result = each(argument, entry->d_name);
    }
    (void)closedir(listing);
    return result;
}

int tn_posix_directory_sync(void *context, int directory)
{
    (void)context;
    return fsync(directory) == 0 ? 0 : -errno; /* P5 */
}

int tn_posix_directory_rename(void *context, int directory, const char *from, const char *to)
{
    int result;

    (void)context;
    if (!name_is_component(from) || !name_is_component(to))
        return -EINVAL;
    do
        result = renameat(directory, from, directory, to);
    while (result != 0 && errno == EINTR);
    return result == 0 ? 0 : -errno;
}

int tn_posix_directory_unlink(void *context, int directory, const char *name)
{
    int result;

    (void)context;
    if (!name_is_component(name))
        return -EINVAL;
    do
        result = unlinkat(directory, name, 0);
    while (result != 0 && errno == EINTR);
    return result == 0 ? 0 : -errno;
}

/* Unlocked by name: a child that was forked meanwhile shares the lock, and lives on. */
void tn_posix_directory_close(void *context, int directory)
{
    (void)context;
    (void)flock(directory, LOCK_UN);
    (void)close(directory);
}

/* ---- files ---------------------------------------------------------------------------------- */

int tn_posix_file_open(void *context, int directory, const char *name, unsigned flags)
{
    /* Not to wait for the other end of a pipe that someone put in a file's place. */
    int mode = ((flags & TN_OS_WRITE) != 0 ? O_RDWR : O_RDONLY) | O_NONBLOCK;
    struct stat status;
    int file, result = 0;

    (void)context;
    if (!name_is_component(name))
        return -EINVAL;
    if ((flags & TN_OS_CREATE) != 0)
        mode |= O_CREAT | ((flags & TN_OS_EXCLUSIVE) != 0 ? O_EXCL : 0);
    file = tn_descriptor_open(directory, name, mode, 0600);
    if (file < 0)
        return file;
    if (fstat(file, &status) != 0)
        result = -errno;
    else if (!S_ISREG(status.st_mode))
        result = S_ISDIR(status.st_mode) ? -EISDIR : -EINVAL;
    if (result == 0)
        return file;
    (void)close(file);
    return result;
}

int tn_posix_file_size(void *context, int file, uint64_t *out_bytes)
{
    struct stat status;

    (void)context;
    if (fstat(file, &status) != 0)
        return -errno;
    *out_bytes = (uint64_t)status.st_size;
    return 0;
}

int tn_posix_file_read(void *context, int file, void *to, size_t bytes, uint64_t offset,
                       size_t *out_bytes)
{
    size_t done_bytes = 0;

    (void)context;
    *out_bytes = 0;
    if (offset >= INT64_MAX)
        return 0; /* no file reaches that far */
    bytes = (size_t)tn_min(bytes, INT64_MAX - offset);
    while (done_bytes < bytes) {
        ssize_t got =
            pread(file, (uint8_t *)to + done_bytes, tn_min(bytes - done_bytes, TRANSFER_BYTES_MAX),
                  (off_t)(offset + done_bytes));

        if (got == 0)
            break;
        if (got > 0)
            done_bytes += (size_t)got;
        else if (errno != EINTR)
            return -errno;
    }
    *out_bytes = done_bytes;
    return 0;
}

bool tn_posix_size_is_allowed(uint64_t bytes)
{
    struct rlimit limit;

    return bytes <= INT64_MAX && (getrlimit(RLIMIT_FSIZE, &limit) != 0 ||
                                  limit.rlim_cur == RLIM_INFINITY || bytes <= limit.rlim_cur);
}

int tn_posix_file_write(void *context, int file, const void *from, size_t bytes, uint64_t offset)
{
    size_t done_bytes = 0;

    (void)context;
    if (offset > INT64_MAX || bytes > INT64_MAX - offset ||
        !tn_posix_size_is_allowed(offset + bytes))
        return -EFBIG;
    while (done_bytes < bytes) {
        ssize_t put =
            pwrite(file, (const uint8_t *)from + done_bytes,
                   tn_min(bytes - done_bytes, TRANSFER_BYTES_MAX), (off_t)(offset + done_bytes));

        if (put > 0)
            done_bytes += (size_t)put;
        else if (put == 0)
            return -EIO; /* no kernel should; not to spin on one that does */
        else if (errno != EINTR)
            return -errno;
    }
    return 0;
}

int tn_posix_file_truncate(void *context, int file, uint64_t bytes)
{
    uint64_t old_bytes = 0;
    int result;

    result = tn_posix_file_size(context, file, &old_bytes);
    if (result != 0)
        return result;
    if (bytes > old_bytes && !tn_posix_size_is_allowed(bytes))
        return -EFBIG;
    do
        result = ftruncate(file, (off_t)bytes);
    while (result != 0 && errno == EINTR);
    return result == 0 ? 0 : -errno;
}

int tn_posix_file_sync(void *context, int file)
{
    (void)context;
    return tn_kernel_sync_data(file) == 0 ? 0 : -errno; /* P5 */
}

/* Beyond the end of a file a map is not zeros but SIGBUS: a file too short for it is refused. */
int tn_posix_file_map(void *context, int file, size_t bytes, void **out)
{
    uint64_t file_bytes = 0;
    void *at;
    int result = tn_posix_file_size(context, file, &file_bytes);

    if (result != 0)
        return result;
    if (bytes == 0 || bytes > file_bytes)
        return -EINVAL;
    at = mmap(NULL, bytes, PROT_READ, MAP_PRIVATE, file, 0);
    if (at == MAP_FAILED)
        return -errno;
    *out = at;
    return 0;
}

void tn_posix_file_unmap(void *context, void *at, size_t bytes)
{
    (void)context;
    (void)munmap(at, bytes);
}

void tn_posix_file_close(void *context, int file)
{
    (void)context;
    (void)close(file); /* never retried: the descriptor is gone after EINTR too */
}
