/*
 * stream_bench.c - see stream_bench.h for the rules
 *
 *     for each op        events.csv, .tsv, .ndjson
 *       for each repeat  for each tool: sh -c "..." >output, timed; first time: are the rows right?
 *       print            a line for each tool
 */
#include "stream_bench.h"
#include "scratch.h"
#include "stream_engine.h"
#include "stream_tools.h"

#include "io/wait.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define STREAM_REPEATS_MAX 100
#define STREAM_PATH_BYTES 256
#define STREAM_COMMAND_BYTES 2048
#define STREAM_NOT_FOUND 127 /* what sh answers */

extern char **environ;

/* A file of events, and windows of it: window_csv, hop_ndjson, ... */
#define STREAM_OP_COUNT (TN_STREAM_KIND_COUNT * TN_STREAM_FORMAT_COUNT)
#define STREAM_NAME_BYTES 32

struct stream_name {
    char text[STREAM_NAME_BYTES];
};

/* A tool in an op: its times, and whether it takes part. */
struct contest {
    bool takes_part;
    double seconds[STREAM_REPEATS_MAX];
    double processor[STREAM_REPEATS_MAX]; /* seconds that the processor had for it */
    size_t count;
};

/* An op at hand. */
struct stream {
    const struct tn_stream_request *request;
    size_t kind;
    size_t format;
    struct stream_name name;
    char directory[STREAM_PATH_BYTES];
    char file[STREAM_PATH_BYTES]; /* of the op at hand */
    char output[STREAM_PATH_BYTES];
    uint64_t file_bytes;
    uint64_t output_hash; /* of tarn's rows */
    bool output_known;
};

static bool stream_stopped(const struct stream *stream)
{
    return stream->request->stop != NULL && *stream->request->stop != 0;
}

__attribute__((format(printf, 2, 3))) static void stream_warn(const struct stream *stream,
                                                              const char *format, ...)
{
    char text[512];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    stream->request->warn(text);
}

static struct stream_name name_of(size_t kind, size_t format)
{
    struct stream_name name;

    snprintf(name.text, sizeof name.text, "%s_%s", tn_stream_kinds[kind],
             tn_stream_formats[format]);
    return name;
}

/* ---- events ---------------------------------------------------------------------------------- */

static uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9E3779B97F4A7C15);

    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

static void event_print(FILE *file, bool json, char between, uint64_t time_ms, uint64_t random)
{
    static const unsigned statuses[] = { 200, 200, 304, 404 };
    unsigned user = (unsigned)(random % 1000), amount = (unsigned)(random >> 10) % 100000;
    unsigned status = statuses[random >> 62];
    unsigned product = (unsigned)(random >> 32) % 100, item = (unsigned)(random >> 40) % 100000;

    if (json)
        fprintf(file,
                "{\"time\":%" PRIu64 ",\"user\":\"user%05u\",\"amount\":%u,\"status\":%u,"
                "\"path\":\"/products/%u/item-%05u.html\"}\n",
                time_ms, user, amount, status, product, item);
    else
        fprintf(file, "%" PRIu64 "%cuser%05u%c%u%c%u%c/products/%u/item-%05u.html\n", time_ms,
                between, user, between, amount, between, status, between, product, item);
}

/* Make the format's file; 10 ms between events, on the average. */
static bool events_make(struct stream *stream)
{
    static const char *const headers[TN_STREAM_FORMAT_COUNT] = {
        "time,user,amount,status,path\n", "time\tuser\tamount\tstatus\tpath\n", ""
    };
    uint64_t state = 1, time_ms = UINT64_C(1700000000000), row;
    struct stat status;
    FILE *file;
    bool done;

    snprintf(stream->file, sizeof stream->file, "%.200s/events.%s", stream->directory,
             tn_stream_formats[stream->format]);
    file = fopen(stream->file, "w");
    if (file == NULL)
        return false;
    fputs(headers[stream->format], file);
    for (row = 0; row < stream->request->rows && !stream_stopped(stream); row++) {
        uint64_t random = next_random(&state);

        time_ms += random % 21;
        event_print(file, stream->format == 2, stream->format == 0 ? ',' : '\t', time_ms,
                    next_random(&state));
    }
    done = ferror(file) == 0;
    done = fclose(file) == 0 && done && stat(stream->file, &status) == 0;
    stream->file_bytes = done ? (uint64_t)status.st_size : 0;
    return done;
}

/* ---- one process ----------------------------------------------------------------------------- */

