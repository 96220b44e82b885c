/*
 * write.c - changing entries: tarn_put, tarn_put_if_absent, tarn_modify, tarn_delete, tarn_take
 *
 *     put    found?  yes: fits in its slot?  yes: in place      no: a new slot, the entry moves
 *                    no: reserve in order, hash index and heap; then write the record, then publish
 *
 *     take   as delete, but the slot is freed by the next reclaim (T6), so the value can be lent
 *
 * Rules T1 (reserve first), T3 and T4 (iterators), T5 (upkeep) and T7 (snapshots) of store.h are
 * kept here.
 */
#include "base/poison.h"
#include "store/relocate.h"
#include "store/write.h"

/* A slot at least twice too large for its record is exchanged for a smaller one, above this size. */
#define SLOT_SHRINK_BYTES 64u

/* ---- upkeep: a bounded share with each write (T5) -------------------------------------------- */

void tn_write_upkeep_due(tarn_table *table)
{
    tarn_store *store = table->store;
    uint64_t budget_bytes = TN_WRITE_SHARE_BYTES;

    if (tn_index_is_moving(&table->index))
        (void)tn_index_upkeep(&table->index, TN_WRITE_SHARE_BUCKETS);
    if (tn_store_has_garbage(store))
        (void)tn_store_reclaim(store, &budget_bytes);
}

/* ---- marks (B1 of durable.h) ----------------------------------------------------------------- */

void tn_record_mark(tarn_table *table, struct tn_record *record, tn_handle handle)
{
    record->flags &= (uint8_t)~TN_RECORD_BORN;
    tn_heap_mark(&table->store->heap, &table->body->owner, handle);
}

/* ---- inserting ------------------------------------------------------------------------------- */

/* Everything an insert of this key needs (T1). TN_HANDLE_NONE: refused, nothing changed. */
TN_ALWAYS_INLINE tn_handle insert_reserve(tarn_table *table, uint64_t hash, const void *key,
                                          size_t key_bytes, size_t bytes,
                                          struct tn_index_place *place)
{
    if (TN_UNLIKELY(key_bytes > table->key_bytes_max)) {
        if (!tn_iterators_reserve(table, key_bytes))
            return TN_HANDLE_NONE;
        table->key_bytes_max = key_bytes;
    }
    if (table->ordered != NULL && !tn_ordered_reserve(table->ordered, key, key_bytes))
        return TN_HANDLE_NONE;
    if (!tn_index_reserve(&table->index, hash, place))
        return TN_HANDLE_NONE;
    return tn_heap_allocate(&table->store->heap, &table->body->owner, bytes);
}

/* The same, once garbage and spare pages have been given up. */
static __attribute__((noinline)) tn_handle insert_reserve_again(tarn_table *table, uint64_t hash,
                                                                const void *key, size_t key_bytes,
                                                                size_t bytes,
                                                                struct tn_index_place *place)
{
    if (!tn_store_reclaim_all(table->store))
        return TN_HANDLE_NONE;
    return insert_reserve(table, hash, key, key_bytes, bytes, place);
}

/*
 * Records are written one behind the other, mostly: have the lines fetched that come after some
 * more of them. Where nothing is there, that costs nothing.
 */
TN_ALWAYS_INLINE void records_prefetch(const struct tn_record *record)
{
    const uint8_t *ahead = (const uint8_t *)record + 640;

    __builtin_prefetch(ahead, 1);
    __builtin_prefetch(ahead + 64, 1);
    __builtin_prefetch(ahead + 128, 1);
}

