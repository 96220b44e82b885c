/*
 * tarn.h - the embedded state store for streams
 *
 * A *store* holds *tables*; a table maps byte-string keys to byte-string values. A get costs what
 * the best hash map costs; an ordered table also scans its keys in order; values are read and
 * changed in place, where they lie. Everything in the store is one unit: one thread, one memory
 * account, one commit over all tables. This header is the manual: it reads from top to bottom.
 *
 *     #include <stdio.h>
 *     #include <tarn.h>
 *
 *     int main(void)
 *     {
 *         tarn_store *store;
 *         tarn_table *visits;
 *         const char *pages[] = {"/home", "/about", "/home"};
 *         void *count;
 *         int i;
 *
 *         if (tarn_open(&store, NULL, NULL) < 0 ||
 *             tarn_table_open(&visits, store, "visits", NULL) < 0)
 *             return 1;
 *         for (i = 0; i < 3; i++)
 *             if (tarn_modify(visits, pages[i], 5, sizeof(long), &count) == TARN_OK)
 *                 ++*(long *)count;
 *         printf("%d pages seen\n", (int)tarn_table_count(visits));
 *         return tarn_close(store) < 0;
 *     }
 *
 * Conventions
 *
 * Results.    0 done; > 0 an answer that is not a failure (absent, end); < 0 a failure, after which
 *             tarn_error_text() says more. Unless an entry says otherwise, a failed call has
 *             changed nothing.
 * Misuse.     Misuse that can be detected (NULL where something is needed, a key too long, a handle
 *             whose object is gone, a store carried over a fork) is answered with TARN_E_MISUSE and
 *             changes nothing.
 * Ownership.  borrowed: yours to read until the moment named.
 *             copied:   the store took its own copy before it returned.
 *             given:    now yours; give it back with the function named.
 * Lifetimes.  A pointer from tarn_get, tarn_get_many, tarn_get_as, tarn_take, tarn_next or
 *             tarn_dict_decode is borrowed until the next call on the store that is not one of
 *             these *reading calls*: tarn_get, tarn_get_many, tarn_get_as, tarn_contains,
 *             tarn_next, tarn_table_count, tarn_table_bytes, tarn_dict_find, tarn_dict_decode,
 *             tarn_dict_count; a tarn_next ends only its own iterator's pointers.
 *             Pointers from tarn_modify, tarn_modify_as and tarn_modify_many end with any next call
 *             on the store.
 *             What is borrowed may be the key of the call that ends it (tarn_delete of what tarn_next
 *             gave), unless tarn_take or a snapshot lent it, or the call takes many keys. It may not
 *             be the value or the bytes to append: copy those first.
 *             Debug builds of the library help to find who uses one that has ended, or a handle of
 *             a closed store: what is freed is filled with 0xDD bytes before anybody gets it again,
 *             and a late write into the room of an entry that is gone traps when the room is taken.
 *             They do not see what was not freed: a value overwritten where it lies, a late write
 *             into an entry that lives.
 * Sizes.      In bytes, unless the name says otherwise. Zero in an option means 'the default',
 *             which the option's comment states; a NULL options pointer means all defaults.
 * Keys.       0 to TARN_KEY_BYTES_MAX bytes of any value; the empty key is a key. Order is unsigned
 *             lexicographic: a before ab before b.
 * Values.     0 to TARN_VALUE_BYTES_MAX bytes of any value, stored from an address that is a
 *             multiple of 8, so a struct can be read where it lies. An empty value is not NULL.
 * Threads.    One thread at a time per store, its tables, iterators and snapshots. Different stores
 *             are independent. The library starts no threads and keeps no globals.
 * Forks.      A child after fork must not use its parent's stores; it is answered TARN_E_MISUSE
 *             (where the system can tell: on Linux since 4.14).
 */
#ifndef TARN_H
#define TARN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TARN_VERSION_MAJOR 0
#define TARN_VERSION_MINOR 1
#define TARN_VERSION_PATCH 0
#define TARN_VERSION_TEXT "0.1.0"

#if defined(__GNUC__)
#define TARN_API __attribute__((visibility("default")))
#else
#define TARN_API
#endif

#define TARN_KEY_BYTES_MAX 65535u
#define TARN_VALUE_BYTES_MAX 4294967295u
#define TARN_TABLE_NAME_BYTES_MAX 255u
#define TARN_NOTE_BYTES_MAX 1048576u

/* ---- results --------------------------------------------------------------------------------- */

enum tarn_result {
    TARN_OK = 0,

    TARN_ABSENT = 1,  /* no such key; out parameters are untouched */
    TARN_END = 2,     /* there is no more: entries of an iterator, work to do */
    TARN_PRESENT = 3, /* there is such a key already; nothing changed */

    TARN_E_MEMORY = -1,  /* the allocator or the system had no memory; nothing changed */
    TARN_E_IO = -2,      /* a read or write failed */
    TARN_E_CORRUPT = -3, /* stored bytes fail their checks; nothing was guessed */
    TARN_E_VERSION = -4, /* written by a format this library does not know */
    TARN_E_MISUSE = -5,  /* the call was out of contract; nothing changed */
    TARN_E_FULL = -6,    /* a limit was reached: yours, the address range, or the disk's */
    TARN_E_FAILED = -7,  /* an earlier write failed; reopen to recover */
    TARN_E_BUSY = -8,    /* another process has the store */
    TARN_E_TYPE = -9     /* the entry has another type or size; nothing changed */
};

typedef struct tarn_store tarn_store;
typedef struct tarn_table tarn_table;
typedef struct tarn_iterator tarn_iterator;
typedef struct tarn_snapshot tarn_snapshot;
typedef struct tarn_budget tarn_budget;
typedef struct tarn_dict tarn_dict;

