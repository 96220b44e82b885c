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
 *     tn_bench_store    one per rival: rivals/tarn.c, lmdb.c, absl_arena.cpp, ...
 *          |
 *     loops.h           the same source text for all of them
 *
 * Rules
 *   R1  Every operation consumes what it read: it goes into the pass's sum, which is compared with
 *       the sum the model expects. A store that does not read, or reads something else, fails.
 *   R2  An operation that finds what should not be there, or the other way round, fails the pass.
 *   R3  Keys come as bytes in memory, and a store does with them what its user would have to.
 *   R4  begin and end are timed with the pass; open, clear, close and memory_bytes are not.
 */
#ifndef TN_BENCH_STORE_H
#define TN_BENCH_STORE_H

#include "base/bytes.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TN_BENCH_KEY_BYTES ((size_t)8)
#define TN_BENCH_VALUE_BYTES ((size_t)128)
#define TN_BENCH_VALUE_COUNT 256u /* different values there are */
#define TN_BENCH_MANY 32u         /* keys in one get_many */

enum tn_bench_result {
    TN_BENCH_OK = 0,
    TN_BENCH_ABSENT = 1,
    TN_BENCH_WRONG = -1000, /* R2; other negative numbers are the store's own */
};

/* Called by a check pass with each value; false: it is wrong. */
typedef bool tn_bench_check_fn(const void *context, uint64_t key, const void *value,
                               size_t value_bytes);

struct tn_bench_pass {
    const uint64_t *keys;  /* 8 bytes each, big-endian, in the order to use them */
    size_t count;          /* operations */
    const uint8_t *values; /* TN_BENCH_VALUE_COUNT of them, one after the other */
    unsigned shift;        /* key i is given value (i + shift) % TN_BENCH_VALUE_COUNT */
    size_t length;         /* entries to take in each scan */
    uint64_t sum;          /* R1: in and out */

    tn_bench_check_fn *check; /* of a check pass */
    const void *check_context;
};

typedef int tn_bench_pass_fn(void *store, struct tn_bench_pass *pass);

struct tn_bench_store {
    const char *name;
    const char *notes; /* settings, for the reader of a result */

    /* For up to `entries_max` entries. NULL: failed, and `reason` says why. */
    void *(*open)(uint64_t entries_max, char *reason, size_t reason_bytes);
    void (*close)(void *store);
    /* Remove all entries, and do now what is needed so that their memory can be used again. */
    int (*clear)(void *store);
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
    tn_bench_pass_fn *scan; /* NULL: no order */
    tn_bench_pass_fn *full_scan;
    tn_bench_pass_fn *check;
};

/* The stores built in; the first is what the others are compared with. */
const struct tn_bench_store *const *tn_bench_stores(size_t *count);

/* Stores that could be here and are not, a line each with what to install; NULL ends. */
const char *const *tn_bench_stores_missing(void);

/* What a get reads of a value, and what a scan reads of an entry. Values have 16 bytes at least. */
static inline uint64_t tn_bench_read(const void *value, size_t value_bytes)
{
    const uint8_t *bytes = (const uint8_t *)value;

    return tn_load_le64(bytes) + tn_load_le64(bytes + value_bytes - 8);
}

static inline const uint8_t *tn_bench_value(const struct tn_bench_pass *pass, uint64_t key)
{
    size_t which = (size_t)((key + pass->shift) % TN_BENCH_VALUE_COUNT);

    return pass->values + which * TN_BENCH_VALUE_BYTES;
}

#ifdef __cplusplus
}
#endif

#endif
