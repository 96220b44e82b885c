/*
 * fuzz_reader.h - bytes as a file of rows
 *
 * The first byte is the size of a block (0: one byte more than 255), the second the longest row.
 * What is read must not depend on the block (R1), nor on how the special bytes are found (P2), nor
 * on whether the file is packed.
 */
#ifndef FUZZ_READER_H
#define FUZZ_READER_H

#include "fuzz.h"
#include "rows.h"

#include "io/specials.h"

#include <zlib.h>

#define FUZZ_BLOCK_BYTES ((size_t)8192) /* all of an input */

/* A file with these bytes and without a name; the path is good until the next call. */
static inline const char *fuzz_file(const void *data, size_t bytes)
{
    static char path[32];
    static int file = -1;

    if (file < 0) {
        char name[] = "/tmp/tarn-fuzz-XXXXXX";

        file = mkstemp(name);
        fuzz_expect(file >= 0);
        unlink(name);
        snprintf(path, sizeof path, "/dev/fd/%d", file);
    }
    /* Cut afterwards: some file systems write a file out that is cut to nothing first. */
    fuzz_expect(pwrite(file, data, bytes, 0) == (ssize_t)bytes);
    fuzz_expect(ftruncate(file, (off_t)bytes) == 0);
    return path;
}

/* `to` has room for bytes + 128. Answers the bytes of one gzip member. */
static inline size_t fuzz_gzip(const void *data, size_t bytes, uint8_t *to)
{
    z_stream z = { .next_in = (Bytef *)(uintptr_t)data, .avail_in = (uInt)bytes };
    size_t packed_bytes;

    fuzz_expect(deflateInit2(&z, 1, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    z.next_out = to;
    z.avail_out = (uInt)(bytes + 128);
    fuzz_expect(deflate(&z, Z_FINISH) == Z_STREAM_END);
    packed_bytes = z.total_out;
    deflateEnd(&z);
    return packed_bytes;
}

static inline void fuzz_specials(const uint8_t *data, size_t bytes, const char wanted[3])
{
    static uint32_t first[TN_SPECIALS_COUNT_MAX], other[TN_SPECIALS_COUNT_MAX];
    tn_specials_fn *ways[3];
    const char *names[3];
    size_t way_count = tn_specials_all(ways, names), count, i;
    char *text;

    bytes = tn_min(bytes, TN_STRETCH_BYTES);
    text = calloc(1, bytes + TN_SPECIALS_PADDING_BYTES);
    fuzz_expect(text != NULL);
    memcpy(text, data, bytes);
    count = ways[0](text, bytes, wanted, first);
    for (i = 1; i < way_count; i++) {
        fuzz_expect(ways[i](text, bytes, wanted, other) == count);
        fuzz_expect(memcmp(first, other, count * sizeof first[0]) == 0);
    }
    free(text);
}

static inline void fuzz_reader(enum tn_format format, const uint8_t *data, size_t bytes)
{
    static const char *const fields[] = { "a", "b", "a" };
    struct rows rows = {
        .options = { .format = format,
                     .fields = fields,
                     .field_count = 3,
                     .block_bytes = FUZZ_BLOCK_BYTES },
    };
    uint8_t *packed;
    size_t packed_bytes, all_bytes;
    char *all;

    if (bytes < 2)
        return;
    rows.options.row_bytes_max = data[1];
    packed = malloc(bytes + 128);
    fuzz_expect(packed != NULL);
    (void)rows_of_path(&rows, fuzz_file(data + 2, bytes - 2));
    fuzz_expect(test_failures == 0);
    all = fuzz_text((const uint8_t *)rows.text, rows.bytes);
    all_bytes = rows.bytes;

    rows.options.block_bytes = data[0] != 0 ? data[0] : 256;
    (void)rows_of_path(&rows, fuzz_file(data + 2, bytes - 2));
    fuzz_expect(rows.bytes == all_bytes && memcmp(rows.text, all, all_bytes) == 0);

    /* What is packed already is read unpacked, and once only. */
    if (bytes < 4 || data[2] != 0x1F || data[3] != 0x8B) {
        packed_bytes = fuzz_gzip(data + 2, bytes - 2, packed);
        (void)rows_of_path(&rows, fuzz_file(packed, packed_bytes));
        fuzz_expect(rows.bytes == all_bytes && memcmp(rows.text, all, all_bytes) == 0);
    }
    fuzz_expect(test_failures == 0);
    free(all);
    free(packed);
    free(rows.text);
}

#endif
