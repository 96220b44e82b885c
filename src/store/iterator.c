/*
 * iterator.c - scans that survive any write
 *
 *     open --first next--> on an entry --next--> on an entry ... --> ended
 *                              |    ^
 *            its record leaves |    | next: find the place again, behind the saved key
 *                              v    |
 *                           on a saved key
 *
 * While the index has not changed, a step takes an entry of a batch gathered ahead (gather.c).
 * After a change the iterator finds its place again by the key it gave last: by key order, or by
 * (hash, key) order, in which unordered tables are walked. Both orders stay what they are when
 * tables grow, shrink or move records, hence: an entry unchanged throughout is given exactly once.
 *
 * Rules T3 and T4 of store.h: steps never allocate, since the room for a key is reserved by opening
 * and by putting longer keys.
 */
#include "store/store.h"

/* ---- bounds ---------------------------------------------------------------------------------- */

/* A range as [lower, upper): the prefix folded in. `upper->data` NULL: open. */
static void bounds_of(const tarn_range *range, tarn_bytes *lower, tarn_bytes *upper,
                      size_t *successor_bytes)
{
    const uint8_t *prefix = range->prefix.data;

    *lower = range->lower;
    *upper = range->upper;
    *successor_bytes = range->prefix.bytes;
    if (range->prefix.bytes == 0)
        return;
    if (tn_key_compare(prefix, range->prefix.bytes, lower->data, lower->bytes) > 0)
        *lower = range->prefix;
    /* The first key behind a prefix: its trailing 0xFF bytes off, then the last byte plus 1. */
    while (*successor_bytes > 0 && prefix[*successor_bytes - 1] == 0xFF)
        --*successor_bytes;
}

/* Whether prefix's successor, not yet built, is below upper. */
static bool successor_is_below(const tarn_bytes *prefix, size_t successor_bytes,
                               const tarn_bytes *upper, uint8_t *scratch)
{
    memcpy(scratch, prefix->data, successor_bytes);
    scratch[successor_bytes - 1]++;
    return upper->data == NULL ||
           tn_key_compare(scratch, successor_bytes, upper->data, upper->bytes) < 0;
}

/* Copy the bounds into the iterator. false: no memory. */
static bool iterator_set_bounds(tarn_iterator *it, const tarn_range *range)
{
    struct tn_memory *memory = &it->table->store->memory;
    size_t successor_bytes, bytes;
    tarn_bytes lower, upper;
    uint8_t *at;

    bounds_of(range, &lower, &upper, &successor_bytes);
    bytes = lower.bytes + tn_max(upper.bytes, successor_bytes) + 1;
    at = it->bounds = tn_memory_new(memory, bytes, false);
    if (at == NULL)
        return false;
    it->bounds_bytes = bytes;
    if (lower.bytes > 0)
        memcpy(at, lower.data, lower.bytes);
    it->lower = (tarn_bytes){ at, lower.bytes };
    at += lower.bytes;
    if (successor_bytes > 0 && successor_is_below(&range->prefix, successor_bytes, &upper, at)) {
        it->upper = (tarn_bytes){ at, successor_bytes };
    } else if (upper.data != NULL) {
        if (upper.bytes > 0)
            memcpy(at, upper.data, upper.bytes);
        it->upper = (tarn_bytes){ at, upper.bytes };
    }
    return true;
}

static bool range_is_whole(const tarn_range *range)
{
    return range->lower.data == NULL && range->upper.data == NULL && range->prefix.bytes == 0 &&
           !range->reverse;
}

static bool bytes_ok(const tarn_bytes *bytes)
{
    return (bytes->data != NULL || bytes->bytes == 0) && bytes->bytes <= TARN_KEY_BYTES_MAX;
}

/* ---- opening and closing --------------------------------------------------------------------- */

