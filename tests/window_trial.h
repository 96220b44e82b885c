/*
 * window_trial.h - random events, a random command line for them, and runs of it in this process
 *
 *     trial_choose      options, events, and the file of each event
 *     files_write       as csv, tsv or ndjson, in the working directory: in0.csv, in1.csv, ...
 *     command_run       tarn window OPTION... --out=out --late-to=late FILE...; its exit code
 *     outputs_of        the same, and what it has written
 *
 * A run stops where a test wants it, which a signal does not: at a bad row, under --strict. That is
 * put right (stops_pass) before the command goes on.
 */
#ifndef WINDOW_TRIAL_H
#define WINDOW_TRIAL_H

#include "cli/window_options.h"
#include "cli/window_run.h"

#include "test.h"

#include <dirent.h>
#include <fcntl.h>
#include <getopt.h>
#include <unistd.h>

#define ROWS_MAX 80
#define FILES_MAX 4
#define WORDS_MAX 48
#define WORD_BYTES 128
#define BOUND_MS 40 /* rows permuted, or merged, are less out of order than this */

enum kind { TUMBLING, HOPPING, SAMPLING, MANY_SLICES, SESSIONS, KIND_COUNT };

struct row {
    int64_t time_ms;
    char a[4], b[4], x[16], y[4];
    int file;
    long stop_at; /* where its time lies in the file; 0: no stop */
    bool is_stop;
};

/* Events, and all words of the command line but the files. */
struct trial {
    char words[WORDS_MAX][WORD_BYTES];
    int word_count;
    enum tn_format format;
    int file_count;
    bool merge;
    struct row rows[ROWS_MAX];
    int row_count;
};

struct outputs {
    int exit_code;
    char *rows, *late;
};

static inline int64_t random_below(uint64_t *random, int64_t limit)
{
    return (int64_t)(test_random(random) % (uint64_t)limit);
}

__attribute__((format(printf, 2, 3))) static inline void word_add(struct trial *t,
                                                                  const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(t->words[t->word_count++], WORD_BYTES, format, arguments);
    va_end(arguments);
}

static inline void duration_add(struct trial *t, const char *option, int64_t ms)
{
    word_add(t, "--%s=%s%" PRId64 "ms", option, ms < 0 ? "-" : "", ms < 0 ? -ms : ms);
}

/* ---- files ----------------------------------------------------------------------------------- */

static const char *file_name(const struct trial *t, int file)
{
    static const char *const suffixes[] = {
        [TN_FORMAT_CSV] = "csv", [TN_FORMAT_TSV] = "tsv", [TN_FORMAT_NDJSON] = "ndjson"
    };
    static char names[FILES_MAX][16];

    snprintf(names[file], sizeof names[file], "in%d.%s", file, suffixes[t->format]);
    return names[file];
}

/* A field with what comes before it. */
static inline void field_print(FILE *to, const struct trial *t, const char *name, const char *text)
{
    if (t->format == TN_FORMAT_NDJSON)
        fprintf(to, ",\"%s\":\"%s\"", name, text);
    else
        fprintf(to, "%c%s", t->format == TN_FORMAT_CSV ? ',' : '\t', text);
}

static inline void row_print(FILE *to, const struct trial *t, struct row *row)
{
    char time[32];

    snprintf(time, sizeof time, "%" PRId64, row->time_ms);
    if (row->is_stop)
        memset(time, '?', strlen(time));
    if (t->format == TN_FORMAT_NDJSON)
        fputs("{\"t\":", to);
    row->stop_at = ftell(to);
    fputs(time, to);
    field_print(to, t, "a", row->a);
    field_print(to, t, "b", row->b);
    field_print(to, t, "x", row->x);
    field_print(to, t, "y", row->y);
    fputs(t->format == TN_FORMAT_NDJSON ? "}\n" : "\n", to);
}

