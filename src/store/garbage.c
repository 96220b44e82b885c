/*
 * garbage.c - what cleared and dropped tables and snapshots held, given back step by step
 *
 *     clear, drop:  table --body, index, order--> store->garbage      O(1)
 *     release:      tarn_snapshot -----------------> store->leaving     O(1); its parts then go as above
 *     take:         a slot without an entry --> store->taken
 *     reclaim:      store->taken, then chunks, then the hash array, then the order's nodes, then the body
 */
#include "store/store.h"

struct tn_table_body *tn_table_body_new(tarn_store *store)
{
    return tn_memory_new(&store->memory, sizeof(struct tn_table_body), true);
}

void tn_store_discard(tarn_store *store, tarn_table *table)
{
    struct tn_table_body *body = table->body;

    body->index = table->index;
    body->ordered = table->ordered;
    body->next = store->garbage;
    store->garbage = body;
    table->body = NULL;
    table->ordered = NULL;
    table->index = (struct tn_index){ 0 };
    table->entry_bytes = 0;
}

static bool body_free_step(tarn_store *store, struct tn_table_body *body, uint64_t *budget_bytes)
{
    if (!tn_heap_owner_free_step(&store->heap, &body->owner, budget_bytes))
        return false;
    if (!body->index_freed && !tn_index_free_step(&body->index, budget_bytes))
        return false;
    body->index_freed = true;
    if (body->ordered != NULL && !tn_ordered_free_step(body->ordered, budget_bytes))
        return false;
    body->ordered = NULL;
    return true;
}

bool tn_store_reclaim(tarn_store *store, uint64_t *budget_bytes)
{
    struct tn_table_body *body;

    if (store->taken.handle != TN_HANDLE_NONE) {
        tn_heap_free(&store->heap, &store->taken.body->owner, store->taken.handle);
        store->taken.handle = TN_HANDLE_NONE;
    }
    while (tn_store_has_garbage(store)) {
        body = store->garbage;
        if (body == NULL) {
            if (*budget_bytes == 0)
                return false;
            tn_snapshot_leave_step(store, budget_bytes);
            continue;
        }
        if (!body_free_step(store, body, budget_bytes))
            return false;
        store->garbage = body->next;
        tn_memory_free(&store->memory, body, sizeof *body);
    }
    return true;
}

/* Empty chunks that tables were left, in case their entries come back. */
static void tables_trim(tarn_store *store)
{
    size_t i;

    if (!store->heap.has_idle)
        return;
    store->heap.has_idle = false;
    for (i = 0; i < store->table_count; i++)
        tn_heap_owner_trim(&store->heap, &store->tables[i]->body->owner);
}

bool tn_store_reclaim_all(tarn_store *store)
{
    uint64_t no_limit = UINT64_MAX;
    uint64_t before = store->memory.counted_bytes;
    bool slot_freed = store->taken.handle != TN_HANDLE_NONE;

    (void)tn_store_reclaim(store, &no_limit);
    tables_trim(store);
    tn_heap_trim(&store->heap, 0);
    return slot_freed || store->memory.counted_bytes < before;
}
