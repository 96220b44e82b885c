/*
 * test_log_damage.c - damaged bytes are found, or they are harmless
 *
 * A store of known history is damaged in one place and read. What may come out:
 *
 *     the newest commit, exactly          the damage was where nothing is needed
 *     an older one, exactly, and a report only in the last sync group of a store not closed cleanly
 *     TARN_E_CORRUPT (or _VERSION), and a text that names file and offset
 *
 * Environment: SEED; ALL=1 flips every bit of every store, else of a few.
 */
#include "log_known.h"

#include <malloc.h>

#define STORES 20u
#define HEADER_USED_BYTES ((uint64_t)104) /* zeros follow */
/* struct tn_log, window, tables: whatever the files say. */
#define OPEN_BYTES_MAX ((uint64_t)(320 * TN_KIB))

/* Whether the first file has nothing else from there on, or ends there. */
static bool zeros_from(const struct rig *r, uint64_t at)
{
    uint64_t bytes;
    const uint8_t *data =
        tn_disk_file_data(tn_simulated_disk(r->simulated), rig_file(r, 1), &bytes);

    while (at < bytes && data[at] == 0)
        at++;
    return at >= bytes;
}

/*
 * H5 of chain.h: no section stands in two places here, so the answer is the same, without trying
 * again.
 */
static void late_check(struct known *known, int result)
{
    struct rig *r = &known->rig;
    const struct rig_state state = r->state;
    uint64_t number = result == TARN_OK ? tn_log_last(r->log)->number : 0;

    if (result == TARN_OK)
        check_ok(rig_close(r, false));
    r->options.verify_late = true;
    check_eq(rig_read(r), result);
    r->options.verify_late = false;
    if (result != TARN_OK)
        return;
    check_eq(tn_log_last(r->log)->number, number);
    check_bytes(&r->state, sizeof r->state, &state, sizeof state);
}

/* L2: what is proved is not fallen back from; with a mark everything is. */
static void read_check(struct known *known, uint64_t floor)
{
    static unsigned reads;
    struct rig *r = &known->rig;
    int result = rig_read(r);
    uint64_t number;

    if (++reads % 9 == 0) /* which is each bit of a byte in turn, too */
        late_check(known, result);
    check(r->memory.counted_bytes_max <= OPEN_BYTES_MAX + files_bytes(r)); /* L4 */
    if (result != TARN_OK) {
        check(result == TARN_E_CORRUPT || result == TARN_E_VERSION);
        check(strstr(r->report.text, ".tarn") != NULL && strstr(r->report.text, "offset"));
        return;
    }
    number = tn_log_last(r->log)->number;
    check(number >= floor && number <= known->last);
    check(rig_note_is(r, number));
    check_bytes(&r->state, sizeof r->state, &known->states[number <= known->last ? number : 0],
                sizeof r->state);
    /*
     * Nothing is behind a commit when the file was cut just there, or behind it are only zeros (P6
     * of scan.h).
     */
    check(number == known->last || r->report.dropped_bytes != 0 ||
          zeros_from(r, known->ends[number]));
    check_ok(rig_close(r, false));
}

static uint64_t known_floor(const struct known *known)
{
    return known->clean ? known->last : known->proved[known->last];
}

static void every_flip(struct known *known, uint64_t seed, bool every_bit)
{
    struct rig *r = &known->rig;
    uint64_t at;
    unsigned file, bit;

    for (file = 1; file < 16; file++)
        for (at = 0; at < rig_file_bytes(r, file) && test_failures == 0; at += test_stride()) {
            if (!every_bit && at >= HEADER_USED_BYTES && at < TN_LOG_HEADER_BYTES && at % 61 != 0)
                continue;
            for (bit = 0; bit < 8; bit++) {
                if (!every_bit && bit != at % 8)
                    continue;
                rig_flip(r, file, at, bit);
                read_check(known, known_floor(known));
                rig_flip(r, file, at, bit);
            }
            if (test_failures != 0)
                printf("# seed %" PRIu64 ", file %u, offset %" PRIu64 "\n", seed, file, at);
        }
}

static void a_flipped_bit_is_found_or_harmless(void)
{
    unsigned i;

    for (i = 0; i < STORES && test_failures == 0; i++) {
        struct known *known = calloc(1, sizeof *known);

        known_make(known, test_seed() * 1000 + i, i % 2 == 0, i % 3 == 0 ? 4500 : 0);
        read_check(known, known->last);
        every_flip(known, i, i == 0 || getenv("ALL") != NULL);
        known_end(known);
    }
}

/* Without the mark the store is as if it had not been closed; without anything there is none. */
static void a_file_cut_short_is_an_older_commit_or_refused(void)
{
    unsigned i;

    for (i = 0; i < STORES && test_failures == 0; i++) {
        struct known *known = calloc(1, sizeof *known);
        struct rig *r = &known->rig;
        struct tn_disk *disk;
        uint64_t bytes, floor;
        unsigned k;

        known_make(known, test_seed() * 1000 + i, i % 2 == 0, 0);
        disk = tn_simulated_disk(r->simulated);
        for (bytes = rig_file_bytes(r, 1); bytes-- > 0 && test_failures == 0;) {
            if (bytes % test_stride() != 0)
                continue;
            check_ok(tn_disk_file_truncate(disk, rig_file(r, 1), bytes));
            for (k = 1, floor = 0; k <= known->last; k++)
                floor = known->ends[k] <= bytes ? known->proved[k] : floor;
            if (bytes >= TN_LOG_HEADER_BYTES) {
                known->rig.options.create = false;
                read_check(known, floor);
            } else
                check_eq(rig_read(r), TARN_E_IO); /* a creation that did not finish: no store */
        }
        known_end(known);
    }
}

