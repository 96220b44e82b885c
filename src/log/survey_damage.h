/*
 * survey_damage.h - the part of a survey that finds what is damaged; see survey.h for the rules
 */
#ifndef TN_LOG_SURVEY_DAMAGE_H
#define TN_LOG_SURVEY_DAMAGE_H

#include "log/survey.h"

/* Note one. TARN_OK, TARN_E_MEMORY. */
int tn_log_damage_add(struct tn_log_survey *survey, const tarn_damage *damage);

/* Where nothing was found there is no list, and NULL + 0 is undefined in C. */
static inline struct tn_log_found *tn_log_found_end(const struct tn_log_survey *survey)
{
    struct tn_log_found *items = survey->scan.items;

    return items != NULL ? items + survey->scan.count : NULL;
}

/*
 * From `at` on, the first copy of the highest section that counts and is not above `number`. NULL:
 * there is none.
 */
struct tn_log_found *tn_log_found_below(const struct tn_log_survey *survey, struct tn_log_found *at,
                                        uint64_t number);

/*
 * survey_needed.c: newest, oldest, earliest; what is discarded is marked. TARN_OK, TARN_E_MEMORY,
 * TARN_E_IO.
 */
int tn_log_needed_find(struct tn_log_survey *survey);

/*
 * After the sections were found and chosen from: what is needed (V1, V2), and everything wrong with
 * it (V3). TARN_OK, TARN_E_MEMORY.
 */
int tn_log_damages_find(struct tn_log_survey *survey);

/* Where the copies of the section at `at` end, which is the first of them. */
static inline struct tn_log_found *tn_log_copies_end(const struct tn_log_survey *survey,
                                                     struct tn_log_found *at)
{
    struct tn_log_found *end = at, *last = tn_log_found_end(survey);

    while (end < last && end->number == at->number && end->identity == at->identity)
        end++;
    return end;
}

/* The copy that holds, or NULL. */
static inline struct tn_log_found *tn_log_copies_whole(const struct tn_log_survey *survey,
                                                       struct tn_log_found *at)
{
    struct tn_log_found *end = tn_log_copies_end(survey, at);

    for (; at < end; at++)
        if (at->body == TN_LOG_HOLDS)
            return at;
    return NULL;
}

#endif
