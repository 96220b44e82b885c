/*
 * checksum.h - is what was read what was written?
 *
 * XXH3-64 with a seed, of bytes at once or piece by piece; both ways give the same number, on every
 * machine. The code is the system's xxhash.h, compiled in: nothing more is linked.
 *
 *     tn_checksum("abcdef", 6, seed)  ==  begin(seed), add("ab"), add(""), add("cdef"), end
 *
 * Rules
 *   C1  The number is part of file formats (docs/FORMAT.md): it never changes.
 *   C2  It finds damage, not forgery: whoever makes a file makes its checksums too. The seed says
 *       where the bytes belong, so that bytes that were moved do not pass for those of another
 *       place.
 *   C3  checksum.c alone sees xxhash.h. A stream lives where its owner puts it; nothing is
 *       allocated.
 */
#ifndef TN_CHECKSUM_H
#define TN_CHECKSUM_H

#include "base/base.h"

/*
 * A checksum in the making; what is inside is xxhash.h's, at a multiple of 64. That is found anew
 * with each call, so a stream may lie where memory is aligned to less, too. Not to be copied.
 */
struct tn_checksum_stream {
    uint64_t room[(576 + 56) / 8];
};

/* data may be NULL when there are no bytes. */
uint64_t tn_checksum(const void *data, size_t bytes, uint64_t seed);

void tn_checksum_begin(struct tn_checksum_stream *stream, uint64_t seed);
void tn_checksum_add(struct tn_checksum_stream *stream, const void *data, size_t bytes);

/* Of all that was added since the last begin. More may be added afterwards. */
uint64_t tn_checksum_end(const struct tn_checksum_stream *stream);

#endif
