/*
 * replay.c - the entries of the accepted sections, in the order in which later ones replace earlier
 *
 *     section by section, oldest first; in each: sweep, tombstones, delta
 *
 * What the sweep wrote is as old as the commit or older than its changes: a key that was swept and
 * then removed in one commit has a tombstone, one that was removed and came back is in the delta.
 *
 * Entries are kept until there are TN_LOG_ENTRIES_MAX, the part ends, or the window must move, and
 * then handed out together.
 */
#include "log/entries.h"

#include <string.h>

struct replay {
    struct tn_log_reading reading;
    bool catalog_only;
    bool verify; /* what no entry leads to, too: nobody has read this section (H5 of chain.h) */
    tn_log_entries_fn *each;
    void *argument;
    tn_log_progress_fn *progress;
    void *progress_argument;
    uint64_t done_bytes, all_bytes;
    struct tn_log_entry kept[TN_LOG_ENTRIES_MAX];
    size_t kept_count;
};

static int kept_give(struct replay *replay)
{
    size_t count = replay->kept_count;

    replay->kept_count = 0;
    return count == 0 ? TARN_OK : replay->each(replay->argument, replay->kept, count);
}

/* A value that does not fit into the window, whether or not anybody asked for it. */
static int value_verify(struct replay *replay, const struct tn_log_entry *entry)
{
    uint64_t at = entry->value_offset - replay->reading.offset;
    int result = kept_give(replay);

    return result == TARN_OK && replay->verify
               ? tn_log_section_verify_some(&replay->reading, at, at + entry->value_bytes)
               : result;
}

/* The next entry is kept behind those before it. */
static int entry_keep(struct replay *replay, struct tn_log_entries *entries)
{
    struct tn_log_entry *entry;
    int result = TARN_OK;

    if (replay->kept_count == TN_LOG_ENTRIES_MAX || !tn_log_entries_shows_next(entries))
        result = kept_give(replay);
    entry = &replay->kept[replay->kept_count];
    if (result == TARN_OK)
        result = tn_log_entries_next(entries, entry);
    if (result != TARN_OK)
        return result;
    if (entry->table_id != TN_LOG_CATALOG_ID && replay->catalog_only)
        return TARN_END;
    replay->kept_count++;
    return TN_UNLIKELY(entry->value == NULL) ? value_verify(replay, entry) : TARN_OK;
}

static int part_replay(struct replay *replay, enum tn_log_part part)
{
    struct tn_log_entries entries;
    int result;

    replay->kept_count = 0;
    tn_log_entries_begin(&entries, &replay->reading, part);
    do
        result = entry_keep(replay, &entries);
    while (result == TARN_OK);
    return result == TARN_END ? kept_give(replay) : result;
}

static int section_replay(struct replay *replay, struct tn_log *log,
                          const struct tn_log_section *section)
{
    static const enum tn_log_part order[] = { TN_LOG_SWEEP, TN_LOG_TOMBSTONES, TN_LOG_DELTA };
    int result = tn_log_section_open(&replay->reading, log, tn_log_file_of(log, section->file),
                                     section->footer_offset);
    size_t i;

    replay->reading.narrow = replay->catalog_only; /* those come first in each part */
    replay->verify = !replay->catalog_only && replay->reading.footer.number <= log->late_through;
    for (i = 0; i < TN_ARRAY_COUNT(order) && result == TARN_OK; i++)
        result = part_replay(replay, order[i]);
    if (result == TARN_OK && replay->verify)
        result = tn_log_section_verify_some(&replay->reading, replay->reading.shape.note_at,
                                            replay->reading.shape.data_bytes);
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
