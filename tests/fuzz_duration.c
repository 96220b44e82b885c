/*
 * fuzz_duration.c - a text as a length of time, and a length printed and read again (U4)
 */
#include "fuzz.h"

#include "io/duration.h"

static void printed_is_read(int64_t ms)
{
    struct tn_reason reason;
    char text[TN_DURATION_BYTES_MAX];
    size_t bytes = tn_duration_print(ms, text);
    int64_t again = 0;

    fuzz_expect(bytes < sizeof text && strlen(text) == bytes);
    fuzz_expect((text[0] == '-') == (ms < 0));
    if (ms >= 0)
        fuzz_expect(tn_duration_read(text, &again, &reason) && again == ms);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct tn_reason reason = { 0 };
    char *text = fuzz_text(data, bytes);
    int64_t ms = -77;

    printed_is_read((int64_t)fuzz_number(data, bytes));
    if (tn_duration_read(text, &ms, &reason)) {
        fuzz_expect(ms >= 0); /* U1: no sign, U3: no overflow */
        printed_is_read(ms);
    } else {
        fuzz_expect(ms == -77);
        fuzz_expect(reason.bytes > 0 && reason.bytes == strlen(reason.text));
    }
    free(text);
    return 0;
}
