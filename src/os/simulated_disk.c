/*
 * simulated_disk.c - a file system in memory; see simulated_disk.h for the rules
 */
#include "os/simulated_disk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct disk_bytes {
    uint8_t *data;
    uint64_t bytes;
    uint64_t capacity_bytes; /* beyond `bytes` there may be anything */
};

struct disk_file {
    struct disk_bytes now;
    struct disk_bytes durable;
    unsigned held_count;
    bool used;
};

struct disk_name {
    int directory;
    int file;
    char name[TN_DISK_NAME_BYTES];
};

struct disk_names {
    struct disk_name *items;
    size_t count;
    size_t capacity;
};

enum change_state {
    CHANGE_PENDING,
    CHANGE_STUCK,  /* D3 */
    CHANGE_SYNCED, /* durable, but over a stuck one: kept as a change for the order (D1) */
};

struct disk_change {
    struct tn_disk_pending pending;
    enum change_state state;
    uint64_t data_offset; /* of a write: its bytes in `data` */
};

struct tn_disk {
    uint64_t bytes_max;
    uint64_t bytes; /* of all files, now */
    char (*directories)[TN_DISK_NAME_BYTES];
    size_t directory_count, directory_capacity;
    struct disk_file *files;
    size_t file_count, file_capacity;
    struct disk_names now, durable;
    struct disk_change *changes; /* in the order they were made, and so are their bytes in `data` */
    size_t change_count, change_capacity;
    struct disk_bytes data;
};

/* ---- growing -------------------------------------------------------------------------------- */

/* Room for one more item. A test that runs out of memory here cannot go on. */
static void *array_grow(void *items, size_t count, size_t *capacity, size_t item_bytes)
{
    if (count < *capacity)
        return items;
    *capacity = *capacity != 0 ? 2 * *capacity : 8;
    items = realloc(items, *capacity * item_bytes);
    tn_assert(items != NULL);
    return items;
}

/* New bytes are zero. */
static void bytes_resize(struct disk_bytes *bytes, uint64_t new_bytes)
{
    if (new_bytes > bytes->capacity_bytes) {
        bytes->capacity_bytes = tn_max(new_bytes, 2 * bytes->capacity_bytes);
        bytes->data = realloc(bytes->data, bytes->capacity_bytes);
        tn_assert(bytes->data != NULL);
    }
    if (new_bytes > bytes->bytes)
        memset(bytes->data + bytes->bytes, 0, new_bytes - bytes->bytes);
    bytes->bytes = new_bytes;
}

static void bytes_write(struct disk_bytes *bytes, const void *from, size_t count, uint64_t offset)
{
    if (count == 0)
        return;
    if (offset + count > bytes->bytes)
        bytes_resize(bytes, offset + count);
    memcpy(bytes->data + offset, from, count);
}

static void bytes_copy(struct disk_bytes *to, const struct disk_bytes *from)
{
    to->bytes = 0;
    bytes_write(to, from->data, from->bytes, 0);
}

/* ---- names ---------------------------------------------------------------------------------- */

static struct disk_name *names_find(const struct disk_names *names, int directory, const char *name)
{
    size_t i;

    for (i = 0; i < names->count; i++)
        if (names->items[i].directory == directory && strcmp(names->items[i].name, name) == 0)
            return &names->items[i];
    return NULL;
}

static void names_remove(struct disk_names *names, int directory, const char *name)
{
    struct disk_name *item = names_find(names, directory, name);

    if (item != NULL)
        *item = names->items[--names->count];
}

static void names_set(struct disk_names *names, int directory, const char *name, int file)
{
    struct disk_name *item = names_find(names, directory, name);

    if (item == NULL) {
        names->items =
            array_grow(names->items, names->count, &names->capacity, sizeof *names->items);
        item = &names->items[names->count++];
        item->directory = directory;
        memcpy(item->name, name, strlen(name) + 1);
    }
    item->file = file;
}

static void names_copy(struct disk_names *to, const struct disk_names *from)
{
    to->count = 0;
    while (to->count < from->count) {
        to->items = array_grow(to->items, to->count, &to->capacity, sizeof *to->items);
        to->items[to->count] = from->items[to->count];
        to->count++;
    }
}

static bool names_have_file(const struct disk_names *names, int file)
{
    size_t i;

    for (i = 0; i < names->count; i++)
        if (names->items[i].file == file)
            return true;
    return false;
}

