/*
 * json.h - the wanted values of one JSON object (a C face for simdjson)
 *
 * Rules
 *   J1  Found bad, whatever is wanted: not an object, not closed, anything behind its end, invalid
 *       UTF-8, a string that is not closed or holds control characters, keys and values not in
 *       order. Inside values that are not wanted no more is looked at: that is where the speed
 *       comes from.
 *   J2  Wanted: a string is given unescaped, null as 0 bytes, everything else as its source text.
 *       Its grammar is checked to the last byte; a lone surrogate is bad; the depth of nested
 *       values is limited.
 *   J3  A wanted key that appears twice in the object makes it bad, also if spelt with escapes.
 *   J4  Nothing is copied but strings with escapes; no exception leaves; lack of memory is an
 *       answer.
 */
#ifndef TN_JSON_H
#define TN_JSON_H

#include "io/reason.h"

#include <tarn.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Bytes behind an object that can be read (not used). */
#define TN_JSON_PADDING_BYTES ((size_t)64)

enum tn_json_answer { TN_JSON_OBJECT = 0, TN_JSON_BAD = 1, TN_JSON_NO_MEMORY = 2 };

struct tn_json;

/* NULL: no memory. `keys` outlive it; a key may be wanted twice. */
struct tn_json *tn_json_open(const char *const *keys, size_t key_count);

/*
 * Read the one object in `text`. TN_JSON_OBJECT: out[i] is the value of keys[i], 0 bytes when it is
 * absent; borrowed from `text` and until the next call. TN_JSON_BAD: *reason says why.
 */
int tn_json_read(struct tn_json *json, const char *text, size_t bytes, tarn_bytes *out,
                 struct tn_reason *reason);

/* NULL is allowed. */
void tn_json_close(struct tn_json *json);

#ifdef __cplusplus
}
#endif

#endif
