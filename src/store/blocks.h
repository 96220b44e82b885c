/*
 * blocks.h - an export as a run of bytes: blocks, each checked before anything in it is used
 *
 *     | head | block | block | ... | last block |        nothing behind it
 *
 *     head    0  magic        8 bytes: 89 't' 'a' 'r' 'n' 'x' 0D 0A
 *             8  version      4
 *            12  0            4
 *            16  checksum     8, of the 16 bytes before it, seed 0
 *
 *     block   0  checksum     8, of all behind it, seed: the checksum of the head or block before
 *             8  bytes        4, of payload: 1 to 65,536; in the last block 0 to 65,536
 *            12  last         4: 1 in the last block, else 0
 *            16  payload
 *
 * The payloads, one behind the other, are the tables and entries of export.h; where one block ends
 * means nothing to them. docs/FORMAT.md, part 2, says the same to the outside.
 *
 * Rules
 *   K1  Each checksum is the seed of the next, so a block stands for all that lies before it: one
 *       that is damaged, missing, moved, doubled or from another export is found.
 *   K2  The head's layout is that of all versions, so an unknown version is told from damage.
 *   K3  Nothing of a payload is handed out before its block was checked, and nothing is allocated
 *       by what a block says: either side has one buffer of fixed size.
 *   K4  The writer fills each block but the last, so the same content gives the same bytes.
 */
#ifndef TN_BLOCKS_H
#define TN_BLOCKS_H

#include "store/store.h"

#define TN_EXPORT_VERSION 1u
#define TN_EXPORT_HEAD_BYTES 24u
#define TN_BLOCK_HEAD_BYTES 16u
#define TN_BLOCK_PAYLOAD_BYTES ((size_t)65536)
#define TN_BLOCK_BYTES (TN_BLOCK_HEAD_BYTES + TN_BLOCK_PAYLOAD_BYTES)

extern const uint8_t tn_export_magic[8];

/* ---- writing --------------------------------------------------------------------------------- */

struct tn_block_writer {
    tarn_store *store;
    const char *call; /* for messages */
    tarn_write_fn *write;
    void *context;
    uint8_t *buffer; /* TN_BLOCK_BYTES: the block in the making */
    size_t payload_bytes;
    uint64_t checksum; /* K1: of what was written last */
    uint64_t offset;   /* bytes written */
};

/* `writer` has store, call, write and context. The head; then a result, with its text. */
int tn_blocks_begin(struct tn_block_writer *writer);

/* More payload, of any size. A result. */
int tn_blocks_put(struct tn_block_writer *writer, const void *bytes, size_t count);

/* The last block. A result. */
int tn_blocks_finish(struct tn_block_writer *writer);

/* Give the buffer back, after any failure, too. */
void tn_block_writer_free(struct tn_block_writer *writer);

/* Room for `count` bytes of payload in the block in the making, taken; NULL: not in this one. */
static inline uint8_t *tn_blocks_room(struct tn_block_writer *writer, size_t count)
{
    uint8_t *at = writer->buffer + TN_BLOCK_HEAD_BYTES + writer->payload_bytes;

    if (TN_UNLIKELY(count > TN_BLOCK_PAYLOAD_BYTES - writer->payload_bytes))
        return NULL;
    writer->payload_bytes += count;
    return at;
}

/* ---- reading --------------------------------------------------------------------------------- */

struct tn_block_reader {
    tarn_store *store;
    const char *call;
    tarn_read_fn *read;
    void *context;
    uint8_t *buffer;     /* TN_BLOCK_BYTES: the block at hand */
    const uint8_t *next; /* of its payload, not yet taken */
    const uint8_t *end;  /* of its payload */
    uint64_t checksum;   /* K1 */
    uint64_t offset;     /* bytes read */
    bool is_last;
};

/* `reader` has store, call, read and context. Reads and checks the head. A result. */
int tn_blocks_open(struct tn_block_reader *reader);

/* TARN_OK: there is payload to take. TARN_END: there is none, it was the last block. Else a result. */
int tn_blocks_more(struct tn_block_reader *reader);

/* Exactly `count` bytes of payload. A result; too few are TARN_E_CORRUPT. */
int tn_blocks_take(struct tn_block_reader *reader, void *to, size_t count);

/* All payload was taken: is that the end? A result. */
int tn_blocks_close(struct tn_block_reader *reader);

void tn_block_reader_free(struct tn_block_reader *reader);

/* `count` bytes of payload where they lie, taken; NULL: they are not all in the block at hand. */
static inline const uint8_t *tn_blocks_lend(struct tn_block_reader *reader, size_t count)
{
    const uint8_t *at = reader->next;

    if (TN_UNLIKELY(count > (size_t)(reader->end - at)))
        return NULL;
    reader->next = at + count;
    return at;
}

/* ---- descriptors, as writers and readers ----------------------------------------------------- */

struct tn_descriptor {
    const struct tn_os *os;
    int id;
};

/* A tarn_write_fn and a tarn_read_fn; the context is a struct tn_descriptor. */
int tn_descriptor_write(void *context, const void *bytes, size_t count);
int tn_descriptor_read(void *context, void *to, size_t room, size_t *count);

/* ---- failures -------------------------------------------------------------------------------- */

/* What is wrong at the next byte of payload: answers the result, its text has the byte's offset. */
int tn_blocks_fail(struct tn_block_reader *reader, int result, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
