/*
 * survey_damage.c - what is damaged in a directory; see survey.h for the rules
 */
#include "log/survey_damage.h"

#include "log/entries.h"

#include <string.h>

int tn_log_damage_add(struct tn_log_survey *survey, const tarn_damage *damage)
{
    void *items = survey->damages;
    bool grown = tn_log_grow(survey->memory, &items, survey->damage_count, &survey->damage_capacity,
                             1, sizeof *survey->damages);

    survey->damages = items;
    if (!grown)
        return tn_log_say(survey->log, TARN_E_MEMORY, damage->file, damage->offset,
                          "no memory to note this damage", 0);
    survey->damages[survey->damage_count++] = *damage;
    survey->counts[damage->kind]++;
    return TARN_OK;
}

/* ---- what is needed: V1, V2 ------------------------------------------------------------------ */

static struct tn_log_found *found_end(const struct tn_log_survey *survey)
{
    return survey->scan.items + survey->scan.count;
}

/* Of a number that was accepted: all but the section that was. Its copies are `begin` to `end`, others among them. */
static void accepted_mark(struct tn_log_survey *survey, size_t begin, size_t end)
{
    struct tn_log_found *items = survey->scan.items;
    const struct tn_log_section *accepted = tn_log_sections_at(survey->log, items[begin].number);
    size_t i, at = begin;

    while (items[at].file != accepted->file || items[at].footer_offset != accepted->footer_offset)
        at++;
    for (i = begin; i < end; i++)
        items[i].discarded = items[i].identity != items[at].identity;
}

/* V2, from the lowest number up. */
static void discarded_mark(struct tn_log_survey *survey)
{
    struct tn_log_found *items = survey->scan.items;
    uint64_t incarnation = 0;
    size_t end = survey->scan.count, begin, i;

    for (; end > 0; end = begin) {
        for (begin = end; begin > 0 && items[begin - 1].number == items[end - 1].number; begin--)
            incarnation = tn_max(incarnation, items[begin - 1].incarnation);
        if (items[begin].number - survey->log->sections.first_number <
            survey->log->sections.count) {
            accepted_mark(survey, begin, end);
            continue;
        }
        for (i = begin; i < end; i++)
            items[i].discarded = items[i].incarnation < incarnation;
    }
}

/*
 * From `at` on, the first copy of the highest section that counts and is not above `number`. NULL: there
 * is none.
 */
static struct tn_log_found *found_below(const struct tn_log_survey *survey, struct tn_log_found *at,
                                        uint64_t number)
{
    while (at < found_end(survey) && (at->number > number || at->discarded))
        at++;
    return at < found_end(survey) ? at : NULL;
}

/* V1, of a store that does not open: from the proof on, as far as whole sections follow. */
static void newest_find(struct tn_log_survey *survey)
{
    const struct tn_log_found *at;
    size_t i;

    survey->newest = survey->scan.floor.number;
    for (i = survey->scan.count; i-- > 0;) {
        at = &survey->scan.items[i];
        if (at->discarded)
            continue;
        if (survey->newest == 0)
            survey->newest = at->number;
        if (at->number == survey->newest + 1 && at->body == TN_LOG_HOLDS)
            survey->newest = at->number;
    }
    at = found_below(survey, survey->scan.items, survey->newest);
    survey->oldest = at != NULL ? at->first_needed : survey->newest;
}

static void needed_find(struct tn_log_survey *survey)
{
    const struct tn_log *log = survey->log;

    survey->newest = log->last.number;
    survey->oldest = log->last.number != 0 ? log->first_needed : 0;
    if (log->last.number == 0 && survey->result != TARN_OK)
        newest_find(survey);
}

/* ---- blocks ---------------------------------------------------------------------------------- */

static tarn_damage damage_of(const struct tn_log_found *found, int kind, uint64_t offset,
                             uint64_t bytes, const char *what)
{
    return (tarn_damage){ .kind = kind,
                          .file = found->file,
                          .offset = offset,
                          .bytes = bytes,
                          .commit_number = found->number,
                          .what = what };
}

static uint64_t section_offset(const struct tn_log_found *found)
{
    return found->footer_offset + TN_LOG_FOOTER_BYTES - found->bytes;
}

/* Runs of blocks that do not verify. */
static int blocks_find(struct tn_log_survey *survey, const struct tn_log_found *found, int kind,
                       struct tn_log_reading *reading)
{
    tarn_damage damage =
        damage_of(found, kind, 0, 0, "a block does not match its checksum, or cannot be read");
    uint64_t at, size;
    const uint8_t *data;
    int result = TARN_OK, add;

