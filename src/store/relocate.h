/*
 * relocate.h - moving records
 *
 * A record is known by its handle to the hash index, to the order, and to iterators that stand on
 * it. Whoever moves one, for whatever reason, comes through here.
 */
#ifndef TN_RELOCATE_H
#define TN_RELOCATE_H

#include "store/store.h"

/* Records that one delete may move. */
#define TN_DELETE_SHARE_RECORDS 2u

/* The record of `from`, at this place of the index, has a copy at `to`: that one counts from now on. */
void tn_relocate(tarn_table *table, struct tn_index_place place, tn_handle from, tn_handle to);

/*
 * P7 of heap.h, for the records of one table: move records out of sparse chunks until *budget_bytes
 * are spent. false: there is nothing to move, or no room.
 */
bool tn_table_evacuate(tarn_table *table, enum tn_heap_effort effort, uint64_t *budget_bytes);

/*
 * The share of a delete, or of a change of an entry's size: at most TN_DELETE_SHARE_RECORDS. Those
 * are the calls that make chunks sparse, and they hand out no pointer that a move would end, but
 * for the slot `pinned`, which tarn_take is about to lend.
 */
void tn_table_evacuate_share_due(tarn_table *table, tn_handle pinned);

static inline void tn_table_evacuate_share(tarn_table *table, tn_handle pinned)
{
    if (TN_UNLIKELY(table->body->owner.sparse))
        tn_table_evacuate_share_due(table, pinned);
}

#endif
