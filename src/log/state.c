/*
 * state.c - see state.h for the rules
 */
#include "log/state.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* ---- making ---------------------------------------------------------------------------------- */

struct tn_log *tn_log_new(const struct tn_os *os, struct tn_memory *memory,
                          const struct tn_log_options *options)
{
    struct tn_log *log = tn_memory_new(memory, sizeof *log, true);

    if (log == NULL)
        return NULL;
    log->os = *os;
    log->memory = memory;
    log->options = *options;
    log->directory = -1;
    /* A section's window, and a block for values that do not fit into it. */
    log->buffer = tn_memory_new(memory, TN_LOG_BUFFER_BYTES + TN_LOG_BLOCK_BYTES, false);
    if (log->buffer != NULL)
        return log;
    tn_memory_free(memory, log, sizeof *log);
    return NULL;
}

/* ---- texts ----------------------------------------------------------------------------------- */

/* The names of what happens; strerror is not for libraries: it may take locks and memory. */
static const char *error_text(int error)
{
    switch (error) {
    case EACCES:
    case EPERM:
        return "not permitted";
    case EBUSY:
        return "another process has it";
    case EDQUOT:
        return "the disk quota is used up";
    case EEXIST:
        return "it is there already";
    case EFBIG:
        return "the file would be larger than is allowed";
    case EIO:
        return "the device failed";
    case ELOOP:
        return "it is a symbolic link";
    case EMFILE:
    case ENFILE:
        return "too many files are open";
    case ENOENT:
        return "there is no such file or directory";
    case ENOMEM:
        return "the system has no memory";
    case ENOSPC:
        return "the disk is full";
    case ENOTDIR:
        return "it is not a directory";
    case EROFS:
        return "the file system is read-only";
    default:
        return "the system refused";
    }
}

int tn_log_say(struct tn_log *log, int result, uint64_t file, uint64_t offset, const char *what,
               int error)
{
    char name[TN_LOG_NAME_BYTES] = "the directory", why[96] = "";

    if (error != 0)
        (void)snprintf(why, sizeof why, ": %s (errno %d)", error_text(error), error);
    if (file != 0)
        tn_log_name(name, file);
    if (file != 0)
        (void)snprintf(log->text, sizeof log->text, "%s, offset %llu: %s%s", name,
                       (unsigned long long)offset, what, why);
    else
        (void)snprintf(log->text, sizeof log->text, "%s: %s%s", name, what, why);
    return result;
}

/* ---- arrays ---------------------------------------------------------------------------------- */

bool tn_log_grow(struct tn_memory *memory, void **items, size_t count, size_t *capacity,
                 size_t more, size_t item_bytes)
{
    size_t wanted = tn_max(count + more, tn_max(2 * *capacity, 8));
    void *grown;

    if (count + more <= *capacity)
        return true;
    grown = tn_memory_resize(memory, *items, *capacity * item_bytes, wanted * item_bytes);
    if (grown == NULL)
        return false;
    *items = grown;
    *capacity = wanted;
    return true;
}

/* ---- sections -------------------------------------------------------------------------------- */

bool tn_log_sections_reserve(struct tn_log *log, size_t more)
{
    struct tn_log_sections *sections = &log->sections;
    void *items = sections->items;
    bool grown;

    if (sections->head > sections->count) { /* more is forgotten than there is */
        memmove(sections->items, sections->items + sections->head,
                sections->count * sizeof *sections->items);
        sections->head = 0;
    }
    grown = tn_log_grow(log->memory, &items, sections->head + sections->count, &sections->capacity,
                        more, sizeof *sections->items);
    sections->items = items;
    return grown;
}

void tn_log_sections_add(struct tn_log *log, const struct tn_log_section *section)
{
    struct tn_log_sections *sections = &log->sections;

    sections->items[sections->head + sections->count++] = *section;
}

struct tn_log_section *tn_log_sections_at(struct tn_log *log, uint64_t number)
{
    struct tn_log_sections *sections = &log->sections;

    tn_assert(number - sections->first_number < sections->count);
    return &sections->items[sections->head + (size_t)(number - sections->first_number)];
}

void tn_log_sections_forget(struct tn_log *log, uint64_t below)
{
    struct tn_log_sections *sections = &log->sections;
    uint64_t gone;

    if (below <= sections->first_number)
        return;
    gone = below - sections->first_number;
    tn_assert(gone <= sections->count);
    sections->head += (size_t)gone;
    sections->count -= (size_t)gone;
    sections->first_number = below;
}

/* Cursors ascend, but for those of another hash version, which are 'nowhere' and come first. */
uint64_t tn_log_sections_needed(const struct tn_log *log, const struct tn_log_cursor *after)
{
    const struct tn_log_sections *sections = &log->sections;
    const struct tn_log_section *items = sections->items + sections->head;
    struct tn_log_cursor then = *after;
    size_t low = 0, high = sections->count, middle;

    if (then.revolution == 0)
        return sections->first_number;
    then.revolution--;
    while (low < high) {
        middle = low + (high - low) / 2;
        if (items[middle].before.revolution == UINT64_MAX ||
            tn_log_cursor_compare(&items[middle].before, &then) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0 || items[low - 1].before.revolution == UINT64_MAX)
        return sections->first_number;
    return sections->first_number + (low - 1);
}
