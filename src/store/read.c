/*
 * read.c - looking up: tarn_get, tarn_get_many, tarn_contains
 *
 * A get is one probe of the hash index and one record, and never allocates or changes anything.
 *
 * get_many overlaps the misses of a block of keys, in three passes over the block:
 *
 *     hash all, prefetch home buckets -> guess handles, prefetch records -> compare keys, now in cache
 *
 * A guess is the first entry with the key's 31 hash bits: no guess, no entry; a wrong one, and only
 * that, is looked up as in a get.
 */
#include "store/store.h"

#define GET_MANY_BLOCK 32u
#define ANY_KEY_BYTES SIZE_MAX

int tn_table_misuse(tarn_table *table, const char *call, const char *what)
{
    if (table == NULL || *table->store->alive == 0)
        return TARN_E_MISUSE; /* no store to write a text to, or a parent's */
    if (tn_table_is_view(table))
        return tn_view_misuse(table, call);
    if (*table->alive == 0)
        return tn_store_fail(
            table->store, TARN_E_MISUSE,
            "%s: table '%s' was dropped; close this handle and open the table anew", call,
            table->name);
    return tn_store_fail(table->store, TARN_E_MISUSE, "%s: table '%s': %s", call, table->name,
                         what);
}

tn_handle tn_table_find_any(const tarn_table *table, const void *key, size_t key_bytes,
                            struct tn_lookup *lookup)
{
    return tn_table_find_sized(table, key, key_bytes, lookup);
}

/* A record found by key, as get answers it. */
TN_ALWAYS_INLINE int get_answer(const tarn_table *table, const struct tn_lookup *lookup,
                                const void **value, size_t *value_bytes)
{
    struct tn_record *record = tn_record_at(table->base, lookup->handle);

    if (lookup->handle == TN_HANDLE_NONE)
        return TARN_ABSENT;
    *value = tn_record_value(record);
    *value_bytes = tn_record_value_bytes(record);
    return TARN_OK;
}

/* Any key; out of line, and called last, so that the path of 8-byte keys saves no registers. */
static __attribute__((noinline)) int get_any(tarn_table *table, const void *key, size_t key_bytes,
                                             const void **value, size_t *value_bytes)
{
    struct tn_lookup lookup;

    if (!tn_table_call_ok(table, key, key_bytes) || value == NULL || value_bytes == NULL) {
        if (tn_table_is_view(table))
            return tn_view_get(table, key, key_bytes, value, value_bytes);
        return tn_table_misuse(table, "tarn_get",
                               "key, value and value_bytes must be there, and a key has at most "
                               "65,535 bytes");
    }
    tn_table_find_any(table, key, key_bytes, &lookup);
    return get_answer(table, &lookup, value, value_bytes);
}

TN_ALWAYS_INLINE int get_8(tarn_table *table, const void *key, bool at_rest, const void **value,
                           size_t *value_bytes)
{
    const uint64_t *word_at;
    struct tn_record *record;

    switch (tn_table_probe(table, key, tn_hash_8(&table->secret, key), at_rest, false,
                           table->last_byte, &word_at, &record)) {
    case TN_PROBE_FOUND: /* the record is not long, or its key_bytes would say so */
        *value = (uint8_t *)record + sizeof *record + sizeof(uint64_t);
        *value_bytes = record->value_bytes;
        return TARN_OK;
    case TN_PROBE_ABSENT:
        return TARN_ABSENT;
    case TN_PROBE_UNSURE:
        break;
    }
    return get_any(table, key, sizeof(uint64_t), value, value_bytes);
}

/* While the index moves. */
static __attribute__((noinline)) int get_moving(tarn_table *table, const void *key,
                                                size_t key_bytes, const void **value,
                                                size_t *value_bytes)
{
    if (tn_table_call_ok(table, key, key_bytes) && key_bytes == sizeof(uint64_t) && value != NULL &&
        value_bytes != NULL)
        return get_8(table, key, false, value, value_bytes);
    return get_any(table, key, key_bytes, value, value_bytes);
}

int tarn_get(tarn_table *table, const void *key, size_t key_bytes, const void **value,
             size_t *value_bytes)
{
    if (TN_LIKELY(tn_table_is_quick(table, key, key_bytes) && value != NULL && value_bytes != NULL))
        return get_8(table, key, true, value, value_bytes);
    return get_moving(table, key, key_bytes, value, value_bytes);
}

static __attribute__((noinline)) int contains_any(tarn_table *table, const void *key,
                                                  size_t key_bytes)
{
    struct tn_lookup lookup;

    if (!tn_table_call_ok(table, key, key_bytes)) {
        if (tn_table_is_view(table))
            return tn_view_contains(table, key, key_bytes);
        return tn_table_misuse(table, "tarn_contains",
                               "the key must be there and have at most 65,535 bytes");
    }
    return tn_table_find_any(table, key, key_bytes, &lookup) == TN_HANDLE_NONE ? TARN_ABSENT
                                                                               : TARN_OK;
}

