/*
 * section.c - see section.h for the rules
 */
#include "log/section.h"

#include "base/bytes.h"
#include "base/checksum.h"

#include <string.h>

static int damaged(struct tn_log_reading *reading, uint64_t at, const char *what)
{
    return tn_log_say(reading->log, TARN_E_CORRUPT, reading->file->number, reading->offset + at,
                      what, 0);
}

/* ---- opening --------------------------------------------------------------------------------- */

/* Checksums of the blocks, and the zeros behind them. */
static int table_read(struct tn_log_reading *reading)
{
    struct tn_log *log = reading->log;
    const struct tn_log_footer *footer = &reading->footer;
    uint64_t bytes = reading->shape.footer_at - reading->shape.data_bytes;
    uint64_t seed;
    void *table = log->table;
    int result;

    if (!tn_log_grow(log->memory, &table, 0, &log->table_capacity, (size_t)(bytes / 8), 8))
        return tn_log_say(log, TARN_E_MEMORY, reading->file->number, reading->offset,
                          "no memory for the checksums of a section", 0);
    log->table = table;
    result = tn_log_file_read(log, reading->file, table, (size_t)bytes,
                              reading->offset + reading->shape.data_bytes);
    if (result != TARN_OK)
        return result;
    seed = tn_log_seed(log->store_id, footer->incarnation, footer->number, TN_LOG_SEED_TABLE);
    reading->table_holds = tn_checksum(table, (size_t)bytes, seed) == footer->table_checksum;
    return TARN_OK;
}

int tn_log_section_open_damaged(struct tn_log_reading *out, struct tn_log *log,
                                struct tn_log_file *file, uint64_t footer_offset)
{
    uint8_t footer[TN_LOG_FOOTER_BYTES];
    int result;

    *out = (struct tn_log_reading){ .log = log, .file = file, .offset = footer_offset };
    result = tn_log_file_read(log, file, footer, sizeof footer, footer_offset);
    if (result != TARN_OK)
        return result;
    if (!tn_log_footer_decode(&out->footer, footer, log->store_id) ||
        out->footer.section_bytes - TN_LOG_FOOTER_BYTES > footer_offset - TN_LOG_HEADER_BYTES)
        return damaged(out, 0, "the footer of a section is damaged");
    tn_log_shape(&out->shape, &out->footer);
    out->offset = footer_offset - out->shape.footer_at;
    out->narrow = true;
    return table_read(out);
}

int tn_log_section_open(struct tn_log_reading *out, struct tn_log *log, struct tn_log_file *file,
                        uint64_t footer_offset)
{
    int result = tn_log_section_open_damaged(out, log, file, footer_offset);

    out->narrow = false;
    if (result == TARN_OK && !out->table_holds)
        return damaged(out, out->shape.data_bytes, "the checksums of a section are damaged");
    return result;
}

/* ---- blocks ---------------------------------------------------------------------------------- */

/* `bytes` of data from a block on, which end with a block or with the data. */
static int blocks_verify(struct tn_log_reading *reading, uint64_t at, const uint8_t *data,
                         uint64_t bytes)
{
    const struct tn_log_footer *footer = &reading->footer;
    uint64_t done, block, size;

    for (done = 0; done < bytes; done += size) {
        block = (at + done) / TN_LOG_BLOCK_BYTES;
        size = tn_min(TN_LOG_BLOCK_BYTES, bytes - done);
        if (tn_checksum(data + done, (size_t)size,
                        tn_log_seed(reading->log->store_id, footer->incarnation, footer->number,
                                    block)) != tn_load_le64(&reading->log->table[block]))
            return damaged(reading, at + done, "a block does not match its checksum");
    }
    return TARN_OK;
}

static int blocks_read(struct tn_log_reading *reading, uint64_t at, uint8_t *to, uint64_t bytes)
{
    int result =
        tn_log_file_read(reading->log, reading->file, to, (size_t)bytes, reading->offset + at);

    return result == TARN_OK ? blocks_verify(reading, at, to, bytes) : result;
}

static uint64_t block_of(uint64_t at)
{
    return at - at % TN_LOG_BLOCK_BYTES;
}

bool tn_log_section_fits(uint64_t at, uint64_t bytes)
{
    return at - block_of(at) + bytes <= TN_LOG_BUFFER_BYTES;
}

/* How far a window from `at` on goes: R3. */
static uint64_t window_end(const struct tn_log_reading *reading, uint64_t at, uint64_t bytes)
{
    uint64_t end = block_of(at) + TN_LOG_BUFFER_BYTES;

    if (reading->narrow)
        end = tn_align_up(at + bytes, TN_LOG_BLOCK_BYTES);
    return tn_min(end, reading->shape.data_bytes);
}

int tn_log_section_move(struct tn_log_reading *reading, uint64_t at, uint64_t bytes)
{
    uint64_t size = window_end(reading, at, bytes) - block_of(at);
    int result;

    tn_assert(tn_log_section_fits(at, bytes) && at + bytes <= reading->shape.data_bytes);
    reading->window_bytes = 0;
    result = blocks_read(reading, block_of(at), reading->log->buffer, size);
    if (result != TARN_OK)
        return result;
    reading->window_at = block_of(at);
    reading->window_bytes = size;
    return TARN_OK;
}

/* A block of which less than all is wanted goes through the block behind the window. */
static int part_copy(struct tn_log_reading *reading, uint64_t at, uint64_t bytes, uint8_t *to)
{
    uint8_t *block = reading->log->buffer + TN_LOG_BUFFER_BYTES;
    uint64_t size = tn_min(TN_LOG_BLOCK_BYTES, reading->shape.data_bytes - block_of(at));
    int result = blocks_read(reading, block_of(at), block, size);

    if (result == TARN_OK)
        memcpy(to, block + (at - block_of(at)), (size_t)bytes);
    return result;
}

int tn_log_section_copy(struct tn_log_reading *reading, uint64_t at, uint64_t bytes, uint8_t *to)
{
    uint64_t whole, size;
    int result = TARN_OK;

    while (bytes > 0 && result == TARN_OK) {
        whole = block_of(bytes);
        if (at == block_of(at) && whole > 0) {
            size = whole;
            result = blocks_read(reading, at, to, size);
        } else {
            size = tn_min(bytes, block_of(at) + TN_LOG_BLOCK_BYTES - at);
            result = part_copy(reading, at, size, to);
        }
        at += size;
        to += size;
        bytes -= size;
    }
    return result;
}

int tn_log_section_verify_some(struct tn_log_reading *reading, uint64_t at, uint64_t end)
{
    const uint8_t *data;
    uint64_t size;
    int result = TARN_OK;

    for (at = block_of(at); at < end && result == TARN_OK; at += size) {
        size = tn_min(TN_LOG_BUFFER_BYTES, end - at);
        result = tn_log_section_need(reading, at, size, &data);
    }
    return result;
}

int tn_log_section_verify(struct tn_log_reading *reading)
{
    return tn_log_section_verify_some(reading, 0, reading->shape.data_bytes);
}
