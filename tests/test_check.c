/*
 * test_check.c - tarn_check and tarn_salvage: what they tell, what they make, what they refuse
 *
 * On a simulated system. tests/test_survey.c damages logs at every bit; here it is whole stores,
 * with tables, a dictionary and a catalog.
 */
#include "check_fixture.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* Tables of every sort, some of them gone; values over several blocks; in three commits. */
static void store_make(struct world *w)
{
    static const tarn_table_options unordered = { TARN_UNORDERED, TARN_ANY, 0 };
    static char large[40000];
    tarn_table *table;
    tarn_dict *dict;
    uint32_t code;

    memset(large, 'L', sizeof large);
    check_ok(open_at(w, "d", 0));
    put_text(w->store, "ordered", NULL, "a", "1");
    put_text(w->store, "unordered", &unordered, "b", "2");
    put_text(w->store, "cleared", NULL, "gone", "x");
    put_text(w->store, "dropped", NULL, "gone", "x");
    check_ok(tarn_dict_open(&dict, w->store, "dict", NULL));
    check_ok(tarn_dict_encode(dict, "/home", 5, &code));
    check_ok(tarn_dict_encode(dict, "/about", 6, &code));
    check_ok(tarn_commit(w->store, "one", 3, 0));
    check_ok(tarn_table_open(&table, w->store, "cleared", NULL));
    check_ok(tarn_table_clear(table));
    check_ok(tarn_table_open(&table, w->store, "dropped", NULL));
    check_ok(tarn_table_drop(table));
    put_text(w->store, "ordered", NULL, "deleted", "x");
    check_ok(tarn_commit(w->store, "two", 3, 0));
    check_ok(tarn_table_open(&table, w->store, "ordered", NULL));
    check_ok(tarn_put(table, "large", 5, large, sizeof large));
    check_ok(tarn_delete(table, "deleted", 7));
    put_text(w->store, "ordered", NULL, "a", "3");
    check_ok(tarn_commit(w->store, "three", 5, TARN_SYNC));
    check_ok(tarn_close(w->store));
    w->store = NULL;
}

/* What store_make made, whole. */
static void store_look(tarn_store *store)
{
    tarn_statistics statistics;
    tarn_table_info info;
    tarn_dict *dict;
    tarn_bytes note, key;
    uint32_t code = 9;
    uint64_t place;

    check_ok(tarn_last_commit(store, NULL, &note));
    check_bytes(note.data, note.bytes, "three", 5);
    check_ok(tarn_stat(store, &statistics));
    check_eq(statistics.table_count, 5);
    check_eq(statistics.entry_count, 3 + 4);
    check_value(store, "ordered", "a", "3");
    check_eq(value_of(store, "ordered", "large").bytes, 40000);
    check_value(store, "unordered", "b", "2");
    check_ok(tarn_dict_open(&dict, store, "dict", NULL));
    check_ok(tarn_dict_find(dict, "/about", 6, &code));
    check_eq(code, 1);
    check_ok(tarn_dict_decode(dict, 0, &key));
    check_bytes(key.data, key.bytes, "/home", 5);
    for (place = 0; tarn_table_at(store, place, &info) == TARN_OK; place++)
        if (!info.is_dictionary)
            check_eq(info.options.kind, ((const char *)info.name.data)[0] == 'u');
}

/* ---- whole stores ---------------------------------------------------------------------------- */

static void a_whole_store_is_told_to_be_and_copied_as_it_is(void)
{
    struct world w;

    world_begin(&w);
    store_make(&w);
    check_ok(do_check(&w));
    check_eq(w.checked.report.commit_number, 3);
    check_eq(w.checked.file_count, 1);
    check_eq(w.checked.section_count, 2); /* of the first nothing is needed any more */
    check(w.checked.entry_count >= 7);
    check_eq(w.checked.damage_count + w.checked.harmless_count, 0);
    check_ok(do_salvage(&w, "new"));
    check_eq(w.salvaged.report.commit_number, 3);
    check_eq(w.salvaged.table_count, 5);
    check_eq(w.salvaged.entry_count, 7);
    check_eq(w.salvaged.named_count + w.salvaged.damage_count + w.salvaged.lost_count, 0);
    check_ok(open_at(&w, "new", TARN_READ_ONLY));
    store_look(w.store);
    check_ok(tarn_close(w.store));
    check_ok(tn_store_check("new", &w.options, hear, &w, &w.checked, &w.os));
    world_end(&w);
}

