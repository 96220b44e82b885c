/*
 * cmd_version.c - tarn version
 */
#include "arguments.h"
#include "command.h"
#include "message.h"
#include "output.h"

#include <tarn.h>

static const struct tn_usage version_usage = {
    .verb = "version",
    .synopsis = "tarn version",
    .summary = "Print the version of the command: tarn MAJOR.MINOR.PATCH.",
};

int tn_cmd_version(int argc, char **argv)
{
    struct tn_arguments arguments;
    struct tn_output output;
    int exit_code;

    if (!tn_arguments_parse(&arguments, &version_usage, argc, argv, &exit_code))
        return exit_code;
    if (arguments.operand_count > 0) {
        tn_message("version", "takes no arguments; leave out '%s'", arguments.operands[0]);
        return TN_EXIT_USAGE;
    }
    tn_output_init(&output);
    tn_output_format(&output, "tarn %s\n", tarn_version());
    return tn_output_close(&output, "version");
}
