/*
 * scans.c - operations on iterators; see run.h
 *
 * An ordered scan must give the next present rank of the model. An unordered one must give each
 * entry that is there throughout once: `seen` counts.
 */
#include "model/run.h"

void loans_end(void)
{
    size_t i;

    for (i = 0; i < ITERATORS; i++)
        run.iterators[i].has_current = false;
}

void iterator_close(struct model_iterator *it)
{
    if (it->it != NULL)
        expect(tarn_iterator_close(it->it) == TARN_OK);
    it->it = NULL;
    loans_end();
}

/* ---- ranges ---------------------------------------------------------------------------------- */

/* A bound near a key of the universe: the key, a little shorter, or a little longer. */
static tarn_bytes bound_near(size_t rank, uint32_t word, uint8_t *scratch)
{
    tarn_bytes key = *key_of(rank);

    memcpy(scratch, key.data, key.bytes);
    if (word % 4 == 1 && key.bytes > 0)
        key.bytes--;
    else if (word % 4 == 2 && key.bytes < TARN_KEY_BYTES_MAX)
        scratch[key.bytes++] = (uint8_t)(word >> 4 & 1 ? 0xFF : 0);
    key.data = scratch;
    return key;
}

static void range_make(tarn_range *range, struct model_iterator *it, size_t rank, uint32_t word)
{
    static uint8_t scratch[3][TARN_KEY_BYTES_MAX + 1];
    size_t low, high;

    *range = (tarn_range){ .reverse = (word & 1) != 0 };
    it->low = 0;
    it->high = run.universe.count;
    if ((word & 2) != 0) {
        range->lower = bound_near(rank, word >> 8, scratch[0]);
        it->low = universe_rank(&run.universe, &range->lower);
    }
    if ((word & 4) != 0) {
        range->upper =
            bound_near((rank + (word >> 12) % 64) % run.universe.count, word >> 6, scratch[1]);
        it->high = universe_rank(&run.universe, &range->upper);
    }
    if ((word & 24) == 24) {
        range->prefix = bound_near(rank, word >> 10, scratch[2]);
        range->prefix.bytes = (word >> 20) % (range->prefix.bytes + 1);
        universe_prefix(&run.universe, &range->prefix, &low, &high);
        it->low = tn_max(it->low, low);
        it->high = tn_min(it->high, high);
    }
    it->high = tn_max(it->low, it->high);
}

/* ---- steps ----------------------------------------------------------------------------------- */

/* What the iterator reads. */
static const struct model_table *model_of(const struct model_iterator *it)
{
    return it->snapshot != NULL ? &it->snapshot->tables[it->table] : &run.model[it->table];
}

/* The rank an ordered iterator must give next; as many as there are keys: none. */
static size_t model_next(const struct model_iterator *it)
{
    size_t rank;

    if (!it->reverse) {
        rank = !it->started ? it->low : it->at_seek ? tn_max(it->last, it->low) : it->last + 1;
        rank = model_table_next(model_of(it), rank, tn_max(rank, it->high));
        return rank < it->high ? rank : run.universe.count;
    }
    rank = !it->started ? it->high : it->at_seek ? tn_min(it->last + 1, it->high) : it->last;
    rank = model_table_previous(model_of(it), rank, it->low);
    return rank > it->low ? rank - 1 : run.universe.count;
}

void do_scan(size_t slot, size_t rank, uint32_t word, const struct model_snapshot *snapshot)
{
    struct model_iterator *it = &run.iterators[slot];
    size_t t = (word >> 24) % run.table_count;
    uint8_t *seen = it->seen;
    tarn_range range;
    int result;

    iterator_close(it);
    *it = (struct model_iterator){ .table = t, .snapshot = snapshot, .opened = run.step };
    it->seen = seen;
    it->ordered = run.program->setting.kinds[t] == TARN_ORDERED;
    if (!it->ordered)
        memset(seen, 0, run.universe.count);
    range_make(&range, it, rank, it->ordered ? word : 0);
    it->reverse = range.reverse != 0;
    result = tarn_scan(&it->it, snapshot != NULL ? snapshot->views[t] : run.tables[t],
                       word % 16 == 0 ? NULL : &range);
    if (snapshot != NULL && has_failed(snapshot))
        expect(result == TARN_E_FULL);
    else
        expect(result == TARN_OK || is_refusal(result));
    expect((result == TARN_OK) == (it->it != NULL));
}

static void unordered_end(const struct model_iterator *it)
{
    const struct model_table *model = model_of(it);
    size_t rank = 0;

    for (; (rank = model_table_next(model, rank, run.universe.count)) < run.universe.count; rank++)
        if (it->snapshot != NULL || model->values[rank].changed < it->opened)
            expect(it->seen[rank] == 1);
}

