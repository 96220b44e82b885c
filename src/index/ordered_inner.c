/*
 * ordered_inner.c - an inner node of the ordered index; see ordered_inner.h for the rules
 */
#include "index/ordered_inner.h"

/* Among separators first..end-1, whose heads equal the key's: the first that is > key. */
static unsigned inner_search_texts(const struct tn_inner *inner, struct tn_key key, unsigned first,
                                   unsigned end)
{
    while (first < end) {
        unsigned middle = (first + end) / 2;

        if (tn_key_order(tn_inner_key(inner, middle), key) <= 0)
            first = middle + 1;
        else
            end = middle;
    }
    return first;
}

unsigned tn_inner_search(const struct tn_inner *inner, struct tn_key key, size_t known_bytes)
{
    unsigned separators = tn_inner_separators(inner);
    unsigned first;
    uint64_t head;

    if (inner->prefix_bytes > known_bytes) {
        int order = tn_key_order_prefix(key, tn_inner_key(inner, 0), inner->prefix_bytes);

        if (order != 0)
            return order < 0 ? 0 : separators;
    }
    head = tn_key_head_after(key, inner->prefix_bytes);
    first = 16 * tn_heads_below_of_7(inner->ends, 1, head);
    first = tn_heads_search_16(inner->heads, first, head);
    if (first == separators || inner->heads[first] != head)
        return first;
    return inner_search_texts(inner, key, first, tn_heads_run_end(inner->heads, separators, first));
}

size_t tn_inner_shared_bytes(const struct tn_inner *inner, unsigned i)
{
    uint64_t differing;
    size_t shared_bytes;

    if (i == 0 || i == tn_inner_separators(inner))
        return 0;
    differing = inner->heads[i - 1] ^ inner->heads[i];
    shared_bytes = inner->prefix_bytes +
                   (differing == 0 ? TN_HEAD_BYTES : (unsigned)__builtin_clzll(differing) / 8);
    /* What the heads share may be padding. */
    return tn_min(shared_bytes, tn_min(inner->text_bytes[i - 1], inner->text_bytes[i]));
}

/* I5 */
static void inner_note_ends(struct tn_inner *inner)
{
    unsigned i;

    for (i = 0; i < TN_HEAD_ENDS_COUNT; i++)
        inner->ends[i] = inner->heads[16 * i + 15];
}

static void inner_set_prefix(struct tn_inner *inner, size_t prefix_bytes)
{
    unsigned i;

    inner->prefix_bytes = (uint16_t)prefix_bytes;
    for (i = 0; i < tn_inner_separators(inner); i++)
        inner->heads[i] = tn_key_head_after(tn_inner_key(inner, i), prefix_bytes);
    tn_heads_clear(inner->heads, i, TN_HEADS_COUNT);
    inner_note_ends(inner);
}

/* What all separators share: they ascend, so what the first and the last do. */
static size_t inner_longest_prefix(const struct tn_inner *inner)
{
    return tn_key_shared(tn_inner_key(inner, 0),
                         tn_inner_key(inner, tn_inner_separators(inner) - 1));
}

/* Take a prefix that suits the separators as they are now. */
static void inner_fit_prefix(struct tn_inner *inner)
{
    inner_set_prefix(inner, tn_min(inner->prefix_bytes, inner_longest_prefix(inner)));
    if (tn_heads_tie_often(inner->heads, tn_inner_separators(inner)))
        inner_set_prefix(inner, inner_longest_prefix(inner));
}

static void inner_put_separator(struct tn_inner *inner, unsigned i, struct tn_separator separator)
{
    inner->texts[i] = separator.text;
    inner->text_bytes[i] = separator.bytes;
}

/* Copy `count` separators between nodes, or within one. */
static void inner_copy(struct tn_inner *to, unsigned to_i, const struct tn_inner *from,
                       unsigned from_i, size_t count)
{
    memmove(to->heads + to_i, from->heads + from_i, count * sizeof *to->heads);
    memmove(to->texts + to_i, from->texts + from_i, count * sizeof *to->texts);
    memmove(to->text_bytes + to_i, from->text_bytes + from_i, count * sizeof *to->text_bytes);
}

static void inner_copy_children(struct tn_inner *to, unsigned to_i, const struct tn_inner *from,
                                unsigned from_i, size_t count)
{
    memmove(to->children + to_i, from->children + from_i, count * sizeof *to->children);
}