/* As tn_entry_insert. `calm`, for the compiler to know: tn_write_probe has found the key absent. */
TN_ALWAYS_INLINE struct tn_record *entry_insert(tarn_table *table, const struct tn_lookup *lookup,
                                                const void *key, size_t key_bytes,
                                                size_t value_bytes, bool calm)
{
    size_t bytes = tn_record_bytes(key_bytes, value_bytes);
    struct tn_index_place place;
    struct tn_record *record;
    tn_handle handle;

    if (TN_UNLIKELY(!tn_table_takes(table, value_bytes)))
        return NULL;
    handle = insert_reserve(table, lookup->hash, key, key_bytes, bytes, &place);
    if (TN_UNLIKELY(handle == TN_HANDLE_NONE)) {
        handle = insert_reserve_again(table, lookup->hash, key, key_bytes, bytes, &place);
        if (handle == TN_HANDLE_NONE)
            return NULL;
    }
    if (!calm)
        tn_snapshots_keep(table, lookup, key, key_bytes);
    record = tn_record_at(table->base, handle);
    if (calm)
        records_prefetch(record);
    tn_record_write_head(record, table->store->tick, key, key_bytes, value_bytes);
    tn_record_mark_born(table, record, handle);
    tn_index_insert(&table->index, place, lookup->hash, handle);
    if (table->ordered != NULL)
        tn_ordered_insert(table->ordered, handle);
    table->entry_bytes += key_bytes + value_bytes;
    table->last_byte = tn_min(bytes, TN_FETCH_BYTES_MAX) - 1;
    table->store->changed = true;
    if (!calm)
        tn_write_upkeep(table);
    return record;
}

struct tn_record *tn_entry_insert(tarn_table *table, const struct tn_lookup *lookup,
                                  const void *key, size_t key_bytes, size_t value_bytes)
{
    return entry_insert(table, lookup, key, key_bytes, value_bytes, false);
}

int tn_insert_refused(tarn_table *table, const char *call, size_t value_bytes)
{
    if (!tn_table_takes(table, value_bytes))
        return tn_table_fail_type(table, call, value_bytes);
    return tn_store_refused(table->store, call);
}

/* ---- replacing a value ----------------------------------------------------------------------- */

tn_handle tn_entry_move(tarn_table *table, struct tn_lookup *lookup, const void *key,
                        size_t key_bytes, size_t value_bytes, size_t room_bytes, size_t keep_bytes)
{
    tn_handle moved = tn_heap_allocate(&table->store->heap, &table->body->owner, room_bytes);
    tn_handle old = lookup->handle;
    struct tn_record *record = tn_record_at(table->base, moved);

    if (moved == TN_HANDLE_NONE)
        return TN_HANDLE_NONE;
    tn_snapshots_keep(table, lookup, key, key_bytes);
    tn_record_mark_change(table, tn_record_at(table->base, old), old);
    tn_record_write_head(record, table->store->tick, key, key_bytes, value_bytes);
    record->flags = tn_record_at(table->base, old)->flags;
    tn_record_set_value(record, tn_record_value(tn_record_at(table->base, old)), keep_bytes);
    tn_relocate(table, lookup->place, old, moved);
    lookup->handle = moved;
    return moved;
}

/* The entry in a slot that just fits; its value is still to be written. */
static bool entry_refit(tarn_table *table, struct tn_lookup *lookup, const void *key,
                        size_t key_bytes, size_t value_bytes)
{
    return tn_entry_move(table, lookup, key, key_bytes, value_bytes,
                         tn_record_bytes(key_bytes, value_bytes), 0) != TN_HANDLE_NONE;
}

/* In its slot; what the flags say of it stays true. */
static void record_resize(struct tn_record *record, uint64_t tick, const void *key,
                          size_t key_bytes, size_t value_bytes)
{
    uint8_t flags = record->flags;

    tn_record_write_head(record, tick, key, key_bytes, value_bytes);
    record->flags = flags;
}

