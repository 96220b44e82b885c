/*
 * row_buffer.h - a window that slides over the input and always holds the row being read whole
 *
 *     data   | given back | row being read ....  | room for the next block | padding |
 *            0            row                     end              capacity
 *
 * Rules
 *   X1  Bytes [row, end) are there; formats only ever move `row` forward, or back to a place it had
 *       since the last tn_row_buffer_more.
 *   X2  tn_row_buffer_more may move everything: positions change by what it answers, pointers end.
 *   X3  Memory is at most row_bytes_max + two blocks + padding, or the first size if that is more:
 *       a format stops asking for more once a row is longer than row_bytes_max.
 *   X4  TN_ROW_BUFFER_PADDING_BYTES behind `end` can be read (not used).
 */
#ifndef TN_ROW_BUFFER_H
#define TN_ROW_BUFFER_H

#include "base/checksum.h"
#include "io/input.h"

#define TN_ROW_BUFFER_PADDING_BYTES ((size_t)128)

struct tn_row_buffer {
    struct tn_input *input;
    struct tn_memory *memory;
    char *data;
    size_t capacity; /* padding not counted */
    size_t row;
    size_t end;
    size_t block_bytes;
    size_t row_bytes_max;
    uint64_t origin; /* place of data[0] in the input */
    uint64_t line;   /* of `row`, from 1 */
    bool skipping;   /* what is left of the line at `row` belongs to a row answered as bad */
    struct tn_checksum_stream *checksum; /* of the input up to `summed`; NULL: none is kept */
    size_t summed;                       /* <= row */
};

/* Takes the input over, also when it fails: then tn_row_buffer_release gives it back. */
int tn_row_buffer_init(struct tn_row_buffer *buffer, struct tn_input *input,
                       struct tn_memory *memory, size_t block_bytes, size_t row_bytes_max,
                       struct tn_reason *reason);

/*
 * Read more behind `end`. TN_READER_ROW: at least one byte came; TN_READER_END: there is nothing
 * more; else as tn_input_read (WAITS: not yet). The row now begins at buffer->row, wherever it was
 * before.
 */
int tn_row_buffer_more(struct tn_row_buffer *buffer, struct tn_reason *reason);

/* Take a byte order mark off the front; refuse UTF-16. */
int tn_row_buffer_begin(struct tn_row_buffer *buffer, struct tn_reason *reason);

/*
 * Leave a bad row: go on behind the first line end at or behind its start (which may still have to
 * come), one line on. Answers the bytes of that first line that are there.
 */
tarn_bytes tn_row_buffer_skip_line(struct tn_row_buffer *buffer);

/* The checksum of all input before the row; 0 when none is kept. */
uint64_t tn_row_buffer_checksum(struct tn_row_buffer *buffer);

/*
 * Go forward to this place of the input, at or behind the row. TN_READER_ROW: the row is there;
 * TN_READER_END, or WAITS: the input ends before it; else as tn_input_read.
 */
int tn_row_buffer_seek(struct tn_row_buffer *buffer, uint64_t place, struct tn_reason *reason);

/* Do what skip_line could not finish. TN_READER_ROW: done. */
int tn_row_buffer_finish_skip(struct tn_row_buffer *buffer, struct tn_reason *reason);

void tn_row_buffer_release(struct tn_row_buffer *buffer);

#endif
