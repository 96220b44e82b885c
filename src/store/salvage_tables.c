/*
 * salvage_tables.c - into which table of the new store an entry goes; see salvage.h for the rules
 *
 *     catalog, every version of it:   number 1, 2, 3       known, and gone (G2)
 *     catalog, the newest:            "a" = 1, "b" = 3     known, with a table
 *     entries:                        of 1, 3: there       of 2: of none       of 4: "salvaged-4", when
 *                                                                              something is lost
 */
#include "store/salvage.h"
#include "store/snapshot.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* ---- tables ---------------------------------------------------------------------------------- */

tarn_table *tn_salvage_table_add(struct tn_salvage *s, tarn_bytes name, enum tn_table_role role,
                                 const tarn_table_options *options)
{
    tarn_table *table = tn_table_new(s->store, name, role, options);

    if (table == NULL)
        return NULL;
    table->next_gone = s->tables;
    s->tables = table;
    return table;
}

static int id_put(struct tn_salvage *s, uint64_t table_id, tarn_table *table)
{
    int result = tarn_put(s->ids, &table_id, sizeof table_id, &table, sizeof(tarn_table *));

    return result < 0 ? tn_salvage_store_failed(s, result) : TARN_OK;
}

/* false: not known (G2). */
static bool id_get(const struct tn_salvage *s, uint64_t table_id, tarn_table **out)
{
    const void *value;
    size_t bytes;

    if (tarn_get(s->ids, &table_id, sizeof table_id, &value, &bytes) != TARN_OK)
        return false;
    memcpy(out, value, sizeof(tarn_table *));
    return true;
}

int tn_salvage_table_refused(struct tn_salvage *s)
{
    return tn_salvage_store_failed(s, tn_store_refused(s->store, "tarn_salvage"));
}

/* A name that no table of the catalog has. */
tarn_bytes tn_salvage_name(const struct tn_salvage *s, uint64_t table_id,
                           char name[TN_SALVAGE_NAME_BYTES])
{
    unsigned again = 1;
    int bytes = snprintf(name, TN_SALVAGE_NAME_BYTES, "salvaged-%" PRIu64, table_id);

    while (tarn_contains(s->names, name, (size_t)bytes) == TARN_OK)
        bytes = snprintf(name, TN_SALVAGE_NAME_BYTES, "salvaged-%" PRIu64 "-%u", table_id, ++again);
    return (tarn_bytes){ name, (size_t)bytes };
}

static int table_of_nobody(struct tn_salvage *s, uint64_t table_id, tarn_table **out)
{
    static const tarn_table_options defaults;
    char name[TN_SALVAGE_NAME_BYTES];

    *out = tn_salvage_table_add(s, tn_salvage_name(s, table_id, name), TN_ROLE_PLAIN, &defaults);
    if (*out == NULL)
        return tn_salvage_table_refused(s);
    s->out->named_count++;
    return id_put(s, table_id, *out);
}

void tn_salvage_table_remove(struct tn_salvage *s, tarn_table *table)
{
    tarn_table **link = &s->tables;

    while (*link != table)
        link = &(*link)->next_gone;
    *link = table->next_gone;
    table->next_gone = NULL;
    tn_table_discard(table);
}

/* ---- the catalog ----------------------------------------------------------------------------- */

/*
 * Every number that was ever in it is known, as one of a table that is gone until its name is seen
 * again.
 */
int tn_salvage_catalog_entry(void *argument, const struct tn_log_entry *entry)
{
    struct tn_salvage *s = argument;
    struct tn_roster_entry decoded;
    const char *why;
    int result;

    if (entry->table_id != TN_LOG_CATALOG_ID)
        return TARN_OK;
    if (entry->kind == TN_LOG_TOMBSTONE)
        result = tarn_delete(s->names, entry->key.data, entry->key.bytes);
    else if (entry->value == NULL)
        return TARN_E_CORRUPT; /* no entry of it is that large */
    else
        result =
            tarn_put(s->names, entry->key.data, entry->key.bytes, entry->value, entry->value_bytes);
    if (result < 0)
        return tn_salvage_store_failed(s, result);
    if (entry->kind != TN_LOG_TOMBSTONE &&
        tn_roster_decode(entry->key, (tarn_bytes){ entry->value, entry->value_bytes }, &decoded,
                         &why) == TARN_OK)
        return id_put(s, decoded.table_id, NULL);
    return TARN_OK;
}

