/*
 * walker.c - visiting every record from time to time; see walker.h
 */
#include "store/walker.h"
#include "store/durable.h"
#include "store/snapshot.h"

/* A visit reads a record's header, and an empty home bucket costs a line, too. */
#define VISIT_BYTES 64u
#define STEP_BUCKETS_MAX 64u

_Static_assert((uint64_t)TN_STAMP_AGE + 2 * (uint64_t)TN_REVOLUTION_TICKS < (uint64_t)1 << 31,
               "W2: ages can be compared by sign");

/* W2 */
static void record_visit(const tarn_store *store, struct tn_record *record)
{
    uint32_t now = (uint32_t)store->tick;

    if (now - record->tick > TN_STAMP_AGE)
        record->tick = now - TN_STAMP_AGE;
}

/* Whose turn it is: behind the tables the catalog itself, where that is one (W1). NULL: nobody's. */
static tarn_table *table_in_turn(const tarn_store *store)
{
    size_t place = store->walker.table_place;

    if (place < store->table_count)
        return store->tables[place];
    return place == store->table_count && store->durable != NULL ? store->durable->catalog : NULL;
}

/* Some records of one table. Answers the bytes of work. */
static uint64_t table_visit(tarn_store *store, tarn_table *table)
{
    struct tn_walk_entry entries[TN_GATHER_ROOM];
    size_t count, i;

    count = tn_index_gather_some(&table->index, 0, &store->walker.position, TN_GATHER_ENTRIES,
                                 STEP_BUCKETS_MAX, entries);
    for (i = 0; i < count; i++)
        __builtin_prefetch(tn_record_at(table->base, entries[i].handle), 1);
    for (i = 0; i < count; i++)
        record_visit(store, tn_record_at(table->base, entries[i].handle));
    return VISIT_BYTES * (1 + count);
}

bool tn_walker_step(tarn_store *store, uint64_t *budget_bytes)
{
    struct tn_walker *walker = &store->walker;
    tarn_table *table;

    while (walker->walking && *budget_bytes > 0) {
        table = table_in_turn(store);
        if (table == NULL) {
            walker->walking = false;
            walker->revolution_count++;
            break;
        }
        *budget_bytes -= tn_min(*budget_bytes, table_visit(store, table));
        if (walker->position >= TN_HASH31_END) {
            walker->table_place++;
            walker->position = 0;
        }
    }
    return walker->walking;
}

/*
 * A record takes 8 bytes or more, so this visits all records there are in 2^28 ticks, and then some
 * for tables that are empty.
 */
static uint64_t tick_share_bytes(const tarn_store *store)
{
    return (store->heap.used_bytes / sizeof(struct tn_record) / TN_REVOLUTION_TICKS + 16) *
           VISIT_BYTES;
}

void tn_walker_tick(tarn_store *store)
{
    struct tn_walker *walker = &store->walker;
    uint64_t budget_bytes;

    if (store->tick - walker->begin_tick >= TN_REVOLUTION_TICKS && !walker->walking) {
        /* W4; this revolution is over before any other snapshot is that old. */
        tn_snapshots_fail_older(store, TN_STAMP_AGE - 2 * (uint64_t)TN_REVOLUTION_TICKS);
        walker->walking = true;
        walker->begin_tick = store->tick;
        walker->table_place = 0;
        walker->position = 0;
    }
    if (TN_LIKELY(!walker->walking))
        return;
    budget_bytes = tick_share_bytes(store);
    (void)tn_walker_step(store, &budget_bytes);
}

void tn_walker_tables_added(tarn_store *store, size_t before_count)
{
    struct tn_walker *walker = &store->walker;

    if (walker->walking)
        walker->table_place += before_count;
}

void tn_walker_table_removed(tarn_store *store, size_t place)
{
    struct tn_walker *walker = &store->walker;

    if (!walker->walking)
        return;
    if (place < walker->table_place)
        walker->table_place--;
    else if (place == walker->table_place)
        walker->position = 0;
}
