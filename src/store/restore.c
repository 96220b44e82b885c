/*
 * restore.c - making the store what it was; see snapshot.h for the rules
 *
 *     sort out   tables that will be needed: those the snapshot has a ghost of, under the same name
 *     drop       tables made since, unless needed
 *     refill     from each ghost: a table like it, which takes the place of the one there is, if
 *     any undo       in tables that are still those of then: put what the undo has, delete what it
 *     marks
 *
 * Every part is done by ordinary writes, so that other snapshots keep what they see, and each can
 * be repeated: nothing but a lack of memory can stop it, and then the next call does what is left.
 */
#include "store/durable.h"
#include "store/snapshot.h"

/* Handles gathered at a time. */
#define COPY_COUNT 32u

static int restore_refused(tarn_store *store)
{
    int result = tn_store_refused(store, "tarn_snapshot_restore");

    return tn_store_fail(
        store, result,
        "tarn_snapshot_restore: no room; a part may be restored, and the snapshot is "
        "intact: make room and call again");
}

/* ---- sorting out and dropping ---------------------------------------------------------------- */

/*
 * The ghosts it sees, chained by next_gone: none of them can go while it is open, whatever happens
 * to other snapshots. The tables that their entries will go to are marked.
 */
static tarn_table *ghosts_list(const tarn_snapshot *snapshot)
{
    const tarn_snapshot *holder;
    tarn_table *ghost, *table, *list = NULL;

    for (holder = snapshot; holder != NULL; holder = tn_holder_next(holder)) {
        for (ghost = holder->ghosts; ghost != NULL; ghost = ghost->next_internal) {
            if (!tn_snapshot_sees(snapshot, ghost) || snapshot->tick >= ghost->died_tick)
                continue;
            ghost->next_gone = list;
            list = ghost;
            table = tn_catalog_find(snapshot->store, tn_table_name(ghost));
            if (table != NULL && tn_table_is_like(table, ghost))
                table->is_wanted = true;
        }
    }
    return list;
}

/* Drop what was made since; answer the ghosts to refill from. */
static tarn_table *drop_newer(const tarn_snapshot *snapshot)
{
    tarn_store *store = snapshot->store;
    tarn_table *list;
    size_t i;

    for (i = 0; i < store->table_count; i++)
        store->tables[i]->is_wanted = tn_snapshot_sees(snapshot, store->tables[i]);
    list = ghosts_list(snapshot);
    for (i = store->table_count; i-- > 0;) {
        if (!store->tables[i]->is_wanted)
            tn_catalog_remove(store->tables[i]);
    }
    return list;
}

/* ---- refilling ------------------------------------------------------------------------------- */

static bool copy_record(tarn_table *to, struct tn_record *record)
{
    tarn_bytes key = tn_record_key_of(record), value = tn_record_value_of(record);

    return tn_undo_add(to, tn_hash(&to->secret, key.data, key.bytes), key, &value);
}

/* What the snapshot sees of an ordered source: in order, which is cheapest to add. */
static bool copy_in_order(tarn_table *to, const tarn_table *source, uint64_t tick)
{
    tn_handle handles[COPY_COUNT];
    struct tn_ordered_cursor cursor;
    size_t count, i;

    (void)tn_ordered_seek(source->ordered, &cursor, TN_SEEK_FIRST, NULL, 0);
    do {
        count = tn_ordered_gather(source->ordered, &cursor, false, handles, COPY_COUNT);
        for (i = 0; i < count; i++) {
            struct tn_record *record = tn_record_at(source->base, handles[i]);

            if (!tn_record_is_after(record, tick) && !copy_record(to, record))
                return false;
        }
    } while (count > 0);
    return true;
}

/* The same by the hash index; also what an undo has, with `tick` the present one. */
static bool copy_by_hash(tarn_table *to, const tarn_table *source, uint64_t tick)
{
    struct tn_walk_entry batch[TN_GATHER_ROOM];
    uint64_t position = 0;
    size_t count, i;

    while (position < TN_HASH31_END) {
        count = tn_index_gather(&source->index, tn_walk_block_bits(&source->index), &position,
                                TN_GATHER_ENTRIES, batch);
        for (i = 0; i < count; i++) {
            struct tn_record *record = tn_record_at(source->base, batch[i].handle);

            if (!tn_record_is_after(record, tick) && (record->flags & TN_RECORD_ABSENT) == 0 &&
                !copy_record(to, record))
                return false;
        }
    }
    return true;
}

