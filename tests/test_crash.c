/*
 * test_crash.c - the quick form of the proof by simulation; tests/prove_crash.c is the long one
 */
#include "crash.h"
#include "test.h"

static struct crash_totals run_programs(uint64_t first, uint64_t count,
                                        const struct crash_settings *settings)
{
    struct crash_totals totals = { 0 };
    uint64_t seed;

    for (seed = first; seed < first + count; seed++) {
        const char *failure = crash_run(seed, settings, &totals);

        if (failure != NULL) {
            test_fail(__FILE__, __LINE__, "%s", failure);
            break;
        }
    }
    check(totals.images > 0 && totals.distinct > 0 && totals.surveyed > 0);
    printf("# %" PRIu64 " programs, %" PRIu64 " calls, %" PRIu64 " images, %" PRIu64
           " distinct, %" PRIu64 " surveyed, %" PRIu64 " nested, %" PRIu64 " gone on with, %" PRIu64
           " torn\n",
           totals.programs, totals.calls, totals.images, totals.distinct, totals.surveyed,
           totals.nested, totals.onward, totals.torn);
    return totals;
}

static void a_power_loss_at_any_call_leaves_exactly_one_commit(void)
{
    const struct crash_settings settings = { 14, 10, 16, 100, 50, 0, 0, CRASH_NARROW };

    (void)run_programs(test_seed() * 1000, 60, &settings);
}

/* A sweep takes commits, and small indexes are built anew meanwhile. */
static void a_power_loss_amid_a_long_sweep_leaves_exactly_one_commit(void)
{
    const struct crash_settings settings = { 70, 2, 2, 200, 200, 3, 0, CRASH_WIDE };
    struct crash_totals totals = run_programs(test_seed() * 1000, 2, &settings);

    check(totals.revolution_commits_max >= 15 && totals.grown >= 10);
}

/* An index of thousands of entries is amid moving them. */
static void a_power_loss_while_an_index_moves_leaves_exactly_one_commit(void)
{
    const struct crash_settings settings = { 60, 1, 1, 200, 200, 2, 0, CRASH_LARGE };
    uint64_t seed, moving = 0;

    /* Not every program comes to where its largest index moves; most do. */
    for (seed = test_seed() * 1000; moving == 0 && seed < test_seed() * 1000 + 8; seed++)
        moving = run_programs(seed, 1, &settings).moving;
    check(moving > 0);
}

static const struct test tests[] = {
    T(a_power_loss_at_any_call_leaves_exactly_one_commit),
    T(a_power_loss_amid_a_long_sweep_leaves_exactly_one_commit),
    T(a_power_loss_while_an_index_moves_leaves_exactly_one_commit),
};

TEST_MAIN(tests)
