/*
 * test_bytes.c - byte order, and the one order of keys, against naive versions of both
 */
#include "base/bytes.h"
#include "test.h"

static int sign(int value)
{
    return (value > 0) - (value < 0);
}

static int naive_compare(const uint8_t *a, size_t a_bytes, const uint8_t *b, size_t b_bytes)
{
    size_t i;

    for (i = 0; i < a_bytes && i < b_bytes; i++)
        if (a[i] != b[i])
            return a[i] < b[i] ? -1 : 1;
    return a_bytes == b_bytes ? 0 : a_bytes < b_bytes ? -1 : 1;
}

static uint64_t naive_head(const uint8_t *key, size_t bytes)
{
    uint64_t head = 0;
    size_t i;

    for (i = 0; i < 8; i++)
        head = head << 8 | (i < bytes ? key[i] : 0);
    return head;
}

struct key {
    uint8_t *data; /* of exactly `bytes` bytes, so that a sanitizer sees a read beyond */
    size_t bytes;
};

enum { KEY_COUNT = 300 };

/* Short keys over few byte values: prefixes, ties and the bytes 0, 127, 128, 255 are common. */
static void keys_make(struct key *keys, uint64_t *state)
{
    static const uint8_t alphabet[] = { 0, 1, 127, 128, 255 };
    size_t i, j;

    for (i = 0; i < KEY_COUNT; i++) {
        keys[i].bytes = i == 0 ? 0 : test_random(state) % 12;
        keys[i].data = malloc(keys[i].bytes != 0 ? keys[i].bytes : 1);
        for (j = 0; j < keys[i].bytes; j++)
            keys[i].data[j] = alphabet[test_random(state) % (j < 6 ? 2 : 5)];
    }
}

static void keys_free(struct key *keys)
{
    size_t i;

    for (i = 0; i < KEY_COUNT; i++)
        free(keys[i].data);
}

static int compare(const struct key *a, const struct key *b)
{
    return sign(tn_key_compare(a->data, a->bytes, b->data, b->bytes));
}

static void loads_and_stores_have_fixed_order_at_any_alignment(void)
{
    static const uint8_t bytes[8] = { 0x01, 0x23, 0x45, 0x67, 0x89, 0xAB, 0xCD, 0xEF };
    uint8_t buffer[24];
    size_t at;

    for (at = 0; at < 9; at++) {
        memset(buffer, 0xEE, sizeof buffer);
        memcpy(buffer + at, bytes, 8);
        check(tn_load_le64(buffer + at) == UINT64_C(0xEFCDAB8967452301));
        check(tn_load_be64(buffer + at) == UINT64_C(0x0123456789ABCDEF));
        check(tn_load_le32(buffer + at) == UINT32_C(0x67452301));
        memset(buffer, 0xEE, sizeof buffer);
        tn_store_le64(buffer + at, UINT64_C(0xEFCDAB8967452301));
        check_bytes(buffer + at, 8, bytes, 8);
        check_eq(buffer[at + 8], 0xEE);
        tn_store_be64(buffer + at, UINT64_C(0xEFCDAB8967452301));
        check(tn_load_le64(buffer + at) == UINT64_C(0x0123456789ABCDEF));
        tn_store_le32(buffer + at, UINT32_C(0xFFFFFFFF));
        check(tn_load_le64(buffer + at) == UINT64_C(0x01234567FFFFFFFF));
        check(at == 0 || buffer[at - 1] == 0xEE);
    }
}

static void stores_and_loads_are_inverse(void)
{
    uint64_t state = test_seed(), value;
    uint8_t buffer[8];
    int i;

    for (i = 0; i < 1000; i++) {
        value = test_random(&state);
        tn_store_le64(buffer, value);
        check(tn_load_le64(buffer) == value);
        check(tn_load_be64(buffer) == __builtin_bswap64(value));
        tn_store_be64(buffer, value);
        check(tn_load_be64(buffer) == value);
        tn_store_le32(buffer, (uint32_t)value);
        check(tn_load_le32(buffer) == (uint32_t)value);
    }
}

static void keys_compare_as_the_naive_way_says(void)
{
    struct key keys[KEY_COUNT];
    uint64_t state = test_seed();
    size_t i, j;

    keys_make(keys, &state);
    for (i = 0; i < KEY_COUNT; i++)
        for (j = 0; j < KEY_COUNT; j++)
            check_eq(compare(&keys[i], &keys[j]),
                     naive_compare(keys[i].data, keys[i].bytes, keys[j].data, keys[j].bytes));
    keys_free(keys);
}

