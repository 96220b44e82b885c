/*
 * test_window_model.c - random streams through the window operator and through a plain model of it
 *
 * The model keeps every window of every group as a list of its rows, looks through all of them for
 * each row, and computes what it writes down anew each time. A stream that comes out differently is
 * made short, row by row, and printed.
 */
#include "window_fixture.h"

#define MODEL_FIELD_BYTES_MAX 4
#define MODEL_TEXT_COUNT 12
#define MODEL_ROWS_MAX 400

struct model_row {
    int64_t time_ms;
    uint8_t fields[FIELDS_MAX][MODEL_FIELD_BYTES_MAX];
    size_t field_bytes[FIELDS_MAX];
    bool has_number;
    bool broken;    /* its number is none */
    int64_t number; /* in hundredths */
    int text;       /* < 0: empty */
};

/* A stream and what is done with it. */
struct model_case {
    struct tn_window_options options;
    bool reopens; /* the operator is saved, closed and opened again after every row */
    struct model_row rows[MODEL_ROWS_MAX];
    int row_count;
};

/* A window of a group. */
struct model_window {
    int64_t start_ms;
    int64_t last_ms;
    int rows[MODEL_ROWS_MAX];
    int row_count;
    bool is_out;     /* a row of it has been written down: `line` */
    bool is_changed; /* since the last print */
    bool is_closed;
    bool is_gone; /* taken back, or forgotten */
    char op;
    char line[1000];
};

struct model {
    const struct model_case *of;
    struct model_window **windows;
    size_t window_count;
    int64_t greatest_ms;
    bool any;
    int64_t watermark_ms;
    int64_t tick;
    bool has_ticked;
    struct lines out;
};

static const tarn_bytes model_texts[MODEL_TEXT_COUNT] = {
    { "a", 1 },   { "b", 1 },          { "A", 1 },      { "a\0", 2 },
    { "\0", 1 },  { "\0\0", 2 },       { "1", 1 },      { "1.0", 3 },
    { "x y", 3 }, { "\xFF\xFE\0", 3 }, { "longer", 6 }, { "longer still", 12 },
};

/* ---- values ---------------------------------------------------------------------------------- */

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

static void model_add_numbers(struct lines *out, const struct model_case *of,
                              const struct model_window *window)
{
    int64_t sum = 0, min = INT64_MAX, max = INT64_MIN, count = 0;

    for (int i = 0; i < window->row_count; i++) {
        const struct model_row *row = &of->rows[window->rows[i]];

        if (!row->has_number)
            continue;
        count++;
        sum += row->number;
        min = row->number < min ? row->number : min;
        max = row->number > max ? row->number : max;
    }
    lines_format(out, ": %d,%" PRId64, window->row_count, count);
    if (count == 0) {
        lines_add(out, ",-,-,-,-", 8);
        return;
    }
    lines_add(out, ",", 1);
    model_add_number(out, sum, 2);
    lines_add(out, ",", 1);
    model_add_number(out, min, 2);
    lines_add(out, ",", 1);
    model_add_number(out, max, 2);
    lines_add(out, ",", 1);
    model_add_number(out, model_average(sum, count), 6);
}

/* Rows are in the order of arrival. */
static void model_add_texts(struct lines *out, const struct model_case *of,
                            const struct model_window *window)
{
    const struct model_row *first = NULL, *last = NULL;
    bool seen[MODEL_TEXT_COUNT] = { false };
    int count = 0;

    for (int i = 0; i < window->row_count; i++) {
        const struct model_row *row = &of->rows[window->rows[i]];

        if (row->text < 0)
            continue;
        if (first == NULL || row->time_ms < first->time_ms)
            first = row;
        if (last == NULL || row->time_ms >= last->time_ms)
            last = row;
        count += !seen[row->text];
        seen[row->text] = true;
    }
    if (first == NULL) {
        lines_add(out, ",-,-,-\n", 7);
        return;
    }
    lines_add(out, ",", 1);
    lines_add_field(out, &model_texts[first->text]);
    lines_add(out, ",", 1);
    lines_add_field(out, &model_texts[last->text]);
    lines_format(out, ",%d\n", count);
}