/* A run of bytes somewhere else; who owns them is said where one is used. */
typedef struct tarn_bytes {
    const void *data;
    size_t bytes;
} tarn_bytes;

/* ---- the library ----------------------------------------------------------------------------- */

/* "0.1.0": of the library linked, where TARN_VERSION_TEXT is of the header compiled. Static. */
TARN_API const char *tarn_version(void);

/* A short English name for a result code, for messages: "absent", "out of memory". Static. */
TARN_API const char *tarn_result_text(int result);

/* ---- memory ---------------------------------------------------------------------------------- */

/*
 * Memory on the store's behalf. new_bytes 0 frees `old` and returns NULL; old NULL (then old_bytes
 * is 0) allocates; otherwise resizes, keeping the shorter of both sizes. Returns memory aligned to
 * 16, or NULL for 'none', and then `old` is untouched. Must not call back into tarn.
 */
typedef void *tarn_allocate_fn(void *context, void *old, size_t old_bytes, size_t new_bytes);

/*
 * A memory limit that any number of stores share, on any threads: name it in tarn_options.
 *
 * bytes_max         what all of them may commit together; 0: no limit, it only counts.
 * allocate          for the budget itself, some 100 bytes that count nowhere; NULL: the C library.
 *
 * A store that needs more than is left gives up its own garbage and spare pages first, then answers
 * TARN_E_FULL. It cannot give up those of other stores, which may be in use by other threads; when
 * less than an eighth is left stores keep no spare pages from then on, and tarn_work has them give
 * up theirs.
 *
 * On TARN_OK *out is given: close it with tarn_budget_close, after the stores. Otherwise *out is
 * NULL.
 */
TARN_API int tarn_budget_open(tarn_budget **out, uint64_t bytes_max, tarn_allocate_fn *allocate,
                              void *allocate_context);

/* TARN_E_MISUSE, and nothing changed, while stores use it. NULL is allowed. */
TARN_API int tarn_budget_close(tarn_budget *budget);

/* Bytes that its stores have committed, together, at some moment of the call. From any thread. */
TARN_API uint64_t tarn_budget_used(const tarn_budget *budget);

/* ---- stores ---------------------------------------------------------------------------------- */

/*
 * What tarn_open found in a directory, whether it succeeded or not: name one in tarn_options. Zeros
 * at a file's end are not told of: they are room for commits to come, or what a power loss left of
 * a commit never synced.
 */
typedef struct tarn_report {
    uint64_t commit_number;  /* of the commit that the store is now; 0: none, or it failed */
    uint64_t dropped_bytes;  /* behind that commit: torn, or written after what was lost */
    uint64_t dropped_file;   /* the number of the file where they begin, which is its name in hex */
    uint64_t dropped_offset; /* and where in it */
    int is_missing; /* 1: it failed since there is no store there; the answer is TARN_E_IO */
    char text[512]; /* why it failed, or what was dropped; "" when there is nothing to say */
} tarn_report;

/*
 * Hears how far the replay of a store's files is; must not call tarn. Where damage is found on the
 * way, files are read a second time, and done_bytes begins anew.
 */
typedef void tarn_progress_fn(void *context, uint64_t done_bytes, uint64_t all_bytes);

/* Flags of tarn_options; only with a path. */
#define TARN_EXISTING 1u  /* do not make a store where there is none: TARN_E_IO */
#define TARN_READ_ONLY 2u /* take no lock, write nothing; show the last commit, as of now */

typedef struct tarn_options {
    /*
     * Address space to reserve for records; costs no memory. Default 1 TiB; halved while the system
     * refuses, down to 1 GiB (less only when you ask for less); at most 8 TiB, else TARN_E_MISUSE.
     * Records beyond it: TARN_E_FULL.
     */
    uint64_t address_bytes;
    /*
     * Memory the store may commit, its indexes and tables included. A put that would need more
     * answers TARN_E_FULL and changes nothing; gets, deletes and clears go on (the last 4 KiB are
     * for tarn_table_clear). Records come in chunks of 16 or more of a size: while there is room,
     * the first value of 70 KB takes 2 MiB. Default: no limit.
     */
    uint64_t memory_bytes_max;
    /*
     * What one snapshot may hold of entries changed since it was taken. At the cap the snapshot
     * fails, never the write; see tarn_snapshot_take. Default: no limit but memory_bytes_max.
     */
    uint64_t snapshot_bytes_max;
    /* A limit shared with other stores, beside the store's own; it must stay open. Default: none. */
    tarn_budget *budget;
    /* For everything but records and large indexes, which are mapped pages. Default: the C library. */
    tarn_allocate_fn *allocate;
    void *allocate_context;
    unsigned flags;
    /*
     * With a path. A file of the store grows to 1/16 of its keys and values, but to so many bytes
     * at least; files that nothing needs any more are unlinked whole. Default: 4 MiB.
     */
    uint64_t file_bytes_min;
    tarn_report *report;        /* filled by tarn_open. Default: none */
    tarn_progress_fn *progress; /* called during tarn_open. Default: none */
    void *progress_context;
} tarn_options;

/*
 * Open a store.
 *
 * path     NULL: a store in memory, gone at close. Otherwise its directory, which is made, the last
 *          component of it, when there is none. One process at a time has it for writing.
 * options  copied; NULL for defaults.
 *
 * With a directory the store is what the last commit that survived made it: after a clean close, or
 * when only the process died, that is the last one; after a power loss the last synced one or a
 * later one. Opening never falls back behind what was synced, and never changes what it once
 * answered. All entries are read into memory: O(the store). What was dropped, options->report says.
 *
 * On TARN_OK *out is given: close it with tarn_close. Otherwise *out is NULL; options->report has
 * the text. TARN_E_MEMORY: no memory or address space, or no randomness to be had from the system.
 * TARN_E_FULL: the entries take more than memory_bytes_max, or the disk is full. TARN_E_BUSY:
 * another process, or another handle of this one, has the store. TARN_E_CORRUPT: its files do not
 * hold; the text says which and where. TARN_E_VERSION: they were written by a later release.
 * TARN_E_IO: the system refused a call. The directory is as it was.
 */
