/*
 * test_simulated.c - what only the simulated system does: faults, crashes, images of a disk
 *
 * The rules cited are those of simulated.h (S) and simulated_disk.h (D).
 */
#include "os/simulated.h"
#include "test.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#define OS(function, ...) os.ops->function(os.context, __VA_ARGS__)

static struct tn_simulated *simulated;
static struct tn_os os;
static int base; /* an open directory, empty and durable */

static void begin(const struct tn_simulated_options *options)
{
    simulated = tn_simulated_new(options);
    os = tn_simulated_os(simulated);
    base = OS(directory_open, "base", TN_OS_CREATE);
    check(base >= 0);
}

static void end(void)
{
    tn_simulated_free(simulated);
}

static int file_open(const char *name, unsigned flags)
{
    return OS(file_open, base, name, flags);
}

/* A file whose name and content are durable. */
static int file_durable(const char *name, const char *text)
{
    int file = file_open(name, TN_OS_CREATE | TN_OS_WRITE);

    check_ok(OS(file_write, file, text, strlen(text), 0));
    check_ok(OS(file_sync, file));
    check_ok(OS(directory_sync, base));
    return file;
}

/* The content as text; NULL when there is no such file. Valid until the next call. */
static const char *content(const char *name)
{
    static char text[70000];
    int directory = OS(directory_open, "base", 0);
    int file = OS(file_open, directory, name, 0);
    size_t bytes = 0;

    if (file >= 0)
        check_ok(OS(file_read, file, text, sizeof text - 1, 0, &bytes));
    text[bytes] = '\0';
    os.ops->file_close(os.context, file);
    os.ops->directory_close(os.context, directory);
    return file >= 0 ? text : NULL;
}

static size_t pending_count(void)
{
    return tn_disk_pending_count(tn_simulated_disk(simulated));
}

static void lose_power(tn_disk_fate_fn *fate, void *argument)
{
    tn_simulated_restart_with(simulated, fate, argument);
    base = OS(directory_open, "base", 0);
    check(base >= 0);
}

/* ---- faults --------------------------------------------------------------------------------- */

/* One call of each kind that can fail, in the order of the enum; answers what it answered. */
static int call_of_kind(enum tn_simulated_call kind, uint8_t *pages, int file)
{
    uint64_t size;
    size_t got;
    uint8_t bytes[8] = { 0 };
    void *at;
    int result = -1;

    switch (kind) {
    case TN_CALL_PAGES_RESERVE:
        result = OS(pages_reserve, 4096, &at);
        break;
    case TN_CALL_PAGES_COMMIT:
        result = OS(pages_commit, pages, 4096, 0);
        break;
    case TN_CALL_PAGES_DECOMMIT:
        result = OS(pages_decommit, pages, 4096);
        break;
    case TN_CALL_FORK_MARK:
        result = OS(fork_mark, (uint32_t **)&at);
        break;
    case TN_CALL_RANDOM:
        result = OS(random, bytes, sizeof bytes);
        break;
    case TN_CALL_DIRECTORY_OPEN:
        result = OS(directory_open, "base", 0);
        break;
    case TN_CALL_DIRECTORY_LOCK:
        result = OS(directory_lock, base);
        break;
    case TN_CALL_DIRECTORY_LIST:
        result = OS(directory_list, base, NULL, NULL);
        break;
    case TN_CALL_DIRECTORY_SYNC:
        result = OS(directory_sync, base);
        break;
    case TN_CALL_DIRECTORY_RENAME:
        result = OS(directory_rename, base, "f", "g");
        break;
    case TN_CALL_DIRECTORY_UNLINK:
        result = OS(directory_unlink, base, "g");
        break;
    case TN_CALL_FILE_OPEN:
        result = OS(file_open, base, "new", TN_OS_CREATE);
        break;
    case TN_CALL_FILE_SIZE:
        result = OS(file_size, file, &size);
        break;
    case TN_CALL_FILE_READ:
        result = OS(file_read, file, bytes, sizeof bytes, 0, &got);
        break;
    case TN_CALL_FILE_WRITE:
        result = OS(file_write, file, "new", 3, 0);
        break;
    case TN_CALL_FILE_TRUNCATE:
        result = OS(file_truncate, file, 1);
        break;
    case TN_CALL_FILE_SYNC:
        result = OS(file_sync, file);
        break;
    case TN_CALL_FILE_MAP:
        result = OS(file_map, file, 3, &at);
        break;
    case TN_CALL_STREAM_READ:
        result = OS(stream_read, tn_simulated_stream_new(simulated), bytes, 1, &got);
        break;
    case TN_CALL_STREAM_WRITE:
        result = OS(stream_write, tn_simulated_stream_new(simulated), "new", 3);
        break;
    case TN_CALL_ANY:
    case TN_CALL_KIND_COUNT:
        break;
    }
    return result;
}

