/*
 * fuzz_aggregate_list.c - a text as the list of --agg; what it was taken for, written out again, is
 * the same list
 */
#include "cli/aggregates.h"
#include "fuzz.h"

static void text_add(char *text, size_t capacity, const char *more)
{
    size_t bytes = strlen(text);

    fuzz_expect(bytes + strlen(more) < capacity);
    memcpy(text + bytes, more, strlen(more) + 1);
}

static const char *kind_name(enum tn_aggregate_kind kind)
{
    static const char *const names[] = {
        [TN_COUNT_ROWS] = "count", [TN_COUNT] = "count", [TN_SUM] = "sum",
        [TN_MIN] = "min",          [TN_MAX] = "max",     [TN_AVG] = "avg",
        [TN_FIRST] = "first",      [TN_LAST] = "last",   [TN_DISTINCT] = "distinct",
    };

    fuzz_expect((size_t)kind < sizeof names / sizeof names[0]);
    return names[kind];
}

/* name=kind(field), or the item as it was where it has no name of its own (G2). */
static void list_write(const struct tn_aggregate_list *list, char *text, size_t capacity)
{
    size_t i;

    for (i = 0; i < list->count; i++) {
        text_add(text, capacity, i > 0 ? "," : "");
        if (strpbrk(list->names[i], "()") != NULL) {
            text_add(text, capacity, list->names[i]);
            continue;
        }
        text_add(text, capacity, list->names[i]);
        text_add(text, capacity, "=");
        text_add(text, capacity, kind_name(list->items[i].kind));
        if (list->fields[i] == NULL)
            continue;
        text_add(text, capacity, "(");
        text_add(text, capacity, list->fields[i]);
        text_add(text, capacity, ")");
    }
}

static void list_is_checked(const struct tn_aggregate_list *list, size_t text_bytes)
{
    size_t capacity = 2 * text_bytes + 32 * list->count + 1, i;
    char *text = calloc(1, capacity), reason[64] = "";
    struct tn_aggregate_list again;

    fuzz_expect(text != NULL && list->count > 0);
    list_write(list, text, capacity);
    fuzz_expect(tn_aggregate_list_parse(&again, text, reason, sizeof reason));
    fuzz_expect(again.count == list->count);
    for (i = 0; i < list->count; i++) {
        fuzz_expect(list->names[i][0] != '\0' && strcmp(list->names[i], again.names[i]) == 0);
        fuzz_expect(list->items[i].kind == again.items[i].kind);
        fuzz_expect((list->fields[i] == NULL) == (list->items[i].kind == TN_COUNT_ROWS));
        fuzz_expect(list->fields[i] == NULL || strcmp(list->fields[i], again.fields[i]) == 0);
    }
    tn_aggregate_list_release(&again);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    char *text = fuzz_text(data, bytes), reason[64] = "";
    struct tn_aggregate_list list;

    if (tn_aggregate_list_parse(&list, text, reason, sizeof reason))
        list_is_checked(&list, bytes);
    else
        fuzz_expect(reason[0] != '\0' && list.count == 0 && list.storage == NULL);
    tn_aggregate_list_release(&list);
    free(text);
    return 0;
}
