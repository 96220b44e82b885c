/*
 * import.c - tables and entries read from an export, all of them or none; see export.h
 *
 *     block --checked--> table, entries --> tables known nowhere --end of input--> catalog
 *                              `-- damage, a limit, a failed read --> garbage
 */
#include "store/export.h"
#include "store/snapshot.h"
#include "store/write.h"

#define CALL "tarn_import"

/* X3: memory taken for a value before it has come; room in the index, by entries that have. */
#define IMPORT_AHEAD_BYTES ((size_t)1 << 20)
#define IMPORT_AHEAD_FACTOR 4u
#define IMPORT_AHEAD_ENTRIES 4096u

#define DICT_KEY_BYTES sizeof(uint64_t)

struct importer {
    tarn_store *store;
    struct tn_block_reader in;
    tarn_table *last;     /* of those that came, which are chained by next_gone, the newest first */
    uint64_t entry_count; /* that `last` is said to have */
    uint64_t entry_bytes;
    tn_handle last_handle;   /* of the entry that came last, in `last` */
    const uint8_t *next_key; /* of the entry behind the one at hand, when its hash is known */
    uint64_t next_hash;
    uint8_t *scratch; /* SCRATCH_BYTES: of what lies in two blocks */
};

#define SCRATCH_BYTES ((size_t)TARN_KEY_BYTES_MAX)

static int import_fail(struct importer *im, const char *reason)
{
    return tn_blocks_fail(&im->in, TARN_E_CORRUPT, "%s: this export was not made by tarn", reason);
}

/* `count` bytes, at most SCRATCH_BYTES: where they lie, or together in the scratch. */
static int take_together(struct importer *im, size_t count, const uint8_t **out)
{
    *out = tn_blocks_lend(&im->in, count);
    if (TN_LIKELY(*out != NULL))
        return TARN_OK;
    *out = im->scratch;
    return tn_blocks_take(&im->in, im->scratch, count);
}

/* ---- dictionaries (X4) ----------------------------------------------------------------------- */

/* Whether a table of that role may follow the last one. */
static bool role_may_follow(const struct importer *im, enum tn_table_role role, tarn_bytes name,
                            uint64_t entry_count)
{
    const tarn_table *codes = im->last;
    bool awaited = codes != NULL && codes->role == TN_ROLE_DICT_CODES;

    if (role != TN_ROLE_DICT_KEYS)
        return !awaited;
    return awaited && name.bytes == codes->name_bytes + 1 &&
           memcmp(name.data, codes->name, codes->name_bytes) == 0 &&
           entry_count == codes->index.entry_count;
}

/* Shapes as dict.c makes them. */
static bool shape_fits(enum tn_table_role role, const tarn_table_options *options)
{
    return role == TN_ROLE_PLAIN ||
           (options->kind == TARN_UNORDERED &&
            options->type == (role == TN_ROLE_DICT_CODES ? TARN_U32 : TARN_ANY));
}

/* Whether the entry that came last, code to key, is the other way round in the table before. */
static bool code_is_known(const struct importer *im)
{
    struct tn_record *record = tn_record_at(im->last->base, im->last_handle);
    tarn_table *codes = im->last->next_gone;
    tarn_bytes key = tn_record_value_of(record);
    struct tn_lookup lookup;
    uint64_t code;

    if (tn_record_key_bytes(record) != DICT_KEY_BYTES || key.bytes > TARN_KEY_BYTES_MAX ||
        tn_table_find(codes, key.data, key.bytes, &lookup) == TN_HANDLE_NONE)
        return false;
    code = tn_load_be64(tn_record_key(record));
    return code < codes->index.entry_count &&
           code == tn_load_le32(tn_record_value(tn_record_at(codes->base, lookup.handle)));
}

/* ---- one entry ahead ------------------------------------------------------------------------- */

static uint64_t key_hash(const struct importer *im, const uint8_t *key, size_t key_bytes)
{
    return key == im->next_key ? im->next_hash : tn_hash(&im->last->secret, key, key_bytes);
}

/* Have the bucket of the entry behind this value fetched, if its key lies in the block at hand. */
static void next_fetch(struct importer *im, size_t value_bytes)
{
    const uint8_t *at = im->in.next;
    size_t left = (size_t)(im->in.end - at), key_bytes;

    im->next_key = NULL;
    if (left < TN_EXPORT_ENTRY_BYTES || value_bytes > left - TN_EXPORT_ENTRY_BYTES)
        return;
    at += value_bytes;
    left -= value_bytes + TN_EXPORT_ENTRY_BYTES;
    key_bytes = (size_t)(at[0] | at[1] << 8);
    if (key_bytes > left)
        return;
    im->next_key = at + TN_EXPORT_ENTRY_BYTES;
    im->next_hash = tn_hash(&im->last->secret, im->next_key, key_bytes);
    (void)tn_index_prefetch(&im->last->index, im->next_hash);
}

