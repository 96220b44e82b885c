/*
 * test_ordered.c - the ordered index against a sorted array
 *
 * The records lie in a plain arena; the arena's start is the heap base. A removed record is
 * overwritten at once, and its place is the first to be taken by another, so that an index that
 * still leans on it is found out. test_ordered_tiny.c
 * runs the same tests on nodes of a few slots, where splits and merges happen all the time.
 */
#include "index/ordered_tree.h"
#include "test.h"

#ifndef ORDERED_TINY
#define ORDERED_TINY false
#endif

#define ARENA_BYTES ((size_t)128 << 20)

struct entry {
    const uint8_t *key;
    size_t key_bytes;
    tn_handle handle;
};

/* What tests share: an index, its records, and what it should contain. */
struct fixture {
    struct tn_memory memory;
    struct tn_ordered *ordered;
    uint64_t random;
    size_t entry_count;
    struct entry *entries;   /* sorted */
    size_t allocations_left; /* the allocator refuses when 0 */
    bool refuses_to_shrink;
};

#define ENTRIES_MAX ((size_t)50000)

/* Removed records by size, the newest first; larger ones are not used again. */
#define FREE_GRANULES_MAX ((size_t)64)

static uint8_t *arena;
static size_t arena_granules;
static struct {
    tn_handle handles[ENTRIES_MAX];
    size_t count;
} arena_free[FREE_GRANULES_MAX];
static struct entry arena_entries[ENTRIES_MAX];

static void *allocate_counted(void *context, void *old, size_t old_bytes, size_t new_bytes)
{
    struct fixture *f = context;

    if (new_bytes == 0) {
        free(old);
        return NULL;
    }
    if (new_bytes < old_bytes && f->refuses_to_shrink)
        return NULL;
    if (new_bytes > old_bytes) {
        if (f->allocations_left == 0)
            return NULL;
        f->allocations_left--;
    }
    return realloc(old, new_bytes);
}

static void fixture_open(struct fixture *f)
{
    size_t i;

    *f = (struct fixture){ .random = test_seed(), .entries = arena_entries };
    f->allocations_left = SIZE_MAX;
    tn_memory_init(&f->memory, allocate_counted, f, 0);
    if (arena == NULL)
        arena = calloc(1, ARENA_BYTES);
    arena_granules = 1;
    for (i = 0; i < FREE_GRANULES_MAX; i++)
        arena_free[i].count = 0;
    f->ordered = tn_ordered_new(&f->memory, arena);
    check(f->ordered != NULL);
}

static void fixture_close(struct fixture *f)
{
    check(tn_ordered_check(f->ordered));
    check_eq(tn_ordered_bytes(f->ordered), f->memory.counted_bytes);
    tn_ordered_free(f->ordered);
    check_eq(f->memory.counted_bytes, 0);
}

static size_t record_granules(size_t key_bytes)
{
    return tn_align_up(tn_record_bytes(key_bytes, 0), TN_GRANULE_BYTES) / TN_GRANULE_BYTES;
}

static tn_handle arena_take(size_t granules)
{
    tn_handle handle = arena_granules;

    if (granules < FREE_GRANULES_MAX && arena_free[granules].count > 0)
        return arena_free[granules].handles[--arena_free[granules].count];
    arena_granules += granules;
    if (arena_granules * TN_GRANULE_BYTES > ARENA_BYTES)
        abort();
    return handle;
}

static tn_handle record_new(const void *key, size_t key_bytes)
{
    tn_handle handle = arena_take(record_granules(key_bytes));
    struct tn_record *record = tn_record_at(arena, handle);

    if (tn_record_must_be_long(key_bytes, 0)) {
        struct tn_record_long *long_record = (struct tn_record_long *)(void *)record;

        long_record->head.key_bytes = TN_RECORD_KEY_LONG;
        long_record->head.value_bytes = TN_RECORD_VALUE_LONG;
        long_record->key_bytes = (uint32_t)key_bytes;
        long_record->value_bytes = 0;
    } else {
        record->key_bytes = (uint8_t)key_bytes;
        record->value_bytes = 0;
    }
    if (key_bytes > 0)
        memcpy(tn_record_key(record), key, key_bytes);
    return handle;
}

static void record_destroy(tn_handle handle)
{
    struct tn_record *record = tn_record_at(arena, handle);
    size_t key_bytes = tn_record_key_bytes(record);
    size_t granules = record_granules(key_bytes);

    memset(tn_record_key(record), 0xA5, key_bytes);
    memset(record, 0xA5, sizeof *record);
    if (granules < FREE_GRANULES_MAX)
        arena_free[granules].handles[arena_free[granules].count++] = handle;
}

