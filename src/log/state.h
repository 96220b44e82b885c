/*
 * state.h - what a log knows while it is open
 *
 *     struct tn_log
 *       files       every file of ours in the directory, oldest first; the last own one grows
 *       sections    where each section from first needed on begins its sweep, and where it is
 *       last        what the newest commit says
 *       writing     the section being written, its buffer, its checksums
 *
 * Opening scans (scan.h), chooses a chain (chain.h), and leaves the above; replay (replay.c) reads
 * the chain; start makes it durable; from then on writer.c appends.
 *
 * Rules
 *   S1  sections are those of the accepted chain, number after number; each is in a file of
 *       `files`.
 *   S2  A file's last_section is the highest number of the sections that count and are in it; 0:
 *       none.
 *   S3  Own files are those this open made: no other is ever written to (L3).
 *   S4  Once failed nothing is written (L5).
 */
#ifndef TN_LOG_STATE_H
#define TN_LOG_STATE_H

#include "log/format.h"

#define TN_LOG_BUFFER_BYTES ((size_t)(16 * TN_LOG_BLOCK_BYTES))
#define TN_LOG_FILE_BYTES_MIN ((uint64_t)(4 * TN_MIB))
#define TN_LOG_OWN_OPEN_MAX 32u /* own files not synced yet; each holds a descriptor */

struct tn_log_file {
    uint64_t number;
    uint64_t bytes;
    uint64_t used_bytes;   /* scanned: without the room at its end (P6 of scan.h) */
    uint64_t last_section; /* S2 */
    int id;                /* of os, or -1 */
    bool own;              /* S3 */
    bool synced;           /* of own files: all that was written */
    bool header_holds;
};

struct tn_log_files {
    struct tn_log_file *items; /* by number */
    size_t count, capacity;
    uint64_t number_next;      /* above all ever seen */
    uint64_t other_name_count; /* names that are not ours */
    bool names_are_new;        /* of own files: the directory is not synced since */
};

struct tn_log_section {
    struct tn_log_cursor before; /* all ones when of another hash version: nowhere */
    uint64_t file;
    uint64_t footer_offset;
};

/* A queue: sections come at the end and are forgotten at the front. */
struct tn_log_sections {
    struct tn_log_section *items;
    size_t head, count, capacity;
    uint64_t first_number; /* of items[head] */
};

struct tn_log_writing {
    bool open;
    bool broken;       /* a call failed: only to be abandoned */
    bool user_entries; /* the part has entries of other tables than the catalog */
    enum tn_log_part part;
    uint64_t offset; /* in the file: where the section begins */
    uint64_t bytes;  /* of the section, those in the buffer included */
    size_t buffered_bytes;
    uint64_t summed_bytes; /* of the section: under block checksums already */
    struct tn_log_footer footer;
    uint64_t *table; /* little-endian */
    size_t table_count, table_capacity;
};

struct tn_log {
    struct tn_os os;
    struct tn_memory *memory;
    struct tn_log_options options;
    int directory;
    bool started;
    bool failed;   /* S4 */
    bool no_store; /* for the report */

    uint8_t store_id[TN_LOG_STORE_ID_BYTES];
    uint8_t secret[TN_LOG_SECRET_BYTES];
    bool is_new; /* no header of it exists yet */
    uint64_t incarnation;
    uint64_t incarnation_seen; /* the highest, of headers, footers and marks */

    struct tn_log_files files;
    struct tn_log_sections sections;
    struct tn_log_commit last;
    uint64_t last_identity;
    bool cursor_holds;
    uint8_t *note; /* of last */
    size_t note_capacity;
    uint64_t first_needed;  /* of the newest footer */
    uint64_t synced_number; /* everything up to it is durable */
    bool marked;            /* a mark says that last was closed cleanly */
    uint64_t late_through;  /* sections up to it are verified by replay; 0: none */

    bool has_current;        /* the last file is own, and written to */
    uint64_t current_offset; /* in it: where the next section begins */
    uint64_t synced_offset;  /* where it began after the last sync */
    uint64_t room_end;       /* of the zeros made ahead: room.h; 0: none */
    uint64_t file_bytes_max; /* how large it is to become */
    struct tn_log_writing writing;

    uint8_t *buffer; /* TN_LOG_BUFFER_BYTES, and a block behind it */
    uint64_t *table; /* of the section being read */
    size_t table_capacity;

    uint64_t written_bytes;
    uint64_t sync_count;
    char text[384];
};

/* A log with its window, of no directory yet; tn_log_close ends it. NULL: no memory. */
struct tn_log *tn_log_new(const struct tn_os *os, struct tn_memory *memory,
                          const struct tn_log_options *options);

/* What failed, where and why, for the report; answers `result`. error 0: none; file 0: the directory. */
int tn_log_say(struct tn_log *log, int result, uint64_t file, uint64_t offset, const char *what,
               int error);

/* Room for `more` items; false: no memory. */
bool tn_log_grow(struct tn_memory *memory, void **items, size_t count, size_t *capacity,
                 size_t more, size_t item_bytes);

/* Sections (S1). */
bool tn_log_sections_reserve(struct tn_log *log, size_t more);
void tn_log_sections_add(struct tn_log *log, const struct tn_log_section *section);
struct tn_log_section *tn_log_sections_at(struct tn_log *log, uint64_t number);
void tn_log_sections_forget(struct tn_log *log, uint64_t below);
/* The newest section from which one revolution of the sweep leads to `after`; else the oldest. */
uint64_t tn_log_sections_needed(const struct tn_log *log, const struct tn_log_cursor *after);

#endif