static void iterator_free(tarn_iterator *it)
{
    struct tn_memory *memory = &it->table->store->memory;

    tn_memory_free(memory, it->bounds, it->bounds_bytes);
    tn_memory_free(memory, it->batch, it->batch_room * sizeof *it->batch);
    tn_memory_free(memory, it->saved_key, it->saved_key_room);
    tn_memory_free(memory, it, sizeof *it);
}

static tarn_iterator *iterator_new(tarn_table *table, const tarn_range *range, size_t key_bytes)
{
    struct tn_memory *memory = &table->store->memory;
    tarn_iterator *it = tn_memory_new(memory, sizeof *it, true);

    if (it == NULL)
        return NULL;
    it->table = table;
    it->alive = table->store->alive;
    it->base = table->base;
    it->reverse = range->reverse != 0;
    it->block_bits = tn_walk_block_bits(&table->index);
    it->first = table->scan_count++ * UINT32_C(0x9E3779B9) >> 1; /* far from the ones before */
    it->position = it->first;
    it->saved_key = tn_memory_new(memory, key_bytes + 1, false);
    if (it->saved_key == NULL)
        goto refused;
    it->saved_key_room = key_bytes + 1; /* T4 */
    tn_gather_forget(it);
    if (table->ordered != NULL && !iterator_set_bounds(it, range))
        goto refused;
    it->bounded = it->reverse ? it->lower.bytes > 0 : it->upper.data != NULL;
    it->batch_room = tn_gather_room(table);
    it->batch = tn_memory_new(memory, it->batch_room * sizeof *it->batch, false);
    if (it->batch != NULL)
        return it;
refused:
    iterator_free(it);
    return NULL;
}

void tn_iterator_attach(tarn_iterator *it, tarn_table *table)
{
    it->table = table;
    it->previous = NULL;
    it->next = table->iterators;
    if (it->next != NULL)
        it->next->previous = it;
    table->iterators = it;
}

void tn_iterator_detach(tarn_iterator *it)
{
    if (it->previous != NULL)
        it->previous->next = it->next;
    else
        it->table->iterators = it->next;
    if (it->next != NULL)
        it->next->previous = it->previous;
}

tarn_iterator *tn_iterator_new_inner(tarn_table *table, const tarn_range *range, size_t key_bytes)
{
    tarn_iterator *it = iterator_new(table, range, tn_max(key_bytes, table->key_bytes_max));

    if (it == NULL)
        return NULL;
    it->inner = true;
    tn_iterator_attach(it, table);
    return it;
}

void tn_iterator_free_inner(tarn_iterator *it)
{
    tarn_table *table = it->table;

    tn_iterator_detach(it);
    iterator_free(it);
    tn_table_free_if_unused(table);
}

bool tn_scan_ok(const tarn_table *table, const tarn_range *range)
{
    return bytes_ok(&range->lower) && bytes_ok(&range->upper) && bytes_ok(&range->prefix) &&
           (table->kind == TARN_ORDERED || range_is_whole(range));
}

int tarn_scan(tarn_iterator **out, tarn_table *table, const tarn_range *range)
{
    static const tarn_range whole;
    tarn_iterator *it;

    if (out != NULL)
        *out = NULL;
    range = range != NULL ? range : &whole;
    if (tn_table_is_view(table))
        return tn_view_scan(out, table, range);
    if (!tn_table_call_ok(table, NULL, 0) || out == NULL || !tn_scan_ok(table, range))
        return tn_table_misuse(table, "tarn_scan", TN_SCAN_RULE);
    it = iterator_new(table, range, table->key_bytes_max);
    if (it == NULL && tn_store_reclaim_all(table->store))
        it = iterator_new(table, range, table->key_bytes_max);
    if (it == NULL)
        return tn_store_refused(table->store, "tarn_scan");
    tn_iterator_attach(it, table);
    table->store->iterator_count++;
    *out = it;
    return TARN_OK;
}