static int64_t model_end(const struct model_window *window)
{
    return window->last_ms < INT64_MAX ? window->last_ms + 1 : INT64_MAX;
}

/* The line of a window, without its op. */
static void model_compute(const struct model_case *of, struct model_window *window)
{
    const struct model_row *row = &of->rows[window->rows[0]];
    struct lines out = { .text = NULL };

    lines_format(&out, "%" PRId64 "..%" PRId64, window->start_ms, model_end(window));
    for (size_t i = 0; i < of->options.key_count; i++) {
        lines_add(&out, i == 0 ? " " : ",", 1);
        lines_add_field(&out,
                        &(tarn_bytes){ .data = row->fields[i], .bytes = row->field_bytes[i] });
    }
    model_add_numbers(&out, of, window);
    if (of->options.aggregate_count == KIND_COUNT)
        model_add_texts(&out, of, window);
    else
        lines_add(&out, "\n", 1);
    snprintf(window->line, sizeof window->line, "%s", out.text);
    free(out.text);
}

static void model_write_down(struct model *model, const struct model_window *window)
{
    if (model->of->options.mode != TN_WINDOW_FINAL)
        lines_add(&model->out, &window->op, 1);
    lines_add(&model->out, window->line, strlen(window->line));
}

static void model_emit(struct model *model, struct model_window *window)
{
    model_compute(model->of, window);
    window->op = '+';
    window->is_out = true;
    model_write_down(model, window);
}

/* ---- windows --------------------------------------------------------------------------------- */

static const struct model *comparing; /* qsort has no context */

static int model_fields_compare(const struct model_row *a, const struct model_row *b,
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
    const struct model_window *a = *(const struct model_window *const *)a_pointer;
    const struct model_window *b = *(const struct model_window *const *)b_pointer;
    const struct model_row *rows = comparing->of->rows;
    int order;

    if (a->last_ms != b->last_ms)
        return a->last_ms < b->last_ms ? -1 : 1;
    if (comparing->of->options.gap_ms == 0 && a->start_ms != b->start_ms)
        return a->start_ms < b->start_ms ? -1 : 1;
    order = model_fields_compare(&rows[a->rows[0]], &rows[b->rows[0]],
                                 comparing->of->options.key_count);
    return order != 0 ? order : (b->op == '-') - (a->op == '-'); /* taken back before it holds */
}

static void model_sort(struct model *model)
{
    comparing = model;
    if (model->window_count > 1)
        qsort(model->windows, model->window_count, sizeof *model->windows, model_compare);
}

static struct model_window *model_add(struct model *model, int64_t start_ms, int64_t last_ms)
{
    struct model_window *window = calloc(1, sizeof *window);

    window->start_ms = start_ms;
    window->last_ms = last_ms;
    model->windows = realloc(model->windows, (model->window_count + 1) * sizeof *model->windows);
    model->windows[model->window_count++] = window;
    return window;
}

static void model_take(struct model_window *window, int row)
{
    int at = window->row_count++;

    for (; at > 0 && window->rows[at - 1] > row; at--)
        window->rows[at] = window->rows[at - 1];
    window->rows[at] = row;
    window->is_changed = true;
}

static void model_forget(struct model *model)
{
    size_t kept = 0;

    for (size_t i = 0; i < model->window_count; i++) {
        if (model->windows[i]->is_gone)
            free(model->windows[i]);
        else
            model->windows[kept++] = model->windows[i];
    }
    model->window_count = kept;
}

static __int128 model_saturate(__int128 number)
{
    return number < INT64_MIN ? INT64_MIN : number > INT64_MAX ? INT64_MAX : number;
}

static bool model_is_closed(const struct model *model, __int128 last_ms)
{
    const struct tn_window_options *options = &model->of->options;
    __int128 until = last_ms + options->grace_ms;

    return model->watermark_ms != INT64_MIN && model_saturate(until) <= model->watermark_ms;
}

