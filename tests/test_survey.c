/*
 * test_survey.c - a damaged log is looked through: what is damaged is told, and what is not can be
 * read
 *
 * A log of known history is damaged in one place. The survey must agree with opening about whether
 * there is a store, name damage exactly when opening refuses, and give back no value that was never
 * written, and every value whose section is not the damaged one.
 *
 * Environment: SEED; ALL=1 flips every bit of every log.
 *
 * Under sanitizers, which look for other mistakes and take ten times as long, fewer bits are
 * flipped.
 */
#include "log/survey.h"
#include "log_known.h"

#include <errno.h>
#include <malloc.h>

#define LOGS 6u
#define NOWHERE UINT64_MAX

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED true
#endif
#endif
#ifndef SANITIZED
#define SANITIZED false
#endif

/* What opening answers now; the state is what it reads. */
struct answer {
    int result;
    uint64_t number;
    uint64_t dropped_bytes, dropped_offset;
    struct rig_state state;
};

static void answer_take(struct rig *r, struct answer *out)
{
    *out = (struct answer){ .result = rig_read(r) };
    if (out->result != TARN_OK)
        return;
    out->number = tn_log_last(r->log)->number;
    out->dropped_bytes = r->report.dropped_bytes;
    out->dropped_offset = r->report.dropped_offset;
    out->state = r->state;
    check_ok(rig_close(r, false));
}

/* Some commit had this value for the key, or none. */
static bool was_written(const struct known *known, unsigned key, const struct rig_state *state)
{
    unsigned i;

    for (i = 0; i <= known->last; i++)
        if (known->states[i].seeds[key] == state->seeds[key] &&
            known->states[i].sizes[key] == state->sizes[key])
            return true;
    return false;
}

/* The commit that changed the key last, up to `newest`. */
static unsigned changed_last(const struct known *known, unsigned key, uint64_t newest)
{
    unsigned i;

    for (i = (unsigned)newest; i > 0; i--)
        if (known->states[i].seeds[key] != known->states[i - 1].seeds[key])
            return i;
    return 0;
}

static void damages_check(const struct rig *r, const struct tn_log_survey *survey)
{
    size_t i;

    for (i = 0; i < survey->damage_count; i++) {
        const tarn_damage *damage = &survey->damages[i];
        uint64_t bytes = rig_file_bytes(r, (unsigned)damage->file);

        check(damage->what != NULL && damage->kind >= 0 && damage->kind < TARN_DAMAGE_KIND_COUNT);
        check(damage->file == 0 || damage->offset <= bytes);
        check(damage->file == 0 || damage->bytes <= bytes);
    }
}

/* `hurt`: the section that was damaged, where that is known. */
static void replay_check(struct known *known, struct tn_log_survey *survey, uint64_t hurt)
{
    struct rig *r = &known->rig;
    uint64_t newest = survey->newest;
    unsigned key;

    memset(&r->state, 0, sizeof r->state);
    check(newest <= known->last);
    check_ok(tn_log_survey_replay(survey, false, rig_one, r));
    for (key = 0; key < RIG_KEYS && newest <= known->last; key++) {
        check(was_written(known, key, &r->state));
        if (hurt == NOWHERE || (hurt != 0 && changed_last(known, key, newest) == hurt))
            continue;
        check_eq(r->state.seeds[key], known->states[newest].seeds[key]);
        check_eq(r->state.sizes[key], known->states[newest].sizes[key]);
    }
}

static void note_check(struct tn_log_survey *survey)
{
    char wanted[64];
    uint64_t number;
    tarn_bytes note;

    check_ok(tn_log_survey_note(survey, &number, &note));
    snprintf(wanted, sizeof wanted, "note %d", (int)number);
    check(number <= survey->newest);
    check_bytes(note.data, note.bytes, wanted, number == 0 ? 0 : strlen(wanted));
}

static void survey_check(struct known *known, uint64_t hurt)
{
    struct rig *r = &known->rig;
    struct tn_log_survey *survey = NULL;
    struct tn_log_report report;
    struct answer answer;
    int result;

    answer_take(r, &answer);
    result = tn_log_survey_open(&survey, &r->os, &r->memory, r->path, &r->options, &report);
    if (result != TARN_OK) {
        check_eq(result, answer.result);
        check(result != TARN_E_IO || report.no_store);
        check(report.text[0] != '\0');
        return;
    }
    check_eq(survey->result == TARN_OK, answer.result == TARN_OK);
    check_eq(survey->damage_count > survey->counts[TARN_DAMAGE_HARMLESS], answer.result != TARN_OK);
    damages_check(r, survey);
    if (answer.result == TARN_OK) {
        check_eq(survey->newest, answer.number);
        check_eq(report.dropped_bytes, answer.dropped_bytes);
        check_eq(report.dropped_offset, answer.dropped_offset);
    }
    replay_check(known, survey, answer.result == TARN_OK ? 0 : hurt);
    if (answer.result == TARN_OK)
        check_bytes(&r->state, sizeof r->state, &answer.state, sizeof answer.state);
    note_check(survey);
    tn_log_survey_close(survey);
    check_eq(r->memory.counted_bytes, 0);
}

