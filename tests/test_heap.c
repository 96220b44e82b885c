/*
 * test_heap.c - the heap against a list of what was handed out, and rules P1 to P6 of heap.h
 *
 * Every record is filled with a pattern made from its number, and looked at again before it is
 * freed: two that overlap cannot both keep theirs.
 */
#include "heap/heap.h"
#include "heap/size_class.h"
#include "os/simulated.h"

#include "allocator.h"
#include "test.h"

#include <errno.h>

#define RECORDS_MAX ((size_t)20000)

struct taken {
    tn_handle handle;
    size_t bytes;
    size_t owner;
    uint64_t pattern;
};

struct fixture {
    struct allocator allocator;
    struct tn_memory memory;
    struct tn_os os;
    struct tn_simulated *simulated; /* NULL: the kernel */
    struct tn_heap heap;
    struct tn_heap_owner owners[3];
    struct taken taken[RECORDS_MAX];
    size_t taken_count;
    uint64_t random;
    uint64_t next_pattern;
};

static struct fixture fixture;

static struct fixture *fixture_open(uint64_t address_bytes, uint64_t limit_bytes, bool simulated)
{
    struct fixture *f = &fixture;

    memset(f, 0, sizeof *f);
    f->allocator.refuse_at = UINT64_MAX;
    f->random = test_seed();
    f->os = tn_os_posix;
    if (simulated) {
        f->simulated = tn_simulated_new(NULL);
        f->os = tn_simulated_os(f->simulated);
    }
    tn_memory_init(&f->memory, allocator_call, &f->allocator, limit_bytes);
    check_ok(tn_heap_open(&f->heap, &f->os, &f->memory, address_bytes, address_bytes));
    return f;
}

static bool heap_is_sound(const struct fixture *f)
{
    size_t i;

    for (i = 0; i < 3; i++)
        if (!tn_heap_check(&f->heap, &f->owners[i]))
            return false;
    return true;
}

static void fill(const struct fixture *f, const struct taken *taken)
{
    uint8_t *at = (uint8_t *)tn_heap_record(&f->heap, taken->handle);
    size_t i, step = taken->bytes > 4096 ? 509 : 1;

    for (i = 0; i < taken->bytes; i += step)
        at[i] = (uint8_t)(taken->pattern + i);
    at[taken->bytes - 1] = (uint8_t)taken->pattern;
}

static bool is_filled(const struct fixture *f, const struct taken *taken)
{
    const uint8_t *at = (const uint8_t *)tn_heap_record(&f->heap, taken->handle);
    size_t i, step = taken->bytes > 4096 ? 509 : 1;

    for (i = 0; i + 1 < taken->bytes; i += step)
        if (at[i] != (uint8_t)(taken->pattern + i))
            return false;
    return at[taken->bytes - 1] == (uint8_t)taken->pattern;
}

static bool take(struct fixture *f, size_t owner, size_t bytes)
{
    struct taken *taken = &f->taken[f->taken_count];
    tn_handle handle = tn_heap_allocate(&f->heap, &f->owners[owner], bytes);

    if (handle == TN_HANDLE_NONE)
        return false;
    check(tn_heap_slot_bytes(&f->heap, handle) >= bytes);
    check(handle >> TN_HANDLE_BITS == 0);
    check(handle * TN_GRANULE_BYTES < f->heap.address_bytes);
    *taken = (struct taken){ handle, bytes, owner, f->next_pattern };
    f->next_pattern += 37;
    f->taken_count++;
    fill(f, taken);
    return true;
}

static void give_back(struct fixture *f, size_t place)
{
    struct taken taken = f->taken[place];

    check(is_filled(f, &taken));
    tn_heap_free(&f->heap, &f->owners[taken.owner], taken.handle);
    f->taken[place] = f->taken[--f->taken_count];
}

static void give_back_all(struct fixture *f)
{
    while (f->taken_count > 0)
        give_back(f, f->taken_count - 1);
}

