/*
 * disk.c - operations on a store with a directory, on a simulated system; see run.h
 *
 *     commit --> run.saved, a copy of the model            close or kill, open --> the model is run.saved
 *
 * What was not committed is gone after either; what was committed is there, synced or not: only
 * processes die here, power losses are tests/crash.h. An opening may be refused like any call, and
 * leaves the directory as it was; a store that does not fit into its limit any more (records lie
 * otherwise) gets twice as much.
 */
#include "model/run.h"

#include "os/simulated.h"
#include "store/check.h"

#define DIRECTORY "store"
#define SALVAGED "salvaged" /* made by the first salvage, emptied after each */

/* ---- the system ------------------------------------------------------------------------------ */

void disk_make(const struct setting *setting)
{
    run.system = tn_simulated_new(
        &(struct tn_simulated_options){ .seed = setting->seed, .keep_pages = true });
}

void disk_free(void)
{
    size_t t;

    if (run.system == NULL)
        return;
    for (t = 0; t < run.table_count; t++)
        model_table_free(&run.saved.tables[t]);
    if (run.saved.dict.codes != NULL)
        model_dict_free(&run.saved.dict);
    tn_simulated_free(run.system);
    run.system = NULL;
}

static tarn_options disk_options(void)
{
    return (tarn_options){ .address_bytes = TN_GIB,
                           .file_bytes_min = run.program->setting.file_bytes_min };
}

/* ---- commits --------------------------------------------------------------------------------- */

/*
 * The commit that was made is this, but for a table or the dictionary that was dropped and is not
 * there.
 */
void disk_save(size_t missing)
{
    size_t t;

    if (run.system == NULL)
        return;
    for (t = 0; t < run.table_count; t++) {
        run.saved.exists[t] = t != missing;
        model_table_copy(&run.saved.tables[t], &run.model[t]);
    }
    run.saved.dict_exists = missing != run.table_count;
    model_dict_copy(&run.saved.dict, &run.dict);
    run.saved.number = run.commit_number;
    run.saved.note = run.note;
}

void disk_settled(bool synced)
{
    tarn_statistics stat;

    if (run.system == NULL)
        return;
    expect(tarn_stat(run.store, &stat) == TARN_OK && stat.synced_number <= run.commit_number);
    expect(!synced || stat.synced_number == run.commit_number);
    expect(stat.file_count > 0 && stat.other_name_count == 0);
}

/* Dropped, and committed before there is another of the name; then there is. */
void do_drop_and_commit(size_t which, uint32_t word)
{
    size_t t = which % (run.table_count + 1), i;

    if (run.system == NULL)
        return;
    if (t < run.table_count) {
        expect(tarn_table_drop(run.tables[t]) == TARN_OK);
        model_empty(t, true);
        expect(tarn_table_close(run.tables[t]) == TARN_OK);
        run.tables[t] = NULL;
    } else {
        expect(tarn_dict_drop(run.dicts[0]) == TARN_OK);
        model_dict_empty();
        for (i = 0; i < 2; i++) {
            expect(tarn_dict_close(run.dicts[i]) == TARN_OK);
            run.dicts[i] = NULL;
        }
    }
    loans_end();
    commit_all_but(t, word);
    if (t < run.table_count)
        table_open(t);
    else
        dicts_open();
    run.changed = true;
}

/* ---- comparing ------------------------------------------------------------------------------- */

/* Any store that should be the last commit. */
static void compare_saved(tarn_store *store, uint64_t wanted_number)
{
    const struct model_saved *saved = &run.saved;
    size_t t, count = saved->dict_exists ? 2 : 0;
    uint64_t number = 0;
    tarn_bytes note;

    expect(tarn_last_commit(store, &number, &note) == TARN_OK && number == wanted_number);
    expect(note_is(&note, saved->note));
    for (t = 0; t < run.table_count && !outcome->failed; t++) {
        if (!saved->exists[t])
            continue;
        count++;
        compare_table(store, t, &saved->tables[t]);
    }
    expect(store->table_count == count);
    if (saved->dict_exists && !outcome->failed)
        compare_dict(store, &saved->dict);
}

/* ---- closing and opening --------------------------------------------------------------------- */

