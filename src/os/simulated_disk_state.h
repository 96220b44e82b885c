/*
 * simulated_disk_state.h - what the files of the simulated disk share
 *
 *     simulated_disk.c       files, directories, the disk as it is now
 *       simulated_changes.c  what was not synced yet, and what a sync makes of it
 *         simulated_names.h  which names there are, now and durable
 *     simulated_image.c      what the disk is after a power loss; fates
 *
 *     changes  | write 0 | link 1 | write 2 | ...     data  | bytes of write 0 | of write 2 | ...
 *
 * Rules: D1 to D5 of simulated_disk.h, and
 *   K1  Changes are in the order they were made, and so are the bytes of the writes among them.
 *   K2  What a sync made durable is forgotten, but if it lies over a change that is stuck (D3):
 *       then it stays behind that one, as TN_DISK_SYNCED, for the order (D1).
 *   K3  A file's number is free when nothing has it: no hold, no name in either view, and no
 *       pending change that may yet give it one.
 */
#ifndef TN_SIMULATED_DISK_STATE_H
#define TN_SIMULATED_DISK_STATE_H

#include "os/simulated_growth.h"
#include "os/simulated_names.h"

struct tn_disk_file {
    struct tn_disk_bytes now;
    struct tn_disk_bytes durable;
    unsigned held_count;
    bool used;
};

enum tn_disk_step_state {
    TN_DISK_PENDING,
    TN_DISK_STUCK,  /* D3 */
    TN_DISK_SYNCED, /* K2 */
};

/* A change as the disk keeps it. */
struct tn_disk_step {
    struct tn_disk_pending pending;
    enum tn_disk_step_state state;
    uint64_t data_offset; /* of a write: its bytes in `data` */
};

struct tn_disk {
    uint64_t bytes_max;
    uint64_t bytes; /* of all files, now */
    char (*directories)[TN_DISK_NAME_BYTES];
    size_t directory_count, directory_capacity;
    struct tn_disk_file *files;
    size_t file_count, file_capacity;
    struct tn_disk_names now, durable;
    struct tn_disk_step *changes; /* K1 */
    size_t change_count, change_capacity;
    struct tn_disk_bytes data;
};

/* simulated_disk.c */
void tn_disk_files_free_unused(struct tn_disk *disk); /* K3 */

/* simulated_changes.c; the new one is pending, and of one part */
struct tn_disk_step *tn_disk_change_new(struct tn_disk *disk, enum tn_disk_change kind,
                                        int directory, int file);
unsigned tn_disk_write_part_count(const struct tn_disk_pending *write); /* D2 */
bool tn_disk_change_is_of_file(const struct tn_disk_pending *change, int file);
/* To what is durable in `to`, with the parts that the fate names (D1). */
void tn_disk_change_apply(struct tn_disk *to, const struct tn_disk *from,
                          const struct tn_disk_step *change, uint64_t fate);
/* The changes of a directory or of a file; the other is -1. */
void tn_disk_changes_sync(struct tn_disk *disk, int directory, int file);
void tn_disk_changes_spoil(struct tn_disk *disk, int directory, int file); /* D3 */

#endif
