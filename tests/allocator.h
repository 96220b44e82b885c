/*
 * allocator.h - an allocator for tests: counts, refuses on demand, checks the sizes it is told
 *
 *     struct allocator a = {.refuse_at = UINT64_MAX};
 *     options.allocate = allocator_call; options.allocate_context = &a;
 *
 * Each block has its size in front of it, so a caller that tells another one is found out. New and
 * given back bytes are filled with 0xA5: who reads what it never wrote, or gave back, shows; and
 * new bytes count as never written for the memory sanitizer.
 */
#ifndef ALLOCATOR_H
#define ALLOCATOR_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#if defined(__has_feature)
#if __has_feature(memory_sanitizer)
#include <sanitizer/msan_interface.h>
#define ALLOCATOR_NEW(block, bytes) __msan_allocated_memory((block), (bytes))
#endif
#endif
#ifndef ALLOCATOR_NEW
#define ALLOCATOR_NEW(block, bytes) ((void)0)
#endif

struct allocator {
    uint64_t refuse_at;  /* the number of the call that is refused, counted from 1 in `asked` */
    bool refuse_all;     /* ... and all after it */
    uint64_t asked;      /* calls that allocate or grow */
    uint64_t live_bytes; /* given out */
    uint64_t live_blocks;
    bool size_was_wrong;
};

#define ALLOCATOR_HEAD_BYTES ((size_t)16)

static inline void *allocator_call(void *context, void *old, size_t old_bytes, size_t new_bytes)
{
    struct allocator *a = context;
    uint8_t *head = old != NULL ? (uint8_t *)old - ALLOCATOR_HEAD_BYTES : NULL, *block = NULL;
    size_t known_bytes = 0;

    if (head != NULL)
        memcpy(&known_bytes, head, sizeof known_bytes);
    a->size_was_wrong |= known_bytes != old_bytes;
    if (new_bytes > old_bytes) {
        a->asked++;
        if (a->asked == a->refuse_at || (a->refuse_all && a->asked >= a->refuse_at))
            return NULL;
    }
    if (new_bytes > 0) {
        block = malloc(ALLOCATOR_HEAD_BYTES + new_bytes);
        if (block == NULL)
            return NULL;
        memcpy(block, &new_bytes, sizeof new_bytes);
        memset(block + ALLOCATOR_HEAD_BYTES, 0xA5, new_bytes);
        ALLOCATOR_NEW(block + ALLOCATOR_HEAD_BYTES, new_bytes);
        if (old != NULL)
            memcpy(block + ALLOCATOR_HEAD_BYTES, old,
                   old_bytes < new_bytes ? old_bytes : new_bytes);
        a->live_blocks++;
        a->live_bytes += new_bytes;
    }
    if (head != NULL) {
        memset(head, 0xA5, ALLOCATOR_HEAD_BYTES + known_bytes);
        free(head);
        a->live_blocks--;
        a->live_bytes -= known_bytes;
    }
    return block != NULL ? block + ALLOCATOR_HEAD_BYTES : NULL;
}

#endif
