/*
 * scan.h - what is there: every footer that holds, and what footers and marks prove
 *
 *     file   | header | section | section | torn ... | section |  ?  |
 *                                                    <--------- <--- from the end, in steps of 64
 *     found           |    #1   |    #2   |          |    #4   |
 *
 * A footer that holds is followed by the one before its section; where none holds, by the next 64
 * bytes. So whatever is damaged, everything else is found, and a value that looks like a footer is
 * not, as long as its section's own footer holds (and never without the store's id, F2 of
 * format.h).
 *
 * Rules
 *   P1  A file whose header does not hold has no sections, but what its footers and marks prove
 *       counts.
 *   P2  The floor is the highest commit of which any footer or mark says that it was synced.
 *   P3  Only files of one store, under their own names and with one secret, are read at all.
 *   P4  Memory is bounded by the number of sections found.
 *   P5  A survey (survey.h) wants all: sections of files without a header are noted, as broken, so
 *       that no chain has them; and where nothing can be read there is nothing.
 *   P6  Zeros at a file's end, in whole blocks of 4 KiB, are room (room.h): no bytes that are
 *       dropped.
 */
#ifndef TN_LOG_SCAN_H
#define TN_LOG_SCAN_H

#include "log/section.h"

struct tn_log_found {
    uint64_t number;
    uint64_t identity;
    uint64_t previous;
    uint64_t first_needed;
    uint64_t incarnation;
    uint64_t file;
    uint64_t footer_offset;
    uint64_t bytes;    /* of the section; its footer is the last of them */
    uint64_t fails_at; /* of chain.c; 0: not known */
    bool discarded;    /* V2 of survey.h, which alone sets it */
    enum { TN_LOG_NOT_READ, TN_LOG_HOLDS, TN_LOG_BROKEN } body;
};

/* What was synced, and what says so. number 0: nothing. */
struct tn_log_proof {
    uint64_t number;
    uint64_t file;
    uint64_t offset;
};

struct tn_log_scan {
    struct tn_log_found *items;
    size_t count, capacity;
    bool all;                  /* P5 */
    struct tn_log_proof floor; /* P2 */
    struct tn_log_mark mark;   /* of the highest number; number 0: none */
};

/*
 * Scan the listed files, and set the log's store id, secret, is_new and incarnation_seen. TARN_OK,
 * TARN_E_IO, TARN_E_CORRUPT, TARN_E_VERSION, TARN_E_MEMORY; TARN_ABSENT: a file of the list is
 * gone.
 */
int tn_log_scan(struct tn_log_scan *out, struct tn_log *log);

/* The same in parts, for a survey: one file opened (its header not read), and one looked through. */
int tn_log_scan_open(struct tn_log *log, struct tn_log_file *file);
int tn_log_scan_file(struct tn_log_scan *scan, struct tn_log *log, struct tn_log_file *file);
void tn_log_scan_finish(struct tn_log_scan *scan, struct tn_log *log);

#endif
