/*
 * hash_index.c - changing the hash index; see hash_index.h for the picture and the rules
 *
 * A small index (up to SMALL_BUCKETS_MAX homes) is one allocated block, and is grown and shrunk by
 * building another. A larger one is an array of mapped pages inside address space reserved for many
 * times its size (once that is used up, it is built anew, too), and is grown and shrunk in place, a few
 * buckets per write:
 *
 *     at rest --load > 4/5--> growing --last bucket moved--> at rest     [index_grow, move_step]
 *     at rest --load < 1/3--> shrinking --last bucket moved--> at rest   [index_shrink, move_step]
 *
 * While growing, at most count/8 inserts pass (8 buckets move for each), so the load stays under
 * 0.82.
 */
#include "index/hash_index.h"

#include <string.h>

#define SMALL_BUCKETS_MAX 256u
#define BUCKET_BYTES (TN_BUCKET_WORDS * sizeof(uint64_t))
#define COUNT_MAX ((uint64_t)1 << 29)
/*
 * Room for 370 million entries, yet so little that 30,000 tables find theirs in 47 bits of addresses
 * (more mappings than that Linux does not give). A larger index is built anew in more.
 */
#define RESERVE_BYTES_FIRST ((size_t)1 << 32)
#define RESERVE_FACTOR 16u
#define COMMIT_STEP_SMALL ((size_t)64 * TN_KIB)
#define COMMIT_STEP_LARGE ((size_t)2 * TN_MIB)
/* Home buckets that are moved together: the more, the fewer lines are looked at twice. */
#define MOVE_HOMES_MAX 8u
/* An insert may go no further than this behind its home, so that moving always finds room. */
#define INSERT_SLACK(slack) ((slack) - (slack) / 8)
/* Shrinking goes no further than this, so as not to leave behind what is too dense to grow (I6). */
#define SHRINK_SLACK(slack) ((slack) / 4)

static size_t slack_for(uint64_t count)
{
    return count > SMALL_BUCKETS_MAX / 2 ? INDEX_SLACK_BUCKETS : tn_min(count / 2 + 1, 63);
}

static void index_set_limits(struct tn_index *index)
{
    uint64_t slots = (uint64_t)index->counts[1] * TN_BUCKET_SLOTS;

    index->grow_at = index->counts[1] >= COUNT_MAX ? UINT64_MAX : slots * 4 / 5;
    index->shrink_at = index->counts[1] == 1 ? 0 : slots / 3;
}

TN_ALWAYS_INLINE uint64_t home_of(uint32_t hash31, uint64_t count)
{
    return hash31 * count >> 31;
}

/* The smallest 31 hash bits whose home is `bucket`: ceil(bucket * 2^31 / count). */
static uint64_t first_hash_of(uint64_t bucket, uint64_t count)
{
    return ((bucket << 31) + count - 1) / count;
}

TN_ALWAYS_INLINE uint32_t bucket_print(const uint64_t *bucket, size_t slot)
{
    return ((const uint8_t *)bucket)[TN_BIG_ENDIAN ? 7 - slot : slot];
}

TN_ALWAYS_INLINE uint32_t entry_hash31(const uint64_t *bucket, size_t slot)
{
    uint32_t high = (uint32_t)(bucket + slot)[1] << 7;

    return (high + bucket_print(bucket, slot) - INDEX_TAKEN) & UINT32_C(0x7FFFFFFF);
}

static unsigned bucket_over(const uint64_t *bucket)
{
    return (unsigned)(bucket[0] >> 56);
}

static bool bucket_has(const uint64_t *bucket, uint32_t slot)
{
    return (bucket[0] >> (8 * slot) & INDEX_TAKEN) != 0;
}

/* The first free place at or behind home, `reach` buckets at most. */
TN_ALWAYS_INLINE bool index_free_place(uint64_t *home, size_t reach, struct tn_index_place *place)
{
    uint64_t *bucket = home;

    for (; bucket <= home + reach * TN_BUCKET_WORDS; bucket += TN_BUCKET_WORDS) {
        uint32_t taken = index_taken(bucket[0]);

        if (TN_LIKELY(taken != 0x7F)) {
            *place = (struct tn_index_place){ bucket, (uint32_t)__builtin_ctz(~taken) };
            return true;
        }
    }
    return false;
}

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

/* ---- the array ---------------------------------------------------------------------------------------- */

static size_t array_bytes(uint64_t count)
{
    return (size_t)(count + slack_for(count)) * BUCKET_BYTES;
}