static void names_apply(struct disk_names *names, const struct tn_disk_pending *change)
{
    struct disk_name *old = names_find(names, change->directory, change->name);

    switch (change->change) {
    case TN_DISK_LINK:
        names_set(names, change->directory, change->name, change->file);
        break;
    case TN_DISK_RENAME:
        if (old != NULL && old->file == change->file)
            names_remove(names, change->directory, change->name);
        names_set(names, change->directory, change->to, change->file);
        break;
    case TN_DISK_UNLINK:
        names_remove(names, change->directory, change->name);
        break;
    case TN_DISK_WRITE:
    case TN_DISK_TRUNCATE:
        tn_unreachable();
    }
}

/* ---- changes -------------------------------------------------------------------------------- */

static bool change_is_of_file(const struct tn_disk_pending *change, int file)
{
    return (change->change == TN_DISK_WRITE || change->change == TN_DISK_TRUNCATE) &&
           change->file == file;
}

static bool change_is_of_directory(const struct tn_disk_pending *change, int directory)
{
    return change->change != TN_DISK_WRITE && change->change != TN_DISK_TRUNCATE &&
           change->directory == directory;
}

/* Sectors of one part of a write (D2). */
static uint64_t part_sector_count(const struct tn_disk_pending *write, uint64_t *out_first_sector)
{
    uint64_t first = write->offset / TN_DISK_SECTOR_BYTES;
    uint64_t end = (write->offset + write->bytes - 1) / TN_DISK_SECTOR_BYTES + 1;

    *out_first_sector = first;
    return (end - first + 62) / 63;
}

static unsigned write_part_count(const struct tn_disk_pending *write)
{
    uint64_t first, end;
    uint64_t part_sectors = part_sector_count(write, &first);

    end = (write->offset + write->bytes - 1) / TN_DISK_SECTOR_BYTES + 1;
    return (unsigned)((end - first + part_sectors - 1) / part_sectors);
}

static void write_apply(struct disk_bytes *bytes, const struct tn_disk_pending *write,
                        const uint8_t *data, uint64_t fate)
{
    uint64_t end = write->offset + write->bytes;
    uint64_t first_sector, part_bytes, at, next;
    unsigned part;

    part_bytes = part_sector_count(write, &first_sector) * TN_DISK_SECTOR_BYTES;
    if ((fate & TN_DISK_GREW) != 0 && end > bytes->bytes)
        bytes_resize(bytes, end);
    for (part = 0; part < write->part_count; part++) {
        at = tn_max(write->offset, first_sector * TN_DISK_SECTOR_BYTES + part * part_bytes);
        next = tn_min(end, first_sector * TN_DISK_SECTOR_BYTES + (part + 1) * part_bytes);
        if ((fate >> part & 1) != 0)
            bytes_write(bytes, data + (at - write->offset), next - at, at);
    }
}

static void change_apply(struct tn_disk *to, const struct tn_disk *from,
                         const struct disk_change *change, uint64_t fate)
{
    const struct tn_disk_pending *pending = &change->pending;

    if (pending->change == TN_DISK_WRITE)
        write_apply(&to->files[pending->file].durable, pending,
                    from->data.data + change->data_offset, fate);
    else if (fate == TN_DISK_LOST)
        return;
    else if (pending->change == TN_DISK_TRUNCATE)
        bytes_resize(&to->files[pending->file].durable, pending->offset);
    else
        names_apply(&to->durable, pending);
}

static struct disk_change *change_new(struct tn_disk *disk, enum tn_disk_change kind, int directory,
                                      int file)
{
    struct disk_change *change;

    disk->changes = array_grow(disk->changes, disk->change_count, &disk->change_capacity,
                               sizeof *disk->changes);
    change = &disk->changes[disk->change_count++];
    memset(change, 0, sizeof *change);
    change->pending.change = kind;
    change->pending.directory = directory;
    change->pending.file = file;
    change->pending.part_count = 1;
    change->data_offset = disk->data.bytes;
    return change;
}

/* One of directory and file is -1. */
static bool change_concerns(const struct disk_change *change, int directory, int file)
{
    if (directory >= 0)
        return change_is_of_directory(&change->pending, directory);
    return change_is_of_file(&change->pending, file);
}