static void every_kind_of_call_can_be_refused(void)
{
    enum tn_simulated_call kind;
    uint8_t *pages;
    uint64_t count;
    int file;

    for (kind = TN_CALL_ANY + 1; kind < TN_CALL_KIND_COUNT; kind++) {
        begin(NULL);
        check_ok(OS(pages_reserve, 1 << 20, (void **)&pages));
        file = file_durable("f", "old");
        count = tn_simulated_call_count(simulated, kind);
        check(tn_simulated_fail(simulated, kind, 1, EDQUOT, true));
        check_eq(call_of_kind(kind, pages, file), -EDQUOT);
        check_eq(call_of_kind(kind, pages, file), -EDQUOT);
        check_eq(tn_simulated_call_count(simulated, kind), count + 2);
        tn_simulated_fail_none(simulated);
        check_text(content("f"), "old"); /* S3 */
        check(content("new") == NULL);
        check_eq(pending_count(), 0);
        check(tn_simulated_call_count(simulated, TN_CALL_ANY) > count);
        end();
    }
}

static void a_fault_hits_the_call_it_was_asked_for(void)
{
    int file;

    begin(NULL);
    file = file_durable("f", "");
    check(tn_simulated_fail(simulated, TN_CALL_FILE_WRITE, 3, ENOSPC, false));
    check(tn_simulated_fail(simulated, TN_CALL_FILE_WRITE, 5, EIO, true));
    check_ok(OS(file_write, file, "a", 1, 0));
    check_ok(OS(file_sync, file)); /* another kind does not count */
    check_ok(OS(file_write, file, "b", 1, 1));
    check_eq(OS(file_write, file, "c", 1, 2), -ENOSPC);
    check_ok(OS(file_write, file, "d", 1, 2));
    check_eq(OS(file_write, file, "e", 1, 3), -EIO);
    check_eq(OS(file_write, file, "e", 1, 3), -EIO);
    check_text(content("f"), "abd");
    tn_simulated_fail_none(simulated);
    check(tn_simulated_fail(simulated, TN_CALL_ANY, 2, ENOMEM, false));
    check_ok(OS(file_sync, file));
    check_eq(OS(directory_sync, base), -ENOMEM);
    check_ok(OS(directory_sync, base));
    end();
}

static void faults_that_are_over_make_room(void)
{
    int i, file;

    begin(NULL);
    file = file_durable("f", "");
    for (i = 0; i < 100; i++) {
        check(tn_simulated_fail(simulated, TN_CALL_FILE_WRITE, 1, ENOSPC, false));
        check_eq(OS(file_write, file, "a", 1, 0), -ENOSPC);
    }
    for (i = 0; i < 16; i++)
        check(tn_simulated_fail(simulated, TN_CALL_FILE_READ, 1, EIO, true));
    check(!tn_simulated_fail(simulated, TN_CALL_FILE_READ, 1, EIO, true));
    end();
}

static void limits_refuse_and_room_comes_back(void)
{
    struct tn_simulated_options options = { .reserved_bytes_max = 1 << 20,
                                            .committed_bytes_max = 8192,
                                            .disk_bytes_max = 10 };
    uint8_t *at, *other;
    int file;

    begin(&options);
    check_ok(OS(pages_reserve, 1 << 20, (void **)&at));
    check_eq(OS(pages_reserve, 4096, (void **)&other), -ENOMEM);
    check_ok(OS(pages_commit, at, 8192, 0));
    check_eq(OS(pages_commit, at + 8192, 4096, 0), -ENOMEM);
    check_ok(OS(pages_decommit, at, 4096));
    check_ok(OS(pages_commit, at + 8192, 4096, 0));
    os.ops->pages_release(os.context, at, 1 << 20);
    check_ok(OS(pages_reserve, 1 << 20, (void **)&at));
    check_ok(OS(pages_commit, at, 8192, 0));

    file = file_open("f", TN_OS_CREATE | TN_OS_WRITE);
    check_ok(OS(file_write, file, "0123456789", 10, 0));
    check_eq(OS(file_write, file, "x", 1, 10), -ENOSPC);
    check_eq(OS(file_truncate, file, 11), -ENOSPC);
    check_ok(OS(file_write, file, "x", 1, 9));
    check_text(content("f"), "012345678x");
    check_ok(OS(file_truncate, file, 4));
    check_ok(OS(file_write, file, "yz", 2, 8));
    os.ops->file_close(os.context, file);
    check_ok(OS(directory_unlink, base, "f"));
    file = file_open("g", TN_OS_CREATE | TN_OS_WRITE);
    check_ok(OS(file_write, file, "0123456789", 10, 0));
    end();
}

