/*
 * snapshot.c - taking, opening tables, failing, releasing; see snapshot.h for the picture and the
 * rules
 *
 *     take --> open --release, failure--> leaving --steps--> spent --released, views closed-->
 *     freed
 *
 *     table --clear, drop--> ghost on the newest open snapshot that sees it
 *                            --that leaves--> on the next that sees it ... --none does--> garbage
 */
#include "store/snapshot.h"

#include <string.h>

#define CAP_REASON "it would hold more than snapshot_bytes_max"
#define AGE_REASON "it is older than 2^29 commits and snapshots, and records are stamped anew"
#define GHOST_REASON "no memory was left to keep a table that was cleared or dropped"

/* Pointers moved to give up one undo or one ghost. */
#define LEAVE_STEP_BYTES 256u

static const uint32_t view_alive = 0; /* T2: sends calls to where views are told from tables */

/* ---- what is held ---------------------------------------------------------------------------- */

uint64_t tn_table_held_bytes(const tarn_table *table)
{
    return sizeof *table + table->name_bytes + 1 + sizeof *table->body +
           table->body->owner.chunk_bytes + table->index.bytes +
           (table->ordered != NULL ? tn_ordered_bytes(table->ordered) : 0);
}

void tn_table_discard(tarn_table *table)
{
    tn_iterators_end(table);
    tn_undos_part(table);
    tn_store_discard(table->store, table);
    tn_table_let_go(table);
}

void tn_snapshot_check_cap(tarn_snapshot *snapshot)
{
    if (snapshot->undo_bytes + snapshot->ghost_bytes > snapshot->store->snapshot_bytes_max)
        tn_snapshot_fail(snapshot, CAP_REASON);
}

/* ---- ghosts ---------------------------------------------------------------------------------- */

/* Hang a ghost where it belongs (S7), or let it go. */
static void ghost_settle(tarn_table *ghost)
{
    tarn_store *store = ghost->store;
    tarn_snapshot *snapshot = store->snapshots;

    while (snapshot != NULL && snapshot->tick >= ghost->died_tick)
        snapshot = snapshot->older;
    if (snapshot != NULL && tn_snapshot_sees(snapshot, ghost)) {
        ghost->next_internal = snapshot->ghosts;
        snapshot->ghosts = ghost;
        return;
    }
    store->ghost_bytes -= tn_table_held_bytes(ghost);
    tn_table_discard(ghost);
}

/* What the table holds, its undos and the iterators that read it for views go to the ghost. */
static void ghost_take(tarn_table *ghost, tarn_table *table)
{
    struct tn_undo *undo;

    tn_table_move_parts(ghost, table);
    ghost->born_tick = table->born_tick;
    ghost->died_tick = table->store->tick;
    ghost->undos = table->undos;
    table->undos = NULL;
    for (undo = ghost->undos; undo != NULL; undo = undo->older)
        undo->source = ghost;
    tn_iterators_follow(table, ghost);
}

void tn_table_retire(tarn_table *table)
{
    tarn_store *store = table->store;
    tarn_snapshot *snapshot, *older;
    tarn_table *ghost = NULL;

    if (store->snapshots != NULL && tn_snapshot_sees(store->snapshots, table)) {
        ghost = tn_table_new_like(table, false);
        for (snapshot = store->snapshots; snapshot != NULL && ghost == NULL; snapshot = older) {
            older = snapshot->older;
            if (tn_snapshot_sees(snapshot, table))
                tn_snapshot_fail(snapshot, GHOST_REASON); /* S5 */
        }
    }
    if (ghost != NULL)
        ghost_take(ghost, table);
    tn_iterators_end(table);
    if (ghost == NULL) {
        tn_undos_part(table);
        tn_store_discard(store, table);
        return;
    }
    store->ghost_bytes += tn_table_held_bytes(ghost);
    for (snapshot = store->snapshots; snapshot != NULL; snapshot = older) {
        older = snapshot->older;
        if (!tn_snapshot_sees(snapshot, ghost))
            break;
        snapshot->ghost_bytes += tn_table_held_bytes(ghost);
        tn_snapshot_check_cap(snapshot);
    }
    ghost_settle(ghost);
}

