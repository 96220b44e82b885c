/*
 * survey.c - see survey.h for the rules; survey_damage.c finds what is damaged
 */
#include "log/survey_damage.h"

#include <errno.h>
#include <string.h>

#define SURVEY_TRIES 8   /* V5 */
#define STORES_TRIED 64u /* of as many files is asked which store they are of */

/* ---- headers --------------------------------------------------------------------------------- */

/* No permission, too many files, or no memory, is not the fault of what is there. */
static bool open_is_refused(const struct tn_log_file *file)
{
    return file->id == -EACCES || file->id == -EPERM || file->id == -EMFILE ||
           file->id == -ENFILE || file->id == -ENOMEM;
}

static int file_open(struct tn_log_survey *survey, struct tn_log_file *file)
{
    struct tn_log *log = survey->log;
    tarn_damage damage = { .kind = TARN_DAMAGE_REFUSED,
                           .file = file->number,
                           .what = "it cannot be opened" };
    int result = tn_log_scan_open(log, file);

    if (result == TARN_OK || result == TARN_ABSENT || open_is_refused(file))
        return result;
    if (file->id == -ELOOP)
        damage.what = "it is a symbolic link, which is not followed; put the file itself there";
    tn_log_file_close(log, file);
    file->bytes = 0;
    survey->result = TARN_E_CORRUPT;
    return tn_log_damage_add(survey, &damage);
}

/* `out` may hold what is not true: nothing but what its checksum covers is believed. */
static int header_read(struct tn_log_survey *survey, struct tn_log_file *file,
                       struct tn_log_header *out)
{
    struct tn_log *log = survey->log;
    int result;

    memset(out, 0, sizeof *out);
    if (file->bytes < TN_LOG_HEADER_BYTES)
        return TARN_ABSENT;
    result = tn_log_file_read(log, file, log->buffer, TN_LOG_HEADER_BYTES, 0);
    if (result == TARN_OK)
        result = tn_log_header_decode(out, log->buffer);
    if (result == TARN_E_VERSION)
        return tn_log_say(log, result, file->number, 0,
                          "another version of tarn wrote this; use that one", 0);
    return result;
}

/* The store most of whose headers hold. */
static int store_choose(struct tn_log_survey *survey)
{
    struct tn_log *log = survey->log;
    struct tn_log_header header, other;
    size_t i, k, count, most = 0;
    int result;

    log->is_new = true;
    for (i = 0; i < tn_min(log->files.count, STORES_TRIED) && most <= log->files.count / 2; i++) {
        result = header_read(survey, &log->files.items[i], &header);
        if (result == TARN_E_VERSION || result == TARN_E_MEMORY)
            return result;
        if (result != TARN_OK)
            continue;
        for (k = i, count = 0; k < log->files.count; k++)
            count += header_read(survey, &log->files.items[k], &other) == TARN_OK &&
                     memcmp(other.store_id, header.store_id, sizeof other.store_id) == 0;
        if (count <= most)
            continue;
        most = count;
        log->is_new = false;
        memcpy(log->store_id, header.store_id, sizeof log->store_id);
        memcpy(log->secret, header.secret, sizeof log->secret);
    }
    return TARN_OK;
}

/* What a header says against its file. NULL: nothing. */
static const char *header_refused(const struct tn_log *log, const struct tn_log_file *file,
                                  const struct tn_log_header *header)
{
    if (memcmp(log->store_id, header->store_id, sizeof log->store_id) != 0 ||
        memcmp(log->secret, header->secret, sizeof log->secret) != 0)
        return "this file belongs to another store; take it away";
    if (header->file != file->number)
        return "this is another file of the store, under a wrong name";
    return NULL;
}

static int header_accept(struct tn_log_survey *survey, struct tn_log_file *file)
{
    struct tn_log *log = survey->log;
    struct tn_log_header header;
    const char *why;
    int result = header_read(survey, file, &header);

    if (result != TARN_OK)
        return result == TARN_E_VERSION || result == TARN_E_MEMORY ? result : TARN_OK;
    why = header_refused(log, file, &header);
    if (why != NULL) {
        survey->result = TARN_E_CORRUPT;
        return tn_log_damage_add(survey, &(tarn_damage){ .kind = TARN_DAMAGE_REFUSED,
                                                         .file = file->number,
                                                         .bytes = file->bytes,
                                                         .what = why });
    }
    log->incarnation_seen = tn_max(log->incarnation_seen, header.incarnation);
    file->header_holds = true;
    return TARN_OK;
}

