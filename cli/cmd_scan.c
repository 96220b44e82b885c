/*
 * cmd_scan.c - tarn scan DIR and tarn dump DIR: entries of a table, one a line
 *
 * dump is the scan of everything, in the one format that load reads.
 */
#include "arguments.h"
#include "command.h"
#include "entry_line.h"
#include "escape.h"
#include "message.h"
#include "open_store.h"
#include "signals.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* dump has the first two. */
enum {
    SCAN_TABLE,
    SCAN_HEX,
    DUMP_OPTION_COUNT,
    SCAN_PREFIX = DUMP_OPTION_COUNT,
    SCAN_FROM,
    SCAN_TO,
    SCAN_REVERSE,
    SCAN_LIMIT,
    SCAN_OUTPUT,
};

static const struct tn_option scan_options[] = {
    [SCAN_TABLE] = { "table", 0, "NAME", "the table; 'default' when not given" },
    [SCAN_HEX] = { "hex", 0, NULL,
                   "keys and values are hex digits, what is given and what is printed" },
    [SCAN_PREFIX] = { "prefix", 0, "P", "only keys that begin with this" },
    [SCAN_FROM] = { "from", 0, "K", "only keys from this one on" },
    [SCAN_TO] = { "to", 0, "K", "only keys before this one" },
    [SCAN_REVERSE] = { "reverse", 0, NULL, "the last key first" },
    [SCAN_LIMIT] = { "limit", 0, "N", "at most so many entries" },
    [SCAN_OUTPUT] = { NULL, 'o', "FORMAT", "tsv (the default) or ndjson" },
};

static const struct tn_usage scan_usage = {
    .verb = "scan",
    .synopsis = "tarn scan DIR [OPTION...]",
    .summary =
        "Print the entries of a table in the order of their keys, one a line: key TAB value.\n"
        "Works beside a writer, whose last commit it shows.",
    .details =
        "In tsv \\t \\n \\r \\\\ are TAB, LF, CR and backslash, \\xNN any other control\n"
        "and what is no UTF-8. An unordered table has no order, and can only be printed whole.",
    .options = scan_options,
    .option_count = TN_ARRAY_COUNT(scan_options),
};

static const struct tn_usage dump_usage = {
    .verb = "dump",
    .synopsis = "tarn dump DIR [OPTION...]",
    .summary = "Print all entries of a table as lines that tarn load makes the same entries of.\n"
               "Works beside a writer, whose last commit it shows.",
    .options = scan_options,
    .option_count = DUMP_OPTION_COUNT,
};

struct scan {
    const char *verb;
    const char *table_name;
    tarn_range range;
    enum tn_entry_format format;
    bool hex;
    uint64_t limit; /* UINT64_MAX: none */
};

/* ---- the command line ------------------------------------------------------------------------ */

static bool limit_parse(const char *text, uint64_t *out)
{
    uint64_t number = 0;
    const char *at = text;

    for (; *at >= '0' && *at <= '9' && number < UINT64_MAX / 100; at++)
        number = number * 10 + (uint64_t)(*at - '0');
    *out = number;
    if (at != text && *at == '\0')
        return true;
    tn_message("scan", "--limit '%s': no number of entries; write digits", text);
    return false;
}

static bool format_parse(const char *text, enum tn_entry_format *out)
{
    *out = strcmp(text, "ndjson") == 0 ? TN_ENTRY_NDJSON : TN_ENTRY_TSV;
    if (*out == TN_ENTRY_NDJSON || strcmp(text, "tsv") == 0)
        return true;
    tn_message("scan", "-o '%s': no such format; there are tsv, ndjson", text);
    return false;
}

/* *storage is given: free it. An option not given leaves *out as it is. */
static bool bound_parse(const struct tn_arguments *arguments, size_t option, tarn_bytes *out,
                        char **storage)
{
    const char *text = arguments->values[option];
    const char *reason;
    char name[32];

    if (text == NULL)
        return true;
    *storage = strdup(text);
    if (*storage == NULL) {
        tn_message("scan", "out of memory");
        return false;
    }
    *out = (tarn_bytes){ *storage, strlen(text) };
    if (arguments->values[SCAN_HEX] != NULL &&
        !tn_entry_decode_hex(*storage, &out->bytes, &reason)) {
        tn_message("scan", "--%s '%s': %s", scan_options[option].name, text, reason);
        return false;
    }
    snprintf(name, sizeof name, "option --%s", scan_options[option].name);
    return !tn_open_store_key_is_refused("scan", name, out->bytes);
}

