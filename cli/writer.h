/*
 * writer.h - rows of text to an output: csv, tsv, ndjson, pretty
 *
 *     columns   window_start  channel        rows  added
 *     row       2015-09-12..  #en.wikipedia  514   53071      -> one line (pretty: sooner or later)
 *
 * Rules
 *   R1  csv is RFC 4180 with LF: fields with comma, quote, CR or LF are quoted, quotes doubled.
 *   R2  tsv escapes TAB, LF, CR and backslash: \t \n \r \\.
 *   R3  ndjson: null for data NULL; columns marked `number` unquoted, as they are; all others
 *       strings. A byte that is not part of valid UTF-8 is written as the character of that number,
 *       \u0080 to \u00ff (what it is if the text was Latin-1): JSON has no other bytes. csv and tsv
 *       write every byte as it is.
 *   R4  pretty: columns two blanks apart, numbers to the right, no blanks at the end of a line.
 *       Rows are held back, up to 1,000 or 256 KiB or tn_writer_flush, so that widths can be known;
 *       widths only grow, so a later batch may stand further apart. A character counts as one cell.
 *       Control characters and broken UTF-8 are shown as \xNN.
 *   R5  csv, tsv and pretty begin with a header line, also when no row follows. It is written with
 *       the first row, or at finish; so what fails before has written nothing.
 */
#ifndef TN_WRITER_H
#define TN_WRITER_H

#include "output.h"

#include <tarn.h>

enum tn_writer_format { TN_WRITER_CSV, TN_WRITER_TSV, TN_WRITER_NDJSON, TN_WRITER_PRETTY };

struct tn_column {
    const char *name; /* outlives the writer */
    bool number;      /* digits, sign, point: written as it is */
};

struct tn_writer;

/* `output` and `columns` outlive the writer. NULL: no memory. */
struct tn_writer *tn_writer_new(struct tn_output *output, enum tn_writer_format format,
                                const struct tn_column *columns, size_t column_count);

/* The output has been written to before: with its header, or not yet. */
void tn_writer_resume(struct tn_writer *writer, bool has_header);
bool tn_writer_has_header(const struct tn_writer *writer);

/* One row; data NULL is null. False: the output has failed (rule P2); no memory counts as that. */
bool tn_writer_row(struct tn_writer *writer, const tarn_bytes *values);

/* Hand every row to the system now. False as above. */
bool tn_writer_flush(struct tn_writer *writer);

/* End of the rows: a header if there was none; flush. False as above. */
bool tn_writer_finish(struct tn_writer *writer);

/* Rows held back are dropped. NULL is allowed. */
void tn_writer_free(struct tn_writer *writer);

#endif
