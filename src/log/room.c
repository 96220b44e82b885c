/*
 * room.c - see room.h for the rules
 */
#include "log/room.h"

#include "log/files.h"

#include <string.h>

/* M1: as much as is synced at once, for zeros to be worth it; and how many of them. */
#define ROOM_SYNC_BYTES_MAX ((uint64_t)(8 * TN_KIB))
#define ROOM_BYTES_MIN ((uint64_t)(64 * TN_KIB))
#define ROOM_FILE_PART 64u /* or that part of a file, where files are small */
#define ROOM_BYTES_MAX ((uint64_t)(TN_MIB))

/* M1: how much, if any, from the next sync block on. */
static uint64_t room_wanted(const struct tn_log *log)
{
    uint64_t end = tn_align_up(log->current_offset, TN_LOG_SYNC_BYTES), bytes;
    uint64_t least = tn_min(ROOM_BYTES_MIN, log->file_bytes_max / ROOM_FILE_PART);

    if (log->writing.open || !log->has_current || log->current_offset <= log->room_end ||
        end - log->synced_offset > ROOM_SYNC_BYTES_MAX || end >= log->file_bytes_max)
        return 0;
    bytes = tn_min(tn_min(end, ROOM_BYTES_MAX), log->file_bytes_max - end);
    return bytes >= least ? bytes - bytes % TN_LOG_SYNC_BYTES : 0;
}

/* M2. No section is open, so the buffer is free. */
int tn_log_room_make(struct tn_log *log)
{
    uint64_t wanted = room_wanted(log), at = log->current_offset, size;
    int result = TARN_OK;

    if (wanted == 0)
        return TARN_OK;
    log->room_end = tn_align_up(at, TN_LOG_SYNC_BYTES) + wanted;
    memset(log->buffer, 0, TN_LOG_BUFFER_BYTES);
    for (; at < log->room_end && result == TARN_OK; at += size) {
        size = tn_min(TN_LOG_BUFFER_BYTES, log->room_end - at);
        result = tn_log_file_write(log, log->buffer, (size_t)size, at);
    }
    if (result != TARN_E_FULL)
        return result;
    tn_log_room_cut(log);
    log->room_end = UINT64_MAX; /* not in this file again */
    return TARN_OK;
}

void tn_log_room_cut(struct tn_log *log)
{
    struct tn_log_file *file = tn_log_file_current(log);

    if (file->bytes <= log->current_offset ||
        log->os.ops->file_truncate(log->os.context, file->id, log->current_offset) != 0)
        return;
    file->bytes = log->current_offset;
    log->room_end = 0;
}