static struct model_window *model_find(struct model *model, __int128 start, __int128 last, int row)
{
    const struct model_row *rows = model->of->rows;

    for (size_t i = 0; i < model->window_count; i++) {
        struct model_window *window = model->windows[i];

        if (!window->is_gone && window->start_ms == model_saturate(start) &&
            window->last_ms == model_saturate(last) &&
            model_fields_compare(&rows[window->rows[0]], &rows[row],
                                 model->of->options.key_count) == 0)
            return window;
    }
    return NULL;
}

static int model_push_clocked(struct model *model, int row)
{
    const struct tn_window_options *options = &model->of->options;
    int64_t slide = options->slide_ms > 0 ? options->slide_ms : options->every_ms;
    int64_t time_ms = model->of->rows[row].time_ms;
    __int128 start = ((__int128)time_ms - options->offset_ms) / slide * slide + options->offset_ms;
    int taken = 0, late = 0;

    while (start > time_ms)
        start -= slide;
    while (start + slide <= time_ms)
        start += slide;
    while (start - slide + options->every_ms > time_ms)
        start -= slide; /* the first window that has the time */
    for (; start <= time_ms; start += slide) {
        __int128 last = start + options->every_ms - 1;
        struct model_window *window;

        if (last < time_ms)
            continue;
        if (model_is_closed(model, last)) {
            late++;
            continue;
        }
        taken++;
        window = model_find(model, start, last, row);
        if (window == NULL)
            window =
                model_add(model, (int64_t)model_saturate(start), (int64_t)model_saturate(last));
        model_take(window, row);
        if (options->mode == TN_WINDOW_CHANGES && window->last_ms <= model->watermark_ms)
            model_emit(model, window);
    }
    return taken > 0 ? TN_WINDOW_TAKEN : late > 0 ? TN_WINDOW_LATE : TN_WINDOW_OUTSIDE;
}

/* A session whose row is out, as it was, will not be any more. */
static void model_take_back(struct model *model, struct model_window *window)
{
    struct model_window *back;

    if (!window->is_out)
        return;
    if (model->of->options.mode == TN_WINDOW_CHANGES) {
        window->op = '-';
        model_write_down(model, window);
    } else {
        back = model_add(model, window->start_ms, window->last_ms);
        memcpy(back, window, sizeof *back);
        back->is_changed = back->is_closed = true;
        back->op = '-';
    }
    window->is_out = false;
}

static int model_push_session(struct model *model, int row)
{
    const struct tn_window_options *options = &model->of->options;
    const struct model_row *rows = model->of->rows;
    int64_t time_ms = rows[row].time_ms;
    int64_t last = (int64_t)model_saturate((__int128)time_ms + options->gap_ms - 1);
    struct model_window *all[MODEL_ROWS_MAX], *into;
    int64_t start = time_ms, end = last;
    size_t count = 0;
    bool changes;

    model_sort(model);
    for (size_t i = 0; i < model->window_count; i++) {
        struct model_window *window = model->windows[i];

        if (window->is_gone || window->is_closed ||
            model_fields_compare(&rows[window->rows[0]], &rows[row], options->key_count) != 0 ||
            (__int128)time_ms > (__int128)window->last_ms + 1 ||
            (__int128)window->start_ms > (__int128)last + 1)
            continue;
        all[count++] = window;
        start = window->start_ms < start ? window->start_ms : start;
        end = window->last_ms > end ? window->last_ms : end;
    }
    if (count == 0 && model_is_closed(model, last))
        return TN_WINDOW_LATE;
    into = count > 0 ? all[0] : model_add(model, start, end);
    changes = count > 1 || into->start_ms != start || into->last_ms != end;
    for (size_t i = 0; changes && i < count; i++)
        model_take_back(model, all[i]);
    for (size_t i = 1; i < count; i++) {
        for (int j = 0; j < all[i]->row_count; j++)
            model_take(into, all[i]->rows[j]);
        all[i]->is_gone = true;
    }
    into->start_ms = start;
    into->last_ms = end;
    model_take(into, row);
    if (options->mode == TN_WINDOW_CHANGES && end <= model->watermark_ms)
        model_emit(model, into);
    model_forget(model);
    return TN_WINDOW_TAKEN;
}

