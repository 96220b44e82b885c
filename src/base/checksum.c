/*
 * checksum.c - XXH3-64 from xxhash.h, all of it inlined here (C3 of checksum.h)
 */
#include "base/checksum.h"

/* xxhash.h would allocate states of its own, in functions that nobody calls; only memory.c allocates. */
#include <stdlib.h>
#define malloc(bytes) ((void)(bytes), NULL)
#define free(block) ((void)(block))

#define XXH_INLINE_ALL
#include <xxhash.h>

_Static_assert(sizeof(XXH3_state_t) + _Alignof(XXH3_state_t) - sizeof(uint64_t) <=
                   sizeof(struct tn_checksum_stream),
               "the state has grown");

uint64_t tn_checksum(const void *data, size_t bytes, uint64_t seed)
{
    return XXH3_64bits_withSeed(data, bytes, seed);
}

/* Which word of the room the state begins with. */
static size_t state_at(const struct tn_checksum_stream *stream)
{
    return (-(uintptr_t)stream->room & (_Alignof(XXH3_state_t) - 1)) / sizeof *stream->room;
}

static XXH3_state_t *state_of(struct tn_checksum_stream *stream)
{
    return (XXH3_state_t *)(void *)&stream->room[state_at(stream)];
}

void tn_checksum_begin(struct tn_checksum_stream *stream, uint64_t seed)
{
    XXH3_state_t *state = state_of(stream);

    /* Without it a reset keeps the secret of a seed that happens to lie there. */
    XXH3_INITSTATE(state);
    XXH3_64bits_reset_withSeed(state, seed);
}

void tn_checksum_add(struct tn_checksum_stream *stream, const void *data, size_t bytes)
{
    XXH3_64bits_update(state_of(stream), data, bytes);
}

uint64_t tn_checksum_end(const struct tn_checksum_stream *stream)
{
    return XXH3_64bits_digest((const XXH3_state_t *)(const void *)&stream->room[state_at(stream)]);
}
