/*
 * test_hash_index.c - the hash index against an array, and rules I1 to I7 of hash_index.h
 *
 * Entry n has the key n, 8 bytes, in record n of an arena; hashes come from a function of n that a
 * test chooses, so that collisions can be had at will.
 */
#include "index/hash_index.h"
#include "os/simulated.h"

#include "allocator.h"
#include "test.h"

#include <errno.h>

#define NUMBERS_MAX ((size_t)380000)
#define NO_LIMIT UINT64_MAX

struct record {
    struct tn_record head;
    uint64_t key;
};

struct fixture {
    struct allocator allocator;
    struct tn_memory memory;
    struct tn_os os;
    struct tn_simulated *simulated;
    struct tn_index index;
    uint64_t (*hash)(uint64_t number);
    uint64_t random;
    size_t entry_count;
    bool has[NUMBERS_MAX];
    uint8_t seen[NUMBERS_MAX];
};

static struct fixture fixture;
static struct record records[NUMBERS_MAX + 1]; /* record n at handle 2 (n + 1) */

static uint64_t hash_mixed(uint64_t number)
{
    uint64_t state = number * UINT64_C(0xD1342543DE82EF95) + 7;

    return test_random(&state);
}

static uint64_t hash_equal(uint64_t number)
{
    (void)number;
    return UINT64_C(0x7777777777777777);
}

/* The first 390 numbers collide, the rest do not. */
static uint64_t hash_clustered(uint64_t number)
{
    return number < 390 ? UINT64_C(0x7777777777777777) : hash_mixed(number);
}

/* Of hash_of_edges: numbers below it have the least hash of the home bucket `number`, of so many. */
static uint64_t edge_count;

static uint64_t hash_of_edges(uint64_t number)
{
    uint64_t hash31 = ((number << 31) + edge_count - 1) / edge_count;

    return number < edge_count ? hash31 << 33 : hash_mixed(number);
}

static struct fixture *fixture_open(uint64_t (*hash)(uint64_t), bool simulated)
{
    struct fixture *f = &fixture;
    uint64_t number;

    memset(f, 0, sizeof *f);
    f->allocator.refuse_at = UINT64_MAX;
    f->random = test_seed();
    f->hash = hash;
    f->os = tn_os_posix;
    if (simulated) {
        f->simulated =
            tn_simulated_new(&(struct tn_simulated_options){ .reserved_bytes_max = 256 * TN_MIB });
        f->os = tn_simulated_os(f->simulated);
    }
    tn_memory_init(&f->memory, allocator_call, &f->allocator, 0);
    for (number = 0; number < NUMBERS_MAX; number++) {
        records[number + 1].head.key_bytes = 8;
        records[number + 1].key = number;
    }
    check(tn_index_open(&f->index, &f->os, &f->memory));
    return f;
}

static void fixture_close(struct fixture *f)
{
    uint64_t budget_bytes = NO_LIMIT;

    check(tn_index_check(&f->index));
    check(tn_index_free_step(&f->index, &budget_bytes));
    check_eq(f->memory.counted_bytes, 0);
    check_eq(f->allocator.live_blocks, 0);
    check(!f->allocator.size_was_wrong);
    if (f->simulated != NULL)
        tn_simulated_free(f->simulated);
}

static tn_handle handle_of(uint64_t number)
{
    return 2 * (number + 1);
}

static tn_handle find(const struct fixture *f, uint64_t number, struct tn_index_place *place)
{
    return tn_index_find(&f->index, (uint8_t *)records, f->hash(number), &number, 8, place);
}

static bool insert(struct fixture *f, uint64_t number)
{
    struct tn_index_place place;

    if (!tn_index_reserve(&f->index, f->hash(number), &place))
        return false;
    tn_index_insert(&f->index, place, f->hash(number), handle_of(number));
    f->has[number] = true;
    f->entry_count++;
    (void)tn_index_upkeep(&f->index, 3);
    return true;
}

static void erase(struct fixture *f, uint64_t number)
{
    struct tn_index_place place;

    check_eq(find(f, number, &place), handle_of(number));
    tn_index_remove(&f->index, place, f->hash(number));
    f->has[number] = false;
    f->entry_count--;
    (void)tn_index_upkeep(&f->index, 3);
}

