/*
 * blocks.c - exports as a run of checked blocks, written and read; see blocks.h
 */
#include "store/blocks.h"

#include "base/checksum.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const uint8_t tn_export_magic[8] = { 0x89, 't', 'a', 'r', 'n', 'x', '\r', '\n' };

#define REASON_BYTES 256

/* ---- what the system said -------------------------------------------------------------------- */

static const struct {
    int error;
    int result;
    const char *text;
} errors[] = {
    { ENOSPC, TARN_E_FULL, "there is no space left; make room, then do it again" },
    { EFBIG, TARN_E_FULL, "the file would be larger than it may be; raise the limit" },
#if defined(EDQUOT)
    { EDQUOT, TARN_E_FULL, "the quota is used up; make room, then do it again" },
#endif
    { ENOMEM, TARN_E_MEMORY, "the system has no memory" },
    { EPIPE, TARN_E_IO, "nobody reads the other end any more" },
    { EIO, TARN_E_IO, "the device failed" },
    { EBADF, TARN_E_IO, "the descriptor is not open for that" },
    { EISDIR, TARN_E_IO, "it is a directory" },
};

/* `error` is an errno that a reader or writer answered. */
static int fail_by_error(tarn_store *store, const char *call, const char *what, uint64_t offset,
                         int error)
{
    size_t i = 0;

    while (i < TN_ARRAY_COUNT(errors) && errors[i].error != error)
        i++;
    if (i == TN_ARRAY_COUNT(errors))
        return tn_store_fail(store, TARN_E_IO, "%s: %s at byte %llu failed with errno %d", call,
                             what, (unsigned long long)offset, error);
    return tn_store_fail(store, errors[i].result, "%s: %s at byte %llu failed with errno %d: %s",
                         call, what, (unsigned long long)offset, error, errors[i].text);
}

/* The one buffer of either side. NULL: refused. */
static uint8_t *buffer_new(tarn_store *store)
{
    uint8_t *buffer = tn_memory_new(&store->memory, TN_BLOCK_BYTES, false);

    if (buffer == NULL && tn_store_reclaim_all(store))
        buffer = tn_memory_new(&store->memory, TN_BLOCK_BYTES, false);
    return buffer;
}

/* ---- writing --------------------------------------------------------------------------------- */

static int blocks_write(struct tn_block_writer *writer, const void *bytes, size_t count)
{
    int error = writer->write(writer->context, bytes, count);

    if (error != 0)
        return fail_by_error(writer->store, writer->call, "a write", writer->offset, error);
    writer->offset += count;
    return TARN_OK;
}

int tn_blocks_begin(struct tn_block_writer *writer)
{
    uint8_t head[TN_EXPORT_HEAD_BYTES] = { 0 };

    writer->buffer = buffer_new(writer->store);
    if (writer->buffer == NULL)
        return tn_store_refused(writer->store, writer->call);
    memcpy(head, tn_export_magic, sizeof tn_export_magic);
    tn_store_le32(head + 8, TN_EXPORT_VERSION);
    writer->checksum = tn_checksum(head, 16, 0);
    tn_store_le64(head + 16, writer->checksum);
    writer->payload_bytes = 0;
    writer->offset = 0;
    return blocks_write(writer, head, sizeof head);
}

static int block_write(struct tn_block_writer *writer, bool is_last)
{
    size_t bytes = TN_BLOCK_HEAD_BYTES + writer->payload_bytes;

    tn_store_le32(writer->buffer + 8, (uint32_t)writer->payload_bytes);
    tn_store_le32(writer->buffer + 12, is_last);
    writer->checksum = tn_checksum(writer->buffer + 8, bytes - 8, writer->checksum); /* K1 */
    tn_store_le64(writer->buffer, writer->checksum);
    writer->payload_bytes = 0;
    return blocks_write(writer, writer->buffer, bytes);
}

