/*
 * test_input.c - bytes from files, pipes and gzip, and what is said when there are none
 */
#define _GNU_SOURCE
#include "io/input.h"
#include "rows.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <zlib.h>

struct bytes {
    char *data;
    size_t bytes;
};

/* Add `data` as one gzip member. */
static void add_gzip(struct bytes *to, const void *data, size_t bytes)
{
    z_stream stream = { 0 };
    size_t most = bytes + bytes / 100 + 100;

    to->data = realloc(to->data, to->bytes + most);
    if (to->data == NULL || deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, 0) != Z_OK)
        abort();
    stream.next_in = (Bytef *)(uintptr_t)data;
    stream.avail_in = (uInt)bytes;
    stream.next_out = (Bytef *)to->data + to->bytes;
    stream.avail_out = (uInt)most;
    if (deflate(&stream, Z_FINISH) != Z_STREAM_END)
        abort();
    to->bytes += most - stream.avail_out;
    deflateEnd(&stream);
}

static void add_raw(struct bytes *to, const void *data, size_t bytes)
{
    to->data = realloc(to->data, to->bytes + bytes);
    if (to->data == NULL)
        abort();
    memcpy(to->data + to->bytes, data, bytes);
    to->bytes += bytes;
}

/* All bytes of `path`; answers the last answer, with its reason. */
static int read_all(const char *path, size_t block_bytes, size_t step, struct bytes *out,
                    struct tn_reason *reason)
{
    struct tn_memory memory;
    struct tn_input_options options = { .memory = &memory, .block_bytes = block_bytes };
    struct tn_input *input;
    char buffer[70000];
    size_t got;
    int answer;

    *out = (struct bytes){ 0 };
    tn_memory_init(&memory, NULL, NULL, 0);
    answer = tn_input_open(&input, path, &options, reason);
    if (answer != TN_READER_ROW)
        return answer;
    while ((answer = tn_input_read(input, buffer, step, &got)) == TN_READER_ROW) {
        check(got > 0 && got <= step);
        add_raw(out, buffer, got);
    }
    check_eq(tn_input_read(input, buffer, step, &got), answer);
    tn_reason_set(reason, "%s", tn_input_reason(input));
    tn_input_close(input);
    check_eq(memory.counted_bytes, 0);
    check(memory.counted_bytes_max < 200 * 1024 + block_bytes);
    return answer;
}

static void check_reads(const char *file, int line, const struct bytes *from, int answer,
                        const void *data, size_t bytes, const char *why)
{
    static const size_t blocks[] = { 1, 2, 3, 7, 100, 65536 }, steps[] = { 1, 5, 70000 };
    const char *path = rows_file(from->data, from->bytes);
    struct tn_reason reason;
    struct bytes got;
    size_t i, j;
    int answered;

    for (i = 0; i < sizeof blocks / sizeof blocks[0]; i++)
        for (j = 0; j < sizeof steps / sizeof steps[0]; j++) {
            answered = read_all(path, blocks[i], steps[j], &got, &reason);
            test_eq(file, line, "answer", answered, "expected", answer);
            test_bytes(file, line, "data", got.data, got.bytes, data, bytes);
            if (strstr(reason.text, why) == NULL)
                test_fail(file, line, "reason is '%s'", reason.text);
            free(got.data);
        }
    unlink(path);
}

#define check_reads(...) check_reads(__FILE__, __LINE__, __VA_ARGS__)

static void plain_files_are_read_as_they_are(void)
{
    struct bytes file = { 0 };

    check_reads(&file, TN_READER_END, "", 0, "");
    add_raw(&file, "\x1f", 1);
    check_reads(&file, TN_READER_END, "\x1f", 1, "");
    add_raw(&file, "\x8c hello", 7);
    check_reads(&file, TN_READER_END, "\x1f\x8c hello", 8, "");
    free(file.data);
}

static void gzip_members_follow_each_other_without_a_seam(void)
{
    struct bytes file = { 0 };

    add_gzip(&file, "hello ", 6);
    add_gzip(&file, "", 0);
    add_gzip(&file, "world", 5);
    check_reads(&file, TN_READER_END, "hello world", 11, "");
    add_raw(&file, "\0\0\0\0\0", 5);
    check_reads(&file, TN_READER_END, "hello world", 11, "");
    free(file.data);
}

