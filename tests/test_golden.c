/*
 * test_golden.c - stores and exports of every format version, kept for ever, are still read
 *
 *     tests/golden/store-1-*      directories of a store      + .txt: what is in it, one line each
 *     tests/golden/export-1.tarnx an export
 *
 *     test_golden --list DIR           open a store, read-only, and print that text
 *     test_golden --list-import FILE   import an export, and print that text
 *     test_golden --make DIR           the store 'killed': of this format version
 *     test_golden --export DIR FILE    an export of a store
 *
 * tests/golden/README.md says how each was made. A new format version adds files; none is ever made
 * anew.
 */
#include "test.h"

#include <fcntl.h>
#include <unistd.h>

#include <tarn_typed.h>

/* ---- listing --------------------------------------------------------------------------------- */

/* Lines, sorted in the end: an unordered table has no order of its own. */
struct listing {
    char **lines;
    size_t count, room;
};

static void listing_add(struct listing *listing, const char *head, const char *name,
                        const tarn_bytes *hex, size_t hex_count)
{
    size_t bytes = strlen(head) + strlen(name) + 8, i, k;
    char *line, *at;

    for (i = 0; i < hex_count; i++)
        bytes += 2 * hex[i].bytes + 2;
    line = at = malloc(bytes);
    at += sprintf(at, "%s%s%s", head, *name != '\0' ? " " : "", name);
    for (i = 0; i < hex_count; i++) {
        at += sprintf(at, " %s", hex[i].bytes == 0 ? "-" : "");
        for (k = 0; k < hex[i].bytes; k++)
            at += sprintf(at, "%02x", ((const uint8_t *)hex[i].data)[k]);
    }
    if (listing->count == listing->room) {
        listing->room = 2 * listing->room + 64;
        listing->lines = realloc(listing->lines, listing->room * sizeof *listing->lines);
    }
    listing->lines[listing->count++] = line;
}

static int line_compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void list_dictionary(struct listing *listing, tarn_store *store, const char *name)
{
    char head[40];
    tarn_bytes key;
    tarn_dict *dict;
    uint32_t code;

    check_ok(tarn_dict_open(&dict, store, name, NULL));
    for (code = 0; tarn_dict_decode(dict, code, &key) == TARN_OK; code++) {
        (void)snprintf(head, sizeof head, "word %06" PRIu32, code);
        listing_add(listing, head, name, &key, 1);
    }
    check_ok(tarn_dict_close(dict));
}

static void list_table(struct listing *listing, tarn_store *store, const char *name)
{
    tarn_iterator *it;
    tarn_table *table;
    tarn_bytes pair[2];

    check_ok(tarn_table_open(&table, store, name, NULL));
    check_ok(tarn_scan(&it, table, NULL));
    while (tarn_next(it, &pair[0], &pair[1]) == TARN_OK)
        listing_add(listing, "entry", name, pair, 2);
    check_ok(tarn_iterator_close(it));
    check_ok(tarn_table_close(table));
}

static void list_store(struct listing *listing, tarn_store *store)
{
    tarn_table_info info;
    char head[120], name[256];
    uint64_t place;

    for (place = 0; tarn_table_at(store, place, &info) == TARN_OK; place++) {
        (void)snprintf(name, sizeof name, "%.*s", (int)info.name.bytes,
                       (const char *)info.name.data);
        (void)snprintf(head, sizeof head, "table kind=%d type=%d value_bytes=%zu dictionary=%d",
                       info.options.kind, info.options.type, info.options.value_bytes,
                       info.is_dictionary);
        listing_add(listing, head, name, NULL, 0);
        if (info.is_dictionary)
            list_dictionary(listing, store, name);
        else
            list_table(listing, store, name);
    }
    qsort(listing->lines, listing->count, sizeof *listing->lines, line_compare);
}

