/*
 * aggregate.c - the kinds of aggregates, and blocks made of them; see aggregate.h for the rules
 */
#include "stream/aggregate.h"

#include <string.h>

enum argument_type { NONE, TEXT, NUMBER };

enum update_answer { UPDATE_DONE, UPDATE_REPLACE, UPDATE_OVERFLOW };

/* Take an argument that is not empty. UPDATE_REPLACE: its text is the one to keep now. */
typedef enum update_answer update_fn(void *accumulator, const struct tn_argument *argument,
                                     int64_t time_ms);

/* Take another accumulator, whose rows came later or at other times (A7). Answers likewise. */
typedef enum update_answer merge_fn(void *accumulator, const void *other);

/* Write the result into `out`; answers its bytes, 0 when it is empty. */
typedef size_t result_fn(char *out, const void *accumulator);

struct tn_aggregate_functions {
    size_t bytes; /* of the accumulator, a multiple of 8 */
    enum argument_type argument;
    enum tn_aggregate_texts texts;
    update_fn *update;
    merge_fn *merge;
    result_fn *result;
};

/* ---- counts ---------------------------------------------------------------------------------- */

static size_t uint64_format(char *out, uint64_t number)
{
    struct tn_decimal decimal = { .low = number };

    tn_assert(number <= INT64_MAX); /* so many rows do not come */
    return tn_decimal_format(out, &decimal);
}

static enum update_answer count_update(void *accumulator, const struct tn_argument *argument,
                                       int64_t time_ms)
{
    uint64_t *count = accumulator;

    (void)argument;
    (void)time_ms;
    ++*count;
    return UPDATE_DONE;
}

static enum update_answer count_merge(void *accumulator, const void *other)
{
    uint64_t *count = accumulator;

    *count += *(const uint64_t *)other;
    return UPDATE_DONE;
}

static size_t count_result(char *out, const void *accumulator)
{
    return uint64_format(out, *(const uint64_t *)accumulator);
}

/* Counts like the others, but of nothing it is empty (A3). */
static size_t set_result(char *out, const void *accumulator)
{
    uint64_t count = *(const uint64_t *)accumulator;

    return count == 0 ? 0 : uint64_format(out, count);
}

/* ---- numbers --------------------------------------------------------------------------------- */

struct numbers {
    uint64_t count; /* arguments taken */
    struct tn_decimal number;
};

static enum update_answer sum_update(void *accumulator, const struct tn_argument *argument,
                                     int64_t time_ms)
{
    struct numbers *sum = accumulator;

    (void)time_ms;
    sum->count++;
    return tn_decimal_add(&sum->number, &argument->number) ? UPDATE_DONE : UPDATE_OVERFLOW;
}

static enum update_answer min_update(void *accumulator, const struct tn_argument *argument,
                                     int64_t time_ms)
{
    struct numbers *min = accumulator;

    (void)time_ms;
    if (min->count++ == 0 || tn_decimal_compare(&argument->number, &min->number) < 0)
        min->number = argument->number;
    return UPDATE_DONE;
}

static enum update_answer max_update(void *accumulator, const struct tn_argument *argument,
                                     int64_t time_ms)
{
    struct numbers *max = accumulator;

    (void)time_ms;
    if (max->count++ == 0 || tn_decimal_compare(&argument->number, &max->number) > 0)
        max->number = argument->number;
    return UPDATE_DONE;
}

static enum update_answer sum_merge(void *accumulator, const void *other)
{
    const struct numbers *from = other;
    struct numbers *sum = accumulator;

    sum->count += from->count;
    return tn_decimal_add(&sum->number, &from->number) ? UPDATE_DONE : UPDATE_OVERFLOW;
}

static enum update_answer min_merge(void *accumulator, const void *other)
{
    const struct numbers *from = other;
    struct numbers *min = accumulator;

    if (from->count > 0 && (min->count == 0 || tn_decimal_compare(&from->number, &min->number) < 0))
        min->number = from->number;
    min->count += from->count;
    return UPDATE_DONE;
}

