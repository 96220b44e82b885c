/*
 * pending.h - rows of output that wait for the next print, in the order in which it prints them
 *
 * With 'every' a row that cannot change any more, or is taken back, waits in a table of the store:
 *
 *     "window pending +"    (end, tie, key) -> | start | end | tie | length | value | length | ... |
 *     "window pending -"    the same, of rows to be taken back
 *     "window printed"      session number  -> the same, of the row printed last
 *
 * Rules
 *   Q1  The print goes by (end, key), and what is taken back comes before what replaces it. Ends
 *       can be the same only because time has one: then the tie goes first, the start of a window,
 *       the last millisecond of a session.
 *   Q2  A length of 2^64 - 1 is an empty value (null).
 */
#ifndef TN_PENDING_H
#define TN_PENDING_H

#include "stream/emission.h"

#define TN_PENDING_HEAD_BYTES 16u

struct tn_pending {
    struct tn_memory *memory;
    struct tn_emission *emission;
    tarn_table *rows[2]; /* taken back; to hold */
    uint8_t *key;        /* room for a key */
    uint8_t *value;      /* room for a row, as long as the longest so far */
    size_t value_bytes;  /* its capacity */
};

/* TARN_OK or a failure; finish it all the same. */
int tn_pending_init(struct tn_pending *pending, tarn_store *store, struct tn_memory *memory,
                    struct tn_emission *emission);
/* The table stays. */
void tn_pending_finish(struct tn_pending *pending);
void tn_pending_drop(struct tn_pending *pending);

/* The values in the emission, as the row `head` of a key, wait. */
int tn_pending_put(struct tn_pending *pending, const struct tn_emission_head *head, tarn_bytes key);

/* The same row, kept in a table under a number; and from there into the rows that wait, taken back. */
int tn_pending_keep(struct tn_pending *pending, tarn_table *printed, uint64_t number,
                    const struct tn_emission_head *head);
int tn_pending_take_back(struct tn_pending *pending, tarn_table *printed, uint64_t number,
                         tarn_bytes key);

/* Emit all that waits. 0, or what emit answered, or a failure. */
int tn_pending_print(struct tn_pending *pending);

#endif
