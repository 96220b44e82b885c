/*
 * state_words.h - what a state says of a run and of its files, as words
 *
 *     progress   finished | has header | rows | bad | written | output bytes | ...
 *     place      phase | skipping | source's state | device | inode | bytes | checksum | ...
 *
 * A word is 64 bits, little-endian, whatever it stands for. Their order is that of the fields in
 * state_words.c, and part of the format: to change it is another version (state_command.h).
 */
#ifndef TN_STATE_WORDS_H
#define TN_STATE_WORDS_H

#include "window_sources.h"

#define TN_STATE_WORD_COUNT_MAX 16u
#define TN_STATE_WORD_BYTES sizeof(uint64_t)
#define TN_STATE_BYTES_MAX (TN_STATE_WORD_COUNT_MAX * TN_STATE_WORD_BYTES) /* of either */

/* Of the run as a whole; all of 64 bits, as they are stored. */
struct tn_state_progress {
    uint64_t finished;   /* all is read, written and done */
    uint64_t has_header; /* the output has its header */
    uint64_t row_count;
    uint64_t bad_count;
    uint64_t written_count;
    uint64_t output_bytes; /* of --out; 0 without one */
    uint64_t late_bytes;   /* of --late-to */
    uint64_t time_kind;    /* enum tn_timestamp_kind, as 'auto' chose it */
    int64_t watermark_ms;  /* of all sources; merged only */
};

/* Both store to TN_STATE_BYTES_MAX bytes at most, and answer how many they were. */
size_t tn_state_progress_store(struct tn_state_progress *progress, uint8_t *to);
size_t tn_state_place_store(struct tn_source_place *place, uint8_t *to);

/* False: these bytes cannot have been stored so. */
bool tn_state_progress_load(struct tn_state_progress *progress, const uint8_t *from, size_t bytes);
bool tn_state_place_load(struct tn_source_place *place, const uint8_t *from, size_t bytes);

#endif
