/*
 * writer.h - appending sections
 *
 *     add --> buffer (16 blocks) --full--> checksums of its blocks --> file
 *     end --> rest, note, table of checksums, footer --> file: published
 *
 * The calls are those of log.h; here is what start and close need beside them.
 *
 * Rules
 *   W1  The footer goes out last. Until it is there the section does not exist, and the next one
 *       begins at the same place.
 *   W2  What is needed for publishing is reserved before: an end that has written its footer
 *       succeeds.
 *   W3  After a sync the next section begins at a multiple of TN_LOG_SYNC_BYTES (L3).
 *   W4  The first file of an incarnation is synced, name included, before anything else is written
 *       under it: nobody will take that incarnation again.
 */
#ifndef TN_LOG_WRITER_H
#define TN_LOG_WRITER_H

#include "log/section.h"

/* W4: the first file of this open, if there is none yet. */
int tn_log_writer_ready(struct tn_log *log);

/* Copy a section as it is behind what is in the current file; it counts there from then on. */
int tn_log_writer_copy(struct tn_log *log, uint64_t number);

/* The mark of the last commit, synced. */
int tn_log_writer_mark(struct tn_log *log);

#endif
