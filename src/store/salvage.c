/*
 * salvage.c - tarn_salvage; see salvage.h for the idea and the rules
 */
#include "store/salvage.h"

#include <stdio.h>
#include <string.h>

int tn_salvage_fail(struct tn_salvage *s, int result, const char *text)
{
    (void)snprintf(s->out->report.text, sizeof s->out->report.text, "%s", text);
    return result;
}

int tn_salvage_store_failed(struct tn_salvage *s, int result)
{
    return tn_salvage_fail(s, result, s->store->error_text);
}

void tn_salvage_damage(struct tn_salvage *s, const tarn_damage *damage)
{
    s->out->damage_count += damage->kind != TARN_DAMAGE_HARMLESS;
    s->out->lost_count += damage->kind == TARN_DAMAGE_LOST;
    if (s->damage != NULL)
        s->damage(s->context, damage);
}

/* Whether catalog entries may be among what cannot be read. */
bool tn_salvage_is_lossy(const struct tn_salvage *s)
{
    return s->survey->counts[TARN_DAMAGE_LOST] > 0;
}

/* ---- the call -------------------------------------------------------------------------------- */

static int source_survey(struct tn_salvage *s)
{
    const struct tn_log_options options = { .hash_version = TN_HASH_VERSION };
    struct tn_log_report report;
    size_t i;
    int result;

    tn_survey_memory(&s->memory, &s->options);
    result = tn_log_survey_open(&s->survey, s->os, &s->memory, s->path, &options, &report);
    s->out->report.is_missing = report.no_store;
    s->out->report.dropped_bytes = report.dropped_bytes;
    s->out->report.dropped_file = report.dropped_file;
    s->out->report.dropped_offset = report.dropped_offset;
    (void)tn_salvage_fail(s, result, report.text);
    if (result != TARN_OK)
        return result == TARN_E_MEMORY && s->memory.limit_refused ? TARN_E_FULL : result;
    for (i = 0; i < s->survey->damage_count; i++)
        tn_salvage_damage(s, &s->survey->damages[i]);
    return s->survey->result != TARN_OK && s->survey->scan.count == 0 ? TARN_E_CORRUPT : TARN_OK;
}

static int target_fill(struct tn_salvage *s)
{
    int result = tn_log_survey_replay(s->survey, true, tn_salvage_catalog_entry, s);

    if (result == TARN_OK)
        result = tn_salvage_tables_make(s);
    if (result == TARN_OK)
        result = tn_log_survey_replay(s->survey, false, tn_salvage_table_entry, s);
    if (result == TARN_OK && tn_salvage_is_lossy(s))
        result = tn_salvage_dictionaries_part(s);
    return result;
}

static int salvage(struct tn_salvage *s)
{
    int result = tn_salvage_target_look(s);

    if (result == TARN_OK)
        result = source_survey(s);
    if (result != TARN_OK)
        return result;
    result = tn_salvage_target_open(s);
    if (s->store == NULL)
        return result;
    if (result == TARN_OK)
        result = target_fill(s);
    if (result == TARN_OK)
        result = tn_salvage_target_publish(s);
    return tn_salvage_target_end(s, result);
}

int tn_store_salvage(const char *path, const char *target, const tarn_options *options,
                     tarn_damage_fn *damage, void *context, tarn_salvage_result *out,
                     const struct tn_os *os)
{
    static const tarn_options defaults;
    tarn_salvage_result unwanted = { 0 };
    struct tn_salvage s = {
        .os = os, .path = path, .target = target, .damage = damage, .context = context
    };
    int result;

    s.out = out != NULL ? out : &unwanted;
    *s.out = (tarn_salvage_result){ 0 };
    if (path == NULL || target == NULL)
        return TARN_E_MISUSE;
    s.options = options != NULL ? *options : defaults;
    s.options.flags = 0;
    s.options.progress = NULL;
    result = salvage(&s);
    tn_log_survey_close(s.survey);
    if (s.value != NULL)
        tn_memory_free(&s.memory, s.value, s.value_room);
    return result;
}

int tarn_salvage(const char *directory, const char *target, const tarn_options *options,
                 tarn_damage_fn *damage, void *context, tarn_salvage_result *out)
{
    return tn_store_salvage(directory, target, options, damage, context, out, &tn_os_posix);
}
