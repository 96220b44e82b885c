/*
 * writer.c - see writer.h for the rules
 */
#include "log/writer.h"

#include "base/bytes.h"
#include "base/checksum.h"
#include "log/room.h"

#include <string.h>

/* ---- the buffer ------------------------------------------------------------------------------ */

static int buffer_write(struct tn_log *log)
{
    struct tn_log_writing *writing = &log->writing;
    uint64_t at = writing->offset + writing->bytes - writing->buffered_bytes;
    int result;

    if (writing->buffered_bytes == 0)
        return TARN_OK;
    result = tn_log_file_write(log, log->buffer, writing->buffered_bytes, at);
    if (result == TARN_OK)
        writing->buffered_bytes = 0;
    return result;
}

/* The blocks in the buffer that have no checksum yet; the last may be short, at the end of the data. */
static void blocks_sum(struct tn_log *log)
{
    struct tn_log_writing *writing = &log->writing;
    const uint8_t *at =
        log->buffer + writing->buffered_bytes - (writing->bytes - writing->summed_bytes);
    uint64_t seed, size;

    while (writing->summed_bytes < writing->bytes) {
        size = tn_min(TN_LOG_BLOCK_BYTES, writing->bytes - writing->summed_bytes);
        seed = tn_log_seed(log->store_id, writing->footer.incarnation, writing->footer.number,
                           writing->table_count);
        tn_store_le64(&writing->table[writing->table_count++], tn_checksum(at, (size_t)size, seed));
        writing->summed_bytes += size;
        at += size;
    }
}

/* `is_data`: what block checksums are made of. */
static int put(struct tn_log *log, const void *from, uint64_t bytes, bool is_data)
{
    struct tn_log_writing *writing = &log->writing;
    const uint8_t *at = from;
    size_t size;
    int result = TARN_OK;

    while (bytes > 0 && result == TARN_OK) {
        size = (size_t)tn_min(bytes, TN_LOG_BUFFER_BYTES - writing->buffered_bytes);
        memcpy(log->buffer + writing->buffered_bytes, at, size);
        writing->buffered_bytes += size;
        writing->bytes += size;
        at += size;
        bytes -= size;
        if (writing->buffered_bytes < TN_LOG_BUFFER_BYTES)
            continue;
        if (is_data)
            blocks_sum(log);
        result = buffer_write(log);
    }
    return result;
}

static int put_padding(struct tn_log *log, uint64_t alignment, bool is_data)
{
    static const uint8_t zeros[TN_LOG_STEP_BYTES];

    return put(log, zeros, -log->writing.bytes & (alignment - 1), is_data);
}

static int broken(struct tn_log *log, int result)
{
    if (result != TARN_OK)
        log->writing.broken = true;
    return result;
}

static int no_memory(struct tn_log *log)
{
    return broken(log, tn_log_say(log, TARN_E_MEMORY, 0, 0, "no memory for a section", 0));
}

/* Room in the table for data of that size. */
static bool table_reserve(struct tn_log *log, uint64_t data_bytes)
{
    struct tn_log_writing *writing = &log->writing;
    size_t count = (size_t)(data_bytes / TN_LOG_BLOCK_BYTES) + 1;
    void *table = writing->table;
    bool grown = count <= writing->table_capacity ||
                 tn_log_grow(log->memory, &table, 0, &writing->table_capacity, count, 8);

    writing->table = table;
    return grown;
}

/* ---- files ----------------------------------------------------------------------------------- */

int tn_log_writer_ready(struct tn_log *log)
{
    return log->has_current ? TARN_OK : tn_log_file_make(log, true);
}

static size_t own_unsynced_count(const struct tn_log *log)
{
    size_t count = 0, i;

    for (i = 0; i < log->files.count; i++)
        count += log->files.items[i].own && !log->files.items[i].synced;
    return count;
}

static int file_choose(struct tn_log *log, uint64_t section_bytes, uint64_t live_bytes)
{
    struct tn_log_file *current = tn_log_file_current(log);
    uint64_t bytes_min =
        log->options.file_bytes_min != 0 ? log->options.file_bytes_min : TN_LOG_FILE_BYTES_MIN;
    uint64_t bytes_max = tn_max(bytes_min, live_bytes / 16);

    log->file_bytes_max = bytes_max;
    if (current == NULL)
        return tn_log_writer_ready(log);
    if (current->last_section == 0 ||
        (log->current_offset <= bytes_max && section_bytes <= bytes_max - log->current_offset))
        return TARN_OK;
    if (own_unsynced_count(log) >= TN_LOG_OWN_OPEN_MAX) {
        int result = tn_log_sync(log);

        if (result != TARN_OK)
            return result;
    }
    tn_log_room_cut(log); /* M3 of room.h */
    return tn_log_file_make(log, false);
}

