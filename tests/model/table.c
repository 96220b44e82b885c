/*
 * table.c - a table that is trivially right; see table.h
 */
#include "model/table.h"

#include <stdlib.h>
#include <string.h>

static size_t word_count(const struct model_table *table)
{
    return table->rank_count / 64 + 1;
}

void model_table_make(struct model_table *table, size_t rank_count)
{
    *table = (struct model_table){ .rank_count = rank_count };
    table->present = calloc(word_count(table), sizeof *table->present);
    table->values = malloc(rank_count * sizeof *table->values);
    if (table->present == NULL || table->values == NULL)
        abort();
}

void model_table_free(struct model_table *table)
{
    free(table->present);
    free(table->values);
    *table = (struct model_table){ 0 };
}

void model_table_empty(struct model_table *table)
{
    memset(table->present, 0, word_count(table) * sizeof *table->present);
    table->count = table->bytes = 0;
}

void model_table_copy(struct model_table *to, const struct model_table *from)
{
    size_t rank = from->rank_count;

    if (to->present == NULL)
        model_table_make(to, from->rank_count);
    memcpy(to->present, from->present, word_count(from) * sizeof *to->present);
    for (rank = 0; (rank = model_table_next(from, rank, from->rank_count)) < from->rank_count;
         rank++)
        to->values[rank] = from->values[rank];
    to->count = from->count;
    to->bytes = from->bytes;
}

void model_table_set(struct model_table *table, size_t rank, size_t key_bytes,
                     struct model_value value)
{
    if (model_has(table, rank)) {
        table->bytes -= table->values[rank].bytes;
    } else {
        table->count++;
        table->bytes += key_bytes;
        table->present[rank / 64] |= (uint64_t)1 << rank % 64;
    }
    table->values[rank] = value;
    table->bytes += value.bytes;
}

void model_table_unset(struct model_table *table, size_t rank, size_t key_bytes)
{
    table->count--;
    table->bytes -= key_bytes + table->values[rank].bytes;
    table->present[rank / 64] &= ~((uint64_t)1 << rank % 64);
}

size_t model_table_next(const struct model_table *table, size_t from, size_t end)
{
    while (from < end) {
        uint64_t word = table->present[from / 64] >> from % 64;

        if (word != 0) {
            from += (size_t)__builtin_ctzll(word);
            return from < end ? from : end;
        }
        from = (from / 64 + 1) * 64;
    }
    return end;
}

size_t model_table_previous(const struct model_table *table, size_t from, size_t start)
{
    while (from > start) {
        uint64_t word = table->present[(from - 1) / 64] << (63 - (from - 1) % 64);

        if (word != 0) {
            from -= (size_t)__builtin_clzll(word);
            return from > start ? from : start;
        }
        from = (from - 1) / 64 * 64;
    }
    return start;
}
