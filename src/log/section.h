/*
 * section.h - reading one section: a window over its data, verified block by block
 *
 *     data    | block | block | block | block | block |
 *     window          |<------ verified ----->|            moves forward, or wherever is asked
 *
 * Rules
 *   R1  What the window shows has been verified; it begins at a block. Opening verifies footer and
 *       table.
 *   R2  The window is the log's buffer: one section is read at a time, and none while one is
 *       written.
 *   R3  Of a damaged section every block that matches its own checksum can be had: then the window
 *       is no larger than what is asked for. It is so, too, where little of a section is wanted.
 */
#ifndef TN_LOG_SECTION_H
#define TN_LOG_SECTION_H

#include "log/files.h"

struct tn_log_reading {
    struct tn_log *log;
    struct tn_log_file *file;
    uint64_t offset; /* in the file: where the section begins */
    struct tn_log_footer footer;
    struct tn_log_shape shape;
    uint64_t window_at; /* in the data */
    uint64_t window_bytes;
    bool narrow; /* R3 */
    bool table_holds;
};

/* TARN_OK, TARN_E_IO, TARN_E_CORRUPT, TARN_E_MEMORY, with a text. `file` stays open meanwhile. */
int tn_log_section_open(struct tn_log_reading *out, struct tn_log *log, struct tn_log_file *file,
                        uint64_t footer_offset);

/* The same, but a table that does not hold only shows in table_holds (R3). */
int tn_log_section_open_damaged(struct tn_log_reading *out, struct tn_log *log,
                                struct tn_log_file *file, uint64_t footer_offset);

/* Whether data bytes [at, at + bytes) fit into a window, from the start of their block on. */
bool tn_log_section_fits(uint64_t at, uint64_t bytes);

/* Whether the window shows them already. */
static inline bool tn_log_section_shows(const struct tn_log_reading *reading, uint64_t at,
                                        uint64_t bytes)
{
    return at >= reading->window_at && at + bytes <= reading->window_at + reading->window_bytes;
}

/* Have a window that shows them: they exist, and fit. */
int tn_log_section_move(struct tn_log_reading *reading, uint64_t at, uint64_t bytes);

/* *out points at them until the window moves. */
static inline int tn_log_section_need(struct tn_log_reading *reading, uint64_t at, uint64_t bytes,
                                      const uint8_t **out)
{
    int result = TARN_OK;

    if (TN_UNLIKELY(!tn_log_section_shows(reading, at, bytes)))
        result = tn_log_section_move(reading, at, bytes);
    if (TN_LIKELY(result == TARN_OK))
        *out = reading->log->buffer + (at - reading->window_at);
    return result;
}

/* Copy data bytes, however many; what the window shows up to the first of them stays. */
int tn_log_section_copy(struct tn_log_reading *reading, uint64_t at, uint64_t bytes, uint8_t *to);

/* Every block; or those from that of `at` to that before `end`. */
int tn_log_section_verify(struct tn_log_reading *reading);
int tn_log_section_verify_some(struct tn_log_reading *reading, uint64_t at, uint64_t end);

#endif