/* ---- time ------------------------------------------------------------------------------------ */

static bool model_ticks(struct model *model)
{
    int64_t every = model->of->options.print_ms;
    int64_t time_ms, tick;
    bool had_ticked = model->has_ticked;

    if (model->watermark_ms == INT64_MAX)
        return true;
    time_ms = model->watermark_ms + 1;
    tick = time_ms >= 0 ? time_ms / every : -((-(time_ms + 1)) / every) - 1;
    if (had_ticked && tick <= model->tick)
        return false;
    model->tick = tick;
    model->has_ticked = true;
    return had_ticked;
}

static void model_advance(struct model *model, int64_t watermark_ms)
{
    enum tn_window_mode mode = model->of->options.mode;
    bool prints;

    if (watermark_ms <= model->watermark_ms)
        return;
    model->watermark_ms = watermark_ms;
    prints = mode == TN_WINDOW_EVERY && model_ticks(model);
    model_sort(model);
    for (size_t i = 0; i < model->window_count; i++) {
        struct model_window *window = model->windows[i];

        window->is_closed |= model_is_closed(model, window->last_ms);
        if ((mode == TN_WINDOW_FINAL && window->is_closed) ||
            (mode == TN_WINDOW_CHANGES && !window->is_out && window->last_ms <= watermark_ms)) {
            model_emit(model, window);
        } else if (prints && window->is_changed) {
            if (window->op == '-')
                model_write_down(model, window);
            else
                model_emit(model, window);
            window->is_changed = false;
        }
        window->is_gone = window->is_closed && (mode != TN_WINDOW_EVERY || prints);
    }
    model_forget(model);
}

static int model_push(struct model *model, int row)
{
    const struct tn_window_options *options = &model->of->options;
    int64_t time_ms = model->of->rows[row].time_ms;
    int answer;

    if (model->of->rows[row].broken)
        return TN_WINDOW_BAD;
    if (options->max_ahead_ms > 0 && model->watermark_ms != INT64_MIN &&
        (__int128)time_ms - model->watermark_ms > options->max_ahead_ms)
        return TN_WINDOW_BAD;
    answer = options->gap_ms > 0 ? model_push_session(model, row) : model_push_clocked(model, row);
    if (!model->any || time_ms > model->greatest_ms)
        model->greatest_ms = time_ms;
    model->any = true;
    model_advance(model,
                  (int64_t)model_saturate((__int128)model->greatest_ms - options->late_ms - 1));
    return answer;
}

static struct model *model_new(const struct model_case *of)
{
    struct model *model = calloc(1, sizeof *model);

    model->of = of;
    model->watermark_ms = INT64_MIN;
    lines_add(&model->out, "", 0);
    return model;
}

static void model_free(struct model *model)
{
    for (size_t i = 0; i < model->window_count; i++)
        free(model->windows[i]);
    free(model->windows);
    free(model->out.text);
    free(model);
}

/* ---- side by side ---------------------------------------------------------------------------- */

static int push_model_row(struct fixture *f, const struct model_row *row)
{
    tarn_bytes keys[FIELDS_MAX];
    tarn_bytes y = { .data = NULL };
    char number[64] = "";

    for (size_t i = 0; i < f->options.key_count; i++)
        keys[i] = (tarn_bytes){ .data = row->fields[i], .bytes = row->field_bytes[i] };
    if (row->text >= 0)
        y = model_texts[row->text];
    if (row->broken)
        snprintf(number, sizeof number, "%" PRId64 "..", row->number);
    else if (row->has_number && row->number % 3 == 0)
        snprintf(number, sizeof number, "%+" PRId64 "e-2", row->number);
    else if (row->has_number)
        snprintf(number, sizeof number, "%s%" PRId64 ".%02" PRId64, row->number < 0 ? "-" : "",
                 magnitude_of(row->number) / 100, magnitude_of(row->number) % 100);
    return push_fields(f, row->time_ms, keys, bytes_of(number), y);
}

