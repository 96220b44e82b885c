/*
 * keys.h - all keys of a program, made beforehand and sorted; and the bytes of values
 *
 *     rank     0    1    2    3   ...      a key's number in order: the model is arrays by rank
 *     key      ""   "a"  "ab" "b" ...
 *
 * A value is told by a size and a seed: 8 bytes little-endian of the seed, then of the seed plus a
 * constant, and so on, cut off at the size. So any value of up to 8 bytes has a seed, and a longer
 * value of the same seed begins with the bytes of a shorter one.
 */
#ifndef MODEL_KEYS_H
#define MODEL_KEYS_H

#include "model/program.h"

#include <tarn.h>

struct universe_keys {
    tarn_bytes *keys; /* by rank */
    size_t count;
    uint8_t *arena;
    uint32_t *slots; /* hash table: 1 + rank */
    size_t slot_count;
};

void universe_make(struct universe_keys *universe, const struct setting *setting);
void universe_free(struct universe_keys *universe);

/* How many keys sort before this one. */
size_t universe_rank(const struct universe_keys *universe, const tarn_bytes *key);

/* How many keys sort before all those that are, or begin with, this one, and before those behind them. */
void universe_prefix(const struct universe_keys *universe, const tarn_bytes *prefix, size_t *low,
                     size_t *high);

/* The rank of a key that is one of them; count: it is not. */
size_t universe_find(const struct universe_keys *universe, const tarn_bytes *key);

bool keys_equal(const tarn_bytes *a, const tarn_bytes *b);

#define VALUE_BYTES_MAX ((size_t)400000)

void value_fill(void *at, size_t bytes, uint64_t seed);
bool value_is_made_of(uint64_t seed, const void *at, size_t bytes);
bool value_is_zero(const void *at, size_t bytes);

/* The seed of a value of up to 8 bytes. */
uint64_t value_seed(const void *at, size_t bytes);

#endif
