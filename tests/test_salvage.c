/*
 * test_salvage.c - the rules of salvage.h, each on a store damaged for it
 *
 * Where the damage is follows from a text within a long value: the text's block is lost, and
 * nothing else is in it.
 */
#include "check_fixture.h"

#define PADDING 20000u /* on both sides of such a text: more than a block */

/* The `count`-th place in file 1 of "d" that has the text. */
static uint64_t place_of(struct world *w, const char *text, unsigned count)
{
    uint64_t bytes, at;
    const uint8_t *data =
        tn_disk_file_data(tn_simulated_disk(w->system), file_of(w, "d", 1), &bytes);

    for (at = 4096; at + strlen(text) <= bytes; at++)
        if (memcmp(data + at, text, strlen(text)) == 0 && --count == 0)
            return at;
    check(false);
    return 0;
}

static void hurt_text(struct world *w, const char *text, unsigned count)
{
    flip(w, place_of(w, text, count), 0);
}

static size_t padded(char to[2 * PADDING + 64], const char *text)
{
    memset(to, 'L', 2 * PADDING);
    memcpy(to + PADDING, text, strlen(text));
    return 2 * PADDING;
}

static void put_padded(tarn_store *store, const char *name, const char *text)
{
    char value[2 * PADDING + 64];
    size_t bytes = padded(value, text);
    tarn_table *table;

    check_ok(tarn_table_open(&table, store, name, NULL));
    check_ok(tarn_put(table, "long", 4, value, bytes));
}

static tarn_table *table_of(struct world *w, const char *name)
{
    tarn_table *table = NULL;

    check_ok(tarn_table_open(&table, w->store, name, NULL));
    return table;
}

static void commit_close(struct world *w)
{
    check_ok(tarn_commit(w->store, NULL, 0, TARN_SYNC));
    check_ok(tarn_close(w->store));
    w->store = NULL;
}

static void salvaged_are(const struct world *w, uint64_t tables, uint64_t entries, uint64_t named,
                         uint64_t lost)
{
    check_eq(w->salvaged.table_count, tables);
    check_eq(w->salvaged.entry_count, entries);
    check_eq(w->salvaged.named_count, named);
    check_eq(w->salvaged.lost_count, lost);
}

/* What was salvaged is a whole store, which can be gone on with. */
static void new_opens(struct world *w)
{
    check_ok(tn_store_check("new", &w->options, hear, w, &w->checked, &w->os));
    check_ok(open_at(w, "new", TARN_EXISTING));
}

/* ---- what no store writes -------------------------------------------------------------------- */

struct forged {
    uint64_t table_id; /* 0: the catalog's */
    tarn_bytes key, value;
};

static int nothing(void *argument, const struct tn_log_entry *entries, size_t count)
{
    (void)argument;
    (void)entries;
    (void)count;
    return TARN_OK;
}

/* A store "d" of one commit, which has these entries. */
static void forge_make(struct world *w, const struct forged *entries, size_t count)
{
    const struct tn_log_options options = { .create = true, .hash_version = TN_HASH_VERSION };
    const struct tn_log_commit commit = { .number = 1, .tick = 2, .next_table_id = 9 };
    uint8_t secret[TN_LOG_SECRET_BYTES] = { 1 };
    struct tn_log_report report;
    struct tn_memory memory;
    struct tn_log *log;
    size_t i;

    tn_memory_init(&memory, NULL, NULL, 0);
    check_ok(tn_log_open(&log, &w->os, &memory, "d", &options, secret, &report));
    check_ok(tn_log_replay(log, false, nothing, NULL, NULL, NULL, &report));
    check_ok(tn_log_start(log, &report));
    check_ok(tn_log_begin(log, 4 * PADDING, 4 * PADDING));
    for (i = 0; i < count; i++)
        check_ok(
            tn_log_add(log, TN_LOG_DELTA, entries[i].table_id, entries[i].key, entries[i].value));
    check_ok(tn_log_end(log, &commit));
    check_ok(tn_log_close(log, true));
    check_eq(memory.counted_bytes, 0);
}

/* As roster.c has it, of unordered tables of any values. */
static tarn_bytes catalog_entry(uint8_t to[32], uint64_t table_id, enum tn_table_role role)
{
    memset(to, 0, 32);
    tn_store_le64(to, table_id);
    to[8] = TARN_UNORDERED;
    to[10] = (uint8_t)role;
    return (tarn_bytes){ to, 32 };
}

/* ---- G1 -------------------------------------------------------------------------------------- */

static uint64_t directory_sum(struct world *w, const char *path)
{
    struct tn_disk *disk = tn_simulated_disk(w->system);
    int directory = tn_disk_directory_find(disk, path);
    const uint8_t *data;
    const char *name;
    uint64_t sum = 0, bytes;
    size_t i;

    for (i = 0; (name = tn_disk_name(disk, directory, i)) != NULL; i++) {
        sum = tn_checksum(name, strlen(name), sum);
        data = tn_disk_file_data(disk, tn_disk_file_find(disk, directory, name), &bytes);
        sum = tn_checksum(data, bytes, sum);
    }
    return sum;
}

