/*
 * log.h - what commits wrote, in files of one directory
 *
 * Each commit appends one immutable *section* to the current file: the entries it changed, the keys
 * it removed, and a slice of everything else (the sweep), so that after one revolution of the sweep
 * all older sections are unneeded, and whole files of them are unlinked.
 *
 *     file      | header | section | section | ...                 docs/FORMAT.md has every byte
 *     section   | delta | tombstones | sweep | note | checksums | footer |
 *     footer    --previous--> footer --previous--> ... --> first needed
 *
 *     open --> replay --> start --> { begin, add ..., end | abandon }  sync  trim ... --> close
 *
 * Rules
 *   L1  A section counts once its footer and every block of it verify; a store is the newest
 *       section from which the chain of previous footers is whole down to the section it names as
 *       first needed.
 *   L2  What an intact footer or mark proves to have been synced is never fallen back from.
 *   L3  A block of 4 KiB that holds synced bytes is never written again (the zeros of room.h
 *       apart); a file of an older incarnation never at all.
 *   L4  Nothing read is believed before it is checked, and no length in a file makes us allocate
 *       more than the file is long.
 *   L5  A failed sync, or a write that failed for another reason than lack of room, is final:
 *       nothing is written from then on.
 *   L6  A file is unlinked only once all that replaces it is synced.
 */
#ifndef TN_LOG_H
#define TN_LOG_H

#include "base/memory.h"
#include "os/os.h"

#include <tarn.h>

#define TN_LOG_SECRET_BYTES 48u
#define TN_LOG_CATALOG_ID UINT64_C(0)

/* Where the sweep stands: places ascend from revolution to revolution. */
struct tn_log_cursor {
    uint64_t revolution;
    uint64_t table_id;
    uint64_t position;
};

/* What a commit says beside its entries. */
struct tn_log_commit {
    uint64_t number;
    uint64_t tick;
    uint64_t clock; /* of TTL, later */
    uint64_t next_table_id;
    struct tn_log_cursor cursor; /* behind what this section swept */
    tarn_bytes note;             /* from the log: valid until the next call that writes */
};

struct tn_log_options {
    uint64_t file_bytes_min; /* no file is finished before it has that many; 0: 4 MiB */
    bool create;             /* make the directory and the store if there is none */
    bool read_only;          /* no lock, nothing written */
    bool lenient;            /* what cannot be read is damage, not a failure: survey.h */
    bool verify_late;        /* blocks of synced sections while they are replayed: H5 of chain.h */
    uint32_t hash_version;   /* of the store's hash: its positions are only good for that one */
};

/* Why a call failed, and what recovery left out. Texts name files. */
struct tn_log_report {
    char text[384];         /* "" when there is nothing to say */
    bool no_store;          /* it failed since there is none, and none was to be made */
    uint64_t dropped_bytes; /* behind what was accepted */
    uint64_t dropped_file;  /* where that begins; 0: nowhere */
    uint64_t dropped_offset;
};

enum tn_log_kind { TN_LOG_ENTRY = 1, TN_LOG_TOMBSTONE = 2 };
enum tn_log_part { TN_LOG_DELTA, TN_LOG_TOMBSTONES, TN_LOG_SWEEP, TN_LOG_PART_COUNT };

struct tn_log;
struct tn_log_reading;

/* An entry as replay gives it; pointers are valid during the call. */
struct tn_log_entry {
    enum tn_log_kind kind;
    uint64_t table_id;
    tarn_bytes key;
    uint32_t value_bytes;
    const uint8_t *value; /* NULL: too large for the window; tn_log_entry_value reads it */
    struct tn_log_reading *reading; /* of the log: for that */
    uint64_t file;
    uint64_t value_offset;
};

/* Entries that come together: at most so many. */
#define TN_LOG_ENTRIES_MAX 32u

/*
 * Some entries (1 to TN_LOG_ENTRIES_MAX), one behind the other: so that whoever looks them up can
 * have the memory of all fetched before reading that of the first. Non-zero ends the replay and is
 * its answer.
 */
