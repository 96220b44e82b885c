/*
 * hash_move.c - a hash index grows and shrinks in place, a few home buckets a write
 *
 *     growing    | old mapping ........ | moves | <- boundary  new mapping ............ |
 *     shrinking  | new mapping ... boundary -> | moves | old mapping .................. |
 *
 * A step collects the entries of up to MOVE_HOMES_MAX homes, and puts each to a place at or behind
 * its new home. Where one finds none, all go back to where they were, and moving stalls (I6).
 */
#include "index/hash_parts.h"

/* Home buckets that are moved together: the more, the fewer lines are looked at twice. */
#define MOVE_HOMES_MAX 8u
/* Shrinking goes no further than this, so as not to leave behind what is too dense to grow (I6). */
#define SHRINK_SLACK(slack) ((slack) / 4)

/* Entries of so many home buckets: they lie there, or within the slack behind. */
#define MOVE_ENTRIES_MAX ((MOVE_HOMES_MAX + INDEX_SLACK_BUCKETS) * TN_BUCKET_SLOTS)

struct moved_entry {
    uint64_t entry; /* as it stood in its bucket */
    uint32_t hash31;
};

/* Home buckets of the old mapping, and their hashes. */
struct move {
    uint64_t *first;
    uint64_t homes;
    uint64_t hash_first;
    uint64_t hash_end;
    uint64_t old_count;
    uint64_t new_count;
    size_t found;
    struct moved_entry entries[MOVE_ENTRIES_MAX];
};

/*
 * Take the entries of these homes out of the array. Only those that still belong to the old mapping
 * are theirs: entries of the new one are told apart by the boundary (I2).
 */
static void move_collect(const struct tn_index *index, struct move *move)
{
    const struct tn_index array = *index; /* which, as the compiler knows, no store below changes */
    uint32_t first = (uint32_t)move->hash_first;
    uint32_t hashes = (uint32_t)(move->hash_end - move->hash_first);
    struct moved_entry *end = move->entries;
    uint64_t *bucket = move->first, *last = bucket + (move->homes - 1) * TN_BUCKET_WORDS;
    uint64_t meta;

    do {
        uint64_t foreign = 0;
        uint32_t taken;

        meta = bucket[0];
        for (taken = index_taken(meta); taken != 0; taken &= taken - 1) {
            size_t slot = (size_t)__builtin_ctz(taken);
            uint32_t hash31 = index_entry_hash31(bucket, slot);
            uint64_t *home;

            if (TN_UNLIKELY(hash31 - first >= hashes)) { /* unsigned: below first is far above */
                foreign |= (uint64_t)0xFF << (8 * slot);
                continue;
            }
            end->entry = (bucket + slot)[1];
            end->hash31 = hash31;
            end++;
            home = index_bucket(&array, hash31, move->old_count);
            if (TN_UNLIKELY(home != bucket))
                tn_index_over_subtract(home, bucket, 1);
        }
        bucket[0] = meta & (foreign | (uint64_t)0xFF << 56);
        bucket += TN_BUCKET_WORDS;
    } while (bucket <= last || meta >> 56 != 0);
    move->found = (size_t)(end - move->entries);
}

/* Take out what index_entry_place has put there. */
static void entry_displace(uint64_t *home, uint64_t entry)
{
    uint64_t *bucket = home;
    uint32_t slot = 0;

    while (!bucket_has(bucket, slot) || bucket[1 + slot] != entry) {
        if (++slot == TN_BUCKET_SLOTS) {
            slot = 0;
            bucket += TN_BUCKET_WORDS;
        }
    }
    bucket_unset(bucket, slot);
    tn_index_over_subtract(home, bucket, 1);
}

/*
 * The first `placed` entries leave their new places again, and all go back to the old ones, or
 * before them: put back in the order in which they stood, each finds at least its own place free.
 */
static void move_undo(const struct tn_index *index, const struct move *move, size_t placed)
{
    const struct moved_entry *moved;
    bool is_back;
    size_t i;

    for (i = 0; i < placed; i++) {
        moved = &move->entries[i];
        entry_displace(index_bucket(index, moved->hash31, move->new_count), moved->entry);
    }
    for (i = 0; i < move->found; i++) {
        moved = &move->entries[i];
        is_back = index_entry_place(index_bucket(index, moved->hash31, move->old_count),
                                    moved->hash31, moved->entry, index->slack);
        tn_assert(is_back);
        (void)is_back;
    }
}

