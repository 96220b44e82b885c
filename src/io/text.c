/*
 * text.c - see text.h for the rules
 */
#include "io/text.h"

#include "io/reader.h"

#include <string.h>

int tn_text_init(struct tn_text *text, struct tn_input *input, struct tn_memory *memory,
                 size_t block_bytes, size_t row_bytes_max, struct tn_reason *reason)
{
    *text = (struct tn_text){
        .input = input,
        .memory = memory,
        .capacity = 2 * block_bytes,
        .block_bytes = block_bytes,
        .row_bytes_max = row_bytes_max,
        .line = 1,
    };
    text->data = tn_memory_new(memory, text->capacity + TN_TEXT_PADDING_BYTES, true);
    if (text->data == NULL) {
        tn_reason_set(reason, "no memory for a buffer of %zu bytes", text->capacity);
        return TN_READER_FAILED;
    }
    return TN_READER_ROW;
}

void tn_text_release(struct tn_text *text)
{
    if (text->data != NULL)
        tn_memory_free(text->memory, text->data, text->capacity + TN_TEXT_PADDING_BYTES);
    tn_input_close(text->input);
}

/* Make room for one block (X3). The row has been moved to the front. */
static int text_grow(struct tn_text *text, struct tn_reason *reason)
{
    size_t most = text->row_bytes_max + 2 * text->block_bytes;
    size_t capacity = tn_max(tn_min(2 * text->capacity, most), text->end + text->block_bytes);
    char *data = tn_memory_resize(text->memory, text->data, text->capacity + TN_TEXT_PADDING_BYTES,
                                  capacity + TN_TEXT_PADDING_BYTES);

    if (data == NULL) {
        tn_reason_set(reason, "no memory for a row of more than %zu bytes at line %llu", text->end,
                      (unsigned long long)text->line);
        return TN_READER_FAILED;
    }
    text->data = data;
    text->capacity = capacity;
    return TN_READER_ROW;
}

/* What lies before the row goes into the checksum, before it can go away. */
static void text_sum(struct tn_text *text)
{
    if (text->checksum != NULL)
        tn_checksum_add(text->checksum, text->data + text->summed, text->row - text->summed);
    text->summed = text->row;
}

uint64_t tn_text_checksum(struct tn_text *text)
{
    text_sum(text);
    return text->checksum != NULL ? tn_checksum_end(text->checksum) : 0;
}

int tn_text_more(struct tn_text *text, struct tn_reason *reason)
{
    size_t got = 0;
    int answer;

    if (text->row > 0) {
        text_sum(text);
        text->summed = 0;
        memmove(text->data, text->data + text->row, text->end - text->row);
        text->origin += text->row;
        text->end -= text->row;
        text->row = 0;
    }
    if (text->capacity - text->end < text->block_bytes) {
        answer = text_grow(text, reason);
        if (answer != TN_READER_ROW)
            return answer;
    }
    answer = tn_input_read(text->input, text->data + text->end, text->block_bytes, &got);
    if (answer == TN_READER_REFUSED || answer == TN_READER_FAILED || answer == TN_READER_STOPPED)
        tn_reason_set(reason, "%s", tn_input_reason(text->input));
    if (answer != TN_READER_ROW)
        return answer;
    text->end += got;
    memset(text->data + text->end, 0, TN_TEXT_PADDING_BYTES); /* X4 */
    return TN_READER_ROW;
}

/* Have `bytes` bytes from the row on, or all there are. */
static int text_need(struct tn_text *text, size_t bytes, struct tn_reason *reason)
{
    int answer = TN_READER_ROW;

    while (answer == TN_READER_ROW && text->end - text->row < bytes)
        answer = tn_text_more(text, reason);
    return answer == TN_READER_END ? TN_READER_ROW : answer;
}

int tn_text_begin(struct tn_text *text, struct tn_reason *reason)
{
    int answer = text_need(text, 1, reason);
    unsigned char first;

    if (answer != TN_READER_ROW || text->end == 0)
        return answer;
    first = (unsigned char)text->data[0];
    if (first != 0xEF && first != 0xFF && first != 0xFE)
        return TN_READER_ROW;
    answer = text_need(text, 3, reason);
    if (answer != TN_READER_ROW)
        return answer;
    if (text->end >= 3 && memcmp(text->data, "\xEF\xBB\xBF", 3) == 0) {
        text->row = 3;
        return TN_READER_ROW;
    }
    if (text->end >= 2 &&
        (memcmp(text->data, "\xFF\xFE", 2) == 0 || memcmp(text->data, "\xFE\xFF", 2) == 0)) {
        tn_reason_set(reason, "it is UTF-16; turn it into UTF-8 with iconv -f UTF-16 -t UTF-8");
        return TN_READER_REFUSED;
    }
    return TN_READER_ROW;
}

int tn_text_seek(struct tn_text *text, uint64_t place, struct tn_reason *reason)
{
    int answer;

    while (text->origin + text->end < place) {
        text->row = text->end;
        answer = tn_text_more(text, reason);
        if (answer != TN_READER_ROW)
            return answer;
    }
    text->row = (size_t)(place - text->origin);
    return TN_READER_ROW;
}

tarn_bytes tn_text_skip_line(struct tn_text *text)
{
    const char *row = text->data + text->row;
    size_t held = text->end - text->row;
    const char *line_end = memchr(row, '\n', held);
    size_t bytes = line_end != NULL ? (size_t)(line_end - row) : held;

    text->skipping = line_end == NULL;
    text->row = line_end != NULL ? text->row + bytes + 1 : text->end;
    text->line += line_end != NULL;
    if (bytes > 0 && row[bytes - 1] == '\r')
        bytes--;
    return (tarn_bytes){ row, bytes };
}

int tn_text_finish_skip(struct tn_text *text, struct tn_reason *reason)
{
    int answer;

    while (text->skipping) {
        if (text->row < text->end) {
            tn_text_skip_line(text);
            continue;
        }
        answer = tn_text_more(text, reason);
        if (answer != TN_READER_ROW)
            return answer;
    }
    return TN_READER_ROW;
}
