/*
 * window.c - the window operator; see window.h for the rules
 *
 *     push   read arguments and key          BAD: nothing has changed
 *            clocked.h, or sessions.h        late? which window? take it
 *            advance the watermark           watermark.h
 *            fire what is over               clocked.h, sessions.h
 *            print, if it is time            with EVERY
 *
 * "window state" keeps what is in no other table, when tn_window_save is called: see saved_fields.
 */
#include "stream/clocked.h"
#include "stream/group_key.h"
#include "stream/sessions.h"
#include "stream/watermark.h"

#include "base/bytes.h"

#define REASON_BYTES_MAX 256u
#define STATE_KEY "operator"
#define STATE_VERSION 1u

struct tn_window {
    struct tn_parts parts;
    struct tn_clocked clocked; /* one of the two is open */
    struct tn_sessions sessions;

    struct tn_watermark watermark;
    int64_t max_ahead_ms;
    int64_t print_ms;
    int64_t printed_tick; /* EVERY: multiples of print_ms that the watermark has passed */
    bool has_ticked;      /* ... once it had come to any */
    bool has_sessions;
    bool watermark_is_given;
    tarn_table *state;
    struct tn_window_counts counts; /* but open_count, emitted_count and watermark_ms */
    int stopped;                    /* W6: what push and finish answer, or 0 */
    char reason_buffer[REASON_BYTES_MAX];

    size_t key_count;
    size_t key_bytes_max;
    struct tn_argument *arguments; /* one for each aggregate */
    uint8_t *key_buffer;           /* joined fields, where there are several */
};

static int window_stop(struct tn_window *window, int answer)
{
    window->stopped = answer;
    return answer;
}

/* ---- the watermark has moved ----------------------------------------------------------------- */

/* Has the watermark passed a multiple of print_ms, and so a time to print? */
static bool tick_is_due(struct tn_window *window)
{
    int64_t time_ms = window->parts.watermark_ms;
    int64_t tick;

    if (time_ms == INT64_MAX)
        return true;
    time_ms++; /* all before this time is there */
    tick = time_ms / window->print_ms - (time_ms % window->print_ms < 0);
    if (window->has_ticked && tick <= window->printed_tick)
        return false;
    window->printed_tick = tick;
    if (window->has_ticked)
        return true;
    window->has_ticked = true;
    return false;
}

static int window_print(struct tn_window *window)
{
    int result = window->has_sessions ? tn_sessions_print(&window->sessions) : TARN_OK;

    if (result == TARN_OK)
        result = tn_pending_print(&window->parts.pending);
    if (result == 0 && !window->has_sessions)
        result = tn_clocked_print(&window->clocked);
    window->parts.mark++;
    return result;
}

/* Emit what the watermark, as it is now, makes due. */
static int window_fire(struct tn_window *window)
{
    int result;

    window->parts.watermark_ms = window->watermark.time_ms;
    result = window->has_sessions ? tn_sessions_advance(&window->sessions)
                                  : tn_clocked_advance(&window->clocked);
    if (result == 0 && window->parts.mode == TN_WINDOW_EVERY && tick_is_due(window))
        result = window_print(window);
    return result;
}

int tn_window_advance(struct tn_window *window, int64_t watermark_ms)
{
    int result;

    if (window->stopped != 0)
        return window->stopped;
    if (!tn_watermark_raise(&window->watermark, watermark_ms))
        return 0;
    result = window_fire(window);
    return result == 0 ? 0 : window_stop(window, result);
}

int tn_window_finish(struct tn_window *window)
{
    return tn_window_advance(window, INT64_MAX);
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
            tn_group_key_join(window->key_buffer, window->key_bytes_max, fields, window->key_count);
    }
    if (key->bytes == 0)
        key->data = ""; /* the empty key is a key */
    return key->bytes <= window->key_bytes_max;
}

