/*
 * simulated_growth.h - what grows in the simulated system: arrays of items, and runs of bytes
 *
 *     | items or bytes that count | room, with anything in it |
 *
 * Rules
 *   G1  Room at least doubles when it is used up, and is never given back: a simulation builds
 *       millions of images one over the other.
 *   G2  New bytes are zero, also over what was there before.
 *   G3  A test that runs out of memory here cannot go on: it traps.
 */
#ifndef TN_SIMULATED_GROWTH_H
#define TN_SIMULATED_GROWTH_H

#include "base/base.h"

#include <stdlib.h>
#include <string.h>

/* Room for one more item. */
static inline void *tn_array_grow(void *items, size_t count, size_t *capacity, size_t item_bytes)
{
    if (count < *capacity)
        return items;
    *capacity = *capacity != 0 ? 2 * *capacity : 8;
    items = realloc(items, *capacity * item_bytes);
    tn_assert(items != NULL);
    return items;
}

struct tn_disk_bytes {
    uint8_t *data;
    uint64_t bytes;
    uint64_t capacity_bytes; /* beyond `bytes` there may be anything */
};

/* G2 */
static inline void tn_disk_bytes_resize(struct tn_disk_bytes *bytes, uint64_t new_bytes)
{
    if (new_bytes > bytes->capacity_bytes) {
        bytes->capacity_bytes = tn_max(new_bytes, 2 * bytes->capacity_bytes);
        bytes->data = realloc(bytes->data, bytes->capacity_bytes);
        tn_assert(bytes->data != NULL);
    }
    if (new_bytes > bytes->bytes)
        memset(bytes->data + bytes->bytes, 0, new_bytes - bytes->bytes);
    bytes->bytes = new_bytes;
}

static inline void tn_disk_bytes_write(struct tn_disk_bytes *bytes, const void *from, size_t count,
                                       uint64_t offset)
{
    if (count == 0)
        return;
    if (offset + count > bytes->bytes)
        tn_disk_bytes_resize(bytes, offset + count);
    memcpy(bytes->data + offset, from, count);
}

static inline void tn_disk_bytes_copy(struct tn_disk_bytes *to, const struct tn_disk_bytes *from)
{
    to->bytes = 0;
    tn_disk_bytes_write(to, from->data, from->bytes, 0);
}

#endif
