/*
 * specials.h - where the few bytes that matter are, found many bytes at a time
 *
 * Splitting text is mostly skipping it. One pass compares 64 bytes at a time with the (at most)
 * three bytes that mean something to the format, and writes down their places; the format's own
 * state machine then jumps from place to place.
 *
 *     text      a , " b , c " \n d ,
 *     places      1 2   4   6 7    9
 *
 * Rules
 *   P1  Places are counted from the start of a stretch, of at most TN_STRETCH_BYTES bytes.
 *   P2  Every way of finding them gives the same places; tests/test_specials.c compares them.
 *   P3  Up to 63 bytes behind the stretch may be read (not used): text is padded.
 */
#ifndef TN_SPECIALS_H
#define TN_SPECIALS_H

#include "base/base.h"

#define TN_STRETCH_BYTES ((size_t)32 * TN_KIB)
#define TN_SPECIALS_PADDING_BYTES ((size_t)64)

/* Room that a finder needs in `places`: one for each byte, and 16 that it may scribble on. */
#define TN_SPECIALS_COUNT_MAX (TN_STRETCH_BYTES + 16)

/* Fill `places` with where `wanted` bytes are; answers how many. */
typedef size_t tn_specials_fn(const char *text, size_t bytes, const char wanted[3],
                              uint32_t *places);

/* The best way on this machine. */
tn_specials_fn *tn_specials_choose(void);

/* All ways there are on this machine, the portable one first; *out_names for messages of tests. */
size_t tn_specials_all(tn_specials_fn *out[3], const char *out_names[3]);

#endif
