/*
 * terminal.c - see terminal.h for the rules
 */
#include "terminal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define TERMINAL_COLUMNS_MIN 20
#define TERMINAL_COLUMNS_USUAL 80

bool tn_terminal_can_redraw(int file)
{
    const char *kind = getenv("TERM");

    return isatty(file) && kind != NULL && *kind != '\0' && strcmp(kind, "dumb") != 0;
}

bool tn_terminal_has_colour(void)
{
    const char *no_colour = getenv("NO_COLOR");

    return no_colour == NULL || *no_colour == '\0';
}

size_t tn_terminal_columns(int file)
{
    struct winsize size;

    if (ioctl(file, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
        return TERMINAL_COLUMNS_USUAL;
    return tn_max(size.ws_col, TERMINAL_COLUMNS_MIN);
}

void tn_terminal_write(int file, const char *bytes, size_t byte_count)
{
    ssize_t written;

    while (byte_count > 0) {
        written = write(file, bytes, byte_count);
        if (written < 0 && errno != EINTR)
            return;
        bytes += written > 0 ? written : 0;
        byte_count -= written > 0 ? (size_t)written : 0;
    }
}