static void what_is_read_is_left_as_it_is(void)
{
    struct world w;
    uint64_t before;

    world_begin(&w);
    check_ok(open_at(&w, "d", 0));
    put_padded(w.store, "t", "HURT");
    put_text(w.store, "t", NULL, "a", "1");
    commit_close(&w);
    hurt_text(&w, "HURT", 1);
    before = directory_sum(&w, "d");
    check_ok(do_salvage(&w, "new"));
    salvaged_are(&w, 1, 1, 0, 1);
    check_eq(directory_sum(&w, "d"), before);
    world_end(&w);
}

struct intruder {
    struct world *w;
    unsigned left;
};

/* Before so many lists of names a whole store comes into "new": a copy of "d". */
static void intrude(void *argument, enum tn_simulated_call kind)
{
    struct intruder *intruder = argument;
    struct tn_disk *disk = tn_simulated_disk(intruder->w->system);
    const uint8_t *data;
    uint64_t bytes;
    int file;

    if (kind != TN_CALL_DIRECTORY_LIST || intruder->left == 0 || --intruder->left > 0)
        return;
    data = tn_disk_file_data(disk, file_of(intruder->w, "d", 1), &bytes);
    file = tn_disk_file_make(disk, tn_disk_directory_find(disk, "new"), "0000000000000001.tarn");
    check_ok(tn_disk_file_write(disk, file, data, bytes, 0));
}

static void a_store_that_comes_into_the_target_meanwhile_is_left_alone(void)
{
    struct world w;
    struct intruder intruder = {
        .w = &w, .left = 2
    }; /* the first is of the target, to see whether it is empty */

    world_begin(&w);
    check_ok(open_at(&w, "d", 0));
    put_text(w.store, "t", NULL, "a", "1");
    commit_close(&w);
    (void)tn_disk_directory_make(tn_simulated_disk(w.system), "new");
    tn_simulated_watch(w.system, intrude, &intruder);
    check_eq(do_salvage(&w, "new"), TARN_E_MISUSE);
    tn_simulated_watch(w.system, NULL, NULL);
    check(strstr(w.salvaged.report.text, "not empty") != NULL);
    new_opens(&w);
    check_value(w.store, "t", "a", "1");
    check_eq(w.checked.report.commit_number, 1);
    check_ok(tarn_close(w.store));
    world_end(&w);
}

/* ---- G2 -------------------------------------------------------------------------------------- */

/* Something is lost, but the catalog still knows whose entries these were. */
static void tables_that_were_dropped_or_cleared_do_not_come_back(void)
{
    struct world w;

    world_begin(&w);
    check_ok(open_at(&w, "d", 0));
    put_text(w.store, "dropped", NULL, "gone", "x");
    put_text(w.store, "cleared", NULL, "gone", "x");
    put_text(w.store, "kept", NULL, "a", "1");
    check_ok(tarn_commit(w.store, NULL, 0, 0));
    check_ok(tarn_table_drop(table_of(&w, "dropped")));
    check_ok(tarn_table_clear(table_of(&w, "cleared")));
    check_ok(tarn_commit(w.store, NULL, 0, 0));
    put_padded(w.store, "kept", "HURT");
    commit_close(&w);
    hurt_text(&w, "HURT", 1);
    check_ok(do_salvage(&w, "new"));
    salvaged_are(&w, 2, 1, 0, 1);
    new_opens(&w);
    check_value(w.store, "kept", "a", "1");
    check_eq(tarn_table_count(table_of(&w, "cleared")), 0);
    check_ok(tarn_close(w.store));
    world_end(&w);
}

/* Their table was dropped so long ago that the catalog does not tell of it. */
static void when_nothing_is_lost_entries_of_unknown_tables_are_of_none(void)
{
    struct world w;
    uint8_t known[32];
    const struct forged entries[] = {
        { 0, { "t", 1 }, catalog_entry(known, 1, TN_ROLE_PLAIN) },
        { 1, { "a", 1 }, { "1", 1 } },
        { 2, { "b", 1 }, { "2", 1 } },
    };

    world_begin(&w);
    forge_make(&w, entries, TN_ARRAY_COUNT(entries));
    check_ok(do_check(&w));
    check_ok(do_salvage(&w, "new"));
    salvaged_are(&w, 1, 1, 0, 0);
    world_end(&w);
}

/*
 * Table number 1, "t", whose catalog entry is in #1, and in #2 in the sweep: there at the start of
 * a block, behind a value of `value_bytes` in the table `name`. Both are lost.
 */