/* ---- damage ---------------------------------------------------------------------------------- */

/*
 * Of a log in one file: the section at that place, 0 in front of the first. The store's id is
 * nowhere else.
 */
static uint64_t section_at(const struct known *known, uint64_t offset)
{
    unsigned i;

    if (offset < TN_LOG_HEADER_BYTES)
        return offset - TN_LOG_STORE_ID_AT < TN_LOG_STORE_ID_BYTES ? NOWHERE : 0;
    for (i = 1; i < known->last && known->ends[i] <= offset; i++) {
    }
    return i;
}

/*
 * The rest of a header, and what is behind a section that was synced: zeros, and many of them on
 * both sides.
 */
static bool is_among_zeros(const struct rig *r, unsigned file, uint64_t at)
{
    static const uint8_t zeros[2 * TN_LOG_STEP_BYTES];
    uint64_t bytes;
    const uint8_t *data =
        tn_disk_file_data(tn_simulated_disk(r->simulated), rig_file(r, file), &bytes);

    return at >= TN_LOG_STEP_BYTES && at + TN_LOG_STEP_BYTES <= bytes &&
           memcmp(data + at - TN_LOG_STEP_BYTES, zeros, sizeof zeros) == 0;
}

static void every_flip(struct known *known, unsigned seed, bool one_file, bool every_bit)
{
    struct rig *r = &known->rig;
    uint64_t at;
    unsigned file, bit;

    for (file = 1; file < 16; file++)
        for (at = 0; at < rig_file_bytes(r, file) && test_failures == 0; at += test_stride()) {
            if (at % 251 != 0 && getenv("ALL") == NULL && is_among_zeros(r, file, at))
                continue;
            for (bit = 0; bit < 8; bit++) {
                if (!every_bit && bit != at % 8)
                    continue;
                rig_flip(r, file, at, bit);
                survey_check(known, one_file ? section_at(known, at) : NOWHERE);
                rig_flip(r, file, at, bit);
            }
            if (test_failures != 0)
                printf("# log %u, file %u, offset %" PRIu64 "\n", seed, file, at);
        }
}

static void a_flipped_bit_is_told_and_nothing_else_is_lost(void)
{
    unsigned i;

    for (i = 0; i < LOGS && test_failures == 0; i++) {
        struct known *known = calloc(1, sizeof *known);

        known_make(known, test_seed() * 1000 + i, i % 2 == 0, i % 3 == 0 ? 4500 : 0);
        survey_check(known, 0);
        every_flip(known, i, i % 3 != 0, (i == 1 && !SANITIZED) || getenv("ALL") != NULL);
        known_end(known);
    }
}

static void a_file_cut_short_gives_what_is_left(void)
{
    unsigned i;

    for (i = 0; i < LOGS && test_failures == 0; i++) {
        struct known *known = calloc(1, sizeof *known);
        uint64_t bytes;

        known_make(known, test_seed() * 1000 + i, i % 2 == 0, 0);
        known->rig.options.create = false;
        for (bytes = rig_file_bytes(&known->rig, 1); bytes > 7 && test_failures == 0;) {
            bytes -= 7;
            check_ok(tn_disk_file_truncate(tn_simulated_disk(known->rig.simulated),
                                           rig_file(&known->rig, 1), bytes));
            survey_check(known, NOWHERE);
        }
        known_end(known);
    }
}

static void blocks_zeroed_are_told(void)
{
    static const uint8_t zeros[512];
    unsigned i;

    for (i = 0; i < LOGS && test_failures == 0; i++) {
        struct known *known = calloc(1, sizeof *known);
        struct rig *r = &known->rig;
        uint64_t at, bytes;
        uint8_t kept[512];

        known_make(known, test_seed() * 1000 + i, i % 2 == 0, 0);
        for (at = 0; at + 512 <= rig_file_bytes(r, 1) && test_failures == 0; at += 512) {
            memcpy(kept,
                   tn_disk_file_data(tn_simulated_disk(r->simulated), rig_file(r, 1), &bytes) + at,
                   512);
            rig_damage(r, 1, at, zeros, 512);
            survey_check(known, NOWHERE);
            rig_damage(r, 1, at, kept, 512);
        }
        known_end(known);
    }
}

