/*
 * sessions_chain.h - the several sessions of one key, and the records they lie in
 *
 * What sessions.c and sessions_chain.c know of each other. A link is a copy of a session's head, as
 * it was when the chain was read; a record is where it lies, good until the next call on the store.
 */
#ifndef TN_SESSIONS_CHAIN_H
#define TN_SESSIONS_CHAIN_H

#include "stream/sessions.h"

static inline void *tn_session_block(struct tn_session *record)
{
    return record + 1;
}

static inline const void *tn_session_const_block(const struct tn_session *record)
{
    return record + 1;
}

/* ---- sessions.c ------------------------------------------------------------------------------ */

/* The record of a link, to write; made when there is none. */
int tn_session_modify(const struct tn_sessions *sessions, tarn_bytes key,
                      const struct tn_session_link *link, struct tn_session **out);

/* The record of a link, to read. TARN_ABSENT: there is none. */
int tn_session_get(const struct tn_sessions *sessions, tarn_bytes key,
                   const struct tn_session_link *link, const struct tn_session **out);

/* A new session with one row in its head; the row itself is still to be taken. */
void tn_session_begin(struct tn_sessions *sessions, struct tn_session *record, int64_t time_ms,
                      int64_t last_ms);

/* Take a row into a record, which ends with it. TARN_OK, TN_SLICE_OVERFLOW, or a failure. */
int tn_session_update(struct tn_sessions *sessions, const struct tn_slice_row *row,
                      struct tn_session *record, bool is_first);

bool tn_session_touches(const struct tn_session *head, int64_t time_ms, int64_t last_ms);

/* The values of a session into the emission, its bounds into the head. */
int tn_session_fill(struct tn_sessions *sessions, tarn_bytes key,
                    const struct tn_session_link *link, struct tn_emission_head *head);

/* Emit it. 0, what emit answered, or a failure. */
int tn_session_emit(struct tn_sessions *sessions, tarn_bytes key,
                    const struct tn_session_link *link, char op);

/* CHANGES: it has just changed; emit it if its end has passed. Answers likewise. */
int tn_session_refire(struct tn_sessions *sessions, tarn_bytes key,
                      const struct tn_session_link *link);

/* ---- sessions_chain.c ------------------------------------------------------------------------ */

/* Fill sessions->chain with the sessions of a key, the latest first. */
int tn_session_chain_read(struct tn_sessions *sessions, tarn_bytes key);

/* Take a row whose key has sessions. Answers as tn_sessions_push. */
int tn_session_push_chain(struct tn_sessions *sessions, const struct tn_slice_row *row,
                          int64_t last_ms);

/* Remove the session at this place of the chain, with its texts. */
int tn_session_remove(struct tn_sessions *sessions, tarn_bytes key, size_t place);

#endif