TARN_API int tarn_open(tarn_store **out, const char *path, const tarn_options *options);

/*
 * Close a store and free all of it: tables, entries, handles. What was not committed is discarded.
 * With a directory, what was committed is synced, and a mark says that the store was closed in
 * order. If that fails (TARN_E_IO, TARN_E_FULL, TARN_E_FAILED) the store is closed all the same,
 * without the mark.
 *
 * With iterators or snapshots open it answers TARN_E_MISUSE and changes nothing: close and release
 * them first. Table handles need not be closed. NULL is allowed and does nothing. After TARN_OK any
 * use of the store or of its tables is undefined.
 */
TARN_API int tarn_close(tarn_store *store);

/*
 * More about the last failure on this store or its tables: what, where, and what to do. Borrowed
 * until the next call on the store; "" when there has been none. Never allocates.
 */
TARN_API const char *tarn_error_text(const tarn_store *store);

/*
 * Pay for upkeep now: give back, step by step, what cleared and dropped tables and released
 * snapshots held, what shrinking indexes no longer need, what deleted entries left behind, and
 * spare pages. Writes pay a small share of this by themselves, and let up to half of a table's
 * record memory lie unused; call this in idle moments to have it sooner, and more of it: a fifth
 * may stay unused then. `budget_bytes` bounds the work: about as many bytes are freed or moved.
 *
 * TARN_OK: budget spent, there is more to do. TARN_END: nothing left to do.
 */
TARN_API int tarn_work(tarn_store *store, uint64_t budget_bytes);

typedef struct tarn_statistics {
    uint64_t table_count;       /* tables that exist */
    uint64_t entry_count;       /* over all tables */
    uint64_t entry_bytes;       /* key and value bytes over all tables */
    uint64_t memory_bytes;      /* what counts against memory_bytes_max, now */
    uint64_t memory_bytes_peak; /* the most it has been */
    uint64_t record_bytes;      /* of it: pages that hold records */
    uint64_t kept_bytes;        /* of it: pages kept for the next records, spare at the moment */
    uint64_t index_bytes;       /* of it: hash and ordered indexes */
    uint64_t garbage_bytes;     /* of it: held by what is gone already, to be reclaimed */
    uint64_t snapshot_bytes; /* of it: old entries, and tables dropped since, for open snapshots */
    uint64_t snapshot_count; /* taken and not released */
    uint64_t address_bytes;  /* address space reserved for records */
    uint64_t budget_bytes;   /* what all stores of the budget have committed; 0 without one */
    uint64_t budget_bytes_max; /* and may commit; 0: no limit, or no budget */
    uint64_t moved_count;      /* entries moved so far so that memory came back after deletes */
    uint64_t revolution_count; /* times that upkeep has visited every entry, for its age */
    /* Of a store with a directory; 0 of one in memory. */
    uint64_t file_count;
    uint64_t file_bytes;       /* of all of them */
    uint64_t other_name_count; /* names in the directory that are none of the store's */
    uint64_t section_count;    /* commits that opening it would read */
    uint64_t synced_number;    /* the newest commit known to survive a power loss */
    uint64_t written_bytes;    /* since it was opened */
    uint64_t sync_count;       /* since it was opened */
} tarn_statistics;

/* Fill *out. O(number of tables and files). */
TARN_API int tarn_stat(const tarn_store *store, tarn_statistics *out);

/* ---- commits --------------------------------------------------------------------------------- */

/* Flags of tarn_commit. */
#define TARN_SYNC 1u /* durable against power loss when it returns; ignored in memory only */

/*
 * Make everything since the last commit one unit, over all tables, with a note of your own
 * (positions in your sources, for example; copied; note_bytes <= TARN_NOTE_BYTES_MAX; NULL with 0
 * bytes is the empty note).
 *
 * The commit number advances by one and the note is kept. A commit with nothing changed and the
 * same note changes nothing, the number neither; with TARN_SYNC it still syncs what was committed
 * before.
 *
 * With a directory, TARN_OK means: it survives the end of this process; with TARN_SYNC, also a
 * power loss. It writes what changed since the last commit, each changed entry once, and 1.5 times
 * as many bytes of the rest, so that old files can go; of a large entry at once what the commits
 * that follow then need not write. TARN_E_FULL: no room on the disk; TARN_E_MEMORY: nothing is
 * committed, all changes are still there, and the next commit that finds room has them. TARN_E_FAILED: a write or sync failed for another reason; nothing can be committed
 * any more, reading goes on, and opening anew recovers. TARN_E_MISUSE: the store is TARN_READ_ONLY.
 */
TARN_API int tarn_commit(tarn_store *store, const void *note, size_t note_bytes, unsigned flags);

/*
 * Number and note of the last commit; 0 and empty before the first. Either out may be NULL. The
 * note is borrowed until the next tarn_commit or tarn_close.
 */
TARN_API int tarn_last_commit(tarn_store *store, uint64_t *number, tarn_bytes *note);

/* ---- tables ---------------------------------------------------------------------------------- */

enum tarn_table_kind {
    TARN_ORDERED = 0, /* the default: scans in key order, by range and prefix */
    TARN_UNORDERED =
        1 /* less memory, faster inserts and deletes; scans only the whole, in any order */
};

