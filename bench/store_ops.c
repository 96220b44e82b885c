/*
 * store_ops.c - reads, scans and writes in place
 *
 * An operation is repeated, each time in another order; within each repeat the stores take turns,
 * so that whatever else the machine does hits all of them.
 *
 *     order of the repeat  ->  for each store: a short pass, not timed (S1); the pass, timed
 */
#include "store_run.h"

#define SCANNED_ENTRIES ((size_t)500000) /* by one repeat of a scan */
#define SCANS_MAX ((size_t)50000)
#define WARM_PART 5u /* a fifth of a pass */

struct op {
    const char *name;
    enum tn_bench_pass_kind kind;
    enum tn_bench_order order;
    size_t length; /* of a scan */
    bool shuffled; /* after a load in random order */
};

static const struct op ops[] = {
    { "scan_1000_shuffled", TN_BENCH_SCAN, TN_BENCH_STARTS, 1000, true },
    { "scan_10_shuffled", TN_BENCH_SCAN, TN_BENCH_STARTS, 10, true },
    { "full_scan_shuffled", TN_BENCH_FULL_SCAN, TN_BENCH_STARTS, 1, true },
    { "get_random", TN_BENCH_GET, TN_BENCH_RANDOM, 0, false },
    { "get_sequential", TN_BENCH_GET, TN_BENCH_SEQUENTIAL, 0, false },
    { "get_zipf", TN_BENCH_GET, TN_BENCH_ZIPF, 0, false },
    { "get_many_32", TN_BENCH_GET_MANY, TN_BENCH_RANDOM, 0, false },
    { "contains_hit", TN_BENCH_CONTAINS, TN_BENCH_RANDOM, 0, false },
    { "contains_miss", TN_BENCH_CONTAINS, TN_BENCH_MISSING, 0, false },
    { "scan_1000", TN_BENCH_SCAN, TN_BENCH_STARTS, 1000, false },
    { "scan_10", TN_BENCH_SCAN, TN_BENCH_STARTS, 10, false },
    { "full_scan", TN_BENCH_FULL_SCAN, TN_BENCH_STARTS, 1, false },
    { "modify", TN_BENCH_MODIFY, TN_BENCH_RANDOM, 0, false },
    { "put_overwrite", TN_BENCH_PUT, TN_BENCH_RANDOM, 0, false },
};

const char *const tn_bench_op_names[] = {
    "scan_1000_shuffled",
    "scan_10_shuffled",
    "full_scan_shuffled",
    "get_random",
    "get_sequential",
    "get_zipf",
    "get_many_32",
    "contains_hit",
    "contains_miss",
    "scan_1000",
    "scan_10",
    "full_scan",
    "modify",
    "put_overwrite",
    NULL,
};
_Static_assert(TN_ARRAY_COUNT(tn_bench_op_names) == TN_ARRAY_COUNT(ops) + 1, "all have a name");

size_t tn_bench_operation_count(uint64_t entries)
{
    uint64_t rounds = (TN_BENCH_OPERATIONS_MIN + entries - 1) / entries; /* S2 */

    return tn_min((size_t)(rounds * entries), TN_BENCH_OPERATIONS_MAX);
}

size_t tn_bench_order_count_max(uint64_t entries)
{
    return tn_max(tn_max((size_t)entries, tn_bench_operation_count(entries)), SCANS_MAX);
}

static size_t op_count(const struct op *op, uint64_t entries)
{
    if (op->kind == TN_BENCH_SCAN)
        return SCANNED_ENTRIES / op->length;
    if (op->kind == TN_BENCH_FULL_SCAN)
        return tn_max(1, tn_min(SCANNED_ENTRIES / (size_t)entries, SCANS_MAX));
    return tn_bench_operation_count(entries);
}