/* ---- sections -------------------------------------------------------------------------------- */

int tn_log_begin(struct tn_log *log, uint64_t section_bytes, uint64_t live_bytes)
{
    struct tn_log_writing *writing = &log->writing;
    int result;

    tn_assert(log->started && !writing->open);
    if (log->failed)
        return TARN_E_FAILED;
    writing->open = true;
    writing->broken = false;
    if (!tn_log_sections_reserve(log, 1))
        return no_memory(log);
    result = file_choose(log, section_bytes, live_bytes);
    if (result != TARN_OK)
        return broken(log, result);
    writing->user_entries = false;
    writing->part = TN_LOG_DELTA;
    writing->offset = log->current_offset;
    writing->bytes = writing->summed_bytes = 0;
    writing->buffered_bytes = 0;
    writing->table_count = 0;
    writing->footer = (struct tn_log_footer){
        .incarnation = log->incarnation,
        .number = log->last.number + 1,
    };
    return TARN_OK;
}

/* All of an entry at a place that has room for it. The padding is what is left of the last 8 bytes. */
static void entry_encode(uint8_t *to, const struct tn_log_entry_head *head, const void *key,
                         const void *value)
{
    uint64_t key_bytes = tn_log_pad(head->key_bytes), value_bytes = tn_log_pad(head->value_bytes);

    tn_log_entry_head_encode(to, head);
    to += TN_LOG_ENTRY_HEAD_BYTES;
    if (TN_LIKELY(head->key_bytes == 8)) {
        memcpy(to, key, 8);
    } else if (key_bytes != 0) {
        tn_store_le64(to + key_bytes - 8, 0);
        memcpy(to, key, head->key_bytes);
    }
    to += key_bytes;
    if (value_bytes != 0) {
        tn_store_le64(to + value_bytes - 8, 0);
        memcpy(to, value, head->value_bytes);
    }
}

/* One that fills the buffer, or does not fit into it. */
static int entry_put(struct tn_log *log, const struct tn_log_entry_head *head, const void *key,
                     const void *value)
{
    uint8_t head_bytes[TN_LOG_ENTRY_HEAD_BYTES];
    int result;

    tn_log_entry_head_encode(head_bytes, head);
    result = put(log, head_bytes, sizeof head_bytes, true);
    if (result == TARN_OK)
        result = put(log, key, head->key_bytes, true);
    if (result == TARN_OK)
        result = put_padding(log, 8, true);
    if (result == TARN_OK)
        result = put(log, value, head->value_bytes, true);
    return result == TARN_OK ? put_padding(log, 8, true) : result;
}

int tn_log_add(struct tn_log *log, enum tn_log_part part, uint64_t table_id, tarn_bytes key,
               tarn_bytes value)
{
    struct tn_log_writing *writing = &log->writing;
    const struct tn_log_entry_head head = {
        .value_bytes = (uint32_t)value.bytes,
        .key_bytes = (uint32_t)key.bytes,
        .kind = part == TN_LOG_TOMBSTONES ? TN_LOG_TOMBSTONE : TN_LOG_ENTRY,
        .table_id = table_id,
    };
    uint64_t bytes = tn_log_entry_bytes(key.bytes, value.bytes);

    tn_assert(writing->open && !writing->broken && part >= writing->part);
    tn_assert(key.bytes <= TARN_KEY_BYTES_MAX && value.bytes <= TARN_VALUE_BYTES_MAX);
    tn_assert(part != TN_LOG_TOMBSTONES || value.bytes == 0);
    tn_assert(table_id != TN_LOG_CATALOG_ID || part != writing->part || !writing->user_entries);
    writing->part = part;
    writing->user_entries = table_id != TN_LOG_CATALOG_ID;
    if (!table_reserve(log, writing->bytes + bytes))
        return no_memory(log);
    writing->footer.part_bytes[part] += bytes;
    writing->footer.part_counts[part]++;
    if (bytes >= TN_LOG_BUFFER_BYTES - writing->buffered_bytes)
        return broken(log, entry_put(log, &head, key.data, value.data));
    entry_encode(log->buffer + writing->buffered_bytes, &head, key.data, value.data);
    writing->buffered_bytes += bytes;
    writing->bytes += bytes;
    return TARN_OK;
}

