/*
 * digits.h - decimal digits, eight at a time
 *
 * Eight bytes loaded little-endian are one word: the first digit is the lowest byte. A number of
 * fewer digits is moved up behind leading zeros first.
 *
 *     "1234"  ->  "00001234"  ->  1234         load, align, value
 */
#ifndef TN_DIGITS_H
#define TN_DIGITS_H

#include "base/bytes.h"

#define TN_DIGITS_ZEROS UINT64_C(0x3030303030303030)

/*
 * Are these 8 bytes all digits? Digits are 0x30 to 0x39: the high half is 3, also after adding 6.
 */
static inline bool tn_digits_are(uint64_t word)
{
    const uint64_t high_halves = UINT64_C(0xF0F0F0F0F0F0F0F0);
    const uint64_t sixes = UINT64_C(0x0606060606060606);

    return ((word & high_halves) | (((word + sixes) & high_halves) >> 4)) ==
           UINT64_C(0x3333333333333333);
}

/* The number that 8 digits say: pairs, then fours, then all, in three steps. */
static inline uint64_t tn_digits_value(uint64_t word)
{
    const uint64_t mask = UINT64_C(0x000000FF000000FF);
    const uint64_t hundreds = UINT64_C(0x000F424000000064); /* 1000000 << 32 | 100 */
    const uint64_t ones = UINT64_C(0x0000271000000001);     /* 10000 << 32 | 1 */

    word -= TN_DIGITS_ZEROS;
    word = word * 10 + (word >> 8);
    return ((word & mask) * hundreds + ((word >> 16) & mask) * ones) >> 32;
}

/* The first `count`, 1 to 8, bytes of a word behind leading zeros. */
static inline uint64_t tn_digits_align(uint64_t word, unsigned count)
{
    return word << 8 * (8 - count) | TN_DIGITS_ZEROS >> 8 * (count - 1) >> 8;
}

/* Load `bytes`, 1 to 8, bytes and no byte beyond; what is above them is 0. */
static inline uint64_t tn_digits_load(const char *at, size_t bytes)
{
    uint64_t word = 0;
    size_t i;

    if (bytes == 8)
        return tn_load_le64(at);
    if (bytes >= 4)
        return tn_load_le32(at) | (uint64_t)tn_load_le32(at + bytes - 4) << 8 * (bytes - 4);
    for (i = 0; i < bytes; i++)
        word |= (uint64_t)(unsigned char)at[i] << 8 * i;
    return word;
}

/* The place of the first byte that is `wanted`; 8: there is none. */
static inline unsigned tn_digits_find(uint64_t word, char wanted)
{
    uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t other = word ^ ones * (unsigned char)wanted;
    uint64_t found = (other - ones) & ~other & ones * 0x80; /* exact up to the first */

    return found != 0 ? (unsigned)__builtin_ctzll(found) / 8 : 8;
}

#endif
