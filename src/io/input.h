/*
 * input.h - bytes from a file or standard input, decompressed when they are gzip
 *
 *     read(2) --> plain ------------------------------> caller's buffer
 *             \-> block --> inflate, member by member -> caller's buffer
 *
 * Rules
 *   I1  gzip is recognised by its first two bytes, 1f 8b, also on standard input; the name of the
 *       file does not matter.
 *   I2  Members of a gzip file follow each other without a seam; zero bytes behind the last one
 *       (padding) are ignored, anything else there is a failure.
 *   I3  Everything before the damage is delivered first, then the failure.
 *   I4  Memory is bounded: one block, and what zlib needs, whatever the input holds.
 *   I5  A read gives what there is: it waits only when there is nothing.
 *   I6  The end of a file that is followed is only the end so far: the answer is TN_READER_WAITS,
 *       and asking again later may give more. Nothing sleeps in here.
 *   I7  A followed file that became shorter than what was read of it, or whose name now means
 *       another file, is refused, behind all that it held. gzip and pipes cannot be followed.
 */
#ifndef TN_INPUT_H
#define TN_INPUT_H

#include "base/memory.h"
#include "io/reason.h"

#include <signal.h>

#define TN_INPUT_BLOCK_BYTES (256 * TN_KIB)

struct tn_input;

struct tn_input_options {
    struct tn_memory *memory;          /* outlives the input */
    size_t block_bytes;                /* 0: TN_INPUT_BLOCK_BYTES */
    const volatile sig_atomic_t *stop; /* NULL, or not 0 once reading shall stop */
    bool follow;                       /* I6; the path given to open outlives the input */
    bool no_wait;                      /* of a pipe too: WAITS rather than to wait for bytes (I5) */
};

/*
 * `path` "-" is standard input; reasons do not name it. Answers as tn_reader_open does; enum
 * tn_reader_answer.
 */
int tn_input_open(struct tn_input **out, const char *path, const struct tn_input_options *options,
                  struct tn_reason *reason);

/*
 * Up to `bytes` > 0 bytes. TN_READER_ROW: *out_bytes > 0 of them; TN_READER_END: there are no more;
 * TN_READER_WAITS: not now (I6); else TN_READER_REFUSED, TN_READER_FAILED or TN_READER_STOPPED. An
 * answer that is neither ROW nor WAITS is repeated when asked again.
 */
int tn_input_read(struct tn_input *input, void *to, size_t bytes, size_t *out_bytes);

/* Why the last read did not answer ROW or END. Lives as long as the input. */
const char *tn_input_reason(const struct tn_input *input);

/*
 * After WAITS: sleep until a pipe has bytes, and in any case no longer than `most_ms` (a file does
 * not tell), or until *stop is set.
 */
void tn_input_wait(const struct tn_input *input, int most_ms);

/* Bytes as they lie in the file: read so far, and all; the latter 0 when it is no file. */
void tn_input_progress(const struct tn_input *input, uint64_t *read_bytes, uint64_t *file_bytes);

/* What file it is; both 0 when it is none (a pipe, a terminal). */
void tn_input_identity(const struct tn_input *input, uint64_t *device, uint64_t *inode);

/* NULL is allowed. */
void tn_input_close(struct tn_input *input);

#endif
