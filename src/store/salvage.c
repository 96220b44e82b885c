/*
 * salvage.c - tarn_salvage: what can be read of a damaged store becomes a new one
 *
 *     survey --catalog--> names: name -> entry        ids: number -> table, or none any more
 *        |                           |                     ^
 *        |                           +--> tables that nobody knows yet
 *        +--entries--> by their number into those tables --> catalog of the new store --> one commit
 *
 * Rules
 *   G1  The directory that is read is never written to; the new one was empty, and is empty again after a
 *       failure.
 *   G2  Numbers that the catalog has, or had and gave up, are known. Entries of others are of tables that are gone
 *       when nothing is lost, as in recover.c; else they may be of one whose catalog entry is lost.
 *   G3  Nothing is in the new store before all of it can be: its one commit is the last step.
 */
#include "store/check.h"
#include "store/durable.h"
#include "store/snapshot.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define NAME_BYTES 64u /* of names that are made up */

struct salvage {
    const struct tn_os *os;
    const char *path, *target;
    tarn_options options;
    tarn_damage_fn *damage;
    void *context;
    tarn_salvage_result *out;
    struct tn_memory memory; /* of the survey */
    struct tn_log_survey *survey;
    tarn_store *store;  /* the new one */
    tarn_table *names;  /* the catalog that was read */
    tarn_table *ids;    /* G2: number, 8 bytes -> tarn_table *; NULL: gone */
    tarn_table *tables; /* not in the new catalog yet: a list by next_gone */
    void *value;        /* of an entry too large to be at hand */
    size_t value_room;
};

static int fail(struct salvage *s, int result, const char *text)
{
    (void)snprintf(s->out->report.text, sizeof s->out->report.text, "%s", text);
    return result;
}

static int store_failed(struct salvage *s, int result)
{
    return fail(s, result, s->store->error_text);
}

static void damage_tell(struct salvage *s, const tarn_damage *damage)
{
    s->out->damage_count += damage->kind != TARN_DAMAGE_HARMLESS;
    s->out->lost_count += damage->kind == TARN_DAMAGE_LOST;
    if (s->damage != NULL)
        s->damage(s->context, damage);
}

/* Whether catalog entries may be among what cannot be read. */
static bool is_lossy(const struct salvage *s)
{
    return s->survey->counts[TARN_DAMAGE_LOST] > 0;
}

/* ---- tables ---------------------------------------------------------------------------------- */

static tarn_table *table_add(struct salvage *s, tarn_bytes name, enum tn_table_role role,
                             const tarn_table_options *options)
{
    tarn_table *table = tn_table_new(s->store, name, role, options);

    if (table == NULL)
        return NULL;
    table->next_gone = s->tables;
    s->tables = table;
    return table;
}

static int id_put(struct salvage *s, uint64_t table_id, tarn_table *table)
{
    int result = tarn_put(s->ids, &table_id, sizeof table_id, &table, sizeof(tarn_table *));

    return result < 0 ? store_failed(s, result) : TARN_OK;
}

/* false: not known (G2). */
static bool id_get(const struct salvage *s, uint64_t table_id, tarn_table **out)
{
    const void *value;
    size_t bytes;

    if (tarn_get(s->ids, &table_id, sizeof table_id, &value, &bytes) != TARN_OK)
        return false;
    memcpy(out, value, sizeof(tarn_table *));
    return true;
}

static int table_refused(struct salvage *s)
{
    return store_failed(s, tn_store_refused(s->store, "tarn_salvage"));
}

/* A name that no table of the catalog has. */
static tarn_bytes name_make(const struct salvage *s, uint64_t table_id, char name[NAME_BYTES])
{
    unsigned again = 1;
    int bytes = snprintf(name, NAME_BYTES, "salvaged-%" PRIu64, table_id);

    while (tarn_contains(s->names, name, (size_t)bytes) == TARN_OK)
        bytes = snprintf(name, NAME_BYTES, "salvaged-%" PRIu64 "-%u", table_id, ++again);
    return (tarn_bytes){ name, (size_t)bytes };
}

