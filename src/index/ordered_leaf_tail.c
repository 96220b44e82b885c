/*
 * ordered_leaf_tail.c - the tail of a leaf is sorted in, its holes are closed; see ordered_leaf.h
 * (L1)
 *
 *     sorted        | tail            the tail is taken out and sorted,
 *     b   -   f   k | g   c   -   e   - without the holes -
 *
 *     b   f   k                       then merged in from the greatest down:
 *     b   c   e   f   g   k           each sorted entry moves once
 *
 * Keys mostly differ in their heads, so records are read only where heads are equal. A tail of more
 * than a few entries is scattered to buckets first, which leaves little to an insertion sort; heads
 * that crowd in one bucket are sorted as runs, which are merged.
 */
#include "index/ordered_leaf_parts.h"

struct leaf_entry {
    uint64_t head;
    tn_handle handle;
};

void tn_leaf_close_holes(struct tn_leaf *leaf)
{
    unsigned to = 0, sorted_count = leaf->sorted_count, i;

    if (leaf->hole_count == 0)
        return;
    for (i = 0; i < leaf->count; i++) {
        bool hole = (leaf->handle_lows[i] | leaf->handle_highs[i]) == 0;

        leaf->heads[to] = leaf->heads[i];
        leaf->handle_lows[to] = leaf->handle_lows[i];
        leaf->handle_highs[to] = leaf->handle_highs[i];
        to += !hole;
        sorted_count -= hole && i < leaf->sorted_count;
    }
    tn_assert(to == tn_leaf_live(leaf));
    tn_heads_clear(leaf->heads, to, leaf->count);
    leaf->count = (uint16_t)to;
    leaf->sorted_count = (uint16_t)sorted_count;
    leaf->hole_count = 0;
    leaf->last_slot = leaf->ascending_count = 0;
}

/* Take the tail out of the leaf. */
static unsigned leaf_take_tail(struct tn_leaf *leaf, struct leaf_entry *tail)
{
    unsigned count = leaf->count - leaf->sorted_count, i;

    for (i = 0; i < count; i++) {
        unsigned slot = leaf->sorted_count + i;

        tail[i] = (struct leaf_entry){ leaf->heads[slot], tn_leaf_handle(leaf, slot) };
    }
    tn_heads_clear(leaf->heads, leaf->sorted_count, leaf->count);
    leaf->count = leaf->sorted_count;
    return count;
}

static bool entry_is_before(struct leaf_entry a, struct leaf_entry b, uint8_t *heap_base)
{
    if (a.head != b.head)
        return a.head < b.head;
    return tn_key_order(tn_key_of(heap_base, a.handle), tn_key_of(heap_base, b.handle)) < 0;
}

static struct tn_buckets entries_buckets(const struct leaf_entry *entries, unsigned count)
{
    uint64_t least = entries[0].head, greatest = least;
    unsigned i;

    for (i = 1; i < count; i++) {
        least = entries[i].head < least ? entries[i].head : least;
        greatest = entries[i].head > greatest ? entries[i].head : greatest;
    }
    return tn_buckets_between(least, greatest);
}

/* More entries than that in a bucket are not left to an insertion sort. */
#define BUCKET_ENTRIES_MAX 10u

/* Bring entries into the order of their buckets. false: too many are in one, nothing changed. */
static bool entries_scatter(struct leaf_entry *entries, unsigned count)
{
    struct tn_buckets buckets = entries_buckets(entries, count);
    struct leaf_entry scattered[TN_HEADS_COUNT];
    uint8_t ends[TN_BUCKET_COUNT] = { 0 };
    unsigned most = 0, sum = 0, i;

    for (i = 0; i < count; i++)
        ends[tn_bucket_of(buckets, entries[i].head)]++;
    for (i = 0; i < TN_BUCKET_COUNT; i++) {
        most = ends[i] > most ? ends[i] : most;
        sum += ends[i];
        ends[i] = (uint8_t)sum;
    }
    if (most > BUCKET_ENTRIES_MAX)
        return false;
    for (i = 0; i < count; i++)
        scattered[--ends[tn_bucket_of(buckets, entries[i].head)]] = entries[i];
    memcpy(entries, scattered, count * sizeof *entries);
    return true;
}

/* Runs of so many entries are sorted by insertion. */
#define RUN_COUNT 8u

