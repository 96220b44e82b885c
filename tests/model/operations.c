/*
 * operations.c - an operation of a program, handed to who does it; see run.h
 */
#include "model/run.h"

static void entry_operation(const struct operation *o, size_t t, size_t rank)
{
    switch ((enum verb)o->verb) {
    case PUT:
        do_put_at(t, rank, key_of(rank)->data, o->value);
        break;
    case PUT_IF_ABSENT:
        do_put_if_absent(t, rank, o->value);
        break;
    case MODIFY:
        do_modify(t, rank, o->value);
        break;
    case DELETE:
        do_delete_at(t, rank, key_of(rank)->data);
        break;
    case GET:
        do_get(t, rank);
        break;
    case GET_MANY:
        do_get_many(t, rank, o->value);
        break;
    case CONTAINS:
        do_contains(t, rank);
        break;
    case PUT_RUN:
        do_run(t, rank, o->value, false);
        break;
    case DELETE_RUN:
        do_run(t, rank, o->value, true);
        break;
    case ADD:
        do_add(t, rank, o->value);
        break;
    case MERGE:
        do_merge(t, rank, o->value);
        break;
    case TYPED:
        do_typed(t, rank, o->value);
        break;
    case APPEND:
        do_append(t, rank, o->value);
        break;
    case TAKE_ENTRY:
        do_take_entry(t, rank);
        break;
    case MODIFY_MANY:
        do_modify_many(t, rank, o->value);
        break;
    default:
        break;
    }
}

static void scan_operation(const struct operation *o, size_t rank)
{
    size_t slot = o->slot % ITERATORS;

    switch ((enum verb)o->verb) {
    case SCAN:
        do_scan(slot, rank, o->value, NULL);
        break;
    case NEXT:
        do_next(slot);
        break;
    case SEEK:
        do_seek(slot, rank);
        break;
    case CLOSE_ITERATOR:
        iterator_close(&run.iterators[slot]);
        break;
    case PUT_CURRENT:
        do_current(slot, o->value, false);
        break;
    case DELETE_CURRENT:
        do_current(slot, o->value, true);
        break;
    default:
        break;
    }
}

static void table_operation(const struct operation *o, size_t t, size_t rank)
{
    switch ((enum verb)o->verb) {
    case CLEAR:
        do_clear(t);
        break;
    case DROP:
        do_drop(t);
        break;
    case OPEN_AGAIN:
        do_open_again(t);
        break;
    case COMMIT:
    case COMMIT_MORE:
        do_commit(o->value);
        break;
    case WORK:
        do_work(o->value);
        break;
    case MISUSE:
        do_misuse(t, rank, o->value);
        break;
    case COMPARE: /* small tables often, large ones as often as that costs no more */
        if ((o->value >> 8 & 0xFFFF) % (run.model[t].count / 300 + 1) == 0)
            do_compare(t, o->value, NULL);
        break;
    case NEIGHBOUR:
        do_neighbour(o->value);
        break;
    default:
        break;
    }
}

static void snapshot_operation(const struct operation *o, size_t rank)
{
    size_t slot = o->slot % SNAPSHOTS, t = o->value % run.table_count;

    switch ((enum verb)o->verb) {
    case TAKE:
        do_take(slot);
        break;
    case RELEASE:
        do_release(slot, o->value);
        break;
    case RESTORE:
        do_restore(slot);
        break;
    case VIEW_GET:
        do_view_get(slot, t, rank);
        break;
    case VIEW_CLOSE:
        do_view_close(slot, t);
        break;
    case VIEW_SCAN:
        do_view_scan(o->slot % ITERATORS, o->slot / ITERATORS % SNAPSHOTS, rank, o->value);
        break;
    case VIEW_COMPARE:
        if (view_open(slot, t) != NULL)
            do_compare(t, o->value >> 8, &run.snapshots[slot]);
        break;
    default:
        break;
    }
}

static void export_operation(const struct operation *o)
{
    if (o->verb == EXPORT)
        do_export(o->slot % SNAPSHOTS, o->value);
    else if (o->verb == MOVE)
        do_move(o->value);
}

static void dict_operation(const struct operation *o, size_t rank)
{
    switch ((enum verb)o->verb) {
    case ENCODE:
        do_encode(o->slot, rank);
        break;
    case ENCODE_MANY:
        do_encode_many(o->slot, rank, o->value);
        break;
    case FIND_CODE:
        do_find_code(o->slot, rank);
        break;
    case DECODE:
        do_decode(o->slot, o->value);
        break;
    case DICT_CLEAR:
        do_dict_clear(o->slot);
        break;
    case DICT_DROP:
        do_dict_drop(o->slot);
        break;
    case DICT_COMPARE:
        do_dict_compare(o->slot);
        break;
    default:
        break;
    }
}

static void disk_operation(const struct operation *o)
{
    switch ((enum verb)o->verb) {
    case DROP_AND_COMMIT:
        do_drop_and_commit(o->slot, o->value);
        break;
    case REOPEN:
        do_reopen(false);
        break;
    case KILL:
        do_reopen(true);
        break;
    case READ_BESIDE:
        do_read_beside();
        break;
    case CHECK:
        do_check(o->value);
        break;
    default:
        break;
    }
}

/* Keys of 16 bits reach all of a large universe by a stride. */
void run_operation(const struct operation *o)
{
    size_t t = o->slot % run.table_count, reach = run.universe.count / 65536 + 1;
    size_t rank = o->key * reach % run.universe.count;

    entry_operation(o, t, rank);
    scan_operation(o, rank);
    table_operation(o, t, rank);
    snapshot_operation(o, rank);
    export_operation(o);
    dict_operation(o, rank);
    disk_operation(o);
}
