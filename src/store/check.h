/*
 * check.h - checking and salvaging with another door to the system: for tests
 */
#ifndef TN_CHECK_H
#define TN_CHECK_H

#include "log/survey.h"
#include "store/store.h"

int tn_store_check(const char *path, const tarn_options *options, tarn_damage_fn *damage,
                   void *context, tarn_check_result *out, const struct tn_os *os);

int tn_store_salvage(const char *path, const char *target, const tarn_options *options,
                     tarn_damage_fn *damage, void *context, tarn_salvage_result *out,
                     const struct tn_os *os);

/* The memory account of a survey: it has a store's options, and no store. */
void tn_survey_memory(struct tn_memory *out, const tarn_options *options);

#endif