/* The first entry whose key is >= key, or > key if `after`. */
static size_t model_search(const struct fixture *f, const void *key, size_t key_bytes, bool after)
{
    size_t first = 0, end = f->entry_count;

    while (first < end) {
        size_t middle = (first + end) / 2;
        const struct entry *entry = &f->entries[middle];
        int order = tn_key_compare(entry->key, entry->key_bytes, key, key_bytes);

        if (order < (after ? 1 : 0))
            first = middle + 1;
        else
            end = middle;
    }
    return first;
}

static struct entry entry_of(tn_handle handle)
{
    struct tn_record *record = tn_record_at(arena, handle);

    return (struct entry){ tn_record_key(record), tn_record_key_bytes(record), handle };
}

/* Insert into index and model; nothing happens if the key is there. */
static void insert(struct fixture *f, const void *key, size_t key_bytes)
{
    size_t i = model_search(f, key, key_bytes, false);
    struct entry *entry = &f->entries[i];
    uint64_t version = *tn_ordered_version(f->ordered);
    tn_handle handle;

    if (i < f->entry_count && entry->key_bytes == key_bytes &&
        tn_key_compare(entry->key, entry->key_bytes, key, key_bytes) == 0)
        return;
    if (f->entry_count == ENTRIES_MAX)
        abort();
    handle = record_new(key, key_bytes);
    check(tn_ordered_reserve(f->ordered, key, key_bytes));
    tn_ordered_insert(f->ordered, handle);
    check(*tn_ordered_version(f->ordered) != version);
    memmove(entry + 1, entry, (f->entry_count - i) * sizeof *entry);
    *entry = entry_of(handle);
    f->entry_count++;
}

static void insert_text(struct fixture *f, const char *text)
{
    insert(f, text, strlen(text));
}

static void remove_at(struct fixture *f, size_t i)
{
    struct entry *entry = &f->entries[i];
    uint64_t version = *tn_ordered_version(f->ordered);

    f->allocations_left = 0;
    tn_ordered_remove(f->ordered, entry->handle);
    f->allocations_left = SIZE_MAX;
    check(*tn_ordered_version(f->ordered) != version);
    record_destroy(entry->handle);
    f->entry_count--;
    memmove(entry, entry + 1, (f->entry_count - i) * sizeof *entry);
}

static void move_at(struct fixture *f, size_t i)
{
    struct entry *entry = &f->entries[i];
    tn_handle old = entry->handle;
    tn_handle new_handle = record_new(entry->key, entry->key_bytes);
    uint64_t version = *tn_ordered_version(f->ordered);

    f->allocations_left = 0;
    tn_ordered_move(f->ordered, old, new_handle);
    f->allocations_left = SIZE_MAX;
    check(*tn_ordered_version(f->ordered) != version);
    record_destroy(old);
    *entry = entry_of(new_handle);
}

/* The model's entry for a seek; entry_count when there is none. */
static size_t model_seek(const struct fixture *f, enum tn_ordered_seek how, const void *key,
                         size_t key_bytes)
{
    size_t none = f->entry_count, i;

    switch (how) {
    case TN_SEEK_FIRST:
        return 0;
    case TN_SEEK_AT_LEAST:
        return model_search(f, key, key_bytes, false);
    case TN_SEEK_AFTER:
        return model_search(f, key, key_bytes, true);
    case TN_SEEK_LAST:
        return none == 0 ? none : none - 1;
    case TN_SEEK_AT_MOST:
        i = model_search(f, key, key_bytes, true);
        return i == 0 ? none : i - 1;
    case TN_SEEK_BEFORE:
        i = model_search(f, key, key_bytes, false);
        return i == 0 ? none : i - 1;
    }
    return none;
}

static tn_handle model_handle(const struct fixture *f, size_t i)
{
    return i < f->entry_count ? f->entries[i].handle : TN_HANDLE_NONE;
}

/* The neighbour of the key that the cursor is on; the cursor goes there. */
static tn_handle step(const struct tn_ordered *ordered, struct tn_ordered_cursor *cursor,
                      bool reverse)
{
    tn_handle handle = TN_HANDLE_NONE;
    struct tn_ordered_cursor peek;

    (void)tn_ordered_gather(ordered, cursor, reverse, &handle, 1);
    peek = *cursor;
    return tn_ordered_gather(ordered, &peek, reverse, &handle, 1) == 1 ? handle : TN_HANDLE_NONE;
}

