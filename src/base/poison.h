/*
 * poison.h - stale memory that shows
 *
 * Debug builds fill memory that is given back with TN_POISON_BYTE. Who reads it late, through a
 * pointer that has ended or a handle that was closed, reads nonsense; and what would be a pointer
 * there is none that any system hands out. Release builds do nothing, at no cost.
 *
 * Rules
 *   Z1  Whatever holds users' bytes or handles is poisoned before anybody can get it again: a slot
 *       when it is freed, a chunk when it is given up but kept, a block when it goes back to the
 *       allocator. Pages that go back to the system are closed by that.
 *   Z2  Nothing reads what is poisoned, not even within the call that freed it.
 *   Z3  A slot is all poison until it is taken: a pointer that has ended and is written through
 *       later traps at the next taker. Writes into a record that still lives are not noticed.
 */
#ifndef TN_POISON_H
#define TN_POISON_H

#include "base/base.h"

#include <string.h>

#define TN_POISON_BYTE 0xDD

static inline void tn_poison(void *at, size_t bytes)
{
#if defined(TARN_DEBUG)
    memset(at, TN_POISON_BYTE, bytes);
#else
    (void)at;
    (void)bytes;
#endif
}

/* Whether all of it is still as tn_poison left it: for debug builds. */
static inline bool tn_is_poison(const void *at, size_t bytes)
{
    const uint8_t *first = at;

    return bytes == 0 || (*first == TN_POISON_BYTE && memcmp(first, first + 1, bytes - 1) == 0);
}

#endif
