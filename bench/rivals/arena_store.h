/*
 * arena_store.h - a store out of any map from keys to slots of an arena
 *
 * No include guard: absl.cpp includes this once in the namespace of each of its stores, behind
 *
 *     slot_map                   the map, over a pool_allocator
 *     uint64_t key_of(key)       the map's key from 8 bytes
 *     seek(map, key)             an iterator at or after it
 */

struct rival {
    block_pool pool; /* outlives the map */
    arena entries;
    slot_map map{ typename slot_map::allocator_type(&pool) };
};

struct rival_cursor {
    slot_map::const_iterator at;
};

inline int rival_get(rival *store, const void *key, const void **value, size_t *value_bytes)
{
    auto found = store->map.find(key_of(key));

    if (found == store->map.end())
        return TN_BENCH_ABSENT;
    *value = store->entries.slots[found->second].value;
    *value_bytes = TN_BENCH_VALUE_BYTES;
    return TN_BENCH_OK;
}

inline int rival_contains(rival *store, const void *key)
{
    return store->map.contains(key_of(key)) ? TN_BENCH_OK : TN_BENCH_ABSENT;
}

inline int rival_modify(rival *store, const void *key)
{
    auto found = store->map.find(key_of(key));

    if (found == store->map.end())
        return TN_BENCH_ABSENT;
    uint8_t *value = store->entries.slots[found->second].value;
    tn_store_le64(value, tn_load_le64(value) + 1);
    return TN_BENCH_OK;
}

inline int rival_put(rival *store, const void *key, const void *value)
{
    try {
        auto [place, is_new] = store->map.try_emplace(key_of(key), no_slot);

        if (is_new) {
            place->second = store->entries.take();
            memcpy(&store->entries.slots[place->second].key, key, TN_BENCH_KEY_BYTES);
        }
        memcpy(store->entries.slots[place->second].value, value, TN_BENCH_VALUE_BYTES);
        return TN_BENCH_OK;
    } catch (const std::bad_alloc &) {
        return -1;
    }
}

inline int rival_remove(rival *store, const void *key)
{
    auto found = store->map.find(key_of(key));

    if (found == store->map.end())
        return TN_BENCH_ABSENT;
    store->entries.give(found->second);
    store->map.erase(found);
    return TN_BENCH_OK;
}

inline int rival_cursor_open(rival *store, rival_cursor *cursor, const void *key)
{
    cursor->at = key != nullptr ? seek(store->map, key) : store->map.begin();
    return TN_BENCH_OK;
}

inline int rival_cursor_next(rival *store, rival_cursor *cursor, const void **key,
                             const void **value, size_t *value_bytes)
{
    if (cursor->at == store->map.end())
        return TN_BENCH_ABSENT;
    const arena_slot &slot = store->entries.slots[cursor->at->second];
    *key = &slot.key;
    *value = slot.value;
    *value_bytes = TN_BENCH_VALUE_BYTES;
    ++cursor->at;
    return TN_BENCH_OK;
}

inline void rival_cursor_close(rival *, rival_cursor *)
{
}

#include "bench/loops.h"

void *rival_open(uint64_t entries_max, char *reason, size_t reason_bytes)
{
    rival *opened = new (std::nothrow) rival;

    if (opened != nullptr && opened->entries.reserve(entries_max))
        return opened;
    snprintf(reason, reason_bytes, "no memory for %llu entries",
             static_cast<unsigned long long>(entries_max));
    delete opened;
    return nullptr;
}

void rival_close(void *store)
{
    delete static_cast<rival *>(store);
}

int rival_clear(void *store)
{
    rival *cleared = static_cast<rival *>(store);

    cleared->map.clear();
    cleared->entries.clear();
    return TN_BENCH_OK;
}

uint64_t rival_memory_bytes(void *store)
{
    rival *asked = static_cast<rival *>(store);

    return asked->pool.live_bytes + asked->entries.used * sizeof(arena_slot);
}

uint64_t rival_allocations(void *store)
{
    return static_cast<rival *>(store)->pool.allocations;
}

const char *rival_error_text(void *, int)
{
    return "out of memory";
}
