/*
 * scan.c - see scan.h for the rules
 */
#include "log/scan.h"

#include <errno.h>
#include <string.h>

/* ---- headers --------------------------------------------------------------------------------- */

int tn_log_scan_open(struct tn_log *log, struct tn_log_file *file)
{
    char name[TN_LOG_NAME_BYTES];
    int result;

    tn_log_name(name, file->number);
    file->id = log->os.ops->file_open(log->os.context, log->directory, name, 0);
    if (file->id == -ENOENT)
        return TARN_ABSENT;
    if (file->id < 0)
        return tn_log_say(log, file->id == -ENOMEM ? TARN_E_MEMORY : TARN_E_IO, file->number, 0,
                          "it cannot be opened", -file->id);
    result = log->os.ops->file_size(log->os.context, file->id, &file->bytes);
    if (result != 0)
        return tn_log_say(log, TARN_E_IO, file->number, 0, "its size cannot be had", -result);
    return TARN_OK;
}

/* P3 */
static int header_accept(struct tn_log *log, struct tn_log_file *file,
                         const struct tn_log_header *header)
{
    if (header->file != file->number)
        return tn_log_say(log, TARN_E_CORRUPT, file->number, 0,
                          "this is another file of the store, under a wrong name", 0);
    if (log->is_new) {
        memcpy(log->store_id, header->store_id, sizeof log->store_id);
        memcpy(log->secret, header->secret, sizeof log->secret);
        log->is_new = false;
    }
    if (memcmp(log->store_id, header->store_id, sizeof log->store_id) != 0 ||
        memcmp(log->secret, header->secret, sizeof log->secret) != 0)
        return tn_log_say(log, TARN_E_CORRUPT, file->number, 0,
                          "this file belongs to another store; take it away", 0);
    log->incarnation_seen = tn_max(log->incarnation_seen, header->incarnation);
    file->header_holds = true;
    return TARN_OK;
}

static int header_read(struct tn_log *log, struct tn_log_file *file)
{
    struct tn_log_header header;
    int result = tn_log_scan_open(log, file);

    if (result != TARN_OK || file->bytes < TN_LOG_HEADER_BYTES)
        return result;
    result = tn_log_file_read(log, file, log->buffer, TN_LOG_HEADER_BYTES, 0);
    if (result != TARN_OK)
        return result;
    result = tn_log_header_decode(&header, log->buffer);
    if (result == TARN_E_VERSION)
        return tn_log_say(log, result, file->number, 0,
                          "another version of tarn wrote this; use that one", 0);
    return result == TARN_OK ? header_accept(log, file, &header) : TARN_OK;
}

/*
 * Nothing is written before a header is synced, so files without one that are no longer than a
 * header are what is left of a store that was being made.
 */
static int headers_missing(struct tn_log *log)
{
    size_t i;

    for (i = 0; i < log->files.count; i++)
        if (log->files.items[i].bytes > TN_LOG_HEADER_BYTES)
            return tn_log_say(log, TARN_E_CORRUPT, log->files.items[i].number, 0,
                              "its header is damaged, and no other file has one", 0);
    return TARN_OK;
}

static int headers_read(struct tn_log *log)
{
    int result = TARN_OK;
    size_t i;

    log->is_new = true;
    log->incarnation_seen = 0;
    for (i = 0; i < log->files.count && result == TARN_OK; i++)
        result = header_read(log, &log->files.items[i]);
    return result == TARN_OK && log->is_new ? headers_missing(log) : result;
}

/* ---- footers and marks ----------------------------------------------------------------------- */

struct backward {
    struct tn_log *log;
    struct tn_log_file *file;
    uint64_t window_at; /* in the file; the buffer has what is from there on */
    uint64_t window_end;
};

#define BACKWARD_BYTES ((uint64_t)(64 * TN_KIB))

static int window_read(struct backward *backward, uint64_t end, uint64_t bytes)
{
    struct tn_log *log = backward->log;
    int result = tn_log_file_read(log, backward->file, log->buffer, (size_t)bytes, end - bytes);

    backward->window_at = end - bytes;
    backward->window_end = result == TARN_OK ? end : 0;
    return result;
}

/* The `bytes` before `end`. */
static int backward_need(struct backward *backward, uint64_t end, uint64_t bytes,
                         const uint8_t **out)
{
    struct tn_log *log = backward->log;
    int result;

    if (end > backward->window_end || end - bytes < backward->window_at) {
        result = window_read(backward, end, tn_min(end, BACKWARD_BYTES));
        if (result == TARN_E_CORRUPT && log->options.lenient) /* P5: then as little as can be */
            result = window_read(backward, end, bytes);
        if (result != TARN_OK)
            return result;
    }
    *out = log->buffer + (end - bytes - backward->window_at);
    return TARN_OK;
}

static void proof_add(struct tn_log_scan *scan, uint64_t number, uint64_t file, uint64_t offset)
{
    if (number > scan->floor.number)
        scan->floor = (struct tn_log_proof){ .number = number, .file = file, .offset = offset };
}

