/*
 * test_store_damage.c - any bit of a store may flip, and any file be cut or get blocks that are not
 * its own: it is found, or it is harmless
 *
 *     stores of many shapes, closed or killed --damage--> tarn_open --> which commit? is it whole?
 *
 * Rules (contract: a damaged byte is found or harmless)
 *   D1  Opening answers TARN_E_CORRUPT or TARN_E_VERSION with a text that names file and offset,
 *       and has written nothing; or TARN_OK, and the store is exactly one of its commits.
 *   D2  That is the last one. Only a store that was not closed cleanly may be an older one: not
 *       older than what its last footer says was synced, and the report says what was dropped.
 *   D3  Opening takes no more memory than that of the whole store, as much again as its files have,
 *       and a few chunks: an older commit may have had entries of other sizes.
 *   D4  A store that lost its tail can be gone on with; what is written then comes back.
 *   D5  Damage of more than a bit may take the proof of a commit along with it. So instead of D2:
 *       the store is not older than any footer or mark says that lies where it lay, untouched; and
 *       the report says what was dropped, unless there are only zeros behind.
 *
 * By default a sample of bits, by SEED. ALL=1: every bit of every store; PART=2/4 the second
 * quarter of them; a word chooses tests. It prints how many bits, what became of them, and seconds.
 */
#include "base/checksum.h"
#include "log/format.h"
#include "os/simulated.h"
#include "store/store.h"
#include "test.h"

#include <errno.h>
#include <malloc.h>
#include <time.h>

#define DIRECTORY "store"
#define COMMITS_MAX 24u
#define FILES_MAX 64
#define CHUNKS_BYTES ((uint64_t)(64 * TN_KIB))
#define SAMPLES_SMALL 1500u /* bits of a store */
#define SAMPLES_LARGE 1500u

struct shape {
    const char *name;
    unsigned commits;
    unsigned puts; /* of a commit */
    unsigned keys; /* to choose from */
    size_t value_bytes;
    uint64_t file_bytes_min;
    unsigned sync_every; /* commits; 0: never */
    unsigned deletes_in_8;
    int kind;
    int type;
    size_t note_bytes;
    bool many_tables; /* cleared and dropped now and then */
    bool dictionary;
    unsigned
        reopen_every; /* commits: killed, or the power fails, and it is opened again; 0: never */
};

static const struct shape small_shapes[] = {
    { "one commit, one entry", 1, 1, 1, 5, 0, 1, 0, 0, 0, 0, false, false, 0 },
    { "a note and nothing else", 1, 0, 1, 0, 0, 0, 0, 0, 0, 9, false, false, 0 },
    { "never synced", 6, 4, 9, 40, 0, 0, 2, 0, 0, 3, false, false, 0 },
    { "always synced", 5, 4, 9, 40, 0, 1, 2, 0, 0, 3, false, false, 0 },
    { "synced now and then, files", 14, 6, 30, 200, 6000, 4, 2, 1, 0, 0, false, false, 0 },
    { "files that go", 20, 8, 12, 150, 5000, 3, 1, 0, 0, 20, false, false, 0 },
    { "an unordered table", 4, 12, 40, 24, 0, 2, 3, 1, 0, 0, false, false, 0 },
    { "numbers", 4, 12, 40, 8, 0, 2, 1, 0, TARN_I64, 0, false, false, 0 },
    { "empty values", 4, 10, 20, 0, 0, 3, 2, 0, 0, 1, false, false, 0 },
    { "tables cleared and dropped", 9, 6, 10, 30, 7000, 3, 1, 0, 0, 5, true, false, 0 },
    { "a dictionary", 5, 5, 20, 16, 0, 2, 1, 0, 0, 0, false, true, 0 },
    { "a block and more in a value", 3, 1, 2, 20000, 0, 2, 1, 0, 0, 0, false, false, 0 },
    { "a long note", 3, 1, 2, 20, 0, 2, 0, 0, 0, 9000, false, false, 0 },
};

/* With pasts that were discarded: sections of the same numbers in older files. */
static const struct shape aged_shapes[] = {
    { "opened again", 20, 5, 12, 60, 5000, 3, 1, 0, 0, 4, false, false, 4 },
    { "opened again, never synced", 16, 4, 12, 150, 0, 0, 1, 0, 0, 0, true, false, 3 },
    { "opened again, a dictionary", 18, 6, 20, 30, 6000, 2, 1, 1, 0, 9, false, true, 2 },
};

static const struct shape large_shape = { "1 MiB", 22, 16, 300, 4400,  200000, 5,
                                          1,       0,  0,  20,  false, false,  0 };

