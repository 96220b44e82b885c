/*
 * test_checks.c - each _check() finds what it is there to find: damage is done, seen, and undone
 *
 * The model trusts these checks after each of its steps; here they earn it.
 */
#include "heap/class.h"
#include "index/ordered_tree.h"
#include "store/snapshot.h"

#include "store_fixture.h"

/* `place` becomes another value for as long as it takes to see that `sound` is not. */
#define DAMAGE(place, other, sound)                                                                \
    do {                                                                                           \
        __typeof__(place) kept = (place);                                                          \
        (place) = (__typeof__(kept))(other);                                                       \
        check(!(sound));                                                                           \
        (place) = kept;                                                                            \
        check(sound);                                                                              \
    } while (0)

static void fill(struct fixture *f, uint64_t count)
{
    uint64_t i;

    for (i = 0; i < count; i++)
        check_ok(tarn_put(f->table, &i, sizeof i, &i, sizeof i));
}

/* ---- heap ------------------------------------------------------------------------------------ */

static bool heap_is_sound(const struct fixture *f)
{
    return tn_heap_check(&f->store->heap, &f->table->body->owner);
}

/* A listed chunk with a free slot in its first word, and used ones. */
static struct heap_chunk *chunk_with_room(const struct heap_class *class)
{
    struct heap_chunk *chunk = class->all;

    while (chunk != NULL && (chunk->next == NULL || chunk->free_bits[0] == 0))
        chunk = chunk->next_all;
    return chunk;
}

static struct heap_chunk *full_chunk(const struct heap_class *class)
{
    struct heap_chunk *chunk = class->all;

    while (chunk != NULL && chunk->free_count != 0)
        chunk = chunk->next_all;
    return chunk;
}

static void damage_to_a_chunk_is_found(void)
{
    struct heap_class *class;
    struct heap_chunk *chunk, *full;
    struct fixture f;
    uint64_t key;

    fixture_open(&f, NULL, 0);
    fill(&f, 5000);
    for (key = 0; key < 20; key++)
        check_ok(tarn_delete(f.table, &key, sizeof key));
    class = &f.table->body->owner.classes[0];
    chunk = chunk_with_room(class);
    full = full_chunk(class);
    check(heap_is_sound(&f) && chunk != NULL && full != NULL);
    if (chunk != NULL && full != NULL) {
        DAMAGE(chunk->hint_word, 1, heap_is_sound(&f));
        DAMAGE(chunk->owner, NULL, heap_is_sound(&f));
        DAMAGE(chunk->first, full->first, heap_is_sound(&f));
        DAMAGE(chunk->slot_granules, chunk->slot_granules + 1, heap_is_sound(&f));
        DAMAGE(chunk->free_count, chunk->free_count + 1, heap_is_sound(&f));
        DAMAGE(chunk->free_bits[0], chunk->free_bits[0] & (chunk->free_bits[0] - 1),
               heap_is_sound(&f));
        DAMAGE(chunk->level_first, chunk->free_count + 1, heap_is_sound(&f));
        DAMAGE(chunk->next, NULL, heap_is_sound(&f));
        DAMAGE(full->next, full, heap_is_sound(&f));
        DAMAGE(class->levels[chunk->level], NULL, heap_is_sound(&f));
    }
    fixture_close(&f);
}

static void damage_to_the_sums_of_a_heap_is_found(void)
{
    static uint8_t large[300000];
    struct tn_heap_owner *owner;
    struct heap_class *class;
    struct fixture f;

    fixture_open(&f, NULL, 0);
    fill(&f, 5000);
    check_ok(tarn_put(f.table, "large", 5, large, sizeof large));
    check_ok(tarn_delete(f.table, "\0\0\0\0\0\0\0\0", 8));
    owner = &f.table->body->owner;
    class = &owner->classes[0];
    check(heap_is_sound(&f) && owner->large != NULL);
    DAMAGE(class->chunk_bytes, class->chunk_bytes + 1, heap_is_sound(&f));
    DAMAGE(class->slot_count, class->slot_count + 1, heap_is_sound(&f));
    DAMAGE(class->free_count, class->free_count + 1, heap_is_sound(&f));
    DAMAGE(class->current, NULL, heap_is_sound(&f));
    DAMAGE(class->current, full_chunk(class), heap_is_sound(&f));
    DAMAGE(owner->large->owner, NULL, heap_is_sound(&f));
    DAMAGE(owner->large->first, class->all->first, heap_is_sound(&f));
    DAMAGE(owner->large->committed_bytes, 4096, heap_is_sound(&f));
    DAMAGE(owner->chunk_bytes, owner->chunk_bytes + 1, heap_is_sound(&f));
    DAMAGE(f.store->heap.used_bytes, 1, heap_is_sound(&f));
    fixture_close(&f);
}

/* ---- hash index ------------------------------------------------------------------------------ */

