/*
 * ordered_leaf.h - a leaf of the ordered index: heads and handles of neighbouring keys
 *
 *     prefix_bytes = 11    keys of the records     heads         handles (low 32 bits, high 8 bits)
 *     slot 0               /var/spool/mail/ada     "mail/ada"    h0
 *     slot 1               /var/spool/news         "news\0\0..." h1
 *     slot 2               /var/spool/newsletter   "newslett"    h2
 *
 * Rules
 *   L1  Keys ascend strictly in the first sorted_count slots; the leaf's own links order the leaves
 *       likewise. Behind them up to TN_LEAF_TAIL_MAX new keys lie as they came (the *tail*): an
 *       insert then touches a few lines of a leaf instead of all, which is what it costs when the
 *       tree is bigger than the caches. tn_leaf_tidy sorts the tail in; all that looks at slots
 *       needs it.
 *   L2  Every key in the leaf starts with the same prefix_bytes bytes. They are not stored: slot
 *       0's record has them. The prefix may be shorter than it could be; 0 is always right.
 *   L3  heads[i] is key i's head after the prefix; TN_HEAD_NONE from count on.
 *   L4  Making the prefix shorter reads one record. Making it longer reads all, so it is done when
 *       the leaf splits or merges, and only if heads tie often.
 *   L5  One slot more than TN_ORDERED_LEAF_SLOTS exists: a leaf takes the entry that overfills it,
 *       then splits.
 */
#ifndef TN_ORDERED_LEAF_H
#define TN_ORDERED_LEAF_H

#include "index/ordered_key.h"

#ifndef TN_ORDERED_LEAF_SLOTS
#define TN_ORDERED_LEAF_SLOTS 127
#endif

_Static_assert(TN_ORDERED_LEAF_SLOTS < TN_HEADS_COUNT, "L5");

/* Below this many entries a leaf looks for a neighbour to merge with. */
#define TN_LEAF_LOW (TN_ORDERED_LEAF_SLOTS / 2 - TN_ORDERED_LEAF_SLOTS / 16)

#ifndef TN_LEAF_TAIL_MAX
#define TN_LEAF_TAIL_MAX 16u
#endif

struct tn_leaf {
    uint16_t count;
    uint16_t prefix_bytes;
    uint16_t sorted_count;
    uint16_t last_slot;       /* of the newest key, when tidy */
    uint16_t ascending_count; /* newest keys that came in a row, each just behind the one before */
    struct tn_leaf *previous;
    struct tn_leaf *next; /* in the pool: the next spare */
    uint64_t heads[TN_HEADS_COUNT];
    uint32_t handle_lows[TN_HEADS_COUNT];
    uint8_t handle_highs[TN_HEADS_COUNT];
};

static inline tn_handle tn_leaf_handle(const struct tn_leaf *leaf, unsigned slot)
{
    return (tn_handle)leaf->handle_highs[slot] << 32 | leaf->handle_lows[slot];
}

static inline void tn_leaf_set_handle(struct tn_leaf *leaf, unsigned slot, tn_handle handle)
{
    leaf->handle_lows[slot] = (uint32_t)handle;
    leaf->handle_highs[slot] = (uint8_t)(handle >> 32);
}

/* Have what a search reads fetched. */
static inline void tn_leaf_prefetch(const struct tn_leaf *leaf)
{
    __builtin_prefetch(leaf);
    tn_heads_prefetch(leaf->heads);
}

/* An empty leaf without neighbours. */
void tn_leaf_init(struct tn_leaf *leaf);

/* Sort the tail in (L1). */
void tn_leaf_sort_tail(struct tn_leaf *leaf, uint8_t *heap_base);

static inline void tn_leaf_tidy(struct tn_leaf *leaf, uint8_t *heap_base)
{
    if (leaf->sorted_count != leaf->count)
        tn_leaf_sort_tail(leaf, heap_base);
}

/* What follows needs a tidy leaf, except for tn_leaf_insert. */

/*
 * The first slot whose key is >= key, or > key if `after`; count when there is none. The caller
 * knows that the key shares known_bytes with all keys here.
 */
unsigned tn_leaf_search(const struct tn_leaf *leaf, uint8_t *heap_base, struct tn_key key,
                        size_t known_bytes, bool after);

/* The slot of a key that is there with this handle. */
unsigned tn_leaf_find(const struct tn_leaf *leaf, struct tn_key key, tn_handle handle);

/* Insert a key that is not there; the leaf has room (L5). May leave it untidy. */
void tn_leaf_insert(struct tn_leaf *leaf, uint8_t *heap_base, struct tn_key key, size_t known_bytes,
                    tn_handle handle);

void tn_leaf_remove(struct tn_leaf *leaf, unsigned slot);

/* Move the entries from `cut` on to `right`, which is uninitialised and becomes the next leaf. */
void tn_leaf_split(struct tn_leaf *left, struct tn_leaf *right, unsigned cut, uint8_t *heap_base);

/* Move all entries of the next leaf to this one, and take it out of the chain. They fit. */
void tn_leaf_merge(struct tn_leaf *left, struct tn_leaf *right, uint8_t *heap_base);

#endif
