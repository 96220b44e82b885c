/*
 * test_dict.c - dictionaries: every sentence of tarn.h about them
 */
#include "store_fixture.h"

static tarn_dict *open_dict(struct fixture *f, const char *name, uint64_t entry_count_max)
{
    const tarn_dict_options options = { entry_count_max };
    tarn_dict *dict = NULL;

    check_ok(tarn_dict_open(&dict, f->store, name, &options));
    return dict;
}

static int encode_text(tarn_dict *dict, const char *key, uint32_t *code)
{
    return tarn_dict_encode(dict, key, strlen(key), code);
}

/* The dictionary is what its rules say: codes 0 .. n - 1, each of one key, both ways. */
static void dict_check(tarn_dict *dict)
{
    uint64_t count = tarn_dict_count(dict), i;

    for (i = 0; i < count; i++) {
        tarn_bytes key = { NULL, 0 };
        uint32_t code = TARN_DICT_NONE;

        check_ok(tarn_dict_decode(dict, (uint32_t)i, &key));
        check_ok(tarn_dict_find(dict, key.data, key.bytes, &code));
        check_eq(code, i);
    }
    check_eq(tarn_dict_decode(dict, (uint32_t)count, &(tarn_bytes){ 0 }), TARN_ABSENT);
}

static void codes_are_0_1_2_in_the_order_of_coming(void)
{
    static const char *const words[] = { "", "a", "ab", "b", "a longer key than the others are" };
    struct fixture f;
    tarn_dict *dict;
    tarn_bytes key;
    uint32_t code, i;

    fixture_open(&f, NULL, 0);
    dict = open_dict(&f, "words", 0);
    check_eq(tarn_dict_count(dict), 0);
    for (i = 0; i < TN_ARRAY_COUNT(words); i++) {
        code = 77;
        check_eq(tarn_dict_find(dict, words[i], strlen(words[i]), &code), TARN_ABSENT);
        check_eq(code, 77);
        check_ok(encode_text(dict, words[i], &code));
        check_eq(code, i);
        check_eq(tarn_dict_count(dict), i + 1);
    }
    for (i = 0; i < TN_ARRAY_COUNT(words); i++) {
        check_ok(encode_text(dict, words[i], &code));
        check_eq(code, i);
        check_ok(tarn_dict_find(dict, words[i], strlen(words[i]), &code));
        check_eq(code, i);
        check_ok(tarn_dict_decode(dict, i, &key));
        check_bytes(key.data, key.bytes, words[i], strlen(words[i]));
    }
    key.data = &f;
    check_eq(tarn_dict_decode(dict, i, &key), TARN_ABSENT);
    check_eq(tarn_dict_decode(dict, TARN_DICT_NONE, &key), TARN_ABSENT);
    check(key.data == &f);
    check_ok(tarn_dict_encode(dict, NULL, 0, &code));
    check_eq(code, 0);
    check_ok(tarn_dict_close(dict));
    fixture_close(&f);
}

static void keys_of_every_length_come_back(void)
{
    static const size_t lengths[] = { 0, 1, 7, 8, 9, 253, 254, 255, 256, 4000, 65534, 65535 };
    static uint8_t bytes[TARN_KEY_BYTES_MAX + 1];
    struct fixture f;
    tarn_dict *dict;
    tarn_bytes key;
    uint32_t code, i;

    memset(bytes, 'x', sizeof bytes);
    fixture_open(&f, NULL, 0);
    dict = open_dict(&f, "lengths", 0);
    for (i = 0; i < TN_ARRAY_COUNT(lengths); i++) {
        check_ok(tarn_dict_encode(dict, bytes, lengths[i], &code));
        check_eq(code, i);
        check_ok(tarn_dict_decode(dict, code, &key));
        check_bytes(key.data, key.bytes, bytes, lengths[i]);
    }
    check_eq(tarn_dict_encode(dict, bytes, sizeof bytes, &code), TARN_E_MISUSE);
    check_eq(tarn_dict_find(dict, bytes, sizeof bytes, &code), TARN_E_MISUSE);
    dict_check(dict);
    fixture_close(&f); /* closes the handle too */
}

