/*
 * test_window_metamorphic.c - what must not change the output of tarn window
 *
 *     events ---> one run ---------------------------------> --out, --late-to
 *        |                                                        the same bytes
 *        +------> another: read byte by byte                 ----'
 *                          committed after each row
 *                          stopped at row after row, and gone on with
 *                          cut into four files and merged             (where no row is late, final)
 *                          permuted within --late                     (likewise)
 *
 * Over tumbling, hopping and sampling windows, such of many slices, and sessions; everything else
 * is random (window_trial.h).
 */
#include "window_trial.h"

/* ---- comparing ------------------------------------------------------------------------------- */

static size_t compared_bytes, compared_late_bytes; /* by the test that runs */

static void trial_print(const struct trial *t)
{
    printf("# tarn window");
    for (int i = 0; i < t->word_count; i++)
        printf(" '%s'", t->words[i]);
    printf(", %d files%s, %d rows\n", t->file_count, t->merge ? " merged" : "", t->row_count);
}

/* Both have ended well, with the same bytes. Frees both. */
static void check_same(const struct trial *t, struct outputs a, struct outputs b)
{
    int before = test_failures;

    compared_bytes += strlen(a.rows);
    compared_late_bytes += strlen(a.late);
    check_eq(a.exit_code, 0);
    check_eq(b.exit_code, 0);
    check_text(b.rows, a.rows);
    check_text(b.late, a.late);
    if (test_failures > before)
        trial_print(t);
    free(a.rows);
    free(a.late);
    free(b.rows);
    free(b.late);
}

/* ---- events changed -------------------------------------------------------------------------- */

/* Rows move before others, as long as none is older by the bound. Times differ: no ties. */
static void rows_permute(struct trial *t, uint64_t *random)
{
    for (int i = 1; i < t->row_count; i++) {
        struct row kept = t->rows[i];
        int j = i;

        for (; j > 0 && kept.time_ms - t->rows[j - 1].time_ms < BOUND_MS &&
               random_below(random, 8) != 0;
             j--)
            t->rows[j] = t->rows[j - 1];
        t->rows[j] = kept;
    }
}

/* Some numbers are none. */
static void rows_spoil(struct trial *t, uint64_t *random)
{
    for (int i = 0; i < t->row_count; i++)
        if (random_below(random, 32) == 0)
            snprintf(t->rows[i].x, sizeof t->rows[i].x, "%d..", i);
}

/* RUNS: trials of each kind of windows. */
static int trial_count(void)
{
    const char *runs = getenv("RUNS");

    return KIND_COUNT * (runs != NULL ? atoi(runs) : 50);
}

/* What the test compared is much; late rows are among it where rows can be late. */
static void check_much(bool late)
{
    check(compared_bytes > 300 * (size_t)trial_count());
    check(!late || compared_late_bytes > 50 * (size_t)trial_count());
    compared_bytes = compared_late_bytes = 0;
}

/* ---- the same bytes -------------------------------------------------------------------------- */

static void read_byte_by_byte_or_all_at_once_the_output_is_the_same(void)
{
    static const size_t blocks[] = { 1, 7, 64 };
    uint64_t random = test_seed();
    struct trial t;

    for (int run = 0; run < trial_count(); run++) {
        trial_choose(&t, (enum kind)(run % KIND_COUNT), false, &random);
        rows_spoil(&t, &random);
        files_write(&t);
        check_same(&t, outputs_of(&t, 0, 0), outputs_of(&t, blocks[run % 3], 0));
    }
    check_much(true);
}

static void committed_after_each_row_or_never_the_output_is_the_same(void)
{
    uint64_t random = test_seed();
    struct trial t;

    for (int run = 0; run < trial_count(); run++) {
        trial_choose(&t, (enum kind)(run % KIND_COUNT), false, &random);
        rows_spoil(&t, &random);
        files_write(&t);
        check_same(&t, outputs_of(&t, 0, 0), outputs_of(&t, 0, 1));
    }
    check_much(true);
}

