/*
 * test_store_faults.c - each call of the system that fails, each allocation that is refused, in a
 * store's life
 *
 *     open, changes, commits, trims | kill -9 | open, changes, commits | close | open, ... | close
 *           ^                                     ^
 *           the n-th call of a kind answers an errno it can give: once, or from then on for ever
 *
 * There are two lives: in a quiet one changes are puts and deletes; in one of upheaval also clears,
 * drops, restores, exports, imports, and what a dictionary has. The life goes on with the answers it
 * gets. Then the fault is over, and the store is opened again: after the process died, or after the
 * power failed.
 *
 * Rules
 *   F1  A call that cannot be done answers the code of its errno (`faults` below) with a text; a
 *       change that fails has changed nothing, but for a restore, which may have done a part and
 *       can be repeated; nor has a commit that answers TARN_E_FULL or TARN_E_MEMORY.
 *   F2  Whatever failed, the store reads as what was put, uncommitted changes included.
 *   F3  TARN_E_FULL and TARN_E_MEMORY are not sticky: the commit is done once there is room.
 *   F4  TARN_E_FAILED is: after it nothing is written, and nothing synced again.
 *   F5  Opened again after the death of the process, the store is the last commit that was made,
 *       exactly; after a power loss, one between the last synced and that.
 *   F6  It can be gone on with, and what it then syncs a power loss leaves as it is.
 *   F7  All memory comes back.
 *   F8  A commit that was refused leaves nothing of itself in the files, nor is anything told of as
 *       dropped when the store is opened after the process died: but for the header of a new file
 *       they are as long as before, and as tarn_stat says.
 *   F9  Memory that is refused may cost a snapshot (S5 of snapshot.h), which then answers
 *       TARN_E_FULL; one that has not failed is restored and exported as it was taken.
 */
#include "allocator.h"
#include "crash_state.h"
#include "os/simulated.h"
#include "store/snapshot.h"

#include <errno.h>

#define COMMITS 15u
#define TABLES 2u   /* of crash_state, made by opening them */
#define IMPORTED 2u /* the one that only an import makes */

#define CODE(code) (UINT64_C(1) << -(code))
#define FULL CODE(TARN_E_FULL)
#define MEMORY CODE(TARN_E_MEMORY)
#define IO CODE(TARN_E_IO)
#define FAILED CODE(TARN_E_FAILED)
#define BUSY CODE(TARN_E_BUSY)

enum step {
    PUT,
    DELETE,
    CLEAR,
    DROP,
    TAKE,
    RESTORE,
    EXPORT,
    IMPORT,
    ENCODE,
    DICT_CLEAR,
    DICT_DROP,
    STEPS
};

enum kind { QUIET, UPHEAVAL, KINDS };

static const char *const kind_names[KINDS] = { "quiet", "of upheaval" };

struct life {
    enum kind kind;
    struct tn_simulated *system;
    struct tn_os os;
    struct allocator allocator;
    tarn_options options;
    tarn_report report;
    tarn_store *store;
    tarn_table *tables[CRASH_TABLES];
    tarn_dict *dict;
    tarn_snapshot *snapshot;
    struct crash_state past; /* what it sees */
    struct crash_state now;  /* of the store, uncommitted changes included */
    struct crash_state commits[COMMITS + 4];
    uint64_t made;       /* the last commit that the store says it has */
    uint64_t submitted;  /* or has begun */
    uint64_t synced;     /* the last one that must survive a power loss */
    uint64_t open_codes; /* that openings answered */
    uint64_t codes;      /* that the other calls answered */
    uint64_t random;
    uint64_t done[STEPS];
    uint64_t restores_over_commits;
    uint64_t copied; /* commits not synced when the process died */
    uint64_t taken;  /* the commit behind which the snapshot was taken */
    bool once;       /* the fault is over after the first code */
    bool failed;     /* TARN_E_FAILED was answered (F4) */
    bool torn;       /* so that something may lie behind the last commit */
};

static void life_init(struct life *life, enum kind kind)
{
    memset(life, 0, sizeof *life);
    life->kind = kind;
    life->system = tn_simulated_new(&(struct tn_simulated_options){ .keep_pages = true });
    life->os = tn_simulated_os(life->system);
    life->allocator.refuse_at = UINT64_MAX;
    life->options = (tarn_options){
        .address_bytes = 64 << 20,
        .file_bytes_min = 9000,
        .report = &life->report,
        .allocate = allocator_call,
        .allocate_context = &life->allocator,
    };
    life->random = kind == QUIET ? 7 : 58; /* so that count_calls finds what it looks for */
}

