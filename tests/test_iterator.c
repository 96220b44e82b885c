/*
 * test_iterator.c - scans: tarn.h sentence by sentence; test_store_model.c has the random programs
 */
#include "store/store.h"

#include "allocator.h"
#include "test.h"

static struct allocator allocator;

struct fixture {
    tarn_store *store;
    tarn_table *ordered;
    tarn_table *unordered;
};

static struct fixture fixture_open(void)
{
    tarn_options options = { .allocate = allocator_call, .allocate_context = &allocator };
    tarn_table_options kind = { .kind = TARN_UNORDERED };
    struct fixture f;

    allocator = (struct allocator){ .refuse_at = UINT64_MAX };
    check_ok(tarn_open(&f.store, NULL, &options));
    check_ok(tarn_table_open(&f.ordered, f.store, "ordered", NULL));
    check_ok(tarn_table_open(&f.unordered, f.store, "unordered", &kind));
    return f;
}

static void fixture_close(struct fixture *f)
{
    check_ok(tarn_close(f->store));
    check_eq(allocator.live_blocks, 0);
    check(!allocator.size_was_wrong);
}

static void put_all(tarn_table *table, const char *const *keys)
{
    for (; *keys != NULL; keys++)
        check_ok(tarn_put(table, *keys, strlen(*keys), *keys, strlen(*keys)));
}

static tarn_bytes text_bytes(const char *text)
{
    return (tarn_bytes){ text, text != NULL ? strlen(text) : 0 };
}

static tarn_range range_of(const char *lower, const char *upper, const char *prefix, int reverse)
{
    return (tarn_range){ text_bytes(lower), text_bytes(upper), text_bytes(prefix), reverse };
}

/* What an iterator still gives, joined by spaces. */
static const char *rest(tarn_iterator *it)
{
    static char text[400];
    size_t at = 0;
    tarn_bytes key;

    text[0] = 0;
    while (tarn_next(it, &key, NULL) == TARN_OK && at + key.bytes + 2 < sizeof text)
        at += (size_t)snprintf(text + at, sizeof text - at, "%s%.*s", at > 0 ? " " : "",
                               (int)key.bytes, (const char *)key.data);
    check_eq(tarn_next(it, &key, NULL), TARN_END); /* asking again answers the same */
    return text;
}

static const char *scan(tarn_table *table, const char *lower, const char *upper, const char *prefix,
                        int reverse)
{
    tarn_range range = range_of(lower, upper, prefix, reverse);
    tarn_iterator *it = NULL;
    const char *text;

    check_ok(tarn_scan(&it, table, &range));
    text = rest(it);
    check_ok(tarn_iterator_close(it));
    return text;
}

/* ---- ranges ---------------------------------------------------------------------------------- */

static void a_scan_is_in_key_order_whatever_the_order_of_puts(void)
{
    static const char *const keys[] = { "c", "ab", "a", "b", "abc", "\xFF", "aa", "\x01", NULL };
    struct fixture f = fixture_open();

    put_all(f.ordered, keys);
    check_text(scan(f.ordered, NULL, NULL, NULL, 0), "\x01 a aa ab abc b c \xFF");
    check_text(scan(f.ordered, NULL, NULL, NULL, 1), "\xFF c b abc ab aa a \x01");
    fixture_close(&f);
}

static void a_range_begins_at_lower_and_ends_before_upper(void)
{
    static const char *const keys[] = { "a", "b", "c", "d", "e", NULL };
    struct fixture f = fixture_open();

    put_all(f.ordered, keys);
    check_text(scan(f.ordered, "b", "d", NULL, 0), "b c");
    check_text(scan(f.ordered, "b", "d", NULL, 1), "c b");
    check_text(scan(f.ordered, "b", NULL, NULL, 0), "b c d e");
    check_text(scan(f.ordered, NULL, "b", NULL, 1), "a");
    check_text(scan(f.ordered, "bb", "dd", NULL, 0), "c d");
    check_text(scan(f.ordered, "bb", "dd", NULL, 1), "d c");
    check_text(scan(f.ordered, "", "b", NULL, 0), "a");
    check_text(scan(f.ordered, "e", "z", NULL, 0), "e");
    check_text(scan(f.ordered, "f", NULL, NULL, 0), "");
    fixture_close(&f);
}

