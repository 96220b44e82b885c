/*
 * ordered.c - the ordered index: reserve, insert, remove, move; see ordered_tree.h and
 * ordered_pending.h for the rules
 */
#include "index/ordered_tree.h"

/* Spare leaves kept for later (T4). */
#define SPARE_LEAVES_MAX 2u

/* ---- birth and death ------------------------------------------------------------------------- */

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
    ordered->root = ordered->last_leaf = leaf;
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
    tn_memory_free(ordered->pool.memory, ordered->pending, sizeof *ordered->pending);
    tn_memory_free(ordered->pool.memory, ordered, sizeof *ordered);
    return true;
}

void tn_ordered_free(struct tn_ordered *ordered)
{
    uint64_t unlimited_bytes = UINT64_MAX;

    if (ordered != NULL)
        (void)tn_ordered_free_step(ordered, &unlimited_bytes);
}

/* ---- pending changes ------------------------------------------------------------------------- */

/* Descend with all of these at once, level by level. */
static void descend_together(const struct tn_ordered *ordered, const struct tn_key *keys,
                             unsigned count, struct tn_path *paths, void **nodes)
{
    uint64_t heads[TN_PENDING_MAX];
    unsigned level, i;

    for (i = 0; i < count; i++) {
        nodes[i] = ordered->root;
        heads[i] = tn_key_head(keys[i].at, keys[i].bytes);
    }
    for (level = 0; level < ordered->height; level++) {
        for (i = 0; i < count && level > 0; i++)
            tn_inner_prefetch_for(nodes[i], heads[i]);
        for (i = 0; i < count; i++) {
            nodes[i] = tn_ordered_step_down(&paths[i], level, nodes[i], keys[i], heads[i]);
            if (level + 1 < ordered->height)
                tn_inner_prefetch(nodes[i]);
            else
                tn_leaf_prefetch_handles(nodes[i]);
        }
    }
}

/* N2: removes and moves. Answers for which of them a leaf may have to be merged: a bit each. */
static unsigned flush_changes(struct tn_ordered *ordered, struct tn_pending *pending,
                              struct tn_path *paths)
{
    struct tn_key keys[TN_PENDING_MAX];
    void *nodes[TN_PENDING_MAX] = { 0 };
    unsigned low = 0, i, slot;

    for (i = 0; i < pending->change_count; i++)
        keys[i] = tn_pending_key(pending, i);
    descend_together(ordered, keys, pending->change_count, paths, nodes);
    for (i = 0; i < pending->change_count; i++) {
        const struct tn_change *change = &pending->changes[i];
        struct tn_leaf *leaf = nodes[i];

        tn_assert(leaf != NULL); /* each descent has ended */
        slot = tn_leaf_find(leaf, change->from);
        if (change->to != TN_HANDLE_NONE) {
            tn_leaf_set_handle(leaf, slot, change->to);
            continue;
        }
        tn_leaf_remove(leaf, slot);
        low |= (unsigned)tn_leaf_is_low(leaf) << i;
    }
    return low;
}

/* The leaves that became low: others may have been merged with them meanwhile, or filled. */
static void flush_merges(struct tn_ordered *ordered, struct tn_pending *pending, unsigned low)
{
    struct tn_path path;

    for (; low != 0; low &= low - 1) {
        struct tn_key key = tn_pending_key(pending, (unsigned)__builtin_ctz(low));
        const struct tn_leaf *leaf = tn_ordered_descend(ordered, key, &path);

        if (tn_leaf_live(leaf) < TN_LEAF_LOW && ordered->height > 0)
            tn_tree_merge_leaf(ordered, &path);
    }
}

/* A split ends the paths of those that come after; they are found anew, in nodes just read. */
static void flush_inserts(struct tn_ordered *ordered, struct tn_pending *pending,
                          struct tn_path *paths)
{
    struct tn_key keys[TN_PENDING_MAX];
    void *nodes[TN_PENDING_MAX];
    unsigned spare_count = ordered->pool.leaf_count, i;

