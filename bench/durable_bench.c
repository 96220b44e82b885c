/*
 * durable_bench.c - see durable_bench.h
 *
 *     each store                           each step a process of its own
 *         repeats times, a new directory:  load, close
 *         of the last of them, repeats:    open, first get; check; close
 *                                          changes; check; close
 *                                          open, check; close
 *     repeats, all stores in turn
 *                                          synced commits; check; close
 *     each store
 *         repeats times, a new directory:  load, end without close
 *                                          open, first get; check; close
 *
 * Rules
 *   D1  A store lives in processes that do nothing else: it begins with fresh memory, and its
 *       background threads end with it.
 *   D2  A store that fails or answers wrongly has no rows: its times say nothing.
 *   D3  Synced commits go in turns, and the device with them: how fast it syncs changes within a
 *       run.
 *   D4  Directories are removed however the run ends, SIGKILL apart.
 *   D5  Steps that no wanted row needs are left out.
 */
#define _GNU_SOURCE /* mkdtemp */

#include "durable_bench.h"
#include "durable_ops.h"
#include "report.h"
#include "scratch.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define POLL_NS 2000000

static const struct durable_op {
    const char *name;
    const char *unit;
    bool is_rate;
} durable_ops[TN_DURABLE_OP_COUNT] = {
    [TN_DURABLE_PUT_SYNCED] = { "put_synced", "per s", true },
    [TN_DURABLE_PUT_1000_SYNCED] = { "put_1000_synced", "puts/s", true },
    [TN_DURABLE_PUT_COMMIT_1000] = { "put_commit_1000", "ns", false },
    [TN_DURABLE_BULK_LOAD] = { "bulk_load", "ns", false },
    [TN_DURABLE_BULK_LOAD_CLOSE] = { "bulk_load_close", "ms", false },
    [TN_DURABLE_COMMIT_100K] = { "commit_100k", "ms", false },
    [TN_DURABLE_REOPEN_CLEAN] = { "reopen_clean", "ms", false },
    [TN_DURABLE_RECOVER_KILL] = { "recover_kill", "ms", false },
    [TN_DURABLE_DISK] = { "disk_per_live_byte", "B/B", false },
    [TN_DURABLE_WRITTEN] = { "written_per_changed_byte", "B/B", false },
    [TN_DURABLE_RAW_APPEND] = { "raw_append_sync", "per s", true },
    [TN_DURABLE_RAW_OVERWRITE] = { "raw_overwrite_sync", "per s", true },
};

/* In memory that all processes share. */
struct shared {
    struct tn_durable_result results[TN_DURABLE_STORES_MAX + 1];
    uint8_t shift[]; /* of all entries, for each store */
};

struct contestant {
    struct tn_durable_subject subject; /* without a store: the device */
    char path[TN_BENCH_SCRATCH_PATH_BYTES];
};

struct durable {
    const struct tn_durable_request *request;
    struct tn_bench_workload workload;
    struct shared *shared;
    size_t shared_bytes;
    struct contestant contestants[TN_DURABLE_STORES_MAX + 1]; /* the last: the device */
    size_t contestant_count;
};

static void durable_warn(const struct durable *durable, const char *store, const char *text)
{
    char line[3 * TN_DURABLE_REASON_BYTES];

    snprintf(line, sizeof line, "%s: %.600s", store, text);
    durable->request->warn(line);
}

/* ---- processes ------------------------------------------------------------------------------- */

enum step { STEP_LOAD, STEP_DIE, STEP_CHANGE, STEP_SYNC, STEP_REOPEN, STEP_RECOVER, STEP_CHECK };

static bool step_run(struct tn_durable_subject *subject, enum step step)
{
    switch (step) {
    case STEP_LOAD:
        return tn_durable_load_and_close(subject);
    case STEP_DIE:
        return tn_durable_load_and_die(subject);
    case STEP_CHANGE:
        return tn_durable_change(subject);
    case STEP_SYNC:
        return subject->store != NULL ? tn_durable_sync(subject) : tn_durable_raw(subject);
    case STEP_REOPEN:
        return tn_durable_reopen(subject, TN_DURABLE_REOPEN_CLEAN);
    case STEP_RECOVER:
        return tn_durable_reopen(subject, TN_DURABLE_RECOVER_KILL);
    default:
        return tn_durable_check(subject);
    }
}

/* Until it ends, or a signal comes: then it is killed. Its status, -1: killed, or no such process. */
static int child_wait(const struct durable *durable, pid_t child)
{
    const struct timespec pause = { 0, POLL_NS };
    int status = 0;
    pid_t ended;

    while ((ended = waitpid(child, &status, WNOHANG)) == 0 && *durable->request->stop == 0)
        nanosleep(&pause, NULL);
    if (ended == child)
        return status;
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    return -1;
}