/* Bounds the wrong way round made a range scan panic once. */
static void an_inverted_range_is_empty(void)
{
    static const char *const keys[] = { "", "a", "b", "c", NULL };
    struct fixture f = fixture_open();
    int reverse;

    put_all(f.ordered, keys);
    for (reverse = 0; reverse < 2; reverse++) {
        check_text(scan(f.ordered, "c", "a", NULL, reverse), "");
        check_text(scan(f.ordered, "b", "b", NULL, reverse), "");
        check_text(scan(f.ordered, "a", "", NULL, reverse), "");
        check_text(scan(f.ordered, NULL, "", NULL, reverse), "");
        check_text(scan(f.ordered, "z", NULL, "a", reverse), "");
        check_text(scan(f.ordered, NULL, "a", "b", reverse), "");
    }
    fixture_close(&f);
}

static void a_prefix_gives_the_keys_that_begin_with_it(void)
{
    static const char *const keys[] = {
        "prefix:1", "prefix:10", "prefix:2", "other", "prefiy", NULL
    };
    struct fixture f = fixture_open();

    put_all(f.ordered, keys);
    check_text(scan(f.ordered, NULL, NULL, "prefix:", 0), "prefix:1 prefix:10 prefix:2");
    check_text(scan(f.ordered, NULL, NULL, "prefix:", 1), "prefix:2 prefix:10 prefix:1");
    check_text(scan(f.ordered, NULL, NULL, "prefix:1", 0), "prefix:1 prefix:10");
    check_text(scan(f.ordered, NULL, NULL, "", 0), "other prefix:1 prefix:10 prefix:2 prefiy");
    check_text(scan(f.ordered, NULL, NULL, "none", 0), "");
    check_text(scan(f.ordered, "prefix:10", NULL, "prefix", 0), "prefix:10 prefix:2");
    check_text(scan(f.ordered, NULL, "prefix:2", "prefix", 1), "prefix:10 prefix:1");
    check_text(scan(f.ordered, "a", "z", "prefiy", 0), "prefiy");
    fixture_close(&f);
}

static size_t count_prefix(tarn_table *table, const void *prefix, size_t bytes, int reverse)
{
    tarn_range range = { .prefix = { prefix, bytes }, .reverse = reverse };
    tarn_iterator *it = NULL;
    size_t count = 0;

    check_ok(tarn_scan(&it, table, &range));
    while (tarn_next(it, NULL, NULL) == TARN_OK)
        count++;
    check_ok(tarn_iterator_close(it));
    return count;
}

/* The first key behind a prefix is not the prefix plus 1 when it ends in 0xFF, and there may be none. */
static void a_prefix_may_end_in_0xff(void)
{
    struct fixture f = fixture_open();
    uint8_t key[3];
    unsigned a, b;
    int reverse;

    for (a = 0; a < 256; a++)
        for (b = 0; b < 256; b += 5) {
            key[0] = (uint8_t)a;
            key[1] = (uint8_t)b; /* 255 is a multiple of 5 */
            check_ok(tarn_put(f.ordered, key, 2, "", 0));
        }
    check_ok(tarn_put(f.ordered, "\xFF\xFF\xFF", 3, "", 0));
    check_ok(tarn_put(f.ordered, "\x01\xFF\x07", 3, "", 0));
    for (reverse = 0; reverse < 2; reverse++) {
        check_eq(count_prefix(f.ordered, "\xFF", 1, reverse), 53);
        check_eq(count_prefix(f.ordered, "\xFF\xFF", 2, reverse), 2);
        check_eq(count_prefix(f.ordered, "\xFF\xFF\xFF", 3, reverse), 1);
        check_eq(count_prefix(f.ordered, "\xFF\xFF\xFF\xFF", 4, reverse), 0);
        check_eq(count_prefix(f.ordered, "\x01", 1, reverse), 53);
        check_eq(count_prefix(f.ordered, "\x01\xFF", 2, reverse), 2);
        check_eq(count_prefix(f.ordered, "\0", 1, reverse), 52);
        check_eq(count_prefix(f.ordered, "\0\0", 2, reverse), 1);
        check_eq(count_prefix(f.ordered, "\xFE\xFF", 2, reverse), 1);
        check_eq(count_prefix(f.ordered, NULL, 0, reverse), 256 * 52 + 2);
    }
    fixture_close(&f);
}

