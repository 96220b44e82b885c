/*
 * ordered_check.c - every invariant of the ordered index, slowly
 *
 * Walks the tree in key order, without recursion, and compares what nodes say with what records
 * say.
 */
#include "index/ordered_tree.h"

struct walk {
    const struct tn_ordered *ordered;
    struct tn_path path; /* children: the one the walk is in */
    const struct tn_leaf *last_leaf;
    uint64_t count;
    uint64_t bytes;
};

/* L2, L3: a key against its prefix and head. `owner` has the prefix. */
static bool head_is_right(struct tn_key key, struct tn_key owner, size_t prefix_bytes,
                          uint64_t head)
{
    return key.bytes >= prefix_bytes && tn_key_order_prefix(key, owner, prefix_bytes) == 0 &&
           tn_key_head_after(key, prefix_bytes) == head;
}

static bool heads_are_cleared(const uint64_t *heads, unsigned first, unsigned end)
{
    while (first < end && heads[first] == TN_HEAD_NONE)
        first++;
    return first >= end;
}

/* The key that the tree knows by this handle: of its record, or, once that may be gone, a copy (N2). */
static struct tn_key key_known_by(const struct walk *walk, tn_handle handle)
{
    const struct tn_pending *pending = walk->ordered->pending;
    unsigned i;

    for (i = 0; pending != NULL && i < pending->change_count; i++) {
        if (pending->changes[i].from == handle)
            return tn_pending_key(pending, i);
    }
    return tn_key_of(walk->ordered->heap_base, handle);
}

static unsigned leaf_first_live(const struct tn_leaf *leaf)
{
    unsigned slot = 0;

    while (slot < leaf->count && tn_leaf_handle(leaf, slot) == TN_HANDLE_NONE)
        slot++;
    return slot;
}

/* The key, of the leaf the walk is in, lies between the separators left and right of its path. */
static bool key_is_between_separators(const struct walk *walk, struct tn_key key)
{
    unsigned level;

    for (level = 0; level < walk->ordered->height; level++) {
        const struct tn_inner *inner = walk->path.inners[level];
        unsigned i = walk->path.children[level];

        tn_assert(inner != NULL); /* the path is as long as the tree is high */
        if (i > 0 && tn_key_order(tn_inner_key(inner, i - 1), key) > 0)
            return false;
        if (i + 1u < inner->count && tn_key_order(key, tn_inner_key(inner, i)) >= 0)
            return false;
    }
    return true;
}

/* L1 */
static bool leaf_counts_are_right(const struct tn_leaf *leaf)
{
    unsigned hole_count = 0, i;

    if (leaf->sorted_count > leaf->count || leaf->count > TN_ORDERED_LEAF_SLOTS)
        return false;
    if (leaf->count == 0 && leaf->prefix_bytes != 0)
        return false;
    for (i = 0; i < leaf->count; i++)
        hole_count += tn_leaf_handle(leaf, i) == TN_HANDLE_NONE;
    return hole_count == leaf->hole_count && (leaf->count == 0 || hole_count < leaf->count);
}

/* L1 to L3 */
static bool leaf_entries_are_right(const struct walk *walk, const struct tn_leaf *leaf)
{
    struct tn_key owner = { 0 }, before = { 0 };
    unsigned first, i;

    if (!leaf_counts_are_right(leaf))
        return false;
    first = leaf_first_live(leaf);
    for (i = first; i < leaf->count; i++) {
        struct tn_key key;

        if (tn_leaf_handle(leaf, i) == TN_HANDLE_NONE)
            continue;
        key = key_known_by(walk, tn_leaf_handle(leaf, i));
        owner = i == first ? key : owner;
        tn_assert(owner.at != NULL); /* the first live slot has a key */
        if (!head_is_right(key, owner, leaf->prefix_bytes, leaf->heads[i]))
            return false;
        if (!key_is_between_separators(walk, key))
            return false;
        if (i > first && i < leaf->sorted_count && tn_key_order(before, key) >= 0)
            return false;
        before = key;
    }
    return true;
}

static bool leaf_is_right(struct walk *walk, const struct tn_leaf *leaf)
{
    if (!leaf_entries_are_right(walk, leaf))
        return false;
    if (leaf->count == 0 && walk->ordered->height > 0) /* T1 */
        return false;
    if (leaf->previous != walk->last_leaf ||
        (walk->last_leaf != NULL && walk->last_leaf->next != leaf))
        return false;
    if (!heads_are_cleared(leaf->heads, leaf->count, TN_HEADS_COUNT))
        return false;
    walk->last_leaf = leaf;
    walk->count += tn_leaf_live(leaf);
    walk->bytes += sizeof *leaf;
    return true;
}

