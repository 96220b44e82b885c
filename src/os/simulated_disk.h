/*
 * simulated_disk.h - a file system in memory that remembers what was never synced
 *
 * Every change is done at once in the view that programs see ('now'), and kept beside what is
 * durable as a *pending* change. A sync moves pending changes to what is durable; losing power
 * throws the view away and decides the fate of each change that is still pending.
 *
 *     write --> now                        what reads and listings show
 *          \--> pending: w0 w1 t2 n3 w4    in the order they were made
 *                          |sync     \fate
 *               durable <--+          +--> image = durable + the chosen ones, in order
 *
 * Rules
 *   D1  An image contains everything durable; of each pending change it contains the parts that its
 *       fate names, later changes over earlier ones, and nothing else.
 *   D2  Parts of a write are cut at multiples of the sector size in the file, 63 at most; the
 *       growth of the file is a part of its own. Names change in one part: a rename is atomic.
 *   D3  After a sync that failed, what it should have synced stays pending, and no later sync makes
 *       it durable: the kernel has called those pages clean.
 *   D4  An image may be built over the disk itself or over another one, whose memory is reused.
 *   D5  A file without a name lives while it is held, and ends with the power.
 *   D6  A write for which there is not all the room does what there is room for, and is refused.
 */
#ifndef TN_SIMULATED_DISK_H
#define TN_SIMULATED_DISK_H

#include "base/base.h"

#define TN_DISK_NAME_BYTES 256 /* with the final 0 */
#define TN_DISK_SECTOR_BYTES ((uint64_t)512)

struct tn_disk;

enum tn_disk_change {
    TN_DISK_WRITE,    /* file, offset, bytes */
    TN_DISK_TRUNCATE, /* file, offset: the new size */
    TN_DISK_LINK,     /* directory, name, file: a new file's name */
    TN_DISK_RENAME,   /* directory, name, to, file */
    TN_DISK_UNLINK,   /* directory, name */
};

struct tn_disk_pending {
    enum tn_disk_change change;
    int directory;
    int file;
    uint64_t offset;
    size_t bytes;
    unsigned part_count; /* without the growth; 1 but for writes */
    char name[TN_DISK_NAME_BYTES];
    char to[TN_DISK_NAME_BYTES];
};

/*
 * Which parts of a pending change reached the disk: bit i for part i, the highest bit for the
 * growth of the file by a write. A part that arrived brings the growth up to its end with it.
 */
typedef uint64_t tn_disk_fate_fn(void *argument, size_t index,
                                 const struct tn_disk_pending *pending);

#define TN_DISK_LOST ((uint64_t)0)
#define TN_DISK_KEPT UINT64_MAX
#define TN_DISK_GREW ((uint64_t)1 << 63)

/* splitmix64: a generator whose whole state is one number. */
static inline uint64_t tn_splitmix(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9E3779B97F4A7C15);

    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

/* Ready-made. The mask keeps change i whole if bit i % 64 of word i / 64 behind argument is set. */
uint64_t tn_disk_fate_lost(void *argument, size_t index, const struct tn_disk_pending *pending);
uint64_t tn_disk_fate_kept(void *argument, size_t index, const struct tn_disk_pending *pending);
uint64_t tn_disk_fate_mask(void *argument, size_t index, const struct tn_disk_pending *pending);
/* The uint64_t behind argument is the state of a generator: a third lost, kept, and torn. */
uint64_t tn_disk_fate_random(void *argument, size_t index, const struct tn_disk_pending *pending);

struct tn_disk *tn_disk_new(uint64_t bytes_max); /* all files together; 0: no limit */
void tn_disk_free(struct tn_disk *disk);

size_t tn_disk_pending_count(const struct tn_disk *disk);
const struct tn_disk_pending *tn_disk_pending(const struct tn_disk *disk, size_t index);

/* D1, D4: `to` becomes what `from` may be after a power loss. */
void tn_disk_image(struct tn_disk *to, const struct tn_disk *from, tn_disk_fate_fn *fate,
                   void *argument);

/* Directories are numbers >= 0; a path is a name like any other, its parent must exist. */
int tn_disk_directory_find(const struct tn_disk *disk, const char *path);
/* Durable at once, as O4 of os.h has it; that the kernel is asked for that: test_os_failing. */
int tn_disk_directory_make(struct tn_disk *disk, const char *path);
const char *tn_disk_directory_path(const struct tn_disk *disk, int directory);
void tn_disk_directory_sync(struct tn_disk *disk, int directory);
void tn_disk_directory_sync_failed(struct tn_disk *disk, int directory); /* D3 */
/* The index-th name of the directory, NULL after the last. */
const char *tn_disk_name(const struct tn_disk *disk, int directory, size_t index);
int tn_disk_rename(struct tn_disk *disk, int directory, const char *from, const char *to);
int tn_disk_unlink(struct tn_disk *disk, int directory, const char *name);

/* Files are numbers >= 0. */
int tn_disk_file_find(const struct tn_disk *disk, int directory, const char *name);
int tn_disk_file_make(struct tn_disk *disk, int directory, const char *name);
void tn_disk_file_hold(struct tn_disk *disk, int file);
void tn_disk_file_drop(struct tn_disk *disk, int file);
const uint8_t *tn_disk_file_data(const struct tn_disk *disk, int file, uint64_t *out_bytes);
int tn_disk_file_write(struct tn_disk *disk, int file, const void *from, size_t bytes,
                       uint64_t offset);
int tn_disk_file_truncate(struct tn_disk *disk, int file, uint64_t bytes);
void tn_disk_file_sync(struct tn_disk *disk, int file);
void tn_disk_file_sync_failed(struct tn_disk *disk, int file); /* D3 */

#endif
