/*
 * crash.c - what a store is after a power loss at every call; see crash.h
 */
#include "crash.h"
#include "crash_layout.h"

#include "base/checksum.h"
#include "os/simulated.h"
#include "store/check.h"
#include "store/durable.h"

#include <stdlib.h>

#define DIRECTORY "store"
#define COMMITS_MAX 200
#define NESTING_MAX 2
#define NESTED_SUBSET_BITS 3u
#define SEEN_BITS_MIN 12
#define ONWARD_COMMITS_MAX 3u
#define CRASH_NARROW_KEYS 8
#define SURVEY_ONE_IN 16u /* images looked at with the tools */

/* Images of this program met before, and the commit each is. */
struct seen {
    uint64_t key; /* 0: free */
    uint32_t number;
};

struct crash {
    const struct crash_settings *settings;
    const struct crash_layout *layout;
    struct crash_totals *totals;
    uint64_t random;
    struct crash_store *now;                      /* of the store, uncommitted changes included */
    struct crash_store *commits;                  /* K2; COMMITS_MAX + 1 of them */
    uint64_t floor;                               /* K1: synced, or answered by an open */
    uint64_t returned;                            /* the last commit that tarn_commit answered */
    uint64_t submitted;                           /* or is about to */
    struct tn_simulated *levels[NESTING_MAX + 2]; /* [0]: of the program; the next: of its images */
    struct tn_disk *copies[NESTING_MAX + 2];
    struct tn_simulated *surveyor;
    unsigned level; /* of the store that is running */
    bool watching;
    struct seen *seen;
    unsigned seen_bits;
    size_t seen_count;
    uint64_t revolution; /* of the sweep; commits in it so far; buckets when it began */
    uint64_t revolution_commits;
    uint64_t bucket_count;
    struct crash
        *more; /* for more subsets: with a random and systems of its own; shares the rest */
    char failure[700];
};

static int failed(struct crash *c, const char *what)
{
    if (c->failure[0] == '\0')
        (void)snprintf(c->failure, sizeof c->failure,
                       "%s (level %u, commits %" PRIu64 " <= n <= %" PRIu64 ", call %" PRIu64 ")",
                       what, c->level, c->floor, c->submitted,
                       tn_simulated_call_count(c->levels[0], TN_CALL_ANY));
    return -1;
}

static uint64_t below(struct crash *c, uint64_t limit)
{
    return test_random(&c->random) % limit;
}

/* ---- opening --------------------------------------------------------------------------------- */

static int store_open(struct crash *c, unsigned level, tarn_store **out, tarn_report *report)
{
    const tarn_options options = {
        .address_bytes = 64 << 20,
        .file_bytes_min = 12 << 10,
        .report = report,
    };
    struct tn_os os = tn_simulated_os(c->levels[level]);

    return tn_store_open(out, DIRECTORY, &options, &os);
}

/* K1, K2. Answers the commit, or -1. */
static int64_t store_check(struct crash *c, tarn_store *store, uint64_t floor, uint64_t ceiling)
{
    char text[200];
    const char *differs;
    uint64_t number;

    (void)tarn_last_commit(store, &number, NULL);
    if (number < floor || number > ceiling) {
        (void)snprintf(text, sizeof text, "the image is commit %" PRIu64, number);
        return failed(c, text);
    }
    differs = crash_store_differs(store, c->layout, &c->commits[number]);
    if (differs != NULL) {
        (void)snprintf(text, sizeof text, "commit %" PRIu64 ": %s", number, differs);
        return failed(c, text);
    }
    return (int64_t)number;
}

/* ---- images ---------------------------------------------------------------------------------- */

static uint64_t disk_checksum(const struct tn_disk *disk)
{
    int directory = tn_disk_directory_find(disk, DIRECTORY);
    uint64_t sum = 1, bytes;
    const char *name;
    size_t i;

    for (i = 0; directory >= 0 && (name = tn_disk_name(disk, directory, i)) != NULL; i++) {
        const uint8_t *data =
            tn_disk_file_data(disk, tn_disk_file_find(disk, directory, name), &bytes);

        sum = tn_checksum(data, (size_t)bytes, tn_checksum(name, strlen(name), sum) ^ bytes);
    }
    return sum | 1;
}

static struct seen *seen_find(const struct crash *c, uint64_t key)
{
    size_t place = (size_t)(key >> (64 - c->seen_bits));

    while (c->seen[place].key != 0 && c->seen[place].key != key)
        place = (place + 1) & (((size_t)1 << c->seen_bits) - 1);
    return &c->seen[place];
}

