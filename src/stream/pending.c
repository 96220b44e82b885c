/*
 * pending.c - see pending.h for the rules
 */
#include "stream/pending.h"

#include "base/bytes.h"

#define VALUE_BYTES_MIN 256u
#define NO_VALUE UINT64_MAX /* Q2 */
#define ROW_HEAD_BYTES (3 * sizeof(uint64_t))

/* Which table, and which op its rows have. */
enum pending_kind { TAKEN_BACK, HOLDS, KIND_COUNT };
static const char kind_ops[KIND_COUNT] = { '-', '+' };
static const char *const kind_tables[KIND_COUNT] = { "window pending -", "window pending +" };

int tn_pending_init(struct tn_pending *pending, tarn_store *store, struct tn_memory *memory,
                    struct tn_emission *emission)
{
    int result = TARN_OK;

    *pending = (struct tn_pending){ .memory = memory, .emission = emission };
    pending->key = tn_memory_new(memory, TARN_KEY_BYTES_MAX, false);
    if (pending->key == NULL)
        return TARN_E_MEMORY;
    for (int i = 0; i < KIND_COUNT && result == TARN_OK; i++)
        result = tarn_table_open(&pending->rows[i], store, kind_tables[i], NULL);
    return result;
}

void tn_pending_finish(struct tn_pending *pending)
{
    if (pending->memory == NULL)
        return;
    tn_memory_free(pending->memory, pending->key, TARN_KEY_BYTES_MAX);
    tn_memory_free(pending->memory, pending->value, pending->value_bytes);
    for (int i = 0; i < KIND_COUNT; i++)
        (void)tarn_table_close(pending->rows[i]); /* it was open, or is NULL: this cannot fail */
    *pending = (struct tn_pending){ 0 };
}

void tn_pending_drop(struct tn_pending *pending)
{
    for (int i = 0; i < KIND_COUNT; i++)
        if (pending->rows[i] != NULL)
            (void)tarn_table_drop(pending->rows[i]); /* nobody is left to tell */
}

/* ---- a row as bytes -------------------------------------------------------------------------- */

/* Room for a row of so many bytes; what was there is lost. */
static bool value_reserve(struct tn_pending *pending, size_t bytes)
{
    if (bytes <= pending->value_bytes)
        return true;
    tn_memory_free(pending->memory, pending->value, pending->value_bytes);
    pending->value_bytes = 0;
    bytes = tn_max(bytes + bytes / 2, VALUE_BYTES_MIN);
    pending->value = tn_memory_new(pending->memory, bytes, false);
    if (pending->value == NULL)
        return false;
    pending->value_bytes = bytes;
    return true;
}

/* The values in the emission, in pending->value. Answers the bytes; 0: no memory. */
static size_t row_pack(struct tn_pending *pending, const struct tn_emission_head *head)
{
    const struct tn_emission *emission = pending->emission;
    size_t count = emission->layout->count;
    size_t bytes = ROW_HEAD_BYTES + count * sizeof(uint64_t);
    uint8_t *at;

    for (size_t i = 0; i < count; i++)
        bytes += emission->values[i].bytes;
    if (!value_reserve(pending, bytes))
        return 0;
    at = pending->value;
    tn_store_le64(at, (uint64_t)head->start_ms);
    tn_store_le64(at + 8, (uint64_t)head->end_ms);
    tn_store_le64(at + 16, (uint64_t)head->tie_ms);
    at += ROW_HEAD_BYTES;
    for (size_t i = 0; i < count; i++) {
        const tarn_bytes *value = &emission->values[i];

        tn_store_le64(at, value->data != NULL ? value->bytes : NO_VALUE);
        at += sizeof(uint64_t);
        if (value->data == NULL)
            continue;
        memcpy(at, value->data, value->bytes);
        at += value->bytes;
    }
    return bytes;
}

/* Undo row_pack; the values point into `row`. false: it is none. */
static bool row_unpack(const struct tn_pending *pending, tarn_bytes row,
                       struct tn_emission_head *head)
{
    struct tn_emission *emission = pending->emission;
    const uint8_t *at = row.data;
    size_t left = row.bytes;

    if (left < ROW_HEAD_BYTES)
        return false;
    head->start_ms = (int64_t)tn_load_le64(at);
    head->end_ms = (int64_t)tn_load_le64(at + 8);
    head->tie_ms = (int64_t)tn_load_le64(at + 16);
    at += ROW_HEAD_BYTES;
    left -= ROW_HEAD_BYTES;
    for (size_t i = 0; i < emission->layout->count; i++) {
        uint64_t bytes;

        if (left < sizeof bytes)
            return false;
        bytes = tn_load_le64(at);
        at += sizeof bytes;
        left -= sizeof bytes;
        emission->values[i] = (tarn_bytes){ .data = bytes == NO_VALUE ? NULL : at };
        if (bytes == NO_VALUE)
            continue;
        if (left < bytes)
            return false;
        emission->values[i].bytes = bytes;
        at += bytes;
        left -= bytes;
    }
    return left == 0;
}

/* ---- rows that wait -------------------------------------------------------------------------- */

/* A time as 8 bytes that sort as it does. */
static void time_store(uint8_t *at, int64_t time_ms)
{
    tn_store_be64(at, (uint64_t)time_ms ^ ((uint64_t)1 << 63));
}