#define PROOFS_MAX 200u
#define OLDS_MAX 64u

/* D5: a footer or a mark. */
struct proof {
    size_t file; /* index */
    uint64_t at;
    size_t bytes;
    uint64_t number;  /* synced, it says */
    uint64_t section; /* that ends with it; 0: a mark */
};

struct older {
    uint8_t *data;
    uint64_t bytes;
};

struct world {
    const struct shape *shape;
    struct tn_simulated *system;
    struct tn_disk *pristine;
    struct tn_os os;
    struct tn_os_ops ops;
    tarn_options options;
    tarn_report report;
    tarn_store *store;
    bool clean;
    uint64_t last;                     /* commit */
    uint64_t proved;                   /* D2 */
    uint64_t digests[COMMITS_MAX + 1]; /* of the store at each commit */
    const char *files[FILES_MAX];      /* of the pristine disk */
    size_t file_count;
    uint64_t file_bytes;     /* of all */
    uint64_t peak_bytes_max; /* D3 */
    struct tn_disk *damaged; /* as it was before it was opened */
    struct proof proofs[PROOFS_MAX];
    size_t proof_count;
    struct older olds[OLDS_MAX]; /* files that are gone */
    size_t old_count;
};

/* Of all stores of a test. */
static struct {
    uint64_t stores, bits, refused, older, same, gone_on;
} totals;

/* ---- counted memory -------------------------------------------------------------------------- */

static uint64_t held_bytes, peak_bytes;
static struct world *kept_world;
static int (*inner_unlink)(void *context, int directory, const char *name);
static int (*inner_commit)(void *context, void *at, size_t bytes, unsigned flags);

static void *counted_allocate(void *context, void *old, size_t old_bytes, size_t new_bytes)
{
    void *block = NULL;

    (void)context;
    held_bytes += new_bytes - old_bytes;
    peak_bytes = tn_max(peak_bytes, held_bytes);
    if (new_bytes == 0)
        free(old);
    else
        block = realloc(old, new_bytes);
    return block;
}

/* Pages are counted as if none were given back before the opening is over. */
static int counted_commit(void *context, void *at, size_t bytes, unsigned flags)
{
    held_bytes += bytes;
    peak_bytes = tn_max(peak_bytes, held_bytes);
    return inner_commit(context, at, bytes, flags);
}

static int world_open(struct world *w)
{
    held_bytes = peak_bytes = 0;
    return tn_store_open(&w->store, DIRECTORY, &w->options, &w->os);
}

/* ---- stores ---------------------------------------------------------------------------------- */

/* The same for the same entries, tables and note, in whatever order they are found. */
static uint64_t store_digest(tarn_store *store)
{
    tarn_bytes note, key, value;
    uint64_t sum, number;
    tarn_iterator *it;
    size_t i;

    check_ok(tarn_last_commit(store, &number, &note));
    sum = tn_checksum(note.data, note.bytes, number);
    for (i = 0; i < store->table_count; i++) {
        tarn_table *table = store->tables[i];
        uint64_t seed = tn_checksum(table->name, table->name_bytes,
                                    (uint64_t)table->kind * 100 + (uint64_t)table->type);

        sum += seed;
        check_ok(tarn_scan(&it, table, NULL));
        while (tarn_next(it, &key, &value) == TARN_OK)
            sum += tn_checksum(value.data, value.bytes, tn_checksum(key.data, key.bytes, seed));
        check_ok(tarn_iterator_close(it));
    }
    return sum;
}

static void value_fill(uint8_t *value, size_t bytes, uint64_t *random)
{
    size_t i;

    for (i = 0; i < bytes; i++)
        value[i] = (uint8_t)(i % 8 == 0 ? test_random(random) : *random >> (i % 8 * 8));
}

static void store_change(struct world *w, uint64_t *random)
{
    static const char *const names[] = { "table", "another", "third" };
    const struct shape *shape = w->shape;
    const tarn_table_options options = { shape->kind, shape->type, 0 };
    uint8_t value[20000];
    char key[32];
    tarn_table *table;
    size_t bytes = shape->value_bytes;
    unsigned t = shape->many_tables ? (unsigned)(test_random(random) % 3) : 0;

    check_ok(tarn_table_open(&table, w->store, names[t], &options));
    (void)snprintf(key, sizeof key, "key %u", (unsigned)(test_random(random) % shape->keys));
    if (shape->type == TARN_ANY && bytes > 0 && bytes < 1000)
        bytes = (size_t)(test_random(random) % (2 * bytes));
    value_fill(value, bytes, random);
    if (test_random(random) % 8 < shape->deletes_in_8)
        check(tarn_delete(table, key, strlen(key)) >= 0);
    else
        check_ok(tarn_put(table, key, strlen(key), value, bytes));
    check_ok(tarn_table_close(table));
    if (shape->many_tables && test_random(random) % 6 == 0) {
        check_ok(tarn_table_open(&table, w->store, names[t], &options));
        check_ok(t == 0 ? tarn_table_clear(table) : tarn_table_drop(table));
        (void)tarn_table_close(table);
    }
    if (shape->dictionary) {
        uint32_t code;
        tarn_dict *dict;

        check_ok(tarn_dict_open(&dict, w->store, "words", NULL));
        check_ok(tarn_dict_encode(dict, value, bytes, &code));
        check_ok(tarn_dict_close(dict));
    }
}

