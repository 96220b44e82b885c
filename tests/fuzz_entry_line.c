/*
 * fuzz_entry_line.c - a line of `tarn load` as an entry, which is written and read again (E1, E2)
 */
#include "fuzz.h"

#include "cli/entry_line.h"

static void line_is_read(const uint8_t *data, size_t bytes, bool hex)
{
    const char *reason = NULL;
    tarn_bytes key, value, key_again, value_again;
    struct tn_output output;
    char *line = malloc(bytes + 1); /* with nothing behind it that a parser could lean on */

    fuzz_expect(line != NULL);
    if (bytes > 0)
        memcpy(line, data, bytes);
    if (!tn_entry_parse(line, bytes, hex, &key, &value, &reason)) {
        fuzz_expect(reason != NULL && reason[0] != '\0');
        free(line);
        return;
    }
    fuzz_expect(key.data != NULL && value.data != NULL && key.bytes + value.bytes < bytes);
    fuzz_expect((const char *)key.data >= line && (const char *)value.data >= line);
    fuzz_expect((const char *)value.data + value.bytes <= line + bytes);
    fuzz_expect(!hex || 2 * (key.bytes + value.bytes) + 1 == bytes); /* E3 */
    tn_output_init(&output);
    fuzz_expect(tn_entry_write(&output, TN_ENTRY_TSV, hex, key, value));
    fuzz_expect(output.used_bytes > 1 && output.bytes[output.used_bytes - 1] == '\n');
    fuzz_expect(memchr(output.bytes, '\n', output.used_bytes - 1) == NULL);
    fuzz_expect(tn_entry_parse(output.bytes, output.used_bytes - 1, hex, &key_again, &value_again,
                               &reason));
    fuzz_expect(key_again.bytes == key.bytes && value_again.bytes == value.bytes);
    fuzz_expect(memcmp(key_again.data, key.data, key.bytes) == 0);
    fuzz_expect(memcmp(value_again.data, value.data, value.bytes) == 0);
    free(output.bytes);
    free(line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    line_is_read(data, bytes, false);
    line_is_read(data, bytes, true);
    return 0;
}
