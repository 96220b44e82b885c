/*
 * dicts.c - operations on a dictionary that is open twice, once with a bound; see run.h
 */
#include "model/run.h"

const char dict_name[] = "words";

/* ---- the model ------------------------------------------------------------------------------- */

void model_dict_make(struct model_dict *dict)
{
    size_t bytes = run.universe.count * sizeof(uint32_t);

    dict->codes = malloc(bytes);
    dict->ranks = malloc(bytes);
    if (dict->codes == NULL || dict->ranks == NULL)
        abort();
    memset(dict->codes, 0xFF, bytes); /* TARN_DICT_NONE */
    dict->count = dict->emptied = 0;
}

void model_dict_free(struct model_dict *dict)
{
    free(dict->codes);
    free(dict->ranks);
    *dict = (struct model_dict){ 0 };
}

void model_dict_copy(struct model_dict *to, const struct model_dict *from)
{
    size_t bytes = run.universe.count * sizeof(uint32_t);

    if (to->codes == NULL)
        model_dict_make(to);
    memcpy(to->codes, from->codes, bytes);
    memcpy(to->ranks, from->ranks, from->count * sizeof(uint32_t));
    to->count = from->count;
}

void model_dict_empty(void)
{
    memset(run.dict.codes, 0xFF, run.universe.count * sizeof(uint32_t));
    run.dict.count = 0;
    run.dict.emptied = run.step;
    run.changed = true;
}

static void model_dict_add(size_t rank)
{
    run.dict.codes[rank] = run.dict.count;
    run.dict.ranks[run.dict.count++] = (uint32_t)rank;
    run.changed = true;
}

/* ---- opening --------------------------------------------------------------------------------- */

/* Memory may be refused, and comes back once there is room, or the refusals planned are over. */
static void dict_open(size_t handle, const tarn_dict_options *options)
{
    int result = TARN_E_MEMORY, tries = 0;

    for (; result != TARN_OK && tries < 1000; tries++) {
        result = tarn_dict_open(&run.dicts[handle], run.store, dict_name, options);
        expect(result == TARN_OK || is_refusal(result));
        if (result == TARN_E_FULL && tries == 10)
            make_room(SIZE_MAX);
    }
    expect(result == TARN_OK);
}

void dicts_open(void)
{
    const tarn_dict_options options = { .entry_count_max = run.dict_bound };

    dict_open(0, NULL);
    dict_open(1, &options);
}

/* ---- operations ------------------------------------------------------------------------------ */

/* Whether another key has no place, by the handle's bound. */
static bool is_full(size_t slot)
{
    return slot % 2 == 1 && run.dict.count >= run.dict_bound;
}

void do_encode(size_t slot, size_t rank)
{
    uint32_t code = 77, known = run.dict.codes[rank];
    int result =
        tarn_dict_encode(run.dicts[slot % 2], key_of(rank)->data, key_of(rank)->bytes, &code);

    loans_end();
    if (known != TARN_DICT_NONE) {
        expect(result == TARN_OK && code == known);
        return;
    }
    expect(is_full(slot) ? result == TARN_E_FULL : result == TARN_OK || is_refusal(result));
    expect(code == (result == TARN_OK ? run.dict.count : 77));
    if (result == TARN_OK)
        model_dict_add(rank);
}

/* After a failure keys without a code have none, and those before it have theirs. */
void do_encode_many(size_t slot, size_t rank, uint32_t word)
{
    static tarn_bytes keys[GET_MANY_MAX];
    static size_t ranks[GET_MANY_MAX];
    static uint32_t codes[GET_MANY_MAX];
    size_t count = word % GET_MANY_MAX, i;
    bool failed = false;
    int result;

    for (i = 0; i < count; i++, rank = (rank + word / 128) % run.universe.count) {
        ranks[i] = rank;
        keys[i] = *key_of(rank);
    }
    result = tarn_dict_encode_many(run.dicts[slot % 2], keys, count, codes);
    loans_end();
    for (i = 0; i < count; i++) {
        uint32_t known = run.dict.codes[ranks[i]];

        if (known != TARN_DICT_NONE) {
            expect(codes[i] == known);
        } else if (failed || codes[i] == TARN_DICT_NONE) {
            expect(codes[i] == TARN_DICT_NONE);
            expect(failed || (is_full(slot) ? result == TARN_E_FULL : is_refusal(result)));
            failed = true;
        } else {
            expect(!is_full(slot) && codes[i] == run.dict.count);
            model_dict_add(ranks[i]);
        }
    }
    expect(failed == (result < 0));
}

