/*
 * sessions.c - see sessions.h for the rules
 *
 *     push   alone and touched     grow it in place
 *            new key               a session of its own
 *            else                  with the chain: sessions_chain.c
 */
#include "stream/sessions_chain.h"

#include <string.h>

/* ---- records --------------------------------------------------------------------------------- */

int tn_session_modify(const struct tn_sessions *sessions, tarn_bytes key,
                      const struct tn_session_link *link, struct tn_session **out)
{
    void *record;
    int result;

    if (link->is_first)
        result = tarn_modify(sessions->first, key.data, key.bytes, sessions->record_bytes, &record);
    else
        result = tarn_modify(sessions->older, &link->head.number, sizeof link->head.number,
                             sessions->record_bytes, &record);
    if (result == TARN_OK)
        *out = record;
    return result;
}

int tn_session_get(const struct tn_sessions *sessions, tarn_bytes key,
                   const struct tn_session_link *link, const struct tn_session **out)
{
    const void *record;
    size_t bytes;
    int result;

    if (link->is_first)
        result = tarn_get(sessions->first, key.data, key.bytes, &record, &bytes);
    else
        result = tarn_get(sessions->older, &link->head.number, sizeof link->head.number, &record,
                          &bytes);
    if (result == TARN_OK && bytes == sessions->record_bytes)
        *out = record;
    return result != TARN_OK || bytes == sessions->record_bytes ? result : TARN_E_TYPE;
}

/* ---- a row into a session -------------------------------------------------------------------- */

static int timers_add(struct tn_sessions *sessions, const struct tn_session *head, tarn_bytes key)
{
    int result = tn_timers_add(&sessions->close, head->close_ms, key);

    if (result == TARN_OK && head->fire_ms != INT64_MIN)
        result = tn_timers_add(&sessions->fire, head->fire_ms, key);
    return result;
}

/* The texts of a row, once the block has been let go of (X1). */
static int texts_update(struct tn_sessions *sessions, const struct tn_slice_row *row,
                        const struct tn_session_link *link)
{
    struct tn_texts *texts = &sessions->parts->texts;
    struct tn_session *record;
    bool joined;
    int result = tn_texts_run(texts, sessions->texts, link->head.number, row->arguments, &joined);

    if (result == TARN_OK && joined) {
        result = tn_session_modify(sessions, row->key, link, &record);
        if (result == TARN_OK)
            tn_texts_count(texts, row->arguments, tn_session_block(record));
    }
    return result;
}

int tn_session_update(struct tn_sessions *sessions, const struct tn_slice_row *row,
                      struct tn_session *record, bool is_first)
{
    struct tn_parts *parts = sessions->parts;
    bool is_changed = parts->mode == TN_WINDOW_EVERY && record->mark != parts->mark;
    struct tn_session_link link = { .head = *record, .is_first = is_first };
    int result = TARN_OK;

    record->mark = parts->mark;
    if (!tn_layout_update(parts->layout, tn_session_block(record), row->arguments, row->time_ms,
                          &parts->reason))
        return TN_SLICE_OVERFLOW;
    if (parts->layout->has_texts)
        result = texts_update(sessions, row, &link);
    if (result == TARN_OK && is_changed)
        result = tarn_put(sessions->changed, row->key.data, row->key.bytes, "", 0);
    return result;
}

void tn_session_begin(struct tn_sessions *sessions, struct tn_session *record, int64_t time_ms,
                      int64_t last_ms)
{
    bool fires = sessions->parts->mode == TN_WINDOW_CHANGES;

    *record = (struct tn_session){
        .number = sessions->next_number++,
        .start_ms = time_ms,
        .last_ms = last_ms,
        .close_ms = last_ms,
        .fire_ms = fires && last_ms > sessions->parts->watermark_ms ? last_ms : INT64_MIN,
    };
    if (sessions->parts->layout->has_texts)
        tn_layout_set_number(tn_session_block(record), record->number);
}

/* ---- rows out -------------------------------------------------------------------------------- */

int tn_session_fill(struct tn_sessions *sessions, tarn_bytes key,
                    const struct tn_session_link *link, struct tn_emission_head *head)
{
    const struct tn_session *record;
    int result = tn_session_get(sessions, key, link, &record);

    if (result != TARN_OK)
        return result == TARN_ABSENT ? TARN_E_CORRUPT : result;
    head->start_ms = record->start_ms;
    head->end_ms = tn_time_add(record->last_ms, 1);
    head->tie_ms = record->last_ms;
    return tn_emission_fill(&sessions->parts->emission, sessions->texts,
                            tn_session_const_block(record));
}

