/*
 * sorted.c - see sorted.h for the rules
 */
#include "stream/sorted.h"

#include "base/bytes.h"

#define KEY_LENGTH_BYTES sizeof(uint64_t)
#define INSERTION_SORT_MAX 12u

void tn_sorted_init(struct tn_sorted *sorted, struct tn_memory *memory, size_t block_bytes)
{
    *sorted = (struct tn_sorted){ .memory = memory, .block_bytes = block_bytes };
}

static size_t scratch_count(const struct tn_sorted *sorted)
{
    return sorted->entry_capacity / 2;
}

void tn_sorted_finish(struct tn_sorted *sorted)
{
    size_t entry_bytes = sizeof(struct tn_sorted_entry);

    tn_memory_free(sorted->memory, sorted->entries, sorted->entry_capacity * entry_bytes);
    tn_memory_free(sorted->memory, sorted->scratch, scratch_count(sorted) * entry_bytes);
    tn_memory_free(sorted->memory, sorted->arena, sorted->arena_bytes);
    tn_sorted_init(sorted, sorted->memory, sorted->block_bytes);
}

/* ---- memory ---------------------------------------------------------------------------------- */

/* Room for `count` entries. What was there is lost; on failure there is none at all. */
static bool entries_reserve(struct tn_sorted *sorted, size_t count)
{
    size_t entry_bytes = sizeof(struct tn_sorted_entry);

    if (count <= sorted->entry_capacity)
        return true;
    tn_memory_free(sorted->memory, sorted->entries, sorted->entry_capacity * entry_bytes);
    tn_memory_free(sorted->memory, sorted->scratch, scratch_count(sorted) * entry_bytes);
    sorted->entries = NULL;
    sorted->scratch = NULL;
    sorted->entry_capacity = 0;

    count = tn_max(count + count / 4, 16);
    sorted->entries = tn_memory_new(sorted->memory, count * entry_bytes, false);
    if (sorted->entries == NULL)
        return false;
    sorted->scratch = tn_memory_new(sorted->memory, count / 2 * entry_bytes, false);
    if (sorted->scratch == NULL) {
        tn_memory_free(sorted->memory, sorted->entries, count * entry_bytes);
        sorted->entries = NULL;
        return false;
    }
    sorted->entry_capacity = count;
    return true;
}

static bool arena_reserve(struct tn_sorted *sorted, size_t bytes)
{
    if (bytes <= sorted->arena_bytes)
        return true;
    tn_memory_free(sorted->memory, sorted->arena, sorted->arena_bytes);
    sorted->arena_bytes = 0;
    bytes = tn_max(bytes + bytes / 4, 4096);
    sorted->arena = tn_memory_new(sorted->memory, bytes, false);
    if (sorted->arena == NULL)
        return false;
    sorted->arena_bytes = bytes;
    return true;
}

/* ---- entries --------------------------------------------------------------------------------- */

static const uint8_t *entry_key(const struct tn_sorted *sorted, const struct tn_sorted_entry *entry,
                                size_t *key_bytes)
{
    uint64_t bytes;

    memcpy(&bytes, entry->block + sorted->block_bytes, sizeof bytes);
    *key_bytes = bytes;
    return entry->block + sorted->block_bytes + KEY_LENGTH_BYTES;
}

static bool entry_is_before(const struct tn_sorted *sorted, const struct tn_sorted_entry *a,
                            const struct tn_sorted_entry *b)
{
    const uint8_t *a_key;
    const uint8_t *b_key;
    size_t a_bytes;
    size_t b_bytes;

    if (TN_LIKELY(a->head != b->head))
        return a->head < b->head;
    a_key = entry_key(sorted, a, &a_bytes);
    b_key = entry_key(sorted, b, &b_bytes);
    return tn_key_compare(a_key, a_bytes, b_key, b_bytes) < 0;
}

static void sort_by_insertion(const struct tn_sorted *sorted, struct tn_sorted_entry *entries,
                              size_t count)
{
    for (size_t i = 1; i < count; i++) {
        struct tn_sorted_entry entry = entries[i];
        size_t at = i;

        for (; at > 0 && entry_is_before(sorted, &entry, &entries[at - 1]); at--)
            entries[at] = entries[at - 1];
        entries[at] = entry;
    }
}