int tarn_iterator_close(tarn_iterator *it)
{
    tarn_table *table;

    if (it == NULL)
        return TARN_OK;
    table = it->table;
    if (*table->store->alive == 0)
        return TARN_E_MISUSE;
    tn_iterator_detach(it);
    table->store->iterator_count--;
    if (it->view != NULL)
        tn_view_scan_free(it);
    else
        iterator_free(it);
    tn_table_free_if_unused(table);
    return TARN_OK;
}

/* ---- what writes tell iterators -------------------------------------------------------------- */

static void iterator_save_key(tarn_iterator *it)
{
    struct tn_record *record = tn_record_at(it->table->base, it->current);

    it->saved_key_bytes = tn_record_key_bytes(record);
    tn_assert(it->saved_key_bytes <= it->saved_key_room); /* T4 */
    memcpy(it->saved_key, tn_record_key(record), it->saved_key_bytes);
    it->current = TN_HANDLE_NONE;
}

void tn_iterators_leave(tarn_table *table, tn_handle handle)
{
    tarn_iterator *it;

    for (it = table->iterators; it != NULL; it = it->next) {
        if (it->current == handle)
            iterator_save_key(it);
    }
}

bool tn_iterator_reserve_key(tarn_iterator *it, size_t key_bytes)
{
    uint8_t *saved_key = it->saved_key;

    if (key_bytes <= it->saved_key_room)
        return true;
    saved_key =
        tn_memory_resize(&it->table->store->memory, saved_key, it->saved_key_room, key_bytes);
    if (saved_key == NULL)
        return false;
    it->saved_key = saved_key;
    it->saved_key_room = key_bytes;
    return true;
}

bool tn_iterators_reserve(tarn_table *table, size_t key_bytes)
{
    tarn_iterator *it;

    for (it = table->iterators; it != NULL; it = it->next) {
        if (!tn_iterator_reserve_key(it, key_bytes))
            return false;
    }
    return true;
}

static int iterator_end(tarn_iterator *it)
{
    tn_gather_forget(it);
    it->ended = true;
    it->current = TN_HANDLE_NONE;
    return TARN_END;
}

void tn_iterators_end(tarn_table *table)
{
    tarn_iterator *it;

    for (it = table->iterators; it != NULL; it = it->next)
        (void)iterator_end(it);
}

void tn_iterators_follow(tarn_table *table, tarn_table *ghost)
{
    tarn_iterator *it, *next;

    for (it = table->iterators; it != NULL; it = next) {
        next = it->next;
        if (!it->inner)
            continue;
        if (it->version_now == &table->index.version)
            it->version_now = &ghost->index.version;
        tn_iterator_detach(it);
        tn_iterator_attach(it, ghost);
    }
}

void tn_iterator_go_on(tarn_iterator *it, bool at)
{
    tn_gather_forget(it);
    it->current = TN_HANDLE_NONE;
    it->started = true;
    it->at_saved_key = at;
    it->ended = false;
}

void tn_iterator_walk_as(tarn_iterator *it, const tarn_iterator *other)
{
    it->block_bits = other->block_bits;
    it->first = other->first;
    it->position = it->first;
}

void tn_iterator_restart(tarn_iterator *it)
{
    tn_iterator_go_on(it, false);
    it->started = false;
    it->wrapped = false;
    it->position = it->first;
}

tarn_bytes tn_iterator_last_key(const tarn_iterator *it)
{
    struct tn_record *record = tn_record_at(it->table->base, it->current);

    if (it->current == TN_HANDLE_NONE)
        return (tarn_bytes){ it->saved_key, it->saved_key_bytes };
    return (tarn_bytes){ tn_record_key(record), tn_record_key_bytes(record) };
}

/* ---- the calls ------------------------------------------------------------------------------- */