/* Makes the changes of a directory or a file durable, and forgets them. */
static void changes_sync(struct tn_disk *disk, int directory, int file)
{
    struct disk_bytes kept = { disk->data.data, 0, disk->data.capacity_bytes };
    struct disk_change *change;
    size_t i, kept_count = 0;
    bool over_stuck = false;

    for (i = 0; i < disk->change_count; i++) {
        change = &disk->changes[i];
        if (change_concerns(change, directory, file)) {
            over_stuck |= change->state == CHANGE_STUCK;
            if (!over_stuck) {
                change_apply(disk, disk, change, TN_DISK_KEPT);
                continue;
            }
            if (change->state == CHANGE_PENDING)
                change->state = CHANGE_SYNCED;
        }
        if (change->pending.change == TN_DISK_WRITE) {
            memmove(kept.data + kept.bytes, kept.data + change->data_offset, change->pending.bytes);
            change->data_offset = kept.bytes;
            kept.bytes += change->pending.bytes;
        }
        disk->changes[kept_count++] = *change;
    }
    disk->change_count = kept_count;
    disk->data.bytes = kept.bytes;
}

/* D3 */
static void changes_spoil(struct tn_disk *disk, int directory, int file)
{
    size_t i;

    for (i = 0; i < disk->change_count; i++)
        if (change_concerns(&disk->changes[i], directory, file) &&
            disk->changes[i].state == CHANGE_PENDING)
            disk->changes[i].state = CHANGE_STUCK;
}

/* ---- files ---------------------------------------------------------------------------------- */

static void file_free_if_unused(struct tn_disk *disk, int file)
{
    struct disk_file *item = &disk->files[file];
    size_t i;

    if (item->held_count != 0 || names_have_file(&disk->now, file))
        return;
    disk->bytes -= item->now.bytes;
    item->now.bytes = 0;
    if (names_have_file(&disk->durable, file))
        return;
    for (i = 0; i < disk->change_count; i++)
        if (disk->changes[i].pending.file == file &&
            !change_is_of_file(&disk->changes[i].pending, file))
            return; /* it may yet get a name */
    for (i = 0; i < disk->change_count; i++)
        if (change_is_of_file(&disk->changes[i].pending, file))
            disk->changes[i].state = CHANGE_PENDING;
    changes_sync(disk, -1, file);
    item->durable.bytes = 0;
    item->used = false;
}

static void files_free_unused(struct tn_disk *disk)
{
    size_t i;

    for (i = 0; i < disk->file_count; i++)
        if (disk->files[i].used)
            file_free_if_unused(disk, (int)i);
}

static int file_new(struct tn_disk *disk)
{
    size_t i;

    for (i = 0; i < disk->file_count && disk->files[i].used; i++)
        ;
    if (i == disk->file_count) {
        disk->files =
            array_grow(disk->files, disk->file_count, &disk->file_capacity, sizeof *disk->files);
        memset(&disk->files[disk->file_count++], 0, sizeof *disk->files);
    }
    disk->files[i].used = true;
    return (int)i;
}

int tn_disk_file_find(const struct tn_disk *disk, int directory, const char *name)
{
    const struct disk_name *item = names_find(&disk->now, directory, name);

    return item != NULL ? item->file : -ENOENT;
}

int tn_disk_file_make(struct tn_disk *disk, int directory, const char *name)
{
    int file = file_new(disk);
    struct disk_change *change = change_new(disk, TN_DISK_LINK, directory, file);

    memcpy(change->pending.name, name, strlen(name) + 1);
    names_apply(&disk->now, &change->pending);
    return file;
}

void tn_disk_file_hold(struct tn_disk *disk, int file)
{
    disk->files[file].held_count++;
}

void tn_disk_file_drop(struct tn_disk *disk, int file)
{
    disk->files[file].held_count--;
    file_free_if_unused(disk, file);
}

const uint8_t *tn_disk_file_data(const struct tn_disk *disk, int file, uint64_t *out_bytes)
{
    *out_bytes = disk->files[file].now.bytes;
    return disk->files[file].now.data;
}

static bool disk_has_room(const struct tn_disk *disk, uint64_t old_bytes, uint64_t new_bytes)
{
    return new_bytes <= old_bytes || disk->bytes_max == 0 ||
           new_bytes - old_bytes <= disk->bytes_max - disk->bytes;
}

