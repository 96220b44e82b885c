/*
 * program.c - making programs for the model; see program.h
 */
#include "model/program.h"

#include "base/bytes.h"

#include "test.h"

#include <tarn.h>

#define VERB_NAME(name) #name,
const char *const verb_names[VERB_COUNT] = { VERBS_LIST(VERB_NAME) };

const char *const shape_names[SHAPE_KINDS] = {
    [SHAPE_MIXED] = "mixed", [SHAPE_TINY] = "tiny",
    [SHAPE_CHURN] = "churn", [SHAPE_MANY_TABLES] = "many tables",
    [SHAPE_TYPED] = "typed", [SHAPE_LONG_KEYS] = "long keys",
    [SHAPE_DICTS] = "dicts", [SHAPE_BUDGET] = "budget",
    [SHAPE_LARGE] = "large",
};

/* ---- verbs ------------------------------------------------------------------------------------- */

enum character { ALL_SORTS, GROWS, SHRINKS, CHURNS, IS_SCANNED, UPHEAVAL, CHARACTERS };

/* How often each verb comes. What a character does not name does not come. */
static const uint8_t characters[CHARACTERS][PLAIN_VERB_COUNT] = {
    [ALL_SORTS] = { [PUT] = 20,
                    [PUT_IF_ABSENT] = 6,
                    [MODIFY] = 10,
                    [DELETE] = 8,
                    [GET] = 10,
                    [GET_MANY] = 1,
                    [CONTAINS] = 4,
                    [SCAN] = 3,
                    [NEXT] = 12,
                    [SEEK] = 2,
                    [CLOSE_ITERATOR] = 1,
                    [PUT_CURRENT] = 1,
                    [DELETE_CURRENT] = 1,
                    [OPEN_AGAIN] = 1,
                    [COMMIT] = 1,
                    [WORK] = 1,
                    [MISUSE] = 1,
                    [COMPARE] = 1,
                    [ADD] = 4,
                    [APPEND] = 4,
                    [TAKE_ENTRY] = 4,
                    [MODIFY_MANY] = 1,
                    [MERGE] = 2,
                    [TYPED] = 2 },
    [GROWS] = { [PUT] = 40,
                [PUT_IF_ABSENT] = 5,
                [MODIFY] = 10,
                [DELETE] = 2,
                [GET] = 4,
                [GET_MANY] = 1,
                [CONTAINS] = 2,
                [SCAN] = 1,
                [NEXT] = 5,
                [SEEK] = 1,
                [CLOSE_ITERATOR] = 1,
                [PUT_CURRENT] = 1,
                [PUT_RUN] = 4,
                [ADD] = 2,
                [APPEND] = 9,
                [TAKE_ENTRY] = 1,
                [MODIFY_MANY] = 3,
                [MERGE] = 1,
                [TYPED] = 1 },
    [SHRINKS] = { [PUT] = 3,
                  [MODIFY] = 3,
                  [DELETE] = 40,
                  [GET] = 4,
                  [GET_MANY] = 1,
                  [CONTAINS] = 2,
                  [SCAN] = 1,
                  [NEXT] = 5,
                  [SEEK] = 1,
                  [CLOSE_ITERATOR] = 1,
                  [DELETE_CURRENT] = 2,
                  [DELETE_RUN] = 4,
                  [WORK] = 1,
                  [ADD] = 1,
                  [TAKE_ENTRY] = 20 },
    [CHURNS] = { [PUT] = 30,
                 [MODIFY] = 4,
                 [DELETE] = 30,
                 [GET] = 2,
                 [CONTAINS] = 1,
                 [SCAN] = 2,
                 [NEXT] = 30,
                 [SEEK] = 2,
                 [CLOSE_ITERATOR] = 1,
                 [PUT_CURRENT] = 3,
                 [DELETE_CURRENT] = 3,
                 [ADD] = 2,
                 [APPEND] = 4,
                 [TAKE_ENTRY] = 6,
                 [MODIFY_MANY] = 1,
                 [TYPED] = 2 },
    [IS_SCANNED] = { [PUT] = 4,
                     [PUT_IF_ABSENT] = 1,
                     [MODIFY] = 2,
                     [DELETE] = 4,
                     [GET] = 1,
                     [GET_MANY] = 1,
                     [CONTAINS] = 1,
                     [SCAN] = 5,
                     [NEXT] = 60,
                     [SEEK] = 5,
                     [CLOSE_ITERATOR] = 1,
                     [PUT_CURRENT] = 4,
                     [DELETE_CURRENT] = 4,
                     [PUT_RUN] = 1,
                     [DELETE_RUN] = 1,
                     [COMPARE] = 1,
                     [ADD] = 1,
                     [APPEND] = 2,
                     [TAKE_ENTRY] = 2,
                     [MODIFY_MANY] = 1 },
    [UPHEAVAL] = { [PUT] = 20,
                   [PUT_IF_ABSENT] = 4,
                   [MODIFY] = 4,
                   [DELETE] = 4,
                   [GET] = 4,
                   [GET_MANY] = 1,
                   [CONTAINS] = 1,
                   [SCAN] = 3,
                   [NEXT] = 9,
                   [SEEK] = 2,
                   [CLOSE_ITERATOR] = 1,
                   [PUT_CURRENT] = 1,
                   [DELETE_CURRENT] = 1,
                   [PUT_RUN] = 2,
                   [DELETE_RUN] = 1,
                   [CLEAR] = 2,
                   [DROP] = 2,
                   [OPEN_AGAIN] = 2,
                   [COMMIT] = 3,
                   [WORK] = 3,
                   [MISUSE] = 1,
                   [COMPARE] = 1,
                   [ADD] = 1,
                   [APPEND] = 3,
                   [TAKE_ENTRY] = 3,
                   [MODIFY_MANY] = 1,
                   [MERGE] = 1,
                   [TYPED] = 1 },
};