/* ---- one entry ------------------------------------------------------------------------------- */

/* The key is new: greater than the last, or not there. */
static bool key_is_new(const struct importer *im, uint64_t hash, tarn_bytes key)
{
    const tarn_table *table = im->last;
    struct tn_index_place place;
    struct tn_record *last;

    if (table->ordered == NULL)
        return tn_index_find(&table->index, table->base, hash, key.data, key.bytes, &place) ==
               TN_HANDLE_NONE;
    if (im->last_handle == TN_HANDLE_NONE)
        return true;
    last = tn_record_at(table->base, im->last_handle);
    return tn_key_compare(key.data, key.bytes, tn_record_key(last), tn_record_key_bytes(last)) > 0;
}

/* All that inserting the key needs (T1). TN_HANDLE_NONE: refused. */
static tn_handle entry_reserve(tarn_table *table, uint64_t hash, tarn_bytes key, size_t room_bytes,
                               struct tn_index_place *place)
{
    if ((table->ordered != NULL && !tn_ordered_reserve(table->ordered, key.data, key.bytes)) ||
        !tn_index_reserve(&table->index, hash, place))
        return TN_HANDLE_NONE;
    return tn_heap_allocate(&table->store->heap, &table->body->owner,
                            tn_record_bytes(key.bytes, room_bytes));
}

/* The record in a slot with room for more of its value. TN_HANDLE_NONE: refused. */
static tn_handle record_grow(tarn_table *table, tn_handle old, size_t done_bytes, size_t room_bytes)
{
    struct tn_record *from = tn_record_at(table->base, old), *to;
    size_t head_bytes = (size_t)(tn_record_value(from) - (uint8_t *)from);
    struct tn_heap *heap = &table->store->heap;
    tn_handle grown = tn_heap_allocate(heap, &table->body->owner, head_bytes + room_bytes);

    if (grown == TN_HANDLE_NONE && tn_store_reclaim_all(table->store))
        grown = tn_heap_allocate(heap, &table->body->owner, head_bytes + room_bytes);
    if (grown == TN_HANDLE_NONE)
        return TN_HANDLE_NONE;
    to = tn_record_at(table->base, grown);
    memcpy(to, from, head_bytes + done_bytes);
    tn_heap_free(heap, &table->body->owner, old);
    return grown;
}

/* A value longer than IMPORT_AHEAD_BYTES: room for as much again as has come, until all has. */
static int value_take_long(struct importer *im, tn_handle *handle, size_t value_bytes)
{
    size_t done = 0, room = IMPORT_AHEAD_BYTES;
    tarn_table *table = im->last;
    int result;

    for (;;) {
        uint8_t *value = tn_record_value(tn_record_at(table->base, *handle));

        result = tn_blocks_take(&im->in, value + done, room - done);
        if (result < 0 || room == value_bytes)
            return result;
        done = room;
        room = tn_min(2 * room, value_bytes);
        *handle = record_grow(table, *handle, done, room);
        if (*handle == TN_HANDLE_NONE)
            return tn_store_refused(im->store, CALL);
    }
}

static int value_take(struct importer *im, tn_handle *handle, size_t value_bytes)
{
    uint8_t *value = tn_record_value(tn_record_at(im->last->base, *handle));
    const uint8_t *lent;

    if (TN_UNLIKELY(value_bytes > IMPORT_AHEAD_BYTES))
        return value_take_long(im, handle, value_bytes);
    lent = tn_blocks_lend(&im->in, value_bytes);
    if (TN_UNLIKELY(lent == NULL))
        return tn_blocks_take(&im->in, value, value_bytes);
    memcpy(value, lent, value_bytes);
    return TARN_OK;
}

