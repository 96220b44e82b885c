/*
 * log_forge.h - files whose checksums are right, whatever else is in them
 *
 *     forge_section(...)   a section around any bytes, with any lengths in its footer
 *     forge_repair(...)    a damaged file, with checksums that match again where structures still stand
 *
 * Checksums tell damage, not forgery: what passes them must still be harmless (F1 of log/format.h).
 */
#ifndef LOG_FORGE_H
#define LOG_FORGE_H

#include "base/bytes.h"
#include "base/checksum.h"
#include "log/format.h"

#include <stdbool.h>
#include <string.h>

/* Table and its checksum for `data_bytes` of data at `section`; writes behind them. */
static inline void forge_table(uint8_t *section, uint64_t data_bytes, uint64_t footer_at,
                               struct tn_log_footer *footer, const uint8_t *store_id)
{
    uint64_t at, block = 0, size;

    for (at = 0; at < data_bytes; at += size, block++) {
        size = tn_min(TN_LOG_BLOCK_BYTES, data_bytes - at);
        tn_store_le64(
            section + data_bytes + 8 * block,
            tn_checksum(section + at, (size_t)size,
                        tn_log_seed(store_id, footer->incarnation, footer->number, block)));
    }
    footer->table_checksum =
        tn_checksum(section + data_bytes, (size_t)(footer_at - data_bytes),
                    tn_log_seed(store_id, footer->incarnation, footer->number, TN_LOG_SEED_TABLE));
}

/* Checksum of a footer's bytes as they stand. */
static inline void forge_footer(uint8_t *at, const uint8_t *store_id)
{
    uint64_t seed =
        tn_log_seed(store_id, tn_load_le64(at + 16), tn_load_le64(at + 24), TN_LOG_SEED_FOOTER);

    tn_store_le64(at + 8, tn_checksum(at + 16, TN_LOG_FOOTER_BYTES - 16, seed));
}

/* A section at `to`, whose data (parts, note, padding) are there already; its bytes. */
static inline uint64_t forge_section(uint8_t *to, struct tn_log_footer *footer,
                                     const uint8_t *store_id)
{
    struct tn_log_shape shape;

    tn_log_shape(&shape, footer);
    memset(to + shape.data_bytes, 0, (size_t)(shape.footer_at - shape.data_bytes));
    forge_table(to, shape.data_bytes, shape.footer_at, footer, store_id);
    footer->section_bytes = shape.footer_at + TN_LOG_FOOTER_BYTES;
    tn_log_footer_encode(to + shape.footer_at, footer, store_id);
    return footer->section_bytes;
}

/* Wherever a magic number stands: the checksums that belong to it. */
static inline void forge_repair(uint8_t *file, uint64_t bytes, const uint8_t *store_id)
{
    uint64_t at, section_bytes, data_bytes, start;
    struct tn_log_footer footer;
    struct tn_log_shape shape;

    if (bytes >= TN_LOG_HEADER_BYTES)
        tn_store_le64(file + 8, tn_checksum(file + 16, TN_LOG_HEADER_BYTES - 16,
                                            UINT64_C(0x726468206E726174)));
    for (at = TN_LOG_HEADER_BYTES; at + TN_LOG_MARK_BYTES <= bytes; at += TN_LOG_STEP_BYTES) {
        if (memcmp(file + at, "tarn end", 8) == 0)
            tn_store_le64(file + at + 8,
                          tn_checksum(file + at + 16, TN_LOG_MARK_BYTES - 16,
                                      tn_log_seed(store_id, tn_load_le64(file + at + 16),
                                                  tn_load_le64(file + at + 24), TN_LOG_SEED_MARK)));
        if (at + TN_LOG_FOOTER_BYTES > bytes || memcmp(file + at, "tarn sec", 8) != 0)
            continue;
        forge_footer(file + at, store_id);
        if (!tn_log_footer_decode(&footer, file + at, store_id))
            continue;
        section_bytes = footer.section_bytes;
        tn_log_shape(&shape, &footer);
        data_bytes = shape.data_bytes;
        if (section_bytes - TN_LOG_FOOTER_BYTES > at - TN_LOG_HEADER_BYTES)
            continue;
        start = at - shape.footer_at;
        forge_table(file + start, data_bytes, shape.footer_at, &footer, store_id);
        tn_store_le64(file + at + 96, footer.table_checksum);
        forge_footer(file + at, store_id);
    }
}

#endif