/* Runs of every length from here to the edge are what the model has. */
static void check_runs(const struct fixture *f, struct tn_ordered_cursor cursor, size_t start,
                       bool reverse)
{
    static tn_handle handles[300];
    size_t room = 1, i, found, at = start;

    do {
        room = room % 299 + 7;
        found = tn_ordered_gather(f->ordered, &cursor, reverse, handles, room);
        for (i = 0; i < found; i++)
            check_eq(handles[i], model_handle(f, reverse ? at - i : at + i));
        at = reverse ? at - found : at + found;
    } while (found == room);
    check_eq(at, reverse ? SIZE_MAX : f->entry_count);
}

/* All six kinds of seek, and a few steps both ways from each. */
static void check_seeks(const struct fixture *f, const void *key, size_t key_bytes, size_t steps)
{
    int how;

    for (how = TN_SEEK_FIRST; how <= TN_SEEK_BEFORE; how++) {
        size_t start = model_seek(f, how, key, key_bytes), i;
        struct tn_ordered_cursor cursor, back;
        tn_handle handle = tn_ordered_seek(f->ordered, &cursor, how, key, key_bytes);

        check_eq(handle, model_handle(f, start));
        if (handle == TN_HANDLE_NONE)
            continue;
        back = cursor;
        if (f->entry_count < 2000) {
            check_runs(f, cursor, start, false);
            check_runs(f, cursor, start, true);
        }
        for (i = 1; i <= steps && start + i <= f->entry_count; i++)
            check_eq(step(f->ordered, &cursor, false), model_handle(f, start + i));
        for (i = 1; i <= steps && i <= start; i++)
            check_eq(step(f->ordered, &back, true), f->entries[start - i].handle);
        if (start < steps)
            check_eq(step(f->ordered, &back, true), TN_HANDLE_NONE);
    }
}

/* Everything: invariants, count, a whole walk both ways, seeks at and around every n-th key. */
static void check_all(const struct fixture *f, size_t every)
{
    static uint8_t around[65536];
    struct tn_ordered_cursor cursor;
    size_t i;

    check(tn_ordered_check(f->ordered));
    check_eq(tn_ordered_count(f->ordered), f->entry_count);
    check_eq(tn_ordered_seek(f->ordered, &cursor, TN_SEEK_FIRST, NULL, 0), model_handle(f, 0));
    for (i = 1; i <= f->entry_count; i++)
        check_eq(step(f->ordered, &cursor, false), model_handle(f, i));
    if (f->entry_count > 0)
        check_eq(tn_ordered_seek(f->ordered, &cursor, TN_SEEK_LAST, NULL, 0),
                 model_handle(f, f->entry_count - 1));
    for (i = f->entry_count; i-- > 1;)
        check_eq(step(f->ordered, &cursor, true), f->entries[i - 1].handle);
    for (i = 0; i < f->entry_count; i += every) {
        const struct entry *entry = &f->entries[i];

        check_seeks(f, entry->key, entry->key_bytes, 2);
        if (entry->key_bytes < 65535) {
            memcpy(around, entry->key, entry->key_bytes);
            around[entry->key_bytes] = 0;
            check_seeks(f, around, entry->key_bytes + 1, 2);
        }
        if (entry->key_bytes > 0)
            check_seeks(f, entry->key, entry->key_bytes - 1, 2);
    }
    check_seeks(f, NULL, 0, 2);
}

static void an_empty_index_has_nothing(void)
{
    struct fixture f;

    fixture_open(&f);
    check_eq(tn_ordered_count(f.ordered), 0);
    check_all(&f, 1);
    check_seeks(&f, "a", 1, 1);
    fixture_close(&f);
}

static void one_key_comes_and_goes(void)
{
    struct fixture f;

    fixture_open(&f);
    insert_text(&f, "k");
    check_all(&f, 1);
    check_seeks(&f, "j", 1, 1);
    check_seeks(&f, "l", 1, 1);
    move_at(&f, 0);
    check_all(&f, 1);
    remove_at(&f, 0);
    check_all(&f, 1);
    fixture_close(&f);
}

