/*
 * chain.h - which of the sections found are the store
 *
 *     #9   torn                                  dropped, unless the floor is 9
 *     #8   --previous--> #7 --> #6 --> #5        first needed of #8 is 5: whole, so #8 is accepted
 *     #8'  --previous--> #7'  (not found)        of a discarded past: its incarnation is another
 *
 * Rules
 *   H1  Candidates are tried from the highest number down; accepted is the first from which
 *       previous leads without a gap to the section it names as first needed, all blocks of all of
 *       them intact (L1).
 *   H2  Of copies of a section the one in the youngest file counts, if it is intact.
 *   H3  An accepted number below the floor, or none with a floor, is corruption (L2); so is a mark
 *       for another section of that number.
 *   H4  Each section's blocks are read once, and a chain that was found broken is not walked again:
 *       the time is linear in what is there (but for sorting).
 *   H5  With verify_late, blocks of sections up to the floor are believed to match until replay
 *       reads them. If they all do, the choice is the one that reading them first would have made:
 *       each candidate tried before fails by what was read. If one does not, nothing of the choice
 *       holds, and it is made again with everything read first. (Sections behind the floor may be
 *       torn, so they are read first.)
 */
#ifndef TN_LOG_CHAIN_H
#define TN_LOG_CHAIN_H

#include "log/scan.h"

/*
 * Choose, and set the log's sections, files' last_section, last commit with its note, first_needed
 * and synced_number. TARN_OK, TARN_E_CORRUPT, TARN_E_IO, TARN_E_MEMORY, with a text. A section that
 * is not the youngest of its copies lowers synced_number below it: it has to be copied again.
 */
int tn_log_choose(struct tn_log *log, struct tn_log_scan *scan);

#endif
