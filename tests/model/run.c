/*
 * run.c - running one program; see run.h
 */
#include "model/run.h"

#include "os/simulated.h"

#include <errno.h>

struct run run;
struct outcome *outcome;
uint64_t *calls_made;

void run_fail(const char *file, int line, const char *what)
{
    if (outcome->failed)
        return;
    outcome->failed = true;
    outcome->step = run.step;
    snprintf(outcome->text, sizeof outcome->text, "%s:%d: is false: %s", file, line, what);
}

/* ---- the system: pages can be refused, and randomness comes from the seed -------------------- */

static struct tn_os below; /* the system, that refuses nothing by itself */

static int random_from_seed(void *context, void *out, size_t bytes)
{
    (void)context;
    value_fill(out, bytes, run.program->setting.seed * UINT64_C(0xD6E8FEB86659FD93));
    return 0;
}

static int commit_or_refuse(void *context, void *at, size_t bytes, unsigned flags)
{
    if (++run.pages_asked == run.pages_refused_at)
        return -ENOMEM;
    return below.ops->pages_commit(context, at, bytes, flags);
}

/* A simulated one has randomness of its own from the seed, which is another at each opening. */
const struct tn_os *os_of_run(void)
{
    static struct tn_os_ops ops;
    static struct tn_os os;

    below = run.system != NULL ? tn_simulated_os(run.system) : tn_os_posix;
    ops = *below.ops;
    ops.pages_commit = commit_or_refuse;
    if (run.system == NULL)
        ops.random = random_from_seed;
    os = (struct tn_os){ &ops, below.context };
    return &os;
}

/* With randomness of its own: what the program's store is given stays what it is. */
struct tn_os os_beside(void)
{
    static struct tn_os_ops ops;
    struct tn_os os = tn_simulated_os(run.system);

    ops = *os.ops;
    ops.random = random_from_seed;
    os.ops = &ops;
    return os;
}

/* Refuse the next but so many, again and again. */
static void refusals_plan(const struct setting *setting, size_t i)
{
    struct allocator *a = &run.allocator;

    if (setting->refuse_every != 0 && !run.limit_lifted &&
        (a->refuse_at == UINT64_MAX || a->asked >= a->refuse_at))
        a->refuse_at = a->asked + 1 + i % setting->refuse_every;
    if (setting->refuse_pages_every != 0 && !run.limit_lifted &&
        run.pages_asked >= run.pages_refused_at)
        run.pages_refused_at = run.pages_asked + 1 + i % setting->refuse_pages_every;
}

void run_lift_limits(void)
{
    run.allocator.refuse_at = run.pages_refused_at = UINT64_MAX;
    run.store->memory.limit_bytes = UINT64_MAX;
    if (run.budget != NULL)
        run.store->memory.budget->limit_bytes = UINT64_MAX;
    run.limit_lifted = true;
}

/* ---- looking --------------------------------------------------------------------------------- */

static void look_at_table(const tarn_table *table)
{
    expect(tn_heap_check(&run.store->heap, &table->body->owner));
    expect(tn_index_check(&table->index));
    expect(table->ordered == NULL || tn_ordered_check(table->ordered));
    expect(table->ordered == NULL || tn_ordered_count(table->ordered) == table->index.entry_count);
}

/* Every table and the dictionary, each once, in the order of their names. */
static void look_at_names(void)
{
    tarn_table_info info;
    char before[32] = "", name[32];
    uint64_t place, entries = 0, dictionaries = 0;

    for (place = 0; tarn_table_at(run.store, place, &info) == TARN_OK; place++) {
        expect(info.name.bytes < sizeof name);
        if (outcome->failed)
            return;
        snprintf(name, sizeof name, "%.*s", (int)info.name.bytes, (const char *)info.name.data);
        expect(strcmp(before, name) < 0);
        memcpy(before, name, sizeof name);
        dictionaries += info.is_dictionary != 0;
        entries += info.entry_count;
        expect(!info.is_dictionary || info.entry_count == run.dict.count);
    }
    expect(place == run.table_count + 1 && dictionaries == 1);
    for (place = 0; place < run.table_count; place++)
        entries -= run.model[place].count;
    expect(entries == run.dict.count);
}

