/*
 * fuzz_csv.c - rows of csv, and what is not
 */
#include "fuzz_reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    fuzz_specials(data, bytes, ",\"\n");
    fuzz_reader(TN_FORMAT_CSV, data, bytes);
    return 0;
}