static bool scan_parse(struct scan *out, const struct tn_arguments *arguments, char **storage)
{
    const char *const *values = arguments->values;

    out->table_name = values[SCAN_TABLE];
    out->hex = values[SCAN_HEX] != NULL;
    out->limit = UINT64_MAX;
    out->range.reverse = values[SCAN_REVERSE] != NULL;
    return bound_parse(arguments, SCAN_PREFIX, &out->range.prefix, &storage[0]) &&
           bound_parse(arguments, SCAN_FROM, &out->range.lower, &storage[1]) &&
           bound_parse(arguments, SCAN_TO, &out->range.upper, &storage[2]) &&
           (values[SCAN_LIMIT] == NULL || limit_parse(values[SCAN_LIMIT], &out->limit)) &&
           (values[SCAN_OUTPUT] == NULL || format_parse(values[SCAN_OUTPUT], &out->format));
}

/* ---- the entries ----------------------------------------------------------------------------- */

static int entries_print(struct tn_open_store *open, const struct scan *scan,
                         tarn_iterator *iterator)
{
    struct tn_output output;
    tarn_bytes key, value;
    uint64_t left = scan->limit;
    int result = TARN_OK;
    int exit_code;

    tn_output_init(&output);
    while (left-- > 0 && *tn_signals_flag() == 0) {
        result = tarn_next(iterator, &key, &value);
        if (result != TARN_OK || !tn_entry_write(&output, scan->format, scan->hex, key, value))
            break;
    }
    exit_code = tn_output_close(&output, scan->verb);
    if (result < 0)
        return tn_open_store_fail(open, result);
    if (exit_code == TN_EXIT_DONE && *tn_signals_flag() != 0)
        return TN_EXIT_SIGNAL + (int)*tn_signals_flag();
    return exit_code;
}

static int scan_run(struct tn_open_store *open, const struct scan *scan)
{
    tarn_table *table;
    tarn_iterator *iterator;
    int exit_code = tn_open_store_table(open, scan->table_name, false, &table);
    int result;

    if (exit_code != TN_EXIT_DONE)
        return exit_code;
    result = tarn_scan(&iterator, table, &scan->range);
    if (result < 0)
        return tn_open_store_fail(open, result);
    exit_code = entries_print(open, scan, iterator);
    tarn_iterator_close(iterator);
    return exit_code;
}

static int scan_verb(const struct tn_usage *usage, int argc, char **argv)
{
    struct tn_arguments arguments;
    struct tn_open_store open;
    struct scan scan = { .verb = usage->verb };
    char *storage[3] = { NULL, NULL, NULL };
    int exit_code;
    size_t i;

    if (!tn_arguments_parse(&arguments, usage, argc, argv, &exit_code))
        return exit_code;
    exit_code = TN_EXIT_USAGE;
    if (tn_arguments_count_operands(&arguments, usage, 1, 1) &&
        !tn_open_store_name_is_refused(usage->verb, arguments.values[SCAN_TABLE]) &&
        scan_parse(&scan, &arguments, storage))
        exit_code = tn_open_store_begin(&open, usage->verb, arguments.operands[0], TN_OPEN_READ);
    if (exit_code == TN_EXIT_DONE)
        exit_code = tn_open_store_end(&open, scan_run(&open, &scan));
    for (i = 0; i < TN_ARRAY_COUNT(storage); i++)
        free(storage[i]);
    return exit_code;
}

int tn_cmd_scan(int argc, char **argv)
{
    return scan_verb(&scan_usage, argc, argv);
}

int tn_cmd_dump(int argc, char **argv)
{
    return scan_verb(&dump_usage, argc, argv);
}