static void a_write_without_room_does_a_part(void) /* D6 */
{
    struct tn_simulated_options options = { .disk_bytes_max = 10 };
    int file, other;

    begin(&options);
    file = file_open("f", TN_OS_CREATE | TN_OS_WRITE);
    other = file_open("g", TN_OS_CREATE | TN_OS_WRITE);
    check_ok(OS(file_write, file, "0123", 4, 0));
    check_eq(OS(file_write, other, "abcdefg", 7, 0), -ENOSPC);
    check_text(content("g"), "abcdef");
    check_eq(OS(file_write, other, "xyz", 3, 5), -ENOSPC);
    check_eq(OS(file_write, other, "xyz", 3, 9), -ENOSPC);
    check_text(content("g"), "abcdex");
    check_eq(pending_count(), 5); /* two names, and of four writes three */
    check_ok(OS(file_truncate, other, 2));
    check_ok(OS(file_write, file, "4567", 4, 4));
    lose_power(tn_disk_fate_kept, NULL);
    check_text(content("f"), "01234567");
    check_text(content("g"), "ab");
    end();
}

static void a_write_that_fails_has_done_the_part_asked_for(void) /* S3 */
{
    static const char *const parts[] = { "--------", "ab------", "abcd----", "abcdef--",
                                         "abcdefgh" };
    unsigned quarters;
    int file;

    begin(NULL);
    file = file_open("f", TN_OS_CREATE | TN_OS_WRITE);
    for (quarters = 0; quarters <= 4; quarters++) {
        check_ok(OS(file_write, file, "--------", 8, 0));
        tn_simulated_fail_partly(simulated, quarters);
        check(tn_simulated_fail(simulated, TN_CALL_FILE_WRITE, 1, EIO, false));
        check_eq(OS(file_write, file, "abcdefgh", 8, 0), -EIO);
        check_text(content("f"), parts[quarters]);
    }
    tn_simulated_crash_at(simulated, 1); /* S4: nothing at all */
    check_eq(OS(file_write, file, "ABCDEFGH", 8, 0), -EIO);
    lose_power(tn_disk_fate_kept, NULL);
    check_text(content("f"), "abcdefgh");
    end();
}

/* S6 */
static bool traps(void (*misuse)(uint8_t *pages), uint8_t *pages)
{
    int status = 0;
    pid_t child;

    fflush(NULL);
    child = fork();
    if (child == 0) {
        signal(SIGILL, SIG_DFL);
        signal(SIGTRAP, SIG_DFL);
        signal(SIGSEGV, SIG_DFL);
        misuse(pages);
        _exit(0);
    }
    waitpid(child, &status, 0);
    return WIFSIGNALED(status);
}

static void commit_twice(uint8_t *pages)
{
    (void)OS(pages_commit, pages, 4096, 0);
}

static void commit_beyond(uint8_t *pages)
{
    (void)OS(pages_commit, pages + (1 << 20) - 4096, 8192, 0);
}

static void commit_askew(uint8_t *pages)
{
    (void)OS(pages_commit, pages + 8192 + 8, 4096, 0);
}

static void release_half(uint8_t *pages)
{
    os.ops->pages_release(os.context, pages, 4096);
}

static void touch_reserved(uint8_t *pages)
{
    *(volatile uint8_t *)(pages + 8192) = 1;
}

static void touch_committed(uint8_t *pages)
{
    *(volatile uint8_t *)(pages + 4095) = 1;
}

static void misuse_of_pages_traps(void)
{
    uint8_t *pages;

    begin(NULL);
    check_ok(OS(pages_reserve, 1 << 20, (void **)&pages));
    check_ok(OS(pages_commit, pages, 4096, 0));
    check(!traps(touch_committed, pages));
    check(traps(touch_reserved, pages));
    check(traps(commit_twice, pages));
    check(traps(commit_beyond, pages));
    check(traps(commit_askew, pages));
    check(traps(release_half, pages));
    end();
}

/* ---- clock, fork, repetition ---------------------------------------------------------------- */

static void the_clock_steps_and_is_set(void)
{
    struct tn_simulated_options options = { .clock_step_ns = 10 };

    begin(&options);
    check_eq(os.ops->clock_ns(os.context), 10);
    check_eq(os.ops->clock_ns(os.context), 20);
    tn_simulated_clock_set(simulated, 1000);
    check_eq(os.ops->clock_ns(os.context), 1010);
    end();
}

static void a_fork_can_be_pretended(void)
{
    uint32_t *mark, *other;

    begin(NULL);
    check_ok(OS(fork_mark, &mark));
    check_ok(OS(fork_mark, &other));
    os.ops->fork_mark_release(os.context, mark);
    tn_simulated_fork(simulated);
    check_eq(*other, 0);
    check_ok(OS(fork_mark, &mark));
    check_eq(*mark, 1);
    end();
}

