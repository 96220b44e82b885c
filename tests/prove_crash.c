/*
 * prove_crash.c - crash.h for as many seeds as asked: prove_crash FIRST COUNT [IMAGES_MAX]
 *
 * One line of what was done, as NAME=NUMBER pairs, for scripts/prove_crash to add up. A seed
 * chooses one of four shapes of programs, each WIDE_ONE_IN-th makes a wide one besides: so seeds
 * from before there were wide ones give the same programs still. The exit status is 1 at the first
 * failure.
 */
#include "crash.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define WIDE_ONE_IN 10u

/* scripts/prove_crash reads this table: a line each, and the comment is what it calls it. */
/* clang-format off */
static const struct crash_settings shapes[] = {
    /* commits, subsets, samples, nested, onward, more subsets, of openings, size */
    { 14, 12, 24, 200, 100, 12, 6, CRASH_NARROW }, /* small */
    { 60, 6, 40, 400, 200, 12, 6, CRASH_NARROW },  /* long: sections go, files are unlinked */
    { 12, 5, 16, 8, 200, 12, 6, CRASH_NARROW },     /* crashes while opening */
    { 14, 5, 16, 200, 8, 12, 6, CRASH_NARROW },    /* commits on top of images */
};
static const struct crash_settings wide_shapes[] = {
    { 80, 4, 8, 200, 200, 6, 3, CRASH_WIDE },       /* wide: 420 keys, a dictionary, long sweeps */
    { 60, 2, 4, 400, 200, 4, 3, CRASH_LARGE },      /* large: 3,060 keys, an index amid moving */
};
/* clang-format on */

int main(int argc, char **argv)
{
    struct crash_totals totals = { 0 };
    uint64_t first, count, images_max, seed, wide_images = 0;

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

        if (failure == NULL && seed % WIDE_ONE_IN == 0) {
            uint64_t before = totals.images;

            failure = crash_run(seed, &wide_shapes[seed / WIDE_ONE_IN % 2], &totals);
            wide_images += totals.images - before;
        }
        if (failure != NULL) {
            printf("failure: %s\n", failure);
            return 1;
        }
    }
    printf("first=%" PRIu64 "\tlast=%" PRIu64 "\tprograms=%" PRIu64 "\tcalls=%" PRIu64
           "\timages=%" PRIu64 "\tdistinct=%" PRIu64 "\tnested=%" PRIu64 "\tonward=%" PRIu64
           "\ttorn=%" PRIu64 "\tenumerated=%" PRIu64 "\tsampled=%" PRIu64
           "\tnested_enumerated=%" PRIu64 "\tnested_sampled=%" PRIu64 "\twide=%" PRIu64
           "\trevolutions=%" PRIu64 "\tgrown=%" PRIu64 "\tmoving=%" PRIu64 "\n",
           first, seed - 1, totals.programs, totals.calls, totals.images, totals.distinct,
           totals.nested, totals.onward, totals.torn, totals.enumerated, totals.sampled,
           totals.nested_enumerated, totals.nested_sampled, wide_images, totals.revolutions,
           totals.grown, totals.moving);
    return 0;
}
