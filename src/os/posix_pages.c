/*
 * posix_pages.c - address space and the fork mark; see posix.h for the rules
 *
 *     reservation   |................................................|   starts at 2 MiB
 *     committed     |RW RW RW RW|          |RW RW|                       P1: here five mappings
 */
#define _DEFAULT_SOURCE 1

#include "os/posix.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define RESERVATION_ALIGNMENT_BYTES (2 * TN_MIB)

#if !defined(MAP_NORESERVE)
#define MAP_NORESERVE 0
#endif

static void *pages_map(size_t bytes, int protection)
{
    return mmap(NULL, bytes, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
}

int tn_posix_pages_reserve(void *context, size_t bytes, void **out)
{
    size_t slack_bytes = RESERVATION_ALIGNMENT_BYTES;
    size_t before_bytes;
    uint8_t *start;

    (void)context;
    if (bytes == 0 || bytes % TN_OS_PAGE_BYTES != 0)
        return -EINVAL;
    if (bytes > SIZE_MAX - slack_bytes)
        return -ENOMEM;
    start = pages_map(bytes + slack_bytes, PROT_NONE);
    if (start == MAP_FAILED)
        return errno == EINVAL ? -ENOMEM
                               : -errno; /* valgrind says EINVAL where the kernel has no room */
    before_bytes = tn_align_up((uintptr_t)start, RESERVATION_ALIGNMENT_BYTES) - (uintptr_t)start;
    if (before_bytes != 0)
        (void)munmap(start, before_bytes);
    start += before_bytes;
    (void)munmap(start + bytes, slack_bytes - before_bytes);
    tn_kernel_pages_reserved(start, bytes);
    *out = start;
    return 0;
}

static size_t kernel_page_bytes(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

/*
 * Where the kernel's pages are larger than ours, one of theirs is committed with the first of ours
 * on it, and given back only as a whole; see decommit.
 */
int tn_posix_pages_commit(void *context, void *at, size_t bytes, unsigned flags)
{
    size_t page_bytes = kernel_page_bytes();
    uint8_t *from = (uint8_t *)at - (uintptr_t)at % page_bytes;
    size_t run_bytes = tn_align_up((size_t)((uint8_t *)at - from) + bytes, page_bytes);

    (void)context;
    if (mprotect(from, run_bytes, PROT_READ | PROT_WRITE) != 0) {
        int failure = -errno;

        /* Of a run of several mappings it may have changed some before it failed. */
        if (page_bytes <= TN_OS_PAGE_BYTES)
            (void)mprotect(from, run_bytes, PROT_NONE);
        return failure;
    }
    if ((flags & TN_OS_HUGE) != 0)
        tn_kernel_pages_advise_huge(from, run_bytes);
    return 0;
}

/*
 * The mapping stays and is only emptied and closed: a fresh one in its place would have another
 * owner one day (P1). The price is that under strict overcommit the charge stays too. A hole makes
 * three mappings of one, and where the kernel has none left, the pages are empty but still open.
 */
int tn_posix_pages_decommit(void *context, void *at, size_t bytes)
{
    size_t page_bytes = kernel_page_bytes();
    uint8_t *from = (uint8_t *)tn_align_up((uintptr_t)at, page_bytes);
    uint8_t *end = (uint8_t *)at + bytes;
    uint8_t *to = end - (uintptr_t)end % page_bytes;

    (void)context;
    if (from >= to) {
        memset(at, 0, bytes); /* within one of the kernel's pages */
        return 0;
    }
    if (madvise(from, (size_t)(to - from), MADV_DONTNEED) != 0)
        return -errno;
    memset(at, 0, (size_t)(from - (uint8_t *)at));
    memset(to, 0, (size_t)(end - to));
    (void)mprotect(from, (size_t)(to - from), PROT_NONE);
    return 0;
}

void tn_posix_pages_release(void *context, void *at, size_t bytes)
{
    (void)context;
    (void)munmap(at, bytes);
}

/*
 * -ENOTSUP where the kernel cannot wipe a page on fork (Linux before 4.14, macOS): there is no way
 * to tell a child by a pointer alone (a shared page reads 1 in both, an unmapped one kills the
 * child), so the caller decides whether to go without.
 */
int tn_posix_fork_mark(void *context, uint32_t **out)
{
    size_t page_bytes = kernel_page_bytes();
    uint32_t *mark = pages_map(page_bytes, PROT_READ | PROT_WRITE);

    (void)context;
    if (mark == MAP_FAILED)
        return -errno;
    if (!tn_kernel_page_wipe_on_fork(mark, page_bytes)) {
        (void)munmap(mark, page_bytes);
        return -ENOTSUP;
    }
    *mark = 1;
    *out = mark;
    return 0;
}

void tn_posix_fork_mark_release(void *context, uint32_t *mark)
{
    (void)context;
    (void)munmap(mark, kernel_page_bytes());
}
