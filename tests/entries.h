/*
 * entries.h - a table and what must be in it, for tests of memory
 *
 * Entries are known by a number. The model is an array: whether the entry is there, how long its
 * value is, and a stamp that all its bytes follow from; so it takes no part in the memory under
 * test.
 */
#ifndef ENTRIES_H
#define ENTRIES_H

#include "test.h"

#include <tarn.h>

#define ENTRY_KEY_BYTES_MAX 64u
#define ENTRY_VALUE_BYTES_MAX 70000u

struct entry {
    uint32_t value_bytes;
    uint32_t stamp; /* 0: absent */
};

struct entries {
    tarn_table *table;
    struct entry *model;
    size_t count; /* numbers are below it */
    uint32_t stamp;
    uint64_t present_count;
    uint64_t present_bytes;
};

/* 8 bytes, and every fifth longer. */
static inline size_t entry_key(size_t number, uint8_t key[ENTRY_KEY_BYTES_MAX])
{
    uint64_t head = __builtin_bswap64(number);
    size_t bytes = number % 5 == 0 ? 9 + number / 5 % (ENTRY_KEY_BYTES_MAX - 8) : 8;

    memset(key, 'k', ENTRY_KEY_BYTES_MAX);
    memcpy(key, &head, sizeof head);
    return bytes;
}

static inline void entry_value(uint32_t stamp, uint8_t *value, size_t bytes)
{
    size_t i;

    for (i = 0; i < bytes; i++)
        value[i] = (uint8_t)(stamp + i * 7);
}

static inline void entries_open(struct entries *e, tarn_store *store, const char *name, int kind,
                                size_t count)
{
    const tarn_table_options options = { .kind = kind };

    *e = (struct entries){ .count = count, .model = calloc(count, sizeof *e->model) };
    check_ok(tarn_table_open(&e->table, store, name, &options));
}

static inline void entries_free(struct entries *e)
{
    free(e->model);
}

static inline void entries_note(struct entries *e, size_t number, uint32_t stamp, size_t bytes)
{
    struct entry *entry = &e->model[number];
    uint8_t key[ENTRY_KEY_BYTES_MAX];
    size_t key_bytes = entry_key(number, key);

    if (entry->stamp != 0) {
        e->present_count--;
        e->present_bytes -= key_bytes + entry->value_bytes;
    }
    *entry = (struct entry){ (uint32_t)bytes, stamp };
    if (stamp != 0) {
        e->present_count++;
        e->present_bytes += key_bytes + bytes;
    }
}

static inline int entries_put(struct entries *e, size_t number, size_t bytes)
{
    static uint8_t value[ENTRY_VALUE_BYTES_MAX];
    uint8_t key[ENTRY_KEY_BYTES_MAX];
    size_t key_bytes = entry_key(number, key);
    uint32_t stamp = ++e->stamp;
    int result;

    entry_value(stamp, value, bytes);
    result = tarn_put(e->table, key, key_bytes, value, bytes);
    if (result == TARN_OK)
        entries_note(e, number, stamp, bytes);
    return result;
}

static inline int entries_delete(struct entries *e, size_t number)
{
    uint8_t key[ENTRY_KEY_BYTES_MAX];
    size_t key_bytes = entry_key(number, key);
    int result = tarn_delete(e->table, key, key_bytes);

    check_eq(result, e->model[number].stamp != 0 ? TARN_OK : TARN_ABSENT);
    entries_note(e, number, 0, 0);
    return result;
}

static inline int entries_clear(struct entries *e)
{
    int result = tarn_table_clear(e->table);

    if (result == TARN_OK) {
        memset(e->model, 0, e->count * sizeof *e->model);
        e->present_count = e->present_bytes = 0;
    }
    return result;
}

static inline bool entries_holds(struct entries *e, size_t number)
{
    static uint8_t wanted[ENTRY_VALUE_BYTES_MAX];
    const struct entry *entry = &e->model[number];
    uint8_t key[ENTRY_KEY_BYTES_MAX];
    size_t key_bytes = entry_key(number, key), bytes = 0;
    const void *value = NULL;
    int result = tarn_get(e->table, key, key_bytes, &value, &bytes);

    if (entry->stamp == 0)
        return result == TARN_ABSENT;
    entry_value(entry->stamp, wanted, entry->value_bytes);
    return result == TARN_OK && bytes == entry->value_bytes && memcmp(value, wanted, bytes) == 0;
}

/* Every entry, the counts, and as many by a scan; in order where there is one. */
static inline void entries_check(struct entries *e)
{
    tarn_bytes key, last = { NULL, 0 };
    tarn_iterator *it;
    uint64_t seen = 0, wrong = 0;
    size_t i;

    for (i = 0; i < e->count; i++)
        wrong += !entries_holds(e, i);
    check_eq(wrong, 0);
    check_eq(tarn_table_count(e->table), e->present_count);
    check_eq(tarn_table_bytes(e->table), e->present_bytes);
    if (tarn_scan(&it, e->table, NULL) != TARN_OK)
        return; /* no memory for it */
    for (wrong = 0; tarn_next(it, &key, NULL) == TARN_OK; seen++) {
        wrong += key.bytes < 8 || (last.data != NULL && memcmp(last.data, key.data, 8) >= 0);
        last = key;
    }
    check_eq(seen, e->present_count);
    check_ok(tarn_iterator_close(it));
}

#endif
