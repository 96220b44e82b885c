/*
 * loops.h - the timed loops, one source text for every store
 *
 * No include guard, since one file may hold two stores. An adapter includes this after store.h, and
 * after it has defined, each `static inline`:
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
 * `key` points at 8 bytes. The compiler may inline what a user's compiler could, and no more: a
 * store in a library stays a call into that library.
 */
static inline int loop_get(void *store, struct tn_bench_pass *pass)
{
    struct rival *rival = (struct rival *)store;
    uint64_t sum = pass->sum;
    const void *value = NULL;
    size_t i, value_bytes = 0;
    int result;

    for (i = 0; i < pass->count; i++) {
        result = rival_get(rival, &pass->keys[i], &value, &value_bytes);
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
    uint64_t sum = pass->sum;
    size_t i;
    int result;

    for (i = 0; i < pass->count; i++) {
        result = rival_contains(rival, &pass->keys[i]);
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
    size_t i;
    int result;

    for (i = 0; i < pass->count; i++) {
        result = rival_modify(rival, &pass->keys[i]);
        if (TN_UNLIKELY(result != TN_BENCH_OK))
            return result < 0 ? result : TN_BENCH_WRONG;
    }
    return TN_BENCH_OK;
}

static inline int loop_put(void *store, struct tn_bench_pass *pass)
{
    struct rival *rival = (struct rival *)store;
    size_t i;
    int result;

    for (i = 0; i < pass->count; i++) {
        const uint64_t *key = &pass->keys[i];

        result = rival_put(rival, key, tn_bench_value(pass, tn_load_be64(key)));
        if (TN_UNLIKELY(result != TN_BENCH_OK))
            return result < 0 ? result : TN_BENCH_WRONG;
    }
    return TN_BENCH_OK;
}

static inline int loop_remove(void *store, struct tn_bench_pass *pass)
{
    struct rival *rival = (struct rival *)store;
    size_t i;
    int result;

    for (i = 0; i < pass->count; i++) {
        result = rival_remove(rival, &pass->keys[i]);
        if (TN_UNLIKELY(result != TN_BENCH_OK))
            return result < 0 ? result : TN_BENCH_WRONG;
    }
    return TN_BENCH_OK;
}

/* `left` entries from where the cursor stands; fewer only when `left` is SIZE_MAX. */
static inline int loop_take(struct rival *rival, struct rival_cursor *cursor, size_t left,
                            uint64_t *sum)
{
    bool whole = left == SIZE_MAX;
    const void *key = NULL, *value = NULL;
    size_t value_bytes = 0;
    int result;

    for (; left > 0; left--) {
        result = rival_cursor_next(rival, cursor, &key, &value, &value_bytes);
        if (result != TN_BENCH_OK)
            return result < 0 ? result : (whole ? TN_BENCH_OK : TN_BENCH_WRONG);
        *sum += tn_load_be64(key) + tn_bench_read(value, value_bytes);
    }
    return TN_BENCH_OK;
}

static inline int loop_scan(void *store, struct tn_bench_pass *pass)
{
    struct rival *rival = (struct rival *)store;
    struct rival_cursor cursor;
    uint64_t sum = pass->sum;
    size_t i;
    int result;

    for (i = 0; i < pass->count; i++) {
        result = rival_cursor_open(rival, &cursor, &pass->keys[i]);
        if (result != TN_BENCH_OK)
            return result < 0 ? result : TN_BENCH_WRONG;
        result = loop_take(rival, &cursor, pass->length, &sum);
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
        result = loop_take(rival, &cursor, SIZE_MAX, &sum);
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
    const void *value = NULL;
    size_t i, value_bytes = 0;
    int result;

    for (i = 0; i < pass->count; i++) {
        result = rival_get(rival, &pass->keys[i], &value, &value_bytes);
        if (result != TN_BENCH_OK)
            return result < 0 ? result : TN_BENCH_WRONG;
        if (!pass->check(pass->check_context, tn_load_be64(&pass->keys[i]), value, value_bytes))
            return TN_BENCH_WRONG;
    }
    return TN_BENCH_OK;
}
