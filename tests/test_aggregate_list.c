/* test_aggregate_list.c - the text of --agg, taken apart */
#include "cli/aggregates.h"

#include "test.h"

static struct tn_aggregate_list list;
static char reason[512];

static void takes(const char *text, size_t count)
{
    check(tn_aggregate_list_parse(&list, text, reason, sizeof reason));
    check_eq(list.count, count);
}

static void item_is(size_t index, const char *name, enum tn_aggregate_kind kind, const char *field,
                    const char *text)
{
    if (index >= list.count)
        return;
    check_text(list.names[index], name);
    check_eq(list.items[index].kind, kind);
    check_text(list.fields[index], field);
    check_text(list.items[index].text, text);
}

static void refuses(const char *text, const char *why)
{
    check(!tn_aggregate_list_parse(&list, text, reason, sizeof reason));
    check_text(reason, why);
    check_eq(list.count, 0);
    check(list.items == NULL && list.names == NULL && list.fields == NULL && list.storage == NULL);
}

static void every_kind_is_taken_and_named_as_written(void)
{
    takes("count,count(a),sum(b),min(c),max(d),avg(e),first(f),last(g),distinct(h)", 9);
    item_is(0, "count", TN_COUNT_ROWS, NULL, "count");
    item_is(1, "count(a)", TN_COUNT, "a", "count(a)");
    item_is(2, "sum(b)", TN_SUM, "b", "sum(b)");
    item_is(3, "min(c)", TN_MIN, "c", "min(c)");
    item_is(4, "max(d)", TN_MAX, "d", "max(d)");
    item_is(5, "avg(e)", TN_AVG, "e", "avg(e)");
    item_is(6, "first(f)", TN_FIRST, "f", "first(f)");
    item_is(7, "last(g)", TN_LAST, "g", "last(g)");
    item_is(8, "distinct(h)", TN_DISTINCT, "h", "distinct(h)");
    tn_aggregate_list_release(&list);
}

static void blanks_around_items_names_and_kinds_do_not_count(void)
{
    takes(" n = count ,\ttotal added= sum (added)  ", 2);
    item_is(0, "n", TN_COUNT_ROWS, NULL, "count");
    item_is(1, "total added", TN_SUM, "added", "sum (added)");
    tn_aggregate_list_release(&list);
}

static void a_field_may_hold_anything_but_a_comma_if_its_parentheses_match(void)
{
    takes("hottest=max(Temp (C)),sum(a=b), sum( x ),count(\xff)", 4);
    item_is(0, "hottest", TN_MAX, "Temp (C)", "max(Temp (C))");
    item_is(1, "sum(a=b)", TN_SUM, "a=b", "sum(a=b)");
    item_is(2, "sum( x )", TN_SUM, " x ", "sum( x )");
    item_is(3, "count(\xff)", TN_COUNT, "\xff", "count(\xff)");
    tn_aggregate_list_release(&list);
}

static void what_is_wrong_is_told_with_what_to_write(void)
{
    const char *empty = "empty item; write items like 'n=count,sum(x)'";

    refuses("", empty);
    refuses(" ", empty);
    refuses("count,", empty);
    refuses(",count", empty);
    refuses("sum", "'sum': names no field; write sum(field)");
    refuses("sum()", "'sum()': names no field; write sum(field)");
    refuses("count()", "'count()': names no field; write count(field)");
    refuses("sum(x", "'sum(x': parentheses do not match; write kind(field)");
    refuses("sum(x)y", "'sum(x)y': parentheses do not match; write kind(field)");
    refuses("sum(x))", "'sum(x))': parentheses do not match; write kind(field)");
    refuses("sum(x)(y)(", "'sum(x)(y)(': parentheses do not match; write kind(field)");
    refuses("sum(a,b)", "'sum(a': parentheses do not match; write kind(field)");
    refuses("=count",
            "'=count': the name before '=' is empty or has a parenthesis; write name=kind(field)");
    refuses(
        "a)=count",
        "'a)=count': the name before '=' is empty or has a parenthesis; write name=kind(field)");
    refuses("median(x)", "'median(x)': no such aggregate; there are count, sum, min, max, avg, "
                         "first, last, distinct");
    refuses("n=",
            "'': no such aggregate; there are count, sum, min, max, avg, first, last, distinct");
    refuses("Count",
            "'Count': no such aggregate; there are count, sum, min, max, avg, first, last, "
            "distinct");
}

static void a_long_list_is_taken_and_a_long_reason_is_cut(void)
{
    static char text[200000];
    char small[16];
    size_t i;

    for (i = 0; i + 10 < sizeof text; i += 7)
        memcpy(text + i, "sum(x),", 8);
    text[i - 1] = '\0';
    takes(text, i / 7);
    item_is(i / 7 - 1, "sum(x)", TN_SUM, "x", "sum(x)");
    tn_aggregate_list_release(&list);
    memset(text, 'a', sizeof text - 1);
    check(!tn_aggregate_list_parse(&list, text, small, sizeof small));
    check_eq(strlen(small), sizeof small - 1);
}

static const struct test tests[] = {
    T(every_kind_is_taken_and_named_as_written),
    T(blanks_around_items_names_and_kinds_do_not_count),
    T(a_field_may_hold_anything_but_a_comma_if_its_parentheses_match),
    T(what_is_wrong_is_told_with_what_to_write),
    T(a_long_list_is_taken_and_a_long_reason_is_cut),
};
TEST_MAIN(tests)
