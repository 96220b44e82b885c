/*
 * test_memory.c - the rules M1 to M3 of memory.h
 */
#include "base/memory.h"
#include "test.h"

/* An allocator that checks what it is told, and refuses when its count-down is over. */
struct watched {
    struct {
        void *block;
        size_t bytes;
    } live[64];
    size_t live_count;
    size_t live_bytes;
    uint64_t calls_left; /* before it refuses */
    uint64_t wrong_count;
};

static size_t watched_find(struct watched *watched, const void *block)
{
    size_t i;

    for (i = 0; i < watched->live_count; i++)
        if (watched->live[i].block == block)
            break;
    return i;
}

static void *watched_allocate(void *context, void *old, size_t old_bytes, size_t new_bytes)
{
    struct watched *watched = context;
    size_t i = watched_find(watched, old);
    void *block;

    if (old == NULL ? old_bytes != 0
                    : i == watched->live_count || watched->live[i].bytes != old_bytes) {
        watched->wrong_count++;
        return NULL;
    }
    if (new_bytes == 0) {
        free(old);
        if (old != NULL)
            watched->live[i] = watched->live[--watched->live_count];
        watched->live_bytes -= old_bytes;
        return NULL;
    }
    if (watched->calls_left == 0)
        return NULL;
    watched->calls_left--;
    block = malloc(new_bytes); /* always elsewhere, and not zero */
    memset(block, 0xEE, new_bytes);
    if (old != NULL)
        memcpy(block, old, old_bytes < new_bytes ? old_bytes : new_bytes);
    free(old);
    watched->live[i].block = block;
    watched->live[i].bytes = new_bytes;
    watched->live_count += old == NULL;
    watched->live_bytes += new_bytes - old_bytes;
    return block;
}

static struct watched watched;
static struct tn_memory memory;

static void begin(uint64_t limit_bytes)
{
    watched = (struct watched){ .calls_left = UINT64_MAX };
    tn_memory_init(&memory, watched_allocate, &watched, limit_bytes);
}

static void end(void)
{
    check_eq(memory.counted_bytes, 0);
    check_eq(watched.live_count, 0);
    check_eq(watched.live_bytes, 0);
    check_eq(watched.wrong_count, 0);
}

static void the_count_is_the_sum_of_live_blocks(void) /* M1 */
{
    uint8_t *a, *b;

    begin(0);
    a = tn_memory_new(&memory, 100, false);
    b = tn_memory_new(&memory, 1, true);
    check_eq(memory.counted_bytes, 101);
    a = tn_memory_resize(&memory, a, 100, 5000);
    check_eq(memory.counted_bytes, 5001);
    a = tn_memory_resize(&memory, a, 5000, 7);
    check_eq(memory.counted_bytes, 8);
    a = tn_memory_resize(&memory, a, 7, 7);
    check_eq(memory.counted_bytes, 8);
    tn_memory_free(&memory, b, 1);
    check_eq(memory.counted_bytes, 7);
    check_eq(memory.counted_bytes_max, 5001);
    tn_memory_free(&memory, a, 7);
    tn_memory_free(&memory, NULL, 0);
    end();
}

static void new_memory_is_zero_when_asked(void)
{
    uint8_t *block;
    size_t i, bytes;

    begin(0);
    for (bytes = 1; bytes < 300; bytes += 13) {
        block = tn_memory_new(&memory, bytes, true);
        for (i = 0; i < bytes; i++)
            check_eq(block[i], 0);
        tn_memory_free(&memory, block, bytes);
    }
    end();
}

static void resizing_keeps_the_shorter_of_both(void)
{
    uint8_t *block;

    begin(0);
    block = tn_memory_resize(&memory, NULL, 0, 4);
    memcpy(block, "abcd", 4);
    block = tn_memory_resize(&memory, block, 4, 64);
    check_bytes(block, 4, "abcd", 4);
    block = tn_memory_resize(&memory, block, 64, 2);
    check_bytes(block, 2, "ab", 2);
    tn_memory_free(&memory, block, 2);
    end();
}

static void nothing_is_counted_beyond_the_limit(void) /* M2 */
{
    uint8_t *block;

    begin(100);
    check(tn_memory_new(&memory, 101, false) == NULL);
    check(memory.limit_refused);
    check_eq(memory.counted_bytes, 0);
    block = tn_memory_new(&memory, 100, false); /* up to the limit */
    check(block != NULL);
    check(!memory.limit_refused);
    check(tn_memory_new(&memory, 1, false) == NULL);
    check(tn_memory_resize(&memory, block, 100, 101) == NULL);
    check_eq(memory.counted_bytes, 100);
    memset(block, 1, 100); /* still there */
    block = tn_memory_resize(&memory, block, 100, 60);
    check(block != NULL);
    check(tn_memory_resize(&memory, block, 60, SIZE_MAX) == NULL);
    check(memory.limit_refused);
    check_eq(memory.counted_bytes, 60);
    check_eq(memory.counted_bytes_max, 100);
    tn_memory_free(&memory, block, 60);
    end();
}