static int table_of_nobody(struct salvage *s, uint64_t table_id, tarn_table **out)
{
    static const tarn_table_options defaults;
    char name[NAME_BYTES];

    *out = table_add(s, name_make(s, table_id, name), TN_ROLE_PLAIN, &defaults);
    if (*out == NULL)
        return table_refused(s);
    s->out->named_count++;
    return id_put(s, table_id, *out);
}

/* ---- the catalog ----------------------------------------------------------------------------- */

/* Every number that was ever in it is known, as one of a table that is gone until its name is seen again. */
static int catalog_entry(void *argument, const struct tn_log_entry *entry)
{
    struct salvage *s = argument;
    struct tn_roster_entry decoded;
    const char *why;
    int result;

    if (entry->table_id != TN_LOG_CATALOG_ID)
        return TARN_OK;
    if (entry->kind == TN_LOG_TOMBSTONE)
        result = tarn_delete(s->names, entry->key.data, entry->key.bytes);
    else if (entry->value == NULL)
        return TARN_E_CORRUPT; /* no entry of it is that large */
    else
        result =
            tarn_put(s->names, entry->key.data, entry->key.bytes, entry->value, entry->value_bytes);
    if (result < 0)
        return store_failed(s, result);
    if (entry->kind != TN_LOG_TOMBSTONE &&
        tn_roster_decode(entry->key, (tarn_bytes){ entry->value, entry->value_bytes }, &decoded,
                         &why) == TARN_OK)
        return id_put(s, decoded.table_id, NULL);
    return TARN_OK;
}

static int table_make(struct salvage *s, tarn_bytes name, tarn_bytes entry)
{
    static const tarn_damage damage = {
        .kind = TARN_DAMAGE_LOST,
        .what = "an entry of the catalog does not hold; its table has lost its name",
    };
    struct tn_roster_entry decoded;
    tarn_table *table;
    const char *why;

    if (tn_roster_decode(name, entry, &decoded, &why) != TARN_OK ||
        (id_get(s, decoded.table_id, &table) && table != NULL)) {
        damage_tell(s, &damage);
        return TARN_OK;
    }
    table = table_add(s, name, decoded.role, &decoded.options);
    if (table == NULL)
        return table_refused(s);
    table->is_foreign = decoded.is_foreign;
    return id_put(s, decoded.table_id, table);
}

static int tables_make(struct salvage *s)
{
    tarn_iterator *it;
    tarn_bytes name, entry;
    int result = tarn_scan(&it, s->names, NULL), step;

    if (result < 0)
        return store_failed(s, result);
    while (result == TARN_OK && (step = tarn_next(it, &name, &entry)) != TARN_END)
        result = step < 0 ? store_failed(s, step) : table_make(s, name, entry);
    (void)tarn_iterator_close(it);
    return result;
}

/* ---- entries --------------------------------------------------------------------------------- */

/* A large value is read whole before anything is changed: it may turn out damaged (V4). */
static int value_read(struct salvage *s, const struct tn_log_entry *entry)
{
    void *grown;

    if (entry->value_bytes > s->value_room) {
        grown = tn_memory_resize(&s->memory, s->value, s->value_room, entry->value_bytes);
        if (grown == NULL)
            return fail(s, s->memory.limit_refused ? TARN_E_FULL : TARN_E_MEMORY,
                        "no memory for a large value");
        s->value = grown;
        s->value_room = entry->value_bytes;
    }
    return tn_log_entry_value(entry, s->value);
}

/* An entry that its table does not take, which only a forger can have made. */
static int entry_lose(struct salvage *s, const struct tn_log_entry *entry)
{
    const tarn_damage damage = {
        .kind = TARN_DAMAGE_LOST,
        .file = entry->file,
        .offset = entry->value_offset,
        .bytes = entry->value_bytes,
        .what = "an entry does not fit its table",
    };

    damage_tell(s, &damage);
    return TARN_OK;
}

static int entry_put(struct salvage *s, tarn_table *table, const struct tn_log_entry *entry)
{
    const void *value = entry->value != NULL ? (const void *)entry->value : "";
    int result = TARN_OK;

    if (entry->value == NULL && entry->value_bytes > 0) {
        result = value_read(s, entry);
        value = s->value;
    }
    if (result == TARN_OK)
        result = tarn_put(table, entry->key.data, entry->key.bytes, value, entry->value_bytes);
    else
        return result;
    if (result == TARN_E_TYPE)
        return entry_lose(s, entry);
    return result < 0 ? store_failed(s, result) : TARN_OK;
}