/*
 * What the values of a table are. All of a typed table have the type's size: a put, put-if-absent
 * or modify of another size is TARN_E_TYPE, and so is every append. Typed calls and merges of
 * another type are TARN_E_TYPE too, so one number is never read as another; on an untyped table
 * they go by size.
 */
enum tarn_type {
    TARN_ANY = 0, /* the default: untyped, any size */
    TARN_I32,     /* numbers are stored little-endian on every machine; see tarn_typed.h */
    TARN_U32,
    TARN_F32,
    TARN_I64,
    TARN_U64,
    TARN_F64,
    TARN_STRUCT /* a struct of yours of value_bytes bytes, as it is in memory, byte order included */
};

typedef struct tarn_table_options {
    int kind;           /* enum tarn_table_kind */
    int type;           /* enum tarn_type */
    size_t value_bytes; /* of TARN_STRUCT: its size, not 0; of numbers: 0 or their size */
} tarn_table_options;

/*
 * Open the table `name` of a store, and create it when there is none.
 *
 * name     1 to TARN_TABLE_NAME_BYTES_MAX bytes, NUL-terminated; copied.
 * options  copied; NULL: an existing table as it is, a new one with defaults. A kind, type or size
 *          that differs from an existing table's is TARN_E_TYPE; TARN_ANY takes an existing table's
 *          type as it is. The name of a dictionary is TARN_E_TYPE.
 *
 * On TARN_OK *out is given; opening a name twice gives the same handle twice. Give it back with
 * tarn_table_close, or leave that to tarn_close. Otherwise *out is NULL.
 */
TARN_API int tarn_table_open(tarn_table **out, tarn_store *store, const char *name,
                             const tarn_table_options *options);

typedef struct tarn_table_info {
    tarn_bytes name; /* borrowed until the table is dropped */
    tarn_table_options options;
    int is_dictionary; /* 1: tarn_dict_open opens it; 0: tarn_table_open does */
    uint64_t entry_count;
    uint64_t entry_bytes;
} tarn_table_info;

/*
 * What tables and dictionaries there are: the one at `place` (0, 1, 2, ...) in the order of their
 * names. TARN_END: there are no more. Places hold until a table is created or dropped.
 */
TARN_API int tarn_table_at(tarn_store *store, uint64_t place, tarn_table_info *out);

/*
 * Give one handle back; the table and its entries stay in the store. Once all openings are given
 * back, using the handle is undefined. NULL is allowed. Never fails for lack of memory.
 */
TARN_API int tarn_table_close(tarn_table *table);

/*
 * Remove a table and its entries. O(1): memory comes back in later steps. Its handles and iterators
 * then answer TARN_E_MISUSE until they are closed; the name is free for a new table at once.
 */
TARN_API int tarn_table_drop(tarn_table *table);

/*
 * Remove all entries of a table. O(1): memory comes back in later steps; pages that the table may
 * take again stay (kept_bytes) until commits, tarn_work or a limit want them back. Open iterators
 * are at their end. Works at a memory limit, too.
 */
TARN_API int tarn_table_clear(tarn_table *table);

/* Entries in the table, exact, O(1). 0 for a handle that is gone. */
TARN_API uint64_t tarn_table_count(const tarn_table *table);

/* Sum of the lengths of all keys and values in the table, exact, O(1). 0 for a handle that is gone. */
TARN_API uint64_t tarn_table_bytes(const tarn_table *table);

/*
 * What the table was created with: *out as tarn_table_open takes it, value_bytes told for numbers
 * too.
 */
TARN_API int tarn_table_describe(const tarn_table *table, tarn_table_options *out);

/* The table's name, borrowed as long as the handle; NULL for NULL. */
TARN_API const char *tarn_table_name(const tarn_table *table);

/* ---- reading --------------------------------------------------------------------------------- */

/*
 * Look up one key.
 *
 * TARN_OK: *value is borrowed (see Lifetimes), never NULL, and aligned to 8; *value_bytes is its
 * length. TARN_ABSENT: both untouched. Cost: one index probe and one record; never allocates.
 */
TARN_API int tarn_get(tarn_table *table, const void *key, size_t key_bytes, const void **value,
                      size_t *value_bytes);

/*
 * Look up many keys at once: two to three times faster per key than tarn_get when the table is
 * larger than the caches, since their memory accesses overlap.
 *
 * keys, values   arrays of `count`; keys may repeat. values[i].data is NULL where keys[i] is
 *                absent, else as from tarn_get; all are borrowed together (see Lifetimes).
 *
 * TARN_E_MISUSE for a key that is too long fails the whole call, and the error text names its
 * place; the values are then undefined. Never allocates.
 */
TARN_API int tarn_get_many(tarn_table *table, const tarn_bytes *keys, size_t count,
                           tarn_bytes *values);

/* TARN_OK: there is such a key. TARN_ABSENT: there is none. Cheaper than tarn_get; never allocates. */
TARN_API int tarn_contains(tarn_table *table, const void *key, size_t key_bytes);

/* ---- writing --------------------------------------------------------------------------------- */

/*
 * Set the value of a key; both are copied. The old value, if any, is replaced: in place when the
 * new one fits where it lies. `value` must not point into this store (see Lifetimes).
 *
 * Cost: one index probe, for a new key its place in the order, and a bounded share of upkeep. One
 * thing is not bounded: an index whose entries are dense in one part only (a scan of an unordered
 * table that deletes as it goes leaves that), and that must grow then, is built anew within one
 * call.
 *
 * TARN_E_MEMORY, TARN_E_FULL: nothing changed, the old value is still there.
 */
