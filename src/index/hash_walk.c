/*
 * hash_walk.c - visiting the entries of a hash index in the order of a walk
 *
 *     place    0 ...................................................... 2^31
 *     hash     | block 0 | block 2 | block 1 | block 3 |                      tn_walk_turn
 *
 * A walk goes on by its place, home bucket by home bucket, and by hashes within one; see
 * hash_index.h for why in that order. Nothing is remembered but the place.
 */
#include "index/hash_parts.h"

unsigned tn_walk_block_bits(const struct tn_index *index)
{
    unsigned count_bits = tn_log2(index->counts[1]);

    return count_bits < 4 ? 0 : count_bits - 4;
}

static void gather_insert(struct tn_walk_entry *out, size_t from, size_t count,
                          struct tn_walk_entry entry)
{
    size_t i = count;

    for (; i > from && out[i - 1].place > entry.place; i--)
        out[i] = out[i - 1];
    out[i] = entry;
}

/* Entries with hashes [first, end), which have one home bucket; their places are `shift` further. */
static size_t gather_home(const uint64_t *bucket, uint32_t first, uint32_t end, uint32_t shift,
                          struct tn_walk_entry *out)
{
    size_t found = 0;
    bool more = true;

    for (; more; bucket += TN_BUCKET_WORDS) {
        uint32_t taken = index_taken(bucket[0]);

        more = bucket_over(bucket) != 0;
        for (; taken != 0; taken &= taken - 1) {
            uint32_t slot = (uint32_t)__builtin_ctz(taken);
            uint32_t hash31 = index_entry_hash31(bucket, slot);
            tn_handle handle = index_entry_handle(bucket[1 + slot]);

            if (hash31 < first || hash31 >= end)
                continue;
            gather_insert(out, 0, found++, (struct tn_walk_entry){ handle, hash31 + shift });
        }
    }
    return found;
}

size_t tn_index_gather(const struct tn_index *index, unsigned block_bits, uint64_t *position,
                       size_t wanted, struct tn_walk_entry *out)
{
    return tn_index_gather_some(index, block_bits, position, wanted, UINT64_MAX, out);
}

size_t tn_index_gather_some(const struct tn_index *index, unsigned block_bits, uint64_t *position,
                            size_t wanted, uint64_t home_max, struct tn_walk_entry *out)
{
    size_t found = 0;

    for (; home_max > 0 && found < wanted && *position < TN_HASH31_END; home_max--) {
        uint32_t hash31 = tn_walk_turn((uint32_t)*position, block_bits);
        uint64_t block_end = (hash31 | UINT32_C(0x7FFFFFFF) >> block_bits) + UINT64_C(1);
        bool below = hash31 < index->boundary;
        uint64_t count = below ? index->counts[0] : index->counts[1];
        uint64_t home = index_home_of(hash31, count);
        uint64_t end = tn_min(index_first_hash(home + 1, count), block_end);

        if (below && end > index->boundary)
            end = index->boundary;
        found += gather_home(index->buckets + home * TN_BUCKET_WORDS, hash31, (uint32_t)end,
                             (uint32_t)*position - hash31, out + found);
        *position += end - hash31;
    }
    return found;
}