static void handles_end(void)
{
    size_t i;

    for (i = 0; i < ITERATORS; i++)
        iterator_close(&run.iterators[i]);
    for (i = 0; i < SNAPSHOTS; i++)
        do_release(i, 0);
    loans_end();
}

/* What was taken in by the neighbour, and then twice the limits. */
static void make_room_to_open(void)
{
    if (run.neighbour.store != NULL) {
        expect(tarn_table_clear(run.neighbour.table) == TARN_OK);
        while (tarn_work(run.neighbour.store, UINT64_MAX) == TARN_OK) {
        }
        run.budget_bytes *= 2;
        run.neighbour.store->memory.budget->limit_bytes = run.budget_bytes;
    }
    run.limit_bytes *= 2;
    outcome->disk[DISK_ROOM]++;
}

void disk_open(void)
{
    tarn_report report = { 0 };
    tarn_options options = disk_options();
    struct tn_os os;
    int result = TARN_E_MEMORY, tries = 0;

    options.snapshot_bytes_max = run.program->setting.snapshot_bytes_max;
    options.budget = run.budget;
    options.report = &report;
    options.allocate = allocator_call;
    options.allocate_context = &run.allocator;
    for (; result != TARN_OK && tries < 40 && !outcome->failed; tries++) {
        options.memory_bytes_max = run.limit_lifted ? 0 : run.limit_bytes;
        os = *os_of_run();
        result =
            tn_store_open_from(&run.store, DIRECTORY, &options, &os, run.program->setting.tick);
        expect(result == TARN_OK || is_refusal(result));
        expect((result == TARN_OK) == (run.store != NULL));
        outcome->disk[DISK_REFUSED] += result != TARN_OK;
        if (result == TARN_E_FULL)
            make_room_to_open();
    }
    expect(result == TARN_OK);
    expect(report.dropped_bytes == 0);
}

/* The model is what the last commit was, with new and empty tables where it has none. */
static void model_return(void)
{
    size_t t;

    run.commit_number = run.saved.number;
    run.note = run.saved.note;
    run.changed = !run.saved.dict_exists;
    for (t = 0; t < run.table_count; t++) {
        run.model[t].emptied = run.step;
        if (run.saved.exists[t]) {
            model_table_copy(&run.model[t], &run.saved.tables[t]);
        } else {
            model_table_empty(&run.model[t]);
            run.changed = true;
        }
    }
    if (run.saved.dict_exists) {
        model_dict_copy(&run.dict, &run.saved.dict);
    } else {
        memset(run.dict.codes, 0xFF, run.universe.count * sizeof(uint32_t));
        run.dict.count = 0;
    }
}

void do_reopen(bool kills)
{
    tarn_statistics stat;
    size_t t;

    if (run.system == NULL)
        return;
    handles_end();
    if (kills)
        tn_simulated_restart_process(run.system); /* from here on nothing reaches the disk */
    expect(tarn_close(run.store) == TARN_OK || kills);
    expect(run.allocator.live_blocks == 0 && run.allocator.live_bytes == 0);
    run.store = NULL;
    memset(run.tables, 0, sizeof run.tables);
    memset(run.dicts, 0, sizeof run.dicts);
    outcome->disk[kills ? DISK_KILLED : DISK_CLOSED]++;
    disk_open();
    if (outcome->failed)
        return;
    expect(tarn_stat(run.store, &stat) == TARN_OK && stat.snapshot_count == 0);
    expect(tn_snapshots_check(run.store));
    expect(kills || run.saved.number == 0 || stat.synced_number == run.saved.number);
    run.allocator.refuse_at = UINT64_MAX; /* planned again with the next step */
    compare_saved(run.store, run.saved.number);
    if (outcome->failed)
        return;
    model_return();
    for (t = 0; t < run.table_count; t++)
        table_open(t);
    dicts_open();
    run_look_inside();
}

/* ---- beside the store ------------------------------------------------------------------------ */

