/*
 * fuzz_timestamp.c - the format of times and a time; up to the first line feed is the format
 */
#include "fuzz.h"

#include "io/pattern.h"
#include "io/timestamp.h"

/* What is printed is read as the same time, in the years that iso has (T1, T6). */
static void printed_is_read(int64_t ms)
{
    struct tn_timestamp_format iso = { .kind = TN_TIMESTAMP_ISO };
    struct tn_reason reason;
    char text[TN_TIMESTAMP_BYTES_MAX];
    size_t bytes = tn_timestamp_print(ms, text);
    int64_t again = 0;

    fuzz_expect(bytes < sizeof text && strlen(text) == bytes);
    if (ms < INT64_C(-62135596800000) || ms > INT64_C(253402300799999))
        return;
    fuzz_expect(tn_timestamp_read(&iso, (tarn_bytes){ text, bytes }, &again, &reason));
    fuzz_expect(again == ms);
}

static void text_is_read(struct tn_timestamp_format *format, tarn_bytes text)
{
    const enum tn_timestamp_kind kind = format->kind;
    struct tn_reason reason = { 0 };
    int64_t ms = 77, again = 0;

    if (!tn_timestamp_read(format, text, &ms, &reason)) {
        fuzz_expect(reason.bytes > 0 && reason.bytes == strlen(reason.text));
        fuzz_expect(ms == 77 && format->kind == kind);
        return;
    }
    fuzz_expect(ms != INT64_MIN);                                                         /* T3 */
    fuzz_expect(kind == TN_TIMESTAMP_AUTO ? format->kind != kind : format->kind == kind); /* T4 */
    fuzz_expect(tn_timestamp_read(format, text, &again, &reason) && again == ms);
    printed_is_read(ms);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    const uint8_t *end = bytes > 0 ? memchr(data, '\n', bytes) : NULL;
    size_t format_bytes = end != NULL ? (size_t)(end - data) : bytes;
    struct tn_timestamp_format format = { 0 }, again = { 0 };
    struct tn_reason reason = { 0 };
    char *name = fuzz_text(data, format_bytes);

    printed_is_read((int64_t)fuzz_number(data, bytes));
    printed_is_read((int64_t)fuzz_number(data, bytes) / 40000);
    if (tn_timestamp_format_read(&format, name, &reason)) {
        fuzz_expect(tn_timestamp_format_read(&again, tn_timestamp_format_text(&format), &reason));
        fuzz_expect(again.kind == format.kind && strcmp(again.pattern, format.pattern) == 0);
        if (end != NULL)
            text_is_read(&format, (tarn_bytes){ end + 1, bytes - format_bytes - 1 });
    } else {
        fuzz_expect(reason.bytes > 0 && reason.bytes == strlen(reason.text));
    }
    free(name);
    return 0;
}