static void the_limit_refuses_before_the_allocator_is_asked(void)
{
    begin(10);
    watched.calls_left = 5;
    check(tn_memory_new(&memory, 11, false) == NULL);
    check_eq(watched.calls_left, 5);
    end();
}

static void charged_bytes_count_as_blocks_do(void)
{
    uint8_t *block;

    begin(100);
    check(tn_memory_charge(&memory, 60));
    check_eq(memory.counted_bytes, 60);
    check(tn_memory_new(&memory, 41, false) == NULL);
    block = tn_memory_new(&memory, 40, false);
    check(block != NULL);
    check(!tn_memory_charge(&memory, 1));
    check(memory.limit_refused);
    check(tn_memory_charge(&memory, 0));
    check(!tn_memory_charge(&memory, UINT64_MAX));
    check_eq(memory.counted_bytes, 100);
    tn_memory_discharge(&memory, 60);
    check_eq(memory.counted_bytes, 40);
    tn_memory_free(&memory, block, 40);
    end();
}

static void without_a_limit_the_count_cannot_overflow(void)
{
    begin(0);
    check(tn_memory_charge(&memory, UINT64_MAX - 5));
    check(!tn_memory_charge(&memory, 6));
    check(tn_memory_charge(&memory, 5));
    tn_memory_discharge(&memory, UINT64_MAX);
    end();
}

static void a_refusal_of_the_allocator_changes_nothing(void)
{
    uint8_t *block;

    begin(1000);
    block = tn_memory_new(&memory, 4, false);
    memcpy(block, "abcd", 4);
    watched.calls_left = 0;
    check(tn_memory_new(&memory, 8, true) == NULL);
    check(!memory.limit_refused);
    check(tn_memory_resize(&memory, block, 4, 400) == NULL);
    check(!memory.limit_refused);
    check(tn_memory_new(&memory, 1001, false) == NULL);
    check(memory.limit_refused);
    check(tn_memory_resize(&memory, block, 4, 3) == NULL); /* even shrinking may be refused */
    check(!memory.limit_refused);
    check_eq(memory.counted_bytes, 4);
    check_bytes(block, 4, "abcd", 4);
    tn_memory_free(&memory, block, 4); /* M3 */
    end();
}

/* M1 and M2 through 20,000 random calls, with an allocator that refuses now and then. */
static void the_count_is_right_after_any_calls(void)
{
    struct {
        void *block;
        size_t bytes;
    } slots[60] = { { NULL, 0 } };
    uint64_t state = test_seed(), limit_bytes = 20000;
    size_t i, bytes;
    void *block;
    int call;

    begin(limit_bytes);
    for (call = 0; call < 20000; call++) {
        i = test_random(&state) % TN_ARRAY_COUNT(slots);
        bytes = 1 + test_random(&state) % 1000;
        watched.calls_left = test_random(&state) % 8 != 0;
        if (test_random(&state) % 3 == 0) {
            tn_memory_free(&memory, slots[i].block, slots[i].bytes);
            slots[i].block = NULL;
            slots[i].bytes = 0;
        } else {
            block = tn_memory_resize(&memory, slots[i].block, slots[i].bytes, bytes);
            if (block != NULL) {
                slots[i].block = block;
                slots[i].bytes = bytes;
            }
        }
        check_eq(memory.counted_bytes, watched.live_bytes);
        check(memory.counted_bytes <= limit_bytes);
        check(memory.counted_bytes_max >= memory.counted_bytes);
    }
    for (i = 0; i < TN_ARRAY_COUNT(slots); i++)
        tn_memory_free(&memory, slots[i].block, slots[i].bytes);
    end();
}

static void the_c_library_serves_by_default(void)
{
    uint8_t *block;

    tn_memory_init(&memory, NULL, NULL, 0);
    block = tn_memory_new(&memory, 1000, true);
    check(block != NULL);
    check_eq((uintptr_t)block % 16, 0);
    block = tn_memory_resize(&memory, block, 1000, 100000);
    check(block != NULL);
    check_eq(block[999], 0);
    check_eq((uintptr_t)block % 16, 0);
    check_eq(memory.counted_bytes, 100000);
    tn_memory_free(&memory, block, 100000);
    check_eq(memory.counted_bytes, 0);
}

static const struct test tests[] = {
    T(the_count_is_the_sum_of_live_blocks),
    T(new_memory_is_zero_when_asked),
    T(resizing_keeps_the_shorter_of_both),
    T(nothing_is_counted_beyond_the_limit),
    T(the_limit_refuses_before_the_allocator_is_asked),
    T(charged_bytes_count_as_blocks_do),
    T(without_a_limit_the_count_cannot_overflow),
    T(a_refusal_of_the_allocator_changes_nothing),
    T(the_count_is_right_after_any_calls),
    T(the_c_library_serves_by_default),
};

TEST_MAIN(tests)