static int found_add(struct tn_log_scan *scan, struct backward *backward, uint64_t footer_offset,
                     const struct tn_log_footer *footer)
{
    struct tn_log *log = backward->log;
    void *items = scan->items;
    bool grown;

    log->incarnation_seen = tn_max(log->incarnation_seen, footer->incarnation);
    proof_add(scan, footer->synced_through, backward->file->number, footer_offset);
    if (!backward->file->header_holds && !scan->all)
        return TARN_OK; /* P1 */
    grown = tn_log_grow(log->memory, &items, scan->count, &scan->capacity, 1, sizeof *scan->items);
    scan->items = items;
    if (!grown)
        return tn_log_say(log, TARN_E_MEMORY, backward->file->number, footer_offset,
                          "no memory to note this section", 0);
    scan->items[scan->count++] = (struct tn_log_found){
        .number = footer->number,
        .identity = footer->identity,
        .previous = footer->previous,
        .first_needed = footer->first_needed,
        .incarnation = footer->incarnation,
        .file = backward->file->number,
        .footer_offset = footer_offset,
        .bytes = footer->section_bytes,
        .body = backward->file->header_holds ? TN_LOG_NOT_READ : TN_LOG_BROKEN,
    };
    return TARN_OK;
}

static void mark_add(struct tn_log_scan *scan, struct backward *backward, uint64_t offset,
                     const struct tn_log_mark *mark)
{
    struct tn_log *log = backward->log;

    log->incarnation_seen = tn_max(log->incarnation_seen, mark->incarnation);
    proof_add(scan, mark->number, backward->file->number, offset);
    if (mark->number > scan->mark.number)
        scan->mark = *mark;
}

/* A footer that holds and ends at `end` is added: then *out_next is where its section begins. */
static int footer_look(struct tn_log_scan *scan, struct backward *backward, uint64_t end,
                       uint64_t *out_next)
{
    uint64_t room = end - TN_LOG_HEADER_BYTES;
    struct tn_log_footer footer;
    const uint8_t *at;
    int result;

    if (room < TN_LOG_FOOTER_BYTES)
        return TARN_ABSENT;
    result = backward_need(backward, end, TN_LOG_FOOTER_BYTES, &at);
    if (result != TARN_OK)
        return result;
    if (!tn_log_footer_decode(&footer, at, backward->log->store_id) || footer.section_bytes > room)
        return TARN_ABSENT;
    *out_next = end - footer.section_bytes;
    return found_add(scan, backward, end - TN_LOG_FOOTER_BYTES, &footer);
}

static int mark_look(struct tn_log_scan *scan, struct backward *backward, uint64_t end)
{
    struct tn_log_mark mark;
    const uint8_t *at;
    int result;

    if ((end - TN_LOG_MARK_BYTES) % TN_LOG_SYNC_BYTES != 0)
        return TARN_OK;
    result = backward_need(backward, end, TN_LOG_MARK_BYTES, &at);
    if (result == TARN_OK && tn_log_mark_decode(&mark, at, backward->log->store_id))
        mark_add(scan, backward, end - TN_LOG_MARK_BYTES, &mark);
    return result;
}

/* What ends at `end`; *out_next is where to look next. */
static int look_at(struct tn_log_scan *scan, struct backward *backward, uint64_t end,
                   uint64_t *out_next)
{
    int result;

    *out_next = end - TN_LOG_STEP_BYTES;
    result = footer_look(scan, backward, end, out_next);
    if (result == TARN_ABSENT || (result == TARN_E_CORRUPT && backward->log->options.lenient))
        result = mark_look(scan, backward, end);
    return result == TARN_E_CORRUPT && backward->log->options.lenient ? TARN_OK : result; /* P5 */
}

/* Whether a footer ends here, as is known by now, or the step before `end` is not all zeros. */
static bool step_is_used(struct backward *backward, uint64_t end, uint64_t next)
{
    static const uint8_t zeros[TN_LOG_STEP_BYTES];
    const uint8_t *at;

    return end - next != TN_LOG_STEP_BYTES ||
           backward_need(backward, end, TN_LOG_STEP_BYTES, &at) != TARN_OK ||
           memcmp(at, zeros, sizeof zeros) != 0;
}

/* P6; a footer is the end, whatever the block it is in. */
static void used_note(struct backward *backward, uint64_t end, uint64_t next)
{
    struct tn_log_file *file = backward->file;

    if (!step_is_used(backward, end, next))
        return;
    if (end - next == TN_LOG_STEP_BYTES)
        end = tn_align_up(end, TN_LOG_SYNC_BYTES);
    file->used_bytes = tn_min(end, file->bytes);
}

int tn_log_scan_file(struct tn_log_scan *scan, struct tn_log *log, struct tn_log_file *file)
{
    struct backward backward = { .log = log, .file = file };
    uint64_t end = file->bytes - file->bytes % TN_LOG_STEP_BYTES, next;
    int result = TARN_OK;

    file->used_bytes = end != file->bytes ? file->bytes : 0;
    while (end > TN_LOG_HEADER_BYTES && result == TARN_OK) {
        result = look_at(scan, &backward, end, &next);
        if (file->used_bytes == 0 && result == TARN_OK)
            used_note(&backward, end, next);
        end = next;
    }
    return result;
}

int tn_log_scan(struct tn_log_scan *out, struct tn_log *log)
{
    int result;
    size_t i;

    *out = (struct tn_log_scan){ .items = NULL };
    result = headers_read(log);
    for (i = 0; i < log->files.count && result == TARN_OK; i++)
        result = tn_log_scan_file(out, log, &log->files.items[i]);
    return result;
}

void tn_log_scan_finish(struct tn_log_scan *scan, struct tn_log *log)
{
    tn_memory_free(log->memory, scan->items, scan->capacity * sizeof *scan->items);
    *scan = (struct tn_log_scan){ .items = NULL };
}
