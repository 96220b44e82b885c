/*
 * timers.c - see timers.h for the rules
 */
#include "stream/timers.h"

#include "base/bytes.h"

#define SIGN_BIT ((uint64_t)1 << 63)
#define ARENA_BYTES (2 * (size_t)TARN_KEY_BYTES_MAX) /* one key of any length fits behind others */

int tn_timers_init(struct tn_timers *timers, tarn_store *store, struct tn_memory *memory,
                   const char *name)
{
    *timers = (struct tn_timers){ .memory = memory, .next_ms = INT64_MIN };
    timers->key = tn_memory_new(memory, TARN_KEY_BYTES_MAX, false);
    timers->arena = tn_memory_new(memory, ARENA_BYTES, false);
    if (timers->key == NULL || timers->arena == NULL)
        return TARN_E_MEMORY;
    return tarn_table_open(&timers->table, store, name, NULL);
}

void tn_timers_finish(struct tn_timers *timers)
{
    if (timers->memory == NULL)
        return;
    tn_memory_free(timers->memory, timers->key, TARN_KEY_BYTES_MAX);
    tn_memory_free(timers->memory, timers->arena, ARENA_BYTES);
    (void)tarn_table_close(timers->table); /* it was open, or is NULL: this cannot fail */
    *timers = (struct tn_timers){ 0 };
}

int tn_timers_drop(struct tn_timers *timers)
{
    return timers->table != NULL ? tarn_table_drop(timers->table) : TARN_OK;
}

static tarn_bytes timer_key(struct tn_timers *timers, int64_t time_ms, const void *key,
                            size_t key_bytes)
{
    tn_assert(key_bytes <= TARN_KEY_BYTES_MAX - TN_TIMER_HEAD_BYTES);
    tn_store_be64(timers->key, (uint64_t)time_ms ^ SIGN_BIT);
    if (key_bytes > 0)
        memcpy(timers->key + TN_TIMER_HEAD_BYTES, key, key_bytes);
    return (tarn_bytes){ .data = timers->key, .bytes = TN_TIMER_HEAD_BYTES + key_bytes };
}

int tn_timers_add(struct tn_timers *timers, int64_t time_ms, tarn_bytes key)
{
    tarn_bytes at = timer_key(timers, time_ms, key.data, key.bytes);

    if (time_ms < timers->next_ms)
        timers->next_ms = time_ms;
    return tarn_put(timers->table, at.data, at.bytes, "", 0);
}

int tn_timers_remove(struct tn_timers *timers, const struct tn_timer *timer)
{
    tarn_bytes at = timer_key(timers, timer->time_ms, timer->key, timer->key_bytes);

    return tarn_delete(timers->table, at.data, at.bytes);
}

/* Copy the entry of a timer into the batch. false: there is no room. */
static bool batch_add(struct tn_timers *timers, int64_t time_ms, tarn_bytes key, size_t *used_bytes)
{
    size_t key_bytes = key.bytes - TN_TIMER_HEAD_BYTES;
    struct tn_timer *timer;

    if (timers->batch_count == TN_TIMER_BATCH_MAX || key_bytes > ARENA_BYTES - *used_bytes)
        return false;
    timer = &timers->batch[timers->batch_count++];
    *timer = (struct tn_timer){
        .time_ms = time_ms,
        .key = timers->arena + *used_bytes,
        .key_bytes = key_bytes,
    };
    memcpy(timer->key, (const uint8_t *)key.data + TN_TIMER_HEAD_BYTES, key_bytes);
    *used_bytes += key_bytes;
    return true;
}

int tn_timers_due(struct tn_timers *timers, int64_t until_ms)
{
    tarn_iterator *entries;
    tarn_bytes key, none;
    int64_t time_ms = INT64_MAX; /* C2 */
    size_t used_bytes = 0;
    int result;

    timers->batch_count = 0;
    if (timers->next_ms > until_ms)
        return TARN_OK;
    result = tarn_scan(&entries, timers->table, NULL);
    if (result != TARN_OK)
        return result;
    while ((result = tarn_next(entries, &key, &none)) == TARN_OK) {
        if (key.bytes < TN_TIMER_HEAD_BYTES) {
            result = TARN_E_CORRUPT;
            break;
        }
        time_ms = (int64_t)(tn_load_be64(key.data) ^ SIGN_BIT);
        if (time_ms > until_ms || !batch_add(timers, time_ms, key, &used_bytes))
            break;
    }
    (void)tarn_iterator_close(entries); /* it was open: this cannot fail */
    if (result != TARN_OK && result != TARN_END)
        return result;
    if (result == TARN_END)
        timers->next_ms = INT64_MAX;
    else if (time_ms > until_ms)
        timers->next_ms = time_ms;
    return TARN_OK;
}
