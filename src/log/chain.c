/*
 * chain.c - see chain.h for the rules
 */
#include "log/chain.h"

#include <stdio.h>
#include <string.h>

/* What went wrong with the highest candidate: the first thing to tell when there is corruption. */
struct choice {
    struct tn_log *log;
    struct tn_log_scan *scan;
    char first_failure[sizeof(((struct tn_log *)0)->text)];
};

/* ---- sorting --------------------------------------------------------------------------------- */

/* Numbers descending; of one number copies side by side, the youngest file's first. */
static bool found_before(const struct tn_log_found *a, const struct tn_log_found *b)
{
    if (a->number != b->number)
        return a->number > b->number;
    if (a->identity != b->identity)
        return a->identity < b->identity;
    return a->file != b->file ? a->file > b->file : a->footer_offset > b->footer_offset;
}

static void found_swap(struct tn_log_found *a, struct tn_log_found *b)
{
    struct tn_log_found kept = *a;

    *a = *b;
    *b = kept;
}

static void heap_sink(struct tn_log_found *items, size_t at, size_t count)
{
    size_t child;

    while ((child = 2 * at + 1) < count) {
        if (child + 1 < count && found_before(&items[child], &items[child + 1]))
            child++;
        if (!found_before(&items[at], &items[child]))
            return;
        found_swap(&items[at], &items[child]);
        at = child;
    }
}

/* Heapsort: no memory, no bad case for what somebody else wrote. */
static void found_sort(struct tn_log_found *items, size_t count)
{
    size_t i;

    for (i = count / 2; i-- > 0;)
        heap_sink(items, i, count);
    for (i = count; i-- > 1;) {
        found_swap(&items[0], &items[i]);
        heap_sink(items, 0, i);
    }
}

/* The first copy of that section, or NULL. */
static struct tn_log_found *found_copies(struct tn_log_scan *scan, uint64_t number,
                                         uint64_t identity)
{
    struct tn_log_found key = { .number = number, .identity = identity, .file = UINT64_MAX };
    size_t low = 0, high = scan->count, middle;

    while (low < high) {
        middle = low + (high - low) / 2;
        if (found_before(&scan->items[middle], &key))
            low = middle + 1;
        else
            high = middle;
    }
    if (low == scan->count || scan->items[low].number != number ||
        scan->items[low].identity != identity)
        return NULL;
    return &scan->items[low];
}

static bool found_same(const struct tn_log_scan *scan, const struct tn_log_found *a,
                       const struct tn_log_found *b)
{
    return b < scan->items + scan->count && a->number == b->number && a->identity == b->identity;
}

/* ---- one chain ------------------------------------------------------------------------------- */

static void failure_keep(struct choice *choice)
{
    if (choice->first_failure[0] == '\0')
        memcpy(choice->first_failure, choice->log->text, sizeof choice->first_failure);
}

static int body_verify(struct choice *choice, struct tn_log_found *found)
{
    struct tn_log *log = choice->log;
    struct tn_log_reading reading;
    int result;

    if (found->body != TN_LOG_NOT_READ)
        return TARN_OK;
    result =
        tn_log_section_open(&reading, log, tn_log_file_of(log, found->file), found->footer_offset);
    if (result == TARN_OK && found->number > log->late_through)
        result = tn_log_section_verify(&reading);
    if (result == TARN_E_CORRUPT)
        failure_keep(choice);
    else if (result != TARN_OK)
        return result;
    found->body = result == TARN_OK ? TN_LOG_HOLDS : TN_LOG_BROKEN;
    return TARN_OK;
}

/* H2: *out is the copy that counts, or NULL. */
static int copy_choose(struct choice *choice, struct tn_log_found *copies,
                       struct tn_log_found **out)
{
    struct tn_log_found *copy;
    int result;

    *out = NULL;
    for (copy = copies; found_same(choice->scan, copies, copy); copy++) {
        result = body_verify(choice, copy);
        if (result != TARN_OK)
            return result;
        if (copy->body == TN_LOG_HOLDS) {
            *out = copy;
            return TARN_OK;
        }
    }
    return TARN_OK;
}

static struct tn_log_found *found_previous(struct tn_log_scan *scan,
                                           const struct tn_log_found *found)
{
    return found_copies(scan, found->number - 1, found->previous);
}