static bool time_refuse(struct tn_window *window, const char *what, int64_t time_ms)
{
    struct tn_text *reason = &window->parts.reason;

    tn_text_clear(reason);
    tn_text_add(reason, "time: ");
    tn_text_add(reason, what);
    tn_text_add_number(reason, time_ms);
    tn_text_add(reason, " ms");
    return false;
}

/* Further ahead of the watermark than rows may be? Before there is one, none is. */
static bool time_is_ahead(const struct tn_window *window, int64_t time_ms)
{
    int64_t watermark_ms = window->watermark.time_ms;
    int64_t ahead_ms;

    if (window->max_ahead_ms == 0 || watermark_ms == INT64_MIN)
        return false;
    return __builtin_sub_overflow(time_ms, watermark_ms, &ahead_ms)
               ? time_ms > watermark_ms
               : ahead_ms > window->max_ahead_ms;
}

/* Read all of a row that can be bad. false: it is, and the reason says why (W5). */
static bool event_read(struct tn_window *window, const struct tn_window_event *event,
                       struct tn_slice_row *row)
{
    struct tn_text *reason = &window->parts.reason;
    const struct tn_layout *layout = window->parts.layout;

    row->arguments = window->arguments;
    row->time_ms = event->time_ms;
    if (event->time_ms == INT64_MIN)
        return time_refuse(window, "out of range: ", event->time_ms);
    if (TN_UNLIKELY(time_is_ahead(window, event->time_ms)))
        return time_refuse(window, "too far ahead of the rows before it: ", event->time_ms);
    if (!key_read(window, event->keys, &row->key)) {
        tn_text_clear(reason);
        tn_text_add(reason, "group key: too long: at most ");
        tn_text_add_number(reason, (int64_t)window->key_bytes_max);
        tn_text_add(reason, " bytes, zero bytes and ends of fields counted twice");
        return false;
    }
    return !layout->has_arguments ||
           tn_layout_read(layout, event->arguments, window->arguments, reason);
}

static void row_count(struct tn_window *window, int answer)
{
    window->counts.taken_count += answer == TN_WINDOW_TAKEN;
    window->counts.late_count += answer == TN_WINDOW_LATE;
    window->counts.outside_count += answer == TN_WINDOW_OUTSIDE;
}

int tn_window_push(struct tn_window *window, const struct tn_window_event *event)
{
    struct tn_slice_row row;
    int answer, result = 0;

    if (window->stopped != 0)
        return window->stopped;
    if (!event_read(window, event, &row)) {
        window->counts.bad_count++;
        return TN_WINDOW_BAD;
    }
    answer = window->has_sessions ? tn_sessions_push(&window->sessions, &row)
                                  : tn_clocked_push(&window->clocked, &row);
    if (answer < 0 || answer == TN_WINDOW_OVERFLOW)
        return window_stop(window, answer);
    row_count(window, answer);
    if (!window->watermark_is_given && tn_watermark_advance(&window->watermark, row.time_ms))
        result = window_fire(window);
    return result == 0 ? answer : window_stop(window, result);
}

const char *tn_window_reason(const struct tn_window *window)
{
    return window->parts.reason.start;
}

void tn_window_count(const struct tn_window *window, struct tn_window_counts *out)
{
    *out = window->counts;
    out->emitted_count = window->parts.emission.emitted_count;
    out->open_count = window->has_sessions ? tn_sessions_count(&window->sessions)
                                           : window->clocked.levels[0].count;
    out->watermark_ms = window->watermark.time_ms;
}

/* ---- what is saved --------------------------------------------------------------------------- */

#define SAVED_COUNT_MAX 16u

/* Little-endian words of 64 bits, in this order, behind the version. Answers how many. */
static size_t saved_fields(struct tn_window *window, void *fields[SAVED_COUNT_MAX])
{
    size_t count = 0;

    fields[count++] = &window->watermark.time_ms;
    fields[count++] = &window->parts.mark;
    fields[count++] = &window->printed_tick;
    fields[count++] = &window->sessions.next_number;
    fields[count++] = &window->counts.taken_count;
    fields[count++] = &window->counts.late_count;
    fields[count++] = &window->counts.outside_count;
    fields[count++] = &window->counts.bad_count;
    fields[count++] = &window->parts.emission.emitted_count;
    return count;
}