static void damage_to_a_hash_index_is_found(void)
{
    struct tn_index *index;
    uint64_t *bucket;
    struct fixture f;
    uint32_t slot;

    fixture_open(&f, NULL, 0);
    fill(&f, 800); /* in its small form, at rest */
    index = &f.table->index;
    check(tn_index_check(index) && !tn_index_is_moving(index));
    bucket = index->buckets;
    while (index_taken(bucket[0]) == 0) /* the store's secret may leave it empty */
        bucket += TN_BUCKET_WORDS;
    slot = (uint32_t)__builtin_ctz(index_taken(bucket[0]));
    DAMAGE(index->boundary, 1, tn_index_check(index));
    DAMAGE(index->entry_count, index->entry_count + 1, tn_index_check(index));
    DAMAGE(bucket[0], bucket[0] + ((uint64_t)1 << 56), tn_index_check(index));
    DAMAGE(bucket[0], bucket[0] & ~((uint64_t)0xFF << (8 * slot)), tn_index_check(index));
    DAMAGE(bucket[1 + slot], bucket[1 + slot] | 0xFFFFFF, tn_index_check(index)); /* not its home */
    bucket = index->buckets + (index->counts[1] - 1) * (uint64_t)TN_BUCKET_WORDS;
    while (index_taken(bucket[0]) == 0)
        bucket -= TN_BUCKET_WORDS;
    slot = (uint32_t)__builtin_ctz(index_taken(bucket[0]));
    DAMAGE(bucket[1 + slot], bucket[1 + slot] & ~(uint64_t)0xFFFFFF, tn_index_check(index));
    fixture_close(&f);
}

/* ---- ordered index --------------------------------------------------------------------------- */

static bool order_is_sound(const struct fixture *f)
{
    return tn_ordered_check(f->table->ordered);
}

/* Keys that are long and alike, so that nodes have prefixes and separators have texts. */
static void fill_with_prefix(struct fixture *f, int count)
{
    char key[80];
    int i;

    for (i = 0; i < count; i++) {
        snprintf(key, sizeof key, "%040d/%08d", 7, i);
        check_ok(put_text(f->table, key, "value"));
    }
}

static struct tn_leaf *first_leaf(const struct tn_ordered *ordered)
{
    void *node = ordered->root;
    unsigned level;

    for (level = 0; level < ordered->height; level++)
        node = ((struct tn_inner *)node)->children[0];
    return node;
}

static void damage_to_a_leaf_is_found(void)
{
    struct tn_ordered *ordered;
    struct tn_leaf *leaf;
    struct fixture f;
    tn_handle handle;

    fixture_open(&f, NULL, 0);
    fill_with_prefix(&f, 3000);
    ordered = f.table->ordered;
    leaf = first_leaf(ordered)->next;
    check(order_is_sound(&f) && ordered->height > 0 && leaf != NULL && leaf->count > 4);
    DAMAGE(leaf->heads[1], leaf->heads[1] + 1, order_is_sound(&f));
    DAMAGE(leaf->heads[leaf->count], 0, order_is_sound(&f));
    DAMAGE(leaf->sorted_count, leaf->count + 1u, order_is_sound(&f));
    DAMAGE(leaf->prefix_bytes, 60000, order_is_sound(&f));
    DAMAGE(leaf->previous, NULL, order_is_sound(&f));
    DAMAGE(leaf->next->previous, NULL, order_is_sound(&f));
    handle = tn_leaf_handle(leaf, 1);
    tn_leaf_set_handle(leaf, 1, tn_leaf_handle(leaf, 2)); /* a key twice */
    check(!order_is_sound(&f));
    tn_leaf_set_handle(leaf, 1, tn_leaf_handle(leaf->next, 1)); /* of another leaf */
    check(!order_is_sound(&f));
    tn_leaf_set_handle(leaf, 1, handle);
    check(order_is_sound(&f));
    DAMAGE(leaf->count, leaf->count - 1u, order_is_sound(&f));
    DAMAGE(leaf->count, TN_ORDERED_LEAF_SLOTS + 1u, order_is_sound(&f));
    fixture_close(&f);
}

static void damage_to_an_inner_node_is_found(void)
{
    struct tn_ordered *ordered;
    struct tn_inner *inner;
    struct fixture f;
    void *child;

    fixture_open(&f, NULL, 0);
    fill_with_prefix(&f, 3000);
    ordered = f.table->ordered;
    inner = ordered->root;
    check(order_is_sound(&f) && ordered->height > 0 && inner->count > 3);
    DAMAGE(inner->count, 1u, order_is_sound(&f));
    DAMAGE(inner->heads[0], inner->heads[0] + 1, order_is_sound(&f));
    DAMAGE(inner->heads[tn_inner_separators(inner)], 0, order_is_sound(&f));
    DAMAGE(inner->texts[0], inner->texts[1], order_is_sound(&f));
    DAMAGE(inner->prefix_bytes, 60000, order_is_sound(&f));
    child = inner->children[0];
    inner->children[0] = inner->children[1];
    inner->children[1] = child;
    check(!order_is_sound(&f)); /* leaves out of their order, between the wrong separators */
    inner->children[1] = inner->children[0];
    inner->children[0] = child;
    check(order_is_sound(&f));
    fixture_close(&f);
}

