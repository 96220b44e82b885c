/*
 * ordered.c - the ordered index: reserve, insert, remove, move; see ordered_tree.h for the rules
 */
#include "index/ordered_tree.h"

/* Spares kept for later (T4). */
#define SPARE_LEAVES_MAX 2u

static void *memory_take(struct tn_ordered *ordered, size_t bytes)
{
    void *block = tn_memory_new(ordered->memory, bytes, false);

    if (block != NULL)
        ordered->bytes += bytes;
    return block;
}

static void memory_give(struct tn_ordered *ordered, void *block, size_t bytes)
{
    ordered->bytes -= bytes;
    tn_memory_free(ordered->memory, block, bytes);
}

/* The pool. Spares are chained through a field that is free in a spare. */

static struct tn_leaf *pool_take_leaf(struct tn_ordered *ordered)
{
    struct tn_leaf *leaf = ordered->spare_leaves;

    tn_assert(leaf != NULL); /* T3 */
    ordered->spare_leaves = leaf->next;
    ordered->spare_leaf_count--;
    return leaf;
}

static struct tn_inner *pool_take_inner(struct tn_ordered *ordered)
{
    struct tn_inner *inner = ordered->spare_inners;

    tn_assert(inner != NULL); /* T3 */
    ordered->spare_inners = inner->children[0];
    ordered->spare_inner_count--;
    return inner;
}

static void pool_add_leaf(struct tn_ordered *ordered, struct tn_leaf *leaf)
{
    leaf->next = ordered->spare_leaves;
    ordered->spare_leaves = leaf;
    ordered->spare_leaf_count++;
}

static void pool_add_inner(struct tn_ordered *ordered, struct tn_inner *inner)
{
    inner->children[0] = ordered->spare_inners;
    ordered->spare_inners = inner;
    ordered->spare_inner_count++;
}

/* Free spares beyond these numbers. */
static void pool_trim(struct tn_ordered *ordered, unsigned leaf_count, unsigned inner_count)
{
    while (ordered->spare_leaf_count > leaf_count)
        memory_give(ordered, pool_take_leaf(ordered), sizeof(struct tn_leaf));
    while (ordered->spare_inner_count > inner_count)
        memory_give(ordered, pool_take_inner(ordered), sizeof(struct tn_inner));
}

/* Allocate spares up to these numbers; false: no memory, and fewer are there. */
static bool pool_fill(struct tn_ordered *ordered, unsigned leaf_count, unsigned inner_count)
{
    while (ordered->spare_leaf_count < leaf_count) {
        struct tn_leaf *leaf = memory_take(ordered, sizeof *leaf);

        if (leaf == NULL)
            return false;
        pool_add_leaf(ordered, leaf);
    }
    while (ordered->spare_inner_count < inner_count) {
        struct tn_inner *inner = memory_take(ordered, sizeof *inner);

        if (inner == NULL)
            return false;
        pool_add_inner(ordered, inner);
    }
    return true;
}

/* Have a block for a separator of up to `text_bytes`. */
static bool pool_fill_block(struct tn_ordered *ordered, size_t text_bytes)
{
    struct tn_separator_block *old = ordered->spare_block, *block;
    size_t block_bytes = sizeof *block + text_bytes;

    if (text_bytes <= TN_SEPARATOR_HERE_BYTES)
        return true;
    if (old != NULL && old->block_bytes >= block_bytes)
        return true;
    block = memory_take(ordered, block_bytes);
    if (block == NULL)
        return false;
    block->block_bytes = (uint32_t)block_bytes;
    if (old != NULL)
        memory_give(ordered, old, old->block_bytes);
    ordered->spare_block = block;
    return true;
}

/* Separators */

/* Turn the spare block into one for text_bytes. It stays too big if memory will not shrink it. */
static struct tn_separator_block *pool_take_block(struct tn_ordered *ordered, size_t text_bytes)
{
    struct tn_separator_block *block = ordered->spare_block, *smaller;
    size_t block_bytes = sizeof *block + text_bytes;

    tn_assert(block != NULL && block->block_bytes >= block_bytes); /* T3 */
    ordered->spare_block = NULL;
    if (block->block_bytes == block_bytes)
        return block;
    smaller = tn_memory_resize(ordered->memory, block, block->block_bytes, block_bytes);
    if (smaller == NULL)
        return block;
    ordered->bytes -= smaller->block_bytes - block_bytes;
    smaller->block_bytes = (uint32_t)block_bytes;
    return smaller;
}

/* The shortest bytes that are > left and <= right: right's, up to the first that differs. */
static struct tn_separator separator_make(struct tn_ordered *ordered, struct tn_key left,
                                          struct tn_key right)
{
    struct tn_separator separator = { .bytes = (uint16_t)(tn_key_shared(left, right) + 1) };
    uint8_t *text = separator.text.here;

    if (separator.bytes > TN_SEPARATOR_HERE_BYTES) {
        separator.text.block = pool_take_block(ordered, separator.bytes);
        text = separator.text.block->text;
    }
    memcpy(text, right.at, separator.bytes);
    return separator;
}

