/*
 * bench_exit.h - what the suites of tarn bench leave with
 */
#ifndef TN_BENCH_EXIT_H
#define TN_BENCH_EXIT_H

#include "bench/bench.h"

/* The exit code for an answer; what has not been said is said for `verb`, from errno. */
int tn_bench_exit(const char *verb, enum tn_bench_answer answer);

#endif
