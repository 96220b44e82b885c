/*
 * window_sources.h - where the rows of `tarn window` come from: one FILE or several, as one stream
 *
 *     in sequence (default)    a b c          one after another, one open at a time
 *     --merge                  a              the source furthest behind gives the next row
 *                              b
 *                              c
 *
 * Rules
 *   F1  Which row is next depends on what the files hold, never on blocks, and on time only with
 *       --idle. Merged: from the source whose own watermark is the least (watermark.h, M5); while
 *       it waits for more, the others wait with it. They could not move the watermark anyway.
 *   F2  With --follow the FILEs do not end. In sequence only the last can be followed; those before
 *       it are read to their end.
 *   F3  With --idle a followed source that has given nothing for so long holds the others no more.
 *       It is asked again now and then, and counts again when it has caught up (M3).
 *   F4  The first source is open, or merged all are, before anything else is done (W1).
 *   F5  With --state sources go on where others stood: files are what they were, by device and
 *       inode, and by all bytes that were read of them; also those read to their end.
 */
#ifndef TN_WINDOW_SOURCES_H
#define TN_WINDOW_SOURCES_H

#include "window_options.h"

#include "stream/watermark.h"

#define TN_SOURCES_REASON_BYTES 1024
#define TN_SOURCES_MOVED 100 /* beside enum tn_reader_answer */

enum tn_source_phase { TN_SOURCE_UNREAD, TN_SOURCE_READING, TN_SOURCE_READ };

/* All that is to be known of a source to go on with it (F5). */
struct tn_source_place {
    enum tn_source_phase phase;
    struct tn_place place;
    struct tn_watermark_source watermark; /* merged only */
};

struct tn_source {
    const char *path;
    const char *name;         /* in messages */
    uint64_t file_bytes;      /* as it lies there when the run begins; 0: it is no file */
    struct tn_reader *reader; /* NULL: not open yet, or not any more */
    bool ended;
    struct tn_place place;   /* while it is not open: where that is to be, or where it ended */
    uint64_t waits_since_ns; /* 0: it does not wait */
};

struct tn_sources {
    const struct tn_window_command *command;
    struct tn_source *sources; /* command->file_count of them */
    size_t current;            /* gave the last row, or shall give the next */
    bool no_wait;              /* WAITS of pipes, too: set by whoever has other things to do */
    struct tn_watermarks watermarks; /* merged only */
    uint64_t closed_bytes;           /* uncompressed, of sources that have ended */
    uint64_t asked_ns;               /* when those that are idle were asked last (F3) */
    size_t asked;                    /* they are being asked: the next one; SIZE_MAX: not now */
    int nap_ms;                      /* how long the next sleep is */
    char reason[TN_SOURCES_REASON_BYTES];
};

/* False: no memory, and nothing is held. `command` and `memory` outlive the sources. */
bool tn_sources_init(struct tn_sources *out, const struct tn_window_command *command,
                     struct tn_memory *memory);

/* Where a source stands, behind the last row. */
void tn_sources_place(struct tn_sources *sources, size_t index, struct tn_source_place *out);

/* Before begin: all sources stand there, and together (merged) at this watermark (F5). */
void tn_sources_resume(struct tn_sources *sources, const struct tn_source_place *places,
                       int64_t watermark_ms);

/* Open what must be open first (F4). Answers as tn_reader_open; tn_sources_reason says why not. */
int tn_sources_begin(struct tn_sources *sources);

/*
 * The next row. Answers as tn_reader_next; END when all have ended; or TN_SOURCES_MOVED: a source
 * has ended or fallen idle, which moved the watermark of all, and the next row may be long in
 * coming.
 */
int tn_sources_next(struct tn_sources *sources, struct tn_row *row);

/* Merged: the row that came last has this time, late or not (M1). */
void tn_sources_advance(struct tn_sources *sources, int64_t time_ms);

/* After WAITS: sleep until there may be more, at most some tenths of a second. */
void tn_sources_wait(struct tn_sources *sources);

/* The source of the last answer, as messages name it. */
const char *tn_sources_name(const struct tn_sources *sources);

/* The header line of that source; 0 bytes where there is none. Borrowed until the next call. */
tarn_bytes tn_sources_header(const struct tn_sources *sources);

/* Why the last answer was none of ROW, END and WAITS. */
const char *tn_sources_reason(const struct tn_sources *sources);

/* Uncompressed bytes taken so far, of all. */
uint64_t tn_sources_bytes(const struct tn_sources *sources);

/* How much of the files is read, as they lie there. false: nobody can know where they end. */
bool tn_sources_progress(const struct tn_sources *sources, uint64_t *read_bytes,
                         uint64_t *file_bytes);

void tn_sources_release(struct tn_sources *sources);

#endif
