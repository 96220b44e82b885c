/*
 * test_format.c - docs/FORMAT.md says what tarn writes
 *
 *     test_format              the example of the text, byte by byte
 *     test_format --make DIR   exports in DIR, for export_reader.py, which was written from the text
 *     test_format --list FILE  what an import of that file makes, in the reader's words
 */
#include "export_fixture.h"

static tarn_store *store_new(void)
{
    tarn_store *store = NULL;

    if (tarn_open(&store, NULL, NULL) != TARN_OK)
        abort();
    return store;
}

static tarn_table *table_of(tarn_store *store, const char *name, int kind, int type,
                            size_t value_bytes)
{
    const tarn_table_options options = { kind, type, value_bytes };
    tarn_table *table = NULL;

    check_ok(tarn_table_open(&table, store, name, &options));
    return table;
}

static void words(tarn_store *store, const char *name, size_t count)
{
    tarn_dict *dict;
    char word[24];
    uint32_t code;
    size_t i;

    check_ok(tarn_dict_open(&dict, store, name, NULL));
    for (i = 0; i < count; i++)
        check_ok(tarn_dict_encode(dict, word, (size_t)snprintf(word, sizeof word, "w%zu", i * i),
                                  &code));
    check_ok(tarn_dict_close(dict));
}

/* ---- the example ----------------------------------------------------------------------------- */

/* What the text says is in it. */
static void fill_example(tarn_store *store)
{
    tarn_table *table = table_of(store, "visits", TARN_ORDERED, TARN_I64, 8);
    tarn_dict *dict;
    uint32_t code;

    check_ok(tarn_add_i64(table, "/about", 6, 1, NULL));
    check_ok(tarn_add_i64(table, "/home", 5, 258, NULL));
    check_ok(tarn_dict_open(&dict, store, "pages", NULL));
    check_ok(tarn_dict_encode(dict, "/home", 5, &code));
    check_ok(tarn_dict_close(dict));
}

/* Lines like '0000  89 74 61  what it is': the bytes, whose offsets must be right. */
static struct bytes example_read(void)
{
    const char *source_dir = getenv("SOURCE_DIR");
    char path[1024], line[256];
    struct bytes b = { 0 };
    FILE *text;

    snprintf(path, sizeof path, "%s/docs/FORMAT.md", source_dir != NULL ? source_dir : ".");
    text = fopen(path, "r");
    check(text != NULL);
    while (text != NULL && fgets(line, sizeof line, text) != NULL) {
        unsigned offset, byte;
        int at = 0, next = 0;

        if (sscanf(line, "%4x %n", &offset, &at) != 1 || at != 6 || strncmp(line + 4, "  ", 2) != 0)
            continue;
        check_eq(offset, b.count);
        for (; sscanf(line + at, "%2x%n", &byte, &next) == 1 && next == 2; at += 3) {
            uint8_t value = (uint8_t)byte;

            bytes_put(&b, &value, 1);
            if (line[at + 2] != ' ' || line[at + 3] == ' ')
                break;
        }
    }
    if (text != NULL)
        fclose(text);
    return b;
}

static void the_example_of_the_text_is_what_tarn_writes(void)
{
    tarn_store *store = store_new(), *other = store_new();
    struct bytes wanted = example_read(), written;

    fill_example(store);
    written = export_store(store);
    check_bytes(written.data, written.count, wanted.data, wanted.count);
    check_ok(import_bytes(other, &wanted));
    check(stores_are_same(store, other));
    bytes_free(&wanted);
    bytes_free(&written);
    check_ok(tarn_close(other));
    check_ok(tarn_close(store));
}

/* ---- for the reader -------------------------------------------------------------------------- */

static int file_write(void *context, const void *bytes, size_t count)
{
    return fwrite(bytes, 1, count, context) == count ? 0 : 5;
}

static int file_read(void *context, void *to, size_t room, size_t *count)
{
    *count = fread(to, 1, room, context);
    return ferror((FILE *)context) != 0 ? 5 : 0;
}

