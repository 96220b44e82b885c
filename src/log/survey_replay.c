/*
 * survey_replay.c - what can be read of a damaged directory; see V4 of survey.h
 *
 *     number by number, oldest first; in each: sweep, tombstones, delta; of each part: every copy
 *
 * Part by part through all copies, not copy by copy: what the sweep wrote is older than the delta.
 */
#include "log/entries.h"
#include "log/survey_damage.h"

struct replay {
    struct tn_log_survey *survey;
    bool catalog_only;
    tn_log_entry_fn *each;
    void *argument;
};

static int part_replay(struct replay *replay, struct tn_log_reading *reading, enum tn_log_part part)
{
    struct tn_log_entries entries;
    struct tn_log_entry entry;
    int result;

    tn_log_entries_begin(&entries, reading, part);
    while ((result = tn_log_entries_next(&entries, &entry)) != TARN_END) {
        if (result == TARN_E_MEMORY)
            return result;
        if (result != TARN_OK)
            continue;
        if (replay->catalog_only && entry.table_id != TN_LOG_CATALOG_ID)
            return TARN_OK;
        result = replay->each(replay->argument, &entry);
        if (result != TARN_OK && result != TARN_E_CORRUPT)
            return result;
    }
    return TARN_OK;
}

/* A copy that cannot even be opened has nothing. */
static int copy_replay(struct replay *replay, const struct tn_log_found *copy,
                       enum tn_log_part part)
{
    struct tn_log *log = replay->survey->log;
    struct tn_log_reading reading;
    int result = tn_log_section_open_damaged(&reading, log, tn_log_file_of(log, copy->file),
                                             copy->footer_offset);

    if (copy->body == TN_LOG_HOLDS)
        reading.narrow = false;
    if (result == TARN_OK)
        result = part_replay(replay, &reading, part);
    return result == TARN_E_CORRUPT ? TARN_OK : result;
}

static int copies_replay(struct replay *replay, struct tn_log_found *copies)
{
    static const enum tn_log_part order[] = { TN_LOG_SWEEP, TN_LOG_TOMBSTONES, TN_LOG_DELTA };
    struct tn_log_found *end = tn_log_copies_end(replay->survey, copies), *at;
    struct tn_log_found *whole = tn_log_copies_whole(replay->survey, copies);
    int result = TARN_OK;
    size_t i;

    for (i = 0; i < TN_ARRAY_COUNT(order) && result == TARN_OK; i++)
        for (at = whole != NULL ? whole : copies; at < end && result == TARN_OK; at++) {
            result = copy_replay(replay, at, order[i]);
            if (whole != NULL)
                break;
        }
    return result;
}

int tn_log_survey_replay(struct tn_log_survey *survey, bool catalog_only, tn_log_entry_fn *each,
                         void *argument)
{
    struct replay replay = { survey, catalog_only, each, argument };
    struct tn_log_found *items = survey->scan.items;
    bool lossy = survey->counts[TARN_DAMAGE_LOST] > 0;
    uint64_t first = lossy ? survey->earliest : survey->oldest; /* V7 */
    size_t end = survey->scan.count, begin;
    int result = TARN_OK;

    for (; end > 0 && result == TARN_OK; end = begin) {
        for (begin = end - 1; begin > 0 && items[begin - 1].number == items[end - 1].number &&
                              items[begin - 1].identity == items[end - 1].identity;
             begin--) {
        }
        if (!items[begin].discarded && items[begin].number >= first &&
            items[begin].number <= survey->newest)
            result = copies_replay(&replay, &items[begin]);
    }
    return result;
}

/* ---- the note -------------------------------------------------------------------------------- */

/* Of one copy; TARN_E_CORRUPT: a block of it does not verify. */
static int note_read(struct tn_log_survey *survey, const struct tn_log_found *found,
                     tarn_bytes *out)
{
    struct tn_log *log = survey->log;
    struct tn_log_reading reading;
    void *note = log->note;
    int result = tn_log_section_open_damaged(&reading, log, tn_log_file_of(log, found->file),
                                             found->footer_offset);

    if (result != TARN_OK)
        return result;
    if (!tn_log_grow(survey->memory, &note, 0, &log->note_capacity, reading.footer.note_bytes, 1))
        return TARN_E_MEMORY;
    log->note = note;
    *out = (tarn_bytes){ .data = log->note, .bytes = reading.footer.note_bytes };
    return tn_log_section_copy(&reading, reading.shape.note_at, out->bytes, log->note);
}

int tn_log_survey_note(struct tn_log_survey *survey, uint64_t *out_number, tarn_bytes *out)
{
    const struct tn_log_found *items = survey->scan.items;
    int result = TARN_E_CORRUPT;
    size_t i;

    *out_number = 0;
    for (i = 0; i < survey->scan.count && result == TARN_E_CORRUPT; i++) {
        if (items[i].discarded || items[i].number > survey->newest)
            continue;
        result = note_read(survey, &items[i], out);
        *out_number = items[i].number;
    }
    if (result == TARN_OK || result == TARN_E_MEMORY)
        return result;
    *out_number = 0;
    *out = (tarn_bytes){ .data = "", .bytes = 0 };
    return TARN_OK;
}
