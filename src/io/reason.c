/*
 * reason.c - see reason.h
 */
#include "io/reason.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

__attribute__((format(printf, 2, 0))) static void reason_print(struct tn_reason *reason,
                                                               const char *format,
                                                               va_list arguments)
{
    size_t room = TN_REASON_BYTES - reason->bytes;
    int wanted = vsnprintf(reason->text + reason->bytes, room, format, arguments);

    if (wanted < 0)
        return;
    if ((size_t)wanted >= room) { /* N1 */
        memcpy(reason->text + TN_REASON_BYTES - 4, "...", 4);
        reason->bytes = TN_REASON_BYTES - 1;
        return;
    }
    reason->bytes += (size_t)wanted;
}

void tn_reason_set(struct tn_reason *reason, const char *format, ...)
{
    va_list arguments;

    reason->bytes = 0;
    reason->text[0] = '\0';
    va_start(arguments, format);
    reason_print(reason, format, arguments);
    va_end(arguments);
}

void tn_reason_add(struct tn_reason *reason, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    reason_print(reason, format, arguments);
    va_end(arguments);
}

/* Bytes of the well-formed, printable UTF-8 character at `at`; 0: there is none. */
static size_t reason_character_bytes(const unsigned char *at, size_t bytes)
{
    size_t length = at[0] < 0x80 ? 1 : at[0] >= 0xF0 ? 4 : at[0] >= 0xE0 ? 3 : 2, i;

    if (length == 1)
        return at[0] >= 0x20 && at[0] < 0x7F;
    if (at[0] < 0xC2 || at[0] > 0xF4 || length > bytes)
        return 0;
    for (i = 1; i < length; i++)
        if ((at[i] & 0xC0) != 0x80)
            return 0;
    if (at[0] == 0xC2 && at[1] < 0xA0) /* C1 control characters */
        return 0;
    return length;
}

void tn_reason_add_quoted(struct tn_reason *reason, const void *data, size_t bytes,
                          size_t bytes_max)
{
    const unsigned char *at = data;
    size_t shown = tn_min(bytes, bytes_max), i = 0, length;

    tn_reason_add(reason, "\"");
    while (i < shown) {
        length = reason_character_bytes(at + i, bytes - i);
        if (length == 0) {
            tn_reason_add(reason, "\\x%02x", at[i]);
            i++;
            continue;
        }
        tn_reason_add(reason, "%.*s", (int)length, (const char *)at + i);
        i += length;
    }
    tn_reason_add(reason, shown < bytes ? "\"..." : "\"");
}
