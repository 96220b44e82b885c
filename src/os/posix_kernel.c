/*
 * posix_kernel.c - what differs between kernels; see posix.h
 */
#define _DEFAULT_SOURCE 1

#include "os/posix.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#if defined(__linux__)
#include <sys/random.h>

void tn_kernel_pages_advise_huge(void *at, size_t bytes)
{
    (void)madvise(at, bytes, MADV_HUGEPAGE);
}

/*
 * Mappings merge if they have one owner (the kernel's anon_vma) or one of them has none yet, and a
 * mapping gets its owner at its first touch: chunks touched before the gap between them was
 * committed would stay apart for ever. So the start of the reservation is opened, touched and
 * closed again: closed, it merges with the rest, which has no owner yet and takes that one.
 * Not the whole reservation at once: valgrind looks at each byte that becomes writable, which takes
 * 5 s for a GiB, and strict overcommit would charge for all of it.
 * Unlocked before, because making locked memory writable (mlockall) would fill all of it. Where
 * this is refused (RLIMIT_DATA), nothing is lost but the merging.
 */
void tn_kernel_pages_reserved(void *at, size_t bytes)
{
    size_t start_bytes = tn_min(bytes, 2 * TN_MIB);

    if (munlock(at, bytes) != 0 || mprotect(at, start_bytes, PROT_READ | PROT_WRITE) != 0)
        return;
    *(volatile char *)at = 0;
    (void)madvise(at, start_bytes, MADV_DONTNEED); /* it may have been a huge page */
    (void)mprotect(at, start_bytes, PROT_NONE);
}

/* Emulators have been seen to answer 0 to any advice, so nonsense is asked first. */
bool tn_kernel_page_wipe_on_fork(void *at, size_t bytes)
{
    return madvise(at, bytes, -1) != 0 && madvise(at, bytes, MADV_WIPEONFORK) == 0;
}

ssize_t tn_kernel_random(void *out, size_t bytes)
{
    return getrandom(out, bytes, 0);
}

int tn_kernel_sync_data(int descriptor)
{
    return fdatasync(descriptor);
}

#else

void tn_kernel_pages_advise_huge(void *at, size_t bytes)
{
    (void)at;
    (void)bytes;
}

void tn_kernel_pages_reserved(void *at, size_t bytes)
{
    (void)at;
    (void)bytes;
}

bool tn_kernel_page_wipe_on_fork(void *at, size_t bytes)
{
#if defined(INHERIT_ZERO)
    return minherit(at, bytes, INHERIT_ZERO) == 0;
#elif defined(MAP_INHERIT_ZERO)
    return minherit(at, bytes, MAP_INHERIT_ZERO) == 0;
#else
    (void)at;
    (void)bytes;
    return false;
#endif
}

ssize_t tn_kernel_random(void *out, size_t bytes)
{
    (void)out;
    (void)bytes;
    errno = ENOSYS;
    return -1;
}

/* Apple's fsync does not reach the platter. */
int tn_kernel_sync_data(int descriptor)
{
#if defined(F_FULLFSYNC)
    if (fcntl(descriptor, F_FULLFSYNC) == 0)
        return 0;
    if (errno != ENOTSUP && errno != EINVAL && errno != ENOTTY)
        return -1;
#endif
    return fsync(descriptor);
}

#endif
