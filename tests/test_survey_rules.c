/*
 * test_survey_rules.c - the rules of survey.h, each on a directory made by hand for it
 *
 *     file 1   | header | #1 | #2 |        sections of any number, incarnation and proof, their entries, copies of
 *     file 2   | header | #2 | #3 |        them; and then a bit of one block is flipped
 *
 * tests/test_survey.c damages what a log wrote, at every bit; but a log that writes seldom has two
 * pasts, two copies and a gap at once. Every directory is opened, too: both must answer the same.
 */
#include "log/survey.h"
#include "log_fixture.h"
#include "log_forge.h"

#define FILES 4u
#define SMALL 24u
/* The value of an entry that is one block: its head is at the block's start. */
#define BLOCK (TN_LOG_BLOCK_BYTES - TN_LOG_ENTRY_HEAD_BYTES - 8 - 8)

/* Part by part: delta, tombstones, sweep. */
struct item {
    enum tn_log_part part;
    unsigned key;
    uint64_t seed;
    size_t bytes;
};

#define DISGUISED                                                                                  \
    77u /* the seed of a value that has an entry of key 9 in it, a block behind its head */

struct placed {
    unsigned file;
    uint64_t at, bytes, identity;
};

struct forge {
    struct rig rig;
    uint8_t ids[FILES + 1][TN_LOG_STORE_ID_BYTES]; /* of each file's header and sections */
    struct tn_log_survey *survey;
    struct tn_log_report report;
};

static void forge_begin(struct forge *f)
{
    memset(f, 0, sizeof *f);
    rig_init(&f->rig, NULL);
    f->rig.options.create = false;
    f->rig.options.read_only = true;
    (void)tn_disk_directory_make(tn_simulated_disk(f->rig.simulated), RIG_PATH);
}

static void forge_end(struct forge *f)
{
    tn_log_survey_close(f->survey);
    rig_end(&f->rig);
}

/* A file of the store with that id. */
static void file_make(struct forge *f, unsigned number, uint8_t id)
{
    struct tn_disk *disk = tn_simulated_disk(f->rig.simulated);
    struct tn_log_header header = { .incarnation = 1, .file = number };
    uint8_t bytes[TN_LOG_HEADER_BYTES];
    char name[32];

    memset(header.store_id, id, sizeof header.store_id);
    memset(header.secret, id, sizeof header.secret);
    memcpy(f->ids[number], header.store_id, sizeof header.store_id);
    tn_log_header_encode(bytes, &header);
    rig_file_name(name, number);
    check(tn_disk_file_make(disk, tn_disk_directory_find(disk, RIG_PATH), name) >= 0);
    rig_damage(&f->rig, number, 0, bytes, sizeof bytes);
}

static void forge_store(struct forge *f, unsigned file_count)
{
    unsigned i;

    forge_begin(f);
    for (i = 1; i <= file_count; i++)
        file_make(f, i, 7);
}

static uint64_t item_write(uint8_t *to, const struct item *item)
{
    const struct tn_log_entry_head head = {
        .key_bytes = 1,
        .value_bytes = item->part == TN_LOG_TOMBSTONES ? 0 : (uint32_t)item->bytes + 8,
        .kind = item->part == TN_LOG_TOMBSTONES ? TN_LOG_TOMBSTONE : TN_LOG_ENTRY,
        .table_id = 1,
    };

    tn_log_entry_head_encode(to, &head);
    to[16] = (uint8_t)item->key;
    if (item->part != TN_LOG_TOMBSTONES) {
        tn_store_le64(to + 24, item->seed);
        rig_value(to + 32, item->seed, item->bytes);
    }
    if (item->seed == DISGUISED)
        (void)item_write(to + TN_LOG_BLOCK_BYTES, &(struct item){ TN_LOG_DELTA, 9, 9, SMALL });
    return tn_log_entry_bytes(1, head.value_bytes);
}

/*
 * At the end of a file. Of `footer`: number, incarnation, first_needed, synced_through, previous.
 * The footer says that the items are entries, or that they are part of the note.
 */
