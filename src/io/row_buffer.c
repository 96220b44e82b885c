/*
 * row_buffer.c - see row_buffer.h for the rules
 */
#include "io/row_buffer.h"

#include "io/reader.h"

#include <string.h>

int tn_row_buffer_init(struct tn_row_buffer *buffer, struct tn_input *input,
                       struct tn_memory *memory, size_t block_bytes, size_t row_bytes_max,
                       struct tn_reason *reason)
{
    *buffer = (struct tn_row_buffer){
        .input = input,
        .memory = memory,
        .capacity = 2 * block_bytes,
        .block_bytes = block_bytes,
        .row_bytes_max = row_bytes_max,
        .line = 1,
    };
    buffer->data = tn_memory_new(memory, buffer->capacity + TN_ROW_BUFFER_PADDING_BYTES, true);
    if (buffer->data == NULL) {
        tn_reason_set(reason, "no memory for a buffer of %zu bytes", buffer->capacity);
        return TN_READER_FAILED;
    }
    return TN_READER_ROW;
}

void tn_row_buffer_release(struct tn_row_buffer *buffer)
{
    if (buffer->data != NULL)
        tn_memory_free(buffer->memory, buffer->data,
                       buffer->capacity + TN_ROW_BUFFER_PADDING_BYTES);
    tn_input_close(buffer->input);
}

/* Make room for one block (X3). The row has been moved to the front. */
static int buffer_grow(struct tn_row_buffer *buffer, struct tn_reason *reason)
{
    size_t most = buffer->row_bytes_max + 2 * buffer->block_bytes;
    size_t capacity = tn_max(tn_min(2 * buffer->capacity, most), buffer->end + buffer->block_bytes);
    char *data = tn_memory_resize(buffer->memory, buffer->data,
                                  buffer->capacity + TN_ROW_BUFFER_PADDING_BYTES,
                                  capacity + TN_ROW_BUFFER_PADDING_BYTES);

    if (data == NULL) {
        tn_reason_set(reason, "no memory for a row of more than %zu bytes at line %llu",
                      buffer->end, (unsigned long long)buffer->line);
        return TN_READER_FAILED;
    }
    buffer->data = data;
    buffer->capacity = capacity;
    return TN_READER_ROW;
}

/* What lies before the row goes into the checksum, before it can go away. */
static void buffer_sum(struct tn_row_buffer *buffer)
{
    if (buffer->checksum != NULL)
        tn_checksum_add(buffer->checksum, buffer->data + buffer->summed,
                        buffer->row - buffer->summed);
    buffer->summed = buffer->row;
}

uint64_t tn_row_buffer_checksum(struct tn_row_buffer *buffer)
{
    buffer_sum(buffer);
    return buffer->checksum != NULL ? tn_checksum_end(buffer->checksum) : 0;
}

int tn_row_buffer_more(struct tn_row_buffer *buffer, struct tn_reason *reason)
{
    size_t got = 0;
    int answer;

    if (buffer->row > 0) {
        buffer_sum(buffer);
        buffer->summed = 0;
        memmove(buffer->data, buffer->data + buffer->row, buffer->end - buffer->row);
        buffer->origin += buffer->row;
        buffer->end -= buffer->row;
        buffer->row = 0;
    }
    if (buffer->capacity - buffer->end < buffer->block_bytes) {
        answer = buffer_grow(buffer, reason);
        if (answer != TN_READER_ROW)
            return answer;
    }
    answer = tn_input_read(buffer->input, buffer->data + buffer->end, buffer->block_bytes, &got);
    if (answer == TN_READER_REFUSED || answer == TN_READER_FAILED || answer == TN_READER_STOPPED)
        tn_reason_set(reason, "%s", tn_input_reason(buffer->input));
    if (answer != TN_READER_ROW)
        return answer;
    buffer->end += got;
    memset(buffer->data + buffer->end, 0, TN_ROW_BUFFER_PADDING_BYTES); /* X4 */
    return TN_READER_ROW;
}

/* Have `bytes` bytes from the row on, or all there are. */
static int buffer_need(struct tn_row_buffer *buffer, size_t bytes, struct tn_reason *reason)
{
    int answer = TN_READER_ROW;

    while (answer == TN_READER_ROW && buffer->end - buffer->row < bytes)
        answer = tn_row_buffer_more(buffer, reason);
    return answer == TN_READER_END ? TN_READER_ROW : answer;
}

int tn_row_buffer_begin(struct tn_row_buffer *buffer, struct tn_reason *reason)
{
    int answer = buffer_need(buffer, 1, reason);
    unsigned char first;

    if (answer != TN_READER_ROW || buffer->end == 0)
        return answer;
    first = (unsigned char)buffer->data[0];
    if (first != 0xEF && first != 0xFF && first != 0xFE)
        return TN_READER_ROW;
    answer = buffer_need(buffer, 3, reason);
    if (answer != TN_READER_ROW)
        return answer;
    if (buffer->end >= 3 && memcmp(buffer->data, "\xEF\xBB\xBF", 3) == 0) {
        buffer->row = 3;
        return TN_READER_ROW;
    }
    if (buffer->end >= 2 &&
        (memcmp(buffer->data, "\xFF\xFE", 2) == 0 || memcmp(buffer->data, "\xFE\xFF", 2) == 0)) {
        tn_reason_set(reason, "it is UTF-16; turn it into UTF-8 with iconv -f UTF-16 -t UTF-8");
        return TN_READER_REFUSED;
    }
    return TN_READER_ROW;
}

int tn_row_buffer_seek(struct tn_row_buffer *buffer, uint64_t place, struct tn_reason *reason)
{
    int answer;

    while (buffer->origin + buffer->end < place) {
        buffer->row = buffer->end;
        answer = tn_row_buffer_more(buffer, reason);
        if (answer != TN_READER_ROW)
            return answer;
    }
    buffer->row = (size_t)(place - buffer->origin);
    return TN_READER_ROW;
}

tarn_bytes tn_row_buffer_skip_line(struct tn_row_buffer *buffer)
{
    const char *row = buffer->data + buffer->row;
    size_t held = buffer->end - buffer->row;
    const char *line_end = memchr(row, '\n', held);
    size_t bytes = line_end != NULL ? (size_t)(line_end - row) : held;

    buffer->skipping = line_end == NULL;
    buffer->row = line_end != NULL ? buffer->row + bytes + 1 : buffer->end;
    buffer->line += line_end != NULL;
    if (bytes > 0 && row[bytes - 1] == '\r')
        bytes--;
    return (tarn_bytes){ row, bytes };
}

int tn_row_buffer_finish_skip(struct tn_row_buffer *buffer, struct tn_reason *reason)
{
    int answer;

    while (buffer->skipping) {
        if (buffer->row < buffer->end) {
            tn_row_buffer_skip_line(buffer);
            continue;
        }
        answer = tn_row_buffer_more(buffer, reason);
        if (answer != TN_READER_ROW)
            return answer;
    }
    return TN_READER_ROW;
}
