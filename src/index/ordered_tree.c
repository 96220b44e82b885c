/*
 * ordered_tree.c - what changes the shape of the tree; see ordered_tree.h for the rules
 */
#include "index/ordered_tree.h"

/* Insert */

unsigned tn_tree_inners_needed(const struct tn_ordered *ordered, unsigned insert_count)
{
    const struct tn_inner *root = ordered->root;

    if (ordered->height == 0)
        return insert_count <= TN_ORDERED_INNER_SLOTS ? 1 : insert_count;
    if (tn_inner_separators(root) + insert_count <= TN_ORDERED_INNER_SLOTS)
        return insert_count * (ordered->height - 1);
    return insert_count * (ordered->height + 1);
}

/* Put a new child right of the path's, and split upwards as far as needed. */
static void tree_add_child(struct tn_ordered *ordered, const struct tn_path *path,
                           struct tn_separator separator, void *child, bool appending)
{
    unsigned level = ordered->height;
    struct tn_inner *root;

    while (level-- > 0) {
        struct tn_inner *inner = path->inners[level], *right;
        unsigned i = path->children[level];

        tn_inner_insert(inner, i, separator, child);
        if (tn_inner_separators(inner) <= TN_ORDERED_INNER_SLOTS)
            return;
        appending = appending && i == TN_ORDERED_INNER_SLOTS;
        right = tn_pool_take_inner(&ordered->pool);
        separator = tn_inner_split(
            inner, right, appending ? TN_ORDERED_INNER_SLOTS - 1 : TN_ORDERED_INNER_SLOTS / 2);
        child = right;
    }
    root = tn_pool_take_inner(&ordered->pool);
    tn_inner_init(root, ordered->root);
    tn_inner_insert(root, 0, separator, child);
    ordered->root = root;
    ordered->height++;
    tn_assert(ordered->height < TN_ORDERED_HEIGHT_MAX);
}

/*
 * Where to split an overfull leaf: in the middle, unless keys come in order. Then all up to the new
 * key stays behind, and the leaf goes on to fill; when it is full of them the new key starts a
 * leaf. Memory stays near the least there can be.
 */
static unsigned leaf_cut(const struct tn_leaf *leaf)
{
    unsigned slot = leaf->last_slot;
    unsigned last = leaf->count - 1u;

    if (slot == last && leaf->next == NULL)
        return last;
    if (slot == 0 && leaf->previous == NULL)
        return 1;
    if (leaf->ascending_count > TN_ORDERED_LEAF_SLOTS / 2)
        return slot == last ? last : slot + 1;
    return leaf->count / 2;
}

/* Put the upper entries of an overfull leaf into a new one, its neighbour. */
static struct tn_leaf *tree_halve_leaf(struct tn_ordered *ordered, struct tn_leaf *left,
                                       bool *appending)
{
    struct tn_leaf *right = tn_pool_take_leaf(&ordered->pool);
    unsigned cut;

    *appending = false;
    if (!tn_leaf_part(left, right)) {
        tn_leaf_tidy(left, ordered->heap_base);
        cut = leaf_cut(left);
        *appending = cut == left->count - 1u;
        tn_leaf_split(left, right, cut, ordered->heap_base);
    }
    if (ordered->last_leaf == left)
        ordered->last_leaf = right;
    return right;
}

static void tree_split_leaf(struct tn_ordered *ordered, const struct tn_path *path,
                            struct tn_leaf *left)
{
    uint8_t *base = ordered->heap_base;
    struct tn_key left_last, right_first;
    struct tn_leaf *right;
    bool appending;

    right = tree_halve_leaf(ordered, left, &appending);
    left_last = tn_key_of(base, tn_leaf_handle(left, tn_leaf_edge(left, base, true)));
    right_first = tn_key_of(base, tn_leaf_handle(right, tn_leaf_edge(right, base, false)));
    tree_add_child(ordered, path, tn_pool_make_separator(&ordered->pool, left_last, right_first),
                   right, appending);
}