uint64_t tn_log_section_bytes(const struct tn_log *log, size_t note_bytes)
{
    struct tn_log_footer footer = log->writing.footer;
    struct tn_log_shape shape;

    footer.note_bytes = (uint32_t)note_bytes;
    tn_log_shape(&shape, &footer);
    return shape.footer_at + TN_LOG_FOOTER_BYTES;
}

/* What was written of the section goes, too: it takes space, and would be told of as dropped. */
void tn_log_abandon(struct tn_log *log)
{
    if (log->writing.open && log->has_current && !log->failed)
        tn_log_room_cut(log);
    log->writing.open = false; /* W1 */
}

/* ---- the end of a section -------------------------------------------------------------------- */

static bool end_reserve(struct tn_log *log, const struct tn_log_commit *commit)
{
    void *note = log->note;
    bool grown = table_reserve(log, log->writing.bytes + commit->note.bytes);

    /* The old note is still the last commit's, whose bytes the caller may even be handing in again. */
    if (grown && commit->note.bytes > log->note_capacity)
        grown = tn_log_grow(log->memory, &note, 0, &log->note_capacity, commit->note.bytes, 1);
    if (grown && log->last.note.data == log->note)
        log->last.note.data = note;
    log->note = note;
    return grown;
}

static int table_put(struct tn_log *log)
{
    struct tn_log_writing *writing = &log->writing;
    static const uint8_t zeros[TN_LOG_STEP_BYTES];
    struct tn_checksum_stream stream;
    uint64_t table_bytes = 8 * (uint64_t)writing->table_count;
    uint64_t padding_bytes = -(writing->bytes + table_bytes) & (TN_LOG_STEP_BYTES - 1);
    int result;

    tn_checksum_begin(&stream, tn_log_seed(log->store_id, writing->footer.incarnation,
                                           writing->footer.number, TN_LOG_SEED_TABLE));
    tn_checksum_add(&stream, writing->table, (size_t)table_bytes);
    tn_checksum_add(&stream, zeros, (size_t)padding_bytes);
    writing->footer.table_checksum = tn_checksum_end(&stream);
    result = put(log, writing->table, table_bytes, false);
    return result == TARN_OK ? put(log, zeros, padding_bytes, false) : result;
}

static int footer_put(struct tn_log *log, const struct tn_log_commit *commit)
{
    struct tn_log_footer *footer = &log->writing.footer;
    uint8_t bytes[TN_LOG_FOOTER_BYTES];
    int result;

    footer->section_bytes = log->writing.bytes + TN_LOG_FOOTER_BYTES;
    footer->note_bytes = (uint32_t)commit->note.bytes;
    footer->hash_version = log->options.hash_version;
    footer->previous = log->last_identity;
    footer->synced_through = log->synced_number;
    footer->before = log->last.cursor;
    if (!log->cursor_holds)
        footer->before = (struct tn_log_cursor){ .revolution = log->last.cursor.revolution + 1 };
    footer->after = commit->cursor;
    tn_assert(tn_log_cursor_compare(&footer->before, &footer->after) <= 0);
    footer->first_needed =
        log->sections.count == 0 ? footer->number : tn_log_sections_needed(log, &footer->after);
    footer->next_table_id = commit->next_table_id;
    footer->tick = commit->tick;
    footer->clock = commit->clock;
    tn_log_footer_encode(bytes, footer, log->store_id);
    result = put(log, bytes, sizeof bytes, false);
    return result == TARN_OK ? buffer_write(log) : result;
}

/* Nothing of this can fail (W2). */
static void publish(struct tn_log *log, const struct tn_log_commit *commit)
{
    struct tn_log_writing *writing = &log->writing;
    struct tn_log_file *file = tn_log_file_current(log);
    const struct tn_log_section section = {
        .before = writing->footer.before,
        .file = file->number,
        .footer_offset = writing->offset + writing->bytes - TN_LOG_FOOTER_BYTES,
    };

    if (log->sections.count == 0)
        log->sections.first_number = commit->number;
    tn_log_sections_add(log, &section);
    file->last_section = commit->number;
    if (commit->note.bytes > 0)
        memmove(log->note, commit->note.data, commit->note.bytes);
    log->last = *commit;
    log->last.note = (tarn_bytes){ .data = log->note, .bytes = commit->note.bytes };
    log->last_identity = writing->footer.identity;
    log->first_needed = writing->footer.first_needed;
    log->cursor_holds = true;
    log->marked = false;
    log->current_offset = writing->offset + writing->bytes;
    writing->open = false;
}