static void life_heal(struct life *life)
{
    tn_simulated_fail_none(life->system);
    life->allocator.refuse_at = UINT64_MAX;
    life->allocator.refuse_all = false;
}

/* F1 */
static int life_note(struct life *life, int result)
{
    if (result < 0)
        life->codes |= CODE(result);
    if (result == TARN_E_FAILED)
        life->failed = life->torn = true;
    check(result >= 0 || tarn_error_text(life->store)[0] != '\0');
    return result;
}

/* What tarn_stat says: keys of a dictionary lie in both its tables. */
static uint64_t entry_count(const struct crash_state *state)
{
    uint64_t count = 2 * (uint64_t)state->dict.count;
    unsigned t, k;

    for (t = 0; t < CRASH_TABLES; t++)
        for (k = 0; k < CRASH_KEYS; k++)
            count += state->tables[t].entries[k].stamp != 0;
    return count;
}

/* F2. What is open: nothing is asked of system or allocator. */
static void life_compare(struct life *life)
{
    const char *differs = NULL;
    tarn_statistics statistics;
    unsigned t;

    check_ok(tarn_stat(life->store, &statistics));
    check_eq(statistics.table_count, crash_table_count(&life->now));
    check_eq(statistics.entry_count, entry_count(&life->now));
    for (t = 0; t < CRASH_TABLES && differs == NULL; t++)
        if (life->tables[t] != NULL)
            differs = crash_table_differs(life->tables[t], &life->now.tables[t]);
    if (life->dict != NULL && differs == NULL)
        differs = crash_dict_differs(life->dict, &life->now.dict);
    check_text(differs != NULL ? differs : "as it was put", "as it was put");
}

/* F5. Whatever an opening answers with, it is exact. */
static int life_open(struct life *life)
{
    int result = tn_store_open(&life->store, "store", &life->options, &life->os);
    const char *differs;
    uint64_t number;

    memset(life->tables, 0, sizeof life->tables);
    life->dict = NULL;
    check((result == TARN_OK) == (life->store != NULL));
    if (result != TARN_OK) {
        life->open_codes |= CODE(result);
        life->torn |= result != TARN_E_FULL && result != TARN_E_MEMORY;
        check(life->report.text[0] != '\0' || result == TARN_E_MEMORY);
        return result;
    }
    check_ok(tarn_last_commit(life->store, &number, NULL));
    check(number >= life->made && number <= life->submitted);
    check(life->torn || life->report.dropped_bytes == 0); /* F8 */
    life->made = life->submitted = life->synced = tn_min(number, (uint64_t)COMMITS + 3);
    life->failed = false;
    life->now = life->commits[life->made];
    differs = NULL;
    if (life->allocator.refuse_at == UINT64_MAX)
        differs = crash_state_differs(life->store, &life->now);
    check_text(differs != NULL ? differs : "that commit", "that commit");
    return TARN_OK;
}

/* ---- changes --------------------------------------------------------------------------------- */

/* A table that could not be opened is tried again later. */
static bool table_ready(struct life *life, unsigned t)
{
    const tarn_table_options options = { .kind = (int)(t % 2) };

    if (t == IMPORTED && !life->now.tables[t].exists)
        return false;
    if (life->tables[t] == NULL &&
        life_note(life, tarn_table_open(&life->tables[t], life->store, crash_table_name(t),
                                        &options)) == TARN_OK) {
        life->now.tables[t].exists = true;
        life->now.tables[t].kind = options.kind;
    }
    return life->tables[t] != NULL;
}

/* Whether the change was made: what only its answer says. */
static bool life_did(struct life *life, enum step step, int result)
{
    bool did = life_note(life, result) >= 0;

    life->done[step] += did;
    return did;
}

static void table_change(struct life *life, enum step step, unsigned t, unsigned k, uint32_t bytes)
{
    struct crash_table *now = &life->now.tables[t];
    struct crash_entry wanted = { 0 };
    tarn_bytes key = crash_few_key(k);

    if (step == PUT)
        wanted = (struct crash_entry){ 1 + (uint32_t)(test_random(&life->random) >> 33), bytes };
    if (!table_ready(life, t))
        return;
    if (step == PUT && life_did(life, step,
                                tarn_put(life->tables[t], key.data, key.bytes,
                                         crash_value(wanted.stamp, wanted.bytes), wanted.bytes)))
        now->entries[k] = wanted;
    if (step == DELETE && life_did(life, step, tarn_delete(life->tables[t], key.data, key.bytes)))
        now->entries[k] = wanted;
    if (step == CLEAR && life_did(life, step, tarn_table_clear(life->tables[t])))
        memset(now->entries, 0, sizeof now->entries);
    if (step == DROP && life_did(life, step, tarn_table_drop(life->tables[t]))) {
        *now = (struct crash_table){ 0 };
        check_ok(tarn_table_close(life->tables[t]));
        life->tables[t] = NULL;
    }
}

