/*
 * cmd_del.c - tarn del DIR KEY...
 */
#include "arguments.h"
#include "command.h"
#include "entry_line.h"
#include "message.h"
#include "open_store.h"

#include <string.h>

enum { DEL_TABLE, DEL_HEX };

static const struct tn_option del_options[] = {
    [DEL_TABLE] = { "table", 0, "NAME", "the table; 'default' when not given" },
    [DEL_HEX] = { "hex", 0, NULL, "KEYs are hex digits" },
};

static const struct tn_usage del_usage = {
    .verb = "del",
    .synopsis = "tarn del DIR KEY... [OPTION...]",
    .summary =
        "Delete keys, all in one commit that survives a power loss. When one of them is not\n"
        "there the others are deleted, and it is exit 1.",
    .options = del_options,
    .option_count = TN_ARRAY_COUNT(del_options),
};

static int key_delete(struct tn_open_store *open, tarn_table *table, char *key, bool hex,
                      bool *absent)
{
    size_t key_bytes = strlen(key);
    const char *reason;
    int result;

    if (hex && !tn_entry_decode_hex(key, &key_bytes, &reason)) {
        tn_message("del", "KEY: %s; nothing was deleted", reason);
        return TN_EXIT_USAGE;
    }
    if (tn_open_store_key_is_refused("del", "nothing was deleted: KEY", key_bytes))
        return TN_EXIT_REFUSED;
    result = tarn_delete(table, key, key_bytes);
    if (result < 0)
        return tn_open_store_fail(open, result);
    *absent = *absent || result == TARN_ABSENT;
    return TN_EXIT_DONE;
}

static int del_run(struct tn_open_store *open, const struct tn_arguments *arguments)
{
    tarn_table *table;
    bool absent = false;
    int exit_code = tn_open_store_table(open, arguments->values[DEL_TABLE], false, &table);
    size_t i;

    for (i = 1; exit_code == TN_EXIT_DONE && i < arguments->operand_count; i++)
        exit_code = key_delete(open, table, arguments->operands[i],
                               arguments->values[DEL_HEX] != NULL, &absent);
    if (exit_code == TN_EXIT_DONE)
        exit_code = tn_open_store_commit(open);
    return exit_code == TN_EXIT_DONE && absent ? TN_EXIT_NEGATIVE : exit_code;
}

int tn_cmd_del(int argc, char **argv)
{
    struct tn_arguments arguments;
    struct tn_open_store open;
    int exit_code;

    if (!tn_arguments_parse(&arguments, &del_usage, argc, argv, &exit_code))
        return exit_code;
    if (!tn_arguments_count_operands(&arguments, &del_usage, 2, SIZE_MAX) ||
        tn_open_store_name_is_refused("del", arguments.values[DEL_TABLE]))
        return TN_EXIT_USAGE;
    exit_code = tn_open_store_begin(&open, "del", arguments.operands[0], TN_OPEN_CHANGE);
    if (exit_code != TN_EXIT_DONE)
        return exit_code;
    return tn_open_store_end(&open, del_run(&open, &arguments));
}