/* ---- bounds ---------------------------------------------------------------------------------- */

static void a_full_dictionary_says_so_and_still_knows_its_keys(void)
{
    struct fixture f;
    tarn_dict *dict, *other;
    uint32_t code = 77;

    fixture_open(&f, NULL, 0);
    dict = open_dict(&f, "words", 2);
    check_ok(encode_text(dict, "a", &code));
    check_ok(encode_text(dict, "b", &code));
    code = 77;
    check_eq(encode_text(dict, "c", &code), TARN_E_FULL);
    check(strstr(tarn_error_text(f.store), "entry_count_max") != NULL);
    check_eq(code, 77);
    check_eq(tarn_dict_count(dict), 2);
    check_ok(encode_text(dict, "b", &code));
    check_eq(code, 1);
    /* The bound is the handle's. */
    other = open_dict(&f, "words", 3);
    check_ok(encode_text(other, "c", &code));
    check_eq(code, 2);
    check_eq(encode_text(other, "d", &code), TARN_E_FULL);
    check_eq(encode_text(dict, "d", &code), TARN_E_FULL);
    check_ok(encode_text(dict, "c", &code));
    check_ok(tarn_dict_close(dict));
    check_ok(encode_text(other, "a", &code));
    check_eq(code, 0);
    check_ok(tarn_dict_close(other));
    fixture_close(&f);
}

/* The count is set by hand: there is no room here for four billion keys. */
static void no_key_gets_the_code_that_means_none(void)
{
    static const uint64_t bounds[] = { 0, TARN_DICT_NONE, (uint64_t)TARN_DICT_NONE + 1,
                                       UINT64_MAX };
    size_t i;

    for (i = 0; i < TN_ARRAY_COUNT(bounds); i++) {
        struct fixture f;
        tarn_dict *dict;
        tarn_table *codes;
        uint64_t count;
        uint32_t code = 77;

        fixture_open(&f, NULL, 0);
        dict = open_dict(&f, "words", bounds[i]);
        codes = f.store->tables[1];
        check_eq(codes->role, TN_ROLE_DICT_CODES);
        check_ok(encode_text(dict, "a", &code));
        count = codes->index.entry_count;
        codes->index.entry_count = TARN_DICT_NONE;
        check_eq(encode_text(dict, "b", &code), TARN_E_FULL);
        check_eq(code, 0);
        check_eq(tarn_dict_count(dict), TARN_DICT_NONE);
        codes->index.entry_count = count;
        check_ok(encode_text(dict, "b", &code));
        check_eq(code, 1);
        fixture_close(&f);
    }
}

/* ---- many ------------------------------------------------------------------------------------ */

#define MANY 5000

static uint8_t many_bytes[MANY][24];
static tarn_bytes many_keys[MANY];
static uint32_t many_codes[MANY];

/* Keys of 8 to 24 bytes; every third repeats an earlier one. */
static void many_fill(void)
{
    size_t i;

    for (i = 0; i < MANY; i++) {
        size_t number = i % 3 == 2 ? i / 3 : i;

        memset(many_bytes[i], (int)number, sizeof many_bytes[i]);
        tn_store_be64(many_bytes[i], number);
        many_keys[i] = (tarn_bytes){ many_bytes[i], 8 + number % 17 };
    }
}

static void encode_many_gives_the_codes_that_encode_gives(void)
{
    struct fixture f;
    tarn_dict *one, *many;
    size_t first, i;
    uint32_t code;

    many_fill();
    fixture_open(&f, NULL, 0);
    one = open_dict(&f, "one", 0);
    many = open_dict(&f, "many", 0);
    for (first = 0; first < MANY; first += 1 + first) {
        size_t count = tn_min(MANY - first, 1 + first);

        check_ok(tarn_dict_encode_many(many, many_keys + first, count, many_codes + first));
    }
    for (i = 0; i < MANY; i++) {
        check_ok(tarn_dict_encode(one, many_keys[i].data, many_keys[i].bytes, &code));
        check_eq(many_codes[i], code);
    }
    check_eq(tarn_dict_count(one), tarn_dict_count(many));
    dict_check(many);
    check_ok(tarn_dict_encode_many(many, NULL, 0, NULL));
    fixture_close(&f);
}