/* Run operator and model side by side; answers the number of the first row that differs, or -1. */
static int case_differs(const struct model_case *of, const char **what)
{
    struct fixture *f = fixture_new(&of->options);
    struct model *model = model_new(of);
    int differs = -1;

    check_ok(fixture_open(f, 0));
    for (int i = 0; i <= of->row_count && differs < 0; i++) {
        bool ends = i == of->row_count;
        int seen = ends ? tn_window_finish(f->window) : push_model_row(f, &of->rows[i]);
        int wanted = 0;

        if (ends)
            model_advance(model, INT64_MAX);
        else
            wanted = model_push(model, i);
        *what = seen != wanted ? "the answer" : "the rows written";
        if (seen != wanted || strcmp(f->out.text, model->out.text) != 0)
            differs = i;
        if (of->reopens && !ends)
            fixture_reopen(f);
    }
    fixture_close(f);
    model_free(model);
    return differs;
}

/* Leave out rows, many and then few, as long as it still differs. */
static void case_shrink(struct model_case *of)
{
    struct model_case *tried = malloc(sizeof *tried);
    const char *what;

    for (int step = of->row_count; step > 0; step /= 2) {
        for (int from = 0; from + step <= of->row_count;) {
            *tried = *of;
            memmove(tried->rows + from, tried->rows + from + step,
                    (size_t)(of->row_count - from - step) * sizeof tried->rows[0]);
            tried->row_count -= step;
            if (case_differs(tried, &what) >= 0)
                *of = *tried;
            else
                from++;
        }
    }
    free(tried);
}

static void case_print(const struct model_case *of)
{
    const struct tn_window_options *o = &of->options;
    struct fixture *f = fixture_new(o);
    struct model *model = model_new(of);

    printf("# every %" PRId64 " slide %" PRId64 " offset %" PRId64 " gap %" PRId64 " late %" PRId64
           " grace %" PRId64 " ahead %" PRId64 " mode %d print %" PRId64
           " keys %zu values %zu reopens %d\n",
           o->every_ms, o->slide_ms, o->offset_ms, o->gap_ms, o->late_ms, o->grace_ms,
           o->max_ahead_ms, (int)o->mode, o->print_ms, o->key_count, o->aggregate_count,
           of->reopens);
    check_ok(fixture_open(f, 0));
    for (int i = 0; i < of->row_count; i++) {
        const struct model_row *row = &of->rows[i];

        printf("# row: time %" PRId64 " key %.*s text %d -> %d, model %d\n", row->time_ms,
               (int)row->field_bytes[0], (const char *)row->fields[0], row->text,
               push_model_row(f, row), model_push(model, i));
        if (of->reopens)
            fixture_reopen(f);
    }
    tn_window_finish(f->window);
    model_advance(model, INT64_MAX);
    printf("# seen:\n%s# wanted:\n%s", f->out.text, model->out.text);
    fixture_close(f);
    model_free(model);
}

static void case_run(struct model_case *of)
{
    const char *what;
    int differs = case_differs(of, &what);

    if (differs < 0)
        return;
    test_fail(__FILE__, __LINE__, "row %d: %s differs", differs, what);
    case_shrink(of);
    case_print(of);
    exit(1);
}

/* ---- random cases ---------------------------------------------------------------------------- */

static int64_t random_below(uint64_t *random, int64_t limit)
{
    return (int64_t)(test_random(random) % (uint64_t)limit);
}

enum shape { TUMBLING, HOPPING, SAMPLING, MANY_SLICES, SESSIONS, SHAPE_COUNT };

