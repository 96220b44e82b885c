/*
 * delimited.h - what csv and tsv have in common: a header, rows of fields, wanted columns
 *
 *     specials.h  places of the bytes that matter in the next stretch of text
 *         |
 *     csv.c tsv.c one walk over these places: fields and the row's end, or that it is broken
 *         |
 *     delimited.c rows: header, limits, blank lines, resuming behind a bad row
 *
 * Rules
 *   D1  The first line that is not blank is the header; no line at all is a table without rows.
 *   D2  A wanted column must be in the header exactly once. Names are compared byte by byte.
 *   D3  Lines without bytes are skipped. Fields missing at a row's end are empty; fields beyond the
 *       header are ignored (only wanted fields can make a row bad).
 *   D4  A line ends with LF or CRLF; the last one may end with the input.
 *   D5  A walk can stop at any byte and go on: positions are kept relative to the row, no byte is
 *       looked at again because a block ended there.
 *   D6  Behind a row that is broken or too long, reading goes on with the next line of the file,
 *       even if the broken row had run on over it. Up to where it broke, each line is then a row of
 *       its own: a quote must close on its line. So a stray quote costs one row, and no input makes
 *       us look at a byte more than a fixed number of times.
 */
#ifndef TN_DELIMITED_H
#define TN_DELIMITED_H

#include "io/reader.h"
#include "io/specials.h"
#include "io/row_buffer.h"

enum tn_walk_end {
    TN_WALK_MORE,   /* all places known so far are used up */
    TN_WALK_ROW,    /* a row is complete; it ends at walk.end */
    TN_WALK_BROKEN, /* its quoting is; noticed at walk.end */
};

enum tn_walk_state { TN_WALK_PLAIN, TN_WALK_QUOTED, TN_WALK_AFTER_QUOTE };

/* Where a walk over one row stands; positions count from the row's first byte (D5). */
struct tn_walk {
    enum tn_walk_state state;
    size_t field;  /* where the current field begins */
    size_t column; /* its number, from 0 */
    size_t slice;  /* slices found so far */
    size_t quote;  /* AFTER_QUOTE: where that quote is */
    size_t end;
    size_t line_feeds;  /* inside quotes */
    size_t bare_column; /* a wanted column with a quote inside, from 1; 0: none */
    bool bare;          /* such a quote in the current field */
    bool doubled;       /* two quotes for one in the current field */
    bool unquotes;      /* ... in a slice found so far */
};

struct tn_slice {
    size_t at; /* from the row's first byte */
    size_t bytes;
    bool doubled; /* two quotes stand for one */
};

struct tn_delimited;

struct tn_delimited_format {
    char specials[3];
    enum tn_walk_end (*walk)(struct tn_delimited *table);
    enum tn_walk_end (*finish)(struct tn_delimited *table, size_t end); /* the input ends there */
    /* Take the next name off a header line; false: no more. `to` has room for all of it. */
    bool (*name)(const char *header, size_t bytes, size_t *at, char *to, size_t *out_bytes);
    /* The bytes of a slice in their final form, written to `to`; answers how many. */
    size_t (*unquote)(const char *from, size_t bytes, char *to);
};

extern const struct tn_delimited_format tn_csv;
extern const struct tn_delimited_format tn_tsv;

struct tn_delimited {
    const struct tn_delimited_format *format;
    struct tn_row_buffer *buffer;
    struct tn_reason *reason;
    struct tn_memory *memory;

    tn_specials_fn *find;
    uint32_t *places; /* from base on; those before place_next are used up */
    size_t place_count;
    size_t place_next;
    size_t base;    /* position in the text */
    size_t scanned; /* position up to which places are known */

    struct tn_walk walk;
    bool walk_waits;     /* for more of its row: it goes on where it is */
    uint64_t replay_end; /* place in the input up to which quotes must close on their line (D6) */

    size_t *columns; /* wanted, ascending, and SIZE_MAX at the end */
    struct tn_slice *slices;
    size_t *slice_of_field;
    size_t slice_count;
    tarn_bytes *values;       /* of the slices, in their final form */
    tarn_bytes *fields;       /* the same, in the order the caller wants */
    const char *const *names; /* of the fields */
    size_t field_count;

    char *scratch; /* unquoted fields of the row at hand */
    size_t scratch_bytes;
    char *header;
    size_t header_bytes;
};

/* TN_READER_ROW or FAILED; on either release gives everything back. `fields` outlive the table. */
int tn_delimited_init(struct tn_delimited *table, const struct tn_delimited_format *format,
                      struct tn_row_buffer *buffer, const char *const *fields, size_t field_count,
                      struct tn_reason *reason);

/* Reads the header, before the first row. Answers as tn_reader_next; after WAITS, ask again. */
int tn_delimited_begin(struct tn_delimited *table);

/* buffer->row was put somewhere else, or the text behind it is another. */
void tn_delimited_moved(struct tn_delimited *table);

/* As tn_reader_next. */
int tn_delimited_next(struct tn_delimited *table, struct tn_row *row);

void tn_delimited_release(struct tn_delimited *table);

/* ---- for walks ------------------------------------------------------------------------------- */

/* The current field ends: keep it if wanted. [from, to) are its bytes. */
static inline void tn_walk_keep(const struct tn_delimited *table, struct tn_walk *walk, size_t from,
                                size_t to)
{
    if (TN_LIKELY(walk->column != table->columns[walk->slice]))
        return;
    table->slices[walk->slice] = (struct tn_slice){ from, to - from, walk->doubled };
    walk->slice++;
    walk->unquotes |= walk->doubled;
    if (walk->bare && walk->bare_column == 0)
        walk->bare_column = walk->column + 1;
}

/*
 * From place `i` on, end fields for as long as there are separators and nothing else. Answers the
 * place that is another byte's, or place_count. Most of a table goes through here: all that changes
 * is held in registers.
 */
TN_ALWAYS_INLINE size_t tn_walk_fields(const struct tn_delimited *table, struct tn_walk *walk,
                                       const char *row, size_t shift, size_t i, char separator)
{
    size_t field = walk->field, column = walk->column, slice = walk->slice;
    size_t wanted = table->columns[slice], count = table->place_count;
    const uint32_t *places = table->places;

    for (; i < count; i++) {
        size_t at = places[i] + shift;

        if (row[at] != separator)
            break;
        if (column == wanted) {
            table->slices[slice++] = (struct tn_slice){ field, at - field, false };
            wanted = table->columns[slice];
        }
        field = at + 1;
        column++;
    }
    walk->field = field;
    walk->column = column;
    walk->slice = slice;
    return i;
}

/* `end` without the CR in front of it, if it belongs to the field that begins at `from` (D4). */
static inline size_t tn_walk_line_end(const char *row, size_t from, size_t end)
{
    return end > from && row[end - 1] == '\r' ? end - 1 : end;
}

#endif
