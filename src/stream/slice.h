/*
 * slice.h - what a stretch of event time holds: an accumulator block for each group
 *
 * A slice is two unordered tables of the store: the blocks, group key -> block (aggregate.h),
 * changed in place, one look-up per row; and, only where an aggregate keeps texts, the texts
 * (texts.h):
 *
 *     "window slice 0 416"         "DE" -> | number 1 | count | ...   "FR" -> | number 2 | ...
 *     "window slice 0 416 texts"   (1, 2) -> "text of last(y)"        (1, 3, "a text of z") -> ""
 *
 * Both are dropped as a whole, in O(1), when the time has come. Slices that a window is made of are
 * merged into one more, the scratch.
 *
 * Rules
 *   S1  A pointer from tarn_modify is not used after the next call on the store: texts are written
 *       when the block has been let go of.
 *   S2  A group's number is its place in the order of arrival, from 1; groups are never removed one
 *       by one, so the number of groups before it says it.
 *   S3  A failure in the middle of a row leaves its group half updated: the owner must not go on.
 *   S4  Sets of texts can be merged only where the texts are ordered (X2): tn_slices says so.
 */
#ifndef TN_SLICE_H
#define TN_SLICE_H

#include "stream/texts.h"

/* What all slices of an operator share. */
struct tn_slices {
    tarn_store *store;
    struct tn_memory *memory;
    const struct tn_layout *layout;
    struct tn_texts *texts;
    bool texts_are_ordered;
    uint64_t mark; /* what a row's group is marked with, where blocks have marks */
    uint8_t *key;  /* copies of what is being merged */
    uint8_t *block;
};

struct tn_slice {
    tarn_table *blocks;
    tarn_table *texts; /* NULL without texts */
};

/* TARN_OK or TARN_E_MEMORY. `layout` and `texts` outlive the slices. */
int tn_slices_init(struct tn_slices *slices, tarn_store *store, struct tn_memory *memory,
                   struct tn_texts *texts);
void tn_slices_finish(struct tn_slices *slices);

/*
 * The slice whose tables have this name: new ones, unless they are there. On failure none is open;
 * of new ones none is left.
 */
int tn_slice_open(struct tn_slice *slice, const struct tn_slices *slices, const char *name,
                  bool is_new);

/* Give the handles back; the tables stay. */
void tn_slice_close(struct tn_slice *slice);

/* Drop the tables. The handles are gone in any case. */
int tn_slice_drop(struct tn_slice *slice);

/* Drop what is in the tables. */
int tn_slice_clear(const struct tn_slice *slice);

/*
 * An answer that is no tarn_result: a sum left its range, `reason` says which.
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

/* Take all groups of another slice (A7, S3). Answers likewise. */
int tn_slice_merge(const struct tn_slice *into, const struct tn_slice *from,
                   const struct tn_slices *slices, struct tn_text *reason);

/* Take one group of another slice, if it is there. `key` must not point into the store. */
int tn_slice_merge_group(const struct tn_slice *into, const struct tn_slice *from,
                         const struct tn_slices *slices, tarn_bytes key, struct tn_text *reason);

#endif