static void fixture_close(struct fixture *f)
{
    uint64_t no_limit = UINT64_MAX;
    size_t i;

    give_back_all(f);
    for (i = 0; i < 3; i++)
        check(tn_heap_owner_free_step(&f->heap, &f->owners[i], &no_limit));
    tn_heap_trim(&f->heap, 0);
    check_eq(f->memory.counted_bytes, f->heap.regions_committed_bytes);
    tn_heap_close(&f->heap);
    check_eq(f->memory.counted_bytes, 0);
    check_eq(f->allocator.live_blocks, 0);
    check(!f->allocator.size_was_wrong);
    if (f->simulated != NULL)
        tn_simulated_free(f->simulated);
}

/* ---- size classes ---------------------------------------------------------------------------- */

static void every_size_gets_a_slot_at_most_8_bytes_or_a_32nd_larger(void)
{
    size_t granules;
    unsigned last = 0;

    for (granules = 1; granules <= SIZE_CLASS_GRANULES_MAX; granules++) {
        unsigned size_class = size_class_of(granules);
        size_t slot = size_class_granules(size_class);

        if (size_class >= TN_CLASS_COUNT || slot < granules || size_class < last ||
            slot - granules > granules / 32 || size_class_of(slot) != size_class ||
            (size_class > 0 && size_class_granules(size_class - 1) >= granules)) {
            test_fail(__FILE__, __LINE__, "%zu granules: class %u, slot %zu", granules, size_class,
                      slot);
            return;
        }
        last = size_class;
    }
    check_eq(size_class_granules(last), SIZE_CLASS_GRANULES_MAX);
}

static void each_size_to_the_byte_is_taken_and_given_back(void)
{
    struct fixture *f = fixture_open(TN_GIB, 0, false);
    size_t bytes, copies;

    for (bytes = 1; bytes <= 300; bytes++)
        for (copies = 0; copies < 5; copies++)
            check(take(f, 0, bytes));
    for (bytes = 128 * TN_KIB - 9; bytes <= 128 * TN_KIB + 9; bytes++)
        check(take(f, 0, bytes));
    check(heap_is_sound(f));
    fixture_close(f);
}

/* ---- taking and giving back ------------------------------------------------------------------ */

static size_t random_bytes(struct fixture *f)
{
    uint64_t word = test_random(&f->random);
    unsigned shift = (unsigned)(word % (word >> 20 & 1 ? 13 : 22)); /* to 4 MiB, most to 8 KiB */

    return ((size_t)1 << shift) + (size_t)(word >> 32) % ((size_t)1 << shift);
}

static void records_of_random_sizes_never_overlap(void)
{
    struct fixture *f = fixture_open(64 * TN_GIB, 0, false);
    uint64_t live_bytes = 0;
    size_t step;

    for (step = 0; step < 20000; step++) {
        bool grows = (step / 2000) % 2 == 0;

        if (f->taken_count > 0 && test_random(&f->random) % 100 < (grows ? 30 : 70)) {
            size_t place = (size_t)(test_random(&f->random) % f->taken_count);

            live_bytes -= f->taken[place].bytes;
            give_back(f, place);
        } else if (f->taken_count < RECORDS_MAX && live_bytes < 64 * TN_MIB) {
            size_t bytes = random_bytes(f);

            check(take(f, (size_t)(test_random(&f->random) % 3), bytes));
            live_bytes += bytes;
        }
        if (step % 500 == 0)
            check(heap_is_sound(f));
    }
    fixture_close(f);
}

static void small_heaps_are_sound_after_every_step(void)
{
    struct fixture *f = fixture_open(TN_GIB, 0, false);
    size_t step;

    for (step = 0; step < 6000; step++) {
        if (f->taken_count > 0 && test_random(&f->random) % 100 < 48)
            give_back(f, (size_t)(test_random(&f->random) % f->taken_count));
        else
            check(take(f, (size_t)(test_random(&f->random) % 3),
                       1 + (size_t)(test_random(&f->random) % 40)));
        check(heap_is_sound(f));
        if (step % 700 == 0)
            tn_heap_trim(&f->heap, test_random(&f->random) % (64 * TN_KIB));
    }
    fixture_close(f);
}

