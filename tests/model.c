/*
 * model.c - programs of operations against a store that is trivially right; see model.h
 *
 * Programs run in a child, so a crash is a failure like others, some hundred milliseconds' worth in
 * each: what they counted comes back in shared memory. A failing program is run alone, and made
 * short by leaving out parts of it as long as it fails, then printed in readable lines.
 */
#include "model.h"

#include "model/run.h"

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* Operations for one child: little beside what a process costs, much beside what a failure costs. */
#define CHILD_OPERATIONS 200000u

static struct program program;
static bool only_on_disk;

static const char *const disk_event_names[DISK_EVENTS] = {
    [DISK_CLOSED] = "closed and opened",    [DISK_KILLED] = "killed and opened",
    [DISK_BESIDE] = "read beside",          [DISK_CHECKED] = "checked",
    [DISK_SALVAGED] = "salvaged whole",     [DISK_REFUSED] = "an opening refused",
    [DISK_ROOM] = "a limit raised to open",
};

static void outcome_share(void)
{
    if (outcome == NULL)
        outcome =
            mmap(NULL, sizeof *outcome, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (outcome == MAP_FAILED)
        abort();
    memset(outcome, 0, sizeof *outcome);
    calls_made = outcome->calls;
}

/* Asked after each step: compared, too, but they would be most of the count. */
static bool is_observer(enum call call)
{
    return call == CALL_tarn_table_count || call == CALL_tarn_table_bytes ||
           call == CALL_tarn_dict_count;
}

uint64_t model_operation_count(void)
{
    uint64_t sum = 0;
    size_t i;

    for (i = 0; i < CALL_COUNT; i++)
        if (!is_observer((enum call)i))
            sum += outcome->calls[i];
    return sum;
}

void model_print_counts(FILE *to)
{
    size_t i;

    fprintf(to, "\tsteps=%" PRIu64, outcome->steps);
    for (i = 0; i < SHAPE_KINDS; i++)
        fprintf(to, "\tprograms:%s=%" PRIu64, shape_names[i], outcome->programs[i]);
    fprintf(to, "\tprograms:(of them on disk)=%" PRIu64, outcome->programs_on_disk);
    for (i = 0; i < DISK_EVENTS; i++)
        fprintf(to, "\tdisk:%s=%" PRIu64, disk_event_names[i], outcome->disk[i]);
    for (i = 0; i < CALL_COUNT; i++)
        if (outcome->calls[i] > 0)
            fprintf(to, "\t%s:%s=%" PRIu64, is_observer((enum call)i) ? "asked" : "call",
                    call_names[i], outcome->calls[i]);
}

/* ---- in a child ------------------------------------------------------------------------------ */

static void child_end(void)
{
    fflush(stdout);
#if defined(__SANITIZE_ADDRESS__)
    _exit(
        0); /* the allocator counts what leaks; a search of all memory, per child, takes minutes */
#endif
    exit(0);
}

/* Wait for it. false: something differs, or it died. */
static bool child_passes(pid_t child)
{
    int status = 0;

    if (child < 0 || waitpid(child, &status, 0) != child)
        abort();
    if (status != 0 && !outcome->failed) {
        outcome->failed = true;
        snprintf(outcome->text, sizeof outcome->text, "the child died, status %#x", status);
    }
    return !outcome->failed;
}

/* One program as it is. */
static bool program_passes(const struct program *tried)
{
    pid_t child;

    outcome->failed = false;
    fflush(stdout);
    child = fork();
    if (child == 0) {
        run_program(tried);
        child_end();
    }
    return child_passes(child);
}

/* Programs from outcome->seed on, for some time, or until there are that many operations. */
static bool programs_pass(uint64_t operation_count)
{
    uint64_t until = tn_min(operation_count, model_operation_count() + CHILD_OPERATIONS);
    pid_t child;

    fflush(stdout);
    child = fork();
    if (child != 0)
        return child_passes(child);
    while (model_operation_count() < until && !outcome->failed) {
        program_make(&program, outcome->seed);
        if (program.setting.on_disk || !only_on_disk)
            run_program(&program);
        if (!outcome->failed)
            outcome->seed++;
    }
    child_end();
    return false;
}

/* ---- a failing program made short ------------------------------------------------------------ */

/* Leave out stretches, halves first, then smaller ones, while what is left still fails. */
static void program_shrink(void)
{
    static struct program shorter;
    size_t stretch, at, tries = 0;

    program.setting.count = tn_min(program.setting.count, outcome->step);
    program.setting.look_inside_every = 1;
    if (program_passes(&program))
        program.setting.look_inside_every = 50;
    for (stretch = program.setting.count / 2; stretch > 0; stretch /= 2)
        for (at = 0; at + stretch <= program.setting.count && tries < 3000; tries++) {
            shorter = program;
            shorter.setting.count -= stretch;
            memmove(shorter.operations + at, shorter.operations + at + stretch,
                    (shorter.setting.count - at) * sizeof shorter.operations[0]);
            if (program_passes(&shorter))
                at += stretch;
            else
                program = shorter;
        }
    if (!program_passes(&program))
        program.setting.count = tn_min(program.setting.count, outcome->step);
    (void)program_passes(&program);
}

static void program_report(uint64_t seed)
{
    program_make(&program, seed);
    printf("# seed %" PRIu64 ", step %u of %zu: %s\n", seed, outcome->step, program.setting.count,
           outcome->text);
    if (program_passes(&program)) {
        printf("# alone it passes\n");
        return;
    }
    program_shrink();
    printf("# made short, step %u: %s\n", outcome->step, outcome->text);
    program_print(&program);
}

static bool programs_from(uint64_t *seed, uint64_t operation_count)
{
    outcome_share();
    outcome->seed = *seed;
    while (model_operation_count() < operation_count) {
        if (programs_pass(operation_count))
            continue;
        *seed = outcome->seed;
        program_report(*seed);
        return false;
    }
    *seed = outcome->seed;
    return true;
}

bool model_random_programs(uint64_t *seed, uint64_t operation_count)
{
    only_on_disk = false;
    return programs_from(seed, operation_count);
}

bool model_disk_programs(uint64_t *seed, uint64_t operation_count)
{
    only_on_disk = true;
    return programs_from(seed, operation_count);
}

/* ---- every short sequence -------------------------------------------------------------------- */

static void sequence_print(uint64_t number, const struct operation *word, size_t length)
{
    program.setting.count = length;
    memcpy(program.operations, word, length * sizeof word[0]);
    printf("# sequence %" PRIu64 ": %s\n", number, outcome->text);
    program_print(&program);
}

/* One store for all, cleared in between. An unordered table scans forward only and does not seek. */
bool model_every_sequence(size_t length, int kind)
{
    struct operation word[8];
    uint64_t all = 1, number, rest;
    size_t i;

    outcome_share();
    program.setting = (struct setting){
        .universe = UNIVERSE_TINY, .key_count = 3, .table_count = 1, .run_max = 1, .tick = 1
    };
    program.setting.kinds[0] = (uint8_t)kind;
    run_open(&program);
    for (i = 0; i < length; i++)
        all *= ALPHABET_COUNT;
    for (number = 0; number < all && !outcome->failed; number++) {
        for (i = 0, rest = number; i < length; i++, rest /= ALPHABET_COUNT) {
            word[i] = alphabet[rest % ALPHABET_COUNT];
            run.step++;
            run_operation(&word[i]);
            run_look_inside();
        }
        expect(tarn_table_count(run.tables[0]) == run.model[0].count);
        expect(tarn_table_bytes(run.tables[0]) == run.model[0].bytes);
        for (i = 0; i < 4 && run.iterators[0].it != NULL; i++)
            do_next(0);
        iterator_close(&run.iterators[0]);
        if (outcome->failed)
            sequence_print(number, word, length);
        do_clear(0);
    }
    if (!outcome->failed)
        run_close();
    return !outcome->failed;
}

/* ---- programs from outside ------------------------------------------------------------------- */

const char *model_run_bytes(const uint8_t *data, size_t bytes)
{
    static struct outcome at_home;

    outcome = &at_home;
    memset(outcome, 0, sizeof *outcome);
    calls_made = outcome->calls;
    memset(&program.setting, 0, sizeof program.setting);
    program_decode(&program, data, bytes);
    run_program(&program);
    if (outcome->failed)
        program_print(&program);
    return outcome->failed ? outcome->text : NULL;
}
