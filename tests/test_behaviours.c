/*
 * test_behaviours.c - what a state layer of a stream must do, small and one by one
 *
 * The behaviours B1 to B24 and the defects W1 to W27 are those of an older state layer, which tarn
 * succeeds; docs/TESTING.md lists them all, and where the ones that are not here are tested.
 */
#include "store_fixture.h"

static uint64_t count_of(const struct fixture *f)
{
    return tarn_table_count(f->table);
}

/* The keys of a range, in the order they come, each with a comma behind it. */
static const char *keys_in(tarn_table *table, const tarn_range *range)
{
    static char text[400];
    size_t used = 0;
    tarn_iterator *it;
    tarn_bytes key;

    text[0] = 0;
    check_ok(tarn_scan(&it, table, range));
    while (tarn_next(it, &key, NULL) == TARN_OK)
        used += (size_t)snprintf(text + used, sizeof text - used, "%.*s,", (int)key.bytes,
                                 (const char *)key.data);
    check_ok(tarn_iterator_close(it));
    return text;
}

static tarn_range range_of(const char *lower, const char *upper)
{
    return (tarn_range){ .lower = { lower, strlen(lower) }, .upper = { upper, strlen(upper) } };
}

static tarn_range prefix_of(const void *prefix, size_t bytes)
{
    return (tarn_range){ .prefix = { prefix, bytes } };
}

/* ---- entries --------------------------------------------------------------------------------- */

static void run_basic(struct fixture *f)
{
    check_absent(f->table, "k");
    check_ok(put_text(f->table, "k", "v1"));
    check_entry(f->table, "k", "v1");
    check_ok(put_text(f->table, "k", "v2"));
    check_entry(f->table, "k", "v2");
    check_eq(count_of(f), 1);
    check_ok(tarn_delete(f->table, "k", 1));
    check_absent(f->table, "k");
    check_eq(tarn_delete(f->table, "k", 1), TARN_ABSENT);
    check_eq(count_of(f), 0);
    check_eq(tarn_table_bytes(f->table), 0);
}

/* B1, B16, B21 */
static void put_get_overwrite_delete_and_delete_of_what_is_not_there(void)
{
    each_kind(run_basic);
}

static void run_contains(struct fixture *f)
{
    check_eq(tarn_contains(f->table, "k", 1), TARN_ABSENT);
    check_ok(put_text(f->table, "k", ""));
    check_ok(tarn_contains(f->table, "k", 1));
    check_ok(tarn_delete(f->table, "k", 1));
    check_eq(tarn_contains(f->table, "k", 1), TARN_ABSENT);
}

/* B2 */
static void contains_follows_put_and_delete(void)
{
    each_kind(run_contains);
}

static void run_sizes(struct fixture *f)
{
    check_ok(put_text(f->table, "key1", "value1"));
    check_eq(tarn_table_bytes(f->table), 10);
    check_ok(put_text(f->table, "key2", "value2"));
    check_eq(tarn_table_bytes(f->table), 20);
    check_ok(put_text(f->table, "key1", "v1"));
    check_eq(tarn_table_bytes(f->table), 16);
    check_ok(tarn_delete(f->table, "key1", 4));
    check_eq(tarn_table_bytes(f->table), 10);
    check_ok(tarn_table_clear(f->table));
    check_eq(tarn_table_bytes(f->table), 0);
}

/* B10 */
static void bytes_follow_each_put_overwrite_delete_and_clear(void)
{
    each_kind(run_sizes);
}

static void run_new(struct fixture *f)
{
    tarn_statistics statistics;
    tarn_iterator *it;

    check_eq(count_of(f), 0);
    check_eq(tarn_table_bytes(f->table), 0);
    check_absent(f->table, "a");
    check_absent(f->table, "");
    check_ok(tarn_scan(&it, f->table, NULL));
    check_eq(tarn_next(it, NULL, NULL), TARN_END);
    check_ok(tarn_iterator_close(it));
    check_ok(tarn_stat(f->store, &statistics));
    check_eq(statistics.entry_count, 0);
    check_eq(statistics.entry_bytes, 0);
    check_eq(statistics.record_bytes, 0);
}

