/*
 * durable_lmdb.c - LMDB with a file: one transaction per commit
 *
 * A commit that need not be synced has NOSYNC. Pages are written with
 * pwrite, not through the map, so that what is written can be counted.
 */
#include "bench/durable.h"

#include <lmdb.h>

#include <stdio.h>
#include <stdlib.h>

struct rival {
    MDB_env *environment;
    MDB_dbi database;
    MDB_txn *transaction; /* NULL: none has begun */
};

static const char *rival_error_text(void *opened, int result)
{
    (void)opened;
    return mdb_strerror(result);
}

static int rival_begin(struct rival *rival)
{
    return rival->transaction != NULL
               ? MDB_SUCCESS
               : mdb_txn_begin(rival->environment, NULL, 0, &rival->transaction);
}

static int rival_set_synced(void *opened, bool synced)
{
    const struct rival *rival = opened;

    return mdb_env_set_flags(rival->environment, MDB_NOSYNC, !synced);
}

static int rival_commit(void *opened)
{
    struct rival *rival = opened;
    int error;

    if (rival->transaction == NULL)
        return MDB_SUCCESS;
    error = mdb_txn_commit(rival->transaction);
    rival->transaction = NULL;
    return error;
}

static int environment_open(struct rival *rival, const char *path, uint64_t entries_max)
{
    int error = mdb_env_create(&rival->environment);

    if (error == MDB_SUCCESS)
        error = mdb_env_set_mapsize(rival->environment,
                                    (size_t)(entries_max * 4096 + TN_GIB)); /* address space */
    if (error == MDB_SUCCESS)
        error =
            mdb_env_open(rival->environment, path, MDB_NORDAHEAD | MDB_NOMEMINIT | MDB_NOTLS, 0600);
    if (error == MDB_SUCCESS)
        error = rival_begin(rival);
    if (error == MDB_SUCCESS)
        error = mdb_dbi_open(rival->transaction, NULL, 0, &rival->database);
    return error;
}

static void *rival_open(const char *path, uint64_t entries_max, char *reason, size_t reason_bytes)
{
    struct rival *rival = calloc(1, sizeof *rival);
    int error;

    if (rival == NULL) {
        snprintf(reason, reason_bytes, "out of memory");
        return NULL;
    }
    error = environment_open(rival, path, entries_max);
    if (error == MDB_SUCCESS)
        return rival;
    snprintf(reason, reason_bytes, "%s", mdb_strerror(error));
    mdb_env_close(rival->environment);
    free(rival);
    return NULL;
}

static int rival_put(void *opened, const void *key, const void *value)
{
    struct rival *rival = opened;
    MDB_val at = { TN_DURABLE_KEY_BYTES, (void *)(uintptr_t)key };
    MDB_val what = { TN_DURABLE_VALUE_BYTES, (void *)(uintptr_t)value };
    int error = rival_begin(rival);

    return error != MDB_SUCCESS ? error
                                : mdb_put(rival->transaction, rival->database, &at, &what, 0);
}

static int rival_get(void *opened, const void *key, const void **value, size_t *value_bytes)
{
    struct rival *rival = opened;
    MDB_val at = { TN_DURABLE_KEY_BYTES, (void *)(uintptr_t)key }, what = { 0, NULL };
    int error = rival_begin(rival);

    if (error == MDB_SUCCESS)
        error = mdb_get(rival->transaction, rival->database, &at, &what);
    *value = what.mv_data;
    *value_bytes = what.mv_size;
    return error;
}

static int rival_close(void *opened)
{
    struct rival *rival = opened;
    int error;

    if (rival->transaction != NULL)
        mdb_txn_abort(rival->transaction);
    error = mdb_env_sync(rival->environment, 1);
    mdb_env_close(rival->environment);
    free(rival);
    return error;
}

const struct tn_durable_store tn_durable_lmdb = {
    .name = "lmdb",
    .notes = "NORDAHEAD NOMEMINIT NOTLS; NOSYNC for commits that are not synced",
    .open = rival_open,
    .set_synced = rival_set_synced,
    .put = rival_put,
    .commit = rival_commit,
    .get = rival_get,
    .close = rival_close,
    .error_text = rival_error_text,
};
