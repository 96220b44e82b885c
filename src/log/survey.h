/*
 * survey.h - a directory as it is, whatever is damaged: for tarn_check and tarn_salvage
 *
 *     headers, footers, marks --scan--> sections found --choose--> what opening would answer
 *                                            |
 *                            every block, every entry --> damages    replay --> what can be read
 *
 *     sections   #3 #4 #5      #6   #7   #8    #9 torn
 *                      ^oldest       ^newest     behind it: dropped, as opening does
 *
 * Opening (log.h) asks whether there is a whole store. A survey asks it too, with the same
 * functions, but goes on where opening stops.
 *
 * Rules
 *   V1  Needed are the sections from oldest to newest. When the store opens these are what it
 *       consists of. Else newest is the highest commit proven to be synced, and further as long as
 *       whole sections follow; oldest is the first that the highest of them names.
 *   V2  A section is of a discarded past when another of its number or below was written by a later
 *       incarnation; of the numbers that opening accepts, when it accepts another. It is no damage
 *       and is not replayed.
 *   V3  Damage is harmless when nothing needed is lost by it: another copy holds, or it lies before
 *       oldest, where a power loss may have left what was never synced (but V7). Behind newest
 *       there is no damage, only what is dropped.
 *   V4  What is replayed was verified block by block. Of a damaged section what its other blocks
 *       hold is replayed (Y3 of entries.h), from all copies of it.
 *   V5  It writes nothing and takes no lock. When damage is found and the files have changed
 *       meanwhile, it was a writer, and the survey begins anew; so often, then it is TARN_E_BUSY.
 *   V6  Memory is bounded as in P4 of scan.h, and by the number of damaged blocks.
 *   V7  When something needed is lost, sections before oldest may still have it, and are replayed,
 *       too: down to earliest, which is the last before a gap, or deletes might be missing without
 *       anybody's notice. Damage in these is a loss like any other: of an older value, or of a
 *       delete.
 *   V8  A section without its footer is not used, though its blocks may match their checksums with
 *       what its neighbours tell of it. That it was ever committed only a section behind it can
 *       say, and nothing says where its entries end and its note begins: the same bytes are a
 *       section with an entry in it, and one with a note that looks like it. So it is missing,
 *       which is told.
 */
#ifndef TN_LOG_SURVEY_H
#define TN_LOG_SURVEY_H

#include "log/chain.h"

struct tn_log_survey {
    struct tn_memory *memory;
    struct tn_log *log;
    struct tn_log_scan scan; /* numbers descending */
    int result;              /* what opening answers: TARN_OK or TARN_E_CORRUPT */
    uint64_t newest, oldest; /* V1; newest 0: nothing */
    uint64_t earliest;       /* V7; not above oldest */
    tarn_damage *damages;
    size_t damage_count, damage_capacity;
    uint64_t counts[TARN_DAMAGE_KIND_COUNT]; /* of damages */
    uint64_t section_count, entry_count;     /* read, of those needed */
};

/*
 * Survey a directory. `memory` stays in place until it is closed. TARN_OK: *out is given, whatever
 * was found. Else TARN_E_IO (report->no_store: there is none), TARN_E_VERSION, TARN_E_MEMORY,
 * TARN_E_BUSY (V5), with a text.
 */
int tn_log_survey_open(struct tn_log_survey **out, const struct tn_os *os, struct tn_memory *memory,
                       const char *path, const struct tn_log_options *options,
                       struct tn_log_report *report);

/* One entry; pointers are valid during the call. Non-zero ends the replay and is its answer. */
typedef int tn_log_entry_fn(void *argument, const struct tn_log_entry *entry);

/*
 * All that can be read of the needed sections, oldest first; when something is lost, of those
 * before them, too (V7). `each` answers TARN_E_CORRUPT for an entry whose value cannot be read, and
 * is not asked again for it.
 */
int tn_log_survey_replay(struct tn_log_survey *survey, bool catalog_only, tn_log_entry_fn *each,
                         void *argument);

/*
 * The newest note that can be read, and its commit; 0 and empty: none. Valid until the survey is
 * closed.
 */
int tn_log_survey_note(struct tn_log_survey *survey, uint64_t *out_number, tarn_bytes *out);

/* NULL is allowed. */
void tn_log_survey_close(struct tn_log_survey *survey);

#endif
