/*
 * recover.c - opening a store that has a directory
 *
 *     log: find the newest whole commit -> replay the catalog -> its tables -> replay the rest -> start
 *
 * Replay goes through the calls that everyone uses, on a store that is not durable yet, so nothing
 * is marked; ticks begin behind the commit's, so everything replayed is older than the first
 * interval.
 *
 * Most of the log is verified as it is replayed. Where that fails the store is thrown away, and
 * made again from a log that is verified before anything is replayed, which finds what is whole, or
 * says why nothing is.
 */
#include "store/durable.h"
#include "store/write.h"

#include <stdio.h>
#include <string.h>

/* Of an entry in a file: its head, and a key or none. */
#define ENTRY_BYTES_LEAST 16u

/* What replay needs at hand. */
struct recovery {
    tarn_store *store;
    struct tn_durable *durable;
    const tarn_options *options;
    bool verify_late;
    struct tn_log_report report;
};

static int recovery_fail(struct recovery *r, int result)
{
    return tn_store_fail(r->store, result, "tarn_open: %s", r->report.text);
}

/* ---- replaying ------------------------------------------------------------------------------- */

static int entry_refused(struct recovery *r, const tarn_table *table, int result)
{
    if (result == TARN_E_FULL || result == TARN_E_MEMORY)
        return tn_store_refused(r->store, "tarn_open");
    return tn_store_fail(r->store, TARN_E_CORRUPT,
                         "tarn_open: an entry of table '%s' does not fit the table (%s)",
                         table->name, tarn_result_text(result));
}

/* An entry whose value is too large to be at hand is read to where it will lie. */
static int entry_read(struct recovery *r, tarn_table *table, const struct tn_log_entry *entry)
{
    struct tn_lookup lookup;
    struct tn_record *record;
    int result = tarn_delete(table, entry->key.data, entry->key.bytes);

    if (result < 0)
        return entry_refused(r, table, result);
    (void)tn_table_find(table, entry->key.data, entry->key.bytes, &lookup);
    record = tn_entry_insert(table, &lookup, entry->key.data, entry->key.bytes, entry->value_bytes);
    if (record == NULL)
        return entry_refused(r, table, tn_insert_refused(table, "tarn_open", entry->value_bytes));
    result = tn_log_entry_value(entry, tn_record_value(record));
    return result == TARN_OK
               ? TARN_OK
               : tn_store_fail(r->store, result, "tarn_open: a value cannot be read again");
}

static int entry_apply(struct recovery *r, tarn_table *table, const struct tn_log_entry *entry)
{
    int result;

    if (entry->kind == TN_LOG_TOMBSTONE)
        result = tarn_delete(table, entry->key.data, entry->key.bytes);
    else if (entry->value == NULL && entry->value_bytes > 0)
        return entry_read(r, table, entry);
    else
        result =
            tarn_put(table, entry->key.data, entry->key.bytes,
                     entry->value != NULL ? (const void *)entry->value : "", entry->value_bytes);
    return result >= 0 ? TARN_OK : entry_refused(r, table, result);
}

static int catalog_entries(void *argument, const struct tn_log_entry *entries, size_t count)
{
    struct recovery *r = argument;
    int result = TARN_OK;
    size_t i;

    for (i = 0; i < count && result == TARN_OK; i++)
        result = entry_apply(r, r->durable->catalog, &entries[i]);
    return result;
}

/*
 * The table of each entry. NULL: of the catalog, or of a number that the catalog does not have,
 * whose table was cleared or dropped.
 */
static void tables_find(const struct recovery *r, const struct tn_log_entry *entries, size_t count,
                        tarn_table **tables)
{
    uint64_t table_id = TN_LOG_CATALOG_ID;
    tarn_table *table = NULL;
    size_t i;

    for (i = 0; i < count; i++) {
        if (entries[i].table_id != table_id) {
            table_id = entries[i].table_id;
            table = table_id != TN_LOG_CATALOG_ID ? tn_roster_find(r->durable, table_id) : NULL;
        }
        tables[i] = table;
    }
}

