/*
 * test_log.c - commits come back, files roll and go, and what crashes leave is told apart
 *
 * The rules cited are those of src/log/log.h. Random programs are in test_log_crash.c, damage in
 * test_log_damage.c, failing calls in test_log_faults.c.
 */
#include "base/bytes.h"
#include "base/checksum.h"
#include "log/state.h"
#include "log_fixture.h"
#include "log_forge.h"

#include <errno.h>

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

/*
 * M1 of room.h, P6 of scan.h: small synced commits write into blocks that are there, of which
 * nobody hears.
 */
static void synced_commits_find_room_that_is_no_dropped_tail(void)
{
    uint64_t bytes, grown = 0, before = 0;
    struct rig r;
    unsigned i;

    rig_init(&r, NULL);
    check_ok(rig_open(&r));
    for (i = 1; i <= 100; i++, before = bytes) {
        check_ok(rig_step(&r, i % 8, i, RIG_SYNC));
        bytes = rig_file_bytes(&r, 1);
        grown += bytes != before;
        check(bytes <= TN_LOG_HEADER_BYTES + 2 * i * TN_LOG_SYNC_BYTES + 2 * TN_LOG_SYNC_BYTES);
    }
    check(grown <= 19 && bytes >= (uint64_t)100 * TN_LOG_SYNC_BYTES);
    rig_kill(&r);
    check_ok(rig_open(&r));
    check(rig_note_is(&r, 100));
    check_eq(r.report.dropped_bytes, 0);
    for (i = 101; i <= 140; i++)
        check_ok(rig_step(&r, 1, i, RIG_SYNC));
    check(rig_file_bytes(&r, 2) >= 50 * TN_LOG_SYNC_BYTES);
    check_ok(rig_close(&r, true)); /* which cuts the rest off */
    check(rig_file_bytes(&r, 2) < 50 * TN_LOG_SYNC_BYTES);
    check_ok(rig_open(&r));
    check(rig_note_is(&r, 140));
    rig_end(&r);
}

/* What is synced in large pieces is not written twice. */
static void no_room_is_made_where_it_does_not_pay(void)
{
    struct rig r;
    unsigned i;

    rig_init(&r, NULL);
    r.sweep_count = 0;
    check_ok(rig_open(&r));
    for (i = 1; i <= 5; i++) {
        rig_put(&r, 1, i, 70000);
        check_ok(rig_commit(&r, RIG_SYNC));
        check(rig_file_bytes(&r, 1) < TN_LOG_HEADER_BYTES + (uint64_t)i * 74000);
    }
    rig_end(&r);
}

/* The disk is full when room is to be made: the commit is there all the same, and synced. */
static void a_disk_without_room_refuses_no_commit(void)
{
    const struct tn_simulated_options options = { .disk_bytes_max = 100000 };
    struct rig r;
    unsigned i;

    rig_init(&r, &options);
    check_ok(rig_open(&r));
    for (i = 1; i <= 20; i++)
        check_ok(rig_step(&r, i % 8, i, RIG_SYNC));
    rig_lose_power(&r, tn_disk_fate_lost, NULL);
    check_ok(rig_open(&r));
    check(rig_note_is(&r, 20));
    rig_end(&r);
}

/* M2: nor do zeros keep the last of it, where some of them found space. */
static void zeros_that_find_no_space_leave_what_there_is(void)
{
    const struct tn_simulated_options options = { .disk_bytes_max = 600 * TN_KIB };
    struct rig r;
    unsigned i;

    rig_init(&r, &options);
    r.options.file_bytes_min = 1 << 20;
    check_ok(rig_open(&r));
    for (i = 1; i <= 100; i++)
        check_ok(rig_step(&r, i % 8, i, RIG_SYNC));
    check(rig_file_bytes(&r, 1) <= TN_LOG_HEADER_BYTES + 101 * TN_LOG_SYNC_BYTES);
    rig_end(&r);
}

/* M3: no zeros wait in a file in which nothing is written any more. */
static void the_room_of_a_file_that_is_done_with_is_given_back(void)
{
    struct rig r;
    unsigned i;

    rig_init(&r, NULL);
    r.options.file_bytes_min = 1 << 20;
    check_ok(rig_open(&r));
    for (i = 1; i <= 100; i++)
        check_ok(rig_step(&r, i % 8, i, RIG_SYNC));
    check(rig_file_bytes(&r, 1) > TN_LOG_HEADER_BYTES + 110 * TN_LOG_SYNC_BYTES);
    rig_put(&r, 1, 101, 800000);
    check_ok(rig_commit(&r, RIG_SYNC));
    check(rig_file(&r, 2) >= 0);
    check(rig_file_bytes(&r, 1) <= TN_LOG_HEADER_BYTES + 101 * TN_LOG_SYNC_BYTES);
    rig_end(&r);
}

/* Commit 2 ends after so many of its bytes: a head of an entry, a part of it, all but the last byte. */
static void a_tail_cut_short_is_dropped_from_where_it_begins(void)
{
    const uint64_t begin = TN_LOG_HEADER_BYTES + TN_LOG_SYNC_BYTES; /* W3 */
    uint64_t section_bytes = 1, torn, first_end;
    struct rig r;

    for (torn = 0; torn < section_bytes; torn += torn < 40 ? 1 : 7) {
        struct tn_disk *disk;

        rig_init(&r, NULL);
        check_ok(rig_open(&r));
        check_ok(rig_step(&r, 1, 1, RIG_SYNC));
        first_end = rig_file_bytes(&r, 1);
        check_ok(rig_step(&r, 2, 2, RIG_NO_SYNC));
        section_bytes = rig_file_bytes(&r, 1) - begin;
        rig_kill(&r);
        disk = tn_simulated_disk(r.simulated);
        check_ok(tn_disk_file_truncate(disk, rig_file(&r, 1), begin + torn));
        check_ok(rig_open(&r));
        check(rig_note_is(&r, 1));
        check(r.state.seeds[1] == 1 && r.state.seeds[2] == 0);
        /* Of the zeros between them alone there is nothing to say (P6). */
        check_eq(r.report.dropped_file, torn > 0 ? 1 : 0);
        check_eq(r.report.dropped_offset, torn > 0 ? first_end : 0);
        check_eq(r.report.dropped_bytes, torn > 0 ? begin + torn - first_end : 0);
        rig_end(&r);
    }
    check(section_bytes > TN_LOG_FOOTER_BYTES && torn >= section_bytes);
}

/* ---- what a section may hold ----------------------------------------------------------------- */

struct seen {
    char text[256];
    uint64_t value_bytes;
    uint64_t large_count; /* values that were not handed out, but read */
    bool values_are_right;
};

static uint8_t big_byte(uint64_t i)
{
    return (uint8_t)(i * 7 + (i >> 13));
}

