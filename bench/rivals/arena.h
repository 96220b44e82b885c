/*
 * arena.h - where the hand-written rivals keep their entries
 *
 * One array of {key, value} slots in address space reserved once, so that it grows without copying;
 * freed slots are chained and used again. Huge pages are asked for, and blocks of a megabyte and
 * more that an index gives back are kept for its next growth: what a careful programmer would do by
 * hand, and what makes 'memory touched before' true for these rivals, too.
 *
 *     index (absl)  key -> slot number
 *                              |
 *     slots  [key value][key value][free -> ...]...
 */
#ifndef TN_BENCH_ARENA_H
#define TN_BENCH_ARENA_H

#include "bench/store.h"

#include <sys/mman.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>
#include <vector>

namespace tn_bench
{

constexpr size_t huge_page_bytes = size_t{ 2 } << 20;
constexpr size_t big_block_bytes = size_t{ 1 } << 20;

/* Pages aligned for huge ones; NULL when there are none. */
inline void *pages_map(size_t bytes)
{
    size_t all = bytes + huge_page_bytes;
    void *map = mmap(nullptr, all, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (map == MAP_FAILED)
        return nullptr;
    uintptr_t start = reinterpret_cast<uintptr_t>(map);
    uintptr_t at = (start + huge_page_bytes - 1) & ~(uintptr_t)(huge_page_bytes - 1);
    if (at > start)
        munmap(map, at - start);
    if (start + all > at + bytes)
        munmap(reinterpret_cast<void *>(at + bytes), start + all - (at + bytes));
    madvise(reinterpret_cast<void *>(at), bytes, MADV_HUGEPAGE);
    return reinterpret_cast<void *>(at);
}

inline size_t pages_round(size_t bytes)
{
    return (bytes + 4095) & ~size_t{ 4095 };
}

/* What an index allocates: counted, and big blocks kept. */
struct block_pool {
    uint64_t live_bytes = 0;
    uint64_t allocations = 0;
    std::vector<std::pair<size_t, void *>> kept;

    void *take(size_t bytes)
    {
        void *block = nullptr;

        if (bytes < big_block_bytes) {
            block = malloc(bytes);
        } else {
            bytes = pages_round(bytes);
            for (auto &place : kept) {
                if (place.first == bytes && place.second != nullptr) {
                    block = std::exchange(place.second, nullptr);
                    break;
                }
            }
            if (block == nullptr)
                block = pages_map(bytes);
        }
        if (block == nullptr)
            throw std::bad_alloc();
        allocations++;
        live_bytes += bytes;
        return block;
    }

    void give(void *block, size_t bytes)
    {
        if (bytes < big_block_bytes) {
            live_bytes -= bytes;
            free(block);
            return;
        }
        bytes = pages_round(bytes);
        live_bytes -= bytes;
        for (auto &place : kept) {
            if (place.second == nullptr) {
                place = { bytes, block };
                return;
            }
        }
        kept.emplace_back(bytes, block);
    }

    ~block_pool()
    {
        for (auto &place : kept)
            if (place.second != nullptr)
                munmap(place.second, place.first);
    }
};

/* A standard allocator over a pool. */
template <class T> struct pool_allocator {
    using value_type = T;

    block_pool *pool;

    explicit pool_allocator(block_pool *from) : pool(from)
    {
    }
    template <class U> pool_allocator(const pool_allocator<U> &other) : pool(other.pool)
    {
    }
    T *allocate(size_t count)
    {
        return static_cast<T *>(pool->take(count * sizeof(T)));
    }
    void deallocate(T *block, size_t count)
    {
        pool->give(block, count * sizeof(T));
    }
    template <class U> bool operator==(const pool_allocator<U> &other) const
    {
        return pool == other.pool;
    }
    template <class U> bool operator!=(const pool_allocator<U> &other) const
    {
        return pool != other.pool;
    }
};

constexpr uint64_t no_slot = UINT64_MAX;

/* Keys and values of one size each. */
template <size_t key_size, size_t value_size> struct arena {
    struct slot {
        uint8_t key[(key_size + 7) / 8 * 8]; /* of a free slot: the next free one */
        uint8_t value[value_size];
    };
    static_assert(key_size >= 8 && value_size % 8 == 0, "a slot holds a slot's number");

    slot *slots = nullptr;
    uint64_t slot_count_max = 0;
    uint64_t used = 0; /* slots ever taken since the last clear */
    uint64_t free_slot = no_slot;

    bool reserve(uint64_t count)
    {
        slots = static_cast<slot *>(pages_map(pages_round(count * sizeof(slot))));
        slot_count_max = slots != nullptr ? count : 0;
        return slots != nullptr;
    }

    uint64_t take()
    {
        uint64_t taken = free_slot;

        if (taken != no_slot) {
            memcpy(&free_slot, slots[taken].key, sizeof free_slot);
            return taken;
        }
        if (used == slot_count_max)
            throw std::bad_alloc();
        return used++;
    }

    void give(uint64_t given)
    {
        memcpy(slots[given].key, &free_slot, sizeof free_slot);
        free_slot = given;
    }

    void clear()
    {
        used = 0;
        free_slot = no_slot;
    }

    ~arena()
    {
        if (slots != nullptr)
            munmap(static_cast<void *>(slots), pages_round(slot_count_max * sizeof(slot)));
    }
};

} // namespace tn_bench

#endif