/* Another one that only reads shows the last commit, whatever has changed since, and changes nothing. */
void do_read_beside(void)
{
    tarn_options options = disk_options();
    tarn_store *beside = NULL;
    struct tn_os os;
    tarn_table *table;

    if (run.system == NULL || run.saved.number == 0)
        return;
    os = tn_simulated_os(run.system);
    loans_end();
    expect(tn_store_open(&beside, DIRECTORY, &options, &os) == TARN_E_BUSY && beside == NULL);
    options.flags = TARN_READ_ONLY;
    expect(tn_store_open(&beside, DIRECTORY, &options, &os) == TARN_OK);
    if (outcome->failed)
        return;
    compare_saved(beside, run.saved.number);
    if (run.saved.exists[0]) {
        expect(tarn_table_open(&table, beside, table_name(0), NULL) == TARN_OK);
        expect(tarn_table_clear(table) == TARN_OK);
    }
    expect(tarn_commit(beside, "x", 1, TARN_SYNC) == TARN_E_MISUSE);
    expect(tarn_close(beside) == TARN_OK);
    outcome->disk[DISK_BESIDE]++;
}

/* ---- a new store of it ----------------------------------------------------------------------- */

struct names {
    char names[16][64];
    size_t count;
};

static int name_note(void *argument, const char *name)
{
    struct names *names = argument;

    if (names->count < TN_ARRAY_COUNT(names->names))
        (void)snprintf(names->names[names->count++], sizeof names->names[0], "%s", name);
    return 0;
}

/* And synced: what is pending would stay in memory. */
static void salvaged_remove(const struct tn_os *os)
{
    int directory = os->ops->directory_open(os->context, SALVAGED, 0);
    struct names names;
    size_t i;

    expect(directory >= 0);
    do {
        names.count = 0;
        expect(os->ops->directory_list(os->context, directory, name_note, &names) == 0);
        for (i = 0; i < names.count; i++)
            expect(os->ops->directory_unlink(os->context, directory, names.names[i]) == 0);
    } while (names.count > 0 && !outcome->failed);
    expect(os->ops->directory_sync(os->context, directory) == 0);
    os->ops->directory_close(os->context, directory);
}

/* A store that opens is copied, beside its writer and whatever is uncommitted: as commit 1. */
static void salvage(void)
{
    tarn_options options = disk_options();
    tarn_salvage_result salvaged = { 0 };
    struct tn_os os = os_beside();
    tarn_store *store = NULL;
    uint64_t entries = run.saved.dict_exists ? 2 * run.saved.dict.count : 0;
    size_t t, tables = run.saved.dict_exists ? 2 : 0;

    for (t = 0; t < run.table_count; t++) {
        tables += run.saved.exists[t];
        entries += run.saved.exists[t] ? run.saved.tables[t].count : 0;
    }
    call_count(CALL_tarn_salvage);
    expect(tn_store_salvage(DIRECTORY, SALVAGED, &options, NULL, NULL, &salvaged, &os) == TARN_OK);
    expect(salvaged.report.commit_number == run.saved.number && salvaged.report.text[0] == 0);
    expect(salvaged.damage_count == 0 && salvaged.lost_count == 0 && salvaged.named_count == 0);
    expect(salvaged.table_count == tables && salvaged.entry_count == entries);
    options.flags = TARN_EXISTING;
    expect(tn_store_open(&store, SALVAGED, &options, &os) == TARN_OK);
    if (outcome->failed)
        return;
    compare_saved(store, 1);
    expect(tarn_close(store) == TARN_OK);
    salvaged_remove(&os);
    outcome->disk[DISK_SALVAGED]++;
}

/* tarn_check and tarn_salvage with another door to the system: counted as calls of theirs. */
void do_check(uint32_t word)
{
    const tarn_options options = disk_options();
    tarn_check_result checked = { 0 };
    struct tn_os os;

    if (run.system == NULL || run.saved.number == 0)
        return;
    os = tn_simulated_os(run.system);
    loans_end();
    call_count(CALL_tarn_check);
    expect(tn_store_check(DIRECTORY, &options, NULL, NULL, &checked, &os) == TARN_OK);
    expect(checked.damage_count == 0 && checked.report.dropped_bytes == 0);
    expect(checked.report.commit_number == run.saved.number);
    outcome->disk[DISK_CHECKED]++;
    if (word % 2 == 0 && !outcome->failed)
        salvage();
}
