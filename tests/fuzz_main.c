/*
 * fuzz_main.c - an entry point for fuzzing as an ordinary test
 *
 *     corpus file --> some bytes changed, put in, taken out, doubled, joined --> entry point
 *
 * Mutations depend on SEED and their number alone, and on the corpus. They run in a child; when it
 * dies, the parent makes the input it died of again and prints it. Environment: SEED, MUTATIONS
 * (2,000, where one is dear fewer).
 *
 *     echo HEX | xxd -r -p > input && build/tests/fuzz_x input      runs one input again
 */
#include "fuzz.h"
#include "test.h"

#include <dirent.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#if !defined(FUZZ_MUTATIONS)
#define FUZZ_MUTATIONS 2000
#endif
#define INPUT_BYTES_MAX ((size_t)4096)
#define CORPUS_MAX 64

struct input {
    size_t bytes;
    uint8_t data[INPUT_BYTES_MAX];
};

static const char *noun; /* of the program: fuzz_<noun> */
static struct input corpus[CORPUS_MAX];
static size_t corpus_count;

static bool input_read(struct input *input, const char *path)
{
    FILE *file = fopen(path, "rb");

    if (file == NULL)
        return false;
    input->bytes = fread(input->data, 1, sizeof input->data, file);
    fclose(file);
    return true;
}

static int name_compare(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int name_is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

/* Sorted by name, so that a mutation's number means the same everywhere. */
static void corpus_read(void)
{
    const char *source_dir = getenv("SOURCE_DIR");
    char folder[1024], path[2048];
    struct dirent **entries = NULL;
    int count, i;

    snprintf(folder, sizeof folder, "%s/tests/corpus/%s", source_dir != NULL ? source_dir : ".",
             noun);
    count = scandir(folder, &entries, name_is_visible, name_compare);
    for (i = 0; i < count; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
        if (corpus_count < CORPUS_MAX)
            corpus_count += input_read(&corpus[corpus_count], path);
        free(entries[i]);
    }
    free(entries);
}

/* `bytes` at `at` make room for `more` others, cut to fit; the bytes that got in. */
static size_t input_replace(struct input *input, size_t at, size_t bytes, const uint8_t *other,
                            size_t more)
{
    size_t rest = input->bytes - at - bytes;

    if (at + more > INPUT_BYTES_MAX)
        more = INPUT_BYTES_MAX - at;
    if (at + more + rest > INPUT_BYTES_MAX)
        rest = INPUT_BYTES_MAX - at - more;
    memmove(input->data + at + more, input->data + at + bytes, rest);
    memcpy(input->data + at, other, more);
    input->bytes = at + more + rest;
    return more;
}

static void input_mutate(struct input *input, uint64_t *state)
{
    static const uint8_t edges[] = { 0,   1,   '\n', '\r', '"', ',', '\\', '%', '-',  '.',
                                     '0', '9', '{',  '}',  '(', ')', '=',  'e', 0x7F, 0xFF };
    static uint8_t stretch[INPUT_BYTES_MAX];
    const struct input *other = &corpus[test_random(state) % corpus_count];
    size_t at = test_random(state) % (input->bytes + 1), left = input->bytes - at;
    size_t bytes = left > 0 ? 1 + test_random(state) % (left < 16 ? left : 16) : 0;
    uint8_t byte = (uint8_t)test_random(state);

    switch (test_random(state) % 6) {
    case 0:
        input_replace(input, at, left > 0, &byte, 1);
        break;
    case 1:
        input_replace(input, at, left > 0, &edges[byte % sizeof edges], 1);
        break;
    case 2:
        input_replace(input, at, 0, &edges[byte % sizeof edges], 1);
        break;
    case 3:
        input_replace(input, at, bytes, stretch, 0);
        break;
    case 4: /* doubled */
        memcpy(stretch, input->data + at, bytes);
        input_replace(input, at, 0, stretch, bytes);
        break;
    default:
        at = at < other->bytes ? at : other->bytes;
        input_replace(input, at < input->bytes ? at : input->bytes, 0, other->data + at,
                      byte % (other->bytes - at + 1));
    }
}

static void input_make(struct input *input, uint64_t seed, uint64_t number)
{
    uint64_t state = seed * UINT64_C(0x9E3779B97F4A7C15) + number;
    size_t rounds = 1 + test_random(&state) % 6;

    *input = corpus[test_random(&state) % corpus_count];
    for (; rounds > 0; rounds--)
        input_mutate(input, &state);
}

/* Through memory of exactly its size, so that a sanitizer sees a byte read behind it. */
static void input_run(const struct input *input)
{
    uint8_t *data = malloc(input->bytes > 0 ? input->bytes : 1);

    if (data == NULL)
        abort();
    memcpy(data, input->data, input->bytes);
    (void)LLVMFuzzerTestOneInput(data, input->bytes);
    free(data);
}

static void input_print(const struct input *input)
{
    size_t i;

    printf("# input of %zu bytes: ", input->bytes);
    for (i = 0; i < input->bytes; i++)
        printf("%02x", input->data[i]);
    putchar('\n');
}

static void every_input_of_the_corpus_does_what_it_must(void)
{
    size_t i;

    check(corpus_count > 0);
    for (i = 0; i < corpus_count; i++)
        input_run(&corpus[i]);
}

static void mutations_do_what_they_must(void)
{
    static struct input input;
    const char *text = getenv("MUTATIONS");
    uint64_t count = text != NULL ? strtoull(text, NULL, 0) : FUZZ_MUTATIONS, seed = test_seed();
    volatile uint64_t *number =
        mmap(NULL, sizeof *number, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int status = 0;
    pid_t child;

    if (number == MAP_FAILED)
        abort();
    fflush(stdout);
    child = fork();
    if (child == 0) {
        for (*number = 0; *number < count && corpus_count > 0; ++*number) {
            input_make(&input, seed, *number);
            input_run(&input);
        }
        exit(0);
    }
    if (child < 0 || waitpid(child, &status, 0) != child)
        abort();
    if (status != 0) {
        test_fail(__FILE__, __LINE__, "mutation %" PRIu64 " of seed %" PRIu64 ": status %#x",
                  *number, seed, (unsigned)status);
        input_make(&input, seed, *number);
        input_print(&input);
    }
    munmap((void *)(uintptr_t)number, sizeof *number);
}

static const struct test tests[] = {
    T(every_input_of_the_corpus_does_what_it_must),
    T(mutations_do_what_they_must),
};

int main(int argc, char **argv)
{
    static struct input input;
    const char *name = strrchr(argv[0], '/');

    if (argc > 1 && input_read(&input, argv[1])) {
        input_run(&input);
        return 0;
    }
    name = name != NULL ? name + 1 : argv[0];
    noun = strncmp(name, "fuzz_", 5) == 0 ? name + 5 : name;
    corpus_read();
    return test_main(tests, sizeof tests / sizeof tests[0], argc, argv);
}