static void options_choose(struct model_case *of, enum shape shape, uint64_t *random)
{
    static const int64_t lengths[] = { 1, 7, 10, 64, 1000 };
    struct tn_window_options *o = &of->options;
    int64_t length = lengths[random_below(random, 5)], slide;

    *o = (struct tn_window_options){
        .key_count = (size_t)random_below(random, FIELDS_MAX),
        .aggregates = all_kinds,
        .aggregate_count = random_below(random, 2) == 0 ? KIND_COUNT : FIRST_TEXT_KIND,
        .mode = (enum tn_window_mode)random_below(random, 3),
        .late_ms = random_below(random, 3) * (length + 5),
        .grace_ms = random_below(random, 3) * (length / 2 + 3),
    };
    if (o->mode == TN_WINDOW_EVERY)
        o->print_ms = 1 + random_below(random, 3 * length);
    if (random_below(random, 4) == 0)
        o->max_ahead_ms = o->late_ms + 1 + random_below(random, 3 * length);
    if (shape == SESSIONS)
        o->gap_ms = length;
    else
        o->every_ms = length;
    if (shape == HOPPING)
        o->slide_ms = 1 + length / (1 + random_below(random, 15));
    if (shape == SAMPLING)
        o->slide_ms = length + 1 + random_below(random, length);
    if (shape == MANY_SLICES) {
        o->slide_ms = 1 + random_below(random, 4);
        o->every_ms = o->slide_ms * (9 + random_below(random, 90)) + random_below(random, 4);
    }
    slide = o->slide_ms > 0 ? o->slide_ms : o->every_ms;
    if (shape != SESSIONS)
        o->offset_ms = random_below(random, 2 * slide - 1) - (slide - 1);
}

static void row_choose(struct model_row *row, const struct tn_window_options *o, int64_t now,
                       uint64_t *random)
{
    static const uint8_t alphabet[] = { 0, 0, 1, 'a', 'b', 0xFF };
    int64_t length = o->every_ms + o->gap_ms;
    int64_t spread = o->late_ms + o->grace_ms + o->late_ms / 2 + 2 * length;

    *row = (struct model_row){ .time_ms = now - random_below(random, spread) };
    for (size_t i = 0; i < o->key_count; i++) {
        row->field_bytes[i] = (size_t)random_below(random, i == 0 ? 2 : 3);
        for (size_t j = 0; j < row->field_bytes[i]; j++)
            row->fields[i][j] = alphabet[random_below(random, sizeof alphabet)];
    }
    row->has_number = random_below(random, 8) != 0;
    row->number = random_below(random, 200001) - 100000;
    row->text = (int)random_below(random, MODEL_TEXT_COUNT + 2) - 2;
    row->broken = random_below(random, 32) == 0;
}

static void case_choose(struct model_case *of, enum shape shape, int row_count, uint64_t *random)
{
    const struct tn_window_options *o = &of->options;
    int64_t now = random_below(random, 4000) - 2000;

    options_choose(of, shape, random);
    of->reopens = random_below(random, 4) == 0;
    of->row_count = row_count;
    for (int i = 0; i < row_count; i++) {
        row_choose(&of->rows[i], o, now, random);
        now += random_below(random, 16) == 0 ? o->every_ms + o->gap_ms : random_below(random, 3);
    }
}

static void shape_agrees(enum shape shape)
{
    struct model_case *of = malloc(sizeof *of);
    const char *runs = getenv("RUNS");
    int count = runs != NULL ? atoi(runs) : 120;
    uint64_t random = test_seed();

    for (int run = 0; run < count; run++) {
        case_choose(of, shape, 20 + (int)random_below(&random, shape == MANY_SLICES ? 60 : 200),
                    &random);
        case_run(of);
    }
    free(of);
}

static void random_tumbling_windows_agree_with_a_model(void)
{
    shape_agrees(TUMBLING);
}

static void random_hopping_windows_agree_with_a_model(void)
{
    shape_agrees(HOPPING);
}

