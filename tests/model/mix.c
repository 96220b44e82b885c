/*
 * mix.c - which verbs a program has, and how often; see mix.h
 */
#include "model/mix.h"

#include "base/base.h"

/* ---- how often ------------------------------------------------------------------------------- */

/* clang-format off */
/* How often each verb comes: all sorts, grows, shrinks, churns, is scanned, upheaval. */
static const uint8_t plain_weights[PLAIN_VERB_COUNT][CHARACTERS] = {
    [PUT] =            { 20, 40,  3, 30,  4, 20 },
    [PUT_IF_ABSENT] =  {  6,  5,  0,  0,  1,  4 },
    [MODIFY] =         { 10, 10,  3,  4,  2,  4 },
    [DELETE] =         {  8,  2, 40, 30,  4,  4 },
    [GET] =            { 10,  4,  4,  2,  1,  4 },
    [GET_MANY] =       {  1,  1,  1,  0,  1,  1 },
    [CONTAINS] =       {  4,  2,  2,  1,  1,  1 },
    [SCAN] =           {  3,  1,  1,  2,  5,  3 },
    [NEXT] =           { 12,  5,  5, 30, 60,  9 },
    [SEEK] =           {  2,  1,  1,  2,  5,  2 },
    [CLOSE_ITERATOR] = {  1,  1,  1,  1,  1,  1 },
    [PUT_CURRENT] =    {  1,  1,  0,  3,  4,  1 },
    [DELETE_CURRENT] = {  1,  0,  2,  3,  4,  1 },
    [PUT_RUN] =        {  0,  4,  0,  0,  1,  2 },
    [DELETE_RUN] =     {  0,  0,  4,  0,  1,  1 },
    [CLEAR] =          {  0,  0,  0,  0,  0,  2 },
    [DROP] =           {  0,  0,  0,  0,  0,  2 },
    [OPEN_AGAIN] =     {  1,  0,  0,  0,  0,  2 },
    [COMMIT] =         {  1,  0,  0,  0,  0,  3 },
    [WORK] =           {  1,  0,  1,  0,  0,  3 },
    [MISUSE] =         {  1,  0,  0,  0,  0,  1 },
    [COMPARE] =        {  1,  0,  0,  0,  1,  1 },
    [ADD] =            {  4,  2,  1,  2,  1,  1 },
    [APPEND] =         {  4,  9,  0,  4,  2,  3 },
    [TAKE_ENTRY] =     {  4,  1, 20,  6,  2,  3 },
    [MODIFY_MANY] =    {  1,  3,  0,  1,  1,  1 },
    [MERGE] =          {  2,  1,  0,  0,  0,  1 },
    [TYPED] =          {  2,  1,  0,  2,  0,  1 },
};
/* clang-format on */

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

static const uint8_t disk_weights[] = {
    [COMMIT_MORE - FIRST_DISK_VERB] = 20, [DROP_AND_COMMIT - FIRST_DISK_VERB] = 1,
    [REOPEN - FIRST_DISK_VERB] = 3,       [KILL - FIRST_DISK_VERB] = 3,
    [READ_BESIDE - FIRST_DISK_VERB] = 2,  [CHECK - FIRST_DISK_VERB] = 1
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

static uint8_t plain_verb_of(enum character character, uint64_t random)
{
    uint8_t weights[PLAIN_VERB_COUNT];
    size_t i;

    for (i = 0; i < PLAIN_VERB_COUNT; i++)
        weights[i] = plain_weights[i][character];
    return choose(weights, PLAIN_VERB_COUNT, random);
}

/* ---- stretches ------------------------------------------------------------------------------- */

static enum character character_of(enum shape shape, uint64_t random)
{
    static const uint8_t churn[] = { CHURNS, CHURNS, CHURNS, GROWS, SHRINKS, ALL_SORTS };

    if (shape == SHAPE_CHURN)
        return (enum character)churn[random % TN_ARRAY_COUNT(churn)];
    return (enum character)(random % CHARACTERS);
}

struct stretch stretch_make(const struct setting *setting, uint64_t random)
{
    static const uint8_t snapshot_shares[] = { 0, 0, 2, 5, 20 };
    static const uint8_t disk_shares[] = { 2, 10, 10, 40, 200 };
    struct stretch stretch = {
        .character = character_of(setting->shape, random),
        .near = random >> 16,
        .width = random >> 40 & 1 ? UINT16_MAX : 1 + (random >> 41) % 200,
        .snapshots = snapshot_shares[(random >> 50) % TN_ARRAY_COUNT(snapshot_shares)],
        .dicts = random >> 60 == 0 ? 5 : 0,
    };

    if (setting->on_disk)
        stretch.disk = disk_shares[(random >> 54) % TN_ARRAY_COUNT(disk_shares)];
    if (setting->shape == SHAPE_DICTS)
        stretch.dicts = 20 + (unsigned)(random >> 58);
    if (setting->shape == SHAPE_BUDGET)
        stretch.neighbour = 1 + (unsigned)(random >> 59);
    return stretch;
}

/* One in 64 of what has to do with snapshots reads all there is. */
static uint8_t snapshot_verb_of(uint64_t random)
{
    if (random >> 16 & 63)
        return (uint8_t)(FIRST_SNAPSHOT_VERB +
                         choose(snapshot_weights, sizeof snapshot_weights, random));
    return random >> 22 & 1 ? EXPORT : MOVE;
}

uint8_t verb_of(const struct setting *setting, const struct stretch *stretch, uint64_t random,
                uint64_t other)
{
    uint64_t share = other % 100, rest = other >> 8;

    if ((other >> 32 & 1023) < stretch->disk)
        return (uint8_t)(FIRST_DISK_VERB + choose(disk_weights, sizeof disk_weights, other >> 42));
    if (setting->shape == SHAPE_LARGE) { /* by runs, and a few of the rest */
        static const uint8_t large[] = { PUT_RUN, PUT_RUN, PUT_RUN, DELETE_RUN, DELETE_RUN };

        if (share < 60)
            return large[rest % TN_ARRAY_COUNT(large)];
        if (share < 66)
            return rest % 4 == 0 ? COMPARE : rest % 4 == 1 ? WORK : COMMIT;
        if (share < 68)
            return snapshot_verb_of(rest);
    } else if (share < stretch->snapshots) {
        return snapshot_verb_of(rest);
    } else if (share < stretch->snapshots + stretch->dicts) {
        return (uint8_t)(FIRST_DICT_VERB + choose(dict_weights, sizeof dict_weights, rest));
    } else if (share < stretch->snapshots + stretch->dicts + stretch->neighbour) {
        return NEIGHBOUR;
    }
    return plain_verb_of(stretch->character, random >> 8 & 0xFFFF);
}
