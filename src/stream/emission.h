/*
 * emission.h - a row of output: values out of a block, fields out of a key, and off it goes
 *
 *     fill   block, texts  ->  values            only reads the store: what is borrowed stays good
 *     send   key           ->  fields, emit
 *
 * Both are called for a row right after each other, with nothing between that writes to the store.
 */
#ifndef TN_EMISSION_H
#define TN_EMISSION_H

#include "stream/texts.h"
#include "stream/window.h"

struct tn_emission {
    struct tn_memory *memory;
    const struct tn_layout *layout;
    struct tn_texts *texts;
    tn_window_emit_fn *emit;
    void *context;
    size_t key_count;
    uint64_t emitted_count;
    tarn_bytes *keys;   /* one for each key field */
    tarn_bytes *values; /* one for each aggregate, with room for a number in number_texts */
    char (*number_texts)[TN_DECIMAL_TEXT_BYTES_MAX];
};

/* Which window a row is of, and whether it holds ('+') or is taken back ('-'). */
struct tn_emission_head {
    int64_t start_ms;
    int64_t end_ms;
    int64_t tie_ms; /* pending.h, Q1 */
    char op;
};

/* false: no memory; finish it all the same. */
bool tn_emission_init(struct tn_emission *emission, struct tn_memory *memory,
                      struct tn_texts *texts, size_t key_count);
void tn_emission_finish(struct tn_emission *emission);

/* The values of a group, from its block and the table of its texts (NULL without). */
int tn_emission_fill(struct tn_emission *emission, tarn_table *texts, const void *block);

/* Emit the values; the key is split in place, and spoilt. 0, or what emit answered, or a failure. */
int tn_emission_send(struct tn_emission *emission, const struct tn_emission_head *head,
                     uint8_t *key, size_t key_bytes);

#endif
