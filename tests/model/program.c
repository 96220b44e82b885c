/*
 * program.c - making programs for the model; see program.h
 */
#include "model/mix.h"

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

/* ---- making ---------------------------------------------------------------------------------- */

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

/* ---- from bytes ------------------------------------------------------------------------------ */

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
    setting->on_disk = head[1] >= 192;
    setting->file_bytes_min = (uint64_t)head[3] / 8 << 10;
    setting->tick = UINT32_MAX - head[7]; /* near the wrap */
    for (i = sizeof head; i + 8 <= bytes && setting->count < PROGRAM_MAX; i += 8)
        program->operations[setting->count++] = (struct operation){
            .verb = (uint8_t)(data[i] % (setting->on_disk ? VERB_COUNT : FIRST_DISK_VERB)),
            .slot = data[i + 1],
            .key = (uint16_t)(data[i + 2] | data[i + 3] << 8),
            .value = tn_load_le32(data + i + 4),
        };
}

/* ---- every short sequence -------------------------------------------------------------------- */

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

/* ---- printing -------------------------------------------------------------------------------- */

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
    if (setting->on_disk)
        printf("# on disk, files of %" PRIu64 " bytes\n", setting->file_bytes_min);
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
