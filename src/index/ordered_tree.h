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
 *   T3  After tn_ordered_reserve the pool has a leaf, an inner node for each level that could
 *       split, one for a new root if the root could, and a block for the longest separator; an
 *       insert takes from there only. A root leaf with room needs nothing.
 *   T4  Freed nodes go back to the pool until it holds about what T3 asks for, then to memory.
 *   T5  After a remove a leaf with few entries merges with a neighbour under the same parent if
 *       both fit in one node; so two of them together are more than half full.
 *   T6  A cursor never stands on an untidy leaf: seeks and steps tidy the leaf they come to, and
 *       what makes it untidy again, an insert, changes the version. So tidying moves nothing under
 *       a cursor that is valid, and the index may do it while its caller only reads.
 */
#ifndef TN_ORDERED_TREE_H
#define TN_ORDERED_TREE_H

#include "index/ordered.h"
#include "index/ordered_pool.h"

/* Each level at least doubles the leaves (I1), and there are at most as many leaves as handles. */
#define TN_ORDERED_HEIGHT_MAX (TN_HANDLE_BITS + 1)

struct tn_ordered {
    uint8_t *heap_base;
    void *root;
    unsigned height;
    size_t key_bytes_max; /* of all keys ever inserted */
    uint64_t count;
    uint64_t version;
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

/* The leaf that has the key or would have it. */
static inline struct tn_leaf *tn_ordered_descend(const struct tn_ordered *ordered,
                                                 struct tn_key key, struct tn_path *path)
{
    void *node = ordered->root;
    unsigned level;

    for (level = 0; level < ordered->height; level++) {
        struct tn_inner *inner = node;
        size_t known_bytes = inner->prefix_bytes > 0 ? tn_path_shared_bytes(path, level) : 0;
        unsigned child = tn_inner_search(inner, key, known_bytes);

        path->inners[level] = inner;
        path->children[level] = child;
        node = inner->children[child];
    }
    return node;
}

/* What the search in the leaf at the end of a path may take for granted. */
static inline size_t tn_ordered_known_bytes(const struct tn_ordered *ordered,
                                            const struct tn_path *path, const struct tn_leaf *leaf)
{
    return leaf->prefix_bytes > 0 ? tn_path_shared_bytes(path, ordered->height) : 0;
}

#endif
