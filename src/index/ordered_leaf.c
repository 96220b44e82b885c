/*
 * ordered_leaf.c - a leaf of the ordered index; see ordered_leaf.h for the rules
 */
#include "index/ordered_leaf.h"

struct leaf_entry {
    uint64_t head;
    tn_handle handle;
};

void tn_leaf_init(struct tn_leaf *leaf)
{
    leaf->count = leaf->sorted_count = leaf->prefix_bytes = 0;
    leaf->last_slot = leaf->ascending_count = 0;
    leaf->previous = leaf->next = NULL;
    tn_heads_clear(leaf->heads, 0, TN_HEADS_COUNT);
}

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

unsigned tn_leaf_find(const struct tn_leaf *leaf, struct tn_key key, tn_handle handle)
{
    uint64_t head = tn_key_head_after(key, leaf->prefix_bytes);
    unsigned slot = tn_heads_search(leaf->heads, head);

    while (slot < leaf->count && tn_leaf_handle(leaf, slot) != handle)
        slot++;
    tn_assert(slot < leaf->count && leaf->heads[slot] == head);
    return slot;
}

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

/* The newest key is in slot `slot`; `count` keys came in a row, to slots from `first` on. */
static void leaf_note_newest(struct tn_leaf *leaf, unsigned slot, unsigned first, unsigned count)
{
    bool goes_on = first == leaf->last_slot + 1u;

    leaf->ascending_count = (uint16_t)(goes_on ? leaf->ascending_count + count : 0);
    leaf->last_slot = (uint16_t)slot;
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

/* Sort a few entries. The answer is where the last of them has come to stand. */
static unsigned entries_sort(struct leaf_entry *entries, unsigned count, uint8_t *heap_base)
{
    unsigned i, at = 0;

    for (i = 1; i < count; i++) {
        struct leaf_entry entry = entries[i];

        for (at = i; at > 0 && entry_is_before(entry, entries[at - 1], heap_base); at--)
            entries[at] = entries[at - 1];
        entries[at] = entry;
    }
    return at;
}

/* The slot of a tidy leaf before which the entry belongs. */
static unsigned leaf_place(const struct tn_leaf *leaf, struct leaf_entry entry, uint8_t *heap_base)
{
    unsigned first = tn_heads_search(leaf->heads, entry.head);

    if (first == leaf->count || leaf->heads[first] != entry.head)
        return first;
    return leaf_search_records(leaf, heap_base, tn_key_of(heap_base, entry.handle), first,
                               tn_heads_run_end(leaf->heads, leaf->count, first), false);
}

void tn_leaf_sort_tail(struct tn_leaf *leaf, uint8_t *heap_base)
{
    struct leaf_entry tail[TN_LEAF_TAIL_MAX];
    unsigned slots[TN_LEAF_TAIL_MAX];
    unsigned count, newest, end, i;

    tn_leaf_prefetch(leaf);
    count = leaf_take_tail(leaf, tail);
    newest = entries_sort(tail, count, heap_base);
    tn_assert(newest < count);
    end = leaf->count;
    for (i = 0; i < count; i++)
        slots[i] = leaf_place(leaf, tail[i], heap_base);
    for (i = count; i-- > 0; end = slots[i]) {
        leaf_copy(leaf, slots[i] + i + 1, leaf, slots[i], end - slots[i]);
        leaf_put(leaf, slots[i] + i, tail[i]);
    }
    leaf->count = leaf->sorted_count = (uint16_t)(leaf->count + count);
    if (newest == count - 1 && slots[0] == slots[newest])
        leaf_note_newest(leaf, slots[0] + newest, slots[0], count);
    else
        leaf_note_newest(leaf, slots[newest] + newest, 0, 0);
}

void tn_leaf_insert(struct tn_leaf *leaf, uint8_t *heap_base, struct tn_key key, size_t known_bytes,
                    tn_handle handle)
{
    unsigned slot;
    uint64_t head;

    tn_assert(leaf->count <= TN_ORDERED_LEAF_SLOTS);
    if (leaf->prefix_bytes > known_bytes) {
        struct tn_key owner = tn_key_of(heap_base, tn_leaf_handle(leaf, 0));
        size_t shared_bytes = tn_key_shared(key, owner);

        leaf_shorten_prefix(leaf, owner, tn_min(shared_bytes, leaf->prefix_bytes));
    }
    if (leaf->count - leaf->sorted_count == TN_LEAF_TAIL_MAX)
        tn_leaf_sort_tail(leaf, heap_base);
    slot = leaf->count++;
    head = tn_key_head_after(key, leaf->prefix_bytes);
    leaf_put(leaf, slot, (struct leaf_entry){ head, handle });
    if (slot == leaf->sorted_count && (slot == 0 || head > leaf->heads[slot - 1])) {
        leaf->sorted_count++; /* it came in order: no tail */
        leaf_note_newest(leaf, slot, slot, 1);
    }
}

void tn_leaf_remove(struct tn_leaf *leaf, unsigned slot)
{
    leaf->count--;
    leaf->sorted_count--;
    leaf_copy(leaf, slot, leaf, slot + 1, leaf->count - slot);
    leaf->heads[leaf->count] = TN_HEAD_NONE;
    if (leaf->count == 0)
        leaf->prefix_bytes = 0; /* L2: no record is left to tell it */
}

void tn_leaf_split(struct tn_leaf *left, struct tn_leaf *right, unsigned cut, uint8_t *heap_base)
{
    right->count = (uint16_t)(left->count - cut);
    right->sorted_count = right->count;
    right->prefix_bytes = left->prefix_bytes;
    right->last_slot = left->last_slot >= cut ? (uint16_t)(left->last_slot - cut) : 0;
    right->ascending_count = left->ascending_count;
    leaf_copy(right, 0, left, cut, right->count);
    tn_heads_clear(right->heads, right->count, TN_HEADS_COUNT);
    tn_heads_clear(left->heads, cut, left->count);
    left->count = left->sorted_count = (uint16_t)cut;
    right->previous = left;
    right->next = left->next;
    if (right->next != NULL)
        right->next->previous = right;
    left->next = right;
    leaf_lengthen_prefix(left, heap_base);
    leaf_lengthen_prefix(right, heap_base);
}

void tn_leaf_merge(struct tn_leaf *left, struct tn_leaf *right, uint8_t *heap_base)
{
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
    left->count = left->sorted_count = (uint16_t)(left->count + right->count);
    left->ascending_count = 0;
    left->next = right->next;
    if (left->next != NULL)
        left->next->previous = left;
    leaf_lengthen_prefix(left, heap_base);
}