static void nameless_make(struct world *w, const char *name, size_t value_bytes, bool deleted)
{
    static char large[3 * 16384];
    tarn_table *table;
    uint64_t bytes, at;
    const uint8_t *data;

    check_ok(open_at(w, "d", 0));
    put_text(w->store, "t", NULL, "a", "1");
    check_ok(tarn_commit(w->store, NULL, 0, 0));
    check_ok(tarn_table_open(&table, w->store, name, NULL));
    check_ok(tarn_put(table_of(w, deleted ? name : "t"), "b", 1, large, value_bytes));
    if (deleted)
        check_ok(tarn_delete(table_of(w, "t"), "a", 1));
    commit_close(w);
    data = tn_disk_file_data(tn_simulated_disk(w->system), file_of(w, "d", 1), &bytes);
    for (at = 4096; at + 256 < bytes && memcmp(data + at, "tarn sec", 8) != 0;)
        at += 64;
    flip(w, 4096 + 3, 0);
    flip(w, at + 256 + 3 * 16384 + 3, 0);
    check_eq(do_check(w), TARN_E_CORRUPT);
    check_eq(w->heard[TARN_DAMAGE_LOST], 2);
}

/* In the delta: the catalog entry of "salvaged-1", 64 bytes, and the value, with 24 before it. */
static void a_name_that_is_made_up_is_no_table_s(void)
{
    struct world w;

    world_begin(&w);
    nameless_make(&w, "salvaged-1", 3 * 16384 - 64 - 24, false);
    check_ok(do_salvage(&w, "new"));
    salvaged_are(&w, 2, 1, 1, 2);
    new_opens(&w);
    check_eq(tarn_table_count(table_of(&w, "salvaged-1")), 0);
    check_eq(value_of(w.store, "salvaged-1-2", "b").bytes, 3 * 16384 - 64 - 24);
    check_ok(tarn_close(w.store));
    world_end(&w);
}

/* As above; and a tombstone of 24 bytes behind the delta. */
static void a_delete_alone_makes_no_table(void)
{
    struct world w;

    world_begin(&w);
    nameless_make(&w, "salvaged-1", 3 * 16384 - 64 - 24 - 24, true);
    check_ok(do_salvage(&w, "new"));
    salvaged_are(&w, 1, 1, 0, 2);
    world_end(&w);
}

/* ---- dictionaries ---------------------------------------------------------------------------- */

/* As many keys as codes, but not each other's: of one the code is lost, of the other the key. */
static void halves_of_a_dictionary_that_are_not_each_other_s_are_parted(void)
{
    struct world w;
    char key[2 * PADDING + 64];
    tarn_dict *dict;
    uint32_t code;

    world_begin(&w);
    check_ok(open_at(&w, "d", 0));
    check_ok(tarn_dict_open(&dict, w.store, "dict", NULL));
    check_ok(tarn_dict_encode(dict, key, padded(key, "FIRST"), &code));
    check_ok(tarn_dict_encode(dict, key, padded(key, "SECOND"), &code));
    commit_close(&w);
    hurt_text(&w, "FIRST", 2);
    hurt_text(&w, "SECOND", 1);
    check_ok(do_salvage(&w, "new"));
    salvaged_are(&w, 2, 2, 2, 2);
    new_opens(&w);
    check_eq(tarn_table_count(table_of(&w, "salvaged-1")), 1);
    check_eq(tarn_table_count(table_of(&w, "salvaged-2")), 1);
    check_ok(tarn_close(w.store));
    world_end(&w);
}

/* The other's catalog entry is lost; to tell that something is, a value is, too. */
static void a_half_of_a_dictionary_without_the_other_is_parted(void)
{
    static char large[2 * PADDING + 64];
    struct world w;
    uint8_t half[32], plain[32];
    struct forged entries[] = {
        { 0, { "dict", 4 }, { half, 32 } },
        { 0, { "t", 1 }, catalog_entry(plain, 2, TN_ROLE_PLAIN) },
        { 1, { "key", 3 }, { "code", 4 } },
        { 2, { "a", 1 }, { large, padded(large, "HURT") } },
    };
    int role;

    for (role = TN_ROLE_DICT_CODES; role <= TN_ROLE_DICT_KEYS; role++) {
        (void)catalog_entry(half, 1, (enum tn_table_role)role);
        entries[0].key.bytes = role == TN_ROLE_DICT_KEYS ? 5 : 4; /* with the NUL */
        world_begin(&w);
        forge_make(&w, entries, TN_ARRAY_COUNT(entries));
        hurt_text(&w, "HURT", 1);
        check_ok(do_salvage(&w, "new"));
        salvaged_are(&w, 2, 1, 1, 1);
        new_opens(&w);
        check_value(w.store, "salvaged-1", "key", "code");
        check_ok(tarn_close(w.store));
        world_end(&w);
    }
}

static const struct test tests[] = {
    T(what_is_read_is_left_as_it_is),
    T(a_store_that_comes_into_the_target_meanwhile_is_left_alone),
    T(tables_that_were_dropped_or_cleared_do_not_come_back),
    T(when_nothing_is_lost_entries_of_unknown_tables_are_of_none),
    T(a_name_that_is_made_up_is_no_table_s),
    T(a_delete_alone_makes_no_table),
    T(halves_of_a_dictionary_that_are_not_each_other_s_are_parted),
    T(a_half_of_a_dictionary_without_the_other_is_parted),
};

TEST_MAIN(tests)
