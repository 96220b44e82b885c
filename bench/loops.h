/*
 * loops.h - the timed loops, one source text for every store
 *
 * No include guard, since one file may hold several stores. An adapter includes this after store.h,
 * and after it has defined, each `static inline`:
 *
 *     struct rival                                             the open store
 *     struct rival_cursor                                      a place in its order
 *     int rival_get(rival, key, &value, &value_bytes)          0, TN_BENCH_ABSENT, or negative
 *     int rival_contains(rival, key)
 *     int rival_modify(rival, key)                             adds 1 to the u64 it begins with
 *     int rival_put(rival, key, value)
 *     int rival_remove(rival, key)
 *     int rival_cursor_open(rival, cursor, key)                at or after key; NULL: everything
 *     int rival_cursor_next(rival, cursor, &key, &value, &value_bytes)
 *     void rival_cursor_close(rival, cursor)
 *
 * `key` and `value` have the shape that the store was opened with. The compiler may inline what a
 * user's compiler could, and no more: a store in a library stays a call into that library.
 */
static inline int loop_get(void *store, struct tn_bench_pass *pass)
{
    struct rival *rival = (struct rival *)store;
    const size_t key_bytes = pass->shape.key_bytes;
    const uint8_t *key = pass->keys, *end = key + pass->count * key_bytes;
    uint64_t sum = pass->sum;
    const void *value = NULL;
    size_t value_bytes = 0;
    int result;

    for (; key < end; key += key_bytes) {
        result = rival_get(rival, key, &value, &value_bytes);
        if (TN_UNLIKELY(result != TN_BENCH_OK))
            return result < 0 ? result : TN_BENCH_WRONG;
        sum += tn_bench_read(value, value_bytes);
    }
    pass->sum = sum;
    return TN_BENCH_OK;
}

static inline int loop_contains(void *store, struct tn_bench_pass *pass)
{
    struct rival *rival = (struct rival *)store;
    const size_t key_bytes = pass->shape.key_bytes;
    const uint8_t *key = pass->keys, *end = key + pass->count * key_bytes;
    uint64_t sum = pass->sum;
    int result;

    for (; key < end; key += key_bytes) {
        result = rival_contains(rival, key);
        if (TN_UNLIKELY(result < 0))
            return result;
        sum += result == TN_BENCH_OK;
    }
    pass->sum = sum;
    return TN_BENCH_OK;
}

static inline int loop_modify(void *store, struct tn_bench_pass *pass)
{
    struct rival *rival = (struct rival *)store;
    const size_t key_bytes = pass->shape.key_bytes;
    const uint8_t *key = pass->keys, *end = key + pass->count * key_bytes;
    int result;

    for (; key < end; key += key_bytes) {
        result = rival_modify(rival, key);
        if (TN_UNLIKELY(result != TN_BENCH_OK))
            return result < 0 ? result : TN_BENCH_WRONG;
    }
    return TN_BENCH_OK;
}

/* Operation i of the pass puts its key, or, in pairs, the second of its two. */
static inline const uint8_t *loop_value(const struct tn_bench_pass *pass, size_t key_index)
{
    size_t which = (pass->which[key_index] + pass->shift) % TN_BENCH_VALUE_COUNT;

    return pass->values + which * pass->shape.value_bytes;
}

static inline int loop_put(void *store, struct tn_bench_pass *pass)
{
    struct rival *rival = (struct rival *)store;
    const size_t key_bytes = pass->shape.key_bytes;
    const uint8_t *key = pass->keys;
    size_t i;
    int result;

    for (i = 0; i < pass->count; i++, key += key_bytes) {
        result = rival_put(rival, key, loop_value(pass, i));
        if (TN_UNLIKELY(result != TN_BENCH_OK))
            return result < 0 ? result : TN_BENCH_WRONG;
    }
    return TN_BENCH_OK;
}

static inline int loop_remove(void *store, struct tn_bench_pass *pass)
{
    struct rival *rival = (struct rival *)store;
    const size_t key_bytes = pass->shape.key_bytes;
    const uint8_t *key = pass->keys, *end = key + pass->count * key_bytes;
    int result;

    for (; key < end; key += key_bytes) {
        result = rival_remove(rival, key);
        if (TN_UNLIKELY(result != TN_BENCH_OK))
            return result < 0 ? result : TN_BENCH_WRONG;
    }
    return TN_BENCH_OK;
}