static void next_given(struct model_iterator *it, size_t wanted, tarn_bytes key, tarn_bytes value)
{
    size_t rank = it->ordered ? wanted : universe_find(&run.universe, &key);

    expect(!it->ended);
    expect(rank < run.universe.count && keys_equal(&key, key_of(rank)));
    if (outcome->failed)
        return;
    expect(model_has(model_of(it), rank));
    expect(value_is(&model_of(it)->values[rank], value.data, value.bytes));
    expect(it->ordered || it->seen[rank]++ == 0);
    it->started = true;
    it->at_seek = false;
    it->last = rank;
    it->has_current = true;
    it->current_key = key;
}

void do_next(size_t slot)
{
    struct model_iterator *it = &run.iterators[slot];
    tarn_bytes key = { &run, 77 }, value = { &run, 77 };
    size_t wanted;
    int result;

    if (it->it == NULL)
        return;
    wanted = it->ordered && !it->ended ? model_next(it) : run.universe.count;
    result = tarn_next(it->it, &key, &value);
    it->has_current = false;
    if (it->gone) {
        expect(result == TARN_E_MISUSE);
    } else if (it->snapshot != NULL && has_failed(it->snapshot)) {
        expect(result == TARN_E_FULL);
    } else if (result == TARN_OK) {
        next_given(it, wanted, key, value);
    } else {
        expect(result == TARN_END && wanted == run.universe.count);
        expect(key.data == &run && value.data == &run);
        if (!it->ended && !it->ordered)
            unordered_end(it);
        it->ended = true;
    }
}

void do_seek(size_t slot, size_t rank)
{
    struct model_iterator *it = &run.iterators[slot];
    int result;

    if (it->it == NULL)
        return;
    result = tarn_seek(it->it, key_of(rank)->data, key_of(rank)->bytes);
    loans_end();
    if (it->snapshot != NULL && !it->gone && has_failed(it->snapshot)) {
        expect(result == TARN_E_FULL);
        return;
    }
    if (it->gone || !it->ordered) {
        expect(result == TARN_E_MISUSE);
        return;
    }
    expect(result == TARN_OK || is_refusal(result));
    if (result != TARN_OK)
        return;
    it->started = it->at_seek = true;
    it->ended = false;
    it->last = rank;
}

void do_current(size_t slot, uint32_t word, bool deletes)
{
    struct model_iterator *it = &run.iterators[slot];

    if (it->it == NULL || !it->has_current)
        return;
    if (deletes)
        do_delete_at(it->table, it->last, it->current_key.data);
    else
        do_put_at(it->table, it->last, it->current_key.data, word);
}

/* ---- the whole ------------------------------------------------------------------------------- */

/* The rank that comes after `rank` in that direction; the first when `found` is 0. */
static size_t compare_next(const struct model_table *model, size_t rank, size_t found, bool reverse)
{
    if (!reverse)
        return model_table_next(model, found == 0 ? 0 : rank + 1, run.universe.count);
    return model_table_previous(model, found == 0 ? run.universe.count : rank, 0) - 1;
}

void compare_entries(tarn_iterator *it, const struct model_table *model, bool ordered, bool reverse)
{
    size_t found = 0, rank = 0;
    tarn_bytes key, value;
    int result;

    memset(run.compared, 0, run.universe.count);
    while ((result = tarn_next(it, &key, &value)) == TARN_OK && !outcome->failed) {
        rank = ordered ? compare_next(model, rank, found, reverse)
                       : universe_find(&run.universe, &key);
        expect(rank < run.universe.count && model_has(model, rank));
        if (outcome->failed)
            break;
        expect(keys_equal(&key, key_of(rank)));
        expect(value_is(&model->values[rank], value.data, value.bytes));
        expect(run.compared[rank]++ == 0);
        found++;
    }
    expect(result == TARN_END && found == model->count);
}

void do_compare(size_t t, uint32_t word, const struct model_snapshot *snapshot)
{
    const struct model_table *model = snapshot != NULL ? &snapshot->tables[t] : &run.model[t];
    tarn_table *table = snapshot != NULL ? snapshot->views[t] : run.tables[t];
    bool ordered = run.program->setting.kinds[t] == TARN_ORDERED;
    const tarn_range range = { .reverse = ordered && word % 2 };
    tarn_iterator *it = NULL;
    int result = tarn_scan(&it, table, &range);

    loans_end();
    if (snapshot != NULL && has_failed(snapshot))
        expect(result == TARN_E_FULL);
    else
        expect(result == TARN_OK || is_refusal(result));
    if (result != TARN_OK)
        return;
    compare_entries(it, model, ordered, range.reverse != 0);
    expect(tarn_iterator_close(it) == TARN_OK);
}
