/*
 * window.c - the window operator; see window.h for the rules
 *
 *     push   read arguments and key          BAD: nothing has changed
 *            find or open the span           LATE: it has fired already, or would have
 *            update the group's block        slice.h
 *            advance the watermark           watermark.h
 *            fire what is over               sorted.h, then emit, then drop
 *
 * What kinds of windows differ in is span_of: which span takes a time.
 */
#include "stream/window.h"

#include "stream/group_key.h"
#include "stream/sorted.h"
#include "stream/timeline.h"
#include "stream/watermark.h"

#define REASON_BYTES_MAX 256u

struct tn_window {
    struct tn_memory *memory;
    tn_window_emit_fn *emit;
    void *context;
    int64_t every_ms;
    int64_t offset_ms; /* 0 <= offset < every */
    size_t key_count;

    struct tn_watermark watermark;
    bool watermark_is_given;
    struct tn_timeline timeline;
    struct tn_span *recent; /* took the last row, and is open; or NULL */
    struct tn_layout *layout;
    struct tn_slices slices;
    struct tn_sorted sorted;
    struct tn_window_counts counts; /* but open_count and watermark_ms */
    int stopped;                    /* W6: what push and finish answer, or 0 */
    struct tn_text reason;          /* why the last row was refused */
    char reason_buffer[REASON_BYTES_MAX];

    struct tn_argument *arguments; /* one for each aggregate */
    tarn_bytes *values;            /* likewise, with room for a number in number_texts */
    char (*number_texts)[TN_DECIMAL_TEXT_BYTES_MAX];
    tarn_bytes *keys;    /* one for each key field */
    uint8_t *key_buffer; /* joined fields, where there are several */
};

static int window_stop(struct tn_window *window, int answer)
{
    window->stopped = answer;
    return answer;
}

/* ---- spans of time --------------------------------------------------------------------------- */

/* The tumbling window of a time (W1). No step can overflow but those that saturate. */
static void span_of(const struct tn_window *window, int64_t time_ms, struct tn_span *span)
{
    int64_t every = window->every_ms;
    int64_t into = time_ms % every; /* how far into its window the time lies */

    if (into < 0)
        into += every;
    into -= window->offset_ms;
    if (into < 0)
        into += every;
    if (__builtin_sub_overflow(time_ms, into, &span->start_ms))
        span->start_ms = INT64_MIN;
    if (__builtin_add_overflow(time_ms, every - 1 - into, &span->last_ms))
        span->last_ms = INT64_MAX;
    span->end_ms = span->last_ms < INT64_MAX ? span->last_ms + 1 : INT64_MAX;
}

/* Open the span described by `like`. *out is NULL on failure. */
static int span_open(struct tn_window *window, const struct tn_span *like, struct tn_span **out)
{
    struct tn_span *span;
    int result;

    *out = NULL;
    if (!tn_timeline_reserve(&window->timeline))
        return TARN_E_MEMORY;
    span = tn_memory_new(window->memory, sizeof *span, false);
    if (span == NULL)
        return TARN_E_MEMORY;
    *span = *like;
    result = tn_slice_open(&span->slice, &window->slices, span->start_ms);
    if (result != TARN_OK) {
        tn_memory_free(window->memory, span, sizeof *span);
        return result;
    }
    tn_timeline_insert(&window->timeline, span);
    *out = span;
    return TARN_OK;
}

/* Take the first span off the timeline, and its tables out of the store. */
static int span_remove_first(struct tn_window *window)
{
    struct tn_span *span = tn_timeline_first(&window->timeline);
    int result;

    tn_timeline_remove_first(&window->timeline);
    if (window->recent == span)
        window->recent = NULL;
    result = tn_slice_drop(&span->slice);
    tn_memory_free(window->memory, span, sizeof *span);
    return result;
}

/* The open span that takes this time. TARN_OK and *out NULL: the row is late. */
static int span_get(struct tn_window *window, int64_t time_ms, struct tn_span **out)
{
    struct tn_span *recent = window->recent;
    struct tn_span like;
    int result = TARN_OK;

    *out = recent;
    if (TN_LIKELY(recent != NULL && recent->start_ms <= time_ms && time_ms <= recent->last_ms))
        return TARN_OK;
    span_of(window, time_ms, &like);
    if (like.last_ms <= window->watermark.time_ms) { /* W2; then it is not open either, by W3 */
        *out = NULL;
        return TARN_OK;
    }
    *out = tn_timeline_find(&window->timeline, time_ms);
    if (*out == NULL)
        result = span_open(window, &like, out);
    if (result == TARN_OK)
        window->recent = *out;
    return result;
}

