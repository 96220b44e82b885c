/*
 * posix.h - what the files of the POSIX table share
 *
 *     posix.c            the table; randomness, the clock
 *       posix_pages.c    address space, the fork mark
 *       posix_files.c    directories and files
 *       posix_streams.c  descriptors of the user
 *         posix_kernel.c what differs between kernels: the only file with an #if
 *
 * A directory's id and a file's id are the kernel's descriptors, so there is no state here at all
 * and one table serves every store of a process.
 *
 * Rules
 *   P1  Pages of one kind that lie side by side become one mapping of the kernel, in whatever order
 *       they were committed, and again after holes were filled: a process may have 65,530 mappings
 *       (vm.max_map_count), and a terabyte is 524,288 chunks.
 *   P2  Descriptors 0 to 2 are never kept: a program that closed its stdout must not print into a
 *       store. A stream is the user's, whatever its number.
 *   P3  The lock of a directory is flock on the directory itself. It is refused to every other open
 *       of it, in this process (fcntl's classic locks are not, and vanish when any descriptor of
 *       the file is closed) and in others; the kernel drops it when the holder dies; there is no
 *       lock file to be left behind, copied or deleted. On NFS it holds on one host only.
 *   P4  A write that would pass RLIMIT_FSIZE is answered -EFBIG without asking the kernel, which
 *       would add a SIGXFSZ, and that kills the process.
 *   P5  A sync is called once. After a failure the kernel may call the pages clean, and a second
 *       call would answer 0 for bytes that are lost. So EINTR is not retried there.
 *   P6  SIGPIPE is the program's business: one that ignores it is answered -EPIPE.
 */
#ifndef TN_POSIX_H
#define TN_POSIX_H

#include "os/os.h"

#include <sys/types.h>

/* posix_kernel.c; these two are advice and cannot fail */
void tn_kernel_pages_advise_huge(void *at, size_t bytes);
void tn_kernel_pages_reserved(void *at, size_t bytes); /* P1 */
bool tn_kernel_page_wipe_on_fork(void *at, size_t bytes);
ssize_t tn_kernel_random(void *out, size_t bytes); /* as read(2); ENOSYS: there is no such call */
int tn_kernel_sync_data(int descriptor);           /* as fsync(2) */

/* posix_files.c */
int tn_descriptor_open(int directory, const char *path, int flags, mode_t mode);

int tn_posix_directory_open(void *context, const char *path, unsigned flags);
int tn_posix_directory_lock(void *context, int directory);
int tn_posix_directory_list(void *context, int directory, tn_os_name_fn *each, void *argument);
int tn_posix_directory_sync(void *context, int directory);
int tn_posix_directory_rename(void *context, int directory, const char *from, const char *to);
int tn_posix_directory_unlink(void *context, int directory, const char *name);
void tn_posix_directory_close(void *context, int directory);

int tn_posix_file_open(void *context, int directory, const char *name, unsigned flags);
int tn_posix_file_size(void *context, int file, uint64_t *out_bytes);
int tn_posix_file_read(void *context, int file, void *to, size_t bytes, uint64_t offset,
                       size_t *out_bytes);
int tn_posix_file_write(void *context, int file, const void *from, size_t bytes, uint64_t offset);
int tn_posix_file_truncate(void *context, int file, uint64_t bytes);
int tn_posix_file_sync(void *context, int file);
int tn_posix_file_map(void *context, int file, size_t bytes, void **out);
void tn_posix_file_unmap(void *context, void *at, size_t bytes);
void tn_posix_file_close(void *context, int file);

/* P4 */
bool tn_posix_size_is_allowed(uint64_t bytes);

/* posix_streams.c */
int tn_posix_stream_read(void *context, int stream, void *to, size_t bytes, size_t *out_bytes);
int tn_posix_stream_write(void *context, int stream, const void *from, size_t bytes);

/* posix_pages.c */
int tn_posix_pages_reserve(void *context, size_t bytes, void **out);
int tn_posix_pages_commit(void *context, void *at, size_t bytes, unsigned flags);
int tn_posix_pages_decommit(void *context, void *at, size_t bytes);
void tn_posix_pages_release(void *context, void *at, size_t bytes);
int tn_posix_fork_mark(void *context, uint32_t **out);
void tn_posix_fork_mark_release(void *context, uint32_t *mark);

#endif
