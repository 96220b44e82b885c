/*
 * output.h - lines to a file descriptor, every failure noticed
 *
 *     add add add end_line | add end_line | ...        buffer, 64 KiB
 *                                         ^ written from here on, always whole lines
 *
 * Rules
 *   P1  What reaches the descriptor is whole lines: a write begins and ends behind a line's end.
 *       One that fails half-way, since the disk is full, is taken out of the file again.
 *   P2  The first failure sticks; after it nothing more is written, and tn_output_close reports it.
 *   P3  EINTR and EAGAIN are not failures. EPIPE is exit 141 without a word.
 *   P4  A file that is gone on with is cut to the length up to which it is known: tn_output_sync
 *       told it then, and what it told survives a power loss, the file's name included.
 */
#ifndef TN_OUTPUT_H
#define TN_OUTPUT_H

#include "base/base.h"

struct tn_output {
    int file;
    const char *name; /* for messages */
    char *bytes;
    size_t used_bytes;
    size_t size_bytes;
    int error;           /* errno of the first failure; 0: none so far */
    bool name_is_synced; /* P4 */
};

/* Standard output. */
void tn_output_init(struct tn_output *output);

/* A file instead: created, or cut to nothing. False: errno says why. `path` outlives the output. */
bool tn_output_open(struct tn_output *output, const char *path);

/*
 * Say why tn_output_open answered false, from errno, and what to do; answers what to leave with. A
 * pipe waits for its reader when it is opened, and a signal ends that.
 */
int tn_output_open_refuse(const char *verb, const char *path, const char *advice);

/*
 * The same file again, gone on with behind its first `bytes` bytes; what is behind them is cut off.
 * False: errno says why, and is 0 when the file is shorter, and stays as it is.
 */
bool tn_output_resume(struct tn_output *output, const char *path, uint64_t bytes);

/* Say why tn_output_resume answered false, from errno; answers what to leave with. */
int tn_output_refuse(const char *verb, const char *path, uint64_t bytes);

/*
 * Flush, and wait until the device has it all; *bytes is the file's length then. Only of regular
 * files. False: failed (P2).
 */
bool tn_output_sync(struct tn_output *output, uint64_t *bytes);

void tn_output_add(struct tn_output *output, const void *bytes, size_t byte_count);
void tn_output_byte(struct tn_output *output, char byte);
void tn_output_format(struct tn_output *output, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Everything added up to here is whole lines; may write. False: failed (P2). */
bool tn_output_end_line(struct tn_output *output);

/* Write all whole lines now. Only allowed behind tn_output_end_line. False: failed (P2). */
bool tn_output_flush(struct tn_output *output);

/*
 * Flush, close, and say what went wrong if anything did. Answers TN_EXIT_DONE, TN_EXIT_FAILED or
 * TN_EXIT_PIPE. `verb` as for tn_message.
 */
int tn_output_close(struct tn_output *output, const char *verb);

#endif
