/*
 * fuzz_log_directory.c - bytes as changes to the files of a store, with checksums repaired or not
 *
 *     | which store, u8 | repair, u8 | change | change | ...       change: file u8, offset u16, what u8, value u8
 *
 * Opening answers with one of its codes, in memory that the files bound. Where nothing was repaired
 * it is one of the store's own states, or refused. What opens for reading opens for writing, and
 * goes on. A survey agrees with opening, in memory that the files bound, and gives back only what
 * can be read; where nothing was repaired, only what was written.
 */
#include "fuzz.h"
#include "log/survey.h"
#include "log_fixture.h"
#include "log_forge.h"

#define STORES 8u
#define FILES 6u
#define COMMITS 9u
#define CHANGE_BYTES 5u
#define FILE_BYTES_MAX ((size_t)(64 * TN_KIB))

struct image {
    uint8_t data[FILES][FILE_BYTES_MAX];
    uint64_t bytes[FILES];
};

struct base {
    struct image image;
    struct rig_state states[COMMITS + 1];
    bool is_made;
};

static struct base bases[STORES];

static void base_make(struct base *base, unsigned which)
{
    const uint8_t *data;
    unsigned i, file;
    struct rig r;

    rig_init(&r, &(struct tn_simulated_options){ .seed = 77 });
    r.options.file_bytes_min = which & 1 ? 4700 : 0;
    fuzz_expect(rig_open(&r) == TARN_OK);
    for (i = 1; i <= COMMITS; i++) {
        rig_put(&r, i % 5, i % 4 ? i : 0, i * 9);
        fuzz_expect(rig_commit(&r, (which & 2) && i % 3 == 0) == TARN_OK);
        base->states[i] = r.state;
        if (i == 6 && (which & 4)) {
            rig_kill(&r);
            fuzz_expect(rig_open(&r) == TARN_OK);
        }
    }
    if (which & 2)
        fuzz_expect(rig_close(&r, true) == TARN_OK);
    else
        rig_kill(&r);
    for (file = 0; file < FILES; file++) {
        if (rig_file(&r, file + 1) < 0)
            continue;
        data = tn_disk_file_data(tn_simulated_disk(r.simulated), rig_file(&r, file + 1),
                                 &base->image.bytes[file]);
        fuzz_expect(base->image.bytes[file] <= FILE_BYTES_MAX);
        memcpy(base->image.data[file], data, base->image.bytes[file]);
    }
    rig_end(&r);
    base->is_made = true;
}

static void change(struct image *image, const uint8_t *at)
{
    unsigned file = at[0] % FILES;
    uint64_t offset = (uint64_t)at[1] | (uint64_t)at[2] << 8, bytes = image->bytes[file];
    uint8_t *data = image->data[file];

    if (bytes == 0)
        return;
    offset %= bytes;
    switch (at[3] % 8) {
    case 0:
        data[offset] ^= at[4];
        break;
    case 1:
        data[offset] = at[4];
        break;
    case 2: /* a number, in a field of eight bytes */
        if (offset / 8 * 8 + 8 <= bytes)
            tn_store_le64(data + offset / 8 * 8, (uint64_t)(int64_t)(int8_t)at[4]);
        break;
    case 3: /* a block of nothing */
        memset(data + offset, 0, tn_min(64 * ((size_t)at[4] + 1), bytes - offset));
        break;
    case 4: /* cut */
        image->bytes[file] = at[4] % 2 ? offset : offset / 64 * 64;
        break;
    case 5: /* moved */
        memmove(data + offset / 64 * 64, data + at[4] % 64 * 64 % bytes,
                tn_min(512, bytes - tn_max(offset / 64 * 64, at[4] % 64 * 64 % bytes)));
        break;
    case 6: /* from another file, as it is */
        image->bytes[file] = image->bytes[at[4] % FILES];
        memcpy(data, image->data[at[4] % FILES], image->bytes[file]);
        break;
    default: /* gone */
        image->bytes[file] = at[4] < 16 ? 0 : bytes;
        break;
    }
}

static uint64_t image_write(struct rig *r, const struct image *image)
{
    struct tn_disk *disk = tn_simulated_disk(r->simulated);
    int directory = tn_disk_directory_make(disk, RIG_PATH);
    uint64_t bytes = 0;
    char name[32];
    unsigned file;

    for (file = 0; file < FILES; file++) {
        if (image->bytes[file] == 0)
            continue;
        rig_file_name(name, file + 1);
        fuzz_expect(tn_disk_file_write(disk, tn_disk_file_make(disk, directory, name),
                                       image->data[file], image->bytes[file], 0) == 0);
        bytes += image->bytes[file];
    }
    return bytes;
}

/* What is forged may hold any entries, as long as they are entries. */
static int touch_one(void *argument, const struct tn_log_entry *entry)
{
    static uint8_t value[FILE_BYTES_MAX];

    (void)argument;
    fuzz_expect(entry->value_bytes <= FILE_BYTES_MAX && entry->key.bytes <= FILE_BYTES_MAX);
    memcpy(value, entry->key.data, entry->key.bytes);
    return tn_log_entry_value(entry, value);
}

static int touch_each(void *argument, const struct tn_log_entry *entries, size_t count)
{
    int result = TARN_OK;
    size_t i;

    for (i = 0; i < count && result == TARN_OK; i++)
        result = touch_one(argument, &entries[i]);
    return result;
}