static void bounds_are_copied_and_may_be_65535_bytes_long(void)
{
    static uint8_t key[65536], bound[65536];
    struct fixture f = fixture_open();
    tarn_range range = { .lower = { bound, 65535 }, .upper = { bound, 65535 } };
    tarn_iterator *it = NULL;
    tarn_bytes got;

    memset(key, 'k', sizeof key);
    memset(bound, 'k', sizeof bound);
    check_ok(tarn_put(f.ordered, key, 65535, "long", 4));
    check_ok(tarn_put(f.ordered, key, 65534, "shorter", 7));
    range.upper.data = NULL;
    range.upper.bytes = 0;
    check_ok(tarn_scan(&it, f.ordered, &range));
    memset(bound, 'z', sizeof bound);
    check_ok(tarn_next(it, &got, NULL));
    check_bytes(got.data, got.bytes, key, 65535);
    check_eq(tarn_next(it, &got, NULL), TARN_END);
    check_ok(tarn_iterator_close(it));
    check_eq(count_prefix(f.ordered, key, 65535, 0), 1);
    check_eq(count_prefix(f.ordered, key, 65534, 1), 2);
    range = (tarn_range){ .prefix = { bound, 65536 } };
    check_eq(tarn_scan(&it, f.ordered, &range), TARN_E_MISUSE);
    check(it == NULL);
    range = (tarn_range){ .upper = { bound, 65536 } };
    check_eq(tarn_scan(&it, f.ordered, &range), TARN_E_MISUSE);
    range = (tarn_range){ .lower = { NULL, 1 } };
    check_eq(tarn_scan(&it, f.ordered, &range), TARN_E_MISUSE);
    check_eq(tarn_scan(NULL, f.ordered, NULL), TARN_E_MISUSE);
    check_eq(tarn_scan(&it, NULL, NULL), TARN_E_MISUSE);
    check_ok(tarn_iterator_close(NULL));
    check_eq(tarn_next(NULL, NULL, NULL), TARN_E_MISUSE);
    check_eq(tarn_seek(NULL, "k", 1), TARN_E_MISUSE);
    fixture_close(&f);
}

static void an_unordered_table_is_scanned_whole_or_not_at_all(void)
{
    static const char *const keys[] = { "a", "b", "c", "", NULL };
    struct fixture f = fixture_open();
    tarn_range ranges[] = { range_of("a", NULL, NULL, 0), range_of(NULL, "c", NULL, 0),
                            range_of(NULL, NULL, "a", 0), range_of(NULL, NULL, NULL, 1),
                            range_of("", NULL, NULL, 0) };
    tarn_range zero = { .reverse = 0 };
    tarn_iterator *it = NULL;
    size_t i, count;

    put_all(f.unordered, keys);
    for (i = 0; i < TN_ARRAY_COUNT(ranges); i++) {
        check_eq(tarn_scan(&it, f.unordered, &ranges[i]), TARN_E_MISUSE);
        check(it == NULL);
        check(tarn_error_text(f.store)[0] != 0);
    }
    for (i = 0; i < 2; i++) {
        check_ok(tarn_scan(&it, f.unordered, i ? &zero : NULL));
        check_eq(tarn_seek(it, "b", 1), TARN_E_MISUSE);
        for (count = 0; tarn_next(it, NULL, NULL) == TARN_OK; count++) {
        }
        check_eq(count, 4);
        check_eq(tarn_next(it, NULL, NULL), TARN_END);
        check_ok(tarn_iterator_close(it));
    }
    fixture_close(&f);
}

