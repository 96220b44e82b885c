/*
 * open_store.c - a store opened by a verb; see open_store.h for the rules
 */
#include "open_store.h"
#include "command.h"
#include "message.h"
#include "signals.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int exit_of(int result)
{
    switch (result) {
    case TARN_E_IO:
    case TARN_E_FULL:
    case TARN_E_MEMORY:
    case TARN_E_FAILED:
        return TN_EXIT_FAILED;
    default:
        return TN_EXIT_REFUSED;
    }
}

int tn_open_store_say(const char *verb, const char *path, int result, const char *text)
{
    const char *advice = result == TARN_E_MEMORY
                             ? "; a store needs memory for all it holds, and 1 GiB of addresses at "
                               "least: see ulimit -v"
                             : "";

    tn_message(verb, "%s: %s%s%s%s", path, tarn_result_text(result), *text != '\0' ? ": " : "",
               text, advice);
    return exit_of(result);
}

#define PATH_BYTES_MAX 4096 /* a longer one is left to the system */

/* The path without slashes behind it. False: too long. */
static bool path_strip(const char *path, char out[PATH_BYTES_MAX])
{
    size_t bytes = strlen(path);

    while (bytes > 1 && path[bytes - 1] == '/')
        bytes--;
    if (bytes >= PATH_BYTES_MAX)
        return false;
    memcpy(out, path, bytes);
    out[bytes] = '\0';
    return true;
}

/* Slashes behind it would lead to what it names. */
static bool is_link(const char *path)
{
    char bare[PATH_BYTES_MAX];
    struct stat status;

    return path_strip(path, bare) && lstat(bare, &status) == 0 && S_ISLNK(status.st_mode);
}

/* Only the last directory of a path is made. */
static bool parent_is_missing(const char *verb, const char *path)
{
    char parent[PATH_BYTES_MAX];
    struct stat status;
    char *end;

    if (!path_strip(path, parent))
        return false;
    end = strrchr(parent, '/');
    if (end == NULL || end == parent)
        return false;
    *end = '\0';
    if (stat(parent, &status) == 0 || errno != ENOENT)
        return false;
    tn_message(verb,
               "%s: it cannot be made, since %s is not there; make that first, or name another",
               path, parent);
    return true;
}

bool tn_open_store_path_is_refused(const char *verb, const char *path, enum tn_opening opening)
{
    struct stat status;

    if (*path == '\0') {
        tn_message(verb, "the name is empty; write that of a directory");
        return true;
    }
    if (is_link(path)) {
        tn_message(
            verb, "%s: a symbolic link, which is not followed; name the directory that it leads to",
            path);
        return true;
    }
    if (stat(path, &status) != 0) {
        if (errno == ENOENT && opening == TN_OPEN_CREATE)
            return parent_is_missing(verb, path);
        tn_message(verb, "%s: %s; name the directory of a store", path, strerror(errno));
        return true;
    }
    if (!S_ISDIR(status.st_mode)) {
        tn_message(verb, "%s: not a directory; name the directory of a store", path);
        return true;
    }
    if (access(path, R_OK | X_OK | (opening == TN_OPEN_READ ? 0 : W_OK)) != 0) {
        tn_message(verb, "%s: %s; change its permissions, or be another user", path,
                   strerror(errno));
        return true;
    }
    return false;
}

void tn_open_store_say_missing(const char *verb, const char *path)
{
    tn_message(verb, "%s: there is no store in it; name the directory of a store", path);
}

bool tn_open_store_key_is_refused(const char *verb, const char *what, size_t bytes)
{
    if (bytes <= TARN_KEY_BYTES_MAX)
        return false;
    tn_message(verb, "%s has %zu bytes; a key has at most %u", what, bytes, TARN_KEY_BYTES_MAX);
    return true;
}

