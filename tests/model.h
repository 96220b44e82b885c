/*
 * model.h - programs of store operations, run against the store and a model of it
 *
 * A program comes from a seed, from counting through an alphabet, or from bytes that a fuzzer made. What
 * differs is printed as lines of '# ...'.
 */
#ifndef TEST_MODEL_H
#define TEST_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* As many programs as make up that many operations, from the seed on; the first that fails is made short. */
bool model_random_programs(uint64_t seed, uint64_t operation_count);

/* Every sequence of that many operations out of an alphabet of 12, over 3 keys. */
bool model_every_sequence(size_t length, int kind);

/*
 * One program: 8 bytes of setting, then 8 bytes for each operation (verb, slot, key, value). NULL: it did
 * what the model does; else what differs. Traps of the store are the caller's to see.
 */
const char *model_run_bytes(const uint8_t *data, size_t bytes);

#endif