static struct placed section_put_as(struct forge *f, unsigned file, struct tn_log_footer footer,
                                    const struct item *items, size_t count, bool as_note)
{
    struct placed placed = { .file = file,
                             .at = tn_align_up(rig_file_bytes(&f->rig, file), TN_LOG_STEP_BYTES) };
    uint8_t *bytes = calloc(1, 8 * TN_LOG_BLOCK_BYTES);
    uint64_t at = 0, size;
    size_t i;

    for (i = 0; i < count; i++, at += size) {
        size = item_write(bytes + at, &items[i]);
        footer.part_bytes[items[i].part] += size;
        footer.part_counts[items[i].part]++;
    }
    footer.note_bytes = (uint32_t)snprintf((char *)bytes + at, 64, "note %d", (int)footer.number);
    if (as_note) {
        footer.note_bytes += (uint32_t)at;
        memset(footer.part_bytes, 0, sizeof footer.part_bytes);
        memset(footer.part_counts, 0, sizeof footer.part_counts);
    }
    footer.hash_version = 1;
    footer.next_table_id = 2;
    if (footer.incarnation == 0)
        footer.incarnation = 1;
    placed.bytes = forge_section(bytes, &footer, f->ids[file]);
    placed.identity = footer.identity;
    rig_damage(&f->rig, file, placed.at, bytes, placed.bytes);
    free(bytes);
    return placed;
}

static struct placed section_put(struct forge *f, unsigned file, struct tn_log_footer footer,
                                 const struct item *items, size_t count)
{
    return section_put_as(f, file, footer, items, count, false);
}

#define put(f, file, items, ...)                                                                   \
    section_put((f), (file), (struct tn_log_footer){ __VA_ARGS__ }, (items), TN_ARRAY_COUNT(items))

/* One small entry. */
#define put_one(f, file, key_is, ...)                                                              \
    section_put((f), (file), (struct tn_log_footer){ __VA_ARGS__ },                                \
                &(struct item){ TN_LOG_DELTA, (key_is), (key_is), SMALL }, 1)

static struct placed copy_put(struct forge *f, unsigned file, const struct placed *from)
{
    struct placed placed = *from;
    uint8_t *bytes = malloc(from->bytes);
    uint64_t file_bytes;

    placed.file = file;
    placed.at = tn_align_up(rig_file_bytes(&f->rig, file), TN_LOG_STEP_BYTES);
    memcpy(bytes,
           tn_disk_file_data(tn_simulated_disk(f->rig.simulated), rig_file(&f->rig, from->file),
                             &file_bytes) +
               from->at,
           from->bytes);
    rig_damage(&f->rig, file, placed.at, bytes, placed.bytes);
    free(bytes);
    return placed;
}

/* In the middle of the first entry's value, or in that block. */
static void hurt(struct forge *f, const struct placed *placed, unsigned block)
{
    rig_flip(&f->rig, placed->file, placed->at + block * TN_LOG_BLOCK_BYTES + 40, 3);
}

/* Opened, surveyed and replayed: the rig's state is what the survey gives. */
static void survey(struct forge *f, int result)
{
    struct rig *r = &f->rig;
    struct rig_state opened;

    check_eq(rig_read(r), result);
    opened = r->state;
    (void)rig_close(r, false);
    check_ok(tn_log_survey_open(&f->survey, &r->os, &r->memory, r->path, &r->options, &f->report));
    if (f->survey == NULL)
        return;
    check_eq(f->survey->result, result);
    check_eq(f->survey->damage_count > f->survey->counts[TARN_DAMAGE_HARMLESS], result != TARN_OK);
    memset(&r->state, 0, sizeof r->state);
    check_ok(tn_log_survey_replay(f->survey, false, rig_one, r));
    if (result == TARN_OK)
        check_bytes(&r->state, sizeof r->state, &opened, sizeof opened);
}

static void counts_are(const struct forge *f, uint64_t harmless, uint64_t lost, uint64_t refused)
{
    if (f->survey == NULL)
        return;
    check_eq(f->survey->counts[TARN_DAMAGE_HARMLESS], harmless);
    check_eq(f->survey->counts[TARN_DAMAGE_LOST], lost);
    check_eq(f->survey->counts[TARN_DAMAGE_REFUSED], refused);
}

static void range_is(const struct forge *f, uint64_t oldest, uint64_t newest)
{
    if (f->survey == NULL)
        return;
    check_eq(f->survey->oldest, oldest);
    check_eq(f->survey->newest, newest);
}

/* The keys that can be read, and no others: of each its seed, 0 at the end. */
#define keys_are(f, ...) keys_check((f), (const uint64_t[]){ __VA_ARGS__, 0 })

static void keys_check(const struct forge *f, const uint64_t *pairs)
{
    uint64_t wanted[RIG_KEYS] = { 0 };

    for (; pairs[0] != 0; pairs += 2)
        wanted[pairs[0]] = pairs[1];
    check_bytes(f->rig.state.seeds, sizeof f->rig.state.seeds, wanted, sizeof wanted);
}

