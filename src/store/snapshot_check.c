/*
 * snapshot_check.c - the rules of snapshot.h, one by one; slow, for tests
 */
#include "store/snapshot.h"

static bool record_is_mark(const struct tn_record *record)
{
    return (record->flags & TN_RECORD_ABSENT) != 0;
}

/* What source has for the key of a kept record; NULL: nothing. */
static struct tn_record *source_record(const struct tn_undo *undo, struct tn_record *kept)
{
    tarn_bytes key = tn_record_key_of(kept);
    struct tn_lookup lookup;

    if (tn_table_find_any(undo->source, key.data, key.bytes, &lookup) == TN_HANDLE_NONE)
        return NULL;
    return tn_record_at(undo->source->base, lookup.handle);
}

/* S2 for what is kept; the entries among it, and their bytes, are added up. */
static bool kept_ok(const struct tn_undo *undo, uint64_t *count, uint64_t *bytes)
{
    struct tn_walk_entry batch[TN_GATHER_ROOM];
    uint64_t position = 0;
    size_t found, i;

    while (position < TN_HASH31_END) {
        found = tn_index_gather(&undo->old->index, tn_walk_block_bits(&undo->old->index), &position,
                                TN_GATHER_ENTRIES, batch);
        for (i = 0; i < found; i++) {
            struct tn_record *kept = tn_record_at(undo->old->base, batch[i].handle);
            struct tn_record *record = source_record(undo, kept);

            if (record != NULL && !tn_record_is_after(record, undo->tick))
                return false;
            if (record_is_mark(kept))
                continue;
            ++*count;
            *bytes += tn_record_key_bytes(kept) + tn_record_value_bytes(kept);
        }
    }
    return undo->old->ordered == NULL ||
           (tn_ordered_count(undo->old->ordered) == *count && tn_ordered_check(undo->old->ordered));
}

/* The entries of the source that the snapshot sees. */
static void seen_add(const struct tn_undo *undo, uint64_t *count, uint64_t *bytes)
{
    struct tn_walk_entry batch[TN_GATHER_ROOM];
    uint64_t position = 0;
    size_t found, i;

    while (position < TN_HASH31_END) {
        found = tn_index_gather(&undo->source->index, tn_walk_block_bits(&undo->source->index),
                                &position, TN_GATHER_ENTRIES, batch);
        for (i = 0; i < found; i++) {
            struct tn_record *record = tn_record_at(undo->source->base, batch[i].handle);

            if (tn_record_is_after(record, undo->tick))
                continue;
            ++*count;
            *bytes += tn_record_key_bytes(record) + tn_record_value_bytes(record);
        }
    }
}

static bool undo_ok(const struct tn_undo *undo)
{
    uint64_t count = 0, bytes = 0;

    if (undo->tick != undo->snapshot->tick || undo->source == NULL ||
        !tn_snapshot_sees(undo->snapshot, undo->source) ||
        tn_undo_find(undo->snapshot, undo->source) != undo)
        return false;
    if (!tn_index_check(&undo->old->index) ||
        !tn_heap_check(&undo->old->store->heap, &undo->old->body->owner) ||
        !kept_ok(undo, &count, &bytes))
        return false;
    seen_add(undo, &count, &bytes);
    return count == undo->entry_count && bytes == undo->entry_bytes;
}

static bool snapshot_ok(const tarn_snapshot *snapshot)
{
    const struct tn_undo *undo;
    const tarn_table *ghost;
    uint64_t bytes = 0;

    for (undo = snapshot->undos; undo != NULL; undo = undo->next) {
        if (undo->snapshot != snapshot || !undo_ok(undo))
            return false;
        bytes += undo->bytes;
    }
    for (ghost = snapshot->ghosts; ghost != NULL; ghost = ghost->next_internal) {
        if (!tn_snapshot_sees(snapshot, ghost) || snapshot->tick >= ghost->died_tick)
            return false;
        if (snapshot->newer != NULL && snapshot->newer->tick < ghost->died_tick) /* S7 */
            return false;
    }
    return bytes == snapshot->undo_bytes;
}

bool tn_snapshots_check(const tarn_store *store)
{
    const tarn_snapshot *snapshot, *newer = NULL;
    uint64_t tick = store->tick;

    for (snapshot = store->snapshots; snapshot != NULL; snapshot = snapshot->older) {
        if (snapshot->tick >= tick || snapshot->newer != newer ||
            snapshot->state != TN_SNAPSHOT_OPEN || snapshot->failure != NULL || snapshot->released)
            return false;
        if (!snapshot_ok(snapshot))
            return false;
        tick = snapshot->tick;
        newer = snapshot;
    }
    return true;
}
