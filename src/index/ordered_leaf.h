/*
 * ordered_leaf.h - a leaf of the ordered index: heads and handles of neighbouring keys
 *
 *     prefix_bytes = 11    keys of the records     heads         handles
 *     slot 0               /var/spool/mail/ada     "mail/ada"    h0
 *     slot 1               /var/spool/news         "news\0\0..." h1
 *     slot 2               (removed)               "newsgrou"    none: a hole
 *     slot 3               /var/spool/newsletter   "newslett"    h3     sorted_count = 4
 *     slot 4               /var/spool/lpd          "lpd\0\0\0..." h4     the tail, as it came
 *
 * Rules
 *   L1  Keys ascend strictly in the first sorted_count slots; the leaf's own links order the leaves
 *       likewise. Behind them lie new keys as they came (the *tail*), and a removed key leaves a
 *       hole: so a change touches a few lines of a leaf instead of all, which is what it costs when
 *       the tree is bigger than the caches. tn_leaf_tidy sorts the tail in and closes the holes;
 *       whoever looks at slots in order needs it.
 *   L2  Every key in the leaf starts with the same prefix_bytes bytes. They are not stored: any
 *       key's record has them. The prefix may be shorter than it could be; 0 is always right.
 *   L3  heads[i] is key i's head after the prefix; TN_HEAD_NONE from count on.
 *   L4  Making the prefix shorter reads one record. Making it longer reads all, so it is done when
 *       the leaf splits or merges, and only if heads tie often.
 *   L5  One slot more than TN_ORDERED_LEAF_SLOTS exists: a leaf takes the entry that overfills it,
 *       then splits.
 *   L6  Finding and removing by handle, and changing a handle, read no record: the keys of others
 *       in the leaf may be gone by then (ordered_pending.h).
 *   L7  Handles are stored scrambled, so that their high bytes alone tell them apart well: to find
 *       one of 127 two cache lines are searched, and about one more for what they said.
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
/* ... each time it has lost so many. */
#define TN_LEAF_LOW_STEP (TN_LEAF_LOW / 16 + 1)

struct tn_leaf {
    uint16_t count; /* slots in use, holes too */
    uint16_t hole_count;
    uint16_t sorted_count;
    uint16_t prefix_bytes;
    uint16_t last_slot;       /* of the newest key, when tidy */
    uint16_t ascending_count; /* newest keys that came in a row, each just behind the one before */
    struct tn_leaf *previous;
    struct tn_leaf *next;                 /* in the pool: the next spare */
    uint8_t handle_highs[TN_HEADS_COUNT]; /* L7 */
    uint32_t handle_lows[TN_HEADS_COUNT];
    uint64_t heads[TN_HEADS_COUNT];
};

/* L7: two numbers whose product is 1 modulo 2^40; NONE stays NONE. */
#define TN_HANDLE_SCRAMBLE UINT64_C(0x9E3779B97F)
#define TN_HANDLE_UNSCRAMBLE UINT64_C(0x4C19BC067F)
#define TN_HANDLE_MASK ((UINT64_C(1) << TN_HANDLE_BITS) - 1)

_Static_assert(((TN_HANDLE_SCRAMBLE * TN_HANDLE_UNSCRAMBLE) & TN_HANDLE_MASK) == 1, "L7");

static inline tn_handle tn_leaf_handle(const struct tn_leaf *leaf, unsigned slot)
{
    uint64_t stored = (uint64_t)leaf->handle_highs[slot] << 32 | leaf->handle_lows[slot];

    return stored * TN_HANDLE_UNSCRAMBLE & TN_HANDLE_MASK;
}

static inline void tn_leaf_set_handle(struct tn_leaf *leaf, unsigned slot, tn_handle handle)
{
    uint64_t stored = handle * TN_HANDLE_SCRAMBLE;

    leaf->handle_lows[slot] = (uint32_t)stored;
    leaf->handle_highs[slot] = (uint8_t)(stored >> 32);
}

/* The newest key is in slot `slot`; `count` keys came in a row, to slots from `first` on. */
static inline void tn_leaf_note_newest(struct tn_leaf *leaf, unsigned slot, unsigned first,
                                       unsigned count)
{
    bool goes_on = first == leaf->last_slot + 1u;

    leaf->ascending_count = (uint16_t)(goes_on ? leaf->ascending_count + count : 0);
    leaf->last_slot = (uint16_t)slot;
}

/* Whether a key with this head, after no prefix, is behind all others here, as far as heads tell. */
static inline bool tn_leaf_is_behind(const struct tn_leaf *leaf, uint64_t head)
{
    unsigned count = leaf->count;

    return count == leaf->sorted_count && count > 0 && leaf->prefix_bytes == 0 &&
           head > leaf->heads[count - 1];
}

