/*
 * table.h - a table that is trivially right: arrays by rank (keys.h)
 */
#ifndef MODEL_TABLE_H
#define MODEL_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct model_value {
    uint64_t seed;
    uint32_t bytes;
    uint32_t changed; /* the step that wrote it last */
};

struct model_table {
    size_t rank_count;
    uint64_t *present; /* a bit for each rank */
    struct model_value *values;
    uint64_t count;
    uint64_t bytes;
    uint32_t emptied; /* the step that cleared or dropped it last */
};

static inline bool model_has(const struct model_table *table, size_t rank)
{
    return (table->present[rank / 64] >> rank % 64 & 1) != 0;
}

void model_table_make(struct model_table *table, size_t rank_count);
void model_table_free(struct model_table *table);
void model_table_empty(struct model_table *table);

/* `to` becomes what `from` is, without the steps: room is made when there is none. */
void model_table_copy(struct model_table *to, const struct model_table *from);

void model_table_set(struct model_table *table, size_t rank, size_t key_bytes,
                     struct model_value value);
void model_table_unset(struct model_table *table, size_t rank, size_t key_bytes);

/* The first present rank >= from and < end; end: none. */
size_t model_table_next(const struct model_table *table, size_t from, size_t end);

/* 1 + the last present rank < from and >= start; start: none. */
size_t model_table_previous(const struct model_table *table, size_t from, size_t start);

#endif