static enum update_answer max_merge(void *accumulator, const void *other)
{
    const struct numbers *from = other;
    struct numbers *max = accumulator;

    if (from->count > 0 && (max->count == 0 || tn_decimal_compare(&from->number, &max->number) > 0))
        max->number = from->number;
    max->count += from->count;
    return UPDATE_DONE;
}

static size_t number_result(char *out, const void *accumulator)
{
    const struct numbers *number = accumulator;

    return number->count == 0 ? 0 : tn_decimal_format(out, &number->number);
}

static size_t avg_result(char *out, const void *accumulator)
{
    const struct numbers *sum = accumulator;

    return sum->count == 0 ? 0 : tn_decimal_format_average(out, &sum->number, sum->count);
}

/* ---- first and last -------------------------------------------------------------------------- */

struct moment {
    int64_t time_ms;
    uint64_t is_set;
};

static enum update_answer time_set(struct moment *accumulator, int64_t time_ms)
{
    accumulator->time_ms = time_ms;
    accumulator->is_set = 1;
    return UPDATE_REPLACE;
}

static enum update_answer first_update(void *accumulator, const struct tn_argument *argument,
                                       int64_t time_ms)
{
    struct moment *first = accumulator;

    (void)argument;
    if (first->is_set != 0 && time_ms >= first->time_ms)
        return UPDATE_DONE; /* A5 */
    return time_set(first, time_ms);
}

static enum update_answer last_update(void *accumulator, const struct tn_argument *argument,
                                      int64_t time_ms)
{
    struct moment *last = accumulator;

    (void)argument;
    if (last->is_set != 0 && time_ms < last->time_ms)
        return UPDATE_DONE; /* A5 */
    return time_set(last, time_ms);
}

static enum update_answer first_merge(void *accumulator, const void *other)
{
    const struct moment *from = other;
    struct moment *first = accumulator;

    if (from->is_set == 0 || (first->is_set != 0 && from->time_ms >= first->time_ms))
        return UPDATE_DONE; /* A5 */
    return time_set(first, from->time_ms);
}

static enum update_answer last_merge(void *accumulator, const void *other)
{
    const struct moment *from = other;
    struct moment *last = accumulator;

    if (from->is_set == 0 || (last->is_set != 0 && from->time_ms < last->time_ms))
        return UPDATE_DONE; /* A5 */
    return time_set(last, from->time_ms);
}

/* ---- the table ------------------------------------------------------------------------------- */

/* clang-format off */
static const struct tn_aggregate_functions functions_of[] = {
    /*                 accumulator             argument texts         update        merge        result */
    [TN_COUNT_ROWS] = {sizeof(uint64_t),       NONE,   TN_TEXTS_NONE, count_update, count_merge, count_result},
    [TN_COUNT]      = {sizeof(uint64_t),       TEXT,   TN_TEXTS_NONE, count_update, count_merge, count_result},
    [TN_SUM]        = {sizeof(struct numbers), NUMBER, TN_TEXTS_NONE, sum_update,   sum_merge,   number_result},
    [TN_MIN]        = {sizeof(struct numbers), NUMBER, TN_TEXTS_NONE, min_update,   min_merge,   number_result},
    [TN_MAX]        = {sizeof(struct numbers), NUMBER, TN_TEXTS_NONE, max_update,   max_merge,   number_result},
    [TN_AVG]        = {sizeof(struct numbers), NUMBER, TN_TEXTS_NONE, sum_update,   sum_merge,   avg_result},
    [TN_FIRST]      = {sizeof(struct moment),  TEXT,   TN_TEXTS_ONE,  first_update, first_merge, NULL},
    [TN_LAST]       = {sizeof(struct moment),  TEXT,   TN_TEXTS_ONE,  last_update,  last_merge,  NULL},
    [TN_DISTINCT]   = {sizeof(uint64_t),       TEXT,   TN_TEXTS_SET,  NULL,         NULL,        set_result},
};
/* clang-format on */

/* ---- blocks ---------------------------------------------------------------------------------- */

