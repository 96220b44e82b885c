/*
 * texts.c - see texts.h for the rules
 */
#include "stream/texts.h"

#include <string.h>

#define COPY_BYTES_MIN 256u

/* ---- memory ---------------------------------------------------------------------------------- */

static size_t key_bytes_max(const struct tn_layout *layout)
{
    return layout->has_text_sets ? TARN_KEY_BYTES_MAX : TN_TEXT_KEY_HEAD_BYTES;
}

bool tn_texts_init(struct tn_texts *texts, struct tn_memory *memory, const struct tn_layout *layout)
{
    size_t count = tn_max(layout->count, 1);

    *texts = (struct tn_texts){ .memory = memory, .layout = layout };
    texts->errands = tn_memory_new(memory, count * sizeof *texts->errands, true);
    if (texts->errands == NULL)
        return false;
    if (!layout->has_texts)
        return true;
    texts->counts = tn_memory_new(memory, count * sizeof *texts->counts, true);
    texts->key = tn_memory_new(memory, key_bytes_max(layout), false);
    return texts->counts != NULL && texts->key != NULL;
}

void tn_texts_finish(struct tn_texts *texts)
{
    size_t count;

    if (texts->layout == NULL)
        return;
    count = tn_max(texts->layout->count, 1);
    tn_memory_free(texts->memory, texts->errands, count * sizeof *texts->errands);
    tn_memory_free(texts->memory, texts->counts, count * sizeof *texts->counts);
    tn_memory_free(texts->memory, texts->key, key_bytes_max(texts->layout));
    tn_memory_free(texts->memory, texts->copy, texts->copy_bytes);
    *texts = (struct tn_texts){ 0 };
}

/* X3. NULL: no memory. */
static const void *copy_of(struct tn_texts *texts, const tarn_bytes *text)
{
    size_t bytes = texts->copy_bytes;

    if (bytes < text->bytes || bytes == 0) {
        bytes = tn_max(text->bytes + text->bytes / 2, COPY_BYTES_MIN);
        tn_memory_free(texts->memory, texts->copy, texts->copy_bytes);
        texts->copy_bytes = 0;
        texts->copy = tn_memory_new(texts->memory, bytes, false);
        if (texts->copy == NULL)
            return NULL;
        texts->copy_bytes = bytes;
    }
    if (text->bytes > 0)
        memcpy(texts->copy, text->data, text->bytes);
    return texts->copy;
}

/* ---- keys ------------------------------------------------------------------------------------ */

/* Build the key of a text in texts->key; `text` only for members of a set. */
static tarn_bytes key_of(struct tn_texts *texts, uint64_t number, size_t index, tarn_bytes text)
{
    uint32_t place = (uint32_t)index;

    memcpy(texts->key, &number, sizeof number);
    memcpy(texts->key + sizeof number, &place, sizeof place);
    if (text.bytes > 0)
        memcpy(texts->key + TN_TEXT_KEY_HEAD_BYTES, text.data, text.bytes);
    return (tarn_bytes){ .data = texts->key, .bytes = TN_TEXT_KEY_HEAD_BYTES + text.bytes };
}

static tarn_bytes key_of_one(struct tn_texts *texts, uint64_t number, size_t index)
{
    return key_of(texts, number, index, (tarn_bytes){ .bytes = 0 });
}

static int text_put(struct tn_texts *texts, struct tn_texts_place place, size_t index,
                    const void *data, size_t bytes)
{
    tarn_bytes at = key_of_one(texts, place.number, index);

    return tarn_put(place.table, at.data, at.bytes, data, bytes);
}

/* TARN_OK: it is new to the set; TARN_PRESENT: it is not; else a failure. */
static int text_join(struct tn_texts *texts, struct tn_texts_place place, size_t index,
                     tarn_bytes text)
{
    tarn_bytes at = key_of(texts, place.number, index, text);

    return tarn_put_if_absent(place.table, at.data, at.bytes, "", 0, NULL, NULL);
}

/* ---- rows ------------------------------------------------------------------------------------ */

int tn_texts_run(struct tn_texts *texts, tarn_table *table, uint64_t number,
                 struct tn_argument *arguments, bool *joined)
{
    const struct tn_texts_place place = { .table = table, .number = number };
    int result = TARN_OK;

    *joined = false;
    for (size_t i = 0; i < texts->layout->count && result == TARN_OK; i++) {
        struct tn_argument *argument = &arguments[i];

        if (argument->errand == TN_ERRAND_REPLACE) {
            result = text_put(texts, place, i, argument->text.data, argument->text.bytes);
        } else if (argument->errand == TN_ERRAND_JOIN) {
            result = text_join(texts, place, i, argument->text);
            if (result == TARN_OK)
                *joined = true;
            else
                argument->errand = TN_ERRAND_NONE;
            if (result == TARN_PRESENT)
                result = TARN_OK;
        }
    }
    return result;
}

