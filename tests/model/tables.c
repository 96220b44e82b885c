/*
 * tables.c - operations on tables and on the store; see run.h
 */
#include "model/run.h"

/* ---- opening, clearing, dropping ------------------------------------------------------------- */

const char *table_name(size_t t)
{
    static char names[TABLES_MAX][16];

    if (names[t][0] == 0)
        snprintf(names[t], sizeof names[t], "table %zu", t);
    return names[t];
}

void model_iterators_end(size_t t, bool gone)
{
    size_t i;

    for (i = 0; i < ITERATORS; i++)
        if (run.iterators[i].it != NULL && run.iterators[i].table == t &&
            run.iterators[i].snapshot == NULL) {
            run.iterators[i].ended = true;
            run.iterators[i].gone |= gone;
        }
}

void model_empty(size_t t, bool gone)
{
    model_table_empty(&run.model[t]);
    run.model[t].emptied = run.step;
    model_iterators_end(t, gone);
    run.changed = true;
}

void make_room(size_t except)
{
    size_t i;

    for (i = 0; i < SNAPSHOTS; i++)
        do_release(i, 0);
    for (i = 0; i < run.table_count; i++)
        if (i != except && run.tables[i] != NULL && tarn_table_clear(run.tables[i]) == TARN_OK)
            model_empty(i, false);
    if (run.dicts[0] != NULL)
        do_dict_clear(0);
    if (run.neighbour.store != NULL)
        expect(tarn_table_clear(run.neighbour.table) == TARN_OK);
    while (tarn_work(run.store, UINT64_MAX) == TARN_OK) {
    }
    while (run.neighbour.store != NULL && tarn_work(run.neighbour.store, UINT64_MAX) == TARN_OK) {
    }
}

void table_open(size_t t)
{
    static const size_t struct_bytes = 24;
    const struct setting *setting = &run.program->setting;
    const tarn_table_options options = {
        .kind = setting->kinds[t],
        .type = setting->types[t],
        .value_bytes = setting->types[t] == TARN_STRUCT ? struct_bytes : 0,
    };
    int result = TARN_E_MEMORY, tries = 0;
    bool roomy = false;

    for (; result != TARN_OK && tries < 1000; tries++) {
        result = tarn_table_open(&run.tables[t], run.store, table_name(t), &options);
        expect(result == TARN_OK || is_refusal(result));
        if (result == TARN_E_FULL && tries >= 10 && !roomy) {
            make_room(t);
            roomy = true;
        }
    }
    expect(result == TARN_OK);
}

void do_clear(size_t t)
{
    int result = tarn_table_clear(run.tables[t]);

    loans_end();
    expect(result == TARN_OK || is_refusal(result));
    if (result == TARN_OK)
        model_empty(t, false);
}

void do_drop(size_t t)
{
    tarn_table *old = run.tables[t];
    tarn_table_options options;
    void *data;

    expect(tarn_table_drop(old) == TARN_OK);
    loans_end();
    model_empty(t, true);
    expect(tarn_put(old, "k", 1, "v", 1) == TARN_E_MISUSE);
    expect(tarn_modify(old, "k", 1, 8, &data) == TARN_E_MISUSE);
    expect(tarn_table_describe(old, &options) == TARN_E_MISUSE);
    expect(tarn_table_drop(old) == TARN_E_MISUSE);
    expect(tarn_table_count(old) == 0 && tarn_table_bytes(old) == 0);
    run.tables[t] = NULL;
    expect(tarn_table_close(old) == TARN_OK);
    table_open(t);
}

void do_open_again(size_t t)
{
    const struct setting *setting = &run.program->setting;
    tarn_table_options options;
    tarn_table *again = NULL;

    expect(tarn_table_open(&again, run.store, table_name(t), NULL) == TARN_OK);
    expect(again == run.tables[t]);
    expect(tarn_table_describe(again, &options) == TARN_OK);
    expect(options.kind == setting->kinds[t] && options.type == setting->types[t]);
    expect(strcmp(tarn_table_name(again), table_name(t)) == 0);
    expect(tarn_table_close(again) == TARN_OK);
    options.kind = !options.kind;
    expect(tarn_table_open(&again, run.store, table_name(t), &options) == TARN_E_TYPE);
    expect(again == NULL);
    loans_end();
}

/* ---- the store ------------------------------------------------------------------------------- */

bool note_is(const tarn_bytes *note, struct model_value wanted)
{
    return note->bytes == wanted.bytes && value_is_made_of(wanted.seed, note->data, note->bytes);
}

/*
 * `missing`: a table, or, one more, the dictionary, which there is none of at the moment; SIZE_MAX:
 * all are there.
 */
