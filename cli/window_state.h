/*
 * window_state.h - the directory of `tarn window --state`: what a run must know to go on
 *
 *     DIR   "window ..."     tables of the operator (stream/window.h)
 *           "window state"   ... and in this one of them, beside its own entry, ours:
 *
 *             run command              the command line (state_command.h)
 *             run progress             words: struct tn_state_progress (state_words.h)
 *             run source 0000000000    words: a place; one for each FILE
 *             run late header          the first line of --late-to, once it has one
 *
 * They are entries rather than the commit's note because a note is written whole with each commit:
 * of a thousand FILEs one moves.
 *
 *     rows | rows | rows | x             commit: outputs flushed and synced, then state, as one unit
 *          c      c      c               resume: outputs cut to what the last c says, files read on
 *
 * Rules
 *   D1  What --out and --late-to hold up to the lengths in a commit was on the device before it. So
 *       whatever ends the run, also a power loss, what is cut off on resume is written again, the
 *       same, and nothing that is counted is missing.
 *   D2  A commit lies between two rows, or between the end of input and the windows it completes.
 *       Where it lies changes no output, nor does how often one comes.
 *   D3  Refused with what differs: another command line (-v, --commit-every and how a duration is
 *       written do not count); files that are not what they were (window_sources.h, F5); outputs
 *       shorter than recorded; a store that is no such state; one that is in use.
 *   D4  After a failure nothing more is committed: the last commit stands, and the same command
 *       goes on from there once its cause is gone. A row that --strict refuses is refused again.
 *   D5  Standard output cannot be cut: rows written since the last commit come again.
 */
#ifndef TN_WINDOW_STATE_H
#define TN_WINDOW_STATE_H

#include "state_words.h"
#include "window_outputs.h"

struct tn_window_state {
    const struct tn_window_command *command;
    tarn_store *store; /* NULL: not open, or there is no --state */
    tarn_table *table;
    bool resumed;                      /* there was a commit to go on from */
    bool committed;                    /* there is one, so places are stored */
    struct tn_state_progress progress; /* as committed last */
    struct tn_source_place *places;    /* so too; command->file_count of them */
    uint64_t look_row_count;           /* when to look at the clock again, or to commit */
    uint64_t commit_ns;                /* when the last commit was */
};

/*
 * Open command->state_path, or make it. TN_WINDOW_GOES_ON; or an exit code, and all is said:
 * TN_EXIT_DONE when the run is finished. Close it either way. `command` outlives the state.
 */
int tn_window_state_open(struct tn_window_state *state, const struct tn_window_command *command);

/* See that the sources, before they begin, can be gone on with, and place them (D3). As open. */
int tn_window_state_place(struct tn_window_state *state, struct tn_sources *sources);

/* What tn_late_resume wants; 0 bytes: none yet. Borrowed until the next call on the store. */
tarn_bytes tn_window_state_late_header(struct tn_window_state *state);

/* Is it time to commit? `waits`: no row may come for long. */
bool tn_window_state_is_due(struct tn_window_state *state, uint64_t row_count, bool waits);

/*
 * Commit the window and all that it stands for. `progress` has all but lengths and watermark, which
 * are filled in. Flushes and syncs the outputs (only flushes standard output) first (D1).
 * TN_WINDOW_GOES_ON, or an exit code (D4); a failed output is told by closing it.
 */
int tn_window_state_commit(struct tn_window_state *state, struct tn_window *window,
                           struct tn_sources *sources, struct tn_window_outputs *outputs,
                           struct tn_state_progress *progress);

/* Close it, after the window. TN_EXIT_DONE, or that it failed. Nothing is held afterwards. */
int tn_window_state_close(struct tn_window_state *state);

#endif