static void what_follows_gzip_and_is_not_is_a_failure(void)
{
    struct bytes file = { 0 };

    add_gzip(&file, "hello", 5);
    add_raw(&file, "garbage", 7);
    check_reads(&file, TN_READER_FAILED, "hello", 5, "is not gzip");
    file.bytes -= 7;
    add_raw(&file, "\0\0\x1f\x8b", 4);
    check_reads(&file, TN_READER_FAILED, "hello", 5, "is not gzip");
    free(file.data);
}

static void a_cut_gzip_file_gives_what_is_before_the_cut(void)
{
    struct bytes file = { 0 }, got;
    struct tn_reason reason;
    char text[3000], wanted[64];
    uint64_t state = test_seed();
    size_t i, whole;

    for (i = 0; i < sizeof text; i++)
        text[i] = (char)('a' + test_random(&state) % 26);
    add_gzip(&file, text, sizeof text);
    whole = file.bytes;
    for (file.bytes = 2; file.bytes < whole; file.bytes += 97) {
        const char *path = rows_file(file.data, file.bytes);

        check_eq(read_all(path, 64, 500, &got, &reason), TN_READER_FAILED);
        snprintf(wanted, sizeof wanted, "is cut short at byte %zu", file.bytes);
        check(strstr(reason.text, wanted) != NULL);
        check(got.bytes <= sizeof text &&
              (got.bytes == 0 || memcmp(got.data, text, got.bytes) == 0));
        if (file.bytes > whole - 100)
            check(got.bytes > 2700);
        free(got.data);
        unlink(path);
    }
    free(file.data);
}

static void damaged_gzip_is_a_failure(void)
{
    struct bytes file = { 0 };

    add_gzip(&file, "hello hello hello", 17);
    file.data[file.bytes - 6] ^= 1; /* the checksum */
    check_reads(&file, TN_READER_FAILED, "hello hello hello", 17, "damaged");
    file.data[file.bytes - 6] ^= 1;
    file.data[2] = 9; /* the method */
    check_reads(&file, TN_READER_FAILED, "", 0, "damaged");
    free(file.data);
}

static void rows_before_the_damage_are_delivered(void)
{
    static const char *const names[] = { "a" };
    struct rows rows = {
        .options = { .format = TN_FORMAT_CSV, .fields = names, .field_count = 1 },
    };
    struct bytes file = { 0 };
    char text[64];
    int i;

    for (i = 0; i < 1000; i++) {
        snprintf(text, sizeof text, i == 0 ? "a\n" : "%d,%d\n", i, i * 7919);
        add_gzip(&file, text, strlen(text));
    }
    check_eq(rows_of_bytes(&rows, file.data, file.bytes - 3), TN_READER_FAILED);
    check_eq(rows.row_count, 998 + 1); /* the last member's data is there, its trailer is not */
    check_eq(rows.bad_count, 0);
    check(strstr(rows.reason, "/tmp/") != NULL && strstr(rows.reason, "is cut short") != NULL);
    free(rows.text);
    free(file.data);
}

static void missing_files_and_directories_are_refused(void)
{
    struct tn_reason reason;
    struct bytes got;

    check_eq(read_all("/nowhere/at/all", 4096, 1, &got, &reason), TN_READER_REFUSED);
    check(strstr(reason.text, "No such file") != NULL);
    check_eq(read_all("/", 4096, 1, &got, &reason), TN_READER_REFUSED);
    check(strstr(reason.text, "directory") != NULL);
    check_eq(read_all("/dev/null", 4096, 1, &got, &reason), TN_READER_END);
}

