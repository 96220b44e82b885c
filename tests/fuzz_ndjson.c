/*
 * fuzz_ndjson.c - lines of JSON objects, and what is not
 */
#include "fuzz_reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    fuzz_reader(TN_FORMAT_NDJSON, data, bytes);
    return 0;
}