static void a_file_that_is_gone_or_under_a_wrong_name_is_told(void)
{
    unsigned i, file;

    for (i = 0; i < LOGS; i++)
        for (file = 1; file < 16; file++) {
            struct known *known = calloc(1, sizeof *known);
            struct tn_disk *disk;
            char name[32], other[32];
            int directory;

            known_make(known, test_seed() * 1000 + i, i % 2 == 0, 4500);
            known->rig.options.create = false;
            disk = tn_simulated_disk(known->rig.simulated);
            directory = tn_disk_directory_find(disk, RIG_PATH);
            rig_file_name(name, file);
            rig_file_name(other, 0x77);
            if (tn_disk_file_find(disk, directory, name) >= 0) {
                check_ok(tn_disk_rename(disk, directory, name, other));
                survey_check(known, NOWHERE);
                check_ok(tn_disk_unlink(disk, directory, other));
                survey_check(known, NOWHERE);
            }
            known_end(known);
        }
}

/* ---- large sections -------------------------------------------------------------------------- */

/* A section of several blocks: one is damaged, and what the others hold is there. */
static void of_a_damaged_section_the_other_blocks_are_read(void)
{
    struct known *known = calloc(1, sizeof *known);
    struct rig *r = &known->rig;
    struct tn_log_survey *survey = NULL;
    struct tn_log_report report;
    unsigned key, lost = 0;

    rig_init(r, NULL);
    r->sweep_count = 0;
    check_ok(rig_open(r));
    for (key = 0; key < 10; key++)
        rig_put(r, key, key + 1, 40000); /* heads at multiples of 40032: none in block 3 */
    check_ok(rig_commit(r, true));
    known->states[1] = r->state;
    known->last = 1;
    check_ok(rig_close(r, true));
    rig_flip(r, 1, TN_LOG_HEADER_BYTES + 3 * TN_LOG_BLOCK_BYTES + 6000, 2); /* within a value */
    check_ok(tn_log_survey_open(&survey, &r->os, &r->memory, r->path, &r->options, &report));
    if (survey != NULL) {
        check_eq(survey->result, TARN_E_CORRUPT);
        check_eq(survey->counts[TARN_DAMAGE_LOST], 1);
        check_eq(survey->damages[0].offset, TN_LOG_HEADER_BYTES + 3 * TN_LOG_BLOCK_BYTES);
        check_eq(survey->damages[0].bytes, TN_LOG_BLOCK_BYTES);
        memset(&r->state, 0, sizeof r->state);
        check_ok(tn_log_survey_replay(survey, false, rig_one, r));
        for (key = 0; key < 10; key++)
            lost += r->state.seeds[key] == 0;
        check_eq(lost, 1);
        check_eq(r->state.seeds[1], 0);
    }
    tn_log_survey_close(survey);
    rig_end(r);
    free(known);
}

/* ---- the system ------------------------------------------------------------------------------ */

static void what_the_system_refuses_is_answered_and_all_memory_comes_back(void)
{
    static const enum tn_simulated_call kinds[] = { TN_CALL_DIRECTORY_OPEN, TN_CALL_DIRECTORY_LIST,
                                                    TN_CALL_FILE_OPEN, TN_CALL_FILE_SIZE,
                                                    TN_CALL_FILE_READ };
    struct known *known = calloc(1, sizeof *known);
    struct rig *r = &known->rig;
    size_t kind;
    uint64_t n;

    known_make(known, test_seed(), true, 4500);
    for (kind = 0; kind < TN_ARRAY_COUNT(kinds); kind++)
        for (n = 1; n < 40; n++) {
            struct tn_log_survey *survey = NULL;
            struct tn_log_report report;
            int result;

            tn_simulated_fail(r->simulated, kinds[kind], n, EIO, true);
            result = tn_log_survey_open(&survey, &r->os, &r->memory, r->path, &r->options, &report);
            tn_simulated_fail_none(r->simulated);
            check(result == TARN_OK || result == TARN_E_IO);
            check((result == TARN_OK) == (survey != NULL));
            if (survey != NULL)
                replay_check(known, survey, NOWHERE);
            tn_log_survey_close(survey);
            check_eq(r->memory.counted_bytes, 0);
        }
    known_end(known);
}

