/*
 * test_hash.c - the keyed hash: it reads every byte, spreads what streams have for keys, and rule
 * H1
 */
#include "base/hash.h"

#include "test.h"

#include <math.h>

#define BUCKETS ((size_t)1 << 12)
#define KEYS ((size_t)1 << 17)

static struct tn_hash_secret secret_from(uint64_t seed)
{
    struct tn_hash_secret secret;
    size_t i;

    for (i = 0; i < 6; i++)
        secret.words[i] = test_random(&seed);
    return secret;
}

/* ---- the prologue of hash.h, read byte by byte ----------------------------------------------- */

/* High half xor low half of a * b, by long multiplication in base 2^16. */
static uint64_t slow_fold(uint64_t a, uint64_t b)
{
    uint64_t digits[8] = { 0 }, low = 0, high = 0;
    int i, j;

    for (i = 0; i < 4; i++)
        for (j = 0; j < 4; j++) {
            uint64_t product = (a >> (16 * i) & 0xFFFF) * (b >> (16 * j) & 0xFFFF);
            int place = i + j;

            for (; product != 0; place++) {
                uint64_t sum = digits[place] + (product & 0xFFFF);

                digits[place] = sum & 0xFFFF;
                product = (product >> 16) + (sum >> 16);
            }
        }
    for (i = 0; i < 4; i++) {
        low |= digits[i] << (16 * i);
        high |= digits[4 + i] << (16 * i);
    }
    return low ^ high;
}

/* H3: `count` bytes, the lowest first. */
static uint64_t slow_word(const uint8_t *at, size_t count)
{
    uint64_t word = 0;
    size_t i;

    for (i = 0; i < count; i++)
        word |= (uint64_t)at[i] << (8 * i);
    return word;
}

static uint64_t slow_block(const uint64_t *s, size_t lane, uint64_t state, const uint8_t *at)
{
    return slow_fold(slow_word(at, 8) ^ s[lane], slow_word(at + 8, 8) ^ state);
}

static uint64_t slow_hash(const struct tn_hash_secret *secret, const uint8_t *key, size_t bytes)
{
    const uint64_t *s = secret->words;
    uint64_t lane0 = s[2], lane1 = s[3], x, word = 0;
    size_t at;

    if (bytes == 0) {
        x = slow_fold(s[0], s[1]);
    } else if (bytes < 4) {
        word = (uint64_t)key[0] << 16 | (uint64_t)key[bytes / 2] << 8 | key[bytes - 1];
        x = slow_fold(word ^ s[0], s[1]);
    } else if (bytes < 8) {
        word = slow_word(key, 4) | slow_word(key + bytes - 4, 4) << 32;
        x = slow_fold(word ^ s[0], s[1]);
    } else if (bytes == 8) {
        return slow_fold(slow_fold(slow_word(key, 8) ^ s[0], s[1]), s[2]);
    } else if (bytes <= 16) {
        x = slow_fold(slow_word(key, 8) ^ s[0], slow_word(key + bytes - 8, 8) ^ s[1]);
    } else {
        for (at = 0; bytes > 32 && at + 32 < bytes; at += 32) {
            lane0 = slow_block(s, 0, lane0, key + at);
            lane1 = slow_block(s, 1, lane1, key + at + 16);
        }
        lane0 = slow_block(s, 0, lane0, bytes > 32 ? key + bytes - 32 : key);
        lane1 = slow_block(s, 1, lane1, key + bytes - 16);
        x = slow_fold(lane0 ^ s[4], lane1 ^ s[5]);
    }
    return slow_fold(x ^ s[2], bytes ^ s[3]);
}

static void fold_is_the_two_halves_of_the_product(void)
{
    uint64_t random = test_seed();
    const uint64_t edges[] = { 0, 1, UINT32_MAX, (uint64_t)UINT32_MAX + 1, UINT64_MAX, INT64_MAX };
    size_t i, j;

    for (i = 0; i < TN_ARRAY_COUNT(edges); i++)
        for (j = 0; j < TN_ARRAY_COUNT(edges); j++)
            check_eq(hash_fold(edges[i], edges[j]), slow_fold(edges[i], edges[j]));
    for (i = 0; i < TN_ARRAY_COUNT(edges); i++)
        for (j = 0; j < TN_ARRAY_COUNT(edges); j++)
            check_eq(hash_fold_portable(edges[i], edges[j]), slow_fold(edges[i], edges[j]));
    for (i = 0; i < 20000; i++) {
        uint64_t a = test_random(&random), b = test_random(&random);

        check_eq(hash_fold(a, b), slow_fold(a, b));
        check_eq(hash_fold_portable(a, b), slow_fold(a, b));
    }
}

static void every_length_agrees_with_the_prologue(void)
{
    struct tn_hash_secret secret = secret_from(test_seed());
    uint64_t random = test_seed();
    uint8_t key[520];
    size_t bytes, i, offset;

    for (i = 0; i < sizeof key; i++)
        key[i] = (uint8_t)test_random(&random);
    for (bytes = 0; bytes <= 512; bytes++)
        for (offset = 0; offset < 8; offset++)
            check_eq(tn_hash(&secret, key + offset, bytes),
                     slow_hash(&secret, key + offset, bytes));
}

