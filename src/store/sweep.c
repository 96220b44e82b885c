/*
 * sweep.c - re-emitting, with each commit, a slice of everything that did not change
 *
 *     table 0 | table 1 | table 7 | ...          in each: by hash
 *     ------------^ cursor                       a slice goes on here; at the end a new revolution begins
 *
 * After one revolution every record has been written again, by the sweep or because it changed, so
 * the sections from before it are unneeded. See B4 and B6 of durable.h.
 */
#include "store/durable.h"

/* Home buckets looked at in one go, of which all may be empty. */
#define SWEEP_BUCKETS_MAX 64u
/* Entries gathered in one go: by the time the last is asked for, the first have come. */
#define SWEEP_ENTRIES_MAX 64u
/* Of an entry in the log, beside key and value. */
#define ENTRY_HEAD_BYTES 16u

/* About as many entries of the table as have that many bytes in the log. */
static size_t sweep_count(const tarn_table *table, uint64_t bytes)
{
    uint64_t count = tn_max(table->index.entry_count, 1);

    return tn_min(bytes / (table->entry_bytes / count + ENTRY_HEAD_BYTES) + 1, SWEEP_ENTRIES_MAX);
}

/* A hash is far from the record it leads to: fetch the lines of a batch before reading it. */
static size_t sweep_gather(tarn_table *table, uint64_t *position, size_t wanted,
                           struct tn_walk_entry *entries)
{
    size_t count =
        tn_index_gather_some(&table->index, 0, position, wanted, SWEEP_BUCKETS_MAX, entries);
    size_t i;

    for (i = 0; i < count; i++) {
        const uint8_t *record = table->base + entries[i].handle * TN_GRANULE_BYTES;

        __builtin_prefetch(record);
        __builtin_prefetch(record + 64);
        __builtin_prefetch(record + 128);
    }
    return count;
}

static int sweep_batch(tarn_store *store, tarn_table *table, uint64_t *position, uint64_t bytes)
{
    struct tn_walk_entry entries[TN_HOME_ENTRIES_MAX + SWEEP_ENTRIES_MAX];
    size_t count = sweep_gather(table, position, sweep_count(table, bytes), entries), i;
    int result = TARN_OK;

    for (i = 0; i < count && result == TARN_OK; i++) {
        struct tn_record *record = tn_record_at(table->base, entries[i].handle);

        if (tn_record_is_after(record, store->interval_tick - 1)) /* B1: the delta has it */
            continue;
        result = tn_log_add(store->durable->log, TN_LOG_SWEEP, table->id,
                            (tarn_bytes){ tn_record_key(record), tn_record_key_bytes(record) },
                            (tarn_bytes){ tn_record_value(record), tn_record_value_bytes(record) });
    }
    return result;
}

/* Until the section has end_bytes, or the revolution ends. */
static int sweep_until(tarn_store *store, uint64_t end_bytes, struct tn_log_cursor *cursor)
{
    struct tn_durable *durable = store->durable;
    uint64_t bytes;
    int result = TARN_OK;

    while (result == TARN_OK && (bytes = tn_log_section_bytes(durable->log, 0)) < end_bytes) {
        size_t place = tn_roster_place(durable, cursor->table_id);
        tarn_table *table;

        if (place == durable->roster_count) {
            *cursor = (struct tn_log_cursor){ cursor->revolution + 1, 0, 0 };
            break;
        }
        table = durable->roster[place];
        if (table->id != cursor->table_id)
            *cursor = (struct tn_log_cursor){ cursor->revolution, table->id, 0 };
        result = sweep_batch(store, table, &cursor->position, end_bytes - bytes);
        if (cursor->position >= TN_HASH31_END)
            *cursor = (struct tn_log_cursor){ cursor->revolution, table->id + 1, 0 };
    }
    return result;
}

int tn_sweep(tarn_store *store, uint64_t target_bytes, struct tn_sweep_state *state)
{
    uint64_t paid_bytes = tn_min(state->ahead_bytes, target_bytes);
    uint64_t end_bytes = tn_log_section_bytes(store->durable->log, 0) + (target_bytes - paid_bytes);
    int result = sweep_until(store, end_bytes, &state->cursor);
    uint64_t bytes = tn_log_section_bytes(store->durable->log, 0);

    state->ahead_bytes -= paid_bytes;
    if (bytes > end_bytes)
        state->ahead_bytes += bytes - end_bytes;
    return result;
}
