/*
 * room.h - zeros ahead of small synced commits
 *
 *     | header | section | section | section | 0 0 0 0 0 0 0 0 0 0 0 |
 *                                            ^ current_offset         ^ room_end
 *
 * A sync of a file that has become longer makes the file system sync what it knows of the file,
 * too, and maybe of other files; a sync of blocks that were there writes these blocks.
 *
 * Rules
 *   M1  A sync of little that makes the file longer makes it longer by more: zeros, as many bytes
 *       as it has, 64 KiB to 1 MiB, in which those to come find their place. Where much is synced
 *       it would not pay to write it twice.
 *   M2  No space for zeros is no failure: what was written of them is given back. (Where a file
 *       system finds out at the sync only that it has none, that sync fails, and with it the
 *       store.)
 *   M3  What is left of them is cut off when no more will come: in a file that is followed by
 *       another, or at the end. Should they stay, they are harmless (P6 of scan.h).
 */
#ifndef TN_LOG_ROOM_H
#define TN_LOG_ROOM_H

#include "log/state.h"

/* Before a sync. TARN_OK, TARN_E_FAILED. */
int tn_log_room_make(struct tn_log *log);

/* M3. */
void tn_log_room_cut(struct tn_log *log);

#endif
