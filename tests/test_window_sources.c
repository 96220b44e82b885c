/*
 * test_window_sources.c - which row is next is decided by what the files hold
 *
 * Files of one column, the time in ms; 'x' is a bad row where it opens a quote. What comes is
 * written down as "file:time@watermark of all", before the row moves it ("-": there is none yet),
 * and "@watermark" where it moves because a source has ended.
 */
#include "cli/window_sources.h"

#include "rows.h"

#define SOURCES_MAX 4

static const char *fields[] = { "t" };

struct merged {
    struct tn_window_command command;
    const char *paths[SOURCES_MAX];
    char path_texts[SOURCES_MAX][64];
    struct rows rows; /* its text alone is used */
};

static void merged_init(struct merged *m, const char *const *files, size_t count)
{
    size_t i;

    *m = (struct merged){ .command = { .files = m->paths,
                                       .file_count = count,
                                       .merge = true,
                                       .state_path = "state", /* places have checksums */
                                       .input_format = TN_FORMAT_CSV,
                                       .fields = fields,
                                       .field_count = 1 } };
    for (i = 0; i < count; i++) {
        snprintf(m->path_texts[i], sizeof m->path_texts[i], "%s",
                 rows_file(files[i], strlen(files[i])));
        m->paths[i] = m->path_texts[i];
    }
    rows_reset(&m->rows);
}

static void merged_close(struct merged *m)
{
    size_t i;

    for (i = 0; i < m->command.file_count; i++)
        unlink(m->paths[i]);
    free(m->rows.text);
}

/* One answer of the sources, written down; a row moves the watermark. */
static int merged_step(struct merged *m, struct tn_sources *sources)
{
    struct tn_row row;
    int answer = tn_sources_next(sources, &row);
    int64_t all_ms = sources->watermarks.time_ms, time_ms = 0;
    char line[100];
    int at;

    if (answer == TN_READER_END)
        return answer;
    if (answer == TN_SOURCES_MOVED)
        snprintf(line, sizeof line, "@%lld ", (long long)all_ms);
    else if (answer == TN_READER_BAD)
        snprintf(line, sizeof line, "%zu:bad ", sources->current);
    else {
        check_eq(answer, TN_READER_ROW);
        time_ms = strtoll(row.fields[0].data, NULL, 10);
        at = snprintf(line, sizeof line, "%zu:%lld@", sources->current, (long long)time_ms);
        snprintf(line + at, sizeof line - (size_t)at, all_ms == INT64_MIN ? "- " : "%lld ",
                 (long long)all_ms);
        tn_sources_advance(sources, time_ms);
    }
    rows_add_text(&m->rows, line);
    return strlen(m->rows.text) > 100000 ? TN_READER_END : answer;
}

/* Sources anew, where `old` stand, and those are released (F5). */
static void merged_reopen(struct merged *m, struct tn_sources *sources, struct tn_memory *memory)
{
    struct tn_source_place places[SOURCES_MAX];
    int64_t watermark_ms = sources->watermarks.time_ms;
    size_t i;

    for (i = 0; i < m->command.file_count; i++)
        tn_sources_place(sources, i, &places[i]);
    tn_sources_release(sources);
    check(tn_sources_init(sources, &m->command, memory));
    tn_sources_resume(sources, places, watermark_ms);
    check_eq(sources->watermarks.time_ms, watermark_ms);
    check_eq(tn_sources_begin(sources), TN_READER_ROW);
}

/*
 * All rows, in the order they come; stopped and gone on with behind `stop` answers, and then after
 * each.
 */
static const char *merged_read_stopping(struct merged *m, size_t block_bytes, size_t stop)
{
    struct tn_memory memory;
    struct tn_sources sources;
    struct tn_row row;
    size_t answers = 0;

    rows_reset(&m->rows);
    tn_memory_init(&memory, NULL, NULL, 0);
    m->command.block_bytes = block_bytes;
    check(tn_sources_init(&sources, &m->command, &memory));
    check_eq(tn_sources_begin(&sources), TN_READER_ROW);
    while (merged_step(m, &sources) != TN_READER_END)
        if (++answers >= stop)
            merged_reopen(m, &sources, &memory);
    check_eq(tn_sources_next(&sources, &row), TN_READER_END);
    tn_sources_release(&sources);
    check_eq(memory.counted_bytes, 0);
    return m->rows.text;
}

static const char *merged_read(struct merged *m, size_t block_bytes)
{
    return merged_read_stopping(m, block_bytes, SIZE_MAX);
}

