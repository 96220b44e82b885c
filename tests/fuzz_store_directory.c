/*
 * fuzz_store_directory.c - bytes as changes to the files of a store, opened as a store
 *
 *     | which store, u8 | repair, u8 | change | ...     change: file u8, offset u16, what, value u8
 *
 * fuzz_log_directory asks what the log makes of such files; this, what becomes of tables,
 * dictionaries and catalog when the entries are whatever they are. Opening answers with one of its
 * codes, in memory that the files bound. What opens is sound, can be read, and gone on with. A
 * check agrees with opening; a salvage answers, and what it makes opens.
 */
#include "fuzz.h"
#include "log_forge.h"

#include "os/simulated.h"
#include "store/check.h"
#include "store/snapshot.h"

#define STORES 4u
#define FILES 16u
#define COMMITS 9u
#define CHANGE_BYTES 5u
#define FILE_BYTES_MAX ((size_t)(64 * TN_KIB))
#define MEMORY_BYTES_MAX ((uint64_t)(8 * TN_MIB)) /* of a store whose files have 100 KB */

struct image {
    uint8_t data[FILES][FILE_BYTES_MAX];
    uint64_t bytes[FILES];
    char names[FILES][TN_DISK_NAME_BYTES];
};

static struct image images[STORES];

static tarn_options options_of(uint64_t file_bytes_min, unsigned flags)
{
    return (tarn_options){
        .address_bytes = 64 << 20,
        .memory_bytes_max = MEMORY_BYTES_MAX,
        .file_bytes_min = file_bytes_min,
        .flags = flags,
    };
}

/* ---- stores as they should be ---------------------------------------------------------------- */

static tarn_table *table_of(tarn_store *store, const char *name, int kind, int type)
{
    const tarn_table_options options = { .kind = kind, .type = type };
    tarn_table *table;

    fuzz_expect(tarn_table_open(&table, store, name, &options) == TARN_OK);
    return table;
}

static void commit_make(tarn_store *store, unsigned i)
{
    tarn_table *ordered = table_of(store, "ordered", TARN_ORDERED, TARN_ANY);
    tarn_table *gone = table_of(store, "gone", TARN_UNORDERED, TARN_ANY);
    char key[40] = { 0 }; /* values are cut from it, too */
    tarn_dict *words;
    uint32_t code;
    unsigned k;

    fuzz_expect(tarn_dict_open(&words, store, "words", NULL) == TARN_OK);
    for (k = 0; k < 4; k++) {
        int bytes = snprintf(key, sizeof key, "key %u", (5 * i + 3 * k) % 11);

        fuzz_expect(tarn_put(ordered, key, (size_t)bytes, key, k * i) == TARN_OK);
        fuzz_expect(tarn_put(gone, key, (size_t)bytes, key, 9) == TARN_OK);
        fuzz_expect(tarn_add_i64(table_of(store, "numbers", TARN_UNORDERED, TARN_I64), key,
                                 (size_t)bytes, i, NULL) == TARN_OK);
        fuzz_expect(tarn_dict_encode(words, key, (size_t)bytes, &code) == TARN_OK);
    }
    fuzz_expect(tarn_delete(ordered, key, 5) >= 0);
    if (i % 4 == 1)
        fuzz_expect(tarn_table_clear(gone) == TARN_OK);
    if (i % 4 == 3)
        fuzz_expect(tarn_table_drop(gone) == TARN_OK);
    fuzz_expect(tarn_commit(store, key, 3, i % 3 == 0 ? TARN_SYNC : 0) == TARN_OK);
}

static void image_make(struct image *image, unsigned which)
{
    struct tn_simulated *system = tn_simulated_new(&(struct tn_simulated_options){ .seed = 77 });
    tarn_options options = options_of(which & 1 ? 5000 : 0, 0);
    struct tn_os os = tn_simulated_os(system);
    struct tn_disk *disk = tn_simulated_disk(system);
    tarn_store *store;
    const char *name;
    const uint8_t *data;
    unsigned i;
    int directory;

    fuzz_expect(tn_store_open(&store, "store", &options, &os) == TARN_OK);
    for (i = 1; i <= COMMITS; i++)
        commit_make(store, i);
    if (which & 2)
        tn_simulated_restart_process(system);
    (void)tarn_close(store);
    directory = tn_disk_directory_find(disk, "store");
    for (i = 0; (name = tn_disk_name(disk, directory, i)) != NULL; i++) {
        fuzz_expect(i < FILES);
        data = tn_disk_file_data(disk, tn_disk_file_find(disk, directory, name), &image->bytes[i]);
        fuzz_expect(image->bytes[i] <= FILE_BYTES_MAX);
        memcpy(image->data[i], data, image->bytes[i]);
        memcpy(image->names[i], name, strlen(name) + 1);
    }
    tn_simulated_free(system);
}

