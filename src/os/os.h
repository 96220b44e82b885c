/*
 * os.h - the one door to the operating system
 *
 * Whatever the library wants from outside (address space, pages, randomness, time, files) it asks
 * of a table of functions. There are two tables: posix.c asks the kernel; simulated.c keeps
 * everything in memory, can refuse any call, forget what was not synced, and repeats itself from a
 * seed.
 *
 *     store, heap, index, log
 *              |
 *          struct tn_os          { ops, context }
 *           /        \
 *     posix.c      simulated.c
 *
 * Rules
 *   O1  A call answers 0 (or a number >= 0 where said) when it did all that was asked, or -errno
 *       when it did not; it never answers in part, except reads at the end of a file or stream.
 *       EINTR is retried inside, but not for syncs: one that failed is never repeated.
 *   O2  No other object of libtarn calls the system (tests/imports proves it with nm).
 *   O3  Nothing here allocates on behalf of the caller: directories and files are small integers.
 *   O4  Bytes written are durable after file_sync of that file; a name is durable after
 *       directory_sync of its directory; a directory's own name after directory_open with CREATE.
 *       Nothing else promises durability.
 *   O5  Names are single path components; symbolic links are never followed.
 */
#ifndef TN_OS_H
#define TN_OS_H

#include "base/base.h"

enum tn_os_flags {
    TN_OS_HUGE = 1,      /* pages_commit: worth huge pages */
    TN_OS_CREATE = 2,    /* make it if absent */
    TN_OS_EXCLUSIVE = 4, /* with CREATE: fail with -EEXIST if present */
    TN_OS_WRITE = 8,     /* open for reading and writing; otherwise reading only */
};

/*
 * Called for each name in a directory but '.' and '..'; must not change the directory. Non-zero
 * ends the listing and is its answer.
 */
typedef int tn_os_name_fn(void *argument, const char *name);

struct tn_os_ops {
    /*
     * Address space. `bytes` and addresses are multiples of TN_OS_PAGE_BYTES, reservations aligned
     * to 2 MiB. Reserved space costs nothing and cannot be touched; committed pages read as zero
     * and can be written; a decommitted page is as reserved. release ends a whole reservation.
     */
    int (*pages_reserve)(void *context, size_t bytes, void **out);
    int (*pages_commit)(void *context, void *at, size_t bytes, unsigned flags);
    int (*pages_decommit)(void *context, void *at, size_t bytes);
    void (*pages_release)(void *context, void *at, size_t bytes);

    /*
     * A page that reads 1 in this process and 0 in any child forked from it. -ENOTSUP where the
     * system has no such pages; then a child cannot be told.
     */
    int (*fork_mark)(void *context, uint32_t **out);
    void (*fork_mark_release)(void *context, uint32_t *mark);

    int (*random)(void *context, void *out, size_t bytes);
    uint64_t (*clock_ns)(void *context); /* monotonic; never fails */

    /* Directories. CREATE makes the last component with mode 0700. Answers an id >= 0. */
    int (*directory_open)(void *context, const char *path, unsigned flags);
    int (*directory_lock)(void *context, int directory); /* -EBUSY: another process has it */
    int (*directory_list)(void *context, int directory, tn_os_name_fn *each, void *argument);
    int (*directory_sync)(void *context, int directory);
    int (*directory_rename)(void *context, int directory, const char *from, const char *to);
    int (*directory_unlink)(void *context, int directory, const char *name);
    void (*directory_close)(void *context, int directory); /* and gives up its lock */

    /* Files, by offset. CREATE makes them with mode 0600. Answers an id >= 0. */
    int (*file_open)(void *context, int directory, const char *name, unsigned flags);
    int (*file_size)(void *context, int file, uint64_t *out_bytes);
    /* *out_bytes < bytes only at the end of the file. */
    int (*file_read)(void *context, int file, void *to, size_t bytes, uint64_t offset,
                     size_t *out_bytes);
    /* A failure may have written a part; nobody knows how much. */
    int (*file_write)(void *context, int file, const void *from, size_t bytes, uint64_t offset);
    int (*file_truncate)(void *context, int file, uint64_t bytes);
    int (*file_sync)(void *context, int file); /* data and what is needed to read it back */
    /*
     * A read-only, private view of the first `bytes` of the file, which must be there and not 0
     * (-EINVAL); unmap with the same size.
     */
    int (*file_map)(void *context, int file, size_t bytes, void **out);
    void (*file_unmap)(void *context, void *at, size_t bytes);
    void (*file_close)(void *context, int file);

    /*
     * Streams: descriptors that the user opened, anything that can be read or written where it
     * stands. They stay his: they are neither moved nor closed. One that does not block is waited
     * for.
     */
    /* *out_bytes < bytes only at the end of the stream. */
    int (*stream_read)(void *context, int stream, void *to, size_t bytes, size_t *out_bytes);
    /* A failure may have written a part; nobody knows how much. */
    int (*stream_write)(void *context, int stream, const void *from, size_t bytes);
};

struct tn_os {
    const struct tn_os_ops *ops;
    void *context;
};

#define TN_OS_PAGE_BYTES ((size_t)4096)

/* The kernel. Stateless, so there is one. */
extern const struct tn_os tn_os_posix;

#endif
