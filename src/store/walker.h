/*
 * walker.h - visiting every record from time to time, before its tick is too old to be compared
 *
 *     ticks   |<-- 2^28 -->|<-- 2^28 -->|<-- 2^28 -->|
 *             |====|       |=====|      |====|            a revolution begins every 2^28 ticks;
 *                                                         a share of each tick ends it in time
 *
 * A record keeps the low 32 bits of the tick of its last change; two such are compared by the sign
 * of their difference. The walker stamps old records anew, so that none is ever 2^31 ticks behind.
 * Between revolutions it rests and costs nothing.
 *
 * Rules
 *   W1  A revolution visits the records of all tables: tables in the order of the catalog, records
 *       in that of their hashes; last, of a store on disk, those of the catalog itself, which is a
 *       table, too. The position is (place in the catalog, hash bits), and stays right while tables
 *       come and go and indexes grow and shrink: a record there throughout is visited. One put
 *       behind the position is young.
 *   W2  A record more than TN_STAMP_AGE ticks old becomes TN_STAMP_AGE ticks old. Hence none is
 *       ever older than TN_STAMP_AGE + 2 * TN_REVOLUTION_TICKS, which is less than 2^31.
 *   W3  A step is bounded in time, needs no memory, and moves nothing.
 *   W4  No open snapshot is TN_STAMP_AGE ticks old: to it, a record stamped anew would seem
 *       changed. Those that could become so are failed before a revolution begins.
 */
#ifndef TN_WALKER_H
#define TN_WALKER_H

#include "base/base.h"

#include <tarn.h>

#define TN_STAMP_AGE ((uint32_t)1 << 30)
#define TN_REVOLUTION_TICKS ((uint32_t)1 << 28)

struct tn_walker {
    bool walking;
    size_t table_place; /* W1 */
    uint64_t position;
    uint64_t begin_tick; /* of this revolution, or the last */
    uint64_t revolution_count;
    uint64_t moved_count; /* records moved out of sparse chunks: relocate.c */
};

/* The store's tick has advanced: begin a revolution when it is time, and pay the share of one tick. */
void tn_walker_tick(tarn_store *store);

/* Visit records until *budget_bytes are spent. true: the revolution is not over. */
bool tn_walker_step(tarn_store *store, uint64_t *budget_bytes);

/* W1: tables came into the catalog, so many before the one in turn; or one left it, at this place. */
void tn_walker_tables_added(tarn_store *store, size_t before_count);
void tn_walker_table_removed(tarn_store *store, size_t place);

#endif