/* ---- firing ---------------------------------------------------------------------------------- */

/* Emit group `index` of the span that is in window->sorted. */
static int group_emit(struct tn_window *window, const struct tn_span *span, size_t index)
{
    const void *block = tn_sorted_block(&window->sorted, index);
    const struct tn_window_row row = {
        .start_ms = span->start_ms,
        .end_ms = span->end_ms,
        .keys = window->keys,
        .values = window->values,
    };
    size_t key_bytes;
    uint8_t *key = tn_sorted_key(&window->sorted, index, &key_bytes);
    int result;

    if (!tn_group_key_split(key, key_bytes, window->keys, window->key_count))
        return TARN_E_CORRUPT;
    for (size_t i = 0; i < window->layout->count; i++) {
        result = tn_slice_result(&span->slice, &window->slices, block, i, window->number_texts[i],
                                 &window->values[i]);
        if (result != TARN_OK)
            return result;
    }
    result = window->emit(window->context, &row);
    if (result == 0)
        window->counts.emitted_count++;
    return result;
}

static int span_fire(struct tn_window *window, const struct tn_span *span)
{
    int result = tn_sorted_fill(&window->sorted, span->slice.blocks);

    for (size_t i = 0; result == 0 && i < window->sorted.entry_count; i++)
        result = group_emit(window, span, i);
    return result;
}

/* Fire every span that is over (W3). */
static int spans_fire(struct tn_window *window)
{
    struct tn_span *span;
    int result = 0;

    while (result == 0 && (span = tn_timeline_first(&window->timeline)) != NULL &&
           span->last_ms <= window->watermark.time_ms) {
        result = span_fire(window, span);
        if (result == 0)
            result = span_remove_first(window);
    }
    return result;
}

/* ---- rows ------------------------------------------------------------------------------------ */

/* The key of a row's group: one field as it is, several joined. false: too long. */
static bool key_read(const struct tn_window *window, const tarn_bytes *fields, tarn_bytes *key)
{
    if (window->key_count == 1) {
        *key = fields[0];
    } else if (window->key_count == 0) {
        *key = (tarn_bytes){ .bytes = 0 };
    } else {
        key->data = window->key_buffer;
        key->bytes =
            tn_group_key_join(window->key_buffer, TARN_KEY_BYTES_MAX, fields, window->key_count);
    }
    if (key->bytes == 0)
        key->data = ""; /* the empty key is a key */
    return key->bytes <= TARN_KEY_BYTES_MAX;
}

/* Read all of a row that can be bad. false: it is, and the reason says why (W5). */
static bool event_read(struct tn_window *window, const struct tn_window_event *event,
                       struct tn_slice_row *row)
{
    struct tn_text *reason = &window->reason;

    row->arguments = window->arguments;
    row->time_ms = event->time_ms;
    if (event->time_ms == INT64_MIN) {
        tn_text_clear(reason);
        tn_text_add(reason, "time: out of range: ");
        tn_text_add_number(reason, event->time_ms);
        tn_text_add(reason, " ms");
        return false;
    }
    if (!key_read(window, event->keys, &row->key)) {
        tn_text_clear(reason);
        tn_text_add(reason, "group key: too long: at most ");
        tn_text_add_number(reason, TARN_KEY_BYTES_MAX);
        tn_text_add(reason, " bytes, zero bytes and ends of fields counted twice");
        return false;
    }
    return !window->layout->has_arguments ||
           tn_layout_read(window->layout, event->arguments, window->arguments, reason);
}

int tn_window_push(struct tn_window *window, const struct tn_window_event *event)
{
    struct tn_slice_row row;
    struct tn_span *span;
    int result;

    if (window->stopped != 0)
        return window->stopped;
    if (!event_read(window, event, &row)) {
        window->counts.bad_count++;
        return TN_WINDOW_BAD;
    }
    result = span_get(window, row.time_ms, &span);
    if (result != TARN_OK)
        return window_stop(window, result);
    if (span == NULL) {
        window->counts.late_count++;
        return TN_WINDOW_LATE;
    }
    result = tn_slice_update(&span->slice, &window->slices, &row, &window->reason);
    if (result != TARN_OK)
        return window_stop(window, result == TN_SLICE_OVERFLOW ? TN_WINDOW_OVERFLOW : result);
    window->counts.taken_count++;
    if (!window->watermark_is_given && tn_watermark_advance(&window->watermark, row.time_ms))
        result = spans_fire(window);
    return result == 0 ? TN_WINDOW_TAKEN : window_stop(window, result);
}

