/*
 * entries.c - operations on entries; see run.h
 */
#include "model/run.h"

/* ---- values ---------------------------------------------------------------------------------- */

/* The size that the table's type has; 0: any. */
static size_t type_bytes(size_t t)
{
    static const uint8_t bytes[] = { 0, 4, 4, 4, 8, 8, 8, 24 };

    return bytes[run.program->setting.types[t]];
}

static bool is_typed(size_t t)
{
    return run.program->setting.types[t] != TARN_ANY;
}

static size_t size_mixed(uint32_t word, bool edges)
{
    static const uint32_t edge[] = { 65533, 65534, 65535, 65536, 131071, 131072, 131073, 390000 };
    uint32_t kind = word >> 24;

    if (kind < 200)
        return word % 41;
    if (kind < 250)
        return word % 1200;
    if (kind < 254 || !edges)
        return word % 9000;
    return edge[word % TN_ARRAY_COUNT(edge)];
}

static size_t value_bytes_of(size_t t, uint32_t word)
{
    if (is_typed(t))
        return type_bytes(t);
    switch (run.program->setting.sizes) {
    case SIZES_SMALL:
        return word % 41;
    case SIZES_ONE:
        return 8 + (size_t)(run.program->setting.seed % 120);
    case SIZES_EDGES:
        return size_mixed(word, true);
    default:
        return size_mixed(word, false);
    }
}

void model_set(size_t t, size_t rank, size_t bytes, uint64_t seed)
{
    model_table_set(&run.model[t], rank, key_of(rank)->bytes,
                    (struct model_value){ seed, (uint32_t)bytes, run.step });
    run.changed = true;
}

static void model_unset(size_t t, size_t rank)
{
    model_table_unset(&run.model[t], rank, key_of(rank)->bytes);
    run.changed = true;
}

/* ---- one key --------------------------------------------------------------------------------- */

/* Now and then of a size that a typed table does not take. */
void do_put_at(size_t t, size_t rank, const void *key, uint32_t word)
{
    bool odd = is_typed(t) && word % 16 == 0;
    size_t bytes = odd ? type_bytes(t) + 1 : value_bytes_of(t, word);
    int result;

    value_fill(run.value, bytes, seed_of(word));
    result = tarn_put(run.tables[t], key, key_of(rank)->bytes, run.value, bytes);
    loans_end();
    expect(odd ? result == TARN_E_TYPE : result == TARN_OK || is_refusal(result));
    if (result == TARN_OK)
        model_set(t, rank, bytes, seed_of(word));
}

void do_put_if_absent(size_t t, size_t rank, uint32_t word)
{
    const tarn_bytes *key = key_of(rank);
    size_t bytes = value_bytes_of(t, word), old_bytes = 77;
    const void *old = NULL;
    int result;

    value_fill(run.value, bytes, seed_of(word));
    result = tarn_put_if_absent(run.tables[t], key->data, key->bytes, run.value, bytes, &old,
                                &old_bytes);
    loans_end();
    if (has(t, rank)) {
        expect(result == TARN_PRESENT && value_is(value_of(t, rank), old, old_bytes));
        return;
    }
    expect(result == TARN_OK || is_refusal(result));
    expect(old == NULL && old_bytes == 77);
    if (result == TARN_OK)
        model_set(t, rank, bytes, seed_of(word));
}

/* A writable value was answered: it is the old one, or zeros. It becomes another. */
static void modified(size_t t, size_t rank, void *data, size_t bytes, uint64_t seed)
{
    expect((uintptr_t)data % 8 == 0);
    expect(has(t, rank) ? value_is(value_of(t, rank), data, bytes) : value_is_zero(data, bytes));
    value_fill(data, bytes, seed);
    model_set(t, rank, bytes, seed);
}

void do_modify(size_t t, size_t rank, uint32_t word)
{
    const tarn_bytes *key = key_of(rank);
    bool present = has(t, rank);
    size_t bytes = present && word % 8 != 0 ? value_of(t, rank)->bytes : value_bytes_of(t, word);
    void *data = NULL;
    int result = tarn_modify(run.tables[t], key->data, key->bytes, bytes, &data);

    loans_end();
    if (present && bytes != value_of(t, rank)->bytes) {
        expect(result == TARN_E_TYPE && data == NULL);
        return;
    }
    expect(result == TARN_OK || (!present && is_refusal(result)));
    if (result == TARN_OK)
        modified(t, rank, data, bytes, seed_of(word));
}