/* Of a file with sections that nobody reads (P1 of scan.h), which may be those that are missing. */
static void unread_file_say(const struct tn_log *log, char *text, size_t room)
{
    char name[TN_LOG_NAME_BYTES];
    size_t i = 0;

    while (i < log->files.count &&
           (log->files.items[i].header_holds || log->files.items[i].bytes <= TN_LOG_HEADER_BYTES))
        i++;
    if (i == log->files.count)
        return;
    tn_log_name(name, log->files.items[i].number);
    (void)snprintf(text, room, "; the header of %s is damaged", name);
}

static void missing_say(struct choice *choice, const struct tn_log_found *after)
{
    char what[160];
    int length;

    length = snprintf(what, sizeof what, "commit %llu, which commit %llu stands on, is not there",
                      (unsigned long long)(after->number - 1), (unsigned long long)after->number);
    unread_file_say(choice->log, what + length, sizeof what - (size_t)length);
    (void)tn_log_say(choice->log, TARN_E_CORRUPT, after->file, after->footer_offset, what, 0);
    failure_keep(choice);
}

/* Down from a candidate: the number of the first section that fails it, 0 when none does. */
static int chain_walk(struct choice *choice, struct tn_log_found *candidate, uint64_t *out_fails_at)
{
    struct tn_log_found *at = candidate, *copy, *before;
    int result;

    for (;;) {
        if (at->fails_at != 0) { /* H4 */
            *out_fails_at = at->fails_at >= candidate->first_needed ? at->fails_at : 0;
            return TARN_OK;
        }
        result = copy_choose(choice, at, &copy);
        if (result != TARN_OK)
            return result;
        *out_fails_at = copy == NULL ? at->number : 0;
        if (copy == NULL || at->number == candidate->first_needed)
            return TARN_OK;
        before = found_previous(choice->scan, at);
        if (before == NULL) {
            missing_say(choice, at);
            *out_fails_at = at->number - 1;
            return TARN_OK;
        }
        at = before;
    }
}

/* All that stand on what failed need not be walked again. */
static void chain_fail(struct choice *choice, struct tn_log_found *candidate, uint64_t fails_at)
{
    struct tn_log_found *at = candidate;

    while (at != NULL && at->number >= fails_at && at->fails_at == 0) {
        at->fails_at = fails_at;
        at = found_previous(choice->scan, at);
    }
}

/* H1; *out is NULL when nothing is whole. Of one number the youngest file's. */
static int candidate_choose(struct choice *choice, struct tn_log_found **out)
{
    struct tn_log_scan *scan = choice->scan;
    struct tn_log_found *at;
    uint64_t fails_at;
    size_t i;
    int result;

    *out = NULL;
    for (i = 0; i < scan->count; i++) {
        at = &scan->items[i];
        if (*out != NULL && at->number != (*out)->number)
            break;
        if (i > 0 && found_same(scan, at - 1, at))
            continue;
        result = chain_walk(choice, at, &fails_at);
        if (result != TARN_OK)
            return result;
        if (fails_at != 0)
            chain_fail(choice, at, fails_at);
        else if (*out == NULL || at->file > (*out)->file)
            *out = at;
    }
    return TARN_OK;
}

/* ---- what is accepted ------------------------------------------------------------------------ */

static int refuse_below_floor(struct choice *choice, const struct tn_log_found *accepted)
{
    struct tn_log *log = choice->log;
    const struct tn_log_proof *floor = &choice->scan->floor;
    char proof[TN_LOG_NAME_BYTES];
    char what[200];

    tn_log_name(proof, floor->file);
    (void)snprintf(
        what, sizeof what,
        "commit %llu was synced, as %s says at offset %llu, but the newest that is whole "
        "is %llu",
        (unsigned long long)floor->number, proof, (unsigned long long)floor->offset,
        accepted != NULL ? (unsigned long long)accepted->number : 0ULL);
    if (choice->first_failure[0] != '\0')
        (void)snprintf(log->text, sizeof log->text, "%.180s; %s", choice->first_failure, what);
    else
        (void)tn_log_say(log, TARN_E_CORRUPT, accepted != NULL ? accepted->file : floor->file,
                         accepted != NULL ? accepted->footer_offset + TN_LOG_FOOTER_BYTES
                                          : TN_LOG_HEADER_BYTES,
                         what, 0);
    return TARN_E_CORRUPT;
}

