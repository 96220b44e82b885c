/*
 * store.c - opening and closing, errors, upkeep, statistics; see store.h for the picture and the
 * rules
 */
#include "store/durable.h"
#include "store/relocate.h"
#include "store/store.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define ADDRESS_BYTES_DEFAULT ((uint64_t)1 << 40)
#define ADDRESS_BYTES_LEAST ((uint64_t)1 << 30)
#define ADDRESS_BYTES_MOST ((uint64_t)TN_GRANULE_BYTES << TN_HANDLE_BITS)

/* Moving one home bucket reads one cache line and writes about two. */
#define UPKEEP_BUCKET_BYTES 192u

/*
 * So many snapshots without a commit, and ticks could no longer be compared (R4 of record.h).
 * Records that then count as unchanged are marked again, which changes nothing.
 */
#define INTERVAL_TICKS_MAX ((uint64_t)1 << 29)

/* What tarn_work leaves of spare pages: a part of those in use, and enough for a small table. */
#define WORK_KEPT_PART 16u
#define WORK_KEPT_BYTES (256 * TN_KIB)

/* ---- errors ---------------------------------------------------------------------------------- */

int tn_store_fail(tarn_store *store, int result, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(store->error_text, sizeof store->error_text, format, arguments);
    va_end(arguments);
    return result;
}

int tn_store_refused(tarn_store *store, const char *call)
{
    const struct tn_memory *memory = &store->memory;

    if (memory->budget_refused)
        return tn_store_fail(
            store, TARN_E_FULL,
            "%s: no room: %llu of at most %llu bytes of the shared budget are in use, %llu of them "
            "by "
            "this store; delete entries, drop tables or let other stores tarn_work",
            call, (unsigned long long)tarn_budget_used(store->budget),
            (unsigned long long)memory->budget->limit_bytes,
            (unsigned long long)memory->counted_bytes);
    if (memory->limit_refused && memory->limit_bytes != UINT64_MAX)
        return tn_store_fail(
            store, TARN_E_FULL,
            "%s: no room: %llu of at most %llu bytes are in use; %sdelete entries, drop "
            "tables or raise memory_bytes_max",
            call, (unsigned long long)memory->counted_bytes,
            (unsigned long long)memory->limit_bytes,
            store->snapshot_count > 0 ? "release snapshots, " : "");
    if (memory->limit_refused)
        return tn_store_fail(store, TARN_E_FULL,
                             "%s: no room: the address range of %llu bytes is used up; raise "
                             "address_bytes",
                             call, (unsigned long long)store->heap.address_bytes);
    return tn_store_fail(store, TARN_E_MEMORY,
                         "%s: the allocator or the system has no memory; nothing was changed",
                         call);
}

const char *tarn_error_text(const tarn_store *store)
{
    return store == NULL ? "no store: the handle is NULL" : store->error_text;
}

const char *tarn_version(void)
{
    return TARN_VERSION_TEXT;
}

const char *tarn_result_text(int result)
{
    switch (result) {
    case TARN_OK:
        return "done";
    case TARN_ABSENT:
        return "absent";
    case TARN_END:
        return "at the end";
    case TARN_PRESENT:
        return "present";
    case TARN_E_MEMORY:
        return "out of memory";
    case TARN_E_IO:
        return "input or output failed";
    case TARN_E_CORRUPT:
        return "stored bytes are damaged";
    case TARN_E_VERSION:
        return "unknown format version";
    case TARN_E_MISUSE:
        return "call out of contract";
    case TARN_E_FULL:
        return "a limit was reached";
    case TARN_E_FAILED:
        return "an earlier write failed";
    case TARN_E_BUSY:
        return "in use by another process";
    case TARN_E_TYPE:
        return "another type or size";
    default:
        return "unknown result";
    }
}

/* ---- opening and closing --------------------------------------------------------------------- */

/* What `alive` points at where the system cannot tell a child from its parent (T2). */
static const uint32_t always_alive = 1;

