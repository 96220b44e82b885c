/*
 * survey_needed.c - which sections are needed; see V1, V2 and V7 of survey.h
 *
 *     #1   #2   (gap)   #4  #5  #6   #7  #8  #9
 *                       ^earliest    ^oldest ^newest       of discarded pasts: none
 */
#include "log/survey_damage.h"

/* ---- discarded pasts: V2 --------------------------------------------------------------------- */

/*
 * Of a number that was accepted: all but the section that was. Its copies are `begin` to `end`,
 * others among them.
 */
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

struct tn_log_found *tn_log_found_below(const struct tn_log_survey *survey, struct tn_log_found *at,
                                        uint64_t number)
{
    while (at < tn_log_found_end(survey) && (at->number > number || at->discarded))
        at++;
    return at < tn_log_found_end(survey) ? at : NULL;
}

/* ---- bodies ---------------------------------------------------------------------------------- */

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

    for (at = survey->scan.items; at < tn_log_found_end(survey) && result == TARN_OK; at++)
        if (at->body == TN_LOG_NOT_READ || !tn_log_file_of(survey->log, at->file)->header_holds)
            result = body_verify(survey, at);
    return result;
}

/* ---- from where to where: V1, V7 ------------------------------------------------------------- */

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
    at = tn_log_found_below(survey, survey->scan.items, survey->newest);
    survey->oldest = at != NULL ? at->first_needed : survey->newest;
}

/* V7: down from the oldest, as long as there is no gap. */
static void earliest_find(struct tn_log_survey *survey)
{
    const struct tn_log_found *at;

    survey->earliest = survey->oldest;
    for (at = survey->scan.items; at < tn_log_found_end(survey); at++)
        if (!at->discarded && at->number + 1 == survey->earliest)
            survey->earliest--;
}

int tn_log_needed_find(struct tn_log_survey *survey)
{
    const struct tn_log *log = survey->log;
    int result;

    discarded_mark(survey);
    result = bodies_verify(survey);
    survey->newest = log->last.number;
    survey->oldest = log->last.number != 0 ? log->first_needed : 0;
    if (log->last.number == 0 && survey->result != TARN_OK)
        newest_find(survey);
    earliest_find(survey);
    return result;
}
