/*
 * store_tarn.c - tarn itself: an ordered table and an unordered one, through tarn.h only
 *
 * Nothing is presized and nothing is told about the keys. Scans keep one iterator open and seek, as
 * a program with many short scans would (LMDB keeps its cursor, too); a full scan opens its own.
 * The store's allocator is the C library's behind a counter, which is an option any user has.
 */
#include "rivals.h"

#include <tarn.h>

#include <stdio.h>
#include <stdlib.h>

#define WORK_BYTES TN_MIB

struct rival {
    tarn_store *store;
    tarn_table *table;
    tarn_iterator *seeker; /* of scans; NULL until the first */
    struct tn_bench_shape shape;
    uint64_t allocations;
};

struct rival_cursor {
    tarn_iterator *iterator;
};

static inline int rival_get(struct rival *rival, const void *key, const void **value,
                            size_t *value_bytes)
{
    return tarn_get(rival->table, key, rival->shape.key_bytes, value, value_bytes);
}

static inline int rival_contains(struct rival *rival, const void *key)
{
    return tarn_contains(rival->table, key, rival->shape.key_bytes);
}

static inline int rival_modify(struct rival *rival, const void *key)
{
    void *value;
    int result =
        tarn_modify(rival->table, key, rival->shape.key_bytes, rival->shape.value_bytes, &value);

    if (result == TARN_OK)
        tn_store_le64(value, tn_load_le64(value) + 1);
    return result;
}

static inline int rival_put(struct rival *rival, const void *key, const void *value)
{
    return tarn_put(rival->table, key, rival->shape.key_bytes, value, rival->shape.value_bytes);
}

static inline int rival_remove(struct rival *rival, const void *key)
{
    return tarn_delete(rival->table, key, rival->shape.key_bytes);
}

static inline int rival_cursor_open(struct rival *rival, struct rival_cursor *cursor,
                                    const void *key)
{
    int result;

    if (key == NULL)
        return tarn_scan(&cursor->iterator, rival->table, NULL);
    if (rival->seeker == NULL) {
        result = tarn_scan(&rival->seeker, rival->table, NULL);
        if (result < 0)
            return result;
    }
    cursor->iterator = rival->seeker;
    return tarn_seek(cursor->iterator, key, rival->shape.key_bytes);
}

static inline int rival_cursor_next(struct rival *rival, struct rival_cursor *cursor,
                                    const void **key, const void **value, size_t *value_bytes)
{
    tarn_bytes key_taken, value_taken;
    int result = tarn_next(cursor->iterator, &key_taken, &value_taken);

    (void)rival;
    if (result == TARN_OK) {
        *key = key_taken.data;
        *value = value_taken.data;
        *value_bytes = value_taken.bytes;
    }
    return result;
}

static inline void rival_cursor_close(struct rival *rival, struct rival_cursor *cursor)
{
    if (cursor->iterator != rival->seeker)
        tarn_iterator_close(cursor->iterator);
}

#include "loops.h"

static int tarn_get_many_pass(void *store, struct tn_bench_pass *pass)
{
    struct rival *rival = store;
    const size_t key_bytes = pass->shape.key_bytes;
    tarn_bytes keys[TN_BENCH_MANY], values[TN_BENCH_MANY];
    size_t at, i, count;
    int result;

    for (at = 0; at < pass->count; at += count) {
        count = tn_min(TN_BENCH_MANY, pass->count - at);
        for (i = 0; i < count; i++)
            keys[i] = (tarn_bytes){ pass->keys + (at + i) * key_bytes, key_bytes };
        result = tarn_get_many(rival->table, keys, count, values);
        if (result < 0)
            return result;
        for (i = 0; i < count; i++) {
            if (TN_UNLIKELY(values[i].data == NULL))
                return TN_BENCH_WRONG;
            pass->sum += tn_bench_read(values[i].data, values[i].bytes);
        }
    }
    return TN_BENCH_OK;
}

static void *rival_allocate(void *context, void *old, size_t old_bytes, size_t new_bytes)
{
    struct rival *rival = context;

    (void)old_bytes;
    if (new_bytes == 0) {
        free(old);
        return NULL;
    }
    rival->allocations++;
    return realloc(old, new_bytes);
}