TN_ALWAYS_INLINE int contains_8(tarn_table *table, const void *key, bool at_rest)
{
    const uint64_t *word_at;
    struct tn_record *record;
    enum tn_probe probe = tn_table_probe(table, key, tn_hash_8(&table->secret, key), at_rest, true,
                                         TN_FETCH_NONE, &word_at, &record);

    if (TN_LIKELY(probe != TN_PROBE_UNSURE))
        return probe == TN_PROBE_FOUND ? TARN_OK : TARN_ABSENT;
    return contains_any(table, key, sizeof(uint64_t));
}

static __attribute__((noinline)) int contains_moving(tarn_table *table, const void *key,
                                                     size_t key_bytes)
{
    if (tn_table_call_ok(table, key, key_bytes) && key_bytes == sizeof(uint64_t))
        return contains_8(table, key, false);
    return contains_any(table, key, key_bytes);
}

int tarn_contains(tarn_table *table, const void *key, size_t key_bytes)
{
    if (TN_LIKELY(tn_table_is_quick(table, key, key_bytes)))
        return contains_8(table, key, true);
    return contains_moving(table, key, key_bytes);
}

/* ---- many ------------------------------------------------------------------------------------ */

static bool key_ok(const tarn_bytes *key)
{
    return key->bytes <= TARN_KEY_BYTES_MAX && (key->data != NULL || key->bytes == 0);
}

/* Another entry has the same 31 hash bits as this key, and came first. */
static __attribute__((noinline)) tn_handle guess_was_wrong(const tarn_table *table, uint64_t hash,
                                                           const tarn_bytes *key)
{
    struct tn_index_place place;

    return tn_index_find(&table->index, table->base, hash, key->data, key->bytes, &place);
}

/* `key_bytes` is that of every key, for the compiler to know, or ANY_KEY_BYTES. */
TN_ALWAYS_INLINE void get_many_block(const tarn_table *table, const tarn_bytes *keys, size_t count,
                                     tarn_bytes *values, size_t key_bytes)
{
    uint64_t hashes[GET_MANY_BLOCK];
    const uint64_t *buckets[GET_MANY_BLOCK];
    tn_handle guesses[GET_MANY_BLOCK];
    size_t i;

    for (i = 0; i < count; i++) {
        hashes[i] = tn_hash(&table->secret, keys[i].data,
                            key_bytes == ANY_KEY_BYTES ? keys[i].bytes : key_bytes);
        buckets[i] = tn_index_prefetch(&table->index, hashes[i]);
    }
    for (i = 0; i < count; i++) {
        const uint8_t *record;

        guesses[i] = tn_index_guess_at(buckets[i], hashes[i]);
        record = table->base + guesses[i] * TN_GRANULE_BYTES;
        __builtin_prefetch(record);
        __builtin_prefetch(record + 64);
    }
    for (i = 0; i < count; i++) {
        tn_handle handle = guesses[i];
        struct tn_record *record = tn_record_at(table->base, handle);

        if (handle != TN_HANDLE_NONE &&
            TN_UNLIKELY(!tn_record_has_key(
                record, keys[i].data, key_bytes == ANY_KEY_BYTES ? keys[i].bytes : key_bytes))) {
            handle = guess_was_wrong(table, hashes[i], &keys[i]);
            record = tn_record_at(table->base, handle);
        }
        values[i].data = handle == TN_HANDLE_NONE ? NULL : tn_record_value(record);
        values[i].bytes = handle == TN_HANDLE_NONE ? 0 : tn_record_value_bytes(record);
    }
}

static void get_many_block_any(const tarn_table *table, const tarn_bytes *keys, size_t count,
                               tarn_bytes *values)
{
    get_many_block(table, keys, count, values, ANY_KEY_BYTES);
}

static void get_many_block_8(const tarn_table *table, const tarn_bytes *keys, size_t count,
                             tarn_bytes *values)
{
    get_many_block(table, keys, count, values, sizeof(uint64_t));
}

int tn_get_many_misuse(tarn_table *table, size_t place)
{
    if (*table->alive == 0 && !tn_table_is_view(table))
        return tn_table_misuse(table, "tarn_get_many", "");
    return tn_store_fail(table->store, TARN_E_MISUSE,
                         "tarn_get_many: table '%s': key %zu of the array is NULL or has more than "
                         "%u bytes",
                         table->name, place, TARN_KEY_BYTES_MAX);
}

int tarn_get_many(tarn_table *table, const tarn_bytes *keys, size_t count, tarn_bytes *values)
{
    size_t done, i;

    if (TN_UNLIKELY(!tn_table_call_ok(table, NULL, 0) ||
                    (count > 0 && (keys == NULL || values == NULL)))) {
        if (tn_table_is_view(table))
            return tn_view_get_many(table, keys, count, values);
        return tn_table_misuse(table, "tarn_get_many", "keys and values must not be NULL");
    }
    for (done = 0; done < count; done += GET_MANY_BLOCK) {
        size_t block = tn_min(count - done, GET_MANY_BLOCK);
        bool all_are_8 = true;

        for (i = done; i < done + block; i++) {
            if (TN_UNLIKELY(!key_ok(&keys[i])))
                return tn_get_many_misuse(table, i);
            all_are_8 &= keys[i].bytes == sizeof(uint64_t);
        }
        if (all_are_8)
            get_many_block_8(table, keys + done, block, values + done);
        else
            get_many_block_any(table, keys + done, block, values + done);
    }
    return TARN_OK;
}