static int seen_one(void *argument, const struct tn_log_entry *entry)
{
    struct seen *seen = argument;
    uint8_t *value = malloc(entry->value_bytes + 1);
    size_t used = strlen(seen->text);
    uint64_t i;

    check_ok(tn_log_entry_value(entry, value));
    for (i = 0; i < entry->value_bytes; i++)
        seen->values_are_right &= value[i] == big_byte(i);
    seen->large_count += entry->value == NULL;
    seen->value_bytes += entry->value_bytes;
    snprintf(seen->text + used, sizeof seen->text - used, "%d%.*s%s ", (int)entry->table_id,
             (int)tn_min(entry->key.bytes, 3), (const char *)entry->key.data,
             entry->kind == TN_LOG_TOMBSTONE ? "-" : "");
    free(value);
    return TARN_OK;
}

static int seen_each(void *argument, const struct tn_log_entry *entries, size_t count)
{
    int result = TARN_OK;
    size_t i;

    for (i = 0; i < count && result == TARN_OK; i++)
        result = seen_one(argument, &entries[i]);
    return result;
}

static struct seen replay_seen(struct rig *r, bool catalog_only)
{
    struct seen seen = { .values_are_right = true };

    check_ok(tn_log_replay(r->log, catalog_only, seen_each, &seen, NULL, NULL, &r->report));
    return seen;
}

static int commit_end(struct rig *r, const char *note, size_t note_bytes)
{
    const struct tn_log_commit *last = tn_log_last(r->log);
    const struct tn_log_commit commit = {
        .number = last->number + 1,
        .cursor = last->cursor,
        .note = { note, note_bytes },
    };

    return tn_log_end(r->log, &commit);
}

static int add(struct rig *r, enum tn_log_part part, uint64_t table, const char *key,
               const uint8_t *value, size_t bytes)
{
    return tn_log_add(r->log, part, table, (tarn_bytes){ key, strlen(key) },
                      (tarn_bytes){ value, bytes });
}

static int log_open(struct rig *r)
{
    return tn_log_open(&r->log, &r->os, &r->memory, r->path, &r->options, r->secret, &r->report);
}

static void replay_goes_sweep_tombstones_delta_with_the_catalog_first_in_each(void)
{
    static const uint8_t value[2] = { 0, 7 };
    struct rig r;

    rig_init(&r, NULL);
    check_ok(rig_open(&r));
    check_ok(tn_log_begin(r.log, 0, 0));
    check_ok(add(&r, TN_LOG_DELTA, 0, "a", value, 2));
    check_ok(add(&r, TN_LOG_DELTA, 5, "b", value, 0));
    check_ok(add(&r, TN_LOG_TOMBSTONES, 0, "c", NULL, 0));
    check_ok(add(&r, TN_LOG_TOMBSTONES, 9, "d", NULL, 0));
    check_ok(add(&r, TN_LOG_SWEEP, 0, "e", value, 1));
    check_ok(add(&r, TN_LOG_SWEEP, 1, "", value, 2));
    check_ok(commit_end(&r, "", 0));
    check_ok(tn_log_begin(r.log, 0, 0));
    check_ok(add(&r, TN_LOG_TOMBSTONES, 7, "z", NULL, 0));
    check_ok(commit_end(&r, "", 0));
    check_ok(rig_close(&r, true));

    check_ok(log_open(&r));
    check_text(replay_seen(&r, false).text, "0e 1 0c- 9d- 0a 5b 7z- ");
    check_text(replay_seen(&r, true).text, "0e 0c- 0a ");
    check_eq(tn_log_last(r.log)->note.bytes, 0);
    rig_end(&r);
}

/* The window is 256 KiB: values below it, at its edge, and far above, with keys of any length. */
static void values_of_any_size_and_keys_of_any_length_come_back(void)
{
    static const size_t sizes[] = { 0,      1,      7,      8,       16383,  16384,
                                    196000, 262143, 262144, 1000000, 262120, 5 };
    uint8_t *value = malloc(1000000);
    char *key = malloc(TARN_KEY_BYTES_MAX + 1);
    uint64_t bytes = 0, i;
    struct seen seen;
    struct rig r;

    for (i = 0; i < 1000000; i++)
        value[i] = big_byte(i);
    memset(key, 'k', TARN_KEY_BYTES_MAX);
    rig_init(&r, NULL);
    check_ok(rig_open(&r));
    check_ok(tn_log_begin(r.log, 0, 0));
    for (i = 0; i < 2 * TN_ARRAY_COUNT(sizes); i++) {
        key[i % 2 != 0 ? TARN_KEY_BYTES_MAX : 3] = '\0';
        check_ok(add(&r, TN_LOG_DELTA, 1, key, value, sizes[i / 2]));
        key[3] = 'k';
        bytes += sizes[i / 2];
    }
    check_ok(commit_end(&r, "", 0));
    check_ok(rig_close(&r, true));
    check_ok(log_open(&r));
    seen = replay_seen(&r, false);
    check(seen.values_are_right);
    check_eq(seen.value_bytes, bytes);
    check(seen.large_count >= 5); /* Y2 */
    free(key);
    free(value);
    rig_end(&r);
}

static void notes_from_none_to_a_mebibyte_come_back_and_the_last_one_may_be_handed_in_again(void)
{
    static const size_t sizes[] = { 0, 1, 7, 8, 9, 16384, TARN_NOTE_BYTES_MAX, 3 };
    char *note = malloc(TARN_NOTE_BYTES_MAX);
    struct rig r;
    size_t i;

    rig_init(&r, NULL);
    memset(note, 'n', TARN_NOTE_BYTES_MAX);
    for (i = 0; i < TN_ARRAY_COUNT(sizes); i++) {
        check_ok(rig_open(&r));
        check_ok(tn_log_begin(r.log, 0, 0));
        check_ok(commit_end(&r, note, sizes[i]));
        check_ok(tn_log_begin(r.log, 0, 0));
        check_ok(commit_end(&r, tn_log_last(r.log)->note.data, sizes[i]));
        check_bytes(tn_log_last(r.log)->note.data, tn_log_last(r.log)->note.bytes, note, sizes[i]);
        check_ok(rig_close(&r, i % 2 == 0));
        check_ok(rig_open(&r));
        check_eq(tn_log_last(r.log)->number, 2 * i + 2);
        check_bytes(tn_log_last(r.log)->note.data, tn_log_last(r.log)->note.bytes, note, sizes[i]);
        check_ok(rig_close(&r, i % 2 == 0));
    }
    free(note);
    rig_end(&r);
}

static void the_bytes_of_a_section_are_known_while_it_is_written(void)
{
    uint64_t before, wanted;
    struct rig r;

    rig_init(&r, NULL);
    check_ok(rig_open(&r));
    check_ok(rig_step(&r, 1, 1, RIG_NO_SYNC));
    before = rig_file_bytes(&r, 1);
    check_ok(tn_log_begin(r.log, 0, 0));
    check_ok(add(&r, TN_LOG_DELTA, 1, "k", (const uint8_t *)"value", 5));
    wanted = tn_log_section_bytes(r.log, 100);
    check_ok(commit_end(&r, (char[100]){ 0 }, 100));
    check_eq(rig_file_bytes(&r, 1) - before, wanted);
    rig_end(&r);
}

/* ---- what is written, and when --------------------------------------------------------------- */

