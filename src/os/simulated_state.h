/*
 * simulated_state.h - what the files of the simulated system share
 *
 *     simulated.c            the table; pages, fork marks, randomness, the clock, streams, restart
 *       simulated_calls.c    the book of calls: numbers, faults, the crash, the trace
 *       simulated_files.c    directories and files: what is open, and whether the name is one
 *         simulated_disk.h   what is on the disk, now and after a power loss
 *       simulated_pages.h    what is reserved and committed
 *       simulated_streams.h  queues of bytes
 *
 *     call --> tn_simulated_call_begin --0--> does it --> tn_simulated_call_end --> result
 *                       \--- -errno: does nothing ------^
 *
 * Rules
 *   C1  Every call that can fail begins and ends so, once each, in this order (S2); what only gives
 *       resources back does neither (S4).
 *   C2  What a call looks up before it begins changes nothing: the watch may look at the disk then.
 *   C3  Ids of directories, files and streams come from one count, and none comes twice (S5).
 */
#ifndef TN_SIMULATED_STATE_H
#define TN_SIMULATED_STATE_H

#include "os/simulated.h"
#include "os/simulated_pages.h"
#include "os/simulated_streams.h"

#define TN_SIMULATED_FAULT_COUNT_MAX 16
#define TN_SIMULATED_NEVER UINT64_MAX

struct tn_simulated_fault {
    enum tn_simulated_call kind;
    uint64_t at; /* of the kind's own count */
    int error;
    bool for_ever;
};

/* A directory or a file that the code under test has open. */
struct tn_simulated_open {
    int id;
    int target; /* the disk's number */
    unsigned flags;
    bool is_file;
    bool is_locked;
};

struct tn_simulated {
    struct tn_simulated_options options;
    struct tn_disk *disk;
    uint64_t random_state;
    uint64_t now_ns;
    uint64_t counts[TN_CALL_KIND_COUNT];
    struct tn_simulated_fault faults[TN_SIMULATED_FAULT_COUNT_MAX];
    size_t fault_count;
    unsigned failed_quarters; /* S3: of a write, done all the same */
    uint64_t crash_at;
    bool is_crashed;
    tn_simulated_watch_fn *watch;
    void *watch_argument;
    struct tn_simulated_open *opens;
    size_t open_count, open_capacity;
    int next_id; /* C3 */
    struct tn_streams streams;
    struct tn_pages pages;
    uint32_t **marks;
    size_t mark_count, mark_capacity;
};

/* simulated_calls.c: 0 when the call may go on. */
int tn_simulated_call_begin(struct tn_simulated *simulated, enum tn_simulated_call kind);
/* A line of the trace. Answers the result. */
int tn_simulated_call_end(struct tn_simulated *simulated, enum tn_simulated_call kind, int result,
                          int id, uint64_t bytes, uint64_t offset, const char *name);

/* simulated_files.c; the first ends all that is open (S5) */
void tn_simulated_files_close(struct tn_simulated *simulated);

int tn_simulated_directory_open(void *context, const char *path, unsigned flags);
int tn_simulated_directory_lock(void *context, int directory);
int tn_simulated_directory_list(void *context, int directory, tn_os_name_fn *each, void *argument);
int tn_simulated_directory_sync(void *context, int directory);
int tn_simulated_directory_rename(void *context, int directory, const char *from, const char *to);
int tn_simulated_directory_unlink(void *context, int directory, const char *name);
void tn_simulated_directory_close(void *context, int directory);

int tn_simulated_file_open(void *context, int directory, const char *name, unsigned flags);
int tn_simulated_file_size(void *context, int file, uint64_t *out_bytes);
int tn_simulated_file_read(void *context, int file, void *to, size_t bytes, uint64_t offset,
                           size_t *out_bytes);
int tn_simulated_file_write(void *context, int file, const void *from, size_t bytes,
                            uint64_t offset);
int tn_simulated_file_truncate(void *context, int file, uint64_t bytes);
int tn_simulated_file_sync(void *context, int file);
int tn_simulated_file_map(void *context, int file, size_t bytes, void **out);
void tn_simulated_file_unmap(void *context, void *at, size_t bytes);
void tn_simulated_file_close(void *context, int file);

#endif
