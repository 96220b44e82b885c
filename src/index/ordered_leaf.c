/*
 * ordered_leaf.c - a leaf of the ordered index; see ordered_leaf.h for the rules
 */
#include "index/ordered_leaf.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

struct leaf_entry {
    uint64_t head;
    tn_handle handle;
};

void tn_leaf_init(struct tn_leaf *leaf)
{
    leaf->count = leaf->sorted_count = leaf->hole_count = leaf->prefix_bytes = 0;
    leaf->last_slot = leaf->ascending_count = 0;
    leaf->previous = leaf->next = NULL;
    tn_heads_clear(leaf->heads, 0, TN_HEADS_COUNT);
}

/* A key that is there, whichever: it has the prefix (L2). The leaf is not empty. */
static struct tn_key leaf_owner(const struct tn_leaf *leaf, uint8_t *heap_base)
{
    unsigned slot = 0;

    while (tn_leaf_handle(leaf, slot) == TN_HANDLE_NONE)
        slot++;
    tn_assert(slot < leaf->count);
    return tn_key_of(heap_base, tn_leaf_handle(leaf, slot));
}

/* ---- searching ------------------------------------------------------------------------------- */

/* Among slots first..end-1, whose heads equal the key's: as tn_leaf_search. */
static unsigned leaf_search_records(const struct tn_leaf *leaf, uint8_t *heap_base,
                                    struct tn_key key, unsigned first, unsigned end, bool after)
{
    while (first < end) {
        unsigned middle = (first + end) / 2;
        int order = tn_key_order(tn_key_of(heap_base, tn_leaf_handle(leaf, middle)), key);

        if (order < (after ? 1 : 0))
            first = middle + 1;
        else
            end = middle;
    }
    return first;
}

unsigned tn_leaf_search(const struct tn_leaf *leaf, uint8_t *heap_base, struct tn_key key,
                        size_t known_bytes, bool after)
{
    unsigned first;
    uint64_t head;

    if (leaf->prefix_bytes > known_bytes) {
        struct tn_key owner = tn_key_of(heap_base, tn_leaf_handle(leaf, 0)); /* L2 */
        int order = tn_key_order_prefix(key, owner, leaf->prefix_bytes);

        if (order != 0)
            return order < 0 ? 0 : leaf->count;
    }
    head = tn_key_head_after(key, leaf->prefix_bytes);
    first = tn_heads_search(leaf->heads, head);
    if (first == leaf->count || leaf->heads[first] != head)
        return first;
    return leaf_search_records(leaf, heap_base, key, first,
                               tn_heads_run_end(leaf->heads, leaf->count, first), after);
}

#define HIGHS_COUNT 16u

/* Which of the sixteen high bytes from `slot` on equal `high`: a bit each. */
static unsigned leaf_match_highs(const struct tn_leaf *leaf, unsigned slot, uint8_t high)
{
#if defined(__SSE2__)
    __m128i highs = _mm_loadu_si128((const __m128i *)(const void *)(leaf->handle_highs + slot));

    return (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(highs, _mm_set1_epi8((char)high)));
#else
    unsigned matches = 0, i;

    for (i = 0; i < HIGHS_COUNT; i++)
        matches |= (unsigned)(leaf->handle_highs[slot + i] == high) << i;
    return matches;
#endif
}

unsigned tn_leaf_find(const struct tn_leaf *leaf, tn_handle handle)
{
    uint64_t stored = handle * TN_HANDLE_SCRAMBLE;
    unsigned first, matches, slot;

    for (first = 0; first < leaf->count; first += HIGHS_COUNT) {
        matches = leaf_match_highs(leaf, first, (uint8_t)(stored >> 32));
        for (; matches != 0; matches &= matches - 1) {
            slot = first + (unsigned)__builtin_ctz(matches);
            if (leaf->handle_lows[slot] == (uint32_t)stored && slot < leaf->count)
                return slot;
        }
    }
    tn_unreachable();
}

/* ---- prefixes -------------------------------------------------------------------------------- */

/* Shorten the prefix to its first `prefix_bytes`; `owner` is a key that has all of it. L4 */
static void leaf_shorten_prefix(struct tn_leaf *leaf, struct tn_key owner, size_t prefix_bytes)
{
    size_t dropped_bytes = leaf->prefix_bytes - prefix_bytes;
    uint64_t dropped = tn_key_head(owner.at + prefix_bytes, tn_min(dropped_bytes, TN_HEAD_BYTES));
    unsigned i;

    if (dropped_bytes == 0)
        return;
    for (i = 0; i < leaf->count; i++) {
        uint64_t kept = dropped_bytes < TN_HEAD_BYTES ? leaf->heads[i] >> (8 * dropped_bytes) : 0;

        leaf->heads[i] = dropped | kept;
    }
    leaf->prefix_bytes = (uint16_t)prefix_bytes;
}