/* ---- taking and releasing -------------------------------------------------------------------- */

int tarn_snapshot_take(tarn_snapshot **out, tarn_store *store)
{
    tarn_snapshot *snapshot;

    if (out != NULL)
        *out = NULL;
    if (store == NULL || *store->alive == 0)
        return TARN_E_MISUSE;
    if (out == NULL)
        return tn_store_fail(store, TARN_E_MISUSE, "tarn_snapshot_take: out must not be NULL");
    snapshot = tn_memory_new(&store->memory, sizeof *snapshot, true);
    if (snapshot == NULL && tn_store_reclaim_all(store))
        snapshot = tn_memory_new(&store->memory, sizeof *snapshot, true);
    if (snapshot == NULL)
        return tn_store_refused(store, "tarn_snapshot_take");
    snapshot->store = store;
    snapshot->tick = store->tick;
    snapshot->older = store->snapshots;
    if (snapshot->older != NULL)
        snapshot->older->newer = snapshot;
    store->snapshots = snapshot;
    store->snapshot_count++;
    tn_store_tick(store); /* from now on changes are after it */
    *out = snapshot;
    return TARN_OK;
}

/* Out of the list of open ones; the rest in steps. */
static void snapshot_leave(tarn_snapshot *snapshot)
{
    tarn_store *store = snapshot->store;

    if (snapshot->newer != NULL)
        snapshot->newer->older = snapshot->older;
    else
        store->snapshots = snapshot->older;
    if (snapshot->older != NULL)
        snapshot->older->newer = snapshot->newer;
    snapshot->state = TN_SNAPSHOT_LEAVING;
    snapshot->newer = NULL;
    snapshot->older = store->leaving;
    store->leaving = snapshot;
}

void tn_snapshot_fail(tarn_snapshot *snapshot, const char *why)
{
    snapshot->failure = why;
    snapshot_leave(snapshot);
}

void tn_snapshots_fail_older(tarn_store *store, uint64_t age_ticks)
{
    tarn_snapshot *snapshot = store->snapshots, *older;

    for (; snapshot != NULL; snapshot = older) {
        older = snapshot->older;
        if (store->tick - snapshot->tick > age_ticks)
            tn_snapshot_fail(snapshot, AGE_REASON);
    }
}

int tarn_snapshot_release(tarn_snapshot *snapshot)
{
    if (snapshot == NULL)
        return TARN_OK;
    if (*snapshot->store->alive == 0)
        return TARN_E_MISUSE;
    if (snapshot->released)
        return tn_store_fail(snapshot->store, TARN_E_MISUSE,
                             "tarn_snapshot_release: the snapshot was released before");
    snapshot->released = true;
    snapshot->store->snapshot_count--;
    if (snapshot->state == TN_SNAPSHOT_OPEN)
        snapshot_leave(snapshot);
    else
        tn_snapshot_free_if_unused(snapshot);
    return TARN_OK;
}

void tn_snapshot_free_if_unused(tarn_snapshot *snapshot)
{
    tarn_store *store = snapshot->store;
    tarn_snapshot **link = &store->spent;

    if (snapshot->state != TN_SNAPSHOT_SPENT || !snapshot->released || snapshot->views != NULL)
        return;
    while (*link != snapshot)
        link = &(*link)->older;
    *link = snapshot->older;
    tn_memory_free(&store->memory, snapshot, sizeof *snapshot);
}