/* What a key of a table is made of: the code when there is one, else the key itself. */
static void look_at_packed(size_t rank, uint32_t code)
{
    static uint8_t packed[TARN_KEY_BYTES_MAX + 1];
    const tarn_bytes *key = key_of(rank);
    size_t room = key->bytes < TARN_KEY_BYTES_MAX ? key->bytes + 1 : 0;
    uint32_t again = 77;
    tarn_bytes raw = { &run, 77 };

    if (code != TARN_DICT_NONE) {
        expect(tarn_dict_coded_key(code, packed) == TARN_DICT_CODED_BYTES);
        expect(packed[1] == code >> 24 && packed[4] == (uint8_t)code);
        expect(tarn_dict_read_key(packed, TARN_DICT_CODED_BYTES, &again, &raw) == TARN_OK);
        expect(again == code && raw.data == &run);
        return;
    }
    expect(tarn_dict_raw_key(key->data, key->bytes, packed) == room);
    if (room == 0)
        return;
    expect(tarn_dict_read_key(packed, room, &again, &raw) == TARN_ABSENT);
    expect(again == 77 && raw.data == packed + 1 && keys_equal(&raw, key));
}

void do_find_code(size_t slot, size_t rank)
{
    uint32_t code = 77, known = run.dict.codes[rank];
    int result =
        tarn_dict_find(run.dicts[slot % 2], key_of(rank)->data, key_of(rank)->bytes, &code);

    expect(result == (known != TARN_DICT_NONE ? TARN_OK : TARN_ABSENT));
    expect(code == (known != TARN_DICT_NONE ? known : 77));
    look_at_packed(rank, known);
}

/* Codes that are given, and a few behind them. */
void do_decode(size_t slot, uint32_t word)
{
    uint32_t code = word % (run.dict.count + 3);
    tarn_bytes key = { &run, 77 };
    int result;

    if (word % 64 == 0)
        code = TARN_DICT_NONE;
    result = tarn_dict_decode(run.dicts[slot % 2], code, &key);
    expect(result == (code < run.dict.count ? TARN_OK : TARN_ABSENT));
    if (result == TARN_OK)
        expect(keys_equal(&key, key_of(run.dict.ranks[code])));
    else
        expect(key.data == &run && key.bytes == 77);
}

void do_dict_clear(size_t slot)
{
    int result = tarn_dict_clear(run.dicts[slot % 2]);

    loans_end();
    expect(result == TARN_OK || is_refusal(result));
    if (result == TARN_OK)
        model_dict_empty();
}

void do_dict_drop(size_t slot)
{
    uint32_t code;
    size_t i;

    expect(tarn_dict_drop(run.dicts[slot % 2]) == TARN_OK);
    loans_end();
    model_dict_empty();
    for (i = 0; i < 2; i++) {
        expect(tarn_dict_encode(run.dicts[i], "k", 1, &code) == TARN_E_MISUSE);
        expect(tarn_dict_count(run.dicts[i]) == 0);
        expect(tarn_dict_close(run.dicts[i]) == TARN_OK);
        run.dicts[i] = NULL;
    }
    dicts_open();
}

void do_dict_compare(size_t slot)
{
    uint32_t i;

    expect(tarn_dict_count(run.dicts[slot % 2]) == run.dict.count);
    for (i = 0; i < run.dict.count + 1 && !outcome->failed; i++) {
        do_decode(slot, i);
        if (i < run.dict.count)
            do_find_code(slot, run.dict.ranks[i]);
    }
}
