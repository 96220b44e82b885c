/*
 * test_store_damage.c - any bit of a store may flip: it is found, or it is harmless
 *
 *     stores of many shapes, closed cleanly or killed --flip one bit--> tarn_open --> which commit? whole?
 *
 * Rules (contract: a damaged byte is found or harmless)
 *   D1  Opening answers TARN_E_CORRUPT or TARN_E_VERSION with a text that names file and offset,
 *       and has written nothing; or TARN_OK, and the store is exactly one of its commits.
 *   D2  That is the last one. Only a store that was not closed cleanly may be an older one: not
 *       older than what its last footer says was synced, and the report says what was dropped.
 *   D3  Opening takes no more memory than that of the whole store, as much again as its files have,
 *       and a few chunks: an older commit may have had entries of other sizes.
 *   D4  A store that lost its tail can be gone on with; what is written then comes back.
 *
 * By default a sample of bits, by SEED. ALL=1: every bit of every store; PART=2/4 the second
 * quarter of them; a word chooses tests. It prints how many bits, what became of them, and seconds.
 */
#include "base/checksum.h"
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
};

static const struct shape small_shapes[] = {
    { "one commit, one entry", 1, 1, 1, 5, 0, 1, 0, 0, 0, 0, false, false },
    { "a note and nothing else", 1, 0, 1, 0, 0, 0, 0, 0, 0, 9, false, false },
    { "never synced", 6, 4, 9, 40, 0, 0, 2, 0, 0, 3, false, false },
    { "always synced", 5, 4, 9, 40, 0, 1, 2, 0, 0, 3, false, false },
    { "synced now and then, files", 14, 6, 30, 200, 6000, 4, 2, 1, 0, 0, false, false },
    { "files that go", 20, 8, 12, 150, 5000, 3, 1, 0, 0, 20, false, false },
    { "an unordered table", 4, 12, 40, 24, 0, 2, 3, 1, 0, 0, false, false },
    { "numbers", 4, 12, 40, 8, 0, 2, 1, 0, TARN_I64, 0, false, false },
    { "empty values", 4, 10, 20, 0, 0, 3, 2, 0, 0, 1, false, false },
    { "tables cleared and dropped", 9, 6, 10, 30, 7000, 3, 1, 0, 0, 5, true, false },
    { "a dictionary", 5, 5, 20, 16, 0, 2, 1, 0, 0, 0, false, true },
    { "a block and more in a value", 3, 1, 2, 20000, 0, 2, 1, 0, 0, 0, false, false },
    { "a long note", 3, 1, 2, 20, 0, 2, 0, 0, 0, 9000, false, false },
};

static const struct shape large_shape = { "1 MiB", 22, 16, 300, 4400,  200000, 5,
                                          1,       0,  0,  20,  false, false };

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
};

/* Of all stores of a test. */
static struct {
    uint64_t stores, bits, refused, older, same, gone_on;
} totals;

/* ---- counted memory -------------------------------------------------------------------------- */

static uint64_t held_bytes, peak_bytes;
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
};

int main(int argc, char **argv)
{
    /* What an opening takes comes from the heap again and again, not from the kernel. */
    mallopt(M_MMAP_THRESHOLD, 1 << 30);
    mallopt(M_TRIM_THRESHOLD, 1 << 30);
    return test_main(tests, TN_ARRAY_COUNT(tests), argc, argv);
}
