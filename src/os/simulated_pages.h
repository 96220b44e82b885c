/*
 * simulated_pages.h - address space with limits, and an eye on how it is used
 *
 * The pages are the host's; here is the book of what is reserved and what is committed, so that a
 * limit can refuse and misuse is caught where it happens (S6 in simulated.h).
 *
 * With `keep` the host is asked as seldom as can be: decommitted pages are filled with zeros and
 * kept, and the last reservation given back waits for the next of its size. A simulation that opens
 * a store for each of a million disks spends half its time in the host otherwise.
 */
#ifndef TN_SIMULATED_PAGES_H
#define TN_SIMULATED_PAGES_H

#include "base/base.h"

struct tn_pages_reservation;

/* All zero is a valid, empty book without limits. */
struct tn_pages {
    uint64_t reserved_bytes_max; /* 0: no limit but the host's */
    uint64_t committed_bytes_max;
    uint64_t reserved_bytes;
    uint64_t committed_bytes;
    struct tn_pages_reservation *reservations;
    size_t count, capacity;
    bool keep;
    struct tn_pages_reservation *spare; /* with keep: of one given back; NULL: none */
};

int tn_pages_reserve(struct tn_pages *pages, size_t bytes, void **out);
int tn_pages_commit(struct tn_pages *pages, void *at, size_t bytes, unsigned flags);
int tn_pages_decommit(struct tn_pages *pages, void *at, size_t bytes);
void tn_pages_release(struct tn_pages *pages, void *at, size_t bytes);
void tn_pages_free(struct tn_pages *pages); /* with all that is still reserved */

/* Where the run starts in its reservation. Traps when it is not in one. */
uint64_t tn_pages_offset(const struct tn_pages *pages, const void *at, size_t bytes);

#endif
