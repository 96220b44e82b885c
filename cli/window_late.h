/*
 * window_late.h - the file of --late-to: late rows as they came, header first
 *
 *     a.csv     t,k,x          late.csv     t,k,x
 *               17,a,3    taken             12,b,4
 *               12,b,4    late
 *
 * Rows are written byte by byte as they were read, each ended by LF, so that the file can be read
 * as the inputs were.
 *
 * Rules
 *   L1  One header, of the first input that has one; ndjson has none. A late row of an input with
 *       another header is refused: it would stand under wrong names.
 *   L2  The file is created, or cut, when the output is (W1), and has its header at once.
 *   L3  With --state it is gone on with where it was committed (output.h, P4).
 */
#ifndef TN_WINDOW_LATE_H
#define TN_WINDOW_LATE_H

#include "output.h"

#include <tarn.h>

struct tn_late {
    struct tn_output output;
    bool is_open;
    char *header; /* as written; NULL: not yet */
    size_t header_bytes;
};

/* False: it cannot be written, and errno says why. `path` outlives it. */
bool tn_late_open(struct tn_late *late, const char *path);

/*
 * Go on with it behind its first `bytes` bytes, of which `header` is the first line (0 bytes: it
 * has none yet). False: it cannot be, and that has been said; *exit_code is what to leave with.
 */
bool tn_late_resume(struct tn_late *late, const char *path, uint64_t bytes, tarn_bytes header,
                    int *exit_code);

/* Write the header, unless it has been. False: L1, or the output has failed, or no memory. */
bool tn_late_header(struct tn_late *late, tarn_bytes header);

/* Write a row. False: the output has failed. */
bool tn_late_row(struct tn_late *late, tarn_bytes raw);

/* Is this the header that was written? Inputs without one agree with all. */
bool tn_late_has_header(const struct tn_late *late, tarn_bytes header);

bool tn_late_flush(struct tn_late *late);

/* As tn_output_close; TN_EXIT_DONE when it is not open. */
int tn_late_close(struct tn_late *late, const char *verb);

#endif