static void encode_many_in_a_full_dictionary_marks_what_has_no_code(void)
{
    struct fixture f;
    tarn_dict *dict;
    size_t i, without = 0;
    uint32_t code;

    many_fill();
    fixture_open(&f, NULL, 0);
    dict = open_dict(&f, "words", 1000);
    check_eq(tarn_dict_encode_many(dict, many_keys, MANY, many_codes), TARN_E_FULL);
    check_eq(tarn_dict_count(dict), 1000);
    for (i = 0; i < MANY; i++) {
        int found = tarn_dict_find(dict, many_keys[i].data, many_keys[i].bytes, &code);

        check_eq(found == TARN_OK, many_codes[i] != TARN_DICT_NONE);
        if (found == TARN_OK)
            check_eq(many_codes[i], code);
        without += found == TARN_ABSENT;
    }
    check(without > 1000);
    dict_check(dict);
    fixture_close(&f);
}

static void encode_many_names_a_key_that_is_none_and_changes_nothing(void)
{
    static uint8_t long_key[TARN_KEY_BYTES_MAX + 1];
    struct fixture f;
    tarn_dict *dict;

    many_fill();
    fixture_open(&f, NULL, 0);
    dict = open_dict(&f, "words", 0);
    many_keys[99] = (tarn_bytes){ long_key, sizeof long_key };
    check_eq(tarn_dict_encode_many(dict, many_keys, MANY, many_codes), TARN_E_MISUSE);
    check(strstr(tarn_error_text(f.store), "key 99 ") != NULL);
    many_keys[99] = (tarn_bytes){ NULL, 3 };
    check_eq(tarn_dict_encode_many(dict, many_keys, MANY, many_codes), TARN_E_MISUSE);
    check_eq(tarn_dict_encode_many(dict, NULL, 1, many_codes), TARN_E_MISUSE);
    check_eq(tarn_dict_encode_many(dict, many_keys, 1, NULL), TARN_E_MISUSE);
    check_eq(tarn_dict_encode_many(NULL, many_keys, 1, many_codes), TARN_E_MISUSE);
    check_eq(tarn_dict_count(dict), 0);
    fixture_close(&f);
}

/* ---- names and handles ----------------------------------------------------------------------- */

static void a_dictionary_is_not_a_table_and_a_table_not_a_dictionary(void)
{
    struct fixture f;
    tarn_table *table = NULL;
    tarn_dict *dict = NULL;

    fixture_open(&f, NULL, 0);
    check_eq(tarn_dict_open(&dict, f.store, "table", NULL), TARN_E_TYPE);
    check(dict == NULL);
    check(strstr(tarn_error_text(f.store), "'table' is a table") != NULL);
    dict = open_dict(&f, "words", 0);
    check_eq(tarn_table_open(&table, f.store, "words", NULL), TARN_E_TYPE);
    check(table == NULL);
    check(strstr(tarn_error_text(f.store), "'words' is a dictionary") != NULL);
    check_ok(tarn_table_open(&table, f.store, "words2", NULL));
    check_ok(tarn_dict_drop(dict));
    check_ok(tarn_table_open(&table, f.store, "words", NULL));
    fixture_close(&f);
}