/* What cannot be read for what it is, each with what to do. */
static void names_that_lead_nowhere_are_refused(void)
{
    static char long_name[5000];
    char directory[] = "/tmp/tarn-input-XXXXXX", loop[64], below[64];
    const char *names[4] = { long_name, loop, below, NULL };
    struct tn_reason reason;
    struct bytes got;
    size_t i;
    int file;

    memset(long_name, 'x', sizeof long_name - 1);
    check(mkdtemp(directory) != NULL);
    snprintf(loop, sizeof loop, "%s/loop", directory);
    check_ok(symlink(loop, loop));
    snprintf(below, sizeof below, "%s/file", directory);
    file = open(below, O_CREAT | O_WRONLY, 0600);
    check(file >= 0);
    close(file);
    snprintf(below, sizeof below, "%s/file/below", directory);
    for (i = 0; names[i] != NULL; i++) {
        check_eq(read_all(names[i], 0, 100, &got, &reason), TN_READER_REFUSED);
        check(strstr(reason.text, "; ") != NULL);
        check_eq(got.bytes, 0);
        free(got.data);
    }
    check_ok(unlink(loop));
    snprintf(below, sizeof below, "%s/file", directory);
    check_ok(unlink(below));
    check_ok(rmdir(directory));
}

/* Without descriptors the system is in trouble, not the file. */
static void no_descriptors_left_is_a_failure(void)
{
    struct rlimit limit, none;
    struct tn_reason reason;
    struct bytes got;
    int answer;

    check_ok(getrlimit(RLIMIT_NOFILE, &limit));
    none = limit;
    none.rlim_cur = 0;
    check_ok(setrlimit(RLIMIT_NOFILE, &none));
    answer = read_all("/dev/null", 0, 100, &got, &reason);
    check_ok(setrlimit(RLIMIT_NOFILE, &limit));
    check_eq(answer, TN_READER_FAILED);
    check(strstr(reason.text, "ulimit -n") != NULL);
    free(got.data);
}

static void a_device_error_is_a_failure_that_names_it(void)
{
    struct tn_reason reason;
    struct bytes got;

    /* a process may not read its own memory at 0: read(2) answers EIO */
    check_eq(read_all("/proc/self/mem", 4096, 1, &got, &reason), TN_READER_FAILED);
    check(strstr(reason.text, "Input/output error") != NULL);
}

/* What the child does when it has written all. */
enum afterwards { ENDS, STAYS, SIGNALS };

/* As soon as the other end holds all that was written: until then a signal could come before its rows. */
static void signal_reader(int file)
{
    int unread = 1;

    while (ioctl(file, FIONREAD, &unread) == 0 && unread > 0)
        usleep(1000);
    kill(getppid(), SIGALRM);
}

/* Standard input becomes the end of a pipe into which a child writes, byte by byte. */
static pid_t pipe_from_child(const struct bytes *from, enum afterwards afterwards)
{
    int ends[2];
    pid_t child;
    size_t i;

    if (pipe(ends) != 0)
        abort();
    child = fork();
    if (child == 0) {
        close(ends[0]);
        for (i = 0; i < from->bytes; i++) {
            if (write(ends[1], from->data + i, 1) != 1)
                _exit(1);
            if (i == 0)
                usleep(20000); /* so that the first byte is seen alone */
        }
        if (afterwards == SIGNALS)
            signal_reader(ends[1]);
        if (afterwards != ENDS)
            pause();
        _exit(0);
    }
    dup2(ends[0], STDIN_FILENO);
    close(ends[0]);
    close(ends[1]);
    return child;
}

static void standard_input_is_read_and_recognised_too(void)
{
    struct tn_reason reason;
    struct bytes file = { 0 }, got;
    pid_t child;
    int round;

    for (round = 0; round < 2; round++) {
        child = pipe_from_child(&file, ENDS);
        check_eq(read_all("-", 4096, 4096, &got, &reason), TN_READER_END);
        check_bytes(got.data, got.bytes, "from a pipe", round == 0 ? 0 : 11);
        waitpid(child, NULL, 0);
        free(got.data);
        add_gzip(&file, "from a pipe", 11);
    }
    free(file.data);
}

static volatile sig_atomic_t stop;

static void set_stop(int signal)
{
    (void)signal;
    stop = 1;
}