/* The table grows to four times its size when it is half full. */
static void seen_put(struct crash *c, uint64_t key, uint32_t number)
{
    struct seen *old = c->seen, *place;
    size_t count = (size_t)1 << c->seen_bits, i;

    if (c->seen == NULL || c->seen_count > count / 2) {
        c->seen_bits = c->seen == NULL ? SEEN_BITS_MIN : c->seen_bits + 2;
        c->seen = calloc((size_t)1 << c->seen_bits, sizeof *c->seen);
        if (c->seen == NULL)
            abort();
        for (i = 0; old != NULL && i < count; i++)
            if (old[i].key != 0)
                *seen_find(c, old[i].key) = old[i];
        free(old);
    }
    if (key == 0)
        return;
    place = seen_find(c, key);
    c->seen_count += place->key == 0;
    *place = (struct seen){ key, number };
}

static int image_go_on(struct crash *c, unsigned level, tarn_store *store, uint64_t number);

/* K5, before anything opens the image. Answers the commit it is, or -1. */
static int64_t image_survey(struct crash *c, unsigned level)
{
    const tarn_options options = { .address_bytes = 64 << 20 };
    struct tn_os os = tn_simulated_os(c->surveyor);
    tarn_check_result checked;
    tarn_salvage_result salvaged;
    tarn_store *store;
    const char *differs;
    uint64_t number;
    int result;

    c->totals->surveyed++;
    tn_simulated_restart(c->surveyor, c->copies[level]);
    result = tn_store_check(DIRECTORY, &options, NULL, NULL, &checked, &os);
    number = checked.report.commit_number;
    if (result == TARN_E_IO && checked.report.is_missing)
        return 0;
    if (result != TARN_OK || checked.damage_count != 0 || number > c->submitted)
        return failed(c, checked.report.text);
    result = tn_store_salvage(DIRECTORY, "salvaged", &options, NULL, NULL, &salvaged, &os);
    if (result != TARN_OK || salvaged.lost_count != 0 || salvaged.report.commit_number != number)
        return failed(c, salvaged.report.text);
    if (tn_store_open(&store, "salvaged", &options, &os) != TARN_OK)
        return failed(c, "what was salvaged does not open");
    differs = crash_store_differs(store, c->layout, &c->commits[number]);
    (void)tarn_close(store);
    return differs != NULL ? failed(c, differs) : (int64_t)number;
}

/* The image is in copies[level]: what is it? */
static int image_open(struct crash *c, unsigned level, uint64_t floor, bool onward)
{
    uint64_t submitted = c->submitted;
    bool watching = c->watching;
    tarn_store *store, *again;
    tarn_report report;
    int64_t number, surveyed = -1;

    if (c->totals->distinct % SURVEY_ONE_IN == 0) {
        surveyed = image_survey(c, level);
        if (surveyed < 0)
            return -1;
    }
    tn_simulated_restart(c->levels[level], c->copies[level]);
    c->level = level;
    c->watching = level <= NESTING_MAX && c->settings->nested_one_in != 0 &&
                  below(c, c->settings->nested_one_in) == 0;
    if (store_open(c, level, &store, &report) != TARN_OK)
        return failed(c, report.text);
    c->watching = false;
    number = store_check(c, store, floor, submitted);
    if (surveyed >= 0 && number >= 0 && surveyed != number)
        return failed(c, "the check saw another commit");
    if (number >= 0 && onward)
        return image_go_on(c, level, store, (uint64_t)number);
    tn_simulated_restart_process(c->levels[level]); /* K3: without a close */
    (void)tarn_close(store);
    if (number >= 0 && below(c, 8) == 0) {
        if (store_open(c, level, &again, &report) != TARN_OK)
            return failed(c, report.text);
        if (store_check(c, again, (uint64_t)number, (uint64_t)number) < 0)
            number = -1;
        (void)tarn_close(again);
    }
    c->watching = watching;
    c->level = level - 1;
    return number < 0 ? -1 : (int)number;
}

/* An image in copies[level]: opened, unless it was before. */
static int image_check(struct crash *c, unsigned level, uint64_t floor)
{
    uint64_t key = disk_checksum(c->copies[level]);
    struct seen *seen = seen_find(c, key);
    bool onward =
        level == 1 && c->settings->onward_one_in != 0 && below(c, c->settings->onward_one_in) == 0;
    int number;

    c->totals->images++;
    c->totals->nested += level > 1;
    if (seen->key != 0 && !onward) {
        if (seen->number < floor || seen->number > c->submitted)
            return failed(c, "an image seen before is too old now, or too new");
        return 0;
    }
    c->totals->distinct += seen->key == 0;
    number = image_open(c, level, floor, onward);
    if (number >= 0 && !onward)
        seen_put(c, key, (uint32_t)number);
    return number < 0 ? -1 : 0;
}