/* Have buckets fetched, then the records they lead to: nothing is in the cache where replay goes. */
static void entries_fetch(const struct tn_log_entry *entries, size_t count, tarn_table **tables)
{
    uint64_t hashes[TN_LOG_ENTRIES_MAX];
    const uint64_t *bucket;
    size_t i;

    for (i = 0; i < count; i++) {
        if (tables[i] == NULL)
            continue;
        hashes[i] = tn_hash(&tables[i]->secret, entries[i].key.data, entries[i].key.bytes);
        bucket = tn_index_prefetch(&tables[i]->index, hashes[i]);
        __builtin_prefetch(bucket + TN_BUCKET_WORDS); /* a look-up reads both */
    }
    for (i = 0; i < count; i++) {
        const uint8_t *record;

        if (tables[i] == NULL)
            continue;
        record = tables[i]->base + tn_index_guess(&tables[i]->index, hashes[i]) * TN_GRANULE_BYTES;
        __builtin_prefetch(record, 1);
        __builtin_prefetch(record + 64, 1);
        __builtin_prefetch(record + 128, 1);
    }
}

static int table_entries(void *argument, const struct tn_log_entry *entries, size_t count)
{
    struct recovery *r = argument;
    tarn_table *tables[TN_LOG_ENTRIES_MAX];
    int result = TARN_OK;
    size_t i;

    tables_find(r, entries, count, tables);
    entries_fetch(entries, count, tables);
    for (i = 0; i < count && result == TARN_OK; i++)
        if (tables[i] != NULL)
            result = entry_apply(r, tables[i], &entries[i]);
    return result;
}

/* ---- the catalog ----------------------------------------------------------------------------- */

static int catalog_new(struct recovery *r)
{
    const tarn_table_options options = { TARN_UNORDERED, TARN_ANY, 0 };
    struct tn_durable *durable = r->durable;

    durable->catalog = tn_table_new(r->store, (tarn_bytes){ "", 0 }, TN_ROLE_PLAIN, &options);
    if (durable->catalog == NULL)
        return tn_store_refused(r->store, "tarn_open");
    durable->catalog->born_tick = UINT64_MAX; /* no snapshot sees it: it is not what users see */
    durable->catalog->id = TN_LOG_CATALOG_ID;
    durable->roster = tn_memory_new(&r->store->memory, sizeof *durable->roster, true);
    if (durable->roster == NULL)
        return tn_store_refused(r->store, "tarn_open");
    durable->roster_room = 1;
    durable->roster_count = 1;
    durable->roster[0] = durable->catalog;
    return TARN_OK;
}

/* A table for each entry. */
static int catalog_load(struct recovery *r)
{
    tarn_iterator *it;
    tarn_bytes name, entry;
    int result = tarn_scan(&it, r->durable->catalog, NULL), step;

    if (result < 0)
        return result;
    while (result == TARN_OK && (step = tarn_next(it, &name, &entry)) != TARN_END)
        result = step < 0 ? step : tn_roster_load(r->store, r->durable, name, entry);
    (void)tarn_iterator_close(it);
    return result;
}

/* ---- opening --------------------------------------------------------------------------------- */

static int log_open(struct recovery *r, const char *path)
{
    const struct tn_log_options options = {
        .file_bytes_min = r->options->file_bytes_min,
        .create = (r->options->flags & (TARN_EXISTING | TARN_READ_ONLY)) == 0,
        .read_only = r->durable->read_only,
        .verify_late = r->verify_late,
        .hash_version = TN_HASH_VERSION,
    };
    int result = tn_log_open(&r->durable->log, &r->store->os, &r->store->memory, path, &options,
                             (uint8_t *)&r->store->secret, &r->report);

    return result == TARN_OK ? TARN_OK : recovery_fail(r, result);
}

static void commit_take(struct recovery *r)
{
    const struct tn_log_commit *last = tn_log_last(r->durable->log);
    struct tn_durable *durable = r->durable;

    durable->next_table_id = tn_max(last->next_table_id, 1);
    durable->sweep.cursor = last->cursor;
    if (!tn_log_cursor_holds(durable->log))
        durable->sweep.cursor = (struct tn_log_cursor){ last->cursor.revolution + 1, 0, 0 };
    r->store->commit_number = last->number;
    r->store->tick = tn_max(last->tick, r->store->tick);
}

static int note_take(tarn_store *store, tarn_bytes note)
{
    if (note.bytes == 0)
        return TARN_OK;
    store->note = tn_memory_new(&store->memory, note.bytes, false);
    if (store->note == NULL)
        return tn_store_refused(store, "tarn_open");
    memcpy(store->note, note.data, note.bytes);
    store->note_bytes = note.bytes;
    return TARN_OK;
}