int tn_log_end(struct tn_log *log, const struct tn_log_commit *commit)
{
    struct tn_log_writing *writing = &log->writing;
    int result;

    tn_assert(writing->open && !writing->broken);
    tn_assert(commit->number == writing->footer.number);
    tn_assert(commit->note.bytes <= TARN_NOTE_BYTES_MAX);
    if (!end_reserve(log, commit))
        return no_memory(log);
    result = put(log, commit->note.data, commit->note.bytes, true);
    if (result == TARN_OK)
        result = put_padding(log, 8, true);
    if (result != TARN_OK)
        return broken(log, result);
    blocks_sum(log);
    result = table_put(log);
    if (result == TARN_OK)
        result = footer_put(log, commit);
    if (result != TARN_OK)
        return broken(log, result);
    publish(log, commit);
    return TARN_OK;
}

/* ---- copying, marking, syncing --------------------------------------------------------------- */

/* The window is the buffer, so what was verified is what is written. */
static int data_copy(struct tn_log *log, struct tn_log_reading *reading, uint64_t to)
{
    uint64_t at, size;
    const uint8_t *data;
    int result = TARN_OK;

    for (at = 0; at < reading->shape.data_bytes && result == TARN_OK; at += size) {
        size = tn_min(TN_LOG_BUFFER_BYTES, reading->shape.data_bytes - at);
        result = tn_log_section_need(reading, at, size, &data);
        if (result == TARN_OK)
            result = tn_log_file_write(log, data, (size_t)size, to + at);
    }
    return result;
}

int tn_log_writer_copy(struct tn_log *log, uint64_t number)
{
    struct tn_log_section *section = tn_log_sections_at(log, number);
    uint64_t to = log->current_offset;
    uint8_t footer[TN_LOG_FOOTER_BYTES];
    struct tn_log_reading reading;
    int result = tn_log_section_open(&reading, log, tn_log_file_of(log, section->file),
                                     section->footer_offset);

    if (result == TARN_OK)
        result = data_copy(log, &reading, to);
    if (result == TARN_OK)
        result = tn_log_file_write(log, log->table,
                                   (size_t)(reading.shape.footer_at - reading.shape.data_bytes),
                                   to + reading.shape.data_bytes);
    if (result != TARN_OK)
        return result;
    tn_log_footer_encode(footer, &reading.footer, log->store_id);
    result = tn_log_file_write(log, footer, sizeof footer, to + reading.shape.footer_at);
    if (result != TARN_OK)
        return result;
    section->file = tn_log_file_current(log)->number;
    section->footer_offset = to + reading.shape.footer_at;
    log->current_offset = to + reading.footer.section_bytes;
    return TARN_OK;
}

static void offset_align(struct tn_log *log)
{
    log->current_offset = tn_align_up(log->current_offset, TN_LOG_SYNC_BYTES); /* W3 */
}

int tn_log_writer_mark(struct tn_log *log)
{
    const struct tn_log_mark mark = {
        .incarnation = log->incarnation,
        .number = log->last.number,
        .identity = log->last_identity,
    };
    uint8_t bytes[TN_LOG_MARK_BYTES];
    int result = tn_log_writer_ready(log);

    if (result != TARN_OK)
        return result;
    tn_log_room_cut(log);
    offset_align(log);
    tn_log_mark_encode(bytes, &mark, log->store_id);
    result = tn_log_file_write(log, bytes, sizeof bytes, log->current_offset);
    if (result == TARN_E_FULL)
        tn_log_room_cut(log); /* what came of it would be told of as dropped */
    return result == TARN_OK ? tn_log_files_sync(log) : result;
}

int tn_log_sync(struct tn_log *log)
{
    int result;

    if (log->failed)
        return TARN_E_FAILED;
    if (log->synced_number == log->last.number)
        return TARN_OK;
    result = tn_log_room_make(log);
    if (result == TARN_OK)
        result = tn_log_files_sync(log);
    if (result != TARN_OK)
        return result;
    log->synced_number = log->last.number;
    offset_align(log);
    log->synced_offset = log->current_offset;
    return TARN_OK;
}

int tn_log_trim(struct tn_log *log)
{
    int result;

    if (log->failed)
        return TARN_E_FAILED;
    tn_log_sections_forget(log, log->first_needed);
    if (!log->has_current || tn_log_file_current(log)->last_section == 0 ||
        !tn_log_files_have_unneeded(log, log->first_needed))
        return TARN_OK;
    result = tn_log_sync(log);
    if (result == TARN_OK)
        tn_log_files_unlink_unneeded(log, log->first_needed);
    return result;
}