static void zero_bytes_at_the_end_are_told_apart(void)
{
    static const char zeros[20] = "a";
    struct fixture f;
    size_t bytes;

    fixture_open(&f);
    for (bytes = 20; bytes > 0; bytes--)
        insert(&f, zeros, bytes);
    insert(&f, "", 0);
    insert(&f, "\0\0\0", 1);
    insert(&f, "\0\0\0", 3);
    insert(&f, "\0\0\0", 2);
    insert(&f, "a\0\0\0\0\0\0\0\0\1", 10);
    insert(&f, "a\0b", 3);
    check_eq(f.entry_count, 26);
    check_all(&f, 1);
    while (f.entry_count > 0) {
        remove_at(&f, f.entry_count / 2);
        check_all(&f, 1);
    }
    fixture_close(&f);
}

static void keys_of_nothing_but_ff_are_keys(void)
{
    static uint8_t ff[300];
    struct fixture f;
    size_t bytes;

    memset(ff, 0xFF, sizeof ff);
    fixture_open(&f);
    for (bytes = 0; bytes <= sizeof ff; bytes++)
        insert(&f, ff, bytes);
    check_all(&f, 1);
    while (f.entry_count > 0)
        remove_at(&f, 0);
    check_all(&f, 1);
    fixture_close(&f);
}

static void keys_may_be_65535_bytes_long(void)
{
    static uint8_t key[65535];
    struct fixture f;
    size_t i;

    fixture_open(&f);
    memset(key, 'x', sizeof key);
    for (i = 0; i < 300; i++) { /* they differ in the last two bytes only */
        key[65533] = (uint8_t)((i * 7) >> 8);
        key[65534] = (uint8_t)(i * 7);
        insert(&f, key, sizeof key);
        insert(&f, key, sizeof key - (i % 100));
    }
    check_all(&f, 17);
    for (i = 0; f.entry_count > 10; i++)
        remove_at(&f, (i * 13) % f.entry_count);
    check_all(&f, 1);
    insert_text(&f, "y");
    insert_text(&f, "w");
    check_all(&f, 1);
    fixture_close(&f);
}

static void a_long_prefix_gives_way_to_a_foreign_key(void)
{
    static const char *const foreign[] = { "",
                                           "h",
                                           "https://",
                                           "https://www.example.org/a/b/d",
                                           "https://www.example.org/a/b",
                                           "z",
                                           "https://www.example.org/a/b/c/article-09",
                                           "https://www.example.org/a/b/c/article-\0" };
    size_t n, i;

    for (n = 0; n < TN_ARRAY_COUNT(foreign); n++) {
        struct fixture f;
        char text[80];

        fixture_open(&f);
        for (i = 0; i < 500; i++) {
            snprintf(text, sizeof text, "https://www.example.org/a/b/c/article-%03zu", i * 7 % 500);
            insert_text(&f, text);
        }
        check_all(&f, 11);
        insert_text(&f, foreign[n]);
        check_all(&f, 11);
        for (i = 0; i < 100; i++) {
            snprintf(text, sizeof text, "https://www.example.org/a/b/c/article-%03zu-bis", i * 3);
            insert_text(&f, text);
        }
        check_all(&f, 11);
        for (i = 0; i < 560; i++)
            remove_at(&f, test_random(&f.random) % f.entry_count);
        check_all(&f, 1);
        fixture_close(&f);
    }
}

static void insert_number(struct fixture *f, uint64_t number)
{
    uint8_t key[8];

    tn_store_be64(key, number);
    insert(f, key, sizeof key);
}

/* Without the spare nodes that are kept for pending inserts (N4). */
static uint64_t bytes_in_use(const struct fixture *f)
{
    const struct tn_pool *pool = &f->ordered->pool;
    uint64_t bytes = tn_ordered_bytes(f->ordered);

    if (f->ordered->pending == NULL)
        return bytes;
    return bytes - sizeof *f->ordered->pending - pool->leaf_count * sizeof(struct tn_leaf) -
           pool->inner_count * sizeof(struct tn_inner);
}

static void ascending_keys_fill_their_leaves(void)
{
    struct fixture f;
    uint64_t i;

    fixture_open(&f);
    for (i = 0; i < 40000; i++)
        insert_number(&f, i * 3);
    check_all(&f, 501);
    if (!ORDERED_TINY)
        check(bytes_in_use(&f) < 40000 * 14);
    fixture_close(&f);
}

static void descending_keys_fill_their_leaves(void)
{
    struct fixture f;
    uint64_t i;

    fixture_open(&f);
    for (i = 20000; i-- > 0;)
        insert_number(&f, i * 3);
    check_all(&f, 501);
    if (!ORDERED_TINY)
        check(bytes_in_use(&f) < 20000 * 15);
    fixture_close(&f);
}