/* ---- V1 -------------------------------------------------------------------------------------- */

/* #2 is lost, so nothing opens; #4 was not synced when it was damaged, and #5 stands on it. */
static void newest_is_what_was_synced_and_the_whole_sections_behind_it(void)
{
    struct forge f;
    struct placed one, two, three, four;
    uint64_t number;
    tarn_bytes note;

    forge_store(&f, 1);
    one = put_one(&f, 1, 1, .number = 1, .first_needed = 1);
    two = put_one(&f, 1, 2, .number = 2, .first_needed = 1, .previous = one.identity);
    three = put_one(&f, 1, 3, .number = 3, .first_needed = 2, .previous = two.identity,
                    .synced_through = 2);
    four = put_one(&f, 1, 4, .number = 4, .first_needed = 1, .previous = three.identity,
                   .synced_through = 2);
    (void)put_one(&f, 1, 5, .number = 5, .first_needed = 1, .previous = four.identity,
                  .synced_through = 2);
    hurt(&f, &two, 0);
    hurt(&f, &four, 0);
    survey(&f, TARN_E_CORRUPT);
    range_is(&f, 2, 3);
    counts_are(&f, 0, 1, 0);
    keys_are(&f, 1, 1, 3, 3);
    check_ok(tn_log_survey_note(f.survey, &number, &note));
    check_eq(number, 3);
    check_bytes(note.data, note.bytes, "note 3", 6);
    forge_end(&f);
}

/* ---- V2 -------------------------------------------------------------------------------------- */

/* After #2 a power loss; incarnation 2 went on with another #3. Later #1 is damaged. */
static void what_a_later_incarnation_wrote_anew_is_discarded_with_all_above_it(void)
{
    static const struct item two_blocks[] = { { TN_LOG_DELTA, 3, 3, BLOCK },
                                              { TN_LOG_DELTA, 6, 6, BLOCK } };
    struct forge f;
    struct placed one, two, three;

    forge_store(&f, 2);
    one = put_one(&f, 1, 1, .number = 1, .first_needed = 1);
    two = put_one(&f, 1, 2, .number = 2, .first_needed = 1, .previous = one.identity);
    three = put(&f, 1, two_blocks, .number = 3, .first_needed = 1, .previous = two.identity);
    (void)put_one(&f, 1, 4, .number = 4, .first_needed = 1, .previous = three.identity);
    (void)put_one(&f, 2, 5, .number = 3, .first_needed = 1, .previous = two.identity,
                  .synced_through = 2, .incarnation = 2);
    hurt(&f, &one, 0);
    hurt(&f, &three, 1); /* what is discarded may be damaged */
    survey(&f, TARN_E_CORRUPT);
    range_is(&f, 1, 3);
    counts_are(&f, 0, 1, 0);
    keys_are(&f, 2, 2, 5, 5);
    check_eq(f.survey->section_count, 2);
    forge_end(&f);
}

/* Two pasts, both whole: opening takes the younger file's. */
static void of_a_number_that_opening_accepts_only_that_section_counts(void)
{
    static const struct item two_blocks[] = { { TN_LOG_DELTA, 2, 2, BLOCK },
                                              { TN_LOG_DELTA, 6, 6, BLOCK } };
    struct forge f;
    struct placed one, other;
    int damaged;

    for (damaged = 0; damaged < 2; damaged++) {
        forge_store(&f, 2);
        one = put_one(&f, 1, 1, .number = 1, .first_needed = 1);
        other = put(&f, 1, two_blocks, .number = 2, .first_needed = 1, .previous = one.identity);
        (void)put_one(&f, 2, 3, .number = 2, .first_needed = 1, .previous = one.identity,
                      .incarnation = 2);
        if (damaged)
            hurt(&f, &other, 1);
        survey(&f, TARN_OK);
        range_is(&f, 1, 2);
        counts_are(&f, 0, 0, 0);
        keys_are(&f, 1, 1, 3, 3);
        forge_end(&f);
    }
}

/*
 * What the later incarnation wrote was never synced and is torn: opening goes back, and so does the
 * survey.
 */