static uint64_t op_expected(const struct op *op, const struct tn_bench_workload *workload,
                            size_t length)
{
    switch (op->kind) {
    case TN_BENCH_GET:
    case TN_BENCH_GET_MANY:
        return tn_bench_workload_sum_gets(workload);
    case TN_BENCH_CONTAINS:
        return op->order == TN_BENCH_MISSING ? 0 : workload->key_count;
    case TN_BENCH_SCAN:
        return tn_bench_workload_sum_scans(workload, length);
    case TN_BENCH_FULL_SCAN:
        return workload->key_count * tn_bench_workload_sum_all(workload);
    default:
        return 0; /* writes read nothing */
    }
}

/*
 * S1: by the same way to the same entries, changing nothing. Few entries are visited all: what the
 * other stores' turns left of them in the caches is chance.
 */
static bool slot_warm(struct tn_bench_run *run, struct tn_bench_slot *slot, const struct op *op,
                      const struct tn_bench_pass *pass)
{
    struct tn_bench_pass warm = *pass;
    struct tn_bench_workload part = run->workload;

    warm.count = tn_max(1, pass->count / WARM_PART);
    if (op->length == 0 && run->workload.entries <= TN_BENCH_OPERATIONS_MIN)
        warm.count = tn_max(warm.count, (size_t)run->workload.entries);
    part.key_count = warm.count;
    if (tn_bench_pass_writes(op->kind))
        return tn_bench_pass_run(run, slot, "warm-up", TN_BENCH_GET, warm,
                                 tn_bench_workload_sum_gets(&part), NULL);
    return tn_bench_pass_run(run, slot, op->name, op->kind, warm,
                             op_expected(op, &part, warm.length), NULL);
}

static bool op_repeat(struct tn_bench_run *run, const struct op *op, size_t length, unsigned shift)
{
    struct tn_bench_pass pass = tn_bench_workload_pass(&run->workload);
    uint64_t expected = op_expected(op, &run->workload, length);
    double parts = 1;
    size_t i;

    pass.length = length;
    pass.shift = shift;
    if (op->kind == TN_BENCH_FULL_SCAN)
        parts = (double)run->workload.entries; /* ns an entry */
    else if (op->length == 1000)
        parts = 1000; /* us */
    for (i = 0; i < run->slot_count; i++) {
        struct tn_bench_slot *slot = &run->slots[i];

        if (tn_bench_pass_of(slot->store, op->kind) == NULL)
            continue;
        if (!slot_warm(run, slot, op, &pass) ||
            !tn_bench_pass_run(run, slot, op->name, op->kind, pass, expected, &slot->meter))
            return false;
        tn_bench_meter_lap(&slot->meter, pass.count, parts);
    }
    if (op->kind == TN_BENCH_MODIFY)
        tn_bench_workload_did_modify(&run->workload);
    if (op->kind == TN_BENCH_PUT)
        tn_bench_workload_did_put(&run->workload, shift);
    return true;
}

static bool op_measure(struct tn_bench_run *run, const struct op *op)
{
    uint64_t entries = run->workload.entries;
    size_t length = tn_min(op->length, (size_t)entries), repeat;

    tn_bench_meters_reset(run);
    for (repeat = 0; repeat < run->request->repeats; repeat++) {
        tn_bench_workload_order(&run->workload, op->order, op_count(op, entries), length);
        if (!op_repeat(run, op, length, (unsigned)repeat + 1))
            return false;
    }
    return tn_bench_meter_rows(run, op->name, op->length == 1000 ? "us" : "ns");
}

bool tn_bench_ops_wanted(const struct tn_bench_run *run, bool shuffled)
{
    size_t i;

    for (i = 0; i < TN_ARRAY_COUNT(ops); i++)
        if (ops[i].shuffled == shuffled && tn_bench_wanted(run, ops[i].name))
            return true;
    return false;
}

bool tn_bench_ops_measure(struct tn_bench_run *run, bool shuffled)
{
    size_t i;

    for (i = 0; i < TN_ARRAY_COUNT(ops); i++)
        if (ops[i].shuffled == shuffled && tn_bench_wanted(run, ops[i].name) &&
            !op_measure(run, &ops[i]))
            return false;
    return true;
}
