/*
 * wait.h - sleeping so that a signal is never slept through, and what time it is
 *
 * Rules
 *   V1  Whether to stop is looked at with signals held back, and the sleep lets them in again: one
 *       that comes in between is not missed.
 */
#ifndef TN_WAIT_H
#define TN_WAIT_H

#include "base/base.h"

#include <signal.h>

/*
 * Sleep until `file` can be read (-1: none is asked), `most_ms` have passed (-1: no limit), or a
 * signal handler has set *stop (NULL: none does). true: it can be read.
 */
bool tn_wait(int file, int most_ms, const volatile sig_atomic_t *stop);

/* A clock that never goes back. */
uint64_t tn_now_ns(void);

#endif