/* What the opening answers is the last commit from then on. */
static void store_reopen(struct world *w, bool power, uint64_t *random)
{
    if (power)
        tn_simulated_restart_with(w->system, tn_disk_fate_random, random);
    else
        tn_simulated_restart_process(w->system);
    (void)tarn_close(w->store);
    check_ok(world_open(w));
    check_ok(tarn_last_commit(w->store, &w->last, NULL));
    check_eq(store_digest(w->store), w->digests[w->last]);
}

static void store_fill(struct world *w, uint64_t *random)
{
    static uint8_t note[9000];
    const struct shape *shape = w->shape;
    uint64_t synced = 0, number;
    unsigned i, k;

    w->digests[0] = store_digest(w->store);
    for (i = 1; i <= shape->commits; i++) {
        bool sync = shape->sync_every != 0 && i % shape->sync_every == 0;

        for (k = 0; k < shape->puts; k++)
            store_change(w, random);
        value_fill(note, shape->note_bytes, random);
        check_ok(tarn_commit(w->store, note, shape->note_bytes, sync ? TARN_SYNC : 0));
        check_ok(tarn_last_commit(w->store, &number, NULL));
        if (number == w->last)
            continue;
        w->last = number;
        w->proved = synced;
        w->digests[number] = store_digest(w->store);
        if (sync)
            synced = number;
        if (shape->reopen_every != 0 && i % shape->reopen_every == 0)
            store_reopen(w, i / shape->reopen_every % 2 != 0, random);
    }
}

/* By name, which is by age. */
static void files_list(struct world *w)
{
    int directory = tn_disk_directory_find(w->pristine, DIRECTORY);
    uint64_t bytes;
    const char *name;
    size_t i, at;

    w->file_count = w->file_bytes = 0;
    for (i = 0; (name = tn_disk_name(w->pristine, directory, i)) != NULL; i++) {
        tn_assert(w->file_count < FILES_MAX);
        for (at = w->file_count++; at > 0 && strcmp(w->files[at - 1], name) > 0; at--)
            w->files[at] = w->files[at - 1];
        w->files[at] = name;
        (void)tn_disk_file_data(w->pristine, tn_disk_file_find(w->pristine, directory, name),
                                &bytes);
        w->file_bytes += bytes;
    }
}

/* What is unlinked is kept: blocks of it may come back. */
static int kept_unlink(void *context, int directory, const char *name)
{
    struct world *w = kept_world;
    struct tn_disk *disk = tn_simulated_disk(w->system);
    int file = tn_disk_file_find(disk, tn_disk_directory_find(disk, DIRECTORY), name);
    struct older *old = &w->olds[w->old_count];

    if (file >= 0 && w->old_count < OLDS_MAX) {
        const uint8_t *data = tn_disk_file_data(disk, file, &old->bytes);

        old->data = malloc(old->bytes + 1);
        tn_assert(old->data != NULL);
        memcpy(old->data, data, old->bytes);
        w->old_count++;
    }
    return inner_unlink(context, directory, name);
}

static const uint8_t *file_data(const struct world *w, const struct tn_disk *disk, size_t file,
                                uint64_t *bytes)
{
    int found = tn_disk_file_find(disk, tn_disk_directory_find(disk, DIRECTORY), w->files[file]);

    *bytes = 0;
    return found < 0 ? NULL : tn_disk_file_data(disk, found, bytes);
}

