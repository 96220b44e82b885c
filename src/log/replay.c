/*
 * replay.c - the entries of the accepted sections, in the order in which later ones replace earlier
 *
 *     section by section, oldest first; in each: sweep, tombstones, delta
 *
 * What the sweep wrote is as old as the commit or older than its changes: a key that was swept and
 * then removed in one commit has a tombstone, one that was removed and came back is in the delta.
 *
 * Rules
 *   Y1  An entry is handed out when its lengths fit into its part, its kind is the part's, and its
 *       blocks were verified; in each part those of the catalog come first.
 *   Y2  A value that does not fit into the window with its key is read when it is asked for.
 *   Y3  Entries are kept until there are TN_LOG_ENTRIES_MAX, the part ends, or the window must move, and
 *       then handed out together.
 */
#include "log/section.h"

#include <stdio.h>
#include <string.h>

struct replay {
    struct tn_log_reading reading;
    bool catalog_only;
    tn_log_entries_fn *each;
    void *argument;
    tn_log_progress_fn *progress;
    void *progress_argument;
    uint64_t done_bytes, all_bytes;
    struct tn_log_entry entries[TN_LOG_ENTRIES_MAX]; /* Y3 */
    size_t entry_count;
};

static int entry_damaged(struct replay *replay, uint64_t at, int result)
{
    const struct tn_log_reading *reading = &replay->reading;

    if (result == TARN_E_VERSION)
        return tn_log_say(reading->log, result, reading->file->number, reading->offset + at,
                          "an entry has what only a newer tarn can read", 0);
    return tn_log_say(reading->log, TARN_E_CORRUPT, reading->file->number, reading->offset + at,
                      "an entry does not fit into its section", 0);
}

/* Y3 */
static int entries_give(struct replay *replay)
{
    size_t count = replay->entry_count;

    replay->entry_count = 0;
    return count == 0 ? TARN_OK : replay->each(replay->argument, replay->entries, count);
}

/* As tn_log_section_need; what would leave the window is handed out before. */
static int need(struct replay *replay, uint64_t at, uint64_t bytes, const uint8_t **out)
{
    int result = TARN_OK;

    if (!tn_log_section_shows(&replay->reading, at, bytes))
        result = entries_give(replay);
    return result == TARN_OK ? tn_log_section_need(&replay->reading, at, bytes, out) : result;
}

/* The entry at `at` of the data, behind those that are kept; *out_bytes of it. `left` are those of its part. */
static int entry_read(struct replay *replay, enum tn_log_part part, uint64_t at, uint64_t left,
                      uint64_t *out_bytes)
{
    struct tn_log_reading *reading = &replay->reading;
    enum tn_log_kind kind = part == TN_LOG_TOMBSTONES ? TN_LOG_TOMBSTONE : TN_LOG_ENTRY;
    struct tn_log_entry_head head;
    const uint8_t *data;
    uint64_t shown, value_at;
    int result;

    if (left < TN_LOG_ENTRY_HEAD_BYTES)
        return entry_damaged(replay, at, TARN_E_CORRUPT);
    result = need(replay, at, TN_LOG_ENTRY_HEAD_BYTES, &data);
    if (result != TARN_OK)
        return result;
    result = tn_log_entry_head_decode(&head, data, left, kind);
    if (result != TARN_OK)
        return entry_damaged(replay, at, result);
    *out_bytes = tn_log_entry_bytes(head.key_bytes, head.value_bytes);
    value_at = TN_LOG_ENTRY_HEAD_BYTES + tn_log_pad(head.key_bytes);
    shown = tn_log_section_fits(at, *out_bytes) ? *out_bytes : value_at; /* Y2 */
    result = need(replay, at, shown, &data);
    if (result != TARN_OK)
        return result;
    replay->entries[replay->entry_count] = (struct tn_log_entry){
        .kind = head.kind,
        .table_id = head.table_id,
        .key = { .data = data + TN_LOG_ENTRY_HEAD_BYTES, .bytes = head.key_bytes },
        .value_bytes = head.value_bytes,
        .value = shown == *out_bytes ? data + value_at : NULL,
        .reading = reading,
        .file = reading->file->number,
        .value_offset = reading->offset + at + value_at,
    };
    return TARN_OK;
}

