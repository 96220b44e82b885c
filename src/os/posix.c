/*
 * posix.c - the kernel behind the table of os.h; see posix.h for the parts and the rules
 */
#define _DEFAULT_SOURCE 1

#include "os/posix.h"

#include <errno.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

static int random_from_device(void *out, size_t bytes)
{
    size_t got_bytes = 0;
    int device = tn_descriptor_open(AT_FDCWD, "/dev/urandom", O_RDONLY, 0);
    int result;

    if (device < 0)
        return device;
    result = tn_posix_stream_read(NULL, device, out, bytes, &got_bytes);
    (void)close(device);
    return result == 0 && got_bytes < bytes ? -EIO : result;
}

static int posix_random(void *context, void *out, size_t bytes)
{
    size_t done_bytes = 0;

    (void)context;
    while (done_bytes < bytes) {
        ssize_t got = tn_kernel_random((uint8_t *)out + done_bytes, bytes - done_bytes);

        if (got > 0)
            done_bytes += (size_t)got;
        else if (got < 0 && errno == ENOSYS)
            return random_from_device(out, bytes);
        else if (got == 0 || errno != EINTR)
            return got == 0 ? -EIO : -errno;
    }
    return 0;
}

static uint64_t posix_clock_ns(void *context)
{
    struct timespec now = { 0 };

    (void)context;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

static const struct tn_os_ops posix_ops = {
    .pages_reserve = tn_posix_pages_reserve,
    .pages_commit = tn_posix_pages_commit,
    .pages_decommit = tn_posix_pages_decommit,
    .pages_release = tn_posix_pages_release,
    .fork_mark = tn_posix_fork_mark,
    .fork_mark_release = tn_posix_fork_mark_release,
    .random = posix_random,
    .clock_ns = posix_clock_ns,
    .directory_open = tn_posix_directory_open,
    .directory_lock = tn_posix_directory_lock,
    .directory_list = tn_posix_directory_list,
    .directory_sync = tn_posix_directory_sync,
    .directory_rename = tn_posix_directory_rename,
    .directory_unlink = tn_posix_directory_unlink,
    .directory_close = tn_posix_directory_close,
    .file_open = tn_posix_file_open,
    .file_size = tn_posix_file_size,
    .file_read = tn_posix_file_read,
    .file_write = tn_posix_file_write,
    .file_truncate = tn_posix_file_truncate,
    .file_sync = tn_posix_file_sync,
    .file_map = tn_posix_file_map,
    .file_unmap = tn_posix_file_unmap,
    .file_close = tn_posix_file_close,
    .stream_read = tn_posix_stream_read,
    .stream_write = tn_posix_stream_write,
};

const struct tn_os tn_os_posix = { .ops = &posix_ops, .context = NULL };