/* What a letter behind a % stands for (stream_tools.h). */
static const char *placeholder(const struct stream *stream, size_t tool, char letter)
{
    switch (letter) {
    case 'f':
        return stream->file;
    case 'd':
        return stream->directory;
    case 'm':
        return tn_stream_tools[tool].formats[stream->format];
    default:
        return stream->request->program;
    }
}

/* What a tool is told to do. NULL: it cannot do that. */
static const char *form_of(const struct stream *stream, size_t tool)
{
    const struct tn_stream_tool *of = &tn_stream_tools[tool];

    return of->formats[stream->format] != NULL ? of->commands[stream->kind] : NULL;
}

/* A command with paths in it. */
static void command_fill(const struct stream *stream, size_t tool, char *to)
{
    const char *form = form_of(stream, tool);
    char *end = to + (STREAM_COMMAND_BYTES - STREAM_PATH_BYTES);

    for (; *form != '\0' && to < end; form++) {
        if (form[0] != '%')
            *to++ = *form;
        else
            to += snprintf(to, STREAM_PATH_BYTES, "%s", placeholder(stream, tool, *++form));
    }
    *to = '\0';
}

static double seconds_of(const struct timeval *time)
{
    return (double)time->tv_sec + (double)time->tv_usec / 1e6;
}

/* Run a command in a group of its own; a signal to us ends it, too. Answers its exit code. */
static int command_run(const struct stream *stream, const char *command, double *seconds,
                       double *processor)
{
    char *const arguments[] = { (char *)(uintptr_t) "sh", (char *)(uintptr_t) "-c",
                                (char *)(uintptr_t)command, NULL };
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    uint64_t began_ns = tn_now_ns();
    struct rusage used = { .ru_maxrss = 0 };
    pid_t child;
    int status = 0, failed;

    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, stream->output,
                                     O_WRONLY | O_CREAT | O_TRUNC, 0600);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
    failed = posix_spawnp(&child, "sh", &actions, &attributes, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    if (failed != 0)
        return STREAM_NOT_FOUND;
    while (wait4(child, &status, 0, &used) < 0 && errno == EINTR)
        if (stream_stopped(stream))
            kill(-child, SIGTERM);
    *seconds = (double)(tn_now_ns() - began_ns) / 1e9;
    *processor = seconds_of(&used.ru_utime) + seconds_of(&used.ru_stime);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

/* ---- are the rows right? --------------------------------------------------------------------- */

/* "start,user,count,sum" of a row of any tool: tabs are commas, and tarn's window_end is left out. */
static uint64_t row_hash(char *line, bool tarn)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    size_t column = 0;
    char *at;

    for (at = line; *at != '\0' && *at != '\n' && *at != '\r'; at++) {
        bool between = *at == ',' || *at == '\t';

        column += between;
        if (!tarn || column != 1)
            hash = (hash ^ (unsigned char)(between ? ',' : *at)) * UINT64_C(1099511628211);
    }
    return hash;
}

/* Of all rows, in any order; tarn's header is not one. 0: there are none. */
static uint64_t output_hash(const struct stream *stream, bool tarn)
{
    FILE *file = fopen(stream->output, "r");
    uint64_t sum = 0;
    char line[512];

    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (!tarn || (line[0] >= '0' && line[0] <= '9'))
            sum += row_hash(line, tarn);
    if (file != NULL)
        fclose(file);
    return sum;
}

/* ---- turns ----------------------------------------------------------------------------------- */

static void contest_turn(struct stream *stream, struct contest *contest, size_t tool)
{
    const char *name = tn_stream_tools[tool].name;
    char command[STREAM_COMMAND_BYTES];
    double seconds = 0, processor = 0;
    int exit_code;
    uint64_t hash;

    command_fill(stream, tool, command);
    exit_code = command_run(stream, command, &seconds, &processor);
    if (stream_stopped(stream))
        return;
    contest->takes_part = exit_code == 0;
    if (exit_code == STREAM_NOT_FOUND)
        stream_warn(stream, "%s is not installed, and left out", name);
    else if (exit_code != 0)
        stream_warn(stream, "%s ended with exit code %d in %s, and is left out", name, exit_code,
                    stream->name.text);
    if (exit_code != 0)
        return;
    contest->processor[contest->count] = processor;
    contest->seconds[contest->count++] = seconds;
    if (contest->count > 1)
        return;
    hash = output_hash(stream, tool == 0);
    if (tool == 0) {
        stream->output_hash = hash;
        stream->output_known = true;
    }
    if (stream->output_known && hash != stream->output_hash) {
        stream_warn(stream, "%s: other rows than tarn's in %s; left out", name, stream->name.text);
        contest->takes_part = false;
    }
}

