/*
 * absl.cpp - two hand-written stores: Abseil's maps from keys to slots of an arena
 *
 * Neither is a general store: keys of one size, values of one size, one table. `arena` is what one
 * would write by hand for exactly this workload, and so the bound to look at for points;
 * `absl_btree` is the same for the ordered rows. Keys of 8 bytes are integers to the maps, for the
 * btree with the order of the bytes, so that a comparison is one instruction; longer ones are views
 * of the bytes in the arena. Neither is presized.
 *
 *     hand_written<map, key bytes, value bytes>     compiled for each shape there is
 *          map.find(key), map.slot_of(...)          hash_map or ordered_map below
 */
#include "bench/rivals.h"
#include "arena.h"

#include <absl/container/btree_map.h>
#include <absl/container/flat_hash_map.h>

#include <string_view>

namespace
{

using namespace tn_bench;

/* How a key's bytes become a map's key. */
template <size_t size> struct text_key {
    using type = std::string_view;
    static type of(const void *key)
    {
        return { static_cast<const char *>(key), size };
    }
};

struct unordered_number_key {
    using type = uint64_t;
    static type of(const void *key)
    {
        return tn_load_le64(key);
    }
};

struct ordered_number_key {
    using type = uint64_t;
    static type of(const void *key)
    {
        return tn_load_be64(key);
    }
};

template <class key>
using slot_allocator = pool_allocator<std::pair<const typename key::type, uint64_t>>;

template <size_t size> struct hash_map {
    using key = std::conditional_t<size == 8, unordered_number_key, text_key<size>>;
    using type = absl::flat_hash_map<typename key::type, uint64_t, absl::Hash<typename key::type>,
                                     std::equal_to<>, slot_allocator<key>>;

    /* There is no order: everything, from the beginning. */
    static typename type::const_iterator seek(const type &map, const void *)
    {
        return map.begin();
    }

    /* The slot of a key; when there is none `take` gives one, with the key's bytes in it. */
    template <class take_slot> static uint64_t slot_of(type &map, const void *at, take_slot take)
    {
        return map
            .lazy_emplace(key::of(at),
                          [&](const auto &construct) {
                              auto [slot, bytes] = take();
                              construct(key::of(bytes), slot);
                          })
            ->second;
    }
};

template <size_t size> struct ordered_map {
    using key = std::conditional_t<size == 8, ordered_number_key, text_key<size>>;
    using type = absl::btree_map<typename key::type, uint64_t, std::less<>, slot_allocator<key>>;

    static typename type::const_iterator seek(const type &map, const void *at)
    {
        return map.lower_bound(key::of(at));
    }

    template <class take_slot> static uint64_t slot_of(type &map, const void *at, take_slot take)
    {
        if constexpr (size == 8) {
            auto [place, is_new] = map.try_emplace(key::of(at), no_slot);

            if (is_new)
                place->second = take().first;
            return place->second;
        } else {
            auto place = map.lower_bound(key::of(at));

            if (place != map.end() && place->first == key::of(at))
                return place->second;
            auto [slot, bytes] = take();
            return map.emplace_hint(place, key::of(bytes), slot)->second;
        }
    }
};

template <class kind, size_t key_size, size_t value_size> struct hand_written {
    struct rival {
        block_pool pool; /* outlives the map */
        arena<key_size, value_size> entries;
        typename kind::type map{ typename kind::type::allocator_type(&pool) };
    };

    struct rival_cursor {
        typename kind::type::const_iterator at;
    };

    static inline int rival_get(rival *store, const void *key, const void **value,
                                size_t *value_bytes)
    {
        auto found = store->map.find(kind::key::of(key));

        if (found == store->map.end())
            return TN_BENCH_ABSENT;
        *value = store->entries.slots[found->second].value;
        *value_bytes = value_size;
        return TN_BENCH_OK;
    }

    static inline int rival_contains(rival *store, const void *key)
    {
        return store->map.contains(kind::key::of(key)) ? TN_BENCH_OK : TN_BENCH_ABSENT;
    }

    static inline int rival_modify(rival *store, const void *key)
    {
        auto found = store->map.find(kind::key::of(key));

        if (found == store->map.end())
            return TN_BENCH_ABSENT;
        uint8_t *value = store->entries.slots[found->second].value;
        tn_store_le64(value, tn_load_le64(value) + 1);
        return TN_BENCH_OK;
    }

    static inline int rival_put(rival *store, const void *key, const void *value)
    {
        auto take = [&] {
            uint64_t slot = store->entries.take();

            memcpy(store->entries.slots[slot].key, key, key_size);
            return std::pair(slot, store->entries.slots[slot].key);
        };

        try {
            uint64_t slot = kind::slot_of(store->map, key, take);

            memcpy(store->entries.slots[slot].value, value, value_size);
            return TN_BENCH_OK;
        } catch (const std::bad_alloc &) {
            return -1;
        }
    }

    static inline int rival_remove(rival *store, const void *key)
    {
        auto found = store->map.find(kind::key::of(key));

        if (found == store->map.end())
            return TN_BENCH_ABSENT;
        uint64_t slot = found->second;
        store->map.erase(found); /* first: its key may lie in the slot */
        store->entries.give(slot);
        return TN_BENCH_OK;
    }

    static inline int rival_cursor_open(rival *store, rival_cursor *cursor, const void *key)
    {
        cursor->at = key != nullptr ? kind::seek(store->map, key) : store->map.begin();
        return TN_BENCH_OK;
    }

    static inline int rival_cursor_next(rival *store, rival_cursor *cursor, const void **key,
                                        const void **value, size_t *value_bytes)
    {
        if (cursor->at == store->map.end())
            return TN_BENCH_ABSENT;
        const auto &slot = store->entries.slots[cursor->at->second];
        *key = slot.key;
        *value = slot.value;
        *value_bytes = value_size;
        ++cursor->at;
        return TN_BENCH_OK;
    }

    static inline void rival_cursor_close(rival *, rival_cursor *)
    {
    }

#include "bench/loops.h"

    static void *open(const tn_bench_setup *setup, char *reason, size_t reason_bytes)
    {
        rival *opened = new (std::nothrow) rival;

        if (opened != nullptr && opened->entries.reserve(setup->entries_max))
            return opened;
        snprintf(reason, reason_bytes, "no memory for %llu entries",
                 static_cast<unsigned long long>(setup->entries_max));
        delete opened;
        return nullptr;
    }

    static void close(void *store)
    {
        delete static_cast<rival *>(store);
    }

    static int clear(void *store)
    {
        rival *cleared = static_cast<rival *>(store);

        cleared->map.clear();
        cleared->entries.clear();
        return TN_BENCH_OK;
    }

    static uint64_t memory_bytes(void *store)
    {
        rival *asked = static_cast<rival *>(store);

        return asked->pool.live_bytes + asked->entries.used * sizeof(*asked->entries.slots);
    }

    static uint64_t allocations(void *store)
    {
        return static_cast<rival *>(store)->pool.allocations;
    }

    static const char *error_text(void *, int)
    {
        return "out of memory";
    }

    static constexpr tn_bench_store described(const char *name, const char *notes, bool is_ordered)
    {
        tn_bench_store store{};

        store.name = name;
        store.notes = notes;
        store.shape = { key_size, value_size };
        store.room_bytes = 100;
        store.open = open;
        store.close = close;
        store.clear = clear;
        store.memory_bytes = memory_bytes;
        store.allocations = allocations;
        store.error_text = error_text;
        store.get = loop_get;
        store.contains = loop_contains;
        store.modify = loop_modify;
        store.put = loop_put;
        store.remove = loop_remove;
        store.replace = loop_replace;
        store.scan = is_ordered ? loop_scan : nullptr;
        store.full_scan = loop_full_scan;
        store.check = loop_check;
        return store;
    }
};

template <size_t key_size, size_t value_size>
constexpr tn_bench_store hashed = hand_written<hash_map<key_size>, key_size, value_size>::described(
    "arena", "absl::flat_hash_map to slots of an arena of {key, value}; huge pages; not presized",
    false);

template <size_t key_size, size_t value_size>
constexpr tn_bench_store ordered =
    hand_written<ordered_map<key_size>, key_size, value_size>::described(
        "absl_btree", "absl::btree_map to slots of an arena of {key, value}; arena in huge pages",
        true);

} // namespace

const struct tn_bench_store *const tn_bench_absl_stores[] = {
    &hashed<8, 128>,  &ordered<8, 128>, &hashed<8, 32>,    &ordered<8, 32>, &hashed<8, 256>,
    &ordered<8, 256>, &hashed<60, 128>, &ordered<60, 128>, nullptr,
};
