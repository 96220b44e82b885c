/*
 * table.c - one table: what it consists of, made, exchanged, given up
 *
 *     handle: name, shape          table --new--> known nowhere --catalog--> open, used
 *     parts:  body, index, order     |  clear: other parts in the same handle; the old ones are retired
 *                                    '--let go--> on store->gone until its last handle and iterator are closed
 */
#include "store/durable.h"
#include "store/snapshot.h"
#include "store/typed.h"

#include <string.h>

#define CLEAR_TABLES_MAX 2

/* What `alive` points at once an object is gone (T2). */
static const uint32_t table_gone = 0;

/* ---- parts ----------------------------------------------------------------------------------- */

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

static void parts_discard(tarn_store *store, struct table_parts *parts)
{
    uint64_t no_limit = UINT64_MAX;

    (void)tn_index_free_step(&parts->index, &no_limit);
    tn_ordered_free(parts->ordered);
    tn_memory_free(&store->memory, parts->body, sizeof *parts->body);
}

static void table_install(tarn_table *table, const struct table_parts *parts)
{
    table->body = parts->body;
    table->index = parts->index;
    table->ordered = parts->ordered;
}

/* ---- handles --------------------------------------------------------------------------------- */

/* A table that is known nowhere. NULL: refused. */
static tarn_table *table_new(tarn_store *store, tarn_bytes name, enum tn_table_role role,
                             const tarn_table_options *options, bool with_parts)
{
    struct table_parts parts = { 0 };
    tarn_table *table = tn_memory_new(&store->memory, sizeof *table + name.bytes + 1, true);

    if (table == NULL)
        return NULL;
    if (with_parts && !parts_new(store, options->kind, &parts)) {
        tn_memory_free(&store->memory, table, sizeof *table + name.bytes + 1);
        return NULL;
    }
    table_install(table, &parts);
    table->alive = store->alive;
    table->base = store->heap.base;
    table->secret = store->secret;
    table->store = store;
    table->kind = options->kind;
    table->type = options->type;
    table->value_bytes = tn_type_bytes(options);
    table->role = role;
    table->born_tick = store->tick;
    table->name_bytes = name.bytes;
    memcpy(table->name, name.data, name.bytes);
    return table;
}

tarn_table *tn_table_new(tarn_store *store, tarn_bytes name, enum tn_table_role role,
                         const tarn_table_options *options)
{
    return table_new(store, name, role, options, true);
}

tarn_table *tn_table_new_like(const tarn_table *table, bool with_parts)
{
    const tarn_table_options options = { table->kind, table->type, table->value_bytes };

    tarn_table *like =
        table_new(table->store, tn_table_name(table), table->role, &options, with_parts);

    if (like != NULL)
        like->is_foreign = table->is_foreign;
    return like;
}

bool tn_table_is_like(const tarn_table *a, const tarn_table *b)
{
    return a->kind == b->kind && a->type == b->type && a->value_bytes == b->value_bytes &&
           a->role == b->role && a->is_foreign == b->is_foreign;
}

void tn_table_free(tarn_table *table)
{
    tn_memory_free(&table->store->memory, table, sizeof *table + table->name_bytes + 1);
}

void tn_table_move_parts(tarn_table *to, tarn_table *from)
{
    to->body = from->body;
    to->index = from->index;
    to->ordered = from->ordered;
    to->entry_bytes = from->entry_bytes;
    to->key_bytes_max = tn_max(to->key_bytes_max, from->key_bytes_max);
    from->body = NULL;
    from->ordered = NULL;
    from->index = (struct tn_index){ 0 };
    from->entry_bytes = 0;
}

void tn_table_let_go(tarn_table *table)
{
    table->alive = &table_gone;
    table->next_gone = table->store->gone;
    table->store->gone = table;
    tn_table_free_if_unused(table);
}

void tn_table_free_whole(tarn_table *table)
{
    struct table_parts parts = { table->body, table->index, table->ordered };

    parts_discard(table->store, &parts);
    tn_table_free(table);
}

void tn_table_free_if_unused(tarn_table *table)
{
    tarn_store *store = table->store;
    tarn_table **link = &store->gone;

    if (tn_table_is_view(table)) {
        tn_view_free_if_unused(table);
        return;
    }
    if (table->alive != &table_gone || table->open_count > 0 || table->iterators != NULL)
        return;
    while (*link != table)
        link = &(*link)->next_gone;
    *link = table->next_gone;
    tn_table_free(table);
}

/* ---- clearing -------------------------------------------------------------------------------- */

/* Parts for `count` tables. false: no memory for one, so for none. */
static bool parts_new_many(tarn_table *const *tables, size_t count, struct table_parts *parts)
{
    tarn_store *store = tables[0]->store;
    size_t i;

    for (i = 0; i < count && parts_new(store, tables[i]->kind, &parts[i]); i++) {
    }
    if (i == count)
        return true;
    while (i > 0)
        parts_discard(store, &parts[--i]);
    return false;
}

/* Tables are about to give back their own parts: the new ones from the reserve, if need be (M4). */
static bool parts_exchange(tarn_table *const *tables, size_t count, struct table_parts *parts)
{
    tarn_store *store = tables[0]->store;
    bool done;

    store->memory.reserve_is_open = true;
    done = parts_new_many(tables, count, parts) ||
           (tn_store_reclaim_all(store) && parts_new_many(tables, count, parts));
    store->memory.reserve_is_open = false;
    return done;
}

int tn_tables_clear(tarn_table *const *tables, size_t count, const char *call)
{
    struct table_parts parts[CLEAR_TABLES_MAX];
    tarn_store *store = tables[0]->store;
    size_t i;

    tn_assert(count <= CLEAR_TABLES_MAX);
    if (!parts_exchange(tables, count, parts))
        return tn_store_refused(store, call);
    for (i = 0; i < count; i++) {
        const struct tn_table_body *body = tables[i]->body;
        uint32_t home_count = tables[i]->index.counts[1];

        tn_table_retire(tables[i]);
        if (store->garbage == body) /* no snapshot holds it */
            tn_heap_warm(&store->heap, tn_heap_slot_chunk_bytes(&body->owner));
        table_install(tables[i], &parts[i]);
        tables[i]->index.count_before = home_count;
        tables[i]->born_tick = store->tick;
        tn_roster_renew(tables[i]);
    }
    store->changed = true;
    return TARN_OK;
}
