/*
 * slice.c - see slice.h for the rules
 */
#include "stream/slice.h"

#include <string.h>

int tn_slices_init(struct tn_slices *slices, tarn_store *store, struct tn_memory *memory,
                   struct tn_texts *texts)
{
    const struct tn_layout *layout = texts->layout;

    *slices = (struct tn_slices){
        .store = store,
        .memory = memory,
        .layout = layout,
        .texts = texts,
    };
    slices->key = tn_memory_new(memory, TARN_KEY_BYTES_MAX, false);
    slices->block = tn_memory_new(memory, tn_max(layout->block_bytes, 1), false);
    return slices->key != NULL && slices->block != NULL ? TARN_OK : TARN_E_MEMORY;
}

void tn_slices_finish(struct tn_slices *slices)
{
    if (slices->layout == NULL)
        return;
    tn_memory_free(slices->memory, slices->key, TARN_KEY_BYTES_MAX);
    tn_memory_free(slices->memory, slices->block, tn_max(slices->layout->block_bytes, 1));
    *slices = (struct tn_slices){ 0 };
}

/* ---- tables ---------------------------------------------------------------------------------- */

/* NULL is allowed. */
static int table_drop(tarn_table *table)
{
    int dropped = table != NULL ? tarn_table_drop(table) : TARN_OK;
    int closed = tarn_table_close(table);

    return dropped != TARN_OK ? dropped : closed;
}

int tn_slice_open(struct tn_slice *slice, const struct tn_slices *slices, const char *name,
                  bool is_new)
{
    tarn_table_options options = { .kind = TARN_UNORDERED };
    char buffer[TARN_TABLE_NAME_BYTES_MAX + 1];
    struct tn_text texts_name = tn_text_in(buffer, sizeof buffer);
    int result;

    *slice = (struct tn_slice){ .blocks = NULL };
    result = tarn_table_open(&slice->blocks, slices->store, name, &options);
    if (result == TARN_OK && slices->layout->has_texts) {
        tn_text_add(&texts_name, name);
        tn_text_add(&texts_name, " texts");
        options.kind = slices->texts_are_ordered ? TARN_ORDERED : TARN_UNORDERED; /* S4 */
        result = tarn_table_open(&slice->texts, slices->store, texts_name.start, &options);
    }
    if (result != TARN_OK && is_new)
        (void)tn_slice_drop(slice); /* the first failure is the one to tell */
    else if (result != TARN_OK)
        tn_slice_close(slice);
    return result;
}

void tn_slice_close(struct tn_slice *slice)
{
    (void)tarn_table_close(slice->blocks); /* it was open: this cannot fail */
    (void)tarn_table_close(slice->texts);
    *slice = (struct tn_slice){ .blocks = NULL };
}

int tn_slice_drop(struct tn_slice *slice)
{
    int blocks_dropped = table_drop(slice->blocks);
    int texts_dropped = table_drop(slice->texts);

    *slice = (struct tn_slice){ .blocks = NULL };
    return blocks_dropped != TARN_OK ? blocks_dropped : texts_dropped;
}

int tn_slice_clear(const struct tn_slice *slice)
{
    int result = tarn_table_clear(slice->blocks);

    if (result == TARN_OK && slice->texts != NULL)
        result = tarn_table_clear(slice->texts);
    return result;
}

/* ---- rows ------------------------------------------------------------------------------------ */

/* The group's block, which gets its number (S2) if it is new. Its pointer ends with the next call. */
static int block_modify(const struct tn_slice *slice, const struct tn_slices *slices,
                        tarn_bytes key, void **block)
{
    uint64_t next_number = 0;
    int result;

    if (slices->layout->has_texts)
        next_number = tarn_table_count(slice->blocks) + 1; /* asked before, by S1 */
    result = tarn_modify(slice->blocks, key.data, key.bytes, slices->layout->block_bytes, block);
    if (result == TARN_OK && slices->layout->has_texts && tn_layout_number(*block) == 0)
        tn_layout_set_number(*block, next_number);
    return result;
}

