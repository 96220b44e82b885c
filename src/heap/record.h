/*
 * record.h - how one entry lies in memory
 *
 * A record is a header of 8 bytes, the key, and the value from the next multiple of 8:
 *
 *     0        4    5     6       8              8+key          aligned to 8
 *     +--------+----+-----+-------+--------------+- - - - - - - +----------------+
 *     | tick   |key |flags| value | key bytes    |   padding    | value bytes    |
 *     +--------+----+-----+-------+--------------+- - - - - - - +----------------+
 *
 * A key of more than 254 bytes, or a value of more than 65,534, is 'long': its lengths do not fit
 * the header and stand as two 32-bit numbers between header and key:
 *
 *     | tick   |255 |flags|0xFFFF | key u32 | value u32 | key ...
 *
 * Records live in the heap, on 8-byte granules. A *handle* is a granule's number counted from the
 * heap's base: 40 bits, so 8 TiB; 0 is no record. Numbers are in the byte order of the machine: a
 * record never leaves it as it is.
 *
 * Rules
 *   R1  A record's key never changes while the record lives.
 *   R2  The value starts at a multiple of 8.
 *   R3  Padding bytes are never read.
 *   R4  Ticks wrap: two are compared by the sign of their 32-bit difference, so they must lie
 *       within 2^31 of each other.
 */
#ifndef TN_RECORD_H
#define TN_RECORD_H

#include "base/bytes.h"

typedef uint64_t tn_handle; /* 40 bits */

#define TN_HANDLE_NONE ((tn_handle)0)
#define TN_HANDLE_BITS 40
#define TN_GRANULE_BYTES ((size_t)8)

#define TN_RECORD_KEY_LONG 255u
#define TN_RECORD_VALUE_LONG 0xFFFFu

/* Flag of records that snapshots keep: there was no such key (src/store/snapshot.h). */
#define TN_RECORD_ABSENT 0x01u
/* Flags of records in stores on disk (B2 of src/store/durable.h). */
#define TN_RECORD_BORN 0x02u
#define TN_RECORD_DEAD 0x04u

struct tn_record {
    uint32_t tick;
    uint8_t key_bytes; /* TN_RECORD_KEY_LONG: see struct tn_record_long */
    uint8_t flags;
    uint16_t value_bytes; /* likewise */
};

struct tn_record_long {
    struct tn_record head;
    uint32_t key_bytes;
    uint32_t value_bytes;
};

_Static_assert(sizeof(struct tn_record) == 8, "a record's header is one granule");
_Static_assert(sizeof(struct tn_record_long) == 16, "a long record's header is two granules");

static inline struct tn_record *tn_record_at(uint8_t *base, tn_handle handle)
{
    return (struct tn_record *)(void *)(base + handle * TN_GRANULE_BYTES);
}

/* Long records mark both lengths, so one test tells. */
static inline bool tn_record_is_long(const struct tn_record *record)
{
    return record->key_bytes == TN_RECORD_KEY_LONG;
}

static inline const struct tn_record_long *tn_record_long(const struct tn_record *record)
{
    return (const struct tn_record_long *)(const void *)record;
}

static inline bool tn_record_must_be_long(size_t key_bytes, size_t value_bytes)
{
    return key_bytes >= TN_RECORD_KEY_LONG || value_bytes >= TN_RECORD_VALUE_LONG;
}

static inline size_t tn_record_key_bytes(const struct tn_record *record)
{
    if (TN_UNLIKELY(tn_record_is_long(record)))
        return tn_record_long(record)->key_bytes;
    return record->key_bytes;
}

static inline size_t tn_record_value_bytes(const struct tn_record *record)
{
    if (TN_UNLIKELY(tn_record_is_long(record)))
        return tn_record_long(record)->value_bytes;
    return record->value_bytes;
}

static inline size_t tn_record_head_bytes(bool is_long)
{
    return is_long ? sizeof(struct tn_record_long) : sizeof(struct tn_record);
}

static inline uint8_t *tn_record_key(struct tn_record *record)
{
    return (uint8_t *)record + tn_record_head_bytes(tn_record_is_long(record));
}

static inline uint8_t *tn_record_value(struct tn_record *record)
{
    size_t head_bytes = tn_record_head_bytes(tn_record_is_long(record));
    size_t key_bytes = tn_record_key_bytes(record);

    return (uint8_t *)record + tn_align_up(head_bytes + key_bytes, TN_GRANULE_BYTES);
}

/* Both sides have at least 8 bytes when `bytes` is 8 or more, so two overlapping words do to 16. */
TN_ALWAYS_INLINE bool tn_key_equal(const uint8_t *a, const uint8_t *b, size_t bytes)
{
    uint64_t a0, a1, b0, b1;

    if (bytes < 8 || bytes > 16)
        return bytes == 0 || memcmp(a, b, bytes) == 0; /* NULL is a fine pointer to no bytes */
    memcpy(&a0, a, 8);
    memcpy(&b0, b, 8);
    if (bytes == 8)
        return a0 == b0;
    memcpy(&a1, a + bytes - 8, 8);
    memcpy(&b1, b + bytes - 8, 8);
    return ((a0 ^ b0) | (a1 ^ b1)) == 0;
}

TN_ALWAYS_INLINE bool tn_record_has_key(struct tn_record *record, const void *key, size_t key_bytes)
{
    if (TN_LIKELY(record->key_bytes == key_bytes && key_bytes < TN_RECORD_KEY_LONG))
        return tn_key_equal((const uint8_t *)record + sizeof *record, key, key_bytes);
    return tn_record_is_long(record) && tn_record_key_bytes(record) == key_bytes &&
           memcmp(tn_record_key(record), key, key_bytes) == 0;
}

/* Bytes that a record with these lengths takes, before rounding up to a size class. */
static inline size_t tn_record_bytes(size_t key_bytes, size_t value_bytes)
{
    size_t head_bytes = tn_record_head_bytes(tn_record_must_be_long(key_bytes, value_bytes));

    return tn_align_up(head_bytes + key_bytes, TN_GRANULE_BYTES) + value_bytes;
}

/* R4: whether the record was changed after the tick. */
static inline bool tn_record_is_after(const struct tn_record *record, uint64_t tick)
{
    return (int32_t)(record->tick - (uint32_t)tick) > 0;
}

/* Lengths and key into a slot that holds nothing of use, or, in place, the same key. */
static inline void tn_record_write_head(struct tn_record *record, uint64_t tick, const void *key,
                                        size_t key_bytes, size_t value_bytes)
{
    bool is_long = tn_record_must_be_long(key_bytes, value_bytes);

    if (key_bytes > 0)
        memmove((uint8_t *)record + tn_record_head_bytes(is_long), key, key_bytes);
    record->tick = (uint32_t)tick;
    record->flags = 0;
    record->key_bytes = is_long ? TN_RECORD_KEY_LONG : (uint8_t)key_bytes;
    record->value_bytes = is_long ? TN_RECORD_VALUE_LONG : (uint16_t)value_bytes;
    if (is_long) {
        struct tn_record_long *extended = (struct tn_record_long *)(void *)record;

        extended->key_bytes = (uint32_t)key_bytes;
        extended->value_bytes = (uint32_t)value_bytes;
    }
}

static inline void tn_record_set_value(struct tn_record *record, const void *value,
                                       size_t value_bytes)
{
    if (value_bytes > 0)
        memcpy(tn_record_value(record), value, value_bytes);
}

#endif
