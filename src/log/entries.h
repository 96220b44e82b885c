/*
 * entries.h - one part of a section, entry by entry
 *
 *     part      | head key value | head key value | head key value |
 *                ^ at, left, count              each step moves on before it reads key and value
 *
 * Rules
 *   Y1  An entry is handed out when its lengths fit into its part, its kind is the part's, and its
 *       blocks were verified; in each part those of the catalog come first.
 *   Y2  A value that does not fit into the window with its key is read when it is asked for.
 *   Y3  Where an entry ends its head says: one whose key or value cannot be read is passed over by
 *       the next step. Behind a head that cannot be read nothing is known: then the part is over.
 */
#ifndef TN_LOG_ENTRIES_H
#define TN_LOG_ENTRIES_H

#include "log/section.h"

struct tn_log_entries {
    struct tn_log_reading *reading;
    enum tn_log_part part;
    uint64_t at;    /* in the section's data: the next head */
    uint64_t left;  /* bytes of the part from there on */
    uint64_t count; /* entries still to come */
    bool catalog_over;
    uint64_t
        failed_at; /* after a failure: the place in the data, and how much is lost from there on */
    uint64_t failed_bytes;
};

void tn_log_entries_begin(struct tn_log_entries *out, struct tn_log_reading *reading,
                          enum tn_log_part part);

/*
 * The next entry, valid until the window of the section moves. TARN_OK; TARN_END; or why it cannot
 * be had: TARN_E_CORRUPT, TARN_E_VERSION, TARN_E_IO, TARN_E_MEMORY, with a text (Y3).
 */
int tn_log_entries_next(struct tn_log_entries *entries, struct tn_log_entry *out);

/* Whether that would leave the window where it is, so that entries handed out before stay valid. */
static inline bool tn_log_entries_shows_next(const struct tn_log_entries *entries)
{
    const struct tn_log_reading *reading = entries->reading;
    const uint8_t *head;

    if (entries->count == 0 || entries->left < TN_LOG_ENTRY_HEAD_BYTES)
        return true;
    if (!tn_log_section_shows(reading, entries->at, TN_LOG_ENTRY_HEAD_BYTES))
        return false;
    head = reading->log->buffer + (entries->at - reading->window_at);
    return tn_log_section_shows(reading, entries->at, tn_log_entry_head_says(head));
}

#endif