/* The sweep wrote entries in the order of their hashes; no more than fit into the files. */
static void tables_expect(struct recovery *r, bool sorted)
{
    struct tn_log_statistics statistics;
    size_t i;

    tn_log_stat(r->durable->log, &statistics);
    for (i = 0; i < r->durable->roster_count; i++)
        r->durable->roster[i]->index.sorted_max =
            sorted ? statistics.file_bytes / ENTRY_BYTES_LEAST : 0;
}

static int replay(struct recovery *r)
{
    struct tn_log *log = r->durable->log;
    int result;

    tables_expect(r, true); /* the catalog */
    result = tn_log_replay(log, true, catalog_entries, r, NULL, NULL, &r->report);
    if (result == TARN_OK)
        result = catalog_load(r);
    tables_expect(r, true); /* all tables */
    if (result == TARN_OK)
        result = tn_log_replay(log, false, table_entries, r, r->options->progress,
                               r->options->progress_context, &r->report);
    tables_expect(r, false);
    if (result != TARN_OK && r->report.text[0] != '\0')
        return recovery_fail(r, result);
    return result;
}

/* From here on changes are marked. */
static void recovery_end(struct recovery *r)
{
    tarn_store *store = r->store;
    uint64_t no_limit = UINT64_MAX;

    (void)tn_store_reclaim(store, &no_limit);
    store->tick++;
    store->interval_tick = store->tick;
    store->walker.begin_tick = store->tick;
    store->changed = false;
    store->durable = r->durable;
}

static int recover(struct recovery *r, const char *path)
{
    int result = log_open(r, path);

    if (result != TARN_OK)
        return result;
    commit_take(r);
    result = catalog_new(r);
    if (result == TARN_OK)
        result = replay(r);
    if (result == TARN_OK)
        result = note_take(r->store, tn_log_last(r->durable->log)->note);
    if (result != TARN_OK || r->durable->read_only)
        return result;
    result = tn_log_start(r->durable->log, &r->report);
    return result == TARN_OK ? TARN_OK : recovery_fail(r, result);
}

/* One sentence, for whoever prints it. */
static void dropped_say(const struct recovery *r, char *text, size_t bytes)
{
    if (r->report.dropped_bytes > 0)
        (void)snprintf(text, bytes,
                       "%llu bytes behind commit %llu are not of it, from %016llx.tarn, offset "
                       "%llu on; they were dropped",
                       (unsigned long long)r->report.dropped_bytes,
                       (unsigned long long)r->store->commit_number,
                       (unsigned long long)r->report.dropped_file,
                       (unsigned long long)r->report.dropped_offset);
}

static void report_fill(const struct recovery *r, int result)
{
    tarn_report *out = r->options->report;

    if (out == NULL)
        return;
    out->commit_number = result == TARN_OK ? r->store->commit_number : 0;
    out->dropped_bytes = r->report.dropped_bytes;
    out->dropped_file = r->report.dropped_file;
    out->dropped_offset = r->report.dropped_offset;
    out->is_missing = r->report.no_store;
    if (result == TARN_OK)
        dropped_say(r, out->text, sizeof out->text);
    else
        (void)snprintf(out->text, sizeof out->text, "%s", r->store->error_text);
}

int tn_recover(tarn_store *store, const char *path, const tarn_options *options, bool verify_late)
{
    struct recovery r = { .store = store, .options = options, .verify_late = verify_late };
    int result;

    r.durable = tn_memory_new(&store->memory, sizeof *r.durable, true);
    if (r.durable == NULL)
        return tn_store_refused(store, "tarn_open");
    r.durable->read_only = (options->flags & TARN_READ_ONLY) != 0;
    result = recover(&r, path);
    report_fill(&r, result);
    recovery_end(
        &r); /* also of a failed one: closing finds all of it, and leaves the files alone */
    r.durable->read_only |= result != TARN_OK;
    return result;
}

int tn_durable_close(tarn_store *store)
{
    struct tn_durable *durable = store->durable;
    int result = TARN_OK;

    if (durable != NULL && durable->log != NULL) {
        result = tn_log_close(durable->log, !durable->read_only);
        durable->log = NULL;
    }
    return result;
}

void tn_durable_free(tarn_store *store)
{
    struct tn_durable *durable = store->durable;

    if (durable == NULL)
        return;
    if (durable->catalog != NULL) {
        tn_store_discard(store, durable->catalog);
        tn_table_free(durable->catalog);
    }
    tn_memory_free(&store->memory, durable->roster, durable->roster_room * sizeof *durable->roster);
    tn_memory_free(&store->memory, durable, sizeof *durable);
    store->durable = NULL;
}
