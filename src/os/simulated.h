/*
 * simulated.h - an operating system for tests: in memory, from a seed, with faults on request
 *
 * The second table of os.h. A test hands its os to the code under test, asks for faults, and after
 * a crash starts the code again on what the disk may have kept.
 *
 *     code under test --> tn_os --> count, trace --> fault? crash? --> pages, disk, clock, random
 *                                                      |      |
 *                                                   -errno   -EIO from here on, until restart
 *
 *     n pending changes, 2^n images of one crash:
 *
 *         copy = tn_disk_new(0)
 *         for mask in 0 .. 2^n - 1:
 *             tn_disk_image(copy, tn_simulated_disk(crashed), tn_disk_fate_mask, &mask)
 *             tn_simulated_restart(other, copy)             ... run recovery on `other`
 *
 * Rules
 *   S1  The same seed and the same calls give the same answers, trace included.
 *   S2  Calls that can fail are counted from 1: all together and each kind. A fault is asked for by
 *       such a number, counted from the moment of asking.
 *   S3  A failed call has done nothing, except that a failed sync spoils what it should have synced
 *       (D3 in simulated_disk.h), and that a write may have done a part: what there was room for
 *       (D6), or what tn_simulated_fail_partly says.
 *   S4  From a crash on every call fails with -EIO and does nothing; only what gives resources back
 *       still works, so that the code under test can be torn down.
 *   S5  A restart ends all directories, files and locks of before; their ids are never used again.
 *   S6  Misuse of pages (outside a reservation, not on page bounds, committed twice) traps, and so
 *       does touching what is not committed: the pages are the host's.
 */
#ifndef TN_SIMULATED_H
#define TN_SIMULATED_H

#include "os/os.h"
#include "os/simulated_disk.h"

#include <stdio.h>

enum tn_simulated_call {
    TN_CALL_ANY,
    TN_CALL_PAGES_RESERVE,
    TN_CALL_PAGES_COMMIT,
    TN_CALL_PAGES_DECOMMIT,
    TN_CALL_FORK_MARK,
    TN_CALL_RANDOM,
    TN_CALL_DIRECTORY_OPEN,
    TN_CALL_DIRECTORY_LOCK,
    TN_CALL_DIRECTORY_LIST,
    TN_CALL_DIRECTORY_SYNC,
    TN_CALL_DIRECTORY_RENAME,
    TN_CALL_DIRECTORY_UNLINK,
    TN_CALL_FILE_OPEN,
    TN_CALL_FILE_SIZE,
    TN_CALL_FILE_READ,
    TN_CALL_FILE_WRITE,
    TN_CALL_FILE_TRUNCATE,
    TN_CALL_FILE_SYNC,
    TN_CALL_FILE_MAP,
    TN_CALL_STREAM_READ,
    TN_CALL_STREAM_WRITE,
    TN_CALL_KIND_COUNT,
};

struct tn_simulated_options {
    uint64_t seed;               /* of random */
    uint64_t clock_step_ns;      /* the clock advances by this each time it is read */
    uint64_t reserved_bytes_max; /* all reservations together; 0: the host's limit */
    uint64_t committed_bytes_max;
    uint64_t disk_bytes_max; /* all files together, and each stream; 0: no limit */
    bool keep_pages;         /* ask the host for pages as seldom as can be (simulated_pages.h) */
    FILE *trace;             /* a line for each call; NULL: none */
};

struct tn_simulated;

/* options NULL: all zero. */
struct tn_simulated *tn_simulated_new(const struct tn_simulated_options *options);
void tn_simulated_free(struct tn_simulated *simulated);
struct tn_os tn_simulated_os(struct tn_simulated *simulated);

/* S2: how many calls of the kind there were. */
uint64_t tn_simulated_call_count(const struct tn_simulated *simulated, enum tn_simulated_call kind);

/*
 * The `number`-th call of the kind from now (1: the next) fails with -error, an errno; with
 * `for_ever`, all later ones of the kind too. Up to 16 faults wait at a time; false: too many.
 */
bool tn_simulated_fail(struct tn_simulated *simulated, enum tn_simulated_call kind, uint64_t number,
                       int error, bool for_ever);
void tn_simulated_fail_none(struct tn_simulated *simulated);
/* S3: a file_write that a fault fails has done so many quarters of it, from now on; at first 0. */
void tn_simulated_fail_partly(struct tn_simulated *simulated, unsigned quarters);

/*
 * Hears of each call before it is done: the moment to look at what the
 * disk would be if the power failed here. NULL: nobody.
 */
typedef void tn_simulated_watch_fn(void *argument, enum tn_simulated_call kind);
void tn_simulated_watch(struct tn_simulated *simulated, tn_simulated_watch_fn *watch,
                        void *argument);

/* S4: the `number`-th call from now does not happen any more; 0: the power fails at once. */
void tn_simulated_crash_at(struct tn_simulated *simulated, uint64_t number);
bool tn_simulated_crashed(const struct tn_simulated *simulated);

/* The disk as it is; its pending changes are those a power loss would put at stake. */
struct tn_disk *tn_simulated_disk(struct tn_simulated *simulated);

/* S5 after losing power: the disk becomes what `image` has; its memory is reused. */
void tn_simulated_restart(struct tn_simulated *simulated, const struct tn_disk *image);
/* S5 after losing power: the disk becomes one of its own images. */
void tn_simulated_restart_with(struct tn_simulated *simulated, tn_disk_fate_fn *fate,
                               void *argument);
/* S5 after kill -9 of the process only: everything written is there, what is pending still is. */
void tn_simulated_restart_process(struct tn_simulated *simulated);

/* Pages committed now, over all reservations, and a page for each fork mark. */
uint64_t tn_simulated_committed_bytes(const struct tn_simulated *simulated);

/*
 * A stream: what is written to it can be read from it, in order, once. An id >= 0; S5 ends it. The
 * second call shows all that was ever written, until the next write.
 */
int tn_simulated_stream_new(struct tn_simulated *simulated);
const uint8_t *tn_simulated_stream_data(const struct tn_simulated *simulated, int stream,
                                        size_t *out_bytes);

/* What fork does to the marks, without a child: all of them read 0. */
void tn_simulated_fork(struct tn_simulated *simulated);
void tn_simulated_clock_set(struct tn_simulated *simulated, uint64_t now_ns);

#endif