static int open_any(struct rig *r)
{
    int result =
        tn_log_open(&r->log, &r->os, &r->memory, r->path, &r->options, r->secret, &r->report);

    if (result == TARN_OK)
        result = tn_log_replay(r->log, false, touch_each, NULL, NULL, NULL, &r->report);
    return result;
}

static bool code_is_known(int result)
{
    return result == TARN_OK || result == TARN_E_CORRUPT || result == TARN_E_VERSION ||
           result == TARN_E_IO;
}

/* Reading, then writing. Nothing here depends on what the entries say. */
static void image_open(const struct image *image, int *out_read)
{
    uint64_t bytes;
    int result;
    struct rig r;

    rig_init(&r, NULL);
    tn_memory_init(&r.memory, NULL, NULL, 0);
    bytes = image_write(&r, image);
    r.options.read_only = true;
    r.options.create = false;
    *out_read = open_any(&r);
    fuzz_expect(code_is_known(*out_read));
    fuzz_expect(r.memory.counted_bytes_max <= 320 * TN_KIB + 2 * bytes); /* L4 */
    (void)tn_log_close(r.log, false);
    r.log = NULL;
    r.options.read_only = false;
    r.options.create = true;
    result = open_any(&r);
    fuzz_expect(code_is_known(result) && (*out_read != TARN_OK || result == TARN_OK));
    if (result == TARN_OK) {
        result = tn_log_start(r.log, &r.report);
        fuzz_expect(result == TARN_OK || result == TARN_E_CORRUPT); /* no incarnations left */
    }
    if (result == TARN_OK) {
        r.sweep_count = 0;
        fuzz_expect(rig_commit(&r, true) == TARN_OK);
        fuzz_expect(tn_log_trim(r.log) == TARN_OK);
        fuzz_expect(rig_close(&r, true) == TARN_OK);
        fuzz_expect(open_any(&r) == TARN_OK);
    }
    rig_end(&r);
}

/* Without forged checksums nothing is made up. */
static void image_is_honest(const struct image *image, const struct base *base)
{
    struct rig r;
    uint64_t number;

    rig_init(&r, NULL);
    (void)image_write(&r, image);
    r.options.read_only = true;
    if (rig_read(&r) == TARN_OK) {
        number = tn_log_last(r.log)->number;
        fuzz_expect(number <= COMMITS && rig_note_is(&r, number));
        fuzz_expect(memcmp(&r.state, &base->states[number], sizeof r.state) == 0);
    }
    rig_end(&r);
}

/* Every key has a value that some commit gave it, or none. */
static void state_is_written(const struct rig_state *state, const struct base *base)
{
    unsigned key, i;

    for (key = 0; key < RIG_KEYS; key++) {
        for (i = 0; i <= COMMITS && base->states[i].seeds[key] != state->seeds[key]; i++) {
        }
        fuzz_expect(i <= COMMITS);
    }
}

/* What opening for reading answered must be what the survey sees. */
static void survey_agrees(const struct tn_log_survey *survey, int read)
{
    uint64_t needed = survey->damage_count - survey->counts[TARN_DAMAGE_HARMLESS];

    fuzz_expect((survey->result == TARN_OK) == (read == TARN_OK));
    fuzz_expect((needed > 0) == (read != TARN_OK));
}

/* `base` NULL: of forged entries nothing is known. */
static void image_survey(const struct image *image, const struct base *base, int read)
{
    struct tn_log_survey *survey = NULL;
    struct tn_log_report report;
    uint64_t bytes, number;
    struct rig r;
    tarn_bytes note;
    int result;

    rig_init(&r, NULL);
    tn_memory_init(&r.memory, NULL, NULL, 0);
    bytes = image_write(&r, image);
    result = tn_log_survey_open(&survey, &r.os, &r.memory, r.path, &r.options, &report);
    fuzz_expect(r.memory.counted_bytes_max <= 320 * TN_KIB + 3 * bytes); /* V6 */
    if (result == TARN_OK) {
        survey_agrees(survey, read);
        fuzz_expect(tn_log_survey_replay(survey, false, base != NULL ? rig_one : touch_one, &r) ==
                    TARN_OK);
        fuzz_expect(tn_log_survey_note(survey, &number, &note) == TARN_OK);
        fuzz_expect(number <= survey->newest);
        if (base != NULL)
            state_is_written(&r.state, base);
    } else {
        fuzz_expect(result == read || (result == TARN_E_VERSION && read == TARN_E_CORRUPT));
    }
    tn_log_survey_close(survey);
    rig_end(&r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    static struct image image;
    struct base *base;
    unsigned file;
    size_t at;
    int result;

    if (bytes < 2)
        return 0;
    base = &bases[data[0] % STORES];
    if (!base->is_made)
        base_make(base, data[0] % STORES);
    image = base->image;
    for (at = 2; at + CHANGE_BYTES <= bytes; at += CHANGE_BYTES)
        change(&image, data + at);
    if (data[1] % 2 != 0)
        for (file = 0; file < FILES; file++)
            forge_repair(image.data[file], image.bytes[file], base->image.data[0] + 24);
    image_open(&image, &result);
    image_survey(&image, data[1] % 2 == 0 ? base : NULL, result);
    if (data[1] % 2 == 0)
        image_is_honest(&image, base);
    return 0;
}
