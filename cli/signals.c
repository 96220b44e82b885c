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

void tn_signals_begin(void)
{
    static const int numbers[] = { SIGINT, SIGTERM, SIGHUP };
    struct sigaction action, old;
    size_t i;

    memset(&action, 0, sizeof action); /* no SA_RESTART: S3 */
    sigemptyset(&action.sa_mask);
    action.sa_handler = signal_note;
    for (i = 0; i < TN_ARRAY_COUNT(numbers); i++) {
        sigaction(numbers[i], NULL, &old);
        if (old.sa_handler != SIG_IGN) /* S1 */
            sigaction(numbers[i], &action, NULL);
    }
    action.sa_handler = SIG_IGN; /* S2 */
    sigaction(SIGPIPE, &action, NULL);
    sigaction(SIGXFSZ, &action, NULL);
}

const volatile sig_atomic_t *tn_signals_flag(void)
{
    return &signal_noted;
}