/* Stands between the log and the simulated system. */
static struct watch {
    struct tn_os inside;
    struct tn_os_ops ops;
    uint64_t synced_end[64]; /* by file id: nothing before its next 4 KiB is written again */
    uint64_t written_end[64];
    unsigned made_count, synced_count;
    bool first_is_durable, names_synced;
    bool rewrote, wrote_early, opened_old;
} watch;

static int watch_open(void *context, int directory, const char *name, unsigned flags)
{
    int id = watch.inside.ops->file_open(context, directory, name, flags);

    watch.opened_old |= (flags & TN_OS_WRITE) != 0 && (flags & TN_OS_EXCLUSIVE) == 0;
    if (id >= 0 && (flags & TN_OS_WRITE) != 0) {
        watch.made_count++;
        watch.synced_end[id % 64] = watch.written_end[id % 64] = 0;
    }
    return id;
}

/* Room (M1) is written again, once; it is not what is kept by L3. */
static bool is_room(const uint8_t *from, size_t bytes)
{
    return bytes > 0 && from[0] == 0 && memcmp(from, from + 1, bytes - 1) == 0;
}

static int watch_write(void *context, int file, const void *from, size_t bytes, uint64_t offset)
{
    watch.rewrote |= offset < tn_align_up(watch.synced_end[file % 64], 4096);
    watch.wrote_early |= offset >= TN_LOG_HEADER_BYTES && !watch.first_is_durable;
    if (!is_room(from, bytes))
        watch.written_end[file % 64] = tn_max(watch.written_end[file % 64], offset + bytes);
    return watch.inside.ops->file_write(context, file, from, bytes, offset);
}

static int watch_sync(void *context, int file)
{
    watch.synced_end[file % 64] = watch.written_end[file % 64];
    watch.synced_count++;
    return watch.inside.ops->file_sync(context, file);
}

static int watch_directory_sync(void *context, int directory)
{
    watch.first_is_durable |= watch.synced_count > 0;
    return watch.inside.ops->directory_sync(context, directory);
}

static void watch_begin(struct rig *r)
{
    watch = (struct watch){ .inside = r->os, .ops = *r->os.ops };
    watch.ops.file_open = watch_open;
    watch.ops.file_write = watch_write;
    watch.ops.file_sync = watch_sync;
    watch.ops.directory_sync = watch_directory_sync;
    r->os.ops = &watch.ops;
}

static void no_block_with_synced_bytes_and_no_old_file_is_ever_written_again(void)
{
    uint64_t random = test_seed();
    unsigned life, i;
    struct rig r;

    rig_init(&r, NULL);
    r.options.file_bytes_min = 20000;
    watch_begin(&r);
    for (life = 0; life < 20; life++) {
        watch.first_is_durable = false; /* each opening makes its own first file */
        watch.synced_count = 0;
        check_ok(rig_open(&r));
        for (i = 0; i < 40; i++) {
            check_ok(rig_step(&r, (unsigned)(test_random(&random) % RIG_KEYS), i + 1,
                              test_random(&random) % 3 == 0));
            if (test_random(&random) % 3 == 0)
                check_ok(tn_log_trim(r.log));
        }
        if (life % 3 == 0)
            rig_kill(&r);
        else
            check_ok(rig_close(&r, life % 3 == 1));
    }
    check(!watch.rewrote);     /* L3 */
    check(!watch.opened_old);  /* L3 */
    check(!watch.wrote_early); /* W4 */
    check(watch.made_count > 40);
    rig_end(&r);
}

static void a_sync_with_nothing_new_asks_the_system_for_nothing(void)
{
    uint64_t calls;
    struct rig r;

    rig_init(&r, NULL);
    check_ok(rig_open(&r));
    check_ok(rig_step(&r, 1, 1, RIG_SYNC));
    calls = tn_simulated_call_count(r.simulated, TN_CALL_ANY);
    check_ok(tn_log_sync(r.log));
    check_ok(tn_log_trim(r.log));
    check_eq(tn_simulated_call_count(r.simulated, TN_CALL_ANY), calls);
    rig_end(&r);
}

/* One revolution of the sweep, plus the sections at its ends (targets: the model's bounds). */
static void first_needed_follows_one_revolution_behind(void)
{
    struct tn_log_statistics statistics;
    struct rig r;
    unsigned i;

    rig_init(&r, NULL);
    r.sweep_count = 8; /* a revolution is 8 commits */
    check_ok(rig_open(&r));
    for (i = 1; i <= 40; i++) {
        check_ok(rig_step(&r, i % RIG_KEYS, i, RIG_NO_SYNC));
        tn_log_stat(r.log, &statistics);
        check_eq(statistics.first_needed, i <= 8 ? 1 : i - 7);
        if (i % 3 == 0)
            check_ok(tn_log_trim(r.log));
    }
    rig_end(&r);
}

static void a_changed_hash_version_keeps_everything_until_the_sweep_has_gone_round(void)
{
    struct tn_log_statistics statistics;
    struct rig_state state;
    struct rig r;
    unsigned i;

    rig_init(&r, NULL);
    r.options.file_bytes_min = 5000;
    r.sweep_count = 8;
    check_ok(rig_open(&r));
    for (i = 1; i <= 21; i++)
        check_ok(rig_step(&r, i, i, RIG_NO_SYNC));
    check_ok(rig_close(&r, true));
    r.options.hash_version = 2;
    check_ok(rig_open(&r));
    check(!tn_log_cursor_holds(r.log));
    for (i = 22; i <= 40; i++) {
        check_ok(rig_step(&r, i, i, RIG_NO_SYNC));
        check(tn_log_cursor_holds(r.log));
        check_ok(tn_log_trim(r.log));
        tn_log_stat(r.log, &statistics);
        /* 22 to 29 are a whole revolution; what 30 sweeps, 22 had swept. */
        check_eq(statistics.first_needed, i < 30 ? 14 : i - 7);
        state = r.state;
        if (i % 5 == 0) {
            rig_kill(&r);
            check_ok(rig_open(&r));
            check_bytes(&r.state, sizeof state, &state, sizeof state);
            check(tn_log_cursor_holds(r.log));
        }
    }
    rig_end(&r);
}

static void a_file_that_cannot_be_unlinked_is_tried_again(void)
{
    unsigned i;
    struct rig r;

    rig_init(&r, NULL);
    r.options.file_bytes_min = 5000;
    r.sweep_count = 16;
    check_ok(rig_open(&r));
    check(tn_simulated_fail(r.simulated, TN_CALL_DIRECTORY_UNLINK, 1, EIO, true));
    for (i = 0; i < 30; i++) {
        check_ok(rig_step(&r, i, i + 1, RIG_NO_SYNC));
        check_ok(tn_log_trim(r.log));
    }
    check(rig_file(&r, 1) >= 0);
    tn_simulated_fail_none(r.simulated);
    check_ok(tn_log_trim(r.log));
    check(rig_file(&r, 1) < 0);
    rig_end(&r);
}

/* ---- who may open it ------------------------------------------------------------------------- */