void run_look_inside(void)
{
    tarn_statistics stat;
    uint64_t entries = 2 * run.dict.count;
    size_t t;

    for (t = 0; t < run.store->table_count; t++)
        look_at_table(run.store->tables[t]);
    for (t = 0; t < run.table_count; t++)
        entries += run.model[t].count;
    expect(tarn_stat(run.store, &stat) == TARN_OK);
    expect(stat.entry_count == entries && stat.table_count == run.table_count + 2);
    expect(stat.record_bytes + stat.index_bytes <= stat.memory_bytes);
    look_at_names();
    expect(tn_snapshots_check(run.store));
    expect(stat.snapshot_bytes <= stat.memory_bytes);
    expect(run.limit_bytes == 0 || run.limit_lifted || stat.memory_bytes_peak <= run.limit_bytes);
}

static void compare_counts(size_t t)
{
    expect(tarn_table_count(run.tables[t]) == run.model[t].count);
    expect(tarn_table_bytes(run.tables[t]) == run.model[t].bytes);
}

/* After each step: of a few tables all, of many the one that was used and another. */
static void look(size_t i, size_t used)
{
    const struct setting *setting = &run.program->setting;
    uint64_t entries = 0;
    size_t t;

    if (run.table_count <= 3)
        for (t = 0; t < run.table_count; t++)
            compare_counts(t);
    else
        compare_counts(used);
    compare_counts(i % run.table_count);
    expect(tarn_dict_count(run.dicts[i % 2]) == run.dict.count);
    snapshots_compare_counts();
    if (i % setting->look_inside_every != 0)
        return;
    look_at_table(run.tables[used]);
    for (t = 0; t < run.table_count; t++)
        entries += run.model[t].count;
    if (i < run.looked_inside + (run.table_count / 4 + entries / 500)) /* it costs what there is */
        return;
    run.looked_inside = i;
    run_look_inside();
}

/* ---- opening and closing --------------------------------------------------------------------- */

static void neighbour_open(const struct setting *setting)
{
    tarn_options options = { .address_bytes = TN_GIB };

    expect(tarn_budget_open(&run.budget, setting->budget_bytes, allocator_call,
                            &run.budget_allocator) == TARN_OK);
    options.budget = run.budget;
    expect(tarn_open(&run.neighbour.store, NULL, &options) == TARN_OK);
    expect(tarn_table_open(&run.neighbour.table, run.neighbour.store, "neighbour", NULL) ==
           TARN_OK);
}

static void neighbour_close(void)
{
    expect(tarn_budget_close(run.budget) == TARN_E_MISUSE);
    expect(tarn_close(run.neighbour.store) == TARN_OK);
    expect(tarn_budget_used(run.budget) == 0);
    expect(tarn_budget_close(run.budget) == TARN_OK);
    expect(run.budget_allocator.live_blocks == 0);
}

static void model_make(const struct setting *setting)
{
    size_t i;

    memset(&run, 0, offsetof(struct run, value)); /* which is written before it is read */
    universe_make(&run.universe, setting);
    run.table_count = setting->table_count;
    for (i = 0; i < run.table_count; i++)
        model_table_make(&run.model[i], run.universe.count);
    for (i = 0; i < ITERATORS; i++)
        run.iterators[i].seen = calloc(run.universe.count, 1);
    run.compared = calloc(run.universe.count, 1);
    model_dict_make(&run.dict);
    run.dict_bound = run.universe.count / 2 + 1;
}

static void model_free(void)
{
    size_t i, t;

    for (t = 0; t < run.table_count; t++)
        model_table_free(&run.model[t]);
    for (i = 0; i < SNAPSHOTS; i++) {
        for (t = 0; t < run.table_count; t++)
            model_table_free(&run.snapshots[i].tables[t]);
        model_dict_free(&run.snapshots[i].dict);
    }
    for (i = 0; i < ITERATORS; i++)
        free(run.iterators[i].seen);
    free(run.compared);
    model_dict_free(&run.dict);
    universe_free(&run.universe);
}