/* Merge the sorted halves [0, middle) and [middle, count); the lower half waits in the scratch. */
static void merge(const struct tn_sorted *sorted, struct tn_sorted_entry *entries, size_t middle,
                  size_t count)
{
    struct tn_sorted_entry *lower = sorted->scratch;
    size_t from_lower = 0;
    size_t from_upper = middle;
    size_t to = 0;

    memcpy(lower, entries, middle * sizeof *entries);
    while (from_lower < middle && from_upper < count) {
        if (entry_is_before(sorted, &entries[from_upper], &lower[from_lower]))
            entries[to++] = entries[from_upper++];
        else
            entries[to++] = lower[from_lower++];
    }
    memcpy(entries + to, lower + from_lower, (middle - from_lower) * sizeof *entries);
}

static void sort(const struct tn_sorted *sorted, struct tn_sorted_entry *entries, size_t count)
{
    size_t middle = count / 2;

    if (count <= INSERTION_SORT_MAX) {
        sort_by_insertion(sorted, entries, count);
        return;
    }
    sort(sorted, entries, middle);
    sort(sorted, entries + middle, count - middle);
    if (entry_is_before(sorted, &entries[middle], &entries[middle - 1]))
        merge(sorted, entries, middle, count);
}

/* ---- fill ------------------------------------------------------------------------------------ */

/* How many bytes a and b have in common at their start, at most `most`. */
static size_t common_bytes(const uint8_t *a, const uint8_t *b, size_t most)
{
    size_t count = 0;

    while (count < most && a[count] == b[count])
        count++;
    return count;
}

/* Copy all groups into the arena, which has room. */
static int entries_copy(struct tn_sorted *sorted, tarn_iterator *iterator)
{
    uint8_t *at = sorted->arena;
    tarn_bytes key;
    tarn_bytes block;
    int result;

    while ((result = tarn_next(iterator, &key, &block)) == TARN_OK) {
        uint64_t key_bytes = key.bytes;

        if (block.bytes != sorted->block_bytes)
            return TARN_E_TYPE; /* not a table of ours */
        sorted->entries[sorted->entry_count++].block = at;
        if (block.bytes > 0)
            memcpy(at, block.data, block.bytes);
        at += block.bytes;
        memcpy(at, &key_bytes, sizeof key_bytes);
        at += KEY_LENGTH_BYTES;
        if (key.bytes > 0)
            memcpy(at, key.data, key.bytes);
        at += tn_align_up(key.bytes, 8);
    }
    return result == TARN_END ? TARN_OK : result;
}

/* Heads are taken behind what all keys begin with: "user-000017" and the like differ late. */
static void heads_set(struct tn_sorted *sorted)
{
    const uint8_t *first;
    size_t shared;
    size_t i;

    if (sorted->entry_count == 0)
        return;
    first = entry_key(sorted, &sorted->entries[0], &shared);
    for (i = 1; i < sorted->entry_count && shared > 0; i++) {
        size_t key_bytes;
        const uint8_t *key = entry_key(sorted, &sorted->entries[i], &key_bytes);

        shared = common_bytes(first, key, tn_min(shared, key_bytes));
    }
    for (i = 0; i < sorted->entry_count; i++) {
        size_t key_bytes;
        const uint8_t *key = entry_key(sorted, &sorted->entries[i], &key_bytes);

        sorted->entries[i].head = tn_key_head(key + shared, key_bytes - shared);
    }
}

int tn_sorted_fill(struct tn_sorted *sorted, tarn_table *blocks)
{
    size_t count = tarn_table_count(blocks);
    size_t bytes = tarn_table_bytes(blocks) + count * (KEY_LENGTH_BYTES + 7);
    tarn_iterator *iterator;
    int result;

    sorted->entry_count = 0;
    if (!entries_reserve(sorted, count) || !arena_reserve(sorted, bytes))
        return TARN_E_MEMORY;
    result = tarn_scan(&iterator, blocks, NULL);
    if (result != TARN_OK)
        return result;
    result = entries_copy(sorted, iterator);
    (void)tarn_iterator_close(iterator); /* it was open: this cannot fail */
    if (result != TARN_OK)
        return result;
    heads_set(sorted);
    sort(sorted, sorted->entries, sorted->entry_count);
    return TARN_OK;
}

const void *tn_sorted_block(const struct tn_sorted *sorted, size_t index)
{
    tn_assert(index < sorted->entry_count);
    return sorted->entries[index].block;
}

uint8_t *tn_sorted_key(const struct tn_sorted *sorted, size_t index, size_t *key_bytes)
{
    uint64_t bytes;
    uint8_t *at;

    tn_assert(index < sorted->entry_count);
    at = sorted->entries[index].block + sorted->block_bytes;
    memcpy(&bytes, at, sizeof bytes);
    *key_bytes = bytes;
    return at + KEY_LENGTH_BYTES;
}
