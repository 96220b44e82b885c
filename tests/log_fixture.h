/*
 * log_fixture.h - a log on a simulated system, and what it should hold
 *
 *     struct rig r;                   one simulated system, one directory, a log or none
 *     rig_init(&r, NULL);
 *     check_ok(rig_open(&r));         open, replay into r.seen, start
 *     rig_put(&r, "a", "1");          kept for the next commit
 *     check_ok(rig_commit(&r, RIG_SYNC));
 *     check_eq(rig_close(&r, true), TARN_OK);
 *     rig_end(&r);
 *
 * The fixture is the simplest store there can be: a sorted list of entries of table 1. Each commit
 * writes what changed, and sweeps `sweep_count` entries behind its cursor, whose position is a
 * key's place in the order of first letters.
 */
#ifndef LOG_FIXTURE_H
#define LOG_FIXTURE_H

#include "allocator.h"
#include "log/log.h"
#include "os/simulated.h"
#include "test.h"

#include <tarn.h>

#define RIG_PATH "store"
#define RIG_KEYS 64
#define RIG_SYNC true
#define RIG_NO_SYNC false

/* Key number i has a value, of bytes that follow from a seed; seed 0: there is no such key. */
struct rig_state {
    uint64_t seeds[RIG_KEYS];
    size_t sizes[RIG_KEYS];
};

struct rig {
    struct tn_simulated *simulated;
    struct tn_os os;
    struct tn_memory memory;
    struct allocator allocator;
    const char *path;
    struct tn_log_options options;
    struct tn_log_report report;
    struct tn_log *log;
    uint8_t secret[TN_LOG_SECRET_BYTES];
    struct rig_state state; /* as the store is now */
    bool changed[RIG_KEYS]; /* since the last commit */
    size_t sweep_count;     /* keys swept per commit */
    uint64_t live_bytes;
    uint8_t *scratch;
    size_t scratch_bytes;
    uint64_t entries_seen; /* by the last replay */
    char note[64];
};

static inline void rig_value(uint8_t *to, uint64_t seed, size_t bytes)
{
    uint64_t state = seed;
    size_t i;

    for (i = 0; i < bytes; i++)
        to[i] = (uint8_t)(i % 8 == 0 ? test_random(&state) : state >> (i % 8 * 8));
}

static inline void rig_init(struct rig *r, const struct tn_simulated_options *options)
{
    *r = (struct rig){ .path = RIG_PATH, .sweep_count = 4 };
    r->simulated = tn_simulated_new(options);
    r->os = tn_simulated_os(r->simulated);
    r->allocator.refuse_at = UINT64_MAX;
    tn_memory_init(&r->memory, allocator_call, &r->allocator, 0);
    r->options = (struct tn_log_options){ .create = true, .hash_version = 1 };
    memset(r->secret, 0x5E, sizeof r->secret);
}

static inline void rig_end(struct rig *r)
{
    (void)tn_log_close(r->log, false);
    free(r->scratch);
    check_eq(r->memory.counted_bytes, 0);
    check_eq(r->allocator.live_bytes, 0);
    check(!r->allocator.size_was_wrong);
    tn_simulated_free(r->simulated);
}

static inline uint8_t *rig_scratch(struct rig *r, size_t bytes)
{
    if (bytes > r->scratch_bytes) {
        r->scratch = realloc(r->scratch, bytes);
        r->scratch_bytes = bytes;
    }
    return r->scratch;
}

/* The value says what it was made from: its first 8 bytes are the seed, the rest follows from it. */
static inline int rig_one(void *argument, const struct tn_log_entry *entry)
{
    struct rig *r = argument;
    uint8_t *value = rig_scratch(r, 2 * (size_t)entry->value_bytes + 8), *expected;
    uint64_t seed = 0;
    uint8_t key;
    int result;

    r->entries_seen++;
    check_eq(entry->table_id, 1);
    check_eq(entry->key.bytes, 1);
    key = *(const uint8_t *)entry->key.data;
    check(key < RIG_KEYS);
    result = tn_log_entry_value(entry, value);
    if (key >= RIG_KEYS || result != TARN_OK)
        return result != TARN_OK ? result : TARN_E_CORRUPT;
    r->state.seeds[key] = 0;
    r->state.sizes[key] = 0;
    if (entry->kind == TN_LOG_TOMBSTONE)
        return TARN_OK;
    check(entry->value_bytes >= 8);
    memcpy(&seed, value, 8);
    expected = value + entry->value_bytes;
    rig_value(expected, seed, entry->value_bytes - 8);
    check_bytes(value + 8, entry->value_bytes - 8, expected, entry->value_bytes - 8);
    r->state.seeds[key] = seed;
    r->state.sizes[key] = entry->value_bytes;
    return TARN_OK;
}

