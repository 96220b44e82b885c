/*
 * durable.h - what a store on disk has beside one in memory
 *
 *     writes --mark--> slots of the heap (P8 of heap.h)
 *                          |
 *     tarn_commit: delta of what is marked, tombstones of what is buried, a slice of the sweep --> log
 *                          |
 *     tarn_open:   log --replay--> tables
 *
 *     roster    table number --> table     0: the catalog, itself a table: name -> number, kind, type
 *
 * The store's side of commits and recovery; the log (src/log/log.h) knows entries as bytes only.
 *
 * Rules
 *   B1  A record is marked from its first change after a commit until the next commit. Its tick
 *       tells: store->interval_tick or later. Moving it takes the mark along.
 *   B2  A record born since the last commit has TN_RECORD_BORN; deleted, it leaves nothing.
 *       Deleting any other buries it: it stays in its slot, marked, with TN_RECORD_DEAD, in no
 *       index, until a commit has written its key as a tombstone. So a delete needs no memory, and
 *       no key is buried twice.
 *   B3  A table's number is never given again. Clearing a table, or replacing what it holds, gives
 *       it a new one: all it held is gone with the old one, on disk too. The catalog has the number
 *       of each table.
 *   B4  The sweep emits, in the order (table number, hash), records that are not marked. A slice
 *       ends with the revolution, so the catalog's entries are never behind others in it.
 *   B5  A commit that is refused has changed nothing but the log's idea of free space: marks and
 *       sweep stay.
 *   B6  A record is swept whole. What a slice has beyond what its commit owed, the next ones owe
 *       less: the sweep is ahead, and waits. So one large record does not have each small commit
 *       write it. (A store that is opened owes in full again.)
 */
#ifndef TN_DURABLE_H
#define TN_DURABLE_H

#include "log/log.h"
#include "store/store.h"

/* How far the sweep is. */
struct tn_sweep_state {
    struct tn_log_cursor cursor; /* B4 */
    uint64_t ahead_bytes;        /* B6 */
};

struct tn_durable {
    struct tn_log *log;
    tarn_table *catalog; /* number 0 */
    tarn_table **roster; /* by number, ascending; the catalog first */
    size_t roster_count;
    size_t roster_room;
    uint64_t next_table_id; /* B3 */
    struct tn_sweep_state sweep;
    bool read_only;
};

/* ---- the roster: roster.c -------------------------------------------------------------------- */

/* A table that has just come into the catalog: number, roster and catalog entry. false: refused. */
bool tn_roster_add(tarn_table *table);

/* The same for tables chained by next_gone: all, or none. */
bool tn_roster_add_all(tarn_table *tables);

/* Another number for a table that was cleared, or got what another held (B3). Cannot fail. */
void tn_roster_renew(tarn_table *table);

/* The table leaves the catalog. Cannot fail. */
void tn_roster_remove(tarn_table *table);

/* Its place, or where it would be. */
size_t tn_roster_place(const struct tn_durable *durable, uint64_t table_id);

/* The table of this number. NULL: there is none. */
tarn_table *tn_roster_find(const struct tn_durable *durable, uint64_t table_id);

/* What an entry of the catalog says. */
struct tn_roster_entry {
    uint64_t table_id;
    tarn_table_options options;
    enum tn_table_role role;
    bool is_foreign; /* structs of the other byte order */
};

/* TARN_OK, or TARN_E_CORRUPT and *why. Whether the number can be is the caller's to ask. */
int tn_roster_decode(tarn_bytes name, tarn_bytes entry, struct tn_roster_entry *out,
                     const char **why);

/* While opening: a table for an entry of the catalog, in the catalog and on the roster. */
int tn_roster_load(tarn_store *store, struct tn_durable *durable, tarn_bytes name,
                   tarn_bytes entry);

/* ---- committing: persist.c, sweep.c ---------------------------------------------------------- */

/*
 * Write everything since the last commit as commit `number`. TARN_E_FULL, _MEMORY: nothing changed;
 * TARN_E_FAILED: the log's rule L5.
 */
int tn_persist(tarn_store *store, uint64_t number, tarn_bytes note);

/*
 * Add at least target_bytes of sweep to the open section, less what it is ahead (B6), if the
 * revolution has so many left.
 */
int tn_sweep(tarn_store *store, uint64_t target_bytes, struct tn_sweep_state *state);

/* ---- opening and closing: recover.c ---------------------------------------------------------- */

/*
 * Make the new, empty store what the directory holds. The store is to be closed if this fails.
 * verify_late: read it once, not twice (H5 of log/chain.h); then TARN_E_CORRUPT means: try again
 * without, in another new store.
 */
int tn_recover(tarn_store *store, const char *path, const tarn_options *options, bool verify_late);

/* Close the log, with the mark of a clean close if the store was opened in full. Its answer. */
int tn_durable_close(tarn_store *store);

/* Free the rest: the catalog and the roster. The log is closed. */
void tn_durable_free(tarn_store *store);

#endif
