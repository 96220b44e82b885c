/*
 * slice.c - see slice.h for the rules
 */
#include "stream/slice.h"

#include <string.h>

static size_t text_key_bytes_max(const struct tn_layout *layout)
{
    return layout->has_text_sets ? TARN_KEY_BYTES_MAX : TN_TEXT_KEY_HEAD_BYTES;
}

int tn_slices_init(struct tn_slices *slices, tarn_store *store, struct tn_memory *memory,
                   const struct tn_layout *layout)
{
    *slices = (struct tn_slices){ .store = store, .memory = memory, .layout = layout };
    if (!layout->has_texts)
        return TARN_OK;
    slices->text_key = tn_memory_new(memory, text_key_bytes_max(layout), false);
    return slices->text_key != NULL ? TARN_OK : TARN_E_MEMORY;
}

void tn_slices_finish(struct tn_slices *slices)
{
    if (slices->text_key != NULL)
        tn_memory_free(slices->memory, slices->text_key, text_key_bytes_max(slices->layout));
    slices->text_key = NULL;
}

/* ---- tables ---------------------------------------------------------------------------------- */

static int table_open(tarn_table **out, tarn_store *store, int64_t start_ms, const char *suffix)
{
    const tarn_table_options options = { .kind = TARN_UNORDERED };
    char name[64];
    struct tn_text text = tn_text_in(name, sizeof name);

    tn_text_add(&text, "window ");
    tn_text_add_number(&text, start_ms);
    tn_text_add(&text, suffix);
    return tarn_table_open(out, store, name, &options);
}

/* NULL is allowed. */
static int table_drop(tarn_table *table)
{
    int dropped = table != NULL ? tarn_table_drop(table) : TARN_OK;
    int closed = tarn_table_close(table);

    return dropped != TARN_OK ? dropped : closed;
}

int tn_slice_open(struct tn_slice *slice, const struct tn_slices *slices, int64_t start_ms)
{
    int result;

    *slice = (struct tn_slice){ .blocks = NULL };
    result = table_open(&slice->blocks, slices->store, start_ms, "");
    if (result == TARN_OK && slices->layout->has_texts)
        result = table_open(&slice->texts, slices->store, start_ms, " texts");
    if (result != TARN_OK)
        (void)tn_slice_drop(slice); /* the first failure is the one to tell */
    return result;
}

int tn_slice_drop(struct tn_slice *slice)
{
    int blocks_dropped = table_drop(slice->blocks);
    int texts_dropped = table_drop(slice->texts);

    *slice = (struct tn_slice){ .blocks = NULL };
    return blocks_dropped != TARN_OK ? blocks_dropped : texts_dropped;
}

/* ---- texts ----------------------------------------------------------------------------------- */

/* Build the key of a text in slices->text_key; `text` only for members of a set. */
static tarn_bytes text_key(const struct tn_slices *slices, uint64_t group, size_t index,
                           tarn_bytes text)
{
    uint32_t place = (uint32_t)index;

    memcpy(slices->text_key, &group, sizeof group);
    memcpy(slices->text_key + sizeof group, &place, sizeof place);
    if (text.bytes > 0)
        memcpy(slices->text_key + TN_TEXT_KEY_HEAD_BYTES, text.data, text.bytes);
    return (tarn_bytes){
        .data = slices->text_key,
        .bytes = TN_TEXT_KEY_HEAD_BYTES + text.bytes,
    };
}

static int text_replace(const struct tn_slice *slice, const struct tn_slices *slices,
                        uint64_t group, size_t index, tarn_bytes text)
{
    tarn_bytes at = text_key(slices, group, index, (tarn_bytes){ .bytes = 0 });

    return tarn_put(slice->texts, at.data, at.bytes, text.data, text.bytes);
}

static int text_join(const struct tn_slice *slice, const struct tn_slices *slices,
                     const struct tn_slice_row *row, uint64_t group, size_t index)
{
    tarn_bytes at = text_key(slices, group, index, row->arguments[index].text);
    void *block;
    int result;

    result = tarn_put_if_absent(slice->texts, at.data, at.bytes, "", 0, NULL, NULL);
    if (result == TARN_PRESENT)
        return TARN_OK;
    if (result != TARN_OK)
        return result;
    result = tarn_modify(slice->blocks, row->key.data, row->key.bytes, slices->layout->block_bytes,
                         &block);
    if (result == TARN_OK)
        tn_layout_count_text(slices->layout, block, index);
    return result;
}

static int errands_run(const struct tn_slice *slice, const struct tn_slices *slices,
                       const struct tn_slice_row *row, uint64_t group)
{
    int result = TARN_OK;

    for (size_t i = 0; i < slices->layout->count && result == TARN_OK; i++) {
        switch (row->arguments[i].errand) {
        case TN_ERRAND_NONE:
            break;
        case TN_ERRAND_REPLACE:
            result = text_replace(slice, slices, group, i, row->arguments[i].text);
            break;
        case TN_ERRAND_JOIN:
            result = text_join(slice, slices, row, group, i);
            break;
        }
    }
    return result;
}

/* ---- rows ------------------------------------------------------------------------------------ */

/* As tn_slice_update, where aggregates keep texts. */
static int update_with_texts(const struct tn_slice *slice, const struct tn_slices *slices,
                             const struct tn_slice_row *row, struct tn_text *reason)
{
    const struct tn_layout *layout = slices->layout;
    uint64_t next_number = tarn_table_count(slice->blocks) + 1; /* S2; asked before, by S1 */
    uint64_t *block;                                            /* begins with the number */
    uint64_t number;
    void *value;
    int result;

    result = tarn_modify(slice->blocks, row->key.data, row->key.bytes, layout->block_bytes, &value);
    if (result != TARN_OK)
        return result;
    block = value;
    if (*block == 0)
        *block = next_number;
    number = *block;
    if (!tn_layout_update(layout, block, row->arguments, row->time_ms, reason))
        return TN_SLICE_OVERFLOW;
    return errands_run(slice, slices, row, number);
}

int tn_slice_update(const struct tn_slice *slice, const struct tn_slices *slices,
                    const struct tn_slice_row *row, struct tn_text *reason)
{
    const struct tn_layout *layout = slices->layout;
    void *block;
    int result;

    if (layout->has_texts)
        return update_with_texts(slice, slices, row, reason);
    result = tarn_modify(slice->blocks, row->key.data, row->key.bytes, layout->block_bytes, &block);
    if (TN_UNLIKELY(result != TARN_OK))
        return result;
    if (TN_UNLIKELY(!tn_layout_update(layout, block, row->arguments, row->time_ms, reason)))
        return TN_SLICE_OVERFLOW;
    return TARN_OK;
}

int tn_slice_result(const struct tn_slice *slice, const struct tn_slices *slices, const void *block,
                    size_t index, char *buffer, tarn_bytes *out)
{
    uint64_t number;
    tarn_bytes at;
    int result;

    *out = (tarn_bytes){ .data = NULL };
    if (slices->layout->parts[index].texts != TN_TEXTS_ONE) {
        *out = tn_layout_result(slices->layout, block, index, buffer);
        return TARN_OK;
    }
    memcpy(&number, block, sizeof number);
    at = text_key(slices, number, index, (tarn_bytes){ .bytes = 0 });
    result = tarn_get(slice->texts, at.data, at.bytes, &out->data, &out->bytes);
    return result == TARN_ABSENT ? TARN_OK : result;
}
