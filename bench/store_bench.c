/*
 * store_bench.c - `tarn bench store`: which stores, in which order they do what
 *
 *     for each size
 *         open all stores
 *         load in random order    memory, put_new_random, scans
 *         open them anew
 *         load in key order       memory, put_new_sequential, reads, scans, writes, deletes
 *         each store alone, opened anew
 *         load in key order       replacements, and memory and gets after them
 *         check every byte of every value at the end of each
 *         snapshots, of tarn alone: snapshot_bench.c
 *
 * Where all stores at once would not fit in memory, each goes through the whole alone, with the
 * same keys in the same order; what one held is given back to the system before the next begins.
 */
#include "snapshot_bench.h"

#include <limits.h>
#include <malloc.h>
#include <stdlib.h>

/* ---- opening and closing --------------------------------------------------------------------- */

static void stores_close(struct tn_bench_run *run)
{
    size_t i;

    for (i = 0; i < run->slot_count; i++) {
        if (run->slots[i].handle != NULL)
            run->slots[i].store->close(run->slots[i].handle);
        run->slots[i].handle = NULL;
    }
#if defined(__GLIBC__)
    malloc_trim(0);
#endif
}

/* A store that cannot be opened is left out, and that is said; with none left it is a failure. */
static bool stores_open(struct tn_bench_run *run)
{
    struct tn_bench_setup setup = { .shape = run->workload.shape,
                                    .entries_max = run->workload.entries };
    char reason[512], text[600];
    size_t i, kept = 0;

    for (i = 0; i < run->slot_count; i++) {
        struct tn_bench_slot slot = run->slots[i];

        slot.handle = slot.store->open(&setup, reason, sizeof reason);
        if (slot.handle != NULL) {
            run->slots[kept++] = slot;
            continue;
        }
        snprintf(text, sizeof text, "%s: left out: %s", slot.store->name, reason);
        run->request->warn(text);
    }
    run->slot_count = kept;
    if (kept == 0)
        run->answer = TN_BENCH_FAILED;
    return kept > 0;
}

static bool stores_check(struct tn_bench_run *run)
{
    tn_bench_workload_all(&run->workload, 1, false);
    return tn_bench_passes_run(run, "check of all values", TN_BENCH_CHECK);
}

/* ---- the three parts ------------------------------------------------------------------------- */

static bool part_shuffled(struct tn_bench_run *run)
{
    return tn_bench_loads_measure(run, true) && tn_bench_ops_measure(run, true);
}

static bool part_in_order(struct tn_bench_run *run)
{
    return tn_bench_loads_measure(run, false) && tn_bench_ops_measure(run, false) &&
           tn_bench_deletes_measure(run);
}

static bool part_replaced(struct tn_bench_run *run)
{
    tn_bench_workload_all(&run->workload, 1, false);
    return tn_bench_passes_run(run, "load", TN_BENCH_PUT) && tn_bench_replacements_measure(run);
}

static bool in_order_wanted(const struct tn_bench_run *run)
{
    return tn_bench_loads_wanted(run, false) || tn_bench_ops_wanted(run, false) ||
           tn_bench_wanted(run, "delete") || tn_bench_wanted(run, "reinsert");
}

static bool part_measure(struct tn_bench_run *run, bool (*part)(struct tn_bench_run *run),
                         bool (*part_last)(struct tn_bench_run *run))
{
    bool done;

    tn_bench_workload_reset(&run->workload);
    done =
        stores_open(run) && part(run) && stores_check(run) && (part_last == NULL || part_last(run));
    stores_close(run);
    return done;
}

/* One store after the other. A store that cannot be opened is left out; with none left it fails. */
static bool stores_each(struct tn_bench_run *run, bool (*measure)(struct tn_bench_run *run))
{
    struct tn_bench_slot slots[TN_BENCH_STORES_MAX];
    size_t count = run->slot_count, measured = 0, i;

    memcpy(slots, run->slots, sizeof slots);
    for (i = 0; i < count; i++) {
        run->slots[0] = slots[i];
        run->slot_count = 1;
        if (!measure(run) && run->slot_count != 0)
            return false;
        measured += run->slot_count; /* 0: it could not be opened */
    }
    return measured > 0;
}

