/*
 * log_known.h - logs of known history, to be damaged: what they were after each commit, and where
 * each ends
 */
#ifndef LOG_KNOWN_H
#define LOG_KNOWN_H

#include "log/format.h"
#include "log_fixture.h"

#define KNOWN_COMMITS 10u

struct known {
    struct rig rig;
    struct rig_state states[KNOWN_COMMITS + 1];
    uint64_t proved[KNOWN_COMMITS + 1]; /* the number each commit's footer says was synced */
    uint64_t ends[KNOWN_COMMITS + 1];   /* where each commit ends, in a store of one file */
    unsigned last;
    bool clean;
};

static inline uint64_t files_bytes(const struct rig *r)
{
    uint64_t bytes = 0;
    unsigned i;

    for (i = 1; i < 16; i++)
        bytes += rig_file_bytes(r, i);
    return bytes;
}

/* Of every kind: notes only, values, removals; one file or several; synced here and there. */
static inline void known_make(struct known *known, uint64_t seed, bool clean,
                              uint64_t file_bytes_min)
{
    struct rig *r = &known->rig;
    uint64_t random = seed, synced = 0;
    unsigned i;

    rig_init(r, &(struct tn_simulated_options){ .seed = seed });
    r->options.file_bytes_min = file_bytes_min;
    r->sweep_count = seed % 9;
    known->clean = clean;
    known->last = 1 + (unsigned)(test_random(&random) % KNOWN_COMMITS);
    check_ok(rig_open(r));
    known->states[0] = r->state;
    known->ends[0] = TN_LOG_HEADER_BYTES;
    for (i = 1; i <= known->last; i++) {
        if (test_random(&random) % 5 != 0)
            rig_put(r, (unsigned)(test_random(&random) % 6), test_random(&random) % 4 ? i : 0,
                    test_random(&random) % 90);
        known->proved[i] = synced;
        check_ok(rig_commit(r, false));
        known->states[i] = r->state;
        known->ends[i] = rig_file_bytes(r, 1);
        if (test_random(&random) % 3 == 0) {
            check_ok(tn_log_sync(r->log));
            synced = i;
        }
    }
    if (clean)
        check_ok(rig_close(r, true));
    else
        rig_kill(r);
    r->options.read_only = true;
    /* Not the counting allocator of tests: it fills what it gives, which takes longer than all else. */
    tn_memory_init(&r->memory, NULL, NULL, 0);
}

static inline void known_end(struct known *known)
{
    known->rig.options.read_only = false;
    check_eq(known->rig.memory.counted_bytes, 0);
    tn_simulated_free(known->rig.simulated);
    free(known->rig.scratch);
    free(known);
}

#endif
