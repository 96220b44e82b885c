/*
 * window_lists.c - see window_lists.h
 */
#include "window_lists.h"
#include "message.h"
#include "window_usage.h"

#include <stdlib.h>
#include <string.h>

#define VERB "window"

static bool memory_report(void)
{
    tn_message(VERB, "out of memory");
    return false;
}

static bool lists_allocate(struct tn_window_command *out, const char *by)
{
    size_t i;

    out->key_count = by != NULL;
    for (i = 0; by != NULL && by[i] != '\0'; i++)
        out->key_count += by[i] == ',';
    out->field_count = 1 + out->key_count + out->aggregates.count;
    out->column_count = 2 + out->key_count + out->aggregates.count + (out->mode != TN_WINDOW_FINAL);
    out->fields = calloc(out->field_count, sizeof *out->fields);
    out->columns = calloc(out->column_count, sizeof *out->columns);
    out->key_storage = strdup(by != NULL ? by : "");
    return out->fields != NULL && out->columns != NULL && out->key_storage != NULL;
}

static bool keys_fill(struct tn_window_command *out)
{
    char *next = out->key_storage;
    size_t i;

    for (i = 0; i < out->key_count; i++) {
        char *name = next;

        next += strcspn(next, ",");
        *next++ = '\0'; /* behind the last one this is the NUL that was there */
        if (*name == '\0') {
            tn_message(VERB, "option --by: an empty field name; write --by FIELD,FIELD");
            return false;
        }
        out->fields[1 + i] = name;
        out->columns[2 + i].name = name;
    }
    return true;
}

/* What to do about two columns of one name, of which `first` comes first. */
static const char *column_advice(const struct tn_window_command *command, size_t second,
                                 size_t first)
{
    size_t changed = second == command->column_count - 1 && command->mode != TN_WINDOW_FINAL
                         ? first /* op cannot be called otherwise */
                         : second;

    return changed < 2 + command->key_count ? "leave it out of --by"
                                            : "name one in --agg: other=kind(field)";
}

/* A reader of the output must be able to tell columns apart. */
static bool columns_check(const struct tn_window_command *command)
{
    size_t i, j;

    for (i = 0; i < command->column_count; i++)
        for (j = 0; j < i; j++)
            if (strcmp(command->columns[i].name, command->columns[j].name) == 0) {
                tn_message(VERB, "two output columns would be called '%s'; %s",
                           command->columns[i].name, column_advice(command, i, j));
                return false;
            }
    return true;
}

bool tn_window_lists_fill(struct tn_window_command *out, const struct tn_arguments *arguments)
{
    const char *time_field = arguments->values[WINDOW_TIME];
    const char *list = arguments->values[WINDOW_AGG];
    struct tn_aggregate_list *aggregates = &out->aggregates;
    char reason[512];
    size_t i;

    out->aggregate_text = list != NULL ? list : "count";
    if (!tn_aggregate_list_parse(aggregates, out->aggregate_text, reason, sizeof reason)) {
        tn_message(VERB, "option --agg: %s", reason);
        return false;
    }
    if (!lists_allocate(out, arguments->values[WINDOW_BY]))
        return memory_report();
    out->fields[0] = time_field;
    out->columns[0] = (struct tn_column){ "window_start", out->times_as_ms };
    out->columns[1] = (struct tn_column){ "window_end", out->times_as_ms };
    if (!keys_fill(out))
        return false;
    for (i = 0; i < aggregates->count; i++) {
        const char *field = aggregates->fields[i];
        struct tn_column *column = &out->columns[2 + out->key_count + i];

        /* count reads no field, but has a place: any field fills it */
        out->fields[1 + out->key_count + i] = field != NULL ? field : time_field;
        column->name = aggregates->names[i];
        column->number = tn_aggregate_is_number(aggregates->items[i].kind);
    }
    if (out->mode != TN_WINDOW_FINAL)
        out->columns[out->column_count - 1] = (struct tn_column){ "op", false };
    return columns_check(out);
}

void tn_window_lists_release(struct tn_window_command *command)
{
    tn_aggregate_list_release(&command->aggregates);
    free(command->fields);
    free(command->columns);
    free(command->key_storage);
}