/* B11 */
static void a_new_table_is_empty(void)
{
    each_kind(run_new);
}

static void run_clear(struct fixture *f)
{
    check_ok(put_text(f->table, "a", "1"));
    check_ok(put_text(f->table, "b", "2"));
    check_ok(tarn_table_clear(f->table));
    check_eq(count_of(f), 0);
    check_eq(tarn_table_bytes(f->table), 0);
    check_absent(f->table, "a");
    check_ok(put_text(f->table, "a", "3"));
    check_entry(f->table, "a", "3");
}

/* B12 */
static void clear_resets_count_bytes_and_entries(void)
{
    each_kind(run_clear);
}

static void run_get_or_insert(struct fixture *f)
{
    const void *old = NULL;
    size_t bytes = 0;

    check_ok(tarn_put_if_absent(f->table, "k", 1, "default", 7, &old, &bytes));
    check_eq(tarn_put_if_absent(f->table, "k", 1, "other", 5, &old, &bytes), TARN_PRESENT);
    check_bytes(old, bytes, "default", 7);
    check_entry(f->table, "k", "default");
}

/* B8 */
static void put_if_absent_inserts_and_then_gives_what_is_there(void)
{
    each_kind(run_get_or_insert);
}

static void run_update(struct fixture *f)
{
    uint8_t number[4] = { 41 };
    const void *old;
    size_t bytes;
    void *value;

    check_ok(tarn_put(f->table, "n", 1, number, 4));
    check_ok(tarn_modify(f->table, "n", 1, 4, &value));
    tn_store_le32(value, tn_load_le32(value) + 1);
    check_ok(tarn_get(f->table, "n", 1, &old, &bytes));
    check_eq(tn_load_le32(old), 42);
    check_ok(tarn_take(f->table, "n", 1, &old, &bytes));
    check_eq(tn_load_le32(old), 42);
    check_absent(f->table, "n");
}

/* B9 */
static void an_update_adds_to_a_number_and_another_takes_it_away(void)
{
    each_kind(run_update);
}

static void run_growth(struct fixture *f)
{
    char key[16], value[24];
    int i;

    for (i = 0; i < 100; i++) {
        snprintf(key, sizeof key, "key%03d", i);
        snprintf(value, sizeof value, "value%03d", i);
        check_ok(put_text(f->table, key, value));
    }
    for (i = 0; i < 100; i++) {
        snprintf(key, sizeof key, "key%03d", i);
        snprintf(value, sizeof value, "value%03d", i);
        check_entry(f->table, key, value);
    }
    check_eq(count_of(f), 100);
}

/* B18 */
static void a_small_table_grows(void)
{
    each_kind(run_growth);
}

static void run_large_and_binary(struct fixture *f)
{
    static const uint8_t key[] = { 0, 1, 2, 0xFF, 0xFE };
    static uint8_t large[100 * 1024];
    const void *value = NULL;
    size_t bytes = 0;

    memset(large, 0xAB, sizeof large);
    check_ok(tarn_put(f->table, key, sizeof key, large, sizeof large));
    check_ok(tarn_get(f->table, key, sizeof key, &value, &bytes));
    check_bytes(value, bytes, large, sizeof large);
    check_eq(tarn_contains(f->table, key, sizeof key - 1), TARN_ABSENT);
}

/* B20 */
static void a_value_of_100_kib_and_a_key_of_any_bytes(void)
{
    each_kind(run_large_and_binary);
}

/* ---- ranges ---------------------------------------------------------------------------------- */

