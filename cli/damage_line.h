/*
 * damage_line.h - damage of a store's files, a line each
 *
 *     lost	0000000000000003.tarn	8192	16384	17	a block does not match its checksum
 *     kind     file                    offset  bytes   commit  what
 */
#ifndef TN_DAMAGE_LINE_H
#define TN_DAMAGE_LINE_H

#include "output.h"

#include <tarn.h>

/* A tarn_damage_fn whose context is the struct tn_output. What is not known is '-'. */
void tn_damage_line(void *context, const tarn_damage *damage);

#endif
