/*
 * test_checksum.c - the checksum of file formats: its published values, piece by piece, and what it
 * finds
 */
#include "base/checksum.h"

#include "test.h"

#define PRIME32 UINT64_C(2654435761)
#define PRIME64 UINT64_C(11400714785074694797)

/* The bytes that the published values are of. */
static void fill(uint8_t *data, size_t bytes)
{
    uint64_t generator = PRIME32;
    size_t i;

    for (i = 0; i < bytes; i++) {
        data[i] = (uint8_t)(generator >> 56);
        generator *= PRIME64;
    }
}

static uint64_t piece_by_piece(const uint8_t *data, size_t bytes, size_t piece, uint64_t seed)
{
    struct tn_checksum_stream stream;
    size_t at;

    memset(&stream, 0xA5, sizeof stream); /* whatever lies there */
    tn_checksum_begin(&stream, seed);
    for (at = 0; at < bytes; at += piece)
        tn_checksum_add(&stream, data + at, bytes - at < piece ? bytes - at : piece);
    return tn_checksum_end(&stream);
}

/* C1: from the self-test of xxHash, one for each way the code takes by length. */
static void values_are_the_published_ones(void)
{
    static const struct {
        size_t bytes;
        uint64_t seed, value;
    } published[] = {
        { 0, 0, UINT64_C(0x2D06800538D394C2) },    { 0, PRIME64, UINT64_C(0xA8A6B918B2F0364A) },
        { 1, 0, UINT64_C(0xC44BDFF4074EECDB) },    { 1, PRIME64, UINT64_C(0x032BE332DD766EF8) },
        { 6, 0, UINT64_C(0x27B56A84CD2D7325) },    { 6, PRIME64, UINT64_C(0x84589C116AB59AB9) },
        { 12, 0, UINT64_C(0xA713DAF0DFBB77E7) },   { 12, PRIME64, UINT64_C(0xE7303E1B2336DE0E) },
        { 24, 0, UINT64_C(0xA3FE70BF9D3510EB) },   { 24, PRIME64, UINT64_C(0x850E80FC35BDD690) },
        { 48, 0, UINT64_C(0x397DA259ECBA1F11) },   { 48, PRIME64, UINT64_C(0xADC2CBAA44ACC616) },
        { 80, 0, UINT64_C(0xBCDEFBBB2C47C90A) },   { 80, PRIME64, UINT64_C(0xC6DD0CB699532E73) },
        { 195, 0, UINT64_C(0xCD94217EE362EC3A) },  { 195, PRIME64, UINT64_C(0xBA68003D370CB3D9) },
        { 403, 0, UINT64_C(0xCDEB804D65C6DEA4) },  { 403, PRIME64, UINT64_C(0x6259F6ECFD6443FD) },
        { 512, 0, UINT64_C(0x617E49599013CB6B) },  { 512, PRIME64, UINT64_C(0x3CE457DE14C27708) },
        { 2048, 0, UINT64_C(0xDD59E2C3A5F038E0) }, { 2048, PRIME64, UINT64_C(0x66F81670669ABABC) },
        { 2240, 0, UINT64_C(0x6E73A90539CF2948) }, { 2240, PRIME64, UINT64_C(0x757BA8487D1B5247) },
        { 2367, 0, UINT64_C(0xCB37AEB9E5D361ED) }, { 2367, PRIME64, UINT64_C(0xD2DB3415B942B42A) },
    };
    uint8_t data[2367];
    size_t i;

    fill(data, sizeof data);
    for (i = 0; i < TN_ARRAY_COUNT(published); i++) {
        check_eq(tn_checksum(data, published[i].bytes, published[i].seed), published[i].value);
        check_eq(piece_by_piece(data, published[i].bytes, 100, published[i].seed),
                 published[i].value);
    }
    check_eq(tn_checksum(NULL, 0, 0), published[0].value);
}

