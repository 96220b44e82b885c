/*
 * input.c - see input.h for the rules
 */
#include "io/input.h"

#include "io/reader.h"
#include "io/wait.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

enum input_kind { INPUT_UNKNOWN, INPUT_PLAIN, INPUT_GZIP };

struct tn_input {
    struct tn_input_options options;
    int file;
    bool owned; /* not standard input */
    bool waits; /* a pipe or terminal: a read can take long */
    const char *path;
    bool replaced; /* followed, and its name means another file now */
    enum input_kind kind;
    int last; /* the answer that ended it; 0: none yet */

    unsigned char *block; /* bytes as they are in the file: [block_next, block_end) */
    size_t block_next;
    size_t block_end;
    uint64_t offset; /* in the file, of the end of the block */

    z_stream inflate;
    bool inflate_ready;
    bool between_members; /* the last member is complete */
    bool padding_seen;
    struct tn_reason reason; /* of last */
};

/* ---- memory ---------------------------------------------------------------------------------- */

/* zlib frees without saying how much, so each of its blocks carries its size in front. */
#define INPUT_SIZE_BYTES 16

static voidpf input_zlib_new(voidpf context, uInt items, uInt item_bytes)
{
    size_t bytes = (size_t)items * item_bytes + INPUT_SIZE_BYTES;
    char *block = tn_memory_new(context, bytes, false);

    if (block == NULL)
        return NULL;
    memcpy(block, &bytes, sizeof bytes);
    return block + INPUT_SIZE_BYTES;
}

static void input_zlib_free(voidpf context, voidpf at)
{
    char *block = (char *)at - INPUT_SIZE_BYTES;
    size_t bytes;

    memcpy(&bytes, block, sizeof bytes);
    tn_memory_free(context, block, bytes);
}

static int input_no_memory(struct tn_input *input)
{
    tn_reason_set(&input->reason, "no memory to read it; free some, or give tarn more");
    return input->last = TN_READER_FAILED;
}

/* ---- open and close -------------------------------------------------------------------------- */

/* What cannot be read because of what it is, rather than because the system is in trouble. */
static bool input_is_refusal(int error)
{
    return error == ENOENT || error == ENOTDIR || error == EACCES || error == EPERM ||
           error == ELOOP || error == ENAMETOOLONG || error == EISDIR || error == ENXIO;
}

static const char *input_advice(int error)
{
    switch (error) {
    case ENOENT:
    case ENOTDIR:
        return "check the name";
    case EACCES:
    case EPERM:
        return "ask for the right to read it";
    case EMFILE:
    case ENFILE:
        return "raise the limit with ulimit -n";
    case EISDIR:
        return "name the files inside it";
    case EIO:
        return "the device is in trouble; see the system log";
    default:
        return "the system refused it";
    }
}

static int input_answer_errno(struct tn_input *input, int error)
{
    tn_reason_set(&input->reason, "%s; %s", strerror(error), input_advice(error));
    return input->last = input_is_refusal(error) ? TN_READER_REFUSED : TN_READER_FAILED;
}

static bool input_stopped(const struct tn_input *input)
{
    return input->options.stop != NULL && *input->options.stop != 0;
}

static int input_answer_stopped(struct tn_input *input)
{
    tn_reason_set(&input->reason, "reading was interrupted");
    return input->last = TN_READER_STOPPED;
}

/* A pipe waits for its writer, and a signal ends that; unless it was none to stop for. */
static int input_open_path(struct tn_input *input, const char *path)
{
    do
        input->file = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    while (input->file < 0 && errno == EINTR && !input_stopped(input));
    if (input->file < 0)
        return errno == EINTR ? input_answer_stopped(input) : input_answer_errno(input, errno);
    return TN_READER_ROW;
}

static int input_open_file(struct tn_input *input, const char *path)
{
    struct stat status;

    input->owned = strcmp(path, "-") != 0;
    input->file = STDIN_FILENO;
    if (input->owned && input_open_path(input, path) != TN_READER_ROW)
        return input->last;
    if (fstat(input->file, &status) != 0)
        return input_answer_errno(input, errno);
    if (S_ISDIR(status.st_mode))
        return input_answer_errno(input, EISDIR);
    input->waits = !S_ISREG(status.st_mode);
    if (input->options.follow && input->waits) {
        tn_reason_set(&input->reason, "is not a regular file, and cannot be followed; a pipe is "
                                      "read until its writer closes it, leave out --follow");
        return input->last = TN_READER_REFUSED;
    }
    return TN_READER_ROW;
}

int tn_input_open(struct tn_input **out, const char *path, const struct tn_input_options *options,
                  struct tn_reason *reason)
{
    struct tn_input *input = tn_memory_new(options->memory, sizeof *input, true);
    int answer;