void tn_snapshot_leave_step(tarn_store *store, uint64_t *budget_bytes)
{
    tarn_snapshot *snapshot = store->leaving;
    struct tn_undo *undo = snapshot->undos;
    tarn_table *ghost = snapshot->ghosts;

    *budget_bytes -= tn_min(*budget_bytes, LEAVE_STEP_BYTES);
    if (undo != NULL) {
        snapshot->undos = undo->next;
        snapshot->undo_bytes -= undo->bytes;
        tn_undo_free(undo);
        return;
    }
    if (ghost != NULL) {
        snapshot->ghosts = ghost->next_internal;
        ghost_settle(ghost);
        return;
    }
    store->leaving = snapshot->older;
    snapshot->state = TN_SNAPSHOT_SPENT;
    snapshot->older = store->spent;
    store->spent = snapshot;
    tn_snapshot_free_if_unused(snapshot);
}

void tn_snapshots_forget(tarn_store *store)
{
    tarn_snapshot *snapshot;
    tarn_table *view;

    while ((snapshot = store->spent) != NULL) {
        while ((view = snapshot->views) != NULL) {
            snapshot->views = view->next_internal;
            tn_table_free(view);
        }
        tn_snapshot_free_if_unused(snapshot);
    }
}

void tn_snapshots_stat(const tarn_store *store, tarn_statistics *out)
{
    const tarn_snapshot *snapshot;

    out->snapshot_count = store->snapshot_count;
    out->snapshot_bytes = store->ghost_bytes;
    for (snapshot = store->snapshots; snapshot != NULL; snapshot = snapshot->older)
        out->snapshot_bytes += snapshot->undo_bytes;
    for (snapshot = store->leaving; snapshot != NULL; snapshot = snapshot->older)
        out->garbage_bytes += snapshot->undo_bytes;
}

/* ---- tables of a snapshot -------------------------------------------------------------------- */

int tn_snapshot_usable(const tarn_snapshot *snapshot, const char *call)
{
    if (*snapshot->store->alive == 0)
        return TARN_E_MISUSE;
    if (snapshot->released)
        return tn_store_fail(snapshot->store, TARN_E_MISUSE,
                             "%s: the snapshot was released; close its tables and iterators", call);
    if (snapshot->failure != NULL)
        return tn_store_fail(snapshot->store, TARN_E_FULL,
                             "%s: the snapshot has failed: %s; release it and take another", call,
                             snapshot->failure);
    return TARN_OK;
}

static bool sees_ghost(const tarn_snapshot *snapshot, const tarn_table *ghost)
{
    return tn_snapshot_sees(snapshot, ghost) && snapshot->tick < ghost->died_tick;
}

/* What the snapshot sees under that name: a table, or a ghost, here or elsewhere (S7). */
static tarn_table *snapshot_source(const tarn_snapshot *snapshot, tarn_bytes name)
{
    tarn_table *table = tn_catalog_find(snapshot->store, name), *ghost;
    const tarn_snapshot *holder;

    if (table != NULL && tn_snapshot_sees(snapshot, table))
        return table;
    for (holder = snapshot; holder != NULL; holder = tn_holder_next(holder)) {
        for (ghost = holder->ghosts; ghost != NULL; ghost = ghost->next_internal) {
            if (sees_ghost(snapshot, ghost) && ghost->name_bytes == name.bytes &&
                memcmp(ghost->name, name.data, name.bytes) == 0)
                return ghost;
        }
    }
    return NULL;
}

static int name_compare(const tarn_table *a, const tarn_table *b)
{
    return tn_key_compare(a->name, a->name_bytes, b->name, b->name_bytes);
}

/* The table of the catalog that comes first behind `last` of those the snapshot sees. */
static tarn_table *table_after(const tarn_snapshot *snapshot, const tarn_table *last)
{
    const tarn_store *store = snapshot->store;
    size_t place = last == NULL ? 0 : tn_catalog_place_after(store, tn_table_name(last));

    while (place < store->table_count && !tn_snapshot_sees(snapshot, store->tables[place]))
        place++;
    return place < store->table_count ? store->tables[place] : NULL;
}

