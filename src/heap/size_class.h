/*
 * size_class.h - which slot a record of some size gets
 *
 *     bytes     8 16 24 ... 256 | 264 272 ... 512 | 528 544 ... 1024 | ... 128 KiB | large
 *     step            8         |   8 (256 / 32)  |       16         |    4096     |
 *
 * The step is 1/32 of the doubling below it, so a slot is at most 8 bytes or 1/32 larger than what
 * it holds.
 */
#ifndef TN_SIZE_CLASS_H
#define TN_SIZE_CLASS_H

#include "heap/heap.h"

#define SIZE_CLASS_GRANULES_MAX ((size_t)(128 * TN_KIB) / TN_GRANULE_BYTES)
#define SIZE_CLASS_LINEAR_GRANULES ((size_t)32)
#define SIZE_CLASS_STEPS_SHIFT 5

/* Classes of records of 1 .. SIZE_CLASS_GRANULES_MAX granules. */
static inline unsigned size_class_of(size_t granules)
{
    unsigned doubling, step;

    if (granules <= SIZE_CLASS_LINEAR_GRANULES)
        return (unsigned)granules - 1;
    doubling = tn_log2(granules - 1);
    step = (unsigned)((granules - 1) >> (doubling - SIZE_CLASS_STEPS_SHIFT)) & 31u;
    return 32u * (doubling - SIZE_CLASS_STEPS_SHIFT + 1) + step;
}

/* Granules of a slot of that class: the inverse of size_class_of, rounded up. */
static inline size_t size_class_granules(unsigned size_class)
{
    unsigned doubling = size_class / 32, step = size_class % 32;

    if (doubling == 0)
        return step + 1;
    return (size_t)(32 + step + 1) << (doubling - 1);
}

#endif
