/*
 * catalog.c - tables by name: opening, closing, clearing, dropping
 *
 *              tarn_table_open            tarn_table_drop            last handle and iterator closed
 *     (no name) -------------> in catalog ---------------> on store->gone -------------------> freed
 *
 * The catalog is an array sorted by name. A handle is counted, not copied: opening a name twice
 * gives the same one.
 */
#include "store/durable.h"
#include "store/snapshot.h"
#include "store/typed.h"

#include <string.h>

#define CATALOG_ROOM_FIRST 8

/* The place of the name, or where it would go; *found tells which. */
static size_t catalog_search(const tarn_store *store, const char *name, size_t name_bytes,
                             bool *found)
{
    size_t low = 0, high = store->table_count;

    *found = false;
    while (low < high && !*found) {
        size_t middle = low + (high - low) / 2;
        const tarn_table *table = store->tables[middle];
        int order = tn_key_compare(name, name_bytes, table->name, table->name_bytes);

        *found = order == 0;
        if (order > 0)
            low = middle + 1;
        else
            high = middle;
    }
    return *found ? high : low;
}

tarn_table *tn_catalog_find(const tarn_store *store, tarn_bytes name)
{
    bool found;
    size_t place = catalog_search(store, name.data, name.bytes, &found);

    return found ? store->tables[place] : NULL;
}

bool tn_name_fits(enum tn_table_role role, tarn_bytes name)
{
    const uint8_t *bytes = name.data, *nul;

    if (name.bytes == 0 || name.bytes > TARN_TABLE_NAME_BYTES_MAX)
        return false;
    nul = memchr(bytes, 0, name.bytes);
    switch (role) {
    case TN_ROLE_PLAIN:
        return nul == NULL;
    case TN_ROLE_DICT_CODES: /* its other half's is longer by one */
        return nul == NULL && name.bytes < TARN_TABLE_NAME_BYTES_MAX;
    case TN_ROLE_DICT_KEYS:
        return name.bytes > 1 && nul == bytes + name.bytes - 1;
    }
    return false;
}

/* Room for `count` tables more. */
static bool catalog_reserve(tarn_store *store, size_t count)
{
    size_t room = store->table_room == 0 ? CATALOG_ROOM_FIRST : 2 * store->table_room;
    tarn_table **tables;

    if (count <= store->table_room - store->table_count)
        return true;
    room = tn_max(room, store->table_count + count);
    tables = tn_memory_resize(&store->memory, store->tables, store->table_room * sizeof *tables,
                              room * sizeof *tables);
    if (tables == NULL)
        return false;
    store->tables = tables;
    store->table_room = room;
    return true;
}

bool tn_catalog_add(tarn_store *store, tarn_table *table)
{
    bool found;
    size_t place = catalog_search(store, table->name, table->name_bytes, &found);

    tn_assert(!found);
    if (!catalog_reserve(store, 1) || !tn_roster_add(table))
        return false;
    memmove(store->tables + place + 1, store->tables + place,
            (store->table_count - place) * sizeof *store->tables);
    store->tables[place] = table;
    store->table_count++;
    tn_walker_tables_added(store, place <= store->walker.table_place);
    store->changed = true;
    return true;
}

size_t tn_catalog_place_after(const tarn_store *store, tarn_bytes name)
{
    bool found;
    size_t place = catalog_search(store, name.data, name.bytes, &found);

    return found ? place + 1 : place;
}

/* Two sorted lists become one, from their ends; one by one would move what follows each time. */
bool tn_catalog_add_all(tarn_store *store, tarn_table *tables)
{
    size_t old_count = store->table_count, place, count = 0, before_count = 0;
    tarn_table *table, *next;

    for (table = tables; table != NULL; table = table->next_gone)
        count++;
    if (!catalog_reserve(store, count) || !tn_roster_add_all(tables))
        return false;
    for (table = tables, place = old_count; table != NULL; table = next) {
        next = table->next_gone;
        while (place > 0 &&
               tn_key_compare(store->tables[place - 1]->name, store->tables[place - 1]->name_bytes,
                              table->name, table->name_bytes) > 0) {
            place--;
            store->tables[place + count] = store->tables[place];
        }
        before_count += place <= store->walker.table_place;
        store->tables[place + --count] = table;
        store->table_count++;
        table->next_gone = NULL;
    }
    tn_walker_tables_added(store, before_count);
    store->changed |= tables != NULL;
    return true;
}