void do_delete_at(size_t t, size_t rank, const void *key)
{
    int result = tarn_delete(run.tables[t], key, key_of(rank)->bytes);

    loans_end();
    expect(result == (has(t, rank) ? TARN_OK : TARN_ABSENT));
    if (has(t, rank))
        model_unset(t, rank);
}

void do_get(size_t t, size_t rank)
{
    const tarn_bytes *key = key_of(rank);
    const void *data = &run;
    size_t bytes = 77;
    int result = tarn_get(run.tables[t], key->data, key->bytes, &data, &bytes);

    expect(result == (has(t, rank) ? TARN_OK : TARN_ABSENT));
    expect(has(t, rank) ? value_is(value_of(t, rank), data, bytes) : data == &run && bytes == 77);
}

void do_contains(size_t t, size_t rank)
{
    int result = tarn_contains(run.tables[t], key_of(rank)->data, key_of(rank)->bytes);

    expect(result == (has(t, rank) ? TARN_OK : TARN_ABSENT));
}

void do_take_entry(size_t t, size_t rank)
{
    const tarn_bytes *key = key_of(rank);
    const void *data = NULL;
    size_t bytes = 77;
    int result = tarn_take(run.tables[t], key->data, key->bytes, &data, &bytes);

    loans_end();
    if (!has(t, rank)) {
        expect(result == TARN_ABSENT && data == NULL && bytes == 77);
        return;
    }
    expect(result == TARN_OK && value_is(value_of(t, rank), data, bytes));
    model_unset(t, rank);
    do_contains(t, rank); /* a reading call: the value stays */
    expect(value_is(value_of(t, rank), data, bytes));
}

/* Go on with the bytes that a longer value of the same seed has. */
void do_append(size_t t, size_t rank, uint32_t word)
{
    const tarn_bytes *key = key_of(rank);
    size_t old_bytes = has(t, rank) ? value_of(t, rank)->bytes : 0;
    size_t bytes = tn_min(value_bytes_of(t, word), VALUE_BYTES_MAX - old_bytes);
    uint64_t seed = has(t, rank) ? value_of(t, rank)->seed : seed_of(word);
    int result;

    value_fill(run.value, old_bytes + bytes, seed);
    result = tarn_append(run.tables[t], key->data, key->bytes, run.value + old_bytes, bytes);
    loans_end();
    if (is_typed(t)) {
        expect(result == TARN_E_TYPE);
        return;
    }
    expect(result == TARN_OK || is_refusal(result));
    if (result == TARN_OK && (bytes > 0 || !has(t, rank)))
        model_set(t, rank, old_bytes + bytes, seed);
}

/* ---- types ----------------------------------------------------------------------------------- */

struct typed_call {
    size_t t, rank;
    int type;
    size_t bytes;
    bool fits; /* the table takes this type */
};

static void do_get_as(const struct typed_call *call)
{
    const tarn_bytes *key = key_of(call->rank);
    const void *data = NULL;
    bool present = has(call->t, call->rank);
    int result =
        tarn_get_as(run.tables[call->t], call->type, key->data, key->bytes, &data, call->bytes);

    if (!call->fits || (present && value_of(call->t, call->rank)->bytes != call->bytes))
        expect(result == TARN_E_TYPE);
    else
        expect(result == (present ? TARN_OK : TARN_ABSENT));
    expect(result == TARN_OK ? value_is(value_of(call->t, call->rank), data, call->bytes)
                             : data == NULL);
}

static void do_put_as(const struct typed_call *call, uint32_t word)
{
    const tarn_bytes *key = key_of(call->rank);
    int result;

    value_fill(run.value, call->bytes, seed_of(word));
    result =
        tarn_put_as(run.tables[call->t], call->type, key->data, key->bytes, run.value, call->bytes);
    loans_end();
    expect(call->fits ? result == TARN_OK || is_refusal(result) : result == TARN_E_TYPE);
    if (result == TARN_OK)
        model_set(call->t, call->rank, call->bytes, seed_of(word));
}

