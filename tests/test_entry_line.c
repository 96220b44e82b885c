/* test_entry_line.c - entries as lines, and back */
#include "cli/entry_line.h"

#include "test.h"

static struct tn_output line_of(enum tn_entry_format format, bool hex, tarn_bytes key,
                                tarn_bytes value)
{
    struct tn_output output;

    tn_output_init(&output);
    check(tn_entry_write(&output, format, hex, key, value));
    return output;
}

static void writes(enum tn_entry_format format, bool hex, tarn_bytes key, tarn_bytes value,
                   const char *wanted)
{
    struct tn_output output = line_of(format, hex, key, value);

    check_bytes(output.bytes, output.used_bytes, wanted, strlen(wanted));
    free(output.bytes);
}

static void comes_back(bool hex, tarn_bytes key, tarn_bytes value)
{
    struct tn_output output = line_of(TN_ENTRY_TSV, hex, key, value);
    const char *reason = NULL;
    tarn_bytes key_again, value_again;

    check(memchr(output.bytes, '\n', output.used_bytes) == output.bytes + output.used_bytes - 1);
    check(tn_entry_parse(output.bytes, output.used_bytes - 1, hex, &key_again, &value_again,
                         &reason));
    check_bytes(key_again.data, key_again.bytes, key.data, key.bytes);
    check_bytes(value_again.data, value_again.bytes, value.data, value.bytes);
    free(output.bytes);
}

static bool reads(const char *text, bool hex)
{
    char line[64];
    const char *reason = NULL;
    tarn_bytes key, value;
    bool good;

    snprintf(line, sizeof line, "%s", text);
    good = tn_entry_parse(line, strlen(line), hex, &key, &value, &reason);
    if (!good)
        check(reason != NULL);
    return good;
}

static void every_byte_comes_back_alone_in_pairs_and_in_hex(void)
{
    unsigned char all[256], pair[2];
    unsigned i, j;

    for (i = 0; i < 256; i++)
        all[i] = (unsigned char)i;
    comes_back(false, (tarn_bytes){ all, 256 }, (tarn_bytes){ all, 256 });
    comes_back(true, (tarn_bytes){ all, 256 }, (tarn_bytes){ all, 256 });
    comes_back(false, (tarn_bytes){ all, 0 }, (tarn_bytes){ all, 0 });
    for (i = 0; i < 256; i++)
        for (j = 0; j < 256; j++) {
            pair[0] = (unsigned char)i;
            pair[1] = (unsigned char)j;
            comes_back(false, (tarn_bytes){ pair, 2 }, (tarn_bytes){ pair, 1 });
        }
}

static void what_would_end_a_field_or_is_no_text_is_escaped(void)
{
    writes(TN_ENTRY_TSV, false, (tarn_bytes){ "a\tb\n", 4 }, (tarn_bytes){ "\r\\\x01\x7f\xff", 5 },
           "a\\tb\\n\t\\r\\\\\\x01\\x7f\\xff\n");
    writes(TN_ENTRY_TSV, false, (tarn_bytes){ "caf\xc3\xa9", 5 }, (tarn_bytes){ NULL, 0 },
           "caf\xc3\xa9\t\n");
    writes(TN_ENTRY_TSV, true, (tarn_bytes){ "a\xff", 2 }, (tarn_bytes){ NULL, 0 }, "61ff\t\n");
    writes(TN_ENTRY_NDJSON, false, (tarn_bytes){ "a\t", 2 }, (tarn_bytes){ "\"", 1 },
           "{\"key\":\"a\\t\",\"value\":\"\\\"\"}\n");
    writes(TN_ENTRY_NDJSON, true, (tarn_bytes){ "a", 1 }, (tarn_bytes){ NULL, 0 },
           "{\"key\":\"61\",\"value\":\"\"}\n");
}

static void a_line_that_is_no_entry_is_refused(void)
{
    static const char *const broken[] = { "",       "key",    "a\tb\tc", "a\\\tb", "a\tb\\",
                                          "a\\q\t", "\t\\x1", "\t\\x1g", "\t\\x",  "\t\\T" };
    size_t i;

    for (i = 0; i < sizeof broken / sizeof broken[0]; i++)
        check(!reads(broken[i], false));
    check(reads("\t", false));
    check(reads("a\rb\t\\xaB", false));
    check(reads("\t", true));
    check(reads("aB\t0f", true));
    check(!reads("a\t00", true));
    check(!reads("0g\t00", true));
    check(!reads("00\tg0", true));
}

static const struct test tests[] = {
    T(every_byte_comes_back_alone_in_pairs_and_in_hex),
    T(what_would_end_a_field_or_is_no_text_is_escaped),
    T(a_line_that_is_no_entry_is_refused),
};
TEST_MAIN(tests)
