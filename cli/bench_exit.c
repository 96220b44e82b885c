/*
 * bench_exit.c - see bench_exit.h
 */
#include "bench_exit.h"
#include "command.h"
#include "message.h"
#include "signals.h"

#include <errno.h>
#include <string.h>

int tn_bench_exit(const char *verb, enum tn_bench_answer answer)
{
    switch (answer) {
    case TN_BENCH_DONE:
        return TN_EXIT_DONE;
    case TN_BENCH_STOPPED:
        return TN_EXIT_SIGNAL + (int)*tn_signals_flag();
    case TN_BENCH_UNKNOWN:
        return TN_EXIT_USAGE;
    case TN_BENCH_UNWRITTEN:
        if (errno == EPIPE)
            return TN_EXIT_PIPE;
        tn_message(verb, "standard output: %s", strerror(errno));
        return TN_EXIT_FAILED;
    case TN_BENCH_FAILED:
    case TN_BENCH_PAGE_UNWRITTEN:
        return TN_EXIT_FAILED;
    }
    tn_unreachable();
}
