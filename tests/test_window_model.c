/*
 * test_window_model.c - random streams through the window operator and through a plain model of it
 *
 * The model keeps every group in an array and looks through all of it for each row.
 */
#include "window_fixture.h"

#define MODEL_GROUPS_MAX 4096
#define MODEL_FIELD_BYTES_MAX 4
#define MODEL_TEXT_COUNT 12

struct model_group {
    bool is_open;
    int64_t start_ms;
    uint8_t fields[FIELDS_MAX][MODEL_FIELD_BYTES_MAX];
    size_t field_bytes[FIELDS_MAX];
    int64_t row_count;
    int64_t number_count;
    int64_t sum; /* in hundredths, as min and max */
    int64_t min;
    int64_t max;
    int64_t first_ms;
    int64_t last_ms;
    int first; /* which text */
    int last;
    bool text_seen[MODEL_TEXT_COUNT];
};

struct model {
    int64_t every_ms;
    int64_t offset_ms;
    int64_t bound_ms;
    size_t key_count;
    int64_t greatest_ms;
    bool any;
    struct model_group groups[MODEL_GROUPS_MAX];
    size_t group_count;
    struct lines out;
    uint64_t late_count;
};

static const tarn_bytes model_texts[MODEL_TEXT_COUNT] = {
    { "a", 1 },   { "b", 1 },          { "A", 1 },      { "a\0", 2 },
    { "\0", 1 },  { "\0\0", 2 },       { "1", 1 },      { "1.0", 3 },
    { "x y", 3 }, { "\xFF\xFE\0", 3 }, { "longer", 6 }, { "longer still", 12 },
};

static const struct model *comparing; /* qsort has no context */

static int model_fields_compare(const struct model_group *a, const struct model_group *b,
                                size_t key_count)
{
    for (size_t i = 0; i < key_count; i++) {
        size_t a_bytes = a->field_bytes[i];
        size_t b_bytes = b->field_bytes[i];
        int order = memcmp(a->fields[i], b->fields[i], a_bytes < b_bytes ? a_bytes : b_bytes);

        if (order != 0)
            return order;
        if (a_bytes != b_bytes)
            return a_bytes < b_bytes ? -1 : 1;
    }
    return 0;
}

static int model_compare(const void *a_pointer, const void *b_pointer)
{
    const struct model_group *a = *(const struct model_group *const *)a_pointer;
    const struct model_group *b = *(const struct model_group *const *)b_pointer;

    if (a->start_ms != b->start_ms)
        return a->start_ms < b->start_ms ? -1 : 1;
    return model_fields_compare(a, b, comparing->key_count);
}

static int64_t magnitude_of(int64_t number)
{
    return number < 0 ? -number : number;
}

/* number / 10^decimals, canonically. */
static void model_add_number(struct lines *out, int64_t number, int decimals)
{
    int64_t unit = 1;
    char text[64];
    int length;

    for (int i = 0; i < decimals; i++)
        unit *= 10;
    length = snprintf(text, sizeof text, "%s%" PRId64 ".%0*" PRId64, number < 0 ? "-" : "",
                      magnitude_of(number) / unit, decimals, magnitude_of(number) % unit);
    while (text[length - 1] == '0')
        length--;
    if (text[length - 1] == '.')
        length--;
    lines_add(out, text, (size_t)length);
}

/* The average in millionths: of hundredths, times 10000, half to even. */
static int64_t model_average(int64_t sum, int64_t count)
{
    int64_t magnitude = magnitude_of(sum) * 10000;
    int64_t quotient = magnitude / count;
    int64_t twice = 2 * (magnitude % count);

    if (twice > count || (twice == count && quotient % 2 == 1))
        quotient++;
    return sum < 0 ? -quotient : quotient;
}

