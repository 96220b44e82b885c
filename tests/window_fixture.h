/*
 * window_fixture.h - a window operator under test: its store, its memory, what it emits
 *
 * Emitted rows are written down as lines, "start..end key,key: value,value", an empty value as "-",
 * and compared as text; with "+" or "-" in front unless only final rows come. Every fixture has a
 * store of its own, and one counting allocator serves it and the operator, so that a leak in either
 * shows when it closes.
 */
#ifndef WINDOW_FIXTURE_H
#define WINDOW_FIXTURE_H

#include "stream/window.h"

#include "test.h"

#define FIELDS_MAX 4
#define STOPPED (-100) /* what emit answers to stop */

static const struct tn_aggregate count_rows[] = { { TN_COUNT_ROWS, "count" } };
static const struct tn_aggregate all_kinds[] = {
    { TN_COUNT_ROWS, "count" }, { TN_COUNT, "count(x)" }, { TN_SUM, "sum(x)" },
    { TN_MIN, "min(x)" },       { TN_MAX, "max(x)" },     { TN_AVG, "avg(x)" },
    { TN_FIRST, "first(y)" },   { TN_LAST, "last(y)" },   { TN_DISTINCT, "distinct(y)" },
};
#define KIND_COUNT (sizeof all_kinds / sizeof all_kinds[0])
#define FIRST_TEXT_KIND 6

/* ---- an allocator that counts, and fails on demand ------------------------------------------- */

struct allocator {
    uint64_t live_bytes;
    uint64_t call_count; /* of those that could fail */
    uint64_t fail_first; /* the first to fail, counted from 1; 0: none */
    uint64_t fail_last;  /* the last to fail */
    uint64_t failed_count;
};

static inline void *allocate(void *context, void *old, size_t old_bytes, size_t new_bytes)
{
    struct allocator *allocator = context;
    void *block;

    if (new_bytes == 0) {
        allocator->live_bytes -= old_bytes;
        free(old);
        return NULL;
    }
    allocator->call_count++;
    if (allocator->call_count >= allocator->fail_first &&
        allocator->call_count <= allocator->fail_last) {
        allocator->failed_count++;
        return NULL;
    }
    block = realloc(old, new_bytes);
    allocator->live_bytes += new_bytes - old_bytes;
    return block;
}

/* ---- lines ----------------------------------------------------------------------------------- */

struct lines {
    char *text;
    size_t bytes;
    size_t capacity;
    size_t count;
};

static inline void lines_add(struct lines *lines, const void *data, size_t bytes)
{
    if (lines->bytes + bytes + 1 > lines->capacity) {
        lines->capacity = 2 * (lines->bytes + bytes) + 1024;
        lines->text = realloc(lines->text, lines->capacity);
    }
    memcpy(lines->text + lines->bytes, data, bytes);
    lines->bytes += bytes;
    lines->text[lines->bytes] = '\0';
}

__attribute__((format(printf, 2, 3))) static inline void lines_format(struct lines *lines,
                                                                      const char *format, ...)
{
    char text[200];
    va_list arguments;

    va_start(arguments, format);
    lines_add(lines, text, (size_t)vsnprintf(text, sizeof text, format, arguments));
    va_end(arguments);
}

/* A field or value; what is not printable as \xNN. */
static inline void lines_add_field(struct lines *lines, const tarn_bytes *field)
{
    const unsigned char *bytes = field->data;

    if (bytes == NULL)
        lines_add(lines, "-", 1);
    for (size_t i = 0; i < field->bytes; i++) {
        if (bytes[i] > ' ' && bytes[i] < 0x7F)
            lines_add(lines, bytes + i, 1);
        else
            lines_format(lines, "\\x%02x", bytes[i]);
    }
}

static inline void lines_add_row(struct lines *lines, const struct tn_window_row *row,
                                 size_t key_count, size_t value_count, bool with_op)
{
    if (with_op)
        lines_add(lines, &row->op, 1);
    lines_format(lines, "%" PRId64 "..%" PRId64, row->start_ms, row->end_ms);
    for (size_t i = 0; i < key_count; i++) {
        lines_add(lines, i == 0 ? " " : ",", 1);
        lines_add_field(lines, &row->keys[i]);
    }
    for (size_t i = 0; i < value_count; i++) {
        lines_add(lines, i == 0 ? ": " : ",", i == 0 ? 2 : 1);
        lines_add_field(lines, &row->values[i]);
    }
    lines_add(lines, "\n", 1);
    lines->count++;
}

/* ---- fixture --------------------------------------------------------------------------------- */

struct fixture {
    struct allocator allocator;
    tarn_store *store;
    struct tn_memory memory;
    struct tn_window *window; /* NULL when it could not be opened */
    struct tn_window_options options;
    struct lines out;
    uint64_t stop_after; /* rows; emit refuses the next one. 0: never */
};

