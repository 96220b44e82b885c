/*
 * emission.c - see emission.h
 */
#include "stream/emission.h"

#include "stream/group_key.h"

/* The bytes of an array; one thing at least, since nothing of 0 bytes can be allocated. */
static size_t array_bytes(size_t count, size_t bytes_each)
{
    return tn_max(count, 1) * bytes_each;
}

bool tn_emission_init(struct tn_emission *emission, struct tn_memory *memory,
                      struct tn_texts *texts, size_t key_count)
{
    size_t count = texts->layout->count;

    *emission = (struct tn_emission){
        .memory = memory,
        .layout = texts->layout,
        .texts = texts,
        .key_count = key_count,
    };
    emission->keys = tn_memory_new(memory, array_bytes(key_count, sizeof *emission->keys), true);
    emission->values = tn_memory_new(memory, array_bytes(count, sizeof *emission->values), true);
    emission->number_texts =
        tn_memory_new(memory, array_bytes(count, sizeof *emission->number_texts), true);
    return emission->keys != NULL && emission->values != NULL && emission->number_texts != NULL;
}

void tn_emission_finish(struct tn_emission *emission)
{
    struct tn_memory *memory = emission->memory;
    size_t count;

    if (emission->layout == NULL)
        return;
    count = emission->layout->count;
    tn_memory_free(memory, emission->keys,
                   array_bytes(emission->key_count, sizeof *emission->keys));
    tn_memory_free(memory, emission->values, array_bytes(count, sizeof *emission->values));
    tn_memory_free(memory, emission->number_texts,
                   array_bytes(count, sizeof *emission->number_texts));
    *emission = (struct tn_emission){ 0 };
}

int tn_emission_fill(struct tn_emission *emission, tarn_table *texts, const void *block)
{
    const struct tn_layout *layout = emission->layout;
    int result = TARN_OK;

    for (size_t i = 0; i < layout->count && result == TARN_OK; i++) {
        if (layout->parts[i].texts == TN_TEXTS_ONE)
            result = tn_texts_get(emission->texts, texts, tn_layout_number(block), i,
                                  &emission->values[i]);
        else
            emission->values[i] = tn_layout_result(layout, block, i, emission->number_texts[i]);
    }
    return result;
}

int tn_emission_send(struct tn_emission *emission, const struct tn_emission_head *head,
                     uint8_t *key, size_t key_bytes)
{
    const struct tn_window_row row = {
        .start_ms = head->start_ms,
        .end_ms = head->end_ms,
        .op = head->op,
        .keys = emission->keys,
        .values = emission->values,
    };
    int result;

    if (!tn_group_key_split(key, key_bytes, emission->keys, emission->key_count))
        return TARN_E_CORRUPT;
    result = emission->emit(emission->context, &row);
    if (result == 0)
        emission->emitted_count++;
    return result;
}