static void rival_close(void *store)
{
    struct rival *rival = store;

    tarn_iterator_close(rival->seeker);
    tarn_close(rival->store);
    free(rival);
}

static void *rival_open(int kind, const struct tn_bench_setup *setup, char *reason,
                        size_t reason_bytes)
{
    struct rival *rival = calloc(1, sizeof *rival);
    tarn_options options = { .allocate = rival_allocate, .allocate_context = rival };
    tarn_table_options table_options = { .kind = kind };
    int result = TARN_E_MEMORY;

    if (rival != NULL) {
        rival->shape = setup->shape;
        result = tarn_open(&rival->store, NULL, &options);
    }
    if (result == TARN_OK)
        result = tarn_table_open(&rival->table, rival->store, "bench", &table_options);
    if (result == TARN_OK)
        return rival;
    snprintf(reason, reason_bytes, "%s", tarn_result_text(result));
    if (rival != NULL)
        rival_close(rival);
    return NULL;
}

static void *ordered_open(const struct tn_bench_setup *setup, char *reason, size_t reason_bytes)
{
    return rival_open(TARN_ORDERED, setup, reason, reason_bytes);
}

static void *unordered_open(const struct tn_bench_setup *setup, char *reason, size_t reason_bytes)
{
    return rival_open(TARN_UNORDERED, setup, reason, reason_bytes);
}

/* Until all is reclaimed, and no further: going on, tarn_work gives spare pages to the system. */
static int rival_clear(void *store)
{
    struct rival *rival = store;
    tarn_statistics statistics;
    int result;

    tarn_iterator_close(rival->seeker);
    rival->seeker = NULL;
    result = tarn_table_clear(rival->table);
    while (result == TARN_OK && tarn_stat(rival->store, &statistics) == TARN_OK &&
           statistics.garbage_bytes > 0)
        result = tarn_work(rival->store, WORK_BYTES);
    return result < 0 ? result : TN_BENCH_OK;
}

static uint64_t rival_memory_bytes(void *store)
{
    struct rival *rival = store;
    tarn_statistics statistics;

    return tarn_stat(rival->store, &statistics) == TARN_OK ? statistics.memory_bytes : 0;
}

static uint64_t rival_allocations(void *store)
{
    struct rival *rival = store;

    return rival->allocations;
}

static const char *rival_error_text(void *store, int result)
{
    struct rival *rival = store;
    const char *text = tarn_error_text(rival->store);

    return text[0] != '\0' ? text : tarn_result_text(result);
}

static const struct tn_bench_store ordered = {
    .name = "tarn",
    .notes = "in memory, ordered table, all defaults",
    .room_bytes = 64,
    .open = ordered_open,
    .close = rival_close,
    .clear = rival_clear,
    .memory_bytes = rival_memory_bytes,
    .allocations = rival_allocations,
    .error_text = rival_error_text,
    .get = loop_get,
    .get_many = tarn_get_many_pass,
    .contains = loop_contains,
    .modify = loop_modify,
    .put = loop_put,
    .remove = loop_remove,
    .replace = loop_replace,
    .scan = loop_scan,
    .full_scan = loop_full_scan,
    .check = loop_check,
};

static const struct tn_bench_store unordered = {
    .name = "tarn_unordered",
    .notes = "in memory, unordered table, all defaults",
    .room_bytes = 48,
    .open = unordered_open,
    .close = rival_close,
    .clear = rival_clear,
    .memory_bytes = rival_memory_bytes,
    .allocations = rival_allocations,
    .error_text = rival_error_text,
    .get = loop_get,
    .get_many = tarn_get_many_pass,
    .contains = loop_contains,
    .modify = loop_modify,
    .put = loop_put,
    .remove = loop_remove,
    .replace = loop_replace,
    .full_scan = loop_full_scan,
    .check = loop_check,
};

const struct tn_bench_store *const tn_bench_tarn_stores[] = { &ordered, &unordered, NULL };
