/*
 * hash.h - keyed hash of keys
 *
 * Folded multiplication: fold(a, b) is the high half xor the low half of the 128-bit product. A key
 * of up to 16 bytes costs two of them, each further 32 bytes two more. One of 8 bytes is the common
 * case, and its length is not mixed in: no other length is hashed that way.
 *
 *     key == 8       a = the key                            fold(fold(a ^ s0, s1), s2)
 *     key <= 16      a, b = its first and last 8 bytes      x = fold(a ^ s0, b ^ s1)
 *     key  > 16      two lanes over blocks of 32 bytes      x = fold(lane0 ^ s4, lane1 ^ s5)
 *     but for 8      fold(x ^ s2, length ^ s3)
 *
 * Rules
 *   H1  The secret is multiplier material, not only a seed: with multipliers that are known
 *       constants, whoever chooses keys can make a factor 0 and have keys that collide for every
 *       seed. The secret is random for each store and never leaves it.
 *   H2  The last block overlaps the one before it, so no byte beyond the key is read.
 *   H3  The value is the same on every machine: words of a key are read little-endian. What is
 *       stored may rely on the order of hashes, so changing them is changing the format.
 *   H4  Both multiplications of 8 bytes are folded: with a plain one in the second place 3 secrets
 *       in 100 spread big-endian counters badly.
 */
#ifndef TN_HASH_H
#define TN_HASH_H

#include "base/bytes.h"

/* Files keep positions in the order of hashes: another function needs another number. */
#define TN_HASH_VERSION 2u

struct tn_hash_secret {
    uint64_t words[6];
};

/* For compilers without 128-bit integers. */
static inline uint64_t hash_fold_portable(uint64_t a, uint64_t b)
{
    uint64_t a0 = (uint32_t)a, a1 = a >> 32, b0 = (uint32_t)b, b1 = b >> 32;
    uint64_t low = a0 * b0, mid0 = a1 * b0, mid1 = a0 * b1;
    uint64_t carry = ((low >> 32) + (uint32_t)mid0 + (uint32_t)mid1) >> 32;

    return (a * b) ^ (a1 * b1 + (mid0 >> 32) + (mid1 >> 32) + carry);
}

/* One instruction. gcc 12 keeps the product of a 128-bit type in memory, or registers saved for it. */
TN_ALWAYS_INLINE uint64_t hash_fold(uint64_t a, uint64_t b)
{
#if defined(__x86_64__) && defined(__GNUC__)
    uint64_t low, high;

    __asm__("mulq %3" : "=a"(low), "=d"(high) : "%0"(a), "rm"(b) : "cc");
    return low ^ high;
#elif defined(__SIZEOF_INT128__)
    unsigned __int128 product = (unsigned __int128)a * b;

    return (uint64_t)product ^ (uint64_t)(product >> 64);
#else
    return hash_fold_portable(a, b);
#endif
}

/* Up to 8 bytes in one word; the length, mixed in later, tells "a" from "a\0". */
static inline uint64_t hash_word(const uint8_t *key, size_t bytes)
{
    if (bytes >= 4)
        return tn_load_le32(key) | (uint64_t)tn_load_le32(key + bytes - 4) << 32;
    if (bytes > 0)
        return (uint64_t)key[0] << 16 | (uint64_t)key[bytes >> 1] << 8 | key[bytes - 1];
    return 0;
}

static inline uint64_t hash_long(const uint64_t *s, const uint8_t *key, size_t bytes)
{
    uint64_t lane0 = s[2], lane1 = s[3];

    if (bytes <= 32) {
        lane0 = hash_fold(tn_load_le64(key) ^ s[0], tn_load_le64(key + 8) ^ lane0);
        lane1 =
            hash_fold(tn_load_le64(key + bytes - 16) ^ s[1], tn_load_le64(key + bytes - 8) ^ lane1);
        return hash_fold(lane0 ^ s[4], lane1 ^ s[5]);
    }
    while (bytes > 32) {
        lane0 = hash_fold(tn_load_le64(key) ^ s[0], tn_load_le64(key + 8) ^ lane0);
        lane1 = hash_fold(tn_load_le64(key + 16) ^ s[1], tn_load_le64(key + 24) ^ lane1);
        key += 32;
        bytes -= 32;
    }
    key += bytes; /* H2 */
    lane0 = hash_fold(tn_load_le64(key - 32) ^ s[0], tn_load_le64(key - 24) ^ lane0);
    lane1 = hash_fold(tn_load_le64(key - 16) ^ s[1], tn_load_le64(key - 8) ^ lane1);
    return hash_fold(lane0 ^ s[4], lane1 ^ s[5]);
}

/* A key of 8 bytes. */
TN_ALWAYS_INLINE uint64_t tn_hash_8(const struct tn_hash_secret *secret, const void *key)
{
    return hash_fold(hash_fold(tn_load_le64(key) ^ secret->words[0], secret->words[1]),
                     secret->words[2]);
}

TN_ALWAYS_INLINE uint64_t tn_hash(const struct tn_hash_secret *secret, const void *data,
                                  size_t bytes)
{
    const uint64_t *s = secret->words;
    const uint8_t *key = data;
    uint64_t x;

    if (TN_LIKELY(bytes == 8))
        return tn_hash_8(secret, key);
    if (bytes < 8)
        x = hash_fold(hash_word(key, bytes) ^ s[0], s[1]);
    else if (bytes <= 16)
        x = hash_fold(tn_load_le64(key) ^ s[0], tn_load_le64(key + bytes - 8) ^ s[1]);
    else
        x = hash_long(s, key, bytes);
    return hash_fold(x ^ s[2], bytes ^ s[3]);
}

#endif
