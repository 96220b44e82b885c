/*
 * view.c - reading a table as a snapshot saw it; see snapshot.h for the picture and the rules
 *
 * A scan merges two iterators, both in the same order: by key, or, on unordered tables, by the
 * place in the walk that the key's hash has, then by key.
 *
 *     live:   over the source, skipping what is after the snapshot   a     c  .  .  f
 *     kept:   over the undo's old, skipping marks                       b     d
 *
 * Each has at most one entry peeked and not given. Between two steps, writes move entries from live
 * to kept, never back, hence:
 *
 *   V1  A live peek holds as long as the iterator is still on it and its record is not after the
 *       snapshot. A record that left may only have moved (P7 of heap.h), so live goes on at its
 *       key, not behind it; what is after the snapshot by now is passed over.
 *   V2  A kept peek holds as long as nothing was added to the undo; after that kept goes on behind
 *       the key given last, since what came may lie before the peek.
 *   V3  The key given last is in the saved key of kept, which has room for the longest key of the
 *       source: no longer one can be seen by the snapshot.
 */
#include "store/snapshot.h"

struct tn_view_scan {
    tarn_iterator *live;
    tarn_iterator *kept;
    bool live_peeked; /* on an entry not given yet */
    bool kept_peeked;
    bool has_key;          /* V3; false: nothing was given or sought yet */
    bool at_key;           /* after tarn_seek: go on at the key, not behind it */
    uint64_t kept_version; /* V2 */
};

#define KEY_RULE "the key must be there and have at most 65,535 bytes"

/* ---- one key --------------------------------------------------------------------------------- */

static int argument_misuse(tarn_table *view, const char *call, const char *what)
{
    int result = tn_snapshot_usable(view->snapshot, call);

    if (result < 0)
        return TARN_E_MISUSE;
    return tn_store_fail(view->store, TARN_E_MISUSE, "%s: table '%s' of a snapshot: %s", call,
                         view->name, what);
}

int tn_view_misuse(tarn_table *view, const char *call)
{
    return argument_misuse(view, call, "it can only be read");
}

static bool key_ok(const void *key, size_t key_bytes)
{
    return (key != NULL || key_bytes == 0) && key_bytes <= TARN_KEY_BYTES_MAX;
}

/* S2. NULL: there was no such key. */
static struct tn_record *view_find(const tarn_table *view, const void *key, size_t key_bytes)
{
    const struct tn_undo *undo = view->undo;
    uint64_t hash = tn_hash(&view->secret, key, key_bytes);
    struct tn_index_place place;
    struct tn_record *record;
    tn_handle handle;

    handle = tn_index_find(&undo->source->index, view->base, hash, key, key_bytes, &place);
    record = tn_record_at(view->base, handle);
    if (handle != TN_HANDLE_NONE && !tn_record_is_after(record, undo->tick))
        return record;
    handle = tn_index_find(&undo->old->index, view->base, hash, key, key_bytes, &place);
    record = tn_record_at(view->base, handle);
    return handle != TN_HANDLE_NONE && (record->flags & TN_RECORD_ABSENT) == 0 ? record : NULL;
}

int tn_view_get(tarn_table *view, const void *key, size_t key_bytes, const void **value,
                size_t *value_bytes)
{
    int result = tn_snapshot_usable(view->snapshot, "tarn_get");
    struct tn_record *record;

    if (result < 0)
        return result;
    if (!key_ok(key, key_bytes) || value == NULL || value_bytes == NULL)
        return argument_misuse(view, "tarn_get",
                               "key, value and value_bytes must be there, and a "
                               "key has at most 65,535 bytes");
    record = view_find(view, key, key_bytes);
    if (record == NULL)
        return TARN_ABSENT;
    *value = tn_record_value(record);
    *value_bytes = tn_record_value_bytes(record);
    return TARN_OK;
}

int tn_view_contains(tarn_table *view, const void *key, size_t key_bytes)
{
    int result = tn_snapshot_usable(view->snapshot, "tarn_contains");

    if (result < 0)
        return result;
    if (!key_ok(key, key_bytes))
        return argument_misuse(view, "tarn_contains", KEY_RULE);
    return view_find(view, key, key_bytes) != NULL ? TARN_OK : TARN_ABSENT;
}

