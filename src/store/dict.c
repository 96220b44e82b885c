/*
 * dict.c - dictionaries: byte strings numbered 0, 1, 2, ... and back
 *
 *     codes   "NAME"      key -> code, 4 bytes        encode, find
 *     keys    "NAME\0"    code, 8 bytes -> key        decode
 *
 * Two unordered tables of the store; a handle adds nothing but its bound. So commits, snapshots and
 * restores know dictionaries without further code. Names that users can give end before the first
 * NUL, so none of theirs is the second name; the first is protected by its role in the catalog.
 *
 * Rules
 *   D1  Both tables have the same number of entries, n, and the codes are 0 .. n - 1.
 *   D2  A key goes into both tables or, refused, into none; both are cleared or none.
 */
#include "store/write.h"

#define ENCODE_MANY_BLOCK 32u
#define CODE_KEY_BYTES sizeof(uint64_t)

struct tarn_dict {
    tarn_store *store;
    tarn_table *codes;
    tarn_table *keys;
    uint64_t entry_count_max;
    tarn_dict *next, *previous; /* store->dicts */
};

static bool dict_ok(const tarn_dict *dict)
{
    return dict != NULL && *dict->codes->alive != 0 && *dict->keys->alive != 0;
}

static int dict_misuse(tarn_dict *dict, const char *call, const char *what)
{
    return dict == NULL ? TARN_E_MISUSE : tn_table_misuse(dict->codes, call, what);
}

/* ---- opening and closing --------------------------------------------------------------------- */

/* Both tables. A failure has created none. */
static int dict_open_tables(tarn_dict *dict, const char *name, size_t name_bytes)
{
    static const tarn_table_options codes_shape = { TARN_UNORDERED, TARN_U32, 0 };
    static const tarn_table_options keys_shape = { TARN_UNORDERED, TARN_ANY, 0 };
    tarn_store *store = dict->store;
    bool was_changed = store->changed;
    size_t table_count = store->table_count;
    int result;

    result = tn_table_open(&dict->codes, store, "tarn_dict_open", (tarn_bytes){ name, name_bytes },
                           TN_ROLE_DICT_CODES, &codes_shape);
    if (result < 0)
        return result;
    result = tn_table_open(&dict->keys, store, "tarn_dict_open",
                           (tarn_bytes){ name, name_bytes + 1 }, TN_ROLE_DICT_KEYS, &keys_shape);
    if (result == TARN_OK)
        return TARN_OK;
    if (store->table_count > table_count)
        (void)tarn_table_drop(dict->codes);
    (void)tarn_table_close(dict->codes);
    store->changed = was_changed;
    return result;
}

static tarn_dict *dict_new(tarn_store *store)
{
    return tn_memory_new(&store->memory, sizeof(tarn_dict), true);
}

static int dict_open(tarn_dict **out, tarn_store *store, const char *name, size_t name_bytes,
                     uint64_t entry_count_max)
{
    tarn_dict *dict = dict_new(store);
    int result;

    if (dict == NULL && tn_store_reclaim_all(store))
        dict = dict_new(store);
    if (dict == NULL)
        return tn_store_refused(store, "tarn_dict_open");
    dict->store = store;
    dict->entry_count_max =
        entry_count_max == 0 || entry_count_max > TARN_DICT_NONE ? TARN_DICT_NONE : entry_count_max;
    result = dict_open_tables(dict, name, name_bytes);
    if (result < 0) {
        tn_memory_free(&store->memory, dict, sizeof *dict);
        return result;
    }
    dict->next = store->dicts;
    if (dict->next != NULL)
        dict->next->previous = dict;
    store->dicts = dict;
    *out = dict;
    return TARN_OK;
}

int tarn_dict_open(tarn_dict **out, tarn_store *store, const char *name,
                   const tarn_dict_options *options)
{
    size_t name_bytes;

    if (out != NULL)
        *out = NULL;
    if (store == NULL || *store->alive == 0)
        return TARN_E_MISUSE;
    if (out == NULL || name == NULL)
        return tn_store_fail(store, TARN_E_MISUSE, "tarn_dict_open: out and name must not be NULL");
    name_bytes = strnlen(name, TARN_TABLE_NAME_BYTES_MAX);
    if (name_bytes == 0 || name_bytes == TARN_TABLE_NAME_BYTES_MAX)
        return tn_store_fail(store, TARN_E_MISUSE,
                             "tarn_dict_open: a dictionary's name has 1 to %u bytes",
                             TARN_TABLE_NAME_BYTES_MAX - 1);
    return dict_open(out, store, name, name_bytes, options != NULL ? options->entry_count_max : 0);
}