    *out = NULL;
    if (input == NULL) {
        tn_reason_set(reason, "no memory to open it; free some");
        return TN_READER_FAILED;
    }
    input->options = *options;
    if (input->options.block_bytes == 0)
        input->options.block_bytes = TN_INPUT_BLOCK_BYTES;
    input->file = -1;
    input->path = path;
    input->block = tn_memory_new(options->memory, tn_max(input->options.block_bytes, 2), false);
    if (input->block == NULL) {
        tn_reason_set(reason, "no memory to open it; free some");
        answer = TN_READER_FAILED;
    } else {
        answer = input_open_file(input, path);
        *reason = input->reason;
    }
    if (answer != TN_READER_ROW) {
        tn_input_close(input);
        return answer;
    }
    *out = input;
    return TN_READER_ROW;
}

void tn_input_close(struct tn_input *input)
{
    struct tn_memory *memory;

    if (input == NULL)
        return;
    memory = input->options.memory;
    if (input->inflate_ready)
        inflateEnd(&input->inflate);
    if (input->owned && input->file >= 0)
        close(input->file);
    tn_memory_free(memory, input->block, tn_max(input->options.block_bytes, 2));
    tn_memory_free(memory, input, sizeof *input);
}

/* ---- raw bytes ------------------------------------------------------------------------------- */

/* A followed file has no more bytes: will it have some, or is it another by now (I7)? */
static int input_follow(struct tn_input *input)
{
    struct stat open_one, named;

    if (fstat(input->file, &open_one) != 0)
        return input_answer_errno(input, errno);
    if ((uint64_t)open_one.st_size < input->offset) {
        tn_reason_set(&input->reason,
                      "is %llu bytes long now, and %" PRIu64 " were read: it was cut or written "
                      "anew; start again to read it from the beginning",
                      (unsigned long long)open_one.st_size, input->offset);
        return input->last = TN_READER_REFUSED;
    }
    if (stat(input->path, &named) == 0 && named.st_dev == open_one.st_dev &&
        named.st_ino == open_one.st_ino) {
        input->replaced = false;
        return TN_READER_WAITS;
    }
    if (!input->replaced) { /* what came before the renaming is still to be read */
        input->replaced = true;
        return TN_READER_WAITS;
    }
    tn_reason_set(&input->reason, "was renamed, removed or replaced, as when logs are rotated; all "
                                  "of it was read, start again to follow the new one");
    return input->last = TN_READER_REFUSED;
}

/* One read(2) of up to `bytes` bytes; *out_bytes 0 at the end. */
static int input_read_raw(struct tn_input *input, void *to, size_t bytes, size_t *out_bytes)
{
    ssize_t got;

    if (input->waits && input->options.no_wait) {
        if (!tn_wait(input->file, 0, input->options.stop) && !input_stopped(input))
            return TN_READER_WAITS;
    } else if (input->waits && input->options.stop != NULL) {
        (void)tn_wait(input->file, -1, input->options.stop);
    }
    for (;;) {
        if (input_stopped(input))
            return input_answer_stopped(input);
        got = read(input->file, to, bytes);
        if (got >= 0)
            break;
        if (errno != EINTR && errno != EAGAIN)
            return input_answer_errno(input, errno);
        if (input->waits)
            (void)tn_wait(input->file, -1, input->options.stop);
    }
    input->offset += (size_t)got;
    *out_bytes = (size_t)got;
    return got == 0 && input->options.follow ? input_follow(input) : TN_READER_ROW;
}

/* Fill the block, which is used up, with the next bytes. */
static int input_read_block(struct tn_input *input)
{
    input->block_next = 0;
    input->block_end = 0;
    return input_read_raw(input, input->block, input->options.block_bytes, &input->block_end);
}

/* ---- gzip ------------------------------------------------------------------------------------ */

static int input_start_gzip(struct tn_input *input)
{
    input->inflate.zalloc = input_zlib_new;
    input->inflate.zfree = input_zlib_free;
    input->inflate.opaque = input->options.memory;
    if (inflateInit2(&input->inflate, 15 + 16) != Z_OK) /* the largest window, gzip framing only */
        return input_no_memory(input);
    input->inflate_ready = true;
    return TN_READER_ROW;
}

/* Look at the first two bytes; they stay in the block (I1). */
static int input_recognise(struct tn_input *input)
{
    size_t got = 0;
    int answer = TN_READER_ROW;

    do {
        answer = input_read_raw(input, input->block + input->block_end,
                                tn_max(input->options.block_bytes, 2) - input->block_end, &got);
        if (answer != TN_READER_ROW)
            return answer;
        input->block_end += got;
    } while (got > 0 && input->block_end < 2 && input->block[0] == 0x1F);
    input->kind = INPUT_PLAIN;
    if (input->block_end < 2 || input->block[0] != 0x1F || input->block[1] != 0x8B)
        return TN_READER_ROW;
    if (input->options.follow) {
        tn_reason_set(&input->reason, "is gzip, which cannot be read while it is being written; "
                                      "leave out --follow, or follow the file before it is packed");
        return input->last = TN_READER_REFUSED;
    }
    input->kind = INPUT_GZIP;
    return input_start_gzip(input);
}

