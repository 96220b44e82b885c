/*
 * catalog.c - tables by name: opening, closing, clearing, dropping
 *
 *              tarn_table_open            tarn_table_drop            last handle and iterator closed
 *     (no name) -------------> in catalog ---------------> on store->gone -------------------> freed
 *
 * The catalog is an array sorted by name. A handle is counted, not copied: opening a name twice gives
 * the same one.
 */
#include "store/store.h"

#include <string.h>

#define CATALOG_ROOM_FIRST 8

/* What `alive` points at once an object is gone (T2). */
static const uint32_t table_gone = 0;

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

static bool catalog_reserve(tarn_store *store)
{
    size_t room = store->table_room == 0 ? CATALOG_ROOM_FIRST : 2 * store->table_room;
    tarn_table **tables;

    if (store->table_count < store->table_room)
        return true;
    tables = tn_memory_resize(&store->memory, store->tables, store->table_room * sizeof *tables,
                              room * sizeof *tables);
    if (tables == NULL)
        return false;
    store->tables = tables;
    store->table_room = room;
    return true;
}

/* ---- one table --------------------------------------------------------------------------------------- */

/* What a table consists of, apart from its handle. */
struct table_parts {
    struct tn_table_body *body;
    struct tn_index index;
    struct tn_ordered *ordered;
};

/* Empty parts. false: no memory, nothing changed. */
static bool parts_new(tarn_store *store, int kind, struct table_parts *out)
{
    uint64_t no_limit = UINT64_MAX;

    *out = (struct table_parts){ .body = tn_table_body_new(store) };
    if (out->body == NULL)
        return false;
    if (!tn_index_open(&out->index, &store->os, &store->memory))
        goto no_index;
    if (kind == TARN_UNORDERED)
        return true;
    out->ordered = tn_ordered_new(&store->memory, store->heap.base);
    if (out->ordered != NULL)
        return true;
    (void)tn_index_free_step(&out->index, &no_limit);
no_index:
    tn_memory_free(&store->memory, out->body, sizeof *out->body);
    return false;
}

/* For a table that is about to give back its own: from the reserve, if need be (M4). */
static bool parts_exchange(tarn_store *store, int kind, struct table_parts *out)
{
    bool done;

    store->memory.reserve_is_open = true;
    done =
        parts_new(store, kind, out) || (tn_store_reclaim_all(store) && parts_new(store, kind, out));
    store->memory.reserve_is_open = false;
    return done;
}

static void table_install(tarn_table *table, const struct table_parts *parts)
{
    table->body = parts->body;
    table->index = parts->index;
    table->ordered = parts->ordered;
}

/* A table and its place in the catalog. NULL: refused. */
static tarn_table *table_new(tarn_store *store, const char *name, size_t name_bytes, int kind)
{
    struct table_parts parts;
    tarn_table *table;

    if (!catalog_reserve(store))
        return NULL;
    table = tn_memory_new(&store->memory, sizeof *table + name_bytes + 1, true);
    if (table == NULL)
        return NULL;
    if (!parts_new(store, kind, &parts)) {
        tn_memory_free(&store->memory, table, sizeof *table + name_bytes + 1);
        return NULL;
    }
    table_install(table, &parts);
    table->alive = store->alive;
    table->base = store->heap.base;
    table->secret = store->secret;
    table->store = store;
    table->kind = kind;
    table->name_bytes = name_bytes;
    memcpy(table->name, name, name_bytes);
    return table;
}

void tn_table_free_if_unused(tarn_table *table)
{
    tarn_store *store = table->store;
    tarn_table **link = &store->gone;

    if (table->alive != &table_gone || table->open_count > 0 || table->iterators != NULL)
        return;
    while (*link != table)
        link = &(*link)->next_gone;
    *link = table->next_gone;
    tn_memory_free(&store->memory, table, sizeof *table + table->name_bytes + 1);
}

/* ---- the calls ----------------------------------------------------------------------------------------- */

static int table_open_existing(tarn_table **out, tarn_table *table,
                               const tarn_table_options *options)
{
    if (options != NULL && options->kind != table->kind)
        return tn_store_fail(
            table->store, TARN_E_TYPE,
            "tarn_table_open: table '%s' is %s, not %s; open it as it is, or drop it", table->name,
            table->kind == TARN_ORDERED ? "ordered" : "unordered",
            options->kind == TARN_ORDERED ? "ordered" : "unordered");
    if (table->open_count == UINT32_MAX)
        return tn_store_fail(
            table->store, TARN_E_MISUSE,
            "tarn_table_open: table '%s' has been opened 2^32 - 1 times; close some", table->name);
    table->open_count++;
    *out = table;
    return TARN_OK;
}

int tarn_table_open(tarn_table **out, tarn_store *store, const char *name,
                    const tarn_table_options *options)
{
    int kind = options != NULL ? options->kind : TARN_ORDERED;
    size_t name_bytes, place;
    tarn_table *table;
    bool found;

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
    if (kind != TARN_ORDERED && kind != TARN_UNORDERED)
        return tn_store_fail(store, TARN_E_MISUSE, "tarn_table_open: %d is no kind of table", kind);
    place = catalog_search(store, name, name_bytes, &found);
    if (found)
        return table_open_existing(out, store->tables[place], options);
    table = table_new(store, name, name_bytes, kind);
    if (table == NULL && tn_store_reclaim_all(store))
        table = table_new(store, name, name_bytes, kind);
    if (table == NULL)
        return tn_store_refused(store, "tarn_table_open");
    memmove(store->tables + place + 1, store->tables + place,
            (store->table_count - place) * sizeof *store->tables);
    store->tables[place] = table;
    store->table_count++;
    tn_walker_table_added(store, place);
    store->changed = true;
    table->open_count = 1;
    *out = table;
    return TARN_OK;
}

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
    tarn_store *store;
    size_t place;
    bool found;

    if (table == NULL || *table->alive == 0)
        return tn_table_misuse(table, "tarn_table_drop", "");
    store = table->store;
    place = catalog_search(store, table->name, table->name_bytes, &found);
    tn_assert(found && store->tables[place] == table);
    store->table_count--;
    memmove(store->tables + place, store->tables + place + 1,
            (store->table_count - place) * sizeof *store->tables);
    tn_walker_table_removed(store, place);
    tn_iterators_end(table);
    tn_store_discard(store, table);
    table->alive = &table_gone;
    table->next_gone = store->gone;
    store->gone = table;
    store->changed = true;
    tn_table_free_if_unused(table);
    return TARN_OK;
}

int tarn_table_clear(tarn_table *table)
{
    struct table_parts parts;

    if (table == NULL || *table->alive == 0)
        return tn_table_misuse(table, "tarn_table_clear", "");
    if (!parts_exchange(table->store, table->kind, &parts))
        return tn_store_refused(table->store, "tarn_table_clear");
    tn_iterators_end(table);
    tn_store_discard(table->store, table);
    table_install(table, &parts);
    table->store->changed = true;
    return TARN_OK;
}

uint64_t tarn_table_count(const tarn_table *table)
{
    return table == NULL || *table->alive == 0 ? 0 : table->index.entry_count;
}

uint64_t tarn_table_bytes(const tarn_table *table)
{
    return table == NULL || *table->alive == 0 ? 0 : table->entry_bytes;
}

const char *tarn_table_name(const tarn_table *table)
{
    return table == NULL ? NULL : table->name;
}