static int part_replay(struct replay *replay, enum tn_log_part part)
{
    uint64_t at = replay->reading.shape.part_at[part];
    uint64_t left = replay->reading.footer.part_bytes[part];
    uint64_t count = replay->reading.footer.part_counts[part];
    uint64_t bytes = 0, table_id;
    bool catalog_over = false;
    int result = TARN_OK;

    replay->entry_count = 0;
    for (; result == TARN_OK && count > 0; count--, at += bytes, left -= bytes) {
        result = entry_read(replay, part, at, left, &bytes);
        if (result != TARN_OK)
            return result;
        table_id = replay->entries[replay->entry_count].table_id;
        if (table_id != TN_LOG_CATALOG_ID && replay->catalog_only)
            return entries_give(replay);
        if (table_id == TN_LOG_CATALOG_ID && catalog_over)
            return entry_damaged(replay, at, TARN_E_CORRUPT);
        catalog_over = table_id != TN_LOG_CATALOG_ID;
        if (++replay->entry_count == TN_LOG_ENTRIES_MAX)
            result = entries_give(replay);
    }
    if (result == TARN_OK && left != 0)
        return entry_damaged(replay, at, TARN_E_CORRUPT);
    return result == TARN_OK ? entries_give(replay) : result;
}

static int section_replay(struct replay *replay, struct tn_log *log,
                          const struct tn_log_section *section)
{
    static const enum tn_log_part order[] = { TN_LOG_SWEEP, TN_LOG_TOMBSTONES, TN_LOG_DELTA };
    int result = tn_log_section_open(&replay->reading, log, tn_log_file_of(log, section->file),
                                     section->footer_offset);
    size_t i;

    replay->reading.reads_little = replay->catalog_only; /* it comes first in each part */
    for (i = 0; i < TN_ARRAY_COUNT(order) && result == TARN_OK; i++)
        result = part_replay(replay, order[i]);
    replay->done_bytes += replay->reading.footer.section_bytes;
    if (result == TARN_OK && replay->progress != NULL)
        replay->progress(replay->progress_argument, replay->done_bytes, replay->all_bytes);
    return result;
}

/* Of the files that have them: what is to be read, or a little more. */
static uint64_t sections_bytes(const struct tn_log *log)
{
    uint64_t bytes = 0;
    size_t i;

    for (i = 0; i < log->files.count; i++)
        if (log->files.items[i].last_section != 0)
            bytes += log->files.items[i].bytes;
    return bytes;
}

int tn_log_replay(struct tn_log *log, bool catalog_only, tn_log_entries_fn *each, void *argument,
                  tn_log_progress_fn *progress, void *progress_argument,
                  struct tn_log_report *report)
{
    struct replay replay = {
        .catalog_only = catalog_only,
        .each = each,
        .argument = argument,
        .progress = progress,
        .progress_argument = progress_argument,
        .all_bytes = sections_bytes(log),
    };
    size_t i;
    int result = TARN_OK;

    tn_assert(!log->started);
    log->text[0] = '\0';
    for (i = 0; i < log->sections.count && result == TARN_OK; i++)
        result =
            section_replay(&replay, log, tn_log_sections_at(log, log->sections.first_number + i));
    if (result == TARN_OK && progress != NULL)
        progress(progress_argument, replay.all_bytes, replay.all_bytes);
    memcpy(report->text, log->text, sizeof report->text);
    return result;
}

int tn_log_entry_value(const struct tn_log_entry *entry, void *to)
{
    struct tn_log_reading *reading = entry->reading;

    if (entry->value == NULL)
        return tn_log_section_copy(reading, entry->value_offset - reading->offset,
                                   entry->value_bytes, to);
    memcpy(to, entry->value, entry->value_bytes);
    return TARN_OK;
}
