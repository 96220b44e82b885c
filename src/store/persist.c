/*
 * persist.c - one commit as one section of the log
 *
 *     begin -> delta: marked records -> tombstones: buried ones -> sweep -> end -> publish: unmark, free
 *
 * Everything that can be refused comes before publish, which cannot (B5 of durable.h).
 */
#include "store/durable.h"

/* Bytes of sweep for each byte of delta, tombstones and footer, in halves. */
#define SWEEP_HALVES 3u

/* Marked records gathered in one go. */
#define RECORDS_MAX 32u

static bool record_is_dead(const struct tn_record *record)
{
    return (record->flags & TN_RECORD_DEAD) != 0;
}

/* A marked record, if it is of that part: dead, or not. */
static int record_add(struct tn_log *log, const tarn_table *table, enum tn_log_part part,
                      struct tn_record *record)
{
    tarn_bytes key = { tn_record_key(record), tn_record_key_bytes(record) };
    tarn_bytes value = { NULL, 0 };

    if (record_is_dead(record) != (part == TN_LOG_TOMBSTONES))
        return TARN_OK;
    if (part == TN_LOG_DELTA)
        value = (tarn_bytes){ tn_record_value(record), tn_record_value_bytes(record) };
    return tn_log_add(log, part, table->id, key, value);
}

/* The next marked records, on their way into the cache: few of a large table's are in it. */
static size_t records_gather(const tarn_table *table, struct tn_heap_marks *marks,
                             struct tn_record **records)
{
    tn_handle handle;
    size_t count = 0;

    while (count < RECORDS_MAX &&
           (handle = tn_heap_marks_next(&table->body->owner, marks)) != TN_HANDLE_NONE) {
        records[count] = tn_record_at(table->base, handle);
        __builtin_prefetch(records[count]);
        __builtin_prefetch((const uint8_t *)records[count] + 64);
        __builtin_prefetch((const uint8_t *)records[count++] + 128);
    }
    return count;
}

/* The marked records of a table that are dead, or those that are not. */
static int table_add(struct tn_log *log, const tarn_table *table, enum tn_log_part part)
{
    struct tn_record *records[RECORDS_MAX];
    struct tn_heap_marks marks = { 0 };
    int result = TARN_OK;
    size_t count, i;

    do {
        count = records_gather(table, &marks, records);
        for (i = 0; i < count && result == TARN_OK; i++)
            result = record_add(log, table, part, records[i]);
    } while (count == RECORDS_MAX && result == TARN_OK);
    return result;
}

static int tables_add(struct tn_durable *durable, enum tn_log_part part)
{
    int result = TARN_OK;
    size_t i;

    for (i = 0; i < durable->roster_count && result == TARN_OK; i++) {
        tarn_table *table = durable->roster[i];

        if (table->body->owner.marked != NULL &&
            (part == TN_LOG_DELTA || table->body->dead_count > 0))
            result = table_add(durable->log, table, part);
    }
    return result;
}

/* About what the section will take, and what the store holds. */
static void store_measure(const struct tn_durable *durable, uint64_t *section_bytes,
                          uint64_t *live_bytes)
{
    size_t i;

    *section_bytes = *live_bytes = 0;
    for (i = 0; i < durable->roster_count; i++) {
        *section_bytes += tn_heap_marked_bytes(&durable->roster[i]->body->owner);
        *live_bytes += durable->roster[i]->entry_bytes;
    }
    *section_bytes += *section_bytes * SWEEP_HALVES / 2;
}

static int section_write(tarn_store *store, struct tn_log_commit *commit,
                         struct tn_sweep_state *sweep)
{
    struct tn_durable *durable = store->durable;
    uint64_t section_bytes, live_bytes;
    int result;

    store_measure(durable, &section_bytes, &live_bytes);
    result = tn_log_begin(durable->log, section_bytes, live_bytes);
    if (result == TARN_OK)
        result = tables_add(durable, TN_LOG_DELTA);
    if (result == TARN_OK)
        result = tables_add(durable, TN_LOG_TOMBSTONES);
    if (result == TARN_OK)
        result = tn_sweep(store,
                          tn_log_section_bytes(durable->log, commit->note.bytes) * SWEEP_HALVES / 2,
                          sweep);
    commit->cursor = sweep->cursor;
    if (result == TARN_OK)
        result = tn_log_end(durable->log, commit);
    if (result != TARN_OK)
        tn_log_abandon(durable->log);
    return result;
}

/* ---- publishing ------------------------------------------------------------------------------ */

/* The buried are gone for good. The next slot is known before one is freed (marks.c). */
static void table_free_dead(tarn_table *table)
{
    struct tn_heap_marks marks = { 0 };
    tn_handle handle = tn_heap_marks_next(&table->body->owner, &marks);

    while (handle != TN_HANDLE_NONE && table->body->dead_count > 0) {
        tn_handle next = tn_heap_marks_next(&table->body->owner, &marks);

        if (record_is_dead(tn_record_at(table->base, handle))) {
            tn_heap_free(&table->store->heap, &table->body->owner, handle);
            table->body->dead_count--;
        }
        handle = next;
    }
    tn_assert(table->body->dead_count == 0);
}

static void store_publish(tarn_store *store, const struct tn_sweep_state *sweep)
{
    struct tn_durable *durable = store->durable;
    size_t i;

    for (i = 0; i < durable->roster_count; i++) {
        tarn_table *table = durable->roster[i];

        if (table->body->dead_count > 0)
            table_free_dead(table);
        tn_heap_unmark_all(&table->body->owner);
    }
    durable->sweep = *sweep;
}

int tn_persist(tarn_store *store, uint64_t number, tarn_bytes note)
{
    struct tn_durable *durable = store->durable;
    struct tn_log_commit commit = {
        .number = number,
        .tick = store->tick,
        .next_table_id = durable->next_table_id,
        .note = note,
    };
    struct tn_sweep_state sweep = durable->sweep;
    int result = section_write(store, &commit, &sweep);

    if (result != TARN_OK)
        return tn_store_fail(store, result, "tarn_commit: %s; nothing was committed",
                             tn_log_error_text(durable->log));
    store_publish(store, &sweep);
    return TARN_OK;
}
