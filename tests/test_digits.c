/*
 * test_digits.c - eight digits at a time give what one at a time gives
 */
#include "base/digits.h"
#include "test.h"

/* The number in `count` bytes; -1: one of them is no digit. */
static int64_t naive(const char *at, size_t count)
{
    int64_t number = 0;
    size_t i;

    for (i = 0; i < count; i++) {
        if (at[i] < '0' || at[i] > '9')
            return -1;
        number = number * 10 + (at[i] - '0');
    }
    return number;
}

static void short_numbers_are_loaded_aligned_and_read(void)
{
    uint64_t state = test_seed();
    char text[9];
    size_t count, i;
    int round;

    for (round = 0; round < 200000; round++) {
        uint64_t word;

        count = 1 + test_random(&state) % 8;
        for (i = 0; i < count; i++)
            text[i] = (char)('0' + test_random(&state) % 10);
        if (round % 2 == 1) /* anything at one place */
            text[test_random(&state) % count] = (char)test_random(&state);
        word = tn_digits_align(tn_digits_load(text, count), (unsigned)count);
        check_eq(tn_digits_are(word), naive(text, count) >= 0);
        if (naive(text, count) >= 0)
            check_eq(tn_digits_value(word), naive(text, count));
    }
}

static void every_byte_is_a_digit_or_is_not(void)
{
    unsigned byte, place;

    for (byte = 0; byte < 256; byte++)
        for (place = 0; place < 8; place++) {
            uint64_t word = (TN_DIGITS_ZEROS & ~(UINT64_C(0xFF) << 8 * place)) | (uint64_t)byte
                                                                                     << 8 * place;

            check_eq(tn_digits_are(word), byte >= '0' && byte <= '9');
        }
}

static void the_first_of_a_byte_is_found(void)
{
    uint64_t state = test_seed();
    char text[8];
    int round;

    for (round = 0; round < 100000; round++) {
        size_t i;
        unsigned wanted = 8;

        for (i = 8; i-- > 0;) {
            text[i] = "./-\xAE\x2F"[test_random(&state) % 5];
            if (text[i] == '.')
                wanted = (unsigned)i;
        }
        check_eq(tn_digits_find(tn_digits_load(text, 8), '.'), wanted);
    }
    check_eq(tn_digits_find(tn_digits_load("12", 2), '.'), 8);
}

static const struct test tests[] = {
    T(short_numbers_are_loaded_aligned_and_read),
    T(every_byte_is_a_digit_or_is_not),
    T(the_first_of_a_byte_is_found),
};
TEST_MAIN(tests)
