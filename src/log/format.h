/*
 * format.h - what stands in a file, byte by byte
 *
 * One structure, one function that encodes it, one that decodes and validates it. docs/FORMAT.md
 * says the same in words; numbers are little-endian.
 *
 *     file     | header 4096 | section | section | (zeros to 4096) | section | ... | mark |
 *     section  | delta | tombstones | sweep | note | 0 to 8 | checksums | 0 to 64 | footer 256 |
 *     entry    | head 16 | key | 0 to 8 | value | 0 to 8 |
 *
 * Rules
 *   F1  What is decoded is bounded by the bytes at hand, whatever they say: a length that does not
 *       fit makes the structure one that does not hold. encode(decode(bytes)) gives the same bytes.
 *   F2  A seed says whose bytes they are: store, incarnation, section and place in it; never the
 *       file or the offset, so that a section may be copied to another file as it is.
 *   F3  A section begins at a multiple of 64 in its file, and its entries at multiples of 8.
 *   F4  What a section is called ('identity') is the checksum of its footer, which covers
 *       everything in it: the footer has the checksum of the table, the table those of the blocks.
 */
#ifndef TN_LOG_FORMAT_H
#define TN_LOG_FORMAT_H

#include "base/bytes.h"
#include "log/log.h"

#define TN_LOG_VERSION 1u
#define TN_LOG_HEADER_BYTES ((uint64_t)4096)
#define TN_LOG_FOOTER_BYTES ((uint64_t)256)
#define TN_LOG_MARK_BYTES ((uint64_t)64)
#define TN_LOG_BLOCK_BYTES ((uint64_t)16384) /* under one checksum */
#define TN_LOG_STEP_BYTES ((uint64_t)64)     /* sections and footers begin at multiples of it */
#define TN_LOG_SYNC_BYTES ((uint64_t)4096)   /* never written again once they hold synced bytes */
#define TN_LOG_ENTRY_HEAD_BYTES ((uint64_t)16)
#define TN_LOG_STORE_ID_BYTES 16u
#define TN_LOG_STORE_ID_AT 24u              /* in a header */
#define TN_LOG_NAME_BYTES 22u               /* 16 hexadecimal digits, ".tarn", a final 0 */
#define TN_LOG_NUMBER_MAX (UINT64_MAX >> 2) /* of commits, files, tables, ticks, revolutions */

struct tn_log_header {
    uint8_t store_id[TN_LOG_STORE_ID_BYTES];
    uint8_t secret[TN_LOG_SECRET_BYTES];
    uint64_t incarnation;
    uint64_t file;
};

struct tn_log_footer {
    uint64_t identity; /* F4 */
    uint64_t incarnation;
    uint64_t number;
    uint64_t section_bytes; /* all of it, footer included */
    uint64_t part_bytes[TN_LOG_PART_COUNT];
    uint64_t part_counts[TN_LOG_PART_COUNT];
    uint32_t note_bytes;
    uint32_t hash_version; /* that the cursors go by */
    uint64_t table_checksum;
    uint64_t previous; /* identity of section number - 1 */
    uint64_t first_needed;
    uint64_t synced_through;
    struct tn_log_cursor before, after;
    uint64_t next_table_id;
    uint64_t tick;
    uint64_t clock;
};

struct tn_log_mark {
    uint64_t incarnation;
    uint64_t number;
    uint64_t identity; /* of that section */
};

/* Where things are in a section, from its start; all of it follows from the footer's lengths. */
struct tn_log_shape {
    uint64_t part_at[TN_LOG_PART_COUNT];
    uint64_t note_at;
    uint64_t data_bytes; /* under the block checksums */
    uint64_t block_count;
    uint64_t footer_at; /* behind the table, which begins at data_bytes */
};

struct tn_log_entry_head {
    uint32_t value_bytes;
    uint32_t key_bytes;
    enum tn_log_kind kind;
    uint64_t table_id;
};

/* F2. What is not a block has an index of its own. */
#define TN_LOG_SEED_TABLE UINT64_MAX
#define TN_LOG_SEED_FOOTER (UINT64_MAX - 1)
#define TN_LOG_SEED_MARK (UINT64_MAX - 2)
uint64_t tn_log_seed(const uint8_t *store_id, uint64_t incarnation, uint64_t number,
                     uint64_t index);

/* "00000000000000ff.tarn" and back; 0: not a name of ours. */
void tn_log_name(char name[TN_LOG_NAME_BYTES], uint64_t file);
uint64_t tn_log_name_number(const char *name);

/* `to` has TN_LOG_HEADER_BYTES; so has `from`. TARN_OK, TARN_E_CORRUPT, TARN_E_VERSION. */
void tn_log_header_encode(uint8_t *to, const struct tn_log_header *header);
int tn_log_header_decode(struct tn_log_header *out, const uint8_t *from);

/* Encoding sets footer->identity. The store's id is in the seeds. False: it does not hold. */
void tn_log_footer_encode(uint8_t *to, struct tn_log_footer *footer, const uint8_t *store_id);
bool tn_log_footer_decode(struct tn_log_footer *out, const uint8_t *from, const uint8_t *store_id);

void tn_log_mark_encode(uint8_t *to, const struct tn_log_mark *mark, const uint8_t *store_id);
bool tn_log_mark_decode(struct tn_log_mark *out, const uint8_t *from, const uint8_t *store_id);

void tn_log_shape(struct tn_log_shape *out, const struct tn_log_footer *footer);

/* `bytes` are left in the entry's part; the head's kind must be `kind`. TARN_OK, TARN_E_CORRUPT,
 * TARN_E_VERSION. */
int tn_log_entry_head_decode(struct tn_log_entry_head *out, const uint8_t *from, uint64_t bytes,
                             enum tn_log_kind kind);

static inline uint64_t tn_log_pad(uint64_t bytes)
{
    return (bytes + 7) & ~(uint64_t)7;
}

static inline void tn_log_entry_head_encode(uint8_t *to, const struct tn_log_entry_head *head)
{
    tn_store_le64(to, head->value_bytes | (uint64_t)head->key_bytes << 32 |
                          (uint64_t)head->kind << 48); /* and no flags */
    tn_store_le64(to + 8, head->table_id);
}

/* Of the whole entry. */
static inline uint64_t tn_log_entry_bytes(uint64_t key_bytes, uint64_t value_bytes)
{
    return TN_LOG_ENTRY_HEAD_BYTES + tn_log_pad(key_bytes) + tn_log_pad(value_bytes);
}

/* As many bytes as the entry of this head has, if it is one. */
static inline uint64_t tn_log_entry_head_says(const uint8_t *head)
{
    uint64_t lengths = tn_load_le64(head);

    return tn_log_entry_bytes(lengths >> 32 & 0xFFFF, lengths & UINT32_MAX);
}

/* < 0, 0, > 0 as a stands before, at, behind b. */
int tn_log_cursor_compare(const struct tn_log_cursor *a, const struct tn_log_cursor *b);

#endif
