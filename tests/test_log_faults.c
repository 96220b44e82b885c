/*
 * test_log_faults.c - each call that fails, each allocation that is refused
 *
 * One life of a log is lived again and again, and each time another call fails. What holds: a code
 * that says what it is, nothing lost that was synced, and afterwards a log that opens.
 */
#include "log/format.h"
#include "log_fixture.h"

#include <errno.h>

#define COMMITS 14u

struct life {
    struct rig rig;
    struct rig_state states[64];
    uint64_t submitted, synced;
    uint64_t codes_seen; /* bit -code */
    bool stop_at_failure;
};

static bool codes_are(const struct life *life, uint64_t allowed)
{
    return (life->codes_seen & ~allowed) == 0;
}

#define CODE(code) (UINT64_C(1) << -(code))

static int note_code(struct life *life, int result)
{
    if (result < 0)
        life->codes_seen |= CODE(result);
    return result;
}

static void live_commit(struct life *life, unsigned i)
{
    struct rig *r = &life->rig;
    uint64_t before = tn_log_last(r->log)->number;
    int result;

    rig_put(r, i % 9, i + 1, i % 5 == 4 ? 300000 : 60 * (size_t)i);
    life->submitted = before + 1;
    life->states[before + 1] = r->state;
    result = note_code(life, rig_commit(r, i % 3 == 0));
    if (result == TARN_OK && i % 3 == 0)
        life->synced = before + 1;
    check(result == TARN_OK || tn_log_error_text(r->log)[0] != '\0');
    if (note_code(life, tn_log_trim(r->log)) == TARN_OK && i % 4 == 0 &&
        note_code(life, tn_log_sync(r->log)) == TARN_OK)
        life->synced = tn_log_last(r->log)->number;
}

/* Two openings, some files, syncs, trims, a clean close. */
static void live(struct life *life)
{
    struct rig *r = &life->rig;
    unsigned i;

    if (r->log == NULL && note_code(life, rig_open(r)) != TARN_OK)
        return;
    for (i = 0; i < COMMITS; i++) {
        if (i == 8) {
            rig_kill(r);
            if (note_code(life, rig_open(r)) != TARN_OK)
                return;
        }
        live_commit(life, i);
    }
    life->submitted = tn_log_last(r->log)->number;
    if (note_code(life, rig_close(r, true)) == TARN_OK)
        life->synced = life->submitted;
}

static void life_begin(struct life *life)
{
    memset(life, 0, sizeof *life);
    rig_init(&life->rig, NULL);
    life->rig.options.file_bytes_min = 9000;
}

/* The fault is over, the process begins again: what is there must be one of the states, and enough. */
static void life_check(struct life *life)
{
    struct rig *r = &life->rig;
    uint64_t number;

    tn_simulated_fail_none(r->simulated);
    life->rig.allocator.refuse_at = UINT64_MAX;
    rig_kill(r);
    check_ok(rig_open(r));
    if (r->log == NULL) {
        printf("# %s\n", r->report.text);
        return;
    }
    number = tn_log_last(r->log)->number;
    check(number >= life->synced && number <= life->submitted);
    check_bytes(&r->state, sizeof r->state, &life->states[number], sizeof r->state);
    check_ok(rig_step(r, 3, 99, RIG_SYNC));
}

static uint64_t calls_of_a_life(void)
{
    struct life *life = malloc(sizeof *life);
    uint64_t calls;

    life_begin(life);
    live(life);
    check_eq(life->codes_seen, 0);
    calls = tn_simulated_call_count(life->rig.simulated, TN_CALL_ANY);
    rig_end(&life->rig);
    free(life);
    return calls;
}

/* rig_kill sets a crash, during which calls fail too: those are not counted as the fault's. */
static void any_call_may_fail_with(int error, bool for_ever, uint64_t allowed)
{
    uint64_t calls = calls_of_a_life(), at;

    for (at = 1; at <= calls && test_failures == 0; at++) {
        struct life *life = malloc(sizeof *life);

        life_begin(life);
        check(tn_simulated_fail(life->rig.simulated, TN_CALL_ANY, at, error, for_ever));
        live(life);
        check(codes_are(life, allowed));
        life_check(life);
        if (test_failures != 0)
            printf("# call %d, errno %d, codes %" PRIx64 "\n", (int)at, error, life->codes_seen);
        rig_end(&life->rig);
        free(life);
    }
}

static void every_call_may_fail_once_with_a_device_error(void)
{
    any_call_may_fail_with(EIO, false, CODE(TARN_E_IO) | CODE(TARN_E_FAILED) | CODE(TARN_E_MEMORY));
}

static void every_call_may_fail_for_ever_with_a_device_error(void)
{
    any_call_may_fail_with(EIO, true, CODE(TARN_E_IO) | CODE(TARN_E_FAILED) | CODE(TARN_E_MEMORY));
}

