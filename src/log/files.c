/*
 * files.c - see files.h for the rules
 */
#include "log/files.h"

#include <errno.h>
#include <string.h>

/* ---- the set --------------------------------------------------------------------------------- */

int tn_log_directory_open(struct tn_log *log, const char *path)
{
    const struct tn_log_options *options = &log->options;
    unsigned flags = options->create && !options->read_only ? TN_OS_CREATE : 0;
    int result = log->os.ops->directory_open(log->os.context, path, flags);

    log->no_store = result == -ENOENT || result == -ENOTDIR;
    if (result == -ENOSPC || result == -EDQUOT)
        return tn_log_say(log, TARN_E_FULL, 0, 0, "it cannot be made", -result);
    if (result < 0)
        return tn_log_say(log, result == -ENOMEM ? TARN_E_MEMORY : TARN_E_IO, 0, 0,
                          "it cannot be opened", -result);
    log->directory = result;
    if (options->read_only)
        return TARN_OK;
    result = log->os.ops->directory_lock(log->os.context, log->directory);
    if (result == -EBUSY)
        return tn_log_say(log, TARN_E_BUSY, 0, 0, "another process writes to this store", 0);
    if (result != 0)
        return tn_log_say(log, TARN_E_IO, 0, 0, "it cannot be locked", -result);
    return TARN_OK;
}

static bool files_reserve(struct tn_log *log)
{
    struct tn_log_files *files = &log->files;
    void *items = files->items;
    bool grown =
        tn_log_grow(log->memory, &items, files->count, &files->capacity, 1, sizeof *files->items);

    files->items = items;
    return grown;
}

/* Kept in order; names come nearly in order or in any, and are few. */
static struct tn_log_file *files_insert(struct tn_log_files *files, uint64_t number)
{
    size_t at = files->count++;

    for (; at > 0 && files->items[at - 1].number > number; at--)
        files->items[at] = files->items[at - 1];
    files->items[at] = (struct tn_log_file){ .number = number, .id = -1 };
    files->number_next = tn_max(files->number_next, number + 1);
    return &files->items[at];
}

static int name_add(void *argument, const char *name)
{
    struct tn_log *log = argument;
    uint64_t number = tn_log_name_number(name);

    if (number == 0) {
        log->files.other_name_count++; /* N1 */
        return 0;
    }
    if (!files_reserve(log))
        return -ENOMEM;
    files_insert(&log->files, number);
    return 0;
}

int tn_log_files_list(struct tn_log *log)
{
    int result;

    tn_log_files_clear(log);
    log->files.number_next = 1;
    log->files.other_name_count = 0;
    result = log->os.ops->directory_list(log->os.context, log->directory, name_add, log);
    if (result == -ENOMEM)
        return tn_log_say(log, TARN_E_MEMORY, 0, 0, "no memory to list it", 0);
    if (result != 0)
        return tn_log_say(log, TARN_E_IO, 0, 0, "it cannot be listed", -result);
    return TARN_OK;
}

void tn_log_file_close(struct tn_log *log, struct tn_log_file *file)
{
    if (file->id >= 0)
        log->os.ops->file_close(log->os.context, file->id);
    file->id = -1;
}

void tn_log_files_clear(struct tn_log *log)
{
    struct tn_log_files *files = &log->files;
    size_t i;

    for (i = 0; i < files->count; i++)
        tn_log_file_close(log, &files->items[i]);
    tn_memory_free(log->memory, files->items, files->capacity * sizeof *files->items);
    *files = (struct tn_log_files){ .number_next = files->number_next };
}

struct tn_log_file *tn_log_file_of(struct tn_log *log, uint64_t number)
{
    size_t low = 0, high = log->files.count, middle;

    while (low < high) {
        middle = low + (high - low) / 2;
        if (log->files.items[middle].number < number)
            low = middle + 1;
        else
            high = middle;
    }
    tn_assert(low < log->files.count && log->files.items[low].number == number);
    return &log->files.items[low];
}

struct tn_log_file *tn_log_file_current(struct tn_log *log)
{
    return log->has_current ? &log->files.items[log->files.count - 1] : NULL;
}