static void a_signal_stops_a_read_that_waits(void)
{
    static const char *const names[] = { "a" };
    struct rows rows = {
        .options = { .format = TN_FORMAT_CSV, .fields = names, .field_count = 1, .stop = &stop },
    };
    struct bytes file = { 0 };
    struct sigaction action = { .sa_handler = set_stop, .sa_flags = SA_RESTART };
    pid_t child;

    add_raw(&file, "a\n1\n2\n3", 7);
    sigaction(SIGALRM, &action, NULL);
    child = pipe_from_child(&file, SIGNALS);
    check_eq(rows_of_path(&rows, "-"), TN_READER_STOPPED);
    check_text(rows.text, "2: 1\n3: 2\nstopped\n"); /* half a row is no row */
    check(strstr(rows.reason, "standard input") != NULL);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    free(rows.text);
    free(file.data);
}

/* A named pipe that nobody writes to; a clock that comes again, should it come before the wait. */
static void a_signal_stops_an_open_that_waits(void)
{
    struct itimerval clock = { { 0, 20000 }, { 0, 20000 } }, none = { { 0, 0 }, { 0, 0 } };
    struct sigaction action = { .sa_handler = set_stop };
    struct tn_memory memory;
    struct tn_input_options options = { .memory = &memory, .stop = &stop };
    struct tn_reason reason = { 0 };
    struct tn_input *input;
    char directory[] = "/tmp/tarn-test-input-XXXXXX", path[64];

    check(mkdtemp(directory) != NULL);
    snprintf(path, sizeof path, "%s/pipe", directory);
    check_eq(mkfifo(path, 0600), 0);
    tn_memory_init(&memory, NULL, NULL, 0);
    stop = 0;
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &clock, NULL);
    check_eq(tn_input_open(&input, path, &options, &reason), TN_READER_STOPPED);
    setitimer(ITIMER_REAL, &none, NULL);
    check(input == NULL && strstr(reason.text, "interrupted") != NULL);
    check_eq(memory.counted_bytes, 0);
    unlink(path);
    rmdir(directory);
}

static void rows_come_as_soon_as_they_are_there(void)
{
    static const char *const names[] = { "a" };
    struct tn_reader_options options = { .format = TN_FORMAT_CSV,
                                         .fields = names,
                                         .field_count = 1 };
    struct bytes file = { 0 };
    struct tn_reader *reader;
    struct tn_row row;
    char reason[100];
    pid_t child;

    add_raw(&file, "a\n1\n", 4);
    child = pipe_from_child(&file, STAYS); /* and then nothing, without an end */
    check_eq(tn_reader_open(&reader, "-", &options, reason, sizeof reason), TN_READER_ROW);
    check_eq(tn_reader_next(reader, &row), TN_READER_ROW); /* hangs if it waits for a full block */
    check_eq(row.line, 2);
    tn_reader_close(reader);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    free(file.data);
}

static void lack_of_memory_for_gzip_is_answered(void)
{
    static const char *const names[] = { "a" };
    struct tn_reader_options options = { .format = TN_FORMAT_CSV,
                                         .fields = names,
                                         .field_count = 1 };
    struct bytes file = { 0 };

    add_gzip(&file, "a\n1\n", 4);
    check_out_of_memory(__FILE__, __LINE__, options, file.data, file.bytes);
    free(file.data);
}

static const struct test tests[] = {
    T(plain_files_are_read_as_they_are),
    T(gzip_members_follow_each_other_without_a_seam),
    T(what_follows_gzip_and_is_not_is_a_failure),
    T(a_cut_gzip_file_gives_what_is_before_the_cut),
    T(damaged_gzip_is_a_failure),
    T(rows_before_the_damage_are_delivered),
    T(missing_files_and_directories_are_refused),
    T(names_that_lead_nowhere_are_refused),
    T(no_descriptors_left_is_a_failure),
    T(a_device_error_is_a_failure_that_names_it),
    T(standard_input_is_read_and_recognised_too),
    T(a_signal_stops_a_read_that_waits),
    T(a_signal_stops_an_open_that_waits),
    T(rows_come_as_soon_as_they_are_there),
    T(lack_of_memory_for_gzip_is_answered),
};

TEST_MAIN(tests)