/* I5 */
static bool inner_ends_are_right(const struct tn_inner *inner)
{
    unsigned i = 0;

    while (i < TN_HEAD_ENDS_COUNT && inner->ends[i] == inner->heads[16 * i + 15])
        i++;
    return i == TN_HEAD_ENDS_COUNT;
}

/* I1 to I3 */
static bool inner_is_right(struct walk *walk, const struct tn_inner *inner)
{
    unsigned i;

    if (inner->count < 2 || tn_inner_separators(inner) > TN_ORDERED_INNER_SLOTS)
        return false;
    if (!heads_are_cleared(inner->heads, tn_inner_separators(inner), TN_HEADS_COUNT))
        return false;
    if (!inner_ends_are_right(inner))
        return false;
    walk->bytes += sizeof *inner;
    for (i = 0; i < tn_inner_separators(inner); i++) {
        struct tn_key key = tn_inner_key(inner, i);

        if (!head_is_right(key, tn_inner_key(inner, 0), inner->prefix_bytes, inner->heads[i]))
            return false;
        if (i > 0 && tn_key_order(tn_inner_key(inner, i - 1), key) >= 0)
            return false;
        if (key.bytes > TN_SEPARATOR_HERE_BYTES)
            walk->bytes += inner->texts[i].block->block_bytes;
    }
    return true;
}

/* Go on to the leftmost leaf under `node`, which is at `level`. NULL: an inner node is wrong. */
static const struct tn_leaf *walk_down(struct walk *walk, void *node, unsigned level)
{
    for (; level < walk->ordered->height; level++) {
        struct tn_inner *inner = node;

        if (!inner_is_right(walk, inner))
            return NULL;
        walk->path.inners[level] = inner;
        walk->path.children[level] = 0;
        node = inner->children[0];
    }
    return node;
}

/*
 * Go up as long as the walk is in a last child, then one child to the right. False: that was all.
 */
static bool walk_to_next_child(struct walk *walk, unsigned *level)
{
    *level = walk->ordered->height;
    while (*level > 0) {
        unsigned above = *level - 1;

        if (walk->path.children[above] + 1u < walk->path.inners[above]->count) {
            walk->path.children[above]++;
            return true;
        }
        *level = above;
    }
    return false;
}

/* P1 */
static bool pool_is_right(struct walk *walk)
{
    const struct tn_pool *pool = &walk->ordered->pool;
    const struct tn_leaf *leaf = pool->leaves;
    const struct tn_inner *inner = pool->inners;
    const struct tn_separator_block *block = pool->blocks;
    unsigned leaf_count = 0, inner_count = 0, block_count = 0;

    for (; leaf != NULL; leaf = leaf->next)
        leaf_count++;
    for (; inner != NULL; inner = inner->children[0])
        inner_count++;
    walk->bytes += leaf_count * sizeof *leaf + inner_count * sizeof *inner;
    for (; block != NULL; block = tn_pool_next_block(block), block_count++) {
        walk->bytes += block->block_bytes;
        if (block->block_bytes < sizeof *block + pool->text_bytes_max) /* P4 */
            return false;
    }
    return leaf_count == pool->leaf_count && inner_count == pool->inner_count &&
           block_count == pool->block_count && walk->bytes == pool->bytes;
}

/* N4: what is pending can be done. */
static bool pending_is_right(struct walk *walk)
{
    const struct tn_ordered *ordered = walk->ordered;
    const struct tn_pending *pending = ordered->pending;
    const struct tn_leaf *root_leaf = ordered->root;
    unsigned i;

    if (pending == NULL)
        return true;
    if (pending->insert_count >= TN_PENDING_MAX || pending->change_count > TN_PENDING_MAX)
        return false;
    walk->count += pending->insert_count;
    for (i = 0; i < pending->change_count; i++)
        walk->count -= pending->changes[i].to == TN_HANDLE_NONE;
    if (ordered->height == 0 && root_leaf->count + pending->insert_count <= TN_ORDERED_LEAF_SLOTS)
        return true;
    return pending->insert_count == 0 ||
           tn_pool_is_filled(&ordered->pool, pending->insert_count,
                             tn_tree_inners_needed(ordered, pending->insert_count),
                             ordered->key_bytes_max);
}

bool tn_ordered_check(const struct tn_ordered *ordered)
{
    struct walk walk = {
        .ordered = ordered,
    };
    void *node = ordered->root;
    unsigned level = 0;

    for (;;) {
        const struct tn_leaf *leaf = walk_down(&walk, node, level);

        if (leaf == NULL || !leaf_is_right(&walk, leaf))
            return false;
        if (!walk_to_next_child(&walk, &level))
            break;
        node = walk.path.inners[level - 1]->children[walk.path.children[level - 1]];
    }
    return walk.last_leaf->next == NULL && walk.last_leaf == ordered->last_leaf &&
           pool_is_right(&walk) && pending_is_right(&walk) && walk.count == ordered->count;
}