/* A step in a process of its own (D1), which ends without closing anything. */
static bool step_fork(struct durable *durable, struct contestant *contestant, enum step step)
{
    struct tn_durable_subject *subject = &contestant->subject;
    pid_t child;
    int status;

    fflush(durable->request->out); /* what is buffered is written once */
    child = fork();
    if (child == 0)
        _exit(step_run(subject, step) ? 0 : 1);
    if (child < 0) {
        snprintf(subject->result->reason, sizeof subject->result->reason, "fork: %s",
                 strerror(errno));
        return false;
    }
    status = child_wait(durable, child);
    if (status != 0 && subject->result->reason[0] == '\0')
        snprintf(subject->result->reason, sizeof subject->result->reason,
                 "its process ended with status %d", status);
    return status == 0;
}

/* ---- one store ------------------------------------------------------------------------------- */

static bool directory_make(struct durable *durable, struct contestant *contestant)
{
    struct tn_durable_result *result = contestant->subject.result;

    snprintf(contestant->path, sizeof contestant->path, "%.480s/tarn-bench-XXXXXX",
             durable->request->parent);
    if (mkdtemp(contestant->path) != NULL)
        return true;
    snprintf(result->reason, sizeof result->reason, "%.400s: %s", contestant->path,
             strerror(errno));
    contestant->path[0] = '\0';
    return false;
}

static void directory_remove(struct contestant *contestant)
{
    if (contestant->path[0] != '\0')
        tn_bench_scratch_remove(contestant->path);
    contestant->path[0] = '\0';
}

static bool step_fresh(struct durable *durable, struct contestant *contestant, enum step step)
{
    directory_remove(contestant);
    return directory_make(durable, contestant) && step_fork(durable, contestant, step);
}

#define LOAD_ROWS                                                                                  \
    (TN_DURABLE_BIT(TN_DURABLE_BULK_LOAD) | TN_DURABLE_BIT(TN_DURABLE_BULK_LOAD_CLOSE))
#define CHANGE_ROWS                                                                                \
    (TN_DURABLE_BIT(TN_DURABLE_PUT_COMMIT_1000) | TN_DURABLE_BIT(TN_DURABLE_COMMIT_100K) |         \
     TN_DURABLE_BIT(TN_DURABLE_DISK) | TN_DURABLE_BIT(TN_DURABLE_WRITTEN))
#define SYNC_ROWS                                                                                  \
    (TN_DURABLE_BIT(TN_DURABLE_PUT_SYNCED) | TN_DURABLE_BIT(TN_DURABLE_PUT_1000_SYNCED))
#define RAW_ROWS (TN_DURABLE_BIT(TN_DURABLE_RAW_APPEND) | TN_DURABLE_BIT(TN_DURABLE_RAW_OVERWRITE))

/* Once, where others only need the store that it makes. */
static bool loads(struct durable *durable, struct contestant *contestant)
{
    const struct tn_durable_subject *subject = &contestant->subject;
    uint64_t began = tn_bench_clock_ns();
    size_t repeat;

    for (repeat = 0; tn_durable_goes_on(subject, began, repeat); repeat++) {
        if (repeat > 0 && !tn_durable_wants(subject, LOAD_ROWS))
            break;
        if (!step_fresh(durable, contestant, STEP_LOAD))
            return false;
    }
    return true;
}

static bool reopens(struct durable *durable, struct contestant *contestant)
{
    const struct tn_durable_subject *subject = &contestant->subject;
    uint64_t began = tn_bench_clock_ns();
    size_t repeat;

    for (repeat = 0; tn_durable_goes_on(subject, began, repeat); repeat++)
        if (!step_fork(durable, contestant, STEP_REOPEN))
            return false;
    return true;
}

/* The device needs a directory, no more. */
static bool phase_change(struct durable *durable, struct contestant *contestant)
{
    const struct tn_durable_subject *subject = &contestant->subject;
    const uint32_t reopen = TN_DURABLE_BIT(TN_DURABLE_REOPEN_CLEAN);

    if (subject->store == NULL)
        return directory_make(durable, contestant);
    if (!tn_durable_wants(subject, LOAD_ROWS | CHANGE_ROWS | SYNC_ROWS | reopen))
        return true;
    if (!loads(durable, contestant))
        return false;
    if (tn_durable_wants(subject, reopen) && !reopens(durable, contestant))
        return false;
    return !tn_durable_wants(subject, CHANGE_ROWS) ||
           (step_fork(durable, contestant, STEP_CHANGE) &&
            step_fork(durable, contestant, STEP_CHECK));
}

