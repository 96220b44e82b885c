/*
 * salvage_dict.c - dictionaries that have lost something; see G4 of salvage.h
 *
 *     codes  key -> code   "x" -> 0   "y" -> 1            agree: it is the dictionary
 *     keys   code -> key    0 -> "x"   1 -> "y"
 *                           0 -> "x"   (lost)              do not: salvaged-1 has the one half as a plain
 *                                                          table, salvaged-2 the other
 */
#include "store/salvage.h"

#include <string.h>

static tarn_table *half_find(const struct tn_salvage *s, const tarn_table *codes)
{
    tarn_table *at = s->tables;

    while (at != NULL &&
           (at->role != TN_ROLE_DICT_KEYS || at->name_bytes != codes->name_bytes + 1 ||
            memcmp(at->name, codes->name, codes->name_bytes) != 0))
        at = at->next_gone;
    return at;
}

/* Each key's code has that key, and there are as many: then the codes are 0 to n - 1, all of them. */
static bool halves_agree(const tarn_table *codes, tarn_table *keys)
{
    tarn_iterator *it;
    tarn_bytes key, code, found;
    uint8_t name[8];
    bool agree = tarn_table_count(codes) == tarn_table_count(keys);

    if (tarn_scan(&it, (tarn_table *)codes, NULL) < 0)
        return false;
    while (agree && tarn_next(it, &key, &code) == TARN_OK) {
        uint64_t number = code.bytes == 4 ? tn_load_le32(code.data) : UINT64_MAX;
        unsigned i;

        for (i = 0; i < 8; i++)
            name[i] = (uint8_t)(number >> (56 - 8 * i));
        agree = number < tarn_table_count(keys) &&
                tarn_get(keys, name, sizeof name, &found.data, &found.bytes) == TARN_OK &&
                found.bytes == key.bytes && memcmp(found.data, key.data, key.bytes) == 0;
    }
    (void)tarn_iterator_close(it);
    return agree;
}

/* A half as a table of its own. */
static int half_part(struct tn_salvage *s, tarn_table *half, uint64_t table_id)
{
    const tarn_table_options options = { half->kind, half->type, half->value_bytes };
    char name[TN_SALVAGE_NAME_BYTES];
    tarn_table *plain =
        tn_salvage_table_add(s, tn_salvage_name(s, table_id, name), TN_ROLE_PLAIN, &options);
    tarn_iterator *it;
    tarn_bytes key, value;
    int result;

    if (plain == NULL)
        return tn_salvage_table_refused(s);
    s->out->named_count++;
    result = tarn_scan(&it, half, NULL);
    if (result < 0)
        return tn_salvage_store_failed(s, result);
    while (result == TARN_OK && (result = tarn_next(it, &key, &value)) == TARN_OK)
        result = tarn_put(plain, key.data, key.bytes, value.data, value.bytes);
    (void)tarn_iterator_close(it);
    return result < 0 ? tn_salvage_store_failed(s, result) : TARN_OK;
}

static bool half_is_lonely(const struct tn_salvage *s, const tarn_table *table)
{
    tarn_table *at, *keys;

    if (table->role == TN_ROLE_DICT_CODES) {
        keys = half_find(s, table);
        return keys == NULL || !halves_agree(table, keys);
    }
    for (at = s->tables; at != NULL; at = at->next_gone)
        if (at->role == TN_ROLE_DICT_CODES && half_find(s, at) == table)
            return !halves_agree(at, (tarn_table *)table);
    return true;
}

/* One half without the other is parted, too: so it does not matter which is looked at first. */
int tn_salvage_dictionaries_part(struct tn_salvage *s)
{
    tarn_iterator *it;
    tarn_bytes key, value;
    int result = tarn_scan(&it, s->ids, NULL);

    if (result < 0)
        return tn_salvage_store_failed(s, result);
    while (result == TARN_OK && tarn_next(it, &key, &value) == TARN_OK) {
        tarn_table *table;
        uint64_t table_id;

        memcpy(&table_id, key.data, sizeof table_id);
        memcpy(&table, value.data, sizeof table);
        if (table == NULL || table->role == TN_ROLE_PLAIN || !half_is_lonely(s, table))
            continue;
        result = half_part(s, table, table_id);
        if (result == TARN_OK)
            tn_salvage_table_remove(s, table);
    }
    (void)tarn_iterator_close(it);
    return result;
}