static void run_sort(struct leaf_entry *entries, unsigned count, uint8_t *heap_base)
{
    unsigned i, at;

    for (i = 1; i < count; i++) {
        struct leaf_entry entry = entries[i];

        for (at = i; at > 0 && entry_is_before(entry, entries[at - 1], heap_base); at--)
            entries[at] = entries[at - 1];
        entries[at] = entry;
    }
}

/* Two sorted runs into one. No branch depends on which is taken, but at a run's end. */
static void runs_merge(struct leaf_entry *to, const struct leaf_entry *a, unsigned a_count,
                       const struct leaf_entry *b, unsigned b_count, uint8_t *heap_base)
{
    const struct leaf_entry *a_end = a + a_count, *b_end = b + b_count;

    while (a < a_end && b < b_end) {
        bool take_b = b->head < a->head;

        if (TN_UNLIKELY(b->head == a->head))
            take_b = entry_is_before(*b, *a, heap_base);
        to->head = take_b ? b->head : a->head;
        to->handle = take_b ? b->handle : a->handle;
        to++;
        a += !take_b;
        b += take_b;
    }
    memcpy(to, a, (size_t)(a_end - a) * sizeof *to);
    memcpy(to + (a_end - a), b, (size_t)(b_end - b) * sizeof *to);
}

static void entries_sort(struct leaf_entry *entries, unsigned count, uint8_t *heap_base)
{
    struct leaf_entry merged[TN_HEADS_COUNT];
    unsigned run, first;

    if (count > RUN_COUNT && entries_scatter(entries, count)) {
        run_sort(entries, count, heap_base);
        return;
    }
    for (first = 0; first < count; first += RUN_COUNT)
        run_sort(entries + first, (unsigned)tn_min(RUN_COUNT, count - first), heap_base);
    for (run = RUN_COUNT; run < count; run *= 2) {
        for (first = 0; first < count; first += 2 * run) {
            unsigned a_count = (unsigned)tn_min(run, count - first);
            unsigned b_count = (unsigned)tn_min(run, count - first - a_count);

            runs_merge(merged + first, entries + first, a_count, entries + first + a_count, b_count,
                       heap_base);
        }
        memcpy(entries, merged, count * sizeof *entries);
    }
}

/*
 * Merge sorted entries into the sorted ones of the leaf, from the greatest down. Answers where the
 * one of this handle has come to stand.
 */
static unsigned leaf_merge_entries(struct tn_leaf *leaf, const struct leaf_entry *entries,
                                   unsigned count, tn_handle handle, uint8_t *heap_base)
{
    unsigned old = leaf->count, left = count, found = 0;

    while (left > 0) {
        struct leaf_entry entry = entries[left - 1];
        unsigned end = old;

        while (old > 0 && leaf->heads[old - 1] > entry.head)
            old--;
        while (old > 0 && leaf->heads[old - 1] == entry.head &&
               tn_key_order(tn_key_of(heap_base, tn_leaf_handle(leaf, old - 1)),
                            tn_key_of(heap_base, entry.handle)) > 0)
            old--;
        if (old < end)
            tn_leaf_copy(leaf, old + left, leaf, old, end - old);
        left--;
        tn_leaf_put(leaf, old + left, entry.head, entry.handle);
        found = entry.handle == handle ? old + left : found;
    }
    leaf->count = leaf->sorted_count = (uint16_t)(leaf->count + count);
    return found;
}

static bool entries_ascend(const struct leaf_entry *entries, unsigned count)
{
    unsigned i;

    for (i = 1; i < count; i++) {
        if (entries[i - 1].head >= entries[i].head)
            return false;
    }
    return true;
}

void tn_leaf_sort_tail(struct tn_leaf *leaf, uint8_t *heap_base)
{
    struct leaf_entry tail[TN_HEADS_COUNT];
    tn_handle oldest, newest;
    unsigned count, slot;
    bool in_a_row;

    tn_leaf_prefetch_all(leaf);
    tn_leaf_close_holes(leaf);
    count = leaf_take_tail(leaf, tail);
    if (count == 0)
        return;
    oldest = tail[0].handle;
    newest = tail[count - 1].handle;
    in_a_row = entries_ascend(tail, count);
    if (!in_a_row)
        entries_sort(tail, count, heap_base);
    slot = leaf_merge_entries(leaf, tail, count, newest, heap_base) + 1;
    in_a_row = in_a_row && tn_leaf_handle(leaf, slot - count) == oldest;
    tn_leaf_note_newest(leaf, slot - 1, in_a_row ? slot - count : 0, in_a_row ? count : 0);
}