static void a_live_store_is_checked_and_salvaged_beside_its_writer(void)
{
    struct world w;
    tarn_store *writer;
    uint64_t writes;

    world_begin(&w);
    store_make(&w);
    check_ok(open_at(&w, "d", 0));
    writer = w.store;
    put_text(writer, "ordered", NULL, "more", "x");
    check_ok(tarn_commit(writer, "four", 4, 0));
    put_text(writer, "ordered", NULL, "uncommitted", "x");
    writes = tn_simulated_call_count(w.system, TN_CALL_FILE_WRITE);
    check_ok(do_check(&w));
    check_eq(w.checked.report.commit_number, 4);
    check_eq(tn_simulated_call_count(w.system, TN_CALL_FILE_WRITE), writes);
    check_ok(do_salvage(&w, "new"));
    check_eq(w.salvaged.entry_count, 8);
    check_ok(tarn_commit(writer, "five", 4, TARN_SYNC));
    check_ok(tarn_close(writer));
    world_end(&w);
}

static void a_torn_tail_is_dropped_and_no_damage(void)
{
    struct world w;
    struct tn_disk *disk;

    world_begin(&w);
    check_ok(open_at(&w, "d", 0));
    put_text(w.store, "t", NULL, "a", "1");
    check_ok(tarn_commit(w.store, NULL, 0, TARN_SYNC));
    tn_simulated_restart_process(w.system);
    (void)tarn_close(w.store);
    disk = tn_simulated_disk(w.system);
    check_ok(tn_disk_file_write(disk, file_of(&w, "d", 1), "torn", 4, 8192));
    check_ok(do_check(&w));
    check(w.checked.report.dropped_bytes > 0);
    check(strstr(w.checked.report.text, "dropped") != NULL);
    check_ok(do_salvage(&w, "new"));
    check_eq(w.salvaged.lost_count, 0);
    check_eq(w.salvaged.entry_count, 1);
    world_end(&w);
}

/* ---- damaged stores -------------------------------------------------------------------------- */

/* No entry but those that were ever written, under names that are the store's or made up. */
static void salvaged_check(tarn_store *store)
{
    tarn_table_info info;
    tarn_table *table;
    tarn_iterator *it;
    tarn_bytes key, value;
    uint64_t place;

    for (place = 0; tarn_table_at(store, place, &info) == TARN_OK; place++) {
        if (info.is_dictionary)
            continue;
        if (tarn_table_open(&table, store, info.name.data, NULL) != TARN_OK ||
            tarn_scan(&it, table, NULL) != TARN_OK) {
            check(false);
            continue;
        }
        while (tarn_next(it, &key, &value) == TARN_OK) {
            const char first = value.bytes > 0 ? *(const char *)value.data : 0;

            check(value.bytes == 1 ? first == '1' || first == '2' || first == '3' || first == 'x'
                                   : value.bytes == 40000 || value.bytes == 4 || value.bytes == 5 ||
                                         value.bytes == 6);
        }
        check_ok(tarn_iterator_close(it));
    }
}