int tn_session_emit(struct tn_sessions *sessions, tarn_bytes key,
                    const struct tn_session_link *link, char op)
{
    struct tn_emission_head head = { .op = op };
    int result = tn_session_fill(sessions, key, link, &head);

    if (result != TARN_OK)
        return result;
    if (key.bytes > 0)
        memcpy(sessions->key, key.data, key.bytes);
    return tn_emission_send(&sessions->parts->emission, &head, sessions->key, key.bytes);
}

/* ---- push ------------------------------------------------------------------------------------ */

/* The first row of a key. */
static int push_new(struct tn_sessions *sessions, const struct tn_slice_row *row,
                    struct tn_session *record, int64_t last_ms)
{
    struct tn_session_link link = { .is_first = true };
    int result;

    if (last_ms <= tn_parts_closed_ms(sessions->parts)) {
        result = tarn_delete(sessions->first, row->key.data, row->key.bytes);
        return result == TARN_OK ? TN_WINDOW_LATE : result;
    }
    tn_session_begin(sessions, record, row->time_ms, last_ms);
    link.head = *record;
    result = tn_session_update(sessions, row, record, true);
    if (result == TARN_OK)
        result = timers_add(sessions, &link.head, row->key);
    return result == TARN_OK ? tn_session_refire(sessions, row->key, &link) : result;
}

int tn_session_refire(struct tn_sessions *sessions, tarn_bytes key,
                      const struct tn_session_link *link)
{
    struct tn_session *record;
    int result;

    if (sessions->parts->mode != TN_WINDOW_CHANGES ||
        link->head.last_ms > sessions->parts->watermark_ms)
        return TARN_OK;
    result = tn_session_modify(sessions, key, link, &record);
    if (result != TARN_OK)
        return result;
    record->flags |= TN_SESSION_FIRED;
    return tn_session_emit(sessions, key, link, '+');
}

/* Does a session take the row at this time, which ends at last_ms? They may just touch. */
bool tn_session_touches(const struct tn_session *head, int64_t time_ms, int64_t last_ms)
{
    return time_ms <= tn_time_add(head->last_ms, 1) && head->start_ms <= tn_time_add(last_ms, 1);
}

/* The row goes into the only session of its key, and nobody has seen its bounds, or they stay. */
static bool is_easy(const struct tn_session *head, int64_t time_ms, int64_t last_ms)
{
    return head->older == 0 && tn_session_touches(head, time_ms, last_ms) &&
           (head->flags == 0 || (head->start_ms <= time_ms && last_ms <= head->last_ms));
}

static int push_easy(struct tn_sessions *sessions, const struct tn_slice_row *row,
                     struct tn_session *record, int64_t last_ms)
{
    struct tn_session_link link = { .is_first = true };
    int result;

    if (row->time_ms < record->start_ms)
        record->start_ms = row->time_ms;
    if (last_ms > record->last_ms)
        record->last_ms = last_ms;
    link.head = *record;
    result = tn_session_update(sessions, row, record, true);
    if (result == TARN_OK && (link.head.flags & TN_SESSION_FIRED) != 0)
        result = tn_session_emit(sessions, row->key, &link, '+');
    return result;
}

int tn_sessions_push(struct tn_sessions *sessions, const struct tn_slice_row *row)
{
    int64_t last_ms = tn_time_add(row->time_ms, sessions->gap_ms - 1);
    struct tn_session *record;
    void *value;
    int result =
        tarn_modify(sessions->first, row->key.data, row->key.bytes, sessions->record_bytes, &value);

    if (TN_UNLIKELY(result != TARN_OK))
        return result;
    record = value;
    if (TN_LIKELY(record->number != 0 && is_easy(record, row->time_ms, last_ms)))
        result = push_easy(sessions, row, record, last_ms);
    else if (record->number == 0)
        result = push_new(sessions, row, record, last_ms);
    else
        result = tn_session_push_chain(sessions, row, last_ms);
    return result == TN_SLICE_OVERFLOW ? TN_WINDOW_OVERFLOW : result;
}

/* ---- firing and closing ---------------------------------------------------------------------- */

/* The session of the chain whose timer this is; NULL: it is left over (N3). */
static struct tn_session_link *timer_session(struct tn_sessions *sessions,
                                             const struct tn_timer *timer, bool fire)
{
    for (size_t i = 0; i < sessions->chain_count; i++) {
        struct tn_session_link *link = &sessions->chain[i];

        if ((fire ? link->head.fire_ms : link->head.close_ms) == timer->time_ms)
            return link;
    }
    return NULL;
}

