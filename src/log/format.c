/*
 * format.c - see format.h for the rules
 */
#include "log/format.h"

#include "base/bytes.h"
#include "base/checksum.h"

/* Where the fields are. Magic and checksum come first in each structure, the rest is checked. */
enum {
    MAGIC_AT = 0,
    CHECKSUM_AT = 8,
    CHECKED_AT = 16,

    HEADER_VERSION_AT = 16,
    HEADER_STORE_ID_AT = TN_LOG_STORE_ID_AT,
    HEADER_INCARNATION_AT = 40,
    HEADER_FILE_AT = 48,
    HEADER_SECRET_AT = 56,
    HEADER_END_AT = 104,

    FOOTER_INCARNATION_AT = 16,
    FOOTER_NUMBER_AT = 24,
    FOOTER_SECTION_BYTES_AT = 32,
    FOOTER_PARTS_AT = 40, /* bytes and count of each */
    FOOTER_NOTE_BYTES_AT = 88,
    FOOTER_HASH_VERSION_AT = 92,
    FOOTER_TABLE_CHECKSUM_AT = 96,
    FOOTER_PREVIOUS_AT = 104,
    FOOTER_FIRST_NEEDED_AT = 112,
    FOOTER_SYNCED_AT = 120,
    FOOTER_BEFORE_AT = 128,
    FOOTER_AFTER_AT = 152,
    FOOTER_NEXT_TABLE_AT = 176,
    FOOTER_TICK_AT = 184,
    FOOTER_CLOCK_AT = 192,
    FOOTER_END_AT = 200,

    MARK_INCARNATION_AT = 16,
    MARK_NUMBER_AT = 24,
    MARK_IDENTITY_AT = 32,
    MARK_END_AT = 40,
};

/* As text: "tarn hdr", "tarn sec", "tarn end". */
#define HEADER_MAGIC UINT64_C(0x726468206E726174)
#define FOOTER_MAGIC UINT64_C(0x636573206E726174)
#define MARK_MAGIC UINT64_C(0x646E65206E726174)

/* Each byte is like the one before it, and the first is 0. */
static bool bytes_are_zero(const uint8_t *at, size_t bytes)
{
    return at[0] == 0 && memcmp(at, at + 1, bytes - 1) == 0;
}

uint64_t tn_log_seed(const uint8_t *store_id, uint64_t incarnation, uint64_t number, uint64_t index)
{
    uint8_t whose[TN_LOG_STORE_ID_BYTES + 24];

    memcpy(whose, store_id, TN_LOG_STORE_ID_BYTES);
    tn_store_le64(whose + 16, incarnation);
    tn_store_le64(whose + 24, number);
    tn_store_le64(whose + 32, index);
    return tn_checksum(whose, sizeof whose, 0);
}

/* ---- names ----------------------------------------------------------------------------------- */

void tn_log_name(char name[TN_LOG_NAME_BYTES], uint64_t file)
{
    unsigned i;

    for (i = 0; i < 16; i++)
        name[i] = "0123456789abcdef"[file >> (60 - 4 * i) & 15];
    memcpy(name + 16, ".tarn", 6);
}

uint64_t tn_log_name_number(const char *name)
{
    char again[TN_LOG_NAME_BYTES];
    uint64_t number = 0;
    unsigned i;

    if (strlen(name) != TN_LOG_NAME_BYTES - 1)
        return 0;
    for (i = 0; i < 16; i++)
        number = number << 4 | (uint64_t)(name[i] <= '9' ? name[i] - '0' : name[i] - 'a' + 10) % 16;
    tn_log_name(again, number);
    return strcmp(again, name) == 0 && number <= TN_LOG_NUMBER_MAX ? number : 0;
}

/* ---- header ---------------------------------------------------------------------------------- */

