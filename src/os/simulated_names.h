/*
 * simulated_names.h - what the directories of the simulated disk say: (directory, name) -> file
 *
 *     now      (0, "tarn-1") -> 3     what the code under test sees
 *     durable  (0, "tarn-1") -> 3     what is left for certain; the disk has one of each
 *
 * Rules
 *   N1  A name of a directory is there once; a file may have several, in between a rename and its
 *       sync.
 *   N2  A change of names is applied to either the same way, and is never refused: what does not
 *       fit any more (an image left out the change before it) does nothing.
 *   N3  The order of the list is nobody's business, but depends on the calls alone (S1).
 */
#ifndef TN_SIMULATED_NAMES_H
#define TN_SIMULATED_NAMES_H

#include "os/simulated_disk.h"

struct tn_disk_name {
    int directory;
    int file;
    char name[TN_DISK_NAME_BYTES];
};

struct tn_disk_names {
    struct tn_disk_name *items;
    size_t count;
    size_t capacity;
};

/* NULL: there is none. */
struct tn_disk_name *tn_disk_names_find(const struct tn_disk_names *names, int directory,
                                        const char *name);
bool tn_disk_names_have_file(const struct tn_disk_names *names, int file);
void tn_disk_names_copy(struct tn_disk_names *to, const struct tn_disk_names *from);
void tn_disk_names_apply(struct tn_disk_names *names,
                         const struct tn_disk_pending *change); /* N2 */

#endif
