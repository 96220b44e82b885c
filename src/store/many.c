/*
 * many.c - tarn_modify_many: the entries of many keys, all writable at once
 *
 * Three passes over each block of keys overlap their misses, as in tarn_get_many (read.c):
 *
 *     hash all, prefetch home buckets -> guess handles, prefetch records -> find, or insert zeros
 *
 * Rules
 *   B1  A failure changes nothing: entries inserted for earlier keys are marked in `values` (a
 *       value is aligned to 8, so an address plus 1 is a mark) and deleted again, which cannot
 *       fail.
 *   B2  Records stay where they are until the call returns: inserting moves none, and pointers
 *       given for earlier keys stay good.
 */
#include "store/write.h"

#include <stdio.h>

#define MODIFY_MANY_BLOCK 32u

/* ---- the mark of a value that this call has inserted (B1) ------------------------------------ */

static void *value_mark(void *value)
{
    return (uint8_t *)value + 1;
}

static bool value_is_marked(const void *value)
{
    return ((uintptr_t)value & 1) != 0;
}

static void *value_unmark(void *value)
{
    return value_is_marked(value) ? (uint8_t *)value - 1 : value;
}

/* ---- one key --------------------------------------------------------------------------------- */

struct modify_many {
    tarn_table *table;
    const tarn_bytes *keys;
    size_t value_bytes;
    void **values;
    size_t inserted; /* how many of the values are marked */
};

/* The refusal's own text, and the key's place behind it. */
static int modify_refused(const struct modify_many *m, size_t i)
{
    tarn_store *store = m->table->store;
    int result = tn_insert_refused(m->table, "tarn_modify_many", m->value_bytes);
    size_t used = strlen(store->error_text);

    snprintf(store->error_text + used, sizeof store->error_text - used,
             " (at key %zu of the array; nothing was changed)", i);
    return result;
}

static int modify_insert(struct modify_many *m, size_t i, const struct tn_lookup *lookup)
{
    const tarn_bytes *key = &m->keys[i];
    struct tn_record *record =
        tn_entry_insert(m->table, lookup, key->data, key->bytes, m->value_bytes);

    if (record == NULL)
        return modify_refused(m, i);
    memset(tn_record_value(record), 0, m->value_bytes);
    m->values[i] = value_mark(tn_record_value(record));
    m->inserted++;
    return TARN_OK;
}

static int modify_one(struct modify_many *m, size_t i, struct tn_lookup *lookup)
{
    const tarn_bytes *key = &m->keys[i];
    struct tn_record *record;

    lookup->handle = tn_index_find(&m->table->index, m->table->base, lookup->hash, key->data,
                                   key->bytes, &lookup->place);
    if (TN_UNLIKELY(lookup->handle == TN_HANDLE_NONE))
        return modify_insert(m, i, lookup);
    record = tn_record_at(m->table->base, lookup->handle);
    if (TN_UNLIKELY(tn_record_value_bytes(record) != m->value_bytes))
        return tn_store_fail(m->table->store, TARN_E_TYPE,
                             "tarn_modify_many: table '%s': the value of key %zu of the array has "
                             "%zu bytes, not %zu; nothing was changed",
                             m->table->name, i, tn_record_value_bytes(record), m->value_bytes);
    m->values[i] = tn_record_value(tn_entry_change(m->table, lookup));
    return TARN_OK;
}

/* ---- all of them ----------------------------------------------------------------------------- */

/* Keys [first, end), at most a block. *done counts those that have their value. */
static int modify_block(struct modify_many *m, size_t first, size_t end, size_t *done)
{
    const struct tn_index *index = &m->table->index;
    struct tn_lookup lookups[MODIFY_MANY_BLOCK];
    int result = TARN_OK;
    size_t i;

    for (i = first; i < end; i++) {
        lookups[i - first].hash = tn_hash(&m->table->secret, m->keys[i].data, m->keys[i].bytes);
        (void)tn_index_prefetch(index, lookups[i - first].hash);
    }
    for (i = first; i < end; i++) {
        const uint8_t *record =
            m->table->base + tn_index_guess(index, lookups[i - first].hash) * TN_GRANULE_BYTES;

        __builtin_prefetch(record, 1);
        __builtin_prefetch(record + 64, 1);
    }
    for (i = first; i < end && result == TARN_OK; i++)
        result = modify_one(m, i, &lookups[i - first]);
    *done = result == TARN_OK ? end : i - 1;
    return result;
}

/* B1: the first `done` keys have values; those inserted go again. */
static void modify_undo(struct modify_many *m, size_t done)
{
    size_t i;

    for (i = 0; i < done; i++) {
        if (value_is_marked(m->values[i]))
            (void)tarn_delete(m->table, m->keys[i].data, m->keys[i].bytes);
    }
}

static int modify_many_misuse(tarn_table *table, size_t place)
{
    return tn_store_fail(table->store, TARN_E_MISUSE,
                         "tarn_modify_many: table '%s': key %zu of the array is NULL or has more "
                         "than %u bytes; nothing was changed",
                         table->name, place, TARN_KEY_BYTES_MAX);
}

int tarn_modify_many(tarn_table *table, const tarn_bytes *keys, size_t count, size_t value_bytes,
                     void **values)
{
    struct modify_many m = { table, keys, value_bytes, values, 0 };
    size_t done = 0, i;
    bool was_changed;
    int result = TARN_OK;

    if (!tn_write_call_ok(table, NULL, 0, "", value_bytes) ||
        (count > 0 && (keys == NULL || values == NULL)))
        return tn_table_misuse(table, "tarn_modify_many",
                               "keys and values must not be NULL, and a value has at most 2^32 - 1 "
                               "bytes");
    for (i = 0; i < count; i++) {
        if (!tn_table_call_ok(table, keys[i].data, keys[i].bytes))
            return modify_many_misuse(table, i);
    }
    was_changed = table->store->changed;
    while (done < count && result == TARN_OK)
        result = modify_block(&m, done, tn_min(count, done + MODIFY_MANY_BLOCK), &done);
    if (result < 0) {
        modify_undo(&m, done);
        table->store->changed = was_changed;
        return result;
    }
    for (i = 0; m.inserted > 0 && i < count; i++)
        values[i] = value_unmark(values[i]);
    if (count > 0)
        tn_write_upkeep(table);
    return TARN_OK;
}
