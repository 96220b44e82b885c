/*
 * simulated_streams.c - queues of bytes; see simulated_streams.h
 */
#include "os/simulated_streams.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void tn_streams_add(struct tn_streams *streams, int id)
{
    streams->streams = realloc(streams->streams, (streams->count + 1) * sizeof *streams->streams);
    tn_assert(streams->streams != NULL);
    streams->streams[streams->count++] = (struct tn_stream){ .id = id };
}

struct tn_stream *tn_streams_find(const struct tn_streams *streams, int id)
{
    size_t i;

    for (i = 0; i < streams->count; i++)
        if (streams->streams[i].id == id)
            return &streams->streams[i];
    return NULL;
}

size_t tn_stream_read(struct tn_stream *stream, void *to, size_t bytes)
{
    size_t there = tn_min(bytes, stream->bytes - stream->read_bytes);

    if (there != 0)
        memcpy(to, stream->data + stream->read_bytes, there);
    stream->read_bytes += there;
    return there;
}

int tn_stream_write(struct tn_stream *stream, const void *from, size_t bytes, uint64_t bytes_max)
{
    if (bytes_max != 0 && bytes > bytes_max - stream->bytes)
        return -ENOSPC;
    if (bytes > stream->capacity - stream->bytes) {
        stream->capacity = tn_max(2 * stream->capacity, stream->bytes + bytes);
        stream->data = realloc(stream->data, stream->capacity);
        tn_assert(stream->data != NULL);
    }
    if (bytes != 0)
        memcpy(stream->data + stream->bytes, from, bytes);
    stream->bytes += bytes;
    return 0;
}

void tn_streams_free(struct tn_streams *streams)
{
    while (streams->count != 0)
        free(streams->streams[--streams->count].data);
    free(streams->streams);
    streams->streams = NULL;
}