static int compare_seconds(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;

    return (left > right) - (left < right);
}

/* One tool's line. `tarn_mbs` 0: tarn did not take part. */
static void contest_print(const struct stream *stream, struct contest *contest, size_t tool,
                          double *tarn_mbs)
{
    const struct tn_stream_request *request = stream->request;
    double megabytes = (double)stream->file_bytes / 1e6, median, least, most, processor;
    uint64_t row_bytes = stream->file_bytes / request->rows;

    qsort(contest->seconds, contest->count, sizeof contest->seconds[0], compare_seconds);
    qsort(contest->processor, contest->count, sizeof contest->processor[0], compare_seconds);
    processor = megabytes / contest->processor[contest->count / 2];
    median = megabytes / contest->seconds[contest->count / 2];
    least = megabytes / contest->seconds[contest->count - 1];
    most = megabytes / contest->seconds[0];
    if (tool == 0)
        *tarn_mbs = median;
    if (!request->json) {
        fprintf(request->out, "%-14s %-10s %8.1f %8.1f %8.1f  MB/s %8.3f M rows/s %8.1f",
                stream->name.text, tn_stream_tools[tool].name, median, least, most,
                (double)request->rows / 1e6 / (megabytes / median), processor);
        if (*tarn_mbs > 0)
            fprintf(request->out, " %8.2f", *tarn_mbs / median);
        fputc('\n', request->out);
        return;
    }
    fprintf(request->out,
            "{\"suite\":\"stream\",\"op\":\"%s\",\"store\":\"%s\",\"entries\":%" PRIu64
            ",\"key_bytes\":9,\"value_bytes\":%" PRIu64
            ",\"median\":%.1f,\"min\":%.1f,\"max\":%.1f,\"unit\":\"MB/s\",\"repeats\":%zu,"
            "\"rows_per_s\":%.0f,\"file_bytes\":%" PRIu64 ",\"processor_median\":%.1f",
            stream->name.text, tn_stream_tools[tool].name, request->rows,
            row_bytes > 9 ? row_bytes - 9 : 0, median, least, most, contest->count,
            (double)request->rows / (megabytes / median), stream->file_bytes, processor);
    if (*tarn_mbs > 0)
        fprintf(request->out, ",\"times_tarn\":%.3f", *tarn_mbs / median);
    fputs("}\n", request->out);
}

/* All tools that can, in turn, on the file that is there. */
static enum tn_bench_answer op_run(struct stream *stream)
{
    struct contest contests[TN_STREAM_TOOL_COUNT] = { { .takes_part = false } };
    double tarn_mbs = 0;
    size_t repeat, tool;

    stream->output_known = false;
    for (tool = 0; tool < TN_STREAM_TOOL_COUNT; tool++)
        contests[tool].takes_part =
            form_of(stream, tool) != NULL &&
            tn_bench_name_in(stream->request->tools, tn_stream_tools[tool].name);
    for (repeat = 0; repeat < stream->request->repeats; repeat++)
        for (tool = 0; tool < TN_STREAM_TOOL_COUNT && !stream_stopped(stream); tool++)
            if (contests[tool].takes_part)
                contest_turn(stream, &contests[tool], tool);
    if (stream_stopped(stream))
        return TN_BENCH_STOPPED;
    for (tool = 0; tool < TN_STREAM_TOOL_COUNT; tool++)
        if (contests[tool].takes_part)
            contest_print(stream, &contests[tool], tool, &tarn_mbs);
    return fflush(stream->request->out) == 0 ? TN_BENCH_DONE : TN_BENCH_UNWRITTEN;
}

/* All kinds of windows on one file. */
static enum tn_bench_answer format_run(struct stream *stream, size_t format)
{
    enum tn_bench_answer answer = TN_BENCH_DONE;
    bool made = false;

    stream->format = format;
    for (size_t kind = 0; kind < TN_STREAM_KIND_COUNT && answer == TN_BENCH_DONE; kind++) {
        stream->kind = kind;
        stream->name = name_of(kind, format);
        if (!tn_bench_name_in(stream->request->ops, stream->name.text))
            continue;
        if (!made && !events_make(stream)) {
            stream_warn(stream, "%s: %s; set TMPDIR to where there is room", stream->file,
                        strerror(errno));
            return TN_BENCH_FAILED;
        }
        made = true;
        answer = op_run(stream);
    }
    unlink(stream->file);
    return answer;
}

