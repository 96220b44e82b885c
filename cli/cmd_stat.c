/*
 * cmd_stat.c - tarn stat DIR: what a store consists of
 *
 * Text is a line for each fact, a word TAB what it is, and a line for each table; --json is one
 * object.
 */
#include "arguments.h"
#include "command.h"
#include "entry_line.h"
#include "escape.h"
#include "open_store.h"

#include <inttypes.h>

enum { STAT_JSON };

static const struct tn_option stat_options[] = {
    [STAT_JSON] = { "json", 0, NULL, "one JSON object" },
};

static const struct tn_usage stat_usage = {
    .verb = "stat",
    .synopsis = "tarn stat DIR [--json]",
    .summary = "Print a store's last commit and its note, its files and tables. Works beside a\n"
               "writer, whose last commit it shows.",
    .details =
        "A line for each fact: a word, TAB, what it is. Of each table: name, kind, entries,\n"
        "bytes of keys and values. Names and notes are escaped as tarn scan does.",
    .options = stat_options,
    .option_count = TN_ARRAY_COUNT(stat_options),
};

struct stat_facts {
    const char *path;
    uint64_t commit_number;
    tarn_bytes note;
    tarn_statistics statistics;
    const tarn_report *report;
};

/* By its name in the output, in the order of the output. */
struct stat_number {
    const char *name;
    uint64_t number;
};

#define STAT_NUMBER_COUNT 8

static void numbers_fill(const struct stat_facts *facts, struct stat_number *out)
{
    const tarn_statistics *statistics = &facts->statistics;
    const struct stat_number numbers[STAT_NUMBER_COUNT] = {
        { "commit", facts->commit_number },        { "synced", statistics->synced_number },
        { "sections", statistics->section_count }, { "files", statistics->file_count },
        { "file_bytes", statistics->file_bytes },  { "other_names", statistics->other_name_count },
        { "entries", statistics->entry_count },    { "entry_bytes", statistics->entry_bytes },
    };
    size_t i;

    for (i = 0; i < STAT_NUMBER_COUNT; i++)
        out[i] = numbers[i];
}

static const char *kind_name(const tarn_table_info *info)
{
    if (info->is_dictionary)
        return "dictionary";
    return info->options.kind == TARN_ORDERED ? "ordered" : "unordered";
}

/* ---- text ------------------------------------------------------------------------------------ */

static void table_print(struct tn_output *output, const tarn_table_info *info)
{
    tn_output_format(output, "table\t");
    tn_entry_write_text(output, info->name);
    tn_output_format(output, "\t%s\t%" PRIu64 "\t%" PRIu64 "\n", kind_name(info), info->entry_count,
                     info->entry_bytes);
    (void)tn_output_end_line(output);
}

static void text_print(struct tn_output *output, const struct stat_facts *facts, tarn_store *store)
{
    struct stat_number numbers[STAT_NUMBER_COUNT];
    tarn_table_info info;
    uint64_t place;
    size_t i;

    numbers_fill(facts, numbers);
    tn_output_format(output, "store\t");
    tn_entry_write_text(output, tn_bytes_of_text(facts->path));
    tn_output_format(output, "\nnote\t");
    tn_entry_write_text(output, facts->note);
    tn_output_byte(output, '\n');
    for (i = 0; i < STAT_NUMBER_COUNT; i++)
        tn_output_format(output, "%s\t%" PRIu64 "\n", numbers[i].name, numbers[i].number);
    if (facts->report->dropped_bytes > 0)
        tn_output_format(output, "dropped\t%s\n", facts->report->text);
    (void)tn_output_end_line(output);
    for (place = 0; tarn_table_at(store, place, &info) == TARN_OK; place++)
        table_print(output, &info);
}

/* ---- json ------------------------------------------------------------------------------------ */

static void table_print_json(struct tn_output *output, const tarn_table_info *info)
{
    tn_output_format(output, "{\"name\":");
    tn_escape_ndjson(output, info->name);
    tn_output_format(output, ",\"kind\":\"%s\",\"entries\":%" PRIu64 ",\"bytes\":%" PRIu64 "}",
                     kind_name(info), info->entry_count, info->entry_bytes);
}

/* The note twice: JSON has only characters. */
static void json_print(struct tn_output *output, const struct stat_facts *facts, tarn_store *store)
{
    struct stat_number numbers[STAT_NUMBER_COUNT];
    tarn_table_info info;
    uint64_t place;
    size_t i;

    numbers_fill(facts, numbers);
    tn_output_format(output, "{\"store\":");
    tn_escape_ndjson(output, tn_bytes_of_text(facts->path));
    tn_output_format(output, ",\"note\":");
    tn_escape_ndjson(output, facts->note);
    tn_output_format(output, ",\"note_hex\":\"");
    tn_entry_write_hex(output, facts->note);
    tn_output_byte(output, '"');
    for (i = 0; i < STAT_NUMBER_COUNT; i++)
        tn_output_format(output, ",\"%s\":%" PRIu64, numbers[i].name, numbers[i].number);
    tn_output_format(output, ",\"dropped_bytes\":%" PRIu64 ",\"tables\":[",
                     facts->report->dropped_bytes);
    for (place = 0; tarn_table_at(store, place, &info) == TARN_OK; place++) {
        if (place > 0)
            tn_output_byte(output, ',');
        table_print_json(output, &info);
    }
    tn_output_format(output, "]}\n");
    (void)tn_output_end_line(output);
}

/* ---- the verb -------------------------------------------------------------------------------- */

static int stat_run(struct tn_open_store *open, bool json)
{
    struct stat_facts facts = { .path = open->path, .report = &open->report };
    struct tn_output output;
    int result = tarn_last_commit(open->store, &facts.commit_number, &facts.note);

    if (result == TARN_OK)
        result = tarn_stat(open->store, &facts.statistics);
    if (result < 0)
        return tn_open_store_fail(open, result);
    tn_output_init(&output);
    if (json)
        json_print(&output, &facts, open->store);
    else
        text_print(&output, &facts, open->store);
    return tn_output_close(&output, "stat");
}

int tn_cmd_stat(int argc, char **argv)
{
    struct tn_arguments arguments;
    struct tn_open_store open;
    int exit_code;

    if (!tn_arguments_parse(&arguments, &stat_usage, argc, argv, &exit_code))
        return exit_code;
    if (!tn_arguments_count_operands(&arguments, &stat_usage, 1, 1))
        return TN_EXIT_USAGE;
    exit_code = tn_open_store_begin(&open, "stat", arguments.operands[0], TN_OPEN_READ);
    if (exit_code != TN_EXIT_DONE)
        return exit_code;
    return tn_open_store_end(&open, stat_run(&open, arguments.values[STAT_JSON] != NULL));
}