void tn_log_header_encode(uint8_t *to, const struct tn_log_header *header)
{
    memset(to, 0, TN_LOG_HEADER_BYTES);
    tn_store_le64(to + MAGIC_AT, HEADER_MAGIC);
    tn_store_le32(to + HEADER_VERSION_AT, TN_LOG_VERSION);
    memcpy(to + HEADER_STORE_ID_AT, header->store_id, TN_LOG_STORE_ID_BYTES);
    tn_store_le64(to + HEADER_INCARNATION_AT, header->incarnation);
    tn_store_le64(to + HEADER_FILE_AT, header->file);
    memcpy(to + HEADER_SECRET_AT, header->secret, TN_LOG_SECRET_BYTES);
    tn_store_le64(to + CHECKSUM_AT,
                  tn_checksum(to + CHECKED_AT, TN_LOG_HEADER_BYTES - CHECKED_AT, HEADER_MAGIC));
}

/* Magic and checksum are the same in all versions, so that an unknown one is told from damage. */
int tn_log_header_decode(struct tn_log_header *out, const uint8_t *from)
{
    uint64_t checksum =
        tn_checksum(from + CHECKED_AT, TN_LOG_HEADER_BYTES - CHECKED_AT, HEADER_MAGIC);

    if (tn_load_le64(from + MAGIC_AT) != HEADER_MAGIC ||
        tn_load_le64(from + CHECKSUM_AT) != checksum)
        return TARN_E_CORRUPT;
    if (tn_load_le32(from + HEADER_VERSION_AT) != TN_LOG_VERSION)
        return TARN_E_VERSION;
    memcpy(out->store_id, from + HEADER_STORE_ID_AT, TN_LOG_STORE_ID_BYTES);
    memcpy(out->secret, from + HEADER_SECRET_AT, TN_LOG_SECRET_BYTES);
    out->incarnation = tn_load_le64(from + HEADER_INCARNATION_AT);
    out->file = tn_load_le64(from + HEADER_FILE_AT);
    if (!bytes_are_zero(from + HEADER_VERSION_AT + 4, 4) ||
        !bytes_are_zero(from + HEADER_END_AT, TN_LOG_HEADER_BYTES - HEADER_END_AT))
        return TARN_E_CORRUPT;
    return TARN_OK;
}

/* ---- footer ---------------------------------------------------------------------------------- */

static void cursor_encode(uint8_t *to, const struct tn_log_cursor *cursor)
{
    tn_store_le64(to, cursor->revolution);
    tn_store_le64(to + 8, cursor->table_id);
    tn_store_le64(to + 16, cursor->position);
}

static void cursor_decode(struct tn_log_cursor *out, const uint8_t *from)
{
    out->revolution = tn_load_le64(from);
    out->table_id = tn_load_le64(from + 8);
    out->position = tn_load_le64(from + 16);
}

int tn_log_cursor_compare(const struct tn_log_cursor *a, const struct tn_log_cursor *b)
{
    if (a->revolution != b->revolution)
        return a->revolution < b->revolution ? -1 : 1;
    if (a->table_id != b->table_id)
        return a->table_id < b->table_id ? -1 : 1;
    return (a->position > b->position) - (a->position < b->position);
}

void tn_log_shape(struct tn_log_shape *out, const struct tn_log_footer *footer)
{
    uint64_t at = 0;
    unsigned part;

    for (part = 0; part < TN_LOG_PART_COUNT; part++) {
        out->part_at[part] = at;
        at += footer->part_bytes[part];
    }
    out->note_at = at;
    out->data_bytes = tn_log_pad(at + footer->note_bytes);
    out->block_count = (out->data_bytes + TN_LOG_BLOCK_BYTES - 1) / TN_LOG_BLOCK_BYTES;
    out->footer_at = tn_align_up(out->data_bytes + 8 * out->block_count, TN_LOG_STEP_BYTES);
}