static void what_opening_accepts_counts_against_a_later_incarnation_too(void)
{
    static const struct item two_blocks[] = { { TN_LOG_DELTA, 3, 3, BLOCK },
                                              { TN_LOG_DELTA, 6, 6, BLOCK } };
    struct forge f;
    struct placed one, torn;

    forge_store(&f, 2);
    one = put_one(&f, 1, 1, .number = 1, .first_needed = 1);
    (void)put_one(&f, 1, 2, .number = 2, .first_needed = 1, .previous = one.identity);
    torn = put(&f, 2, two_blocks, .number = 2, .first_needed = 1, .previous = one.identity,
               .synced_through = 1, .incarnation = 2);
    hurt(&f, &torn, 1);
    survey(&f, TARN_OK);
    range_is(&f, 1, 2);
    counts_are(&f, 0, 0, 0);
    keys_are(&f, 1, 1, 2, 2);
    forge_end(&f);
}

/* ---- V3 -------------------------------------------------------------------------------------- */

/* #2 is in both files. */
static void of_two_copies_one_may_be_bad(void)
{
    struct forge f;
    struct placed one, copies[2];
    unsigned bad;

    for (bad = 0; bad < 4; bad++) {
        forge_store(&f, 2);
        one = put_one(&f, 1, 1, .number = 1, .first_needed = 1);
        copies[0] = put_one(&f, 1, 2, .number = 2, .first_needed = 1, .previous = one.identity);
        copies[1] = copy_put(&f, 2, &copies[0]);
        (void)put_one(&f, 2, 3, .number = 3, .first_needed = 1, .previous = copies[0].identity,
                      .synced_through = 2);
        if (bad & 1)
            hurt(&f, &copies[0], 0);
        if (bad & 2)
            hurt(&f, &copies[1], 0);
        survey(&f, bad == 3 ? TARN_E_CORRUPT : TARN_OK);
        counts_are(&f, bad == 1 || bad == 2, bad == 3 ? 2 : 0, 0);
        if (bad == 3)
            keys_are(&f, 1, 1, 3, 3);
        else
            keys_are(&f, 1, 1, 2, 2, 3, 3);
        forge_end(&f);
    }
}

static void what_lies_before_the_oldest_may_be_bad(void)
{
    struct forge f;
    struct placed one;

    forge_store(&f, 1);
    one = put_one(&f, 1, 1, .number = 1, .first_needed = 1);
    (void)put_one(&f, 1, 2, .number = 2, .first_needed = 2, .previous = one.identity,
                  .synced_through = 1);
    hurt(&f, &one, 0);
    survey(&f, TARN_OK);
    range_is(&f, 2, 2);
    counts_are(&f, 1, 0, 0);
    keys_are(&f, 2, 2);
    forge_end(&f);
}

/* ---- V4 -------------------------------------------------------------------------------------- */

/* What the sweep wrote is older than what the same commit changed. */
static void the_sweep_of_a_section_is_replayed_before_its_changes(void)
{
    static const struct item items[] = {
        { TN_LOG_DELTA, 1, 11, SMALL },     { TN_LOG_TOMBSTONES, 2, 0, 0 },
        { TN_LOG_SWEEP, 1, 10, SMALL },     { TN_LOG_SWEEP, 2, 20, SMALL },
        { TN_LOG_SWEEP, 3, 30, 3 * BLOCK },
    };
    struct forge f;
    struct placed one;
    int damaged;

    for (damaged = 0; damaged < 2; damaged++) {
        forge_store(&f, 1);
        one = put(&f, 1, items, .number = 1, .first_needed = 1);
        (void)put_one(&f, 1, 4, .number = 2, .first_needed = 1, .previous = one.identity,
                      .synced_through = 1);
        if (damaged)
            hurt(&f, &one, 2);
        survey(&f, damaged ? TARN_E_CORRUPT : TARN_OK);
        counts_are(&f, 0, damaged ? 1 : 0, 0);
        if (damaged)
            keys_are(&f, 1, 11, 4, 4);
        else
            keys_are(&f, 1, 11, 3, 30, 4, 4);
        forge_end(&f);
    }
}

/* Each copy has what the other has lost; the younger file's is looked at first. */
static void of_two_bad_copies_both_are_replayed_part_by_part(void)
{
    static const struct item items[] = { { TN_LOG_DELTA, 1, 11, BLOCK },
                                         { TN_LOG_DELTA, 2, 12, BLOCK },
                                         { TN_LOG_SWEEP, 1, 10, BLOCK },
                                         { TN_LOG_SWEEP, 3, 13, BLOCK } };
    struct forge f;
    struct placed one, copy;

    forge_store(&f, 2);
    one = put(&f, 1, items, .number = 1, .first_needed = 1);
    copy = copy_put(&f, 2, &one);
    (void)put_one(&f, 2, 4, .number = 2, .first_needed = 1, .previous = one.identity,
                  .synced_through = 1);
    hurt(&f, &one, 0);  /* key 1, as it is now */
    hurt(&f, &copy, 2); /* key 1, as it was */
    hurt(&f, &copy, 3);
    survey(&f, TARN_E_CORRUPT);
    counts_are(&f, 0, 2, 0);
    keys_are(&f, 1, 11, 2, 12, 3, 13, 4, 4);
    forge_end(&f);
}