/* D5, from docs/FORMAT.md. */
static void proofs_find(struct world *w)
{
    uint64_t bytes, at;
    size_t i;

    w->proof_count = 0;
    for (i = 0; i < w->file_count; i++) {
        const uint8_t *data = file_data(w, w->pristine, i, &bytes);

        for (at = 4096; at + 64 <= bytes; at += 64) {
            struct proof *proof = &w->proofs[w->proof_count];

            if (memcmp(data + at, "tarn sec", 8) == 0 && at + 256 <= bytes)
                *proof = (struct proof){ i, at, 256, tn_load_le64(data + at + 120),
                                         tn_load_le64(data + at + 24) };
            else if (memcmp(data + at, "tarn end", 8) == 0)
                *proof = (struct proof){ i, at, 64, tn_load_le64(data + at + 24), 0 };
            else
                continue;
            w->proof_count += w->proof_count + 1 < PROOFS_MAX;
        }
    }
}

static void world_restore(struct world *w)
{
    tn_simulated_restart(w->system, w->pristine);
}

static void world_make(struct world *w, const struct shape *shape, bool clean)
{
    uint64_t random = test_seed();

    *w = (struct world){ .shape = shape, .clean = clean };
    w->system =
        tn_simulated_new(&(struct tn_simulated_options){ .seed = test_seed(), .keep_pages = true });
    w->pristine = tn_disk_new(0);
    w->os = tn_simulated_os(w->system);
    w->ops = *w->os.ops;
    inner_commit = w->ops.pages_commit;
    w->ops.pages_commit = counted_commit;
    inner_unlink = w->ops.directory_unlink;
    w->ops.directory_unlink = kept_unlink;
    kept_world = w;
    w->os.ops = &w->ops;
    w->options = (tarn_options){
        .address_bytes = 64 << 20,
        .file_bytes_min = shape->file_bytes_min,
        .report = &w->report,
        .allocate = counted_allocate,
    };
    check_ok(world_open(w));
    store_fill(w, &random);
    if (!clean)
        tn_simulated_restart_process(w->system);
    check(tarn_close(w->store) == TARN_OK || !clean);
    tn_disk_image(w->pristine, tn_simulated_disk(w->system), tn_disk_fate_kept, NULL);
    world_restore(w);
    files_list(w);
    proofs_find(w);
    check_ok(world_open(w));
    check_eq(store_digest(w->store), w->digests[w->last]);
    w->peak_bytes_max = peak_bytes + w->file_bytes + CHUNKS_BYTES;
    tn_simulated_restart_process(w->system);
    (void)tarn_close(w->store);
    world_restore(w);
    totals.stores++;
}

static void world_end(struct world *w)
{
    while (w->old_count > 0)
        free(w->olds[--w->old_count].data);
    tn_simulated_free(w->system);
    tn_disk_free(w->pristine);
}

/* ---- one bit --------------------------------------------------------------------------------- */

/* D4; with what is left of the damage still in the files. */
static void world_go_on(struct world *w)
{
    uint64_t number = 0, digest, random = 1;

    store_change(w, &random);
    check_ok(tarn_commit(w->store, "gone on", 7, 0));
    digest = store_digest(w->store);
    check_ok(tarn_close(w->store));
    check_ok(world_open(w));
    if (w->store == NULL)
        return;
    check_ok(tarn_last_commit(w->store, &number, NULL));
    check_eq(store_digest(w->store), digest);
    totals.gone_on++;
}

/* D1, D2 */
static void accepted_check(struct world *w)
{
    uint64_t number = 0;

    check_ok(tarn_last_commit(w->store, &number, NULL));
    check(number == w->last || (!w->clean && number >= w->proved && number < w->last));
    check_eq(store_digest(w->store), w->digests[tn_min(number, w->last)]);
    check(number == w->last || w->report.dropped_bytes != 0);
    totals.older += number != w->last;
    totals.same += number == w->last;
    if (number != w->last && totals.older % 32 == 0)
        world_go_on(w);
}

static void bit_flip(struct world *w, int file, uint64_t at, unsigned bit)
{
    struct tn_disk *disk = tn_simulated_disk(w->system);
    uint64_t bytes;
    uint8_t byte = (uint8_t)(tn_disk_file_data(disk, file, &bytes)[at] ^ 1u << bit);

    check_eq(tn_disk_file_write(disk, file, &byte, 1, at), 0);
    tn_disk_file_sync(disk, file);
}

static void bit_check(struct world *w, int file, uint64_t at, unsigned bit)
{
    uint64_t writes = tn_simulated_call_count(w->system, TN_CALL_FILE_WRITE);
    int result;

    totals.bits++;
    bit_flip(w, file, at, bit);
    result = world_open(w);
    check(peak_bytes <= w->peak_bytes_max); /* D3 */
    if (result == TARN_OK) {
        accepted_check(w);
        tn_simulated_restart_process(w->system);
        (void)tarn_close(w->store);
    } else {
        totals.refused++;
        check(result == TARN_E_CORRUPT || result == TARN_E_VERSION);
        check(strstr(w->report.text, ".tarn") != NULL && strstr(w->report.text, "offset"));
        check_eq(tn_simulated_call_count(w->system, TN_CALL_FILE_WRITE), writes);
        tn_simulated_restart_process(w->system);
    }
    if (tn_simulated_call_count(w->system, TN_CALL_FILE_WRITE) != writes)
        world_restore(w); /* a tail was copied */
    else
        bit_flip(w, file, at, bit);
}

