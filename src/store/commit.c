/*
 * commit.c - commits: a number and a note, and, with a directory, a section of its log
 *
 *     check -> copy the note -> write the section (persist.c) -> number, note, tick -> sync, trim
 *
 * A store in memory leaves out the writing. A commit that changes nothing and repeats the note
 * advances neither number nor tick, and writes nothing.
 */
#include "store/durable.h"

static bool note_is_same(const tarn_store *store, const void *note, size_t note_bytes)
{
    return note_bytes == store->note_bytes &&
           (note_bytes == 0 || memcmp(note, store->note, note_bytes) == 0);
}

/* A copy of the note. false: refused. */
static bool note_copy(tarn_store *store, tarn_bytes note, void **out)
{
    *out = NULL;
    if (note.bytes == 0)
        return true;
    *out = tn_memory_new(&store->memory, note.bytes, false);
    if (*out == NULL && tn_store_reclaim_all(store))
        *out = tn_memory_new(&store->memory, note.bytes, false);
    if (*out != NULL)
        memcpy(*out, note.data, note.bytes);
    return *out != NULL;
}

/* Everything since the last commit becomes one; nothing can refuse it any more. */
static void commit_publish(tarn_store *store, void *note, size_t note_bytes)
{
    tn_memory_free(&store->memory, store->note, store->note_bytes);
    store->note = note;
    store->note_bytes = note_bytes;
    store->commit_number++;
    tn_store_tick(store);
    store->interval_tick = store->tick;
    store->changed = false;
}

/* Written, if there is somewhere to write to. At a limit, what waits to be reclaimed makes room first. */
static int commit_persist(tarn_store *store, tarn_bytes note)
{
    uint64_t number = store->commit_number + 1;
    int result = store->durable != NULL ? tn_persist(store, number, note) : TARN_OK;

    if (result != TARN_E_MEMORY)
        return result;
    if (tn_store_reclaim_all(store))
        result = tn_persist(store, number, note);
    return result == TARN_E_MEMORY ? tn_store_refused(store, "tarn_commit") : result;
}

static int commit_make(tarn_store *store, tarn_bytes note)
{
    void *copy;
    int result;

    if (!note_copy(store, note, &copy))
        return tn_store_refused(store, "tarn_commit");
    result = commit_persist(store, (tarn_bytes){ copy, note.bytes });
    if (result == TARN_OK)
        commit_publish(store, copy, note.bytes);
    else
        tn_memory_free(&store->memory, copy, note.bytes);
    return result;
}

/* What can be done once the commit is there; that it is, an error here does not change. */
static int commit_settle(tarn_store *store, unsigned flags)
{
    struct tn_log *log = store->durable->log;
    int result = (flags & TARN_SYNC) != 0 ? tn_log_sync(log) : TARN_OK;

    if (result == TARN_OK)
        result = tn_log_trim(log);
    if (result == TARN_OK)
        return TARN_OK;
    return tn_store_fail(store, result, "tarn_commit: commit %llu is made, but %s",
                         (unsigned long long)store->commit_number, tn_log_error_text(log));
}

int tarn_commit(tarn_store *store, const void *note, size_t note_bytes, unsigned flags)
{
    int result;

    if (store == NULL || *store->alive == 0)
        return TARN_E_MISUSE;
    if ((note == NULL && note_bytes > 0) || note_bytes > TARN_NOTE_BYTES_MAX)
        return tn_store_fail(store, TARN_E_MISUSE,
                             "tarn_commit: the note must be there and have at most %u bytes",
                             TARN_NOTE_BYTES_MAX);
    if ((flags & ~TARN_SYNC) != 0)
        return tn_store_fail(store, TARN_E_MISUSE, "tarn_commit: unknown flags %#x", flags);
    if (store->durable != NULL && store->durable->read_only)
        return tn_store_fail(store, TARN_E_MISUSE,
                             "tarn_commit: the store was opened with TARN_READ_ONLY");
    if (store->changed || !note_is_same(store, note, note_bytes)) {
        result = commit_make(store, (tarn_bytes){ note, note_bytes });
        if (result != TARN_OK)
            return result;
    }
    return store->durable != NULL ? commit_settle(store, flags) : TARN_OK;
}

int tarn_last_commit(tarn_store *store, uint64_t *number, tarn_bytes *note)
{
    if (store == NULL || *store->alive == 0)
        return TARN_E_MISUSE;
    if (number != NULL)
        *number = store->commit_number;
    if (note != NULL)
        *note = (tarn_bytes){ store->note != NULL ? store->note : "", store->note_bytes };
    return TARN_OK;
}
