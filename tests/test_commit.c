/*
 * test_commit.c - commits of a store in memory: the number and the note
 */
#include "allocator.h"
#include "test.h"

#include <tarn.h>

static struct allocator allocator;

static tarn_store *store_new(void)
{
    tarn_options options = { .allocate = allocator_call, .allocate_context = &allocator };
    tarn_store *store = NULL;

    allocator = (struct allocator){ .refuse_at = UINT64_MAX };
    check_ok(tarn_open(&store, NULL, &options));
    return store;
}

static void store_end(tarn_store *store)
{
    check_ok(tarn_close(store));
    check_eq(allocator.live_blocks, 0);
    check(!allocator.size_was_wrong);
}

static uint64_t number_of(tarn_store *store)
{
    uint64_t number = UINT64_MAX;

    check_ok(tarn_last_commit(store, &number, NULL));
    return number;
}

static void check_note(tarn_store *store, const void *note, size_t note_bytes)
{
    tarn_bytes got = { NULL, 77 };

    check_ok(tarn_last_commit(store, NULL, &got));
    check(got.data != NULL);
    check_bytes(got.data, got.bytes, note, note_bytes);
}

static void before_the_first_commit_number_and_note_are_nothing(void)
{
    tarn_store *store = store_new();

    check_eq(number_of(store), 0);
    check_note(store, "", 0);
    check_ok(tarn_last_commit(store, NULL, NULL));
    check_ok(tarn_commit(store, NULL, 0, 0)); /* nothing changed, the same empty note */
    check_eq(number_of(store), 0);
    store_end(store);
}

static void every_kind_of_change_makes_the_next_commit_count(void)
{
    tarn_store *store = store_new();
    tarn_table *table = NULL, *again = NULL;
    uint64_t number = 0;
    void *value;

    check_ok(tarn_table_open(&table, store, "t", NULL));
    check_ok(tarn_commit(store, NULL, 0, 0));
    check_eq(number_of(store), ++number);
    check_ok(tarn_put(table, "a", 1, "1", 1));
    check_ok(tarn_commit(store, NULL, 0, TARN_SYNC));
    check_eq(number_of(store), ++number);
    check_ok(tarn_put(table, "a", 1, "1", 1));
    check_ok(tarn_commit(store, NULL, 0, 0));
    check_eq(number_of(store), ++number);
    check_ok(tarn_modify(table, "a", 1, 1, &value));
    check_ok(tarn_commit(store, NULL, 0, 0));
    check_eq(number_of(store), ++number);
    check_ok(tarn_put_if_absent(table, "b", 1, "", 0, NULL, NULL));
    check_ok(tarn_commit(store, NULL, 0, 0));
    check_eq(number_of(store), ++number);
    check_ok(tarn_delete(table, "b", 1));
    check_ok(tarn_commit(store, NULL, 0, 0));
    check_eq(number_of(store), ++number);
    check_ok(tarn_table_clear(table));
    check_ok(tarn_commit(store, NULL, 0, 0));
    check_eq(number_of(store), ++number);

    /* What changes nothing does not. */
    check_ok(tarn_table_open(&again, store, "t", NULL));
    check_eq(tarn_delete(table, "b", 1), TARN_ABSENT);
    check_ok(tarn_put(table, "a", 1, "1", 1));
    check_ok(tarn_commit(store, NULL, 0, 0));
    check_eq(number_of(store), ++number);
    check_eq(tarn_put_if_absent(table, "a", 1, "", 0, NULL, NULL), TARN_PRESENT);
    check_eq(tarn_modify(table, "a", 1, 2, &value), TARN_E_TYPE);
    check_ok(tarn_contains(table, "a", 1));
    check_eq(tarn_work(store, 1000), TARN_END);
    check_ok(tarn_commit(store, NULL, 0, TARN_SYNC));
    check_eq(number_of(store), number);

    check_ok(tarn_table_drop(table));
    check_ok(tarn_commit(store, NULL, 0, 0));
    check_eq(number_of(store), ++number);
    store_end(store);
}

static void a_changed_note_is_a_change(void)
{
    tarn_store *store = store_new();
    char note[] = "offset 1";

    check_ok(tarn_commit(store, note, 8, 0));
    check_eq(number_of(store), 1);
    note[7] = '2'; /* copied */
    check_note(store, "offset 1", 8);
    check_ok(tarn_commit(store, "offset 1", 8, 0));
    check_eq(number_of(store), 1);
    check_ok(tarn_commit(store, note, 8, 0));
    check_eq(number_of(store), 2);
    check_note(store, "offset 2", 8);
    check_ok(tarn_commit(store, note, 7, 0));
    check_eq(number_of(store), 3);
    check_note(store, "offset ", 7);
    check_ok(tarn_commit(store, "", 0, 0));
    check_eq(number_of(store), 4);
    check_note(store, "", 0);
    check_ok(tarn_commit(store, NULL, 0, 0));
    check_eq(number_of(store), 4);
    store_end(store);
}

static void a_note_may_be_part_of_the_note_before(void)
{
    tarn_store *store = store_new();
    tarn_bytes note;

    check_ok(tarn_commit(store, "0123456789", 10, 0));
    check_ok(tarn_last_commit(store, NULL, &note));
    check_ok(tarn_commit(store, (const char *)note.data + 3, 4, 0));
    check_note(store, "3456", 4);
    store_end(store);
}

static void a_note_has_up_to_1_mib(void)
{
    static uint8_t note[TARN_NOTE_BYTES_MAX + 1];
    tarn_store *store = store_new();

    memset(note, 'n', sizeof note);
    check_ok(tarn_commit(store, note, TARN_NOTE_BYTES_MAX, 0));
    check_note(store, note, TARN_NOTE_BYTES_MAX);
    check_eq(tarn_commit(store, note, TARN_NOTE_BYTES_MAX + 1, 0), TARN_E_MISUSE);
    check_eq(tarn_commit(store, NULL, 1, 0), TARN_E_MISUSE);
    check_eq(tarn_commit(store, "n", 1, 2), TARN_E_MISUSE);
    check_eq(tarn_commit(store, "n", 1, 0x80000000u | TARN_SYNC), TARN_E_MISUSE);
    check_eq(tarn_commit(NULL, "n", 1, 0), TARN_E_MISUSE);
    check_eq(tarn_last_commit(NULL, NULL, NULL), TARN_E_MISUSE);
    check_eq(number_of(store), 1);
    check_note(store, note, TARN_NOTE_BYTES_MAX);
    store_end(store);
}

static void a_commit_without_memory_changes_nothing_and_can_be_repeated(void)
{
    tarn_store *store = store_new();
    tarn_table *table = NULL;

    check_ok(tarn_commit(store, "old", 3, 0));
    check_ok(tarn_table_open(&table, store, "t", NULL));
    allocator.refuse_at = allocator.asked + 1;
    check_eq(tarn_commit(store, "newer", 5, 0), TARN_E_MEMORY);
    check_eq(number_of(store), 1);
    check_note(store, "old", 3);
    check_ok(tarn_commit(store, "newer", 5, 0));
    check_eq(number_of(store), 2);
    check_note(store, "newer", 5);
    store_end(store);
}

static const struct test tests[] = {
    T(before_the_first_commit_number_and_note_are_nothing),
    T(every_kind_of_change_makes_the_next_commit_count),
    T(a_changed_note_is_a_change),
    T(a_note_may_be_part_of_the_note_before),
    T(a_note_has_up_to_1_mib),
    T(a_commit_without_memory_changes_nothing_and_can_be_repeated),
};

TEST_MAIN(tests)