static size_t commit_step(size_t bytes)
{
    return bytes >= 2 * COMMIT_STEP_LARGE ? COMMIT_STEP_LARGE : COMMIT_STEP_SMALL;
}

static bool array_commit(struct tn_index *index, size_t bytes)
{
    size_t step = commit_step(bytes);
    size_t goal = tn_align_up(bytes, step);
    uint8_t *start = (uint8_t *)index->buckets;
    unsigned flags = step == COMMIT_STEP_LARGE ? TN_OS_HUGE : 0;

    if (goal <= index->bytes)
        return true;
    if (!tn_memory_charge(index->memory, goal - index->bytes))
        return false;
    if (index->os->ops->pages_commit(index->os->context, start + index->bytes, goal - index->bytes,
                                     flags) < 0) {
        tn_memory_discharge(index->memory, goal - index->bytes);
        return false;
    }
    index->bytes = goal;
    return true;
}

static void array_decommit(struct tn_index *index, size_t keep_bytes)
{
    size_t keep = tn_align_up(keep_bytes, commit_step(keep_bytes));
    uint8_t *start = (uint8_t *)index->buckets;

    if (keep >= index->bytes)
        return;
    (void)index->os->ops->pages_decommit(index->os->context, start + keep, index->bytes - keep);
    tn_memory_discharge(index->memory, index->bytes - keep);
    index->bytes = keep;
}

static void array_release(struct tn_index *index)
{
    if (index->reserved_bytes == 0) {
        tn_memory_free(index->memory, index->buckets, index->bytes);
    } else {
        tn_memory_discharge(index->memory, index->bytes);
        index->os->ops->pages_release(index->os->context, index->buckets, index->reserved_bytes);
    }
    index->buckets = NULL;
    index->bytes = index->reserved_bytes = 0;
}

static bool array_new_mapped(struct tn_index *index, size_t bytes)
{
    size_t reserve =
        tn_max(RESERVE_BYTES_FIRST, RESERVE_FACTOR * tn_align_up(bytes, COMMIT_STEP_LARGE));
    void *start = NULL;

    while (index->os->ops->pages_reserve(index->os->context, reserve, &start) < 0) {
        reserve /= 2;
        if (reserve < 2 * tn_align_up(bytes, COMMIT_STEP_LARGE))
            return false;
    }
    index->buckets = start;
    index->reserved_bytes = reserve;
    index->bytes = 0;
    if (array_commit(index, bytes))
        return true;
    array_release(index);
    return false;
}

/* An empty index of `count` homes in a new array; the old array, if any, is forgotten. */
static bool array_new(struct tn_index *index, uint64_t count)
{
    size_t bytes = array_bytes(count);

    index->bytes = bytes;
    index->reserved_bytes = 0;
    if (count <= SMALL_BUCKETS_MAX) {
        index->buckets = tn_memory_new(index->memory, bytes, true);
        if (index->buckets == NULL)
            return false;
    } else if (!array_new_mapped(index, bytes)) {
        return false;
    }
    index->counts[0] = index->counts[1] = (uint32_t)count;
    index->boundary = 0;
    index->slack = slack_for(count);
    index_set_limits(index);
    return true;
}

bool tn_index_open(struct tn_index *index, const struct tn_os *os, struct tn_memory *memory)
{
    *index = (struct tn_index){ .os = os, .memory = memory };
    return array_new(index, 1);
}

bool tn_index_free_step(struct tn_index *index, uint64_t *budget_bytes)
{
    size_t step = 16 * TN_MIB;

    while (index->reserved_bytes > 0 && index->bytes > step) {
        if (*budget_bytes == 0)
            return false;
        *budget_bytes -= step < *budget_bytes ? step : *budget_bytes;
        array_decommit(index, index->bytes - step);
    }
    *budget_bytes -= index->bytes < *budget_bytes ? index->bytes : *budget_bytes;
    array_release(index);
    return true;
}

/* ---- building another array ------------------------------------------------------------------------------ */

/* Into the first free slot from home on. false: it would be further than `reach` buckets behind. */
TN_ALWAYS_INLINE bool entry_place(uint64_t *home, uint32_t hash31, uint64_t entry, size_t reach)
{
    uint32_t taken = index_taken(home[0]);
    struct tn_index_place place = { home, (uint32_t)__builtin_ctz(~taken) };

    if (TN_UNLIKELY(taken == 0x7F)) {
        if (!index_free_place(home, reach, &place))
            return false;
        tn_index_over_add(home, place.bucket);
    }
    place.bucket[0] |= (uint64_t)index_print(hash31) << (8 * place.slot);
    place.bucket[1 + place.slot] = entry;
    return true;
}