int tn_blocks_put(struct tn_block_writer *writer, const void *bytes, size_t count)
{
    const uint8_t *from = bytes;
    size_t part;
    int result;

    while (count > 0) {
        part = tn_min(count, TN_BLOCK_PAYLOAD_BYTES - writer->payload_bytes);
        memcpy(writer->buffer + TN_BLOCK_HEAD_BYTES + writer->payload_bytes, from, part);
        writer->payload_bytes += part;
        from += part;
        count -= part;
        if (count == 0)
            break; /* a full block is written once there is more: the last one is marked (K4) */
        result = block_write(writer, false);
        if (result < 0)
            return result;
    }
    return TARN_OK;
}

int tn_blocks_finish(struct tn_block_writer *writer)
{
    return block_write(writer, true);
}

void tn_block_writer_free(struct tn_block_writer *writer)
{
    tn_memory_free(&writer->store->memory, writer->buffer, TN_BLOCK_BYTES);
}

/* ---- reading --------------------------------------------------------------------------------- */

static int fail_at(const struct tn_block_reader *reader, int result, uint64_t offset,
                   const char *reason)
{
    return tn_store_fail(reader->store, result, "%s: byte %llu: %s; nothing was imported",
                         reader->call, (unsigned long long)offset, reason);
}

int tn_blocks_fail(struct tn_block_reader *reader, int result, const char *format, ...)
{
    char reason[REASON_BYTES];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(reason, sizeof reason, format, arguments);
    va_end(arguments);
    return fail_at(reader, result, reader->offset - (uint64_t)(reader->end - reader->next), reason);
}

/* Up to `count` bytes, fewer only at the end of the input. A result. */
static int blocks_read(struct tn_block_reader *reader, uint8_t *to, size_t count, size_t *out_count)
{
    size_t done = 0, got;
    int error;

    for (; done < count; done += got) {
        got = 0;
        error = reader->read(reader->context, to + done, count - done, &got);
        if (error != 0)
            return fail_by_error(reader->store, reader->call, "a read", reader->offset + done,
                                 error);
        if (got > count - done)
            return tn_store_fail(reader->store, TARN_E_MISUSE,
                                 "%s: byte %llu: the reader says that it read %zu bytes where it "
                                 "was given room for %zu",
                                 reader->call, (unsigned long long)(reader->offset + done), got,
                                 count - done);
        if (got == 0)
            break;
    }
    reader->offset += done;
    *out_count = done;
    return TARN_OK;
}

/* Exactly that many. */
static int blocks_read_all(struct tn_block_reader *reader, uint8_t *to, size_t count)
{
    size_t got;
    int result = blocks_read(reader, to, count, &got);

    if (result < 0 || got == count)
        return result;
    return fail_at(reader, TARN_E_CORRUPT, reader->offset,
                   "the input ends here, before the export does; get all of it");
}

int tn_blocks_open(struct tn_block_reader *reader)
{
    uint8_t head[TN_EXPORT_HEAD_BYTES] = { 0 };
    char reason[REASON_BYTES];
    uint32_t version;
    size_t got;
    int result;

    reader->buffer = buffer_new(reader->store);
    if (reader->buffer == NULL)
        return tn_store_refused(reader->store, reader->call);
    reader->next = reader->end = reader->buffer;
    result = blocks_read(reader, head, sizeof head, &got);
    if (result < 0)
        return result;
    if (memcmp(head, tn_export_magic, sizeof tn_export_magic) != 0)
        return fail_at(reader, TARN_E_CORRUPT, 0, "this is not an export of a snapshot");
    reader->checksum = tn_checksum(head, 16, 0);
    if (got < sizeof head || tn_load_le64(head + 16) != reader->checksum)
        return fail_at(reader, TARN_E_CORRUPT, 0, "the head is damaged; get the export anew");
    version = tn_load_le32(head + 8);
    if (version != TN_EXPORT_VERSION) { /* K2 */
        snprintf(reason, sizeof reason,
                 "the export has version %u of the format and this library knows %u; use one that "
                 "knows it",
                 version, TN_EXPORT_VERSION);
        return fail_at(reader, TARN_E_VERSION, 8, reason);
    }
    if (tn_load_le32(head + 12) != 0)
        return fail_at(reader, TARN_E_CORRUPT, 12, "the head has more than this version knows of");
    return TARN_OK;
}

