/*
 * absl.cpp - two hand-written stores: Abseil's maps from 8-byte keys to slots of an arena
 *
 * Neither is a general store: keys of 8 bytes only, values of one size, one table. `arena` is what
 * one would write by hand for exactly this workload, and so the bound to look at for points;
 * `absl_btree` is the same for the ordered rows, with keys as integers whose order is that of the
 * bytes, so that a comparison is one instruction. Neither is presized.
 */
#include "bench/rivals.h"
#include "arena.h"

#include <absl/container/btree_map.h>
#include <absl/container/flat_hash_map.h>

namespace
{

using namespace tn_bench;

using slot_allocator = pool_allocator<std::pair<const uint64_t, uint64_t>>;

namespace hash
{

using slot_map =
    absl::flat_hash_map<uint64_t, uint64_t, absl::Hash<uint64_t>, std::equal_to<>, slot_allocator>;

inline uint64_t key_of(const void *key)
{
    return tn_load_le64(key);
}

/* There is no order: everything, from the beginning. */
inline slot_map::const_iterator seek(const slot_map &map, const void *)
{
    return map.begin();
}

#include "arena_store.h"

} // namespace hash

namespace btree
{

using slot_map = absl::btree_map<uint64_t, uint64_t, std::less<>, slot_allocator>;

inline uint64_t key_of(const void *key)
{
    return tn_load_be64(key);
}

inline slot_map::const_iterator seek(const slot_map &map, const void *key)
{
    return map.lower_bound(key_of(key));
}

#include "arena_store.h" // NOLINT(readability-duplicate-include): one for each map

} // namespace btree

} // namespace

const struct tn_bench_store tn_bench_arena = {
    "arena",
    "absl::flat_hash_map<uint64_t, slot> over an arena of {key, value}; huge pages; not presized",
    hash::rival_open,
    hash::rival_close,
    hash::rival_clear,
    hash::rival_memory_bytes,
    hash::rival_allocations,
    hash::rival_error_text,
    nullptr, /* begin */
    nullptr, /* end */
    hash::loop_get,
    nullptr, /* get_many */
    hash::loop_contains,
    hash::loop_modify,
    hash::loop_put,
    hash::loop_remove,
    nullptr, /* scan */
    hash::loop_full_scan,
    hash::loop_check,
};

const struct tn_bench_store tn_bench_absl_btree = {
    "absl_btree",
    "absl::btree_map<uint64_t, slot> over an arena of {key, value}; huge pages for the arena",
    btree::rival_open,
    btree::rival_close,
    btree::rival_clear,
    btree::rival_memory_bytes,
    btree::rival_allocations,
    btree::rival_error_text,
    nullptr, /* begin */
    nullptr, /* end */
    btree::loop_get,
    nullptr, /* get_many */
    btree::loop_contains,
    btree::loop_modify,
    btree::loop_put,
    btree::loop_remove,
    btree::loop_scan,
    btree::loop_full_scan,
    btree::loop_check,
};