tarn_table *tn_snapshot_source_after(const tarn_snapshot *snapshot, const tarn_table *last)
{
    tarn_table *first = table_after(snapshot, last), *ghost;
    const tarn_snapshot *holder;

    for (holder = snapshot; holder != NULL; holder = tn_holder_next(holder)) {
        for (ghost = holder->ghosts; ghost != NULL; ghost = ghost->next_internal) {
            if (sees_ghost(snapshot, ghost) && (last == NULL || name_compare(ghost, last) > 0) &&
                (first == NULL || name_compare(ghost, first) < 0))
                first = ghost;
        }
    }
    return first;
}

static tarn_table *view_new(struct tn_undo *undo)
{
    tarn_table *view = tn_table_new_like(undo->source, false);

    if (view == NULL)
        return NULL;
    view->alive = &view_alive;
    view->snapshot = undo->snapshot;
    view->undo = undo;
    view->next_internal = undo->snapshot->views;
    undo->snapshot->views = view;
    return view;
}

/* The handle of what the snapshot sees of the source. NULL: refused. */
static tarn_table *view_open(tarn_snapshot *snapshot, tarn_table *source)
{
    struct tn_undo *undo = tn_undo_open(snapshot, source);
    tarn_table *view = snapshot->views;

    if (undo == NULL)
        return NULL;
    while (view != NULL && view->undo != undo)
        view = view->next_internal;
    return view != NULL ? view : view_new(undo);
}

int tn_snapshot_view(tarn_table **out, tarn_snapshot *snapshot, tarn_table *source,
                     const char *call)
{
    tarn_table *view = view_open(snapshot, source);

    if (view == NULL && tn_store_reclaim_all(snapshot->store))
        view = view_open(snapshot, source);
    if (view == NULL)
        return tn_store_refused(snapshot->store, call);
    if (view->open_count == UINT32_MAX)
        return tn_store_fail(snapshot->store, TARN_E_MISUSE,
                             "%s: table '%s' has been opened 2^32 - 1 times; close some", call,
                             source->name);
    view->open_count++;
    *out = view;
    return TARN_OK;
}

int tarn_snapshot_table(tarn_table **out, tarn_snapshot *snapshot, const char *name)
{
    static const char call[] = "tarn_snapshot_table";
    tarn_table *source;
    size_t name_bytes;
    int result;

    if (out != NULL)
        *out = NULL;
    if (snapshot == NULL)
        return TARN_E_MISUSE;
    result = tn_snapshot_usable(snapshot, call);
    if (result < 0)
        return result;
    name_bytes = name != NULL ? strnlen(name, TARN_TABLE_NAME_BYTES_MAX + 1) : 0;
    if (out == NULL || name_bytes == 0 || name_bytes > TARN_TABLE_NAME_BYTES_MAX)
        return tn_store_fail(snapshot->store, TARN_E_MISUSE,
                             "%s: out and name must be there, and a name has 1 to %u bytes", call,
                             TARN_TABLE_NAME_BYTES_MAX);
    source = snapshot_source(snapshot, (tarn_bytes){ name, name_bytes });
    if (source == NULL)
        return TARN_ABSENT;
    if (source->role != TN_ROLE_PLAIN)
        return tn_store_fail(snapshot->store, TARN_E_TYPE, "%s: '%s' is a dictionary", call, name);
    return tn_snapshot_view(out, snapshot, source, call);
}

void tn_view_free_if_unused(tarn_table *view)
{
    tarn_snapshot *snapshot = view->snapshot;
    tarn_table **link = &snapshot->views;

    if (view->open_count > 0 || view->iterators != NULL)
        return;
    while (*link != view)
        link = &(*link)->next_internal;
    *link = view->next_internal;
    tn_table_free(view);
    tn_snapshot_free_if_unused(snapshot);
}
