/*
 * exports.c - exports of snapshots, into another store and back into the same; see run.h
 *
 * Out and in by functions of the model's or by descriptors: streams of the simulated system where
 * the store has one, else files. Either way takes the same memory, so refusals fall the same.
 *
 *     EXPORT   a snapshot --> bytes --> a new store, which has what the snapshot's model has
 *     MOVE     the store --> bytes, every table dropped, bytes --> the store, which is as it was
 */
#include "model/run.h"

#include "os/simulated.h"

#include <unistd.h>

/* ---- bytes ----------------------------------------------------------------------------------- */

struct exported {
    uint8_t *data;
    size_t count, room;
    size_t taken; /* read already */
};

static int exported_write(void *context, const void *bytes, size_t count)
{
    struct exported *e = context;

    if (count > e->room - e->count) {
        e->room = 2 * e->room + count;
        e->data = realloc(e->data, e->room);
        if (e->data == NULL)
            abort();
    }
    memcpy(e->data + e->count, bytes, count);
    e->count += count;
    return 0;
}

/* In pieces of odd sizes. */
static int exported_read(void *context, void *to, size_t room, size_t *count)
{
    struct exported *e = context;
    size_t left = e->count - e->taken, piece = 1 + (e->count ^ e->taken) % 7919;

    *count = tn_min(tn_min(left, piece), room);
    memcpy(to, e->data + e->taken, *count);
    e->taken += *count;
    return 0;
}

/* ---- descriptors ----------------------------------------------------------------------------- */

static bool is_simulated(const tarn_store *store)
{
    return store == run.store && run.system != NULL;
}

/* What was written to the file, from its start. */
static void exported_from_file(struct exported *e, FILE *file)
{
    uint8_t bytes[4096];
    size_t count;

    rewind(file);
    while ((count = fread(bytes, 1, sizeof bytes, file)) > 0)
        expect(exported_write(e, bytes, count) == 0);
    expect(feof(file));
}

static int export_to_descriptor(tarn_snapshot *snapshot, struct exported *e)
{
    FILE *file = NULL;
    const uint8_t *written;
    size_t count;
    int result, stream = 0;

    if (run.system != NULL) {
        stream = tn_simulated_stream_new(run.system);
        result = tarn_snapshot_export(snapshot, stream);
        written = tn_simulated_stream_data(run.system, stream, &count);
        if (count > 0)
            expect(exported_write(e, written, count) == 0);
        return result;
    }
    file = tmpfile();
    if (file == NULL)
        abort();
    result = tarn_snapshot_export(snapshot, fileno(file));
    exported_from_file(e, file);
    expect(fclose(file) == 0);
    return result;
}

static int import_from_descriptor(tarn_store *store, const struct exported *e)
{
    FILE *file;
    int result, stream;

    if (is_simulated(store)) {
        stream = tn_simulated_stream_new(run.system);
        expect(store->os.ops->stream_write(store->os.context, stream, e->data, e->count) == 0);
        return tarn_import(store, stream);
    }
    file = tmpfile();
    if (file == NULL)
        abort();
    expect(fwrite(e->data, 1, e->count, file) == e->count && fflush(file) == 0);
    rewind(file);
    result = tarn_import(store, fileno(file));
    expect(result != TARN_OK || lseek(fileno(file), 0, SEEK_CUR) == (off_t)e->count);
    expect(fclose(file) == 0);
    return result;
}

static int export_to(tarn_snapshot *snapshot, struct exported *e, bool by_descriptor)
{
    return by_descriptor ? export_to_descriptor(snapshot, e)
                         : tarn_snapshot_export_with(snapshot, exported_write, e);
}

static int import_from(tarn_store *store, struct exported *e, bool by_descriptor)
{
    e->taken = 0;
    return by_descriptor ? import_from_descriptor(store, e)
                         : tarn_import_with(store, exported_read, e);
}

/* ---- into another store ---------------------------------------------------------------------- */

/* As many entries as there should be, and all that should be, are all that are. It needs no memory. */
static void compare_gets(tarn_table *table, const struct model_table *model)
{
    size_t rank = 0, count = run.universe.count, bytes = 0;
    const void *data = NULL;

    for (; (rank = model_table_next(model, rank, count)) < count && !outcome->failed; rank++) {
        expect(tarn_get(table, key_of(rank)->data, key_of(rank)->bytes, &data, &bytes) == TARN_OK);
        expect(value_is(&model->values[rank], data, bytes));
    }
}

