/*
 * test_os_failing.c - the kernel fails, is interrupted, or does a part: rule O1 of os.h
 *
 * The linker puts the functions here in the place of the C library's (--wrap, see
 * cmake/tests.cmake), for the whole program. Each does what the C library's does, unless a fault
 * was planned for it: then the next so many calls fail with that errno.
 */
#include "os/os.h"

#include "test.h"

#if defined(TARN_TEST_WRAP)

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

/* ---- faults ---------------------------------------------------------------------------------- */

enum call {
    FCNTL,
    FDOPENDIR,
    FLOCK,
    FSTAT,
    FSYNC,
    FDATASYNC,
    FTRUNCATE,
    GETRLIMIT,
    MMAP,
    OPEN,
    OPENAT,
    PREAD,
    PWRITE,
    READ,
    READDIR,
    RENAMEAT,
    UNLINKAT,
    GETRANDOM,
    MADVISE,
    MPROTECT,
    CALLS
};

/*
 * `skip` calls go through, then `times` fail. An error of 0: the answer is 0, as if there were
 * nothing.
 */
static struct fault {
    int skip, times, error;
} faults[CALLS];

static size_t transfer_bytes_max = SIZE_MAX; /* of one read or write */

/* What was synced with fsync last, and how often; `awaited` was there by then. */
static struct {
    const char *awaited;
    int count;
    bool was_there;
    struct stat status;
} synced;

static void fail(enum call call, int times, int error)
{
    faults[call] = (struct fault){ 0, times, error };
}

static void fail_later(enum call call, int skip, int times, int error)
{
    faults[call] = (struct fault){ skip, times, error };
}

/* Whether the call fails; errno is set then. */
static bool fails(enum call call)
{
    struct fault *f = &faults[call];

    if (f->times == 0 || f->skip-- > 0)
        return false;
    f->times--;
    f->skip = 0;
    errno = f->error;
    return true;
}

static int answer(enum call call)
{
    return faults[call].error == 0 ? 0 : -1;
}

/* ---- in the C library's place ---------------------------------------------------------------- */

/* The names are the linker's. */
#pragma GCC diagnostic ignored "-Wmissing-prototypes"

int __real_fcntl64(int fd, int command, int argument);
int __wrap_fcntl64(int fd, int command, int argument)
{
    return fails(FCNTL) ? -1 : __real_fcntl64(fd, command, argument);
}

DIR *__real_fdopendir(int fd);
DIR *__wrap_fdopendir(int fd)
{
    return fails(FDOPENDIR) ? NULL : __real_fdopendir(fd);
}

int __real_flock(int fd, int operation);
int __wrap_flock(int fd, int operation)
{
    return fails(FLOCK) ? -1 : __real_flock(fd, operation);
}

int __real_fstat64(int fd, void *status);
int __wrap_fstat64(int fd, void *status)
{
    return fails(FSTAT) ? -1 : __real_fstat64(fd, status);
}

int __real_fsync(int fd);
int __real_fstat64(int fd, void *status);
int __wrap_fsync(int fd)
{
    if (fails(FSYNC))
        return -1;
    synced.count++;
    synced.was_there = synced.awaited != NULL && access(synced.awaited, F_OK) == 0;
    (void)__real_fstat64(fd, &synced.status);
    return __real_fsync(fd);
}

int __real_fdatasync(int fd);
int __wrap_fdatasync(int fd)
{
    return fails(FDATASYNC) ? -1 : __real_fdatasync(fd);
}

int __real_ftruncate64(int fd, int64_t bytes);
int __wrap_ftruncate64(int fd, int64_t bytes)
{
    return fails(FTRUNCATE) ? -1 : __real_ftruncate64(fd, bytes);
}

int __real_getrlimit64(int resource, void *limit);
int __wrap_getrlimit64(int resource, void *limit)
{
    return fails(GETRLIMIT) ? -1 : __real_getrlimit64(resource, limit);
}

void *__real_mmap64(void *at, size_t bytes, int protection, int flags, int fd, int64_t offset);
void *__wrap_mmap64(void *at, size_t bytes, int protection, int flags, int fd, int64_t offset)
{
    return fails(MMAP) ? MAP_FAILED : __real_mmap64(at, bytes, protection, flags, fd, offset);
}