static const uint8_t snapshot_weights[] = {
    [TAKE - FIRST_SNAPSHOT_VERB] = 3,        [RELEASE - FIRST_SNAPSHOT_VERB] = 2,
    [RESTORE - FIRST_SNAPSHOT_VERB] = 1,     [VIEW_GET - FIRST_SNAPSHOT_VERB] = 4,
    [VIEW_CLOSE - FIRST_SNAPSHOT_VERB] = 1,  [VIEW_SCAN - FIRST_SNAPSHOT_VERB] = 4,
    [VIEW_COMPARE - FIRST_SNAPSHOT_VERB] = 1
};

static const uint8_t dict_weights[] = {
    [ENCODE - FIRST_DICT_VERB] = 60,     [ENCODE_MANY - FIRST_DICT_VERB] = 10,
    [FIND_CODE - FIRST_DICT_VERB] = 30,  [DECODE - FIRST_DICT_VERB] = 30,
    [DICT_CLEAR - FIRST_DICT_VERB] = 1,  [DICT_DROP - FIRST_DICT_VERB] = 1,
    [DICT_COMPARE - FIRST_DICT_VERB] = 1
};

/* The place that `random` falls on. */
static uint8_t choose(const uint8_t *weights, size_t count, uint64_t random)
{
    unsigned sum = 0;
    size_t i;

    for (i = 0; i < count; i++)
        sum += weights[i];
    random %= sum;
    for (i = 0; random >= weights[i]; i++)
        random -= weights[i];
    return (uint8_t)i;
}

/* ---- settings ---------------------------------------------------------------------------------- */

