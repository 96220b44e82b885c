/*
 * entry_line.c - one entry of a table as a line of text, and back; see entry_line.h for the rules
 *
 * What is decoded is never longer than its text, so a line is decoded where it lies.
 */
#include "entry_line.h"
#include "escape.h"

#include <string.h>

static const char hex_digits[] = "0123456789abcdef";

/* ---- writing --------------------------------------------------------------------------------- */

void tn_entry_write_hex(struct tn_output *output, tarn_bytes bytes)
{
    const unsigned char *at = bytes.data;
    size_t i;

    for (i = 0; i < bytes.bytes; i++) {
        tn_output_byte(output, hex_digits[at[i] >> 4]);
        tn_output_byte(output, hex_digits[at[i] & 15]);
    }
}

static void escaped_add(struct tn_output *output, unsigned char byte)
{
    static const char letters[] = "\tt\nn\rr\\\\"; /* pairs: the byte, its letter */
    const char *pair;

    tn_output_byte(output, '\\');
    for (pair = letters; *pair != '\0'; pair += 2)
        if ((unsigned char)pair[0] == byte) {
            tn_output_byte(output, pair[1]);
            return;
        }
    tn_output_byte(output, 'x');
    tn_entry_write_hex(output, (tarn_bytes){ &byte, 1 });
}

void tn_entry_write_text(struct tn_output *output, tarn_bytes text)
{
    const unsigned char *bytes = text.data;
    size_t begin = 0, at = 0, count;

    while (at < text.bytes) {
        count = tn_utf8_character_bytes((tarn_bytes){ bytes + at, text.bytes - at });
        if (count > 1 ||
            (count == 1 && bytes[at] >= 0x20 && bytes[at] != 0x7f && bytes[at] != '\\')) {
            at += count;
            continue;
        }
        tn_output_add(output, bytes + begin, at - begin);
        escaped_add(output, bytes[at]);
        begin = ++at;
    }
    if (at > begin) /* data may be NULL */
        tn_output_add(output, bytes + begin, at - begin);
}

static void json_add(struct tn_output *output, tarn_bytes text, bool hex)
{
    if (!hex) {
        tn_escape_ndjson(output, text);
        return;
    }
    tn_output_byte(output, '"');
    tn_entry_write_hex(output, text);
    tn_output_byte(output, '"');
}

bool tn_entry_write(struct tn_output *output, enum tn_entry_format format, bool hex, tarn_bytes key,
                    tarn_bytes value)
{
    void (*add)(struct tn_output *, tarn_bytes) = hex ? tn_entry_write_hex : tn_entry_write_text;

    if (format == TN_ENTRY_NDJSON) {
        tn_output_add(output, "{\"key\":", 7);
        json_add(output, key, hex);
        tn_output_add(output, ",\"value\":", 9);
        json_add(output, value, hex);
        tn_output_byte(output, '}');
    } else {
        add(output, key);
        tn_output_byte(output, '\t');
        add(output, value);
    }
    tn_output_byte(output, '\n');
    return tn_output_end_line(output);
}

/* ---- reading --------------------------------------------------------------------------------- */

static int digit_value(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F')
        return digit - 'A' + 10;
    return -1;
}

/* The byte that two digits are; -1 for none. */
static int hex_byte(const char *digits)
{
    int high = digit_value(digits[0]);
    int low = digit_value(digits[1]);

    return high < 0 || low < 0 ? -1 : high << 4 | low;
}

bool tn_entry_decode_hex(char *text, size_t *bytes, const char **reason)
{
    size_t i;
    int byte;

    *reason = "hex has two digits for every byte";
    if (*bytes % 2 != 0)
        return false;
    for (i = 0; i < *bytes / 2; i++) {
        byte = hex_byte(text + 2 * i);
        if (byte < 0)
            return false;
        text[i] = (char)byte;
    }
    *bytes /= 2;
    return true;
}

/* The byte of the escape at `text`, behind its backslash, and how long it is; -1: it is none. */
static int escape_read(const char *text, size_t left, size_t *out_bytes)
{
    *out_bytes = 1;
    if (left == 0)
        return -1;
    switch (text[0]) {
    case 't':
        return '\t';
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case '\\':
        return '\\';
    case 'x':
        *out_bytes = 3;
        return left >= 3 ? hex_byte(text + 1) : -1;
    default:
        return -1;
    }
}

static bool text_decode(char *text, size_t *bytes, const char **reason)
{
    size_t from = 0, to = 0, used;
    int byte;

    while (from < *bytes) {
        if (text[from] != '\\') {
            text[to++] = text[from++];
            continue;
        }
        byte = escape_read(text + from + 1, *bytes - from - 1, &used);
        if (byte < 0) {
            *reason = "an escape is none of \\t \\n \\r \\\\ \\xNN; write a backslash as \\\\";
            return false;
        }
        text[to++] = (char)byte;
        from += 1 + used;
    }
    *bytes = to;
    return true;
}

bool tn_entry_parse(char *line, size_t line_bytes, bool hex, tarn_bytes *key, tarn_bytes *value,
                    const char **reason)
{
    bool (*decode)(char *, size_t *, const char **) = hex ? tn_entry_decode_hex : text_decode;
    char *tab = line_bytes > 0 ? memchr(line, '\t', line_bytes) : NULL;
    size_t key_bytes, value_bytes;

    if (tab == NULL) {
        *reason = "there is no tab; a line is key TAB value";
        return false;
    }
    key_bytes = (size_t)(tab - line);
    value_bytes = line_bytes - key_bytes - 1;
    if (memchr(tab + 1, '\t', value_bytes) != NULL) {
        *reason = "there is a second tab; write it as \\t";
        return false;
    }
    if (!decode(line, &key_bytes, reason) || !decode(tab + 1, &value_bytes, reason))
        return false;
    *key = (tarn_bytes){ line, key_bytes };
    *value = (tarn_bytes){ tab + 1, value_bytes };
    return true;
}
