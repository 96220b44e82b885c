/*
 * instructions.c - the loops whose instructions test_instructions.sh counts
 *
 * One function for each line of tests/instructions.tsv, called once, over a table of ENTRIES; main
 * prints for each how many operations it made:
 *
 *     count_get_random 20000
 *
 * Under callgrind each function is collected and dumped by itself, so that what prepares it costs
 * nothing. Without callgrind this is a small program that ends with 0 when every call answered as
 * it should.
 */
#include <tarn.h>

#include <stdio.h>
#include <string.h>

#define ENTRIES 20000u
#define KEY_BYTES 8u
#define VALUE_BYTES 128u
#define MANY 32u
#define SCAN_LENGTH 10u
#define SCANS 2000u

struct loop {
    tarn_table *table;
    tarn_iterator *iterator;
    uint64_t keys[ENTRIES]; /* shuffled; as bytes in this machine's order, whatever that is */
    uint64_t sum;           /* of what was read, so that reading is not left out */
    unsigned failures;
};

static struct loop loop;

typedef unsigned count_fn(void);

static void expect(int result)
{
    loop.failures += result != TARN_OK;
}

static void consume(const void *value, size_t value_bytes)
{
    loop.sum += *(const unsigned char *)value + value_bytes;
}

static __attribute__((noinline)) unsigned count_put_new(void)
{
    static const char value[VALUE_BYTES];
    unsigned i;

    for (i = 0; i < ENTRIES; i++)
        expect(tarn_put(loop.table, &loop.keys[i], KEY_BYTES, value, VALUE_BYTES));
    return ENTRIES;
}

static __attribute__((noinline)) unsigned count_put_overwrite(void)
{
    static const char value[VALUE_BYTES] = { 1 };
    unsigned i;

    for (i = 0; i < ENTRIES; i++)
        expect(tarn_put(loop.table, &loop.keys[i], KEY_BYTES, value, VALUE_BYTES));
    return ENTRIES;
}

static __attribute__((noinline)) unsigned count_get_random(void)
{
    const void *value = NULL;
    size_t value_bytes = 0;
    unsigned i;

    for (i = 0; i < ENTRIES; i++) {
        expect(tarn_get(loop.table, &loop.keys[i], KEY_BYTES, &value, &value_bytes));
        consume(value, value_bytes);
    }
    return ENTRIES;
}

static __attribute__((noinline)) unsigned count_get_many_32(void)
{
    tarn_bytes keys[MANY], values[MANY];
    unsigned at, i;

    for (at = 0; at < ENTRIES; at += MANY) {
        for (i = 0; i < MANY; i++)
            keys[i] = (tarn_bytes){ &loop.keys[at + i], KEY_BYTES };
        expect(tarn_get_many(loop.table, keys, MANY, values));
        for (i = 0; i < MANY; i++)
            consume(values[i].data, values[i].bytes);
    }
    return ENTRIES;
}

static __attribute__((noinline)) unsigned count_contains_hit(void)
{
    unsigned i;

    for (i = 0; i < ENTRIES; i++)
        expect(tarn_contains(loop.table, &loop.keys[i], KEY_BYTES));
    return ENTRIES;
}

static __attribute__((noinline)) unsigned count_contains_miss(void)
{
    uint64_t key;
    unsigned i;

    for (i = 0; i < ENTRIES; i++) {
        key = loop.keys[i] + ENTRIES;
        loop.failures += tarn_contains(loop.table, &key, KEY_BYTES) != TARN_ABSENT;
    }
    return ENTRIES;
}

static __attribute__((noinline)) unsigned count_modify(void)
{
    void *value = NULL;
    unsigned i;

    for (i = 0; i < ENTRIES; i++) {
        expect(tarn_modify(loop.table, &loop.keys[i], KEY_BYTES, VALUE_BYTES, &value));
        ++*(uint64_t *)value;
    }
    return ENTRIES;
}

static __attribute__((noinline)) unsigned count_scan_10(void)
{
    tarn_bytes key, value;
    unsigned scan, i;

    for (scan = 0; scan < SCANS; scan++) {
        expect(tarn_seek(loop.iterator, &loop.keys[scan], KEY_BYTES));
        for (i = 0; i < SCAN_LENGTH && tarn_next(loop.iterator, &key, &value) == TARN_OK; i++)
            consume(value.data, value.bytes);
    }
    return SCANS;
}

static __attribute__((noinline)) unsigned count_full_scan(void)
{
    tarn_bytes key, value;
    unsigned count = 0;

    while (tarn_next(loop.iterator, &key, &value) == TARN_OK) {
        consume(value.data, value.bytes);
        count++;
    }
    return count;
}

static __attribute__((noinline)) unsigned count_delete(void)
{
    unsigned i;

    for (i = 0; i < ENTRIES; i++)
        expect(tarn_delete(loop.table, &loop.keys[i], KEY_BYTES));
    return ENTRIES;
}

/* Numbers 0 to ENTRIES - 1 in an order that has no pattern, the same each time. */
static void keys_shuffle(void)
{
    uint64_t random = 1, key;
    unsigned i, other;

    for (i = 0; i < ENTRIES; i++)
        loop.keys[i] = i;
    for (i = ENTRIES - 1; i > 0; i--) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        other = (unsigned)((random >> 33) % (i + 1));
        key = loop.keys[i];
        loop.keys[i] = loop.keys[other];
        loop.keys[other] = key;
    }
}

static void count(const char *name, count_fn *function)
{
    printf("%s %u\n", name, function());
}

static void count_points(void)
{
    count("count_put_new", count_put_new);
    count("count_put_overwrite", count_put_overwrite);
    count("count_get_random", count_get_random);
    count("count_get_many_32", count_get_many_32);
    count("count_contains_hit", count_contains_hit);
    count("count_contains_miss", count_contains_miss);
    count("count_modify", count_modify);
}

static void count_scans(void)
{
    /* Leaves are sorted when they are first looked at: not in what is counted. */
    tarn_bytes key, value;

    expect(tarn_scan(&loop.iterator, loop.table, NULL));
    while (tarn_next(loop.iterator, &key, &value) == TARN_OK) {
    }
    expect(tarn_iterator_close(loop.iterator));
    expect(tarn_scan(&loop.iterator, loop.table, NULL));
    count("count_scan_10", count_scan_10);
    tarn_iterator_close(loop.iterator);
    expect(tarn_scan(&loop.iterator, loop.table, NULL));
    count("count_full_scan", count_full_scan);
    tarn_iterator_close(loop.iterator);
}

int main(void)
{
    tarn_store *store;

    keys_shuffle();
    if (tarn_open(&store, NULL, NULL) < 0 || tarn_table_open(&loop.table, store, "t", NULL) < 0)
        return 1;
    count_points();
    count_scans();
    count("count_delete", count_delete);
    return loop.failures != 0 || loop.sum == 0 || tarn_close(store) < 0;
}
