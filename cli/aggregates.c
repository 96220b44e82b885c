/*
 * aggregates.c - the text of --agg, taken apart; see aggregates.h for the rules
 *
 * Each item is copied twice, once whole (its text) and once to be cut into name, kind and field.
 */
#include "aggregates.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AGGREGATE_BLANKS " \t\r\n"

struct kind_row {
    const char *name;
    enum tn_aggregate_kind kind; /* with a field */
    bool number;
};

static const struct kind_row kind_table[] = {
    { "count", TN_COUNT, true }, { "sum", TN_SUM, true },           { "min", TN_MIN, true },
    { "max", TN_MAX, true },     { "avg", TN_AVG, true },           { "first", TN_FIRST, false },
    { "last", TN_LAST, false },  { "distinct", TN_DISTINCT, true },
};

#define KIND_NAMES "count, sum, min, max, avg, first, last, distinct"

bool tn_aggregate_is_number(enum tn_aggregate_kind kind)
{
    return kind != TN_FIRST && kind != TN_LAST;
}

/* Cut blanks off both ends, in place. */
static char *text_trim(char *text)
{
    size_t bytes;

    text += strspn(text, AGGREGATE_BLANKS);
    bytes = strlen(text);
    while (bytes > 0 && strchr(AGGREGATE_BLANKS, text[bytes - 1]) != NULL)
        bytes--;
    text[bytes] = '\0';
    return text;
}

static bool parentheses_match(const char *text)
{
    int depth = 0;

    for (; *text != '\0' && depth >= 0; text++)
        depth += (*text == '(') - (*text == ')');
    return depth == 0;
}

static bool kind_find(const char *name, const struct kind_row **out)
{
    size_t i;

    for (i = 0; i < TN_ARRAY_COUNT(kind_table); i++) {
        *out = &kind_table[i];
        if (strcmp(kind_table[i].name, name) == 0)
            return true;
    }
    return false;
}

/* `call` is "sum(x)" or "count"; cut in place into kind and field. */
static bool call_parse(char *call, struct tn_aggregate *aggregate, const char **out_field,
                       char *reason, size_t reason_bytes)
{
    const char *text = aggregate->text;
    const struct kind_row *row;
    char *open = strchr(call, '(');
    char *field = NULL;

    if (open != NULL) {
        size_t bytes = strlen(open);

        if (open[bytes - 1] != ')' || !parentheses_match(open)) {
            snprintf(reason, reason_bytes, "'%s': parentheses do not match; write kind(field)",
                     text);
            return false;
        }
        open[bytes - 1] = '\0';
        *open = '\0';
        field = open + 1;
    }
    if (!kind_find(text_trim(call), &row)) {
        snprintf(reason, reason_bytes, "'%s': no such aggregate; there are " KIND_NAMES, text);
        return false;
    }
    if (field == NULL ? row->kind != TN_COUNT : *field == '\0') {
        snprintf(reason, reason_bytes, "'%s': names no field; write %s(field)", text, row->name);
        return false;
    }
    aggregate->kind = field == NULL ? TN_COUNT_ROWS : row->kind;
    *out_field = field;
    return true;
}

/* `whole` stays as it is, `parts` (a second copy of it) is cut. */
static bool item_parse(struct tn_aggregate_list *list, char *whole, char *parts, char *reason,
                       size_t reason_bytes)
{
    struct tn_aggregate *item = &list->items[list->count];
    const char *name = whole;
    char *call = parts;
    size_t name_bytes = strcspn(parts, "=(");

    item->text = whole;
    if (*whole == '\0') {
        snprintf(reason, reason_bytes, "empty item; write items like 'n=count,sum(x)'");
        return false;
    }
    if (parts[name_bytes] == '=') { /* G2 */
        parts[name_bytes] = '\0';
        name = text_trim(parts);
        call = text_trim(parts + name_bytes + 1);
        item->text = whole + (call - parts);
    }
    if (*name == '\0' || (name != whole && strpbrk(name, "()") != NULL)) {
        snprintf(reason, reason_bytes,
                 "'%s': the name before '=' is empty or has a parenthesis; write name=kind(field)",
                 whole);
        return false;
    }
    list->names[list->count] = name;
    if (!call_parse(call, item, &list->fields[list->count], reason, reason_bytes))
        return false;
    list->count++;
    return true;
}

static size_t item_count(const char *text)
{
    size_t count = 1;

    for (; *text != '\0'; text++)
        count += *text == ',';
    return count;
}

static bool list_allocate(struct tn_aggregate_list *list, const char *text)
{
    size_t count = item_count(text);
    size_t text_bytes = strlen(text) + 1;

    list->items = calloc(count, sizeof *list->items);
    list->names = calloc(count, sizeof *list->names);
    list->fields = calloc(count, sizeof *list->fields);
    list->storage = malloc(2 * text_bytes);
    if (list->items == NULL || list->names == NULL || list->fields == NULL || list->storage == NULL)
        return false;
    memcpy(list->storage, text, text_bytes);
    return true;
}

bool tn_aggregate_list_parse(struct tn_aggregate_list *out, const char *text, char *reason,
                             size_t reason_bytes)
{
    char *whole, *parts, *next;
    bool more = true;

    *out = (struct tn_aggregate_list){ 0 };
    if (!list_allocate(out, text)) {
        snprintf(reason, reason_bytes, "out of memory");
        goto fail;
    }
    parts = out->storage + strlen(text) + 1;
    for (next = out->storage; more;) {
        whole = next;
        next += strcspn(next, ",");
        more = *next == ',';
        *next++ = '\0';
        whole = text_trim(whole);
        memcpy(parts, whole, strlen(whole) + 1);
        if (!item_parse(out, whole, parts, reason, reason_bytes))
            goto fail;
        parts += strlen(whole) + 1;
    }
    return true;
fail:
    tn_aggregate_list_release(out);
    return false;
}

void tn_aggregate_list_release(struct tn_aggregate_list *list)
{
    free(list->items);
    free(list->names);
    free(list->fields);
    free(list->storage);
    *list = (struct tn_aggregate_list){ 0 };
}