/*
 * A write that arrived, from some byte on did not: zeros, garbage, or an end in the middle of a
 * sector.
 */
static void image_tear(struct crash *c, const struct tn_disk *from, struct tn_disk *image)
{
    const struct tn_disk_pending *pending =
        tn_disk_pending(from, (size_t)below(c, tn_disk_pending_count(from)));
    uint8_t fill[512];
    uint64_t size, begin, bytes, i;
    int directory, file = -1;
    const char *name;

    if (pending->change != TN_DISK_WRITE || pending->bytes == 0)
        return;
    directory = tn_disk_directory_find(image, DIRECTORY);
    for (i = 0; directory >= 0 && (name = tn_disk_name(image, directory, (size_t)i)) != NULL; i++) {
        if (tn_disk_file_find(image, directory, name) == pending->file)
            file = pending->file;
    }
    if (file < 0)
        return;
    (void)tn_disk_file_data(image, file, &size);
    begin = pending->offset + below(c, pending->bytes);
    bytes = tn_min(tn_min(1 + below(c, sizeof fill), pending->offset + pending->bytes - begin),
                   size > begin ? size - begin : 0);
    for (i = 0; i < bytes; i++)
        fill[i] = below(c, 2) == 0 ? 0 : (uint8_t)test_random(&c->random);
    if (bytes == 0)
        return;
    if (below(c, 3) == 0)
        memset(fill, 0, sizeof fill);
    (void)tn_disk_file_write(image, file, fill, (size_t)bytes, begin);
    tn_disk_file_sync(image, file);
    c->totals->torn++;
}

static uint64_t fate_prefix(void *argument, size_t index, const struct tn_disk_pending *pending)
{
    const uint64_t *count = argument;

    (void)pending;
    return index < *count ? TN_DISK_KEPT : TN_DISK_LOST;
}

/* One sampled image: a prefix, or anything; sometimes torn at a byte. */
static void image_sample(struct crash *c, const struct tn_disk *from, struct tn_disk *image)
{
    uint64_t count = tn_disk_pending_count(from), seed;

    if (below(c, 4) == 0) {
        seed = below(c, count + 1);
        tn_disk_image(image, from, fate_prefix, &seed);
    } else {
        seed = test_random(&c->random);
        tn_disk_image(image, from, tn_disk_fate_random, &seed);
    }
    if (count > 0 && below(c, 2) == 0)
        image_tear(c, from, image);
}

/*
 * Every subset where there are more pending changes than the program's own images are made of. The
 * program must not notice, so that a seed's is the same whatever is looked at beside it.
 */
static int images_more_check(struct crash *c, unsigned level, size_t count)
{
    const struct tn_disk *from = tn_simulated_disk(c->levels[level]);
    struct crash *m = c->more;
    struct tn_disk *image = m->copies[level + 1];
    uint64_t mask;

    m->floor = c->floor;
    m->returned = c->returned;
    m->submitted = c->submitted;
    for (mask = 0; mask < (uint64_t)1 << count; mask++) {
        const struct seen *seen;

        tn_disk_image(image, from, tn_disk_fate_mask, &mask);
        seen = seen_find(c, disk_checksum(image));
        if (seen->key == 0 || seen->number < c->floor || seen->number > c->submitted) {
            if (image_check(m, level + 1, c->floor) < 0) {
                memcpy(c->failure, m->failure, sizeof c->failure);
                return -1;
            }
        } else {
            c->totals->images++;
            c->totals->nested += level > 0;
        }
    }
    return 0;
}