void tn_texts_count(const struct tn_texts *texts, const struct tn_argument *arguments, void *block)
{
    for (size_t i = 0; i < texts->layout->count; i++)
        if (arguments[i].errand == TN_ERRAND_JOIN)
            tn_layout_count_texts(texts->layout, block, i, 1);
}

int tn_texts_get(struct tn_texts *texts, tarn_table *table, uint64_t number, size_t index,
                 tarn_bytes *out)
{
    tarn_bytes at = key_of_one(texts, number, index);
    int result;

    *out = (tarn_bytes){ .data = NULL };
    result = tarn_get(table, at.data, at.bytes, &out->data, &out->bytes);
    return result == TARN_ABSENT ? TARN_OK : result;
}

/* ---- merging, dropping ----------------------------------------------------------------------- */

static int one_merge(struct tn_texts *texts, struct tn_texts_place into, struct tn_texts_place from,
                     size_t index)
{
    tarn_bytes text;
    const void *copy;
    int result = tn_texts_get(texts, from.table, from.number, index, &text);

    if (result != TARN_OK)
        return result;
    copy = copy_of(texts, &text);
    return copy != NULL ? text_put(texts, into, index, copy, text.bytes) : TARN_E_MEMORY;
}

/* An iterator over the set of an aggregate of a group. */
static int set_scan(struct tn_texts *texts, struct tn_texts_place place, size_t index,
                    tarn_iterator **out)
{
    const tarn_range range = { .prefix = key_of_one(texts, place.number, index) };

    return tarn_scan(out, place.table, &range);
}

static int set_merge(struct tn_texts *texts, struct tn_texts_place into, struct tn_texts_place from,
                     size_t index)
{
    tarn_iterator *members;
    tarn_bytes key, none;
    int result = set_scan(texts, from, index, &members);

    if (result != TARN_OK)
        return result;
    while ((result = tarn_next(members, &key, &none)) == TARN_OK) {
        key.data = (const uint8_t *)key.data + TN_TEXT_KEY_HEAD_BYTES;
        key.bytes -= TN_TEXT_KEY_HEAD_BYTES;
        result = text_join(texts, into, index, key);
        if (result == TARN_OK)
            texts->counts[index]++;
        else if (result != TARN_PRESENT)
            break;
    }
    (void)tarn_iterator_close(members); /* it was open: this cannot fail */
    return result == TARN_END ? TARN_OK : result;
}

int tn_texts_merge(struct tn_texts *texts, struct tn_texts_place into, struct tn_texts_place from,
                   bool *joined)
{
    int result = TARN_OK;

    *joined = false;
    for (size_t i = 0; i < texts->layout->count && result == TARN_OK; i++) {
        texts->counts[i] = 0;
        if (texts->errands[i] == TN_ERRAND_REPLACE)
            result = one_merge(texts, into, from, i);
        else if (texts->layout->parts[i].texts == TN_TEXTS_SET)
            result = set_merge(texts, into, from, i);
        *joined |= texts->counts[i] > 0;
    }
    return result;
}

void tn_texts_count_merged(const struct tn_texts *texts, void *block)
{
    for (size_t i = 0; i < texts->layout->count; i++)
        if (texts->counts[i] > 0)
            tn_layout_count_texts(texts->layout, block, i, texts->counts[i]);
}

static int set_drop(struct tn_texts *texts, struct tn_texts_place place, size_t index)
{
    tarn_iterator *members;
    tarn_bytes key, none;
    int result = set_scan(texts, place, index, &members);

    if (result != TARN_OK)
        return result;
    while (result == TARN_OK && (result = tarn_next(members, &key, &none)) == TARN_OK) {
        memcpy(texts->key, key.data, key.bytes);
        result = tarn_delete(place.table, texts->key, key.bytes);
    }
    (void)tarn_iterator_close(members); /* it was open: this cannot fail */
    return result == TARN_END ? TARN_OK : result;
}

int tn_texts_drop(struct tn_texts *texts, struct tn_texts_place place)
{
    int result = TARN_OK;

    for (size_t i = 0; i < texts->layout->count && result == TARN_OK; i++) {
        enum tn_aggregate_texts kind = texts->layout->parts[i].texts;

        if (kind == TN_TEXTS_SET) {
            result = set_drop(texts, place, i);
        } else if (kind == TN_TEXTS_ONE) {
            tarn_bytes at = key_of_one(texts, place.number, i);

            result = tarn_delete(place.table, at.data, at.bytes);
            result = result == TARN_ABSENT ? TARN_OK : result;
        }
    }
    return result;
}
