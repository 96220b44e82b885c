/*
 * child.h - the end of a process that a test has started with fork
 *
 * _exit and not exit, so that what the parent has buffered is not written twice. In a build that
 * counts what runs (make coverage) the child's counts are added to the files first; a limit on the
 * length of files, which a test may have set, is lifted for that.
 */
#ifndef CHILD_H
#define CHILD_H

#include <sys/resource.h>
#include <unistd.h>

#if defined(TARN_COVERAGE)
void __gcov_dump(void);

static inline void child_counts_add(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_FSIZE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_FSIZE, &limit);
    }
    __gcov_dump();
}
#else
static inline void child_counts_add(void)
{
}
#endif

__attribute__((noreturn)) static inline void child_exit(int status)
{
    child_counts_add();
    _exit(status);
}

#endif