/* The key is known, the value is next. What fails leaves the table fit to be discarded. */
static int entry_insert(struct importer *im, tarn_bytes key, size_t value_bytes)
{
    size_t room_bytes = tn_min(value_bytes, IMPORT_AHEAD_BYTES);
    tarn_table *table = im->last;
    uint64_t hash = key_hash(im, key.data, key.bytes);
    struct tn_index_place place;
    tn_handle handle;
    int result;

    next_fetch(im, value_bytes);
    if (!key_is_new(im, hash, key))
        return import_fail(im,
                           table->ordered != NULL ? "keys are not ascending" : "a key comes twice");
    handle = entry_reserve(table, hash, key, room_bytes, &place);
    if (TN_UNLIKELY(handle == TN_HANDLE_NONE) && tn_store_reclaim_all(im->store))
        handle = entry_reserve(table, hash, key, room_bytes, &place);
    if (TN_UNLIKELY(handle == TN_HANDLE_NONE))
        return tn_store_refused(im->store, CALL);
    tn_record_write_head(tn_record_at(table->base, handle), im->store->tick, key.data, key.bytes,
                         value_bytes);
    table->key_bytes_max = tn_max(table->key_bytes_max, key.bytes);
    table->entry_bytes += key.bytes + value_bytes;
    result = value_take(im, &handle, value_bytes); /* ends what `key` lies in */
    if (result < 0)
        return result;
    tn_index_insert(&table->index, place, hash, handle);
    if (table->ordered != NULL)
        tn_ordered_insert(table->ordered, handle);
    if (TN_UNLIKELY(tn_index_is_moving(&table->index) || tn_store_has_garbage(im->store)))
        tn_write_upkeep_due(table); /* T5 */
    im->last_handle = handle;
    return TARN_OK;
}

static int entry_read(struct importer *im)
{
    const uint8_t *head, *key;
    size_t key_bytes, value_bytes;
    int result = take_together(im, TN_EXPORT_ENTRY_BYTES, &head);

    if (result < 0)
        return result;
    key_bytes = (size_t)(head[0] | head[1] << 8);
    value_bytes = tn_load_le32(head + 2);
    if (!tn_table_takes(im->last, value_bytes))
        return import_fail(im, "a value has another size than its table's type");
    result = take_together(im, key_bytes, &key);
    if (result < 0)
        return result;
    result = entry_insert(im, (tarn_bytes){ key, key_bytes }, value_bytes);
    if (result < 0)
        return result;
    if (im->last->role == TN_ROLE_DICT_KEYS && !code_is_known(im))
        return import_fail(im, "the codes and keys of a dictionary contradict each other");
    return TARN_OK;
}

/* ---- one table ------------------------------------------------------------------------------- */

static int table_new(struct importer *im, tarn_bytes name, enum tn_table_role role,
                     const tarn_table_options *options)
{
    tarn_table *table = tn_table_new(im->store, name, role, options);

    if (table == NULL && tn_store_reclaim_all(im->store))
        table = tn_table_new(im->store, name, role, options);
    if (table == NULL)
        return tn_store_refused(im->store, CALL);
    table->next_gone = im->last;
    im->last = table;
    im->last_handle = TN_HANDLE_NONE;
    im->next_key = NULL; /* what lay behind the last entry was no entry */
    return TARN_OK;
}

/* Which table is next: it may come, and there is none of its name. */
static int table_check(struct importer *im, tarn_bytes name, enum tn_table_role role,
                       const tarn_table_options *options)
{
    tarn_bytes last = im->last != NULL ? tn_table_name(im->last) : (tarn_bytes){ 0 };

    if (!tn_name_fits(role, name) || !shape_fits(role, options) ||
        !role_may_follow(im, role, name, im->entry_count))
        return import_fail(im, "a table is not what its role asks for");
    if (tn_key_compare(name.data, name.bytes, last.data, last.bytes) <= 0)
        return import_fail(im, "tables are not in the order of their names");
    if (tn_catalog_find(im->store, name) != NULL)
        return tn_store_fail(im->store, TARN_E_MISUSE,
                             CALL ": the store has a table '%.*s' already; drop it, or import into "
                                  "another store; nothing was imported",
                             (int)name.bytes, (const char *)name.data);
    return TARN_OK;
}

