/*
 * export.h - what an export says: the tables of a snapshot and their entries
 *
 *     export    table, table, ...                    ascending by name
 *     table     0  kind         1   enum tarn_table_kind
 *               1  type         1   enum tarn_type
 *               2  role         1   enum tn_table_role
 *               3  order        1   of TARN_STRUCT values: 1 little-endian, 2 big-endian; else 0
 *               4  value bytes  4   that every value has; 0: any
 *               8  name bytes   4   1 to 255
 *              12  0            4
 *              16  entry count  8
 *              24  entry bytes  8   the lengths of all keys and values, added up
 *              32  name
 *                  entries          of an ordered table ascending by key
 *     entry     0  key bytes    2
 *               2  value bytes  4
 *               6  key, then value
 *
 * Numbers are little-endian; the bytes of entries are what the store holds. All of it is the
 * payload of blocks (blocks.h). export.c writes it, import.c reads it.
 *
 * Rules
 *   X1  An export needs memory of fixed size, whatever the snapshot holds: a block, and a scan.
 *   X2  An import builds tables that nobody knows, and puts them into the catalog once all of them
 *       are there and nothing lies behind them. Whatever fails before discards them.
 *   X3  An import believes no number: tables and entries are counted as they come, and memory is
 *       taken for what has come. What is ahead of it is bounded: IMPORT_AHEAD_BYTES of a value, and
 *       room in a hash index for IMPORT_AHEAD_FACTOR times the entries there are.
 *   X4  The two tables of a dictionary come together, and D1 (dict.c) holds between them.
 *   X5  The entries of an unordered table come in the order of a walk, so that they can be inserted
 *       into any index (hash_index.h). An import takes them in any order.
 */
#ifndef TN_EXPORT_H
#define TN_EXPORT_H

#include "store/blocks.h"
#include "store/typed.h"

#define TN_EXPORT_TABLE_BYTES 32u
#define TN_EXPORT_ENTRY_BYTES 6u

#endif