static inline int write_down(void *context, const struct tn_window_row *row)
{
    struct fixture *f = context;

    if (f->stop_after != 0 && f->out.count == f->stop_after)
        return STOPPED;
    lines_add_row(&f->out, row, f->options.key_count, f->options.aggregate_count,
                  f->options.mode != TN_WINDOW_FINAL);
    return 0;
}

static inline struct fixture *fixture_new(const struct tn_window_options *options)
{
    struct fixture *f = calloc(1, sizeof *f);

    f->options = *options;
    lines_add(&f->out, "", 0);
    return f;
}

/* Save the operator, close it, and go on with a new one on the same tables (W7). */
static inline void fixture_reopen(struct fixture *f)
{
    check_ok(tn_window_save(f->window));
    tn_window_close(f->window);
    check_eq(f->memory.counted_bytes, 0);
    check_ok(tn_window_open(&f->window, f->store, &f->memory, &f->options, write_down, f));
}

/* Open the store and the operator. store_bytes_max 0: no limit. */
static inline int fixture_open(struct fixture *f, uint64_t store_bytes_max)
{
    const tarn_options store_options = {
        .address_bytes = (uint64_t)1 << 34,
        .memory_bytes_max = store_bytes_max,
        .allocate = allocate,
        .allocate_context = &f->allocator,
    };
    int result = tarn_open(&f->store, NULL, &store_options);

    tn_memory_init(&f->memory, allocate, &f->allocator, 0);
    if (result == TARN_OK)
        result = tn_window_open(&f->window, f->store, &f->memory, &f->options, write_down, f);
    check((f->window != NULL) == (result == TARN_OK));
    return result;
}

/* Tables in the store. What an operator has without a row: its state, and the list of its slices. */
#define TABLES_AT_FIRST 2

static inline uint64_t table_count(const struct fixture *f)
{
    tarn_statistics statistics = { 0 };

    check_ok(tarn_stat(f->store, &statistics));
    return statistics.table_count;
}

/* Everything is given back, whatever has happened before. */
static inline void fixture_close(struct fixture *f)
{
    bool was_open = f->window != NULL;

    tn_window_drop(f->window);
    if (f->store != NULL)
        check_eq(f->memory.counted_bytes, 0);
    if (was_open)
        check_eq(table_count(f), 0);
    check_ok(tarn_close(f->store));
    check_eq(f->allocator.live_bytes, 0);
    free(f->out.text);
    free(f);
}

/* Rows counted in tumbling windows, by one key. */
static inline struct fixture *counts(int64_t every_ms, int64_t offset_ms, int64_t late_ms)
{
    struct fixture *f = fixture_new(&(struct tn_window_options){
        .every_ms = every_ms,
        .offset_ms = offset_ms,
        .late_ms = late_ms,
        .key_count = 1,
        .aggregates = count_rows,
        .aggregate_count = 1,
    });

    check_ok(fixture_open(f, 0));
    return f;
}

/* All aggregates over x and y, in windows of 10 ms, by `key_count` fields. */
static inline struct fixture *everything(size_t key_count)
{
    struct fixture *f = fixture_new(&(struct tn_window_options){
        .every_ms = 10,
        .key_count = key_count,
        .aggregates = all_kinds,
        .aggregate_count = KIND_COUNT,
    });

    check_ok(fixture_open(f, 0));
    return f;
}

static inline int push_fields(struct fixture *f, int64_t time_ms, const tarn_bytes *keys,
                              tarn_bytes x, tarn_bytes y)
{
    tarn_bytes arguments[KIND_COUNT];

    for (size_t i = 0; i < KIND_COUNT; i++)
        arguments[i] = i < FIRST_TEXT_KIND ? x : y;
    return tn_window_push(f->window, &(struct tn_window_event){
                                         .time_ms = time_ms,
                                         .keys = keys,
                                         .arguments = arguments,
                                     });
}

static inline tarn_bytes bytes_of(const char *text)
{
    return (tarn_bytes){ .data = text, .bytes = strlen(text) };
}

/* One key field, NUL-terminated texts. */
static inline int push_values(struct fixture *f, int64_t time_ms, const char *key, const char *x,
                              const char *y)
{
    tarn_bytes field = bytes_of(key);

    return push_fields(f, time_ms, &field, bytes_of(x), bytes_of(y));
}

static inline int push(struct fixture *f, int64_t time_ms, const char *key)
{
    return push_values(f, time_ms, key, "", "");
}

/* What was written down since the last time is this. */
static inline void check_out(struct fixture *f, const char *wanted)
{
    check_text(f->out.text, wanted);
    f->out.bytes = 0;
    f->out.text[0] = '\0';
}

static inline void check_finish(struct fixture *f, const char *wanted)
{
    check_ok(tn_window_finish(f->window));
    check_out(f, wanted);
}

static inline struct tn_window_counts counts_of(const struct fixture *f)
{
    struct tn_window_counts counts;

    tn_window_count(f->window, &counts);
    return counts;
}

#endif