/* A mark that a fork clears; where there is no such thing, calls of a child go undetected. */
static int store_mark(tarn_store *store)
{
    int result;

    if (!tn_memory_charge(&store->memory, TN_OS_PAGE_BYTES))
        return TARN_E_FULL;
    result = store->os.ops->fork_mark(store->os.context, &store->fork_mark);
    if (result < 0) {
        tn_memory_discharge(&store->memory, TN_OS_PAGE_BYTES);
        store->fork_mark = NULL;
        store->alive = &always_alive;
        return result == -ENOTSUP ? TARN_OK : TARN_E_MEMORY;
    }
    store->alive = store->fork_mark;
    return TARN_OK;
}

static void store_unmark(tarn_store *store)
{
    if (store->fork_mark == NULL)
        return;
    store->os.ops->fork_mark_release(store->os.context, store->fork_mark);
    tn_memory_discharge(&store->memory, TN_OS_PAGE_BYTES);
}

/* Everything the store holds outside its own memory block. */
static int store_acquire(tarn_store *store, const tarn_options *options)
{
    uint64_t asked = options->address_bytes;
    uint64_t wanted = asked != 0 ? asked : ADDRESS_BYTES_DEFAULT;
    uint64_t least = wanted < ADDRESS_BYTES_LEAST ? wanted : ADDRESS_BYTES_LEAST;
    const struct tn_os *os = &store->os;
    int result;

    if (os->ops->random(os->context, &store->secret, sizeof store->secret) < 0)
        return TARN_E_MEMORY;
    result = store_mark(store);
    if (result < 0)
        return result;
    if (tn_heap_open(&store->heap, os, &store->memory, wanted, least) < 0) {
        store_unmark(store);
        return TARN_E_MEMORY;
    }
    return TARN_OK;
}

static tarn_store *store_new(const tarn_options *options, const struct tn_os *os, uint64_t tick,
                             int *result)
{
    struct tn_memory memory;
    tarn_store *store;

    tn_memory_init(&memory, options->allocate, options->allocate_context,
                   options->memory_bytes_max);
    memory.budget = options->budget != NULL ? &options->budget->shared : NULL;
    memory.reserve_bytes = TN_RESERVE_BYTES;
    memory.reserve_left = memory.budget != NULL ? TN_RESERVE_BYTES : 0;
    store = tn_memory_new(&memory, sizeof *store, true);
    *result = memory.limit_refused ? TARN_E_FULL : TARN_E_MEMORY;
    if (store == NULL)
        return NULL;
    store->memory = memory;
    store->budget = options->budget;
    store->os = *os;
    store->tick = store->walker.begin_tick = tick;
    store->snapshot_bytes_max =
        options->snapshot_bytes_max != 0 ? options->snapshot_bytes_max : UINT64_MAX;
    *result = store_acquire(store, options);
    if (*result == TARN_OK)
        return store;
    tn_memory_free(&memory, store, sizeof *store);
    return NULL;
}

static void store_free(tarn_store *store);

#define OPEN_FLAGS (TARN_EXISTING | TARN_READ_ONLY)

static bool options_ok(const char *path, const tarn_options *options)
{
    return options->address_bytes <= ADDRESS_BYTES_MOST && (options->flags & ~OPEN_FLAGS) == 0 &&
           (path != NULL || options->flags == 0);
}

/* A new store, and what the directory holds in it. */
static int store_open(tarn_store **out, const char *path, const tarn_options *options,
                      const struct tn_os *os, uint64_t tick, bool verify_late)
{
    int result;

    if (options->budget != NULL && !tn_budget_join(&options->budget->shared, TN_RESERVE_BYTES))
        return TARN_E_FULL;
    *out = store_new(options, os, tick, &result);
    if (*out == NULL && options->budget != NULL)
        tn_budget_leave(&options->budget->shared, TN_RESERVE_BYTES);
    if (*out == NULL || path == NULL)
        return result;
    result = tn_recover(*out, path, options, verify_late);
    if (result != TARN_OK) {
        (void)tn_durable_close(*out);
        store_free(*out);
        *out = NULL;
    }
    return result;
}