static void an_empty_table_gives_nothing(void)
{
    struct fixture f = fixture_open();
    tarn_bytes key = { &f, 77 }, value = { &f, 77 };
    tarn_iterator *it = NULL;
    int k;

    for (k = 0; k < 2; k++) {
        tarn_table *table = k ? f.unordered : f.ordered;

        check_ok(tarn_scan(&it, table, NULL));
        check_eq(tarn_next(it, &key, &value), TARN_END);
        check(key.data == &f && value.data == &f && value.bytes == 77);
        check_ok(tarn_put(table, "k", 1, "v", 1));
        check_eq(tarn_next(it, &key, &value), TARN_END); /* the end is the end */
        check_ok(tarn_iterator_close(it));
    }
    fixture_close(&f);
}

/* ---- seeking --------------------------------------------------------------------------------- */

static const char *seek(tarn_iterator *it, const char *key)
{
    check_ok(tarn_seek(it, key, strlen(key)));
    return rest(it);
}

static void seek_goes_on_at_or_behind_a_key_within_the_range(void)
{
    static const char *const keys[] = { "a", "b", "c", "d", "e", "f", NULL };
    struct fixture f = fixture_open();
    tarn_range range = range_of("b", "e", NULL, 0);
    tarn_iterator *it = NULL;

    put_all(f.ordered, keys);
    check_ok(tarn_scan(&it, f.ordered, &range));
    check_text(seek(it, "c"), "c d");
    check_text(seek(it, "bb"), "c d"); /* also after the end */
    check_text(seek(it, "a"), "b c d");
    check_text(seek(it, ""), "b c d");
    check_text(seek(it, "d"), "d");
    check_text(seek(it, "e"), "");
    check_text(seek(it, "zzz"), "");
    check_text(seek(it, "b"), "b c d");
    check_ok(tarn_iterator_close(it));
    range.reverse = 1;
    check_ok(tarn_scan(&it, f.ordered, &range));
    check_text(seek(it, "c"), "c b");
    check_text(seek(it, "cc"), "c b");
    check_text(seek(it, "z"), "d c b");
    check_text(seek(it, "e"), "d c b");
    check_text(seek(it, "b"), "b");
    check_text(seek(it, "a"), "");
    check_text(seek(it, ""), "");
    check_eq(tarn_seek(it, NULL, 1), TARN_E_MISUSE);
    check_ok(tarn_iterator_close(it));
    fixture_close(&f);
}

static void seek_waits_for_what_is_put_before_next(void)
{
    static const char *const keys[] = { "a", "d", NULL };
    struct fixture f = fixture_open();
    tarn_iterator *it = NULL;

    put_all(f.ordered, keys);
    check_ok(tarn_scan(&it, f.ordered, NULL));
    check_ok(tarn_seek(it, "b", 1));
    check_ok(tarn_put(f.ordered, "c", 1, "", 0));
    check_ok(tarn_put(f.ordered, "b", 1, "", 0));
    check_text(rest(it), "b c d");
    check_ok(tarn_seek(it, "c", 1));
    check_ok(tarn_delete(f.ordered, "c", 1));
    check_text(rest(it), "d");
    check_ok(tarn_iterator_close(it));
    fixture_close(&f);
}

/* A longer key than the table has ever had: the iterator makes room for it, then forgets it. */
static void seek_takes_a_key_longer_than_any_in_the_table(void)
{
    static uint8_t key[65535];
    static const char *const keys[] = { "a", "m", NULL };
    struct fixture f = fixture_open();
    tarn_iterator *it = NULL;

    memset(key, 'b', sizeof key);
    put_all(f.ordered, keys);
    check_ok(tarn_scan(&it, f.ordered, NULL));
    check_ok(tarn_seek(it, key, sizeof key));
    check_ok(tarn_delete(f.ordered, "a", 1));
    check_text(rest(it), "m");
    check_eq(tarn_seek(it, key, sizeof key + 1), TARN_E_MISUSE);
    check_ok(tarn_iterator_close(it));
    fixture_close(&f);
}

/* ---- writes meanwhile ------------------------------------------------------------------------ */