static bool answers_rightly(const struct fixture *f, uint64_t number)
{
    struct tn_index_place place;
    tn_handle handle = find(f, number, &place), guess = tn_index_guess(&f->index, f->hash(number));

    if (!f->has[number])
        return handle == TN_HANDLE_NONE;
    return handle == handle_of(number) && guess != TN_HANDLE_NONE &&
           index_entry_handle(place.bucket[1 + place.slot]) == handle;
}

static bool all_answer_rightly(const struct fixture *f, uint64_t numbers)
{
    uint64_t number;

    for (number = 0; number < numbers; number++)
        if (!answers_rightly(f, number))
            return false;
    return f->index.entry_count == f->entry_count;
}

/* ---- matching fingerprints ------------------------------------------------------------------- */

static uint32_t match_naive(uint64_t meta, uint8_t print)
{
    uint32_t match = 0, slot;

    for (slot = 0; slot < TN_BUCKET_SLOTS; slot++)
        match |= (uint32_t)((uint8_t)(meta >> (8 * slot)) == print) << slot;
    return match;
}

static void matching_finds_each_slot_with_the_print(void)
{
    uint64_t random = test_seed();
    size_t i, too_many = 0;

    for (i = 0; i < 300000; i++) {
        uint64_t meta = test_random(&random);
        uint8_t print = (uint8_t)test_random(&random);
        uint32_t naive, portable;

        if (i % 2 == 0) /* few different bytes: many matches, and borrows between them */
            meta = (meta & UINT64_C(0x0101010101010101)) + print * UINT64_C(0x0101010101010101);
        naive = match_naive(meta, print);
        portable = index_match_portable(meta, print);
        check_eq(index_match(meta, print), naive);
        check_eq(portable & naive, naive);
        check(portable == naive || naive != 0); /* too many only behind a true one */
        too_many += portable != naive;
        check_eq(index_top_bits(meta), match_naive(meta >> 7 & UINT64_C(0x0101010101010101), 1));
        check_eq(index_taken(meta), index_top_bits(meta));
    }
    check(too_many > 0);
}

/* ---- against an array ------------------------------------------------------------------------ */

static void small_indexes_are_sound_after_every_step(void)
{
    struct fixture *f = fixture_open(hash_mixed, false);
    size_t step;

    for (step = 0; step < 3000; step++) {
        uint64_t number = test_random(&f->random) % 120;
        bool grows = step / 300 % 2 == 0;

        if (f->has[number] && (test_random(&f->random) % 100 < (grows ? 20 : 80)))
            erase(f, number);
        else if (!f->has[number] && (test_random(&f->random) % 100 < (grows ? 90 : 20)))
            check(insert(f, number));
        check(tn_index_check(&f->index));
        check(all_answer_rightly(f, 120));
    }
    while (f->entry_count > 0) {
        uint64_t number = test_random(&f->random) % 120;

        if (f->has[number])
            erase(f, number);
    }
    check_eq(f->index.counts[1], 1); /* nothing shrank, once */
    fixture_close(f);
}

/* Up to `peak` and down to nothing; looks around at each size where something changes. */
static void grow_and_shrink(struct fixture *f, uint64_t peak, uint64_t every)
{
    uint64_t number, step = 0;
    uint32_t last = 0;
    bool moved_up = false, moved_down = false;

    for (number = 0; number < peak; number++) {
        check(insert(f, number));
        moved_up |= tn_index_is_moving(&f->index) && f->index.growing;
        if (++step % every == 0 || (f->index.counts[1] != last && number < 20000)) {
            last = f->index.counts[1];
            check(tn_index_check(&f->index));
            check(all_answer_rightly(f, number + 100 < NUMBERS_MAX ? number + 100 : number));
        }
    }
    for (number = 0; number < peak; number++) {
        erase(f, (number * 7919) % peak);
        moved_down |= tn_index_is_moving(&f->index) && !f->index.growing;
        if (++step % every == 0 || (f->index.counts[1] != last && peak - number < 20000)) {
            last = f->index.counts[1];
            check(tn_index_check(&f->index));
            check(all_answer_rightly(f, peak));
        }
    }
    check(moved_up == (peak > 3000));
    check(moved_down == (peak > 3000));
    check_eq(f->index.entry_count, 0);
    check_eq(f->index.counts[1], 1);
}

static void growing_and_shrinking_loses_nothing(void)
{
    struct fixture *f = fixture_open(hash_mixed, false);

    grow_and_shrink(f, 1000, 10);
    grow_and_shrink(f, 9000, 500);
    fixture_close(f);
}