/* To the homes under the new mapping. false: one finds no place, and all are where they were. */
static bool move_place(const struct tn_index *index, const struct move *move, size_t reach)
{
    const struct tn_index array = *index;
    size_t i;

    for (i = 0; i < move->found; i++) {
        const struct moved_entry *moved = &move->entries[i];

        if (TN_UNLIKELY(!index_entry_place(index_bucket(&array, moved->hash31, move->new_count),
                                           moved->hash31, moved->entry, reach))) {
            move_undo(index, move, i);
            return false;
        }
    }
    return true;
}

static void move_finish(struct tn_index *index, uint64_t count)
{
    index->counts[0] = index->counts[1] = (uint32_t)count;
    index->boundary = 0;
    tn_index_set_limits(index);
    tn_index_array_decommit(index, tn_index_array_bytes(count));
}

/* What moves next: up to `homes` home buckets, from the last or from the first. */
static void move_choose(const struct tn_index *index, uint64_t homes, struct move *move)
{
    bool growing = index->growing;
    uint64_t bucket;

    move->old_count = index->counts[!growing];
    move->new_count = index->counts[growing];
    move->homes = tn_min(homes, growing ? index->cursor : move->old_count - index->cursor);
    bucket = growing ? index->cursor - move->homes : index->cursor;
    move->first = index->buckets + bucket * TN_BUCKET_WORDS;
    /* The boundary is at one end of their hashes; the other end costs a division. */
    move->hash_first = growing ? index_first_hash(bucket, move->old_count) : index->boundary;
    move->hash_end =
        growing ? index->boundary : index_first_hash(bucket + move->homes, move->old_count);
}

/*
 * A page of fresh memory that is read before it is written faults twice. New homes begin on a page
 * where none was before, so write to it; what is there stays as it is.
 */
static void move_touch(const struct tn_index *index, const struct move *move)
{
    uint32_t first = (uint32_t)move->hash_first, last = (uint32_t)(move->hash_end - 1);
    uint64_t *low = index_bucket(index, first, move->new_count);
    uint64_t *high = index_bucket(index, last, move->new_count) + TN_BUCKET_WORDS;

    if (TN_LIKELY((uintptr_t)low / TN_OS_PAGE_BYTES == (uintptr_t)high / TN_OS_PAGE_BYTES))
        return;
    (void)__atomic_fetch_add(low, 1, __ATOMIC_RELAXED);
    (void)__atomic_fetch_sub(low, 1, __ATOMIC_RELAXED);
}

/* Move up to `homes` home buckets from the old mapping to the new; true while there are more. */
static bool move_step(struct tn_index *index, uint64_t homes)
{
    bool growing = index->growing;
    struct move move;

    move_choose(index, homes, &move);
    move_collect(index, &move);
    if (growing)
        move_touch(index, &move);
    if (!move_place(index, &move, growing ? index->slack : SHRINK_SLACK(index->slack))) { /* I6 */
        index->stalled = true;
        index->resume_at = index->entry_count - index->entry_count / 16;
        return false;
    }
    index->boundary = growing ? move.hash_first : move.hash_end;
    index->cursor = growing ? index->cursor - move.homes : index->cursor + move.homes;
    if (growing ? index->cursor > 0 : index->cursor < move.old_count)
        return true;
    move_finish(index, move.new_count);
    if (!growing && index->entry_count < index->shrink_at)
        tn_index_shrink(index); /* and so on: there may be no more deletes to start it */
    return tn_index_is_moving(index);
}

bool tn_index_upkeep(struct tn_index *index, unsigned buckets)
{
    if (!tn_index_has_upkeep(index))
        return false;
    index->stalled = false;
    index->version++;
    for (; buckets > MOVE_HOMES_MAX; buckets -= MOVE_HOMES_MAX) {
        if (!move_step(index, MOVE_HOMES_MAX))
            return false;
    }
    return buckets == 0 || move_step(index, buckets);
}
