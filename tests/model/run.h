/*
 * run.h - one program being run: the store, the model beside it, and what differs
 *
 *     operation --> the call of tarn.h | the same on the model --> expect(answers agree)
 *
 * entries.c, numbers.c, scans.c, tables.c, snapshots.c, exports.c, dicts.c and disk.c have the
 * operations, operations.c hands them out, and run.c runs a program of them.
 */
#ifndef MODEL_RUN_H
#define MODEL_RUN_H

#include "model/keys.h"
#include "model/program.h"
#include "model/table.h"

#include "store/snapshot.h"

#include "allocator.h"
#include "calls.h"
#include "test.h"

#define ITERATORS 4
#define SNAPSHOTS 3
#define GET_MANY_MAX 70

/* Codes are given in the order in which keys come. */
struct model_dict {
    uint32_t *codes; /* by rank; TARN_DICT_NONE: none */
    uint32_t *ranks; /* by code */
    uint32_t count;
    uint32_t emptied; /* the step that cleared or dropped it last */
};

struct model_snapshot {
    tarn_snapshot *snapshot; /* NULL: not taken */
    tarn_table *views[TABLES_MAX];
    uint32_t taken;
    struct model_table tables[TABLES_MAX];
    struct model_dict dict;
};

struct model_iterator {
    tarn_iterator *it; /* NULL: not open */
    size_t table;
    const struct model_snapshot *snapshot; /* NULL: over the table as it is */
    bool ordered, reverse, started, at_seek, ended, gone;
    size_t low, high; /* ranks */
    size_t last;
    uint32_t opened;
    bool has_current; /* `current_key` is on loan still */
    tarn_bytes current_key;
    uint8_t *seen; /* unordered: by rank */
};

/* What the last commit was: a copy of the model, where there is a disk to come back from. */
struct model_saved {
    struct model_table tables[TABLES_MAX];
    bool exists[TABLES_MAX];
    struct model_dict dict;
    bool dict_exists;
    uint64_t number;
    struct model_value note;
};

/* What happened to stores on disk. */
enum disk_event {
    DISK_CLOSED,   /* in order, and opened again */
    DISK_KILLED,   /* and opened again */
    DISK_BESIDE,   /* read by another */
    DISK_CHECKED,  /* by tarn_check */
    DISK_SALVAGED, /* by tarn_salvage, whole, and the new store compared */
    DISK_REFUSED,  /* openings that memory or limits refused, before one succeeded */
    DISK_ROOM,     /* limits raised so that one succeeds */
    DISK_EVENTS
};

/* The store that shares the budget: what it takes is not there for the one that is tested. */
struct neighbour {
    tarn_store *store; /* NULL: there is none */
    tarn_table *table;
};

struct run {
    const struct program *program;
    tarn_store *store;
    tarn_budget *budget;
    struct neighbour neighbour;
    tarn_table *tables[TABLES_MAX];
    tarn_dict *dicts[2]; /* the same dictionary; the second handle has a bound */
    uint64_t dict_bound;
    struct allocator allocator;
    struct allocator budget_allocator;
    uint64_t pages_asked, pages_refused_at;
    bool may_refuse;
    uint32_t step;
    uint64_t commit_number;
    bool changed;
    struct model_value note;
    struct tn_simulated *system; /* NULL: the store is in memory only */
    struct model_saved saved;
    uint64_t limit_bytes, budget_bytes; /* the setting's, or more: disk.c */
    struct universe_keys universe;
    size_t table_count;
    struct model_table model[TABLES_MAX];
    struct model_dict dict;
    struct model_iterator iterators[ITERATORS];
    struct model_snapshot snapshots[SNAPSHOTS];
    bool limit_lifted;
    uint64_t looked_inside; /* the step of the last look at all tables */
    uint8_t *compared;      /* by rank, for do_compare */
    uint8_t value[VALUE_BYTES_MAX + 8];
};

/* What a run tells whoever started it, who may be another process. */
struct outcome {
    bool failed;
    uint64_t seed; /* of the program that is being run, or failed */
    uint32_t step;
    char text[240];
    uint64_t steps;
    uint64_t programs[SHAPE_KINDS];
    uint64_t programs_on_disk; /* of them */
    uint64_t disk[DISK_EVENTS];
    uint64_t calls[CALL_COUNT];
};

extern struct run run;
extern struct outcome *outcome;

#define expect(condition) ((condition) ? (void)0 : run_fail(__FILE__, __LINE__, #condition))

void run_fail(const char *file, int line, const char *what);

/* A refusal, where the setting has some. */
static inline bool is_refusal(int result)
{
    return run.may_refuse && (result == TARN_E_MEMORY || result == TARN_E_FULL);
}

static inline const tarn_bytes *key_of(size_t rank)
{
    return &run.universe.keys[rank];
}

static inline bool has(size_t t, size_t rank)
{
    return model_has(&run.model[t], rank);
}

static inline const struct model_value *value_of(size_t t, size_t rank)
{
    return &run.model[t].values[rank];
}

static inline bool value_is(const struct model_value *value, const void *data, size_t bytes)
{
    return data != NULL && (uintptr_t)data % 8 == 0 && bytes == value->bytes &&
           value_is_made_of(value->seed, data, bytes);
}

/* All the bits there are, from a word of 32. */
static inline uint64_t seed_of(uint32_t word)
{
    return (word + 1) * UINT64_C(0xD6E8FEB86659FD93);
}

/* ---- entries.c ------------------------------------------------------------------------------- */

