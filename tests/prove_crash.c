/*
 * prove_crash.c - crash.h for as many seeds as asked: prove_crash FIRST COUNT [IMAGES_MAX]
 *
 * One line of what was done, as NAME=NUMBER pairs, for scripts/prove to add up. Programs come in
 * four shapes: small with all subsets, long, nested often, gone on with often. The exit status is 1
 * at the first failure.
 */
#include "crash.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static const struct crash_settings shapes[] = {
    { 14, 12, 24, 200, 100 }, /* every subset of 12 writes */
    { 60, 6, 40, 400, 200 },  /* long: sections go, files are unlinked */
    { 12, 5, 16, 8, 200 },    /* crashes while opening */
    { 14, 5, 16, 200, 8 },    /* commits on top of images */
};

int main(int argc, char **argv)
{
    struct crash_totals totals = { 0 };
    uint64_t first, count, images_max, seed;

    if (argc < 3) {
        fprintf(stderr, "usage: prove_crash FIRST COUNT [IMAGES_MAX]\n");
        return 2;
    }
    first = strtoull(argv[1], NULL, 10);
    count = strtoull(argv[2], NULL, 10);
    images_max = argc > 3 ? strtoull(argv[3], NULL, 10) : UINT64_MAX;
    for (seed = first; seed < first + count && totals.images < images_max; seed++) {
        const char *failure =
            crash_run(seed, &shapes[seed % (sizeof shapes / sizeof *shapes)], &totals);

        if (failure != NULL) {
            printf("failure: %s\n", failure);
            return 1;
        }
    }
    printf("first=%" PRIu64 "\tlast=%" PRIu64 "\tprograms=%" PRIu64 "\tcalls=%" PRIu64
           "\timages=%" PRIu64 "\tdistinct=%" PRIu64 "\tnested=%" PRIu64 "\tonward=%" PRIu64
           "\ttorn=%" PRIu64 "\n",
           first, seed - 1, totals.programs, totals.calls, totals.images, totals.distinct,
           totals.nested, totals.onward, totals.torn);
    return 0;
}