/* The `index`-th bit of all files. */
static void bit_run(struct world *w, uint64_t index)
{
    const struct tn_disk *disk = w->pristine;
    int directory = tn_disk_directory_find(disk, DIRECTORY);
    uint64_t bytes, at = index / 8;
    const char *name = NULL;
    size_t i;

    for (i = 0; i < w->file_count; i++) {
        name = w->files[i];
        (void)tn_disk_file_data(disk, tn_disk_file_find(disk, directory, name), &bytes);
        if (at < bytes)
            break;
        at -= bytes;
    }
    tn_assert(i < w->file_count);
    disk = tn_simulated_disk(w->system);
    bit_check(w, tn_disk_file_find(disk, tn_disk_directory_find(disk, DIRECTORY), name), at,
              (unsigned)(index % 8));
    if (test_failures != 0)
        printf("# '%s', %s: file %s, offset %" PRIu64 ", bit %u: %s\n", w->shape->name,
               w->clean ? "closed cleanly" : "killed", name, at, (unsigned)(index % 8),
               w->report.text);
}

/* All bits, or those of PART; else a sample, denser where structure is: at the end of the last file. */
static void bits_run(struct world *w, unsigned sample_count)
{
    const char *part = getenv("PART");
    uint64_t bits = 8 * w->file_bytes, begin = 0, end = bits, i, random = test_seed();
    unsigned long which, of;

    if (getenv("ALL") == NULL) {
        for (i = 0; i < sample_count && test_failures == 0; i++) {
            uint64_t back = 8 * tn_min(w->file_bytes, (uint64_t)(i % 2 != 0 ? 600 : 1 << 30));

            bit_run(w, bits - 1 - test_random(&random) % tn_min(bits, back));
        }
        return;
    }
    if (part != NULL && sscanf(part, "%lu/%lu", &which, &of) == 2 && which >= 1 && which <= of) {
        begin = bits / of * (which - 1);
        end = which == of ? bits : bits / of * which;
    }
    for (i = begin; i < end && test_failures == 0; i++)
        bit_run(w, i);
}

/* ---- lengths and blocks ---------------------------------------------------------------------- */

static uint64_t floor_left(const struct world *w)
{
    const struct tn_disk *disk = tn_simulated_disk(w->system);
    uint64_t floor = 0, bytes, bytes_now;
    size_t i;

    for (i = 0; i < w->proof_count; i++) {
        const struct proof *proof = &w->proofs[i];
        const uint8_t *data = file_data(w, w->pristine, proof->file, &bytes);
        const uint8_t *now = file_data(w, disk, proof->file, &bytes_now);

        if (proof->at + proof->bytes <= bytes_now &&
            memcmp(data + proof->at, now + proof->at, proof->bytes) == 0)
            floor = tn_max(floor, proof->number);
    }
    return floor;
}

/* Only zeros from there to the end, in that file and in younger ones (behind their headers). */
static bool zeros_behind(const struct world *w, const struct tn_disk *disk, size_t file,
                         uint64_t at)
{
    uint64_t bytes;

    for (; file < w->file_count; file++, at = 4096) {
        const uint8_t *data = file_data(w, disk, file, &bytes);

        for (; at < bytes; at++)
            if (data[at] != 0)
                return false;
    }
    return true;
}

/* Wherever that section may lie now. */
static bool nothing_dropped(const struct world *w, const struct tn_disk *disk, uint64_t number)
{
    uint64_t bytes, at;
    size_t i;

    for (i = 0; i < w->file_count; i++) {
        const uint8_t *data = file_data(w, disk, i, &bytes);

        for (at = 4096; at + 256 <= bytes; at += 64)
            if (memcmp(data + at, "tarn sec", 8) == 0 && tn_load_le64(data + at + 24) == number &&
                zeros_behind(w, disk, i, at + 256))
                return true;
    }
    return number == 0 && zeros_behind(w, disk, 0, 4096);
}

