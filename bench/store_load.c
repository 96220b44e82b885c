/*
 * store_load.c - loads, what they take of memory, deletes, and replacements
 *
 *     open  ->  load     memory
 *               clear, load, clear, load, ...      put_new_...        on memory touched before (S1)
 *
 *     a part of the keys deleted, and put again     delete, reinsert
 *
 *     one key deleted, another put, many times      replace            the table's size never changes
 *               memory_after_churn, get_after_churn
 */
#include "store_run.h"

#include <stdlib.h>

#define DELETE_SHIFT 100u /* values that no other operation puts */

const char *const tn_bench_load_names[] = {
    "memory_shuffled", "put_new_random",
    "memory",          "put_new_sequential",
    "delete",          "reinsert",
    "replace",         "memory_after_churn",
    "get_after_churn", NULL,
};

/* ---- loads ----------------------------------------------------------------------------------- */

static const char *memory_name(bool shuffled)
{
    return shuffled ? "memory_shuffled" : "memory";
}

static const char *load_name(bool shuffled)
{
    return shuffled ? "put_new_random" : "put_new_sequential";
}

static bool load_repeat(struct tn_bench_run *run, struct tn_bench_slot *slot, const char *op)
{
    struct tn_bench_pass pass = tn_bench_workload_pass(&run->workload);
    size_t entries = (size_t)run->workload.entries, all = pass.count, done;
    uint64_t began = tn_bench_clock_ns();

    pass.count = entries;
    for (done = 0; done < all && (done == 0 || tn_bench_clock_ns() - began < TN_BENCH_ROUNDS_NS);
         done += entries) {
        if (!tn_bench_clear(run, slot, op) ||
            !tn_bench_pass_run(run, slot, op, TN_BENCH_PUT, pass, 0, &slot->meter))
            return false;
        pass.keys += entries * pass.shape.key_bytes;
        pass.which += entries;
    }
    tn_bench_meter_lap(&slot->meter, done, 1);
    return true;
}

/* The stores are full, and are so again afterwards, with the same. */
static bool load_measure(struct tn_bench_run *run, bool shuffled)
{
    uint64_t entries = run->workload.entries;
    size_t rounds = tn_bench_operation_count(entries) / (size_t)entries, repeat, i;

    rounds = tn_min(tn_max(1, rounds), TN_BENCH_ROUNDS_MAX);
    tn_bench_meters_reset(run);
    for (repeat = 0; repeat < run->request->repeats; repeat++) {
        tn_bench_workload_all(&run->workload, rounds, shuffled);
        for (i = 0; i < run->slot_count; i++) {
            struct tn_bench_slot *slot = &run->slots[i];

            if (!tn_bench_slot_is_spent(slot, slot->meter.total.ns) && /* S3 */
                !load_repeat(run, slot, load_name(shuffled)))
                return false;
        }
    }
    return tn_bench_meter_rows(run, load_name(shuffled), "ns");
}

static bool memory_measure(struct tn_bench_run *run, const char *op)
{
    const struct tn_bench_shape *shape = &run->workload.shape;
    double entries = (double)run->workload.entries;
    size_t i;

    for (i = 0; i < run->slot_count; i++) {
        struct tn_bench_slot *slot = &run->slots[i];
        struct tn_bench_row row = tn_bench_slot_row(slot, op, "B/entry");
        double bytes = (double)slot->store->memory_bytes(slot->handle) / entries;

        row.median = row.min = row.max = bytes - (double)(shape->key_bytes + shape->value_bytes);
        if (!tn_bench_row(run, &row))
            return false;
    }
    return true;
}

bool tn_bench_loads_wanted(const struct tn_bench_run *run, bool shuffled)
{
    return tn_bench_wanted(run, memory_name(shuffled)) || tn_bench_wanted(run, load_name(shuffled));
}

