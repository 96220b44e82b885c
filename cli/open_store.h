/*
 * open_store.h - a store opened by a verb, and what is said when that or anything else fails
 *
 *     begin --> table --> calls of tarn.h --> commit --> end
 *                \_ fail: a message and an exit code
 *
 * Rules
 *   O1  Reading verbs take no lock and work beside a writer; they show its last commit.
 *   O2  A verb that commits keeps the note: it belongs to whoever keeps positions in it.
 *   O3  Absent is exit 1; what the store refuses (damaged, locked, another format, another type) 3;
 *       what the system refuses 4.
 */
#ifndef TN_OPEN_STORE_H
#define TN_OPEN_STORE_H

#include "base/base.h"

#include <tarn.h>

#define TN_TABLE_DEFAULT "default"

enum tn_opening {
    TN_OPEN_READ,   /* O1 */
    TN_OPEN_CHANGE, /* has to be there */
    TN_OPEN_CREATE, /* made when it is not there */
};

struct tn_open_store {
    tarn_store *store;
    const char *verb; /* for messages */
    const char *path;
    tarn_report report;
    int result; /* of tarn_open */
};

/*
 * Say that `path` could not be used: what `result` (< 0) means, `text`, which says more or is
 * empty, and what to do where that is known. Answers the exit code (O3).
 */
int tn_open_store_say(const char *verb, const char *path, int result, const char *text);

/*
 * Whether a path cannot be a store's directory, which is the caller's mistake and not the system's
 * failure; then it is said.
 */
bool tn_open_store_path_is_refused(const char *verb, const char *path, enum tn_opening opening);

/* What tarn_report.is_missing means, of a directory that is there. */
void tn_open_store_say_missing(const char *verb, const char *path);

/*
 * Whether keys or a table's name are longer than any of a store (or the name is empty), said so
 * that whoever typed them understands. Before the store is opened, so that none is made.
 */
bool tn_open_store_key_is_refused(const char *verb, const char *what, size_t bytes);
bool tn_open_store_name_is_refused(const char *verb, const char *name);

/* An exit code: TN_EXIT_DONE, and then it is ended with tn_open_store_end; else all is said. */
int tn_open_store_begin(struct tn_open_store *out, const char *verb, const char *path,
                        enum tn_opening opening);

/*
 * The table `name` (NULL: the default one). An exit code; TN_EXIT_NEGATIVE when there is none and
 * the store was not opened to create, with a message.
 */
int tn_open_store_table(struct tn_open_store *open, const char *name, bool create,
                        tarn_table **out);

/* Say why a call on the store answered `result` (< 0); answers the exit code for it. */
int tn_open_store_fail(struct tn_open_store *open, int result);

/* Make what was changed one commit, synced (O2). An exit code. */
int tn_open_store_commit(struct tn_open_store *open);

/* Close. Answers exit_code, or, when that is TN_EXIT_DONE and closing fails, why. */
int tn_open_store_end(struct tn_open_store *open, int exit_code);

#endif