/* At every byte: the check agrees with opening, and what is salvaged was written. */
static void a_flipped_bit_is_found_and_the_rest_is_saved(void)
{
    struct world w;
    uint64_t at, lost = 0, refused = 0;

    world_begin(&w);
    store_make(&w);
    for (at = 0; at < file_bytes(&w) && test_failures == 0;
         at += (at > 104 && at < 4096) || (at > 12000 && at < 46000) ? 509 : test_stride()) {
        int opened, checked, salvaged;

        flip(&w, at, at % 8);
        opened = open_at(&w, "d", TARN_READ_ONLY);
        if (opened == TARN_OK)
            check_ok(tarn_close(w.store));
        checked = do_check(&w);
        check_eq(checked, opened);
        check_eq(w.heard[TARN_DAMAGE_LOST] + w.heard[TARN_DAMAGE_REFUSED], w.checked.damage_count);
        check_eq(w.heard[TARN_DAMAGE_HARMLESS], w.checked.harmless_count);
        check_eq(w.checked.damage_count > 0, checked == TARN_E_CORRUPT);
        check_eq(w.checked.report.text[0] != '\0',
                 checked != TARN_OK || w.checked.report.dropped_bytes > 0);
        salvaged = do_salvage(&w, "new");
        check(salvaged == TARN_OK || (salvaged == checked && names_in(&w, "new") <= 0));
        check_eq(w.heard[TARN_DAMAGE_LOST], w.salvaged.lost_count);
        if (salvaged == TARN_OK) {
            check_ok(open_at(&w, "new", TARN_EXISTING));
            salvaged_check(w.store);
            if (w.salvaged.lost_count == 0)
                store_look(w.store);
            check_ok(tarn_close(w.store));
        }
        lost += w.salvaged.lost_count > 0;
        refused += w.heard[TARN_DAMAGE_REFUSED] > 0;
        target_remove(&w, "new");
        flip(&w, at, at % 8);
        if (test_failures != 0)
            printf("# offset %" PRIu64 "\n", at);
    }
    check(lost > 100 && refused > 10);
    store_make(&w);
    world_end(&w);
}

/* Where the first section ends, and the second begins. */
static uint64_t second_section(struct world *w)
{
    uint64_t bytes, at = 4096;
    const uint8_t *data =
        tn_disk_file_data(tn_simulated_disk(w->system), file_of(w, "d", 1), &bytes);

    while (at + 256 < bytes && memcmp(data + at, "tarn sec", 8) != 0)
        at += 64;
    return at + 256;
}

/*
 * The catalog is in the first section, and in the second's sweep: behind a value that ends with a
 * block.
 */
static void tables_whose_names_are_lost_get_others(void)
{
    struct world w;
    static char large[3 * 16384 - 24];
    tarn_table *table;

    world_begin(&w);
    check_ok(open_at(&w, "d", 0));
    put_text(w.store, "t", NULL, "a", "1");
    check_ok(tarn_commit(w.store, NULL, 0, 0));
    check_ok(tarn_table_open(&table, w.store, "t", NULL));
    check_ok(tarn_put(table, "b", 1, large, sizeof large));
    check_ok(tarn_commit(w.store, "note", 4, 0));
    check_ok(tarn_close(w.store));
    flip(&w, 4096 + 3, 0);
    flip(&w, second_section(&w) + 3 * 16384 + 3, 0);
    check_eq(do_check(&w), TARN_E_CORRUPT);
    check_eq(w.heard[TARN_DAMAGE_LOST], 2);
    check_ok(do_salvage(&w, "new"));
    check_eq(w.salvaged.lost_count, 2);
    check_eq(w.salvaged.named_count, 1);
    check_ok(open_at(&w, "new", TARN_READ_ONLY));
    check_eq(value_of(w.store, "salvaged-1", "b").bytes, sizeof large);
    check_ok(tarn_close(w.store));
    world_end(&w);
}

/* The code of a long key is lost, the key of its code is not. */
static void a_dictionary_whose_halves_contradict_each_other_becomes_two_tables(void)
{
    struct world w;
    static char key[60000];
    tarn_dict *dict;
    uint32_t code;

    world_begin(&w);
    check_ok(open_at(&w, "d", 0));
    check_ok(tarn_dict_open(&dict, w.store, "dict", NULL));
    check_ok(tarn_dict_encode(dict, key, sizeof key, &code));
    check_ok(tarn_commit(w.store, NULL, 0, TARN_SYNC));
    check_ok(tarn_close(w.store));
    flip(&w, 4096 + 30000, 0);
    check_ok(do_salvage(&w, "new"));
    check_eq(w.salvaged.lost_count, 1);
    check_eq(w.salvaged.named_count, 2);
    check_eq(w.salvaged.table_count, 2);
    check_eq(w.salvaged.entry_count, 1);
    check_ok(open_at(&w, "new", 0));
    check_ok(tarn_dict_open(&dict, w.store, "dict", NULL));
    check_eq(tarn_dict_count(dict), 0); /* made now */
    check_ok(tarn_close(w.store));
    world_end(&w);
}