static void pieces_of_any_size_give_the_checksum_of_the_whole(void)
{
    static const size_t pieces[] = { 1, 7, 64, 255, 256, 257, 1000, 1024, 5000 };
    uint8_t data[3001];
    size_t bytes, i;

    fill(data, sizeof data);
    for (bytes = 0; bytes < sizeof data; bytes += bytes < 600 ? 1 : 97)
        for (i = 0; i < TN_ARRAY_COUNT(pieces); i++) {
            check_eq(piece_by_piece(data, bytes, pieces[i], 0), tn_checksum(data, bytes, 0));
            check_eq(piece_by_piece(data, bytes, pieces[i], 42), tn_checksum(data, bytes, 42));
        }
}

static void check_fresh(struct tn_checksum_stream *stream, uint64_t seed)
{
    uint8_t data[700];

    fill(data, sizeof data);
    tn_checksum_begin(stream, seed);
    tn_checksum_add(stream, data, sizeof data);
    check_eq(tn_checksum_end(stream), tn_checksum(data, sizeof data, seed));
    tn_checksum_begin(stream, seed);
    tn_checksum_add(stream, NULL, 0);
    check_eq(tn_checksum_end(stream), tn_checksum(NULL, 0, seed));
}

/* Also when it looks as if it had been begun with that seed: any word of the state may hold it. */
static void begin_forgets_whatever_lay_there(void)
{
    struct tn_checksum_stream stream;
    uint64_t seed = UINT64_C(0x0123456789ABCDEF);
    size_t at;

    for (at = 0; at < 256; at++) {
        memset(&stream, (int)at, sizeof stream);
        check_fresh(&stream, at * UINT64_C(0x0101010101010101));
        check_fresh(&stream, 0);
        check_fresh(&stream, at);
    }
    for (at = 0; at < sizeof stream; at += sizeof seed) {
        memset(&stream, 0, sizeof stream);
        memcpy((uint8_t *)&stream + at, &seed, sizeof seed);
        check_fresh(&stream, seed);
    }
}

static void more_may_be_added_after_the_end(void)
{
    struct tn_checksum_stream stream;
    uint8_t data[900];
    size_t bytes;

    fill(data, sizeof data);
    tn_checksum_begin(&stream, 5);
    for (bytes = 0; bytes < sizeof data; bytes++) {
        check_eq(tn_checksum_end(&stream), tn_checksum(data, bytes, 5));
        tn_checksum_add(&stream, data + bytes, 1);
    }
}

/* Not only at multiples of what the state inside asks for. */
static void a_stream_may_lie_at_any_multiple_of_8(void)
{
    static uint64_t room[sizeof(struct tn_checksum_stream) / 8 + 8];
    uint8_t data[3000];
    size_t shift;

    fill(data, sizeof data);
    for (shift = 0; shift <= 8; shift++) {
        struct tn_checksum_stream *stream = (void *)(room + shift);

        tn_checksum_begin(stream, 7);
        tn_checksum_add(stream, data, 1000);
        tn_checksum_add(stream, data + 1000, 2000);
        check_eq(tn_checksum_end(stream), tn_checksum(data, sizeof data, 7));
    }
}

/* C2. Not for ever and all bytes, but for these. */
static void a_flipped_bit_or_another_seed_or_length_changes_it(void)
{
    uint8_t data[600];
    size_t bytes, bit;

    fill(data, sizeof data);
    for (bytes = 1; bytes < sizeof data; bytes += 13) {
        uint64_t good = tn_checksum(data, bytes, 9);

        for (bit = 0; bit < 8 * bytes; bit++) {
            data[bit / 8] ^= (uint8_t)(1u << bit % 8);
            check(tn_checksum(data, bytes, 9) != good);
            data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        check(tn_checksum(data, bytes, 10) != good);
        check(tn_checksum(data, bytes - 1, 9) != good);
    }
}

static const struct test tests[] = {
    T(values_are_the_published_ones),         T(pieces_of_any_size_give_the_checksum_of_the_whole),
    T(begin_forgets_whatever_lay_there),      T(more_may_be_added_after_the_end),
    T(a_stream_may_lie_at_any_multiple_of_8), T(a_flipped_bit_or_another_seed_or_length_changes_it),
};

TEST_MAIN(tests)
