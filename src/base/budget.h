/*
 * budget.h - a limit that several stores share
 *
 *     store A's tn_memory --charge--> |            |
 *     store B's tn_memory --charge--> | tn_budget  |   counted_bytes <= limit_bytes, always
 *     store C's tn_memory --refused-- |            |
 *
 * The stores may be on different threads, hence atomics; there is no lock, and none is needed: a
 * charge either takes its bytes or leaves everything as it was. Nothing is published through these
 * numbers, so their order against other memory does not matter, except for user_count: who sees the
 * last user go must see all that it did.
 *
 * Rules
 *   G1  counted_bytes never exceeds limit_bytes, not even for a moment.
 *   G2  counted_bytes is the sum of what its users have counted (M1 of memory.h) and of what is
 *       left of their reserves, reserved_bytes.
 *   G3  A user's reserve is charged when it joins and given back when it leaves; nobody else can
 *       have it meanwhile (M4).
 */
#ifndef TN_BUDGET_H
#define TN_BUDGET_H

#include "base/base.h"

#include <stdatomic.h>

struct tn_budget {
    uint64_t limit_bytes; /* UINT64_MAX: none; never changes */
    _Atomic uint64_t counted_bytes;
    _Atomic uint64_t reserved_bytes; /* of them: G3 */
    _Atomic uint64_t user_count;
};

/* G1. false: there is not so much left; nothing counted. */
bool tn_budget_charge(struct tn_budget *budget, uint64_t bytes);
void tn_budget_discharge(struct tn_budget *budget, uint64_t bytes);

/* G3. false: there is no room for the reserve. */
bool tn_budget_join(struct tn_budget *budget, uint64_t reserve_bytes);
void tn_budget_leave(struct tn_budget *budget, uint64_t reserve_bytes);

/* Some of a user's reserve is spent, which leaves the count as it is; or is there again. */
void tn_budget_spend(struct tn_budget *budget, uint64_t bytes);
void tn_budget_unspend(struct tn_budget *budget, uint64_t bytes);

/* What users have counted, without reserves. */
uint64_t tn_budget_used(const struct tn_budget *budget);

/* Less than an eighth is left: no time to keep what is not needed at the moment. */
bool tn_budget_is_tight(const struct tn_budget *budget);

#endif