/* B3 */
static void a_prefix_gives_what_begins_with_it_and_the_empty_one_all(void)
{
    struct fixture f;
    tarn_range range = prefix_of("prefix:", 7), all = prefix_of("", 0);

    fixture_open(&f, NULL, 0);
    check_ok(put_text(f.table, "prefix:1", "a"));
    check_ok(put_text(f.table, "prefix:2", "b"));
    check_ok(put_text(f.table, "prefix:10", "c"));
    check_ok(put_text(f.table, "other:1", "d"));
    check_text(keys_in(f.table, &range), "prefix:1,prefix:10,prefix:2,");
    check_text(keys_in(f.table, &all), "other:1,prefix:1,prefix:10,prefix:2,");
    fixture_close(&f);
}

/* B4, W25 */
static void a_range_has_its_first_key_and_not_its_last_and_may_be_inverted(void)
{
    const tarn_range some = range_of("b", "d"), none = range_of("d", "b"),
                     same = range_of("b", "b");
    tarn_range back = some;
    struct fixture f;

    fixture_open(&f, NULL, 0);
    check_ok(put_text(f.table, "a", "1"));
    check_ok(put_text(f.table, "b", "2"));
    check_ok(put_text(f.table, "c", "3"));
    check_ok(put_text(f.table, "d", "4"));
    check_text(keys_in(f.table, &some), "b,c,");
    check_text(keys_in(f.table, &none), "");
    check_text(keys_in(f.table, &same), "");
    back.reverse = 1;
    check_text(keys_in(f.table, &back), "c,b,");
    fixture_close(&f);
}

/* B15 */
static void a_prefix_scan_is_sorted_whatever_the_order_of_inserts(void)
{
    struct fixture f;
    tarn_range range = prefix_of("k", 1);

    fixture_open(&f, NULL, 0);
    check_ok(put_text(f.table, "kc", "3"));
    check_ok(put_text(f.table, "ka", "1"));
    check_ok(put_text(f.table, "kb", "2"));
    check_text(keys_in(f.table, &range), "ka,kb,kc,");
    fixture_close(&f);
}

/* How many of the keys, all of two bytes, begin with these bytes. */
static int count_prefix(struct fixture *f, const void *prefix, size_t bytes)
{
    tarn_range range = prefix_of(prefix, bytes);
    tarn_iterator *it;
    tarn_bytes key;
    int count = 0;

    check_ok(tarn_scan(&it, f->table, &range));
    while (tarn_next(it, &key, NULL) == TARN_OK) {
        check(key.bytes >= bytes && memcmp(key.data, prefix, bytes) == 0);
        count++;
    }
    check_ok(tarn_iterator_close(it));
    return count;
}

/* B13, B14: where a prefix ends, for each byte that a successor treats in its own way. */
static void a_prefix_ends_where_it_must_also_at_ff(void)
{
    static const uint8_t bytes[] = { 0x00, 0x01, 0x02, 'a', 'b', 0xFE, 0xFF };
    uint8_t key[3];
    struct fixture f;
    size_t i, j;

    fixture_open(&f, NULL, 0);
    for (i = 0; i < sizeof bytes; i++)
        for (j = 0; j < sizeof bytes; j++) {
            key[0] = bytes[i];
            key[1] = bytes[j];
            check_ok(tarn_put(f.table, key, 2, "", 0));
            key[2] = 0xFF;
            check_ok(tarn_put(f.table, key, 3, "", 0));
        }
    for (i = 0; i < sizeof bytes; i++) {
        check_eq(count_prefix(&f, &bytes[i], 1),
                 14); /* abc -> abd; 00 -> 01; FE -> FF; FF -> none */
        for (j = 0; j < sizeof bytes; j++) {
            key[0] = bytes[i];
            key[1] = bytes[j];
            key[2] = 0xFF;
            check_eq(count_prefix(&f, key, 2), 2); /* 01 FF -> 02; 01 02 -> 01 03; FF FF -> none */
            check_eq(count_prefix(&f, key, 3), 1); /* FF FF FF -> none */
        }
    }
    check_eq(count_prefix(&f, "", 0), 98);
    check_ok(tarn_delete(f.table, "\xFF\xFF", 2));
    check_ok(tarn_delete(f.table, "\xFF\xFF\xFF", 3));
    check_eq(count_prefix(&f, "\xFF\xFF", 2), 0);
    fixture_close(&f);
}

