/*
 * gather.c - the batches that iterators step through
 *
 * An iterator gathers handles ahead of the step and has their records fetched, so that a scan of
 * records that lie anywhere waits for few of them:
 *
 *     batch    | given | given | given | next | ... | ... | ... | ... |
 *                                         ^ batch_next      ^ batch_low     ^ batch_count
 *              from batch_low on more is gathered behind what is left
 *
 * The first batch is small and nothing behind it is gathered before it is used up, since most scans
 * are short: what was fetched and not read was for nothing.
 * No step here reads a record but to find a lost place, and none allocates.
 */
#include "store/store.h"

#define GATHER_COUNT_FIRST 10u /* most scans are short: no more is fetched until it is asked for */
#define GATHER_COUNT_AGAIN 2u  /* after a write; there may be one after each step */
#define GATHER_COUNT_MAX 32u

#define LINE_BYTES ((size_t)64)

size_t tn_gather_room(const tarn_table *table)
{
    return GATHER_COUNT_MAX + (table->ordered != NULL ? GATHER_COUNT_MAX : TN_GATHER_ROOM);
}

void tn_gather_forget(tarn_iterator *it)
{
    it->batch_next = it->batch_quick = it->batch_low = it->batch_count = 0;
    it->version_now = &it->version;
}

/* Have a record fetched whose last byte is about there: its first two lines and its last. */
TN_ALWAYS_INLINE void record_fetch(const uint8_t *record, size_t last_byte)
{
    __builtin_prefetch(record);
    __builtin_prefetch(record + LINE_BYTES);
    __builtin_prefetch(record + last_byte);
}

static void batch_fetch(const tarn_iterator *it, size_t from)
{
    size_t i;

    for (i = from; i < it->batch_count; i++)
        record_fetch(it->base + it->batch[i].handle * TN_GRANULE_BYTES, it->last_byte);
}

/* What to expect of records to come. */
static void batch_learn(tarn_iterator *it)
{
    const struct tn_record *record = tn_record_at(it->base, it->current);
    size_t bytes;

    if (it->current == TN_HANDLE_NONE)
        return;
    bytes = tn_record_bytes(tn_record_key_bytes(record), tn_record_value_bytes(record));
    it->last_byte = tn_min(bytes, TN_FETCH_BYTES_MAX) - 1;
}

/* Move what is left to the front. */
static void batch_compact(tarn_iterator *it)
{
    size_t left = it->batch_count - it->batch_next;

    if (left > 0)
        memmove(it->batch, it->batch + it->batch_next, left * sizeof *it->batch);
    it->batch_next = 0;
    it->batch_count = left;
}

/* ---- ordered tables -------------------------------------------------------------------------- */

static void ordered_seek(tarn_iterator *it, enum tn_ordered_seek how, tarn_bytes key)
{
    (void)tn_ordered_seek(it->table->ordered, &it->cursor, how, key.data, key.bytes);
}

static void ordered_start(tarn_iterator *it)
{
    if (!it->reverse)
        ordered_seek(it, TN_SEEK_AT_LEAST, it->lower);
    else if (it->upper.data == NULL)
        ordered_seek(it, TN_SEEK_LAST, it->upper);
    else
        ordered_seek(it, TN_SEEK_BEFORE, it->upper);
}

/* Whether a key that was sought lies before the range's beginning, as the scan sees it. */
static bool ordered_is_before(const tarn_iterator *it, tarn_bytes key)
{
    if (!it->reverse)
        return it->lower.bytes > 0 &&
               tn_key_compare(key.data, key.bytes, it->lower.data, it->lower.bytes) < 0;
    return it->upper.data != NULL &&
           tn_key_compare(key.data, key.bytes, it->upper.data, it->upper.bytes) >= 0;
}

/* Put the cursor where the scan goes on, from its beginning or from the last key. */
static void ordered_find_place(tarn_iterator *it)
{
    tarn_bytes key = tn_iterator_last_key(it);

    if (!it->started || (it->at_saved_key && ordered_is_before(it, key)))
        ordered_start(it);
    else if (it->at_saved_key)
        ordered_seek(it, it->reverse ? TN_SEEK_AT_MOST : TN_SEEK_AT_LEAST, key);
    else
        ordered_seek(it, it->reverse ? TN_SEEK_BEFORE : TN_SEEK_AFTER, key);
}

static void ordered_gather(tarn_iterator *it)
{
    struct tn_walk_entry *batch = it->batch + it->batch_count;
    size_t last_byte = it->last_byte, wanted = it->gather_count, found, i;
    const uint8_t *base = it->base;
    tn_handle handles[GATHER_COUNT_MAX];

    found = tn_ordered_gather(it->table->ordered, &it->cursor, it->reverse, handles, wanted);
    for (i = 0; i < found; i++) {
        batch[i].handle = handles[i];
        record_fetch(base + handles[i] * TN_GRANULE_BYTES, last_byte);
    }
    it->batch_count += found;
    it->batch_low = it->batch_count;
    if (found == wanted && wanted != GATHER_COUNT_FIRST)
        it->batch_low -= found / 2;
    it->gather_count = tn_min(2 * it->gather_count, GATHER_COUNT_MAX);
}