void tn_log_footer_encode(uint8_t *to, struct tn_log_footer *footer, const uint8_t *store_id)
{
    uint64_t seed = tn_log_seed(store_id, footer->incarnation, footer->number, TN_LOG_SEED_FOOTER);
    unsigned part;

    memset(to, 0, TN_LOG_FOOTER_BYTES);
    tn_store_le64(to + MAGIC_AT, FOOTER_MAGIC);
    tn_store_le64(to + FOOTER_INCARNATION_AT, footer->incarnation);
    tn_store_le64(to + FOOTER_NUMBER_AT, footer->number);
    tn_store_le64(to + FOOTER_SECTION_BYTES_AT, footer->section_bytes);
    for (part = 0; part < TN_LOG_PART_COUNT; part++) {
        tn_store_le64(to + FOOTER_PARTS_AT + 16 * part, footer->part_bytes[part]);
        tn_store_le64(to + FOOTER_PARTS_AT + 16 * part + 8, footer->part_counts[part]);
    }
    tn_store_le32(to + FOOTER_NOTE_BYTES_AT, footer->note_bytes);
    tn_store_le32(to + FOOTER_HASH_VERSION_AT, footer->hash_version);
    tn_store_le64(to + FOOTER_TABLE_CHECKSUM_AT, footer->table_checksum);
    tn_store_le64(to + FOOTER_PREVIOUS_AT, footer->previous);
    tn_store_le64(to + FOOTER_FIRST_NEEDED_AT, footer->first_needed);
    tn_store_le64(to + FOOTER_SYNCED_AT, footer->synced_through);
    cursor_encode(to + FOOTER_BEFORE_AT, &footer->before);
    cursor_encode(to + FOOTER_AFTER_AT, &footer->after);
    tn_store_le64(to + FOOTER_NEXT_TABLE_AT, footer->next_table_id);
    tn_store_le64(to + FOOTER_TICK_AT, footer->tick);
    tn_store_le64(to + FOOTER_CLOCK_AT, footer->clock);
    footer->identity = tn_checksum(to + CHECKED_AT, TN_LOG_FOOTER_BYTES - CHECKED_AT, seed);
    tn_store_le64(to + CHECKSUM_AT, footer->identity);
}

static void footer_load(struct tn_log_footer *out, const uint8_t *from)
{
    unsigned part;

    out->identity = tn_load_le64(from + CHECKSUM_AT);
    out->incarnation = tn_load_le64(from + FOOTER_INCARNATION_AT);
    out->number = tn_load_le64(from + FOOTER_NUMBER_AT);
    out->section_bytes = tn_load_le64(from + FOOTER_SECTION_BYTES_AT);
    for (part = 0; part < TN_LOG_PART_COUNT; part++) {
        out->part_bytes[part] = tn_load_le64(from + FOOTER_PARTS_AT + 16 * part);
        out->part_counts[part] = tn_load_le64(from + FOOTER_PARTS_AT + 16 * part + 8);
    }
    out->note_bytes = tn_load_le32(from + FOOTER_NOTE_BYTES_AT);
    out->hash_version = tn_load_le32(from + FOOTER_HASH_VERSION_AT);
    out->table_checksum = tn_load_le64(from + FOOTER_TABLE_CHECKSUM_AT);
    out->previous = tn_load_le64(from + FOOTER_PREVIOUS_AT);
    out->first_needed = tn_load_le64(from + FOOTER_FIRST_NEEDED_AT);
    out->synced_through = tn_load_le64(from + FOOTER_SYNCED_AT);
    cursor_decode(&out->before, from + FOOTER_BEFORE_AT);
    cursor_decode(&out->after, from + FOOTER_AFTER_AT);
    out->next_table_id = tn_load_le64(from + FOOTER_NEXT_TABLE_AT);
    out->tick = tn_load_le64(from + FOOTER_TICK_AT);
    out->clock = tn_load_le64(from + FOOTER_CLOCK_AT);
}

/* Lengths that fit together, with no sum that wraps. */
static bool footer_lengths_hold(const struct tn_log_footer *footer)
{
    struct tn_log_shape shape;
    unsigned part;

    if (footer->section_bytes > TN_LOG_NUMBER_MAX || footer->note_bytes > TARN_NOTE_BYTES_MAX)
        return false;
    for (part = 0; part < TN_LOG_PART_COUNT; part++)
        if (footer->part_bytes[part] > footer->section_bytes || footer->part_bytes[part] % 8 != 0 ||
            footer->part_counts[part] > footer->part_bytes[part] / TN_LOG_ENTRY_HEAD_BYTES)
            return false;
    tn_log_shape(&shape, footer);
    return footer->section_bytes == shape.footer_at + TN_LOG_FOOTER_BYTES;
}

