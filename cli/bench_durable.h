/*
 * bench_durable.h - the command line of tarn bench durable
 */
#ifndef TN_BENCH_DURABLE_H
#define TN_BENCH_DURABLE_H

/* argv[0] is "durable". Answers the exit code. */
int tn_bench_durable(int argc, char **argv);

#endif
