/*
 * model.c - programs of operations against a store that is trivially right; see model.h
 *
 * A program is a list of operations of 8 bytes and a setting; both come from a seed. Keys are drawn from
 * a universe made beforehand and sorted, so a table of the model is an array by rank: what is present,
 * with what value. A value is its size and a seed for its bytes.
 *
 *     seed --> setting + operations --> store  |  model
 *                                         compare after each operation; look inside now and then
 *
 * Every program runs in a child, so a crash is a failure like others. A failing program is made short
 * by leaving out parts of it as long as it fails, then printed in readable lines.
 */
#include "model.h"

#include "store/snapshot.h"

#include "allocator.h"
#include "test.h"

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define TABLES 3
#define ITERATORS 4
#define SNAPSHOTS 3
#define PROGRAM_MAX ((size_t)1 << 16)
#define UNIVERSE_MAX ((size_t)24000)
#define ARENA_BYTES ((size_t)8 << 20)
#define VALUE_BYTES_MAX ((size_t)400000)
#define GET_MANY_MAX 70

/* ---- programs ---------------------------------------------------------------------------------------------- */

enum verb {
    PUT,
    PUT_IF_ABSENT,
    MODIFY,
    DELETE,
    GET,
    GET_MANY,
    CONTAINS,
    SCAN,
    NEXT,
    SEEK,
    CLOSE_ITERATOR,
    PUT_CURRENT,    /* overwrite the entry an iterator gave last, by the key it lent */
    DELETE_CURRENT, /* the same, deleting */
    PUT_RUN,
    DELETE_RUN,
    CLEAR,
    DROP,
    OPEN_AGAIN,
    COMMIT,
    WORK,
    MISUSE,
    COMPARE,
    ADD,
    APPEND,
    TAKE_ENTRY,
    MODIFY_MANY,
    PLAIN_VERBS,
    TAKE = PLAIN_VERBS,
    RELEASE,
    RESTORE,
    VIEW_GET,
    VIEW_CLOSE,
    VIEW_SCAN,
    VIEW_COMPARE,
    VERB_COUNT
};

static const char *const verb_names[VERB_COUNT] = {
    "put",
    "put_if_absent",
    "modify",
    "delete",
    "get",
    "get_many",
    "contains",
    "scan",
    "next",
    "seek",
    "close",
    "put_current",
    "delete_current",
    "put_run",
    "delete_run",
    "clear",
    "drop",
    "open_again",
    "commit",
    "work",
    "misuse",
    "compare",
    "add",
    "append",
    "take_entry",
    "modify_many",
    "take",
    "release",
    "restore",
    "view_get",
    "view_close",
    "view_scan",
    "view_compare",
};

struct operation {
    uint8_t verb;
    uint8_t slot; /* of the table or the iterator */
    uint16_t key;
    uint32_t value; /* decides size, bytes, range, count: whatever the verb needs */
};

enum universe_kind {
    UNIVERSE_TINY,     /* a handful, prefixes of each other */
    UNIVERSE_COUNTERS, /* 8 bytes, big-endian */
    UNIVERSE_PREFIXED, /* long and alike up to their ends */
    UNIVERSE_BINARY,   /* of bytes 0, 1, 0xFF, up to 12 of them */
    UNIVERSE_LONG,     /* lengths around every limit, to 65,535 */
    UNIVERSE_LARGE,    /* 20,000 random 8-byte keys */
    UNIVERSE_KINDS
};

struct setting {
    uint64_t seed;
    enum universe_kind universe;
    size_t key_count;
    int kinds[TABLES];
    uint64_t limit_bytes;        /* 0: none */
    uint64_t snapshot_bytes_max; /* 0: none */
    uint64_t refuse_every;       /* of allocations; 0: none */
    uint64_t tick;               /* the store's first; near the wrap of records' ticks */
    size_t look_inside_every;
    size_t count; /* operations */
};

struct program {
    struct setting setting;
    struct operation operations[PROGRAM_MAX];
};

/* ---- the model ------------------------------------------------------------------------------------------------ */

struct model_value {
    bool present;
    uint32_t bytes;
    uint32_t seed;
    uint32_t changed; /* the step that wrote it last */
};

struct model_table {
    struct model_value values[UNIVERSE_MAX];
    uint64_t count;
    uint64_t bytes;
    uint32_t emptied; /* the step that cleared or dropped it last */
};

struct model_snapshot {
    tarn_snapshot *snapshot; /* NULL: not taken */
    tarn_table *views[TABLES];
    uint32_t taken;
    struct model_table tables[TABLES];
};

struct model_iterator {
    tarn_iterator *it; /* NULL: not open */
    size_t table;
    const struct model_snapshot *snapshot; /* NULL: over the table as it is */
    bool ordered, reverse, started, at_seek, ended, gone;
    size_t low, high; /* ranks */
    size_t last;
    uint32_t opened;
    bool has_current; /* `current_key` is on loan still */
    tarn_bytes current_key;
    uint8_t seen[UNIVERSE_MAX]; /* unordered */
};

struct run {
    const struct program *program;
    tarn_store *store;
    tarn_table *tables[TABLES];
    struct allocator allocator;
    bool may_refuse;
    uint32_t step;
    uint64_t commit_number;
    bool changed;
    tarn_bytes keys[UNIVERSE_MAX]; /* by rank */
    size_t key_count;
    uint8_t arena[ARENA_BYTES];
    uint8_t value[VALUE_BYTES_MAX];
    struct model_table model[TABLES];
    struct model_iterator iterators[ITERATORS];
    struct model_snapshot snapshots[SNAPSHOTS];
    bool limit_lifted;
};

/* What a child tells its parent. */
struct outcome {
    bool failed;
    uint32_t step;
    char text[200];
};

static struct run run;
static struct outcome *outcome;

#define expect(condition) ((condition) ? (void)0 : run_fail(__LINE__, #condition))

static void run_fail(int line, const char *what)
{
    if (outcome->failed)
        return;
    outcome->failed = true;
    outcome->step = run.step;
    snprintf(outcome->text, sizeof outcome->text, "%s:%d: is false: %s", __FILE__, line, what);
}

/* ---- the universe of keys ------------------------------------------------------------------------------------------ */

static int compare_plainly(const void *a, const void *b)
{
    const tarn_bytes *x = a, *y = b;
    const uint8_t *x_at = x->data, *y_at = y->data;
    size_t i;

    for (i = 0; i < x->bytes && i < y->bytes; i++)
        if (x_at[i] != y_at[i])
            return x_at[i] < y_at[i] ? -1 : 1;
    return (x->bytes > y->bytes) - (x->bytes < y->bytes);
}

static size_t universe_key(const struct setting *setting, uint64_t number, uint64_t random,
                           uint8_t *key)
{
    static const uint16_t lengths[] = { 0,   1,   7,   8,    9,    15,    16,    17,    253,  254,
                                        255, 256, 257, 4000, 4096, 32767, 65533, 65534, 65535 };
    static const uint8_t letters[] = { 0, 1, 0xFF };
    size_t bytes = 0, i;

    switch (setting->universe) {
    case UNIVERSE_TINY:
        memcpy(key, "aaaaaaab", 8);
        return number % 9;
    case UNIVERSE_COUNTERS:
        tn_store_be64(key, number);
        return 8;
    case UNIVERSE_PREFIXED:
        bytes = 20 + (size_t)(setting->seed % 400);
        memset(key, 'p', bytes);
        return bytes + (size_t)snprintf((char *)key + bytes, 32, "%" PRIu64, random % 3000);
    case UNIVERSE_BINARY:
        bytes = (size_t)(random % 13);
        for (i = 0; i < bytes; i++)
            key[i] = letters[(random >> (4 + 2 * i)) % 3];
        return bytes;
    case UNIVERSE_LONG:
        bytes = lengths[number % TN_ARRAY_COUNT(lengths)];
        memset(key, 'k', bytes);
        if (bytes > 0)
            key[random % 4 == 0 ? 0 : bytes - 1] = (uint8_t)(random >> 8);
        return bytes;
    default:
        tn_store_le64(key, random);
        return 8;
    }
}

