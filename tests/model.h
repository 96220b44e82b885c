/*
 * model.h - programs of store operations, run against the store and a model of it
 *
 *     model/program   what is to be done: from a seed, from bytes
 *     model/keys      all keys, sorted beforehand, and the bytes of values
 *     model/table     the model: arrays by the rank of a key
 *     model/run       the operations on both, and the comparison
 *     model.c         runs in children, every short sequence, failing programs made short
 *
 * A program comes from a seed, from counting through an alphabet, or from bytes that a fuzzer made.
 * What differs is printed as lines of '# ...'. An *operation* is a call of tarn.h whose answer was
 * compared; the counts that are asked after each step are not counted.
 */
#ifndef TEST_MODEL_H
#define TEST_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/*
 * Programs from the seed on, until they have made that many operations; the first that fails is
 * made short. *seed becomes the one after the last that was run, or, on failure, the one that
 * failed.
 */
bool model_random_programs(uint64_t *seed, uint64_t operation_count);

/* The same, but only those whose store is on disk. */
bool model_disk_programs(uint64_t *seed, uint64_t operation_count);

/* Every sequence of that many operations out of an alphabet of 12, over 3 keys. */
bool model_every_sequence(size_t length, int kind);

/*
 * One program: 8 bytes of setting, then 8 bytes for each operation (verb, slot, key, value). NULL:
 * it did what the model does; else what differs. Traps of the store are the caller's to see.
 */
const char *model_run_bytes(const uint8_t *data, size_t bytes);

/* Of the last of these: operations in all. */
uint64_t model_operation_count(void);

/* The same in parts, as '<TAB>name=count': steps, programs of each shape, operations by call. */
void model_print_counts(FILE *to);

#endif
