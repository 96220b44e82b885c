/*
 * ordered.h - the ordered index: keys in order, each with its record's handle
 *
 * Touched only when an entry is born, dies or moves; points and in-place updates never come here.
 * It reads keys from records through the heap's base address, and knows nothing else of the heap.
 */
#ifndef TN_ORDERED_H
#define TN_ORDERED_H

#include "base/memory.h"
#include "heap/record.h"

struct tn_ordered;

/* `memory` and `heap_base` outlive the index. NULL: no memory. */
struct tn_ordered *tn_ordered_new(struct tn_memory *memory, uint8_t *heap_base);

/* Frees the index at once; O(nodes). NULL is allowed. */
void tn_ordered_free(struct tn_ordered *ordered);

/*
 * Free about `budget_bytes` of an index that nobody uses any more. true: all of it is freed now,
 * and `ordered` is gone; false: there is more, call again.
 */
bool tn_ordered_free_step(struct tn_ordered *ordered, uint64_t *budget_bytes);

/*
 * Make sure that one tn_ordered_insert of this key cannot fail. false: no memory, nothing changed.
 * The reserve stays until it is used; reserving twice before an insert is one reserve.
 */
bool tn_ordered_reserve(struct tn_ordered *ordered, const void *key, size_t key_bytes);

/*
 * Insert the record's key, which is not there. Needs a reserve for that key. Cannot fail. The
 * record stays readable until the entry is removed or moved.
 */
void tn_ordered_insert(struct tn_ordered *ordered, tn_handle handle);

/*
 * Remove the record's key, which is there with this handle. The record is still readable, until
 * this returns. Cannot fail.
 */
void tn_ordered_remove(struct tn_ordered *ordered, tn_handle handle);

/*
 * The record of `old` has a copy at `new_handle`, same key; both are readable, `old` until this
 * returns. Cannot fail.
 */
void tn_ordered_move(struct tn_ordered *ordered, tn_handle old, tn_handle new_handle);

uint64_t tn_ordered_count(const struct tn_ordered *ordered);

/* Bytes it holds of `memory`. */
uint64_t tn_ordered_bytes(const struct tn_ordered *ordered);

/*
 * A place between two keys, or on one. Valid while tn_ordered_version has not changed; after that
 * it must be sought anew.
 */
struct tn_ordered_cursor {
    void *leaf;
    uint32_t slot;
};

/* Where its version stands: a number that changes with each insert, remove and move, as no cursor
 * is valid after one. */
const uint64_t *tn_ordered_version(const struct tn_ordered *ordered);

enum tn_ordered_seek {
    TN_SEEK_FIRST,    /* the smallest key; `key` is not read */
    TN_SEEK_AT_LEAST, /* the smallest key >= key */
    TN_SEEK_AFTER,    /* the smallest key > key */
    TN_SEEK_LAST,     /* the greatest key; `key` is not read */
    TN_SEEK_AT_MOST,  /* the greatest key <= key */
    TN_SEEK_BEFORE,   /* the greatest key < key */
};

/* Put the cursor on the key asked for. The handle there, or TN_HANDLE_NONE when there is none. */
tn_handle tn_ordered_seek(struct tn_ordered *ordered, struct tn_ordered_cursor *cursor,
                          enum tn_ordered_seek how, const void *key, size_t key_bytes);

/*
 * Copy the handles of the cursor's key and of those behind it (before it, if `reverse`), `room` at
 * most; the cursor goes to the first one not copied. Answers how many; 0: there are none, as after
 * a seek that found nothing.
 */
size_t tn_ordered_gather(const struct tn_ordered *ordered, struct tn_ordered_cursor *cursor,
                         bool reverse, tn_handle *out, size_t room);

/* Every invariant of ordered.c, slowly; false when one does not hold. For tests. */
bool tn_ordered_check(const struct tn_ordered *ordered);

#endif