void compare_table(tarn_store *store, size_t t, const struct model_table *model)
{
    const struct setting *setting = &run.program->setting;
    tarn_table_options options = { 0 };
    tarn_table *table = NULL;
    tarn_iterator *it = NULL;
    int result;

    expect(tarn_table_open(&table, store, table_name(t), NULL) == TARN_OK);
    expect(tarn_table_describe(table, &options) == TARN_OK);
    expect(options.kind == setting->kinds[t] && options.type == setting->types[t]);
    expect(tarn_table_count(table) == model->count && tarn_table_bytes(table) == model->bytes);
    expect(tn_index_check(&table->index));
    expect(table->ordered == NULL || tn_ordered_check(table->ordered));
    if (outcome->failed)
        return;
    result = tarn_scan(&it, table, NULL);
    expect(result == TARN_OK || (store == run.store && is_refusal(result)));
    if (result == TARN_OK)
        compare_entries(it, model, options.kind == TARN_ORDERED, false);
    else
        compare_gets(table, model);
    expect(tarn_iterator_close(it) == TARN_OK);
}

void compare_dict(tarn_store *store, const struct model_dict *model)
{
    tarn_dict *dict = NULL;
    tarn_bytes key;
    uint32_t i;
    int result;

    result = tarn_dict_open(&dict, store, dict_name, NULL);
    expect(result == TARN_OK || (store == run.store && is_refusal(result)));
    if (result != TARN_OK)
        return;
    expect(tarn_dict_count(dict) == model->count);
    for (i = 0; i < model->count && !outcome->failed; i++) {
        expect(tarn_dict_decode(dict, i, &key) == TARN_OK);
        expect(keys_equal(&key, key_of(model->ranks[i])));
    }
    expect(tarn_dict_close(dict) == TARN_OK);
}

static void compare_exported(struct exported *e, const struct model_snapshot *s, bool by_descriptor)
{
    tarn_store *store = NULL;
    size_t t;

    expect(tarn_open(&store, NULL, &(tarn_options){ .address_bytes = 4 * TN_GIB }) == TARN_OK);
    expect(import_from(store, e, by_descriptor) == TARN_OK);
    expect(store->table_count == run.table_count + 2);
    for (t = 0; t < run.table_count && !outcome->failed; t++)
        compare_table(store, t, &s->tables[t]);
    if (!outcome->failed)
        compare_dict(store, &s->dict);
    expect(tarn_close(store) == TARN_OK);
}

void do_export(size_t slot, uint32_t word)
{
    struct model_snapshot *s = &run.snapshots[slot];
    struct exported e = { 0 };
    int result;

    if (s->snapshot == NULL)
        return;
    result = export_to(s->snapshot, &e, word % 2 != 0);
    loans_end();
    if (has_failed(s))
        expect(result == TARN_E_FULL && e.count == 0);
    else
        expect(result == TARN_OK || is_refusal(result));
    if (result == TARN_OK)
        compare_exported(&e, s, word / 2 % 2 != 0);
    free(e.data);
}

/* ---- into the same store --------------------------------------------------------------------- */

static int export_all(struct exported *e, bool by_descriptor)
{
    tarn_snapshot *snapshot;
    int result = tarn_snapshot_take(&snapshot, run.store);

    if (result != TARN_OK)
        return result;
    result = export_to(snapshot, e, by_descriptor);
    expect(tarn_snapshot_release(snapshot) == TARN_OK);
    return result;
}

static void drop_all(void)
{
    size_t t, i;

    for (t = 0; t < run.table_count; t++) {
        expect(tarn_table_drop(run.tables[t]) == TARN_OK);
        expect(tarn_table_close(run.tables[t]) == TARN_OK);
        run.tables[t] = NULL;
    }
    expect(tarn_dict_drop(run.dicts[0]) == TARN_OK);
    for (i = 0; i < 2; i++) {
        expect(tarn_dict_close(run.dicts[i]) == TARN_OK);
        run.dicts[i] = NULL;
    }
}

/* Other tables with the same entries: their iterators are gone. */
static void model_renew(size_t t)
{
    struct model_table *model = &run.model[t];
    size_t rank = 0;

    model_iterators_end(t, true);
    model->emptied = run.step;
    for (; (rank = model_table_next(model, rank, run.universe.count)) < run.universe.count; rank++)
        model->values[rank].changed = run.step;
}

/* Whatever is refused leaves nothing of the import; then the tables are made anew, and empty. */
void do_move(uint32_t word)
{
    struct exported e = { 0 };
    int result = export_all(&e, word % 2 != 0);
    size_t t;

    loans_end();
    expect(result == TARN_OK || is_refusal(result));
    if (result == TARN_OK) {
        result = import_from(run.store, &e, word / 4 % 2 != 0);
        expect(result == TARN_E_MISUSE || is_refusal(result)); /* the tables are there */
        drop_all();
        result = import_from(run.store, &e, word / 2 % 2 != 0);
        expect(result == TARN_OK || is_refusal(result));
        expect(run.store->table_count == (result == TARN_OK ? run.table_count + 2 : 0));
        for (t = 0; t < run.table_count; t++) {
            if (result == TARN_OK)
                model_renew(t);
            else
                model_empty(t, true);
        }
        run.dict.emptied = run.step;
        if (result != TARN_OK)
            model_dict_empty();
        run.changed = true;
        for (t = 0; t < run.table_count; t++)
            table_open(t);
        dicts_open();
    }
    free(e.data);
}
