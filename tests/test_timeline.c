/*
 * test_timeline.c - open slices stay in the order of time
 */
#include "stream/timeline.h"

#include "test.h"

static struct tn_span span_of(int64_t ordinal)
{
    return (struct tn_span){ .ordinal = ordinal };
}

static void insert(struct tn_timeline *timeline, struct tn_span *span)
{
    check(tn_timeline_reserve(timeline));
    tn_timeline_insert(timeline, span);
}

static void an_empty_timeline_finds_nothing(void)
{
    struct tn_memory memory;
    struct tn_timeline timeline;

    tn_memory_init(&memory, NULL, NULL, 0);
    tn_timeline_init(&timeline, &memory);
    check(tn_timeline_first(&timeline) == NULL);
    check(tn_timeline_find(&timeline, 0) == NULL);
    tn_timeline_finish(&timeline);
}

static void a_span_is_found_by_its_ordinal_and_no_other(void)
{
    struct tn_span a = span_of(-3);
    struct tn_span b = span_of(4);
    struct tn_memory memory;
    struct tn_timeline timeline;

    tn_memory_init(&memory, NULL, NULL, 0);
    tn_timeline_init(&timeline, &memory);
    insert(&timeline, &b);
    insert(&timeline, &a);
    check(tn_timeline_first(&timeline) == &a);
    check(tn_timeline_find(&timeline, -4) == NULL);
    check(tn_timeline_find(&timeline, -3) == &a);
    check(tn_timeline_find(&timeline, 0) == NULL);
    check(tn_timeline_find(&timeline, 4) == &b);
    check(tn_timeline_find(&timeline, 5) == NULL);
    check(tn_timeline_at(&timeline, tn_timeline_place(&timeline, INT64_MIN)) == &a);
    check(tn_timeline_at(&timeline, tn_timeline_place(&timeline, -2)) == &b);
    check(tn_timeline_at(&timeline, tn_timeline_place(&timeline, INT64_MAX)) == NULL);
    tn_timeline_finish(&timeline);
    check_eq(memory.counted_bytes, 0);
}

/* Against an array of flags: inserts anywhere, removals at the front. */
static void it_agrees_with_a_plain_array(void)
{
    enum { SPAN_COUNT = 300 };
    static struct tn_span spans[SPAN_COUNT];
    bool open[SPAN_COUNT] = { false };
    uint64_t random = test_seed();
    struct tn_memory memory;
    struct tn_timeline timeline;
    size_t open_count = 0;

    tn_memory_init(&memory, NULL, NULL, 0);
    tn_timeline_init(&timeline, &memory);
    for (size_t i = 0; i < SPAN_COUNT; i++)
        spans[i] = span_of((int64_t)i);
    for (int round = 0; round < 50000; round++) {
        size_t pick = test_random(&random) % SPAN_COUNT;
        bool inserting = test_random(&random) % 1000 < (round / 5000 % 2 != 0 ? 200 : 800);
        size_t first = 0;

        if (inserting && !open[pick]) {
            insert(&timeline, &spans[pick]);
            open[pick] = true;
            open_count++;
        } else if (!inserting && open_count > 0) {
            while (!open[first])
                first++;
            check(tn_timeline_first(&timeline) == &spans[first]);
            tn_timeline_remove_first(&timeline);
            open[first] = false;
            open_count--;
        }
        check_eq(timeline.count, open_count);
        check(tn_timeline_find(&timeline, (int64_t)pick) == (open[pick] ? &spans[pick] : NULL));
    }
    tn_timeline_finish(&timeline);
    check_eq(memory.counted_bytes, 0);
}

static void a_window_that_slides_on_for_ever_takes_no_more_room(void)
{
    static struct tn_span spans[64];
    struct tn_memory memory;
    struct tn_timeline timeline;

    tn_memory_init(&memory, NULL, NULL, 0);
    tn_timeline_init(&timeline, &memory);
    for (int64_t i = 0; i < 100000; i++) {
        spans[i % 64] = span_of(i);
        insert(&timeline, &spans[i % 64]);
        if (timeline.count > 10)
            tn_timeline_remove_first(&timeline);
    }
    check(timeline.capacity <= 64);
    tn_timeline_finish(&timeline);
}

static void no_memory_is_answered_and_changes_nothing(void)
{
    struct tn_memory memory;
    struct tn_timeline timeline;

    tn_memory_init(&memory, NULL, NULL, 1);
    tn_timeline_init(&timeline, &memory);
    check(!tn_timeline_reserve(&timeline));
    check(tn_timeline_first(&timeline) == NULL);
    tn_timeline_finish(&timeline);
}

static const struct test tests[] = {
    T(an_empty_timeline_finds_nothing),
    T(a_span_is_found_by_its_ordinal_and_no_other),
    T(it_agrees_with_a_plain_array),
    T(a_window_that_slides_on_for_ever_takes_no_more_room),
    T(no_memory_is_answered_and_changes_nothing),
};
TEST_MAIN(tests)
