/*
 * lmdb.c - LMDB with everything that costs time and is not asked of the others switched off
 *
 * No sync, no lock file, no read-ahead, a writable map (so that pages are changed where they lie
 * and not copied and written), and the file in memory: on tmpfs where there is one with room, else
 * in TMPDIR or /tmp. One transaction per pass. The file loses its name as soon as it is open, so
 * nothing is left behind however the run ends.
 */
#include "bench/rivals.h"
#include "bench/scratch.h"

#include <lmdb.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct rival {
    MDB_env *environment;
    MDB_txn *transaction; /* of the pass; NULL between passes */
    MDB_cursor *cursor;
    MDB_dbi database;
    struct tn_bench_shape shape;
};

struct rival_cursor {
    bool is_first; /* the cursor stands on an entry that was not given yet */
    MDB_val key;
    MDB_val value;
};

static inline int result_of(int error)
{
    if (error == MDB_SUCCESS)
        return TN_BENCH_OK;
    if (error == MDB_NOTFOUND)
        return TN_BENCH_ABSENT;
    return error > 0 ? -error : error; /* errno is positive, LMDB's own are negative */
}

static inline MDB_val key_value(const struct rival *rival, const void *key)
{
    return (MDB_val){ .mv_size = rival->shape.key_bytes, .mv_data = (void *)(uintptr_t)key };
}

static inline int rival_get(struct rival *rival, const void *key, const void **value,
                            size_t *value_bytes)
{
    MDB_val wanted = key_value(rival, key), found;
    int error = mdb_get(rival->transaction, rival->database, &wanted, &found);

    if (error == MDB_SUCCESS) {
        *value = found.mv_data;
        *value_bytes = found.mv_size;
    }
    return result_of(error);
}

static inline int rival_contains(struct rival *rival, const void *key)
{
    MDB_val wanted = key_value(rival, key), found;

    return result_of(mdb_get(rival->transaction, rival->database, &wanted, &found));
}

/* One descent: the cursor finds the entry, and the new value goes where it stands. */
static inline int rival_modify(struct rival *rival, const void *key)
{
    MDB_val wanted = key_value(rival, key), found;
    uint8_t changed[TN_BENCH_VALUE_BYTES_MAX];
    int error = mdb_cursor_get(rival->cursor, &wanted, &found, MDB_SET);

    if (error != MDB_SUCCESS)
        return result_of(error);
    if (found.mv_size != rival->shape.value_bytes)
        return TN_BENCH_WRONG;
    memcpy(changed, found.mv_data, rival->shape.value_bytes);
    tn_store_le64(changed, tn_load_le64(changed) + 1);
    found.mv_data = changed;
    return result_of(mdb_cursor_put(rival->cursor, &wanted, &found, MDB_CURRENT));
}

static inline int rival_put(struct rival *rival, const void *key, const void *value)
{
    MDB_val wanted = key_value(rival, key);
    MDB_val given = { .mv_size = rival->shape.value_bytes, .mv_data = (void *)(uintptr_t)value };

    return result_of(mdb_put(rival->transaction, rival->database, &wanted, &given, 0));
}

static inline int rival_remove(struct rival *rival, const void *key)
{
    MDB_val wanted = key_value(rival, key);

    return result_of(mdb_del(rival->transaction, rival->database, &wanted, NULL));
}

static inline int rival_cursor_open(struct rival *rival, struct rival_cursor *cursor,
                                    const void *key)
{
    cursor->is_first = true;
    if (key == NULL)
        return result_of(mdb_cursor_get(rival->cursor, &cursor->key, &cursor->value, MDB_FIRST));
    cursor->key = key_value(rival, key);
    return result_of(mdb_cursor_get(rival->cursor, &cursor->key, &cursor->value, MDB_SET_RANGE));
}

static inline int rival_cursor_next(struct rival *rival, struct rival_cursor *cursor,
                                    const void **key, const void **value, size_t *value_bytes)
{
    int error = MDB_SUCCESS;

    if (!cursor->is_first)
        error = mdb_cursor_get(rival->cursor, &cursor->key, &cursor->value, MDB_NEXT);
    cursor->is_first = false;
    *key = cursor->key.mv_data;
    *value = cursor->value.mv_data;
    *value_bytes = cursor->value.mv_size;
    return result_of(error);
}

static inline void rival_cursor_close(struct rival *rival, struct rival_cursor *cursor)
{
    (void)rival;
    (void)cursor;
}

#include "bench/loops.h"

static const char *rival_error_text(void *store, int result)
{
    (void)store;
    /* LMDB's own are below -30000 and went through as they are; result_of negated errno. */
    return mdb_strerror(result < -30000 ? result : -result);
}

static int rival_begin(void *store, bool write)
{
    struct rival *rival = store;
    int error =
        mdb_txn_begin(rival->environment, NULL, write ? 0 : MDB_RDONLY, &rival->transaction);

    if (error == MDB_SUCCESS)
        error = mdb_cursor_open(rival->transaction, rival->database, &rival->cursor);
    return result_of(error);
}

