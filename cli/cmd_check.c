/*
 * cmd_check.c - tarn check DIR: read all of a store, and tell what is damaged
 */
#include "arguments.h"
#include "command.h"
#include "damage_line.h"
#include "message.h"
#include "open_store.h"
#include "signals.h"

#include <inttypes.h>

static const struct tn_usage check_usage = {
    .verb = "check",
    .synopsis = "tarn check DIR",
    .summary =
        "Read every byte of a store and tell what is damaged, a line each. Changes nothing and\n"
        "works beside a writer. Damage is exit 1; what a power loss left unfinished behind the\n"
        "last commit is none.",
    .details =
        "A line is: kind, file, offset, bytes, commit, what; TAB between, - for what is not\n"
        "known. The kinds: lost, entries are gone; refused, nothing is gone but the store does\n"
        "not open; harmless, nothing needs what was there. tarn salvage makes a new store of\n"
        "what can be read.",
};

static void whole_say(const char *path, const tarn_check_result *result)
{
    const tarn_report *report = &result->report;

    if (report->dropped_bytes > 0)
        tn_message("check", "%s: %s", path, report->text);
    tn_message("check",
               "%s: whole: commit %" PRIu64 ", %" PRIu64 " entries in %" PRIu64
               " commits and %" PRIu64 " files were read",
               path, report->commit_number, result->entry_count, result->section_count,
               result->file_count);
}

static int check_say(const char *path, int result, const tarn_check_result *out)
{
    if (result == TARN_OK) {
        whole_say(path, out);
        return TN_EXIT_DONE;
    }
    if (result == TARN_E_CORRUPT) {
        tn_message("check", "%s: damaged, places: %" PRIu64 ": %s; tarn salvage saves the rest",
                   path, out->damage_count, out->report.text);
        return TN_EXIT_NEGATIVE;
    }
    if (out->report.is_missing != 0) {
        tn_open_store_say_missing("check", path);
        return TN_EXIT_REFUSED;
    }
    return tn_open_store_say("check", path, result, out->report.text);
}

int tn_cmd_check(int argc, char **argv)
{
    struct tn_arguments arguments;
    tarn_check_result out;
    struct tn_output output;
    const char *path;
    int exit_code, printed;

    if (!tn_arguments_parse(&arguments, &check_usage, argc, argv, &exit_code))
        return exit_code;
    if (!tn_arguments_count_operands(&arguments, &check_usage, 1, 1))
        return TN_EXIT_USAGE;
    path = arguments.operands[0];
    if (tn_open_store_path_is_refused("check", path, TN_OPEN_READ))
        return TN_EXIT_REFUSED;
    tn_output_init(&output);
    tn_signals_let_kill_begin();
    exit_code = tarn_check(path, NULL, tn_damage_line, &output, &out);
    tn_signals_let_kill_end();
    printed = tn_output_close(&output, "check");
    exit_code = check_say(path, exit_code, &out);
    return printed != TN_EXIT_DONE ? printed : exit_code;
}