void *__real_mmap(void *at, size_t bytes, int protection, int flags, int fd, off_t offset);
void *__wrap_mmap(void *at, size_t bytes, int protection, int flags, int fd, off_t offset)
{
    return fails(MMAP) ? MAP_FAILED : __real_mmap(at, bytes, protection, flags, fd, offset);
}

int __real_open64(const char *path, int flags, mode_t mode);
int __wrap_open64(const char *path, int flags, mode_t mode)
{
    return fails(OPEN) ? -1 : __real_open64(path, flags, mode);
}

int __real_openat64(int directory, const char *path, int flags, mode_t mode);
int __wrap_openat64(int directory, const char *path, int flags, mode_t mode)
{
    return fails(OPENAT) ? -1 : __real_openat64(directory, path, flags, mode);
}

ssize_t __real_pread64(int fd, void *to, size_t bytes, int64_t offset);
ssize_t __wrap_pread64(int fd, void *to, size_t bytes, int64_t offset)
{
    if (fails(PREAD))
        return answer(PREAD);
    return __real_pread64(fd, to, bytes < transfer_bytes_max ? bytes : transfer_bytes_max, offset);
}

ssize_t __real_pwrite64(int fd, const void *from, size_t bytes, int64_t offset);
ssize_t __wrap_pwrite64(int fd, const void *from, size_t bytes, int64_t offset)
{
    if (fails(PWRITE))
        return answer(PWRITE);
    return __real_pwrite64(fd, from, bytes < transfer_bytes_max ? bytes : transfer_bytes_max,
                           offset);
}

ssize_t __real_read(int fd, void *to, size_t bytes);
ssize_t __wrap_read(int fd, void *to, size_t bytes)
{
    if (fails(READ))
        return answer(READ);
    return __real_read(fd, to, bytes < transfer_bytes_max ? bytes : transfer_bytes_max);
}

void *__real_readdir64(DIR *listing);
void *__wrap_readdir64(DIR *listing)
{
    return fails(READDIR) ? NULL : __real_readdir64(listing);
}

int __real_renameat(int a, const char *from, int b, const char *to);
int __wrap_renameat(int a, const char *from, int b, const char *to)
{
    return fails(RENAMEAT) ? -1 : __real_renameat(a, from, b, to);
}

int __real_unlinkat(int directory, const char *name, int flags);
int __wrap_unlinkat(int directory, const char *name, int flags)
{
    return fails(UNLINKAT) ? -1 : __real_unlinkat(directory, name, flags);
}

ssize_t __real_getrandom(void *out, size_t bytes, unsigned flags);
ssize_t __wrap_getrandom(void *out, size_t bytes, unsigned flags)
{
    if (fails(GETRANDOM))
        return answer(GETRANDOM);
    return __real_getrandom(out, bytes < transfer_bytes_max ? bytes : transfer_bytes_max, flags);
}

int __real_madvise(void *at, size_t bytes, int advice);
int __wrap_madvise(void *at, size_t bytes, int advice)
{
    return fails(MADVISE) ? answer(MADVISE) : __real_madvise(at, bytes, advice);
}

int __real_mprotect(void *at, size_t bytes, int protection);
int __wrap_mprotect(void *at, size_t bytes, int protection)
{
    return fails(MPROTECT) ? -1 : __real_mprotect(at, bytes, protection);
}

/* ---- a directory and a file to work on ------------------------------------------------------- */

static const struct tn_os_ops *ops;
static char path[] = "/tmp/tarn-failing-XXXXXX";
static int directory, file;

static bool begin(void)
{
    ops = tn_os_posix.ops;
    memset(faults, 0, sizeof faults);
    transfer_bytes_max = SIZE_MAX;
    memcpy(path + sizeof path - 7, "XXXXXX", 6);
    if (mkdtemp(path) == NULL)
        return false;
    directory = ops->directory_open(NULL, path, 0);
    file = ops->file_open(NULL, directory, "file", TN_OS_CREATE | TN_OS_WRITE);
    check(directory >= 0 && file >= 0);
    check_ok(ops->file_write(NULL, file, "0123456789", 10, 0));
    return true;
}

static void end(void)
{
    memset(faults, 0, sizeof faults);
    ops->file_close(NULL, file);
    (void)ops->directory_unlink(NULL, directory, "file");
    (void)ops->directory_unlink(NULL, directory, "other");
    ops->directory_close(NULL, directory);
    check_eq(rmdir(path), 0);
}

static bool each_name(const char *const *names, const char *name)
{
    for (; *names != NULL; names++)
        if (strcmp(*names, name) == 0)
            return true;
    return false;
}

