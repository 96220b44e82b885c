/*
 * durable_leveldb.c - LevelDB through its C interface; see durable_lsm.h
 */
#include <leveldb/c.h>

#define LSM(name) leveldb_##name
#define LSM_NAME "leveldb"
#define LSM_STORE tn_durable_leveldb

#include "durable_lsm.h"
