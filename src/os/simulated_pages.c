/*
 * simulated_pages.c - address space with limits; see simulated_pages.h
 */
#include "os/simulated_pages.h"

#include "os/os.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct tn_pages_reservation {
    uint8_t *at;
    size_t bytes;
    uint64_t *committed; /* a bit for each page */
    uint64_t *kept;      /* likewise: the host has it committed */
};

static struct tn_pages_reservation *reservation_of(const struct tn_pages *pages, const void *at,
                                                   size_t bytes)
{
    struct tn_pages_reservation *reservation;
    size_t i;

    tn_assert((uintptr_t)at % TN_OS_PAGE_BYTES == 0 && bytes % TN_OS_PAGE_BYTES == 0);
    for (i = 0; i < pages->count; i++) {
        reservation = &pages->reservations[i];
        if ((const uint8_t *)at >= reservation->at && bytes <= reservation->bytes &&
            (size_t)((const uint8_t *)at - reservation->at) <= reservation->bytes - bytes)
            return reservation;
    }
    tn_unreachable();
}

uint64_t tn_pages_offset(const struct tn_pages *pages, const void *at, size_t bytes)
{
    return (uint64_t)((const uint8_t *)at - reservation_of(pages, at, bytes)->at);
}

static size_t committed_count(const struct tn_pages_reservation *reservation, size_t page,
                              size_t end)
{
    size_t count = 0;

    for (; page < end; page++)
        count += reservation->committed[page / 64] >> (page % 64) & 1;
    return count;
}

/* Sets or clears the bits of a run of pages, and keeps the sum. */
static void run_mark(struct tn_pages *pages, struct tn_pages_reservation *reservation,
                     const void *at, size_t bytes, bool committed)
{
    size_t page = (size_t)((const uint8_t *)at - reservation->at) / TN_OS_PAGE_BYTES;
    size_t end = page + bytes / TN_OS_PAGE_BYTES;
    size_t before = committed_count(reservation, page, end);
    uint64_t bit;

    tn_assert(!committed || before == 0); /* committed twice: it would not read zero */
    for (; page < end; page++) {
        bit = (uint64_t)1 << (page % 64);
        reservation->committed[page / 64] &= ~bit;
        reservation->committed[page / 64] |= committed ? bit : 0;
    }
    pages->committed_bytes -= before * TN_OS_PAGE_BYTES;
    pages->committed_bytes += committed ? bytes : 0;
}

/* ---- keeping --------------------------------------------------------------------------------- */

static bool page_has(const uint64_t *bits, size_t page)
{
    return (bits[page / 64] >> (page % 64) & 1) != 0;
}

/* Zeros where a decommit would have left nothing. */
static void run_clear(const struct tn_pages_reservation *reservation, size_t page, size_t end)
{
    for (; page < end; page++) {
        if (page % 64 == 0 && reservation->committed[page / 64] == 0)
            page += 63; /* none of a word */
        else if (page_has(reservation->committed, page))
            memset(reservation->at + page * TN_OS_PAGE_BYTES, 0, TN_OS_PAGE_BYTES);
    }
}

/* Of a run to be committed, have the host commit what it has not. */
static int run_commit_host(const struct tn_pages_reservation *reservation, void *at, size_t bytes,
                           unsigned flags)
{
    size_t page = (size_t)((uint8_t *)at - reservation->at) / TN_OS_PAGE_BYTES;
    size_t end = page + bytes / TN_OS_PAGE_BYTES;
    int result = 0;

    for (; page < end && result == 0; page++) {
        if (page_has(reservation->kept, page))
            continue;
        result = tn_os_posix.ops->pages_commit(tn_os_posix.context,
                                               reservation->at + page * TN_OS_PAGE_BYTES,
                                               TN_OS_PAGE_BYTES, flags);
        if (result == 0)
            reservation->kept[page / 64] |= (uint64_t)1 << (page % 64);
    }
    return result;
}

static void reservation_end(struct tn_pages_reservation *reservation)
{
    tn_os_posix.ops->pages_release(tn_os_posix.context, reservation->at, reservation->bytes);
    /*
     * Each once: whoever ends one has taken it out of the array.
     * NOLINTBEGIN(clang-analyzer-unix.Malloc)
     */
    free(reservation->committed);
    free(reservation->kept);
    /* NOLINTEND(clang-analyzer-unix.Malloc) */
}

/* The spare one, if it is of that size. */
static bool spare_take(struct tn_pages *pages, size_t bytes, struct tn_pages_reservation *out)
{
    if (pages->spare == NULL || pages->spare->bytes != bytes)
        return false;
    *out = *pages->spare;
    free(pages->spare);
    pages->spare = NULL;
    return true;
}