/* ---- changes --------------------------------------------------------------------------------- */

static void change(struct image *image, const uint8_t *at)
{
    unsigned file = at[0] % FILES;
    uint64_t offset = (uint64_t)at[1] | (uint64_t)at[2] << 8, bytes = image->bytes[file], from;
    uint8_t *data = image->data[file];

    while (bytes == 0 && file > 0) {
        bytes = image->bytes[--file];
        data = image->data[file];
    }
    if (bytes == 0)
        return;
    offset %= bytes;
    if (bytes > TN_LOG_HEADER_BYTES && at[3] % 16 >= 8) /* rather in sections than in headers */
        offset = TN_LOG_HEADER_BYTES + offset % (bytes - TN_LOG_HEADER_BYTES);
    switch (at[3] % 8) {
    case 0:
        data[offset] ^= at[4];
        break;
    case 1:
        data[offset] = at[4];
        break;
    case 2: /* a number, in a field of eight bytes */
        if (offset / 8 * 8 + 8 <= bytes)
            tn_store_le64(data + offset / 8 * 8, (uint64_t)(int64_t)(int8_t)at[4]);
        break;
    case 3:
        memset(data + offset, 0, tn_min(8 * ((size_t)at[4] + 1), bytes - offset));
        break;
    case 4:
        image->bytes[file] = offset / 8 * 8;
        break;
    case 5: /* one entry over another, perhaps */
        from = offset / 8 * 8 + (uint64_t)at[4] * 8;
        if (from < bytes)
            memmove(data + offset / 8 * 8, data + from, tn_min(40, bytes - from));
        break;
    case 6: /* one byte more, or less: ids, lengths, codes */
        data[offset] = (uint8_t)(data[offset] + (at[4] % 2 != 0 ? 1 : 255));
        break;
    default:
        image->bytes[file] = at[4] < 16 ? 0 : bytes;
        break;
    }
}

static void image_write(struct tn_simulated *system, const struct image *image)
{
    struct tn_disk *disk = tn_simulated_disk(system);
    int directory = tn_disk_directory_make(disk, "store");
    unsigned file;

    for (file = 0; file < FILES; file++)
        if (image->bytes[file] > 0)
            fuzz_expect(tn_disk_file_write(disk,
                                           tn_disk_file_make(disk, directory, image->names[file]),
                                           image->data[file], (size_t)image->bytes[file], 0) == 0);
}

/* ---- what must hold -------------------------------------------------------------------------- */

static bool code_is_known(int result)
{
    return result == TARN_OK || result == TARN_E_CORRUPT || result == TARN_E_VERSION ||
           result == TARN_E_IO || result == TARN_E_FULL;
}

static uint64_t sum_of(tarn_bytes bytes)
{
    const uint8_t *at = bytes.data;
    uint64_t sum = 0;
    size_t i;

    for (i = 0; i < bytes.bytes; i++)
        sum += at[i];
    return sum;
}

static void table_is_sound(tarn_store *store, const char *name, uint64_t count)
{
    tarn_bytes key, value;
    tarn_iterator *it;
    tarn_table *table;
    uint64_t seen = 0;

    fuzz_expect(tarn_table_open(&table, store, name, NULL) == TARN_OK);
    fuzz_expect(tarn_scan(&it, table, NULL) == TARN_OK);
    while (tarn_next(it, &key, &value) == TARN_OK) {
        const void *again;
        size_t bytes;

        fuzz_expect(tarn_get(table, key.data, key.bytes, &again, &bytes) == TARN_OK);
        fuzz_expect(again == value.data && bytes == value.bytes);
        seen += sum_of(key) + sum_of(value) < UINT64_MAX;
    }
    fuzz_expect(seen == count);
    fuzz_expect(tarn_iterator_close(it) == TARN_OK);
    fuzz_expect(tarn_table_close(table) == TARN_OK);
}

/* Its halves may contradict each other when both are forged. */
static void dictionary_answers(tarn_store *store, const char *name)
{
    tarn_dict *dict;
    tarn_bytes key;
    uint32_t code, known;
    int result;

    result = tarn_dict_open(&dict, store, name, NULL);
    fuzz_expect(result == TARN_OK || result == TARN_E_TYPE);
    if (result != TARN_OK)
        return;
    for (code = 0; code < tarn_dict_count(dict); code++) {
        result = tarn_dict_decode(dict, code, &key);
        fuzz_expect(result == TARN_OK || result == TARN_ABSENT);
        if (result == TARN_OK && sum_of(key) < UINT64_MAX)
            fuzz_expect(tarn_dict_find(dict, key.data, key.bytes, &known) >= 0);
    }
    fuzz_expect(tarn_dict_close(dict) == TARN_OK);
}

