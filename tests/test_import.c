/*
 * test_import.c - imports of what nobody can trust: all or nothing, whatever the bytes are
 */
#include "export_fixture.h"

#include "os/simulated.h"

#include <errno.h>

/* ---- stores and exports ---------------------------------------------------------------------- */

static tarn_store *store_new(void)
{
    tarn_store *store = NULL;

    check_ok(tarn_open(&store, NULL, NULL));
    return store;
}

static tarn_table *table_of(tarn_store *store, const char *name, int kind)
{
    const tarn_table_options options = { .kind = kind };
    tarn_table *table = NULL;

    check_ok(tarn_table_open(&table, store, name, &options));
    return table;
}

static void fill(tarn_table *table, uint64_t count, size_t value_bytes)
{
    uint8_t value[200] = { 0 };
    uint64_t i;

    for (i = 0; i < count; i++) {
        value[0] = (uint8_t)i;
        check_ok(tarn_put(table, &i, sizeof i, value, value_bytes));
    }
}

/* A few hundred bytes with a table of each role and sort. */
static struct bytes small_export(void)
{
    const tarn_table_options numbers = { TARN_UNORDERED, TARN_U64, 0 };
    const tarn_table_options structs = { TARN_ORDERED, TARN_STRUCT, 3 };
    tarn_store *store = store_new();
    tarn_table *table;
    tarn_dict *dict;
    struct bytes b;
    uint32_t code;

    check_ok(tarn_put(table_of(store, "t", TARN_ORDERED), "", 0, "", 0));
    check_ok(tarn_put(table_of(store, "t", TARN_ORDERED), "key", 3, "value", 5));
    check_ok(tarn_table_open(&table, store, "n", &numbers));
    check_ok(tarn_put(table, "a", 1, "12345678", 8));
    check_ok(tarn_table_open(&table, store, "s", &structs));
    check_ok(tarn_put(table, "a", 1, "123", 3));
    check_ok(tarn_dict_open(&dict, store, "d", NULL));
    check_ok(tarn_dict_encode(dict, "word", 4, &code));
    check_ok(tarn_dict_close(dict));
    b = export_store(store);
    check_ok(tarn_close(store));
    return b;
}

/* An import that must fail with that result, and leave nothing. */
static void refused(const char *file, int line, struct bytes *b, int wanted, const char *text)
{
    tarn_store *store = store_new();
    uint64_t memory_bytes;
    tarn_table *other;

    check_ok(tarn_table_open(&other, store, "other", NULL));
    check_ok(tarn_put(other, "k", 1, "v", 1));
    memory_bytes = memory_at_rest(store);
    test_eq(file, line, "tarn_import_with", import_bytes(store, b), "wanted", wanted);
    if (strstr(tarn_error_text(store), text) == NULL)
        test_fail(file, line, "\"%s\" is not in \"%s\"", text, tarn_error_text(store));
    check_nothing(store, 1, memory_bytes);
    check_eq(tarn_table_count(other), 1);
    check_ok(tarn_close(store));
}

#define check_refused(b, result, text) refused(__FILE__, __LINE__, (b), (result), (text))

/* A payload with good checksums. Takes the payload. */
static void payload_refused(const char *file, int line, struct bytes *payload, int wanted,
                            const char *text)
{
    struct bytes b = bytes_seal(payload->data, payload->count, TN_BLOCK_PAYLOAD_BYTES);

    refused(file, line, &b, wanted, text);
    bytes_free(&b);
    b = bytes_seal(payload->data, payload->count, 3); /* everything lies in several blocks */
    refused(file, line, &b, wanted, text);
    bytes_free(&b);
    bytes_free(payload);
}

#define check_payload_refused(payload, text)                                                       \
    payload_refused(__FILE__, __LINE__, (payload), TARN_E_CORRUPT, (text))

/* ---- damage ---------------------------------------------------------------------------------- */