static void a_second_writer_is_told_busy_and_a_reader_sees_the_last_commit(void)
{
    struct tn_log *second = NULL;
    struct rig r;

    rig_init(&r, NULL);
    check_ok(rig_open(&r));
    check_ok(rig_step(&r, 1, 1, RIG_NO_SYNC));
    check_eq(tn_log_open(&second, &r.os, &r.memory, r.path, &r.options, r.secret, &r.report),
             TARN_E_BUSY); /* L3: nobody else writes */
    check(second == NULL && r.report.text[0] != '\0');
    r.options.read_only = true;
    check_ok(tn_log_open(&second, &r.os, &r.memory, r.path, &r.options, r.secret, &r.report));
    check_eq(tn_log_last(second)->number, 1);
    r.options.read_only = false;
    check_ok(rig_step(&r, 1, 2, RIG_SYNC));
    check_eq(tn_log_last(second)->number, 1);
    check_ok(tn_log_close(second, false));
    rig_end(&r);
}

static void a_reader_writes_nothing_and_needs_a_store(void)
{
    uint64_t calls;
    struct rig r;

    rig_init(&r, NULL);
    r.options.read_only = true;
    check_eq(rig_read(&r), TARN_E_IO); /* no directory */
    check(strstr(r.report.text, "no such file") != NULL);
    r.options.read_only = false;
    check_ok(rig_open(&r));
    r.options.read_only = true;
    check_ok(rig_close(&r, false));
    check_eq(rig_read(&r), TARN_E_IO); /* an empty one */
    check(strstr(r.report.text, "no store") != NULL);
    r.options.read_only = false;
    check_ok(rig_open(&r));
    check_ok(rig_step(&r, 1, 1, RIG_NO_SYNC));
    rig_kill(&r);
    r.options.read_only = true;
    calls = tn_simulated_call_count(r.simulated, TN_CALL_FILE_WRITE) +
            tn_simulated_call_count(r.simulated, TN_CALL_DIRECTORY_UNLINK) +
            tn_simulated_call_count(r.simulated, TN_CALL_DIRECTORY_LOCK);
    check_ok(rig_read(&r));
    check_ok(rig_close(&r, true));
    check_eq(tn_simulated_call_count(r.simulated, TN_CALL_FILE_WRITE) +
                 tn_simulated_call_count(r.simulated, TN_CALL_DIRECTORY_UNLINK) +
                 tn_simulated_call_count(r.simulated, TN_CALL_DIRECTORY_LOCK),
             calls);
    rig_end(&r);
}

static void without_create_a_missing_store_is_not_made(void)
{
    struct rig r;

    rig_init(&r, NULL);
    r.options.create = false;
    check_eq(rig_open(&r), TARN_E_IO);
    check(tn_disk_directory_find(tn_simulated_disk(r.simulated), RIG_PATH) < 0);
    rig_end(&r);
}

/* ---- what is dropped, and what is refused ---------------------------------------------------- */

static void damage_below_what_a_footer_proves_is_corruption_with_file_and_offset(void)
{
    struct rig r;

    rig_init(&r, NULL);
    check_ok(rig_open(&r));
    check_ok(rig_step(&r, 1, 1, RIG_SYNC)); /* at 4096 */
    check_ok(rig_step(&r, 2, 2, RIG_SYNC)); /* at 8192; says that 1 is synced */
    rig_kill(&r);
    rig_flip(&r, 1, 4096 + 20, 3);
    check_eq(rig_open(&r), TARN_E_CORRUPT); /* L2 */
    check(strstr(r.report.text, "0000000000000001.tarn, offset 4096: a block") != NULL);
    check(strstr(r.report.text, "commit 1 was synced") != NULL);
    rig_flip(&r, 1, 4096 + 20, 3);
    check_ok(rig_open(&r));
    check(rig_note_is(&r, 2));
    rig_end(&r);
}

static void a_footer_of_a_section_that_is_torn_still_proves(void)
{
    struct rig r;

    rig_init(&r, NULL);
    check_ok(rig_open(&r));
    check_ok(rig_step(&r, 1, 1, RIG_SYNC));
    check_ok(rig_step(&r, 2, 2, RIG_NO_SYNC));
    rig_kill(&r);
    rig_flip(&r, 1, 8192 + 20, 3); /* torn; commit 1 is what is left, as its footer proves */
    check_ok(rig_read(&r));
    check(rig_note_is(&r, 1));
    check_ok(rig_close(&r, false));
    rig_flip(&r, 1, 4096 + 20, 3);
    check_eq(rig_read(&r), TARN_E_CORRUPT);
    rig_end(&r);
}

/* Also the zeros between its checksums and its footer. */
static void after_a_clean_close_any_damaged_byte_of_the_last_section_is_corruption(void)
{
    uint64_t at, end = TN_LOG_HEADER_BYTES + 1;
    struct rig r;

    for (at = TN_LOG_HEADER_BYTES; at < end; at++) {
        rig_init(&r, NULL);
        check_ok(rig_open(&r));
        check_ok(rig_step(&r, 1, 1, RIG_NO_SYNC));
        end = rig_file_bytes(&r, 1);
        check_ok(rig_close(&r, true));
        rig_flip(&r, 1, at, at % 8);
        check_eq(rig_open(&r), TARN_E_CORRUPT);
        rig_end(&r);
    }
    check(end > TN_LOG_HEADER_BYTES + TN_LOG_FOOTER_BYTES);
}

static void the_mark_of_a_clean_close_survives_a_power_loss(void)
{
    struct rig r;

    rig_init(&r, NULL);
    check_ok(rig_open(&r));
    check_ok(rig_step(&r, 1, 1, RIG_NO_SYNC));
    check_ok(rig_close(&r, true));
    tn_simulated_restart_with(r.simulated, tn_disk_fate_lost, NULL);
    rig_flip(&r, 1, TN_LOG_HEADER_BYTES, 1);
    check_eq(rig_open(&r), TARN_E_CORRUPT); /* without the mark it would be a torn tail */
    rig_end(&r);
}

/* P1 */
static void a_damaged_header_of_a_file_that_is_needed_is_corruption(void)
{
    struct rig r;

    rig_init(&r, NULL);
    r.options.file_bytes_min = 5000;
    check_ok(rig_open(&r));
    check_ok(rig_step(&r, 1, 1, RIG_SYNC));
    rig_put(&r, 2, 2, 3000);
    check_ok(rig_commit(&r, RIG_SYNC));
    check_ok(rig_step(&r, 3, 3, RIG_SYNC));
    check_ok(rig_close(&r, true));
    check(rig_file(&r, 1) >= 0 && rig_file(&r, 2) >= 0);
    rig_flip(&r, 1, 100, 1);
    check_eq(rig_open(&r), TARN_E_CORRUPT);
    check(strstr(r.report.text, "commit 1, which commit 2 stands on, is not there; the header of "
                                "0000000000000001.tarn is damaged") != NULL);
    rig_flip(&r, 1, 100, 1);
    check_ok(rig_open(&r));
    rig_end(&r);
}