static int listing_of_store(struct listing *listing, const char *path)
{
    tarn_report report;
    const tarn_options options = { .flags = TARN_READ_ONLY, .report = &report };
    tarn_store *store;
    tarn_bytes note;
    char head[40];
    int result = tarn_open(&store, path, &options);

    *listing = (struct listing){ NULL, 0, 0 };
    if (result != TARN_OK) {
        printf("# %s: %s\n", path, report.text);
        return result;
    }
    check_ok(tarn_last_commit(store, NULL, &note));
    (void)snprintf(head, sizeof head, "commit %" PRIu64, report.commit_number);
    listing_add(listing, head, "", &note, 1);
    list_store(listing, store);
    return tarn_close(store);
}

static int listing_of_export(struct listing *listing, const char *path)
{
    int file = open(path, O_RDONLY), result;
    tarn_store *store;

    *listing = (struct listing){ NULL, 0, 0 };
    result = tarn_open(&store, NULL, NULL);
    if (result == TARN_OK)
        result = tarn_import(store, file);
    if (result != TARN_OK)
        printf("# %s: %s\n", path, tarn_error_text(store));
    list_store(listing, store);
    (void)close(file);
    (void)tarn_close(store);
    return result;
}

static void listing_free(struct listing *listing)
{
    while (listing->count > 0)
        free(listing->lines[--listing->count]);
    free(listing->lines);
}

static int listing_print(int result, struct listing *listing)
{
    size_t i;

    for (i = 0; i < listing->count; i++)
        puts(listing->lines[i]);
    listing_free(listing);
    return result != TARN_OK;
}

/* ---- making ---------------------------------------------------------------------------------- */

static void put_text(tarn_store *store, const char *name, const tarn_table_options *options,
                     const char *key, const char *value)
{
    tarn_table *table;

    check_ok(tarn_table_open(&table, store, name, options));
    check_ok(tarn_put(table, key, strlen(key), value, strlen(value)));
}

static void make_kinds(tarn_store *store)
{
    const tarn_table_options unordered = { TARN_UNORDERED, TARN_ANY, 0 };
    const tarn_table_options numbers = { TARN_ORDERED, TARN_I64, 0 };
    const tarn_table_options reals = { TARN_UNORDERED, TARN_F64, 0 };
    const tarn_table_options structs = { TARN_ORDERED, TARN_STRUCT, 4 };
    char key[24], word[24];
    tarn_table *table;
    tarn_dict *dict;
    uint32_t code;
    int i;

    check_ok(tarn_dict_open(&dict, store, "words", NULL));
    for (i = 0; i < 12; i++) {
        (void)snprintf(key, sizeof key, "k%d", i);
        put_text(store, "unordered", &unordered, key, "some value");
        check_ok(tarn_table_open(&table, store, "numbers", &numbers));
        check_ok(tarn_add_i64(table, key, strlen(key), 1000 * i - 3000, NULL));
        check_ok(tarn_table_open(&table, store, "reals", &reals));
        check_ok(tarn_add_f64(table, key, strlen(key), i / 8.0, NULL));
        check_ok(tarn_table_open(&table, store, "structs", &structs));
        check_ok(tarn_put(table, key, strlen(key), "abcd", 4));
        (void)snprintf(word, sizeof word, "word %d", i % 7);
        check_ok(tarn_dict_encode(dict, word, strlen(word), &code));
    }
}

/* So many commits that the sweep has gone round and files have gone; the last ones are not synced. */
static void make_commits(tarn_store *store)
{
    static char large[20000];
    tarn_table *table;
    char key[24], note[24];
    int i;

    memset(large, 'x', sizeof large);
    check_ok(tarn_table_open(&table, store, "large", NULL));
    check_ok(tarn_put(table, "", 0, large, sizeof large));
    check_ok(tarn_put(table, large, 300, "", 0));
    for (i = 0; i < 60; i++) {
        (void)snprintf(key, sizeof key, "key %d", i % 20);
        (void)snprintf(note, sizeof note, "note %d", i);
        put_text(store, "churn", NULL, key, note);
        put_text(store, i % 2 ? "cleared" : "dropped", NULL, key, note);
        check_ok(tarn_table_open(&table, store, i % 2 ? "cleared" : "dropped", NULL));
        if (i % 10 == 8)
            check_ok(tarn_table_drop(table));
        if (i % 10 == 9)
            check_ok(tarn_table_clear(table));
        check_ok(tarn_table_open(&table, store, "churn", NULL));
        (void)snprintf(key, sizeof key, "key %d", (i + 7) % 20);
        check(tarn_delete(table, key, strlen(key)) >= 0);
        check_ok(tarn_commit(store, note, strlen(note), i % 6 == 0 ? TARN_SYNC : 0));
    }
}