static bool index_copy_entries(struct tn_index *to, const struct tn_index *from)
{
    const struct tn_index array = *to; /* which, as the compiler knows, no store below changes */
    size_t buckets = tn_max(from->counts[0], from->counts[1]) + from->slack, i;

    for (i = 0; i < buckets; i++) {
        const uint64_t *bucket = from->buckets + i * TN_BUCKET_WORDS;
        uint32_t taken;

        for (taken = index_taken(bucket[0]); taken != 0; taken &= taken - 1) {
            size_t slot = (size_t)__builtin_ctz(taken);
            uint32_t hash31 = entry_hash31(bucket, slot);

            if (!entry_place(index_bucket(&array, hash31, array.counts[1]), hash31,
                             (bucket + slot)[1], INSERT_SLACK(array.slack)))
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
    if (count > COUNT_MAX || !array_new(&built, count))
        return false;
    if (!index_copy_entries(&built, index)) {
        array_release(&built);
        return false;
    }
    array_release(index);
    *index = built;
    index->version++;
    return true;
}

/* Start shrinking by a quarter. Shrinking is a courtesy: what is refused is tried again later. */
static void index_shrink(struct tn_index *index)
{
    uint64_t count = index->counts[1];

    index->count_before = 0; /* I7: it is not being filled again */
    if (index->reserved_bytes == 0 || count <= SMALL_BUCKETS_MAX + SMALL_BUCKETS_MAX / 3) {
        if (!index_rebuild(index, tn_min(count - 1, index->entry_count * 2 / 7 + 1)))
            index->shrink_at /= 2;
        return;
    }
    index->counts[0] = (uint32_t)(count - count / 4);
    index->boundary = 0;
    index->growing = false;
    index->cursor = 0;
}

/* ---- moving in place ------------------------------------------------------------------------------------- */

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
 * Take the entries of these homes out of the array. Only those that still belong to the old mapping are
 * theirs: entries of the new one are told apart by the boundary (I2).
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
            uint32_t hash31 = entry_hash31(bucket, slot);
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

/* Take out what entry_place has put there. */
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
 * The first `placed` entries leave their new places again, and all go back to the old ones, or before
 * them: put back in the order in which they stood, each finds at least its own place free.
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
        is_back = entry_place(index_bucket(index, moved->hash31, move->old_count), moved->hash31,
                              moved->entry, index->slack);
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

        if (TN_UNLIKELY(!entry_place(index_bucket(&array, moved->hash31, move->new_count),
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
    index_set_limits(index);
    array_decommit(index, array_bytes(count));
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
    move->hash_first = growing ? first_hash_of(bucket, move->old_count) : index->boundary;
    move->hash_end =
        growing ? index->boundary : first_hash_of(bucket + move->homes, move->old_count);
}

/*
 * A page of fresh memory that is read before it is written faults twice. New homes begin on a page where
 * none was before, so write to it; what is there stays as it is.
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
        index_shrink(index); /* and so on: there may be no more deletes to start it */
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

static void move_all(struct tn_index *index)
{
    while (tn_index_upkeep(index, UINT32_MAX)) {
    }
}

/* ---- growing and shrinking --------------------------------------------------------------------------------- */

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
        return count < SMALL_BUCKETS_MAX / 4 ? 2 * count : count + count / 3;
    while (goal > 2 * count && goal > SMALL_BUCKETS_MAX)
        goal = (goal + 1) / 2;
    return goal;
}

/* Start growing, or grow at once when small. false: refused, nothing changed. */
static bool index_grow_to(struct tn_index *index, uint64_t goal)
{
    uint64_t count = index->counts[1];

    if (index->stalled)
        return index_rebuild_from(index, goal);
    if (index->reserved_bytes == 0 || array_bytes(goal) > index->reserved_bytes)
        return index_rebuild_from(index, goal);
    if (goal > COUNT_MAX || !array_commit(index, array_bytes(goal)))
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
    while (!index_free_place(tn_index_home(index, tn_hash31(hash)), INSERT_SLACK(index->slack),
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
                                   INSERT_SLACK(index->slack), place)))
        return true;
    return index_make_place(index, hash, place);
}

void tn_index_thinned(struct tn_index *index)
{
    if (!tn_index_is_moving(index))
        index_shrink(index);
}

void tn_index_set_handle(struct tn_index *index, struct tn_index_place place, tn_handle handle)
{
    uint64_t *entry = &place.bucket[1 + place.slot];

    *entry = (*entry & 0xFFFFFF) | handle << 24;
    index->version++;
}

/* ---- walking -------------------------------------------------------------------------------------------------- */

unsigned tn_walk_block_bits(const struct tn_index *index)
{
    unsigned count_bits = tn_log2(index->counts[1]);

    return count_bits < 4 ? 0 : count_bits - 4;
}

static void gather_insert(struct tn_walk_entry *out, size_t from, size_t count,
                          struct tn_walk_entry entry)
{
    size_t i = count;

    for (; i > from && out[i - 1].place > entry.place; i--)
        out[i] = out[i - 1];
    out[i] = entry;
}

/* Entries with hashes [first, end), which have one home bucket; their places are `shift` further. */
static size_t gather_home(const uint64_t *bucket, uint32_t first, uint32_t end, uint32_t shift,
                          struct tn_walk_entry *out)
{
    size_t found = 0;
    bool more = true;

    for (; more; bucket += TN_BUCKET_WORDS) {
        uint32_t taken = index_taken(bucket[0]);

        more = bucket_over(bucket) != 0;
        for (; taken != 0; taken &= taken - 1) {
            uint32_t slot = (uint32_t)__builtin_ctz(taken);
            uint32_t hash31 = entry_hash31(bucket, slot);
            tn_handle handle = index_entry_handle(bucket[1 + slot]);

            if (hash31 < first || hash31 >= end)
                continue;
            gather_insert(out, 0, found++, (struct tn_walk_entry){ handle, hash31 + shift });
        }
    }
    return found;
}

size_t tn_index_gather(const struct tn_index *index, unsigned block_bits, uint64_t *position,
                       size_t wanted, struct tn_walk_entry *out)
{
    return tn_index_gather_some(index, block_bits, position, wanted, UINT64_MAX, out);
}

size_t tn_index_gather_some(const struct tn_index *index, unsigned block_bits, uint64_t *position,
                            size_t wanted, uint64_t home_max, struct tn_walk_entry *out)
{
    size_t found = 0;

    for (; home_max > 0 && found < wanted && *position < TN_HASH31_END; home_max--) {
        uint32_t hash31 = tn_walk_turn((uint32_t)*position, block_bits);
        uint64_t block_end = (hash31 | UINT32_C(0x7FFFFFFF) >> block_bits) + UINT64_C(1);
        bool below = hash31 < index->boundary;
        uint64_t count = below ? index->counts[0] : index->counts[1];
        uint64_t home = home_of(hash31, count);
        uint64_t end = tn_min(first_hash_of(home + 1, count), block_end);

        if (below && end > index->boundary)
            end = index->boundary;
        found += gather_home(index->buckets + home * TN_BUCKET_WORDS, hash31, (uint32_t)end,
                             (uint32_t)*position - hash31, out + found);
        *position += end - hash31;
    }
    return found;
}

/* ---- checking --------------------------------------------------------------------------------------------------- */

/* Entries that pass beyond `bucket`, counted from those that lie behind it (I1). */
static unsigned check_over(const struct tn_index *index, uint64_t bucket_number, uint64_t buckets)
{
    uint64_t behind = bucket_number + 1, passing = 0;

    for (; behind < buckets && behind <= bucket_number + INDEX_SLACK_BUCKETS; behind++) {
        const uint64_t *bucket = index->buckets + behind * TN_BUCKET_WORDS;
        uint32_t slot;

        for (slot = 0; slot < TN_BUCKET_SLOTS; slot++) {
            const uint64_t *home = tn_index_home(index, entry_hash31(bucket, slot));

            passing += bucket_has(bucket, slot) &&
                       home <= index->buckets + bucket_number * TN_BUCKET_WORDS;
        }
    }
    return (unsigned)passing;
}

bool tn_index_check(const struct tn_index *index)
{
    uint64_t highest = tn_max(index->counts[0], index->counts[1]);
    uint64_t buckets = highest + index->slack, entries = 0, i;

    if (!tn_index_is_moving(index) && index->boundary != 0)
        return false;
    for (i = 0; i < buckets; i++) {
        const uint64_t *bucket = index->buckets + i * TN_BUCKET_WORDS;
        uint32_t slot;

        for (slot = 0; slot < TN_BUCKET_SLOTS; slot++) {
            const uint64_t *home = tn_index_home(index, entry_hash31(bucket, slot));

            if (!bucket_has(bucket, slot))
                continue;
            entries++;
            if (bucket < home || bucket > home + index->slack * TN_BUCKET_WORDS)
                return false;
        }
        if (bucket_over(bucket) != 255 && bucket_over(bucket) != check_over(index, i, buckets))
            return false;
    }
    return entries == index->entry_count;
}
