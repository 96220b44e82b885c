/*
 * test_crash.c - the quick form of the proof by simulation; tests/prove_crash.c is the long one
 */
#include "crash.h"
#include "test.h"

static void run_programs(uint64_t first, uint64_t count, const struct crash_settings *settings)
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
}

static void a_power_loss_at_any_call_leaves_exactly_one_commit(void)
{
    const struct crash_settings settings = { 14, 10, 16, 100, 50 };

    run_programs(test_seed() * 1000, 60, &settings);
}

static const struct test tests[] = {
    T(a_power_loss_at_any_call_leaves_exactly_one_commit),
};

TEST_MAIN(tests)