static void deleting_the_entry_just_given_is_normal_use(void)
{
    struct fixture f = fixture_open();
    size_t i, given;
    int k;

    for (k = 0; k < 4; k++) {
        tarn_table *table = k < 2 ? f.ordered : f.unordered;
        tarn_range range = { .reverse = k == 1 };
        tarn_iterator *it = NULL;
        tarn_bytes key;

        for (i = 0; i < 5000; i++)
            check_ok(tarn_put(table, &i, sizeof i, &i, sizeof i));
        check_ok(tarn_scan(&it, table, &range));
        for (given = 0; tarn_next(it, &key, NULL) == TARN_OK; given++)
            check_ok(tarn_delete(table, key.data, key.bytes));
        check_eq(given, 5000);
        check_eq(tarn_table_count(table), 0);
        check_ok(tarn_iterator_close(it));
    }
    fixture_close(&f);
}

/* Overwriting each entry with a larger value moves its record; the scan must not meet it again. */
static void entries_that_move_under_a_scan_are_given_once(void)
{
    static uint8_t value[70000];
    struct fixture f = fixture_open();
    size_t i, given;
    int k;

    for (k = 0; k < 3; k++) {
        tarn_table *table = k < 2 ? f.ordered : f.unordered;
        tarn_range range = { .reverse = k == 1 };
        static uint8_t seen[600];
        tarn_iterator *it = NULL;
        tarn_bytes key;

        memset(seen, 0, sizeof seen);
        for (i = 0; i < 600; i++)
            check_ok(tarn_put(table, &i, sizeof i, value, i % 9));
        check_ok(tarn_scan(&it, table, &range));
        for (given = 0; tarn_next(it, &key, NULL) == TARN_OK; given++) {
            size_t number;

            memcpy(&number, key.data, sizeof number);
            check_eq(seen[number]++, 0);
            check_ok(tarn_put(table, key.data, key.bytes, value, given % 2 ? 300 + given : 66000));
        }
        check_eq(given, 600);
        check_ok(tarn_iterator_close(it));
        check_ok(tarn_table_clear(table));
    }
    fixture_close(&f);
}

/* The table grows and shrinks by thousands while a scan is half way through. */
static void unchanged_entries_are_given_once_while_the_table_grows_and_shrinks(void)
{
    struct fixture f = fixture_open();
    uint64_t i, round, stay = 2000;
    int k;

    for (k = 0; k < 3; k++) {
        tarn_table *table = k < 2 ? f.ordered : f.unordered;
        tarn_range range = { .reverse = k == 1 };
        static uint8_t seen[40000];

        for (i = 0; i < stay; i++)
            check_ok(tarn_put(table, &i, 8, &i, 8));
        for (round = 0; round < 4; round++) {
            tarn_iterator *it = NULL;
            tarn_bytes key;
            uint64_t number, other = stay;

            memset(seen, 0, sizeof seen);
            check_ok(tarn_scan(&it, table, &range));
            while (tarn_next(it, &key, NULL) == TARN_OK) {
                memcpy(&number, key.data, sizeof number);
                check_eq(seen[number]++, 0);
                for (i = 0; i < 9 && other < 38000; i++, other++) {
                    if (round % 2 == 0)
                        check_ok(tarn_put(table, &other, 8, &other, 8));
                    else
                        check_ok(tarn_delete(table, &other, 8));
                }
            }
            for (i = 0; i < stay; i++)
                check_eq(seen[i], 1);
            for (; other < 38000; other++)
                check_ok(round % 2 == 0 ? tarn_put(table, &other, 8, &other, 8)
                                        : tarn_delete(table, &other, 8));
            check_ok(tarn_iterator_close(it));
        }
    }
    fixture_close(&f);
}

