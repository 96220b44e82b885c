/*
 * escape.c - writing one text into a line; see writer.h for the rules
 *
 * All four work alike: runs of bytes that may stand as they are go out in one piece, what stands
 * between the runs is replaced.
 */
#include "escape.h"

#include <string.h>

/* ---- csv ------------------------------------------------------------------------------------- */

static bool csv_needs_quotes(const char *bytes, size_t count)
{
    static const bool special[256] = { [','] = true, ['"'] = true, ['\n'] = true, ['\r'] = true };
    size_t i;

    for (i = 0; i < count; i++)
        if (special[(unsigned char)bytes[i]])
            return true;
    return false;
}

void tn_escape_csv(struct tn_output *output, tarn_bytes text)
{
    const char *bytes = text.data;
    const char *quote;
    size_t at = 0, run;

    if (!csv_needs_quotes(bytes, text.bytes)) {
        tn_output_add(output, bytes, text.bytes);
        return;
    }
    tn_output_byte(output, '"');
    while (at < text.bytes) {
        quote = memchr(bytes + at, '"', text.bytes - at);
        run = quote != NULL ? (size_t)(quote - (bytes + at)) + 1 : text.bytes - at;
        tn_output_add(output, bytes + at, run);
        if (quote != NULL)
            tn_output_byte(output, '"');
        at += run;
    }
    tn_output_byte(output, '"');
}

/* ---- tsv ------------------------------------------------------------------------------------- */

static char tsv_escape(char byte)
{
    switch (byte) {
    case '\t':
        return 't';
    case '\n':
        return 'n';
    case '\r':
        return 'r';
    case '\\':
        return '\\';
    default:
        return '\0';
    }
}

void tn_escape_tsv(struct tn_output *output, tarn_bytes text)
{
    const char *bytes = text.data;
    size_t begin = 0;
    size_t i;

    if (text.bytes == 0)
        return; /* data may be NULL */
    for (i = 0; i < text.bytes; i++) {
        char escape = tsv_escape(bytes[i]);

        if (escape == '\0')
            continue;
        tn_output_add(output, bytes + begin, i - begin);
        tn_output_byte(output, '\\');
        tn_output_byte(output, escape);
        begin = i + 1;
    }
    tn_output_add(output, bytes + begin, text.bytes - begin);
}

/* ---- UTF-8 ----------------------------------------------------------------------------------- */

/* The table of Unicode 15, 3-7: what the second byte may be depends on the first. */
size_t tn_utf8_character_bytes(tarn_bytes text)
{
    const unsigned char *bytes = text.data;
    unsigned char first = bytes[0];
    unsigned char second_min = 0x80, second_max = 0xbf;
    size_t count, i;

    if (first < 0x80)
        return 1;
    if (first < 0xc2 || first > 0xf4)
        return 0;
    count = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    if (first == 0xe0)
        second_min = 0xa0; /* less is overlong */
    else if (first == 0xed)
        second_max = 0x9f; /* more is a surrogate */
    else if (first == 0xf0)
        second_min = 0x90; /* less is overlong */
    else if (first == 0xf4)
        second_max = 0x8f; /* more is beyond U+10FFFF */
    if (text.bytes < count || bytes[1] < second_min || bytes[1] > second_max)
        return 0;
    for (i = 2; i < count; i++)
        if ((bytes[i] & 0xc0) != 0x80)
            return 0;
    return count;
}

/* ---- ndjson ---------------------------------------------------------------------------------- */

static void ndjson_add_replaced(struct tn_output *output, unsigned char byte)
{
    static const char letters[] = "\"\"\\\\\bb\ff\nn\rr\tt"; /* pairs: the byte, its letter */
    const char *pair;

    for (pair = letters; *pair != '\0'; pair += 2)
        if ((unsigned char)pair[0] == byte) {
            tn_output_byte(output, '\\');
            tn_output_byte(output, pair[1]);
            return;
        }
    tn_output_format(output, "\\u%04x", byte);
}

void tn_escape_ndjson(struct tn_output *output, tarn_bytes text)
{
    const unsigned char *bytes = text.data;
    size_t begin = 0, at = 0, count;

    tn_output_byte(output, '"');
    while (at < text.bytes) {
        count = tn_utf8_character_bytes((tarn_bytes){ bytes + at, text.bytes - at });
        if (count > 1 ||
            (count == 1 && bytes[at] >= 0x20 && bytes[at] != '"' && bytes[at] != '\\')) {
            at += count;
            continue;
        }
        tn_output_add(output, bytes + begin, at - begin);
        ndjson_add_replaced(output, bytes[at]);
        begin = ++at;
    }
    if (at > begin) /* data may be NULL */
        tn_output_add(output, bytes + begin, at - begin);
    tn_output_byte(output, '"');
}

/* ---- pretty ---------------------------------------------------------------------------------- */

#define PRETTY_REPLACED_CELLS 4 /* \xNN */

/* Bytes of the character at the front that may be shown; 0: its first byte must be replaced. */
static size_t pretty_shown_bytes(tarn_bytes text)
{
    const unsigned char *bytes = text.data;
    size_t count = tn_utf8_character_bytes(text);
    bool control = bytes[0] < 0x20 || bytes[0] == 0x7f;

    if (count == 2 && bytes[0] == 0xc2 && bytes[1] < 0xa0)
        control = true; /* U+0080 to U+009F steer terminals as well */
    return control ? 0 : count;
}

size_t tn_pretty_cells(tarn_bytes text)
{
    const unsigned char *bytes = text.data;
    size_t at = 0, cells = 0, count;

    while (at < text.bytes) {
        count = pretty_shown_bytes((tarn_bytes){ bytes + at, text.bytes - at });
        cells += count != 0 ? 1 : PRETTY_REPLACED_CELLS;
        at += tn_max(count, 1);
    }
    return cells;
}

void tn_escape_pretty(struct tn_output *output, tarn_bytes text)
{
    const unsigned char *bytes = text.data;
    size_t at = 0, count;

    while (at < text.bytes) {
        count = pretty_shown_bytes((tarn_bytes){ bytes + at, text.bytes - at });
        if (count != 0)
            tn_output_add(output, bytes + at, count);
        else
            tn_output_format(output, "\\x%02x", bytes[at]);
        at += tn_max(count, 1);
    }
}