/*
 * H3: values computed apart from this code, in Python with its long integers, from the prologue of
 * hash.h. A machine or a change that gives others cannot read what was stored.
 */
static void the_hash_of_a_key_is_the_same_everywhere(void)
{
    static const struct {
        size_t bytes;
        uint64_t hash;
    } expected[] = {
        { 0, UINT64_C(0x35728DD339DBB86E) },   { 1, UINT64_C(0xA6CB5385169491D0) },
        { 3, UINT64_C(0xE566ED223CFCDD0D) },   { 4, UINT64_C(0x406C1C6857E070BF) },
        { 7, UINT64_C(0x9F12C0F3A4F2037B) },   { 8, UINT64_C(0x1DB85EE781D07F87) },
        { 9, UINT64_C(0x94F1FD331B35F3E9) },   { 16, UINT64_C(0x309F1FBCB9CD4AE5) },
        { 17, UINT64_C(0xEF30EB127491E82E) },  { 32, UINT64_C(0xFA92EE7F77B06961) },
        { 33, UINT64_C(0xAA51E3D3575FE272) },  { 64, UINT64_C(0xCFF3C6262DD59B49) },
        { 100, UINT64_C(0x8E60D4AA38F9A431) },
    };
    struct tn_hash_secret secret;
    uint8_t key[100];
    size_t i;

    for (i = 0; i < 6; i++)
        secret.words[i] = UINT64_C(0x0123456789ABCDEF) * (i + 1) + UINT64_C(0x9E3779B97F4A7C15);
    for (i = 0; i < sizeof key; i++)
        key[i] = (uint8_t)(i * 7 + 1);
    for (i = 0; i < TN_ARRAY_COUNT(expected); i++)
        check_eq(tn_hash(&secret, key, expected[i].bytes), expected[i].hash);
}

/* The key ends where the block ends, so that a sanitizer sees a byte too many. */
static void no_byte_outside_the_key_is_read(void)
{
    struct tn_hash_secret secret = secret_from(test_seed());
    size_t bytes;

    for (bytes = 1; bytes <= 200; bytes++) {
        uint8_t *key = malloc(bytes);
        uint64_t hash;

        if (key == NULL)
            abort();
        memset(key, 7, bytes);
        hash = tn_hash(&secret, key, bytes);
        check_eq(hash, tn_hash(&secret, key, bytes));
        free(key);
    }
    check_eq(tn_hash(&secret, NULL, 0), tn_hash(&secret, "", 0));
}

/* Each byte of each length counts, and so does the length itself. */
static void one_changed_byte_or_length_changes_the_hash(void)
{
    struct tn_hash_secret secret = secret_from(test_seed());
    uint64_t random = test_seed(), lengths[201], ones_sum = 0, ones_count = 0;
    uint8_t key[201], zeros[201] = { 0 };
    size_t bytes, i, j;

    for (i = 0; i < sizeof key; i++)
        key[i] = (uint8_t)test_random(&random);
    for (bytes = 0; bytes <= 200; bytes++) {
        uint64_t hash = tn_hash(&secret, key, bytes);

        for (i = 0; i < bytes; i++) {
            uint8_t old = key[i];
            uint64_t other;

            key[i] ^= (uint8_t)(1 + test_random(&random) % 255);
            other = tn_hash(&secret, key, bytes);
            check(other != hash);
            check(tn_hash(&secret, key, bytes) >> 32 != hash >> 32 || other != hash);
            ones_sum += (uint64_t)__builtin_popcountll(hash ^ other);
            ones_count++;
            key[i] = old;
        }
        lengths[bytes] = tn_hash(&secret, zeros, bytes);
        for (j = 0; j < bytes; j++)
            check(lengths[j] != lengths[bytes]);
    }
    /* Half of the 64 bits change, give or take little over 20,000 tries. */
    check(fabs((double)ones_sum / (double)ones_count - 32.0) < 0.5);
}

/* ---- spreading what streams have for keys ---------------------------------------------------- */

typedef size_t key_maker(uint8_t *key, uint64_t number);

static size_t big_endian_counter(uint8_t *key, uint64_t number)
{
    tn_store_be64(key, number);
    return 8;
}

static size_t little_endian_counter(uint8_t *key, uint64_t number)
{
    tn_store_le64(key, number);
    return 8;
}

static size_t narrow_counter(uint8_t *key, uint64_t number)
{
    tn_store_le32(key, (uint32_t)number);
    return 4;
}

static size_t multiple_of_2_to_the_20(uint8_t *key, uint64_t number)
{
    tn_store_le64(key, number << 20);
    return 8;
}

static size_t multiple_of_2_to_the_40(uint8_t *key, uint64_t number)
{
    tn_store_be64(key, number << 40);
    return 8;
}

