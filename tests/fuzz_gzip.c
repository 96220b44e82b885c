/*
 * fuzz_gzip.c - bytes as a packed file, whole or damaged, and packed by us
 */
#include "fuzz_reader.h"

#include "io/input.h"

#define READ_BYTES_MAX ((size_t)1 << 18)

struct got {
    int answer;
    size_t bytes;
    uint8_t data[READ_BYTES_MAX];
};

/* All of the file, but no more than there is room for: a small file can hold much. */
static void file_read(struct got *got, const char *path, size_t block_bytes)
{
    struct tn_memory memory;
    const struct tn_input_options options = { .memory = &memory, .block_bytes = block_bytes };
    struct tn_input *input = NULL;
    struct tn_reason reason;
    size_t bytes = 0;

    tn_memory_init(&memory, NULL, NULL, 0);
    got->bytes = 0;
    got->answer = tn_input_open(&input, path, &options, &reason);
    fuzz_expect((got->answer == TN_READER_ROW) == (input != NULL));
    while (got->answer == TN_READER_ROW && got->bytes < READ_BYTES_MAX) {
        got->answer = tn_input_read(input, got->data + got->bytes,
                                    tn_min(READ_BYTES_MAX - got->bytes, 4096), &bytes);
        fuzz_expect(got->answer != TN_READER_ROW || bytes > 0);
        got->bytes += got->answer == TN_READER_ROW ? bytes : 0;
    }
    if (got->answer == TN_READER_FAILED)
        fuzz_expect(tn_input_reason(input)[0] != '\0');
    tn_input_close(input);
    fuzz_expect(memory.counted_bytes == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    static struct got whole, pieces;
    size_t block_bytes, half, packed_bytes;
    uint8_t *packed;

    if (bytes < 2)
        return 0;
    block_bytes = data[0] != 0 ? data[0] : 256;
    data++;
    bytes--;
    file_read(&whole, fuzz_file(data, bytes), FUZZ_BLOCK_BYTES);
    file_read(&pieces, fuzz_file(data, bytes), block_bytes);
    fuzz_expect(whole.answer == pieces.answer); /* R1, I3 */
    fuzz_expect(whole.bytes == pieces.bytes);
    fuzz_expect(memcmp(whole.data, pieces.data, whole.bytes) == 0);

    half = bytes * data[0] / 256; /* two members, and padding (I2) */
    packed = calloc(1, bytes + 300);
    fuzz_expect(packed != NULL);
    packed_bytes = fuzz_gzip(data, half, packed);
    packed_bytes += fuzz_gzip(data + half, bytes - half, packed + packed_bytes);
    file_read(&pieces, fuzz_file(packed, packed_bytes + data[0] % 20), block_bytes);
    fuzz_expect(pieces.answer == (bytes < READ_BYTES_MAX ? TN_READER_END : TN_READER_ROW));
    fuzz_expect(pieces.bytes == tn_min(bytes, READ_BYTES_MAX));
    fuzz_expect(memcmp(pieces.data, data, pieces.bytes) == 0);
    free(packed);
    return 0;
}