static void any_flipped_bit_is_found(void)
{
    struct bytes b = small_export();
    tarn_store *store = store_new();
    uint64_t memory_bytes;
    size_t bit;

    check(b.count > 250 && b.count < 1000);
    memory_bytes = memory_at_rest(store);
    for (bit = 0; bit < 8 * b.count; bit++) {
        b.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        check_eq(import_bytes(store, &b), TARN_E_CORRUPT);
        b.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    check_nothing(store, 0, memory_bytes);
    check_ok(import_bytes(store, &b));
    bytes_free(&b);
    check_ok(tarn_close(store));
}

static void an_export_cut_short_anywhere_is_found(void)
{
    struct bytes whole = small_export(), payload = bytes_payload(&whole);
    struct bytes parts = bytes_seal(payload.data, payload.count, 50), *each[] = { &whole, &parts };
    size_t i, count;

    for (i = 0; i < 2; i++) {
        struct bytes b = *each[i];

        for (count = 0; count < each[i]->count; count++) {
            b.count = count;
            check_refused(&b, TARN_E_CORRUPT,
                          count < 8    ? "byte 0: this is not an export"
                          : count < 24 ? "byte 0: the head is damaged"
                                       : "the input ends here");
        }
    }
    bytes_free(&whole);
    bytes_free(&parts);
    bytes_free(&payload);
}

static void anything_behind_the_end_is_found(void)
{
    struct bytes b = small_export();
    char text[64];

    snprintf(text, sizeof text, "byte %zu: there is more", b.count);
    bytes_put(&b, "", 1);
    check_refused(&b, TARN_E_CORRUPT, text);
    bytes_free(&b);
}

static void other_files_are_told_from_exports(void)
{
    static const char *const others[] = { "",
                                          "\x89",
                                          "\177ELF",
                                          "\x89tarnx\n\n12345678901234567890",
                                          "key\tvalue\n",
                                          "\x89PNG\r\n\x1A\n123456789012345678" };
    struct bytes zeros = { 0 };
    size_t i;

    for (i = 0; i < TN_ARRAY_COUNT(others); i++) {
        struct bytes b = { 0 };

        bytes_put(&b, others[i], strlen(others[i]));
        check_refused(&b, TARN_E_CORRUPT, "byte 0: this is not an export");
        bytes_free(&b);
    }
    for (i = 0; i < 1000; i++)
        bytes_put(&zeros, "", 1);
    check_refused(&zeros, TARN_E_CORRUPT, "byte 0: this is not an export");
    bytes_free(&zeros);
}

/* K2 */
static void other_versions_are_told_from_damage(void)
{
    struct bytes b = small_export();

    b.data[8] = 2;
    check_refused(&b, TARN_E_CORRUPT, "byte 0: the head is damaged");
    tn_store_le64(b.data + 16, tn_checksum(b.data, 16, 0));
    check_refused(&b, TARN_E_VERSION, "byte 8: the export has version 2 of the format");
    b.data[8] = 1;
    b.data[13] = 1;
    tn_store_le64(b.data + 16, tn_checksum(b.data, 16, 0));
    check_refused(&b, TARN_E_CORRUPT, "byte 12: the head has more");
    bytes_free(&b);
}

/* An export of 1,000 entries in blocks of the same size, whatever the seed. */
static struct bytes blocks_of(uint8_t seed, size_t block_bytes)
{
    tarn_store *store = store_new();
    tarn_table *table = table_of(store, "t", TARN_ORDERED);
    struct bytes b, payload, blocks;
    uint64_t i, key;

    for (i = 0; i < 1000; i++) {
        key = __builtin_bswap64(i);
        check_ok(tarn_put(table, &key, 8, &seed, 1));
    }
    b = export_store(store);
    payload = bytes_payload(&b);
    blocks = bytes_seal(payload.data, payload.count, block_bytes);
    bytes_free(&b);
    bytes_free(&payload);
    check_ok(tarn_close(store));
    return blocks;
}

/* K1. Blocks of whole entries that look alike, so that nothing but the checksums can tell. */
static void blocks_out_of_place_are_found(void)
{
    const size_t size = TN_BLOCK_HEAD_BYTES + 150, first = TN_EXPORT_HEAD_BYTES + size;
    struct bytes good = blocks_of(1, 150), other = blocks_of(2, 150), b = { 0 };
    size_t i, j, blocks = (good.count - TN_EXPORT_HEAD_BYTES) / size;

    check(blocks > 50 && good.count == other.count);
    for (i = 0; i + 2 < blocks; i += 7) {
        uint8_t *at;

        for (j = i + 1; j + 1 < blocks && j < i + 4; j++) { /* exchanged */
            bytes_put(&b, good.data, good.count);
            memcpy(b.data + first + i * size - size, good.data + first + j * size - size, size);
            memcpy(b.data + first + j * size - size, good.data + first + i * size - size, size);
            check_refused(&b, TARN_E_CORRUPT, "fails its checksum");
            bytes_free(&b);
        }
        bytes_put(&b, good.data, first + i * size); /* doubled */
        bytes_put(&b, good.data + first + i * size - size, good.count - first - i * size + size);
        check_refused(&b, TARN_E_CORRUPT, "fails its checksum");
        bytes_free(&b);
        bytes_put(&b, good.data, first + i * size); /* left out */
        bytes_put(&b, good.data + first + i * size + size, good.count - first - i * size - size);
        check_refused(&b, TARN_E_CORRUPT, "fails its checksum");
        bytes_free(&b);
        bytes_put(&b, good.data, good.count); /* of another export, at the same place */
        at = b.data + first + i * size;
        memcpy(at, other.data + first + i * size, size);
        check_refused(&b, TARN_E_CORRUPT, "fails its checksum");
        memset(at, 0, size); /* zeros */
        check_refused(&b, TARN_E_CORRUPT, "damaged");
        bytes_free(&b);
    }
    bytes_free(&good);
    bytes_free(&other);
}

/* K3: what is not within the format is refused before anything is read or taken for it. */
static void a_blocks_head_is_within_the_format(void)
{
    static const struct {
        size_t at;
        uint32_t number;
    } heads[] = { { 8, 65537 }, { 8, UINT32_MAX }, { 12, 2 }, { 12, UINT32_MAX } };
    struct bytes b = small_export(), zeros = bytes_seal("", 0, 1);
    size_t i;

    for (i = 0; i < TN_ARRAY_COUNT(heads); i++) {
        struct bytes copy = { 0 };

        bytes_put(&copy, b.data, b.count);
        tn_store_le32(copy.data + TN_EXPORT_HEAD_BYTES + heads[i].at, heads[i].number);
        check_refused(&copy, TARN_E_CORRUPT, "byte 24: the block is damaged");
        bytes_free(&copy);
    }
    tn_store_le32(zeros.data + TN_EXPORT_HEAD_BYTES + 12, 0); /* empty, and not the last */
    tn_store_le64(
        zeros.data + TN_EXPORT_HEAD_BYTES,
        tn_checksum(zeros.data + TN_EXPORT_HEAD_BYTES + 8, 8, tn_load_le64(zeros.data + 16)));
    check_refused(&zeros, TARN_E_CORRUPT, "byte 24: the block is damaged");
    bytes_free(&zeros);
    bytes_free(&b);
}

static void blocks_of_any_size_and_reads_of_any_piece_are_taken(void)
{
    static const size_t sizes[] = { 1, 2, 5, 31, 64, 1000, 65535, 65536 };
    static const size_t pieces[] = { 1, 3, 16, 4096 };
    uint64_t random = test_seed();
    tarn_store *store = store_new();
    struct bytes b, payload;
    uint8_t *value = calloc(1, 70000);
    size_t i, j;

    check_ok(tarn_put(table_of(store, "t", TARN_ORDERED), value, 300, value, 70000));
    fill(table_of(store, "t", TARN_ORDERED), 100, 100);
    fill(table_of(store, "u", TARN_UNORDERED), 100, 100);
    b = export_store(store);
    payload = bytes_payload(&b);
    for (i = 0; i < TN_ARRAY_COUNT(sizes); i++)
        for (j = 0; j <= TN_ARRAY_COUNT(pieces); j++) {
            struct bytes sealed = bytes_seal(payload.data, payload.count, sizes[i]);
            tarn_store *other = store_new();

            if (j < TN_ARRAY_COUNT(pieces))
                sealed.piece = pieces[j];
            else
                sealed.random = &random;
            check_ok(import_bytes(other, &sealed));
            check(stores_are_same(store, other));
            bytes_free(&sealed);
            check_ok(tarn_close(other));
        }
    free(value);
    bytes_free(&payload);
    bytes_free(&b);
    check_ok(tarn_close(store));
}

/*
 * An import looks one entry ahead. Behind a table's last entry that is no entry, and here another
 * entry's key lies at the same place of a later block.
 */
static void what_follows_a_table_is_not_taken_for_an_entry(void)
{
    static const char name[] =
        "n23456789012345678901234567890123456789012345678901234567890123456789";
    struct bytes payload = { 0 }, b;
    tarn_store *store = store_new();
    size_t block_bytes = strlen(name) + TN_EXPORT_TABLE_BYTES;
    int kind;

    for (kind = TARN_ORDERED; kind <= TARN_UNORDERED; kind++) {
        bytes_put_table(&payload, kind, 0, 0, 0, 0, "a", 1, 1, 1);
        bytes_put_entry(&payload, "a", 1, "", 0);
        bytes_put_table(&payload, kind, 0, 0, 0, 0, name, strlen(name), 1, 6);
        bytes_put_entry(&payload, "the key", 5, "v", 1);
        b = bytes_seal(payload.data, payload.count, block_bytes);
        check_ok(import_bytes(store, &b));
        check_ok(tarn_contains(table_of(store, name, kind), "the key", 5));
        check(tn_index_check(&table_of(store, name, kind)->index));
        check_ok(tarn_table_drop(table_of(store, name, kind)));
        check_ok(tarn_table_drop(table_of(store, "a", kind)));
        bytes_free(&payload);
        bytes_free(&b);
    }
    check_ok(tarn_close(store));
}

/* ---- content that no store wrote ------------------------------------------------------------- */

static void a_table_that_cannot_be_is_refused(void)
{
    static const char name[TARN_TABLE_NAME_BYTES_MAX + 1] = "n";
    static const struct {
        int kind, type, role, order;
        uint32_t value_bytes;
        size_t name_bytes;
        const char *text;
    } tables[] = {
        { 2, TARN_ANY, 0, 0, 0, 1, "no such table" },
        { 255, TARN_ANY, 0, 0, 0, 1, "no such table" },
        { 0, TARN_STRUCT + 1, 0, 0, 0, 1, "no such table" },
        { 0, 255, 0, 0, 0, 1, "no such table" },
        { 0, TARN_ANY, 0, 0, 1, 1, "no such table" },
        { 0, TARN_I64, 0, 0, 0, 1, "no such table" },
        { 0, TARN_I64, 0, 0, 4, 1, "no such table" },
        { 0, TARN_I64, 0, 1, 8, 1, "no such table" },
        { 0, TARN_STRUCT, 0, 1, 0, 1, "no such table" },
        { 0, TARN_STRUCT, 0, 0, 8, 1, "no such table" },
        { 0, TARN_STRUCT, 0, 3, 8, 1, "no such table" },
        { 0, TARN_ANY, 3, 0, 0, 1, "no such table" },
        { 0, TARN_ANY, 0, 0, 0, 0, "no such table" },
        { 0, TARN_ANY, 0, 0, 0, 256, "no such table" },
        { 0, TARN_ANY, 0, 0, 0, 2, "role" },   /* a NUL in a plain table's name */
        { 1, TARN_ANY, 2, 0, 0, 2, "role" },   /* the second half of a dictionary alone */
        { 1, TARN_ANY, 1, 0, 0, 1, "role" },   /* the first half, of another type, */
        { 0, TARN_U32, 1, 0, 4, 1, "role" },   /* of another kind, */
        { 1, TARN_U32, 1, 0, 4, 255, "role" }, /* with a name too long, or with a NUL */
        { 1, TARN_U32, 1, 0, 4, 2, "role" },
        { 1, TARN_U32, 1, 0, 4, 1, "second table" }, /* the first half alone */
    };
    size_t i;

    for (i = 0; i < TN_ARRAY_COUNT(tables); i++) {
        struct bytes payload = { 0 };

        bytes_put_table(&payload, tables[i].kind, tables[i].type, tables[i].role, tables[i].order,
                        tables[i].value_bytes, name, tables[i].name_bytes, 0, 0);
        check_payload_refused(&payload, tables[i].text);
    }
    for (i = 0; i < 2; i++) { /* what is 0 in this version */
        struct bytes payload = { 0 };

        bytes_put_table(&payload, 0, 0, 0, 0, 0, "n", 1, 0, 0);
        payload.data[12 + 3 * i] = 1;
        check_payload_refused(&payload, "no such table");
    }
}

static void structs_of_the_other_byte_order_are_refused(void)
{
    struct bytes payload = { 0 };

    bytes_put_table(&payload, 0, TARN_STRUCT, 0, TN_BIG_ENDIAN ? TN_ORDER_LITTLE : TN_ORDER_BIG, 8,
                    "n", 1, 0, 0);
    payload_refused(__FILE__, __LINE__, &payload, TARN_E_TYPE, "other byte order");
}

static void tables_out_of_order_are_refused(void)
{
    static const char *const names[][2] = { { "b", "a" }, { "a", "a" }, { "ab", "a" } };
    size_t i;

    for (i = 0; i < TN_ARRAY_COUNT(names); i++) {
        struct bytes payload = { 0 };

        bytes_put_table(&payload, 0, 0, 0, 0, 0, names[i][0], strlen(names[i][0]), 0, 0);
        bytes_put_table(&payload, 1, 0, 0, 0, 0, names[i][1], strlen(names[i][1]), 0, 0);
        check_payload_refused(&payload, "order of their names");
    }
}

/* One table with two entries, at least as it says. */
static struct bytes two_entries(int kind, const char *first, const char *second, uint64_t count,
                                uint64_t bytes)
{
    struct bytes payload = { 0 };

    bytes_put_table(&payload, kind, 0, 0, 0, 0, "t", 1, count, bytes);
    bytes_put_entry(&payload, first, strlen(first), "v", 1);
    bytes_put_entry(&payload, second, strlen(second), "w", 1);
    return payload;
}

static void keys_out_of_order_or_twice_are_refused(void)
{
    struct bytes payload = two_entries(TARN_ORDERED, "b", "a", 2, 4);

    check_payload_refused(&payload, "not ascending");
    payload = two_entries(TARN_ORDERED, "a", "a", 2, 4);
    check_payload_refused(&payload, "not ascending");
    payload = two_entries(TARN_ORDERED, "ab", "a", 2, 5);
    check_payload_refused(&payload, "not ascending");
    payload = two_entries(TARN_ORDERED, "a", "", 2, 3);
    check_payload_refused(&payload, "not ascending");
    payload = two_entries(TARN_UNORDERED, "a", "a", 2, 4);
    check_payload_refused(&payload, "twice");
    payload = two_entries(TARN_UNORDERED, "", "", 2, 2);
    check_payload_refused(&payload, "twice");
}

static void counts_that_lie_are_refused(void)
{
    struct bytes payload = two_entries(TARN_ORDERED, "a", "b", 3, 4);

    check_payload_refused(&payload, "ends within a table");
    payload = two_entries(TARN_ORDERED, "a", "b", UINT64_MAX, 4);
    check_payload_refused(&payload, "ends within a table");
    payload = two_entries(TARN_ORDERED, "a", "b", 2, 5);
    check_payload_refused(&payload, "other entries than it says");
    payload = two_entries(TARN_ORDERED, "a", "b", 1, 2); /* then the second is no table */
    check_payload_refused(&payload, "ends within a table");
}

static void values_of_another_size_than_the_type_are_refused(void)
{
    struct bytes payload = { 0 };

    bytes_put_table(&payload, 0, TARN_I64, 0, 0, 8, "t", 1, 1, 9);
    bytes_put_entry(&payload, "a", 1, "1234567", 7);
    check_payload_refused(&payload, "another size than its table's type");
}

/* X4: two tables that say different things, or things that no dictionary says. */
static void dictionaries_that_contradict_themselves_are_refused(void)
{
    static const struct {
        const char *key, *again; /* in the first table, and in the second */
        uint32_t code;
        uint64_t code_again;
        size_t code_bytes;
    } words[] = {
        { "a", "b", 0, 0, 8 }, /* another key */
        { "a", "a", 0, 1, 8 }, /* another code */
        { "a", "a", 1, 1, 8 }, /* a code that leaves out others */
        { "a", "a", 0, 0, 7 }, { "a", "a", 0, UINT64_C(1) << 32, 8 },
    };
    const char *text = "contradict";
    struct bytes lonely = { 0 };
    uint8_t code_key[8];
    size_t i;

    for (i = 0; i < TN_ARRAY_COUNT(words); i++) {
        struct bytes payload = { 0 };

        bytes_put_table(&payload, 1, TARN_U32, 1, 0, 4, "d", 1, 1, 5);
        bytes_put_entry(&payload, words[i].key, 1, NULL, 0);
        tn_store_le32(payload.data + payload.count - 5, 4);
        bytes_put_number(&payload, words[i].code, 4);
        bytes_put_table(&payload, 1, TARN_ANY, 2, 0, 0, "d\0", 2, 1, 1 + words[i].code_bytes);
        tn_store_be64(code_key, words[i].code_again);
        bytes_put_entry(&payload, code_key, words[i].code_bytes, words[i].again, 1);
        check_payload_refused(&payload, text);
    }
    for (i = 0; i < 3; i++) { /* another number of entries, another name, a table between them */
        struct bytes payload = { 0 };

        bytes_put_table(&payload, 1, TARN_U32, 1, 0, 4, "d", 1, 0, 0);
        if (i == 2)
            bytes_put_table(&payload, 0, TARN_ANY, 0, 0, 0, "e", 1, 0, 0);
        else
            bytes_put_table(&payload, 1, TARN_ANY, 2, 0, 0, i == 1 ? "e\0" : "d\0", 2, i == 0, 0);
        check_payload_refused(&payload, "role");
    }
    bytes_put_table(&lonely, 1, TARN_U32, 1, 0, 4, "d", 1, 0, 0);
    check_payload_refused(&lonely, "lacks its second table");
}

/* ---- memory ---------------------------------------------------------------------------------- */

/* X3: a small file that promises gigabytes. */
static void a_length_that_lies_takes_no_memory(void)
{
    tarn_store *store = store_new();
    struct bytes payload = { 0 }, b;
    uint64_t before;

    bytes_put_table(&payload, 0, 0, 0, 0, 0, "t", 1, 100000000, UINT64_MAX);
    bytes_put_entry(&payload, "a", 1, "v", 1);
    bytes_put_entry(&payload, "b", 1, NULL, 0);
    tn_store_le32(payload.data + payload.count - 5, UINT32_MAX);
    bytes_put(&payload, "some bytes of 4 GiB", 19);
    b = bytes_seal(payload.data, payload.count, 100);
    before = memory_at_rest(store);
    check_eq(import_bytes(store, &b), TARN_E_CORRUPT);
    check(store->memory.counted_bytes_max - before < 4 * TN_MIB);
    check_nothing(store, 0, before);
    bytes_free(&b);
    bytes_free(&payload);
    check_ok(tarn_close(store));
}

/* Reads one large value, and notes how much memory is taken beyond what has come. */
struct ahead {
    const tarn_store *store;
    struct bytes *bytes;
    uint64_t before;
    uint64_t ahead_max; /* beyond 1.5 times of what was read */
};

static int ahead_read(void *context, void *to, size_t room, size_t *count)
{
    struct ahead *ahead = context;
    uint64_t taken = ahead->store->memory.counted_bytes - ahead->before;
    uint64_t expected = 3 * ahead->bytes->taken;

    if (taken > expected && taken - expected > ahead->ahead_max)
        ahead->ahead_max = taken - expected;
    return bytes_read(ahead->bytes, to, room, count);
}

static void memory_follows_what_has_come_of_a_value(void)
{
    tarn_store *store = store_new(), *other = store_new();
    struct ahead ahead = { .store = other };
    size_t bytes = 50 * TN_MIB;
    uint8_t *value = calloc(1, bytes);
    struct bytes b;

    check_ok(tarn_put(table_of(store, "t", TARN_ORDERED), "k", 1, value, bytes));
    b = export_store(store);
    ahead.bytes = &b;
    ahead.before = other->memory.counted_bytes;
    check_ok(tarn_import_with(other, ahead_read, &ahead));
    check(ahead.ahead_max < 4 * TN_MIB);
    check(other->memory.counted_bytes_max - ahead.before < bytes + bytes * 2 / 3 + 4 * TN_MIB);
    check(stores_are_same(store, other));
    free(value);
    bytes_free(&b);
    check_ok(tarn_close(other));
    check_ok(tarn_close(store));
}

static struct bytes large_export(void)
{
    tarn_store *store = store_new();
    uint8_t *value = calloc(1, 3 * TN_MIB);
    struct bytes b;

    fill(table_of(store, "a", TARN_ORDERED), 4000, 150);
    fill(table_of(store, "b", TARN_UNORDERED), 4000, 150);
    check_ok(tarn_put(table_of(store, "c", TARN_ORDERED), value, 60000, value, 3 * TN_MIB));
    b = export_store(store);
    free(value);
    check_ok(tarn_close(store));
    return b;
}

static void a_memory_limit_holds_and_all_comes_back(void)
{
    struct bytes b = large_export();
    uint64_t limit = 300 * TN_KIB, refusals = 0;
    int result = TARN_E_FULL;

    for (; result < 0; limit += 500 * TN_KIB) {
        const tarn_options options = { .memory_bytes_max = limit, .address_bytes = TN_GIB };
        tarn_store *store = NULL;
        uint64_t before;

        check_ok(tarn_open(&store, NULL, &options));
        before = memory_at_rest(store);
        result = import_bytes(store, &b);
        check(store->memory.counted_bytes_max <= limit);
        if (result < 0) {
            check_eq(result, TARN_E_FULL);
            check_nothing(store, 0, before);
            refusals++;
        }
        check_ok(tarn_close(store));
    }
    check(refusals > 5 && limit < 16 * TN_MIB);
    bytes_free(&b);
}

static void a_shared_budget_holds(void)
{
    struct bytes b = large_export();
    tarn_options options = { .address_bytes = TN_GIB };
    tarn_store *store = NULL;

    check_ok(tarn_budget_open(&options.budget, 2 * TN_MIB, NULL, NULL));
    check_ok(tarn_open(&store, NULL, &options));
    check_eq(import_bytes(store, &b), TARN_E_FULL);
    check_eq(store->table_count, 0);
    check_ok(tarn_close(store));
    check_eq(tarn_budget_used(options.budget), 0);
    check_ok(tarn_budget_close(options.budget));
    bytes_free(&b);
}

/* Every allocation in turn, once and for good, of a store that has a table and needs a larger catalog. */
static void any_allocation_of_an_import_can_be_refused(void)
{
    struct bytes small = small_export();
    uint64_t n;
    int all;

    for (all = 0; all <= 1; all++) {
        bool was_refused = true;

        for (n = 1; was_refused && n < 300; n++) {
            struct allocator allocator = { .refuse_at = UINT64_MAX };
            const tarn_options options = { .allocate = allocator_call,
                                           .allocate_context = &allocator,
                                           .address_bytes = TN_GIB };
            tarn_store *store;
            uint64_t before, asked;
            char name[2] = "0";
            int result;

            check_ok(tarn_open(&store, NULL, &options));
            for (; name[0] < '4'; name[0]++)
                (void)table_of(store, name, TARN_UNORDERED);
            before = memory_at_rest(store);
            allocator.refuse_at = allocator.asked + n;
            allocator.refuse_all = all != 0;
            asked = allocator.asked;
            result = import_bytes(store, &small);
            was_refused = allocator.asked - asked >= n;
            allocator.refuse_at = UINT64_MAX;
            if (result < 0) {
                check_eq(result, TARN_E_MEMORY);
                check_nothing(store, 4, before);
                check_ok(import_bytes(store, &small));
            } else {
                check(!was_refused || !all);
            }
            check_eq(store->table_count, 4 + 5);
            check_ok(tarn_close(store));
            check_eq(allocator.live_blocks, 0);
            check(!allocator.size_was_wrong);
        }
        check(n > 20 && n < 300);
    }
    bytes_free(&small);
}

/* ---- the system ------------------------------------------------------------------------------ */

/* Every read and every page in turn, once and for good. */
static void any_call_of_the_system_can_fail(void)
{
    static const struct {
        enum tn_simulated_call kind;
        int error;
        int result;
    } failures[] = {
        { TN_CALL_STREAM_READ, EIO, TARN_E_IO },
        { TN_CALL_STREAM_READ, EBADF, TARN_E_IO },
        { TN_CALL_STREAM_READ, EISDIR, TARN_E_IO },
        { TN_CALL_STREAM_READ, ENOMEM, TARN_E_MEMORY },
        { TN_CALL_PAGES_COMMIT, ENOMEM, TARN_E_MEMORY },
    };
    struct bytes b = large_export();
    uint64_t number;
    size_t i;
    int for_ever, result;

    for (i = 0; i < TN_ARRAY_COUNT(failures); i++)
        for (for_ever = 0; for_ever <= 1; for_ever++) {
            bool was_refused = true;

            for (number = 1; was_refused && number < 400; number += 1 + number / 8) {
                struct tn_simulated *simulated = tn_simulated_new(NULL);
                const struct tn_os os = tn_simulated_os(simulated);
                tarn_store *store = NULL;
                int stream = tn_simulated_stream_new(simulated);
                uint64_t before, calls;

                check_ok(os.ops->stream_write(os.context, stream, b.data, b.count));
                check_ok(
                    tn_store_open(&store, NULL, &(tarn_options){ .address_bytes = TN_GIB }, &os));
                before = memory_at_rest(store);
                calls = tn_simulated_call_count(simulated, failures[i].kind);
                tn_simulated_fail(simulated, failures[i].kind, number, failures[i].error,
                                  for_ever != 0);
                result = tarn_import(store, stream);
                was_refused =
                    tn_simulated_call_count(simulated, failures[i].kind) - calls >= number;
                tn_simulated_fail_none(simulated);
                if (result < 0) {
                    check_eq(result, failures[i].result);
                    check_nothing(store, 0, before);
                } else {
                    check(!was_refused || (failures[i].kind == TN_CALL_PAGES_COMMIT && !for_ever));
                }
                check_ok(tarn_close(store));
                tn_simulated_free(simulated);
            }
            check(number > 5);
        }
    bytes_free(&b);
}

static int reads_too_much(void *context, void *to, size_t room, size_t *count)
{
    (void)context;
    (void)to;
    *count = room + 1;
    return 0;
}

static int fails_with_half(void *context, void *to, size_t room, size_t *count)
{
    (void)bytes_read(context, to, room / 2, count);
    return *count > 0 ? EIO : EIO;
}

static void a_reader_that_fails_or_lies_is_an_answer(void)
{
    struct bytes b = small_export();
    tarn_store *store = store_new();

    check_eq(tarn_import_with(store, reads_too_much, NULL), TARN_E_MISUSE);
    check(strstr(tarn_error_text(store), "byte 0") != NULL);
    check_eq(tarn_import_with(store, fails_with_half, &b), TARN_E_IO);
    check_eq(store->table_count, 0);
    bytes_free(&b);
    check_ok(tarn_close(store));
}

static void misuse_of_imports_is_answered(void)
{
    tarn_store *store = store_new();

    check_eq(tarn_import(NULL, 0), TARN_E_MISUSE);
    check_eq(tarn_import_with(NULL, bytes_read, NULL), TARN_E_MISUSE);
    check_eq(tarn_import_with(store, NULL, NULL), TARN_E_MISUSE);
    check(strstr(tarn_error_text(store), "read must not be NULL") != NULL);
    check_eq(tarn_import(store, -1), TARN_E_IO);
    check_ok(tarn_close(store));
}

/* ---- the store it goes into ------------------------------------------------------------------ */

static void a_table_that_is_there_already_stops_the_import(void)
{
    static const char *const names[] = { "t", "n", "s", "d" };
    struct bytes b = small_export();
    size_t i;

    for (i = 0; i < TN_ARRAY_COUNT(names); i++) {
        tarn_store *store = store_new();
        tarn_table *table = table_of(store, names[i], TARN_ORDERED);
        uint64_t before;
        char text[64];

        check_ok(tarn_put(table, "k", 1, "v", 1));
        before = memory_at_rest(store);
        check_eq(import_bytes(store, &b), TARN_E_MISUSE);
        snprintf(text, sizeof text, "a table '%s' already", names[i]);
        check(strstr(tarn_error_text(store), text) != NULL);
        check_nothing(store, 1, before);
        check_eq(tarn_table_count(table), 1);
        check_ok(tarn_table_drop(table));
        check_ok(import_bytes(store, &b));
        check_ok(tarn_close(store));
    }
    bytes_free(&b);
}

/* Before, between and behind those there are; more than the catalog has room for. */
static void imported_tables_join_those_there_are(void)
{
    tarn_store *from = store_new(), *store = store_new();
    struct bytes b;
    char name[16];
    size_t i;
    int count;

    for (count = 0; count < 40; count++) {
        snprintf(name, sizeof name, "%c%d", 'a' + count % 26, count);
        check_ok(
            tarn_put(table_of(count % 3 == 0 ? store : from, name, count % 2), name, 2, name, 1));
    }
    b = export_store(from);
    check_ok(import_bytes(store, &b));
    check_eq(store->table_count, 40);
    for (i = 1; i < store->table_count; i++)
        check(tn_key_compare(store->tables[i - 1]->name, store->tables[i - 1]->name_bytes,
                             store->tables[i]->name, store->tables[i]->name_bytes) < 0);
    for (count = 0; count < 40; count++) {
        snprintf(name, sizeof name, "%c%d", 'a' + count % 26, count);
        check_ok(tarn_contains(table_of(store, name, count % 2), name, 2));
    }
    bytes_free(&b);
    check_ok(tarn_close(store));
    check_ok(tarn_close(from));
}

/* An export of nothing but tables: each costs memory in proportion, and time, too. */
static void very_many_tables_are_a_matter_of_moments(void)
{
    tarn_store *store = store_new();
    struct bytes payload = { 0 }, b;
    char name[16];
    int i, count = 50000;

    for (i = 0; i < count; i++)
        bytes_put_table(&payload, TARN_UNORDERED, 0, 0, 0, 0, name,
                        (size_t)snprintf(name, sizeof name, "%08d", i), 0, 0);
    b = bytes_seal(payload.data, payload.count, 1000);
    check_ok(import_bytes(store, &b));
    check_eq(store->table_count, count);
    check(store->memory.counted_bytes < (uint64_t)count * 2000);
    bytes_free(&payload);
    bytes_free(&b);
    check_ok(tarn_close(store));
}

/* Changes like others: older snapshots do not see them, and restoring one drops them. */
static void snapshots_taken_before_do_not_see_an_import(void)
{
    const tarn_options options = { .snapshot_bytes_max = 1 };
    struct bytes b = small_export();
    tarn_snapshot *before, *after;
    tarn_store *store = NULL;
    tarn_table *view;

    check_ok(tarn_open(&store, NULL, &options)); /* and none of it counts against their cap */
    check_ok(tarn_snapshot_take(&before, store));
    check_ok(import_bytes(store, &b));
    check_eq(tarn_snapshot_table(&view, before, "t"), TARN_ABSENT);
    check_ok(tarn_snapshot_take(&after, store));
    check_ok(tarn_snapshot_table(&view, after, "t"));
    check_eq(tarn_table_count(view), 2);
    check_ok(tarn_table_close(view));
    check(tn_snapshots_check(store));
    check_ok(tarn_snapshot_release(after));
    check_ok(tarn_snapshot_restore(before));
    check_eq(store->table_count, 0);
    check_ok(tarn_snapshot_release(before));
    bytes_free(&b);
    check_ok(tarn_close(store));
}

static void an_import_is_a_change_to_commit(void)
{
    struct bytes b = small_export();
    tarn_store *store = store_new();
    uint64_t number = 0;

    check_ok(tarn_commit(store, NULL, 0, 0));
    check_ok(import_bytes(store, &b));
    check_ok(tarn_commit(store, NULL, 0, 0));
    check_ok(tarn_last_commit(store, &number, NULL));
    check_eq(number, 1);
    check_eq(import_bytes(store, &b), TARN_E_MISUSE); /* and one that failed is none */
    check_ok(tarn_commit(store, NULL, 0, 0));
    check_ok(tarn_last_commit(store, &number, NULL));
    check_eq(number, 1);
    bytes_free(&b);
    check_ok(tarn_close(store));
}

#define MANY_TABLES 200

/* Many tables, so that the catalog of a store on disk must grow while they come into it. */
static struct bytes export_of_many_tables(void)
{
    tarn_store *store = store_new();
    struct bytes b;
    char name[128];
    int i;

    for (i = 0; i < MANY_TABLES; i++) {
        snprintf(name, sizeof name, "%0100d", i);
        check_ok(tarn_put(table_of(store, name, i % 2), "k", 1, "v", 1));
    }
    b = export_store(store);
    check_ok(tarn_close(store));
    return b;
}

/* A store on disk with one commit, into which the import is refused the last but so many calls. */
static int refused_import(struct bytes *b, struct allocator *allocator, uint64_t allocation,
                          uint64_t pages)
{
    struct tn_simulated *simulated = tn_simulated_new(NULL);
    const struct tn_os os = tn_simulated_os(simulated);
    const tarn_options options = { .address_bytes = TN_GIB,
                                   .allocate = allocator_call,
                                   .allocate_context = allocator };
    uint64_t number = 0;
    tarn_store *store;
    int result;

    *allocator = (struct allocator){ .refuse_at = UINT64_MAX };
    check_ok(tn_store_open(&store, "d", &options, &os));
    (void)table_of(store, "there before", TARN_ORDERED);
    check_ok(tarn_commit(store, NULL, 0, 0));
    allocator->asked = 0;
    allocator->refuse_at = allocation;
    if (pages != 0)
        tn_simulated_fail(simulated, TN_CALL_PAGES_COMMIT, pages, ENOMEM, false);
    result = import_bytes(store, b);
    allocator->refuse_at = UINT64_MAX;
    tn_simulated_fail_none(simulated);
    if (result < 0) {
        check_eq(result, TARN_E_MEMORY);
        check_eq(store->table_count, 1);
        check_ok(tarn_commit(store, NULL, 0, 0));
        check_ok(tarn_last_commit(store, &number, NULL));
        check_eq(number, 1);
        check_ok(tarn_commit(store, "n", 1, 0));
        check_ok(tarn_close(store));
        check_ok(tn_store_open(&store, "d", &options, &os));
        check_eq(store->table_count, 1);
        check_ok(import_bytes(store, b));
    }
    check_eq(store->table_count, 1 + MANY_TABLES);
    check_ok(tarn_close(store));
    tn_simulated_free(simulated);
    return result;
}

/* X2, on disk: the catalog is what it was, and has not changed. */
static void an_import_that_memory_is_refused_for_is_nothing_to_commit(void)
{
    struct bytes b = export_of_many_tables();
    struct allocator allocator;
    uint64_t count, n;
    int refused = 0;

    check_ok(refused_import(&b, &allocator, UINT64_MAX, 0));
    count = allocator.asked;
    for (n = count - 30; n <= count; n++)
        refused += refused_import(&b, &allocator, n, 0) < 0;
    for (n = 1; n < 30; n++)
        refused += refused_import(&b, &allocator, UINT64_MAX, n) < 0;
    printf("# %d refused of %d\n", refused, (int)count);
    check(refused > 3);
    bytes_free(&b);
}

/* Rules T3 and T4, and the tick of a record. */
static void imported_entries_are_like_others(void)
{
    tarn_store *from = store_new(), *store = store_new();
    uint8_t long_key[5000] = { 1 };
    tarn_table *table;
    tarn_iterator *it;
    tarn_bytes key;
    struct bytes b;
    int kind;

    for (kind = TARN_ORDERED; kind <= TARN_UNORDERED; kind++) {
        table = table_of(from, kind == TARN_ORDERED ? "o" : "u", kind);
        check_ok(tarn_put(table, long_key, sizeof long_key, "v", 1));
        check_ok(tarn_put(table, "k", 1, "v", 1));
    }
    check_ok(tarn_commit(store, "n", 1, 0));
    check_ok(tarn_commit(store, "m", 1, 0));
    b = export_store(from);
    check_ok(import_bytes(store, &b));
    for (kind = TARN_ORDERED; kind <= TARN_UNORDERED; kind++) {
        struct tn_lookup lookup;

        table = table_of(store, kind == TARN_ORDERED ? "o" : "u", kind);
        check(tn_table_find_any(table, "k", 1, &lookup) != TN_HANDLE_NONE);
        check_eq(tn_record_at(table->base, lookup.handle)->tick, store->tick);
        check_ok(tarn_scan(&it, table, NULL));
        while (tarn_next(it, &key, NULL) == TARN_OK)
            check_ok(tarn_delete(table, key.data, key.bytes)); /* the iterator keeps the key */
        check_ok(tarn_iterator_close(it));
        check_eq(tarn_table_count(table), 0);
    }
    bytes_free(&b);
    check_ok(tarn_close(store));
    check_ok(tarn_close(from));
}

/* T5 */
static void an_import_pays_its_share_of_upkeep(void)
{
    struct bytes b = large_export();
    tarn_store *store = store_new();
    tarn_table *table = table_of(store, "t", TARN_UNORDERED);
    tarn_statistics before, after;

    fill(table, 100000, 200);
    check_ok(tarn_table_drop(table));
    check_ok(tarn_stat(store, &before));
    check(before.garbage_bytes > 20 * TN_MIB);
    check_ok(import_bytes(store, &b));
    check_ok(tarn_stat(store, &after));
    check_eq(after.garbage_bytes, 0);
    bytes_free(&b);
    check_ok(tarn_close(store));
}

/* W1: the table that the walker is at stays the one it is at. */
static void the_walker_keeps_its_place(void)
{
    struct bytes b = small_export(); /* tables d, d\0, n, s, t */
    static const struct {
        size_t place, wanted;
    } places[] = { { 0, 0 }, { 1, 3 }, { 2, 7 }, { 3, 8 } };
    size_t i;

    for (i = 0; i < TN_ARRAY_COUNT(places); i++) {
        tarn_store *store = store_new();
        const tarn_table *at;

        (void)table_of(store, "a", TARN_ORDERED);
        (void)table_of(store, "m", TARN_ORDERED);
        (void)table_of(store, "z", TARN_ORDERED);
        store->walker.walking = true;
        store->walker.table_place = places[i].place;
        at = places[i].place < 3 ? store->tables[places[i].place] : NULL;
        check_ok(import_bytes(store, &b));
        check_eq(store->walker.table_place, places[i].wanted);
        check(at == NULL || store->tables[store->walker.table_place] == at);
        check_ok(tarn_close(store));
    }
    bytes_free(&b);
}

static const struct test tests[] = {
    T(any_flipped_bit_is_found),
    T(an_export_cut_short_anywhere_is_found),
    T(anything_behind_the_end_is_found),
    T(other_files_are_told_from_exports),
    T(other_versions_are_told_from_damage),
    T(blocks_out_of_place_are_found),
    T(a_blocks_head_is_within_the_format),
    T(blocks_of_any_size_and_reads_of_any_piece_are_taken),
    T(what_follows_a_table_is_not_taken_for_an_entry),
    T(a_table_that_cannot_be_is_refused),
    T(structs_of_the_other_byte_order_are_refused),
    T(tables_out_of_order_are_refused),
    T(keys_out_of_order_or_twice_are_refused),
    T(counts_that_lie_are_refused),
    T(values_of_another_size_than_the_type_are_refused),
    T(dictionaries_that_contradict_themselves_are_refused),
    T(a_length_that_lies_takes_no_memory),
    T(memory_follows_what_has_come_of_a_value),
    T(a_memory_limit_holds_and_all_comes_back),
    T(a_shared_budget_holds),
    T(any_allocation_of_an_import_can_be_refused),
    T(any_call_of_the_system_can_fail),
    T(a_reader_that_fails_or_lies_is_an_answer),
    T(misuse_of_imports_is_answered),
    T(a_table_that_is_there_already_stops_the_import),
    T(imported_tables_join_those_there_are),
    T(very_many_tables_are_a_matter_of_moments),
    T(snapshots_taken_before_do_not_see_an_import),
    T(an_import_is_a_change_to_commit),
    T(an_import_that_memory_is_refused_for_is_nothing_to_commit),
    T(imported_entries_are_like_others),
    T(an_import_pays_its_share_of_upkeep),
    T(the_walker_keeps_its_place),
};

TEST_MAIN(tests)
