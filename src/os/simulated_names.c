/*
 * simulated_names.c - names of files, now or durable; see simulated_names.h for the rules
 */
#include "os/simulated_names.h"
#include "os/simulated_growth.h"

struct tn_disk_name *tn_disk_names_find(const struct tn_disk_names *names, int directory,
                                        const char *name)
{
    size_t i;

    for (i = 0; i < names->count; i++)
        if (names->items[i].directory == directory && strcmp(names->items[i].name, name) == 0)
            return &names->items[i];
    return NULL;
}

static void names_remove(struct tn_disk_names *names, int directory, const char *name)
{
    struct tn_disk_name *item = tn_disk_names_find(names, directory, name);

    if (item != NULL)
        *item = names->items[--names->count];
}

static void names_set(struct tn_disk_names *names, int directory, const char *name, int file)
{
    struct tn_disk_name *item = tn_disk_names_find(names, directory, name);

    if (item == NULL) {
        names->items =
            tn_array_grow(names->items, names->count, &names->capacity, sizeof *names->items);
        item = &names->items[names->count++];
        item->directory = directory;
        memcpy(item->name, name, strlen(name) + 1);
    }
    item->file = file;
}

void tn_disk_names_copy(struct tn_disk_names *to, const struct tn_disk_names *from)
{
    to->count = 0;
    while (to->count < from->count) {
        to->items = tn_array_grow(to->items, to->count, &to->capacity, sizeof *to->items);
        to->items[to->count] = from->items[to->count];
        to->count++;
    }
}

bool tn_disk_names_have_file(const struct tn_disk_names *names, int file)
{
    size_t i;

    for (i = 0; i < names->count; i++)
        if (names->items[i].file == file)
            return true;
    return false;
}

void tn_disk_names_apply(struct tn_disk_names *names, const struct tn_disk_pending *change)
{
    struct tn_disk_name *old = tn_disk_names_find(names, change->directory, change->name);

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
