/*
 * store.h - the insides of stores, tables and iterators
 *
 *     tarn_store --- catalog ---> tarn_table --- index ---> handle ---> record in the heap
 *         |                          |  `------- ordered --^               ^
 *         |                          `-- body: owner of the chunks --------'
 *         `-- garbage: bodies of cleared and dropped tables, reclaimed step by step
 *
 * A put in five hops: tarn_put (write.c) -> tn_table_find (table.h) -> tn_index_find (hash_index.h)
 * -> tn_heap_allocate (heap.c) -> tn_index_insert (hash_index.c), and tn_ordered_insert on ordered tables.
 *
 * Rules
 *   T1  Everything a write needs is reserved before anything is changed; from then on it cannot fail.
 *   T2  `alive` reads 1 while a handle may be used: it points at the store's fork mark, or, once the
 *       object is gone, at a constant 0. One load tells a live handle from a dropped or a forked one.
 *   T3  An iterator's `current` is the handle of the entry it gave last, and its key; before that
 *       record moves or dies, the key is copied into the iterator's own buffer.
 *   T4  Every open iterator's key buffer is as long as the longest key its table has had.
 *   T5  Each write pays a bounded share of upkeep: of growing indexes, of garbage, and of records that
 *       keep sparse chunks. That comes last in a call, and never moves the record it hands out.
 */
#ifndef TN_STORE_H
#define TN_STORE_H

#include "base/hash.h"
#include "heap/heap.h"
#include "index/hash_index.h"
#include "index/ordered.h"
#include "store/budgets.h"
#include "store/relocate.h"
#include "store/walker.h"

#include <tarn.h>

#define TN_ERROR_TEXT_BYTES 512

/* What a table holds beside its handle; parted from it by clear and drop. */
struct tn_table_body {
    struct tn_heap_owner owner;
    struct tn_table_body *next; /* in store->garbage; what follows is valid there only */
    struct tn_index index;
    struct tn_ordered *ordered;
    bool index_freed;
};

struct tarn_table {
    /* What a look-up touches. */
    const uint32_t *alive; /* T2 */
    uint8_t *base;         /* of the heap */
    struct tn_index index;
    struct tn_hash_secret secret;
    /* What a write touches too. */
    tarn_store *store;
    struct tn_ordered *ordered; /* NULL: unordered */
    struct tn_table_body *body;
    tarn_iterator *iterators; /* open ones */
    uint64_t entry_bytes;
    size_t key_bytes_max; /* of any key this table has had; T4 */
    /* The rest. */
    size_t name_bytes;
    uint32_t open_count; /* handles given and not given back */
    int kind;
    tarn_table *next_gone; /* in store->gone */
    char name[];
};

struct tarn_store {
    const uint32_t *alive; /* T2 */
    struct tn_os os;
    struct tn_memory memory;
    tarn_budget *budget; /* NULL: none */
    struct tn_heap heap;
    struct tn_hash_secret secret;
    uint32_t *fork_mark;
    uint64_t tick; /* advanced by tn_store_tick only */
    struct tn_walker walker;
    bool changed; /* since the last commit */
    /* Catalog: tables by name. */
    tarn_table **tables;
    size_t table_count;
    size_t table_room;
    tarn_table *gone; /* dropped, but with handles or iterators not given back */
    struct tn_table_body *garbage;
    uint64_t iterator_count;
    /* The last commit. */
    uint64_t commit_number;
    void *note;
    size_t note_bytes;
    char error_text[TN_ERROR_TEXT_BYTES];
};

struct tarn_iterator {
    tarn_table *table;
    tarn_iterator *next, *previous; /* table->iterators */
    tn_handle current;              /* T3: of the entry given last; NONE: see saved_key */
    uint64_t version;               /* of the index that `cursor` or `batch` belongs to */
    bool started;                   /* an entry was given, or tarn_seek called */
    bool ended;
    bool reverse;
    bool at_saved_key; /* after tarn_seek: go on at saved_key, not behind it */
    /* T3, T4: the key of the entry given last, once its record has gone. */
    uint8_t *saved_key;
    size_t saved_key_bytes;
    size_t saved_key_room;
    /* Ordered tables: [lower, upper), both in `bounds`. */
    struct tn_ordered_cursor cursor;
    tarn_bytes lower;
    tarn_bytes upper; /* data NULL: open */
    uint8_t *bounds;
    size_t bounds_bytes;
    /* Unordered tables: entries gathered and not yet given. */
    struct tn_index_entry *batch;
    size_t batch_count;
    size_t batch_next;
    uint64_t position; /* where the next batch begins */
    uint32_t hash31;   /* of the entry given last */
};