static void series_that_grow_side_by_side_fill_their_leaves(void)
{
    struct fixture f;
    uint64_t i;

    fixture_open(&f);
    for (i = 0; i < 20000; i++)
        insert_number(&f, (i % 5) << 32 | i / 5);
    check_all(&f, 501);
    if (!ORDERED_TINY)
        check(bytes_in_use(&f) < 20000 * 16);
    fixture_close(&f);
}

/* Random keys fill leaves in waves, from half full upwards. */
static void churn_at_constant_size_keeps_leaves_over_half_full(void)
{
    struct fixture f;
    size_t i, n = 10000;

    fixture_open(&f);
    for (i = 0; i < n; i++)
        insert_number(&f, test_random(&f.random));
    check(tn_ordered_check(f.ordered));
    if (!ORDERED_TINY)
        check(bytes_in_use(&f) < n * 27);
    for (i = 0; i < 3 * n; i++) {
        remove_at(&f, test_random(&f.random) % f.entry_count);
        insert_number(&f, test_random(&f.random));
    }
    check_all(&f, 501);
    if (!ORDERED_TINY)
        check(bytes_in_use(&f) < n * 27); /* half full would be 26 */
    for (i = 0; i < f.entry_count; i++)   /* every second one */
        remove_at(&f, i);
    for (i = 0; i < f.entry_count; i++)
        remove_at(&f, i);
    for (i = 0; i < f.entry_count; i++)
        remove_at(&f, i);
    check_all(&f, 51);
    if (!ORDERED_TINY)
        check(bytes_in_use(&f) < f.entry_count * 29 + 30000);
    fixture_close(&f);
}

static void a_queue_gives_back_what_it_leaves_behind(void)
{
    struct fixture f;
    uint64_t i, peak = 0;

    fixture_open(&f);
    for (i = 0; i < 30000; i++) {
        insert_number(&f, i);
        if (f.entry_count > 1000)
            remove_at(&f, 0);
        if (i == 5000)
            peak = tn_ordered_bytes(f.ordered);
    }
    check(tn_ordered_bytes(f.ordered) <= peak + peak / 4);
    check_all(&f, 51);
    while (f.entry_count > 0)
        remove_at(&f, 0);
    check_all(&f, 1);
    fixture_close(&f);
}

/* Kinds of keys for the model test. */
static size_t make_short_key(uint64_t *random, uint8_t *key)
{
    static const uint8_t letters[] = { 0, 'a', 0xFF };
    size_t bytes = test_random(random) % 7, i;

    for (i = 0; i < bytes; i++)
        key[i] = letters[test_random(random) % 3];
    return bytes;
}

static size_t make_number_key(uint64_t *random, uint8_t *key)
{
    tn_store_be64(key, test_random(random));
    return 8;
}

static size_t make_counter_key(uint64_t *random, uint8_t *key)
{
    tn_store_be64(key, test_random(random) % 1000);
    return 8;
}

static size_t make_url_key(uint64_t *random, uint8_t *key)
{
    return (size_t)snprintf((char *)key, 200, "https://%s.example.org/%.*s/%u",
                            test_random(random) % 4 == 0 ? "www" : "shop",
                            (int)(test_random(random) % 3 * 20),
                            "a-very-long-folder-name-which-is-shared-by-many-of-the-pages",
                            (unsigned)(test_random(random) % 300));
}

/* A few keys to each head. */
static size_t make_tied_key(uint64_t *random, uint8_t *key)
{
    tn_store_be64(key, test_random(random) % 300);
    key[8] = (uint8_t)(test_random(random) % 5);
    return 9;
}

static size_t make_any_key(uint64_t *random, uint8_t *key)
{
    switch (test_random(random) % 16) {
    case 0:
        memset(key, 'a', 3000);
        key[2000 + test_random(random) % 1000] = 'b';
        return 2000 + test_random(random) % 1000;
    case 1:
        memset(key, 0, 40);
        return test_random(random) % 40;
    case 2:
    case 3:
    case 4:
        return make_url_key(random, key);
    case 5:
    case 6:
        return make_counter_key(random, key);
    case 7:
    case 8:
        return make_number_key(random, key);
    default:
        return make_short_key(random, key);
    }
}

typedef size_t make_key_fn(uint64_t *random, uint8_t *key);