/* ---- the suite ------------------------------------------------------------------------------- */

/* The names that --ops knows, then those that --stores knows; "" behind the last. */
static struct stream_name op_name(size_t i)
{
    struct stream_name name = { "" };

    if (i < STREAM_OP_COUNT)
        return name_of(i % TN_STREAM_KIND_COUNT, i / TN_STREAM_KIND_COUNT);
    i -= STREAM_OP_COUNT;
    if (i < TN_STREAM_ENGINE_COUNT)
        snprintf(name.text, sizeof name.text, "%s", tn_stream_engine_name(i));
    return name;
}

static struct stream_name tool_name(size_t i)
{
    struct stream_name name = { "" };

    if (i < TN_STREAM_TOOL_COUNT)
        snprintf(name.text, sizeof name.text, "%s", tn_stream_tools[i].name);
    return name;
}

/* Are all of the comma-separated names known? */
static bool names_are_known(const struct tn_stream_request *request, const char *names,
                            struct stream_name (*known)(size_t))
{
    char text[128];
    size_t bytes, i;

    for (; names != NULL; names = names[bytes] == ',' ? names + bytes + 1 : NULL) {
        struct stream_name name;

        bytes = strcspn(names, ",");
        for (i = 0; name = known(i), name.text[0] != '\0'; i++)
            if (strlen(name.text) == bytes && strncmp(name.text, names, bytes) == 0)
                break;
        if (name.text[0] != '\0')
            continue;
        snprintf(text, sizeof text, "'%.*s' is not known; tarn bench stream --list names what is",
                 (int)tn_min(bytes, 60), names);
        request->warn(text);
        return false;
    }
    return true;
}

/* The operator alone. */
static enum tn_bench_answer engines_run(const struct tn_stream_request *request)
{
    enum tn_bench_answer answer = TN_BENCH_DONE;

    if (!tn_bench_name_in(request->tools, tn_stream_tools[0].name))
        return answer;
    for (size_t op = 0; op < TN_STREAM_ENGINE_COUNT && answer == TN_BENCH_DONE; op++)
        if (request->ops != NULL ? tn_bench_name_in(request->ops, tn_stream_engine_name(op))
                                 : tn_stream_engine_is_usual(op))
            answer = tn_stream_engine_run(request, op);
    return answer;
}

enum tn_bench_answer tn_stream_bench_run(const struct tn_stream_request *request)
{
    struct stream stream = { .request = request };
    const char *parent = getenv("TMPDIR");
    enum tn_bench_answer answer = TN_BENCH_DONE;
    size_t format;

    if (!names_are_known(request, request->ops, op_name) ||
        !names_are_known(request, request->tools, tool_name))
        return TN_BENCH_UNKNOWN;
    snprintf(stream.directory, sizeof stream.directory, "%.180s/tarn-bench-XXXXXX",
             parent != NULL && *parent != '\0' ? parent : "/tmp");
    if (mkdtemp(stream.directory) == NULL) {
        stream_warn(&stream, "%s: %s; set TMPDIR to a directory that can be written",
                    stream.directory, strerror(errno));
        return TN_BENCH_FAILED;
    }
    snprintf(stream.output, sizeof stream.output, "%.200s/output", stream.directory);
    if (!request->json)
        fprintf(request->out, "%-14s %-10s %8s %8s %8s %5s %15s %8s %8s\n", "op", "tool", "median",
                "min", "max", "", "", "of cpu", "x tarn");
    for (format = 0; format < TN_STREAM_FORMAT_COUNT && answer == TN_BENCH_DONE; format++)
        answer = format_run(&stream, format);
    snprintf(stream.file, sizeof stream.file, "%.200s/state", stream.directory);
    tn_bench_scratch_remove(stream.file);
    tn_bench_scratch_remove(stream.directory);
    return answer == TN_BENCH_DONE ? engines_run(request) : answer;
}

void tn_stream_bench_list(FILE *out)
{
    struct stream_name name;

    fputs("Operations:\n", out);
    for (size_t i = 0; name = op_name(i), name.text[0] != '\0'; i++)
        fprintf(out, "  %s\n", name.text);
    fputs("Tools, those that are installed:\n", out);
    for (size_t i = 0; name = tool_name(i), name.text[0] != '\0'; i++)
        fprintf(out, "  %s\n", name.text);
}