static void write_file(const char *directory, const char *name, tarn_store *store)
{
    char path[1024];
    tarn_snapshot *snapshot;
    FILE *file;

    snprintf(path, sizeof path, "%s/%s.tarnx", directory, name);
    file = fopen(path, "wb");
    if (file == NULL || tarn_snapshot_take(&snapshot, store) != TARN_OK)
        abort();
    check_ok(tarn_snapshot_export_with(snapshot, file_write, file));
    check_ok(tarn_snapshot_release(snapshot));
    check_ok(tarn_close(store));
    fclose(file);
}

/* Every kind, type and role; keys and values that lie in several blocks. */
static tarn_store *store_of_all(void)
{
    static const size_t type_bytes[] = { 0, 4, 4, 4, 8, 8, 8, 24 };
    static uint8_t bytes[200000];
    tarn_store *store = store_new();
    uint64_t random = test_seed();
    char name[24];
    size_t i;
    int type;

    for (i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(test_random(&random) >> 32);
    for (type = TARN_ANY; type <= TARN_STRUCT; type++) {
        tarn_table *table;

        snprintf(name, sizeof name, "type %d", type);
        table = table_of(store, name, type % 2, type, type_bytes[type]);
        for (i = 0; i < 20; i++)
            check_ok(tarn_put(table, bytes + i, i, bytes + 100,
                              type == TARN_ANY ? i * 17 : type_bytes[type]));
    }
    check_ok(tarn_put(table_of(store, "large", 0, 0, 0), bytes, 65535, bytes, 200000));
    check_ok(tarn_put(table_of(store, "large", 0, 0, 0), bytes + 9, 65535, bytes + 9, 65536));
    words(store, "dict", 700);
    words(store, "none", 0);
    return store;
}

static int make(const char *directory)
{
    tarn_store *example = store_new();

    fill_example(example);
    write_file(directory, "example", example);
    write_file(directory, "empty", store_new());
    write_file(directory, "all", store_of_all());
    return test_failures != 0;
}

static void print_hex(tarn_bytes bytes)
{
    const uint8_t *at = bytes.data;
    size_t i;

    putchar(' ');
    for (i = 0; i < bytes.bytes; i++)
        printf("%02x", at[i]);
    if (bytes.bytes == 0)
        putchar('-');
}

static void print_table(tarn_table *table)
{
    tarn_bytes key, value;
    tarn_iterator *it;

    printf("table");
    print_hex(tn_table_name(table));
    printf(" kind=%d type=%d role=%d order=%d value_bytes=%zu entries=%" PRIu64 " bytes=%" PRIu64
           "\n",
           table->kind, table->type, (int)table->role,
           (int)tn_byte_order_of(table->type, table->is_foreign), table->value_bytes,
           tarn_table_count(table), tarn_table_bytes(table));
    check_ok(tarn_scan(&it, table, NULL));
    while (tarn_next(it, &key, &value) == TARN_OK) {
        printf("entry");
        print_hex(tn_table_name(table));
        print_hex(key);
        print_hex(value);
        putchar('\n');
    }
    check_ok(tarn_iterator_close(it));
}

static int list(const char *path)
{
    tarn_store *store = store_new();
    FILE *file = fopen(path, "rb");
    size_t i;
    int result;

    if (file == NULL)
        return 2;
    result = tarn_import_with(store, file_read, file);
    for (i = 0; i < store->table_count; i++)
        print_table(store->tables[i]);
    fclose(file);
    check_ok(tarn_close(store));
    return result == TARN_OK ? test_failures != 0 : 1;
}

static const struct test tests[] = {
    T(the_example_of_the_text_is_what_tarn_writes),
};

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "--make") == 0)
        return make(argv[2]);
    if (argc == 3 && strcmp(argv[1], "--list") == 0)
        return list(argv[2]);
    return test_main(tests, TN_ARRAY_COUNT(tests), argc, argv);
}
