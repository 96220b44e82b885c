/*
 * fuzz_tsv.c - rows of tsv, and what is not
 */
#include "fuzz_reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    fuzz_specials(data, bytes, "\t\n\n");
    fuzz_reader(TN_FORMAT_TSV, data, bytes);
    return 0;
}
