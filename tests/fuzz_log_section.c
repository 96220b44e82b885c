/*
 * fuzz_log_section.c - bytes as the entries of a section whose checksums are right
 *
 *     | delta bytes, u16 | tombstone bytes, u16 | sweep bytes, u16 | counts, 3 u8 | note, u8 | entries ...
 *
 * A replay ends, hands out only what lies within the section, and answers with one of its codes.
 */
#include "fuzz.h"
#include "log_fixture.h"
#include "log_forge.h"

#include "base/checksum.h"

#define HEAD_BYTES 10u
#define FILE_BYTES_MAX ((size_t)(128 * TN_KIB))

static const uint8_t store_id[TN_LOG_STORE_ID_BYTES] = { 9, 8, 7 };

struct reader {
    uint64_t count;
    uint64_t bytes;
    uint8_t touched; /* every byte of every key is read */
};

static int reader_one(void *argument, const struct tn_log_entry *entry)
{
    static uint8_t value[FILE_BYTES_MAX];
    struct reader *reader = argument;
    size_t i;

    fuzz_expect(entry->kind == TN_LOG_ENTRY || entry->value_bytes == 0);
    fuzz_expect(entry->value_bytes <= FILE_BYTES_MAX);
    reader->touched ^= (uint8_t)tn_checksum(entry->key.data, entry->key.bytes, 0);
    fuzz_expect(tn_log_entry_value(entry, value) == TARN_OK);
    for (i = 0; i < entry->value_bytes && entry->value != NULL; i++)
        fuzz_expect(value[i] == entry->value[i]);
    fuzz_expect(entry->value_offset % 8 == 0);
    reader->count++;
    reader->bytes += 16 + entry->key.bytes + entry->value_bytes;
    return TARN_OK;
}

static int reader_each(void *argument, const struct tn_log_entry *entries, size_t count)
{
    int result = TARN_OK;
    size_t i;

    for (i = 0; i < count && result == TARN_OK; i++)
        result = reader_one(argument, &entries[i]);
    return result;
}

/* Cut to what there is, in steps of 8. */
static uint64_t length_of(const uint8_t *data, unsigned at, uint64_t *left)
{
    uint64_t bytes = tn_min((uint64_t)data[at] | (uint64_t)data[at + 1] << 8, *left) & ~(uint64_t)7;

    *left -= bytes;
    return bytes;
}

static uint64_t file_forge(uint8_t *file, const uint8_t *data, size_t bytes)
{
    struct tn_log_header header = { .incarnation = UINT64_C(1) << 32, .file = 1 };
    struct tn_log_footer footer = { .incarnation = header.incarnation, .number = 1 };
    uint64_t left = bytes - HEAD_BYTES;
    unsigned part;

    memcpy(header.store_id, store_id, sizeof store_id);
    tn_log_header_encode(file, &header);
    memcpy(file + TN_LOG_HEADER_BYTES, data + HEAD_BYTES, left);
    for (part = 0; part < TN_LOG_PART_COUNT; part++) {
        footer.part_bytes[part] = length_of(data, 2 * part, &left);
        footer.part_counts[part] =
            tn_min(data[6 + part], footer.part_bytes[part] / TN_LOG_ENTRY_HEAD_BYTES);
    }
    footer.note_bytes = (uint32_t)tn_min(data[9], left);
    footer.first_needed = 1;
    return TN_LOG_HEADER_BYTES + forge_section(file + TN_LOG_HEADER_BYTES, &footer, store_id);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    static uint8_t file[FILE_BYTES_MAX];
    struct reader reader = { 0 }, catalog = { 0 };
    uint64_t file_bytes;
    struct tn_disk *disk;
    int directory, result;
    struct rig r;

    if (bytes < HEAD_BYTES || bytes > 65536)
        return 0;
    file_bytes = file_forge(file, data, bytes);
    rig_init(&r, NULL);
    tn_memory_init(&r.memory, NULL, NULL, 0);
    disk = tn_simulated_disk(r.simulated);
    directory = tn_disk_directory_make(disk, RIG_PATH);
    fuzz_expect(tn_disk_file_write(disk,
                                   tn_disk_file_make(disk, directory, "0000000000000001.tarn"),
                                   file, file_bytes, 0) == 0);
    r.options.read_only = true;
    fuzz_expect(tn_log_open(&r.log, &r.os, &r.memory, r.path, &r.options, r.secret, &r.report) ==
                TARN_OK); /* its checksums are right */
    fuzz_expect(tn_log_last(r.log)->number == 1);
    result = tn_log_replay(r.log, false, reader_each, &reader, NULL, NULL, &r.report);
    fuzz_expect(result == TARN_OK || result == TARN_E_CORRUPT || result == TARN_E_VERSION);
    fuzz_expect(reader.bytes <= file_bytes);
    fuzz_expect(result == TARN_OK || strstr(r.report.text, "offset") != NULL);
    if (result == TARN_OK) {
        result = tn_log_replay(r.log, true, reader_each, &catalog, NULL, NULL, &r.report);
        fuzz_expect(result == TARN_OK && catalog.count <= reader.count);
    }
    rig_end(&r);
    return 0;
}
