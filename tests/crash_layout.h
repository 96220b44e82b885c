/*
 * crash_layout.h - what a store of crash.h should hold: narrow, wide or large
 *
 *     narrow   3 tables of 8 keys
 *     wide     4 tables of 160, 120, 80 and 60 keys, one of them of i64, and a dictionary: a sweep
 *              takes many commits, and small indexes are built anew meanwhile
 *     large    the same, but 2,800 keys in the first: its index grows a few buckets with each
 *              write, so that it is amid moving when the sweep comes by and the power fails
 *
 * A value is a number of bytes made from a stamp, so a copy of the state is small and yet the
 * comparison is of every byte.
 *
 * crash_state.h is the narrow one alone, for test_store_faults; crash_value.h what both have.
 */
#ifndef CRASH_LAYOUT_H
#define CRASH_LAYOUT_H

#include "crash.h"
#include "crash_value.h"

#include <stddef.h>
#include <tarn.h>

#define CRASH_TABLES_MAX 4
#define CRASH_KEYS_MAX 3060 /* of all tables of a layout */
#define CRASH_TABLE_KEYS_MAX 2800
#define CRASH_WORDS_MAX 200
#define CRASH_KEY_BYTES_MAX 300
#define CRASH_DICT_NAME "words"

struct crash_table {
    bool exists;
    int kind;
};

struct crash_dict {
    bool exists;
    unsigned count;
    uint16_t words[CRASH_WORDS_MAX]; /* by code */
};

struct crash_store {
    struct crash_table tables[CRASH_TABLES_MAX];
    struct crash_dict dict;
    uint32_t note_stamp;
    uint32_t note_bytes;
    struct crash_entry entries[CRASH_KEYS_MAX]; /* of one table behind the other; few may be used */
};

struct crash_layout {
    unsigned table_count;
    unsigned key_count; /* of all tables */
    struct crash_layout_table {
        const char *name;
        unsigned first; /* of its entries */
        unsigned key_count;
        int type; /* TARN_ANY, or TARN_I64: the value is the stamp */
        uint32_t value_bytes;
    } tables[CRASH_TABLES_MAX];
    tarn_bytes (*key)(unsigned key);
    /* Of crash_wide.c: */
    unsigned first_weight; /* how much more often the first table is changed */
    unsigned filled_count; /* a store of fewer entries gets up to so many changes with a commit */
    unsigned filling_changes;
    unsigned clear_one_in; /* changes */
};

/* The empty one, then 2 to 40 bytes that begin with the number; each 16th has 270, and ends so. */
static inline tarn_bytes crash_wide_key(unsigned key)
{
    static char bytes[CRASH_TABLE_KEYS_MAX][CRASH_KEY_BYTES_MAX];
    static size_t lengths[CRASH_TABLE_KEYS_MAX];
    uint64_t random = key;

    if (key != 0 && lengths[key] == 0) {
        memset(bytes[key], 'x', CRASH_KEY_BYTES_MAX);
        lengths[key] = key % 16 == 0 ? 270 : key % 4 == 0 ? 8 : 2 + test_random(&random) % 39;
        bytes[key][key % 16 == 0 ? 268 : 0] = (char)(key >> 8);
        bytes[key][key % 16 == 0 ? 269 : 1] = (char)key;
    }
    return (tarn_bytes){ bytes[key], lengths[key] };
}

static inline const struct crash_layout *crash_layout(enum crash_size size)
{
    static const struct crash_layout layouts[] = {
        [CRASH_NARROW] = { .table_count = 3,
                           .key_count = 24,
                           .tables = { { "a", 0, 8, TARN_ANY, 0 },
                                       { "second", 8, 8, TARN_ANY, 0 },
                                       { "t3", 16, 8, TARN_ANY, 0 } },
                           .key = crash_few_key },
        [CRASH_WIDE] = { .table_count = 4,
                         .key_count = 420,
                         .tables = { { "a", 0, 160, TARN_ANY, 200 },
                                     { "second", 160, 120, TARN_ANY, 200 },
                                     { "numbers", 280, 80, TARN_I64, 8 },
                                     { "t4", 360, 60, TARN_ANY, 700 } },
                         .key = crash_wide_key,
                         .first_weight = 3,
                         .filled_count = 200,
                         .filling_changes = 60,
                         .clear_one_in = 100 },
        [CRASH_LARGE] = { .table_count = 4,
                          .key_count = 3060,
                          .tables = { { "a", 0, 2800, TARN_ANY, 24 },
                                      { "second", 2800, 120, TARN_ANY, 200 },
                                      { "numbers", 2920, 80, TARN_I64, 8 },
                                      { "t4", 3000, 60, TARN_ANY, 700 } },
                          .key = crash_wide_key,
                          .first_weight = 30,
                          .filled_count = 2230,
                          .filling_changes = 500,
                          .clear_one_in = 20000 },
    };

    return &layouts[size];
}