/* Whether a record lies behind the end that this scan runs towards. */
static bool iterator_is_past(const tarn_iterator *it, struct tn_record *record)
{
    const uint8_t *key = tn_record_key(record);
    size_t key_bytes = tn_record_key_bytes(record);

    if (it->reverse)
        return tn_key_compare(key, key_bytes, it->lower.data, it->lower.bytes) < 0;
    return tn_key_compare(key, key_bytes, it->upper.data, it->upper.bytes) >= 0;
}

/* Give the batch's next entry, whatever it is. */
static int next_give(tarn_iterator *it, tarn_bytes *key, tarn_bytes *value)
{
    tn_handle handle = it->batch[it->batch_next++].handle;
    struct tn_record *record = tn_record_at(it->table->base, handle);

    if (it->bounded && iterator_is_past(it, record))
        return iterator_end(it);
    it->started = true;
    it->at_saved_key = false;
    it->current = handle;
    if (key != NULL)
        *key = (tarn_bytes){ tn_record_key(record), tn_record_key_bytes(record) };
    if (value != NULL)
        *value = (tarn_bytes){ tn_record_value(record), tn_record_value_bytes(record) };
    return TARN_OK;
}

static bool batch_is_current(const tarn_iterator *it)
{
    return it->batch_next < it->batch_low && it->version == *it->version_now;
}

/* Any step; out of line, and called last, so that the common step saves no registers. */
static __attribute__((noinline)) int next_any(tarn_iterator *it, tarn_bytes *key, tarn_bytes *value)
{
    if (it != NULL && it->view != NULL)
        return tn_view_next(it, key, value);
    if (it == NULL || *it->table->alive == 0)
        return it == NULL ? TARN_E_MISUSE : tn_table_misuse(it->table, "tarn_next", "");
    if (it->ended)
        return TARN_END;
    if (!batch_is_current(it))
        tn_gather(it);
    if (it->batch_next == it->batch_count)
        return iterator_end(it);
    return next_give(it, key, value);
}

/*
 * The quick step does nothing but read the record: a first step and a bounded scan are slow ones,
 * so what they have to look at is as it should be here.
 */
int tarn_next(tarn_iterator *it, tarn_bytes *key, tarn_bytes *value)
{
    struct tn_record *record;
    tn_handle handle;

    if (TN_UNLIKELY(it == NULL || it->batch_next >= it->batch_quick ||
                    it->version != *it->version_now || *it->alive == 0 || key == NULL ||
                    value == NULL))
        return next_any(it, key, value);
    handle = it->batch[it->batch_next].handle;
    record = tn_record_at(it->base, handle);
    if (TN_UNLIKELY(tn_record_is_long(record)))
        return next_any(it, key, value);
    it->batch_next++;
    it->current = handle;
    key->data = (uint8_t *)record + sizeof *record;
    key->bytes = record->key_bytes;
    value->data =
        (uint8_t *)record + tn_align_up(sizeof *record + record->key_bytes, TN_GRANULE_BYTES);
    value->bytes = record->value_bytes;
    return TARN_OK;
}

int tarn_seek(tarn_iterator *it, const void *key, size_t key_bytes)
{
    if (it != NULL && it->view != NULL)
        return tn_view_seek(it, key, key_bytes);
    if (it == NULL || !tn_table_call_ok(it->table, key, key_bytes))
        return it == NULL ? TARN_E_MISUSE
                          : tn_table_misuse(it->table, "tarn_seek",
                                            "the key must be there and have at most 65,535 bytes");
    if (it->table->ordered == NULL)
        return tn_table_misuse(it->table, "tarn_seek",
                               "an unordered table has no order to seek in");
    if (!tn_iterator_reserve_key(it, key_bytes) &&
        (!tn_store_reclaim_all(it->table->store) || !tn_iterator_reserve_key(it, key_bytes)))
        return tn_store_refused(it->table->store, "tarn_seek");
    if (key_bytes > 0)
        memmove(it->saved_key, key, key_bytes);
    it->saved_key_bytes = key_bytes;
    tn_iterator_go_on(it, true);
    return TARN_OK;
}
