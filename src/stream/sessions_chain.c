/*
 * sessions_chain.c - the several sessions of one key: a row between them, behind them, across them
 *
 *     chain   [ 7 )          [ 5 )     [ 3 )         latest first
 *     row              x                             touches none: a new one, in its place
 *                             x                      touches one: it grows
 *                          ---x---                   touches several: the older go into the latest
 */
#include "stream/sessions_chain.h"

#include <string.h>

#define CHAIN_COUNT_MIN 8u

/* ---- the chain ------------------------------------------------------------------------------- */

static bool chain_reserve(struct tn_sessions *sessions)
{
    size_t link_bytes = sizeof(struct tn_session_link);
    size_t capacity = tn_max(2 * sessions->chain_capacity, CHAIN_COUNT_MIN);
    struct tn_session_link *chain;

    if (sessions->chain_count < sessions->chain_capacity)
        return true;
    chain = tn_memory_resize(sessions->parts->memory, sessions->chain,
                             sessions->chain_capacity * link_bytes, capacity * link_bytes);
    if (chain == NULL)
        return false;
    sessions->chain = chain;
    sessions->chain_capacity = capacity;
    return true;
}

int tn_session_chain_read(struct tn_sessions *sessions, tarn_bytes key)
{
    struct tn_session_link link = { .is_first = true };
    const struct tn_session *record;
    int result;

    sessions->chain_count = 0;
    result = tn_session_get(sessions, key, &link, &record);
    if (result == TARN_ABSENT)
        return TARN_OK;
    while (result == TARN_OK) {
        if (!chain_reserve(sessions))
            return TARN_E_MEMORY;
        link.head = *record;
        sessions->chain[sessions->chain_count++] = link;
        if (link.head.older == 0)
            return TARN_OK;
        link = (struct tn_session_link){ .head.number = link.head.older };
        result = tn_session_get(sessions, key, &link, &record);
    }
    return result == TARN_ABSENT ? TARN_E_CORRUPT : result;
}

static int record_delete(struct tn_sessions *sessions, tarn_bytes key,
                         const struct tn_session_link *link)
{
    uint64_t number = link->head.number;

    if (link->is_first)
        return tarn_delete(sessions->first, key.data, key.bytes);
    return tarn_delete(sessions->older, &number, sizeof number);
}

/* Let the session before `place` go on with `older`. The first has none before it. */
static int chain_link(struct tn_sessions *sessions, tarn_bytes key, size_t place, uint64_t older)
{
    struct tn_session *record;
    int result = tn_session_modify(sessions, key, &sessions->chain[place - 1], &record);

    if (result != TARN_OK)
        return result;
    record->older = older;
    sessions->chain[place - 1].head.older = older;
    return TARN_OK;
}

int tn_session_remove(struct tn_sessions *sessions, tarn_bytes key, size_t place)
{
    const struct tn_session_link link = sessions->chain[place];
    const struct tn_texts_place texts = { .table = sessions->texts, .number = link.head.number };
    int result = TARN_OK;

    if (place == 0 && link.head.older != 0)
        return TARN_E_CORRUPT; /* N1: what is older closes first */
    if (place > 0)
        result = chain_link(sessions, key, place, link.head.older);
    if (result == TARN_OK && sessions->texts != NULL)
        result = tn_texts_drop(&sessions->parts->texts, texts);
    return result == TARN_OK ? record_delete(sessions, key, &link) : result;
}

/* ---- a row that touches none ----------------------------------------------------------------- */

/* The first of the chain becomes one of the older ones, so that a later one can take its place. */
static int first_demote(struct tn_sessions *sessions, tarn_bytes key)
{
    struct tn_session_link *link = &sessions->chain[0];
    const struct tn_session *record;
    int result = tn_session_get(sessions, key, link, &record);

    if (result != TARN_OK)
        return result;
    memcpy(sessions->record, record, sessions->record_bytes);
    link->is_first = false;
    return tarn_put(sessions->older, &link->head.number, sizeof link->head.number, sessions->record,
                    sessions->record_bytes);
}

/* A new session, in its place of the chain. */
static int chain_insert(struct tn_sessions *sessions, const struct tn_slice_row *row,
                        int64_t last_ms)
{
    struct tn_session_link link = { .is_first = true };
    struct tn_session *record;
    size_t place = 0;
    int result = TARN_OK;

    while (place < sessions->chain_count && sessions->chain[place].head.start_ms > row->time_ms)
        place++;
    if (place == 0)
        result = first_demote(sessions, row->key);
    else
        link = (struct tn_session_link){ .head.number = sessions->next_number };
    if (result == TARN_OK)
        result = tn_session_modify(sessions, row->key, &link, &record);
    if (result != TARN_OK)
        return result;
    memset(record, 0, sessions->record_bytes); /* where the first was, its bytes are still there */
    tn_session_begin(sessions, record, row->time_ms, last_ms);
    if (place < sessions->chain_count)
        record->older = sessions->chain[place].head.number;
    link.head = *record;
    result = tn_session_update(sessions, row, record, link.is_first);
    if (result == TARN_OK && place > 0)
        result = chain_link(sessions, row->key, place, link.head.number);
    if (result == TARN_OK)
        result = tn_timers_add(&sessions->close, link.head.close_ms, row->key);
    if (result == TARN_OK && link.head.fire_ms != INT64_MIN)
        result = tn_timers_add(&sessions->fire, link.head.fire_ms, row->key);
    return result == TARN_OK ? tn_session_refire(sessions, row->key, &link) : result;
}