int tn_window_save(struct tn_window *window)
{
    uint8_t bytes[(SAVED_COUNT_MAX + 2) * sizeof(uint64_t)];
    void *fields[SAVED_COUNT_MAX];
    size_t count = saved_fields(window, fields);
    uint64_t word;

    tn_store_le64(bytes, STATE_VERSION);
    tn_store_le64(bytes + 8, window->has_ticked);
    for (size_t i = 0; i < count; i++) {
        memcpy(&word, fields[i], sizeof word);
        tn_store_le64(bytes + 8 * (i + 2), word);
    }
    return tarn_put(window->state, STATE_KEY, sizeof STATE_KEY - 1, bytes, 8 * (count + 2));
}

/* TARN_OK: as it was when it was saved; TARN_ABSENT: it never was; or a failure. */
static int window_load(struct tn_window *window)
{
    void *fields[SAVED_COUNT_MAX];
    size_t count = saved_fields(window, fields);
    const void *value;
    size_t value_bytes;
    int result = tarn_get(window->state, STATE_KEY, sizeof STATE_KEY - 1, &value, &value_bytes);

    if (result != TARN_OK)
        return result;
    if (value_bytes != 8 * (count + 2))
        return TARN_E_CORRUPT;
    if (tn_load_le64(value) != STATE_VERSION)
        return TARN_E_VERSION;
    window->has_ticked = tn_load_le64((const uint8_t *)value + 8) != 0;
    for (size_t i = 0; i < count; i++) {
        uint64_t word = tn_load_le64((const uint8_t *)value + 8 * (i + 2));

        memcpy(fields[i], &word, sizeof word);
    }
    return TARN_OK;
}

/* ---- open and close -------------------------------------------------------------------------- */

static bool clocked_is_valid(const struct tn_window_options *options)
{
    int64_t slide_ms = options->slide_ms > 0 ? options->slide_ms : options->every_ms;

    return options->every_ms > 0 && options->gap_ms == 0 && options->slide_ms >= 0 &&
           options->offset_ms < slide_ms && options->offset_ms > -slide_ms;
}

static bool options_are_valid(const struct tn_window_options *options)
{
    bool has_sessions = options->gap_ms > 0 && options->every_ms == 0 && options->slide_ms == 0 &&
                        options->offset_ms == 0;
    bool prints = options->mode == TN_WINDOW_EVERY;

    return (has_sessions || clocked_is_valid(options)) && options->late_ms >= 0 &&
           options->grace_ms >= 0 && (prints ? options->print_ms > 0 : options->print_ms == 0) &&
           (options->max_ahead_ms == 0 || options->max_ahead_ms > options->late_ms);
}

static size_t arguments_bytes(const struct tn_window *window)
{
    return tn_max(window->parts.layout->count, 1) * sizeof *window->arguments;
}

/* Timers and rows that wait put something in front of the key. */
static size_t key_bytes_max_of(const struct tn_window_options *options)
{
    if (options->gap_ms > 0)
        return TN_SESSION_KEY_BYTES_MAX;
    return TARN_KEY_BYTES_MAX - (options->mode == TN_WINDOW_EVERY ? TN_PENDING_HEAD_BYTES : 0);
}

static int parts_open(struct tn_parts *parts, tarn_store *store, struct tn_memory *memory,
                      const struct tn_window_options *options)
{
    parts->store = store;
    parts->memory = memory;
    parts->mode = options->mode;
    parts->grace_ms = options->grace_ms;
    parts->mark = 1;
    parts->layout = tn_layout_new(memory, options->aggregates, options->aggregate_count,
                                  options->mode == TN_WINDOW_EVERY && options->gap_ms == 0);
    if (parts->layout == NULL || !tn_texts_init(&parts->texts, memory, parts->layout) ||
        !tn_emission_init(&parts->emission, memory, &parts->texts, options->key_count))
        return TARN_E_MEMORY;
    if (options->mode != TN_WINDOW_EVERY)
        return TARN_OK;
    return tn_pending_init(&parts->pending, store, memory, &parts->emission);
}