/* Numbers that a store can go on from without any of them wrapping. */
static bool footer_numbers_hold(const struct tn_log_footer *footer)
{
    return footer->number >= 1 && footer->number <= TN_LOG_NUMBER_MAX &&
           footer->first_needed >= 1 && footer->first_needed <= footer->number &&
           footer->synced_through < footer->number &&
           footer->after.revolution <= TN_LOG_NUMBER_MAX &&
           tn_log_cursor_compare(&footer->before, &footer->after) <= 0 &&
           footer->next_table_id <= TN_LOG_NUMBER_MAX && footer->tick <= TN_LOG_NUMBER_MAX;
}

bool tn_log_footer_decode(struct tn_log_footer *out, const uint8_t *from, const uint8_t *store_id)
{
    uint64_t seed;

    if (tn_load_le64(from + MAGIC_AT) != FOOTER_MAGIC)
        return false;
    footer_load(out, from);
    seed = tn_log_seed(store_id, out->incarnation, out->number, TN_LOG_SEED_FOOTER);
    return out->identity ==
               tn_checksum(from + CHECKED_AT, TN_LOG_FOOTER_BYTES - CHECKED_AT, seed) &&
           footer_lengths_hold(out) && footer_numbers_hold(out) &&
           bytes_are_zero(from + FOOTER_END_AT, TN_LOG_FOOTER_BYTES - FOOTER_END_AT);
}

/* ---- mark ------------------------------------------------------------------------------------ */

void tn_log_mark_encode(uint8_t *to, const struct tn_log_mark *mark, const uint8_t *store_id)
{
    uint64_t seed = tn_log_seed(store_id, mark->incarnation, mark->number, TN_LOG_SEED_MARK);

    memset(to, 0, TN_LOG_MARK_BYTES);
    tn_store_le64(to + MAGIC_AT, MARK_MAGIC);
    tn_store_le64(to + MARK_INCARNATION_AT, mark->incarnation);
    tn_store_le64(to + MARK_NUMBER_AT, mark->number);
    tn_store_le64(to + MARK_IDENTITY_AT, mark->identity);
    tn_store_le64(to + CHECKSUM_AT,
                  tn_checksum(to + CHECKED_AT, TN_LOG_MARK_BYTES - CHECKED_AT, seed));
}

bool tn_log_mark_decode(struct tn_log_mark *out, const uint8_t *from, const uint8_t *store_id)
{
    uint64_t seed;

    if (tn_load_le64(from + MAGIC_AT) != MARK_MAGIC)
        return false;
    out->incarnation = tn_load_le64(from + MARK_INCARNATION_AT);
    out->number = tn_load_le64(from + MARK_NUMBER_AT);
    out->identity = tn_load_le64(from + MARK_IDENTITY_AT);
    seed = tn_log_seed(store_id, out->incarnation, out->number, TN_LOG_SEED_MARK);
    return tn_load_le64(from + CHECKSUM_AT) ==
               tn_checksum(from + CHECKED_AT, TN_LOG_MARK_BYTES - CHECKED_AT, seed) &&
           out->number >= 1 && out->number <= TN_LOG_NUMBER_MAX &&
           bytes_are_zero(from + MARK_END_AT, TN_LOG_MARK_BYTES - MARK_END_AT);
}

/* ---- entries --------------------------------------------------------------------------------- */

/* A flag that is set is something to come (bit 0: a deadline follows the head); nothing is guessed. */
int tn_log_entry_head_decode(struct tn_log_entry_head *out, const uint8_t *from, uint64_t bytes,
                             enum tn_log_kind kind)
{
    if (bytes < TN_LOG_ENTRY_HEAD_BYTES || from[6] != kind)
        return TARN_E_CORRUPT;
    if (from[7] != 0)
        return TARN_E_VERSION;
    out->value_bytes = tn_load_le32(from);
    out->key_bytes = (uint32_t)from[4] | (uint32_t)from[5] << 8;
    out->kind = kind;
    out->table_id = tn_load_le64(from + 8);
    if (kind == TN_LOG_TOMBSTONE && out->value_bytes != 0)
        return TARN_E_CORRUPT;
    return tn_log_entry_bytes(out->key_bytes, out->value_bytes) <= bytes ? TARN_OK : TARN_E_CORRUPT;
}
