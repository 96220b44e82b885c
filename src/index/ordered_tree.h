/*
 * ordered_tree.h - the ordered index as a whole: the way down, and what all its files share
 *
 *     root                    inner          height levels of inner nodes; 0: the root is a leaf
 *                           /   |   \
 *                      inner  inner  inner
 *                      / | \  / | \  / | \
 *     NULL <- leaf <-> leaf <-> leaf <-> leaf -> NULL
 *
 * Rules
 *   T1  All leaves are at the same depth, linked both ways in key order. Only a root leaf may be
 *       empty.
 *   T2  Nodes hold no parent pointers: a descent leaves its path, which splits and merges walk
 *       back.
 *   T3  After tn_ordered_reserve the pool has, for each insert that is pending and one more, a
 *       leaf, an inner node for each level that could split, and a block for the longest separator,
 *       and nodes for new roots if the root could split; inserts take from there only. A root leaf
 *       with room needs nothing.
 *   T4  Freed nodes go back to the pool until it holds about what T3 asks for, then to memory.
 *   T5  A leaf with few entries merges with a neighbour under the same parent if both fit in one
 *       node. It looks for one not at each remove, but at each fourth: so two of them together are
 *       about half full at least.
 *   T6  A cursor never stands on an untidy leaf: seeks and steps tidy the leaf they come to, and
 *       what makes it untidy again, an insert or a remove, changes the version. So tidying moves
 *       nothing under a cursor that is valid, and the index may do it while its caller only reads.
 *   T7  A key greater than any in the last leaf belongs to it: keys that come in order are put
 *       there without a descent.
 */
#ifndef TN_ORDERED_TREE_H
#define TN_ORDERED_TREE_H

#include "index/ordered.h"
#include "index/ordered_pending.h"
#include "index/ordered_pool.h"

/* Each level at least doubles the leaves (I1), and there are at most as many leaves as handles. */
#define TN_ORDERED_HEIGHT_MAX (TN_HANDLE_BITS + 1)

struct tn_ordered {
    uint8_t *heap_base;
    void *root;
    struct tn_leaf *last_leaf; /* T7 */
    unsigned height;
    size_t key_bytes_max; /* of all keys ever inserted */
    uint64_t count;       /* with what is pending */
    uint64_t version;
    struct tn_pending *pending; /* N6; NULL: none */
    unsigned covered_count; /* T3 is known to hold for so many inserts of keys <= key_bytes_max */
    struct tn_pool pool;
};

struct tn_path {
    struct tn_inner *inners[TN_ORDERED_HEIGHT_MAX]; /* root first */
    unsigned children[TN_ORDERED_HEIGHT_MAX];       /* which child the way leads to */
};

/* How many bytes the key of this path is sure to share with all keys in the node at `level`. */
static inline size_t tn_path_shared_bytes(const struct tn_path *path, unsigned level)
{
    size_t shared_bytes = 0;

    while (level-- > 0 && shared_bytes == 0)
        shared_bytes = tn_inner_shared_bytes(path->inners[level], path->children[level]);
    return shared_bytes;
}

/*
 * One level down: the child of this inner node, at `level`, that has the key or would have it.
 * `head` is the key's after no prefix.
 */
TN_ALWAYS_INLINE void *tn_ordered_step_down(struct tn_path *path, unsigned level,
                                            struct tn_inner *inner, struct tn_key key,
                                            uint64_t head)
{
    unsigned child = TN_LIKELY(inner->prefix_bytes == 0)
                         ? tn_inner_search_plain(inner, key, head)
                         : tn_inner_search(inner, key, tn_path_shared_bytes(path, level));

    path->inners[level] = inner;
    path->children[level] = child;
    return inner->children[child];
}

/* The leaf that has the key or would have it. */
static inline struct tn_leaf *tn_ordered_descend(const struct tn_ordered *ordered,
                                                 struct tn_key key, struct tn_path *path)
{
    uint64_t head = tn_key_head(key.at, key.bytes);
    void *node = ordered->root;
    unsigned level;

    for (level = 0; level < ordered->height; level++)
        node = tn_ordered_step_down(path, level, node, key, head);
    return node;
}

/* What the search in the leaf at the end of a path may take for granted. */
static inline size_t tn_ordered_known_bytes(const struct tn_ordered *ordered,
                                            const struct tn_path *path, const struct tn_leaf *leaf)
{
    return leaf->prefix_bytes > 0 ? tn_path_shared_bytes(path, ordered->height) : 0;
}

static inline unsigned tn_ordered_insert_count(const struct tn_ordered *ordered)
{
    return ordered->pending != NULL ? ordered->pending->insert_count : 0;
}

/* T3: how many inner nodes `insert_count` inserts could need. */
unsigned tn_tree_inners_needed(const struct tn_ordered *ordered, unsigned insert_count);

/* Make the change in the tree. The path led to the leaf just now. */
void tn_tree_insert(struct tn_ordered *ordered, const struct tn_path *path, struct tn_leaf *leaf,
                    struct tn_key key, tn_handle handle);

/*
 * The leaf at the end of the path has few entries: merge it with a neighbour if they fit together
 * (T5). Reads records: all that the tree has must be there. Not for a root leaf.
 */
void tn_tree_merge_leaf(struct tn_ordered *ordered, const struct tn_path *path);

/* Make all pending changes. Cannot fail. */
void tn_ordered_flush(struct tn_ordered *ordered);

#endif