/* What a user stores may look like an entry; it is none. */
static void behind_a_head_that_is_lost_nothing_is_taken_for_an_entry(void)
{
    static const struct item items[] = { { TN_LOG_DELTA, 1, DISGUISED, 3 * BLOCK },
                                         { TN_LOG_SWEEP, 2, 2, SMALL } };
    struct forge f;
    struct placed one;

    forge_store(&f, 1);
    one = put(&f, 1, items, .number = 1, .first_needed = 1);
    (void)put_one(&f, 1, 3, .number = 2, .first_needed = 1, .previous = one.identity,
                  .synced_through = 1);
    hurt(&f, &one, 0);
    survey(&f, TARN_E_CORRUPT);
    counts_are(&f, 0, 1, 0);
    keys_are(&f, 2, 2, 3, 3);
    forge_end(&f);
}

/* ---- V7 -------------------------------------------------------------------------------------- */

/*
 * #3 has swept key 1; where that is lost #1 still has it. But without #2 nobody knows what was
 * deleted meanwhile.
 */
static void what_lies_before_the_oldest_is_used_when_something_is_lost_and_nothing_is_missing(void)
{
    static const struct item first[] = { { TN_LOG_DELTA, 1, 1, SMALL },
                                         { TN_LOG_DELTA, 2, 2, SMALL } };
    static const struct item second[] = { { TN_LOG_TOMBSTONES, 2, 0, 0 } };
    static const struct item third[] = { { TN_LOG_DELTA, 3, 3, BLOCK },
                                         { TN_LOG_SWEEP, 1, 1, BLOCK } };
    struct forge f;
    struct placed one, two, three;
    int gap;

    for (gap = 0; gap < 2; gap++) {
        forge_store(&f, 3);
        one = put(&f, 1, first, .number = 1, .first_needed = 1);
        two = put(&f, 2, second, .number = 2, .first_needed = 1, .previous = one.identity);
        three = put(&f, 3, third, .number = 3, .first_needed = 3, .previous = two.identity);
        (void)put_one(&f, 3, 4, .number = 4, .first_needed = 3, .previous = three.identity,
                      .synced_through = 3);
        hurt(&f, &three, 1);
        if (gap)
            check_ok(tn_disk_file_truncate(tn_simulated_disk(f.rig.simulated), rig_file(&f.rig, 2),
                                           TN_LOG_HEADER_BYTES));
        survey(&f, TARN_E_CORRUPT);
        range_is(&f, 3, 4);
        counts_are(&f, 0, 1, 0);
        if (gap)
            keys_are(&f, 3, 3, 4, 4);
        else
            keys_are(&f, 1, 1, 3, 3, 4, 4);
        forge_end(&f);
    }
}

static void what_lies_before_the_oldest_is_not_used_when_nothing_is_lost(void)
{
    struct forge f;
    struct placed one;

    forge_store(&f, 1);
    one = put_one(&f, 1, 1, .number = 1, .first_needed = 1);
    (void)put_one(&f, 1, 2, .number = 2, .first_needed = 2, .previous = one.identity);
    survey(&f, TARN_OK);
    keys_are(&f, 2, 2);
    forge_end(&f);
}

/*
 * Key 1 is lost in #3, so what #1 and #2 have takes its place; but the tombstone of key 2 in #2 is
 * lost, too. When nothing of #3 is lost, #2 is nobody's business.
 */