/* H3 */
static int floor_check(struct choice *choice, const struct tn_log_found *accepted)
{
    const struct tn_log_mark *mark = &choice->scan->mark;

    if (choice->scan->floor.number > (accepted != NULL ? accepted->number : 0))
        return refuse_below_floor(choice, accepted);
    if (accepted != NULL && mark->number == accepted->number &&
        mark->identity != accepted->identity)
        return tn_log_say(choice->log, TARN_E_CORRUPT, accepted->file, accepted->footer_offset,
                          "the store was closed with another section of this number", 0);
    return TARN_OK;
}

/* The copy that counts, of a section that was found whole before. */
static int copy_open(struct choice *choice, struct tn_log_found *copies,
                     struct tn_log_reading *reading, struct tn_log_found **out)
{
    int result = copy_choose(choice, copies, out);

    if (result != TARN_OK)
        return result;
    tn_assert(*out != NULL);
    return tn_log_section_open(reading, choice->log, tn_log_file_of(choice->log, (*out)->file),
                               (*out)->footer_offset);
}

static int note_read(struct tn_log *log, struct tn_log_reading *reading)
{
    size_t bytes = reading->footer.note_bytes;
    void *note = log->note;
    int result;

    if (!tn_log_grow(log->memory, &note, 0, &log->note_capacity, bytes, 1))
        return tn_log_say(log, TARN_E_MEMORY, reading->file->number, reading->offset,
                          "no memory for the note", 0);
    log->note = note;
    result = tn_log_section_copy(reading, reading->shape.note_at, bytes, log->note);
    log->last.note = (tarn_bytes){ .data = log->note, .bytes = bytes };
    return result;
}

static int last_accept(struct choice *choice, struct tn_log_found *accepted)
{
    struct tn_log *log = choice->log;
    struct tn_log_reading reading;
    struct tn_log_found *copy = NULL;
    const struct tn_log_footer *footer = &reading.footer;
    int result = copy_open(choice, accepted, &reading, &copy);

    if (result != TARN_OK)
        return result;
    log->last = (struct tn_log_commit){
        .number = footer->number,
        .tick = footer->tick,
        .clock = footer->clock,
        .next_table_id = footer->next_table_id,
        .cursor = footer->after,
    };
    log->last_identity = footer->identity;
    log->first_needed = footer->first_needed;
    log->cursor_holds = footer->hash_version == log->options.hash_version;
    log->marked = choice->scan->mark.number == footer->number;
    log->synced_number = choice->scan->floor.number;
    return note_read(log, &reading);
}

/* Where a section began its sweep is in its footer. */
static int section_accept(struct choice *choice, struct tn_log_found *copies,
                          struct tn_log_section *out)
{
    struct tn_log *log = choice->log;
    struct tn_log_reading reading;
    struct tn_log_found *copy = NULL;
    int result = copy_open(choice, copies, &reading, &copy);

    if (result != TARN_OK)
        return result;
    if (copy != copies)
        log->synced_number = tn_min(log->synced_number, copy->number - 1);
    out->before = reading.footer.before;
    out->file = copy->file;
    out->footer_offset = copy->footer_offset;
    if (reading.footer.hash_version != log->options.hash_version)
        out->before = (struct tn_log_cursor){ .revolution = UINT64_MAX };
    return TARN_OK;
}

/* From the accepted one down, filled in from the end. */
static int sections_accept(struct choice *choice, struct tn_log_found *accepted)
{
    struct tn_log *log = choice->log;
    size_t count = (size_t)(accepted->number - accepted->first_needed + 1);
    struct tn_log_found *at = accepted;
    int result = TARN_OK;

    if (!tn_log_sections_reserve(log, count))
        return tn_log_say(log, TARN_E_MEMORY, 0, 0, "no memory for its list of sections", 0);
    log->sections.first_number = accepted->first_needed;
    log->sections.count = count;
    for (; result == TARN_OK && count > 0; at = found_previous(choice->scan, at))
        result = section_accept(choice, at, &log->sections.items[--count]);
    return result;
}

int tn_log_choose(struct tn_log *log, struct tn_log_scan *scan)
{
    struct choice choice = { .log = log, .scan = scan };
    struct tn_log_found *accepted;
    int result;

    log->late_through = log->options.verify_late ? scan->floor.number : 0;
    found_sort(scan->items, scan->count);
    result = candidate_choose(&choice, &accepted);
    if (result == TARN_OK)
        result = floor_check(&choice, accepted);
    if (result != TARN_OK || accepted == NULL)
        return result;
    result = last_accept(&choice, accepted);
    if (result == TARN_OK)
        result = sections_accept(&choice, accepted);
    if (result == TARN_OK)
        tn_log_files_count_sections(log);
    return result;
}
