/*
 * durable_lsm.h - LevelDB and RocksDB, whose C interfaces differ by their prefix
 *
 * Included by one file for each, which says before it:
 *
 *     LSM(name)    the library's name of a function or type
 *     LSM_NAME     what it is called in results
 *
 * A commit is a batch, which goes through the log in one piece. The log is on; without compression,
 * since the values are counters and would shrink to nothing; memtables of 64 MiB.
 */
#ifndef TN_BENCH_DURABLE_LSM_H
#define TN_BENCH_DURABLE_LSM_H

#include "bench/durable.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct rival {
    LSM(t) * database;
    LSM(options_t) * options;
    LSM(writeoptions_t) * write_options;
    LSM(readoptions_t) * read_options;
    LSM(writebatch_t) * batch;
    char *value; /* lent by the last get */
    char failure[TN_DURABLE_REASON_BYTES];
};

enum { RIVAL_DONE, RIVAL_FAILED, RIVAL_ABSENT };

static const char *rival_error_text(void *opened, int result)
{
    const struct rival *rival = opened;

    return result == RIVAL_ABSENT ? "no such key" : rival != NULL ? rival->failure : "failed";
}

/* `error` is the library's; it is freed. */
static int result_of(struct rival *rival, char *error)
{
    if (error == NULL)
        return RIVAL_DONE;
    snprintf(rival->failure, sizeof rival->failure, "%s", error);
    LSM(free)(error);
    return RIVAL_FAILED;
}

static void rival_free(struct rival *rival)
{
    if (rival->value != NULL)
        LSM(free)(rival->value);
    if (rival->database != NULL)
        LSM(close)(rival->database);
    LSM(writebatch_destroy)(rival->batch);
    LSM(readoptions_destroy)(rival->read_options);
    LSM(writeoptions_destroy)(rival->write_options);
    LSM(options_destroy)(rival->options);
    free(rival);
}

static void *rival_open(const char *path, uint64_t entries_max, char *reason, size_t reason_bytes)
{
    struct rival *rival = calloc(1, sizeof *rival);
    char *error = NULL;

    (void)entries_max;
    if (rival == NULL) {
        snprintf(reason, reason_bytes, "out of memory");
        return NULL;
    }
    rival->options = LSM(options_create)();
    rival->write_options = LSM(writeoptions_create)();
    rival->read_options = LSM(readoptions_create)();
    rival->batch = LSM(writebatch_create)();
    LSM(options_set_create_if_missing)(rival->options, 1);
    LSM(options_set_compression)(rival->options, LSM(no_compression));
    LSM(options_set_write_buffer_size)(rival->options, 64 * TN_MIB);
    rival->database = LSM(open)(rival->options, path, &error);
    if (result_of(rival, error) == RIVAL_DONE)
        return rival;
    snprintf(reason, reason_bytes, "%s", rival->failure);
    rival_free(rival);
    return NULL;
}

static int rival_put(void *opened, const void *key, const void *value)
{
    struct rival *rival = opened;

    LSM(writebatch_put)
    (rival->batch, key, TN_DURABLE_KEY_BYTES, value, TN_DURABLE_VALUE_BYTES);
    return RIVAL_DONE;
}

static int rival_set_synced(void *opened, bool synced)
{
    const struct rival *rival = opened;

    LSM(writeoptions_set_sync)(rival->write_options, synced);
    return RIVAL_DONE;
}

static int rival_commit(void *opened)
{
    struct rival *rival = opened;
    char *error = NULL;

    LSM(write)(rival->database, rival->write_options, rival->batch, &error);
    LSM(writebatch_clear)(rival->batch);
    return result_of(rival, error);
}

static int rival_get(void *opened, const void *key, const void **value, size_t *value_bytes)
{
    struct rival *rival = opened;
    char *error = NULL;

    if (rival->value != NULL)
        LSM(free)(rival->value);
    rival->value = LSM(get)(rival->database, rival->read_options, key, TN_DURABLE_KEY_BYTES,
                            value_bytes, &error);
    *value = rival->value;
    return error == NULL && rival->value == NULL ? RIVAL_ABSENT : result_of(rival, error);
}

/* An empty batch that is synced takes with it what the log holds before it. */
static int rival_close(void *opened)
{
    struct rival *rival = opened;
    int result;

    rival_set_synced(rival, true);
    result = rival_commit(rival);
    rival_free(rival);
    return result;
}

const struct tn_durable_store LSM_STORE = {
    .name = LSM_NAME,
    .notes = "log on, no compression, 64 MiB memtables; a commit is a batch",
    .open = rival_open,
    .set_synced = rival_set_synced,
    .put = rival_put,
    .commit = rival_commit,
    .get = rival_get,
    .close = rival_close,
    .error_text = rival_error_text,
};

#endif
