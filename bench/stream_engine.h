/*
 * stream_engine.h - tarn bench stream: the window operator alone, on events made in this process
 *
 *     op               keys        windows                                        aggregates
 *     tumble_100       100         10 s, 20 events of each key in each            count
 *     tumble_100k      100,000     the same                                       count
 *     tumble_10m       10,000,000  the same; only when it is named                count
 *     slide_100k       100,000     10 s every second                              sum, max
 *     sessions_100k    100,000     a gap of 10 s, events 5 s apart on the average  count
 *
 * Keys are 8 bytes, in random order; numbers are texts, as the operator takes them. No files, no
 * parsing of rows, no output but a function that adds up what comes. Nothing here waits for
 * anything, so what is counted is processor time: a busy machine changes less of it than of the
 * clock on the wall.
 */
#ifndef TN_STREAM_ENGINE_H
#define TN_STREAM_ENGINE_H

#include "stream_bench.h"

#define TN_STREAM_ENGINE_COUNT 5u

/* The op's name. */
const char *tn_stream_engine_name(size_t op);

/* Is it one of those that run when nothing is named? */
bool tn_stream_engine_is_usual(size_t op);

/*
 * `rows` events, at least those of two windows. What is emitted must say that all were counted, or
 * that is told and there is no line.
 */
enum tn_bench_answer tn_stream_engine_run(const struct tn_stream_request *request, size_t op);

#endif
