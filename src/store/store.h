/*
 * store.h - the insides of stores, tables and iterators
 *
 *     tarn_store --- catalog ---> tarn_table --- index ---> handle ---> record in the heap
 *         |                          |  `------- ordered --^               ^
 *         |                          `-- body: owner of the chunks --------'
 *         `-- garbage: bodies of cleared and dropped tables, reclaimed step by step
 *
 * A put in five hops: tarn_put (write.c) -> tn_table_find (table.h) -> tn_index_find (hash_index.h)
 * -> tn_heap_allocate (heap.c) -> tn_index_insert (hash_index.c), and tn_ordered_insert on ordered
 * tables.
 *
 * Rules
 *   T1  Everything a write needs is reserved before anything is changed; from then on it cannot
 *       fail.
 *   T2  `alive` reads 1 while a handle may be used: it points at the store's fork mark, or, once
 *       the object is gone, at a constant 0. One load tells a live handle from a dropped or a
 *       forked one.
 *   T3  An iterator's `current` is the handle of the entry it gave last, and its key; before that
 *       record moves or dies, the key is copied into the iterator's own buffer.
 *   T4  Every open iterator's key buffer is as long as the longest key its table has had.
 *   T5  Each write pays a bounded share of upkeep: of growing indexes and of garbage; deletes also
 *       of moving records out of sparse chunks, once all else is done.
 *   T6  `taken` is a slot that no index knows any more: tarn_take has lent its value. Reclaiming
 *       anything frees it first, and each write reclaims.
 *   T7  Each write, once nothing can refuse it any more and before it changes anything, calls
 *       tn_snapshots_keep with the key it found, or did not find.
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
#define TN_FETCH_BYTES_MAX ((size_t)256) /* of longer records no more is fetched ahead */

/* What a table holds beside its handle; parted from it by clear and drop. */
struct tn_table_body {
    struct tn_heap_owner owner;
    struct tn_table_body *next; /* in store->garbage; what follows is valid there only */
    struct tn_index index;
    struct tn_ordered *ordered;
    bool index_freed;
    uint64_t dead_count; /* buried records in its slots: B2 of durable.h */
};

/* What a table is for: only plain ones can be opened by users. The numbers are part of exports. */
enum tn_table_role {
    TN_ROLE_PLAIN = 0,
    TN_ROLE_DICT_CODES = 1, /* of a dictionary: key -> code */
    TN_ROLE_DICT_KEYS = 2   /* of a dictionary: code -> key */
};

struct tn_undo;
struct tn_view_scan;

struct tarn_table {
    /* What a look-up touches. */
    const uint32_t *alive; /* T2 */
    uint8_t *base;         /* of the heap */
    struct tn_hash_secret secret;
    struct tn_index index;
    size_t last_byte; /* of a record, as far as it is worth fetching: as the newest entry has it */
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
    uint64_t id;           /* of a store on disk: the table's number (B3 of durable.h) */
    bool is_foreign;       /* structs in the other byte order: cannot be opened */
    tarn_table *next_gone; /* in store->gone; a list of restore.c or import.c */
    /* Snapshots: snapshot.h. */
    uint64_t born_tick;        /* when what it holds began */
    struct tn_undo *undos;     /* what snapshots keep of it, newest first */
    tarn_snapshot *snapshot;   /* a view: the table as this snapshot saw it; alive reads 0 */
    struct tn_undo *undo;      /* a view: what it reads through */
    tarn_table *next_internal; /* a ghost or a view: in its snapshot's list */
    uint64_t died_tick;        /* a ghost: when its table was cleared or dropped */
    bool is_wanted;            /* for restore.c */
    char name[];
};

/* The slot of an entry taken out of its table, not yet free (T6). */
struct tn_taken {
    struct tn_table_body *body; /* owner of the slot */
    tn_handle handle;           /* TN_HANDLE_NONE: there is none */
};