static void a_record_may_span_regions(void)
{
    struct fixture *f = fixture_open(TN_GIB, 0, false);
    const size_t sizes[] = { TN_REGION_BYTES - 1,     TN_REGION_BYTES,         TN_REGION_BYTES + 1,
                             2 * TN_REGION_BYTES,     2 * TN_REGION_BYTES + 1, 64 * TN_MIB,
                             3 * TN_REGION_BYTES - 8, 5 * TN_REGION_BYTES + 17 };
    size_t round, i;

    for (round = 0; round < 3; round++) {
        for (i = 0; i < TN_ARRAY_COUNT(sizes); i++)
            check(take(f, i % 3, sizes[i]));
        check(heap_is_sound(f));
        for (i = 0; i < TN_ARRAY_COUNT(sizes); i++)
            give_back(f, (size_t)(test_random(&f->random) % f->taken_count));
    }
    check(f->heap.region_next < 64); /* regions are found again */
    fixture_close(f);
}

static void the_smallest_slots_are_told_apart(void)
{
    struct fixture *f = fixture_open(TN_GIB, 0, false);
    size_t i;

    for (i = 0; i < 600; i++)
        check(take(f, 0, 1 + i % 8));
    for (i = 0; i < 300; i++)
        give_back(f, (size_t)(test_random(&f->random) % f->taken_count));
    check(heap_is_sound(f));
    for (i = 0; i < 300; i++)
        check(take(f, 0, 8));
    check_eq(f->owners[0].chunk_bytes, 2 * TN_OS_PAGE_BYTES);
    fixture_close(f);
}

/* ---- memory comes back ----------------------------------------------------------------------- */

/* What nothing shrank once: a store keeps its peak for ever. */
static void memory_comes_back_after_freeing(void)
{
    struct fixture *f = fixture_open(4 * TN_GIB, 0, false);
    size_t i;

    for (i = 0; i < RECORDS_MAX; i++)
        check(take(f, 0, 100 + i % 20000));
    check(f->memory.counted_bytes > 150 * TN_MIB);
    give_back_all(f);
    check(f->heap.kept_bytes <= f->heap.used_bytes / 8 + 4 * TN_MIB); /* P4 */
    check(f->memory.counted_bytes < 32 * TN_MIB);
    tn_heap_trim(&f->heap, 0);
    check_eq(f->heap.kept_bytes, 0);
    fixture_close(f);
}

static void kept_pages_stay_within_their_share(void)
{
    struct fixture *f = fixture_open(4 * TN_GIB, 0, false);
    size_t i;
    bool within = true;

    for (i = 0; i < RECORDS_MAX; i++)
        check(take(f, 0, 16000));
    while (f->taken_count > 0) {
        give_back(f, f->taken_count - 1);
        within &= f->heap.kept_bytes <= f->heap.used_bytes / 8 + 4 * TN_MIB;
    }
    check(within);
    fixture_close(f);
}

static void what_is_warm_stays_until_it_is_taken_or_has_cooled(void)
{
    struct fixture *f = fixture_open(4 * TN_GIB, 0, true);
    uint64_t no_limit = UINT64_MAX, held_bytes, kept_bytes, commits;
    size_t i;

    for (i = 0; i < RECORDS_MAX; i++)
        check(take(f, 0, 1000));
    held_bytes = f->owners[0].chunk_bytes;
    check(held_bytes > 16 * TN_MIB);
    tn_heap_warm(&f->heap, held_bytes);
    f->taken_count = 0; /* as a table is cleared */
    check(tn_heap_owner_free_step(&f->heap, &f->owners[0], &no_limit));
    check_eq(f->heap.kept_bytes, held_bytes); /* P4 */
    commits = tn_simulated_call_count(f->simulated, TN_CALL_PAGES_COMMIT);
    for (i = 0; i < RECORDS_MAX; i++)
        check(take(f, 0, 1000));
    check_eq(tn_simulated_call_count(f->simulated, TN_CALL_PAGES_COMMIT), commits);
    check_eq(f->heap.warm_bytes, 0); /* it was taken: what deletes free now comes back */
    give_back_all(f);
    check(f->heap.kept_bytes <= f->heap.used_bytes / 8 + 4 * TN_MIB);
    tn_heap_trim(&f->heap, 0);

    for (i = 0; i < RECORDS_MAX; i++)
        check(take(f, 0, 1000));
    tn_heap_warm(&f->heap, f->owners[0].chunk_bytes);
    f->taken_count = 0;
    check(tn_heap_owner_free_step(&f->heap, &f->owners[0], &no_limit));
    for (i = 0; f->heap.kept_bytes > 4 * TN_MIB; i++) {
        kept_bytes = f->heap.kept_bytes;
        tn_heap_cool(&f->heap);
        check(f->heap.kept_bytes + 2 * TN_REGION_BYTES >= kept_bytes); /* in small steps */
        check(i < 100);
    }
    check(i > 4);
    tn_heap_warm(&f->heap, 8 * TN_MIB);
    tn_heap_trim(&f->heap, 0);
    check_eq(f->heap.warm_bytes, 0);
    fixture_close(f);
}

