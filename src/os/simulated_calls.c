/*
 * simulated_calls.c - the book of calls: each has a number, and may be refused by it
 *
 *     begin: watch --> count --> crashed? --> a fault of this number? --> 0
 *                                  | -EIO         | its -errno
 *     end:   number  call  id  bytes  offset  result  name    one line of the trace
 *
 * Rules: S2 to S4 of simulated.h, C1 of simulated_state.h, and
 *   B1  The watch hears of a call before it is counted, and of none after the crash.
 *   B2  The crash goes before any fault; a fault asked for earlier goes before a later one.
 *   B3  A fault that is over makes room for another only when one is asked for.
 */
#include "os/simulated_state.h"

#include <errno.h>
#include <inttypes.h>

static const char *const call_names[TN_CALL_KIND_COUNT] = {
    [TN_CALL_ANY] = "any",
    [TN_CALL_PAGES_RESERVE] = "pages_reserve",
    [TN_CALL_PAGES_COMMIT] = "pages_commit",
    [TN_CALL_PAGES_DECOMMIT] = "pages_decommit",
    [TN_CALL_FORK_MARK] = "fork_mark",
    [TN_CALL_RANDOM] = "random",
    [TN_CALL_DIRECTORY_OPEN] = "directory_open",
    [TN_CALL_DIRECTORY_LOCK] = "directory_lock",
    [TN_CALL_DIRECTORY_LIST] = "directory_list",
    [TN_CALL_DIRECTORY_SYNC] = "directory_sync",
    [TN_CALL_DIRECTORY_RENAME] = "directory_rename",
    [TN_CALL_DIRECTORY_UNLINK] = "directory_unlink",
    [TN_CALL_FILE_OPEN] = "file_open",
    [TN_CALL_FILE_SIZE] = "file_size",
    [TN_CALL_FILE_READ] = "file_read",
    [TN_CALL_FILE_WRITE] = "file_write",
    [TN_CALL_FILE_TRUNCATE] = "file_truncate",
    [TN_CALL_FILE_SYNC] = "file_sync",
    [TN_CALL_FILE_MAP] = "file_map",
    [TN_CALL_STREAM_READ] = "stream_read",
    [TN_CALL_STREAM_WRITE] = "stream_write",
};

static bool fault_hits(const struct tn_simulated_fault *fault, const struct tn_simulated *simulated)
{
    uint64_t count = simulated->counts[fault->kind];

    return count == fault->at || (fault->for_ever && count > fault->at);
}

int tn_simulated_call_begin(struct tn_simulated *simulated, enum tn_simulated_call kind)
{
    size_t i;

    if (simulated->watch != NULL && !simulated->is_crashed)
        simulated->watch(simulated->watch_argument, kind);
    simulated->counts[TN_CALL_ANY]++;
    simulated->counts[kind]++;
    if (simulated->counts[TN_CALL_ANY] >= simulated->crash_at)
        simulated->is_crashed = true;
    if (simulated->is_crashed)
        return -EIO; /* S4 */
    for (i = 0; i < simulated->fault_count; i++)
        if ((simulated->faults[i].kind == kind || simulated->faults[i].kind == TN_CALL_ANY) &&
            fault_hits(&simulated->faults[i], simulated))
            return -simulated->faults[i].error;
    return 0;
}

int tn_simulated_call_end(struct tn_simulated *simulated, enum tn_simulated_call kind, int result,
                          int id, uint64_t bytes, uint64_t offset, const char *name)
{
    if (simulated->options.trace != NULL)
        fprintf(simulated->options.trace,
                "%8" PRIu64 "  %-16s %4d %10" PRIu64 " %12" PRIu64 " %5d  %s\n",
                simulated->counts[TN_CALL_ANY], call_names[kind], id, bytes, offset, result,
                name != NULL ? name : "-");
    return result;
}

void tn_simulated_watch(struct tn_simulated *simulated, tn_simulated_watch_fn *watch,
                        void *argument)
{
    simulated->watch = watch;
    simulated->watch_argument = argument;
}

uint64_t tn_simulated_call_count(const struct tn_simulated *simulated, enum tn_simulated_call kind)
{
    return simulated->counts[kind];
}

bool tn_simulated_fail(struct tn_simulated *simulated, enum tn_simulated_call kind, uint64_t number,
                       int error, bool for_ever)
{
    size_t i, kept_count = 0;

    /* Those that are over make room. */
    for (i = 0; i < simulated->fault_count; i++)
        if (simulated->faults[i].for_ever ||
            simulated->faults[i].at > simulated->counts[simulated->faults[i].kind])
            simulated->faults[kept_count++] = simulated->faults[i];
    simulated->fault_count = kept_count;
    if (kept_count == TN_SIMULATED_FAULT_COUNT_MAX)
        return false;
    simulated->faults[simulated->fault_count++] = (struct tn_simulated_fault){
        .kind = kind,
        .at = simulated->counts[kind] + number,
        .error = error,
        .for_ever = for_ever,
    };
    return true;
}

void tn_simulated_fail_none(struct tn_simulated *simulated)
{
    simulated->fault_count = 0;
}

void tn_simulated_fail_partly(struct tn_simulated *simulated, unsigned quarters)
{
    tn_assert(quarters <= 4);
    simulated->failed_quarters = quarters;
}

/* ---- the crash ------------------------------------------------------------------------------ */

void tn_simulated_crash_at(struct tn_simulated *simulated, uint64_t number)
{
    simulated->crash_at = simulated->counts[TN_CALL_ANY] + number;
    simulated->is_crashed = number == 0;
}

bool tn_simulated_crashed(const struct tn_simulated *simulated)
{
    return simulated->is_crashed;
}
