/*
 * test_os.c - the contract of os.h, kept by both tables
 *
 * Each contract test runs twice, once over the kernel in a fresh directory and once over the
 * simulation; what only the kernel can show (children, links, limits) follows.
 */
#include "child.h"
#include "os/simulated.h"
#include "test.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static struct tn_os os; /* the table under test */
static char base[128];  /* a directory of the host, or "base" in the simulation */
static int base_id;     /* open */

#define OS(function, ...) os.ops->function(os.context, __VA_ARGS__)

static const char *path_in_base(const char *name)
{
    static char path[512];

    snprintf(path, sizeof path, "%s/%s", base, name);
    return path;
}

/* ---- running a test over both tables -------------------------------------------------------- */

static void host_remove_base(void)
{
    DIR *listing = opendir(base);
    struct dirent *entry;

    while (listing != NULL && (entry = readdir(listing)) != NULL)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
            unlink(path_in_base(entry->d_name)) != 0)
            rmdir(path_in_base(entry->d_name));
    if (listing != NULL)
        closedir(listing);
    rmdir(base);
}

static void run_on_host(void (*contract)(void))
{
    const char *parent = getenv("TMPDIR") != NULL ? getenv("TMPDIR") : "/tmp";

    snprintf(base, sizeof base, "%s/tarn-test-os-XXXXXX", parent);
    os = tn_os_posix;
    check(mkdtemp(base) != NULL);
    base_id = OS(directory_open, base, 0);
    check(base_id >= 0);
    contract();
    os.ops->directory_close(os.context, base_id);
    host_remove_base();
}

static void run_on_simulation(void (*contract)(void))
{
    struct tn_simulated_options options = { .seed = test_seed(), .clock_step_ns = 1 };
    struct tn_simulated *simulated = tn_simulated_new(&options);

    snprintf(base, sizeof base, "base");
    os = tn_simulated_os(simulated);
    base_id = OS(directory_open, base, TN_OS_CREATE);
    check(base_id >= 0);
    contract();
    os.ops->directory_close(os.context, base_id);
    tn_simulated_free(simulated);
}

static void run_on_both(void (*contract)(void))
{
    int failures = test_failures;

    run_on_host(contract);
    if (test_failures != failures)
        printf("# the above: over the kernel\n");
    failures = test_failures;
    run_on_simulation(contract);
    if (test_failures != failures)
        printf("# the above: over the simulation\n");
}

