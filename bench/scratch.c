/*
 * scratch.c - directories for stores that need files; see scratch.h
 */
#define _GNU_SOURCE /* mkdtemp, dirfd, fstatat */

#include "scratch.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

bool tn_bench_scratch_make(char path[TN_BENCH_SCRATCH_PATH_BYTES], uint64_t room_bytes,
                           char *reason, size_t reason_bytes)
{
    const char *parents[] = { "/dev/shm", getenv("TMPDIR"), "/tmp" };
    struct statvfs space;
    size_t i;
    int length;

    for (i = 0; i < TN_ARRAY_COUNT(parents); i++) {
        if (parents[i] == NULL || statvfs(parents[i], &space) != 0 ||
            (uint64_t)space.f_bavail * space.f_frsize < room_bytes)
            continue;
        length = snprintf(path, TN_BENCH_SCRATCH_PATH_BYTES, "%s/tarn-bench-XXXXXX", parents[i]);
        if (length > 0 && length < (int)TN_BENCH_SCRATCH_PATH_BYTES && mkdtemp(path) != NULL)
            return true;
    }
    snprintf(reason, reason_bytes,
             "no directory with %llu MiB of room (tried /dev/shm, TMPDIR, /tmp)",
             (unsigned long long)(room_bytes >> 20));
    return false;
}

void tn_bench_scratch_remove(const char *path)
{
    DIR *directory = opendir(path);
    struct dirent *file;

    if (directory == NULL)
        return;
    while ((file = readdir(directory)) != NULL)
        (void)unlinkat(dirfd(directory), file->d_name, 0); /* refuses . and .. */
    closedir(directory);
    (void)rmdir(path);
}

uint64_t tn_bench_scratch_bytes(const char *path)
{
    DIR *directory = opendir(path);
    struct dirent *file;
    struct stat status;
    uint64_t bytes = 0;

    if (directory == NULL)
        return 0;
    while ((file = readdir(directory)) != NULL)
        if (fstatat(dirfd(directory), file->d_name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
            S_ISREG(status.st_mode))
            bytes += (uint64_t)status.st_blocks * 512;
    closedir(directory);
    return bytes;
}