/* The timer went off too early: set it anew (N2). */
static int timer_renew(struct tn_sessions *sessions, tarn_bytes key, struct tn_session_link *link,
                       bool fire)
{
    struct tn_timers *timers = fire ? &sessions->fire : &sessions->close;
    struct tn_session *record;
    int result = tn_session_modify(sessions, key, link, &record);

    if (result != TARN_OK)
        return result;
    if (fire)
        record->fire_ms = record->last_ms;
    else
        record->close_ms = record->last_ms;
    return tn_timers_add(timers, link->head.last_ms, key);
}

static int session_fire(struct tn_sessions *sessions, tarn_bytes key, struct tn_session_link *link)
{
    struct tn_session *record;
    int result = tn_session_modify(sessions, key, link, &record);

    if (result != TARN_OK)
        return result;
    record->flags |= TN_SESSION_FIRED;
    record->fire_ms = INT64_MIN;
    return tn_session_emit(sessions, key, link, '+');
}

/* What a session says when it closes, by mode. */
static int session_leave(struct tn_sessions *sessions, tarn_bytes key, struct tn_session_link *link)
{
    struct tn_parts *parts = sessions->parts;
    struct tn_emission_head head = { .op = '+' };
    int result = TARN_OK;

    switch (parts->mode) {
    case TN_WINDOW_FINAL:
        return tn_session_emit(sessions, key, link, '+');
    case TN_WINDOW_CHANGES: /* it has fired */
        return TARN_OK;
    case TN_WINDOW_EVERY:
        if (link->head.mark == parts->mark) {
            result = tn_session_fill(sessions, key, link, &head);
            if (result == TARN_OK)
                result = tn_pending_put(&parts->pending, &head, key);
        }
        if (result == TARN_OK && (link->head.flags & TN_SESSION_PRINTED) != 0)
            result = tarn_delete(sessions->printed, &link->head.number, sizeof link->head.number);
        return result;
    }
    tn_unreachable();
}

/* A timer goes off. `again`: it was set anew, to a time that is due as well. */
static int timer_handle(struct tn_sessions *sessions, const struct tn_timer *timer, bool fire,
                        int64_t until_ms, bool *again)
{
    const tarn_bytes key = { .data = timer->key, .bytes = timer->key_bytes };
    struct tn_session_link *link;
    int result = tn_session_chain_read(sessions, key);

    *again = false;
    if (result != TARN_OK)
        return result;
    link = timer_session(sessions, timer, fire);
    if (link != NULL && link->head.last_ms > timer->time_ms) {
        *again = link->head.last_ms <= until_ms;
        result = timer_renew(sessions, key, link, fire);
    } else if (link != NULL && fire) {
        result = session_fire(sessions, key, link);
    } else if (link != NULL) {
        result = session_leave(sessions, key, link);
        if (result == 0)
            result = tn_session_remove(sessions, key, (size_t)(link - sessions->chain));
    }
    return result == 0 ? tn_timers_remove(fire ? &sessions->fire : &sessions->close, timer)
                       : result;
}

static int timers_run(struct tn_sessions *sessions, bool fire, int64_t until_ms)
{
    struct tn_timers *timers = fire ? &sessions->fire : &sessions->close;
    int result = TARN_OK;

    while (result == 0 && timers->next_ms <= until_ms) {
        bool again = false; /* ends the batch (C3) */

        result = tn_timers_due(timers, until_ms);
        if (result == TARN_OK && timers->batch_count == 0)
            break;
        for (size_t i = 0; result == 0 && i < timers->batch_count && !again; i++)
            result = timer_handle(sessions, &timers->batch[i], fire, until_ms, &again);
    }
    return result;
}

int tn_sessions_advance(struct tn_sessions *sessions)
{
    int result = 0;

    if (sessions->parts->mode == TN_WINDOW_CHANGES)
        result = timers_run(sessions, true, sessions->parts->watermark_ms);
    return result == 0 ? timers_run(sessions, false, tn_parts_closed_ms(sessions->parts)) : result;
}

/* ---- printing -------------------------------------------------------------------------------- */

