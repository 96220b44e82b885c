/*
 * bytes.h - the only place that knows byte order
 *
 * Loads and stores of fixed width at any alignment, and the one order of keys: unsigned
 * lexicographic, a prefix before what it is a prefix of (contract: 'Keys, values, order').
 */
#ifndef TN_BYTES_H
#define TN_BYTES_H

#include "base/base.h"

#include <string.h>

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define TN_BIG_ENDIAN 1
#else
#define TN_BIG_ENDIAN 0
#endif

static inline uint64_t tn_load_le64(const void *at)
{
    uint64_t value;

    memcpy(&value, at, sizeof value);
    return TN_BIG_ENDIAN ? __builtin_bswap64(value) : value;
}

static inline uint32_t tn_load_le32(const void *at)
{
    uint32_t value;

    memcpy(&value, at, sizeof value);
    return TN_BIG_ENDIAN ? __builtin_bswap32(value) : value;
}

static inline void tn_store_le64(void *at, uint64_t value)
{
    value = TN_BIG_ENDIAN ? __builtin_bswap64(value) : value;
    memcpy(at, &value, sizeof value);
}

static inline void tn_store_le32(void *at, uint32_t value)
{
    value = TN_BIG_ENDIAN ? __builtin_bswap32(value) : value;
    memcpy(at, &value, sizeof value);
}

static inline uint64_t tn_load_be64(const void *at)
{
    uint64_t value;

    memcpy(&value, at, sizeof value);
    return TN_BIG_ENDIAN ? value : __builtin_bswap64(value);
}

static inline void tn_store_be64(void *at, uint64_t value)
{
    value = TN_BIG_ENDIAN ? value : __builtin_bswap64(value);
    memcpy(at, &value, sizeof value);
}

/* The first `bytes` (at most 8) bytes of a key as a number that sorts as they do; zero-padded. */
static inline uint64_t tn_key_head(const void *key, size_t bytes)
{
    uint64_t head = 0;

    if (TN_LIKELY(bytes >= 8))
        return tn_load_be64(key);
    memcpy(&head, key, bytes);
    return TN_BIG_ENDIAN ? head : __builtin_bswap64(head);
}

/* < 0, 0, > 0 as a sorts before, with, after b. */
static inline int tn_key_compare(const void *a, size_t a_bytes, const void *b, size_t b_bytes)
{
    size_t shared = tn_min(a_bytes, b_bytes);
    int order = shared == 0 ? 0 : memcmp(a, b, shared);

    if (order != 0)
        return order;
    return (a_bytes > b_bytes) - (a_bytes < b_bytes);
}

#endif
