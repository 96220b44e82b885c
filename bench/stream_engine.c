/*
 * stream_engine.c - see stream_engine.h
 */
#include "stream_engine.h"

#include "base/bytes.h"
#include "measure.h"
#include "stream/window.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define ENGINE_SECOND_MS 1000
#define ENGINE_BLOCK 4096u /* events made at a time; a signal is looked for in between */
#define ENGINE_NUMBERS 1000u

static const struct engine_op {
    const char *name;
    uint64_t keys;
    int64_t every_ms, slide_ms, gap_ms;
    uint64_t events_per_key; /* in 10 s */
    bool sums;               /* sum and max, not count */
    bool usual;
} engine_ops[TN_STREAM_ENGINE_COUNT] = {
    { "tumble_100", 100, 10000, 0, 0, 20, false, true },
    { "tumble_100k", 100000, 10000, 0, 0, 20, false, true },
    { "tumble_10m", 10000000, 10000, 0, 0, 20, false, false },
    { "slide_100k", 100000, 10000, 1000, 0, 20, true, true },
    { "sessions_100k", 100000, 0, 0, 10000, 2, false, true },
};

static const struct tn_aggregate engine_count[] = { { TN_COUNT_ROWS, "count" } };
static const struct tn_aggregate engine_sums[] = { { TN_SUM, "sum(x)" }, { TN_MAX, "max(x)" } };

struct engine {
    const struct engine_op *op;
    uint64_t events;
    uint64_t random;
    uint64_t pushed_sum;  /* what all windows together must say: rows, or the sum of numbers */
    uint64_t emitted_sum; /* ... and what they say */
    uint64_t emitted_count;
    char numbers[ENGINE_NUMBERS][8];
};

const char *tn_stream_engine_name(size_t op)
{
    return engine_ops[op].name;
}

bool tn_stream_engine_is_usual(size_t op)
{
    return engine_ops[op].usual;
}

static uint64_t engine_random(struct engine *engine)
{
    uint64_t z = engine->random += UINT64_C(0x9E3779B97F4A7C15);

    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    return z ^ (z >> 31);
}

/* The first value of each row is a whole number: add it up. */
static int engine_emit(void *context, const struct tn_window_row *row)
{
    struct engine *engine = context;
    const unsigned char *digits = row->values[0].data;
    uint64_t number = 0;

    for (size_t i = 0; i < row->values[0].bytes; i++)
        number = 10 * number + (digits[i] - '0');
    engine->emitted_sum += number;
    engine->emitted_count++;
    return 0;
}

/* Each event counts once for each window that it is in. */
static uint64_t windows_of_event(const struct engine_op *op)
{
    return op->slide_ms > 0 ? (uint64_t)(op->every_ms / op->slide_ms) : 1;
}

/* Push events [from, from + count). TARN_OK or a failure. */
static int engine_push(struct engine *engine, struct tn_window *window, uint64_t from,
                       uint64_t count)
{
    const struct engine_op *op = engine->op;
    uint64_t events_in_10_s = op->keys * op->events_per_key;
    tarn_bytes key, arguments[2];
    struct tn_window_event event = { .keys = &key, .arguments = arguments };
    uint8_t key_bytes[8];
    int answer;

    key = (tarn_bytes){ .data = key_bytes, .bytes = sizeof key_bytes };
    for (uint64_t i = from; i < from + count; i++) {
        uint64_t random = engine_random(engine);
        unsigned number = (unsigned)(random >> 8) % ENGINE_NUMBERS;
        __extension__ unsigned __int128 scaled = (unsigned __int128)random * op->keys;

        tn_store_be64(key_bytes, (uint64_t)(scaled >> 64));
        event.time_ms = (int64_t)(i * 10 * ENGINE_SECOND_MS / events_in_10_s);
        arguments[0].data = engine->numbers[number];
        arguments[0].bytes = strlen(engine->numbers[number]);
        arguments[1] = arguments[0];
        engine->pushed_sum += (op->sums ? number : 1) * windows_of_event(op);
        answer = tn_window_push(window, &event);
        if (answer != TN_WINDOW_TAKEN)
            return answer < 0 ? answer : TARN_E_MISUSE;
    }
    return TARN_OK;
}