void commit_all_but(size_t missing, uint32_t word)
{
    static const uint16_t sizes[] = { 4, 4, 0, 37, 3000 };
    static uint8_t bytes[3000];
    struct model_value note = { .seed = word % 3, .bytes = sizes[word / 4 % 5] };
    bool same = note.bytes == run.note.bytes && (note.bytes == 0 || note.seed == run.note.seed);
    tarn_bytes old;
    uint64_t number;
    int result;

    value_fill(bytes, note.bytes, note.seed);
    result = tarn_commit(run.store, bytes, note.bytes, word & TARN_SYNC);
    loans_end();
    expect(result == TARN_OK || is_refusal(result));
    if (result == TARN_OK && (run.changed || !same)) {
        run.commit_number++;
        run.changed = false;
        run.note = note;
        disk_save(missing);
    }
    if (result == TARN_OK)
        disk_settled((word & TARN_SYNC) != 0);
    expect(tarn_last_commit(run.store, &number, &old) == TARN_OK && number == run.commit_number);
    expect(note_is(&old, run.note));
}

void do_commit(uint32_t word)
{
    commit_all_but(SIZE_MAX, word);
}

void do_work(uint32_t word)
{
    int result = tarn_work(run.store, word % 2 ? UINT64_MAX : word % 100000);
    tarn_statistics stat;

    loans_end();
    expect(result == TARN_OK || result == TARN_END);
    expect(tarn_stat(run.store, &stat) == TARN_OK);
    expect(result != TARN_END || stat.garbage_bytes == 0);
}

/* Codes that are known have texts of their own; all others have one together. */
static void look_at_texts(uint32_t word)
{
    int one = TARN_E_TYPE - 2 + (int)(word % 16), other = TARN_E_TYPE - 2 + (int)(word / 16 % 16);
    bool known = one >= TARN_E_TYPE && one <= TARN_PRESENT;
    bool other_known = other >= TARN_E_TYPE && other <= TARN_PRESENT;
    bool same = strcmp(tarn_result_text(one), tarn_result_text(other)) == 0;

    expect(same == (one == other || (!known && !other_known)));
    expect(strcmp(tarn_version(), TARN_VERSION_TEXT) == 0);
}

void do_misuse(size_t t, size_t rank, uint32_t word)
{
    static uint8_t long_key[TARN_KEY_BYTES_MAX + 1];
    const tarn_bytes *key = key_of(rank);
    size_t bytes = sizeof long_key;
    tarn_iterator *it = NULL;
    const void *data;
    void *modified;

    switch (word % 8) {
    case 0:
        expect(tarn_put(run.tables[t], long_key, bytes, "v", 1) == TARN_E_MISUSE);
        break;
    case 1:
        expect(tarn_get(run.tables[t], long_key, bytes, &data, &bytes) == TARN_E_MISUSE);
        break;
    case 2:
        expect(tarn_put(run.tables[t], key->data, key->bytes, NULL, 1) == TARN_E_MISUSE);
        break;
    case 3:
        expect(tarn_put(run.tables[t], key->data, key->bytes, "", (size_t)1 << 32) ==
               TARN_E_MISUSE);
        break;
    case 4:
        expect(tarn_modify(run.tables[t], long_key, bytes, 8, &modified) == TARN_E_MISUSE);
        break;
    case 5:
        expect(tarn_delete(run.tables[t], NULL, 4) == TARN_E_MISUSE);
        break;
    case 6:
        expect(tarn_scan(&it, run.tables[t], &(tarn_range){ .lower = { long_key, bytes } }) ==
               TARN_E_MISUSE);
        break;
    default:
        expect(tarn_commit(run.store, NULL, 1, 0) == TARN_E_MISUSE);
    }
    expect(tarn_error_text(run.store)[0] != 0);
    look_at_texts(word / 8);
    loans_end();
}

/* ---- the neighbour --------------------------------------------------------------------------- */

/* It takes memory from the budget and gives it back. What it has is not compared, only what it counts. */
void do_neighbour(uint32_t word)
{
    static uint8_t value[100000];
    tarn_table *table = run.neighbour.table;
    tarn_statistics own, other;
    uint32_t key = word >> 8 & 63;
    int result = TARN_OK;

    if (table == NULL)
        return;
    if (word % 8 < 5)
        result = tarn_put(table, &key, sizeof key, value, word >> 4 & 0xFFFF);
    else if (word % 8 < 7)
        (void)tarn_delete(table, &key, sizeof key);
    else if (word >> 4 & 1)
        result = tarn_table_clear(table);
    else
        result = tarn_work(run.neighbour.store, word >> 8) < 0;
    expect(result == TARN_OK || result == TARN_E_FULL || is_refusal(result));
    expect(tarn_stat(run.store, &own) == TARN_OK);
    expect(tarn_stat(run.neighbour.store, &other) == TARN_OK);
    expect(tarn_budget_used(run.budget) == own.memory_bytes + other.memory_bytes);
    expect(own.budget_bytes == other.budget_bytes);
    expect(run.limit_lifted || tarn_budget_used(run.budget) <= run.budget_bytes);
}