/* ---- snapshots ------------------------------------------------------------------------------- */

static void run_snapshot(struct fixture *f)
{
    tarn_snapshot *snapshot;

    check_ok(put_text(f->table, "key1", "value1"));
    check_ok(put_text(f->table, "key2", "value2"));
    check_ok(tarn_snapshot_take(&snapshot, f->store));
    check_ok(put_text(f->table, "key1", "modified"));
    check_ok(put_text(f->table, "key3", "value3"));
    check_ok(tarn_delete(f->table, "key2", 4));
    check_ok(tarn_snapshot_restore(snapshot));
    check_eq(count_of(f), 2);
    check_eq(tarn_table_bytes(f->table), 20);
    check_entry(f->table, "key1", "value1");
    check_entry(f->table, "key2", "value2");
    check_absent(f->table, "key3");
    check_ok(tarn_snapshot_release(snapshot));
}

/* B5, W5, W19 */
static void restoring_gives_exactly_what_was_there(void)
{
    each_kind(run_snapshot);
}

/* ---- memory ---------------------------------------------------------------------------------- */

static tarn_statistics stat_of(const struct fixture *f)
{
    tarn_statistics stat = { 0 };

    check_ok(tarn_stat(f->store, &stat));
    return stat;
}

static void run_compaction(struct fixture *f)
{
    uint64_t i, full, after;
    uint8_t value[200];

    memset(value, 7, sizeof value);
    for (i = 0; i < 20000; i++)
        check_ok(tarn_put(f->table, &i, sizeof i, value, sizeof value));
    full = stat_of(f).record_bytes;
    for (i = 0; i < 20000; i++)
        if (i % 10 != 0)
            check_ok(tarn_delete(f->table, &i, sizeof i));
    while (tarn_work(f->store, 1 << 20) == TARN_OK) {
    }
    after = stat_of(f).record_bytes;
    check(after < full / 6);
    check(after < stat_of(f).entry_bytes * 3 / 2);
    for (i = 0; i < 20000; i += 10) {
        const void *data;
        size_t bytes;

        check_ok(tarn_get(f->table, &i, sizeof i, &data, &bytes));
        check_bytes(data, bytes, value, sizeof value);
    }
}

/* B17, W18: nothing shrank; what deletes leave comes back, and what is left is intact. */
static void memory_comes_back_after_deletes_and_nothing_is_lost(void)
{
    each_kind(run_compaction);
}

static void run_one_hot_key(struct fixture *f)
{
    uint64_t i, before;

    check_ok(put_text(f->table, "other", "entry"));
    for (i = 0; i < 1000; i++)
        check_ok(tarn_put(f->table, "hot", 3, &i, sizeof i));
    before = stat_of(f).memory_bytes;
    for (i = 0; i < 1000000; i++)
        check_ok(tarn_put(f->table, "hot", 3, &i, sizeof i));
    check_eq(stat_of(f).memory_bytes, before);
    for (i = 0; i < 100000; i++)
        check_ok(tarn_put(f->table, "hot", 3, "abcdefghijklmnopqrstuvwxyz", i % 27));
    check(stat_of(f).memory_bytes <= before + 64 * TN_KIB);
}

/* W2: small tables were never compacted, and one hot key grew without bound. */
static void one_hot_key_takes_no_more_memory_than_once(void)
{
    each_kind(run_one_hot_key);
}

/* As if all of the range but its last 256 MiB were in use; the heap's own table of regions is real. */
static bool use_the_end_of_the_range(struct fixture *f)
{
    struct tn_heap *heap = &f->store->heap;

    heap->region_next = heap->region_hint = heap->region_count - 128;
    return heap->address_bytes > 64 * TN_GIB;
}