static int table_replace(tarn_table *table, struct tn_lookup *lookup, const void *key,
                         size_t key_bytes, const void *value, size_t value_bytes)
{
    tarn_store *store = table->store;
    struct tn_record *record = tn_record_at(table->base, lookup->handle);
    size_t old_bytes = tn_record_value_bytes(record);

    if (TN_UNLIKELY(value_bytes != old_bytes)) {
        size_t bytes = tn_record_bytes(key_bytes, value_bytes);
        size_t slot_bytes = tn_heap_slot_bytes(&store->heap, lookup->handle);
        bool fits = bytes <= slot_bytes;
        bool roomy = slot_bytes > SLOT_SHRINK_BYTES && bytes < slot_bytes / 2;

        if (!tn_table_takes(table, value_bytes))
            return tn_table_fail_type(table, "tarn_put", value_bytes);
        if (!fits && !entry_refit(table, lookup, key, key_bytes, value_bytes) &&
            (!tn_store_reclaim_all(store) ||
             !entry_refit(table, lookup, key, key_bytes, value_bytes)))
            return tn_store_refused(store, "tarn_put");
        if (fits && roomy)
            (void)entry_refit(table, lookup, key, key_bytes, value_bytes);
    }
    record = tn_entry_change(table, lookup);
    table->entry_bytes += value_bytes - old_bytes;
    if (TN_UNLIKELY(value_bytes != tn_record_value_bytes(record)))
        record_resize(record, store->tick, key, key_bytes, value_bytes);
    tn_record_set_value(record, value, value_bytes);
    tn_write_upkeep(table);
    if (TN_UNLIKELY(value_bytes != old_bytes))
        tn_table_evacuate_share(table, TN_HANDLE_NONE);
    return TARN_OK;
}

/* ---- the calls ------------------------------------------------------------------------------- */

/* After tn_entry_insert. */
TN_ALWAYS_INLINE int put_value(tarn_table *table, struct tn_record *record, const void *value,
                               size_t value_bytes)
{
    if (TN_UNLIKELY(record == NULL))
        return tn_insert_refused(table, "tarn_put", value_bytes);
    tn_record_set_value(record, value, value_bytes);
    return TARN_OK;
}

/* A key of 8 bytes that tn_write_probe has found absent. */
static __attribute__((noinline)) int put_new_8(tarn_table *table, const void *key, uint64_t hash,
                                               const void *value, size_t value_bytes)
{
    struct tn_lookup lookup = { .hash = hash, .handle = TN_HANDLE_NONE };
    struct tn_record *record =
        entry_insert(table, &lookup, key, sizeof(uint64_t), value_bytes, true);
    bool is_long = tn_record_must_be_long(sizeof(uint64_t), value_bytes);

    if (TN_UNLIKELY(record == NULL))
        return tn_insert_refused(table, "tarn_put", value_bytes);
    memcpy((uint8_t *)record + tn_record_head_bytes(is_long) + sizeof(uint64_t), value,
           value_bytes);
    return TARN_OK;
}

static __attribute__((noinline)) int put_any(tarn_table *table, const void *key, size_t key_bytes,
                                             const void *value, size_t value_bytes)
{
    struct tn_lookup lookup;

    if (TN_UNLIKELY(!tn_write_call_ok(table, key, key_bytes, value, value_bytes)))
        return tn_table_misuse(table, "tarn_put", TN_VALUE_RULE);
    if (tn_table_find(table, key, key_bytes, &lookup) != TN_HANDLE_NONE)
        return table_replace(table, &lookup, key, key_bytes, value, value_bytes);
    return put_value(table, tn_entry_insert(table, &lookup, key, key_bytes, value_bytes), value,
                     value_bytes);
}

int tarn_put(tarn_table *table, const void *key, size_t key_bytes, const void *value,
             size_t value_bytes)
{
    const uint64_t *word_at;
    struct tn_record *record;
    uint64_t hash;

    if (TN_UNLIKELY(value == NULL || value_bytes > TARN_VALUE_BYTES_MAX))
        return put_any(table, key, key_bytes, value, value_bytes);
    switch (tn_write_probe(table, key, key_bytes, &hash, &word_at, &record)) {
    case TN_PROBE_FOUND:
        if (TN_UNLIKELY(record->value_bytes != value_bytes))
            break;
        tn_entry_touch(table, word_at, record);
        memcpy((uint8_t *)record + sizeof *record + sizeof(uint64_t), value, value_bytes);
        return TARN_OK;
    case TN_PROBE_ABSENT:
        return put_new_8(table, key, hash, value, value_bytes);
    case TN_PROBE_UNSURE:
        break;
    }
    return put_any(table, key, key_bytes, value, value_bytes);
}

