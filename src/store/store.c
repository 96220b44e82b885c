/*
 * store.c - opening and closing, errors, upkeep, statistics; see store.h for the picture and the rules
 */
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

/* ---- errors --------------------------------------------------------------------------------------- */

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

/* ---- opening and closing ---------------------------------------------------------------------------- */

/* What `alive` points at where the system cannot tell a child from its parent (T2). */
static const uint32_t always_alive = 1;

/* A mark that a fork clears; where there is no such thing, calls of a child go undetected. */
static int store_mark(tarn_store *store)
{
    int result = store->os.ops->fork_mark(store->os.context, &store->fork_mark);

    if (result < 0 && result != -ENOTSUP)
        return TARN_E_MEMORY;
    if (result < 0)
        store->fork_mark = NULL;
    store->alive = store->fork_mark != NULL ? store->fork_mark : &always_alive;
    return TARN_OK;
}

static void store_unmark(tarn_store *store)
{
    if (store->fork_mark != NULL)
        store->os.ops->fork_mark_release(store->os.context, store->fork_mark);
}

/* Everything the store holds outside its own memory block. */
static int store_acquire(tarn_store *store, const tarn_options *options)
{
    uint64_t asked = options->address_bytes;
    uint64_t wanted = asked != 0 ? asked : ADDRESS_BYTES_DEFAULT;
    uint64_t least = wanted < ADDRESS_BYTES_LEAST ? wanted : ADDRESS_BYTES_LEAST;
    const struct tn_os *os = &store->os;

    if (os->ops->random(os->context, &store->secret, sizeof store->secret) < 0)
        return TARN_E_MEMORY;
    if (store_mark(store) < 0)
        return TARN_E_MEMORY;
    if (tn_heap_open(&store->heap, os, &store->memory, wanted, least) < 0) {
        store_unmark(store);
        return TARN_E_MEMORY;
    }
    store->tick = 1;
    return TARN_OK;
}

int tn_store_open(tarn_store **out, const char *path, const tarn_options *options,
                  const struct tn_os *os)
{
    static const tarn_options defaults;
    struct tn_memory memory;
    tarn_store *store;
    int result;

    if (out == NULL)
        return TARN_E_MISUSE;
    *out = NULL;
    options = options != NULL ? options : &defaults;
    if (path != NULL || options->address_bytes > ADDRESS_BYTES_MOST)
        return TARN_E_MISUSE;
    tn_memory_init(&memory, options->allocate, options->allocate_context,
                   options->memory_bytes_max);
    store = tn_memory_new(&memory, sizeof *store, true);
    if (store == NULL)
        return memory.limit_refused ? TARN_E_FULL : TARN_E_MEMORY;
    store->memory = memory;
    store->os = *os;
    store->snapshot_bytes_max =
        options->snapshot_bytes_max != 0 ? options->snapshot_bytes_max : UINT64_MAX;
    result = store_acquire(store, options);
    if (result < 0) {
        tn_memory_free(&memory, store, sizeof *store);
        return result;
    }
    *out = store;
    return TARN_OK;
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

int tarn_close(tarn_store *store)
{
    struct tn_memory memory;

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
    store_free_tables(store);
    tn_memory_free(&store->memory, store->note, store->note_bytes);
    tn_heap_close(&store->heap);
    store_unmark(store);
    memory = store->memory;
    tn_memory_free(&memory, store, sizeof *store);
    tn_assert(memory.counted_bytes == 0); /* M1: nothing was lost on the way */
    return TARN_OK;
}

/* ---- upkeep and statistics ------------------------------------------------------------------------------ */

int tarn_work(tarn_store *store, uint64_t budget_bytes)
{
    size_t i;

    if (store == NULL || *store->alive == 0)
        return TARN_E_MISUSE;
    if (!tn_store_reclaim(store, &budget_bytes))
        return TARN_OK;
    for (i = 0; i < store->table_count; i++) {
        struct tn_index *index = &store->tables[i]->index;

        while (tn_index_has_upkeep(index)) {
            if (budget_bytes == 0)
                return TARN_OK;
            budget_bytes -= tn_min(budget_bytes, UPKEEP_BUCKET_BYTES);
            (void)tn_index_upkeep(index, 1);
        }
    }
    return TARN_END;
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
        .address_bytes = store->heap.address_bytes,
    };
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