/* All events, and the end. TARN_END: a signal has come. */
static int engine_drive(struct engine *engine, struct tn_window *window,
                        const volatile sig_atomic_t *stop)
{
    int result = TARN_OK;

    for (uint64_t at = 0; result == TARN_OK && at < engine->events; at += ENGINE_BLOCK) {
        if (stop != NULL && *stop != 0)
            return TARN_END;
        result = engine_push(engine, window, at, tn_min(ENGINE_BLOCK, engine->events - at));
    }
    return result == TARN_OK ? tn_window_finish(window) : result;
}

/* Seconds that the processor has had for this process. */
static double processor_seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* One repeat, in a store of its own. As above; *seconds is for the events alone. */
static int engine_turn(struct engine *engine, const volatile sig_atomic_t *stop, double *seconds)
{
    const struct engine_op *op = engine->op;
    const struct tn_window_options options = {
        .every_ms = op->every_ms,
        .slide_ms = op->slide_ms,
        .gap_ms = op->gap_ms,
        .key_count = 1,
        .aggregates = op->sums ? engine_sums : engine_count,
        .aggregate_count = op->sums ? TN_ARRAY_COUNT(engine_sums) : TN_ARRAY_COUNT(engine_count),
    };
    struct tn_window *window = NULL;
    struct tn_memory memory;
    tarn_store *store = NULL;
    double began;
    int result = tarn_open(&store, NULL, NULL);

    tn_memory_init(&memory, NULL, NULL, 0);
    if (result == TARN_OK)
        result = tn_window_open(&window, store, &memory, &options, engine_emit, engine);
    began = processor_seconds();
    if (result == TARN_OK)
        result = engine_drive(engine, window, stop);
    *seconds = processor_seconds() - began;
    tn_window_close(window);
    if (store != NULL)
        (void)tarn_close(store); /* in memory: nothing to lose */
    return result;
}

static void engine_print(const struct tn_stream_request *request, const struct engine *engine,
                         const struct tn_bench_sample *sample)
{
    double median = tn_bench_sample_median(sample), least = tn_bench_sample_min(sample);
    double most = tn_bench_sample_max(sample);

    if (!request->json) {
        fprintf(request->out, "%-14s %-10s %8.2f %8.2f %8.2f  M events/s\n", engine->op->name,
                "tarn", median, least, most);
        return;
    }
    fprintf(request->out,
            "{\"suite\":\"stream\",\"op\":\"%s\",\"store\":\"tarn\",\"entries\":%" PRIu64
            ",\"key_bytes\":8,\"value_bytes\":0,\"median\":%.3f,\"min\":%.3f,\"max\":%.3f,"
            "\"unit\":\"M events/s\",\"repeats\":%zu,\"rows_per_s\":%.0f,\"events\":%" PRIu64
            ",\"rows_out\":%" PRIu64 "}\n",
            engine->op->name, engine->op->keys, median, least, most, sample->count, median * 1e6,
            engine->events, engine->emitted_count);
}

enum tn_bench_answer tn_stream_engine_run(const struct tn_stream_request *request, size_t op)
{
    const struct engine_op *of = &engine_ops[op];
    struct engine engine = { .op = of };
    struct tn_bench_sample sample = { .count = 0 };
    char text[128];
    double seconds;
    int result;

    engine.events = tn_max(request->rows, 2 * of->keys * of->events_per_key);
    for (unsigned i = 0; i < ENGINE_NUMBERS; i++)
        snprintf(engine.numbers[i], sizeof engine.numbers[i], "%u", i);
    for (size_t repeat = 0; repeat < request->repeats; repeat++) {
        engine.random = repeat;
        engine.pushed_sum = engine.emitted_sum = engine.emitted_count = 0;
        result = engine_turn(&engine, request->stop, &seconds);
        if (result == TARN_END)
            return TN_BENCH_STOPPED;
        if (result != TARN_OK || engine.emitted_sum != engine.pushed_sum) {
            snprintf(text, sizeof text, "%s: %s", of->name,
                     result != TARN_OK ? tarn_result_text(result) : "windows lack events");
            request->warn(text);
            return TN_BENCH_FAILED;
        }
        tn_bench_sample_add(&sample, (double)engine.events / 1e6 / seconds);
    }
    engine_print(request, &engine, &sample);
    return fflush(request->out) == 0 ? TN_BENCH_DONE : TN_BENCH_UNWRITTEN;
}