/* Random operations; the share of inserts swings, so that the index grows and empties in turns. */
static void run_model(make_key_fn *make_key, size_t steps, size_t check_every)
{
    static uint8_t key[4096];
    struct fixture f;
    size_t i;

    fixture_open(&f);
    for (i = 0; i < steps; i++) {
        uint64_t inserts_percent = i / (steps / 8) % 2 == 0 ? 60 : 30;
        uint64_t dice = test_random(&f.random) % 100;
        size_t key_bytes = make_key(&f.random, key);

        if (dice < inserts_percent)
            insert(&f, key, key_bytes);
        else if (dice >= 90)
            check_seeks(&f, key, key_bytes, 12);
        else if (f.entry_count > 0 && dice >= 85)
            move_at(&f, test_random(&f.random) % f.entry_count);
        else if (f.entry_count > 0)
            remove_at(&f, test_random(&f.random) % f.entry_count);
        if (i % check_every == 0)
            check(tn_ordered_check(f.ordered));
        if (test_failures != 0)
            break;
    }
    check_all(&f, 7);
    fixture_close(&f);
}

static void short_keys_behave_as_a_sorted_array(void)
{
    run_model(make_short_key, 3000, 1);
}

static void random_numbers_behave_as_a_sorted_array(void)
{
    run_model(make_number_key, 3000, 1);
    run_model(make_number_key, 50000, 2500);
}

static void counters_behave_as_a_sorted_array(void)
{
    run_model(make_counter_key, 3000, 1);
}

static void keys_with_equal_heads_behave_as_a_sorted_array(void)
{
    run_model(make_tied_key, 3000, 1);
    run_model(make_tied_key, 50000, 500);
}

/* Half of the keys of each head are sorted when a leaf is parted, the other half are not yet. */
static void a_leaf_is_parted_between_heads_not_between_keys(void)
{
    struct fixture f;
    uint8_t key[9];
    size_t i, j;

    fixture_open(&f);
    for (i = 0; i < 128; i++) {
        j = i < 64 ? i : i * 37 % 64;
        tn_store_be64(key, j / 8);
        key[8] = (uint8_t)(2 * (j % 8) + i / 64);
        insert(&f, key, sizeof key);
        if (i == 63)
            check_seeks(&f, key, sizeof key, 1);
    }
    check_all(&f, 1);
    fixture_close(&f);
}

static void urls_behave_as_a_sorted_array(void)
{
    run_model(make_url_key, 3000, 1);
    run_model(make_url_key, 20000, 1000);
}

static void keys_of_all_kinds_behave_as_a_sorted_array(void)
{
    run_model(make_any_key, 2500, 1);
    run_model(make_any_key, 20000, 1000);
}

/*
 * Every sequence of a few operations on three keys, one of them the greatest, in an index of a few
 * more. Where changes are gathered (test_ordered_tiny.c) all ways to add to what is pending, to
 * take it back and to have it made are among them.
 */
#define SEQUENCE_KEYS 3u
#define SEQUENCE_LENGTH 6u
#define SEQUENCE_OPERATIONS (2 * SEQUENCE_KEYS + 1)

static void sequence_step(struct fixture *f, unsigned operation)
{
    static const char *const keys[SEQUENCE_KEYS] = { "c1", "c2", "z" };
    const char *key = keys[operation % SEQUENCE_KEYS];
    size_t i = model_search(f, key, strlen(key), false);
    bool present = i < f->entry_count && f->entries[i].key_bytes == strlen(key) &&
                   memcmp(f->entries[i].key, key, strlen(key)) == 0;

    if (operation == 2 * SEQUENCE_KEYS)
        check_seeks(f, "c1", 2, 1);
    else if (!present)
        insert_text(f, key);
    else if (operation < SEQUENCE_KEYS)
        remove_at(f, i);
    else
        move_at(f, i);
}

static void every_sequence_of_6_operations_on_3_keys_behaves_as_a_sorted_array(void)
{
    static const char *const others[] = { "a", "b", "c", "d", "e", "f", "g" };
    struct fixture f;
    size_t number, count = 1, i;

    for (i = 0; i < SEQUENCE_LENGTH; i++)
        count *= SEQUENCE_OPERATIONS;
    for (number = 0; number < count && test_failures == 0; number++) {
        size_t rest = number;

        fixture_open(&f);
        for (i = 0; i < TN_ARRAY_COUNT(others); i++)
            insert_text(&f, others[i]);
        for (i = 0; i < SEQUENCE_LENGTH; i++, rest /= SEQUENCE_OPERATIONS) {
            sequence_step(&f, (unsigned)(rest % SEQUENCE_OPERATIONS));
            check(tn_ordered_check(f.ordered));
            check_eq(tn_ordered_count(f.ordered), f.entry_count);
        }
        check_seeks(&f, "c", 1, 12);
        fixture_close(&f);
    }
}

