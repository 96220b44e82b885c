/*
 * durable_ops.h - what one process does with one durable store, and what it found out
 *
 * Results and the model of the contents lie in memory that the processes of a run share, so that
 * one process checks what another one, which has ended, has committed.
 */
#ifndef TN_BENCH_DURABLE_OPS_H
#define TN_BENCH_DURABLE_OPS_H

#include "durable.h"
#include "measure.h"
#include "workload.h"

enum tn_durable_op {
    TN_DURABLE_PUT_SYNCED,
    TN_DURABLE_PUT_1000_SYNCED,
    TN_DURABLE_PUT_COMMIT_1000,
    TN_DURABLE_BULK_LOAD,
    TN_DURABLE_BULK_LOAD_CLOSE,
    TN_DURABLE_COMMIT_100K,
    TN_DURABLE_REOPEN_CLEAN,
    TN_DURABLE_RECOVER_KILL,
    TN_DURABLE_DISK,
    TN_DURABLE_WRITTEN,
    TN_DURABLE_RAW_APPEND,
    TN_DURABLE_RAW_OVERWRITE,
    TN_DURABLE_OP_COUNT
};

/* Of one store. */
struct tn_durable_result {
    struct tn_bench_sample samples[TN_DURABLE_OP_COUNT];
    uint64_t operations[TN_DURABLE_OP_COUNT];
    char reason[2 * TN_DURABLE_REASON_BYTES]; /* why it failed; "": it did not */
};

struct tn_durable_subject {
    const struct tn_durable_store *store;
    struct tn_bench_workload *workload;
    const char *path;
    size_t repeats;
    uint32_t wanted;     /* a bit for each operation */
    uint64_t row_ns_max; /* O4; 0: none */
    uint8_t *shift;      /* shared: key i has value (i + shift[i]) % TN_BENCH_VALUE_COUNT */
    struct tn_durable_result *result; /* shared */
    void *handle;
};

#define TN_DURABLE_BIT(op) (UINT32_C(1) << (op))

static inline bool tn_durable_wants(const struct tn_durable_subject *subject, uint32_t bits)
{
    return (subject->wanted & bits) != 0;
}

/* Whether a row that began then, and has done so many repeats, does another (O4). */
static inline bool tn_durable_goes_on(const struct tn_durable_subject *subject, uint64_t began_ns,
                                      size_t done)
{
    return done < subject->repeats && (done == 0 || subject->row_ns_max == 0 ||
                                       tn_bench_clock_ns() - began_ns < subject->row_ns_max);
}

/* Each is the whole of a process. False: failed, and result->reason says why. */
bool tn_durable_load_and_close(struct tn_durable_subject *subject);
bool tn_durable_load_and_die(struct tn_durable_subject *subject); /* without close */
bool tn_durable_change(struct tn_durable_subject *subject);
bool tn_durable_sync(struct tn_durable_subject *subject); /* one repeat */
bool tn_durable_reopen(struct tn_durable_subject *subject, enum tn_durable_op op);
bool tn_durable_check(struct tn_durable_subject *subject);
bool tn_durable_raw(struct tn_durable_subject *subject); /* one repeat */

#endif
