/*
 * crash.h - what a store is after a power loss at every call, for every subset of what was not
 * synced
 *
 *     program from a seed --> store on a simulated system --watch--> each call: what may the disk be now?
 *                                     |                                     |
 *                                the model                       image --> open --> which commit? is it whole?
 *                                     |                                     |           ^
 *                                     +---- every commit as it was ---------+-- compare-+
 *
 * Before each call that the store makes of its system, the power fails in thought: images of the
 * disk are built, one for each subset of the pending changes while they are few, a sample beyond,
 * and more with writes torn at any byte and filled with zeros or garbage. Each is opened by a store
 * of its own.
 *
 * Rules
 *   K1  The image opens, and is commit n: last synced, or answered by an open, <= n <= last
 *       submitted. With nothing lost, as after kill -9, n is not before the last commit that
 *       returned.
 *   K2  It is all of commit n and nothing else: tables, kinds, entries, note.
 *   K3  Opening it again gives n again; losing power within the opening, and within that opening's
 *       opening, gives a state that K1 and K2 hold for.
 *   K4  What it becomes can be gone on with: commits on top of it, lost in their turn, leave no
 *       trace of the future that was discarded.
 *   K5  A power loss damages nothing: tarn_check finds the image whole, and tarn_salvage makes the
 *       same commit of it. One image in 16 is asked.
 */
#ifndef CRASH_H
#define CRASH_H

#include <stdint.h>

/* What a store is made of; see crash_layout.h. */
enum crash_size { CRASH_NARROW, CRASH_WIDE, CRASH_LARGE };

struct crash_settings {
    unsigned commit_count;     /* of a program */
    unsigned subset_bits;      /* all subsets of up to so many pending changes */
    unsigned sample_count;     /* of torn and sampled images at each call */
    unsigned nested_one_in;    /* of so many images one is crashed again while it opens; 0: none */
    unsigned onward_one_in;    /* and one is gone on with (K4); 0: none */
    unsigned subset_bits_more; /* all subsets of up to so many, too; 12 is much. See below */
    unsigned nested_bits_more; /* the same for openings that lose power, instead of up to 3 */
    enum crash_size size;
};

struct crash_totals {
    uint64_t programs;
    uint64_t calls;             /* at which the power failed */
    uint64_t images;            /* built */
    uint64_t distinct;          /* of them: not seen before in their program, so opened */
    uint64_t nested;            /* images of openings */
    uint64_t onward;            /* images gone on with */
    uint64_t surveyed;          /* images asked with the tools (K5) */
    uint64_t torn;              /* images with a write torn at a byte */
    uint64_t enumerated;        /* calls where every subset of pending changes was built */
    uint64_t sampled;           /* calls where there were too many */
    uint64_t nested_enumerated; /* the same of calls of openings */
    uint64_t nested_sampled;
    uint64_t revolutions;            /* of sweeps of programs */
    uint64_t revolution_commits_max; /* that one of them took */
    uint64_t grown;  /* commits amid a revolution since which, or while, an index has grown */
    uint64_t moving; /* of them: while one was moving */
};

/*
 * One program and all its images. NULL: every rule held; else which did not, and where.
 *
 * A failure is repeated by its seed, and ledgers are kept by seeds, so a seed's program must stay
 * what it is: the images that subset_bits_more adds to those of subset_bits are made and opened
 * apart, and change nothing of it.
 */
const char *crash_run(uint64_t seed, const struct crash_settings *settings,
                      struct crash_totals *totals);

#endif