/* All images of the disk of `level` as it is now; they are opened one level deeper. */
static int images_check(struct crash *c, unsigned level)
{
    const struct tn_disk *from = tn_simulated_disk(c->levels[level]);
    struct tn_disk *image = c->copies[level + 1];
    size_t count = tn_disk_pending_count(from);
    unsigned samples = level == 0 ? c->settings->sample_count : 2;
    unsigned bits = level == 0 ? c->settings->subset_bits : NESTED_SUBSET_BITS;
    unsigned bits_more = level == 0 ? c->settings->subset_bits_more : c->settings->nested_bits_more;
    bool all = count <= bits || (c->more == NULL && count <= bits_more);
    uint64_t mask, floor = c->floor;
    unsigned i;

    tn_disk_image(image, from, tn_disk_fate_kept, NULL);
    if (image_check(c, level + 1, level == 0 ? tn_max(floor, c->returned) : floor) < 0)
        return -1;
    for (mask = 0; all && mask + 1 < (uint64_t)1 << count; mask++) {
        tn_disk_image(image, from, tn_disk_fate_mask, &mask);
        if (image_check(c, level + 1, floor) < 0)
            return -1;
    }
    for (i = 0; count > 0 && i < samples; i++) {
        image_sample(c, from, image);
        if (image_check(c, level + 1, floor) < 0)
            return -1;
    }
    if (count > tn_max(bits, bits_more))
        *(level == 0 ? &c->totals->sampled : &c->totals->nested_sampled) += 1;
    else
        *(level == 0 ? &c->totals->enumerated : &c->totals->nested_enumerated) += 1;
    return !all && count <= bits_more ? images_more_check(c, level, count) : 0;
}

static void call_watch(void *argument, enum tn_simulated_call kind)
{
    struct crash *c = argument;
    unsigned level = c->level;

    if (!c->watching || c->failure[0] != '\0' || kind < TN_CALL_DIRECTORY_OPEN ||
        kind == TN_CALL_FILE_READ || kind == TN_CALL_FILE_SIZE)
        return;
    c->totals->calls += level == 0;
    c->watching = false;
    (void)images_check(c, level);
    c->level = level;
    c->watching = true;
}

/* ---- programs -------------------------------------------------------------------------------- */

static int table_change(struct crash *c, tarn_store *store)
{
    unsigned t = (unsigned)below(c, c->layout->table_count);
    unsigned k = (unsigned)below(c, c->layout->tables[t].key_count);
    struct crash_table *model = &c->now->tables[t];
    struct crash_entry *entries = &c->now->entries[c->layout->tables[t].first];
    tarn_table_options options = { .kind = (int)below(c, 2) };
    tarn_bytes key = crash_few_key(k);
    uint64_t choice = below(c, 40);
    tarn_table *table;

    if (model->exists)
        options.kind = model->kind;
    if (tarn_table_open(&table, store, c->layout->tables[t].name, &options) < 0)
        return failed(c, tarn_error_text(store));
    model->exists = true;
    model->kind = options.kind;
    if (choice == 0) {
        if (tarn_table_drop(table) < 0)
            return failed(c, tarn_error_text(store));
        *model = (struct crash_table){ 0 };
        memset(entries, 0, CRASH_NARROW_KEYS * sizeof *entries);
    } else if (choice <= 2) {
        if (tarn_table_clear(table) < 0)
            return failed(c, tarn_error_text(store));
        memset(entries, 0, CRASH_NARROW_KEYS * sizeof *entries);
    } else if (choice < 14) {
        if (tarn_delete(table, key.data, key.bytes) < 0)
            return failed(c, tarn_error_text(store));
        entries[k] = (struct crash_entry){ 0 };
    } else {
        struct crash_entry *entry = &entries[k];

        entry->stamp = 1 + (uint32_t)(test_random(&c->random) >> 33);
        entry->bytes = choice < 36   ? (uint32_t)below(c, 120)
                       : choice < 39 ? (uint32_t)below(c, 3000)
                                     : (uint32_t)below(c, CRASH_VALUE_BYTES_MAX);
        if (tarn_put(table, key.data, key.bytes, crash_value(entry->stamp, entry->bytes),
                     entry->bytes) < 0)
            return failed(c, tarn_error_text(store));
    }
    return tarn_table_close(table) < 0 ? failed(c, tarn_error_text(store)) : 0;
}

static int change(struct crash *c, tarn_store *store)
{
    const char *failure;

    if (c->settings->size == CRASH_NARROW)
        return table_change(c, store);
    failure = crash_wide_change(&c->random, c->layout, c->now, store);
    return failure != NULL ? failed(c, failure) : 0;
}

static unsigned change_count(struct crash *c)
{
    return c->settings->size == CRASH_NARROW ? (unsigned)below(c, 6)
                                             : crash_wide_count(&c->random, c->layout, c->now);
}

