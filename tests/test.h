/*
 * test.h - what a test program needs; output is TAP
 *
 *     static void empty_store_counts_zero(void) { check_eq(count, 0); }
 *     static const struct test tests[] = {T(empty_store_counts_zero)};
 *     TEST_MAIN(tests)
 *
 * A test's name is the sentence that is true when it passes. `./test_x word` runs the tests whose
 * name contains the word. A failed check prints its place and both values, and the test goes on, so
 * that one run tells all; the program's exit status is 1 when any check failed. tests/run adds up
 * the counts of all programs.
 */
#ifndef TEST_H
#define TEST_H

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct test {
    const char *name;
    void (*run)(void);
};

/* clang-format off */
#define T(function) {#function, function}
/* clang-format on */

static int test_failures; /* failed checks of the running test */

__attribute__((format(printf, 3, 4))) static inline void test_fail(const char *file, int line,
                                                                   const char *format, ...)
{
    va_list arguments;

    test_failures++;
    if (test_failures > 20)
        return; /* one broken loop must not bury the rest */
    printf("# %s:%d: ", file, line);
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    putchar('\n');
}

#define check(condition)                                                                           \
    ((condition) ? (void)0 : test_fail(__FILE__, __LINE__, "is false: %s", #condition))

#define check_eq(a, b) test_eq(__FILE__, __LINE__, #a, (int64_t)(a), #b, (int64_t)(b))
#define check_ok(result) test_eq(__FILE__, __LINE__, #result, (int64_t)(result), "0", 0)
#define check_text(a, b) test_text(__FILE__, __LINE__, #a, (a), (b))
#define check_bytes(a, a_bytes, b, b_bytes)                                                        \
    test_bytes(__FILE__, __LINE__, #a, (a), (a_bytes), (b), (b_bytes))

static inline void test_eq(const char *file, int line, const char *a_text, int64_t a,
                           const char *b_text, int64_t b)
{
    if (a != b)
        test_fail(file, line, "%s is %" PRId64 ", but %s is %" PRId64, a_text, a, b_text, b);
}

static inline void test_text(const char *file, int line, const char *a_text, const char *a,
                             const char *b)
{
    if (a == NULL || b == NULL ? a != b : strcmp(a, b) != 0)
        test_fail(file, line, "%s is \"%s\", not \"%s\"", a_text, a ? a : "(null)",
                  b ? b : "(null)");
}

static inline void test_bytes(const char *file, int line, const char *a_text, const void *a,
                              size_t a_bytes, const void *b, size_t b_bytes)
{
    if (a_bytes != b_bytes)
        test_fail(file, line, "%s has %zu bytes, not %zu", a_text, a_bytes, b_bytes);
    else if (a_bytes != 0 && memcmp(a, b, a_bytes) != 0)
        test_fail(file, line, "%s: the %zu bytes differ", a_text, a_bytes);
}

/* splitmix64: a small generator whose whole state is one number, so that a seed repeats a run. */
static inline uint64_t test_random(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9E3779B97F4A7C15);

    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

/* The seed of random tests: SEED from the environment, else 1. */
static inline uint64_t test_seed(void)
{
    const char *text = getenv("SEED");

    return text != NULL ? strtoull(text, NULL, 0) : 1;
}

/*
 * What goes through all places of a file, or all calls, in turn, may leave some out where that would
 * take hours: STRIDE from the environment, set by tests/valgrind; else 1.
 */
static inline uint64_t test_stride(void)
{
    const char *text = getenv("STRIDE");

    return text != NULL && atoi(text) > 0 ? (uint64_t)atoi(text) : 1;
}

static inline int test_main(const struct test *tests, size_t count, int argc, char **argv)
{
    const char *wanted = argc > 1 ? argv[1] : "";
    size_t run = 0, failed = 0, i;

    setvbuf(stdout, NULL, _IOLBF, 0);
    for (i = 0; i < count; i++) {
        if (strstr(tests[i].name, wanted) == NULL)
            continue;
        test_failures = 0;
        tests[i].run();
        run++;
        failed += test_failures != 0;
        printf("%s %zu - %s\n", test_failures ? "not ok" : "ok", run, tests[i].name);
    }
    printf("1..%zu\n", run);
    if (failed != 0)
        printf("# failed: %zu; repeat with SEED=%" PRIu64 "\n", failed, test_seed());
    return failed != 0 || run == 0;
}

#define TEST_MAIN(tests)                                                                           \
    int main(int argc, char **argv)                                                                \
    {                                                                                              \
        return test_main(tests, sizeof(tests) / sizeof((tests)[0]), argc, argv);                   \
    }

#endif
