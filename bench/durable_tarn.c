/*
 * durable_tarn.c - tarn with a directory, one ordered table
 */
#include "durable.h"

#include <tarn.h>

#include <stdio.h>
#include <stdlib.h>

struct subject {
    tarn_store *store;
    tarn_table *table;
    unsigned flags; /* of commits */
};

static void *subject_open(const char *path, uint64_t entries_max, char *reason, size_t reason_bytes)
{
    struct subject *subject = calloc(1, sizeof *subject);
    tarn_report report = { .commit_number = 0 };
    const tarn_options options = { .report = &report };
    int result;

    (void)entries_max;
    if (subject == NULL) {
        snprintf(reason, reason_bytes, "out of memory");
        return NULL;
    }
    result = tarn_open(&subject->store, path, &options);
    if (result == TARN_OK)
        result = tarn_table_open(&subject->table, subject->store, "bench", NULL);
    if (result == TARN_OK)
        return subject;
    snprintf(reason, reason_bytes, "%s: %.200s", tarn_result_text(result), report.text);
    tarn_close(subject->store);
    free(subject);
    return NULL;
}

static int subject_put(void *opened, const void *key, const void *value)
{
    const struct subject *subject = opened;

    return tarn_put(subject->table, key, TN_DURABLE_KEY_BYTES, value, TN_DURABLE_VALUE_BYTES);
}

static int subject_set_synced(void *opened, bool synced)
{
    struct subject *subject = opened;

    subject->flags = synced ? TARN_SYNC : 0;
    return TARN_OK;
}

static int subject_commit(void *opened)
{
    const struct subject *subject = opened;

    return tarn_commit(subject->store, NULL, 0, subject->flags);
}

static int subject_get(void *opened, const void *key, const void **value, size_t *value_bytes)
{
    const struct subject *subject = opened;

    return tarn_get(subject->table, key, TN_DURABLE_KEY_BYTES, value, value_bytes);
}

static int subject_close(void *opened)
{
    struct subject *subject = opened;
    int result = tarn_close(subject->store);

    free(subject);
    return result;
}

static const char *subject_error_text(void *opened, int result)
{
    const struct subject *subject = opened;
    const char *text = subject != NULL ? tarn_error_text(subject->store) : "";

    return *text != '\0' && result < 0 ? text : tarn_result_text(result);
}

const struct tn_durable_store tn_durable_tarn = {
    .name = "tarn",
    .notes = "one ordered table; defaults",
    .open = subject_open,
    .set_synced = subject_set_synced,
    .put = subject_put,
    .commit = subject_commit,
    .get = subject_get,
    .close = subject_close,
    .error_text = subject_error_text,
};