struct tarn_store {
    /* What each write looks at. */
    const uint32_t *alive;    /* T2 */
    uint64_t tick;            /* advanced by tn_store_tick only */
    tarn_snapshot *snapshots; /* open and not failed, newest first: snapshot.h */
    struct tn_table_body *garbage;
    tarn_snapshot *leaving;     /* released or failed: what they held is given back step by step */
    struct tn_taken taken;      /* T6 */
    struct tn_durable *durable; /* NULL: in memory only */
    uint64_t interval_tick;     /* the first since the last commit (B1 of durable.h) */
    bool changed;               /* since the last commit */
    /* The rest. */
    struct tn_os os;
    struct tn_memory memory;
    tarn_budget *budget; /* NULL: none */
    struct tn_heap heap;
    struct tn_hash_secret secret;
    uint32_t *fork_mark;
    struct tn_walker walker;
    /* Catalog: tables by name. */
    tarn_table **tables;
    size_t table_count;
    size_t table_room;
    tarn_table *gone; /* dropped, but with handles or iterators not given back */
    tarn_dict *dicts; /* handles given and not given back */
    uint64_t iterator_count;
    /* Snapshots: snapshot.h. */
    tarn_snapshot *spent;    /* that done; still failed, or with handles not closed */
    uint64_t snapshot_count; /* not released */
    uint64_t snapshot_bytes_max;
    uint64_t ghost_bytes;
    /* The last commit. */
    uint64_t commit_number;
    void *note;
    size_t note_bytes;
    char error_text[TN_ERROR_TEXT_BYTES];
};