bool tn_bench_loads_measure(struct tn_bench_run *run, bool shuffled)
{
    tn_bench_workload_all(&run->workload, 1, shuffled);
    if (!tn_bench_passes_run(run, "load", TN_BENCH_PUT) || !tn_bench_settle(run))
        return false;
    if (tn_bench_wanted(run, memory_name(shuffled)) && !memory_measure(run, memory_name(shuffled)))
        return false;
    return !tn_bench_wanted(run, load_name(shuffled)) ||
           (load_measure(run, shuffled) && tn_bench_settle(run));
}

/* ---- deletes and re-insertions --------------------------------------------------------------- */

/* The keys of a repeat: deleted as they are in the workload, put again as in `back`. */
struct deletes {
    uint8_t *back_keys;
    uint8_t *back_which;
    size_t rounds;
    size_t round_count;
};

static bool deletes_slot(struct tn_bench_run *run, struct tn_bench_slot *slot,
                         const struct deletes *deletes, unsigned shift)
{
    struct tn_bench_pass pass = tn_bench_workload_pass(&run->workload), back = pass;
    size_t round_bytes = deletes->round_count * pass.shape.key_bytes, round;

    pass.count = back.count = deletes->round_count;
    back.shift = shift;
    back.keys = deletes->back_keys;
    back.which = deletes->back_which;
    for (round = 0; round < deletes->rounds; round++) {
        if (!tn_bench_pass_run(run, slot, "delete", TN_BENCH_REMOVE, pass, 0, &slot->meter) ||
            !tn_bench_pass_run(run, slot, "reinsert", TN_BENCH_PUT, back, 0, &slot->meter_again))
            return false;
        pass.keys += round_bytes;
        back.keys += round_bytes;
        back.which += deletes->round_count;
    }
    tn_bench_meter_lap(&slot->meter, run->workload.key_count, 1);
    tn_bench_meter_lap(&slot->meter_again, run->workload.key_count, 1);
    return true;
}

/* Drawn, kept as those to be put again, and each round then shuffled: deleted in another order. */
static void deletes_draw(struct tn_bench_workload *workload, struct deletes *deletes)
{
    size_t count = deletes->rounds * deletes->round_count, round;

    tn_bench_workload_rounds(workload, deletes->rounds, deletes->round_count);
    memcpy(deletes->back_keys, workload->keys, count * workload->shape.key_bytes);
    memcpy(deletes->back_which, workload->which, count);
    for (round = 0; round < deletes->rounds; round++)
        tn_bench_workload_shuffle(workload, round * deletes->round_count, deletes->round_count);
}

static bool deletes_repeat(struct tn_bench_run *run, struct deletes *deletes, unsigned shift)
{
    size_t i;

    deletes_draw(&run->workload, deletes);
    for (i = 0; i < run->slot_count; i++)
        if (!deletes_slot(run, &run->slots[i], deletes, shift))
            return false;
    tn_bench_workload_did_put(&run->workload, shift);
    return true;
}

static bool deletes_rows(struct tn_bench_run *run)
{
    size_t i;

    if (tn_bench_wanted(run, "delete") && !tn_bench_meter_rows(run, "delete", "ns"))
        return false;
    for (i = 0; tn_bench_wanted(run, "reinsert") && i < run->slot_count; i++)
        if (!tn_bench_meter_row(run, &run->slots[i], &run->slots[i].meter_again, "reinsert", "ns"))
            return false;
    return true;
}