/* What forges a footer may give it any length: it is not one, and what is before it counts. */
static void a_footer_longer_than_what_is_before_it_is_none(void)
{
    struct tn_log_footer footer = { .number = 2, .first_needed = 1, .next_table_id = 2 };
    uint8_t bytes[TN_LOG_FOOTER_BYTES], store_id[TN_LOG_STORE_ID_BYTES];
    struct tn_log_shape shape;
    uint64_t file_bytes;
    struct rig r;

    rig_init(&r, NULL);
    check_ok(rig_open(&r));
    check_ok(rig_step(&r, 1, 1, RIG_NO_SYNC));
    memcpy(store_id,
           tn_disk_file_data(tn_simulated_disk(r.simulated), rig_file(&r, 1), &file_bytes) + 24,
           sizeof store_id);
    footer.part_bytes[TN_LOG_DELTA] = 64000;
    footer.part_counts[TN_LOG_DELTA] = 1;
    tn_log_shape(&shape, &footer);
    footer.section_bytes = shape.footer_at + TN_LOG_FOOTER_BYTES;
    tn_log_footer_encode(bytes, &footer, store_id);
    rig_damage(&r, 1, tn_align_up(file_bytes, TN_LOG_STEP_BYTES), bytes, sizeof bytes);
    rig_kill(&r);
    check_ok(rig_open(&r));
    check(rig_note_is(&r, 1));
    check_eq(r.report.dropped_bytes, TN_LOG_FOOTER_BYTES);
    rig_end(&r);
}

/*
 * A store of one commit, whose delta is these bytes, counted as `count` entries; every checksum is
 * right.
 */
static int forged_open(struct rig *r, const uint8_t *delta, size_t bytes, uint64_t count)
{
    struct tn_log_footer footer = {
        .number = 1, .first_needed = 1, .next_table_id = 2, .hash_version = 1
    };
    uint8_t section[2048] = { 0 }, store_id[TN_LOG_STORE_ID_BYTES];
    uint64_t file_bytes, section_bytes;

    check_ok(rig_open(r));
    check_ok(rig_step(r, 1, 1, RIG_NO_SYNC));
    memcpy(store_id,
           tn_disk_file_data(tn_simulated_disk(r->simulated), rig_file(r, 1), &file_bytes) + 24,
           sizeof store_id);
    memcpy(section, delta, bytes);
    footer.part_bytes[TN_LOG_DELTA] = bytes;
    footer.part_counts[TN_LOG_DELTA] = count;
    section_bytes = forge_section(section, &footer, store_id);
    rig_kill(r);
    check_ok(tn_disk_file_truncate(tn_simulated_disk(r->simulated), rig_file(r, 1),
                                   TN_LOG_HEADER_BYTES));
    rig_damage(r, 1, TN_LOG_HEADER_BYTES, section, section_bytes);
    return rig_open(r);
}

static size_t forged_entry(uint8_t *to, uint64_t table_id)
{
    const struct tn_log_entry_head head = {
        .key_bytes = 1, .value_bytes = 8, .kind = TN_LOG_ENTRY, .table_id = table_id
    };

    tn_log_entry_head_encode(to, &head);
    to[16] = 3; /* the key */
    to[24] = 5; /* the value: a seed */
    return 32;
}

/* Y1 */
static void a_section_whose_entries_are_not_as_its_footer_says_is_corruption(void)
{
    static const struct {
        uint64_t tables[2];
        size_t entries, bytes;
        uint64_t count;
        int result;
    } cases[] = {
        { { 1, 1 }, 1, 32, 1, TARN_OK },
        { { 1, 1 }, 1, 48, 1, TARN_E_CORRUPT }, /* bytes behind the last */
        { { 1, 1 }, 1, 32, 2, TARN_E_CORRUPT }, /* one more than there are */
        { { 1, 1 }, 2, 56, 2, TARN_E_CORRUPT }, /* the last is cut */
        { { 1, 0 }, 2, 64, 2, TARN_E_CORRUPT }, /* the catalog behind another table */
    };
    size_t i;

    for (i = 0; i < TN_ARRAY_COUNT(cases); i++) {
        uint8_t delta[128] = { 0 };
        struct rig r;

        (void)forged_entry(delta, cases[i].tables[0]);
        if (cases[i].entries == 2)
            (void)forged_entry(delta + 32, cases[i].tables[1]);
        rig_init(&r, NULL);
        check_eq(forged_open(&r, delta, cases[i].bytes, cases[i].count), cases[i].result);
        check(cases[i].result != TARN_OK || r.state.seeds[3] == 5);
        rig_end(&r);
    }
}

/* H3: the mark is whole, and of another section than the one that is there. */
static void a_mark_of_another_section_is_corruption(void)
{
    struct tn_log_header header;
    struct tn_log_mark mark;
    uint8_t bytes[TN_LOG_MARK_BYTES];
    const uint8_t *data;
    uint64_t file_bytes;
    struct rig r;

    rig_init(&r, NULL);
    check_ok(rig_open(&r));
    check_ok(rig_step(&r, 1, 1, RIG_NO_SYNC));
    check_ok(rig_close(&r, true));
    data = tn_disk_file_data(tn_simulated_disk(r.simulated), rig_file(&r, 1), &file_bytes);
    check_ok(tn_log_header_decode(&header, data));
    check(tn_log_mark_decode(&mark, data + file_bytes - TN_LOG_MARK_BYTES, header.store_id));
    mark.identity ^= 1;
    tn_log_mark_encode(bytes, &mark, header.store_id);
    rig_damage(&r, 1, file_bytes - TN_LOG_MARK_BYTES, bytes, sizeof bytes);
    check_eq(rig_open(&r), TARN_E_CORRUPT);
    check(strstr(r.report.text, "0000000000000001.tarn") != NULL);
    rig_end(&r);
}

/* A live writer unlinks what a reader has listed: the reader lists again. */
static void a_reader_lists_again_when_a_file_has_gone(void)
{
    struct rig r;

    rig_init(&r, NULL);
    check_ok(rig_open(&r));
    check_ok(rig_step(&r, 1, 1, RIG_SYNC));
    check_ok(rig_close(&r, false));
    check(tn_simulated_fail(r.simulated, TN_CALL_FILE_OPEN, 1, ENOENT, false));
    check_eq(rig_read(&r), TARN_E_IO); /* for a writer this is no ordinary thing */
    r.options.read_only = true;
    check(tn_simulated_fail(r.simulated, TN_CALL_FILE_OPEN, 1, ENOENT, false));
    check_ok(rig_read(&r));
    check(rig_note_is(&r, 1));
    check_ok(rig_close(&r, false));
    check(tn_simulated_fail(r.simulated, TN_CALL_FILE_OPEN, 1, ENOENT, true));
    check_eq(rig_read(&r), TARN_E_IO);
    check(strstr(r.report.text, "vanish") != NULL);
    rig_end(&r);
}

