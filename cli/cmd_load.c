/*
 * cmd_load.c - tarn load DIR [FILE]: lines into entries
 *
 *     blocks of input --> | line | line | li |  --> tarn_put ... commit, every so many lines
 *                                        ^ kept in front for the next block
 *
 * A line is loaded or it ends the load; what was committed before stays, and is said.
 */
#include "arguments.h"
#include "command.h"
#include "entry_line.h"
#include "message.h"
#include "open_store.h"
#include "signals.h"

#include "io/input.h"
#include "io/reader.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define LOAD_COMMIT_LINES 100000 /* between commits */

enum { LOAD_TABLE, LOAD_HEX };

static const struct tn_option load_options[] = {
    [LOAD_TABLE] = { "table", 0, "NAME", "the table; 'default' when not given" },
    [LOAD_HEX] = { "hex", 0, NULL, "keys and values are hex digits, as from dump --hex" },
};

static const struct tn_usage load_usage = {
    .verb = "load",
    .synopsis = "tarn load DIR [FILE] [OPTION...]",
    .summary = "Put the entries of FILE, key TAB value on each line, into a table. Standard input\n"
               "without FILE, or '-'; gzip is recognised. Store and table are made when there are\n"
               "none.",
    .details =
        "\\t \\n \\r \\\\ \\xNN are TAB, LF, CR, backslash and any byte, as scan and dump write "
        "them.\n"
        "Every 100000 lines and at the end there is a commit that survives a power loss. A bad\n"
        "line ends the load; what was committed before stays.",
    .options = load_options,
    .option_count = TN_ARRAY_COUNT(load_options),
};

struct load {
    struct tn_open_store open;
    tarn_table *table;
    const char *file_name;
    struct tn_memory memory;
    struct tn_input *input;
    char *bytes; /* from the start of a line on */
    size_t used_bytes;
    size_t size_bytes;
    size_t searched_bytes; /* no line ends in these */
    uint64_t line_count;   /* put */
    uint64_t committed_count;
    bool hex;
};

static int load_commit(struct load *load)
{
    int exit_code = tn_open_store_commit(&load->open);

    if (exit_code == TN_EXIT_DONE)
        load->committed_count = load->line_count;
    return exit_code;
}

static int line_load(struct load *load, char *line, size_t line_bytes)
{
    tarn_bytes key, value;
    const char *reason;
    int result;

    if (!tn_entry_parse(line, line_bytes, load->hex, &key, &value, &reason)) {
        tn_message("load", "%s:%" PRIu64 ": %s", load->file_name, load->line_count + 1, reason);
        return TN_EXIT_REFUSED;
    }
    if (key.bytes > TARN_KEY_BYTES_MAX) {
        tn_message("load", "%s:%" PRIu64 ": its key has %zu bytes; a key has at most %u",
                   load->file_name, load->line_count + 1, key.bytes, TARN_KEY_BYTES_MAX);
        return TN_EXIT_REFUSED;
    }
    result = tarn_put(load->table, key.data, key.bytes, value.data, value.bytes);
    if (result < 0) {
        tn_message("load", "%s:%" PRIu64 ": this line:", load->file_name, load->line_count + 1);
        return tn_open_store_fail(&load->open, result);
    }
    load->line_count++;
    return load->line_count % LOAD_COMMIT_LINES == 0 ? load_commit(load) : TN_EXIT_DONE;
}

/* All whole lines there are; what is left moves to the front. */
static int lines_load(struct load *load)
{
    size_t at = 0;
    size_t searched = load->searched_bytes;
    int exit_code = TN_EXIT_DONE;
    char *end;

    while (exit_code == TN_EXIT_DONE) {
        end = memchr(load->bytes + searched, '\n', load->used_bytes - searched);
        if (end == NULL)
            break;
        exit_code = line_load(load, load->bytes + at, (size_t)(end - (load->bytes + at)));
        at = (size_t)(end - load->bytes) + 1;
        searched = at;
    }
    load->used_bytes -= at;
    memmove(load->bytes, load->bytes + at, load->used_bytes);
    load->searched_bytes = load->used_bytes;
    return exit_code;
}

