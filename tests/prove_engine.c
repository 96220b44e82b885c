/*
 * prove_engine.c - the model for a long time: a chunk of it
 *
 *     prove_engine FIRST_SEED OPERATIONS
 *
 * Prints one line of tab-separated fields, 'name=count', and ends with 0; or what differs, and 1.
 * scripts/prove runs it again and again and adds up.
 */
#include "model.h"
#include "test.h"

#include <time.h>

static double seconds_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
    uint64_t first = argc > 1 ? strtoull(argv[1], NULL, 0) : 1, seed = first;
    uint64_t operations = argc > 2 ? strtoull(argv[2], NULL, 0) : 1000000;
    double began = seconds_now();

    if (!model_random_programs(&seed, operations))
        return 1;
    printf("first=%" PRIu64 "\tlast=%" PRIu64 "\tseconds=%.0f\toperations=%" PRIu64, first,
           seed - 1, seconds_now() - began, model_operation_count());
    model_print_counts(stdout);
    putchar('\n');
    return 0;
}