static void random_sampling_windows_agree_with_a_model(void)
{
    shape_agrees(SAMPLING);
}

static void random_windows_of_many_slices_agree_with_a_model(void)
{
    shape_agrees(MANY_SLICES);
}

static void random_sessions_agree_with_a_model(void)
{
    shape_agrees(SESSIONS);
}

/* Rows near the ends of time, in every shape. */
static void windows_at_the_ends_of_time_agree_with_a_model(void)
{
    struct model_case *of = malloc(sizeof *of);
    uint64_t random = test_seed();

    for (int run = 0; run < 300; run++) {
        bool high = run % 2 == 0;

        case_choose(of, (enum shape)(run % SHAPE_COUNT), 30, &random);
        for (int i = 0; i < of->row_count; i++) {
            int64_t into = random_below(&random, 200);

            of->rows[i].time_ms = high ? INT64_MAX - into : INT64_MIN + 1 + into;
        }
        case_run(of);
    }
    free(of);
}

/* ---- metamorphic ----------------------------------------------------------------------------- */

static struct lines lines_of_case(const struct model_case *of)
{
    struct fixture *f = fixture_new(&of->options);
    struct lines out;

    check_ok(fixture_open(f, 0));
    for (int i = 0; i < of->row_count; i++)
        check(push_model_row(f, &of->rows[i]) != TN_WINDOW_LATE);
    check_ok(tn_window_finish(f->window));
    out = f->out;
    f->out = (struct lines){ .text = NULL };
    fixture_close(f);
    return out;
}

static int rows_compare(const void *a_pointer, const void *b_pointer)
{
    const struct model_row *a = a_pointer, *b = b_pointer;

    return a->time_ms < b->time_ms ? -1 : a->time_ms > b->time_ms;
}

/*
 * Move rows before older ones, as long as they are older by less than the bound. (At the bound
 * itself a row can find closed the session that it would have touched and not overlapped: its end
 * is its time.)
 */
static void rows_permute(struct model_case *of, uint64_t *random)
{
    int64_t bound = of->options.late_ms;
    struct model_row kept;

    for (int i = 1; i < of->row_count; i++) {
        int j = i;

        if (random_below(random, 2) == 0)
            continue;
        kept = of->rows[i];
        for (; j > 0 && kept.time_ms - of->rows[j - 1].time_ms < bound &&
               random_below(random, 8) != 0;
             j--)
            of->rows[j] = of->rows[j - 1];
        of->rows[j] = kept;
    }
}

/* Times differ, so that first and last have no ties. */
static void rows_permuted_within_the_bound_give_the_same_final_rows(void)
{
    struct model_case *of = malloc(sizeof *of);
    uint64_t random = test_seed();

    for (int run = 0; run < 200; run++) {
        struct lines before, after;

        case_choose(of, (enum shape)(run % SHAPE_COUNT), 100, &random);
        of->options.mode = TN_WINDOW_FINAL;
        of->options.print_ms = of->options.max_ahead_ms = 0;
        of->options.late_ms = 40;
        for (int i = 0; i < of->row_count; i++) {
            of->rows[i].time_ms = 3 * i + random_below(&random, 3);
            of->rows[i].broken = false;
        }
        qsort(of->rows, (size_t)of->row_count, sizeof of->rows[0], rows_compare);
        before = lines_of_case(of);
        rows_permute(of, &random);
        after = lines_of_case(of);
        check(strcmp(before.text, after.text) == 0);
        free(before.text);
        free(after.text);
    }
    free(of);
}

static const struct test tests[] = {
    T(random_tumbling_windows_agree_with_a_model),
    T(random_hopping_windows_agree_with_a_model),
    T(random_sampling_windows_agree_with_a_model),
    T(random_windows_of_many_slices_agree_with_a_model),
    T(random_sessions_agree_with_a_model),
    T(windows_at_the_ends_of_time_agree_with_a_model),
    T(rows_permuted_within_the_bound_give_the_same_final_rows),
};
TEST_MAIN(tests)
