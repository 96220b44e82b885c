/*
 * ordered.c - the ordered index: reserve, insert, remove, move; see ordered_tree.h for the rules
 */
#include "index/ordered_tree.h"

/* Spare leaves kept for later (T4). */
#define SPARE_LEAVES_MAX 2u

/* Birth and death */

struct tn_ordered *tn_ordered_new(struct tn_memory *memory, uint8_t *heap_base)
{
    struct tn_ordered *ordered = tn_memory_new(memory, sizeof *ordered, true);
    struct tn_leaf *leaf;

    if (ordered == NULL)
        return NULL;
    ordered->pool.memory = memory;
    ordered->heap_base = heap_base;
    if (!tn_pool_fill(&ordered->pool, 1, 0, 0)) {
        tn_memory_free(memory, ordered, sizeof *ordered);
        return NULL;
    }
    leaf = tn_pool_take_leaf(&ordered->pool);
    tn_leaf_init(leaf);
    ordered->root = leaf;
    return ordered;
}

/*
 * Free the last node that has no children any more: the way to it is short, so it is found anew
 * each time. The root comes last.
 */
static void free_last_node(struct tn_ordered *ordered)
{
    struct tn_inner *parent = NULL, *inner;
    void *node = ordered->root;
    unsigned level = 0;

    while (level < ordered->height) {
        inner = node;
        if (inner->count == 0)
            break;
        parent = inner;
        node = inner->children[inner->count - 1];
        level++;
    }
    if (level == ordered->height)
        tn_pool_give_leaf(&ordered->pool, node);
    else
        tn_pool_give_inner(&ordered->pool, node);
    tn_pool_trim(&ordered->pool, 0, 0);
    if (parent == NULL) {
        ordered->root = NULL;
        return;
    }
    parent->count--;
    if (parent->count > 0)
        tn_pool_free_separator(&ordered->pool, tn_inner_separator(parent, parent->count - 1u));
}

bool tn_ordered_free_step(struct tn_ordered *ordered, uint64_t *budget_bytes)
{
    while (ordered->root != NULL) {
        uint64_t before_bytes = ordered->pool.bytes;

        if (*budget_bytes == 0)
            return false;
        free_last_node(ordered);
        *budget_bytes -= tn_min(*budget_bytes, before_bytes - ordered->pool.bytes);
    }
    tn_pool_empty(&ordered->pool);
    tn_assert(ordered->pool.bytes == 0);
    tn_memory_free(ordered->pool.memory, ordered, sizeof *ordered);
    return true;
}

void tn_ordered_free(struct tn_ordered *ordered)
{
    uint64_t unlimited_bytes = UINT64_MAX;

    if (ordered != NULL)
        (void)tn_ordered_free_step(ordered, &unlimited_bytes);
}

/* Insert */

/* How many inner nodes an insert could need: all below the root can split, and the root if full. */
static unsigned inners_needed(const struct tn_ordered *ordered)
{
    const struct tn_inner *root = ordered->root;

    if (ordered->height == 0)
        return 1;
    if (tn_inner_separators(root) < TN_ORDERED_INNER_SLOTS)
        return ordered->height - 1;
    return ordered->height + 1;
}