/* What has changed of a key, as rows that wait. */
static int print_key(struct tn_sessions *sessions, tarn_bytes key)
{
    struct tn_parts *parts = sessions->parts;
    int result = tn_session_chain_read(sessions, key);

    for (size_t i = 0; result == TARN_OK && i < sessions->chain_count; i++) {
        struct tn_session_link *link = &sessions->chain[i];
        struct tn_emission_head head = { .op = '+' };
        struct tn_session *record;

        if (link->head.mark != parts->mark)
            continue;
        result = tn_session_fill(sessions, key, link, &head);
        if (result == TARN_OK)
            result = tn_pending_put(&parts->pending, &head, key);
        if (result == TARN_OK)
            result = tn_session_fill(sessions, key, link, &head); /* what it borrowed has ended */
        if (result == TARN_OK)
            result = tn_pending_keep(&parts->pending, sessions->printed, link->head.number, &head);
        if (result == TARN_OK)
            result = tn_session_modify(sessions, key, link, &record);
        if (result == TARN_OK)
            record->flags |= TN_SESSION_PRINTED;
    }
    return result;
}

int tn_sessions_print(struct tn_sessions *sessions)
{
    tarn_iterator *keys;
    tarn_bytes key, none;
    int result = tarn_scan(&keys, sessions->changed, NULL);

    if (result != TARN_OK)
        return result;
    while (result == TARN_OK && (result = tarn_next(keys, &key, &none)) == TARN_OK) {
        if (key.bytes > 0)
            memcpy(sessions->key, key.data, key.bytes);
        key.data = sessions->key;
        result = print_key(sessions, key);
    }
    (void)tarn_iterator_close(keys); /* it was open: this cannot fail */
    return result == TARN_END ? tarn_table_clear(sessions->changed) : result;
}

/* ---- open and close -------------------------------------------------------------------------- */

static int tables_open(struct tn_sessions *sessions)
{
    const tarn_table_options unordered = { .kind = TARN_UNORDERED };
    const struct tn_parts *parts = sessions->parts;
    tarn_store *store = parts->store;
    int result = tarn_table_open(&sessions->first, store, "window sessions", &unordered);

    if (result == TARN_OK)
        result = tarn_table_open(&sessions->older, store, "window older", &unordered);
    if (result == TARN_OK && parts->layout->has_texts)
        result = tarn_table_open(&sessions->texts, store, "window texts", NULL);
    if (result == TARN_OK && parts->mode == TN_WINDOW_EVERY)
        result = tarn_table_open(&sessions->changed, store, "window changed", &unordered);
    if (result == TARN_OK && parts->mode == TN_WINDOW_EVERY)
        result = tarn_table_open(&sessions->printed, store, "window printed", &unordered);
    if (result == TARN_OK)
        result = tn_timers_init(&sessions->close, store, parts->memory, "window close");
    if (result == TARN_OK && parts->mode == TN_WINDOW_CHANGES)
        result = tn_timers_init(&sessions->fire, store, parts->memory, "window fire");
    return result;
}

int tn_sessions_open(struct tn_sessions *sessions, struct tn_parts *parts,
                     const struct tn_window_options *options)
{
    *sessions = (struct tn_sessions){
        .parts = parts,
        .gap_ms = options->gap_ms,
        .next_number = sessions->next_number,
        .record_bytes = sizeof(struct tn_session) + parts->layout->block_bytes,
    };
    sessions->record = tn_memory_new(parts->memory, sessions->record_bytes, false);
    sessions->key = tn_memory_new(parts->memory, TARN_KEY_BYTES_MAX, false);
    if (sessions->record == NULL || sessions->key == NULL)
        return TARN_E_MEMORY;
    return tables_open(sessions);
}

uint64_t tn_sessions_count(const struct tn_sessions *sessions)
{
    return tarn_table_count(sessions->first) + tarn_table_count(sessions->older);
}

static void table_close(tarn_table *table, bool drop)
{
    if (drop && table != NULL)
        (void)tarn_table_drop(table); /* nobody is left to tell */
    (void)tarn_table_close(table);
}

void tn_sessions_close(struct tn_sessions *sessions, bool drop)
{
    struct tn_memory *memory;

    if (sessions->parts == NULL)
        return;
    memory = sessions->parts->memory;
    if (drop) {
        (void)tn_timers_drop(&sessions->close);
        (void)tn_timers_drop(&sessions->fire);
    }
    tn_timers_finish(&sessions->close);
    tn_timers_finish(&sessions->fire);
    table_close(sessions->first, drop);
    table_close(sessions->older, drop);
    table_close(sessions->texts, drop);
    table_close(sessions->changed, drop);
    table_close(sessions->printed, drop);
    tn_memory_free(memory, sessions->chain, sessions->chain_capacity * sizeof *sessions->chain);
    tn_memory_free(memory, sessions->record, sessions->record_bytes);
    tn_memory_free(memory, sessions->key, TARN_KEY_BYTES_MAX);
    *sessions = (struct tn_sessions){ 0 };
}
