/*
 * aggregate.h - what is computed per window and group
 *
 * Kinds and rules: contract section 'Values' (docs/WINDOWS.md).
 */
#ifndef TN_AGGREGATE_H
#define TN_AGGREGATE_H

#include "base/base.h"

enum tn_aggregate_kind {
    TN_COUNT_ROWS, /* count: rows */
    TN_COUNT,      /* count(x): rows where x is not empty */
    TN_SUM,
    TN_MIN,
    TN_MAX,
    TN_AVG,
    TN_FIRST, /* by event time, ties by arrival */
    TN_LAST,
    TN_DISTINCT, /* different texts, exactly */
};

struct tn_aggregate {
    enum tn_aggregate_kind kind;
    const char *text; /* as written, for messages: "sum(x)"; outlives the operator */
};

#endif