int tarn_dict_close(tarn_dict *dict)
{
    tarn_store *store;

    if (dict == NULL)
        return TARN_OK;
    store = dict->store;
    if (*store->alive == 0)
        return TARN_E_MISUSE;
    (void)tarn_table_close(dict->codes);
    (void)tarn_table_close(dict->keys);
    if (dict->previous != NULL)
        dict->previous->next = dict->next;
    else
        store->dicts = dict->next;
    if (dict->next != NULL)
        dict->next->previous = dict->previous;
    tn_memory_free(&store->memory, dict, sizeof *dict);
    return TARN_OK;
}

void tn_dicts_free(tarn_store *store)
{
    tarn_dict *dict;

    while ((dict = store->dicts) != NULL) {
        store->dicts = dict->next;
        tn_memory_free(&store->memory, dict, sizeof *dict);
    }
}

/* ---- adding ---------------------------------------------------------------------------------- */

static int dict_refuse_full(const tarn_dict *dict, const char *call)
{
    return tn_store_fail(dict->store, TARN_E_FULL,
                         "%s: dictionary '%s' has %llu keys and may have %llu; use the raw key, or "
                         "raise entry_count_max",
                         call, dict->codes->name,
                         (unsigned long long)dict->codes->index.entry_count,
                         (unsigned long long)dict->entry_count_max);
}

/* A key that is not there gets the next code. `lookup` is from looking for it. */
static int dict_add(tarn_dict *dict, const char *call, const struct tn_lookup *lookup,
                    const void *key, size_t key_bytes, uint32_t *code)
{
    uint64_t next = dict->codes->index.entry_count; /* D1 */
    struct tn_lookup keys_lookup;
    bool was_changed = dict->store->changed;
    struct tn_record *record;
    uint8_t code_key[CODE_KEY_BYTES];
    int result;

    if (next >= dict->entry_count_max)
        return dict_refuse_full(dict, call);
    tn_store_be64(code_key, next);
    if (TN_UNLIKELY(tn_table_find(dict->keys, code_key, sizeof code_key, &keys_lookup) !=
                    TN_HANDLE_NONE)) {
        /* Left by a restore that ran out of memory between the two tables. */
        (void)tarn_delete(dict->keys, code_key, sizeof code_key);
        keys_lookup.handle = TN_HANDLE_NONE;
    }
    record = tn_entry_insert(dict->keys, &keys_lookup, code_key, sizeof code_key, key_bytes);
    if (record == NULL)
        return tn_insert_refused(dict->keys, call, key_bytes);
    if (key_bytes > 0)
        memcpy(tn_record_value(record), key, key_bytes);
    record = tn_entry_insert(dict->codes, lookup, key, key_bytes, sizeof *code);
    if (record == NULL) {
        result = tn_insert_refused(dict->codes, call, sizeof *code);
        (void)tarn_delete(dict->keys, code_key, sizeof code_key); /* D2 */
        dict->store->changed = was_changed;
        return result;
    }
    tn_store_le32(tn_record_value(record), (uint32_t)next);
    *code = (uint32_t)next;
    return TARN_OK;
}

static uint32_t dict_code_at(const tarn_dict *dict, tn_handle handle)
{
    return tn_load_le32(tn_record_value(tn_record_at(dict->codes->base, handle)));
}

int tarn_dict_encode(tarn_dict *dict, const void *key, size_t key_bytes, uint32_t *code)
{
    struct tn_lookup lookup;

    if (!dict_ok(dict) || !tn_table_call_ok(dict->codes, key, key_bytes) || code == NULL)
        return dict_misuse(dict, "tarn_dict_encode", TN_KEY_RULE ", and so must code");
    if (tn_table_find(dict->codes, key, key_bytes, &lookup) == TN_HANDLE_NONE)
        return dict_add(dict, "tarn_dict_encode", &lookup, key, key_bytes, code);
    *code = dict_code_at(dict, lookup.handle);
    return TARN_OK;
}

/* ---- many: three passes over a block, as in tarn_get_many (read.c) --------------------------- */

/* *result is what all of the call will answer; once it is a failure, keys are only looked for. */
static void encode_block(tarn_dict *dict, const tarn_bytes *keys, size_t count, uint32_t *codes,
                         int *result)
{
    struct tn_lookup lookups[ENCODE_MANY_BLOCK];
    tarn_table *table = dict->codes;
    size_t i;

    for (i = 0; i < count; i++) {
        lookups[i].hash = tn_hash(&table->secret, keys[i].data, keys[i].bytes);
        (void)tn_index_prefetch(&table->index, lookups[i].hash);
    }
    for (i = 0; i < count; i++)
        __builtin_prefetch(table->base +
                           tn_index_guess(&table->index, lookups[i].hash) * TN_GRANULE_BYTES);
    for (i = 0; i < count; i++) {
        struct tn_lookup *lookup = &lookups[i];

        lookup->handle = tn_index_find(&table->index, table->base, lookup->hash, keys[i].data,
                                       keys[i].bytes, &lookup->place);
        codes[i] = TARN_DICT_NONE;
        if (lookup->handle != TN_HANDLE_NONE)
            codes[i] = dict_code_at(dict, lookup->handle);
        else if (*result == TARN_OK)
            *result = dict_add(dict, "tarn_dict_encode_many", lookup, keys[i].data, keys[i].bytes,
                               &codes[i]);
    }
}