/* Bytes of an index of 5000 random keys, which differ in their first bytes. */
static uint64_t bytes_of_random_keys(size_t key_bytes)
{
    uint8_t key[240] = { 0 };
    struct fixture f;
    uint64_t bytes;
    size_t i;

    fixture_open(&f);
    for (i = 0; i < 5000; i++) {
        tn_store_be64(key, test_random(&f.random));
        insert(&f, key, key_bytes);
    }
    bytes = tn_ordered_bytes(f.ordered);
    check_all(&f, 101);
    fixture_close(&f);
    return bytes;
}

static void long_keys_that_soon_differ_cost_no_more_than_short_ones(void)
{
    /* Blocks, in case of long separators: of one insert, or of all that can be pending. */
    uint64_t spare_bytes = (TN_PENDING_KEYS_MIN < 5000 ? TN_PENDING_MAX : 1) * 300;

    check(bytes_of_random_keys(240) <= bytes_of_random_keys(8) + spare_bytes);
}

/* T3: spares for short keys are many by now, and none of their separators needed a block. */
static void the_first_long_keys_find_blocks_for_all_that_are_pending(void)
{
    char text[] = "a common start of more than eight bytes, then 0";
    unsigned shorts, i;

    for (shorts = 20; shorts < 80; shorts++) {
        struct fixture f;

        fixture_open(&f);
        for (i = 0; i < shorts; i++)
            insert_number(&f, i * 0x9E3779B97F4A7C15u);
        for (i = 0; i < 9; i++) { /* then a seek flushes, before more spares are asked for */
            text[sizeof text - 2] = (char)('A' + i * 7 % 26);
            insert_text(&f, text);
        }
        check_all(&f, 8);
        fixture_close(&f);
    }
}

/* White box: without prefixes all heads would be the same. */
static void long_common_starts_leave_few_ties(void)
{
    struct tn_ordered_cursor cursor;
    struct fixture f;
    unsigned ties = 0, i;
    char text[80];

    fixture_open(&f);
    for (i = 0; i < 5000; i++) {
        snprintf(text, sizeof text, "https://www.example.org/articles/%06u", i * 7919 % 5000);
        insert_text(&f, text);
    }
    check(tn_ordered_seek(f.ordered, &cursor, TN_SEEK_FIRST, NULL, 0) != TN_HANDLE_NONE);
    do {
        const struct tn_leaf *leaf = cursor.leaf;

        if (cursor.slot == 0)
            ties += tn_heads_ties(leaf->heads, leaf->count);
    } while (step(f.ordered, &cursor, false) != TN_HANDLE_NONE);
    check(ties < 500);
    fixture_close(&f);
}

static void a_refused_reserve_changes_nothing(void)
{
    struct fixture f;
    size_t i, refusals = 0;

    fixture_open(&f);
    for (i = 0; i < 3000; i++) {
        uint8_t key[200];
        size_t key_bytes = make_url_key(&f.random, key), allowed = 0;

        for (;; allowed++) {
            uint64_t bytes = f.memory.counted_bytes, version = *tn_ordered_version(f.ordered);

            f.allocations_left = allowed;
            if (tn_ordered_reserve(f.ordered, key, key_bytes))
                break;
            refusals++;
            check(f.memory.counted_bytes <= bytes); /* merges give nodes back */
            check_eq(*tn_ordered_version(f.ordered), version);
            check(tn_ordered_check(f.ordered));
        }
        f.allocations_left = 0; /* it is reserved, and once more costs nothing */
        insert(&f, key, key_bytes);
        f.allocations_left = SIZE_MAX;
        if (i % 3 == 0 && f.entry_count > 0)
            remove_at(&f, test_random(&f.random) % f.entry_count);
    }
    check(refusals > 0);
    check_all(&f, 51);
    fixture_close(&f);
}

static void a_refused_new_leaves_nothing(void)
{
    struct fixture f;
    size_t allowed;

    fixture_open(&f);
    fixture_close(&f);
    for (allowed = 0; allowed < 2; allowed++) {
        f.allocations_left = allowed;
        check(tn_ordered_new(&f.memory, arena) == NULL);
        check_eq(f.memory.counted_bytes, 0);
    }
}

static void memory_that_will_not_shrink_is_still_accounted_for(void)
{
    struct fixture f;
    size_t i;

    fixture_open(&f);
    f.refuses_to_shrink = true;
    for (i = 0; i < 2000; i++) {
        uint8_t key[200];
        size_t key_bytes = make_url_key(&f.random, key);

        insert(&f, key, key_bytes);
    }
    check_all(&f, 51);
    for (i = 0; i < 300; i++)
        remove_at(&f, test_random(&f.random) % f.entry_count);
    fixture_close(&f);
}

