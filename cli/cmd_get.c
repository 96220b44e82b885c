/*
 * cmd_get.c - tarn get DIR KEY
 */
#include "arguments.h"
#include "command.h"
#include "entry_line.h"
#include "message.h"
#include "open_store.h"

#include <string.h>

enum { GET_TABLE, GET_HEX };

static const struct tn_option get_options[] = {
    [GET_TABLE] = { "table", 0, "NAME", "the table; 'default' when not given" },
    [GET_HEX] = { "hex", 0, NULL, "KEY is hex digits, and so is what is printed" },
};

static const struct tn_usage get_usage = {
    .verb = "get",
    .synopsis = "tarn get DIR KEY [OPTION...]",
    .summary = "Print the value of a key: its bytes as they are, without a line's end.\n"
               "A key or table that is not there is exit 1. Works beside a writer.",
    .options = get_options,
    .option_count = TN_ARRAY_COUNT(get_options),
};

static int value_print(tarn_bytes value, bool hex)
{
    struct tn_output output;

    tn_output_init(&output);
    if (hex) {
        tn_entry_write_hex(&output, value);
        tn_output_byte(&output, '\n');
    } else {
        tn_output_add(&output, value.data, value.bytes);
    }
    return tn_output_close(&output, "get");
}

static int get_run(struct tn_open_store *open, const char *name, tarn_bytes key, bool hex)
{
    tarn_table *table;
    tarn_bytes value;
    int exit_code = tn_open_store_table(open, name, false, &table);
    int result;

    if (exit_code != TN_EXIT_DONE)
        return exit_code;
    result = tarn_get(table, key.data, key.bytes, &value.data, &value.bytes);
    if (result < 0)
        return tn_open_store_fail(open, result);
    return result == TARN_ABSENT ? TN_EXIT_NEGATIVE : value_print(value, hex);
}

int tn_cmd_get(int argc, char **argv)
{
    struct tn_arguments arguments;
    struct tn_open_store open;
    const char *reason;
    tarn_bytes key;
    int exit_code;

    if (!tn_arguments_parse(&arguments, &get_usage, argc, argv, &exit_code))
        return exit_code;
    if (!tn_arguments_count_operands(&arguments, &get_usage, 2, 2))
        return TN_EXIT_USAGE;
    key = (tarn_bytes){ arguments.operands[1], strlen(arguments.operands[1]) };
    if (arguments.values[GET_HEX] != NULL &&
        !tn_entry_decode_hex(arguments.operands[1], &key.bytes, &reason)) {
        tn_message("get", "KEY: %s", reason);
        return TN_EXIT_USAGE;
    }
    if (tn_open_store_name_is_refused("get", arguments.values[GET_TABLE]))
        return TN_EXIT_USAGE;
    if (tn_open_store_key_is_refused("get", "KEY", key.bytes))
        return TN_EXIT_REFUSED;
    exit_code = tn_open_store_begin(&open, "get", arguments.operands[0], TN_OPEN_READ);
    if (exit_code != TN_EXIT_DONE)
        return exit_code;
    exit_code = get_run(&open, arguments.values[GET_TABLE], key, arguments.values[GET_HEX] != NULL);
    return tn_open_store_end(&open, exit_code);
}