static int stop_listing(void *argument, const char *name)
{
    check(each_name(argument, name));
    return 0;
}

/* ---- tests ----------------------------------------------------------------------------------- */

/* What can be interrupted is done all the same; a sync is not repeated. */
static void interrupted_calls_are_repeated_but_for_syncs(void)
{
    char to[10];
    size_t got = 0;
    int again;

    if (!begin())
        return;
    fail(PREAD, 3, EINTR);
    check_ok(ops->file_read(NULL, file, to, 10, 0, &got));
    check_eq(got, 10);
    fail(PWRITE, 3, EINTR);
    check_ok(ops->file_write(NULL, file, "abc", 3, 0));
    fail(FTRUNCATE, 2, EINTR);
    check_ok(ops->file_truncate(NULL, file, 5));
    fail(FLOCK, 2, EINTR);
    check_ok(ops->directory_lock(NULL, directory));
    fail(OPENAT, 2, EINTR);
    again = ops->file_open(NULL, directory, "other", TN_OS_CREATE | TN_OS_WRITE);
    check(again >= 0);
    ops->file_close(NULL, again);
    fail(RENAMEAT, 2, EINTR);
    check_ok(ops->directory_rename(NULL, directory, "other", "renamed"));
    fail(UNLINKAT, 2, EINTR);
    check_ok(ops->directory_unlink(NULL, directory, "renamed"));
    fail(FDATASYNC, 1, EINTR);
    check_eq(ops->file_sync(NULL, file), -EINTR);
    fail(FSYNC, 1, EINTR);
    check_eq(ops->directory_sync(NULL, directory), -EINTR);
    end();
}

static void transfers_in_parts_are_whole_in_the_end(void)
{
    char to[10] = "";
    size_t got = 0;

    if (!begin())
        return;
    transfer_bytes_max = 3;
    check_ok(ops->file_write(NULL, file, "abcdefghij", 10, 0));
    check_ok(ops->file_read(NULL, file, to, 10, 0, &got));
    check_bytes(to, got, "abcdefghij", 10);
    fail_later(PWRITE, 1, 1, 0); /* a kernel that writes nothing and says so */
    check_eq(ops->file_write(NULL, file, "abcdefghij", 10, 0), -EIO);
    fail_later(PREAD, 1, 1, EIO);
    check_eq(ops->file_read(NULL, file, to, 10, 0, &got), -EIO);
    end();
}

static void failures_of_files_are_answered(void)
{
    static const unsigned modes[] = { 0, TN_OS_CREATE | TN_OS_WRITE };
    uint64_t bytes = 77;
    void *at = NULL;
    size_t i;

    if (!begin())
        return;
    for (i = 0; i < 2; i++) {
        fail(OPENAT, 1, EIO);
        check_eq(ops->file_open(NULL, directory, "file", modes[i]), -EIO);
        fail(FSTAT, 1, EIO);
        check_eq(ops->file_open(NULL, directory, "file", modes[i]), -EIO);
    }
    fail(FSTAT, 1, EIO);
    check_eq(ops->file_size(NULL, file, &bytes), -EIO);
    check_eq(bytes, 77);
    fail(FSTAT, 1, EIO);
    check_eq(ops->file_truncate(NULL, file, 3), -EIO);
    fail(FTRUNCATE, 1, EIO);
    check_eq(ops->file_truncate(NULL, file, 3), -EIO);
    fail(FSTAT, 1, EIO);
    check_eq(ops->file_map(NULL, file, 10, &at), -EIO);
    fail(MMAP, 1, ENOMEM);
    check_eq(ops->file_map(NULL, file, 10, &at), -ENOMEM);
    check(at == NULL);
    fail(PWRITE, 1, ENOSPC);
    check_eq(ops->file_write(NULL, file, "a", 1, 0), -ENOSPC);
    fail(GETRLIMIT, 1, EINVAL); /* then there is no limit known */
    check_ok(ops->file_write(NULL, file, "a", 1, 0));
    check_eq(ops->file_write(NULL, file, "a", 1, UINT64_MAX), -EFBIG);
    check_eq(ops->file_write(NULL, file, "a", 2, INT64_MAX - 1), -EFBIG);
    fail(FDATASYNC, 1, EIO);
    check_eq(ops->file_sync(NULL, file), -EIO);
    end();
}