#define CONTRACT(name)                                                                             \
    static void name##_contract(void);                                                             \
    static void name(void)                                                                         \
    {                                                                                              \
        run_on_both(name##_contract);                                                              \
    }                                                                                              \
    static void name##_contract(void)

/* ---- helpers -------------------------------------------------------------------------------- */

static int file_make(const char *name, const char *text)
{
    int file = OS(file_open, base_id, name, TN_OS_CREATE | TN_OS_WRITE);

    check(file >= 0);
    check_ok(OS(file_write, file, text, strlen(text), 0));
    return file;
}

static void file_done(int file)
{
    os.ops->file_close(os.context, file);
}

static void check_content(const char *name, const char *text)
{
    char buffer[256];
    size_t got = 77;
    int file = OS(file_open, base_id, name, 0);

    check(file >= 0);
    if (file < 0)
        return;
    check_ok(OS(file_read, file, buffer, sizeof buffer, 0, &got));
    check_bytes(buffer, got, text, strlen(text));
    file_done(file);
}

struct names {
    char text[512]; /* " a b c" in the order listed */
    int count;
    int stop_at;
};

static int names_add(void *argument, const char *name)
{
    struct names *names = argument;
    size_t length = strlen(names->text);

    snprintf(names->text + length, sizeof names->text - length, " %s", name);
    names->count++;
    return names->count == names->stop_at ? 42 : 0;
}

static int names_count(int directory)
{
    struct names names = { .count = 0 };

    check_ok(OS(directory_list, directory, names_add, &names));
    return names.count;
}

/* ---- files ---------------------------------------------------------------------------------- */

CONTRACT(a_file_is_made_only_when_asked)
{
    int file;

    check_eq(OS(file_open, base_id, "a", 0), -ENOENT);
    check_eq(OS(file_open, base_id, "a", TN_OS_WRITE), -ENOENT);
    file = OS(file_open, base_id, "a", TN_OS_CREATE | TN_OS_EXCLUSIVE | TN_OS_WRITE);
    check(file >= 0);
    check_eq(OS(file_open, base_id, "a", TN_OS_CREATE | TN_OS_EXCLUSIVE), -EEXIST);
    check_ok(OS(file_write, file, "xyz", 3, 0));
    file_done(file);
    file_done(OS(file_open, base_id, "a", TN_OS_CREATE | TN_OS_WRITE));
    check_content("a", "xyz"); /* opening truncates nothing */
}

CONTRACT(a_read_is_short_only_at_the_end)
{
    int file = file_make("a", "0123456789");
    uint64_t bytes = 0;
    char buffer[16];
    size_t got = 77;

    check_ok(OS(file_size, file, &bytes));
    check_eq(bytes, 10);
    check_ok(OS(file_read, file, buffer, 4, 2, &got));
    check_bytes(buffer, got, "2345", 4);
    check_ok(OS(file_read, file, buffer, 16, 8, &got));
    check_bytes(buffer, got, "89", 2);
    check_ok(OS(file_read, file, buffer, 16, 10, &got));
    check_eq(got, 0);
    check_ok(OS(file_read, file, buffer, 0, 3, &got));
    check_eq(got, 0);
    file_done(file);
}

CONTRACT(a_read_beyond_any_file_is_empty)
{
    static const uint64_t offsets[] = {
        11, 1u << 20, INT64_MAX - 1, INT64_MAX, (uint64_t)INT64_MAX + 1, UINT64_MAX
    };
    int file = file_make("a", "0123456789");
    char buffer[16];
    size_t got, i;

    for (i = 0; i < TN_ARRAY_COUNT(offsets); i++) {
        got = 77;
        check_ok(OS(file_read, file, buffer, sizeof buffer, offsets[i], &got));
        check_eq(got, 0);
    }
    file_done(file);
}

CONTRACT(a_write_beyond_the_end_leaves_zeros)
{
    char buffer[8192], zeros[8192] = { 0 };
    int file = file_make("a", "ab");
    uint64_t bytes = 0;
    size_t got = 0;

    check_ok(OS(file_write, file, "z", 1, 8191));
    check_ok(OS(file_size, file, &bytes));
    check_eq(bytes, 8192);
    check_ok(OS(file_read, file, buffer, sizeof buffer, 0, &got));
    check_eq(got, 8192);
    check_bytes(buffer, 2, "ab", 2);
    check_bytes(buffer + 2, 8189, zeros, 8189);
    check_eq(buffer[8191], 'z');
    check_ok(OS(file_write, file, "", 0, 20000)); /* nothing is not a write */
    check_ok(OS(file_size, file, &bytes));
    check_eq(bytes, 8192);
    file_done(file);
}

CONTRACT(a_write_over_bytes_replaces_them_only)
{
    int file = file_make("a", "0123456789");

    check_ok(OS(file_write, file, "ABC", 3, 4));
    check_content("a", "0123ABC789");
    file_done(file);
}

CONTRACT(a_write_no_file_can_hold_is_too_big)
{
    int file = file_make("a", "x");
    uint64_t bytes = 0;

    check_eq(OS(file_write, file, "y", 1, INT64_MAX), -EFBIG);
    check_eq(OS(file_write, file, "y", 1, UINT64_MAX), -EFBIG);
    check_eq(OS(file_truncate, file, UINT64_MAX), -EFBIG);
    check_ok(OS(file_size, file, &bytes));
    check_eq(bytes, 1);
    file_done(file);
}

CONTRACT(a_file_open_for_reading_is_not_written)
{
    int file;

    file_done(file_make("a", "abc"));
    file = OS(file_open, base_id, "a", 0);
    check_eq(OS(file_write, file, "y", 1, 0), -EBADF);
    check_eq(OS(file_truncate, file, 0), -EINVAL);
    file_done(file);
    check_content("a", "abc");
}

CONTRACT(truncating_cuts_and_grows_with_zeros)
{
    int file = file_make("a", "0123456789");
    char buffer[16];
    size_t got = 0;

    check_ok(OS(file_truncate, file, 3));
    check_content("a", "012");
    check_ok(OS(file_truncate, file, 6));
    check_ok(OS(file_read, file, buffer, sizeof buffer, 0, &got));
    check_bytes(buffer, got, "012\0\0\0", 6);
    check_ok(OS(file_truncate, file, 0));
    check_content("a", "");
    file_done(file);
}

CONTRACT(large_writes_come_back_whole)
{
    size_t bytes = 3 * TN_MIB + 17, i, got = 0;
    uint8_t *out = malloc(bytes), *in = malloc(bytes);
    int file = file_make("a", "");

    for (i = 0; i < bytes; i++)
        out[i] = (uint8_t)(i * 31 + (i >> 12));
    check_ok(OS(file_write, file, out, bytes, 5));
    check_ok(OS(file_sync, file));
    check_ok(OS(file_read, file, in, bytes, 5, &got));
    check_bytes(in, got, out, bytes);
    free(out);
    free(in);
    file_done(file);
}

CONTRACT(a_map_shows_the_file)
{
    int file = file_make("a", "mapped bytes");
    void *at = NULL;

    check_ok(OS(file_map, file, 12, &at));
    check_eq((uintptr_t)at % TN_OS_PAGE_BYTES, 0);
    check_bytes(at, 12, "mapped bytes", 12);
    os.ops->file_unmap(os.context, at, 12);
    file_done(file);
}

CONTRACT(a_map_of_more_than_there_is_is_refused)
{
    int file = file_make("a", "mapped bytes");
    void *at = NULL;

    check_eq(OS(file_map, file, 13, &at), -EINVAL);
    check_eq(OS(file_map, file, 1 << 20, &at), -EINVAL);
    check_eq(OS(file_map, file, 0, &at), -EINVAL);
    check(at == NULL);
    file_done(file);
}

CONTRACT(a_map_outlives_file_and_name)
{
    int file = file_make("a", "mapped bytes");
    void *at = NULL;

    check_ok(OS(file_map, file, 12, &at));
    file_done(file);
    check_ok(OS(directory_unlink, base_id, "a"));
    check_bytes(at, 12, "mapped bytes", 12);
    os.ops->file_unmap(os.context, at, 12);
}

CONTRACT(an_unlinked_file_lives_while_open)
{
    int file = file_make("a", "old");
    char buffer[8];
    size_t got = 0;

    check_ok(OS(directory_unlink, base_id, "a"));
    check_eq(OS(file_open, base_id, "a", 0), -ENOENT);
    check_eq(OS(directory_unlink, base_id, "a"), -ENOENT);
    file_done(file_make("a", "another"));
    check_ok(OS(file_write, file, "OLD", 3, 0));
    check_ok(OS(file_sync, file));
    check_ok(OS(file_read, file, buffer, sizeof buffer, 0, &got));
    check_bytes(buffer, got, "OLD", 3);
    file_done(file);
    check_content("a", "another");
}

/* ---- directories ---------------------------------------------------------------------------- */

CONTRACT(a_rename_replaces_what_was_there)
{
    int old = file_make("to", "old");
    char buffer[8];
    size_t got = 0;

    file_done(file_make("from", "new"));
    check_ok(OS(directory_rename, base_id, "from", "to"));
    check_ok(OS(directory_sync, base_id));
    check_content("to", "new");
    check_eq(OS(file_open, base_id, "from", 0), -ENOENT);
    check_eq(names_count(base_id), 1);
    check_ok(OS(file_read, old, buffer, sizeof buffer, 0, &got));
    check_bytes(buffer, got, "old", 3);
    file_done(old);
    check_ok(OS(directory_rename, base_id, "to", "to"));
    check_content("to", "new");
    check_eq(OS(directory_rename, base_id, "from", "to"), -ENOENT);
    check_content("to", "new");
}

CONTRACT(a_listing_names_each_file_once)
{
    struct names names = { .count = 0 };

    check_eq(names_count(base_id), 0);
    file_done(file_make("one", "1"));
    file_done(file_make("two", "2"));
    file_done(file_make(".three", "3"));
    check_ok(OS(directory_list, base_id, names_add, &names));
    check_eq(names.count, 3);
    check(strstr(names.text, " one") != NULL);
    check(strstr(names.text, " two") != NULL);
    check(strstr(names.text, " .three") != NULL);
    check_eq(names_count(base_id), 3); /* from the start again */
}

CONTRACT(a_listing_can_be_stopped)
{
    struct names names = { .stop_at = 2 };

    file_done(file_make("one", "1"));
    file_done(file_make("two", "2"));
    file_done(file_make("three", "3"));
    check_eq(OS(directory_list, base_id, names_add, &names), 42);
    check_eq(names.count, 2);
}

CONTRACT(names_are_single_components)
{
    static const char *const refused[] = { "", ".", "..", "a/b", "/a", "a/", "../a" };
    size_t i;

    file_done(file_make("x", "x"));
    for (i = 0; i < TN_ARRAY_COUNT(refused); i++) {
        check_eq(OS(file_open, base_id, refused[i], TN_OS_CREATE | TN_OS_WRITE), -EINVAL);
        check_eq(OS(directory_rename, base_id, "x", refused[i]), -EINVAL);
        check_eq(OS(directory_rename, base_id, refused[i], "y"), -EINVAL);
        check_eq(OS(directory_unlink, base_id, refused[i]), -EINVAL);
    }
    check_eq(names_count(base_id), 1);
}

CONTRACT(names_have_255_bytes_at_most)
{
    char name[257];

    memset(name, 'n', sizeof name);
    name[256] = '\0';
    check_eq(OS(file_open, base_id, name, TN_OS_CREATE), -ENAMETOOLONG);
    name[255] = '\0';
    file_done(OS(file_open, base_id, name, TN_OS_CREATE));
    check_eq(names_count(base_id), 1);
    check_ok(OS(directory_unlink, base_id, name));
}

CONTRACT(a_directory_is_made_only_when_asked)
{
    int directory;

    check_eq(OS(directory_open, path_in_base("d"), 0), -ENOENT);
    directory = OS(directory_open, path_in_base("d"), TN_OS_CREATE | TN_OS_EXCLUSIVE);
    check(directory >= 0);
    os.ops->directory_close(os.context, directory);
    check_eq(OS(directory_open, path_in_base("d"), TN_OS_CREATE | TN_OS_EXCLUSIVE), -EEXIST);
    directory = OS(directory_open, path_in_base("d"), TN_OS_CREATE);
    check(directory >= 0);
    check_eq(names_count(directory), 0);
    os.ops->directory_close(os.context, directory);
    check_eq(OS(directory_open, path_in_base("no/d"), TN_OS_CREATE), -ENOENT);
}

CONTRACT(a_lock_is_refused_to_every_other_open)
{
    int other = OS(directory_open, base, 0);
    int third;

    check(other >= 0);
    check_ok(OS(directory_lock, base_id));
    check_ok(OS(directory_lock, base_id)); /* one's own again */
    check_eq(OS(directory_lock, other), -EBUSY);
    third = OS(directory_open, base, 0);
    check_eq(OS(directory_lock, third), -EBUSY);
    os.ops->directory_close(os.context, other); /* gives up nothing it does not have */
    check_eq(OS(directory_lock, third), -EBUSY);
    os.ops->directory_close(os.context, base_id);
    check_ok(OS(directory_lock, third));
    base_id = third;
}

CONTRACT(a_lock_leaves_no_file)
{
    check_ok(OS(directory_lock, base_id));
    check_eq(names_count(base_id), 0);
}

/* ---- pages ---------------------------------------------------------------------------------- */

static bool is_zero(const uint8_t *at, size_t bytes)
{
    size_t i;

    for (i = 0; i < bytes; i++)
        if (at[i] != 0)
            return false;
    return true;
}

CONTRACT(reservations_start_at_two_mib_and_are_disjoint)
{
    static const size_t sizes[] = { TN_OS_PAGE_BYTES, 2 << 20, (2 << 20) + 4096, (size_t)8 << 30 };
    uint8_t *at[TN_ARRAY_COUNT(sizes)] = { NULL };
    size_t i, j;

    for (i = 0; i < TN_ARRAY_COUNT(sizes); i++) {
        check_ok(OS(pages_reserve, sizes[i], (void **)&at[i]));
        check_eq((uintptr_t)at[i] % (2 * TN_MIB), 0);
        for (j = 0; j < i; j++)
            check(at[i] >= at[j] + sizes[j] || at[j] >= at[i] + sizes[i]);
    }
    for (i = 0; i < TN_ARRAY_COUNT(sizes); i++)
        os.ops->pages_release(os.context, at[i], sizes[i]);
}

CONTRACT(an_impossible_reservation_is_refused)
{
    void *at = NULL;

    check_eq(OS(pages_reserve, SIZE_MAX - 4095, &at), -ENOMEM);
    check_eq(OS(pages_reserve, (size_t)1 << 62, &at), -ENOMEM);
    check_eq(OS(pages_reserve, 0, &at), -EINVAL);
    check_eq(OS(pages_reserve, 4097, &at), -EINVAL);
    check(at == NULL);
}

CONTRACT(committed_pages_read_zero_each_time)
{
    static const size_t sizes[] = { 4096, 5 * 4096, 2 << 20, (4 << 20) + 4096 };
    uint8_t *at = NULL;
    size_t i, round;

    check_ok(OS(pages_reserve, 16 << 20, (void **)&at));
    for (i = 0; i < TN_ARRAY_COUNT(sizes); i++)
        for (round = 0; round < 3; round++) {
            check_ok(OS(pages_commit, at + 4096, sizes[i], round == 1 ? TN_OS_HUGE : 0));
            check(is_zero(at + 4096, sizes[i]));
            memset(at + 4096, 0xA5, sizes[i]);
            check_ok(OS(pages_decommit, at + 4096, sizes[i]));
        }
    os.ops->pages_release(os.context, at, 16 << 20);
}

CONTRACT(decommitting_leaves_the_neighbours)
{
    uint8_t *at = NULL;
    size_t i;

    check_ok(OS(pages_reserve, 2 << 20, (void **)&at));
    check_ok(OS(pages_commit, at, 5 * 4096, 0));
    memset(at, 0x5A, 5 * 4096);
    check_ok(OS(pages_decommit, at + 2 * 4096, 4096));
    for (i = 0; i < 5 * 4096; i++)
        if (i / 4096 != 2)
            check_eq(at[i], 0x5A);
    check_ok(OS(pages_commit, at + 2 * 4096, 4096, 0));
    check(is_zero(at + 2 * 4096, 4096));
    os.ops->pages_release(os.context, at, 2 << 20);
}

/* ---- randomness, clock, mark ---------------------------------------------------------------- */

CONTRACT(random_bytes_differ_each_time)
{
    uint8_t bytes[2][64] = { { 0 } };
    uint8_t longer[4096] = { 0 };

    check_ok(OS(random, bytes[0], 64));
    check_ok(OS(random, bytes[1], 64));
    check(memcmp(bytes[0], bytes[1], 64) != 0);
    check(!is_zero(bytes[0], 64));
    check_ok(OS(random, longer, sizeof longer));
    check(!is_zero(longer + sizeof longer - 32, 32));
    check_ok(OS(random, longer, 0));
}

CONTRACT(the_clock_never_goes_back)
{
    uint64_t before = os.ops->clock_ns(os.context), now;
    int i;

    for (i = 0; i < 1000; i++) {
        now = os.ops->clock_ns(os.context);
        check(now >= before);
        before = now;
    }
    check(before > 0);
}

CONTRACT(the_fork_mark_reads_one_at_home)
{
    uint32_t *mark = NULL, *other = NULL;
    int result = OS(fork_mark, &mark);

    if (result == -ENOTSUP)
        return;
    check_ok(result);
    check_ok(OS(fork_mark, &other));
    check(mark != other);
    check_eq(*mark, 1);
    os.ops->fork_mark_release(os.context, mark);
    check_eq(*other, 1);
    os.ops->fork_mark_release(os.context, other);
}

/* ---- only the kernel ------------------------------------------------------------------------ */

/* What `body` answers in a child; -signal when one killed it. */
static int in_child(int (*body)(void *argument), void *argument)
{
    int status = 0;
    pid_t child;

    fflush(NULL);
    child = fork();
    if (child == 0)
        child_exit(body(argument));
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static int child_reads_mark(void *argument)
{
    return (int)*(volatile uint32_t *)argument;
}

static void a_forked_child_reads_zero(void)
{
    uint32_t *mark = NULL;
    int result;

    os = tn_os_posix;
    result = OS(fork_mark, &mark);
    if (result == -ENOTSUP)
        return;
    check_ok(result);
    check_eq(in_child(child_reads_mark, mark), 0);
    check_eq(*mark, 1);
    os.ops->fork_mark_release(os.context, mark);
}

static int child_touches(void *argument)
{
    signal(SIGSEGV, SIG_DFL); /* sanitizers catch it */
    signal(SIGBUS, SIG_DFL);
    *(volatile uint8_t *)argument = 1;
    return 0;
}

static void pages_that_are_not_committed_fault(void)
{
    uint8_t *at = NULL;
    int how;

    os = tn_os_posix;
    check_ok(OS(pages_reserve, 4 << 20, (void **)&at));
    how = in_child(child_touches, at);
    check(how == -SIGSEGV || how == -SIGBUS);
    check_ok(OS(pages_commit, at, 8192, 0));
    check_eq(in_child(child_touches, at + 4096), 0);
    how = in_child(child_touches, at + 8192);
    check(how == -SIGSEGV || how == -SIGBUS);
    check_ok(OS(pages_decommit, at, 4096));
    how = in_child(child_touches, at);
    check(how == -SIGSEGV || how == -SIGBUS);
    check_eq(in_child(child_touches, at + 4096), 0);
    os.ops->pages_release(os.context, at, 4 << 20);
}

static int child_locks(void *argument)
{
    int directory = OS(directory_open, argument, 0);

    return directory < 0 ? 99 : -OS(directory_lock, directory);
}

static void a_lock_holds_against_other_processes_body(void)
{
    int pipes[2];
    char byte;
    pid_t child;

    check_ok(OS(directory_lock, base_id));
    check_eq(in_child(child_locks, base), EBUSY);
    os.ops->directory_close(os.context, base_id);
    check_eq(in_child(child_locks, base), 0);

    /* The holder is killed: its lock goes with it. */
    check_ok(pipe(pipes));
    fflush(NULL);
    child = fork();
    if (child == 0) {
        byte = (char)child_locks(base);
        if (write(pipes[1], &byte, 1) == 1)
            pause();
        _exit(1);
    }
    check_eq(read(pipes[0], &byte, 1), 1);
    check_eq(byte, 0);
    base_id = OS(directory_open, base, 0);
    check_eq(OS(directory_lock, base_id), -EBUSY);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    check_ok(OS(directory_lock, base_id));
    close(pipes[0]);
    close(pipes[1]);
}

static void a_lock_holds_against_other_processes(void)
{
    run_on_host(a_lock_holds_against_other_processes_body);
}

static void a_lock_given_up_is_free_though_a_child_lives_body(void)
{
    int pipes[2];
    pid_t child;

    check_ok(OS(directory_lock, base_id));
    check_ok(pipe(pipes));
    fflush(NULL);
    child = fork();
    if (child == 0) {
        char byte;

        close(pipes[1]);
        _exit((int)read(pipes[0], &byte, 1)); /* until the parent is done */
    }
    os.ops->directory_close(os.context, base_id);
    base_id = OS(directory_open, base, 0);
    check_ok(OS(directory_lock, base_id));
    close(pipes[1]);
    close(pipes[0]);
    waitpid(child, NULL, 0);
}

static void a_lock_given_up_is_free_though_a_child_lives(void)
{
    run_on_host(a_lock_given_up_is_free_though_a_child_lives_body);
}

static void links_are_not_followed_body(void)
{
    char target[300];

    file_done(file_make("real", "text"));
    check_ok(symlink("real", path_in_base("link")));
    check(OS(file_open, base_id, "link", 0) < 0);
    check(OS(file_open, base_id, "link", TN_OS_WRITE | TN_OS_CREATE) < 0);
    check_eq(OS(file_open, base_id, "link", TN_OS_WRITE | TN_OS_CREATE | TN_OS_EXCLUSIVE), -EEXIST);
    check_ok(symlink("nowhere", path_in_base("dangling")));
    check(OS(file_open, base_id, "dangling", TN_OS_WRITE | TN_OS_CREATE) < 0);
    check_eq(OS(file_open, base_id, "nowhere", 0), -ENOENT);
    check_ok(OS(directory_unlink, base_id, "link")); /* the link, not its target */
    check_content("real", "text");

    check_ok(mkdir(path_in_base("d"), 0700));
    check_ok(symlink("d", path_in_base("dlink")));
    check(OS(directory_open, path_in_base("dlink"), 0) < 0);
    check(OS(directory_open, path_in_base("dlink"), TN_OS_CREATE) < 0);
    snprintf(target, sizeof target, "%s/dlink//", base);
    check(OS(directory_open, target, 0) < 0);
}

static void links_are_not_followed(void)
{
    run_on_host(links_are_not_followed_body);
}

static void only_plain_files_and_directories_open_body(void)
{
    check_ok(mkdir(path_in_base("d"), 0700));
    check_eq(OS(file_open, base_id, "d", 0), -EISDIR);
    check_ok(mkfifo(path_in_base("pipe"), 0600));
    check_eq(OS(file_open, base_id, "pipe", 0), -EINVAL); /* at once */
    check_eq(OS(file_open, base_id, "pipe", TN_OS_WRITE), -EINVAL);
    file_done(file_make("f", "text"));
    check_eq(OS(directory_open, path_in_base("f"), 0), -ENOTDIR);
    check_eq(OS(directory_open, path_in_base("f"), TN_OS_CREATE), -ENOTDIR);
    check_eq(OS(directory_open, "", 0), -ENOENT);
}

static void only_plain_files_and_directories_open(void)
{
    run_on_host(only_plain_files_and_directories_open_body);
}

static void nobody_else_may_read_body(void)
{
    struct stat status;

    umask(0);
    file_done(file_make("f", "text"));
    os.ops->directory_close(os.context, OS(directory_open, path_in_base("d/"), TN_OS_CREATE));
    check_ok(stat(path_in_base("f"), &status));
    check_eq(status.st_mode & 0777, 0600);
    check_ok(stat(path_in_base("d"), &status));
    check_eq(status.st_mode & 0777, 0700);
    umask(022);
}

static void nobody_else_may_read(void)
{
    run_on_host(nobody_else_may_read_body);
}

/* Answers the number of the first check that fails. */
static int child_at_size_limit(void *argument)
{
    struct rlimit limit = { 0 };
    int file = OS(file_open, base_id, "a", TN_OS_CREATE | TN_OS_WRITE);
    char bytes[600] = { 1 };
    uint64_t file_bytes = 0;

    (void)argument;
    signal(SIGXFSZ, SIG_DFL);
    if (file < 0 || OS(file_write, file, bytes, 600, 600) != 0 || getrlimit(RLIMIT_FSIZE, &limit))
        return 1;
    limit.rlim_cur = 1000;
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0)
        return 1;
    if (OS(file_write, file, bytes, 600, 0) != 0 || OS(file_write, file, bytes, 400, 600) != 0)
        return 2;
    if (OS(file_write, file, bytes, 401, 600) != -EFBIG) /* would be written in part */
        return 3;
    if (OS(file_write, file, bytes, 1, 5000) != -EFBIG) /* would be killed */
        return 4;
    if (OS(file_truncate, file, 5000) != -EFBIG || OS(file_truncate, file, 1100) != 0)
        return 5;
    if (OS(file_size, file, &file_bytes) != 0 || file_bytes != 1100)
        return 6;
    return 0;
}

static void the_size_limit_is_an_answer_not_a_signal_body(void)
{
    check_eq(in_child(child_at_size_limit, NULL), 0);
}

static void the_size_limit_is_an_answer_not_a_signal(void)
{
    run_on_host(the_size_limit_is_an_answer_not_a_signal_body);
}

static int child_without_standard(void *argument)
{
    int directory, file;

    (void)argument;
    close(0);
    close(1);
    close(2);
    directory = OS(directory_open, base, 0);
    file = OS(file_open, directory, "a", TN_OS_CREATE | TN_OS_WRITE);
    return directory > 2 && file > 2 && fcntl(0, F_GETFD) < 0 && fcntl(1, F_GETFD) < 0 ? 0 : 1;
}

static void standard_descriptors_are_left_alone_body(void)
{
    check_eq(in_child(child_without_standard, NULL), 0);
}

static void standard_descriptors_are_left_alone(void)
{
    run_on_host(standard_descriptors_are_left_alone_body);
}

/* Lines of the process's map, or 0 where there is no such file. */
static int mappings_count(void)
{
    FILE *maps = fopen("/proc/self/maps", "r");
    int c, count = 0;

    while (maps != NULL && (c = getc(maps)) != EOF)
        count += c == '\n';
    if (maps != NULL)
        fclose(maps);
    return count;
}

/* P1. Where the kernel refuses to make the reservation one mapping's own, it is not so. */
static void chunks_in_any_order_become_few_mappings(void)
{
    enum { CHUNK_COUNT = 2048, CHUNK_BYTES = 16 << 10 };
    size_t bytes = (size_t)CHUNK_COUNT * CHUNK_BYTES, i, chunk;
    struct rlimit limit;
    int before, after;
    uint8_t *at = NULL;

    os = tn_os_posix;
    before = mappings_count();
    check_ok(OS(pages_reserve, bytes, (void **)&at));
    for (i = 0; i < CHUNK_COUNT; i++) {
        chunk = i * 1237 % CHUNK_COUNT;
        check_ok(OS(pages_commit, at + chunk * CHUNK_BYTES, CHUNK_BYTES, 0));
        at[chunk * CHUNK_BYTES + 5000] = 1;
    }
    for (i = 0; i < CHUNK_COUNT; i += 2)
        check_ok(OS(pages_decommit, at + i * CHUNK_BYTES, CHUNK_BYTES));
    for (i = 0; i < CHUNK_COUNT; i += 2) {
        check_ok(OS(pages_commit, at + i * CHUNK_BYTES, CHUNK_BYTES, 0));
        check_eq(at[i * CHUNK_BYTES + 5000], 0);
        at[i * CHUNK_BYTES + 5000] = 1;
    }
    after = mappings_count();
    if (before != 0 && getrlimit(RLIMIT_DATA, &limit) == 0 && limit.rlim_cur == RLIM_INFINITY)
        check(after - before < 8);
    os.ops->pages_release(os.context, at, bytes);
}

static void reservations_given_back_leave_nothing(void)
{
    int before = mappings_count(), i;
    uint8_t *at[20] = { NULL };

    os = tn_os_posix;
    for (i = 0; i < 20; i++) {
        check_ok(OS(pages_reserve, 12288, (void **)&at[i]));
        check_ok(OS(pages_commit, at[i] + 4096, 4096, 0));
    }
    for (i = 0; i < 20; i++)
        os.ops->pages_release(os.context, at[i], 12288);
    check_eq(mappings_count(), before);
}

static const struct test tests[] = {
    T(a_file_is_made_only_when_asked),
    T(a_read_is_short_only_at_the_end),
    T(a_read_beyond_any_file_is_empty),
    T(a_write_beyond_the_end_leaves_zeros),
    T(a_write_over_bytes_replaces_them_only),
    T(a_write_no_file_can_hold_is_too_big),
    T(a_file_open_for_reading_is_not_written),
    T(truncating_cuts_and_grows_with_zeros),
    T(large_writes_come_back_whole),
    T(a_map_shows_the_file),
    T(a_map_of_more_than_there_is_is_refused),
    T(a_map_outlives_file_and_name),
    T(an_unlinked_file_lives_while_open),
    T(a_rename_replaces_what_was_there),
    T(a_listing_names_each_file_once),
    T(a_listing_can_be_stopped),
    T(names_are_single_components),
    T(names_have_255_bytes_at_most),
    T(a_directory_is_made_only_when_asked),
    T(a_lock_is_refused_to_every_other_open),
    T(a_lock_leaves_no_file),
    T(reservations_start_at_two_mib_and_are_disjoint),
    T(an_impossible_reservation_is_refused),
    T(committed_pages_read_zero_each_time),
    T(decommitting_leaves_the_neighbours),
    T(random_bytes_differ_each_time),
    T(the_clock_never_goes_back),
    T(the_fork_mark_reads_one_at_home),
    T(a_forked_child_reads_zero),
    T(pages_that_are_not_committed_fault),
    T(a_lock_holds_against_other_processes),
    T(a_lock_given_up_is_free_though_a_child_lives),
    T(links_are_not_followed),
    T(only_plain_files_and_directories_open),
    T(nobody_else_may_read),
    T(the_size_limit_is_an_answer_not_a_signal),
    T(standard_descriptors_are_left_alone),
    T(chunks_in_any_order_become_few_mappings),
    T(reservations_given_back_leave_nothing),
};

TEST_MAIN(tests)