/* A file that is there, and that whoever asks may not read, says nothing of the store. */
static void files_that_may_not_be_opened_are_no_damage(void)
{
    static const int errors[] = { EACCES, EPERM, EMFILE, ENFILE };
    struct known *known = calloc(1, sizeof *known);
    struct rig *r = &known->rig;
    struct tn_log_report report;
    size_t i;

    known_make(known, test_seed(), true, 4500);
    for (i = 0; i < TN_ARRAY_COUNT(errors); i++) {
        struct tn_log_survey *survey = NULL;

        tn_simulated_fail(r->simulated, TN_CALL_FILE_OPEN, 1 + i % 2, errors[i], true);
        check_eq(tn_log_survey_open(&survey, &r->os, &r->memory, r->path, &r->options, &report),
                 TARN_E_IO);
        tn_simulated_fail_none(r->simulated);
        check(survey == NULL && strstr(report.text, "cannot be opened") != NULL);
    }
    known_end(known);
}

static void refused_memory_is_answered(void)
{
    struct known *known = calloc(1, sizeof *known);
    struct rig *r = &known->rig;
    int result = TARN_E_MEMORY;
    uint64_t n;

    known_make(known, test_seed() + 1, false, 0);
    rig_flip(r, 1, TN_LOG_HEADER_BYTES + 20, 1);
    tn_memory_init(&r->memory, allocator_call, &r->allocator, 0);
    for (n = 1; result == TARN_E_MEMORY && n < 100; n++) {
        struct tn_log_survey *survey = NULL;
        struct tn_log_report report;

        r->allocator.refuse_at = r->allocator.asked + n;
        result = tn_log_survey_open(&survey, &r->os, &r->memory, r->path, &r->options, &report);
        check(result == TARN_OK || (result == TARN_E_MEMORY && report.text[0] != '\0'));
        tn_log_survey_close(survey);
        check_eq(r->memory.counted_bytes, 0);
    }
    check_ok(result);
    check(n > 4);
    r->allocator.refuse_at = UINT64_MAX;
    known_end(known);
}

/* V5: a writer that goes on at every look. */
struct meddler {
    struct rig *r;
    unsigned left;
    bool inside;
};

static void meddle(void *argument, enum tn_simulated_call kind)
{
    struct meddler *meddler = argument;
    static const uint8_t more[64] = "something";

    if (kind != TN_CALL_DIRECTORY_LIST || meddler->inside || meddler->left == 0)
        return;
    meddler->inside = true;
    meddler->left--;
    rig_damage(meddler->r, 1, rig_file_bytes(meddler->r, 1), more, sizeof more);
    meddler->inside = false;
}

static void damage_while_files_change_is_asked_for_again_and_then_busy(void)
{
    struct known *known = calloc(1, sizeof *known);
    struct rig *r = &known->rig;
    struct meddler meddler = { .r = r, .left = 3 };
    struct tn_log_survey *survey = NULL;
    struct tn_log_report report;

    known_make(known, test_seed() + 2, true, 0);
    rig_flip(r, 1, TN_LOG_HEADER_BYTES + 20, 1);
    tn_simulated_watch(r->simulated, meddle, &meddler);
    check_ok(tn_log_survey_open(&survey, &r->os, &r->memory, r->path, &r->options, &report));
    check_eq(meddler.left, 0);
    check(survey != NULL && survey->result == TARN_E_CORRUPT);
    tn_log_survey_close(survey);
    meddler.left = 1000;
    check_eq(tn_log_survey_open(&survey, &r->os, &r->memory, r->path, &r->options, &report),
             TARN_E_BUSY);
    check(strstr(report.text, "change while they are read") != NULL);
    tn_simulated_watch(r->simulated, NULL, NULL);
    known_end(known);
}

static const struct test tests[] = {
    T(a_flipped_bit_is_told_and_nothing_else_is_lost),
    T(a_file_cut_short_gives_what_is_left),
    T(blocks_zeroed_are_told),
    T(a_file_that_is_gone_or_under_a_wrong_name_is_told),
    T(of_a_damaged_section_the_other_blocks_are_read),
    T(what_the_system_refuses_is_answered_and_all_memory_comes_back),
    T(files_that_may_not_be_opened_are_no_damage),
    T(refused_memory_is_answered),
    T(damage_while_files_change_is_asked_for_again_and_then_busy),
};

int main(int argc, char **argv)
{
    mallopt(M_MMAP_THRESHOLD, 1 << 30); /* as in test_log_damage.c */
    mallopt(M_TRIM_THRESHOLD, 1 << 30);
    return test_main(tests, TN_ARRAY_COUNT(tests), argc, argv);
}