static void the_next_row_is_of_the_source_furthest_behind_and_of_equals_the_first(void)
{
    static const char *const files[] = { "t\n10\n30\n30\n", "t\n10\n20\n40\n", "t\n35\n" };
    struct merged m;

    merged_init(&m, files, 3);
    check_text(merged_read(&m, 0), "0:10@- 1:10@- 2:35@- 0:30@9 1:20@9 1:40@19 0:30@29 @34 @39 ");
    merged_close(&m);
}

static void a_bad_row_or_one_out_of_order_leaves_the_turn(void)
{
    static const char *const files[] = { "t\n\"x\" \n10\n5\n7\n12\n", "t\n9\n11\n" };
    struct merged m;

    merged_init(&m, files, 2);
    check_text(merged_read(&m, 0), "0:bad 0:10@- 1:9@- 1:11@8 0:5@9 0:7@9 0:12@9 @11 ");
    merged_close(&m);
}

static void empty_sources_hold_nothing(void)
{
    static const char *const files[] = { "", "t\n", "t\n5\n6\n", "" };
    struct merged m;

    merged_init(&m, files, 4);
    check_text(merged_read(&m, 0), "2:5@- @4 2:6@4 ");
    merged_close(&m);
    merged_init(&m, files, 2);
    check_text(merged_read(&m, 0), "");
    merged_close(&m);
}

/* Up to four files of up to 60 rows, some bad, a little out of order. */
static void merged_choose(struct merged *m, uint64_t *state)
{
    char texts[SOURCES_MAX][2000];
    const char *files[SOURCES_MAX];
    size_t count = 1 + test_random(state) % SOURCES_MAX, i, at, row;

    for (i = 0; i < count; i++) {
        int64_t time_ms = (int64_t)(test_random(state) % 100);

        at = (size_t)sprintf(texts[i], "t\n");
        for (row = test_random(state) % 60; row > 0; row--) {
            time_ms += (int64_t)(test_random(state) % 40) - 10;
            at += (size_t)sprintf(texts[i] + at, "%s%lld\n",
                                  test_random(state) % 20 == 0 ? "\"x\"" : "", (long long)time_ms);
        }
        files[i] = texts[i];
    }
    merged_init(m, files, count);
}

/* F1 */
static void the_size_of_a_block_does_not_change_the_order(void)
{
    static const size_t blocks[] = { 1, 2, 7, 64, 4096 };
    uint64_t state = test_seed();
    struct merged m;
    char *wanted;

    for (int round = 0; round < 30; round++) {
        merged_choose(&m, &state);
        wanted = strdup(merged_read(&m, 0));
        for (size_t i = 0; i < sizeof blocks / sizeof blocks[0]; i++)
            check_text(merged_read(&m, blocks[i]), wanted);
        free(wanted);
        merged_close(&m);
    }
}

/* F5: who is next, and the watermark of all, are those of sources that were never stopped. */
static void stopped_anywhere_and_gone_on_with_rows_and_watermarks_are_the_same(void)
{
    uint64_t state = test_seed();
    struct merged m;
    char *wanted;

    for (int round = 0; round < 60; round++) {
        merged_choose(&m, &state);
        m.command.late_ms = round % 3 * 7;
        wanted = strdup(merged_read(&m, 0));
        check_text(merged_read_stopping(&m, 0, 1 + test_random(&state) % 60), wanted);
        free(wanted);
        merged_close(&m);
    }
}

/* M3 holds for who goes on as well: what is behind the watermark of all does not take it back. */
static void the_watermark_of_all_does_not_go_back_when_a_source_wakes_behind_it(void)
{
    struct tn_memory memory;
    struct tn_watermarks all;

    tn_memory_init(&memory, NULL, NULL, 0);
    check(tn_watermarks_init(&all, &memory, 2, 0));
    all.sources[0].own.time_ms = 100;
    all.sources[1].own.time_ms = 40; /* it was idle, has given a row, and is not there yet */
    tn_watermarks_resume(&all, 100);
    check_eq(all.time_ms, 100);
    check_eq(all.next, 1);
    tn_watermarks_release(&all);
}

/* F2 */
static void followed_in_sequence_only_the_last_file_waits(void)
{
    static const char *const files[] = { "t\n1\n2\n", "t\n3\n" };
    static const int wanted[] = { TN_READER_ROW, TN_READER_ROW, TN_READER_ROW, TN_READER_WAITS,
                                  TN_READER_WAITS };
    struct tn_memory memory;
    struct tn_sources sources;
    struct tn_row row;
    struct merged m;

    merged_init(&m, files, 2);
    m.command.merge = false;
    m.command.follow = true;
    tn_memory_init(&memory, NULL, NULL, 0);
    check(tn_sources_init(&sources, &m.command, &memory));
    check_eq(tn_sources_begin(&sources), TN_READER_ROW);
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++)
        check_eq(tn_sources_next(&sources, &row), wanted[i]);
    tn_sources_release(&sources);
    check_eq(memory.counted_bytes, 0);
    merged_close(&m);
}

