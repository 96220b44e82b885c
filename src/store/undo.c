/*
 * undo.c - keeping what was, before it changes; see snapshot.h for the picture and the rules
 *
 *     put k=2 over k=1, tick 7, while snapshots at ticks 6, 4 and 2 are open, and k=1 is of tick 3:
 *
 *         newest, 6:  3 is not after 6: keep k=1 in its undo
 *         then    4:  3 is not after 4: keep k=1 in its undo
 *         then    2:  3 is after 2: it has what it needs, and so have all older ones
 *
 * A key that is absent has no tick, so the undos tell: the first that knows the key, ends the walk.
 */
#include "store/snapshot.h"

#define MEMORY_REASON "no memory was left to keep what changed since it was taken"

/* ---- a table's undos ------------------------------------------------------------------------- */

/* Where the undo of that tick is in the list of a source, or would be (S6). */
static struct tn_undo **undo_place(tarn_table *source, uint64_t tick)
{
    struct tn_undo **link = &source->undos;

    while (*link != NULL && (*link)->tick > tick)
        link = &(*link)->older;
    return link;
}

struct tn_undo *tn_undo_find(const tarn_snapshot *snapshot, const tarn_table *source)
{
    struct tn_undo *undo = source->undos;

    while (undo != NULL && undo->tick > snapshot->tick)
        undo = undo->older;
    return undo != NULL && undo->tick == snapshot->tick ? undo : NULL;
}

/* Count what the undo holds now. */
static void undo_account(struct tn_undo *undo)
{
    uint64_t bytes = sizeof *undo + tn_table_held_bytes(undo->old);

    undo->snapshot->undo_bytes += bytes - undo->bytes;
    undo->bytes = bytes;
}

struct tn_undo *tn_undo_open(tarn_snapshot *snapshot, tarn_table *source)
{
    struct tn_memory *memory = &snapshot->store->memory;
    struct tn_undo *undo = tn_undo_find(snapshot, source), **link;

    if (undo != NULL)
        return undo;
    undo = tn_memory_new(memory, sizeof *undo, true);
    if (undo == NULL)
        return NULL;
    undo->old = tn_table_new_like(source, true);
    if (undo->old == NULL) {
        tn_memory_free(memory, undo, sizeof *undo);
        return NULL;
    }
    undo->snapshot = snapshot;
    undo->tick = snapshot->tick;
    undo->source = source;
    undo->entry_count = source->index.entry_count; /* S3 */
    undo->entry_bytes = source->entry_bytes;
    undo->next = snapshot->undos;
    snapshot->undos = undo;
    link = undo_place(source, undo->tick);
    undo->older = *link;
    *link = undo;
    undo_account(undo);
    return undo;
}

void tn_undo_free(struct tn_undo *undo)
{
    struct tn_memory *memory = &undo->old->store->memory;
    struct tn_undo **link;

    if (undo->source != NULL) {
        link = undo_place(undo->source, undo->tick);
        tn_assert(*link == undo);
        *link = undo->older;
    }
    tn_table_discard(undo->old);
    tn_memory_free(memory, undo, sizeof *undo);
}

void tn_undos_part(tarn_table *source)
{
    struct tn_undo *undo;

    for (undo = source->undos; undo != NULL; undo = undo->older)
        undo->source = NULL;
    source->undos = NULL;
}

/* ---- keeping --------------------------------------------------------------------------------- */

bool tn_undo_add(tarn_table *to, uint64_t hash, tarn_bytes key, const tarn_bytes *value)
{
    tarn_bytes copied = value != NULL ? *value : (tarn_bytes){ 0 };
    bool in_order = to->ordered != NULL && value != NULL; /* S8 */
    struct tn_index_place place;
    struct tn_record *record;
    tn_handle handle;

    if ((in_order && !tn_ordered_reserve(to->ordered, key.data, key.bytes)) ||
        !tn_index_reserve(&to->index, hash, &place))
        return false;
    handle = tn_heap_allocate(&to->store->heap, &to->body->owner,
                              tn_record_bytes(key.bytes, copied.bytes));
    if (handle == TN_HANDLE_NONE)
        return false;
    record = tn_record_at(to->base, handle);
    tn_record_write_head(record, to->store->tick, key.data, key.bytes, copied.bytes);
    tn_record_set_value(record, copied.data, copied.bytes);
    if (value == NULL)
        record->flags |= TN_RECORD_ABSENT;
    tn_index_insert(&to->index, place, hash, handle);
    if (in_order)
        tn_ordered_insert(to->ordered, handle);
    to->entry_bytes += key.bytes + copied.bytes;
    to->key_bytes_max = tn_max(to->key_bytes_max, key.bytes);
    if (tn_index_is_moving(&to->index))
        (void)tn_index_upkeep(&to->index, TN_WRITE_SHARE_BUCKETS);
    return true;
}

enum kept { KEPT_NOW, KEPT_BEFORE, KEPT_NOT };

/* One snapshot, one entry: `record`, or NULL when the key is absent. */
static enum kept keep_for(tarn_snapshot *snapshot, tarn_table *table, uint64_t hash, tarn_bytes key,
                          struct tn_record *record)
{
    struct tn_undo *undo = tn_undo_open(snapshot, table);
    struct tn_index_place place;
    tarn_bytes value;
    bool added;

    if (undo == NULL)
        return KEPT_NOT;
    if (record == NULL) {
        if (tn_index_find(&undo->old->index, table->base, hash, key.data, key.bytes, &place) !=
            TN_HANDLE_NONE)
            return KEPT_BEFORE;
        added = tn_undo_add(undo->old, hash, key, NULL);
    } else {
        value = tn_record_value_of(record);
        added = tn_undo_add(undo->old, hash, tn_record_key_of(record), &value);
    }
    undo_account(undo);
    return added ? KEPT_NOW : KEPT_NOT;
}

void tn_undo_keep(tarn_table *table, const struct tn_lookup *lookup, const void *key,
                  size_t key_bytes)
{
    struct tn_record *record =
        lookup->handle != TN_HANDLE_NONE ? tn_record_at(table->base, lookup->handle) : NULL;
    tarn_bytes wanted = { key, key_bytes };
    tarn_snapshot *snapshot, *older;
    enum kept kept = KEPT_NOW;

    for (snapshot = table->store->snapshots; snapshot != NULL && kept != KEPT_BEFORE;
         snapshot = older) {
        older = snapshot->older;
        if (!tn_snapshot_sees(snapshot, table) ||
            (record != NULL && tn_record_is_after(record, snapshot->tick)))
            break;
        kept = keep_for(snapshot, table, lookup->hash, wanted, record);
        if (kept == KEPT_NOT && tn_store_reclaim_all(table->store))
            kept = keep_for(snapshot, table, lookup->hash, wanted, record);
        if (kept == KEPT_NOT)
            tn_snapshot_fail(snapshot, MEMORY_REASON); /* S5 */
        else if (kept == KEPT_NOW)
            tn_snapshot_check_cap(snapshot); /* S9 */
    }
}
