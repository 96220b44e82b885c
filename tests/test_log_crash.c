/*
 * test_log_crash.c - after any crash the log is exactly what some commit made it
 *
 * A program of commits, syncs, trims and reopenings runs until the power fails or the process is
 * killed at some call; then it is opened again, and crashes again while it recovers, and goes on
 * from what it says it is. The oracle knows the state after each commit.
 *
 *     last synced <= n <= last submitted            after a loss of power
 *     last committed <= n <= last submitted         after kill -9
 *     n as first reported                           once an open has reported it
 *
 * Environment: SEED, RUNS.
 */
#include "log_fixture.h"

#define COMMITS_MAX 4000
#define STEPS 60

struct history {
    struct rig_state *states; /* after each commit */
    uint64_t submitted;
    uint64_t committed;
    uint64_t synced;
};

struct counts {
    uint64_t crashes, in_recovery, dropped, full, failed, reopened;
};

struct run {
    struct rig rig;
    struct history history;
    struct counts counts;
    uint64_t random;
    unsigned key_count;
    bool faults; /* of the disk */
};

static uint64_t choose(struct run *run, uint64_t count)
{
    return test_random(&run->random) % count;
}

static void run_init(struct run *run, uint64_t seed)
{
    struct tn_simulated_options options = { .seed = seed };

    run->random = seed;
    run->counts = (struct counts){ .crashes = 0 };
    rig_init(&run->rig, &options);
    run->rig.options.file_bytes_min = 4600 + choose(run, 3) * 6000;
    run->rig.sweep_count = 1 + choose(run, 20);
    run->key_count = (unsigned)(1 + choose(run, RIG_KEYS));
    run->faults = choose(run, 3) == 0;
    run->history = (struct history){ .states = calloc(COMMITS_MAX, sizeof(struct rig_state)) };
}

static void run_end(struct run *run)
{
    rig_end(&run->rig);
    free(run->history.states);
}

/* ---- what is done ---------------------------------------------------------------------------- */

static void commit(struct run *run)
{
    struct history *history = &run->history;
    bool sync = choose(run, 3) == 0;
    unsigned i;
    int result;

    for (i = (unsigned)choose(run, 4); i > 0; i--)
        rig_put(&run->rig, (unsigned)choose(run, run->key_count),
                choose(run, 4) == 0 ? 0 : 1 + test_random(&run->random), choose(run, 400));
    history->submitted = tn_log_last(run->rig.log)->number + 1;
    history->states[history->submitted] = run->rig.state;
    result = rig_commit(&run->rig, sync);
    if (tn_log_last(run->rig.log)->number == history->submitted)
        history->committed = history->submitted;
    if (result == TARN_OK && sync)
        history->synced = history->committed;
    if (result == TARN_E_FULL)
        run->counts.full++;
}

static void reopen(struct run *run)
{
    uint64_t number = tn_log_last(run->rig.log)->number;
    bool mark = choose(run, 3) != 0;

    run->counts.reopened++;
    if (rig_close(&run->rig, mark) == TARN_OK)
        run->history.synced = number;
    (void)rig_open(&run->rig);
}

static void fault(struct run *run)
{
    static const enum tn_simulated_call calls[] = { TN_CALL_FILE_WRITE, TN_CALL_FILE_SYNC,
                                                    TN_CALL_FILE_OPEN, TN_CALL_DIRECTORY_SYNC };
    enum tn_simulated_call call = calls[choose(run, 4)];
    int error = call == TN_CALL_FILE_WRITE && choose(run, 2) ? 28 /* ENOSPC */ : 5 /* EIO */;

    tn_simulated_fail_partly(run->rig.simulated, (unsigned)choose(run, 4));
    (void)tn_simulated_fail(run->rig.simulated, call, 1 + choose(run, 3), error, false);
}

static void step(struct run *run)
{
    uint64_t what = choose(run, 20);

    if (what < 13)
        commit(run);
    else if (what < 16)
        (void)tn_log_trim(run->rig.log);
    else if (what < 18) {
        if (tn_log_sync(run->rig.log) == TARN_OK)
            run->history.synced = run->history.committed;
    } else if (what < 19)
        reopen(run);
    else if (run->faults)
        fault(run);
}

