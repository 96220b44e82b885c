/*
 * text.c - see text.h
 */
#include "stream/text.h"

#define QUOTED_BYTES_MAX 40u

struct tn_text tn_text_in(char *buffer, size_t capacity)
{
    tn_assert(capacity > 0);
    buffer[0] = '\0';
    return (struct tn_text){ .start = buffer, .capacity = capacity };
}

void tn_text_clear(struct tn_text *text)
{
    text->bytes = 0;
    text->start[0] = '\0';
}

static void text_add_byte(struct tn_text *text, char byte)
{
    if (text->bytes + 1 >= text->capacity)
        return;
    text->start[text->bytes++] = byte;
    text->start[text->bytes] = '\0';
}

void tn_text_add(struct tn_text *text, const char *string)
{
    while (*string != '\0')
        text_add_byte(text, *string++);
}

void tn_text_add_number(struct tn_text *text, int64_t number)
{
    uint64_t magnitude = number < 0 ? -(uint64_t)number : (uint64_t)number;
    char digits[20];
    size_t count = 0;

    if (number < 0)
        text_add_byte(text, '-');
    do {
        digits[count++] = (char)('0' + magnitude % 10);
        magnitude /= 10;
    } while (magnitude != 0);
    while (count > 0)
        text_add_byte(text, digits[--count]);
}

void tn_text_add_quoted(struct tn_text *text, const void *data, size_t bytes)
{
    static const char hex[] = "0123456789abcdef";
    const unsigned char *at = data;
    size_t shown = tn_min(bytes, QUOTED_BYTES_MAX);

    text_add_byte(text, '"');
    for (size_t i = 0; i < shown; i++) {
        if (at[i] == '"' || at[i] == '\\') {
            text_add_byte(text, '\\');
            text_add_byte(text, (char)at[i]);
        } else if (at[i] >= 0x20 && at[i] < 0x7F) {
            text_add_byte(text, (char)at[i]);
        } else {
            tn_text_add(text, "\\x");
            text_add_byte(text, hex[at[i] >> 4]);
            text_add_byte(text, hex[at[i] & 15]);
        }
    }
    tn_text_add(text, shown < bytes ? "...\"" : "\"");
}