static void quiet_change(struct life *life)
{
    unsigned t = (unsigned)(test_random(&life->random) % TABLES);
    unsigned k = (unsigned)(test_random(&life->random) % CRASH_KEYS);
    uint32_t choice = (uint32_t)(test_random(&life->random) % 8);

    table_change(life, choice < 6 ? PUT : DELETE, t, k, choice == 0 ? 6000 : 70 * choice);
}

static void dict_change(struct life *life, enum step step, unsigned k)
{
    struct crash_dict *now = &life->now.dict;
    tarn_bytes key = crash_few_key(k);
    uint32_t code, wanted = 0;

    if (life->dict == NULL &&
        life_note(life, tarn_dict_open(&life->dict, life->store, CRASH_DICT_NAME, NULL)) == TARN_OK)
        now->exists = true;
    if (life->dict == NULL)
        return;
    while (wanted < now->count && now->keys[wanted] != k)
        wanted++;
    if (step == ENCODE &&
        life_did(life, step, tarn_dict_encode(life->dict, key.data, key.bytes, &code))) {
        check_eq(code, wanted);
        now->keys[wanted] = (uint8_t)k;
        now->count += wanted == now->count;
    }
    if (step == DICT_CLEAR && life_did(life, step, tarn_dict_clear(life->dict)))
        now->count = 0;
    if (step == DICT_DROP && life_did(life, step, tarn_dict_drop(life->dict))) {
        *now = (struct crash_dict){ 0 };
        check_ok(tarn_dict_close(life->dict));
        life->dict = NULL;
    }
}

/* ---- snapshots, out and in ------------------------------------------------------------------- */

static void snapshot_release(struct life *life)
{
    check_ok(tarn_snapshot_release(life->snapshot));
    life->snapshot = NULL;
}

static void snapshot_take(struct life *life)
{
    snapshot_release(life);
    if (!life_did(life, TAKE, tarn_snapshot_take(&life->snapshot, life->store)))
        return;
    life->past = life->now;
    life->taken = life->made;
}

/* F9 */
static bool snapshot_failed(struct life *life)
{
    if (life->snapshot->failure == NULL)
        return false;
    check_eq(tarn_snapshot_restore(life->snapshot), TARN_E_FULL);
    check_eq(tarn_snapshot_export(life->snapshot, 0), TARN_E_FULL);
    snapshot_release(life);
    return true;
}

static void handles_close(struct life *life)
{
    unsigned t;

    for (t = 0; t < CRASH_TABLES; t++) {
        check_ok(tarn_table_close(life->tables[t]));
        life->tables[t] = NULL;
    }
    check_ok(tarn_dict_close(life->dict));
    life->dict = NULL;
}

static void life_kill(struct life *life)
{
    tarn_statistics statistics;

    snapshot_release(life);
    check_ok(tarn_stat(life->store, &statistics));
    life->copied += life->made - statistics.synced_number;
    tn_simulated_restart_process(life->system);
    (void)tarn_close(life->store);
    life->store = NULL;
}

/* Tables may be others than before. What a restore refused for ever has left, nobody knows. */
static void snapshot_restore(struct life *life)
{
    bool did;

    if (life->snapshot == NULL || snapshot_failed(life))
        return;
    did = life_did(life, RESTORE, tarn_snapshot_restore(life->snapshot));
    if (!did && life->once)
        did = life_did(life, RESTORE, tarn_snapshot_restore(life->snapshot));
    check(did || !life->once);
    if (!did) {
        life_kill(life);
        return;
    }
    life->restores_over_commits += life->taken < life->made;
    memcpy(life->now.tables, life->past.tables, sizeof life->now.tables);
    life->now.dict = life->past.dict;
    handles_close(life);
}

/* An export: made of a store in memory, or by a life. */
struct exported {
    uint8_t bytes[40000];
    size_t count, taken;
};

static int exported_write(void *context, const void *bytes, size_t count)
{
    struct exported *e = context;

    if (count > sizeof e->bytes - e->count)
        return ENOSPC;
    memcpy(e->bytes + e->count, bytes, count);
    e->count += count;
    return 0;
}

