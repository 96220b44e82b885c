/*
 * store_run.c - how a pass over a store is timed; see store_run.h
 */
#include "store_run.h"

/* Small enough for the longest of operations to notice a signal within a second. */
#define SLICE_COUNT 65536u

bool tn_bench_name_in(const char *names, const char *name)
{
    size_t bytes = strlen(name), run;

    if (names == NULL)
        return true;
    for (;;) {
        run = strcspn(names, ",");
        if (run == bytes && memcmp(names, name, bytes) == 0)
            return true;
        if (names[run] == '\0')
            return false;
        names += run + 1;
    }
}

bool tn_bench_fail(struct tn_bench_run *run, const struct tn_bench_slot *slot, const char *what,
                   int result)
{
    char text[512];
    const char *why = result == TN_BENCH_WRONG
                          ? "answered wrongly: its contents are not what was put"
                          : slot->store->error_text(slot->handle, result);

    snprintf(text, sizeof text, "%s: %s: %s", slot->store->name, what, why);
    run->request->warn(text);
    run->answer = TN_BENCH_FAILED;
    return false;
}

tn_bench_pass_fn *tn_bench_pass_of(const struct tn_bench_store *store, enum tn_bench_pass_kind kind)
{
    switch (kind) {
    case TN_BENCH_GET:
        return store->get;
    case TN_BENCH_GET_MANY:
        return store->get_many;
    case TN_BENCH_CONTAINS:
        return store->contains;
    case TN_BENCH_MODIFY:
        return store->modify;
    case TN_BENCH_PUT:
        return store->put;
    case TN_BENCH_REMOVE:
        return store->remove;
    case TN_BENCH_REPLACE:
        return store->replace;
    case TN_BENCH_SCAN:
        return store->scan;
    case TN_BENCH_FULL_SCAN:
        return store->full_scan;
    case TN_BENCH_CHECK:
        return store->check;
    }
    tn_unreachable();
}

bool tn_bench_pass_writes(enum tn_bench_pass_kind kind)
{
    return kind == TN_BENCH_MODIFY || kind == TN_BENCH_PUT || kind == TN_BENCH_REMOVE ||
           kind == TN_BENCH_REPLACE;
}

static bool run_stopped(struct tn_bench_run *run)
{
    if (*run->request->stop == 0)
        return false;
    run->answer = TN_BENCH_STOPPED;
    return true;
}

/* 0, or the store's code; *stopped: a signal came first. */
static int pass_slices(struct tn_bench_run *run, struct tn_bench_slot *slot,
                       tn_bench_pass_fn *pass_fn, struct tn_bench_pass *pass, bool *stopped)
{
    size_t left = pass->count;
    int result = TN_BENCH_OK;

    while (left > 0 && result == TN_BENCH_OK) {
        pass->count = tn_min(left, SLICE_COUNT);
        result = pass_fn(slot->handle, pass);
        pass->keys += pass->count * pass->width * pass->shape.key_bytes;
        pass->which += pass->count * pass->width;
        left -= pass->count;
        *stopped = run_stopped(run);
        if (*stopped)
            return result;
    }
    return result;
}

static uint64_t slot_allocations(const struct tn_bench_slot *slot)
{
    return slot->store->allocations != NULL ? slot->store->allocations(slot->handle) : 0;
}

bool tn_bench_pass_run(struct tn_bench_run *run, struct tn_bench_slot *slot, const char *what,
                       enum tn_bench_pass_kind kind, struct tn_bench_pass pass,
                       uint64_t expected_sum, struct tn_bench_meter *meter)
{
    const struct tn_bench_store *store = slot->store;
    tn_bench_pass_fn *pass_fn = tn_bench_pass_of(store, kind);
    struct tn_bench_watch started;
    uint64_t allocations = slot_allocations(slot);
    bool stopped = false;
    int result = TN_BENCH_OK, end = TN_BENCH_OK;

    tn_bench_watch_start(&started);
    if (store->begin != NULL)
        result = store->begin(slot->handle, tn_bench_pass_writes(kind));
    if (result == TN_BENCH_OK)
        result = pass_slices(run, slot, pass_fn, &pass, &stopped);
    if (store->end != NULL)
        end = store->end(slot->handle);
    if (meter != NULL) {
        tn_bench_watch_stop(&started, &meter->lap);
        meter->allocations += slot_allocations(slot) - allocations;
    }

    if (result == TN_BENCH_OK)
        result = end;
    if (result != TN_BENCH_OK)
        return tn_bench_fail(run, slot, what, result);
    if (stopped)
        return false;
    return pass.sum == expected_sum || tn_bench_fail(run, slot, what, TN_BENCH_WRONG); /* R1 */
}

