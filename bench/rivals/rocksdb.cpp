/*
 * rocksdb.cpp - RocksDB, set up for data that is smaller than memory
 *
 * Files lie on tmpfs where there is one with room, without compression, and are read through a map:
 * a block is used where it lies, and no second copy of it fills a block cache. No log, since
 * nothing has to survive; bloom filters for files and for the memtable; a hash index in each block;
 * checksums are not verified on reads. One thread writes, so the machinery for several is off. What is
 * put off (flush, compaction) is finished before reads are timed, so that a get looks into one sorted
 * run. Its background threads share the processor that the run stays on.
 */
#include "bench/rivals.h"
#include "bench/scratch.h"

#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/iterator.h>
#include <rocksdb/table.h>

#include <cstdio>
#include <cstring>
#include <memory>
#include <new>
#include <string>

namespace
{

struct rival {
    std::unique_ptr<rocksdb::DB> database;
    std::unique_ptr<rocksdb::Iterator> iterator; /* of the pass; made when first asked for */
    rocksdb::WriteOptions write_options;
    rocksdb::ReadOptions read_options;
    rocksdb::PinnableSlice value; /* lent by the last get */
    rocksdb::Status failure;
    tn_bench_shape shape;
    std::string path;
};

struct rival_cursor {
    rocksdb::Iterator *iterator;
    bool is_first; /* the iterator stands on an entry that was not given yet */
};

inline int result_of(rival *store, const rocksdb::Status &status)
{
    if (status.ok())
        return TN_BENCH_OK;
    if (status.IsNotFound())
        return TN_BENCH_ABSENT;
    store->failure = status;
    return -1;
}

inline rocksdb::Slice key_slice(const rival *store, const void *key)
{
    return { static_cast<const char *>(key), store->shape.key_bytes };
}

inline int rival_get(rival *store, const void *key, const void **value, size_t *value_bytes)
{
    store->value.Reset();
    rocksdb::Status status =
        store->database->Get(store->read_options, store->database->DefaultColumnFamily(),
                             key_slice(store, key), &store->value);

    *value = store->value.data();
    *value_bytes = store->value.size();
    return result_of(store, status);
}

inline int rival_contains(rival *store, const void *key)
{
    const void *value = nullptr;
    size_t value_bytes = 0;

    return rival_get(store, key, &value, &value_bytes);
}

inline int rival_put(rival *store, const void *key, const void *value)
{
    return result_of(store, store->database->Put(
                                store->write_options, key_slice(store, key),
                                { static_cast<const char *>(value), store->shape.value_bytes }));
}

inline int rival_modify(rival *store, const void *key)
{
    uint8_t changed[TN_BENCH_VALUE_BYTES_MAX];
    const void *value = nullptr;
    size_t value_bytes = 0;
    int result = rival_get(store, key, &value, &value_bytes);

    if (result != TN_BENCH_OK)
        return result;
    if (value_bytes != store->shape.value_bytes)
        return TN_BENCH_WRONG;
    memcpy(changed, value, value_bytes);
    tn_store_le64(changed, tn_load_le64(changed) + 1);
    return rival_put(store, key, changed);
}

/* It does not say whether there was such a key; R2. */
inline int rival_remove(rival *store, const void *key)
{
    return result_of(store, store->database->Delete(store->write_options, key_slice(store, key)));
}

inline int rival_cursor_open(rival *store, rival_cursor *cursor, const void *key)
{
    if (store->iterator == nullptr)
        store->iterator.reset(store->database->NewIterator(store->read_options));
    cursor->iterator = store->iterator.get();
    cursor->is_first = true;
    if (key != nullptr)
        cursor->iterator->Seek(key_slice(store, key));
    else
        cursor->iterator->SeekToFirst();
    return TN_BENCH_OK;
}

inline int rival_cursor_next(rival *store, rival_cursor *cursor, const void **key,
                             const void **value, size_t *value_bytes)
{
    if (!cursor->is_first)
        cursor->iterator->Next();
    cursor->is_first = false;
    if (!cursor->iterator->Valid()) {
        int result = result_of(store, cursor->iterator->status());
        return result < 0 ? result : TN_BENCH_ABSENT;
    }
    *key = cursor->iterator->key().data();
    *value = cursor->iterator->value().data();
    *value_bytes = cursor->iterator->value().size();
    return TN_BENCH_OK;
}

inline void rival_cursor_close(rival *, rival_cursor *)
{
}

#include "bench/loops.h"

rocksdb::Options options_make()
{
    rocksdb::BlockBasedTableOptions table;
    rocksdb::Options options;

    table.no_block_cache = true; /* blocks are used in the map of their file */
    table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
    table.data_block_index_type = rocksdb::BlockBasedTableOptions::kDataBlockBinaryAndHash;
    table.checksum = rocksdb::kXXH3;
    options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
    options.create_if_missing = true;
    options.error_if_exists = true;
    options.compression = rocksdb::kNoCompression;
    options.bottommost_compression = rocksdb::kNoCompression;
    options.allow_mmap_reads = true;
    options.write_buffer_size = 64 * TN_MIB;
    options.max_write_buffer_number = 4;
    options.memtable_prefix_bloom_size_ratio = 0.1;
    options.memtable_whole_key_filtering = true;
    options.allow_concurrent_memtable_write = false;
    options.enable_write_thread_adaptive_yield = false;
    options.target_file_size_base = 256 * TN_MIB;
    options.max_bytes_for_level_base = TN_GIB;
    options.max_open_files = -1;
    options.max_background_jobs = 2;
    options.info_log_level = rocksdb::FATAL_LEVEL;
    options.stats_dump_period_sec = 0;
    options.stats_persist_period_sec = 0;
    return options;
}

rocksdb::Status database_open(rival *store)
{
    rocksdb::DB *opened = nullptr;
    rocksdb::Status status = rocksdb::DB::Open(options_make(), store->path, &opened);

    store->database.reset(opened);
    return status;
}

/* The iterator holds on to what it read; nothing is lent over the end of a pass. */
void lent_end(rival *store)
{
    store->value.Reset();
    store->iterator.reset();
}

int rival_end(void *opened)
{
    lent_end(static_cast<rival *>(opened));
    return TN_BENCH_OK;
}

void rival_close(void *opened)
{
    rival *store = static_cast<rival *>(opened);

    lent_end(store);
    store->database.reset();
    if (!store->path.empty())
        tn_bench_scratch_remove(store->path.c_str());
    delete store;
}

void *rival_open(const tn_bench_setup *setup, char *reason, size_t reason_bytes)
{
    /* Everything twice while it is compacted, and memtables. */
    size_t entry_bytes = setup->shape.key_bytes + setup->shape.value_bytes;
    uint64_t room_bytes = setup->entries_max * (entry_bytes + 16) * 3 + 64 * TN_MIB;
    char path[TN_BENCH_SCRATCH_PATH_BYTES];
    rival *store = new (std::nothrow) rival;

    if (store == nullptr) {
        snprintf(reason, reason_bytes, "out of memory");
        return nullptr;
    }
    if (!tn_bench_scratch_make(path, room_bytes, reason, reason_bytes)) {
        delete store;
        return nullptr;
    }
    store->shape = setup->shape;
    store->path = path;
    store->write_options.disableWAL = true;
    store->read_options.verify_checksums = false;
    rocksdb::Status status = database_open(store);
    if (status.ok())
        return store;
    snprintf(reason, reason_bytes, "%s: %s", path, status.ToString().c_str());
    rival_close(store);
    return nullptr;
}

/* Another database in the same place: deleting by range would leave all to a compaction. */
int rival_clear(void *opened)
{
    rival *store = static_cast<rival *>(opened);

    lent_end(store);
    store->database.reset();
    rocksdb::Status status = rocksdb::DestroyDB(store->path, options_make());
    if (status.ok())
        status = database_open(store);
    return result_of(store, status);
}

int rival_settle(void *opened)
{
    rival *store = static_cast<rival *>(opened);
    rocksdb::Status status = store->database->Flush(rocksdb::FlushOptions());

    if (status.ok())
        status = store->database->CompactRange(rocksdb::CompactRangeOptions(), nullptr, nullptr);
    return result_of(store, status);
}

/* Files, which are memory here, and what it holds beside them. */
uint64_t rival_memory_bytes(void *opened)
{
    rival *store = static_cast<rival *>(opened);
    uint64_t bytes = tn_bench_scratch_bytes(store->path.c_str()), part = 0;

    for (const char *name :
         { "rocksdb.cur-size-all-mem-tables", "rocksdb.estimate-table-readers-mem" })
        if (store->database->GetIntProperty(name, &part))
            bytes += part;
    return bytes;
}

const char *rival_error_text(void *opened, int)
{
    static thread_local std::string text;

    text = static_cast<rival *>(opened)->failure.ToString();
    return text.c_str();
}

constexpr tn_bench_store described()
{
    tn_bench_store store{};

    store.name = "rocksdb";
    store.notes = "on tmpfs if there is room, read through a map; no WAL, no compression; bloom "
                  "filters; flushed and compacted before reads";
    store.room_bytes = 400;
    store.open = rival_open;
    store.close = rival_close;
    store.clear = rival_clear;
    store.settle = rival_settle;
    store.memory_bytes = rival_memory_bytes;
    store.error_text = rival_error_text;
    store.end = rival_end;
    store.get = loop_get;
    store.contains = loop_contains;
    store.modify = loop_modify;
    store.put = loop_put;
    store.remove = loop_remove;
    store.replace = loop_replace;
    store.scan = loop_scan;
    store.full_scan = loop_full_scan;
    store.check = loop_check;
    return store;
}

constexpr tn_bench_store rocksdb_store = described();

} // namespace

const struct tn_bench_store *const tn_bench_rocksdb_stores[] = { &rocksdb_store, nullptr };
