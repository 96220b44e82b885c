/*
 * output.c - lines to a file descriptor; see output.h for the rules
 */
#include "output.h"
#include "command.h"
#include "message.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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
    output->used_bytes = 0;
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
