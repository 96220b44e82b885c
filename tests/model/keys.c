/*
 * keys.c - all keys of a program, and the bytes of values; see keys.h
 */
#include "model/keys.h"

#include "base/bytes.h"

#include "test.h"

/* ---- order ----------------------------------------------------------------------------------- */

static int keys_compare(const void *a, const void *b)
{
    const tarn_bytes *x = a, *y = b;
    int order = memcmp(x->data, y->data, tn_min(x->bytes, y->bytes));

    return order != 0 ? order : (x->bytes > y->bytes) - (x->bytes < y->bytes);
}

bool keys_equal(const tarn_bytes *a, const tarn_bytes *b)
{
    return a->bytes == b->bytes && memcmp(a->data, b->data, a->bytes) == 0;
}

/* How many keys are before it, or begin with it when `and_longer`. */
static size_t count_before(const struct universe_keys *universe, const tarn_bytes *key,
                           bool and_longer)
{
    size_t low = 0, high = universe->count;

    while (low < high) {
        size_t middle = (low + high) / 2;
        const tarn_bytes *at = &universe->keys[middle];
        bool longer = at->bytes >= key->bytes && memcmp(at->data, key->data, key->bytes) == 0;

        if (longer ? and_longer : keys_compare(at, key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

size_t universe_rank(const struct universe_keys *universe, const tarn_bytes *key)
{
    return count_before(universe, key, false);
}

void universe_prefix(const struct universe_keys *universe, const tarn_bytes *prefix, size_t *low,
                     size_t *high)
{
    *low = count_before(universe, prefix, false);
    *high = count_before(universe, prefix, true);
}

/* ---- finding --------------------------------------------------------------------------------- */

static uint64_t key_hash(const tarn_bytes *key)
{
    const uint8_t *at = key->data;
    uint64_t hash = key->bytes * UINT64_C(0x9E3779B97F4A7C15), word;
    size_t i;

    for (i = 0; i + 8 <= key->bytes; i += 8) {
        memcpy(&word, at + i, 8);
        hash = (hash ^ word) * UINT64_C(0xD6E8FEB86659FD93);
        hash = (hash ^ hash >> 32) * UINT64_C(0xD6E8FEB86659FD93);
        hash ^= hash >> 32;
    }
    for (; i < key->bytes; i++)
        hash = (hash ^ at[i]) * UINT64_C(0xD6E8FEB86659FD93);
    return hash ^ hash >> 29;
}

static uint32_t *universe_slot(const struct universe_keys *universe, const tarn_bytes *key)
{
    size_t i = key_hash(key) & (universe->slot_count - 1);

    while (universe->slots[i] != 0 && !keys_equal(&universe->keys[universe->slots[i] - 1], key))
        i = (i + 1) & (universe->slot_count - 1);
    return &universe->slots[i];
}

size_t universe_find(const struct universe_keys *universe, const tarn_bytes *key)
{
    uint32_t slot = *universe_slot(universe, key);

    return slot != 0 ? slot - 1 : universe->count;
}

/* ---- making ---------------------------------------------------------------------------------- */

#define KEY_LENGTHS_MAX ((size_t)65535)

/* The longest that a universe's keys can be. */
static size_t key_bytes_max(const struct setting *setting)
{
    static const size_t bytes[UNIVERSE_KINDS] = { 9, 8, 460, 13, KEY_LENGTHS_MAX, 8 };

    return bytes[setting->universe];
}

static size_t key_make(const struct setting *setting, uint64_t number, uint64_t random,
                       uint8_t *key)
{
    static const uint16_t lengths[] = { 0,   1,   7,   8,    9,    15,    16,    17,    253,  254,
                                        255, 256, 257, 4000, 4096, 32767, 65533, 65534, 65535 };
    static const uint8_t letters[] = { 0, 1, 0xFF };
    size_t bytes = 0, i;

    switch (setting->universe) {
    case UNIVERSE_TINY:
        memcpy(key, "aaaaaaab", 8);
        return number % 9;
    case UNIVERSE_COUNTERS:
        tn_store_be64(key, number);
        return 8;
    case UNIVERSE_PREFIXED:
        bytes = 20 + (size_t)(setting->seed % 400);
        memset(key, 'p', bytes);
        return bytes + (size_t)snprintf((char *)key + bytes, 32, "%" PRIu64, random % 3000);
    case UNIVERSE_BINARY:
        bytes = (size_t)(random % 13);
        for (i = 0; i < bytes; i++)
            key[i] = letters[(random >> (4 + 2 * i)) % 3];
        return bytes;
    case UNIVERSE_LONG:
        bytes = lengths[number % TN_ARRAY_COUNT(lengths)];
        memset(key, 'k', bytes);
        if (bytes > 0)
            key[random % 4 == 0 ? 0 : bytes - 1] = (uint8_t)(random >> 8);
        return bytes;
    default:
        tn_store_le64(key, random);
        return 8;
    }
}

static void *room(size_t count, size_t bytes)
{
    void *block = calloc(count, bytes);

    if (block == NULL)
        abort();
    return block;
}

static void universe_sort(struct universe_keys *universe, size_t made)
{
    size_t i;

    qsort(universe->keys, made, sizeof universe->keys[0], keys_compare);
    for (i = 0; i < made; i++)
        if (i == 0 || !keys_equal(&universe->keys[i], &universe->keys[universe->count - 1]))
            universe->keys[universe->count++] = universe->keys[i];
}

void universe_make(struct universe_keys *universe, const struct setting *setting)
{
    uint64_t state = setting->seed, number;
    size_t at = 0, i;

    *universe = (struct universe_keys){ .slot_count = 4 };
    while (universe->slot_count < 2 * setting->key_count)
        universe->slot_count *= 2;
    universe->keys = room(setting->key_count, sizeof universe->keys[0]);
    universe->arena = room(setting->key_count, key_bytes_max(setting) + 8);
    universe->slots = room(universe->slot_count, sizeof universe->slots[0]);
    for (number = 0; number < setting->key_count; number++) {
        uint8_t *key = universe->arena + at;
        size_t bytes = key_make(setting, number, test_random(&state), key);

        universe->keys[number] = (tarn_bytes){ key, bytes };
        at += bytes;
    }
    universe_sort(universe, setting->key_count);
    for (i = 0; i < universe->count; i++)
        *universe_slot(universe, &universe->keys[i]) = (uint32_t)i + 1;
}

void universe_free(struct universe_keys *universe)
{
    free(universe->keys);
    free(universe->arena);
    free(universe->slots);
    *universe = (struct universe_keys){ 0 };
}

/* ---- values ---------------------------------------------------------------------------------- */

#define VALUE_STEP UINT64_C(0x9E3779B97F4A7C15)

void value_fill(void *to, size_t bytes, uint64_t seed)
{
    uint8_t *at = to;
    uint8_t word[8];

    for (; bytes >= sizeof word; bytes -= sizeof word, at += sizeof word, seed += VALUE_STEP)
        tn_store_le64(at, seed);
    tn_store_le64(word, seed);
    memcpy(at, word, bytes);
}

bool value_is_made_of(uint64_t seed, const void *value, size_t bytes)
{
    const uint8_t *at = value;
    uint8_t word[8];

    for (; bytes >= sizeof word; bytes -= sizeof word, at += sizeof word, seed += VALUE_STEP)
        if (tn_load_le64(at) != seed)
            return false;
    tn_store_le64(word, seed);
    return memcmp(at, word, bytes) == 0;
}

bool value_is_zero(const void *value, size_t bytes)
{
    const uint8_t *at = value;

    return bytes == 0 || (at[0] == 0 && memcmp(at, at + 1, bytes - 1) == 0);
}

uint64_t value_seed(const void *at, size_t bytes)
{
    uint8_t word[8] = { 0 };

    memcpy(word, at, bytes);
    return tn_load_le64(word);
}