/* Whole blocks: zeroed, or swapped with another. */
static void blocks_zeroed_and_swapped_are_found_or_harmless(void)
{
    unsigned i;

    for (i = 0; i < STORES && test_failures == 0; i++) {
        struct known *known = calloc(1, sizeof *known);
        struct rig *r = &known->rig;
        uint8_t a[512], b[512], zeros[512] = { 0 };
        uint64_t bytes, file_bytes, from, to;
        const uint8_t *data;

        known_make(known, test_seed() * 1000 + i, i % 2 == 0, 0);
        bytes = rig_file_bytes(r, 1) / 512 * 512;
        for (from = 0; from < bytes && test_failures == 0; from += 512)
            for (to = from; to < bytes; to += 512 * (from == to ? 1 : test_stride())) {
                data =
                    tn_disk_file_data(tn_simulated_disk(r->simulated), rig_file(r, 1), &file_bytes);
                memcpy(a, data + from, 512);
                memcpy(b, data + to, 512);
                rig_damage(r, 1, from, from == to ? zeros : b, 512);
                if (from != to)
                    rig_damage(r, 1, to, a, 512);
                /* Two places are damaged: more than the last section may be gone, and with it what
                 * it proved. */
                read_check(known, known->clean ? known->last : 0);
                rig_damage(r, 1, from, a, 512);
                rig_damage(r, 1, to, b, 512);
            }
        known_end(known);
    }
}

static void every_file_gone_is_found_or_harmless(void)
{
    unsigned i, file;

    for (i = 0; i < STORES && test_failures == 0; i++)
        for (file = 1; file < 16; file++) {
            struct known *known = calloc(1, sizeof *known);
            char name[32];
            struct tn_disk *disk;
            unsigned others;

            known_make(known, test_seed() * 1000 + i, i % 2 == 0, 4500);
            disk = tn_simulated_disk(known->rig.simulated);
            rig_file_name(name, file);
            if (tn_disk_unlink(disk, tn_disk_directory_find(disk, RIG_PATH), name) == 0) {
                for (others = 1; others < 16 && rig_file(&known->rig, others) < 0; others++)
                    ;
                /* The youngest file may take the proof of its own existence with it. */
                if (others < 16 && (rig_file(&known->rig, file + 1) >= 0)) {
                    read_check(known, known_floor(known));
                } else if (others < 16) {
                    int result = rig_read(&known->rig);

                    check(result == TARN_OK || result == TARN_E_CORRUPT);
                    if (result == TARN_OK)
                        check_ok(rig_close(&known->rig, false));
                }
            }
            known_end(known);
        }
}

static int nothing_read(void *argument, const struct tn_log_entry *entries, size_t count)
{
    (void)argument;
    (void)entries;
    (void)count;
    return TARN_OK;
}

/*
 * Entries that nobody asks for, values larger than a window among them, and a note, of a synced
 * section.
 */
static void a_section_read_late_is_verified_whole(void)
{
    struct rig r;
    uint64_t at, end;
    int result;

    rig_init(&r, NULL);
    check_ok(rig_open(&r));
    rig_put(&r, 0, 7, 100);
    rig_put(&r, 1, 8, 700000);
    rig_put(&r, 2, 9, 100);
    check_ok(rig_commit(&r, RIG_SYNC));
    end = rig_file_bytes(&r, 1);
    check_ok(rig_step(&r, 3, 10, RIG_SYNC));
    check_ok(rig_close(&r, true));
    r.options.verify_late = r.options.read_only = true;
    /* Here and there, and each byte of the end, where the note is. */
    for (at = TN_LOG_HEADER_BYTES; at < end && test_failures == 0;
         at += at < end - 1024 ? 3001 : 1) {
        rig_flip(&r, 1, at, 3);
        result = tn_log_open(&r.log, &r.os, &r.memory, r.path, &r.options, r.secret, &r.report);
        if (result == TARN_OK) {
            result = tn_log_replay(r.log, false, nothing_read, NULL, NULL, NULL, &r.report);
            check_ok(rig_close(&r, false));
        }
        check_eq(result, TARN_E_CORRUPT);
        rig_flip(&r, 1, at, 3);
    }
    check_ok(rig_read(&r));
    rig_end(&r);
}

static const struct test tests[] = {
    T(a_section_read_late_is_verified_whole),
    T(a_flipped_bit_is_found_or_harmless),
    T(a_file_cut_short_is_an_older_commit_or_refused),
    T(blocks_zeroed_and_swapped_are_found_or_harmless),
    T(every_file_gone_is_found_or_harmless),
};

int main(int argc, char **argv)
{
    /* A window comes from the heap again and again, not from the kernel. */
    mallopt(M_MMAP_THRESHOLD, 1 << 30);
    mallopt(M_TRIM_THRESHOLD, 1 << 30);
    return test_main(tests, TN_ARRAY_COUNT(tests), argc, argv);
}