/* The row's texts, once its block has been let go of (S1). */
static int texts_update(const struct tn_slice *slice, const struct tn_slices *slices,
                        const struct tn_slice_row *row, uint64_t number)
{
    bool joined;
    void *block;
    int result = tn_texts_run(slices->texts, slice->texts, number, row->arguments, &joined);

    if (result == TARN_OK && joined) {
        result = block_modify(slice, slices, row->key, &block);
        if (result == TARN_OK)
            tn_texts_count(slices->texts, row->arguments, block);
    }
    return result;
}

int tn_slice_update(const struct tn_slice *slice, const struct tn_slices *slices,
                    const struct tn_slice_row *row, struct tn_text *reason)
{
    const struct tn_layout *layout = slices->layout;
    void *block;
    int result = block_modify(slice, slices, row->key, &block);

    if (TN_UNLIKELY(result != TARN_OK))
        return result;
    if (TN_UNLIKELY(!tn_layout_update(layout, block, row->arguments, row->time_ms, reason)))
        return TN_SLICE_OVERFLOW;
    if (layout->has_mark)
        tn_layout_set_mark(layout, block, slices->mark);
    if (!layout->has_texts)
        return TARN_OK;
    return texts_update(slice, slices, row, tn_layout_number(block));
}

/* ---- merging --------------------------------------------------------------------------------- */

/* Take a group; `key` and `from_block` are copies. */
static int group_merge(const struct tn_slice *into, const struct tn_slice *from,
                       const struct tn_slices *slices, tarn_bytes key, const void *from_block,
                       struct tn_text *reason)
{
    struct tn_texts_place into_place = { .table = into->texts };
    struct tn_texts_place from_place = { .table = from->texts };
    void *block;
    bool joined;
    int result = block_modify(into, slices, key, &block);

    if (result != TARN_OK)
        return result;
    if (!tn_layout_merge(slices->layout, block, from_block, slices->texts->errands, reason))
        return TN_SLICE_OVERFLOW;
    if (!slices->layout->has_texts)
        return TARN_OK;
    into_place.number = tn_layout_number(block);
    from_place.number = tn_layout_number(from_block);
    result = tn_texts_merge(slices->texts, into_place, from_place, &joined);
    if (result == TARN_OK && joined) {
        result = block_modify(into, slices, key, &block);
        if (result == TARN_OK)
            tn_texts_count_merged(slices->texts, block);
    }
    return result;
}

int tn_slice_merge(const struct tn_slice *into, const struct tn_slice *from,
                   const struct tn_slices *slices, struct tn_text *reason)
{
    size_t block_bytes = slices->layout->block_bytes;
    tarn_iterator *groups;
    tarn_bytes key, block;
    int result = tarn_scan(&groups, from->blocks, NULL);

    if (result != TARN_OK)
        return result;
    while (result == TARN_OK && (result = tarn_next(groups, &key, &block)) == TARN_OK) {
        if (block.bytes != block_bytes) {
            result = TARN_E_TYPE; /* not a table of ours */
            break;
        }
        if (key.bytes > 0)
            memcpy(slices->key, key.data, key.bytes);
        if (block_bytes > 0)
            memcpy(slices->block, block.data, block_bytes);
        key.data = slices->key;
        result = group_merge(into, from, slices, key, slices->block, reason);
    }
    (void)tarn_iterator_close(groups); /* it was open: this cannot fail */
    return result == TARN_END ? TARN_OK : result;
}

int tn_slice_merge_group(const struct tn_slice *into, const struct tn_slice *from,
                         const struct tn_slices *slices, tarn_bytes key, struct tn_text *reason)
{
    const void *block;
    size_t block_bytes;
    int result = tarn_get(from->blocks, key.data, key.bytes, &block, &block_bytes);

    if (result == TARN_ABSENT)
        return TARN_OK;
    if (result != TARN_OK)
        return result;
    if (block_bytes != slices->layout->block_bytes)
        return TARN_E_TYPE; /* not a table of ours */
    if (block_bytes > 0)
        memcpy(slices->block, block, block_bytes);
    return group_merge(into, from, slices, key, slices->block, reason);
}