/* Two keys an operation. */
static inline int loop_replace(void *store, struct tn_bench_pass *pass)
{
    struct rival *rival = (struct rival *)store;
    const size_t key_bytes = pass->shape.key_bytes;
    const uint8_t *key = pass->keys;
    size_t i;
    int result;

    for (i = 0; i < pass->count; i++, key += 2 * key_bytes) {
        result = rival_remove(rival, key);
        if (result == TN_BENCH_OK)
            result = rival_put(rival, key + key_bytes, loop_value(pass, 2 * i + 1));
        if (TN_UNLIKELY(result != TN_BENCH_OK))
            return result < 0 ? result : TN_BENCH_WRONG;
    }
    return TN_BENCH_OK;
}

/* `left` entries from where the cursor stands; fewer only when `left` is SIZE_MAX. */
static inline int loop_take(struct rival *rival, struct rival_cursor *cursor, size_t key_bytes,
                            size_t left, uint64_t *sum)
{
    bool whole = left == SIZE_MAX;
    const void *key = NULL, *value = NULL;
    size_t value_bytes = 0;
    int result;

    for (; left > 0; left--) {
        result = rival_cursor_next(rival, cursor, &key, &value, &value_bytes);
        if (result != TN_BENCH_OK)
            return result < 0 ? result : (whole ? TN_BENCH_OK : TN_BENCH_WRONG);
        *sum += tn_bench_read_key(key, key_bytes) + tn_bench_read(value, value_bytes);
    }
    return TN_BENCH_OK;
}

static inline int loop_scan(void *store, struct tn_bench_pass *pass)
{
    struct rival *rival = (struct rival *)store;
    const size_t key_bytes = pass->shape.key_bytes;
    const uint8_t *key = pass->keys, *end = key + pass->count * key_bytes;
    struct rival_cursor cursor;
    uint64_t sum = pass->sum;
    int result;

    for (; key < end; key += key_bytes) {
        result = rival_cursor_open(rival, &cursor, key);
        if (result != TN_BENCH_OK)
            return result < 0 ? result : TN_BENCH_WRONG;
        result = loop_take(rival, &cursor, key_bytes, pass->length, &sum);
        rival_cursor_close(rival, &cursor);
        if (result != TN_BENCH_OK)
            return result;
    }
    pass->sum = sum;
    return TN_BENCH_OK;
}

/* `count` times everything. */
static inline int loop_full_scan(void *store, struct tn_bench_pass *pass)
{
    struct rival *rival = (struct rival *)store;
    struct rival_cursor cursor;
    uint64_t sum = pass->sum;
    size_t i;
    int result;

    for (i = 0; i < pass->count; i++) {
        result = rival_cursor_open(rival, &cursor, NULL);
        if (result != TN_BENCH_OK)
            return result < 0 ? result : TN_BENCH_WRONG;
        result = loop_take(rival, &cursor, pass->shape.key_bytes, SIZE_MAX, &sum);
        rival_cursor_close(rival, &cursor);
        if (result != TN_BENCH_OK)
            return result;
    }
    pass->sum = sum;
    return TN_BENCH_OK;
}

/* Not timed: every byte of every value, by the model. */
static inline int loop_check(void *store, struct tn_bench_pass *pass)
{
    struct rival *rival = (struct rival *)store;
    const size_t key_bytes = pass->shape.key_bytes;
    const uint8_t *key = pass->keys, *end = key + pass->count * key_bytes;
    const void *value = NULL;
    size_t value_bytes = 0;
    int result;

    for (; key < end; key += key_bytes) {
        result = rival_get(rival, key, &value, &value_bytes);
        if (result != TN_BENCH_OK)
            return result < 0 ? result : TN_BENCH_WRONG;
        if (!pass->check(pass->check_context, key, value, value_bytes))
            return TN_BENCH_WRONG;
    }
    return TN_BENCH_OK;
}