/* Some calls of all sorts, decided by `seed`; their trace into `trace`. */
static void wander(uint64_t seed, FILE *trace)
{
    struct tn_simulated_options options = { .seed = seed, .clock_step_ns = 1, .trace = trace };
    uint64_t state = seed;
    uint8_t bytes[3000];
    char name[2] = "a";
    int i, file;

    begin(&options);
    for (i = 0; i < 200; i++) {
        check_ok(OS(random, bytes, sizeof bytes));
        name[0] = (char)('a' + bytes[0] % 4);
        file = file_open(name, TN_OS_CREATE | TN_OS_WRITE);
        check_ok(OS(file_write, file, bytes, bytes[1] * 8u, bytes[2]));
        if (bytes[3] < 60)
            check_ok(OS(file_sync, file));
        os.ops->file_close(os.context, file);
        if (bytes[4] < 60)
            check_ok(OS(directory_sync, base));
        if (bytes[5] < 20)
            (void)OS(directory_rename, base, "a", "b");
        if (bytes[6] < 20)
            lose_power(tn_disk_fate_random, &state);
    }
    for (name[0] = 'a'; name[0] <= 'd'; name[0]++)
        (void)content(name);
    end();
}

static void a_seed_repeats_the_whole_run(void) /* S1 */
{
    char *text[3] = { NULL };
    size_t bytes[3] = { 0 };
    FILE *trace;
    int i;

    for (i = 0; i < 3; i++) {
        trace = open_memstream(&text[i], &bytes[i]);
        wander(test_seed() + (i == 2), trace);
        fclose(trace);
    }
    check(bytes[0] > 10000);
    check_bytes(text[0], bytes[0], text[1], bytes[1]);
    check(bytes[0] != bytes[2] || memcmp(text[0], text[2], bytes[0]) != 0);
    for (i = 0; i < 3; i++)
        free(text[i]);
}

static void a_trace_has_a_line_for_each_call(void)
{
    struct tn_simulated_options options = { .seed = 1 };
    char *text = NULL;
    size_t bytes = 0;
    int file;

    options.trace = open_memstream(&text, &bytes);
    begin(&options);
    file = file_open("f", TN_OS_CREATE | TN_OS_WRITE);
    (void)OS(file_write, file, "abc", 3, 70);
    check(tn_simulated_fail(simulated, TN_CALL_FILE_SYNC, 1, EIO, false));
    (void)OS(file_sync, file);
    end();
    fclose(options.trace);
    check_text(text, "       1  directory_open     -1          0            0     0  base\n"
                     "       2  file_open           0          0            0     1  f\n"
                     "       3  file_write          1          3           70     0  -\n"
                     "       4  file_sync           1          0            0    -5  -\n");
    free(text);
}

/* ---- streams -------------------------------------------------------------------------------- */

static void a_stream_remembers_what_was_written_up_to_its_limit(void)
{
    const struct tn_simulated_options options = { .disk_bytes_max = 5 };
    const uint8_t *data;
    uint8_t bytes[8];
    size_t count;
    int stream, other;

    begin(&options);
    stream = tn_simulated_stream_new(simulated);
    other = tn_simulated_stream_new(simulated);
    check_ok(OS(stream_write, stream, "abc", 3));
    check_eq(OS(stream_write, stream, "def", 3), -ENOSPC);
    check_ok(OS(stream_read, stream, bytes, 2, &count));
    check_bytes(bytes, count, "ab", 2);
    check_ok(OS(stream_write, stream, "de", 2));
    check_ok(OS(stream_read, stream, bytes, 8, &count));
    check_bytes(bytes, count, "cde", 3);
    data = tn_simulated_stream_data(simulated, stream, &count);
    check_bytes(data, count, "abcde", 5);
    (void)tn_simulated_stream_data(simulated, other, &count);
    check_eq(count, 0);
    tn_simulated_restart_process(simulated);
    check_eq(OS(stream_write, stream, "x", 1), -EBADF);
    check_eq(OS(stream_read, other, bytes, 1, &count), -EBADF);
    check(tn_simulated_stream_new(simulated) > other);
    end();
}

/* ---- crashes -------------------------------------------------------------------------------- */

static void after_a_crash_every_call_fails(void)
{
    enum tn_simulated_call kind;
    uint8_t *pages;
    uint32_t *mark;
    int file;

    begin(NULL);
    check_ok(OS(pages_reserve, 1 << 20, (void **)&pages));
    check_ok(OS(fork_mark, &mark));
    file = file_durable("f", "old");
    tn_simulated_crash_at(simulated, 2);
    check_ok(OS(file_write, file, "n", 1, 0));
    check(!tn_simulated_crashed(simulated));
    check_eq(OS(file_sync, file), -EIO);
    check(tn_simulated_crashed(simulated));
    for (kind = TN_CALL_ANY + 1; kind < TN_CALL_KIND_COUNT; kind++)
        check_eq(call_of_kind(kind, pages, file), -EIO);
    check_eq(pending_count(), 1);
    os.ops->file_close(os.context, file); /* S4: giving back works */
    os.ops->directory_close(os.context, base);
    os.ops->pages_release(os.context, pages, 1 << 20);
    os.ops->fork_mark_release(os.context, mark);
    lose_power(tn_disk_fate_lost, NULL);
    check_text(content("f"), "old");
    tn_simulated_crash_at(simulated, 0);
    check_eq(OS(file_open, base, "f", 0), -EIO);
    end();
}