/* One that is whole stays what it is, whatever else is lost. */
static void a_dictionary_that_is_whole_stays_one(void)
{
    struct world w;
    static char large[40000];
    tarn_dict *dict;
    tarn_table *table;
    uint32_t code = 7;

    world_begin(&w);
    check_ok(open_at(&w, "d", 0));
    check_ok(tarn_dict_open(&dict, w.store, "dict", NULL));
    check_ok(tarn_dict_encode(dict, "/home", 5, &code));
    check_ok(tarn_table_open(&table, w.store, "t", NULL));
    check_ok(tarn_put(table, "b", 1, large, sizeof large));
    check_ok(tarn_commit(w.store, NULL, 0, TARN_SYNC));
    check_ok(tarn_close(w.store));
    flip(&w, 4096 + 20000, 0);
    check_ok(do_salvage(&w, "new"));
    check_eq(w.salvaged.lost_count, 1);
    check_eq(w.salvaged.named_count, 0);
    check_ok(open_at(&w, "new", 0));
    check_ok(tarn_dict_open(&dict, w.store, "dict", NULL));
    check_ok(tarn_dict_find(dict, "/home", 5, &code));
    check_eq(code, 0);
    check_ok(tarn_table_open(&table, w.store, "t", NULL));
    check_eq(tarn_table_count(table), 0);
    check_ok(tarn_close(w.store));
    world_end(&w);
}

/* ---- what is refused ------------------------------------------------------------------------- */

static void a_target_that_is_not_empty_is_refused_and_left_alone(void)
{
    struct world w;
    struct tn_disk *disk;
    int names;

    world_begin(&w);
    store_make(&w);
    disk = tn_simulated_disk(w.system);
    names = names_in(&w, "d");
    check_eq(do_salvage(&w, "d"), TARN_E_MISUSE);
    check_eq(names_in(&w, "d"), names);
    check_ok(do_check(&w));
    (void)tn_disk_file_make(disk, tn_disk_directory_make(disk, "other"), "letter");
    check_eq(do_salvage(&w, "other"), TARN_E_MISUSE);
    check(strstr(w.salvaged.report.text, "not empty") != NULL);
    check_eq(names_in(&w, "other"), 1);
    (void)tn_disk_directory_make(disk, "empty");
    check_ok(do_salvage(&w, "empty"));
    world_end(&w);
}

static void where_there_is_no_store_there_is_nothing_to_do(void)
{
    struct world w;

    world_begin(&w);
    check_eq(do_check(&w), TARN_E_IO);
    check_eq(w.checked.report.is_missing, 1);
    check_eq(do_salvage(&w, "new"), TARN_E_IO);
    check_eq(w.salvaged.report.is_missing, 1);
    check_eq(names_in(&w, "new"), -1);
    check_eq(tn_store_check(NULL, NULL, NULL, NULL, &w.checked, &w.os), TARN_E_MISUSE);
    check_eq(tn_store_salvage("d", NULL, NULL, NULL, NULL, NULL, &w.os), TARN_E_MISUSE);
    check_eq(tn_store_salvage(NULL, "new", NULL, NULL, NULL, NULL, &w.os), TARN_E_MISUSE);
    world_end(&w);
}

static void another_version_is_refused(void)
{
    struct world w;
    struct tn_disk *disk;
    uint8_t header[4096];
    uint64_t bytes;

    world_begin(&w);
    store_make(&w);
    disk = tn_simulated_disk(w.system);
    memcpy(header, tn_disk_file_data(disk, file_of(&w, "d", 1), &bytes), sizeof header);
    header[16] = 2;
    tn_store_le64(header + 8,
                  tn_checksum(header + 16, sizeof header - 16, UINT64_C(0x726468206E726174)));
    check_ok(tn_disk_file_write(disk, file_of(&w, "d", 1), header, sizeof header, 0));
    check_eq(do_check(&w), TARN_E_VERSION);
    check_eq(do_salvage(&w, "new"), TARN_E_VERSION);
    check(strstr(w.salvaged.report.text, "another version") != NULL);
    check_eq(names_in(&w, "new"), -1);
    world_end(&w);
}

