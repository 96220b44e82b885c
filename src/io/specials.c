/*
 * specials.c - see specials.h for the rules
 *
 * Three ways: AVX2, SSE2 (every x86-64), and words of 8 bytes (everywhere).
 */
#include "io/specials.h"

#include "base/bytes.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

/* Write down the places of the bits of `mask`, which belongs to the 64 bytes at `base`. */
__attribute__((always_inline)) static inline uint32_t *places_add(uint32_t *places, uint64_t mask,
                                                                  uint32_t base)
{
    unsigned count = (unsigned)__builtin_popcountll(mask), i;

    if (mask == 0)
        return places;
    /* Eight at a time without asking: guessing each bit's branch costs more than a few stores. */
    for (i = 0; i < 8; i++) {
        places[i] = base + (uint32_t)__builtin_ctzll(mask | UINT64_C(1) << 63);
        mask &= mask - 1;
    }
    for (; i < count; i++) {
        places[i] = base + (uint32_t)__builtin_ctzll(mask);
        mask &= mask - 1;
    }
    return places + count;
}

/* Only the bits of the first `bytes` bytes of a group of 64. */
static inline uint64_t mask_cut(uint64_t mask, size_t bytes)
{
    return bytes >= 64 ? mask : mask & ((UINT64_C(1) << bytes) - 1);
}

/* ---- portable -------------------------------------------------------------------------------- */

/* Bit 8i+7 of the answer is set where byte i of `word` is `wanted`; exact, without carries. */
static inline uint64_t word_matches(uint64_t word, uint64_t wanted)
{
    uint64_t low = UINT64_C(0x7F7F7F7F7F7F7F7F), difference = word ^ wanted;

    return ~(((difference & low) + low) | difference | low);
}

static size_t find_portable(const char *text, size_t bytes, const char wanted[3], uint32_t *places)
{
    uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t a = ones * (unsigned char)wanted[0], b = ones * (unsigned char)wanted[1],
             c = ones * (unsigned char)wanted[2];
    uint32_t *next = places;
    size_t base;

    for (base = 0; base < bytes; base += 8) {
        uint64_t word = tn_load_le64(text + base);
        uint64_t matches = word_matches(word, a) | word_matches(word, b) | word_matches(word, c);

        if (bytes - base < 8)
            matches &= (UINT64_C(1) << (8 * (bytes - base))) - 1;
        for (; matches != 0; matches &= matches - 1)
            *next++ = (uint32_t)base + (uint32_t)__builtin_ctzll(matches) / 8;
    }
    return (size_t)(next - places);
}

/* ---- x86-64 ---------------------------------------------------------------------------------- */

#if defined(__x86_64__)

static inline uint64_t matches_sse2(const char *text, __m128i a, __m128i b, __m128i c)
{
    uint64_t mask = 0;
    unsigned i;

    for (i = 0; i < 4; i++) {
        __m128i block = _mm_loadu_si128((const __m128i *)(const void *)(text + 16 * i));
        __m128i hits =
            _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(block, a), _mm_cmpeq_epi8(block, b)),
                         _mm_cmpeq_epi8(block, c));

        mask |= (uint64_t)(uint32_t)_mm_movemask_epi8(hits) << (16 * i);
    }
    return mask;
}

static size_t find_sse2(const char *text, size_t bytes, const char wanted[3], uint32_t *places)
{
    __m128i a = _mm_set1_epi8(wanted[0]), b = _mm_set1_epi8(wanted[1]),
            c = _mm_set1_epi8(wanted[2]);
    uint32_t *next = places;
    size_t base;

    for (base = 0; base < bytes; base += 64)
        next = places_add(next, mask_cut(matches_sse2(text + base, a, b, c), bytes - base),
                          (uint32_t)base);
    return (size_t)(next - places);
}

__attribute__((target("avx2,bmi,popcnt"))) static size_t find_avx2(const char *text, size_t bytes,
                                                                   const char wanted[3],
                                                                   uint32_t *places)
{
    __m256i a = _mm256_set1_epi8(wanted[0]), b = _mm256_set1_epi8(wanted[1]),
            c = _mm256_set1_epi8(wanted[2]);
    uint32_t *next = places;
    size_t base;

    for (base = 0; base < bytes; base += 64) {
        __m256i low = _mm256_loadu_si256((const __m256i *)(const void *)(text + base));
        __m256i high = _mm256_loadu_si256((const __m256i *)(const void *)(text + base + 32));
        uint64_t mask;

        low = _mm256_or_si256(_mm256_or_si256(_mm256_cmpeq_epi8(low, a), _mm256_cmpeq_epi8(low, b)),
                              _mm256_cmpeq_epi8(low, c));
        high =
            _mm256_or_si256(_mm256_or_si256(_mm256_cmpeq_epi8(high, a), _mm256_cmpeq_epi8(high, b)),
                            _mm256_cmpeq_epi8(high, c));
        mask = (uint32_t)_mm256_movemask_epi8(low) | (uint64_t)(uint32_t)_mm256_movemask_epi8(high)
                                                         << 32;
        next = places_add(next, mask_cut(mask, bytes - base), (uint32_t)base);
    }
    return (size_t)(next - places);
}

static bool machine_has_avx2(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
           __builtin_cpu_supports("popcnt");
}

#endif

/* ---- choice ---------------------------------------------------------------------------------- */

size_t tn_specials_all(tn_specials_fn *out[3], const char *out_names[3])
{
    size_t count = 0;

    out_names[count] = "portable";
    out[count++] = find_portable;
#if defined(__x86_64__)
    out_names[count] = "sse2";
    out[count++] = find_sse2;
    if (machine_has_avx2()) {
        out_names[count] = "avx2";
        out[count++] = find_avx2;
    }
#endif
    return count;
}

tn_specials_fn *tn_specials_choose(void)
{
    tn_specials_fn *all[3];
    const char *names[3];
    size_t count = tn_specials_all(all, names);

    return all[count - 1];
}