static void every_call_may_lack_memory(void)
{
    any_call_may_fail_with(ENOMEM, false,
                           CODE(TARN_E_IO) | CODE(TARN_E_FAILED) | CODE(TARN_E_MEMORY));
}

/* Of all files, as they are on the disk. */
static uint64_t files_bytes(const struct rig *r)
{
    uint64_t bytes = 0;
    unsigned number;

    for (number = 1; number < 64; number++)
        bytes += rig_file_bytes(r, number);
    return bytes;
}

/* A commit; one that is refused leaves nothing behind but, maybe, the header of a file. */
static int commit_or_nothing(struct rig *r, bool sync)
{
    uint64_t before = files_bytes(r);
    int result = rig_commit(r, sync);
    struct tn_log_statistics statistics;

    tn_log_stat(r->log, &statistics);
    check_eq(statistics.file_bytes, files_bytes(r));
    check(result == TARN_OK || files_bytes(r) <= before + TN_LOG_HEADER_BYTES);
    return result;
}

/* Not sticky: the same commit, or the next, goes through once there is room. */
static void a_full_disk_at_any_write_is_told_and_the_next_commit_goes_through(void)
{
    static const int errors[] = { ENOSPC, EDQUOT, EFBIG };
    static const enum tn_simulated_call calls[] = { TN_CALL_FILE_WRITE, TN_CALL_FILE_OPEN };
    unsigned at, i, k, full = 0;

    for (k = 0; k < 2; k++)
        for (at = 1; at < 80 && test_failures == 0; at++) {
            struct rig r;
            struct rig_state state;
            int result;

            rig_init(&r, NULL);
            r.options.file_bytes_min = 9000;
            check_ok(rig_open(&r));
            tn_simulated_fail_partly(r.simulated, at / 2 % 4);
            check(tn_simulated_fail(r.simulated, calls[k], at, errors[at % 3], false));
            for (i = 0; i < 20; i++) {
                rig_put(&r, i, i + 1, i % 5 == 4 ? 600000 : 100);
                result = commit_or_nothing(&r, i % 3 == 0);
                full += result == TARN_E_FULL;
                check(result == TARN_OK || result == TARN_E_FULL);
                if (result == TARN_E_FULL) {
                    check(strstr(tn_log_error_text(r.log), "errno") != NULL);
                    check_ok(commit_or_nothing(&r, i % 3 == 0)); /* all is still to be written */
                }
                check_ok(tn_log_trim(r.log));
            }
            check_eq(tn_log_last(r.log)->number, 20);
            state = r.state;
            tn_simulated_fail_none(r.simulated);
            if (at % 2 == 0)
                check_ok(rig_close(&r, true));
            else
                rig_kill(&r);
            check_ok(rig_open(&r));
            check_eq(r.report.dropped_bytes, 0);
            check(rig_note_is(&r, 20));
            check_bytes(&r.state, sizeof state, &state, sizeof state);
            rig_end(&r);
        }
    check(full > 50);
}

/* As long as all of it and more: the space is free for the commit that comes instead. */
static void what_a_refused_commit_wrote_is_room_for_the_next(void)
{
    const struct tn_simulated_options options = { .disk_bytes_max = 200 * TN_KIB };
    static const size_t sizes[] = { 205000, 240000, 500000 };
    unsigned i;
    struct rig r;

    rig_init(&r, &options);
    r.options.file_bytes_min = 1 << 20;
    r.sweep_count = 0;
    check_ok(rig_open(&r));
    check_ok(rig_step(&r, 1, 1, RIG_NO_SYNC));
    for (i = 0; i < TN_ARRAY_COUNT(sizes); i++) {
        rig_put(&r, 2, i + 1, sizes[i]);
        check_eq(commit_or_nothing(&r, RIG_NO_SYNC), TARN_E_FULL);
        check(files_bytes(&r) <= TN_LOG_HEADER_BYTES + 512 + i * 49152);
        rig_put(&r, 2, i + 1, 45000); /* three of them fit, and a copy of the last */
        check_ok(commit_or_nothing(&r, RIG_SYNC));
    }
    rig_kill(&r);
    check_ok(rig_open(&r));
    check_eq(r.report.dropped_bytes, 0);
    check(rig_note_is(&r, 4));
    rig_end(&r);
}