static void a_restart_ends_locks_and_ids(void)
{
    int file, other;

    begin(NULL);
    file = file_durable("f", "old");
    check_ok(OS(directory_lock, base));
    other = base;
    lose_power(tn_disk_fate_kept, NULL);
    check_ok(OS(directory_lock, base));
    check(base != other && base != file);
    check_eq(OS(file_write, file, "x", 1, 0), -EBADF);
    check_eq(OS(directory_sync, other), -EBADF);
    os.ops->file_close(os.context, file); /* late, and harmless */
    os.ops->directory_close(os.context, other);
    other = OS(directory_open, "base", 0);
    check_eq(OS(directory_lock, other), -EBUSY);
    end();
}

static void a_killed_process_loses_nothing_written(void)
{
    int file;

    begin(NULL);
    file = file_open("f", TN_OS_CREATE | TN_OS_WRITE);
    check_ok(OS(file_write, file, "text", 4, 0));
    check_eq(pending_count(), 2);
    tn_simulated_crash_at(simulated, 0);
    tn_simulated_restart_process(simulated);
    check_text(content("f"), "text");
    check_eq(pending_count(), 2); /* but a power loss still may */
    lose_power(tn_disk_fate_lost, NULL);
    check(content("f") == NULL);
    end();
}

/*
 * A small program: replaces the content of 'data' as one should, by a new file, sync, rename, sync.
 * Answers how far it came: 2 the new content is durable, 1 it may be seen, 0 it is not there.
 */
static int replace(const char *text)
{
    int directory = OS(directory_open, "base", 0);
    int file, reached = 0;

    if (directory < 0)
        return 0;
    file = OS(file_open, directory, "temporary", TN_OS_CREATE | TN_OS_WRITE);
    if (file >= 0 && OS(file_truncate, file, 0) == 0 &&
        OS(file_write, file, text, strlen(text), 0) == 0 && OS(file_sync, file) == 0) {
        reached = 1;
        if (OS(directory_rename, directory, "temporary", "data") == 0 &&
            OS(directory_sync, directory) == 0)
            reached = 2;
    }
    os.ops->file_close(os.context, file);
    os.ops->directory_close(os.context, directory);
    return reached;
}

static void a_careful_program_survives_every_crash_image(void)
{
    struct tn_disk *image = tn_disk_new(0);
    uint64_t call, mask, images = 0;
    size_t count;
    int reached;
    const char *got;

    for (call = 1;; call++) {
        begin(NULL);
        os.ops->file_close(os.context, file_durable("data", "old"));
        tn_simulated_crash_at(simulated, call);
        reached = replace("new content");
        tn_simulated_crash_at(simulated, 0);
        count = pending_count();
        check(count < 8);
        for (mask = 0; mask < (uint64_t)1 << count; mask++, images++) {
            struct tn_simulated *crashed = simulated;
            struct tn_simulated *again = tn_simulated_new(NULL);

            tn_disk_image(image, tn_simulated_disk(crashed), tn_disk_fate_mask, &mask);
            tn_simulated_restart(again, image);
            os = tn_simulated_os(again);
            simulated = again;
            got = content("data");
            check(got != NULL);
            if (reached == 2)
                check_text(got, "new content");
            else if (reached == 0)
                check_text(got, "old");
            else
                check(got != NULL && (strcmp(got, "old") == 0 || strcmp(got, "new content") == 0));
            check_eq(replace("third"), 2); /* and it goes on from there */
            check_text(content("data"), "third");
            tn_simulated_free(again);
            simulated = crashed;
            os = tn_simulated_os(crashed);
        }
        end();
        if (reached == 2)
            break;
    }
    check(call > 7);
    check(images > 20);
    tn_disk_free(image);
}

static void a_careless_program_is_found_out(void)
{
    const char *got;
    uint64_t mask;
    int file, lost = 0;

    for (mask = 0; mask < 8; mask++) {
        begin(NULL);
        os.ops->file_close(os.context, file_durable("data", "old"));
        file = file_open("temporary", TN_OS_CREATE | TN_OS_WRITE);
        check_ok(OS(file_write, file, "new", 3, 0)); /* no sync before the rename */
        check_ok(OS(directory_rename, base, "temporary", "data"));
        check_eq(pending_count(), 3);
        lose_power(tn_disk_fate_mask, &mask);
        got = content("data");
        lost += got == NULL || (strcmp(got, "old") != 0 && strcmp(got, "new") != 0);
        end();
    }
    check(lost > 0);
}

