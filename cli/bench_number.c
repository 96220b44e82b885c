/*
 * bench_number.c - see bench_number.h
 */
#include "bench_number.h"
#include "message.h"

#include <stdlib.h>
#include <string.h>

uint64_t tn_bench_number(const char *verb, const char *option, const char *text, uint64_t max)
{
    static const char suffixes[] = "KMG";
    const char *suffix;
    char *end;
    uint64_t number = *text >= '0' && *text <= '9' ? strtoull(text, &end, 10) : 0, factor = 1;

    if (number > 0 && *end != '\0' && (suffix = strchr(suffixes, *end & ~0x20)) != NULL) {
        for (; suffix >= suffixes; suffix--)
            factor *= 1000;
        end++;
    }
    if (number > 0 && *end == '\0' && number <= max / factor)
        return number * factor;
    tn_message(verb, "--%s: '%s' is not a number from 1 to %llu", option, text,
               (unsigned long long)max);
    return 0;
}