static int exported_read(void *context, void *to, size_t room, size_t *count)
{
    struct exported *e = context;

    *count = tn_min(room, e->count - e->taken);
    memcpy(to, e->bytes + e->taken, *count);
    e->taken += *count;
    return 0;
}

static tarn_store *store_in_memory(void)
{
    tarn_store *store = NULL;

    check_ok(tarn_open(&store, NULL, &(tarn_options){ .address_bytes = 64 << 20 }));
    return store;
}

/* F9 */
static void snapshot_export(struct life *life)
{
    int stream = tn_simulated_stream_new(life->system);
    struct exported e = { 0 };
    struct crash_state wanted = life->past;
    const char *differs;
    const uint8_t *bytes;
    tarn_store *store;
    size_t count;

    if (life->snapshot == NULL || snapshot_failed(life) ||
        !life_did(life, EXPORT, tarn_snapshot_export(life->snapshot, stream)))
        return;
    bytes = tn_simulated_stream_data(life->system, stream, &count);
    check_ok(exported_write(&e, bytes, count));
    store = store_in_memory();
    check_ok(tarn_import_with(store, exported_read, &e));
    wanted.note_bytes = 0;
    differs = crash_state_differs(store, &wanted);
    check_text(differs != NULL ? differs : "as it was taken", "as it was taken");
    check_ok(tarn_close(store));
}

/* A table of some entries. */
static void import_make(struct exported *e, struct crash_table *table)
{
    tarn_store *store = store_in_memory();
    tarn_snapshot *snapshot;
    tarn_table *made;
    unsigned k;

    *table = (struct crash_table){ .exists = true };
    check_ok(tarn_table_open(&made, store, crash_table_name(IMPORTED), NULL));
    for (k = 0; k < CRASH_KEYS; k += 2) {
        tarn_bytes key = crash_few_key(k);

        table->entries[k] = (struct crash_entry){ 1000 + k, 10 + 300 * k };
        check_ok(
            tarn_put(made, key.data, key.bytes, crash_value(1000 + k, 10 + 300 * k), 10 + 300 * k));
    }
    check_ok(tarn_snapshot_take(&snapshot, store));
    check_ok(tarn_snapshot_export_with(snapshot, exported_write, e));
    check_ok(tarn_snapshot_release(snapshot));
    check_ok(tarn_close(store));
}

static void table_import(struct life *life)
{
    static struct exported made;
    static struct crash_table table;
    int stream = tn_simulated_stream_new(life->system);
    bool changed;

    if (made.count == 0)
        import_make(&made, &table);
    if (life->now.tables[IMPORTED].exists ||
        life->os.ops->stream_write(life->os.context, stream, made.bytes, made.count) != 0)
        return;
    changed = life->store->changed;
    if (life_did(life, IMPORT, tarn_import(life->store, stream)))
        life->now.tables[IMPORTED] = table;
    else
        check_eq(life->store->changed, changed);
}

/* ---- a life ---------------------------------------------------------------------------------- */

static void upheaval_change(struct life *life)
{
    static const uint8_t steps[] = { PUT,    PUT,    PUT,    PUT,        PUT,      DELETE,  DELETE,
                                     CLEAR,  DROP,   TAKE,   TAKE,       TAKE,     RESTORE, RESTORE,
                                     EXPORT, IMPORT, IMPORT, ENCODE,     ENCODE,   ENCODE,  ENCODE,
                                     ENCODE, ENCODE, ENCODE, DICT_CLEAR, DICT_DROP };
    enum step step = (enum step)steps[test_random(&life->random) % TN_ARRAY_COUNT(steps)];
    unsigned t = (unsigned)(test_random(&life->random) % CRASH_TABLES);
    unsigned k = (unsigned)(test_random(&life->random) % CRASH_KEYS);

    if (step <= DROP)
        table_change(life, step, t, k, k == 0 ? 6000 : 70 * k);
    else if (step >= ENCODE)
        dict_change(life, step, k);
    else if (step == TAKE)
        snapshot_take(life);
    else if (step == RESTORE)
        snapshot_restore(life);
    else if (step == EXPORT)
        snapshot_export(life);
    else
        table_import(life);
}

static void life_change(struct life *life)
{
    if (life->kind == QUIET)
        quiet_change(life);
    else
        upheaval_change(life);
}

/* Of all files, as they are on the disk. */
static uint64_t life_file_bytes(const struct life *life)
{
    struct tn_disk *disk = tn_simulated_disk(life->system);
    int directory = tn_disk_directory_find(disk, "store");
    uint64_t bytes = 0, all = 0;
    const char *name;
    size_t i;

    for (i = 0; (name = tn_disk_name(disk, directory, i)) != NULL; i++) {
        (void)tn_disk_file_data(disk, tn_disk_file_find(disk, directory, name), &bytes);
        all += bytes;
    }
    return all;
}