static void store_is_sound(tarn_store *store)
{
    char name[TARN_TABLE_NAME_BYTES_MAX + 1];
    tarn_table_info info;
    uint64_t place;
    size_t t;

    for (t = 0; t < store->table_count; t++) {
        const tarn_table *table = store->tables[t];

        fuzz_expect(tn_heap_check(&store->heap, &table->body->owner));
        fuzz_expect(tn_index_check(&table->index));
        fuzz_expect(table->ordered == NULL || tn_ordered_check(table->ordered));
    }
    for (place = 0; tarn_table_at(store, place, &info) == TARN_OK; place++) {
        fuzz_expect(info.name.bytes > 0 && info.name.bytes < sizeof name);
        memcpy(name, info.name.data, info.name.bytes);
        name[info.name.bytes] = '\0';
        fuzz_expect(strlen(name) == info.name.bytes); /* or nobody could ask for it */
        if (info.is_dictionary)
            dictionary_answers(store, name);
        else
            table_is_sound(store, name, info.entry_count);
    }
}

/* Its name is none of the fixed ones, whatever was made of those. */
static void store_goes_on(tarn_store *store, struct tn_os *os)
{
    tarn_options options = options_of(0, 0);
    tarn_table *table = table_of(store, "new here", TARN_ORDERED, TARN_ANY);
    uint64_t number, before;

    fuzz_expect(tarn_put(table, "", 0, "v", 1) == TARN_OK);
    fuzz_expect(tarn_last_commit(store, &before, NULL) == TARN_OK);
    fuzz_expect(tarn_commit(store, "n", 1, TARN_SYNC) == TARN_OK);
    fuzz_expect(tarn_close(store) == TARN_OK);
    fuzz_expect(tn_store_open(&store, "store", &options, os) == TARN_OK);
    fuzz_expect(tarn_last_commit(store, &number, NULL) == TARN_OK && number == before + 1);
    table = table_of(store, "new here", TARN_ORDERED, TARN_ANY);
    fuzz_expect(tarn_contains(table, "", 0) == TARN_OK && tarn_table_count(table) == 1);
    store_is_sound(store);
    fuzz_expect(tarn_close(store) == TARN_OK);
}

static void salvage_answers(struct tn_os *os)
{
    tarn_options options = options_of(0, 0);
    tarn_salvage_result salvaged;
    tarn_store *store;
    int result = tn_store_salvage("store", "new", &options, NULL, NULL, &salvaged, os);

    fuzz_expect(code_is_known(result));
    if (result != TARN_OK)
        return;
    fuzz_expect(tn_store_open(&store, "new", &options, os) == TARN_OK);
    store_is_sound(store);
    fuzz_expect(tarn_close(store) == TARN_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    static struct image image;
    struct tn_simulated *system;
    tarn_options options = options_of(0, TARN_READ_ONLY);
    tarn_check_result checked;
    tarn_store *store;
    struct tn_os os;
    unsigned file, which;
    int result, check;
    size_t at;

    if (bytes < 2)
        return 0;
    which = data[0] % STORES;
    if (images[which].bytes[0] == 0)
        image_make(&images[which], which);
    image = images[which];
    for (at = 2; at + CHANGE_BYTES <= bytes; at += CHANGE_BYTES)
        change(&image, data + at);
    for (file = 0; data[1] % 8 != 0 && file < FILES; file++)
        forge_repair(image.data[file], image.bytes[file], images[which].data[0] + 24);
    system = tn_simulated_new(NULL);
    os = tn_simulated_os(system);
    image_write(system, &image);
    result = tn_store_open(&store, "store", &options, &os);
    fuzz_expect(code_is_known(result));
    if (result == TARN_OK) {
        store_is_sound(store);
        fuzz_expect(tarn_close(store) == TARN_OK);
    }
    check = tn_store_check("store", &options, NULL, NULL, &checked, &os);
    fuzz_expect(code_is_known(check) && (check == TARN_OK) == (result == TARN_OK));
    salvage_answers(&os);
    options.flags = 0;
    result = tn_store_open(&store, "store", &options, &os);
    fuzz_expect(code_is_known(result));
    if (check == TARN_OK) /* no incarnation may be left, where that was forged */
        fuzz_expect(result == TARN_OK || (result == TARN_E_CORRUPT && data[1] % 8 != 0));
    if (result == TARN_OK) {
        store_is_sound(store);
        store_goes_on(store, &os);
    }
    fuzz_expect(tn_simulated_committed_bytes(system) == 0);
    tn_simulated_free(system);
    return 0;
}