static void a_name_has_1_to_254_bytes(void)
{
    char name[TARN_TABLE_NAME_BYTES_MAX + 1];
    struct fixture f;
    tarn_dict *dict = NULL;
    uint32_t code;

    fixture_open(&f, NULL, 0);
    memset(name, 'n', sizeof name);
    name[sizeof name - 1] = 0;
    check_eq(tarn_dict_open(&dict, f.store, name, NULL), TARN_E_MISUSE);
    check_eq(tarn_dict_open(&dict, f.store, "", NULL), TARN_E_MISUSE);
    check_eq(tarn_dict_open(&dict, f.store, NULL, NULL), TARN_E_MISUSE);
    check_eq(tarn_dict_open(NULL, f.store, "a", NULL), TARN_E_MISUSE);
    check_eq(tarn_dict_open(&dict, NULL, "a", NULL), TARN_E_MISUSE);
    check(dict == NULL);
    name[sizeof name - 2] = 0;
    check_ok(tarn_dict_open(&dict, f.store, name, NULL));
    check_ok(encode_text(dict, "a", &code));
    fixture_close(&f);
}

static void a_dictionary_opened_again_goes_on(void)
{
    struct fixture f;
    tarn_dict *a, *b, *c;
    tarn_statistics statistics;
    uint32_t code;

    fixture_open(&f, NULL, 0);
    a = open_dict(&f, "words", 0);
    check_ok(encode_text(a, "one", &code));
    check_ok(tarn_dict_close(a));
    a = open_dict(&f, "words", 0);
    b = open_dict(&f, "words", 0);
    c = open_dict(&f, "others", 0);
    check_ok(encode_text(b, "two", &code));
    check_eq(code, 1);
    check_ok(encode_text(c, "two", &code));
    check_eq(code, 0);
    check_ok(tarn_dict_find(a, "two", 3, &code));
    check_eq(code, 1);
    check_ok(tarn_stat(f.store, &statistics));
    check_eq(statistics.table_count, 1 + 2 + 2);
    check_ok(tarn_dict_close(b)); /* in the middle of the list */
    check_ok(tarn_dict_close(NULL));
    check_eq(tarn_dict_count(a), 2);
    fixture_close(&f); /* with two handles open */
}

static void a_cleared_dictionary_begins_at_0_again(void)
{
    struct fixture f;
    tarn_dict *dict;
    uint32_t code;

    fixture_open(&f, NULL, 0);
    dict = open_dict(&f, "words", 0);
    check_ok(encode_text(dict, "one", &code));
    check_ok(encode_text(dict, "two", &code));
    check_ok(tarn_dict_clear(dict));
    check_eq(tarn_dict_count(dict), 0);
    check_eq(tarn_dict_find(dict, "one", 3, &code), TARN_ABSENT);
    check_ok(encode_text(dict, "two", &code));
    check_eq(code, 0);
    dict_check(dict);
    fixture_close(&f);
}

static void handles_of_a_dropped_dictionary_answer_misuse_until_closed(void)
{
    struct fixture f;
    tarn_dict *dict, *other;
    tarn_bytes key;
    uint32_t code = 77;

    fixture_open(&f, NULL, 0);
    dict = open_dict(&f, "words", 0);
    other = open_dict(&f, "words", 0);
    check_ok(encode_text(dict, "one", &code));
    check_ok(tarn_dict_drop(dict));
    check_eq(encode_text(other, "one", &code), TARN_E_MISUSE);
    check_eq(tarn_dict_find(other, "one", 3, &code), TARN_E_MISUSE);
    check_eq(tarn_dict_decode(other, 0, &key), TARN_E_MISUSE);
    check_eq(tarn_dict_encode_many(other, many_keys, 1, many_codes), TARN_E_MISUSE);
    check_eq(tarn_dict_clear(other), TARN_E_MISUSE);
    check_eq(tarn_dict_drop(other), TARN_E_MISUSE);
    check_eq(tarn_dict_count(other), 0);
    check(strstr(tarn_error_text(f.store), "dropped") != NULL);
    check_ok(tarn_dict_close(other));
    other = open_dict(&f, "words", 0); /* a new one */
    check_eq(tarn_dict_count(other), 0);
    check_ok(encode_text(other, "two", &code));
    check_eq(code, 0);
    check_eq(tarn_dict_count(dict), 0);
    fixture_close(&f);
}