static void freeing_in_small_steps_frees_everything(void)
{
    static const uint64_t budgets[] = { 1, 5000, 1000000 };
    size_t n, i;

    for (n = 0; n < TN_ARRAY_COUNT(budgets); n++) {
        struct fixture f;
        uint64_t budget_bytes = 0, bytes, steps = 0;

        fixture_open(&f);
        for (i = 0; i < 5000; i++) {
            uint8_t key[200];
            size_t key_bytes = make_url_key(&f.random, key);

            insert(&f, key, key_bytes);
            insert_number(&f, test_random(&f.random));
        }
        bytes = f.memory.counted_bytes;
        check(!tn_ordered_free_step(f.ordered, &budget_bytes));
        check_eq(f.memory.counted_bytes, bytes);
        do {
            budget_bytes = budgets[n];
            steps++;
        } while (!tn_ordered_free_step(f.ordered, &budget_bytes));
        check_eq(f.memory.counted_bytes, 0);
        check(steps <= bytes / budgets[n] + 2);
        check(budgets[n] > 1 || steps > 10);
    }
    tn_ordered_free(NULL);
}

/*
 * I2: a node of two children loses its separator when they trade a child (tree_rotate_inners), and
 * gets another, which no prefix is left to fit.
 */
static void a_node_without_separators_has_no_prefix(void)
{
    struct tn_separator_block *blocks[3];
    struct tn_separator separator;
    struct tn_inner inner;
    char text[] = "long enough to tie ?";
    unsigned i;

    tn_inner_init(&inner, &blocks[0]);
    for (i = 0; i < 3; i++) {
        text[sizeof text - 2] = (char)('a' + i);
        blocks[i] = malloc(sizeof **blocks + sizeof text);
        blocks[i]->block_bytes = sizeof **blocks + sizeof text;
        memcpy(blocks[i]->text, text, sizeof text);
        separator = (struct tn_separator){ { .block = blocks[i] }, sizeof text - 1 };
        tn_inner_insert(&inner, i, separator, &blocks[i]);
    }
    check_eq(inner.prefix_bytes, sizeof text - 2);
    while (inner.count > 1) {
        separator = tn_inner_remove(&inner, 0);
        free(separator.text.block);
    }
    check_eq(inner.prefix_bytes, 0);
    tn_inner_insert(&inner, 0, (struct tn_separator){ { .here = "short" }, 5 }, &blocks[1]);
    check_eq(tn_inner_search(&inner, (struct tn_key){ (const uint8_t *)"sh", 2 }, 0), 0);
    check_eq(tn_inner_search(&inner, (struct tn_key){ (const uint8_t *)"short", 5 }, 0), 1);
}

static const struct test tests[] = {
    T(an_empty_index_has_nothing),
    T(one_key_comes_and_goes),
    T(zero_bytes_at_the_end_are_told_apart),
    T(keys_of_nothing_but_ff_are_keys),
    T(keys_may_be_65535_bytes_long),
    T(a_long_prefix_gives_way_to_a_foreign_key),
    T(ascending_keys_fill_their_leaves),
    T(descending_keys_fill_their_leaves),
    T(series_that_grow_side_by_side_fill_their_leaves),
    T(churn_at_constant_size_keeps_leaves_over_half_full),
    T(a_queue_gives_back_what_it_leaves_behind),
    T(short_keys_behave_as_a_sorted_array),
    T(random_numbers_behave_as_a_sorted_array),
    T(counters_behave_as_a_sorted_array),
    T(keys_with_equal_heads_behave_as_a_sorted_array),
    T(a_leaf_is_parted_between_heads_not_between_keys),
    T(urls_behave_as_a_sorted_array),
    T(keys_of_all_kinds_behave_as_a_sorted_array),
    T(every_sequence_of_6_operations_on_3_keys_behaves_as_a_sorted_array),
    T(long_keys_that_soon_differ_cost_no_more_than_short_ones),
    T(the_first_long_keys_find_blocks_for_all_that_are_pending),
    T(a_node_without_separators_has_no_prefix),
    T(long_common_starts_leave_few_ties),
    T(a_refused_reserve_changes_nothing),
    T(a_refused_new_leaves_nothing),
    T(memory_that_will_not_shrink_is_still_accounted_for),
    T(freeing_in_small_steps_frees_everything),
};

TEST_MAIN(tests)