/* The mark of a clean close is no part of a commit: what came of it is not told of as dropped. */
static void a_close_whose_mark_finds_no_room_leaves_nothing_to_drop(void)
{
    unsigned quarters;

    for (quarters = 0; quarters < 4; quarters++) {
        struct rig r;

        rig_init(&r, NULL);
        check_ok(rig_open(&r));
        check_ok(rig_step(&r, 1, 1, RIG_SYNC));
        tn_simulated_fail_partly(r.simulated, quarters);
        check(tn_simulated_fail(r.simulated, TN_CALL_FILE_WRITE, 1, ENOSPC, false));
        check_eq(rig_close(&r, true), TARN_E_FULL);
        check_ok(rig_open(&r));
        check_eq(r.report.dropped_bytes, 0);
        check(rig_note_is(&r, 1));
        rig_end(&r);
    }
}

/*
 * What a refused commit wrote is taken out of the file again; where that fails, it is in nobody's
 * way.
 */
static void a_file_that_cannot_be_cut_is_in_nobodys_way(void)
{
    static const int errors[] = { EIO, EROFS, EPERM, EFBIG, EINVAL };
    unsigned at, i, cuts = 0;

    for (at = 1; at < 40 && test_failures == 0; at++) {
        struct rig r;
        struct rig_state state;

        rig_init(&r, NULL);
        r.options.file_bytes_min = 9000;
        check_ok(rig_open(&r));
        tn_simulated_fail_partly(r.simulated, at / 2 % 4);
        check(tn_simulated_fail(r.simulated, TN_CALL_FILE_WRITE, at, ENOSPC, false));
        check(tn_simulated_fail(r.simulated, TN_CALL_FILE_TRUNCATE, 1, errors[at % 5], true));
        for (i = 0; i < 20; i++) {
            rig_put(&r, i, i + 1, i % 5 == 4 ? 600000 : 100);
            if (rig_commit(&r, i % 3 == 0) == TARN_E_FULL) {
                rig_put(&r, i, i + 2, 10); /* shorter than what lies there */
                check_ok(rig_commit(&r, i % 3 == 0));
            }
            check_ok(tn_log_trim(r.log));
        }
        check_eq(tn_log_last(r.log)->number, 20);
        state = r.state;
        cuts += (unsigned)tn_simulated_call_count(r.simulated, TN_CALL_FILE_TRUNCATE);
        tn_simulated_fail_none(r.simulated);
        if (at % 2 == 0)
            check_ok(rig_close(&r, true));
        else
            rig_kill(&r);
        check_ok(rig_open(&r));
        check(rig_note_is(&r, 20));
        check_bytes(&r.state, sizeof state, &state, sizeof state);
        rig_end(&r);
    }
    check(cuts > 10);
}

/*
 * Lack of room while the tail is copied: the store does not open, nothing is lost, nothing is left
 * over.
 */
static void a_full_disk_while_recovering_is_told_and_leaves_the_store_as_it_was(void)
{
    unsigned at;
    struct rig r;

    rig_init(&r, NULL);
    check(tn_simulated_fail(r.simulated, TN_CALL_DIRECTORY_OPEN, 1, ENOSPC, false));
    check_eq(rig_open(&r), TARN_E_FULL);
    check(strstr(r.report.text, "the disk is full") != NULL);
    check_ok(rig_open(&r));
    rig_put(&r, 1, 1, 600000);
    check_ok(rig_commit(&r, RIG_NO_SYNC));
    for (at = 1; at < 8; at++) {
        int result;

        rig_kill(&r);
        tn_simulated_fail_partly(r.simulated, at % 4);
        check(tn_simulated_fail(r.simulated, TN_CALL_FILE_WRITE, at, ENOSPC, false));
        result = rig_open(&r);
        tn_simulated_fail_none(r.simulated);
        if (result == TARN_OK)
            break;
        check_eq(result, TARN_E_FULL);
        check(strstr(r.report.text, "the disk is full") != NULL);
        check(rig_file(&r, 1) >= 0);
        check(rig_file(&r, 2) < 0);
    }
    check(at > 4 && at < 8);
    check(rig_note_is(&r, 1));
    rig_end(&r);
}

/* N1: what could neither be made nor unlinked stays, and is not in the way. */
static void a_file_that_could_not_be_made_leaves_its_number_to_nobody(void)
{
    struct rig r;

    rig_init(&r, NULL);
    check_ok(rig_open(&r));
    check(tn_simulated_fail(r.simulated, TN_CALL_FILE_WRITE, 1, ENOSPC, false));
    check(tn_simulated_fail(r.simulated, TN_CALL_DIRECTORY_UNLINK, 1, EIO, false));
    check_eq(rig_step(&r, 1, 1, RIG_SYNC), TARN_E_FULL);
    check(rig_file(&r, 1) >= 0);
    check_ok(rig_commit(&r, RIG_SYNC));
    check(rig_file(&r, 2) >= 0);
    rig_kill(&r);
    check_ok(rig_open(&r));
    check(rig_note_is(&r, 1));
    rig_end(&r);
}