void tn_catalog_remove(tarn_table *table)
{
    tarn_store *store = table->store;
    bool found;
    size_t place = catalog_search(store, table->name, table->name_bytes, &found);

    tn_assert(found && store->tables[place] == table);
    tn_roster_remove(table);
    store->table_count--;
    memmove(store->tables + place, store->tables + place + 1,
            (store->table_count - place) * sizeof *store->tables);
    tn_walker_table_removed(store, place);
    store->changed = true;
    tn_table_retire(table);
    tn_table_let_go(table);
}

/* ---- opening --------------------------------------------------------------------------------- */

/* A new table in the catalog. NULL: refused. */
static tarn_table *table_create(tarn_store *store, tarn_bytes name, enum tn_table_role role,
                                const tarn_table_options *options)
{
    tarn_table *table;

    if (!catalog_reserve(store, 1))
        return NULL;
    table = tn_table_new(store, name, role, options);
    if (table == NULL || tn_catalog_add(store, table))
        return table;
    tn_table_free_whole(table);
    return NULL;
}

static const char *kind_text(int kind)
{
    return kind == TARN_ORDERED ? "ordered" : "unordered";
}

/* TARN_OK, or why the table that is there is not the one asked for. */
static int table_compare(const tarn_table *table, const char *call, enum tn_table_role role,
                         const tarn_table_options *options)
{
    if (table->role != role)
        return tn_store_fail(table->store, TARN_E_TYPE,
                             "%s: '%s' is a %s; open it as one, or choose another name", call,
                             table->name, table->role == TN_ROLE_PLAIN ? "table" : "dictionary");
    if (table->is_foreign)
        return tn_store_fail(table->store, TARN_E_TYPE,
                             "%s: table '%s' has structs in the byte order of another kind of "
                             "machine; read it there, or drop it",
                             call, table->name);
    if (options == NULL)
        return TARN_OK;
    if (options->kind != table->kind)
        return tn_store_fail(table->store, TARN_E_TYPE,
                             "%s: table '%s' is %s, not %s; open it as it is, or drop it", call,
                             table->name, kind_text(table->kind), kind_text(options->kind));
    if (options->type != TARN_ANY &&
        (options->type != table->type || tn_type_bytes(options) != table->value_bytes))
        return tn_store_fail(
            table->store, TARN_E_TYPE,
            "%s: table '%s' has values of type %s and %zu bytes (0: any), not %s and %zu; open it "
            "as it is, or drop it",
            call, table->name, tn_type_text(table->type), table->value_bytes,
            tn_type_text(options->type), tn_type_bytes(options));
    return TARN_OK;
}

static int table_open_existing(tarn_table **out, tarn_table *table, const char *call,
                               enum tn_table_role role, const tarn_table_options *options)
{
    int result = table_compare(table, call, role, options);

    if (result < 0)
        return result;
    if (table->open_count == UINT32_MAX)
        return tn_store_fail(table->store, TARN_E_MISUSE,
                             "%s: table '%s' has been opened 2^32 - 1 times; close some", call,
                             table->name);
    table->open_count++;
    *out = table;
    return TARN_OK;
}

int tn_table_open(tarn_table **out, tarn_store *store, const char *call, tarn_bytes name,
                  enum tn_table_role role, const tarn_table_options *options)
{
    static const tarn_table_options defaults;
    const tarn_table_options *shape = options != NULL ? options : &defaults;
    tarn_table *table = tn_catalog_find(store, name);

    if (table != NULL)
        return table_open_existing(out, table, call, role, options);
    table = table_create(store, name, role, shape);
    if (table == NULL && tn_store_reclaim_all(store))
        table = table_create(store, name, role, shape);
    if (table == NULL)
        return tn_store_refused(store, call);
    table->open_count = 1;
    *out = table;
    return TARN_OK;
}

static int options_check(tarn_store *store, const tarn_table_options *options)
{
    if (options == NULL)
        return TARN_OK;
    if (options->kind != TARN_ORDERED && options->kind != TARN_UNORDERED)
        return tn_store_fail(store, TARN_E_MISUSE, "tarn_table_open: %d is no kind of table",
                             options->kind);
    if (!tn_type_ok(options))
        return tn_store_fail(store, TARN_E_MISUSE,
                             "tarn_table_open: type %d with values of %zu bytes: there is no such "
                             "type; TARN_STRUCT needs value_bytes, TARN_ANY has none",
                             options->type, options->value_bytes);
    return TARN_OK;
}