/* Take the longest prefix when that is worth its reads. L4 */
static void leaf_lengthen_prefix(struct tn_leaf *leaf, uint8_t *heap_base)
{
    struct tn_key first, last;
    size_t prefix_bytes;
    unsigned i;

    if (!tn_heads_tie_often(leaf->heads, leaf->count))
        return;
    first = tn_key_of(heap_base, tn_leaf_handle(leaf, 0));
    last = tn_key_of(heap_base, tn_leaf_handle(leaf, leaf->count - 1u));
    prefix_bytes = tn_key_shared(first, last);
    if (prefix_bytes <= leaf->prefix_bytes)
        return;
    for (i = 0; i < leaf->count; i++)
        __builtin_prefetch(tn_record_at(heap_base, tn_leaf_handle(leaf, i)));
    for (i = 0; i < leaf->count; i++) {
        struct tn_key key = tn_key_of(heap_base, tn_leaf_handle(leaf, i));

        leaf->heads[i] = tn_key_head_after(key, prefix_bytes);
    }
    leaf->prefix_bytes = (uint16_t)prefix_bytes;
}

/* Copy `count` entries between leaves, or within one. */
static void leaf_copy(struct tn_leaf *to, unsigned to_slot, const struct tn_leaf *from,
                      unsigned from_slot, size_t count)
{
    memmove(to->heads + to_slot, from->heads + from_slot, count * sizeof *to->heads);
    memmove(to->handle_lows + to_slot, from->handle_lows + from_slot,
            count * sizeof *to->handle_lows);
    memmove(to->handle_highs + to_slot, from->handle_highs + from_slot,
            count * sizeof *to->handle_highs);
}

static void leaf_put(struct tn_leaf *leaf, unsigned slot, struct leaf_entry entry)
{
    leaf->heads[slot] = entry.head;
    tn_leaf_set_handle(leaf, slot, entry.handle);
}

/* ---- the tail -------------------------------------------------------------------------------- */

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

/* Buckets between the least head and the greatest, so that heads ascend with their buckets. */
#define BUCKET_COUNT 128u
#define BUCKET_BITS 7u

struct buckets {
    uint64_t least;
    unsigned shift;
};

static struct buckets buckets_between(uint64_t least, uint64_t greatest)
{
    unsigned bits = least == greatest ? 0 : tn_log2(greatest - least) + 1;

    return (struct buckets){ least, bits > BUCKET_BITS ? bits - BUCKET_BITS : 0 };
}

static unsigned bucket_of(struct buckets buckets, uint64_t head)
{
    return (unsigned)((head - buckets.least) >> buckets.shift);
}

static struct buckets entries_buckets(const struct leaf_entry *entries, unsigned count)
{
    uint64_t least = entries[0].head, greatest = least;
    unsigned i;

    for (i = 1; i < count; i++) {
        least = entries[i].head < least ? entries[i].head : least;
        greatest = entries[i].head > greatest ? entries[i].head : greatest;
    }
    return buckets_between(least, greatest);
}

/* More entries than that in a bucket are not left to an insertion sort. */
#define BUCKET_ENTRIES_MAX 10u