int tn_window_advance(struct tn_window *window, int64_t watermark_ms)
{
    int result;

    if (window->stopped != 0)
        return window->stopped;
    if (!tn_watermark_raise(&window->watermark, watermark_ms))
        return 0;
    result = spans_fire(window);
    return result == 0 ? 0 : window_stop(window, result);
}

int tn_window_finish(struct tn_window *window)
{
    return tn_window_advance(window, INT64_MAX);
}

const char *tn_window_reason(const struct tn_window *window)
{
    return window->reason.start;
}

void tn_window_count(const struct tn_window *window, struct tn_window_counts *out)
{
    *out = window->counts;
    out->open_count = window->timeline.count;
    out->watermark_ms = window->watermark.time_ms;
}

/* ---- open and close -------------------------------------------------------------------------- */

static bool options_are_valid(const struct tn_window_options *options)
{
    return options->every_ms > 0 && options->offset_ms < options->every_ms &&
           options->offset_ms > -options->every_ms && options->late_ms >= 0;
}

/* The bytes of an array; one thing at least, since nothing of 0 bytes can be allocated. */
static size_t array_bytes(size_t count, size_t bytes_each)
{
    return tn_max(count, 1) * bytes_each;
}

static size_t key_buffer_bytes(const struct tn_window *window)
{
    return window->key_count > 1 ? TARN_KEY_BYTES_MAX : 1;
}

/* What a row needs on its way in and out. */
static bool buffers_new(struct tn_window *window)
{
    struct tn_memory *memory = window->memory;
    size_t count = window->layout->count;

    window->arguments = tn_memory_new(memory, array_bytes(count, sizeof *window->arguments), true);
    window->values = tn_memory_new(memory, array_bytes(count, sizeof *window->values), true);
    window->number_texts =
        tn_memory_new(memory, array_bytes(count, sizeof *window->number_texts), true);
    window->keys =
        tn_memory_new(memory, array_bytes(window->key_count, sizeof *window->keys), true);
    window->key_buffer = tn_memory_new(memory, key_buffer_bytes(window), false);
    return window->arguments != NULL && window->values != NULL && window->number_texts != NULL &&
           window->keys != NULL && window->key_buffer != NULL;
}

static void buffers_free(struct tn_window *window)
{
    struct tn_memory *memory = window->memory;
    size_t count = window->layout->count;

    tn_memory_free(memory, window->arguments, array_bytes(count, sizeof *window->arguments));
    tn_memory_free(memory, window->values, array_bytes(count, sizeof *window->values));
    tn_memory_free(memory, window->number_texts, array_bytes(count, sizeof *window->number_texts));
    tn_memory_free(memory, window->keys, array_bytes(window->key_count, sizeof *window->keys));
    tn_memory_free(memory, window->key_buffer, key_buffer_bytes(window));
}

int tn_window_open(struct tn_window **out, tarn_store *store, struct tn_memory *memory,
                   const struct tn_window_options *options, tn_window_emit_fn *emit, void *context)
{
    struct tn_window *window;

    *out = NULL;
    if (!options_are_valid(options))
        return TARN_E_MISUSE;
    window = tn_memory_new(memory, sizeof *window, true);
    if (window == NULL)
        return TARN_E_MEMORY;
    window->memory = memory;
    window->reason = tn_text_in(window->reason_buffer, sizeof window->reason_buffer);
    window->emit = emit;
    window->context = context;
    window->every_ms = options->every_ms;
    window->offset_ms = options->offset_ms + (options->offset_ms < 0 ? options->every_ms : 0);
    window->key_count = options->key_count;
    tn_watermark_init(&window->watermark, options->late_ms);
    window->watermark_is_given = options->watermark_is_given;
    tn_timeline_init(&window->timeline, memory);
    window->layout = tn_layout_new(memory, options->aggregates, options->aggregate_count);
    if (window->layout == NULL)
        goto no_memory;
    tn_sorted_init(&window->sorted, memory, window->layout->block_bytes);
    if (tn_slices_init(&window->slices, store, memory, window->layout) != TARN_OK ||
        !buffers_new(window))
        goto no_memory;
    *out = window;
    return TARN_OK;

no_memory:
    tn_window_close(window);
    return TARN_E_MEMORY;
}

void tn_window_close(struct tn_window *window)
{
    if (window == NULL)
        return;
    while (tn_timeline_first(&window->timeline) != NULL)
        (void)span_remove_first(window); /* nobody is left to tell */
    tn_timeline_finish(&window->timeline);
    if (window->layout != NULL) {
        tn_sorted_finish(&window->sorted);
        tn_slices_finish(&window->slices);
        buffers_free(window);
    }
    tn_layout_free(window->memory, window->layout);
    tn_memory_free(window->memory, window, sizeof *window);
}
