/*
 * timers.h - keys with something to do once event time has come far enough
 *
 * An ordered table of the store, (time, key) -> nothing. Many timers are set and few go off when
 * they were set to: whoever sets one may leave it behind when its time has changed, and set it anew
 * when it goes off. So a session that grows with every row sets a timer once per gap, not once per
 * row.
 *
 *     "window close"    (10:30, "ann")   (10:31, "bob")   (10:31, "cid") ...
 *                        ^ next_ms: nothing to do before, known without a look
 *
 * Rules
 *   C1  Timers go off in the order of (time, key).
 *   C2  next_ms is the time of no later one than the first.
 *   C3  Due timers are copied out in batches, so that the table may change meanwhile. Whoever adds
 *       one that is due too must ask for another batch, or it would come too late (C1).
 */
#ifndef TN_TIMERS_H
#define TN_TIMERS_H

#include "base/memory.h"

#include <tarn.h>

#define TN_TIMER_HEAD_BYTES 8u
#define TN_TIMER_BATCH_MAX 64u

struct tn_timer {
    int64_t time_ms;
    uint8_t *key;
    size_t key_bytes;
};

struct tn_timers {
    struct tn_memory *memory;
    tarn_table *table;
    int64_t next_ms; /* INT64_MAX: there is none, or at the end of time */
    uint8_t *key;    /* room for a key */
    uint8_t *arena;  /* keys of the batch */
    struct tn_timer batch[TN_TIMER_BATCH_MAX];
    size_t batch_count;
};

/* The timers of the table `name`. TARN_OK or a failure; finish it all the same. */
int tn_timers_init(struct tn_timers *timers, tarn_store *store, struct tn_memory *memory,
                   const char *name);
/* The table stays. */
void tn_timers_finish(struct tn_timers *timers);
int tn_timers_drop(struct tn_timers *timers);

/* `key` has at most TARN_KEY_BYTES_MAX - TN_TIMER_HEAD_BYTES bytes. */
int tn_timers_add(struct tn_timers *timers, int64_t time_ms, tarn_bytes key);
int tn_timers_remove(struct tn_timers *timers, const struct tn_timer *timer);

/* Fill the batch with the first timers up to this time; none when none is due. Their keys are copies. */
int tn_timers_due(struct tn_timers *timers, int64_t until_ms);

#endif
