/*
 * mix.h - which verbs a program has, and how often
 *
 *     stretch of 512 operations --> character (grows, shrinks, ...), keys it is about, shares of the rest
 *     random --> a verb, by the weights of the character
 */
#ifndef MODEL_MIX_H
#define MODEL_MIX_H

#include "model/program.h"

enum character { ALL_SORTS, GROWS, SHRINKS, CHURNS, IS_SCANNED, UPHEAVAL, CHARACTERS };

struct stretch {
    enum character character;
    uint64_t near, width;                 /* of the keys */
    unsigned snapshots, dicts, neighbour; /* of a hundred verbs so many */
    unsigned disk;                        /* of a thousand, before those */
};

struct stretch stretch_make(const struct setting *setting, uint64_t random);
uint8_t verb_of(const struct setting *setting, const struct stretch *stretch, uint64_t random,
                uint64_t other);

#endif
