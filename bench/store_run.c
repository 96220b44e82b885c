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
        pass->keys += pass->count;
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
                       tn_bench_pass_fn *pass_fn, struct tn_bench_pass pass, bool write,
                       uint64_t expected_sum, struct tn_bench_meter *meter)
{
    const struct tn_bench_store *store = slot->store;
    struct tn_bench_watch started;
    uint64_t allocations = slot_allocations(slot);
    bool stopped = false;
    int result = TN_BENCH_OK, end = TN_BENCH_OK;

    tn_bench_watch_start(&started);
    if (store->begin != NULL)
        result = store->begin(slot->handle, write);
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

bool tn_bench_clear(struct tn_bench_run *run, struct tn_bench_slot *slot, const char *what)
{
    int result = slot->store->clear(slot->handle);

    return result == TN_BENCH_OK || tn_bench_fail(run, slot, what, result);
}

bool tn_bench_row(struct tn_bench_run *run, const struct tn_bench_row *row)
{
    if (tn_bench_report_row(run->report, row))
        return true;
    run->answer = TN_BENCH_UNWRITTEN;
    return false;
}
