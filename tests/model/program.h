/*
 * program.h - programs for the model: a setting and a list of operations, 8 bytes each
 *
 *     seed --> shape --> setting + operations        program_make
 *     bytes of a fuzzer --> the same                 program_decode
 *
 * A *shape* is a way to use a store: tiny tables with dense operations, churn, many tables, ... A
 * stretch of 512 operations has a *character*: it grows, shrinks, scans, ... and, beside that,
 * shares of snapshots, dictionaries and of a neighbour that the store shares a budget with.
 */
#ifndef MODEL_PROGRAM_H
#define MODEL_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TABLES_MAX 160
#define PROGRAM_MAX ((size_t)1 << 16)

/* clang-format off */
#define PLAIN_VERBS_LIST(V)                                                                        \
    V(PUT) V(PUT_IF_ABSENT) V(MODIFY) V(DELETE) V(GET) V(GET_MANY) V(CONTAINS) V(SCAN) V(NEXT)     \
    V(SEEK) V(CLOSE_ITERATOR) V(PUT_CURRENT) V(DELETE_CURRENT) V(PUT_RUN) V(DELETE_RUN) V(CLEAR)   \
    V(DROP) V(OPEN_AGAIN) V(COMMIT) V(WORK) V(MISUSE) V(COMPARE) V(ADD) V(APPEND) V(TAKE_ENTRY)    \
    V(MODIFY_MANY) V(MERGE) V(TYPED)
#define SNAPSHOT_VERBS_LIST(V)                                                                     \
    V(TAKE) V(RELEASE) V(RESTORE) V(VIEW_GET) V(VIEW_CLOSE) V(VIEW_SCAN) V(VIEW_COMPARE)
#define DICT_VERBS_LIST(V)                                                                         \
    V(ENCODE) V(ENCODE_MANY) V(FIND_CODE) V(DECODE) V(DICT_CLEAR) V(DICT_DROP) V(DICT_COMPARE)
#define OTHER_VERBS_LIST(V) V(NEIGHBOUR) V(EXPORT) V(MOVE)
#define DISK_VERBS_LIST(V) V(COMMIT_MORE) V(DROP_AND_COMMIT) V(REOPEN) V(KILL) V(READ_BESIDE) V(CHECK)
#define VERBS_LIST(V)                                                                              \
    PLAIN_VERBS_LIST(V) SNAPSHOT_VERBS_LIST(V) DICT_VERBS_LIST(V) OTHER_VERBS_LIST(V) DISK_VERBS_LIST(V)
#define VERB(name) name,
/* clang-format on */

/*
 * PUT_CURRENT, DELETE_CURRENT: the entry an iterator gave last, by the key it lent. RUN: many
 * neighbouring keys. COMPARE: a scan of the whole against the model. EXPORT: a snapshot, into
 * another store. MOVE: the whole store, out and in again. Those of the disk do nothing to a store
 * in memory, but for COMMIT_MORE, which is COMMIT.
 */
enum verb { VERBS_LIST(VERB) VERB_COUNT };

enum {
    FIRST_SNAPSHOT_VERB = TAKE,
    FIRST_DICT_VERB = ENCODE,
    FIRST_DISK_VERB = COMMIT_MORE,
    PLAIN_VERB_COUNT = TAKE,
};

extern const char *const verb_names[VERB_COUNT];

struct operation {
    uint8_t verb;
    uint8_t slot; /* of the table, the iterator, the snapshot */
    uint16_t key;
    uint32_t value; /* decides size, bytes, range, count: whatever the verb needs */
};

enum universe {
    UNIVERSE_TINY,     /* a handful, prefixes of each other */
    UNIVERSE_COUNTERS, /* 8 bytes, big-endian */
    UNIVERSE_PREFIXED, /* long and alike up to their ends */
    UNIVERSE_BINARY,   /* of bytes 0, 1, 0xFF, up to 12 of them */
    UNIVERSE_LONG,     /* lengths around every limit, to 65,535 */
    UNIVERSE_RANDOM,   /* 8 random bytes */
    UNIVERSE_KINDS
};

enum sizes {
    SIZES_MIXED, /* mostly small, up to 9,000 */
    SIZES_SMALL, /* to 40 */
    SIZES_ONE,   /* always the same: churn that fits its holes */
    SIZES_EDGES, /* mixed, and now and then around 64 KiB, 128 KiB and more */
    SIZES_KINDS
};

enum shape {
    SHAPE_MIXED,
    SHAPE_TINY,
    SHAPE_CHURN,
    SHAPE_MANY_TABLES,
    SHAPE_LONG_KEYS,
    SHAPE_TYPED,
    SHAPE_DICTS,
    SHAPE_BUDGET,
    SHAPE_LARGE,
    SHAPE_KINDS
};

extern const char *const shape_names[SHAPE_KINDS];

struct setting {
    uint64_t seed;
    enum shape shape;
    enum universe universe;
    enum sizes sizes;
    size_t key_count;
    size_t run_max; /* keys of a RUN */
    size_t table_count;
    uint8_t kinds[TABLES_MAX];
    uint8_t types[TABLES_MAX];
    uint64_t limit_bytes;        /* 0: none */
    uint64_t budget_bytes;       /* shared with a neighbour; 0: none */
    uint64_t snapshot_bytes_max; /* 0: none */
    uint64_t refuse_every;       /* of allocations; 0: none */
    uint64_t refuse_pages_every; /* of pages committed; 0: none */
    bool on_disk;                /* a store with a directory, on a simulated system */
    uint64_t file_bytes_min;     /* of its files */
    uint64_t tick;               /* the store's first; near the wrap of records' ticks */
    size_t look_inside_every;    /* at least so many operations between */
    size_t count;                /* operations */
};

struct program {
    struct setting setting;
    struct operation operations[PROGRAM_MAX];
};

void program_make(struct program *program, uint64_t seed);

/* setting.c: its setting. `state` goes on with what else is random. */
void setting_make(struct setting *setting, uint64_t seed, uint64_t *state);

/* The first 8 bytes are the setting. */
void program_decode(struct program *program, const uint8_t *data, size_t bytes);

/* As lines of '# ...'. */
void program_print(const struct program *program);

/* One sequence of the bounded exhaustive runs: see model.h. */
#define ALPHABET_COUNT ((size_t)12)
extern const struct operation alphabet[ALPHABET_COUNT];

#endif
