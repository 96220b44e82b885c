/*
 * group_key.h - several fields as one key, in an order that is the order of the fields
 *
 * Each field but the last ends in 00 00, and a 00 inside it becomes 00 01; the last field stands as
 * it is. So one field is its own key, and no fields are the empty key.
 *
 *     ("ab", "c")      61 62 00 00 63
 *     ("a\0b", "c")    61 00 01 62 00 00 63
 *
 * Rules
 *   K1  Bytewise order of keys is the order of fields, one by one, each bytewise: an end (00 00)
 *       sorts before a zero byte (00 01) and both before any other byte.
 *   K2  Different fields give different keys; split gives back what was joined.
 */
#ifndef TN_GROUP_KEY_H
#define TN_GROUP_KEY_H

#include "base/base.h"

#include <tarn.h>

/*
 * Join fields into `out`. Answers the key's bytes, or SIZE_MAX when they are more than `capacity`;
 * then what is in `out` means nothing.
 */
size_t tn_group_key_join(uint8_t *out, size_t capacity, const tarn_bytes *fields, size_t count);

/*
 * Split a key of `count` fields in place: `key` is overwritten and `fields` point into it. false:
 * these are not `count` joined fields.
 */
bool tn_group_key_split(uint8_t *key, size_t key_bytes, tarn_bytes *fields, size_t count);

#endif
