/*
 * log.c - opening, starting, closing; see log.h for the rules
 *
 *     open   lock, list, scan, choose                    nothing is written
 *     start  new file: header, synced; the unsynced tail, copied, synced; then old files go
 *     close  sync, mark
 */
#include "log/chain.h"
#include "log/writer.h"

#include <errno.h>
#include <string.h>

#define READ_ONLY_TRIES 8 /* a writer may unlink files, and write, while they are read */

/* ---- opening --------------------------------------------------------------------------------- */

static void forget_all(struct tn_log *log)
{
    tn_log_files_clear(log);
    log->sections.head = log->sections.count = 0;
    log->last = (struct tn_log_commit){ .number = 0 };
    log->cursor_holds = true;
}

static int recover(struct tn_log *log)
{
    struct tn_log_scan scan;
    int result;

    forget_all(log);
    result = tn_log_files_list(log);
    if (result != TARN_OK)
        return result;
    result = tn_log_scan(&scan, log);
    if (result == TARN_OK)
        result = tn_log_choose(log, &scan);
    tn_log_scan_finish(&scan, log);
    return result;
}

/* A file that was listed and is gone, or what looks damaged, may be the doing of a live writer. */
static int recover_often(struct tn_log *log)
{
    unsigned tries = log->options.read_only ? READ_ONLY_TRIES : 1;
    int result;

    do
        result = recover(log);
    while (--tries > 0 && (result == TARN_ABSENT || result == TARN_E_CORRUPT));
    if (result == TARN_ABSENT)
        return tn_log_say(log, TARN_E_IO, 0, 0, "its files vanish while they are read", 0);
    return result;
}

/* A store that has no header yet gets its id here, and keeps the secret that was proposed. */
static int begin_anew(struct tn_log *log)
{
    int result;

    log->no_store = !log->options.create || log->options.read_only;
    if (log->no_store)
        return tn_log_say(log, TARN_E_IO, 0, 0, "there is no store in it", 0);
    result = log->os.ops->random(log->os.context, log->store_id, sizeof log->store_id);
    if (result != 0)
        return tn_log_say(log, TARN_E_MEMORY, 0, 0, "the system has no randomness", -result);
    return TARN_OK;
}

static int open_inside(struct tn_log *log, const char *path, uint8_t *secret)
{
    int result = tn_log_directory_open(log, path);

    if (result == TARN_OK)
        result = recover_often(log);
    if (result == TARN_OK && log->is_new)
        result = begin_anew(log);
    if (result == TARN_OK)
        memcpy(secret, log->secret, sizeof log->secret);
    return result;
}

int tn_log_open(struct tn_log **out, const struct tn_os *os, struct tn_memory *memory,
                const char *path, const struct tn_log_options *options, uint8_t *secret,
                struct tn_log_report *report)
{
    struct tn_log *log = tn_log_new(os, memory, options);
    int result;

    *out = NULL;
    *report = (struct tn_log_report){ .text = "no memory to open it" };
    if (log == NULL)
        return TARN_E_MEMORY;
    report->text[0] = '\0';
    memcpy(log->secret, secret, sizeof log->secret);
    result = open_inside(log, path, secret);
    if (result == TARN_OK) {
        tn_log_files_dropped(log, report);
        *out = log;
        return TARN_OK;
    }
    memcpy(report->text, log->text, sizeof report->text);
    report->no_store = log->no_store;
    log->failed = true; /* nothing is to be written at its end */
    (void)tn_log_close(log, false);
    return result;
}

/* ---- starting -------------------------------------------------------------------------------- */

/* Above all that were ever seen, and with bits that nobody can have chosen before. */
static int incarnation_choose(struct tn_log *log)
{
    uint8_t random[4];
    uint64_t count = (log->incarnation_seen >> 32) + 1;
    int result = log->os.ops->random(log->os.context, random, sizeof random);

    if (result != 0)
        return tn_log_say(log, TARN_E_MEMORY, 0, 0, "the system has no randomness", -result);
    if (count > UINT32_MAX)
        return tn_log_say(log, TARN_E_CORRUPT, 0, 0, "there are no incarnations left", 0);
    log->incarnation = count << 32 | (uint64_t)random[0] << 24 | (uint64_t)random[1] << 16 |
                       (uint64_t)random[2] << 8 | random[3];
    return TARN_OK;
}