/* The disk is damaged; afterwards it is not. */
static void damaged_check(struct world *w)
{
    uint64_t floor = floor_left(w), number = 0;
    uint64_t writes = tn_simulated_call_count(w->system, TN_CALL_FILE_WRITE);
    int result;

    totals.bits++;
    tn_disk_image(w->damaged, tn_simulated_disk(w->system), tn_disk_fate_kept, NULL);
    result = world_open(w);
    check(peak_bytes <= w->peak_bytes_max); /* D3 */
    if (result == TARN_OK) {
        check_ok(tarn_last_commit(w->store, &number, NULL));
        check(number >= floor && number <= w->last); /* D5 */
        check_eq(store_digest(w->store), w->digests[tn_min(number, w->last)]);
        check(number == w->last || w->report.dropped_bytes != 0 ||
              nothing_dropped(w, w->damaged, number));
        totals.older += number != w->last;
        totals.same += number == w->last;
        tn_simulated_restart_process(w->system);
        (void)tarn_close(w->store);
    } else {
        totals.refused++;
        check(result == TARN_E_CORRUPT || result == TARN_E_VERSION);
        check(strstr(w->report.text, ".tarn") != NULL && strstr(w->report.text, "offset"));
        check_eq(tn_simulated_call_count(w->system, TN_CALL_FILE_WRITE), writes);
    }
    if (test_failures != 0)
        printf("# '%s', %s: answer %d, commit %" PRIu64 " of %" PRIu64 ", floor %" PRIu64 ": %s\n",
               w->shape->name, w->clean ? "closed cleanly" : "killed", result, number, w->last,
               floor, w->report.text);
    world_restore(w);
}

static int file_now(const struct world *w, size_t file)
{
    const struct tn_disk *disk = tn_simulated_disk(w->system);

    return tn_disk_file_find(disk, tn_disk_directory_find(disk, DIRECTORY), w->files[file]);
}

static uint64_t file_length(const struct world *w, size_t file)
{
    uint64_t bytes;

    (void)file_data(w, w->pristine, file, &bytes);
    return bytes;
}

static void length_check(struct world *w, size_t file, uint64_t bytes)
{
    check_eq(tn_disk_file_truncate(tn_simulated_disk(w->system), file_now(w, file), bytes), 0);
    tn_disk_file_sync(tn_simulated_disk(w->system), file_now(w, file));
    damaged_check(w);
    if (test_failures != 0)
        printf("# file %s cut to %" PRIu64 " bytes\n", w->files[file], bytes);
}

/* A block of that size at that place gets these bytes; the end of a file may cut it. */
static void block_put(struct world *w, size_t file, uint64_t at, const uint8_t *from, size_t bytes)
{
    struct tn_disk *disk = tn_simulated_disk(w->system);
    uint64_t end = file_length(w, file);

    bytes = tn_min(bytes, end - at);
    check_eq(tn_disk_file_write(disk, file_now(w, file), from, bytes, at), 0);
    tn_disk_file_sync(disk, file_now(w, file));
}

#define BLOCK_BYTES_MAX 4096u

struct block {
    uint8_t bytes[BLOCK_BYTES_MAX]; /* zeros behind the end of its file */
    size_t file;                    /* file_count and up: one that is gone */
    uint64_t at;
};

static uint64_t block_count(const struct world *w, size_t file, size_t bytes)
{
    uint64_t end =
        file < w->file_count ? file_length(w, file) : w->olds[file - w->file_count].bytes;

    return (end + bytes - 1) / bytes;
}

static void block_get(const struct world *w, struct block *out, size_t file, uint64_t index,
                      size_t bytes)
{
    uint64_t end;
    const uint8_t *data;

    if (file < w->file_count) {
        data = file_data(w, w->pristine, file, &end);
    } else {
        data = w->olds[file - w->file_count].data;
        end = w->olds[file - w->file_count].bytes;
    }
    memset(out->bytes, 0, sizeof out->bytes);
    out->file = file;
    out->at = index * bytes;
    memcpy(out->bytes, data + out->at, tn_min(bytes, end - out->at));
}

/* What becomes of a pair of blocks. */
enum exchange { ZERO, SWAP, OLDER };

static void blocks_check(struct world *w, enum exchange what, size_t bytes, const struct block *a,
                         const struct block *b)
{
    static const uint8_t zeros[BLOCK_BYTES_MAX];

    block_put(w, a->file, a->at, what == ZERO ? zeros : b->bytes, bytes);
    if (what == SWAP)
        block_put(w, b->file, b->at, a->bytes, bytes);
    damaged_check(w);
    if (test_failures != 0)
        printf("# %s of %d bytes: file %d, offset %" PRIu64 "; file %d, offset %" PRIu64 "\n",
               what == ZERO   ? "zeros"
               : what == SWAP ? "swapped"
                              : "from an older file",
               (int)bytes, (int)a->file, a->at, (int)b->file, b->at);
}