/* Bring entries into the order of their buckets. false: too many are in one, nothing changed. */
static bool entries_scatter(struct leaf_entry *entries, unsigned count)
{
    struct buckets buckets = entries_buckets(entries, count);
    struct leaf_entry scattered[TN_HEADS_COUNT];
    uint8_t ends[BUCKET_COUNT] = { 0 };
    unsigned most = 0, sum = 0, i;

    for (i = 0; i < count; i++)
        ends[bucket_of(buckets, entries[i].head)]++;
    for (i = 0; i < BUCKET_COUNT; i++) {
        most = ends[i] > most ? ends[i] : most;
        sum += ends[i];
        ends[i] = (uint8_t)sum;
    }
    if (most > BUCKET_ENTRIES_MAX)
        return false;
    for (i = 0; i < count; i++)
        scattered[--ends[bucket_of(buckets, entries[i].head)]] = entries[i];
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
 * Merge sorted entries into the sorted ones of the leaf, from the greatest down. Answers where the one
 * of this handle has come to stand.
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
            leaf_copy(leaf, old + left, leaf, old, end - old);
        left--;
        leaf_put(leaf, old + left, entry);
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

/* ---- changing -------------------------------------------------------------------------------- */

void tn_leaf_insert(struct tn_leaf *leaf, uint8_t *heap_base, struct tn_key key, size_t known_bytes,
                    tn_handle handle)
{
    unsigned slot;
    uint64_t head;

    tn_assert(leaf->count <= TN_ORDERED_LEAF_SLOTS);
    if (leaf->prefix_bytes > known_bytes) {
        struct tn_key owner = leaf_owner(leaf, heap_base);
        size_t shared_bytes = tn_key_shared(key, owner);

        leaf_shorten_prefix(leaf, owner, tn_min(shared_bytes, leaf->prefix_bytes));
    }
    slot = leaf->count;
    head = tn_key_head_after(key, leaf->prefix_bytes);
    if (slot == leaf->sorted_count && (slot == 0 || head > leaf->heads[slot - 1])) {
        tn_leaf_append(leaf, head, handle); /* it came in order: no tail */
        return;
    }
    leaf_put(leaf, slot, (struct leaf_entry){ head, handle });
    leaf->count++;
}

void tn_leaf_remove(struct tn_leaf *leaf, unsigned slot)
{
    tn_leaf_set_handle(leaf, slot, TN_HANDLE_NONE);
    leaf->hole_count++;
    if (leaf->hole_count < leaf->count)
        return;
    tn_heads_clear(leaf->heads, 0, leaf->count);
    leaf->count = leaf->sorted_count = leaf->hole_count = 0;
    leaf->prefix_bytes = 0; /* L2: no record is left to tell it */
}

/* `right`, uninitialised but for its entries, comes behind `left` in the chain. */
static void leaf_chain(struct tn_leaf *left, struct tn_leaf *right)
{
    right->previous = left;
    right->next = left->next;
    if (right->next != NULL)
        right->next->previous = right;
    left->next = right;
}

/* ---- parting without sorting ----------------------------------------------------------------- */

static struct buckets leaf_buckets(const struct tn_leaf *leaf)
{
    uint64_t least = leaf->heads[0], greatest = least;
    unsigned i;

    for (i = 1; i < leaf->count; i++) {
        least = leaf->heads[i] < least ? leaf->heads[i] : least;
        greatest = leaf->heads[i] > greatest ? leaf->heads[i] : greatest;
    }
    return buckets_between(least, greatest);
}

/* A head with a third of the entries, at least, below it and not below it. 0: not found. */
static uint64_t leaf_pivot(const struct tn_leaf *leaf)
{
    struct buckets buckets = leaf_buckets(leaf);
    uint8_t counts[BUCKET_COUNT] = { 0 };
    unsigned below = 0, i;

    for (i = 0; i < leaf->count; i++)
        counts[bucket_of(buckets, leaf->heads[i])]++;
    for (i = 0; i < BUCKET_COUNT && below + counts[i] / 2u < leaf->count / 2u; i++)
        below += counts[i];
    if (below < leaf->count / 3u || below > leaf->count - leaf->count / 3u || i == BUCKET_COUNT)
        return 0;
    return buckets.least + ((uint64_t)i << buckets.shift);
}

/* Whether the tail came in order, one way or the other: then it tells where the next keys go. */
static bool leaf_tail_is_a_row(const struct tn_leaf *leaf)
{
    unsigned first = leaf->sorted_count, i;
    bool ascend;

    if (leaf->count - first < 2)
        return true;
    ascend = leaf->heads[first] < leaf->heads[first + 1];
    for (i = first + 1; i < leaf->count; i++) {
        if ((leaf->heads[i - 1] < leaf->heads[i]) != ascend)
            return false;
    }
    return true;
}

/* Move the entries from `first` on whose heads are not below `pivot`; the others close up, from `to` on. */
static void leaf_part_tail(struct tn_leaf *left, struct tn_leaf *right, unsigned first, unsigned to,
                           uint64_t pivot)
{
    unsigned right_to = right->count, i;

    for (i = first; i < left->count; i++) {
        uint64_t head = left->heads[i];
        uint32_t low = left->handle_lows[i];
        uint8_t high = left->handle_highs[i];

        right->heads[right_to] = left->heads[to] = head;
        right->handle_lows[right_to] = left->handle_lows[to] = low;
        right->handle_highs[right_to] = left->handle_highs[to] = high;
        right_to += head >= pivot;
        to += head < pivot;
    }
    tn_heads_clear(left->heads, to, left->count);
    tn_heads_clear(right->heads, right_to, TN_HEADS_COUNT);
    left->count = (uint16_t)to;
    right->count = (uint16_t)right_to;
}

bool tn_leaf_part(struct tn_leaf *left, struct tn_leaf *right)
{
    unsigned sorted_count = left->sorted_count, cut;
    uint64_t pivot;

    tn_assert(left->hole_count == 0);
    if (leaf_tail_is_a_row(left))
        return false;
    pivot = leaf_pivot(left);
    if (pivot == 0)
        return false;
    for (cut = 0; cut < sorted_count && left->heads[cut] < pivot; cut++)
        continue;
    leaf_copy(right, 0, left, cut, sorted_count - cut);
    right->count = right->sorted_count = (uint16_t)(sorted_count - cut);
    left->sorted_count = (uint16_t)cut;
    leaf_part_tail(left, right, sorted_count, cut, pivot);
    right->hole_count = 0;
    right->prefix_bytes = left->prefix_bytes;
    left->last_slot = left->ascending_count = 0;
    right->last_slot = right->ascending_count = 0;
    leaf_chain(left, right);
    return true;
}

unsigned tn_leaf_edge(const struct tn_leaf *leaf, uint8_t *heap_base, bool greatest)
{
    unsigned edge = 0, i;

    tn_assert(leaf->hole_count == 0);
    if (leaf->sorted_count == leaf->count)
        return greatest ? leaf->count - 1u : 0;
    for (i = 1; i < leaf->count; i++) {
        uint64_t head = leaf->heads[i], edge_head = leaf->heads[edge];
        bool further = greatest ? head > edge_head : head < edge_head;

        if (TN_UNLIKELY(head == edge_head))
            further =
                (tn_key_order(tn_key_of(heap_base, tn_leaf_handle(leaf, i)),
                              tn_key_of(heap_base, tn_leaf_handle(leaf, edge))) > 0) == greatest;
        edge = further ? i : edge;
    }
    return edge;
}

/* ---- splitting and merging, tidy ------------------------------------------------------------- */

void tn_leaf_split(struct tn_leaf *left, struct tn_leaf *right, unsigned cut, uint8_t *heap_base)
{
    tn_assert(left->sorted_count == left->count && left->hole_count == 0);
    right->count = (uint16_t)(left->count - cut);
    right->hole_count = 0;
    right->sorted_count = right->count;
    right->prefix_bytes = left->prefix_bytes;
    right->last_slot = left->last_slot >= cut ? (uint16_t)(left->last_slot - cut) : 0;
    right->ascending_count = left->ascending_count;
    leaf_copy(right, 0, left, cut, right->count);
    tn_heads_clear(right->heads, right->count, TN_HEADS_COUNT);
    tn_heads_clear(left->heads, cut, left->count);
    left->count = left->sorted_count = (uint16_t)cut;
    leaf_chain(left, right);
    leaf_lengthen_prefix(left, heap_base);
    leaf_lengthen_prefix(right, heap_base);
}

void tn_leaf_merge(struct tn_leaf *left, struct tn_leaf *right, uint8_t *heap_base)
{
    tn_leaf_close_holes(left);
    tn_leaf_close_holes(right);
    tn_assert(left->count + right->count <= TN_ORDERED_LEAF_SLOTS);
    if (left->count == 0) {
        left->prefix_bytes = right->prefix_bytes;
    } else if (right->count != 0) {
        struct tn_key a = tn_key_of(heap_base, tn_leaf_handle(left, 0));
        struct tn_key b = tn_key_of(heap_base, tn_leaf_handle(right, 0));
        size_t prefix_bytes = tn_min(left->prefix_bytes, right->prefix_bytes);

        if (prefix_bytes > 0)
            prefix_bytes = tn_min(prefix_bytes, tn_key_shared(a, b));
        leaf_shorten_prefix(left, a, prefix_bytes);
        leaf_shorten_prefix(right, b, prefix_bytes);
    }
    leaf_copy(left, left->count, right, 0, right->count);
    if (left->sorted_count == left->count)
        left->sorted_count = (uint16_t)(left->count + right->sorted_count);
    left->count = (uint16_t)(left->count + right->count);
    left->ascending_count = 0;
    left->next = right->next;
    if (left->next != NULL)
        left->next->previous = left;
    if (left->sorted_count == left->count)
        leaf_lengthen_prefix(left, heap_base);
}