static void closing_again_without_a_commit_writes_no_second_mark(void)
{
    uint64_t writes;
    struct rig r;

    rig_init(&r, NULL);
    check_ok(rig_open(&r));
    check_ok(rig_step(&r, 1, 1, RIG_NO_SYNC));
    check_ok(rig_close(&r, true));
    writes = tn_simulated_call_count(r.simulated, TN_CALL_FILE_WRITE);
    check_ok(rig_open(&r));
    check_ok(rig_close(&r, true));
    check_eq(tn_simulated_call_count(r.simulated, TN_CALL_FILE_WRITE), writes);
    check(rig_file(&r, 2) < 0);
    rig_end(&r);
}

/* The past that was discarded holds a section that would stand on what comes now, byte for byte. */
static void discarded_sections_never_come_back(void)
{
    struct rig_state state;
    uint64_t end_of_two;
    struct rig r;

    rig_init(&r, NULL);
    check_ok(rig_open(&r));
    check_ok(rig_step(&r, 1, 1, RIG_SYNC));
    check_ok(rig_step(&r, 2, 2, RIG_NO_SYNC));
    end_of_two = rig_file_bytes(&r, 1);
    check_ok(rig_step(&r, 3, 3, RIG_NO_SYNC));
    rig_kill(&r);
    rig_flip(&r, 1, end_of_two - 300, 0); /* 2 is torn, 3 is whole */
    check_ok(rig_open(&r));
    check(rig_note_is(&r, 1));
    check_ok(rig_step(&r, 2, 2, RIG_NO_SYNC)); /* as before */
    state = r.state;
    rig_kill(&r);
    check_ok(rig_open(&r));
    check(rig_note_is(&r, 2));
    check_bytes(&r.state, sizeof state, &state, sizeof state);
    rig_end(&r);
}

/* C4 of the model: an incarnation seen only in what was discarded is not taken again. */
static void an_incarnation_seen_anywhere_is_never_taken_again(void)
{
    struct tn_log_statistics statistics;
    uint64_t incarnations[3];
    struct rig r;
    unsigned i;

    rig_init(&r, NULL);
    for (i = 0; i < 3; i++) {
        check_ok(rig_open(&r));
        check_ok(rig_step(&r, 1, 1 + i, i == 0));
        tn_log_stat(r.log, &statistics);
        incarnations[i] = statistics.incarnation >> 32;
        if (i == 0)
            check_ok(rig_close(&r, true));
        else
            rig_kill(&r);
        if (i == 1) {
            /* Nothing but the footer of file 2 knows: its header is gone, its section torn. */
            rig_flip(&r, 2, 40, 0);
            rig_flip(&r, 2, 4096 + 2, 0);
        }
    }
    check_eq(incarnations[1], incarnations[0] + 1);
    check_eq(incarnations[2], incarnations[1] + 1);
    rig_end(&r);

    rig_init(&r, NULL); /* ... and nothing but a header */
    check_ok(rig_open(&r));
    check_ok(rig_step(&r, 1, 1, RIG_SYNC));
    check_ok(rig_close(&r, true));
    check_ok(rig_open(&r));
    check_ok(rig_step(&r, 1, 2, RIG_NO_SYNC));
    tn_log_stat(r.log, &statistics);
    incarnations[0] = statistics.incarnation >> 32;
    rig_kill(&r);
    rig_damage(&r, 2, 4096, (uint8_t[512]){ 0 }, 512);
    check_ok(rig_open(&r));
    check(rig_note_is(&r, 1));
    tn_log_stat(r.log, &statistics);
    check_eq(statistics.incarnation >> 32, incarnations[0] + 1);
    rig_end(&r);
}

/* C5: the youngest copy is damaged, an older one is whole but was never synced. */
/*
 * The header of the marked file is gone, and its sections are copies, with the incarnation of their
 * first writing.
 */
static void an_incarnation_seen_in_a_mark_alone_is_not_taken_again(void)
{
    struct tn_log_statistics before, after;
    struct rig r;

    rig_init(&r, NULL);
    check_ok(rig_open(&r));
    check_ok(rig_step(&r, 1, 1, RIG_SYNC));
    check_ok(rig_step(&r, 2, 2, RIG_NO_SYNC));
    rig_kill(&r);
    check_ok(rig_open(&r)); /* copies the second */
    tn_log_stat(r.log, &before);
    check_ok(rig_close(&r, true));
    rig_flip(&r, 2, 100, 1);
    check_ok(rig_open(&r));
    check(rig_note_is(&r, 2));
    tn_log_stat(r.log, &after);
    check(after.incarnation >> 32 > before.incarnation >> 32);
    rig_end(&r);
}

static void an_older_copy_that_has_to_serve_is_made_durable_again(void)
{
    struct rig r;

    rig_init(&r, NULL);
    check_ok(rig_open(&r));
    check_ok(rig_step(&r, 1, 1, RIG_NO_SYNC));
    rig_kill(&r);
    check(tn_simulated_fail(r.simulated, TN_CALL_DIRECTORY_UNLINK, 1, EIO, true));
    check_ok(rig_open(&r)); /* copies it to file 2; file 1 stays */
    tn_simulated_fail_none(r.simulated);
    check_ok(rig_close(&r, true));
    check(rig_file(&r, 1) >= 0 && rig_file(&r, 2) >= 0);
    rig_flip(&r, 2, 4096 + 20, 0);
    check_ok(rig_open(&r));
    check(rig_note_is(&r, 1));
    rig_lose_power(&r, tn_disk_fate_lost, NULL);
    check_ok(rig_open(&r));
    check(rig_note_is(&r, 1));
    rig_end(&r);
}

static void a_value_full_of_another_stores_footers_is_a_value(void)
{
    uint8_t file[20000];
    uint64_t bytes = 0;
    const uint8_t *data;
    struct rig other, r;
    unsigned i;

    rig_init(&other, &(struct tn_simulated_options){ .seed = 5 });
    check_ok(rig_open(&other));
    for (i = 0; i < 4; i++)
        check_ok(rig_step(&other, i, i + 1, RIG_SYNC));
    data = tn_disk_file_data(tn_simulated_disk(other.simulated), rig_file(&other, 1), &bytes);
    check(bytes < sizeof file - 64);
    memset(file, 0, sizeof file);
    memcpy(file + 40, data, bytes); /* so that it lies at a multiple of 64: head 16, key 8 */
    rig_end(&other);

    rig_init(&r, NULL);
    check_ok(rig_open(&r));
    check_ok(rig_step(&r, 1, 1, RIG_SYNC));
    check_ok(tn_log_begin(r.log, 0, 0));
    check_ok(add(&r, TN_LOG_DELTA, 1, "k", file, sizeof file));
    check_ok(commit_end(&r, "", 0));
    rig_kill(&r);
    rig_flip(&r, 1, rig_file_bytes(&r, 1) - 100, 0); /* the footer is torn */
    check_ok(rig_open(&r));
    check(rig_note_is(&r, 1));
    rig_end(&r);
}