static size_t layout_bytes(size_t count)
{
    return sizeof(struct tn_layout) + count * sizeof(struct tn_layout_part);
}

static size_t mark_offset(const struct tn_layout *layout)
{
    return layout->has_texts ? sizeof(uint64_t) : 0;
}

uint64_t tn_layout_number(const void *block)
{
    uint64_t number;

    memcpy(&number, block, sizeof number);
    return number;
}

void tn_layout_set_number(void *block, uint64_t number)
{
    memcpy(block, &number, sizeof number);
}

uint64_t tn_layout_mark(const struct tn_layout *layout, const void *block)
{
    uint64_t mark;

    memcpy(&mark, (const uint8_t *)block + mark_offset(layout), sizeof mark);
    return mark;
}

void tn_layout_set_mark(const struct tn_layout *layout, void *block, uint64_t mark)
{
    memcpy((uint8_t *)block + mark_offset(layout), &mark, sizeof mark);
}

struct tn_layout *tn_layout_new(struct tn_memory *memory, const struct tn_aggregate *aggregates,
                                size_t count, bool has_mark)
{
    struct tn_layout *layout = tn_memory_new(memory, layout_bytes(count), true);
    size_t i;

    if (layout == NULL)
        return NULL;
    layout->count = count;
    for (i = 0; i < count; i++) {
        const struct tn_aggregate_functions *functions = &functions_of[aggregates[i].kind];

        layout->has_arguments |= functions->argument != NONE;
        layout->has_texts |= functions->texts != TN_TEXTS_NONE;
        layout->has_text_sets |= functions->texts == TN_TEXTS_SET;
        layout->parts[i] = (struct tn_layout_part){
            .functions = functions,
            .text = aggregates[i].text,
            .texts = functions->texts,
        };
    }
    layout->has_mark = has_mark;
    layout->block_bytes = mark_offset(layout) + (has_mark ? sizeof(uint64_t) : 0);
    for (i = 0; i < count; i++) {
        layout->parts[i].offset = layout->block_bytes;
        layout->block_bytes += layout->parts[i].functions->bytes;
    }
    return layout;
}

void tn_layout_free(struct tn_memory *memory, struct tn_layout *layout)
{
    if (layout != NULL)
        tn_memory_free(memory, layout, layout_bytes(layout->count));
}

static void *accumulator_at(const struct tn_layout *layout, void *block, size_t index)
{
    return (uint8_t *)block + layout->parts[index].offset;
}

/* "sum(x): not a number: "abc"" */
static void reason_set(struct tn_text *reason, const struct tn_layout_part *part, const char *what,
                       const tarn_bytes *text)
{
    tn_text_clear(reason);
    tn_text_add(reason, part->text);
    tn_text_add(reason, ": ");
    tn_text_add(reason, what);
    tn_text_add(reason, ": ");
    tn_text_add_quoted(reason, text->data, text->bytes);
}

static bool number_read(const struct tn_layout_part *part, struct tn_argument *argument,
                        struct tn_text *reason)
{
    switch (tn_decimal_parse(&argument->number, argument->text.data, argument->text.bytes)) {
    case TN_DECIMAL_OK:
        return true;
    case TN_DECIMAL_SYNTAX:
        reason_set(reason, part, "not a number", &argument->text);
        return false;
    case TN_DECIMAL_RANGE:
        reason_set(reason, part, "needs more than 18 decimals or 128 bits", &argument->text);
        return false;
    }
    tn_unreachable();
}

static bool text_check(const struct tn_layout_part *part, const tarn_bytes *text,
                       struct tn_text *reason)
{
    size_t bytes_max =
        part->texts == TN_TEXTS_SET ? TN_TEXT_IN_SET_BYTES_MAX : TARN_VALUE_BYTES_MAX;

    if (part->texts == TN_TEXTS_NONE || text->bytes <= bytes_max)
        return true;
    tn_text_clear(reason);
    tn_text_add(reason, part->text);
    tn_text_add(reason, ": text too long: ");
    tn_text_add_number(reason, (int64_t)text->bytes);
    tn_text_add(reason, " bytes where ");
    tn_text_add_number(reason, (int64_t)bytes_max);
    tn_text_add(reason, " can be kept");
    return false;
}