static void parts_close(struct tn_parts *parts, bool drop)
{
    if (drop)
        tn_pending_drop(&parts->pending);
    tn_pending_finish(&parts->pending);
    tn_emission_finish(&parts->emission);
    tn_texts_finish(&parts->texts);
    tn_layout_free(parts->memory, parts->layout);
}

/* The operator's own: room for a row, and what was saved. */
static int window_begin(struct tn_window *window, const struct tn_window_options *options)
{
    struct tn_parts *parts = &window->parts;
    int result;

    window->arguments = tn_memory_new(parts->memory, arguments_bytes(window), true);
    window->key_buffer = tn_memory_new(parts->memory, TARN_KEY_BYTES_MAX, false);
    if (window->arguments == NULL || window->key_buffer == NULL)
        return TARN_E_MEMORY;
    tn_watermark_init(&window->watermark, options->late_ms);
    window->sessions.next_number = 1;
    result = tarn_table_open(&window->state, parts->store, "window state", NULL);
    if (result == TARN_OK)
        result = window_load(window);
    parts->watermark_ms = window->watermark.time_ms;
    return result == TARN_ABSENT ? TARN_OK : result;
}

static int kind_open(struct tn_window *window, const struct tn_window_options *options)
{
    return window->has_sessions ? tn_sessions_open(&window->sessions, &window->parts, options)
                                : tn_clocked_open(&window->clocked, &window->parts, options);
}

int tn_window_open(struct tn_window **out, tarn_store *store, struct tn_memory *memory,
                   const struct tn_window_options *options, tn_window_emit_fn *emit, void *context)
{
    struct tn_window *window;
    int result;

    *out = NULL;
    if (!options_are_valid(options))
        return TARN_E_MISUSE;
    window = tn_memory_new(memory, sizeof *window, true);
    if (window == NULL)
        return TARN_E_MEMORY;
    window->parts.reason = tn_text_in(window->reason_buffer, sizeof window->reason_buffer);
    window->has_sessions = options->gap_ms > 0;
    window->watermark_is_given = options->watermark_is_given;
    window->max_ahead_ms = options->max_ahead_ms;
    window->print_ms = options->print_ms;
    window->key_count = options->key_count;
    window->key_bytes_max = key_bytes_max_of(options);
    result = parts_open(&window->parts, store, memory, options);
    window->parts.emission.emit = emit;
    window->parts.emission.context = context;
    if (result == TARN_OK)
        result = window_begin(window, options);
    if (result == TARN_OK)
        result = kind_open(window, options);
    if (result != TARN_OK)
        tn_window_close(window);
    else
        *out = window;
    return result;
}

static void window_free(struct tn_window *window, bool drop)
{
    struct tn_memory *memory;

    if (window == NULL)
        return;
    memory = window->parts.memory;
    tn_clocked_close(&window->clocked, drop);
    tn_sessions_close(&window->sessions, drop);
    if (drop && window->state != NULL)
        (void)tarn_table_drop(window->state); /* nobody is left to tell */
    (void)tarn_table_close(window->state);
    if (window->arguments != NULL)
        tn_memory_free(memory, window->arguments, arguments_bytes(window));
    tn_memory_free(memory, window->key_buffer, TARN_KEY_BYTES_MAX);
    parts_close(&window->parts, drop);
    tn_memory_free(memory, window, sizeof *window);
}

void tn_window_close(struct tn_window *window)
{
    window_free(window, false);
}

void tn_window_drop(struct tn_window *window)
{
    window_free(window, true);
}