/* A file that was not opened has no id, which is EBADF here. */
static int read_failure(const struct tn_log *log, int error)
{
    if (error == ENOMEM)
        return TARN_E_MEMORY;
    return log->options.lenient ? TARN_E_CORRUPT : TARN_E_IO;
}

int tn_log_file_read(struct tn_log *log, struct tn_log_file *file, void *to, size_t bytes,
                     uint64_t offset)
{
    size_t got = 0;
    int result = log->os.ops->file_read(log->os.context, file->id, to, bytes, offset, &got);

    if (result != 0)
        return tn_log_say(log, read_failure(log, -result), file->number, offset,
                          "it cannot be read", -result);
    if (got != bytes)
        return tn_log_say(log, TARN_E_CORRUPT, file->number, offset + got,
                          "the file ends while it is read", 0);
    return TARN_OK;
}

void tn_log_files_dropped(const struct tn_log *log, struct tn_log_report *report)
{
    const struct tn_log_sections *sections = &log->sections;
    const struct tn_log_section *last = NULL;
    uint64_t end, i;

    if (log->marked)
        return;
    if (sections->count != 0)
        last = &sections->items[sections->head + sections->count - 1];
    for (i = 0; i < log->files.count; i++) {
        const struct tn_log_file *file = &log->files.items[i];

        if (last != NULL && file->number < last->file)
            continue;
        end = last != NULL && file->number == last->file ? last->footer_offset + TN_LOG_FOOTER_BYTES
                                                         : TN_LOG_HEADER_BYTES;
        if (file->used_bytes <= end)
            continue;
        if (report->dropped_bytes == 0) {
            report->dropped_file = file->number;
            report->dropped_offset = end;
        }
        report->dropped_bytes += file->used_bytes - end;
    }
}

/* ---- writing --------------------------------------------------------------------------------- */

/* N3; error is an errno. */
static int write_failed(struct tn_log *log, uint64_t file, uint64_t offset, const char *what,
                        int error)
{
    if (error == ENOSPC || error == EDQUOT || error == EFBIG)
        return tn_log_say(log, TARN_E_FULL, file, offset, what, error);
    log->failed = true;
    return tn_log_say(log, TARN_E_FAILED, file, offset, what, error);
}

static int make_failed(struct tn_log *log, uint64_t file, int error)
{
    if (error == ENOMEM || error == EMFILE || error == ENFILE)
        return tn_log_say(log, TARN_E_MEMORY, file, 0, "it cannot be made", error);
    return write_failed(log, file, 0, "it cannot be made", error);
}

static int sync_failed(struct tn_log *log, uint64_t file, int error)
{
    log->failed = true;
    return tn_log_say(log, TARN_E_FAILED, file, 0, "it cannot be synced; open the store again",
                      error);
}

static int file_sync(struct tn_log *log, struct tn_log_file *file)
{
    int result = log->os.ops->file_sync(log->os.context, file->id);

    log->sync_count++;
    if (result != 0)
        return sync_failed(log, file->number, -result);
    file->synced = true;
    return TARN_OK;
}

static int names_sync(struct tn_log *log)
{
    int result;

    if (!log->files.names_are_new)
        return TARN_OK;
    result = log->os.ops->directory_sync(log->os.context, log->directory);
    log->sync_count++;
    if (result != 0)
        return sync_failed(log, 0, -result);
    log->files.names_are_new = false;
    return TARN_OK;
}

/* The buffer is free when a file is made: no section is open. */
static int header_write(struct tn_log *log, int id, uint64_t number)
{
    struct tn_log_header header = { .incarnation = log->incarnation, .file = number };
    int result;

    memcpy(header.store_id, log->store_id, sizeof header.store_id);
    memcpy(header.secret, log->secret, sizeof header.secret);
    tn_log_header_encode(log->buffer, &header);
    result = log->os.ops->file_write(log->os.context, id, log->buffer, TN_LOG_HEADER_BYTES, 0);
    if (result != 0)
        return write_failed(log, number, 0, "its header cannot be written", -result);
    log->written_bytes += TN_LOG_HEADER_BYTES;
    return TARN_OK;
}

static void file_unmake(struct tn_log *log, int id, const char *name)
{
    log->os.ops->file_close(log->os.context, id);
    (void)log->os.ops->directory_unlink(log->os.context, log->directory, name); /* N2 */
}