static void given_up_chunks_serve_other_classes_and_owners(void)
{
    struct fixture *f = fixture_open(TN_GIB, 0, true);
    uint64_t commits;
    size_t i;

    for (i = 0; i < 5000; i++)
        check(take(f, 0, 64));
    give_back_all(f);
    commits = tn_simulated_call_count(f->simulated, TN_CALL_PAGES_COMMIT);
    for (i = 0; i < 200; i++)
        check(take(f, 1, 48));
    check_eq(tn_simulated_call_count(f->simulated, TN_CALL_PAGES_COMMIT), commits);
    fixture_close(f);
}

static void one_record_beside_an_empty_chunk_makes_no_system_calls(void)
{
    struct fixture *f = fixture_open(TN_GIB, 0, true);
    uint64_t calls;
    size_t i;

    for (i = 0; i < 64; i++)
        check(take(f, 0, 64));
    check(take(f, 0, 64));
    give_back(f, f->taken_count - 1);
    calls = tn_simulated_call_count(f->simulated, TN_CALL_ANY);
    for (i = 0; i < 1000; i++) {
        check(take(f, 0, 64));
        give_back(f, f->taken_count - 1);
    }
    check_eq(tn_simulated_call_count(f->simulated, TN_CALL_ANY), calls);
    fixture_close(f);
}

/* ---- owners ---------------------------------------------------------------------------------- */

static void owners_do_not_share_chunks(void)
{
    struct fixture *f = fixture_open(TN_GIB, 0, false);
    uint64_t no_limit = UINT64_MAX;
    size_t i;

    for (i = 0; i < 3000; i++)
        check(take(f, i % 3, 8 + i % 200));
    check(tn_heap_owner_free_step(&f->heap, &f->owners[1], &no_limit));
    check_eq(f->owners[1].chunk_bytes, 0);
    for (i = 0; i < f->taken_count;) {
        if (f->taken[i].owner == 1)
            f->taken[i] = f->taken[--f->taken_count];
        else
            check(is_filled(f, &f->taken[i++]));
    }
    check_eq(f->taken_count, 2000);
    check(heap_is_sound(f));
    check(take(f, 1, 100)); /* an owner that was freed can begin anew */
    fixture_close(f);
}

static void an_owner_is_freed_in_steps_of_about_the_budget(void)
{
    struct fixture *f = fixture_open(4 * TN_GIB, 0, false);
    uint64_t before, budget_bytes, largest = 0;
    size_t i, steps = 0;
    bool done = false;

    for (i = 0; i < RECORDS_MAX / 2; i++)
        check(take(f, 0, 64 + i % 300));
    check(take(f, 0, 5 * TN_MIB));
    f->taken_count = 0;
    before = f->owners[0].chunk_bytes;
    while (!done) {
        uint64_t held = f->owners[0].chunk_bytes;

        budget_bytes = 1;
        done = tn_heap_owner_free_step(&f->heap, &f->owners[0], &budget_bytes);
        check(done || budget_bytes == 0);
        if (held - f->owners[0].chunk_bytes > largest)
            largest = held - f->owners[0].chunk_bytes;
        check(tn_heap_check(&f->heap, &f->owners[0]));
        steps++;
    }
    check(steps > 10);
    check(before > 6 * TN_MIB);
    check_eq(largest, 5 * TN_MIB); /* one chunk a step: here the large record */
    budget_bytes = 0;
    check(tn_heap_owner_free_step(&f->heap, &f->owners[0], &budget_bytes));
    fixture_close(f);
}

