/*
 * damage_line.c - see damage_line.h
 */
#include "damage_line.h"
#include "signals.h"

#include <inttypes.h>

static void number_print(struct tn_output *output, uint64_t number, bool known)
{
    if (known)
        tn_output_format(output, "%" PRIu64 "\t", number);
    else
        tn_output_format(output, "-\t");
}

void tn_damage_line(void *context, const tarn_damage *damage)
{
    static const char *const kinds[TARN_DAMAGE_KIND_COUNT] = { "harmless", "refused", "lost" };
    struct tn_output *output = context;

    tn_output_format(output, "%s\t", kinds[damage->kind]);
    if (damage->file != 0)
        tn_output_format(output, "%016" PRIx64 ".tarn\t", damage->file);
    else
        tn_output_format(output, "-\t");
    number_print(output, damage->offset, damage->file != 0);
    number_print(output, damage->bytes, damage->bytes != 0);
    number_print(output, damage->commit_number, damage->commit_number != 0);
    tn_output_format(output, "%s\n", damage->what);
    tn_signals_let_kill_end(); /* not in the middle of a line */
    (void)tn_output_end_line(output);
    tn_signals_let_kill_begin();
}
