/*
 * export_fixture.h - exports as bytes in memory: made, taken apart, sealed again, compared
 *
 *     store --export_bytes--> struct bytes --import_bytes--> store
 *     payload --bytes_seal--> an export with good checksums, whatever the payload says
 */
#ifndef EXPORT_FIXTURE_H
#define EXPORT_FIXTURE_H

#include "store/export.h"
#include "store/snapshot.h"

#include "base/checksum.h"

#include "allocator.h"
#include "test.h"

/* ---- bytes ---------------------------------------------------------------------------------- */

struct bytes {
    uint8_t *data;
    size_t count, room;
    size_t taken;     /* read already */
    size_t piece;     /* read at most so many at a time; 0: as many as there are */
    uint64_t *random; /* not NULL: a piece has a random size */
};

static inline void bytes_put(struct bytes *b, const void *data, size_t count)
{
    if (count > b->room - b->count) {
        b->room = 2 * b->room + count;
        b->data = realloc(b->data, b->room);
        if (b->data == NULL)
            abort();
    }
    if (count > 0)
        memcpy(b->data + b->count, data, count);
    b->count += count;
}

static inline void bytes_put_number(struct bytes *b, uint64_t number, size_t count)
{
    uint8_t le[8];

    tn_store_le64(le, number);
    bytes_put(b, le, count);
}

static inline void bytes_free(struct bytes *b)
{
    free(b->data);
    *b = (struct bytes){ 0 };
}

static inline int bytes_write(void *context, const void *data, size_t count)
{
    bytes_put(context, data, count);
    return 0;
}

static inline int bytes_read(void *context, void *to, size_t room, size_t *count)
{
    struct bytes *b = context;
    size_t piece = b->random != NULL ? 1 + test_random(b->random) % 3000 : b->piece;

    *count = room < b->count - b->taken ? room : b->count - b->taken;
    if (piece != 0 && *count > piece)
        *count = piece;
    if (*count > 0)
        memcpy(to, b->data + b->taken, *count);
    b->taken += *count;
    return 0;
}

/* ---- blocks --------------------------------------------------------------------------------- */

/* An export of that payload, in blocks of `block_bytes`. */
static inline struct bytes bytes_seal(const void *payload, size_t count, size_t block_bytes)
{
    struct bytes b = { 0 };
    const uint8_t *from = payload;
    uint64_t checksum;
    size_t begin, part;

    bytes_put(&b, tn_export_magic, 8);
    bytes_put_number(&b, TN_EXPORT_VERSION, 8);
    checksum = tn_checksum(b.data, 16, 0);
    bytes_put_number(&b, checksum, 8);
    do {
        begin = b.count;
        part = count < block_bytes ? count : block_bytes;
        bytes_put_number(&b, 0, 8);
        bytes_put_number(&b, part, 4);
        bytes_put_number(&b, part == count, 4);
        bytes_put(&b, from, part);
        checksum = tn_checksum(b.data + begin + 8, b.count - begin - 8, checksum);
        tn_store_le64(b.data + begin, checksum);
        from += part;
        count -= part;
    } while (count > 0);
    return b;
}

/* The payload of an export as tarn writes it. */
static inline struct bytes bytes_payload(const struct bytes *b)
{
    struct bytes payload = { 0 };
    size_t at = TN_EXPORT_HEAD_BYTES, count;

    for (; at < b->count; at += TN_BLOCK_HEAD_BYTES + count) {
        count = tn_load_le32(b->data + at + 8);
        bytes_put(&payload, b->data + at + TN_BLOCK_HEAD_BYTES, count);
    }
    return payload;
}

/* A payload's table and entry, said with any numbers. */
static inline void bytes_put_table(struct bytes *b, int kind, int type, int role, int order,
                                   uint32_t value_bytes, const void *name, size_t name_bytes,
                                   uint64_t entry_count, uint64_t entry_bytes)
{
    const uint8_t what[4] = { (uint8_t)kind, (uint8_t)type, (uint8_t)role, (uint8_t)order };

    bytes_put(b, what, sizeof what);
    bytes_put_number(b, value_bytes, 4);
    bytes_put_number(b, name_bytes, 8);
    bytes_put_number(b, entry_count, 8);
    bytes_put_number(b, entry_bytes, 8);
    bytes_put(b, name, name_bytes);
}