int tarn_put_if_absent(tarn_table *table, const void *key, size_t key_bytes, const void *value,
                       size_t value_bytes, const void **old, size_t *old_bytes)
{
    struct tn_lookup lookup;
    struct tn_record *record;

    if (TN_UNLIKELY(!tn_write_call_ok(table, key, key_bytes, value, value_bytes)))
        return tn_table_misuse(table, "tarn_put_if_absent", TN_VALUE_RULE);
    if (tn_table_find(table, key, key_bytes, &lookup) != TN_HANDLE_NONE) {
        record = tn_record_at(table->base, lookup.handle);
        if (old != NULL)
            *old = tn_record_value(record);
        if (old_bytes != NULL)
            *old_bytes = tn_record_value_bytes(record);
        return TARN_PRESENT;
    }
    record = tn_entry_insert(table, &lookup, key, key_bytes, value_bytes);
    if (TN_UNLIKELY(record == NULL))
        return tn_insert_refused(table, "tarn_put_if_absent", value_bytes);
    tn_record_set_value(record, value, value_bytes);
    return TARN_OK;
}

static __attribute__((noinline)) int modify_any(tarn_table *table, const void *key,
                                                size_t key_bytes, size_t value_bytes, void **value)
{
    struct tn_lookup lookup;
    struct tn_record *record;

    if (TN_UNLIKELY(!tn_write_call_ok(table, key, key_bytes, "", value_bytes) || value == NULL))
        return tn_table_misuse(table, "tarn_modify", TN_VALUE_RULE);
    if (TN_LIKELY(tn_table_find(table, key, key_bytes, &lookup) != TN_HANDLE_NONE)) {
        record = tn_record_at(table->base, lookup.handle);
        if (TN_UNLIKELY(tn_record_value_bytes(record) != value_bytes))
            return tn_store_fail(table->store, TARN_E_TYPE,
                                 "tarn_modify: table '%s': the value has %zu bytes, not %zu",
                                 table->name, tn_record_value_bytes(record), value_bytes);
        *value = tn_record_value(tn_entry_change(table, &lookup));
        tn_write_upkeep(table);
        return TARN_OK;
    }
    record = tn_entry_insert(table, &lookup, key, key_bytes, value_bytes);
    if (TN_UNLIKELY(record == NULL))
        return tn_insert_refused(table, "tarn_modify", value_bytes);
    *value = tn_record_value(record);
    memset(*value, 0, value_bytes);
    return TARN_OK;
}

int tarn_modify(tarn_table *table, const void *key, size_t key_bytes, size_t value_bytes,
                void **value)
{
    const uint64_t *word_at;
    struct tn_record *record;
    uint64_t hash;

    if (TN_LIKELY(value != NULL &&
                  tn_write_probe(table, key, key_bytes, &hash, &word_at, &record) ==
                      TN_PROBE_FOUND &&
                  record->value_bytes == value_bytes)) {
        tn_entry_touch(table, word_at, record);
        *value = (uint8_t *)record + sizeof *record + sizeof(uint64_t);
        return TARN_OK;
    }
    return modify_any(table, key, key_bytes, value_bytes, value);
}

/* Its record is no longer needed by anyone but the caller. */
TN_ALWAYS_INLINE void entry_forget(tarn_table *table, const struct tn_record *record,
                                   const struct tn_lookup *lookup)
{
    if (table->ordered != NULL)
        tn_ordered_remove(table->ordered, lookup->handle);
    table->entry_bytes -= tn_record_key_bytes(record) + tn_record_value_bytes(record);
    tn_index_remove(&table->index, lookup->place, lookup->hash);
}