int tarn_table_open(tarn_table **out, tarn_store *store, const char *name,
                    const tarn_table_options *options)
{
    size_t name_bytes;
    int result;

    if (out != NULL)
        *out = NULL;
    if (store == NULL || *store->alive == 0)
        return TARN_E_MISUSE;
    if (out == NULL || name == NULL)
        return tn_store_fail(store, TARN_E_MISUSE,
                             "tarn_table_open: out and name must not be NULL");
    name_bytes = strnlen(name, TARN_TABLE_NAME_BYTES_MAX + 1);
    if (name_bytes == 0 || name_bytes > TARN_TABLE_NAME_BYTES_MAX)
        return tn_store_fail(store, TARN_E_MISUSE,
                             "tarn_table_open: a table's name has 1 to %u bytes",
                             TARN_TABLE_NAME_BYTES_MAX);
    result = options_check(store, options);
    if (result < 0)
        return result;
    return tn_table_open(out, store, "tarn_table_open", (tarn_bytes){ name, name_bytes },
                         TN_ROLE_PLAIN, options);
}

/* Of a dictionary's two tables one stands for both. */
int tarn_table_at(tarn_store *store, uint64_t place, tarn_table_info *out)
{
    size_t i;

    if (store == NULL || *store->alive == 0)
        return TARN_E_MISUSE;
    if (out == NULL)
        return tn_store_fail(store, TARN_E_MISUSE, "tarn_table_at: out must not be NULL");
    for (i = 0; i < store->table_count; i++) {
        const tarn_table *table = store->tables[i];

        if (table->role == TN_ROLE_DICT_KEYS || place-- > 0)
            continue;
        *out = (tarn_table_info){
            .name = tn_table_name(table),
            .options = { table->kind, table->type, table->value_bytes },
            .is_dictionary = table->role == TN_ROLE_DICT_CODES,
            .entry_count = tarn_table_count(table),
            .entry_bytes = tarn_table_bytes(table),
        };
        return TARN_OK;
    }
    return TARN_END;
}

/* ---- closing, dropping, clearing ------------------------------------------------------------- */

int tarn_table_close(tarn_table *table)
{
    if (table == NULL)
        return TARN_OK;
    if (*table->store->alive == 0 || table->open_count == 0)
        return TARN_E_MISUSE;
    table->open_count--;
    tn_table_free_if_unused(table);
    return TARN_OK;
}

int tarn_table_drop(tarn_table *table)
{
    if (table == NULL || *table->alive == 0)
        return tn_table_misuse(table, "tarn_table_drop", "");
    tn_catalog_remove(table);
    return TARN_OK;
}

int tarn_table_clear(tarn_table *table)
{
    if (table == NULL || *table->alive == 0)
        return tn_table_misuse(table, "tarn_table_clear", "");
    return tn_tables_clear(&table, 1, "tarn_table_clear");
}

uint64_t tarn_table_count(const tarn_table *table)
{
    if (TN_UNLIKELY(table == NULL || *table->alive == 0))
        return tn_table_is_view(table) ? tn_view_count(table) : 0;
    return table->index.entry_count;
}

uint64_t tarn_table_bytes(const tarn_table *table)
{
    if (TN_UNLIKELY(table == NULL || *table->alive == 0))
        return tn_table_is_view(table) ? tn_view_bytes(table) : 0;
    return table->entry_bytes;
}

const char *tarn_table_name(const tarn_table *table)
{
    return table == NULL ? NULL : table->name;
}

int tarn_table_describe(const tarn_table *table, tarn_table_options *out)
{
    int result = TARN_OK;

    if (table == NULL || out == NULL)
        return TARN_E_MISUSE;
    if (tn_table_is_view(table))
        result = tn_snapshot_usable(table->snapshot, "tarn_table_describe");
    else if (*table->alive == 0)
        result = TARN_E_MISUSE;
    if (result < 0)
        return result;
    *out = (tarn_table_options){ table->kind, table->type, table->value_bytes };
    return TARN_OK;
}
