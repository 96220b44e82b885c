/*
 * posix_streams.c - descriptors that the user opened; see posix.h for the rules
 *
 * A regular file, a pipe, a socket, a terminal: whatever read(2) and write(2) take, in however
 * small parts they take it.
 */
#define _DEFAULT_SOURCE 1
#define _FILE_OFFSET_BITS 64

#include "os/posix.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define TRANSFER_BYTES_MAX TN_GIB /* in one call; some kernels refuse more than INT_MAX */

/* After a call failed: 0 when it is worth trying again, at once or now that the stream is ready. */
static int stream_wait(int stream, short event)
{
    struct pollfd ready = { .fd = stream, .events = event };

    if (errno == EINTR)
        return 0;
    if (errno != EAGAIN && errno != EWOULDBLOCK)
        return -errno;
    return poll(&ready, 1, -1) >= 0 || errno == EINTR ? 0 : -errno;
}

int tn_posix_stream_read(void *context, int stream, void *to, size_t bytes, size_t *out_bytes)
{
    size_t done_bytes = 0;
    int result;

    (void)context;
    *out_bytes = 0;
    while (done_bytes < bytes) {
        ssize_t got = read(stream, (uint8_t *)to + done_bytes,
                           tn_min(bytes - done_bytes, TRANSFER_BYTES_MAX));

        if (got == 0)
            break;
        if (got > 0) {
            done_bytes += (size_t)got;
            continue;
        }
        result = stream_wait(stream, POLLIN);
        if (result != 0)
            return result;
    }
    *out_bytes = done_bytes;
    return 0;
}

/* P4, for a descriptor that stands somewhere in a regular file, or appends to it. */
static bool stream_has_room(int stream, size_t bytes)
{
    struct rlimit limit;
    struct stat status;
    off_t at;

    if (getrlimit(RLIMIT_FSIZE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY ||
        fstat(stream, &status) != 0 || !S_ISREG(status.st_mode))
        return true;
    at = (fcntl(stream, F_GETFL) & O_APPEND) != 0 ? status.st_size : lseek(stream, 0, SEEK_CUR);
    return at < 0 || tn_posix_size_is_allowed((uint64_t)at + bytes);
}

int tn_posix_stream_write(void *context, int stream, const void *from, size_t bytes)
{
    size_t done_bytes = 0;
    int result;

    (void)context;
    if (!stream_has_room(stream, bytes))
        return -EFBIG;
    while (done_bytes < bytes) {
        ssize_t put = write(stream, (const uint8_t *)from + done_bytes,
                            tn_min(bytes - done_bytes, TRANSFER_BYTES_MAX));

        if (put > 0) {
            done_bytes += (size_t)put;
            continue;
        }
        if (put == 0)
            return -EIO; /* no kernel should; not to spin on one that does */
        result = stream_wait(stream, POLLOUT);
        if (result != 0)
            return result;
    }
    return 0;
}