TARN_API int tarn_put(tarn_table *table, const void *key, size_t key_bytes, const void *value,
                      size_t value_bytes);

/*
 * As tarn_put, but only when the key is absent.
 *
 * TARN_OK: it was absent, the entry is new. TARN_PRESENT: there is an entry already, nothing
 * changed, and, where not NULL, *old and *old_bytes tell its value (borrowed, see Lifetimes). One
 * look-up in either case.
 */
TARN_API int tarn_put_if_absent(tarn_table *table, const void *key, size_t key_bytes,
                                const void *value, size_t value_bytes, const void **old,
                                size_t *old_bytes);

/*
 * Read, modify and write in place: one look-up.
 *
 * On TARN_OK *value is a writable pointer to the `value_bytes` bytes of the entry, aligned to 8;
 * zero-filled when the key is new. It ends with any next call on the store: do not write through it
 * later. An entry of another size is TARN_E_TYPE, and nothing changed. Does not allocate when the
 * key exists.
 */
TARN_API int tarn_modify(tarn_table *table, const void *key, size_t key_bytes, size_t value_bytes,
                         void **value);

/*
 * As tarn_modify, for many keys at once: their memory accesses overlap, which pays when the table
 * is larger than the caches.
 *
 * keys, values   arrays of `count`. values[i] becomes a writable pointer to the value of keys[i];
 *                all are good together until the next call on the store. Keys may repeat, and then
 *                so do the pointers.
 *
 * On a failure nothing has changed, whichever key it was (the error text names its place), and the
 * values are undefined: no key was added, and no pointer was handed out to write through.
 */
TARN_API int tarn_modify_many(tarn_table *table, const tarn_bytes *keys, size_t count,
                              size_t value_bytes, void **values);

/* Remove one key. TARN_ABSENT: there was none, and nothing changed. Never fails for lack of memory. */
TARN_API int tarn_delete(tarn_table *table, const void *key, size_t key_bytes);

/*
 * Remove one key and hand out its value: *value and *value_bytes as from tarn_get, borrowed (see
 * Lifetimes). TARN_ABSENT: there was none, both untouched. Never fails for lack of memory: the
 * value stays where it lay, and its memory comes back with the next call that writes.
 */
TARN_API int tarn_take(tarn_table *table, const void *key, size_t key_bytes, const void **value,
                       size_t *value_bytes);

/* ---- merging --------------------------------------------------------------------------------- */

/*
 * Change a number by an operand; one look-up. An entry is 8 bytes, the number little-endian;
 * another size, or a table of another type, is TARN_E_TYPE. An absent key starts as 0 for add, as
 * the operand for min and max. Where `result` is not NULL it tells the new number; after a failure
 * it is untouched. A merge that leaves the number as it was is no change for the next commit.
 *
 * i64   A sum that does not fit is TARN_E_TYPE, and nothing changed.
 * f64   As IEEE 754 says, infinities included, but never with a NaN: a NaN operand, a NaN in the
 *       entry, or two infinities that cancel are TARN_E_TYPE, and nothing changed. For min and max
 *       -0.0 is less than 0.0, so that the order of merges does not matter.
 */
TARN_API int tarn_add_i64(tarn_table *table, const void *key, size_t key_bytes, int64_t delta,
                          int64_t *result);
TARN_API int tarn_min_i64(tarn_table *table, const void *key, size_t key_bytes, int64_t operand,
                          int64_t *result);
TARN_API int tarn_max_i64(tarn_table *table, const void *key, size_t key_bytes, int64_t operand,
                          int64_t *result);
TARN_API int tarn_add_f64(tarn_table *table, const void *key, size_t key_bytes, double delta,
                          double *result);
TARN_API int tarn_min_f64(tarn_table *table, const void *key, size_t key_bytes, double operand,
                          double *result);
TARN_API int tarn_max_f64(tarn_table *table, const void *key, size_t key_bytes, double operand,
                          double *result);

/*
 * Put bytes behind the value of a key; an absent key starts as the empty value. `bytes` must not
 * point into this store. Appending to a value again and again costs a constant share per byte: a
 * value that outgrows its place gets one with room for half as much again (memory permitting, else
 * one that fits).
 *
 * TARN_E_FULL: the value would have more than TARN_VALUE_BYTES_MAX bytes, or there is no room.
 * TARN_E_TYPE: the table is typed. Nothing changed in either case.
 */
TARN_API int tarn_append(tarn_table *table, const void *key, size_t key_bytes, const void *bytes,
                         size_t bytes_count);

/* ---- types ----------------------------------------------------------------------------------- */

/*
 * tarn_get, tarn_put and tarn_modify for values of one type (enum tarn_type, not TARN_ANY) and its
 * size: what tarn_typed.h is made of, which is nicer to use. A table of another type is
 * TARN_E_TYPE. On an untyped table a get or modify of an entry of another size is TARN_E_TYPE; a
 * put replaces it. The value is in its stored form: numbers little-endian.
 */
TARN_API int tarn_get_as(tarn_table *table, int type, const void *key, size_t key_bytes,
                         const void **value, size_t value_bytes);
TARN_API int tarn_put_as(tarn_table *table, int type, const void *key, size_t key_bytes,
                         const void *value, size_t value_bytes);
TARN_API int tarn_modify_as(tarn_table *table, int type, const void *key, size_t key_bytes,
                            size_t value_bytes, void **value);

/* ---- scanning -------------------------------------------------------------------------------- */

/*
 * Which keys a scan gives. Zero-filled: all of them, ascending. `lower` and `upper` with data NULL
 * are open ends; an empty key as a bound has data not NULL and 0 bytes. lower >= upper is an empty
 * range, not a mistake.
 */