static inline void files_write(struct trial *t)
{
    for (int file = 0; file < t->file_count; file++) {
        FILE *to = fopen(file_name(t, file), "w");

        if (t->format == TN_FORMAT_CSV)
            fputs("t,a,b,x,y\n", to);
        if (t->format == TN_FORMAT_TSV)
            fputs("t\ta\tb\tx\ty\n", to);
        for (int i = 0; i < t->row_count; i++)
            if (t->rows[i].file == file)
                row_print(to, t, &t->rows[i]);
        fclose(to);
    }
}

/* Put right the first stop of each file: one of them has been met, the others lie ahead. */
static inline void stops_pass(struct trial *t)
{
    bool passed[FILES_MAX] = { false };

    for (int i = 0; i < t->row_count; i++) {
        struct row *row = &t->rows[i];
        FILE *to;

        if (!row->is_stop || passed[row->file])
            continue;
        to = fopen(file_name(t, row->file), "r+");
        fseek(to, row->stop_at, SEEK_SET);
        fprintf(to, "%" PRId64, row->time_ms);
        fclose(to);
        row->is_stop = false;
        passed[row->file] = true;
    }
}

/* What a file holds, "" where there is none; and then there is none. */
static inline char *file_take(const char *name)
{
    FILE *file = fopen(name, "r");
    size_t bytes = 0;
    char *text;

    if (file != NULL && fseek(file, 0, SEEK_END) == 0)
        bytes = (size_t)ftell(file);
    text = calloc(1, bytes + 1);
    if (file != NULL) {
        rewind(file);
        check_eq(fread(text, 1, bytes, file), bytes);
        fclose(file);
    }
    unlink(name);
    return text;
}

static inline void state_remove(void)
{
    DIR *state = opendir("state");
    struct dirent *entry;

    while (state != NULL && (entry = readdir(state)) != NULL)
        if (entry->d_name[0] != '.')
            unlinkat(dirfd(state), entry->d_name, 0);
    if (state != NULL)
        closedir(state);
    rmdir("state");
}

/* ---- runs ------------------------------------------------------------------------------------ */

/* getopt_long keeps its place from one command line to the next: end it. */
static inline void getopt_forget(void)
{
    char name[] = "x", *none[] = { name, NULL };
    const struct option end = { 0 };

    optind = 0;
    (void)getopt_long(1, none, "", &end, NULL);
}

/* One run of the command. commit_rows 0: without --state. Answers its exit code. */
static inline int command_run(struct trial *t, size_t block_bytes, int commit_rows)
{
    char *argv[WORDS_MAX + FILES_MAX + 2];
    char commit[WORD_BYTES], state[] = "--state=state", name[] = "window";
    struct tn_window_command command;
    int argc = 0, exit_code;

    argv[argc++] = name;
    for (int i = 0; i < t->word_count; i++)
        argv[argc++] = t->words[i];
    if (commit_rows > 0) {
        snprintf(commit, sizeof commit, "--commit-every=%d", commit_rows);
        argv[argc++] = state;
        argv[argc++] = commit;
    }
    for (int file = 0; file < t->file_count; file++)
        argv[argc++] = (char *)(uintptr_t)file_name(t, file);
    argv[argc] = NULL;
    getopt_forget();
    if (!tn_window_command_parse(&command, argc, argv, &exit_code))
        return -1;
    command.block_bytes = block_bytes;
    exit_code = tn_window_run(&command);
    tn_window_command_release(&command);
    return exit_code;
}

static inline struct outputs outputs_of(struct trial *t, size_t block_bytes, int commit_rows)
{
    struct outputs out = { .exit_code = command_run(t, block_bytes, commit_rows) };

    out.rows = file_take("out");
    out.late = file_take("late");
    state_remove();
    return out;
}

/* ---- random trials --------------------------------------------------------------------------- */