/* Of 16 seeds; every 128th is a large one besides. */
static const uint8_t shape_of_seed[16] = {
    SHAPE_MIXED, SHAPE_TINY,   SHAPE_CHURN, SHAPE_MANY_TABLES, SHAPE_MIXED, SHAPE_TYPED,
    SHAPE_DICTS, SHAPE_BUDGET, SHAPE_MIXED, SHAPE_TINY,        SHAPE_CHURN, SHAPE_LONG_KEYS,
    SHAPE_MIXED, SHAPE_MIXED,  SHAPE_CHURN, SHAPE_BUDGET,
};

static void setting_keys(struct setting *setting, uint64_t *state)
{
    static const size_t key_counts[UNIVERSE_KINDS] = { 9, 3000, 2000, 3000, 90, 20000 };

    setting->universe = (enum universe)(test_random(state) % UNIVERSE_KINDS);
    if (setting->shape == SHAPE_LONG_KEYS)
        setting->universe = UNIVERSE_LONG;
    setting->key_count = 1 + (size_t)(test_random(state) % key_counts[setting->universe]);
    if (test_random(state) % 3 == 0)
        setting->key_count = tn_min(setting->key_count, 40);
    setting->sizes = (enum sizes)(test_random(state) % SIZES_KINDS);
    setting->run_max = 300;
}

static void setting_tables(struct setting *setting, uint64_t *state)
{
    size_t t;

    setting->table_count = 3;
    if (setting->shape == SHAPE_MANY_TABLES)
        setting->table_count = 4 + (size_t)(test_random(state) % (TABLES_MAX - 4));
    for (t = 0; t < setting->table_count; t++) {
        setting->kinds[t] = (uint8_t)(t < 2 ? t : test_random(state) % 2);
        setting->types[t] = TARN_ANY;
        if (setting->shape == SHAPE_TYPED || test_random(state) % 16 == 0)
            setting->types[t] = (uint8_t)(TARN_I32 + test_random(state) % 7);
    }
}

static void setting_limits(struct setting *setting, uint64_t *state)
{
    uint64_t seed = setting->seed;

    if (seed % 5 == 3)
        setting->limit_bytes = 300000 + test_random(state) % 3000000;
    if (seed % 5 == 4)
        setting->refuse_every = 1 + test_random(state) % 30;
    if (seed % 5 == 4 && test_random(state) % 2 == 0)
        setting->refuse_pages_every = 1 + test_random(state) % 10;
    if (seed % 5 == 2)
        setting->snapshot_bytes_max = 10000 + test_random(state) % 500000;
    if (setting->shape == SHAPE_BUDGET)
        setting->budget_bytes = 500000 + test_random(state) % 4000000;
    if (setting->table_count > 3 && setting->limit_bytes != 0)
        setting->limit_bytes += setting->table_count * 20000;
}

/* Everything but how long it is: shapes of their own kind. */
static void setting_reshape(struct setting *setting, uint64_t *state)
{
    switch (setting->shape) {
    case SHAPE_TINY:
        setting->key_count = tn_min(setting->key_count, 1 + (size_t)(test_random(state) % 40));
        break;
    case SHAPE_CHURN:
        setting->universe = test_random(state) % 2 ? UNIVERSE_COUNTERS : UNIVERSE_RANDOM;
        setting->key_count = 500 + (size_t)(test_random(state) % 20000);
        setting->sizes = test_random(state) % 2 ? SIZES_ONE : SIZES_SMALL;
        break;
    case SHAPE_MANY_TABLES:
        setting->key_count = tn_min(setting->key_count, 300);
        break;
    case SHAPE_LARGE:
        setting->universe = test_random(state) % 2 ? UNIVERSE_COUNTERS : UNIVERSE_RANDOM;
        setting->key_count = 200000 + (size_t)(test_random(state) % 1000000);
        setting->run_max = 10000 + (size_t)(test_random(state) % 50000);
        setting->sizes = SIZES_SMALL;
        setting->limit_bytes = setting->snapshot_bytes_max = 0;
        setting->refuse_every = setting->refuse_pages_every = 0;
        break;
    default:
        break;
    }
}

