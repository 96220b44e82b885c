/*
 * crash_state.h - what a store should hold, small enough to keep a copy of every commit
 *
 * Three tables of eight keys, and a dictionary of the same. A value is a number of bytes made from a
 * stamp, so a copy of the state is a few hundred bytes and yet the comparison is of every byte.
 */
#ifndef CRASH_STATE_H
#define CRASH_STATE_H

#include "crash_value.h"

#include <tarn.h>

#define CRASH_TABLES 3
#define CRASH_KEYS CRASH_FEW_KEYS

struct crash_table {
    bool exists;
    int kind;
    struct crash_entry entries[CRASH_KEYS];
};

struct crash_dict {
    bool exists;
    uint32_t count;
    uint8_t keys[CRASH_KEYS]; /* of each code */
};

#define CRASH_DICT_NAME "words"

struct crash_state {
    struct crash_table tables[CRASH_TABLES];
    struct crash_dict dict;
    uint32_t note_stamp;
    uint32_t note_bytes;
};

static inline const char *crash_table_name(unsigned table)
{
    static const char *const names[CRASH_TABLES] = { "a", "second", "t3" };

    return names[table];
}

/* NULL: the table holds these entries and no others; else what differs. */
static inline const char *crash_table_differs(tarn_table *table, const struct crash_table *wanted)
{
    uint64_t count = 0;
    unsigned k;

    for (k = 0; k < CRASH_KEYS; k++) {
        const struct crash_entry *entry = &wanted->entries[k];
        tarn_bytes key = crash_few_key(k);
        const void *value;
        size_t bytes;
        int result = tarn_get(table, key.data, key.bytes, &value, &bytes);

        if ((result == TARN_OK) != (entry->stamp != 0))
            return "an entry is there, or is not";
        if (result == TARN_OK &&
            (bytes != entry->bytes ||
             memcmp(value, crash_value(entry->stamp, entry->bytes), bytes) != 0))
            return "a value is another";
        count += result == TARN_OK;
    }
    return tarn_table_count(table) == count ? NULL : "there are more entries";
}

/* The same of a dictionary. */
static inline const char *crash_dict_differs(tarn_dict *dict, const struct crash_dict *wanted)
{
    uint32_t code, found;

    for (code = 0; code < wanted->count; code++) {
        tarn_bytes key = crash_few_key(wanted->keys[code]), there;

        if (tarn_dict_decode(dict, code, &there) != TARN_OK || there.bytes != key.bytes ||
            memcmp(there.data, key.data, key.bytes) != 0)
            return "a code has another key";
        if (tarn_dict_find(dict, key.data, key.bytes, &found) != TARN_OK || found != code)
            return "a key has another code";
    }
    return tarn_dict_count(dict) == wanted->count ? NULL : "there are more codes";
}

/* What tarn_stat says. */
static inline uint64_t crash_table_count(const struct crash_state *state)
{
    uint64_t count = state->dict.exists ? 2 : 0;
    unsigned t;

    for (t = 0; t < CRASH_TABLES; t++)
        count += state->tables[t].exists;
    return count;
}

/* NULL: the store is that state; else what differs. */
static inline const char *crash_state_differs(tarn_store *store, const struct crash_state *state)
{
    tarn_statistics statistics;
    uint64_t table_count = crash_table_count(state);
    const char *differs;
    tarn_bytes note;
    tarn_dict *dict;
    unsigned t;

    if (tarn_stat(store, &statistics) < 0 || statistics.table_count != table_count)
        return "there are more or fewer tables";
    if (tarn_last_commit(store, NULL, &note) < 0 || note.bytes != state->note_bytes ||
        (note.bytes > 0 &&
         memcmp(note.data, crash_value(state->note_stamp, state->note_bytes), note.bytes) != 0))
        return "the note is another";
    for (t = 0; t < CRASH_TABLES; t++) {
        const struct crash_table *wanted = &state->tables[t];
        const tarn_table_options options = { .kind = wanted->kind };
        tarn_table *table;

        if (!wanted->exists)
            continue;
        if (tarn_table_open(&table, store, crash_table_name(t), &options) < 0)
            return "a table cannot be opened as it was";
        differs = crash_table_differs(table, wanted);
        if (differs != NULL)
            return differs;
        if (tarn_table_close(table) < 0)
            return "a table cannot be closed";
    }
    if (state->dict.exists) {
        if (tarn_dict_open(&dict, store, CRASH_DICT_NAME, NULL) < 0)
            return "the dictionary cannot be opened";
        differs = crash_dict_differs(dict, &state->dict);
        if (differs != NULL)
            return differs;
        if (tarn_dict_close(dict) < 0)
            return "the dictionary cannot be closed";
    }
    if (tarn_stat(store, &statistics) < 0 || statistics.table_count != table_count)
        return "a table was missing";
    return NULL;
}

#endif
