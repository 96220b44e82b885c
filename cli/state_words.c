/*
 * state_words.c - see state_words.h for the rules
 */
#include "state_words.h"

#include "base/bytes.h"

#include <string.h>

static size_t progress_fields(struct tn_state_progress *progress,
                              void *fields[TN_STATE_WORD_COUNT_MAX])
{
    size_t count = 0;

    fields[count++] = &progress->finished;
    fields[count++] = &progress->has_header;
    fields[count++] = &progress->row_count;
    fields[count++] = &progress->bad_count;
    fields[count++] = &progress->written_count;
    fields[count++] = &progress->output_bytes;
    fields[count++] = &progress->late_bytes;
    fields[count++] = &progress->time_kind;
    fields[count++] = &progress->watermark_ms;
    return count;
}

/* The fields of a place that are words as they are; two flags and a state come in front. */
static size_t place_fields(struct tn_source_place *place, void *fields[TN_STATE_WORD_COUNT_MAX])
{
    size_t count = 0;

    fields[count++] = &place->place.device;
    fields[count++] = &place->place.inode;
    fields[count++] = &place->place.bytes;
    fields[count++] = &place->place.checksum;
    fields[count++] = &place->place.line;
    fields[count++] = &place->place.replay_end;
    fields[count++] = &place->watermark.own.time_ms;
    return count;
}

static uint8_t *words_store(uint8_t *to, void *const *fields, size_t count)
{
    uint64_t word;

    for (size_t i = 0; i < count; i++, to += TN_STATE_WORD_BYTES) {
        memcpy(&word, fields[i], sizeof word);
        tn_store_le64(to, word);
    }
    return to;
}

static void words_load(const uint8_t *from, void *const *fields, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t word = tn_load_le64(from + i * TN_STATE_WORD_BYTES);

        memcpy(fields[i], &word, sizeof word);
    }
}

size_t tn_state_place_store(struct tn_source_place *place, uint8_t *to)
{
    void *fields[TN_STATE_WORD_COUNT_MAX];
    size_t count = place_fields(place, fields);

    tn_store_le64(to, (uint64_t)place->phase);
    tn_store_le64(to + TN_STATE_WORD_BYTES, place->place.skipping);
    tn_store_le64(to + 2 * TN_STATE_WORD_BYTES, (uint64_t)place->watermark.state);
    return (size_t)(words_store(to + 3 * TN_STATE_WORD_BYTES, fields, count) - to);
}

bool tn_state_place_load(struct tn_source_place *place, const uint8_t *from, size_t bytes)
{
    void *fields[TN_STATE_WORD_COUNT_MAX];
    size_t count = place_fields(place, fields);

    if (bytes != (3 + count) * TN_STATE_WORD_BYTES)
        return false;
    place->phase = (enum tn_source_phase)tn_load_le64(from);
    place->place.skipping = tn_load_le64(from + TN_STATE_WORD_BYTES) != 0;
    place->watermark.state = (enum tn_source_state)tn_load_le64(from + 2 * TN_STATE_WORD_BYTES);
    words_load(from + 3 * TN_STATE_WORD_BYTES, fields, count);
    return place->phase <= TN_SOURCE_READ && place->watermark.state <= TN_SOURCE_ENDED;
}

size_t tn_state_progress_store(struct tn_state_progress *progress, uint8_t *to)
{
    void *fields[TN_STATE_WORD_COUNT_MAX];
    size_t count = progress_fields(progress, fields);

    return (size_t)(words_store(to, fields, count) - to);
}

bool tn_state_progress_load(struct tn_state_progress *progress, const uint8_t *from, size_t bytes)
{
    void *fields[TN_STATE_WORD_COUNT_MAX];
    size_t count = progress_fields(progress, fields);

    if (bytes != count * TN_STATE_WORD_BYTES)
        return false;
    words_load(from, fields, count);
    return progress->time_kind <= TN_TIMESTAMP_PATTERN;
}