/* Ends without closing, as a process that is killed. */
static int make_store(const char *path)
{
    const tarn_options options = { .file_bytes_min = 9000 };
    tarn_store *store;

    check_ok(tarn_open(&store, path, &options));
    make_kinds(store);
    make_commits(store);
    _exit(test_failures != 0);
}

static int make_export(const char *path, const char *to)
{
    const tarn_options options = { .flags = TARN_READ_ONLY };
    int file = open(to, O_WRONLY | O_CREAT | O_EXCL, 0644);
    tarn_snapshot *snapshot;
    tarn_store *store;

    check_ok(tarn_open(&store, path, &options));
    check_ok(tarn_snapshot_take(&snapshot, store));
    check_ok(tarn_snapshot_export(snapshot, file));
    check_ok(tarn_snapshot_release(snapshot));
    check_ok(tarn_close(store));
    return close(file) != 0 || test_failures != 0;
}

/* ---- tests ----------------------------------------------------------------------------------- */

/* The listing is what the text says. */
static void listing_check(const struct listing *listing, const char *text_path)
{
    FILE *text = fopen(text_path, "r");
    char *line = NULL;
    size_t room = 0, i;
    ssize_t bytes;

    check(text != NULL);
    for (i = 0; text != NULL && (bytes = getline(&line, &room, text)) > 0; i++) {
        line[bytes - 1] = '\0';
        check_text(i < listing->count ? listing->lines[i] : "(nothing)", line);
    }
    check_eq(i, listing->count);
    check(i > 20);
    free(line);
    if (text != NULL)
        (void)fclose(text);
}

static const char *golden(const char *name, const char *suffix)
{
    static char path[2][4096];
    static unsigned turn;
    const char *source = getenv("SOURCE_DIR");

    turn = !turn;
    (void)snprintf(path[turn], sizeof path[turn], "%s/tests/golden/%s%s",
                   source != NULL ? source : ".", name, suffix);
    return path[turn];
}

static void golden_store_check(const char *name)
{
    struct listing listing;

    check_ok(listing_of_store(&listing, golden(name, "")));
    listing_check(&listing, golden(name, ".txt"));
    listing_free(&listing);
}

static void a_store_of_version_1_made_by_the_command_reads_as_ever(void)
{
    golden_store_check("store-1-command");
}

static void a_store_of_version_1_that_was_killed_reads_as_ever(void)
{
    golden_store_check("store-1-killed");
}

static void an_export_of_version_1_reads_as_ever(void)
{
    struct listing listing;

    check_ok(listing_of_export(&listing, golden("export-1", ".tarnx")));
    listing_check(&listing, golden("export-1", ".txt"));
    listing_free(&listing);
}

static const struct test tests[] = {
    T(a_store_of_version_1_made_by_the_command_reads_as_ever),
    T(a_store_of_version_1_that_was_killed_reads_as_ever),
    T(an_export_of_version_1_reads_as_ever),
};

int main(int argc, char **argv)
{
    const char *mode = argc > 2 ? argv[1] : "";
    struct listing listing;
    int result;

    if (strcmp(mode, "--make") == 0)
        return make_store(argv[2]);
    if (strcmp(mode, "--export") == 0 && argc > 3)
        return make_export(argv[2], argv[3]);
    if (strcmp(mode, "--list") == 0) {
        result = listing_of_store(&listing, argv[2]);
        return listing_print(result, &listing);
    }
    if (strcmp(mode, "--list-import") == 0) {
        result = listing_of_export(&listing, argv[2]);
        return listing_print(result, &listing);
    }
    return test_main(tests, sizeof tests / sizeof *tests, argc, argv);
}