/* ---- limits ---------------------------------------------------------------------------------- */

static void a_full_address_range_refuses_and_recovers(void)
{
    struct fixture *f = fixture_open(16 * TN_MIB, 0, false);
    size_t round, i, first_count = 0;

    for (round = 0; round < 4; round++) {
        while (f->taken_count < RECORDS_MAX && take(f, round % 3, 3000 + round * 1000)) {
        }
        check(f->memory.limit_refused);
        check(heap_is_sound(f));
        if (round == 0)
            first_count = f->taken_count;
        check(f->taken_count * (3000 + round * 1000) > 10 * TN_MIB);
        check(!take(f, 0, 15 * TN_MIB));
        check(f->memory.limit_refused);
        for (i = 0; i < 100; i++)
            give_back(f, (size_t)(test_random(&f->random) % f->taken_count));
        check(heap_is_sound(f));
        check(take(f, round % 3, 3000 + round * 1000));
        give_back_all(f);
        tn_heap_trim(&f->heap, 0);
    }
    check(first_count > 3000);
    fixture_close(f);
}

static void a_range_of_one_region_holds_nothing_but_says_so(void)
{
    struct fixture *f = fixture_open(1, 0, false);

    check(!take(f, 0, 1));
    check(f->memory.limit_refused);
    check(!take(f, 0, 4 * TN_MIB));
    check(heap_is_sound(f));
    fixture_close(f);
}

static void the_memory_limit_refuses_and_frees_help(void)
{
    size_t sizes[] = { 24, 1000, 20000, 300000, 3000000 }, s, i;

    for (s = 0; s < TN_ARRAY_COUNT(sizes); s++) {
        struct fixture *f = fixture_open(TN_GIB, 24 * TN_MIB, false);
        size_t t;

        for (t = 0; t < TN_ARRAY_COUNT(sizes); t++) {
            size_t bytes = sizes[(s + t) % TN_ARRAY_COUNT(sizes)];

            while (f->taken_count < RECORDS_MAX && take(f, t % 3, bytes)) {
            }
            check(f->memory.limit_refused || f->taken_count == RECORDS_MAX);
            check(f->memory.counted_bytes <= 24 * TN_MIB);
            check(heap_is_sound(f));
            for (i = f->taken_count / 2 + 1; i > 0; i--)
                give_back(f, f->taken_count - 1);
            check(take(f, t % 3, bytes));
            check(heap_is_sound(f));
        }
        fixture_close(f);
    }
}

/*
 * Committing the first chunk of a fresh region may meet the limit; then kept pages are given back
 * to make room, and the walk over the regions that have some must not take the fresh one for
 * unused.
 */
static void a_fresh_region_survives_the_trim_that_makes_room_for_it(void)
{
    const size_t sizes[] = { 64, 1000, 20000, 140000, 600000 };
    size_t s, slack_bytes, i;

    for (s = 0; s < TN_ARRAY_COUNT(sizes); s++)
        for (slack_bytes = 1000; slack_bytes < 16000; slack_bytes += 500) {
            struct fixture *f = fixture_open(TN_GIB, 0, false);

            for (i = 0; i < 60; i++)
                check(take(f, 0, 100000));
            give_back_all(f);
            check(f->heap.kept_bytes > TN_MIB);
            f->memory.limit_bytes = f->memory.counted_bytes + slack_bytes;
            if (take(f, 1, sizes[s]))
                check(take(f, 1, sizes[s]));
            check(heap_is_sound(f));
            fixture_close(f);
        }
}

/* ---- failures -------------------------------------------------------------------------------- */

static const size_t fault_sizes[] = { 8, 24, 300, 5000, 100000, 200000, 3000000 };