typedef struct tarn_range {
    tarn_bytes lower;  /* first key that may be given */
    tarn_bytes upper;  /* first key after the range */
    tarn_bytes prefix; /* only keys that begin with these bytes; empty: any */
    int reverse;       /* not 0: descending */
} tarn_range;

/*
 * Open an iterator over a table.
 *
 * range   copied, keys included. NULL: everything. On an unordered table only NULL or a zero-filled
 *         range is possible (anything else is TARN_E_MISUSE), and the order is unspecified.
 *
 * On TARN_OK *out is given: close it with tarn_iterator_close. Otherwise *out is NULL. Any number
 * may be open. Writes are allowed meanwhile: an entry present and unchanged throughout is given
 * exactly once; one inserted or changed meanwhile at most once; deleting the entry just given is
 * normal use.
 */
TARN_API int tarn_scan(tarn_iterator **out, tarn_table *table, const tarn_range *range);

/*
 * Take the next entry. TARN_OK: *key and *value (either may be NULL) are borrowed until the
 * iterator's next call, or as said under Lifetimes. TARN_END: there are no more; asking again
 * answers the same. Never allocates.
 */
TARN_API int tarn_next(tarn_iterator *iterator, tarn_bytes *key, tarn_bytes *value);

/*
 * Go on from `key`: the next entry given is the first at or after it (reverse: at or before it)
 * within the range. Only on ordered tables; else TARN_E_MISUSE.
 */
TARN_API int tarn_seek(tarn_iterator *iterator, const void *key, size_t key_bytes);

/* Give an iterator back. NULL is allowed. */
TARN_API int tarn_iterator_close(tarn_iterator *iterator);

/* ---- dictionaries ---------------------------------------------------------------------------- */

/*
 * A *dictionary* numbers byte strings: each new one gets the next code, 0, 1, 2, ... Long keys that
 * come again and again (URLs, host names) become 4 bytes, and back. It lives in the store like a
 * table, under a name that no table has, and is committed, snapshot and restored with it; codes
 * never change and are never used twice, until the dictionary is cleared or a snapshot restored.
 * Keys have 0 to TARN_KEY_BYTES_MAX bytes. In tarn_statistics a dictionary counts as two tables.
 */

/* The code that no key has: at most 4,294,967,295 keys have codes, 0 to 4,294,967,294. */
#define TARN_DICT_NONE 4294967295u

typedef struct tarn_dict_options {
    /* Keys that this handle may bring the dictionary to; 0: as many as there are codes. Not stored. */
    uint64_t entry_count_max;
} tarn_dict_options;

/*
 * Open the dictionary `name` of a store, and create it when there is none.
 *
 * name     1 to TARN_TABLE_NAME_BYTES_MAX - 1 bytes, NUL-terminated; copied. The name of a table is
 *          TARN_E_TYPE.
 * options  copied; NULL for defaults.
 *
 * On TARN_OK *out is given: give it back with tarn_dict_close, or leave that to tarn_close.
 * Otherwise *out is NULL. A dictionary may be opened many times, each handle with a bound of its
 * own.
 */
TARN_API int tarn_dict_open(tarn_dict **out, tarn_store *store, const char *name,
                            const tarn_dict_options *options);

/* Give a handle back; the dictionary stays in the store. NULL is allowed. */
TARN_API int tarn_dict_close(tarn_dict *dict);

/*
 * The code of a key, which is added when it is not there.
 *
 * TARN_E_FULL: it is not there, and the dictionary has as many keys as it may have: use the key
 * itself (see tarn_dict_raw_key). On any failure nothing changed, *code neither.
 */
TARN_API int tarn_dict_encode(tarn_dict *dict, const void *key, size_t key_bytes, uint32_t *code);

/*
 * The codes of many keys; as tarn_dict_encode for each in turn, but their memory accesses overlap,
 * which pays when the dictionary is larger than the caches. Keys may repeat.
 *
 * TARN_E_MISUSE for a key that is too long: nothing changed, and the error text names its place.
 * Any other failure (full, no memory): codes[i] is TARN_DICT_NONE for each key that has no code;
 * all others are right, and keys that were added stay.
 */
TARN_API int tarn_dict_encode_many(tarn_dict *dict, const tarn_bytes *keys, size_t count,
                                   uint32_t *codes);

/* The code of a key. TARN_ABSENT: it is not there, *code is untouched. Adds nothing. */
TARN_API int tarn_dict_find(tarn_dict *dict, const void *key, size_t key_bytes, uint32_t *code);

/* The key of a code, borrowed (see Lifetimes). TARN_ABSENT: no key has it, *key is untouched. */
TARN_API int tarn_dict_decode(tarn_dict *dict, uint32_t code, tarn_bytes *key);

/* Keys in the dictionary, which is the next code. O(1). 0 for a handle that is gone. */
TARN_API uint64_t tarn_dict_count(const tarn_dict *dict);

/* Remove all keys; codes begin at 0 again. O(1). A failure (no memory) has changed nothing. */
TARN_API int tarn_dict_clear(tarn_dict *dict);

/*
 * Remove the dictionary; the name is free. Its handles answer TARN_E_MISUSE until they are closed.
 */
TARN_API int tarn_dict_drop(tarn_dict *dict);

/*
 * Keys of tables, made of codes where there are some and of the raw keys where the dictionary was
 * full. The first byte tells them apart, so that none of one sort can be one of the other:
 *
 *     coded   | 1 | code, 4 bytes, big-endian |        in the order of the codes
 *     raw     | 2 | the key                   |        behind all coded ones, in key order
 *
 * tarn_dict_coded_key and tarn_dict_raw_key write one to `out` and answer its length: 5, and
 * key_bytes + 1 (0, and nothing written, when that is more than TARN_KEY_BYTES_MAX). `out` may not
 * overlap the key.
 */
