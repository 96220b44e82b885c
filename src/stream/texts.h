/*
 * texts.h - the texts that aggregates keep: first and last one each, distinct a set
 *
 * A block of accumulators has a fixed size, texts have none. They lie in a table beside the blocks,
 * under the number of their group and the place of their aggregate:
 *
 *     (1, 2) -> "text of last(y)"        the one kept for aggregate 2 of group 1
 *     (1, 3, "a text of z") -> ""        a member of the set of aggregate 3
 *
 * Any number of tables can be served by one tn_texts, which is room for keys and nothing else.
 *
 * Rules
 *   X1  A text is written when the block it belongs to has been let go of: a pointer from
 *       tarn_modify ends with the next call on the store.
 *   X2  To merge or drop sets the table must be ordered; else it need not be.
 *   X3  What comes from the store is copied before it is put anywhere.
 */
#ifndef TN_TEXTS_H
#define TN_TEXTS_H

#include "stream/aggregate.h"

struct tn_texts {
    struct tn_memory *memory;
    const struct tn_layout *layout;
    uint8_t *key;            /* NULL where no aggregate keeps texts */
    enum tn_errand *errands; /* by aggregate: what a merge has to do */
    uint64_t *counts;        /* by aggregate: texts new to its set, after a merge */
    uint8_t *copy;           /* X3 */
    size_t copy_bytes;       /* its capacity */
};

/* false: no memory; finish it all the same. `layout` outlives it. */
bool tn_texts_init(struct tn_texts *texts, struct tn_memory *memory,
                   const struct tn_layout *layout);
void tn_texts_finish(struct tn_texts *texts);

/*
 * Do what tn_layout_update has asked for. *joined: a set has a new text; the errands of those that
 * have are still JOIN, and the block is to be told (tn_texts_count). TARN_OK or a failure.
 */
int tn_texts_run(struct tn_texts *texts, tarn_table *table, uint64_t number,
                 struct tn_argument *arguments, bool *joined);

/* Count the texts that have joined in the block. */
void tn_texts_count(const struct tn_texts *texts, const struct tn_argument *arguments, void *block);

/* The text kept for an aggregate of a group, borrowed as from tarn_get; data NULL: none. */
int tn_texts_get(struct tn_texts *texts, tarn_table *table, uint64_t number, size_t index,
                 tarn_bytes *out);

/* The texts of one group, in a table. */
struct tn_texts_place {
    tarn_table *table;
    uint64_t number;
};

/*
 * Once texts->errands have been set by tn_layout_merge: take the texts of one group into another's.
 * *joined and texts->counts say what to tell the block (tn_texts_count_merged).
 */
int tn_texts_merge(struct tn_texts *texts, struct tn_texts_place into, struct tn_texts_place from,
                   bool *joined);
void tn_texts_count_merged(const struct tn_texts *texts, void *block);

/* Remove the texts of a group. */
int tn_texts_drop(struct tn_texts *texts, struct tn_texts_place place);

#endif
