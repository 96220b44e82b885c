/*
 * fuzz.h - what an entry point for fuzzing needs
 *
 * tests/fuzz_<noun>.c takes any bytes, hands them to the code and checks what must hold whatever
 * they are. Built with -DTARN_FUZZ=ON it is a program of libFuzzer; else tests/fuzz_main.c makes it
 * an ordinary test, over its corpus (tests/corpus/<noun>) and mutations of it.
 *
 * What does not hold is said on standard error, and the program traps.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Always answers 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static inline void fuzz_fail(const char *file, int line, const char *what)
{
    fprintf(stderr, "%s:%d: is false: %s\n", file, line, what);
    abort();
}

#define fuzz_expect(condition) ((condition) ? (void)0 : fuzz_fail(__FILE__, __LINE__, #condition))

/* A copy with a NUL behind it, for free(). */
static inline char *fuzz_text(const uint8_t *data, size_t bytes)
{
    char *text = malloc(bytes + 1);

    fuzz_expect(text != NULL);
    if (bytes > 0)
        memcpy(text, data, bytes);
    text[bytes] = '\0';
    return text;
}

/* The next bytes as a number; 0 when there are fewer. */
static inline uint64_t fuzz_number(const uint8_t *data, size_t bytes)
{
    uint64_t number = 0;

    if (bytes >= sizeof number)
        memcpy(&number, data, sizeof number);
    return number;
}

#endif