#define TARN_DICT_CODED_BYTES 5u
TARN_API size_t tarn_dict_coded_key(uint32_t code, void *out);
TARN_API size_t tarn_dict_raw_key(const void *key, size_t key_bytes, void *out);

/*
 * Read such a key back. TARN_OK: a coded one, *code is set. TARN_ABSENT: a raw one, *raw is the
 * key, lying in the bytes given. TARN_E_TYPE: neither, nothing set.
 */
TARN_API int tarn_dict_read_key(const void *bytes, size_t bytes_count, uint32_t *code,
                                tarn_bytes *raw);

/* ---- snapshots ------------------------------------------------------------------------------- */

/*
 * Take a snapshot: the whole store, all tables, as it is now, uncommitted changes included.
 *
 * O(1) at any size: nothing is copied now. From then on the first change to an entry keeps what the
 * entry was, for every open snapshot that has not kept it yet; writes pay for that only while
 * snapshots are open, gets never. Any number may be open.
 *
 * A snapshot that would hold more than the option snapshot_bytes_max, or for which memory is
 * refused, fails; the write goes on as if it had not been there. Whatever is then asked of the
 * snapshot answers TARN_E_FULL, and the error text says why, until it is released.
 *
 * On TARN_OK *out is given: release it with tarn_snapshot_release. Otherwise *out is NULL.
 */
TARN_API int tarn_snapshot_take(tarn_snapshot **out, tarn_store *store);

/*
 * Open the table `name` as it was when the snapshot was taken, to read: with tarn_get,
 * tarn_get_many, tarn_contains, tarn_scan and the calls that tell about a table. It does not change
 * while the store does, also when the table is changed, cleared, dropped or made anew. Calls that
 * write answer TARN_E_MISUSE. Lifetimes are those of any table: a pointer ends with the next write.
 *
 * An iterator gives every entry of the snapshot exactly once, whatever is written meanwhile.
 *
 * On TARN_OK *out is given; opening a name twice gives the same handle twice. Give it back with
 * tarn_table_close, or leave that to tarn_close. Once the snapshot is released, the handle and its
 * iterators answer TARN_E_MISUSE until they are closed. TARN_ABSENT: there was no such table, and
 * *out is NULL, as it is on a failure.
 */
TARN_API int tarn_snapshot_table(tarn_table **out, tarn_snapshot *snapshot, const char *name);

/*
 * Make the whole store what it was when the snapshot was taken. The snapshot stays open.
 *
 * These are changes like others: other snapshots, older and newer, keep what they saw; iterators go
 * on; nothing is committed, and the last commit's number and note stay. Tables created since are
 * dropped. Tables dropped since come back (open them anew), cleared ones are filled again. Costs
 * what was changed since (a table cleared or dropped since: all it had), plus a look at each
 * table's name.
 *
 * TARN_E_MEMORY, TARN_E_FULL: a part may have been restored. The snapshot is intact: call again
 * once there is room.
 */
TARN_API int tarn_snapshot_restore(tarn_snapshot *snapshot);

/*
 * Write everything the snapshot sees, all tables and dictionaries, to a descriptor open for
 * writing: a file, a pipe, a socket. It goes on from where the descriptor stands; tarn_import makes
 * tables of it again, here or on another machine. docs/FORMAT.md says what is written: blocks with
 * checksums, little-endian, with a version.
 *
 * The snapshot and the store stay as they are, and go on to be usable whatever happens to the
 * export. Memory: some 70 KB, and what scans and their table handles need; how much is exported
 * does not matter. The same content gives the same bytes, but for the entries of unordered tables
 * (and dictionaries), which come in an order of this store's own. Nothing is synced: a file is on
 * the disk after your fsync.
 *
 * TARN_E_FULL: no space, over a file size limit or a quota (or a failed snapshot, or a memory
 * limit). TARN_E_IO: any other failed write. The error text has the errno and the byte it failed
 * at. What was written so far is not an export, and no import takes it. A pipe or socket without a
 * reader raises SIGPIPE, as write(2) does; a program that ignores the signal is answered TARN_E_IO.
 */
TARN_API int tarn_snapshot_export(tarn_snapshot *snapshot, int descriptor);

/*
 * The same through a function of yours: it takes all of `count` bytes (at most 65,552) and answers
 * 0, or an errno (ENOSPC, EIO, ...) when it could not. It must not call on this store.
 */
typedef int tarn_write_fn(void *context, const void *bytes, size_t count);
TARN_API int tarn_snapshot_export_with(tarn_snapshot *snapshot, tarn_write_fn *write,
                                       void *context);

/*
 * Give a snapshot back. O(1): memory comes back in later steps. NULL is allowed. Using the snapshot
 * after that is undefined; its table handles and iterators answer TARN_E_MISUSE until closed.
 */
TARN_API int tarn_snapshot_release(tarn_snapshot *snapshot);

/* ---- imports --------------------------------------------------------------------------------- */

/*
 * Read an export from a descriptor, up to its end, and add its tables to a store: all of them or,
 * on any failure, none. The store may have other tables; one with a name of the export's is
 * TARN_E_MISUSE.
 *
 * These are changes like others, uncommitted: snapshots taken before do not see the tables, and
 * restoring one drops them. Limits hold. Memory: what the entries need and some 140 KB; a value of
 * more than 1 MiB needs up to half as much again while it comes in. After a failure memory comes
 * back as after tarn_table_drop.
 *
 * Every block is checked before anything in it is used, so a file may come from anywhere:
 *
 * TARN_E_CORRUPT: it is damaged, cut short, has something behind its end, or is no export.
 * TARN_E_VERSION: of a format that this library does not know.
 * TARN_E_TYPE:    a table has TARN_STRUCT values of a machine with the other byte order.
 * TARN_E_IO:      a read failed.
 *
 * The error text has the offset, counted from where the descriptor stood, and says what to do.
 */