static void growing_to_300_000_and_back_loses_nothing(void)
{
    struct fixture *f = fixture_open(hash_mixed, false);
    uint64_t least_bytes;

    grow_and_shrink(f, 300000, 60000);
    least_bytes = f->memory.counted_bytes;
    check(least_bytes < 4096);
    fixture_close(f);
}

/* I7: to as many buckets as before by doubling, and from there by a third. */
static void an_index_in_place_of_another_grows_by_doubling(void)
{
    struct fixture *f = fixture_open(hash_mixed, false);
    uint32_t before = 20011, count = 1;
    unsigned steps = 0;
    uint64_t number;

    f->index.count_before = before;
    for (number = 0; number < 120000; number++) {
        check(insert(f, number));
        if (f->index.counts[1] == count)
            continue;
        check(f->index.counts[1] <= (count == 1 ? 256 : 2 * count));
        check((count < before) == (f->index.counts[1] <= before));
        count = f->index.counts[1];
        steps++;
        if (count < 1024 || number % 8 == 0)
            check(tn_index_check(&f->index));
    }
    check_eq(count, before + before / 3);
    check_eq(steps, 9); /* 1, 157, 313, ... 20011, and a third */
    for (number = 0; number < 120000; number++)
        check(find(f, number, &(struct tn_index_place){ 0 }) == handle_of(number));
    fixture_close(f);
}

static void a_small_index_in_place_of_another_is_at_once_as_large_until_it_shrinks(void)
{
    struct fixture *f = fixture_open(hash_mixed, false);
    uint64_t number;

    f->index.count_before = 200;
    for (number = 0; number < 6; number++)
        check(insert(f, number));
    check_eq(f->index.counts[1], 200);
    erase(f, --number);
    check(f->index.counts[1] < 4); /* few entries for what it has: it is not being filled again */
    for (; number < 60; number++)
        check(insert(f, number));
    check(f->index.counts[1] < 32);
    fixture_close(f);
}

/* Memory for twice as much may be refused where there is enough for a third more. */
static void doubling_that_is_refused_becomes_a_third(void)
{
    struct fixture *f = fixture_open(hash_mixed, false);
    uint64_t number;

    for (number = 0; number < 20000; number++)
        check(insert(f, number));
    while (tn_index_upkeep(&f->index, 8)) {
    }
    f->index.count_before = 16 * f->index.counts[1];
    f->memory.limit_bytes = f->memory.counted_bytes + f->memory.counted_bytes / 2;
    for (; f->index.count_before != 0; number++)
        check(insert(f, number));
    check(f->index.growing && f->index.counts[1] == f->index.counts[0] + f->index.counts[0] / 3);
    f->memory.limit_bytes = NO_LIMIT;
    fixture_close(f);
}

/* Without upkeep, until the index is about to grow (or to shrink). */
static void fill_until_moving(struct fixture *f, bool growing)
{
    uint64_t number = f->entry_count;
    struct tn_index_place place;

    while (!tn_index_is_moving(&f->index)) {
        if (growing) {
            check(tn_index_reserve(&f->index, f->hash(number), &place));
            tn_index_insert(&f->index, place, f->hash(number), handle_of(number));
        } else {
            check(find(f, --number, &place) != TN_HANDLE_NONE);
            tn_index_remove(&f->index, place, f->hash(number));
        }
        f->has[number] = growing;
        number += growing;
        f->entry_count = number;
    }
    check_eq(f->index.growing, growing);
}

static void entries_are_found_at_each_step_of_moving(void)
{
    struct fixture *f = fixture_open(hash_mixed, false);
    size_t steps = 0;

    fill_until_moving(f, true);
    while (tn_index_upkeep(&f->index, 1)) {
        if (++steps % 16 == 0)
            check(tn_index_check(&f->index) && all_answer_rightly(f, f->entry_count + 50));
    }
    check(steps > 200);
    fill_until_moving(f, false);
    for (steps = 0; tn_index_upkeep(&f->index, 1);) {
        if (++steps % 16 == 0)
            check(tn_index_check(&f->index) && all_answer_rightly(f, f->entry_count + 50));
    }
    check(steps > 200);
    fixture_close(f);
}

