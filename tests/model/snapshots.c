/*
 * snapshots.c - operations on snapshots; see run.h
 *
 * The model of a snapshot is a copy of the model. What a restore changes counts as changed at that
 * step.
 */
#include "model/run.h"

bool has_failed(const struct model_snapshot *s)
{
    const struct setting *setting = &run.program->setting;

    expect(s->snapshot->failure == NULL || run.may_refuse || setting->snapshot_bytes_max != 0);
    return s->snapshot->failure != NULL;
}

/* ---- taking and releasing -------------------------------------------------------------------- */

static void view_close(struct model_snapshot *s, size_t t)
{
    if (s->views[t] != NULL)
        expect(tarn_table_close(s->views[t]) == TARN_OK);
    s->views[t] = NULL;
}

void do_release(size_t slot, uint32_t word)
{
    struct model_snapshot *s = &run.snapshots[slot];
    bool before = word % 2 == 0;
    const void *data;
    size_t bytes, i;

    if (s->snapshot == NULL)
        return;
    for (i = 0; i < ITERATORS; i++)
        if (run.iterators[i].it != NULL && run.iterators[i].snapshot == s) {
            run.iterators[i].gone = true;
            if (before)
                iterator_close(&run.iterators[i]);
        }
    for (i = 0; before && i < run.table_count; i++)
        view_close(s, i);
    expect(tarn_snapshot_release(s->snapshot) == TARN_OK);
    loans_end();
    s->snapshot = NULL;
    for (i = 0; i < run.table_count; i++) {
        if (s->views[i] == NULL)
            continue;
        expect(tarn_get(s->views[i], "k", 1, &data, &bytes) == TARN_E_MISUSE);
        expect(tarn_table_count(s->views[i]) == 0);
        view_close(s, i);
    }
}

void do_take(size_t slot)
{
    struct model_snapshot *s = &run.snapshots[slot];
    size_t t;
    int result;

    do_release(slot, run.step);
    result = tarn_snapshot_take(&s->snapshot, run.store);
    loans_end();
    expect(result == TARN_OK || is_refusal(result));
    expect((result == TARN_OK) == (s->snapshot != NULL));
    if (result != TARN_OK)
        return;
    s->taken = run.step;
    for (t = 0; t < run.table_count; t++)
        model_table_copy(&s->tables[t], &run.model[t]);
    model_dict_copy(&s->dict, &run.dict);
}

/* ---- reading --------------------------------------------------------------------------------- */

struct model_snapshot *view_open(size_t slot, size_t t)
{
    struct model_snapshot *s = &run.snapshots[slot];
    tarn_table *again;
    int result;

    if (s->snapshot == NULL)
        return NULL;
    result = tarn_snapshot_table(&again, s->snapshot, table_name(t));
    loans_end();
    if (has_failed(s))
        expect(result == TARN_E_FULL && again == NULL);
    else
        expect(result == TARN_OK || is_refusal(result));
    if (result != TARN_OK)
        return NULL;
    expect(s->views[t] == NULL || s->views[t] == again);
    if (s->views[t] != NULL)
        expect(tarn_table_close(again) == TARN_OK);
    s->views[t] = again;
    return s;
}

void do_view_get(size_t slot, size_t t, size_t rank)
{
    static tarn_bytes values[GET_MANY_MAX];
    struct model_snapshot *s = view_open(slot, t);
    const struct model_table *model = &run.snapshots[slot].tables[t];
    const void *data = NULL;
    size_t bytes = 0, count, i;

    if (s == NULL)
        return;
    for (count = 0; count < 20 && rank + count < run.universe.count; count++) {
        const tarn_bytes *key = key_of(rank + count);
        bool present = model_has(model, rank + count);

        expect(tarn_get(s->views[t], key->data, key->bytes, &data, &bytes) ==
               (present ? TARN_OK : TARN_ABSENT));
        expect(!present || value_is(&model->values[rank + count], data, bytes));
        expect(tarn_contains(s->views[t], key->data, key->bytes) ==
               (present ? TARN_OK : TARN_ABSENT));
        expect(tarn_put(s->views[t], key->data, key->bytes, "", 0) == TARN_E_MISUSE);
    }
    expect(tarn_get_many(s->views[t], key_of(rank), count, values) == TARN_OK);
    for (i = 0; i < count; i++)
        expect(model_has(model, rank + i)
                   ? value_is(&model->values[rank + i], values[i].data, values[i].bytes)
                   : values[i].data == NULL);
    loans_end();
}

void do_view_close(size_t slot, size_t t)
{
    struct model_snapshot *s = &run.snapshots[slot];

    if (s->snapshot != NULL)
        view_close(s, t); /* its iterators go on */
    loans_end();
}

void do_view_scan(size_t iterator, size_t slot, size_t rank, uint32_t word)
{
    struct model_snapshot *s = view_open(slot, (word >> 24) % run.table_count);

    if (s != NULL)
        do_scan(iterator, rank, word, s);
}

void snapshots_compare_counts(void)
{
    size_t i, t;

    for (i = 0; i < SNAPSHOTS; i++) {
        const struct model_snapshot *s = &run.snapshots[i];
        bool failed = s->snapshot != NULL && has_failed(s);

        for (t = 0; s->snapshot != NULL && t < run.table_count; t++) {
            if (s->views[t] == NULL)
                continue;
            expect(tarn_table_count(s->views[t]) == (failed ? 0 : s->tables[t].count));
            expect(tarn_table_bytes(s->views[t]) == (failed ? 0 : s->tables[t].bytes));
        }
    }
}

/* ---- restoring ------------------------------------------------------------------------------- */

/* What the model says after a restore: entries that were as they are have not changed. */
static void model_restore(const struct model_snapshot *s, size_t t)
{
    struct model_table *model = &run.model[t];
    const struct model_table *old = &s->tables[t];
    size_t rank = 0;

    if (model->emptied > s->taken)
        model_empty(t, false);
    for (; (rank = model_table_next(model, rank, run.universe.count)) < run.universe.count; rank++)
        if (!model_has(old, rank)) {
            model_table_unset(model, rank, key_of(rank)->bytes);
            run.changed = true;
        }
    rank = 0;
    for (; (rank = model_table_next(old, rank, run.universe.count)) < run.universe.count; rank++) {
        struct model_value value = old->values[rank];

        if (model_has(model, rank) && model->values[rank].bytes == value.bytes &&
            model->values[rank].seed == value.seed)
            continue;
        value.changed = run.step;
        model_table_set(model, rank, key_of(rank)->bytes, value);
        run.changed = true;
    }
    expect(model->count == old->count && model->bytes == old->bytes);
}

void do_restore(size_t slot)
{
    struct model_snapshot *s = &run.snapshots[slot];
    size_t t;
    int result;

    if (s->snapshot == NULL)
        return;
    result = tarn_snapshot_restore(s->snapshot);
    loans_end();
    if (has_failed(s)) {
        expect(result == TARN_E_FULL);
        return;
    }
    expect(result == TARN_OK || is_refusal(result));
    if (result != TARN_OK) { /* once there is room, it can be repeated */
        run_lift_limits();
        expect(tarn_snapshot_restore(s->snapshot) == TARN_OK);
    }
    for (t = 0; t < run.table_count; t++)
        model_restore(s, t);
    if (run.dict.emptied > s->taken)
        model_dict_empty();
    run.changed |= run.dict.count != s->dict.count;
    model_dict_copy(&run.dict, &s->dict);
}