static int table_entry(void *argument, const struct tn_log_entry *entry)
{
    struct salvage *s = argument;
    tarn_table *table = NULL;
    int result = TARN_OK;

    if (entry->table_id == TN_LOG_CATALOG_ID)
        return TARN_OK;
    if (!id_get(s, entry->table_id, &table) && is_lossy(s) && entry->kind != TN_LOG_TOMBSTONE)
        result = table_of_nobody(s, entry->table_id, &table);
    if (result != TARN_OK || table == NULL)
        return result;
    if (entry->kind != TN_LOG_TOMBSTONE)
        return entry_put(s, table, entry);
    result = tarn_delete(table, entry->key.data, entry->key.bytes);
    return result < 0 ? store_failed(s, result) : TARN_OK;
}

/* ---- dictionaries ---------------------------------------------------------------------------- */

static tarn_table *half_find(const struct salvage *s, const tarn_table *codes)
{
    tarn_table *at = s->tables;

    while (at != NULL &&
           (at->role != TN_ROLE_DICT_KEYS || at->name_bytes != codes->name_bytes + 1 ||
            memcmp(at->name, codes->name, codes->name_bytes) != 0))
        at = at->next_gone;
    return at;
}

/* Each key's code has that key, and there are as many: then the codes are 0 to n - 1, all of them. */
static bool halves_agree(const tarn_table *codes, tarn_table *keys)
{
    tarn_iterator *it;
    tarn_bytes key, code, found;
    uint8_t name[8];
    bool agree = tarn_table_count(codes) == tarn_table_count(keys);

    if (tarn_scan(&it, (tarn_table *)codes, NULL) < 0)
        return false;
    while (agree && tarn_next(it, &key, &code) == TARN_OK) {
        uint64_t number = code.bytes == 4 ? tn_load_le32(code.data) : UINT64_MAX;
        unsigned i;

        for (i = 0; i < 8; i++)
            name[i] = (uint8_t)(number >> (56 - 8 * i));
        agree = number < tarn_table_count(keys) &&
                tarn_get(keys, name, sizeof name, &found.data, &found.bytes) == TARN_OK &&
                found.bytes == key.bytes && memcmp(found.data, key.data, key.bytes) == 0;
    }
    (void)tarn_iterator_close(it);
    return agree;
}

/* A half as a table of its own. */
static int half_part(struct salvage *s, tarn_table *half, uint64_t table_id)
{
    const tarn_table_options options = { half->kind, half->type, half->value_bytes };
    char name[NAME_BYTES];
    tarn_table *plain = table_add(s, name_make(s, table_id, name), TN_ROLE_PLAIN, &options);
    tarn_iterator *it;
    tarn_bytes key, value;
    int result;

    if (plain == NULL)
        return table_refused(s);
    s->out->named_count++;
    result = tarn_scan(&it, half, NULL);
    if (result < 0)
        return store_failed(s, result);
    while (result == TARN_OK && (result = tarn_next(it, &key, &value)) == TARN_OK)
        result = tarn_put(plain, key.data, key.bytes, value.data, value.bytes);
    (void)tarn_iterator_close(it);
    return result < 0 ? store_failed(s, result) : TARN_OK;
}

static void table_remove(struct salvage *s, tarn_table *table)
{
    tarn_table **link = &s->tables;

    while (*link != table)
        link = &(*link)->next_gone;
    *link = table->next_gone;
    table->next_gone = NULL;
    tn_table_discard(table);
}

static bool half_is_lonely(const struct salvage *s, const tarn_table *table)
{
    tarn_table *at, *keys;

    if (table->role == TN_ROLE_DICT_CODES) {
        keys = half_find(s, table);
        return keys == NULL || !halves_agree(table, keys);
    }
    for (at = s->tables; at != NULL; at = at->next_gone)
        if (at->role == TN_ROLE_DICT_CODES && half_find(s, at) == table)
            return !halves_agree(at, (tarn_table *)table);
    return true;
}