static void model_write_down(struct model *model, const struct model_group *group)
{
    struct lines *out = &model->out;
    int64_t text_count = 0;

    lines_format(out, "%" PRId64 "..%" PRId64, group->start_ms, group->start_ms + model->every_ms);
    for (size_t i = 0; i < model->key_count; i++) {
        lines_add(out, i == 0 ? " " : ",", 1);
        lines_add_field(out,
                        &(tarn_bytes){ .data = group->fields[i], .bytes = group->field_bytes[i] });
    }
    lines_format(out, ": %" PRId64 ",%" PRId64 ",", group->row_count, group->number_count);
    if (group->number_count == 0) {
        lines_add(out, "-,-,-,-", 7);
    } else {
        model_add_number(out, group->sum, 2);
        lines_add(out, ",", 1);
        model_add_number(out, group->min, 2);
        lines_add(out, ",", 1);
        model_add_number(out, group->max, 2);
        lines_add(out, ",", 1);
        model_add_number(out, model_average(group->sum, group->number_count), 6);
    }
    for (size_t i = 0; i < MODEL_TEXT_COUNT; i++)
        text_count += group->text_seen[i];
    if (text_count == 0) {
        lines_add(out, ",-,-,-\n", 7);
    } else {
        lines_add(out, ",", 1);
        lines_add_field(out, &model_texts[group->first]);
        lines_add(out, ",", 1);
        lines_add_field(out, &model_texts[group->last]);
        lines_format(out, ",%" PRId64 "\n", text_count);
    }
}

/* Write down, in order, and forget every group whose window ends by then. */
static void model_fire(struct model *model, int64_t watermark_ms)
{
    static struct model_group *due[MODEL_GROUPS_MAX];
    size_t due_count = 0;

    for (size_t i = 0; i < model->group_count; i++) {
        struct model_group *group = &model->groups[i];

        if (group->is_open && group->start_ms + model->every_ms - 1 <= watermark_ms)
            due[due_count++] = group;
    }
    comparing = model;
    qsort(due, due_count, sizeof due[0], model_compare);
    for (size_t i = 0; i < due_count; i++) {
        model_write_down(model, due[i]);
        due[i]->is_open = false;
    }
}

static struct model_group *model_group(struct model *model, const struct model_group *like)
{
    struct model_group *unused = NULL;
    size_t i;

    for (i = 0; i < model->group_count; i++) {
        struct model_group *group = &model->groups[i];

        if (!group->is_open)
            unused = group;
        else if (group->start_ms == like->start_ms &&
                 model_fields_compare(group, like, model->key_count) == 0)
            return group;
    }
    if (unused == NULL)
        unused = &model->groups[model->group_count++];
    *unused = *like;
    unused->is_open = true;
    return unused;
}

static void model_take_number(struct model_group *group, int64_t number)
{
    if (group->number_count == 0 || number < group->min)
        group->min = number;
    if (group->number_count == 0 || number > group->max)
        group->max = number;
    group->sum += number;
    group->number_count++;
}

static void model_take_text(struct model_group *group, int text, int64_t time_ms)
{
    bool any = false;

    for (size_t i = 0; i < MODEL_TEXT_COUNT; i++)
        any |= group->text_seen[i];
    if (!any || time_ms < group->first_ms) {
        group->first_ms = time_ms;
        group->first = text;
    }
    if (!any || time_ms >= group->last_ms) {
        group->last_ms = time_ms;
        group->last = text;
    }
    group->text_seen[text] = true;
}

struct model_row {
    int64_t time_ms;
    struct model_group key; /* its fields only */
    bool has_number;
    int64_t number;
    int text; /* -1: empty */
};

static int model_push(struct model *model, const struct model_row *row)
{
    struct model_group like = row->key;
    struct model_group *group;
    int64_t from = row->time_ms - model->offset_ms;
    int64_t watermark = model->greatest_ms - model->bound_ms - 1;

    like.start_ms = from / model->every_ms * model->every_ms;
    if (like.start_ms > from)
        like.start_ms -= model->every_ms;
    like.start_ms += model->offset_ms;
    if (model->any && like.start_ms + model->every_ms - 1 <= watermark) {
        model->late_count++;
        return TN_WINDOW_LATE;
    }
    group = model_group(model, &like);
    group->row_count++;
    if (row->has_number)
        model_take_number(group, row->number);
    if (row->text >= 0)
        model_take_text(group, row->text, row->time_ms);
    if (!model->any || row->time_ms > model->greatest_ms)
        model->greatest_ms = row->time_ms;
    model->any = true;
    model_fire(model, model->greatest_ms - model->bound_ms - 1);
    return TN_WINDOW_TAKEN;
}