/* Commits lie between stops: rows behind the last one are read, and printed, again. */
static void stopped_at_row_after_row_and_gone_on_with_the_output_is_the_same(void)
{
    uint64_t random = test_seed();
    struct outputs wanted;
    struct trial t;
    int stops = 0;

    for (int run = 0; run < trial_count(); run++) {
        int commit_rows = 1 + (int)random_below(&random, 4), exit_code = 3;

        trial_choose(&t, (enum kind)(run % KIND_COUNT), false, &random);
        word_add(&t, "--strict");
        files_write(&t);
        wanted = outputs_of(&t, 0, 0);
        if (wanted.exit_code == 3) { /* a row was too far ahead: so it is in each run */
            free(wanted.rows);
            free(wanted.late);
            continue;
        }
        for (int i = 0; i < t.row_count; i++)
            t.rows[i].is_stop = random_below(&random, 4) == 0;
        files_write(&t);
        for (int tries = 0; exit_code == 3 && tries <= t.row_count; tries++) {
            exit_code = command_run(&t, 0, commit_rows);
            stops += exit_code == 3;
            stops_pass(&t);
        }
        check_same(&t, wanted, (struct outputs){ exit_code, file_take("out"), file_take("late") });
        state_remove();
    }
    check(stops > trial_count()); /* or nothing was tried */
    check_much(true);
}

static void one_file_or_four_merged_the_final_rows_are_the_same(void)
{
    uint64_t random = test_seed();
    struct outputs whole;
    struct trial t;

    for (int run = 0; run < trial_count(); run++) {
        trial_choose(&t, (enum kind)(run % KIND_COUNT), true, &random);
        rows_permute(&t, &random);
        files_write(&t);
        whole = outputs_of(&t, 0, 0);
        word_add(&t, "--merge");
        t.merge = true;
        t.file_count = FILES_MAX;
        for (int i = 0; i < t.row_count; i++)
            t.rows[i].file = (int)random_below(&random, FILES_MAX);
        files_write(&t);
        check_same(&t, whole, outputs_of(&t, 0, 0));
    }
    check_much(false);
}

static void in_order_or_permuted_within_the_bound_the_final_rows_are_the_same(void)
{
    uint64_t random = test_seed();
    struct outputs ordered;
    struct trial t;

    for (int run = 0; run < trial_count(); run++) {
        trial_choose(&t, (enum kind)(run % KIND_COUNT), true, &random);
        files_write(&t);
        ordered = outputs_of(&t, 0, 0);
        rows_permute(&t, &random);
        files_write(&t);
        check_same(&t, ordered, outputs_of(&t, 0, 0));
    }
    check_much(false);
}

static const struct test tests[] = {
    T(read_byte_by_byte_or_all_at_once_the_output_is_the_same),
    T(committed_after_each_row_or_never_the_output_is_the_same),
    T(stopped_at_row_after_row_and_gone_on_with_the_output_is_the_same),
    T(one_file_or_four_merged_the_final_rows_are_the_same),
    T(in_order_or_permuted_within_the_bound_the_final_rows_are_the_same),
};

/* In a directory of our own, and without what the command says of late and bad rows. */
int main(int argc, char **argv)
{
    char directory[64]; /* in memory, if there is such a place: thousands of commits are synced */
    int failed;

    snprintf(directory, sizeof directory, "%s/tarn-test-metamorphic-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    if (mkdtemp(directory) == NULL || chdir(directory) != 0 ||
        freopen("/dev/null", "w", stderr) == NULL)
        abort();
    failed = test_main(tests, sizeof tests / sizeof tests[0], argc, argv);
    for (int file = 0; file < FILES_MAX; file++)
        for (enum tn_format format = TN_FORMAT_CSV; format <= TN_FORMAT_NDJSON; format++)
            unlink(file_name(&(struct trial){ .format = format }, file));
    rmdir(directory);
    return failed;
}