/* Whether b may come into a's place: any for a swap, one of an older or a gone file. */
static bool blocks_fit(const struct world *w, enum exchange what, const struct block *a,
                       const struct block *b)
{
    if (a->file >= w->file_count)
        return false;
    if (what == ZERO)
        return a->file == b->file && a->at == b->at;
    if (what == SWAP)
        return b->file < a->file || (b->file == a->file && b->at < a->at);
    return b->file < a->file || b->file >= w->file_count;
}

/* One in `one_in` of all pairs; ALL=1: all. */
static void blocks_run(struct world *w, enum exchange what, size_t bytes, uint64_t one_in)
{
    size_t files = w->file_count + (what == OLDER ? w->old_count : 0), f, g;
    static struct block a, b;
    uint64_t i, k, random = test_seed();

    for (f = 0; f < w->file_count; f++)
        for (i = 0; i < block_count(w, f, bytes); i++) {
            block_get(w, &a, f, i, bytes);
            for (g = 0; g < files; g++)
                for (k = 0; k < block_count(w, g, bytes) && test_failures == 0; k++) {
                    if (what != ZERO && getenv("ALL") == NULL && test_random(&random) % one_in != 0)
                        continue;
                    b.file = g;
                    b.at = k * bytes;
                    if (!blocks_fit(w, what, &a, &b))
                        continue;
                    block_get(w, &b, g, k, bytes);
                    blocks_check(w, what, bytes, &a, &b);
                }
        }
}

/* Every length of every file, or a sample, with those beside each end of a section. */
static void lengths_run(struct world *w)
{
    uint64_t bytes, random = test_seed();
    size_t i, k;

    for (i = 0; i < w->file_count; i++)
        for (bytes = file_length(w, i); bytes-- > 0 && test_failures == 0;) {
            bool beside = bytes <= 1 || (bytes >= 4095 && bytes <= 4097);

            for (k = 0; k < w->proof_count; k++)
                beside |= w->proofs[k].file == i &&
                          bytes + 1 >= w->proofs[k].at + w->proofs[k].bytes &&
                          bytes <= w->proofs[k].at + w->proofs[k].bytes + 1;
            if (beside || getenv("ALL") != NULL || test_random(&random) % 25 == 0)
                length_check(w, i, bytes);
        }
}

/* Each small store, and each aged one, closed and killed. */
static void worlds_run(void (*run)(struct world *w))
{
    double began = (double)clock() / CLOCKS_PER_SEC;
    size_t i, small = TN_ARRAY_COUNT(small_shapes), all = small + TN_ARRAY_COUNT(aged_shapes);

    memset(&totals, 0, sizeof totals);
    for (i = 0; i < 2 * all && test_failures == 0; i++) {
        struct world *w = malloc(sizeof *w);

        tn_assert(w != NULL);
        world_make(w, i / 2 < small ? &small_shapes[i / 2] : &aged_shapes[i / 2 - small],
                   i % 2 == 0);
        w->damaged = tn_disk_new(0);
        run(w);
        tn_disk_free(w->damaged);
        world_end(w);
        free(w);
    }
    printf("# %" PRIu64 " stores, %" PRIu64 " damages: %" PRIu64 " refused, %" PRIu64
           " older, %" PRIu64 " harmless; %.1f s of processor time\n",
           totals.stores, totals.bits, totals.refused, totals.older, totals.same,
           (double)clock() / CLOCKS_PER_SEC - began);
    check(totals.stores >= 20 && totals.refused > 0 && totals.older > 0 && totals.same > 0);
}

static void zeros_run(struct world *w)
{
    blocks_run(w, ZERO, 512, 1);
    blocks_run(w, ZERO, 4096, 1);
}

static void swaps_run(struct world *w)
{
    blocks_run(w, SWAP, 512, 8);
    blocks_run(w, SWAP, 4096, 1);
}

static void olders_run(struct world *w)
{
    blocks_run(w, OLDER, 512, 20);
    blocks_run(w, OLDER, 4096, 1);
}

static void a_file_of_a_store_cut_short_is_found_or_harmless(void)
{
    worlds_run(lengths_run);
}

static void a_zeroed_block_of_a_store_is_found_or_harmless(void)
{
    worlds_run(zeros_run);
}

static void swapped_blocks_of_a_store_are_found_or_harmless(void)
{
    worlds_run(swaps_run);
}

static void a_block_of_an_older_file_is_found_or_harmless(void)
{
    worlds_run(olders_run);
}

/* ---- two copies ------------------------------------------------------------------------------ */

