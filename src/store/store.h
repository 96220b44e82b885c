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
 *   T5  Each write pays a bounded share of upkeep: of growing indexes and of garbage; deletes also of
 *       moving records out of sparse chunks, once all else is done.
 *   T6  `taken` is a slot that no index knows any more: tarn_take has lent its value. Reclaiming
 *       anything frees it first, and each write reclaims.
 */
#ifndef TN_STORE_H
#define TN_STORE_H

#include "base/hash.h"
#include "heap/heap.h"
#include "index/hash_index.h"
#include "index/ordered.h"
#include "store/budgets.h"
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

/* What a table is for: only plain ones can be opened by users. */
enum tn_table_role {
    TN_ROLE_PLAIN,
    TN_ROLE_DICT_CODES, /* of a dictionary: key -> code */
    TN_ROLE_DICT_KEYS   /* of a dictionary: code -> key */
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
    uint32_t scan_count;
    size_t key_bytes_max; /* of any key this table has had; T4 */
    /* The rest. */
    size_t name_bytes;
    uint32_t open_count; /* handles given and not given back */
    int kind;
    int type;           /* enum tarn_type, of the values */
    size_t value_bytes; /* that every value has; 0: any */
    enum tn_table_role role;
    tarn_table *next_gone; /* in store->gone */
    char name[];
};

/* The slot of an entry taken out of its table, not yet free (T6). */
struct tn_taken {
    struct tn_table_body *body; /* owner of the slot */
    tn_handle handle;           /* TN_HANDLE_NONE: there is none */
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
    struct tn_taken taken; /* T6 */
    tarn_dict *dicts;      /* handles given and not given back */
    uint64_t iterator_count;
    /* The last commit. */
    uint64_t commit_number;
    void *note;
    size_t note_bytes;
    char error_text[TN_ERROR_TEXT_BYTES];
};

struct tarn_iterator {
    tarn_table *table;
    /*
     * Entries gathered ahead and not yet given: batch[batch_next .. batch_count). Up to batch_low they
     * can be given as long as the version stands; then it is time to gather more, so that records are
     * fetched well before they are read.
     */
    const uint64_t *version_now; /* of the index; its own `version` while nothing is gathered */
    uint64_t version;            /* that the batch was gathered at */
    struct tn_walk_entry *batch;
    size_t batch_next;
    size_t batch_low;
    size_t batch_count;
    size_t batch_room;
    tn_handle current; /* T3: of the entry given last; NONE: see saved_key */
    bool started;      /* an entry was given, or tarn_seek called */
    bool ended;
    bool reverse;
    bool at_saved_key;              /* after tarn_seek: go on at saved_key, not behind it */
    tarn_iterator *next, *previous; /* table->iterators */
    /* T3, T4: the key of the entry given last, once its record has gone. */
    uint8_t *saved_key;
    size_t saved_key_bytes;
    size_t saved_key_room;
    /* Ordered tables: [lower, upper), both in `bounds`; where gathering goes on. */
    tarn_bytes lower;
    tarn_bytes upper; /* data NULL: open */
    bool bounded;     /* an end of the range that the scan can run into */
    uint8_t *bounds;
    size_t bounds_bytes;
    struct tn_ordered_cursor cursor;
    size_t gather_count; /* how many to gather next */
    /* Unordered tables: where gathering goes on. */
    uint64_t position;
    unsigned block_bits; /* of the walk */
    uint32_t first;      /* the place it began at; behind the last place it goes on at 0 */
    bool wrapped;        /* it has */
};

/* Opening with another door to the system: for tests. */
int tn_store_open(tarn_store **out, const char *path, const tarn_options *options,
                  const struct tn_os *os);

/* The same, from another tick than 1. */
int tn_store_open_from(tarn_store **out, const char *path, const tarn_options *options,
                       const struct tn_os *os, uint64_t tick);

/* A commit was made, or a snapshot taken: later changes are told apart from those before. */
void tn_store_tick(tarn_store *store);

/* ---- errors: each answers the result it was given, so that it can be returned ------------------- */

int tn_store_fail(tarn_store *store, int result, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* For a call on a handle that is NULL, gone or forked, or with arguments out of contract. */
int tn_table_misuse(tarn_table *table, const char *call, const char *what);

/* For a value of a size that the table's type does not have. */
int tn_table_fail_type(tarn_table *table, const char *call, size_t value_bytes);

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

static inline bool tn_store_has_garbage(const tarn_store *store)
{
    return ((uintptr_t)store->garbage | store->taken.handle) != 0;
}

/* Free what tarn_take has lent (T6) and about *budget_bytes of garbage. true: there is none left. */
bool tn_store_reclaim(tarn_store *store, uint64_t *budget_bytes);

/* All garbage and all kept pages: before memory is refused. true: something may have come back. */
bool tn_store_reclaim_all(tarn_store *store);

/* Free a dropped table that nobody has a handle of any more, and take it off store->gone. */
void tn_table_free_if_unused(tarn_table *table);

/* ---- tables, as dictionaries see them ---------------------------------------------------------------- */

/*
 * As tarn_table_open, for any role and any bytes as name; `options` are within the contract or NULL,
 * `call` is for messages.
 */
int tn_table_open(tarn_table **out, tarn_store *store, const char *call, tarn_bytes name,
                  enum tn_table_role role, const tarn_table_options *options);

/* Clear all of them or, refused, none. Their handles are usable and of one store. */
int tn_tables_clear(tarn_table *const *tables, size_t count, const char *call);

/* Give back the handles of dictionaries that the user has not. Their tables may be gone. */
void tn_dicts_free(tarn_store *store);

/* ---- iterators ---------------------------------------------------------------------------------------- */

/* T3: the record of this handle is about to move or die. */
void tn_iterators_leave(tarn_table *table, tn_handle handle);

/* T4: a key of that length is about to come. false: no memory, nothing changed. */
bool tn_iterators_reserve(tarn_table *table, size_t key_bytes);

/* The table was cleared or dropped: all its iterators are at their end. */
void tn_iterators_end(tarn_table *table);

/* The key of the entry given last: in its record, or saved. */
tarn_bytes tn_iterator_last_key(const tarn_iterator *it);

/* Places in a batch: what is left over when more is gathered, and what is gathered (gather.c). */
size_t tn_gather_room(const tarn_table *table);

/* The batch is used up, or low, or out of date: see to it that there is more, if there is more. */
void tn_gather(tarn_iterator *it);

/* Forget what was gathered; the next tn_gather finds the place by the last key. */
void tn_gather_forget(tarn_iterator *it);

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

/* A key of 8 bytes: see tn_index_probe. */
TN_ALWAYS_INLINE enum tn_probe tn_table_probe(const tarn_table *table, const void *key,
                                              struct tn_record **record)
{
    uint64_t word;

    memcpy(&word, key, sizeof word);
    return tn_index_probe(&table->index, table->base, tn_hash(&table->secret, key, sizeof word),
                          word, record);
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
