/*
 * crash_value.h - keys and values that need no room to be remembered
 *
 * A key is known by its number, a value by a stamp and its length: so what a store should hold is a
 * few bytes an entry, and yet the comparison is of every byte.
 */
#ifndef CRASH_VALUE_H
#define CRASH_VALUE_H

#include "test.h"

#include <string.h>
#include <tarn.h>

#define CRASH_FEW_KEYS 8
#define CRASH_VALUE_BYTES_MAX 40000u

struct crash_entry {
    uint32_t stamp; /* 0: absent */
    uint32_t bytes;
};

/* Keys of several lengths: empty, short, of 8 bytes, long with a common start. */
static inline tarn_bytes crash_few_key(unsigned key)
{
    static char long_keys[2][300];
    static const tarn_bytes keys[CRASH_FEW_KEYS - 2] = {
        { "", 0 },         { "k", 1 },        { "12345678", 8 },
        { "12345679", 8 }, { "a\0b\xFF", 4 }, { "a key of some length", 20 },
    };

    if (key < CRASH_FEW_KEYS - 2)
        return keys[key];
    memset(long_keys[key - (CRASH_FEW_KEYS - 2)], 'x', 300);
    long_keys[key - (CRASH_FEW_KEYS - 2)][299] = (char)key;
    return (tarn_bytes){ long_keys[key - (CRASH_FEW_KEYS - 2)], 300 };
}

/* `bytes` bytes that no other stamp has, as far as that is possible. */
static inline const void *crash_value(uint32_t stamp, uint32_t bytes)
{
    static uint64_t value[CRASH_VALUE_BYTES_MAX / 8 + 1];
    uint64_t state = stamp;
    uint32_t i;

    for (i = 0; i < bytes / 8 + 1; i++)
        value[i] = test_random(&state);
    return value;
}

#endif