/* Changes, then back to before them or not. */
static int changes(struct crash *c, tarn_store *store)
{
    struct crash_store *before = malloc(sizeof *before);
    tarn_snapshot *snapshot = NULL;
    unsigned i, count = change_count(c);
    int result = 0;

    if (before == NULL)
        abort();
    crash_store_copy(c->layout, before, c->now);
    if (below(c, 8) == 0 && tarn_snapshot_take(&snapshot, store) < 0)
        result = failed(c, tarn_error_text(store));
    for (i = 0; i < count && result == 0; i++)
        result = change(c, store);
    if (snapshot != NULL && result == 0 && below(c, 2) == 0) {
        result = tarn_snapshot_restore(snapshot) < 0 ? failed(c, tarn_error_text(store)) : 0;
        crash_store_copy(c->layout, c->now, before);
    }
    if (snapshot != NULL)
        (void)tarn_snapshot_release(snapshot);
    free(before);
    return result;
}

static int commit(struct crash *c, tarn_store *store, bool sync)
{
    uint64_t number;

    if (below(c, 2) == 0) {
        c->now->note_stamp = (uint32_t)test_random(&c->random);
        c->now->note_bytes = (uint32_t)below(c, 30);
    }
    c->submitted = c->returned + 1;
    crash_store_copy(c->layout, &c->commits[c->submitted], c->now);
    if (tarn_commit(store, crash_value(c->now->note_stamp, c->now->note_bytes), c->now->note_bytes,
                    sync ? TARN_SYNC : 0) < 0)
        return failed(c, tarn_error_text(store));
    (void)tarn_last_commit(store, &number, NULL);
    if (number != c->returned && number != c->submitted)
        return failed(c, "a commit advanced the number by more than one");
    c->returned = c->submitted = number;
    if (sync)
        c->floor = number;
    return 0;
}

/* Close in order, or as kill -9 does; open again. */
static int reopen(struct crash *c, unsigned level, tarn_store **store)
{
    tarn_report report;
    int result;

    if (below(c, 2) == 0) {
        if (tarn_close(*store) < 0)
            return failed(c, "closing failed");
        c->floor = c->returned;
    } else {
        c->watching = false;
        tn_simulated_restart_process(c->levels[level]);
        (void)tarn_close(*store);
        c->watching = level == 0;
    }
    *store = NULL;
    result = store_open(c, level, store, &report);
    if (result != TARN_OK)
        return failed(c, report.text);
    if (store_check(c, *store, c->returned, c->returned) < 0)
        return -1;
    c->floor = c->returned;
    crash_store_copy(c->layout, c->now, &c->commits[c->returned]);
    return 0;
}

/* K4: commits upon an image, lost in their turn. It ends as the image began: nothing of it stays in c. */
static int image_go_on(struct crash *c, unsigned level, tarn_store *store, uint64_t number)
{
    struct crash *saved = malloc(sizeof *saved);
    struct crash_store *later = malloc((ONWARD_COMMITS_MAX + 1) * sizeof *later);
    unsigned i, count = 1 + (unsigned)below(c, ONWARD_COMMITS_MAX);
    uint64_t seed;
    int result = 0;

    if (saved == NULL || later == NULL)
        abort();
    *saved = *c;
    crash_store_copy(c->layout, &later[0], c->now);
    for (i = 1; i <= ONWARD_COMMITS_MAX; i++)
        crash_store_copy(c->layout, &later[i], &c->commits[number + i]);
    c->totals->onward++;
    c->returned = c->submitted = c->floor = number;
    crash_store_copy(c->layout, c->now, &c->commits[number]);
    for (i = 0; i < count && result == 0; i++) {
        result = changes(c, store);
        if (result == 0)
            result = commit(c, store, below(c, 3) == 0);
    }
    for (i = 0; i < 6 && result == 0; i++) {
        seed = test_random(&c->random);
        tn_disk_image(c->copies[level + 1], tn_simulated_disk(c->levels[level]),
                      tn_disk_fate_random, &seed);
        c->totals->images++;
        result = image_open(c, level + 1, c->floor, false) < 0 ? -1 : 0;
    }
    tn_simulated_restart_process(c->levels[level]);
    (void)tarn_close(store);
    crash_store_copy(c->layout, c->now, &later[0]);
    for (i = 1; i <= ONWARD_COMMITS_MAX; i++)
        crash_store_copy(c->layout, &c->commits[number + i], &later[i]);
    saved->random = c->random;
    memcpy(saved->failure, c->failure, sizeof c->failure);
    saved->seen = c->seen;
    saved->seen_bits = c->seen_bits;
    saved->seen_count = c->seen_count;
    *c = *saved;
    c->level = level - 1;
    free(saved);
    free(later);
    return result == 0 ? (int)number : -1;
}