struct tarn_iterator {
    tarn_table *table;
    const uint32_t *alive; /* of the store (T2) */
    uint8_t *base;         /* of the heap */
    /*
     * Entries gathered ahead and not yet given: batch[batch_next .. batch_count). Up to batch_low
     * they can be given as long as the version stands; then it is time to gather more, so that
     * records are fetched well before they are read. Up to batch_quick, which is batch_low or 0,
     * there is nothing else to look at.
     */
    const uint64_t *version_now; /* of the index; its own `version` while nothing is gathered */
    uint64_t version;            /* that the batch was gathered at */
    struct tn_walk_entry *batch;
    size_t batch_next;
    size_t batch_quick;
    tn_handle current; /* T3: of the entry given last; NONE: see saved_key */
    size_t batch_low;
    size_t batch_count;
    size_t batch_room;
    size_t last_byte; /* of a record, to fetch it: as the entry given last was */
    bool started;     /* an entry was given, or tarn_seek called */
    bool ended;
    bool reverse;
    bool at_saved_key;              /* after tarn_seek: go on at saved_key, not behind it */
    bool inner;                     /* a part of a view's: goes with the records to a ghost */
    tarn_iterator *next, *previous; /* table->iterators */
    struct tn_view_scan *view;      /* over a view: all that counts is there; see view.c */
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

struct tn_durable;

/* Opening with another door to the system: for tests. */
int tn_store_open(tarn_store **out, const char *path, const tarn_options *options,
                  const struct tn_os *os);

/* The same, from another tick than 1. */
int tn_store_open_from(tarn_store **out, const char *path, const tarn_options *options,
                       const struct tn_os *os, uint64_t tick);

/* A commit was made, or a snapshot taken: later changes are told apart from those before. */
void tn_store_tick(tarn_store *store);

/* ---- errors: each answers the result it was given, so that it can be returned ---------------- */

int tn_store_fail(tarn_store *store, int result, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* For a call on a handle that is NULL, gone or forked, or with arguments out of contract. */
int tn_table_misuse(tarn_table *table, const char *call, const char *what);

/* For a value of a size that the table's type does not have. */
int tn_table_fail_type(tarn_table *table, const char *call, size_t value_bytes);

/* For tarn_get_many: the key at this place of the array. */
int tn_get_many_misuse(tarn_table *table, size_t place);

/* After memory refused: TARN_E_FULL or TARN_E_MEMORY, as rule M2 tells. */
int tn_store_refused(tarn_store *store, const char *call);

/* ---- garbage --------------------------------------------------------------------------------- */

#define TN_WRITE_SHARE_BYTES (64 * TN_KIB)
#define TN_WRITE_SHARE_BUCKETS 8u

/* M4 of memory.h: more than an empty table consists of, apart from its handle. */
#define TN_RESERVE_BYTES (4 * TN_KIB)

struct tn_table_body *tn_table_body_new(tarn_store *store);

/* Hand a table's body, index and order to the garbage. Cannot fail. */
void tn_store_discard(tarn_store *store, tarn_table *table);

static inline bool tn_store_has_garbage(const tarn_store *store)
{
    return ((uintptr_t)store->garbage | (uintptr_t)store->leaving | store->taken.handle) != 0;
}

/* Free what tarn_take has lent (T6) and about *budget_bytes of garbage. true: there is none left. */
bool tn_store_reclaim(tarn_store *store, uint64_t *budget_bytes);

/* All garbage and all kept pages: before memory is refused. true: something may have come back. */
bool tn_store_reclaim_all(tarn_store *store);

/* Free a dropped table that nobody has a handle of any more, and take it off store->gone. */
void tn_table_free_if_unused(tarn_table *table);

/* ---- tables, as dictionaries see them -------------------------------------------------------- */

/*
 * As tarn_table_open, for any role and any bytes as name; `options` are within the contract or
 * NULL, `call` is for messages.
 */
int tn_table_open(tarn_table **out, tarn_store *store, const char *call, tarn_bytes name,
                  enum tn_table_role role, const tarn_table_options *options);

/* Clear all of them or, refused, none. Their handles are usable and of one store. */
int tn_tables_clear(tarn_table *const *tables, size_t count, const char *call);

/* Give back the handles of dictionaries that the user has not. Their tables may be gone. */
void tn_dicts_free(tarn_store *store);

/* ---- tables, as snapshots, exports and imports see them -------------------------------------- */

/* The table of that name; NULL: none. */
tarn_table *tn_catalog_find(const tarn_store *store, tarn_bytes name);

static inline tarn_bytes tn_table_name(const tarn_table *table)
{
    return (tarn_bytes){ table->name, table->name_bytes };
}

/*
 * A table of the same name, kind and type, not in the catalog; without parts it can hold nothing
 * yet. NULL: refused.
 */
tarn_table *tn_table_new_like(const tarn_table *table, bool with_parts);

/*
 * Whether a table of that role can have that name, as catalog.c and dict.c give names: for names
 * from files, which may be anything.
 */
bool tn_name_fits(enum tn_table_role role, tarn_bytes name);

/* A table with parts, not in the catalog. NULL: refused. */
tarn_table *tn_table_new(tarn_store *store, tarn_bytes name, enum tn_table_role role,
                         const tarn_table_options *options);

/* Whether two tables of one name have the same kind, type and role. */
bool tn_table_is_like(const tarn_table *a, const tarn_table *b);

/* Give back a table known nowhere, with its parts, which hold nothing. */
void tn_table_free_whole(tarn_table *table);

/* Put a new table into the catalog, where there is none of that name. false: refused. */
bool tn_catalog_add(tarn_store *store, tarn_table *table);

/*
 * Put new tables into the catalog, chained by next_gone, descending by name; it has none of their
 * names. false: refused, nothing changed.
 */
bool tn_catalog_add_all(tarn_store *store, tarn_table *tables);

/* The place of the first table with a greater name. */
size_t tn_catalog_place_after(const tarn_store *store, tarn_bytes name);

/* Give back the memory of a table that holds nothing and is known nowhere. */
void tn_table_free(tarn_table *table);

/* The table leaves the catalog; its handles answer TARN_E_MISUSE from now on. */
void tn_catalog_remove(tarn_table *table);

/* Let go of a table that holds nothing, once its handles and iterators are closed. */
void tn_table_let_go(tarn_table *table);

/* Give what a table holds to another that holds nothing. */
void tn_table_move_parts(tarn_table *to, tarn_table *from);

static inline bool tn_table_is_view(const tarn_table *table)
{
    return table != NULL && table->snapshot != NULL;
}

/* ---- iterators ------------------------------------------------------------------------------- */

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

/* ---- iterators, as views see them ------------------------------------------------------------ */

/* The parts of views' iterators go on in the ghost that has what the table had. */
void tn_iterators_follow(tarn_table *table, tarn_table *ghost);

#define TN_SCAN_RULE                                                                               \
    "out must be there, a bound have at most 65,535 bytes, and an unordered table be scanned "     \
    "whole"

/* Whether these can be arguments of tarn_scan. */
bool tn_scan_ok(const tarn_table *table, const tarn_range *range);

/* An iterator as part of another, with room for a key. NULL: refused. */
tarn_iterator *tn_iterator_new_inner(tarn_table *table, const tarn_range *range, size_t key_bytes);

void tn_iterator_free_inner(tarn_iterator *it);

/* Before its first step: walk an unordered table in the same order as another iterator does. */
void tn_iterator_walk_as(tarn_iterator *it, const tarn_iterator *other);

/* Begin anew. */
void tn_iterator_restart(tarn_iterator *it);

/* Go on at, or behind, the key in saved_key. */
void tn_iterator_go_on(tarn_iterator *it, bool at);

/* Room for a key in saved_key. false: refused, nothing changed. */
bool tn_iterator_reserve_key(tarn_iterator *it, size_t key_bytes);

/* Into and out of the list of its table. */
void tn_iterator_attach(tarn_iterator *it, tarn_table *table);
void tn_iterator_detach(tarn_iterator *it);

/* ---- look-up --------------------------------------------------------------------------------- */

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

/*
 * A key of 8 bytes, and its hash: see tn_index_probe. `at_rest` is that the index is not moving,
 * for the compiler to know: asked once, ahead of all, it costs calls on an index at rest one
 * instruction.
 */
TN_ALWAYS_INLINE enum tn_probe tn_table_probe(const tarn_table *table, const void *key,
                                              uint64_t hash, bool at_rest, bool misses,
                                              size_t last_byte, const uint64_t **word_at,
                                              struct tn_record **record)
{
    const struct tn_index *index = &table->index;
    uint32_t hash31 = tn_hash31(hash);
    const uint64_t *bucket =
        at_rest ? index_bucket(index, hash31, index->counts[1]) : tn_index_home(index, hash31);
    uint64_t word;

    memcpy(&word, key, sizeof word);
    return tn_index_probe(bucket, &table->base, hash31, word, misses, last_byte, word_at, record);
}

/* Whether a call is within the contract, its key has 8 bytes, and the index is at rest. */
TN_ALWAYS_INLINE bool tn_table_is_quick(const tarn_table *table, const void *key, size_t key_bytes)
{
    return key_bytes == sizeof(uint64_t) && table != NULL && *table->alive != 0 && key != NULL &&
           !tn_index_is_moving(&table->index);
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

/* ---- stores on disk, as the rest sees them: durable.h ---------------------------------------- */

/* B1: the record is about to change, and has not since the last commit. */
void tn_record_mark(tarn_table *table, struct tn_record *record, tn_handle handle);

/* B1, B2: a new record. */
static inline void tn_record_mark_born(tarn_table *table, struct tn_record *record,
                                       tn_handle handle)
{
    if (TN_LIKELY(table->store->durable == NULL))
        return;
    record->flags |= TN_RECORD_BORN;
    tn_heap_mark(&table->store->heap, &table->body->owner, handle);
}

/* Before the tick of a record is set to now. */
static inline void tn_record_mark_change(tarn_table *table, struct tn_record *record,
                                         tn_handle handle)
{
    if (TN_UNLIKELY(table->store->durable != NULL) &&
        !tn_record_is_after(record, table->store->interval_tick - 1))
        tn_record_mark(table, record, handle);
}

/* ---- snapshots, as the rest sees them: snapshot.h -------------------------------------------- */

/* Keep the entry as it is, or that there is none, for the snapshots that have not. Cannot fail. */
void tn_undo_keep(tarn_table *table, const struct tn_lookup *lookup, const void *key,
                  size_t key_bytes);

/* T7 */
static inline void tn_snapshots_keep(tarn_table *table, const struct tn_lookup *lookup,
                                     const void *key, size_t key_bytes)
{
    if (TN_UNLIKELY(table->store->snapshots != NULL))
        tn_undo_keep(table, lookup, key, key_bytes);
}

/*
 * Part a table from what it holds: to a ghost, if open snapshots see it, else to the garbage.
 * Cannot fail.
 */
void tn_table_retire(tarn_table *table);

/* Give back some of what the first of store->leaving holds. */
void tn_snapshot_leave_step(tarn_store *store, uint64_t *budget_bytes);

/* At close, when all snapshots are released: forget those whose handles were not closed. */
void tn_snapshots_forget(tarn_store *store);

void tn_snapshots_stat(const tarn_store *store, tarn_statistics *out);

/* A call that writes, on a view. */
int tn_view_misuse(tarn_table *view, const char *call);

void tn_view_free_if_unused(tarn_table *view);

/* The calls of tarn.h on views; arguments not yet checked. */
int tn_view_get(tarn_table *view, const void *key, size_t key_bytes, const void **value,
                size_t *value_bytes);
int tn_view_contains(tarn_table *view, const void *key, size_t key_bytes);
int tn_view_get_many(tarn_table *view, const tarn_bytes *keys, size_t count, tarn_bytes *values);
uint64_t tn_view_count(const tarn_table *view);
uint64_t tn_view_bytes(const tarn_table *view);
int tn_view_scan(tarn_iterator **out, tarn_table *view, const tarn_range *range);
int tn_view_next(tarn_iterator *it, tarn_bytes *key, tarn_bytes *value);
int tn_view_seek(tarn_iterator *it, const void *key, size_t key_bytes);
void tn_view_scan_free(tarn_iterator *it);

#endif