static void misuse_is_answered(void)
{
    struct fixture f;
    tarn_dict *dict;
    uint32_t code = 77;

    fixture_open(&f, NULL, 0);
    dict = open_dict(&f, "words", 0);
    check_eq(tarn_dict_encode(NULL, "a", 1, &code), TARN_E_MISUSE);
    check_eq(tarn_dict_encode(dict, NULL, 1, &code), TARN_E_MISUSE);
    check_eq(tarn_dict_encode(dict, "a", 1, NULL), TARN_E_MISUSE);
    check_eq(tarn_dict_find(NULL, "a", 1, &code), TARN_E_MISUSE);
    check_eq(tarn_dict_find(dict, NULL, 1, &code), TARN_E_MISUSE);
    check_eq(tarn_dict_find(dict, "a", 1, NULL), TARN_E_MISUSE);
    check_eq(tarn_dict_decode(NULL, 0, &(tarn_bytes){ 0 }), TARN_E_MISUSE);
    check_eq(tarn_dict_decode(dict, 0, NULL), TARN_E_MISUSE);
    check_eq(tarn_dict_clear(NULL), TARN_E_MISUSE);
    check_eq(tarn_dict_drop(NULL), TARN_E_MISUSE);
    check_eq(tarn_dict_count(NULL), 0);
    check_eq(tarn_dict_count(dict), 0);
    check_eq(code, 77);
    fixture_close(&f);
}

static void looking_up_is_no_change_for_a_commit(void)
{
    struct fixture f;
    tarn_dict *dict;
    tarn_bytes key;
    uint64_t before, after;
    uint32_t code;

    fixture_open(&f, NULL, 0);
    dict = open_dict(&f, "words", 1);
    check_ok(encode_text(dict, "one", &code));
    check_ok(tarn_commit(f.store, NULL, 0, 0));
    check_ok(tarn_last_commit(f.store, &before, NULL));
    check_ok(encode_text(dict, "one", &code));
    check_eq(encode_text(dict, "two", &code), TARN_E_FULL);
    check_ok(tarn_dict_decode(dict, 0, &key));
    check_ok(tarn_commit(f.store, NULL, 0, 0));
    check_ok(tarn_last_commit(f.store, &after, NULL));
    check_eq(after, before);
    check_bytes(key.data, key.bytes, "one", 3);
    fixture_close(&f);
}

/* ---- no memory ------------------------------------------------------------------------------- */

static tarn_dict *refused_dict;
static uint64_t commit_before;

static void prepare_dict(struct fixture *f)
{
    uint32_t code;

    refused_dict = open_dict(f, "words", 0);
    check_ok(encode_text(refused_dict, "one", &code));
    check_ok(tarn_commit(f->store, NULL, 0, 0));
    check_ok(tarn_last_commit(f->store, &commit_before, NULL));
}

static void prepare_commit(struct fixture *f)
{
    check_ok(tarn_commit(f->store, NULL, 0, 0));
    check_ok(tarn_last_commit(f->store, &commit_before, NULL));
}

static void check_unchanged(struct fixture *f)
{
    uint64_t commit;

    check_ok(tarn_commit(f->store, NULL, 0, 0));
    check_ok(tarn_last_commit(f->store, &commit, NULL));
    check_eq(commit, commit_before);
}

static void one_word_still(struct fixture *f)
{
    uint32_t code = TARN_DICT_NONE;

    check_eq(tarn_dict_count(refused_dict), 1);
    check_ok(tarn_dict_find(refused_dict, "one", 3, &code));
    check_eq(code, 0);
    dict_check(refused_dict);
    check_unchanged(f);
}

static void no_dict_still(struct fixture *f)
{
    check_eq(f->store->table_count, 1);
    check(refused_dict == NULL && f->store->dicts == NULL);
    check_unchanged(f);
}

static int call_open(struct fixture *f)
{
    return tarn_dict_open(&refused_dict, f->store, "words", NULL);
}