static void a_file_of_another_store_or_under_a_wrong_name_is_named(void)
{
    uint8_t bytes[TN_LOG_HEADER_BYTES];
    struct tn_log_header header = { .incarnation = 1, .file = 2 };
    struct tn_disk *disk;
    unsigned turn;
    struct rig r;
    int file;

    for (turn = 0; turn < 2; turn++) {
        rig_init(&r, NULL);
        check_ok(rig_open(&r));
        check_ok(rig_step(&r, 1, 1, RIG_SYNC));
        rig_kill(&r);
        disk = tn_simulated_disk(r.simulated);
        if (turn == 0) {
            memcpy(header.secret, r.secret, sizeof header.secret);
            tn_log_header_encode(bytes, &header);
        } else {
            uint64_t file_bytes;

            memcpy(bytes, tn_disk_file_data(disk, rig_file(&r, 1), &file_bytes), sizeof bytes);
        }
        file = tn_disk_file_make(disk, tn_disk_directory_find(disk, RIG_PATH),
                                 "0000000000000002.tarn");
        check_ok(tn_disk_file_write(disk, file, bytes, sizeof bytes, 0));
        check_eq(rig_open(&r), TARN_E_CORRUPT);
        check(strstr(r.report.text, "0000000000000002.tarn") != NULL);
        check(strstr(r.report.text, turn == 0 ? "another store" : "wrong name") != NULL);
        rig_end(&r);
    }
}

static void an_unknown_version_is_refused_and_a_damaged_version_is_damage(void)
{
    uint8_t bytes[TN_LOG_HEADER_BYTES];
    uint64_t file_bytes;
    struct rig r;

    rig_init(&r, NULL);
    check_ok(rig_open(&r));
    check_ok(rig_step(&r, 1, 1, RIG_SYNC));
    rig_kill(&r);
    rig_flip(&r, 1, 16, 1);
    check_eq(rig_open(&r), TARN_E_CORRUPT);
    memcpy(bytes, tn_disk_file_data(tn_simulated_disk(r.simulated), rig_file(&r, 1), &file_bytes),
           sizeof bytes);
    tn_store_le64(bytes + 8, tn_checksum(bytes + 16, sizeof bytes - 16, tn_load_le64(bytes)));
    rig_damage(&r, 1, 0, bytes, sizeof bytes);
    check_eq(rig_open(&r), TARN_E_VERSION);
    check(strstr(r.report.text, "another version") != NULL);
    rig_end(&r);
}

static void other_names_are_left_alone_and_counted(void)
{
    struct tn_log_statistics statistics;
    struct tn_disk *disk;
    struct rig r;

    rig_init(&r, NULL);
    check_ok(rig_open(&r));
    check_ok(rig_step(&r, 1, 1, RIG_SYNC));
    rig_kill(&r);
    disk = tn_simulated_disk(r.simulated);
    (void)tn_disk_file_make(disk, tn_disk_directory_find(disk, RIG_PATH), "notes.txt");
    (void)tn_disk_file_make(disk, tn_disk_directory_find(disk, RIG_PATH), "ffffffffffffffff.tarn");
    check_ok(rig_open(&r));
    tn_log_stat(r.log, &statistics);
    check_eq(statistics.other_name_count, 2);
    check_eq(statistics.file_count, 1);
    check_ok(rig_close(&r, true));
    check(tn_disk_file_find(disk, tn_disk_directory_find(disk, RIG_PATH), "notes.txt") >= 0);
    rig_end(&r);
}

/* At every call, with every fate, and again while it is begun anew: the store is made in the end. */
static void a_creation_that_did_not_finish_begins_anew(void)
{
    uint64_t random = test_seed(), first, at;
    unsigned turn;
    struct rig r;

    for (first = 1; first < 20; first++)
        for (turn = 0; turn < 20; turn++) {
            rig_init(&r, NULL);
            for (at = first; at < 200; at += 3 + test_random(&random) % 10) {
                tn_simulated_crash_at(r.simulated, at);
                if (rig_open(&r) == TARN_OK && rig_step(&r, 1, 1, RIG_SYNC) == TARN_OK)
                    break;
                check(tn_simulated_crashed(r.simulated));
                rig_lose_power(&r, turn == 0 ? tn_disk_fate_kept : tn_disk_fate_random, &random);
            }
            check(at < 200);
            rig_end(&r);
        }
}

static void a_single_damaged_header_is_corruption_not_a_new_store(void)
{
    struct rig r;

    rig_init(&r, NULL);
    check_ok(rig_open(&r));
    check_ok(rig_step(&r, 1, 1, RIG_NO_SYNC));
    rig_kill(&r);
    rig_flip(&r, 1, 8, 0);
    check_eq(rig_open(&r), TARN_E_CORRUPT);
    check(strstr(r.report.text, "0000000000000001.tarn, offset 0: its header") != NULL);
    rig_end(&r);
}

static void the_secret_of_a_store_is_its_first_one(void)
{
    struct rig r;

    rig_init(&r, NULL);
    check_ok(rig_open(&r));
    check_ok(rig_step(&r, 1, 1, RIG_SYNC));
    check_ok(rig_close(&r, true));
    memset(r.secret, 0x77, sizeof r.secret);
    check_ok(rig_open(&r));
    check_eq(r.secret[0], 0x5E);
    check_eq(r.secret[TN_LOG_SECRET_BYTES - 1], 0x5E);
    rig_end(&r);
}

static void the_same_calls_and_seed_write_the_same_bytes(void)
{
    uint64_t bytes[2];
    const uint8_t *data[2];
    struct rig r[2];
    unsigned i, k;

    for (k = 0; k < 2; k++) {
        rig_init(&r[k], &(struct tn_simulated_options){ .seed = 9 });
        check_ok(rig_open(&r[k]));
        for (i = 0; i < 30; i++)
            check_ok(rig_step(&r[k], i, i + 1, i % 4 == 0));
        data[k] =
            tn_disk_file_data(tn_simulated_disk(r[k].simulated), rig_file(&r[k], 1), &bytes[k]);
    }
    check_bytes(data[0], bytes[0], data[1], bytes[1]);
    rig_end(&r[0]);
    rig_end(&r[1]);
}

/* ---- limits ---------------------------------------------------------------------------------- */

/* Files that wait for their sync hold descriptors: there is a sync before there are too many. */
static void unsynced_files_are_synced_before_there_are_too_many(void)
{
    struct tn_log_statistics statistics;
    struct rig_state state;
    struct rig r;
    uint64_t i;

    rig_init(&r, NULL);
    r.options.file_bytes_min = TN_LOG_HEADER_BYTES + 1; /* a file for each commit */
    r.sweep_count = 0;
    check_ok(rig_open(&r));
    for (i = 0; i < 100; i++) {
        check_ok(rig_step(&r, (unsigned)(i % RIG_KEYS), 1 + i, RIG_NO_SYNC));
        tn_log_stat(r.log, &statistics);
        check_eq(statistics.file_count, i + 1);
        check(i + 1 - statistics.synced_number <= TN_LOG_OWN_OPEN_MAX);
    }
    check(statistics.synced_number > 60 && statistics.synced_number < 100);
    rig_put(&r, 0, 77, 24); /* and a sync that fails then is the commit's answer */
    check(tn_simulated_fail(r.simulated, TN_CALL_FILE_SYNC, 1, EIO, true));
    for (i = 0; i < TN_LOG_OWN_OPEN_MAX && rig_commit(&r, false) == TARN_OK; i++)
        rig_put(&r, 0, 78 + i, 24);
    check(i < TN_LOG_OWN_OPEN_MAX);
    check_eq(rig_commit(&r, false), TARN_E_FAILED);
    tn_simulated_fail_none(r.simulated);
    rig_kill(&r);
    check_ok(rig_open(&r));
    check(tn_log_last(r.log)->number >= 100);
    state = r.state;
    check_eq(state.seeds[1], 66);
    rig_end(&r);
}

