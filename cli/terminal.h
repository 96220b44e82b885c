/*
 * terminal.h - is it a terminal, how large, and what may be done to it
 *
 * Rules
 *   L1  Only a terminal is drawn on; one of TERM=dumb, or without TERM, is not.
 *   L2  NO_COLOR, set to anything but nothing, and there is no colour and no weight.
 *   L3  The size is asked each time, so that a window that was resized is drawn right the next
 *       time.
 */
#ifndef TN_TERMINAL_H
#define TN_TERMINAL_H

#include "base/base.h"

#define TN_TERMINAL_CLEAR_LINE "\r\033[K"

/* Can lines on it be overwritten (L1)? */
bool tn_terminal_can_redraw(int file);

/* L2 */
bool tn_terminal_has_colour(void);

/* Columns, at least 20; 80 when it does not say. */
size_t tn_terminal_columns(int file);

/* All of it; what a terminal does not take cannot be told to anybody. */
void tn_terminal_write(int file, const char *bytes, size_t byte_count);

#endif
