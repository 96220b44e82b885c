/*
 * signals.h - SIGINT, SIGTERM, SIGHUP, SIGPIPE
 *
 * A signal must leave complete lines behind, and must be obeyed also while the process waits for
 * input. So the handler only takes note of it; whoever may wait or work for long looks at the note:
 *
 *     reader    stops waiting, answers TN_READER_STOPPED
 *     emitter   stops the window that is being printed, between two rows
 *     output    finishes what it has begun to write: whole lines
 *
 * Rules
 *   S1  A signal that was ignored when the process began stays ignored (nohup, background jobs).
 *   S2  SIGPIPE is ignored; a write then fails with EPIPE, which tn_output turns into exit 141.
 *       So is SIGXFSZ: a file beyond ulimit -f is a failed write, EFBIG, and is told.
 *   S3  System calls are not restarted by themselves, so that a wait ends.
 *   S4  One call of the library may take minutes (opening or checking a large store) and looks at
 *       no note. Meanwhile a signal does what it does to a process that does not know it.
 *
 * A signal handler can be told nothing, so this is the one place in the command with a variable of
 * its own.
 */
#ifndef TN_SIGNALS_H
#define TN_SIGNALS_H

#include "base/base.h"

#include <signal.h>

void tn_signals_begin(void);

/*
 * S4: until _end a signal ends the process at once, also one that has come before. For what
 * reads, and what a kill -9 could end as well.
 */
void tn_signals_let_kill_begin(void);
void tn_signals_let_kill_end(void);

/* Not 0 once a signal has come: its number. */
const volatile sig_atomic_t *tn_signals_flag(void);

#endif