/* F8 */
static void life_check_files(struct life *life, uint64_t bytes_before)
{
    tarn_statistics statistics;

    check_ok(tarn_stat(life->store, &statistics));
    check_eq(statistics.file_bytes, life_file_bytes(life));
    check(statistics.file_bytes <= bytes_before + 4096);
}

static int commit_once(struct life *life, bool sync)
{
    uint64_t number = 0, bytes = life_file_bytes(life);
    uint64_t calls = tn_simulated_call_count(life->system, TN_CALL_ANY);
    bool failed = life->failed;
    int result;

    if (!failed) {
        life->submitted = life->made + 1;
        life->commits[life->submitted] = life->now;
    }
    result = life_note(life, tarn_commit(life->store, crash_value(life->now.note_stamp, 9), 9,
                                         sync ? TARN_SYNC : 0));
    check_ok(tarn_last_commit(life->store, &number, NULL));
    if (failed) { /* F4 */
        check_eq(result, TARN_E_FAILED);
        check_eq(number, life->made);
        check_eq(tn_simulated_call_count(life->system, TN_CALL_ANY), calls);
        return result;
    }
    if (result == TARN_E_FULL || result == TARN_E_MEMORY) {
        check_eq(number, life->made);
        life_check_files(life, bytes);
    } else if (result == TARN_OK)
        check_eq(number, life->made + 1);
    else
        check(result == TARN_E_FAILED && number - life->made <= 1);
    life->made = number;
    if (result == TARN_OK && sync)
        life->synced = number;
    return result;
}

/* F3 */
static void life_commit(struct life *life, unsigned i)
{
    bool sync = i % 3 == 0;
    int result;

    life->now.note_stamp = i + 1;
    life->now.note_bytes = 9;
    result = commit_once(life, sync);
    if (life->once && (result == TARN_E_FULL || result == TARN_E_MEMORY))
        check_ok(commit_once(life, sync));
    life_compare(life);
}

static bool life_open_often(struct life *life)
{
    int result = life_open(life);

    if (life->once && result != TARN_OK)
        result = life_open(life);
    check(result == TARN_OK || !life->once);
    return result == TARN_OK;
}

static void life_close(struct life *life)
{
    int result;

    snapshot_release(life);
    result = tarn_close(life->store);
    life->store = NULL;
    life->codes |= result < 0 ? CODE(result) : 0;
    life->torn |= result == TARN_E_FAILED;
    if (result == TARN_OK)
        life->synced = life->made;
}

static void life_live(struct life *life)
{
    unsigned i, k;

    if (!life_open_often(life))
        return;
    for (i = 0; i < COMMITS; i++) {
        if (life->store != NULL && i == 6)
            life_kill(life); /* behind commits that are not synced: they are copied */
        else if (life->store != NULL && i == 11)
            life_close(life);
        if (life->store == NULL && !life_open_often(life))
            return;
        for (k = 0; k < 5 && life->store != NULL; k++)
            life_change(life);
        if (life->store != NULL)
            life_commit(life, i);
    }
}

/* F5, F6, F7 */
static void life_end(struct life *life, bool power)
{
    uint64_t fate = life->random;

    life_heal(life);
    life->now.note_stamp = 77;
    life->now.note_bytes = 9;
    if (life->store != NULL && !life->failed)
        (void)commit_once(life, false);
    check(life->store == NULL || life->failed || life->made == life->submitted);
    if (life->store != NULL)
        life_kill(life);
    if (power) {
        tn_simulated_restart_with(life->system, tn_disk_fate_random, &fate);
        life->torn = true;
        life->made = life->synced;
    }
    check_ok(life_open(life));
    if (life->store != NULL) {
        life_change(life);
        life->now.note_stamp = 99;
        life->now.note_bytes = 9;
        check_ok(commit_once(life, true));
        life_kill(life);
        tn_simulated_restart_with(life->system, tn_disk_fate_random, &fate);
        check_ok(life_open(life));
        check_ok(tarn_close(life->store));
    }
    check_eq(life->allocator.live_blocks, 0);
    check(!life->allocator.size_was_wrong);
    check_eq(tn_simulated_committed_bytes(life->system), 0);
    tn_simulated_free(life->system);
}

/* ---- calls of the system --------------------------------------------------------------------- */

struct fault {
    enum tn_simulated_call call;
    int error;
    uint64_t open_codes; /* all that openings answer, and each of them some time */
    uint64_t codes;      /* and the other calls */
};