static bool replaced_measure(struct tn_bench_run *run)
{
    bool in_turn = run->report->in_turn, done;

    run->report->in_turn = false;
    done = part_measure(run, part_replaced, NULL);
    run->report->in_turn = in_turn;
    return done;
}

/* The stores of `run`, all of them in turn. */
static bool stores_measure(struct tn_bench_run *run)
{
    bool shuffled = tn_bench_loads_wanted(run, true) || tn_bench_ops_wanted(run, true);

    if (shuffled && !part_measure(run, part_shuffled, NULL))
        return false;
    if ((in_order_wanted(run) || run->request->latency) &&
        !part_measure(run, part_in_order, run->request->latency ? tn_bench_latency : NULL))
        return false;
    if (tn_bench_snapshots_wanted(run) && !tn_bench_snapshots(run))
        return false;
    return !tn_bench_replacements_wanted(run) || stores_each(run, replaced_measure);
}

/* ---- one size -------------------------------------------------------------------------------- */

static bool slots_choose(struct tn_bench_run *run)
{
    const struct tn_bench_store *stores[TN_BENCH_STORES_MAX];
    size_t count = tn_bench_stores_choose(stores, TN_BENCH_STORES_MAX, &run->request->shape), i;

    run->slot_count = 0;
    for (i = 0; i < count; i++)
        if (tn_bench_name_in(run->request->stores, stores[i]->name))
            run->slots[run->slot_count++] = (struct tn_bench_slot){ .store = stores[i] };
    if (run->slot_count > 0)
        return true;
    run->request->warn("no store is built in for keys and values of these sizes");
    run->answer = TN_BENCH_FAILED;
    return false;
}

/* False: not even the largest store alone would fit. */
static bool size_fits(struct tn_bench_run *run, uint64_t entries, bool *in_turn)
{
    const struct tn_bench_shape *shape = &run->request->shape;
    uint64_t available = tn_bench_memory_available(), own, all = 0, most = 0;
    char text[160];
    size_t i;

    *in_turn = true;
    if (available == 0)
        return true; /* not known: try */
    available -= available / 5;
    own = entries * tn_bench_workload_room(shape);
    for (i = 0; i < run->slot_count; i++) {
        uint64_t one =
            entries * (shape->key_bytes + shape->value_bytes + run->slots[i].store->room_bytes);

        all += one;
        most = one > most ? one : most;
    }
    *in_turn = own + all <= available;
    if (own + most <= available)
        return true;
    snprintf(text, sizeof text, "%llu entries need about %llu MiB, and %llu are free",
             (unsigned long long)entries, (unsigned long long)((own + most) >> 20),
             (unsigned long long)(available >> 20));
    run->request->warn(text);
    run->answer = TN_BENCH_FAILED;
    return false;
}

static bool size_run(struct tn_bench_run *run, uint64_t entries, int processor)
{
    char about[160];
    double load = 0;
    bool done;

    if (!slots_choose(run) || !size_fits(run, entries, &run->report->in_turn))
        return false;
    if (!tn_bench_workload_init(&run->workload, entries, &run->request->shape,
                                tn_bench_order_count_max(entries)))
        return tn_bench_out_of_memory(run);
    if (getloadavg(&load, 1) != 1)
        load = 0;
    snprintf(about, sizeof about, "%zu repeats, stores %s, processor %d, load %.2f",
             run->request->repeats, run->report->in_turn ? "in turn" : "one after the other",
             processor, load);
    done = tn_bench_report_begin(run->report, entries, about);
    if (!done)
        run->answer = TN_BENCH_UNWRITTEN;
    else
        done = run->report->in_turn ? stores_measure(run) : stores_each(run, stores_measure);
    tn_bench_workload_release(&run->workload);
    return done;
}

/* ---- names ----------------------------------------------------------------------------------- */

static bool name_is(const char *name, const char *text, size_t bytes)
{
    return strlen(name) == bytes && memcmp(name, text, bytes) == 0;
}

static bool name_among(const char *const *names, const char *text, size_t bytes)
{
    for (; *names != NULL; names++)
        if (name_is(*names, text, bytes))
            return true;
    return false;
}

static bool op_known(const struct tn_bench_request *request, const char *name, size_t bytes)
{
    (void)request;
    return name_among(tn_bench_op_names, name, bytes) ||
           name_among(tn_bench_load_names, name, bytes) ||
           name_among(tn_bench_snapshot_ops, name, bytes);
}

