/*
 * ordered_pending.h - changes that the tree has not seen yet
 *
 * In a tree bigger than the caches each level of a descent waits for memory. Changes are
 * therefore gathered, and then descend together: while one waits, the others do.
 *
 *     inserts   | h7 | h9 | h4 |                       keys are in the records
 *     changes   | remove h3, "ada" | h5 -> h6, "eve" |  their records may be gone: keys are copied
 *
 * Rules
 *   N1  The order is what the tree says, after the changes in their order, with the inserts.
 *   N2  A flush does all changes, then the inserts, then merges. Changes read no record, since
 *       those of later ones may be gone (L6); from then on all that the tree knows are there.
 *       Handles are used again, so nothing comes into the tree while changes are pending: each
 *       handle is there once.
 *   N3  An entry that is removed or moved while its insert is pending is forgotten or changed
 *       there.
 *   N4  The pool has what all pending inserts could need (T3), so a flush cannot fail.
 *   N5  A flush is made when one more would not fit, and by every seek. A cursor that is valid was
 *       sought after the last change; so a flush never moves anything under it.
 *   N6  Trees that fit the caches have no room for pending changes: theirs are made at once.
 */
#ifndef TN_ORDERED_PENDING_H
#define TN_ORDERED_PENDING_H

#include "index/ordered_key.h"

/*
 * Keys from which on changes are gathered (N6): so many that the spare nodes weigh little. In debug
 * builds few, so that whatever is tested with small tables is tested with this, too.
 */
#if !defined(TN_PENDING_KEYS_MIN) && defined(TARN_DEBUG)
#define TN_PENDING_KEYS_MIN 8u
#elif !defined(TN_PENDING_KEYS_MIN)
#define TN_PENDING_KEYS_MIN 32768u
#endif

#define TN_PENDING_MAX 16u

/* Room for copies of keys. A longer key than that is not copied: its change is made at once. */
#ifndef TN_PENDING_TEXT_BYTES
#define TN_PENDING_TEXT_BYTES 1024u
#endif

struct tn_change {
    tn_handle from;
    tn_handle to; /* TN_HANDLE_NONE: removed */
    uint32_t key_at;
    uint32_t key_bytes;
};

struct tn_pending {
    unsigned insert_count;
    unsigned change_count;
    unsigned text_bytes;
    tn_handle inserts[TN_PENDING_MAX];
    struct tn_change changes[TN_PENDING_MAX];
    uint8_t text[TN_PENDING_TEXT_BYTES];
};

static inline struct tn_key tn_pending_key(const struct tn_pending *pending, unsigned i)
{
    const struct tn_change *change = &pending->changes[i];

    return (struct tn_key){ pending->text + change->key_at, change->key_bytes };
}

/* Which insert has this handle; insert_count: none. */
static inline unsigned tn_pending_find_insert(const struct tn_pending *pending, tn_handle handle)
{
    unsigned i = 0;

    while (i < pending->insert_count && pending->inserts[i] != handle)
        i++;
    return i;
}

/* Note that the entry of this handle is removed (`to` NONE) or moved. false: no room. */
static inline bool tn_pending_note(struct tn_pending *pending, struct tn_key key, tn_handle from,
                                   tn_handle to)
{
    if (pending->change_count == TN_PENDING_MAX ||
        key.bytes > TN_PENDING_TEXT_BYTES - pending->text_bytes)
        return false;
    if (key.bytes > 0)
        memcpy(pending->text + pending->text_bytes, key.at, key.bytes);
    pending->changes[pending->change_count++] =
        (struct tn_change){ from, to, pending->text_bytes, (uint32_t)key.bytes };
    pending->text_bytes += (unsigned)key.bytes;
    return true;
}

static inline void tn_pending_clear(struct tn_pending *pending)
{
    pending->insert_count = pending->change_count = pending->text_bytes = 0;
}

#endif
