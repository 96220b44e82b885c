/*
 * simulated_streams.h - the streams of simulated.h: queues of bytes that forget nothing
 *
 *     write --> | read already | not yet |  --> read
 */
#ifndef TN_SIMULATED_STREAMS_H
#define TN_SIMULATED_STREAMS_H

#include "base/base.h"

struct tn_stream {
    int id;
    uint8_t *data;
    size_t bytes, capacity;
    size_t read_bytes; /* of `bytes`, read already */
};

struct tn_streams {
    struct tn_stream *streams;
    size_t count;
};

void tn_streams_add(struct tn_streams *streams, int id);

/* NULL: there is none of that id. */
struct tn_stream *tn_streams_find(const struct tn_streams *streams, int id);

/* What is there of `bytes`. */
size_t tn_stream_read(struct tn_stream *stream, void *to, size_t bytes);

/* 0, or -ENOSPC beyond bytes_max (0: none), and then nothing was written. */
int tn_stream_write(struct tn_stream *stream, const void *from, size_t bytes, uint64_t bytes_max);

/* End all of them. */
void tn_streams_free(struct tn_streams *streams);

#endif