/* A table like the ghost was, known nowhere. NULL: refused. */
static tarn_table *ghost_copy(const tarn_snapshot *snapshot, const tarn_table *ghost)
{
    tarn_store *store = snapshot->store;
    const struct tn_undo *undo = tn_undo_find(snapshot, ghost);
    tarn_table *copy = tn_table_new_like(ghost, true);
    bool copied;

    if (copy == NULL)
        return NULL;
    copied = ghost->ordered != NULL ? copy_in_order(copy, ghost, snapshot->tick)
                                    : copy_by_hash(copy, ghost, snapshot->tick);
    if (copied && (undo == NULL || copy_by_hash(copy, undo->old, store->tick)))
        return copy;
    tn_table_discard(copy);
    return NULL;
}

/*
 * Put the copy where the table of its name is, or would be. false: refused, and the copy is
 * gone.
 */
static bool copy_install(tarn_table *copy, tarn_table *table)
{
    bool has_room = table != NULL ? tn_iterators_reserve(table, copy->key_bytes_max) /* T4 */
                                  : tn_catalog_add(copy->store, copy);

    if (has_room && table != NULL) {
        tn_table_retire(table);
        tn_table_move_parts(table, copy);
        table->born_tick = copy->born_tick;
        tn_roster_renew(table);
        tn_table_free(copy);
    } else if (!has_room) {
        tn_table_discard(copy);
    }
    return has_room;
}

static int ghost_refill(const tarn_snapshot *snapshot, const tarn_table *ghost)
{
    tarn_store *store = snapshot->store;
    tarn_table *table = tn_catalog_find(store, tn_table_name(ghost));
    tarn_table *copy = ghost_copy(snapshot, ghost);

    if (copy == NULL && tn_store_reclaim_all(store))
        copy = ghost_copy(snapshot, ghost);
    if (copy == NULL || !copy_install(copy, table))
        return restore_refused(store);
    store->changed = true;
    return TARN_OK;
}

/* ---- undoing --------------------------------------------------------------------------------- */

static bool entry_is(tarn_table *table, tarn_bytes key, tarn_bytes value)
{
    struct tn_lookup lookup;
    struct tn_record *record;

    if (tn_table_find(table, key.data, key.bytes, &lookup) == TN_HANDLE_NONE)
        return false;
    record = tn_record_at(table->base, lookup.handle);
    return tn_record_value_bytes(record) == value.bytes &&
           memcmp(tn_record_value(record), value.data, value.bytes) == 0;
}

static int entry_undo(tarn_table *table, struct tn_record *old)
{
    tarn_bytes key = tn_record_key_of(old), value = tn_record_value_of(old);
    int result;

    if ((old->flags & TN_RECORD_ABSENT) != 0)
        result = tarn_delete(table, key.data, key.bytes);
    else if (entry_is(table, key, value))
        return TARN_OK;
    else
        result = tarn_put(table, key.data, key.bytes, value.data, value.bytes);
    return result < 0 ? restore_refused(table->store) : TARN_OK;
}

/* By S2 nothing is added to this undo meanwhile: it has what is put, and what is deleted. */
static int table_undo(const struct tn_undo *undo)
{
    struct tn_walk_entry batch[TN_GATHER_ROOM];
    uint64_t position = 0;
    size_t count, i;
    int result;

    while (position < TN_HASH31_END) {
        count = tn_index_gather(&undo->old->index, tn_walk_block_bits(&undo->old->index), &position,
                                TN_GATHER_ENTRIES, batch);
        for (i = 0; i < count; i++) {
            result = entry_undo(undo->source, tn_record_at(undo->old->base, batch[i].handle));
            if (result < 0)
                return result;
        }
    }
    tn_assert(undo->source->index.entry_count == undo->entry_count);
    tn_assert(undo->source->entry_bytes == undo->entry_bytes);
    return TARN_OK;
}

/* ---- the call -------------------------------------------------------------------------------- */

int tarn_snapshot_restore(tarn_snapshot *snapshot)
{
    const struct tn_undo *undo;
    const tarn_table *ghost;
    int result;

    if (snapshot == NULL)
        return TARN_E_MISUSE;
    result = tn_snapshot_usable(snapshot, "tarn_snapshot_restore");
    if (result < 0)
        return result;
    for (ghost = drop_newer(snapshot); ghost != NULL && result == TARN_OK; ghost = ghost->next_gone)
        result = ghost_refill(snapshot, ghost);
    for (undo = snapshot->undos; undo != NULL && result == TARN_OK; undo = undo->next) {
        if (undo->source->died_tick == 0)
            result = table_undo(undo);
    }
    return result;
}
