/*
 * write.h - what every changing call is made of; the calls are in write.c, merge.c, many.c and
 * dict.c
 *
 *     find  ->  in place: tn_entry_change, then write the value, then tn_write_upkeep
 *               new:      tn_entry_insert, then write the value
 *               gone:     tn_entry_unlink, free the slot, tn_write_upkeep
 *
 * Rules T1 (reserve first), T3 and T4 (iterators), T5 (upkeep) and T7 (snapshots) of store.h are
 * kept by these.
 */
#ifndef TN_WRITE_H
#define TN_WRITE_H

#include "store/store.h"

#define TN_KEY_RULE "the key must be there and have at most 65,535 bytes"
#define TN_VALUE_RULE                                                                              \
    "key and value must be there; a key has at most 65,535 bytes, a value 2^32 - 1"

/* Whether a call that writes is within the contract. */
static inline bool tn_write_call_ok(const tarn_table *table, const void *key, size_t key_bytes,
                                    const void *value, size_t value_bytes)
{
    return tn_table_call_ok(table, key, key_bytes) && (value != NULL || value_bytes == 0) &&
           value_bytes <= TARN_VALUE_BYTES_MAX;
}

/* Whether the table's type allows values of that size. */
static inline bool tn_table_takes(const tarn_table *table, size_t value_bytes)
{
    return TN_LIKELY(table->value_bytes == 0) || table->value_bytes == value_bytes;
}

/* The entry that was found is about to be written in place, or to go (T7). */
static inline struct tn_record *tn_entry_change(tarn_table *table, const struct tn_lookup *lookup)
{
    struct tn_record *record = tn_record_at(table->base, lookup->handle);

    tn_snapshots_keep(table, lookup, NULL, 0);
    tn_record_mark_change(table, record, lookup->handle);
    record->tick = (uint32_t)table->store->tick;
    return record;
}

/* No snapshot sees what a write changes, and nothing waits to be reclaimed by it. */
static inline bool tn_store_is_calm(const tarn_store *store)
{
    return ((uintptr_t)store->snapshots | (uintptr_t)store->garbage | (uintptr_t)store->leaving |
            store->taken.handle) == 0;
}

/*
 * The common case of a write: a key of 8 bytes, with no upkeep to do. What is FOUND can be written
 * in place, once tn_entry_touch was called; *word_at is where its entry stands. Where the key is
 * ABSENT, *hash is its hash. UNSURE: the long way.
 */
TN_ALWAYS_INLINE enum tn_probe tn_write_probe(const tarn_table *table, const void *key,
                                              size_t key_bytes, uint64_t *hash,
                                              const uint64_t **word_at, struct tn_record **record)
{
    if (TN_UNLIKELY(!tn_table_is_quick(table, key, key_bytes) || !tn_store_is_calm(table->store)))
        return TN_PROBE_UNSURE;
    *hash = tn_hash_8(&table->secret, key);
    return tn_table_probe(table, key, *hash, true, true, TN_FETCH_NONE, word_at, record);
}

static inline void tn_entry_touch(tarn_table *table, const uint64_t *word_at,
                                  struct tn_record *record)
{
    tn_record_mark_change(table, record, index_entry_handle(*word_at));
    record->tick = (uint32_t)table->store->tick;
    table->store->changed = true;
}

/* A new entry with an unwritten value. NULL: ask tn_insert_refused; nothing changed. */
struct tn_record *tn_entry_insert(tarn_table *table, const struct tn_lookup *lookup,
                                  const void *key, size_t key_bytes, size_t value_bytes);

/* After tn_entry_insert answered NULL: the result, with its text. */
int tn_insert_refused(tarn_table *table, const char *call, size_t value_bytes);

/*
 * The entry in another slot of at least room_bytes, with value_bytes of value, of which the first
 * keep_bytes are the old ones. TN_HANDLE_NONE: refused, nothing changed.
 */
tn_handle tn_entry_move(tarn_table *table, struct tn_lookup *lookup, const void *key,
                        size_t key_bytes, size_t value_bytes, size_t room_bytes, size_t keep_bytes);

/* Take an entry out of the table. Its slot is still taken, and its record readable. */
void tn_entry_unlink(tarn_table *table, const struct tn_lookup *lookup);

/*
 * What was unlinked must be buried, and is: it stays until the next commit, and the slot is not to
 * be freed (B2 of durable.h). false: free it.
 */
bool tn_entry_bury(tarn_table *table, tn_handle handle);

/* The share of upkeep that each write pays (T5), when there is any to do. */
void tn_write_upkeep_due(tarn_table *table);

/* Every write ends with this: the store has changed, and a share of upkeep is paid. */
TN_ALWAYS_INLINE void tn_write_upkeep(tarn_table *table)
{
    table->store->changed = true;
    if (TN_UNLIKELY(tn_index_is_moving(&table->index) || tn_store_has_garbage(table->store)))
        tn_write_upkeep_due(table);
}

#endif