static void run_far_away(struct fixture *f)
{
    struct tn_lookup lookup;
    const void *value;
    size_t bytes;
    uint64_t i, far = 0;

    if (!use_the_end_of_the_range(f)) {
        printf(
            "# not tested: the system has less address space to give\n"); /* valgrind, ulimit -v */
        return;
    }
    for (i = 0; i < 20000; i++)
        check_ok(tarn_put(f->table, &i, sizeof i, &i, sizeof i));
    for (i = 0; i < 20000; i += 3)
        check_ok(tarn_put(f->table, &i, sizeof i, "a longer value, which moves", 27));
    for (i = 0; i < 20000; i++) {
        far += tn_table_find_any(f->table, &i, sizeof i, &lookup) >> 32 != 0;
        check_ok(tarn_get(f->table, &i, sizeof i, &value, &bytes));
        check(i % 3 == 0 ? bytes == 27 : *(const uint64_t *)value == i);
    }
    check_eq(far, 20000);
}

/* W10: places were cut to 32 bits, and what lay beyond 4 GiB came back as something else. */
static void records_beyond_what_32_bits_can_tell_are_found(void)
{
    each_kind(run_far_away);
}

/* ---- types ----------------------------------------------------------------------------------- */

static void run_alignment(struct fixture *f)
{
    static const uint8_t three[3] = { 1, 2, 3 };
    uint64_t number = 42;
    const void *value = NULL;
    char key[24];
    int i;

    for (i = 0; i < 200; i++) {
        snprintf(key, sizeof key, "%.*s%d", i % 7, "xxxxxxx", i % 10);
        check(tarn_put(f->table, key, strlen(key), three, (size_t)(i % 4)) >= 0);
        snprintf(key, sizeof key, "n%.*s", i % 7, "yyyyyyy");
        check_ok(tarn_put_as(f->table, TARN_U64, key, strlen(key), &number, sizeof number));
        check_ok(tarn_get_as(f->table, TARN_U64, key, strlen(key), &value, sizeof number));
        check_eq((uintptr_t)value % 8, 0);
        check_eq(*(const uint64_t *)value, 42);
    }
    check_eq(tarn_get_as(f->table, TARN_U64, "missing", 7, &value, 8), TARN_ABSENT);
}

/* B7, W11: a number behind a value of 3 bytes could not be read. */
static void a_typed_value_is_aligned_whatever_lies_before_it(void)
{
    each_kind(run_alignment);
}

/* ---- costs ----------------------------------------------------------------------------------- */

static void run_no_allocation(struct fixture *f)
{
    uint64_t i, asked;
    const void *value;
    size_t bytes;
    tarn_bytes key, data;
    tarn_iterator *it;

    for (i = 0; i < 5000; i++)
        check_ok(tarn_put(f->table, &i, sizeof i, &i, sizeof i));
    check_ok(tarn_scan(&it, f->table, NULL));
    asked = f->allocator.asked;
    for (i = 0; i < 5000; i++) {
        check_ok(tarn_get(f->table, &i, sizeof i, &value, &bytes));
        check_ok(tarn_next(it, &key, &data));
    }
    check_eq(f->allocator.asked, asked);
    check_ok(tarn_iterator_close(it));
}

/* W22, W23: a get copied, a scan allocated for each entry. */
static void gets_and_steps_of_scans_allocate_nothing(void)
{
    each_kind(run_no_allocation);
}

/* ---- equal hashes ---------------------------------------------------------------------------- */

#define MANY 300000u