/* Insert a key that is behind all others. There is room. */
static inline void tn_leaf_append(struct tn_leaf *leaf, uint64_t head, tn_handle handle)
{
    unsigned slot = leaf->count++;

    leaf->sorted_count++;
    leaf->heads[slot] = head;
    tn_leaf_set_handle(leaf, slot, handle);
    tn_leaf_note_newest(leaf, slot, slot, 1);
}

/* How many keys it has. */
static inline unsigned tn_leaf_live(const struct tn_leaf *leaf)
{
    return (unsigned)leaf->count - leaf->hole_count;
}

/* Whether it is time to look for a neighbour to merge with. */
static inline bool tn_leaf_is_low(const struct tn_leaf *leaf)
{
    return tn_leaf_live(leaf) < TN_LEAF_LOW && tn_leaf_live(leaf) % TN_LEAF_LOW_STEP == 0;
}

/* Have what finding a handle reads, and what tells where to insert, fetched. */
static inline void tn_leaf_prefetch_handles(const struct tn_leaf *leaf)
{
    __builtin_prefetch(leaf);
    __builtin_prefetch(leaf->handle_highs + 32);
    __builtin_prefetch(leaf->handle_highs + 96);
}

/* Have what an insert writes fetched. */
static inline void tn_leaf_prefetch_end(const struct tn_leaf *leaf)
{
    __builtin_prefetch(leaf->heads + leaf->count, 1);
    __builtin_prefetch(leaf->handle_lows + leaf->count, 1);
}

/* Have what a search by key reads fetched. */
static inline void tn_leaf_prefetch(const struct tn_leaf *leaf)
{
    __builtin_prefetch(leaf);
    tn_heads_prefetch(leaf->heads);
}

/* Have all of it fetched. */
static inline void tn_leaf_prefetch_all(const struct tn_leaf *leaf)
{
    const uint8_t *at = (const uint8_t *)leaf, *end = (const uint8_t *)(leaf + 1);

    for (; at < end; at += 64)
        __builtin_prefetch(at);
}

/* An empty leaf without neighbours. */
void tn_leaf_init(struct tn_leaf *leaf);

/* ---- as it is -------------------------------------------------------------------------------- */

/* The slot with this handle, which is there (L6). */
unsigned tn_leaf_find(const struct tn_leaf *leaf, tn_handle handle);

/* Insert a key that is not there; the leaf has room (L5). The caller knows that the key shares
 * known_bytes with all keys here. */
void tn_leaf_insert(struct tn_leaf *leaf, uint8_t *heap_base, struct tn_key key, size_t known_bytes,
                    tn_handle handle);

/* L6 */
void tn_leaf_remove(struct tn_leaf *leaf, unsigned slot);

void tn_leaf_close_holes(struct tn_leaf *leaf);

/*
 * A leaf whose keys did not come in order: move about the greater half to `right`, which is
 * uninitialised and becomes the next leaf, without sorting. false: the heads would not be
 * parted, nothing changed.
 */
bool tn_leaf_part(struct tn_leaf *left, struct tn_leaf *right);

/* The slot of the greatest key, or of the least. */
unsigned tn_leaf_edge(const struct tn_leaf *leaf, uint8_t *heap_base, bool greatest);

/* Move all entries of the next leaf to this one, and take it out of the chain. They fit. */
void tn_leaf_merge(struct tn_leaf *left, struct tn_leaf *right, uint8_t *heap_base);

/* ---- tidy ------------------------------------------------------------------------------------ */

/* Close the holes and sort the tail in (L1). */
void tn_leaf_sort_tail(struct tn_leaf *leaf, uint8_t *heap_base);

static inline void tn_leaf_tidy(struct tn_leaf *leaf, uint8_t *heap_base)
{
    if (leaf->sorted_count != leaf->count || leaf->hole_count != 0)
        tn_leaf_sort_tail(leaf, heap_base);
}

/*
 * The first slot whose key is >= key, or > key if `after`; count when there is none. The caller
 * knows that the key shares known_bytes with all keys here.
 */
unsigned tn_leaf_search(const struct tn_leaf *leaf, uint8_t *heap_base, struct tn_key key,
                        size_t known_bytes, bool after);

/* Move the entries from `cut` on to `right`, which is uninitialised and becomes the next leaf. */
void tn_leaf_split(struct tn_leaf *left, struct tn_leaf *right, unsigned cut, uint8_t *heap_base);

#endif