int tarn_dict_encode_many(tarn_dict *dict, const tarn_bytes *keys, size_t count, uint32_t *codes)
{
    int result = TARN_OK;
    size_t i;

    if (!dict_ok(dict) || (count > 0 && (keys == NULL || codes == NULL)))
        return dict_misuse(dict, "tarn_dict_encode_many", "keys and codes must not be NULL");
    for (i = 0; i < count; i++) {
        if (!tn_table_call_ok(dict->codes, keys[i].data, keys[i].bytes))
            return tn_store_fail(dict->store, TARN_E_MISUSE,
                                 "tarn_dict_encode_many: dictionary '%s': key %zu of the array is "
                                 "NULL or has more than %u bytes; nothing was changed",
                                 dict->codes->name, i, TARN_KEY_BYTES_MAX);
    }
    for (i = 0; i < count; i += ENCODE_MANY_BLOCK)
        encode_block(dict, keys + i, tn_min(count - i, ENCODE_MANY_BLOCK), codes + i, &result);
    return result;
}

/* ---- reading, clearing, dropping ------------------------------------------------------------- */

int tarn_dict_find(tarn_dict *dict, const void *key, size_t key_bytes, uint32_t *code)
{
    struct tn_lookup lookup;

    if (!dict_ok(dict) || !tn_table_call_ok(dict->codes, key, key_bytes) || code == NULL)
        return dict_misuse(dict, "tarn_dict_find", TN_KEY_RULE ", and so must code");
    if (tn_table_find(dict->codes, key, key_bytes, &lookup) == TN_HANDLE_NONE)
        return TARN_ABSENT;
    *code = dict_code_at(dict, lookup.handle);
    return TARN_OK;
}

int tarn_dict_decode(tarn_dict *dict, uint32_t code, tarn_bytes *key)
{
    uint8_t code_key[CODE_KEY_BYTES];

    if (!dict_ok(dict) || key == NULL)
        return dict_misuse(dict, "tarn_dict_decode", "key must not be NULL");
    tn_store_be64(code_key, code);
    return tarn_get(dict->keys, code_key, sizeof code_key, &key->data, &key->bytes);
}

uint64_t tarn_dict_count(const tarn_dict *dict)
{
    return dict_ok(dict) ? dict->codes->index.entry_count : 0;
}

int tarn_dict_clear(tarn_dict *dict)
{
    tarn_table *tables[2];

    if (!dict_ok(dict))
        return dict_misuse(dict, "tarn_dict_clear", "");
    tables[0] = dict->codes;
    tables[1] = dict->keys;
    return tn_tables_clear(tables, TN_ARRAY_COUNT(tables), "tarn_dict_clear"); /* D2 */
}

int tarn_dict_drop(tarn_dict *dict)
{
    if (!dict_ok(dict))
        return dict_misuse(dict, "tarn_dict_drop", "");
    (void)tarn_table_drop(dict->codes);
    (void)tarn_table_drop(dict->keys);
    return TARN_OK;
}

/* ---- keys made of codes ---------------------------------------------------------------------- */

#define TAG_CODED 1
#define TAG_RAW 2

size_t tarn_dict_coded_key(uint32_t code, void *out)
{
    uint8_t *at = out;

    at[0] = TAG_CODED;
    at[1] = (uint8_t)(code >> 24);
    at[2] = (uint8_t)(code >> 16);
    at[3] = (uint8_t)(code >> 8);
    at[4] = (uint8_t)code;
    return TARN_DICT_CODED_BYTES;
}

size_t tarn_dict_raw_key(const void *key, size_t key_bytes, void *out)
{
    uint8_t *at = out;

    if (key_bytes >= TARN_KEY_BYTES_MAX)
        return 0;
    at[0] = TAG_RAW;
    if (key_bytes > 0)
        memcpy(at + 1, key, key_bytes);
    return key_bytes + 1;
}

int tarn_dict_read_key(const void *bytes, size_t bytes_count, uint32_t *code, tarn_bytes *raw)
{
    const uint8_t *at = bytes;

    if (bytes_count > 0 && at[0] == TAG_RAW) {
        *raw = (tarn_bytes){ at + 1, bytes_count - 1 };
        return TARN_ABSENT;
    }
    if (bytes_count != TARN_DICT_CODED_BYTES || at[0] != TAG_CODED)
        return TARN_E_TYPE;
    *code = (uint32_t)at[1] << 24 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 8 | at[4];
    return TARN_OK;
}