static void report_begin(const tarn_options *options)
{
    if (options->report != NULL)
        *options->report = (tarn_report){ 0 };
}

int tn_store_open_from(tarn_store **out, const char *path, const tarn_options *options,
                       const struct tn_os *os, uint64_t tick)
{
    static const tarn_options defaults;
    int result;

    if (out == NULL)
        return TARN_E_MISUSE;
    *out = NULL;
    options = options != NULL ? options : &defaults;
    report_begin(options);
    if (!options_ok(path, options))
        return TARN_E_MISUSE;
    result = store_open(out, path, options, os, tick, true);
    if (result != TARN_E_CORRUPT)
        return result;
    report_begin(options); /* what the first try said of may not matter */
    return store_open(out, path, options, os, tick, false);
}

int tn_store_open(tarn_store **out, const char *path, const tarn_options *options,
                  const struct tn_os *os)
{
    return tn_store_open_from(out, path, options, os, 1);
}

int tarn_open(tarn_store **out, const char *path, const tarn_options *options)
{
    return tn_store_open(out, path, options, &tn_os_posix);
}

static void store_free_tables(tarn_store *store)
{
    uint64_t no_limit = UINT64_MAX;
    tarn_table *table;

    (void)tn_store_reclaim(store, &no_limit);
    tn_snapshots_forget(store);
    tn_durable_free(store);
    while (store->table_count > 0) {
        table = store->tables[--store->table_count];
        tn_store_discard(store, table);
        tn_table_free(table);
    }
    while (store->gone != NULL) {
        table = store->gone;
        store->gone = table->next_gone;
        tn_table_free(table);
    }
    (void)tn_store_reclaim(store, &no_limit);
    tn_dicts_free(store);
    tn_memory_free(&store->memory, store->tables, store->table_room * sizeof *store->tables);
}

/* Everything but the log, which is closed. */
static void store_free(tarn_store *store)
{
    struct tn_memory memory;

    store_free_tables(store);
    tn_memory_free(&store->memory, store->note, store->note_bytes);
    tn_heap_close(&store->heap);
    store_unmark(store);
    memory = store->memory;
    tn_memory_free(&memory, store, sizeof *store);
    tn_assert(memory.counted_bytes == 0); /* M1: nothing was lost on the way */
    if (memory.budget != NULL)
        tn_budget_leave(memory.budget, TN_RESERVE_BYTES);
}

int tarn_close(tarn_store *store)
{
    int result;

    if (store == NULL)
        return TARN_OK;
    if (*store->alive == 0)
        return TARN_E_MISUSE;
    if (store->iterator_count > 0)
        return tn_store_fail(store, TARN_E_MISUSE,
                             "tarn_close: %llu iterators are open; close them first",
                             (unsigned long long)store->iterator_count);
    if (store->snapshot_count > 0)
        return tn_store_fail(store, TARN_E_MISUSE,
                             "tarn_close: %llu snapshots are open; release them first",
                             (unsigned long long)store->snapshot_count);
    result = tn_durable_close(store);
    store_free(store);
    return result;
}

/* ---- upkeep and statistics ------------------------------------------------------------------- */

void tn_store_tick(tarn_store *store)
{
    store->tick++;
    if (TN_UNLIKELY(store->tick - store->interval_tick > INTERVAL_TICKS_MAX))
        store->interval_tick = store->tick - INTERVAL_TICKS_MAX / 2;
    tn_walker_tick(store);
    tn_heap_cool(&store->heap);
}