static int table_head_read(struct importer *im)
{
    uint8_t head[TN_EXPORT_TABLE_BYTES];
    tarn_table_options options;
    uint32_t value_bytes, name_bytes;
    const uint8_t *name_at;
    tarn_bytes name;
    int result = tn_blocks_take(&im->in, head, sizeof head);

    if (result < 0)
        return result;
    value_bytes = tn_load_le32(head + 4);
    name_bytes = tn_load_le32(head + 8);
    options = (tarn_table_options){ head[0], head[1], value_bytes };
    im->entry_count = tn_load_le64(head + 16);
    im->entry_bytes = tn_load_le64(head + 24);
    if (options.kind > TARN_UNORDERED || !tn_type_ok(&options) ||
        tn_type_bytes(&options) != value_bytes || head[2] > TN_ROLE_DICT_KEYS || name_bytes == 0 ||
        name_bytes > TARN_TABLE_NAME_BYTES_MAX || tn_load_le32(head + 12) != 0 ||
        (head[3] != TN_ORDER_NONE) != (options.type == TARN_STRUCT) || head[3] > TN_ORDER_BIG ||
        (head[2] != TN_ROLE_PLAIN && im->entry_count > TARN_DICT_NONE))
        return import_fail(im, "there is no such table");
    if (head[3] != (uint8_t)tn_byte_order_of(options.type, false))
        return tn_blocks_fail(&im->in, TARN_E_TYPE,
                              "a table has structs of a machine of the other byte order; export "
                              "it there as numbers or bytes");
    result = take_together(im, name_bytes, &name_at);
    if (result < 0)
        return result;
    name = (tarn_bytes){ name_at, name_bytes };
    result = table_check(im, name, head[2], &options);
    return result < 0 ? result : table_new(im, name, head[2], &options);
}

/* Room in the index for what is to come, as far as it is believed. Answers how far that is. */
static uint64_t index_expect(struct importer *im)
{
    uint64_t there = im->last->index.entry_count;
    uint64_t believed = tn_max(IMPORT_AHEAD_ENTRIES, IMPORT_AHEAD_FACTOR * there);

    tn_index_expect(&im->last->index, tn_min(im->entry_count, believed));
    return believed;
}

static int table_read(struct importer *im)
{
    int result = table_head_read(im);
    uint64_t done, believed = 0;

    for (done = 0; result == TARN_OK && done < im->entry_count; done++) {
        if (TN_UNLIKELY(done == believed))
            believed = index_expect(im);
        result = entry_read(im);
    }
    if (result == TARN_OK && im->last->entry_bytes != im->entry_bytes)
        result = import_fail(im, "a table has other entries than it says");
    return result;
}

/* ---- the calls ------------------------------------------------------------------------------- */

static int tables_read(struct importer *im)
{
    int result = tn_blocks_open(&im->in);

    while (result == TARN_OK && (result = tn_blocks_more(&im->in)) == TARN_OK)
        result = table_read(im);
    if (result < 0)
        return result;
    if (im->last != NULL && im->last->role == TN_ROLE_DICT_CODES)
        return import_fail(im, "a dictionary lacks its second table");
    return tn_blocks_close(&im->in);
}

/* X2 */
static int tables_publish(struct importer *im)
{
    bool was_changed = im->store->changed;

    if (!tn_catalog_add_all(im->store, im->last) &&
        (!tn_store_reclaim_all(im->store) || !tn_catalog_add_all(im->store, im->last))) {
        im->store->changed = was_changed;
        return tn_store_refused(im->store, CALL);
    }
    im->last = NULL;
    return TARN_OK;
}

static void tables_discard(struct importer *im)
{
    tarn_table *table;

    while ((table = im->last) != NULL) {
        im->last = table->next_gone;
        tn_table_discard(table);
    }
}

static uint8_t *scratch_new(tarn_store *store)
{
    return tn_memory_new(&store->memory, SCRATCH_BYTES, false);
}

int tarn_import_with(tarn_store *store, tarn_read_fn *read, void *context)
{
    struct importer im = { .store = store };
    int result;

    if (store == NULL || *store->alive == 0)
        return TARN_E_MISUSE;
    if (read == NULL)
        return tn_store_fail(store, TARN_E_MISUSE, "tarn_import_with: read must not be NULL");
    im.scratch = scratch_new(store);
    if (im.scratch == NULL && tn_store_reclaim_all(store))
        im.scratch = scratch_new(store);
    if (im.scratch == NULL)
        return tn_store_refused(store, CALL);
    im.in =
        (struct tn_block_reader){ .store = store, .call = CALL, .read = read, .context = context };
    result = tables_read(&im);
    tn_block_reader_free(&im.in);
    tn_memory_free(&store->memory, im.scratch, SCRATCH_BYTES);
    if (result == TARN_OK)
        result = tables_publish(&im);
    tables_discard(&im);
    return result;
}

int tarn_import(tarn_store *store, int descriptor)
{
    struct tn_descriptor context = { .id = descriptor };

    if (store != NULL)
        context.os = &store->os;
    return tarn_import_with(store, tn_descriptor_read, &context);
}
