/*
 * export.c - a snapshot's tables and entries, written to wherever the caller says; see export.h
 */
#include "store/export.h"
#include "store/snapshot.h"

#define CALL "tarn_snapshot_export"

/* ---- one table ------------------------------------------------------------------------------- */

static int table_head_write(struct tn_block_writer *out, const tarn_table *table,
                            uint64_t entry_count, uint64_t entry_bytes)
{
    uint8_t head[TN_EXPORT_TABLE_BYTES] = { 0 };
    int result;

    head[0] = (uint8_t)table->kind;
    head[1] = (uint8_t)table->type;
    head[2] = (uint8_t)table->role;
    head[3] = (uint8_t)tn_byte_order_of(table->type);
    tn_store_le32(head + 4, (uint32_t)table->value_bytes);
    tn_store_le32(head + 8, (uint32_t)table->name_bytes);
    tn_store_le64(head + 16, entry_count);
    tn_store_le64(head + 24, entry_bytes);
    result = tn_blocks_put(out, head, sizeof head);
    return result < 0 ? result : tn_blocks_put(out, table->name, table->name_bytes);
}

static void entry_head_fill(uint8_t *head, tarn_bytes key, tarn_bytes value)
{
    head[0] = (uint8_t)key.bytes;
    head[1] = (uint8_t)(key.bytes >> 8);
    tn_store_le32(head + 2, (uint32_t)value.bytes);
}

/* An entry that does not fit into the block in the making. */
static int entry_write_parts(struct tn_block_writer *out, tarn_bytes key, tarn_bytes value)
{
    uint8_t head[TN_EXPORT_ENTRY_BYTES];
    int result;

    entry_head_fill(head, key, value);
    result = tn_blocks_put(out, head, sizeof head);
    if (result == TARN_OK)
        result = tn_blocks_put(out, key.data, key.bytes);
    return result < 0 ? result : tn_blocks_put(out, value.data, value.bytes);
}

static int entry_write(struct tn_block_writer *out, tarn_bytes key, tarn_bytes value)
{
    uint8_t *at = tn_blocks_room(out, TN_EXPORT_ENTRY_BYTES + key.bytes + value.bytes);

    if (TN_UNLIKELY(at == NULL))
        return entry_write_parts(out, key, value);
    entry_head_fill(at, key, value);
    memcpy(at + TN_EXPORT_ENTRY_BYTES, key.data, key.bytes);
    memcpy(at + TN_EXPORT_ENTRY_BYTES + key.bytes, value.data, value.bytes);
    return TARN_OK;
}

/* What the snapshot sees in `table`, a source or a view of one. */
static int table_write(struct tn_block_writer *out, tarn_table *table)
{
    uint64_t count = tarn_table_count(table), bytes = tarn_table_bytes(table);
    tarn_iterator *it;
    tarn_bytes key, value;
    int result;

    if (tarn_scan(&it, table, NULL) < 0)
        return tn_store_refused(out->store, CALL);
    result = table_head_write(out, table, count, bytes);
    while (result == TARN_OK && tarn_next(it, &key, &value) == TARN_OK) {
        result = entry_write(out, key, value);
        count--;
        bytes -= key.bytes + value.bytes;
    }
    tn_assert(result < 0 || (count == 0 && bytes == 0));
    (void)tarn_iterator_close(it);
    return result;
}

/* S3: without an undo the source itself is what the snapshot saw, and no memory is needed for one. */
static int source_write(struct tn_block_writer *out, tarn_snapshot *snapshot, tarn_table *source)
{
    tarn_table *view;
    int result;

    if (tn_undo_find(snapshot, source) == NULL)
        return table_write(out, source);
    result = tn_snapshot_view(&view, snapshot, source, CALL);
    if (result < 0)
        return result;
    result = table_write(out, view);
    (void)tarn_table_close(view);
    return result;
}

/* ---- the calls ------------------------------------------------------------------------------- */

static int snapshot_write(struct tn_block_writer *out, tarn_snapshot *snapshot)
{
    tarn_table *source = NULL;
    int result = tn_blocks_begin(out);

    while (result == TARN_OK && (source = tn_snapshot_source_after(snapshot, source)) != NULL)
        result = source_write(out, snapshot, source);
    return result < 0 ? result : tn_blocks_finish(out);
}

int tarn_snapshot_export_with(tarn_snapshot *snapshot, tarn_write_fn *write, void *context)
{
    struct tn_block_writer out = { .call = CALL, .write = write, .context = context };
    int result;

    if (snapshot == NULL)
        return TARN_E_MISUSE;
    result = tn_snapshot_usable(snapshot, CALL);
    if (result < 0)
        return result;
    if (write == NULL)
        return tn_store_fail(snapshot->store, TARN_E_MISUSE,
                             "tarn_snapshot_export_with: write must not be NULL");
    out.store = snapshot->store;
    result = snapshot_write(&out, snapshot);
    tn_block_writer_free(&out);
    return result;
}

int tarn_snapshot_export(tarn_snapshot *snapshot, int descriptor)
{
    struct tn_descriptor context = { .id = descriptor };

    if (snapshot != NULL)
        context.os = &snapshot->store->os;
    return tarn_snapshot_export_with(snapshot, tn_descriptor_write, &context);
}