static const struct fault faults[] = {
    { TN_CALL_PAGES_RESERVE, ENOMEM, MEMORY, 0 },
    { TN_CALL_PAGES_COMMIT, ENOMEM, MEMORY, MEMORY },
    { TN_CALL_PAGES_DECOMMIT, ENOMEM, 0, 0 },
    { TN_CALL_FORK_MARK, ENOMEM, MEMORY, 0 },
    { TN_CALL_FORK_MARK, ENOTSUP, 0, 0 },
    { TN_CALL_RANDOM, EIO, MEMORY, 0 },
    { TN_CALL_RANDOM, ENOSYS, MEMORY, 0 },
    { TN_CALL_DIRECTORY_OPEN, EACCES, IO, 0 },
    { TN_CALL_DIRECTORY_OPEN, EIO, IO, 0 },
    { TN_CALL_DIRECTORY_OPEN, ELOOP, IO, 0 },
    { TN_CALL_DIRECTORY_OPEN, ENOENT, IO, 0 },
    { TN_CALL_DIRECTORY_OPEN, ENOTDIR, IO, 0 },
    { TN_CALL_DIRECTORY_OPEN, EROFS, IO, 0 },
    { TN_CALL_DIRECTORY_OPEN, ENOMEM, MEMORY, 0 },
    { TN_CALL_DIRECTORY_OPEN, EMFILE, IO, 0 },
    { TN_CALL_DIRECTORY_OPEN, ENFILE, IO, 0 },
    { TN_CALL_DIRECTORY_OPEN, ENOSPC, FULL, 0 },
    { TN_CALL_DIRECTORY_OPEN, EDQUOT, FULL, 0 },
    { TN_CALL_DIRECTORY_LOCK, EBUSY, BUSY, 0 },
    { TN_CALL_DIRECTORY_LOCK, EIO, IO, 0 },
    { TN_CALL_DIRECTORY_LOCK, ENOLCK, IO, 0 },
    { TN_CALL_DIRECTORY_LIST, EIO, IO, 0 },
    { TN_CALL_DIRECTORY_LIST, ENOMEM, MEMORY, 0 },
    { TN_CALL_DIRECTORY_SYNC, EDQUOT, IO, FAILED },
    { TN_CALL_DIRECTORY_SYNC, EIO, IO, FAILED },
    { TN_CALL_DIRECTORY_SYNC, ENOSPC, IO, FAILED },
    { TN_CALL_DIRECTORY_SYNC, EROFS, IO, FAILED },
    { TN_CALL_DIRECTORY_UNLINK, EACCES, 0, 0 },
    { TN_CALL_DIRECTORY_UNLINK, EBUSY, 0, 0 },
    { TN_CALL_DIRECTORY_UNLINK, EIO, 0, 0 },
    { TN_CALL_DIRECTORY_UNLINK, ENOENT, 0, 0 },
    { TN_CALL_DIRECTORY_UNLINK, EROFS, 0, 0 },
    { TN_CALL_FILE_OPEN, EACCES, IO, FAILED },
    { TN_CALL_FILE_OPEN, EIO, IO, FAILED },
    { TN_CALL_FILE_OPEN, ENOENT, IO, FAILED },
    { TN_CALL_FILE_OPEN, EROFS, IO, FAILED },
    { TN_CALL_FILE_OPEN, ENOMEM, MEMORY, MEMORY },
    { TN_CALL_FILE_OPEN, EMFILE, MEMORY | IO, MEMORY },
    { TN_CALL_FILE_OPEN, ENFILE, MEMORY | IO, MEMORY },
    { TN_CALL_FILE_OPEN, ENOSPC, FULL | IO, FULL },
    { TN_CALL_FILE_OPEN, EDQUOT, FULL | IO, FULL },
    { TN_CALL_FILE_SIZE, EIO, IO, 0 },
    { TN_CALL_FILE_READ, EIO, IO, 0 },
    { TN_CALL_FILE_READ, ENOMEM, MEMORY, 0 },
    { TN_CALL_FILE_WRITE, EDQUOT, FULL, FULL },
    { TN_CALL_FILE_WRITE, EFBIG, FULL, FULL },
    { TN_CALL_FILE_WRITE, ENOSPC, FULL, FULL },
    { TN_CALL_FILE_WRITE, EIO, IO, FAILED },
    { TN_CALL_FILE_WRITE, ENOMEM, IO, FAILED },
    { TN_CALL_FILE_WRITE, EPERM, IO, FAILED },
    { TN_CALL_FILE_WRITE, EROFS, IO, FAILED },
    { TN_CALL_FILE_SYNC, EDQUOT, IO, FAILED },
    { TN_CALL_FILE_SYNC, EIO, IO, FAILED },
    { TN_CALL_FILE_SYNC, ENOSPC, IO, FAILED },
    { TN_CALL_FILE_SYNC, EROFS, IO, FAILED },
    { TN_CALL_STREAM_READ, EIO, 0, IO },
    { TN_CALL_STREAM_READ, EBADF, 0, IO },
    { TN_CALL_STREAM_READ, ENOMEM, 0, MEMORY },
    { TN_CALL_STREAM_WRITE, EDQUOT, 0, FULL },
    { TN_CALL_STREAM_WRITE, EFBIG, 0, FULL },
    { TN_CALL_STREAM_WRITE, ENOSPC, 0, FULL },
    { TN_CALL_STREAM_WRITE, EIO, 0, IO },
    { TN_CALL_STREAM_WRITE, EPIPE, 0, IO },
};