    for (at = 0; at < reading->shape.data_bytes; at += size) {
        size = tn_min(TN_LOG_BLOCK_BYTES, reading->shape.data_bytes - at);
        result = tn_log_section_need(reading, at, size, &data);
        if (result == TARN_E_MEMORY)
            return result;
        if (result != TARN_OK && damage.bytes == 0)
            damage.offset = reading->offset + at;
        if (result != TARN_OK)
            damage.bytes += size;
        if (damage.bytes == 0 || (result != TARN_OK && at + size < reading->shape.data_bytes))
            continue;
        add = tn_log_damage_add(survey, &damage);
        if (add != TARN_OK)
            return add;
        damage.bytes = 0;
    }
    return TARN_OK;
}

/* Of a copy that does not hold. */
static int copy_damages_find(struct tn_log_survey *survey, const struct tn_log_found *found,
                             int kind)
{
    struct tn_log *log = survey->log;
    struct tn_log_reading reading;
    tarn_damage damage;
    int result = tn_log_section_open_damaged(&reading, log, tn_log_file_of(log, found->file),
                                             found->footer_offset);

    if (result == TARN_E_MEMORY)
        return result;
    if (result != TARN_OK || !reading.table_holds) {
        damage = damage_of(
            found, result == TARN_OK && kind != TARN_DAMAGE_HARMLESS ? TARN_DAMAGE_REFUSED : kind,
            section_offset(found), found->bytes, "the checksums of a commit are damaged");
        if (result == TARN_OK) {
            damage.offset = reading.offset + reading.shape.data_bytes;
            damage.bytes = reading.shape.footer_at - reading.shape.data_bytes;
        }
        if (tn_log_damage_add(survey, &damage) != TARN_OK)
            return TARN_E_MEMORY;
        if (result != TARN_OK)
            return TARN_OK;
    }
    return blocks_find(survey, found, kind, &reading);
}

static int body_verify(struct tn_log_survey *survey, struct tn_log_found *found)
{
    struct tn_log *log = survey->log;
    struct tn_log_reading reading;
    int result =
        tn_log_section_open(&reading, log, tn_log_file_of(log, found->file), found->footer_offset);

    if (result == TARN_OK)
        result = tn_log_section_verify(&reading);
    if (result != TARN_OK && result != TARN_E_CORRUPT)
        return result;
    found->body = result == TARN_OK ? TN_LOG_HOLDS : TN_LOG_BROKEN;
    return TARN_OK;
}

/* What was not read while choosing, and what was not to be chosen (P5). */
static int bodies_verify(struct tn_log_survey *survey)
{
    struct tn_log_found *at;
    int result = TARN_OK;

    for (at = survey->scan.items; at < found_end(survey) && result == TARN_OK; at++)
        if (at->body == TN_LOG_NOT_READ || !tn_log_file_of(survey->log, at->file)->header_holds)
            result = body_verify(survey, at);
    return result;
}

/* V3 */
static int bodies_find(struct tn_log_survey *survey)
{
    struct tn_log_found *at, *end;
    int result = TARN_OK, kind;

    for (at = survey->scan.items; at < found_end(survey) && result == TARN_OK; at = end) {
        end = tn_log_copies_end(survey, at);
        if (at->discarded || at->number > survey->newest)
            continue;
        kind = at->number < survey->oldest || tn_log_copies_whole(survey, at) != NULL
                   ? TARN_DAMAGE_HARMLESS
                   : TARN_DAMAGE_LOST;
        for (; at < end && result == TARN_OK; at++)
            if (at->body != TN_LOG_HOLDS)
                result = copy_damages_find(survey, at, kind);
    }
    return result;
}

/* ---- entries --------------------------------------------------------------------------------- */

static int part_walk(struct tn_log_survey *survey, const struct tn_log_found *found,
                     struct tn_log_reading *reading, enum tn_log_part part)
{
    struct tn_log_entries entries;
    struct tn_log_entry entry;
    tarn_damage damage;
    int result;

    tn_log_entries_begin(&entries, reading, part);
    while ((result = tn_log_entries_next(&entries, &entry)) != TARN_END) {
        survey->entry_count += result == TARN_OK;
        if (result == TARN_OK)
            continue;
        if (result == TARN_E_MEMORY)
            return result;
        survey->result = TARN_E_CORRUPT;
        damage = damage_of(found, TARN_DAMAGE_LOST, reading->offset + entries.failed_at,
                           entries.failed_bytes, "entries do not fit into their commit");
        if (tn_log_damage_add(survey, &damage) != TARN_OK)
            return TARN_E_MEMORY;
    }
    return TARN_OK;
}

/* Every entry of the copies that count; of what does not hold blocks_find has told. */
static int entries_walk(struct tn_log_survey *survey)
{
    struct tn_log *log = survey->log;
    struct tn_log_found *at, *copy;
    struct tn_log_reading reading;
    int result = TARN_OK;
    unsigned part;

    for (at = survey->scan.items; at < found_end(survey) && result == TARN_OK;
         at = tn_log_copies_end(survey, at)) {
        copy = tn_log_copies_whole(survey, at);
        if (at->discarded || copy == NULL || at->number > survey->newest ||
            at->number < survey->oldest)
            continue;
        survey->section_count++;
        result = tn_log_section_open(&reading, log, tn_log_file_of(log, copy->file),
                                     copy->footer_offset);
        for (part = 0; part < TN_LOG_PART_COUNT && result == TARN_OK; part++)
            result = part_walk(survey, copy, &reading, (enum tn_log_part)part);
    }
    return result == TARN_E_CORRUPT ? TARN_OK : result; /* it held before: the files change, V5 */
}