static bool phase_sync(struct durable *durable, struct contestant *contestant)
{
    const struct tn_durable_subject *subject = &contestant->subject;

    if (!tn_durable_wants(subject, subject->store != NULL ? SYNC_ROWS : RAW_ROWS))
        return true;
    return step_fork(durable, contestant, STEP_SYNC);
}

static bool phase_kill(struct durable *durable, struct contestant *contestant)
{
    uint64_t began = tn_bench_clock_ns();
    size_t repeat;

    if (contestant->subject.store == NULL ||
        !tn_durable_wants(&contestant->subject, TN_DURABLE_BIT(TN_DURABLE_RECOVER_KILL)))
        return true;
    memset(contestant->subject.shift, 0, (size_t)durable->request->entries);
    for (repeat = 0; tn_durable_goes_on(&contestant->subject, began, repeat); repeat++)
        if (!step_fresh(durable, contestant, STEP_DIE) ||
            !step_fork(durable, contestant, STEP_RECOVER))
            return false;
    return true;
}

/* ---- all of them ----------------------------------------------------------------------------- */

static const char *contestant_name(const struct contestant *contestant)
{
    return contestant->subject.store != NULL ? contestant->subject.store->name : "raw";
}

/* Whoever has not failed so far. A failure is told, once. */
static void phase_run(struct durable *durable,
                      bool (*phase)(struct durable *durable, struct contestant *contestant))
{
    size_t i;

    for (i = 0; i < durable->contestant_count && *durable->request->stop == 0; i++) {
        struct contestant *contestant = &durable->contestants[i];
        const char *reason = contestant->subject.result->reason;

        if (reason[0] == '\0' && !phase(durable, contestant) && *durable->request->stop == 0)
            durable_warn(durable, contestant_name(contestant), reason);
    }
}

static uint32_t ops_wanted(const char *ops)
{
    uint32_t wanted = 0;
    unsigned op;

    for (op = 0; op < TN_DURABLE_OP_COUNT; op++)
        if (tn_bench_name_in(ops, durable_ops[op].name))
            wanted |= TN_DURABLE_BIT(op);
    return wanted;
}

static void contestant_add(struct durable *durable, const struct tn_durable_store *store)
{
    size_t at = durable->contestant_count++;
    struct contestant *contestant = &durable->contestants[at];

    contestant->subject = (struct tn_durable_subject){
        .store = store,
        .workload = &durable->workload,
        .path = contestant->path,
        .repeats = durable->request->repeats,
        .wanted = ops_wanted(durable->request->ops),
        .row_ns_max = durable->request->row_seconds_max * UINT64_C(1000000000),
        .shift = durable->shared->shift + at * (size_t)durable->request->entries,
        .result = &durable->shared->results[at],
    };
}

/* ---- rows ------------------------------------------------------------------------------------ */

static bool row_write(struct tn_bench_report *report, const struct tn_durable_subject *subject,
                      enum tn_durable_op op)
{
    const struct tn_durable_store *store = subject->store;
    const struct tn_durable_result *result = subject->result;
    const struct tn_bench_sample *sample = &result->samples[op];
    struct tn_bench_row row = {
        .op = durable_ops[op].name,
        .store = store != NULL ? store->name : "raw",
        .notes = store != NULL ? store->notes : "4 KiB by pwrite and fdatasync",
        .unit = durable_ops[op].unit,
        .is_rate = durable_ops[op].is_rate,
        .repeats = sample->count,
        .operations = result->operations[op],
        .page_faults = -1,
        .allocations = -1,
    };

    if (sample->count == 0 || result->reason[0] != '\0' || /* D2 */
        !tn_durable_wants(subject, TN_DURABLE_BIT(op)))
        return true;
    row.median = tn_bench_sample_median(sample);
    row.min = tn_bench_sample_min(sample);
    row.max = tn_bench_sample_max(sample);
    return tn_bench_report_row(report, &row);
}

static enum tn_bench_answer rows_write(const struct durable *durable)
{
    const struct tn_durable_request *request = durable->request;
    struct tn_bench_report report = {
        .out = request->out,
        .suite = "durable",
        .json = request->json,
        .key_bytes = TN_DURABLE_KEY_BYTES,
        .value_bytes = TN_DURABLE_VALUE_BYTES,
    };
    char about[160];
    double load = 0;
    size_t op, i;
    bool done;

    if (getloadavg(&load, 1) != 1)
        load = 0;
    snprintf(about, sizeof about,
             "%zu repeats, synced commits in turn, else one store after the other, load %.2f",
             request->repeats, load);
    done = tn_bench_report_begin(&report, request->entries, about);
    for (op = 0; op < TN_DURABLE_OP_COUNT; op++)
        for (i = 0; done && i < durable->contestant_count; i++)
            done = row_write(&report, &durable->contestants[i].subject, (enum tn_durable_op)op);
    return done ? TN_BENCH_DONE : TN_BENCH_UNWRITTEN;
}