/* ---- images --------------------------------------------------------------------------------- */

static void every_subset_of_writes_is_an_image(void)
{
    static const char *const expected[8] = { "....", "A...", ".BB.", "ABB.",
                                             "..CC", "A.CC", ".BCC", "ABCC" };
    struct tn_disk *image = tn_disk_new(0);
    uint64_t mask, bytes;
    const uint8_t *data;
    int file;

    begin(NULL);
    file = file_durable("f", "....");
    check_ok(OS(file_write, file, "A", 1, 0));
    check_ok(OS(file_write, file, "BB", 2, 1));
    check_ok(OS(file_write, file, "CC", 2, 2));
    check_eq(pending_count(), 3);
    for (mask = 0; mask < 8; mask++) {
        tn_disk_image(image, tn_simulated_disk(simulated), tn_disk_fate_mask, &mask);
        data = tn_disk_file_data(
            image, tn_disk_file_find(image, tn_disk_directory_find(image, "base"), "f"), &bytes);
        check_bytes(data, bytes, expected[mask], 4); /* D1 */
        check_eq(tn_disk_pending_count(image), 0);
    }
    check_eq(pending_count(), 3); /* the crashed disk is as it was */
    check_text(content("f"), "ABCC");
    tn_disk_free(image);
    end();
}

static void pending_changes_are_listed_in_order(void)
{
    static const enum tn_disk_change kinds[] = { TN_DISK_LINK, TN_DISK_WRITE, TN_DISK_TRUNCATE,
                                                 TN_DISK_RENAME, TN_DISK_UNLINK };
    struct tn_disk *disk;
    size_t i;
    int file;

    begin(NULL);
    file = file_open("f", TN_OS_CREATE | TN_OS_WRITE);
    check_ok(OS(file_write, file, "abc", 3, 5));
    check_ok(OS(file_truncate, file, 6));
    check_ok(OS(directory_rename, base, "f", "g"));
    check_ok(OS(directory_unlink, base, "g"));
    disk = tn_simulated_disk(simulated);
    check_eq(tn_disk_pending_count(disk), TN_ARRAY_COUNT(kinds));
    for (i = 0; i < TN_ARRAY_COUNT(kinds); i++)
        check_eq(tn_disk_pending(disk, i)->change, kinds[i]);
    check(tn_disk_pending(disk, i) == NULL);
    check_text(tn_disk_pending(disk, 0)->name, "f");
    check_eq(tn_disk_pending(disk, 1)->offset, 5);
    check_eq(tn_disk_pending(disk, 1)->bytes, 3);
    check_eq(tn_disk_pending(disk, 2)->offset, 6);
    check_text(tn_disk_pending(disk, 3)->name, "f");
    check_text(tn_disk_pending(disk, 3)->to, "g");
    check_text(tn_disk_pending(disk, 4)->name, "g");
    check_ok(OS(file_sync, file)); /* of the file: its changes only */
    check_eq(tn_disk_pending_count(disk), 3);
    check_ok(OS(directory_sync, base));
    check_eq(tn_disk_pending_count(disk), 0);
    end();
}

static void a_sync_leaves_the_changes_of_others(void)
{
    int first, second;

    begin(NULL);
    first = file_durable("first", "....");
    second = file_durable("second", "....");
    check_ok(OS(file_write, first, "AA", 2, 0));
    check_ok(OS(file_write, second, "BBB", 3, 0));
    check_ok(OS(file_write, first, "CC", 2, 2));
    check_ok(OS(file_write, second, "D", 1, 3));
    check_ok(OS(file_sync, first));
    check_eq(pending_count(), 2);
    check_ok(OS(file_write, first, "E", 1, 0));
    lose_power(tn_disk_fate_kept, NULL);
    check_text(content("first"), "EACC");
    check_text(content("second"), "BBBD");
    end();
}

static void a_synced_file_without_a_synced_name_can_be_lost(void) /* O4 */
{
    uint64_t mask;
    int file;

    for (mask = 0; mask < 2; mask++) {
        begin(NULL);
        file = file_open("f", TN_OS_CREATE | TN_OS_WRITE);
        check_ok(OS(file_write, file, "abc", 3, 0));
        check_ok(OS(file_sync, file));
        check_eq(pending_count(), 1);
        lose_power(tn_disk_fate_mask, &mask);
        check_text(content("f"), mask == 0 ? NULL : "abc");
        end();
    }
}

static void a_synced_name_of_an_unsynced_file_can_be_empty(void)
{
    int file;

    begin(NULL);
    file = file_open("f", TN_OS_CREATE | TN_OS_WRITE);
    check_ok(OS(file_write, file, "abc", 3, 0));
    check_ok(OS(directory_sync, base));
    lose_power(tn_disk_fate_lost, NULL);
    check_text(content("f"), "");
    end();
}