static void file_numbers_that_are_used_up_are_an_answer(void)
{
    struct tn_disk *disk;
    struct rig r;
    int directory;

    rig_init(&r, NULL);
    check_ok(rig_open(&r));
    check_ok(rig_step(&r, 1, 1, RIG_SYNC));
    check_ok(rig_close(&r, true));
    disk = tn_simulated_disk(r.simulated);
    directory = tn_disk_directory_find(disk, RIG_PATH);
    check(tn_disk_file_make(disk, directory, "3fffffffffffffff.tarn") >= 0);
    check_ok(rig_open(&r));
    check_eq(rig_step(&r, 2, 2, RIG_SYNC), TARN_E_FULL);
    check(strstr(tn_log_error_text(r.log), "file numbers") != NULL);
    check_ok(rig_close(&r, true)); /* there is a mark already: no file is needed */
    check_ok(rig_open(&r));
    check(rig_note_is(&r, 1));
    rig_end(&r);
}

/* What went wrong is told in words, and what it means by the code. */
static void errors_of_the_system_have_texts(void)
{
    static const struct {
        int error, result;
        const char *text;
    } cases[] = {
        { EACCES, TARN_E_IO, "not permitted" },      { EPERM, TARN_E_IO, "not permitted" },
        { ELOOP, TARN_E_IO, "symbolic link" },       { EMFILE, TARN_E_IO, "too many files" },
        { ENFILE, TARN_E_IO, "too many files" },     { ENOENT, TARN_E_IO, "no such file" },
        { ENOTDIR, TARN_E_IO, "not a directory" },   { EROFS, TARN_E_IO, "read-only" },
        { EIO, TARN_E_IO, "device failed" },         { EEXIST, TARN_E_IO, "there already" },
        { ENOSYS, TARN_E_IO, "the system refused" }, { ENOMEM, TARN_E_MEMORY, "no memory" },
    };
    size_t i;

    for (i = 0; i < TN_ARRAY_COUNT(cases); i++) {
        struct rig r;

        rig_init(&r, NULL);
        check(tn_simulated_fail(r.simulated, TN_CALL_DIRECTORY_OPEN, 1, cases[i].error, false));
        check_eq(rig_open(&r), cases[i].result);
        if (strstr(r.report.text, cases[i].text) == NULL)
            test_fail(__FILE__, __LINE__, "errno %d: %s", cases[i].error, r.report.text);
        rig_end(&r);
    }
}

/* A process out of descriptors can commit again once it has some. */
static void without_descriptors_a_commit_waits_for_them(void)
{
    static const int errors[] = { EMFILE, ENFILE, ENOMEM };
    struct rig r;
    size_t i;

    for (i = 0; i < TN_ARRAY_COUNT(errors); i++) {
        rig_init(&r, NULL);
        check_ok(rig_open(&r));
        check(tn_simulated_fail(r.simulated, TN_CALL_FILE_OPEN, 1, errors[i], false));
        check_eq(rig_step(&r, 1, 1, RIG_SYNC), TARN_E_MEMORY);
        check_ok(rig_commit(&r, true));
        check(rig_note_is(&r, 1));
        rig_end(&r);
    }
}

static const struct test tests[] = {
    T(a_new_store_is_empty_and_makes_no_file_before_the_first_commit),
    T(what_was_committed_comes_back_with_note_numbers_and_cursor),
    T(files_roll_and_are_trimmed_and_the_state_stays),
    T(a_torn_tail_is_dropped_and_reported),
    T(a_tail_cut_short_is_dropped_from_where_it_begins),
    T(synced_commits_find_room_that_is_no_dropped_tail),
    T(no_room_is_made_where_it_does_not_pay),
    T(a_disk_without_room_refuses_no_commit),
    T(zeros_that_find_no_space_leave_what_there_is),
    T(the_room_of_a_file_that_is_done_with_is_given_back),
    T(replay_goes_sweep_tombstones_delta_with_the_catalog_first_in_each),
    T(values_of_any_size_and_keys_of_any_length_come_back),
    T(notes_from_none_to_a_mebibyte_come_back_and_the_last_one_may_be_handed_in_again),
    T(the_bytes_of_a_section_are_known_while_it_is_written),
    T(no_block_with_synced_bytes_and_no_old_file_is_ever_written_again),
    T(a_sync_with_nothing_new_asks_the_system_for_nothing),
    T(first_needed_follows_one_revolution_behind),
    T(a_changed_hash_version_keeps_everything_until_the_sweep_has_gone_round),
    T(a_file_that_cannot_be_unlinked_is_tried_again),
    T(a_second_writer_is_told_busy_and_a_reader_sees_the_last_commit),
    T(a_reader_writes_nothing_and_needs_a_store),
    T(without_create_a_missing_store_is_not_made),
    T(damage_below_what_a_footer_proves_is_corruption_with_file_and_offset),
    T(a_footer_of_a_section_that_is_torn_still_proves),
    T(after_a_clean_close_any_damaged_byte_of_the_last_section_is_corruption),
    T(the_mark_of_a_clean_close_survives_a_power_loss),
    T(a_damaged_header_of_a_file_that_is_needed_is_corruption),
    T(a_footer_longer_than_what_is_before_it_is_none),
    T(a_section_whose_entries_are_not_as_its_footer_says_is_corruption),
    T(a_mark_of_another_section_is_corruption),
    T(a_reader_lists_again_when_a_file_has_gone),
    T(closing_again_without_a_commit_writes_no_second_mark),
    T(discarded_sections_never_come_back),
    T(an_incarnation_seen_anywhere_is_never_taken_again),
    T(an_incarnation_seen_in_a_mark_alone_is_not_taken_again),
    T(an_older_copy_that_has_to_serve_is_made_durable_again),
    T(a_value_full_of_another_stores_footers_is_a_value),
    T(a_file_of_another_store_or_under_a_wrong_name_is_named),
    T(an_unknown_version_is_refused_and_a_damaged_version_is_damage),
    T(other_names_are_left_alone_and_counted),
    T(a_creation_that_did_not_finish_begins_anew),
    T(a_single_damaged_header_is_corruption_not_a_new_store),
    T(the_secret_of_a_store_is_its_first_one),
    T(the_same_calls_and_seed_write_the_same_bytes),
    T(unsynced_files_are_synced_before_there_are_too_many),
    T(file_numbers_that_are_used_up_are_an_answer),
    T(errors_of_the_system_have_texts),
    T(without_descriptors_a_commit_waits_for_them),
};

TEST_MAIN(tests)