static void setting_make(struct setting *setting, uint64_t seed, uint64_t *state)
{
    *setting = (struct setting){ .seed = seed, .tick = UINT32_MAX - seed % 100 };
    setting->shape = seed % 128 == 64 ? SHAPE_LARGE : (enum shape)shape_of_seed[seed % 16];
    setting_keys(setting, state);
    setting_tables(setting, state);
    setting_limits(setting, state);
    setting_reshape(setting, state);
    setting->look_inside_every = setting->key_count < 50 ? 1 : setting->key_count < 400 ? 50 : 2500;
    setting->count = 500 + (size_t)(test_random(state) % 12000);
    if (setting->key_count < 50)
        setting->count = 500 + setting->count % 3000;
    if (setting->shape == SHAPE_CHURN)
        setting->count *= 4;
    if (setting->shape == SHAPE_LARGE)
        setting->count = 200 + setting->count % 100;
}

/* ---- making ------------------------------------------------------------------------------------ */

struct stretch {
    enum character character;
    uint64_t near, width;                 /* of the keys */
    unsigned snapshots, dicts, neighbour; /* of a hundred verbs so many */
};

static enum character character_of(enum shape shape, uint64_t random)
{
    static const uint8_t churn[] = { CHURNS, CHURNS, CHURNS, GROWS, SHRINKS, ALL_SORTS };

    if (shape == SHAPE_CHURN)
        return (enum character)churn[random % TN_ARRAY_COUNT(churn)];
    return (enum character)(random % CHARACTERS);
}

static struct stretch stretch_make(const struct setting *setting, uint64_t random)
{
    static const uint8_t snapshot_shares[] = { 0, 0, 2, 5, 20 };
    struct stretch stretch = {
        .character = character_of(setting->shape, random),
        .near = random >> 16,
        .width = random >> 40 & 1 ? UINT16_MAX : 1 + (random >> 41) % 200,
        .snapshots = snapshot_shares[(random >> 50) % TN_ARRAY_COUNT(snapshot_shares)],
        .dicts = random >> 60 == 0 ? 5 : 0,
    };

    if (setting->shape == SHAPE_DICTS)
        stretch.dicts = 20 + (unsigned)(random >> 58);
    if (setting->shape == SHAPE_BUDGET)
        stretch.neighbour = 1 + (unsigned)(random >> 59);
    return stretch;
}

static uint8_t verb_of(const struct setting *setting, const struct stretch *stretch,
                       uint64_t random, uint64_t other)
{
    uint64_t share = other % 100, rest = other >> 8;

    if (setting->shape == SHAPE_LARGE) { /* by runs, and a few of the rest */
        static const uint8_t large[] = { PUT_RUN, PUT_RUN, PUT_RUN, DELETE_RUN, DELETE_RUN };

        if (share < 60)
            return large[rest % TN_ARRAY_COUNT(large)];
        if (share < 66)
            return rest % 4 == 0 ? COMPARE : rest % 4 == 1 ? WORK : COMMIT;
        if (share < 68)
            return (uint8_t)(FIRST_SNAPSHOT_VERB +
                             choose(snapshot_weights, sizeof snapshot_weights, rest));
    } else if (share < stretch->snapshots) {
        return (uint8_t)(FIRST_SNAPSHOT_VERB +
                         choose(snapshot_weights, sizeof snapshot_weights, rest));
    } else if (share < stretch->snapshots + stretch->dicts) {
        return (uint8_t)(FIRST_DICT_VERB + choose(dict_weights, sizeof dict_weights, rest));
    } else if (share < stretch->snapshots + stretch->dicts + stretch->neighbour) {
        return NEIGHBOUR;
    }
    return choose(characters[stretch->character], PLAIN_VERB_COUNT, random >> 8 & 0xFFFF);
}