static void no_room_in_the_target_leaves_it_empty(void)
{
    struct world w;
    uint64_t n;
    int result = TARN_E_FULL;

    world_begin(&w);
    store_make(&w);
    for (n = 1; result == TARN_E_FULL && n < 50; n++) {
        tn_simulated_fail(w.system, TN_CALL_FILE_WRITE, n, ENOSPC, true);
        result = do_salvage(&w, "new");
        tn_simulated_fail_none(w.system);
        check(result == TARN_OK || names_in(&w, "new") <= 0);
        check(result == TARN_OK || w.salvaged.report.text[0] != '\0');
    }
    check_ok(result);
    check(n > 3);
    world_end(&w);
}

/* Every call of either, once alone and once with all behind it; memory, too. */
static void what_fails_in_turn_is_answered_and_leaves_nothing(void)
{
    struct world w;
    uint64_t n;
    int which, result;

    world_begin(&w);
    store_make(&w);
    flip(&w, 20000, 0); /* in the large value */
    w.options.allocate = allocator_call;
    w.options.allocate_context = &w.allocator;
    for (which = 0; which < 4; which++) {
        result = TARN_E_MEMORY;
        for (n = 1; n < 400; n += test_stride()) {
            w.allocator.refuse_at = which < 2 ? w.allocator.asked + n : UINT64_MAX;
            if (which >= 2)
                tn_simulated_fail(w.system, TN_CALL_ANY, n, EIO, false);
            result = which % 2 == 0 ? do_check(&w) : do_salvage(&w, "new");
            tn_simulated_fail_none(w.system);
            check_eq(w.allocator.live_bytes, 0);
            check(result == TARN_OK || result == TARN_E_MEMORY || result == TARN_E_IO ||
                  result == TARN_E_CORRUPT || result == TARN_E_FULL || result == TARN_E_FAILED ||
                  (result == TARN_E_MISUSE && which == 3));
            target_remove(&w, "new");
        }
        w.allocator.refuse_at = UINT64_MAX;
    }
    check_eq(do_check(&w), TARN_E_CORRUPT);
    check_ok(do_salvage(&w, "new"));
    world_end(&w);
}

/* ---- a real directory ------------------------------------------------------------------------ */

#define PATH_ROOM 256u

static const char *path_in(char to[PATH_ROOM], const char *base, const char *name)
{
    snprintf(to, PATH_ROOM, "%.128s/%.64s", base, name);
    return to;
}

/*
 * "store" has one of one entry; "link" leads to it, "dangling" nowhere; "letter" is a file,
 * "nothing" empty.
 */
static void posix_make(const char *base)
{
    char path[PATH_ROOM];
    tarn_store *store = NULL;
    FILE *letter;

    check_ok(tarn_open(&store, path_in(path, base, "store"), NULL));
    put_text(store, "t", NULL, "a", "1");
    check_ok(tarn_commit(store, NULL, 0, TARN_SYNC));
    check_ok(tarn_close(store));
    check_eq(symlink("store", path_in(path, base, "link")), 0);
    check_eq(symlink("target", path_in(path, base, "dangling")), 0);
    letter = fopen(path_in(path, base, "letter"), "w");
    check(letter != NULL && fclose(letter) == 0);
    check_eq(mkdir(path_in(path, base, "nothing"), 0700), 0);
}

static void posix_look(const char *base)
{
    char path[PATH_ROOM];
    tarn_store *store = NULL;
    struct stat status;

    check(lstat(path_in(path, base, "target"), &status) != 0);
    check_ok(tarn_check(path_in(path, base, "store"), NULL, NULL, NULL, NULL));
    check_ok(tarn_open(&store, path, &(tarn_options){ .flags = TARN_READ_ONLY }));
    check_value(store, "t", "a", "1");
    check_ok(tarn_close(store));
}

static void posix_remove(const char *base)
{
    static const char *const made[] = { "link", "dangling", "letter", "nothing", "store" };
    char path[PATH_ROOM];
    size_t i;

    (void)unlink(path_in(path, base, "store/0000000000000001.tarn"));
    (void)unlink(path_in(path, base, "nothing/0000000000000001.tarn"));
    for (i = 0; i < TN_ARRAY_COUNT(made); i++)
        check_eq(remove(path_in(path, base, made[i])), 0);
    check_eq(rmdir(base), 0);
}