/* The row in pending->value, `bytes` long. */
static int row_put(struct tn_pending *pending, enum pending_kind kind, tarn_bytes key, size_t bytes)
{
    tn_assert(key.bytes <= TARN_KEY_BYTES_MAX - TN_PENDING_HEAD_BYTES);
    time_store(pending->key, (int64_t)tn_load_le64(pending->value + 8));
    time_store(pending->key + 8, (int64_t)tn_load_le64(pending->value + 16));
    if (key.bytes > 0)
        memcpy(pending->key + TN_PENDING_HEAD_BYTES, key.data, key.bytes);
    return tarn_put(pending->rows[kind], pending->key, TN_PENDING_HEAD_BYTES + key.bytes,
                    pending->value, bytes);
}

int tn_pending_put(struct tn_pending *pending, const struct tn_emission_head *head, tarn_bytes key)
{
    size_t bytes = row_pack(pending, head);

    return bytes > 0 ? row_put(pending, HOLDS, key, bytes) : TARN_E_MEMORY;
}

int tn_pending_keep(struct tn_pending *pending, tarn_table *printed, uint64_t number,
                    const struct tn_emission_head *head)
{
    size_t bytes = row_pack(pending, head);

    return bytes > 0 ? tarn_put(printed, &number, sizeof number, pending->value, bytes)
                     : TARN_E_MEMORY;
}

int tn_pending_take_back(struct tn_pending *pending, tarn_table *printed, uint64_t number,
                         tarn_bytes key)
{
    tarn_bytes row;
    int result = tarn_get(printed, &number, sizeof number, &row.data, &row.bytes);

    if (result != TARN_OK || row.bytes < ROW_HEAD_BYTES)
        return result < 0 ? result : TARN_E_CORRUPT; /* it was printed: it must be there */
    if (!value_reserve(pending, row.bytes))
        return TARN_E_MEMORY;
    memcpy(pending->value, row.data, row.bytes);
    result = row_put(pending, TAKEN_BACK, key, row.bytes);
    return result == TARN_OK ? tarn_delete(printed, &number, sizeof number) : result;
}

/* ---- print ----------------------------------------------------------------------------------- */

/* A table's rows on their way out. */
struct queue {
    tarn_iterator *rows;
    tarn_bytes key; /* of the first that is still there; data NULL: none is */
    tarn_bytes row;
};

static int queue_next(struct queue *queue)
{
    int result = tarn_next(queue->rows, &queue->key, &queue->row);

    if (result == TARN_OK)
        return queue->key.bytes < TN_PENDING_HEAD_BYTES ? TARN_E_CORRUPT : TARN_OK;
    queue->key.data = NULL;
    return result == TARN_END ? TARN_OK : result;
}

/* Whose first row comes first (Q1). KIND_COUNT: none has one. */
static int queues_first(const struct queue queues[KIND_COUNT])
{
    const tarn_bytes *a = &queues[TAKEN_BACK].key;
    const tarn_bytes *b = &queues[HOLDS].key;

    if (a->data == NULL)
        return b->data == NULL ? KIND_COUNT : HOLDS;
    if (b->data == NULL)
        return TAKEN_BACK;
    return tn_key_compare(a->data, a->bytes, b->data, b->bytes) <= 0 ? TAKEN_BACK : HOLDS;
}

static int row_send(struct tn_pending *pending, char op, const struct queue *queue)
{
    struct tn_emission_head head = { .op = op };
    size_t key_bytes = queue->key.bytes - TN_PENDING_HEAD_BYTES;

    if (!row_unpack(pending, queue->row, &head))
        return TARN_E_CORRUPT;
    memcpy(pending->key, (const uint8_t *)queue->key.data + TN_PENDING_HEAD_BYTES, key_bytes);
    return tn_emission_send(pending->emission, &head, pending->key, key_bytes);
}

static int queues_send(struct tn_pending *pending, struct queue queues[KIND_COUNT])
{
    int kind, result = TARN_OK;

    for (kind = 0; kind < KIND_COUNT && result == TARN_OK; kind++) {
        result = tarn_scan(&queues[kind].rows, pending->rows[kind], NULL);
        if (result == TARN_OK)
            result = queue_next(&queues[kind]);
    }
    while (result == 0 && (kind = queues_first(queues)) != KIND_COUNT) {
        result = row_send(pending, kind_ops[kind], &queues[kind]);
        if (result == 0)
            result = queue_next(&queues[kind]);
    }
    return result;
}

int tn_pending_print(struct tn_pending *pending)
{
    struct queue queues[KIND_COUNT] = { { .rows = NULL } };
    int result;

    if (tarn_table_count(pending->rows[TAKEN_BACK]) + tarn_table_count(pending->rows[HOLDS]) == 0)
        return 0;
    result = queues_send(pending, queues);
    for (int kind = 0; kind < KIND_COUNT; kind++)
        (void)tarn_iterator_close(
            queues[kind].rows); /* it was open, or is NULL: this cannot fail */
    for (int kind = 0; kind < KIND_COUNT && result == 0; kind++)
        result = tarn_table_clear(pending->rows[kind]);
    return result;
}