int tn_view_get_many(tarn_table *view, const tarn_bytes *keys, size_t count, tarn_bytes *values)
{
    int result = tn_snapshot_usable(view->snapshot, "tarn_get_many");
    size_t i;

    if (result < 0)
        return result;
    if (count > 0 && (keys == NULL || values == NULL))
        return argument_misuse(view, "tarn_get_many", "keys and values must not be NULL");
    for (i = 0; i < count; i++) {
        struct tn_record *record;

        if (!key_ok(keys[i].data, keys[i].bytes))
            return tn_get_many_misuse(view, i);
        record = view_find(view, keys[i].data, keys[i].bytes);
        values[i] = record != NULL ? tn_record_value_of(record) : (tarn_bytes){ 0 };
    }
    return TARN_OK;
}

static bool view_is_open(const tarn_table *view)
{
    return *view->store->alive != 0 && view->snapshot->state == TN_SNAPSHOT_OPEN;
}

uint64_t tn_view_count(const tarn_table *view)
{
    return view_is_open(view) ? view->undo->entry_count : 0;
}

uint64_t tn_view_bytes(const tarn_table *view)
{
    return view_is_open(view) ? view->undo->entry_bytes : 0;
}

/* ---- opening and closing scans --------------------------------------------------------------- */

void tn_view_scan_free(tarn_iterator *it)
{
    struct tn_memory *memory = &it->table->store->memory;
    struct tn_view_scan *scan = it->view;

    if (scan->live != NULL)
        tn_iterator_free_inner(scan->live);
    if (scan->kept != NULL)
        tn_iterator_free_inner(scan->kept);
    tn_memory_free(memory, scan, sizeof *scan);
    tn_memory_free(memory, it, sizeof *it);
}

/* An iterator over a view, not yet known to it. NULL: refused. */
static tarn_iterator *scan_new(tarn_table *view, const tarn_range *range)
{
    struct tn_memory *memory = &view->store->memory;
    tarn_iterator *it = tn_memory_new(memory, sizeof *it, true);
    const struct tn_undo *undo = view->undo;

    if (it == NULL)
        return NULL;
    it->table = view;
    it->reverse = range->reverse != 0;
    it->view = tn_memory_new(memory, sizeof *it->view, true);
    if (it->view == NULL) {
        tn_memory_free(memory, it, sizeof *it);
        return NULL;
    }
    it->view->live = tn_iterator_new_inner(undo->source, range, 0);
    it->view->kept = tn_iterator_new_inner(undo->old, range, undo->source->key_bytes_max); /* V3 */
    if (it->view->live == NULL || it->view->kept == NULL) {
        tn_view_scan_free(it);
        return NULL;
    }
    tn_iterator_walk_as(it->view->kept, it->view->live);
    return it;
}

int tn_view_scan(tarn_iterator **out, tarn_table *view, const tarn_range *range)
{
    int result = tn_snapshot_usable(view->snapshot, "tarn_scan");
    tarn_iterator *it;

    if (result < 0)
        return result;
    if (out == NULL || !tn_scan_ok(view, range))
        return argument_misuse(view, "tarn_scan", TN_SCAN_RULE);
    it = scan_new(view, range);
    if (it == NULL && tn_store_reclaim_all(view->store))
        it = scan_new(view, range);
    if (it == NULL)
        return tn_store_refused(view->store, "tarn_scan");
    tn_iterator_attach(it, view);
    view->store->iterator_count++;
    *out = it;
    return TARN_OK;
}

/* ---- stepping -------------------------------------------------------------------------------- */

static struct tn_record *record_of(const tarn_iterator *it)
{
    return tn_record_at(it->table->base, it->current);
}

/* The next entry of live, peeked. NULL: none. */
static struct tn_record *live_peek(struct tn_view_scan *scan, uint64_t tick)
{
    tarn_iterator *live = scan->live;

    if (scan->live_peeked && live->current == TN_HANDLE_NONE) { /* V1 */
        tn_iterator_go_on(live, true);
        scan->live_peeked = false;
    }
    while (!scan->live_peeked || tn_record_is_after(record_of(live), tick)) {
        scan->live_peeked = tarn_next(live, NULL, NULL) == TARN_OK;
        if (!scan->live_peeked)
            return NULL;
    }
    return record_of(live);
}

static uint64_t kept_version(const tarn_iterator *kept)
{
    const tarn_table *old = kept->table;

    return old->ordered != NULL ? *tn_ordered_version(old->ordered) : old->index.version;
}

/* The next entry of kept, peeked. NULL: none. */
static struct tn_record *kept_peek(struct tn_view_scan *scan)
{
    tarn_iterator *kept = scan->kept;
    uint64_t version = kept_version(kept);