static void names_may_come_back_after_an_unsynced_unlink(void)
{
    uint64_t mask;

    for (mask = 0; mask < 2; mask++) {
        begin(NULL);
        os.ops->file_close(os.context, file_durable("f", "abc"));
        check_ok(OS(directory_unlink, base, "f"));
        check(content("f") == NULL);
        check_eq(pending_count(), 1);
        lose_power(tn_disk_fate_mask, &mask);
        check_text(content("f"), mask == 0 ? "abc" : NULL);
        end();
    }
}

static uint64_t fate_of_first(void *argument, size_t index, const struct tn_disk_pending *pending)
{
    (void)pending;
    return index == 0 ? *(uint64_t *)argument : TN_DISK_LOST;
}

/* Three sectors and a bit, from the middle of the first: parts are cut where sectors end (D2). */
static void a_torn_write_is_cut_at_sectors(void)
{
    char old[2048], new[1300], expected[2048], got[2048];
    uint64_t fate;
    size_t i, bytes;
    int file;

    memset(old, 'o', sizeof old);
    memset(new, 'n', sizeof new);
    for (fate = 0; fate < 8; fate++) {
        begin(NULL);
        file = file_durable("f", "");
        check_ok(OS(file_write, file, old, sizeof old, 0));
        check_ok(OS(file_sync, file));
        check_ok(OS(file_write, file, new, sizeof new, 200));
        check_eq(tn_disk_pending(tn_simulated_disk(simulated), 0)->part_count, 3);
        lose_power(fate_of_first, &fate);
        for (i = 0; i < sizeof expected; i++)
            expected[i] = i >= 200 && i < 1500 && (fate >> (i / 512) & 1) != 0 ? 'n' : 'o';
        check_ok(OS(file_read, file_open("f", 0), got, sizeof got, 0, &bytes));
        check_bytes(got, bytes, expected, sizeof expected);
        end();
    }
}

static void a_torn_write_can_grow_a_file_by_zeros(void)
{
    uint64_t fates[] = { TN_DISK_GREW, TN_DISK_GREW | 1, 2, 1 };
    size_t lengths[] = { 1024, 1024, 1024, 512 };
    char new[1024];
    const char *got;
    uint64_t bytes;
    size_t i;
    int file;

    memset(new, 'n', sizeof new);
    for (i = 0; i < TN_ARRAY_COUNT(fates); i++) {
        begin(NULL);
        file = file_durable("f", "");
        check_ok(OS(file_write, file, new, sizeof new, 0));
        lose_power(fate_of_first, &fates[i]);
        check_ok(OS(file_size, file_open("f", 0), &bytes));
        check_eq(bytes, lengths[i]);
        got = content("f");
        check_eq(got[0], (fates[i] & 1) != 0 ? 'n' : 0);
        check_eq(got[512], (fates[i] & 2) != 0 ? 'n' : 0);
        end();
    }
}

static void a_large_write_has_at_most_63_parts(void)
{
    static char bytes[512 * 64];
    const struct tn_disk_pending *pending;
    int file;

    begin(NULL);
    file = file_durable("f", "");
    check_ok(OS(file_write, file, bytes, 512 * 63, 0));
    check_ok(OS(file_write, file, bytes, 512 * 64, 0));
    check_ok(OS(file_write, file, bytes, 1, 511));
    check_ok(OS(file_write, file, bytes, 2, 511));
    pending = tn_disk_pending(tn_simulated_disk(simulated), 0);
    check_eq(pending->part_count, 63);
    pending = tn_disk_pending(tn_simulated_disk(simulated), 1);
    check_eq(pending->part_count, 32);
    check_eq(tn_disk_pending(tn_simulated_disk(simulated), 2)->part_count, 1);
    check_eq(tn_disk_pending(tn_simulated_disk(simulated), 3)->part_count, 2);
    end();
}

static void a_failed_sync_cannot_be_made_good(void) /* D3 */
{
    uint64_t mask;
    int file;

    for (mask = 0; mask < 2; mask++) {
        begin(NULL);
        file = file_durable("f", "....");
        check_ok(OS(file_write, file, "AA", 2, 0));
        check(tn_simulated_fail(simulated, TN_CALL_FILE_SYNC, 1, EIO, false));
        check_eq(OS(file_sync, file), -EIO);
        check_ok(OS(file_sync, file)); /* says so, and means nothing */
        check_eq(pending_count(), 1);
        check_ok(OS(file_write, file, "BB", 2, 1));
        check_ok(OS(file_sync, file)); /* this one holds, over the lost one or not */
        check_eq(pending_count(), 1);
        lose_power(tn_disk_fate_mask, &mask);
        check_text(content("f"), mask == 0 ? ".BB." : "ABB.");
        end();
    }
    for (mask = 0; mask < 2; mask++) {
        begin(NULL);
        (void)file_open("f", TN_OS_CREATE);
        check(tn_simulated_fail(simulated, TN_CALL_DIRECTORY_SYNC, 1, EIO, false));
        check_eq(OS(directory_sync, base), -EIO);
        check_ok(OS(directory_sync, base));
        lose_power(tn_disk_fate_mask, &mask);
        check_text(content("f"), mask == 0 ? NULL : "");
        end();
    }
}