/* One half without the other is parted, too: so it does not matter which is looked at first. */
static int dictionaries_part(struct salvage *s)
{
    tarn_iterator *it;
    tarn_bytes key, value;
    int result = tarn_scan(&it, s->ids, NULL);

    if (result < 0)
        return store_failed(s, result);
    while (result == TARN_OK && tarn_next(it, &key, &value) == TARN_OK) {
        tarn_table *table;
        uint64_t table_id;

        memcpy(&table_id, key.data, sizeof table_id);
        memcpy(&table, value.data, sizeof table);
        if (table == NULL || table->role == TN_ROLE_PLAIN || !half_is_lonely(s, table))
            continue;
        result = half_part(s, table, table_id);
        if (result == TARN_OK)
            table_remove(s, table);
    }
    (void)tarn_iterator_close(it);
    return result;
}

/* ---- the new store --------------------------------------------------------------------------- */

static int any_name(void *argument, const char *name)
{
    (void)argument;
    (void)name;
    return 1;
}

/* G1 */
static int target_look(struct salvage *s)
{
    int directory = s->os->ops->directory_open(s->os->context, s->target, 0);
    int result;

    if (directory == -ENOENT)
        return TARN_OK;
    if (directory == -ENOTDIR || directory == -ELOOP)
        return fail(s, TARN_E_MISUSE, "the target is not a directory; name a new one");
    if (directory < 0)
        return fail(s, TARN_E_IO, "the target's directory cannot be opened");
    result = s->os->ops->directory_list(s->os->context, directory, any_name, NULL);
    s->os->ops->directory_close(s->os->context, directory);
    if (result < 0)
        return fail(s, TARN_E_IO, "the target's directory cannot be listed");
    if (result > 0)
        return fail(s, TARN_E_MISUSE, "the target is not empty; name a new directory");
    return TARN_OK;
}

struct leftover {
    char names[8][TN_LOG_NAME_BYTES];
    size_t count;
};

static int leftover_note(void *argument, const char *name)
{
    struct leftover *leftover = argument;

    if (tn_log_name_number(name) != 0 && leftover->count < TN_ARRAY_COUNT(leftover->names))
        memcpy(leftover->names[leftover->count++], name, TN_LOG_NAME_BYTES);
    return 0;
}

/* G1: what this call made there, after a failure; as far as that works. */
static void target_empty(const struct salvage *s)
{
    int directory = s->os->ops->directory_open(s->os->context, s->target, 0);
    struct leftover leftover;
    size_t i;

    if (directory < 0)
        return;
    do {
        leftover.count = 0;
        (void)s->os->ops->directory_list(s->os->context, directory, leftover_note, &leftover);
        for (i = 0; i < leftover.count; i++)
            if (s->os->ops->directory_unlink(s->os->context, directory, leftover.names[i]) != 0)
                leftover.count = 0;
    } while (leftover.count > 0);
    s->os->ops->directory_close(s->os->context, directory);
}

static int target_open(struct salvage *s)
{
    static const tarn_table_options unordered = { TARN_UNORDERED, TARN_ANY, 0 };
    tarn_report report;
    int result;

    s->options.report = &report;
    result = tn_store_open(&s->store, s->target, &s->options, s->os);
    if (result != TARN_OK)
        return fail(s, result, report.text);
    if (s->store->commit_number != 0) { /* made since it was looked at, by somebody else */
        (void)tarn_close(s->store);
        s->store = NULL;
        return fail(s, TARN_E_MISUSE, "the target is not empty; name a new directory");
    }
    s->names = tn_table_new(s->store, (tarn_bytes){ "", 0 }, TN_ROLE_PLAIN, &unordered);
    s->ids = tn_table_new(s->store, (tarn_bytes){ "", 0 }, TN_ROLE_PLAIN, &unordered);
    return s->names != NULL && s->ids != NULL ? TARN_OK : table_refused(s);
}

static int target_fill(struct salvage *s)
{
    int result = tn_log_survey_replay(s->survey, true, catalog_entry, s);

    if (result == TARN_OK)
        result = tables_make(s);
    if (result == TARN_OK)
        result = tn_log_survey_replay(s->survey, false, table_entry, s);
    if (result == TARN_OK && is_lossy(s))
        result = dictionaries_part(s);
    return result;
}

