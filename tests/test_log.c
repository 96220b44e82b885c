/*
 * test_log.c - commits come back, files roll and go, and what crashes leave is told apart
 */
#include "log_fixture.h"

static void a_new_store_is_empty_and_makes_no_file_before_the_first_commit(void)
{
    struct rig r;

    rig_init(&r, NULL);
    check_ok(rig_open(&r));
    check_eq(tn_log_last(r.log)->number, 0);
    check(tn_log_cursor_holds(r.log));
    check(rig_file(&r, 1) < 0);
    check_ok(rig_close(&r, true));
    check(rig_file(&r, 1) < 0);
    rig_end(&r);
}

static void what_was_committed_comes_back_with_note_numbers_and_cursor(void)
{
    struct tn_log_commit last;
    struct rig_state state;
    struct rig r;
    unsigned i;

    rig_init(&r, NULL);
    check_ok(rig_open(&r));
    for (i = 0; i < 100; i++)
        check_ok(rig_step(&r, i % RIG_KEYS, i % 7 == 6 ? 0 : 1000 + i, i % 3 == 0));
    state = r.state;
    last = *tn_log_last(r.log);
    check_eq(last.number, 100);
    check_ok(rig_close(&r, true));
    check_ok(rig_open(&r));
    check(rig_note_is(&r, 100));
    check_eq(tn_log_last(r.log)->tick, last.tick);
    check_eq(tn_log_last(r.log)->next_table_id, last.next_table_id);
    check_eq(tn_log_last(r.log)->cursor.revolution, last.cursor.revolution);
    check_eq(tn_log_last(r.log)->cursor.position, last.cursor.position);
    check_bytes(&r.state, sizeof state, &state, sizeof state);
    check_eq(r.report.dropped_bytes, 0);
    rig_end(&r);
}

static void files_roll_and_are_trimmed_and_the_state_stays(void)
{
    struct tn_log_statistics statistics;
    struct rig_state state;
    struct rig r;
    unsigned i;

    rig_init(&r, NULL);
    r.options.file_bytes_min = 16384;
    check_ok(rig_open(&r));
    for (i = 0; i < 1000; i++) {
        check_ok(rig_step(&r, i * 7 % RIG_KEYS, 1 + i, i % 10 == 0));
        check_ok(tn_log_trim(r.log));
        tn_log_stat(r.log, &statistics);
        check(statistics.file_count < 12);
    }
    check(rig_file(&r, 1) < 0);
    check(statistics.first_needed > 950);
    state = r.state;
    rig_kill(&r);
    check_ok(rig_open(&r));
    check(rig_note_is(&r, 1000));
    check_bytes(&r.state, sizeof state, &state, sizeof state);
    rig_end(&r);
}

static void a_torn_tail_is_dropped_and_reported(void)
{
    struct rig_state state;
    struct rig r;

    rig_init(&r, NULL);
    check_ok(rig_open(&r));
    check_ok(rig_step(&r, 1, 1, RIG_SYNC));
    state = r.state;
    check_ok(rig_step(&r, 2, 2, RIG_NO_SYNC));
    rig_kill(&r);
    rig_flip(&r, 1, rig_file_bytes(&r, 1) - 300, 0);
    check_ok(rig_open(&r));
    check(rig_note_is(&r, 1));
    check_bytes(&r.state, sizeof state, &state, sizeof state);
    check(r.report.dropped_bytes > 0);
    check_eq(r.report.dropped_file, 1);
    rig_end(&r);
}

static const struct test tests[] = {
    T(a_new_store_is_empty_and_makes_no_file_before_the_first_commit),
    T(what_was_committed_comes_back_with_note_numbers_and_cursor),
    T(files_roll_and_are_trimmed_and_the_state_stays),
    T(a_torn_tail_is_dropped_and_reported),
};

TEST_MAIN(tests)