static inline int rig_each(void *argument, const struct tn_log_entry *entries, size_t count)
{
    int result = TARN_OK;
    size_t i;

    for (i = 0; i < count && result == TARN_OK; i++)
        result = rig_one(argument, &entries[i]);
    return result;
}

/* Open and replay; the log stays open only when that went well. */
static inline int rig_read(struct rig *r)
{
    int result =
        tn_log_open(&r->log, &r->os, &r->memory, r->path, &r->options, r->secret, &r->report);

    memset(&r->state, 0, sizeof r->state);
    memset(r->changed, 0, sizeof r->changed);
    r->entries_seen = 0;
    check((result == TARN_OK) == (r->log != NULL));
    if (result == TARN_OK)
        result = tn_log_replay(r->log, false, rig_each, r, NULL, NULL, &r->report);
    if (result != TARN_OK && r->log != NULL) {
        (void)tn_log_close(r->log, false);
        r->log = NULL;
    }
    return result;
}

static inline int rig_open(struct rig *r)
{
    int result = rig_read(r);

    if (result != TARN_OK)
        return result;
    result = tn_log_start(r->log, &r->report);
    if (result != TARN_OK) {
        (void)tn_log_close(r->log, false);
        r->log = NULL;
    }
    return result;
}

static inline int rig_close(struct rig *r, bool mark)
{
    int result = tn_log_close(r->log, mark);

    r->log = NULL;
    return result;
}

/* seed 0 removes. */
static inline void rig_put(struct rig *r, unsigned key, uint64_t seed, size_t bytes)
{
    r->state.seeds[key] = seed;
    r->state.sizes[key] = seed != 0 ? bytes + 8 : 0;
    r->changed[key] = true;
}

static inline int rig_add(struct rig *r, enum tn_log_part part, unsigned key)
{
    uint8_t name = (uint8_t)key;
    size_t bytes = part == TN_LOG_TOMBSTONES ? 0 : r->state.sizes[key];
    uint8_t *value = rig_scratch(r, bytes + 8);

    if (bytes != 0) {
        memcpy(value, &r->state.seeds[key], 8);
        rig_value(value + 8, r->state.seeds[key], bytes - 8);
    }
    return tn_log_add(r->log, part, 1, (tarn_bytes){ &name, 1 }, (tarn_bytes){ value, bytes });
}

/* The delta or the tombstones. */
static inline int rig_add_changed(struct rig *r, enum tn_log_part part)
{
    int result = TARN_OK;
    unsigned key;

    for (key = 0; key < RIG_KEYS && result == TARN_OK; key++)
        if (r->changed[key] && (r->state.seeds[key] == 0) == (part == TN_LOG_TOMBSTONES))
            result = rig_add(r, part, key);
    return result;
}

/* Behind the cursor; what changed is not swept (C1 of the model). */
static inline int rig_sweep(struct rig *r, struct tn_log_cursor *cursor)
{
    size_t left = r->sweep_count;
    int result = TARN_OK;
    unsigned key;

    for (; left > 0 && result == TARN_OK; left--) {
        if (cursor->position >= RIG_KEYS)
            *cursor = (struct tn_log_cursor){ .revolution = cursor->revolution + 1 };
        key = (unsigned)cursor->position++;
        cursor->table_id = 1;
        if (r->state.seeds[key] != 0 && !r->changed[key])
            result = rig_add(r, TN_LOG_SWEEP, key);
    }
    return result;
}

static inline uint64_t rig_changed_bytes(const struct rig *r)
{
    uint64_t bytes = 512;
    unsigned key;

    for (key = 0; key < RIG_KEYS; key++)
        bytes += r->changed[key] ? 32 + r->state.sizes[key] : 0;
    return bytes;
}