static int call_encode(struct fixture *f)
{
    static char key[9000]; /* large, so that both tables need a new chunk */
    uint32_t code = TARN_DICT_NONE;
    int result = tarn_dict_encode(refused_dict, key, sizeof key, &code);

    (void)f;
    check_eq(code, result == TARN_OK ? 1 : TARN_DICT_NONE);
    return result;
}

static int call_clear(struct fixture *f)
{
    (void)f;
    return tarn_dict_clear(refused_dict);
}

static void a_refused_allocation_changes_nothing(void)
{
    check(refusals(NULL, prepare_commit, call_open, no_dict_still) > 5);
    check(refusals(NULL, prepare_dict, call_encode, one_word_still) > 2);
    check(refusals(NULL, prepare_dict, call_clear, one_word_still) > 3);
}

static int call_encode_many(struct fixture *f)
{
    size_t i;
    int result;

    (void)f;
    many_fill();
    result = tarn_dict_encode_many(refused_dict, many_keys, MANY / 10, many_codes);
    for (i = 0; i < MANY / 10; i++) {
        uint32_t code;
        int found = tarn_dict_find(refused_dict, many_keys[i].data, many_keys[i].bytes, &code);

        check_eq(found == TARN_OK, many_codes[i] != TARN_DICT_NONE);
        if (found == TARN_OK)
            check_eq(code, many_codes[i]);
        check(result < 0 || found == TARN_OK);
    }
    return result;
}

static void whole_still(struct fixture *f)
{
    (void)f;
    dict_check(refused_dict);
}

static void encode_many_without_memory_keeps_what_it_has_and_marks_the_rest(void)
{
    check(refusals(NULL, prepare_dict, call_encode_many, whole_still) > 3);
}

/* ---- keys made of codes ---------------------------------------------------------------------- */

static void coded_and_raw_keys_cannot_collide_and_are_read_back(void)
{
    static const uint32_t codes[] = { 0, 1, 255, 256, 0x01020304, 0x7FFFFFFF, TARN_DICT_NONE - 1 };
    static uint8_t raw[TARN_KEY_BYTES_MAX], out[TARN_KEY_BYTES_MAX], before[8];
    tarn_bytes read = { NULL, 77 };
    uint32_t code = 77;
    size_t i, length;

    for (i = 0; i < TN_ARRAY_COUNT(codes); i++) {
        check_eq(tarn_dict_coded_key(codes[i], out), TARN_DICT_CODED_BYTES);
        check(i == 0 || memcmp(before, out, TARN_DICT_CODED_BYTES) < 0); /* in order */
        memcpy(before, out, TARN_DICT_CODED_BYTES);
        check_eq(tarn_dict_read_key(out, TARN_DICT_CODED_BYTES, &code, &read), TARN_OK);
        check_eq(code, codes[i]);
        check(read.data == NULL);
        /* The raw key of the same bytes is another key, behind all coded ones. */
        length = tarn_dict_raw_key(before, TARN_DICT_CODED_BYTES, out);
        check_eq(length, TARN_DICT_CODED_BYTES + 1);
        check(out[0] > before[0]);
    }
    code = 77;
    for (length = 0; length < 10; length++) {
        memset(raw, 1, length);
        check_eq(tarn_dict_raw_key(raw, length, out), length + 1);
        check_eq(tarn_dict_read_key(out, length + 1, &code, &read), TARN_ABSENT);
        check(read.data == out + 1);
        check_bytes(read.data, read.bytes, raw, length);
    }
    check_eq(tarn_dict_raw_key(raw, TARN_KEY_BYTES_MAX - 1, out), TARN_KEY_BYTES_MAX);
    out[0] = 77;
    check_eq(tarn_dict_raw_key(raw, TARN_KEY_BYTES_MAX, out), 0);
    check_eq(out[0], 77);
    check_eq(code, 77);
}