static void a_delete_that_is_lost_before_the_oldest_is_told_when_that_is_used(void)
{
    static const struct item first[] = { { TN_LOG_DELTA, 1, 1, SMALL },
                                         { TN_LOG_DELTA, 2, 2, SMALL } };
    static const struct item second[] = { { TN_LOG_DELTA, 5, 5, BLOCK },
                                          { TN_LOG_TOMBSTONES, 2, 0, 0 } };
    static const struct item third[] = { { TN_LOG_DELTA, 3, 3, BLOCK },
                                         { TN_LOG_SWEEP, 1, 1, BLOCK } };
    struct forge f;
    struct placed one, two, three;
    int lossy;

    for (lossy = 0; lossy < 2; lossy++) {
        forge_store(&f, 1);
        one = put(&f, 1, first, .number = 1, .first_needed = 1);
        two = put(&f, 1, second, .number = 2, .first_needed = 1, .previous = one.identity);
        three = put(&f, 1, third, .number = 3, .first_needed = 3, .previous = two.identity);
        (void)put_one(&f, 1, 4, .number = 4, .first_needed = 3, .previous = three.identity,
                      .synced_through = 3);
        rig_flip(&f.rig, 1, two.at + TN_LOG_BLOCK_BYTES + TN_LOG_ENTRY_HEAD_BYTES, 0);
        if (lossy)
            hurt(&f, &three, 1);
        survey(&f, lossy ? TARN_E_CORRUPT : TARN_OK);
        counts_are(&f, lossy ? 0 : 1, lossy ? 2 : 0, 0);
        if (lossy) {
            keys_are(&f, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5);
            check_eq(f.survey->damages[0].commit_number, 3);
            check(strstr(f.survey->damages[0].what, "deletes are lost") == NULL);
            check_eq(f.survey->damages[1].commit_number, 2);
            check(strstr(f.survey->damages[1].what, "deletes are lost") != NULL);
        } else {
            keys_are(&f, 1, 1, 3, 3, 4, 4);
            check(strstr(f.survey->damages[0].what, "deletes are lost") == NULL);
        }
        forge_end(&f);
    }
}

/* Without #3 nobody replays #2, whatever is lost. */
static void what_is_bad_before_a_gap_is_harmless(void)
{
    struct forge f;
    struct placed one, two, three, four;

    forge_store(&f, 2);
    one = put_one(&f, 1, 1, .number = 1, .first_needed = 1);
    two = put_one(&f, 1, 2, .number = 2, .first_needed = 1, .previous = one.identity);
    three = put_one(&f, 2, 3, .number = 3, .first_needed = 1, .previous = two.identity);
    four = put_one(&f, 1, 4, .number = 4, .first_needed = 4, .previous = three.identity);
    (void)put_one(&f, 1, 5, .number = 5, .first_needed = 4, .previous = four.identity,
                  .synced_through = 4);
    check_ok(tn_disk_file_truncate(tn_simulated_disk(f.rig.simulated), rig_file(&f.rig, 2),
                                   TN_LOG_HEADER_BYTES));
    hurt(&f, &two, 0);
    hurt(&f, &four, 0);
    survey(&f, TARN_E_CORRUPT);
    range_is(&f, 4, 5);
    counts_are(&f, 1, 1, 0);
    keys_are(&f, 5, 5);
    forge_end(&f);
}

/* ---- V8 -------------------------------------------------------------------------------------- */

/*
 * Two directories: in one #2 has an entry, in the other a note that looks like it. But for the
 * footer they are the same to the byte, checksums included; so when that is lost, nobody can know
 * which of them it was.
 */
static void without_its_footer_a_section_is_missing_whatever_else_of_it_holds(void)
{
    static const struct item item = { TN_LOG_DELTA, 9, 9, BLOCK };
    static uint8_t seen[2][2 * TN_LOG_BLOCK_BYTES];
    struct forge f;
    struct placed one, two;
    uint64_t bytes;
    const uint8_t *data;
    int as_note;

    for (as_note = 0; as_note < 2; as_note++) {
        forge_store(&f, 1);
        one = put_one(&f, 1, 1, .number = 1, .first_needed = 1);
        two = section_put_as(
            &f, 1,
            (struct tn_log_footer){ .number = 2, .first_needed = 1, .previous = one.identity },
            &item, 1, as_note != 0);
        (void)put_one(&f, 1, 3, .number = 3, .first_needed = 1, .previous = two.identity,
                      .synced_through = 2);
        data = tn_disk_file_data(tn_simulated_disk(f.rig.simulated), rig_file(&f.rig, 1), &bytes);
        check(two.bytes <= sizeof seen[0]);
        memcpy(seen[as_note], data + two.at, two.bytes - TN_LOG_FOOTER_BYTES);
        rig_flip(&f.rig, 1, two.at + two.bytes - 1, 0);
        survey(&f, TARN_E_CORRUPT);
        counts_are(&f, 0, 1, 0);
        keys_are(&f, 1, 1, 3, 3);
        check_eq(f.survey->damages[0].commit_number, 2);
        check_eq(f.survey->damages[0].offset, two.at);
        check_eq(f.survey->damages[0].bytes, two.bytes);
        forge_end(&f);
    }
    check_bytes(seen[0], sizeof seen[0], seen[1], sizeof seen[1]);
}