/* How long the sweep takes, and whether indexes grow meanwhile: what a wide store is there for. */
static void sweep_note(struct crash *c, const tarn_store *store)
{
    const struct tn_log_cursor *cursor = &store->durable->sweep.cursor;
    uint64_t bucket_count = 0;
    bool moving = false;
    size_t i;

    for (i = 0; i < store->table_count; i++) {
        bucket_count += store->tables[i]->index.counts[1];
        moving |= tn_index_is_moving(&store->tables[i]->index);
    }
    if (cursor->revolution != c->revolution) {
        c->revolution = cursor->revolution;
        c->revolution_commits = 0;
        c->bucket_count = bucket_count;
        c->totals->revolutions++;
    }
    c->totals->grown += bucket_count > c->bucket_count || moving;
    c->totals->moving += moving;
    c->totals->revolution_commits_max =
        tn_max(c->totals->revolution_commits_max, ++c->revolution_commits);
}

static int program_run(struct crash *c)
{
    tarn_store *store = NULL;
    tarn_report report;
    unsigned i;
    int result = 0;

    c->watching = true;
    if (store_open(c, 0, &store, &report) != TARN_OK)
        return failed(c, report.text);
    for (i = 0; i < c->settings->commit_count && result == 0 && c->failure[0] == '\0'; i++) {
        result = changes(c, store);
        if (result == 0)
            result = commit(c, store, below(c, 3) == 0);
        if (result == 0)
            sweep_note(c, store);
        if (result == 0 && below(c, 10) == 0)
            result = reopen(c, 0, &store);
    }
    if (store != NULL && result == 0) {
        if (tarn_close(store) < 0)
            result = failed(c, "closing failed");
        c->floor = c->returned;
        if (result == 0)
            result = images_check(c, 0);
    }
    return c->failure[0] == '\0' ? result : -1;
}

/* Systems for images; levels[0] is the program's own. */
static void levels_new(struct crash *c, uint64_t seed)
{
    unsigned i;

    c->surveyor = tn_simulated_new(&(struct tn_simulated_options){ .keep_pages = true });
    for (i = 0; i < NESTING_MAX + 2; i++) {
        const struct tn_simulated_options options = { .seed = seed + i, .keep_pages = true };

        if (c->levels[i] == NULL)
            c->levels[i] = tn_simulated_new(&options);
        c->copies[i] = tn_disk_new(0);
    }
    for (i = c->more == NULL; i < NESTING_MAX + 2; i++)
        tn_simulated_watch(c->levels[i], call_watch, c);
    seen_put(c, 0, 0);
}

static void levels_free(struct crash *c)
{
    unsigned i;

    tn_simulated_free(c->surveyor);
    for (i = 0; i < NESTING_MAX + 2; i++) {
        if (i > 0 || c->more != NULL)
            tn_simulated_free(c->levels[i]);
        tn_disk_free(c->copies[i]);
    }
    free(c->seen);
}

static void crash_init(struct crash *c, uint64_t seed, const struct crash_settings *settings,
                       struct crash_totals *totals)
{
    c->more = calloc(1, sizeof *c->more);
    c->commits = calloc(COMMITS_MAX + 1, sizeof *c->commits);
    c->now = calloc(1, sizeof *c->now);
    if (c->more == NULL || c->commits == NULL || c->now == NULL)
        abort();
    c->settings = settings;
    c->layout = crash_layout(settings->size);
    c->totals = totals;
    c->random = seed;
    levels_new(c, seed);
    *c->more = (struct crash){
        .settings = settings,
        .layout = c->layout,
        .totals = totals,
        .random = ~seed,
        .now = c->now,
        .commits = c->commits,
        .levels = { c->levels[0] },
    };
    levels_new(c->more, ~seed);
}

const char *crash_run(uint64_t seed, const struct crash_settings *settings,
                      struct crash_totals *totals)
{
    static char failure[800];
    struct crash *c = calloc(1, sizeof *c);
    const char *answer = NULL;

    if (c == NULL || settings->commit_count + ONWARD_COMMITS_MAX > COMMITS_MAX)
        abort();
    crash_init(c, seed, settings, totals);
    if (program_run(c) < 0) {
        (void)snprintf(failure, sizeof failure, "seed %" PRIu64 ": %s", seed, c->failure);
        answer = failure;
    }
    totals->programs++;
    levels_free(c->more);
    levels_free(c);
    free(c->commits);
    free(c->now);
    free(c->more);
    free(c);
    return answer;
}
