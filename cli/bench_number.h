/*
 * bench_number.h - counts on the command line of tarn bench
 */
#ifndef TN_BENCH_NUMBER_H
#define TN_BENCH_NUMBER_H

#include "base/base.h"

/* A number 1 to `max`, perhaps with K, M or G. 0: it is none, and that was said for `verb`. */
uint64_t tn_bench_number(const char *verb, const char *option, const char *text, uint64_t max);

#endif