static void damage_to_the_sums_of_an_order_is_found(void)
{
    struct tn_ordered *ordered;
    struct fixture f;

    fixture_open(&f, NULL, 0);
    fill_with_prefix(&f, 3000);
    ordered = f.table->ordered;
    DAMAGE(ordered->count, ordered->count + 1, order_is_sound(&f));
    DAMAGE(ordered->pool.bytes, ordered->pool.bytes + 1, order_is_sound(&f));
    DAMAGE(ordered->pool.leaf_count, ordered->pool.leaf_count + 1, order_is_sound(&f));
    DAMAGE(ordered->pool.inner_count, ordered->pool.inner_count + 1, order_is_sound(&f));
    fixture_close(&f);
}

/* ---- snapshots ------------------------------------------------------------------------------- */

static void damage_to_snapshots_is_found(void)
{
    tarn_snapshot *older, *newer;
    struct tn_undo *undo;
    tarn_table *ghost;
    struct fixture f;
    struct tn_lookup lookup;
    struct tn_record *record;
    uint64_t key = 3, fresh = 5000;

    fixture_open(&f, NULL, 0);
    fill(&f, 100);
    check_ok(tarn_snapshot_take(&older, f.store));
    check_ok(tarn_delete(f.table, &key, sizeof key));
    check_ok(tarn_snapshot_take(&newer, f.store));
    key = 4;
    check_ok(tarn_put(f.table, &key, sizeof key, "other", 5));
    check_ok(tarn_put(f.table, &fresh, sizeof fresh, "new", 3));
    check(tn_snapshots_check(f.store));
    undo = newer->undos;
    check(undo != NULL && f.store->snapshots == newer && newer->older == older);
    DAMAGE(undo->tick, undo->tick + 1, tn_snapshots_check(f.store));
    DAMAGE(undo->entry_count, undo->entry_count + 1, tn_snapshots_check(f.store));
    DAMAGE(undo->entry_bytes, undo->entry_bytes + 1, tn_snapshots_check(f.store));
    DAMAGE(undo->bytes, undo->bytes + 1, tn_snapshots_check(f.store));
    DAMAGE(undo->snapshot, older, tn_snapshots_check(f.store));
    DAMAGE(undo->source, NULL, tn_snapshots_check(f.store));
    DAMAGE(undo->source->born_tick, newer->tick + 1, tn_snapshots_check(f.store));
    DAMAGE(f.table->undos, undo->older, tn_snapshots_check(f.store));
    DAMAGE(undo->old->index.entry_count, 77, tn_snapshots_check(f.store));
    DAMAGE(undo->old->ordered->count, 77, tn_snapshots_check(f.store));
    DAMAGE(undo->old->body->owner.chunk_bytes, 77, tn_snapshots_check(f.store));
    DAMAGE(newer->tick, f.store->tick, tn_snapshots_check(f.store));
    DAMAGE(older->newer, NULL, tn_snapshots_check(f.store));
    DAMAGE(newer->state, TN_SNAPSHOT_LEAVING, tn_snapshots_check(f.store));
    DAMAGE(newer->failure, "a reason", tn_snapshots_check(f.store));
    DAMAGE(newer->released, true, tn_snapshots_check(f.store));
    DAMAGE(newer->undo_bytes, 77, tn_snapshots_check(f.store));
    /* A record that is kept, and yet as the snapshot saw it. */
    (void)tn_table_find_any(f.table, &key, sizeof key, &lookup);
    record = tn_record_at(f.table->base, lookup.handle);
    DAMAGE(record->tick, (uint32_t)newer->tick, tn_snapshots_check(f.store));
    check_ok(tarn_table_clear(f.table));
    ghost = newer->ghosts;
    check(tn_snapshots_check(f.store) && ghost != NULL);
    if (ghost != NULL) {
        DAMAGE(ghost->died_tick, newer->tick, tn_snapshots_check(f.store));
        DAMAGE(ghost->born_tick, newer->tick + 1, tn_snapshots_check(f.store));
        newer->ghosts = NULL; /* S7: it belongs to the newest that sees it */
        older->ghosts = ghost;
        check(!tn_snapshots_check(f.store));
        older->ghosts = NULL;
        newer->ghosts = ghost;
    }
    check_ok(tarn_snapshot_release(newer));
    check_ok(tarn_snapshot_release(older));
    fixture_close(&f);
}

static const struct test tests[] = {
    T(damage_to_a_chunk_is_found),       T(damage_to_the_sums_of_a_heap_is_found),
    T(damage_to_a_hash_index_is_found),  T(damage_to_a_leaf_is_found),
    T(damage_to_an_inner_node_is_found), T(damage_to_the_sums_of_an_order_is_found),
    T(damage_to_snapshots_is_found),
};

TEST_MAIN(tests)