static void spare_put(struct tn_pages *pages, struct tn_pages_reservation *reservation)
{
    if (!pages->keep || pages->spare != NULL) {
        reservation_end(reservation);
        return;
    }
    run_clear(reservation, 0, reservation->bytes / TN_OS_PAGE_BYTES);
    memset(reservation->committed, 0, (reservation->bytes / TN_OS_PAGE_BYTES / 64 + 1) * 8);
    pages->spare = malloc(sizeof *pages->spare);
    tn_assert(pages->spare != NULL);
    *pages->spare = *reservation;
}

/* ---- the calls ------------------------------------------------------------------------------- */

static int reservation_new(struct tn_pages *pages, size_t bytes, struct tn_pages_reservation *out)
{
    size_t words = bytes / TN_OS_PAGE_BYTES / 64 + 1;
    void *at;
    int result;

    if (spare_take(pages, bytes, out))
        return 0;
    result = tn_os_posix.ops->pages_reserve(tn_os_posix.context, bytes, &at);
    if (result != 0)
        return result;
    *out = (struct tn_pages_reservation){ at, bytes, calloc(words, sizeof(uint64_t)),
                                          calloc(words, sizeof(uint64_t)) };
    tn_assert(out->committed != NULL && out->kept != NULL);
    return 0;
}

int tn_pages_reserve(struct tn_pages *pages, size_t bytes, void **out)
{
    struct tn_pages_reservation reservation;
    int result;

    if (pages->reserved_bytes_max != 0 && bytes > pages->reserved_bytes_max - pages->reserved_bytes)
        return -ENOMEM;
    result = reservation_new(pages, bytes, &reservation);
    if (result != 0)
        return result;
    if (pages->count == pages->capacity) {
        pages->capacity = pages->capacity != 0 ? 2 * pages->capacity : 8;
        pages->reservations =
            realloc(pages->reservations, pages->capacity * sizeof *pages->reservations);
        tn_assert(pages->reservations != NULL);
    }
    pages->reservations[pages->count++] = reservation;
    pages->reserved_bytes += bytes;
    *out = reservation.at;
    return 0;
}

int tn_pages_commit(struct tn_pages *pages, void *at, size_t bytes, unsigned flags)
{
    struct tn_pages_reservation *reservation = reservation_of(pages, at, bytes);
    int result;

    if (pages->committed_bytes_max != 0 &&
        bytes > pages->committed_bytes_max - pages->committed_bytes)
        return -ENOMEM;
    result = pages->keep ? run_commit_host(reservation, at, bytes, flags)
                         : tn_os_posix.ops->pages_commit(tn_os_posix.context, at, bytes, flags);
    if (result == 0)
        run_mark(pages, reservation, at, bytes, true);
    return result;
}

int tn_pages_decommit(struct tn_pages *pages, void *at, size_t bytes)
{
    struct tn_pages_reservation *reservation = reservation_of(pages, at, bytes);
    size_t page = (size_t)((uint8_t *)at - reservation->at) / TN_OS_PAGE_BYTES;
    int result = 0;

    if (pages->keep)
        run_clear(reservation, page, page + bytes / TN_OS_PAGE_BYTES);
    else
        result = tn_os_posix.ops->pages_decommit(tn_os_posix.context, at, bytes);
    if (result == 0)
        run_mark(pages, reservation, at, bytes, false);
    return result;
}

void tn_pages_release(struct tn_pages *pages, void *at, size_t bytes)
{
    struct tn_pages_reservation *reservation = reservation_of(pages, at, bytes), ended;
    size_t word;

    tn_assert(reservation->at == at && reservation->bytes == bytes);
    for (word = 0; word <= bytes / TN_OS_PAGE_BYTES / 64; word++)
        pages->committed_bytes -=
            TN_OS_PAGE_BYTES *
            /* Never freed: that slot left the array. NOLINTNEXTLINE(clang-analyzer-unix.Malloc) */
            (size_t)__builtin_popcountll(reservation->committed[word]);
    pages->reserved_bytes -= bytes;
    ended = *reservation;
    *reservation = pages->reservations[--pages->count];
    spare_put(pages, &ended);
}

void tn_pages_free(struct tn_pages *pages)
{
    while (pages->count != 0) {
        const struct tn_pages_reservation *last = &pages->reservations[pages->count - 1];

        tn_pages_release(pages, last->at, last->bytes);
    }
    if (pages->spare != NULL)
        reservation_end(pages->spare);
    free(pages->spare);
    free(pages->reservations);
}