static int compare_u32(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

/* Keys of which the index knows the same bits: there are some among so many. */
static size_t equal_hashes(const tarn_table *table)
{
    static uint32_t hashes[2 * MANY];
    size_t equal = 0;
    uint64_t i;

    for (i = 0; i < 2 * MANY; i++)
        hashes[i] = tn_hash31(tn_hash(&table->secret, &i, sizeof i));
    qsort(hashes, 2 * MANY, sizeof hashes[0], compare_u32);
    for (i = 1; i < 2 * MANY; i++)
        equal += hashes[i] == hashes[i - 1];
    return equal;
}

static void run_equal_hashes(struct fixture *f)
{
    const void *value;
    size_t bytes;
    uint64_t i;

    check(equal_hashes(f->table) > 10);
    for (i = 0; i < MANY; i++)
        check_ok(tarn_put(f->table, &i, sizeof i, &i, sizeof i));
    for (i = 0; i < 2 * MANY; i++) {
        int result = tarn_get(f->table, &i, sizeof i, &value, &bytes);

        check_eq(result, i < MANY ? TARN_OK : TARN_ABSENT);
        if (result == TARN_OK)
            check_eq(*(const uint64_t *)value, i);
        check_eq(tarn_contains(f->table, &i, sizeof i), i < MANY ? TARN_OK : TARN_ABSENT);
    }
}

/* W5, W14: other keys' values were given. */
static void no_key_is_taken_for_another_with_the_same_hash_bits(void)
{
    each_kind(run_equal_hashes);
}

/* ---- dictionaries ---------------------------------------------------------------------------- */

/* B22, B23, B24 */
static void a_dictionary_numbers_keys_from_0_and_gives_them_back(void)
{
    static const uint8_t binary[] = { 0, 0xFF, 0 };
    struct fixture f;
    tarn_dict *dict;
    tarn_bytes key = { NULL, 0 };
    uint32_t code = 77;

    fixture_open(&f, NULL, 0);
    check_ok(tarn_dict_open(&dict, f.store, "d", NULL));
    check_eq(tarn_dict_count(dict), 0);
    check_ok(tarn_dict_encode(dict, "zero", 4, &code));
    check_eq(code, 0);
    check_ok(tarn_dict_encode(dict, "one", 3, &code));
    check_eq(code, 1);
    check_ok(tarn_dict_encode(dict, "zero", 4, &code)); /* again */
    check_eq(code, 0);
    check_eq(tarn_dict_count(dict), 2);
    check_ok(tarn_dict_encode(dict, binary, sizeof binary, &code));
    check_eq(code, 2);
    check_ok(tarn_dict_decode(dict, 2, &key));
    check_bytes(key.data, key.bytes, binary, sizeof binary);
    check_eq(tarn_dict_find(dict, "none", 4, &code), TARN_ABSENT);
    check_eq(tarn_dict_decode(dict, 3, &key), TARN_ABSENT);
    check_ok(tarn_dict_clear(dict));
    check_eq(tarn_dict_count(dict), 0);
    check_eq(tarn_dict_decode(dict, 0, &key), TARN_ABSENT);
    check_ok(tarn_dict_encode(dict, "new", 3, &code));
    check_eq(code, 0);
    fixture_close(&f);
}

static const struct test tests[] = {
    T(put_get_overwrite_delete_and_delete_of_what_is_not_there),
    T(contains_follows_put_and_delete),
    T(bytes_follow_each_put_overwrite_delete_and_clear),
    T(a_new_table_is_empty),
    T(clear_resets_count_bytes_and_entries),
    T(put_if_absent_inserts_and_then_gives_what_is_there),
    T(an_update_adds_to_a_number_and_another_takes_it_away),
    T(a_small_table_grows),
    T(a_value_of_100_kib_and_a_key_of_any_bytes),
    T(a_prefix_gives_what_begins_with_it_and_the_empty_one_all),
    T(a_range_has_its_first_key_and_not_its_last_and_may_be_inverted),
    T(a_prefix_scan_is_sorted_whatever_the_order_of_inserts),
    T(a_prefix_ends_where_it_must_also_at_ff),
    T(restoring_gives_exactly_what_was_there),
    T(memory_comes_back_after_deletes_and_nothing_is_lost),
    T(one_hot_key_takes_no_more_memory_than_once),
    T(records_beyond_what_32_bits_can_tell_are_found),
    T(a_typed_value_is_aligned_whatever_lies_before_it),
    T(gets_and_steps_of_scans_allocate_nothing),
    T(no_key_is_taken_for_another_with_the_same_hash_bits),
    T(a_dictionary_numbers_keys_from_0_and_gives_them_back),
};

TEST_MAIN(tests)
