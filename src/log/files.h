/*
 * files.h - the files of one directory: listed, made, synced, unlinked
 *
 *     list --> sorted by number --> opened for reading while the log is read
 *     make --> written, at an offset --> synced, oldest first --> unlinked, when nothing needs it
 *
 * Rules
 *   N1  Numbers ascend and are never used again; names that are not ours are counted and left
 *       alone.
 *   N2  What makes a file whole enough to be counted comes first: a file that could not get its
 *       header is unlinked again, as far as that works, and its number is spent.
 *   N3  Lack of room (or of memory, or descriptors) is an answer; any other failed write, and any
 *       failed sync, is final (L5).
 *   N4  A write that failed may have written any part. All of it counts among the file's bytes, so
 *       that what is there is cut off when the section is abandoned.
 */
#ifndef TN_LOG_FILES_H
#define TN_LOG_FILES_H

#include "log/state.h"

/*
 * Open it, made if that is asked for, and lock it unless it is read only. TARN_OK, TARN_E_IO,
 * _MEMORY, _BUSY.
 */
int tn_log_directory_open(struct tn_log *log, const char *path);

/* Fill log->files from the directory. TARN_OK, TARN_E_IO, TARN_E_MEMORY. */
int tn_log_files_list(struct tn_log *log);
/* Close and forget all. */
void tn_log_files_clear(struct tn_log *log);
void tn_log_file_close(struct tn_log *log, struct tn_log_file *file);
/* Which has to be there. */
struct tn_log_file *tn_log_file_of(struct tn_log *log, uint64_t number);
/* The one that is written to, or NULL. */
struct tn_log_file *tn_log_file_current(struct tn_log *log);

/* Read all of `bytes`, or say why not. TARN_OK, TARN_E_IO, TARN_E_CORRUPT: the file ends before. */
int tn_log_file_read(struct tn_log *log, struct tn_log_file *file, void *to, size_t bytes,
                     uint64_t offset);

/*
 * A new file with a header, which becomes the current one; `sync`: header and name are durable when
 * it returns. TARN_OK, TARN_E_FULL, TARN_E_MEMORY, TARN_E_FAILED. All below answer with these, too.
 */
int tn_log_file_make(struct tn_log *log, bool sync);
int tn_log_file_write(struct tn_log *log, const void *from, size_t bytes, uint64_t offset);
/* Everything written by us becomes durable, names too. */
int tn_log_files_sync(struct tn_log *log);

/* What stands behind the newest section: in its file, and in younger ones. */
void tn_log_files_dropped(const struct tn_log *log, struct tn_log_report *report);

/* S2, after sections changed places. */
void tn_log_files_count_sections(struct tn_log *log);
/* Whether a file other than the current one has no section from `first_needed` on. */
bool tn_log_files_have_unneeded(const struct tn_log *log, uint64_t first_needed);
/* Unlink those; what cannot be unlinked stays, for the next time. */
void tn_log_files_unlink_unneeded(struct tn_log *log, uint64_t first_needed);

#endif