bool tn_open_store_name_is_refused(const char *verb, const char *name)
{
    size_t bytes = name != NULL ? strlen(name) : 1;

    if (bytes >= 1 && bytes <= TARN_TABLE_NAME_BYTES_MAX)
        return false;
    tn_message(verb, "option --table: its name has %zu bytes; write one of 1 to %u", bytes,
               TARN_TABLE_NAME_BYTES_MAX);
    return true;
}

int tn_open_store_begin(struct tn_open_store *out, const char *verb, const char *path,
                        enum tn_opening opening)
{
    static const unsigned flags[] = {
        [TN_OPEN_READ] = TARN_READ_ONLY | TARN_EXISTING,
        [TN_OPEN_CHANGE] = TARN_EXISTING,
        [TN_OPEN_CREATE] = 0,
    };
    tarn_options options = { .flags = flags[opening], .report = &out->report };

    *out = (struct tn_open_store){ .verb = verb, .path = path, .result = TARN_E_IO };
    if (tn_open_store_path_is_refused(verb, path, opening))
        return TN_EXIT_REFUSED;
    tn_signals_let_kill_begin();
    out->result = tarn_open(&out->store, path, &options);
    tn_signals_let_kill_end();
    if (out->result == TARN_E_BUSY) {
        tn_message(verb, "%s: another process has the store; try again once it has ended", path);
        return TN_EXIT_REFUSED;
    }
    if (out->result < 0 && out->report.is_missing != 0) {
        tn_open_store_say_missing(verb, path);
        return TN_EXIT_REFUSED;
    }
    if (out->result < 0)
        return tn_open_store_say(verb, path, out->result, out->report.text);
    if (opening != TN_OPEN_READ && out->report.dropped_bytes > 0)
        tn_message(verb, "%s: %s", path, out->report.text);
    return TN_EXIT_DONE;
}

static bool table_exists(tarn_store *store, const char *name)
{
    tarn_table_info info;
    uint64_t place;

    for (place = 0; tarn_table_at(store, place, &info) == TARN_OK; place++)
        if (info.name.bytes == strlen(name) && memcmp(info.name.data, name, info.name.bytes) == 0)
            return true;
    return false;
}

int tn_open_store_table(struct tn_open_store *open, const char *name, bool create, tarn_table **out)
{
    int result;

    if (name == NULL)
        name = TN_TABLE_DEFAULT;
    if (!create && !table_exists(open->store, name)) {
        tn_message(open->verb, "%s: there is no table '%s'; name another with --table", open->path,
                   name);
        return TN_EXIT_NEGATIVE;
    }
    result = tarn_table_open(out, open->store, name, NULL);
    return result < 0 ? tn_open_store_fail(open, result) : TN_EXIT_DONE;
}

int tn_open_store_fail(struct tn_open_store *open, int result)
{
    return tn_open_store_say(open->verb, open->path, result, tarn_error_text(open->store));
}

int tn_open_store_commit(struct tn_open_store *open)
{
    tarn_bytes note = { NULL, 0 };
    void *copy = NULL; /* the store's own ends with the next commit */
    int result = tarn_last_commit(open->store, NULL, &note);

    if (result == TARN_OK && note.bytes > 0) {
        copy = malloc(note.bytes);
        if (copy == NULL) {
            tn_message(open->verb, "%s: out of memory; nothing was committed", open->path);
            return TN_EXIT_FAILED;
        }
        memcpy(copy, note.data, note.bytes);
    }
    if (result == TARN_OK)
        result = tarn_commit(open->store, copy, note.bytes, TARN_SYNC);
    free(copy);
    return result < 0 ? tn_open_store_fail(open, result) : TN_EXIT_DONE;
}

int tn_open_store_end(struct tn_open_store *open, int exit_code)
{
    int result = tarn_close(open->store);

    open->store = NULL;
    if (result >= 0 || exit_code != TN_EXIT_DONE)
        return exit_code;
    return tn_open_store_say(open->verb, open->path, result,
                             "when it was closed; all was done, and what was committed stays");
}