static void do_modify_as(const struct typed_call *call, uint32_t word)
{
    const tarn_bytes *key = key_of(call->rank);
    bool present = has(call->t, call->rank);
    void *data = NULL;
    int result =
        tarn_modify_as(run.tables[call->t], call->type, key->data, key->bytes, call->bytes, &data);

    loans_end();
    if (!call->fits || (present && value_of(call->t, call->rank)->bytes != call->bytes)) {
        expect(result == TARN_E_TYPE && data == NULL);
        return;
    }
    expect(result == TARN_OK || (!present && is_refusal(result)));
    if (result == TARN_OK)
        modified(call->t, call->rank, data, call->bytes, seed_of(word));
}

void do_typed(size_t t, size_t rank, uint32_t word)
{
    static const uint8_t bytes[] = { 0, 4, 4, 4, 8, 8, 8, 24 };
    int table_type = run.program->setting.types[t];
    struct typed_call call = { .t = t, .rank = rank, .type = TARN_I32 + (int)(word % 7) };

    if (table_type != TARN_ANY && word % 16 != 0)
        call.type = table_type;
    call.bytes = bytes[call.type];
    call.fits = table_type == TARN_ANY || table_type == call.type;
    if (word >> 8 & 1)
        do_get_as(&call);
    else if (word >> 9 & 1)
        do_put_as(&call, word);
    else
        do_modify_as(&call, word);
}

/* ---- many keys ------------------------------------------------------------------------------- */

void do_get_many(size_t t, size_t rank, uint32_t word)
{
    static tarn_bytes keys[GET_MANY_MAX], values[GET_MANY_MAX];
    static size_t ranks[GET_MANY_MAX];
    size_t count = word % GET_MANY_MAX, i;

    for (i = 0; i < count; i++, rank = (rank + word / 128) % run.universe.count) {
        ranks[i] = rank;
        keys[i] = *key_of(rank);
    }
    expect(tarn_get_many(run.tables[t], keys, count, values) == TARN_OK);
    for (i = 0; i < count; i++)
        expect(has(t, ranks[i]) ? value_is(value_of(t, ranks[i]), values[i].data, values[i].bytes)
                                : values[i].data == NULL);
}

/* All become values of the same size; a key of another size among them, and nothing happens. */
void do_modify_many(size_t t, size_t rank, uint32_t word)
{
    static tarn_bytes keys[GET_MANY_MAX];
    static void *values[GET_MANY_MAX];
    static size_t ranks[GET_MANY_MAX];
    size_t count = word % GET_MANY_MAX, bytes = value_bytes_of(t, word) % 2000, i;
    bool fits = true;
    int result;

    if (has(t, rank) && word % 16 != 0)
        bytes = value_of(t, rank)->bytes;
    for (i = 0; i < count; i++, rank = (rank + word / 128) % run.universe.count) {
        ranks[i] = rank;
        keys[i] = *key_of(rank);
        fits &= !has(t, rank) || value_of(t, rank)->bytes == bytes;
    }
    result = tarn_modify_many(run.tables[t], keys, count, bytes, values);
    loans_end();
    expect(result == TARN_OK || is_refusal(result) || (!fits && result == TARN_E_TYPE));
    expect(fits || result != TARN_OK);
    for (i = 0; result == TARN_OK && i < count && !outcome->failed; i++) /* keys may repeat */
        modified(t, ranks[i], values[i], bytes, seed_of(word + (uint32_t)ranks[i]));
}

void do_run(size_t t, size_t rank, uint32_t word, bool deletes)
{
    size_t count = word % run.program->setting.run_max, stride = 1 + word / 512 % 3;

    if (rank + count * stride > run.universe.count && run.program->setting.run_max > 1000)
        rank = run.universe.count > count * stride ? run.universe.count - count * stride : 0;
    for (; count > 0 && rank < run.universe.count && !outcome->failed; count--, rank += stride) {
        if (deletes)
            do_delete_at(t, rank, key_of(rank)->data);
        else
            do_put_at(t, rank, key_of(rank)->data, word % 0xFFFFFF + (uint32_t)count);
    }
}