/* ---- whose files they are -------------------------------------------------------------------- */

/* A file of another store is the first of three. */
static void the_store_is_the_one_that_most_headers_are_of(void)
{
    struct forge f;
    struct placed one;

    forge_begin(&f);
    file_make(&f, 1, 9);
    file_make(&f, 2, 7);
    file_make(&f, 3, 7);
    (void)put_one(&f, 1, 9, .number = 1, .first_needed = 1);
    one = put_one(&f, 2, 1, .number = 1, .first_needed = 1);
    (void)put_one(&f, 3, 2, .number = 2, .first_needed = 1, .previous = one.identity);
    survey(&f, TARN_E_CORRUPT);
    range_is(&f, 1, 2);
    counts_are(&f, 0, 0, 1);
    check_eq(f.survey->damages[0].file, 1);
    keys_are(&f, 1, 1, 2, 2);
    forge_end(&f);
}

/* No header holds: of the first the id is damaged, of the second something else. */
static void a_header_that_does_not_hold_may_have_the_id_that_sections_hold_with(void)
{
    struct forge f;
    struct placed one;
    int both;

    for (both = 0; both < 2; both++) {
        forge_store(&f, 2);
        one = put_one(&f, 1, 1, .number = 1, .first_needed = 1);
        (void)put_one(&f, 2, 2, .number = 2, .first_needed = 1, .previous = one.identity);
        rig_flip(&f.rig, 1, TN_LOG_STORE_ID_AT, 0);
        rig_flip(&f.rig, 2, both ? TN_LOG_STORE_ID_AT + 1 : 1000, 0);
        survey(&f, TARN_E_CORRUPT);
        counts_are(&f, 0, 0, 2); /* the headers */
        if (both) {
            check_eq(f.survey->scan.count, 0);
            check_eq(f.rig.entries_seen, 0);
        } else {
            range_is(&f, 1, 2);
            keys_are(&f, 1, 1, 2, 2);
        }
        forge_end(&f);
    }
}

/* ---- V5 -------------------------------------------------------------------------------------- */

/* Something happens before the `left`-th call of that kind; `always`: before all later ones, too. */
struct meddler {
    struct forge *f;
    const struct placed *mended;
    enum tn_simulated_call kind;
    unsigned left;
    bool always;
    void (*change)(struct rig *r);
};

static void meddle(void *argument, enum tn_simulated_call kind)
{
    struct meddler *meddler = argument;

    if (kind != meddler->kind || meddler->left == 0 || --meddler->left > 0)
        return;
    meddler->left = meddler->always;
    meddler->change(&meddler->f->rig);
    if (meddler->mended != NULL)
        hurt(meddler->f, meddler->mended, 0);
}

static void second_grows(struct rig *r)
{
    rig_damage(r, 2, rig_file_bytes(r, 2), "more", 4);
}

static void first_goes(struct rig *r)
{
    struct tn_disk *disk = tn_simulated_disk(r->simulated);
    char name[32];

    rig_file_name(name, 1);
    check_ok(tn_disk_unlink(disk, tn_disk_directory_find(disk, RIG_PATH), name));
}

static void fourth_comes_for_the_first(struct rig *r)
{
    struct tn_disk *disk = tn_simulated_disk(r->simulated);
    char name[32];

    rig_file_name(name, 4);
    check(tn_disk_file_make(disk, tn_disk_directory_find(disk, RIG_PATH), name) >= 0);
    first_goes(r);
}

/* File 1 has nothing that is needed any more. */
static void two_files(struct forge *f, struct placed *one, struct placed *two)
{
    forge_store(f, 2);
    *one = put_one(f, 1, 1, .number = 1, .first_needed = 1);
    *two = put_one(f, 2, 2, .number = 2, .first_needed = 2, .previous = one->identity);
    (void)put_one(f, 2, 3, .number = 3, .first_needed = 2, .previous = two->identity,
                  .synced_through = 2);
}

static void survey_meddled(struct meddler *meddler, int result)
{
    struct forge *f = meddler->f;
    struct rig *r = &f->rig;

    tn_simulated_watch(r->simulated, meddle, meddler);
    check_ok(tn_log_survey_open(&f->survey, &r->os, &r->memory, r->path, &r->options, &f->report));
    tn_simulated_watch(r->simulated, NULL, NULL);
    if (f->survey != NULL)
        check_eq(f->survey->result, result);
}

/*
 * #2 is half written when it is looked at. By the second list of names it is whole, and the files
 * are others.
 */
