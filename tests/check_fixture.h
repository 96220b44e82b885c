/*
 * check_fixture.h - a store "d" on a simulated system, to be checked and salvaged
 */
#ifndef CHECK_FIXTURE_H
#define CHECK_FIXTURE_H

#include "allocator.h"
#include "test.h"

#include "base/bytes.h"
#include "base/checksum.h"
#include "os/simulated.h"
#include "store/check.h"

#include <errno.h>

struct world {
    struct tn_simulated *system;
    struct tn_os os;
    struct allocator allocator;
    tarn_options options;
    tarn_store *store;
    tarn_check_result checked;
    tarn_salvage_result salvaged;
    uint64_t heard[TARN_DAMAGE_KIND_COUNT];
    tarn_damage last;
};

static inline void hear(void *context, const tarn_damage *damage)
{
    struct world *w = context;

    check(damage->what != NULL && damage->what[0] != '\0');
    check(damage->kind >= 0 && damage->kind < TARN_DAMAGE_KIND_COUNT);
    w->heard[damage->kind]++;
    w->last = *damage;
}

static inline void world_begin(struct world *w)
{
    memset(w, 0, sizeof *w);
    w->system = tn_simulated_new(NULL);
    w->os = tn_simulated_os(w->system);
    w->options.address_bytes = 64 << 20;
}

static inline void world_end(struct world *w)
{
    tn_simulated_free(w->system);
}

static inline int open_at(struct world *w, const char *path, unsigned flags)
{
    tarn_options options = w->options;

    options.flags = flags;
    return tn_store_open(&w->store, path, &options, &w->os);
}

static inline void put_text(tarn_store *store, const char *name, const tarn_table_options *options,
                            const char *key, const char *value)
{
    tarn_table *table = NULL;

    check_ok(tarn_table_open(&table, store, name, options));
    check_ok(tarn_put(table, key, strlen(key), value, strlen(value)));
}

static inline int do_check(struct world *w)
{
    memset(w->heard, 0, sizeof w->heard);
    return tn_store_check("d", &w->options, hear, w, &w->checked, &w->os);
}

static inline int do_salvage(struct world *w, const char *target)
{
    memset(w->heard, 0, sizeof w->heard);
    return tn_store_salvage("d", target, &w->options, hear, w, &w->salvaged, &w->os);
}

static inline tarn_bytes value_of(tarn_store *store, const char *name, const char *key)
{
    tarn_table *table;
    tarn_bytes value = { NULL, 0 };

    if (tarn_table_open(&table, store, name, NULL) == TARN_OK)
        (void)tarn_get(table, key, strlen(key), &value.data, &value.bytes);
    return value;
}

#define check_value(store, table, key, text)                                                       \
    check_bytes(value_of((store), (table), (key)).data, value_of((store), (table), (key)).bytes,   \
                (text), strlen(text))

static inline int file_of(struct world *w, const char *path, uint64_t number)
{
    struct tn_disk *disk = tn_simulated_disk(w->system);
    char name[32];

    snprintf(name, sizeof name, "%016" PRIx64 ".tarn", number);
    return tn_disk_file_find(disk, tn_disk_directory_find(disk, path), name);
}

static inline uint64_t file_bytes(struct world *w)
{
    uint64_t bytes = 0;

    (void)tn_disk_file_data(tn_simulated_disk(w->system), file_of(w, "d", 1), &bytes);
    return bytes;
}

static inline void flip(struct world *w, uint64_t offset, unsigned bit)
{
    struct tn_disk *disk = tn_simulated_disk(w->system);
    uint64_t bytes;
    int file = file_of(w, "d", 1);
    uint8_t byte = (uint8_t)(tn_disk_file_data(disk, file, &bytes)[offset] ^ 1u << bit);

    check_ok(tn_disk_file_write(disk, file, &byte, 1, offset));
    tn_disk_file_sync(disk, file);
}

/* Names in a directory; -1: there is none. */
static inline int names_in(struct world *w, const char *path)
{
    struct tn_disk *disk = tn_simulated_disk(w->system);
    int directory = tn_disk_directory_find(disk, path), count = 0;

    while (directory >= 0 && tn_disk_name(disk, directory, (size_t)count) != NULL)
        count++;
    return directory < 0 ? -1 : count;
}

/* An empty target again. */
static inline void target_remove(struct world *w, const char *path)
{
    struct tn_disk *disk = tn_simulated_disk(w->system);
    int directory = tn_disk_directory_find(disk, path);

    while (directory >= 0 && tn_disk_name(disk, directory, 0) != NULL)
        check_ok(tn_disk_unlink(disk, directory, tn_disk_name(disk, directory, 0)));
}

#endif