static size_t milliseconds_and_counter(uint8_t *key, uint64_t number)
{
    tn_store_be64(key, 1700000000000 + number / 16 * 1000);
    tn_store_be64(key + 8, number % 16);
    return 16;
}

static size_t text(uint8_t *key, uint64_t number)
{
    return (size_t)snprintf((char *)key, 64, "user:%" PRIu64, number);
}

static size_t long_text(uint8_t *key, uint64_t number)
{
    return (size_t)snprintf((char *)key, 128,
                            "https://example.org/shop/articles/%010" PRIu64 "/reviews?page=1",
                            number);
}

/*
 * Chi-square of the loads of BUCKETS buckets, each a range of the top 32 bits (which alone are
 * used, for the home and the fingerprint). For random values it is BUCKETS - 1 with a standard
 * deviation of sqrt(2 x BUCKETS); six of them apart is no accident. Far below is suspicious too,
 * but harmless.
 */
static bool is_spread(const struct tn_hash_secret *secret, key_maker *make, unsigned shift)
{
    static uint32_t loads[BUCKETS];
    double expected = (double)KEYS / BUCKETS, chi = 0;
    uint8_t key[160] = { 0 };
    uint64_t number;
    size_t i;

    memset(loads, 0, sizeof loads);
    for (number = 0; number < KEYS; number++)
        loads[tn_hash(secret, key, make(key, number)) >> shift & (BUCKETS - 1)]++;
    for (i = 0; i < BUCKETS; i++)
        chi += (loads[i] - expected) * (loads[i] - expected) / expected;
    return chi < BUCKETS + 6 * sqrt(2.0 * BUCKETS);
}

/* What cost microseconds a look-up once: a hash that is weak on big-endian counters. */
static void keys_of_streams_are_spread_under_every_secret(void)
{
    static key_maker *const makers[] = {
        big_endian_counter,      little_endian_counter,    narrow_counter, multiple_of_2_to_the_20,
        multiple_of_2_to_the_40, milliseconds_and_counter, text,           long_text,
    };
    uint64_t seed;
    size_t i;

    for (seed = 0; seed < 6; seed++) {
        struct tn_hash_secret secret = secret_from(test_seed() + seed);

        for (i = 0; i < TN_ARRAY_COUNT(makers); i++) {
            if (!is_spread(&secret, makers[i], 52)) /* the home */
                test_fail(__FILE__, __LINE__, "secret %" PRIu64 ", keys %zu: homes", seed, i);
            if (!is_spread(&secret, makers[i], 32)) /* fingerprint and what is above it */
                test_fail(__FILE__, __LINE__, "secret %" PRIu64 ", keys %zu: prints", seed, i);
        }
    }
}

/* ---- H1 -------------------------------------------------------------------------------------- */

/*
 * 16-byte keys whose first word is the multiplier: their first factor is 0, whatever the other
 * word. Who knows the first word of the secret makes as many as he likes; who has to guess, none.
 */
static size_t distinct_hashes(const struct tn_hash_secret *secret, uint64_t guessed_word)
{
    static uint64_t seen[1 << 18];
    size_t distinct = 0, mask = TN_ARRAY_COUNT(seen) - 1;
    uint64_t number;

    memset(seen, 0, sizeof seen);
    for (number = 0; number < 110000; number++) {
        uint8_t key[16];
        uint64_t hash;
        size_t place;

        memcpy(key, &guessed_word, 8);
        memcpy(key + 8, &number, 8);
        hash = tn_hash(secret, key, sizeof key) | 1;
        for (place = (size_t)hash >> 1 & mask; seen[place] != 0 && seen[place] != hash;)
            place = (place + 1) & mask;
        distinct += seen[place] == 0;
        seen[place] = hash;
    }
    return distinct;
}

static void keys_that_collide_for_a_known_constant_spread_under_a_random_secret(void)
{
    /* Constants of published hashes that fold products. */
    const uint64_t published[] = { UINT64_C(0xA0761D6478BD642F), UINT64_C(0xE7037ED1A0B428DB),
                                   UINT64_C(0x243F6A8885A308D3), UINT64_C(0x2D358DCCAA6C78A5) };
    struct tn_hash_secret secret = secret_from(test_seed()), known = secret;
    size_t i;

    for (i = 0; i < TN_ARRAY_COUNT(published); i++) {
        check_eq(distinct_hashes(&secret, published[i]), 110000);
        known.words[0] = published[i];
        check_eq(distinct_hashes(&known, published[i]), 1);
    }
}

static const struct test tests[] = {
    T(fold_is_the_two_halves_of_the_product),
    T(every_length_agrees_with_the_prologue),
    T(the_hash_of_a_key_is_the_same_everywhere),
    T(no_byte_outside_the_key_is_read),
    T(one_changed_byte_or_length_changes_the_hash),
    T(keys_of_streams_are_spread_under_every_secret),
    T(keys_that_collide_for_a_known_constant_spread_under_a_random_secret),
};

TEST_MAIN(tests)
