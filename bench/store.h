/*
 * store.h - what a store must offer to be measured
 *
 * A store under measurement is a table of functions. Those that are timed take a *pass*: many
 * operations, handed over at once, so that what is timed is the store called as a program would
 * call it, directly, and not a function pointer per operation. The loops over a pass are written
 * once, in loops.h, and compiled into each adapter.
 *
 *     store_bench.c     which passes, in which order, over which stores
 *          |
 *     tn_bench_store    store_tarn.c and one per rival: rivals/absl.cpp, lmdb.c, rocksdb.cpp
 *          |
 *     loops.h           the same source text for all of them
 *
 * Rules
 *   R1  Every operation consumes what it read: it goes into the pass's sum, which is compared with
 *       the sum the model expects. A store that does not read, or reads something else, fails.
 *   R2  An operation that finds what should not be there, or the other way round, fails the pass.
 *       (Where a store's delete does not say whether there was anything, the model's later reads
 *       do.)
 *   R3  Keys come as bytes in memory, and a store does with them what its user would have to.
 *   R4  begin and end are timed with the pass; open, clear, settle, close and memory_bytes are not.
 */
#ifndef TN_BENCH_STORE_H
#define TN_BENCH_STORE_H

#include "base/bytes.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TN_BENCH_VALUE_COUNT 256u /* different values there are */
#define TN_BENCH_VALUE_BYTES_MAX ((size_t)256)
#define TN_BENCH_KEY_BYTES_MAX ((size_t)60)
#define TN_BENCH_MANY 32u /* keys in one get_many */

enum tn_bench_result {
    TN_BENCH_OK = 0,
    TN_BENCH_ABSENT = 1,
    TN_BENCH_WRONG = -1000, /* R2; other negative numbers are the store's own */
};

/* What the entries of a run look like. */
struct tn_bench_shape {
    size_t key_bytes;   /* 8: big-endian counters; 60: URLs; see workload.h */
    size_t value_bytes; /* 32, 128 or 256 */
};

/* Called by a check pass with each value; false: it is wrong. */
typedef bool tn_bench_check_fn(const void *context, const void *key, const void *value,
                               size_t value_bytes);

struct tn_bench_pass {
    const uint8_t *keys;  /* of `shape`, one after the other, in the order to use them */
    const uint8_t *which; /* beside each key: the value it has from the beginning */
    struct tn_bench_shape shape;
    size_t count;          /* operations */
    size_t width;          /* keys of each: 1, of a replacement 2 */
    const uint8_t *values; /* TN_BENCH_VALUE_COUNT of them, one after the other */
    unsigned shift;        /* what is put is value (which + shift) % TN_BENCH_VALUE_COUNT */
    size_t length;         /* entries to take in each scan */
    uint64_t sum;          /* R1: in and out */

    tn_bench_check_fn *check; /* of a check pass */
    const void *check_context;
};

typedef int tn_bench_pass_fn(void *store, struct tn_bench_pass *pass);

struct tn_bench_setup {
    struct tn_bench_shape shape;
    uint64_t entries_max;
};

struct tn_bench_store {
    const char *name;
    const char *notes; /* settings, for the reader of a result */
    /* The only shape it is compiled for; zero-filled: any. A name may come once for each shape. */
    struct tn_bench_shape shape;
    /* Beyond key and value, for each entry, at the worst moment: whether a run fits in memory. */
    size_t room_bytes;

    /* NULL: failed, and `reason` says why. */
    void *(*open)(const struct tn_bench_setup *setup, char *reason, size_t reason_bytes);
    void (*close)(void *store);
    /* Remove all entries, and do now what is needed so that their memory can be used again. */
    int (*clear)(void *store);
    /* Do now what was put off, before reads are timed. NULL: nothing is put off. */
    int (*settle)(void *store);
    /* Bytes in use, those of keys and values included. */
    uint64_t (*memory_bytes)(void *store);
    /* Calls of the allocator so far; NULL: not known. */
    uint64_t (*allocations)(void *store);
    /* What a negative result means; for messages. */
    const char *(*error_text)(void *store, int result);

    /* Around each pass. NULL: nothing to do. */
    int (*begin)(void *store, bool write);
    int (*end)(void *store);

    tn_bench_pass_fn *get;
    tn_bench_pass_fn *get_many; /* NULL: there is none */
    tn_bench_pass_fn *contains; /* the sum counts the keys found */
    tn_bench_pass_fn *modify;   /* adds 1 to the u64 a value begins with */
    tn_bench_pass_fn *put;
    tn_bench_pass_fn *remove;
    tn_bench_pass_fn *replace; /* keys in pairs: the first is removed, the second put */
    tn_bench_pass_fn *scan;    /* NULL: no order */
    tn_bench_pass_fn *full_scan;
    tn_bench_pass_fn *check;
};

#define TN_BENCH_STORES_MAX 16u

/* Those built in for a shape, and how many; the first is what the others are compared with. */
size_t tn_bench_stores_choose(const struct tn_bench_store **out, size_t out_max,
                              const struct tn_bench_shape *shape);

/* Stores that could be here and are not, a line each with what to install; NULL ends. */
const char *const *tn_bench_stores_missing(void);

/* What a get reads of a value, and what a scan reads of an entry. Values have 16 bytes at least. */
static inline uint64_t tn_bench_read(const void *value, size_t value_bytes)
{
    const uint8_t *bytes = (const uint8_t *)value;

    return tn_load_le64(bytes) + tn_load_le64(bytes + value_bytes - 8);
}

/* What a scan reads of a key. */
static inline uint64_t tn_bench_read_key(const void *key, size_t key_bytes)
{
    return tn_load_be64((const uint8_t *)key + key_bytes - 8);
}

#ifdef __cplusplus
}
#endif

#endif