/* L5 */
static void a_write_or_sync_that_fails_otherwise_is_final_until_it_is_opened_again(void)
{
    static const enum tn_simulated_call calls[] = { TN_CALL_FILE_WRITE, TN_CALL_FILE_SYNC,
                                                    TN_CALL_DIRECTORY_SYNC };
    static const int errors[] = { EIO, ENOSPC, ENOSPC }; /* of a sync any errno is final */
    uint64_t writes;
    unsigned k;

    for (k = 0; k < 3; k++) {
        struct rig r;

        rig_init(&r, NULL);
        r.options.file_bytes_min = 5000;
        check_ok(rig_open(&r));
        check_ok(rig_step(&r, 1, 1, RIG_SYNC));
        check(tn_simulated_fail(r.simulated, calls[k], 1, errors[k], false));
        rig_put(&r, 2, 2, 3000); /* in a new file, so that names are synced, too */
        check_eq(rig_commit(&r, RIG_SYNC), TARN_E_FAILED);
        writes = tn_simulated_call_count(r.simulated, TN_CALL_ANY);
        check_eq(rig_step(&r, 3, 3, RIG_SYNC), TARN_E_FAILED);
        check_eq(tn_log_sync(r.log), TARN_E_FAILED);
        check_eq(tn_log_trim(r.log), TARN_E_FAILED);
        check_eq(rig_close(&r, true), TARN_E_FAILED);
        check_eq(tn_simulated_call_count(r.simulated, TN_CALL_ANY), writes);
        check_ok(rig_open(&r));
        check(tn_log_last(r.log)->number >= 1);
        check_ok(rig_step(&r, 2, 2, RIG_SYNC));
        rig_end(&r);
    }
}

static void every_allocation_may_be_refused(void)
{
    uint64_t at, refused = 0;
    bool for_ever;

    for (at = 1; at < 400 && test_failures == 0; at++) {
        struct life *life = malloc(sizeof *life);

        for_ever = at % 2 == 0;
        life_begin(life);
        life->rig.allocator.refuse_at = (at + 1) / 2;
        life->rig.allocator.refuse_all = for_ever;
        live(life);
        check(codes_are(life, CODE(TARN_E_MEMORY)));
        refused += life->codes_seen != 0;
        life->rig.allocator.refuse_all = false;
        life_check(life);
        if (test_failures != 0)
            printf("# allocation %d\n", (int)at);
        rig_end(&life->rig);
        if (life->codes_seen == 0 && for_ever)
            at = 400;
        free(life);
    }
    check(refused > 20);
}

/* A life on a small disk: it is full most of the time, and what was said to be committed is there. */
static void a_small_disk_fills_and_empties_and_nothing_is_lost(void)
{
    const struct tn_simulated_options options = { .disk_bytes_max = 60000 };
    uint64_t random = test_seed(), full = 0, done = 0;
    struct rig_state committed = { 0 };
    unsigned i;
    struct rig r;

    rig_init(&r, &options);
    r.options.file_bytes_min = 6000;
    r.sweep_count = 16;
    check_ok(rig_open(&r));
    for (i = 0; i < 600; i++) {
        int result;

        rig_put(&r, (unsigned)(test_random(&random) % 12), test_random(&random) % 3 ? i + 1 : 0,
                test_random(&random) % 5000);
        result = rig_commit(&r, i % 7 == 0);
        check(result == TARN_OK || result == TARN_E_FULL);
        full += result == TARN_E_FULL;
        done += result == TARN_OK;
        if (result == TARN_OK)
            committed = r.state;
        check_ok(tn_log_trim(r.log));
        if (i % 50 == 49) {
            rig_kill(&r);
            result = rig_open(&r);
            check(result == TARN_OK || result == TARN_E_FULL);
            if (result != TARN_OK)
                break;
            check_bytes(&r.state, sizeof committed, &committed, sizeof committed);
        }
    }
    check(done > 20 && full > 20);
    rig_end(&r);
}

static const struct test tests[] = {
    T(every_call_may_fail_once_with_a_device_error),
    T(every_call_may_fail_for_ever_with_a_device_error),
    T(every_call_may_lack_memory),
    T(a_full_disk_at_any_write_is_told_and_the_next_commit_goes_through),
    T(what_a_refused_commit_wrote_is_room_for_the_next),
    T(a_close_whose_mark_finds_no_room_leaves_nothing_to_drop),
    T(a_file_that_cannot_be_cut_is_in_nobodys_way),
    T(a_full_disk_while_recovering_is_told_and_leaves_the_store_as_it_was),
    T(a_file_that_could_not_be_made_leaves_its_number_to_nobody),
    T(a_write_or_sync_that_fails_otherwise_is_final_until_it_is_opened_again),
    T(every_allocation_may_be_refused),
    T(a_small_disk_fills_and_empties_and_nothing_is_lost),
};

TEST_MAIN(tests)
