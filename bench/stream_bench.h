/*
 * stream_bench.h - tarn bench stream: the command on files, beside other tools that can do the job
 *
 * A table of events is made in a directory of our own, once per format; each tool then groups it
 * into windows of each kind it can (stream_tools.h), and counts and sums. They take turns, in the
 * same run, from the page cache. Behind that comes the operator alone (stream_engine.h). A tool's
 * rows must be tarn's rows, or its time says nothing and is not printed.
 *
 *     time,user,amount,status,path
 *     1700000000013,user00421,81423,200,/products/17/item-40312.html
 *
 * Rules
 *   B1  What is timed is a whole process, from its start to its end, with its output in a file.
 *   B2  A tool that is not installed is told, and left out; so is what a tool cannot read.
 */
#ifndef TN_STREAM_BENCH_H
#define TN_STREAM_BENCH_H

#include "bench.h"

struct tn_stream_request {
    const char *program; /* tarn itself */
    uint64_t rows;
    size_t repeats;
    const char *ops;   /* names, comma-separated; NULL: all */
    const char *tools; /* likewise */
    bool json;
    FILE *out;
    const volatile sig_atomic_t *stop;
    void (*warn)(const char *text);
};

enum tn_bench_answer tn_stream_bench_run(const struct tn_stream_request *request);

/* What ops and tools can name, for people. */
void tn_stream_bench_list(FILE *out);

#endif