/* ---- the suite ------------------------------------------------------------------------------- */

/* What failed is left out, and is a failure in the end. */
static enum tn_bench_answer stores_measure(struct durable *durable)
{
    const struct tn_durable_request *request = durable->request;
    enum tn_bench_answer answer;
    size_t i;

    for (i = 0; tn_durable_stores[i] != NULL; i++)
        if (tn_bench_name_in(request->stores, tn_durable_stores[i]->name))
            contestant_add(durable, tn_durable_stores[i]);
    contestant_add(durable, NULL);
    phase_run(durable, phase_change);
    for (i = 0; i < request->repeats; i++) {
        phase_run(durable, phase_sync);
        tn_bench_workload_order(&durable->workload, TN_BENCH_RANDOM, 1,
                                0); /* other keys next time */
    }
    phase_run(durable, phase_kill);
    for (i = 0; i < durable->contestant_count; i++)
        directory_remove(&durable->contestants[i]);
    if (*request->stop != 0)
        return TN_BENCH_STOPPED;
    answer = rows_write(durable);
    for (i = 0; i < durable->contestant_count && answer == TN_BENCH_DONE; i++)
        if (durable->contestants[i].subject.result->reason[0] != '\0')
            answer = TN_BENCH_FAILED;
    return answer;
}

static bool name_is(const char *name, const char *names, size_t bytes)
{
    return strlen(name) == bytes && memcmp(name, names, bytes) == 0;
}

/* Does one of the stores have the name that `names` begins with? */
static bool store_is_known(const char *names, size_t bytes)
{
    size_t i;

    for (i = 0; tn_durable_stores[i] != NULL; i++)
        if (name_is(tn_durable_stores[i]->name, names, bytes))
            return true;
    return false;
}

static bool op_is_known(const char *names, size_t bytes)
{
    size_t i;

    for (i = 0; i < TN_DURABLE_OP_COUNT; i++)
        if (name_is(durable_ops[i].name, names, bytes))
            return true;
    return false;
}

static bool names_are_known(const struct tn_durable_request *request, const char *names,
                            bool (*is_known)(const char *names, size_t bytes))
{
    char text[128];
    size_t bytes;

    for (; names != NULL; names = names[bytes] == ',' ? names + bytes + 1 : NULL) {
        bytes = strcspn(names, ",");
        if (is_known(names, bytes))
            continue;
        snprintf(text, sizeof text, "'%.*s' is not known; tarn bench durable --list names what is",
                 (int)tn_min(bytes, (size_t)60), names);
        request->warn(text);
        return false;
    }
    return true;
}

static bool durable_init(struct durable *durable)
{
    const struct tn_bench_shape shape = { TN_DURABLE_KEY_BYTES, TN_DURABLE_VALUE_BYTES };
    uint64_t entries = durable->request->entries;

    durable->shared_bytes = sizeof *durable->shared + (size_t)entries * TN_DURABLE_STORES_MAX + 1;
    durable->shared = mmap(NULL, durable->shared_bytes, PROT_READ | PROT_WRITE,
                           MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (durable->shared == MAP_FAILED)
        return false;
    if (tn_bench_workload_init(&durable->workload, entries, &shape, (size_t)entries))
        return true;
    munmap(durable->shared, durable->shared_bytes);
    return false;
}

enum tn_bench_answer tn_durable_bench_run(const struct tn_durable_request *request)
{
    struct durable durable = { .request = request };
    enum tn_bench_answer answer;
    size_t i;

    if (!names_are_known(request, request->stores, store_is_known) ||
        !names_are_known(request, request->ops, op_is_known))
        return TN_BENCH_UNKNOWN;
    for (i = 0; request->stores == NULL && tn_durable_stores_missing[i] != NULL; i++)
        request->warn(tn_durable_stores_missing[i]);
    if (!durable_init(&durable)) {
        request->warn("out of memory");
        return TN_BENCH_FAILED;
    }
    answer = stores_measure(&durable);
    tn_bench_workload_release(&durable.workload);
    munmap(durable.shared, durable.shared_bytes);
    return answer;
}

void tn_durable_bench_list(FILE *out)
{
    size_t i;

    fputs("Operations:\n", out);
    for (i = 0; i < TN_DURABLE_OP_COUNT; i++)
        fprintf(out, "  %s\n", durable_ops[i].name);
    fputs("Stores:\n", out);
    for (i = 0; tn_durable_stores[i] != NULL; i++)
        fprintf(out, "  %-10s %s\n", tn_durable_stores[i]->name, tn_durable_stores[i]->notes);
    for (i = 0; tn_durable_stores_missing[i] != NULL; i++)
        fprintf(out, "  %s\n", tn_durable_stores_missing[i]);
}
