/*
 * test_specials.c - all ways to find special bytes find the same ones
 */
#include "io/specials.h"
#include "test.h"

/* The places one by one. */
static size_t find_slowly(const char *text, size_t bytes, const char wanted[3], uint32_t *places)
{
    size_t count = 0, i;

    for (i = 0; i < bytes; i++)
        if (text[i] == wanted[0] || text[i] == wanted[1] || text[i] == wanted[2])
            places[count++] = (uint32_t)i;
    return count;
}

static void check_all_agree(const char *text, size_t bytes, const char wanted[3])
{
    static uint32_t expected[TN_SPECIALS_COUNT_MAX], places[TN_SPECIALS_COUNT_MAX];
    tn_specials_fn *ways[3];
    const char *names[3];
    size_t way_count = tn_specials_all(ways, names), count, found, i;

    count = find_slowly(text, bytes, wanted, expected);
    for (i = 0; i < way_count; i++) {
        memset(places, 0xFF, sizeof places);
        found = ways[i](text, bytes, wanted, places);
        if (found != count || memcmp(places, expected, count * sizeof places[0]) != 0)
            test_fail(__FILE__, __LINE__, "%s finds %zu places in %zu bytes, not %zu, or others",
                      names[i], found, bytes, count);
    }
}

static void all_ways_agree_on_random_text_of_every_length_and_alignment(void)
{
    static const char alphabet[] = ",\"\n\t abc";
    char *text = malloc(1000 + TN_SPECIALS_PADDING_BYTES);
    uint64_t state = test_seed();
    size_t bytes, i, dense;

    for (dense = 1; dense <= 8; dense++)
        for (bytes = 0; bytes < 300; bytes++) {
            size_t from = test_random(&state) % 64;

            for (i = 0; i < bytes + 128; i++)
                text[from + i] = alphabet[test_random(&state) % dense];
            check_all_agree(text + from, bytes, ",\"\n");
            check_all_agree(text + from, bytes, "\t\n\n");
        }
    free(text);
}

static void all_ways_agree_on_every_byte(void)
{
    char text[256 + TN_SPECIALS_PADDING_BYTES] = { 0 };
    char wanted[3];
    size_t i;

    for (i = 0; i < 256; i++)
        text[i] = (char)i;
    for (i = 0; i < 256; i++) {
        wanted[0] = (char)i;
        wanted[1] = (char)(i ^ 0x80);
        wanted[2] = (char)(i ^ 1);
        check_all_agree(text, 256, wanted);
    }
}

static void a_stretch_of_nothing_but_specials_fits(void)
{
    char *text = malloc(TN_STRETCH_BYTES + TN_SPECIALS_PADDING_BYTES);

    memset(text, ',', TN_STRETCH_BYTES + TN_SPECIALS_PADDING_BYTES);
    check_all_agree(text, TN_STRETCH_BYTES, ",\"\n");
    check_all_agree(text, TN_STRETCH_BYTES - 1, ",\"\n");
    memset(text, 'x', TN_STRETCH_BYTES);
    check_all_agree(text, TN_STRETCH_BYTES, ",\"\n");
    free(text);
}

static const struct test tests[] = {
    T(all_ways_agree_on_random_text_of_every_length_and_alignment),
    T(all_ways_agree_on_every_byte),
    T(a_stretch_of_nothing_but_specials_fits),
};

TEST_MAIN(tests)