static void damage_is_looked_at_again_when_files_grow_come_or_go(void)
{
    static void (*const changes[])(struct rig *) = { second_grows, first_goes,
                                                     fourth_comes_for_the_first };
    struct forge f;
    struct placed one, two;
    size_t i;

    for (i = 0; i < TN_ARRAY_COUNT(changes); i++) {
        struct meddler meddler = { .f = &f, .mended = &two, .kind = TN_CALL_DIRECTORY_LIST };

        two_files(&f, &one, &two);
        hurt(&f, &two, 0);
        meddler.left = 2;
        meddler.change = changes[i];
        survey_meddled(&meddler, TARN_OK);
        counts_are(&f, 0, 0, 0);
        range_is(&f, 2, 3);
        forge_end(&f);
    }
}

static void a_file_that_goes_after_it_was_listed_is_not_missed(void)
{
    struct forge f;
    struct placed one, two;
    struct meddler meddler = { .f = &f, .kind = TN_CALL_FILE_OPEN };

    two_files(&f, &one, &two);
    meddler.left = 1;
    meddler.change = first_goes;
    survey_meddled(&meddler, TARN_OK);
    counts_are(&f, 0, 0, 0);
    range_is(&f, 2, 3);
    forge_end(&f);
}

/* A writer is always at work; damage that nothing comes of is no reason to wait for it. */
static void harmless_damage_is_not_looked_at_again(void)
{
    struct forge f;
    struct placed one, two;
    struct meddler meddler = {
        .f = &f, .kind = TN_CALL_DIRECTORY_LIST, .left = 1, .always = true, .change = second_grows
    };

    two_files(&f, &one, &two);
    hurt(&f, &one, 0);
    survey_meddled(&meddler, TARN_OK);
    counts_are(&f, 1, 0, 0);
    forge_end(&f);
}

static void it_takes_no_lock_and_writes_nothing(void)
{
    static const enum tn_simulated_call kinds[] = {
        TN_CALL_DIRECTORY_LOCK,   TN_CALL_DIRECTORY_SYNC, TN_CALL_DIRECTORY_RENAME,
        TN_CALL_DIRECTORY_UNLINK, TN_CALL_FILE_WRITE,     TN_CALL_FILE_TRUNCATE,
        TN_CALL_FILE_SYNC
    };
    struct forge f;
    struct placed one, two;
    size_t i;

    two_files(&f, &one, &two);
    hurt(&f, &two, 0);
    survey(&f, TARN_E_CORRUPT);
    tn_log_survey_close(f.survey);
    f.rig.options.read_only = false;
    f.rig.options.create = true;
    check_ok(tn_log_survey_open(&f.survey, &f.rig.os, &f.rig.memory, RIG_PATH, &f.rig.options,
                                &f.report));
    for (i = 0; i < TN_ARRAY_COUNT(kinds); i++)
        check_eq(tn_simulated_call_count(f.rig.simulated, kinds[i]), 0);
    forge_end(&f);
}

static const struct test tests[] = {
    T(newest_is_what_was_synced_and_the_whole_sections_behind_it),
    T(what_a_later_incarnation_wrote_anew_is_discarded_with_all_above_it),
    T(of_a_number_that_opening_accepts_only_that_section_counts),
    T(what_opening_accepts_counts_against_a_later_incarnation_too),
    T(of_two_copies_one_may_be_bad),
    T(what_lies_before_the_oldest_may_be_bad),
    T(the_sweep_of_a_section_is_replayed_before_its_changes),
    T(of_two_bad_copies_both_are_replayed_part_by_part),
    T(behind_a_head_that_is_lost_nothing_is_taken_for_an_entry),
    T(what_lies_before_the_oldest_is_used_when_something_is_lost_and_nothing_is_missing),
    T(what_lies_before_the_oldest_is_not_used_when_nothing_is_lost),
    T(a_delete_that_is_lost_before_the_oldest_is_told_when_that_is_used),
    T(what_is_bad_before_a_gap_is_harmless),
    T(without_its_footer_a_section_is_missing_whatever_else_of_it_holds),
    T(the_store_is_the_one_that_most_headers_are_of),
    T(a_header_that_does_not_hold_may_have_the_id_that_sections_hold_with),
    T(damage_is_looked_at_again_when_files_grow_come_or_go),
    T(a_file_that_goes_after_it_was_listed_is_not_missed),
    T(harmless_damage_is_not_looked_at_again),
    T(it_takes_no_lock_and_writes_nothing),
};

TEST_MAIN(tests)
