/*
 * crash_wide.c - changes of wide and large stores; see crash_layout.h
 *
 *     mostly         put, delete, add to a number, encode
 *     now and then   clear, drop; the next change makes anew what was dropped
 */
#include "crash_layout.h"

#include "base/base.h"

#include <tarn_typed.h>

static uint64_t below(uint64_t *random, uint64_t limit)
{
    return test_random(random) % limit;
}

/* Filled first, and after a clear; then most commits are small, so that a sweep takes many. */
unsigned crash_wide_count(uint64_t *random, const struct crash_layout *layout,
                          const struct crash_store *now)
{
    unsigned k, count = 0;

    for (k = 0; k < layout->key_count; k++)
        count += now->entries[k].stamp != 0;
    if (count < layout->filled_count)
        return (unsigned)below(random,
                               tn_min(layout->filling_changes, 10 + layout->filled_count - count));
    return (unsigned)below(random, below(random, 5) == 0 ? 30 : 6);
}

/* Of many sizes, few of them large: a large one brings the sweep around in a commit. */
static uint32_t value_bytes(uint64_t *random, const struct crash_layout_table *of)
{
    return (uint32_t)below(random, below(random, 500) == 0 ? 6000 : of->value_bytes);
}

static int entry_put(uint64_t *random, tarn_table *table, const struct crash_layout_table *of,
                     tarn_bytes key, struct crash_entry *entry)
{
    const struct crash_entry before = *entry;
    int64_t sum;

    entry->stamp = 1 + (uint32_t)(test_random(random) >> 33);
    entry->bytes = of->type == TARN_I64 ? 8 : value_bytes(random, of);
    if (of->type != TARN_I64)
        return tarn_put(table, key.data, key.bytes, crash_value(entry->stamp, entry->bytes),
                        entry->bytes);
    if (below(random, 2) == 0)
        return tarn_put_as(table, of->type, key.data, key.bytes,
                           crash_value_as(of->type, entry->stamp, 8), 8);
    return tarn_add_i64(table, key.data, key.bytes, (int64_t)entry->stamp - before.stamp, &sum);
}

static int table_change(uint64_t *random, const struct crash_layout *layout, unsigned t,
                        struct crash_store *now, tarn_store *store)
{
    const struct crash_layout_table *of = &layout->tables[t];
    struct crash_table *model = &now->tables[t];
    struct crash_entry *entries = &now->entries[of->first];
    unsigned k = (unsigned)below(random, of->key_count);
    tarn_table_options options = { (int)below(random, 2), of->type, 0 };
    tarn_bytes key = layout->key(k);
    tarn_table *table;
    int result;

    if (model->exists)
        options.kind = model->kind;
    result = tarn_table_open(&table, store, of->name, &options);
    if (result < 0)
        return result;
    *model = (struct crash_table){ true, options.kind };
    if (below(random, layout->clear_one_in) == 0) {
        memset(entries, 0, of->key_count * sizeof *entries);
        model->exists = below(random, 2) == 0;
        result = model->exists ? tarn_table_clear(table) : tarn_table_drop(table);
    } else if (below(random, 5) == 0) {
        entries[k] = (struct crash_entry){ 0 };
        result = tarn_delete(table, key.data, key.bytes);
    } else {
        result = entry_put(random, table, of, key, &entries[k]);
    }
    (void)tarn_table_close(table);
    return result;
}

static int dict_change(uint64_t *random, const struct crash_layout *layout,
                       struct crash_dict *model, tarn_store *store)
{
    unsigned word = (unsigned)below(random, CRASH_WORDS_MAX), code = 0;
    tarn_bytes key = layout->key(word);
    tarn_dict *dict;
    uint32_t given;
    int result = tarn_dict_open(&dict, store, CRASH_DICT_NAME, NULL);

    if (result < 0)
        return result;
    model->exists = true;
    if (below(random, layout->clear_one_in) == 0) {
        *model = (struct crash_dict){ .exists = below(random, 2) == 0 };
        result = model->exists ? tarn_dict_clear(dict) : tarn_dict_drop(dict);
    } else {
        while (code < model->count && model->words[code] != word)
            code++;
        model->words[code] = (uint16_t)word;
        model->count += code == model->count;
        result = tarn_dict_encode(dict, key.data, key.bytes, &given);
        if (result == TARN_OK && given != code)
            result = TARN_E_CORRUPT;
    }
    (void)tarn_dict_close(dict);
    return result;
}

const char *crash_wide_change(uint64_t *random, const struct crash_layout *layout,
                              struct crash_store *now, tarn_store *store)
{
    /* The last one is the dictionary. */
    static const unsigned char others[] = { 1, 1, 2, 2, 3, 4, 4 };
    uint64_t choice = below(random, layout->first_weight + sizeof others);
    unsigned t = choice < sizeof others ? others[choice] : 0;
    int result = t < layout->table_count ? table_change(random, layout, t, now, store)
                                         : dict_change(random, layout, &now->dict, store);

    if (result < 0)
        return result == TARN_E_CORRUPT ? "a word was given another code" : tarn_error_text(store);
    return NULL;
}