/* Takes a record of each size; those refused are tried again. Answers how many were refused. */
static size_t take_each_size(struct fixture *f)
{
    size_t refused = 0, i, round;

    for (round = 0; round < 40; round++)
        for (i = 0; i < TN_ARRAY_COUNT(fault_sizes); i++) {
            uint64_t used_bytes = f->heap.used_bytes;

            if (round > 3 && i > 3)
                continue;
            if (take(f, i % 2, fault_sizes[i]))
                continue;
            refused++;
            check(heap_is_sound(f));
            check_eq(f->heap.used_bytes, used_bytes);
            check(!f->memory.limit_refused);
            check(take(f, i % 2, fault_sizes[i]));
        }
    return refused;
}

static void each_refused_allocation_changes_nothing(void)
{
    uint64_t number, all, refused = 0;
    struct fixture *f = fixture_open(TN_GIB, 0, false);

    check_eq(take_each_size(f), 0);
    all = f->allocator.asked;
    check(all > 10);
    fixture_close(f);
    for (number = 1; number <= all; number++) {
        f = fixture_open(TN_GIB, 0, false);
        f->allocator.refuse_at = number;
        refused += take_each_size(f);
        fixture_close(f);
    }
    check(refused > all / 2); /* of the others, a smaller chunk did */
}

static void each_refused_commit_changes_nothing(void)
{
    uint64_t number, all, refused = 0;
    struct fixture *f = fixture_open(TN_GIB, 0, true);

    take_each_size(f);
    all = tn_simulated_call_count(f->simulated, TN_CALL_PAGES_COMMIT);
    check(all > 10);
    fixture_close(f);
    for (number = 1; number <= all; number++) {
        f = fixture_open(TN_GIB, 0, true);
        check(tn_simulated_fail(f->simulated, TN_CALL_PAGES_COMMIT, number, ENOMEM, false));
        refused += take_each_size(f);
        fixture_close(f);
    }
    check(refused > all / 2);
}

static void a_refused_reservation_is_tried_with_half_as_much(void)
{
    struct fixture *f = fixture_open(TN_GIB, 0, true);
    struct tn_heap heap;

    check(tn_simulated_fail(f->simulated, TN_CALL_PAGES_RESERVE, 1, ENOMEM, false));
    check_ok(tn_heap_open(&heap, &f->os, &f->memory, TN_GIB, 16 * TN_MIB));
    check_eq(heap.address_bytes, TN_GIB / 2);
    tn_heap_close(&heap);
    check(tn_simulated_fail(f->simulated, TN_CALL_PAGES_RESERVE, 1, ENOMEM, true));
    check_eq(tn_heap_open(&heap, &f->os, &f->memory, TN_GIB, 16 * TN_MIB), -ENOMEM);
    tn_simulated_fail_none(f->simulated);
    fixture_close(f);
}

static const struct test tests[] = {
    T(every_size_gets_a_slot_at_most_8_bytes_or_a_32nd_larger),
    T(each_size_to_the_byte_is_taken_and_given_back),
    T(records_of_random_sizes_never_overlap),
    T(small_heaps_are_sound_after_every_step),
    T(a_record_may_span_regions),
    T(the_smallest_slots_are_told_apart),
    T(memory_comes_back_after_freeing),
    T(kept_pages_stay_within_their_share),
    T(what_is_warm_stays_until_it_is_taken_or_has_cooled),
    T(given_up_chunks_serve_other_classes_and_owners),
    T(one_record_beside_an_empty_chunk_makes_no_system_calls),
    T(owners_do_not_share_chunks),
    T(an_owner_is_freed_in_steps_of_about_the_budget),
    T(a_full_address_range_refuses_and_recovers),
    T(a_range_of_one_region_holds_nothing_but_says_so),
    T(the_memory_limit_refuses_and_frees_help),
    T(a_fresh_region_survives_the_trim_that_makes_room_for_it),
    T(each_refused_allocation_changes_nothing),
    T(each_refused_commit_changes_nothing),
    T(a_refused_reservation_is_tried_with_half_as_much),
};

TEST_MAIN(tests)