/* An entry with the least hash of each home bucket of the old mapping: the boundary stops at each. */
static void hashes_at_the_boundary_are_found(bool growing)
{
    struct fixture *f = fixture_open(hash_of_edges, false);
    uint64_t number;

    for (number = 0; number < edge_count; number++)
        check(insert(f, number * 101 % edge_count));
    fill_until_moving(f, true);
    if (!growing) {
        while (tn_index_upkeep(&f->index, 1)) {
        }
        fill_until_moving(f, false);
    }
    check_eq(f->index.counts[!growing], edge_count);
    while (tn_index_upkeep(&f->index, 1)) {
        check(all_answer_rightly(f, edge_count));
    }
    fixture_close(f);
}

/* I2 */
static void a_hash_at_the_boundary_belongs_above_it(void)
{
    struct fixture *f = fixture_open(hash_mixed, false);
    uint32_t counts[2];

    fill_until_moving(f, true);
    counts[0] = f->index.counts[0];
    counts[1] = f->index.counts[1];
    fixture_close(f);
    edge_count = counts[0];
    hashes_at_the_boundary_are_found(true);
    edge_count = counts[1];
    hashes_at_the_boundary_are_found(false);
}

static void moved_records_are_found_by_their_new_handle(void)
{
    struct fixture *f = fixture_open(hash_mixed, false);
    struct tn_index_place place;
    uint64_t version;

    check(insert(f, 1) && insert(f, 2));
    records[101] = records[2];
    check_eq(find(f, 1, &place), handle_of(1));
    version = f->index.version;
    tn_index_set_handle(&f->index, place, handle_of(100));
    check(f->index.version != version); /* I5 */
    check_eq(find(f, 1, &place), handle_of(100));
    check_eq(find(f, 2, &place), handle_of(2));
    fixture_close(f);
}

/* ---- churn ----------------------------------------------------------------------------------- */

struct load {
    uint64_t over_sum;
    unsigned over_max;
};

static struct load load_of(const struct tn_index *index)
{
    struct load load = { 0, 0 };
    size_t i;

    for (i = 0; i < index->counts[1] + index->slack; i++) {
        unsigned over = (unsigned)(index->buckets[i * TN_BUCKET_WORDS] >> 56);

        load.over_sum += over;
        load.over_max = over > load.over_max ? over : load.over_max;
    }
    return load;
}

/*
 * Streams replace entries at constant size for ever; what a delete leaves behind must not add up. A
 * freshly grown index is leaner than one in use, so the measure is what the first few rounds lead
 * to.
 */
static void constant_churn_does_not_wear_the_index_out(void)
{
    struct fixture *f = fixture_open(hash_mixed, false);
    uint64_t size = 15000, number, next = size, bytes, settled = 0;
    struct load churned;

    for (number = 0; number < size; number++)
        check(insert(f, number));
    while (tn_index_upkeep(&f->index, 100)) {
    }
    bytes = f->index.bytes;
    for (; next < 21 * size; next++) {
        erase(f, next - size);
        check(insert(f, next));
        check(f->index.bytes == bytes);
        if (next == 4 * size)
            settled = load_of(&f->index).over_sum;
    }
    check(tn_index_check(&f->index));
    churned = load_of(&f->index);
    check(churned.over_max < 60);
    check(churned.over_sum < settled * 5 / 4);
    check(churned.over_sum < f->index.counts[1]); /* a probe passes less than one bucket */
    check(!tn_index_is_moving(&f->index));
    fixture_close(f);
}

/* Deleting everything leaves no counter behind, so a miss reads one bucket. */
static void an_emptied_bucket_counts_nothing(void)
{
    struct fixture *f = fixture_open(hash_mixed, false);
    uint64_t number;
    size_t round;

    for (round = 0; round < 3; round++) {
        for (number = 0; number < 40; number++)
            check(insert(f, number));
        for (number = 0; number < 40; number++)
            erase(f, number);
        check_eq(load_of(&f->index).over_sum, 0);
    }
    fixture_close(f);
}

/* ---- gathering ------------------------------------------------------------------------------- */