/* A simulated system has no links. */
static void what_is_no_directory_with_a_store_in_it_is_refused(void)
{
    static const struct {
        const char *name;
        int as_target;
    } cases[] = {
        { "link", TARN_E_MISUSE },   { "link/", TARN_E_MISUSE }, { "dangling", TARN_E_MISUSE },
        { "letter", TARN_E_MISUSE }, { "nothing", TARN_OK },
    };
    const char *parent = getenv("TMPDIR") != NULL ? getenv("TMPDIR") : "/tmp";
    char base[PATH_ROOM], path[PATH_ROOM], target[PATH_ROOM], store[PATH_ROOM];
    tarn_salvage_result salvaged;
    tarn_check_result checked;
    size_t i;

    check(mkdtemp(strcpy(base, path_in(path, parent, "tarn-test-check-XXXXXX"))) != NULL);
    posix_make(base);
    (void)path_in(target, base, "target");
    (void)path_in(store, base, "store");
    for (i = 0; i < TN_ARRAY_COUNT(cases); i++) {
        (void)path_in(path, base, cases[i].name);
        check_eq(tarn_check(path, NULL, NULL, NULL, &checked), TARN_E_IO);
        check_eq(checked.report.is_missing, 1);
        check_eq(tarn_salvage(path, target, NULL, NULL, NULL, &salvaged), TARN_E_IO);
        check_eq(salvaged.report.is_missing, 1);
        posix_look(base);
        check_eq(tarn_salvage(store, path, NULL, NULL, NULL, &salvaged), cases[i].as_target);
        posix_look(base);
    }
    posix_remove(base);
}

static void a_link_in_a_store_is_said_to_be_one_and_not_followed(void)
{
    const char *parent = getenv("TMPDIR") != NULL ? getenv("TMPDIR") : "/tmp";
    char base[PATH_ROOM], path[PATH_ROOM], file[PATH_ROOM], target[PATH_ROOM];
    tarn_salvage_result salvaged;
    tarn_check_result checked;

    check(mkdtemp(strcpy(base, path_in(path, parent, "tarn-test-check-XXXXXX"))) != NULL);
    posix_make(base);
    (void)path_in(file, base, "store/0000000000000001.tarn");
    check_eq(rename(file, path_in(path, base, "moved")), 0);
    check_eq(symlink("../moved", file), 0);
    (void)path_in(path, base, "store");
    check_eq(tarn_check(path, NULL, NULL, NULL, &checked), TARN_E_CORRUPT);
    check(strstr(checked.report.text, "it is a symbolic link, which is not followed") != NULL);
    check_eq(tarn_salvage(path, path_in(target, base, "target"), NULL, NULL, NULL, &salvaged),
             TARN_E_CORRUPT);
    check(strstr(salvaged.report.text, "it is a symbolic link, which is not followed") != NULL);
    check_eq(unlink(file), 0);
    check_eq(rename(path_in(path, base, "moved"), file), 0);
    posix_look(base);
    posix_remove(base);
}

static const struct test tests[] = {
    T(a_whole_store_is_told_to_be_and_copied_as_it_is),
    T(a_live_store_is_checked_and_salvaged_beside_its_writer),
    T(a_torn_tail_is_dropped_and_no_damage),
    T(a_flipped_bit_is_found_and_the_rest_is_saved),
    T(tables_whose_names_are_lost_get_others),
    T(a_dictionary_whose_halves_contradict_each_other_becomes_two_tables),
    T(a_dictionary_that_is_whole_stays_one),
    T(a_target_that_is_not_empty_is_refused_and_left_alone),
    T(where_there_is_no_store_there_is_nothing_to_do),
    T(what_is_no_directory_with_a_store_in_it_is_refused),
    T(a_link_in_a_store_is_said_to_be_one_and_not_followed),
    T(another_version_is_refused),
    T(no_room_in_the_target_leaves_it_empty),
    T(what_fails_in_turn_is_answered_and_leaves_nothing),
};

TEST_MAIN(tests)
