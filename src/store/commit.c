/*
 * commit.c - commits of a store in memory: a number and a note
 *
 * Nothing is written anywhere, but the number and the note behave as they will with a directory:
 * a commit that changes nothing and repeats the note advances neither number nor tick.
 */
#include "store/store.h"

static bool note_is_same(const tarn_store *store, const void *note, size_t note_bytes)
{
    return note_bytes == store->note_bytes &&
           (note_bytes == 0 || memcmp(note, store->note, note_bytes) == 0);
}

static bool note_replace(tarn_store *store, const void *note, size_t note_bytes)
{
    void *copy = NULL;

    if (note_is_same(store, note, note_bytes))
        return true;
    if (note_bytes > 0) {
        copy = tn_memory_new(&store->memory, note_bytes, false);
        if (copy == NULL)
            return false;
        memcpy(copy, note, note_bytes);
    }
    tn_memory_free(&store->memory, store->note, store->note_bytes);
    store->note = copy;
    store->note_bytes = note_bytes;
    return true;
}

int tarn_commit(tarn_store *store, const void *note, size_t note_bytes, unsigned flags)
{
    if (store == NULL || *store->alive == 0)
        return TARN_E_MISUSE;
    if ((note == NULL && note_bytes > 0) || note_bytes > TARN_NOTE_BYTES_MAX)
        return tn_store_fail(store, TARN_E_MISUSE,
                             "tarn_commit: the note must be there and have at most %u bytes",
                             TARN_NOTE_BYTES_MAX);
    if ((flags & ~TARN_SYNC) != 0)
        return tn_store_fail(store, TARN_E_MISUSE, "tarn_commit: unknown flags %#x", flags);
    if (!store->changed && note_is_same(store, note, note_bytes))
        return TARN_OK;
    if (!note_replace(store, note, note_bytes) &&
        (!tn_store_reclaim_all(store) || !note_replace(store, note, note_bytes)))
        return tn_store_refused(store, "tarn_commit");
    store->commit_number++;
    tn_store_tick(store);
    store->changed = false;
    return TARN_OK;
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
