/*
 * sorted.c - see sorted.h for the rules
 */
#include "stream/sorted.h"

#include "base/bytes.h"
#include "os/posix.h"

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
    tn_memory_free(sorted->memory, sorted->slots, sorted->slot_count * sizeof *sorted->slots);
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

/* A group's block and key, behind the others; there is room. Answers where the next one goes. */
static uint8_t *entry_write(struct tn_sorted *sorted, uint8_t *at, const tarn_bytes *key,
                            const tarn_bytes *block)
{
    uint64_t key_bytes = key->bytes;

    sorted->entries[sorted->entry_count++].block = at;
    if (block->bytes > 0)
        memcpy(at, block->data, block->bytes);
    at += block->bytes;
    memcpy(at, &key_bytes, sizeof key_bytes);
    at += KEY_LENGTH_BYTES;
    if (key->bytes > 0)
        memcpy(at, key->data, key->bytes);
    return at + tn_align_up(key->bytes, 8);
}

/* Copy all groups into the arena, which has room. */
static int entries_copy(struct tn_sorted *sorted, tarn_iterator *iterator)
{
    uint8_t *at = sorted->arena;
    tarn_bytes key;
    tarn_bytes block;
    int result;

    while ((result = tarn_next(iterator, &key, &block)) == TARN_OK) {
        if (block.bytes != sorted->block_bytes)
            return TARN_E_TYPE; /* not a table of ours */
        at = entry_write(sorted, at, &key, &block);
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

void tn_sorted_order(struct tn_sorted *sorted)
{
    heads_set(sorted);
    sort(sorted, sorted->entries, sorted->entry_count);
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
    tn_sorted_order(sorted);
    return TARN_OK;
}

/* ---- merge several --------------------------------------------------------------------------- */

bool tn_sorted_begin(struct tn_sorted *sorted)
{
    sorted->entry_count = 0;
    sorted->arena_used = 0;
    if (sorted->slot_count > 0) {
        memset(sorted->slots, 0, sorted->slot_count * sizeof *sorted->slots);
        return true;
    }
    return tn_kernel_random(&sorted->secret, sizeof sorted->secret) ==
           (ssize_t)sizeof sorted->secret;
}

/* Room for one more entry, those that are there kept. */
static bool entries_grow(struct tn_sorted *sorted)
{
    size_t entry_bytes = sizeof(struct tn_sorted_entry);
    size_t old = sorted->entry_capacity, count = tn_max(2 * old, 1024);
    struct tn_sorted_entry *entries, *scratch;

    if (sorted->entry_count < old)
        return true;
    scratch = tn_memory_new(sorted->memory, count / 2 * entry_bytes, false);
    if (scratch == NULL)
        return false;
    entries =
        tn_memory_resize(sorted->memory, sorted->entries, old * entry_bytes, count * entry_bytes);
    if (entries == NULL) {
        tn_memory_free(sorted->memory, scratch, count / 2 * entry_bytes);
        return false;
    }
    tn_memory_free(sorted->memory, sorted->scratch, scratch_count(sorted) * entry_bytes);
    sorted->entries = entries;
    sorted->scratch = scratch;
    sorted->entry_capacity = count;
    return true;
}

/* Room for so many bytes more in the arena; entries go with it. */
static bool arena_grow(struct tn_sorted *sorted, size_t more_bytes)
{
    size_t bytes = sorted->arena_bytes;
    uint8_t *old = sorted->arena, *arena;

    if (bytes - sorted->arena_used >= more_bytes)
        return true;
    bytes = tn_max(2 * bytes, 64 * TN_KIB) + more_bytes;
    arena = tn_memory_new(sorted->memory, bytes, false);
    if (arena == NULL)
        return false;
    if (sorted->arena_used > 0)
        memcpy(arena, old, sorted->arena_used);
    for (size_t i = 0; i < sorted->entry_count; i++)
        sorted->entries[i].block = arena + (sorted->entries[i].block - old);
    tn_memory_free(sorted->memory, old, sorted->arena_bytes);
    sorted->arena = arena;
    sorted->arena_bytes = bytes;
    return true;
}

static void slot_set(struct tn_sorted *sorted, size_t place)
{
    size_t mask = sorted->slot_count - 1;
    size_t at = (size_t)sorted->entries[place].head & mask;

    while (sorted->slots[at] != 0)
        at = (at + 1) & mask;
    sorted->slots[at] = (uint32_t)place + 1;
}

/* Room in the slots for one more entry. */
static bool slots_grow(struct tn_sorted *sorted)
{
    size_t count = tn_max(2 * sorted->slot_count, 2048);
    uint32_t *slots;

    if (2 * (sorted->entry_count + 1) <= sorted->slot_count)
        return true;
    if (sorted->entry_count >= UINT32_MAX / 2)
        return false; /* places have 32 bits; there is no memory for that many either */
    slots = tn_memory_new(sorted->memory, count * sizeof *slots, true);
    if (slots == NULL)
        return false;
    tn_memory_free(sorted->memory, sorted->slots, sorted->slot_count * sizeof *slots);
    sorted->slots = slots;
    sorted->slot_count = count;
    for (size_t i = 0; i < sorted->entry_count; i++)
        slot_set(sorted, i);
    return true;
}

/* The block of this key, or NULL. */
static uint8_t *entry_find(const struct tn_sorted *sorted, uint64_t hash, const tarn_bytes *key)
{
    size_t mask = sorted->slot_count - 1;

    for (size_t at = (size_t)hash & mask; sorted->slots[at] != 0; at = (at + 1) & mask) {
        const struct tn_sorted_entry *entry = &sorted->entries[sorted->slots[at] - 1];
        const uint8_t *found;
        size_t found_bytes;

        if (entry->head != hash)
            continue;
        found = entry_key(sorted, entry, &found_bytes);
        if (found_bytes == key->bytes &&
            tn_key_compare(found, found_bytes, key->data, key->bytes) == 0)
            return entry->block;
    }
    return NULL;
}

static bool entry_add(struct tn_sorted *sorted, uint64_t hash, const tarn_bytes *key,
                      const tarn_bytes *block)
{
    size_t bytes = block->bytes + KEY_LENGTH_BYTES + tn_align_up(key->bytes, 8);
    uint8_t *end;

    if (!entries_grow(sorted) || !arena_grow(sorted, bytes))
        return false;
    end = entry_write(sorted, sorted->arena + sorted->arena_used, key, block);
    sorted->arena_used = (size_t)(end - sorted->arena);
    sorted->entries[sorted->entry_count - 1].head = hash; /* G4 */
    slot_set(sorted, sorted->entry_count - 1);
    return true;
}

static int groups_merge(struct tn_sorted *sorted, tarn_iterator *groups,
                        const struct tn_layout *layout, enum tn_errand *errands,
                        struct tn_text *reason)
{
    tarn_bytes key, block;
    int result;

    while ((result = tarn_next(groups, &key, &block)) == TARN_OK) {
        uint64_t hash = tn_hash(&sorted->secret, key.data, key.bytes);
        uint8_t *found;

        if (block.bytes != sorted->block_bytes)
            return TARN_E_TYPE; /* not a table of ours */
        if (!slots_grow(sorted))
            return TARN_E_MEMORY;
        found = entry_find(sorted, hash, &key);
        if (found == NULL && !entry_add(sorted, hash, &key, &block))
            return TARN_E_MEMORY;
        if (found != NULL && !tn_layout_merge(layout, found, block.data, errands, reason))
            return TN_SLICE_OVERFLOW;
    }
    return result == TARN_END ? TARN_OK : result;
}

int tn_sorted_merge(struct tn_sorted *sorted, tarn_table *blocks, const struct tn_layout *layout,
                    enum tn_errand *errands, struct tn_text *reason)
{
    tarn_iterator *groups;
    int result = tarn_scan(&groups, blocks, NULL);

    tn_assert(!layout->has_texts); /* G5 */
    if (result != TARN_OK)
        return result;
    result = groups_merge(sorted, groups, layout, errands, reason);
    (void)tarn_iterator_close(groups); /* it was open: this cannot fail */
    return result;
}

/* ---- entries, read --------------------------------------------------------------------------- */

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