static void what_nobody_can_see_again_is_not_pending(void)
{
    int i, file;

    begin(NULL);
    for (i = 0; i < 50; i++) {
        file = file_open("f", TN_OS_CREATE | TN_OS_WRITE);
        check_ok(OS(file_write, file, "text", 4, 0));
        check_ok(OS(directory_unlink, base, "f"));
        os.ops->file_close(os.context, file);
        check_ok(OS(directory_sync, base));
        check_eq(pending_count(), 0);
    }
    end();
}

/*
 * Random programs against a model that knows only what was synced: one file, synced bytes survive
 * any crash unless they were written again later, and each byte is one that was written there.
 */
static void synced_bytes_survive_and_no_byte_is_invented(void)
{
    enum { FILE_BYTES = 4096 };
    uint64_t state = test_seed(), fate_state = test_seed();
    bool possible[FILE_BYTES][8]; /* values since the last sync; values are 0..7 */
    char text[FILE_BYTES] = { 0 };
    size_t got, i, length, at, step;
    uint8_t value;
    int round, file;

    begin(NULL);
    file = file_durable("f", "");
    check_ok(OS(file_write, file, text, FILE_BYTES, 0));
    check_ok(OS(file_sync, file));
    for (round = 0; round < 200; round++) {
        check_ok(OS(file_read, file, text, FILE_BYTES, 0, &got));
        memset(possible, 0, sizeof possible);
        for (i = 0; i < FILE_BYTES; i++)
            possible[i][(uint8_t)text[i]] = true;
        for (step = 0; step < 12; step++) {
            at = test_random(&state) % FILE_BYTES;
            length = 1 + test_random(&state) % (FILE_BYTES - at);
            value = (uint8_t)(test_random(&state) % 8);
            memset(text + at, value, length);
            check_ok(OS(file_write, file, text + at, length, at));
            for (i = at; i < at + length; i++)
                possible[i][value] = true;
            if (test_random(&state) % 5 != 0)
                continue;
            check_ok(OS(file_sync, file));
            memset(possible, 0, sizeof possible);
            for (i = 0; i < FILE_BYTES; i++)
                possible[i][(uint8_t)text[i]] = true;
        }
        lose_power(tn_disk_fate_random, &fate_state);
        file = file_open("f", TN_OS_WRITE);
        check_ok(OS(file_read, file, text, FILE_BYTES, 0, &got));
        check_eq(got, FILE_BYTES);
        for (i = 0; i < FILE_BYTES; i++)
            check((uint8_t)text[i] < 8 && possible[i][(uint8_t)text[i]]);
    }
    end();
}

static const struct test tests[] = {
    T(every_kind_of_call_can_be_refused),
    T(a_fault_hits_the_call_it_was_asked_for),
    T(faults_that_are_over_make_room),
    T(limits_refuse_and_room_comes_back),
    T(a_write_without_room_does_a_part),
    T(a_write_that_fails_has_done_the_part_asked_for),
    T(misuse_of_pages_traps),
    T(the_clock_steps_and_is_set),
    T(a_fork_can_be_pretended),
    T(a_seed_repeats_the_whole_run),
    T(a_trace_has_a_line_for_each_call),
    T(a_stream_remembers_what_was_written_up_to_its_limit),
    T(after_a_crash_every_call_fails),
    T(a_restart_ends_locks_and_ids),
    T(a_killed_process_loses_nothing_written),
    T(a_careful_program_survives_every_crash_image),
    T(a_careless_program_is_found_out),
    T(every_subset_of_writes_is_an_image),
    T(pending_changes_are_listed_in_order),
    T(a_sync_leaves_the_changes_of_others),
    T(a_synced_file_without_a_synced_name_can_be_lost),
    T(a_synced_name_of_an_unsynced_file_can_be_empty),
    T(names_may_come_back_after_an_unsynced_unlink),
    T(a_torn_write_is_cut_at_sectors),
    T(a_torn_write_can_grow_a_file_by_zeros),
    T(a_large_write_has_at_most_63_parts),
    T(a_failed_sync_cannot_be_made_good),
    T(what_nobody_can_see_again_is_not_pending),
    T(synced_bytes_survive_and_no_byte_is_invented),
};

TEST_MAIN(tests)