void tn_tree_insert(struct tn_ordered *ordered, const struct tn_path *path, struct tn_leaf *leaf,
                    struct tn_key key, tn_handle handle)
{
    size_t known_bytes = tn_ordered_known_bytes(ordered, path, leaf);

    tn_leaf_insert(leaf, ordered->heap_base, key, known_bytes, handle);
    if (leaf->count <= TN_ORDERED_LEAF_SLOTS)
        return;
    tn_leaf_close_holes(leaf);
    if (leaf->count > TN_ORDERED_LEAF_SLOTS - TN_ORDERED_LEAF_SLOTS / 16)
        tree_split_leaf(ordered, path, leaf);
}

/* Remove */

static bool leaves_fit(const struct tn_leaf *left, const struct tn_leaf *right)
{
    return tn_leaf_live(left) + tn_leaf_live(right) <= TN_ORDERED_LEAF_SLOTS;
}

static bool inners_fit(const struct tn_inner *left, const struct tn_inner *right)
{
    return left->count + right->count <= TN_ORDERED_INNER_SLOTS + 1;
}

static void tree_merge_inners(struct tn_ordered *ordered, struct tn_inner *parent, unsigned i)
{
    struct tn_inner *left = parent->children[i], *right = parent->children[i + 1];

    tn_inner_merge(left, tn_inner_remove(parent, i), right);
    tn_pool_give_inner(&ordered->pool, right);
}

/* A node with one child, whose neighbours are full, gets a child from one of them (I1). */
static void tree_rotate_inners(struct tn_inner *parent, unsigned i, bool to_left)
{
    struct tn_inner *left = parent->children[i], *right = parent->children[i + 1];
    struct tn_separator separator = tn_inner_remove(parent, i);

    separator = to_left ? tn_inner_rotate_left(left, separator, right)
                        : tn_inner_rotate_right(left, separator, right);
    tn_inner_insert(parent, i, separator, right);
}

/* A child of the lowest inner node on the path is gone: merge upwards as far as needed. */
static void tree_shrink(struct tn_ordered *ordered, const struct tn_path *path)
{
    unsigned level = ordered->height - 1;
    struct tn_inner *root = ordered->root;

    for (; level > 0 && path->inners[level]->count < TN_INNER_LOW; level--) {
        struct tn_inner *inner = path->inners[level], *parent = path->inners[level - 1];
        unsigned i = path->children[level - 1];
        bool has_right = i + 1u < parent->count;

        if (has_right && inners_fit(inner, parent->children[i + 1])) {
            tree_merge_inners(ordered, parent, i);
        } else if (i > 0 && inners_fit(parent->children[i - 1], inner)) {
            tree_merge_inners(ordered, parent, i - 1);
        } else {
            if (inner->count == 1)
                tree_rotate_inners(parent, has_right ? i : i - 1, has_right);
            return;
        }
    }
    if (root->count == 1) {
        ordered->root = root->children[0];
        ordered->height--;
        tn_pool_give_inner(&ordered->pool, root);
    }
}

void tn_tree_merge_leaf(struct tn_ordered *ordered, const struct tn_path *path)
{
    struct tn_inner *parent = path->inners[ordered->height - 1];
    unsigned i = path->children[ordered->height - 1];
    struct tn_leaf *left, *right;

    if (i + 1u == parent->count || !leaves_fit(parent->children[i], parent->children[i + 1])) {
        if (i == 0 || !leaves_fit(parent->children[i - 1], parent->children[i]))
            return;
        i--;
    }
    left = parent->children[i];
    right = parent->children[i + 1];
    tn_leaf_merge(left, right, ordered->heap_base);
    if (ordered->last_leaf == right)
        ordered->last_leaf = left;
    tn_pool_give_leaf(&ordered->pool, right);
    tn_pool_free_separator(&ordered->pool, tn_inner_remove(parent, i));
    tree_shrink(ordered, path);
}
