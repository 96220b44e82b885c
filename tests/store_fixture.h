/*
 * store_fixture.h - a store with two tables for tests of calls that change entries
 *
 * `each_kind` runs a test on an ordered and on an unordered table; `refusals` runs a call with each
 * of its allocations refused in turn, once alone and once with all that follow.
 */
#ifndef STORE_FIXTURE_H
#define STORE_FIXTURE_H

#include "store/store.h"

#include "allocator.h"
#include "test.h"

struct fixture {
    struct allocator allocator;
    tarn_store *store;
    tarn_table *table;
};

static inline void fixture_open(struct fixture *f, const tarn_table_options *options,
                                uint64_t limit_bytes)
{
    tarn_options store_options = { 0 };

    memset(f, 0, sizeof *f);
    f->allocator.refuse_at = UINT64_MAX;
    store_options.allocate = allocator_call;
    store_options.allocate_context = &f->allocator;
    store_options.memory_bytes_max = limit_bytes;
    check_ok(tarn_open(&f->store, NULL, &store_options));
    check_ok(tarn_table_open(&f->table, f->store, "table", options));
}

/* Everything the table rests on is as its rules say, and its entries add up. */
static inline void fixture_check(const struct fixture *f)
{
    uint64_t bytes = 0, count = 0;
    tarn_iterator *it;
    tarn_bytes key, value;

    check(tn_index_check(&f->table->index));
    check(tn_heap_check(&f->store->heap, &f->table->body->owner));
    check(f->table->ordered == NULL || tn_ordered_check(f->table->ordered));
    if (tarn_scan(&it, f->table, NULL) != TARN_OK)
        return;
    while (tarn_next(it, &key, &value) == TARN_OK) {
        bytes += key.bytes + value.bytes;
        count++;
    }
    check_eq(bytes, tarn_table_bytes(f->table));
    check_eq(count, tarn_table_count(f->table));
    check_ok(tarn_iterator_close(it));
}

static inline void fixture_close(struct fixture *f)
{
    check_ok(tarn_close(f->store));
    check_eq(f->allocator.live_blocks, 0);
    check(!f->allocator.size_was_wrong);
}

static inline void each_kind(void (*run)(struct fixture *f))
{
    int kind;

    for (kind = TARN_ORDERED; kind <= TARN_UNORDERED; kind++) {
        const tarn_table_options options = { .kind = kind };
        struct fixture f;

        fixture_open(&f, &options, 0);
        run(&f);
        fixture_check(&f);
        fixture_close(&f);
    }
}

/* Let the n-th allocation from now on fail, and those after it when `all`. 0: none. */
static inline void fixture_refuse(struct fixture *f, uint64_t n, bool all)
{
    f->allocator.refuse_at = n == 0 ? UINT64_MAX : f->allocator.asked + n;
    f->allocator.refuse_all = all;
}

#define REFUSALS_MAX 200

/*
 * `prepare` fills a fresh fixture; `call` answers a result; `unchanged` is called after each
 * refusal. Goes on until the call needs no further allocation. Answers how many refusals there
 * were.
 */
static inline uint64_t refusals(const tarn_table_options *options,
                                void (*prepare)(struct fixture *f), int (*call)(struct fixture *f),
                                void (*unchanged)(struct fixture *f))
{
    uint64_t n, refused = 0;
    int all;

    for (all = 0; all <= 1; all++) {
        int result = TARN_E_MEMORY;

        for (n = 1; n < REFUSALS_MAX; n++) {
            struct fixture f;
            uint64_t asked;

            fixture_open(&f, options, 0);
            prepare(&f);
            fixture_refuse(&f, n, all != 0);
            asked = f.allocator.asked;
            result = call(&f);
            asked = f.allocator.asked - asked;
            fixture_refuse(&f, 0, false);
            if (result < 0) {
                check_eq(result, TARN_E_MEMORY);
                unchanged(&f);
                refused++;
            }
            fixture_check(&f);
            fixture_close(&f);
            if (asked < n)
                break;
        }
        check(n < REFUSALS_MAX && result >= 0);
    }
    return refused;
}

/* ---- short words ----------------------------------------------------------------------------- */

static inline int put_text(tarn_table *table, const char *key, const char *value)
{
    return tarn_put(table, key, strlen(key), value, strlen(value));
}

static inline int put_i64(tarn_table *table, const char *key, int64_t value)
{
    uint8_t bytes[8];

    tn_store_le64(bytes, (uint64_t)value);
    return tarn_put(table, key, strlen(key), bytes, sizeof bytes);
}

/* The entry is that text. */
static inline void test_entry(const char *file, int line, tarn_table *table, const char *key,
                              const void *wanted, size_t wanted_bytes)
{
    const void *value = NULL;
    size_t value_bytes = 0;
    int result = tarn_get(table, key, strlen(key), &value, &value_bytes);

    test_eq(file, line, key, result, "0", 0);
    if (result == TARN_OK)
        test_bytes(file, line, key, value, value_bytes, wanted, wanted_bytes);
}

#define check_entry(table, key, text)                                                              \
    test_entry(__FILE__, __LINE__, (table), (key), (text), strlen(text))
#define check_absent(table, key) check_eq(tarn_contains((table), (key), strlen(key)), TARN_ABSENT)

static inline void test_number(const char *file, int line, tarn_table *table, const char *key,
                               uint64_t bits)
{
    uint8_t bytes[8];

    tn_store_le64(bytes, bits);
    test_entry(file, line, table, key, bytes, sizeof bytes);
}

#define check_i64(table, key, number)                                                              \
    test_number(__FILE__, __LINE__, (table), (key), (uint64_t)(int64_t)(number))

#endif