static void failures_of_directories_are_answered(void)
{
    const char *const names[] = { "file", NULL };
    char below[sizeof path + 8];

    if (!begin())
        return;
    snprintf(below, sizeof below, "%s/below", path);
    fail(FLOCK, 1, ENOLCK);
    check_eq(ops->directory_lock(NULL, directory), -ENOLCK);
    fail(FSYNC, 1, EIO);
    check_eq(ops->directory_sync(NULL, directory), -EIO);
    fail(RENAMEAT, 1, EIO);
    check_eq(ops->directory_rename(NULL, directory, "file", "other"), -EIO);
    fail(UNLINKAT, 1, EIO);
    check_eq(ops->directory_unlink(NULL, directory, "file"), -EIO);
    fail(OPENAT, 1, EMFILE);
    check_eq(ops->directory_list(NULL, directory, stop_listing, (void *)(uintptr_t)names), -EMFILE);
    fail(FDOPENDIR, 1, ENOMEM);
    check_eq(ops->directory_list(NULL, directory, stop_listing, (void *)(uintptr_t)names), -ENOMEM);
    fail_later(READDIR, 1, 1, EIO);
    check_eq(ops->directory_list(NULL, directory, stop_listing, (void *)(uintptr_t)names), -EIO);
    check_ok(ops->directory_list(NULL, directory, stop_listing, (void *)(uintptr_t)names));
    /* A directory that was made, and whose name could not be made durable. */
    fail(FSYNC, 1, EIO);
    check_eq(ops->directory_open(NULL, below, TN_OS_CREATE), -EIO);
    check_eq(rmdir(below), 0);
    fail(OPEN, 1, EACCES);
    check_eq(ops->directory_open(NULL, below, TN_OS_CREATE), -EACCES);
    check_eq(rmdir(below), 0);
    check_eq(ops->directory_open(NULL, "", 0), -ENOENT);
    end();
}

/* The directory of that name is opened: is its parent, `path`, synced once, behind making it? */
static bool parent_is_synced(const char *name, unsigned flags)
{
    struct stat parent;
    int opened;

    synced.count = 0;
    opened = ops->directory_open(NULL, name, flags);
    check(opened >= 0);
    ops->directory_close(NULL, opened);
    check_eq(stat(path, &parent), 0);
    check(synced.count <= 1);
    return synced.count == 1 && synced.was_there && synced.status.st_dev == parent.st_dev &&
           synced.status.st_ino == parent.st_ino;
}

/*
 * O4: with CREATE a directory's own name is durable, also when it was there already. The simulated
 * system takes that for granted.
 */
static void a_new_directory_is_durable_in_its_parent(void)
{
    static const char *const behind[] = { "", "/", "//" };
    char below[sizeof path + 8], name[sizeof below + 2];
    size_t i;
    int here;

    if (!begin())
        return;
    snprintf(below, sizeof below, "%s/below", path);
    synced.awaited = below;
    for (i = 0; i < TN_ARRAY_COUNT(behind); i++) {
        snprintf(name, sizeof name, "%s%s", below, behind[i]);
        check(parent_is_synced(name, TN_OS_CREATE)); /* it is made */
        check(parent_is_synced(name, TN_OS_CREATE)); /* it is there, its maker maybe died */
        check(!parent_is_synced(name, 0));
        check_eq(rmdir(below), 0);
        check(parent_is_synced(name, TN_OS_CREATE | TN_OS_EXCLUSIVE));
        check_eq(rmdir(below), 0);
    }
    here = open(".", O_RDONLY | O_DIRECTORY);
    check_eq(chdir(path), 0);
    check(parent_is_synced("below", TN_OS_CREATE));
    check_eq(fchdir(here), 0);
    (void)close(here);
    check_eq(rmdir(below), 0);
    end();
}

/* A descriptor that is one of the standard three is moved away, and that can fail, too. */
static void a_descriptor_that_cannot_be_moved_is_an_answer(void)
{
    int kept = dup(0), moved, descriptor;

    if (!begin())
        return;
    (void)close(0);
    fail(FCNTL, 1, EMFILE);
    descriptor = ops->file_open(NULL, directory, "file", 0);
    moved = ops->file_open(NULL, directory, "file", 0);
    if (kept >= 0) {
        (void)dup2(kept, 0);
        (void)close(kept);
    }
    check_eq(descriptor, -EMFILE);
    check(moved > 2);
    ops->file_close(NULL, moved);
    end();
}