/* Numbers below `stay` are never changed; those above come and go between two gathers. */
static void gather_once(struct fixture *f, unsigned block_bits, uint64_t stay, uint64_t numbers,
                        bool grow)
{
    static struct tn_walk_entry out[TN_GATHER_ROOM];
    uint64_t position = 0, last_end = 0, number;
    size_t found, i;

    memset(f->seen, 0, sizeof f->seen);
    while (position < TN_HASH31_END) {
        found = tn_index_gather(&f->index, block_bits, &position,
                                1 + test_random(&f->random) % TN_GATHER_ENTRIES, out);
        check(position > last_end);
        for (i = 0; i < found; i++) {
            uint32_t hash31 = tn_hash31(f->hash(out[i].handle / 2 - 1));

            check(out[i].place >= last_end && out[i].place < position);
            check_eq(out[i].place, tn_walk_turn(hash31, block_bits));
            check_eq(tn_walk_turn(out[i].place, block_bits), hash31);
            f->seen[out[i].handle / 2 - 1]++;
        }
        last_end = position;
        for (i = 0; i < 40; i++) {
            number = stay + test_random(&f->random) % (numbers - stay);
            if (f->has[number] && !grow)
                erase(f, number);
            else if (!f->has[number] && grow)
                check(insert(f, number));
        }
    }
    for (number = 0; number < stay; number++)
        if (f->seen[number] != 1) {
            test_fail(__FILE__, __LINE__, "entry %" PRIu64 " was seen %d times", number,
                      f->seen[number]);
            return;
        }
    for (; number < numbers; number++)
        check(f->seen[number] <= 1);
}

static void gathering_sees_unchanged_entries_once_while_others_come_and_go(void)
{
    struct fixture *f = fixture_open(hash_mixed, false);
    uint32_t count, round;
    uint64_t number;

    for (number = 0; number < 3000; number++)
        check(insert(f, number));
    for (round = 0; round < 12; round++) {
        count = f->index.counts[1];
        gather_once(f, round % 11, 3000, 20000, round / 3 % 2 == 0);
        check(f->index.counts[1] != count || round > 0);
    }
    fixture_close(f);
    f = fixture_open(hash_mixed, false);
    for (number = 0; number < 5; number++)
        check(insert(f, number));
    for (round = 0; round < 200; round++)
        gather_once(f, round % 4, 5, 60, round % 2 == 0);
    fixture_close(f);
}

/* Delete from the low end of the hashes on, as a scan does that deletes what it is given. */
static void erase_in_order_of_hashes(struct fixture *f, uint64_t leave)
{
    static struct tn_walk_entry out[TN_GATHER_ROOM];
    uint64_t position = 0;

    while (position < TN_HASH31_END && f->entry_count > leave) {
        size_t found = tn_index_gather(&f->index, 0, &position, TN_GATHER_ENTRIES, out), i;

        for (i = 0; i < found && f->entry_count > leave; i++)
            erase(f, out[i].handle / 2 - 1);
    }
}

/* Shrinking packs what is left, which is dense still, only elsewhere: it once ran out of places. */
static void deleting_in_the_order_of_hashes_shrinks_all_the_same(void)
{
    const uint64_t sizes[] = { 1500, 5000, 40000, 90000 };
    uint64_t number, leave;
    size_t s;

    for (s = 0; s < TN_ARRAY_COUNT(sizes); s++) {
        struct fixture *f = fixture_open(hash_mixed, false);

        for (leave = 2; leave < 20; leave = leave * 3 / 2) {
            for (number = 0; number < sizes[s]; number++)
                if (!f->has[number])
                    check(insert(f, number));
            erase_in_order_of_hashes(f, sizes[s] / leave);
            check(sizes[s] > 10000 || tn_index_check(&f->index));
            check(all_answer_rightly(f, sizes[s]));
        }
        check(tn_index_check(&f->index));
        erase_in_order_of_hashes(f, 0);
        while (tn_index_has_upkeep(&f->index))
            (void)tn_index_upkeep(&f->index, 100);
        check(f->index.counts[1] <= 400); /* the rest is built anew with the next delete */
        fixture_close(f);
    }
}

/* ---- hashes that collide --------------------------------------------------------------------- */

/* A hash that is no hash fills one home; what is beyond it is refused, not lost and not looped over. */
static void equal_hashes_are_refused_in_the_end_and_nothing_is_lost(void)
{
    struct fixture *f = fixture_open(hash_equal, false);
    uint64_t number = 0, kept;

    while (number < 1000 && insert(f, number))
        number++;
    kept = number;
    check(kept > 300 && kept <= TN_HOME_ENTRIES_MAX);
    check(f->memory.limit_refused);
    check(f->index.bytes < TN_MIB);
    check(tn_index_check(&f->index) && all_answer_rightly(f, 1000));
    for (number = 0; number < kept; number += 2)
        erase(f, number);
    check(tn_index_check(&f->index) && all_answer_rightly(f, 1000));
    for (number = 0; number < kept; number += 2)
        check(insert(f, number));
    check(!insert(f, kept));
    for (number = 0; number < kept; number++)
        erase(f, number);
    check_eq(f->index.entry_count, 0);
    fixture_close(f);
}