/* ---- crashes and recoveries ------------------------------------------------------------------ */

/* Returns whether the power failed, too. */
static bool crash(struct run *run)
{
    static tn_disk_fate_fn *const fates[] = { tn_disk_fate_random, tn_disk_fate_random,
                                              tn_disk_fate_random, tn_disk_fate_lost,
                                              tn_disk_fate_kept };

    run->counts.crashes++;
    tn_simulated_fail_none(run->rig.simulated);
    if (choose(run, 3) == 0) {
        rig_kill(&run->rig);
        return false;
    }
    rig_lose_power(&run->rig, fates[choose(run, 5)], &run->random);
    return true;
}

static void recovered_check(struct run *run, uint64_t floor)
{
    struct history *history = &run->history;
    uint64_t number = tn_log_last(run->rig.log)->number;

    check(number >= floor && number <= history->submitted);
    check(rig_note_is(&run->rig, number));
    check_bytes(&run->rig.state, sizeof run->rig.state, &history->states[number],
                sizeof run->rig.state);
    run->counts.dropped += run->rig.report.dropped_bytes != 0;
    history->submitted = history->committed = history->synced = number;
}

/* Again and again, until it has recovered. */
static void recover(struct run *run, bool power)
{
    uint64_t floor = power ? run->history.synced : run->history.committed;
    int result;

    for (;;) {
        tn_simulated_crash_at(run->rig.simulated, 1 + choose(run, choose(run, 2) ? 20 : 1000));
        result = rig_open(&run->rig);
        if (!tn_simulated_crashed(run->rig.simulated))
            break;
        run->counts.in_recovery++;
        if (crash(run))
            floor = run->history.synced;
    }
    check_eq(result, TARN_OK);
    if (result == TARN_OK)
        recovered_check(run, floor);
    else
        printf("# %s\n", run->rig.report.text);
}

/* Until the crash, or the end of the steps; a log that failed is killed. */
static void live(struct run *run)
{
    unsigned i;

    for (i = 0; i < STEPS && run->rig.log != NULL; i++) {
        if (tn_simulated_crashed(run->rig.simulated))
            return;
        if (run->history.submitted + 2 >= COMMITS_MAX)
            return;
        step(run);
    }
}

static void one_seed(uint64_t seed, struct counts *sum)
{
    struct run *run = malloc(sizeof *run);
    unsigned life;
    bool power;

    run_init(run, seed);
    recover(run, true);
    for (life = 0; life < 12 && run->rig.log != NULL && test_failures == 0; life++) {
        tn_simulated_crash_at(run->rig.simulated, 1 + choose(run, 200));
        live(run);
        power = crash(run);
        recover(run, power);
    }
    if (test_failures != 0)
        printf("# seed %" PRIu64 ", life %u\n", seed, life);
    sum->crashes += run->counts.crashes;
    sum->in_recovery += run->counts.in_recovery;
    sum->dropped += run->counts.dropped;
    sum->full += run->counts.full;
    sum->reopened += run->counts.reopened;
    run_end(run);
    free(run);
}

static void any_crash_leaves_what_some_commit_made(void)
{
    const char *text = getenv("RUNS");
    uint64_t runs = text != NULL ? strtoull(text, NULL, 0) : 1500, i;
    struct counts sum = { .crashes = 0 };

    for (i = 0; i < runs && test_failures == 0; i++)
        one_seed(test_seed() + i, &sum);
    printf("# %" PRIu64 " runs, %" PRIu64 " crashes, of them %" PRIu64 " in recovery; %" PRIu64
           " recoveries dropped bytes, %" PRIu64 " reopenings, %" PRIu64 " full disks\n",
           i, sum.crashes, sum.in_recovery, sum.dropped, sum.reopened, sum.full);
}

static const struct test tests[] = {
    T(any_crash_leaves_what_some_commit_made),
};

TEST_MAIN(tests)
