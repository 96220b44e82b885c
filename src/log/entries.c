/*
 * entries.c - see entries.h for the rules
 */
#include "log/entries.h"

void tn_log_entries_begin(struct tn_log_entries *out, struct tn_log_reading *reading,
                          enum tn_log_part part)
{
    *out = (struct tn_log_entries){
        .reading = reading,
        .part = part,
        .at = reading->shape.part_at[part],
        .left = reading->footer.part_bytes[part],
        .count = reading->footer.part_counts[part],
    };
}

static int damaged(struct tn_log_entries *entries, int result)
{
    const struct tn_log_reading *reading = entries->reading;

    return tn_log_say(reading->log, result, reading->file->number,
                      reading->offset + entries->failed_at,
                      result == TARN_E_VERSION ? "an entry has what only a newer tarn can read"
                                               : "an entry does not fit into its section",
                      0);
}

/* Y3: the rest of the part is lost. */
static int part_lost(struct tn_log_entries *entries, int result)
{
    entries->failed_at = entries->at;
    entries->failed_bytes = entries->left;
    entries->left = entries->count = 0;
    return result;
}

static int head_read(struct tn_log_entries *entries, struct tn_log_entry_head *out)
{
    enum tn_log_kind kind = entries->part == TN_LOG_TOMBSTONES ? TN_LOG_TOMBSTONE : TN_LOG_ENTRY;
    const uint8_t *data;
    int result;

    if (entries->left < TN_LOG_ENTRY_HEAD_BYTES)
        return damaged(entries, part_lost(entries, TARN_E_CORRUPT));
    result = tn_log_section_need(entries->reading, entries->at, TN_LOG_ENTRY_HEAD_BYTES, &data);
    if (result != TARN_OK)
        return part_lost(entries, result);
    result = tn_log_entry_head_decode(out, data, entries->left, kind);
    if (result == TARN_OK && out->table_id == TN_LOG_CATALOG_ID && entries->catalog_over) /* Y1 */
        result = TARN_E_CORRUPT;
    return result == TARN_OK ? TARN_OK : damaged(entries, part_lost(entries, result));
}

/* Key and value of the entry at `at`; `bytes` of it in all. */
static int body_read(struct tn_log_entries *entries, uint64_t at, uint64_t bytes,
                     const struct tn_log_entry_head *head, struct tn_log_entry *out)
{
    struct tn_log_reading *reading = entries->reading;
    uint64_t value_at = TN_LOG_ENTRY_HEAD_BYTES + tn_log_pad(head->key_bytes);
    uint64_t shown = tn_log_section_fits(at, bytes) ? bytes : value_at; /* Y2 */
    const uint8_t *data;
    int result = tn_log_section_need(reading, at, shown, &data);

    if (result != TARN_OK)
        return result;
    *out = (struct tn_log_entry){
        .kind = head->kind,
        .table_id = head->table_id,
        .key = { .data = data + TN_LOG_ENTRY_HEAD_BYTES, .bytes = head->key_bytes },
        .value_bytes = head->value_bytes,
        .value = shown == bytes ? data + value_at : NULL,
        .reading = reading,
        .file = reading->file->number,
        .value_offset = reading->offset + at + value_at,
    };
    return TARN_OK;
}

int tn_log_entries_next(struct tn_log_entries *entries, struct tn_log_entry *out)
{
    struct tn_log_entry_head head = { .kind = TN_LOG_ENTRY };
    uint64_t at = entries->at, bytes;
    int result;

    if (entries->count == 0 && entries->left != 0)
        return damaged(entries, part_lost(entries, TARN_E_CORRUPT));
    if (entries->count == 0)
        return TARN_END;
    result = head_read(entries, &head);
    if (result != TARN_OK)
        return result;
    bytes = tn_log_entry_bytes(head.key_bytes, head.value_bytes);
    entries->count--;
    entries->at += bytes;
    entries->left -= bytes;
    entries->catalog_over = head.table_id != TN_LOG_CATALOG_ID;
    entries->failed_at = at;
    entries->failed_bytes = bytes;
    return body_read(entries, at, bytes, &head, out);
}
