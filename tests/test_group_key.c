/*
 * test_group_key.c - joined keys sort as their fields do, and split into them again
 */
#include "stream/group_key.h"

#include "base/bytes.h"

#include "test.h"

#define FIELDS_MAX 4
#define FIELD_BYTES_MAX 6

struct fields {
    size_t count;
    tarn_bytes fields[FIELDS_MAX];
    uint8_t bytes[FIELDS_MAX][FIELD_BYTES_MAX];
};

/* Short fields of few different bytes, so that ties and prefixes are common. */
static void fields_make(struct fields *out, size_t count, uint64_t *random)
{
    static const uint8_t alphabet[] = { 0, 0, 1, 2, 'a', 0xFF };

    out->count = count;
    for (size_t i = 0; i < count; i++) {
        size_t bytes = test_random(random) % (FIELD_BYTES_MAX + 1);

        out->fields[i] = (tarn_bytes){ .data = out->bytes[i], .bytes = bytes };
        for (size_t j = 0; j < bytes; j++)
            out->bytes[i][j] = alphabet[test_random(random) % sizeof alphabet];
    }
}

static int sign(int value)
{
    return (value > 0) - (value < 0);
}

static int fields_compare(const struct fields *a, const struct fields *b)
{
    int order = 0;

    for (size_t i = 0; i < a->count && order == 0; i++)
        order = tn_key_compare(a->fields[i].data, a->fields[i].bytes, b->fields[i].data,
                               b->fields[i].bytes);
    return sign(order);
}

static void keys_sort_as_their_fields_one_by_one(void)
{
    uint64_t random = test_seed();

    for (int round = 0; round < 100000; round++) {
        size_t count = 1 + test_random(&random) % FIELDS_MAX;
        uint8_t a_key[64];
        uint8_t b_key[64];
        struct fields a;
        struct fields b;
        size_t a_bytes;
        size_t b_bytes;

        fields_make(&a, count, &random);
        fields_make(&b, count, &random);
        a_bytes = tn_group_key_join(a_key, sizeof a_key, a.fields, count);
        b_bytes = tn_group_key_join(b_key, sizeof b_key, b.fields, count);
        check_eq(sign(tn_key_compare(a_key, a_bytes, b_key, b_bytes)), fields_compare(&a, &b));
    }
}

static void split_gives_back_what_was_joined(void)
{
    uint64_t random = test_seed();

    for (int round = 0; round < 100000; round++) {
        size_t count = test_random(&random) % (FIELDS_MAX + 1);
        tarn_bytes back[FIELDS_MAX];
        struct fields fields;
        uint8_t key[64];
        size_t bytes;

        fields_make(&fields, count, &random);
        bytes = tn_group_key_join(key, sizeof key, fields.fields, count);
        check(tn_group_key_split(key, bytes, back, count));
        for (size_t i = 0; i < count; i++)
            check_bytes(back[i].data, back[i].bytes, fields.fields[i].data, fields.fields[i].bytes);
    }
}

static void one_field_is_its_own_key(void)
{
    const tarn_bytes field = { .data = "a\0b", .bytes = 3 };
    uint8_t key[3];

    check_eq(tn_group_key_join(key, sizeof key, &field, 1), 3);
    check_bytes(key, 3, "a\0b", 3);
}

static void the_bytes_are_as_documented(void)
{
    const tarn_bytes fields[] = { { .data = "a\0b", .bytes = 3 }, { .data = "c", .bytes = 1 } };
    uint8_t key[16];

    check_eq(tn_group_key_join(key, sizeof key, fields, 2), 7);
    check_bytes(key, 7, "a\0\1b\0\0c", 7);
}

static void no_fields_are_the_empty_key(void)
{
    uint8_t key[1];

    check_eq(tn_group_key_join(key, 0, NULL, 0), 0);
    check(tn_group_key_split(key, 0, NULL, 0));
}

/* A key that needs n bytes fits n and is refused by every smaller capacity. */
static void a_key_without_room_is_refused_at_every_capacity(void)
{
    uint64_t random = test_seed();

    for (int round = 0; round < 2000; round++) {
        size_t count = 1 + test_random(&random) % FIELDS_MAX;
        struct fields fields;
        uint8_t key[64];
        size_t bytes;

        fields_make(&fields, count, &random);
        bytes = tn_group_key_join(key, sizeof key, fields.fields, count);
        check_eq(tn_group_key_join(key, bytes, fields.fields, count), bytes);
        for (size_t capacity = 0; capacity < bytes; capacity++) {
            uint8_t *exact = malloc(capacity + 1);

            exact[capacity] = 0xEE;
            check(tn_group_key_join(exact, capacity, fields.fields, count) == SIZE_MAX);
            check_eq(exact[capacity], 0xEE);
            free(exact);
        }
    }
}

static void bytes_that_are_no_joined_fields_are_refused(void)
{
    tarn_bytes fields[2];
    uint8_t no_end[] = { 'a', 'b' };
    uint8_t half_end[] = { 'a', 0 };
    uint8_t bad_escape[] = { 'a', 0, 2, 0, 0 };
    uint8_t too_many[] = { 'a' };

    check(!tn_group_key_split(no_end, 0, fields, 2));
    check(!tn_group_key_split(no_end, sizeof no_end, fields, 2));
    check(!tn_group_key_split(half_end, sizeof half_end, fields, 2));
    check(!tn_group_key_split(bad_escape, sizeof bad_escape, fields, 2));
    check(!tn_group_key_split(too_many, sizeof too_many, fields, 0));
}

static const struct test tests[] = {
    T(keys_sort_as_their_fields_one_by_one),
    T(split_gives_back_what_was_joined),
    T(one_field_is_its_own_key),
    T(the_bytes_are_as_documented),
    T(no_fields_are_the_empty_key),
    T(a_key_without_room_is_refused_at_every_capacity),
    T(bytes_that_are_no_joined_fields_are_refused),
};
TEST_MAIN(tests)
