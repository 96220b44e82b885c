/*
 * aggregate.h - what is computed per window and group
 *
 * All aggregates of one group lie side by side in one block of fixed size, the value of the group
 * in its slice (slice.h). Texts have no fixed size: they lie in a second table of the slice, which
 * knows the group by its number.
 *
 *     count, sum(x), first(y)
 *     +--------+------+--------+-----------------------------+--------------+
 *     | number | mark | count  | count, 128-bit sum, scale   | time, is set |      block
 *     +--------+------+--------+-----------------------------+--------------+
 *         |
 *         +--> (number, 2) -> "the text of y"                               texts
 *
 * The number is there where an aggregate keeps texts, the mark where the operator wants one (it
 * says when the group last changed).
 *
 * To add an aggregate: a kind here, a row in the table of aggregate.c and its three functions.
 *
 * Rules (docs/WINDOWS.md, 'Values')
 *   A1  All zero bytes are the accumulator of no rows.
 *   A2  Every argument is read before any accumulator is touched: a bad row changes nothing.
 *   A3  Empty arguments are skipped by all but count. A result over nothing is empty; a count is 0.
 *   A4  sum, min, max, avg are exact decimals and print canonically (stream/decimal.h).
 *   A5  first and last go by event time; of equal times first keeps the one that came first, last
 *       takes the one that came last.
 *   A6  distinct compares texts byte by byte, never hashes.
 *   A7  Blocks merge: what two blocks say together is what one would say that had taken the rows of
 *       both. Their rows must not share a time, unless all of one block came before the other's:
 *       the one merged into counts as the one that came first.
 */
#ifndef TN_AGGREGATE_H
#define TN_AGGREGATE_H

#include "base/memory.h"
#include "stream/decimal.h"
#include "stream/text.h"

#include <tarn.h>

enum tn_aggregate_kind {
    TN_COUNT_ROWS, /* count: rows */
    TN_COUNT,      /* count(x): rows where x is not empty */
    TN_SUM,
    TN_MIN,
    TN_MAX,
    TN_AVG,
    TN_FIRST, /* by event time, ties by arrival */
    TN_LAST,
    TN_DISTINCT, /* different texts, exactly */
};

struct tn_aggregate {
    enum tn_aggregate_kind kind;
    const char *text; /* as written, for messages: "sum(x)"; outlives the operator */
};

/* How an aggregate keeps texts of a group. */
enum tn_aggregate_texts {
    TN_TEXTS_NONE,
    TN_TEXTS_ONE, /* the text kept is the result */
    TN_TEXTS_SET, /* every different text is kept, and the block counts them */
};

/* What the row's text is to do in the texts, once the block has been let go of. */
enum tn_errand {
    TN_ERRAND_NONE,
    TN_ERRAND_REPLACE, /* take the place of the text kept so far */
    TN_ERRAND_JOIN,    /* join the set; if it is new there, tn_layout_count_texts */
};

/* The group's number and the aggregate's place stand before a text in a key of the texts. */
#define TN_TEXT_KEY_HEAD_BYTES 12u
#define TN_TEXT_IN_SET_BYTES_MAX (TARN_KEY_BYTES_MAX - TN_TEXT_KEY_HEAD_BYTES)

/* One argument of one row, read. */
struct tn_argument {
    tarn_bytes text;
    struct tn_decimal number; /* where the aggregate takes numbers and the text is not empty */
    enum tn_errand errand;    /* set by tn_layout_update */
};

struct tn_aggregate_functions;

/* Where in a block each aggregate has its accumulator. */
struct tn_layout {
    size_t count;       /* of aggregates */
    size_t block_bytes; /* a multiple of 8 */
    bool has_arguments; /* some aggregate has one: tn_layout_read has something to do */
    bool has_texts;     /* the block begins with the group's number, 64 bits, > 0 */
    bool has_text_sets;
    bool has_mark; /* then comes the mark, 64 bits */
    struct tn_layout_part {
        const struct tn_aggregate_functions *functions;
        const char *text; /* as written, for messages */
        size_t offset;
        enum tn_aggregate_texts texts;
    } parts[];
};

/* NULL: no memory. */
struct tn_layout *tn_layout_new(struct tn_memory *memory, const struct tn_aggregate *aggregates,
                                size_t count, bool has_mark);

/* The group's number (has_texts) and the mark (has_mark) of a block. */
uint64_t tn_layout_number(const void *block);
void tn_layout_set_number(void *block, uint64_t number);
uint64_t tn_layout_mark(const struct tn_layout *layout, const void *block);
void tn_layout_set_mark(const struct tn_layout *layout, void *block, uint64_t mark);

/* NULL is allowed. */
void tn_layout_free(struct tn_memory *memory, struct tn_layout *layout);

/*
 * Read the arguments of a row, one for each aggregate; the texts stay borrowed. false: one of them
 * cannot be read, and `reason` says which and why (what it said before is gone; the same below).
 */
bool tn_layout_read(const struct tn_layout *layout, const tarn_bytes *texts,
                    struct tn_argument *arguments, struct tn_text *reason);

/*
 * Take a row into the block of its group, and set each argument's errand. false: a sum is out of
 * range, `reason` says which, and the block means nothing any more.
 */
bool tn_layout_update(const struct tn_layout *layout, void *block, struct tn_argument *arguments,
                      int64_t time_ms, struct tn_text *reason);

/*
 * Take the block `from` into another (A7), but the number, and what is kept as sets of texts;
 * errands[i] is REPLACE where the text kept for `from` is now the one to keep. false: as above.
 */
bool tn_layout_merge(const struct tn_layout *layout, void *into, const void *from,
                     enum tn_errand *errands, struct tn_text *reason);

/* The set of this aggregate has so many new texts. */
void tn_layout_count_texts(const struct tn_layout *layout, void *block, size_t index,
                           uint64_t count);

/*
 * The result of an aggregate, written into `buffer` (TN_DECIMAL_TEXT_BYTES_MAX bytes); data NULL
 * when it is empty. Not for aggregates whose result is the text kept (TN_TEXTS_ONE).
 */
tarn_bytes tn_layout_result(const struct tn_layout *layout, const void *block, size_t index,
                            char *buffer);

#endif
