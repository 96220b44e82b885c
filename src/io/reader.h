/*
 * reader.h - rows out of files: csv, tsv, ndjson; plain or .gz; stdin
 *
 * The caller names the fields it wants; the reader finds them, by header name (csv, tsv) or by key
 * (ndjson), and hands them out row by row as slices of its own buffers. Only wanted fields are
 * looked at, and only they can make a row bad.
 *
 *     bytes   input.h     file or stdin, decompressed when gzip
 *     text    text.h      a window over it that holds the row being read
 *     rows    delimited.h (csv.c, tsv.c), ndjson.h (json.cpp)
 *     fields  reader.h
 *
 * Rules
 *   R1  The answers are the same whatever the size of a block, and whether input comes packed.
 *   R2  A bad row costs itself, not its neighbours; a row longer than row_bytes_max is bad.
 *   R3  Memory does not depend on the length of the input, only on that of its longest row.
 *   R4  What has no lines has no rows; that is no mistake, also where a header is expected.
 *   R5  Names ending in .csv, .tsv, .tab, .ndjson, .jsonl, .json (any case, .gz behind) tell the
 *       format; standard input and other names need one.
 *   R6  A file that is followed has no end: a line without its line end is not yet a row, and what
 *       was read so far of it is kept. WAITS says that there is no whole row now.
 *   R7  A reader knows its place behind each row, and one opened there gives the rows that come
 *       next, as if all had been read: lines are counted on, a bad row half skipped stays skipped.
 */
#ifndef TN_READER_H
#define TN_READER_H

#include "base/memory.h"

#include <tarn.h>

#include <signal.h>

struct tn_reader;

/* Where a reader stands, between two rows (R7). All that a later run needs to go on. */
struct tn_place {
    uint64_t device; /* of the file, and 0 where there is none: what it was called may change */
    uint64_t inode;
    uint64_t bytes;      /* of uncompressed input before it; 0: not even the header was read */
    uint64_t checksum;   /* of these bytes (base/checksum.h, seed 0); 0 where none is kept */
    uint64_t line;       /* of the next row */
    uint64_t replay_end; /* csv: up to here quotes must close on their line (D6) */
    bool skipping;       /* up to the next line end it belongs to a bad row */
};

enum tn_format { TN_FORMAT_AUTO, TN_FORMAT_CSV, TN_FORMAT_TSV, TN_FORMAT_NDJSON };

struct tn_reader_options {
    enum tn_format format;     /* AUTO: from the file's name, '.gz' taken off first */
    const char *const *fields; /* names wanted; may repeat; outlive the reader */
    size_t field_count;
    size_t row_bytes_max; /* a longer row is bad and skipped; 0: 16 MiB */

    bool follow;                  /* R6 */
    bool no_wait;                 /* of a pipe, too: WAITS rather than to wait for a row */
    const struct tn_place *place; /* R7; NULL: from the beginning. Not kept */
    bool checksum; /* keep one of all bytes before the place; one given must have the same */

    /* NULL, or what a signal handler sets to end a read that waits: it answers STOPPED. */
    const volatile sig_atomic_t *stop;

    struct tn_memory
        *memory;        /* where buffers come from; outlives the reader; NULL: the C library */
    size_t block_bytes; /* most that one read(2) asks for; 0: 256 KiB; small ones are for tests */
};

/* One row; everything borrowed until the next call on the reader. */
struct tn_row {
    const tarn_bytes *fields; /* field_count; missing, null and empty ones have 0 bytes */
    tarn_bytes raw;           /* the row as it came, without its line end */
    uint64_t line;            /* of its first byte, counted from 1, header included */
};

enum tn_reader_answer {
    TN_READER_ROW = 0,
    TN_READER_END = 1,
    TN_READER_BAD = 2,     /* this row cannot be read: reason says why; the next call goes on */
    TN_READER_REFUSED = 3, /* this input cannot be read at all: no such file, a column is absent */
    TN_READER_FAILED = 4,  /* the system failed: reason names the errno; also a damaged .gz */
    TN_READER_STOPPED = 5, /* *options.stop is set; rows given before it were whole */
    TN_READER_WAITS = 6,   /* follow, no_wait: nothing more yet, ask again later */
};

/*
 * Open `path` ("-": stdin) and read its header; that waits for the first bytes (but not of what is
 * followed, or with no_wait: then next reads the header when it is there). Answers TN_READER_ROW
 * when open, else REFUSED, FAILED or STOPPED with a message in `reason` (what, where, what to do;
 * NUL-terminated, cut to fit) and *out NULL. With a place, all before it is read again; a file that
 * does not reach so far, or holds other bytes there, is REFUSED.
 */
int tn_reader_open(struct tn_reader **out, const char *path,
                   const struct tn_reader_options *options, char *reason, size_t reason_bytes);

/* The next row. After BAD row->line and row->raw are set (raw may be cut); fields are not. */
int tn_reader_next(struct tn_reader *reader, struct tn_row *row);

/*
 * Why the last answer was BAD, REFUSED, FAILED or STOPPED: of a row without its place, else with
 * the name of the input in front. Borrowed until the next call.
 */
const char *tn_reader_reason(const struct tn_reader *reader);

/* The header line as it came (csv, tsv), without its line end; 0 bytes for ndjson. Borrowed. */
tarn_bytes tn_reader_header(const struct tn_reader *reader);

/* Bytes of uncompressed input taken so far: the place behind the last row. */
uint64_t tn_reader_bytes(const struct tn_reader *reader);

/* After WAITS: sleep until there may be more, at most `most_ms`, or until *options.stop is set. */
void tn_reader_wait(const struct tn_reader *reader, int most_ms);

/* Bytes as they lie in the file: read so far, and all; the latter 0 when it is no file. */
void tn_reader_progress(const struct tn_reader *reader, uint64_t *read_bytes, uint64_t *file_bytes);

/* The place behind the last row (R7). */
void tn_reader_place(struct tn_reader *reader, struct tn_place *out);

void tn_reader_close(struct tn_reader *reader);

#endif
