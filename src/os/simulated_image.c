/*
 * simulated_image.c - what a disk is after a power loss: the durable, and of what is pending what
 * fate keeps
 *
 *     from: durable + changes --fate of each--> to: durable = now, nothing pending
 *
 * Rules: D1, D4 and D5 of simulated_disk.h, and
 *   I1  Each pending change is asked for once, in order; those that are synced are kept unasked
 *       (K2).
 *   I2  An image shares nothing with the disk it was made from, and what it is made over gives its
 *       memory.
 */
#include "os/simulated_disk_state.h"

static void disk_copy_durable(struct tn_disk *to, const struct tn_disk *from)
{
    size_t i;

    for (to->directory_count = 0; to->directory_count < from->directory_count;) {
        to->directories = tn_array_grow(to->directories, to->directory_count,
                                        &to->directory_capacity, sizeof *to->directories);
        memcpy(to->directories[to->directory_count], from->directories[to->directory_count],
               TN_DISK_NAME_BYTES);
        to->directory_count++;
    }
    while (to->file_count < from->file_count) {
        to->files = tn_array_grow(to->files, to->file_count, &to->file_capacity, sizeof *to->files);
        memset(&to->files[to->file_count++], 0, sizeof *to->files);
    }
    for (i = 0; i < to->file_count; i++) {
        to->files[i].used = i < from->file_count && from->files[i].used;
        to->files[i].durable.bytes = 0;
        if (to->files[i].used)
            tn_disk_bytes_copy(&to->files[i].durable, &from->files[i].durable);
    }
    tn_disk_names_copy(&to->durable, &from->durable);
    to->bytes_max = from->bytes_max;
}

void tn_disk_image(struct tn_disk *to, const struct tn_disk *from, tn_disk_fate_fn *fate,
                   void *argument)
{
    const struct tn_disk_step *change;
    size_t i, index = 0;

    if (to != from)
        disk_copy_durable(to, from);
    for (i = 0; i < from->change_count; i++) {
        change = &from->changes[i];
        tn_disk_change_apply(to, from, change,
                             change->state == TN_DISK_SYNCED
                                 ? TN_DISK_KEPT
                                 : fate(argument, index++, &change->pending));
    }
    to->change_count = 0;
    to->data.bytes = 0;
    tn_disk_names_copy(&to->now, &to->durable);
    to->bytes = 0;
    for (i = 0; i < to->file_count; i++) {
        to->files[i].held_count = 0;
        tn_disk_bytes_copy(&to->files[i].now, &to->files[i].durable);
        to->bytes += to->files[i].now.bytes;
    }
    tn_disk_files_free_unused(to);
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
