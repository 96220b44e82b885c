/*
 * message.c - one line to stderr; see message.h
 */
#include "message.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MESSAGE_BYTES_MAX 4096

static size_t message_clean(char *text)
{
    size_t i;

    for (i = 0; text[i] != '\0'; i++)
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
            text[i] = '?';
    return i;
}

void tn_message(const char *verb, const char *format, ...)
{
    char line[MESSAGE_BYTES_MAX + 1]; /* 1: the line's end takes the place of the NUL */
    va_list arguments;
    int head;
    size_t bytes;

    if (verb != NULL)
        head = snprintf(line, MESSAGE_BYTES_MAX, "tarn %s: ", verb);
    else
        head = snprintf(line, MESSAGE_BYTES_MAX, "tarn: ");
    va_start(arguments, format);
    vsnprintf(line + head, MESSAGE_BYTES_MAX - (size_t)head, format, arguments);
    va_end(arguments);
    bytes = message_clean(line);
    line[bytes] = '\n';
    if (write(STDERR_FILENO, line, bytes + 1) < 0)
        return; /* there is nowhere left to say so */
}

/* ---- did you mean ---------------------------------------------------------------------------- */

#define NEAREST_BYTES_MAX 32

/* Insertions, deletions, replacements that turn a into b, both at most NEAREST_BYTES_MAX long. */
static size_t name_distance(const char *a, const char *b)
{
    size_t row[NEAREST_BYTES_MAX + 1];
    size_t a_bytes = strlen(a), b_bytes = strlen(b);
    size_t i, j;

    for (j = 0; j <= b_bytes; j++)
        row[j] = j;
    for (i = 1; i <= a_bytes; i++) {
        size_t diagonal = row[0];

        row[0] = i;
        for (j = 1; j <= b_bytes; j++) {
            size_t replaced = diagonal + (a[i - 1] != b[j - 1]);

            diagonal = row[j];
            row[j] = tn_min(replaced, tn_min(row[j], row[j - 1]) + 1);
        }
    }
    return row[b_bytes];
}

const char *tn_nearest_name(const char *word, const char *const *names, size_t stride, size_t count)
{
    size_t nearest_distance = strlen(word) < 4 ? 2 : 3; /* further away is another word */
    const char *nearest = NULL;
    const char *name;
    size_t i, distance;

    if (strlen(word) > NEAREST_BYTES_MAX)
        return NULL;
    for (i = 0; i < count; i++) {
        memcpy(&name, (const char *)names + i * stride, sizeof name);
        if (name == NULL || strlen(name) > NEAREST_BYTES_MAX)
            continue;
        distance = name_distance(word, name);
        if (distance < nearest_distance) {
            nearest_distance = distance;
            nearest = name;
        }
    }
    return nearest;
}