static inline void crash_store_copy(const struct crash_layout *layout, struct crash_store *to,
                                    const struct crash_store *from)
{
    memcpy(to, from,
           offsetof(struct crash_store, entries) + layout->key_count * sizeof *from->entries);
}

/* The same for a table of that type: a number is its stamp, so that sums cannot overflow. */
static inline const void *crash_value_as(int type, uint32_t stamp, uint32_t bytes)
{
    static uint8_t number[8];
    unsigned i;

    if (type != TARN_I64)
        return crash_value(stamp, bytes);
    for (i = 0; i < 4; i++)
        number[i] = (uint8_t)(stamp >> 8 * i);
    return number;
}

/* NULL: the table holds these entries and no others; else what differs. */
static inline const char *crash_table_differs(const struct crash_layout *layout, unsigned t,
                                              tarn_table *table, const struct crash_store *state)
{
    const struct crash_layout_table *of = &layout->tables[t];
    uint64_t count = 0;
    unsigned k;

    for (k = 0; k < of->key_count; k++) {
        const struct crash_entry *entry = &state->entries[of->first + k];
        tarn_bytes key = layout->key(k);
        const void *value;
        size_t bytes;
        int result = tarn_get(table, key.data, key.bytes, &value, &bytes);

        if ((result == TARN_OK) != (entry->stamp != 0))
            return "an entry is there, or is not";
        if (result == TARN_OK &&
            (bytes != entry->bytes ||
             memcmp(value, crash_value_as(of->type, entry->stamp, entry->bytes), bytes) != 0))
            return "a value is another";
        count += result == TARN_OK;
    }
    return tarn_table_count(table) == count ? NULL : "there are more entries";
}

/* NULL: the dictionary has these words under their codes and no others; else what differs. */
static inline const char *crash_dict_differs(const struct crash_layout *layout, tarn_store *store,
                                             const struct crash_dict *wanted)
{
    tarn_dict *dict;
    tarn_bytes key, word;
    uint32_t code, found;

    if (tarn_dict_open(&dict, store, CRASH_DICT_NAME, NULL) < 0)
        return "the dictionary cannot be opened";
    if (tarn_dict_count(dict) != wanted->count)
        return "the dictionary has more words, or fewer";
    for (code = 0; code < wanted->count; code++) {
        key = layout->key(wanted->words[code]);
        if (tarn_dict_find(dict, key.data, key.bytes, &found) != TARN_OK || found != code)
            return "a word has another code";
        if (tarn_dict_decode(dict, code, &word) != TARN_OK || word.bytes != key.bytes ||
            memcmp(word.data, key.data, key.bytes) != 0)
            return "a code is of another word";
    }
    return tarn_dict_close(dict) < 0 ? "the dictionary cannot be closed" : NULL;
}

/* NULL: the store is that state; else what differs. */
static inline const char *crash_store_differs(tarn_store *store, const struct crash_layout *layout,
                                              const struct crash_store *state)
{
    tarn_statistics statistics;
    unsigned t, table_count = state->dict.exists ? 2 : 0; /* a dictionary counts as two */
    const char *differs;
    tarn_bytes note;

    for (t = 0; t < layout->table_count; t++)
        table_count += state->tables[t].exists;
    if (tarn_stat(store, &statistics) < 0 || statistics.table_count != table_count)
        return "there are more or fewer tables";
    if (tarn_last_commit(store, NULL, &note) < 0 || note.bytes != state->note_bytes ||
        memcmp(note.data, crash_value(state->note_stamp, state->note_bytes), note.bytes) != 0)
        return "the note is another";
    for (t = 0; t < layout->table_count; t++) {
        const struct crash_table *wanted = &state->tables[t];
        const tarn_table_options options = { wanted->kind, layout->tables[t].type, 0 };
        tarn_table *table;

        if (!wanted->exists)
            continue;
        if (tarn_table_open(&table, store, layout->tables[t].name, &options) < 0)
            return "a table cannot be opened as it was";
        differs = crash_table_differs(layout, t, table, state);
        if (differs != NULL)
            return differs;
        if (tarn_table_close(table) < 0)
            return "a table cannot be closed";
    }
    differs = state->dict.exists ? crash_dict_differs(layout, store, &state->dict) : NULL;
    if (differs != NULL)
        return differs;
    if (tarn_stat(store, &statistics) < 0 || statistics.table_count != table_count)
        return "a table was missing";
    return NULL;
}

/* How many changes the next commit of a wide or large store has; crash_wide.c. */
unsigned crash_wide_count(uint64_t *random, const struct crash_layout *layout,
                          const struct crash_store *now);

/* One of them, done to the store and to what it should hold. NULL, or what failed. */
const char *crash_wide_change(uint64_t *random, const struct crash_layout *layout,
                              struct crash_store *now, tarn_store *store);

#endif
