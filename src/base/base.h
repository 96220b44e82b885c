/*
 * base.h - what C is missing: asserts, sizes, hints
 *
 * Everything under src/ includes this first. It knows nothing but the language.
 *
 * Rules
 *   B1  tn_assert guards our own mistakes, in O(1), and stays on in release builds; it traps, it
 *       never prints: the library owns neither stdout nor stderr.
 *   B2  tn_debug_assert may be slow; it exists in debug builds only.
 *   B3  Nothing that came from outside (arguments, files, the system) is ever asserted on.
 */
#ifndef TN_BASE_H
#define TN_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(TARN_NO_ASSERT)
#define tn_assert(condition) ((void)0)
#else
#define tn_assert(condition) ((condition) ? (void)0 : __builtin_trap())
#endif

#if defined(TARN_DEBUG)
#define tn_debug_assert(condition) tn_assert(condition)
#else
#define tn_debug_assert(condition) ((void)0)
#endif

#define tn_unreachable() __builtin_trap()

#define TN_LIKELY(x) __builtin_expect(!!(x), 1)
#define TN_UNLIKELY(x) __builtin_expect(!!(x), 0)
/*
 * For the few functions on the path of every get, where a call costs as much as the work. Counted
 * once, where branches are counted: a copy for a key of 8 bytes has branches for others that it can
 * never take.
 */
#if defined(TARN_COVERAGE)
#define TN_ALWAYS_INLINE static inline
#else
#define TN_ALWAYS_INLINE static inline __attribute__((always_inline))
#endif
#define TN_ARRAY_COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define TN_KIB ((size_t)1 << 10)
#define TN_MIB ((size_t)1 << 20)
#define TN_GIB ((size_t)1 << 30)

static inline size_t tn_min(size_t a, size_t b)
{
    return a < b ? a : b;
}

static inline size_t tn_max(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* The smallest multiple of `alignment` (a power of two) that is >= value. */
static inline size_t tn_align_up(size_t value, size_t alignment)
{
    return (value + alignment - 1) & ~(alignment - 1);
}

/* Floor of the binary logarithm; value must not be 0. */
static inline unsigned tn_log2(uint64_t value)
{
    return 63u - (unsigned)__builtin_clzll(value);
}

#endif