static inline void windows_choose(struct trial *t, enum kind kind, int64_t length, uint64_t *random)
{
    int64_t slide = length;

    if (kind == SESSIONS) {
        duration_add(t, "session", length);
        return;
    }
    if (kind == HOPPING)
        slide = 1 + length / (1 + random_below(random, 15));
    if (kind == SAMPLING)
        slide = length + 1 + random_below(random, length);
    if (kind == MANY_SLICES) {
        slide = 1 + random_below(random, 4);
        length = slide * (17 + random_below(random, 90)) + random_below(random, 4);
    }
    duration_add(t, "every", length);
    if (kind != TUMBLING)
        duration_add(t, "slide", slide);
    duration_add(t, "offset", random_below(random, 2 * slide - 1) - (slide - 1));
}

/* `ordered`: only what does not depend on the order of rows. */
static inline void options_choose(struct trial *t, int64_t length, bool ordered, uint64_t *random)
{
    static const char *const keys[] = { "", "--by=a", "--by=a,b" };
    static const char *const formats[] = { "-ocsv", "-otsv", "-ondjson" };
    int64_t late = ordered ? BOUND_MS : random_below(random, 3) * (length + 5);
    const char *by = keys[random_below(random, 3)];

    word_add(t, "--time=t");
    word_add(t, "--time-format=ms");
    word_add(t, "--times=ms");
    word_add(t, "--out=out");
    word_add(t, "--late-to=late");
    word_add(t, "%s", formats[random_below(random, 3)]);
    if (*by != '\0')
        word_add(t, "%s", by);
    word_add(t, "--agg=n=count,count(x),sum(x),min(x),max(x),avg(x)%s",
             random_below(random, 2) == 0 ? "" : ",first(y),last(y)");
    duration_add(t, "late", late);
    duration_add(t, "grace", random_below(random, 3) * (length / 2 + 3));
    if (ordered)
        return;
    if (random_below(random, 4) == 0)
        duration_add(t, "max-ahead", late + 1 + random_below(random, 3 * length));
    switch (random_below(random, 3)) {
    case 1:
        word_add(t, "--emit=changes");
        break;
    case 2:
        word_add(t, "--emit=every=%" PRId64 "ms", 1 + random_below(random, 3 * length));
        break;
    }
}

static inline void row_choose(struct row *row, uint64_t *random)
{
    static const char *const texts[] = { "", "a", "b", "A", "aa", "1" };

    snprintf(row->a, sizeof row->a, "%s", texts[random_below(random, 6)]);
    snprintf(row->b, sizeof row->b, "%s", texts[random_below(random, 6)]);
    snprintf(row->y, sizeof row->y, "%s", texts[random_below(random, 6)]);
    row->x[0] = '\0';
    if (random_below(random, 8) != 0)
        snprintf(row->x, sizeof row->x, "%d.%02d", (int)random_below(random, 1000) - 500,
                 (int)random_below(random, 100));
}

/* The file of a row: in sequence one after another, else any. */
static inline void files_choose(struct trial *t, uint64_t *random)
{
    t->file_count = 1 + (int)random_below(random, FILES_MAX);
    t->merge = random_below(random, 2) == 0;
    if (t->merge)
        word_add(t, "--merge");
    for (int i = 0; i < t->row_count; i++)
        t->rows[i].file =
            t->merge ? (int)random_below(random, t->file_count) : i * t->file_count / t->row_count;
}

static inline void trial_choose(struct trial *t, enum kind kind, bool ordered, uint64_t *random)
{
    static const int64_t lengths[] = { 1, 7, 10, 64, 1000 };
    int64_t length = lengths[random_below(random, 5)], now = random_below(random, 4000) - 2000;

    *t = (struct trial){ .format = TN_FORMAT_CSV + (int)random_below(random, 3),
                         .file_count = 1,
                         .row_count = 20 + (int)random_below(random, ROWS_MAX - 20) };
    windows_choose(t, kind, length, random);
    options_choose(t, length, ordered, random);
    for (int i = 0; i < t->row_count; i++) {
        struct row *row = &t->rows[i];

        row_choose(row, random);
        row->time_ms = ordered ? now + 3 * i : now - random_below(random, 3 * length);
        if (!ordered)
            now += random_below(random, 16) == 0 ? length : random_below(random, 3);
    }
    if (!ordered)
        files_choose(t, random);
}

#endif