static void randomness_comes_from_the_device_where_there_is_no_call(void)
{
    uint8_t bytes[64] = { 0 }, none[64] = { 0 };

    if (!begin())
        return;
    fail(GETRANDOM, 2, EINTR);
    transfer_bytes_max = 10;
    check_ok(ops->random(NULL, bytes, sizeof bytes));
    check(memcmp(bytes, none, sizeof bytes) != 0);
    memset(bytes, 0, sizeof bytes);
    fail(GETRANDOM, 1, ENOSYS);
    fail(READ, 1, EINTR);
    check_ok(ops->random(NULL, bytes, sizeof bytes));
    check(memcmp(bytes + 32, none, 32) != 0);
    fail(GETRANDOM, 1, EIO);
    check_eq(ops->random(NULL, bytes, sizeof bytes), -EIO);
    fail(GETRANDOM, 1, 0); /* an answer of nothing */
    check_eq(ops->random(NULL, bytes, sizeof bytes), -EIO);
    fail(GETRANDOM, 1, ENOSYS);
    fail(OPENAT, 1, ENOENT);
    check_eq(ops->random(NULL, bytes, sizeof bytes), -ENOENT);
    fail(GETRANDOM, 1, ENOSYS);
    fail(READ, 1, EIO);
    check_eq(ops->random(NULL, bytes, sizeof bytes), -EIO);
    fail(GETRANDOM, 1, ENOSYS);
    fail_later(READ, 2, 1, 0); /* the device ends */
    check_eq(ops->random(NULL, bytes, sizeof bytes), -EIO);
    end();
}

static void refused_pages_are_answered(void)
{
    uint32_t *mark = NULL;
    void *at = NULL;

    if (!begin())
        return;
    fail(MMAP, 1, EINVAL); /* as valgrind says it */
    check_eq(ops->pages_reserve(NULL, TN_MIB, &at), -ENOMEM);
    fail(MMAP, 1, ENOMEM);
    check_eq(ops->pages_reserve(NULL, TN_MIB, &at), -ENOMEM);
    check_eq(ops->pages_reserve(NULL, SIZE_MAX - TN_OS_PAGE_BYTES + 1, &at), -ENOMEM);
    check_eq(ops->pages_reserve(NULL, 0, &at), -EINVAL);
    check_eq(ops->pages_reserve(NULL, 100, &at), -EINVAL);
    fail(MMAP, 1, ENOMEM);
    check_eq(ops->fork_mark(NULL, &mark), -ENOMEM);
    fail(MADVISE, 1, 0); /* an emulator that says yes to nonsense */
    check_eq(ops->fork_mark(NULL, &mark), -ENOTSUP);
    fail(MADVISE, 2, EINVAL); /* a kernel that does not know the advice */
    check_eq(ops->fork_mark(NULL, &mark), -ENOTSUP);
    check(mark == NULL);
    fail(MPROTECT, 1, EAGAIN); /* what makes mappings merge is not needed */
    check_ok(ops->pages_reserve(NULL, 4 * TN_MIB, &at));
    fail(MPROTECT, 1, ENOMEM);
    check_eq(ops->pages_commit(NULL, at, TN_MIB, 0), -ENOMEM);
    check_ok(ops->pages_commit(NULL, at, TN_MIB, TN_OS_HUGE));
    memset(at, 7, TN_MIB);
    fail(MADVISE, 1, EAGAIN);
    check_eq(ops->pages_decommit(NULL, at, TN_MIB), -EAGAIN);
    check_ok(ops->pages_decommit(NULL, at, TN_MIB));
    check_ok(ops->pages_commit(NULL, at, TN_MIB, 0));
    check_eq(*(uint8_t *)at, 0);
    ops->pages_release(NULL, at, 4 * TN_MIB);
    end();
}

static const struct test tests[] = {
    T(interrupted_calls_are_repeated_but_for_syncs),
    T(transfers_in_parts_are_whole_in_the_end),
    T(failures_of_files_are_answered),
    T(failures_of_directories_are_answered),
    T(a_new_directory_is_durable_in_its_parent),
    T(a_descriptor_that_cannot_be_moved_is_an_answer),
    T(randomness_comes_from_the_device_where_there_is_no_call),
    T(refused_pages_are_answered),
};

TEST_MAIN(tests)

#else

int main(void)
{
    printf("1..0 # SKIP the linker cannot put functions in the C library's place here\n");
    return 0;
}

#endif
