/*
 * test_store_model.c - the store does what a store that is trivially right does
 *
 * Environment: SEED of the first random program; OPS operations in all (10,000,000; a tenth of it
 * in builds that are ten times as slow: with sanitizers, or counting lines); a fifth of them again
 * on disk.
 */
#include "model.h"
#include "test.h"

#include <tarn.h>

#if !defined(__OPTIMIZE__) || defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define OPERATIONS 1000000u
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||                         \
    __has_feature(memory_sanitizer)
#define OPERATIONS 1000000u
#endif
#endif
#ifndef OPERATIONS
#define OPERATIONS 10000000u
#endif

static void every_sequence_of_5_operations_on_3_keys_ordered(void)
{
    check(model_every_sequence(5, TARN_ORDERED));
}

static void every_sequence_of_5_operations_on_3_keys_unordered(void)
{
    check(model_every_sequence(5, TARN_UNORDERED));
}

static uint64_t operations(uint64_t usual)
{
    const char *text = getenv("OPS");

    return text != NULL ? strtoull(text, NULL, 0) : usual;
}

static void random_programs_do_what_the_model_does(void)
{
    uint64_t first = test_seed(), seed = first;

    check(model_random_programs(&seed, operations(OPERATIONS)));
    printf("# %" PRIu64 " operations, seeds %" PRIu64 " to %" PRIu64 "\n", model_operation_count(),
           first, seed - 1);
}

static void programs_on_disk_do_what_the_model_does(void)
{
    uint64_t first = test_seed(), seed = first;

    check(model_disk_programs(&seed, operations(OPERATIONS / 5)));
    printf("# %" PRIu64 " operations, seeds %" PRIu64 " to %" PRIu64 "\n", model_operation_count(),
           first, seed - 1);
}

static const struct test tests[] = {
    T(every_sequence_of_5_operations_on_3_keys_ordered),
    T(every_sequence_of_5_operations_on_3_keys_unordered),
    T(random_programs_do_what_the_model_does),
    T(programs_on_disk_do_what_the_model_does),
};

TEST_MAIN(tests)
