/*
 * bench_stream.h - the command line of tarn bench stream
 */
#ifndef TN_BENCH_STREAM_H
#define TN_BENCH_STREAM_H

/* argv[0] is "stream". Answers the exit code. */
int tn_bench_stream(int argc, char **argv);

#endif