/* What a life asks of the system when all goes well: it has all that it should have. */
static void count_calls(enum kind kind_of_life, uint64_t counts[TN_CALL_KIND_COUNT])
{
    struct life *life = malloc(sizeof *life);
    int kind;
    int step;

    life_init(life, kind_of_life);
    life_live(life);
    check_eq(life->codes | life->open_codes, 0);
    check(life->copied > 0);
    for (step = PUT; step < (kind_of_life == QUIET ? CLEAR : STEPS); step++)
        check(life->done[step] > 1);
    check(kind_of_life == QUIET || life->restores_over_commits > 1);
    for (kind = 0; kind < TN_CALL_KIND_COUNT; kind++)
        counts[kind] = tn_simulated_call_count(life->system, (enum tn_simulated_call)kind);
    life_end(life, false);
    free(life);
}

static uint64_t lives; /* that had a fault */

static void fault_run(enum kind kind, const struct fault *fault, uint64_t at, bool once, bool power,
                      struct fault *seen)
{
    struct life *life = malloc(sizeof *life);

    life_init(life, kind);
    life->once = once;
    check(tn_simulated_fail(life->system, fault->call, at, fault->error, !once));
    life_live(life);
    if (life->store != NULL && at % 2 == 0) { /* closing may meet the fault, too */
        bool failed = life->failed;

        life_close(life);
        check(!failed || (life->codes & FAILED) != 0);
    }
    life_end(life, power);
    seen->open_codes |= life->open_codes;
    seen->codes |= life->codes;
    lives++;
    if (test_failures != 0)
        printf("# a life %s: call %d of kind %d, errno %d (%s), %s, then %s\n", kind_names[kind],
               (int)at, (int)fault->call, fault->error, strerror(fault->error),
               once ? "once" : "for ever", power ? "a power loss" : "a kill");
    free(life);
}

static void every_call_of_the_system_may_fail_with_every_errno_it_has(void)
{
    uint64_t counts[KINDS][TN_CALL_KIND_COUNT], at;
    int kind;
    size_t i;

    for (kind = 0; kind < KINDS; kind++) {
        count_calls((enum kind)kind, counts[kind]);
        check_eq(counts[kind][TN_CALL_FILE_TRUNCATE] + counts[kind][TN_CALL_FILE_MAP] +
                     counts[kind][TN_CALL_DIRECTORY_RENAME],
                 0); /* files are cut where commits are refused: test_log_faults */
    }
    check(counts[QUIET][TN_CALL_DIRECTORY_UNLINK] > 8);
    for (i = 0; i < TN_ARRAY_COUNT(faults) && test_failures == 0; i++) {
        struct fault seen = { 0 };

        check(counts[UPHEAVAL][faults[i].call] > 0);
        for (kind = 0; kind < KINDS; kind++)
            for (at = 1; at <= counts[kind][faults[i].call] && test_failures == 0; at++) {
                fault_run((enum kind)kind, &faults[i], at, true, at % 2 == 0, &seen);
                fault_run((enum kind)kind, &faults[i], at, false, at % 2 != 0, &seen);
            }
        if (test_failures != 0)
            return;
        check_eq(seen.open_codes, faults[i].open_codes);
        check_eq(seen.codes, faults[i].codes);
        if (test_failures != 0)
            printf("# kind %d, errno %d (%s)\n", (int)faults[i].call, faults[i].error,
                   strerror(faults[i].error));
    }
    printf("# %d lives, %d or %d calls each\n", (int)lives, (int)counts[QUIET][TN_CALL_ANY],
           (int)counts[UPHEAVAL][TN_CALL_ANY]);
}

