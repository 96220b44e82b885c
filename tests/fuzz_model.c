/*
 * fuzz_model.c - bytes as a program of store operations, run beside the model
 */
#include "fuzz.h"
#include "model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    const char *difference = model_run_bytes(data, bytes);

    if (difference != NULL)
        fprintf(stderr, "%s\n", difference);
    fuzz_expect(difference == NULL);
    return 0;
}