void tn_entry_unlink(tarn_table *table, const struct tn_lookup *lookup)
{
    const struct tn_record *record = tn_entry_change(table, lookup);

    tn_iterators_leave(table, lookup->handle);
    entry_forget(table, record, lookup);
}

bool tn_entry_bury(tarn_table *table, tn_handle handle)
{
    struct tn_record *record = tn_record_at(table->base, handle);

    if (TN_LIKELY(table->store->durable == NULL) || (record->flags & TN_RECORD_BORN) != 0)
        return false;
    record->flags |= TN_RECORD_DEAD;
    table->body->dead_count++;
    return true;
}

/* Of what is buried only the key is needed. */
static inline void record_poison(struct tn_record *record)
{
    tn_poison(tn_record_value(record), tn_record_value_bytes(record));
}

static __attribute__((noinline)) int delete_any(tarn_table *table, const void *key,
                                                size_t key_bytes)
{
    struct tn_lookup lookup;

    if (TN_UNLIKELY(!tn_table_call_ok(table, key, key_bytes)))
        return tn_table_misuse(table, "tarn_delete", TN_KEY_RULE);
    if (tn_table_find(table, key, key_bytes, &lookup) == TN_HANDLE_NONE)
        return TARN_ABSENT;
    tn_entry_unlink(table, &lookup);
    if (!tn_entry_bury(table, lookup.handle))
        tn_heap_free(&table->store->heap, &table->body->owner, lookup.handle);
    else
        record_poison(tn_record_at(table->base, lookup.handle));
    tn_write_upkeep(table);
    tn_table_evacuate_share(table, TN_HANDLE_NONE);
    return TARN_OK;
}

int tarn_delete(tarn_table *table, const void *key, size_t key_bytes)
{
    struct tn_lookup lookup;
    const uint64_t *word_at;
    struct tn_record *record;

    if (TN_UNLIKELY(tn_write_probe(table, key, key_bytes, &lookup.hash, &word_at, &record) !=
                        TN_PROBE_FOUND ||
                    table->iterators != NULL || table->store->durable != NULL))
        return delete_any(table, key, key_bytes);
    lookup.handle = index_entry_handle(*word_at);
    lookup.place = tn_index_place_at(&table->index, word_at);
    entry_forget(table, record, &lookup);
    tn_heap_free(&table->store->heap, &table->body->owner, lookup.handle);
    table->store->changed = true;
    tn_table_evacuate_share(table, TN_HANDLE_NONE);
    return TARN_OK;
}

int tarn_take(tarn_table *table, const void *key, size_t key_bytes, const void **value,
              size_t *value_bytes)
{
    struct tn_lookup lookup;
    struct tn_record *record;

    if (TN_UNLIKELY(!tn_table_call_ok(table, key, key_bytes) || value == NULL ||
                    value_bytes == NULL))
        return tn_table_misuse(table, "tarn_take",
                               "key, value and value_bytes must be there, and a key has at most "
                               "65,535 bytes");
    if (tn_table_find(table, key, key_bytes, &lookup) == TN_HANDLE_NONE)
        return TARN_ABSENT;
    tn_entry_unlink(table, &lookup);
    tn_write_upkeep(table); /* ends what the take before has lent */
    tn_table_evacuate_share(table, lookup.handle);
    if (!tn_entry_bury(table, lookup.handle)) {
        table->store->taken = (struct tn_taken){ table->body, lookup.handle }; /* T6 */
        if (table->store->durable != NULL)
            tn_heap_unmark(&table->store->heap, lookup.handle); /* a commit has no use for it */
    }
    record = tn_record_at(table->base, lookup.handle);
    *value = tn_record_value(record);
    *value_bytes = tn_record_value_bytes(record);
    return TARN_OK;
}
