/*
 * ordered_inner.h - an inner node of the ordered index: separators and children
 *
 *     children[0] | separator 0 | children[1] | separator 1 | ... | children[count - 1]
 *
 *     keys under children[i] < separator i <= keys under children[i + 1]
 *
 * A separator is as short as can be: of the first key on its right, what tells it from the last key
 * on its left. It owns its bytes, since the key it was cut from may be gone: up to 8 stand in the
 * node, more in a block.
 *
 * Rules
 *   I1  At least two children, so at least one separator; one child only while a node is made or
 *       about to be merged.
 *   I2  Separators ascend strictly, and all start with the same prefix_bytes bytes, which may be
 *       less than they share.
 *   I3  heads[i] is separator i's head after the prefix; TN_HEAD_NONE behind the last.
 *   I4  One separator more than TN_ORDERED_INNER_SLOTS has room: insert, then split.
 *   I5  ends[i] is heads[16 * i + 15]: a search in a node that is not in the cache needs few lines.
 *   I6  A key between two neighbouring separators starts with all that both start with.
 */
#ifndef TN_ORDERED_INNER_H
#define TN_ORDERED_INNER_H

#include "index/ordered_key.h"

#ifndef TN_ORDERED_INNER_SLOTS
#define TN_ORDERED_INNER_SLOTS 127
#endif

_Static_assert(TN_ORDERED_INNER_SLOTS < TN_HEADS_COUNT, "I4");

/* Below this many children an inner node looks for a neighbour to merge with. */
#define TN_INNER_LOW (TN_ORDERED_INNER_SLOTS / 2 - TN_ORDERED_INNER_SLOTS / 16 + 1)

/* The bytes of a long separator. block_bytes is the whole block; it can be more than is used. */
struct tn_separator_block {
    uint32_t block_bytes;
    uint8_t text[];
};

#define TN_SEPARATOR_HERE_BYTES 8u

union tn_separator_text {
    uint8_t here[TN_SEPARATOR_HERE_BYTES];
    struct tn_separator_block *block;
};

struct tn_separator {
    union tn_separator_text text;
    uint16_t bytes;
};

struct tn_inner {
    uint16_t count; /* of children; of separators one less */
    uint16_t prefix_bytes;
    uint64_t ends[TN_HEAD_ENDS_COUNT]; /* I5 */
    uint64_t heads[TN_HEADS_COUNT];
    void *children[TN_HEADS_COUNT + 1]; /* in the pool: [0] is the next spare */
    union tn_separator_text texts[TN_HEADS_COUNT];
    uint16_t text_bytes[TN_HEADS_COUNT];
};

static inline unsigned tn_inner_separators(const struct tn_inner *inner)
{
    return inner->count - 1u;
}

static inline struct tn_key tn_inner_key(const struct tn_inner *inner, unsigned i)
{
    const union tn_separator_text *text = &inner->texts[i];
    size_t bytes = inner->text_bytes[i];

    return (struct tn_key){ bytes <= TN_SEPARATOR_HERE_BYTES ? text->here : text->block->text,
                            bytes };
}

static inline struct tn_separator tn_inner_separator(const struct tn_inner *inner, unsigned i)
{
    return (struct tn_separator){ inner->texts[i], inner->text_bytes[i] };
}

/* Have what the first step of a search reads fetched, in time. */
static inline void tn_inner_prefetch(const struct tn_inner *inner)
{
    __builtin_prefetch(inner);
    __builtin_prefetch(inner->ends + TN_HEAD_ENDS_COUNT);
}

/* The first step of a search: have what the others read fetched. */
static inline void tn_inner_prefetch_for(const struct tn_inner *inner, uint64_t head)
{
    unsigned first = 16 * tn_heads_below_of_7(inner->ends, 1, head);

    if (inner->prefix_bytes != 0)
        return;
    __builtin_prefetch(inner->heads + first);
    __builtin_prefetch(inner->heads + first + 8);
    __builtin_prefetch(inner->children + first);
    __builtin_prefetch(inner->children + first + 8);
}

/*
 * The child under which the key is or would be. The caller knows that the key shares known_bytes
 * with all separators here.
 */
unsigned tn_inner_search(const struct tn_inner *inner, struct tn_key key, size_t known_bytes);

/* The same in a node without a prefix; the key's head is known. Inline: most searches are this. */
TN_ALWAYS_INLINE unsigned tn_inner_search_plain(const struct tn_inner *inner, struct tn_key key,
                                                uint64_t head)
{
    unsigned first = 16 * tn_heads_below_of_7(inner->ends, 1, head);

    first = tn_heads_search_16(inner->heads, first, head);
    return TN_LIKELY(inner->heads[first] != head) ? first : tn_inner_search(inner, key, 0);
}

/* How many bytes every key under child i is sure to share (I6); 0 for the first and last child. */
size_t tn_inner_shared_bytes(const struct tn_inner *inner, unsigned i);

/* A node to be, with one child: the caller inserts the second. */
void tn_inner_init(struct tn_inner *inner, void *child);

/* Put separator i, and its right-hand child, behind child i. There is room (I4). */
void tn_inner_insert(struct tn_inner *inner, unsigned i, struct tn_separator separator,
                     void *child);

/* Take separator i and its right-hand child out; the separator is the caller's. */
struct tn_separator tn_inner_remove(struct tn_inner *inner, unsigned i);

/* Separator `cut` goes to the caller, what is right of it to `right`, which is uninitialised. */
struct tn_separator tn_inner_split(struct tn_inner *left, struct tn_inner *right, unsigned cut);

/* Move all of `right` behind `separator`, which divides the two. It fits. */
void tn_inner_merge(struct tn_inner *left, struct tn_separator separator, struct tn_inner *right);

/*
 * Move one child over the separator between two neighbours: from right to left, or from left to
 * right. The answer takes the separator's place.
 */
struct tn_separator tn_inner_rotate_left(struct tn_inner *left, struct tn_separator separator,
                                         struct tn_inner *right);
struct tn_separator tn_inner_rotate_right(struct tn_inner *left, struct tn_separator separator,
                                          struct tn_inner *right);

#endif