static int table_make(struct tn_salvage *s, tarn_bytes name, tarn_bytes entry)
{
    static const tarn_damage damage = {
        .kind = TARN_DAMAGE_LOST,
        .what = "an entry of the catalog does not hold; its table has lost its name",
    };
    struct tn_roster_entry decoded;
    tarn_table *table;
    const char *why;

    if (tn_roster_decode(name, entry, &decoded, &why) != TARN_OK ||
        (id_get(s, decoded.table_id, &table) && table != NULL)) {
        tn_salvage_damage(s, &damage);
        return TARN_OK;
    }
    table = tn_salvage_table_add(s, name, decoded.role, &decoded.options);
    if (table == NULL)
        return tn_salvage_table_refused(s);
    table->is_foreign = decoded.is_foreign;
    return id_put(s, decoded.table_id, table);
}

int tn_salvage_tables_make(struct tn_salvage *s)
{
    tarn_iterator *it;
    tarn_bytes name, entry;
    int result = tarn_scan(&it, s->names, NULL), step;

    if (result < 0)
        return tn_salvage_store_failed(s, result);
    while (result == TARN_OK && (step = tarn_next(it, &name, &entry)) != TARN_END)
        result = step < 0 ? tn_salvage_store_failed(s, step) : table_make(s, name, entry);
    (void)tarn_iterator_close(it);
    return result;
}

/* ---- entries --------------------------------------------------------------------------------- */

/* A large value is read whole before anything is changed: it may turn out damaged (V4). */
static int value_read(struct tn_salvage *s, const struct tn_log_entry *entry)
{
    void *grown;

    if (entry->value_bytes > s->value_room) {
        grown = tn_memory_resize(&s->memory, s->value, s->value_room, entry->value_bytes);
        if (grown == NULL)
            return tn_salvage_fail(s, s->memory.limit_refused ? TARN_E_FULL : TARN_E_MEMORY,
                                   "no memory for a large value");
        s->value = grown;
        s->value_room = entry->value_bytes;
    }
    return tn_log_entry_value(entry, s->value);
}

/* An entry that its table does not take, which only a forger can have made. */
static int entry_lose(struct tn_salvage *s, const struct tn_log_entry *entry)
{
    const tarn_damage damage = {
        .kind = TARN_DAMAGE_LOST,
        .file = entry->file,
        .offset = entry->value_offset,
        .bytes = entry->value_bytes,
        .what = "an entry does not fit its table",
    };

    tn_salvage_damage(s, &damage);
    return TARN_OK;
}

static int entry_put(struct tn_salvage *s, tarn_table *table, const struct tn_log_entry *entry)
{
    const void *value = entry->value != NULL ? (const void *)entry->value : "";
    int result = TARN_OK;

    if (entry->value == NULL && entry->value_bytes > 0) {
        result = value_read(s, entry);
        value = s->value;
    }
    if (result == TARN_OK)
        result = tarn_put(table, entry->key.data, entry->key.bytes, value, entry->value_bytes);
    else
        return result;
    if (result == TARN_E_TYPE)
        return entry_lose(s, entry);
    return result < 0 ? tn_salvage_store_failed(s, result) : TARN_OK;
}

int tn_salvage_table_entry(void *argument, const struct tn_log_entry *entry)
{
    struct tn_salvage *s = argument;
    tarn_table *table = NULL;
    int result = TARN_OK;

    if (entry->table_id == TN_LOG_CATALOG_ID)
        return TARN_OK;
    if (!id_get(s, entry->table_id, &table) && tn_salvage_is_lossy(s) &&
        entry->kind != TN_LOG_TOMBSTONE)
        result = table_of_nobody(s, entry->table_id, &table);
    if (result != TARN_OK || table == NULL)
        return result;
    if (entry->kind != TN_LOG_TOMBSTONE)
        return entry_put(s, table, entry);
    result = tarn_delete(table, entry->key.data, entry->key.bytes);
    return result < 0 ? tn_salvage_store_failed(s, result) : TARN_OK;
}