    for (i = 0; i < pending->insert_count; i++)
        keys[i] = tn_key_of(ordered->heap_base, pending->inserts[i]);
    descend_together(ordered, keys, pending->insert_count, paths, nodes);
    for (i = 0; i < pending->insert_count; i++)
        tn_leaf_prefetch_end(nodes[i]);
    for (i = 0; i < pending->insert_count; i++) {
        if (ordered->pool.leaf_count != spare_count)
            nodes[i] = tn_ordered_descend(ordered, keys[i], &paths[i]);
        tn_tree_insert(ordered, &paths[i], nodes[i], keys[i], pending->inserts[i]);
    }
}

/* T4 */
static void tree_trim_pool(struct tn_ordered *ordered)
{
    unsigned insert_count = tn_ordered_insert_count(ordered) + 1;
    unsigned inner_count = tn_tree_inners_needed(ordered, insert_count);

    tn_pool_trim(&ordered->pool, (unsigned)tn_max(SPARE_LEAVES_MAX, insert_count),
                 (unsigned)tn_max(ordered->height + 1, inner_count));
}

static __attribute__((noinline)) void flush_pending(struct tn_ordered *ordered)
{
    struct tn_pending *pending = ordered->pending;
    struct tn_path paths[TN_PENDING_MAX];
    unsigned low = 0;

    if (pending->change_count > 0)
        low = flush_changes(ordered, pending, paths);
    if (pending->insert_count > 0)
        flush_inserts(ordered, pending, paths);
    flush_merges(ordered, pending, low);
    tn_pending_clear(pending);
    if (low != 0)
        tree_trim_pool(ordered);
    ordered->covered_count = 0;
}

void tn_ordered_flush(struct tn_ordered *ordered)
{
    const struct tn_pending *pending = ordered->pending;

    if (pending != NULL && (pending->insert_count | pending->change_count) != 0)
        flush_pending(ordered);
}

/* ---- insert ---------------------------------------------------------------------------------- */

/* N6: from a certain size on. If there is no memory for it, changes go on being made at once. */
static void pending_start(struct tn_ordered *ordered)
{
    ordered->pending = tn_memory_new(ordered->pool.memory, sizeof *ordered->pending, false);
    if (ordered->pending != NULL)
        tn_pending_clear(ordered->pending);
}

/* T3, for `insert_count` inserts. */
static bool reserve_inserts(struct tn_ordered *ordered, unsigned insert_count, size_t key_bytes)
{
    const struct tn_leaf *root_leaf = ordered->root;

    if (ordered->height == 0 && root_leaf->count + insert_count <= TN_ORDERED_LEAF_SLOTS)
        return true;
    return tn_pool_fill(&ordered->pool, insert_count, tn_tree_inners_needed(ordered, insert_count),
                        tn_max(key_bytes, ordered->key_bytes_max));
}

/*
 * T3: for how many inserts the spares suffice, as it is for `insert_count`: so that few inserts
 * must ask.
 */
static unsigned covered_by_spares(const struct tn_ordered *ordered, unsigned insert_count,
                                  size_t key_bytes)
{
    unsigned count = (unsigned)tn_min(ordered->pool.leaf_count, TN_PENDING_MAX);

    while (count > insert_count &&
           !tn_pool_is_filled(&ordered->pool, count, tn_tree_inners_needed(ordered, count),
                              tn_max(key_bytes, ordered->key_bytes_max)))
        count--;
    return (unsigned)tn_max(count, insert_count);
}

/* Nodes for all that is pending and one more; if they cannot be had, then for one more. */
static __attribute__((noinline)) bool reserve_more(struct tn_ordered *ordered, size_t key_bytes)
{
    unsigned insert_count = tn_ordered_insert_count(ordered) + 1;

    if (!reserve_inserts(ordered, insert_count, key_bytes)) {
        if (insert_count == 1)
            return false;
        tn_ordered_flush(ordered);
        insert_count = 1;
        if (!reserve_inserts(ordered, insert_count, key_bytes))
            return false;
    }
    if (ordered->pending == NULL && ordered->count >= TN_PENDING_KEYS_MIN)
        pending_start(ordered);
    if (ordered->height > 0)
        ordered->covered_count = covered_by_spares(ordered, insert_count, key_bytes);
    return true;
}