int tn_disk_file_write(struct tn_disk *disk, int file, const void *from, size_t bytes,
                       uint64_t offset)
{
    struct disk_bytes *now = &disk->files[file].now;
    uint64_t new_bytes = tn_max(now->bytes, offset + bytes);
    struct disk_change *change;

    if (bytes == 0)
        return 0;
    if (!disk_has_room(disk, now->bytes, new_bytes))
        return -ENOSPC;
    change = change_new(disk, TN_DISK_WRITE, -1, file);
    change->pending.offset = offset;
    change->pending.bytes = bytes;
    change->pending.part_count = write_part_count(&change->pending);
    bytes_write(&disk->data, from, bytes, disk->data.bytes);
    disk->bytes += new_bytes - now->bytes;
    bytes_write(now, from, bytes, offset);
    return 0;
}

int tn_disk_file_truncate(struct tn_disk *disk, int file, uint64_t bytes)
{
    struct disk_bytes *now = &disk->files[file].now;

    if (!disk_has_room(disk, now->bytes, bytes))
        return -ENOSPC;
    change_new(disk, TN_DISK_TRUNCATE, -1, file)->pending.offset = bytes;
    disk->bytes = disk->bytes - now->bytes + bytes;
    bytes_resize(now, bytes);
    return 0;
}

void tn_disk_file_sync(struct tn_disk *disk, int file)
{
    changes_sync(disk, -1, file);
}

void tn_disk_file_sync_failed(struct tn_disk *disk, int file)
{
    changes_spoil(disk, -1, file);
}

/* ---- directories ---------------------------------------------------------------------------- */

int tn_disk_directory_find(const struct tn_disk *disk, const char *path)
{
    size_t i;

    for (i = 0; i < disk->directory_count; i++)
        if (strcmp(disk->directories[i], path) == 0)
            return (int)i;
    return -ENOENT;
}

int tn_disk_directory_make(struct tn_disk *disk, const char *path)
{
    const char *slash = strrchr(path, '/');
    char parent[TN_DISK_NAME_BYTES];

    if (strlen(path) >= sizeof parent)
        return -ENAMETOOLONG;
    if (slash != NULL && slash != path) {
        memcpy(parent, path, (size_t)(slash - path));
        parent[slash - path] = '\0';
        if (tn_disk_directory_find(disk, parent) < 0)
            return -ENOENT;
    }
    disk->directories = array_grow(disk->directories, disk->directory_count,
                                   &disk->directory_capacity, sizeof *disk->directories);
    memcpy(disk->directories[disk->directory_count], path, strlen(path) + 1);
    return (int)disk->directory_count++;
}

const char *tn_disk_directory_path(const struct tn_disk *disk, int directory)
{
    return disk->directories[directory];
}

void tn_disk_directory_sync(struct tn_disk *disk, int directory)
{
    changes_sync(disk, directory, -1);
    files_free_unused(disk);
}

void tn_disk_directory_sync_failed(struct tn_disk *disk, int directory)
{
    changes_spoil(disk, directory, -1);
}

const char *tn_disk_name(const struct tn_disk *disk, int directory, size_t index)
{
    size_t i;

    for (i = 0; i < disk->now.count; i++)
        if (disk->now.items[i].directory == directory && index-- == 0)
            return disk->now.items[i].name;
    return NULL;
}

int tn_disk_rename(struct tn_disk *disk, int directory, const char *from, const char *to)
{
    int file = tn_disk_file_find(disk, directory, from);
    int replaced = tn_disk_file_find(disk, directory, to);
    struct disk_change *change;

    if (file < 0 || file == replaced)
        return file < 0 ? file : 0;
    change = change_new(disk, TN_DISK_RENAME, directory, file);
    memcpy(change->pending.name, from, strlen(from) + 1);
    memcpy(change->pending.to, to, strlen(to) + 1);
    names_apply(&disk->now, &change->pending);
    if (replaced >= 0)
        file_free_if_unused(disk, replaced);
    return 0;
}

int tn_disk_unlink(struct tn_disk *disk, int directory, const char *name)
{
    int file = tn_disk_file_find(disk, directory, name);
    struct disk_change *change;

    if (file < 0)
        return file;
    change = change_new(disk, TN_DISK_UNLINK, directory, -1);
    memcpy(change->pending.name, name, strlen(name) + 1);
    names_apply(&disk->now, &change->pending);
    file_free_if_unused(disk, file);
    return 0;
}

/* ---- the disk ------------------------------------------------------------------------------- */

struct tn_disk *tn_disk_new(uint64_t bytes_max)
{
    struct tn_disk *disk = calloc(1, sizeof *disk);