static void the_order_of_keys_is_total(void)
{
    struct key keys[KEY_COUNT];
    uint64_t state = test_seed() + 1;
    size_t i, a, b, c;

    keys_make(keys, &state);
    for (i = 0; i < 20000; i++) {
        a = test_random(&state) % KEY_COUNT;
        b = test_random(&state) % KEY_COUNT;
        c = test_random(&state) % KEY_COUNT;
        check_eq(compare(&keys[a], &keys[a]), 0);
        check_eq(compare(&keys[a], &keys[b]), -compare(&keys[b], &keys[a]));
        if (compare(&keys[a], &keys[b]) <= 0 && compare(&keys[b], &keys[c]) <= 0)
            check(compare(&keys[a], &keys[c]) <= 0);
        if (compare(&keys[a], &keys[b]) == 0)
            check(keys[a].bytes == keys[b].bytes &&
                  memcmp(keys[a].data, keys[b].data, keys[a].bytes) == 0);
    }
    keys_free(keys);
}

static void a_prefix_sorts_before_what_it_starts(void)
{
    static const uint8_t zeros[20] = { 0 };
    size_t a, b;

    for (a = 0; a <= 20; a++)
        for (b = 0; b <= 20; b++)
            check_eq(sign(tn_key_compare(zeros, a, zeros, b)), a < b ? -1 : a > b);
    check(tn_key_compare("", 0, "\0", 1) < 0);
    check(tn_key_compare("a", 1, "ab", 2) < 0);
    check(tn_key_compare("ab", 2, "b", 1) < 0);
    check(tn_key_compare("\x7F", 1, "\x80", 1) < 0); /* unsigned */
    check(tn_key_compare("\xFF", 1, "\xFF\x00", 2) < 0);
    check(tn_key_compare(NULL, 0, NULL, 0) == 0);
    check(tn_key_compare(NULL, 0, "a", 1) < 0);
}

static void long_keys_differ_in_their_last_byte(void)
{
    uint8_t *a = malloc(65535), *b = malloc(65535);

    memset(a, 0xAA, 65535);
    memset(b, 0xAA, 65535);
    check_eq(tn_key_compare(a, 65535, b, 65535), 0);
    check(tn_key_compare(a, 65534, b, 65535) < 0);
    b[65534] = 0xAB;
    check(tn_key_compare(a, 65535, b, 65535) < 0);
    check(tn_key_compare(b, 65535, a, 65535) > 0);
    free(a);
    free(b);
}

static void a_head_is_the_first_eight_bytes(void)
{
    struct key keys[KEY_COUNT];
    uint64_t state = test_seed() + 2;
    size_t i;

    check(tn_key_head("", 0) == 0);
    check(tn_key_head("a", 1) == UINT64_C(0x6100000000000000));
    check(tn_key_head("\xFF\x80", 2) == UINT64_C(0xFF80000000000000));
    check(tn_key_head("abcdefgh", 8) == UINT64_C(0x6162636465666768));
    check(tn_key_head("abcdefghi", 9) == UINT64_C(0x6162636465666768));
    keys_make(keys, &state);
    for (i = 0; i < KEY_COUNT; i++)
        check(tn_key_head(keys[i].data, keys[i].bytes) == naive_head(keys[i].data, keys[i].bytes));
    keys_free(keys);
}

/* What the ordered index relies on: different heads decide, equal heads leave it open. */
static void heads_sort_as_keys_do(void)
{
    struct key keys[KEY_COUNT];
    uint64_t state = test_seed() + 3, a, b;
    size_t i, j, ties = 0;

    keys_make(keys, &state);
    for (i = 0; i < KEY_COUNT; i++)
        for (j = 0; j < KEY_COUNT; j++) {
            a = tn_key_head(keys[i].data, keys[i].bytes);
            b = tn_key_head(keys[j].data, keys[j].bytes);
            if (a != b)
                check_eq(compare(&keys[i], &keys[j]), a < b ? -1 : 1);
            if (compare(&keys[i], &keys[j]) < 0)
                check(a <= b);
            ties += a == b && compare(&keys[i], &keys[j]) != 0;
        }
    check(ties > 0); /* zero-padding: 'a' and 'a\0' share a head */
    keys_free(keys);
}

static const struct test tests[] = {
    T(loads_and_stores_have_fixed_order_at_any_alignment),
    T(stores_and_loads_are_inverse),
    T(keys_compare_as_the_naive_way_says),
    T(the_order_of_keys_is_total),
    T(a_prefix_sorts_before_what_it_starts),
    T(long_keys_differ_in_their_last_byte),
    T(a_head_is_the_first_eight_bytes),
    T(heads_sort_as_keys_do),
};

TEST_MAIN(tests)
