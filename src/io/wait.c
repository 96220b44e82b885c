/*
 * wait.c - see wait.h for the rules
 */
#define _GNU_SOURCE /* ppoll */
#include "io/wait.h"

#include <poll.h>
#include <time.h>

bool tn_wait(int file, int most_ms, const volatile sig_atomic_t *stop)
{
    struct timespec most = { .tv_sec = most_ms / 1000, .tv_nsec = most_ms % 1000 * 1000000L };
    struct pollfd wanted = { .fd = file, .events = POLLIN }; /* a negative one is passed over */
    sigset_t held, before;
    int ready = 0;

    sigfillset(&held);
    sigprocmask(SIG_BLOCK, &held, &before); /* V1 */
    if (stop == NULL || *stop == 0)
        ready = ppoll(&wanted, 1, most_ms >= 0 ? &most : NULL, &before);
    sigprocmask(SIG_SETMASK, &before, NULL);
    return ready > 0;
}

uint64_t tn_now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}