static int kept_file(void *context, int directory, const char *name)
{
    (void)context;
    (void)directory;
    (void)name;
    return -EBUSY;
}

static void file_flip(struct world *w, const char *name, uint64_t at)
{
    struct tn_disk *disk = tn_simulated_disk(w->system);

    bit_flip(w, tn_disk_file_find(disk, tn_disk_directory_find(disk, DIRECTORY), name), at, 0);
}

/*
 * A tail that was copied, and the file it came from, which could not be unlinked: what was synced
 * is there twice, and the older copy is as good (H2 of log/chain.h), though the younger is replayed
 * first.
 */
static void a_damaged_copy_is_made_up_for_by_the_other(void)
{
    uint64_t digest, at, tries, openings = 0;
    struct world w;

    memset(&totals, 0, sizeof totals);
    world_make(&w, &small_shapes[2], false); /* never synced: all of it is copied */
    w.ops.directory_unlink = kept_file;
    check_ok(world_open(&w));
    check_ok(tarn_commit(w.store, "behind the copies", 17, TARN_SYNC));
    digest = store_digest(w.store);
    check_ok(tarn_close(w.store));
    w.options.flags = TARN_READ_ONLY;
    tries = tn_simulated_call_count(w.system, TN_CALL_DIRECTORY_OPEN);
    for (at = 4096; at < 6000; at += 40, openings++) {
        file_flip(&w, "0000000000000002.tarn", at);
        check_ok(world_open(&w));
        check_eq(store_digest(w.store), digest);
        check_eq(w.report.dropped_bytes, 0);
        check_eq(w.report.text[0], '\0'); /* of the first try nothing is left */
        check_ok(tarn_close(w.store));
        file_flip(&w, "0000000000000002.tarn", at);
    }
    tries = tn_simulated_call_count(w.system, TN_CALL_DIRECTORY_OPEN) - tries;
    check(tries >= openings + 5); /* many of these bytes are replayed */
    world_end(&w);
}

static void shapes_run(const struct shape *shapes, size_t count, unsigned sample_count)
{
    double began = (double)clock() / CLOCKS_PER_SEC;
    uint64_t bytes = 0;
    size_t i;

    memset(&totals, 0, sizeof totals);
    for (i = 0; i < 2 * count && test_failures == 0; i++) {
        struct world w;

        world_make(&w, &shapes[i / 2], i % 2 == 0);
        bytes += w.file_bytes;
        if (getenv("VERBOSE") != NULL)
            printf("# %s: commit %d, %d bytes\n", w.shape->name, (int)w.last, (int)w.file_bytes);
        bits_run(&w, sample_count);
        world_end(&w);
    }
    printf("# %" PRIu64 " stores, %" PRIu64 " bytes, %" PRIu64 " bits flipped: %" PRIu64
           " refused, %" PRIu64 " older (%" PRIu64 " gone on with), %" PRIu64
           " harmless; %.1f s of processor time\n",
           totals.stores, bytes, totals.bits, totals.refused, totals.older, totals.gone_on,
           totals.same, (double)clock() / CLOCKS_PER_SEC - began);
}

static void a_flipped_bit_of_a_small_store_is_found_or_harmless(void)
{
    shapes_run(small_shapes, TN_ARRAY_COUNT(small_shapes), SAMPLES_SMALL);
    check(totals.stores >= 20);
    if (getenv("PART") == NULL)
        check(totals.refused > totals.bits / 4 && totals.older > 0 && totals.same > 0);
}

static void a_flipped_bit_of_a_store_of_1_mib_is_found_or_harmless(void)
{
    shapes_run(&large_shape, 1, SAMPLES_LARGE);
    check(totals.refused > totals.bits / 4 || getenv("PART") != NULL);
}

static const struct test tests[] = {
    T(a_damaged_copy_is_made_up_for_by_the_other),
    T(a_flipped_bit_of_a_small_store_is_found_or_harmless),
    T(a_flipped_bit_of_a_store_of_1_mib_is_found_or_harmless),
    T(a_file_of_a_store_cut_short_is_found_or_harmless),
    T(a_zeroed_block_of_a_store_is_found_or_harmless),
    T(swapped_blocks_of_a_store_are_found_or_harmless),
    T(a_block_of_an_older_file_is_found_or_harmless),
};

int main(int argc, char **argv)
{
    /* What an opening takes comes from the heap again and again, not from the kernel. */
    mallopt(M_MMAP_THRESHOLD, 1 << 30);
    mallopt(M_TRIM_THRESHOLD, 1 << 30);
    return test_main(tests, TN_ARRAY_COUNT(tests), argc, argv);
}