static bool block_reserve(struct load *load)
{
    size_t size = tn_max(load->size_bytes, TN_INPUT_BLOCK_BYTES);
    char *bytes;

    while (size - load->used_bytes < TN_INPUT_BLOCK_BYTES)
        size *= 2;
    if (size == load->size_bytes)
        return true;
    bytes = realloc(load->bytes, size);
    if (bytes == NULL) {
        tn_message("load", "%s:%" PRIu64 ": out of memory for the line", load->file_name,
                   load->line_count + 1);
        return false;
    }
    load->bytes = bytes;
    load->size_bytes = size;
    return true;
}

/* The input has ended, or will not give more. */
static int input_end(struct load *load, int answer)
{
    if (answer == TN_READER_END)
        return load->used_bytes > 0 ? line_load(load, load->bytes, load->used_bytes) : TN_EXIT_DONE;
    if (answer == TN_READER_STOPPED)
        return TN_EXIT_SIGNAL + (int)*tn_signals_flag();
    tn_message("load", "%s: %s", load->file_name, tn_input_reason(load->input));
    return answer == TN_READER_REFUSED ? TN_EXIT_REFUSED : TN_EXIT_FAILED;
}

static int input_load(struct load *load)
{
    int exit_code = TN_EXIT_DONE;
    size_t bytes;
    int answer;

    while (exit_code == TN_EXIT_DONE) {
        if (!block_reserve(load))
            return TN_EXIT_FAILED;
        answer = tn_input_read(load->input, load->bytes + load->used_bytes, TN_INPUT_BLOCK_BYTES,
                               &bytes);
        if (answer != TN_READER_ROW)
            return input_end(load, answer);
        load->used_bytes += bytes;
        exit_code = lines_load(load);
    }
    return exit_code;
}

/* A signal commits what was loaded (S1 of signals.h lets it end the wait); a failure does not. */
static int load_run(struct load *load, const char *name)
{
    int exit_code = tn_open_store_table(&load->open, name, true, &load->table);
    int commit_code;

    if (exit_code == TN_EXIT_DONE)
        exit_code = input_load(load);
    if (exit_code == TN_EXIT_DONE || exit_code > TN_EXIT_SIGNAL) {
        commit_code = load_commit(load);
        exit_code = commit_code != TN_EXIT_DONE ? commit_code : exit_code;
    }
    if (exit_code != TN_EXIT_DONE)
        tn_message("load", "%s: the first %" PRIu64 " lines are committed, no others",
                   load->file_name, load->committed_count);
    return exit_code;
}

static int input_begin(struct load *load, const char *path)
{
    struct tn_reason reason = { 0 };
    struct tn_input_options options = { .memory = &load->memory, .stop = tn_signals_flag() };
    int answer;

    tn_memory_init(&load->memory, NULL, NULL, 0);
    answer = tn_input_open(&load->input, path, &options, &reason);
    if (answer == TN_READER_ROW)
        return TN_EXIT_DONE;
    if (answer == TN_READER_STOPPED)
        return TN_EXIT_SIGNAL + (int)*tn_signals_flag();
    tn_message("load", "%s: %s", load->file_name, reason.text);
    return answer == TN_READER_REFUSED ? TN_EXIT_REFUSED : TN_EXIT_FAILED;
}

int tn_cmd_load(int argc, char **argv)
{
    struct tn_arguments arguments;
    struct load load = { 0 };
    const char *path;
    int exit_code;

    if (!tn_arguments_parse(&arguments, &load_usage, argc, argv, &exit_code))
        return exit_code;
    if (!tn_arguments_count_operands(&arguments, &load_usage, 1, 2) ||
        tn_open_store_name_is_refused("load", arguments.values[LOAD_TABLE]))
        return TN_EXIT_USAGE;
    path = arguments.operand_count > 1 ? arguments.operands[1] : "-";
    load.file_name = strcmp(path, "-") == 0 ? "standard input" : path;
    load.hex = arguments.values[LOAD_HEX] != NULL;
    exit_code = input_begin(&load, path);
    if (exit_code == TN_EXIT_DONE)
        exit_code = tn_open_store_begin(&load.open, "load", arguments.operands[0], TN_OPEN_CREATE);
    if (exit_code == TN_EXIT_DONE)
        exit_code = tn_open_store_end(&load.open, load_run(&load, arguments.values[LOAD_TABLE]));
    tn_input_close(load.input);
    free(load.bytes);
    return exit_code;
}