static void universe_make(const struct setting *setting)
{
    uint64_t state = setting->seed, number;
    size_t at = 0, count = 0, i;

    for (number = 0; number < setting->key_count && at + 70000 < ARENA_BYTES; number++) {
        size_t bytes = universe_key(setting, number, test_random(&state), run.arena + at);

        run.keys[count++] = (tarn_bytes){ run.arena + at, bytes };
        at += bytes;
    }
    qsort(run.keys, count, sizeof run.keys[0], compare_plainly);
    run.key_count = 1;
    for (i = 1; i < count; i++)
        if (compare_plainly(&run.keys[i], &run.keys[run.key_count - 1]) != 0)
            run.keys[run.key_count++] = run.keys[i];
}

/* How many keys sort before this one. */
static size_t rank_of(const tarn_bytes *key)
{
    size_t low = 0, high = run.key_count;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (compare_plainly(&run.keys[middle], key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* ---- values ------------------------------------------------------------------------------------------------------------ */

static size_t value_bytes_of(uint32_t word)
{
    static const uint32_t edges[] = { 65533, 65534, 65535, 65536, 131071, 131072, 131073, 390000 };
    uint32_t kind = word >> 24;

    if (kind < 200 || run.program->setting.universe == UNIVERSE_LARGE)
        return word % 41;
    if (kind < 250)
        return word % 1200;
    if (kind < 254)
        return word % 9000;
    return edges[word % TN_ARRAY_COUNT(edges)];
}

static void value_fill(uint8_t *at, size_t bytes, uint32_t seed)
{
    size_t i;

    for (i = 0; i < bytes; i++)
        at[i] = (uint8_t)(seed + i * 7 + (i >> 8));
}

static bool value_is(const struct model_value *value, const void *data, size_t bytes)
{
    const uint8_t *at = data;
    size_t i;

    if (data == NULL || (uintptr_t)data % 8 != 0 || bytes != value->bytes)
        return false;
    for (i = 0; i < bytes; i++)
        if (at[i] != (uint8_t)(value->seed + i * 7 + (i >> 8)))
            return false;
    return true;
}

/* ---- what the model does -------------------------------------------------------------------------------------------------- */

static void model_put(size_t t, size_t rank, size_t bytes, uint32_t seed)
{
    struct model_table *model = &run.model[t];
    struct model_value *value = &model->values[rank];

    if (value->present) {
        model->bytes -= value->bytes;
    } else {
        model->count++;
        model->bytes += run.keys[rank].bytes;
    }
    *value = (struct model_value){ true, (uint32_t)bytes, seed, run.step };
    model->bytes += bytes;
    run.changed = true;
}

static void model_delete(size_t t, size_t rank)
{
    struct model_table *model = &run.model[t];

    model->count--;
    model->bytes -= run.keys[rank].bytes + model->values[rank].bytes;
    model->values[rank].present = false;
    run.changed = true;
}

static void model_empty(size_t t, bool gone)
{
    size_t i;

    memset(run.model[t].values, 0, run.key_count * sizeof run.model[t].values[0]);
    run.model[t].count = run.model[t].bytes = 0;
    run.model[t].emptied = run.step;
    for (i = 0; i < ITERATORS; i++)
        if (run.iterators[i].it != NULL && run.iterators[i].table == t &&
            run.iterators[i].snapshot == NULL) {
            run.iterators[i].ended = true;
            run.iterators[i].gone |= gone;
        }
    run.changed = true;
}

/* What the iterator reads. */
static const struct model_table *model_of(const struct model_iterator *it)
{
    return it->snapshot != NULL ? &it->snapshot->tables[it->table] : &run.model[it->table];
}

/* The rank the iterator must give next; key_count: none. */
static size_t model_next(const struct model_iterator *it)
{
    const struct model_value *values = model_of(it)->values;
    size_t rank;

    if (!it->reverse) {
        rank = !it->started ? it->low : it->at_seek ? tn_max(it->last, it->low) : it->last + 1;
        while (rank < it->high && !values[rank].present)
            rank++;
        return rank < it->high ? rank : run.key_count;
    }
    rank = !it->started ? it->high : it->at_seek ? tn_min(it->last + 1, it->high) : it->last;
    while (rank > it->low && !values[rank - 1].present)
        rank--;
    return rank > it->low ? rank - 1 : run.key_count;
}

/* Calls that are not reads end what get and next have lent. */
static void loans_end(void)
{
    size_t i;

    for (i = 0; i < ITERATORS; i++)
        run.iterators[i].has_current = false;
}

/* ---- operations -------------------------------------------------------------------------------------------------------------- */

static bool is_refusal(int result)
{
    return run.may_refuse && (result == TARN_E_MEMORY || result == TARN_E_FULL);
}

/* Whether the snapshot has failed, as it may where memory is short, and then nothing else is answered. */
static bool has_failed(const struct model_snapshot *s)
{
    const struct setting *setting = &run.program->setting;

    expect(s->snapshot->failure == NULL || run.may_refuse || setting->snapshot_bytes_max != 0);
    return s->snapshot->failure != NULL;
}

static void do_put_at(size_t t, size_t rank, const void *key, uint32_t word)
{
    size_t bytes = value_bytes_of(word);
    int result;

    value_fill(run.value, bytes, word);
    result = tarn_put(run.tables[t], key, run.keys[rank].bytes, run.value, bytes);
    loans_end();
    expect(result == TARN_OK || is_refusal(result));
    if (result == TARN_OK)
        model_put(t, rank, bytes, word);
}

static void do_put_if_absent(size_t t, size_t rank, uint32_t word)
{
    const tarn_bytes *key = &run.keys[rank];
    const struct model_value *value = &run.model[t].values[rank];
    size_t bytes = value_bytes_of(word), old_bytes = 77;
    const void *old = NULL;
    int result;

    value_fill(run.value, bytes, word);
    result = tarn_put_if_absent(run.tables[t], key->data, key->bytes, run.value, bytes, &old,
                                &old_bytes);
    loans_end();
    if (value->present) {
        expect(result == TARN_PRESENT && value_is(value, old, old_bytes));
        return;
    }
    expect(result == TARN_OK || is_refusal(result));
    expect(old == NULL && old_bytes == 77);
    if (result == TARN_OK)
        model_put(t, rank, bytes, word);
}

static void do_modify(size_t t, size_t rank, uint32_t word)
{
    const tarn_bytes *key = &run.keys[rank];
    struct model_value *value = &run.model[t].values[rank];
    size_t bytes = value->present && word % 8 != 0 ? value->bytes : value_bytes_of(word);
    const struct model_value zeros = { .bytes = (uint32_t)bytes };
    void *data = NULL;
    int result = tarn_modify(run.tables[t], key->data, key->bytes, bytes, &data);
    size_t i;

    loans_end();
    if (value->present && bytes != value->bytes) {
        expect(result == TARN_E_TYPE && data == NULL);
        return;
    }
    if (value->present)
        expect(result == TARN_OK && value_is(value, data, bytes));
    expect(result == TARN_OK || (!value->present && is_refusal(result)));
    if (result != TARN_OK)
        return;
    expect((uintptr_t)data % 8 == 0);
    for (i = 0; !value->present && i < zeros.bytes; i++)
        expect(((uint8_t *)data)[i] == 0);
    value_fill(data, bytes, word);
    model_put(t, rank, bytes, word);
}

static void do_delete_at(size_t t, size_t rank, const void *key)
{
    int result = tarn_delete(run.tables[t], key, run.keys[rank].bytes);

    loans_end();
    expect(result == (run.model[t].values[rank].present ? TARN_OK : TARN_ABSENT));
    if (run.model[t].values[rank].present)
        model_delete(t, rank);
}

static void do_get(size_t t, size_t rank)
{
    const tarn_bytes *key = &run.keys[rank];
    const struct model_value *value = &run.model[t].values[rank];
    const void *data = &run;
    size_t bytes = 77;
    int result = tarn_get(run.tables[t], key->data, key->bytes, &data, &bytes);

    expect(result == (value->present ? TARN_OK : TARN_ABSENT));
    expect(value->present ? value_is(value, data, bytes) : data == &run && bytes == 77);
}

static void do_contains(size_t t, size_t rank)
{
    int result = tarn_contains(run.tables[t], run.keys[rank].data, run.keys[rank].bytes);

    expect(result == (run.model[t].values[rank].present ? TARN_OK : TARN_ABSENT));
}

static void do_get_many(size_t t, size_t rank, uint32_t word)
{
    static tarn_bytes keys[GET_MANY_MAX], values[GET_MANY_MAX];
    size_t count = word % GET_MANY_MAX, i, at = rank;

    for (i = 0; i < count; i++) {
        keys[i] = run.keys[at];
        at = (at + word / 128) % run.key_count;
    }
    expect(tarn_get_many(run.tables[t], keys, count, values) == TARN_OK);
    for (i = 0, at = rank; i < count; i++) {
        const struct model_value *value = &run.model[t].values[at];

        expect(value->present ? value_is(value, values[i].data, values[i].bytes)
                              : values[i].data == NULL);
        at = (at + word / 128) % run.key_count;
    }
}

/* Make the number in a value of 8 bytes the one that the model's next value has as its bytes. */
static void do_add(size_t t, size_t rank, uint32_t word)
{
    const tarn_bytes *key = &run.keys[rank];
    const struct model_value *value = &run.model[t].values[rank];
    int64_t delta, sum = 77, wanted = 0, old = 0;
    uint8_t bytes[8];
    bool fits;
    int result;

    value_fill(bytes, sizeof bytes, word);
    wanted = (int64_t)tn_load_le64(bytes);
    value_fill(bytes, sizeof bytes, value->seed);
    if (value->present && value->bytes == sizeof bytes)
        old = (int64_t)tn_load_le64(bytes);
    fits = !__builtin_sub_overflow(wanted, old, &delta);
    if (!fits)
        delta = old < 0 ? INT64_MIN : INT64_MAX; /* overflows, too */
    result = tarn_add_i64(run.tables[t], key->data, key->bytes, delta, &sum);
    loans_end();
    if (value->present && (value->bytes != sizeof bytes || !fits)) {
        expect(result == TARN_E_TYPE && sum == 77);
        return;
    }
    expect(result == TARN_OK || (!value->present && is_refusal(result)));
    if (result != TARN_OK)
        return;
    expect(sum == wanted);
    if (!value->present || delta != 0)
        model_put(t, rank, sizeof bytes, word);
}

/* Go on with the bytes that a longer value of the same seed has. */
static void do_append(size_t t, size_t rank, uint32_t word)
{
    const tarn_bytes *key = &run.keys[rank];
    const struct model_value *value = &run.model[t].values[rank];
    size_t old_bytes = value->present ? value->bytes : 0;
    size_t bytes = tn_min(value_bytes_of(word), VALUE_BYTES_MAX - old_bytes);
    uint32_t seed = value->present ? value->seed : word;
    int result;

    value_fill(run.value, old_bytes + bytes, seed);
    result = tarn_append(run.tables[t], key->data, key->bytes, run.value + old_bytes, bytes);
    loans_end();
    expect(result == TARN_OK || is_refusal(result));
    if (result == TARN_OK && (bytes > 0 || !value->present))
        model_put(t, rank, old_bytes + bytes, seed);
}

static void do_take_entry(size_t t, size_t rank)
{
    const tarn_bytes *key = &run.keys[rank];
    const struct model_value value = run.model[t].values[rank];
    const void *data = NULL;
    size_t bytes = 77;
    int result = tarn_take(run.tables[t], key->data, key->bytes, &data, &bytes);

    loans_end();
    if (!value.present) {
        expect(result == TARN_ABSENT && data == NULL && bytes == 77);
        return;
    }
    expect(result == TARN_OK && value_is(&value, data, bytes));
    model_delete(t, rank);
    do_contains(t, rank); /* a reading call: the value stays */
    expect(value_is(&value, data, bytes));
}

/* All become values of the same size; a key of another size among them, and nothing happens. */
static void do_modify_many(size_t t, size_t rank, uint32_t word)
{
    static tarn_bytes keys[GET_MANY_MAX];
    static void *values[GET_MANY_MAX];
    static size_t ranks[GET_MANY_MAX];
    size_t count = word % GET_MANY_MAX, bytes = value_bytes_of(word) % 2000, i;
    bool fits = true;
    int result;

    if (run.model[t].values[rank].present && word % 16 != 0)
        bytes = run.model[t].values[rank].bytes;
    for (i = 0; i < count; i++, rank = (rank + word / 128) % run.key_count) {
        const struct model_value *value = &run.model[t].values[rank];

        ranks[i] = rank;
        keys[i] = run.keys[rank];
        fits &= !value->present || value->bytes == bytes;
    }
    result = tarn_modify_many(run.tables[t], keys, count, bytes, values);
    loans_end();
    expect(result == TARN_OK || is_refusal(result) || (!fits && result == TARN_E_TYPE));
    expect(fits || result != TARN_OK);
    for (i = 0; result == TARN_OK && i < count && !outcome->failed; i++) {
        const struct model_value *value = &run.model[t].values[ranks[i]];

        expect(value->present ? value_is(value, values[i], bytes)
                              : bytes == 0 || *(const uint8_t *)values[i] == 0);
        value_fill(values[i], bytes, word + (uint32_t)ranks[i]);
        model_put(t, ranks[i], bytes, word + (uint32_t)ranks[i]);
    }
}

static void iterator_close(struct model_iterator *it)
{
    if (it->it != NULL)
        expect(tarn_iterator_close(it->it) == TARN_OK);
    it->it = NULL;
    loans_end();
}

/* A bound near a key of the universe: the key, a little shorter, or a little longer. */
static tarn_bytes bound_near(size_t rank, uint32_t word, uint8_t *scratch)
{
    tarn_bytes key = run.keys[rank];

    memcpy(scratch, key.data, key.bytes);
    if (word % 4 == 1 && key.bytes > 0)
        key.bytes--;
    else if (word % 4 == 2 && key.bytes < TARN_KEY_BYTES_MAX)
        scratch[key.bytes++] = (uint8_t)(word >> 4 & 1 ? 0xFF : 0);
    key.data = scratch;
    return key;
}

static bool has_prefix(size_t rank, const tarn_bytes *prefix)
{
    return run.keys[rank].bytes >= prefix->bytes &&
           memcmp(run.keys[rank].data, prefix->data, prefix->bytes) == 0;
}

static void range_make(tarn_range *range, struct model_iterator *it, size_t rank, uint32_t word)
{
    static uint8_t scratch[3][TARN_KEY_BYTES_MAX + 1];

    *range = (tarn_range){ .reverse = (word & 1) != 0 };
    it->low = 0;
    it->high = run.key_count;
    if ((word & 2) != 0) {
        range->lower = bound_near(rank, word >> 8, scratch[0]);
        it->low = rank_of(&range->lower);
    }
    if ((word & 4) != 0) {
        range->upper =
            bound_near((rank + (word >> 12) % 64) % run.key_count, word >> 6, scratch[1]);
        it->high = rank_of(&range->upper);
    }
    if ((word & 24) == 24) {
        range->prefix = bound_near(rank, word >> 10, scratch[2]);
        range->prefix.bytes = (word >> 20) % (range->prefix.bytes + 1);
        while (it->low < it->high && !has_prefix(it->low, &range->prefix))
            it->low++;
        while (it->high > it->low && !has_prefix(it->high - 1, &range->prefix))
            it->high--;
    }
    it->high = tn_max(it->low, it->high);
}

/* `snapshot` NULL: of a table as it is. */
static void do_scan(size_t slot, size_t rank, uint32_t word, const struct model_snapshot *snapshot)
{
    struct model_iterator *it = &run.iterators[slot];
    tarn_table *table = run.tables[(word >> 28) % TABLES];
    tarn_range range;
    int result;

    if (snapshot != NULL)
        table = snapshot->views[(word >> 28) % TABLES];
    iterator_close(it);
    memset(it, 0, offsetof(struct model_iterator, seen) + run.key_count);
    it->table = (word >> 28) % TABLES;
    it->ordered = run.program->setting.kinds[it->table] == TARN_ORDERED;
    range_make(&range, it, rank, it->ordered ? word : 0);
    it->reverse = range.reverse != 0;
    it->opened = run.step;
    it->snapshot = snapshot;
    result = tarn_scan(&it->it, table, word % 16 == 0 ? NULL : &range);
    if (snapshot != NULL && has_failed(snapshot))
        expect(result == TARN_E_FULL);
    else
        expect(result == TARN_OK || is_refusal(result));
    expect((result == TARN_OK) == (it->it != NULL));
}

static void unordered_end(const struct model_iterator *it)
{
    const struct model_value *values = model_of(it)->values;
    size_t rank;

    for (rank = 0; rank < run.key_count; rank++)
        if (values[rank].present && (it->snapshot != NULL || values[rank].changed < it->opened))
            expect(it->seen[rank] == 1);
}

static void do_next(size_t slot)
{
    struct model_iterator *it = &run.iterators[slot];
    tarn_bytes key = { &run, 77 }, value = { &run, 77 };
    size_t rank, wanted;
    int result;

    if (it->it == NULL)
        return;
    wanted = it->ordered && !it->ended ? model_next(it) : run.key_count;
    result = tarn_next(it->it, &key, &value);
    it->has_current = false;
    if (it->gone) {
        expect(result == TARN_E_MISUSE);
        return;
    }
    if (it->snapshot != NULL && has_failed(it->snapshot)) {
        expect(result == TARN_E_FULL);
        return;
    }
    if (result != TARN_OK) {
        expect(result == TARN_END && wanted == run.key_count);
        expect(key.data == &run && value.data == &run);
        if (!it->ended && !it->ordered)
            unordered_end(it);
        it->ended = true;
        return;
    }
    expect(!it->ended);
    rank = rank_of(&key);
    expect(rank < run.key_count && compare_plainly(&run.keys[rank], &key) == 0);
    if (outcome->failed)
        return;
    expect(model_of(it)->values[rank].present);
    expect(value_is(&model_of(it)->values[rank], value.data, value.bytes));
    expect(!it->ordered || rank == wanted);
    expect(it->ordered || it->seen[rank]++ == 0);
    it->started = true;
    it->at_seek = false;
    it->last = rank;
    it->has_current = true;
    it->current_key = key;
}

static void do_seek(size_t slot, size_t rank)
{
    struct model_iterator *it = &run.iterators[slot];
    int result;

    if (it->it == NULL)
        return;
    result = tarn_seek(it->it, run.keys[rank].data, run.keys[rank].bytes);
    loans_end();
    if (it->snapshot != NULL && !it->gone && has_failed(it->snapshot)) {
        expect(result == TARN_E_FULL);
        return;
    }
    if (it->gone || !it->ordered) {
        expect(result == TARN_E_MISUSE);
        return;
    }
    expect(result == TARN_OK || is_refusal(result));
    if (result != TARN_OK)
        return;
    it->started = it->at_seek = true;
    it->ended = false;
    it->last = rank;
}

static void do_current(size_t slot, uint32_t word, bool deletes)
{
    struct model_iterator *it = &run.iterators[slot];

    if (it->it == NULL || !it->has_current)
        return;
    if (deletes)
        do_delete_at(it->table, it->last, it->current_key.data);
    else
        do_put_at(it->table, it->last, it->current_key.data, word);
}

static void do_run(size_t t, size_t rank, uint32_t word, bool deletes)
{
    size_t count = word % 300, stride = 1 + word / 512 % 3;

    for (; count > 0 && rank < run.key_count && !outcome->failed; count--, rank += stride) {
        if (deletes)
            do_delete_at(t, rank, run.keys[rank].data);
        else
            do_put_at(t, rank, run.keys[rank].data, word % 0xFFFFFF + (uint32_t)count);
    }
}

static const char *const table_names[TABLES] = { "first", "second", "third" };

static void view_close(struct model_snapshot *s, size_t t)
{
    if (s->views[t] != NULL)
        expect(tarn_table_close(s->views[t]) == TARN_OK);
    s->views[t] = NULL;
}

/* Handles and iterators are closed before the release or after it, as the word says. */
static void do_release(size_t slot, uint32_t word)
{
    struct model_snapshot *s = &run.snapshots[slot];
    bool before = word % 2 == 0;
    const void *data;
    size_t bytes, i;

    if (s->snapshot == NULL)
        return;
    for (i = 0; i < ITERATORS; i++)
        if (run.iterators[i].it != NULL && run.iterators[i].snapshot == s) {
            run.iterators[i].gone = true;
            if (before)
                iterator_close(&run.iterators[i]);
        }
    for (i = 0; before && i < TABLES; i++)
        view_close(s, i);
    expect(tarn_snapshot_release(s->snapshot) == TARN_OK);
    loans_end();
    s->snapshot = NULL;
    for (i = 0; i < TABLES; i++) {
        if (s->views[i] == NULL)
            continue;
        expect(tarn_get(s->views[i], "k", 1, &data, &bytes) == TARN_E_MISUSE);
        expect(tarn_table_count(s->views[i]) == 0);
        view_close(s, i);
    }
}

static void table_open(size_t t)
{
    const tarn_table_options options = { .kind = run.program->setting.kinds[t] };
    int result = TARN_E_MEMORY, tries = 0;

    for (; result != TARN_OK && tries < 1000; tries++) {
        result = tarn_table_open(&run.tables[t], run.store, table_names[t], &options);
        expect(result == TARN_OK || is_refusal(result));
        if (result == TARN_E_FULL && tries == 10) {
            uint64_t i; /* a full store: make room, as users have to */

            for (i = 0; i < SNAPSHOTS; i++)
                do_release(i, 0);
            for (i = 0; i < TABLES; i++)
                if (i != t && run.tables[i] != NULL && tarn_table_clear(run.tables[i]) == TARN_OK)
                    model_empty(i, false);
            while (tarn_work(run.store, UINT64_MAX) == TARN_OK) {
            }
        }
    }
    expect(result == TARN_OK);
}

static void do_clear(size_t t)
{
    int result = tarn_table_clear(run.tables[t]);

    loans_end();
    expect(result == TARN_OK || is_refusal(result));
    if (result == TARN_OK)
        model_empty(t, false);
}

static void do_drop(size_t t)
{
    tarn_table *old = run.tables[t];
    void *data;

    expect(tarn_table_drop(old) == TARN_OK);
    loans_end();
    model_empty(t, true);
    expect(tarn_put(old, "k", 1, "v", 1) == TARN_E_MISUSE);
    expect(tarn_modify(old, "k", 1, 8, &data) == TARN_E_MISUSE);
    expect(tarn_table_count(old) == 0);
    run.tables[t] = NULL;
    expect(tarn_table_close(old) == TARN_OK);
    table_open(t);
}

static void do_open_again(size_t t)
{
    tarn_table *again = NULL;

    expect(tarn_table_open(&again, run.store, table_names[t], NULL) == TARN_OK);
    expect(again == run.tables[t]);
    expect(tarn_table_close(again) == TARN_OK);
    loans_end();
}

static void do_commit(uint32_t word)
{
    uint32_t note = word % 3;
    tarn_bytes old;
    uint64_t number;
    bool same;
    int result;

    expect(tarn_last_commit(run.store, NULL, &old) == TARN_OK);
    same = old.bytes == sizeof note && memcmp(old.data, &note, sizeof note) == 0;
    result = tarn_commit(run.store, &note, sizeof note, word & TARN_SYNC);
    loans_end();
    expect(result == TARN_OK || is_refusal(result));
    if (result == TARN_OK && (run.changed || !same)) {
        run.commit_number++;
        run.changed = false;
    }
    expect(tarn_last_commit(run.store, &number, &old) == TARN_OK && number == run.commit_number);
    expect(result != TARN_OK || (old.bytes == 4 && memcmp(old.data, &note, 4) == 0));
}

static void do_misuse(size_t t, size_t rank, uint32_t word)
{
    static uint8_t long_key[TARN_KEY_BYTES_MAX + 1];
    const tarn_bytes *key = &run.keys[rank];
    size_t bytes = sizeof long_key;
    tarn_iterator *it = NULL;
    const void *data;
    void *modified;

    switch (word % 8) {
    case 0:
        expect(tarn_put(run.tables[t], long_key, bytes, "v", 1) == TARN_E_MISUSE);
        break;
    case 1:
        expect(tarn_get(run.tables[t], long_key, bytes, &data, &bytes) == TARN_E_MISUSE);
        break;
    case 2:
        expect(tarn_put(run.tables[t], key->data, key->bytes, NULL, 1) == TARN_E_MISUSE);
        break;
    case 3:
        expect(tarn_put(run.tables[t], key->data, key->bytes, "", (size_t)1 << 32) ==
               TARN_E_MISUSE);
        break;
    case 4:
        expect(tarn_modify(run.tables[t], long_key, bytes, 8, &modified) == TARN_E_MISUSE);
        break;
    case 5:
        expect(tarn_delete(run.tables[t], NULL, 4) == TARN_E_MISUSE);
        break;
    case 6:
        expect(tarn_scan(&it, run.tables[t], &(tarn_range){ .lower = { long_key, bytes } }) ==
               TARN_E_MISUSE);
        break;
    default:
        expect(tarn_commit(run.store, NULL, 1, 0) == TARN_E_MISUSE);
    }
    expect(tarn_error_text(run.store)[0] != 0);
    loans_end();
}

/* Everything of a table, by a scan of its own. */
static void do_compare(size_t t, uint32_t word, const struct model_snapshot *snapshot)
{
    const struct model_table *model = snapshot != NULL ? &snapshot->tables[t] : &run.model[t];
    tarn_table *table = snapshot != NULL ? snapshot->views[t] : run.tables[t];
    bool ordered = run.program->setting.kinds[t] == TARN_ORDERED;
    const tarn_range range = { .reverse = ordered && word % 2 };
    size_t found = 0, rank, last = range.reverse ? run.key_count : 0;
    tarn_iterator *it = NULL;
    tarn_bytes key, value;
    int result = tarn_scan(&it, table, &range);

    loans_end();
    if (snapshot != NULL && has_failed(snapshot))
        expect(result == TARN_E_FULL);
    else
        expect(result == TARN_OK || is_refusal(result));
    if (result != TARN_OK)
        return;
    while ((result = tarn_next(it, &key, &value)) == TARN_OK && !outcome->failed) {
        rank = rank_of(&key);
        expect(rank < run.key_count && compare_plainly(&run.keys[rank], &key) == 0);
        expect(value_is(&model->values[rank], value.data, value.bytes));
        expect(model->values[rank].present);
        expect(!ordered || found == 0 || (range.reverse ? rank < last : rank > last));
        last = rank;
        found++;
    }
    expect(result == TARN_END && found == model->count);
    expect(tarn_iterator_close(it) == TARN_OK);
}

/* ---- operations on snapshots ------------------------------------------------------------------------------------------------- */

/* Room is copied by table, and of a table only what can be in use. */
static void model_copy(struct model_table *to, const struct model_table *from)
{
    memcpy(to->values, from->values, run.key_count * sizeof to->values[0]);
    to->count = from->count;
    to->bytes = from->bytes;
}

static void do_take(size_t slot)
{
    struct model_snapshot *s = &run.snapshots[slot];
    size_t t;
    int result;

    do_release(slot, run.step);
    result = tarn_snapshot_take(&s->snapshot, run.store);
    loans_end();
    expect(result == TARN_OK || is_refusal(result));
    s->taken = run.step;
    for (t = 0; t < TABLES; t++)
        model_copy(&s->tables[t], &run.model[t]);
}

/* NULL: not taken, failed, or refused. */
static struct model_snapshot *view_open(size_t slot, size_t t)
{
    struct model_snapshot *s = &run.snapshots[slot];
    tarn_table *again;
    int result;

    if (s->snapshot == NULL)
        return NULL;
    result = tarn_snapshot_table(&again, s->snapshot, table_names[t]);
    loans_end();
    if (has_failed(s))
        expect(result == TARN_E_FULL && again == NULL);
    else
        expect(result == TARN_OK || is_refusal(result));
    if (result != TARN_OK)
        return NULL;
    expect(s->views[t] == NULL || s->views[t] == again);
    if (s->views[t] != NULL)
        expect(tarn_table_close(again) == TARN_OK);
    s->views[t] = again;
    return s;
}

static void do_view_get(size_t slot, size_t t, size_t rank)
{
    static tarn_bytes values[GET_MANY_MAX];
    struct model_snapshot *s = view_open(slot, t);
    const struct model_value *value;
    const void *data = NULL;
    size_t bytes = 0, count, i;

    if (s == NULL)
        return;
    for (count = 0; count < 20 && rank + count < run.key_count; count++) {
        const tarn_bytes *key = &run.keys[rank + count];

        value = &s->tables[t].values[rank + count];
        expect(tarn_get(s->views[t], key->data, key->bytes, &data, &bytes) ==
               (value->present ? TARN_OK : TARN_ABSENT));
        expect(!value->present || value_is(value, data, bytes));
        expect(tarn_contains(s->views[t], key->data, key->bytes) ==
               (value->present ? TARN_OK : TARN_ABSENT));
        expect(tarn_put(s->views[t], key->data, key->bytes, "", 0) == TARN_E_MISUSE);
    }
    expect(tarn_get_many(s->views[t], run.keys + rank, count, values) == TARN_OK);
    for (i = 0; i < count; i++) {
        value = &s->tables[t].values[rank + i];
        expect(value->present ? value_is(value, values[i].data, values[i].bytes)
                              : values[i].data == NULL);
    }
    loans_end();
}

static void do_view_close(size_t slot, size_t t)
{
    struct model_snapshot *s = &run.snapshots[slot];

    if (s->snapshot != NULL)
        view_close(s, t); /* its iterators go on */
    loans_end();
}

static void do_view_scan(size_t iterator, size_t slot, size_t rank, uint32_t word)
{
    struct model_snapshot *s = view_open(slot, (word >> 28) % TABLES);

    if (s != NULL)
        do_scan(iterator, rank, word, s);
}

/* What the model says after a restore. */
static void model_restore(const struct model_snapshot *s, size_t t)
{
    struct model_table *model = &run.model[t];
    size_t rank;

    if (model->emptied > s->taken)
        model_empty(t, false);
    for (rank = 0; rank < run.key_count; rank++) {
        const struct model_value *old = &s->tables[t].values[rank];
        struct model_value *value = &model->values[rank];

        if (old->present == value->present &&
            (!old->present || (old->bytes == value->bytes && old->seed == value->seed)))
            continue;
        *value = *old;
        value->changed = run.step;
    }
    model->count = s->tables[t].count;
    model->bytes = s->tables[t].bytes;
}

static void do_restore(size_t slot)
{
    struct model_snapshot *s = &run.snapshots[slot];
    size_t t;
    int result;

    if (s->snapshot == NULL)
        return;
    result = tarn_snapshot_restore(s->snapshot);
    loans_end();
    if (has_failed(s)) {
        expect(result == TARN_E_FULL);
        return;
    }
    expect(result == TARN_OK || is_refusal(result));
    if (result != TARN_OK) { /* once there is room, it can be repeated */
        run.allocator.refuse_at = UINT64_MAX;
        run.store->memory.limit_bytes = UINT64_MAX;
        run.limit_lifted = true;
        expect(tarn_snapshot_restore(s->snapshot) == TARN_OK);
    }
    run.changed = true;
    for (t = 0; t < TABLES; t++)
        model_restore(s, t);
}

static void snapshots_compare_counts(void)
{
    size_t i, t;

    for (i = 0; i < SNAPSHOTS; i++)
        for (t = 0; t < TABLES; t++) {
            const struct model_snapshot *s = &run.snapshots[i];
            bool failed = s->snapshot != NULL && has_failed(s);

            if (s->snapshot == NULL || s->views[t] == NULL)
                continue;
            expect(tarn_table_count(s->views[t]) == (failed ? 0 : s->tables[t].count));
            expect(tarn_table_bytes(s->views[t]) == (failed ? 0 : s->tables[t].bytes));
        }
}

static void do_work(uint32_t word)
{
    int result = tarn_work(run.store, word % 2 ? UINT64_MAX : word % 100000);
    tarn_statistics stat;

    loans_end();
    expect(result == TARN_OK || result == TARN_END);
    expect(tarn_stat(run.store, &stat) == TARN_OK);
    expect(result != TARN_END || stat.garbage_bytes == 0);
}

static void operation_run(const struct operation *o)
{
    size_t t = o->slot % TABLES, slot = o->slot % ITERATORS, rank = o->key % run.key_count;

    switch ((enum verb)o->verb) {
    case PUT:
        do_put_at(t, rank, run.keys[rank].data, o->value);
        break;
    case PUT_IF_ABSENT:
        do_put_if_absent(t, rank, o->value);
        break;
    case MODIFY:
        do_modify(t, rank, o->value);
        break;
    case DELETE:
        do_delete_at(t, rank, run.keys[rank].data);
        break;
    case GET:
        do_get(t, rank);
        break;
    case GET_MANY:
        do_get_many(t, rank, o->value);
        break;
    case CONTAINS:
        do_contains(t, rank);
        break;
    case SCAN:
        do_scan(slot, rank, o->value, NULL);
        break;
    case NEXT:
        do_next(slot);
        break;
    case SEEK:
        do_seek(slot, rank);
        break;
    case CLOSE_ITERATOR:
        iterator_close(&run.iterators[slot]);
        break;
    case PUT_CURRENT:
        do_current(slot, o->value, false);
        break;
    case DELETE_CURRENT:
        do_current(slot, o->value, true);
        break;
    case PUT_RUN:
        do_run(t, rank, o->value, false);
        break;
    case DELETE_RUN:
        do_run(t, rank, o->value, true);
        break;
    case CLEAR:
        do_clear(t);
        break;
    case DROP:
        do_drop(t);
        break;
    case OPEN_AGAIN:
        do_open_again(t);
        break;
    case COMMIT:
        do_commit(o->value);
        break;
    case WORK:
        do_work(o->value);
        break;
    case MISUSE:
        do_misuse(t, rank, o->value);
        break;
    case COMPARE:
        do_compare(t, o->value, NULL);
        break;
    case TAKE:
        do_take(o->slot % SNAPSHOTS);
        break;
    case RELEASE:
        do_release(o->slot % SNAPSHOTS, o->value);
        break;
    case RESTORE:
        do_restore(o->slot % SNAPSHOTS);
        break;
    case VIEW_GET:
        do_view_get(o->slot % SNAPSHOTS, o->value % TABLES, rank);
        break;
    case VIEW_CLOSE:
        do_view_close(o->slot % SNAPSHOTS, o->value % TABLES);
        break;
    case VIEW_SCAN:
        do_view_scan(slot, o->slot / ITERATORS % SNAPSHOTS, rank, o->value);
        break;
    case VIEW_COMPARE:
        if (view_open(o->slot % SNAPSHOTS, o->value % TABLES) != NULL)
            do_compare(o->value % TABLES, o->value >> 8, &run.snapshots[o->slot % SNAPSHOTS]);
        break;
    case ADD:
        do_add(t, rank, o->value);
        break;
    case APPEND:
        do_append(t, rank, o->value);
        break;
    case TAKE_ENTRY:
        do_take_entry(t, rank);
        break;
    case MODIFY_MANY:
        do_modify_many(t, rank, o->value);
        break;
    default:
        break;
    }
}

/* ---- running one program ---------------------------------------------------------------------------------------------------------- */

static void look_inside(void)
{
    tarn_statistics stat;
    uint64_t entries = 0;
    size_t t;

    for (t = 0; t < TABLES; t++) {
        const tarn_table *table = run.tables[t];

        expect(tn_heap_check(&run.store->heap, &table->body->owner));
        expect(tn_index_check(&table->index));
        expect(table->ordered == NULL || tn_ordered_check(table->ordered));
        expect(table->ordered == NULL || tn_ordered_count(table->ordered) == run.model[t].count);
        entries += run.model[t].count;
    }
    expect(tarn_stat(run.store, &stat) == TARN_OK);
    expect(stat.entry_count == entries && stat.table_count == TABLES);
    expect(stat.record_bytes + stat.index_bytes <= stat.memory_bytes);
    expect(tn_snapshots_check(run.store));
    expect(stat.snapshot_bytes <= stat.memory_bytes);
    expect(run.program->setting.limit_bytes == 0 || run.limit_lifted ||
           stat.memory_bytes_peak <= run.program->setting.limit_bytes);
}

static void program_open(const struct program *program)
{
    const struct setting *setting = &program->setting;
    const tarn_options options = {
        .address_bytes = TN_GIB,
        .memory_bytes_max = setting->limit_bytes,
        .snapshot_bytes_max = setting->snapshot_bytes_max,
        .allocate = allocator_call,
        .allocate_context = &run.allocator,
    };
    size_t t;

    memset(&run, 0, offsetof(struct run, arena)); /* the two big parts are written before read */
    memset(run.model, 0, sizeof run - offsetof(struct run, model));
    run.program = program;
    run.allocator.refuse_at = UINT64_MAX;
    universe_make(setting);
    expect(tarn_open(&run.store, NULL, &options) == TARN_OK);
    run.store->tick = setting->tick;
    for (t = 0; t < TABLES; t++)
        table_open(t);
    run.changed = true;
    run.may_refuse = setting->limit_bytes != 0 || setting->refuse_every != 0;
}

static void program_close(void)
{
    size_t i;

    for (i = 0; i < ITERATORS; i++) {
        if (run.iterators[i].it != NULL)
            expect(tarn_close(run.store) == TARN_E_MISUSE);
        iterator_close(&run.iterators[i]);
    }
    for (i = 0; i < SNAPSHOTS; i++) {
        if (run.snapshots[i].snapshot == NULL)
            continue;
        expect(tarn_close(run.store) == TARN_E_MISUSE);
        expect(tarn_snapshot_release(run.snapshots[i].snapshot) == TARN_OK);
    }
    expect(tarn_close(run.store) == TARN_OK);
    expect(run.allocator.live_blocks == 0 && run.allocator.live_bytes == 0);
    expect(!run.allocator.size_was_wrong);
}

static void program_run(const struct program *program)
{
    const struct setting *setting = &program->setting;
    size_t i, t;

    program_open(program);
    for (i = 0; i < setting->count && !outcome->failed; i++) {
        run.step = (uint32_t)i + 1;
        outcome->step = run.step;
        if (setting->refuse_every != 0 && run.allocator.asked >= run.allocator.refuse_at + 1)
            run.allocator.refuse_at = UINT64_MAX;
        if (setting->refuse_every != 0 && run.allocator.refuse_at == UINT64_MAX)
            run.allocator.refuse_at = run.allocator.asked + 1 + i % setting->refuse_every;
        operation_run(&program->operations[i]);
        for (t = 0; t < TABLES && !outcome->failed; t++) {
            expect(tarn_table_count(run.tables[t]) == run.model[t].count);
            expect(tarn_table_bytes(run.tables[t]) == run.model[t].bytes);
        }
        snapshots_compare_counts();
        if (i % setting->look_inside_every == 0 && !outcome->failed)
            look_inside();
    }
    run.allocator.refuse_at = UINT64_MAX;
    for (t = 0; t < TABLES && !outcome->failed; t++)
        do_compare(t, (uint32_t)t, NULL);
    for (i = 0; i < SNAPSHOTS && !outcome->failed; i++)
        for (t = 0; t < TABLES; t++)
            if (view_open(i, t) != NULL)
                do_compare(t, (uint32_t)t, &run.snapshots[i]);
    if (!outcome->failed)
        look_inside();
    if (!outcome->failed)
        program_close();
}

/* In a child, so that a trap is an outcome too. false: it failed. */
static bool program_passes(const struct program *program)
{
    int status = 0;
    pid_t child;

    memset(outcome, 0, sizeof *outcome);
    fflush(stdout);
    child = fork();
    if (child == 0) {
        program_run(program);
        fflush(stdout);
#if defined(__SANITIZE_ADDRESS__)
        _exit(
            0); /* the allocator counts what leaks; a search of all memory, per child, takes minutes */
#endif
        exit(0);
    }
    if (child < 0 || waitpid(child, &status, 0) != child)
        abort();
    if (status != 0 && !outcome->failed) {
        outcome->failed = true;
        snprintf(outcome->text, sizeof outcome->text, "the child died, status %#x", status);
    }
    return !outcome->failed;
}

/* ---- making programs ----------------------------------------------------------------------------------------------------------------- */

/* How often each verb comes, by the character of a stretch of the program. */
static const uint8_t characters[][PLAIN_VERBS] = {
    /* p pia mod del get many con scan next seek close pc dc prun drun clear drop open com work mis cmp add app take many */
    { 20, 6, 10, 8, 10, 1, 4, 3, 12, 2, 1, 1, 1, 1, 0, 0, 0, 1, 1, 1, 1, 1, 4, 4, 4, 1 }, /* a bit of all */
    { 40, 5, 10, 2, 4, 1, 2, 1, 5, 1, 1, 1, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 2, 9, 1, 3 }, /* grows */
    { 3, 0, 3, 40, 4, 1, 2, 1, 5, 1, 1, 0, 2, 0, 4, 0, 0, 0, 0, 1, 0, 0, 1, 0, 20, 0 }, /* shrinks */
    { 30, 0, 4, 30, 2, 0, 1, 2, 30, 2, 1, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 4, 6, 1 }, /* churns, scanned */
    { 4, 1, 2, 4, 1, 1, 1, 5, 60, 5, 1, 4, 4, 1, 1, 0, 0, 0, 0, 0, 0, 1, 1, 2, 2, 1 }, /* is scanned */
    { 20, 4, 4, 4, 4, 1, 1, 3, 9, 2, 1, 1, 1, 2, 1, 2, 2, 2, 3, 3, 1, 1, 1, 3, 3, 1 }, /* upheaval */
};

static uint8_t verb_choose(const uint8_t *weights, uint64_t random)
{
    unsigned sum = 0, i;

    for (i = 0; i < PLAIN_VERBS; i++)
        sum += weights[i];
    random %= sum;
    for (i = 0; random >= weights[i]; i++)
        random -= weights[i];
    return (uint8_t)i;
}

/* A stretch may have snapshots, too: of a hundred verbs so many. */
static const uint8_t snapshot_shares[] = { 0, 0, 2, 5, 20 };

static uint8_t snapshot_verb_choose(uint64_t random)
{
    static const uint8_t weights[] = {
        [TAKE - PLAIN_VERBS] = 3,        [RELEASE - PLAIN_VERBS] = 2,
        [RESTORE - PLAIN_VERBS] = 1,     [VIEW_GET - PLAIN_VERBS] = 4,
        [VIEW_CLOSE - PLAIN_VERBS] = 1,  [VIEW_SCAN - PLAIN_VERBS] = 4,
        [VIEW_COMPARE - PLAIN_VERBS] = 1
    };
    unsigned i = 0;

    for (random %= 16; random >= weights[i]; i++)
        random -= weights[i];
    return (uint8_t)(PLAIN_VERBS + i);
}

static void program_make(struct program *program, uint64_t seed)
{
    static const size_t key_counts[UNIVERSE_KINDS] = { 9, 3000, 2000, 3000, 90, 20000 };
    struct setting *setting = &program->setting;
    uint64_t state = seed * 0x9E3779B97F4A7C15 + 1, character = 0, near = 0, width = 1, share = 0;
    size_t i;

    *setting = (struct setting){ .seed = seed, .kinds = { TARN_ORDERED, TARN_UNORDERED } };
    setting->kinds[2] = (int)(test_random(&state) % 2);
    setting->universe = (enum universe_kind)(test_random(&state) % UNIVERSE_KINDS);
    setting->key_count = 1 + (size_t)(test_random(&state) % key_counts[setting->universe]);
    if (test_random(&state) % 3 == 0)
        setting->key_count = tn_min(setting->key_count, 40);
    if (seed % 5 == 3)
        setting->limit_bytes = 300000 + test_random(&state) % 3000000;
    if (seed % 5 == 4)
        setting->refuse_every = 1 + test_random(&state) % 30;
    setting->tick = UINT32_MAX - seed % 100;
    if (seed % 5 == 2)
        setting->snapshot_bytes_max = 10000 + test_random(&state) % 500000;
    setting->count = 500 + (size_t)(test_random(&state) % 12000);
    setting->look_inside_every = setting->key_count < 50 ? 1 : setting->key_count < 400 ? 50 : 2500;
    if (setting->key_count < 50)
        setting->count = 500 + setting->count % 3000;
    for (i = 0; i < setting->count; i++) {
        uint64_t random = test_random(&state);

        if (i % 512 == 0) {
            character = random % TN_ARRAY_COUNT(characters);
            near = random >> 16;
            share = snapshot_shares[(random >> 50) % TN_ARRAY_COUNT(snapshot_shares)];
            width = random >> 40 & 1 ? UINT16_MAX : 1 + (random >> 41) % 200;
        }
        program->operations[i] = (struct operation){
            .verb = verb_choose(characters[character], random >> 8 & 0xFFFF),
            .slot = (uint8_t)(random >> 24),
            .key = (uint16_t)(near + (random >> 32) % width),
            .value = (uint32_t)test_random(&state),
        };
        random = test_random(&state);
        if (random % 100 < share)
            program->operations[i].verb = snapshot_verb_choose(random >> 8);
    }
}

/* ---- a failing program made short -------------------------------------------------------------------------------------------------------- */

static void program_print(const struct program *program)
{
    const struct setting *setting = &program->setting;
    size_t from = setting->count > 60 ? setting->count - 60 : 0, i;

    printf("# setting: universe %d of %zu keys, kinds %d %d %d, limit %" PRIu64
           ", refuse every %" PRIu64 "\n",
           (int)setting->universe, setting->key_count, setting->kinds[0], setting->kinds[1],
           setting->kinds[2], setting->limit_bytes, setting->refuse_every);
    if (from > 0)
        printf("# ... %zu operations before\n", from);
    for (i = from; i < setting->count; i++) {
        const struct operation *o = &program->operations[i];

        printf("# %5zu  %-15s table %d, iterator %d, key %d, value %#x\n", i + 1,
               verb_names[o->verb % VERB_COUNT], o->slot % TABLES, o->slot % ITERATORS, o->key,
               (unsigned)o->value);
    }
}

/* Leave out stretches, halves first, then smaller ones, while what is left still fails. */
static void program_shrink(struct program *program)
{
    static struct program shorter;
    size_t stretch, at, tries = 0;

    program->setting.count = tn_min(program->setting.count, outcome->step);
    program->setting.look_inside_every = 1;
    if (program_passes(program))
        program->setting.look_inside_every = 50;
    for (stretch = program->setting.count / 2; stretch > 0; stretch /= 2)
        for (at = 0; at + stretch <= program->setting.count && tries < 3000; tries++) {
            shorter = *program;
            shorter.setting.count -= stretch;
            memmove(shorter.operations + at, shorter.operations + at + stretch,
                    (shorter.setting.count - at) * sizeof shorter.operations[0]);
            if (program_passes(&shorter))
                at += stretch;
            else
                *program = shorter;
        }
    if (!program_passes(program))
        program->setting.count = tn_min(program->setting.count, outcome->step);
    (void)program_passes(program);
}

static void program_report(struct program *program)
{
    printf("# seed %" PRIu64 ", step %u of %zu: %s\n", program->setting.seed, outcome->step,
           program->setting.count, outcome->text);
    program_shrink(program);
    printf("# made short, step %u: %s\n", outcome->step, outcome->text);
    program_print(program);
}

static void outcome_share(void)
{
    outcome =
        mmap(NULL, sizeof *outcome, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (outcome == MAP_FAILED)
        abort();
}

bool model_random_programs(uint64_t seed, uint64_t operation_count)
{
    static struct program program;
    uint64_t first = seed, done = 0;

    outcome_share();
    for (; done < operation_count; seed++) {
        program_make(&program, seed);
        done += program.setting.count;
        if (program_passes(&program))
            continue;
        program_report(&program);
        return false;
    }
    printf("# %" PRIu64 " operations, seeds %" PRIu64 " to %" PRIu64 "\n", done, first, seed - 1);
    return true;
}

/* ---- every short sequence -------------------------------------------------------------------------------------------------------------------- */

/* Over the keys "", "a" and "ab": ranks 0 to 2 of the tiny universe. */
static const struct operation alphabet[] = {
    { PUT, 0, 0, 5 },
    { PUT, 0, 1, 0x00000028 },
    { PUT, 0, 2, 0xC8000000 + 300 },
    { DELETE, 0, 0, 0 },
    { DELETE, 0, 1, 0 },
    { DELETE, 0, 2, 0 },
    { MODIFY, 0, 1, 0x00000010 },
    { SCAN, 0, 0, 1 << 5 },
    { SCAN, 0, 0, 1 }, /* reverse */
    { NEXT, 0, 0, 0 },
    { SEEK, 0, 1, 0 },
    { CLEAR, 0, 0, 0 },
};

#define ALPHABET TN_ARRAY_COUNT(alphabet)

/* One store for all, cleared in between. An unordered table scans forward only and does not seek. */
bool model_every_sequence(size_t length, int kind)
{
    static struct program program;
    struct operation word[8];
    uint64_t all = 1, number, rest;
    size_t i;

    outcome_share();
    program.setting = (struct setting){ .universe = UNIVERSE_TINY, .key_count = 3, .tick = 1 };
    program.setting.kinds[0] = program.setting.kinds[1] = program.setting.kinds[2] = kind;
    program_open(&program);
    for (i = 0; i < length; i++)
        all *= ALPHABET;
    for (number = 0; number < all && !outcome->failed; number++) {
        for (i = 0, rest = number; i < length; i++, rest /= ALPHABET) {
            word[i] = alphabet[rest % ALPHABET];
            run.step++;
            operation_run(&word[i]);
        }
        expect(tarn_table_count(run.tables[0]) == run.model[0].count);
        expect(tarn_table_bytes(run.tables[0]) == run.model[0].bytes);
        for (i = 0; i < 4 && run.iterators[0].it != NULL; i++)
            do_next(0);
        iterator_close(&run.iterators[0]);
        if (run.model[0].count > 0 && number % 8 == 0)
            look_inside();
        if (outcome->failed) {
            program.setting.count = length;
            memcpy(program.operations, word, length * sizeof word[0]);
            printf("# sequence %" PRIu64 ": %s\n", number, outcome->text);
            program_print(&program);
        }
        do_clear(0);
    }
    if (!outcome->failed)
        program_close();
    return !outcome->failed;
}

/* ---- programs from outside ----------------------------------------------------------------------------------------------------------------- */

/* The first 8 bytes are the setting. */
static void program_decode(struct program *program, const uint8_t *data, size_t bytes)
{
    static const uint16_t key_counts[] = { 1, 3, 9, 40, 90, 300, 900, 2000 };
    uint8_t head[8] = { 0 };
    struct setting *setting = &program->setting;
    size_t i;

    memcpy(head, data, tn_min(bytes, sizeof head));
    *setting = (struct setting){ .seed = head[0], .look_inside_every = 1 + head[1] % 16 };
    setting->universe = (enum universe_kind)(head[2] % UNIVERSE_KINDS);
    setting->key_count = key_counts[head[3] % TN_ARRAY_COUNT(key_counts)];
    if (setting->universe == UNIVERSE_LONG)
        setting->key_count = tn_min(setting->key_count, 90);
    for (i = 0; i < TABLES; i++)
        setting->kinds[i] = (head[4] >> i & 1) != 0 ? TARN_ORDERED : TARN_UNORDERED;
    if (head[5] != 0)
        setting->limit_bytes = 300000 + (uint64_t)head[5] * 10000;
    setting->refuse_every = head[6] % 32;
    if (head[6] >= 128)
        setting->snapshot_bytes_max = (uint64_t)head[6] * 1000;
    setting->tick = UINT32_MAX - head[7]; /* near the wrap */
    for (i = sizeof head; i + 8 <= bytes && setting->count < PROGRAM_MAX; i += 8)
        program->operations[setting->count++] = (struct operation){
            .verb = data[i] % VERB_COUNT,
            .slot = data[i + 1],
            .key = (uint16_t)(data[i + 2] | data[i + 3] << 8),
            .value = tn_load_le32(data + i + 4),
        };
}

const char *model_run_bytes(const uint8_t *data, size_t bytes)
{
    static struct program program;
    static struct outcome at_home;

    outcome = &at_home;
    memset(outcome, 0, sizeof *outcome);
    memset(&program.setting, 0, sizeof program.setting);
    program_decode(&program, data, bytes);
    program_run(&program);
    if (outcome->failed)
        program_print(&program);
    return outcome->failed ? outcome->text : NULL;
}