typedef int tn_log_entries_fn(void *argument, const struct tn_log_entry *entries, size_t count);

/*
 * Open the directory, find the newest commit (L1, L2), verify all of it (or with verify_late what
 * is not known to be synced; the rest is then verified by replay). Results are of enum tarn_result,
 * with a text in *report; *out is NULL unless it is TARN_OK. The secret is the store's own, for a
 * new store: the caller's proposal, which is kept.
 */
int tn_log_open(struct tn_log **out, const struct tn_os *os, struct tn_memory *memory,
                const char *path, const struct tn_log_options *options, uint8_t *secret,
                struct tn_log_report *report);

/* The commit found or, later, published last. number 0: none yet. */
const struct tn_log_commit *tn_log_last(const struct tn_log *log);

/*
 * Whether the cursor of tn_log_last still means what it says: false after a change of hash_version,
 * and then the sweep starts a new revolution and nothing is trimmed before it has gone round once.
 */
bool tn_log_cursor_holds(const struct tn_log *log);

/*
 * Give all entries of the accepted sections, oldest section first, in the order in which later ones
 * replace earlier ones. catalog_only: those of table 0. What was not verified yet is, before it is
 * given: TARN_E_CORRUPT says what is not as it was written, and open without verify_late what that
 * means. `progress` (may be NULL) hears of bytes done and of all.
 */
typedef void tn_log_progress_fn(void *argument, uint64_t done_bytes, uint64_t all_bytes);
int tn_log_replay(struct tn_log *log, bool catalog_only, tn_log_entries_fn *each, void *argument,
                  tn_log_progress_fn *progress, void *progress_argument,
                  struct tn_log_report *report);

/* The value of an entry during its tn_log_entries_fn call, wherever it is. */
int tn_log_entry_value(const struct tn_log_entry *entry, void *to);

/* Make what was accepted durable and ours to go on from. Not for read-only logs. */
int tn_log_start(struct tn_log *log, struct tn_log_report *report);

/*
 * A section: begin, add entries part by part in the order of enum tn_log_part (in each, table 0
 * first), end. live_bytes: keys and values of the store, which decides how large files grow;
 * section_bytes: about how large it will be. A call that fails leaves the section to be abandoned:
 * TARN_E_FULL (no room on the disk), TARN_E_MEMORY, TARN_E_FAILED.
 */
int tn_log_begin(struct tn_log *log, uint64_t section_bytes, uint64_t live_bytes);
int tn_log_add(struct tn_log *log, enum tn_log_part part, uint64_t table_id, tarn_bytes key,
               tarn_bytes value);
/* Bytes of the section so far, with what its end will add for a note of that length. */
uint64_t tn_log_section_bytes(const struct tn_log *log, size_t note_bytes);
int tn_log_end(struct tn_log *log, const struct tn_log_commit *commit);
/* Give up the section that was begun, and its bytes in the file. */
void tn_log_abandon(struct tn_log *log);

/* All that is published becomes durable. TARN_E_FAILED: L5. */
int tn_log_sync(struct tn_log *log);

/* Unlink what nothing needs (L6); syncs before it does. TARN_E_FAILED: L5. */
int tn_log_trim(struct tn_log *log);

/* errno and what failed, of the last call that did. */
const char *tn_log_error_text(const struct tn_log *log);

struct tn_log_statistics {
    uint64_t file_count;
    uint64_t file_bytes;       /* of all files */
    uint64_t other_name_count; /* in the directory, and not ours: left alone */
    uint64_t section_count;    /* from first needed on */
    uint64_t first_needed;
    uint64_t synced_number;
    uint64_t incarnation;
    uint64_t written_bytes; /* since open */
    uint64_t sync_count;
};
void tn_log_stat(const struct tn_log *log, struct tn_log_statistics *out);

/*
 * Sync and, with `mark`, say that this store was closed cleanly, unless it stands there already.
 * The log is gone whatever is answered. NULL is allowed.
 */
int tn_log_close(struct tn_log *log, bool mark);

#endif