/* Rows and moves as merged_step writes them, until nobody has more; then "." */
static void merged_until_waits(struct merged *m, struct tn_sources *sources)
{
    struct tn_row row;
    char line[64];
    int answer;

    while ((answer = tn_sources_next(sources, &row)) != TN_READER_WAITS) {
        int64_t all_ms = sources->watermarks.time_ms;
        int64_t time_ms;

        if (answer == TN_READER_BAD) {
            snprintf(line, sizeof line, "%zu:bad ", sources->current);
        } else if (answer == TN_READER_ROW) {
            time_ms = strtoll(row.fields[0].data, NULL, 10);
            snprintf(line, sizeof line, "%zu:%lld ", sources->current, (long long)time_ms);
            tn_sources_advance(sources, time_ms);
        } else {
            check_eq(answer, TN_SOURCES_MOVED);
            snprintf(line, sizeof line, "@%lld ", (long long)all_ms);
        }
        rows_add_text(&m->rows, line);
        if (answer != TN_READER_ROW && answer != TN_READER_BAD && answer != TN_SOURCES_MOVED)
            break;
    }
    rows_add_text(&m->rows, ". ");
}

static void file_append(const char *path, const char *text)
{
    FILE *file = fopen(path, "a");

    check(file != NULL && fputs(text, file) >= 0 && fclose(file) == 0);
}

/*
 * F3: it is not told by the clock of the machine, which may be slow, but by when a source is said
 * to wait.
 */
static void a_source_that_is_idle_holds_the_others_no_more_and_counts_again_once_it_has_caught_up(
    void)
{
    static const char *const files[] = { "t\n10\n20\n", "t\n5\n" };
    struct tn_memory memory;
    struct tn_sources sources;
    struct merged m;

    merged_init(&m, files, 2);
    m.command.follow = true;
    m.command.idle_ms = 3600000;
    tn_memory_init(&memory, NULL, NULL, 0);
    check(tn_sources_init(&sources, &m.command, &memory));
    check_eq(tn_sources_begin(&sources), TN_READER_ROW);
    merged_until_waits(&m, &sources);
    merged_until_waits(&m, &sources);
    check_text(m.rows.text, "0:10 1:5 . . "); /* nothing moves, but nobody has waited for an hour */

    sources.sources[1].waits_since_ns -= UINT64_C(3601000000000);
    merged_until_waits(&m, &sources);
    check_text(m.rows.text, "0:10 1:5 . . @9 0:20 . ");

    /* What it has is there at once, be it bad; from then on the other waits for it, */
    file_append(m.paths[1], "\"x\"y\n");
    file_append(m.paths[0], "30\n");
    sources.asked_ns -= UINT64_C(3601000000000);
    merged_until_waits(&m, &sources);
    check_text(m.rows.text, "0:10 1:5 . . @9 0:20 . 1:bad . ");

    /* and how long it had nothing is counted anew from its last row. */
    sources.sources[1].waits_since_ns -= UINT64_C(3601000000000);
    file_append(m.paths[1], "15\n25\n");
    merged_until_waits(&m, &sources);
    check_text(m.rows.text, "0:10 1:5 . . @9 0:20 . 1:bad . 1:15 1:25 0:30 . ");
    check_eq(sources.watermarks.time_ms, 24);
    tn_sources_release(&sources);
    check_eq(memory.counted_bytes, 0);
    merged_close(&m);
}

static void lack_of_memory_is_answered_and_leaks_nothing(void)
{
    static const char *const files[] = { "t\n1\n" };
    struct tn_memory memory;
    struct tn_sources sources;
    struct merged m;

    merged_init(&m, files, 1);
    tn_memory_init(&memory, NULL, NULL, 1);
    check(!tn_sources_init(&sources, &m.command, &memory));
    tn_sources_release(&sources);
    merged_close(&m);
}

static const struct test tests[] = {
    T(the_next_row_is_of_the_source_furthest_behind_and_of_equals_the_first),
    T(a_bad_row_or_one_out_of_order_leaves_the_turn),
    T(empty_sources_hold_nothing),
    T(the_size_of_a_block_does_not_change_the_order),
    T(stopped_anywhere_and_gone_on_with_rows_and_watermarks_are_the_same),
    T(the_watermark_of_all_does_not_go_back_when_a_source_wakes_behind_it),
    T(followed_in_sequence_only_the_last_file_waits),
    T(a_source_that_is_idle_holds_the_others_no_more_and_counts_again_once_it_has_caught_up),
    T(lack_of_memory_is_answered_and_leaks_nothing),
};
TEST_MAIN(tests)
