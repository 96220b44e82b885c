/*
 * hash_array.c - the memory of a hash index
 *
 *     small    | homes | slack |                                   one allocated block
 *     larger   | homes                | slack | committed | reserved, 16 times and more ...... |
 *
 * A larger one is mapped pages inside address space reserved for many times its size, so that it
 * grows and shrinks in place: pages are committed behind its end, and given back. Once the
 * reservation is used up, the index is built anew in another.
 */
#include "index/hash_parts.h"

#define BUCKET_BYTES (TN_BUCKET_WORDS * sizeof(uint64_t))
/*
 * Room for 370 million entries, yet so little that 30,000 tables find theirs in 47 bits of
 * addresses (more mappings than that Linux does not give). A larger index is built anew in more.
 */
#define RESERVE_BYTES_FIRST ((size_t)1 << 32)
#define RESERVE_FACTOR 16u
#define COMMIT_STEP_SMALL ((size_t)64 * TN_KIB)
#define COMMIT_STEP_LARGE ((size_t)2 * TN_MIB)

static size_t slack_for(uint64_t count)
{
    return count > TN_SMALL_BUCKETS_MAX / 2 ? INDEX_SLACK_BUCKETS : tn_min(count / 2 + 1, 63);
}

void tn_index_set_limits(struct tn_index *index)
{
    uint64_t slots = (uint64_t)index->counts[1] * TN_BUCKET_SLOTS;

    index->grow_at = index->counts[1] >= TN_BUCKET_COUNT_MAX ? UINT64_MAX : slots * 4 / 5;
    index->shrink_at = index->counts[1] == 1 ? 0 : slots / 3;
}

size_t tn_index_array_bytes(uint64_t count)
{
    return (size_t)(count + slack_for(count)) * BUCKET_BYTES;
}

static size_t commit_step(size_t bytes)
{
    return bytes >= 2 * COMMIT_STEP_LARGE ? COMMIT_STEP_LARGE : COMMIT_STEP_SMALL;
}

bool tn_index_array_commit(struct tn_index *index, size_t bytes)
{
    size_t step = commit_step(bytes);
    size_t goal = tn_align_up(bytes, step);
    uint8_t *start = (uint8_t *)index->buckets;
    unsigned flags = step == COMMIT_STEP_LARGE ? TN_OS_HUGE : 0;

    if (goal <= index->bytes)
        return true;
    if (!tn_memory_charge(index->memory, goal - index->bytes))
        return false;
    if (index->os->ops->pages_commit(index->os->context, start + index->bytes, goal - index->bytes,
                                     flags) < 0) {
        tn_memory_discharge(index->memory, goal - index->bytes);
        return false;
    }
    index->bytes = goal;
    return true;
}

void tn_index_array_decommit(struct tn_index *index, size_t keep_bytes)
{
    size_t keep = tn_align_up(keep_bytes, commit_step(keep_bytes));
    uint8_t *start = (uint8_t *)index->buckets;

    if (keep >= index->bytes)
        return;
    (void)index->os->ops->pages_decommit(index->os->context, start + keep, index->bytes - keep);
    tn_memory_discharge(index->memory, index->bytes - keep);
    index->bytes = keep;
}

void tn_index_array_release(struct tn_index *index)
{
    if (index->reserved_bytes == 0) {
        tn_memory_free(index->memory, index->buckets, index->bytes);
    } else {
        tn_memory_discharge(index->memory, index->bytes);
        index->os->ops->pages_release(index->os->context, index->buckets, index->reserved_bytes);
    }
    index->buckets = NULL;
    index->bytes = index->reserved_bytes = 0;
}

static bool array_new_mapped(struct tn_index *index, size_t bytes)
{
    size_t reserve =
        tn_max(RESERVE_BYTES_FIRST, RESERVE_FACTOR * tn_align_up(bytes, COMMIT_STEP_LARGE));
    void *start = NULL;

    while (index->os->ops->pages_reserve(index->os->context, reserve, &start) < 0) {
        reserve /= 2;
        if (reserve < 2 * tn_align_up(bytes, COMMIT_STEP_LARGE))
            return false;
    }
    index->buckets = start;
    index->reserved_bytes = reserve;
    index->bytes = 0;
    if (tn_index_array_commit(index, bytes))
        return true;
    tn_index_array_release(index);
    return false;
}

bool tn_index_array_new(struct tn_index *index, uint64_t count)
{
    size_t bytes = tn_index_array_bytes(count);

    index->bytes = bytes;
    index->reserved_bytes = 0;
    if (count <= TN_SMALL_BUCKETS_MAX) {
        index->buckets = tn_memory_new(index->memory, bytes, true);
        if (index->buckets == NULL)
            return false;
    } else if (!array_new_mapped(index, bytes)) {
        return false;
    }
    index->counts[0] = index->counts[1] = (uint32_t)count;
    index->boundary = 0;
    index->slack = slack_for(count);
    tn_index_set_limits(index);
    return true;
}

bool tn_index_open(struct tn_index *index, const struct tn_os *os, struct tn_memory *memory)
{
    *index = (struct tn_index){ .os = os, .memory = memory };
    return tn_index_array_new(index, 1);
}

bool tn_index_free_step(struct tn_index *index, uint64_t *budget_bytes)
{
    size_t step = 16 * TN_MIB;

    while (index->reserved_bytes > 0 && index->bytes > step) {
        if (*budget_bytes == 0)
            return false;
        *budget_bytes -= step < *budget_bytes ? step : *budget_bytes;
        tn_index_array_decommit(index, index->bytes - step);
    }
    *budget_bytes -= index->bytes < *budget_bytes ? index->bytes : *budget_bytes;
    tn_index_array_release(index);
    return true;
}