bool tn_layout_read(const struct tn_layout *layout, const tarn_bytes *texts,
                    struct tn_argument *arguments, struct tn_text *reason)
{
    const struct tn_argument *read = NULL; /* the number read last */

    for (size_t i = 0; i < layout->count; i++) {
        const struct tn_layout_part *part = &layout->parts[i];
        struct tn_argument *argument = &arguments[i];

        if (part->functions->argument == NONE)
            continue;
        argument->text = texts[i];
        if (texts[i].bytes == 0)
            continue;
        if (!text_check(part, &argument->text, reason))
            return false;
        if (part->functions->argument != NUMBER)
            continue;
        if (read != NULL && read->text.data == texts[i].data && read->text.bytes == texts[i].bytes)
            argument->number = read->number; /* min(x),max(x): one field, read once */
        else if (!number_read(part, argument, reason))
            return false;
        read = argument;
    }
    return true;
}

bool tn_layout_update(const struct tn_layout *layout, void *block, struct tn_argument *arguments,
                      int64_t time_ms, struct tn_text *reason)
{
    for (size_t i = 0; i < layout->count; i++) {
        const struct tn_layout_part *part = &layout->parts[i];
        struct tn_argument *argument = &arguments[i];
        enum update_answer answer;

        argument->errand = TN_ERRAND_NONE;
        if (part->functions->argument != NONE && argument->text.bytes == 0)
            continue; /* A3 */
        if (part->texts == TN_TEXTS_SET) {
            argument->errand = TN_ERRAND_JOIN;
            continue;
        }
        answer = part->functions->update(accumulator_at(layout, block, i), argument, time_ms);
        if (TN_UNLIKELY(answer == UPDATE_OVERFLOW)) {
            reason_set(reason, part, "the sum leaves 128 bits when it takes", &argument->text);
            return false;
        }
        if (answer == UPDATE_REPLACE)
            argument->errand = TN_ERRAND_REPLACE;
    }
    return true;
}

bool tn_layout_merge(const struct tn_layout *layout, void *into, const void *from,
                     enum tn_errand *errands, struct tn_text *reason)
{
    for (size_t i = 0; i < layout->count; i++) {
        const struct tn_layout_part *part = &layout->parts[i];
        enum update_answer answer;

        errands[i] = TN_ERRAND_NONE;
        if (part->texts == TN_TEXTS_SET)
            continue;
        answer = part->functions->merge(accumulator_at(layout, into, i),
                                        (const uint8_t *)from + part->offset);
        if (TN_UNLIKELY(answer == UPDATE_OVERFLOW)) {
            tn_text_clear(reason);
            tn_text_add(reason, part->text);
            tn_text_add(reason, ": the sum of a window leaves 128 bits");
            return false;
        }
        if (answer == UPDATE_REPLACE)
            errands[i] = TN_ERRAND_REPLACE;
    }
    if (layout->has_mark && tn_layout_mark(layout, from) > tn_layout_mark(layout, into))
        tn_layout_set_mark(layout, into, tn_layout_mark(layout, from));
    return true;
}

void tn_layout_count_texts(const struct tn_layout *layout, void *block, size_t index,
                           uint64_t count)
{
    uint64_t *counter = accumulator_at(layout, block, index);

    tn_assert(layout->parts[index].texts == TN_TEXTS_SET);
    *counter += count;
}

tarn_bytes tn_layout_result(const struct tn_layout *layout, const void *block, size_t index,
                            char *buffer)
{
    const struct tn_layout_part *part = &layout->parts[index];
    size_t bytes;

    tn_assert(part->texts != TN_TEXTS_ONE);
    bytes = part->functions->result(buffer, (const uint8_t *)block + part->offset);
    return (tarn_bytes){ .data = bytes > 0 ? buffer : NULL, .bytes = bytes };
}
