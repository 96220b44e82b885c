/*
 * relocate.c - moving records; see relocate.h
 */
#include "store/relocate.h"

/* What a move costs beside the bytes copied: a look-up, and a few lines of index and order. */
#define MOVE_BYTES 256u

void tn_relocate(tarn_table *table, struct tn_index_place place, tn_handle from, tn_handle to)
{
    struct tn_heap *heap = &table->store->heap;

    tn_iterators_leave(table, from); /* T3 */
    if (table->body->owner.marked != NULL && tn_heap_is_marked(heap, from))
        tn_heap_mark(heap, &table->body->owner, to); /* B1 */
    tn_index_set_handle(&table->index, place, to);
    if (table->ordered != NULL)
        tn_ordered_move(table->ordered, from, to);
    tn_heap_free(heap, &table->body->owner, from);
}

/* A buried record is in no index: it moves with its mark alone. */
static void dead_move(tarn_table *table, tn_handle from, tn_handle to)
{
    tn_heap_mark(&table->store->heap, &table->body->owner, to);
    tn_heap_free(&table->store->heap, &table->body->owner, from);
}

/* Answers how much was copied. The key leads to the record's place in the index. */
static size_t record_move(tarn_table *table, tn_handle from, tn_handle to)
{
    struct tn_record *record = tn_record_at(table->base, from);
    size_t key_bytes = tn_record_key_bytes(record);
    size_t bytes = tn_record_bytes(key_bytes, tn_record_value_bytes(record));
    struct tn_lookup lookup;
    tn_handle found;

    memcpy(tn_record_at(table->base, to), record, bytes);
    table->store->walker.moved_count++;
    if ((record->flags & TN_RECORD_DEAD) != 0) {
        dead_move(table, from, to);
        return bytes;
    }
    found = tn_table_find(table, tn_record_key(record), key_bytes, &lookup);
    tn_assert(found != TN_HANDLE_NONE && found == from);
    tn_relocate(table, lookup.place, from, to);
    return bytes;
}

/* The next record of a sparse chunk, if any. Answers the bytes of work, 0 when there is none. */
static uint64_t evacuate_one(tarn_table *table, enum tn_heap_effort effort, tn_handle pinned)
{
    tn_handle from, to;

    if (!tn_heap_evacuate(&table->store->heap, &table->body->owner, effort, pinned, &from, &to))
        return 0;
    return MOVE_BYTES + record_move(table, from, to);
}

bool tn_table_evacuate(tarn_table *table, enum tn_heap_effort effort, uint64_t *budget_bytes)
{
    while (*budget_bytes > 0) {
        uint64_t bytes = evacuate_one(table, effort, TN_HANDLE_NONE);

        if (bytes == 0)
            return false;
        *budget_bytes -= tn_min(*budget_bytes, bytes);
    }
    return true;
}

void tn_table_evacuate_share_due(tarn_table *table, tn_handle pinned)
{
    unsigned i;

    for (i = 0; i < TN_DELETE_SHARE_RECORDS; i++) {
        if (evacuate_one(table, TN_EFFORT_SPARSE, pinned) == 0)
            return;
    }
}