/* ---- unordered tables ------------------------------------------------------------------------ */

static tarn_bytes entry_key(const tarn_iterator *it, tn_handle handle)
{
    struct tn_record *record = tn_record_at(it->table->base, handle);

    return (tarn_bytes){ tn_record_key(record), tn_record_key_bytes(record) };
}

/* < 0, 0, > 0 as the entry's key sorts before, with, after the key. */
static int entry_compare(const tarn_iterator *it, tn_handle handle, tarn_bytes key)
{
    tarn_bytes own = entry_key(it, handle);

    return tn_key_compare(own.data, own.bytes, key.data, key.bytes);
}

/* Entries come ordered by hash; put those with equal hashes into key order. */
static void unordered_order_ties(tarn_iterator *it, size_t from)
{
    size_t i, j;

    for (i = from + 1; i < it->batch_count; i++) {
        struct tn_walk_entry entry = it->batch[i];

        for (j = i; j > from && it->batch[j - 1].place == entry.place &&
                    entry_compare(it, it->batch[j - 1].handle, entry_key(it, entry.handle)) > 0;
             j--)
            it->batch[j] = it->batch[j - 1];
        it->batch[j] = entry;
    }
}

/* The scan is round when it comes to the place it began at. */
static void unordered_end_round(tarn_iterator *it, size_t from)
{
    while (it->batch_count > from && it->batch[it->batch_count - 1].place >= it->first)
        it->batch_count--;
    if (it->position >= it->first)
        it->position = TN_HASH31_END;
}

/*
 * Each scan begins elsewhere: where scans delete the first entries they are given, all of them
 * beginning at the same place would have ever more empty buckets to pass.
 */
static void unordered_gather(tarn_iterator *it)
{
    size_t from = it->batch_count;

    do {
        it->batch_count += tn_index_gather(&it->table->index, it->block_bits, &it->position,
                                           it->gather_count, it->batch + it->batch_count);
        if (it->wrapped) {
            unordered_end_round(it, from);
        } else if (it->position >= TN_HASH31_END && it->first > 0) {
            it->wrapped = true;
            it->position = 0;
        }
    } while (it->batch_count == from && it->position < TN_HASH31_END);
    unordered_order_ties(it, from);
    it->batch_low = it->batch_count;
    if (it->position < TN_HASH31_END)
        it->batch_low -= tn_min((it->batch_count - from) / 2, GATHER_COUNT_MAX);
    it->gather_count = tn_min(2 * it->gather_count, TN_GATHER_ENTRIES);
}

/* Go on behind the last key, or at it: gather from its hash on, and skip what was given. */
static void unordered_find_place(tarn_iterator *it)
{
    tarn_bytes last = tn_iterator_last_key(it);
    int skip_below = it->at_saved_key ? 0 : 1; /* its entry too, unless it was sought */
    uint32_t hash31, place;

    if (!it->started)
        return;
    hash31 = tn_hash31(tn_hash(&it->table->secret, last.data, last.bytes));
    place = tn_walk_turn(hash31, it->block_bits);
    it->position = place;
    it->wrapped = place < it->first;
    unordered_gather(it); /* a whole home bucket at least, so all entries of this hash */
    while (it->batch_next < it->batch_count && it->batch[it->batch_next].place == place &&
           entry_compare(it, it->batch[it->batch_next].handle, last) < skip_below)
        it->batch_next++;
}

/* ---- either ---------------------------------------------------------------------------------- */

void tn_gather(tarn_iterator *it)
{
    const struct tn_ordered *ordered = it->table->ordered;
    size_t from;

    if (it->version_now == &it->version || it->version != *it->version_now) {
        bool again = it->version_now != &it->version;

        tn_gather_forget(it);
        it->gather_count = again ? GATHER_COUNT_AGAIN : GATHER_COUNT_FIRST;
        it->version_now = ordered != NULL ? tn_ordered_version(ordered) : &it->table->index.version;
        it->version = *it->version_now;
        if (ordered != NULL)
            ordered_find_place(it);
        else
            unordered_find_place(it);
    }
    batch_learn(it);
    batch_compact(it);
    from = it->batch_count;
    if (ordered != NULL) {
        ordered_gather(it);
    } else {
        unordered_gather(it);
        batch_fetch(it, from);
    }
    it->batch_quick = it->bounded ? 0 : it->batch_low;
}
