/*
 * survey_damage.c - what is damaged in a directory; see survey.h for the rules
 *
 *     headers, then from newest down: what is missing, blocks, entries; then blocks of what is older
 *
 *                   another copy holds     needed     before oldest
 *     a bad block   harmless               lost       harmless, or lost when something needed is (V7)
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

/* Which is worse where tombstones are among what is lost: entries come back by that (V7). */
static int run_add(struct tn_log_survey *survey, tarn_damage *run,
                   const struct tn_log_reading *reading)
{
    uint64_t at = run->offset - reading->offset;
    uint64_t tombstones_at = reading->shape.part_at[TN_LOG_TOMBSTONES];
    uint64_t tombstones_end = tombstones_at + reading->footer.part_bytes[TN_LOG_TOMBSTONES];

    run->what = "a block does not match its checksum, or cannot be read";
    if (run->kind == TARN_DAMAGE_LOST && at < tombstones_end && at + run->bytes > tombstones_at)
        run->what = "a block does not match its checksum, or cannot be read; deletes are lost with "
                    "it: what they took away may be there again";
    return tn_log_damage_add(survey, run);
}

/* Runs of blocks that do not verify. */
static int blocks_find(struct tn_log_survey *survey, const struct tn_log_found *found, int kind,
                       struct tn_log_reading *reading)
{
    tarn_damage damage = damage_of(found, kind, 0, 0, NULL);
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
        add = run_add(survey, &damage, reading);
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

/* V3, V7: what is needed, or what lies before it. */
static int bodies_find(struct tn_log_survey *survey, bool needed)
{
    uint64_t least = survey->oldest;
    struct tn_log_found *at, *end;
    int result = TARN_OK, kind;

    if (!needed && survey->counts[TARN_DAMAGE_LOST] > 0)
        least = survey->earliest;
    for (at = survey->scan.items; at < tn_log_found_end(survey) && result == TARN_OK; at = end) {
        end = tn_log_copies_end(survey, at);
        if (at->discarded || at->number > survey->newest ||
            (at->number >= survey->oldest) != needed)
            continue;
        kind = at->number < least || tn_log_copies_whole(survey, at) != NULL ? TARN_DAMAGE_HARMLESS
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

    for (at = survey->scan.items; at < tn_log_found_end(survey) && result == TARN_OK;
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
        .what = "commits are missing: their footers are damaged, or a file is gone; what they "
                "deleted may be there again"
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
    struct tn_log_found *at = tn_log_found_below(survey, survey->scan.items, survey->newest);
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
        at = tn_log_found_below(survey, at, wanted);
    }
    return result;
}

/* ---- files ----------------------------------------------------------------------------------- */

/*
 * One that is no longer than a header was never finished; of one that cannot be opened it is told
 * already.
 */
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
    result = tn_log_needed_find(survey);
    if (result == TARN_OK)
        result = headers_find(survey);
    if (result == TARN_OK)
        result = missing_find(survey);
    if (result == TARN_OK)
        result = bodies_find(survey, true);
    if (result == TARN_OK)
        result = entries_walk(survey);
    if (result == TARN_OK)
        result = bodies_find(survey, false);
    if (result == TARN_OK)
        result = refusal_find(survey);
    if (result == TARN_OK)
        memcpy(survey->log->text, text, sizeof text);
    return result;
}