    tn_assert(disk != NULL);
    disk->bytes_max = bytes_max;
    return disk;
}

void tn_disk_free(struct tn_disk *disk)
{
    size_t i;

    if (disk == NULL)
        return;
    for (i = 0; i < disk->file_count; i++) {
        free(disk->files[i].now.data);
        free(disk->files[i].durable.data);
    }
    free(disk->files);
    free(disk->directories);
    free(disk->now.items);
    free(disk->durable.items);
    free(disk->changes);
    free(disk->data.data);
    free(disk);
}

size_t tn_disk_pending_count(const struct tn_disk *disk)
{
    size_t i, count = 0;

    for (i = 0; i < disk->change_count; i++)
        count += disk->changes[i].state != CHANGE_SYNCED;
    return count;
}

const struct tn_disk_pending *tn_disk_pending(const struct tn_disk *disk, size_t index)
{
    size_t i;

    for (i = 0; i < disk->change_count; i++)
        if (disk->changes[i].state != CHANGE_SYNCED && index-- == 0)
            return &disk->changes[i].pending;
    return NULL;
}

static void disk_copy_durable(struct tn_disk *to, const struct tn_disk *from)
{
    size_t i;

    for (to->directory_count = 0; to->directory_count < from->directory_count;) {
        to->directories = array_grow(to->directories, to->directory_count, &to->directory_capacity,
                                     sizeof *to->directories);
        memcpy(to->directories[to->directory_count], from->directories[to->directory_count],
               TN_DISK_NAME_BYTES);
        to->directory_count++;
    }
    while (to->file_count < from->file_count) {
        to->files = array_grow(to->files, to->file_count, &to->file_capacity, sizeof *to->files);
        memset(&to->files[to->file_count++], 0, sizeof *to->files);
    }
    for (i = 0; i < to->file_count; i++) {
        to->files[i].used = i < from->file_count && from->files[i].used;
        to->files[i].durable.bytes = 0;
        if (to->files[i].used)
            bytes_copy(&to->files[i].durable, &from->files[i].durable);
    }
    names_copy(&to->durable, &from->durable);
    to->bytes_max = from->bytes_max;
}

void tn_disk_image(struct tn_disk *to, const struct tn_disk *from, tn_disk_fate_fn *fate,
                   void *argument)
{
    const struct disk_change *change;
    size_t i, index = 0;

    if (to != from)
        disk_copy_durable(to, from);
    for (i = 0; i < from->change_count; i++) {
        change = &from->changes[i];
        change_apply(to, from, change,
                     change->state == CHANGE_SYNCED ? TN_DISK_KEPT
                                                    : fate(argument, index++, &change->pending));
    }
    to->change_count = 0;
    to->data.bytes = 0;
    names_copy(&to->now, &to->durable);
    to->bytes = 0;
    for (i = 0; i < to->file_count; i++) {
        to->files[i].held_count = 0;
        bytes_copy(&to->files[i].now, &to->files[i].durable);
        to->bytes += to->files[i].now.bytes;
    }
    files_free_unused(to);
}

/* ---- fates ---------------------------------------------------------------------------------- */

uint64_t tn_disk_fate_lost(void *argument, size_t index, const struct tn_disk_pending *pending)
{
    (void)argument;
    (void)index;
    (void)pending;
    return TN_DISK_LOST;
}

uint64_t tn_disk_fate_kept(void *argument, size_t index, const struct tn_disk_pending *pending)
{
    (void)argument;
    (void)index;
    (void)pending;
    return TN_DISK_KEPT;
}

uint64_t tn_disk_fate_mask(void *argument, size_t index, const struct tn_disk_pending *pending)
{
    const uint64_t *words = argument;

    (void)pending;
    return (words[index / 64] >> (index % 64) & 1) != 0 ? TN_DISK_KEPT : TN_DISK_LOST;
}

uint64_t tn_disk_fate_random(void *argument, size_t index, const struct tn_disk_pending *pending)
{
    uint64_t *state = argument;
    uint64_t choice = tn_splitmix(state) % 3;
    uint64_t torn = tn_splitmix(state);

    (void)index;
    if (pending->change != TN_DISK_WRITE)
        torn = (torn & 1) != 0 ? TN_DISK_KEPT : TN_DISK_LOST;
    return choice == 0 ? TN_DISK_LOST : choice == 1 ? TN_DISK_KEPT : torn;
}