bool tn_ordered_reserve(struct tn_ordered *ordered, const void *key, size_t key_bytes)
{
    (void)key;
    if (TN_LIKELY(tn_ordered_insert_count(ordered) < ordered->covered_count &&
                  key_bytes <= ordered->key_bytes_max))
        return true;
    return reserve_more(ordered, key_bytes);
}

static void insert_now(struct tn_ordered *ordered, struct tn_key key, tn_handle handle)
{
    unsigned spare_count = ordered->pool.leaf_count;
    struct tn_path path;
    struct tn_leaf *leaf = tn_ordered_descend(ordered, key, &path);

    tn_tree_insert(ordered, &path, leaf, key, handle);
    if (ordered->pool.leaf_count != spare_count)
        ordered->covered_count = 0;
}

void tn_ordered_insert(struct tn_ordered *ordered, tn_handle handle)
{
    struct tn_key key = tn_key_of(ordered->heap_base, handle);
    uint64_t head = tn_key_head(key.at, key.bytes);
    struct tn_pending *pending = ordered->pending;

    ordered->key_bytes_max = tn_max(ordered->key_bytes_max, key.bytes);
    ordered->count++;
    ordered->version++;
    if ((pending == NULL || pending->change_count == 0) && /* N2 */
        tn_leaf_is_behind(ordered->last_leaf, head)) {     /* T7 */
        if (TN_LIKELY(ordered->last_leaf->count < TN_ORDERED_LEAF_SLOTS))
            tn_leaf_append(ordered->last_leaf, head, handle);
        else
            insert_now(ordered, key, handle);
        return;
    }
    if (pending == NULL) {
        insert_now(ordered, key, handle);
        return;
    }
    pending->inserts[pending->insert_count++] = handle;
    if (pending->insert_count == TN_PENDING_MAX)
        flush_pending(ordered);
}

/* ---- remove and move ------------------------------------------------------------------------- */

/* `to` NONE: remove. */
static void change_now(struct tn_ordered *ordered, struct tn_key key, tn_handle from, tn_handle to)
{
    struct tn_path path;
    struct tn_leaf *leaf = tn_ordered_descend(ordered, key, &path);
    unsigned slot = tn_leaf_find(leaf, from);

    if (to != TN_HANDLE_NONE) {
        tn_leaf_set_handle(leaf, slot, to);
        return;
    }
    tn_leaf_remove(leaf, slot);
    if (tn_leaf_is_low(leaf) && ordered->height > 0) {
        tn_tree_merge_leaf(ordered, &path);
        tree_trim_pool(ordered);
        ordered->covered_count = 0;
    }
}

static void change(struct tn_ordered *ordered, tn_handle from, tn_handle to)
{
    struct tn_key key = tn_key_of(ordered->heap_base, from);
    struct tn_pending *pending = ordered->pending;
    unsigned i;

    ordered->version++;
    if (pending == NULL) {
        change_now(ordered, key, from, to);
        return;
    }
    i = tn_pending_find_insert(pending, from);
    if (i < pending->insert_count) { /* N3 */
        pending->inserts[i] = to != TN_HANDLE_NONE ? to : pending->inserts[--pending->insert_count];
        return;
    }
    if (tn_pending_note(pending, key, from, to))
        return;
    flush_pending(ordered);
    if (!tn_pending_note(pending, key, from, to))
        change_now(ordered, key, from, to);
}

void tn_ordered_remove(struct tn_ordered *ordered, tn_handle handle)
{
    ordered->count--;
    change(ordered, handle, TN_HANDLE_NONE);
}

void tn_ordered_move(struct tn_ordered *ordered, tn_handle old, tn_handle new_handle)
{
    change(ordered, old, new_handle);
}

uint64_t tn_ordered_count(const struct tn_ordered *ordered)
{
    return ordered->count;
}

uint64_t tn_ordered_bytes(const struct tn_ordered *ordered)
{
    return sizeof *ordered + ordered->pool.bytes +
           (ordered->pending != NULL ? sizeof *ordered->pending : 0);
}

const uint64_t *tn_ordered_version(const struct tn_ordered *ordered)
{
    return &ordered->version;
}