/* The model's entry becomes this, and the store has changed. */
void model_set(size_t t, size_t rank, size_t bytes, uint64_t seed);

void do_put_at(size_t t, size_t rank, const void *key, uint32_t word);
void do_put_if_absent(size_t t, size_t rank, uint32_t word);
void do_modify(size_t t, size_t rank, uint32_t word);
void do_delete_at(size_t t, size_t rank, const void *key);
void do_get(size_t t, size_t rank);
void do_contains(size_t t, size_t rank);
void do_get_many(size_t t, size_t rank, uint32_t word);
void do_typed(size_t t, size_t rank, uint32_t word);
void do_append(size_t t, size_t rank, uint32_t word);
void do_take_entry(size_t t, size_t rank);
void do_modify_many(size_t t, size_t rank, uint32_t word);
void do_run(size_t t, size_t rank, uint32_t word, bool deletes);

/* ---- numbers.c ------------------------------------------------------------------------------- */

void do_add(size_t t, size_t rank, uint32_t word);
void do_merge(size_t t, size_t rank, uint32_t word);

/* ---- scans.c --------------------------------------------------------------------------------- */

void iterator_close(struct model_iterator *it);

/* Calls that are not reads end what get and next have lent. */
void loans_end(void);

/* `snapshot` NULL: of a table as it is. */
void do_scan(size_t slot, size_t rank, uint32_t word, const struct model_snapshot *snapshot);
void do_next(size_t slot);
void do_seek(size_t slot, size_t rank);
void do_current(size_t slot, uint32_t word, bool deletes);

/* What an iterator that has given nothing yet gives, up to its end. */
void compare_entries(tarn_iterator *it, const struct model_table *model, bool ordered,
                     bool reverse);

/* Everything of a table, by a scan of its own. */
void do_compare(size_t t, uint32_t word, const struct model_snapshot *snapshot);

/* ---- tables.c -------------------------------------------------------------------------------- */

const char *table_name(size_t t);
void table_open(size_t t);

/* A full store: make room, as users have to, everywhere but in this table. */
void make_room(size_t except);
void model_empty(size_t t, bool gone);

/* Iterators over the table as it is are at their end, and if `gone` their table is, too. */
void model_iterators_end(size_t t, bool gone);
void do_clear(size_t t);
void do_drop(size_t t);
void do_open_again(size_t t);
bool note_is(const tarn_bytes *note, struct model_value wanted);
void commit_all_but(size_t missing, uint32_t word);
void do_commit(uint32_t word);
void do_work(uint32_t word);
void do_misuse(size_t t, size_t rank, uint32_t word);
void do_neighbour(uint32_t word);

/* ---- snapshots.c ----------------------------------------------------------------------------- */

/* Whether it has failed, as it may where memory is short, and then nothing else is answered. */
bool has_failed(const struct model_snapshot *s);

/* NULL: not taken, failed, or refused. */
struct model_snapshot *view_open(size_t slot, size_t t);

void do_take(size_t slot);

/* Handles and iterators are closed before the release or after it, as the word says. */
void do_release(size_t slot, uint32_t word);
void do_restore(size_t slot);
void do_view_get(size_t slot, size_t t, size_t rank);
void do_view_close(size_t slot, size_t t);
void do_view_scan(size_t iterator, size_t slot, size_t rank, uint32_t word);
void snapshots_compare_counts(void);

/* ---- exports.c ------------------------------------------------------------------------------- */

/* A table and the dictionary of any store against a model of them. */
void compare_table(tarn_store *store, size_t t, const struct model_table *model);
void compare_dict(tarn_store *store, const struct model_dict *model);

/* The word says whether by descriptor or by function, out and in. */
void do_export(size_t slot, uint32_t word);
void do_move(uint32_t word);

/* ---- dicts.c --------------------------------------------------------------------------------- */

extern const char dict_name[];

void model_dict_make(struct model_dict *dict);
void model_dict_free(struct model_dict *dict);
void model_dict_empty(void);
void model_dict_copy(struct model_dict *to, const struct model_dict *from);
void dicts_open(void);
void do_encode(size_t slot, size_t rank);
void do_encode_many(size_t slot, size_t rank, uint32_t word);
void do_find_code(size_t slot, size_t rank);
void do_decode(size_t slot, uint32_t word);
void do_dict_clear(size_t slot);
void do_dict_drop(size_t slot);
void do_dict_compare(size_t slot);

/* ---- disk.c ---------------------------------------------------------------------------------- */

void disk_make(const struct setting *setting);
void disk_free(void);

/* run.store, as the last commit left it. */
void disk_open(void);

/* The model as it is was committed. In memory nothing needs it. */
void disk_save(size_t missing);

/* A commit has succeeded, whether or not there was anything to do. */
void disk_settled(bool synced);
void do_drop_and_commit(size_t which, uint32_t word);
void do_reopen(bool kills);
void do_read_beside(void);
void do_check(uint32_t word);

/* ---- operations.c ---------------------------------------------------------------------------- */

void run_operation(const struct operation *o);

/* ---- run.c ----------------------------------------------------------------------------------- */

/* The system of the store: pages can be refused. */
const struct tn_os *os_of_run(void);

/* The same system for another store; nothing is refused. */
struct tn_os os_beside(void);
void run_open(const struct program *program);
void run_look_inside(void);

/* Nothing can be refused any more. */
void run_lift_limits(void);

/* Everything is closed, and all memory is back. */
void run_close(void);

/* A whole program; differences are in `outcome`. */
void run_program(const struct program *program);

#endif