static void separator_free(struct tn_ordered *ordered, struct tn_separator separator)
{
    if (separator.bytes > TN_SEPARATOR_HERE_BYTES)
        memory_give(ordered, separator.text.block, separator.text.block->block_bytes);
}

/* Birth and death */

struct tn_ordered *tn_ordered_new(struct tn_memory *memory, uint8_t *heap_base)
{
    struct tn_ordered *ordered = tn_memory_new(memory, sizeof *ordered, true);
    struct tn_leaf *leaf;

    if (ordered == NULL)
        return NULL;
    ordered->memory = memory;
    ordered->heap_base = heap_base;
    ordered->bytes = sizeof *ordered;
    leaf = memory_take(ordered, sizeof *leaf);
    if (leaf == NULL) {
        tn_memory_free(memory, ordered, sizeof *ordered);
        return NULL;
    }
    tn_leaf_init(leaf);
    ordered->root = leaf;
    return ordered;
}

/*
 * Free the last node that has no children any more: the way to it is short, so it is found anew each
 * time. The root comes last.
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
    memory_give(ordered, node,
                level == ordered->height ? sizeof(struct tn_leaf) : sizeof(struct tn_inner));
    if (parent == NULL) {
        ordered->root = NULL;
        return;
    }
    parent->count--;
    if (parent->count > 0)
        separator_free(ordered, tn_inner_separator(parent, parent->count - 1u));
}

bool tn_ordered_free_step(struct tn_ordered *ordered, uint64_t *budget_bytes)
{
    while (ordered->root != NULL) {
        uint64_t before_bytes = ordered->bytes;

        if (*budget_bytes == 0)
            return false;
        free_last_node(ordered);
        *budget_bytes -= tn_min(*budget_bytes, before_bytes - ordered->bytes);
    }
    pool_trim(ordered, 0, 0);
    if (ordered->spare_block != NULL)
        memory_give(ordered, ordered->spare_block, ordered->spare_block->block_bytes);
    tn_assert(ordered->bytes == sizeof *ordered);
    tn_memory_free(ordered->memory, ordered, sizeof *ordered);
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
    unsigned leaf_count = ordered->spare_leaf_count;
    unsigned inner_count = ordered->spare_inner_count;

    (void)key;
    if (ordered->height == 0 && root_leaf->count < TN_ORDERED_LEAF_SLOTS)
        return true;
    if (pool_fill(ordered, 1, inners_needed(ordered)) &&
        pool_fill_block(ordered, tn_max(key_bytes, ordered->key_bytes_max)))
        return true;
    pool_trim(ordered, leaf_count, inner_count);
    return false;
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
        right = pool_take_inner(ordered);
        separator = tn_inner_split(
            inner, right, appending ? TN_ORDERED_INNER_SLOTS - 1 : TN_ORDERED_INNER_SLOTS / 2);
        child = right;
    }
    root = pool_take_inner(ordered);
    tn_inner_init(root, ordered->root);
    tn_inner_insert(root, 0, separator, child);
    ordered->root = root;
    ordered->height++;
    tn_assert(ordered->height < TN_ORDERED_HEIGHT_MAX);
}

/*
 * Where to split an overfull leaf: in the middle, unless keys come in order. Then all up to the new key
 * stays behind, and the leaf goes on to fill; when it is full of them the new key starts a leaf. Memory
 * stays near the least there can be.
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
    struct tn_leaf *right = pool_take_leaf(ordered);
    struct tn_key left_last, right_first;
    bool appending;
    unsigned cut;

    tn_leaf_tidy(left, ordered->heap_base);
    cut = leaf_cut(left);
    appending = cut == left->count - 1u;
    tn_leaf_split(left, right, cut, ordered->heap_base);
    left_last = tn_key_of(ordered->heap_base, tn_leaf_handle(left, left->count - 1u));
    right_first = tn_key_of(ordered->heap_base, tn_leaf_handle(right, 0));
    tree_add_child(ordered, path, separator_make(ordered, left_last, right_first), right,
                   appending);
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

static void tree_give_inner(struct tn_ordered *ordered, struct tn_inner *inner)
{
    pool_add_inner(ordered, inner);
    pool_trim(ordered, SPARE_LEAVES_MAX, ordered->height + 1);
}

static void tree_give_leaf(struct tn_ordered *ordered, struct tn_leaf *leaf)
{
    pool_add_leaf(ordered, leaf);
    pool_trim(ordered, SPARE_LEAVES_MAX, ordered->height + 1);
}

static void tree_merge_inners(struct tn_ordered *ordered, struct tn_inner *parent, unsigned i)
{
    struct tn_inner *left = parent->children[i], *right = parent->children[i + 1];

    tn_inner_merge(left, tn_inner_remove(parent, i), right);
    tree_give_inner(ordered, right);
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
        tree_give_inner(ordered, root);
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
    tree_give_leaf(ordered, right);
    separator_free(ordered, tn_inner_remove(parent, i));
    tree_shrink(ordered, path);
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
    return ordered->bytes;
}

uint64_t tn_ordered_version(const struct tn_ordered *ordered)
{
    return ordered->version;
}