/* The key an iterator stands on may leave in many ways: all iterators on it find their way. */
static void many_iterators_on_one_entry_survive_its_end(void)
{
    static const char *const keys[] = { "a", "b", "c", "d", NULL };
    struct fixture f = fixture_open();
    tarn_iterator *its[40];
    size_t i;

    put_all(f.ordered, keys);
    for (i = 0; i < 40; i++) {
        tarn_range range = { .reverse = (int)(i % 2) };
        size_t steps = i % 2 ? 3 : 2;

        check_ok(tarn_scan(&its[i], f.ordered, &range));
        for (; steps > 0; steps--)
            check_ok(tarn_next(its[i], NULL, NULL));
    }
    check_ok(tarn_delete(f.ordered, "b", 1)); /* all of them stand on it */
    for (i = 0; i < 40; i++) {
        if (i == 20)
            check_ok(tarn_put(f.ordered, "b", 1, "again", 5)); /* not given again */
        check_text(rest(its[i]), i % 2 ? "a" : "c d");
    }
    for (i = 0; i < 40; i++)
        check_ok(tarn_iterator_close(its[(i * 7) % 40]));
    fixture_close(&f);
}

/* The saved key has room from the start: putting longer keys pays for it, deleting needs none. */
static void iterators_keep_their_place_behind_keys_longer_than_when_they_opened(void)
{
    static uint8_t key[65535];
    struct fixture f = fixture_open();
    int k;

    memset(key, 'k', sizeof key);
    for (k = 0; k < 2; k++) {
        tarn_table *table = k ? f.unordered : f.ordered;
        tarn_iterator *it = NULL, *other = NULL;
        tarn_bytes got;

        check_ok(tarn_scan(&it, table, NULL));
        check_ok(tarn_scan(&other, table, NULL));
        check_ok(tarn_put(table, key, sizeof key, "v", 1));
        check_ok(tarn_next(it, &got, NULL));
        check_eq(got.bytes, sizeof key);
        allocator.refuse_all = true;
        allocator.refuse_at = 1;
        check_ok(tarn_delete(table, key, sizeof key));
        check_eq(tarn_next(it, &got, NULL), TARN_END);
        check_eq(tarn_next(other, &got, NULL), TARN_END);
        allocator.refuse_all = false;
        allocator.refuse_at = UINT64_MAX;
        check_ok(tarn_iterator_close(it));
        check_ok(tarn_iterator_close(other));
    }
    fixture_close(&f);
}

static void next_lends_key_and_value_until_the_iterators_own_next_call(void)
{
    static const char *const keys[] = { "a", "b", "c", NULL };
    struct fixture f = fixture_open();
    int k;

    for (k = 0; k < 2; k++) {
        tarn_table *table = k ? f.unordered : f.ordered;
        tarn_bytes key, value, other_key;
        tarn_iterator *it = NULL, *other = NULL;
        char first[2] = { 0 };

        put_all(table, keys);
        check_ok(tarn_scan(&it, table, NULL));
        check_ok(tarn_scan(&other, table, NULL));
        check_ok(tarn_next(it, &key, &value));
        memcpy(first, key.data, 1);
        check_eq((uintptr_t)value.data % 8, 0);
        while (tarn_next(other, &other_key, NULL) == TARN_OK)
            check_ok(tarn_contains(table, other_key.data, other_key.bytes));
        check_bytes(key.data, key.bytes, first, 1);
        check_bytes(value.data, value.bytes, first, 1);
        check_ok(tarn_next(it, NULL, &value));
        check_ok(tarn_next(it, NULL, NULL));
        check_eq(tarn_next(it, NULL, NULL), TARN_END);
        check_ok(tarn_iterator_close(it));
        check_ok(tarn_iterator_close(other));
    }
    fixture_close(&f);
}

/* Each step of a scan allocated a box and copies of key and value, once. */
static void a_step_allocates_nothing_even_after_writes(void)
{
    struct fixture f = fixture_open();
    size_t i;
    int k;

    for (k = 0; k < 2; k++) {
        tarn_table *table = k ? f.unordered : f.ordered;
        tarn_iterator *it = NULL;
        uint64_t asked, steps = 0;
        tarn_bytes key;
        int result;

        for (i = 0; i < 20000; i++)
            check_ok(tarn_put(table, &i, 8, &i, 8));
        check_ok(tarn_scan(&it, table, NULL));
        do {
            asked = allocator.asked;
            result = tarn_next(it, &key, NULL);
            check_eq(allocator.asked, asked);
            if (result == TARN_OK && ++steps % 3 == 0)
                check_ok(tarn_delete(table, key.data, key.bytes));
        } while (result == TARN_OK);
        check_eq(steps, 20000);
        check_ok(tarn_iterator_close(it));
    }
    fixture_close(&f);
}

