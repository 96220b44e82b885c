/*
 * simulated_changes.c - what was not synced yet; see simulated_disk_state.h for the rules
 *
 *     sync of file 3:    w3 w4 t3 w3  -->  w4             the rest is durable
 *     after a failure:   w3 w4 t3 w3  -->  w3! w4 t3! w3! stuck: no later sync takes them (D3)
 */
#include "os/simulated_disk_state.h"

bool tn_disk_change_is_of_file(const struct tn_disk_pending *change, int file)
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

unsigned tn_disk_write_part_count(const struct tn_disk_pending *write)
{
    uint64_t first, end;
    uint64_t part_sectors = part_sector_count(write, &first);

    end = (write->offset + write->bytes - 1) / TN_DISK_SECTOR_BYTES + 1;
    return (unsigned)((end - first + part_sectors - 1) / part_sectors);
}

static void write_apply(struct tn_disk_bytes *bytes, const struct tn_disk_pending *write,
                        const uint8_t *data, uint64_t fate)
{
    uint64_t end = write->offset + write->bytes;
    uint64_t first_sector, part_bytes, at, next;
    unsigned part;

    part_bytes = part_sector_count(write, &first_sector) * TN_DISK_SECTOR_BYTES;
    if ((fate & TN_DISK_GREW) != 0 && end > bytes->bytes)
        tn_disk_bytes_resize(bytes, end);
    for (part = 0; part < write->part_count; part++) {
        at = tn_max(write->offset, first_sector * TN_DISK_SECTOR_BYTES + part * part_bytes);
        next = tn_min(end, first_sector * TN_DISK_SECTOR_BYTES + (part + 1) * part_bytes);
        if ((fate >> part & 1) != 0)
            tn_disk_bytes_write(bytes, data + (at - write->offset), next - at, at);
    }
}

void tn_disk_change_apply(struct tn_disk *to, const struct tn_disk *from,
                          const struct tn_disk_step *change, uint64_t fate)
{
    const struct tn_disk_pending *pending = &change->pending;

    if (pending->change == TN_DISK_WRITE)
        write_apply(&to->files[pending->file].durable, pending,
                    from->data.data + change->data_offset, fate);
    else if (fate == TN_DISK_LOST)
        return;
    else if (pending->change == TN_DISK_TRUNCATE)
        tn_disk_bytes_resize(&to->files[pending->file].durable, pending->offset);
    else
        tn_disk_names_apply(&to->durable, pending);
}

struct tn_disk_step *tn_disk_change_new(struct tn_disk *disk, enum tn_disk_change kind,
                                        int directory, int file)
{
    struct tn_disk_step *change;

    disk->changes = tn_array_grow(disk->changes, disk->change_count, &disk->change_capacity,
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
static bool change_concerns(const struct tn_disk_step *change, int directory, int file)
{
    if (directory >= 0)
        return change_is_of_directory(&change->pending, directory);
    return tn_disk_change_is_of_file(&change->pending, file);
}

/* Makes the changes durable, and forgets them. K2 */
void tn_disk_changes_sync(struct tn_disk *disk, int directory, int file)
{
    struct tn_disk_bytes kept = { disk->data.data, 0, disk->data.capacity_bytes };
    struct tn_disk_step *change;
    size_t i, kept_count = 0;
    bool over_stuck = false;

    for (i = 0; i < disk->change_count; i++) {
        change = &disk->changes[i];
        if (change_concerns(change, directory, file)) {
            over_stuck |= change->state == TN_DISK_STUCK;
            if (!over_stuck) {
                tn_disk_change_apply(disk, disk, change, TN_DISK_KEPT);
                continue;
            }
            if (change->state == TN_DISK_PENDING)
                change->state = TN_DISK_SYNCED;
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
void tn_disk_changes_spoil(struct tn_disk *disk, int directory, int file)
{
    size_t i;

    for (i = 0; i < disk->change_count; i++)
        if (change_concerns(&disk->changes[i], directory, file) &&
            disk->changes[i].state == TN_DISK_PENDING)
            disk->changes[i].state = TN_DISK_STUCK;
}
