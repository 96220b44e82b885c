/*
 * durable_sqlite.c - SQLite with a write-ahead log: a table of integer keys and blobs
 *
 * The keys are integers, as SQLite likes them best: they are its row numbers. A synced commit has
 * synchronous=FULL, another one OFF.
 */
#include "bench/durable.h"
#include "base/bytes.h"

#include <sqlite3.h>

#include <stdio.h>
#include <stdlib.h>

struct rival {
    sqlite3 *database;
    sqlite3_stmt *put, *get, *begin, *commit;
    bool in_transaction;
};

static const char *rival_error_text(void *opened, int result)
{
    const struct rival *rival = opened;

    return rival != NULL && result != SQLITE_DONE ? sqlite3_errmsg(rival->database)
                                                  : sqlite3_errstr(result);
}

static int statement_run(sqlite3_stmt *statement)
{
    int error = sqlite3_step(statement);

    sqlite3_reset(statement);
    return error == SQLITE_DONE || error == SQLITE_ROW ? SQLITE_OK : error;
}

/* Not within a transaction. */
static int rival_set_synced(void *opened, bool synced)
{
    const struct rival *rival = opened;

    return sqlite3_exec(rival->database,
                        synced ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=OFF", NULL, NULL,
                        NULL);
}

static int statement_make(struct rival *rival, sqlite3_stmt **statement, const char *text)
{
    return sqlite3_prepare_v2(rival->database, text, -1, statement, NULL);
}

static int database_open(struct rival *rival, const char *file)
{
    int error = sqlite3_open(file, &rival->database);

    if (error == SQLITE_OK)
        error = sqlite3_exec(rival->database,
                             "PRAGMA journal_mode=WAL; PRAGMA cache_size=-1000000;"
                             "CREATE TABLE IF NOT EXISTS t(k INTEGER PRIMARY KEY, v BLOB)",
                             NULL, NULL, NULL);
    if (error == SQLITE_OK)
        error = rival_set_synced(rival, false);
    if (error == SQLITE_OK)
        error = statement_make(rival, &rival->put, "INSERT OR REPLACE INTO t VALUES(?,?)");
    if (error == SQLITE_OK)
        error = statement_make(rival, &rival->get, "SELECT v FROM t WHERE k=?");
    if (error == SQLITE_OK)
        error = statement_make(rival, &rival->begin, "BEGIN");
    if (error == SQLITE_OK)
        error = statement_make(rival, &rival->commit, "COMMIT");
    return error;
}

static void rival_free(struct rival *rival)
{
    sqlite3_finalize(rival->put);
    sqlite3_finalize(rival->get);
    sqlite3_finalize(rival->begin);
    sqlite3_finalize(rival->commit);
    sqlite3_close(rival->database); /* copies the log into the file */
    free(rival);
}

static void *rival_open(const char *path, uint64_t entries_max, char *reason, size_t reason_bytes)
{
    struct rival *rival = calloc(1, sizeof *rival);
    char file[600];

    (void)entries_max;
    if (rival == NULL) {
        snprintf(reason, reason_bytes, "out of memory");
        return NULL;
    }
    snprintf(file, sizeof file, "%s/sqlite", path);
    if (database_open(rival, file) == SQLITE_OK)
        return rival;
    snprintf(reason, reason_bytes, "%s", sqlite3_errmsg(rival->database));
    rival_free(rival);
    return NULL;
}

static int rival_put(void *opened, const void *key, const void *value)
{
    struct rival *rival = opened;
    int error = rival->in_transaction ? SQLITE_OK : statement_run(rival->begin);

    if (error != SQLITE_OK)
        return error;
    rival->in_transaction = true;
    sqlite3_bind_int64(rival->put, 1, (sqlite3_int64)tn_load_be64(key));
    sqlite3_bind_blob(rival->put, 2, value, (int)TN_DURABLE_VALUE_BYTES, SQLITE_STATIC);
    return statement_run(rival->put);
}

static int rival_commit(void *opened)
{
    struct rival *rival = opened;
    int error;

    if (!rival->in_transaction)
        return SQLITE_OK;
    error = statement_run(rival->commit);
    rival->in_transaction = false;
    return error;
}

static int rival_get(void *opened, const void *key, const void **value, size_t *value_bytes)
{
    struct rival *rival = opened;
    int error;

    sqlite3_reset(rival->get);
    sqlite3_bind_int64(rival->get, 1, (sqlite3_int64)tn_load_be64(key));
    error = sqlite3_step(rival->get);
    if (error != SQLITE_ROW)
        return error;
    *value = sqlite3_column_blob(rival->get, 0);
    *value_bytes = (size_t)sqlite3_column_bytes(rival->get, 0);
    return SQLITE_OK;
}

static int rival_close(void *opened)
{
    struct rival *rival = opened;
    int error;

    sqlite3_reset(rival->get);
    error = rival_set_synced(rival, true);
    if (error == SQLITE_OK)
        error = sqlite3_wal_checkpoint_v2(rival->database, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL,
                                          NULL);
    rival_free(rival);
    return error;
}

const struct tn_durable_store tn_durable_sqlite = {
    .name = "sqlite",
    .notes = "WAL; synchronous FULL or OFF; integer keys; 1 GB cache; prepared statements",
    .open = rival_open,
    .set_synced = rival_set_synced,
    .put = rival_put,
    .commit = rival_commit,
    .get = rival_get,
    .close = rival_close,
    .error_text = rival_error_text,
};