/* As a queue: take the first entries a scan gives, delete them, put as many new ones. */
static void an_unordered_table_can_be_a_queue(void)
{
    struct tarn_store *store = NULL;
    const tarn_table_options unordered = { .kind = TARN_UNORDERED };
    uint64_t put = 0, taken = 0, round;
    tarn_table *table;

    check_ok(tarn_open(&store, NULL, NULL));
    check_ok(tarn_table_open(&table, store, "queue", &unordered));
    for (; put < 20000; put++)
        check_ok(tarn_put(table, &put, sizeof put, &put, sizeof put));
    for (round = 0; round < 40; round++) {
        uint64_t goal = taken + (round % 3 == 2 ? 9000 : 4000);
        tarn_iterator *it;
        tarn_bytes key;

        check_ok(tarn_scan(&it, table, NULL));
        while (taken < goal && tarn_next(it, &key, NULL) == TARN_OK) {
            check_ok(tarn_delete(table, key.data, key.bytes));
            taken++;
        }
        check_ok(tarn_iterator_close(it));
        for (; put < taken + 12000; put++)
            check_ok(tarn_put(table, &put, sizeof put, &put, sizeof put));
        check_eq(tarn_table_count(table), put - taken);
    }
    check(tn_index_check(&table->index));
    check_ok(tarn_close(store));
}

/* A scan that begins exactly at an entry comes back to it at the end, and must not give it again. */
static void an_unordered_scan_that_begins_at_an_entry_gives_it_once(void)
{
    tarn_store *store;
    tarn_table *table;
    tarn_iterator *it;
    tarn_bytes key;
    uint64_t i;
    int count;

    check_ok(tarn_open(&store, NULL, NULL));
    check_ok(tarn_table_open(&table, store, "t", &(tarn_table_options){ .kind = TARN_UNORDERED }));
    for (i = 0; i < 50; i++)
        check_ok(tarn_put(table, &i, sizeof i, "", 0));
    for (i = 0; i < 50; i++) {
        uint64_t hash = tn_hash(&table->secret, &i, sizeof i);

        check_ok(tarn_scan(&it, table, NULL));
        it->first = tn_walk_turn(tn_hash31(hash), it->block_bits);
        it->position = it->first;
        for (count = 0; tarn_next(it, &key, NULL) == TARN_OK; count++)
            check(count > 0 || *(const uint64_t *)key.data == i);
        check_eq(count, 50);
        check_ok(tarn_iterator_close(it));
    }
    check_ok(tarn_close(store));
}

static const struct test tests[] = {
    T(a_scan_is_in_key_order_whatever_the_order_of_puts),
    T(a_range_begins_at_lower_and_ends_before_upper),
    T(an_inverted_range_is_empty),
    T(a_prefix_gives_the_keys_that_begin_with_it),
    T(a_prefix_may_end_in_0xff),
    T(bounds_are_copied_and_may_be_65535_bytes_long),
    T(an_unordered_table_is_scanned_whole_or_not_at_all),
    T(an_empty_table_gives_nothing),
    T(seek_goes_on_at_or_behind_a_key_within_the_range),
    T(seek_waits_for_what_is_put_before_next),
    T(seek_takes_a_key_longer_than_any_in_the_table),
    T(deleting_the_entry_just_given_is_normal_use),
    T(entries_that_move_under_a_scan_are_given_once),
    T(unchanged_entries_are_given_once_while_the_table_grows_and_shrinks),
    T(many_iterators_on_one_entry_survive_its_end),
    T(iterators_keep_their_place_behind_keys_longer_than_when_they_opened),
    T(next_lends_key_and_value_until_the_iterators_own_next_call),
    T(a_step_allocates_nothing_even_after_writes),
    T(an_unordered_table_can_be_a_queue),
    T(an_unordered_scan_that_begins_at_an_entry_gives_it_once),
};

TEST_MAIN(tests)