/* ---- sections -------------------------------------------------------------------------------- */

static int files_scan(struct tn_log_survey *survey)
{
    struct tn_log *log = survey->log;
    int result = TARN_OK;
    size_t i;

    tn_log_scan_finish(&survey->scan, log);
    survey->scan.all = true;
    for (i = 0; i < log->files.count && result == TARN_OK; i++)
        result = tn_log_scan_file(&survey->scan, log, &log->files.items[i]);
    return result;
}

/*
 * No header holds. The id in one that does not may be right all the same: footers tell, which
 * nobody could have made to hold with another.
 */
static int files_scan_without_header(struct tn_log_survey *survey)
{
    struct tn_log *log = survey->log;
    int result = TARN_OK;
    size_t i;

    for (i = 0; i < log->files.count && result == TARN_OK && survey->scan.count == 0; i++) {
        struct tn_log_file *file = &log->files.items[i];

        if (file->bytes <= TN_LOG_HEADER_BYTES)
            continue;
        result = tn_log_file_read(log, file, log->buffer, TN_LOG_HEADER_BYTES, 0);
        if (result == TARN_E_CORRUPT) {
            result = TARN_OK;
            continue;
        }
        if (result == TARN_OK) {
            memcpy(log->store_id, log->buffer + TN_LOG_STORE_ID_AT, sizeof log->store_id);
            result = files_scan(survey);
        }
    }
    return result;
}

/* *out: there is a file with more than a header, so there was a store. */
static void store_was_there(const struct tn_log *log, bool *out)
{
    size_t i;

    *out = false;
    for (i = 0; i < log->files.count; i++)
        *out |= log->files.items[i].bytes > TN_LOG_HEADER_BYTES;
}

/* A file that cannot even be opened says more than that the others have no header. */
static void headers_missing_say(const struct tn_log_survey *survey)
{
    struct tn_log *log = survey->log;
    uint64_t file = log->files.items[0].number;
    const char *what = "its header is damaged, and no other file has one";

    if (survey->damage_count > 0) {
        file = survey->damages[0].file;
        what = survey->damages[0].what;
    }
    (void)tn_log_say(log, TARN_E_CORRUPT, file, 0, what, 0);
}

static int sections_find(struct tn_log_survey *survey)
{
    struct tn_log *log = survey->log;
    bool was_there;
    int result;

    if (log->is_new) {
        store_was_there(log, &was_there);
        log->no_store = !was_there && survey->damage_count == 0;
        if (log->no_store)
            return tn_log_say(log, TARN_E_IO, 0, 0, "there is no store in it", 0);
        survey->result = TARN_E_CORRUPT;
        headers_missing_say(survey);
        result = files_scan_without_header(survey);
    } else {
        result = files_scan(survey);
    }
    if (result != TARN_OK)
        return result;
    result = tn_log_choose(log, &survey->scan);
    if (result != TARN_E_CORRUPT)
        return result;
    survey->result = result;
    return TARN_OK;
}

/* ---- one pass -------------------------------------------------------------------------------- */

static int files_open(struct tn_log_survey *survey)
{
    struct tn_log *log = survey->log;
    int result = tn_log_files_list(log);
    size_t i;

    for (i = 0; i < log->files.count && result == TARN_OK; i++)
        result = file_open(survey, &log->files.items[i]);
    if (result == TARN_OK)
        result = store_choose(survey);
    for (i = 0; i < log->files.count && result == TARN_OK && !log->is_new; i++)
        result = header_accept(survey, &log->files.items[i]);
    return result;
}

static void damages_forget(struct tn_log_survey *survey)
{
    survey->damage_count = 0;
    memset(survey->counts, 0, sizeof survey->counts);
    survey->section_count = survey->entry_count = 0;
    survey->result = TARN_OK;
}

