/*
 * test_ordered_tiny.c - the tests of test_ordered.c on nodes of a few slots
 *
 * The index is compiled into this program once more, so that trees are tall and every second
 * operation splits or merges something, and changes are gathered from the fourth key on. It must
 * not be linked with objects of the real one.
 */
#define TN_ORDERED_LEAF_SLOTS 4
#define TN_ORDERED_INNER_SLOTS 3
#define TN_PENDING_KEYS_MIN 3
#define TN_PENDING_TEXT_BYTES 100
#define ORDERED_TINY true

#include "index/ordered.c"
#include "index/ordered_check.c"
#include "index/ordered_cursor.c"
#include "index/ordered_inner.c"
#include "index/ordered_leaf.c"
#include "index/ordered_leaf_part.c"
#include "index/ordered_leaf_tail.c"
#include "index/ordered_pool.c"
#include "index/ordered_tree.c"

#include "test_ordered.c"