static uint64_t input_gzip_offset(const struct tn_input *input)
{
    return input->offset - (input->block_end - input->block_next);
}

/* Behind a complete member: padding, the next member, or something that does not belong (I2). */
static int input_next_member(struct tn_input *input)
{
    while (input->block_next < input->block_end && input->block[input->block_next] == 0) {
        input->block_next++;
        input->padding_seen = true;
    }
    if (input->block_next == input->block_end)
        return TN_READER_ROW;
    if (input->padding_seen || input->block[input->block_next] != 0x1F) {
        tn_reason_set(&input->reason,
                      "from byte %" PRIu64 " on it is not gzip; all rows before that were read, "
                      "cut the file there if the rest is not wanted",
                      input_gzip_offset(input));
        return input->last = TN_READER_FAILED;
    }
    inflateReset(&input->inflate);
    input->between_members = false;
    return TN_READER_ROW;
}

static int input_gzip_ends(struct tn_input *input)
{
    if (input->between_members)
        return input->last = TN_READER_END;
    tn_reason_set(&input->reason,
                  "is cut short at byte %" PRIu64 ": its gzip data is not complete; the rows "
                  "before that were read, fetch the file again",
                  input->offset);
    return input->last = TN_READER_FAILED;
}

static int input_gzip_damaged(struct tn_input *input, int result)
{
    if (result == Z_MEM_ERROR)
        return input_no_memory(input);
    tn_reason_set(
        &input->reason, "its gzip data is damaged near byte %" PRIu64 " (%s); fetch the file again",
        input_gzip_offset(input), input->inflate.msg != NULL ? input->inflate.msg : "no details");
    return input->last = TN_READER_FAILED;
}

static int input_read_gzip(struct tn_input *input, void *to, size_t bytes, size_t *out_bytes)
{
    z_stream *stream = &input->inflate;
    uInt room = (uInt)tn_min(bytes, TN_GIB);
    int answer, result;

    stream->next_out = to;
    stream->avail_out = room;
    while (stream->avail_out == room) {
        if (input->block_next == input->block_end) {
            answer = input_read_block(input);
            if (answer != TN_READER_ROW)
                return answer;
            if (input->block_end == 0)
                return input_gzip_ends(input);
        }
        if (input->between_members) {
            answer = input_next_member(input);
            if (answer != TN_READER_ROW)
                return answer;
            if (input->between_members)
                continue;
        }
        stream->next_in = input->block + input->block_next;
        stream->avail_in = (uInt)(input->block_end - input->block_next);
        result = inflate(stream, Z_NO_FLUSH);
        input->block_next = input->block_end - stream->avail_in;
        input->between_members = result == Z_STREAM_END;
        if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR) {
            answer = input_gzip_damaged(input, result);
            if (stream->avail_out == room)
                return answer;
        }
    }
    *out_bytes = room - stream->avail_out; /* I3: damage is answered by the next call */
    return TN_READER_ROW;
}

/* ---- read ------------------------------------------------------------------------------------ */

static int input_read_plain(struct tn_input *input, void *to, size_t bytes, size_t *out_bytes)
{
    size_t held = input->block_end - input->block_next;
    int answer;

    if (held > 0) { /* what was read to recognise the kind */
        *out_bytes = tn_min(held, bytes);
        memcpy(to, input->block + input->block_next, *out_bytes);
        input->block_next += *out_bytes;
        return TN_READER_ROW;
    }
    answer = input_read_raw(input, to, tn_min(bytes, input->options.block_bytes), out_bytes);
    if (answer != TN_READER_ROW)
        return answer;
    return *out_bytes > 0 ? TN_READER_ROW : (input->last = TN_READER_END);
}

int tn_input_read(struct tn_input *input, void *to, size_t bytes, size_t *out_bytes)
{
    int answer;

    *out_bytes = 0;
    if (input->last != 0)
        return input->last;
    if (input->kind == INPUT_UNKNOWN) {
        answer = input_recognise(input);
        if (answer != TN_READER_ROW)
            return answer;
    }
    if (input->kind == INPUT_GZIP)
        return input_read_gzip(input, to, bytes, out_bytes);
    return input_read_plain(input, to, bytes, out_bytes);
}

void tn_input_wait(const struct tn_input *input, int most_ms)
{
    (void)tn_wait(input->waits ? input->file : -1, most_ms, input->options.stop);
}

void tn_input_progress(const struct tn_input *input, uint64_t *read_bytes, uint64_t *file_bytes)
{
    struct stat status;

    *read_bytes = input->offset;
    *file_bytes = !input->waits && fstat(input->file, &status) == 0 ? (uint64_t)status.st_size : 0;
}

void tn_input_identity(const struct tn_input *input, uint64_t *device, uint64_t *inode)
{
    struct stat status;
    bool file = !input->waits && fstat(input->file, &status) == 0;

    *device = file ? (uint64_t)status.st_dev : 0;
    *inode = file ? (uint64_t)status.st_ino : 0;
}

const char *tn_input_reason(const struct tn_input *input)
{
    return input->reason.text;
}
