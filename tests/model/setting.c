/*
 * setting.c - what a program runs on: its shape, keys, tables and limits, all from a seed; see
 * program.h
 */
#include "model/program.h"

#include "base/base.h"

#include "test.h"

#include <tarn.h>

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

/*
 * One in seven, of every shape but the largest, with every kind of limit. It takes nothing from
 * `state`.
 */
static void setting_disk(struct setting *setting)
{
    static const uint64_t file_bytes_min[] = { 4 << 10, 12 << 10, 64 << 10, 0 };

    setting->on_disk = setting->seed % 7 == 3 && setting->shape != SHAPE_LARGE;
    setting->file_bytes_min = file_bytes_min[setting->seed / 7 % TN_ARRAY_COUNT(file_bytes_min)];
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

void setting_make(struct setting *setting, uint64_t seed, uint64_t *state)
{
    *setting = (struct setting){ .seed = seed, .tick = UINT32_MAX - seed % 100 };
    setting->shape = seed % 128 == 64 ? SHAPE_LARGE : (enum shape)shape_of_seed[seed % 16];
    setting_keys(setting, state);
    setting_tables(setting, state);
    setting_limits(setting, state);
    setting_disk(setting);
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
