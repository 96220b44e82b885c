/*
 * rivals.c - which stores are built in, and what to install for the others
 *
 * The one place where the presence of a library is asked about. CMake defines TARN_HAVE_ABSL and
 * TARN_HAVE_LMDB, and compiles those rivals' files, when it finds them.
 */
#include "rivals.h"

static const struct tn_bench_store *const bench_stores[] = {
    &tn_bench_tarn,  &tn_bench_tarn_unordered,
#if defined(TARN_HAVE_ABSL)
    &tn_bench_arena, &tn_bench_absl_btree,
#endif
#if defined(TARN_HAVE_LMDB)
    &tn_bench_lmdb,
#endif
};

static const char *const bench_stores_missing[] = {
#if !defined(TARN_HAVE_ABSL)
    "arena, absl_btree: not built in: install libabsl-dev",
#endif
#if !defined(TARN_HAVE_LMDB)
    "lmdb: not built in: install liblmdb-dev",
#endif
    NULL,
};

const struct tn_bench_store *const *tn_bench_stores(size_t *count)
{
    *count = TN_ARRAY_COUNT(bench_stores);
    return bench_stores;
}

const char *const *tn_bench_stores_missing(void)
{
    return bench_stores_missing;
}