static void scaffolding_remove(struct salvage *s)
{
    if (s->names != NULL)
        tn_table_discard(s->names);
    if (s->ids != NULL)
        tn_table_discard(s->ids);
    s->names = s->ids = NULL;
}

/* G3 */
static int target_publish(struct salvage *s)
{
    tarn_statistics statistics;
    tarn_table *table;
    tarn_bytes note;
    int result;

    while ((table = s->tables) != NULL) {
        s->tables = table->next_gone;
        table->next_gone = NULL;
        if (!tn_catalog_add(s->store, table)) {
            tn_table_discard(table);
            return table_refused(s);
        }
    }
    result = tn_log_survey_note(s->survey, &s->out->report.commit_number, &note);
    if (result != TARN_OK)
        return fail(s, result, "no memory for the note");
    result = tarn_commit(s->store, note.data, note.bytes, TARN_SYNC);
    if (result < 0)
        return store_failed(s, result);
    (void)tarn_stat(s->store, &statistics);
    s->out->table_count = statistics.table_count;
    s->out->entry_count = statistics.entry_count;
    return TARN_OK;
}

/* ---- the call -------------------------------------------------------------------------------- */

static int source_survey(struct salvage *s)
{
    const struct tn_log_options options = { .hash_version = TN_HASH_VERSION };
    struct tn_log_report report;
    size_t i;
    int result;

    tn_survey_memory(&s->memory, &s->options);
    result = tn_log_survey_open(&s->survey, s->os, &s->memory, s->path, &options, &report);
    s->out->report.is_missing = report.no_store;
    s->out->report.dropped_bytes = report.dropped_bytes;
    s->out->report.dropped_file = report.dropped_file;
    s->out->report.dropped_offset = report.dropped_offset;
    (void)fail(s, result, report.text);
    if (result != TARN_OK)
        return result == TARN_E_MEMORY && s->memory.limit_refused ? TARN_E_FULL : result;
    for (i = 0; i < s->survey->damage_count; i++)
        damage_tell(s, &s->survey->damages[i]);
    return s->survey->result != TARN_OK && s->survey->scan.count == 0 ? TARN_E_CORRUPT : TARN_OK;
}

/* Everything but the survey's. */
static int target_end(struct salvage *s, int result)
{
    int closed;

    while (s->tables != NULL)
        table_remove(s, s->tables);
    scaffolding_remove(s);
    closed = tarn_close(s->store);
    if (result == TARN_OK && closed < 0)
        result = fail(s, closed, "the new store could not be closed");
    if (result != TARN_OK)
        target_empty(s);
    return result;
}

static int salvage(struct salvage *s)
{
    int result = target_look(s);

    if (result == TARN_OK)
        result = source_survey(s);
    if (result != TARN_OK)
        return result;
    result = target_open(s);
    if (s->store == NULL)
        return result;
    if (result == TARN_OK)
        result = target_fill(s);
    if (result == TARN_OK)
        result = target_publish(s);
    return target_end(s, result);
}

int tn_store_salvage(const char *path, const char *target, const tarn_options *options,
                     tarn_damage_fn *damage, void *context, tarn_salvage_result *out,
                     const struct tn_os *os)
{
    static const tarn_options defaults;
    tarn_salvage_result unwanted = { 0 };
    struct salvage s = {
        .os = os, .path = path, .target = target, .damage = damage, .context = context
    };
    int result;

    s.out = out != NULL ? out : &unwanted;
    *s.out = (tarn_salvage_result){ 0 };
    if (path == NULL || target == NULL)
        return TARN_E_MISUSE;
    s.options = options != NULL ? *options : defaults;
    s.options.flags = 0;
    s.options.progress = NULL;
    result = salvage(&s);
    tn_log_survey_close(s.survey);
    if (s.value != NULL)
        tn_memory_free(&s.memory, s.value, s.value_room);
    return result;
}

int tarn_salvage(const char *directory, const char *target, const tarn_options *options,
                 tarn_damage_fn *damage, void *context, tarn_salvage_result *out)
{
    return tn_store_salvage(directory, target, options, damage, context, out, &tn_os_posix);
}