static void a_device_that_is_gone_at_any_call_leaves_what_was_committed(void)
{
    const struct fault gone = { .call = TN_CALL_ANY, .error = EIO };
    uint64_t counts[TN_CALL_KIND_COUNT], at;
    struct fault seen = { 0 };
    int kind;

    for (kind = 0; kind < KINDS; kind++) {
        count_calls((enum kind)kind, counts);
        for (at = 1; at <= counts[TN_CALL_ANY] && test_failures == 0; at++) {
            fault_run((enum kind)kind, &gone, at, false, false, &seen);
            fault_run((enum kind)kind, &gone, at, false, true, &seen);
        }
    }
    check_eq(seen.open_codes, MEMORY | IO);
    check_eq(seen.codes, MEMORY | IO | FAILED);
}

/* ---- writes that did a part ------------------------------------------------------------------ */

/* The n-th write does some quarters of what it should, and fails. */
static void write_run(enum kind kind, uint64_t at, unsigned quarters, int error, bool power)
{
    struct life *life = malloc(sizeof *life);

    life_init(life, kind);
    life->once = true;
    tn_simulated_fail_partly(life->system, quarters);
    check(tn_simulated_fail(life->system, TN_CALL_FILE_WRITE, at, error, false));
    life_live(life);
    check_eq(life->codes | life->open_codes,
             error == ENOSPC ? FULL : (life->codes & FAILED) | (life->open_codes & IO));
    check(life->codes != 0 || life->open_codes != 0);
    life_end(life, power);
    if (test_failures != 0)
        printf("# a life %s: write %d, %d of 4 parts, errno %d, then %s\n", kind_names[kind],
               (int)at, (int)quarters, error, power ? "a power loss" : "a kill");
    free(life);
}

/* With EIO all of it may have been written; a system that lacks room says how much was. */
static void a_write_that_did_a_part_is_as_if_it_had_not_been(void)
{
    uint64_t counts[TN_CALL_KIND_COUNT], at;
    unsigned quarters;
    int kind;

    for (kind = 0; kind < KINDS; kind++) {
        count_calls((enum kind)kind, counts);
        for (at = 1; at <= counts[TN_CALL_FILE_WRITE] && test_failures == 0; at++)
            for (quarters = 1; quarters <= 4 && test_failures == 0; quarters++) {
                write_run((enum kind)kind, at, quarters, EIO, at % 2 == 0);
                if (quarters < 4)
                    write_run((enum kind)kind, at, quarters, ENOSPC, at % 2 != 0);
            }
    }
}

/* ---- allocations ----------------------------------------------------------------------------- */

static uint64_t refusal_run(enum kind kind, uint64_t at, bool once, bool power)
{
    struct life *life = malloc(sizeof *life);
    uint64_t codes;

    life_init(life, kind);
    life->once = once;
    life->allocator.refuse_at = at;
    life->allocator.refuse_all = !once;
    life_live(life);
    codes = life->codes | life->open_codes;
    check_eq(codes & ~MEMORY, 0);
    life_end(life, power);
    if (test_failures != 0)
        printf("# a life %s: allocation %d, %s, then %s\n", kind_names[kind], (int)at,
               once ? "once" : "for ever", power ? "a power loss" : "a kill");
    free(life);
    return codes;
}

static void every_allocation_may_be_refused(enum kind kind)
{
    struct life *life = malloc(sizeof *life);
    uint64_t count, at, refused = 0;

    life_init(life, kind);
    life_live(life);
    count = life->allocator.asked;
    life_end(life, false);
    free(life);
    for (at = 1; at <= count && test_failures == 0; at++) {
        refused += refusal_run(kind, at, true, at % 2 == 0) != 0;
        refused += refusal_run(kind, at, false, at % 2 != 0) != 0;
    }
    check(refused > count);
    printf("# %d allocations, %d of %d refusals were answered\n", (int)count, (int)refused,
           (int)(2 * count));
}

static void every_allocation_of_a_life_may_be_refused(void)
{
    int kind;

    for (kind = 0; kind < KINDS; kind++)
        every_allocation_may_be_refused((enum kind)kind);
}

static const struct test tests[] = {
    T(every_call_of_the_system_may_fail_with_every_errno_it_has),
    T(a_device_that_is_gone_at_any_call_leaves_what_was_committed),
    T(a_write_that_did_a_part_is_as_if_it_had_not_been),
    T(every_allocation_of_a_life_may_be_refused),
};

TEST_MAIN(tests)
