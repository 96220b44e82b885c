/*
 * hash_check.c - whether a hash index is as its rules say: for tests, slowly
 *
 * Each entry is looked at where it lies (I1: not before its home, and not too far behind), and each
 * count of passing entries is counted anew.
 */
#include "index/hash_parts.h"

/* Entries that pass beyond `bucket`, counted from those that lie behind it (I1). */
static unsigned check_over(const struct tn_index *index, uint64_t bucket_number, uint64_t buckets)
{
    uint64_t behind = bucket_number + 1, passing = 0;

    for (; behind < buckets && behind <= bucket_number + INDEX_SLACK_BUCKETS; behind++) {
        const uint64_t *bucket = index->buckets + behind * TN_BUCKET_WORDS;
        uint32_t slot;

        for (slot = 0; slot < TN_BUCKET_SLOTS; slot++) {
            const uint64_t *home = tn_index_home(index, index_entry_hash31(bucket, slot));

            passing += bucket_has(bucket, slot) &&
                       home <= index->buckets + bucket_number * TN_BUCKET_WORDS;
        }
    }
    return (unsigned)passing;
}

bool tn_index_check(const struct tn_index *index)
{
    uint64_t highest = tn_max(index->counts[0], index->counts[1]);
    uint64_t buckets = highest + index->slack, entries = 0, i;

    if (!tn_index_is_moving(index) && index->boundary != 0)
        return false;
    for (i = 0; i < buckets; i++) {
        const uint64_t *bucket = index->buckets + i * TN_BUCKET_WORDS;
        uint32_t slot;

        for (slot = 0; slot < TN_BUCKET_SLOTS; slot++) {
            const uint64_t *home = tn_index_home(index, index_entry_hash31(bucket, slot));

            if (!bucket_has(bucket, slot))
                continue;
            entries++;
            if (bucket < home || bucket > home + index->slack * TN_BUCKET_WORDS)
                return false;
        }
        if (bucket_over(bucket) != 255 && bucket_over(bucket) != check_over(index, i, buckets))
            return false;
    }
    return entries == index->entry_count;
}