void tn_inner_init(struct tn_inner *inner, void *child)
{
    inner->count = 1;
    inner->prefix_bytes = 0;
    inner->children[0] = child;
    tn_heads_clear(inner->heads, 0, TN_HEADS_COUNT);
    inner_note_ends(inner);
}

void tn_inner_insert(struct tn_inner *inner, unsigned i, struct tn_separator separator, void *child)
{
    unsigned separators = tn_inner_separators(inner);
    struct tn_key key;

    tn_assert(i <= separators && separators <= TN_ORDERED_INNER_SLOTS);
    inner_copy(inner, i + 1, inner, i, separators - i);
    inner_copy_children(inner, i + 2, inner, i + 1, separators - i);
    inner_put_separator(inner, i, separator);
    inner->children[i + 1] = child;
    inner->count++;
    key = tn_inner_key(inner, i);
    if (inner->prefix_bytes > 0) {
        struct tn_key owner = tn_inner_key(inner, i == 0 ? 1 : 0);
        size_t shared_bytes = tn_key_shared(key, owner);

        if (shared_bytes < inner->prefix_bytes)
            inner_set_prefix(inner, shared_bytes);
    }
    inner->heads[i] = tn_key_head_after(key, inner->prefix_bytes);
    if ((i > 0 && inner->heads[i - 1] == inner->heads[i]) ||
        (i < separators && inner->heads[i + 1] == inner->heads[i]))
        inner_fit_prefix(inner);
    inner_note_ends(inner);
}

struct tn_separator tn_inner_remove(struct tn_inner *inner, unsigned i)
{
    struct tn_separator removed = tn_inner_separator(inner, i);

    inner->count--;
    inner_copy(inner, i, inner, i + 1, tn_inner_separators(inner) - i);
    inner_copy_children(inner, i + 1, inner, i + 2, tn_inner_separators(inner) - i);
    inner->heads[tn_inner_separators(inner)] = TN_HEAD_NONE;
    if (inner->count == 1)
        inner->prefix_bytes = 0; /* I2: no separator is left to tell it */
    inner_note_ends(inner);
    return removed;
}

struct tn_separator tn_inner_split(struct tn_inner *left, struct tn_inner *right, unsigned cut)
{
    struct tn_separator middle = tn_inner_separator(left, cut);

    right->count = (uint16_t)(left->count - cut - 1);
    right->prefix_bytes = left->prefix_bytes;
    tn_assert(cut >= 1 && right->count >= 2); /* I1 */
    inner_copy(right, 0, left, cut + 1, right->count - 1u);
    inner_copy_children(right, 0, left, cut + 1, right->count);
    left->count = (uint16_t)(cut + 1);
    inner_fit_prefix(left);
    inner_fit_prefix(right);
    return middle;
}

void tn_inner_merge(struct tn_inner *left, struct tn_separator separator, struct tn_inner *right)
{
    unsigned separators = tn_inner_separators(left);

    tn_assert(left->count + right->count <= TN_ORDERED_INNER_SLOTS + 1);
    inner_put_separator(left, separators, separator);
    inner_copy(left, separators + 1, right, 0, tn_inner_separators(right));
    inner_copy_children(left, separators + 1, right, 0, right->count);
    left->count = (uint16_t)(left->count + right->count);
    inner_fit_prefix(left);
}

struct tn_separator tn_inner_rotate_left(struct tn_inner *left, struct tn_separator separator,
                                         struct tn_inner *right)
{
    struct tn_separator middle = tn_inner_separator(right, 0);

    inner_put_separator(left, tn_inner_separators(left), separator);
    left->children[left->count] = right->children[0];
    left->count++;
    right->count--;
    inner_copy(right, 0, right, 1, tn_inner_separators(right));
    inner_copy_children(right, 0, right, 1, right->count);
    right->heads[tn_inner_separators(right)] = TN_HEAD_NONE;
    inner_note_ends(right);
    inner_fit_prefix(left);
    return middle;
}

struct tn_separator tn_inner_rotate_right(struct tn_inner *left, struct tn_separator separator,
                                          struct tn_inner *right)
{
    struct tn_separator middle = tn_inner_separator(left, tn_inner_separators(left) - 1);

    inner_copy(right, 1, right, 0, tn_inner_separators(right));
    inner_copy_children(right, 1, right, 0, right->count);
    inner_put_separator(right, 0, separator);
    right->children[0] = left->children[left->count - 1];
    right->count++;
    left->count--;
    left->heads[tn_inner_separators(left)] = TN_HEAD_NONE;
    inner_note_ends(left);
    inner_fit_prefix(right);
    return middle;
}