static bool store_known(const struct tn_bench_request *request, const char *name, size_t bytes)
{
    const struct tn_bench_store *stores[TN_BENCH_STORES_MAX];
    size_t count = tn_bench_stores_choose(stores, TN_BENCH_STORES_MAX, &request->shape), i;

    for (i = 0; i < count; i++)
        if (name_is(stores[i]->name, name, bytes))
            return true;
    return false;
}

/* Are all of the comma-separated names known? A warning names the first that is not. */
static bool names_known(const struct tn_bench_request *request, const char *names, const char *what,
                        bool (*known)(const struct tn_bench_request *request, const char *name,
                                      size_t bytes))
{
    char text[160];
    size_t bytes;

    if (names == NULL)
        return true;
    for (;;) {
        bytes = strcspn(names, ",");
        if (!known(request, names, bytes)) {
            snprintf(text, sizeof text, "no %s '%.*s'; tarn bench store --list names them all",
                     what, (int)tn_min(bytes, 64), names);
            request->warn(text);
            return false;
        }
        if (names[bytes] == '\0')
            return true;
        names += bytes + 1;
    }
}

void tn_bench_store_list(const struct tn_bench_request *request)
{
    const struct tn_bench_store *stores[TN_BENCH_STORES_MAX];
    const char *const *name;
    size_t count, i;

    fputs("Operations:", request->out);
    for (name = tn_bench_op_names; *name != NULL; name++)
        fprintf(request->out, " %s", *name);
    for (name = tn_bench_load_names; *name != NULL; name++)
        fprintf(request->out, " %s", *name);
    for (name = tn_bench_snapshot_ops; *name != NULL; name++)
        fprintf(request->out, " %s", *name);
    fputs("\n\nStores:\n", request->out);
    count = tn_bench_stores_choose(stores, TN_BENCH_STORES_MAX, &request->shape);
    for (i = 0; i < count; i++)
        fprintf(request->out, "  %-15s %s\n", stores[i]->name, stores[i]->notes);
    for (name = tn_bench_stores_missing(); *name != NULL; name++)
        fprintf(request->out, "  %s\n", *name);
}

/* ---- the suite ------------------------------------------------------------------------------- */

/* S1: memory that malloc was given back stays with the process, whoever gave it back. */
static void malloc_keep(void)
{
#if defined(__GLIBC__)
    mallopt(M_MMAP_MAX, 0);
    mallopt(M_TRIM_THRESHOLD, INT_MAX);
#endif
}

static enum tn_bench_answer sizes_run(struct tn_bench_run *run)
{
    const struct tn_bench_request *request = run->request;
    const char *const *missing;
    int processor;
    size_t i;

    for (missing = tn_bench_stores_missing(); *missing != NULL; missing++)
        request->warn(*missing);
    malloc_keep();
    processor = tn_bench_pin();
    for (i = 0; i < request->size_count; i++)
        if (!size_run(run, request->sizes[i], processor))
            return run->answer;
    return TN_BENCH_DONE;
}

enum tn_bench_answer tn_bench_store_run(const struct tn_bench_request *request)
{
    struct tn_bench_page page = { .row_count = 0 };
    struct tn_bench_report report = { .out = request->out,
                                      .suite = "store",
                                      .json = request->json,
                                      .key_bytes = request->shape.key_bytes,
                                      .value_bytes = request->shape.value_bytes,
                                      .page = request->page != NULL ? &page : NULL };
    struct tn_bench_run *run;
    enum tn_bench_answer answer;

    if (!names_known(request, request->ops, "operation", op_known) ||
        !names_known(request, request->stores, "store", store_known))
        return TN_BENCH_UNKNOWN;
    run = calloc(1, sizeof *run);
    if (run == NULL) {
        request->warn("out of memory");
        return TN_BENCH_FAILED;
    }
    run->request = request;
    run->report = &report;
    answer = sizes_run(run);
    free(run);
    if (request->page != NULL && !tn_bench_page_write(&page, request->page) &&
        answer == TN_BENCH_DONE)
        answer = TN_BENCH_PAGE_UNWRITTEN;
    tn_bench_page_release(&page);
    return answer;
}
