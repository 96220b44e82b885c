/*
 * slice.h - what a stretch of event time holds: an accumulator block for each group
 *
 * A slice is two unordered tables of the store: the blocks, group key -> block (aggregate.h),
 * changed in place, one look-up per row; and, only where an aggregate keeps texts, the texts:
 *
 *     "window 3600000"         "DE" -> | number 1 | count | ...   "FR" -> | number 2 | ...
 *     "window 3600000 texts"   (1, 2) -> "text of last(y)"        (1, 3, "a text of z") -> ""
 *
 * Both are dropped as a whole, in O(1), when the time has come.
 *
 * Rules
 *   S1  A pointer from tarn_modify is not used after the next call on the store: texts are written
 *       when the block has been let go of.
 *   S2  A group's number is its place in the order of arrival, from 1; groups are never removed one
 *       by one, so the number of groups before it says it.
 *   S3  A failure in the middle of a row leaves its group half updated: the owner must not go on.
 */
#ifndef TN_SLICE_H
#define TN_SLICE_H

#include "stream/aggregate.h"

/* What all slices of an operator share. */
struct tn_slices {
    tarn_store *store;
    struct tn_memory *memory;
    const struct tn_layout *layout;
    uint8_t *text_key; /* room for a key of the texts; NULL without texts */
};

struct tn_slice {
    tarn_table *blocks;
    tarn_table *texts; /* NULL without texts */
};

/* TARN_OK or TARN_E_MEMORY. `layout` outlives the slices. */
int tn_slices_init(struct tn_slices *slices, tarn_store *store, struct tn_memory *memory,
                   const struct tn_layout *layout);
void tn_slices_finish(struct tn_slices *slices);

/* A new slice; `start_ms` names its tables. On failure there is none. */
int tn_slice_open(struct tn_slice *slice, const struct tn_slices *slices, int64_t start_ms);

/* Drop the tables. The handles are gone in any case. */
int tn_slice_drop(struct tn_slice *slice);

/*
 * An answer of tn_slice_update that is no tarn_result: a sum left its range, `reason` says which.
 */
enum tn_slice_answer { TN_SLICE_OVERFLOW = 100 };

/* A row on its way into its group. */
struct tn_slice_row {
    tarn_bytes key; /* data not NULL */
    struct tn_argument *arguments;
    int64_t time_ms;
};

/* Take a row (S3). TARN_OK, or TN_SLICE_OVERFLOW, or what the store answered. */
int tn_slice_update(const struct tn_slice *slice, const struct tn_slices *slices,
                    const struct tn_slice_row *row, struct tn_text *reason);

/*
 * The result of an aggregate of a group, from a copy of its block. data NULL: empty. It lies in
 * `buffer` (TN_DECIMAL_TEXT_BYTES_MAX bytes) or is borrowed from the store as from tarn_get.
 */
int tn_slice_result(const struct tn_slice *slice, const struct tn_slices *slices, const void *block,
                    size_t index, char *buffer, tarn_bytes *out);

#endif
