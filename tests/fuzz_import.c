/*
 * fuzz_import.c - any bytes as an export, as they are and with their blocks and checksums put right
 *
 *     input ----------------------------------------> import: damage is found, and leaves nothing
 *     input --lengths and checksums put right-------> import: what gets past them is harmless, too
 *                                                        `-- done? export, import again, compare
 */
#include "fuzz.h"

#include "export_fixture.h"

#define MEMORY_BYTES_MAX (16 * TN_MIB)

static tarn_store *store_new(void)
{
    const tarn_options options = { .memory_bytes_max = MEMORY_BYTES_MAX,
                                   .address_bytes = 64 * TN_MIB };
    tarn_store *store = NULL;

    fuzz_expect(tarn_open(&store, NULL, &options) == TARN_OK);
    return store;
}

/* Blocks up to the end, as many as the lengths in the input make; the rest belongs to the last one. */
static void repair(struct bytes *b)
{
    size_t at = TN_EXPORT_HEAD_BYTES, left, count;
    uint64_t checksum;
    bool last = false;

    while (b->count < TN_EXPORT_HEAD_BYTES + TN_BLOCK_HEAD_BYTES)
        bytes_put(b, "", 1);
    memcpy(b->data, tn_export_magic, sizeof tn_export_magic);
    tn_store_le64(b->data + 8, TN_EXPORT_VERSION);
    checksum = tn_checksum(b->data, 16, 0);
    tn_store_le64(b->data + 16, checksum);
    for (; !last; at += TN_BLOCK_HEAD_BYTES + count) {
        left = b->count - at - TN_BLOCK_HEAD_BYTES;
        count = tn_load_le32(b->data + at + 8);
        last = count == 0 || left < TN_BLOCK_HEAD_BYTES || count > left - TN_BLOCK_HEAD_BYTES ||
               count > TN_BLOCK_PAYLOAD_BYTES;
        if (last)
            count = tn_min(left, TN_BLOCK_PAYLOAD_BYTES);
        tn_store_le32(b->data + at + 8, (uint32_t)count);
        tn_store_le32(b->data + at + 12, last);
        checksum = tn_checksum(b->data + at + 8, TN_BLOCK_HEAD_BYTES - 8 + count, checksum);
        tn_store_le64(b->data + at, checksum);
    }
    b->count = at;
}

/* What was imported is as good as what users made. */
static void check_imported(tarn_store *store)
{
    tarn_store *other = store_new();
    struct bytes b = export_store(store);

    fuzz_expect(import_bytes(other, &b) == TARN_OK);
    fuzz_expect(stores_are_same(store, other) && stores_are_same(other, store));
    fuzz_expect(tn_snapshots_check(store));
    bytes_free(&b);
    fuzz_expect(tarn_close(other) == TARN_OK);
}

static void import_any(struct bytes *b)
{
    tarn_store *store = store_new();
    uint64_t memory_bytes = memory_at_rest(store);
    int result = import_bytes(store, b);

    fuzz_expect(store->memory.counted_bytes_max <= MEMORY_BYTES_MAX);
    if (result == TARN_OK) {
        check_imported(store);
    } else {
        fuzz_expect(result == TARN_E_CORRUPT || result == TARN_E_VERSION || result == TARN_E_TYPE ||
                    result == TARN_E_FULL);
        fuzz_expect(strncmp(tarn_error_text(store), "tarn_import: ", 13) == 0);
        check_nothing(store, 0, memory_bytes);
    }
    fuzz_expect(test_failures == 0);
    fuzz_expect(tarn_close(store) == TARN_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct bytes b = { 0 };

    bytes_put(&b, data, bytes);
    import_any(&b);
    repair(&b);
    import_any(&b);
    bytes_free(&b);
    return 0;
}