bool tn_bench_passes_run(struct tn_bench_run *run, const char *what, enum tn_bench_pass_kind kind)
{
    size_t i;

    for (i = 0; i < run->slot_count; i++)
        if (!tn_bench_pass_run(run, &run->slots[i], what, kind,
                               tn_bench_workload_pass(&run->workload), 0, NULL))
            return false;
    return true;
}

bool tn_bench_clear(struct tn_bench_run *run, struct tn_bench_slot *slot, const char *what)
{
    int result = slot->store->clear(slot->handle);

    return result == TN_BENCH_OK || tn_bench_fail(run, slot, what, result);
}

bool tn_bench_settle(struct tn_bench_run *run)
{
    size_t i;

    for (i = 0; i < run->slot_count; i++) {
        struct tn_bench_slot *slot = &run->slots[i];
        int result = slot->store->settle != NULL ? slot->store->settle(slot->handle) : TN_BENCH_OK;

        if (result != TN_BENCH_OK)
            return tn_bench_fail(run, slot, "settling", result);
    }
    return true;
}

bool tn_bench_out_of_memory(struct tn_bench_run *run)
{
    run->request->warn("out of memory");
    run->answer = TN_BENCH_FAILED;
    return false;
}

bool tn_bench_slot_is_spent(const struct tn_bench_slot *slot, uint64_t ns)
{
    return ns > (tn_bench_store_is_tarn(slot->store->name) ? 3 : 1) * TN_BENCH_SPENT_NS;
}

bool tn_bench_wanted(const struct tn_bench_run *run, const char *op)
{
    return tn_bench_name_in(run->request->ops, op);
}

/* ---- meters and rows ------------------------------------------------------------------------- */

void tn_bench_meters_reset(struct tn_bench_run *run)
{
    size_t i;

    for (i = 0; i < run->slot_count; i++) {
        run->slots[i].meter = (struct tn_bench_meter){ .operations = 0 };
        run->slots[i].meter_again = (struct tn_bench_meter){ .operations = 0 };
    }
}

void tn_bench_meter_lap(struct tn_bench_meter *meter, uint64_t operations, double parts)
{
    tn_bench_sample_add(&meter->sample, (double)meter->lap.ns / (double)operations / parts);
    meter->operations = operations;
    meter->total.ns += meter->lap.ns;
    meter->total.page_faults += meter->lap.page_faults;
    meter->lap = (struct tn_bench_watch){ .ns = 0 };
}

struct tn_bench_row tn_bench_slot_row(const struct tn_bench_slot *slot, const char *op,
                                      const char *unit)
{
    return (struct tn_bench_row){ .op = op,
                                  .store = slot->store->name,
                                  .notes = slot->store->notes,
                                  .unit = unit,
                                  .repeats = 1,
                                  .operations = 1,
                                  .allocations = -1 };
}

void tn_bench_row_sample(struct tn_bench_row *row, const struct tn_bench_sample *sample)
{
    row->repeats = sample->count;
    row->median = tn_bench_sample_median(sample);
    row->min = tn_bench_sample_min(sample);
    row->max = tn_bench_sample_max(sample);
}

bool tn_bench_meter_row(struct tn_bench_run *run, const struct tn_bench_slot *slot,
                        const struct tn_bench_meter *meter, const char *op, const char *unit)
{
    double operations = (double)meter->operations * (double)meter->sample.count;
    struct tn_bench_row row = tn_bench_slot_row(slot, op, unit);

    if (meter->sample.count == 0)
        return true; /* this store has no such operation */
    tn_bench_row_sample(&row, &meter->sample);
    row.operations = meter->operations;
    row.page_faults = (double)meter->total.page_faults / operations;
    if (slot->store->allocations != NULL)
        row.allocations = (double)meter->allocations / operations;
    return tn_bench_row(run, &row);
}

bool tn_bench_meter_rows(struct tn_bench_run *run, const char *op, const char *unit)
{
    size_t i;

    for (i = 0; i < run->slot_count; i++)
        if (!tn_bench_meter_row(run, &run->slots[i], &run->slots[i].meter, op, unit))
            return false;
    return true;
}

bool tn_bench_row(struct tn_bench_run *run, const struct tn_bench_row *row)
{
    if (tn_bench_report_row(run->report, row))
        return true;
    run->answer = TN_BENCH_UNWRITTEN;
    return false;
}
