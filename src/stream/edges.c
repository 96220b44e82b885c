/*
 * edges.c - see edges.h for the rules
 */
#include "stream/edges.h"

void tn_edges_init(struct tn_edges *edges, int64_t size_ms, int64_t slide_ms, int64_t offset_ms)
{
    *edges = (struct tn_edges){
        .size_ms = size_ms,
        .slide_ms = slide_ms,
        .offset_ms = offset_ms < 0 ? offset_ms + slide_ms : offset_ms,
        .whole = size_ms / slide_ms,
        .rest_ms = size_ms % slide_ms,
        .per_slide = size_ms % slide_ms == 0 ? 1 : 2,
    };
}

/* floor(number / divisor) */
static tn_wide wide_divide(tn_wide number, tn_wide divisor)
{
    tn_wide quotient = number / divisor;

    return quotient - (number % divisor < 0);
}

/* No step can overflow: with a slide of 1 the offset is 0, and with more the quotient has room. */
bool tn_edges_slice(const struct tn_edges *edges, int64_t time_ms, int64_t *ordinal)
{
    int64_t slide = edges->slide_ms;
    int64_t number = time_ms / slide; /* of the last window to begin by this time */
    int64_t into = time_ms % slide;   /* how far behind its start the time lies */

    if (into < 0) {
        into += slide;
        number--;
    }
    into -= edges->offset_ms;
    if (into < 0) {
        into += slide;
        number--;
    }
    if (edges->per_slide == 1) {
        *ordinal = number;
        return true;
    }
    *ordinal = 2 * number + (into >= edges->rest_ms);
    return edges->whole > 0 || into < edges->rest_ms;
}

/* ---- slices ---------------------------------------------------------------------------------- */

static tn_wide slice_start(const struct tn_edges *edges, tn_wide ordinal)
{
    tn_wide number = wide_divide(ordinal, edges->per_slide);
    tn_wide start = number * edges->slide_ms + edges->offset_ms;

    return ordinal == number * edges->per_slide ? start : start + edges->rest_ms;
}

int64_t tn_edges_slice_start(const struct tn_edges *edges, int64_t ordinal)
{
    return tn_wide_saturate(slice_start(edges, ordinal));
}

int64_t tn_edges_slice_last(const struct tn_edges *edges, int64_t ordinal)
{
    return tn_wide_saturate(slice_start(edges, (tn_wide)ordinal + 1) - 1);
}

tn_wide tn_edges_last_window(const struct tn_edges *edges, int64_t ordinal)
{
    return wide_divide(ordinal, edges->per_slide);
}

tn_wide tn_edges_first_window(const struct tn_edges *edges, int64_t ordinal)
{
    tn_wide last = tn_edges_last_window(edges, ordinal);
    bool in_rest = edges->per_slide == 2 && last * 2 == ordinal;

    return last - edges->whole + (in_rest ? 0 : 1);
}

/* ---- windows --------------------------------------------------------------------------------- */

static tn_wide window_start(const struct tn_edges *edges, tn_wide window)
{
    return window * edges->slide_ms + edges->offset_ms;
}

tn_wide tn_edges_window_begin(const struct tn_edges *edges, tn_wide window)
{
    return window * edges->per_slide;
}

tn_wide tn_edges_window_end(const struct tn_edges *edges, tn_wide window)
{
    return (window + edges->whole) * edges->per_slide + (edges->rest_ms > 0);
}

int64_t tn_edges_window_start_ms(const struct tn_edges *edges, tn_wide window)
{
    return tn_wide_saturate(window_start(edges, window));
}

int64_t tn_edges_window_end_ms(const struct tn_edges *edges, tn_wide window)
{
    return tn_wide_saturate(window_start(edges, window) + edges->size_ms);
}

int64_t tn_edges_window_last_ms(const struct tn_edges *edges, tn_wide window)
{
    return tn_wide_saturate(window_start(edges, window) + edges->size_ms - 1);
}

tn_wide tn_edges_window_after(const struct tn_edges *edges, int64_t time_ms)
{
    tn_wide until = (tn_wide)time_ms + 1 - edges->size_ms - edges->offset_ms;

    return wide_divide(until, edges->slide_ms) + 1;
}
