/*
 * window_outputs.h - where rows of `tarn window` go: --out, or standard output, and --late-to
 *
 *     operator ---> row ---> times as text, keys, values, op ---> writer ---> output
 *     reader   ---> late row, as it came -----------------------------------> late
 *
 * Both are created when the first input could be opened (window_run.h, W1), or gone on with where a
 * state says (window_state.h, D1). What a function here calls an exit code is one, with all said,
 * or TN_WINDOW_GOES_ON.
 */
#ifndef TN_WINDOW_OUTPUTS_H
#define TN_WINDOW_OUTPUTS_H

#include "window_late.h"
#include "window_options.h"

struct tn_window_time {
    char text[TN_TIMESTAMP_BYTES_MAX];
    size_t bytes;
};

struct tn_window_outputs {
    const struct tn_window_command *command;
    struct tn_output output;
    struct tn_writer *writer; /* NULL until the output is open */
    struct tn_late late;
    bool is_open;
    bool unwritten;         /* there are rows that could be written */
    uint64_t written_count; /* rows given to the writer */
    tarn_bytes *values;     /* of the row made last */
    int64_t start_ms;       /* of the window printed last, and both as text */
    int64_t end_ms;
    struct tn_window_time start;
    struct tn_window_time end;
};

/* How far both were when a state was committed. */
struct tn_window_outputs_place {
    uint64_t output_bytes;
    uint64_t late_bytes;
    tarn_bytes late_header; /* 0 bytes: it has none yet */
    bool has_header;        /* the output has */
};

/* False: no memory. Close it all the same. `command` outlives it. */
bool tn_window_outputs_init(struct tn_window_outputs *outputs,
                            const struct tn_window_command *command);

/* Create them; `header` is that of the first input. Answers an exit code. */
int tn_window_outputs_open(struct tn_window_outputs *outputs, tarn_bytes header);

/* Go on with them from there. Answers an exit code. */
int tn_window_outputs_resume(struct tn_window_outputs *outputs,
                             const struct tn_window_outputs_place *place);

/* Write a row of a window. False: the output has failed, which closing it tells. */
bool tn_window_outputs_row(struct tn_window_outputs *outputs, const struct tn_window_row *row);

/* Write a late row, if somebody wants it. False: it has failed; or L1, which is asked first. */
bool tn_window_outputs_late(struct tn_window_outputs *outputs, tarn_bytes raw, tarn_bytes header);

/* Write whatever can be written. False: one has failed, which closing it tells. */
bool tn_window_outputs_flush(struct tn_window_outputs *outputs);

/* Write whole rows that were not yet, close, and say what went wrong. Answers TN_EXIT_...; once. */
int tn_window_outputs_close(struct tn_window_outputs *outputs);

#endif