void program_make(struct program *program, uint64_t seed)
{
    struct setting *setting = &program->setting;
    uint64_t state = seed * 0x9E3779B97F4A7C15 + 1;
    struct stretch stretch = { 0 };
    size_t i;

    setting_make(setting, seed, &state);
    for (i = 0; i < setting->count; i++) {
        uint64_t random = test_random(&state);

        if (i % 512 == 0)
            stretch = stretch_make(setting, random);
        program->operations[i] = (struct operation){
            .slot = (uint8_t)(random >> 24),
            .key = (uint16_t)(stretch.near + (random >> 32) % stretch.width),
            .value = (uint32_t)test_random(&state),
        };
        program->operations[i].verb = verb_of(setting, &stretch, random, test_random(&state));
    }
}

/* ---- from bytes -------------------------------------------------------------------------------- */

void program_decode(struct program *program, const uint8_t *data, size_t bytes)
{
    static const uint16_t key_counts[] = { 1, 3, 9, 40, 90, 300, 900, 2000 };
    uint8_t head[8] = { 0 };
    struct setting *setting = &program->setting;
    size_t i;

    memcpy(head, data, tn_min(bytes, sizeof head));
    *setting = (struct setting){ .seed = head[0], .look_inside_every = 1 + head[1] % 16 };
    setting->universe = (enum universe)(head[2] % UNIVERSE_KINDS);
    setting->sizes = (enum sizes)(head[1] / 16 % SIZES_KINDS);
    setting->run_max = 300;
    setting->key_count = key_counts[head[3] % TN_ARRAY_COUNT(key_counts)];
    if (setting->universe == UNIVERSE_LONG)
        setting->key_count = tn_min(setting->key_count, 90);
    setting->table_count = 3;
    for (i = 0; i < setting->table_count; i++)
        setting->kinds[i] = (head[4] >> i & 1) != 0 ? TARN_ORDERED : TARN_UNORDERED;
    if ((head[4] & 8) != 0)
        setting->types[2] = (uint8_t)(TARN_I32 + (head[4] >> 4) % 7);
    if (head[5] != 0)
        setting->limit_bytes = 300000 + (uint64_t)head[5] * 10000;
    if (head[5] % 8 == 7)
        setting->budget_bytes = 600000 + (uint64_t)head[5] * 10000;
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

/* ---- every short sequence ---------------------------------------------------------------------- */

/* Over the keys "", "a" and "ab": ranks 0 to 2 of the tiny universe. */
const struct operation alphabet[ALPHABET_COUNT] = {
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

/* ---- printing ---------------------------------------------------------------------------------- */

void program_print(const struct program *program)
{
    const struct setting *setting = &program->setting;
    size_t from = setting->count > 60 ? setting->count - 60 : 0, i;

    printf("# setting: seed %" PRIu64 ", %s; universe %d of %zu keys, sizes %d, %zu tables\n",
           setting->seed, shape_names[setting->shape], (int)setting->universe, setting->key_count,
           (int)setting->sizes, setting->table_count);
    printf("# limit %" PRIu64 ", budget %" PRIu64 ", snapshot cap %" PRIu64
           ", refuse every %" PRIu64 ", pages every %" PRIu64 ", first tick %" PRIu64 "\n",
           setting->limit_bytes, setting->budget_bytes, setting->snapshot_bytes_max,
           setting->refuse_every, setting->refuse_pages_every, setting->tick);
    for (i = 0; i < tn_min(setting->table_count, 3); i++)
        printf("# table %zu: kind %d, type %d\n", i, setting->kinds[i], setting->types[i]);
    if (from > 0)
        printf("# ... %zu operations before\n", from);
    for (i = from; i < setting->count; i++) {
        const struct operation *o = &program->operations[i];

        printf("# %5zu  %-15s slot %d, key %d, value %#x\n", i + 1,
               verb_names[o->verb % VERB_COUNT], o->slot, o->key, (unsigned)o->value);
    }
}
