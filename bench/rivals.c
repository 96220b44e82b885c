/*
 * rivals.c - which stores are built in, and what to install for the others
 *
 * The one place where the presence of a library is asked about. CMake defines TARN_HAVE_<LIBRARY>,
 * and compiles that library's files, when it finds it.
 */
#include "durable.h"
#include "rivals.h"

static const struct tn_bench_store *const *const libraries[] = {
    tn_bench_tarn_stores,
#if defined(TARN_HAVE_ABSL)
    tn_bench_absl_stores,
#endif
#if defined(TARN_HAVE_LMDB)
    tn_bench_lmdb_stores,
#endif
#if defined(TARN_HAVE_ROCKSDB)
    tn_bench_rocksdb_stores,
#endif
};

static const char *const libraries_missing[] = {
#if !defined(TARN_HAVE_ABSL)
    "arena, absl_btree: not built in: install libabsl-dev",
#endif
#if !defined(TARN_HAVE_LMDB)
    "lmdb: not built in: install liblmdb-dev",
#endif
#if !defined(TARN_HAVE_ROCKSDB)
    "rocksdb: not built in: install librocksdb-dev",
#endif
    NULL,
};

size_t tn_bench_stores_choose(const struct tn_bench_store **out, size_t out_max,
                              const struct tn_bench_shape *shape)
{
    const struct tn_bench_store *const *at;
    size_t count = 0, i;

    for (i = 0; i < TN_ARRAY_COUNT(libraries); i++)
        for (at = libraries[i]; *at != NULL && count < out_max; at++)
            if ((*at)->shape.key_bytes == 0 || ((*at)->shape.key_bytes == shape->key_bytes &&
                                                (*at)->shape.value_bytes == shape->value_bytes))
                out[count++] = *at;
    return count;
}

const char *const *tn_bench_stores_missing(void)
{
    return libraries_missing;
}

/* ---- with a directory: tarn bench durable ---------------------------------------------------- */

const struct tn_durable_store *const tn_durable_stores[] = {
    &tn_durable_tarn,
#if defined(TARN_HAVE_LMDB)
    &tn_durable_lmdb,
#endif
#if defined(TARN_HAVE_ROCKSDB)
    &tn_durable_rocksdb,
#endif
#if defined(TARN_HAVE_LEVELDB)
    &tn_durable_leveldb,
#endif
#if defined(TARN_HAVE_SQLITE)
    &tn_durable_sqlite,
#endif
    NULL,
};

const char *const tn_durable_stores_missing[] = {
#if !defined(TARN_HAVE_LMDB)
    "lmdb: not built in: install liblmdb-dev",
#endif
#if !defined(TARN_HAVE_ROCKSDB)
    "rocksdb: not built in: install librocksdb-dev",
#endif
#if !defined(TARN_HAVE_LEVELDB)
    "leveldb: not built in: install libleveldb-dev",
#endif
#if !defined(TARN_HAVE_SQLITE)
    "sqlite: not built in: install libsqlite3-dev",
#endif
    NULL,
};
