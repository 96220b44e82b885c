/*
 * check.c - tarn_check: the files, then the store that is made of them
 *
 *     survey (log/survey.h): every byte of the files --nothing needed is damaged--> open --> every structure
 *
 * Opening comes last: it is what decides, and a store that opens is what the survey said.
 */
#include "store/check.h"
#include "store/durable.h"

#include <stdio.h>

struct check {
    const struct tn_os *os;
    const char *path;
    tarn_options options; /* read only */
    tarn_damage_fn *damage;
    void *context;
    tarn_check_result *out;
};

static void damage_tell(struct check *check, const tarn_damage *damage)
{
    if (damage->kind == TARN_DAMAGE_HARMLESS)
        check->out->harmless_count++;
    else
        check->out->damage_count++;
    if (check->damage != NULL)
        check->damage(check->context, damage);
}

/* ---- the files ------------------------------------------------------------------------------- */

static void survey_tell(struct check *check, const struct tn_log_survey *survey,
                        const struct tn_log_report *report)
{
    struct tn_log_statistics statistics;
    tarn_check_result *out = check->out;
    size_t i;

    tn_log_stat(survey->log, &statistics);
    out->file_count = statistics.file_count;
    out->section_count = survey->section_count;
    out->entry_count = survey->entry_count;
    out->report.commit_number = survey->result == TARN_OK ? survey->newest : 0;
    out->report.dropped_bytes = report->dropped_bytes;
    out->report.dropped_file = report->dropped_file;
    out->report.dropped_offset = report->dropped_offset;
    for (i = 0; i < survey->damage_count; i++)
        damage_tell(check, &survey->damages[i]);
}

void tn_survey_memory(struct tn_memory *out, const tarn_options *options)
{
    tn_memory_init(out, options->allocate, options->allocate_context, options->memory_bytes_max);
}

/* TARN_OK: nothing needed is damaged. */
static int files_check(struct check *check)
{
    const struct tn_log_options options = { .hash_version = TN_HASH_VERSION };
    struct tn_log_survey *survey;
    struct tn_log_report report;
    struct tn_memory memory;
    int result;

    tn_survey_memory(&memory, &check->options);
    result = tn_log_survey_open(&survey, check->os, &memory, check->path, &options, &report);
    (void)snprintf(check->out->report.text, sizeof check->out->report.text, "%s", report.text);
    check->out->report.is_missing = report.no_store;
    if (result != TARN_OK)
        return result == TARN_E_MEMORY && memory.limit_refused ? TARN_E_FULL : result;
    survey_tell(check, survey, &report);
    tn_log_survey_close(survey);
    return check->out->damage_count == 0 ? TARN_OK : TARN_E_CORRUPT;
}

/* ---- the store ------------------------------------------------------------------------------- */

static bool table_ok(const tarn_store *store, const tarn_table *table)
{
    return tn_index_check(&table->index) && tn_heap_check(&store->heap, &table->body->owner) &&
           (table->ordered == NULL ||
            (tn_ordered_check(table->ordered) &&
             tn_ordered_count(table->ordered) == table->index.entry_count));
}

static bool store_ok(const tarn_store *store)
{
    bool ok = table_ok(store, store->durable->catalog);
    size_t i;

    for (i = 0; i < store->table_count && ok; i++)
        ok = table_ok(store, store->tables[i]);
    return ok;
}

static int store_check(struct check *check)
{
    static const tarn_damage refused = {
        .kind = TARN_DAMAGE_REFUSED,
        .what = "the files hold, but their entries do not make a store",
    };
    tarn_report *report = &check->out->report;
    tarn_store *store;
    int result;

    check->options.report = report;
    result = tn_store_open(&store, check->path, &check->options, check->os);
    if (result == TARN_E_CORRUPT)
        damage_tell(check, &refused);
    if (result != TARN_OK)
        return result;
    if (!store_ok(store)) {
        (void)snprintf(
            report->text, sizeof report->text,
            "the store opens, but an index of it is not what its entries make; this is a "
            "mistake of tarn, or of this machine's memory");
        result = TARN_E_CORRUPT;
    }
    (void)tarn_close(store);
    return result;
}

/* ---- the call -------------------------------------------------------------------------------- */

int tn_store_check(const char *path, const tarn_options *options, tarn_damage_fn *damage,
                   void *context, tarn_check_result *out, const struct tn_os *os)
{
    static const tarn_options defaults;
    tarn_check_result unwanted = { 0 };
    struct check check = { .os = os, .path = path, .damage = damage, .context = context };
    int result;

    check.out = out != NULL ? out : &unwanted;
    check.options = options != NULL ? *options : defaults;
    check.options.flags = TARN_READ_ONLY;
    check.options.progress = NULL;
    *check.out = (tarn_check_result){ 0 };
    if (path == NULL)
        return TARN_E_MISUSE;
    result = files_check(&check);
    return result == TARN_OK ? store_check(&check) : result;
}

int tarn_check(const char *directory, const tarn_options *options, tarn_damage_fn *damage,
               void *context, tarn_check_result *out)
{
    return tn_store_check(directory, options, damage, context, out, &tn_os_posix);
}
