/*
 * budgets.h - a budget as users hold it: the shared limit, and the memory it lies in
 */
#ifndef TN_BUDGETS_H
#define TN_BUDGETS_H

#include "base/memory.h"

#include <tarn.h>

struct tarn_budget {
    struct tn_budget shared;
    struct tn_memory memory; /* that the budget itself lies in; counted against nothing */
};

#endif
