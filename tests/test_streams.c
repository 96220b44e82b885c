/*
 * test_streams.c - streams of os.h: any descriptor of the user's, in however small parts it is
 * taken
 */
#define _GNU_SOURCE 1 /* pipe2 */

#include "child.h"
#include "os/simulated.h"
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define HOST(function, ...) tn_os_posix.ops->function(tn_os_posix.context, __VA_ARGS__)
#define LARGE_BYTES 300000u /* more than a pipe or a socket takes at once */

static uint8_t large[LARGE_BYTES];

static void fill_large(void)
{
    size_t i;

    for (i = 0; i < sizeof large; i++)
        large[i] = (uint8_t)(i * 7 + i / 256);
}

/* What `body` answers in a child. */
static pid_t child_start(int (*body)(const int *ends), const int *ends)
{
    pid_t child;

    fflush(NULL);
    child = fork();
    if (child == 0)
        child_exit(body(ends));
    return child;
}

static int child_end(pid_t child)
{
    int status = 0;

    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static FILE *temporary(void)
{
    FILE *file = tmpfile();

    check(file != NULL);
    return file;
}

/* ---- what both tables do -------------------------------------------------------------------- */

static void check_queue(const struct tn_os *os, int write_end, int read_end, void (*end_it)(int))
{
    uint8_t bytes[8];
    size_t count = 99;

    check_ok(os->ops->stream_write(os->context, write_end, "abc", 3));
    check_ok(os->ops->stream_write(os->context, write_end, NULL, 0));
    check_ok(os->ops->stream_write(os->context, write_end, "defg", 4));
    check_ok(os->ops->stream_read(os->context, read_end, bytes, 5, &count));
    check_bytes(bytes, count, "abcde", 5);
    check_ok(os->ops->stream_read(os->context, read_end, bytes, 0, &count));
    check_eq(count, 0);
    end_it(write_end);
    check_ok(os->ops->stream_read(os->context, read_end, bytes, 8, &count));
    check_bytes(bytes, count, "fg", 2);
    check_ok(os->ops->stream_read(os->context, read_end, bytes, 8, &count));
    check_eq(count, 0);
}

static void end_host(int end)
{
    close(end);
}

static void end_simulated(int end)
{
    (void)end; /* nobody waits for more */
}

static void what_is_written_is_read_in_order_and_short_only_at_the_end(void)
{
    struct tn_simulated *simulated = tn_simulated_new(NULL);
    struct tn_os os = tn_simulated_os(simulated);
    int ends[2] = { -1, -1 }, stream = tn_simulated_stream_new(simulated);

    check_queue(&os, stream, stream, end_simulated);
    tn_simulated_free(simulated);
    check_ok(pipe(ends));
    check_queue(&tn_os_posix, ends[1], ends[0], end_host);
    close(ends[0]);
}

static void a_descriptor_that_is_none_is_an_answer(void)
{
    FILE *file = temporary();
    int read_only = open("/dev/null", O_RDONLY), write_only = open("/dev/null", O_WRONLY);
    uint8_t byte;
    size_t count = 99;

    check_eq(HOST(stream_write, -1, "x", 1), -EBADF);
    check_eq(HOST(stream_read, -1, &byte, 1, &count), -EBADF);
    check_eq(count, 0);
    check_eq(HOST(stream_write, read_only, "x", 1), -EBADF);
    check_eq(HOST(stream_read, write_only, &byte, 1, &count), -EBADF);
    close(read_only);
    close(write_only);
    fclose(file);
}

/* ---- small parts, signals ------------------------------------------------------------------- */

/* Read all there is by a few bytes and compare. */
static int child_reads_slowly(const int *ends)
{
    uint8_t bytes[611];
    size_t at = 0;
    ssize_t got;

    close(ends[1]);
    while ((got = read(ends[0], bytes, 1 + at % sizeof bytes)) > 0) {
        if (at + (size_t)got > sizeof large || memcmp(bytes, large + at, (size_t)got) != 0)
            return 1;
        at += (size_t)got;
        if (at % 50 == 0)
            usleep(100);
    }
    return got == 0 && at == sizeof large ? 0 : 2;
}

static int child_writes_slowly(const int *ends)
{
    size_t at = 0, part;

    close(ends[0]);
    for (; at < sizeof large; at += part) {
        part = 1 + at % 977 < sizeof large - at ? 1 + at % 977 : sizeof large - at;
        if (write(ends[1], large + at, part) != (ssize_t)part)
            return 1;
        if (at % 50 == 0)
            usleep(100);
    }
    return 0;
}

static void check_written_slowly(int ends[2])
{
    pid_t child = child_start(child_reads_slowly, ends);

    close(ends[0]);
    check_ok(HOST(stream_write, ends[1], large, sizeof large));
    close(ends[1]);
    check_eq(child_end(child), 0);
}

static void check_read_slowly(int ends[2])
{
    static uint8_t bytes[sizeof large];
    pid_t child = child_start(child_writes_slowly, ends);
    size_t count = 0;

    close(ends[1]);
    check_ok(HOST(stream_read, ends[0], bytes, sizeof bytes, &count));
    check_bytes(bytes, count, large, sizeof large);
    check_ok(HOST(stream_read, ends[0], bytes, 1, &count));
    check_eq(count, 0);
    close(ends[0]);
    check_eq(child_end(child), 0);
}

static void each_way_of_transport(int flags)
{
    int ends[2] = { -1, -1 };

    check_ok(pipe2(ends, flags));
    fcntl(ends[0], F_SETFL, 0); /* the child's end blocks, here and below */
    check_written_slowly(ends);
    check_ok(pipe2(ends, flags));
    fcntl(ends[1], F_SETFL, 0);
    check_read_slowly(ends);
    check_ok(socketpair(AF_UNIX, SOCK_STREAM | ((flags & O_NONBLOCK) != 0 ? SOCK_NONBLOCK : 0), 0,
                        ends));
    fcntl(ends[0], F_SETFL, 0);
    check_written_slowly(ends);
}

static void bytes_taken_in_parts_arrive_whole(void)
{
    fill_large();
    each_way_of_transport(0);
}

static void a_descriptor_that_does_not_block_is_waited_for(void)
{
    fill_large();
    each_way_of_transport(O_NONBLOCK);
}

static volatile sig_atomic_t alarms;

static void note_alarm(int number)
{
    (void)number;
    alarms++;
}

/* Both while reading and writing wait, and while a descriptor that does not block is waited for. */
static void signals_do_not_break_a_transfer(void)
{
    /* memcheck would do nothing but take these signals */
    const suseconds_t pause_us = 300 * (suseconds_t)tn_min(test_stride(), 61);
    const struct itimerval often = { { 0, pause_us }, { 0, pause_us } },
                           never = { { 0, 0 }, { 0, 0 } };
    struct sigaction action = { .sa_handler = note_alarm }, old; /* not SA_RESTART */

    fill_large();
    alarms = 0;
    check_ok(sigaction(SIGALRM, &action, &old));
    check_ok(setitimer(ITIMER_REAL, &often, NULL));
    each_way_of_transport(0);
    each_way_of_transport(O_NONBLOCK);
    check_ok(setitimer(ITIMER_REAL, &never, NULL));
    check_ok(sigaction(SIGALRM, &old, NULL));
    check(alarms > 0);
}

/* ---- failures ------------------------------------------------------------------------------- */

/* P6 */
static void a_pipe_without_a_reader_is_an_answer_to_who_ignores_the_signal(void)
{
    int ends[2] = { -1, -1 };
    void (*old)(int) = signal(SIGPIPE, SIG_IGN);

    check_ok(pipe(ends));
    close(ends[0]);
    check_eq(HOST(stream_write, ends[1], "x", 1), -EPIPE);
    close(ends[1]);
    signal(SIGPIPE, old);
}

static void a_full_device_is_an_answer(void)
{
    int full = open("/dev/full", O_WRONLY);

    if (full < 0)
        return; /* there is none here */
    check_eq(HOST(stream_write, full, "x", 1), -ENOSPC);
    close(full);
}

/* P4, from the file's beginning, from where it stands, and appending. Answers the check that fails. */
static int child_at_size_limit(const int *ends)
{
    struct rlimit limit = { 0 };

    signal(SIGXFSZ, SIG_DFL);
    if (getrlimit(RLIMIT_FSIZE, &limit) != 0)
        return 1;
    limit.rlim_cur = 1000;
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0)
        return 1;
    if (HOST(stream_write, ends[0], large, 1001) != -EFBIG)
        return 2;
    if (HOST(stream_write, ends[0], large, 600) != 0 ||
        HOST(stream_write, ends[0], large, 401) != -EFBIG ||
        HOST(stream_write, ends[0], large, 400) != 0)
        return 3;
    if (HOST(stream_write, ends[0], large, 1) != -EFBIG)
        return 4;
    if (lseek(ends[0], 0, SEEK_SET) != 0 || HOST(stream_write, ends[0], large, 1) != 0)
        return 5;
    if (fcntl(ends[0], F_SETFL, O_APPEND) != 0 || lseek(ends[0], 0, SEEK_SET) != 0 ||
        HOST(stream_write, ends[0], large, 1) != -EFBIG)
        return 6;
    return HOST(stream_write, ends[1], large, 2000) == 0 ? 0 : 7; /* no file, no limit */
}

static void the_size_limit_is_an_answer_not_a_signal(void)
{
    FILE *file = temporary();
    int null = open("/dev/null", O_WRONLY);
    const int ends[2] = { fileno(file), null };

    check_eq(child_end(child_start(child_at_size_limit, ends)), 0);
    close(null);
    fclose(file);
}

static const struct test tests[] = {
    T(what_is_written_is_read_in_order_and_short_only_at_the_end),
    T(a_descriptor_that_is_none_is_an_answer),
    T(bytes_taken_in_parts_arrive_whole),
    T(a_descriptor_that_does_not_block_is_waited_for),
    T(signals_do_not_break_a_transfer),
    T(a_pipe_without_a_reader_is_an_answer_to_who_ignores_the_signal),
    T(a_full_device_is_an_answer),
    T(the_size_limit_is_an_answer_not_a_signal),
};

TEST_MAIN(tests)