static void bytes_that_are_neither_are_a_type_error(void)
{
    static const uint8_t bytes[7] = { 1, 2, 3, 4, 5, 6, 7 }, zeros[5] = { 0 }, threes[5] = { 3 };
    tarn_bytes read = { NULL, 77 };
    uint32_t code = 77;
    size_t length;

    for (length = 0; length < sizeof bytes; length++)
        check_eq(tarn_dict_read_key(bytes, length, &code, &read),
                 length == 5 ? TARN_OK : TARN_E_TYPE);
    check_eq(tarn_dict_read_key(zeros, 5, &code, &read), TARN_E_TYPE);
    check_eq(tarn_dict_read_key(threes, 5, &code, &read), TARN_E_TYPE);
    check_eq(tarn_dict_read_key(NULL, 0, &code, &read), TARN_E_TYPE);
    check_eq(code, 0x02030405);
    check(read.data == NULL && read.bytes == 77);
}

static void tables_are_listed_by_name_and_a_dictionary_once(void)
{
    static const struct {
        const char *name;
        int kind, is_dictionary;
        uint64_t entry_count, entry_bytes;
    } all[] = {
        { "a", TARN_UNORDERED, 0, 0, 0 },
        { "b words", TARN_UNORDERED, 1, 2, 10 }, /* codes of 4 bytes */
        { "table", TARN_ORDERED, 0, 1, 4 },
    };
    const tarn_table_options unordered = { .kind = TARN_UNORDERED };
    tarn_table_info info = { .entry_count = 77 };
    tarn_table *table;
    struct fixture f;
    tarn_dict *dict;
    uint32_t code;
    size_t i;

    fixture_open(&f, NULL, 0);
    check_ok(put_text(f.table, "key", "v"));
    check_ok(tarn_table_open(&table, f.store, "a", &unordered));
    dict = open_dict(&f, "b words", 0);
    check_ok(encode_text(dict, "", &code));
    check_ok(encode_text(dict, "ab", &code));
    for (i = 0; i < TN_ARRAY_COUNT(all); i++) {
        check_ok(tarn_table_at(f.store, i, &info));
        check_bytes(info.name.data, info.name.bytes, all[i].name, strlen(all[i].name));
        check_eq(info.options.kind, all[i].kind);
        check_eq(info.is_dictionary, all[i].is_dictionary);
        check_eq(info.entry_count, all[i].entry_count);
        check_eq(info.entry_bytes, all[i].entry_bytes);
    }
    info.entry_count = 77;
    check_eq(tarn_table_at(f.store, i, &info), TARN_END);
    check_eq(tarn_table_at(f.store, UINT64_MAX, &info), TARN_END);
    check_eq(info.entry_count, 77);
    check_eq(tarn_table_at(f.store, 0, NULL), TARN_E_MISUSE);
    fixture_close(&f);
}

static const struct test tests[] = {
    T(tables_are_listed_by_name_and_a_dictionary_once),
    T(codes_are_0_1_2_in_the_order_of_coming),
    T(keys_of_every_length_come_back),
    T(a_full_dictionary_says_so_and_still_knows_its_keys),
    T(no_key_gets_the_code_that_means_none),
    T(encode_many_gives_the_codes_that_encode_gives),
    T(encode_many_in_a_full_dictionary_marks_what_has_no_code),
    T(encode_many_names_a_key_that_is_none_and_changes_nothing),
    T(a_dictionary_is_not_a_table_and_a_table_not_a_dictionary),
    T(a_name_has_1_to_254_bytes),
    T(a_dictionary_opened_again_goes_on),
    T(a_cleared_dictionary_begins_at_0_again),
    T(handles_of_a_dropped_dictionary_answer_misuse_until_closed),
    T(misuse_is_answered),
    T(looking_up_is_no_change_for_a_commit),
    T(a_refused_allocation_changes_nothing),
    T(encode_many_without_memory_keeps_what_it_has_and_marks_the_rest),
    T(coded_and_raw_keys_cannot_collide_and_are_read_back),
    T(bytes_that_are_neither_are_a_type_error),
};

TEST_MAIN(tests)
