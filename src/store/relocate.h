/*
 * relocate.h - moving records
 *
 * A record is known by its handle to the hash index, to the order, and to iterators that stand on it.
 * Whoever moves one, for whatever reason, comes through here.
 */
#ifndef TN_RELOCATE_H
#define TN_RELOCATE_H

#include "heap/heap.h"
#include "index/hash_index.h"

#include <tarn.h>

/* Records that the write of one entry may move, beside its own. */
#define TN_WRITE_SHARE_RECORDS 2u

/* Instead of a handle to be left where it is: all of them are. */
#define TN_HANDLE_ALL (~(tn_handle)0)

/* The record of `from`, at this place of the index, has a copy at `to`: that one counts from now on. */
void tn_relocate(tarn_table *table, struct tn_index_place place, tn_handle from, tn_handle to);

/*
 * P7 of heap.h, for the records of one table: move records out of sparse chunks, but not the record
 * `pinned`, until *budget_bytes are spent. false: there is nothing to move, or not now.
 */
bool tn_table_evacuate(tarn_table *table, enum tn_heap_effort effort, tn_handle pinned,
                       uint64_t *budget_bytes);

/* The share of one write: at most TN_WRITE_SHARE_RECORDS. */
void tn_table_evacuate_share(tarn_table *table, tn_handle pinned);

#endif