static int tail_copy(struct tn_log *log)
{
    uint64_t number = tn_max(log->synced_number + 1, log->sections.first_number);
    int result = tn_log_writer_ready(log);

    for (; number <= log->last.number && result == TARN_OK; number++)
        result = tn_log_writer_copy(log, number);
    if (result == TARN_OK)
        result = tn_log_sync(log);
    if (result != TARN_OK)
        return result;
    tn_log_files_count_sections(log);
    tn_log_files_unlink_unneeded(log, log->first_needed);
    return TARN_OK;
}

/* A copy that could not be finished would only be in the way. */
static void tail_remove(struct tn_log *log)
{
    char name[TN_LOG_NAME_BYTES];
    struct tn_log_file *file = tn_log_file_current(log);

    if (file == NULL)
        return;
    tn_log_name(name, file->number);
    tn_log_file_close(log, file);
    (void)log->os.ops->directory_unlink(log->os.context, log->directory, name);
    log->failed = true;
}

int tn_log_start(struct tn_log *log, struct tn_log_report *report)
{
    size_t i;
    int result = incarnation_choose(log);

    tn_assert(!log->options.read_only && !log->started);
    log->started = true;
    if (result == TARN_OK && log->synced_number < log->last.number)
        result = tail_copy(log);
    for (i = 0; i < log->files.count; i++)
        if (!log->files.items[i].own)
            tn_log_file_close(log, &log->files.items[i]);
    if (result == TARN_OK)
        return TARN_OK;
    tail_remove(log);
    memcpy(report->text, log->text, sizeof report->text);
    return result == TARN_E_FAILED ? TARN_E_IO : result;
}

/* ---- reading and closing --------------------------------------------------------------------- */

const struct tn_log_commit *tn_log_last(const struct tn_log *log)
{
    return &log->last;
}

bool tn_log_cursor_holds(const struct tn_log *log)
{
    return log->cursor_holds;
}

const char *tn_log_error_text(const struct tn_log *log)
{
    return log->text;
}

void tn_log_stat(const struct tn_log *log, struct tn_log_statistics *out)
{
    size_t i;

    *out = (struct tn_log_statistics){
        .file_count = log->files.count,
        .other_name_count = log->files.other_name_count,
        .section_count = log->last.number != 0 ? log->last.number - log->first_needed + 1 : 0,
        .first_needed = log->first_needed,
        .synced_number = log->synced_number,
        .incarnation = log->incarnation,
        .written_bytes = log->written_bytes,
        .sync_count = log->sync_count,
    };
    for (i = 0; i < log->files.count; i++)
        out->file_bytes += log->files.items[i].bytes;
}

static int close_inside(struct tn_log *log, bool mark)
{
    int result;

    if (!log->started || log->failed)
        return log->failed ? TARN_E_FAILED : TARN_OK;
    tn_log_abandon(log);
    result = tn_log_sync(log);
    if (result == TARN_OK && mark && !log->marked && log->last.number != 0)
        result = tn_log_writer_mark(log);
    return result;
}

int tn_log_close(struct tn_log *log, bool mark)
{
    struct tn_memory *memory;
    int result;

    if (log == NULL)
        return TARN_OK;
    memory = log->memory;
    result = close_inside(log, mark);
    tn_log_files_clear(log);
    if (log->directory >= 0)
        log->os.ops->directory_close(log->os.context, log->directory);
    tn_memory_free(memory, log->sections.items,
                   log->sections.capacity * sizeof *log->sections.items);
    tn_memory_free(memory, log->note, log->note_capacity);
    tn_memory_free(memory, log->table, log->table_capacity * sizeof *log->table);
    tn_memory_free(memory, log->writing.table,
                   log->writing.table_capacity * sizeof *log->writing.table);
    tn_memory_free(memory, log->buffer, TN_LOG_BUFFER_BYTES + TN_LOG_BLOCK_BYTES);
    tn_memory_free(memory, log, sizeof *log);
    return result;
}