/* What is not for users to set. */
struct tn_store_setting {
    const struct tn_os *os;
    uint64_t tick; /* the first; 0: 1 */
};

int tn_store_open(tarn_store **out, const char *path, const tarn_options *options,
                  const struct tn_store_setting *setting);

/* A commit was made, or a snapshot taken: later changes are told apart from those before. */
void tn_store_tick(tarn_store *store);

/* ---- errors: each answers the result it was given, so that it can be returned ------------------- */

int tn_store_fail(tarn_store *store, int result, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* For a call on a handle that is NULL, gone or forked, or with arguments out of contract. */
int tn_table_misuse(tarn_table *table, const char *call, const char *what);

/* After memory refused: TARN_E_FULL or TARN_E_MEMORY, as rule M2 tells. */
int tn_store_refused(tarn_store *store, const char *call);

/* ---- garbage ---------------------------------------------------------------------------------------- */

#define TN_WRITE_SHARE_BYTES (64 * TN_KIB)
#define TN_WRITE_SHARE_BUCKETS 3u

/* M4 of memory.h: more than an empty table consists of, apart from its handle. */
#define TN_RESERVE_BYTES (4 * TN_KIB)

struct tn_table_body *tn_table_body_new(tarn_store *store);

/* Hand a table's body, index and order to the garbage. Cannot fail. */
void tn_store_discard(tarn_store *store, tarn_table *table);

/* Free about *budget_bytes of garbage. true: there is none left. */
bool tn_store_reclaim(tarn_store *store, uint64_t *budget_bytes);

/* All garbage and all kept pages: before memory is refused. true: something may have come back. */
bool tn_store_reclaim_all(tarn_store *store);

/* Free a dropped table that nobody has a handle of any more, and take it off store->gone. */
void tn_table_free_if_unused(tarn_table *table);

/* ---- iterators, as writes see them ------------------------------------------------------------------- */

/* T3: the record of this handle is about to move or die. */
void tn_iterators_leave(tarn_table *table, tn_handle handle);

/* T4: a key of that length is about to come. false: no memory, nothing changed. */
bool tn_iterators_reserve(tarn_table *table, size_t key_bytes);

/* The table was cleared or dropped: all its iterators are at their end. */
void tn_iterators_end(tarn_table *table);

/* ---- look-up ------------------------------------------------------------------------------------------- */

struct tn_lookup {
    uint64_t hash;
    tn_handle handle;            /* TN_HANDLE_NONE: absent */
    struct tn_index_place place; /* of the entry, when there is one */
};

/* Whether a call with this handle and key is within the contract (T2). */
static inline bool tn_table_call_ok(const tarn_table *table, const void *key, size_t key_bytes)
{
    return table != NULL && *table->alive != 0 && key_bytes <= TARN_KEY_BYTES_MAX &&
           (key != NULL || key_bytes == 0);
}

/* With a key length that the compiler knows, this is a third of the instructions. */
TN_ALWAYS_INLINE tn_handle tn_table_find_sized(const tarn_table *table, const void *key,
                                               size_t key_bytes, struct tn_lookup *lookup)
{
    lookup->hash = tn_hash(&table->secret, key, key_bytes);
    lookup->handle =
        tn_index_find(&table->index, table->base, lookup->hash, key, key_bytes, &lookup->place);
    return lookup->handle;
}

/* The same for any length, out of line. */
tn_handle tn_table_find_any(const tarn_table *table, const void *key, size_t key_bytes,
                            struct tn_lookup *lookup);

TN_ALWAYS_INLINE tn_handle tn_table_find(const tarn_table *table, const void *key, size_t key_bytes,
                                         struct tn_lookup *lookup)
{
    if (TN_LIKELY(key_bytes == sizeof(uint64_t)))
        return tn_table_find_sized(table, key, sizeof(uint64_t), lookup);
    return tn_table_find_any(table, key, key_bytes, lookup);
}

#endif
