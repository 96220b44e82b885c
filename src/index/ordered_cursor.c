/*
 * ordered_cursor.c - seeking and stepping in the ordered index; see ordered_tree.h for the rules
 */
#include "index/ordered_tree.h"

static tn_handle cursor_set(struct tn_ordered_cursor *cursor, struct tn_leaf *leaf, unsigned slot)
{
    cursor->leaf = leaf;
    cursor->slot = slot;
    return tn_leaf_handle(leaf, slot);
}

/*
 * Slot `slot` of the leaf, or the first behind it (T1: a leaf that has a neighbour is not empty).
 */
static tn_handle cursor_set_at_least(const struct tn_ordered *ordered,
                                     struct tn_ordered_cursor *cursor, struct tn_leaf *leaf,
                                     unsigned slot)
{
    if (slot < leaf->count)
        return cursor_set(cursor, leaf, slot);
    if (leaf->next == NULL)
        return TN_HANDLE_NONE;
    tn_leaf_tidy(leaf->next, ordered->heap_base);
    return cursor_set(cursor, leaf->next, 0);
}

/* The entry before slot `slot` of the leaf. */
static tn_handle cursor_set_before(const struct tn_ordered *ordered,
                                   struct tn_ordered_cursor *cursor, struct tn_leaf *leaf,
                                   unsigned slot)
{
    if (slot > 0)
        return cursor_set(cursor, leaf, slot - 1);
    if (leaf->previous == NULL)
        return TN_HANDLE_NONE;
    tn_leaf_tidy(leaf->previous, ordered->heap_base);
    return cursor_set(cursor, leaf->previous, leaf->previous->count - 1u);
}

static struct tn_leaf *tree_edge_leaf(const struct tn_ordered *ordered, bool last)
{
    void *node = ordered->root;
    unsigned level;

    for (level = 0; level < ordered->height; level++) {
        struct tn_inner *inner = node;

        node = inner->children[last ? inner->count - 1 : 0];
    }
    tn_leaf_tidy(node, ordered->heap_base);
    return node;
}

tn_handle tn_ordered_seek(struct tn_ordered *ordered, struct tn_ordered_cursor *cursor,
                          enum tn_ordered_seek how, const void *key, size_t key_bytes)
{
    bool after = how == TN_SEEK_AFTER || how == TN_SEEK_AT_MOST;
    bool back = how == TN_SEEK_AT_MOST || how == TN_SEEK_BEFORE;
    struct tn_key wanted = { key_bytes > 0 ? key : "", key_bytes };
    struct tn_path path;
    struct tn_leaf *leaf;
    unsigned slot;

    tn_ordered_flush(ordered); /* N5 */
    *cursor = (struct tn_ordered_cursor){ 0 };
    if (how == TN_SEEK_FIRST)
        return cursor_set_at_least(ordered, cursor, tree_edge_leaf(ordered, false), 0);
    if (how == TN_SEEK_LAST) {
        leaf = tree_edge_leaf(ordered, true);
        return cursor_set_before(ordered, cursor, leaf, leaf->count);
    }
    leaf = tn_ordered_descend(ordered, wanted, &path);
    tn_leaf_prefetch(leaf);
    tn_leaf_tidy(leaf, ordered->heap_base);
    slot = tn_leaf_search(leaf, ordered->heap_base, wanted,
                          tn_ordered_known_bytes(ordered, &path, leaf), after);
    return back ? cursor_set_before(ordered, cursor, leaf, slot)
                : cursor_set_at_least(ordered, cursor, leaf, slot);
}

/* Up to `room` handles of one leaf from `slot` on, in scan order. */
static size_t leaf_gather(const struct tn_leaf *leaf, unsigned slot, bool reverse, tn_handle *out,
                          size_t room)
{
    size_t count = tn_min(room, reverse ? slot + 1u : leaf->count - slot);
    size_t i;

    if (!reverse) {
        for (i = 0; i < count; i++)
            out[i] = tn_leaf_handle(leaf, slot + (unsigned)i);
    } else {
        for (i = 0; i < count; i++)
            out[i] = tn_leaf_handle(leaf, slot - (unsigned)i);
    }
    return count;
}

/* A slot of a cursor that has come to a leaf and not yet looked into it. */
#define SLOT_AT_EDGE UINT32_MAX

/* The leaf behind (or before) the cursor's; it is looked into only when something is wanted of it. */
static void cursor_leave_leaf(struct tn_ordered_cursor *cursor, bool reverse)
{
    struct tn_leaf *leaf = cursor->leaf;

    cursor->leaf = reverse ? leaf->previous : leaf->next;
    cursor->slot = SLOT_AT_EDGE;
}

size_t tn_ordered_gather(const struct tn_ordered *ordered, struct tn_ordered_cursor *cursor,
                         bool reverse, tn_handle *out, size_t room)
{
    size_t found = 0;

    while (found < room && cursor->leaf != NULL) {
        struct tn_leaf *leaf = cursor->leaf;
        size_t taken;

        if (cursor->slot == SLOT_AT_EDGE) {
            if (!reverse && leaf->next != NULL)
                tn_leaf_prefetch_all(leaf->next);
            tn_leaf_tidy(leaf, ordered->heap_base);
            cursor->slot = reverse ? leaf->count - 1u : 0;
        }
        taken = leaf_gather(leaf, cursor->slot, reverse, out + found, room - found);
        found += taken;
        if (reverse ? taken > cursor->slot : cursor->slot + taken == leaf->count)
            cursor_leave_leaf(cursor, reverse);
        else
            cursor->slot = (uint32_t)(reverse ? cursor->slot - taken : cursor->slot + taken);
    }
    return found;
}
