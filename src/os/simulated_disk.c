/*
 * simulated_disk.c - a file system in memory; see simulated_disk.h for the rules, and
 * simulated_disk_state.h for the files that it is made of
 */
#include "os/simulated_disk_state.h"

#include <errno.h>

/* ---- files ---------------------------------------------------------------------------------- */

static void file_free_if_unused(struct tn_disk *disk, int file)
{
    struct tn_disk_file *item = &disk->files[file];
    size_t i;

    if (item->held_count != 0 || tn_disk_names_have_file(&disk->now, file))
        return;
    disk->bytes -= item->now.bytes;
    item->now.bytes = 0;
    if (tn_disk_names_have_file(&disk->durable, file))
        return;
    for (i = 0; i < disk->change_count; i++)
        if (disk->changes[i].pending.file == file &&
            !tn_disk_change_is_of_file(&disk->changes[i].pending, file))
            return; /* it may yet get a name */
    for (i = 0; i < disk->change_count; i++)
        if (tn_disk_change_is_of_file(&disk->changes[i].pending, file))
            disk->changes[i].state = TN_DISK_PENDING;
    tn_disk_changes_sync(disk, -1, file);
    item->durable.bytes = 0;
    item->used = false;
}

void tn_disk_files_free_unused(struct tn_disk *disk)
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
            tn_array_grow(disk->files, disk->file_count, &disk->file_capacity, sizeof *disk->files);
        memset(&disk->files[disk->file_count++], 0, sizeof *disk->files);
    }
    disk->files[i].used = true;
    return (int)i;
}

int tn_disk_file_find(const struct tn_disk *disk, int directory, const char *name)
{
    const struct tn_disk_name *item = tn_disk_names_find(&disk->now, directory, name);

    return item != NULL ? item->file : -ENOENT;
}

int tn_disk_file_make(struct tn_disk *disk, int directory, const char *name)
{
    int file = file_new(disk);
    struct tn_disk_step *change = tn_disk_change_new(disk, TN_DISK_LINK, directory, file);

    memcpy(change->pending.name, name, strlen(name) + 1);
    tn_disk_names_apply(&disk->now, &change->pending);
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

/* How long a file of that length may become. */
static uint64_t room_end(const struct tn_disk *disk, uint64_t old_bytes)
{
    return disk->bytes_max == 0 ? UINT64_MAX
                                : old_bytes + tn_max(disk->bytes_max, disk->bytes) - disk->bytes;
}

static void file_write(struct tn_disk *disk, int file, const void *from, size_t bytes,
                       uint64_t offset)
{
    struct tn_disk_bytes *now = &disk->files[file].now;
    uint64_t new_bytes = tn_max(now->bytes, offset + bytes);
    struct tn_disk_step *change;

    if (bytes == 0)
        return;
    change = tn_disk_change_new(disk, TN_DISK_WRITE, -1, file);
    change->pending.offset = offset;
    change->pending.bytes = bytes;
    change->pending.part_count = tn_disk_write_part_count(&change->pending);
    tn_disk_bytes_write(&disk->data, from, bytes, disk->data.bytes);
    disk->bytes += new_bytes - now->bytes;
    tn_disk_bytes_write(now, from, bytes, offset);
}

int tn_disk_file_write(struct tn_disk *disk, int file, const void *from, size_t bytes,
                       uint64_t offset)
{
    uint64_t end = room_end(disk, disk->files[file].now.bytes);
    bool fits = bytes == 0 || offset + bytes <= end;

    file_write(disk, file, from, fits ? bytes : end - tn_min(offset, end), offset); /* D6 */
    return fits ? 0 : -ENOSPC;
}

int tn_disk_file_truncate(struct tn_disk *disk, int file, uint64_t bytes)
{
    struct tn_disk_bytes *now = &disk->files[file].now;

    if (bytes > room_end(disk, now->bytes))
        return -ENOSPC;
    tn_disk_change_new(disk, TN_DISK_TRUNCATE, -1, file)->pending.offset = bytes;
    disk->bytes = disk->bytes - now->bytes + bytes;
    tn_disk_bytes_resize(now, bytes);
    return 0;
}

void tn_disk_file_sync(struct tn_disk *disk, int file)
{
    tn_disk_changes_sync(disk, -1, file);
}

void tn_disk_file_sync_failed(struct tn_disk *disk, int file)
{
    tn_disk_changes_spoil(disk, -1, file);
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
    disk->directories = tn_array_grow(disk->directories, disk->directory_count,
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
    tn_disk_changes_sync(disk, directory, -1);
    tn_disk_files_free_unused(disk);
}

void tn_disk_directory_sync_failed(struct tn_disk *disk, int directory)
{
    tn_disk_changes_spoil(disk, directory, -1);
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
    struct tn_disk_step *change;

    if (file < 0 || file == replaced)
        return file < 0 ? file : 0;
    change = tn_disk_change_new(disk, TN_DISK_RENAME, directory, file);
    memcpy(change->pending.name, from, strlen(from) + 1);
    memcpy(change->pending.to, to, strlen(to) + 1);
    tn_disk_names_apply(&disk->now, &change->pending);
    if (replaced >= 0)
        file_free_if_unused(disk, replaced);
    return 0;
}

int tn_disk_unlink(struct tn_disk *disk, int directory, const char *name)
{
    int file = tn_disk_file_find(disk, directory, name);
    struct tn_disk_step *change;

    if (file < 0)
        return file;
    change = tn_disk_change_new(disk, TN_DISK_UNLINK, directory, -1);
    memcpy(change->pending.name, name, strlen(name) + 1);
    tn_disk_names_apply(&disk->now, &change->pending);
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
        count += disk->changes[i].state != TN_DISK_SYNCED;
    return count;
}

const struct tn_disk_pending *tn_disk_pending(const struct tn_disk *disk, size_t index)
{
    size_t i;

    for (i = 0; i < disk->change_count; i++)
        if (disk->changes[i].state != TN_DISK_SYNCED && index-- == 0)
            return &disk->changes[i].pending;
    return NULL;
}