    if (scan->kept_version != version) { /* V2 */
        scan->kept_version = version;
        scan->kept_peeked = false;
        if (scan->has_key)
            tn_iterator_go_on(kept, scan->at_key);
        else
            tn_iterator_restart(kept);
    }
    while (!scan->kept_peeked || (record_of(kept)->flags & TN_RECORD_ABSENT) != 0) {
        scan->kept_peeked = tarn_next(kept, NULL, NULL) == TARN_OK;
        if (!scan->kept_peeked)
            return NULL;
    }
    return record_of(kept);
}

/* How far the key is from where the walk began. */
static uint32_t walk_place(const tarn_iterator *it, tarn_bytes key)
{
    uint32_t hash31 = tn_hash31(tn_hash(&it->table->secret, key.data, key.bytes));

    return (tn_walk_turn(hash31, it->block_bits) - it->first) & (uint32_t)(TN_HASH31_END - 1);
}

/* Whether live's entry comes before kept's. They are never the same key (S2). */
static bool live_is_first(const tarn_iterator *it, struct tn_record *live, struct tn_record *kept)
{
    const struct tn_view_scan *scan = it->view;
    tarn_bytes a, b;
    uint32_t place_a, place_b;
    int order;

    if (live == NULL || kept == NULL)
        return live != NULL;
    a = tn_record_key_of(live);
    b = tn_record_key_of(kept);
    if (it->table->kind == TARN_UNORDERED) {
        place_a = walk_place(scan->live, a);
        place_b = walk_place(scan->live, b);
        if (place_a != place_b)
            return place_a < place_b;
    }
    order = tn_key_compare(a.data, a.bytes, b.data, b.bytes);
    tn_assert(order != 0);
    return (order < 0) != it->reverse;
}

/* V3 */
static void scan_remember(struct tn_view_scan *scan, tarn_bytes key)
{
    tn_assert(key.bytes <= scan->kept->saved_key_room);
    memcpy(scan->kept->saved_key, key.data, key.bytes);
    scan->kept->saved_key_bytes = key.bytes;
    scan->has_key = true;
    scan->at_key = false;
}

int tn_view_next(tarn_iterator *it, tarn_bytes *key, tarn_bytes *value)
{
    int result = tn_snapshot_usable(it->table->snapshot, "tarn_next");
    struct tn_view_scan *scan = it->view;
    struct tn_record *live, *kept, *record;

    if (result < 0)
        return result;
    live = live_peek(scan, it->table->undo->tick);
    kept = kept_peek(scan);
    if (live == NULL && kept == NULL)
        return TARN_END;
    if (live_is_first(it, live, kept)) {
        record = live;
        scan->live_peeked = false;
    } else {
        record = kept;
        scan->kept_peeked = false;
    }
    scan_remember(scan, tn_record_key_of(record));
    if (key != NULL)
        *key = tn_record_key_of(record);
    if (value != NULL)
        *value = tn_record_value_of(record);
    return TARN_OK;
}

static bool seek_reserve(struct tn_view_scan *scan, size_t key_bytes)
{
    return tn_iterator_reserve_key(scan->live, key_bytes) &&
           tn_iterator_reserve_key(scan->kept, key_bytes);
}

int tn_view_seek(tarn_iterator *it, const void *key, size_t key_bytes)
{
    int result = tn_snapshot_usable(it->table->snapshot, "tarn_seek");
    struct tn_view_scan *scan = it->view;

    if (result < 0)
        return result;
    if (!key_ok(key, key_bytes))
        return argument_misuse(it->table, "tarn_seek", KEY_RULE);
    if (it->table->kind == TARN_UNORDERED)
        return argument_misuse(it->table, "tarn_seek",
                               "an unordered table has no order to seek in");
    if (!seek_reserve(scan, key_bytes) &&
        (!tn_store_reclaim_all(it->table->store) || !seek_reserve(scan, key_bytes)))
        return tn_store_refused(it->table->store, "tarn_seek");
    result = tarn_seek(scan->live, key, key_bytes); /* there is room: cannot fail */
    tn_assert(result == TARN_OK);
    result = tarn_seek(scan->kept, key, key_bytes);
    tn_assert(result == TARN_OK);
    scan->live_peeked = scan->kept_peeked = false;
    scan->has_key = scan->at_key = true;
    return TARN_OK;
}
