/*
 * test_state_command.c - a state knows its command line again, and every other is another
 */
#include "cli/state_command.h"

#include "test.h"

#include <getopt.h>

#define WORDS_MAX 32

/* getopt_long keeps its place from one command line to the next: end it. */
static void getopt_forget(void)
{
    char name[] = "x", *none[] = { name, NULL };
    const struct option end = { 0 };

    optind = 0;
    (void)getopt_long(1, none, "", &end, NULL);
}

/* `words`, between blanks, as a state keeps them. Free it. */
static tarn_bytes encoded(const char *words)
{
    struct tn_window_command command;
    char *text = strdup(words), *argv[WORDS_MAX], *bytes = NULL, *place;
    size_t byte_count = 0;
    int argc = 0, exit_code;

    for (char *word = strtok_r(text, " ", &place); word != NULL; word = strtok_r(NULL, " ", &place))
        argv[argc++] = word;
    argv[argc] = NULL;
    getopt_forget();
    check(tn_window_command_parse(&command, argc, argv, &exit_code));
    check(tn_state_command_encode(&command, &bytes, &byte_count));
    tn_window_command_release(&command);
    free(text);
    return (tarn_bytes){ .data = bytes, .bytes = byte_count };
}

static bool same(const char *words, const char *others)
{
    tarn_bytes a = encoded(words), b = encoded(others);
    bool are_same = a.bytes == b.bytes && memcmp(a.data, b.data, a.bytes) == 0;

    check(tn_state_command_is_known(a));
    free((void *)(uintptr_t)a.data);
    free((void *)(uintptr_t)b.data);
    return are_same;
}

#define SOME "window --time=t --every=1h --state=s"

static void every_option_that_decides_what_comes_out_makes_another_command(void)
{
    static const char *const options[] = {
        "-icsv a.csv",
        "--time-format=ms a.csv",
        "--by=k a.csv",
        "--slide=1m a.csv",
        "--offset=1m a.csv",
        "--agg=sum(x) a.csv",
        "--late=1s a.csv",
        "--grace=1s a.csv",
        "--late-to=f a.csv",
        "--max-ahead=1s a.csv",
        "--emit=changes a.csv",
        "--emit=every=1s a.csv",
        "--emit=every=2s a.csv",
        "--strict a.csv",
        "-otsv a.csv",
        "--times=ms a.csv",
        "--out=f a.csv",
        "--merge a.csv",
        "--follow a.csv",
        "--merge --follow --idle=1s a.csv",
        "b.csv",
        "a.csv a.csv",
        "a.csv",
    };
    size_t count = sizeof options / sizeof options[0];
    char one[200], other[200];

    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < i; j++) {
            snprintf(one, sizeof one, SOME " %s", options[i]);
            snprintf(other, sizeof other, SOME " %s", options[j]);
            if (same(one, other))
                test_fail(__FILE__, __LINE__, "the same: %s and %s", options[i], options[j]);
        }
    check(!same(SOME " a.csv", "window --time=u --every=1h --state=s a.csv"));
    check(!same(SOME " a.csv", "window --time=t --every=2h --state=s a.csv"));
    check(!same(SOME " a.csv", "window --time=t --session=1h --state=s a.csv"));
}

static void what_decides_nothing_and_other_spellings_make_the_same(void)
{
    check(same(SOME " a.csv", SOME " -v a.csv"));
    check(same(SOME " a.csv", SOME " --commit-every=7 a.csv"));
    check(same(SOME " a.csv", "window --time=t --every=60m --state=elsewhere a.csv"));
    check(same(SOME " -icsv --by=k a.csv",
               "window a.csv --state s --by k -i csv --every 1h --time t"));
}

static void a_version_of_later_releases_is_not_known(void)
{
    tarn_bytes bytes = encoded(SOME " a.csv");
    uint8_t *version = (uint8_t *)(uintptr_t)bytes.data;

    version[0]++;
    check(!tn_state_command_is_known(bytes));
    version[0]--;
    check(tn_state_command_is_known(bytes));
    bytes.bytes = TN_STATE_COMMAND_HEAD_BYTES - 1;
    check(!tn_state_command_is_known(bytes));
    free(version);
}

static const struct test tests[] = {
    T(every_option_that_decides_what_comes_out_makes_another_command),
    T(what_decides_nothing_and_other_spellings_make_the_same),
    T(a_version_of_later_releases_is_not_known),
};
TEST_MAIN(tests)