/* Finish growing or shrinking, then P7 of heap.h. false: the budget is spent, there is more to do. */
static bool table_work(tarn_table *table, uint64_t *budget_bytes)
{
    while (tn_index_has_upkeep(&table->index)) {
        if (*budget_bytes == 0)
            return false;
        *budget_bytes -= tn_min(*budget_bytes, UPKEEP_BUCKET_BYTES);
        (void)tn_index_upkeep(&table->index, 1);
    }
    return !tn_heap_is_uneven(&table->body->owner, TN_EFFORT_LOOSE) ||
           !tn_table_evacuate(table, TN_EFFORT_LOOSE, budget_bytes);
}

/* Spare pages but a small share: in idle moments there is time to get others. false: as above. */
static bool store_trim(tarn_store *store, uint64_t budget_bytes)
{
    struct tn_heap *heap = &store->heap;
    uint64_t goal_bytes = heap->used_bytes / WORK_KEPT_PART + WORK_KEPT_BYTES;

    if (heap->kept_bytes > goal_bytes)
        tn_heap_trim(heap,
                     tn_max(goal_bytes, heap->kept_bytes - tn_min(heap->kept_bytes, budget_bytes)));
    return heap->kept_bytes <= goal_bytes;
}

int tarn_work(tarn_store *store, uint64_t budget_bytes)
{
    size_t i;

    if (store == NULL || *store->alive == 0)
        return TARN_E_MISUSE;
    if (!tn_store_reclaim(store, &budget_bytes))
        return TARN_OK;
    for (i = 0; i < store->table_count; i++) {
        if (!table_work(store->tables[i], &budget_bytes))
            return TARN_OK;
    }
    if (tn_walker_step(store, &budget_bytes) || !store_trim(store, budget_bytes))
        return TARN_OK;
    return TARN_END;
}

static void stat_budget(const tarn_store *store, tarn_statistics *out)
{
    const struct tn_budget *budget = store->memory.budget;

    if (budget == NULL)
        return;
    out->budget_bytes = tarn_budget_used(store->budget);
    out->budget_bytes_max = budget->limit_bytes != UINT64_MAX ? budget->limit_bytes : 0;
}

static void stat_files(const tarn_store *store, tarn_statistics *out)
{
    struct tn_log_statistics log;

    if (store->durable == NULL)
        return;
    tn_log_stat(store->durable->log, &log);
    out->file_count = log.file_count;
    out->file_bytes = log.file_bytes;
    out->other_name_count = log.other_name_count;
    out->section_count = log.section_count;
    out->synced_number = log.synced_number;
    out->written_bytes = log.written_bytes;
    out->sync_count = log.sync_count;
}

int tarn_stat(const tarn_store *store, tarn_statistics *out)
{
    const struct tn_table_body *body;
    size_t i;

    if (store == NULL || *store->alive == 0 || out == NULL)
        return TARN_E_MISUSE;
    *out = (tarn_statistics){
        .table_count = store->table_count,
        .memory_bytes = store->memory.counted_bytes,
        .memory_bytes_peak = store->memory.counted_bytes_max,
        .record_bytes = store->heap.used_bytes,
        .kept_bytes = store->heap.kept_bytes,
        .address_bytes = store->heap.address_bytes,
        .moved_count = store->walker.moved_count,
        .revolution_count = store->walker.revolution_count,
    };
    stat_budget(store, out);
    stat_files(store, out);
    for (i = 0; i < store->table_count; i++) {
        const tarn_table *table = store->tables[i];

        out->entry_count += table->index.entry_count;
        out->entry_bytes += table->entry_bytes;
        out->index_bytes += table->index.bytes;
        if (table->ordered != NULL)
            out->index_bytes += tn_ordered_bytes(table->ordered);
    }
    for (body = store->garbage; body != NULL; body = body->next) {
        out->garbage_bytes += body->owner.chunk_bytes + body->index.bytes;
        if (body->ordered != NULL)
            out->garbage_bytes += tn_ordered_bytes(body->ordered);
    }
    tn_snapshots_stat(store, out);
    return TARN_OK;
}