TARN_API int tarn_import(tarn_store *store, int descriptor);

/*
 * The same through a function of yours: it reads up to `room` bytes, at least 1, and *count tells
 * how many; 0 means that there are no more. It answers 0, or an errno (EIO, ...). It must not call
 * on this store.
 */
typedef int tarn_read_fn(void *context, void *to, size_t room, size_t *count);
TARN_API int tarn_import_with(tarn_store *store, tarn_read_fn *read, void *context);

/* ---- checking and salvaging ------------------------------------------------------------------ */

enum tarn_damage_kind {
    TARN_DAMAGE_HARMLESS = 0, /* nothing is lost by it, and the store opens all the same */
    TARN_DAMAGE_REFUSED = 1,  /* nothing is lost by it, but the store does not open */
    TARN_DAMAGE_LOST = 2      /* entries are lost that were there, or deletes, which `what` tells */
};
#define TARN_DAMAGE_KIND_COUNT 3

/* A place in a store's directory that is not as it was written. */
typedef struct tarn_damage {
    int kind;               /* enum tarn_damage_kind */
    uint64_t file;          /* its number, which is its name in hex; 0: the directory as a whole */
    uint64_t offset;        /* where it begins */
    uint64_t bytes;         /* how much of the file; 0: not known */
    uint64_t commit_number; /* of the commit that was written there; 0: not known, or several */
    const char *what;       /* in English; static */
} tarn_damage;

/* Hears of one; must not call tarn. */
typedef void tarn_damage_fn(void *context, const tarn_damage *damage);

typedef struct tarn_check_result {
    tarn_report report; /* as of tarn_open; text: why it would not open, or could not be checked */
    uint64_t file_count;
    uint64_t section_count;  /* read, every byte of them: the commits that the store consists of */
    uint64_t entry_count;    /* in them, those replaced since included */
    uint64_t damage_count;   /* heard of, but for the harmless */
    uint64_t harmless_count; /* heard of, and harmless */
} tarn_check_result;

/*
 * Read everything in the directory of a store and tell what is damaged: headers, footers, marks and
 * every block against its checksum; whether entries can be decoded and commits follow each other;
 * and, when all that holds, whether the store opens and its indexes are what they should be. Takes
 * no lock and writes nothing: another process may write to the store meanwhile. Needs the memory
 * that opening the store needs.
 *
 * options  copied; NULL for defaults. flags, report and progress are not used.
 * damage   hears of each damage, with `context`; may be NULL.
 *
 * TARN_OK: the store is whole, and is commit out->report.commit_number; what a power loss left
 * behind it (out->report.dropped_bytes) is no damage. TARN_E_CORRUPT: it is damaged, and does not
 * open. TARN_E_IO: there is no store (report.is_missing), or the system refused a call.
 * TARN_E_BUSY: its files changed again and again while they were read. TARN_E_VERSION,
 * TARN_E_MEMORY, TARN_E_FULL: as of tarn_open. *out is filled in any case.
 */
TARN_API int tarn_check(const char *directory, const tarn_options *options, tarn_damage_fn *damage,
                        void *context, tarn_check_result *out);

typedef struct tarn_salvage_result {
    tarn_report report;    /* commit_number: the newest commit that was read; text: why it failed */
    uint64_t table_count;  /* in the new store, dictionaries counted twice */
    uint64_t entry_count;  /* in it */
    uint64_t named_count;  /* of the tables: those whose names are made up */
    uint64_t damage_count; /* heard of, but for the harmless */
    uint64_t lost_count;   /* of them, those by which entries are lost */
} tarn_salvage_result;

/*
 * Make a new store of what can be read in the directory of a damaged one, which stays as it is. The
 * new one has one commit, synced, with the newest note that can be read.
 *
 * A store that opens is copied: tables, kinds and entries are the same. Of one that does not, each
 * entry has its newest value that verifies: where a later one is lost, that is an older one, and
 * where a delete is lost, the entry is there again; a damage by which deletes are lost says so,
 * also where only a salvage has a use for commits so old. A value that was never committed is never
 * there. So a commit whose footer is lost is not used, though the rest of it may verify: nothing
 * else tells its entries from a note that looks like entries, and it may never have been committed.
 * Tables whose names are lost (and some that had been dropped, when that is lost) are called
 * 'salvaged-N', and are ordered; a dictionary whose two halves contradict each other becomes two
 * such tables.
 *
 * target   its directory: not there, or empty. One process at a time must have it.
 * options  of the new store; copied; NULL for defaults. flags, report and progress are not used.
 *          All entries are in memory for a while, as in any store.
 * damage   hears of each damage, with `context`; may be NULL.
 *
 * TARN_OK: the new store is there; out->lost_count tells whether something is lost. TARN_E_CORRUPT:
 * nothing can be read at all. TARN_E_MISUSE: the target is not empty. TARN_E_IO (report.is_missing:
 * no store to read), TARN_E_VERSION, TARN_E_BUSY, TARN_E_MEMORY, TARN_E_FULL, TARN_E_FAILED: as of
 * tarn_open and tarn_commit. After a failure there is no new store. *out is filled in any case.
 */
TARN_API int tarn_salvage(const char *directory, const char *target, const tarn_options *options,
                          tarn_damage_fn *damage, void *context, tarn_salvage_result *out);

#ifdef __cplusplus
}
#endif

#endif
