/*
 * fuzz_decimal.c - lines as numbers: parsed, formatted, compared, added
 */
#include "fuzz.h"

#include "stream/decimal.h"

#define NUMBERS_MAX 16

static bool is_same(const struct tn_decimal *a, const struct tn_decimal *b)
{
    return tn_decimal_compare(a, b) == 0;
}

/* What is formatted is read as the same number, in the same form (D1). */
static void formatted_is_parsed(const struct tn_decimal *number)
{
    char text[TN_DECIMAL_TEXT_BYTES_MAX], other[TN_DECIMAL_TEXT_BYTES_MAX];
    size_t bytes = tn_decimal_format(text, number);
    struct tn_decimal again;

    fuzz_expect(bytes > 0 && bytes <= sizeof text);
    fuzz_expect(tn_decimal_parse(&again, text, bytes) == TN_DECIMAL_OK);
    fuzz_expect(is_same(&again, number) && again.scale <= number->scale);
    fuzz_expect(tn_decimal_format(other, &again) == bytes && memcmp(text, other, bytes) == 0);
    if (again.scale <= 6) {
        fuzz_expect(tn_decimal_format_average(other, number, 1) == bytes);
        fuzz_expect(memcmp(text, other, bytes) == 0);
    }
}

/* The C library's doubles agree wherever they can tell two numbers apart. */
static void compare_is_plausible(const struct tn_decimal *a, const struct tn_decimal *b)
{
    char text[TN_DECIMAL_TEXT_BYTES_MAX + 1];
    double x, y, near;

    text[tn_decimal_format(text, a)] = '\0';
    x = strtod(text, NULL);
    text[tn_decimal_format(text, b)] = '\0';
    y = strtod(text, NULL);
    near = 1e-14 * ((x < 0 ? -x : x) + (y < 0 ? -y : y));
    if (x < y - near)
        fuzz_expect(tn_decimal_compare(a, b) < 0);
    else if (x > y + near)
        fuzz_expect(tn_decimal_compare(a, b) > 0);
}

static void pair_is_checked(const struct tn_decimal *a, const struct tn_decimal *b)
{
    struct tn_decimal forth = *a, back = *b;
    bool fits = tn_decimal_add(&forth, b);

    fuzz_expect(tn_decimal_add(&back, a) == fits);
    if (fits) {
        fuzz_expect(is_same(&forth, &back));
        formatted_is_parsed(&forth);
        fuzz_expect((tn_decimal_compare(&forth, a) < 0) ==
                    (tn_decimal_compare(b, &(struct tn_decimal){ 0 }) < 0));
    } else {
        fuzz_expect(memcmp(&forth, a, sizeof forth) == 0); /* unchanged */
    }
    fuzz_expect((tn_decimal_compare(a, b) < 0) == (tn_decimal_compare(b, a) > 0));
    compare_is_plausible(a, b);
}

/* A sum does not depend on the order of its terms. */
static void sums_are_checked(const struct tn_decimal *numbers, size_t count)
{
    struct tn_decimal forth = { 0 }, back = { 0 };
    bool forth_fits = true, back_fits = true;
    size_t i;

    for (i = 0; i < count; i++) {
        forth_fits = forth_fits && tn_decimal_add(&forth, &numbers[i]);
        back_fits = back_fits && tn_decimal_add(&back, &numbers[count - 1 - i]);
    }
    if (forth_fits && back_fits)
        fuzz_expect(is_same(&forth, &back));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct tn_decimal numbers[NUMBERS_MAX], untouched = { 7, 7, 7 };
    size_t count = 0, at = 0, i;

    while (at < bytes && count < NUMBERS_MAX) {
        const uint8_t *end = memchr(data + at, '\n', bytes - at);
        size_t line_bytes = end != NULL ? (size_t)(end - data) - at : bytes - at;
        struct tn_decimal number = untouched;
        enum tn_decimal_answer answer = tn_decimal_parse(&number, data + at, line_bytes);

        if (answer == TN_DECIMAL_OK) {
            fuzz_expect(number.scale <= TN_DECIMAL_SCALE_MAX);
            numbers[count++] = number;
        } else {
            fuzz_expect(memcmp(&number, &untouched, sizeof number) == 0);
        }
        at += line_bytes + 1;
    }
    for (i = 0; i < count; i++) {
        formatted_is_parsed(&numbers[i]);
        pair_is_checked(&numbers[i], &numbers[(i + 1) % count]);
    }
    sums_are_checked(numbers, count);
    return 0;
}
