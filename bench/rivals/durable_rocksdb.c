/*
 * durable_rocksdb.c - RocksDB through its C interface; see durable_lsm.h
 */
#include <rocksdb/c.h>

#define LSM(name) rocksdb_##name
#define LSM_NAME "rocksdb"
#define LSM_STORE tn_durable_rocksdb

#include "durable_lsm.h"
