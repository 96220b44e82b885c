/*
 * group_key.c - see group_key.h for the rules
 */
#include "stream/group_key.h"

#include <string.h>

/* A field that is not the last, escaped and ended. Answers the bytes written, SIZE_MAX: no room. */
static size_t field_put(uint8_t *out, size_t capacity, const tarn_bytes *field)
{
    const uint8_t *from = field->data;
    size_t at = 0;

    if (field->bytes > capacity || capacity - field->bytes < 2)
        return SIZE_MAX;
    for (size_t i = 0; i < field->bytes; i++) {
        out[at++] = from[i];
        if (TN_UNLIKELY(from[i] == 0)) {
            /* The rest of the field and its end must fit behind the escape. */
            if (capacity - at < field->bytes - i - 1 + 3)
                return SIZE_MAX;
            out[at++] = 1;
        }
    }
    out[at++] = 0;
    out[at++] = 0;
    return at;
}

size_t tn_group_key_join(uint8_t *out, size_t capacity, const tarn_bytes *fields, size_t count)
{
    size_t at = 0;
    size_t i;

    for (i = 0; i + 1 < count; i++) {
        size_t bytes = field_put(out + at, capacity - at, &fields[i]);

        if (bytes == SIZE_MAX)
            return SIZE_MAX;
        at += bytes;
    }
    if (i < count && fields[i].bytes > 0) {
        if (fields[i].bytes > capacity - at)
            return SIZE_MAX;
        memcpy(out + at, fields[i].data, fields[i].bytes);
        at += fields[i].bytes;
    }
    return at;
}

/* Undo field_put at *at, in place. false: the end is missing, or an escape is none. */
static bool field_take(uint8_t *key, size_t key_bytes, size_t *at, tarn_bytes *field)
{
    size_t start = *at;
    size_t to = start;
    size_t from = start;

    for (;;) {
        if (from >= key_bytes)
            return false;
        if (key[from] != 0) {
            key[to++] = key[from++];
            continue;
        }
        if (from + 1 >= key_bytes || key[from + 1] > 1)
            return false;
        from += 2;
        if (key[from - 1] == 0)
            break;
        key[to++] = 0;
    }
    *field = (tarn_bytes){ .data = key + start, .bytes = to - start };
    *at = from;
    return true;
}

bool tn_group_key_split(uint8_t *key, size_t key_bytes, tarn_bytes *fields, size_t count)
{
    size_t at = 0;
    size_t i;

    for (i = 0; i + 1 < count; i++) {
        if (!field_take(key, key_bytes, &at, &fields[i]))
            return false;
    }
    if (i < count)
        fields[i] = (tarn_bytes){ .data = key + at, .bytes = key_bytes - at };
    else if (key_bytes != 0)
        return false;
    return true;
}