static void store_open(const struct setting *setting)
{
    const tarn_options options = {
        .address_bytes = 4 * TN_GIB,
        .memory_bytes_max = setting->limit_bytes,
        .snapshot_bytes_max = setting->snapshot_bytes_max,
        .allocate = allocator_call,
        .allocate_context = &run.allocator,
        .budget = run.budget,
    };

    if (setting->on_disk) {
        disk_make(setting);
        disk_open();
        return;
    }
    expect(tn_store_open_from(&run.store, NULL, &options, os_of_run(), setting->tick) == TARN_OK);
}

void run_open(const struct program *program)
{
    const struct setting *setting = &program->setting;
    size_t t;

    model_make(setting);
    run.program = program;
    run.allocator.refuse_at = run.budget_allocator.refuse_at = UINT64_MAX;
    run.pages_refused_at = UINT64_MAX;
    run.limit_bytes = setting->limit_bytes;
    run.budget_bytes = setting->budget_bytes;
    if (setting->budget_bytes != 0)
        neighbour_open(setting);
    store_open(setting);
    for (t = 0; t < run.table_count; t++)
        table_open(t);
    dicts_open();
    run.changed = true;
    run.pages_refused_at = setting->refuse_pages_every != 0 ? 0 : UINT64_MAX;
    run.may_refuse = setting->limit_bytes != 0 || setting->refuse_every != 0 ||
                     setting->refuse_pages_every != 0 || setting->budget_bytes != 0;
}

void run_close(void)
{
    size_t i;

    for (i = 0; i < ITERATORS; i++) {
        if (run.iterators[i].it != NULL)
            expect(tarn_close(run.store) == TARN_E_MISUSE);
        iterator_close(&run.iterators[i]);
    }
    for (i = 0; i < SNAPSHOTS; i++) {
        if (run.snapshots[i].snapshot == NULL)
            continue;
        expect(tarn_close(run.store) == TARN_E_MISUSE);
        expect(tarn_snapshot_release(run.snapshots[i].snapshot) == TARN_OK);
    }
    expect(tarn_close(run.store) == TARN_OK);
    expect(run.allocator.live_blocks == 0 && run.allocator.live_bytes == 0);
    expect(!run.allocator.size_was_wrong);
    if (run.budget != NULL)
        neighbour_close();
    disk_free();
    model_free();
}

/* ---- the whole ------------------------------------------------------------------------------- */

static void compare_all(void)
{
    size_t i, t;

    run_lift_limits();
    for (t = 0; t < run.table_count && !outcome->failed; t++)
        do_compare(t, (uint32_t)t, NULL);
    for (i = 0; i < SNAPSHOTS && !outcome->failed; i++)
        for (t = 0; t < run.table_count && !outcome->failed; t++)
            if (view_open(i, t) != NULL)
                do_compare(t, (uint32_t)t, &run.snapshots[i]);
    if (!outcome->failed)
        do_dict_compare(0);
}

void run_program(const struct program *program)
{
    const struct setting *setting = &program->setting;
    size_t i;

    run_open(program);
    for (i = 0; i < setting->count && !outcome->failed; i++) {
        run.step = outcome->step = (uint32_t)i + 1;
        refusals_plan(setting, i);
        run_operation(&program->operations[i]);
        if (!outcome->failed)
            look(i, program->operations[i].slot % run.table_count);
    }
    outcome->steps += i;
    outcome->programs[setting->shape]++;
    outcome->programs_on_disk += setting->on_disk;
    if (!outcome->failed)
        compare_all();
    if (!outcome->failed)
        run_look_inside();
    if (!outcome->failed && setting->on_disk) {
        do_commit(TARN_SYNC | 4 * 3);
        do_reopen(setting->seed % 2 != 0);
    }
    if (!outcome->failed)
        run_close();
}