static int survey_pass(struct tn_log_survey *survey)
{
    struct tn_log *log = survey->log;
    int result;

    damages_forget(survey);
    tn_log_files_clear(log);
    log->sections.head = log->sections.count = 0;
    log->last = (struct tn_log_commit){ .number = 0 };
    log->no_store = log->marked = false;
    result = files_open(survey);
    if (result == TARN_OK)
        result = sections_find(survey);
    return result == TARN_OK ? tn_log_damages_find(survey) : result;
}

/* ---- a writer meanwhile: V5 ------------------------------------------------------------------ */

struct listing {
    const struct tn_log *log;
    size_t count;
    bool differs;
};

static int name_compare(void *argument, const char *name)
{
    struct listing *listing = argument;
    const struct tn_log_files *files = &listing->log->files;
    uint64_t number = tn_log_name_number(name);
    size_t i;

    if (number == 0)
        return 0;
    listing->count++;
    for (i = 0; i < files->count && files->items[i].number != number; i++) {
    }
    listing->differs |= i == files->count;
    return 0;
}

static bool files_changed(const struct tn_log *log)
{
    struct listing listing = { .log = log };
    uint64_t bytes;
    size_t i;

    if (log->os.ops->directory_list(log->os.context, log->directory, name_compare, &listing) != 0)
        return false;
    for (i = 0; i < log->files.count; i++) {
        const struct tn_log_file *file = &log->files.items[i];

        if (file->id >= 0 && log->os.ops->file_size(log->os.context, file->id, &bytes) == 0 &&
            bytes != file->bytes)
            return true;
    }
    return listing.differs || listing.count != log->files.count;
}

static bool is_damaged(const struct tn_log_survey *survey)
{
    return survey->damage_count > survey->counts[TARN_DAMAGE_HARMLESS];
}

static int survey_often(struct tn_log_survey *survey)
{
    struct tn_log *log = survey->log;
    unsigned tries = SURVEY_TRIES;
    int result;

    do {
        result = survey_pass(survey);
        if (result != TARN_ABSENT &&
            (result != TARN_OK || !is_damaged(survey) || !files_changed(log)))
            return result;
    } while (--tries > 0);
    return tn_log_say(log, TARN_E_BUSY, 0, 0,
                      "its files change while they are read; try again when its writer has less to "
                      "do",
                      0);
}

/* ---- opening and closing --------------------------------------------------------------------- */

int tn_log_survey_open(struct tn_log_survey **out, const struct tn_os *os, struct tn_memory *memory,
                       const char *path, const struct tn_log_options *options,
                       struct tn_log_report *report)
{
    struct tn_log_options lenient = *options;
    struct tn_log_survey *survey = tn_memory_new(memory, sizeof *survey, true);
    int result = TARN_E_MEMORY;

    *out = NULL;
    *report = (struct tn_log_report){ .text = "no memory to look through it" };
    if (survey == NULL)
        return result;
    survey->memory = memory;
    lenient.read_only = lenient.lenient = true;
    lenient.create = false;
    survey->log = tn_log_new(os, memory, &lenient);
    if (survey->log != NULL) {
        result = tn_log_directory_open(survey->log, path);
        if (result == TARN_OK)
            result = survey_often(survey);
        memcpy(report->text, survey->log->text, sizeof report->text);
        report->no_store = survey->log->no_store;
    }
    if (result != TARN_OK) {
        /* An answer that recovery knows, too. */
        tn_log_survey_close(survey);
        return result == TARN_E_CORRUPT ? TARN_E_IO : result;
    }
    if (survey->result == TARN_OK) {
        report->text[0] = '\0';
        tn_log_files_dropped(survey->log, report);
    }
    *out = survey;
    return TARN_OK;
}

void tn_log_survey_close(struct tn_log_survey *survey)
{
    if (survey == NULL)
        return;
    if (survey->log != NULL)
        tn_log_scan_finish(&survey->scan, survey->log);
    tn_memory_free(survey->memory, survey->damages,
                   survey->damage_capacity * sizeof *survey->damages);
    (void)tn_log_close(survey->log, false);
    tn_memory_free(survey->memory, survey, sizeof *survey);
}
