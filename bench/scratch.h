/*
 * scratch.h - directories for stores that need files
 *
 * Made below the first directory that has room, memory (tmpfs) before disk: a suite that measures
 * memory must not wait for a device.
 */
#ifndef TN_BENCH_SCRATCH_H
#define TN_BENCH_SCRATCH_H

#include "base/base.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TN_BENCH_SCRATCH_PATH_BYTES 512u

/* A new directory where `room_bytes` are free. False: there is none, and `reason` says so. */
bool tn_bench_scratch_make(char path[TN_BENCH_SCRATCH_PATH_BYTES], uint64_t room_bytes,
                           char *reason, size_t reason_bytes);

/* Remove the directory and the files in it; it may be gone already. */
void tn_bench_scratch_remove(const char *path);

/* Bytes that the files in the directory take. */
uint64_t tn_bench_scratch_bytes(const char *path);

#ifdef __cplusplus
}
#endif

#endif
