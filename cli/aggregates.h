/*
 * aggregates.h - the text of --agg, taken apart
 *
 *     'n=count, sum(x), hottest=max(Temp (C))'
 *      |   |    |   |
 *      |   |    |   field                      name  kind   field
 *      |   |    kind                           n     count
 *      |   kind                                sum(x) sum   x
 *      name                                    hottest max  Temp (C)
 *
 * Rules
 *   G1  Items are separated by commas; blanks around an item, a name or a kind do not count.
 *   G2  A name is what stands before the first '=' that comes before any '('; it holds no
 *       parenthesis. Without one, the name is the item as written: "sum(x)".
 *   G3  A field is everything between the first '(' and the last ')', blanks included. It may hold
 *       any character but a comma; parentheses in it must match.
 */
#ifndef TN_AGGREGATES_H
#define TN_AGGREGATES_H

#include "stream/aggregate.h"

struct tn_aggregate_list {
    struct tn_aggregate *items; /* kind and text, as the operator wants them */
    const char **names;         /* of the output columns */
    const char **fields;        /* read by each; NULL: reads none */
    size_t count;
    char *storage; /* all of the above points into it */
};

/*
 * Take `text` apart. False: `reason` says what is wrong and what to do, and *out is empty. On true
 * *out is given back with tn_aggregate_list_release.
 */
bool tn_aggregate_list_parse(struct tn_aggregate_list *out, const char *text, char *reason,
                             size_t reason_bytes);

void tn_aggregate_list_release(struct tn_aggregate_list *list);

/* Whether its values are numbers, as opposed to texts from the input. */
bool tn_aggregate_is_number(enum tn_aggregate_kind kind);

#endif