/* A home as full as it can be, carried along while the index around it grows and shrinks. */
static void a_full_home_survives_growing_and_shrinking(void)
{
    struct fixture *f = fixture_open(hash_clustered, false);
    uint64_t number, refused = 0;

    for (number = 390; number < 2000; number++)
        check(insert(f, number));
    for (number = 0; number < 390; number++)
        refused += !insert(f, number);
    for (number = 2000; number < 100000; number++)
        refused += !insert(f, number); /* its home, or one in the lee of the full one */
    check(refused < 400);
    check(tn_index_check(&f->index) && all_answer_rightly(f, 100000));
    for (number = 390; number < 100000; number++)
        if (f->has[number])
            erase(f, number);
    check(tn_index_check(&f->index) && all_answer_rightly(f, 100000));
    fixture_close(f);
}

/* ---- failures -------------------------------------------------------------------------------- */

/* Inserts and erases; what is refused must have changed nothing, and works when asked again. */
static size_t insert_and_erase(struct fixture *f, uint64_t peak)
{
    uint64_t number;
    size_t refused = 0;

    for (number = 0; number < peak; number++) {
        uint64_t bytes = f->index.bytes, counted = f->memory.counted_bytes;

        if (insert(f, number))
            continue;
        refused++;
        check_eq(f->index.bytes, bytes);
        check_eq(f->memory.counted_bytes, counted);
        check(!f->memory.limit_refused);
        check(tn_index_check(&f->index) && all_answer_rightly(f, number + 1));
        check(insert(f, number));
    }
    check(tn_index_check(&f->index) && all_answer_rightly(f, peak));
    for (number = 0; number < peak; number++)
        erase(f, number);
    check(tn_index_check(&f->index) && all_answer_rightly(f, peak));
    return refused;
}

static void each_refused_allocation_changes_nothing(void)
{
    struct fixture *f = fixture_open(hash_mixed, true);
    uint64_t number, all;

    check_eq(insert_and_erase(f, 3000), 0);
    all = f->allocator.asked;
    check(all > 15);
    fixture_close(f);
    for (number = 2; number <= all; number++) {
        f = fixture_open(hash_mixed, true);
        f->allocator.refuse_at = number;
        check(insert_and_erase(f, 3000) <= 1);
        check_eq(f->index.counts[1], 1);
        fixture_close(f);
    }
}

static void each_refused_page_changes_nothing(void)
{
    const enum tn_simulated_call kinds[] = { TN_CALL_PAGES_RESERVE, TN_CALL_PAGES_COMMIT };
    struct fixture *f = fixture_open(hash_mixed, true);
    uint64_t all[2], number;
    size_t k;

    insert_and_erase(f, 40000);
    for (k = 0; k < 2; k++)
        all[k] = tn_simulated_call_count(f->simulated, kinds[k]);
    fixture_close(f);
    for (k = 0; k < 2; k++) {
        check(all[k] > 0);
        for (number = 1; number <= all[k]; number++) {
            f = fixture_open(hash_mixed, true);
            check(tn_simulated_fail(f->simulated, kinds[k], number, ENOMEM, false));
            insert_and_erase(f, 40000);
            fixture_close(f);
        }
    }
}

/* With no more memory it takes what fits, then refuses and keeps what it has; then goes on. */
static void without_memory_it_fills_up_refuses_and_recovers(void)
{
    struct fixture *f = fixture_open(hash_mixed, true);
    uint64_t number = 0, first_refused;

    while (number < 20000)
        check(insert(f, number++));
    check(tn_simulated_fail(f->simulated, TN_CALL_PAGES_COMMIT, 1, ENOMEM, true));
    f->allocator.refuse_at = 1;
    f->allocator.refuse_all = true;
    while (number < NUMBERS_MAX && insert(f, number))
        number++;
    first_refused = number;
    check(first_refused < 60000);
    check(tn_index_check(&f->index) && all_answer_rightly(f, number));
    for (number = 0; number < first_refused; number += 2) /* P3, M3: never needs memory */
        erase(f, number);
    check(tn_index_check(&f->index) && all_answer_rightly(f, first_refused));
    tn_simulated_fail_none(f->simulated);
    f->allocator.refuse_at = UINT64_MAX;
    f->allocator.refuse_all = false;
    for (number = first_refused; number < first_refused + 30000; number++)
        check(insert(f, number));
    check(tn_index_check(&f->index) && all_answer_rightly(f, number));
    fixture_close(f);
}

