/*
 * cmd_put.c - tarn put DIR KEY [VALUE]
 */
#include "arguments.h"
#include "command.h"
#include "entry_line.h"
#include "message.h"
#include "open_store.h"
#include "signals.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PUT_TABLE, PUT_HEX };

static const struct tn_option put_options[] = {
    [PUT_TABLE] = { "table", 0, "NAME", "the table; 'default' when not given" },
    [PUT_HEX] = { "hex", 0, NULL, "KEY and VALUE are hex digits" },
};

static const struct tn_usage put_usage = {
    .verb = "put",
    .synopsis = "tarn put DIR KEY [VALUE] [OPTION...]",
    .summary = "Set the value of a key, in one commit that survives a power loss. Without VALUE\n"
               "it is standard input's bytes, all of them. Store and table are made when there\n"
               "are none.",
    .options = put_options,
    .option_count = TN_ARRAY_COUNT(put_options),
};

/* An exit code. *out is given: free it, also after a failure. */
static int input_read_all(char **out, size_t *out_bytes)
{
    size_t size = 64 * TN_KIB;
    ssize_t got = 1;
    char *more;
    int exit_code;

    *out = NULL;
    *out_bytes = 0;
    while (got > 0) {
        more = *out_bytes < size && *out != NULL ? *out : realloc(*out, size *= 2);
        if (more == NULL) {
            tn_message("put", "out of memory for the value; nothing was changed");
            return TN_EXIT_FAILED;
        }
        *out = more;
        got = read(STDIN_FILENO, *out + *out_bytes, size - *out_bytes);
        if (got > 0)
            *out_bytes += (size_t)got;
        if (*out_bytes > TARN_VALUE_BYTES_MAX) {
            tn_message("put",
                       "standard input has more than %u bytes, the most of a value; nothing "
                       "was changed",
                       TARN_VALUE_BYTES_MAX);
            return TN_EXIT_REFUSED;
        }
        if (*tn_signals_flag() != 0)
            return TN_EXIT_SIGNAL + (int)*tn_signals_flag();
        if (got < 0 && errno == EINTR)
            got = 1;
    }
    if (got == 0)
        return TN_EXIT_DONE;
    exit_code = errno == EISDIR ? TN_EXIT_REFUSED : TN_EXIT_FAILED;
    tn_message("put", "standard input: %s; nothing was changed", strerror(errno));
    return exit_code;
}

static int put_run(struct tn_open_store *open, const char *name, tarn_bytes key, tarn_bytes value)
{
    tarn_table *table = NULL;
    int exit_code = tn_open_store_table(open, name, true, &table);
    int result;

    if (exit_code != TN_EXIT_DONE)
        return exit_code;
    result = tarn_put(table, key.data, key.bytes, value.data, value.bytes);
    return result < 0 ? tn_open_store_fail(open, result) : tn_open_store_commit(open);
}

static bool operands_decode(const struct tn_arguments *arguments, tarn_bytes *operands)
{
    bool hex = arguments->values[PUT_HEX] != NULL;
    const char *reason;
    size_t i;

    for (i = 1; i < arguments->operand_count; i++) {
        operands[i] = (tarn_bytes){ arguments->operands[i], strlen(arguments->operands[i]) };
        if (hex && !tn_entry_decode_hex(arguments->operands[i], &operands[i].bytes, &reason)) {
            tn_message("put", "%s: %s", i == 1 ? "KEY" : "VALUE", reason);
            return false;
        }
    }
    return true;
}

int tn_cmd_put(int argc, char **argv)
{
    struct tn_arguments arguments;
    struct tn_open_store open;
    tarn_bytes operands[3] = { { NULL, 0 } };
    char *input = NULL;
    int exit_code;

    if (!tn_arguments_parse(&arguments, &put_usage, argc, argv, &exit_code))
        return exit_code;
    if (!tn_arguments_count_operands(&arguments, &put_usage, 2, 3) ||
        !operands_decode(&arguments, operands) ||
        tn_open_store_name_is_refused("put", arguments.values[PUT_TABLE]))
        return TN_EXIT_USAGE;
    if (tn_open_store_key_is_refused("put", "KEY", operands[1].bytes))
        return TN_EXIT_REFUSED;
    exit_code = TN_EXIT_DONE;
    if (arguments.operand_count < 3) {
        exit_code = input_read_all(&input, &operands[2].bytes);
        operands[2].data = input;
    }
    if (exit_code == TN_EXIT_DONE)
        exit_code = tn_open_store_begin(&open, "put", arguments.operands[0], TN_OPEN_CREATE);
    if (exit_code == TN_EXIT_DONE)
        exit_code = tn_open_store_end(
            &open, put_run(&open, arguments.values[PUT_TABLE], operands[1], operands[2]));
    free(input);
    return exit_code;
}
