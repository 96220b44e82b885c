/*
 * cmd_salvage.c - tarn salvage DIR NEW: what can be read of a damaged store becomes a new one
 */
#include "arguments.h"
#include "command.h"
#include "damage_line.h"
#include "message.h"
#include "open_store.h"
#include "signals.h"

#include <inttypes.h>

static const struct tn_usage salvage_usage = {
    .verb = "salvage",
    .synopsis = "tarn salvage DIR NEW",
    .summary =
        "Make a new store in NEW of what can be read in DIR, which stays as it is. NEW is not\n"
        "there, or an empty directory. What is lost is told, a line each, as tarn check does;\n"
        "then it is exit 1, and the new store is there all the same.",
    .details =
        "Each entry has its newest value that verifies: where a later one is lost that is an\n"
        "older one, and where a delete is lost the entry is there again. Tables whose names\n"
        "are lost are called salvaged-N; some of them may have been dropped before. A store that\n"
        "opens is copied as it is. A signal may leave files in NEW without entries: remove them.",
};

static int salvage_say(const char *path, const char *target, int result,
                       const tarn_salvage_result *out)
{
    if (out->report.is_missing != 0) {
        tn_open_store_say_missing("salvage", path);
        return TN_EXIT_REFUSED;
    }
    if (result == TARN_E_MISUSE) {
        tn_message("salvage", "%s: %s; nothing was made", target, out->report.text);
        return TN_EXIT_REFUSED;
    }
    if (result < 0) {
        result = tn_open_store_say("salvage", path, result, out->report.text);
        tn_message("salvage", "%s: nothing was made in it", target);
        return result;
    }
    tn_message("salvage",
               "%s: %" PRIu64 " entries in %" PRIu64 " tables, as of commit %" PRIu64
               " of %s; damaged places: %" PRIu64 ", of which %" PRIu64 " lost something",
               target, out->entry_count, out->table_count, out->report.commit_number, path,
               out->damage_count, out->lost_count);
    if (out->named_count > 0)
        tn_message("salvage", "%s: %" PRIu64 " tables have made-up names, salvaged-N", target,
                   out->named_count);
    return out->lost_count > 0 ? TN_EXIT_NEGATIVE : TN_EXIT_DONE;
}

int tn_cmd_salvage(int argc, char **argv)
{
    struct tn_arguments arguments;
    tarn_salvage_result out;
    struct tn_output output;
    const char *path, *target;
    int exit_code, printed;

    if (!tn_arguments_parse(&arguments, &salvage_usage, argc, argv, &exit_code))
        return exit_code;
    if (!tn_arguments_count_operands(&arguments, &salvage_usage, 2, 2))
        return TN_EXIT_USAGE;
    path = arguments.operands[0];
    target = arguments.operands[1];
    if (tn_open_store_path_is_refused("salvage", path, TN_OPEN_READ) ||
        tn_open_store_path_is_refused("salvage", target, TN_OPEN_CREATE))
        return TN_EXIT_REFUSED;
    tn_output_init(&output);
    tn_signals_let_kill_begin(); /* what it leaves then has no commit yet, or all in one */
    exit_code = tarn_salvage(path, target, NULL, tn_damage_line, &output, &out);
    tn_signals_let_kill_end();
    printed = tn_output_close(&output, "salvage");
    exit_code = salvage_say(path, target, exit_code, &out);
    return printed != TN_EXIT_DONE ? printed : exit_code;
}