/* Delta, tombstones, sweep, and a note that names the commit. Abandons what fails. */
static inline int rig_commit(struct rig *r, bool sync)
{
    const struct tn_log_commit *last = tn_log_last(r->log);
    struct tn_log_commit commit = {
        .number = last->number + 1,
        .tick = last->tick + 2,
        .next_table_id = 2,
        .cursor = last->cursor,
    };
    char note[64];
    int result = tn_log_begin(r->log, rig_changed_bytes(r), r->live_bytes);

    if (!tn_log_cursor_holds(r->log))
        commit.cursor = (struct tn_log_cursor){ .revolution = last->cursor.revolution + 1 };
    snprintf(note, sizeof note, "note %d", (int)commit.number);
    commit.note = (tarn_bytes){ note, strlen(note) };
    if (result == TARN_OK)
        result = rig_add_changed(r, TN_LOG_DELTA);
    if (result == TARN_OK)
        result = rig_add_changed(r, TN_LOG_TOMBSTONES);
    if (result == TARN_OK)
        result = rig_sweep(r, &commit.cursor);
    if (result == TARN_OK)
        result = tn_log_end(r->log, &commit);
    if (result != TARN_OK) {
        tn_log_abandon(r->log);
        return result;
    }
    memset(r->changed, 0, sizeof r->changed);
    return sync ? tn_log_sync(r->log) : TARN_OK;
}

/* One key changed, one commit: the usual thing. */
static inline int rig_step(struct rig *r, unsigned key, uint64_t seed, bool sync)
{
    rig_put(r, key, seed, 24);
    return rig_commit(r, sync);
}

static inline bool rig_note_is(struct rig *r, uint64_t number)
{
    const struct tn_log_commit *last = tn_log_last(r->log);
    char note[64];

    snprintf(note, sizeof note, "note %d", (int)number);
    return last->number == number &&
           (number == 0 ||
            (last->note.bytes == strlen(note) && memcmp(last->note.data, note, strlen(note)) == 0));
}

/* kill -9: what was written is there. The log of before is torn down after, when nothing works. */
static inline void rig_kill(struct rig *r)
{
    tn_simulated_crash_at(r->simulated, 0);
    (void)tn_log_close(r->log, false);
    r->log = NULL;
    tn_simulated_restart_process(r->simulated);
}

static inline void rig_lose_power(struct rig *r, tn_disk_fate_fn *fate, void *argument)
{
    tn_simulated_crash_at(r->simulated, 0);
    (void)tn_log_close(r->log, false);
    r->log = NULL;
    tn_simulated_restart_with(r->simulated, fate, argument);
}

/* ---- files ----------------------------------------------------------------------------------- */

static inline void rig_file_name(char name[32], unsigned number)
{
    snprintf(name, 32, "%016x.tarn", number);
}

/* Of the disk; negative: there is no such file. */
static inline int rig_file(const struct rig *r, unsigned number)
{
    struct tn_disk *disk = tn_simulated_disk(r->simulated);
    int directory = tn_disk_directory_find(disk, RIG_PATH);
    char name[32];

    rig_file_name(name, number);
    return directory < 0 ? directory : tn_disk_file_find(disk, directory, name);
}

static inline uint64_t rig_file_bytes(const struct rig *r, unsigned number)
{
    uint64_t bytes = 0;
    int file = rig_file(r, number);

    if (file >= 0)
        (void)tn_disk_file_data(tn_simulated_disk(r->simulated), file, &bytes);
    return bytes;
}

/* Some bytes of a file change, on the disk itself. */
static inline void rig_damage(struct rig *r, unsigned number, uint64_t offset, const void *bytes,
                              size_t count)
{
    struct tn_disk *disk = tn_simulated_disk(r->simulated);
    int file = rig_file(r, number);

    check(file >= 0);
    check_ok(tn_disk_file_write(disk, file, bytes, count, offset));
    tn_disk_file_sync(disk, file);
}

static inline void rig_flip(struct rig *r, unsigned number, uint64_t offset, unsigned bit)
{
    uint64_t bytes;
    const uint8_t *data =
        tn_disk_file_data(tn_simulated_disk(r->simulated), rig_file(r, number), &bytes);
    uint8_t byte = 0;

    if (offset < bytes)
        byte = (uint8_t)(data[offset] ^ 1u << bit);

    check(offset < bytes);
    rig_damage(r, number, offset, &byte, 1);
}

#endif