bool tn_ordered_reserve(struct tn_ordered *ordered, const void *key, size_t key_bytes)
{
    const struct tn_leaf *root_leaf = ordered->root;

    (void)key;
    if (ordered->height == 0 && root_leaf->count < TN_ORDERED_LEAF_SLOTS)
        return true;
    return tn_pool_fill(&ordered->pool, 1, inners_needed(ordered),
                        tn_max(key_bytes, ordered->key_bytes_max));
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

static void tree_split_leaf(struct tn_ordered *ordered, const struct tn_path *path,
                            struct tn_leaf *left)
{
    struct tn_leaf *right = tn_pool_take_leaf(&ordered->pool);
    struct tn_key left_last, right_first;
    bool appending;
    unsigned cut;

    tn_leaf_tidy(left, ordered->heap_base);
    cut = leaf_cut(left);
    appending = cut == left->count - 1u;
    tn_leaf_split(left, right, cut, ordered->heap_base);
    left_last = tn_key_of(ordered->heap_base, tn_leaf_handle(left, left->count - 1u));
    right_first = tn_key_of(ordered->heap_base, tn_leaf_handle(right, 0));
    tree_add_child(ordered, path, tn_pool_make_separator(&ordered->pool, left_last, right_first),
                   right, appending);
}

void tn_ordered_insert(struct tn_ordered *ordered, tn_handle handle)
{
    struct tn_key key = tn_key_of(ordered->heap_base, handle);
    struct tn_path path;
    struct tn_leaf *leaf = tn_ordered_descend(ordered, key, &path);
    size_t known_bytes = tn_ordered_known_bytes(ordered, &path, leaf);

    tn_leaf_insert(leaf, ordered->heap_base, key, known_bytes, handle);
    ordered->key_bytes_max = tn_max(ordered->key_bytes_max, key.bytes);
    ordered->count++;
    ordered->version++;
    if (leaf->count > TN_ORDERED_LEAF_SLOTS)
        tree_split_leaf(ordered, &path, leaf);
}

/* Remove */

static bool leaves_fit(const struct tn_leaf *left, const struct tn_leaf *right)
{
    return left->count + right->count <= TN_ORDERED_LEAF_SLOTS;
}

static bool inners_fit(const struct tn_inner *left, const struct tn_inner *right)
{
    return left->count + right->count <= TN_ORDERED_INNER_SLOTS + 1;
}

/* T4 */
static void tree_trim_pool(struct tn_ordered *ordered)
{
    tn_pool_trim(&ordered->pool, SPARE_LEAVES_MAX, ordered->height + 1);
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

/* A leaf has few entries: merge it with a neighbour if they fit together (T5). */
static void tree_merge_leaf(struct tn_ordered *ordered, const struct tn_path *path)
{
    struct tn_inner *parent = path->inners[ordered->height - 1];
    unsigned i = path->children[ordered->height - 1];
    struct tn_leaf *right;

    if (i + 1u == parent->count || !leaves_fit(parent->children[i], parent->children[i + 1])) {
        if (i == 0 || !leaves_fit(parent->children[i - 1], parent->children[i]))
            return;
        i--;
    }
    right = parent->children[i + 1];
    tn_leaf_tidy(parent->children[i], ordered->heap_base);
    tn_leaf_tidy(right, ordered->heap_base);
    tn_leaf_merge(parent->children[i], right, ordered->heap_base);
    tn_pool_give_leaf(&ordered->pool, right);
    tn_pool_free_separator(&ordered->pool, tn_inner_remove(parent, i));
    tree_shrink(ordered, path);
    tree_trim_pool(ordered);
}

void tn_ordered_remove(struct tn_ordered *ordered, tn_handle handle)
{
    struct tn_key key = tn_key_of(ordered->heap_base, handle);
    struct tn_path path;
    struct tn_leaf *leaf = tn_ordered_descend(ordered, key, &path);

    tn_leaf_prefetch(leaf);
    tn_leaf_tidy(leaf, ordered->heap_base);
    tn_leaf_remove(leaf, tn_leaf_find(leaf, key, handle));
    ordered->count--;
    ordered->version++;
    if (leaf->count < TN_LEAF_LOW && ordered->height > 0)
        tree_merge_leaf(ordered, &path);
}

void tn_ordered_move(struct tn_ordered *ordered, tn_handle old, tn_handle new_handle)
{
    struct tn_key key = tn_key_of(ordered->heap_base, old);
    struct tn_path path;
    struct tn_leaf *leaf = tn_ordered_descend(ordered, key, &path);

    tn_leaf_prefetch(leaf);
    tn_leaf_tidy(leaf, ordered->heap_base);
    tn_leaf_set_handle(leaf, tn_leaf_find(leaf, key, old), new_handle);
    ordered->version++;
}

uint64_t tn_ordered_count(const struct tn_ordered *ordered)
{
    return ordered->count;
}

uint64_t tn_ordered_bytes(const struct tn_ordered *ordered)
{
    return sizeof *ordered + ordered->pool.bytes;
}

const uint64_t *tn_ordered_version(const struct tn_ordered *ordered)
{
    return &ordered->version;
}