/* ---- what is missing ------------------------------------------------------------------------- */

/* Between two sections that were found; either may be NULL. `above` has the higher number. */
static int missing_add(struct tn_log_survey *survey, const struct tn_log_found *below,
                       const struct tn_log_found *above)
{
    tarn_damage damage = {
        .kind = TARN_DAMAGE_LOST,
        .what = "commits are missing: their footers are damaged, or a file is gone"
    };
    uint64_t begin = below != NULL ? below->footer_offset + TN_LOG_FOOTER_BYTES : 0;
    uint64_t end = above != NULL ? section_offset(above) : 0;
    bool same = below != NULL && above != NULL && below->file == above->file;

    if (above != NULL && !same && end > TN_LOG_HEADER_BYTES) {
        begin = TN_LOG_HEADER_BYTES;
        damage.file = above->file;
    } else if (below != NULL) {
        damage.file = below->file;
        end = same ? end : tn_log_file_of(survey->log, below->file)->bytes;
    }
    if (damage.file != 0) {
        damage.offset = begin;
        damage.bytes = end > begin ? end - begin : 0;
    }
    damage.commit_number = below != NULL ? below->number + 1 : survey->oldest;
    return tn_log_damage_add(survey, &damage);
}

/* From newest down to oldest. */
static int missing_find(struct tn_log_survey *survey)
{
    struct tn_log_found *at = found_below(survey, survey->scan.items, survey->newest);
    struct tn_log_found *above = NULL;
    uint64_t wanted = survey->newest;
    int result = TARN_OK;

    if (survey->result == TARN_OK)
        return TARN_OK;
    while (result == TARN_OK && wanted >= survey->oldest && wanted != 0) {
        if (at != NULL && at->number < survey->oldest)
            at = NULL;
        if (at == NULL || at->number < wanted)
            result = missing_add(survey, at, above);
        if (at == NULL || result != TARN_OK)
            return result;
        above = at;
        wanted = at->number - 1;
        at = found_below(survey, at, wanted);
    }
    return result;
}

/* ---- files ----------------------------------------------------------------------------------- */

/* One that is no longer than a header was never finished; of one that cannot be opened it is told already. */
static int headers_find(struct tn_log_survey *survey)
{
    const struct tn_log *log = survey->log;
    int result = TARN_OK;
    size_t i, k;

    for (i = 0; i < log->files.count && result == TARN_OK; i++) {
        const struct tn_log_file *file = &log->files.items[i];
        const tarn_damage damage = {
            .kind = survey->result == TARN_OK ? TARN_DAMAGE_HARMLESS : TARN_DAMAGE_REFUSED,
            .file = file->number,
            .bytes = TN_LOG_HEADER_BYTES,
            .what = "its header is damaged, or cannot be read",
        };

        if (file->header_holds || file->bytes <= TN_LOG_HEADER_BYTES)
            continue;
        for (k = 0; k < survey->damage_count && survey->damages[k].file != file->number; k++) {
        }
        if (k == survey->damage_count)
            result = tn_log_damage_add(survey, &damage);
    }
    return result;
}

/* Opening refuses it, and nothing above says why. */
static int refusal_find(struct tn_log_survey *survey)
{
    const tarn_damage damage = {
        .kind = TARN_DAMAGE_REFUSED,
        .file = survey->scan.floor.file,
        .offset = survey->scan.floor.offset,
        .commit_number = survey->scan.floor.number,
        .what = "what was synced and what is there contradict each other",
    };

    if (survey->result == TARN_OK || survey->damage_count > survey->counts[TARN_DAMAGE_HARMLESS])
        return TARN_OK;
    return tn_log_damage_add(survey, &damage);
}

int tn_log_damages_find(struct tn_log_survey *survey)
{
    char text[sizeof survey->log->text];
    int result;

    memcpy(text, survey->log->text, sizeof text); /* of choosing */
    discarded_mark(survey);
    result = bodies_verify(survey);
    needed_find(survey);
    if (result == TARN_OK)
        result = headers_find(survey);
    if (result == TARN_OK)
        result = missing_find(survey);
    if (result == TARN_OK)
        result = bodies_find(survey);
    if (result == TARN_OK)
        result = entries_walk(survey);
    if (result == TARN_OK)
        result = refusal_find(survey);
    if (result == TARN_OK)
        memcpy(survey->log->text, text, sizeof text);
    return result;
}
