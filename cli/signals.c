/*
 * signals.c - the handler and its variable; see signals.h for the rules
 */
#include "signals.h"

#include <string.h>

static volatile sig_atomic_t signal_noted;

static void signal_note(int number)
{
    signal_noted = number;
}

static void signals_handle(void (*handler)(int))
{
    static const int numbers[] = { SIGINT, SIGTERM, SIGHUP };
    struct sigaction action, old;
    size_t i;

    memset(&action, 0, sizeof action); /* no SA_RESTART: S3 */
    sigemptyset(&action.sa_mask);
    action.sa_handler = handler;
    for (i = 0; i < TN_ARRAY_COUNT(numbers); i++) {
        sigaction(numbers[i], NULL, &old);
        if (old.sa_handler != SIG_IGN) /* S1 */
            sigaction(numbers[i], &action, NULL);
    }
}

void tn_signals_begin(void)
{
    struct sigaction action;

    signals_handle(signal_note);
    memset(&action, 0, sizeof action);
    sigemptyset(&action.sa_mask);
    action.sa_handler = SIG_IGN; /* S2 */
    sigaction(SIGPIPE, &action, NULL);
    sigaction(SIGXFSZ, &action, NULL);
}

void tn_signals_let_kill_begin(void)
{
    signals_handle(SIG_DFL);
    if (signal_noted != 0)
        (void)raise(signal_noted);
}

void tn_signals_let_kill_end(void)
{
    signals_handle(signal_note);
}

const volatile sig_atomic_t *tn_signals_flag(void)
{
    return &signal_noted;
}
