/*
 * hash_index.c - changing the hash index; see hash_index.h for the picture and the rules
 *
 * A small index (up to TN_SMALL_BUCKETS_MAX homes) is one allocated block, and is grown and shrunk
 * by building another. A larger one is an array of mapped pages inside address space reserved for
 * many times its size (once that is used up, it is built anew, too), and is grown and shrunk in
 * place, a few buckets per write:
 *
 *     at rest --load > 4/5--> growing --last bucket moved--> at rest     [index_grow, hash_move.c]
 *     at rest --load < 1/3--> shrinking --last bucket moved--> at rest   [tn_index_shrink, hash_move.c]
 *
 * While growing, at most count/8 inserts pass (8 buckets move for each), so the load stays under
 * 0.82.
 */
#include "index/hash_parts.h"

void tn_index_over_add(uint64_t *home, uint64_t *bucket)
{
    for (; home < bucket; home += TN_BUCKET_WORDS) {
        if (bucket_over(home) != 255)
            home[0] += (uint64_t)1 << 56;
    }
}

void tn_index_over_subtract(uint64_t *home, uint64_t *bucket, uint64_t entries)
{
    for (; home < bucket; home += TN_BUCKET_WORDS) {
        if (bucket_over(home) != 255)
            home[0] -= entries << 56;
    }
}

/* ---- building another array ------------------------------------------------------------------ */

static bool index_copy_entries(struct tn_index *to, const struct tn_index *from)
{
    const struct tn_index array = *to; /* which, as the compiler knows, no store below changes */
    size_t buckets = tn_max(from->counts[0], from->counts[1]) + from->slack, i;

    for (i = 0; i < buckets; i++) {
        const uint64_t *bucket = from->buckets + i * TN_BUCKET_WORDS;
        uint32_t taken;

        for (taken = index_taken(bucket[0]); taken != 0; taken &= taken - 1) {
            size_t slot = (size_t)__builtin_ctz(taken);
            uint32_t hash31 = index_entry_hash31(bucket, slot);

            if (!index_entry_place(index_bucket(&array, hash31, array.counts[1]), hash31,
                                   (bucket + slot)[1], TN_INSERT_SLACK(array.slack)))
                return false;
        }
    }
    return true;
}

/* Not while growing. false: refused, nothing changed. */
static bool index_rebuild(struct tn_index *index, uint64_t count)
{
    struct tn_index built = *index;

    tn_assert(!tn_index_is_moving(index) || index->stalled);
    built.stalled = false; /* I6 */
    if (count > TN_BUCKET_COUNT_MAX || !tn_index_array_new(&built, count))
        return false;
    if (!index_copy_entries(&built, index)) {
        tn_index_array_release(&built);
        return false;
    }
    tn_index_array_release(index);
    *index = built;
    index->version++;
    return true;
}

void tn_index_shrink(struct tn_index *index)
{
    uint64_t count = index->counts[1];

    index->count_before = 0; /* I7: it is not being filled again */
    if (index->reserved_bytes == 0 || count <= TN_SMALL_BUCKETS_MAX + TN_SMALL_BUCKETS_MAX / 3) {
        if (!index_rebuild(index, tn_min(count - 1, index->entry_count * 2 / 7 + 1)))
            index->shrink_at /= 2;
        return;
    }
    index->counts[0] = (uint32_t)(count - count / 2);
    index->boundary = 0;
    index->growing = false;
    index->cursor = 0;
}

/* ---- growing and shrinking ------------------------------------------------------------------- */

static void move_all(struct tn_index *index)
{
    while (tn_index_upkeep(index, UINT32_MAX)) {
    }
}

/* More than these make no sense, however the entries lie. */
static uint64_t slots_max(const struct tn_index *index)
{
    return tn_max(16 * index->entry_count, 2 * index->sorted_max);
}