static struct model_row model_row_random(const struct model *model, int64_t now, uint64_t *random)
{
    static const uint8_t alphabet[] = { 0, 0, 1, 'a', 'b', 0xFF };
    int64_t spread = model->bound_ms + model->bound_ms / 2 + 2 * model->every_ms;
    struct model_row row = { .time_ms = now - (int64_t)(test_random(random) % (uint64_t)spread) };

    for (size_t i = 0; i < model->key_count; i++) {
        row.key.field_bytes[i] = test_random(random) % (MODEL_FIELD_BYTES_MAX - 1);
        for (size_t j = 0; j < row.key.field_bytes[i]; j++)
            row.key.fields[i][j] = alphabet[test_random(random) % sizeof alphabet];
    }
    row.has_number = test_random(random) % 8 != 0;
    row.number = (int64_t)(test_random(random) % 200001) - 100000;
    row.text = (int)(test_random(random) % (MODEL_TEXT_COUNT + 2)) - 2;
    return row;
}

static int push_model_row(struct fixture *f, const struct model_row *row, bool broken)
{
    tarn_bytes keys[FIELDS_MAX];
    tarn_bytes y = { .data = NULL };
    char number[64] = "";

    for (size_t i = 0; i < f->options.key_count; i++)
        keys[i] = (tarn_bytes){ .data = row->key.fields[i], .bytes = row->key.field_bytes[i] };
    if (row->text >= 0)
        y = model_texts[row->text];
    if (broken)
        snprintf(number, sizeof number, "%" PRId64 "..", row->number);
    else if (row->has_number && row->number % 3 == 0)
        snprintf(number, sizeof number, "%+" PRId64 "e-2", row->number);
    else if (row->has_number)
        snprintf(number, sizeof number, "%s%" PRId64 ".%02" PRId64, row->number < 0 ? "-" : "",
                 magnitude_of(row->number) / 100, magnitude_of(row->number) % 100);
    return push_fields(f, row->time_ms, keys, bytes_of(number), y);
}

/* One random run of operator and model side by side. */
static void model_run(uint64_t *random, int row_count)
{
    static const int64_t lengths[] = { 1, 7, 10, 64, 1000 };
    struct model *model = calloc(1, sizeof *model);
    int64_t now = (int64_t)(test_random(random) % 4000) - 2000;
    struct fixture *f;

    model->every_ms = lengths[test_random(random) % 5];
    model->offset_ms = (int64_t)(test_random(random) % (uint64_t)(2 * model->every_ms - 1)) -
                       (model->every_ms - 1);
    model->bound_ms = (int64_t)(test_random(random) % 3) * (model->every_ms + 5);
    model->key_count = test_random(random) % FIELDS_MAX;
    lines_add(&model->out, "", 0);
    f = fixture_new(&(struct tn_window_options){
        .every_ms = model->every_ms,
        .offset_ms = model->offset_ms,
        .late_ms = model->bound_ms,
        .key_count = model->key_count,
        .aggregates = all_kinds,
        .aggregate_count = KIND_COUNT,
    });
    check_ok(fixture_open(f, 0));
    for (int i = 0; i < row_count; i++) {
        struct model_row row = model_row_random(model, now, random);

        if (test_random(random) % 32 == 0)
            check_eq(push_model_row(f, &row, true), TN_WINDOW_BAD);
        check_eq(push_model_row(f, &row, false), model_push(model, &row));
        now += (int64_t)(test_random(random) % 16 == 0 ? model->every_ms : 1);
    }
    check_ok(tn_window_finish(f->window));
    model_fire(model, INT64_MAX);
    check(strcmp(f->out.text, model->out.text) == 0);
    check_eq(counts_of(f).late_count, model->late_count);
    check_eq(counts_of(f).taken_count + counts_of(f).late_count, (uint64_t)row_count);
    fixture_close(f);
    free(model->out.text);
    free(model);
}

static void random_streams_agree_with_a_model(void)
{
    uint64_t random = test_seed();

    for (int run = 0; run < 60; run++)
        model_run(&random, 600);
}

static const struct test tests[] = {
    T(random_streams_agree_with_a_model),
};
TEST_MAIN(tests)