static int rival_end(void *store)
{
    struct rival *rival = store;
    int error;

    if (rival->cursor != NULL)
        mdb_cursor_close(rival->cursor);
    rival->cursor = NULL;
    if (rival->transaction == NULL)
        return TN_BENCH_OK;
    error = mdb_txn_commit(rival->transaction);
    rival->transaction = NULL;
    return result_of(error);
}

static void rival_close(void *store)
{
    struct rival *rival = store;

    if (rival->cursor != NULL)
        mdb_cursor_close(rival->cursor);
    if (rival->transaction != NULL)
        mdb_txn_abort(rival->transaction);
    if (rival->environment != NULL)
        mdb_env_close(rival->environment);
    free(rival);
}

static int environment_open(struct rival *rival, const char *path, uint64_t map_bytes)
{
    unsigned flags = MDB_NOSUBDIR | MDB_NOSYNC | MDB_NOMETASYNC | MDB_WRITEMAP | MDB_NOLOCK |
                     MDB_NOTLS | MDB_NORDAHEAD | MDB_NOMEMINIT;
    int error = mdb_env_create(&rival->environment);

    if (error == MDB_SUCCESS)
        error = mdb_env_set_mapsize(rival->environment, map_bytes);
    if (error == MDB_SUCCESS)
        error = mdb_env_open(rival->environment, path, flags, 0600);
    if (error == MDB_SUCCESS)
        error = mdb_txn_begin(rival->environment, NULL, 0, &rival->transaction);
    if (error == MDB_SUCCESS)
        error = mdb_dbi_open(rival->transaction, NULL, 0, &rival->database);
    return error != MDB_SUCCESS ? result_of(error) : rival_end(rival);
}

static void *rival_open(const struct tn_bench_setup *setup, char *reason, size_t reason_bytes)
{
    /* Half-full leaves, and every page there twice: what a transaction over everything may need. */
    size_t entry_bytes = setup->shape.key_bytes + setup->shape.value_bytes;
    uint64_t room_bytes = setup->entries_max * entry_bytes * 4 + 16 * TN_MIB;
    struct rival *rival = calloc(1, sizeof *rival);
    char directory[TN_BENCH_SCRATCH_PATH_BYTES], path[TN_BENCH_SCRATCH_PATH_BYTES + 8];
    int result;

    if (rival == NULL) {
        snprintf(reason, reason_bytes, "out of memory");
        return NULL;
    }
    if (!tn_bench_scratch_make(directory, room_bytes, reason, reason_bytes)) {
        free(rival);
        return NULL;
    }
    rival->shape = setup->shape;
    snprintf(path, sizeof path, "%s/lmdb", directory);
    result = environment_open(rival, path, 2 * room_bytes);
    tn_bench_scratch_remove(directory); /* it stays open */
    if (result == TN_BENCH_OK)
        return rival;
    snprintf(reason, reason_bytes, "%s: %s", path, rival_error_text(rival, result));
    rival_close(rival);
    return NULL;
}

/*
 * Pages freed by one transaction can be used by the one after the next, so an empty change makes
 * the next one that.
 */
static int rival_clear(void *store)
{
    static const uint8_t key[TN_BENCH_KEY_BYTES_MAX], value[TN_BENCH_VALUE_BYTES_MAX];
    struct rival *rival = store;
    int result = rival_begin(rival, true), end;

    if (result == TN_BENCH_OK)
        result = result_of(mdb_drop(rival->transaction, rival->database, 0));
    end = rival_end(rival);
    if (result != TN_BENCH_OK || end != TN_BENCH_OK)
        return result != TN_BENCH_OK ? result : end;
    result = rival_begin(rival, true);
    if (result == TN_BENCH_OK)
        result = rival_put(rival, key, value);
    if (result == TN_BENCH_OK)
        result = rival_remove(rival, key);
    end = rival_end(rival);
    return result != TN_BENCH_OK ? result : end;
}

/* Pages of the tree; those that are free and waiting are not counted. */
static uint64_t rival_memory_bytes(void *store)
{
    struct rival *rival = store;
    MDB_stat stat;

    if (mdb_env_stat(rival->environment, &stat) != MDB_SUCCESS)
        return 0;
    return (uint64_t)stat.ms_psize *
           (stat.ms_branch_pages + stat.ms_leaf_pages + stat.ms_overflow_pages);
}

static const struct tn_bench_store lmdb = {
    .name = "lmdb",
    .notes = "on tmpfs if there is room; NOSYNC NOMETASYNC WRITEMAP NOLOCK NOTLS NORDAHEAD "
             "NOMEMINIT; one transaction per pass",
    .room_bytes = 300,
    .open = rival_open,
    .close = rival_close,
    .clear = rival_clear,
    .memory_bytes = rival_memory_bytes,
    .error_text = rival_error_text,
    .begin = rival_begin,
    .end = rival_end,
    .get = loop_get,
    .contains = loop_contains,
    .modify = loop_modify,
    .put = loop_put,
    .remove = loop_remove,
    .replace = loop_replace,
    .scan = loop_scan,
    .full_scan = loop_full_scan,
    .check = loop_check,
};

const struct tn_bench_store *const tn_bench_lmdb_stores[] = { &lmdb, NULL };
