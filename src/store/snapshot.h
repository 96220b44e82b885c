/*
 * snapshot.h - the past of a store, kept by those who change it
 *
 * Taking a snapshot copies nothing: it notes the store's tick and advances it. A record carries the
 * tick of its last change, so its tick tells whether it is still as the snapshot saw it. Before the
 * first change to such a record, a copy of it goes to the snapshot's *undo* of that table.
 *
 *     store->snapshots --> newest ----older----> ... ----> oldest
 *                            |
 *                            +- undos:  source (a table, or a ghost), old (records of before)
 *                            +- ghosts: what tables held that were cleared or dropped since
 *                            `- views:  handles to read a table as it was
 *
 *     read a key     in source, and its tick is not after the snapshot's?  that is the entry
 *                    in old, and not a mark?                               that is the entry
 *                    neither                                               there was none
 *
 * undo.c keeps, view.c reads, restore.c goes back, snapshot.c takes and releases.
 *
 * Rules
 *   S1  A snapshot sees a record of a source unless it is after the snapshot's tick (R4), and a
 *       table or ghost when born_tick <= its tick < died_tick.
 *   S2  For a key of a source that a snapshot sees, one of these holds: the record is seen (S1) and
 *       not in old; old has the record of before; there was no such key, and since it was first
 *       inserted old has a mark of that: TN_RECORD_ABSENT. Readers need no marks; restoring does.
 *   S3  A source without an undo of a snapshot is as the snapshot saw it.
 *   S4  Keeping comes when nothing can refuse the write any more (T7) and before it changes
 *       anything; then the record gets the present tick.
 *   S5  What cannot be kept fails the snapshot, never the write. A snapshot that failed or was
 *       released keeps nothing more; it leaves store->snapshots at once, what it held goes in
 *       steps.
 *   S6  store->snapshots is in order of ticks, all different, the newest first; so are the undos of
 *       a source.
 *   S7  A ghost hangs on the newest open snapshot that sees it; when that leaves, on the next.
 *   S8  Records in an undo never move, change or die before the snapshot leaves. Marks are in its
 *       hash index only, so that scans in order do not meet them.
 *   S9  A snapshot fails only by what it would have to keep. Restoring one gives it nothing to keep
 *       (S2), so it stays while it is restored, though it may be beyond its cap: opening a view
 *       makes an undo, and asks nothing.
 */
#ifndef TN_SNAPSHOT_H
#define TN_SNAPSHOT_H

#include "store/store.h"

enum tn_snapshot_state { TN_SNAPSHOT_OPEN, TN_SNAPSHOT_LEAVING, TN_SNAPSHOT_SPENT };

struct tarn_snapshot {
    tarn_store *store;
    tarn_snapshot *older, *newer; /* store->snapshots; `older` also chains leaving and spent ones */
    uint64_t tick;
    struct tn_undo *undos;
    tarn_table *ghosts; /* S7 */
    tarn_table *views;
    uint64_t undo_bytes;
    uint64_t ghost_bytes; /* of all ghosts it sees */
    const char *failure;  /* why it failed; NULL: it has not */
    bool released;
    enum tn_snapshot_state state;
};

struct tn_undo {
    struct tn_undo *next;  /* of its snapshot */
    struct tn_undo *older; /* of its source */
    tarn_snapshot *snapshot;
    tarn_table *source; /* NULL: gone, while the snapshot leaves */
    tarn_table *old;
    uint64_t tick;        /* the snapshot's */
    uint64_t entry_count; /* of the table, as it was */
    uint64_t entry_bytes;
    uint64_t bytes; /* counted in the snapshot's undo_bytes */
};

/* S1 */
static inline bool tn_snapshot_sees(const tarn_snapshot *snapshot, const tarn_table *table)
{
    return table->born_tick <= snapshot->tick;
}

/*
 * The lists that can have ghosts the snapshot sees (S7): of it, of newer ones, of those that
 * leave. Begin with the snapshot itself.
 */
static inline const tarn_snapshot *tn_holder_next(const tarn_snapshot *holder)
{
    if (holder->state == TN_SNAPSHOT_LEAVING)
        return holder->older;
    return holder->newer != NULL ? holder->newer : holder->store->leaving;
}

/* ---- undo.c ---------------------------------------------------------------------------------- */

/* The snapshot's undo of a source it sees. NULL: there is none (S3). */
struct tn_undo *tn_undo_find(const tarn_snapshot *snapshot, const tarn_table *source);

/* The same, made when there is none. NULL: refused. */
struct tn_undo *tn_undo_open(tarn_snapshot *snapshot, tarn_table *source);

/* Take the undo from its source and hand what it holds to the garbage. */
void tn_undo_free(struct tn_undo *undo);

/* The source goes: leaving snapshots may still have undos of it. */
void tn_undos_part(tarn_table *source);

/* A copy of an entry into a table that no snapshot sees; value NULL: a mark. false: refused. */
bool tn_undo_add(tarn_table *to, uint64_t hash, tarn_bytes key, const tarn_bytes *value);

static inline tarn_bytes tn_record_key_of(struct tn_record *record)
{
    return (tarn_bytes){ tn_record_key(record), tn_record_key_bytes(record) };
}

static inline tarn_bytes tn_record_value_of(struct tn_record *record)
{
    return (tarn_bytes){ tn_record_value(record), tn_record_value_bytes(record) };
}

/* ---- snapshot.c ------------------------------------------------------------------------------ */

/*
 * What the snapshot sees, in the order of the names: the source behind `last`, or the first when
 * that is NULL. NULL: there is none.
 */
tarn_table *tn_snapshot_source_after(const tarn_snapshot *snapshot, const tarn_table *last);

/*
 * The handle of what the snapshot sees of the source, for tarn_table_close. A result; `call` is for
 * messages.
 */
int tn_snapshot_view(tarn_table **out, tarn_snapshot *snapshot, tarn_table *source,
                     const char *call);

/* S5. `why` is a constant text. */
void tn_snapshot_fail(tarn_snapshot *snapshot, const char *why);

/* Fail what was taken more than age_ticks ago: the walker is about to stamp records anew (W2). */
void tn_snapshots_fail_older(tarn_store *store, uint64_t age_ticks);

/* After it has come to hold more: fail it, if that is beyond its cap. */
void tn_snapshot_check_cap(tarn_snapshot *snapshot);

/* About what a table holds of memory. */
uint64_t tn_table_held_bytes(const tarn_table *table);

/* A table known nowhere, and all it holds, to the garbage. */
void tn_table_discard(tarn_table *table);

/* Whether the snapshot can be used; else the result to answer, with its text. */
int tn_snapshot_usable(const tarn_snapshot *snapshot, const char *call);

/* Free a spent snapshot once it is released and its views are closed. */
void tn_snapshot_free_if_unused(tarn_snapshot *snapshot);

/* Every rule that can be checked from here, slowly; for tests. */
bool tn_snapshots_check(const tarn_store *store);

#endif
