/*
 * store_run.h - the stores of one run, and how a pass over one of them is timed
 *
 * Shared by the parts of the suite:
 *
 *     store_bench.c       sizes, stores, what comes after what
 *     store_ops.c         reads, scans and writes in place
 *     store_load.c        loads, memory, deletes, replacements
 *     store_latency.c     single operations
 *
 * Rules
 *   S1  What is timed was done before by the same store on the same memory: a load follows a load
 *       and a clear, a pass of reads follows a short one that is not timed.
 *   S2  A repeat has at least TN_BENCH_OPERATIONS_MIN operations, so that the clock does not
 *       matter; loads and deletes of less than 200 entries have fewer, and loads of a store that is
 *       slow to clear.
 *   S3  Loads and replacements end early for a store that has taken long (tn_bench_slot_is_spent):
 *       the rows say how often and how many. tarn always makes all its replacements, and all else
 *       always gets its repeats.
 */
#ifndef TN_BENCH_STORE_RUN_H
#define TN_BENCH_STORE_RUN_H

#include "bench.h"
#include "measure.h"
#include "report.h"
#include "workload.h"

#define TN_BENCH_OPERATIONS_MIN ((size_t)200000)
#define TN_BENCH_OPERATIONS_MAX ((size_t)1000000)
/* Loads and deletes of few entries go in rounds within a repeat: so many, and so long with clearing. */
#define TN_BENCH_ROUNDS_MAX ((size_t)1000)
#define TN_BENCH_ROUNDS_NS UINT64_C(1000000000)
#define TN_BENCH_SPENT_NS UINT64_C(20000000000) /* of a rival; of tarn three times that */

enum tn_bench_pass_kind {
    TN_BENCH_GET,
    TN_BENCH_GET_MANY,
    TN_BENCH_CONTAINS,
    TN_BENCH_MODIFY,
    TN_BENCH_PUT,
    TN_BENCH_REMOVE,
    TN_BENCH_REPLACE,
    TN_BENCH_SCAN,
    TN_BENCH_FULL_SCAN,
    TN_BENCH_CHECK
};

/* NULL: the store has no such operation. */
tn_bench_pass_fn *tn_bench_pass_of(const struct tn_bench_store *store,
                                   enum tn_bench_pass_kind kind);
bool tn_bench_pass_writes(enum tn_bench_pass_kind kind);

/* What one operation of one store took, lap by lap. */
struct tn_bench_meter {
    struct tn_bench_sample sample; /* one value per repeat */
    struct tn_bench_watch lap;     /* since the last sample */
    struct tn_bench_watch total;
    uint64_t operations; /* in one repeat */
    uint64_t allocations;
};

/* One store under measurement. */
struct tn_bench_slot {
    const struct tn_bench_store *store;
    void *handle;
    struct tn_bench_meter meter;
    struct tn_bench_meter meter_again; /* where two operations take turns: of the second */
};

struct tn_bench_run {
    const struct tn_bench_request *request;
    struct tn_bench_report *report;
    struct tn_bench_workload workload;
    struct tn_bench_slot slots[TN_BENCH_STORES_MAX];
    size_t slot_count;
    enum tn_bench_answer answer; /* why false was returned */
};

/* All below answer false when the run is over; run->answer then says why, and a warning is out. */

/*
 * One pass over one store, added to the lap of `meter` when that is not NULL. `what` is for
 * messages. The pass goes in slices so that a signal is heard.
 */
bool tn_bench_pass_run(struct tn_bench_run *run, struct tn_bench_slot *slot, const char *what,
                       enum tn_bench_pass_kind kind, struct tn_bench_pass pass,
                       uint64_t expected_sum, struct tn_bench_meter *meter);

/* The workload's keys by every store, not timed, with nothing to be read. */
bool tn_bench_passes_run(struct tn_bench_run *run, const char *what, enum tn_bench_pass_kind kind);

bool tn_bench_clear(struct tn_bench_run *run, struct tn_bench_slot *slot, const char *what);

/* Every store: what was put off. */
bool tn_bench_settle(struct tn_bench_run *run);

bool tn_bench_fail(struct tn_bench_run *run, const struct tn_bench_slot *slot, const char *what,
                   int result);
bool tn_bench_out_of_memory(struct tn_bench_run *run);

/* S3: a row of it has taken `ns` so far; does it end here? */
bool tn_bench_slot_is_spent(const struct tn_bench_slot *slot, uint64_t ns);

bool tn_bench_wanted(const struct tn_bench_run *run, const char *op);

/* ---- meters and rows ------------------------------------------------------------------------- */

void tn_bench_meters_reset(struct tn_bench_run *run);

/* A repeat is over: a result is ns by operation and by `parts` (entries of a scan, ns of a us). */
void tn_bench_meter_lap(struct tn_bench_meter *meter, uint64_t operations, double parts);

/* A row of one operation, its figures still 0; and the figures of a sample. */
struct tn_bench_row tn_bench_slot_row(const struct tn_bench_slot *slot, const char *op,
                                      const char *unit);
void tn_bench_row_sample(struct tn_bench_row *row, const struct tn_bench_sample *sample);

bool tn_bench_row(struct tn_bench_run *run, const struct tn_bench_row *row);
bool tn_bench_meter_row(struct tn_bench_run *run, const struct tn_bench_slot *slot,
                        const struct tn_bench_meter *meter, const char *op, const char *unit);
bool tn_bench_meter_rows(struct tn_bench_run *run, const char *op, const char *unit);

/* ---- the parts ------------------------------------------------------------------------------- */

/* The names of a part's operations, NULL ends. */
extern const char *const tn_bench_op_names[];
extern const char *const tn_bench_load_names[];

/* Operations in one repeat over so many entries. */
size_t tn_bench_operation_count(uint64_t entries);

/* The longest order that operations on so many entries ask for. */
size_t tn_bench_order_count_max(uint64_t entries);

/* Reads, scans and writes in place, of stores loaded shuffled or in order. */
bool tn_bench_ops_wanted(const struct tn_bench_run *run, bool shuffled);
bool tn_bench_ops_measure(struct tn_bench_run *run, bool shuffled);

/* A first load of stores just opened, what it takes of memory, and more loads. */
bool tn_bench_loads_wanted(const struct tn_bench_run *run, bool shuffled);
bool tn_bench_loads_measure(struct tn_bench_run *run, bool shuffled);

/* A random half of the entries (a million at most) is deleted and put again, in another order. */
bool tn_bench_deletes_measure(struct tn_bench_run *run);

/* Of the one store in run: keys replaced by others, and what that does to memory and to gets. */
bool tn_bench_replacements_wanted(const struct tn_bench_run *run);
bool tn_bench_replacements_measure(struct tn_bench_run *run);

/* The second way to measure, over stores that hold all keys; leaves them with all keys. */
bool tn_bench_latency(struct tn_bench_run *run);

#endif