/* ---- a row that touches some ----------------------------------------------------------------- */

/* A session whose row is out is about to change its bounds: take the row back. */
static int session_take_back(struct tn_sessions *sessions, tarn_bytes key,
                             const struct tn_session_link *link)
{
    if ((link->head.flags & TN_SESSION_FIRED) != 0)
        return tn_session_emit(sessions, key, link, '-');
    if ((link->head.flags & TN_SESSION_PRINTED) != 0)
        return tn_pending_take_back(&sessions->parts->pending, sessions->printed, link->head.number,
                                    key);
    return TARN_OK;
}

/* Take the session at `place` into the one at `base`, which is later, and remove it. */
static int session_absorb(struct tn_sessions *sessions, tarn_bytes key, size_t base, size_t place)
{
    struct tn_parts *parts = sessions->parts;
    const struct tn_session_link *from = &sessions->chain[place];
    const struct tn_session_link *into = &sessions->chain[base];
    struct tn_texts_place from_texts = { .table = sessions->texts, .number = from->head.number };
    struct tn_texts_place into_texts = { .table = sessions->texts, .number = into->head.number };
    const struct tn_session *other;
    struct tn_session *record;
    bool joined = false;
    int result = tn_session_get(sessions, key, from, &other);

    if (result != TARN_OK)
        return result;
    memcpy(sessions->record, other, sessions->record_bytes);
    result = tn_session_modify(sessions, key, into, &record);
    if (result != TARN_OK)
        return result;
    if (!tn_layout_merge(parts->layout, tn_session_block(record),
                         sessions->record + sizeof(struct tn_session), parts->texts.errands,
                         &parts->reason))
        return TN_SLICE_OVERFLOW;
    if (parts->layout->has_texts)
        result = tn_texts_merge(&parts->texts, into_texts, from_texts, &joined);
    if (result == TARN_OK && joined) {
        result = tn_session_modify(sessions, key, into, &record);
        if (result == TARN_OK)
            tn_texts_count_merged(&parts->texts, tn_session_block(record));
    }
    return result == TARN_OK ? tn_session_remove(sessions, key, place) : result;
}

/* The session at `base` has taken in what it touches: new bounds, and the row. */
static int base_update(struct tn_sessions *sessions, const struct tn_slice_row *row,
                       struct tn_session_link *base)
{
    struct tn_parts *parts = sessions->parts;
    struct tn_session *record;
    bool sets_timer;
    int result = tn_session_modify(sessions, row->key, base, &record);

    if (result != TARN_OK)
        return result;
    record->start_ms = base->head.start_ms;
    record->last_ms = base->head.last_ms;
    record->flags = base->head.flags;
    sets_timer = parts->mode == TN_WINDOW_CHANGES && record->fire_ms == INT64_MIN &&
                 record->last_ms > parts->watermark_ms;
    if (sets_timer)
        record->fire_ms = record->last_ms;
    base->head = *record;
    result = tn_session_update(sessions, row, record, base->is_first);
    if (result == TARN_OK && sets_timer)
        result = tn_timers_add(&sessions->fire, base->head.fire_ms, row->key);
    return result == TARN_OK ? tn_session_refire(sessions, row->key, base) : result;
}

/* The sessions [first, end) of the chain and the row become one, in the place of the first. */
static int chain_join(struct tn_sessions *sessions, const struct tn_slice_row *row, int64_t last_ms,
                      size_t first, size_t end)
{
    struct tn_session_link base = sessions->chain[first];
    int64_t start_ms = sessions->chain[end - 1].head.start_ms;
    bool changes;
    int result = TARN_OK;

    base.head.start_ms = start_ms < row->time_ms ? start_ms : row->time_ms;
    if (last_ms > base.head.last_ms)
        base.head.last_ms = last_ms;
    changes = end - first > 1 || base.head.start_ms != start_ms ||
              base.head.last_ms != sessions->chain[first].head.last_ms;
    for (size_t i = end; changes && result == TARN_OK && i-- > first;)
        result = session_take_back(sessions, row->key, &sessions->chain[i]);
    if (changes)
        base.head.flags = 0;
    /* From the last on, so that whoever is linked to is still there. */
    for (size_t i = end; result == TARN_OK && --i > first;)
        result = session_absorb(sessions, row->key, first, i);
    return result == TARN_OK ? base_update(sessions, row, &base) : result;
}

int tn_session_push_chain(struct tn_sessions *sessions, const struct tn_slice_row *row,
                          int64_t last_ms)
{
    const struct tn_session_link *chain;
    size_t first = 0, end;
    int result = tn_session_chain_read(sessions, row->key);

    if (result != TARN_OK)
        return result;
    chain = sessions->chain;
    while (first < sessions->chain_count &&
           !tn_session_touches(&chain[first].head, row->time_ms, last_ms))
        first++;
    for (end = first;
         end < sessions->chain_count && tn_session_touches(&chain[end].head, row->time_ms, last_ms);
         end++)
        ;
    if (end > first)
        return chain_join(sessions, row, last_ms, first, end);
    if (last_ms <= tn_parts_closed_ms(sessions->parts))
        return TN_WINDOW_LATE;
    return chain_insert(sessions, row, last_ms);
}