static int block_read(struct tn_block_reader *reader)
{
    uint64_t begin = reader->offset;
    uint32_t bytes, last;
    uint64_t checksum;
    int result;

    reader->next = reader->end = reader->buffer;
    result = blocks_read_all(reader, reader->buffer, TN_BLOCK_HEAD_BYTES);
    if (result < 0)
        return result;
    bytes = tn_load_le32(reader->buffer + 8);
    last = tn_load_le32(reader->buffer + 12);
    if (bytes > TN_BLOCK_PAYLOAD_BYTES || last > 1 || (bytes == 0 && last == 0)) /* K3 */
        return fail_at(reader, TARN_E_CORRUPT, begin, "the block is damaged; get the export anew");
    result = blocks_read_all(reader, reader->buffer + TN_BLOCK_HEAD_BYTES, bytes);
    if (result < 0)
        return result;
    checksum = tn_checksum(reader->buffer + 8, TN_BLOCK_HEAD_BYTES - 8 + bytes, reader->checksum);
    if (tn_load_le64(reader->buffer) != checksum)
        return fail_at(reader, TARN_E_CORRUPT, begin,
                       "the block fails its checksum: it is damaged, or others before it are "
                       "missing; get the export anew");
    reader->checksum = checksum;
    reader->is_last = last != 0;
    reader->next = reader->buffer + TN_BLOCK_HEAD_BYTES;
    reader->end = reader->next + bytes;
    return TARN_OK;
}

int tn_blocks_more(struct tn_block_reader *reader)
{
    int result;

    while (reader->next == reader->end) {
        if (reader->is_last)
            return TARN_END;
        result = block_read(reader);
        if (result < 0)
            return result;
    }
    return TARN_OK;
}

int tn_blocks_take(struct tn_block_reader *reader, void *to, size_t count)
{
    uint8_t *at = to;
    size_t part;
    int result;

    while (count > 0) {
        result = tn_blocks_more(reader);
        if (result == TARN_END)
            return tn_blocks_fail(reader, TARN_E_CORRUPT,
                                  "the last block ends within a table: this export was not made "
                                  "by tarn");
        if (result < 0)
            return result;
        part = tn_min(count, (size_t)(reader->end - reader->next));
        memcpy(at, reader->next, part);
        reader->next += part;
        at += part;
        count -= part;
    }
    return TARN_OK;
}

int tn_blocks_close(struct tn_block_reader *reader)
{
    uint8_t byte;
    size_t got;
    int result = blocks_read(reader, &byte, 1, &got);

    if (result < 0 || got == 0)
        return result;
    return fail_at(reader, TARN_E_CORRUPT, reader->offset - 1,
                   "there is more behind the end of the export; cut it off");
}

void tn_block_reader_free(struct tn_block_reader *reader)
{
    tn_memory_free(&reader->store->memory, reader->buffer, TN_BLOCK_BYTES);
}

/* ---- descriptors ----------------------------------------------------------------------------- */

int tn_descriptor_write(void *context, const void *bytes, size_t count)
{
    const struct tn_descriptor *descriptor = context;
    const struct tn_os *os = descriptor->os;

    return -os->ops->stream_write(os->context, descriptor->id, bytes, count);
}

int tn_descriptor_read(void *context, void *to, size_t room, size_t *count)
{
    const struct tn_descriptor *descriptor = context;
    const struct tn_os *os = descriptor->os;

    return -os->ops->stream_read(os->context, descriptor->id, to, room, count);
}
