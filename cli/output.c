/*
 * output.c - lines to a file descriptor; see output.h for the rules
 */
#include "output.h"
#include "command.h"
#include "message.h"
#include "signals.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define OUTPUT_WRITE_BYTES (64 * TN_KIB)

void tn_output_init(struct tn_output *output)
{
    *output = (struct tn_output){ .file = STDOUT_FILENO, .name = "standard output" };
}

bool tn_output_open(struct tn_output *output, const char *path)
{
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0666);

    if (file < 0)
        return false;
    *output = (struct tn_output){ .file = file, .name = path };
    return true;
}

int tn_output_open_refuse(const char *verb, const char *path, const char *advice)
{
    int error = errno;

    if (error == EINTR && *tn_signals_flag() != 0)
        return TN_EXIT_SIGNAL + (int)*tn_signals_flag();
    tn_message(verb, "cannot write %s: %s; %s", path, strerror(error), advice);
    return TN_EXIT_FAILED;
}

bool tn_output_resume(struct tn_output *output, const char *path, uint64_t bytes)
{
    int file = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY), error = 0;
    struct stat status;

    if (file < 0)
        return false;
    if (fstat(file, &status) == 0 && (uint64_t)status.st_size < bytes)
        error = -1;
    else if (fstat(file, &status) != 0 || ftruncate(file, (off_t)bytes) != 0 ||
             lseek(file, (off_t)bytes, SEEK_SET) < 0)
        error = errno;
    if (error == 0) {
        *output = (struct tn_output){ .file = file, .name = path, .name_is_synced = true };
        return true;
    }
    (void)close(file);
    errno = error > 0 ? error : 0;
    return false;
}

int tn_output_refuse(const char *verb, const char *path, uint64_t bytes)
{
    int error = errno;

    if (error == 0 || error == ENOENT) {
        tn_message(verb,
                   "%s is %s than the %" PRIu64 " bytes that were written to it; put it back, or "
                   "begin anew with another --state",
                   path, error == 0 ? "shorter" : "not there, which is less", bytes);
        return TN_EXIT_REFUSED;
    }
    tn_message(verb, "cannot go on with %s: %s", path, strerror(error));
    return TN_EXIT_FAILED;
}

static bool output_reserve(struct tn_output *output, size_t more_bytes)
{
    size_t size = tn_max(output->size_bytes, OUTPUT_WRITE_BYTES * 2);
    char *bytes;

    if (output->size_bytes - output->used_bytes >= more_bytes)
        return true;
    if (output->error != 0)
        return false;
    while (size - output->used_bytes < more_bytes)
        size *= 2;
    bytes = realloc(output->bytes, size);
    if (bytes == NULL) {
        output->error = ENOMEM;
        return false;
    }
    output->bytes = bytes;
    output->size_bytes = size;
    return true;
}

void tn_output_add(struct tn_output *output, const void *bytes, size_t byte_count)
{
    if (byte_count == 0 || !output_reserve(output, byte_count))
        return;
    memcpy(output->bytes + output->used_bytes, bytes, byte_count);
    output->used_bytes += byte_count;
}

void tn_output_byte(struct tn_output *output, char byte)
{
    if (output_reserve(output, 1))
        output->bytes[output->used_bytes++] = byte;
}

void tn_output_format(struct tn_output *output, const char *format, ...)
{
    char text[512];
    va_list arguments;
    int bytes;

    va_start(arguments, format);
    bytes = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (bytes > 0)
        tn_output_add(output, text, tn_min((size_t)bytes, sizeof text - 1));
}

/* A descriptor that somebody else made non-blocking: wait, do not spin. */
static bool output_wait(const struct tn_output *output)
{
    struct pollfd ready = { .fd = output->file, .events = POLLOUT };

    return poll(&ready, 1, -1) >= 0 || errno == EINTR;
}

/*
 * P1: a write that failed half-way has left half a line in the file. Take all of it back, `done`
 * bytes, and go back to where it began, for whoever goes on writing there. Not when somebody else
 * has written behind it; elsewhere than in a file nothing can be taken back.
 */
static void output_take_back(struct tn_output *output, size_t done)
{
    off_t at = done > 0 ? lseek(output->file, 0, SEEK_CUR) : -1;
    off_t start = at - (off_t)done;
    struct stat status;

    if (at >= 0 && start >= 0 && fstat(output->file, &status) == 0 && S_ISREG(status.st_mode) &&
        status.st_size == at && ftruncate(output->file, start) == 0)
        (void)lseek(output->file, start, SEEK_SET);
}

bool tn_output_flush(struct tn_output *output)
{
    size_t done = 0;
    ssize_t bytes;

    while (output->error == 0 && done < output->used_bytes) {
        bytes = write(output->file, output->bytes + done, output->used_bytes - done);
        if (bytes >= 0)
            done += (size_t)bytes;
        else if (errno == EAGAIN ? !output_wait(output) : errno != EINTR)
            output->error = errno;
    }
    if (output->error != 0)
        output_take_back(output, done);
    output->used_bytes = 0;
    return output->error == 0;
}

/* The directory that a file was made in knows its name. */
static int output_sync_name(const char *path)
{
    const char *end = strrchr(path, '/');
    char *parent =
        end == NULL ? strdup(".") : strndup(path, end == path ? 1 : (size_t)(end - path));
    int directory, error = 0;

    if (parent == NULL)
        return ENOMEM;
    directory = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0 || fsync(directory) != 0)
        error = errno;
    if (directory >= 0)
        (void)close(directory);
    free(parent);
    return error;
}

bool tn_output_sync(struct tn_output *output, uint64_t *bytes)
{
    off_t at;

    if (!tn_output_flush(output))
        return false;
    at = lseek(output->file, 0, SEEK_CUR);
    if (at < 0 || fsync(output->file) != 0)
        output->error = errno;
    else if (!output->name_is_synced)
        output->error = output_sync_name(output->name);
    output->name_is_synced = output->error == 0;
    *bytes = (uint64_t)at;
    return output->error == 0;
}

bool tn_output_end_line(struct tn_output *output)
{
    if (output->used_bytes >= OUTPUT_WRITE_BYTES)
        return tn_output_flush(output);
    return output->error == 0;
}

int tn_output_close(struct tn_output *output, const char *verb)
{
    tn_output_flush(output);
    if (close(output->file) != 0 && output->error == 0 && errno != EINTR)
        output->error = errno;
    free(output->bytes);
    output->bytes = NULL;
    output->size_bytes = 0;
    if (output->error == 0)
        return TN_EXIT_DONE;
    if (output->error == EPIPE)
        return TN_EXIT_PIPE;
    tn_message(verb, "cannot write %s: %s; the output is incomplete", output->name,
               strerror(output->error));
    return TN_EXIT_FAILED;
}