/* A store may have thousands of tables that are large enough for mapped pages. */
static void an_index_reserves_little_enough_for_thousands_beside_it(void)
{
    struct fixture *f = fixture_open(hash_mixed, false);
    uint64_t number;

    for (number = 0; number < 2000; number++)
        check(insert(f, number));
    check(f->index.reserved_bytes > 0);
    check(f->index.reserved_bytes <= ((uint64_t)1 << 47) / 30000);
    fixture_close(f);
}

static void an_index_that_outgrows_its_reservation_gets_another(void)
{
    struct fixture *f = fixture_open(hash_mixed, true);
    uint64_t number, reserved_bytes;

    for (number = 1; number <= 10; number++)
        check(tn_simulated_fail(f->simulated, TN_CALL_PAGES_RESERVE, number, ENOMEM, false));
    for (number = 0; number < 5000; number++)
        check(insert(f, number));
    reserved_bytes = f->index.reserved_bytes;
    check_eq(reserved_bytes, 4 * TN_MIB);
    for (; number < NUMBERS_MAX; number++)
        check(insert(f, number));
    check(f->index.reserved_bytes > reserved_bytes);
    check(tn_index_check(&f->index) && all_answer_rightly(f, NUMBERS_MAX));
    fixture_close(f);
}

static void opening_without_memory_fails(void)
{
    struct fixture *f = fixture_open(hash_mixed, false);
    struct tn_index index;

    f->allocator.refuse_at = f->allocator.asked + 1;
    check(!tn_index_open(&index, &f->os, &f->memory));
    fixture_close(f);
}

static void freeing_goes_in_steps_of_about_the_budget(void)
{
    struct fixture *f = fixture_open(hash_mixed, false);
    uint64_t number, budget_bytes, steps = 0;

    for (number = 0; number < NUMBERS_MAX; number++)
        check(insert(f, number));
    check(f->index.bytes > 3 * TN_MIB);
    budget_bytes = 1;
    while (!tn_index_free_step(&f->index, &budget_bytes)) {
        check_eq(budget_bytes, 0);
        budget_bytes = 1;
        check(++steps < 100);
    }
    check_eq(f->memory.counted_bytes, 0);
    check(tn_index_open(&f->index, &f->os, &f->memory));
    fixture_close(f);
}

static const struct test tests[] = {
    T(matching_finds_each_slot_with_the_print),
    T(small_indexes_are_sound_after_every_step),
    T(growing_and_shrinking_loses_nothing),
    T(growing_to_300_000_and_back_loses_nothing),
    T(an_index_in_place_of_another_grows_by_doubling),
    T(a_small_index_in_place_of_another_is_at_once_as_large_until_it_shrinks),
    T(doubling_that_is_refused_becomes_a_third),
    T(entries_are_found_at_each_step_of_moving),
    T(a_hash_at_the_boundary_belongs_above_it),
    T(moved_records_are_found_by_their_new_handle),
    T(constant_churn_does_not_wear_the_index_out),
    T(an_emptied_bucket_counts_nothing),
    T(gathering_sees_unchanged_entries_once_while_others_come_and_go),
    T(deleting_in_the_order_of_hashes_shrinks_all_the_same),
    T(equal_hashes_are_refused_in_the_end_and_nothing_is_lost),
    T(a_full_home_survives_growing_and_shrinking),
    T(each_refused_allocation_changes_nothing),
    T(each_refused_page_changes_nothing),
    T(without_memory_it_fills_up_refuses_and_recovers),
    T(an_index_reserves_little_enough_for_thousands_beside_it),
    T(an_index_that_outgrows_its_reservation_gets_another),
    T(opening_without_memory_fails),
    T(freeing_goes_in_steps_of_about_the_budget),
};

TEST_MAIN(tests)