bool tn_bench_deletes_measure(struct tn_bench_run *run)
{
    size_t entries = (size_t)run->workload.entries, repeat, count;
    struct deletes deletes;
    bool done;

    if (!tn_bench_wanted(run, "delete") && !tn_bench_wanted(run, "reinsert"))
        return true;
    deletes.round_count = tn_min(tn_max(1, entries / 2), TN_BENCH_OPERATIONS_MAX);
    deletes.rounds = tn_max(1, TN_BENCH_OPERATIONS_MIN / deletes.round_count);
    deletes.rounds = tn_min(deletes.rounds, TN_BENCH_ROUNDS_MAX);
    count = deletes.rounds * deletes.round_count;
    deletes.back_keys = malloc(count * run->workload.shape.key_bytes);
    deletes.back_which = malloc(count);
    done = deletes.back_keys != NULL && deletes.back_which != NULL;
    if (!done)
        (void)tn_bench_out_of_memory(run);
    tn_bench_meters_reset(run);
    for (repeat = 0; done && repeat < run->request->repeats; repeat++)
        done = deletes_repeat(run, &deletes, (unsigned)repeat + DELETE_SHIFT);
    free(deletes.back_keys);
    free(deletes.back_which);
    return done && deletes_rows(run);
}

/* ---- replacements ---------------------------------------------------------------------------- */

/* So many, in turns of what the workload has room for; fewer by a rival that is slow (S3). */
static bool replacements_repeat(struct tn_bench_run *run, struct tn_bench_slot *slot,
                                uint64_t count)
{
    size_t turn_max = tn_min(run->workload.key_count_max / 2, TN_BENCH_OPERATIONS_MAX), turn;
    uint64_t left = count;

    while (left > 0 && (tn_bench_store_is_tarn(slot->store->name) ||
                        !tn_bench_slot_is_spent(slot, slot->meter.total.ns + slot->meter.lap.ns))) {
        struct tn_bench_pass pass;

        turn = left < turn_max ? (size_t)left : turn_max;
        tn_bench_workload_replacements(&run->workload, turn);
        pass = tn_bench_workload_pass(&run->workload);
        pass.width = 2;
        if (!tn_bench_pass_run(run, slot, "replace", TN_BENCH_REPLACE, pass, 0, &slot->meter))
            return false;
        left -= turn;
    }
    if (left < count)
        tn_bench_meter_lap(&slot->meter, count - left, 1);
    return true;
}

static bool gets_after(struct tn_bench_run *run, struct tn_bench_slot *slot)
{
    uint64_t expected;
    size_t repeat;

    tn_bench_meters_reset(run);
    for (repeat = 0; repeat < run->request->repeats; repeat++) {
        tn_bench_workload_order(&run->workload, TN_BENCH_RANDOM,
                                tn_bench_operation_count(run->workload.entries), 0);
        expected = tn_bench_workload_sum_gets(&run->workload);
        if (!tn_bench_pass_run(run, slot, "get_after_churn", TN_BENCH_GET,
                               tn_bench_workload_pass(&run->workload), expected, &slot->meter))
            return false;
        tn_bench_meter_lap(&slot->meter, run->workload.key_count, 1);
    }
    return tn_bench_meter_rows(run, "get_after_churn", "ns");
}

bool tn_bench_replacements_wanted(const struct tn_bench_run *run)
{
    return tn_bench_wanted(run, "replace") || tn_bench_wanted(run, "memory_after_churn") ||
           tn_bench_wanted(run, "get_after_churn");
}

bool tn_bench_replacements_measure(struct tn_bench_run *run)
{
    struct tn_bench_slot *slot = &run->slots[0];
    uint64_t count = run->request->replacements, twice = 2 * run->workload.entries;
    size_t repeats = run->request->repeats, repeat;

    count = count > twice ? count : twice;
    count = (count + repeats - 1) / repeats;
    tn_bench_meters_reset(run);
    for (repeat = 0; repeat < repeats; repeat++)
        if (!replacements_repeat(run, slot, count))
            return false;
    if (tn_bench_wanted(run, "replace") && !tn_bench_meter_rows(run, "replace", "ns"))
        return false;
    if (!tn_bench_settle(run))
        return false;
    if (tn_bench_wanted(run, "memory_after_churn") && !memory_measure(run, "memory_after_churn"))
        return false;
    return !tn_bench_wanted(run, "get_after_churn") || gets_after(run, slot);
}