static inline void bytes_put_entry(struct bytes *b, const void *key, size_t key_bytes,
                                   const void *value, size_t value_bytes)
{
    bytes_put_number(b, key_bytes, 2);
    bytes_put_number(b, value_bytes, 4);
    bytes_put(b, key, key_bytes);
    bytes_put(b, value, value_bytes);
}

/* ---- stores --------------------------------------------------------------------------------- */

/* What the snapshot sees; empty after a failure. */
static inline struct bytes export_bytes(tarn_snapshot *snapshot)
{
    struct bytes b = { 0 };

    check_ok(tarn_snapshot_export_with(snapshot, bytes_write, &b));
    return b;
}

/* What the store has now. */
static inline struct bytes export_store(tarn_store *store)
{
    tarn_snapshot *snapshot = NULL;
    struct bytes b;

    check_ok(tarn_snapshot_take(&snapshot, store));
    b = export_bytes(snapshot);
    check_ok(tarn_snapshot_release(snapshot));
    return b;
}

static inline int import_bytes(tarn_store *store, struct bytes *b)
{
    b->taken = 0;
    return tarn_import_with(store, bytes_read, b);
}

static inline bool table_is_sound(const tarn_table *table)
{
    return tn_index_check(&table->index) &&
           tn_heap_check(&table->store->heap, &table->body->owner) &&
           (table->ordered == NULL || tn_ordered_check(table->ordered));
}

/* Every entry of a is in b. */
static inline bool table_is_in(tarn_table *a, tarn_table *b)
{
    tarn_bytes key, value;
    tarn_iterator *it;
    const void *other;
    size_t other_bytes;
    bool same = true;

    if (tarn_scan(&it, a, NULL) != TARN_OK)
        return false;
    while (same && tarn_next(it, &key, &value) == TARN_OK)
        same = tarn_get(b, key.data, key.bytes, &other, &other_bytes) == TARN_OK &&
               other_bytes == value.bytes && memcmp(other, value.data, value.bytes) == 0;
    check_ok(tarn_iterator_close(it));
    return same;
}

/* Both have the same tables with the same entries, and what b has is sound. */
static inline bool stores_are_same(tarn_store *a, tarn_store *b)
{
    bool same = a->table_count == b->table_count;
    size_t i;

    for (i = 0; same && i < a->table_count; i++) {
        tarn_table *from = a->tables[i], *to = b->tables[i];

        same = from->name_bytes == to->name_bytes &&
               memcmp(from->name, to->name, from->name_bytes) == 0 && tn_table_is_like(from, to) &&
               tarn_table_count(from) == tarn_table_count(to) &&
               tarn_table_bytes(from) == tarn_table_bytes(to) && table_is_sound(to) &&
               table_is_in(from, to);
    }
    return same;
}

/*
 * What an idle store counts. The heap keeps a page of its books from the first entry on, so there
 * is one first.
 */
static inline uint64_t memory_at_rest(tarn_store *store)
{
    tarn_table *table;

    check_ok(tarn_table_open(&table, store, "\x01prime", NULL));
    check_ok(tarn_put(table, "k", 1, "v", 1));
    check_ok(tarn_table_drop(table));
    check_ok(tarn_table_close(table));
    while (tarn_work(store, UINT64_MAX) == TARN_OK) {
    }
    (void)tn_store_reclaim_all(store); /* spare pages, too */
    return store->memory.counted_bytes;
}

/* Nothing of what a failed import began is left. */
static inline void check_nothing(tarn_store *store, size_t table_count, uint64_t memory_bytes)
{
    check_eq(store->table_count, table_count);
    check(store->gone == NULL);
    check_eq(memory_at_rest(store), memory_bytes);
}

#endif