/* As index_rebuild, with as many buckets as it takes where entries are dense in one part. */
static bool index_rebuild_from(struct tn_index *index, uint64_t goal)
{
    while (!index_rebuild(index, goal)) {
        if (goal * TN_BUCKET_SLOTS >= slots_max(index))
            return false;
        goal += goal / 3 + 1;
    }
    return true;
}

/* How many buckets to grow to. */
static uint64_t growth_goal(const struct tn_index *index)
{
    uint64_t count = index->counts[1], goal = index->count_before;

    if (count >= goal) /* I7 */
        return count < TN_SMALL_BUCKETS_MAX / 4 ? 2 * count : count + count / 3;
    while (goal > 2 * count && goal > TN_SMALL_BUCKETS_MAX)
        goal = (goal + 1) / 2;
    return goal;
}

/* Start growing, or grow at once when small. false: refused, nothing changed. */
static bool index_grow_to(struct tn_index *index, uint64_t goal)
{
    uint64_t count = index->counts[1];

    if (index->stalled)
        return index_rebuild_from(index, goal);
    if (index->reserved_bytes == 0 || tn_index_array_bytes(goal) > index->reserved_bytes)
        return index_rebuild_from(index, goal);
    if (goal > TN_BUCKET_COUNT_MAX || !tn_index_array_commit(index, tn_index_array_bytes(goal)))
        return false;
    index->counts[1] = (uint32_t)goal;
    index->boundary = TN_HASH31_END;
    index->growing = true;
    index->cursor = count;
    return true;
}

static bool index_grow(struct tn_index *index)
{
    if (index_grow_to(index, growth_goal(index)))
        return true;
    if (index->count_before <= index->counts[1])
        return false;
    index->count_before = 0; /* there may be memory for less */
    return index_grow_to(index, growth_goal(index));
}

void tn_index_expect(struct tn_index *index, uint64_t entry_count)
{
    uint64_t count = entry_count / TN_BUCKET_SLOTS * 10 / 7 + 1; /* a load of 0.7 */

    if (count <= index->counts[1])
        return;
    move_all(index);
    if (!index->stalled)
        (void)index_rebuild(index, count);
}

/* Grow until this hash finds a place; gives up when that cannot be for lack of entries. */
static bool index_make_place(struct tn_index *index, uint64_t hash, struct tn_index_place *place)
{
    move_all(index);
    while (!index_free_place(tn_index_home(index, tn_hash31(hash)), TN_INSERT_SLACK(index->slack),
                             place)) {
        uint64_t slots = (uint64_t)index->counts[1] * TN_BUCKET_SLOTS;

        tn_memory_refuse(index->memory, slots_max(index) < slots); /* no hash does this */
        if (index->memory->limit_refused || !index_grow(index))
            return false;
        move_all(index);
    }
    return true;
}

bool tn_index_reserve_further(struct tn_index *index, uint64_t hash, struct tn_index_place *place)
{
    if (TN_UNLIKELY(index->entry_count >= index->grow_at) &&
        (!tn_index_is_moving(index) || index->stalled)) {
        uint64_t slots = (uint64_t)index->counts[1] * TN_BUCKET_SLOTS;

        /* Refused for now: going on a little denser is better than failing. */
        if (!index_grow(index) && index->entry_count >= slots - slots / 8)
            return false;
    }
    if (TN_LIKELY(index_free_place(tn_index_home(index, tn_hash31(hash)),
                                   TN_INSERT_SLACK(index->slack), place)))
        return true;
    return index_make_place(index, hash, place);
}

void tn_index_thinned(struct tn_index *index)
{
    if (!tn_index_is_moving(index))
        tn_index_shrink(index);
}

void tn_index_set_handle(struct tn_index *index, struct tn_index_place place, tn_handle handle)
{
    uint64_t *entry = &place.bucket[1 + place.slot];

    *entry = (*entry & 0xFFFFFF) | handle << 24;
    index->version++;
}