int tn_log_file_make(struct tn_log *log, bool sync)
{
    uint64_t number = log->files.number_next;
    char name[TN_LOG_NAME_BYTES];
    struct tn_log_file *file;
    int id, result;

    if (number > TN_LOG_NUMBER_MAX)
        return tn_log_say(log, TARN_E_FULL, 0, 0, "there are no file numbers left", 0);
    if (!files_reserve(log))
        return tn_log_say(log, TARN_E_MEMORY, 0, 0, "no memory for another file", 0);
    tn_log_name(name, number);
    id = log->os.ops->file_open(log->os.context, log->directory, name,
                                TN_OS_CREATE | TN_OS_EXCLUSIVE | TN_OS_WRITE);
    if (id < 0)
        return make_failed(log, number, -id);
    log->files.number_next = number + 1;
    result = header_write(log, id, number);
    if (result != TARN_OK) {
        file_unmake(log, id, name);
        return result;
    }
    file = files_insert(&log->files, number);
    file->id = id;
    file->own = true;
    file->bytes = TN_LOG_HEADER_BYTES;
    file->header_holds = true;
    log->files.names_are_new = true;
    log->has_current = true;
    log->is_new = false;
    log->current_offset = log->synced_offset = TN_LOG_HEADER_BYTES;
    log->room_end = 0;
    return sync ? tn_log_files_sync(log) : TARN_OK;
}

int tn_log_file_write(struct tn_log *log, const void *from, size_t bytes, uint64_t offset)
{
    struct tn_log_file *file = tn_log_file_current(log);
    int result;

    file->synced = false;
    file->bytes = tn_max(file->bytes, offset + bytes); /* N4 */
    result = log->os.ops->file_write(log->os.context, file->id, from, bytes, offset);
    if (result != 0)
        return write_failed(log, file->number, offset, "it cannot be written", -result);
    log->written_bytes += bytes;
    return TARN_OK;
}

/* Oldest first: what a later file says to be synced is so once that file is. */
int tn_log_files_sync(struct tn_log *log)
{
    struct tn_log_file *file;
    int result = TARN_OK;
    size_t i;

    for (i = 0; i < log->files.count && result == TARN_OK; i++) {
        file = &log->files.items[i];
        if (file->own && !file->synced)
            result = file_sync(log, file);
        if (file->own && file->synced && i + 1 < log->files.count)
            tn_log_file_close(log, file);
    }
    return result == TARN_OK ? names_sync(log) : result;
}

/* ---- what is needed -------------------------------------------------------------------------- */

void tn_log_files_count_sections(struct tn_log *log)
{
    struct tn_log_sections *sections = &log->sections;
    struct tn_log_file *file;
    size_t i;

    for (i = 0; i < log->files.count; i++)
        log->files.items[i].last_section = 0;
    for (i = 0; i < sections->count; i++) {
        file = tn_log_file_of(log, sections->items[sections->head + i].file);
        file->last_section = tn_max(file->last_section, sections->first_number + i);
    }
}

static bool file_is_unneeded(const struct tn_log *log, size_t index, uint64_t first_needed)
{
    bool is_current = log->has_current && index + 1 == log->files.count;

    return !is_current && log->files.items[index].last_section < first_needed;
}

bool tn_log_files_have_unneeded(const struct tn_log *log, uint64_t first_needed)
{
    size_t i;

    for (i = 0; i < log->files.count; i++)
        if (file_is_unneeded(log, i, first_needed))
            return true;
    return false;
}

void tn_log_files_unlink_unneeded(struct tn_log *log, uint64_t first_needed)
{
    struct tn_log_files *files = &log->files;
    char name[TN_LOG_NAME_BYTES];
    size_t i, kept = 0;
    int result;

    for (i = 0; i < files->count; i++) {
        result = -EBUSY;
        if (file_is_unneeded(log, i, first_needed)) {
            tn_log_file_close(log, &files->items[i]);
            tn_log_name(name, files->items[i].number);
            result = log->os.ops->directory_unlink(log->os.context, log->directory, name);
        }
        if (result != 0 && result != -ENOENT)
            files->items[kept++] = files->items[i];
    }
    files->count = kept;
}
